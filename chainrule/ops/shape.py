"""Shapes: the same numbers, arranged otherwise. The rule of each is its own way back.

>>> import chainrule as cr
>>> x = cr.arange(6.0).reshape(2, 3)
>>> cr.concatenate([x, x.flip(1)], axis=0).shape
(4, 3)
"""

# ruff: noqa: D103  (a rule is described by the operation above it)
from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.errors import ShapeError
from chainrule.ops.shared import Axis, as_shape, axes, each_input, free, one_axis, same, size
from chainrule.primitive import primitive, vjp
from chainrule.tape import Array, Like


def _given(x: Any, shape: tuple[int, ...], **_: Any) -> tuple[int, ...]:
    return shape


# ------------------------------------------------------------------ copying along axes, and back


def _expanded(x: Like, shape: tuple[int, ...]) -> tuple[int, ...]:
    lead = len(shape) - x.ndim
    full = tuple(
        n if n != -1 else (x.shape[i - lead] if i >= lead else -1) for i, n in enumerate(shape)
    )
    fits = lead >= 0 and all(have in (1, n) for have, n in zip(x.shape, full[lead:], strict=True))
    if not fits or -1 in full:
        raise ShapeError(f"shape {x.shape} does not broadcast to {tuple(shape)}")
    return full


@primitive(shape=_expanded, flops=free, view=True)
def expand(x: Array, /, shape: tuple[int, ...] = ()) -> Array:
    """Return `x` copied along new axes in front and along axes of length 1, without copying memory.

    Args:
        x: Any shape.
        shape: The shape to broadcast to; -1 leaves an axis as it is.

    >>> import chainrule as cr
    >>> cr.expand(cr.tensor([[1.0], [2.0]]), (2, 3))
    tensor([[1., 1., 1.],
            [2., 2., 2.]])
    """
    return np.broadcast_to(x, _expanded(x, shape) if -1 in shape else shape)


@vjp(expand, "x")
def expand_x(g: Array, out: None, x: Like, shape: Any) -> Array:
    return g if g.shape == x.shape else unbroadcast(g, shape=x.shape)


@primitive(shape=_given, flops=each_input)
def unbroadcast(g: Array, /, shape: tuple[int, ...] = ()) -> Array:
    """Return `g` summed to `shape`: what broadcasting had copied is added up again.

    >>> import chainrule as cr
    >>> cr.unbroadcast(cr.ones(4, 3), (3,))
    tensor([4., 4., 4.])
    """
    if g.ndim == 2 and g.shape[1:] == shape and g.dtype.kind == "f":
        return np.ones(len(g), g.dtype) @ g  # a bias: a product runs faster than a sum of rows
    lead = g.ndim - len(shape)
    gone = [i for i in range(g.ndim) if i < lead or (shape[i - lead] == 1 and g.shape[i] != 1)]
    if len(gone) == g.ndim - 1 and g.size and g.dtype.kind == "f":
        return _sum_all_but_one(g, gone).reshape(shape)
    return np.add.reduce(g, axis=tuple(gone), keepdims=True).reshape(shape)


def _sum_all_but_one(g: np.ndarray, gone: list[int]) -> np.ndarray:
    """Return the sum over all axes but one as a product with ones, which runs faster."""
    kept = ({*range(g.ndim)} - {*gone}).pop()
    if kept == g.ndim - 1:
        flat = g.reshape(-1, g.shape[kept])
        return np.ones(len(flat), g.dtype) @ flat
    gone.sort(key=lambda i: -g.strides[i])  # as they lie in memory, so that nothing is copied
    flat = g.transpose(kept, *gone).reshape(g.shape[kept], -1)
    return flat @ np.ones(flat.shape[1], g.dtype)


@vjp(unbroadcast, "g")
def unbroadcast_g(g: Array, out: None, x: Like, shape: Any) -> Array:
    return expand(g, shape=x.shape)


# ------------------------------------------------------------------------------ reshape, permute


