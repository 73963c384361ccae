"""Every operation as a case: what to call, on which inputs, and what its derivatives may be asked.

`call(lib, *inputs)` runs with `lib` either this library or PyTorch; where their forms differ,
`other` is PyTorch's. Inputs are float64 arrays drawn away from kinks, or arrays of integers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.ops.nnops import _binary_losses


@dataclass(frozen=True)
class Case:
    name: str
    call: Callable[..., Any]
    inputs: Callable[[np.random.Generator], tuple[Any, ...]]
    other: Callable[..., Any] | None = None  # PyTorch's form, where it differs
    second: bool = True  # second derivatives are promised
    analytic: bool = False  # complex numbers pass: the complex step applies
    kink: bool = False  # a point where differences say nothing: PyTorch's convention counts

    def draw(self, seed: int = 0) -> list[np.ndarray]:
        return [np.asarray(a) for a in self.inputs(np.random.default_rng(seed))]


def normal(*shapes: tuple[int, ...]) -> Callable[[np.random.Generator], tuple[np.ndarray, ...]]:
    return lambda rng: tuple(rng.normal(size=s) for s in shapes)


def away(*shapes: tuple[int, ...], gap: float = 0.1) -> Callable[..., tuple[np.ndarray, ...]]:
    """Numbers at least `gap` from 0, of both signs."""

    def draw(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        return tuple(rng.choice([-1, 1], s) * (gap + rng.random(s)) for s in shapes)

    return draw


def positive(*shapes: tuple[int, ...]) -> Callable[..., tuple[np.ndarray, ...]]:
    return lambda rng: tuple(0.2 + rng.random(s) for s in shapes)


def distinct(*shapes: tuple[int, ...]) -> Callable[..., tuple[np.ndarray, ...]]:
    """Numbers no two of which are closer than 0.05: nothing ties under a small step."""

    def draw(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        sizes = [int(np.prod(s)) for s in shapes]
        values = rng.permutation(sum(sizes)) * 0.07 - 0.035 * sum(sizes) + 0.011
        pieces = np.split(values, np.cumsum(sizes)[:-1])
        return tuple(p.reshape(s) for p, s in zip(pieces, shapes, strict=True))

    return draw


def with_index(make: Callable[..., Any], high: int, *shape: int) -> Callable[..., Any]:
    return lambda rng: (*make(rng), rng.integers(0, high, shape))


SHAPES: list[tuple[str, tuple[Any, ...]]] = [
    ("square", ((3, 3), (3, 3))),
    ("row", ((2, 3), (3,))),
    ("column", ((2, 1), (1, 3))),
    ("number", ((), (2, 2))),
    ("numbers", ((), ())),
    ("stretched", ((4, 1, 3), (2, 1))),
    ("empty", ((0, 3), (1, 3))),
    ("lone", ((1,), (3, 1))),
]

CASES: list[Case] = []


def case(name: str, call: Any, inputs: Any, other: Any = None, **more: Any) -> None:
    CASES.append(Case(name, call, inputs, other, **more))


for word, shapes in SHAPES:
    case(f"add {word}", lambda lib, x, y: x + y, normal(*shapes), analytic=True)
    case(f"subtract {word}", lambda lib, x, y: x - y, normal(*shapes), analytic=True)
    case(f"multiply {word}", lambda lib, x, y: x * y, normal(*shapes), analytic=True)
    case(f"divide {word}", lambda lib, x, y: x / y, away(*shapes), analytic=True)
    case(f"power {word}", lambda lib, x, y: x**y, positive(*shapes), analytic=True)
    case(f"maximum {word}", lambda lib, x, y: lib.maximum(x, y), distinct(*shapes))
    case(f"minimum {word}", lambda lib, x, y: lib.minimum(x, y), distinct(*shapes))
    case(f"where {word}", lambda lib, x, y: lib.where(x > y, x * y, y), distinct(*shapes))

for name in ("exp", "sin", "cos", "tanh"):
    case(name, lambda lib, x, name=name: getattr(lib, name)(x), normal((2, 3)), analytic=True)
    case(f"{name} 0-d", lambda lib, x, name=name: getattr(x, name)(), normal(()), analytic=True)
for name in ("log", "log1p", "sqrt"):
    case(name, lambda lib, x, name=name: getattr(lib, name)(x), positive((2, 3)), analytic=True)
    case(
        f"{name} method", lambda lib, x, name=name: getattr(x, name)(), positive(()), analytic=True
    )
case("sigmoid", lambda lib, x: lib.sigmoid(x), normal((4,)), analytic=True)
case("sigmoid far", lambda lib, x: 1e3 * x.sigmoid(), lambda rng: (np.array([-18.0, 18.0]),))
case("sigmoid tail", lambda lib, x: 1e17 * x.sigmoid(), lambda rng: (np.array([-40.0, -39.5]),))
case("relu", lambda lib, x: lib.relu(x), away((3, 4)))
case("relu method", lambda lib, x: x.relu() * x, away((3, 4)))
case(
    "softplus",
    lambda lib, x: lib.softplus(x),
    lambda rng: (np.array([-30.0, -3.0, 0.0, 2.0, 19.0]),),
    lambda lib, x: lib.nn.functional.softplus(x),
)
case("absolute", lambda lib, x: abs(x) * x, away((3, 4)))
case("abs", lambda lib, x: lib.abs(x), away(()))
case("negative", lambda lib, x: -x, normal((2, 2)), analytic=True)
case("clip", lambda lib, x: lib.clip(x, -0.52, 0.31) * x, distinct((5, 5)))
case("clip below", lambda lib, x: x.clamp(min=0.2), distinct((5, 5)))
case("clip above", lambda lib, x: x.clip(max=0.2), distinct((5, 5)))
case("clip between", lambda lib, x, a, b: lib.clip(x, a, b) * x, distinct((4, 5), (5,), (4, 1)))
case("clip crossed", lambda lib, x, a: lib.clip(x, min=a, max=a - 0.5), distinct((4,), (3, 1)))
case("clip above those", lambda lib, x, b: x.clip(max=b), distinct((3, 3), (3, 3)))
case("power 2", lambda lib, x: x**2, normal((3,)), analytic=True)
case("power 3", lambda lib, x: lib.pow(x, 3), normal((3,)), analytic=True)
case("power 1", lambda lib, x: x**1, normal((3,)), analytic=True)
case("power 0", lambda lib, x: x**0 + x, normal((3,)))
case("power half", lambda lib, x: x**0.5, positive((3,)), analytic=True)
case("power -1", lambda lib, x: x**-1.0, away((3,)), analytic=True)
case("power of 2", lambda lib, x: 2.0**x, normal((3,)), analytic=True)
case("numbers left", lambda lib, x: (1 - x) * 3 + 2 / x + (5 + x), away((3,)), analytic=True)
case("numbers right", lambda lib, x: ((x - 1) * 3 + x / 4) + 5, normal((3,)), analytic=True)
case("repeated sum", lambda lib, x: x + x, normal((2, 2)), analytic=True)
case("repeated product", lambda lib, x: x * x * x, normal((2, 2)), analytic=True)
case("repeated quotient", lambda lib, x: x / (x * x), away((2, 2)), analytic=True)
case("repeated matmul", lambda lib, x: x @ x, normal((3, 3)), analytic=True)
case("repeated transposed", lambda lib, x: x @ x.T, normal((3, 2)), analytic=True)
case("repeated broadcast", lambda lib, x: x * x[:, None], normal((3,)), analytic=True)
case("comparison", lambda lib, x, y: x * (x > y) + y * (x <= y), distinct((3, 3), (3,)))

AXES = [None, 0, 1, -1, (0, 2), (1, -1), (0, 1, 2)]
for axis in AXES:
    for keep in (False, True):
        key = {"dim": axis, "keepdim": keep}
        tag = f"{axis} {'kept' if keep else 'gone'}"
        three = (2, 3, 4)
        case(f"sum {tag}", lambda lib, x, k=key: x.sum(**k), normal(three), analytic=True)
        case(f"mean {tag}", lambda lib, x, k=key: lib.mean(x, **k), normal(three), analytic=True)
        case(f"var {tag}", lambda lib, x, k=key: x.var(**k), normal(three), analytic=True)
        if axis is not None or not keep:
            full = {k: v for k, v in key.items() if axis is not None}
            case(f"max {tag}", lambda lib, x, k=full: x.amax(**k), distinct(three), second=False)
            case(f"min {tag}", lambda lib, x, k=full: x.amin(**k), distinct(three), second=False)
        every = key if axis is not None else {"dim": (0, 1, 2), "keepdim": keep}
        case(
            f"logsumexp {tag}",
            lambda lib, x, k=key: lib.logsumexp(x, **k),
            normal(three),
            lambda lib, x, k=every: lib.logsumexp(x, **k),
            analytic=False,
        )
for name in ("sum", "mean", "max", "min"):
    case(f"{name} of all", lambda lib, x, n=name: getattr(x, n)(), distinct((3, 2)), second=False)
    case(f"{name} 0-d", lambda lib, x, n=name: getattr(x, n)(), distinct(()), second=False)
case("sum positional", lambda lib, x: x.sum(1) * x.sum(0), normal((3, 3)), analytic=True)
case("sum empty", lambda lib, x: x.sum(0) * 2, normal((0, 3)), analytic=True)
case("sum no axes", lambda lib, x: x.sum(axis=0), normal((3, 0)))
case("var 0", lambda lib, x: x.var(1, correction=0), normal((3, 4)), analytic=True)
case(
    "var 2", lambda lib, x: x.var(dim=0, correction=2, keepdim=True), normal((4, 3)), analytic=True
)
case("var biased", lambda lib, x: x.var(dim=1, unbiased=False), normal((4, 3)), analytic=True)
case("std", lambda lib, x: lib.std(x, dim=1), normal((3, 4)), analytic=True)
case("max squared", lambda lib, x: (x * x).amax(1), distinct((3, 4)))
case("logsumexp 1", lambda lib, x: x.logsumexp(0), normal((4,)))
case("logsumexp high", lambda lib, x: (x + 900.0).logsumexp(1), normal((3, 4)))

case("reshape", lambda lib, x: x.reshape(3, -1) * 2, normal((2, 3, 2)), analytic=True)
case("reshape tuple", lambda lib, x: lib.reshape(x, (6,)), normal((2, 3)), analytic=True)
case("view", lambda lib, x: x.view(3, 2), normal((2, 3)), analytic=True)
case("flatten", lambda lib, x: x.flatten(1), normal((2, 3, 2)), analytic=True)
case("flatten all", lambda lib, x: lib.flatten(x), normal((2, 3, 2)), analytic=True)
case("flatten middle", lambda lib, x: x.flatten(1, 2), normal((2, 3, 2, 2)), analytic=True)
case("squeeze", lambda lib, x: x.squeeze(), normal((1, 3, 1)), analytic=True)
case("squeeze one", lambda lib, x: x.squeeze(-1), normal((1, 3, 1)), analytic=True)
case("squeeze none", lambda lib, x: x.squeeze(1), normal((1, 3, 1)), analytic=True)
case("unsqueeze", lambda lib, x: x.unsqueeze(-1) * x.unsqueeze(0), normal((3,)), analytic=True)
case("permute", lambda lib, x: x.permute(2, 0, 1), normal((2, 3, 4)), analytic=True)
case("permute square", lambda lib, x: x.permute(1, 2, 0), normal((3, 3, 3)), analytic=True)
case(
    "permute negative", lambda lib, x: lib.permute(x, (-1, 0, 1)), normal((2, 3, 4)), analytic=True
)
case("transpose", lambda lib, x: x.transpose(0, 2), normal((2, 3, 4)), analytic=True)
case("transpose square", lambda lib, x: x.transpose(0, 1), normal((3, 3)), analytic=True)
case("swapaxes", lambda lib, x: lib.swapaxes(x, -1, 0), normal((2, 3, 4)), analytic=True)
case("T", lambda lib, x: x.T * 2, normal((2, 3)), analytic=True)
case("mT", lambda lib, x: x.mT * 2, normal((2, 3, 4)), analytic=True)
case("expand", lambda lib, x: x.expand(2, 3, 4) * 2, normal((3, 1)), analytic=True)
case("expand -1", lambda lib, x: x.expand(5, -1, 2), normal((3, 1)), analytic=True)
case("expand same", lambda lib, x: x.expand(3, 2) * 3, normal((3, 2)), analytic=True)
case("expand 0-d", lambda lib, x: x.expand(2, 2), normal(()), analytic=True)
case("concatenate", lambda lib, x, y: lib.cat([x, y, x], 0), normal((2, 3), (1, 3)), analytic=True)
case("concatenate 1", lambda lib, x, y: lib.cat((x, y), dim=-1), normal((2, 3), (2, 1)))
case("concatenate empty", lambda lib, x, y: lib.cat((x, y), dim=0), normal((0, 3), (2, 3)))
case("stack", lambda lib, x, y: lib.stack([x, y]), normal((2, 3), (2, 3)), analytic=True)
case("stack last", lambda lib, x, y: lib.stack([x, y], dim=-1), normal((2, 3), (2, 3)))
case("split", lambda lib, x: x.split(2)[0] * x.split(2)[1], normal((4, 3)), analytic=True)
case("split uneven", lambda lib, x: lib.split(x, [1, 3], dim=1)[1] * 2, normal((2, 4)))
case("chunk", lambda lib, x: x.chunk(2, dim=1)[1] * x.chunk(2, dim=1)[0], normal((2, 4)))
case("flip", lambda lib, x: x.flip(0) * x, normal((3, 2)), analytic=True)
case("flip two", lambda lib, x: lib.flip(x, (0, -1)), normal((3, 2)), analytic=True)
case(
    "pad",
    lambda lib, x: lib.pad(x, ((1, 0), (0, 2)), value=1.5),
    normal((2, 3)),
    lambda lib, x: lib.nn.functional.pad(x, (0, 2, 1, 0), value=1.5),
    analytic=True,
)
case(
    "pad flat",
    lambda lib, x: lib.pad(x, (1, 2, 3, 0)) * 2,
    normal((2, 3)),
    lambda lib, x: lib.nn.functional.pad(x, (1, 2, 3, 0)) * 2,
)
case(
    "cast",
    lambda lib, x: lib.cast(x, "float64") * 2,
    normal((2,)),
    lambda lib, x: x.to(lib.float64) * 2,
)
case("clone", lambda lib, x: x.clone() * x, normal((2, 2)))

INDEX = [1, -1, slice(1, None), slice(None, None, 2), None, ..., (0, 1), (slice(None), 1)]
INDEX += [(..., 0), (None, 1, None), (slice(0, 0),), (slice(1, 3), None, slice(0, 2))]
for key in INDEX:
    case(f"getitem {key}", lambda lib, x, k=key: x[k] * 2, normal((3, 4)), analytic=True)
case("getitem list", lambda lib, x: x[[0, 2, 2]] ** 2, normal((3, 2)), analytic=True)
case("getitem pairs", lambda lib, x: x[[0, 2, 0], [1, 1, 1]] ** 2, normal((3, 2)), analytic=True)
case("getitem mixed", lambda lib, x: x[1:, [0, 0, 1]] ** 2, normal((3, 2)), analytic=True)
case("getitem mask", lambda lib, x: x[x > 0] ** 2, away((3, 4)))
case("getitem rows", lambda lib, x: x[lib.tensor([True, False, True])] * 2, normal((3, 4)))
case("getitem grid", lambda lib, x, i: x[i] * 2, with_index(normal((4, 2)), 4, 2, 3))
case("getitem 0-d", lambda lib, x, i: x[i] * x[i], with_index(normal((4, 2)), 4))
case("gather", lambda lib, x, i: lib.gather(x, 1, i) ** 2, with_index(normal((3, 4)), 4, 3, 2))
case(
    "embedding",
    lambda lib, w, i: lib.embedding(i, w) ** 2,
    with_index(normal((5, 3)), 5, 2, 4),
    lambda lib, w, i: lib.nn.functional.embedding(i, w) ** 2,
    analytic=True,
)
CASES[-2] = Case(
    "gather",
    lambda lib, x, i: lib.gather(x, i, axis=1) ** 2,
    with_index(normal((3, 4)), 4, 3, 2),
    lambda lib, x, i: lib.gather(x, 1, i) ** 2,
)

MATMUL = [((2, 3), (3, 4)), ((3, 3), (3, 3)), ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2))]
MATMUL += [((2, 3, 4), (4, 5)), ((3, 4), (2, 4, 5)), ((5, 2, 3), (5, 3, 4)), ((2, 3, 4), (4,))]
MATMUL += [((4,), (2, 4, 3)), ((2, 1, 2, 3), (3, 3, 2)), ((2, 0), (0, 3)), ((0, 2), (2, 3))]
MATMUL += [((3, 3, 3), (3, 3)), ((3, 3, 3), (3, 3, 3)), ((2, 0, 3), (3, 2)), ((2, 2, 0), (0, 3))]
for shapes in MATMUL:
    case(f"matmul {shapes}", lambda lib, x, y: lib.matmul(x, y), normal(*shapes), analytic=True)
case("matmul operator", lambda lib, x, y: (x @ y) @ x, normal((2, 3), (3, 2)), analytic=True)

for dim in (0, 1, -1):
    case(f"softmax {dim}", lambda lib, x, d=dim: lib.softmax(x, dim=d), normal((3, 4)))
    case(f"log_softmax {dim}", lambda lib, x, d=dim: x.log_softmax(dim=d), normal((3, 4)))
case("softmax high", lambda lib, x: (x + 800.0).softmax(-1), normal((3, 4)))


def functional(name: str, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
    """The same call of this library and of torch.nn.functional."""
    return (
        lambda lib, *xs: getattr(lib, name)(*xs, *args, **kwargs),
        lambda lib, *xs: getattr(lib.nn.functional, name)(*xs, *args, **kwargs),
    )


def both(name: str, title: str, inputs: Any, *args: Any, **kwargs: Any) -> None:
    more = {k: kwargs.pop(k) for k in ("second", "analytic") if k in kwargs}
    call, other = functional(name, *args, **kwargs)
    case(f"{name} {title}", call, inputs, other, **more)


for how in ("mean", "sum", "none"):
    inputs = with_index(normal((5, 3)), 3, 5)
    both("cross_entropy", how, inputs, reduction=how)
    both(
        "cross_entropy",
        f"{how} images",
        with_index(normal((2, 3, 2, 2)), 3, 2, 2, 2),
        reduction=how,
    )
both("cross_entropy", "one", with_index(normal((3,)), 3))
case(
    "cross_entropy probabilities",
    lambda lib, x, t: lib.cross_entropy(x, lib.softmax(t, 1)),
    normal((4, 3), (4, 3)),
    lambda lib, x, t: lib.nn.functional.cross_entropy(x, lib.softmax(t, 1)),
)
both("cross_entropy", "far", lambda rng: (1e4 * rng.normal(size=(4, 3)), np.array([0, 1, 2, 0])))

for title, shapes in {
    "rows": ((5, 3), (2, 3)),
    "one": ((3,), (2, 3)),
    "square": ((3, 3), (3, 3)),
    "none": ((0, 3), (2, 3)),
    "bias": ((2, 4, 3), (5, 3), (5,)),
}.items():
    both("linear", title, normal(*shapes), analytic=True)
case(
    "binary_cross_entropy",
    lambda lib, x, t: _binary_losses(x.sigmoid(), t.sigmoid()),
    normal((3, 2), (2,)),
    lambda lib, x, t: lib.nn.functional.binary_cross_entropy(
        x.sigmoid(), t.sigmoid().expand(3, 2), reduction="none"
    ),
)

for title, shapes, how in [
    ("plain", ((2, 2, 4, 5), (3, 2, 2, 3)), {}),
    ("bias", ((2, 1, 3, 3), (2, 1, 2, 2), (2,)), {}),
    ("stride", ((1, 2, 5, 6), (2, 2, 2, 2)), {"stride": 2}),
    ("strides", ((1, 1, 6, 5), (2, 1, 3, 2)), {"stride": (3, 2)}),
    ("padding", ((2, 1, 3, 3), (1, 1, 3, 3)), {"padding": 1}),
    ("paddings", ((1, 1, 3, 3), (1, 1, 2, 3)), {"padding": (0, 2)}),
    ("dilation", ((1, 1, 6, 6), (1, 1, 2, 3)), {"dilation": 2}),
    ("dilations", ((1, 1, 5, 6), (1, 1, 3, 2)), {"dilation": (1, 3), "padding": 1, "stride": 2}),
    ("groups", ((1, 4, 3, 3), (6, 2, 2, 2), (6,)), {"groups": 2}),
    ("depthwise", ((2, 3, 3, 3), (3, 1, 2, 2)), {"groups": 3}),
    ("1x1", ((2, 3, 2, 2), (4, 3, 1, 1)), {}),
    ("leftover", ((1, 1, 6, 6), (1, 1, 3, 3)), {"stride": 2}),
]:
    both("conv2d", title, normal(*shapes), **how)

for title, shape, size, how in [
    ("2", (2, 2, 4, 4), 2, {}),
    ("uneven", (1, 1, 5, 5), 2, {}),
    ("overlap", (1, 2, 4, 4), 3, {"stride": 1}),
    ("padded", (1, 1, 4, 5), 3, {"stride": 2, "padding": 1}),
    ("wide", (1, 1, 4, 6), (2, 3), {"padding": (1, 0)}),
]:
    both("max_pool2d", title, distinct(shape), size, **how)
    both("avg_pool2d", title, normal(shape), size, **how)
both("max_pool2d", "dilated", distinct((1, 2, 6, 7)), 2, stride=2, dilation=(2, 3))
both("max_pool2d", "dilated apart", distinct((1, 1, 7, 7)), 2, stride=3, dilation=2)
both("max_pool2d", "dilated and padded", distinct((1, 1, 5, 5)), 3, 1, padding=1, dilation=2)
both("avg_pool2d", "border left out", normal((2, 1, 4, 5)), 3, 2, 1, count_include_pad=False)
both("avg_pool2d", "no border", normal((1, 1, 4, 4)), 2, count_include_pad=False)
case(
    "max_pool2d squared",
    lambda lib, x: lib.max_pool2d(x * x, 2),
    distinct((1, 1, 4, 4)),
    lambda lib, x: lib.nn.functional.max_pool2d(x * x, 2),
)

case(
    "layer_norm",
    lambda lib, x, w, b: lib.layer_norm(x, 3, w, b),
    normal((4, 3), (3,), (3,)),
    lambda lib, x, w, b: lib.nn.functional.layer_norm(x, (3,), w, b),
)
both("layer_norm", "two axes", normal((3, 2, 2)), (2, 2), eps=0.1)
case(
    "batch_norm",
    lambda lib, x, w, b: lib.batch_norm(x, None, None, w, b, training=True),
    normal((4, 3), (3,), (3,)),
    lambda lib, x, w, b: lib.nn.functional.batch_norm(x, None, None, w, b, training=True),
)
case(
    "batch_norm images",
    lambda lib, x: lib.batch_norm(x, training=True, eps=0.01),
    normal((2, 2, 2, 3)),
    lambda lib, x: lib.nn.functional.batch_norm(x, None, None, training=True, eps=0.01),
)
case(
    "batch_norm eval",
    lambda lib, x, m, w: lib.batch_norm(x, m, lib.ones_like(m), w),
    normal((2, 2, 3), (2,), (2,)),
    lambda lib, x, m, w: (x - m[:, None]) / (1 + 1e-5) ** 0.5 * w[:, None],
)

# ------------------------------------------------------ points where only a convention can tell


def at(*values: Any) -> Callable[[np.random.Generator], tuple[np.ndarray, ...]]:
    return lambda rng: tuple(np.array(v) for v in values)


def special(name: str, call: Any, inputs: Any, other: Any = None) -> None:
    case(name, call, inputs, other, kink=True, second=False)


TIES = at([[1.0, 2.0, 2.0], [3.0, 3.0, 3.0]])
special("max ties", lambda lib, x: lib.amax(x, 1), TIES)
special("min ties", lambda lib, x: lib.amin(x, 1), TIES)
special("max ties of all", lambda lib, x: x.max(), TIES)
special("clip at its bounds", lambda lib, x: lib.clip(x, -1.0, 1.0), at([-1.0, 0.5, 1.0, 2.0]))
special("relu at 0", lambda lib, x: lib.relu(x), at([0.0, 1.0, -1.0]))
special("absolute at 0", lambda lib, x: lib.abs(x), at([0.0, 1.0, -1.0]))
special("maximum ties", lambda lib, x, y: lib.maximum(x, y), at([1.0, 2.0], [1.0, 3.0]))
special("minimum ties", lambda lib, x, y: lib.minimum(x, y), at([1.0, 2.0], [1.0, 3.0]))
special("power 0 at 0", lambda lib, x: x**0 + x**0.0, at([0.0, 1.0]))
special(
    "power at 0",
    lambda lib, x, y: x**y,
    at([0.0, 0.0, 0.0, 2.0, 1.0, 0.0], [2.0, 1.0, 0.0, 0.0, 3.0, -1.0]),
)
special("var of one", lambda lib, x: lib.var(x, 1), at([[1.0], [2.0]]))
special(
    "binary_cross_entropy at 0 and 1",
    lambda lib, p, t: _binary_losses(p, t),
    at([0.0, 1.0, 0.0, 1.0, 0.5], [0.0, 1.0, 1.0, 0.0, 0.5]),
    lambda lib, p, t: lib.nn.functional.binary_cross_entropy(p, t, reduction="none"),
)


def written(lib: Any, x: Any, value: Any, key: Any) -> Any:
    """Return a copy of `x` with a value written into it, times itself."""
    y = x * 1.0
    y[key] = value
    return y * y


for key in (1, (slice(None), 0), (0, slice(1, None))):
    case(f"setitem {key}", lambda lib, x, v, k=key: written(lib, x, v, k), normal((2, 3), ()))
case("setitem row", lambda lib, x, v: written(lib, x, v, 0), normal((2, 3), (3,)))
