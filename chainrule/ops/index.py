"""Indexing: reading a part of an array, writing one, and counting what was read twice."""

# ruff: noqa: D103  (a rule is described by the operation above it)
from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.errors import AxisError, DTypeError, ShapeError
from chainrule.ops.shared import free, one_axis, same, size
from chainrule.primitive import primitive, vjp
from chainrule.tape import TRACE, Array, Like, Value


def _picked(x: Like, key: Any) -> tuple[int, ...]:
    try:
        return np.broadcast_to(np.empty((), bool), x.shape)[key].shape
    except IndexError as error:
        raise AxisError(f"shape {x.shape}: {error}") from None


def _is_basic(key: Any) -> bool:
    """Return whether a key has no arrays in it: then no element can be read twice."""
    parts = key if isinstance(key, tuple) else (key,)
    return all(p is None or p is Ellipsis or isinstance(p, int | slice | np.integer) for p in parts)


@primitive(shape=_picked, flops=free, view=True)
def _getitem(x: Array, /, key: Any = ()) -> Array:
    return x[key]


@vjp(_getitem, "x")
def _getitem_x(g: Array, out: None, x: Like, key: Any) -> Array:
    return _scatter(g, key=key, shape=x.shape)


@primitive(shape=lambda g, key, shape: shape, flops=lambda out, g, **_: size(g))
def _scatter(g: Array, /, key: Any = (), shape: tuple[int, ...] = ()) -> Array:
    """Return zeros of a shape with `g` added where `key` points, as often as it points there."""
    out = np.zeros(shape, g.dtype)
    if _is_basic(key):
        out[key] = g
    else:
        np.add.at(out, key, g)
    return out


@vjp(_scatter, "g")
def _scatter_g(g: Array, out: None, x: None, key: Any, shape: Any) -> Array:
    return g[key]


def plain_key(key: Any) -> Any:
    """Return an index with tensors in it replaced by their arrays, and lists by arrays.

    Raises:
        DTypeError: Something that is no index: a float, say.
    """
    if isinstance(key, tuple):
        return tuple(plain_key(k) for k in key)
    if isinstance(key, Value):
        if TRACE:
            TRACE[-1].leave(key)
        key = key.data
    if isinstance(key, list | range):
        key = np.asarray(key if len(key) else np.zeros(0, int))
    if isinstance(key, np.ndarray | np.generic) and key.dtype.kind not in "biu":
        raise DTypeError(f"an index is made of whole numbers or booleans, not {key.dtype}")
    if isinstance(key, float | str):
        raise DTypeError(f"an index is a whole number, a slice, None, ... or an array, not {key!r}")
    return key


def getitem(x: Array, key: Any) -> Array:
    """Return `x[key]`.

    Args:
        x: Any shape.
        key: Whole numbers, slices, None, `...`, arrays or tensors of whole numbers or booleans, or
            a tuple of such. An element that is read several times adds up its gradients.

    Raises:
        AxisError: An index is out of bounds, or there are too many.

    >>> import chainrule as cr
    >>> x = cr.tensor([1.0, 2.0, 3.0], requires_grad=True)
    >>> x[[0, 0, 2]].sum().backward()
    >>> x.grad
    tensor([2., 0., 1.])
    """
    key = plain_key(key)
    parts = key if isinstance(key, tuple) else (key,)
    if _is_basic(parts) and not any(p is Ellipsis for p in parts):
        key = (*parts, ...)  # so that one element is a view too, not a copied number
    return _getitem(x, key=key)


@primitive(shape=same, flops=free)
def _setitem(x: Array, value: Array, /, key: Any = ()) -> Array:
    out = np.array(x)
    out[key] = value
    return out


@vjp(_setitem, "x")
def _setitem_x(g: Array, out: None, x: None, value: None, key: Any) -> Array:
    return _setitem(g, np.zeros((), g.dtype), key=key)


@vjp(_setitem, "value")
def _setitem_value(g: Array, out: None, x: None, value: None, key: Any) -> Array:
    return g[key]


# ------------------------------------------------------------------ along one axis, PyTorch's names


def _gathered(x: Like, index: Like, axis: int) -> tuple[int, ...]:
    if len(x.shape) != len(index.shape):
        raise ShapeError(f"x, shape {x.shape}, and index, shape {index.shape}, need as many axes")
    return index.shape


