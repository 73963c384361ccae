# ---
# jupyter:
#   jupytext:
#     cell_metadata_filter: all
#     comment_magics: false
#     notebook_metadata_filter: all
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
#   autograder:
#     title: Checking gradients
#     minutes: 180
#     needs: [why_frameworks]
#     covers:
#       computing messy gradients: Computing messy gradients
#       trusting gradients: check_gradient
#       numerical stability: "Numerical stability: two errors that pull apart"
# ---

# %% [markdown]
# # Is that gradient right?
#
# Here are two backward passes for lesson 01's net. One of them has a mistake. Both train on the
# lecture's data, from the same weights, with the same learning rate.

# %% given="setup"
import numpy as np

import autograder


# %%
def train(backward, steps=501, lr=1e-6):
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((64, 1000)), rng.standard_normal((64, 10))
    w1, w2 = rng.standard_normal((1000, 100)), rng.standard_normal((100, 10))
    losses = []
    for _step in range(steps):
        h = x @ w1
        h_relu = np.maximum(h, 0)
        pred = h_relu @ w2
        losses.append(((pred - y) ** 2).sum())
        grad_w1, grad_w2 = backward(x, h, h_relu, w2, 2 * (pred - y))
        w1 -= lr * grad_w1
        w2 -= lr * grad_w2
    return losses


# %%
def backward_a(x, h, h_relu, w2, upstream):
    grad_h = upstream @ w2.T
    return x.T @ grad_h, h_relu.T @ upstream


def backward_b(x, h, h_relu, w2, upstream):
    grad_h = (upstream @ w2.T) * (h > 0)
    return x.T @ grad_h, h_relu.T @ upstream


losses_a, losses_b = train(backward_a), train(backward_b)
print("step  backward_a  backward_b")
for step in (0, 10, 100, 200, 500):
    print(f"{step:4}  {losses_a[step]:10.4g}  {losses_b[step]:10.4g}")

# %% [markdown]
# Both losses fall by more than thirteen powers of ten. From step 100 on, `backward_a` is even
# ahead. And `backward_a` is the wrong one: the ReLU is missing from the way back.
#
# So a falling loss proves nothing about a gradient. A wrong one that points roughly downhill trains
# a net. It only trains it to something else, or more slowly, or not at all on next month's data,
# and nobody finds out why. There is no error message. There is not even a bad number.
#
# How do you find out, then? You cannot compare with the right gradient: if you had that, you
# would not need yours. In this lesson you build tools that answer without it, and among them a
# checker that needs nothing but the function itself. You will point it at wrong gradients that we
# planted, and it has to find them all without crying wolf. Frameworks test their own rules with
# such a tool.
#
# The lesson has two sittings of about an hour and a half each; the break is marked.

# %% [markdown]
# ## Computing messy gradients
#
# The lecture's reason for a framework is that nobody wants to compute messy gradients by hand. What
# makes one messy? Not the calculus. Each rule is a line. It is that a backward pass is twenty such
# lines, and a slip in any of them (a sign, a transpose, a sum over the wrong axis, a factor 1/N)
# still gives an array of numbers in the right shape.
#
# But there is a way to a gradient without any algebra, and you met it in lesson 01: nudge one entry
# and watch. Take f(x) = x², at x = 3, with a step of 0.1:
#
# | | | |
# |---|---|---|
# | forward difference | (f(3.1) − f(3)) / 0.1 | (9.61 − 9) / 0.1 = 6.1 |
# | central difference | (f(3.1) − f(2.9)) / 0.2 | (9.61 − 8.41) / 0.2 = 6 |
#
# The slope is 6. The forward difference is off by 0.1, as much as the step. The central one is
# right, and for other functions off by something in the order of the step *squared*: whatever bends
# the curve adds the same to both sides, and is subtracted away. It costs two evaluations of f for
# each entry instead of one and a bit. That is a good bargain.
#
# **How you are graded.** As in lesson 01: a check shows a case or two, and asks the same of fresh
# numbers when your notebook is graded ([how you are graded](../../docs/how_you_are_graded.md)). In
# the checks, `same(came, expected, what)` compares, `beside` runs a function next to your code, and
# `callback` makes a function that yours can call while the check counts the calls.

# %% [markdown] prompt="central_difference"
# ### Exercise 1: central differences
#
# Write `central_difference(f, x, step=1e-5)`. `f` takes an array of the shape of `x` and returns
# one number. The result is a float64 array of the shape of `x`: for each entry,
#
# ```
# (f(x with this entry + step) − f(x with this entry − step)) / (2 · step)
# ```
#
# * `x` may have any shape: () and sizes 0 and 1 included. It may hold float64, float32 or integers,
#   and may be a view (a slice or transpose) of another array. The moving and all results are in
#   float64.
# * `f` is called exactly twice for each entry of `x`.
# * `x` is unchanged after the call, to the last digit.

# %% [markdown] hint="central_difference"
# Only one entry moves at a time. All others stay where they are, so whatever you add has to be
# taken away again before the next entry has its turn. And think about what an array of integers
# makes of 1e-5.

# %% [markdown] hint="central_difference"
# ```
#  x = [3, 4]              place (0,)                     place (1,)
#  step = 0.5        f([3.5, 4]) − f([2.5, 4])      f([3, 4.5]) − f([3, 3.5])
#                    ─────────────────────────      ─────────────────────────
#                               1                              1
# ```
# `np.ndindex(x.shape)` walks over all places of an array of any shape; for shape () it gives one
# place, the empty tuple. (`x.reshape(-1)` is sometimes a view of `x` and sometimes, for a
# transposed `x`, a copy. What is written into a copy moves nothing.)

# %% [markdown] hint="central_difference"
# ```python
# x = np.array(..., dtype=...)      # a copy, in float64
# grad = np.zeros(...)
# for place in np.ndindex(x.shape):
#     kept = x[place]
#     x[place] = ...
#     high = f(x)
#     x[place] = ...
#     low = f(x)
#     x[place] = ...
#     grad[place] = ...
# return grad
# ```


# %% exercise="central_difference" minutes=15 difficulty=2 importance=5 allow="numpy"
def central_difference(f, x, step=1e-5):
    """Return the gradient of f at x, estimated by central differences, in the shape of x."""
    ### BEGIN SOLUTION
    x = np.array(x, dtype=float)
    grad = np.zeros(x.shape)
    for place in np.ndindex(x.shape):
        kept = x[place]
        x[place] = kept + step
        high = f(x)
        x[place] = kept - step
        low = f(x)
        x[place] = kept
        grad[place] = (high - low) / (2 * step)
    return grad
    ### END SOLUTION


# %% tests="central_difference" behaviour="values" points=3
@autograder.test
def _(rng):
    "Each entry is the central difference for that entry, with the step that is asked for."
    f = callback(lambda x: float(x[0] ** 2 * x[1]))
    got = call(central_difference, f, np.array([3.0, 4.0]), 0.5)
    same(got, np.array([24.0, 9.0]), "for x0² · x1 at [3, 4], step 0.5")
    f = callback(lambda x: float(x[0, 0] ** 3))
    got = call(central_difference, f, np.array([[2.0], [7.0]]), step=1.0)
    same(got, np.array([[13.0], [0.0]]), "for x00³, whose central difference is 3·2² + 1")
    ### BEGIN HIDDEN TESTS
    for shape in ((1,), (2,), (7,), (3, 4), (4, 4), (1, 5), (130,), (2, 3, 2)):
        for step in (0.5, 0.01, 1e-5):
            c, x = rng.normal(size=shape), 2 * rng.normal(size=shape)
            k = float(rng.normal())
            f = callback(lambda x, c=c, k=k: float((c * x**3).sum() + k * x.sum() ** 2))
            expected = c * (3 * x**2 + step**2) + 2 * k * x.sum()
            got = call(central_difference, f, x, step)
            atol = 1e-13 * (1 + abs(k) * x.sum() ** 2 + np.abs(c * x**3).sum()) / step
            same(got, expected, f"shape {shape}, step {step}", atol=atol)
            require(f.calls == 2 * x.size, f"f was called {f.calls} times for {x.size} entries")
    c, x = rng.normal(size=6), rng.normal(size=6)
    f = callback(lambda x: float((c * np.sin(x)).sum()))
    got = call(central_difference, f, x)
    same(got, c * np.cos(x), "without a step", rtol=1e-7, atol=1e-8)
    got = call(central_difference, f, x * 0 + 1000.0, 2.0)
    same(got, c * np.cos(1000) * np.sin(2) / 2, "at 1000, step 2")
    f = callback(lambda x: float((c * x**3).sum()))
    for step in (1e-9, 1e-4, 100.0):
        got = call(central_difference, f, 0 * x, step)
        same(got, c * step**2, f"for Σ c·x³ at 0, step {step}", atol=0)

    @beside
    def twice(f, x, y):
        first = central_difference(f, x, 0.5)
        return first, central_difference(f, y, 0.5), first

    once = c * (3 * x**2 + 0.25)
    expected = once, c * (3 * (2 * x) ** 2 + 0.25), once
    same(twice(f, x, 2 * x), expected, "at x, at 2x, and the first result afterwards")
    ### END HIDDEN TESTS


# %% tests="central_difference" behaviour="any_shape" points=2
@autograder.test
def _(rng):
    "Any shape, () and empty ones included; integers and float32 are moved in float64."
    cube = callback(lambda x: float((x**3).sum()))
    same(call(central_difference, cube, np.array(2.0), 0.5), np.array(12.25), "for x³, shape ()")
    same(call(central_difference, cube, np.zeros((0, 3))), np.zeros((0, 3)), "for shape (0, 3)")
    got = call(central_difference, cube, np.array([1, 2]), 0.5)
    same(got, np.array([3.25, 12.25]), "for the sum of x³ at the integers [1, 2]")
    ### BEGIN HIDDEN TESTS
    for shape in ((), (1,), (1, 1), (0,), (5,), (2, 0, 3), (3, 1, 2), (2, 2, 2, 2)):
        for kind in ("float64", "float32", "int64", "int8"):
            x = np.asarray(3 * rng.normal(size=shape)).astype(kind)
            exact = x.astype("float64")
            for step in (0.25, 1e-3):
                got = call(central_difference, cube, x, step)
                what = f"for the sum of x³, shape {shape}, {kind}"
                same(got, np.asarray(3 * exact**2 + step**2), what, rtol=1e-7, atol=1e-8)

    @beside
    def of_views(f, a, step):
        cut = a[::2, ::-1]
        return central_difference(f, cut, step), central_difference(f, a.T, step), a

    a = rng.normal(size=(4, 3))
    expected = 3 * a[::2, ::-1] ** 2 + 0.25, 3 * a.T**2 + 0.25, a
    same(of_views(cube, a, 0.5), expected, "for two views of a, and a afterwards")
    ### END HIDDEN TESTS


# %% tests="central_difference" behaviour="two_calls" points=2
@autograder.test
def _(rng):
    "A right result takes two evaluations for each entry and leaves `x` unchanged."

    @beside
    def after(f, x, step):
        return central_difference(f, x, step), x

    f = callback(lambda x: float((x**3).sum()))
    x = np.array([[1.0, 2.0, -3.0]])
    same(after(f, x, 0.5), (3 * x**2 + 0.25, x), "the result, and x afterwards")
    require(f.calls == 6, f"3 entries are 6 calls of f; there were {f.calls}")
    ### BEGIN HIDDEN TESTS
    for shape in ((), (0,), (9,), (5, 6)):
        x = 10 * np.asarray(rng.normal(size=shape))
        f = callback(lambda x: float((x**3).sum()))
        got, later = after(f, x, 0.1)
        same(got, np.asarray(3 * x**2 + 0.01), "the result", rtol=1e-8, atol=1e-8)
        same(later, x, "x afterwards, to the last digit", rtol=0, atol=0)
        require(f.calls == 2 * x.size, f"f was called {f.calls} times for {x.size} entries")
    ### END HIDDEN TESTS


# %% [markdown]
# Ask it about the two of the first cell. A net small enough to check entry by entry:

# %%
rng = np.random.default_rng(9)
x, y = rng.standard_normal((3, 4)), rng.standard_normal((3, 2))
w1, w2 = rng.standard_normal((4, 2)), rng.standard_normal((2, 2))


def loss_of(w1):
    return ((np.maximum(x @ w1, 0) @ w2 - y) ** 2).sum()


h = x @ w1
h_relu = np.maximum(h, 0)
upstream = 2 * (h_relu @ w2 - y)
numeric = central_difference(loss_of, w1)
for name, grad_w1 in (
    ("differences", numeric),
    ("backward_b", backward_b(x, h, h_relu, w2, upstream)[0]),
    ("backward_a", backward_a(x, h, h_relu, w2, upstream)[0]),
):
    print(f"{name:12}", *(f"{v:14.8f}" for v in grad_w1[:, 0]))

# %% [markdown]
# Found. But "look, they agree to eight digits" is nothing that a program can decide. How far apart
# may two numbers be? It depends on how large they are: 0.001 is nothing for an entry of a million,
# and everything for one of 0.0005. So divide by the size, and get the *relative error*:
#
# ```
# |a − b| / max(|a|, |b|)
# ```
#
# It is 0 when they agree, 1 when one of them is 0, and 2 when they differ in sign only. The usual
# advice ([CS231n notes](https://cs231n.github.io/neural-networks-3/#gradcheck)) reads it like a
# thermometer: above 1e-2 the gradient is wrong, below 1e-7 be happy, between them worry, the less
# so if the function has kinks.
#
# A formula this short has room for four accidents:
#
# * Both numbers are 0. They agree, and 0/0 is `nan`.
# * One is `nan`. Then so is the error, and `nan > 1e-2` is False: *no complaint*. Of all
#   values this is the one that must not slip through.
# * They are tiny. A common cure for 0/0 is to add 1e-8 below the line. It makes 1e-12 and 9e-12
#   agree.
# * They are huge, or the two shapes broadcast. Then it is wrong without a sound.

