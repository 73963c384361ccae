"""The order in which nodes run, and the session that runs them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import TracebackType
from typing import Any

import numpy as np

from chainrule.small_graph import Own, expect


def trial(own: Own) -> None:
    """Run a small graph, a deep one, and one whose nodes report."""
    x, two = own.placeholder("float64", (2,), "x"), own.constant([2.0, 2.0])
    unfed = own.placeholder("float64", (), "unfed")
    ran: list[int] = []
    half = own.watched(x * two, tell=lambda: ran.append(1))
    whole = half + half * unfed

    class Counting(own.Session):  # type: ignore[name-defined]
        """As a session that counts what it copies."""

        def __init__(self) -> None:
            super().__init__(0)

    session: Any = Counting()
    expect(0.0 <= session.rng.random() < 1.0, "it has no generator")
    got = session.run([half, (half.sum(), two), {"x": x}], {x: [1, 2]})
    expect(np.array_equal(got[0], [2.0, 4.0]), "a product is wrong")
    expect(got[1][0] == 6.0 and np.array_equal(got[2]["x"], [1.0, 2.0]), "a nested value is wrong")
    got[1][1][...] = 7.0
    expect(np.array_equal(session.run(two), [2.0, 2.0]), "a constant was written into")
    expect(len(ran) == 1, "a node did not run once")
    expect(np.array_equal(session.run(whole, {half: [3, 3], unfed: 1}), [6.0, 6.0]), "a feed")
    expect(len(ran) == 1, "a node ran though it was fed")
    for feeds in ({x: [1.0, 2.0]}, {x: [1.0], unfed: 0.0}):
        refuses(session, whole, feeds)
    expect(len(ran) == 1, "a node ran before a missing feed was seen")
    runs_what_is_before(own, session)
    goes_deep(own, session, x)


def goes_deep(own: Own, session: Any, x: Any) -> None:
    """Expect that a long chain of nodes runs, and that `in_order` lists it."""
    deep = x
    for _ in range(2000):
        deep = deep + 1.0
    expect(np.array_equal(session.run(deep + deep, {x: [0.0, 1.0]}), [4000.0, 4002.0]), "depth")
    order = own.in_order([deep], [])
    places = {node: i for i, node in enumerate(order)}
    sorted_ = all(places[deep] > places[i] for i in order if i is not deep)
    expect(len(order) == 2001 and len(places) == 2001 and sorted_, "in_order is wrong")


def refuses(session: Any, fetch: Any, feeds: Mapping[Any, Any]) -> None:
    """Expect a ValueError of a run."""
    try:
        session.run(fetch, feeds)
    except ValueError:
        return
    expect(False, "feeds that do not fit are taken")


def runs_what_is_before(own: Own, session: Any) -> None:
    """Expect that `after`, `before`, and values of None work."""
    own.KERNELS["trial"] = lambda session, node: session.values.update(trial=1)
    try:
        first = own.Node("trial")
        last = own.constant(1.0) * 2.0
        last.after = (first,)
        expect(session.run(last) == 2.0 and session.values == {"trial": 1}, "`after` is ignored")
        expect(session.before == {}, "`before` is not what was there when the run began")
        expect(session.run(first) is None, "a node without a value is not None")
    finally:
        del own.KERNELS["trial"]


def parts(own: Own) -> dict[str, Any]:
    """Return `in_order` and `Session`."""

    def needs(node: Any) -> list[Any]:
        return [i for i in (*node.inputs, *node.after) if isinstance(i, own.Node)]

    def in_order(targets: Iterable[Any], fed: Iterable[Any] = ()) -> list[Any]:
        return ordered(targets, set(fed), needs)

    class Session:
        """Runs graphs, and keeps the values of their variables."""

        def __init__(self, seed: int = 0) -> None:
            self.values: dict[Any, Any] = {}
            self.rng = np.random.default_rng(seed)

        def run(self, fetches: Any, feed_dict: Mapping[Any, Any] | None = None) -> Any:
            """Return the values of the fetched nodes, in the structure of `fetches`."""
            self.before = self.values.copy()
            given = {node: feed(own, node, value) for node, value in (feed_dict or {}).items()}
            order = in_order(leaves(own, fetches), given)
            missing = [n.name for n in order if n.op == "placeholder" and n not in given]
            if missing:
                raise ValueError(f"no value was fed for {', '.join(missing)}")
            for node in order:
                if node not in given:
                    inputs = [given[i] if isinstance(i, own.Node) else i for i in node.inputs]
                    given[node] = own.compute(self, node, inputs)
            return put_in(fetches, given)

        def __enter__(self) -> Session:
            return self

        def __exit__(
            self, kind: type | None, error: BaseException | None, trace: TracebackType | None
        ) -> None:
            self.values.clear()

    return {"in_order": in_order, "Session": Session}


def ordered(targets: Iterable[Any], fed: set[Any], needs: Callable[[Any], list[Any]]) -> list[Any]:
    """Return the nodes that the targets need, each after all that it needs."""
    done: dict[Any, None] = {}
    for target in targets:
        path: list[tuple[Any, Iterator[Any]]] = [(target, iter([target]))]
        while path:
            node, rest = path[-1]
            ahead = next((i for i in rest if i not in done), None)
            if ahead is not None:
                path.append((ahead, iter([] if ahead in fed else needs(ahead))))
            else:
                path.pop()
                done[node] = None
    return list(done)


def feed(own: Own, node: Any, value: Any) -> Any:
    """Return a fed value as an array of the node's dtype; ValueError if the shape is another."""
    if not isinstance(node, own.Node):
        raise TypeError(f"{node!r} is no node and cannot be fed")
    array = np.array(value, node.dtype)
    if array.shape != node.shape:
        raise ValueError(f"{node.name!r} has shape {node.shape}, what was fed {array.shape}")
    return array


def leaves(own: Own, fetches: Any) -> list[Any]:
    """Return the nodes in lists, tuples and dicts; TypeError for anything else among them."""
    if isinstance(fetches, own.Node):
        return [fetches]
    if not isinstance(fetches, dict | list | tuple):
        raise TypeError(f"{fetches!r} is no node and cannot be fetched")
    inner = fetches.values() if isinstance(fetches, dict) else fetches
    return [node for part in inner for node in leaves(own, part)]


def put_in(fetches: Any, values: Mapping[Any, Any]) -> Any:
    """Return the fetches with copies of the values in the places of the nodes."""
    if isinstance(fetches, dict):
        return {key: put_in(part, values) for key, part in fetches.items()}
    if isinstance(fetches, list | tuple):
        return type(fetches)([put_in(part, values) for part in fetches])
    return np.array(values[fetches])[()]
