"""Every layer against PyTorch's with the same weights: outputs, gradients, buffers, both modes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule import nn

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Layer:
    """A layer of either library by name and arguments, and what to call it with."""

    name: str
    args: tuple[Any, ...]
    how: dict[str, Any]
    shapes: tuple[Any, ...]  # of the inputs; a tuple of shapes stands for a tuple of tensors
    high: int = 0  # inputs are whole numbers below this

    def build(self, lib: Any) -> Any:
        args = [getattr(lib, a[3:])() if str(a).startswith("nn.") else a for a in self.args]
        return getattr(lib, self.name)(*args, **self.how)

    def draw(self, seed: int, dtype: str) -> list[Any]:
        rng = np.random.default_rng(seed)

        def one(shape: Any) -> Any:
            if self.high:
                return rng.integers(0, self.high, shape)
            if shape and isinstance(shape[0], tuple):
                return tuple(one(s) for s in shape)
            return rng.normal(0.3, 1.2, size=shape).astype(dtype)

        return [one(s) for s in self.shapes]

    def __str__(self) -> str:
        options = [*map(str, self.args), *[f"{k}={v}" for k, v in self.how.items()]]
        return f"{self.name}({', '.join(options)}) of {self.shapes}"


LAYERS: list[Layer] = []


def layer(name: str, *args: Any, on: Any, high: int = 0, **how: Any) -> None:
    LAYERS.append(Layer(name, args, how, on if isinstance(on, list) else (on,), high))  # type: ignore[arg-type]


layer("Linear", 3, 4, on=(5, 3))
layer("Linear", 3, 4, on=(3,))
layer("Linear", 3, 1, on=(2, 4, 3), bias=False)
layer("Conv2d", 2, 3, 3, on=(2, 2, 5, 6))
layer("Conv2d", 1, 2, (2, 3), on=(1, 1, 7, 7), stride=(2, 1), padding=(1, 2), dilation=2)
layer("Conv2d", 4, 6, 2, on=(2, 4, 3, 3), groups=2, bias=False)
layer("MaxPool2d", 2, on=(2, 2, 5, 4))
layer("MaxPool2d", (3, 2), on=(1, 1, 8, 7), stride=2, padding=1, dilation=(2, 1))
layer("AvgPool2d", 2, on=(2, 2, 5, 4))
layer("AvgPool2d", 3, on=(1, 2, 5, 6), stride=(2, 1), padding=1, count_include_pad=False)
layer("Flatten", on=(2, 3, 4))
layer("Flatten", 0, 1, on=(2, 3, 4))
for name, shape in (
    ("BatchNorm1d", (6, 3)),
    ("BatchNorm1d", (4, 3, 5)),
    ("BatchNorm2d", (2, 3, 4, 4)),
):
    layer(name, 3, on=shape)
    layer(name, 3, on=shape, momentum=None, eps=0.01)
    layer(name, 3, on=shape, affine=False, momentum=0.3)
    layer(name, 3, on=shape, track_running_stats=False)
    layer(name, 3, on=shape, bias=False)
layer("LayerNorm", 4, on=(3, 4))
layer("LayerNorm", (3, 4), on=(2, 3, 4), eps=0.1)
layer("LayerNorm", [4], on=(2, 3, 4), elementwise_affine=False)
layer("LayerNorm", 4, on=(3, 4), bias=False)
layer("Embedding", 6, 3, on=(2, 5), high=6)
layer("Embedding", 4, 2, on=(3, 4), high=4, padding_idx=-3)
layer("RNNCell", 3, 4, on=(2, 3))
layer("RNNCell", 3, 4, on=[(2, 3), (2, 4)], nonlinearity="relu", bias=False)
layer("RNNCell", 3, 4, on=[(3,), (4,)])
layer("LSTMCell", 3, 4, on=(2, 3))
layer("LSTMCell", 3, 4, on=[(2, 3), ((2, 4), (2, 4))], bias=False)
for name, state in (("RNN", lambda *s: s), ("LSTM", lambda *s: (s, s))):
    layer(name, 3, 4, on=(5, 2, 3))
    layer(name, 3, 4, on=(1, 2, 3))
    layer(name, 3, 4, on=(5, 3))
    layer(name, 3, 4, on=[(5, 3), state(1, 4)])
    layer(name, 3, 4, 2, on=[(5, 2, 3), state(2, 2, 4)])
    layer(name, 3, 4, on=[(2, 5, 3), state(3, 2, 4)], num_layers=3, batch_first=True)
    layer(name, 3, 4, on=[(5, 2, 3), state(4, 2, 4)], num_layers=2, bidirectional=True)
    layer(name, 3, 4, on=(2, 5, 3), bias=False, batch_first=True, bidirectional=True)
layer("RNN", 3, 4, on=(5, 2, 3), nonlinearity="relu")
for name in ("ReLU", "Tanh", "Sigmoid", "Identity", "Softplus"):
    layer(name, on=(3, 4))
layer("Softplus", 2.5, on=(3, 4))
for dim in (0, 1, -1):
    layer("Softmax", dim, on=(3, 4))
    layer("LogSoftmax", dim, on=(3, 4))
layer("Sequential", "nn.Tanh", "nn.ReLU", on=(3, 4))
layer("Dropout", 0.0, on=(3, 4))

every_layer = pytest.mark.parametrize("case", LAYERS, ids=str)


def pair(case: Layer, dtype: str) -> tuple[Any, Any]:
    """Return the layer of both libraries, PyTorch's values in both."""
    torch = pytest.importorskip("torch")
    torch.manual_seed(1)
    mine, theirs = case.build(nn).to(dtype), case.build(torch.nn).to(getattr(torch, dtype))
    rng = np.random.default_rng(0)
    state = {}
    for name, value in theirs.state_dict().items():
        if value.is_floating_point() and "running_var" not in name:
            value = value + torch.tensor(
                rng.normal(0, 0.5, size=tuple(value.shape)), dtype=value.dtype
            )
        state[name] = value
    theirs.load_state_dict(state)
    mine.load_state_dict(theirs.state_dict())
    return mine, theirs


