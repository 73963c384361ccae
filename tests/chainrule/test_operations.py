"""Every operation: values and gradients against PyTorch, against differences, and in every form."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from operation_cases import CASES, Case

import chainrule as cr
from chainrule.ops import pool
from chainrule.tape import Value

every_case = pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)


def tensors(arrays: list[np.ndarray], dtype: str = "float64") -> list[Any]:
    """Return the arrays as tensors; floats require gradients."""
    made = []
    for a in arrays:
        floats = a.dtype.kind == "f"
        made.append(cr.tensor(a, dtype=dtype if floats else None, requires_grad=floats))
    return made


def gradients(
    case: Case, inputs: list[Any], seed: int = 1, **options: Any
) -> tuple[Any, list[Any]]:
    """Return the output, and the gradients for a random upstream gradient."""
    out = case.call(cr, *inputs)
    upstream = np.random.default_rng(seed).normal(size=out.shape).astype(out.dtype)
    floats = [x for x in inputs if x.requires_grad]
    return out, list(cr.grad(out, floats, cr.tensor(upstream), allow_unused=True, **options))


@every_case
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_values_and_gradients_equal_pytorchs(case: Case, dtype: str) -> None:
    torch = pytest.importorskip("torch")
    arrays = case.draw()
    out, found = gradients(case, tensors(arrays, dtype))
    others = [torch.tensor(a.astype(dtype) if a.dtype.kind == "f" else a) for a in arrays]
    floats = [o.requires_grad_() for o in others if o.dtype.is_floating_point]
    expected = (case.other or case.call)(torch, *others)
    upstream = np.random.default_rng(1).normal(size=tuple(expected.shape))
    expected.backward(torch.tensor(upstream).to(expected.dtype))

    assert out.shape == tuple(expected.shape)
    assert str(expected.dtype) == f"torch.{out.dtype}"
    rtol, atol = (1e-10, 1e-12) if dtype == "float64" else (2e-4, 2e-5)
    np.testing.assert_allclose(out.data, expected.detach().numpy(), rtol=rtol, atol=atol)
    for g, o in zip(found, floats, strict=True):
        if g is None or o.grad is None:
            assert g is None or not np.any(g.data)
            continue
        assert g.dtype == dtype and g.shape == tuple(o.shape)
        np.testing.assert_allclose(g.data, o.grad.numpy(), rtol=rtol, atol=atol)


@pytest.mark.parametrize("case", [c for c in CASES if not c.kink], ids=lambda c: c.name)
def test_gradients_equal_differences(case: Case) -> None:
    arrays = case.draw(2)
    rtol = 1e-4 if "far" in case.name else 2e-6
    cr.gradcheck(lambda *xs: case.call(cr, *wrapped(xs)), arrays, rtol=rtol, atol=1e-7)


@pytest.mark.parametrize("case", [c for c in CASES if c.analytic], ids=lambda c: c.name)
def test_gradients_equal_complex_steps(case: Case) -> None:
    cr.gradcheck(
        lambda *xs: case.call(cr, *wrapped(xs)),
        case.draw(3),
        method="complex",
        rtol=1e-11,
        atol=1e-12,
    )


@pytest.mark.parametrize("case", [c for c in CASES if c.second], ids=lambda c: c.name)
def test_second_derivatives_equal_differences_of_the_first(case: Case) -> None:
    rtol = 1e-3 if "far" in case.name else 2e-5
    method = "directional" if sum(a.size for a in case.draw()) > 12 else "central"
    cr.gradgradcheck(
        lambda *xs: case.call(cr, *wrapped(xs)), case.draw(4), method=method, rtol=rtol, atol=1e-6
    )


def wrapped(xs: Any) -> list[Any]:
    """Return the arguments with integer arrays as tensors."""
    return [x if isinstance(x, Value) else cr.tensor(x) for x in xs]


def strided(a: np.ndarray) -> np.ndarray:
    """Return an equal array whose memory is neither contiguous nor in order."""
    if not a.ndim:
        return np.array([a, a + 1])[0]
    wide = np.empty([2 * n for n in a.shape[::-1]], a.dtype).transpose()
    view = wide[tuple(slice(None, None, 2) for _ in a.shape)]
    view[...] = a
    return view[::-1][::-1]


@every_case
def test_memory_layout_makes_no_difference_and_inputs_stay(case: Case) -> None:
    arrays = case.draw(5)
    out, plain = gradients(case, tensors(arrays))
    views = [strided(a) for a in arrays]
    inputs = [cr.Tensor(v, requires_grad=v.dtype.kind == "f") for v in views]
    again, other = gradients(case, inputs)
    np.testing.assert_allclose(again.data, out.data, rtol=1e-12, atol=1e-13)
    for g, h in zip(plain, other, strict=True):
        assert (g is None) == (h is None)
        if g is not None:
            np.testing.assert_allclose(h.data, g.data, rtol=1e-12, atol=1e-13)
    for a, v in zip(arrays, views, strict=True):
        np.testing.assert_array_equal(a, v)


@every_case
def test_recorded_rules_give_what_rules_on_arrays_give(case: Case) -> None:
    arrays = case.draw(6)
    _, plain = gradients(case, tensors(arrays))
    _, recorded = gradients(case, tensors(arrays), create_graph=True)
    for g, h in zip(plain, recorded, strict=True):
        assert (g is None) == (h is None)
        if g is not None:
            assert h.dtype == g.dtype
            np.testing.assert_allclose(h.data, g.data, rtol=1e-12, atol=1e-13)


@every_case
def test_only_what_needs_a_gradient_gets_one(case: Case) -> None:
    arrays = case.draw(7)
    _, both = gradients(case, tensors(arrays))
    floats = [i for i, a in enumerate(arrays) if a.dtype.kind == "f"]
    for place, i in enumerate(floats):
        inputs = [cr.Tensor(a, requires_grad=j == i) for j, a in enumerate(arrays)]
        if not case.call(cr, *inputs).requires_grad:
            assert both[place] is None
            continue
        _, (alone,) = gradients(case, inputs)
        if alone is None:
            assert both[place] is None
        else:
            np.testing.assert_allclose(alone.data, both[place].data, rtol=1e-13, atol=1e-14)


@every_case
def test_without_recording_nothing_is_recorded(case: Case) -> None:
    inputs = tensors(case.draw(8))
    with cr.no_grad():
        silent = case.call(cr, *inputs)
    assert silent.grad_fn is None and not silent.requires_grad
    np.testing.assert_array_equal(silent.data, case.call(cr, *inputs).data)


def test_pooling_rules_of_the_third_order() -> None:
    """Each of the two is the other's rule; only a third derivative goes round the whole circle."""
    rng = np.random.default_rng(0)
    x, how = rng.normal(size=(1, 2, 4, 4)), {"kernel": (2, 2), "stride": (1, 1)}
    pooled = pool._max_pool(x, **how)
    images, windows = rng.normal(size=x.shape), rng.normal(size=pooled.shape)
    cr.gradcheck(lambda g: pool._from_largest(g, pooled, x, **how) * 1.0, images)
    cr.gradcheck(lambda g: pool._to_largest(g, pooled, x, **how) * 1.0, windows)
