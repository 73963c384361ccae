"""Passes keep the meaning and lower the counts; memory is shared only where it is dead."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import chainrule as cr
from chainrule import graph
from chainrule.compiler import passes
from chainrule.compiler.memory import plan, views
from chainrule.compiler.passes import PASSES, fuse, measure, prune, share, simplify
from chainrule.compiler.patterns import pattern, rules
from chainrule.compiler.replay import Replay
from chainrule.program import At, Program, Step
from chainrule.program.execute import execute

UNARY = ("tanh", "sin", "sigmoid", "relu", "absolute", "negative", "softplus")
BINARY = ("add", "subtract", "multiply", "maximum", "minimum")


@st.composite
def plans(draw: Any) -> list[tuple[Any, ...]]:
    """Draw what to compute: operations on earlier values, by their places."""
    steps: list[tuple[Any, ...]] = []
    for i in range(2, 2 + draw(st.integers(3, 14))):
        kind = draw(st.sampled_from(["unary", "binary", "number", "shape", "matmul", "where"]))
        a, b = draw(st.integers(0, i - 1)), draw(st.integers(0, i - 1))
        if kind == "unary":
            steps.append((draw(st.sampled_from(UNARY)), a))
        elif kind == "binary":
            steps.append((draw(st.sampled_from(BINARY)), a, b))
        elif kind == "number":
            name = draw(st.sampled_from(("add", "multiply", "subtract", "divide", "power")))
            number = draw(st.sampled_from((1.0, 2.0, 0.5) if name != "add" else (0.0, 1.0, -2.0)))
            steps.append(("number", name, a, number))
        elif kind == "shape":
            steps.append((draw(st.sampled_from(("T", "mean", "sum0", "twice", "flip"))), a))
        else:
            steps.append((kind, a, b))
    return steps


def follow(steps: list[tuple[Any, ...]], x: Any, y: Any) -> Any:
    """Compute a drawn plan on two 3 by 3 values: tensors or nodes."""
    values = [x, y]
    for kind, *args in steps:
        if kind == "number":
            name, place, number = args
            base = cr.absolute(values[place]) + 0.5 if name == "power" else values[place]
            out = getattr(cr, name)(base, number)
        elif kind in UNARY or kind in BINARY:
            out = getattr(cr, kind)(*[values[i] for i in args])
        elif kind == "T":
            out = values[args[0]].T
        elif kind == "flip":
            out = values[args[0]].flip(0)
        elif kind == "twice":
            out = values[args[0]].reshape(9).reshape(3, 3)
        elif kind == "mean":
            out = values[args[0]].mean(axis=1, keepdims=True) + values[0]
        elif kind == "sum0":
            out = values[args[0]].sum(0) * 0.1 + values[1]
        elif kind == "matmul":
            out = values[args[0]] @ values[args[1]] * 0.2
        else:
            a, b = (values[i] for i in args)
            out = cr.where(a > b, a, b * 0.5)
        values.append(out.tanh() if len(values) % 4 == 3 else out)
    return values[-1].sum() + (values[-2] * values[-1]).mean()


def arrays(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(3, 3)), rng.normal(size=(3, 3))


@settings(max_examples=150, deadline=None)
@given(plans(), st.integers(0, 9))
def test_random_programs_mean_the_same_eager_static_and_after_every_pass(
    steps: list[Any], seed: int
) -> None:
    a, b = arrays(seed)
    x, y = cr.tensor(a, requires_grad=True), cr.tensor(b, requires_grad=True)
    out = follow(steps, x, y)
    slopes = cr.grad(out, [x, y], allow_unused=True)
    expected = [out.data, *[np.zeros((3, 3)) if s is None else s.data for s in slopes]]
    with graph.Graph():
        nodes = [graph.placeholder("float64", (3, 3), name=n) for n in "xy"]
        node = follow(steps, *nodes)
        found = graph.gradients(node, nodes)
        zeros = graph.constant(np.zeros((3, 3)))
        program = graph.lower([node, *[zeros if g is None else g for g in found]])
    feeds = {n: v for n, v in (("x", a), ("y", b)) if n in program.feeds}
    agree(execute(program, feeds), expected)
    for name in (*PASSES, "fold", "share", "prune"):
        before = measure(program)
        program, _ = PASSES[name](program)
        agree(execute(program, feeds), expected)
        assert all(n <= o for n, o in zip(measure(program), before, strict=True))
    replay = Replay(program, feeds)
    other = {n: np.flip(v) for n, v in feeds.items()}
    first = replay(feeds)
    agree(first, expected)
    agree(replay(other), execute(program, other))
    agree(replay(feeds), expected)
    agree(first, expected)  # what was handed out is not written over


def agree(found: list[Any], expected: list[Any]) -> None:
    for f, e in zip(found, expected, strict=True):
        assert f.shape == e.shape and f.dtype == e.dtype
        np.testing.assert_allclose(f, e, rtol=1e-9, atol=1e-12)


# ----------------------------------------------------------------------------------- single passes


def lowered(build: Any, *shapes: tuple[int, ...]) -> Program:
    with graph.Graph():
        nodes = [
            graph.placeholder("float32", s, name=n) for s, n in zip(shapes, "xyz", strict=False)
        ]
        out = build(*nodes)
        return graph.lower(list(out) if isinstance(out, tuple) else [out])


def ops(program: Program) -> list[str]:
    return [s.op for s in program.steps if s.op != "placeholder"]


@pytest.mark.parametrize(
    ("build", "left"),
    [
        (lambda x: x + 0, []),
        (lambda x: 0.0 + x, []),
        (lambda x: 1 * x / 1 - 0, []),
        (lambda x: x**2, ["multiply"]),
        (lambda x: -cr.negative(x), []),
        (lambda x: x * -1, ["negative"]),
        (lambda x: (-x) * (-x), ["multiply"]),
        (lambda x: cr.relu(cr.relu(x)), ["relu"]),
        (lambda x: cr.where(x > 0, x, x), []),
        (lambda x: cr.maximum(x, x), []),
        (lambda x: x.T.T, []),
        (lambda x: x.reshape(6).reshape(3, 2).reshape(2, 3), []),
        (lambda x: x.T.reshape(6).reshape(2, 3), ["_permute", "_reshape"]),
        (lambda x: x * graph.constant(np.ones((2, 3), "float32")), []),
        # what must stay
        (lambda x: x + graph.constant(np.zeros((4, 2, 3), "float32")), ["add"]),
        (lambda x: x.sum() + 0 * x.sum(), ["sum", "sum", "multiply", "add"]),
        (lambda x: x + 1, ["add"]),
        (lambda x: x - x.flip(0), ["flip", "subtract"]),
        (lambda x: x.T, ["_permute"]),
        (lambda x: x**3, ["power"]),
    ],
)
def test_patterns_apply_where_they_hold_and_nowhere_else(build: Any, left: list[str]) -> None:
    program = lowered(build, (2, 3))
    value = {"x": np.random.default_rng(0).normal(size=(2, 3)).astype("float32")}
    simple, _ = simplify(program)
    assert [o for o in ops(prune(simple)[0]) if o != "constant"] == left
    np.testing.assert_array_equal(execute(simple, value)[0], execute(program, value)[0])


def test_patterns_are_written_as_python() -> None:
    assert pattern("a + b") == pattern("add(a, b)")
    with pytest.raises(ValueError, match="no pattern"):
        pattern("f(a)")
    assert rules("x + 0 -> x")[0].text == "x + 0 -> x"


def test_folding_computes_constants_and_leaves_errors_for_the_run() -> None:
    def build(x: Any) -> Any:
        c = graph.constant([1.0, 2.0]) * 3.0 + 1.0
        return x * c

    program, changes = passes.fold(lowered(build, (2,)))
    assert ops(prune(program)[0]) == ["constant", "multiply"] and len(changes) == 2
    broken = lowered(lambda x: cr.embedding(graph.constant([7]), graph.constant([[1.0]])) * x, (1,))
    folded, _ = passes.fold(broken)
    with pytest.raises(cr.GraphError, match="lies outside"):
        execute(folded, {"x": [1.0]})


def test_sharing_keeps_apart_what_differs() -> None:
    def build(x: Any) -> Any:
        return (x.sum(0) + x.sum(0)).sum() + x.sum(1).sum() + (x * 1).sum() + (x * 1.0).sum()

    program, _ = share(lowered(build, (2, 3)))
    assert ops(program).count("sum") == 6  # one of the two sums over axis 0 has gone
    noise = lowered(lambda x: (graph.random_normal((2,)) - graph.random_normal((2,)), x), (1,))
    assert ops(share(noise)[0]) == ops(noise)
    with graph.Graph():
        n = graph.Variable(0)
        first = n.assign_add(1)
        with graph.control_dependencies([first]):
            reads = [n.read_value(), n.assign_add(1)]
        state = {n.name: np.array(0)}
        optimized = passes.optimize(graph.lower([first, *reads]))
    assert execute(optimized, {}, state)[2] == 2


def test_fusion_counts_one_kernel_and_keeps_lines() -> None:
    def build(x: Any, y: Any) -> Any:
        h = ((x * 2.0 + y).tanh() - y).exp()
        return h.sum() + h.mean(), (x @ y.T).relu()

    program = lowered(build, (4, 4), (4, 4))
    fused, _ = fuse(program)
    assert ops(fused) == ["fused", "sum", "mean", "add", "_permute", "matmul", "relu"]
    feeds = {n: np.random.default_rng(1).normal(size=(4, 4)) for n in "xy"}
    for a, b in zip(execute(fused, feeds), execute(program, feeds), strict=True):
        np.testing.assert_array_equal(a, b)
    _, kernels, moved = measure(fused)
    assert (kernels, measure(program)[1]) == (6, 10) and moved < measure(program)[2]
    body = next(s for s in fused.steps if s.op == "fused").options["body"]
    assert all("test_compiler.py" in s.line for s in body.steps if s.op != "placeholder")


def test_an_error_in_fused_code_names_the_line_that_made_it() -> None:
    program = lowered(lambda x: (x * 2.0).tanh(), (2,))
    fused, _ = fuse(program)
    inner = fused.steps[-1].options["body"]
    inner.steps[-1] = Step("tan", inner.steps[-1].inputs, {}, "bad", (2,), "float32", (), "a.py:7")
    with pytest.raises(cr.GraphError, match=r"'bad'.*a\.py:7"):
        execute(fused, {"x": [1.0, 2.0]})


def test_prune_drops_what_nobody_fetches() -> None:
    program = lowered(lambda x: (x.exp(), x.log()), (2,))
    program.fetches = program.fetches[:1]
    assert ops(prune(program)[0]) == ["exp"]


# ------------------------------------------------------------------------------------------ memory


@settings(max_examples=100, deadline=None)
@given(plans())
def test_no_buffer_is_written_over_while_somebody_needs_it(steps: list[Any]) -> None:
    with graph.Graph():
        nodes = [graph.placeholder("float64", (3, 3), name=n) for n in "xy"]
        node = follow(steps, *nodes)
        found = [g for g in graph.gradients(node, nodes) if g is not None]
        program = graph.lower([node, *found])
    roots = views(program)
    buffers = plan(program, roots)
    holder: dict[int, int] = {}  # which value a buffer holds at this moment
    for place, step in enumerate(program.steps):
        for i in step.inputs:
            root = roots.get(i, i) if isinstance(i, At) else None
            if root in buffers.of:
                assert holder[buffers.of[root]] == root, "a value was written over before its use"
        if place in buffers.of:
            holder[buffers.of[place]] = place
    for i in program.fetches:
        root = roots.get(i, i)
        assert root not in buffers.of or holder[buffers.of[root]] == root
    assert buffers.nbytes <= buffers.naive


def test_a_chain_needs_one_buffer() -> None:
    def build(x: Any) -> Any:
        for _ in range(50):
            x = (x * 0.5 + 1.0).tanh()
        return x

    assert plan(lowered(build, (100,))).nbytes == 400


def test_replay_refuses_what_it_cannot_hold() -> None:
    program = lowered(
        lambda x: graph.while_loop(lambda v: v.sum() < 9, lambda v: v + 1.0, [x]), (2,)
    )
    with pytest.raises(cr.GraphError, match="cannot hold 'while_loop'"):
        Replay(program, {"x": np.zeros(2)})
    with pytest.raises(cr.FeedError, match="needs an example"):
        Replay(lowered(lambda x: x + 1.0, (2,)))


def test_a_session_program_replays_with_its_variables() -> None:
    with graph.Graph(), graph.Session() as session:
        w = graph.Variable(np.ones((3, 2), "float32"))
        x = graph.placeholder("float32", (5, 3), name="x")
        loss = ((x @ w).tanh() ** 2).sum()
        train = graph.MomentumOptimizer(0.1, 0.9).minimize(loss)
        session.run(graph.global_variables_initializer())
        updates = [s for s in graph.lower([train]).steps if s.op.startswith("assign")]
        assert {s.op for s in updates} == {"assign", "assign_sub"}
        data = np.random.default_rng(0).normal(size=(5, 3)).astype("float32")
        (g,) = graph.gradients(loss, [w])
        program = graph.lower([loss, w.assign(w - 0.1 * g)])
        replay = Replay(program, {"x": data}, {w.name: session.state[w.name].copy()})
        step = w.assign(w - 0.1 * g)
        for _ in range(5):
            assert replay({"x": data})[0] == session.run([loss, step], {x: data})[0]