def as_tensors(make: Callable[[Any], Any], values: Any) -> Any:
    """Return arrays, or tuples of arrays, as tensors of either library; floats with gradients."""
    if isinstance(values, tuple | list):
        return type(values)(as_tensors(make, v) for v in values)
    x = make(values)
    return x.requires_grad_() if values.dtype.kind == "f" else x


def flat(values: Any) -> list[Any]:
    return [y for v in values for y in flat(v)] if isinstance(values, tuple | list) else [values]


def close(mine: Any, theirs: Any, dtype: str) -> None:
    theirs = theirs.detach().numpy()
    rtol, atol = (1e-10, 1e-12) if dtype == "float64" else (1e-4, 2e-5)
    assert mine.shape == theirs.shape and mine.dtype == theirs.dtype
    np.testing.assert_allclose(mine.data, theirs, rtol=rtol, atol=atol)


@every_layer
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_outputs_and_gradients_equal_pytorchs(case: Layer, dtype: str) -> None:
    torch = pytest.importorskip("torch")
    mine, theirs = pair(case, dtype)
    for seed in (1, 2):  # twice: running statistics move on
        arrays = case.draw(seed, dtype)
        here, there = as_tensors(cr.tensor, arrays), as_tensors(torch.tensor, arrays)
        outs, others = flat(mine(*here)), flat(theirs(*there))
        assert len(outs) == len(others)
        rng, loss, other = np.random.default_rng(9), 0.0, 0.0
        for out, o in zip(outs, others, strict=True):
            close(out, o, dtype)
            upstream = rng.normal(size=out.shape).astype(dtype)
            loss = loss + (out * cr.tensor(upstream)).sum()
            other = other + (o * torch.tensor(upstream)).sum()
        if not loss.requires_grad:
            return
        mine.zero_grad()
        theirs.zero_grad()
        loss.backward()
        other.backward()
        for x, o in zip(flat(here), flat(there), strict=True):
            if x.requires_grad:
                close(x.grad, o.grad, dtype)
        named = dict(theirs.named_parameters())
        for name, p in mine.named_parameters():
            close(p.grad, named[name].grad, dtype)
    for name, value in theirs.state_dict().items():
        close(mine.state_dict()[name], value, dtype)


