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
#     title: An autograd engine
#     minutes: 210
#     needs: [why_frameworks]
#     covers:
#       Tensor: A tensor that remembers
#       "Variable (history: data, grad, same API as Tensor)": "Variable, and what became of it"
#       requires_grad: record
#       loss.backward(): backward
#       gradients accumulate: backward
#       graph destroyed: backward
#       grad.zero_(): record
#       no_grad: record
# ---

# %% [markdown]
# # An autograd engine
#
# In lesson 01 you wrote the gradients of a two-layer net by hand. Then one layer came in between,
# and you were deriving again. Here is what a framework makes of those lines.
#
# ```diff
#  for step in range(500):
#      h = x @ w1
#      h_relu = relu(h)
#      y_pred = h_relu @ w2
#      loss = ((y_pred - y) ** 2).sum()
# -    grad_y_pred = 2.0 * (y_pred - y)
# -    grad_w2 = h_relu.T @ grad_y_pred
# -    grad_h_relu = grad_y_pred @ w2.T
# -    grad_h = grad_h_relu * (h > 0)
# -    grad_w1 = x.T @ grad_h
# +    loss.backward()
#
#      with no_grad():
# -        w1 -= learning_rate * grad_w1
# -        w2 -= learning_rate * grad_w2
# +        w1 -= learning_rate * w1.grad
# +        w2 -= learning_rate * w2.grad
# ```
#
# Five lines became one, and that one does not change when the net does. How can `loss`, a single
# number, know the weights it was computed from? In this lesson you write the answer: all of
# `backward()`, about 25 lines, and what it stands on.
#
# Two sittings. The first ends when `backward` runs (exercises 1 to 4, about two hours); the second
# makes an engine of it.

# %% given="setup"
import numpy as np

import autograder

# %% [markdown]
# ## A tensor that remembers
#
# Take the smallest example that is not trivial: `y = a * b + a`, with a = 3 and b = 4, so y = 15.
# If `a` grows by a little, y grows 5 times as much: 4 times through the product, once through the
# sum. The two ways add up to dy/da = b + 1 = 5.
#
# To find that without algebra, every result has to remember how it was made. Two things suffice:
#
# * its *parents*, the tensors that it was computed from;
# * a *rule*: given dL/d(result), the upstream gradient, it returns dL/d(parent) for each parent.
#
# ```
# a = 3 ──┬──► ×  ──► t = 12 ──► +  ──► y = 15
#         │   ▲                  ▲
# b = 4 ──┼───┘                  │
#         └──────────────────────┘
# ```
#
# That is the whole data structure. `requires_grad` says whether anybody wants a gradient here. A
# tensor that nothing recorded made is a *leaf*: weights and data are leaves.


# %% given="tensor"
class Tensor:
    """An array, its gradient, and how it was made."""

    def __init__(self, data, requires_grad=False, parents=(), rule=None):
        self.data = np.asarray(data, dtype=np.float64)
        self.requires_grad = requires_grad
        self.grad = None  # for leaves, after a backward pass: an array of data's shape
        self.parents = tuple(parents)
        self.rule = rule  # upstream gradient -> a tuple: one array (or None) for each parent
        self.version = [0]  # how often the memory was changed in place


def freed(upstream):
    """The rule of a node whose graph is gone."""
    raise RuntimeError(
        "this graph was freed by an earlier backward(); pass retain_graph=True there"
    )


# %%
a, b = Tensor(3.0, requires_grad=True), Tensor(4.0, requires_grad=True)
t = Tensor(a.data * b.data, True, (a, b), lambda g: (g * b.data, g * a.data))
y = Tensor(t.data + a.data, True, (t, a), lambda g: (g, g))

to_t, to_a = y.rule(np.array(1.0))  # dy/dt and dy/da, straight
via_t, to_b = t.rule(to_t)  # dy/da through t, and dy/db
print("y", y.data, "  dy/da", to_a + via_t, "  dy/db", to_b)

# %% [markdown]
# We called the rules by hand, in the right order, and added where two ways met. Automating exactly
# that is this lesson. First the rules.
#
# **How you are graded.** As in lesson 01: a check shows a case or two, and asks the same of fresh
# numbers when your notebook is graded ([how you are graded](../../docs/how_you_are_graded.md)). In
# the checks, `same(came, expected, what)` compares and `beside` runs a function next to your code.
#
# ## What broadcasting copied
#
# A bias of shape (3,) added to a batch of shape (64, 3) is used 64 times. 64 ways lead from it to
# the loss, so its gradient is a sum over the 64 rows. Wherever NumPy broadcasts on the way forward,
# the way back sums. It happens in every operation, so it gets a function of its own, once.

# %% [markdown] prompt="unbroadcast"
# ### Exercise 1: unbroadcast
#
# Write `unbroadcast(g, shape)`. `g` is a gradient whose shape is what `shape` was broadcast *to*;
# return the gradient of that `shape`:
#
# * axes that broadcasting put in front are summed away;
# * axes of length 1 that were stretched are summed, and stay, with length 1;
# * axes that are equal stay as they are. So with equal shapes the values come back unchanged.
#
# NumPy aligns shapes from the right. `shape` is a tuple, `()` included, and axes may have length 0.
# `g` is unchanged after the call, and so are the sums that earlier calls returned.

# %% [markdown] hint="unbroadcast"
# Do it in two steps: first the axes that `shape` does not have at all, then those where `shape`
# says 1 and `g` does not. `sum` takes a tuple of axes.

# %% [markdown] hint="unbroadcast"
# ```
# g       (5, 4, 3)
# shape      (1, 3)      aligned from the right
#          ▲  ▲  ▲
#          │  │  └ equal: stays
#          │  └─── 1 was stretched to 4: summed, keepdims
#          └────── in front: summed away
# ```

# %% [markdown] hint="unbroadcast"
# ```python
# in_front = g.ndim - len(shape)
# g = g.sum(axis=tuple(range(...)))
# stretched = tuple(i for i, n in enumerate(shape) if ...)
# return g.sum(axis=stretched, keepdims=...)
# ```


# %% exercise="unbroadcast" minutes=10 difficulty=2 importance=4 allow="numpy"
def unbroadcast(g, shape):
    """Return the gradient g summed to the shape that was broadcast."""
    ### BEGIN SOLUTION
    in_front = g.ndim - len(shape)
    g = g.sum(axis=tuple(range(in_front)))
    stretched = tuple(i for i, n in enumerate(shape) if n == 1 and g.shape[i] != 1)
    return g.sum(axis=stretched, keepdims=True)
    ### END SOLUTION


# %% tests="unbroadcast" behaviour="in_front" points=2
@autograder.test
def _(rng):
    "Axes that broadcasting put in front are summed away."
    g = np.array([[1.0, 2.0, 3.0], [10.0, 20.0, 30.0]])
    same(call(unbroadcast, g, (3,)), np.array([11.0, 22.0, 33.0]), "a bias of shape (3,)")
    same(call(unbroadcast, g, ()), np.array(66.0), "one number")
    ### BEGIN HIDDEN TESTS
    for shape in ((4,), (1,), (3, 3), (2, 5), ()):
        for lead in ((3,), (2, 4), (1,), (5, 1, 2)):
            g = rng.normal(size=lead + shape) * rng.choice([1e-6, 1.0, 1e4])
            expected = np.einsum(g, [0, ...], [...])
            for _ in lead[1:]:
                expected = np.einsum(expected, [0, ...], [...])
            same(call(unbroadcast, g, shape), expected, f"{g.shape} to {shape}", atol=1e-18)
    ### END HIDDEN TESTS


# %% tests="unbroadcast" behaviour="stretched" points=2
@autograder.test
def _(rng):
    "Axes of length 1 that were stretched are summed and keep length 1; equal axes stay."
    g = np.array([[1.0, 2.0, 3.0], [10.0, 20.0, 30.0]])
    same(call(unbroadcast, g, (2, 1)), np.array([[6.0], [60.0]]), "a column")
    same(call(unbroadcast, g, (1, 3)), np.array([[11.0, 22.0, 33.0]]), "a row of shape (1, 3)")
    same(call(unbroadcast, g, (2, 3)), g, "nothing to sum")
    ### BEGIN HIDDEN TESTS
    cases = ((4, 4), (1, 4)), ((4, 4), (4, 1)), ((3, 3, 3), (3, 1, 3)), ((2, 5, 4), (1, 5, 1))
    for big, shape in (*cases, ((1, 4), (1, 4)), ((1, 1), (1, 1)), ((6,), (1,))):
        g = rng.normal(size=big)
        expected = np.zeros(shape)
        for place in np.ndindex(*big):
            expected[tuple(min(i, n - 1) for i, n in zip(place, shape, strict=True))] += g[place]
        same(call(unbroadcast, g, shape), expected, f"{big} to {shape}")
    ### END HIDDEN TESTS


# %% tests="unbroadcast" behaviour="together" points=2
@autograder.test
def _(rng):
    "Both at once, with axes of length 0 too; `g` and earlier results stay as they were."

    @beside
    def after(g, shape):
        first = unbroadcast(g, tuple(shape))
        return first, g, unbroadcast(g + 1, tuple(shape)), first

    g = np.arange(12.0).reshape(2, 3, 2)
    sums = np.array([[14.0], [22.0], [30.0]])
    what = "(2, 3, 2) to (3, 1): the result, g, the result for g + 1, the first result once more"
    same(after(g, (3, 1)), (sums, g, sums + 4, sums), what)
    ### BEGIN HIDDEN TESTS

    def slowly(g, shape):
        lead, out = g.ndim - len(shape), np.zeros(shape)
        for place in np.ndindex(*g.shape):
            tail = zip(place[lead:], shape, strict=True)
            out[tuple(min(i, n - 1) for i, n in tail)] += g[place]
        return out

    shapes = ((5, 4, 3), (1, 3)), ((2, 3, 3), (3, 1)), ((4, 2, 2, 2), (1, 2, 1)), ((3, 4), (3, 4))
    empty = ((0, 3), (3,)), ((0, 3), (1, 3)), ((2, 0), (2, 1)), ((0, 2), (0, 2))
    for big, shape in (*shapes, *empty):
        g = rng.normal(size=big) * rng.choice([1.0, 1e4])
        first, second = slowly(g, shape), slowly(g + 1, shape)
        what = f"{big} to {shape}: the result, g, the result for g + 1, the first once more"
        same(after(g, shape), (first, g, second, first), what)

    @beside
    def again(g, shape):
        first = unbroadcast(g, tuple(shape)) + 0
        g *= 3
        return first, unbroadcast(g, tuple(shape))

    g = rng.normal(size=(4, 3))
    expected = (slowly(g, (1, 3)), slowly(3 * g, (1, 3)))
    same(again(g, (1, 3)), expected, "a call, and another after g itself was multiplied by 3")
    ### END HIDDEN TESTS


# %% [markdown]
# ## Rules, one line each
#
# A rule is a vector-Jacobian product, VJP for short: the upstream gradient times the local
# derivative, without ever writing the Jacobian down. For `c = a * b` it reads: dL/da = g · b and
# dL/db = g · a, where g = dL/dc. Broadcasting need not bother it: the engine calls `unbroadcast` on
# what comes out, in one place. So a rule returns what it would if all shapes were equal.

# %% [markdown] prompt="arithmetic"
# ### Exercise 2: rules of arithmetic
#
# Write five rules. `g` is the upstream gradient, with the shape of the operation's result; each
# rule returns a tuple.
#
# * `add_rule(g, a, b)`, `multiply_rule(g, a, b)`, `divide_rule(g, a, b)`: the gradients for `a` and
#   for `b`. Each has the shape of `g`, or one that broadcasts to it. `a` and `b` may have different
#   shapes that broadcast, `()` included.
# * `power_rule(g, a, n)` for `a ** n` with a Python number `n`, whole or not: the tuple `(dL/da,)`.
#   For n = 0 it is 0 everywhere, at a = 0 too, without a warning; the array has the shape of `a`.
# * `matmul_rule(g, a, b)` for `a @ b` of two matrices: the gradients, with the shapes of `a` and
#   `b`.
#
# Do not sum here what broadcasting copied. The arguments are unchanged after the call (a rule may
# return `g` itself), and so are the products and quotients that earlier calls returned.

# %% [markdown] hint="arithmetic"
# Differentiate as on paper, one argument at a time, the other held fixed. For the quotient:
# d(a/b)/db = −a/b². For the product of matrices you derived both in lesson 01; if not, use the
# shapes: only one product of `g` with the other matrix fits.

