"""The nodes that begin a graph: what is fed, what never changes, what is drawn at random."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.dtypes import FLOAT64, get_default_dtype
from chainrule.errors import DTypeError, ShapeError
from chainrule.graph.symbol import Symbol, get_default_graph
from chainrule.tape import Value


def placeholder(dtype: Any = "float32", shape: Any = None, name: str | None = None) -> Symbol:
    """Return a node whose value is fed when the graph runs.

    Args:
        dtype: Of the value.
        shape: Of the value, every length known.
        name: For errors, drawings and files.

    Raises:
        ShapeError: No shape, or an unknown length in it.

    >>> from chainrule import graph
    >>> with graph.Graph():
    ...     graph.placeholder("float32", (64, 1000), name="x")
    <placeholder 'x' (64, 1000) float32>
    """
    if shape is None or any(n is None for n in shape):
        raise ShapeError(
            f"a placeholder needs a shape with every length known, not {shape}: "
            "gradients are built for one shape (build one graph for each, or use jit)"
        )
    shape = tuple(int(n) for n in shape)
    return Symbol(get_default_graph(), "placeholder", (), {}, shape=shape, dtype=dtype, name=name)


def constant(value: Any, dtype: Any = None, shape: Any = None, name: str | None = None) -> Symbol:
    """Return a node with a value that never changes.

    >>> from chainrule import graph
    >>> with graph.Graph():
    ...     graph.constant([1.0, 2.0])
    <constant 'constant' (2,) float32>
    """
    array = np.array(value.data if isinstance(value, Value) else value)
    if dtype is None and array.dtype == FLOAT64 and not hasattr(value, "dtype"):
        dtype = get_default_dtype()
    array = array.astype(dtype) if dtype is not None else array
    array = np.broadcast_to(array, shape).copy() if shape is not None else array
    if array.dtype.kind not in "biufc":
        raise DTypeError(f"a constant is made of numbers, not {array.dtype}")
    kind = {"shape": array.shape, "dtype": array.dtype, "name": name}
    return Symbol(get_default_graph(), "constant", (), {"value": array}, **kind)


def random_normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, name: str | None = None
) -> Symbol:
    """Return a node with fresh normal random numbers in every run, from the session's generator.

    >>> from chainrule import graph
    >>> with graph.Graph(), graph.Session(seed=1) as session:
    ...     x = graph.random_normal((2,))
    ...     session.run(x).round(2), session.run(x).round(2)
    (array([0.35, 0.82], dtype=float32), array([ 0.33, -1.3 ], dtype=float32))
    """
    return _random("normal", shape, dtype, name) * stddev + mean


def random_uniform(
    shape: Any, low: float = 0.0, high: float = 1.0, dtype: Any = None, name: str | None = None
) -> Symbol:
    """Return a node with fresh random numbers from `low` to `high` in every run.

    >>> from chainrule import graph
    >>> with graph.Graph(), graph.Session() as session:
    ...     session.run(graph.random_uniform((2,), 1.0, 3.0)).round(2)
    array([2.27, 1.54], dtype=float32)
    """
    return _random("uniform", shape, dtype, name) * (high - low) + low


def _random(kind: str, shape: Any, dtype: Any, name: str | None) -> Symbol:
    what = {"shape": tuple(shape), "dtype": dtype or get_default_dtype(), "name": name}
    return Symbol(get_default_graph(), "random", (), {"kind": kind}, **what)


class Generator:
    """Stands for a NumPy generator where a graph is built: what it draws is drawn in every run.

    >>> import chainrule as cr
    >>> from chainrule import graph
    >>> with graph.Graph():
    ...     x = graph.placeholder("float32", (4,))
    ...     cr.dropout(x, 0.5, rng=graph.Generator()).shape
    (4,)
    """

    def random(self, size: Any = (), dtype: Any = None) -> Symbol:
        """Return a node with random numbers from 0 to 1."""
        return _random("uniform", size, dtype, None)

    def standard_normal(self, size: Any = (), dtype: Any = None) -> Symbol:
        """Return a node with normal random numbers."""
        return _random("normal", size, dtype, None)
