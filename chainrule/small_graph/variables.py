"""Variables, the nodes that change them, and what makes nodes wait for others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import numpy as np

from chainrule.small_graph import Own, expect


def trial(own: Own) -> None:
    """Let two variables take each other's value, and some nodes wait for others."""
    u, v = own.Variable([1.0, 2.0], name="u"), own.Variable([3.0, 4.0], trainable=False)
    expect(own.GRAPHS[-1].variables == [u, v], "the graph does not know its variables")
    expect(u.trainable and not v.trainable and u.name == "u", "name or trainable is lost")
    step = own.group(u.assign(v), v.assign_add(u * 2.0))
    with own.control_dependencies([step]):
        late = u.read_value() * 1.0
        down = u.assign_sub([1.0, 1.0])
    unset(own, u)
    session, other = own.Session(), own.Session()
    expect(session.run(own.global_variables_initializer()) is None, "the initializer is not None")
    other.run(u.initializer)
    got = session.run([step, u, v, late])
    fits = got[0] is None and np.array_equal(got[1:], [[1.0, 2.0], [3.0, 4.0], [3.0, 4.0]])
    expect(fits, "a run with assignments gives wrong values")
    got = session.run([u, v, down * 1.0])
    expect(np.array_equal(got, [[3.0, 4.0], [5.0, 8.0], [4.0, 7.0]]), "values after a run")
    got = [*session.run([u, v]), other.run(u)]
    expect(np.array_equal(got, [[4.0, 7.0], [11.0, 16.0], [1.0, 2.0]]), "values of a later run")
    expect(set(session.values) == {u, v}, "session.values has other keys")
    expect(own.GRAPHS[-1].waiting == [], "a block of control_dependencies leaves something")
    try:
        u.assign([1.0])
    except ValueError:
        return
    expect(False, "a value of another shape is taken")


def unset(own: Own, variable: Any) -> None:
    """Expect that a variable without a value says so."""
    try:
        own.Session().run(variable)
    except RuntimeError as error:
        expect(variable.name in str(error), "the error does not name the variable")
        return
    expect(False, "a variable without a value has one")


def parts(own: Own) -> dict[str, Any]:
    """Return `Variable` and what belongs to it; their kernels go into `own.KERNELS`."""
    wait = waiting(own)

    def group(*nodes: Any) -> Any:
        with wait(nodes):
            return own.Node("group")

    def global_variables_initializer() -> Any:
        return group(*(variable.initializer for variable in own.GRAPHS[-1].variables))

    own.KERNELS.update(kernels())
    return {
        "Variable": variable_class(own),
        "control_dependencies": wait,
        "group": group,
        "global_variables_initializer": global_variables_initializer,
    }


def variable_class(own: Own) -> type:
    """Return a subclass of the notebook's `Node`."""

    class Variable(own.Node):  # type: ignore[name-defined]
        """A node whose value lives in the session."""

        def __init__(self, initial_value: Any, name: str = "Variable", trainable: bool = True):
            first = self.lifted(initial_value)
            super().__init__("variable", (), {}, first.shape, first.dtype, name)
            own.GRAPHS[-1].variables.append(self)
            self.trainable = trainable
            self.initializer = self.assign(first)

        def lifted(self, value: Any) -> Any:
            return value if isinstance(value, own.Node) else own.constant(value)

        def changing(self, op: str, value: Any) -> Any:
            node = self.lifted(value)
            if node.shape != self.shape:
                raise ValueError(f"{self.name!r} has shape {self.shape}, the value {node.shape}")
            return own.Node(op, [node], {"variable": self}, self.shape, self.dtype)

        def assign(self, value: Any) -> Any:
            return self.changing("assign", value)

        def assign_add(self, value: Any) -> Any:
            return self.changing("assign_add", value)

        def assign_sub(self, value: Any) -> Any:
            return self.changing("assign_sub", value)

        def read_value(self) -> Any:
            return own.Node("read_value", (), {"variable": self}, self.shape, self.dtype)

    return Variable


def waiting(own: Own) -> Callable[[Sequence[Any]], AbstractContextManager[None]]:
    """Return `control_dependencies`."""

    @contextmanager
    def control_dependencies(nodes: Sequence[Any]) -> Iterator[None]:
        graph = own.GRAPHS[-1]
        outside = graph.waiting
        graph.waiting = [*outside, *nodes]
        try:
            yield
        finally:
            graph.waiting = outside

    return control_dependencies


def kernels() -> dict[str, Callable[..., Any]]:
    """Return what the nodes of variables compute, by op."""

    def value_in(values: Mapping[Any, Any], variable: Any) -> Any:
        if variable not in values:
            raise RuntimeError(f"{variable.name!r} has no value yet; run its initializer")
        return values[variable]

    def now(session: Any, node: Any) -> Any:
        return value_in(session.values, node.options["variable"])

    def put(session: Any, node: Any, value: Any) -> Any:
        held = np.array(value, node.dtype)
        session.values[node.options["variable"]] = held
        return held

    return {
        "variable": lambda session, node: value_in(session.before, node),
        "read_value": now,
        "assign": put,
        "assign_add": lambda session, node, x: put(session, node, now(session, node) + x),
        "assign_sub": lambda session, node, x: put(session, node, now(session, node) - x),
        "group": lambda session, node: None,
    }
