"""The tape: accumulation, shared nodes, freed graphs, modes, hooks, long chains, dtypes."""

from __future__ import annotations

import gc
import threading
import weakref

import numpy as np
import pytest

import chainrule as cr


def leaf(*numbers: float, dtype: str = "float64") -> cr.Tensor:
    return cr.tensor(list(numbers), dtype=dtype, requires_grad=True)


def test_passes_add_up_until_the_gradient_is_forgotten() -> None:
    x = leaf(1.0, 2.0)
    (x * x).sum().backward()
    (x * 3).sum().backward()
    np.testing.assert_array_equal(x.grad.data, [5.0, 7.0])
    x.grad.zero_()
    x.sum().backward()
    np.testing.assert_array_equal(x.grad.data, [1.0, 1.0])
    x.zero_grad_()
    assert x.grad is None


def test_a_value_used_twice_gets_both_gradients() -> None:
    x = leaf(3.0)
    y = x * x  # used by two consumers of different age
    z = y * 2
    w = y + z * y
    w.sum().backward()
    np.testing.assert_allclose(x.grad.data, [2 * 3 + 8 * 27])  # x^2 + 2 x^4


def test_a_diamond_of_many_layers_is_not_walked_exponentially() -> None:
    x = leaf(1.0)
    y = x
    for _ in range(60):
        y = y * 0.5 + y * 0.5
    y.sum().backward()
    np.testing.assert_allclose(x.grad.data, [1.0])


def test_older_consumers_wait_for_younger_ones() -> None:
    x = leaf(2.0)
    first = x * 3
    late = first.exp() * 0.001
    (first * first + late).sum().backward()
    expected = 3 * (2 * 6 + 0.001 * np.exp(6))
    np.testing.assert_allclose(x.grad.data, [expected])


def test_a_chain_of_a_hundred_thousand_nodes() -> None:
    x = leaf(1.0)
    y = x
    for _ in range(100_000):
        y = y + 1e-5
    y.sum().backward()
    assert x.grad.item() == 1.0
    z = x
    for _ in range(100_000):
        z = z * 1.0
    del z  # dropping a graph that never ran must not recurse either


def test_gradients_share_memory_with_nothing() -> None:
    x, y = leaf(1.0, 2.0), leaf(3.0, 4.0)
    upstream = cr.tensor([10.0, 20.0], dtype="float64")
    (x + y).backward(upstream)
    for other in (y.grad.data, upstream.data, x.data):
        assert not np.shares_memory(x.grad.data, other)
    x.grad.mul_(100)
    np.testing.assert_array_equal(y.grad.data, [10.0, 20.0])
    np.testing.assert_array_equal(upstream.data, [10.0, 20.0])


def test_an_output_that_is_a_leaf() -> None:
    x = leaf(5.0)
    x.backward()
    assert x.grad.item() == 1.0
    given = cr.tensor([2.0], dtype="float64")
    x.backward(given)
    x.grad.zero_()
    assert given.item() == 2.0


def test_gradients_through_views_of_one_upstream() -> None:
    x, y = leaf(1.0, 2.0), leaf(3.0, 4.0)
    (x.reshape(2, 1) + y.reshape(2, 1)).sum().backward()
    assert x.grad.data.flags.writeable and x.grad.data.base is None
    x.grad.add_(1)
    np.testing.assert_array_equal(y.grad.data, [1.0, 1.0])


def test_a_freed_graph_does_not_run_again_and_says_where_it_was_made() -> None:
    x = leaf(2.0)
    y = x * x  # this line
    y.sum().backward()
    with pytest.raises(
        cr.BackwardError, match=r"multiply.*test_tape\.py:\d+: y = x \* x  # this line"
    ):
        y.sum().backward()
    np.testing.assert_array_equal(x.grad.data, [4.0])


def test_retain_graph_keeps_it() -> None:
    x = leaf(2.0)
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward()
    np.testing.assert_array_equal(x.grad.data, [8.0])
    with pytest.raises(cr.BackwardError, match="retain_graph=True"):
        y.backward()


def test_a_pass_frees_what_was_saved() -> None:
    x = leaf(*range(10))
    middle = x * 2.0
    loss = (middle * middle).sum()
    kept = weakref.ref(middle.data)
    del middle
    assert kept() is not None
    loss.backward()
    assert kept() is None


