"""Optimizers and schedules: trajectories equal PyTorch's, and go on exactly after a break."""

from __future__ import annotations

import copy
import math
import pickle
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule import nn, optim
from chainrule.optim import lr_scheduler as schedules
from chainrule.optim import optimizer as machinery
from chainrule.optim import rules

STEPS = 50

RECIPES: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "weight_decay": 0.2}),
    ("SGD", {"lr": 0.05, "momentum": 0.9}),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "nesterov": True}),
    ("SGD", {"lr": 0.05, "momentum": 0.8, "dampening": 0.3}),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.0005, "momentum": 0.5, "maximize": True, "weight_decay": 0.1}),
    ("RMSprop", {"lr": 0.05}),
    ("RMSprop", {"lr": 0.05, "alpha": 0.8, "eps": 0.01}),
    ("RMSprop", {"lr": 0.02, "momentum": 0.7}),
    ("RMSprop", {"lr": 0.02, "centered": True, "alpha": 0.9}),
    ("RMSprop", {"lr": 0.02, "centered": True, "momentum": 0.6, "weight_decay": 0.1}),
    ("RMSprop", {"lr": 0.02, "maximize": True}),
    ("Adam", {"lr": 0.1}),
    ("Adam", {"lr": 0.05, "betas": (0.7, 0.8), "eps": 0.1}),
    ("Adam", {"lr": 0.05, "weight_decay": 0.3}),
    ("Adam", {"lr": 0.05, "amsgrad": True, "betas": (0.9, 0.5)}),
    ("Adam", {"lr": 0.05, "maximize": True, "weight_decay": 0.1}),
    ("AdamW", {"lr": 0.1}),
    ("AdamW", {"lr": 0.05, "weight_decay": 0.5, "amsgrad": True, "betas": (0.8, 0.6)}),
    ("AdamW", {"lr": 0.05, "maximize": True}),
    ("Adagrad", {"lr": 0.5}),
    ("Adagrad", {"lr": 0.5, "lr_decay": 0.1, "weight_decay": 0.1, "eps": 0.01}),
    ("Adagrad", {"lr": 0.5, "maximize": True}),
]

every_recipe = pytest.mark.parametrize(("name", "how"), RECIPES, ids=str)

SHAPES = ((3, 4), (4,), (), (4, 1))
DATA = np.random.default_rng(0)
X, Y = DATA.normal(size=(8, 3)), DATA.normal(size=(8, 1))
FIRST = [DATA.normal(size=s) for s in SHAPES]


def begin(lib: Any, dtype: str = "float64") -> list[Any]:
    """Return the same four parameters in either library."""
    if lib is cr:
        return [nn.Parameter(cr.tensor(a, dtype=dtype)) for a in FIRST]
    return [lib.nn.Parameter(lib.tensor(a, dtype=getattr(lib, dtype))) for a in FIRST]


def forward(lib: Any, params: list[Any], step: int, dtype: str) -> None:
    """Set the gradients of a step; the second parameter has none in some, the last in most."""
    w, b, scale, u = params
    x, y = (lib.tensor(a.astype(dtype)) for a in (X + 0.1 * math.sin(step), Y))
    hidden = lib.tanh(x @ w + (0 if step % 3 == 1 else b))
    out = hidden @ (u if step % 5 == 0 else u.detach())
    ((out * scale - y) ** 2).mean().backward()


def trajectory(
    lib: Any,
    opt: Any,
    params: list[Any],
    steps: range,
    dtype: str = "float64",
    schedule: Any = None,
) -> list[list[Any]]:
    """Train and return the parameters after each step."""
    path = []
    for step in steps:
        opt.zero_grad()
        forward(lib, params, step, dtype)
        opt.step()
        if schedule is not None:
            schedule.step()
        path.append([np.array(p.detach().numpy(), copy=True) for p in params])
    return path


def near(mine: Any, theirs: Any, dtype: str = "float64") -> None:
    rtol, atol = (1e-10, 1e-12) if dtype == "float64" else (2e-3, 2e-4)
    for step, (a, b) in enumerate(zip(mine, theirs, strict=True)):
        for p, q in zip(a, b, strict=True):
            assert p.dtype == q.dtype == dtype
            np.testing.assert_allclose(p, q, rtol=rtol, atol=atol, err_msg=f"step {step}")


