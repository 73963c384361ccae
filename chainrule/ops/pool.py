"""Pooling: one number for each window of an image, the largest or the mean.

All windows are looked at together, one place of the window after the other: with a window of two by
two, that makes four views of the image.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from chainrule.errors import DTypeError, ShapeError
from chainrule.ops.conv import Pair, counts, pair
from chainrule.ops.shape import pad
from chainrule.ops.shared import size
from chainrule.primitive import primitive, vjp
from chainrule.tape import Array, Like

NEXT = (1, 1)  # no dilation: a window's elements are neighbors


def offsets(x: np.ndarray, kernel: Any, stride: Any, dilation: Any = NEXT) -> Iterator[np.ndarray]:
    """Give, for each place of a window, the view of what all windows have there."""
    high, wide = counts(x.shape, kernel, stride, (0, 0), dilation)
    for row, column in np.ndindex(*kernel):
        top, left = row * dilation[0], column * dilation[1]
        down = slice(top, top + stride[0] * (high - 1) + 1, stride[0])
        yield x[:, :, down, left : left + stride[1] * (wide - 1) + 1 : stride[1]]


def _given(g: Like, shape: tuple[int, ...], **_: Any) -> tuple[int, ...]:
    return shape


def _pooled(x: Like, kernel: Any, stride: Any, dilation: Any = NEXT) -> tuple[int, ...]:
    return (*x.shape[:2], *counts(x.shape, kernel, stride, (0, 0), dilation))


@primitive(shape=_pooled, flops=lambda out, x, kernel, **_: size(out) * kernel[0] * kernel[1])
def _max_pool(x: Array, /, kernel: Any = (), stride: Any = (), dilation: Any = NEXT) -> Array:
    out = np.empty_like(next(offsets(x, kernel, stride, dilation)))
    max_pool_into(x, out, kernel, stride, dilation)
    return out


def max_pool_into(
    x: np.ndarray, out: np.ndarray, kernel: Any, stride: Any, dilation: Any = NEXT
) -> None:
    """Write the largest element of each window to `out`."""
    views = offsets(x, kernel, stride, dilation)
    np.copyto(out, next(views))
    for view in views:
        np.maximum(out, view, out=out)


@vjp(_max_pool, "x")
def _max_pool_x(g: Array, out: Array, x: Array, **how: Any) -> Array:
    return _to_largest(g, out, x, **how)


def _largest(x: np.ndarray, out: np.ndarray, how: Any) -> Iterator[np.ndarray]:
    """Give, for each place of a window, the windows whose first largest element stands there."""
    still = np.ones_like(out, bool)
    for view in offsets(x, **how):
        here = (view == out) & still
        still ^= here
        yield here


@primitive(shape=lambda g, out, x, **how: x.shape, flops=lambda out, g, *_, **__: 3 * size(out))
def _to_largest(
    g: Array, out: Array, x: Array, /, kernel: Any = (), stride: Any = (), dilation: Any = NEXT
) -> Array:
    """Return zeros like `x`, with `g` added at the first largest element of each window."""
    total = np.empty_like(x, g.dtype)
    to_largest_into(g, out, x, total, kernel, stride, dilation)
    return total


def to_largest_into(
    g: np.ndarray,
    out: np.ndarray,
    x: np.ndarray,
    total: np.ndarray,
    kernel: Any,
    stride: Any,
    dilation: Any = NEXT,
) -> None:
    """Write `g` at the first largest element of each window to `total`, and zeros elsewhere."""
    how = {"kernel": kernel, "stride": stride, "dilation": dilation}
    total.fill(0)
    if g.strides != out.strides:  # as they lie in memory, or every window is a jump
        turned = np.empty_like(out, g.dtype)
        np.copyto(turned, g)
        g = turned
    targets = offsets(total, **how)
    apart = all(s > d * (k - 1) for s, d, k in zip(stride, dilation, kernel, strict=True))
    for here, target in zip(_largest(x, out, how), targets, strict=True):
        if apart:  # each place belongs to one window
            np.multiply(g, here, out=target)
        else:
            target += g * here


@vjp(_to_largest, "g")
def _to_largest_g(u: Array, out: None, g: None, pooled: Array, x: Array, **how: Any) -> Array:
    return _from_largest(u, pooled, x, **how)


@primitive(shape=lambda g, out, x, **how: out.shape, flops=lambda out, g, *_, **__: 3 * size(g))
def _from_largest(
    g: Array, out: Array, x: Array, /, kernel: Any = (), stride: Any = (), dilation: Any = NEXT
) -> Array:
    """Return what `g` has at the first largest element of each window of `x`."""
    how = {"kernel": kernel, "stride": stride, "dilation": dilation}
    total = np.zeros_like(out, g.dtype)
    sources = offsets(g, **how)
    for here, source in zip(_largest(x, out, how), sources, strict=True):
        total += source * here
    return total


@vjp(_from_largest, "g")
def _from_largest_g(u: Array, out: None, g: None, pooled: Array, x: Array, **how: Any) -> Array:
    return _to_largest(u, pooled, x, **how)


@primitive(shape=_pooled, flops=lambda out, x, kernel, **_: size(out) * kernel[0] * kernel[1])
def _sum_pool(x: Array, /, kernel: Any = (), stride: Any = ()) -> Array:
    views = offsets(x, kernel, stride)
    out = next(views).copy("K")
    for view in views:
        out += view
    return out


@vjp(_sum_pool, "x")
def _sum_pool_x(g: Array, out: None, x: Like, **how: Any) -> Array:
    return _spread(g, shape=x.shape, **how)


@primitive(shape=_given, flops=lambda out, g, kernel, **_: size(g) * kernel[0] * kernel[1])
def _spread(
    g: Array,
    /,
    shape: tuple[int, ...] = (),
    kernel: Any = (),
    stride: Any = (),
) -> Array:
    """Return images of a shape, with `g` added everywhere in its window."""
    total = np.zeros(shape, g.dtype)
    for target in offsets(total, kernel, stride):
        target += g
    return total


@vjp(_spread, "g")
def _spread_g(u: Array, out: None, g: None, shape: Any, **how: Any) -> Array:
    return _sum_pool(u, **how)


def _bordered(name: str, x: Array, kernel: Pair, padding: Pair, fill: float) -> Array:
    """Return images with their padding, which is at most half of a window."""
    if len(x.shape) != 4:
        raise ShapeError(f"{name}: images have shape (N, C, H, W), not {tuple(x.shape)}")
    if np.dtype(x.dtype).kind != "f":
        raise DTypeError(f"{name}: floats are needed, not {x.dtype}")
    (high, wide), (down, across) = pair(kernel, "kernel_size"), pair(padding, "padding", 0)
    if 2 * down > high or 2 * across > wide:
        raise ShapeError(f"{name}: padding {padding} is more than half of kernel {kernel}")
    if not down and not across:
        return x
    return pad(x, ((0, 0), (0, 0), (down, down), (across, across)), fill)


def max_pool2d(
    x: Array, kernel_size: Pair, stride: Any = None, padding: Pair = 0, dilation: Pair = 1
) -> Array:
    """Return the largest element of each window; if several tie, the first gets the gradient.

    Args:
        x: Images, shape (N, C, H, W).
        kernel_size: Height and width of a window, or one number for both.
        stride: How far apart windows are; by default they touch.
        padding: Rows and columns of minus infinity on each side.
        dilation: How far apart the elements of a window are.

    Raises:
        ShapeError: No window fits, or the padding is more than half of one.

    >>> import chainrule as cr
    >>> cr.max_pool2d(cr.arange(16.0).reshape(1, 1, 4, 4), 2)
    tensor([[[[ 5.,  7.],
              [13., 15.]]]])
    """
    kernel, apart = pair(kernel_size, "kernel_size"), pair(dilation, "dilation")
    x = _bordered("max_pool2d", x, kernel, padding, -np.inf)
    steps = pair(kernel if stride is None else stride, "stride")
    return _max_pool(x, kernel=kernel, stride=steps, dilation=apart)


def avg_pool2d(
    x: Array,
    kernel_size: Pair,
    stride: Any = None,
    padding: Pair = 0,
    count_include_pad: bool = True,
) -> Array:
    """Return the mean of each window.

    Args:
        x: Images, shape (N, C, H, W).
        kernel_size: Height and width of a window, or one number for both.
        stride: How far apart windows are; by default they touch.
        padding: Rows and columns of zeros on each side.
        count_include_pad: Whether the mean counts these zeros, or leaves them out.

    Raises:
        ShapeError: No window fits, or the padding is more than half of one.

    >>> import chainrule as cr
    >>> cr.avg_pool2d(cr.arange(16.0).reshape(1, 1, 4, 4), 2)
    tensor([[[[ 2.5000,  4.5000],
              [10.5000, 12.5000]]]])
    """
    kernel = pair(kernel_size, "kernel_size")
    how = {"kernel": kernel, "stride": pair(kernel if stride is None else stride, "stride")}
    sums = _sum_pool(_bordered("avg_pool2d", x, kernel, padding, 0.0), **how)
    if count_include_pad:
        return sums / (kernel[0] * kernel[1])
    ones = np.ones((1, 1, *x.shape[2:]), x.dtype)
    return sums / _sum_pool(_bordered("avg_pool2d", ones, kernel, padding, 0.0), **how)
