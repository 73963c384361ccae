"""Every loss against PyTorch's, with every reduction and option; and what acts on all gradients."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule import nn

CASES: dict[str, tuple[str, dict[str, Any], Any]] = {}


def loss(title: str, name: str, draw: Any, **how: Any) -> None:
    for reduction in ("mean", "sum", "none"):
        CASES[f"{name} {title} {reduction}"] = (name, {**how, "reduction": reduction}, draw)


def two(*shape: int) -> Any:
    return lambda rng: (rng.normal(size=shape), rng.normal(size=shape))


def probabilities(*shape: int) -> Any:
    return lambda rng: (rng.uniform(0.01, 0.99, shape), rng.uniform(0, 1, shape))


def edges(rng: np.random.Generator) -> Any:
    return np.array([0.0, 0.0, 1.0, 1.0, 1e-300, 0.5]), np.array([0.0, 1.0, 0.0, 1.0, 1.0, 1.0])


def scores(*shape: int) -> Any:
    return lambda rng: (rng.normal(0, 30, size=shape), rng.uniform(0, 1, shape))


def picks(*shape: int, scale: float = 1.0) -> Any:
    left = shape[:1] + shape[2:] if len(shape) > 1 else ()
    c = shape[1] if len(shape) > 1 else shape[0]
    return lambda rng: (scale * rng.normal(size=shape), np.asarray(rng.integers(0, c, left)))


def spread(*shape: int) -> Any:
    def draw(rng: np.random.Generator) -> Any:
        p = rng.uniform(size=shape)
        return rng.normal(size=shape), p / p.sum(axis=1, keepdims=True)

    return draw


WEIGHT = np.array([0.5, 2.0, 1.0, 0.1])

for name in ("MSELoss", "L1Loss"):
    loss("rows", name, two(3, 4))
    loss("number", name, two())
loss("inside", "BCELoss", probabilities(3, 4))
loss("edges", "BCELoss", edges)
loss("weighted", "BCELoss", probabilities(3, 4), weight=WEIGHT)
loss("plain", "BCEWithLogitsLoss", scores(3, 4))
loss("weighted", "BCEWithLogitsLoss", scores(3, 4), weight=WEIGHT)
loss("positive", "BCEWithLogitsLoss", scores(3, 4), pos_weight=WEIGHT)
for name in ("NLLLoss", "CrossEntropyLoss"):
    loss("rows", name, picks(6, 4))
    loss("one", name, picks(4))
    loss("images", name, picks(2, 4, 3, 2))
    loss("weighted", name, picks(6, 4), weight=WEIGHT)
    loss("weighted images", name, picks(2, 4, 3), weight=WEIGHT)
    loss("ignoring", name, picks(9, 4), ignore_index=2)
    loss("ignoring weighted", name, picks(9, 4), ignore_index=2, weight=WEIGHT)
for label, more in (("", {}), ("weighted", {"weight": WEIGHT})):
    loss(f"smooth {label}", "CrossEntropyLoss", picks(6, 4), label_smoothing=0.3, **more)
    loss(f"smooth images {label}", "CrossEntropyLoss", picks(2, 4, 3), label_smoothing=0.3, **more)
    loss(f"probable {label}", "CrossEntropyLoss", spread(6, 4), **more)
    loss(
        f"probable smooth {label}", "CrossEntropyLoss", spread(2, 4, 3), label_smoothing=0.3, **more
    )
loss("smooth one", "CrossEntropyLoss", picks(4), label_smoothing=0.3)
loss(
    "smooth ignoring",
    "CrossEntropyLoss",
    picks(9, 4),
    ignore_index=1,
    label_smoothing=0.3,
    weight=WEIGHT,
)
loss("far", "CrossEntropyLoss", picks(6, 4, scale=1e3))


@pytest.mark.parametrize("title", CASES)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_losses_and_gradients_equal_pytorchs(title: str, dtype: str) -> None:
    torch = pytest.importorskip("torch")
    name, how, draw = CASES[title]
    x, target = draw(np.random.default_rng(3))
    x = np.asarray(x, dtype)
    target = np.asarray(target, dtype if np.asarray(target).dtype.kind == "f" else np.int64)
    mine, theirs = dict(how), dict(how)
    for key in ("weight", "pos_weight"):
        if key in how:
            mine[key] = cr.tensor(how[key], dtype=dtype)
            theirs[key] = torch.tensor(how[key], dtype=getattr(torch, dtype))
    p, q = cr.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    floats = target.dtype.kind == "f" and "edges" not in title
    t = cr.tensor(target, requires_grad=floats)
    u = torch.tensor(target, requires_grad=floats)
    out = getattr(nn, name)(**mine)(p, t)
    other = getattr(torch.nn, name)(**theirs)(q, u)
    rtol, atol = (1e-10, 1e-12) if dtype == "float64" else (2e-4, 1e-5)
    assert out.shape == tuple(other.shape) and out.dtype == dtype
    np.testing.assert_allclose(out.data, other.detach().numpy(), rtol=rtol, atol=atol)
    upstream = np.random.default_rng(4).normal(size=out.shape).astype(dtype)
    out.backward(cr.tensor(upstream))
    other.backward(torch.tensor(upstream))
    np.testing.assert_allclose(p.grad.data, q.grad.numpy(), rtol=rtol, atol=atol)
    if floats and u.grad is not None:
        np.testing.assert_allclose(t.grad.data, u.grad.numpy(), rtol=rtol, atol=atol)


def test_second_derivatives_of_losses() -> None:
    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(3, 4)), rng.uniform(0.1, 0.9, (3, 4))
    labels = cr.tensor(rng.integers(0, 4, 3))
    for call in (nn.functional.mse_loss, nn.functional.binary_cross_entropy_with_logits):
        cr.gradgradcheck(call, [x, t], method="directional", rtol=1e-4, atol=1e-6)
    cr.gradgradcheck(
        lambda x, t: nn.functional.binary_cross_entropy(x.sigmoid(), t), [x, t],
        method="directional", rtol=1e-4, atol=1e-6,
    )  # fmt: skip
    smooth = nn.CrossEntropyLoss(label_smoothing=0.1)
    cr.gradgradcheck(lambda x: smooth(x, labels), [x], method="directional", rtol=1e-4, atol=1e-6)


def test_padding_may_be_ignored() -> None:
    scores = cr.tensor([[1.0, 2.0], [5.0, -1.0]], requires_grad=True)
    some = nn.functional.cross_entropy(scores, cr.tensor([1, -100]))
    np.testing.assert_allclose(some.item(), math.log(1 + math.exp(-1)), rtol=1e-6)
    some.backward()
    assert not scores.grad.data[1].any()
    none = nn.functional.cross_entropy(scores, cr.tensor([-100, -100]), reduction="sum")
    assert none.item() == 0


def test_losses_have_state_and_refuse() -> None:
    assert list(nn.NLLLoss(weight=cr.ones(2)).state_dict()) == ["weight"]
    assert list(nn.MSELoss().state_dict()) == []
    with pytest.raises(cr.OptionError, match="reduction"):
        nn.MSELoss("avg")
    with pytest.raises(cr.OptionError, match="between 0 and 1"):
        nn.BCELoss()(cr.tensor([1.5]), cr.ones(1))
    with pytest.raises(cr.ShapeError, match=r"\(2,\)"):
        nn.BCELoss()(cr.full((2,), 0.5), cr.ones(1))
    with pytest.raises(cr.ShapeError, match=r"\(2,\)"):
        nn.BCEWithLogitsLoss()(cr.ones(2), cr.ones(1))
    for bad in ([0, 2], [0, -1]):
        with pytest.raises(cr.AxisError, match="classes 0 to 1"):
            nn.NLLLoss()(cr.ones(2, 2), cr.tensor(bad))
    with pytest.raises(cr.ShapeError, match="weights"):
        nn.NLLLoss(weight=cr.ones(3))(cr.ones(2, 2), cr.tensor([0, 1]))
    with pytest.raises(cr.ShapeError):
        nn.NLLLoss()(cr.ones(2, 2), cr.tensor([0, 1, 1]))
    with pytest.raises(cr.OptionError, match="label_smoothing"):
        nn.CrossEntropyLoss(label_smoothing=2)(cr.ones(2, 2), cr.tensor([0, 1]))
    with pytest.warns(UserWarning, match=r"\(2, 1\).*\(2,\).*broadcast"):
        nn.MSELoss()(cr.ones(2, 1), cr.ones(2))


# -------------------------------------------------------------------------- all gradients at once


def grads(seed: int, dtype: str = "float64") -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.normal(size=s).astype(dtype) for s in ((3, 4), (4,), (), (2, 1, 2))]


@pytest.mark.parametrize("norm", [1.0, 2.0, 3.0, math.inf])
@pytest.mark.parametrize("most", [0.5, 100.0])
def test_clipping_by_norm_equals_pytorchs(norm: float, most: float) -> None:
    torch = pytest.importorskip("torch")
    mine = [nn.Parameter(np.zeros_like(g)) for g in grads(0)]
    theirs = [torch.nn.Parameter(torch.zeros(g.shape, dtype=torch.float64)) for g in grads(0)]
    for p, q, g in zip(mine, theirs, grads(0), strict=True):
        p.grad, q.grad = cr.tensor(g), torch.tensor(g)
    mine[1].grad = theirs[1].grad = None
    total = nn.utils.clip_grad_norm_(mine, most, norm)
    other = torch.nn.utils.clip_grad_norm_(theirs, most, norm)
    np.testing.assert_allclose(total.item(), other.item(), rtol=1e-12)
    for p, q in zip(mine, theirs, strict=True):
        if q.grad is not None:
            np.testing.assert_allclose(p.grad.data, q.grad.numpy(), rtol=1e-12)
    assert mine[1].grad is None


def test_clipping_by_hand() -> None:
    w = nn.Parameter(cr.zeros(2))
    w.grad = cr.tensor([3.0, -4.0])
    assert nn.utils.clip_grad_norm_(w, 10.0).item() == 5 and w.grad.tolist() == [3, -4]
    version = w.grad._version
    assert nn.utils.clip_grad_norm_(iter([w]), 1.0).dtype == np.float32
    np.testing.assert_allclose(w.grad.data, [0.6, -0.8], rtol=1e-5)
    assert w.grad.dtype == np.float32 and w.grad._version > version
    nn.utils.clip_grad_value_([w, nn.Parameter(cr.zeros(1))], 0.7)
    np.testing.assert_allclose(w.grad.data, [0.6, -0.7], rtol=1e-5)
    w.grad = cr.tensor([math.inf, 1.0])
    with pytest.raises(cr.OptionError, match="inf"):
        nn.utils.clip_grad_norm_(w, 1.0, error_if_nonfinite=True)
    assert nn.utils.clip_grad_norm_([], 1.0).item() == 0


def test_clipping_is_traced() -> None:
    """What `jit` replays clips each step's own gradients."""
    paths = []
    for wrap in (lambda f: f, cr.jit):
        w = nn.Parameter(cr.tensor([1.0, -2.0, 0.5]))
        opt = cr.optim.SGD([w], lr=0.1)

        def step(x: Any, w: Any = w, opt: Any = opt) -> Any:
            opt.zero_grad()
            (w * x).sum().backward()
            total = nn.utils.clip_grad_norm_([w], 1.5)
            nn.utils.clip_grad_value_([w], 1.0)
            opt.step()
            return total

        call = wrap(step)
        sizes = [call(cr.full((3,), float(k))).item() for k in (3, 0.1, 1, 5)]
        paths.append([sizes, w.data.tolist()])
    np.testing.assert_allclose(paths[0][0], [3**0.5 * k for k in (3, 0.1, 1, 5)], rtol=1e-6)
    np.testing.assert_allclose(paths[0][0], paths[1][0], rtol=1e-6)
    np.testing.assert_allclose(paths[0][1], paths[1][1], rtol=1e-6)


def test_parameters_as_one_vector() -> None:
    net = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1))
    vector = nn.utils.parameters_to_vector(net.parameters())
    assert vector.shape == (11,)
    (vector * cr.arange(11.0)).sum().backward()
    assert net[0].bias.grad.tolist() == [6, 7]
    other = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1))
    nn.utils.vector_to_parameters(vector.detach(), other.parameters())
    for p, q in zip(net.parameters(), other.parameters(), strict=True):
        np.testing.assert_array_equal(p.data, q.data)
        assert q.requires_grad and q._version and not np.shares_memory(q.data, vector.data)
    with pytest.raises(cr.ShapeError, match="11"):
        nn.utils.vector_to_parameters(cr.ones(12), other.parameters())
