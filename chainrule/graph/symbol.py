"""Building a graph: operations called on symbols compute nothing, they add nodes.

>>> from chainrule import graph
>>> with graph.Graph():
...     a = graph.placeholder("float32", (2,), name="a")
...     b = (a * a + 1.0).sum()
>>> b
<sum 'sum' () float32>
>>> [node.op for node in b.graph.nodes]
['placeholder', 'multiply', 'add', 'sum']

`sources.py` has the nodes that begin a graph, `record.py` what a call of an operation does.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from chainrule.errors import DTypeError, GraphError
from chainrule.operators import Operators
from chainrule.ops.choices import cast
from chainrule.ops.index import _embedding
from chainrule.tape import line_here


class Symbol(Operators):
    """A node of a graph, and the value that it will have when a session runs.

    Attributes:
        graph: Where it belongs.
        number: Its place; larger than those of all nodes that it was made from.
        op: What makes it: a name of the table, or of `program.execute.KINDS`.
        inputs: The nodes and Python numbers that it is made from.
        options: Axis, stride and the like.
        name: Unique in its graph.
        shape: Of the value.
        dtype: Of the value; None for what has none, such as a `group`.
        after: Nodes that must have run before.
        line: The file, number and text of the line that made it.

    >>> from chainrule import graph
    >>> with graph.Graph():
    ...     x = graph.placeholder("float32", (2,), name="x")
    >>> (x * 2.0).inputs
    (<placeholder 'x' (2,) float32>, 2.0)
    """

    def __init__(
        self, graph: Graph, op: str, inputs: Sequence[Any], options: dict[str, Any], **more: Any
    ) -> None:
        self.graph, self.op, self.options = graph, op, options
        self.inputs = tuple(inputs)
        self.shape: tuple[int, ...] = tuple(more.get("shape", ()))
        dtype = more.get("dtype")
        self.dtype = None if dtype is None else np.dtype(dtype)
        self.after: tuple[Symbol, ...] = tuple(s for after in graph.waiting for s in after)
        self.line = line_here()
        self.name, self.number = graph.enter(self, more.get("name") or op.strip("_"))

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    def dim(self) -> int:
        """Return the number of axes."""
        return len(self.shape)

    def get_shape(self) -> tuple[int, ...]:
        """Return the shape, by TensorFlow's name."""
        return self.shape

    def astype(self, dtype: Any) -> Symbol:
        """Return the value in another dtype."""
        return self if self.dtype == np.dtype(dtype) else cast(self, dtype=np.dtype(dtype))

    def clone(self) -> Symbol:
        """Return a copy of the value."""
        return cast(self, dtype=self.dtype)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, Symbol):  # a place that is known only when the graph runs
            if key.dtype is None or key.dtype.kind not in "iu":
                raise DTypeError(
                    f"a node of {key.dtype} as index: how many elements it picks is known only "
                    "when the graph runs; use where, or whole numbers"
                )
            rows = self.reshape(self.shape[0], -1)
            return _embedding(rows, key.reshape(-1)).reshape(*key.shape, *self.shape[1:])
        return Operators.__getitem__(self, key)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("a symbol without axes has no length")
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def __bool__(self) -> bool:
        raise GraphError(
            f"{self.name!r} has no value while the graph is built, so Python cannot branch on it: "
            "use graph.cond or graph.while_loop, or fetch it with Session.run"
        )

    def __float__(self) -> float:
        raise GraphError(
            f"{self.name!r} has no value before a session runs: Session.run fetches it"
        )

    __int__ = __index__ = __float__

    def eval(self, feed_dict: dict[Any, Any] | None = None, session: Any = None) -> Any:
        """Return the value, from the session given or from that of the `with` block."""
        from chainrule.graph.session import Session

        return (session or Session.current(self.graph)).run(self, feed_dict)

    def __repr__(self) -> str:
        what = f" {self.shape} {self.dtype}" if self.dtype is not None else ""
        return f"<{self.op.strip('_')} {self.name!r}{what}>"


