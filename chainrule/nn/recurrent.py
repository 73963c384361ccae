"""One step of a recurrent network at a time: `RNNCell`, `LSTMCell`.

Names and order of the parameters are PyTorch's: `weight_ih_l0` and so on, for layer 0, with
`_reverse` after it for the direction from the end; the gates of an LSTM stand as input, forget, new
memory, output.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar

from chainrule.create import zeros
from chainrule.errors import OptionError
from chainrule.nn import functional
from chainrule.nn.layers import drawn
from chainrule.nn.module import Module
from chainrule.ops.elementwise import relu, tanh
from chainrule.randomness import Rng
from chainrule.tape import Array

NONLINEARITIES: dict[str, Callable[[Array], Array]] = {"tanh": tanh, "relu": relu}


def enter_weights(
    module: Module, gates: int, inputs: int, bias: bool, suffix: str, rng: Rng, dtype: Any
) -> None:
    """Give a module the parameters of one step, drawn evenly from -k to k, k = 1 / sqrt(units)."""
    units = module.hidden_size
    bound = 1 / math.sqrt(units) if units else 0.0
    lengths = {"weight_ih": [inputs], "weight_hh": [units], "bias_ih": [], "bias_hh": []}
    for name, length in lengths.items():
        some = bias or name.startswith("weight")
        value = drawn(bound, gates * units, *length, rng=rng, dtype=dtype) if some else None
        module.register_parameter(name + suffix, value)


def nonlinearity_of(name: str) -> Callable[[Array], Array]:
    """Return the function of this name; OptionError if it is none of those allowed."""
    if name not in NONLINEARITIES:
        raise OptionError(f"nonlinearity is 'tanh' or 'relu', not {name!r}")
    return NONLINEARITIES[name]


class Cell(Module):
    """What the two cells share: sizes, parameters, a state of zeros to begin with."""

    gates: ClassVar[int]

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, *, rng: Rng, dtype: Any
    ) -> None:
        super().__init__()
        self.input_size, self.hidden_size, self.bias = input_size, hidden_size, bias
        enter_weights(self, self.gates, input_size, bias, "", rng, dtype)

    def weights(self) -> tuple[Any, Any, Any, Any]:
        """Return the parameters in the order of the functions in `functional`."""
        return self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh

    def begin(self, x: Array) -> Array:
        """Return zeros, shape (..., hidden_size) for an input of (..., input_size)."""
        return zeros(*x.shape[:-1], self.hidden_size, dtype=x.dtype)

    def extra_repr(self) -> str:
        """Return the sizes."""
        return f"{self.input_size}, {self.hidden_size}" + ("" if self.bias else ", bias=False")


class RNNCell(Cell):
    """One step of a plain recurrent network: `tanh(W_ih x + b_ih + W_hh h + b_hh)`.

    Args:
        input_size: The length of an input.
        hidden_size: The length of the state.
        bias: Whether there are any.
        nonlinearity: "tanh" or "relu".
        rng: Where the first values come from.
        dtype: Of the parameters; the default float if None.

    >>> import chainrule as cr
    >>> cell = cr.nn.RNNCell(3, 4)
    >>> cell(cr.ones(2, 3), cell(cr.ones(2, 3))).shape
    (2, 4)
    """

    gates = 1

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        *,
        rng: Rng = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, rng=rng, dtype=dtype)
        self.nonlinearity = nonlinearity
        nonlinearity_of(nonlinearity)

    def forward(self, x: Array, hx: Array | None = None) -> Array:
        """Return the next state, shape (N, hidden_size), for `x` of (N, input_size)."""
        h = self.begin(x) if hx is None else hx
        return functional.rnn_cell(x, h, *self.weights(), nonlinearity_of(self.nonlinearity))

    def extra_repr(self) -> str:
        """Return the sizes."""
        usual = self.nonlinearity == "tanh"
        return super().extra_repr() + ("" if usual else f", nonlinearity={self.nonlinearity}")


class LSTMCell(Cell):
    """One step of an LSTM; see `functional.lstm_cell`. Arguments as `RNNCell`.

    >>> import chainrule as cr
    >>> h, c = cr.nn.LSTMCell(3, 4)(cr.ones(2, 3))
    >>> h.shape, c.shape
    ((2, 4), (2, 4))
    """

    gates = 4

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        *,
        rng: Rng = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, rng=rng, dtype=dtype)

    def forward(self, x: Array, hx: tuple[Array, Array] | None = None) -> tuple[Array, Array]:
        """Return the next state and memory, each of shape (N, hidden_size)."""
        h, c = (self.begin(x), self.begin(x)) if hx is None else hx
        return functional.lstm_cell(x, h, c, *self.weights())
