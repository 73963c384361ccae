"""The static graph: what is built, what runs and how often, gradients, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from operation_cases import CASES

import chainrule as cr
from chainrule import graph
from chainrule.graph.session import ordered

RNG = np.random.default_rng(5)


@pytest.fixture(autouse=True)
def fresh() -> Any:
    with graph.Graph() as g:
        yield g


def run(fetches: Any, feeds: Any = None) -> Any:
    with graph.Session() as session:
        session.run(graph.global_variables_initializer())
        return session.run(fetches, feeds)


# ------------------------------------------------------------------------------- building, running


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_every_operation_gives_the_values_and_gradients_of_the_tape(case: Any) -> None:
    arrays = case.draw(3)
    tensors = [cr.tensor(a, requires_grad=a.dtype.kind == "f") for a in arrays]
    out = case.call(cr, *tensors)
    nodes = [graph.placeholder(a.dtype, a.shape) for a in arrays]
    if "setitem" in case.name:
        with pytest.raises(TypeError, match="item assignment"):
            case.call(cr, *nodes)
        return
    if case.name == "getitem mask":
        with pytest.raises(cr.DTypeError, match="known only when"):
            case.call(cr, *nodes)
        return
    node = case.call(cr, *nodes)
    assert node.shape == out.shape and node.dtype == out.dtype
    feeds = dict(zip(nodes, arrays, strict=True))
    np.testing.assert_allclose(run(node, feeds), out.data, rtol=1e-12)
    if not out.requires_grad:
        return
    upstream = np.random.default_rng(1).normal(size=out.shape)
    floats = [i for i, t in enumerate(tensors) if t.requires_grad]
    expected = cr.grad(out, [tensors[i] for i in floats], upstream, allow_unused=True)
    found = graph.gradients(node, [nodes[i] for i in floats], graph.constant(upstream))
    for e, f in zip(expected, found, strict=True):
        assert (e is None) == (f is None)
        if e is not None:
            assert f.shape == e.shape and f.dtype == e.dtype
            np.testing.assert_allclose(run(f, feeds), e.data, rtol=1e-10, atol=1e-14)


def test_nothing_is_computed_while_building(monkeypatch: Any) -> None:
    def forbidden(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError("computed while building")

    op = cr.TABLE["matmul"]
    monkeypatch.setattr(op, "forward", forbidden)
    a = graph.placeholder("float32", (2, 3))
    out = (a @ graph.constant(np.ones((3, 4), "float32"))).sum()
    graph.gradients(out, [a])


def test_only_what_is_needed_runs_and_once() -> None:
    x = graph.placeholder("float32", (3,))
    shared = x.exp()
    wanted = shared * shared + shared
    x.log()  # needed by nobody
    with graph.Session() as session:
        value = session.run([wanted, wanted, shared], {x: np.zeros(3)})
        assert session.counts == {"exp": 1, "multiply": 1, "add": 1}
        np.testing.assert_array_equal(value[0], [2, 2, 2])
        assert value[0] is value[1]


def test_a_fetch_that_needs_no_feed_runs_without_it() -> None:
    graph.placeholder("float32", ()) * 2.0
    assert run(graph.constant(2.0) + 1.0) == 3


def test_any_node_can_be_fed() -> None:
    x = graph.placeholder("float32", ())
    h = x.exp()
    with graph.Session() as session:
        assert session.run(h * 2.0, {h: 5.0}) == 10
        assert "exp" not in session.counts


def test_fetches_keep_their_structure() -> None:
    a, b = graph.constant(1.0), graph.constant(2.0)
    assert run({"a": a, "more": [b, (a, b)]}) == {"a": 1, "more": [2, (1, 2)]}


def test_python_numbers_do_not_promote_and_tensors_become_constants() -> None:
    x = graph.placeholder("float32", (2,))
    assert (x * 2 + 1.5).dtype == np.float32
    assert (x * cr.tensor([1.0, 2.0])).dtype == np.float32
    assert (x * np.float64(2.0)).dtype == np.float32
    i = graph.placeholder("int64", (2,))
    assert (i / 2).dtype == np.float32 and i.mean().dtype == np.float32
    np.testing.assert_array_equal(run(i / 2, {i: [1, 3]}), np.array([0.5, 1.5], "float32"))


def test_names_and_scopes() -> None:
    with graph.name_scope("layer"):
        a = graph.constant(1.0, name="w")
        b = graph.constant(1.0, name="w")
    with graph.name_scope("layer"):
        c = graph.constant(1.0, name="w")
    assert [a.name, b.name, c.name] == ["layer/w", "layer/w_1", "layer_1/w"]


def test_a_deep_chain_needs_no_recursion() -> None:
    x = graph.placeholder("float64", ())
    y = x
    for _ in range(20_000):
        y = y + 1.0
    (g,) = graph.gradients(y, [x])
    assert run([y, g], {x: 0.0}) == [20_000, 1]


# -------------------------------------------------------------------------------- variables, order


def test_weights_move_only_if_the_assignment_is_fetched() -> None:
    w = graph.Variable(3.0)
    step = w.assign(w - 1.0)
    with graph.Session() as session:
        session.run(graph.global_variables_initializer())
        session.run(w * 2.0)
        assert session.run(w) == 3
        assert session.run([w, step]) == [3, 2]
        assert session.run(w) == 2


def test_a_run_sees_variables_as_they_were_when_it_began() -> None:
    a, b = graph.Variable(1.0), graph.Variable(2.0)
    with graph.Session() as session:
        session.run(graph.global_variables_initializer())
        session.run(graph.group(a.assign(b), b.assign(a)))
        assert session.run([a, b]) == [2, 1]


def test_a_run_that_fails_changes_nothing() -> None:
    w = graph.Variable(np.ones(3, "float32"))
    index = graph.placeholder("int64", ())
    with graph.Session() as session:
        session.run(graph.global_variables_initializer())
        with pytest.raises(cr.GraphError, match=r"test_graph.py.*\(row|lies outside"):
            session.run([w.assign(w * 2.0), w[index]], {index: 7})
        np.testing.assert_array_equal(session.run(w), [1, 1, 1])


def test_assignments_without_an_order_are_refused_and_with_one_they_run_in_it() -> None:
    n = graph.Variable(1)
    first = n.assign_add(1)
    loose = n.assign_add(10)
    with graph.Session() as session:
        session.run(graph.global_variables_initializer())
        with pytest.raises(cr.GraphError, match="in no order"):
            session.run([first, loose])
        with graph.control_dependencies([first]):
            second = n.assign_add(10)
            now = n.read_value()
        assert session.run([first, second, n]) == [2, 12, 1]
        assert session.run(n) == 12
        assert session.run([now, n]) == [13, 12]


def test_sessions_do_not_share_values() -> None:
    n = graph.Variable(0)
    more = n.assign_add(1)
    one, two = graph.Session(), graph.Session()
    for session in (one, two):
        session.run(n.initializer)
    one.run(more)
    assert (one.run(n), two.run(n)) == (1, 0)


def test_random_nodes_draw_in_every_run_from_the_seed_of_the_session() -> None:
    x = graph.random_normal((4,))
    a, b = graph.Session(seed=1), graph.Session(seed=1)
    first = a.run(x)
    np.testing.assert_array_equal(first, b.run(x))
    assert not np.array_equal(first, a.run(x))
    kept = run(cr.dropout(graph.constant(np.ones(1000, "float32")), 0.25, rng=graph.Generator()))
    assert set(np.unique(kept)) == {0, np.float32(1) / np.float32(0.75)}
    assert 600 < np.count_nonzero(kept) < 900


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_minimize_gives_the_trajectory_of_the_tape(momentum: float) -> None:
    data = RNG.normal(size=(8, 3))
    w = graph.Variable(np.ones((3, 2)), name="w")
    x = graph.placeholder("float64", (8, 3))
    loss = ((x @ w).tanh() ** 2).sum()
    rate = 0.05
    plain = graph.GradientDescentOptimizer(rate)
    train = (graph.MomentumOptimizer(rate, momentum) if momentum else plain).minimize(loss)
    v, speed = cr.tensor(np.ones((3, 2)), requires_grad=True), np.zeros((3, 2))
    with graph.Session() as session:
        session.run(graph.global_variables_initializer())
        for _ in range(20):
            mine, _ = session.run([loss, train], {x: data})
            theirs = ((cr.tensor(data) @ v).tanh() ** 2).sum()
            (g,) = cr.grad(theirs, v)
            speed = momentum * speed + g.data
            v.data -= rate * speed
            np.testing.assert_allclose(mine, theirs.item(), rtol=1e-12)
        np.testing.assert_allclose(session.run(w), v.data, rtol=1e-12)


# ----------------------------------------------------------------------------------- control flow


def test_only_the_chosen_branch_runs_and_has_the_gradient() -> None:
    x, y = graph.placeholder("float64", ()), graph.placeholder("float64", ())
    out = graph.cond(x > 0, lambda: (x * x * y).sin(), lambda: x.exp())
    gs = graph.gradients(out, [x, y])
    with graph.Session() as session:
        value = session.run([out, *gs], {x: 2.0, y: 0.5})
        np.testing.assert_allclose(value, [np.sin(2), np.cos(2) * 2, np.cos(2) * 4], rtol=1e-12)
        assert "exp" not in session.counts
        value = session.run([out, *gs], {x: -1.0, y: 0.5})
        np.testing.assert_allclose(value, [np.exp(-1), np.exp(-1), 0], rtol=1e-12)
        assert "sin" not in session.counts


def test_second_derivatives_pass_a_branch() -> None:
    x = graph.placeholder("float64", ())
    out = graph.cond(x > 0, lambda: x**3, lambda: -x)
    (g,) = graph.gradients(out, [x])
    (h,) = graph.gradients(g, [x])
    assert run([g, h], {x: 2.0}) == [12, 12]
    assert run([g, h], {x: -2.0}) == [-1, 0]


def test_a_loop_runs_as_often_as_its_input_says_and_gradients_go_back_through_it() -> None:
    n = graph.placeholder("int64", ())
    w = graph.placeholder("float64", (3, 3))
    h = graph.placeholder("float64", (3,))
    _, last = graph.while_loop(
        lambda i, s: i < n, lambda i, s: (i + 1, (s @ w).tanh()), [graph.constant(0), h]
    )
    upstream = RNG.normal(size=3)
    gs = graph.gradients(last, [w, h], graph.constant(upstream))
    weights, start = RNG.normal(size=(3, 3)), RNG.normal(size=3)
    for times in (0, 1, 5):
        tw, th = (cr.tensor(a, requires_grad=True) for a in (weights, start))
        state = th
        for _ in range(times):
            state = (state @ tw).tanh()
        expected = cr.grad(state, [tw, th], upstream, allow_unused=True)
        value, gw, gh = run([last, *gs], {n: times, w: weights, h: start})
        np.testing.assert_allclose(value, state.data, rtol=1e-12)
        slope = 0 * weights if expected[0] is None else expected[0].data
        np.testing.assert_allclose(gw, slope, rtol=1e-10)
        np.testing.assert_allclose(gh, expected[1].data, rtol=1e-10)


def test_a_branch_within_a_loop_within_a_branch() -> None:
    x = graph.placeholder("float64", ())

    def body(i: Any, s: Any) -> Any:
        return i + 1, graph.cond(s > 10.0, lambda: s * 0.5, lambda: s * x + 1.0)

    def collatz_like() -> Any:
        return graph.while_loop(lambda i, s: i < 6, body, [graph.constant(0), x * 1.0])[1]

    out = graph.cond(x > 0, collatz_like, lambda: -x)
    (g,) = graph.gradients(out, [x])

    def plain(v: float) -> float:
        if v <= 0:
            return -v
        s = v
        for _ in range(6):
            s = s * 0.5 if s > 10 else s * v + 1
        return s

    for v in (3.1, 0.7, -2.0):
        slope = (plain(v + 1e-6) - plain(v - 1e-6)) / 2e-6
        np.testing.assert_allclose(run([out, g], {x: v}), [plain(v), slope], rtol=1e-7)


def test_foldl_walks_along_the_first_axis_with_gradients() -> None:
    xs = RNG.normal(size=(5, 3))
    elems, start = graph.placeholder("float64", (5, 3)), graph.placeholder("float64", (3,))
    out = graph.foldl(lambda a, e: (a * e).sin() + e, elems, start)
    gs = graph.gradients(out, [elems, start])
    te, ts = cr.tensor(xs, requires_grad=True), cr.tensor(np.ones(3), requires_grad=True)
    state = ts
    for i in range(5):
        state = (state * te[i]).sin() + te[i]
    expected = cr.grad(state, [te, ts], np.ones(3))
    found = run([out, *gs], {elems: xs, start: np.ones(3)})
    for f, e in zip(found, [state, *expected], strict=True):
        np.testing.assert_allclose(f, e.data, rtol=1e-10)


def test_a_loop_without_an_end_is_stopped() -> None:
    out = graph.while_loop(lambda i: i >= 0, lambda i: i + 1, [graph.constant(0)], 100)
    with pytest.raises(cr.GraphError, match="not ended after 100"):
        run(out)


# -------------------------------------------------------------------------------------- bad input


def test_feeds_that_do_not_fit() -> None:
    x = graph.placeholder("float32", (2, 3), name="x")
    y = x * 2.0
    with graph.Session() as session:
        with pytest.raises(cr.FeedError, match=r"'x' must be fed.*\(2, 3\).*test_graph.py"):
            session.run(y)
        with pytest.raises(cr.FeedError, match=r"\(2, 3\), and was fed \(3, 2\)"):
            session.run(y, {x: np.ones((3, 2))})
        with pytest.raises(cr.FeedError, match="float32, and was fed complex128"):
            session.run(y, {x: np.ones((2, 3)) * 1j})
        with pytest.raises(cr.FeedError, match="cannot be fed"):
            session.run(y, {"x": np.ones((2, 3))})


def test_what_cannot_be_fetched() -> None:
    x = graph.constant(1.0)
    with graph.Graph():
        other = graph.constant(1.0)
    with graph.Session() as session:
        with pytest.raises(cr.FetchError, match="'x'"):
            session.run("x")
        with pytest.raises(cr.FetchError, match="another graph"):
            session.run(other)
        with pytest.raises(cr.FetchError, match=r"3\.0"):
            session.run([x, 3.0])
    with pytest.raises(cr.GraphError, match="another graph"):
        x + other


def test_refusals_while_building() -> None:
    x = graph.placeholder("float32", (2,), name="x")
    with pytest.raises(cr.ShapeError, match=r"add: .*\(2,\) and \(3,\).*test_graph.py"):
        x + np.ones(3, "float32")
    with pytest.raises(cr.GraphError, match="branch"):
        bool(x.sum() > 0)
    with pytest.raises(cr.ShapeError, match="every length known"):
        graph.placeholder("float32", (None, 3))
    with pytest.raises(cr.DTypeError, match="int64"):
        graph.gradients(graph.constant(1), [x])
    with pytest.raises(cr.ShapeError, match="assign"):
        graph.Variable([1.0, 2.0]).assign([1.0, 2.0, 3.0])
    with pytest.raises(cr.DTypeError, match="one boolean"):
        graph.cond(x, lambda: x, lambda: x)
    with pytest.raises(cr.ShapeError, match=r"cond: true_fn returns \(2,\) float32, false_fn \(\)"):
        graph.cond(x.sum() > 0, lambda: x, lambda: x.sum())
    with pytest.raises(cr.GraphError, match="forget `return`"):
        graph.cond(x.sum() > 0, lambda: None, lambda: x)
    with pytest.raises(cr.ShapeError, match="enters the body"):
        graph.while_loop(lambda v: v.sum() > 0, lambda v: v.sum(), [x])
    with pytest.raises(cr.GraphError, match="no trainable variable"):
        graph.GradientDescentOptimizer(0.1).minimize(x.sum())
    with pytest.raises(cr.GraphError, match="no session is open"):
        x.eval()
    with pytest.raises(cr.GraphError, match="group takes nodes"):
        graph.group(3)  # type: ignore[arg-type]


def test_an_uninitialised_variable() -> None:
    w = graph.Variable(1.0, name="w")
    with pytest.raises(cr.GraphError, match=r"'w' has no value yet.*initializer"):
        graph.Session().run(w + 1.0)


def test_a_graph_tied_into_a_circle_is_refused() -> None:
    a = graph.constant(1.0) + 1.0
    b = a * 2.0
    a.inputs = (b, 1.0)
    with pytest.raises(cr.GraphError, match="needs its own value"):
        ordered([b], set())
