"""Choices and comparisons, elementwise; and `cast`, which changes the dtype.

Shapes broadcast. Rules are written as if nothing had been copied (`sweep.fit` sums afterwards).
"""

# ruff: noqa: D103  (a rule is described by the operation above it)
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.dtypes import FLOAT64, result_type
from chainrule.ops.shared import boolean, broadcast, free, per_element, same
from chainrule.primitive import primitive, vjp
from chainrule.tape import Array, Like


def _named(x: Like, dtype: Any) -> np.dtype:
    return np.dtype(dtype)


@primitive(shape=same, flops=free, dtype=_named)
def cast(x: Array, /, dtype: Any = None) -> Array:
    """Return `x` in another dtype; the gradient comes back in the dtype of `x`.

    >>> import chainrule as cr
    >>> cr.cast(cr.tensor([1, 2]), "float64").dtype
    dtype('float64')
    """
    return np.asarray(x).astype(dtype)


@vjp(cast, "x")
def cast_x(g: Array, out: None, x: Like, dtype: Any) -> Array:
    return cast(g, dtype=x.dtype)


def _chosen(condition: Like, x: Any, y: Any) -> np.dtype:
    return result_type(x, y)


@primitive(shape=broadcast, dtype=_chosen)
def where(condition: Array, x: Array, y: Array, /) -> Array:
    """Return `x` where the condition holds and `y` elsewhere.

    A gradient reaches only what was chosen, even if the other is infinite. The dtype is that in
    which `x` and `y` meet (`result_type`), whatever that of the condition: beside an array a Python
    number takes the array's, and two Python floats make the default dtype, as in `tensor`.

    >>> import chainrule as cr
    >>> cr.where(cr.tensor([True, False]), 1.0, cr.tensor([5.0, 6.0]))
    tensor([1., 6.])
    >>> cr.where(cr.tensor([True, False]), 1.0, -1.0).dtype
    dtype('float32')
    """
    out: Any = np.where(condition, x, y)
    if out.dtype is FLOAT64 and not (_is_float64(x) and _is_float64(y)):
        return out.astype(result_type(x, y), copy=False)
    return out


def _is_float64(x: Any) -> bool:
    return getattr(x, "dtype", None) is FLOAT64


@vjp(where, "x")
def where_x(g: Array, out: None, condition: Array, x: None, y: None) -> Array:
    return where(condition, g, zero_like(g))


@vjp(where, "y")
def where_y(g: Array, out: None, condition: Array, x: None, y: None) -> Array:
    return where(condition, zero_like(g), g)


def zero_like(g: Any) -> np.ndarray:
    """Return one 0 of the dtype of `g`: a Python 0 would lose it where `np.where` chooses."""
    return np.zeros((), g.dtype)


@primitive(shape=broadcast)
def maximum(x: Array, y: Array, /) -> Array:
    """Return the larger of each pair; where they tie, each gets half of the gradient.

    >>> import chainrule as cr
    >>> cr.maximum(cr.tensor([1.0, 5.0]), 3.0)
    tensor([3., 5.])
    """
    return np.maximum(x, y)


@vjp(maximum, "x")
def maximum_x(g: Array, out: None, x: Array, y: Array) -> Array:
    return g * share(x, y, greater)


@vjp(maximum, "y")
def maximum_y(g: Array, out: None, x: Array, y: Array) -> Array:
    return g * share(y, x, greater)


@primitive(shape=broadcast)
def minimum(x: Array, y: Array, /) -> Array:
    """Return the smaller of each pair; where they tie, each gets half of the gradient.

    >>> import chainrule as cr
    >>> cr.minimum(cr.tensor([1.0, 5.0]), 3.0)
    tensor([1., 3.])
    """
    return np.minimum(x, y)


@vjp(minimum, "x")
def minimum_x(g: Array, out: None, x: Array, y: Array) -> Array:
    return g * share(x, y, less)


@vjp(minimum, "y")
def minimum_y(g: Array, out: None, x: Array, y: Array) -> Array:
    return g * share(y, x, less)


def share(mine: Array, other: Array, wins: Callable[..., Array]) -> Array:
    """Return the part of the gradient that `mine` gets: 1 where it wins, a half where they tie."""
    dtype = getattr(mine, "dtype", None) or other.dtype
    return cast(wins(mine, other), dtype=dtype) + 0.5 * cast(equal(mine, other), dtype=dtype)


@primitive(shape=same, flops=per_element(2))
def _clip(x: Array, /, min: float | None = None, max: float | None = None) -> Array:
    return np.clip(x, min, max)


