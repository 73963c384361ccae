"""Shapes, axes and indices as Hypothesis draws them: against PyTorch, and against directions."""

from __future__ import annotations

from typing import Any

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import chainrule as cr

quick = settings(max_examples=40, deadline=None, derandomize=True)
pairs = hnp.mutually_broadcastable_shapes(num_shapes=2, min_side=0, max_side=3, max_dims=4)
any_shape = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=3)
full_shape = hnp.array_shapes(min_dims=0, max_dims=4, min_side=1, max_side=3)


def draw(shape: tuple[int, ...], seed: int) -> np.ndarray:
    return np.asarray(np.random.default_rng(seed).uniform(0.3, 2.0, shape))


def same(call: Any, arrays: list[np.ndarray], other: Any = None) -> None:
    """Compare value and gradients with PyTorch's, in float64, for a random upstream gradient."""
    torch = pytest.importorskip("torch")
    mine = [cr.tensor(a, requires_grad=True) for a in arrays]
    theirs = [torch.tensor(a, requires_grad=True) for a in arrays]
    out, expected = call(*mine), (other or call)(*theirs)
    assert out.shape == tuple(expected.shape)
    np.testing.assert_allclose(out.data, expected.detach().numpy(), rtol=1e-12, atol=1e-13)
    upstream = np.random.default_rng(9).normal(size=out.shape)
    out.backward(cr.tensor(upstream))
    expected.backward(torch.tensor(upstream))
    for x, y in zip(mine, theirs, strict=True):
        want = np.zeros(x.shape) if y.grad is None else y.grad.numpy()
        np.testing.assert_allclose(x.grad.data, want, rtol=1e-10, atol=1e-12)


OPERATIONS = {
    "add": lambda x, y: x + y,
    "subtract": lambda x, y: x - y,
    "multiply": lambda x, y: x * y,
    "divide": lambda x, y: x / y,
    "power": lambda x, y: x**y,
}


@pytest.mark.parametrize("name", OPERATIONS)
@quick
@given(shapes=pairs)
def test_two_shapes_that_broadcast(name: str, shapes: Any) -> None:
    x, y = (draw(s, i) for i, s in enumerate(shapes.input_shapes))
    same(OPERATIONS[name], [x, y])
    cr.gradcheck(OPERATIONS[name], [x, y], method="directional", directions=2, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["sum", "mean", "var", "logsumexp", "amax", "amin"])
@quick
@given(data=st.data(), shape=full_shape, keep=st.booleans())
def test_reductions_over_drawn_axes(name: str, data: Any, shape: Any, keep: bool) -> None:
    if shape:
        axes = data.draw(hnp.valid_tuple_axes(len(shape), min_size=1))
    else:
        axes = ()
    if name == "var" and np.prod([shape[a] for a in axes]) < 2:
        return
    x = draw(shape, 0)
    if not axes:
        same(lambda t: getattr(t, name)(()) if name != "sum" else t * 1, [x], lambda t: t * 1)
        return
    same(lambda t: getattr(t, name)(dim=axes, keepdim=keep), [x])


@quick
@given(data=st.data(), shape=any_shape, keep=st.booleans())
def test_sums_of_empty_arrays(data: Any, shape: Any, keep: bool) -> None:
    if shape:
        axes = data.draw(hnp.valid_tuple_axes(len(shape), min_size=1))
        same(lambda t: t.sum(axes, keep), [draw(shape, 0)])


@quick
@given(data=st.data(), shape=any_shape)
def test_permutations_and_reshapes(data: Any, shape: Any) -> None:
    order = tuple(data.draw(st.permutations(range(len(shape)))))
    x = draw(shape, 1)
    same(lambda t: t.permute(order) * 2 if order else t * 2, [x])
    same(lambda t: t.permute(order).reshape(-1) if order else t.reshape(1), [x]) if x.size else None


@quick
@given(data=st.data(), shape=hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4))
def test_basic_indices(data: Any, shape: Any) -> None:
    key = data.draw(hnp.basic_indices(shape, allow_newaxis=True))
    x = draw(shape, 2)
    t = cr.tensor(x, requires_grad=True)
    out = t[key]
    np.testing.assert_array_equal(out.data, x[key])
    upstream = np.random.default_rng(3).normal(size=out.shape)
    out.backward(cr.tensor(upstream))
    want = np.zeros(shape)
    want[key] = upstream
    np.testing.assert_array_equal(t.grad.data, want)


