"""Symbolic gradients: `gradients` adds nodes to the graph, and computes nothing.

The rules are those of the eager tape. They are written with operations of the table, so called on
symbols they add the nodes of the backward pass.

>>> from chainrule import graph
>>> with graph.Graph() as g:
...     w, x, b = (graph.placeholder("float32", (), name=n) for n in "wxb")
...     (slope,) = graph.gradients((w * x + b).tanh(), [w])
...     [node.op for node in g.nodes[6:]]
['constant', 'multiply', 'subtract', 'multiply', 'multiply']
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from chainrule.errors import BackwardError, DTypeError, ShapeError
from chainrule.graph.session import ordered
from chainrule.graph.sources import constant
from chainrule.graph.symbol import Symbol
from chainrule.ops.shape import unbroadcast
from chainrule.primitive import TABLE


def gradients(
    ys: Any, xs: Any, grad_ys: Any = None, name: str = "gradients"
) -> list[Symbol | None]:
    """Return the gradient of the sum of `ys` with respect to each of `xs`, as nodes.

    Args:
        ys: A node of floats, or several.
        xs: A node, or several: placeholders, variables, or results on the way.
        grad_ys: The upstream gradient of each of `ys`; ones if None.
        name: The scope of the new nodes.

    Returns:
        For each x a node of its shape and dtype, or None where no y depends on it.

    Raises:
        DTypeError: A y is not made of floats.
        ShapeError: An upstream gradient has another shape than its y.
        BackwardError: A gradient was asked through an operation that has none.

    >>> from chainrule import graph
    >>> with graph.Graph(), graph.Session() as session:
    ...     x = graph.placeholder("float32", ())
    ...     (first,) = graph.gradients(x**3, [x])
    ...     (second,) = graph.gradients(first, [x])
    ...     session.run([first, second], {x: 2.0})
    [np.float32(12.0), np.float32(12.0)]
    """
    ys, xs = _listed(ys), _listed(xs)
    upstreams = [None] * len(ys) if grad_ys is None else _listed(grad_ys)
    graph = ys[0].graph
    with graph.as_default(), graph.scope(name):
        arrived: dict[Symbol, Symbol] = {}
        for y, upstream in zip(ys, upstreams, strict=True):
            deposit(arrived, y, seed(y, upstream))
        leading = between(xs, ys)
        for node in reversed(ordered(ys, set())):
            if node in arrived and node in leading and node.inputs:
                for source, g in pullbacks(node, arrived[node], leading):
                    deposit(arrived, source, fit(source, g))
        return [arrived.get(x) for x in xs]


def _listed(values: Any) -> list[Any]:
    return list(values) if isinstance(values, list | tuple) else [values]


def seed(y: Symbol, upstream: Any) -> Symbol:
    """Return the gradient to start with."""
    if y.dtype is None or y.dtype.kind != "f":
        raise DTypeError(f"gradients of {y.name!r}: only floats have gradients, not {y.dtype}")
    if upstream is None:
        return constant(np.ones(y.shape, y.dtype), name="ones")
    upstream = upstream if isinstance(upstream, Symbol) else constant(upstream, dtype=y.dtype)
    if upstream.shape != y.shape:
        raise ShapeError(f"a gradient of shape {upstream.shape} for {y.name!r} of {y.shape}")
    return upstream.astype(y.dtype)


def deposit(arrived: dict[Symbol, Any], node: Symbol, g: Any) -> None:
    """Add a gradient to what has arrived at a node."""
    arrived[node] = g if node not in arrived else arrived[node] + g


def between(xs: Sequence[Symbol], ys: Sequence[Symbol]) -> set[Symbol]:
    """Return the nodes that lead from an x towards a y, the xs themselves included."""
    leading = set(xs)
    for node in ordered(ys, set(xs)):
        if any(i in leading for i in node.inputs if isinstance(i, Symbol)):
            leading.add(node)
    return leading


def pullbacks(node: Symbol, g: Symbol, leading: set[Symbol]) -> list[tuple[Symbol, Any]]:
    """Return the inputs of a node that lead on, each with its gradient."""
    from chainrule.graph.control import CONTROL

    if node.op in CONTROL:
        return CONTROL[node.op](node, g, leading)
    if node.op.startswith("assign"):
        raise BackwardError(f"no gradient passes {node.name!r}, made at {node.line}")
    op = TABLE.get(node.op)
    found = []
    for place, source in enumerate(node.inputs):
        if op is None or not isinstance(source, Symbol) or source not in leading:
            continue
        rule = op.rules[0 if op.variadic else place]
        if rule is None or source.dtype is None or source.dtype.kind != "f":
            continue
        more = {"index": place} if op.variadic else {}
        found.append((source, rule(g, node, *node.inputs, **node.options, **more)))
    return found


def fit(source: Symbol, g: Any) -> Any:
    """Bring a gradient to the shape and dtype of its input: sum what broadcasting had copied."""
    if g.shape != source.shape:
        g = unbroadcast(g, shape=source.shape)
    return g.astype(source.dtype)
