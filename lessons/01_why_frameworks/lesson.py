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
#     title: Why frameworks
#     minutes: 180
#     needs: []
#     covers:
#       why frameworks: Why frameworks
#       "NumPy, CPU only, own gradients": "NumPy: CPU only, own gradients"
#       L2 two-layer example: The L2 two-layer example
#       Xavier: initialize
#       immediate and deferred execution: Immediate and deferred execution
# ---

# %% [markdown]
# # Why frameworks
#
# Here is a neural network, its training data and its training loop. Five lines are missing.
#
# ```python
# import numpy as np
#
# rng = np.random.default_rng(0)
# N, D_in, H, D_out = 64, 1000, 100, 10
# x = rng.standard_normal((N, D_in))       # 64 examples of 1000 numbers each
# y = rng.standard_normal((N, D_out))      # and what to answer: 10 numbers each
# w1 = rng.standard_normal((D_in, H))
# w2 = rng.standard_normal((H, D_out))
# learning_rate = 1e-6
#
# for step in range(500):
#     h = x @ w1
#     h_relu = np.maximum(h, 0)
#     y_pred = h_relu @ w2
#     loss = np.square(y_pred - y).sum()
#
#     ...                                  # five lines: grad_w1 and grad_w2
#
#     w1 -= learning_rate * grad_w1
#     w2 -= learning_rate * grad_w2
# ```
#
# It is the example of CS231n Lecture 8 (Stanford, 2017), in NumPy. It imports no framework, and
# with its five lines it learns. So why does anybody need PyTorch or TensorFlow?
#
# The lecture gives three reasons. A framework lets you
#
# 1. build big computational graphs easily,
# 2. get their gradients automatically,
# 3. run it all on an accelerator.
#
# A list is easy to nod at. In this lesson you do without, and meet each reason as work. You write
# the five lines. Then you change one line of the net, and find yourself deriving again.

# %% given="setup"
import numpy as np

import autograder

# %% [markdown]
# ## Before you start: five minutes
#
# Three cells, not graded. Predict what each prints, on paper, then run it. The lesson leans on all
# three.
#
# **Python functions.** Which numbers are in `a` and in `b` at the end?


# %%
def halve(v):
    v /= 2


def half(v):
    v = v / 2
    return v


a, b = np.array([8.0, 4.0]), np.array([8.0, 4.0])
halve(a)
half(b)
print(a, b)

# %% [markdown]
# `v /= 2` writes into the caller's array; `v = v / 2` makes a new one. If that was news, read
# [Defining functions](https://docs.python.org/3/tutorial/controlflow.html#defining-functions) and
# [Copies and views](https://numpy.org/doc/stable/user/basics.copies.html) first.
#
# **Broadcasting.** Which two shapes?

# %%
print((np.ones((4, 3)) * np.array([1.0, 10.0, 100.0])).shape)
print((np.ones((4, 1)) - np.ones(4)).shape)

# %% [markdown]
# If the second one surprised you, read
# [Broadcasting](https://numpy.org/doc/stable/user/basics.broadcasting.html).
#
# **The chain rule.** What is the slope of (3w − 1)² at w = 2?

# %%
print(((3 * 2.001 - 1) ** 2 - (3 * 1.999 - 1) ** 2) / 0.002)

# %% [markdown]
# Twice the bracket, times three: 2 · 5 · 3. If that took long, read [Backpropagation,
# Intuitions](https://cs231n.github.io/optimization-2/) of the CS231n notes up to "Patterns in
# backward flow".
#
# ## How you are graded
#
# Below each exercise stand its checks, one for each behavior on the exercise's card, with its
# points. A check shows you a case or two that you can follow by hand, and asks the same of fresh
# numbers when your notebook is graded, or when you run `autograder check` on it yourself. Try as
# often as you like; nothing is held against you, and [How you are
# graded](../../docs/how_you_are_graded.md) tells the rest.
#
# Two rules hold in every exercise. Arrays are float64. A function leaves the arrays it is given as
# they were.

# %% [markdown]
# ## The L2 two-layer example
#
# The net takes a row of numbers, multiplies it by a matrix, sets what is negative to zero (the
# *ReLU*), and multiplies by a second matrix. There are no biases. One row is one example; a *batch*
# is a matrix of rows.
#
# | name | shape | what it is |
# |---|---|---|
# | `x` | (N, D_in) | the batch: N examples |
# | `w1`, `w2` | (D_in, H), (H, D_out) | the weights |
# | `h` | (N, H) | hidden values before the ReLU |
# | `h_relu` | (N, H) | hidden values after it |
# | `pred` | (N, D_out) | the prediction |
#
# Shrink it until it fits in your head: one example, three inputs, two hidden units, one output.
#
# ```
#                       [1  0]
# x = [1  2  -1]   w1 = [2  1]    h      = x @ w1      = [4  -1]
#                       [1  3]    h_relu = max(h, 0)   = [4   0]
#                  w2 = [2]       pred   = h_relu @ w2 = 4·2 + 0·5 = 8
#                       [5]
# ```
#
# The second hidden unit came out at −1, and the ReLU turned it off. Whatever `w2` has to say about
# it, here a 5, no longer matters. Remember that unit.
#
# To train the net we shall walk back through these lines, and on the way we need values from the
# way forward. So the forward pass returns two things: the prediction, and a *cache* of what the way
# back will ask for. Every framework keeps such a cache. It is why training takes more memory than
# predicting.

# %% [markdown] prompt="forward"
# ### Exercise 1: forward
#
# Write `forward(x, w1, w2)`. It returns the pair `(pred, cache)`:
#
# * `pred` is `h_relu @ w2`, for any batch size (one row included) and any widths; the arguments may
#   also be slices or transposes of other arrays;
# * `cache` is the tuple `(x, h, h_relu, w2)`, where `h` is the hidden values *before* the ReLU and
#   `h_relu` those after it.
#
# `x`, `w1` and `w2` are unchanged after the call, and so is what earlier calls returned.

# %% [markdown] hint="forward"
# `np.maximum(h, 0)` compares each entry with 0 and keeps the larger. It makes a new array, and that
# matters: the cache holds both the old one and the new one.

# %% [markdown] hint="forward"
# ```
# x ──► @ w1 ──► h ──► max(·, 0) ──► h_relu ──► @ w2 ──► pred
# │              │                     │           │
# └──────────────┴────── cache ────────┴───────────┘
# ```

# %% [markdown] hint="forward"
# ```python
# h = ...                       # (N, H)
# h_relu = ...                  # (N, H), a new array
# return ..., (x, h, h_relu, w2)
# ```


# %% exercise="forward" minutes=10 difficulty=1 importance=3 allow="numpy"
def forward(x, w1, w2):
    """Return (pred, cache) of the two-layer ReLU net; cache is (x, h, h_relu, w2)."""
    ### BEGIN SOLUTION
    h = x @ w1
    h_relu = np.where(h > 0, h, 0.0)
    return h_relu @ w2, (x, h, h_relu, w2)
    ### END SOLUTION


# %% tests="forward" behaviour="prediction" points=2
@autograder.test
def _(rng):
    "`pred` is relu(x @ w1) @ w2, for any batch size and any widths."

    @beside
    def pred_of(x, w1, w2):
        pred, _cache = forward(x, w1, w2)
        return pred

    x = np.array([[1.0, 2.0, -1.0]])
    w1 = np.array([[1.0, 0.0], [2.0, 1.0], [1.0, 3.0]])
    w2 = np.array([[2.0], [5.0]])
    same(pred_of(x, w1, w2), np.array([[8.0]]), "pred of the net in your head")

    x = np.array([[2.0], [-3.0]])
    w1 = np.array([[4.0, -1.0]])
    w2 = np.array([[1.0, 0.5, 0.0], [10.0, 0.0, -1.0]])
    expected = np.array([[8.0, 4.0, 0.0], [30.0, 0.0, -3.0]])
    same(pred_of(x, w1, w2), expected, "pred of two examples")
    ### BEGIN HIDDEN TESTS

    def oracle(x, w1, w2):
        h = np.einsum("nd,dh->nh", x, w1)
        return np.einsum("nh,ho->no", (h + np.abs(h)) / 2, w2)

    sizes = (1, 1, 1, 1), (1, 6, 4, 3), (7, 2, 9, 2), (4, 4, 4, 4), (5, 3, 4, 1), (80, 3, 2, 2)
    for n, d_in, width, d_out in sizes:
        for scale in (0.01, 1.0, 30.0):
            x = scale * rng.normal(size=(n, d_in))
            w1 = scale * rng.normal(size=(d_in, width))
            w2 = scale * rng.normal(size=(width, d_out))
            same(pred_of(x, w1, w2), oracle(x, w1, w2), f"pred of a fresh batch of {n}")

    @beside
    def pred_of_views(x, w1, w2):
        pred, _cache = forward(x[::2, ::-1], w1.T, w2[:, ::2])
        return pred

    x, w1, w2 = rng.normal(size=(8, 3)), rng.normal(size=(5, 3)), rng.normal(size=(5, 4))
    same(pred_of_views(x, w1, w2), oracle(x[::2, ::-1], w1.T, w2[:, ::2]), "pred of views")
    ### END HIDDEN TESTS


# %% tests="forward" behaviour="cache" points=1
@autograder.test
def _(rng):
    "`cache` is (x, h, h_relu, w2), with `h` as it was before the ReLU."

    @beside
    def cache_of(x, w1, w2):
        _pred, cache = forward(x, w1, w2)
        return cache

    x = np.array([[1.0, 2.0, -1.0]])
    w1 = np.array([[1.0, 0.0], [2.0, 1.0], [1.0, 3.0]])
    w2 = np.array([[2.0], [5.0]])
    expected = (x, np.array([[4.0, -1.0]]), np.array([[4.0, 0.0]]), w2)
    same(cache_of(x, w1, w2), expected, "cache")
    ### BEGIN HIDDEN TESTS
    for n, d_in, width, d_out in ((1, 5, 4, 3), (6, 2, 7, 2), (3, 3, 3, 3)):
        x, w1 = rng.normal(size=(n, d_in)), rng.normal(size=(d_in, width))
        w2 = rng.normal(size=(width, d_out))
        h = np.einsum("nd,dh->nh", x, w1)
        same(cache_of(x, w1, w2), (x, h, (h + np.abs(h)) / 2, w2), "cache")
    ### END HIDDEN TESTS


# %% tests="forward" behaviour="inputs_kept" points=1
@autograder.test
def _(rng):
    "A right `pred` leaves `x`, `w1`, `w2` and what earlier calls returned unchanged."

    @beside
    def after(x, w1, w2):
        pred, _cache = forward(x, w1, w2)
        forward(x + 1, w1, w2)
        return pred, x, w1, w2

    case = (np.array([[1.0, 2.0]]), np.array([[1.0, -1.0], [3.0, 0.5]]), np.array([[2.0], [-5.0]]))
    same(after(*case), (np.array([[14.0]]), *case), "pred, x, w1, w2 after two calls")
    ### BEGIN HIDDEN TESTS
    for shapes in (((4, 3), (3, 5), (5, 2)), ((3, 3), (3, 3), (3, 3))):
        x, w1, w2 = (rng.normal(size=shape) for shape in shapes)
        h = np.einsum("nd,dh->nh", x, w1)
        pred = np.einsum("nh,ho->no", (h + np.abs(h)) / 2, w2)
        same(after(x, w1, w2), (pred, x, w1, w2), "pred, x, w1, w2 after two calls")
    ### END HIDDEN TESTS


