"""What a call of an operation does when it meets a symbol: it adds a node."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from chainrule.dtypes import get_default_dtype, result_type
from chainrule.errors import DTypeError, ShapeError
from chainrule.graph.sources import constant
from chainrule.graph.symbol import Graph, Symbol, get_default_graph
from chainrule.ops.shared import broadcast, same
from chainrule.primitive import RECORDERS, Primitive
from chainrule.tape import Like, line_here

Number = int | float | bool


def record(op: Primitive, inputs: Sequence[Any], options: dict[str, Any]) -> Symbol:
    """Add the node of one call; this is what operations do when they meet a symbol.

    Raises:
        ShapeError: The shapes do not fit; the message names the line.
    """
    graph = home(inputs)
    with graph.as_default():
        nodes = [graph.capture(x) if isinstance(x, Symbol) else lifted(x) for x in inputs]
    try:
        shape = op.shape(*[like(x) for x in nodes], **options)
    except ShapeError as error:
        raise type(error)(f"{op.name}: {error}, at {line_here()}") from None
    dtype, nodes = settled(op, nodes, options)
    return Symbol(graph, op.name, nodes, dict(options), shape=shape, dtype=dtype)


def home(inputs: Sequence[Any]) -> Graph:
    """Return the innermost graph among those of the inputs and the default one."""
    graph: Graph | None = None
    for symbol in (x for x in inputs if isinstance(x, Symbol)):
        if graph is None or encloses(graph, symbol.graph):
            graph = symbol.graph
    default = get_default_graph()
    if graph is None or encloses(graph, default):
        return default
    return graph


def encloses(outer: Graph, inner: Graph | None) -> bool:
    """Return whether `inner` is, or lies within, `outer`."""
    while inner is not None and inner is not outer:
        inner = inner.outer
    return inner is outer


def lifted(x: Any) -> Any:
    """Return an array or a tensor as a constant node; Python numbers stay what they are."""
    return x if isinstance(x, Number) and not isinstance(x, np.generic) else constant(x)


def like(x: Any) -> Any:
    """Return the shape and dtype of an input, as shape functions take them."""
    return Like(x.shape, x.dtype) if isinstance(x, Symbol) else x


def settled(op: Primitive, nodes: list[Any], options: dict[str, Any]) -> tuple[Any, list[Any]]:
    """Return the dtype of the result, and the inputs cast so that NumPy computes in it."""
    for node in nodes:
        if isinstance(node, Symbol) and node.dtype is None:
            raise DTypeError(f"{op.name}: {node.name!r} has no value to compute with")
    likes = [like(n) for n in nodes]
    if op.dtype is not None:
        return np.dtype(op.dtype(*likes, **options)), nodes
    dtype = result_type(*nodes)
    each = op.shape in (same, broadcast)  # element by element: one of each is sample enough
    if each or dtype.kind in "biu":
        shapes = [(1,) * n.ndim if each else n.shape for n in likes if isinstance(n, Like)]
        samples = iter(np.ones(s, n.dtype) for s, n in zip(shapes, symbols(nodes), strict=True))
        sample = [next(samples) if isinstance(n, Symbol) else n for n in nodes]
        natural = np.asarray(op.forward(*sample, **options)).dtype
        if natural.kind != "f":
            return natural, nodes
        if dtype.kind in "biu":
            dtype = get_default_dtype()
        if natural == dtype:
            return dtype, nodes
    return dtype, [cast_to(dtype, n) if op.reach >> i & 1 else n for i, n in enumerate(nodes)]


def symbols(values: Sequence[Any]) -> list[Symbol]:
    """Return those of the values that are symbols."""
    return [v for v in values if isinstance(v, Symbol)]


def cast_to(dtype: Any, node: Any) -> Any:
    """Return a node in this dtype; a Python number as it is."""
    return node.astype(dtype) if isinstance(node, Symbol) else node


RECORDERS[Symbol] = record
