"""Branches and loops as nodes: which way to go is decided when the graph runs.

A branch or a loop's body is a graph of its own, built once. What it takes from the graph around
it, it captures: such a node becomes an input of the `cond` or `while_loop` node.

>>> import numpy as np
>>> from chainrule import graph
>>> with graph.Graph():
...     n = graph.placeholder("int64", ())
...     x = graph.placeholder("float32", ())
...     first = graph.constant(0), graph.constant(1.0)
...     _, power = graph.while_loop(lambda i, p: i < n, lambda i, p: (i + 1, p * x), first)
...     (slope,) = graph.gradients(power, [x])
...     with graph.Session() as session:
...         session.run([power, slope], {n: 3, x: 2.0})
[np.float32(8.0), np.float32(12.0)]
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from chainrule.errors import BackwardError, DTypeError, GraphError, ShapeError
from chainrule.graph.session import lower, ordered
from chainrule.graph.sources import constant
from chainrule.graph.symbol import Graph, Symbol, get_default_graph
from chainrule.program import Program


class Body:
    """A graph within a graph, and what it takes from outside.

    Attributes:
        graph: The inner graph.
        inputs: Its own placeholders.
        outputs: What it returns.
        outside: The nodes of the outer graph that it captured, in order.
    """

    def __init__(self, build: Callable[..., Any], likes: Sequence[Symbol], what: str) -> None:
        outer = get_default_graph()
        self.graph = Graph(outer)
        with self.graph:
            self.inputs = [placeholder_like(x) for x in likes]
            results = build(*self.inputs)
            results = results if isinstance(results, tuple | list) else (results,)
            self.single = len(results) == 1
            self.outputs = [self.graph.capture(as_symbol(r, what)) for r in results]

    @property
    def outside(self) -> list[Symbol]:
        """The nodes of the outer graph that the body captured."""
        return list(self.graph.captures)

    def program(self, captured: Sequence[Symbol]) -> Program:
        """Return the body as a program fed with its inputs, then with these nodes from outside."""
        with self.graph:
            stand_ins = [self.graph.capture(c) for c in captured]
        return lower(self.outputs, feeds=[*self.inputs, *stand_ins])

    def inline(self, inputs: Sequence[Symbol], captured: Sequence[Symbol]) -> list[Symbol]:
        """Return the outputs, built again in the default graph on other inputs."""
        new: dict[Symbol, Symbol] = dict(zip(self.inputs, inputs, strict=True))
        new.update(zip(self.graph.captures.values(), captured, strict=True))
        for node in ordered(self.outputs, set(new)):
            if node not in new:
                new[node] = copy_of(node, new)
        return [new[o] for o in self.outputs]


def placeholder_like(x: Symbol) -> Symbol:
    """Return a placeholder of the shape and dtype of a node, in the default graph."""
    kind = {"shape": x.shape, "dtype": x.dtype, "name": x.name.rpartition("/")[2]}
    return Symbol(get_default_graph(), "placeholder", (), {}, **kind)


def as_symbol(value: Any, what: str) -> Symbol:
    """Return a result of a body as a node."""
    if value is None:
        raise GraphError(f"{what} returned None; did you forget `return`?")
    return value if isinstance(value, Symbol) else constant(value)


def copy_of(node: Symbol, new: dict[Symbol, Symbol]) -> Symbol:
    """Return a copy of a node in the default graph, on replaced inputs."""
    inputs = [new[i] if isinstance(i, Symbol) else i for i in node.inputs]
    kind = {"shape": node.shape, "dtype": node.dtype, "name": node.name.rpartition("/")[2]}
    out = Symbol(get_default_graph(), node.op, inputs, node.options, **kind)
    out.line = node.line
    if hasattr(node, "parts"):
        out.parts = node.parts  # type: ignore[attr-defined]
    return out


def picks(node: Symbol, likes: Sequence[Symbol]) -> list[Symbol]:
    """Return one node for each of the results of a branch or loop."""
    return [
        Symbol(node.graph, "pick", (node,), {"index": i}, shape=x.shape, dtype=x.dtype)
        for i, x in enumerate(likes)
    ]


def structure(results: list[Any], single: bool) -> Any:
    """Return one result alone, several as a tuple."""
    return results[0] if single else tuple(results)


# ---------------------------------------------------------------------------------------- branches


def cond(pred: Any, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    """Return what one of two functions gives, chosen by a boolean when the graph runs.

    Args:
        pred: A node with one boolean.
        true_fn: Builds the branch for True; takes nothing, uses any node of the graph around.
        false_fn: Builds the other branch; the same number of results, shapes and dtypes.

    Only the chosen branch is computed. Gradients pass through the chosen branch.

    Raises:
        ShapeError: The branches return different shapes.
        DTypeError: `pred` is not one boolean, or the branches return different dtypes.

    >>> from chainrule import graph
    >>> with graph.Graph(), graph.Session() as session:
    ...     x = graph.placeholder("float32", ())
    ...     y = graph.cond(x > 0, lambda: x * 2.0, lambda: x - 1.0)
    ...     session.run(y, {x: 3.0}), session.run(y, {x: -3.0})
    (np.float32(6.0), np.float32(-4.0))
    """
    pred = as_symbol(pred, "cond's predicate")
    if pred.dtype != np.dtype(bool) or pred.shape:
        raise DTypeError(
            f"cond chooses by one boolean, not by {pred.name!r} of {pred.shape} {pred.dtype}"
        )
    yes, no = Body(true_fn, [], "true_fn"), Body(false_fn, [], "false_fn")
    if len(yes.outputs) != len(no.outputs):
        raise ShapeError(
            f"cond: true_fn returns {len(yes.outputs)} values, false_fn {len(no.outputs)}"
        )
    for a, b in zip(yes.outputs, no.outputs, strict=True):
        agree(a, b, "cond: true_fn returns {}, false_fn {}")
    return structure(branch(pred, yes, no), yes.single)


def branch(pred: Symbol, yes: Body, no: Body) -> list[Symbol]:
    """Return the results of a `cond` node of two bodies."""
    captured = list(dict.fromkeys([*yes.outside, *no.outside]))
    options = {"true": yes.program(captured), "false": no.program(captured)}
    graph = get_default_graph()
    node = Symbol(graph, "cond", (graph.capture(pred), *captured), options)
    node.parts = (yes, no, captured)  # type: ignore[attr-defined]
    return picks(node, yes.outputs)


def agree(a: Symbol, b: Symbol, words: str) -> None:
    """Raise unless two nodes have one shape and dtype."""
    text = words.format(f"{a.shape} {a.dtype}", f"{b.shape} {b.dtype}")
    if a.shape != b.shape:
        raise ShapeError(text)
    if a.dtype != b.dtype:
        raise DTypeError(text)


def cond_pullback(node: Symbol, gs: dict[int, Symbol], leading: set[Symbol]) -> Any:
    """Return the gradients of what a `cond` captured: a `cond` again."""
    pred, *captured = node.inputs
    yes, no, before = node.parts  # type: ignore[attr-defined]
    wanted = [c for c in captured if c in leading and is_float(c)]
    places, upstream = list(gs), list(gs.values())
    if not wanted:
        return []

    def back(body: Body) -> Body:
        def build(*inputs: Symbol) -> list[Symbol]:
            inner = get_default_graph()
            values = dict(zip(before, map(inner.capture, captured), strict=True))
            outputs = body.inline([], [values[c] for c in body.outside])
            asked = [inner.capture(c) for c in wanted]
            tops = [inner.capture(g) for g in upstream]
            return slopes([outputs[i] for i in places], asked, tops)

        return Body(build, [], "a branch")

    return list(zip(wanted, branch(pred, back(yes), back(no)), strict=True))


def slopes(ys: list[Symbol], xs: list[Symbol], tops: list[Symbol]) -> list[Symbol]:
    """Return gradients, zeros where nothing depends."""
    from chainrule.graph.gradients import gradients

    found = gradients(ys, xs, tops)
    return [
        constant(np.zeros(x.shape, x.dtype)) if g is None else g
        for x, g in zip(xs, found, strict=True)
    ]


def is_float(x: Symbol) -> bool:
    """Return whether a node can have a gradient."""
    return x.dtype is not None and x.dtype.kind == "f"


# ------------------------------------------------------------------------------------------- loops


def while_loop(
    cond: Callable[..., Any],
    body: Callable[..., Any],
    loop_vars: Sequence[Any],
    maximum_iterations: int = 1_000_000,
) -> Any:
    """Return the loop variables when `cond` no longer holds.

    Args:
        cond: Takes the loop variables, returns a node with one boolean.
        body: Takes the loop variables, returns their next values: same shapes and dtypes.
        loop_vars: The first values.
        maximum_iterations: Where to give up.

    Gradients pass back through as many iterations as ran. Second derivatives do not pass a loop.

    Raises:
        ShapeError: The body changes the number or a shape of the variables.
        DTypeError: It changes a dtype, or `cond` is not one boolean.

    >>> from chainrule import graph
    >>> with graph.Graph(), graph.Session() as session:
    ...     last = graph.while_loop(lambda i: i * i < 50, lambda i: i + 1, [graph.constant(0)])
    ...     session.run(last)
    np.int64(8)
    """
    graph = get_default_graph()
    first = [graph.capture(as_symbol(v, "loop_vars")) for v in loop_vars]
    test, step = Body(cond, first, "cond"), Body(body, first, "body")
    if test.outputs[0].dtype != np.dtype(bool) or test.outputs[0].shape:
        kind = f"{test.outputs[0].shape} {test.outputs[0].dtype}"
        raise DTypeError(f"while_loop: cond must return one boolean, not {kind}")
    if len(step.outputs) != len(first):
        raise ShapeError(
            f"while_loop: {len(first)} variables, but the body returns {len(step.outputs)}"
        )
    for before, after in zip(first, step.outputs, strict=True):
        agree(before, after, "while_loop: a variable enters the body as {} and leaves it as {}")
    captured = list(dict.fromkeys([*test.outside, *step.outside]))
    options = {
        "test": test.program(captured), "body": step.program(captured),
        "count": len(first), "most": maximum_iterations, "trail": False,
    }  # fmt: skip
    node = Symbol(graph, "while_loop", (*first, *captured), options)
    node.parts = (step, captured)  # type: ignore[attr-defined]
    return structure(picks(node, first), len(first) == 1)


def loop_pullback(node: Symbol, gs: dict[int, Symbol], leading: set[Symbol]) -> Any:
    """Return the gradients of a loop's first values and of what it captured: a loop backwards."""
    step, before = node.parts  # type: ignore[attr-defined]
    count = node.options["count"]
    first, captured = node.inputs[:count], node.inputs[count:]
    floats = [i for i, v in enumerate(first) if is_float(v)]
    asked = [i for i, c in enumerate(captured) if is_float(c)]

    def build(*inputs: Symbol) -> list[Symbol]:
        values, rest = inputs[:count], inputs[count:]
        around, tops = rest[: len(captured)], rest[len(captured) :]
        stand_ins = dict(zip(before, around, strict=True))
        outputs = step.inline(values, [stand_ins[c] for c in step.outside])
        xs = [values[i] for i in floats] + [around[i] for i in asked]
        return slopes([outputs[i] for i in floats], xs, list(tops))

    likes = [*first, *captured, *[first[i] for i in floats]]
    back = Body(build, likes, "body")
    tops = [gs.get(i) for i in floats]
    tops = [
        constant(np.zeros(first[i].shape, first[i].dtype)) if g is None else g
        for i, g in zip(floats, tops, strict=True)
    ]
    trail = Symbol(node.graph, "pick", (node,), {"index": count}, name="trail")
    options = {
        "body": back.program([]), "captures": len(captured), "floats": len(floats),
        "totals": [(captured[i].shape, captured[i].dtype.name) for i in asked],
    }  # fmt: skip
    out = Symbol(node.graph, "while_vjp", (trail, *captured, *tops), options)
    sources = [first[i] for i in floats] + [captured[i] for i in asked]
    found = zip(sources, picks(out, sources), strict=True)
    return [(s, g) for s, g in found if s in leading]


