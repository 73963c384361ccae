"""What the families share: shapes that come out, axes as people write them, costs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from chainrule.errors import AxisError, DTypeError, ShapeError
from chainrule.tape import Like

Axis = int | Sequence[int] | None


def broadcast(*inputs: Any, **_: Any) -> tuple[int, ...]:
    """Return the shape that the inputs' shapes broadcast to."""
    shapes = [getattr(x, "shape", ()) for x in inputs]
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        listed = " and ".join(map(str, shapes))
        raise ShapeError(
            f"shapes {listed} do not broadcast: from the right, axes must be equal or 1"
        ) from None


def same(x: Like, *_: Any, **__: Any) -> tuple[int, ...]:
    """Return the shape of the first input."""
    return x.shape


def per_element(count: int) -> Any:
    """Return a cost: so many operations for each element that comes out."""
    return lambda out, *inputs, **options: count * size(out)


def free(out: Like, *inputs: Any, **options: Any) -> int:
    """Return the cost of moving data without computing: no operations."""
    return 0


def each_input(out: Like, x: Like, *rest: Any, **options: Any) -> int:
    """Return one operation for each element of the first input."""
    return size(x)


def size(x: Any) -> int:
    """Return the number of elements of an array or `Like`."""
    return math.prod(x.shape)


def boolean(*_: Any, **__: Any) -> np.dtype:
    """Return the dtype of comparisons."""
    return np.dtype(bool)


def integer(*_: Any, **__: Any) -> np.dtype:
    """Return the dtype of indices."""
    return np.dtype(np.int64)


def one_axis(axis: Any, ndim: int) -> int:
    """Return an axis counted from the front; AxisError if there is none such."""
    try:
        place = axis.__index__()
    except AttributeError:
        raise DTypeError(f"an axis is a whole number, not {axis!r}") from None
    if not -max(ndim, 1) <= place < max(ndim, 1):
        raise AxisError(f"axis {axis} of an array with {ndim} axes; -{ndim} to {ndim - 1} exist")
    return place % max(ndim, 1)


def axes(axis: Axis, ndim: int) -> tuple[int, ...]:
    """Return axes as a tuple counted from the front; None means all of them."""
    if axis is None:
        return tuple(range(ndim))
    if not isinstance(axis, tuple | list):
        return (one_axis(axis, ndim),) if ndim else (one_axis(axis, 0),)[:0]
    found = tuple(one_axis(a, ndim) for a in axis)
    if len(set(found)) != len(found):
        raise AxisError(f"an axis appears twice in {tuple(axis)}")
    return found if ndim else ()


def reduced(x: Like, axis: Axis = None, keepdims: bool = False, **_: Any) -> tuple[int, ...]:
    """Return the shape that is left when these axes are reduced."""
    gone = axes(axis, len(x.shape))
    if keepdims:
        return tuple(1 if i in gone else n for i, n in enumerate(x.shape))
    return tuple(n for i, n in enumerate(x.shape) if i not in gone)


def kept(x: Any, axis: Axis) -> tuple[int, ...]:
    """Return the shape of a reduction with its reduced axes kept as 1."""
    return reduced(x, axis, True)


def as_shape(parts: Sequence[Any]) -> tuple[int, ...]:
    """Return a shape given as `2, 3` or as `(2, 3)`."""
    if len(parts) == 1 and not hasattr(parts[0], "__index__"):
        parts = tuple(parts[0])
    return tuple(int(n.__index__()) for n in parts)