@every_recipe
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_trajectories_equal_pytorchs(name: str, how: dict[str, Any], dtype: str) -> None:
    torch = pytest.importorskip("torch")
    mine, theirs = begin(cr, dtype), begin(torch, dtype)
    here, there = getattr(optim, name)(mine, **how), getattr(torch.optim, name)(theirs, **how)
    path = trajectory(cr, here, mine, range(STEPS), dtype)
    near(path, trajectory(torch, there, theirs, range(STEPS), dtype), dtype)
    moved = abs(path[-1][0] - FIRST[0]).max()
    assert 0.01 < moved < 1e6
    for p in mine:
        for value in here.state[p].values():
            assert value.dtype == dtype or value.ndim == 0


@every_recipe
def test_training_goes_on_exactly(name: str, how: dict[str, Any]) -> None:
    """Half way the state is pickled, and taken over by new parameters and a new optimizer."""
    params = begin(cr)
    whole = trajectory(cr, getattr(optim, name)(params, **how), params, range(STEPS))
    params = begin(cr)
    first = getattr(optim, name)(params, **how)
    trajectory(cr, first, params, range(23))
    saved = pickle.loads(pickle.dumps(first.state_dict()))
    others = [nn.Parameter(p.data.copy()) for p in params]
    second = getattr(optim, name)(others, lr=77.0)
    second.load_state_dict(saved)
    rest = trajectory(cr, second, others, range(23, STEPS))
    for a, b in zip(whole[23:], rest, strict=True):
        for p, q in zip(a, b, strict=True):
            np.testing.assert_array_equal(p, q)


@every_recipe
def test_training_goes_on_from_pytorch_and_back(name: str, how: dict[str, Any]) -> None:
    torch = pytest.importorskip("torch")
    theirs = begin(torch)
    whole = trajectory(torch, getattr(torch.optim, name)(theirs, **how), theirs, range(30))
    theirs = begin(torch)
    there = getattr(torch.optim, name)(theirs, **how)
    trajectory(torch, there, theirs, range(10))
    mine = [nn.Parameter(p.detach().numpy().copy()) for p in theirs]
    here = getattr(optim, name)(mine, **how)
    here.load_state_dict(there.state_dict())
    near(trajectory(cr, here, mine, range(10, 20)), whole[10:20])

    back = here.state_dict()
    options = copy.deepcopy(there.state_dict()["param_groups"])
    state = {
        i: {k: torch.tensor(np.array(v.data)) for k, v in s.items()}
        for i, s in back["state"].items()
    }
    final = [torch.nn.Parameter(torch.tensor(p.data)) for p in mine]
    again = getattr(torch.optim, name)(final, **how)
    again.load_state_dict({"state": state, "param_groups": options})
    near(trajectory(torch, again, final, range(20, 30)), whole[20:])


def test_tiny_gradients_tell_where_eps_stands() -> None:
    """Gradients of 1e-8 are as large as eps: inside the root, it shows."""
    torch = pytest.importorskip("torch")
    for name in ("Adam", "AdamW", "RMSprop", "Adagrad"):
        p = nn.Parameter(cr.tensor([1.0, 1.0], dtype="float64"))
        q = torch.nn.Parameter(torch.tensor([1.0, 1.0], dtype=torch.float64))
        here, there = getattr(optim, name)([p], lr=0.1), getattr(torch.optim, name)([q], lr=0.1)
        for k in range(5):
            g = np.array([1e-8, -3e-10]) * (1 + k)
            p.grad, q.grad = cr.tensor(g), torch.tensor(g)
            here.step(), there.step()
        np.testing.assert_allclose(p.data, q.detach().numpy(), rtol=1e-13)


def test_groups_equal_pytorchs() -> None:
    torch = pytest.importorskip("torch")
    paths = []
    for lib, module in ((cr, optim), (torch, torch.optim)):
        params = begin(lib)
        groups = [
            {"params": params[:2]},
            {"params": params[2], "lr": 0.3, "momentum": 0.0},
        ]
        opt = module.SGD(groups, lr=0.05, momentum=0.9)
        opt.add_param_group({"params": [params[3]], "weight_decay": 0.5})
        assert [g["lr"] for g in opt.param_groups] == [0.05, 0.3, 0.05]
        assert [g["weight_decay"] for g in opt.param_groups] == [0, 0, 0.5]
        paths.append(trajectory(lib, opt, params, range(STEPS)))
        numbers = [g["params"] for g in opt.state_dict()["param_groups"]]
        assert numbers == [[0, 1], [2], [3]]
    near(*paths)