# %% [markdown]
# Training needs one number that says how wrong the prediction is. The lecture takes the sum of
# squared differences, the L2 loss. In the net above, if the right answer is 3, the loss is (8 − 3)²
# = 25.
#
# And it needs a direction: if this entry of `pred` grew a little, how fast would the loss grow?
# That is the gradient of the loss with respect to `pred`, an array of the same shape. Here it is 2
# · (8 − 3) = 10.
#
# Libraries often take the mean instead of the sum. Be careful what a mean divides by. PyTorch's
# `MSELoss` divides by the number of *entries*, not of examples. For the lecture's net that is 64 ·
# 10 = 640, and so the mean needs a learning rate 640 times as large to take the same steps.
#
# One more trap, and it is silent. Subtract targets of shape (64,) from predictions of shape (64,
# 1): by broadcasting the result is (64, 64). Nothing fails. The net trains on 4096 differences,
# 4032 of which mean nothing. A good loss refuses.

# %% [markdown] prompt="loss_and_grad"
# ### Exercise 2: a loss and its gradient
#
# Write `loss_and_grad(pred, y, reduction="sum")`. It returns the pair `(loss, grad)`: a number, and
# an array of the shape of `pred`. `pred` and `y` have one axis or more.
#
# * `reduction="sum"`, also when it is not given: the loss is the sum of (pred − y)² over all
#   entries;
# * `reduction="mean"`: that sum divided by the number of entries;
# * `grad` is the gradient, with respect to `pred`, of the loss that is returned;
# * if `pred` and `y` differ in shape, raise `ValueError`, even where NumPy could broadcast them;
# * any other `reduction` raises `ValueError` with the word it was given in the message. Only the
#   two words as written here will do.
#
# `pred` and `y` are unchanged after the call.

# %% [markdown] hint="loss_and_grad"
# Each entry of `pred` sits in exactly one square. So its gradient is the derivative of that one
# square. If the loss is divided by something, so is the gradient.

# %% [markdown] hint="loss_and_grad"
# | `pred` | `y` | difference | square | its derivative |
# |---|---|---|---|---|
# | 8 | 3 | 5 | 25 | 10 |
# | 1 | 2 | −1 | 1 | −2 |
# | 2 | 2 | 0 | 0 | 0 |
# | | | | sum 26, mean 26/3 | for the mean: each divided by 3 |

# %% [markdown] hint="loss_and_grad"
# ```python
# if ... != ...:
#     raise ValueError(...)
# difference = pred - y
# if reduction == "sum":
#     return ..., ...
# if reduction == "mean":
#     return ..., ...
# raise ValueError(...)
# ```


# %% exercise="loss_and_grad" minutes=10 difficulty=2 importance=3 allow="numpy"
def loss_and_grad(pred, y, reduction="sum"):
    """Return the squared error and its gradient with respect to pred."""
    ### BEGIN SOLUTION
    if pred.shape != y.shape:
        raise ValueError(f"pred has shape {pred.shape} but y has shape {y.shape}")
    if reduction not in ("sum", "mean"):
        raise ValueError(f"reduction is 'sum' or 'mean', not {reduction!r}")
    count = pred.size if reduction == "mean" else 1
    difference = pred - y
    return (difference**2).sum() / count, 2 * difference / count
    ### END SOLUTION


# %% tests="loss_and_grad" behaviour="sum" points=2
@autograder.test
def _(rng):
    "The sum form, also the default: the loss and its gradient; `pred` and `y` stay as they were."

    @beside
    def after(pred, y):
        result = loss_and_grad(pred, y)
        return result, pred, y

    pred = np.array([[8.0, 1.0, 2.0], [3.0, 0.0, 4.0]])
    y = np.array([[3.0, 2.0, 2.0], [1.0, 1.0, 1.0]])
    grad = np.array([[10.0, -2.0, 0.0], [4.0, -2.0, 6.0]])
    same(call(loss_and_grad, pred, y), (40.0, grad), "(loss, grad)")
    same(call(loss_and_grad, pred, y, reduction="sum"), (40.0, grad), "(loss, grad)")
    same(after(pred, y), ((40.0, grad), pred, y), "(loss, grad), pred and y after the call")
    ### BEGIN HIDDEN TESTS
    for shape in ((1, 1), (1, 5), (6, 2), (3, 3), (4,), (2, 3, 4)):
        for scale in (1e-3, 1.0, 1e3):
            pred, y = scale * rng.normal(size=shape), scale * rng.normal(size=shape)
            total = math.fsum(((pred - y) ** 2).ravel().tolist())
            same(call(loss_and_grad, pred, y), (total, 2.0 * (pred - y)), f"shape {shape}")
            same(call(loss_and_grad, pred, y, "sum"), (total, 2.0 * (pred - y)), f"shape {shape}")
            expected = ((total, 2.0 * (pred - y)), pred, y)
            same(after(pred, y), expected, "(loss, grad), pred and y after the call")
    ### END HIDDEN TESTS


# %% tests="loss_and_grad" behaviour="mean" points=2
@autograder.test
def _(rng):
    "The mean form divides both by the number of entries; `pred` and `y` stay as they were."

    @beside
    def after(pred, y):
        result = loss_and_grad(pred, y, reduction="mean")
        return result, pred, y

    pred = np.array([[8.0, 1.0, 2.0], [3.0, 0.0, 4.0]])
    y = np.array([[5.0, 2.0, 2.0], [1.0, 1.0, 1.0]])
    grad = np.array([[1.0, -1 / 3, 0.0], [2 / 3, -1 / 3, 1.0]])
    same(after(pred, y), ((4.0, grad), pred, y), "(loss, grad), pred and y after the call")
    ### BEGIN HIDDEN TESTS
    for shape in ((1, 1), (1, 5), (6, 2), (3, 3), (4,), (2, 3, 4)):
        for scale in (1e-3, 1.0, 1e3):
            pred, y = scale * rng.normal(size=shape), scale * rng.normal(size=shape)
            mean = math.fsum(((pred - y) ** 2).ravel().tolist()) / math.prod(shape)
            grad = 2.0 * (pred - y) / math.prod(shape)
            same(after(pred, y), ((mean, grad), pred, y), f"(loss, grad), pred, y, shape {shape}")
    ### END HIDDEN TESTS


# %% tests="loss_and_grad" behaviour="shapes_differ" points=1
@autograder.test
def _(rng):
    "Shapes that differ raise ValueError, even where NumPy could broadcast them."
    column, row, flat = np.array([[1.0], [2.0]]), np.array([[1.0, 2.0]]), np.array([1.0, 2.0])
    raises(ValueError, loss_and_grad, np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), flat)
    raises(ValueError, loss_and_grad, column, row)
    raises(ValueError, loss_and_grad, column, flat)
    ### BEGIN HIDDEN TESTS
    firsts = (5, 1), (4, 3), (4, 3), (1, 1), (6,), (2, 3), (4, 3), (1,), (2, 3, 4), (3, 3)
    seconds = (5,), (1, 3), (3,), (2, 2), (3, 2), (3, 2), (4, 1), (1, 1), (4, 3, 2), (3, 1)
    for one, other in zip(firsts, seconds, strict=True):
        for reduction in ("sum", "mean"):
            pred, y = rng.normal(size=one), rng.normal(size=other)
            raises(ValueError, loss_and_grad, pred, y, reduction)
            raises(ValueError, loss_and_grad, y, pred, reduction)
    ### END HIDDEN TESTS


# %% tests="loss_and_grad" behaviour="unknown_reduction" points=1
@autograder.test
def _(rng):
    "An unknown reduction raises ValueError, and the message contains the word that was given."
    pred, y = np.array([[1.0, 2.0]]), np.array([[0.0, 0.0]])
    raises(ValueError, loss_and_grad, pred, y, "average", mentions="average")
    ### BEGIN HIDDEN TESTS
    for word in ("total", "median", "summ", "none", "su", "m", "", "Sum", "MEAN", " mean"):
        pred, y = rng.normal(size=(2, 3, 2))
        raises(ValueError, loss_and_grad, pred, y, word, mentions=word)
    ### END HIDDEN TESTS


# %% [markdown]
# ## Your own gradients
#
# The loss gave the first of the five lines. Now the other four. What comes after the net, here the
# squared error, gives us one number for each entry of `pred`: how fast the loss grows when
# that entry grows. This array is the *upstream gradient*. Our job is to turn it into the same thing
# for `w1` and for `w2`. We never ask where it came from. That is what makes the answer reusable:
# today it comes from a squared error, in exercise 6 from something else.
#
# Take `w2` first, one weight of it: `w2[j, k]`. It is the road from hidden unit `j` to output `k`,
# and every example uses it. In example `n` it contributes `h_relu[n, j] * w2[j, k]` to
# `pred[n, k]`, so pushing it by one pushes `pred[n, k]` by `h_relu[n, j]`, and the loss by
# `h_relu[n, j] * upstream[n, k]`. Sum over the examples:
#
# ```
# grad_w2[j, k] = Σₙ h_relu[n, j] · upstream[n, k]
# ```
#
# In the net in your head: upstream is 10, the hidden units are 4 and 0, and so the gradient of `w2`
# is 40 and 0. The unit that is off gets no blame for what came out.
#
# The way to `w1` is longer. It leads through the hidden units, through the ReLU, and then the same
# argument holds once more. What does a ReLU do on the way back? Where `h` is positive, it passed
# the value on unchanged, slope 1. Where `h` is negative, it passed on 0 whatever the value was,
# slope 0.

# %% [markdown] prompt="backward"
# ### Exercise 3: backward
#
# Write `backward(cache, upstream)`. It returns the pair `(grad_w1, grad_w2)`, the gradients of both
# weight matrices, each of its matrix's shape.
#
# * `cache` is `(x, h, h_relu, w2)` as in exercise 1. The checks bring their own, so your `forward`
#   is not needed;
# * `upstream` has the shape of `pred`, (N, D_out), and may hold any numbers. Do not assume the
#   squared error;
# * the loss is one number for the whole batch, so the examples' contributions add up. Nothing is
#   divided by N;
# * a hidden unit passes gradient back only for the examples in which it was on. (At `h = 0` exactly
#   the slope is a matter of taste. The lecture's program takes 1, PyTorch takes 0. The checks stay
#   away from it.)
#
# The arrays in `cache` and `upstream` are unchanged after the call. They may also be slices or
# transposes of other arrays.

# %% [markdown] hint="backward"
# Go backward through `forward`, line by line. For `c = a @ b`, with `g` the gradient for `c`, the
# gradient for `b` is `a.T @ g` and the gradient for `a` is `g @ b.T`. You need not memorize it:
# write down the shapes, and only one product fits.

# %% [markdown] hint="backward"
# The net in your head: forward above, from left to right; backward below, from right to left.
#
# ```
# x = [1  2  -1] ──► h = [4  -1] ──► h_relu = [4   0] ──► pred = [8]
#
# grad_w1        ◄── grad_h      ◄── grad_h_relu      ◄── upstream = [10]
# [ 20   0]          [20   0]        [20  50]             grad_w2  = [40]
# [ 40   0]                                                          [ 0]
# [-20   0]
# ```
#
# | gradient of | shape | made from |
# |---|---|---|
# | `w2` | (H, D_out) | `h_relu` (N, H), `upstream` (N, D_out) |
# | `h_relu` | (N, H) | `upstream` (N, D_out), `w2` (H, D_out) |
# | `h` | (N, H) | the line above, and where `h` was positive |
# | `w1` | (D_in, H) | `x` (N, D_in), the line above |

# %% [markdown] hint="backward"
# ```python
# x, h, h_relu, w2 = cache
# grad_w2 = ...
# grad_h_relu = ...
# grad_h = ...              # grad_h_relu where h > 0, else 0
# grad_w1 = ...
# return grad_w1, grad_w2
# ```


