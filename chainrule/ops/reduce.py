"""Reductions: over all axes, one, or several, with the reduced axes dropped or kept as 1.

`axis` and `dim`, `keepdims` and `keepdim` are the same. An axis may be negative.
"""

# ruff: noqa: D103  (a rule is described by the operation above it)
from __future__ import annotations

import math
from typing import Any

import numpy as np

from chainrule.ops.elementwise import exp
from chainrule.ops.shape import expand
from chainrule.ops.shared import Axis, axes, each_input, integer, kept, reduced, size
from chainrule.primitive import primitive, vjp
from chainrule.tape import Array, Like


def _reduce(ufunc: Any, x: Any, axis: Axis, keepdims: bool, **more: Any) -> Any:
    """Return the reduction of an array by a NumPy function of two numbers."""
    gone = None if axis is None else axes(axis, x.ndim)
    return ufunc.reduce(x, axis=gone, keepdims=keepdims, **more)


def _back(g: Array, x: Any, axis: Axis) -> Array:
    """Return what came out of a reduction, with its axes of length 1 again."""
    return g if axis is None or len(g.shape) == len(x.shape) else g.reshape(kept(x, axis))


def _summed(x: Like, axis: Axis = None, **_: Any) -> Any:
    return np.dtype(np.int64) if np.dtype(x.dtype).kind in "bu" else x.dtype


@primitive(shape=reduced, dtype=_summed, flops=each_input)
def sum(x: Array, /, axis: Axis = None, keepdims: bool = False) -> Array:
    """Return the sum over axes; of nothing, 0.

    >>> import chainrule as cr
    >>> cr.ones(2, 3).sum(1), cr.ones(2, 3).sum(dim=0, keepdim=True)
    (tensor([3., 3.]), tensor([[2., 2., 2.]]))
    """
    return _reduce(np.add, x, axis, keepdims)


@vjp(sum, "x")
def sum_x(g: Array, out: None, x: Like, axis: Axis, keepdims: bool) -> Array:
    return expand(_back(g, x, axis), shape=x.shape)


def _count(x: Any, axis: Axis) -> int:
    """Return how many elements are reduced to one."""
    return math.prod(x.shape if axis is None else [x.shape[i] for i in axes(axis, x.ndim)])


@primitive(shape=reduced, flops=each_input)
def mean(x: Array, /, axis: Axis = None, keepdims: bool = False) -> Array:
    """Return the mean over axes; of nothing, NaN.

    >>> import chainrule as cr
    >>> cr.tensor([[1.0, 2.0], [3.0, 4.0]]).mean(0)
    tensor([2., 3.])
    """
    if not x.size:
        return np.full(reduced(x, axis, keepdims), np.nan, x.dtype)
    return _reduce(np.add, x, axis, keepdims) / _count(x, axis)


@vjp(mean, "x")
def mean_x(g: Array, out: None, x: Like, axis: Axis, keepdims: bool) -> Array:
    return expand(_back(g, x, axis) / max_(_count(x, axis), 1), shape=x.shape)


max_ = max  # the built-in one; below, `max` is the reduction


@primitive(shape=reduced, flops=each_input)
def max(x: Array, /, axis: Axis = None, keepdims: bool = False) -> Array:
    """Return the largest element over axes (`amax`); those that tie share the gradient equally.

    Raises:
        ShapeError: There is nothing to choose from.

    >>> import chainrule as cr
    >>> x = cr.tensor([1.0, 3.0, 3.0], requires_grad=True)
    >>> x.max().backward()
    >>> x.grad
    tensor([0.0000, 0.5000, 0.5000])
    """
    return _reduce(np.maximum, x, axis, keepdims)


@primitive(shape=reduced, flops=each_input)
def min(x: Array, /, axis: Axis = None, keepdims: bool = False) -> Array:
    """Return the smallest element over axes (`amin`); those that tie share the gradient equally.

    Raises:
        ShapeError: There is nothing to choose from.

    >>> import chainrule as cr
    >>> cr.tensor([[1.0, 3.0], [0.0, 4.0]]).min(axis=1)
    tensor([1., 0.])
    """
    return _reduce(np.minimum, x, axis, keepdims)


@vjp(max, "x")
@vjp(min, "x")
def chosen_x(g: Array, out: Array, x: Array, axis: Axis, keepdims: bool) -> Array:
    chosen = x == _back(out, x, axis)
    return chosen * (_back(g, x, axis) / sum(chosen * one_like(g), axis=axis, keepdims=True))