# %% [markdown] prompt="relative_error"
# ### Exercise 2: relative error
#
# Write `relative_error(a, b)`. It returns a float64 array of the shape that both have: for each
# pair of entries |a − b| / max(|a|, |b|), and
#
# * 0 where the two are equal, also when both are 0 or both are the same infinity;
# * infinity where one of them is NaN, or both; where one is infinite and the other is not; and
#   where the two are infinities of opposite sign.
# * It holds at any scale that float64 has, from 5e-324 to 1.7e308. (Differences too: for 1.7e308
#   and −1.7e308 the answer is 2.)
# * If `a` and `b` differ in shape, raise `ValueError`, even where NumPy could broadcast them. Any
#   common shape will do, () and empty ones included; for () one number is as good as an array.
#
# The checks do not mind NumPy's warnings. `a` and `b` are unchanged after the call.

# %% [markdown] hint="relative_error"
# Compute the plain formula first, let it go wrong where it will, and mend afterwards:
# `np.where(bad, instead, error)` chooses entry by entry. Which comparison finds the equal ones,
# the infinite ones among them? What is left that is not finite is bad.

# %% [markdown] hint="relative_error"
# | a | b | plain formula | wanted |
# |---|---|---|---|
# | 3 | 4 | 0.25 | 0.25 |
# | 0 | 0 | nan | 0 |
# | 2e-300 | 1e-300 | 0.5 | 0.5 |
# | 1.7e308 | −1.7e308 | inf: a − b is too large | 2: divide first |
# | nan | 1 | nan | inf |
# | inf | inf | nan | 0 |
# | inf | 1 | nan | inf |

# %% [markdown] hint="relative_error"
# ```python
# if ...:
#     raise ValueError(...)
# size = ...
# with np.errstate(all="ignore"):
#     error = np.abs(a / size - b / size)
# error = np.where(..., 0.0, error)
# return np.where(np.isnan(error), ..., error)
# ```


# %% exercise="relative_error" minutes=15 difficulty=3 importance=4 allow="numpy"
def relative_error(a, b):
    """Return |a - b| / max(|a|, |b|) entry by entry; 0 where equal, inf where one is no number."""
    ### BEGIN SOLUTION
    if a.shape != b.shape:
        raise ValueError(f"the shapes {a.shape} and {b.shape} differ")
    size = np.maximum(np.abs(a), np.abs(b))
    with np.errstate(all="ignore"):
        error = np.abs(a / size - b / size)
    error = np.where(a == b, 0.0, error)
    return np.where(np.isnan(error), np.inf, error)
    ### END SOLUTION


# %% tests="relative_error" behaviour="values" points=2
@autograder.test
def _(rng):
    "Each entry is |a − b| / max(|a|, |b|), whichever of the two is larger; inputs stay."
    a, b = np.array([3.0, -4.0, 2.0, 5.0]), np.array([4.0, -3.0, -2.0, 5.0])
    expected = np.array([0.25, 0.25, 2.0, 0.0])
    same(pure(relative_error, a, b), expected, "for [3 −4 2 5], [4 −3 −2 5]")
    ### BEGIN HIDDEN TESTS
    for shape in ((1,), (40,), (3, 4), (5, 5), (2, 1, 3), (60, 7)):
        a, b = rng.normal(size=shape), rng.normal(size=shape)
        near = a * (1 + 1e-4 * rng.normal(size=shape))
        for one, other in ((a, b), (b, a), (a, near), (near, -a), (a, a * (1 + 1e-9))):
            expected = np.abs(one - other) / np.maximum(np.abs(one), np.abs(other))
            same(pure(relative_error, one, other), expected, "fresh numbers", rtol=1e-6, atol=1e-15)
    ### END HIDDEN TESTS


# %% tests="relative_error" behaviour="zeros" points=1
@autograder.test
def _(rng):
    "0 where both are 0, 1 where only one is; other entries are right beside them."
    a, b = np.array([0.0, 0.0, 7.0, 3.0]), np.array([0.0, -2e-9, 0.0, 4.0])
    expected = np.array([0.0, 1.0, 1.0, 0.25])
    same(call(relative_error, a, b), expected, "for [0 0 7 3], [0 −2e-9 0 4]")
    ### BEGIN HIDDEN TESTS
    for size in (2, 9, 60):
        a, b = (10.0 ** rng.uniform(-200, 200, size=size) for _ in range(2))
        a, b = a * rng.choice([0.0, 1.0, -1.0], size=size), b * rng.choice([0.0, 1.0], size=size)
        a[0], b[0], a[-1], b[-1] = 0.0, -0.0, 3.0, 4.0
        size = np.maximum(np.abs(a), np.abs(b))
        expected = np.abs(a - b) / np.where(size == 0, 1.0, size)
        same(call(relative_error, a, b), expected, "zeros among fresh numbers")
    same(call(relative_error, np.zeros((2, 3)), np.zeros((2, 3))), np.zeros((2, 3)), "all zeros")
    ### END HIDDEN TESTS


# %% tests="relative_error" behaviour="any_scale" points=2
@autograder.test
def _(rng):
    "It holds for numbers from 5e-324 to 1.7e308."
    a = np.array([1e-12, 1e-300, 5e-324, 1.5e308])
    b = np.array([4e-12, 2e-300, 1e-323, -1.5e308])
    what = "for 1e-12 and 4e-12, 1e-300 and 2e-300, 5e-324 and 1e-323, 1.5e308 and −1.5e308"
    same(call(relative_error, a, b), np.array([0.75, 0.5, 0.5, 2.0]), what)
    ### BEGIN HIDDEN TESTS
    for low, high in ((-12, -4), (-300, -12), (4, 160), (160, 307), (-300, 307)):
        a = 10.0 ** rng.uniform(low, high, size=30) * rng.choice([-1, 1], size=30)
        ratio = rng.uniform(-1, 1, size=30)
        what = f"numbers between 1e{low} and 1e{high}"
        same(call(relative_error, a, a * ratio), 1 - ratio, what, rtol=1e-7, atol=1e-14)
        same(call(relative_error, a * ratio, a), 1 - ratio, what, rtol=1e-7, atol=1e-14)
    tiny, huge = np.array([5e-324, 1e-320, 5e-310]), np.array([1.7e308, -1.6e308, 1e308])
    same(call(relative_error, tiny, -tiny), np.full(3, 2.0), "the smallest of numbers")
    same(call(relative_error, huge, -huge), np.full(3, 2.0), "the largest of numbers")
    same(call(relative_error, huge, huge / 2), np.full(3, 0.5), "the largest of numbers")
    ### END HIDDEN TESTS


# %% tests="relative_error" behaviour="not_finite" points=2
@autograder.test
def _(rng):
    "NaN is infinitely wrong, beside anything; an infinity is right only beside itself."
    nan, inf = math.nan, math.inf
    a = np.array([nan, 1.0, nan, inf, inf, -inf, 3.0])
    b = np.array([1.0, nan, nan, inf, 5.0, inf, 4.0])
    expected = np.array([inf, inf, inf, 0.0, inf, inf, 0.25])
    what = "for [nan, 1, nan, inf, inf, −inf, 3], [1, nan, nan, inf, 5, inf, 4]"
    same(call(relative_error, a, b), expected, what)
    ### BEGIN HIDDEN TESTS
    values = np.array([nan, inf, -inf, 0.0, 1e-300, -1.7e308, float(rng.normal())])
    a, b = (part.ravel() for part in np.meshgrid(values, values))
    wrong = ~(np.isfinite(a) & np.isfinite(b)) & ~(a == b)
    for order in (np.arange(a.size), rng.permutation(a.size)):
        got = call(relative_error, a[order].reshape(7, 7), b[order].reshape(7, 7))
        with np.errstate(all="ignore"):
            top = np.maximum(np.abs(a), np.abs(b))
            expected = np.where(wrong, inf, np.where(a == b, 0.0, np.abs(a / top - b / top)))
        same(got, expected[order].reshape(7, 7), "pairs of nan, ±inf and numbers")
    ### END HIDDEN TESTS


# %% tests="relative_error" behaviour="shapes" points=1
@autograder.test
def _(rng):
    "Right for any common shape; shapes that differ raise ValueError, broadcastable or not."
    a, b = np.array([[3.0, 2.0]]), np.array([[4.0, 2.0]])
    same(call(relative_error, a, b), np.array([[0.25, 0.0]]), "for shape (1, 2)")
    raises(ValueError, relative_error, a, np.array([4.0, 2.0]))
    raises(ValueError, relative_error, a, np.array([[4.0]]))
    ### BEGIN HIDDEN TESTS
    for shape in ((), (0,), (3, 0), (4,), (3, 2), (2, 2, 2)):
        a, b = np.asarray(rng.normal(size=shape)), np.asarray(rng.normal(size=shape))
        expected = np.asarray(np.abs(a - b) / np.maximum(np.abs(a), np.abs(b)))
        same(call(relative_error, a, b), expected, f"shape {shape}")
        raises(ValueError, relative_error, a, np.asarray(b)[None])
        raises(ValueError, relative_error, np.asarray(a)[..., None], b)
        if shape:
            raises(ValueError, relative_error, a, np.array(1.0))
            raises(ValueError, relative_error, np.ones(1), np.concatenate([b, b]))
    raises(ValueError, relative_error, np.ones((2, 3)), np.ones((3, 2)))
    raises(ValueError, relative_error, np.ones(6), np.ones((2, 3)))
    raises(ValueError, relative_error, np.ones((4, 1)), np.ones((1, 4)))
    ### END HIDDEN TESTS


# %% [markdown]
# ## Numerical stability: two errors that pull apart
#
# Central differences are off by something like the step squared. So take a tiny step? Here is the
# slope of x³ at 1.3, which is 5.07:

# %%
for step in (1e-1, 1e-3, 1e-5, 1e-7, 1e-9, 1e-11, 1e-13, 1e-15):
    high, low = (1.3 + step) ** 3, (1.3 - step) ** 3
    slope = (high - low) / (2 * step)
    print(f"step {step:.0e}   {high:.16f} − {low:.16f}   slope {slope:.12f}")

# %% [markdown]
# It gets better until 1e-5, and then worse and worse. Look at the two numbers that are subtracted.
# A float64 has about 16 digits. With a step of 1e-13 the two agree to 12 of them. These cancel, and
# what is left is three or four digits, the last of which is rounding. That rounding, about 1e-16,
# is then divided by the step.
#
# So there are two errors, and they pull in opposite directions:
#
# | | comes from | central | forward |
# |---|---|---|---|
# | *truncation* | the curve bends between the points | h² · abs(f''')/6 | h · abs(f'')/2 |
# | *round-off* | digits of f cancel | about 1e-16 · abs(f)/h | about 2e-16 · abs(f)/h |
#
# Their sum is smallest where the two are about equal. For a function whose value and derivatives
# are around 1, that is near the cube root of 1e-16 for central differences, and near the square
# root for forward differences: about 5e-6 and 1e-8. The errors there are 1e-11 and 1e-8. That is
# all the exactness there is. Eleven digits of sixteen, and no step in the world gets more.
#
# But not every function is around 1. One can measure instead: take a function whose slope is known,
# try many steps, look at the errors.

# %% [markdown] prompt="error_curve"
# ### Exercise 3: the best step
#
# Write two functions.
#
# `error_curve(f, slope, x, steps, method="central")` returns a float64 array: for each step, by how
# much the difference departs from `slope`, as an absolute value. `f` takes and returns one number.
#
# * `method="central"`, also when it is not given: (f(x + step) − f(x − step)) / (2 · step);
# * `method="forward"`: (f(x + step) − f(x)) / step;
# * any other `method` raises `ValueError` with the word it was given in the message.
#
# `best_step(steps, errors)` returns the step, a float, with the smallest error. But a measured
# curve is ragged: where the roundings of both sides happen to cancel, one error may be tiny, even
# 0, while both neighbors are large. That is luck, not a good step. So each step is judged by the
# *worst* of five errors: its own, those of the two steps before and of the two steps behind it in
# the list (of those that there are, near the ends). NaN counts as infinitely bad.
#
# * If several are equally good, or all are infinitely bad, it is the first of them in the list.
# * `steps` and `errors` are lists or arrays of one length, 1 or more, in the order of the steps,
#   rising or falling. Both are unchanged after the call.

# %% [markdown] hint="error_curve"
# The curve is a loop over the steps. For the best step, make a second list first: for each place,
# the maximum of a slice of the errors. Then look for the smallest in *that* list.

# %% [markdown] hint="error_curve"
# ```
# step       1e-3   1e-4   1e-5   1e-6   1e-7   1e-8   1e-9
# error      1e-6   1e-8   1e-10  2e-11  1e-10  1e-9   0        <- luck
# worst of 5 1e-6   1e-6   1e-6   1e-8   1e-9   1e-9   1e-9
# ```
# The smallest is the worst that can happen near that step, not the best.
# In a slice, `errors[k - 2 : k + 3]`, an end beyond the last entry is harmless. A *negative* start
# is not: it counts from the back.

# %% [markdown] hint="error_curve"
# ```python
# def best_step(steps, errors):
#     errors = np.where(np.isnan(errors), ..., errors)
#     worst = [errors[max(0, ...) : ...].max() for k in range(len(errors))]
#     return steps[...]
# ```


# %% exercise="error_curve" minutes=20 difficulty=3 importance=4 allow="numpy"
def error_curve(f, slope, x, steps, method="central"):
    """Return the absolute error of the estimated slope of f at x, for each step."""
    ### BEGIN SOLUTION
    if method not in ("central", "forward"):
        raise ValueError(f"method is 'central' or 'forward', not {method!r}")
    errors = []
    for step in steps:
        if method == "central":
            estimate = (f(x + step) - f(x - step)) / (2 * step)
        else:
            estimate = (f(x + step) - f(x)) / step
        errors.append(abs(estimate - slope))
    return np.array(errors)
    ### END SOLUTION