def test_clipping_within_training_equals_pytorchs() -> None:
    torch = pytest.importorskip("torch")
    paths = []
    for lib, module in ((cr, optim), (torch, torch.optim)):
        params = begin(lib)
        opt, path = module.Adam(params, lr=0.1), []
        for step in range(STEPS):
            opt.zero_grad()
            forward(lib, params, step, "float64")
            lib.nn.utils.clip_grad_norm_(params, 0.1)
            opt.step()
            path.append([np.array(p.detach().numpy(), copy=True) for p in params])
        paths.append(path)
    near(*paths)


def test_large_parameters_are_moved_in_pieces_all_the_same(monkeypatch: Any) -> None:
    rng = np.random.default_rng(0)
    first, grads = rng.normal(size=(7, 13)), [rng.normal(size=(7, 13)) for _ in range(4)]
    for name, how in RECIPES:
        ends = []
        for size, order in ((10**9, "C"), (10, "C"), (10, "F")):
            monkeypatch.setattr(machinery, "PIECE", size)
            p = nn.Parameter(np.array(first))
            opt = getattr(optim, name)([p], **how)
            for g in grads:
                p.grad = cr.Tensor(np.array(g, order=order))  # type: ignore[call-overload]
                opt.step()
            ends.append(p.data)
        np.testing.assert_array_equal(ends[0], ends[1])
        np.testing.assert_array_equal(ends[0], ends[2])
        p = nn.Parameter(np.array(first).T)  # memory in another order
        opt = getattr(optim, name)([p], **how)
        for g in grads:
            p.grad = cr.Tensor(g.T)
            opt.step()
        np.testing.assert_array_equal(ends[0], p.data.T)


# ----------------------------------------------------------------------------------- what it does


def test_a_step_writes_in_place_and_is_noticed() -> None:
    w = nn.Parameter(cr.tensor([1.0, 2.0]))
    memory, loss = w.data, (w * w).sum()
    loss.backward(retain_graph=True)
    grad = w.grad.data.copy()
    optim.Adam([w], weight_decay=0.1).step()
    assert w.data is memory and w._version == 1 and w.is_leaf and w.requires_grad
    np.testing.assert_array_equal(w.grad.data, grad)
    with pytest.raises(cr.InPlaceError, match="version is now 1"):
        loss.backward()


def test_without_gradient_nothing_moves() -> None:
    w, u = nn.Parameter(cr.ones(1)), nn.Parameter(cr.ones(1))
    opt = optim.Adam([w, u], lr=0.1, weight_decay=0.5)
    w.grad = cr.zeros(1)
    opt.step()
    assert u.item() == 1 and w.item() < 1 and u not in opt.state and w in opt.state


def test_zero_grad() -> None:
    w = nn.Parameter(cr.ones(2))
    opt = optim.SGD([w], lr=0.1)
    (w * 3).sum().backward()
    grad = w.grad
    opt.zero_grad(set_to_none=False)
    assert w.grad is grad and grad.tolist() == [0, 0]
    (w * w).sum().backward(create_graph=True)
    opt.zero_grad(set_to_none=False)
    assert w.grad.tolist() == [0, 0] and not w.grad.requires_grad
    opt.zero_grad()
    assert w.grad is None
    opt.zero_grad(set_to_none=False)


def test_closure_runs_while_recording() -> None:
    w = nn.Parameter(cr.tensor(2.0))
    opt = optim.SGD([w], lr=0.25)

    def closure() -> Any:
        opt.zero_grad()
        loss = w * w
        loss.backward()
        return loss

    with cr.no_grad():
        assert opt.step(closure).item() == 4
    assert w.item() == 1


def test_rules_change_nothing_that_they_are_given() -> None:
    assert set(rules.SLOTS) == {cls.rule for cls in (optim.SGD, optim.RMSprop, optim.Adam,
                                                     optim.AdamW, optim.Adagrad)}  # fmt: skip
    assert optim.RMSProp is optim.RMSprop
    rng = np.random.default_rng(0)
    for name, how in RECIPES:
        opt = getattr(optim, name)([nn.Parameter(cr.zeros(1))], **how)
        options, rule = opt.param_groups[0], type(opt).rule
        state: dict[str, Any] = {
            k: rng.random(5) + (k == "square_avg") for k in rules.slots(rule, options)
        }
        given = [rng.normal(size=5), rng.normal(size=5), {**state, "step": 3.0}]
        before = copy.deepcopy(given)
        _, new = rule(*given, options)
        assert set(new) == set(state) or not state
        for a, b in zip(given[:2], before[:2], strict=True):
            np.testing.assert_array_equal(a, b)
        for key, value in given[2].items():
            np.testing.assert_array_equal(value, before[2][key])