# %% [markdown] hint="arithmetic"
# | operation | dL/da | dL/db |
# |---|---|---|
# | a + b | g | g |
# | a * b | g · ? | g · ? |
# | a / b | g / ? | −g · ? / ?² |
# | a ** n | g · n · a^? | |
# | a @ b | (N, M) times (M, K) | (K, N) times (N, M) |

# %% [markdown] hint="arithmetic"
# ```python
# def power_rule(g, a, n):
#     if n == 0:
#         return (np.zeros(...),)
#     return (g * ... * a ** (...),)
#
#
# def matmul_rule(g, a, b):
#     return g @ ..., ... @ g
# ```


# %% exercise="arithmetic" minutes=15 difficulty=2 importance=3 allow="numpy"
def add_rule(g, a, b):
    """Return dL/da and dL/db for a + b."""
    ### BEGIN SOLUTION
    return g, g
    ### END SOLUTION


def multiply_rule(g, a, b):
    """Return dL/da and dL/db for a * b."""
    ### BEGIN SOLUTION
    return g * b, g * a
    ### END SOLUTION


def divide_rule(g, a, b):
    """Return dL/da and dL/db for a / b."""
    ### BEGIN SOLUTION
    return g / b, -g * a / (b * b)
    ### END SOLUTION


def power_rule(g, a, n):
    """Return (dL/da,) for a ** n."""
    ### BEGIN SOLUTION
    if n == 0:
        return (np.zeros_like(g),)
    return (g * n * a ** (n - 1),)
    ### END SOLUTION


def matmul_rule(g, a, b):
    """Return dL/da and dL/db for a @ b."""
    ### BEGIN SOLUTION
    return g @ b.T, a.T @ g
    ### END SOLUTION


# %% tests="arithmetic" behaviour="add_multiply" points=2
@autograder.test
def _(rng):
    "`add_rule` and `multiply_rule`, for shapes that broadcast too."

    def full(pair, g):
        require(isinstance(pair, tuple | list) and len(pair) == 2, "expected two gradients")
        return tuple(np.broadcast_to(p, g.shape).copy() for p in pair)

    g, a, b = np.array([1.0, 10.0]), np.array([2.0, 3.0]), np.array([5.0, 7.0])
    same(full(call(add_rule, g, a, b), g), (g, g), "add_rule")
    expected = (np.array([5.0, 70.0]), np.array([2.0, 30.0]))
    same(full(call(multiply_rule, g, a, b), g), expected, "multiply_rule")
    ### BEGIN HIDDEN TESTS
    for first, second in (((3, 3), (3, 3)), ((2, 3), (3,)), ((2, 1), (1, 4)), ((), (2,)), ((), ())):
        a, b = rng.normal(size=first), rng.normal(size=second) * rng.choice([1e-6, 1.0, 1e4])
        g = rng.normal(size=np.broadcast_shapes(first, second))
        wide = np.broadcast_arrays(a, b)
        same(full(call(add_rule, g, a, b), g), (g, g), f"add_rule, {first} and {second}")
        expected = tuple(np.einsum("...,...->...", g, w) for w in wide[::-1])
        found = full(call(multiply_rule, g, a, b), g)
        same(found, expected, f"multiply_rule, {first} and {second}")
    ### END HIDDEN TESTS


# %% tests="arithmetic" behaviour="divide" points=2
@autograder.test
def _(rng):
    "`divide_rule`: both gradients, for shapes that broadcast too."

    def full(pair, g):
        require(isinstance(pair, tuple | list) and len(pair) == 2, "expected two gradients")
        return tuple(np.broadcast_to(p, g.shape).copy() for p in pair)

    g, a, b = np.array([1.0, 8.0]), np.array([6.0, 3.0]), np.array([2.0, -4.0])
    expected = (np.array([0.5, -2.0]), np.array([-1.5, -1.5]))
    same(full(call(divide_rule, g, a, b), g), expected, "divide_rule")
    ### BEGIN HIDDEN TESTS
    for first, second in (
        ((3, 3), (3, 3)),
        ((2, 3), (3,)),
        ((2, 1), (1, 4)),
        ((), (2,)),
        ((4,), ()),
    ):
        a = rng.normal(size=first)
        b = rng.choice([-1.0, 1.0], size=second) * 10 ** rng.uniform(-6, 3, size=second)
        g = rng.normal(size=np.broadcast_shapes(first, second))
        wide_a, wide_b = np.broadcast_arrays(a, b)
        expected = (g * wide_b**-1.0, -(wide_b**-2.0) * wide_a * g)
        same(full(call(divide_rule, g, a, b), g), expected, f"divide_rule, {first} and {second}")
    ### END HIDDEN TESTS


# %% tests="arithmetic" behaviour="power" points=2
@autograder.test
def _(rng):
    "`power_rule` for whole and broken exponents, negative ones, and 0, where the gradient is 0."
    g, a = np.array([1.0, 10.0]), np.array([3.0, -2.0])
    same(call(power_rule, g, a, 2), (np.array([6.0, -40.0]),), "power_rule with n = 2")
    same(call(power_rule, g, np.array([0.0, 4.0]), 0), (np.array([0.0, 0.0]),), "n = 0")
    ### BEGIN HIDDEN TESTS
    for n in (1, 2, 3, 5, 8, -1, -2, -3):
        for shape in ((), (4,), (2, 3)):
            g = rng.normal(size=shape)
            a = rng.choice([-1.0, 1.0], size=shape) * rng.uniform(0.3, 2.0, size=shape)
            expected = vjp_by_complex_step(lambda t, n=n: t**n, (a,), g)
            same(call(power_rule, g, a, n), expected, f"power_rule with n = {n}", rtol=1e-9)
    for n in (0.5, 1.5, -0.5, 2.0, -2.5):
        g, a = rng.normal(size=5), rng.uniform(0.3, 2.0, size=5)
        expected = vjp_by_complex_step(lambda t, n=n: t**n, (a,), g)
        same(call(power_rule, g, a, n), expected, f"power_rule with n = {n}", rtol=1e-9)
    g, a = rng.normal(size=3), np.array([0.0, 1.5, -2.0])
    same(call(power_rule, g, a, 0), (np.zeros(3),), "power_rule with n = 0")
    same(call(power_rule, g, a, 0.0), (np.zeros(3),), "power_rule with n = 0.0")
    same(call(power_rule, g, a, 1), (g,), "power_rule with n = 1")

    @beside
    def warned(g, a, n):
        import warnings

        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            power_rule(g, a, n)
        return [str(w.message) for w in seen]

    came = warned(g, a, 0) + warned(g, a, 0.0)
    require(came == [], f"n = 0: expected no warning, came {came}")
    ### END HIDDEN TESTS


# %% tests="arithmetic" behaviour="matmul" points=2
@autograder.test
def _(rng):
    "`matmul_rule`: both gradients, square or not, with the shapes of `a` and `b`."
    a, b = np.array([[1.0, 2.0]]), np.array([[3.0, 4.0, 5.0], [6.0, 7.0, 8.0]])
    g = np.array([[1.0, 0.0, 10.0]])
    expected = (np.array([[53.0, 86.0]]), np.array([[1.0, 0.0, 10.0], [2.0, 0.0, 20.0]]))
    same(call(matmul_rule, g, a, b), expected, "matmul_rule")
    ### BEGIN HIDDEN TESTS
    for n, k, m in ((1, 1, 1), (3, 3, 3), (5, 5, 5), (2, 5, 4), (6, 1, 2), (1, 4, 1), (4, 2, 4)):
        a, b, g = rng.normal(size=(n, k)), rng.normal(size=(k, m)), rng.normal(size=(n, m))
        expected = (np.einsum("nm,km->nk", g, b), np.einsum("nk,nm->km", a, g))
        same(call(matmul_rule, g, a, b), expected, f"matmul_rule, {a.shape} @ {b.shape}")
    ### END HIDDEN TESTS


# %% tests="arithmetic" behaviour="inputs_kept" points=1
@autograder.test
def _(rng):
    "Right gradients of all five; `g`, `a`, `b` and earlier results as they were."

    @beside
    def after(name, g, a, b):
        rule = {"add": add_rule, "mul": multiply_rule, "div": divide_rule, "mat": matmul_rule}
        rule["power"] = lambda g, a, n: power_rule(g, a, n.item())
        first = rule[name](g, a, b)
        if not isinstance(first, tuple | list):
            return first
        now = [x + 0 for x in first]
        rule[name](g + 1, a, b)
        return now, g, a, b, list(first)

    def check(name, g, a, b, *expected):
        what = f"{name}: the gradients, g, a, b, the gradients after another call"
        same(after(name, g, a, b), (list(expected), g, a, b, list(expected)), what)

    g, a, b = np.array([[1.0, 2.0]]), np.array([[3.0, 5.0]]), np.array([[2.0, 4.0], [1.0, 1.0]])
    check("mat", g, a, b, g @ b.T, a.T @ g)
    check("power", g, a, np.array(3), 3 * g * a**2)
    ### BEGIN HIDDEN TESTS
    for n, k, m in ((2, 2, 2), (3, 1, 4), (5, 5, 5), (4, 7, 3)):
        g, a, b = (rng.uniform(0.5, 2.0, size=shape) for shape in ((n, m), (n, k), (k, m)))
        check("mat", g, a, b, g @ b.T, a.T @ g)
    for shape in ((3,), (2, 2), (4, 5), ()):
        g, a, b = (rng.uniform(0.5, 2.0, size=shape) for _ in range(3))
        check("add", g, a, b, g, g)
        check("mul", g, a, b, g * b, g * a)
        check("div", g, a, b, g / b, -g * a / b**2)
        check("power", g, a, np.array(-1.5), -1.5 * g * a**-2.5)
    ### END HIDDEN TESTS


# %% [markdown]
# ## Rules that move numbers around
#
# A reduction has one output for many inputs. On the way back the output's gradient goes to every
# input that took part: a sum sends it on as it is, a mean divides it by how many shared, a maximum
# sends it to the winner alone. Rearranging (reshape, transpose) is undone. Picking (`x[key]`) puts
# gradients back where the numbers came from, and zeros elsewhere. If an element was picked twice,
# it gets both.

# %% [markdown] prompt="rearranging"
# ### Exercise 3: rules of reductions and of rearranging
#
# Write six rules. `g` has the shape of the result; each returns one array with the shape of `x`.
#
# * `sum_rule(g, x, axis=None, keepdims=False)` and `mean_rule` with the same arguments, for `x.sum`
#   and `x.mean`. `axis` is None or one number, which may be negative.
# * `max_rule(g, x, axis=None, keepdims=False)`: the largest element gets the gradient; if several
#   tie (they are equal to the last digit), they share it equally.
# * `reshape_rule(g, x)` for any `x.reshape(...)`.
# * `transpose_rule(g, x, axes)` for `x.transpose(axes)`, where `axes` is a tuple that names every
#   axis, counted from 0.
# * `getitem_rule(g, x, key)` for `x[key]`, where `key` is anything that NumPy takes: numbers,
#   slices, lists and arrays of whole numbers (negative ones too, of one axis or more) or of
#   booleans, tuples of these. What was picked several times adds up.
#
# `g` and `x` may be views of other arrays (slices, transposes). The arguments are unchanged after
# the call, and so is what earlier calls returned.

# %% [markdown] hint="rearranging"
# Bring `g` to where it broadcasts against `x`: if the axis was dropped, put it back with
# `np.expand_dims(g, axis)`. One helper does that for the three reductions.

# %% [markdown] hint="rearranging"
# ```
# x (2, 3) ── sum(axis=1) ──► (2,)
# g (2,) ── expand_dims(g, 1) ──► (2, 1) ── stretch ──► (2, 3)
#
# key = [0, 0, 2]      x = [x0 x1 x2]       x[key] = [x0 x0 x2]
# g = [1 10 100]       gradient = [1+10  0  100]
# ```
# `out[key] += g` writes the second 10 over the first 1; `np.add.at(out, key, g)` adds both.

# %% [markdown] hint="rearranging"
# ```python
# def as_before(g, x, axis, keepdims):
#     if axis is None or keepdims:
#         return ...
#     return np.expand_dims(...)
#
#
# def max_rule(g, x, axis=None, keepdims=False):
#     winners = x == x.max(axis=axis, keepdims=True)
#     return as_before(...) * winners / winners.sum(...)
# ```
# `np.argsort(axes)` is the order that undoes `axes`.


