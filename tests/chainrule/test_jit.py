"""`jit`: a replay does what the function did, guards notice what changed, traps are refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.compiler.jit import jit

RNG = np.random.default_rng(3)


def data(*shape: int) -> Any:
    return cr.tensor(RNG.normal(size=shape))


def net() -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    shapes = ((3, 4), (4, 2))
    a, b = (cr.tensor(rng.normal(size=s), requires_grad=True) for s in shapes)
    return a, b


def trainer(a: Any, b: Any, rate: float = 0.05) -> Any:
    def step(x: Any, y: Any) -> Any:
        a.grad = b.grad = None
        away = cr.tanh(x @ a) @ b - y
        loss = (away * away).mean()
        loss.backward()
        with cr.no_grad():
            a.sub_(a.grad, alpha=rate)
            b.sub_(b.grad, alpha=rate)
        return loss

    return step


def test_training_is_the_same_bit_by_bit() -> None:
    a, b = net()
    c, d = net()
    eager, traced = trainer(a, b), jit(trainer(c, d))
    for _ in range(20):
        x, y = data(6, 3), data(6, 2)
        assert eager(x, y).item() == traced(x, y).item()
        np.testing.assert_array_equal(a.data, c.data)
        np.testing.assert_array_equal(a.grad.data, c.grad.data)
    assert traced.traces == 1


def test_gradients_that_are_left_and_gradients_that_are_cleared() -> None:
    w = cr.tensor([1.0, 2.0], requires_grad=True)

    @jit
    def left(x: Any) -> Any:
        w.grad = None
        loss = (x * w * w).sum()
        loss.backward()
        return loss

    for k in (1.0, 2.0, 3.0):
        left(cr.full((2,), k))
        np.testing.assert_array_equal(w.grad.data, [2 * k, 4 * k])
    kept = w.grad
    left(cr.full((2,), 9.0))
    np.testing.assert_array_equal(kept.data, [6, 12])  # what was handed out stays


def test_adding_to_an_older_gradient_is_refused() -> None:
    w = cr.tensor([1.0], requires_grad=True)
    w.grad = cr.tensor([5.0])

    @jit
    def step(x: Any) -> Any:
        loss = (x * w).sum()
        loss.backward()
        return loss

    with pytest.raises(cr.TraceError, match="before the call is added to"):
        step(cr.ones(1))


def test_shapes_and_python_values_are_guarded() -> None:
    @jit
    def f(x: Any, power: int, flags: Any) -> Any:
        return {"out": x**power if flags["on"] else x, "n": power}

    for _ in range(3):
        assert f(cr.full((2,), 3.0), 2, {"on": True})["out"].tolist() == [9, 9]
        assert f(cr.full((3,), 3.0), 2, {"on": True})["out"].shape == (3,)
        assert f(cr.full((2,), 3.0), 3, {"on": True})["out"].tolist() == [27, 27]
        assert f(cr.full((2,), 3.0), 3, {"on": False})["out"].tolist() == [3, 3]
        assert f(cr.full((2,), 3), 3, {"on": False})["n"] == 3
    assert f.traces == 5


SCALE = 2.0


def test_names_from_outside_are_guarded() -> None:
    global SCALE
    shift = 1.0
    w = cr.tensor([1.0])

    @jit
    def f(x: Any) -> Any:
        return x * SCALE + shift + w

    assert f(cr.ones(1)).item() == 4
    SCALE = 3.0
    try:
        assert f(cr.ones(1)).item() == 5
    finally:
        SCALE = 2.0
    shift = 10.0
    assert f(cr.ones(1)).item() == 13
    w.data[:] = 5  # the same memory: read anew
    assert f(cr.ones(1)).item() == 17
    w.data = np.array([7.0], "float32")  # other memory: traced again
    assert f(cr.ones(1)).item() == 19
    w = cr.tensor([0.0])
    assert f(cr.ones(1)).item() == 12
    with cr.no_grad():
        assert f(cr.ones(1)).item() == 12
    assert f.traces == 6


def test_random_numbers_are_drawn_anew_and_as_eager_draws_them() -> None:
    eager, traced = np.random.default_rng(1), np.random.default_rng(1)
    f = jit(lambda x: cr.dropout(x, 0.5, rng=traced))
    x = cr.ones(100)
    seen = []
    for _ in range(4):
        out = f(x)
        np.testing.assert_array_equal(out.data, cr.dropout(x, 0.5, rng=eager).data)
        seen.append(out.data.tobytes())
    assert len(set(seen)) == 4


def test_a_seed_reaches_the_replays_that_share_the_generator() -> None:
    f = jit(lambda x: cr.dropout(x, 0.5))
    x = cr.ones(100)
    f(x)
    for _ in range(2):
        cr.manual_seed(3)
        seen = f(x).tolist()
        cr.manual_seed(3)
        assert seen == cr.dropout(x, 0.5).tolist()


def test_running_statistics_move_as_in_eager() -> None:
    mean, var = cr.zeros(3), cr.ones(3)
    mean2, var2 = cr.zeros(3), cr.ones(3)
    f = jit(lambda x: cr.batch_norm(x, mean, var, training=True))
    for _ in range(4):
        x = cr.tensor(RNG.normal(size=(8, 3)), dtype="float32")
        expected = cr.batch_norm(x, mean2, var2, training=True)
        np.testing.assert_allclose(f(x).data, expected.data, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(mean.data, mean2.data, rtol=1e-5)
        np.testing.assert_allclose(var.data, var2.data, rtol=1e-5)


def test_convolutions_pools_losses_and_embeddings() -> None:
    rng = np.random.default_rng(2)
    w = cr.tensor(rng.normal(size=(4, 1, 3, 3)), requires_grad=True)
    table = cr.tensor(rng.normal(size=(10, 4)), requires_grad=True)

    def loss(x: Any, words: Any, y: Any) -> Any:
        w.grad = table.grad = None
        h = cr.max_pool2d(cr.conv2d(x, w, padding=1).relu(), 2)
        h = h.mean((2, 3)) + cr.embedding(words, table)
        out = cr.cross_entropy(h, y)
        out.backward()
        return out

    traced = jit(loss)
    for seed in range(4):
        rng = np.random.default_rng(seed)
        x, words = cr.tensor(rng.normal(size=(5, 1, 6, 6))), cr.tensor(rng.integers(0, 10, 5))
        y = cr.tensor(rng.integers(0, 4, 5))
        expected = loss(x, words, y).item()
        gw, gt = w.grad.data.copy(), table.grad.data.copy()
        assert traced(x, words, y).item() == pytest.approx(expected, rel=1e-12)
        np.testing.assert_allclose(w.grad.data, gw, rtol=1e-10, atol=1e-14)
        np.testing.assert_allclose(table.grad.data, gt, rtol=1e-10, atol=1e-14)
    with pytest.raises(cr.AxisError, match="classes 0 to 3"):
        traced(x, words, cr.tensor([9] * 5))
    assert traced.traces == 1


def test_functions_and_second_derivatives() -> None:
    class Cube(cr.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x * x * x

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            (x,) = ctx.saved_tensors
            return 3 * x * x * g

    w = cr.tensor([2.0, 3.0], requires_grad=True)

    @jit
    def f(x: Any) -> Any:
        (g,) = cr.grad(Cube.apply(w * x).sum(), w, create_graph=True)
        (h,) = cr.grad(g.sum(), w)
        return g, h

    for k in (1.0, 2.0):
        g, h = f(cr.full((2,), k))
        np.testing.assert_allclose(g.data, 3 * k**3 * w.data**2)
        np.testing.assert_allclose(h.data, 6 * k**3 * w.data)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (lambda x: x if x.sum() > 0 else -x, "bool"),
        (lambda x: x * x.sum().item(), "item"),
        (lambda x: x * float(x[0]), "float"),
        (lambda x: x * cr.tensor(x), "number behind"),
        (lambda x: x * x.numpy(), "numpy"),
        (lambda x: x[cr.tensor([0]) * cr.cast(x[:1] * 0, dtype=int)], "as an index"),
        (lambda x: x * x.data[:1], r"\.data"),
    ],
)
def test_what_a_trace_would_bake_in_is_refused(body: Any, words: str) -> None:
    with pytest.raises(cr.TraceError, match=words):
        jit(body)(cr.ones(3))


def test_refusals() -> None:
    with pytest.raises(cr.TraceError, match="not arrays"):
        jit(lambda x: x)(np.ones(3))
    with pytest.raises(cr.TraceError, match="requires gradients"):
        jit(lambda x: x)(cr.ones(3, requires_grad=True))
    with pytest.raises(cr.TraceError, match="returns tensors"):
        jit(lambda x: object())(cr.ones(3))
    w = cr.ones(4)
    part = w[:2]

    @jit
    def views(x: Any) -> Any:
        with cr.no_grad():
            w.add_(x)
        return part + 1

    with pytest.raises(cr.TraceError, match="share memory"):
        views(cr.ones(4))

    @jit
    def stale(x: Any) -> Any:
        top = w[:2]
        with cr.no_grad():
            w.add_(x)
        return top + 1

    with pytest.raises(cr.TraceError, match="view is read after"):
        stale(cr.ones(4))

    @jit
    def restless(x: Any, n: int) -> Any:
        return x + n

    for n in range(64):
        restless(cr.ones(1), n)
    with pytest.raises(cr.TraceError, match="traced 64 times"):
        restless(cr.ones(1), 64)
    assert cr.ones(2).sum().item() == 2  # no trace is left open


def test_a_failing_trace_leaves_nothing_open() -> None:
    @jit
    def f(x: Any) -> Any:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        f(cr.ones(1))
    assert bool(cr.ones(1))


def test_traced_functions_nest() -> None:
    inner = jit(lambda x: x * 2.0)
    outer = jit(lambda x: inner(x) + 1.0)
    assert [outer(cr.full((1,), float(k))).item() for k in range(3)] == [1, 3, 5]
    assert (outer.traces, inner.traces) == (1, 0)


OPTIMIZERS = {
    "sgd": lambda ps: cr.optim.SGD(ps, lr=0.1),
    "momentum": lambda ps: cr.optim.SGD(ps, lr=0.1, momentum=0.9, nesterov=True),
    "dampened": lambda ps: cr.optim.SGD(ps, lr=0.1, momentum=0.9, dampening=0.5),
    "rmsprop": lambda ps: cr.optim.RMSprop(ps, lr=0.01, centered=True, momentum=0.5),
    "adam": lambda ps: cr.optim.Adam(ps, lr=0.01, amsgrad=True),
    "adamw": lambda ps: cr.optim.AdamW(ps, lr=0.01, weight_decay=0.1),
    "adagrad": lambda ps: cr.optim.Adagrad(ps, lr=0.1, lr_decay=0.01),
}


def model() -> Any:
    rng = np.random.default_rng(5)
    return cr.nn.Sequential(
        cr.nn.Linear(3, 8, rng=rng),
        cr.nn.BatchNorm1d(8),
        cr.nn.ReLU(),
        cr.nn.Dropout(0.2, rng=np.random.default_rng(6)),
        cr.nn.Linear(8, 4, rng=rng),
    )


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_modules_and_optimizers_train_as_in_eager(name: str) -> None:
    steps, nets = [], []
    for wrap in (lambda f: f, jit):
        net = model()
        optimizer = OPTIMIZERS[name](net.parameters())

        def step(x: Any, y: Any, net: Any = net, optimizer: Any = optimizer) -> Any:
            loss = cr.cross_entropy(net(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            return loss

        steps.append(wrap(step))
        nets.append(net)
    rng = np.random.default_rng(7)
    for _ in range(25):
        x = cr.tensor(rng.normal(size=(16, 3)), dtype="float32")
        y = cr.tensor(rng.integers(0, 4, 16))
        a, b = (s(x, y).item() for s in steps)
        assert a == pytest.approx(b, rel=2e-5)
    for (key, a), b in zip(
        nets[0].state_dict().items(), nets[1].state_dict().values(), strict=True
    ):
        np.testing.assert_allclose(a.data, b.data, rtol=2e-4, atol=2e-6, err_msg=key)
    assert steps[1].traces == 1


def test_a_mode_or_a_rate_that_changes_is_noticed() -> None:
    net = model()
    optimizer = cr.optim.SGD(net.parameters(), lr=0.5)
    predict = jit(lambda x: net(x))
    x = cr.ones(4, 3)
    predict(x)
    net.eval()
    np.testing.assert_allclose(predict(x).data, net(x).data, rtol=1e-6)
    assert predict.traces == 2
    w = net[0].weight

    @jit
    def step(x: Any) -> Any:
        optimizer.zero_grad()
        loss = (net(x) ** 2).sum()
        loss.backward()
        optimizer.step()
        return loss

    step(x)
    optimizer.param_groups[0]["lr"] = 0.0
    before = w.data.copy()
    step(x)
    np.testing.assert_array_equal(w.data, before)
    assert step.traces == 2