def one_like(g: Array) -> np.ndarray:
    """Return a 1 of the dtype of `g`, which makes booleans numbers of that dtype."""
    return np.ones((), g.dtype)


@primitive(shape=reduced, flops=lambda out, x, **_: 4 * size(x))
def _variance(
    x: Array, /, axis: Axis = None, correction: float = 1, keepdims: bool = False
) -> Array:
    away = x - _reduce(np.add, x, axis, True) / max_(_count(x, axis), 1)
    total = _reduce(np.add, away * away, axis, keepdims)
    free = max_(_count(x, axis) - correction, 0)
    return total / free if free else total * np.nan


@vjp(_variance, "x")
def _variance_x(
    g: Array, out: None, x: Array, axis: Axis, correction: float, keepdims: bool
) -> Array:
    free = max_(_count(x, axis) - correction, 0)
    away = x - mean(x, axis=axis, keepdims=True)
    return _back(g, x, axis) * (2.0 / free if free else np.nan) * away


def var(
    x: Array, axis: Axis = None, correction: float = 1, keepdims: bool = False, **names: Any
) -> Array:
    """Return the variance over axes, divided by the count less `correction` (PyTorch's default: 1).

    Args:
        x: Floats of any shape.
        axis: The axes to reduce; also `dim`.
        correction: NumPy's `ddof`; PyTorch's `unbiased=False` is 0. NaN if nothing is left.
        keepdims: Keep reduced axes as 1; also `keepdim`.
        names: The other names of these arguments.

    >>> import chainrule as cr
    >>> cr.tensor([1.0, 2.0, 6.0]).var(), cr.tensor([1.0, 2.0, 6.0]).var(ddof=0)
    (tensor(7.), tensor(4.6667))
    """
    if "ddof" in names:
        correction = names.pop("ddof")
    if "unbiased" in names:
        correction = int(names.pop("unbiased"))
    return _variance(x, **{"axis": axis, "correction": correction, "keepdims": keepdims, **names})


def std(x: Array, axis: Axis = None, correction: float = 1, **names: Any) -> Array:
    """Return the standard deviation: the square root of `var`, with the same arguments.

    >>> import chainrule as cr
    >>> cr.tensor([1.0, 3.0]).std(correction=0)
    tensor(1.)
    """
    return var(x, axis, correction, **names) ** 0.5


@primitive(shape=reduced, flops=lambda out, x, **_: 12 * size(x))
def logsumexp(x: Array, /, axis: Axis = None, keepdims: bool = False) -> Array:
    """Return `log(sum(exp(x)))` over axes, for any `x` without overflow.

    >>> import chainrule as cr
    >>> cr.tensor([1000.0, 1000.0]).logsumexp(0)
    tensor(1000.6932)
    """
    top = _reduce(np.maximum, x, axis, True, initial=-np.inf)
    top = np.where(np.isfinite(top), top, np.zeros((), x.dtype)) if x.dtype.kind == "f" else top
    total = _reduce(np.add, np.exp(x - top), axis, keepdims)
    with np.errstate(divide="ignore"):
        return np.log(total) + top.reshape(np.shape(total))


@vjp(logsumexp, "x")
def logsumexp_x(g: Array, out: Array, x: Array, axis: Axis, keepdims: bool) -> Array:
    return _back(g, x, axis) * exp(x - _back(out, x, axis))


@primitive(shape=reduced, dtype=integer, flops=each_input)
def argmax(x: Array, /, axis: int | None = None, keepdims: bool = False) -> Array:
    """Return the place of the largest element along an axis (the first if several), or of all.

    >>> import chainrule as cr
    >>> cr.tensor([[1.0, 3.0], [4.0, 0.0]]).argmax(1)
    tensor([1, 0])
    """
    return np.argmax(x, axis=axis, keepdims=keepdims)


@primitive(shape=reduced, dtype=integer, flops=each_input)
def argmin(x: Array, /, axis: int | None = None, keepdims: bool = False) -> Array:
    """Return the place of the smallest element along an axis (the first if several), or of all.

    >>> import chainrule as cr
    >>> cr.tensor([[1.0, 3.0], [4.0, 0.0]]).argmin(1)
    tensor([0, 1])
    """
    return np.argmin(x, axis=axis, keepdims=keepdims)