@every_layer
def test_evaluation_equals_pytorchs(case: Layer) -> None:
    torch = pytest.importorskip("torch")
    mine, theirs = pair(case, "float64")
    train = case.draw(1, "float64")
    mine(*as_tensors(cr.tensor, train)), theirs(*as_tensors(torch.tensor, train))
    mine.eval(), theirs.eval()
    arrays = case.draw(2, "float64")
    outs = flat(mine(*as_tensors(cr.tensor, arrays)))
    for out, o in zip(outs, flat(theirs(*as_tensors(torch.tensor, arrays))), strict=True):
        close(out, o, "float64")
    for name, value in theirs.state_dict().items():
        close(mine.state_dict()[name], value, "float64")


@every_layer
def test_fresh_values_are_spread_as_in_pytorch(case: Layer) -> None:
    """The same names, order and shapes; the same largest values, as far as few numbers can say."""
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    mine = [case.build(nn).state_dict() for _ in range(40)]
    theirs = [case.build(torch.nn).state_dict() for _ in range(40)]
    assert list(mine[0]) == list(theirs[0])
    for name in mine[0]:
        a = np.stack([m[name].data for m in mine])
        b = np.stack([t[name].numpy() for t in theirs])
        assert a.shape == b.shape and a.dtype == b.dtype
        np.testing.assert_allclose(a.std(), b.std(), rtol=0.25, atol=1e-7)
        np.testing.assert_allclose(abs(a).max(), abs(b).max(), rtol=0.35, atol=1e-7)
        np.testing.assert_array_equal(a.all(axis=0), b.all(axis=0))  # zeros stand where theirs do


def test_gradients_of_layers_equal_differences() -> None:
    """Without PyTorch: the cells, and an embedding whose padding row stays."""
    rng = np.random.default_rng(0)
    x, h, c = (rng.normal(size=s) for s in ((2, 3), (2, 4), (2, 4)))
    w, u, b = (rng.normal(size=s) for s in ((16, 3), (16, 4), (16,)))
    for k in (0, 1):
        cr.gradcheck(lambda *a, k=k: nn.functional.lstm_cell(*a)[k], [x, h, c, w, u, b, b])
    plain = [x, h, w[:4], u[:4], b[:4], b[:4]]
    cr.gradcheck(lambda *a: nn.functional.rnn_cell(*a, cr.tanh), plain)
    table = nn.Embedding(4, 2, padding_idx=1, rng=rng)
    assert not table.weight.data[1].any() and table.weight.data[[0, 2, 3]].all()
    table(cr.tensor([0, 1, 1, 3, 3])).sum().backward()
    assert table.weight.grad.tolist() == [[1, 1], [0, 0], [0, 0], [2, 2]]


def test_second_derivatives_pass_layers() -> None:
    net = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.LayerNorm(3), nn.Linear(3, 1)).double()
    weights = [p.data.copy() for p in net.parameters()]

    def loss(*values: Any) -> Any:
        for module, name in zip((0, 0, 2, 2, 3, 3), ("weight", "bias") * 3, strict=True):
            del net[module]._parameters[name]
            net[module].__dict__[name] = values[2 * (0, 2, 3).index(module) + (name == "bias")]
            net[module]._parameters[name] = None
        return net(cr.tensor([[0.3, -0.8], [1.1, 0.2]])).sum()

    cr.gradgradcheck(loss, weights, method="directional", rtol=1e-4, atol=1e-6)


def test_unstacking_gives_gradients_to_every_step() -> None:
    from chainrule.nn.sequences import unstack

    for n in (1, 2, 3, 7, 8):
        x = cr.randn(n, 2, rng=np.random.default_rng(n), requires_grad=True)
        steps = unstack(x)
        assert [s.shape for s in steps] == [(2,)] * n
        factors = np.arange(1.0, 2 * n + 1).reshape(n, 2).astype("f")
        sum(s * cr.tensor(f) for s, f in zip(steps, factors, strict=True)).sum().backward()
        np.testing.assert_array_equal(x.grad.data, factors)
        np.testing.assert_array_equal(np.stack([s.data for s in steps]), x.data)


