"""Running a graph: a session has the variables' values, and computes what is fetched.

>>> from chainrule import graph
>>> with graph.Graph():
...     a, b = graph.placeholder("float32", ()), graph.placeholder("float32", ())
...     c = (a**2 + b**2) ** 0.5
...     with graph.Session() as session:
...         session.run(c, feed_dict={a: 3.0, b: 4.0})
np.float32(5.0)
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from chainrule.errors import FeedError, FetchError, GraphError
from chainrule.graph.symbol import Graph, Symbol, get_default_graph
from chainrule.program import At, Program, Step
from chainrule.program.execute import Run, checked_feed, run_steps
from chainrule.program.files import save


class Session:
    """The values of a graph's variables, and a way to run it.

    Args:
        graph: The default graph if None.
        seed: Of the random nodes.

    Attributes:
        state: The value of each variable, by name.
        counts: Of the last run: how often each operation ran.

    >>> from chainrule import graph
    >>> with graph.Graph():
    ...     x = graph.constant([1.0, 2.0])
    ...     y = x.relu().sqrt() * x
    ...     session = graph.Session()
    >>> session.run(y)
    array([1.      , 2.828427], dtype=float32)
    >>> session.counts
    {'constant': 1, 'relu': 1, 'sqrt': 1, 'multiply': 1}
    """

    _stack: ClassVar[Any] = threading.local()

    def __init__(self, graph: Graph | None = None, seed: int = 0) -> None:
        self.graph = graph or get_default_graph()
        self.state: dict[str, np.ndarray] = {}
        self.counts: dict[str, int] = {}
        self.rng = np.random.default_rng(seed)
        self._programs: dict[Any, Program] = {}

    def run(self, fetches: Any, feed_dict: Mapping[Any, Any] | None = None) -> Any:
        """Compute nodes, and nothing that they do not need; each needed node once.

        Args:
            fetches: A node, or lists, tuples and dicts of nodes.
            feed_dict: The value of each placeholder that is needed; any other node with a value may
                be fed too, and is then not computed.

        Returns:
            What was asked for, in the same structure; None for a `group`.

        Raises:
            FetchError: Something fetched is no node of this graph.
            FeedError: A feed is missing, or has the wrong shape or dtype.
            GraphError: A step failed, or a variable has no value. Nothing has changed then.
        """
        feeds = self._feeds(feed_dict or {})
        wanted: dict[Symbol, None] = {}
        self._collect(fetches, wanted)
        key = (tuple(s.number for s in wanted), frozenset(s.number for s in feeds))
        program = self._programs.get(key)
        if program is None:
            program = self._programs[key] = lower(list(wanted), fed=tuple(feeds))
        values = self._execute(program, feeds)
        results = dict(zip(wanted, (values[i] for i in program.fetches), strict=True))
        return self._rebuilt(fetches, results)

    def _execute(self, program: Program, feeds: dict[Symbol, Any]) -> list[Any]:
        named = {s.name: (s, v) for s, v in feeds.items()}
        given: dict[int, Any] = {}
        for name, place in program.feeds.items():
            step = program.steps[place]
            if name not in named:
                raise FeedError(
                    f"{name!r} must be fed: an array of shape {step.shape} and {step.dtype}; "
                    f"made at {step.line}"
                )
            given[int(place)] = checked_feed(step, named[name][1])
        run = Run(self.state, self.rng)
        values = run_steps(program, given, run)
        self.state.update(run.after)
        self.counts = run.counts
        return values

    def _feeds(self, feed_dict: Mapping[Any, Any]) -> dict[Symbol, Any]:
        for key in feed_dict:
            if not isinstance(key, Symbol) or key.graph is not self.graph:
                raise FeedError(f"{key!r} is no node of this session's graph and cannot be fed")
            if key.dtype is None:
                raise FeedError(f"{key.name!r} has no value, so none can be fed")
        return dict(feed_dict)

    def _collect(self, fetches: Any, into: dict[Symbol, None]) -> None:
        if isinstance(fetches, Symbol):
            if fetches.graph is not self.graph:
                raise FetchError(f"{fetches.name!r} belongs to another graph than this session")
            into[fetches] = None
        elif isinstance(fetches, Mapping):
            for value in fetches.values():
                self._collect(value, into)
        elif isinstance(fetches, list | tuple):
            for value in fetches:
                self._collect(value, into)
        else:
            raise FetchError(
                f"{fetches!r} cannot be fetched: fetch nodes of the graph, or lists, tuples and "
                "dicts of them"
            )

    def _rebuilt(self, fetches: Any, results: dict[Symbol, Any]) -> Any:
        if isinstance(fetches, Symbol):
            value = results[fetches]
            return value[()] if isinstance(value, np.ndarray) and not value.ndim else value
        if isinstance(fetches, Mapping):
            return {k: self._rebuilt(v, results) for k, v in fetches.items()}
        return type(fetches)([self._rebuilt(v, results) for v in fetches])

    @classmethod
    def current(cls, graph: Graph) -> Session:
        """Return the session of the innermost `with` block; GraphError if there is none."""
        for session in reversed(getattr(cls._stack, "sessions", [])):
            if session.graph is graph:
                return session
        raise GraphError("no session is open for this graph: write `with graph.Session():`")

    def save(self, path: str | Path, fetches: Sequence[Symbol]) -> Path:
        """Write what computes these nodes, and the variables' values: see `program.files`."""
        return save(lower(fetches), path, self.state)

    def close(self) -> None:
        """Forget the variables' values."""
        self.state.clear()

    def __enter__(self) -> Session:
        if not hasattr(self._stack, "sessions"):
            self._stack.sessions = []
        self._stack.sessions.append(self)
        return self

    def __exit__(self, *exception: Any) -> None:
        self._stack.sessions.pop()
        self.close()