# %% exercise="backward" minutes=25 difficulty=3 importance=5 allow="numpy"
def backward(cache, upstream):
    """Return (grad_w1, grad_w2) for any gradient `upstream` of the prediction."""
    ### BEGIN SOLUTION
    x, h, h_relu, w2 = cache
    grad_h = (upstream @ w2.T) * (h > 0)
    return x.T @ grad_h, h_relu.T @ upstream
    ### END SOLUTION


# %% tests="backward" behaviour="grad_w2" points=2
@autograder.test
def _(rng):
    "The gradient of `w2`, for any upstream gradient, any batch size and any widths."

    @beside
    def grad_w2_of(cache, upstream):
        _grad_w1, grad_w2 = backward(cache, upstream)
        return grad_w2

    x, w2 = np.array([[1.0, 2.0, -1.0]]), np.array([[2.0], [5.0]])
    cache = (x, np.array([[4.0, -1.0]]), np.array([[4.0, 0.0]]), w2)
    small = grad_w2_of(cache, np.array([[10.0]]))
    x, h = np.array([[1.0], [-2.0]]), np.array([[1.0, -1.0], [2.0, 5.0]])
    cache = (x, h, np.array([[1.0, 0.0], [2.0, 5.0]]), np.array([[1.0, 2.0], [3.0, -1.0]]))
    large = grad_w2_of(cache, np.array([[1.0, 1.0], [2.0, -5.0]]))
    same(small, np.array([[40.0], [0.0]]), "grad_w2, net in your head")
    same(large, np.array([[5.0, -9.0], [10.0, -25.0]]), "grad_w2, two examples")
    ### BEGIN HIDDEN TESTS
    sizes = (1, 1, 1, 1), (1, 6, 4, 3), (7, 2, 9, 2), (4, 4, 4, 4), (5, 3, 4, 1)
    for n, d_in, width, d_out in sizes:
        for scale in (1e-2, 1.0, 1e2):
            x, h = rng.normal(size=(n, d_in)), rng.normal(size=(n, width))
            h_relu, w2 = (h + np.abs(h)) / 2, rng.normal(size=(width, d_out))
            upstream = scale * rng.normal(size=(n, d_out))
            expected = sum(np.outer(h_relu[i], upstream[i]) for i in range(n))
            same(grad_w2_of((x, h, h_relu, w2), upstream), expected, f"grad_w2, batch of {n}")

    @beside
    def of_views(x, h, h_relu, w2, upstream):
        views = (x[::2, ::-1], h.T, h_relu[:, ::2], w2.T)
        _grad_w1, grad_w2 = backward(views, upstream[::-1, ::2])
        return grad_w2

    x, h, h_relu, w2 = (rng.normal(size=size) for size in ((120, 4), (5, 60), (60, 10), (3, 5)))
    h_relu[:, ::2], upstream = np.maximum(h.T, 0.0), rng.normal(size=(60, 6))
    expected = np.einsum("nj,no->jo", h_relu[:, ::2], upstream[::-1, ::2])
    same(of_views(x, h, h_relu, w2, upstream), expected, "grad_w2, of views")
    ### END HIDDEN TESTS


# %% tests="backward" behaviour="grad_w1" points=3
@autograder.test
def _(rng):
    "The gradient of `w1` while every hidden unit is on, for any upstream gradient and any sizes."

    @beside
    def grad_w1_of(cache, upstream):
        grad_w1, _grad_w2 = backward(cache, upstream)
        return grad_w1

    x, h = np.array([[1.0, 2.0, -1.0]]), np.array([[4.0, 3.0]])
    small = grad_w1_of((x, h, h, np.array([[2.0], [5.0]])), np.array([[10.0]]))
    x, h = np.array([[1.0], [-2.0]]), np.array([[1.0, 4.0], [2.0, 5.0]])
    cache = (x, h, h, np.array([[1.0, 2.0], [3.0, -1.0]]))
    large = grad_w1_of(cache, np.array([[1.0, 1.0], [2.0, -5.0]]))
    same(small, np.array([[20.0, 50.0], [40.0, 100.0], [-20.0, -50.0]]), "grad_w1, both units on")
    same(large, np.array([[19.0, -20.0]]), "grad_w1, two examples")
    ### BEGIN HIDDEN TESTS
    sizes = (1, 1, 1, 1), (1, 6, 4, 3), (7, 2, 9, 2), (4, 4, 4, 4), (5, 3, 4, 1)
    for n, d_in, width, d_out in sizes:
        for scale in (1e-2, 1.0, 1e2):
            x, h = rng.normal(size=(n, d_in)), rng.uniform(0.01, 3.0, size=(n, width))
            w2, upstream = rng.normal(size=(width, d_out)), scale * rng.normal(size=(n, d_out))
            expected = np.einsum("ni,no,jo->ij", x, upstream, w2)
            got = grad_w1_of((x, h, h.copy(), w2), upstream)
            same(got, expected, f"grad_w1, batch of {n}")
    ### END HIDDEN TESTS


# %% tests="backward" behaviour="units_off" points=3
@autograder.test
def _(rng):
    "A hidden unit passes gradient back to `w1` only for the examples in which it was on."

    @beside
    def grad_w1_of(cache, upstream):
        grad_w1, _grad_w2 = backward(cache, upstream)
        return grad_w1

    x, w2 = np.array([[1.0, 2.0, -1.0]]), np.array([[2.0], [5.0]])
    cache = (x, np.array([[4.0, -1.0]]), np.array([[4.0, 0.0]]), w2)
    small = grad_w1_of(cache, np.array([[10.0]]))
    x, h = np.array([[1.0], [-2.0]]), np.array([[1.0, -1.0], [2.0, 5.0]])
    cache = (x, h, np.array([[1.0, 0.0], [2.0, 5.0]]), np.array([[1.0, 2.0], [3.0, -1.0]]))
    large = grad_w1_of(cache, np.array([[1.0, 1.0], [2.0, -5.0]]))
    same(small, np.array([[20.0, 0.0], [40.0, 0.0], [-20.0, 0.0]]), "grad_w1, net in your head")
    same(large, np.array([[19.0, -22.0]]), "grad_w1, unit 1 off in the first of two examples")
    ### BEGIN HIDDEN TESTS
    sizes = (1, 6, 4, 3), (7, 2, 9, 2), (4, 4, 4, 4), (5, 3, 4, 1), (6, 3, 5, 2)
    for n, d_in, width, d_out in sizes:
        x, w2 = rng.normal(size=(n, d_in)), rng.normal(size=(width, d_out))
        h = rng.choice([-1.0, 1.0], size=(n, width)) * rng.uniform(0.01, 3.0, size=(n, width))
        h[:, 0], h[0, -1] = -np.abs(h[:, 0]), abs(h[0, -1])
        h[:, 1:] *= rng.choice([1.0, 1e-3, 1e-6, 1e-9, 1e-12], size=(n, width - 1))
        upstream = rng.normal(size=(n, d_out))
        on = (h > 0).astype(float)
        expected = np.einsum("ni,no,jo,nj->ij", x, upstream, w2, on)
        same(grad_w1_of((x, h, h * on, w2), upstream), expected, f"grad_w1, batch of {n}")

    @beside
    def of_views(x, h, h_relu, w2, upstream):
        views = (x[::2, ::-1], h.T, h_relu[:, ::2], w2.T)
        grad_w1, _grad_w2 = backward(views, upstream[::-1, ::2])
        return grad_w1

    x, h, h_relu, w2 = (rng.normal(size=size) for size in ((120, 4), (5, 60), (60, 10), (3, 5)))
    h_relu[:, ::2], upstream = np.maximum(h.T, 0.0), rng.normal(size=(60, 6))
    on = (h.T > 0).astype(float)
    expected = np.einsum("ni,no,oj,nj->ij", x[::2, ::-1], upstream[::-1, ::2], w2, on)
    same(of_views(x, h, h_relu, w2, upstream), expected, "grad_w1, of views")
    ### END HIDDEN TESTS


# %% tests="backward" behaviour="inputs_kept" points=1
@autograder.test
def _(rng):
    "Right gradients leave the arrays in `cache` and `upstream` unchanged."

    @beside
    def after(cache, upstream):
        result = backward(cache, upstream)
        return result, cache, upstream

    x, w2 = np.array([[1.0, 2.0, -1.0]]), np.array([[2.0], [5.0]])
    cache = (x, np.array([[4.0, -1.0]]), np.array([[4.0, 0.0]]), w2)
    upstream = np.array([[10.0]])
    grads = (np.array([[20.0, 0.0], [40.0, 0.0], [-20.0, 0.0]]), np.array([[40.0], [0.0]]))
    same(after(cache, upstream), (grads, cache, upstream), "gradients, cache, upstream afterwards")
    ### BEGIN HIDDEN TESTS
    for n, d_in, width, d_out in ((1, 6, 4, 3), (7, 2, 9, 2), (4, 4, 4, 4)):
        x, h, w2 = (rng.normal(size=shape) for shape in ((n, d_in), (n, width), (width, d_out)))
        cache, upstream = (x, h, (h + np.abs(h)) / 2, w2), rng.normal(size=(n, d_out))
        grad_w1 = np.einsum("ni,no,jo,nj->ij", x, upstream, w2, (h > 0).astype(float))
        grads = (grad_w1, np.einsum("nj,no->jo", cache[2], upstream))
        expected = (grads, cache, upstream)
        same(after(cache, upstream), expected, "gradients, cache, upstream afterwards")
    ### END HIDDEN TESTS


# %% [markdown]
# Do you trust it? Nudge one weight and watch the loss. This works on any net and needs no algebra;
# lesson 02 makes it a tool.

# %%
x_small, y_small = np.array([[1.0, 2.0, -1.0]]), np.array([[3.0]])
w1_small, w2_small = np.array([[1.0, 0.0], [2.0, 1.0], [1.0, 3.0]]), np.array([[2.0], [5.0]])


def loss_at(nudge):
    moved = w1_small.copy()
    moved[1, 0] += nudge
    return loss_and_grad(forward(x_small, moved, w2_small)[0], y_small)[0]


pred, cache = forward(x_small, w1_small, w2_small)
loss, upstream = loss_and_grad(pred, y_small)
grad_w1, grad_w2 = backward(cache, upstream)
print("nudged  ", (loss_at(1e-6) - loss_at(-1e-6)) / 2e-6)
print("backward", grad_w1[1, 0])

# %% [markdown]
# ## Drag a weight
#
# The same net with three hidden units, small enough to see whole. Every edge shows its weight and
# its gradient. (The lecture and this picture call `pred` `y_pred`.) Three things to try.
# Before each, write down what you expect.
#
# 1. Unit 1 is off: its `h` is −0.2. Which gradients are 0 because of it? Drag `w2[1]` anywhere:
#    does the loss move? Now raise `w1[0,1]` from −0.8. At which value does the loss begin to move?
# 2. The gradient of `w2[0]` is −4, the loss is 1. Raise `w2[0]` by 0.1, from 0.5 to 0.6. What will
#    the loss be? Is it exactly what the gradient promised?
# 3. Choose the second sample. Same weights, another example: which unit is off now? Then take one
#    step of gradient descent, which uses the chosen sample alone, and look at that unit's weights.

# %%
from chainrule.widgets import TinyNet

TinyNet()

# %% [markdown]
# What you should have seen. A unit that is off has gradient 0 on the weights into it *and* out of
# it, until `w1[0,1]` passes −0.6. The gradient promised 0.6 and the loss went to 0.64: it is a
# slope, right for small steps only. And being off belongs to a unit *and an example*, not to a unit
# alone. The weights of a unit that is off in every example do not move at all.

# %% [markdown]
# ## The whole program
#
# You have the pieces: forward, loss, backward. Training is a loop around them. Each step runs the
# whole batch through the net and moves both matrices a little against their gradients:
#
# ```
# w1  ←  w1 − lr · grad_w1          w2  ←  w2 − lr · grad_w2
# ```
#
# Both gradients are taken at the same weights, before either moves.