def best_step(steps, errors):
    """Return the step around which, two to each side, the worst error is smallest."""
    ### BEGIN SOLUTION
    errors = np.where(np.isnan(errors), np.inf, errors)
    worst = [errors[max(0, k - 2) : k + 3].max() for k in range(len(errors))]
    return steps[np.argmin(worst)]
    ### END SOLUTION


# %% tests="error_curve" behaviour="central" points=2
@autograder.test
def _(rng):
    "Errors of central differences, which are meant when nothing is said."
    cube = callback(lambda x: x**3)
    steps, expected = np.array([1.0, 0.5, 0.25]), np.array([1.0, 0.25, 0.0625])
    same(call(error_curve, cube, 12.0, 2.0, steps), expected, "for x³ at 2, whose slope is 12")
    ### BEGIN HIDDEN TESTS
    for size in (1, 2, 30):
        a, b, x = (float(v) for v in rng.uniform(0.5, 2, size=3) * rng.choice([-1, 1], size=3))
        steps = np.sort(10.0 ** rng.uniform(-3, 1, size=size))
        f = callback(lambda x, a=a, b=b: a * x**3 + b * x * x)
        for given in (steps, steps[::-1].tolist()):
            expected = np.abs(a) * np.asarray(given) ** 2
            for options in ({}, {"method": "central"}):
                got = call(error_curve, f, 3 * a * x * x + 2 * b * x, x, given, **options)
                same(got, expected, "for a cubic", rtol=1e-6, atol=1e-11)
        got = call(error_curve, f, 0.5, x, steps)
        same(got, np.abs(3 * a * x * x + 2 * b * x + a * steps**2 - 0.5), "slope 0.5", rtol=1e-6)
    f, slope, small = callback(math.exp), math.exp(0.7), 10.0 ** np.arange(-15.0, -1)
    same(
        call(error_curve, f, slope, 0.7, small),
        np.array([abs((math.exp(0.7 + h) - math.exp(0.7 - h)) / (2 * h) - slope) for h in small]),
        "for exp at 0.7, steps down to 1e-15",
        atol=1e-14,
    )
    ### END HIDDEN TESTS


# %% tests="error_curve" behaviour="forward" points=2
@autograder.test
def _(rng):
    "Errors of forward differences; another method raises ValueError and names it."
    square = callback(lambda x: x**2)
    steps, expected = np.array([1.0, 0.5, 0.25]), np.array([1.0, 0.5, 0.25])
    got = call(error_curve, square, 6.0, 3.0, steps, method="forward")
    same(got, expected, "for x² at 3, whose slope is 6")
    raises(ValueError, error_curve, square, 6.0, 3.0, steps, method="sideways", mentions="sideways")
    ### BEGIN HIDDEN TESTS
    for size in (1, 2, 30):
        a, b, x = (float(v) for v in rng.uniform(0.5, 2, size=3) * rng.choice([-1, 1], size=3))
        steps = np.sort(10.0 ** rng.uniform(-3, 1, size=size))
        f = callback(lambda x, a=a, b=b: a * x**2 + b * x)
        for given in (steps[::-1], steps.tolist()):
            got = call(error_curve, f, 2 * a * x + b, x, given, "forward")
            same(got, np.abs(a) * np.asarray(given), "for a parabola", rtol=1e-6, atol=1e-11)
    f, slope, small = callback(math.exp), math.exp(0.7), 10.0 ** np.arange(-15.0, -1)
    same(
        call(error_curve, f, slope, 0.7, small, method="forward"),
        np.array([abs((math.exp(0.7 + h) - math.exp(0.7)) / h - slope) for h in small]),
        "for exp at 0.7, steps down to 1e-15",
        atol=1e-14,
    )
    for word in ("Forward", "FORWARD", "forwards", "centered", "center", "c", "backward", ""):
        raises(ValueError, error_curve, f, slope, 0.7, small, method=word, mentions=word)
    ### END HIDDEN TESTS


# %% tests="error_curve" behaviour="best" points=2
@autograder.test
def _(rng):
    "`best_step` returns the step whose neighborhood of five has the smallest worst error."
    steps = np.array([1e-2, 1e-3, 1e-4, 1e-5, 1e-6])
    errors = np.array([1e-4, 1e-6, 1e-8, 1e-7, 1e-5])
    what = "among 1e-2 1e-3 1e-4 1e-5 1e-6, errors 1e-4 1e-6 1e-8 1e-7 1e-5"
    same(call(best_step, steps, errors), 1e-5, what)
    ### BEGIN HIDDEN TESTS

    def judged(steps, errors):
        worst = []
        for k in range(len(steps)):
            near = [errors[j] for j in range(len(steps)) if k - 3 < j < k + 3]
            worst.append(math.inf if any(map(math.isnan, near)) else max(near))
        return float(steps[worst.index(min(worst))])

    for size in (1, 2, 3, 4, 5, 6, 9, 25, 60):
        for _ in range(12):
            steps = np.sort(10.0 ** rng.uniform(-15, 1, size=size))
            errors = 10.0 ** (rng.uniform(-12, 0, size=size) + rng.choice([0, 15]))
            best = judged(steps, errors)
            same(call(best_step, steps, errors), best, f"among {size} steps")
            same(call(best_step, steps.tolist(), errors.tolist()), best, f"{size} steps in a list")
            best = judged(steps[::-1], errors[::-1])
            same(call(best_step, steps[::-1], errors[::-1]), best, f"{size} falling steps")
    ### END HIDDEN TESTS


# %% tests="error_curve" behaviour="luck" points=2
@autograder.test
def _(rng):
    "A lucky 0 among large errors is not the best step, and NaN is no good error; inputs stay."
    steps = np.array([1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9])
    errors = np.array([1e-4, 1e-6, 1e-8, 1e-10, 1e-9, 1e-7, 0.0, 1e-5])
    same(pure(best_step, steps, errors), 1e-6, "with an error of 0 at 1e-8 between 1e-7 and 1e-5")
    errors = np.array([1e-4, 1e-6, 1e-8, 1e-10, 1e-9, 1e-7, math.nan, 1e-5])
    same(pure(best_step, steps, errors), 1e-5, "with NaN at 1e-8")
    ### BEGIN HIDDEN TESTS

    def judged(steps, errors):
        worst = []
        for k in range(len(steps)):
            near = [errors[j] for j in range(len(steps)) if k - 3 < j < k + 3]
            worst.append(math.inf if any(map(math.isnan, near)) else max(near))
        return float(steps[worst.index(min(worst))])

    for size in (10, 17, 60):
        for accident in (0.0, 1e-300, math.nan, math.inf):
            for _ in range(6):
                steps = 10.0 ** np.linspace(-14, -1, size)
                valley = np.maximum(1e-16 / steps, steps**2)
                errors = valley * 10.0 ** (rng.uniform(-1, 0, size=size) + rng.choice([0, 15]))
                errors[rng.integers(size)] = accident
                best = judged(steps, errors)
                same(pure(best_step, steps, errors), best, f"with an error of {accident}")
    for errors in ([math.nan], [math.inf] * 7, [math.nan, math.inf, math.nan]):
        steps = 10.0 ** rng.uniform(-9, -1, size=len(errors))
        got = pure(best_step, steps, np.array(errors))
        same(got, float(steps[0]), f"if {len(errors)} of {len(errors)} are infinitely bad")
    ### END HIDDEN TESTS


# %% [markdown]
# Measure. Three functions, one of them large and one with a sharp bend, both methods, and what the
# formulas of the table promise for functions "around 1":

# %%
steps = 10.0 ** np.arange(-15, -3.2, 0.25)
curves = {
    "exp(x) at 1": (np.exp, np.exp(1.0), 1.0),
    "1e6 + exp(x) at 1": (lambda x: 1e6 + np.exp(x), np.exp(1.0), 1.0),
    "log(x) at 0.001": (np.log, 1000.0, 0.001),
}
for name, (f, slope, at) in curves.items():
    for method in ("forward", "central"):
        errors = error_curve(f, slope, at, steps, method)
        best = best_step(steps, errors)
        relative = errors[steps == best][0] / slope
        print(f"{name:18} {method}: step {best:.0e}, relative error {relative:.0e}")
print(f"promised: {np.sqrt(1e-16):.0e} for forward, {np.cbrt(1e-16):.0e} for central")

# %% [markdown]
# The constant million does nothing to the slope. But its digits fill up the sixteen, six fewer are
# left for exp(x), and the slope loses three or four. And where a function bends sharply, the step
# has to be small: at 0.001 a step of 1e-5 is a hundredth of x itself.
#
# See it. The curve is the measured error; the step is on the slider. Above the curve's two arms
# stands which error rules there. Before you drag, write down:
#
# 1. Which arm is smooth and which is ragged, and why?
# 2. At x = 1.3 a step of 1e-16 gives a slope of 0, an error of 100%. Why 0?
# 3. Choose x = 130. Where does the best step go, to the left or to the right?
# 4. Choose float32. How many right digits are left at best?

# %%
from chainrule.widgets import StepCurve

StepCurve()

# %% [markdown]
# <details><summary>What you should have seen</summary>
#
# 1. Truncation is smooth: it is a property of the curve. Round-off is ragged: each step rounds
#    differently, and now and then two roundings cancel. These are the lucky steps.
# 2. 1.3 + 1e-16 *is* 1.3 in float64: the next number above 1.3 is 2.2e-16 away. Both points are the
#    same, and the difference is 0.
# 3. To the right, by about a factor of 100: steps count in relation to x.
# 4. About four or five with central differences, three or four with forward ones. Gradients are
#    therefore checked in float64, even if the net is trained in float32.
#
# </details>

# %% [markdown]
# *(The first sitting ends here.)*
#
# ## A derivative without a difference
#
# All the trouble comes from one minus sign. There is a way to do without it, if f can take complex
# numbers. Move x by a tiny step h in the *imaginary* direction. Take x² at 3 again, by hand:
#
# ```
# (3 + ih)²  =  9 − h²  +  i · 6h
# ```
#
# Value and slope have parted. The value sits in the real part, the slope in the imaginary part,
# times h. Nothing is subtracted, so nothing cancels, and h may be as small as you like. With h =
# 1e-30 the h² is far below the last digit of 9. What remains is the slope 6, right to the last
# digit.
#
# Two conditions. f has to be *analytic* near x: built of + − · /, powers, exp, log, sin and their
# like, without `abs`, `max` or comparisons. And each operation on the way must carry complex
# numbers through. A ReLU is out, then. So is anything that drops the imaginary part, and that
# happens silently.

# %% [markdown] prompt="complex_step"
# ### Exercise 4: the complex step
#
# Write `complex_step(f, x, step=1e-30)`. `f` takes a complex array of the shape of `x` and returns
# one number, Python's or NumPy's. The result is a float64 array of the shape of `x`: for each
# entry, the imaginary part of f(x with this entry + i · step), divided by `step`.
#
# * `x` is a real array of any shape, () and empty ones included, or a view of another array.
# * `f` is called exactly once for each entry.
# * If what `f` returns is real (a float, say), it has dropped the imaginary part. Raise
#   `ValueError` with the word "complex" in the message. A complex number whose imaginary part is
#   0 is fine.
# * `x` is unchanged after the call.

# %% [markdown] hint="complex_step"
# It is exercise 1 with `1j * step` instead of `step`, and with one call instead of two.
# `np.iscomplexobj(value)` tells whether a number is of a complex type.

# %% [markdown] hint="complex_step"
# ```
#              imaginary
#                 ▲
#   x + i·step  ● │           f(x + i·step)  ≈  f(x)  +  i · step · f'(x)
#               │ │                             ────     ───────────────
#        ───────●─┼────► real                   value    the slope, times step
#               x │
# ```

# %% [markdown] hint="complex_step"
# ```python
# moved = np.array(x, dtype=...)
# grad = np.zeros(...)
# for place in np.ndindex(moved.shape):
#     kept = moved[place]
#     moved[place] = ...
#     value = f(moved)
#     moved[place] = kept
#     if ...:
#         raise ValueError(...)
#     grad[place] = ...
# return grad
# ```


# %% exercise="complex_step" minutes=10 difficulty=2 importance=3 allow="numpy"
def complex_step(f, x, step=1e-30):
    """Return the gradient of an analytic f at x, from imaginary steps."""
    ### BEGIN SOLUTION
    moved = np.array(x, dtype=complex)
    grad = np.zeros(moved.shape)
    for place in np.ndindex(moved.shape):
        kept = moved[place]
        moved[place] = kept + 1j * step
        value = f(moved)
        moved[place] = kept
        if not np.iscomplexobj(value):
            raise ValueError("f gave a real number; it has to carry complex ones through")
        grad[place] = np.imag(value) / step
    return grad
    ### END SOLUTION