def _along(shape: tuple[int, ...], index: np.ndarray, axis: int) -> tuple[Any, ...]:
    """Return the key that reads `index` along an axis, and all else in place."""
    key = list(np.ogrid[tuple(slice(n) for n in index.shape)])
    axis = one_axis(axis, len(shape))
    if index.size and not (-shape[axis] <= index.min() and index.max() < shape[axis]):
        raise AxisError(f"an index lies outside the {shape[axis]} of axis {axis}")
    key[axis] = index
    return tuple(key)


@primitive(shape=_gathered, flops=free)
def gather(x: Array, index: Array, /, axis: int = 0) -> Array:
    """Return `x` read along one axis at `index`: `out[i][j] = x[index[i][j]][j]` for axis 0.

    Args:
        x: Any shape.
        index: Whole numbers, with as many axes as `x`.
        axis: Where to read along; also `dim`.

    >>> import chainrule as cr
    >>> cr.gather(cr.tensor([[1.0, 2.0], [3.0, 4.0]]), cr.tensor([[1], [0]]), axis=1)
    tensor([[2.],
            [3.]])
    """
    return x[_along(x.shape, np.asarray(index), axis)]


@vjp(gather, "x")
def gather_x(g: Array, out: None, x: Like, index: Array, axis: int) -> Array:
    return _scatter_along(g, index, axis=axis, shape=x.shape)


def _given(g: Like, index: Like, shape: tuple[int, ...], **_: Any) -> tuple[int, ...]:
    return shape


@primitive(shape=_given, dtype=lambda g, *_, **__: g.dtype, flops=lambda out, g, *_, **__: size(g))
def _scatter_along(g: Array, index: Array, /, axis: int = 0, shape: tuple[int, ...] = ()) -> Array:
    """Return zeros of a shape with `g` added where `gather` had read."""
    out = np.zeros(shape, g.dtype)
    np.add.at(out, _along(shape, np.asarray(index), axis), g)
    return out


@vjp(_scatter_along, "g")
def _scatter_along_g(u: Array, out: None, g: None, index: Array, axis: int, shape: Any) -> Array:
    return gather(u, index, axis=axis)


def _looked_up(weight: Like, index: Like) -> tuple[int, ...]:
    if weight.ndim != 2:
        raise ShapeError(f"the table of an embedding has two axes, not shape {weight.shape}")
    return (*index.shape, weight.shape[1])


@primitive(shape=_looked_up, flops=free)
def _embedding(weight: Array, index: Array, /) -> Array:
    if weight.ndim != 2:
        raise ValueError("not a table")
    index = np.asarray(index)
    if index.dtype.kind not in "iu":
        raise DTypeError(f"embedding: the index must be whole numbers, not {index.dtype}")
    if index.size and (index.min() < 0 or index.max() >= len(weight)):
        raise AxisError(f"embedding: an index lies outside the {len(weight)} rows of the table")
    return weight[index]


@vjp(_embedding, "weight")
def _embedding_weight(g: Array, out: None, weight: Like, index: Array) -> Array:
    return _scatter_rows(g, index, shape=weight.shape)


@primitive(shape=_given, dtype=lambda g, *_, **__: g.dtype, flops=lambda out, g, *_, **__: size(g))
def _scatter_rows(g: Array, index: Array, /, shape: tuple[int, ...] = ()) -> Array:
    """Return a table of zeros with each row of `g` added to the row that it was looked up in."""
    out = np.zeros(shape, g.dtype)
    np.add.at(out, np.asarray(index), g)
    return out


@vjp(_scatter_rows, "g")
def _scatter_rows_g(u: Array, out: None, g: None, index: Array, shape: Any) -> Array:
    return _embedding(u, index)


def embedding(index: Array, weight: Array) -> Array:
    """Return row `index[...]` of a table, for every index.

    Args:
        index: Whole numbers, any shape.
        weight: The table, shape (rows, features).

    Returns:
        Shape (*index.shape, features). Rows that are read several times add up their gradients.

    Raises:
        AxisError: An index is negative, or there is no such row.

    >>> import chainrule as cr
    >>> cr.embedding(cr.tensor([2, 0]), cr.tensor([[0.0, 0.1], [1.0, 1.1], [2.0, 2.1]]))
    tensor([[2.0000, 2.1000],
            [0.0000, 0.1000]])
    """
    return _embedding(weight, index)
