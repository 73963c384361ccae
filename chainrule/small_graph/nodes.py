"""Placeholders, constants, and the node of one call of an operation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from chainrule.small_graph import Own, expect


def trial(own: Own) -> None:
    """Make a few nodes and look at them."""
    x, held = own.placeholder("float64", [2, 3], "x"), np.ones(3)
    y = (x * held).sum(axis=0) ** 2 - np.float64(1.0)
    held.fill(7.0)
    product = y.inputs[0].inputs[0].inputs[0]
    told = [own.facts(node) for node in (x, product, product.inputs[1], y)]
    ops = [fact["op"] for fact in told]
    shapes = [fact["shape"] for fact in told]
    expect(ops == ["placeholder", "multiply", "constant", "subtract"], f"the ops are {ops}")
    expect(shapes == [(2, 3), (2, 3), (3,), (3,)], f"the shapes are {shapes}")
    expect({fact["dtype"] for fact in told} == {"float64"}, "a dtype is not float64")
    power = y.inputs[0]
    expect(power.inputs[1] == 2 and isinstance(y.inputs[1], own.Node), "an input of y is wrong")
    expect(power.inputs[0].options["axis"] == 0, "the options of a sum are lost")
    value = product.inputs[1].options["value"]
    expect(np.array_equal(value, np.ones(3)), "a constant changed with its array")

    class Special(own.Node):  # type: ignore[name-defined]
        pass

    special: Any = Special("special", (), {}, (), "float64")
    expect((special + 1.0).inputs[0] is special, "a node of a subclass did not stay what it is")
    short = own.constant([1, 2], "float32", name="short")
    expect(short.name == "short" and short.options["value"].dtype == np.float32, "constant's dtype")


def parts(own: Own) -> dict[str, Any]:
    """Return `placeholder`, `constant` and `record`."""

    def placeholder(dtype: Any, shape: Sequence[int], name: str | None = None) -> Any:
        return own.Node("placeholder", shape=shape, dtype=dtype, name=name)

    def constant(value: Any, dtype: Any = None, name: str | None = None) -> Any:
        held = np.array(value, dtype)
        return own.Node("constant", (), {"value": held}, held.shape, held.dtype, name)

    def is_input(x: Any) -> bool:
        return isinstance(x, own.Node) or type(x) in (int, float, bool)

    def record(op: Any, inputs: Sequence[Any], options: dict[str, Any]) -> Any:
        inputs = [x if is_input(x) else constant(x) for x in inputs]
        return own.Node(op.name, inputs, options, *own.kind(op, inputs, options))

    return {"placeholder": placeholder, "constant": constant, "record": record}