# %% tests="complex_step" behaviour="values" points=3
@autograder.test
def _(rng):
    "Each entry is Im f(x + i·step) / step for that entry: right to 13 digits, in any shape."
    f = callback(lambda z: complex(z[0] ** 3 * z[1]))
    got = call(complex_step, f, np.array([2.0, 5.0]))
    same(got, np.array([60.0, 8.0]), "for z0³ · z1 at [2, 5]")
    got = call(complex_step, f, np.array([2.0, 5.0]), step=1.0)
    same(got, np.array([55.0, 8.0]), "with a step of 1, where Im(2 + i)³ is 12 − 1")
    ### BEGIN HIDDEN TESTS
    for shape in ((), (1,), (0,), (3, 0), (9,), (3, 4), (4, 4), (2, 1, 3), (130,)):
        c, x = rng.normal(size=shape), np.asarray(rng.normal(size=shape))
        f = callback(lambda z, c=c: complex(1e8 + (c * np.sin(z) * np.exp(-z)).sum()))
        expected = np.asarray(c * (np.cos(x) - np.sin(x)) * np.exp(-x))
        got = call(complex_step, f, x)
        same(got, expected, f"for 1e8 + Σ c·sin·exp, shape {shape}", rtol=1e-12, atol=1e-14)
        f = callback(lambda z, c=c: complex((c * z**3).sum() + z.sum() ** 2))
        for step in (0.5, 1e-3, 1e-100):
            expected = np.asarray(c * (3 * x**2 - step**2) + 2 * x.sum())
            same(call(complex_step, f, x, step), expected, f"step {step}", rtol=1e-11, atol=1e-12)
    tiny = callback(lambda z: complex(1e-200 * (z**2).sum()))
    same(call(complex_step, tiny, x), 2e-200 * x, "for 1e-200 · Σ z²", rtol=1e-12, atol=0)

    @beside
    def of_views(f, a):
        return complex_step(f, a[::2, ::-1]), complex_step(f, a.T), complex_step(f, 2 * a.T)

    a, cube = rng.normal(size=(4, 3)), callback(lambda z: complex((z**3).sum()))
    expected = 3 * a[::2, ::-1] ** 2, 3 * a.T**2, 3 * (2 * a.T) ** 2
    same(of_views(cube, a), expected, "for two views of a, and 2a transposed", rtol=1e-12)
    ### END HIDDEN TESTS


# %% tests="complex_step" behaviour="one_call" points=1
@autograder.test
def _(rng):
    "A right result takes one evaluation for each entry and leaves `x` unchanged."

    @beside
    def after(f, x):
        return complex_step(f, x), x

    f = callback(lambda z: complex((z**2).sum()))
    x = np.array([[1.0, 2.0, -3.0]])
    same(after(f, x), (2 * x, x), "the result, and x afterwards")
    require(f.calls == 3, f"3 entries are 3 calls of f; there were {f.calls}")
    ### BEGIN HIDDEN TESTS
    for shape in ((), (0,), (9,), (5, 6)):
        x = np.asarray(rng.normal(size=shape))
        f = callback(lambda z: complex((z**2).sum()))
        same(after(f, x), (np.asarray(2 * x), x), "the result, and x afterwards")
        require(f.calls == x.size, f"f was called {f.calls} times for {x.size} entries")
    ### END HIDDEN TESTS


# %% tests="complex_step" behaviour="dropped" points=1
@autograder.test
def _(rng):
    "ValueError that speaks of complex if `f` returns a real number; none if it is complex."
    drops = callback(lambda z: float(np.real(z**2).sum()))
    raises(ValueError, complex_step, drops, np.array([1.0, 2.0]), mentions="complex")
    flat = callback(lambda z: complex((0 * z).sum() + 7))
    same(call(complex_step, flat, np.array([1.0, 2.0])), np.zeros(2), "for a constant, 7 + 0i")
    ### BEGIN HIDDEN TESTS
    for drop in (
        lambda z: np.abs(z).sum(),
        lambda z: 3,
        lambda z: np.asarray(np.real(z).sum()),
        lambda z: float(np.maximum(np.real(z), 0).sum()),
        lambda z: 0.0,
    ):
        for shape in ((), (1,), (2, 3)):
            x = np.asarray(rng.normal(size=shape))
            raises(ValueError, complex_step, callback(drop), x, mentions="complex")
            for kind in (complex, np.complex128):
                whole = callback(lambda z, kind=kind: kind(z.sum()))
                same(call(complex_step, whole, x), np.ones(shape), "for Σ z")
    for k in range(3):
        once = callback(lambda z, k=k: 4.0 if np.imag(z)[k] else complex(z.sum()))
        raises(ValueError, complex_step, once, rng.normal(size=3), mentions="complex")
    ### END HIDDEN TESTS


# %%
def wave(x):
    return np.exp(x) * np.sin(x)


at = np.array(1.3)
slope = np.exp(at) * (np.sin(at) + np.cos(at))
print("true         ", f"{slope:.16f}")
for name, estimate in (
    ("central 1e-5 ", central_difference(wave, at)),
    ("central 1e-12", central_difference(wave, at, 1e-12)),
    ("complex 1e-30", complex_step(wave, at)),
):
    print(name, f"{estimate:.16f}")

# %% [markdown]
# All sixteen digits. Where it applies, the complex step is the best reference there is. The checks
# of this course use it as theirs. But a net with a ReLU in it is not analytic, and somebody else's
# `f` may well call `abs`. For a checker that takes any function, differences have to do.

# %% [markdown]
# ## Trusting gradients
#
# Now the tool. It gets a function, somebody's gradient of it, and a point, and answers yes or no.
# The comparison seems easy: central differences, relative error, a threshold. Here are four *right*
# gradients and three *wrong* ones, with what a naive checker sees.
#
# | | gradient | difference | relative error |
# |---|---|---|---|
# | right, at a minimum: exp(x) − x at 0 | 0 | 1.1e-11 | 1 |
# | right, at a kink: abs(x) at x = 0 | 1 | 0 | 1 |
# | right, nearer to a kink than the step: abs(x) at 1e-6 | 1 | 0.1 | 0.9 |
# | right, a net whose units are all off | 0 | 0 | 0/0 |
# | **wrong** by a factor of 2, f in tiny units | 2e-12 | 1e-12 | 0.5, but the gap is 1e-12 |
# | **wrong** by 1% in one small entry of many | 0.0101 | 0.01 | 0.01, lost in any sum or norm |
# | **wrong**: `nan` | nan | 3 | nan, not above any threshold |
#
# A relative threshold alone rejects the first three. An absolute threshold alone accepts the fifth.
# A norm of the whole array accepts the sixth. What is right?
#
# Two facts that you have measured answer it. *Round-off has a known size*: about 1e-16 times f,
# divided by the step. Below that, no difference means anything; well above it, all do. So the
# absolute part of the tolerance is no constant like 1e-8. It goes with abs(f): 1e-12 of a f that is
# 1e-12 itself is a lot. And *at a kink there are two slopes*, one to the left and one to the right.
# Neither is wrong, and nor is anything between them (it is what mathematicians call a
# *subgradient*). The central difference is their mean, but one-sided differences show both.
#
# ```
#         abs(x), at x = 1e-6, step 1e-5
#
#    \              /       to the left    (f(x) − f(x − h))/h = −0.8
#     \            /        to the right   (f(x + h) − f(x))/h =  1
#      \          /         central                               0.1
#       \        /
#        \      /           The slope at x is that of its own side, 1. The step to
#         \    /            the right does not meet the kink, so it sees it. The
#          \  / x           other one mixes both sides. Whichever side the kink is
#           \/●             on, the true slope is within [−0.8, 1].
# ```

# %% [markdown] prompt="check_gradient"
# ### Exercise 5: a gradient checker
#
# Write `check_gradient(f, grad, x)`. `f` takes a float64 array of the shape of `x` and returns
# one finite number; `grad` takes the same and returns what is claimed to be its gradient, an
# array (or, for shape (), perhaps a Python float). Return `True` if the claim holds in every
# entry, else `False`.
#
# The checks hand you right gradients, and wrong ones that we planted:
#
# * **Sizes.** `x` has any shape, () and empty ones included, and may be a view of another array;
#   its entries are 0 or between 0.1 and 10 in size. All slopes of `f` are of the size of `f` or
#   smaller, and it bends on a scale of 0.1 or more: a step of 1e-5 is fine everywhere.
# * **Wrong** is wrong by 1% of the entry or more, in at least one entry, and by at least 1e-5 ·
#   abs(f(x)). A single wrong entry among hundreds counts, the first or the last.
# * **Right** is right to 10 digits. Differences below 1e-8 · abs(f(x)) are round-off: where the
#   true entry is 0, your estimate need not be.
# * **Any scale.** `f` may be multiplied by anything from 1e-12 to 1e12, and its gradient with it. A
#   gradient that is 0 everywhere may be right, too.
# * **Kinks.** `f` may have a kink at `x`, or nearer to it than any step (at most one in each
#   entry's direction within 1e-4). At the kink, all between the slope to the left and the slope
#   to the right is right. Beside it, the slope on x's own side is. What is planted there lies
#   outside of both slopes by a tenth or more. Entries without a kink are judged as strictly as
#   ever.
# * **No numbers.** A gradient with a NaN or an infinity in it is wrong, and so is one whose shape
#   is not that of `x`, even where NumPy could broadcast it.
# * **Manners.** `f` and `grad` may write into the array that they are given, or return it. `x` is
#   unchanged after the call all the same.

# %% [markdown] hint="check_gradient"
# Compute three values for each entry: f here, a step up, a step down. They make two one-sided
# slopes. For a smooth f these are nearly equal; at a kink they are not, and the true slope lies
# between. So ask whether the claim lies between the two, with a little room on both sides. How much
# room? A part of it relative to the slope, another for the round-off, relative to f. And do not
# compare before you know that there are numbers, in the right shape.

# %% [markdown] hint="check_gradient"
# ```
#            room        lower slope     upper slope       room
#        ◄─────────────►●───────────────●◄─────────────►
#   ─────┼──────────────────── right ──────────────────┼─────  claim
#  wrong │                                             │ wrong
#
#  room = 1e-4 · |slopes|  +  1e-7 · |f|
#         curve, rounding    round-off / step
#         of the claim
# ```
# Smooth: lower and upper slope differ by 1e-5 or so. Kink: they are −1 and 1.

# %% [markdown] hint="check_gradient"
# ```python
# claim = np.asarray(grad(x.copy()))
# if ...:
#     return ...
# here = f(x.copy())
# for place in np.ndindex(x.shape):
#     moved = x.copy()
#     moved[place] += 1e-5
#     right = ...
#     moved = x.copy()
#     moved[place] -= 1e-5
#     left = ...
#     room = ...
#     if not ... <= claim[place] <= ...:
#         return ...
# return True
# ```


# %% exercise="check_gradient" minutes=30 difficulty=4 importance=5 allow="numpy"
def check_gradient(f, grad, x):
    """Return whether grad(x) is the gradient of f at x, as far as differences can tell."""
    ### BEGIN SOLUTION
    step = 1e-5
    claim = np.asarray(grad(x.copy()))
    if claim.shape != x.shape or not np.isfinite(claim).all():
        return False
    here = f(x.copy())
    for place in np.ndindex(x.shape):
        move = np.zeros(x.shape)
        move[place] = step
        right, left = (f(x + move) - here) / step, (here - f(x - move)) / step
        room = 1e-4 * (abs(left) + abs(right)) + 1e-7 * abs(here)
        if not min(left, right) - room <= claim[place] <= max(left, right) + room:
            return False
    return True
    ### END SOLUTION


# %% tests="check_gradient" behaviour="planted_bugs" points=3
@autograder.test
def _(rng):
    "Right gradients are accepted; signs, factors, lost terms and single slips are rejected."
    f = callback(lambda x: float((x**2).sum()))
    x = np.array([1.0, -2.0, 3.0])
    right = callback(lambda x: 2 * x)
    sign = callback(lambda x: np.array([2.0, 2.0, 2.0]) * np.abs(x))
    slip = callback(lambda x: 2 * x + np.array([0.0, 0.0, 0.06]))
    verdicts = [call(check_gradient, f, grad, x) for grad in (right, sign, slip)]
    same(verdicts, [True, False, False], "2x, 2|x|, 2x with the last entry off by 1%; for Σ x²")
    ### BEGIN HIDDEN TESTS
    waves = lambda x: float((2 + np.sin(x)).sum()), np.cos
    squares = lambda x: float((x**2).sum()) + 1, lambda x: 2 * x
    top = lambda x: float(np.log(np.exp(x).sum())), lambda x: np.exp(x) / np.exp(x).sum()
    pairs = lambda x: float(1 + x.sum() ** 2), lambda x: np.full(x.shape, 2 * x.sum())
    for shape in ((), (1,), (5,), (3, 4), (4, 4), (2, 3, 2), (60,), (0,)):
        x = np.asarray(rng.uniform(0.1, 1.2, size=shape) * rng.choice([1, 1, -1], size=shape))
        named = {"waves": waves, "squares": squares, "top": top, "pairs": pairs}
        for name, (f, true) in named.items():
            if (name == "top" and not x.size) or (name == "pairs" and abs(x.sum()) < 0.1):
                continue
            g = np.asarray(true(x))
            planted = {"the right one": g, "right to 11 digits": g * (1 + 1e-11)}
            if x.size:
                at = np.unravel_index(int(rng.integers(x.size)), x.shape)
                marks = {where: np.zeros(x.shape) for where in ("any", "first", "last")}
                marks["any"][at], marks["first"][(0,) * x.ndim] = 1, 1
                marks["last"][(-1,) * x.ndim] = 1
                off = 0.01 * (1 + rng.uniform()) * float(rng.choice([-1, 1]))
                planted |= {f"{w} entry off": g * (1 + off * m) for w, m in marks.items()}
                planted |= {f"{w} entry's sign": g * (1 - 2 * m) for w, m in marks.items()}
                planted |= {"sign": -g, "half": g / 2, "1% more": 1.01 * g, "zeros": 0 * g}
                planted |= {"of another point": np.asarray(true(x + 0.05)), "plus 0.1": g + 0.1}
            if x.size > 4 and name != "pairs":
                planted |= {"reversed": np.flip(g), "mean": g / g.size}
                planted |= {"average": np.full(g.shape, g.mean()), "rolled": np.roll(g, 1)}
            for bug, claim in planted.items():
                gap = np.abs(claim - g)
                clear = gap >= np.maximum(1.001e-5 * abs(f(x)), 0.0099 * np.abs(g))
                if not bug.startswith("right") and not bug.startswith("the") and not clear.any():
                    continue
                given = callback(lambda x, claim=claim: claim)
                expected = bug.startswith("right") or bug.startswith("the")
                what = f"{name}, shape {shape}, gradient: {bug}"
                same(call(check_gradient, callback(f), given, x), expected, what)

    @beside
    def of_hundreds(start, wrong):
        import numpy as np

        def judged(place):
            share = np.ones(start.T.shape)
            if place is not None:
                share.flat[place] = 0.985
            return check_gradient(lambda x: float((x**2).sum()), lambda x: 2 * x * share, start.T)

        return [judged(place) for place in wrong]

    for shape in ((300,), (20, 17)):
        x = rng.uniform(0.5, 1.2, size=shape)
        wrong = [None, 0, *(int(k) for k in rng.integers(x.size, size=6)), x.size - 1, None]
        same(
            of_hundreds(x, wrong),
            [place is None for place in wrong],
            f"{x.size} entries, shape {x.T.shape}, wrong by 1.5% in entry: {wrong}",
        )
    ### END HIDDEN TESTS


