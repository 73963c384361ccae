"""Recurrent layers over whole sequences: `RNN` and `LSTM`.

What the inputs contribute to all steps is one product of matrices; only the states' part waits for
the step before.
"""

from __future__ import annotations

from typing import Any, ClassVar

from chainrule.create import zeros
from chainrule.errors import OptionError, ShapeError
from chainrule.nn import functional
from chainrule.nn.module import Module
from chainrule.nn.recurrent import enter_weights, nonlinearity_of
from chainrule.ops.linalg import linear
from chainrule.ops.shape import concatenate, stack, swapaxes
from chainrule.randomness import Rng
from chainrule.tape import Array

State = tuple[Array, ...]


class Recurrent(Module):
    """What `RNN` and `LSTM` share: layers upon each other, directions, states.

    Attributes:
        gates: How many rows of weights each unit has.
        parts: Of how many tensors a state consists.
    """

    gates: ClassVar[int]
    parts: ClassVar[int]

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int,
        bias: bool,
        batch_first: bool,
        dropout: float,
        bidirectional: bool,
        rng: Rng,
        dtype: Any,
    ) -> None:
        super().__init__()
        if num_layers < 1 or not 0 <= dropout <= 1:
            raise OptionError(
                "num_layers is at least 1 and dropout a probability, "
                f"not {num_layers} and {dropout}"
            )
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.bias, self.batch_first, self.dropout = bias, batch_first, dropout
        self.bidirectional, self.rng = bidirectional, rng
        self.suffixes = ("", "_reverse") if bidirectional else ("",)
        for layer in range(num_layers):
            inputs = input_size if layer == 0 else hidden_size * len(self.suffixes)
            for way in self.suffixes:
                enter_weights(self, self.gates, inputs, bias, f"_l{layer}{way}", rng, dtype)

    def step(self, p: Array, state: State, w: Array) -> State:
        """Return the next state.

        Args:
            p: What the input contributes, biases included, shape (..., gates * hidden_size).
            state: The state before, each part of shape (..., hidden_size).
            w: The weights of the state, shape (gates * hidden_size, hidden_size).
        """
        raise NotImplementedError

    def run(self, x: Array, state: State, name: str) -> tuple[Array, State]:
        """Return all states of one layer in one direction, and the last one.

        Args:
            x: Shape (T, ..., inputs).
            state: The first state.
            name: What the parameters' names end in.
        """
        biases = [getattr(self, f"bias_{i}h{name}") for i in "ih"]
        bias = biases[0] + biases[1] if self.bias else None
        pieces = unstack(linear(x, getattr(self, f"weight_ih{name}"), bias))
        w = getattr(self, f"weight_hh{name}")
        backwards = name.endswith("_reverse")
        hidden = []
        for p in reversed(pieces) if backwards else pieces:
            state = self.step(p, state, w)
            hidden.append(state[0])
        if backwards:
            hidden.reverse()
        return concatenate(hidden).reshape(len(hidden), *hidden[0].shape), state

    def forward(self, x: Array, hx: Any = None) -> tuple[Array, Any]:
        """Return the last layer's states at all steps, and each layer's last one.

        Args:
            x: Shape (T, N, input_size), (N, T, input_size) if `batch_first`, or (T, input_size).
            hx: The first states, shape (layers * directions, N, hidden_size), N left out where `x`
                has none; a pair of them for an LSTM. Zeros if None.

        Returns:
            Shape (T, N, hidden_size * directions), arranged as `x`; and states arranged as `hx`.
        """
        turned = self.batch_first and len(x.shape) == 3
        first = self.begin(x, hx, turned)
        x = swapaxes(x, 0, 1) if turned else x
        last: list[State] = []
        for layer in range(self.num_layers):
            if layer and self.dropout:
                x = functional.dropout(x, self.dropout, self.training, rng=self.rng)
            ways = []
            for way in self.suffixes:
                state = tuple(part[len(last)] for part in first)
                out, state = self.run(x, state, f"_l{layer}{way}")
                ways.append(out)
                last.append(state)
            x = ways[0] if len(ways) == 1 else concatenate(ways, -1)
        states = tuple(stack(parts) for parts in zip(*last, strict=True))
        return swapaxes(x, 0, 1) if turned else x, states if self.parts > 1 else states[0]

    def begin(self, x: Array, hx: Any, turned: bool) -> State:
        """Return the first states, zeros where none are given; ShapeError if something misfits."""
        if len(x.shape) not in (2, 3) or x.shape[-1] != self.input_size:
            order = "(N, T, " if self.batch_first else "(T, N, "
            raise ShapeError(
                f"{type(self).__name__}: an input has shape {order}{self.input_size}) or "
                f"(T, {self.input_size}), not {tuple(x.shape)}"
            )
        if not x.shape[1 if turned else 0]:
            raise ShapeError(f"{type(self).__name__}: a sequence has at least one step")
        rows = self.num_layers * len(self.suffixes)
        batch = x.shape[:1] if turned else x.shape[1:-1]
        wanted = (rows, *batch, self.hidden_size)
        if hx is None:
            return (zeros(*wanted, dtype=x.dtype),) * self.parts
        given = hx if self.parts > 1 else (hx,)
        if len(given) != self.parts or any(tuple(h.shape) != wanted for h in given):
            got = [tuple(h.shape) for h in given]
            raise ShapeError(f"{type(self).__name__}: states have shape {wanted}, not {got}")
        return tuple(given)

    def extra_repr(self) -> str:
        """Return the sizes, and the options that are not as usual."""
        text = f"{self.input_size}, {self.hidden_size}"
        usual = {"num_layers": 1, "bias": True, "batch_first": False, "dropout": 0.0}
        for name, value in {**usual, "bidirectional": False}.items():
            if getattr(self, name) != value:
                text += f", {name}={getattr(self, name)}"
        return text


