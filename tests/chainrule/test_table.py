"""The table itself: shapes and dtypes foretold, nothing kept in vain, every name explained."""

from __future__ import annotations

import dis
import doctest
import importlib
import inspect
import math
import os
import pkgutil
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from operation_cases import CASES

import chainrule as cr
from chainrule import graph
from chainrule.compiler import kernels
from chainrule.primitive import TABLE
from chainrule.tape import Like, Node

PACKAGE = Path(cr.__file__).parent
MODULES = [
    m.name
    for m in pkgutil.walk_packages([str(PACKAGE)], "chainrule.")
    if not m.name.startswith("chainrule.widgets")
]


def nodes(out: Any) -> Iterator[Any]:
    """Give every node behind a tensor."""
    stack = [out.node] if out.node is not None else []
    while stack:
        node = stack.pop()
        yield node
        stack.extend(p for p in node.parents if isinstance(p, Node))


def recorded_names() -> set[str]:
    """Return the names of all operations that the cases record."""
    seen = set()
    for case in CASES:
        arrays = case.draw()
        inputs = [cr.tensor(a, requires_grad=a.dtype.kind == "f") for a in arrays]
        seen.update(node.op.name for node in nodes(case.call(cr, *inputs)))
    return seen


def test_every_primitive_is_exercised_by_the_cases() -> None:
    without = {"equal", "not_equal", "less", "less_equal", "greater", "greater_equal"}
    without |= {"logical_and", "logical_or", "logical_not", "sign", "argmax", "argmin"}
    reached = recorded_names()
    backwards = {"unbroadcast", "_scatter", "_convolve_input", "_convolve_weight"}
    backwards |= {"one_hot", "_scatter_rows", "_scatter_along"}
    backwards |= {
        "_to_largest",
        "_from_largest",
        "_spread",
        "_setitem",
    }  # reached by rules, by second derivatives, by assignment
    assert set(TABLE) - reached - without - backwards == set()


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_shapes_and_dtypes_are_foretold(case: Any) -> None:
    """The rules for shape, dtype and cost say, without computing, what a call gives."""
    inputs = [cr.tensor(a, requires_grad=a.dtype.kind == "f") for a in case.draw()]
    for node in nodes(case.call(cr, *inputs)):
        if len(node.parents) != len(node.op.inputs) or node.op.variadic:
            continue
        likes = [Like(p.shape, p.dtype) for p in node.parents]
        assert tuple(node.op.shape(*likes, **node.options)) == node.shape
        flops, moved = node.op.cost(Like(node.shape, node.dtype), *likes, **node.options)
        sizes = [np.prod(p.shape) * 8 for p in (node, *node.parents)]
        assert flops >= 0 and moved == sum(sizes)
        if node.op.dtype is not None:
            assert np.dtype(node.op.dtype(*likes, **node.options)) == node.dtype


@pytest.mark.parametrize("name", sorted(TABLE))
def test_rules_name_what_they_keep(name: str) -> None:
    op = TABLE[name]
    for rule in op.rules:
        if rule is None:
            continue
        asks = list(rule.__annotations__.values())
        assert asks[0] == "Array", f"{rule.__name__}: the upstream gradient is an Array"
        assert set(asks[1 : len(op.inputs) + 2]) <= {"Array", "Like", "None"}, rule.__name__
        assert rule.__name__ != "<lambda>"


def test_nothing_is_kept_in_vain() -> None:
    """Taking away any value that a rule keeps makes the rule fail: it did need it."""
    idle = []
    for name, op in TABLE.items():
        for place, rule in enumerate(op.rules):
            if rule is None or op.variadic:
                continue
            names = list(rule.__annotations__)[1 : len(op.inputs) + 2]
            code = rule.__code__
            used = set()
            for instruction in dis.get_instructions(code):
                if instruction.opname.startswith(("LOAD_FAST", "LOAD_CLOSURE", "LOAD_DEREF")):
                    used.add(instruction.argval)
            for argument in names:
                kept = rule.__annotations__[argument] != "None"
                if kept != (argument in used):
                    idle.append((name, place, argument))
    assert idle == []