def test_rules_run_on_tensors_as_on_arrays() -> None:
    """So that a traced step is the same step."""
    rng = np.random.default_rng(0)
    for name, how in RECIPES:
        opt = getattr(optim, name)([nn.Parameter(cr.zeros(1))], **how)
        options, rule = opt.param_groups[0], type(opt).rule
        for dtype in ("float32", "float64"):
            p, g = (rng.normal(size=5).astype(dtype) for _ in range(2))
            names = rules.slots(rule, options)
            state = {k: (rng.random(5) + (k == "square_avg")).astype(dtype) for k in names}
            new, after = rule(p, g, {**state, "step": 3.0}, options)
            there = {k: cr.tensor(v) for k, v in state.items()}
            there["step"] = cr.tensor(3.0, dtype="float64")
            other, then = rule(cr.tensor(p), cr.tensor(g), there, options)
            assert other.dtype == dtype == new.dtype
            rtol = 1e-6 if dtype == "float32" else 1e-14
            np.testing.assert_allclose(other.data, new, rtol=rtol)
            for key in after:
                assert after[key].dtype == dtype
                np.testing.assert_allclose(then[key].data, after[key], rtol=rtol)


def test_optimizers_of_ones_own() -> None:
    class Signs(optim.Optimizer):
        def __init__(self, params: Any, lr: float) -> None:
            super().__init__(params, {"lr": lr})

        def step(self, closure: Any = None) -> None:
            with cr.no_grad():
                for group in self.param_groups:
                    for p in group["params"]:
                        p -= group["lr"] * p.grad.sign()

    w = nn.Parameter(cr.tensor([1.0, -1.0]))
    opt = Signs([w], lr=0.5)
    (w * w).sum().backward()
    opt.step()
    assert w.tolist() == [0.5, -0.5]
    opt.load_state_dict(opt.state_dict())


def w1() -> Any:
    return nn.Parameter(cr.zeros(1))


ERRORS: list[tuple[Any, type[Exception], str]] = [
    (lambda: optim.SGD([]), cr.OptionError, "empty"),
    (lambda: optim.SGD(w1()), cr.DTypeError, "a list"),
    (lambda: optim.SGD([np.zeros(1)]), cr.DTypeError, "ndarray"),
    (lambda: optim.SGD([w1() * 2]), cr.DTypeError, "leaves"),
    (lambda: optim.SGD([w1()] * 2), cr.OptionError, "more than once"),
    (lambda: optim.SGD([w1()], lr=-1), cr.OptionError, "lr is at least 0, not -1"),
    (lambda: optim.SGD([w1()], lr=math.nan), cr.OptionError, "lr is at least 0, not nan"),
    (lambda: optim.SGD([w1()], momentum=-1), cr.OptionError, "momentum"),
    (lambda: optim.SGD([w1()], weight_decay=-1), cr.OptionError, "weight_decay"),
    (lambda: optim.SGD([w1()], nesterov=True), cr.OptionError, "nesterov"),
    (lambda: optim.SGD([w1()], momentum=1, dampening=1, nesterov=True), cr.OptionError, "damp"),
    (lambda: optim.Adam([w1()], betas=(0.9, 1.0)), cr.OptionError, "betas"),
    (lambda: optim.Adam([w1()], eps=-1), cr.OptionError, "eps"),
    (lambda: optim.RMSprop([w1()], alpha=-1), cr.OptionError, "alpha"),
    (lambda: optim.Adagrad([w1()], lr_decay=-1), cr.OptionError, "lr_decay"),
    (lambda: optim.SGD([{"params": [w1()], "lr": -2}]), cr.OptionError, "-2"),
    (lambda: schedules.StepLR(3, 1), cr.OptionError, "Optimizer"),
    (lambda: schedules.StepLR(optim.SGD([w1()]), 1, last_epoch=3), cr.OptionError, "initial_lr"),
    (lambda: schedules.LinearLR(optim.SGD([w1()]), 0.0), cr.OptionError, "start_factor"),
    (lambda: schedules.LambdaLR(optim.SGD([w1()]), []), cr.OptionError, "0 functions"),
]