class RNN(Recurrent):
    """A plain recurrent network: each state is `tanh(W_ih x + b_ih + W_hh h + b_hh)`.

    Args:
        input_size: The length of an input.
        hidden_size: The length of a state.
        num_layers: How many layers; each takes the states of the one below as its inputs.
        nonlinearity: "tanh" or "relu".
        bias: Whether there are any.
        batch_first: Whether sequences come as (N, T, ...) instead of (T, N, ...).
        dropout: Between layers, while training.
        bidirectional: Whether a second one runs from the end, the states side by side.
        rng: Where the first values, and dropout, come from.
        dtype: Of the parameters; the default float if None.

    >>> import chainrule as cr
    >>> states, last = cr.nn.RNN(3, 4, batch_first=True)(cr.ones(2, 5, 3))
    >>> states.shape, last.shape
    ((2, 5, 4), (1, 2, 4))
    """

    gates, parts = 1, 1

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        rng: Rng = None,
        dtype: Any = None,
    ) -> None:
        how = (bias, batch_first, dropout, bidirectional, rng, dtype)
        super().__init__(input_size, hidden_size, num_layers, *how)
        self.nonlinearity = nonlinearity
        nonlinearity_of(nonlinearity)

    def step(self, p: Array, state: State, w: Array) -> State:
        """Return the next state."""
        return (nonlinearity_of(self.nonlinearity)(p + linear(state[0], w)),)


class LSTM(Recurrent):
    """An LSTM; see `functional.lstm_cell`. Arguments as `RNN`, without the nonlinearity.

    >>> import chainrule as cr
    >>> states, (h, c) = cr.nn.LSTM(3, 4, num_layers=2)(cr.ones(5, 2, 3))
    >>> states.shape, h.shape, c.shape
    ((5, 2, 4), (2, 2, 4), (2, 2, 4))
    """

    gates, parts = 4, 2

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        rng: Rng = None,
        dtype: Any = None,
    ) -> None:
        how = (bias, batch_first, dropout, bidirectional, rng, dtype)
        super().__init__(input_size, hidden_size, num_layers, *how)

    def step(self, p: Array, state: State, w: Array) -> State:
        """Return the next state and memory."""
        return functional.lstm_gates(p + linear(state[0], w), state[1])


def unstack(x: Array) -> list[Array]:
    """Return the steps of a sequence, shape (T, ...), as a list.

    It is cut in halves again and again: each cut's gradient is an array of its length, so they take
    log T times the memory traffic of the sequence together, and not T times.
    """
    half = len(x) // 2
    return unstack(x[:half]) + unstack(x[half:]) if half else [x[0]]