@quick
@given(data=st.data(), shape=hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4))
def test_integer_indices_that_repeat(data: Any, shape: Any) -> None:
    key = data.draw(hnp.integer_array_indices(shape))
    x = draw(shape, 4)
    cr.gradcheck(lambda t: t[key] ** 2, x, method="directional", directions=2)
    t = cr.tensor(x, requires_grad=True)
    t[key].sum().backward()
    want = np.zeros(shape)
    np.add.at(want, key, 1.0)
    np.testing.assert_array_equal(t.grad.data, want)


@quick
@given(data=st.data(), shape=hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4))
def test_masks(data: Any, shape: Any) -> None:
    mask = data.draw(hnp.arrays(bool, shape))
    x = draw(shape, 5)
    same(lambda t: t[mask] * 2, [x])


@quick
@given(
    lead=hnp.mutually_broadcastable_shapes(num_shapes=2, min_side=1, max_side=3, max_dims=2),
    n=st.integers(0, 3),
    k=st.integers(0, 3),
    m=st.integers(0, 3),
)
def test_products_of_stacks_of_matrices(lead: Any, n: int, k: int, m: int) -> None:
    first, second = lead.input_shapes
    same(lambda x, y: x @ y, [draw((*first, n, k), 0), draw((*second, k, m), 1)])
    same(lambda x, y: x @ y, [draw((k,), 0), draw((*second, k, m), 1)])
    same(lambda x, y: x @ y, [draw((*first, n, k), 0), draw((k,), 1)])


@quick
@given(data=st.data())
def test_convolutions(data: Any) -> None:
    torch = pytest.importorskip("torch")
    whole = st.integers(1, 2)
    groups = data.draw(whole)
    kernel = (data.draw(st.integers(1, 3)), data.draw(st.integers(1, 3)))
    how = {
        "stride": (data.draw(whole), data.draw(whole)),
        "padding": (data.draw(st.integers(0, 2)), data.draw(st.integers(0, 2))),
        "dilation": (data.draw(whole), data.draw(whole)),
        "groups": groups,
    }
    size = [
        d * (k - 1) + 1 + data.draw(st.integers(0, 3))
        for k, d in zip(kernel, how["dilation"], strict=True)
    ]
    channels, filters = groups * data.draw(whole), groups * data.draw(whole)
    x = draw((data.draw(whole), channels, *size), 0)
    w, b = draw((filters, channels // groups, *kernel), 1), draw((filters,), 2)
    same(
        lambda x, w, b: cr.conv2d(x, w, b, **how),
        [x, w, b],
        lambda x, w, b: torch.nn.functional.conv2d(x, w, b, **how),
    )


@quick
@given(
    shapes=st.lists(st.integers(0, 3), min_size=1, max_size=4),
    rest=hnp.array_shapes(min_dims=0, max_dims=2, min_side=1, max_side=3),
    data=st.data(),
)
def test_concatenations(shapes: list[int], rest: Any, data: Any) -> None:
    torch = pytest.importorskip("torch")
    axis = data.draw(st.integers(-len(rest) - 1, len(rest)))
    place = axis % (len(rest) + 1)
    arrays = [draw((*rest[:place], n, *rest[place:]), i) for i, n in enumerate(shapes)]
    same(lambda *xs: cr.concatenate(xs, axis) * 2, arrays, lambda *xs: torch.cat(xs, axis) * 2)


@quick
@given(dtype=st.sampled_from(["float32", "float64"]), shapes=pairs)
def test_gradients_have_the_shape_and_dtype_of_their_tensor(dtype: str, shapes: Any) -> None:
    x, y = (
        cr.tensor(draw(s, i), dtype=dtype, requires_grad=True)
        for i, s in enumerate(shapes.input_shapes)
    )
    (x * y / (x + y) - y.exp() * 2).sum().backward()
    for t in (x, y):
        assert (t.grad.shape, t.grad.dtype) == (t.shape, np.dtype(dtype))