# %% exercise="rearranging" minutes=25 difficulty=3 importance=3 allow="numpy"
def sum_rule(g, x, axis=None, keepdims=False):
    """Return dL/dx for x.sum(axis, keepdims=keepdims)."""
    ### BEGIN SOLUTION
    if axis is not None and not keepdims:
        g = np.expand_dims(g, axis)
    return np.zeros(x.shape) + g
    ### END SOLUTION


def mean_rule(g, x, axis=None, keepdims=False):
    """Return dL/dx for x.mean(axis, keepdims=keepdims)."""
    ### BEGIN SOLUTION
    count = x.size if axis is None else x.shape[axis]
    return sum_rule(g, x, axis, keepdims) / count
    ### END SOLUTION


def max_rule(g, x, axis=None, keepdims=False):
    """Return dL/dx for x.max(axis, keepdims=keepdims)."""
    ### BEGIN SOLUTION
    winners = x == x.max(axis=axis, keepdims=True)
    return sum_rule(g, x, axis, keepdims) * winners / winners.sum(axis=axis, keepdims=True)
    ### END SOLUTION


def reshape_rule(g, x):
    """Return dL/dx for x.reshape(...)."""
    ### BEGIN SOLUTION
    return g.reshape(x.shape)
    ### END SOLUTION


def transpose_rule(g, x, axes):
    """Return dL/dx for x.transpose(axes)."""
    ### BEGIN SOLUTION
    return g.transpose(np.argsort(axes))
    ### END SOLUTION


def getitem_rule(g, x, key):
    """Return dL/dx for x[key]."""
    ### BEGIN SOLUTION
    out = np.zeros(x.shape)
    np.add.at(out, key, g)
    return out
    ### END SOLUTION


# %% tests="rearranging" behaviour="sum_mean" points=2
@autograder.test
def _(rng):
    "`sum_rule` and `mean_rule`, for every axis, with and without keepdims."
    x = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    g = np.array([6.0, 60.0])
    expected = np.array([[6.0, 6.0, 6.0], [60.0, 60.0, 60.0]])
    same(call(sum_rule, g, x, axis=1), expected, "sum_rule along axis 1")
    same(call(mean_rule, g, x, axis=1), expected / 3, "mean_rule along axis 1")
    same(call(mean_rule, np.array(6.0), x), np.ones((2, 3)), "mean_rule over all")
    ### BEGIN HIDDEN TESTS
    for shape in ((3, 3), (4,), (2, 3, 4), (1, 5), (2, 2, 2)):
        x = rng.normal(size=shape)
        for axis in (None, *range(-len(shape), len(shape))):
            for keepdims in (False, True):
                g = rng.normal(size=x.sum(axis=axis, keepdims=keepdims).shape)
                wide = g if keepdims or axis is None else np.expand_dims(g, axis)
                wide = np.broadcast_to(wide, shape).copy()
                what = f"shape {shape}, axis {axis}, keepdims {keepdims}"
                same(call(sum_rule, g, x, axis, keepdims), wide, f"sum_rule, {what}")
                count = x.size / x.sum(axis=axis).size
                same(call(mean_rule, g, x, axis, keepdims), wide / count, f"mean_rule, {what}")
    ### END HIDDEN TESTS


# %% tests="rearranging" behaviour="max" points=2
@autograder.test
def _(rng):
    "`max_rule`: the winner takes the gradient, ties share it equally."
    x = np.array([[1.0, 3.0, 2.0], [5.0, 5.0, 4.0]])
    expected = np.array([[0.0, 6.0, 0.0], [30.0, 30.0, 0.0]])
    same(call(max_rule, np.array([6.0, 60.0]), x, axis=1), expected, "max_rule along axis 1")
    expected = np.array([[0.0, 0.0, 0.0], [4.0, 4.0, 0.0]])
    same(call(max_rule, np.array(8.0), x), expected, "max_rule over all")
    ### BEGIN HIDDEN TESTS
    for shape in ((3, 3), (5,), (2, 3, 4), (4, 1)):
        for axis in (None, *range(-len(shape), len(shape))):
            x = rng.integers(-3, 1, size=shape) * 1.5
            keepdims = bool(rng.integers(2))
            g = rng.normal(size=x.max(axis=axis, keepdims=keepdims).shape)
            wide = g if keepdims or axis is None else np.expand_dims(g, axis)
            best = np.equal(x, np.max(x, axis=axis, keepdims=True)).astype(float)
            expected = best * wide / np.add.reduce(best, axis=axis, keepdims=True)
            what = f"max_rule, shape {shape}, axis {axis}, keepdims {keepdims}"
            same(call(max_rule, g, x, axis, keepdims), expected, what)
    x = np.array([3.0, np.nextafter(3.0, 4.0), 2.0])
    what = "max_rule where the two largest elements differ in the last digit"
    same(call(max_rule, np.array(7.0), x), np.array([0.0, 7.0, 0.0]), what)
    ### END HIDDEN TESTS


# %% tests="rearranging" behaviour="reshape_transpose" points=2
@autograder.test
def _(rng):
    "`reshape_rule` and `transpose_rule`, also for three axes and more."
    x = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    g = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    same(call(reshape_rule, g, x), x, "reshape_rule")
    same(call(transpose_rule, g, x, (1, 0)), g.T.copy(), "transpose_rule")
    ### BEGIN HIDDEN TESTS
    for shape, order in (((2, 3, 4), (2, 0, 1)), ((2, 3, 4), (1, 2, 0)), ((3, 3, 3), (1, 2, 0))):
        x = rng.normal(size=shape)
        g = rng.normal(size=tuple(shape[i] for i in order))
        expected = np.zeros(shape)
        for place in np.ndindex(*shape):
            expected[place] = g[tuple(place[i] for i in order)]
        same(call(transpose_rule, g, x, order), expected, f"transpose_rule, axes {order}")
    g = rng.normal(size=(2, 1, 5, 3))
    x = rng.normal(size=(5, 2, 1, 3))
    expected = np.zeros(x.shape)
    for place in np.ndindex(*x.shape):
        expected[place] = g[place[1], place[2], place[0], place[3]]
    same(call(transpose_rule, g, x, (1, 2, 0, 3)), expected, "transpose_rule, four axes")
    for shape, other in (
        ((6,), (2, 3)),
        ((2, 3), (3, 2)),
        ((4, 1), (2, 2)),
        ((), (1, 1)),
        ((0, 2), (0,)),
        ((4, 6), (2, 3, 4)),
        ((3, 2, 4), (6, 2, 2)),
    ):
        g = rng.normal(size=other)
        expected = np.array(g.ravel().tolist()).reshape(shape)
        same(call(reshape_rule, g, rng.normal(size=shape)), expected, f"{other} back to {shape}")

    @beside
    def of_a_transpose(g, x):
        return reshape_rule(g.T, x)

    g, x = rng.normal(size=(3, 4)), rng.normal(size=(2, 6))
    expected = np.array(g.T.ravel().tolist()).reshape(2, 6)
    same(of_a_transpose(g, x), expected, "reshape_rule, g is the transpose of another array")
    ### END HIDDEN TESTS


# %% tests="rearranging" behaviour="getitem" points=3
@autograder.test
def _(rng):
    "`getitem_rule`: gradients go back where numbers came from, and add up where one came twice."
    x = np.array([1.0, 2.0, 3.0])
    g = np.array([1.0, 10.0, 100.0])
    same(call(getitem_rule, g, x, [0, 0, 2]), np.array([11.0, 0.0, 100.0]), "x[[0, 0, 2]]")
    same(call(getitem_rule, np.array(5.0), x, 1), np.array([0.0, 5.0, 0.0]), "x[1]")
    ### BEGIN HIDDEN TESTS

    @beside
    def sliced(g, x, start, stop, step):
        return getitem_rule(g, x, (slice(None), slice(start, stop, step)))

    for start, stop, step in ((None, 2, None), (1, None, 2), (None, None, -1), (0, 0, None)):
        x = rng.normal(size=(3, 4))
        part = x[:, start:stop:step]
        g = rng.normal(size=part.shape)
        expected = np.zeros(x.shape)
        expected[:, start:stop:step] = g
        what = f"x[:, {start}:{stop}:{step}]"
        same(sliced(g, x, start, stop, step), expected, what, dtype=False)
    for rows in ((1,), (3,), (8,), (3, 4)):
        x, key = rng.normal(size=(4, 2)), rng.integers(-4, 4, size=rows)
        g = rng.normal(size=(*rows, 2))
        expected = np.zeros(x.shape)
        for place, row in zip(key.ravel().tolist(), g.reshape(-1, 2), strict=True):
            expected[place] += row
        same(call(getitem_rule, g, x, key), expected, f"x[{key.tolist()}]")
        mask = rng.random(size=x.shape) > 0.5
        g = rng.normal(size=int(mask.sum()))
        expected = np.zeros(x.shape)
        expected[mask] = g
        same(call(getitem_rule, g, x, mask), expected, "x[mask]")

    @beside
    def backwards(g, x):
        return getitem_rule(g, x, slice(None, None, -1))

    g = rng.normal(size=5)
    same(backwards(g, g), g[::-1].copy(), "x[::-1]")
    same(
        call(getitem_rule, g, g[:3].copy(), [0, -3, 2, 0, -3]),
        np.array([g[0] + g[1] + g[3] + g[4], 0.0, g[2]]),
        "x[[0, -3, 2, 0, -3]], three elements",
    )
    x, i, j = rng.normal(size=(3, 3)), np.array([0, 2, 0, 0]), np.array([1, 1, 1, 2])
    g = rng.normal(size=4)
    expected = np.zeros((3, 3))
    for a, b, value in zip(i.tolist(), j.tolist(), g.tolist(), strict=True):
        expected[a, b] += value
    same(call(getitem_rule, g, x, (i, j)), expected, "x[i, j]")
    ### END HIDDEN TESTS


# %% tests="rearranging" behaviour="inputs_kept" points=1
@autograder.test
def _(rng):
    "Right gradients; `g`, `x` and earlier results as they were."

    @beside
    def after(g, row, x):
        def six(g, row):
            found = [f(row, x, 0) for f in (sum_rule, mean_rule, max_rule)]
            found += [reshape_rule(g, x), transpose_rule(g, x, (1, 0))]
            return [*found, getitem_rule(g, x, slice(None))]

        first = six(g, row)
        now = [f if f is None else f + 0 for f in first]
        six(g + 1, row + 1)
        return now, g, row, x, first

    def check(g, row, x):
        wide, best = np.zeros_like(x) + row, x == x.max(axis=0)
        six = [wide, wide / len(x), wide * best, g, g.T.copy(), g]
        what = "the gradients, g, g of a row, x, the gradients after other calls"
        same(after(g, row, x), (six, g, row, x, six), what)

    g, x = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[0.0, 3.0], [1.0, 2.0]])
    check(g, np.array([5.0, 7.0]), x)
    ### BEGIN HIDDEN TESTS
    for n in (2, 3, 5, 9):
        check(rng.normal(size=(n, n)), rng.normal(size=n), rng.normal(size=(n, n)))
    ### END HIDDEN TESTS


# %% [markdown]
# ## Going back
#
# The heart. Given the last tensor, `backward` must call every rule on the way, and add up what
# arrives wherever ways meet. When may a node's rule be called? Only when *everything* that will
# arrive there has arrived: the rule multiplies what it gets, and a gradient that comes later would
# be lost, or would have to be sent down all over again.
#
# Look at our example. `a` is used by `t` and by `y`. If we follow `y`'s parents one after the other
# and treat `a` as finished when the first gradient reaches it, we report 1 instead of 5. For a
# leaf, adding later would still repair it. For a node in the middle it would not:
#
# ```
# w ──► p ──┬──────────► y = p + q      dy/dp = 1 + 2 = 3, and dy/dw = 3 · dp/dw
#           └──► q = 2p ──┘             calling p's rule with 1, before q's, is too early
# ```
#
# So nodes must be visited in an order in which each comes after all that used it: a *topological
# order*, backwards. A graph of 60 nodes can have 2⁶⁰ paths, so walking every path is out of the
# question; each rule is called once. And a chain of 10,000 nodes is a short recurrent net, so
# Python's recursion, which ends at about 1,000, is too.
#
# Four customs of PyTorch belong here too:
#
# * **Gradients accumulate.** A second `backward` adds to what the first left in `.grad`.
# * **Only leaves keep a gradient.** What passes through the middle is let go.
# * **The graph is destroyed** as it is used, to free the memory; `retain_graph=True` keeps it.
# * **It starts from one number.** Otherwise the caller says with which upstream gradient.

