"""Variables: what a session remembers between runs, and the nodes that change it.

>>> from chainrule import graph
>>> with graph.Graph():
...     w = graph.Variable([1.0, 2.0], name="w")
...     step = w.assign_sub([0.5, 0.5])
...     with graph.Session() as session:
...         session.run(graph.global_variables_initializer())
...         session.run(step)
...         session.run(w)
array([0.5, 1.5], dtype=float32)
array([0.5, 1.5], dtype=float32)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chainrule.errors import GraphError, ShapeError
from chainrule.graph.record import record
from chainrule.graph.sources import constant
from chainrule.graph.symbol import Graph, Symbol, get_default_graph
from chainrule.primitive import RECORDERS


class Variable(Symbol):
    """A node whose value lives in the session and changes only by `assign`.

    Args:
        initial_value: An array, numbers, or a node such as `random_normal(...)`, computed once by
            the initializer.
        name: Unique in the graph.
        trainable: Whether optimizers change it.
        dtype: Of the value.

    A run sees the value from before the run; what the run assigns is seen by the next one.

    >>> from chainrule import graph
    >>> with graph.Graph(), graph.Session() as session:
    ...     n = graph.Variable(1, name="n")
    ...     more = n.assign(n + 1)
    ...     session.run(graph.global_variables_initializer())
    ...     session.run([n, more]), session.run(n)
    ([np.int64(1), np.int64(2)], np.int64(2))
    """

    def __init__(
        self,
        initial_value: Any,
        name: str | None = None,
        trainable: bool = True,
        dtype: Any = None,
    ) -> None:
        graph = outermost(get_default_graph())
        with graph.as_default():
            if not isinstance(initial_value, Symbol):
                initial_value = constant(initial_value, dtype=dtype, name="initial_value")
            kind = {"shape": initial_value.shape, "dtype": initial_value.dtype}
            super().__init__(graph, "variable", (), {}, name=name or "Variable", **kind)
            self.options["variable"] = self.name
            self.initial_value = initial_value
            self.trainable = trainable
            graph.variables.append(self)

    @property
    def initializer(self) -> Symbol:
        """A node that gives the variable its first value."""
        return change(self, "assign", self.initial_value, f"{self.name}/initializer")

    def assign(self, value: Any, name: str | None = None) -> Symbol:
        """Return a node that sets the variable; its own value is the new one."""
        return change(self, "assign", value, name)

    def assign_add(self, value: Any, name: str | None = None) -> Symbol:
        """Return a node that adds to the variable."""
        return change(self, "assign_add", value, name)

    def assign_sub(self, value: Any, name: str | None = None) -> Symbol:
        """Return a node that subtracts from the variable."""
        return change(self, "assign_sub", value, name)

    def read_value(self) -> Symbol:
        """Return a node with the value at its own turn, after what it depends on has run."""
        kind = {"shape": self.shape, "dtype": self.dtype}
        return Symbol(get_default_graph(), "read", (), {"variable": self.name}, name="read", **kind)


def outermost(graph: Graph) -> Graph:
    """Return the graph around all bodies: variables live there."""
    while graph.outer is not None:
        graph = graph.outer
    return graph


def change(variable: Variable, op: str, value: Any, name: str | None) -> Symbol:
    """Return an assigning node; ShapeError if the value cannot take the variable's shape."""
    graph = get_default_graph()
    if outermost(graph) is not variable.graph:
        graph = variable.graph
    with graph.as_default():
        value = value if isinstance(value, Symbol) else constant(value, dtype=variable.dtype)
        value = graph.capture(value)
    if value.shape not in (variable.shape, ()):
        raise ShapeError(
            f"{op}: {variable.name!r} has shape {variable.shape}, the value {value.shape}"
        )
    value = value.astype(variable.dtype)
    kind = {"shape": variable.shape, "dtype": variable.dtype, "name": name or op}
    return Symbol(graph, op, (value,), {"variable": variable.name}, **kind)


def assign(ref: Variable, value: Any, name: str | None = None) -> Symbol:
    """Return a node that sets a variable: `Variable.assign`.

    >>> from chainrule import graph
    >>> with graph.Graph():
    ...     graph.assign(graph.Variable(1.0), 2.0)
    <assign 'assign' () float32>
    """
    return ref.assign(value, name)


def assign_add(ref: Variable, value: Any, name: str | None = None) -> Symbol:
    """Return a node that adds to a variable: `Variable.assign_add`.

    >>> from chainrule import graph
    >>> with graph.Graph():
    ...     graph.assign_add(graph.Variable(1.0), 2.0)
    <assign_add 'assign_add' () float32>
    """
    return ref.assign_add(value, name)


def assign_sub(ref: Variable, value: Any, name: str | None = None) -> Symbol:
    """Return a node that subtracts from a variable: `Variable.assign_sub`.

    >>> from chainrule import graph
    >>> with graph.Graph():
    ...     graph.assign_sub(graph.Variable(1.0), 2.0)
    <assign_sub 'assign_sub' () float32>
    """
    return ref.assign_sub(value, name)


def group(*nodes: Symbol, name: str | None = None) -> Symbol:
    """Return a node without a value that needs all of these: fetching it runs them.

    Raises:
        GraphError: Something that is no node.

    >>> from chainrule import graph
    >>> with graph.Graph(), graph.Session() as session:
    ...     a, b = graph.Variable(1.0), graph.Variable(2.0)
    ...     session.run(graph.group(a.initializer, b.initializer))
    ...     session.run([a, b])
    [np.float32(1.0), np.float32(2.0)]
    """
    for node in nodes:
        if not isinstance(node, Symbol):
            raise GraphError(f"group takes nodes of a graph, not {node!r}")
    graph = nodes[0].graph if nodes else get_default_graph()
    out = Symbol(graph, "group", (), {}, name=name)
    out.after += nodes
    return out


def global_variables(graph: Graph | None = None) -> list[Variable]:
    """Return all variables, in the order in which they were made.

    >>> from chainrule import graph
    >>> with graph.Graph():
    ...     w = graph.Variable(1.0, name="w")
    ...     graph.global_variables()
    [<variable 'w' () float32>]
    """
    return list((graph or get_default_graph()).variables)


def trainable_variables(graph: Graph | None = None) -> list[Variable]:
    """Return the variables that optimizers change.

    >>> from chainrule import graph
    >>> with graph.Graph():
    ...     step = graph.Variable(0, trainable=False)
    ...     graph.trainable_variables()
    []
    """
    return [v for v in global_variables(graph) if v.trainable]


def variables_initializer(variables: Sequence[Variable], name: str = "init") -> Symbol:
    """Return a node that gives these variables their first values.

    >>> from chainrule import graph
    >>> with graph.Graph():
    ...     graph.variables_initializer([graph.Variable(1.0)])
    <group 'init'>
    """
    return group(*[v.initializer for v in variables], name=name)


def global_variables_initializer() -> Symbol:
    """Return a node that gives every variable of the default graph its first value.

    >>> from chainrule import graph
    >>> with graph.Graph(), graph.Session() as session:
    ...     w = graph.Variable([1.0, 2.0])
    ...     session.run(graph.global_variables_initializer())
    ...     session.run(w)
    array([1., 2.], dtype=float32)
    """
    return variables_initializer(global_variables())


RECORDERS[Variable] = record
