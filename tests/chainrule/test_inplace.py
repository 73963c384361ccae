"""In-place changes: what works, what is refused, and that no gradient ever comes out wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import chainrule as cr


def leaf(*numbers: float) -> cr.Tensor:
    return cr.tensor(list(numbers), dtype="float64", requires_grad=True)


CHANGES: dict[str, Callable[[Any], Any]] = {
    "add_": lambda t: t.add_(1.0),
    "sub_": lambda t: t.sub_(1.0),
    "mul_": lambda t: t.mul_(2.0),
    "div_": lambda t: t.div_(2.0),
    "zero_": lambda t: t.zero_(),
    "fill_": lambda t: t.fill_(3.0),
    "copy_": lambda t: t.copy_(cr.tensor([5.0, 6.0], dtype="float64")),
    "clip_": lambda t: t.clip_(0.0, 1.0),
    "+=": lambda t: t.__iadd__(1.0),
    "setitem": lambda t: t.__setitem__(0, 9.0),
}


@pytest.mark.parametrize("name", CHANGES)
def test_every_change_counts_up_the_version(name: str) -> None:
    x = cr.tensor([1.0, 2.0], dtype="float64")
    memory = x.data
    assert x._version == 0
    CHANGES[name](x)
    assert x._version == 1 and x.data is memory
    CHANGES[name](x.detach())
    assert x._version == 2


@pytest.mark.parametrize("name", CHANGES)
def test_a_leaf_that_requires_gradients_changes_only_without_recording(name: str) -> None:
    x = leaf(1.0, 2.0)
    with pytest.raises(cr.InPlaceError, match="leaf"):
        CHANGES[name](x)
    np.testing.assert_array_equal(x.data, [1.0, 2.0])
    with cr.no_grad():
        CHANGES[name](x)
    assert x._version == 1 and x.requires_grad and x.is_leaf


@pytest.mark.parametrize("name", CHANGES)
def test_a_saved_input_changed_before_backward_is_an_error(name: str) -> None:
    w = leaf(1.0, 2.0)
    c = cr.tensor([3.0, 4.0], dtype="float64")
    y = w * c  # here
    CHANGES[name](c)
    with pytest.raises(
        cr.InPlaceError, match=r"multiply of shape \(2,\) .*test_inplace.py:\d+: y = w"
    ):
        y.sum().backward()


@pytest.mark.parametrize("name", CHANGES)
def test_a_saved_output_changed_before_backward_is_an_error(name: str) -> None:
    x = leaf(1.0, 2.0)
    y = x.exp()
    z = y * 1.0
    CHANGES[name](y)
    with pytest.raises(cr.InPlaceError, match="exp of shape"):
        z.sum().backward()


def test_a_saved_leaf_changed_without_recording_is_an_error() -> None:
    w = leaf(1.0, 2.0)
    y = (w * w).sum()
    with cr.no_grad():
        w.add_(1.0)
    with pytest.raises(cr.InPlaceError, match="version is now 1"):
        y.backward()


def test_a_change_through_a_view_or_the_detached_tensor_is_seen() -> None:
    for change in (
        lambda c: c.detach().zero_(),
        lambda c: c.reshape(2, 1).zero_(),
        lambda c: c[0].zero_(),
        lambda c: c[:1].T.add_(1.0),
        lambda c: c.flip(0).mul_(2.0),
        lambda c: c.expand(2).reshape(1, 2).mul_(2.0),
    ):
        w, c = leaf(1.0, 2.0), cr.tensor([3.0, 4.0], dtype="float64")
        y = w * c
        try:
            change(c)
        except ValueError:  # NumPy keeps expanded views from being written
            continue
        with pytest.raises(cr.InPlaceError):
            y.sum().backward()


def test_what_no_rule_needs_may_change() -> None:
    x, c = leaf(1.0, 2.0), cr.tensor([3.0, 4.0], dtype="float64")
    y = x + c
    c.zero_()
    z = x * c.exp()
    c.add_(1.0)
    (y.sum() + z.sum()).backward()
    np.testing.assert_array_equal(x.grad.data, [2.0, 2.0])


def test_changes_before_the_call_do_not_matter() -> None:
    x, c = leaf(1.0, 2.0), cr.tensor([3.0, 4.0], dtype="float64")
    c.mul_(2.0)
    y = (x * c).sum()
    other = cr.ones(3)
    other.add_(1.0)
    y.backward()
    np.testing.assert_array_equal(x.grad.data, [6.0, 8.0])


RECORDED: dict[str, tuple[Callable[[Any, Any], Any], Callable[[Any, Any], Any]]] = {
    "add_": (lambda y, w: y.add_(w, alpha=3.0), lambda y, w: y + 3.0 * w),
    "sub_": (lambda y, w: y.sub_(w), lambda y, w: y - w),
    "mul_": (lambda y, w: y.mul_(w), lambda y, w: y * w),
    "div_": (lambda y, w: y.div_(w), lambda y, w: y / w),
    "copy_": (lambda y, w: y.copy_(w), lambda y, w: w * 1.0),
    "zero_": (lambda y, w: y.zero_(), lambda y, w: y * 0.0),
    "clip_": (lambda y, w: y.clip_(0.0, 4.0), lambda y, w: y.clip(0.0, 4.0)),
    "twice": (lambda y, w: y.mul_(w).mul_(w), lambda y, w: y * w * w),
    "itself": (lambda y, w: y.mul_(y), lambda y, w: y * y),
}


@pytest.mark.parametrize("name", RECORDED)
def test_a_recorded_change_is_differentiated(name: str) -> None:
    inplace, plain = RECORDED[name]
    found = []
    for change in (inplace, plain):
        x, w = leaf(1.0, 2.0), leaf(3.0, 5.0)
        y = change(x * 2.0, w)
        (y * cr.tensor([1.0, 7.0], dtype="float64")).sum().backward()
        found.append([y.tolist(), *(None if t.grad is None else t.grad.tolist() for t in (x, w))])
    if name in ("zero_", "copy_"):
        zero = [0.0, 0.0]
        found = [[zero if g is None else g for g in f] for f in found]
    assert found[0] == found[1]


def test_an_assignment_is_differentiated_on_both_sides() -> None:
    x, v = leaf(1.0, 2.0, 3.0), leaf(10.0)
    y = x * 2.0
    y[1] = v[0] * 3.0
    y[cr.tensor([2])] = 5.0
    (y * y).sum().backward()
    np.testing.assert_array_equal(x.grad.data, [8.0, 0.0, 0.0])
    np.testing.assert_array_equal(v.grad.data, [180.0])


def test_a_plain_tensor_takes_over_a_graph() -> None:
    x = leaf(1.0, 2.0)
    total = cr.zeros(2, dtype="float64")
    for k in range(3):
        total += x * float(k)
    assert total.requires_grad
    total.sum().backward()
    np.testing.assert_array_equal(x.grad.data, [3.0, 3.0])


def test_older_uses_keep_the_older_graph() -> None:
    x = leaf(1.0, 2.0)
    y = x * 1.0
    before = y.sum()
    y.mul_(10.0)
    (before + y.sum()).backward()
    np.testing.assert_array_equal(x.grad.data, [11.0, 11.0])


def test_recorded_changes_of_views_and_of_tensors_with_views_are_refused() -> None:
    x = leaf(1.0, 2.0)
    y = x * 1.0
    part = y[0]
    with pytest.raises(cr.InPlaceError, match="view"):
        part.mul_(2.0)
    with pytest.raises(cr.InPlaceError, match="view"):
        y.mul_(2.0)
    del part
    y.mul_(2.0)  # the view is gone
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.data, [2.0, 2.0])
    with pytest.raises(cr.InPlaceError, match="view"):
        x[0].add_(1.0)


def test_a_copy_made_by_a_reshape_is_no_view() -> None:
    x = leaf(1.0, 2.0, 3.0, 4.0)
    y = (x * 1.0).reshape(2, 2).T.reshape(4)
    y.mul_(2.0)
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.data, [2.0] * 4)


@pytest.mark.parametrize("shape", [(3,), (200, 300), (70_000,)])
def test_scaled_additions_of_every_size(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=shape), rng.normal(size=shape)
    x = cr.tensor(a)
    x.add_(cr.tensor(b), alpha=0.5).sub_(cr.tensor(b[:1]), alpha=2.0)
    np.testing.assert_allclose(x.data, a + 0.5 * b - 2.0 * b[:1], rtol=1e-14, atol=1e-14)
    y = cr.tensor(np.asfortranarray(a))
    y.add_(cr.tensor(b), alpha=0.5)
    np.testing.assert_allclose(y.data, a + 0.5 * b, rtol=1e-14)


def test_shapes_that_do_not_fit_change_nothing() -> None:
    x = cr.ones(2)
    with pytest.raises(cr.ShapeError):
        x.add_(cr.ones(3))
    with pytest.raises(cr.ShapeError):
        x.add_(cr.ones(2, 2))
    np.testing.assert_array_equal(x.data, [1.0, 1.0])
    y = leaf(1.0) * 1.0
    with pytest.raises(cr.ShapeError):
        y.add_(cr.ones(2, dtype="float64"))
    assert y.shape == (1,)


def test_float32_stays_float32_in_place() -> None:
    x = cr.ones(2)
    x += 2.5
    x *= np.float32(2)
    x -= cr.tensor(1.0, dtype="float64")
    assert x.dtype == np.float32
    np.testing.assert_array_equal(x.data, [6.0, 6.0])
