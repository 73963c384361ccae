"""`Parameter`: a tensor that a module finds in itself and an optimizer moves."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.tape import Value, no_grad
from chainrule.tensor import Tensor


class Parameter(Tensor):
    """A leaf that requires gradients; a module that gets one as an attribute registers it.

    Args:
        data: A tensor or an array, whose memory it then shares, or numbers.
        requires_grad: False for one that is kept fixed.

    Raises:
        DTypeError: Whole numbers that should require gradients.

    >>> import chainrule as cr
    >>> cr.nn.Parameter(cr.zeros(2))
    Parameter containing:
    tensor([0., 0.], requires_grad=True)
    """

    __slots__ = ()

    def __init__(self, data: Any, requires_grad: bool = True) -> None:
        super().__init__(data, requires_grad)
        if isinstance(data, Value):
            self.cell = data.cell

    def __repr__(self) -> str:
        return f"Parameter containing:\n{super().__repr__()}"


def clear_grad(p: Any, set_to_none: bool = True) -> None:
    """Forget a gradient, or set it to zeros, which no earlier graph sees."""
    if set_to_none or p.grad is None:
        p.grad = None
    elif p.grad.requires_grad:
        p.grad = Tensor(np.zeros_like(p.grad.data))
    else:
        with no_grad():
            p.grad.zero_()


def recast(value: Any, dtype: np.dtype) -> None:
    """Turn a floating-point tensor, and its gradient, into another dtype; it stays the same one."""
    for x in (value, value.grad):
        if x is not None and x.dtype.kind == "f" and x.dtype != dtype:
            x.data = x.data.astype(dtype)
            x.cell = [0, 0, None]  # the memory is new: nobody else's