def foldl(
    fn: Callable[[Symbol, Symbol], Any], elems: Symbol, initializer: Any, name: str = "foldl"
) -> Symbol:
    """Return `fn(... fn(fn(initializer, elems[0]), elems[1]) ..., elems[-1])`.

    Args:
        fn: Takes what has been gathered and one element; returns what is gathered next.
        elems: A node; its first axis is walked along.
        initializer: What to begin with; the shape and dtype of `fn`'s result.
        name: The scope of the new nodes.

    >>> from chainrule import graph
    >>> with graph.Graph(), graph.Session() as session:
    ...     x = graph.constant([1.0, 2.0, 3.0])
    ...     session.run(graph.foldl(lambda a, e: a * 10.0 + e, x, graph.constant(0.0)))
    np.float32(123.0)
    """
    with get_default_graph().scope(name):
        length = len(elems)
        _, out = while_loop(
            lambda i, a: i < length,
            lambda i, a: (i + 1, fn(a, elems[i])),
            [constant(0), as_symbol(initializer, "initializer")],
        )
    return out


# ---------------------------------------------------------------------------- on the way backwards


def pick_pullback(node: Symbol, g: Symbol, leading: set[Symbol]) -> list[tuple[Symbol, Any]]:
    """Hand the gradient of one of several results to the node that made them all."""
    return [(node.inputs[0], Parts({node.options["index"]: g}))]


class Parts(dict[int, Any]):
    """The gradients of several results, by place; they add up place by place."""

    shape: tuple[int, ...] = ()

    def astype(self, dtype: Any) -> Parts:
        """Return itself: there is nothing to fit."""
        return self

    def __add__(self, other: Parts) -> Parts:
        both = {i: self[i] + other[i] for i in self.keys() & other.keys()}
        return Parts({**self, **other, **both})


def no_second(node: Symbol, g: Any, leading: set[Symbol]) -> Any:
    """Refuse the gradient of a gradient of a loop."""
    raise BackwardError(
        f"second derivatives do not pass {node.name!r}: unroll the loop in Python, or run eagerly"
    )


CONTROL: dict[str, Callable[[Symbol, Any, set[Symbol]], Any]] = {
    "pick": pick_pullback,
    "cond": cond_pullback,
    "while_loop": loop_pullback,
    "while_vjp": no_second,
}
