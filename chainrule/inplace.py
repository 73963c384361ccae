"""In-place changes: what is allowed, how it is recorded, how a later error finds out.

A change under `no_grad` writes into the memory and counts up the version that all views share. A
change that is recorded makes the tensor the result of the operation, as if it were a new one. What
could give a wrong gradient is refused: a leaf that requires gradients, a view, a tensor with views.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.errors import InPlaceError, ShapeError
from chainrule.ops import choices, elementwise, index
from chainrule.tape import MODE, TRACE, VIEWS, Value, note_change, wrap_made


def change(
    x: Any, name: str, new: Callable[..., Any], write: Callable[..., Any], *other: Any
) -> Any:
    """Change a tensor in place and return it.

    Args:
        x: The tensor.
        name: What the change is called, for messages.
        new: The operation of the table whose result the tensor becomes.
        write: The same on arrays, in place.
        other: What else the operation takes.
    """
    recorded = MODE.recording and (
        x.requires_grad or any(isinstance(o, Value) and o.requires_grad for o in other)
    )
    if recorded:
        refuse(x, name)
        before = wrap_made(x.data.copy(), x.node)
        result = new(before, *[before if o is x else o for o in other])
        if result.data.shape != x.data.shape:
            raise ShapeError(
                f"{name}: a result of shape {result.shape} does not fit {x.data.shape}"
            )
        np.copyto(x.data, result.data, casting="same_kind")
        if TRACE:
            TRACE[-1].rename(x, result)
        x.node, x.requires_grad = result.node, result.requires_grad
    elif TRACE:
        TRACE[-1].change(x, new(x, *other))
    else:
        try:
            write(x.data, *[o.data if isinstance(o, Value) else o for o in other])
        except ValueError as error:
            raise ShapeError(f"{name}: {error}") from None
    note_change(x.cell)
    return x


def refuse(x: Any, name: str) -> None:
    """Raise InPlaceError if this recorded change could make a gradient wrong."""
    if x.requires_grad and x.node is None:
        raise InPlaceError(
            f"{name}: a leaf that requires gradients cannot be changed in place while recording; "
            "do it inside no_grad()"
        )
    views = [v() for v in x.cell[VIEWS] or ()]
    if x.node is not None and x.node.op.view and x.cell[VIEWS]:
        raise InPlaceError(
            f"{name}: this tensor is a view, {x.node}; change the tensor that it was taken from, "
            "with x[...] = value, or a clone"
        )
    if any(v is not None and v is not x for v in views):
        raise InPlaceError(
            f"{name}: a view of this tensor is still in use, and its gradient would be wrong; "
            "change a clone"
        )


def _assign(x: np.ndarray, value: Any) -> None:
    x[...] = value


def _replaced(x: Any, value: Any) -> Any:
    return index._setitem(x, value, key=...)


def _plus(x: Any, other: Any, alpha: float) -> Any:
    return x + other * alpha


def _add_scaled(x: np.ndarray, other: Any, alpha: float) -> None:
    """Add `alpha * other`, a piece at a time: the product then never leaves the cache."""
    whole = isinstance(other, np.ndarray) and other.shape == x.shape and x.size > PIECE
    if not (whole and x.flags.c_contiguous and other.flags.c_contiguous):
        x += other * alpha
        return
    x, other = x.reshape(-1), other.reshape(-1)
    for i in range(0, x.size, PIECE):
        x[i : i + PIECE] += other[i : i + PIECE] * alpha


PIECE = 16384  # numbers


class InPlace:
    """The methods that change a tensor; each returns it."""

    __slots__ = ()

    def add_(self, other: Any, alpha: float = 1) -> Any:
        """Add `alpha * other`."""
        if alpha == 1:
            return change(self, "add_", elementwise.add, operator.iadd, other)
        return change(self, "add_", _plus, _add_scaled, other, alpha)

    def sub_(self, other: Any, alpha: float = 1) -> Any:
        """Subtract `alpha * other`."""
        if alpha == 1:
            return change(self, "sub_", elementwise.subtract, operator.isub, other)
        return self.add_(other, -alpha)

    def mul_(self, other: Any) -> Any:
        """Multiply by `other`."""
        return change(self, "mul_", elementwise.multiply, operator.imul, other)

    def div_(self, other: Any) -> Any:
        """Divide by `other`."""
        return change(self, "div_", elementwise.divide, operator.itruediv, other)

    def clip_(self, min: float | None = None, max: float | None = None) -> Any:
        """Move what lies outside `[min, max]` to the nearer end (`clamp_`)."""

        def write(x: np.ndarray) -> None:
            np.clip(x, min, max, out=x)

        return change(self, "clip_", lambda x: choices.clip(x, min=min, max=max), write)

    clamp_ = clip_

    def copy_(self, other: Any) -> Any:
        """Take over the values of `other`, which broadcasts."""
        return change(self, "copy_", _replaced, _assign, other)

    def fill_(self, value: float) -> Any:
        """Set every element to one number."""
        return self.copy_(value)

    def zero_(self) -> Any:
        """Set every element to 0."""
        return self.copy_(0)

    __iadd__ = add_
    __isub__ = sub_
    __imul__ = mul_
    __itruediv__ = div_

    def __setitem__(self, key: Any, value: Any) -> None:
        key = index.plain_key(key)

        def new(x: Any, value: Any) -> Any:
            return index._setitem(x, value, key=key)

        def write(x: np.ndarray, value: Any) -> None:
            x[key] = value

        change(self, "x[...] = value", new, write, value)