@vjp(_clip, "x")
def _clip_x(g: Array, out: None, x: Array, min: float | None, max: float | None) -> Array:
    inside: Any = True
    if min is not None:
        inside = x >= min
    if max is not None:
        inside = (x <= max) & inside
    return g * inside


def clip(x: Array, min: Any = None, max: Any = None) -> Array:
    """Return `x` with what lies outside `[min, max]` moved to the nearer end (`clamp`).

    The gradient of `x` is 1 inside, ends included, and 0 outside, where it goes to the end.

    Args:
        x: Any shape.
        min: A number, an array that broadcasts with `x`, or None for no end.
        max: The same; where `min` is larger than `max`, the result is `max`.

    >>> import chainrule as cr
    >>> cr.clip(cr.tensor([-2.0, 0.5, 2.0]), -1, 1)
    tensor([-1.0000,  0.5000,  1.0000])
    >>> cr.clip(cr.tensor([-2.0, 0.5, 2.0]), max=cr.tensor([0.0, 0.0, 3.0]))
    tensor([-2.,  0.,  2.])
    """
    if not hasattr(min, "shape") and not hasattr(max, "shape"):
        return _clip(x, min=min, max=max)
    if min is not None:
        x = where(less(x, min), min, x)
    return x if max is None else where(greater(x, max), max, x)


@primitive(shape=same)
def sign(x: Array, /) -> Array:
    """Return -1, 0 or 1; no gradient.

    >>> import chainrule as cr
    >>> cr.sign(cr.tensor([-3.0, 0.0, 2.0]))
    tensor([-1.,  0.,  1.])
    """
    return np.sign(x)


# ------------------------------------------------------------------------------------ comparisons


@primitive(shape=broadcast, dtype=boolean)
def equal(x: Array, y: Array, /) -> Array:
    """Return whether `x == y`, as booleans; comparisons have no gradient.

    >>> import chainrule as cr
    >>> cr.tensor([1.0, 2.0]) == 2
    tensor([False,  True])
    """
    return np.equal(x, y)


@primitive(shape=broadcast, dtype=boolean)
def not_equal(x: Array, y: Array, /) -> Array:
    """Return whether `x != y`.

    >>> import chainrule as cr
    >>> cr.tensor([1.0, 2.0]) != 2
    tensor([ True, False])
    """
    return np.not_equal(x, y)


@primitive(shape=broadcast, dtype=boolean)
def less(x: Array, y: Array, /) -> Array:
    """Return whether `x < y`.

    >>> import chainrule as cr
    >>> cr.tensor([1.0, 2.0]) < 2
    tensor([ True, False])
    """
    return np.less(x, y)


@primitive(shape=broadcast, dtype=boolean)
def less_equal(x: Array, y: Array, /) -> Array:
    """Return whether `x <= y`.

    >>> import chainrule as cr
    >>> cr.tensor([1.0, 2.0]) <= 2
    tensor([ True,  True])
    """
    return np.less_equal(x, y)


@primitive(shape=broadcast, dtype=boolean)
def greater(x: Array, y: Array, /) -> Array:
    """Return whether `x > y`.

    >>> import chainrule as cr
    >>> cr.tensor([1.0, 2.0]) > 1
    tensor([False,  True])
    """
    return np.greater(x, y)


@primitive(shape=broadcast, dtype=boolean)
def greater_equal(x: Array, y: Array, /) -> Array:
    """Return whether `x >= y`.

    >>> import chainrule as cr
    >>> cr.tensor([1.0, 2.0]) >= 1
    tensor([ True,  True])
    """
    return np.greater_equal(x, y)


@primitive(shape=broadcast, dtype=boolean)
def logical_and(x: Array, y: Array, /) -> Array:
    """Return whether both hold.

    >>> import chainrule as cr
    >>> cr.logical_and(cr.tensor([True, True]), cr.tensor([True, False]))
    tensor([ True, False])
    """
    return np.logical_and(x, y)


@primitive(shape=broadcast, dtype=boolean)
def logical_or(x: Array, y: Array, /) -> Array:
    """Return whether one of the two holds.

    >>> import chainrule as cr
    >>> cr.logical_or(cr.tensor([True, False]), cr.tensor([False, False]))
    tensor([ True, False])
    """
    return np.logical_or(x, y)


@primitive(shape=same, dtype=boolean)
def logical_not(x: Array, /) -> Array:
    """Return whether it does not hold.

    >>> import chainrule as cr
    >>> ~cr.tensor([True, False])
    tensor([False,  True])
    """
    return np.logical_not(x)