# %% [markdown] prompt="train"
# ### Exercise 4: train
#
# Write `train(x, y, w1, w2, lr, steps, forward, loss_and_grad, backward)`. It runs `steps` steps of
# gradient descent on the whole batch and returns `(losses, w1, w2)`: the list of losses and the two
# matrices after the last step.
#
# * It is handed the three functions, with the arguments and results of exercises 1 to 3, and uses
#   the sum form of the loss. Call the ones you are handed: the checks bring their own, so that a
#   slip above costs nothing here. Their cache may be anything; hand it on without looking inside.
# * Each step calls each of the three once.
# * `losses` has `steps` numbers. Each is the loss *before* that step's update. With `steps=0` it is
#   empty, and the weights come back as they were.
# * Rounding aside (a relative 1e-9), the weights after each step are those of gradient descent. The
#   arrays `x`, `y`, `w1`, `w2` that were passed in are unchanged.

# %% [markdown] hint="train"
# A Python function can be handed to another like any value. Inside `train`, `forward` is whatever
# came in under that name. And mind the self-test: `w1 -= ...` writes into the caller's array.

# %% [markdown] hint="train"
# | step | weights | loss recorded | then |
# |---|---|---|---|
# | 0 | as given | at these weights | both move |
# | 1 | moved once | at these weights | both move |
# | … | | | |
# | returned | moved `steps` times | not recorded | |

# %% [markdown] hint="train"
# ```python
# losses = []
# for _ in range(steps):
#     pred, cache = ...
#     loss, upstream = ...
#     grad_w1, grad_w2 = ...
#     losses.append(...)
#     w1 = ...              # a new array
#     w2 = ...
# return losses, w1, w2
# ```


# %% exercise="train" minutes=15 difficulty=2 importance=4 allow="numpy"
def train(x, y, w1, w2, lr, steps, forward, loss_and_grad, backward):
    """Return (losses, w1, w2) after `steps` steps of gradient descent on the whole batch."""
    ### BEGIN SOLUTION
    losses = []
    for _ in range(steps):
        pred, cache = forward(x, w1, w2)
        loss, upstream = loss_and_grad(pred, y)
        grad_w1, grad_w2 = backward(cache, upstream)
        losses.append(loss)
        w1, w2 = w1 - lr * grad_w1, w2 - lr * grad_w2
    return losses, w1, w2
    ### END SOLUTION


# %% tests="train" behaviour="trajectory" points=3
@autograder.test
def _(rng):
    "The weights follow gradient descent, after any number of steps right to a relative 1e-9."

    @beside
    def weights_after(*arguments):
        _losses, w1, w2 = train(*arguments)
        return w1, w2

    # Stand-ins to follow by hand: the gradient of w1 is w1, that of w2 is -w2; lr is 0.5.
    def forward_here(x, w1, w2):
        return np.zeros((2, 1)), [w1, w2]

    def loss_here(pred, y, reduction="sum"):
        return 7.0, np.full((2, 1), 1.0 if reduction == "sum" else 0.25)

    def backward_here(cache, upstream):
        return np.mean(upstream) * cache[0], -np.mean(upstream) * cache[1]

    parts = (callback(forward_here), callback(loss_here), callback(backward_here))
    x, y, w1, w2 = np.ones((2, 1)), np.ones((2, 1)), np.array([[3.0]]), np.array([[4.0]])
    one, two = (weights_after(x, y, w1, w2, 0.5, steps, *parts) for steps in (1, 2))
    same(one, (np.array([[1.5]]), np.array([[6.0]])), "(w1, w2) after one step")
    same(two, (np.array([[0.75]]), np.array([[9.0]])), "(w1, w2) after two steps")
    ### BEGIN HIDDEN TESTS
    caches = []

    def net(x, w1, w2):
        caches.append((x, x @ w1, w2))
        return np.maximum(x @ w1, 0.0) @ w2, f"ticket {len(caches) - 1}"

    def squared_error(pred, y, reduction="sum"):
        count = pred.size if reduction == "mean" else 1
        return float(((pred - y) ** 2).sum() / count), 2.0 * (pred - y) / count

    def gradients(cache, upstream):
        x, h, w2 = caches[int(cache.split()[1])]
        return x.T @ ((upstream @ w2.T) * (h > 0)), np.maximum(h, 0.0).T @ upstream

    parts = (callback(net), callback(squared_error), callback(gradients))
    runs = (
        ((6, 3, 5, 2), 1e-3, (1, 2)),
        ((1, 4, 3, 1), 1e-2, (1, 40)),
        ((16, 20, 10, 4), 1e-5, (3, 50, 500)),
        ((64, 1000, 100, 10), 1e-6, (10,)),
    )
    for (n, d_in, width, d_out), lr, lengths in runs:
        x, y = rng.normal(size=(n, d_in)), rng.normal(size=(n, d_out))
        start = rng.normal(size=(d_in, width)), rng.normal(size=(width, d_out))
        w1, w2 = start
        for step in range(1, max(lengths) + 1):
            pred, ticket = net(x, w1, w2)
            grad_w1, grad_w2 = gradients(ticket, squared_error(pred, y)[1])
            w1, w2 = w1 - lr * grad_w1, w2 - lr * grad_w2
            if step in lengths:
                last = weights_after(x, y, *start, lr, step, *parts)
                same(last, (w1, w2), f"(w1, w2), steps={step}", rtol=1e-9)
    ### END HIDDEN TESTS


# %% tests="train" behaviour="losses" points=2
@autograder.test
def _(rng):
    "`losses` holds the loss before each update, `steps` numbers, none for no steps."

    @beside
    def run(w1, w2, steps):
        # A stand-in whose loss is w1 + w2, with slope 1 in both.
        def forward_here(x, w1, w2):
            return w1 + w2, None

        def loss_here(pred, y, reduction="sum"):
            return float(pred[0, 0]), pred

        def backward_here(cache, upstream):
            return upstream * 0 + 1, upstream * 0 + 1

        result = train(w1, w1, w1, w2, 0.5, steps, forward_here, loss_here, backward_here)
        losses, last_w1, last_w2 = result
        losses = [float(loss) for loss in losses] if hasattr(losses, "__len__") else losses
        return losses, last_w1, last_w2

    w1, w2 = np.array([[1.0]]), np.array([[1.5]])
    four, none = run(w1, w2, 4), run(w1, w2, 0)
    same(four, ([2.5, 1.5, 0.5, -0.5], w1 - 2, w2 - 2), "(losses, w1, w2), four steps")
    same(none, ([], w1, w2), "(losses, w1, w2), no steps")
    ### BEGIN HIDDEN TESTS
    for steps in (1, 2, 7, 0, 30):
        w1, w2 = rng.normal(size=(1, 1)), rng.normal(size=(1, 1))
        expected = [float((w1 + w2)[0, 0]) - step for step in range(steps)]
        same(run(w1, w2, steps), (expected, w1 - 0.5 * steps, w2 - 0.5 * steps), f"steps={steps}")

    @beside
    def at_rest(n, steps):
        # A stand-in whose loss is 0 from the start, with slope 1 all the same.
        import numpy as np

        def forward_here(x, w1, w2):
            return x @ w1, None

        def loss_here(pred, y, reduction="sum"):
            return 0.0, pred

        def backward_here(cache, upstream):
            return np.ones((2, 1)), np.ones((1, 1))

        x, y = np.zeros((n, 2)), np.zeros((n, 1))
        start = np.zeros((2, 1)), np.zeros((1, 1))
        parts = forward_here, loss_here, backward_here
        losses, last_w1, last_w2 = train(x, y, *start, 0.5, steps, *parts)
        return [float(loss) for loss in losses], last_w1, last_w2

    for n, steps in ((1, 3), (4, 0), (5, 7)):
        moved = np.full((2, 1), -0.5 * steps), np.full((1, 1), -0.5 * steps)
        same(at_rest(n, steps), ([0.0] * steps, *moved), f"steps={steps}, a loss of 0")
    ### END HIDDEN TESTS


# %% tests="train" behaviour="calls" points=1
@autograder.test
def _(rng):
    "Each step calls each of the three functions once, on the whole batch."
    batches, targets = [], []

    def forward_here(x, w1, w2):
        batches.append(x)
        return x @ w1 @ w2, "a cache"

    def loss_here(pred, y, reduction="sum"):
        targets.append(y)
        return float(len(targets)), pred

    def backward_here(cache, upstream):
        return np.array([[0.5]]), np.array([[0.25]])

    parts = (callback(forward_here), callback(loss_here), callback(backward_here))
    x, y, w = np.array([[1.0], [2.0]]), np.array([[0.0], [0.0]]), np.array([[1.0]])
    call(train, x, y, w, w, 0.1, 3, *parts)
    same([part.calls for part in parts], [3, 3, 3], "calls of forward, loss_and_grad, backward")
    trajectory(batches, [x, x, x], "x handed to forward")
    trajectory(targets, [y, y, y], "y handed to loss_and_grad")
    ### BEGIN HIDDEN TESTS
    for n, steps in ((1, 4), (5, 1), (9, 12), (3, 0)):
        batches.clear()
        targets.clear()
        parts = (callback(forward_here), callback(loss_here), callback(backward_here))
        x, y, w = rng.normal(size=(n, 1)), rng.normal(size=(n, 1)), rng.normal(size=(1, 1))
        call(train, x, y, w, w, 0.1, steps, *parts)
        counts = [part.calls for part in parts]
        same(counts, [steps] * 3, "calls of forward, loss_and_grad, backward")
        trajectory(batches, [x] * steps, "x handed to forward")
        trajectory(targets, [y] * steps, "y handed to loss_and_grad")
    ### END HIDDEN TESTS


# %% tests="train" behaviour="inputs_kept" points=1
@autograder.test
def _(rng):
    "While the weights that come back have moved, the arrays that were passed in have not."

    @beside
    def after(x, y, w1, w2, steps):
        def forward_here(x, w1, w2):
            return x @ w1 @ w2, None

        def loss_here(pred, y, reduction="sum"):
            return float(pred.sum()), pred - y

        def backward_here(cache, upstream):
            return 0 * w1 + 1.0, 0 * w2 - 1.0

        parts = forward_here, loss_here, backward_here
        _losses, last_w1, last_w2 = train(x, y, w1, w2, 0.5, steps, *parts)
        return last_w1, last_w2, x, y, w1, w2

    case = (np.array([[2.0]]), np.array([[1.0]]), np.array([[3.0]]), np.array([[4.0]]))
    expected = (np.array([[2.0]]), np.array([[5.0]]), *case)
    same(after(*case, 2), expected, "the last w1 and w2; x, y, w1, w2 after the call")
    ### BEGIN HIDDEN TESTS
    for shapes in (((4, 3), (4, 2), (3, 5), (5, 2)), ((1, 2), (1, 2), (2, 2), (2, 2))):
        case = tuple(rng.normal(size=shape) for shape in shapes)
        for steps in (1, 5):
            expected = (case[2] - 0.5 * steps, case[3] + 0.5 * steps, *case)
            got = after(*case, steps)
            same(got, expected, "the last w1 and w2; x, y, w1, w2 after the call")
    ### END HIDDEN TESTS


# %% [markdown]
# Now the lecture's run, with your four functions and nothing else.

# %%
rng = np.random.default_rng(0)
N, D_in, H, D_out = 64, 1000, 100, 10
x, y = rng.standard_normal((N, D_in)), rng.standard_normal((N, D_out))
w1, w2 = rng.standard_normal((D_in, H)), rng.standard_normal((H, D_out))