def test_no_cycles_are_left_for_the_collector() -> None:
    gc.collect()
    gc.disable()
    try:
        x = leaf(1.0, 2.0)
        y = (x.exp().tanh() @ x).sigmoid()
        watched = [weakref.ref(y), weakref.ref(x)]
        y.backward()
        del x, y
        assert [w() for w in watched] == [None, None]
    finally:
        gc.enable()


def test_backward_needs_a_scalar_or_a_gradient_of_the_shape() -> None:
    x = leaf(1.0, 2.0)
    with pytest.raises(cr.BackwardError, match=r"one number.*shape \(2,\)"):
        (x * 2).backward()
    with pytest.raises(cr.ShapeError, match=r"\(3,\).*\(2,\)"):
        (x * 2).backward(cr.ones(3, dtype="float64"))
    with pytest.raises(cr.DTypeError, match=r"float32.*float64"):
        (x * 2).backward(cr.ones(2))
    (x.reshape(1, 2)[:, :1] * 2).backward()  # one element of any shape will do
    np.testing.assert_array_equal(x.grad.data, [2.0, 0.0])


def test_backward_needs_something_recorded() -> None:
    with pytest.raises(cr.BackwardError, match="does not require gradients"):
        cr.ones(1).backward()
    x = leaf(1.0)
    with cr.no_grad():
        y = x * 2
    with pytest.raises(cr.BackwardError, match="no_grad"):
        y.backward()


def test_several_outputs_at_once() -> None:
    x = leaf(1.0, 2.0)
    cr.backward([x.sum(), x * x], [cr.tensor(2.0, dtype="float64"), cr.ones(2, dtype="float64")])
    np.testing.assert_array_equal(x.grad.data, [4.0, 6.0])
    with pytest.raises(cr.BackwardError, match="2 outputs, but 1"):
        cr.backward([x.sum(), x.sum()], [cr.tensor(2.0, dtype="float64")])


def test_no_grad_nests_and_survives_exceptions() -> None:
    x = leaf(1.0)
    with cr.no_grad():
        with cr.enable_grad():
            assert (x * 2).requires_grad
            with cr.no_grad():
                assert not (x * 2).requires_grad
            assert (x * 2).requires_grad
        assert not (x * 2).requires_grad
        with pytest.raises(KeyError), cr.no_grad():
            raise KeyError
        assert not cr.is_grad_enabled()
    assert cr.is_grad_enabled()
    with pytest.raises(ZeroDivisionError), cr.no_grad():
        raise ZeroDivisionError
    assert (x * 2).requires_grad


def test_no_grad_decorates_and_belongs_to_its_thread() -> None:
    @cr.no_grad()
    def doubled(x: cr.Tensor) -> cr.Tensor:
        return x * 2

    x = leaf(1.0)
    assert not doubled(x).requires_grad and not doubled(x).requires_grad
    assert (x * 2).requires_grad
    seen = []
    with cr.no_grad():
        thread = threading.Thread(target=lambda: seen.append((x * 2).requires_grad))
        thread.start()
        thread.join()
    assert seen == [True]


def test_a_failing_backward_leaves_recording_on() -> None:
    x = leaf(1.0)
    y = x * x
    y.backward()
    with pytest.raises(cr.BackwardError):
        y.backward()
    assert cr.is_grad_enabled()


def test_detach_stops_gradients_and_shares_memory() -> None:
    x = leaf(2.0)
    y = x.detach()
    assert np.shares_memory(y.data, x.data) and not y.requires_grad
    (x * y).sum().backward()
    np.testing.assert_array_equal(x.grad.data, [2.0])


def test_a_detached_loss_does_not_hold_its_graph() -> None:
    x = leaf(2.0)
    y = x * x
    loss = y.sum()
    kept = weakref.ref(y)
    total = loss.detach()
    del y, loss
    assert kept() is None and total.item() == 4.0


def test_leaves_and_results() -> None:
    x = leaf(1.0)
    y = x * 2
    assert x.is_leaf and not y.is_leaf and y.requires_grad
    assert x.grad_fn is None and repr(y.grad_fn) == "<multiply>"
    y.sum().backward()
    assert y.grad is None
    with pytest.raises(cr.BackwardError, match="detach"):
        y.requires_grad_(False)
    assert cr.ones(1).requires_grad_().requires_grad