# %% [markdown] prompt="backward"
# ### Exercise 4: backward
#
# Write `backward(output, upstream=None, retain_graph=False)` for the class `Tensor` above.
#
# * A tensor with a `rule` is a node: `rule(g)` takes the gradient of the node, an array of its
#   shape, and returns one gradient (an array of the parent's shape, or None: nothing flows there)
#   for each of its `parents`. A tensor without a rule is a leaf.
# * Each node's rule is called exactly once, with the sum of all that arrives at it (not at all, if
#   nothing arrives; zeros are something). The same tensor may be used many times, twice as a
#   parent of one node included.
# * Afterwards the `.grad` of each leaf with `requires_grad` is what arrived there, *added* to what
#   `.grad` was before (None counts as nothing). If nothing arrives, `.grad` stays as it was. Nodes
#   and tensors without `requires_grad` keep `.grad = None`, and what rules return for a parent
#   without `requires_grad` goes nowhere. `output` itself may be a leaf.
# * The arrays in `.grad` are new: they share memory with no other `.grad`, not with `upstream`, and
#   not with what rules returned. (A later pass may add into them.) `upstream` and the arrays that
#   rules return are not changed: a rule may hand out the same array twice, or the one that it was
#   given.
# * `upstream=None` means 1, in the shape of `output.data`, if that has one element; otherwise raise
#   `RuntimeError`. An upstream gradient of another shape than `output.data` raises `ValueError`. An
#   `output` without `requires_grad` raises `RuntimeError`. Then nothing has changed.
# * Unless `retain_graph` is true, every node that `output` was made from, itself included, ends
#   with `rule = freed` (given above) and `parents = ()`, also where nothing arrived. A second pass
#   that comes to such a node, also from another output, then stops with the RuntimeError of
#   `freed`. (Nodes behind a tensor without `requires_grad` may be freed or stay.)
# * Chains of 10,000 nodes work, without raising Python's recursion limit, and so do 60 diamonds in
#   a row.
#
# Nodes that `output` does not depend on are left alone.

# %% [markdown] hint="backward"
# Two halves. First an order: walk from `output` to the parents with a list as your stack, and write
# a node down only after all its parents are written down. Read backwards, each node then comes
# before its parents and after all that used it. Then one loop over that order, with a dict from
# `id(tensor)` to the sum that has arrived.

# %% [markdown] hint="backward"
# ```
# y = p + q, q = 2p, p from w
#
# stack        written down
# y
# y p          (p's parents first)
# y p w        w
# y p          w p
# y q          w p q      (p is known already)
# y            w p q y
#
# backwards:  y ─► sends 1 to p, 1 to q
#             q ─► sends 2 to p        p has 3 now
#             p ─► sends 3·dp/dw to w  called once, with everything
# ```

# %% [markdown] hint="backward"
# ```python
# order = []                        # filled so that parents come first
# todo = [(output, "enter")]
# while todo:
#     node, what = todo.pop()
#     ...                           # "leave": write it down. "enter", if it is new: first its own
#                                   # "leave", then "enter" for each parent that needs a gradient
#
# waiting = {id(output): upstream}
# for node in reversed(order):
#     g = waiting.pop(id(node), None)
#     ...                           # a leaf: into .grad. A node: call the rule, add up
# ```


# %% exercise="backward" minutes=40 difficulty=4 importance=5 allow="numpy"
def backward(output, upstream=None, retain_graph=False):
    """Add dL/d(leaf) to the .grad of every leaf that output was made from."""
    ### BEGIN SOLUTION
    if not output.requires_grad:
        raise RuntimeError("nothing that this tensor was made from requires a gradient")
    if upstream is None:
        if output.data.size != 1:
            raise RuntimeError(f"shape {output.data.shape} needs an upstream gradient")
        upstream = np.ones(output.data.shape)
    if upstream.shape != output.data.shape:
        raise ValueError(f"upstream {upstream.shape}, but output {output.data.shape}")

    order, seen, stack = [], set(), [(output, False)]
    while stack:
        tensor, parents_done = stack.pop()
        if parents_done:
            order.append(tensor)
        elif id(tensor) not in seen:
            seen.add(id(tensor))
            stack.append((tensor, True))
            stack.extend((p, False) for p in tensor.parents if p.requires_grad)

    arrived = {id(output): upstream}
    for tensor in reversed(order):
        g = arrived.pop(id(tensor), None)
        if g is not None and tensor.rule is None:
            tensor.grad = g.copy() if tensor.grad is None else tensor.grad + g
        elif g is not None:
            for i, sent in enumerate(tensor.rule(g)):
                parent = tensor.parents[i]
                if parent.requires_grad and sent is not None:
                    known = arrived.get(id(parent))
                    arrived[id(parent)] = sent if known is None else known + sent
        if tensor.rule is not None and not retain_graph:
            tensor.rule, tensor.parents = freed, ()
    ### END SOLUTION


# %% tests="backward" behaviour="values" points=2
@autograder.test
def _(rng):
    "Through a product, a sum and a function of one number, with any upstream gradient."

    @beside
    def run(a, b, upstream):
        import numpy as np

        x, y = Tensor(a, requires_grad=True), Tensor(b, requires_grad=True)
        t = Tensor(x.data * y.data, True, (x, y), lambda g: (g * y.data, g * x.data))
        s = Tensor(t.data + x.data, True, (t, x), lambda g: (g, g))
        z = Tensor(np.sin(s.data), True, (s,), lambda g: (g * np.cos(s.data),))
        backward(z, upstream)
        return x.grad, y.grad, z.grad

    slope = np.cos(np.array([3.0]))
    found = run(np.array([1.0]), np.array([2.0]), np.array([10.0]))
    same(found, (30 * slope, 10 * slope, None), "gradients of x, y, z")
    ### BEGIN HIDDEN TESTS
    for shape in ((), (1,), (4,), (2, 3), (3, 3)):
        a, b, g = (rng.normal(size=shape) for _ in range(3))
        expected = vjp_by_complex_step(lambda x, y: np.sin(x * y + x), (a, b), g)
        same(run(a, b, g), (*expected, None), f"gradients, shape {shape}")
    ### END HIDDEN TESTS


# %% tests="backward" behaviour="shared" points=3
@autograder.test
def _(rng):
    "What is used several times gets the sum of all that arrives, before its rule is called."

    @beside
    def run(w, factors, upstream):
        leaf = Tensor(w, requires_grad=True)
        square = Tensor(leaf.data * leaf.data, True, (leaf, leaf), lambda g: (g * w, g * w))
        p = q = square
        for k in factors:
            q = Tensor(q.data * k, True, (q,), lambda g, k=k: (g * k,))
            p = Tensor(p.data + q.data, True, (p, q), lambda g: (g, g))
            q = Tensor(p.data * q.data, True, (q, p), lambda g, a=q.data, b=p.data: (g * b, g * a))
        backward(q, upstream)
        return q.data, leaf.grad

    # w = 3: p = w², q = 2p, p + q = 3w², q (p + q) = 6w⁴, whose slope is 24w³
    same(run(np.array(3.0), [2.0], np.array(1.0)), (np.array(486.0), np.array(648.0)), "w = 3")
    ### BEGIN HIDDEN TESTS

    def plain(w, factors):
        p = q = w * w
        for k in factors:
            q = q * k
            p = p + q
            q = p * q
        return q

    for count in (1, 2, 3, 4):
        factors = rng.uniform(0.2, 0.6, size=count).tolist()
        w, g = rng.normal(size=3), rng.normal(size=3)
        expected = vjp_by_complex_step(lambda x, f=factors: plain(x, f), (w,), g)
        same(run(w, factors, g), (plain(w, factors), *expected), f"{count} stages", rtol=1e-8)

    @beside
    def woven(edges, factors):
        made = [Tensor(1.0, requires_grad=True)]
        for parents, scale in zip(edges, factors, strict=True):

            def rule(g, scale=scale):
                return tuple(g * k for k in scale)

            made.append(Tensor(1.0, True, [made[i] for i in parents], rule))
        backward(made[-1])
        return made[0].grad

    for count in range(2, 26):
        edges = [[0]] + [
            rng.integers(max(0, n - 3), n + 1, size=rng.integers(1, 4)).tolist()
            for n in range(1, count)
        ]
        factors = [rng.uniform(0.2, 0.6, size=len(p)).tolist() for p in edges]
        reached = [1.0]
        for parents, scale in zip(edges, factors, strict=True):
            reached.append(sum(k * reached[i] for k, i in zip(scale, parents, strict=True)))
        what = f"{count} nodes; node n has the parents {edges} (0 is the leaf)"
        same(woven(edges, factors), np.array(reached[-1]), what)
    ### END HIDDEN TESTS


# %% tests="backward" behaviour="once" points=2
@autograder.test
def _(rng):
    "Each rule is called exactly once, in 60 diamonds in a row too."

    @beside
    def diamonds(depth, called):
        def noted(number, *shares):
            return lambda g: (called(number, g), tuple(s * g for s in shares))[1]

        leaf = top = Tensor(1.0, requires_grad=True)
        for i in range(0, 3 * depth, 3):
            left = Tensor(top.data, True, (top,), noted(i, 1.0))
            right = Tensor(top.data, True, (top,), noted(i + 1, 1.0))
            top = Tensor(top.data, True, (left, right), noted(i + 2, 0.5, 0.5))
        backward(top, top.data * 2)
        return leaf.grad

    def check(depth):
        calls = []
        gradient = diamonds(depth, callback(lambda number, g: calls.append(number)))
        right = sorted(calls) == list(range(3 * depth))
        require(right, f"expected each of {3 * depth} rules once; {len(calls)} calls came")
        same(gradient, np.array(2.0), f"gradient behind diamonds, {depth} in a row")

    check(1)
    ### BEGIN HIDDEN TESTS
    for depth in (2, 5, 9, 60):
        check(depth)
    ### END HIDDEN TESTS


# %% tests="backward" behaviour="long" points=2
@autograder.test
def _(rng):
    "A chain of 10,000 nodes, and a leaf that every one of them uses."

    @beside
    def chain(length, start, step):
        import sys

        x, b = Tensor(start, requires_grad=True), Tensor(step, requires_grad=True)
        last = x
        for _ in range(length):
            last = Tensor(last.data + b.data, True, (last, b), lambda g: (g, g))
        limit, real = sys.getrecursionlimit(), sys.setrecursionlimit
        real(3000)
        sys.setrecursionlimit = lambda limit: None  # it stays
        try:
            backward(last)
        finally:
            sys.setrecursionlimit = real
            real(limit)
        return x.grad, b.grad

    same(chain(3, np.array(1.0), np.array(0.5)), (np.array(1.0), np.array(3.0)), "3 nodes")
    ### BEGIN HIDDEN TESTS
    for length in (1, 999, 10_000):
        expected = (np.array([1.0]), np.array([float(length)]))
        same(chain(length, rng.normal(size=1), rng.normal(size=1)), expected, f"{length} nodes")
    ### END HIDDEN TESTS


# %% tests="backward" behaviour="start" points=2
@autograder.test
def _(rng):
    "Where it starts: 1 for one element, an error otherwise; a wrong shape; nothing to do."

    @beside
    def run(data, upstream, leaf, needs):
        x = Tensor(data, requires_grad=needs)
        y = x if leaf else Tensor(x.data * 3, True, (x,), lambda g: (3 * g,))
        try:
            backward(y, upstream)
        except (RuntimeError, ValueError) as error:
            return type(error).__name__, x.grad, y.rule is freed
        return "fine", x.grad, y.rule is freed

    what = "how it ended, the gradient, is the node freed: "
    one, two = np.array(2.0), np.array([1.0, 2.0])
    same(run(one, None, False, True), ("fine", np.array(3.0), True), what + "one number")
    same(run(two, None, False, True), ("RuntimeError", None, False), what + "two, no upstream")
    wrong = run(two, np.ones(3), False, True)
    same(wrong, ("ValueError", None, False), what + "upstream of shape (3,)")
    same(run(one, None, True, True), ("fine", np.array(1.0), False), what + "a leaf alone")
    idle = run(one, None, True, False)
    same(idle, ("RuntimeError", None, False), what + "a leaf without requires_grad")
    ### BEGIN HIDDEN TESTS
    refused = ("RuntimeError", None, False)
    same(run(one, one, True, False), refused, what + "no requires_grad, with an upstream")
    for shape in ((1,), (1, 1)):
        result = run(np.ones(shape), None, False, True)
        same(result, ("fine", np.full(shape, 3.0), True), what + f"one element, shape {shape}")
    for shape in ((2, 3), (0,), (5,)):
        same(run(np.ones(shape), None, False, True), refused, what + f"{shape}, no upstream")
    cases = ((2, 3), (3, 2)), ((2, 1), (2, 3)), ((2, 3), (3,)), ((3,), ()), ((), (1,)), ((1,), ())
    for shape, other in cases:
        result = run(np.ones(shape), rng.normal(size=other), False, True)
        same(result, ("ValueError", None, False), what + f"upstream {other} for output {shape}")
    g = rng.normal(size=(2, 3))
    result = run(np.ones((2, 3)), g, False, True)
    same(result, ("fine", 3 * g, True), what + "an upstream gradient of the right shape")
    ### END HIDDEN TESTS


