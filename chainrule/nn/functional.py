"""The functions behind the layers: what is computed, without anything that remembers.

>>> import chainrule as cr
>>> cr.nn.functional.mse_loss(cr.tensor([1.0, 2.0]), cr.tensor([1.0, 4.0]))
tensor(2.)
"""

from __future__ import annotations

from typing import Any

from chainrule.errors import OptionError
from chainrule.nn.losses import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    l1_loss,
    mse_loss,
    nll_loss,
)
from chainrule.ops import elementwise, index, nnops
from chainrule.ops.choices import where
from chainrule.ops.conv import conv2d
from chainrule.ops.elementwise import relu, sigmoid, tanh
from chainrule.ops.linalg import linear
from chainrule.ops.nnops import batch_norm, layer_norm, log_softmax, softmax
from chainrule.ops.pool import avg_pool2d, max_pool2d
from chainrule.ops.shape import pad
from chainrule.randomness import Rng
from chainrule.tape import Array


def dropout(x: Array, p: float = 0.5, training: bool = True, *, rng: Rng = None) -> Array:
    """Return `x` with each element zeroed with probability `p`, the others divided by `1 - p`.

    Args:
        x: Any shape.
        p: From 0 to 1.
        training: If False, `x` comes back as it is.
        rng: Where the random numbers come from; the shared generator if None.

    Raises:
        OptionError: `p` lies outside 0 to 1.
        GraphError: No generator in a static graph: one mask would then serve every run.

    >>> import chainrule as cr
    >>> cr.manual_seed(1)
    >>> cr.nn.functional.dropout(cr.ones(4), 0.5)
    tensor([0., 2., 2., 2.])
    """
    if not 0 <= p <= 1:
        raise OptionError(f"dropout: a probability lies between 0 and 1, not {p}")
    return nnops.dropout(x, p, training, rng=rng)


def softplus(x: Array, beta: float = 1.0) -> Array:
    """Return `log(1 + exp(beta x)) / beta`.

    >>> import chainrule as cr
    >>> cr.nn.functional.softplus(cr.tensor([0.0, 2.0]), beta=4.0)
    tensor([0.1733, 2.0001])
    """
    return elementwise.softplus(x) if beta == 1 else elementwise.softplus(x * beta) / beta


def embedding(x: Array, weight: Array, padding_idx: int | None = None) -> Array:
    """Return row `x[...]` of a table, for every index.

    Args:
        x: Whole numbers, any shape.
        weight: The table, shape (rows, features).
        padding_idx: A row that gets no gradient.

    Returns:
        Shape (*x.shape, features).

    >>> import chainrule as cr
    >>> cr.nn.functional.embedding(cr.tensor([1, 1]), cr.tensor([[0.0], [3.0]]))
    tensor([[3.],
            [3.]])
    """
    rows = index.embedding(x, weight)
    if padding_idx is None:
        return rows
    still = (x == padding_idx).reshape(*x.shape, 1)
    return where(still, index.embedding(x, weight.detach()), rows)


def rnn_cell(x: Array, h: Array, w_ih: Array, w_hh: Array, b_ih: Any, b_hh: Any, f: Any) -> Array:
    """Return the next state of a plain recurrent network, `f(W_ih x + b_ih + W_hh h + b_hh)`.

    Args:
        x: The input, shape (..., inputs).
        h: The state, shape (..., units).
        w_ih: Shape (units, inputs).
        w_hh: Shape (units, units).
        b_ih: Shape (units,), or None.
        b_hh: Shape (units,), or None.
        f: The nonlinearity: a function.

    >>> import chainrule as cr
    >>> one = cr.ones(1, 1)
    >>> cr.nn.functional.rnn_cell(one, one, one, one, None, None, cr.relu)
    tensor([[2.]])
    """
    return f(linear(x, w_ih, b_ih) + linear(h, w_hh, b_hh))


def lstm_cell(
    x: Array, h: Array, c: Array, w_ih: Array, w_hh: Array, b_ih: Any, b_hh: Any
) -> tuple[Array, Array]:
    """Return the next state and memory of an LSTM (Hochreiter and Schmidhuber, 1997).

    Args:
        x: The input, shape (..., inputs).
        h: The state, shape (..., units).
        c: The memory, shape (..., units).
        w_ih: Shape (4 units, inputs): for the input gate, the forget gate, the new memory and the
            output gate, in this order.
        w_hh: Shape (4 units, units).
        b_ih: Shape (4 units,), or None.
        b_hh: Shape (4 units,), or None.

    >>> import chainrule as cr
    >>> zero = cr.zeros(1, 1)
    >>> cr.nn.functional.lstm_cell(zero, zero, cr.ones(1, 1), cr.zeros(4, 1), cr.zeros(4, 1),
    ...                            None, None)
    (tensor([[0.2311]]), tensor([[0.5000]]))
    """
    return lstm_gates(linear(x, w_ih, b_ih) + linear(h, w_hh, b_hh), c)


def lstm_gates(gates: Array, c: Array) -> tuple[Array, Array]:
    """Return the next state and memory of an LSTM from the sums before its nonlinearities.

    Args:
        gates: Shape (..., 4 units): input gate, forget gate, new memory, output gate.
        c: The memory, shape (..., units).

    >>> import chainrule as cr
    >>> cr.nn.functional.lstm_gates(cr.zeros(4), cr.ones(1))
    (tensor([0.2311]), tensor([0.5000]))
    """
    n = c.shape[-1]
    opens, keeps, new, shows = (gates[..., k * n : (k + 1) * n] for k in range(4))
    c = sigmoid(keeps) * c + sigmoid(opens) * tanh(new)
    return sigmoid(shows) * tanh(c), c


__all__ = [
    "avg_pool2d",
    "batch_norm",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "conv2d",
    "cross_entropy",
    "dropout",
    "embedding",
    "l1_loss",
    "layer_norm",
    "linear",
    "log_softmax",
    "lstm_cell",
    "lstm_gates",
    "max_pool2d",
    "mse_loss",
    "nll_loss",
    "pad",
    "relu",
    "rnn_cell",
    "sigmoid",
    "softmax",
    "softplus",
    "tanh",
]