def test_whole_numbers_have_no_gradient() -> None:
    with pytest.raises(cr.DTypeError, match="int64"):
        cr.tensor([1, 2], requires_grad=True)
    with pytest.raises(cr.DTypeError, match="bool"):
        cr.tensor([True]).requires_grad_()
    x = leaf(1.0, 2.0)
    assert not (x > 1).requires_grad and not x.argmax().requires_grad
    assert not cr.cast(x, "int64").requires_grad


def test_retain_grad_and_hooks() -> None:
    x = leaf(1.0, 2.0)
    y = x * 3
    y.retain_grad()
    seen = []
    remove = x.register_hook(lambda g: seen.append(g.tolist()))
    y.register_hook(lambda g: g * 10)
    (y * y).sum().backward()
    np.testing.assert_array_equal(y.grad.data, [6.0, 12.0])
    np.testing.assert_array_equal(x.grad.data, [180.0, 360.0])
    assert seen == [[180.0, 360.0]]
    remove()
    x.sum().backward()
    assert len(seen) == 1
    with pytest.raises(cr.BackwardError, match="hook"):
        cr.ones(1).register_hook(print)


def test_a_leafs_hook_sees_the_whole_gradient_once_and_may_replace_it() -> None:
    x = leaf(1.0)
    seen = []

    def halve(g: cr.Tensor) -> cr.Tensor:
        seen.append(g.item())
        return g / 2

    x.register_hook(halve)
    (x * 2 + x * 4).backward()
    assert seen == [6.0] and x.grad.item() == 3.0
    assert cr.grad((x * 2).sum(), x)[0].item() == 1.0


def test_grad_returns_and_leaves_grad_alone() -> None:
    x, y = leaf(2.0), leaf(3.0)
    z = x * y
    w = z * z
    gx, gz = cr.grad(w.sum(), [x, z])
    assert (gx.item(), gz.item()) == (36.0, 12.0)
    assert x.grad is None and y.grad is None and z.grad is None
    with pytest.raises(cr.BackwardError):
        cr.grad(w.sum(), x)


def test_grad_says_which_input_plays_no_part() -> None:
    x, y = leaf(2.0), leaf(3.0)
    with pytest.raises(cr.BackwardError, match="input 1"):
        cr.grad((x * x).sum(), [x, y])
    gx, gy = cr.grad((x * x).sum(), [x, y], allow_unused=True)
    assert gx.item() == 4.0 and gy is None
    with pytest.raises(cr.BackwardError, match="input 0"):
        cr.grad((x * x).sum(), cr.ones(1))


def test_grad_runs_only_what_leads_to_its_inputs() -> None:
    x, y = leaf(2.0), leaf(3.0)
    side = y.exp()
    calls = []
    side.register_hook(lambda g: calls.append(g))
    cr.grad((x * side).sum(), x)
    assert not calls


def test_grad_with_respect_to_the_output_itself() -> None:
    x = leaf(2.0)
    y = x * 3
    (g,) = cr.grad(y, y, cr.tensor([7.0], dtype="float64"), retain_graph=True)
    assert g.item() == 7.0
    (h,) = cr.grad(x, x)
    assert h.item() == 1.0


def test_a_hessian_vector_product() -> None:
    rng = np.random.default_rng(0)
    matrix, point, way = rng.normal(size=(4, 4)), rng.normal(size=4), rng.normal(size=4)
    x = cr.tensor(point, requires_grad=True)
    loss = (x @ cr.tensor(matrix) @ x) + (x**3).sum()
    (g,) = cr.grad(loss, x, create_graph=True)
    (hv,) = cr.grad(g @ cr.tensor(way), x)
    hessian = matrix + matrix.T + np.diag(6 * point)
    np.testing.assert_allclose(hv.data, hessian @ way, rtol=1e-12)


def test_derivatives_of_every_order() -> None:
    x = leaf(0.7)
    y = x.sin()
    found = []
    for _ in range(5):
        (y,) = cr.grad(y, x, create_graph=True)
        found.append(y.item())
    s, c = np.sin(0.7), np.cos(0.7)
    np.testing.assert_allclose(found, [c, -s, -c, s, c], rtol=1e-14)