@pytest.mark.parametrize(("call", "kind", "words"), ERRORS)
def test_errors_say_what_was_wrong(call: Any, kind: Any, words: str) -> None:
    with pytest.raises(kind, match=words):
        call()


def test_state_that_does_not_fit_is_refused() -> None:
    params = begin(cr)
    opt = optim.Adam([{"params": params[:2]}, {"params": params[2:]}], lr=0.1)
    trajectory(cr, opt, params, range(2))
    before = copy.deepcopy(opt.state_dict())
    one = optim.Adam(begin(cr))
    with pytest.raises(cr.StateError, match=r"\[2, 2\].*\[4\]"):
        one.load_state_dict(before)
    bad = copy.deepcopy(before)
    bad["state"][0]["exp_avg"] = cr.zeros(4, 3)
    bad["param_groups"][0]["lr"] = 5.0
    with pytest.raises(cr.StateError, match=r"exp_avg.*\(4, 3\).*\(3, 4\)"):
        opt.load_state_dict(bad)
    assert opt.param_groups[0]["lr"] == 0.1
    with pytest.raises(cr.StateError, match="exp_avg"):
        optim.SGD(params).load_state_dict({**before, "param_groups": one_group(4)})
    schedule = schedules.StepLR(opt, 1)
    with pytest.raises(cr.StateError, match="3 groups"):
        schedule.load_state_dict({**schedule.state_dict(), "base_lrs": [1, 2, 3]})


def one_group(count: int) -> list[dict[str, Any]]:
    return [{"params": list(range(count))}]


def test_loaded_state_is_a_copy() -> None:
    params = begin(cr)
    opt = optim.SGD(params, lr=0.1, momentum=0.9)
    trajectory(cr, opt, params, range(1))
    state = opt.state_dict()
    other = optim.SGD(params, lr=0.2)
    other.load_state_dict(state)
    assert other.param_groups[0]["lr"] == 0.1
    mine = other.state[params[0]]["momentum_buffer"]
    assert not np.shares_memory(mine.data, state["state"][0]["momentum_buffer"].data)
    assert "lr: 0.1" in repr(other) and repr(other).startswith("SGD (")


# -------------------------------------------------------------------------------------- schedules


def lambdas(lib: Any) -> Any:
    return [lambda epoch: 0.9**epoch, lambda epoch: 1 / (1 + epoch)]


SCHEDULES: list[tuple[str, Any]] = [
    ("StepLR", {"step_size": 3, "gamma": 0.5}),
    ("MultiStepLR", {"milestones": [2, 5, 5, 40], "gamma": 0.3}),
    ("ExponentialLR", {"gamma": 0.9}),
    ("CosineAnnealingLR", {"T_max": 10, "eta_min": 0.01}),
    ("CosineAnnealingLR", {"T_max": 7}),
    ("LinearLR", {}),
    ("LinearLR", {"start_factor": 0.5, "end_factor": 0.1, "total_iters": 11}),
    ("LambdaLR", {"lr_lambda": lambda epoch: 1 / math.sqrt(1 + epoch)}),
    ("LambdaLR", {"lr_lambda": [lambda epoch: 0.9**epoch, lambda epoch: 1 / (1 + epoch)]}),
]
SCHEDULE_NAMES = [f"{name} {i}" for i, (name, _) in enumerate(SCHEDULES)]


def scheduled(lib: Any, module: Any, names: list[tuple[str, Any]]) -> tuple[Any, list[Any], Any]:
    params = begin(lib)
    groups = [{"params": params[:2]}, {"params": params[2:], "lr": 0.3}]
    opt = module.SGD(groups, lr=0.1, momentum=0.5)
    return opt, params, [getattr(module.lr_scheduler, n)(opt, **how) for n, how in names]


@pytest.mark.parametrize(("name", "how"), SCHEDULES, ids=SCHEDULE_NAMES)
def test_schedules_equal_pytorchs(name: str, how: Any) -> None:
    torch = pytest.importorskip("torch")
    results = []
    for lib, module in ((cr, optim), (torch, torch.optim)):
        opt, params, (schedule,) = scheduled(lib, module, [(name, how)])
        rates, path = [schedule.get_last_lr()], []
        for step in range(STEPS):
            path += trajectory(lib, opt, params, range(step, step + 1), schedule=schedule)
            rates.append(list(schedule.get_last_lr()))
        results.append((rates, path))
    np.testing.assert_allclose(results[0][0], results[1][0], rtol=1e-12, atol=1e-15)
    assert len(np.unique(results[0][0])) > 4
    near(results[0][1], results[1][1])


