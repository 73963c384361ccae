"""Initial values: functions that fill a tensor in place and return it.

Each takes `rng`, a NumPy generator; without one it draws from the shared generator that
`chainrule.manual_seed` sets. Nothing here is recorded.

>>> import chainrule as cr
>>> import numpy as np
>>> w = cr.nn.Parameter(cr.zeros(2, 3))
>>> cr.nn.init.uniform_(w, -1, 1, rng=np.random.default_rng(0))
Parameter containing:
tensor([[ 0.2739, -0.4604, -0.9181],
        [-0.9669,  0.6265,  0.8255]], requires_grad=True)
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.errors import OptionError, ShapeError
from chainrule.randomness import Rng, generator
from chainrule.tape import note_change

#: How much each nonlinearity shrinks what passes it, so how much wider weights before it should be.
GAINS: dict[str, Callable[[float | None], float]] = {
    "linear": lambda a: 1.0,
    "conv2d": lambda a: 1.0,
    "sigmoid": lambda a: 1.0,
    "tanh": lambda a: 5 / 3,
    "relu": lambda a: math.sqrt(2),
    "leaky_relu": lambda a: math.sqrt(2 / (1 + (0.01 if a is None else a) ** 2)),
    "selu": lambda a: 3 / 4,
}


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """Return the gain of a nonlinearity.

    Args:
        nonlinearity: One of `GAINS`.
        param: The slope left of 0 of "leaky_relu"; 0.01 if None.

    Raises:
        OptionError: There is no such nonlinearity here.

    >>> import chainrule as cr
    >>> cr.nn.init.calculate_gain("tanh") * 3
    5.0
    """
    if nonlinearity not in GAINS:
        raise OptionError(f"no gain is known for {nonlinearity!r}; for {', '.join(GAINS)} one is")
    return GAINS[nonlinearity](param)


def fans(tensor: Any) -> tuple[int, int]:
    """Return how many numbers meet in each output, and how many outputs each number goes to.

    Raises:
        ShapeError: The tensor has less than two axes.

    >>> import chainrule as cr
    >>> cr.nn.init.fans(cr.zeros(4, 3, 5, 5))
    (75, 100)
    """
    if len(tensor.shape) < 2:
        raise ShapeError(f"fan in and fan out need two axes at least, not shape {tensor.shape}")
    window = math.prod(tensor.shape[2:])
    return tensor.shape[1] * window, tensor.shape[0] * window


def fill(tensor: Any, values: Any) -> Any:
    """Write values into a tensor, unrecorded, and return it."""
    tensor.data[...] = values
    note_change(tensor.cell)
    return tensor


def constant_(tensor: Any, value: float) -> Any:
    """Fill with one number.

    >>> import chainrule as cr
    >>> cr.nn.init.constant_(cr.zeros(2), 0.5)
    tensor([0.5000, 0.5000])
    """
    return fill(tensor, value)


def zeros_(tensor: Any) -> Any:
    """Fill with zeros.

    >>> import chainrule as cr
    >>> cr.nn.init.zeros_(cr.ones(2))
    tensor([0., 0.])
    """
    return fill(tensor, 0)


def ones_(tensor: Any) -> Any:
    """Fill with ones.

    >>> import chainrule as cr
    >>> cr.nn.init.ones_(cr.zeros(2))
    tensor([1., 1.])
    """
    return fill(tensor, 1)


def uniform_(tensor: Any, a: float = 0.0, b: float = 1.0, *, rng: Rng = None) -> Any:
    """Fill with numbers drawn evenly from a to b.

    >>> import chainrule as cr
    >>> import numpy as np
    >>> cr.nn.init.uniform_(cr.zeros(2), rng=np.random.default_rng(0))
    tensor([0.6370, 0.2698])
    """
    return fill(tensor, generator(rng).uniform(a, b, tensor.shape))


def normal_(tensor: Any, mean: float = 0.0, std: float = 1.0, *, rng: Rng = None) -> Any:
    """Fill with normal random numbers.

    >>> import chainrule as cr
    >>> import numpy as np
    >>> cr.nn.init.normal_(cr.zeros(2), std=10.0, rng=np.random.default_rng(0))
    tensor([ 1.2573, -1.3210])
    """
    return fill(tensor, generator(rng).normal(mean, std, tensor.shape))


def xavier_uniform_(tensor: Any, gain: float = 1.0, *, rng: Rng = None) -> Any:
    """Fill evenly from -a to a, a = gain sqrt(6 / (fan in + fan out)) (Glorot and Bengio, 2010).

    >>> import chainrule as cr
    >>> import numpy as np
    >>> cr.nn.init.xavier_uniform_(cr.zeros(1, 2), rng=np.random.default_rng(0))
    tensor([[ 0.3874, -0.6511]])
    """
    bound = gain * math.sqrt(6 / sum(fans(tensor)))
    return uniform_(tensor, -bound, bound, rng=rng)


def xavier_normal_(tensor: Any, gain: float = 1.0, *, rng: Rng = None) -> Any:
    """Fill with normal numbers of deviation gain sqrt(2 / (fan in + fan out)).

    >>> import chainrule as cr
    >>> import numpy as np
    >>> cr.nn.init.xavier_normal_(cr.zeros(1, 2), rng=np.random.default_rng(0))
    tensor([[ 0.1027, -0.1079]])
    """
    return normal_(tensor, 0.0, gain * math.sqrt(2 / sum(fans(tensor))), rng=rng)


def _kaiming(tensor: Any, a: float, mode: str, nonlinearity: str) -> float:
    """Return the deviation that keeps the size of what passes (He and others, 2015)."""
    if mode not in ("fan_in", "fan_out"):
        raise OptionError(f"mode is 'fan_in' or 'fan_out', not {mode!r}")
    return calculate_gain(nonlinearity, a) / math.sqrt(fans(tensor)[mode == "fan_out"])


def kaiming_uniform_(
    tensor: Any,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    *,
    rng: Rng = None,
) -> Any:
    """Fill evenly, with deviation gain / sqrt(fan).

    Args:
        tensor: At least two axes.
        a: The slope left of 0 of a leaky ReLU that follows.
        mode: "fan_in" keeps sizes on the way forward, "fan_out" on the way back.
        nonlinearity: What follows.
        rng: Where the numbers come from.

    >>> import chainrule as cr
    >>> import numpy as np
    >>> cr.nn.init.kaiming_uniform_(cr.zeros(1, 6), rng=np.random.default_rng(0))[0, :2]
    tensor([ 0.2739, -0.4604])
    """
    bound = math.sqrt(3) * _kaiming(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, rng=rng)


def kaiming_normal_(
    tensor: Any,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    *,
    rng: Rng = None,
) -> Any:
    """Fill with normal numbers of deviation gain / sqrt(fan); arguments as `kaiming_uniform_`.

    >>> import chainrule as cr
    >>> import numpy as np
    >>> cr.nn.init.kaiming_normal_(cr.zeros(1, 2), rng=np.random.default_rng(0))
    tensor([[ 0.1257, -0.1321]])
    """
    return normal_(tensor, 0.0, _kaiming(tensor, a, mode, nonlinearity), rng=rng)


def orthogonal_(tensor: Any, gain: float = 1.0, *, rng: Rng = None) -> Any:
    """Fill with rows (columns, if there are fewer) at right angles to each other, of length gain.

    The axes after the first are taken as one (Saxe and others, 2013).

    >>> import chainrule as cr
    >>> import numpy as np
    >>> q = cr.nn.init.orthogonal_(cr.zeros(2, 3), rng=np.random.default_rng(0))
    >>> bool(np.allclose((q @ q.T).data, np.eye(2), atol=1e-6))
    True
    """
    fans(tensor)  # refuses less than two axes
    rows, columns = len(tensor.data), math.prod(tensor.shape[1:])
    drawn = generator(rng).normal(size=(max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(drawn)
    q = q * np.sign(np.diag(r))  # without it, q would not be evenly spread
    return fill(tensor, gain * (q.T if rows < columns else q).reshape(tensor.shape))