def test_costs_by_hand() -> None:
    def cost(name: str, out: Any, *shapes: Any, **options: Any) -> tuple[int, int]:
        likes = [Like(s, np.float32) for s in shapes]
        return TABLE[name].cost(Like(out, np.float32), *likes, **options)

    assert cost("matmul", (64, 10), (64, 100), (100, 10)) == (
        2 * 64 * 100 * 10,
        4 * (640 + 6400 + 1000),
    )
    assert cost("add", (2, 3), (2, 3), (3,)) == (6, 4 * (6 + 6 + 3))
    assert cost("sum", (), (5, 4)) == (20, 4 * 21)
    assert cost("_reshape", (6,), (2, 3), shape=(6,))[0] == 0


def test_errors_speak_of_shapes() -> None:
    three, four = cr.ones(2, 3), cr.ones(4)
    with pytest.raises(cr.ShapeError, match=r"add: shapes \(2, 3\) and \(4,\) do not broadcast"):
        three + four
    with pytest.raises(cr.ShapeError, match=r"matmul: the last axis of x, shape \(2, 3\).*\(4,\)"):
        three @ four
    with pytest.raises(cr.ShapeError, match="use \\*"):
        three @ 2.0
    with pytest.raises(cr.ShapeError, match="6 elements"):
        three.reshape(4)
    with pytest.raises(cr.ShapeError, match="6 elements"):
        three.reshape(4, -1)
    with pytest.raises(cr.ShapeError, match="along axis 0"):
        cr.concatenate([three, cr.ones(2, 2)])
    with pytest.raises(cr.ShapeError, match="at least one"):
        cr.concatenate([])
    with pytest.raises(cr.ShapeError, match="equal"):
        cr.stack([three, four])
    with pytest.raises(cr.ShapeError, match="add up"):
        four.split([1, 1])
    with pytest.raises(cr.ShapeError, match=r"\(2, 3\) does not broadcast to \(3, 3\)"):
        three.expand(3, 3)
    with pytest.raises(cr.AxisError, match="axis 2"):
        three.sum(2)
    with pytest.raises(cr.AxisError, match="twice"):
        three.sum((0, -2))
    with pytest.raises(cr.AxisError, match="axis -3"):
        three.flip(-3)
    with pytest.raises(cr.AxisError):
        three[2]
    with pytest.raises(cr.AxisError):
        three[0, 0, 0]
    with pytest.raises(cr.DTypeError, match="a whole number, a slice"):
        three[1.0]
    with pytest.raises(cr.DTypeError, match="float64"):
        three[np.array([1.0])]
    with pytest.raises(cr.DTypeError, match="whole number"):
        three.sum("x")
    with pytest.raises(cr.ShapeError):
        cr.ones(0, 3).max(0)
    with pytest.raises(cr.ShapeError, match="name each axis"):
        three.permute(0, 0)
    with pytest.raises(TypeError, match="axes"):
        three.sum(axes=0)
    with pytest.raises(cr.ShapeError, match="one number"):
        three.item()


