"""Gradients as nodes of the same graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from chainrule.ops.shape import expand, unbroadcast
from chainrule.primitive import TABLE
from chainrule.small_graph import Own, expect


def trial(own: Own) -> None:
    """Differentiate a product with broadcasting, twice, and a node that is used twice."""
    x, w = own.placeholder("float64", (2, 3), "x"), own.placeholder("float64", (3,), "w")
    other = own.placeholder("float64", (), "other")
    h = x * w
    slopes = own.gradients((h * h).sum(), [w, other, x, h])
    expect(type(slopes) is list and len(slopes) == 4, "it returns no list of one entry for each x")
    expect(slopes[1] is None, "a gradient is not None where nothing depends")
    a, b = np.array([[1.0, 2.0, 3.0], [0.5, 0.0, -1.0]]), np.array([2.0, -1.0, 0.5])
    feeds = {x: a, w: b}
    wanted = [(2 * a * a * b).sum(0), 2 * a * b * b, 2 * a * b]
    got = own.Session().run([slopes[0], *slopes[2:]], feeds)
    for g, right in zip(got, wanted, strict=True):
        expect(np.shape(g) == right.shape and np.allclose(g, right), "a gradient is wrong")
    (second,) = own.gradients([slopes[0]], [w])
    expect(np.allclose(own.Session().run(second, feeds), (2 * a * a).sum(0)), "the second one")
    deep = w
    for _ in range(500):
        deep = deep + deep * 0.0
    before = len(own.GRAPHS[-1].nodes)
    (slope,) = own.gradients(deep, [w])
    expect(len(own.GRAPHS[-1].nodes) < before + 20000, "the new nodes are too many")
    expect(np.array_equal(own.Session().run(slope, feeds), np.ones(3)), "a deep gradient")


def parts(own: Own) -> dict[str, Any]:
    """Return `gradients`."""

    def gradients(ys: Any, xs: Sequence[Any]) -> list[Any]:
        arrived: dict[Any, Any] = {}

        def deposit(node: Any, g: Any) -> None:
            arrived[node] = arrived[node] + g if node in arrived else g

        ys = [ys] if isinstance(ys, own.Node) else list(ys)
        for y in ys:
            deposit(y, expand(own.constant(1.0, y.dtype), shape=y.shape))
        for node in own.in_order(ys)[::-1]:
            rules = TABLE[node.op].rules if node.op in TABLE and node in arrived else ()
            for source, rule in zip(node.inputs, rules, strict=False):
                if rule and isinstance(source, own.Node):
                    g = rule(arrived[node], node, *node.inputs, **node.options)
                    deposit(source, unbroadcast(g, shape=source.shape))
        return [arrived.get(x) for x in xs]

    return {"gradients": gradients}