# %% tests="backward" behaviour="leaves" points=3
@autograder.test
def _(rng):
    "Only leaves that require it keep gradients; passes add up; a rule may return None."

    @beside
    def run(a, b, c):
        x, y = Tensor(a, requires_grad=True), Tensor(b)
        idle, z = Tensor(c, requires_grad=True), Tensor(c, requires_grad=True)
        history = []
        for k in (1.0, 10.0):
            t = Tensor(a * b, True, (x, y), lambda g, k=k: (g * b * k, g * a))
            s = Tensor(t.data + c, True, (t, idle, z), lambda g: (g, None, g))
            backward(s, a)
            history.append([None if v.grad is None else v.grad + 0 for v in (x, y, z, idle, t, s)])
        return history

    a, b, c = np.array([1.0, 2.0]), np.array([5.0, 7.0]), np.array([0.0, 0.0])
    first = [np.array([5.0, 14.0]), None, a, None, None, None]
    second = [11 * first[0], None, 2 * a, None, None, None]
    same(run(a, b, c), [first, second], "gradients of x, y, z, idle, t, s after each pass")
    ### BEGIN HIDDEN TESTS
    for shape in ((), (3,), (2, 2)):
        a, b, c = (rng.normal(size=shape) for _ in range(3))
        first = [a * b, None, a, None, None, None]
        second = [11 * a * b, None, 2 * a, None, None, None]
        same(run(a, b, c), [first, second], f"gradients after each pass, shape {shape}")

    @beside
    def asleep(a):
        x, y = Tensor(a), Tensor(a, requires_grad=True)

        def never(g):
            raise KeyError("the rule of a node without requires_grad was called")

        t = Tensor(a, False, (x,), never)
        s = Tensor(a, True, (t, y), lambda g: (g, 2 * g))
        backward(s, a)
        return x.grad, t.grad, y.grad

    @beside
    def mixed(a):
        x = Tensor(a, requires_grad=True)
        nothing = [Tensor(a, True, (x,), lambda g: (None,)) for _ in range(2)]
        some = Tensor(a, True, (x,), lambda g: (3 * g,))
        s = Tensor(a, True, (nothing[0], some, nothing[1]), lambda g: (g, g, g))
        backward(s, a)
        return x.grad

    same(mixed(a), 3 * a, "a leaf to which one of three ways brings something")
    a = rng.normal(size=3)
    what = "gradients of a node without requires_grad, of what is behind it, of a leaf beside it"
    same(asleep(a), (None, None, 2 * a), what)

    @beside
    def silent(a, times):
        x, y = Tensor(a, requires_grad=True), Tensor(a, requires_grad=True)

        def never(g):
            raise KeyError("the rule of a node to which nothing came was called")

        t = Tensor(a, True, (x,), never)
        u = Tensor(a, True, (x,), lambda g: (g * 0, None)[:1])
        s = Tensor(a, True, (t, y, u), lambda g: (None, g, g))
        backward(s, a)
        for _ in range(times):
            backward(y, a)
        return x.grad, y.grad

    same(silent(a, 0), (0 * a, a), "a leaf to which only zeros come, and one beside it")
    same(silent(0 * a, 0), (0 * a, 0 * a), "an upstream gradient of zeros")
    same(silent(a, 2), (0 * a, 3 * a), "two more passes from a leaf itself")
    ### END HIDDEN TESTS


# %% tests="backward" behaviour="memory" points=2
@autograder.test
def _(rng):
    "Right gradients in arrays of their own; `upstream` and what rules returned are unchanged."

    @beside
    def run(a, upstream):
        import numpy as np

        x, y, z = (Tensor(a, requires_grad=True) for _ in range(3))
        shared = 2.0 * upstream
        s = Tensor(a + a, True, (x, y, x, z), lambda g: (shared, shared, shared, shared))
        backward(Tensor(a + a, True, (s, s), lambda g: (g, g)), upstream)
        if x.grad is None:
            return "x.grad is None"
        first = x.grad.copy()
        backward(Tensor(a, True, (x,), lambda g: (g,)), upstream)
        own = x.grad, y.grad, z.grad, upstream, shared
        apart = not any(np.shares_memory(p, q) for i, p in enumerate(own) for q in own[:i])
        return first, *own, apart

    what = "x.grad; after a second pass x.grad, y.grad, z.grad, upstream, the array of the rule; "
    what += "each in memory of its own"
    a, g = np.array([1.0, 2.0]), np.array([3.0, 5.0])
    same(run(a, g), (4 * g, 5 * g, 2 * g, 2 * g, g, 2 * g, True), what)
    ### BEGIN HIDDEN TESTS
    for shape in ((), (3,), (2, 2)):
        a, g = rng.normal(size=shape), rng.normal(size=shape)
        same(run(a, g), (4 * g, 5 * g, 2 * g, 2 * g, g, 2 * g, True), what)

    @beside
    def leaf_alone(a, upstream):
        import numpy as np

        x = Tensor(a, requires_grad=True)
        backward(x, upstream)
        return x.grad, np.shares_memory(x.grad, upstream)

    what = "a leaf alone: its gradient, and whether it is upstream itself"
    same(leaf_alone(a, g), (g, False), what)
    ### END HIDDEN TESTS


# %% tests="backward" behaviour="freed" points=2
@autograder.test
def _(rng):
    "The graph is freed behind the pass, unless `retain_graph` keeps it for another."

    @beside
    def run(a, retain, other):
        x = Tensor(a, requires_grad=True)
        t = Tensor(a * 2, True, (x,), lambda g: (2 * g,))
        u = Tensor(a * 5, True, (x,), lambda g: (5 * g,))
        s = Tensor(t.data * 3, True, (t,), lambda g: (3 * g,))
        backward(s, a, retain_graph=retain)
        state = [n.rule is freed and n.parents == () for n in (s, t, u)]
        try:
            backward(t if other else s, a)
        except RuntimeError as error:
            return state, "freed" in str(error), x.grad
        return state, "fine", x.grad

    a = np.array([1.0, 2.0])
    same(run(a, False, False), ([True, True, False], True, 6 * a), "freed: s and t, not u; grad")
    same(run(a, True, False), ([False, False, False], "fine", 12 * a), "kept; grad after two")
    ### BEGIN HIDDEN TESTS
    a = rng.normal(size=3)
    same(run(a, False, True), ([True, True, False], True, 6 * a), "a second pass from the middle")
    same(run(a, True, True), ([False, False, False], "fine", 8 * a), "kept, then from the middle")

    @beside
    def idle_branch(a):
        x = Tensor(a, requires_grad=True)
        t = Tensor(a, True, (x,), lambda g: (g,))
        s = Tensor(a, True, (t, x), lambda g: (None, g))
        backward(s, a)
        return x.grad, s.rule is freed, t.rule is freed and t.parents == ()

    what = "a branch where nothing flows: x.grad, s is freed, t is freed"
    same(idle_branch(a), (a, True, True), what)

    @beside
    def two_outputs(a):
        x = Tensor(a, requires_grad=True)
        t = Tensor(a, True, (x,), lambda g: (g,))
        first, second = (Tensor(a, True, (t,), lambda g: (g,)) for _ in range(2))
        backward(first, a)
        try:
            backward(second, a)
        except RuntimeError as error:
            return "freed" in str(error), x.grad
        return "no error", x.grad

    same(two_outputs(a), (True, a), "a second output of a node that is freed: an error; x.grad")
    ### END HIDDEN TESTS


# %% [markdown]
# Run it on the example with which this lesson began.

# %%
a, b = Tensor(3.0, requires_grad=True), Tensor(4.0, requires_grad=True)
t = Tensor(a.data * b.data, True, (a, b), lambda g: (g * b.data, g * a.data))
y = Tensor(t.data + a.data, True, (t, a), lambda g: (g, g))
backward(y)
print("dy/da", a.grad, "  dy/db", b.grad)

# %% [markdown]
# ## The tape, step by step
#
# The same program with a loss behind it: `d = y - 10`, `loss = d ** 2`. Step through it, forward
# and back, and look at each tensor. Before you press, predict:
#
# 1. After the forward pass: which tensors hold values for their rules? Which node holds none?
# 2. The rule of `y` runs at step 7. Which gradient does `a` have then? And after the last step?
# 3. Tick `retain_graph=True` at the last step. What is different, and what does it cost?

# %%
from chainrule.widgets import TapeViewer

TapeViewer()

# %% [markdown]
# <details><summary>What you should have seen</summary>
#
# `t` holds a and b, `loss` holds d; `y` and `d` hold nothing, for the rule of a sum needs no value.
# At step 7 `a` has 10, by the straight way; the last step adds 4 · 10 through `t`, so 50, and `b`
# gets 30. With retain_graph the nodes keep what they saved: memory, for as long as `loss` lives.
#
# </details>
#
# This is the end of the first sitting. You have the algorithm that TensorFlow, PyTorch and JAX have
# in common. Its history, from Wengert's list of operations (1964) and Linnainmaa's way back (1970)
# on, is told in lesson 03.

# %% [markdown] prompt="too_early"
# ### Question: too early
#
# Take `p = 2w`, `q = 3p`, `y = p * q` with w = 1. Suppose `backward` called a node's rule as soon
# as *something* has arrived there, and never again. In which order of visits does it give a wrong
# dy/dw, and which number comes out instead of the right one? Say in one sentence which property of
# the order prevents this.

# %% [markdown] written="too_early" points=2
# ### BEGIN SOLUTION
# p = 2, q = 6, y = 12 w², so dy/dw = 24. y sends dy/dp = q = 6 straight to p and dy/dq = p = 2 to
# q. If p is visited before q, its rule is called with 6 and w gets 2 · 6 = 12; the 3 · 2 = 6 that q
# sends to p later is lost. (Visiting q first: p has 6 + 6 = 12, and w gets 24.) Each node must come
# after every node that used it.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# * 1 point: p before q, and 12 instead of 24. (Half for the order alone.)
# * 1 point: a node is visited only after all nodes that used it (reverse topological order), in any
#   words.
# ### END MARK SCHEME

# %% [markdown]
# ## Writing it down, or not
#
# So far we built every node by hand. An engine does it in one place: each operation computes, and
# hands its data, its parents and its rule to a function that decides what to write down. Nothing is
# written down
#
# * if no parent requires a gradient: then nobody will ask;
# * inside `no_grad`: predicting needs no tape, and updating the weights must not be recorded, or
#   each step of training would hang on to all steps before it.
#
# The lecture's loop in PyTorch has one line more, `w.grad.zero_()`: because gradients accumulate,
# each step must begin from nothing. Accumulating is useful when a batch is too large for the memory
# and is cut in pieces. Forgetting to clear is a classic bug.


# %% given="mode"
class Mode:
    """Whether operations are written down."""

    recording = True


# %% [markdown] prompt="record"
# ### Exercise 5: record, zero_grad, no_grad
#
# * `record(data, parents, rule)` returns a `Tensor` with this data. If `Mode.recording` is true and
#   at least one of the parents has `requires_grad`, it is a node: `requires_grad` is True,
#   `parents` the tuple of all parents, `rule` the rule. Otherwise it is a leaf without
#   `requires_grad`: no parents, no rule.
# * `no_grad` is used as `with no_grad():`. Inside, `Mode.recording` is False. Afterwards it is
#   again what it was *before* the block was entered: blocks may be nested, and a block may be left
#   by an exception of any kind (Ctrl-C raises `KeyboardInterrupt`), which passes on. Making the
#   object, `no_grad()` without `with`, switches nothing yet.
# * `zero_grad(tensors)` sets `.grad` of each of them to None, and changes nothing else.

