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

HERE = (0, 0), (1, 1)  # no padding, no dilation


def offsets(x: np.ndarray, kernel: Any, stride: Any) -> Iterator[np.ndarray]:
    """Give, for each place of a window, the view of what all windows have there."""
    high, wide = counts(x.shape, kernel, stride, *HERE)
    for top, left in np.ndindex(*kernel):
        down = slice(top, top + stride[0] * (high - 1) + 1, stride[0])
        yield x[:, :, down, left : left + stride[1] * (wide - 1) + 1 : stride[1]]


def _given(g: Like, shape: tuple[int, ...], **_: Any) -> tuple[int, ...]:
    return shape


def _pooled(x: Like, kernel: Any, stride: Any) -> tuple[int, ...]:
    return (*x.shape[:2], *counts(x.shape, kernel, stride, *HERE))


@primitive(shape=_pooled, flops=lambda out, x, kernel, **_: size(out) * kernel[0] * kernel[1])
def _max_pool(x: Array, /, kernel: Any = (), stride: Any = ()) -> Array:
    views = offsets(x, kernel, stride)
    out = next(views).copy("K")
    for view in views:
        np.maximum(out, view, out=out)
    return out


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
def _to_largest(g: Array, out: Array, x: Array, /, kernel: Any = (), stride: Any = ()) -> Array:
    """Return zeros like `x`, with `g` added at the first largest element of each window."""
    how = {"kernel": kernel, "stride": stride}
    total = np.zeros_like(x, g.dtype)
    targets = offsets(total, **how)
    apart = stride[0] >= kernel[0] and stride[1] >= kernel[1]
    for here, target in zip(_largest(x, out, how), targets, strict=True):
        if apart:  # each place belongs to one window
            np.multiply(g, here, out=target)
        else:
            target += g * here
    return total


@vjp(_to_largest, "g")
def _to_largest_g(u: Array, out: None, g: None, pooled: Array, x: Array, **how: Any) -> Array:
    return _from_largest(u, pooled, x, **how)


@primitive(shape=lambda g, out, x, **how: out.shape, flops=lambda out, g, *_, **__: 3 * size(g))
def _from_largest(g: Array, out: Array, x: Array, /, kernel: Any = (), stride: Any = ()) -> Array:
    """Return what `g` has at the first largest element of each window of `x`."""
    how = {"kernel": kernel, "stride": stride}
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


def _pool(pool: Any, x: Array, kernel_size: Pair, stride: Any, padding: Pair, fill: float) -> Array:
    """Pad, then pool; `stride` is the kernel's size unless it is given."""
    name = "max_pool2d" if pool is _max_pool else "avg_pool2d"
    if len(x.shape) != 4:
        raise ShapeError(f"{name}: images have shape (N, C, H, W), not {tuple(x.shape)}")
    if np.dtype(x.dtype).kind != "f":
        raise DTypeError(f"{name}: floats are needed, not {x.dtype}")
    kernel = pair(kernel_size, "kernel_size")
    down, across = pair(padding, "padding", 0)
    if 2 * down > kernel[0] or 2 * across > kernel[1]:
        raise ShapeError(f"{name}: padding {padding} is more than half of kernel {kernel}")
    if down or across:
        x = pad(x, ((0, 0), (0, 0), (down, down), (across, across)), fill)
    return pool(x, kernel=kernel, stride=pair(kernel if stride is None else stride, "stride"))


def max_pool2d(x: Array, kernel_size: Pair, stride: Pair | None = None, padding: Pair = 0) -> Array:
    """Return the largest element of each window; if several tie, the first gets the gradient.

    Args:
        x: Images, shape (N, C, H, W).
        kernel_size: Height and width of a window, or one number for both.
        stride: How far apart windows are; by default they touch.
        padding: Rows and columns of minus infinity on each side.

    Raises:
        ShapeError: No window fits, or the padding is more than half of one.

    >>> import chainrule as cr
    >>> cr.max_pool2d(cr.arange(16.0).reshape(1, 1, 4, 4), 2)
    tensor([[[[ 5.,  7.],
              [13., 15.]]]])
    """
    return _pool(_max_pool, x, kernel_size, stride, padding, -np.inf)


def avg_pool2d(x: Array, kernel_size: Pair, stride: Pair | None = None, padding: Pair = 0) -> Array:
    """Return the mean of each window; padding counts as zeros.

    Args:
        x: Images, shape (N, C, H, W).
        kernel_size: Height and width of a window, or one number for both.
        stride: How far apart windows are; by default they touch.
        padding: Rows and columns of zeros on each side.

    Raises:
        ShapeError: No window fits, or the padding is more than half of one.

    >>> import chainrule as cr
    >>> cr.avg_pool2d(cr.arange(16.0).reshape(1, 1, 4, 4), 2)
    tensor([[[[ 2.5000,  4.5000],
              [10.5000, 12.5000]]]])
    """
    high, wide = pair(kernel_size, "kernel_size")
    return _pool(_sum_pool, x, kernel_size, stride, padding, 0.0) / (high * wide)