# %% tests="check_gradient" behaviour="any_scale" points=3
@autograder.test
def _(rng):
    "Tiny and huge gradients, small entries beside large ones, zeros: right in, wrong out."

    def verdicts(scale, wrong):
        f = callback(lambda x: float(scale * (x**2).sum()))
        claims = callback(lambda x: 2 * scale * x), callback(lambda x: 2 * wrong * x)
        return [call(check_gradient, f, claim, np.array([0.5, 2.0])) for claim in claims]

    same(verdicts(1e-12, 2e-12), [True, False], "for 1e-12·Σ x²: 2e-12·x, and twice that")
    same(verdicts(1e9, 1.01e9), [True, False], "for 1e9·Σ x²: 2e9·x, and 1% more")
    still = callback(lambda x: 3.0)
    claims = callback(lambda x: 0 * x), callback(lambda x: 0 * x + 0.01)
    got = [call(check_gradient, still, claim, np.array([0.5, 2.0])) for claim in claims]
    same(got, [True, False], "for a constant f, 3: zeros, and 0.01 everywhere")
    ### BEGIN HIDDEN TESTS
    for scale in (1e-12, 1e-9, 1e-6, 1e-3, 1.0, 1e3, 1e6, 1e12):
        for sign in (1, -1):
            x = rng.uniform(0.2, 1, size=8)
            c = sign * scale * np.array([1.0, 1.0, 1.0, 0.03, 0.02, 0.0, 1.0, 1.0])

            def f(x, c=c):
                return float((c * x**2).sum() + c[6] * (1 + x[6] * (1.4 - x[6]) - x[6] ** 2))

            x[6] = 0.7
            g = 2 * c * x * (np.arange(8) != 6)
            right = callback(lambda x, g=g: g)
            got = call(check_gradient, callback(f), right, x)
            same(got, True, f"a right gradient, f about {scale:g}")
            size = abs(f(x))
            for place in range(8):
                off = max(0.0101 * abs(g[place]), 1e-4 * size) * float(rng.choice([-1, 1]))
                wrong = g + off * (np.arange(8) == place)
                claim = callback(lambda x, wrong=wrong: wrong)
                what = f"entry {place} of 8 off, f about {scale:g}"
                same(call(check_gradient, callback(f), claim, x), False, what)
            none = callback(lambda x: 0 * x)
            same(call(check_gradient, callback(f), none, x), False, f"zeros, f about {scale:g}")
            flat = callback(lambda x, scale=scale: 3.0 * scale)
            same(call(check_gradient, flat, none, x), True, "zeros for a constant")
            slight = callback(lambda x, scale=scale: 0 * x + 1e-4 * scale)
            same(call(check_gradient, flat, slight, x), False, "not quite zeros for a constant")

            mix = rng.normal(size=(9, 8))

            def level(x, scale=scale, mix=mix):
                v = (mix @ x / 4) ** 2
                return scale * float(3 + (np.exp(np.log(2 + v)) - 2 - v).sum())

            same(call(check_gradient, callback(level), none, x), True, "zeros, with round-off")
            same(call(check_gradient, callback(level), slight, x), False, "not quite zeros")
            nothing = callback(lambda x: 0.0)
            same(call(check_gradient, nothing, none, x), True, "zeros for f = 0")
            same(call(check_gradient, nothing, slight, x), False, "not quite zeros for f = 0")
    ### END HIDDEN TESTS


# %% tests="check_gradient" behaviour="kinks" points=3
@autograder.test
def _(rng):
    "At a kink either slope is right, and all between; beside it, that of x's own side."
    f = callback(lambda x: float(1 + np.abs(x).sum()))

    def verdicts(x, *claims):
        given = [callback(lambda x, claim=claim: np.array([claim, 1.0])) for claim in claims]
        return [call(check_gradient, f, grad, np.array([x, 2.0])) for grad in given]

    got = verdicts(0.0, 1.0, -1.0, 0.0, 0.3, 1.3, -1.5)
    same(got, [True] * 4 + [False] * 2, "1, −1, 0, 0.3, 1.3, −1.5 for |x| at 0")
    same(verdicts(1e-7, 1.0, 1.4), [True, False], "1 and 1.4 for |x| at 1e-7")
    ### BEGIN HIDDEN TESTS
    for gap in (0.0, 1e-12, 3e-9, 2e-7, 9e-7, 2e-6, 6e-6, 2e-5, 9e-5):
        for side in (-1, 1):
            n = int(rng.integers(2, 7))
            low, high = np.sort(rng.uniform(-2, 2, size=2) + np.array([-0.5, 0.5]))
            a, b = rng.permutation([low, high]).tolist()  # to the left, to the right
            k = rng.uniform(0.2, 1, size=n) * rng.choice([-1, 1], size=n)
            at = int(rng.integers(n))

            def bent(x, k=k, a=a, b=b, at=at):
                d = x - k
                return float(4 + (a if d[at] < 0 else b) * d[at] + (d**2).sum())

            f = callback(bent)
            x = k + 0.3 * rng.choice([-1, 1], size=n)
            x[at] = k[at] + side * gap
            g = 2 * (x - k)
            here = [a, b, (a + b) / 2] if gap == 0 else [a if side < 0 else b]
            far = [high + 0.15, low - 0.15, high + 2, low - 2, 30.0]
            for slope in here + far:
                claim = g + (np.arange(n) == at) * slope
                grad = callback(lambda x, claim=claim: claim)
                what = f"slopes {a:.2f}, {b:.2f}, {side * gap:g} from the kink, claim {slope:.2f}"
                same(call(check_gradient, f, grad, x), slope in here, what)
            for factor in (1.05, 0.9, -1.0):
                claim = np.where(np.arange(n) == at, g + here[0], factor * g)
                grad = callback(lambda x, claim=claim: claim)
                what = f"a kink in entry {at}, the others times {factor}"
                same(call(check_gradient, f, grad, x), False, what)
    for low, high in ((-1.0, 1.0), (0.0, 1.0), (-2.0, 0.0), (-1.0, -0.5)):
        for bend, a, b in (
            (3.0, low, high),
            (-3.0, low, high),
            (3.0, high, low),
            (-3.0, high, low),
        ):

            def corner(x, a=a, b=b, bend=bend):
                return float(5 + (np.where(x < 0, a, b) * x + bend * x**2).sum())

            for claim in (low, high, (low + high) / 2, high + 0.2, low - 0.3):
                grad = callback(lambda x, claim=claim: np.array([claim, claim]))
                what = f"{claim:g} at 0, slopes {a:g} to the left and {b:g} to the right, bent"
                verdict = call(check_gradient, callback(corner), grad, np.zeros(2))
                same(verdict, low <= claim <= high, what)
    x, w = rng.normal(size=(6, 3)), rng.normal(size=(3, 2))
    x, w = x / np.abs(x).max(), np.sign(w) * np.clip(np.abs(w), 0.1, 2)
    net = callback(lambda w: float(1 + (np.maximum(x @ w, 0).sum(1) ** 2).sum()))
    on = 2 * np.maximum(x @ w, 0).sum(1)[:, None]
    for factor in (1.0, 1.1):
        grad = callback(lambda w, factor=factor: factor * x.T @ (on * (x @ w > 0)))
        same(call(check_gradient, net, grad, w), factor == 1, f"a net with ReLUs, times {factor}")
    off = callback(lambda w: float(3 + np.maximum(x @ w - 1e3, 0).sum()))
    zeros, ones = callback(lambda w: 0 * w), callback(lambda w: 0 * w + 1)
    got = [call(check_gradient, off, zeros, w), call(check_gradient, off, ones, w)]
    same(got, [True, False], "a net whose units are all off: zeros, and ones")
    ### END HIDDEN TESTS