losses, *_weights = train(x, y, w1, w2, 1e-6, 500, forward, loss_and_grad, backward)
for step in (0, 1, 10, 100, 499):
    print(f"step {step:3}   loss {losses[step]:.4g}")

# %% [markdown]
# From 31 million to less than a millionth, in 500 steps. (The targets are random numbers; the net
# has learned them by heart, which with 101,000 weights and 640 targets is no feat.)
#
# Put the gradient of the loss and the four lines of your `backward` where the dots stood at the
# top, and the program is whole: two dozen lines. In its loop four go forward, loss included, and
# five go back. More than half of the work was not the model. Every later lesson starts from this
# program and shows what one idea takes out of it.

# %% [markdown]
# ## Where the weights start
#
# Look again at the first loss: 31.5 million. Divided over 640 entries it is 49,000 each, so the
# first predictions are off by some 220, for targets that are about 1. Why so far? Each entry of `h`
# sums 1000 products of two standard normal numbers, so its mean square is 1000. The ReLU keeps half
# of that. Each entry of `pred` sums 100 such, and its variance is 100 · 500 = 50,000: a typical
# prediction is ±224.
#
# Large errors make large gradients, and that is why the learning rate had to be a millionth. With
# twenty layers instead of two, each would multiply the damage. So choose the first weights such
# that a layer keeps the size of what flows through it. There are two classic answers.
#
# * **Xavier** Glorot and Bengio (2010) wanted the variance kept on the way forward, which asks for
#   `1/d_in`, *and* on the way back, which asks for `1/d_out`. Their compromise is the variance
#   `2/(d_in + d_out)`, drawn uniformly.
# * **He** et al. (2015) noticed that a ReLU throws half away. Keeping the size asks for `2/d_in`.
#
# (You will also meet the name Xavier for the variance `1/d_in` alone. This course follows the
# paper.)

# %% [markdown] prompt="initialize"
# ### Exercise 5: initialize
#
# Write two functions. Each returns a float64 array of shape `(d_in, d_out)` whose entries are drawn
# independently, around 0.
#
# * `xavier(d_in, d_out, rng)`: uniform between −a and a, with `a = √(6 / (d_in + d_out))` (Glorot
#   and Bengio 2010, equation 16; its variance, a²/3, is `2/(d_in + d_out)`);
# * `he(d_in, d_out, rng)`: normal with standard deviation `√(2 / d_in)` (He et al. 2015, equation
#   10).
#
# `rng` is a `numpy.random.Generator`. Draw from it and from nothing else: a generator in the same
# state gives the same weights, a second draw from it gives others, and NumPy's global random state
# does not move.
#
# Random numbers are judged by their statistics, with bounds so wide that a right answer fails less
# than once in a billion draws.

# %% [markdown] hint="initialize"
# A generator has `rng.uniform(low, high, size)` and `rng.normal(mean, deviation, size)`. The third
# argument is the shape. `normal` wants the standard deviation, not the variance.

# %% [markdown] hint="initialize"
# ```
# xavier(200, 400, rng)               he(200, 300, rng)
# a = √(6 / 600) = 0.1                deviation √(2 / 200) = 0.1
#
#    ┌───────────┐                               .-^-.
#    │           │                             .'     '.
# ───┴─────┼─────┴───                ____...-''____│____''-...____
#  -0.1    0    0.1                      -0.2 -0.1 0 0.1  0.2
# ```

# %% [markdown] hint="initialize"
# ```python
# def xavier(d_in, d_out, rng):
#     a = ...
#     return rng.uniform(..., ..., (..., ...))
#
#
# def he(d_in, d_out, rng):
#     return rng.normal(..., ..., (..., ...))
# ```


# %% exercise="initialize" minutes=10 difficulty=2 importance=3 allow="numpy"
def xavier(d_in, d_out, rng):
    """Return (d_in, d_out) weights, uniform as in Glorot and Bengio (2010)."""
    ### BEGIN SOLUTION
    a = np.sqrt(6 / (d_in + d_out))
    return rng.uniform(-a, a, size=(d_in, d_out))
    ### END SOLUTION


def he(d_in, d_out, rng):
    """Return (d_in, d_out) weights, normal as in He et al. (2015)."""
    ### BEGIN SOLUTION
    return rng.normal(0.0, np.sqrt(2 / d_in), size=(d_in, d_out))
    ### END SOLUTION


# %% tests="initialize" behaviour="xavier" points=2
@autograder.test
def _(rng):
    "`xavier` draws independent entries, uniform between −a and a with a = √(6/(d_in + d_out))."

    @beside
    def draw(seed, d_in, d_out):
        import numpy as np

        return xavier(d_in, d_out, np.random.default_rng(seed))

    w = draw(1, 200, 400)  # a is 0.1 here
    shaped = isinstance(w, np.ndarray) and w.shape == (200, 400)
    require(shaped, "expected an array of shape (200, 400) from xavier(200, 400, rng)")
    at_most(np.abs(w).max(), 0.1, "the largest of 80,000 weights, a = 0.1")
    at_least(np.abs(w).max(), 0.099, "the largest of 80,000 weights, a = 0.1")
    at_least(np.std(w), 0.056, "their standard deviation, which should be near 0.0577")
    at_most(np.std(w), 0.059, "their standard deviation, which should be near 0.0577")
    ### BEGIN HIDDEN TESTS
    for d_in, d_out in ((400, 250), (120, 900), (330, 330), (4, 25000), (25000, 4)):
        w, n = draw(int(rng.integers(2**31)), d_in, d_out), d_in * d_out
        shaped = isinstance(w, np.ndarray) and w.shape == (d_in, d_out) and w.dtype == np.float64
        require(shaped, f"expected float64 of shape ({d_in}, {d_out}) from xavier")
        z = w / math.sqrt(2 / (d_in + d_out))  # uniform with variance 1: fourth moment 1.8
        at_most(np.abs(z).max(), math.sqrt(3) + 1e-12, "the largest weight, over its deviation")
        at_least(np.abs(z).max(), math.sqrt(3) * 0.999, "the largest weight, over its deviation")
        at_most(abs(np.mean(z)), 6.5 / math.sqrt(n), "the mean, over the deviation")
        at_most(abs(np.mean(z**2) - 1), 6.5 * math.sqrt(0.8 / n), "the variance's relative error")
        fourth = np.mean((z**2) ** 2)
        at_most(abs(fourth - 1.8), 6.5 * math.sqrt(5.8 / n), "the fourth moment's error")
        at_most(n - len(np.unique(np.abs(z))), 20, "how many weights repeat another, up to sign")
        for axis in (0, 1):
            sums = z.sum(axis=axis) / math.sqrt(z.shape[axis])
            bound = 1 + 11 * math.sqrt(2 / len(sums))
            at_most(np.mean(sums**2), bound, "how much rows or columns move together")
    ### END HIDDEN TESTS


# %% tests="initialize" behaviour="he" points=2
@autograder.test
def _(rng):
    "`he` draws independent normal entries with standard deviation √(2/d_in)."

    @beside
    def draw(seed, d_in, d_out):
        import numpy as np

        return he(d_in, d_out, np.random.default_rng(seed))

    w = draw(1, 200, 300)  # the deviation is 0.1 here
    shaped = isinstance(w, np.ndarray) and w.shape == (200, 300)
    require(shaped, "expected an array of shape (200, 300) from he(200, 300, rng)")
    at_least(np.std(w), 0.098, "the standard deviation of 60,000 weights, which should be near 0.1")
    at_most(np.std(w), 0.102, "the standard deviation of 60,000 weights, which should be near 0.1")
    at_least(np.abs(w).max(), 0.35, "the largest of them: a normal distribution has tails")
    ### BEGIN HIDDEN TESTS
    for d_in, d_out in ((400, 250), (120, 900), (330, 330), (4, 25000), (25000, 4)):
        w, n = draw(int(rng.integers(2**31)), d_in, d_out), d_in * d_out
        shaped = isinstance(w, np.ndarray) and w.shape == (d_in, d_out) and w.dtype == np.float64
        require(shaped, f"expected float64 of shape ({d_in}, {d_out}) from he")
        z = w / math.sqrt(2 / d_in)  # standard normal: fourth moment 3
        at_most(abs(np.mean(z)), 6.5 / math.sqrt(n), "the mean, over the deviation")
        at_most(abs(np.mean(z**2) - 1), 7 * math.sqrt(2 / n), "the variance's relative error")
        fourth = np.mean((z**2) ** 2)
        at_least(fourth, 2.7, "the fourth moment, which is 3 for a normal distribution")
        at_most(fourth, 3.4, "the fourth moment, which is 3 for a normal distribution")
        at_most(n - len(np.unique(np.abs(z))), 20, "how many weights repeat another, up to sign")
        for axis in (0, 1):
            sums = z.sum(axis=axis) / math.sqrt(z.shape[axis])
            bound = 1 + 11 * math.sqrt(2 / len(sums))
            at_most(np.mean(sums**2), bound, "how much rows or columns move together")
    ### END HIDDEN TESTS


# %% tests="initialize" behaviour="generator" points=1
@autograder.test
def _(rng):
    "Both draw from the generator they are given, and leave NumPy's global random state alone."

    @beside
    def draws(seed, d_in, d_out):
        import numpy as np

        before = np.random.get_state()
        pairs = []
        for make in (xavier, he):
            generator = np.random.default_rng(seed)
            first, second = make(d_in, d_out, generator), make(d_in, d_out, generator)
            again = make(d_in, d_out, np.random.default_rng(seed))
            pairs.append((first, again, second))
        after = np.random.get_state()
        return pairs, before[1].tolist() == after[1].tolist() and before[2] == after[2]

    drawn_elsewhere = "you draw from `np.random`, which is shared by all; draw from `rng` alone"
    pairs, untouched = draws(7, 3, 2)
    require(untouched is True, drawn_elsewhere)
    for first, again, second in pairs:
        shaped = [isinstance(w, np.ndarray) and w.shape == (3, 2) for w in (first, again, second)]
        require(
            all(shaped), "expected arrays of shape (3, 2) from both functions for d_in=3, d_out=2"
        )
        same(again, first, "weights from a generator in the same state", rtol=0, atol=0)
        at_least(np.abs(first - second).max(), 1e-6, "how far a second draw is from the first")
    ### BEGIN HIDDEN TESTS
    drawn = [], []
    for seed in int(rng.integers(2**31)) + np.arange(3):
        pairs, untouched = draws(int(seed), 3, 2)
        require(untouched is True, drawn_elsewhere)
        for (first, again, second), draws_of_one in zip(pairs, drawn, strict=True):
            same(again, first, "weights from a generator in the same state", rtol=0, atol=0)
            draws_of_one += [first, second]
    for draws_of_one in drawn:
        for index, one in enumerate(draws_of_one):
            for other in draws_of_one[:index]:
                at_least(np.abs(one - other).max(), 1e-6, "how far two draws are apart")
    ### END HIDDEN TESTS


# %% [markdown]
# Twenty ReLU layers of width 100, four ways to start. How large is what comes out?

# %%
starts = {
    "normal, deviation 1": lambda d_in, d_out, rng: rng.normal(0, 1, (d_in, d_out)),
    "normal, deviation 0.01": lambda d_in, d_out, rng: rng.normal(0, 0.01, (d_in, d_out)),
    "xavier": xavier,
    "he": he,
}
for name, start in starts.items():
    rng = np.random.default_rng(0)
    flow, sizes = rng.standard_normal((64, 100)), []
    for _layer in range(20):
        flow = np.maximum(flow @ start(100, 100, rng), 0)
        sizes.append(flow.std())
    print(f"{name:24}", "  ".join(f"layer {n}: {sizes[n - 1]:.1e}" for n in (1, 5, 20)))

# %% [markdown]
# Only `he` arrives at layer 20 with numbers of the size it started with. And the lecture's net,
# started that way, bears a learning rate a hundred times larger:

# %%
rng = np.random.default_rng(0)
calm = he(D_in, H, rng), he(H, D_out, rng)
he_losses, *_weights = train(x, y, *calm, 1e-4, 101, forward, loss_and_grad, backward)
for step in (0, 1, 10, 100):
    print(f"step {step:3}   loss {he_losses[step]:.4g}")

# %% [markdown]
# ## Change one line
#
# Suppose the ten outputs are not ten numbers to hit but ten classes to choose from. Then the
# squared error is the wrong loss, and we replace it by *softmax cross-entropy*. Call the outputs
# *logits*. Softmax turns a row of logits z into probabilities, and the loss of the row is minus the
# logarithm of the probability of its true class:
#
# ```
# p[k] = exp(z[k]) / Σⱼ exp(z[j])          loss = −log p[label]
# ```
#
# Forward, that is one line changed. But the gradient is another derivation, and the arithmetic has
# a trap: `np.exp(1000)` is infinity. You may subtract any number from a whole row of logits without
# changing p; the largest is a good choice. And take the logarithm on paper where you can, not after
# the fact: a probability can be 0 in float64 while its logarithm is a perfectly good −10,000.

# %% [markdown] prompt="softmax_cross_entropy"
# ### Exercise 6: softmax cross-entropy
#
# Write `softmax_cross_entropy(logits, labels)`. `logits` is (N, C); `labels` holds N integers from
# 0 to C − 1, the true class of each row. It returns the pair `(loss, grad)`:
#
# * `loss`: the *mean* over the N rows of −log p of the row's label, one number;
# * `grad`: the gradient of that number with respect to `logits`, shape (N, C). Labels may repeat.
#
# Both are right, and finite, for logits up to ±10,000 in any mixture: a row far above another, a
# row whose true class has probability 0 in float64 (its loss is then large, not infinite). `logits`
# and `labels` are unchanged after the call.

# %% [markdown] hint="softmax_cross_entropy"
# Write the row's loss as `log Σ exp(z) − z[label]`. With m the row's largest logit, `log Σ exp(z)`
# is `m + log Σ exp(z − m)`, where no term overflows and one of them is 1. The derivative of
# `log Σ exp(z)` with respect to z is the softmax itself. The derivative of `−z[label]` is −1 at the
# label and 0 elsewhere.

# %% [markdown] hint="softmax_cross_entropy"
# One row with logits log 1, log 2, log 3, log 4 and label 0:
#
# | | class 0 | class 1 | class 2 | class 3 |
# |---|---|---|---|---|
# | exp(z) | 1 | 2 | 3 | 4 |
# | p | 0.1 | 0.2 | 0.3 | 0.4 |
# | the label, as a row | 1 | 0 | 0 | 0 |
# | gradient of the row's loss | −0.9 | 0.2 | 0.3 | 0.4 |
#
# The loss is −log 0.1. In a batch of N rows the mean divides both by N.

# %% [markdown] hint="softmax_cross_entropy"
# ```python
# rows = np.arange(len(labels))
# shifted = logits - ...                 # each row's largest becomes 0
# total = ...                            # Σ exp(shifted), one per row
# loss = (np.log(total) - ...).mean()    # shifted[rows, labels] picks one entry per row
# grad = ...                             # softmax, a new array
# grad[rows, labels] -= ...
# return loss, grad / ...
# ```


# %% exercise="softmax_cross_entropy" minutes=25 difficulty=3 importance=4 allow="numpy"
def softmax_cross_entropy(logits, labels):
    """Return the mean cross-entropy of the rows and its gradient with respect to logits."""
    ### BEGIN SOLUTION
    rows = np.arange(len(labels))
    shifted = logits - logits.max(axis=1, keepdims=True)
    exps = np.exp(shifted)
    totals = exps.sum(axis=1)
    grad = exps / totals[:, None]
    grad[rows, labels] -= 1
    return (np.log(totals) - shifted[rows, labels]).mean(), grad / len(labels)
    ### END SOLUTION


# %% tests="softmax_cross_entropy" behaviour="value" points=2
@autograder.test
def _(rng):
    "`loss` is the mean over the rows of −log p of the row's label."

    @beside
    def loss_of(logits, labels):
        loss, _grad = softmax_cross_entropy(logits, labels)
        return loss

    row = np.log([[1.0, 2.0, 3.0, 4.0]])
    one, two = loss_of(row, np.array([0])), loss_of(np.vstack([0 * row, row]), np.array([2, 0]))
    same(one, -math.log(0.1), "loss of one row")
    same(two, -(math.log(0.25) + math.log(0.1)) / 2, "loss of two rows")
    ### BEGIN HIDDEN TESTS
    for n, c in ((1, 2), (1, 7), (6, 3), (3, 6), (4, 4), (9, 10)):
        logits, labels = 3.0 * rng.normal(size=(n, c)), rng.integers(c, size=n)
        p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        expected = float(np.mean([-math.log(p[i, labels[i]]) for i in range(n)]))
        same(loss_of(logits, labels), expected, f"loss of {n} fresh rows")
    ### END HIDDEN TESTS


# %% tests="softmax_cross_entropy" behaviour="gradient" points=2
@autograder.test
def _(rng):
    "`grad` is the gradient of that mean with respect to `logits`, also where labels repeat."

    @beside
    def grad_of(logits, labels):
        _loss, grad = softmax_cross_entropy(logits, labels)
        return grad

    row = np.log([[1.0, 2.0, 3.0, 4.0]])
    one, two = grad_of(row, np.array([0])), grad_of(np.vstack([0 * row, row]), np.array([2, 0]))
    twice = grad_of(np.zeros((2, 2)), np.array([1, 1]))
    same(one, np.array([[-0.9, 0.2, 0.3, 0.4]]), "grad of one row")
    expected = np.array([[0.125, 0.125, -0.375, 0.125], [-0.45, 0.1, 0.15, 0.2]])
    same(two, expected, "grad of two rows")
    same(twice, np.array([[0.25, -0.25], [0.25, -0.25]]), "grad of two rows, label 1 twice")
    ### BEGIN HIDDEN TESTS

    def value(logits, labels):
        picked = logits[np.arange(len(labels)), labels]
        return np.mean(np.log(np.exp(logits).sum(axis=1)) - picked)

    for n, c in ((1, 2), (1, 7), (6, 3), (3, 6), (4, 4), (9, 10)):
        logits, labels = 2.0 * rng.normal(size=(n, c)), rng.integers(c, size=n)
        labels[-1] = labels[0]
        expected = vjp_by_complex_step(lambda z, k=labels: value(z, k), (logits,), 1.0)[0]
        same(grad_of(logits, labels), expected, f"grad of {n} fresh rows")
    ### END HIDDEN TESTS


# %% tests="softmax_cross_entropy" behaviour="stable" points=3
@autograder.test
def _(rng):
    "`loss` and `grad` are right and finite for logits up to ±10,000, whatever stands beside them."
    same(
        call(softmax_cross_entropy, np.array([[1e4, 0.0]]), np.array([1])),
        (1e4, np.array([[1.0, -1.0]])),
        "(loss, grad), true class with probability 0",
    )
    same(
        call(softmax_cross_entropy, np.array([[1e4, 1e4], [-1e4, -1e4]]), np.array([0, 1])),
        (math.log(2), np.array([[-0.25, 0.25], [0.25, -0.25]])),
        "(loss, grad), a row far above another",
    )
    ### BEGIN HIDDEN TESTS

    def oracle(logits, labels):
        losses, grad = [], np.zeros(logits.shape)
        for i, (row, label) in enumerate(zip(logits.tolist(), labels.tolist(), strict=True)):
            top = max(row)
            total = math.fsum(math.exp(z - top) for z in row)
            losses.append(top - row[label] + math.log(total))
            grad[i] = [math.exp(z - top) / total - (k == label) for k, z in enumerate(row)]
        return math.fsum(losses) / len(losses), grad / len(losses)

    for n, c in ((1, 2), (5, 3), (3, 8), (12, 10), (4, 1)):
        for kind in range(4):
            labels, logits = rng.integers(c, size=n, dtype=np.int32), rng.normal(size=(n, c))
            if kind == 0:
                logits = logits + rng.choice([-1e4, 0.0, 1e4], size=(n, 1))
            elif kind == 1:
                logits = rng.choice([-1e4, 1e4], size=(n, c)) + logits
            elif kind == 2:
                logits = 1e4 * rng.uniform(-1, 1, size=(n, c))
            else:
                logits[np.arange(n), labels] -= rng.uniform(30, 900, size=n)
            got = call(softmax_cross_entropy, logits, labels)
            same(got, oracle(logits, labels), "(loss, grad)")
    ### END HIDDEN TESTS


# %% tests="softmax_cross_entropy" behaviour="inputs_kept" points=1
@autograder.test
def _(rng):
    "A right `(loss, grad)` leaves `logits` and `labels` unchanged."

    @beside
    def after(logits, labels):
        result = softmax_cross_entropy(logits, labels)
        return result, logits, labels

    logits, labels = np.array([[0.0, 0.0], [0.0, 0.0]]), np.array([1, 1])
    expected = ((math.log(2), np.array([[0.25, -0.25], [0.25, -0.25]])), logits, labels)
    same(after(logits, labels), expected, "(loss, grad), logits, labels after the call")
    ### BEGIN HIDDEN TESTS
    for n, c in ((1, 4), (5, 3)):
        logits, labels = 5.0 * rng.normal(size=(n, c)), rng.integers(c, size=n)
        p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        loss = float(np.mean([-math.log(p[i, labels[i]]) for i in range(n)]))
        expected = ((loss, (p - np.eye(c)[labels]) / n), logits, labels)
        same(after(logits, labels), expected, "(loss, grad), logits, labels after the call")
    ### END HIDDEN TESTS


# %% [markdown]
# Now your `backward` earns its "any upstream gradient": it serves the new loss as it stands. Fifty
# steps on the same net, with random classes:

# %%
labels = np.random.default_rng(1).integers(D_out, size=N)
class_w1, class_w2 = calm
for step in range(51):
    pred, cache = forward(x, class_w1, class_w2)
    loss, upstream = softmax_cross_entropy(pred, labels)
    grad_w1, grad_w2 = backward(cache, upstream)
    class_w1, class_w2 = class_w1 - 0.1 * grad_w1, class_w2 - 0.1 * grad_w2
    if step % 10 == 0:
        right = (pred.argmax(axis=1) == labels).mean()
        print(f"step {step:2}   loss {loss:.3f}   right {right:.0%}")

# %% [markdown]
# ## NumPy: CPU only, own gradients
#
# Time to settle the bill. What did NumPy give us, and what did it make us pay?
#
# | | in NumPy | what hurt |
# |---|---|---|
# | build the graph | plain Python, easy to read | only you know what to cache, and the way back |
# | get the gradients | by hand, exact | a derivation for every change, such as the new loss |
# | run it fast | as fast as the CPU's matrix product | CPU only |
#
# The first two you have felt. The third is a matter of counting. One step of the lecture's net
# multiplies this often:

# %%
forward_count = N * D_in * H + N * H * D_out
backward_count = N * H * D_out + N * D_out * H + N * D_in * H  # grad_w2, grad_h_relu, grad_w1
print(f"forward {forward_count:,}   backward {backward_count:,}")

# %% [markdown]
# Thirteen million multiplications a step: a laptop does not notice. With a real network it does. In
# Johnson's cnn-benchmarks (2016), which the lecture quotes, one forward and backward pass of VGG-16
# over 16 images took 8,495 ms on two Xeon processors and 129 ms on one Pascal TITAN X with
# the cuDNN library, 66 times less. NumPy runs on no graphics card. To move our two dozen lines
# there by hand, you would write each of them again in CUDA.