def test_schedules_work_together_as_in_pytorch() -> None:
    torch = pytest.importorskip("torch")
    rates = []
    for lib, module in ((cr, optim), (torch, torch.optim)):
        both = [("LinearLR", {"total_iters": 4}), ("ExponentialLR", {"gamma": 0.9})]
        opt, _, parts = scheduled(lib, module, both)
        assert parts[1].base_lrs == [0.1, 0.3]
        seen = []
        for _ in range(12):
            opt.step()
            for part in parts:
                part.step()
            seen.append([g["lr"] for g in opt.param_groups])
        rates.append(seen)
    np.testing.assert_allclose(*rates, rtol=1e-12)


@pytest.mark.parametrize(("name", "how"), SCHEDULES, ids=SCHEDULE_NAMES)
def test_schedules_go_on_exactly(name: str, how: Any) -> None:
    opt, params, (schedule,) = scheduled(cr, optim, [(name, how)])
    whole = trajectory(cr, opt, params, range(20), schedule=schedule)
    opt, params, (schedule,) = scheduled(cr, optim, [(name, how)])
    trajectory(cr, opt, params, range(8), schedule=schedule)
    saved = pickle.loads(pickle.dumps((opt.state_dict(), schedule.state_dict())))
    values = [p.data.copy() for p in params]
    opt, params, (schedule,) = scheduled(cr, optim, [(name, how)])
    for p, value in zip(params, values, strict=True):
        p.data[...] = value
    opt.load_state_dict(saved[0])
    schedule.load_state_dict(saved[1])
    assert schedule.last_epoch == 8
    rest = trajectory(cr, opt, params, range(8, 20), schedule=schedule)
    for a, b in zip(whole[8:], rest, strict=True):
        for p, q in zip(a, b, strict=True):
            np.testing.assert_array_equal(p, q)


# ----------------------------------------------------------------------------- a model as a whole


def test_a_model_trains_as_in_pytorch() -> None:
    """Convolution, batch norm, pooling, an LSTM, an embedding; Adam, clipping, a schedule."""
    torch = pytest.importorskip("torch")

    def build(lib: Any) -> Any:
        return lib.ModuleDict(
            {
                "image": lib.Sequential(
                    lib.Conv2d(1, 2, 3, padding=1), lib.BatchNorm2d(2), lib.ReLU(),
                    lib.MaxPool2d(2), lib.Flatten(), lib.Linear(8, 4),
                ),
                "word": lib.Embedding(5, 3, padding_idx=0),
                "text": lib.LSTM(3, 4, num_layers=2, batch_first=True),
                "norm": lib.LayerNorm(4),
                "head": lib.Linear(4, 3),
            }
        )  # fmt: skip

    theirs = build(torch.nn).double()
    mine = build(nn).double()
    mine.load_state_dict(theirs.state_dict())
    rng, losses = np.random.default_rng(0), []
    batches = [
        (rng.normal(size=(6, 1, 4, 4)), rng.integers(0, 5, (6, 7)), rng.integers(0, 3, 6))
        for _ in range(STEPS)
    ]
    for lib, net, module in ((cr, mine, optim), (torch, theirs, torch.optim)):
        opt = module.AdamW(net.parameters(), lr=0.02)
        schedule = module.lr_scheduler.CosineAnnealingLR(opt, T_max=STEPS)
        path = []
        for images, words, labels in batches:
            opt.zero_grad()
            states, _ = net["text"](net["word"](lib.tensor(words)))
            sums = net["image"](lib.tensor(images)) + states[:, -1]
            scores = net["head"](net["norm"](sums))
            loss = lib.nn.CrossEntropyLoss()(scores, lib.tensor(labels))
            loss.backward()
            lib.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            opt.step()
            schedule.step()
            path.append(loss.item())
        losses.append(path)
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-9)
    for name, value in theirs.state_dict().items():
        np.testing.assert_allclose(
            mine.state_dict()[name].data, value.numpy(), rtol=1e-7, atol=1e-9, err_msg=name
        )