def test_dropout_between_the_layers_of_an_lstm() -> None:
    net = nn.LSTM(2, 64, num_layers=2, dropout=0.5, rng=np.random.default_rng(0))
    x = cr.ones(3, 1, 2)
    a, b = net(x)[0], net(x)[0]
    assert not np.allclose(a.data, b.data)
    net.eval()
    np.testing.assert_array_equal(net(x)[0].data, net(x)[0].data)
    thin = nn.LSTM(2, 8, num_layers=2, dropout=1.0)  # the second layer sees zeros
    alone = thin.step
    states, (last, _) = thin(x)
    whole, (first, _) = thin.eval()(x)
    np.testing.assert_array_equal(last.data[0], first.data[0])  # the first layer sees it all
    assert not np.allclose(states.data, whole.data)
    zero = cr.zeros(1, 1, 32) + thin.bias_ih_l1 + thin.bias_hh_l1
    h, _ = alone(zero, (cr.zeros(1, 1, 8), cr.zeros(1, 1, 8)), thin.weight_hh_l1)
    np.testing.assert_allclose(states.data[:1], h.data, rtol=1e-6)


def test_dropout_modes_and_size() -> None:
    drop = nn.Dropout(0.25, rng=np.random.default_rng(0))
    y = drop(cr.ones(10000)).data
    assert set(np.unique(y)) == {np.float32(0), np.float32(1 / 0.75)} and abs(y.mean() - 1) < 0.02
    x = cr.ones(3)
    assert drop.eval()(x) is x
    assert nn.functional.dropout(x, 0.9, training=False) is x


ERRORS: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: nn.Linear(3, 4)(cr.ones(2, 4)), cr.ShapeError, r"linear.*\(2, 4\).*\(4, 3\)"),
    (lambda: nn.Conv2d(3, 4, 3)(cr.ones(1, 1, 5, 5)), cr.ShapeError, "conv2d"),
    (lambda: nn.Conv2d(3, 4, 3, groups=2), cr.OptionError, "groups"),
    (lambda: nn.Conv2d(3, 4, 3, stride=0), cr.ShapeError, "stride"),
    (lambda: nn.BatchNorm1d(3)(cr.ones(2, 4)), cr.ShapeError, "C = 3"),
    (lambda: nn.BatchNorm2d(3)(cr.ones(2, 3)), cr.ShapeError, r"\(N, C, H, W\)"),
    (lambda: nn.BatchNorm1d(3)(cr.ones(1, 3)), cr.ShapeError, "more than one value"),
    (lambda: nn.LayerNorm(3)(cr.ones(2, 4)), cr.ShapeError, "last axes"),
    (lambda: nn.Embedding(3, 2)(cr.tensor([3])), cr.AxisError, "rows"),
    (lambda: nn.Embedding(3, 2)(cr.ones(2)), cr.DTypeError, "whole numbers"),
    (lambda: nn.Embedding(3, 2, padding_idx=3), cr.OptionError, "padding_idx"),
    (lambda: nn.Dropout(1.5), cr.OptionError, "probability"),
    (lambda: nn.functional.dropout(cr.ones(1), -1.0), cr.OptionError, "probability"),
    (lambda: nn.RNN(3, 4)(cr.ones(5, 2, 2)), cr.ShapeError, r"\(T, N, 3\)"),
    (lambda: nn.RNN(3, 4, batch_first=True)(cr.ones(3)), cr.ShapeError, r"\(N, T, 3\)"),
    (lambda: nn.RNN(3, 4)(cr.ones(0, 2, 3)), cr.ShapeError, "one step"),
    (lambda: nn.RNN(3, 4)(cr.ones(5, 2, 3), cr.ones(2, 4)), cr.ShapeError, r"\(1, 2, 4\)"),
    (lambda: nn.LSTM(3, 4)(cr.ones(5, 2, 3), (cr.ones(1, 2, 4),)), cr.ShapeError, "states"),
    (lambda: nn.RNN(3, 4, nonlinearity="sin"), cr.OptionError, "relu"),
    (lambda: nn.RNNCell(3, 4, nonlinearity="sin"), cr.OptionError, "relu"),
    (lambda: nn.LSTM(3, 4, num_layers=0), cr.OptionError, "num_layers"),
    (lambda: nn.MaxPool2d(2, padding=2)(cr.ones(1, 1, 4, 4)), cr.ShapeError, "half"),
]


@pytest.mark.parametrize(("call", "kind", "words"), ERRORS)
def test_errors_say_what_was_wrong(call: Any, kind: Any, words: str) -> None:
    with pytest.raises(kind, match=words):
        call()
