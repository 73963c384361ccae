"""Modules: the registry, walks, modes, state, hooks; against PyTorch where it has the same."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule import nn


class Net(nn.Module):
    """Two layers, one of them used twice under two names, a plain parameter and buffers."""

    def __init__(self, lib: Any = nn, zeros: Any = cr.zeros) -> None:
        super().__init__()
        self.scale = lib.Parameter(zeros(1))
        self.first = lib.Linear(3, 4)
        self.rest = lib.Sequential(lib.ReLU(), lib.Linear(4, 4), lib.BatchNorm1d(4))
        self.again = self.first
        self.register_buffer("steps", zeros(2))
        self.register_buffer("scratch", zeros(2), persistent=False)
        self.register_parameter("offset", None)

    def forward(self, x: Any) -> Any:
        return self.rest(self.first(x)) * self.scale


def torch_net() -> Any:
    torch = pytest.importorskip("torch")
    members = {k: v for k, v in Net.__dict__.items() if k in ("__init__", "forward")}

    class Theirs(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            lib = torch.nn
            self.scale = lib.Parameter(torch.zeros(1))
            self.first = lib.Linear(3, 4)
            self.rest = lib.Sequential(lib.ReLU(), lib.Linear(4, 4), lib.BatchNorm1d(4))
            self.again = self.first
            self.register_buffer("steps", torch.zeros(2))
            self.register_buffer("scratch", torch.zeros(2), persistent=False)
            self.register_parameter("offset", None)

        forward = members["forward"]

    return Theirs()


def test_every_public_name_is_explained_by_an_example() -> None:
    for part in (nn, nn.functional, cr.optim, cr.optim.lr_scheduler):
        for name in part.__all__:
            thing = getattr(part, name)
            if callable(thing):
                assert ">>>" in (thing.__doc__ or ""), name
                for key, value in vars(thing).items() if isinstance(thing, type) else ():
                    assert key.startswith("_") or not callable(value) or value.__doc__, (name, key)
    for part in (nn.init, nn.utils):
        for name, thing in vars(part).items():
            if callable(thing) and name.endswith("_") and not name.startswith("_"):
                assert ">>>" in (thing.__doc__ or ""), name


# ------------------------------------------------------------------------------------ the registry


def test_walks_go_as_in_pytorch() -> None:
    mine, theirs = Net(), torch_net()
    for walk in ("named_parameters", "named_buffers", "named_children", "named_modules"):
        assert [n for n, _ in getattr(mine, walk)()] == [n for n, _ in getattr(theirs, walk)()]
    for walk in ("parameters", "buffers", "children", "modules"):
        assert len(list(getattr(mine, walk)())) == len(list(getattr(theirs, walk)()))
    assert list(mine.state_dict()) == list(theirs.state_dict())
    own = [n for n, _ in mine.named_parameters(recurse=False)]
    assert own == [n for n, _ in theirs.named_parameters(recurse=False)] == ["scale"]
    assert [n for n, _ in mine.named_parameters("net")][1] == "net.first.weight"
    assert len(list(mine.buffers(recurse=False))) == 2


def test_walks_by_hand() -> None:
    net = Net()
    assert [n for n, _ in net.named_parameters()] == [
        "scale", "first.weight", "first.bias",
        "rest.1.weight", "rest.1.bias", "rest.2.weight", "rest.2.bias",
    ]  # fmt: skip
    assert [n for n, _ in net.named_modules()] == [
        "",
        "first",
        "rest",
        "rest.0",
        "rest.1",
        "rest.2",
    ]
    names = list(net.state_dict())
    assert "again.weight" in names and "scratch" not in names and "offset" not in names
    assert net.get_submodule("rest.1") is net.rest[1] and net.get_submodule("") is net
    with pytest.raises(AttributeError, match="'2'"):
        nn.Sequential(nn.ReLU()).get_submodule("2")


def test_attributes_move_between_registries() -> None:
    net = nn.Module()
    net.a = 3
    net.a = nn.Parameter(cr.zeros(1))
    assert dict(net.named_parameters()) == {"a": net.a} and "a" not in net.__dict__
    net.a = nn.ReLU()
    assert not list(net.parameters()) and [n for n, _ in net.named_children()] == ["a"]
    net.register_buffer("b", cr.zeros(1))
    net.b = cr.ones(1)
    assert next(iter(net.buffers())) is net.b and net.b.item() == 1
    net.b = nn.Parameter(cr.zeros(1))
    assert not list(net.buffers()) and len(list(net.parameters())) == 1
    net.b = None
    assert not list(net.parameters()) and net.b is None
    net.c = cr.zeros(1)  # a plain tensor is a plain attribute
    assert not list(net.buffers()) and net.c is net.__dict__["c"]
    del net.a, net.b
    assert not hasattr(net, "a") and not hasattr(net, "b")
    with pytest.raises(AttributeError):
        del net.a


def test_registry_refuses() -> None:
    net = Net()
    with pytest.raises(TypeError, match="Parameter or None"):
        net.scale = cr.zeros(1)
    with pytest.raises(TypeError, match="Module or None"):
        net.first = 3
    with pytest.raises(TypeError, match="Tensor or None"):
        net.steps = "x"
    with pytest.raises(KeyError, match="exists"):
        net.register_buffer("forward", cr.zeros(1))
    with pytest.raises(KeyError, match="dots"):
        net.register_parameter("a.b", None)
    with pytest.raises(TypeError, match="must be a Parameter"):
        net.register_parameter("p", cr.zeros(1))
    with pytest.raises(TypeError, match="must be a Module"):
        net.add_module("m", 3)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = net.nothing

    class Hasty(nn.Module):
        def __init__(self) -> None:
            self.w = nn.Parameter(cr.zeros(1))

    with pytest.raises(AttributeError, match="super"):
        Hasty()
    with pytest.raises(NotImplementedError, match="Module needs a forward"):
        nn.Module()(1)


def test_parameter() -> None:
    data = cr.zeros(2)
    p = nn.Parameter(data)
    assert p.requires_grad and p.is_leaf and isinstance(p, cr.Tensor) and p.data is data.data
    with cr.no_grad():
        p += 1.0
    assert data.tolist() == [1, 1] and data._version == 1
    assert type(p * 2) is cr.Tensor and type(copy.deepcopy(p)) is nn.Parameter
    assert repr(nn.Parameter(cr.zeros(1), requires_grad=False)).endswith("tensor([0.])")
    assert type(pickle.loads(pickle.dumps(p))) is nn.Parameter
    with pytest.raises(cr.DTypeError):
        nn.Parameter(cr.tensor([1]))


def test_repr_is_pytorchs() -> None:
    torch = pytest.importorskip("torch")

    def build(lib: Any) -> Any:
        return lib.Sequential(
            lib.Conv2d(1, 4, 3, stride=2, padding=(1, 0), dilation=2, bias=False),
            lib.BatchNorm2d(4, momentum=None),
            lib.ModuleDict({"a": lib.Linear(2, 3, bias=False), "b": lib.Sequential()}),
            lib.LayerNorm((2, 3), eps=0.1),
            lib.Embedding(5, 2, padding_idx=-1),
            lib.Dropout(0.25),
            lib.Flatten(),
            lib.Softmax(dim=1),
            lib.LSTM(3, 4, num_layers=2, batch_first=True, dropout=0.5),
            lib.RNN(3, 4, bidirectional=True, bias=False),
            lib.RNNCell(2, 3, nonlinearity="relu"),
            lib.LSTMCell(2, 3, bias=False),
            lib.Identity(),
            lib.AvgPool2d(2),
            lib.CrossEntropyLoss(),
        )

    theirs = repr(build(torch.nn)).replace(", inplace=False", "")
    assert repr(build(nn)).splitlines() == theirs.splitlines()


# ----------------------------------------------------------------------------------- state, modes


def test_state_goes_both_ways() -> None:
    torch = pytest.importorskip("torch")
    mine, theirs = Net(), torch_net()
    for p in mine.parameters():
        nn.init.normal_(p, rng=np.random.default_rng(1))
    mine.rest[2].running_mean += 3.0
    theirs.load_state_dict({k: torch.tensor(v.numpy()) for k, v in mine.state_dict().items()})
    x = np.random.default_rng(2).normal(size=(5, 3)).astype(np.float32)
    there, here = theirs.eval()(torch.tensor(x)), mine.eval()(cr.tensor(x))
    np.testing.assert_allclose(here.data, there.detach().numpy(), rtol=1e-5, atol=1e-6)
    other = Net()
    assert repr(other.load_state_dict(theirs.state_dict())) == "<All keys matched successfully>"
    np.testing.assert_array_equal(other.eval()(cr.tensor(x)).data, here.data)


def test_state_dict_shares_memory_and_loading_keeps_the_parameters() -> None:
    a, b = nn.Linear(2, 2), nn.Linear(2, 2)
    weight, version = b.weight, b.weight._version
    state = a.state_dict()
    b.load_state_dict(state)
    assert b.weight is weight and weight._version == version + 1 and weight.requires_grad
    assert state["weight"].data is a.weight.data and not state["weight"].requires_grad
    np.testing.assert_array_equal(weight.data, a.weight.data)
    assert not np.shares_memory(weight.data, a.weight.data)
    double = nn.Linear(2, 2, dtype="float64")
    double.load_state_dict(a.state_dict())
    assert double.weight.dtype == np.float64


def test_loading_names_what_does_not_fit() -> None:
    net = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    good = {k: v.clone().detach() for k, v in net.state_dict().items()}
    bad = {**good, "more": cr.zeros(1), "1.bias": cr.zeros(2), "1.weight": cr.zeros(3, 1)}
    bad["0.weight"] = cr.ones(3, 2)
    del bad["0.bias"]
    with pytest.raises(cr.StateError) as caught:
        net.load_state_dict(bad)
    text = str(caught.value)
    assert "Error(s) in loading state_dict for Sequential" in text
    assert 'Missing key(s) in state_dict: "0.bias"' in text
    assert 'Unexpected key(s) in state_dict: "more"' in text
    assert "size mismatch for 1.bias" in text and "(2,)" in text and "(1,)" in text
    assert "size mismatch for 1.weight" in text and "size mismatch for 0" not in text
    np.testing.assert_array_equal(net[0].weight.data, good["0.weight"].data)  # nothing half done
    with pytest.raises(cr.StateError, match="size mismatch"):
        net.load_state_dict(bad, strict=False)
    del bad["1.bias"], bad["1.weight"]
    found = net.load_state_dict(bad, strict=False)
    assert found.missing_keys == ["0.bias", "1.weight", "1.bias"] and found.unexpected_keys == [
        "more"
    ]
    assert (net[0].weight.data == 1).all()
    with pytest.raises(cr.StateError, match="numbers"):
        net.load_state_dict({**good, "0.bias": "zero"})


def test_train_and_eval_reach_everything() -> None:
    net = Net()
    assert net.train() is net and all(m.training for m in net.modules())
    net.eval()
    assert not any(m.training for m in net.modules())
    net.rest.train()
    assert net.rest[2].training and not net.first.training


def test_grads_and_freezing() -> None:
    net = Net()
    net(cr.ones(2, 3)).sum().backward()
    first = net.scale.grad
    net.zero_grad(set_to_none=False)
    assert net.scale.grad is first and not first.data.any()
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())
    assert net.requires_grad_(False) is net and not any(p.requires_grad for p in net.parameters())
    assert not net(cr.ones(2, 3)).requires_grad


def test_apply_goes_children_first() -> None:
    seen: list[str] = []
    net = nn.Sequential(nn.ReLU(), nn.Sequential(nn.Tanh()))
    assert net.apply(lambda m: seen.append(type(m).__name__)) is net
    assert seen == ["ReLU", "Tanh", "Sequential", "Sequential"]


def test_dtypes() -> None:
    net = Net()
    net(cr.ones(2, 3)).sum().backward()
    weight, grad = net.first.weight, net.first.weight.grad
    assert net.double() is net and net.first.weight is weight and weight.grad is grad
    assert {p.dtype.name for p in net.parameters()} == {"float64"} == {grad.dtype.name}
    assert net.rest[2].running_mean.dtype == np.float64
    assert net.rest[2].num_batches_tracked.dtype == np.int64
    assert net(cr.ones(2, 3, dtype="float64")).dtype == np.float64
    assert net.float().first.weight.dtype == np.float32
    assert net.to("float64").first.weight.dtype == np.float64
    for wrong in ("int64", "cpu"):
        with pytest.raises(cr.DTypeError, match="floating"):
            net.to(wrong)


def test_copies_and_pickles_keep_what_is_shared() -> None:
    net = Net()
    for other in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert other.again is other.first and other.first is not net.first
        np.testing.assert_array_equal(other.first.weight.data, net.first.weight.data)
        other.first.weight.data[...] = 0
        assert net.first.weight.data.any()
    tied = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    tied[1].weight = tied[0].weight
    other = copy.deepcopy(tied)
    assert other[1].weight is other[0].weight
    assert len(list(other.parameters())) == 3 and len(other.state_dict()) == 4


# ------------------------------------------------------------------------------------------ hooks


def record_hooks(lib: Any, ones: Any) -> list[Any]:
    """Return what happens to a small net of either library with hooks of every kind."""
    seen: list[Any] = []
    net = lib.Sequential(lib.Linear(2, 2, bias=False), lib.Tanh())
    for p in net.parameters():
        p.data[...] = 0.5
    for name, module in (("net", net), ("linear", net[0]), ("tanh", net[1])):
        for k in (1, 2):
            module.register_forward_pre_hook(
                lambda m, args, n=name, k=k: seen.append((n, "pre", k, args[0].tolist()))
            )
            module.register_forward_hook(
                lambda m, args, out, n=name, k=k: seen.append((n, "post", k, tuple(out.shape)))
            )
        module.register_full_backward_hook(
            lambda m, gi, go, n=name: seen.append(
                (n, [None if g is None else g.tolist() for g in (*gi, *go)])
            )
        )
    net[0].register_forward_pre_hook(lambda m, args: args[0] * 2)
    net[1].register_forward_hook(lambda m, args, out: out * 3)
    net[1].register_full_backward_hook(lambda m, gi, go: (gi[0] * 10,))
    x = ones(1, 2).requires_grad_()
    net(x).sum().backward()
    seen.append(x.grad.tolist())
    seen.append(net[0].weight.grad.tolist())
    return seen


def test_hooks_go_as_in_pytorch() -> None:
    torch = pytest.importorskip("torch")
    mine, theirs = record_hooks(nn, cr.ones), record_hooks(torch.nn, torch.ones)
    assert [m[:3] if isinstance(m, tuple) and len(m) == 4 else 0 for m in mine] == [
        t[:3] if isinstance(t, tuple) and len(t) == 4 else 0 for t in theirs
    ]
    assert len(mine) == len(theirs) == 17
    for m, t in zip(mine, theirs, strict=True):
        if isinstance(m, tuple) and len(m) == 2:
            assert m[0] == t[0]
            np.testing.assert_allclose(m[1], t[1], rtol=1e-6)
        elif isinstance(m, list):
            np.testing.assert_allclose(m, t, rtol=1e-6)
        else:
            assert m == t


def test_hooks_by_hand() -> None:
    layer = nn.ReLU()
    seen: list[Any] = []
    handles = [
        layer.register_forward_pre_hook(lambda m, args: seen.append("pre")),
        layer.register_forward_hook(lambda m, args, out: out + 1),
        layer.register_full_backward_hook(lambda m, gi, go: seen.append((gi, go[0].tolist()))),
    ]
    w = cr.ones(2, requires_grad=True)
    assert layer(w).tolist() == [2, 2]
    (layer(w) * cr.tensor([1.0, 2.0])).sum().backward()
    assert seen[:2] == ["pre", "pre"] and seen[2][1] == [1, 2]
    for h in handles:
        h.remove()
        h.remove()
    assert layer(w).tolist() == [1, 1] and len(seen) == 3


def test_backward_hook_without_gradients_of_inputs() -> None:
    """No input needs a gradient: the hook is called when the outputs have theirs."""
    layer = nn.Linear(2, 1)
    seen: list[Any] = []
    layer.register_full_backward_hook(lambda m, gi, go: seen.append((gi, go[0].tolist())))
    layer(cr.ones(3, 2)).sum().backward()
    assert seen == [((None,), [[1.0]] * 3)]
    with cr.no_grad():
        layer(cr.ones(3, 2))
    assert len(seen) == 1


def test_backward_hooks_of_nested_outputs() -> None:
    layer = nn.LSTM(2, 3)
    seen: list[Any] = []
    layer.register_full_backward_hook(lambda m, gi, go: seen.append(go[0].shape))
    layer(cr.ones(4, 1, 2))[0].sum().backward()
    assert seen == [(4, 1, 3)]


# ------------------------------------------------------------------------------------- containers


def test_sequential_is_a_list() -> None:
    a, b, c, d = (nn.Linear(i + 1, i + 2) for i in range(4))
    net = nn.Sequential(a, b)
    assert net.append(c) is net and len(net) == 3 and net[-1] is c and list(net) == [a, b, c]
    assert list(net[1:]) == [b, c] and isinstance(net[1:], nn.Sequential)
    assert net(cr.ones(2, 1)).shape == (2, 4)
    del net[0]
    assert list(net) == [b, c] and [n for n, _ in net.named_children()] == ["0", "1"]
    net[1] = d
    assert list(net) == [b, d]
    net.insert(0, a)
    net.extend([c])
    assert list(net) == [a, b, d, c]
    named = nn.Sequential({"in": a, "out": b})
    assert (
        named[0] is a and named.out is b and [n for n, _ in named.named_children()] == ["in", "out"]
    )
    with pytest.raises(TypeError):
        nn.Sequential(3)


def test_module_lists_and_dicts() -> None:
    net = nn.ModuleList([nn.Linear(1, 1)])
    net += [nn.Linear(1, 2)]
    assert len(net) == 2 and list(net.state_dict())[2] == "1.weight"
    assert isinstance(net[:1], nn.ModuleList)
    with pytest.raises(NotImplementedError):
        net(1)
    heads = nn.ModuleDict({"a": nn.ReLU()})
    heads["b"] = nn.Linear(1, 1)
    heads.update({"c": nn.Tanh()})
    assert list(heads) == ["a", "b", "c"] == list(heads.keys()) and len(heads) == 3
    assert [k for k, _ in heads.items()] == ["a", "b", "c"] and len(list(heads.values())) == 3
    assert isinstance(heads.pop("a"), nn.ReLU) and "a" not in heads
    del heads["b"]
    assert list(heads.state_dict()) == []


# ----------------------------------------------------------------------------------- randomness


def test_without_a_generator_numbers_are_the_same_in_every_run() -> None:
    cr.manual_seed(5)
    a = [nn.Linear(2, 2).weight.tolist(), nn.Dropout()(cr.ones(8)).tolist()]
    cr.manual_seed(5)
    state = np.random.get_state()[1].copy()
    b = [nn.Linear(2, 2).weight.tolist(), nn.Dropout()(cr.ones(8)).tolist()]
    assert a == b and nn.Linear(2, 2).weight.tolist() != a[0]
    np.testing.assert_array_equal(np.random.get_state()[1], state)
    rng = np.random.default_rng(3)
    again = nn.Linear(2, 2, rng=np.random.default_rng(3))
    np.testing.assert_array_equal(nn.Linear(2, 2, rng=rng).weight.data, again.weight.data)
    assert nn.Linear(2, 2, rng=rng).weight.tolist() != again.weight.tolist()


INITIALISERS: list[tuple[str, dict[str, Any], tuple[int, ...]]] = [
    ("uniform_", {"a": -2.0, "b": 3.0}, (400, 300)),
    ("normal_", {"mean": 1.0, "std": 2.0}, (400, 300)),
    ("xavier_uniform_", {"gain": 2.0}, (400, 300)),
    ("xavier_normal_", {}, (60, 50, 5, 6)),
    ("kaiming_uniform_", {"a": 0.5}, (400, 300)),
    ("kaiming_uniform_", {"mode": "fan_out", "nonlinearity": "relu"}, (60, 50, 5, 6)),
    ("kaiming_normal_", {"nonlinearity": "tanh"}, (400, 300)),
    ("kaiming_normal_", {"mode": "fan_out"}, (60, 50, 5, 6)),
]


@pytest.mark.parametrize(("name", "how", "shape"), INITIALISERS, ids=str)
def test_initialisers_spread_as_pytorchs(name: str, how: Any, shape: tuple[int, ...]) -> None:
    torch = pytest.importorskip("torch")
    mine = cr.zeros(*shape)
    assert getattr(nn.init, name)(mine, **how, rng=np.random.default_rng(0)) is mine
    assert mine._version == 1
    theirs = getattr(torch.nn.init, name)(torch.zeros(shape), **how).numpy()
    np.testing.assert_allclose(mine.data.std(), theirs.std(), rtol=0.02)
    np.testing.assert_allclose(mine.data.mean(), theirs.mean(), atol=0.02)
    np.testing.assert_allclose(abs(mine.data).max(), abs(theirs).max(), rtol=0.25)


def test_initialisers_by_hand() -> None:
    for shape in ((3, 5), (5, 3), (4, 3, 2)):
        q = nn.init.orthogonal_(cr.zeros(*shape, dtype="float64"), 2.0).data.reshape(shape[0], -1)
        small = q @ q.T if q.shape[0] <= q.shape[1] else q.T @ q
        np.testing.assert_allclose(small, 4 * np.eye(len(small)), atol=1e-12)
    drawn = [nn.init.orthogonal_(cr.zeros(2, 2)).data[0, 0] for _ in range(40)]
    assert min(drawn) < -0.3 and max(drawn) > 0.3  # both signs: every rotation is possible
    assert nn.init.calculate_gain("leaky_relu", 1.0) == 1.0
    with pytest.raises(cr.OptionError, match="no gain"):
        nn.init.calculate_gain("cosine")
    with pytest.raises(cr.OptionError, match="fan_in"):
        nn.init.kaiming_normal_(cr.zeros(2, 2), mode="fan")
    with pytest.raises(cr.ShapeError, match="two axes"):
        nn.init.xavier_uniform_(cr.zeros(2))
    w = nn.Parameter(cr.zeros(2))
    nn.init.constant_(w, 3.0)
    assert w.tolist() == [3, 3] and w.requires_grad and w.is_leaf