# %% [markdown] prompt="third_layer"
# ### Question: a third layer
#
# Insert a layer in the middle: `h1 = x @ w1`, ReLU, `h2 = h1_relu @ w2`, ReLU,
# `pred = h2_relu @ w3`. Write the lines that compute `grad_w3`, `grad_w2` and `grad_w1` from
# `upstream`, and say what the cache must hold. Which of your old lines could you keep as they were?
# What would a program have to know to write the lines for you?

# %% [markdown] written="third_layer" points=3
# ### BEGIN SOLUTION
# ```python
# grad_w3 = h2_relu.T @ upstream
# grad_h2 = (upstream @ w3.T) * (h2 > 0)
# grad_w2 = h1_relu.T @ grad_h2
# grad_h1 = (grad_h2 @ w2.T) * (h1 > 0)
# grad_w1 = x.T @ grad_h1
# ```
#
# The cache holds x, h1, h1_relu, h2, h2_relu, w2 and w3. No old line survives as it stood: even the
# gradient of w1 is now made from grad_h1, which has passed through one layer more. But nothing new
# was invented either. The same two rules, for a matrix product and for a ReLU, were applied once
# more in reverse order. A program needs to know only which operations ran, in which order, on which
# values, and one rule for each kind of operation.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# * 1 point: the three gradients are right, masks by `h2 > 0` and `h1 > 0` included. (Half if one
#   mask is missing.)
# * 1 point: the cache is right: it has w3 and w2, both hidden values (or their signs) and x; w1 is
#   not needed. And it says that the line for `grad_w1` (or what feeds it) changes although `w1`
#   itself did not.
# * 1 point: the idea of a framework: a record of the operations and their order, and one local
#   backward rule per operation. Any wording.
# ### END MARK SCHEME

# %% [markdown]
# ## Immediate and deferred execution
#
# A program that writes the backward lines for you must first know the forward lines. There are two
# ways to let it know. It can watch while you compute; that is PyTorch, and lesson 04. Or it can
# have you build the expression first, without numbers, and compute later; that was Theano and
# TensorFlow 1, and lesson 12. The smallest example of the difference is Pythagoras (after Stevens
# and Antiga, *Deep Learning with PyTorch: Essential Excerpts*, 2019). Immediate execution: every
# line computes.

# %%
a, b = 30, 40
c = (a**2 + b**2) ** 0.5
print(c)

# %% [markdown]
# Deferred execution: the line is written now and computed when it is called. Python's own functions
# do this. Note *when* the mistake in the second one shows.


# %%
def pythagoras(a, b):
    return (a**2 + b**2) ** 0.5


def mistaken(a, b):
    return (a**2 + b**2) / (a - a)


print("defined, and no complaint")
try:
    print(pythagoras(30, 40), mistaken(30, 40))
except ZeroDivisionError as error:
    print("called:", error)

# %% [markdown]
# But a Python function is a sealed box: it can be called, and that is nearly all. To find the
# square root in it and differentiate it, the deferred frameworks use a trick. They hand *your*
# function something that only looks like a number. Python asks an object's class what `+` means:
# `a + b` calls `a.__add__(b)`, and `2 + b` ends up at `b.__radd__(2)`. An object that answers "I am
# now the sum of these two" instead of computing is called a placeholder, or an expression over
# placeholders.

# %% [markdown] prompt="deferred"
# ### Exercise 7: deferred
#
# Write `Placeholder(name)`, as a class or a function, with as many helpers as you like. This must
# work:
#
# ```python
# a, b = Placeholder("a"), Placeholder("b")
# c = (a**2 + b**2) ** 0.5       # builds; computes nothing
# c(a=3, b=4)                    # 5.0
# c(a=30, b=40)                  # 50.0, as often as you like
# ```
#
# * A placeholder and everything built from it is an *expression*. Expressions combine by
#   `+ - * / **` with each other and with Python's numbers on either side, nested as you like, with
#   Python's meaning and precedence.
# * Calling an expression with values by name returns what Python would compute from them: an int
#   stays an int. Values may be numbers or NumPy arrays. Values for names that it does not use are
#   ignored. (Names are Python identifiers, and not `self`.)
# * Building never computes and never raises an error of the computation: `a / 0`, `a / (a - a)` and
#   `a + "text"` build. The error comes when the expression is called, and it is Python's own
#   (`ZeroDivisionError`, `TypeError`).
# * A placeholder without a value in a call raises `KeyError` then, whatever earlier calls were
#   given; the message contains its name.
# * Building from an expression leaves it as it was: it can be part of several others.

# %% [markdown] hint="deferred"
# An expression is a thing that can be asked for its value later. Python has such things already:
# functions. Let each expression hold one function from the dictionary of values to its value. A
# placeholder's looks up a name; a sum's asks its two sides and adds.

# %% [markdown] hint="deferred"
# ```
#            **              operator    method of the left side    if the left side is a number
#           /  \             a + b       a.__add__(b)               b.__radd__(a)
#          +    0.5          a - b       a.__sub__(b)               b.__rsub__(a)
#        /   \               a * b       a.__mul__(b)               b.__rmul__(a)
#      **     **             a / b       a.__truediv__(b)           b.__rtruediv__(a)
#     /  \   /  \            a ** b      a.__pow__(b)               b.__rpow__(a)
#    a    2 b    2
# ```
#
# Mind the order in the right column: `2 - b` calls `b.__rsub__(2)`, and the answer is `2 - b`, not
# `b - 2`.

# %% [markdown] hint="deferred"
# ```python
# def combine(operation, left, right):
#     def value(part, values):          # a side is an expression or a number
#         return ... if isinstance(part, Expression) else ...
#
#     return Expression(lambda values: operation(..., ...))
#
#
# class Expression:
#     def __init__(self, evaluate):
#         self.evaluate = evaluate
#
#     def __call__(self, **values):
#         return ...
#
#     def __sub__(self, other):
#         return combine(lambda p, q: p - q, self, other)
#
#     def __rsub__(self, other):
#         return combine(lambda p, q: p - q, ..., ...)
# ```


# %% exercise="deferred" minutes=25 difficulty=3 importance=4 allow="numpy"
import operator  # operator.add(p, q) is p + q; likewise sub, mul, truediv, pow


class Placeholder:
    """A value that comes later; arithmetic on it builds an expression."""

    def __init__(self, name):
        ### BEGIN SOLUTION
        self.evaluate = lambda values: values[name]

    def __call__(self, **values):
        return self.evaluate(values)

    def build(self, compute, other, swapped=False):
        there = other.evaluate if isinstance(other, Placeholder) else lambda values: other
        left, right = (there, self.evaluate) if swapped else (self.evaluate, there)
        built = Placeholder(None)
        built.evaluate = lambda values: compute(left(values), right(values))
        return built


for _name in ("add", "sub", "mul", "truediv", "pow"):
    _op = getattr(operator, _name)
    setattr(Placeholder, f"__{_name}__", lambda self, other, op=_op: self.build(op, other))
    setattr(Placeholder, f"__r{_name}__", lambda self, other, op=_op: self.build(op, other, True))
### END SOLUTION


# %% tests="deferred" behaviour="pythagoras" points=2
@autograder.test
def _(rng):
    "An expression is built once, then called with values by name, numbers or arrays, repeatedly."

    @beside
    def hypotenuses(pairs):
        a, b = Placeholder("a"), Placeholder("b")
        c = (a**2 + b**2) ** 0.5
        return [c(a=one, b=other) for one, other in pairs] + [a(a=pairs[0][0])]

    numbers = hypotenuses([(3.0, 4.0), (30.0, 40.0)])
    same(numbers, [5.0, 50.0, 3.0], "c(a=3, b=4), c(a=30, b=40), a(a=3)")
    arrays = np.array([3.0, 5.0]), np.array([4.0, 12.0])
    same(hypotenuses([arrays]), [np.array([5.0, 13.0]), arrays[0]], "c and a with arrays")
    ### BEGIN HIDDEN TESTS
    pairs = [(float(p), float(q)) for p, q in rng.uniform(-9, 9, size=(6, 2))]
    expected = [math.hypot(p, q) for p, q in pairs] + [pairs[0][0]]
    same(hypotenuses(pairs), expected, "fresh triangles")
    arrays = rng.normal(size=(2, 3)), rng.normal(size=(2, 3))
    same(hypotenuses([arrays]), [np.hypot(*arrays), arrays[0]], "triangles in an array")

    @beside
    def other_names(first, second, p, q):
        one, other = Placeholder(first), Placeholder(second)
        return (one**2 - other / 4)(**{second: q, first: p, "not_used": "anything"})

    for first, second in (("x", "y"), ("weight", "bias"), ("name", "value"), ("operation", "left")):
        p, q = map(float, rng.uniform(1, 9, size=2))
        same(other_names(first, second, p, q), p**2 - q / 4, f"placeholders {first} and {second}")

    @beside
    def as_python_would(number, array):
        a, b = Placeholder("a"), Placeholder("b")
        square, root, quotient = a * a, a**0.5, a / b
        before = square(a=array)
        array += 1.0
        return square(a=number), root(a=-8.0), quotient(a=6, b=4), before, square(a=array)

    number, array = 10**17 + int(rng.integers(1, 9)), rng.normal(size=3)
    expected = (number * number, (-8.0) ** 0.5, 1.5, array * array, (array + 1.0) * (array + 1.0))
    same(as_python_would(number, array), expected, "an int, a complex root, a changed array")
    ### END HIDDEN TESTS


# %% tests="deferred" behaviour="operators" points=2
@autograder.test
def _(rng):
    "`+ - * / **` work between expressions and with numbers on either side, nested as in Python."

    @beside
    def right_side(number, value):
        a = Placeholder("a")
        return [e(a=value) for e in (a + number, a * number, a - number, a / number, a**number)]

    @beside
    def left_side(number, value):
        a = Placeholder("a")
        return [e(a=value) for e in (number + a, number * a, number - a, number / a, number**a)]

    same(right_side(2.0, 5.0), [7.0, 10.0, 3.0, 2.5, 25.0], "a+2, a*2, a-2, a/2, a**2 for a = 5")
    same(left_side(2.0, 5.0), [7.0, 10.0, -3.0, 0.4, 32.0], "2+a, 2*a, 2-a, 2/a, 2**a for a = 5")

    @beside
    def nested(p, q, r):
        a, b, c = Placeholder("a"), Placeholder("b"), Placeholder("c")
        parts = (2 * (a + b), a - (b - c), a / (b / c), (a + b) ** 2, (-2.0) ** a, a**b**c)
        return [part(a=p, b=q, c=r) for part in parts]

    what = "2*(a+b), a-(b-c), a/(b/c), (a+b)**2, (-2)**a, a**b**c for a = 2, b = 3, c = 2"
    same(nested(2.0, 3.0, 2.0), [10.0, 1.0, 4 / 3, 25.0, 4.0, 512.0], what)
    ### BEGIN HIDDEN TESTS
    for number, value in rng.uniform(0.5, 4, size=(4, 2)).tolist():
        right = [value + number, value * number, value - number, value / number, value**number]
        left = [number + value, number * value, number - value, number / value, number**value]
        same(right_side(number, value), right, f"number {number:.3f} on the right, a = {value:.3f}")
        same(left_side(number, value), left, f"number {number:.3f} on the left, a = {value:.3f}")
    for p, q, r in rng.uniform(0.5, 2.5, size=(4, 3)).tolist():
        p = float(round(p + 1))
        expected = [2 * (p + q), p - (q - r), p / (q / r), (p + q) ** 2, (-2.0) ** p, p**q**r]
        same(nested(p, q, r), expected, "nested expressions")

    @beside
    def grown(steps, values):
        parts = [Placeholder("a"), Placeholder("b"), Placeholder("c")]
        for operation, one, other, number in steps:
            left = parts[one] if one >= 0 else number
            right = parts[other] if other >= 0 else number
            if operation == "+":
                parts.append(left + right)
            elif operation == "-":
                parts.append(left - right)
            else:
                parts.append(left * right)
        return [part(a=values[0], b=values[1], c=values[2]) for part in parts]

    for _ in range(4):
        values = rng.uniform(-2, 2, size=3).tolist()
        steps, expected = [], list(values)
        for _ in range(24):
            operation, number = str(rng.choice(["+", "-", "*"])), float(rng.uniform(-1, 1))
            one, other = map(int, len(expected) - 1 - rng.integers(min(6, len(expected)), size=2))
            side = int(rng.integers(4))
            one, other = (-1 if side == 0 else one), (-1 if side == 1 else other)
            p = number if one < 0 else expected[one]
            q = number if other < 0 else expected[other]
            steps.append((operation, one, other, number))
            expected.append(p + q if operation == "+" else p - q if operation == "-" else p * q)
        same(grown(steps, values), expected, "a grown expression", rtol=1e-9, atol=1e-9)

    @beside
    def long_sum(length, value):
        total = Placeholder("a")
        for number in range(length):
            total = total - number
        return total(a=value)

    same(long_sum(60, 2000), 2000 - 1770, "a - 0 - 1 - ... - 59")
    ### END HIDDEN TESTS