def test_backward_with_create_graph_makes_gradients_differentiable() -> None:
    x = leaf(2.0)
    (x**3).sum().backward(create_graph=True)
    assert x.grad.requires_grad
    (x.grad * x.grad).sum().backward()
    np.testing.assert_allclose(x.grad.data, [12.0 + 2 * 12 * 12])


def test_an_interrupted_network_trains_like_numpy_by_hand() -> None:
    """The lecture's two-layer net: 50 steps on the tape and by hand, to rounding."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(8, 20)), rng.normal(size=(8, 3))
    w1, w2 = rng.normal(size=(20, 10)), rng.normal(size=(10, 3))
    a, b = cr.tensor(w1, requires_grad=True), cr.tensor(w2, requires_grad=True)
    for _ in range(50):
        loss = ((cr.relu(x @ a) @ b - y) ** 2).sum()
        loss.backward()
        with cr.no_grad():
            for p in (a, b):
                p -= 1e-4 * p.grad
                p.grad = None
        h = np.maximum(x @ w1, 0)
        g = 2 * (h @ w2 - y)
        g2, gh = h.T @ g, g @ w2.T * (h > 0)
        w1, w2 = w1 - 1e-4 * (x.T @ gh), w2 - 1e-4 * g2
    np.testing.assert_allclose(a.data, w1, rtol=1e-11)
    np.testing.assert_allclose(b.data, w2, rtol=1e-11)


def test_float32_stays_float32_and_numbers_do_not_promote() -> None:
    x = cr.ones(3, requires_grad=True)
    y = (2.5 * x + np.float32(1)) ** 2 / 3 - 1e-3
    assert y.dtype == np.float32
    y.sum().backward()
    assert x.grad.dtype == np.float32


def test_dtypes_meet_as_in_pytorch() -> None:
    torch = pytest.importorskip("torch")
    kinds = {
        "f4": lambda lib: lib.ones(3),
        "f8 0-d": lambda lib: lib.tensor(2.0, dtype=lib.float64 if lib is torch else "float64"),
        "f8": lambda lib: lib.tensor([2.0], dtype=lib.float64 if lib is torch else "float64"),
        "i8": lambda lib: lib.arange(1, 4),
        "i8 0-d": lambda lib: lib.tensor(2),
        "bool": lambda lib: lib.tensor([True, True, True]),
        "number": lambda lib: 2,
        "float": lambda lib: 2.5,
    }
    for first in kinds:
        for second in kinds:
            if {first, second} <= {"number", "float"}:
                continue
            for name, operation in {
                "*": lambda a, b: a * b,
                "/": lambda a, b: a / b,
                "**": lambda a, b: a**b,
                "+": lambda a, b: a + b,
            }.items():
                if name == "**" and "bool" in (first, second):
                    continue
                mine = operation(kinds[first](cr), kinds[second](cr)).dtype
                theirs = operation(kinds[first](torch), kinds[second](torch)).dtype
                assert f"torch.{mine}" == str(theirs), (first, name, second)
    for name in ("exp", "sqrt", "sigmoid", "tanh", "log"):
        assert getattr(cr, name)(cr.arange(3) + 1).dtype == np.float32
    assert cr.arange(3).mean().dtype == np.float32 and cr.arange(3).sum().dtype == np.int64


def test_gradients_come_back_in_the_dtype_of_their_tensor() -> None:
    x = cr.ones(3, requires_grad=True)
    y = cr.ones(3, dtype="float64", requires_grad=True)
    out = x * y
    assert out.dtype == np.float64
    out.sum().backward()
    assert x.grad.dtype == np.float32 and y.grad.dtype == np.float64
    z = cr.ones(3, requires_grad=True)
    (z * cr.arange(3)).sum().backward()
    assert z.grad.dtype == np.float32
    np.testing.assert_array_equal(z.grad.data, [0.0, 1.0, 2.0])


def test_arrays_on_either_side() -> None:
    x = leaf(1.0, 2.0)
    array = np.array([3.0, 4.0])
    for y in (array * x, x * array, array - x, array / x, array @ x, array**x):
        assert isinstance(y, cr.Tensor) and y.requires_grad
    assert isinstance(cr.exp(array), np.ndarray)
    with pytest.raises(TypeError):
        np.exp(x)
    with pytest.raises(cr.BackwardError, match="detach"):
        x.numpy()
    np.testing.assert_array_equal(np.asarray(x.detach()), [1.0, 2.0])