# %% [markdown] hint="record"
# What was true before the block? Only the moment of entering it can tell: remember it there. An
# object of a class with `__enter__` and `__exit__` does; so does a generator under
# `contextlib.contextmanager` with `try` and `finally`.

# %% [markdown] hint="record"
# ```
#                           Mode.recording
#                           True
# with no_grad():           ─► False           remembers True
#     with no_grad():       ─► False           remembers False
#         ...
#     # left                ─► False           not True!
# # left                    ─► True
# ```

# %% [markdown] hint="record"
# ```python
# class no_grad:
#     def __enter__(self):
#         self.before = ...
#         Mode.recording = ...
#
#     def __exit__(self, *exception):
#         Mode.recording = ...
# ```


# %% exercise="record" minutes=15 difficulty=2 importance=4 allow="numpy"
def record(data, parents, rule):
    """Return the result of an operation, with its history if somebody will want it."""
    ### BEGIN SOLUTION
    if Mode.recording and any(p.requires_grad for p in parents):
        return Tensor(data, True, parents, rule)
    return Tensor(data)
    ### END SOLUTION


def zero_grad(tensors):
    """Forget the gradients of these tensors."""
    ### BEGIN SOLUTION
    for t in tensors:
        t.grad = None
    ### END SOLUTION


class no_grad:
    """Write nothing down inside a `with no_grad():` block."""

    ### BEGIN SOLUTION
    def __enter__(self):
        self.before = Mode.recording
        Mode.recording = False

    def __exit__(self, *exception):
        Mode.recording = self.before

    ### END SOLUTION


# %% tests="record" behaviour="record" points=2
@autograder.test
def _(rng):
    "`record` makes a node where a gradient is wanted, and a leaf elsewhere."

    @beside
    def run(data, wanted, recording):
        def rule(g):
            return [g] * len(wanted)

        parents = [Tensor(data, requires_grad=w) for w in wanted]
        Mode.recording = recording
        try:
            t = record(data, parents, rule)
        finally:
            Mode.recording = True
        kept = isinstance(t.parents, tuple) and [id(p) for p in t.parents]
        rules = "the rule" if t.rule is rule else "no rule" if t.rule is None else "another"
        return t.data, t.requires_grad, kept == [id(p) for p in parents], len(t.parents), rules

    x = np.array([1.0, 2.0])
    node, leaf = (x, True, True, 2, "the rule"), (x, False, False, 0, "no rule")
    what = "data, requires_grad, parents is the tuple of all parents, how many, rule"
    same(run(x, [True, False], True), node, what)
    same(run(x, [False, False], True), leaf, what)
    same(run(x, [True, True], False), leaf, what)
    ### BEGIN HIDDEN TESTS
    for shape in ((), (3,), (2, 0)):
        x = rng.normal(size=shape)
        for *needs, recording in (*np.ndindex(2, 2), *np.ndindex(2, 2, 2), *np.ndindex(2, 2, 2, 2)):
            needs, recording = [bool(n) for n in needs], bool(recording)
            node = (x, True, True, len(needs), "the rule")
            leaf = (x, False, False, 0, "no rule")
            same(run(x, needs, recording), node if recording and any(needs) else leaf, what)

    @beside
    def square(data):
        x = Tensor(data, requires_grad=True)
        t = record(data * data, (x, x), lambda g: (g * data, g * data))
        return len(t.parents)

    same(square(x), 2, "the number of parents where one tensor is used twice")
    ### END HIDDEN TESTS


# %% tests="record" behaviour="no_grad" points=3
@autograder.test
def _(rng):
    "`no_grad` switches recording off, and back to what it was: nested, and after an exception."

    @beside
    def run(depth, fails, start):
        seen = []

        def descend(level):
            if level == depth and fails:
                raise KeyboardInterrupt if fails == "Ctrl-C" else KeyError
            if level < depth:
                with no_grad():
                    seen.append(Mode.recording)
                    descend(level + 1)
                seen.append(Mode.recording)

        Mode.recording = start
        try:
            descend(0)
        except (KeyError, KeyboardInterrupt) as error:
            seen.append(type(error).__name__)
        after, Mode.recording = Mode.recording, True
        return seen, after

    what = "Mode.recording in and after each block (and the exception); what it is at the end"
    same(run(1, "", True), ([False, True], True), what)
    same(run(2, "", True), ([False, False, False, True], True), what)
    same(run(1, "error", True), ([False, "KeyError"], True), what)
    ### BEGIN HIDDEN TESTS
    for depth in (1, 2, 3, 5):
        inner = [False] * (2 * depth - 1)
        for start in (True, False):
            same(run(depth, "", start), ([*inner, start], start), what)
            same(run(depth, "error", start), ([False] * depth + ["KeyError"], start), what)
            ended = ([False] * depth + ["KeyboardInterrupt"], start)
            same(run(depth, "Ctrl-C", start), ended, what)

    @beside
    def twice():
        block = no_grad()
        made = Mode.recording
        with block:
            pass
        first = Mode.recording
        with no_grad():
            inside = Mode.recording
        later = no_grad()
        Mode.recording = False
        with later:
            pass
        after, Mode.recording = Mode.recording, True
        return made, first, inside, after

    what = "after no_grad() alone, after its block, inside another, after one entered while False"
    same(twice(), (True, True, False, False), what)
    ### END HIDDEN TESTS


# %% tests="record" behaviour="zero_grad" points=1
@autograder.test
def _(rng):
    "`zero_grad` forgets the gradients of the tensors it is given, and of no others."

    @beside
    def run(g, given):
        tensors = [Tensor(g, requires_grad=i % 2 == 0) for i in range(5)]
        tensors.append(Tensor(g, True, tensors[:2], lambda g: (g, g)))
        for t in tensors:
            t.grad = g
        zero_grad([tensors[i] for i in given])
        return [t.grad for t in tensors], g, [t.requires_grad for t in tensors]

    def check(g, given):
        grads = [None if i in given else g for i in range(6)]
        needs = [True, False, True, False, True, True]
        same(run(g, given), (grads, g, needs), f"given {given}: gradients, data, requires_grad")

    check(np.array([1.0, 2.0]), [0, 1])
    ### BEGIN HIDDEN TESTS
    for given in ([], [5], [0, 1, 2, 3, 4], [4, 1, 3, 5], [2, 2]):
        check(rng.normal(size=(2, 2)), given)
    ### END HIDDEN TESTS


# %% [markdown]
# ## When memory changes under a rule
#
# A rule that needs a value, say `b` for `a * b`, will read it when `backward` runs. If somebody
# changes `b` in place in between, the gradient is wrong, and nothing says so. The frameworks count:
# every tensor has a *version*, which each in-place change raises by one. Whoever keeps a value
# remembers the version, and looks again before use.
#
# Two tensors can share memory: `detach` returns the same numbers without their history. So they
# must share the counter too. That is why `version` is a list with one number in it: two tensors can
# hold the same list.

# %% [markdown] prompt="memory"
# ### Exercise 6: detach, add in place, keep
#
# * `detach(t)` returns a new leaf without `requires_grad` and without `.grad`, for a leaf `t` too.
#   Its `data` shares memory with `t.data`, and its `version` is the very list of `t`. `t` is
#   unchanged, its version, `.grad` and history included.
# * `add_(t, value)` adds an array or number to `t.data` in place (the memory stays the same, and so
#   does `value`), raises the number in the list `t.version` by one (for a `value` of 0 too), and
#   returns `t`, which else is as it was. `t.data` may have the shape `()`. A leaf that requires a
#   gradient may be changed only inside `no_grad`: otherwise raise `RuntimeError`, and change
#   nothing.
# * `keep(t)` returns a function without arguments. As long as `t`'s memory was not changed in place
#   since `keep` was called, it returns `t.data`; afterwards it raises `RuntimeError` each time, and
#   the message contains both versions, as digits. The versions decide: a change through a detached
#   tensor counts, and so does one that was taken back.

# %% [markdown] hint="memory"
# `keep` has to remember a number, not the list: the list changes. A function defined inside `keep`
# sees the variables of `keep`.

# %% [markdown] hint="memory"
# ```
# t.version ──────► [0] ◄────── detached.version       one list, two names
#
# seen = t.version[0]       0
# add_(detached, 1.0)       the list is [1] now
# get()                     1 is not 0: RuntimeError
# ```

# %% [markdown] hint="memory"
# ```python
# def add_(t, value):
#     if Mode.recording and t.requires_grad and t.rule is ...:
#         raise RuntimeError(...)
#     t.data += ...
#     t.version[0] += ...
#     return ...
# ```


# %% exercise="memory" minutes=15 difficulty=3 importance=3 allow="numpy"
def detach(t):
    """Return a tensor of the same memory, without history."""
    ### BEGIN SOLUTION
    out = Tensor(t.data)
    out.version = t.version
    return out
    ### END SOLUTION


def add_(t, value):
    """Add to a tensor in place and count the change."""
    ### BEGIN SOLUTION
    if Mode.recording and t.requires_grad and t.rule is None:
        raise RuntimeError("a leaf that requires a gradient changes only inside no_grad")
    t.data[...] += value
    t.version[0] += 1
    return t
    ### END SOLUTION


def keep(t):
    """Return a function that gives t's data, or raises if it was changed in place since."""
    ### BEGIN SOLUTION
    seen = t.version[0]

    def get():
        if t.version[0] != seen:
            raise RuntimeError(f"version {seen} was kept, but the memory is at {t.version[0]}")
        return t.data

    return get
    ### END SOLUTION


# %% tests="memory" behaviour="detach" points=2
@autograder.test
def _(rng):
    "`detach` shares memory and version, and has no history; `t` keeps its own."

    @beside
    def run(a, needs, is_leaf):
        import numpy as np

        x = Tensor(a, requires_grad=True)
        t = Tensor(a * 2, needs) if is_leaf else Tensor(a * 2, True, (x,), lambda g: (2 * g,))
        t.version[0], t.grad = 3, a
        before = t.requires_grad, t.parents, t.rule, t.data, t.version
        d = detach(t)
        plain = not d.requires_grad and d.rule is None and len(d.parents) == 0
        now = t.requires_grad, t.parents, t.rule, t.data, t.version
        kept = all(p is q for p, q in zip(now, before, strict=True))
        shared = np.shares_memory(d.data, t.data), d.version is t.version
        return d.data, *shared, plain, d is t, d.grad, kept, t.grad, t.version[0]

    what = "data; memory shared; version shared; no history; is it t; its grad; t kept; t's grad "
    what += "and version"
    a = np.array([1.0, 2.0])
    same(run(a, True, False), (2 * a, True, True, True, False, None, True, a, 3), what)
    ### BEGIN HIDDEN TESTS
    for shape in ((), (3,), (2, 2)):
        a = rng.normal(size=shape)
        for case in ((True, False), (True, True), (False, True)):
            same(run(a, *case), (2 * a, True, True, True, False, None, True, a, 3), what)
    ### END HIDDEN TESTS


# %% tests="memory" behaviour="add_in_place" points=2
@autograder.test
def _(rng):
    "`add_` changes the memory, counts, returns `t`; refuses a leaf that requires a gradient."

    @beside
    def run(a, value, needs, is_leaf, recording):
        before = () if is_leaf else ((Tensor(a, requires_grad=True),), lambda g: (g,))
        t = Tensor(a.copy(), needs, *before)
        memory, count, history = t.data, t.version, (t.requires_grad, t.parents, t.rule)
        Mode.recording = recording
        try:
            back = add_(t, value) is t
        except RuntimeError:
            back = "RuntimeError"
        Mode.recording = True
        kept = (t.requires_grad, t.parents, t.rule) == history and t.version is count
        return back, t.data, memory, t.version[0], value, kept

    def check(a, value, needs, is_leaf, recording, what):
        refused = needs and is_leaf and recording
        back, now, count = ("RuntimeError", a, 0) if refused else (True, a + value, 1)
        what += ": t returned, data, its memory, version, value, all else kept"
        same(run(a, value, needs, is_leaf, recording), (back, now, now, count, value, True), what)

    check(np.ones(2), 0.5, False, True, True, "a leaf without requires_grad")
    check(np.ones(2), 0.5, True, True, True, "a leaf that requires a gradient, while recording")
    ### BEGIN HIDDEN TESTS
    check(np.ones(2), 0.5, True, True, False, "the same inside no_grad")
    cases = (False, True, True), (True, True, True), (True, True, False), (True, False, True)
    for shape in ((), (3,), (2, 3)):
        for case in (*cases, (False, True, False), (True, False, False)):
            words = f"shape {shape}, requires_grad {case[0]}, leaf {case[1]}, recording {case[2]}"
            check(rng.normal(size=shape), rng.normal(size=shape), *case, words)
    a = rng.normal(size=(2, 3))
    check(a, rng.normal(size=3), False, True, True, "a row added to a matrix")
    check(a, 0.0, False, True, True, "0 added")

    @beside
    def often(a, times):
        t = Tensor(a.copy())
        for _ in range(times):
            add_(t, 1.0)
        return t.data, t.version[0]

    same(often(a, 3), (a + 1.0 + 1.0 + 1.0, 3), "data and version after three changes")
    ### END HIDDEN TESTS