def test_errors_of_networks() -> None:
    images, filters = cr.ones(2, 3, 5, 5), cr.ones(4, 3, 2, 2)
    with pytest.raises(cr.ShapeError, match=r"conv2d.*\(2, 3, 5, 5\)"):
        cr.conv2d(images, cr.ones(4, 2, 2, 2))
    with pytest.raises(cr.ShapeError, match="does not fit"):
        cr.conv2d(images, cr.ones(4, 3, 6, 6))
    with pytest.raises(cr.ShapeError, match="groups"):
        cr.conv2d(images, cr.ones(4, 1, 2, 2), groups=3)
    with pytest.raises(cr.ShapeError, match="bias"):
        cr.conv2d(images, filters, cr.ones(3))
    with pytest.raises(cr.ShapeError, match="stride"):
        cr.conv2d(images, filters, stride=0)
    with pytest.raises(cr.ShapeError, match="half"):
        cr.max_pool2d(images, 2, padding=2)
    with pytest.raises(cr.AxisError, match="classes 0 to 2"):
        cr.cross_entropy(cr.ones(2, 3), cr.tensor([0, 3]))
    with pytest.raises(cr.AxisError, match="classes"):
        cr.cross_entropy(cr.ones(2, 3), cr.tensor([0, -1]))
    with pytest.raises(cr.ShapeError, match=r"\(2, 3\)"):
        cr.cross_entropy(cr.ones(2, 3), cr.tensor([0, 1, 2]))
    with pytest.raises(cr.DTypeError, match="reduction"):
        cr.cross_entropy(cr.ones(2, 3), cr.tensor([0, 1]), "avg")
    with pytest.raises(cr.AxisError, match="rows"):
        cr.embedding(cr.tensor([5]), cr.ones(5, 2))
    with pytest.raises(cr.AxisError, match="rows"):
        cr.embedding(cr.tensor([-1]), cr.ones(5, 2))
    with pytest.raises(cr.DTypeError, match="whole"):
        cr.embedding(cr.ones(1), cr.ones(5, 2))
    with pytest.raises(cr.ShapeError, match="more than one value"):
        cr.batch_norm(cr.ones(1, 3), training=True)
    with pytest.raises(cr.ShapeError, match="last axes"):
        cr.layer_norm(cr.ones(2, 3), 2)
    for shape in ((), (3,), (3, 2), (2, 3, 1)):
        with pytest.raises(cr.ShapeError, match="number of classes"):
            cr.one_hot(cr.tensor([0, 2]), shape)
    with pytest.raises(cr.AxisError, match="one_hot"):
        cr.one_hot(cr.tensor([0, 3]), 3)
    x = graph.placeholder("float32", (2,))
    for dropout in (cr.dropout, cr.nn.functional.dropout):
        with pytest.raises(cr.GraphError, match=r"rng=graph\.Generator"):
            dropout(x)
    with pytest.raises(cr.ShapeError, match="probability"):
        cr.dropout(cr.ones(2), 1.5, rng=np.random.default_rng(0))
    with pytest.raises(cr.DTypeError, match="rows of equal length"):
        cr.tensor([[1.0], [2.0, 3.0]])
    with pytest.raises(cr.DTypeError):
        cr.tensor(["a"])


def test_dropout() -> None:
    x = cr.ones(1000, requires_grad=True)
    y = cr.dropout(x, 0.25, rng=np.random.default_rng(0))
    again = cr.dropout(x, 0.25, rng=np.random.default_rng(0))
    np.testing.assert_array_equal(y.data, again.data)
    assert y.dtype == np.float32
    assert sorted(set(y.tolist())) == [0.0, float(np.float32(1 / 0.75))]
    assert 0.7 < (y.data > 0).mean() < 0.8
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.data, y.data)
    assert cr.dropout(x, 0.5, training=False) is x
    assert not cr.dropout(x, 1.0, rng=np.random.default_rng(0)).data.any()


def test_dropout_draws_from_the_shared_generator_unless_one_is_given() -> None:
    x = cr.ones(100)
    drawn = []
    for dropout in (cr.dropout, cr.nn.functional.dropout, cr.nn.Dropout()):
        cr.manual_seed(5)
        drawn += [dropout(x).tolist(), dropout(x).tolist()]
    assert drawn[0] != drawn[1]
    assert drawn == drawn[:2] * 3
    assert drawn[0] == cr.dropout(x, rng=np.random.default_rng(5)).tolist()


def test_sigmoid_keeps_its_tail_and_says_nothing_of_infinite_numbers() -> None:
    x = np.array([-np.inf, -1e4, -700.0, -80.0, -40.0, 0.0, 40.0, 1e4, np.inf])
    exact = [0.0, 0.0, math.exp(-700), math.exp(-80), math.exp(-40), 0.5, 1.0, 1.0, 1.0]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for dtype, rtol in (("float64", 1e-14), ("float32", 1e-6)):
            y = cr.sigmoid(cr.tensor(x, dtype=dtype))
            assert y.dtype == dtype
            np.testing.assert_allclose(y.data, exact, rtol=rtol, atol=1e-300)
            out = np.empty(9, dtype)
            kernels.sigmoid(x.astype(dtype), out)
            np.testing.assert_array_equal(out, y.data)