def _reshaped(x: Like, shape: tuple[int, ...]) -> tuple[int, ...]:
    known = int(np.prod([n for n in shape if n != -1], dtype=np.int64))
    free_axes = shape.count(-1)
    if free_axes == 1 and known and size(x) % known == 0:
        return tuple(size(x) // known if n == -1 else n for n in shape)
    if free_axes or known != size(x) or min(shape, default=0) < 0:
        raise ShapeError(f"the {size(x)} elements of shape {x.shape} do not fill {tuple(shape)}")
    return tuple(shape)


@primitive(shape=_reshaped, flops=free, view=True)
def _reshape(x: Array, /, shape: tuple[int, ...] = ()) -> Array:
    return np.reshape(x, shape)


@vjp(_reshape, "x")
def _reshape_x(g: Array, out: None, x: Like, shape: Any) -> Array:
    return g.reshape(x.shape)


def reshape(x: Array, *shape: Any) -> Array:
    """Return the elements of `x`, in order, in another shape; one length may be -1.

    Raises:
        ShapeError: The number of elements differs.

    >>> import chainrule as cr
    >>> cr.reshape(cr.arange(6), (3, -1)).shape
    (3, 2)
    """
    return _reshape(x, shape=as_shape(shape))


def flatten(x: Array, start_dim: int = 0, end_dim: int = -1) -> Array:
    """Return `x` with the axes from `start_dim` to `end_dim` made one.

    >>> import chainrule as cr
    >>> cr.flatten(cr.zeros(2, 3, 4), 1).shape
    (2, 12)
    """
    first, last = one_axis(start_dim, x.ndim), one_axis(end_dim, x.ndim)
    middle = int(np.prod(x.shape[first : last + 1], dtype=np.int64))
    return _reshape(x, shape=(*x.shape[:first], middle, *x.shape[last + 1 :]))


def squeeze(x: Array, axis: Axis = None, *, dim: Axis = None) -> Array:
    """Return `x` without its axes of length 1, or without those of them that are named.

    >>> import chainrule as cr
    >>> cr.squeeze(cr.zeros(1, 3, 1), 0).shape
    (3, 1)
    """
    named = axes(axis if dim is None else dim, x.ndim)
    shape = tuple(n for i, n in enumerate(x.shape) if n != 1 or i not in named)
    return _reshape(x, shape=shape)


def unsqueeze(x: Array, axis: Any = None, *, dim: Any = None) -> Array:
    """Return `x` with new axes of length 1 at the places `axis` of the result (`expand_dims`).

    >>> import chainrule as cr
    >>> cr.unsqueeze(cr.zeros(3), 0).shape, cr.expand_dims(cr.zeros(3), (0, -1)).shape
    ((1, 3), (1, 3, 1))
    """
    axis = dim if axis is None else axis
    new = axis if isinstance(axis, tuple | list) else (axis,)
    new = axes(new, x.ndim + len(new))
    lengths = iter(x.shape)
    shape = tuple(1 if i in new else next(lengths) for i in range(x.ndim + len(new)))
    return _reshape(x, shape=shape)


def _permuted(x: Like, order: tuple[int, ...]) -> tuple[int, ...]:
    if sorted(order) != list(range(len(x.shape))):
        raise ShapeError(f"{tuple(order)} does not name each axis of shape {x.shape} once")
    return tuple(x.shape[i] for i in order)


@primitive(shape=_permuted, flops=free, view=True)
def _permute(x: Array, /, order: tuple[int, ...] = ()) -> Array:
    return x.transpose(order)


@vjp(_permute, "x")
def _permute_x(g: Array, out: None, x: None, order: Any) -> Array:
    return _permute(g, order=tuple(order.index(i) for i in range(len(order))))


def permute(x: Array, *order: Any) -> Array:
    """Return `x` with its axes in another order: axis `i` of the result is axis `order[i]` of `x`.

    >>> import chainrule as cr
    >>> cr.permute(cr.zeros(2, 3, 4), (2, 0, 1)).shape
    (4, 2, 3)
    """
    named = as_shape(order)
    if len(named) != x.ndim:
        raise ShapeError(f"permute: {named} does not name each axis of shape {x.shape} once")
    return _permute(x, order=tuple(one_axis(a, x.ndim) for a in named))


def swapaxes(x: Array, axis0: int, axis1: int) -> Array:
    """Return `x` with two axes exchanged.

    >>> import chainrule as cr
    >>> cr.swapaxes(cr.zeros(2, 3, 4), 0, -1).shape
    (4, 3, 2)
    """
    a, b = one_axis(axis0, x.ndim), one_axis(axis1, x.ndim)
    order = list(range(x.ndim))
    if order:
        order[a], order[b] = order[b], order[a]
    return _permute(x, order=tuple(order))


def transpose(x: Array, *order: Any) -> Array:
    """Return `x` with two axes exchanged (PyTorch), all reversed, or in a given order (NumPy).

    >>> import chainrule as cr
    >>> x = cr.zeros(2, 3, 4)
    >>> cr.transpose(x).shape, cr.transpose(x, 0, 1).shape, cr.transpose(x, (2, 0, 1)).shape
    ((4, 3, 2), (3, 2, 4), (4, 2, 3))
    """
    if not order or order == (None,):
        return _permute(x, order=tuple(range(x.ndim))[::-1])
    if len(order) == 2:
        return swapaxes(x, *order)
    return permute(x, *order)


# -------------------------------------------------------------------------------- join, pad, flip


def _joined(*inputs: Like, axis: int = 0) -> tuple[int, ...]:
    first = inputs[0].shape
    axis = one_axis(axis, len(first))
    rest = {x.shape[:axis] + x.shape[axis + 1 :] for x in inputs}
    if len(rest) > 1 or not first or len({x.ndim for x in inputs}) > 1:
        listed = ", ".join(str(x.shape) for x in inputs)
        raise ShapeError(f"shapes {listed} may differ along axis {axis} only, and need an axis")
    return (*first[:axis], sum(x.shape[axis] for x in inputs), *first[axis + 1 :])


@primitive(shape=_joined, flops=free)
def _concatenate(*xs: Array, axis: int = 0) -> Array:
    return np.concatenate(xs, axis=axis)


@vjp(_concatenate, "xs")
def _concatenate_xs(g: Array, out: None, *xs: Like, axis: int, index: int) -> Array:
    axis = one_axis(axis, g.ndim)
    start = sum(x.shape[axis] for x in xs[:index])
    return g[(slice(None),) * axis + (slice(start, start + xs[index].shape[axis]),)]


def concatenate(tensors: Any, axis: int = 0, *, dim: int | None = None) -> Array:
    """Return arrays one after another along an axis that they have (`cat`).

    Raises:
        ShapeError: They differ along another axis.

    >>> import chainrule as cr
    >>> cr.concatenate([cr.zeros(2), cr.ones(1)])
    tensor([0., 0., 1.])
    """
    tensors = tuple(tensors)
    if not tensors:
        raise ShapeError("concatenate: at least one array is needed")
    return _concatenate(*tensors, axis=axis if dim is None else dim)


def stack(tensors: Any, axis: int = 0, *, dim: int | None = None) -> Array:
    """Return arrays of one shape side by side along a new axis.

    >>> import chainrule as cr
    >>> cr.stack([cr.zeros(3), cr.ones(3)], axis=1).shape
    (3, 2)
    """
    axis = axis if dim is None else dim
    tensors = tuple(tensors)
    if len({tuple(x.shape) for x in tensors}) != 1:
        raise ShapeError(f"stack: shapes {[tuple(x.shape) for x in tensors]} must all be equal")
    return _concatenate(*[unsqueeze(x, axis) for x in tensors], axis=axis)


def split(x: Array, sections: Any, axis: int = 0, *, dim: int | None = None) -> tuple[Array, ...]:
    """Return pieces of `x` along an axis.

    Args:
        x: At least one axis.
        sections: The length of each piece (the last may be shorter), or a list of lengths.
        axis: The axis to cut.
        dim: Another name for axis.

    Raises:
        ShapeError: The listed lengths do not add up.

    >>> import chainrule as cr
    >>> [piece.shape for piece in cr.split(cr.zeros(5, 2), 2)]
    [(2, 2), (2, 2), (1, 2)]
    """
    axis = one_axis(axis if dim is None else dim, x.ndim)
    whole = x.shape[axis]
    if isinstance(sections, int):
        sections = [min(sections, whole - i) for i in range(0, whole, sections)] or [0]
    if sum(sections) != whole:
        raise ShapeError(
            f"split: lengths {list(sections)} do not add up to the {whole} of axis {axis}"
        )
    stops = np.cumsum(sections).tolist()
    lead = (slice(None),) * axis
    return tuple(x[(*lead, slice(b - n, b))] for n, b in zip(sections, stops, strict=True))


def chunk(x: Array, chunks: int, axis: int = 0, *, dim: int | None = None) -> tuple[Array, ...]:
    """Return `x` cut along an axis into so many pieces, as equal as can be.

    >>> import chainrule as cr
    >>> [piece.shape for piece in cr.chunk(cr.zeros(6), 3)]
    [(2,), (2,), (2,)]
    """
    axis = axis if dim is None else dim
    return split(x, max(1, -(-x.shape[axis] // chunks)), axis)


def _padded(x: Like, width: tuple[tuple[int, int], ...], value: float) -> tuple[int, ...]:
    if len(width) != x.ndim or any(min(w) < 0 for w in width):
        raise ShapeError(
            f"widths {width} must be a (before, after) pair for each axis of {x.shape}"
        )
    return tuple(n + before + after for n, (before, after) in zip(x.shape, width, strict=True))


@primitive(shape=_padded, flops=free)
def _pad(x: Array, /, width: tuple[tuple[int, int], ...] = (), value: float = 0.0) -> Array:
    out = np.full(_padded(x, width, value), value, x.dtype)
    out[_inside(width, x.shape)] = x
    return out


def _inside(width: tuple[tuple[int, int], ...], shape: tuple[int, ...]) -> tuple[slice, ...]:
    return tuple(slice(w[0], w[0] + n) for w, n in zip(width, shape, strict=True))


@vjp(_pad, "x")
def _pad_x(g: Array, out: None, x: Like, width: Any, value: float) -> Array:
    return g[_inside(width, x.shape)]


def pad(x: Array, width: Any, value: float = 0.0) -> Array:
    """Return `x` with a border of one value.

    Args:
        x: Any shape.
        width: `(before, after)` for each axis, or one pair for all, or one number (NumPy's form);
            or a flat list for the last axes, the last axis first (PyTorch's form).
        value: What to fill the border with.

    >>> import chainrule as cr
    >>> cr.pad(cr.ones(1, 2), ((1, 0), (0, 1)))
    tensor([[0., 0., 0.],
            [1., 1., 0.]])
    """
    if isinstance(width, int):
        pairs = [(width, width)] * x.ndim
    elif isinstance(width[0], int) and (len(width) > 2 or not isinstance(width, tuple)):
        ends = list(zip(width[::2], width[1::2], strict=True))[::-1]
        pairs = [(0, 0)] * (x.ndim - len(ends)) + ends
    elif isinstance(width[0], int) or len(width) == 1:
        pairs = [tuple(np.ravel(width).tolist())] * x.ndim
    else:
        pairs = [tuple(w) for w in width]
    return _pad(x, width=tuple(pairs), value=value)


@primitive(shape=same, flops=free, view=True)
def flip(x: Array, /, axis: Axis = None) -> Array:
    """Return `x` in reverse order along axes; None means all of them.

    >>> import chainrule as cr
    >>> cr.flip(cr.tensor([1.0, 2.0, 3.0]), 0)
    tensor([3., 2., 1.])
    """
    gone = axes(axis, x.ndim)
    return x[tuple(slice(None, None, -1 if i in gone else 1) for i in range(x.ndim))]


@vjp(flip, "x")
def flip_x(g: Array, out: None, x: None, axis: Axis) -> Array:
    return flip(g, axis=axis)