# %% tests="memory" behaviour="keep" points=3
@autograder.test
def _(rng):
    "What `keep` returns notices every change since, through a detached tensor too."

    @beside
    def run(a, before, changes, detached):
        t = Tensor(a.copy())
        t.version[0] = before
        other = Tensor(t.data)
        other.version = t.version
        get, target = keep(t), other if detached else t
        for change in changes:
            target.data += change
            target.version[0] += 1
        try:
            return get() + 0, get() is t.data
        except RuntimeError as error:
            return "RuntimeError", str(before) in str(error) and str(t.version[0]) in str(error)

    def check(a, before, changes, detached=False):
        what = f"kept at version {before}, {len(changes)} in-place changes since: what came; is it "
        what += "the message with both versions" if changes else "the very array t.data"
        found = run(a, before, changes, detached)
        same(found, ("RuntimeError" if changes else a, True), what)

    check(np.array([1.0, 2.0]), 0, [])
    check(np.array([1.0, 2.0]), 0, [1.0])
    ### BEGIN HIDDEN TESTS
    for before, after in ((0, 1), (1, 1), (3, 4), (7, 2), (0, 12), (5, 0)):
        for detached in (False, True):
            check(rng.normal(size=3), before, [1.0] * after, detached)
    check(np.array([1.0, 2.0]), 4, [1.0, -1.0])
    check(np.array(1.0), 3, [0.0])

    @beside
    def several(a):
        t, seen = Tensor(a.copy()), []
        first = keep(t)
        first()
        t.data += 1.0
        t.version[0] += 1
        for get in (first, first, keep(t), first):
            try:
                seen.append(get() is t.data)
            except RuntimeError:
                seen.append("RuntimeError")
        return seen

    what = "kept and read, then a change: two reads, a read of what is kept now, the first again"
    expected = ["RuntimeError", "RuntimeError", True, "RuntimeError"]
    same(several(np.ones(2)), expected, what)
    ### END HIDDEN TESTS


# %% [markdown]
# ## Your engine, put together
#
# Your parts make an engine. Each operator below computes, and hands its rule to `operation`, which
# hands it to `record`; `unbroadcast` sums in one place. Read it: nothing here is new.


# %%
def operation(data, parents, rule):
    def fitted(g):
        sent = zip(rule(g), parents, strict=True)
        return tuple(unbroadcast(x, p.data.shape) for x, p in sent)

    out = record(data, parents, fitted)
    out.__class__ = Engine
    return out


def two_kept(data, a, b, rule):
    x, y = keep(a), keep(b)
    return operation(data, (a, b), lambda g: rule(g, x(), y()))


def relu(t):
    return operation(np.maximum(t.data, 0), (t,), lambda g: (g * (t.data > 0),))


def total(t):
    return operation(t.data.sum(), (t,), lambda g: (sum_rule(g, t.data),))


# %%
class Engine(Tensor):
    """Tensor with operators, from your functions."""

    def __add__(self, b):
        x, y = self.data, b.data
        return operation(x + y, (self, b), lambda g: add_rule(g, x, y))

    def __mul__(self, b):
        return two_kept(self.data * b.data, self, b, multiply_rule)

    def __matmul__(self, b):
        return two_kept(self.data @ b.data, self, b, matmul_rule)

    def __pow__(self, n):
        x = keep(self)
        return operation(self.data**n, (self,), lambda g: power_rule(g, x(), n))

    def __sub__(self, b):
        return self + b * Engine(-1.0)


# %%
rng = np.random.default_rng(0)
x, y = Engine(rng.normal(size=(64, 1000))), Engine(rng.normal(size=(64, 10)))
w1 = Engine(rng.normal(size=(1000, 100)), requires_grad=True)
w2 = Engine(rng.normal(size=(100, 10)), requires_grad=True)
start1, start2 = w1.data.copy(), w2.data.copy()

losses = []
for _step in range(20):
    loss = total((relu(x @ w1) @ w2 - y) ** 2)
    losses.append(float(loss.data))
    zero_grad([w1, w2])
    backward(loss)
    with no_grad():
        add_(w1, -1e-6 * w1.grad)
        add_(w2, -1e-6 * w2.grad)
print(losses[0], losses[-1])

# %% [markdown]
# The engine knows nothing of this net. Change a line of it, and the gradients follow. Compare with
# the five lines by hand:

# %%
w1_hand, w2_hand, by_hand = start1.copy(), start2.copy(), []
for _step in range(20):
    h = x.data @ w1_hand
    h_relu = np.maximum(h, 0)
    away = h_relu @ w2_hand - y.data
    by_hand.append((away**2).sum())
    grad_w2 = h_relu.T @ (2 * away)
    grad_w1 = x.data.T @ ((2 * away @ w2_hand.T) * (h > 0))
    w1_hand -= 1e-6 * grad_w1
    w2_hand -= 1e-6 * grad_w2
print("largest relative difference", np.max(np.abs(np.array(losses) / by_hand - 1)))

# %% [markdown]
# The reference library `chainrule` is this engine, grown up: the same `Tensor`, `no_grad` and
# `backward`, with methods instead of functions, and a table of operations. From here on you use it,
# in the words that PyTorch uses:
#
# | words | what it is |
# |---|---|
# | `x = cr.tensor(array, requires_grad=True)` | a leaf, with a copy of the array |
# | `x @ w`, `a * b`, `t ** 2`, `t.sum()`, `cr.relu(t)` | operations on tensors |
# | `loss.backward()`, then `x.grad` | the gradient, a tensor again |
# | `cr.grad(y, x)` | the tuple of gradients; no `.grad` changes |
# | `with cr.no_grad():`, `t.detach()` | as you wrote them |
# | `loss.item()`, `t.data`, `t.detach().numpy()` | back to Python: a number, the array |
#
# ## A gradient of a gradient
#
# The rules themselves are made of additions and products. If the engine records them too, a
# gradient has a history, and can be differentiated again: `cr.grad(y, x, create_graph=True)`.
#
# One use of it is worth a lot. The second derivatives of a function of n numbers form a matrix of
# n² entries, the Hessian H; for the lecture's small net that is 101,000² ≈ 10¹⁰ numbers. But many
# methods need only H times a vector v. And that is the gradient of a number: of gᵀv, where g is the
# gradient and v is held fixed. Two passes, no matrix (B. A. Pearlmutter, *Fast exact multiplication
# by the Hessian*, Neural Computation 6, 1994).

# %% [markdown] prompt="hvp"
# ### Exercise 7: Hessian times vector
#
# Write `hvp(f, x, v)`. `f` takes a `chainrule` tensor of the shape of `x` and returns a tensor with
# one element; `x` and `v` are float64 arrays of one shape. Return H v, an array of that shape,
# where H is the matrix of second derivatives of `f` at `x`.
#
# * Call `f` exactly once, and do not form H: two passes back through `f`, however many elements `x`
#   has.
# * Where a gradient does not depend on `x` (a linear `f`, say), the answer is zeros. `f` may use
#   other tensors that require gradients.
#
# `x` and `v` are unchanged after the call.

# %% [markdown] hint="hvp"
# `cr.grad(y, t, create_graph=True)` returns a tuple with the gradient, as a tensor that is itself
# part of a graph. Make one number from it and `v`, and ask for its gradient.

# %% [markdown] hint="hvp"
# ```
# x ──► f ──► y ──► grad ──► g ──► (g · v).sum() ──► grad ──► H v
#                             ▲
#                   create_graph=True
# ```
# A linear f has a constant gradient: `g.requires_grad` is False, and nothing leads back to x. A
# part of f may be linear too; `allow_unused=True` gives None where nothing leads back.

# %% [markdown] hint="hvp"
# ```python
# import chainrule as cr
#
# t = cr.tensor(x, requires_grad=True)
# (g,) = cr.grad(..., t, create_graph=True)
# if not g.requires_grad:
#     return ...
# (h,) = cr.grad((...).sum(), t, allow_unused=True)
# ```


# %% exercise="hvp" minutes=15 difficulty=3 importance=3 allow="numpy chainrule"
def hvp(f, x, v):
    """Return the Hessian of f at x, times v."""
    ### BEGIN SOLUTION
    import chainrule as cr

    t = cr.tensor(x, requires_grad=True)
    (g,) = cr.grad(f(t), t, create_graph=True)
    if not g.requires_grad:
        return np.zeros(x.shape)
    (h,) = cr.grad((g * cr.tensor(v)).sum(), t, allow_unused=True)
    return np.zeros(x.shape) if h is None else h.data
    ### END SOLUTION


# %% tests="hvp" behaviour="values" points=3
@autograder.test
def _(rng):
    "H v for several functions, shapes and vectors; `x` and `v` stay as they were."

    @beside
    def run(which, x, v):
        functions = {
            "cubes": lambda t: (t * t * t).sum(),
            "square of the sum": lambda t: t.sum() ** 2,
            "softplus": lambda t: (t * 2.0).softplus().sum() * t.sum(),
            "neighbors": lambda t: (t.reshape(-1)[1:] * t.reshape(-1)[:-1]).sin().sum(),
        }
        return hvp(functions[which], x, v), x, v

    x, v = np.array([1.0, 2.0]), np.array([10.0, 1.0])
    same(run("cubes", x, v), (np.array([60.0, 12.0]), x, v), "f is the sum of cubes: H is diag(6x)")
    expected = np.array([22.0, 22.0])
    same(run("square of the sum", x, v), (expected, x, v), "f is the square of the sum: H is all 2")
    ### BEGIN HIDDEN TESTS

    def gradient(which, x):
        if which == "cubes":
            return 3 * x * x
        if which == "square of the sum":
            return 2 * x.sum() + 0 * x
        if which == "softplus":
            sig = 1 / (1 + np.exp(-2 * x))
            return 2 * sig * x.sum() + np.log(1 + np.exp(2 * x)).sum()
        flat = x.reshape(-1)
        slope = np.cos(flat[1:] * flat[:-1])
        out = 0 * flat
        out[1:] += slope * flat[:-1]
        out[:-1] += slope * flat[1:]
        return out.reshape(x.shape)

    for which in ("cubes", "square of the sum", "softplus", "neighbors"):
        for shape in ((4,), (2, 3), (3, 3), (2,)):
            x, v = rng.normal(size=shape), rng.normal(size=shape)
            expected = gradient(which, x + 1e-30j * v).imag / 1e-30
            same(run(which, x, v), (expected, x, v), f"{which}, shape {shape}, then x and v")
    ### END HIDDEN TESTS


# %% tests="hvp" behaviour="once" points=1
@autograder.test
def _(rng):
    "A right H v with a single call of `f` and few passes back through it."

    @beside
    def run(x, v, called, passed):
        def f(t):
            called()
            u = t * 1.0
            if u.requires_grad:
                u.register_hook(lambda g: passed())
            return (u**4).sum()

        return hvp(f, x, v)

    def counted(x, v):
        calls, passes = [], []
        to, fro = callback(lambda: calls.append(1)), callback(lambda: passes.append(1))
        result = run(x, v, to, fro)
        require(len(calls) == 1, f"expected one call of f; {len(calls)} came")
        require(len(passes) < 5, f"expected two passes back through f; {len(passes)} came")
        return result

    x, v = np.array([1.0, 2.0]), np.array([1.0, 10.0])
    same(counted(x, v), np.array([12.0, 480.0]), "f is the sum of fourth powers")
    ### BEGIN HIDDEN TESTS
    for n in (1, 5, 12):
        x, v = rng.normal(size=n), rng.normal(size=n)
        same(counted(x, v), 12 * x * x * v, "f is the sum of fourth powers", rtol=1e-8)
    ### END HIDDEN TESTS