class Graph:
    """Nodes in the order in which they were made.

    Args:
        outer: For the body of a loop or a branch: the graph around it. What the body takes from
            there it captures: see `capture`.

    >>> from chainrule import graph
    >>> with graph.Graph() as g:
    ...     graph.constant(1.0) * 2.0
    <multiply 'multiply' () float32>
    >>> len(g.nodes)
    2
    """

    def __init__(self, outer: Graph | None = None) -> None:
        self.outer = outer
        self.nodes: list[Symbol] = []
        self.captures: dict[Symbol, Symbol] = {}  # what was taken from outside, and its stand-in
        self.variables: list[Any] = []
        self.waiting: list[list[Symbol]] = []
        self._scopes: list[str] = []
        self._names: dict[str, int] = {}

    def enter(self, node: Symbol, name: str) -> tuple[str, int]:
        """Take a node in; return its name, made unique, and its number."""
        self.nodes.append(node)
        return self.unique("/".join([*self._scopes, name])), len(self.nodes) - 1

    def unique(self, name: str) -> str:
        """Return a name that nothing here has yet: a, a_1, a_2."""
        count = self._names.get(name, 0)
        self._names[name] = count + 1
        return name if not count else self.unique(f"{name}_{count}")

    @contextmanager
    def scope(self, name: str) -> Iterator[str]:
        """Put `name/` in front of the names of all nodes made inside."""
        inner = self.unique("/".join([*self._scopes, name])).rpartition("/")[2]
        self._scopes.append(inner)
        try:
            yield "/".join(self._scopes) + "/"
        finally:
            self._scopes.pop()

    @contextmanager
    def as_default(self) -> Iterator[Graph]:
        """Make this the graph that placeholders, constants and variables are added to."""
        STACK.graphs.append(self)
        try:
            yield self
        finally:
            STACK.graphs.pop()

    def __enter__(self) -> Graph:
        STACK.graphs.append(self)
        return self

    def __exit__(self, *exception: Any) -> None:
        STACK.graphs.pop()

    def capture(self, symbol: Symbol) -> Symbol:
        """Return what stands for a node of an outer graph in this one."""
        if symbol.graph is self:
            return symbol
        if self.outer is None:
            raise GraphError(
                f"{symbol.name!r} belongs to another graph; values cross between graphs only as "
                "arrays: fetch it there and feed it here"
            )
        outside = self.outer.capture(symbol)
        if outside not in self.captures:
            kind = {"shape": outside.shape, "dtype": outside.dtype, "name": outside.name}
            self.captures[outside] = Symbol(self, "placeholder", (), {}, **kind)
        return self.captures[outside]


class _Stack(threading.local):
    def __init__(self) -> None:
        self.graphs: list[Graph] = [Graph()]


STACK = _Stack()


def get_default_graph() -> Graph:
    """Return the graph that new placeholders, constants and variables go to.

    >>> from chainrule import graph
    >>> with graph.Graph() as g:
    ...     graph.get_default_graph() is g
    True
    """
    return STACK.graphs[-1]


def reset_default_graph() -> None:
    """Begin an empty default graph; GraphError inside a `with Graph()` block.

    >>> from chainrule import graph
    >>> graph.reset_default_graph()
    >>> graph.get_default_graph().nodes
    []
    """
    if len(STACK.graphs) > 1:
        raise GraphError("the default graph can be reset only outside of every `with Graph()`")
    STACK.graphs[:] = [Graph()]


@contextmanager
def name_scope(name: str) -> Iterator[str]:
    """Put `name/` in front of the names of all nodes made inside.

    >>> from chainrule import graph
    >>> with graph.Graph(), graph.name_scope("layer1"):
    ...     graph.constant(1.0).name
    'layer1/constant'
    """
    with get_default_graph().scope(name) as full:
        yield full


@contextmanager
def control_dependencies(nodes: Sequence[Symbol]) -> Iterator[None]:
    """Make every node inside run after these.

    >>> from chainrule import graph
    >>> with graph.Graph(), graph.Session() as session:
    ...     n = graph.Variable(1)
    ...     first = n.assign_add(1)
    ...     with graph.control_dependencies([first]):
    ...         second = n.assign_add(10)
    ...     session.run(n.initializer)
    ...     session.run(second)
    np.int64(1)
    np.int64(12)
    """
    waiting = get_default_graph().waiting
    waiting.append(list(nodes))
    try:
        yield
    finally:
        waiting.pop()