def lower(
    fetches: Sequence[Symbol], fed: Sequence[Symbol] = (), feeds: Sequence[Symbol] | None = None
) -> Program:
    """Return the program that computes these nodes and nothing else.

    Args:
        fetches: Nodes of one graph.
        fed: Nodes whose values come from outside, whatever would make them otherwise.
        feeds: For the body of a loop or branch: all its feeds, in order, needed or not.

    Raises:
        GraphError: A node needs itself, or two assignments have no order.

    >>> from chainrule import graph
    >>> with graph.Graph():
    ...     x = graph.placeholder("float32", (2,), name="x")
    ...     unused = x.exp()
    ...     print(graph.lower([x * x]))
    0  x = placeholder                 (2,) float32
    1  multiply = multiply(x, x)       (2,) float32
    fetch multiply
    """
    given = {*fed, *(feeds or ())}
    order = ordered([*(feeds or ()), *fetches], given)
    places = {node: At(i) for i, node in enumerate(order)}
    asked = {n.inputs[0].inputs[0] for n in order if n.op == "while_vjp"}
    steps = []
    for node in order:
        inputs = () if node in given else node.inputs
        after = () if node in given else node.after
        options = {**node.options, "trail": node in asked} if node.op == "while_loop" else None
        steps.append(
            Step(
                "placeholder" if node in given else node.op,
                tuple(places[i] if isinstance(i, Symbol) else i for i in inputs),
                {} if node in given else options or node.options,
                node.name,
                node.shape,
                "" if node.dtype is None else node.dtype.name,
                tuple(places[i] for i in after),
                node.line,
            )
        )
    outside = feeds if feeds is not None else [n for n in order if n in given or is_fed(n)]
    program = Program(steps, {n.name: places[n] for n in outside}, [places[n] for n in fetches])
    check_assignments(program)
    return program


def is_fed(node: Symbol) -> bool:
    """Return whether a node has a value only if it is fed."""
    return node.op == "placeholder"


def ordered(targets: Sequence[Symbol], given: set[Symbol]) -> list[Symbol]:
    """Return the targets and all that they need, each after what it needs; no recursion.

    Raises:
        GraphError: The nodes form a circle.
    """
    found: dict[Symbol, None] = {}
    open_: set[Symbol] = set()
    stack: list[tuple[Symbol, bool]] = [(t, False) for t in reversed(targets)]
    while stack:
        node, done = stack.pop()
        if done:
            open_.discard(node)
            found[node] = None
        elif node not in found:
            if node in open_:
                raise GraphError(f"{node.name!r} needs its own value, made at {node.line}")
            open_.add(node)
            stack.append((node, True))
            if node not in given:
                needs = [i for i in (*node.inputs, *node.after) if isinstance(i, Symbol)]
                stack.extend((n, False) for n in reversed(needs) if n not in found)
    return sorted(found, key=lambda n: n.number) if is_sorted(found) else list(found)


def is_sorted(nodes: Mapping[Symbol, None]) -> bool:
    """Return whether every node is younger than all that it needs: the usual case."""
    return all(
        i.number < n.number for n in nodes for i in (*n.inputs, *n.after) if isinstance(i, Symbol)
    )


def check_assignments(program: Program) -> None:
    """Refuse a program that assigns twice to a variable in no order."""
    changed = [s.options["variable"] for s in program.steps if s.op.startswith("assign")]
    if len(set(changed)) == len(changed):
        return
    behind: list[set[str]] = []  # names of the assignments before each step
    latest: dict[str, Step] = {}
    for step in program.steps:
        known: set[str] = set().union(*[behind[i] for i in step.needs()])
        if step.op.startswith("assign"):
            name = step.options["variable"]
            other = latest.get(name)
            if other is not None and other.name not in known:
                raise GraphError(
                    f"{other.name!r} and {step.name!r} both change {name!r} in one run, in no "
                    "order: make one depend on the other with control_dependencies"
                )
            latest[name] = step
            known = known | {step.name}
        behind.append(known)