@pytest.mark.parametrize("default", ["float32", "float64"])
@pytest.mark.parametrize(
    ("x", "y", "expected"),
    [
        (1.0, -1.0, None),
        (1, -1.0, None),
        (1, -1, "int64"),
        (True, False, "bool"),
        (cr.tensor([1, 2]), 0.5, None),
        (cr.ones(2), 0.5, "float32"),
        (cr.ones(2), cr.tensor(1.0, dtype="float64"), "float32"),
        (cr.ones(2, dtype="float64"), 0.5, "float64"),
        (cr.ones(2), cr.ones(2, dtype="float64"), "float64"),
    ],
)
@pytest.mark.parametrize("mask", ["bool", "int64", "float32", "float64"])
def test_where_has_the_dtype_of_what_it_chooses_from(
    mask: str, x: Any, y: Any, expected: str | None, default: str
) -> None:
    condition = cr.tensor([1, 0], dtype=mask)
    cr.set_default_dtype(default)
    try:
        out = cr.where(condition, x, y)
        feed = graph.placeholder(mask, (2,))
        symbol = cr.where(feed, x, y)
        run = graph.Session(symbol.graph).run(symbol, {feed: condition.data})
    finally:
        cr.set_default_dtype("float32")
    assert out.dtype == symbol.dtype == run.dtype == (expected or default)
    np.testing.assert_array_equal(out.data, [np.ravel(x)[0], np.ravel(y)[-1]])
    np.testing.assert_array_equal(out.data, run)


def test_one_hot_takes_the_number_of_classes() -> None:
    labels = cr.tensor([[2, 0], [1, 1], [0, 2]])
    hot = cr.one_hot(labels, 3)
    assert hot.dtype == np.float32 and hot.shape == (3, 3, 2)
    np.testing.assert_array_equal(hot.data, np.eye(3)[labels.data].transpose(0, 2, 1))
    np.testing.assert_array_equal(hot.data, cr.one_hot(labels, (3, 3, 2)).data)
    assert cr.one_hot(cr.tensor(1), 3).tolist() == [0.0, 1.0, 0.0]
    assert cr.one_hot([1], np.int64(2), dtype="int64").tolist() == [[0, 1]]
    symbol = cr.one_hot(graph.placeholder("int64", (3, 2)), 3)
    assert symbol.shape == hot.shape and symbol.dtype == hot.dtype


def test_running_statistics_equal_pytorchs() -> None:
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    mine = [cr.zeros(3, dtype="float64"), cr.ones(3, dtype="float64")]
    theirs = [torch.zeros(3, dtype=torch.float64), torch.ones(3, dtype=torch.float64)]
    for _ in range(3):
        x = rng.normal(2, 3, size=(4, 3, 5))
        cr.batch_norm(cr.tensor(x), *mine, training=True, momentum=0.3)
        torch.nn.functional.batch_norm(torch.tensor(x), *theirs, training=True, momentum=0.3)
    for a, b in zip(mine, theirs, strict=True):
        np.testing.assert_allclose(a.data, b.numpy(), rtol=1e-12)
    x = rng.normal(size=(4, 3))
    np.testing.assert_allclose(
        cr.batch_norm(cr.tensor(x), *mine).data,
        torch.nn.functional.batch_norm(torch.tensor(x), *theirs).numpy(),
        rtol=1e-12,
    )


