"""Convolution is matrix multiplication.

Every window of the images becomes a column, and one product of matrices meets all columns with all
filters. A convolution is linear in the images and in the filters, so its two rules are convolutions
of the same family, and so are theirs: three primitives are closed under differentiation.

Images have shape (N, C, H, W): how many, channels, height, width. In memory the results lie as
(C, H, W, N): then a row of windows is one long run of numbers, for pooling and activations too. The
columns are made for a few rows of windows at a time, as many as the cache holds.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from chainrule.errors import ShapeError
from chainrule.ops.shared import size
from chainrule.primitive import primitive, vjp
from chainrule.tape import Array, Like

Pair = int | tuple[int, int]

STRIP = 400_000  # bytes of columns to make at a time


def pair(value: Any, name: str, least: int = 1) -> tuple[int, int]:
    """Return one number for both directions, or two, as two; ShapeError below `least`."""
    both = (value, value) if isinstance(value, int | np.integer) else tuple(value)
    if len(both) != 2 or min(both) < least:
        raise ShapeError(
            f"{name} must be one or two whole numbers of at least {least}, not {value}"
        )
    return int(both[0]), int(both[1])


def counts(shape: Any, kernel: Any, stride: Any, padding: Any, dilation: Any) -> tuple[int, int]:
    """Return how many windows fit, down and across."""
    spans = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    lengths = [n + 2 * p for n, p in zip(shape[2:], padding, strict=True)]
    high, wide = ((n - s) // t + 1 for n, s, t in zip(lengths, spans, stride, strict=True))
    if high < 1 or wide < 1:
        raise ShapeError(f"a window of {spans[0]} by {spans[1]} does not fit into shape {shape}")
    return high, wide


def planes(x: np.ndarray, padding: tuple[int, int] = (0, 0)) -> np.ndarray:
    """Return images as contiguous memory (C, H, W, N), with a border of zeros."""
    n, c, high, wide = x.shape
    down, across = padding
    turned = x.transpose(1, 2, 3, 0)
    if not down and not across:
        return np.ascontiguousarray(turned)
    out = np.zeros((c, high + 2 * down, wide + 2 * across, n), x.dtype)
    out[:, down : down + high, across : across + wide] = turned
    return out


def strips(
    x: np.ndarray, kernel: Any, high: int, wide: int, stride: Any, dilation: Any, limit: int
) -> Iterator[tuple[int, int, np.ndarray]]:
    """Give a few rows of windows at a time: the first, the last, and a view of their columns.

    The view has shape (C, kernel height, kernel width, rows, across, N) on padded planes.
    """
    c, n = len(x), x.shape[3]
    s = x.strides
    row = c * kernel[0] * kernel[1] * wide * n * x.itemsize
    step = max(1, min(high, limit // max(row, 1)))
    for top in range(0, high, step):
        rows = min(step, high - top)
        yield (
            top,
            top + rows,
            np.lib.stride_tricks.as_strided(
                x[:, top * stride[0] :],
                (c, *kernel, rows, wide, n),
                (
                    s[0],
                    s[1] * dilation[0],
                    s[2] * dilation[1],
                    s[1] * stride[0],
                    s[2] * stride[1],
                    s[3],
                ),
            ),
        )


def groups_of(channels: int, filters: int, groups: int) -> Iterator[tuple[slice, slice]]:
    """Give, for each group, which channels and which filters belong to it."""
    c, f = channels // groups, filters // groups
    for i in range(groups):
        yield slice(i * c, (i + 1) * c), slice(i * f, (i + 1) * f)


def _convolved(x: Like, weight: Like, stride: Any, padding: Any, dilation: Any, **_: Any) -> Any:
    places = counts(x.shape, weight.shape[2:], stride, padding, dilation)
    return (x.shape[0], weight.shape[0], *places)


def _given(a: Like, b: Like, shape: tuple[int, ...], **_: Any) -> tuple[int, ...]:
    return shape


def _per_window(windows: Like, filters: Any) -> int:
    """Return two operations for every element of a filter at every window."""
    return 2 * size(windows) * math.prod(filters[1:])


@primitive(shape=_convolved, flops=lambda out, x, weight, **_: _per_window(out, weight.shape))
def _convolve(
    x: Array,
    weight: Array,
    /,
    stride: Any = (1, 1),
    padding: Any = (0, 0),
    dilation: Any = (1, 1),
    groups: int = 1,
) -> Array:
    """Return the product of every filter with every window of the images."""
    kernel, filters = weight.shape[2:], len(weight)
    high, wide = counts(x.shape, kernel, stride, padding, dilation)
    out = np.empty((filters, high, wide, len(x)), np.result_type(x, weight))
    out = out.transpose(3, 0, 1, 2)
    convolve_into(x, weight, out, stride, padding, dilation, groups)
    return out


def convolve_into(
    x: np.ndarray,
    weight: np.ndarray,
    out: np.ndarray,
    stride: Any = (1, 1),
    padding: Any = (0, 0),
    dilation: Any = (1, 1),
    groups: int = 1,
) -> None:
    """Write the product of every filter with every window to `out`, which lies as (C, H, W, N)."""
    kernel, filters = weight.shape[2:], len(weight)
    high, wide = out.shape[2:]
    x = planes(x, padding)
    run = wide * x.shape[3]
    flat_out = out.transpose(1, 2, 3, 0).reshape(filters, high * run)
    for c, f in groups_of(len(x), filters, groups):
        flat = weight[f].reshape(f.stop - f.start, -1)
        for top, end, view in strips(x[c], kernel, high, wide, stride, dilation, STRIP):
            columns = view.reshape(flat.shape[1], (end - top) * run)
            np.matmul(flat, columns, out=flat_out[f, top * run : end * run])


@vjp(_convolve, "x")
def _convolve_x(g: Array, out: None, x: Like, weight: Array, **how: Any) -> Array:
    return _convolve_input(g, weight, shape=x.shape, **how)


@vjp(_convolve, "weight")
def _convolve_weight_(g: Array, out: None, x: Array, weight: Like, **how: Any) -> Array:
    return _convolve_weight(x, g, shape=weight.shape, **how)


@primitive(shape=_given, flops=lambda out, g, weight, **_: _per_window(g, weight.shape))
def _convolve_input(
    g: Array,
    weight: Array,
    /,
    shape: Any = (),
    stride: Any = (1, 1),
    padding: Any = (0, 0),
    dilation: Any = (1, 1),
    groups: int = 1,
) -> Array:
    """Return images of a shape: every window gets its filters, as much of each as `g` says."""
    kernel, filters = weight.shape[2:], len(weight)
    (n, c, height, width), (down, across) = shape, padding
    high, wide = g.shape[2:]
    run = wide * n
    g = planes(g).reshape(filters, high * run)
    out = np.zeros((c, height + 2 * down, width + 2 * across, n), np.result_type(g, weight))
    for c, f in groups_of(len(out), filters, groups):
        flat = np.ascontiguousarray(weight[f].reshape(f.stop - f.start, -1).T)
        for top, end, view in strips(out[c], kernel, high, wide, stride, dilation, 10 * STRIP):
            columns = (flat @ g[f, top * run : end * run]).reshape(view.shape)
            for i, j in np.ndindex(*kernel):
                view[:, i, j] += columns[:, i, j]
    return out[:, down : down + height, across : across + width].transpose(3, 0, 1, 2)


@vjp(_convolve_input, "g")
def _convolve_input_g(u: Array, out: None, g: None, weight: Array, shape: Any, **how: Any) -> Array:
    return _convolve(u, weight, **how)


@vjp(_convolve_input, "weight")
def _convolve_input_weight(
    u: Array, out: None, g: Array, weight: Like, shape: Any, **how: Any
) -> Array:
    return _convolve_weight(u, g, shape=weight.shape, **how)


@primitive(shape=_given, flops=lambda out, x, g, **_: _per_window(g, out.shape))
def _convolve_weight(
    x: Array,
    g: Array,
    /,
    shape: Any = (),
    stride: Any = (1, 1),
    padding: Any = (0, 0),
    dilation: Any = (1, 1),
    groups: int = 1,
) -> Array:
    """Return filters of a shape: the sum of all windows, as much of each as `g` says."""
    high, wide = g.shape[2:]
    x, g = planes(x, padding), planes(g)
    run = wide * x.shape[3]
    g = g.reshape(len(g), high * run)
    out = np.empty(shape, np.result_type(x, g))
    for c, f in groups_of(len(x), len(g), groups):
        total = np.zeros((math.prod(shape[1:]), f.stop - f.start), out.dtype)
        for top, end, view in strips(x[c], shape[2:], high, wide, stride, dilation, STRIP):
            columns = view.reshape(len(total), (end - top) * run)
            total += columns @ g[f, top * run : end * run].T
        out[f] = total.T.reshape(out[f].shape)
    return out


@vjp(_convolve_weight, "x")
def _convolve_weight_x(u: Array, out: None, x: Like, g: Array, shape: Any, **how: Any) -> Array:
    return _convolve_input(g, u, shape=x.shape, **how)


@vjp(_convolve_weight, "g")
def _convolve_weight_g(u: Array, out: None, x: Array, g: None, shape: Any, **how: Any) -> Array:
    return _convolve(x, u, **how)


def conv2d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    stride: Pair = 1,
    padding: Pair = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> Array:
    """Return the cross-correlation of images with filters, as every framework calls convolution.

    Args:
        x: Images, shape (N, C, H, W).
        weight: Filters, shape (O, C / groups, kernel height, kernel width).
        bias: One number for each filter, shape (O,), or None.
        stride: How far apart windows are.
        padding: Rows and columns of zeros on each side.
        dilation: How far apart a filter's elements are.
        groups: Into how many sets channels and filters are divided; each set sees its own.

    Returns:
        Shape (N, O, H', W') with H' = (H + 2 padding - dilation (kernel - 1) - 1) // stride + 1.

    Raises:
        ShapeError: The channels do not fit, or no window does.

    >>> import chainrule as cr
    >>> cr.conv2d(cr.ones(1, 1, 3, 3), cr.ones(1, 1, 2, 2), padding=1)[0, 0, 0]
    tensor([1., 2., 2., 1.])
    """
    if len(x.shape) != 4 or len(weight.shape) != 4 or x.shape[1] != weight.shape[1] * groups:
        raise ShapeError(
            f"conv2d: images of shape {tuple(x.shape)} need filters of shape "
            f"(O, C / {groups}, height, width), not {tuple(weight.shape)}"
        )
    filters = weight.shape[0]
    if groups < 1 or filters % groups:
        raise ShapeError(f"conv2d: {filters} filters cannot be divided into {groups} groups")
    if bias is not None and tuple(bias.shape) != (filters,):
        raise ShapeError(f"conv2d: {filters} filters need a bias of that length, not {bias.shape}")
    out = _convolve(
        x,
        weight,
        stride=pair(stride, "stride"),
        padding=pair(padding, "padding", 0),
        dilation=pair(dilation, "dilation"),
        groups=groups,
    )
    return out if bias is None else out + bias.reshape(filters, 1, 1)
