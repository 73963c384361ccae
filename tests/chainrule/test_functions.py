"""User-defined operations: one node, saved tensors, several outputs, mistakes."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest

import chainrule as cr


class Sigmoid(cr.Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        y = cr.tensor(0.5 * (1 + np.tanh(0.5 * x.data)))
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (y,) = ctx.saved_tensors
        return g * y * (1 - y)


class Weighted(cr.Function):
    @staticmethod
    def forward(ctx: Any, x: Any, w: Any, factor: float) -> Any:
        ctx.save_for_backward(x, w)
        ctx.factor = factor
        return x * w * factor

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, w = ctx.saved_tensors
        gx = g * w * ctx.factor if ctx.needs_input_grad[0] else None
        gw = g * x * ctx.factor if ctx.needs_input_grad[1] else None
        return gx, gw, None


class SplitSquare(cr.Function):
    """Two outputs, the square and the cube; the square is saved for the second derivative."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        square, cube = x * x, x * x * x
        ctx.save_for_backward(x, square)
        return square, cube

    @staticmethod
    def backward(ctx: Any, g2: Any, g3: Any) -> Any:
        x, square = ctx.saved_tensors
        return 2 * x * g2 + 3 * square * g3


def leaf(*numbers: float) -> cr.Tensor:
    return cr.tensor(list(numbers), dtype="float64", requires_grad=True)


def test_one_node_stable_far_out_first_and_second_derivative() -> None:
    x = leaf(-1000.0, -1.0, 0.0, 1000.0)
    y = Sigmoid.apply(x)
    assert repr(y.grad_fn) == "<Sigmoid>" and y.grad_fn.parents == [x]
    np.testing.assert_array_equal(y.data[[0, 2, 3]], [0.0, 0.5, 1.0])
    cr.gradcheck(Sigmoid.apply, np.array([-2.0, 0.3, 1.5]))
    cr.gradgradcheck(Sigmoid.apply, np.array([-2.0, 0.3, 1.5]))


def test_arguments_that_need_no_gradient_cost_none() -> None:
    x, w = leaf(1.0, 2.0), cr.tensor([3.0, 4.0], dtype="float64")
    y = Weighted.apply(x, w, 10.0)
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.data, [30.0, 40.0])
    assert w.grad is None
    cr.gradcheck(lambda a, b: Weighted.apply(a, b, 2.0), [np.ones(2), np.array([2.0, 5.0])])
    cr.gradgradcheck(lambda a, b: Weighted.apply(a, b, 2.0), [np.ones(2), np.array([2.0, 5.0])])
    assert not Weighted.apply(w, w, 1.0).requires_grad
    with cr.no_grad():
        assert not Weighted.apply(x, w, 1.0).requires_grad


def test_several_outputs() -> None:
    x = leaf(2.0, 3.0)
    square, cube = SplitSquare.apply(x)
    (square * 5 + cube).sum().backward()
    np.testing.assert_array_equal(x.grad.data, [5 * 4 + 12, 5 * 6 + 27])
    x.grad = None
    SplitSquare.apply(x)[1].sum().backward()  # the other output plays no part: its gradient is 0
    np.testing.assert_array_equal(x.grad.data, [12.0, 27.0])
    first, second = SplitSquare.apply(x)
    (gx,) = cr.grad((first * first + second).sum(), x)
    np.testing.assert_array_equal(gx.data, [4 * 8 + 12, 4 * 27 + 27])
    cr.gradcheck(SplitSquare.apply, np.array([2.0, -3.0]))
    cr.gradgradcheck(SplitSquare.apply, np.array([2.0, -3.0]))


def test_gradients_that_are_not_the_true_ones_are_taken_as_they_are() -> None:
    class Reverse(cr.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return -g

    x = leaf(2.0)
    y = Reverse.apply(x * 1.0)
    y.backward()
    np.testing.assert_array_equal(x.grad.data, [-1.0])
    z = Reverse.apply(x)
    assert z is not x and z.grad_fn is not None and x.is_leaf
    with pytest.raises(cr.GradcheckError):
        cr.gradcheck(Reverse.apply, np.array([1.0]))


def test_outputs_marked_as_not_differentiable() -> None:
    class Largest(cr.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            place = x.argmax()
            copy = x * 1.0
            ctx.mark_non_differentiable(copy)
            return x.max(), place, copy

        @staticmethod
        def backward(ctx: Any, g: Any, _: Any, __: Any) -> Any:
            return g * cr.tensor([1.0, 0.0], dtype="float64")

    x = leaf(2.0, 1.0)
    top, place, copy = Largest.apply(x)
    assert top.requires_grad and not place.requires_grad and not copy.requires_grad
    top.backward()
    np.testing.assert_array_equal(x.grad.data, [1.0, 0.0])


def test_a_saved_input_or_output_changed_in_place_is_noticed() -> None:
    x, w = leaf(1.0), cr.tensor([3.0], dtype="float64")
    y = Weighted.apply(x, w, 1.0)
    w.zero_()
    with pytest.raises(cr.InPlaceError, match="Weighted"):
        y.backward()
    z = Sigmoid.apply(x)
    out = z * 1.0
    z.detach().zero_()
    with pytest.raises(cr.InPlaceError, match="Sigmoid"):
        out.backward()


def test_backward_twice_and_freed_memory() -> None:
    x = leaf(1.0)
    y = Sigmoid.apply(x)
    y.backward()
    with pytest.raises(cr.BackwardError, match=r"Sigmoid.*Sigmoid\.apply\(x\)"):
        y.backward()
    gc.collect()
    gc.disable()
    try:
        z = SplitSquare.apply(x)[0]
        kept = weakref.ref(z)
        del z
        assert kept() is None
    finally:
        gc.enable()


def test_mistakes_have_names() -> None:
    class Short(cr.Function):
        @staticmethod
        def forward(ctx: Any, x: Any, y: Any) -> Any:
            return x + y

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g

    class Wide(Short):
        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return cr.ones(3, dtype="float64"), None

    class Listed(Short):
        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return [g, g]

    class Raw(Short):
        @staticmethod
        def forward(ctx: Any, x: Any, y: Any) -> Any:
            return x.data + y.data

    x = leaf(1.0, 2.0)
    with pytest.raises(cr.BackwardError, match="1 gradients for the 2 arguments"):
        Short.apply(x, x).sum().backward()
    with pytest.raises(cr.BackwardError, match="a list: give a tuple"):
        Listed.apply(x, x).sum().backward()
    with pytest.raises(cr.ShapeError, match=r"Wide.*\(3,\).*\(2,\)"):
        Wide.apply(x, x).sum().backward()
    with pytest.raises(cr.DTypeError, match="ndarray"):
        Raw.apply(x, x)
    with pytest.raises(NotImplementedError):
        cr.Function.apply(x)


def test_a_gradient_larger_by_broadcasting_is_summed() -> None:
    class Copies(cr.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return cr.tensor(np.tile(x.data, (3, 1)))

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g

    x = leaf(1.0, 2.0)
    (Copies.apply(x) * np.arange(6.0).reshape(3, 2)).sum().backward()
    np.testing.assert_array_equal(x.grad.data, [6.0, 9.0])


def test_saved_values_may_not_be_returned_as_gradients_and_change() -> None:
    class Keep(cr.Function):
        @staticmethod
        def forward(ctx: Any, x: Any, w: Any) -> Any:
            ctx.save_for_backward(w)
            return x * w

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return ctx.saved_tensors[0], None

    x, w = leaf(1.0), cr.tensor([3.0], dtype="float64")
    Keep.apply(x, w).backward()
    x.grad.zero_()
    assert w.item() == 3.0