# %% tests="check_gradient" behaviour="no_numbers" points=2
@autograder.test
def _(rng):
    "NaN, infinities and wrong shapes are rejected where the right gradient is accepted."
    f = callback(lambda x: float((x**2).sum()))
    x = np.array([1.0, 1.0])
    claims = [[2.0, 2.0], [2.0, math.nan], [math.inf, 2.0], [[2.0], [2.0]], 2.0]
    given = [callback(lambda x, claim=claim: np.array(claim)) for claim in claims]
    verdicts = [call(check_gradient, f, grad, x) for grad in given]
    same(verdicts, [True] + [False] * 4, "[2 2], [2 nan], [inf 2], a column, 2; for Σ x² at [1 1]")
    ### BEGIN HIDDEN TESTS
    for shape in ((), (1,), (4,), (40,), (3, 3), (2, 3), (1, 3), (2, 2, 2), (0,), (2, 0)):
        x = np.full(shape, float(rng.uniform(0.5, 2)))
        g = np.asarray(2 * x)
        trials = [(g, True, "the right one"), (g[None], False, "one axis more")]
        trials += [(g[..., None], False, "one axis more, at the end")]
        if shape:
            trials += [(np.array(2 * x.ravel()[0] if x.size else 0.0), False, "one number")]
            trials += [(g[0] if len(g) else np.zeros(3), False, "the first row")]
            longer = np.concatenate([g, g]) if len(g) else np.zeros((1, 5))
            trials += [(longer, False, "twice as long")]
        if len(shape) > 1 and x.size:
            trials += [(g.ravel(), False, "flat")]
        if shape == (2, 3):
            trials += [(g.T, False, "transposed")]
        for bad in (math.nan, math.inf, -math.inf):
            for place in {0, x.size - 1, x.size // 2} if x.size else ():
                spoilt = g.copy()
                spoilt[np.unravel_index(place, shape)] = bad
                trials += [(spoilt, False, f"{bad} in it")]
        for claim, expected, what in trials:
            grad = callback(lambda x, claim=claim: claim)
            same(call(check_gradient, f, grad, x), expected, f"shape {shape}, gradient: {what}")
    number = callback(lambda x: float(x**2))
    for claim in (3.0, 3.1, math.nan):
        grad = callback(lambda x, claim=claim: claim)
        same(call(check_gradient, number, grad, np.array(1.5)), claim == 3, f"a float, {claim}")
    absolute = callback(lambda x: float(1 + np.abs(x).sum()))
    for claim in (math.nan, math.inf, -math.inf):
        grad = callback(lambda x, claim=claim: np.array([claim, 1.0]))
        got = call(check_gradient, absolute, grad, np.array([0.0, 1.0]))
        same(got, False, f"{claim} at a kink")
    ### END HIDDEN TESTS


# %% tests="check_gradient" behaviour="manners" points=1
@autograder.test
def _(rng):
    "The verdict is right and `x` unchanged even if `f` and `grad` write into their argument."

    @beside
    def verdicts(x, factors):
        def f(x):
            x -= 1.0
            x *= x
            return 1.0 + x.sum()

        def gradient(factor):
            def grad(x):
                x -= 1.0
                x *= factor
                return x

            return grad

        return [bool(check_gradient(f, gradient(factor), x)) for factor in factors], x

    x = np.array([2.0, 0.5, -3.0])
    got = verdicts(x, [2.0, 2.1, -2.0])
    same(got, ([True, False, False], x), "2(x − 1), 2.1(x − 1), −2(x − 1) for Σ (x − 1)², then x")
    ### BEGIN HIDDEN TESTS
    for shape in ((), (1,), (7,), (3, 4)):
        x = np.asarray(rng.uniform(2, 4, size=shape))
        expected = [True, False, True, False], x
        what = "2, 1.9, 2, 3 times (x − 1), then x"
        same(verdicts(x, [2.0, 1.9, 2.0, 3.0]), expected, what, rtol=0, atol=0)
    ### END HIDDEN TESTS


# %% [markdown]
# Point it at the two of the first cell, and at a slip of another kind, a gradient divided by N:

# %%
claims = {
    "backward_b": lambda w1: backward_b(x, x @ w1, np.maximum(x @ w1, 0), w2, upstream)[0],
    "backward_a": lambda w1: backward_a(x, x @ w1, np.maximum(x @ w1, 0), w2, upstream)[0],
    "divided by N": lambda w1: claims["backward_b"](w1) / len(x),
}
for name, claim in claims.items():
    print(f"{name:13}", "right" if check_gradient(loss_of, claim, w1) else "WRONG")

# %% [markdown]
# ## The net with a check before it
#
# What does this idea change in the lecture's net? Three lines, before the training. They are paid
# once, on a small net: a rule that is right for 3 inputs and 2 units is right for 1000 and 100.
#
# ```diff
#  N, D_in, H, D_out = 64, 1000, 100, 10
#  ...
# +small = 3, 4, 2, 2          # the same code, with a net of 12 weights
# +assert check_gradient(loss_of_w1, grad_w1_of, w1_small)
# +assert check_gradient(loss_of_w2, grad_w2_of, w2_small)
#
#  for step in range(500):
#      h = x @ w1
#      h_relu = np.maximum(h, 0)
#      y_pred = h_relu @ w2
#      loss = np.square(y_pred - y).sum()
#      ...
# ```

# %% [markdown]
# ## What it costs, and a check in one direction
#
# Why on a small net? Count. The lecture's net has 101,000 weights, so central differences call the
# forward pass 202,000 times for one gradient. The backward pass costs about two forward passes. A
# language model has 1e9 weights or more.
#
# There is a check that costs two evaluations, however large everything is. Take a function that
# maps an array `x` to an array f(x), with the Jacobian J: the matrix of the slopes of all outputs
# for all inputs. You never write it down. Choose one random direction `v` in the space of the
# inputs and one `u` in that of the outputs. Then uᵀJv is one number, and there are two ways to it:
#
# ```
#   ⟨u, J v⟩    move x along v, see how f(x) moves,      two evaluations of f,
#               (f(x + h·v) − f(x − h·v)) / 2h           weigh the result with u
#
#   ⟨v, Jᵀ u⟩   send u back as upstream gradient         one backward pass (a VJP),
#               through the rule that you want to check  weigh the result with v
# ```
#
# The first knows nothing of your rule. If the second agrees, then your rule is right *along v and
# u*; and as these are random, a wrong rule has no place to hide: its error would have to be at
# right angles to a direction that was drawn after the rule was written. Draw a few, to be sure.
#
# Random means random. With u = (1, 1, …, 1) the check sees only the sum of the outputs. The
# outputs of a softmax sum to 1 whatever happens: a softmax rule that returns zeros passes.

# %% [markdown] prompt="directions"
# ### Exercise 6: check in random directions
#
# `f` takes an array of the shape of `x` and returns an array of any shape; `vjp(x, u)` takes `x`
# and an upstream gradient of the shape of f(x), and returns Jᵀu in the shape of `x`. Write two
# functions.
#
# `both_sides(f, vjp, x, u, v, step=1e-6)` returns a tuple of two floats: ⟨u, Jv⟩, by a central
# difference along `v` with the step that is given, and ⟨v, Jᵀu⟩, by `vjp`. It calls `f` twice and
# `vjp` once.
#
# `directions_agree(f, vjp, x, rng, directions=5)` returns `True` if the two sides agree in all of
# that many random directions, else `False`.
#
# * `u` and `v` are drawn anew for each direction, from the standard normal distribution, with the
#   generator `rng`. NumPy's global random state is not used. If one direction has told, you may
#   stop.
# * `vjp` is called once for each direction, `f` twice, and once more at most (for the shape).
# * All numbers in `x` are around 1; f(x) and the slopes may be of any size from 1e-6 to 1e6. Right
#   rules make gaps of less than 1e-7 of that size. Wrong ones are off by at least 1% of the length
#   of Jᵀu, the square root of the sum of its squares. (One is so for every other `u` only. It is
#   tried in 30 directions.)
# * A side may be close to 0 by accident. Both may be 0, or nothing but round-off, and they agree. A
#   side that is NaN agrees with nothing.
# * `x` and f(x) have any shapes, () and empty ones included. `x`, `u` and `v` are unchanged.

# %% [markdown] hint="directions"
# The inner product ⟨a, b⟩ of two arrays of any shape is `np.sum(a * b)`. For the verdict, think of
# what both sides do when they are right: they differ by round-off, 1e-16 · abs(f) divided by 1e-6.
# What they do when they are wrong: they differ by a hundredth of what they are. There is much room
# in between. A tolerance in units of f and of the largest side has its place there.

# %% [markdown] hint="directions"
# ```
#   x ──► f ──► f(x)            x + h·v ──► f ──┐
#                               x − h·v ──► f ──┴─ difference/2h ──► · u ──► ⟨u, Jv⟩
#                                                                              ║ ?
#   Jᵀu ◄── vjp ◄── u           vjp(x, u) ───────────────────────► · v ──► ⟨v, Jᵀu⟩
# ```

# %% [markdown] hint="directions"
# ```python
# def directions_agree(f, vjp, x, rng, directions=5):
#     here, sides = f(x), []
#     for _ in range(directions):
#         u, v = ..., rng.standard_normal(np.shape(x))
#         sides.append(both_sides(...))
#     found = np.array(sides)                    # (directions, 2)
#     gap = ...
#     return bool(np.all(gap <= ...))
# ```


# %% exercise="directions" minutes=20 difficulty=3 importance=4 allow="numpy"
def both_sides(f, vjp, x, u, v, step=1e-6):
    """Return <u, J v>, by a central difference along v, and <v, J^T u>, by vjp."""
    ### BEGIN SOLUTION
    slope = (f(x + step * v) - f(x - step * v)) / (2 * step)
    return np.sum(u * slope), np.sum(v * vjp(x, u))
    ### END SOLUTION


def directions_agree(f, vjp, x, rng, directions=5):
    """Return whether both sides agree in this many random directions."""
    ### BEGIN SOLUTION
    here, sides = f(x), []
    for _ in range(directions):
        u, v = rng.standard_normal(np.shape(here)), rng.standard_normal(np.shape(x))
        sides.append(both_sides(f, vjp, x, u, v))
    found = np.array(sides)
    gap = np.abs(found[:, 0] - found[:, 1])
    size = np.abs(here).max(initial=0.0) + np.abs(found).max()
    return bool(np.all(gap <= 1e-6 * size))
    ### END SOLUTION


# %% tests="directions" behaviour="both_sides" points=2
@autograder.test
def _(rng):
    "`both_sides` returns ⟨u, Jv⟩ and ⟨v, Jᵀu⟩, each by its own way, with the step asked for."
    f = callback(lambda x: np.array([x[0] * x[1], x[0] ** 3]))
    vjp = callback(lambda x, u: np.array([x[1] * u[0] + 12 * u[1], x[0] * u[0]]))
    x, u, v = np.array([2.0, 5.0]), np.array([10.0, 1.0]), np.array([1.0, -1.0])
    got = call(both_sides, f, vjp, x, u, v, 1.0)
    same(got, (43.0, 42.0), "for (x0·x1, x0³) with a step of 1: 10·3 + 13, and 62 − 20")
    require(
        (f.calls, vjp.calls) == (2, 1),
        f"calls of f, vjp: 2, 1 expected, came {f.calls}, {vjp.calls}",
    )
    ### BEGIN HIDDEN TESTS
    sizes = ((), ()), ((1,), ()), ((4,), (3,)), ((2, 3), (5,)), ((3, 3), (2, 2)), ((), (4,))
    for shape, out in (*sizes, ((90,), (120,)), ((0,), (3,)), ((2,), (0,))):
        for step in (0.5, 0.01):
            a = np.asarray(rng.normal(size=(*out, *shape)))
            lines = tuple(range(len(out), a.ndim))
            rows = tuple(range(len(out)))
            f = callback(lambda x, a=a, lines=lines: np.asarray((a * x**3).sum(axis=lines)))
            m = rng.normal(size=shape)
            vjp = callback(lambda x, u, m=m: np.asarray(m * np.sum(u)))
            x, u, v = (np.asarray(rng.normal(size=s)) for s in (shape, out, shape))
            spread = u.reshape(out + (1,) * len(shape))
            bend = (a * spread).sum(axis=rows) * (3 * x**2 * v + step**2 * v**3)
            expected = float(np.sum(bend)), float(np.sum(v * m) * np.sum(u))
            what = f"from shape {shape} to {out}, step {step}"
            same(
                call(both_sides, f, vjp, x, u, v, step=step), expected, what, rtol=1e-8, atol=1e-10
            )
            require((f.calls, vjp.calls) == (2, 1), f"calls of f, vjp: {f.calls}, {vjp.calls}")

    @beside
    def after(f, vjp, x, u, v):
        return both_sides(f, vjp, x, u, v), x, u, v

    f, vjp = callback(np.sin), callback(lambda x, u: u * np.cos(x))
    x, u, v = rng.normal(size=(3, 4, 2))
    side = float((u * v * np.cos(x)).sum())
    got, *later = after(f, vjp, x, u, v)
    same(got, (side, side), "for sin", rtol=1e-7, atol=1e-8)
    same(later, [x, u, v], "x, u, v afterwards, to the last digit", rtol=0, atol=0)
    ### END HIDDEN TESTS


# %% tests="directions" behaviour="planted_bugs" points=3
@autograder.test
def _(rng):
    "`directions_agree` accepts right rules and rejects wrong ones, in any shapes."

    @beside
    def verdict(f, vjp, x, seed):
        return directions_agree(f, vjp, x, np.random.default_rng(seed))

    a = np.array([[1.0, 2.0], [0.0, 3.0]])
    f, x = callback(lambda x: a @ x), np.array([1.0, -1.0])
    rules = (
        callback(lambda x, u: a.T @ u),
        callback(lambda x, u: a @ u),
        callback(lambda x, u: 0 * u),
    )
    got = [verdict(f, rule, x, 0) for rule in rules]
    same(got, [True, False, False], "Aᵀu, A u, zeros for f(x) = A x")
    ### BEGIN HIDDEN TESTS

    def softmax(x):
        return np.exp(x) / np.exp(x).sum()

    def softmax_rule(x, u):
        return softmax(x) * (u - (u * softmax(x)).sum())

    w = rng.normal(size=(4, 4))
    for shape in ((), (1,), (6,), (3, 4), (4, 4), (40,)):
        x = np.asarray(rng.normal(size=shape))
        mark = np.zeros(shape)
        mark[(-1,) * x.ndim] = 1
        cases = {
            "tanh": (np.tanh, lambda x, u: u * (1 - np.tanh(x) ** 2)),
            "softmax": (softmax, softmax_rule),
            "sum": (lambda x: np.asarray(x.sum()), lambda x, u: u * np.ones(x.shape)),
        }
        if shape == (4, 4):
            cases["product"] = (lambda x: x @ w, lambda x, u: u @ w.T)
        for name, (f, rule) in cases.items():
            u = rng.normal(size=np.shape(f(x)))
            length = np.linalg.norm(rule(x, u))
            bugs = {
                "right": rule,
                "negative": lambda x, u, r=rule: -r(x, u),
                "1.02 times": lambda x, u, r=rule: 1.02 * r(x, u),
                "nan": lambda x, u, r=rule: r(x, u) * np.nan,
                "last entry": lambda x, u, r=rule, m=mark: (
                    r(x, u) + 0.02 * m * np.linalg.norm(r(x, u))
                ),
                "zeros": lambda x, u: 0 * x,
                "of ones": lambda x, u, r=rule: r(x, np.ones(np.shape(u))),
            }
            if x.size > 3 and name != "sum":
                bugs["rolled"] = lambda x, u, r=rule: np.roll(r(x, u), 1)
                bugs["averaged"] = lambda x, u, r=rule: 0 * x + r(x, u).mean()
            if name == "product":
                bugs["not transposed"] = lambda x, u: u @ w
            for bug, broken in bugs.items():
                if bug != "right" and (length < 0.02 or x.size == 0):
                    continue
                got = verdict(callback(f), callback(broken), x, int(rng.integers(1000)))
                same(got, bug == "right", f"{name}, shape {shape}, rule: {bug}")
        if x.size == 0:
            continue
        for scale in (1e-6, 1e6):
            for factor in (1.0, 1.02, -1.0):
                f = callback(lambda x, scale=scale: scale * np.sin(x))
                rule = callback(lambda x, u, s=scale * factor: s * u * np.cos(x))
                got = verdict(f, rule, x, int(rng.integers(1000)))
                what = f"{scale:g} · sin, shape {shape}, rule: {factor} times the right one"
                same(got, factor == 1, what)
        rule = callback(lambda x, u: u * np.cosh(x) ** -2.0)
        same(verdict(callback(np.tanh), rule, 0 * x, 1), True, f"tanh at 0, shape {shape}")
    x = rng.normal(size=5)

    def at_times(x, u):
        return u * np.cos(x) * (1.5 if u[0] > 0 else 1)

    @beside
    def in_thirty(f, vjp, x, seed):
        return directions_agree(f, vjp, x, np.random.default_rng(seed), directions=30)

    got = in_thirty(callback(np.sin), callback(at_times), x, int(rng.integers(1000)))
    same(got, False, "a rule that is wrong for every other u, in 30 directions")
    still, none = callback(lambda x: np.ones(3)), callback(lambda x, u: 0 * x)
    same(verdict(still, none, x, 1), True, "zeros for a constant")
    for seed in range(12):
        for size in (1e-6, 1.0, -1.0, 1e6):
            level = callback(lambda x, size=size: np.asarray(size * softmax(x).sum()))
            what = f"zeros for {size:g} times the sum of a softmax"
            same(verdict(level, none, rng.normal(size=7), seed), True, what)
    empty = callback(lambda x: np.zeros(0))
    same(verdict(empty, none, x, 1), True, "an f(x) of shape (0,)")
    same(verdict(callback(np.sin), none, np.zeros(0), 1), True, "an x of shape (0,)")
    some = callback(lambda x, u: 0 * x + 0.1)
    same(verdict(still, some, x, 1), False, "0.1 everywhere for a constant")
    ### END HIDDEN TESTS


# %% tests="directions" behaviour="random" points=2
@autograder.test
def _(rng):
    "Fresh normal directions from `rng`, as many as asked for, in few calls; the verdict is right."
    seen = []
    f = callback(lambda x: 3.0 * x)
    vjp = callback(lambda x, u: seen.append(u) or 3.0 * u)

    @beside
    def verdict(f, vjp, x, seed, directions):
        import numpy as np

        before = str(np.random.get_state())
        found = directions_agree(f, vjp, x, np.random.default_rng(seed), directions)
        return found, "kept" if str(np.random.get_state()) == before else "moved"

    got = verdict(f, vjp, np.ones(3), 7, 4)
    same(got, (True, "kept"), "3u for 3x in 4 directions, and the global random state")
    require(vjp.calls == 4, f"4 directions are 4 calls of vjp; there were {vjp.calls}")
    require(f.calls in (8, 9), f"4 directions are 8 or 9 calls of f; there were {f.calls}")
    distinct = len({np.asarray(u).tobytes() for u in seen})
    require(distinct == 4, f"4 directions should be 4 different u; there were {distinct}")
    ### BEGIN HIDDEN TESTS
    for directions in (1, 2, 30):
        seen.clear()
        points = []
        f = callback(lambda x, points=points: points.append(x) or 3.0 * x)
        vjp = callback(lambda x, u: seen.append(u) or 3.0 * u)
        x, seed = rng.normal(size=40), int(rng.integers(1000))
        same(verdict(f, vjp, x, seed, directions), (True, "kept"), f"{directions} directions")
        require(vjp.calls == directions, f"{directions} directions, but {vjp.calls} calls of vjp")
        most = 2 * directions + 1
        require(f.calls in (most - 1, most), f"{directions} directions, but {f.calls} calls of f")
        moves = [p - x for p in points if np.linalg.norm(p - x) > 0]
        ways = [m / np.linalg.norm(m) for m in moves]
        overlap = max((abs(float(p @ q)) for i, p in enumerate(ways) for q in ways[:i]
                       if abs(float(p @ q)) < 0.99), default=0.0)  # fmt: skip
        pairs = sum(abs(float(p @ q)) >= 0.99 for i, p in enumerate(ways) for q in ways[:i])
        require(pairs == directions and overlap < 0.9, "each direction should have a fresh v")
        draws = np.concatenate([np.ravel(u) for u in seen])
        require(
            len({u.tobytes() for u in seen}) == directions, "each direction should have a fresh u"
        )
        if directions == 30:
            at_most(abs(draws.mean()), 0.15, "the mean of 1200 numbers in u")
            at_most(abs(draws.std() - 1), 0.12, "how far their spread is from 1")
            at_least(float(np.mean(np.abs(draws) > 2)), 0.02, "the share of them beyond 2")
        first = [u.tobytes() for u in seen]
        seen.clear()
        verdict(f, vjp, x, seed, directions)
        require([u.tobytes() for u in seen] == first, "the same seed should give the same u")
        seen.clear()
        verdict(f, vjp, x, seed + 1, directions)
        require([u.tobytes() for u in seen] != first, "another seed should give another u")
    ### END HIDDEN TESTS


# %% [markdown]
# On the lecture's own net, all 100,000 weights of its first layer, at the price of eleven forward
# passes:

# %%
rng = np.random.default_rng(0)
data, big1, big2 = (rng.standard_normal(s) for s in ((64, 1000), (1000, 100), (100, 10)))
calls = []


def predict(w1):
    calls.append("f")
    return np.maximum(data @ w1, 0) @ big2


for rule in (backward_b, backward_a):
    calls.clear()

    def vjp(w1, u, rule=rule):
        return rule(data, data @ w1, np.maximum(data @ w1, 0), big2, u)[0]

    verdict = directions_agree(predict, vjp, big1, np.random.default_rng(1))
    print(
        f"{rule.__name__}: {verdict}, after {len(calls)} forward passes instead of {2 * big1.size}"
    )

# %% [markdown]
# What it does not tell is *where* the mistake is. One number cannot. That is the last tool's work.

# %% [markdown]
# ## Which line is it?
#
# Here is a backward pass with names for all that happens on the way: the two-layer net with biases,
# and lesson 01's softmax cross-entropy as the loss. It has three bugs. And `loss_with`
# is the forward pass, made so that each value on the way can be set from outside: what would the
# loss be if *this* value were another, and all after it followed? With that, differences give a
# reference for every line of the way back, not only for the weights.


# %% given="loss_with"
def loss_with(v, **moved):
    """Return the loss; values in `moved` replace those that would be computed."""
    v = v | moved
    h = moved.get("h", v["x"] @ v["w1"] + v["b1"])
    h_relu = moved.get("h_relu", np.maximum(h, 0))
    logits = moved.get("logits", h_relu @ v["w2"] + v["b2"])
    logits = logits - logits.max(axis=1, keepdims=True)
    log_p = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return -log_p[np.arange(len(log_p)), v["labels"]].mean()


# %% given="broken"
def broken(x, labels, w1, b1, w2, b2):
    """Return the gradient of the loss for every value on the way. There are three bugs in it."""
    h = x @ w1 + b1
    h_relu = np.maximum(h, 0)
    logits = h_relu @ w2 + b2
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = p / p.sum(axis=1, keepdims=True)
    grad = {"logits": (p - np.eye(p.shape[1])[labels]) / p.shape[1]}
    grad["w2"] = h_relu.T @ grad["logits"]
    grad["b2"] = grad["logits"].sum(axis=0)
    grad["h_relu"] = grad["logits"] @ w2.T
    grad["h"] = grad["h_relu"] * (h_relu >= 0)
    grad["w1"] = x.T @ grad["h"]
    grad["b1"] = grad["h"].sum(axis=0, keepdims=True)
    return grad


# %% [markdown] prompt="compare"
# ### Exercise 7: a report
#
# Write `compare(name, mine, reference, tolerance=1e-6)`. It returns a dictionary of four:
#
# * `"name"`: the name it was given;
# * `"verdict"`: `"shape"` if the shapes differ; else `"equal"` if all entries are equal (two empty
#   arrays are); else `"close"` if the error is at most `tolerance`, else `"differs"`;
# * `"error"`: the largest abs(mine − reference), divided by the largest abs(reference), as a float;
#   0.0 if equal; infinity if shapes differ, if `mine` holds a NaN or an infinity, or if `reference`
#   is 0 everywhere and `mine` is not;
# * `"place"`: where the largest abs(mine − reference) is, as a tuple of ints, the first of several;
#   a NaN or infinity in `mine` counts as largest. () for shape (), `None` if equal or if shapes
#   differ.
#
# `reference` is finite; both are arrays of float64, of any shape. Both are unchanged after the
# call.

# %% [markdown] hint="compare"
# Deal with the accidents first, one `if` each, and the formula is left for what remains. The gap is
# NaN where `mine` is; make it infinite, then the largest gap is where it should be. (For shape ()
# the gap is a number, which has no places to write to. `np.where` does not mind.)

# %% [markdown] hint="compare"
# | mine | reference | verdict | error | place |
# |---|---|---|---|---|
# | [1 2] | [[1 2]] | shape | inf | None |
# | [1 2] | [1 2] | equal | 0 | None |
# | [1 2.5] | [1 2] | differs | 0.5/2 | (1,) |
# | [nan 2.5] | [1 2] | differs | inf | (0,) |
# | [0 1e-9] | [0 0] | differs | inf | (1,) |

# %% [markdown] hint="compare"
# ```python
# if ...:                           # the shapes
#     return {"name": name, "verdict": "shape", "error": ..., "place": ...}
# if np.array_equal(..., ...):
#     return ...
# gap = ...                         # abs(mine − reference), inf where it is no number
# k = np.argmax(gap)                # counts through the flat array
# place = tuple(int(n) for n in np.unravel_index(k, gap.shape))
# error = ...                       # mind a reference of zeros
# ```


# %% exercise="compare" minutes=15 difficulty=3 importance=3 allow="numpy"
def compare(name, mine, reference, tolerance=1e-6):
    """Return name, verdict, error and place of a comparison, as a dictionary."""
    ### BEGIN SOLUTION
    if mine.shape != reference.shape:
        return {"name": name, "verdict": "shape", "error": np.inf, "place": None}
    if np.array_equal(mine, reference):
        return {"name": name, "verdict": "equal", "error": 0.0, "place": None}
    gap = np.abs(mine - reference)
    gap = np.where(np.isfinite(gap), gap, np.inf)
    place = tuple(int(k) for k in np.unravel_index(np.argmax(gap), gap.shape))
    largest = np.abs(reference).max()
    error = float(gap[place] / largest) if largest > 0 else np.inf
    verdict = "close" if error <= tolerance else "differs"
    return {"name": name, "verdict": verdict, "error": error, "place": place}
    ### END SOLUTION


# %% tests="compare" behaviour="verdicts" points=2
@autograder.test
def _(rng):
    "`compare` tells equal from close from different, with the error and the place of the largest."
    reference = np.array([[1.0, -4.0], [0.0, 2.0]])

    def report(change, **options):
        found = call(compare, "w1", reference + np.array(change), reference, **options)
        require(isinstance(found, dict), "compare should return a dictionary")
        return [found.get(key) for key in ("name", "verdict", "error", "place")]

    same(report([[0, 0], [0, 0]]), ["w1", "equal", 0.0, None], "name, verdict, error, place")
    got = report([[0, 0], [4e-6, 0]])
    same(got, ["w1", "close", 1e-6, (1, 0)], "… with 4e-6 added to the 0", rtol=1e-5)
    got = report([[0.5, -1.0], [0, 0]])
    same(got, ["w1", "differs", 0.25, (0, 1)], "… with −1 added to −4, 0.5 to 1")
    ### BEGIN HIDDEN TESTS
    for shape in ((1,), (7,), (3, 4), (2, 3, 2), (40, 5)):
        for scale in (1e-200, 1e-12, 1.0, 1e6):
            reference = scale * np.asarray(rng.normal(size=shape))
            largest = np.abs(reference).max()
            same(
                pure(compare, "a", reference, reference.copy(), 0.5),
                {"name": "a", "verdict": "equal", "error": 0.0, "place": None},
                f"equal arrays of shape {shape}",
            )
            trials = (1e-9, 1e-6), (1e-5, 1e-6), (1e-5, 1e-4), (0.5, 1e-6), (3.0, 5.0)
            for relative, tolerance in trials:
                away = relative * largest * rng.uniform(-0.9, 0.9, size=shape)
                place = tuple(int(rng.integers(n)) for n in shape)
                away = np.array(away)
                away[place] = -relative * largest
                options = {} if tolerance == 1e-6 else {"tolerance": tolerance}
                expected = {
                    "name": f"w{relative}",
                    "verdict": "close" if relative <= tolerance else "differs",
                    "error": relative,
                    "place": place,
                }
                got = pure(compare, f"w{relative}", reference + away, reference, **options)
                same(got, expected, f"shape {shape}, off by {relative}", rtol=1e-5)
    mine, reference = np.array([[1.0, 5.0], [3.0, 0.0]]), np.array([[1.0, 3.0], [1.0, 2.0]])
    first = {"name": "tie", "verdict": "differs", "error": 2 / 3, "place": (0, 1)}
    same(call(compare, "tie", mine, reference), first, "three places equally far off")

    @beside
    def twice(a, b):
        first = compare("tie", a, b)
        return compare("again", b, b), first

    equal = {"name": "again", "verdict": "equal", "error": 0.0, "place": None}
    same(twice(mine, reference), (equal, first), "a second report, then the first one again")
    ### END HIDDEN TESTS


# %% tests="compare" behaviour="accidents" points=2
@autograder.test
def _(rng):
    "Shapes that differ, NaN and infinities in `mine`, references of zeros, arrays without entries."
    inf, nan = math.inf, math.nan
    reference = np.array([1.0, -4.0, 2.0])

    def report(mine, reference):
        found = pure(compare, "b", np.array(mine), reference)
        require(isinstance(found, dict), "compare should return a dictionary")
        return [found.get(key) for key in ("name", "verdict", "error", "place")]

    same(report([[1.0, -4.0, 2.0]], reference), ["b", "shape", inf, None], "(1, 3) against (3,)")
    same(report([1.0, -4.0, nan], reference), ["b", "differs", inf, (2,)], "NaN at the end")
    got = report([0.0, 1e-9, 0.0], 0 * reference)
    same(got, ["b", "differs", inf, (1,)], "a reference of zeros")
    ### BEGIN HIDDEN TESTS
    for shape in ((), (1,), (4,), (2, 3), (3, 3)):
        a = np.asarray(rng.normal(size=shape))
        same(report(a[None], a), ["b", "shape", inf, None], "one axis more in mine")
        same(report(a, a[..., None]), ["b", "shape", inf, None], "one axis more in the reference")
        for bad in (nan, inf, -inf):
            mine = np.asarray(a + 10.0)
            place = tuple(int(rng.integers(n)) for n in shape)
            mine[place] = bad
            same(report(mine, a), ["b", "differs", inf, place], f"{bad} at {place}")
        mine = np.zeros(shape)
        same(report(mine, 0 * a), ["b", "equal", 0.0, None], "zeros against zeros")
        mine[(-1,) * mine.ndim] = 1e-300
        last = tuple(n - 1 for n in shape)
        same(report(mine, 0 * a), ["b", "differs", inf, last], "1e-300 against zeros")
    for shape in ((0,), (3, 0)):
        same(report(np.zeros(shape), np.zeros(shape)), ["b", "equal", 0.0, None], f"shape {shape}")
    same(report(np.zeros((0, 3)), np.zeros((3, 0))), ["b", "shape", inf, None], "(0, 3) and (3, 0)")
    same(report(np.ones((2, 3)), np.ones((3, 2))), ["b", "shape", inf, None], "(2, 3) and (3, 2)")
    same(report([1.0, nan, inf], reference), ["b", "differs", inf, (1,)], "NaN, then inf")
    same(report([9.0, inf, nan], reference), ["b", "differs", inf, (1,)], "inf, then NaN")
    found = call(compare, "c", np.array([nan, 1.0]), np.ones(2), tolerance=inf)
    require(isinstance(found, dict), "compare should return a dictionary")
    same(found.get("place"), (0,), "the place of a NaN")
    ### END HIDDEN TESTS


# %% [markdown]
# Now the broken pass against differences, line by line:

# %%
rng = np.random.default_rng(3)
sizes = {"x": (5, 3), "w1": (3, 4), "b1": (4,), "w2": (4, 2), "b2": (2,)}
values = {name: rng.standard_normal(size) for name, size in sizes.items()}
values["labels"] = np.array([0, 1, 1, 0, 1])
values["h"] = values["x"] @ values["w1"] + values["b1"]
values["h_relu"] = np.maximum(values["h"], 0)
values["logits"] = values["h_relu"] @ values["w2"] + values["b2"]
given = ("x", "labels", "w1", "b1", "w2", "b2")


def report(backward):
    print(f"{backward.__name__}\n  gradient of  verdict   error     at")
    for name, gradient in backward(*(values[name] for name in given)).items():
        reference = central_difference(lambda a, n=name: loss_with(values, **{n: a}), values[name])
        row = compare(name, gradient, reference)
        print(f"  {row['name']:11}  {row['verdict']:8}  {row['error']:.1e}  {row['place']}")


report(broken)

# %% [markdown]
# Everything differs, and there are only three bugs. That is no reason to despair: what comes
# after a wrong value is wrong because of it. The first line says where to begin. Nothing stands
# before it, so it is guilty.

# %% [markdown] prompt="mended"
# ### Exercise 8: find three bugs
#
# Write `mended(x, labels, w1, b1, w2, b2)`, which does what `broken` was meant to do: it returns
# the dictionary of the same seven gradients, each in the shape of what it belongs to, for any
# sizes (one class, one example and one unit included), without changing what it is given.
# `labels` are integers. At h = 0 exactly, the slope of the ReLU is a matter of taste, and the
# checks stay away from it.
#
# How to find them: run the comparison, find the *first* value on the way back that departs, mend
# that line, run again. What comes after a wrong value is wrong because of it, and may have bugs
# of its own besides.

# %% [markdown] hint="mended"
# Copy the body of `broken`, mend the line of the first bug, and run `report(mended)`. The order on
# the way back is logits, w2, b2, h_relu, h, w1, b1. A ratio of two entries says much: what is the
# factor between yours and the reference, and which size of the net is that number? A verdict of
# "shape" speaks for itself.

# %% [markdown] hint="mended"
# ```
#  logits ──┬──► w2            A bug in a box makes all to its right wrong.
#           ├──► b2            A box is guilty if what enters it is right
#           └──► h_relu ──► h ──┬──► w1      and what leaves it is not.
#                               └──► b1
# ```
# (5 examples, 3 inputs, 4 units, 2 classes.)

# %% [markdown] hint="mended"
# One bug divides by a size, and it is the wrong size. One is in a comparison: which entries of
# `h_relu` are smaller than 0? One keeps an axis that `b1` does not have.


# %% exercise="mended" minutes=20 difficulty=2 importance=3 allow="numpy"
def mended(x, labels, w1, b1, w2, b2):
    """Return the gradient of the loss for every value on the way: `broken`, without its bugs."""
    ### BEGIN SOLUTION
    h = x @ w1 + b1
    h_relu = np.maximum(h, 0)
    logits = h_relu @ w2 + b2
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = p / p.sum(axis=1, keepdims=True)
    grad = {"logits": (p - np.eye(p.shape[1])[labels]) / len(x)}
    grad["w2"] = h_relu.T @ grad["logits"]
    grad["b2"] = grad["logits"].sum(axis=0)
    grad["h_relu"] = grad["logits"] @ w2.T
    grad["h"] = grad["h_relu"] * (h > 0)
    grad["w1"] = x.T @ grad["h"]
    grad["b1"] = grad["h"].sum(axis=0)
    return grad
    ### END SOLUTION


# %% tests="mended" behaviour="gradients" points=3
@autograder.test
def _(rng):
    "`mended` returns seven right gradients in the right shapes, and changes nothing it is given."

    @beside
    def run(x, labels, w1, b1, w2, b2):
        case = x, labels, w1, b1, w2, b2
        found = mended(*case)
        mended(2 * x, labels, w1, b1, w2, b2)  # which should leave the first result alone
        return found, case

    x, labels = np.array([[2.0], [-1.0]]), np.array([1, 0])
    case = x, labels, np.array([[1.0, 0.0]]), np.array([0.0, -1.0]), np.zeros((2, 2)), np.zeros(2)
    found, after = run(*case)
    require(isinstance(found, dict), "mended should return a dictionary of seven gradients")
    what = "logits, b2, and w2 of a net of two examples, units and classes"
    logits = np.array([[0.25, -0.25], [-0.25, 0.25]])
    expected = [logits, np.zeros(2), np.array([[0.5, -0.5], [0.0, 0.0]])]
    same([found.get(name) for name in ("logits", "b2", "w2")], expected, what)
    same(after, case, "what mended was given, afterwards")
    ### BEGIN HIDDEN TESTS

    def oracle(x, labels, w1, b1, w2, b2):
        h = np.einsum("nd,dh->nh", x, w1) + b1
        on = (h > 0).astype(float)
        logits = np.einsum("nh,hc->nc", h * on, w2) + b2
        e = np.exp(logits - logits.max(axis=1, keepdims=True))
        first = e / e.sum(axis=1, keepdims=True)
        first[np.arange(len(x)), labels] -= 1
        first = first / len(x)
        back = np.einsum("nc,hc->nh", first, w2)
        return {
            "logits": first, "w2": np.einsum("nh,nc->hc", h * on, first), "b2": first.sum(axis=0),
            "h_relu": back, "h": back * on, "w1": np.einsum("nd,nh->dh", x, back * on),
            "b1": (back * on).sum(axis=0),
        }  # fmt: skip

    sizes = (1, 1, 1, 1), (1, 3, 2, 4), (5, 3, 4, 2), (4, 4, 4, 4), (3, 2, 1, 1), (40, 3, 6, 5)
    for n, d, h, c in sizes:
        for scale in (0.1, 1.0, 10.0):
            x, labels = scale * rng.normal(size=(n, d)), rng.integers(c, size=n)
            case = x, labels, *(scale * rng.normal(size=s) for s in ((d, h), (h,), (h, c), (c,)))
            found, after = run(*case)
            what = f"the seven gradients for N = {n}, D = {d}, H = {h}, C = {c}"
            same(found, oracle(*case), what, rtol=1e-8, atol=1e-11)
            same(after, case, "what mended was given, afterwards", rtol=0, atol=0)
    ### END HIDDEN TESTS


# %%
report(mended)

# %% [markdown]
# All seven are close, and none is equal: the reference is a difference, and has eleven digits.
# "Everything is wrong" was a good sign. It is usually one thing at a time.

# %% [markdown] prompt="never_fails"
# ### Question: a test that never fails
#
# A colleague tests the backward rule of a new layer so: `x` is a matrix of ones, the upstream
# gradient is ones, everything in float32; the test passes if the mean of the numeric gradient and
# the mean of the layer's differ by less than 1e-3. It has never failed. Name three different wrong
# gradients that pass it, each with the part of the test that lets it through. Then change the
# test, in one sentence for each, so that it catches them.

# %% [markdown] written="never_fails" points=2
# ### BEGIN SOLUTION
# Upstream of ones: a rule that ignores its upstream gradient, or a softmax rule that returns zeros,
# is right for the sum of the outputs. Draw a random upstream gradient. Inputs of ones: all entries
# have the same gradient, so a transposed, permuted or rolled one passes; so does one that is right
# at 1 only, x² for x. Draw random inputs, of a shape that is not square. The mean: a gradient whose
# errors cancel (one entry too large, another too small), or one wrong entry among thousands.
# Compare entry by entry. The threshold of 1e-3: any gradient smaller than that passes, zeros and
# the wrong sign included. Compare in relation to the size of gradient and function. float32: the
# round-off of differences is about 1e-3 or more, so that any sharper threshold would reject right
# gradients. Check in float64. NaN does not pass `< 1e-3`, but it passes `not (d > 1e-3)`.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# * 1 point: three wrong gradients, really different, each tied to a part of the test that lets it
#   pass (upstream of ones; inputs of ones or square; mean over entries; absolute threshold;
#   float32). Half for two.
# * 1 point: a remedy for each that would catch it: random upstream, random non-square inputs, entry
#   by entry, tolerance relative to the size of f or of the gradient, float64.
# ### END MARK SCHEME

# %% [markdown]
# ## What it bought, what it cost
#
# | | evaluations, n entries | exact to | works for | says where |
# |---|---|---|---|---|
# | forward differences | n + 1 | 8 digits | any f | yes |
# | central differences | 2n | 11 digits | any f | yes |
# | complex step | n | 16 digits | analytic f that takes complex numbers | yes |
# | random direction | 2 and a VJP | 10 digits | any f | no |
#
# What none of them can do: tell that f itself is what you meant. A loss that averages over the
# wrong axis has a gradient, and the check finds that it is right. They also see one point only:
# choose it at random, away from symmetry, and in float64. And where a gradient is *meant* to be
# something else than the derivative (a clipped one, say; lesson 05 has three), they must disagree.

# %% [markdown]
# ## What history did with it
#
# * **The complex step** is from [Lyness and Moler (1967)](https://doi.org/10.1137/0704019). It came
#   into use after [Squire and Trapp (1998)](https://doi.org/10.1137/S003614459631241X), two and a
#   half pages. [Martins, Sturdza and Alonso (2003)](https://doi.org/10.1145/838250.838251) took it
#   to codes for the flow around wings, thousands of lines of Fortran in which a type was changed.
# * **The check in a random direction** is the *dot-product test* of geophysics: Claerbout (*Earth
#   Soundings Analysis*, 1992) tests with it that a program is the adjoint of another.
# * **Caffe** (2013) tested its layers by a `GradientChecker` whose arguments are a step, a
#   threshold, a seed, and *kink* and *kink_range*: where the input comes too near to a kink, it
#   does not look.
# * **PyTorch**'s `torch.autograd.gradcheck` compares each column of the Jacobian; its *fast mode*
#   takes random directions instead, as you did in exercise 6.
# * The advice by which a generation learned it: [CS231n, gradient
#   checks](https://cs231n.github.io/neural-networks-3/#gradcheck), which is where the thermometer
#   above comes from.

# %% [markdown]
# ## Now in PyTorch and TensorFlow
#
# Not graded. Both ship a checker. First PyTorch, on the net of exercise 8: its own gradients
# against your `mended` ones, then `gradcheck`, on a right rule and on a planted bug.

# %%
HOW = "is not installed here. `make lab`, without LIGHT=1, adds it; all the rest works without."
try:
    import torch
except ImportError:
    torch = None
    print("PyTorch", HOW)

names = ("w1", "b1", "w2", "b2")

# %%
if torch:
    leaves = {n: torch.tensor(values[n], requires_grad=True) for n in names}
    x_t, labels_t = torch.tensor(values["x"]), torch.tensor(values["labels"])

    def torch_loss(w1, b1, w2, b2):
        logits = (x_t @ w1 + b1).clamp(min=0) @ w2 + b2
        return torch.nn.functional.cross_entropy(logits, labels_t)

    torch_loss(**leaves).backward()
    hands = mended(*(values[name] for name in given))
    for n in names:
        print(compare(n, leaves[n].grad.numpy(), hands[n], tolerance=1e-14))
    print("gradcheck of the net:", torch.autograd.gradcheck(torch_loss, tuple(leaves.values())))

# %%
if torch:

    class OnePercentOff(torch.autograd.Function):
        """exp, with a backward that is off by 1%."""

        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return torch.exp(x)

        @staticmethod
        def backward(ctx, upstream):
            (x,) = ctx.saved_tensors
            return 1.01 * torch.exp(x) * upstream


# %%
if torch:
    from torch.autograd.gradcheck import GradcheckError

    point = torch.tensor([0.5, -3.0], dtype=torch.float64, requires_grad=True)
    try:
        torch.autograd.gradcheck(OnePercentOff.apply, (point,))
    except GradcheckError as error:
        print(*str(error).splitlines()[:4], sep="\n")

    def tiny(x):
        return 1e-4 * OnePercentOff.apply(x)  # the same mistake, in smaller units

    print("in smaller units:", torch.autograd.gradcheck(tiny, (point,)))

# %% [markdown]
# Look at the last line. The same wrong rule passes, once the function is multiplied by 1e-4. The
# defaults of `gradcheck` are an absolute tolerance of 1e-5 and a relative one of 1e-3, and a
# slope of 1e-4 times 1% is below the first. Your checker would have caught it: it measures in
# units of f. In PyTorch, pass `atol=0` or scale f to be about 1.
#
# TensorFlow's checker does not decide. It returns both Jacobians, and leaves the comparison to you:

# %%
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
try:
    import tensorflow as tf
except ImportError:
    tf = None
    print("TensorFlow", HOW)

if tf:

    def tf_loss(w1, b1, w2, b2):
        logits = tf.nn.relu(values["x"] @ w1 + b1) @ w2 + b2
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(values["labels"], logits)
        return tf.reduce_mean(losses)

    weights = [tf.constant(values[n]) for n in names]
    theirs, numeric = tf.test.compute_gradient(tf_loss, weights, delta=1e-5)
    hands = mended(*(values[name] for name in given))
    for n, gradient, estimate in zip(names, theirs, numeric, strict=True):
        mine = hands[n].reshape(1, -1)
        one, other = compare(n, gradient, mine, 1e-14), compare(n, estimate, mine)
        print(f"{n}: TensorFlow's gradient {one['verdict']} ({one['error']:.0e}),",
              f"its differences {other['verdict']} ({other['error']:.0e})")  # fmt: skip

# %% [markdown]
# Three ways to the same numbers: by hand, by two frameworks, and by nudging. From here on every
# rule that you write in this course is checked like this, and you know how. Lesson 03
# looks at what all these backward passes walk along: the graph.