TIES: dict[str, tuple[Any, Any, list[Any]]] = {
    "max": (lambda lib, x: lib.amax(x, 0), None, [[1.0, 3.0, 3.0]]),
    "max of all": (lambda lib, x: x.max(), None, [[[3.0, 3.0], [3.0, 1.0]]]),
    "min": (lambda lib, x: lib.amin(x, 0), None, [[1.0, 1.0, 3.0]]),
    "maximum": (lambda lib, x, y: lib.maximum(x, y), None, [[1.0, 2.0], [1.0, 1.0]]),
    "minimum": (lambda lib, x, y: lib.minimum(x, y), None, [[1.0, 2.0], [1.0, 1.0]]),
    "clip": (lambda lib, x: lib.clip(x, 0, 1), None, [[0.0, 1.0, 2.0, -1.0, 0.5]]),
    "clip between": (
        lambda lib, x, a, b: lib.clip(x, a, b),
        None,
        [[0.0, 1.0, 2.0, -1.0, 1.0], [0.0, 0.0, 0.0, 0.0, 1.0], [1.0, 1.0, 1.0, 1.0, 1.0]],
    ),
    "relu": (lambda lib, x: lib.relu(x), None, [[0.0, -0.0, 1.0]]),
    "abs": (lambda lib, x: lib.abs(x), None, [[0.0, -2.0]]),
    "sqrt": (lambda lib, x: lib.sqrt(x), None, [[0.0, 4.0]]),
    "0 ** 0": (lambda lib, x, y: x**y, None, [[0.0, 0.0, 2.0, -2.0], [0.0, 2.0, 0.0, 2.0]]),
    "0 ** 1": (lambda lib, x: x**1, None, [[0.0, 2.0]]),
    "0 ** 0.5": (lambda lib, x: x**0.5, None, [[0.0, 4.0]]),
    "max_pool2d": (
        lambda lib, x: lib.max_pool2d(x, 2),
        lambda lib, x: lib.nn.functional.max_pool2d(x, 2),
        [[[[[1.0, 1.0, 0.0, 2.0], [1.0, 0.0, 2.0, 2.0]]]]],
    ),
    "max_pool2d overlapping": (
        lambda lib, x: lib.max_pool2d(x, 2, 1),
        lambda lib, x: lib.nn.functional.max_pool2d(x, 2, 1),
        [[[[[1.0, 1.0, 1.0], [1.0, 1.0, 1.0], [0.0, 1.0, 1.0]]]]],
    ),
    "max_pool2d border": (
        lambda lib, x: lib.max_pool2d(x, 3, 1, 1),
        lambda lib, x: lib.nn.functional.max_pool2d(x, 3, 1, 1),
        [[[[[-1.0, -1.0], [-1.0, -1.0]]]]],
    ),
    "logsumexp": (lambda lib, x: lib.logsumexp(x, 0), None, [[-np.inf, 0.0, 1.0]]),
    "where": (lambda lib, x: lib.where(x > 0, lib.log(x), x), None, [[0.0, 1.0]]),
    "softmax": (lambda lib, x: lib.softmax(x, -1), None, [[-np.inf, 0.0, 1.0]]),
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", TIES)
def test_ties_and_edges_go_as_in_pytorch(name: str) -> None:
    torch = pytest.importorskip("torch")
    call, other, inputs = TIES[name]
    mine = [cr.tensor(x, dtype="float64", requires_grad=True) for x in inputs]
    theirs = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in inputs]
    a, b = call(cr, *mine), (other or call)(torch, *theirs)
    np.testing.assert_allclose(a.data, b.detach().numpy(), rtol=1e-15)
    upstream = np.arange(1.0, 1.0 + a.data.size).reshape(a.shape)
    a.backward(cr.tensor(upstream))
    b.backward(torch.tensor(upstream))
    for x, y in zip(mine, theirs, strict=True):
        np.testing.assert_allclose(x.grad.data, y.grad.numpy(), rtol=1e-15)


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name: str) -> None:
    if name.startswith("chainrule.sim."):
        pytest.importorskip("torch")
    result = doctest.testmod(importlib.import_module(name))
    assert result.failed == 0


def test_the_package_shows_its_example() -> None:
    assert doctest.testmod(cr).failed == 0 and doctest.testmod(cr).attempted > 2


PUBLIC = ["", ".graph", ".nn", ".optim", ".data", ".program", ".compiler"]


@pytest.mark.parametrize("package", PUBLIC)
def test_every_public_name_is_explained_by_an_example(package: str) -> None:
    bare = []
    home = importlib.import_module(f"chainrule{package}")
    for name in home.__all__:
        thing = getattr(home, name)
        if inspect.isclass(thing) and issubclass(thing, Exception):
            assert thing.__doc__
        elif (callable(thing) and thing.__doc__ and ">>>" not in thing.__doc__) or (
            callable(thing) and not thing.__doc__
        ):
            bare.append(name)
    assert set(bare) <= {"Function"}  # its module is its example
    for name in dir(cr.Tensor):
        if not name.startswith("_") and not inspect.ismemberdescriptor(getattr(cr.Tensor, name)):
            assert getattr(cr.Tensor, name).__doc__, f"Tensor.{name} has no docstring"


def test_no_module_is_over_400_lines() -> None:
    for path in PACKAGE.rglob("*.py"):
        if "widgets" not in path.parts:
            assert len(path.read_text(encoding="utf-8").splitlines()) <= 400, path


def test_importing_takes_numpy_and_the_standard_library_only() -> None:
    code = (
        "import sys, numpy; before = set(sys.modules); import chainrule; "
        "new = {m.split('.')[0] for m in set(sys.modules) - before} - {'chainrule'}; "
        "print(sorted(new - set(sys.stdlib_module_names)))"
    )
    env = {**os.environ, "PYTHONPATH": str(PACKAGE.parent)}
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env)
    assert out.stdout.strip() == "[]", out.stdout + out.stderr
