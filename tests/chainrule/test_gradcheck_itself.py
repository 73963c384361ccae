"""The checker is checked: planted bugs that it must catch, right rules that it must accept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import chainrule as cr

A = np.random.default_rng(5).normal(size=(3, 3))
B = np.random.default_rng(6).normal(size=(3, 3))
ROW = np.random.default_rng(7).normal(size=3)


def function(forward: Callable[..., Any], backward: Callable[..., Any]) -> Callable[..., Any]:
    """Return an operation with this forward and this backward, of arrays."""

    class Planted(cr.Function):
        @staticmethod
        def forward(ctx: Any, *xs: Any) -> Any:
            ctx.xs = [x.data for x in xs]
            return cr.tensor(forward(*ctx.xs))

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            found = backward(g.data, *ctx.xs)
            return tuple(cr.tensor(f) for f in (found if isinstance(found, tuple) else (found,)))

    return Planted.apply


def one_entry(g: np.ndarray, a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    ga = g @ b.T
    ga[1, 2] *= 1.001
    return ga, a.T @ g


def product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return a @ b


def with_nan(g: np.ndarray, x: np.ndarray) -> np.ndarray:
    out = g * np.exp(x)
    out[0, 0] = np.nan
    return out


BUGS: dict[str, tuple[Callable[..., Any], Callable[..., Any], list[np.ndarray]]] = {
    "zeroed": (np.exp, lambda g, x: np.zeros_like(g), [A]),
    "factor": (lambda x: x * x, lambda g, x: g * x, [A]),
    "factor close to 1": (np.tanh, lambda g, x: 1.0005 * g * (1 - np.tanh(x) ** 2), [A]),
    "sign": (np.sin, lambda g, x: -g * np.cos(x), [A]),
    "upstream ignored": (np.exp, lambda g, x: np.exp(x), [A]),
    "upstream summed": (np.exp, lambda g, x: g.sum() * np.exp(x), [A]),
    "passed through": (np.tanh, lambda g, x: g, [A]),
    "no unbroadcast": (lambda x, r: x + r, lambda g, x, r: (g, g[0]), [A, ROW]),
    "unbroadcast by mean": (lambda x, r: x + r, lambda g, x, r: (g, g.mean(0)), [A, ROW]),
    "unbroadcast wrong axis": (lambda x, r: x + r, lambda g, x, r: (g, g.sum(1)), [A, ROW]),
    "transposed": (product, lambda g, a, b: ((g @ b.T).T, a.T @ g), [A, B]),
    "not transposed": (product, lambda g, a, b: (g @ b, a.T @ g), [A, B]),
    "swapped": (product, lambda g, a, b: (a.T @ g, g @ b.T), [A, B]),
    "one entry": (product, one_entry, [A, B]),
    "nan": (np.exp, with_nan, [A]),
    "sum along the other axis": (
        lambda x: x.sum(1),
        lambda g, x: np.broadcast_to(g, x.shape).copy(),
        [A],
    ),
    "stale value": (lambda x: x**3, lambda g, x: 3 * g * x, [A]),
}

RIGHT: dict[str, tuple[Callable[..., Any], Callable[..., Any], list[np.ndarray]]] = {
    "exp": (np.exp, lambda g, x: g * np.exp(x), [A]),
    "broadcast": (lambda x, r: x * r, lambda g, x, r: (g * r, (g * x).sum(0)), [A, ROW]),
    "product": (product, lambda g, a, b: (g @ b.T, a.T @ g), [A, B]),
    "sum": (lambda x: x.sum(1), lambda g, x: np.repeat(g[:, None], 3, 1), [A]),
    "large": (lambda x: 1e6 * x**3, lambda g, x: 3e6 * g * x * x, [A]),
    "small": (lambda x: 1e-6 * x**3, lambda g, x: 3e-6 * g * x * x, [A]),
    "kink, away from it": (lambda x: np.abs(x), lambda g, x: g * np.sign(x), [A]),
    "constant": (lambda x: 0 * x, lambda g, x: 0 * g, [A]),
}


@pytest.mark.parametrize("method", ["central", "directional"])
@pytest.mark.parametrize("bug", BUGS)
def test_planted_bugs_are_caught(bug: str, method: str) -> None:
    forward, backward, inputs = BUGS[bug]
    planted = function(forward, backward)
    with pytest.raises(cr.GradcheckError):
        cr.gradcheck(planted, inputs, method=method)
    report = cr.gradcheck(planted, inputs, method=method, raise_exception=False)
    assert not report and "the gradient is" in str(report)


@pytest.mark.parametrize("method", ["central", "directional"])
@pytest.mark.parametrize("rule", RIGHT)
def test_right_rules_are_accepted(rule: str, method: str) -> None:
    forward, backward, inputs = RIGHT[rule]
    for seed in range(3):
        rng = np.random.default_rng(seed)
        assert cr.gradcheck(function(forward, backward), inputs, method=method, rng=rng)


def test_the_complex_step_catches_what_differences_cannot_see() -> None:
    def nearly(g: Any) -> Any:
        return g * (1 + 1e-9)

    class Exp(cr.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return cr.Tensor(np.exp(x.data))

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return nearly(g * cr.exp(ctx.saved_tensors[0]))

    assert cr.gradcheck(Exp.apply, A)
    with pytest.raises(cr.GradcheckError):
        cr.gradcheck(Exp.apply, A, method="complex", rtol=1e-12, atol=1e-13)
    with pytest.raises(cr.DTypeError, match="imaginary"):
        cr.gradcheck(lambda x: cr.absolute(x), A, method="complex")


def test_the_worst_place_is_named() -> None:
    forward, backward, inputs = BUGS["one entry"]
    report = cr.gradcheck(function(forward, backward), inputs, raise_exception=False)
    (finding,) = report.findings
    assert (finding.input, finding.place) == (0, (1, 2))
    assert abs(finding.gradient / finding.estimate - 1.001) < 1e-6
    assert report.compared == 18


def test_wrong_shapes_and_functions_that_change_their_mind() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(cr.GradcheckError, match="again"):
        cr.gradcheck(lambda x: x * rng.normal(), A)
    with pytest.raises(cr.ShapeError):
        cr.gradcheck(function(np.exp, lambda g, x: np.ones(2)), [A])
    with pytest.raises(cr.GradcheckError, match="requires gradients"):
        cr.gradcheck(lambda x: x.detach(), A)


def test_only_float64_is_checked() -> None:
    with pytest.raises(cr.DTypeError, match="float64"):
        cr.gradcheck(cr.exp, cr.ones(2, requires_grad=True))
    with pytest.raises(cr.DTypeError, match="method"):
        cr.gradcheck(cr.exp, A, method="forward")
    fixed = cr.tensor(B)  # a tensor that requires no gradient is a constant
    report = cr.gradcheck(lambda x, c: x * c, [cr.tensor(A, requires_grad=True), fixed])
    assert report.compared == 9
    assert cr.gradcheck(lambda x, i: x[i] * x[i], [A, 1])
    assert cr.gradcheck(cr.exp, 0.5) and cr.gradcheck(cr.exp, np.float64(0.5))


def test_inputs_are_left_alone() -> None:
    x = cr.tensor(A.copy(), requires_grad=True)
    cr.gradcheck(cr.exp, x)
    np.testing.assert_array_equal(x.data, A)
    assert x.grad is None


def test_second_derivatives_catch_a_rule_that_stops_them() -> None:
    class Cut(cr.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * 2 * ctx.saved_tensors[0].detach()

    assert cr.gradcheck(Cut.apply, A)
    with pytest.raises(cr.GradcheckError):
        cr.gradgradcheck(Cut.apply, A)


def test_unused_inputs_have_gradient_zero() -> None:
    assert cr.gradcheck(lambda x, y: x * 2, [A, B])
    assert cr.gradgradcheck(lambda x, y: x * x, [A, B])
    assert cr.gradcheck(lambda x, y: (x * 2, y * y), [A, B])