# %% tests="deferred" behaviour="late_errors" points=2
@autograder.test
def _(rng):
    "Building computes nothing and raises nothing; the error comes, as Python's own, at each call."

    @beside
    def when(line):
        a = Placeholder("a")
        try:
            broken = eval(line, {"a": a})
        except Exception as error:
            return [f"{type(error).__name__} while it was built"]
        seen = ["built"]
        for value in (1, 2.5):
            try:
                seen.append(f"{broken(a=value)} when called, and no error")
            except Exception as error:
                seen.append(f"{type(error).__name__} when called")
        return seen

    cases = ("a / 0", "a / (a - a)", "(a * 0) ** -1", "a + 'text'")
    words = [when(line) for line in cases]
    same(words[:3], [["built"] + ["ZeroDivisionError when called"] * 2] * 3, ", ".join(cases[:3]))
    same(words[3], ["built"] + ["TypeError when called"] * 2, cases[3])
    ### BEGIN HIDDEN TESTS
    for line in ("a * 2 - 'text'", "'text' + a", "'text' - a * 2"):
        same(when(line), ["built"] + ["TypeError when called"] * 2, line)
    same(when("1e308 * 10 ** (a * 400)")[0], "built", "a number too large")
    same(when("(a * 10.0) ** 400.0")[1:], ["OverflowError when called"] * 2, "a number too large")

    @beside
    def of_zero():
        a = Placeholder("a")
        quotient = a / a
        try:
            return quotient(a=0)
        except ZeroDivisionError:
            return "ZeroDivisionError"

    same(of_zero(), "ZeroDivisionError", "a / a at 0")

    @beside
    def works_later(p, q):
        a, b = Placeholder("a"), Placeholder("b")
        ratio = a / b
        try:
            ratio(a=p, b=0.0)
        except ZeroDivisionError:
            return ratio(a=p, b=q)

    for p, q in rng.uniform(1, 9, size=(3, 2)).tolist():
        same(works_later(p, q), p / q, "a / b, called again after b = 0 failed")
    ### END HIDDEN TESTS


# %% tests="deferred" behaviour="missing_value" points=1
@autograder.test
def _(rng):
    "A placeholder without a value in this call raises KeyError, and the message names it."

    @beside
    def complaint(names, given):
        expression = Placeholder(names[0]) * 2
        for name in names[1:]:
            expression = expression + Placeholder(name)
        expression(**dict.fromkeys(names, 1.0))
        try:
            return f"no error, but {expression(**given)}"
        except KeyError as error:
            absent = [name for name in names if name not in given]
            return "named" if absent[0] in str(error) else f"KeyError {error}"

    same(complaint(["width", "height"], {"width": 3.0}), "named", "a call without a height")
    ### BEGIN HIDDEN TESTS
    same(complaint(["width", "height"], {"height": 3.0}), "named", "a call without a width")
    same(complaint(["width", "height"], {}), "named", "a call without any value")
    same(complaint(["learning_rate"], {}), "named", "a call without any value")
    for missing in ("alpha", "beta", "gamma"):
        names = ["alpha", "beta", "gamma"]
        given = {name: float(rng.normal()) for name in names if name != missing}
        same(complaint(names, given | {"unused": 1.0}), "named", f"a call without {missing}")
    ### END HIDDEN TESTS


# %% tests="deferred" behaviour="sharing" points=1
@autograder.test
def _(rng):
    "Building from an expression leaves it as it was; it can be part of several others."

    @beside
    def family(p, q):
        a, b = Placeholder("a"), Placeholder("b")
        total = a + b
        double, square, rest = total * 2, total**2, total - 1
        twice = total * total
        return [part(a=p, b=q) for part in (total, double, square, rest, twice, a, total)]

    expected = [5.0, 10.0, 25.0, 4.0, 25.0, 2.0, 5.0]
    same(family(2.0, 3.0), expected, "a+b, (a+b)*2, (a+b)**2, (a+b)-1, (a+b)*(a+b), a, a+b")
    ### BEGIN HIDDEN TESTS
    for p, q in rng.uniform(0.5, 5, size=(4, 2)).tolist():
        s = p + q
        same(family(p, q), [s, s * 2, s**2, s - 1, s * s, p, s], "a+b and what is built from it")
    ### END HIDDEN TESTS


# %% [markdown]
# Now hand your placeholders to the very function of before. It does not notice:

# %%
a, b = Placeholder("a"), Placeholder("b")
c = pythagoras(a, b)
d = mistaken(a, b)
print("built, and no complaint")
print(c(a=30, b=40))
try:
    d(a=30, b=40)
except ZeroDivisionError as error:
    print("called:", error)

# %% [markdown]
# That is a static graph. It exists before any number does. So a program can inspect it, simplify
# it, differentiate it, save it, and run it where there is no Python at all. The price was in the
# last line: the mistake stands in `mistaken`, but the error comes from a call that may be a
# thousand lines away, and the traceback leads into your operators instead of to the guilty line.
# The lecture compares the two kinds so:
#
# | | static: build, then run | dynamic: run, and so build |
# |---|---|---|
# | optimization | the framework can rewrite the graph before it runs | none before it runs |
# | serialization | the graph can be saved and run without its code | the code must stay around |
# | debugging | much indirection | the code you write is the code that runs |

# %% [markdown] prompt="late_error"
# ### Question: a late error
#
# A colleague's deferred program stops with `ZeroDivisionError` at the line
# `result = c(a=30, b=40)`. Say in two or three sentences why the traceback does not show the line
# that is at fault, and what a library could store, when an expression is *built*, to do better.
# Then name one thing that the deferred program can do and the immediate one cannot.

# %% [markdown] written="late_error" points=2
# ### BEGIN SOLUTION
# A traceback shows what is being executed. When `c` is called, the line that wrote the division has
# long finished; it only built a node, and what runs now is the library's evaluation of that node.
# The library could store in every node the file and line (or the stack) at which it was built, and
# add it to the error's message. In return, the deferred program has the whole expression before the
# first number arrives: it can be simplified, differentiated, saved and run without the code that
# built it, or placed on another device.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# * 1 point: the faulty line ran at build time and is no longer on the stack, *and* the remedy: keep
#   the place of construction (file, line, stack or at least a name) in the node. (Half for one of
#   the two.)
# * 1 point: one real advantage of having the graph before running it: optimize or fuse,
#   differentiate symbolically, save and load without the code, deploy elsewhere, plan memory. Not
#   "it is faster" without a reason.
# ### END MARK SCHEME

# %% [markdown]
# ## What history did with it
#
# * **Theano** (Montreal, developed since 2008): deferred. Bergstra et al., SciPy 2010; Theano
#   Development Team, arXiv 2016.
# * **Torch7** (NYU, NEC and Idiap, 2011): immediate, in Lua, with gradients per layer. Collobert et
#   al., BigLearn workshop 2011.
# * **Caffe** (Berkeley, December 2013): a graph of layers, written in a text file. Jia et al., ACM
#   Multimedia 2014.
# * **TensorFlow** (Google, November 2015): deferred; immediate by default since version 2 (2019).
#   Abadi et al., OSDI 2016.
# * **PyTorch** (Facebook, January 2017): immediate. Paszke et al., NeurIPS 2019.
#
# The first ones came from universities, the later ones from industry. Theano already had all three
# reasons: graphs, gradients and graphics cards, the last between 6.5 and 44 times faster than the
# alternatives it was measured against (Bergstra et al., 2010). For ten years the question was
# *when* the graph is built. In this list, deferred came first. Immediate won the researchers, who
# debug all day. Then each side took in the other: TensorFlow 2 runs at once and builds graphs on
# request (`tf.function`), PyTorch grew a compiler (`torch.compile`).

# %% [markdown]
# ## Now in PyTorch and TensorFlow
#
# Not graded. The same net, data and first weights, and no gradient written by hand. First PyTorch:
# it watches the forward line, and `loss.backward()` does the work of your five.

# %%
HOW = "is not installed here. `make lab`, without LIGHT=1, adds it; all the rest works without."
try:
    import torch
except ImportError:
    torch = None
    print("PyTorch", HOW)

torch_losses = []
if torch:
    tx, ty = torch.tensor(x), torch.tensor(y)
    t1, t2 = torch.tensor(w1, requires_grad=True), torch.tensor(w2, requires_grad=True)
    for _step in range(101):
        loss = (((tx @ t1).clamp(min=0) @ t2 - ty) ** 2).sum()
        torch_losses.append(loss.item())
        loss.backward()
        with torch.no_grad():
            for weight in (t1, t2):
                weight -= 1e-6 * weight.grad
                weight.grad.zero_()

# %% [markdown]
# TensorFlow watches while a tape is switched on. (It says a few lines about your machine when it is
# imported.)

# %%
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
try:
    import tensorflow as tf
except ImportError:
    tf = None
    print("TensorFlow", HOW)

tf_losses = []
if tf:
    v1, v2 = tf.Variable(w1), tf.Variable(w2)
    for _step in range(101):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum((tf.nn.relu(x @ v1) @ v2 - y) ** 2)
        tf_losses.append(float(loss))
        for weight, grad in zip((v1, v2), tape.gradient(loss, (v1, v2)), strict=True):
            weight.assign_sub(1e-6 * grad)

# %%
runs = {"NumPy by hand": losses, "PyTorch": torch_losses, "TensorFlow": tf_losses}
print("step", *(f"{name:>24}" for name, run in runs.items() if run))
for step in (0, 1, 10, 100):
    print(f"{step:4}", *(f"{run[step]:24.15g}" for run in runs.values() if run))

# %% [markdown]
# The same numbers. (Each library adds in its own order, so the last digits differ, and each step
# hands the difference on.) And placeholders? Both frameworks still have them. Each takes the plain
# Python function `pythagoras`, calls it once with stand-ins such as yours, and keeps the graph.

# %%
if torch:
    import torch.fx

    print(torch.fx.symbolic_trace(pythagoras).graph)
if tf:
    number = tf.TensorSpec((), tf.float64)
    graph = tf.function(pythagoras).get_concrete_function(number, number).graph
    print([f"{op.type}: {op.name}" for op in graph.get_operations()])

# %% [markdown]
# Gradients without algebra, and a graph that someone else keeps. How do they do it? You will build
# both kinds. But first learn to tell a right gradient from a wrong one: that is lesson 02.