# %% tests="hvp" behaviour="linear" points=1
@autograder.test
def _(rng):
    "Zeros where the gradient does not depend on `x`, and right values beside it."

    @beside
    def run(x, v, slope, curve):
        import chainrule as cr

        def f(t):
            out = (t * cr.tensor(slope)).sum()
            return out + (t**2).sum() if curve else out

        return hvp(f, x, v)

    x = np.array([1.0, 2.0])
    same(run(x, x, x, False), np.zeros(2), "a linear f")
    same(run(x, x, x, True), 2 * x, "a linear f, plus the sum of squares")

    ### BEGIN HIDDEN TESTS
    @beside
    def with_parameter(x, v, slope):
        import chainrule as cr

        w = cr.tensor(slope, requires_grad=True)
        return hvp(lambda t: (t * w).sum(), x, v), hvp(lambda t: (t * t * w).sum(), x, v)

    for shape in ((3,), (2, 2), ()):
        x, v, slope = (rng.normal(size=shape) for _ in range(3))
        found = (np.zeros(shape), 2 * slope * v)
        same(with_parameter(x, v, slope), found, f"with a parameter, shape {shape}")
        same(run(x, v, slope, False), np.zeros(shape), f"a linear f, shape {shape}")
        same(run(x, v, slope, True), 2 * v, f"plus the sum of squares, shape {shape}")
    ### END HIDDEN TESTS


# %% [markdown] prompt="train"
# ### Exercise 8: the lecture's loop, again
#
# Write `train(cr, x, y, w1, w2, lr, steps)`: gradient descent for the two-layer net of lesson 01
# (`relu(x @ w1) @ w2`, no biases, the sum of squared errors), with no gradient written by hand.
# `cr` is the engine, here the module `chainrule`; the rest are arrays and numbers.
#
# * In each step the engine differentiates once, by `loss.backward()` or `cr.grad`.
# * Return the tuple `(losses, w1, w2)`: a list with the loss *before* each of the `steps` updates,
#   as Python floats, and the trained weights as new arrays.
# * Rounding aside (a relative 1e-9), the numbers are those of gradient descent in float64. `steps`
#   may be 0.
# * The arrays that were passed are unchanged.

# %% [markdown] hint="train"
# Four lines per step: loss, gradients, update, forget. The update must not be recorded, and
# gradients accumulate: what happens in step 2 if nobody forgets?

# %% [markdown] hint="train"
# ```
# tensors from copies of the arrays
# for each step:
#     forward          recorded
#     backward         fills w1.grad and w2.grad
#     update           inside no_grad
#     grad = None      or they add up
# ```

# %% [markdown] hint="train"
# ```python
# a = cr.tensor(w1, requires_grad=...)       # cr.tensor copies
# for _ in range(steps):
#     loss = ((cr.relu(...) @ ... - y) ** 2).sum()
#     ...                                    # note the loss, go back
#     with cr.no_grad():
#         a -= ...
#     ...                                    # forget
# ```


# %% exercise="train" minutes=15 difficulty=2 importance=4 allow="numpy chainrule"
def train(cr, x, y, w1, w2, lr, steps):
    """Train the two-layer net; return the losses and the weights."""
    ### BEGIN SOLUTION
    x, y = cr.tensor(x), cr.tensor(y)
    a, b = cr.tensor(w1, requires_grad=True), cr.tensor(w2, requires_grad=True)
    losses = []
    for _ in range(steps):
        loss = ((cr.relu(x @ a) @ b - y) ** 2).sum()
        losses.append(loss.item())
        loss.backward()
        with cr.no_grad():
            a -= lr * a.grad
            b -= lr * b.grad
        a.grad = b.grad = None
    return losses, a.detach().numpy(), b.detach().numpy()
    ### END SOLUTION


# %% tests="train" behaviour="numbers" points=3
@autograder.test
def _(rng):
    "Losses and weights of gradient descent; one differentiation by the engine in each step."

    @beside
    def run(*case):
        import chainrule as cr

        passes = []
        backward, grad = cr.Tensor.backward, cr.grad
        cr.Tensor.backward = lambda *a, **k: passes.append(1) or backward(*a, **k)
        cr.grad = lambda *a, **k: passes.append(1) or grad(*a, **k)
        try:
            return train(cr, *case), len(passes)
        finally:
            cr.Tensor.backward, cr.grad = backward, grad

    x, y = np.array([[1.0, 2.0]]), np.array([[1.0]])
    w1, w2 = np.array([[1.0], [0.5]]), np.array([[1.5]])
    # pred = 2 · 1.5 = 3, loss 4, gradients 2·2·2 = 8 and 2·2·1.5·x = (6, 12)
    moved, what = (np.array([[0.94], [0.38]]), np.array([[1.42]])), "(losses, w1, w2), passes: "
    same(run(x, y, w1, w2, 0.01, 1), (([4.0], *moved), 1), what + "one step")
    same(run(x, y, w1, w2, 0.01, 0), (([], w1, w2), 0), what + "no step")
    ### BEGIN HIDDEN TESTS

    def by_hand(x, y, w1, w2, lr, steps):
        w1, w2, losses = w1.copy(), w2.copy(), []
        for _ in range(steps):
            h = x @ w1
            h_relu = (h + np.abs(h)) / 2
            away = h_relu @ w2 - y
            losses.append(float((away * away).sum()))
            g2 = h_relu.T @ away
            g1 = x.T @ ((away @ w2.T) * (h > 0))
            w1, w2 = w1 - 2 * lr * g1, w2 - 2 * lr * g2
        return (losses, w1, w2), steps

    shapes = (4, 3, 5, 2, 1), (4, 3, 5, 2, 2), (6, 4, 4, 1, 25), (1, 1, 3, 1, 3), (3, 2, 4, 2, 4)
    for n, d, width, out, steps in shapes:
        case = [rng.normal(size=s) for s in ((n, d), (n, out), (d, width), (width, out))]
        for scale, lr in ((1.0, 1e-3), (300.0, 1e-8)):
            found = run(scale * case[0], *case[1:], lr, steps)
            expected = by_hand(scale * case[0], *case[1:], lr, steps)
            same(found, expected, what + f"{steps} of them", rtol=1e-8)
    x, w1, w2 = (rng.integers(-2, 3, size=s) * 1.0 for s in ((4, 3), (3, 2), (2, 1)))
    fitted = np.maximum(x @ w1, 0) @ w2
    same(run(x, fitted, w1, w2, 0.1, 3), (([0.0] * 3, w1, w2), 3), what + "the loss is 0 at once")
    ### END HIDDEN TESTS


# %% tests="train" behaviour="inputs_kept" points=1
@autograder.test
def _(rng):
    "Right losses, Python floats; the four arrays as they were, and new ones for the weights."

    @beside
    def after(steps, *arrays):
        import chainrule

        losses, *weights = train(chainrule, *arrays, 0.01, steps) or [[]]
        shared = any(np.shares_memory(w, a) for w in weights for a in arrays)
        return all(isinstance(v, float) for v in losses), losses, shared, *arrays

    def losses(steps, x, y, w1, w2):
        for _ in range(steps):
            h = np.maximum(x @ w1, 0)
            away = h @ w2 - y
            yield float((away * away).sum())
            g1 = 2 * x.T @ (away @ w2.T * (h > 0))
            w1, w2 = w1 - 0.01 * g1, w2 - 0.01 * 2 * h.T @ away

    case = np.array([[1.0, 2.0]]), np.array([[1.0]]), np.array([[1.0], [0.5]]), np.array([[1.5]])
    what = "Python floats, losses, the weights share memory with an argument, x, y, w1, w2"
    same(after(2, *case), (True, [*losses(2, *case)], False, *case), what, rtol=1e-8)
    ### BEGIN HIDDEN TESTS
    for steps in (0, 1, 2, 5):
        case = [rng.normal(size=s) for s in ((5, 3), (5, 2), (3, 4), (4, 2))]
        same(after(steps, *case), (True, [*losses(steps, *case)], False, *case), what, rtol=1e-8)
    ### END HIDDEN TESTS


# %% [markdown] prompt="what_it_costs"
# ### Question: what the tape costs
#
# For one forward pass of the lecture's net (N 64, D_in 1000, H 100, D_out 10, float64), which
# arrays must the tape keep until `backward`, besides the weights and the data? How many bytes is
# that, roughly? Name one thing that `backward` itself does to give memory back, and one that the
# person who trains can do.

# %% [markdown] written="what_it_costs" points=2
# ### BEGIN SOLUTION
# The rules of the two products and of the ReLU need `h_relu` (64 x 100 numbers; its sign says where
# `h` was positive) and the difference `y_pred - y` (64 x 10): 6,400 + 640 numbers of 8 bytes, about
# 56 KB. (Keeping `h` too makes it 107 KB.) `backward` frees each node after its rule was called.
# One can predict under `no_grad`, detach what is only reported, use smaller batches and let
# gradients accumulate, or use float32.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# * 1 point: hidden values (h or h_relu, or both) and the difference; a size between 50 and 120 KB.
#   (Half if one array is missing.)
# * 1 point: freeing the graph behind the pass, and one measure of the user's.
# ### END MARK SCHEME

# %% [markdown]
# ## Variable, and what became of it
#
# The lecture of 2017 wraps every array: `x = Variable(torch.randn(N, D_in))`. A `Variable` was a
# node of the graph: `x.data` the array, `x.grad` again a `Variable`, and the same methods as a
# tensor. Since PyTorch 0.4 (April 2018, [release
# notes](https://github.com/pytorch/pytorch/releases/tag/v0.4.0)) the two are one: every tensor can
# record, and `requires_grad` says whether it does. Your class has the merged form.
#
# Where it comes from: *autograd* by Maclaurin, Duvenaud and Adams (2014 on) recorded plain NumPy
# code; Chainer (Tokui et al., 2015) built a framework on "define by run"; PyTorch (2017) made it
# fast. What it bought: any Python program of differentiable steps has gradients, loops and branches
# included. What it cost: the graph is built anew in each step, and nobody sees it whole before it
# runs. Lessons 12 and 13 go the other way.
#
# ## Now in PyTorch and TensorFlow
#
# Not graded. The loop of exercise 8 in PyTorch is the same text. TensorFlow calls the record by its
# name, a *tape*, and one has to switch it on; `persistent=True` is `retain_graph`.

# %%
HOW = "is not installed here. `make lab`, without LIGHT=1, adds it; all the rest works without."
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
try:
    import torch
except ImportError:
    torch = None
    print("PyTorch", HOW)
try:
    import tensorflow as tf
except ImportError:
    tf = None
    print("TensorFlow", HOW)

# %%
first, second = np.array([1.0, 2.0]), np.array([3.0, -2.0])
p, q = Tensor(first, requires_grad=True), Tensor(second, requires_grad=True)
t = Tensor(first * second, True, (p, q), lambda g: (g * second, g * first))
z = Tensor(np.sin(t.data + first), True, (t, p), lambda g: (g * np.cos(t.data + first),) * 2)
backward(z, np.ones(2))
print("yours     ", p.grad, q.grad)
if torch:
    a, b = (torch.tensor(v, requires_grad=True) for v in (first, second))
    torch.sin(a * b + a).sum().backward()
    print("PyTorch   ", a.grad.numpy(), b.grad.numpy())
if tf:
    a, b = tf.Variable(first), tf.Variable(second)
    with tf.GradientTape() as tape:
        out = tf.sin(a * b + a)
    print("TensorFlow", *(g.numpy() for g in tape.gradient(out, (a, b))))

# %% [markdown]
# And what happens on a second pass? All three say that the graph is gone.

# %%
try:
    backward(z, np.ones(2))
except RuntimeError as error:
    print("yours:", error)
if torch:
    a = torch.tensor(first, requires_grad=True)
    out = (a * a).sum()
    out.backward()
    try:
        out.backward()
    except RuntimeError as error:
        print("PyTorch:", str(error)[:68])
if tf:
    try:
        tape.gradient(out, (a, b))
    except RuntimeError as error:
        print("TensorFlow:", error)

# %% [markdown]
# You have built what `loss.backward()` calls. In lesson 05 you add operations to it that nobody
# foresaw.
