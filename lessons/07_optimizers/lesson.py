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
#     title: Optimizers
#     minutes: 200
#     needs: [autograd_engine]
#     covers:
#       fancier optimization: Fancier optimization
#       SGD+Momentum: momentum
#       Nesterov: momentum
#       RMSProp: rmsprop
#       Adam: adam
#       optim: "`optim`: one loop, any rule"
#       step, zero_grad: descent
#       it optimizes for you: "It optimizes for you"
# ---

# %% [markdown]
# # Optimizers
#
# You have a net, a loss, and for every weight a gradient that is right to the last digit. Then go
# downhill, and you are done. Are you? Here is the smallest valley in which that goes wrong: two
# weights, and a loss that is a hundred times more curved along the second than along the first,
#
# ```
# loss = (x² + 100 y²) / 2        gradient = (x, 100 y)        minimum at (0, 0)
# ```

# %% given="setup"
import numpy as np

import autograder
import chainrule as cr

# %%
curvature = np.array([1.0, 100.0])
point = np.array([10.0, 1.0])
down, way = -curvature * point, -point  # where the gradient says to go, and where the minimum is
cosine = down @ way / np.linalg.norm(down) / np.linalg.norm(way)
print(f"downhill is {down}, the minimum lies at {way}: {np.degrees(np.arccos(cosine)):.0f}° apart")

for lr in (0.018, 0.021):
    p = point.copy()
    for _step in range(100):
        p -= lr * curvature * p
    print(f"lr {lr}: after 100 steps x = {p[0]:.2f}, y = {p[1]:.2g}")

# %% [markdown]
# The steepest way down and the way to the bottom are 79 degrees apart. And there is no good step
# length. Along y each step multiplies by 1 − 100·lr, so anything above 0.02 makes it grow: at 0.021
# it explodes. Along x each step multiplies by 1 − lr, so at 0.018 it keeps 98 percent, and after a
# hundred steps it is not yet near. One number has to serve two directions, and the steep one
# decides.
#
# Real nets are like that, with millions of directions, and curvatures that differ by more than a
# hundred. So here is the question of this lesson: **given nothing but gradients, one after the
# other, how far should each weight move?** You will write six answers, from Cauchy's of 1847 to the
# one that trains today's language models; the machine around them that every framework calls an
# *optimizer*; and see your numbers come out of PyTorch digit by digit.
#
# Two sittings. In the first (exercises 1 to 4, about an hour and a half) you write the rules, and
# race them. In the second comes the machine: groups, saving, schedules, clipping, PyTorch.

# %% [markdown]
# ## It optimizes for you
#
# In the lecture's first program an update was a line for each weight. A student's notes on that
# lecture say about what came next: you write `optimizer.RMSPropGradientDescent(learningRate)` "and
# it will automatically just optimize for you". (The name is nearly right; in TensorFlow it was
# `tf.train.RMSPropOptimizer`.) In the net of lesson 04 these lines go, and these come:
#
# ```diff
# +optimizer = SGD([w1, w2], lr=1e-6)
#  for step in range(500):
#      y_pred = relu(x @ w1) @ w2
#      loss = ((y_pred - y) ** 2).sum()
#      loss.backward()
# -    with no_grad():
# -        w1 -= learning_rate * w1.grad
# -        w2 -= learning_rate * w2.grad
# -        w1.grad = None
# -        w2.grad = None
# +    optimizer.step()
# +    optimizer.zero_grad()
# ```
#
# The loop no longer knows how many weights there are, nor how they move. What is "it", then? An
# object that holds a list of weights. `step` moves each of them in place, so that the net, which
# holds the same arrays, sees the new numbers. `zero_grad` clears the gradients, because `backward`
# adds to what it finds.
#
# Weights are tensors of `chainrule`, the library that lesson 04 built: `p.data` is the NumPy array
# of a weight. `p.grad` is None, or again a tensor, whose array is `p.grad.data`. None means that no
# backward pass has reached this weight: a layer that this batch did not use, say.
#
# That is all that an optimizer sees of a tensor. So here is a stand-in that has just this. The
# checks use it, and so may you, to try an optimizer without a net.


# %% given="weight"
class Weight:
    """What an optimizer sees of a tensor: an array, and a gradient, None or again with an array."""

    def __init__(self, data):
        self.data = np.array(data)
        self.grad = None

    def receive(self, g):
        """Add to the gradient, as a backward pass does."""
        self.grad = Weight(g if self.grad is None else self.grad.data + g)

    def __eq__(self, other):  # entry by entry, as with tensors: use `is`, or keys of a dict
        return self.data == getattr(other, "data", other)

    __hash__ = object.__hash__


# %% [markdown]
# **How you are graded.** As in lesson 01: a check shows a case or two, and asks the same of fresh
# numbers when your notebook is graded ([how you are graded](../../docs/how_you_are_graded.md)). In
# the checks, `same(came, expected, what)` compares, `trajectory` does it step by step, and `beside`
# runs a function next to your code.

# %% [markdown] prompt="descent"
# ### Exercise 1: the smallest optimizer
#
# Write the class `SGD`. `SGD(params, lr)` takes the weights, in a list or any other iterable, a
# generator too, and a learning rate.
#
# * `step()` changes the array `p.data` of every weight **in place** by −`lr` times its gradient.
#   `p.data` stays the same array, whatever its shape, of float32 or float64.
# * A weight whose `p.grad` is None stays as it is.
# * `zero_grad()` sets every `p.grad` to None.
# * The learning rate is the attribute `lr`, and may be changed between steps. `params` and the
#   gradients are left as they are by `step`; two optimizers do not disturb each other.
#
# Allowed is NumPy.

# %% [markdown] hint="descent"
# `p.data = p.data - …` makes a new array and hangs it on the weight. Whoever holds the old one, a
# view of it for example, sees nothing. Which operators write into an array that exists?

# %% [markdown] hint="descent"
# ```
#            weights              gradients             after step(), lr = 0.1
#  w1.data   [1.0, 2.0]           [ 10.0, -10.0]        [0.0, 3.0]
#  w2.data   [5.0]                None                  [5.0]
#
#            after zero_grad():   w1.grad is None, w2.grad is None
# ```

# %% [markdown] hint="descent"
# ```python
# def __init__(self, params, lr):
#     self.params = list(...)          # a generator can be read only once
#     self.lr = ...
#
# def step(self):
#     for p in ...:
#         if ...:
#             p.data ... self.lr * p.grad.data
# ```


# %% exercise="descent" minutes=10 difficulty=1 importance=4 allow="numpy"
class SGD:
    """Gradient descent: every weight moves by -lr times its gradient."""

    def __init__(self, params, lr):
        ### BEGIN SOLUTION
        self.params = list(params)
        self.lr = lr
        ### END SOLUTION

    def step(self):
        ### BEGIN SOLUTION
        for p in self.params:
            if p.grad is not None:
                p.data[...] -= self.lr * p.grad.data
        ### END SOLUTION

    def zero_grad(self):
        ### BEGIN SOLUTION
        for p in self.params:
            p.grad = None
        ### END SOLUTION


# %% tests="descent" behaviour="step" points=2
@autograder.test
def _(rng):
    "`step` moves every weight by −lr times its gradient, in place, for any shape and dtype."

    @beside
    def run(starts, grads, lr, as_generator):
        weights = [Weight(start) for start in starts]
        held = [w.data for w in weights]
        optimizer = SGD((w for w in weights) if as_generator else weights, lr)
        for gs in grads:
            for w, g in zip(weights, gs, strict=True):
                w.grad = Weight(g)
            optimizer.step()
        return [w.data for w in weights], held, [w.grad.data for w in weights]

    starts, grads = [np.array([1.0, 2.0]), np.array(5.0)], [np.array([10.0, -10.0]), np.array(1.0)]
    after = [np.array([0.0, 3.0]), np.array(4.9)]
    what = "the weights after step(); the arrays that they had before it; the gradients"
    same(run(starts, [grads], 0.1, False), (after, after, grads), what)
    ### BEGIN HIDDEN TESTS
    for scale, size in ((1e-9, 1.0), (1.0, 1e4), (1e4, 1e-4), (1.0, 1.0)):
        for kind, rtol in (("float64", 1e-9), ("float32", 1e-4)):
            shapes = ((), (1,), (3, 4), (0, 2), (40, 3), (2, 1, 3))
            starts = [np.asarray(scale * rng.normal(size=s)).astype(kind) for s in shapes]
            steps = [
                [np.asarray(size * rng.normal(size=s) * (rng.random(s) < 0.7)).astype(kind)
                 for s in shapes]
                for _ in "abc"
            ]  # fmt: skip
            lr = float(rng.uniform(0.01, 0.5)) * scale / size
            moved = [
                s - (lr * sum(g)).astype(kind)
                for s, g in zip(starts, zip(*steps, strict=True), strict=True)
            ]
            moved = [np.asarray(m).astype(kind) for m in moved]
            for kept in (False, True):
                got = run(starts, steps, lr, kept)
                same(got, (moved, moved, steps[-1]), what, rtol=rtol, atol=scale * rtol / 10)
    ### END HIDDEN TESTS


# %% tests="descent" behaviour="without_gradient" points=1
@autograder.test
def _(rng):
    "A weight whose gradient is None stays as it is; the others move."

    @beside
    def run(starts, grads, lr):
        weights = [Weight(start) for start in starts]
        for w, g in zip(weights, grads, strict=True):
            w.grad = None if g is None else Weight(g)
        SGD(weights, lr).step()
        return [w.data for w in weights], [w.grad is None for w in weights]

    starts = [np.array([1.0, 2.0]), np.array([5.0])]
    expected = [np.array([0.0, 3.0]), np.array([5.0])], [False, True]
    what = "the weights after step(), and which gradients are None"
    same(run(starts, [np.array([10.0, -10.0]), None], 0.1), expected, what)
    ### BEGIN HIDDEN TESTS
    for missing in ([0], [2], [0, 1], [0, 1, 2], [1]):
        starts = list(rng.normal(size=(3, 4)))
        grads = [None if i in missing else rng.normal(size=4) for i in range(3)]
        moved = [s if g is None else s - 0.3 * g for s, g in zip(starts, grads, strict=True)]
        same(run(starts, grads, 0.3), (moved, [g is None for g in grads]), what)
    ### END HIDDEN TESTS


# %% tests="descent" behaviour="zero_grad" points=2
@autograder.test
def _(rng):
    "`zero_grad` sets every gradient to None, so that each step uses its own gradient alone."

    @beside
    def train(start, slopes, lr):
        used, unused = Weight(start), Weight(start)
        unused.grad = Weight(start)
        optimizer, path = SGD([used, unused], lr), []
        for slope in slopes:
            optimizer.zero_grad()
            path.append([used.grad is None, unused.grad is None])
            used.receive(slope)
            optimizer.step()
            path.append([used.data.copy(), unused.data.copy()])
        return path

    one, two, slopes = np.array([1.0]), np.array([2.0]), [np.array([-2.0]), np.array([-4.0])]
    expected = [[True, True], [two, one], [True, True], [np.array([4.0]), one]]
    what = "by turns: whether the gradients are None after zero_grad(), the weights after step()"
    same(train(one, slopes, 0.5), expected, what)
    ### BEGIN HIDDEN TESTS
    for shape in ((3,), (2, 4), ()):
        start, slopes = np.asarray(rng.normal(size=shape)), list(rng.normal(size=(6, *shape)))
        slopes = [np.asarray(slope) for slope in slopes]
        expected, at = [], start
        for slope in slopes:
            at = np.asarray(at - 0.2 * slope)
            expected += [[True, True], [at, start]]
        same(train(start, slopes, 0.2), expected, what)
    ### END HIDDEN TESTS


# %% tests="descent" behaviour="rate" points=1
@autograder.test
def _(rng):
    "A new value of `lr` acts from the next step on, and for this optimizer alone."

    @beside
    def run(start, g, rates):
        mine, other = Weight(start), Weight(start)
        mine.grad, other.grad = Weight(g), Weight(g)
        first = SGD([mine], 123.0)
        second, path = SGD([other], 1.0), []
        for lr in rates:
            first.lr = lr
            first.step()
            path.append(mine.data.copy())
        second.step()
        return path, other.data

    path = [np.array([9.0]), np.array([8.5]), np.array([8.5])]
    got = run(np.array([10.0]), np.array([1.0]), [1.0, 0.5, 0.0])
    what = "the weight after steps with changing rates, and that of another optimizer, with rate 1"
    same(got, (path, np.array([9.0])), what)
    ### BEGIN HIDDEN TESTS
    rates, start, g = rng.uniform(0, 1, size=5).tolist(), rng.normal(size=3), rng.normal(size=3)
    path = [start - sum(rates[: n + 1]) * g for n in range(5)]
    same(run(start, g, rates), (path, start - g), what)
    ### END HIDDEN TESTS


# %% [markdown]
# Now the lecture's net can use it. The losses at steps 0, 1, 10 and 100 are those of lesson 01:


# %%
def net_losses(optimizer_of, steps=101):
    rng = np.random.default_rng(0)
    x, y = (cr.tensor(rng.standard_normal(size)) for size in ((64, 1000), (64, 10)))
    w1 = cr.tensor(rng.standard_normal((1000, 100)), requires_grad=True)
    w2 = cr.tensor(rng.standard_normal((100, 10)), requires_grad=True)
    optimizer, losses = optimizer_of([w1, w2]), []
    for _step in range(steps):
        y_pred = cr.relu(x @ w1) @ w2
        loss = ((y_pred - y) ** 2).sum()
        losses.append(loss.item())
        if not losses[-1] < 1e12:
            break  # it has run away
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    return losses


losses = net_losses(lambda weights: SGD(weights, lr=1e-6))
print("  ".join(f"{losses[step]:.15g}" for step in (0, 1, 10, 100)))

# %% [markdown]
# ## Fancier optimization
#
# That is the lecture's heading for what follows: "SGD + Momentum, Nesterov, RMSProp, Adam". Between
# them only one line of `step` differs. So let us take it out. An *update rule*, in this lesson a
# rule for short, is a function that moves one weight by one step:
#
# ```python
# rule(p, g, state, lr, ...)
# ```
#
# `p` is the array of the weight, and is changed in place. `g` is the array of its gradient. `state`
# is a dict for what the rule wants to remember about *this* weight. It is empty before the first
# step and belongs to this weight alone. What you keep there, and under which names, is up to you,
# as long as it is arrays and numbers. (Torch7's package `optim`, after which PyTorch's is named,
# had this very form in Lua: `optim.sgd(opfunc, x, config, state)`.)
#
# ### A ball instead of a walker
#
# A walker looks at the slope, takes a step, and forgets. A ball keeps its velocity. Polyak wrote
# that down in 1964: keep a velocity v, let a part of it, say 0.9, survive each step, and add the
# new gradient.
#
# | gradients that come | velocity, step by step, with momentum 0.9 | in the long run |
# |---|---|---|
# | 1, 1, 1, 1, 1, … | 1, 1.9, 2.71, 3.44, 4.10, … | 10 |
# | 1, −1, 1, −1, 1, … | 1, −0.1, 0.91, −0.18, 0.84, … | ±0.53 |
#
# Where gradients agree, steps grow tenfold. Where they contradict each other, as across the valley,
# they cancel down to half. That is just what the valley asks for.
#
# There is one thing that it does not do well: a ball notices too late that the ground rises again.
# Nesterov's idea of 1983 is to look ahead: the velocity will carry us on anyway, so take the
# gradient *where it will carry us*. As a formula it asks for a gradient at a place where the
# weights are not. Frameworks therefore store the look-ahead point as the weight ([Sutskever and
# others, 2013](https://proceedings.mlr.press/v28/sutskever13.html), explain how it comes out), and
# all that is left of the idea is a step along g + momentum · v instead of v.

# %% [markdown] prompt="momentum"
# ### Exercise 2: momentum, and Nesterov's
#
# Write the rule `sgd(p, g, state, lr, momentum=0.0, dampening=0.0, nesterov=False)`. It changes `p`
# in place by −`lr` · d, where
#
# * v ← `momentum` · v + (1 − `dampening`) · g is the velocity of this weight. At the first step
#   there is none yet, and v ← g, whole, whatever the dampening.
# * d = v; with `nesterov`, d = g + `momentum` · v, with the new v. (The checks never combine it
#   with a dampening.)
# * With `momentum=0`, d = g, and the dampening plays no part.
#
# This is PyTorch's convention. Note that the learning rate stands *outside* of v: it may differ
# from call to call, and the new one acts on the whole velocity.
#
# For this rule and the next two: `p` and `g` have the same shape, `()` included, and both are
# float32 or float64; `p` may be a view of a larger array. `g` is unchanged after the call, and the
# caller may then overwrite it. All that is remembered is in `state`: weights take turns, and a copy
# of `p` and `state` continues exactly as the original. Allowed is NumPy.

# %% [markdown] hint="momentum"
# On which call is there no velocity yet? On the one with an empty `state`. And mind what you store
# then: `state["v"] = g` does not store numbers, it stores the caller's array.

# %% [markdown] hint="momentum"
# ```
# momentum 0.5, lr 1, gradients 1, 1, 1
#
#            v                     p, plain      g + 0.5 v     p, nesterov
# step 1     1                     −1            1.5           −1.5
# step 2     0.5 · 1   + 1 = 1.5   −2.5          1.75          −3.25
# step 3     0.5 · 1.5 + 1 = 1.75  −4.25         1.875         −5.125
# ```

# %% [markdown] hint="momentum"
# ```python
# if momentum == 0:
#     d = ...
# else:
#     if "v" in state:
#         v = ...
#     else:
#         v = ...                  # a copy
#     state["v"] = v
#     d = ... if nesterov else ...
# p -= ...
# ```


# %% exercise="momentum" minutes=15 difficulty=2 importance=4 allow="numpy"
def sgd(p, g, state, lr, momentum=0.0, dampening=0.0, nesterov=False):
    """Move p in place by one step of gradient descent with momentum."""
    ### BEGIN SOLUTION
    d = g
    if momentum:
        v = momentum * state["v"] + (1 - dampening) * g if "v" in state else g.copy()
        state["v"] = v
        d = g + momentum * v if nesterov else v
    p -= lr * d
    ### END SOLUTION


# %% tests="momentum" behaviour="first_step" points=1
@autograder.test
def _(rng):
    "The first gradient becomes the velocity, whole; with momentum 0 every step is −lr · g."

    @beside
    def run(start, grads, options):
        import numpy as np

        p, state, path = np.array(start), {}, []
        for g in grads:
            sgd(p, g, state, **options)
            path.append(p.copy())
        return path

    p, g = np.array([1.0, 2.0]), np.array([10.0, -10.0])
    what = "the weight after each step"
    options = {"lr": 0.1, "momentum": 0.9, "dampening": 0.5}
    trajectory(run(p, [g], options), [np.array([0.0, 3.0])], what)
    ones, path = [np.array([1.0])] * 2, [np.array([-1.0]), np.array([-2.0])]
    trajectory(run(np.array([0.0]), ones, {"lr": 1.0}), path, f"{what}, momentum 0")
    ### BEGIN HIDDEN TESTS
    for scale in (1e-9, 1e-3, 1.0, 1e4):
        for momentum, dampening in ((0.5, 0.0), (0.9, 0.9), (0.99, 0.3), (0.0, 0.4), (0.0, 0.0)):
            p, gs, lr = rng.normal(size=(2, 3)), scale * rng.normal(size=(4, 2, 3)), 0.1 / scale
            gs = list(gs if momentum == 0 else gs[:1])
            options = {"lr": lr, "momentum": momentum, "dampening": dampening}
            path = [p - lr * sum(gs[: n + 1]) for n in range(len(gs))]
            trajectory(run(p, gs, options), path, what)
    ### END HIDDEN TESTS


# %% tests="momentum" behaviour="velocity" points=3
@autograder.test
def _(rng):
    "From the second step on v ← momentum · v + (1 − dampening) · g, and p moves by −lr · v."

    @beside
    def run(start, grads, options):
        import numpy as np

        p, state, path = np.array(start), {}, []
        for g in grads:
            sgd(p, g, state, **options)
            path.append(p.copy())
        return path

    zero, ones, what = np.array([0.0]), [np.array([1.0])] * 3, "the weight after each step"
    path = [np.array([-1.0]), np.array([-2.5]), np.array([-4.25])]
    trajectory(run(zero, ones, {"lr": 1.0, "momentum": 0.5}), path, what)
    path = [np.array([-1.0]), np.array([-2.0]), np.array([-3.0])]
    options = {"lr": 1.0, "momentum": 0.5, "dampening": 0.5}
    trajectory(run(zero, ones, options), path, f"{what}, dampening 0.5")
    ### BEGIN HIDDEN TESTS
    for shape in ((3,), (2, 4), ()):
        for momentum, dampening in ((0.9, 0.0), (0.5, 0.0), (0.99, 0.0), (0.9, 0.9), (0.8, 0.25)):
            size = np.asarray(10.0 ** rng.uniform(-8, 4, size=shape))
            grads = size * rng.normal(size=(30, *shape)) * (rng.random((30, *shape)) < 0.6)
            p, v, path = np.asarray(rng.normal(size=shape)), None, []
            at = p
            for g in grads:
                v = g if v is None else momentum * v + (1 - dampening) * g
                at = at - 0.03 * v
                path.append(np.asarray(at))
            options = {"lr": 0.03, "momentum": momentum, "dampening": dampening}
            trajectory(run(p, [np.asarray(g) for g in grads], options), path, what)
    ### END HIDDEN TESTS


# %% tests="momentum" behaviour="nesterov" points=2
@autograder.test
def _(rng):
    "With `nesterov`, p moves by −lr · (g + momentum · v), where v is the new velocity."

    @beside
    def run(start, grads, rates, momentum):
        import numpy as np

        whole, state, path = np.stack([start, start], axis=-1), {}, []
        for g, lr in zip(grads, rates, strict=True):
            lent = np.array(g)
            sgd(whole[..., 0], lent, state, lr=lr, momentum=momentum, nesterov=True)
            path.append([whole[..., 0].copy(), lent.copy()])
            lent.fill(np.nan)
        return path

    path, one = [np.array([-1.5]), np.array([-3.25]), np.array([-5.125])], np.array([1.0])
    what = "the weight, and the gradient, after each step"
    got = run(np.array([0.0]), [one] * 3, [1.0] * 3, 0.5)
    trajectory(got, [[at, one] for at in path], what)
    ### BEGIN HIDDEN TESTS
    for shape in ((3,), (2, 4), ()):
        for momentum in (0.9, 0.5, 0.99):
            size = np.asarray(10.0 ** rng.uniform(-8, 4, size=shape))
            grads = size * rng.normal(size=(30, *shape)) * (rng.random((30, *shape)) < 0.6)
            p, v, path = np.asarray(rng.normal(size=shape)), 0.0, []
            at, rates = p, rng.uniform(0, 0.1, size=30).tolist()
            for g, lr in zip(grads, rates, strict=True):
                v = momentum * v + g
                at = at - lr * (g + momentum * v)
                path.append([np.asarray(at), np.asarray(g)])
            got = run(p, [np.asarray(g) for g in grads], rates, momentum)
            trajectory(got, path, what)
    ### END HIDDEN TESTS


# %% tests="momentum" behaviour="rate" points=1
@autograder.test
def _(rng):
    "A learning rate that changes between steps acts on the whole velocity at once."

    @beside
    def run(start, grads, rates, momentum):
        import numpy as np

        p, state, path = np.array(start), {}, []
        for g, lr in zip(grads, rates, strict=True):
            sgd(p, g, state, lr=lr, momentum=momentum)
            path.append(p.copy())
        return path

    grads, path = [[1.0], [0.0], [0.0]], [[-1.0], [-1.05], [-1.05]]
    grads, path = [np.array(g) for g in grads], [np.array(at) for at in path]
    what = "the weight after steps with rates 1, 0.1 and 0"
    trajectory(run(np.array([0.0]), grads, [1.0, 0.1, 0.0], 0.5), path, what)
    ### BEGIN HIDDEN TESTS
    for momentum in (0.8, 0.95):
        grads, rates = list(rng.normal(size=(12, 3))), rng.uniform(0, 0.3, size=12).tolist()
        rates[0] = rates[5] = 0.0
        p, v, path = rng.normal(size=3), 0.0, []
        at = p
        for g, lr in zip(grads, rates, strict=True):
            v = momentum * v + g
            at = at - lr * v
            path.append(at)
        what = "the weight after steps with changing rates"
        trajectory(run(p, grads, rates, momentum), path, what)
    ### END HIDDEN TESTS


# %% tests="momentum" behaviour="own_state" points=2
@autograder.test
def _(rng):
    "Weights that take turns do not mix, `g` is neither kept nor changed, and `state` is all."

    @beside
    def turns(starts, streams, options):
        import copy

        import numpy as np

        weights, states, seen = [np.array(s) for s in starts], [{} for _ in starts], []
        for gs in zip(*streams, strict=True):
            for i, g in enumerate(gs):
                if g is not None:
                    lent = np.array(g)
                    sgd(weights[i], lent, states[i], **options)
                    seen.append(lent.copy())
                    lent.fill(np.nan)
            weights, states = copy.deepcopy((weights, states))
        return weights, seen

    one, zero, options = np.array([1.0]), np.array([0.0]), {"lr": 1.0, "momentum": 0.5}
    streams, expected = [[one, one, one], [None, one, None]], [np.array([-4.25]), np.array([-1.0])]
    what = "two weights after three steps, the second with one gradient; the gradients afterwards"
    same(turns([zero, zero], streams, options), (expected, [one] * 4), what)
    ### BEGIN HIDDEN TESTS
    for momentum in (0.9, 0.5):
        starts = [np.asarray(rng.normal(size=shape)) for shape in ((3,), (3,), (2, 2), ())]
        streams, expected = [], []
        for start in starts:
            v, at, stream = 0.0, start, []
            for _ in range(15):
                g = np.asarray(rng.normal(size=start.shape))
                stream.append(g if rng.random() < 0.6 else None)
                if stream[-1] is not None:
                    v = momentum * v + g
                    at = at - 0.1 * v
            streams.append(stream)
            expected.append(np.asarray(at))
        options = {"lr": 0.1, "momentum": momentum}
        seen = [g for gs in zip(*streams, strict=True) for g in gs if g is not None]
        what = "four weights with gradients now and then; the gradients afterwards"
        same(turns(starts, streams, options), (expected, seen), what)
    ### END HIDDEN TESTS


# %% tests="momentum" behaviour="in_place" points=1
@autograder.test
def _(rng):
    "`p` is changed in place: views, float32 and arrays without axes too, and nothing around them."

    @beside
    def run(base, grads, options):
        import numpy as np

        whole, state = np.array(base), {}
        p = whole.T[1:, ::2] if whole.ndim else whole
        for g in grads:
            sgd(p, g, state, **options)
        return whole

    base, grads = np.zeros((3, 2)), [np.array([[1.0, 2.0]])] * 2
    expected = np.array([[0.0, -2.5], [0.0, 0.0], [0.0, -5.0]])
    what = "the array around the view after two steps"
    same(run(base, grads, {"lr": 1.0, "momentum": 0.5}), expected, what)
    ### BEGIN HIDDEN TESTS
    for kind, rtol in (("float64", 1e-9), ("float32", 1e-4)):
        for momentum in (0.9, 0.0):
            base, number = rng.normal(size=(7, 5)).astype(kind), np.array(rng.normal()).astype(kind)
            grads = [g.astype(kind) for g in rng.normal(size=(5, 4, 4))]
            few = [np.array(rng.normal()).astype(kind) for _ in range(5)]
            options = {"lr": 0.1, "momentum": momentum}
            for start, stream in ((base, grads), (number, few)):
                expected, v = start.copy(), 0.0
                for g in stream:
                    v = momentum * v + g
                    place = expected.T[1:, ::2] if start.ndim else expected
                    place -= (0.1 * v).astype(kind)
                same(run(start, stream, options), expected, what, rtol=rtol, atol=rtol)
    ### END HIDDEN TESTS


# %% [markdown]
# Back into the valley, with a rate that every one of them can stand:

# %%
for options in ({}, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}):
    p, state, losses = point.copy(), {}, []
    for _step in range(100):
        sgd(p, curvature * p, state, lr=0.01, **options)
        losses.append((p @ (curvature * p)) / 2)
    name = " ".join(options) or "plain"
    print(f"{name:18}", "  ".join(f"step {n}: {losses[n - 1]:7.2g}" for n in (1, 3, 10, 30, 100)))

# %% [markdown]
# Momentum is worse for a while: at step 3 it has overshot. At step 100 it is ten thousand times
# lower than the plain one, and Nesterov's version, which swings less, lower still. Nothing is free:
# try `lr=0.015` in the cell above, and see which of the three cannot stand it.
#
# ## A length for each weight
#
# Momentum still has one rate for all weights. The other idea is to give each its own, and to read
# it off its gradients. Take a net that reads text. The weight of the word "the" gets a gradient in
# every batch, that of "ravine" in one of a thousand. AdaGrad ([Duchi, Hazan and Singer,
# 2011](https://jmlr.org/papers/v12/duchi11a.html)) divides each gradient by the root of the sum of
# the squares of all that came before: rare ones get long steps. But the sum only grows, and in the
# end nothing moves. Hinton put a *running mean* in its place, on a slide of his Coursera lecture 6
# (2012). The slide is cited to this day, because there never was a paper:
#
# ```
# s ← alpha · s + (1 − alpha) · g²             s starts at 0; entry by entry
# p ← p − lr · g / (√s + eps)
# ```
#
# If gradients are steadily ±0.003, then √s is 0.003, and each step is ±lr. If they are steadily
# ±300, each step is ±lr as well. The size of a gradient no longer matters, only how it compares
# with what this weight is used to. Without `eps` a weight whose gradient has always been 0 would
# get 0 / 0.

# %% [markdown] prompt="rmsprop"
# ### Exercise 3: RMSProp
#
# Write the rule `rmsprop(p, g, state, lr=0.01, alpha=0.99, eps=1e-8)`, by the two lines above:
#
# * s is this weight's running mean of squares. It starts at 0, so after the first step it is
#   (1 − `alpha`) · g².
# * `eps` is added to the root, not under it. The checks use gradients near `eps`, from 1e-10 on,
#   and up to 1e4. They use values of `eps` from 1e-10 to 1, and 0 where no entry has had only
#   zeros.
# * Where all gradients so far are exactly 0, `p` does not move, and NumPy does not warn.
#
# As before: `p` changes in place, is of any shape, float32 or float64, and may be a view; `g` is
# neither changed nor kept; all that is remembered is in `state`. Allowed is NumPy.

# %% [markdown] hint="rmsprop"
# `state.get("s", 0.0)` is what stands there, or 0 if nothing does. A number and an array can be
# added.

# %% [markdown] hint="rmsprop"
# ```
# alpha 0.75, lr 1, eps 0, p starts at 0
#
#          g      s                            √s       step      p
# step 1   2      0.25 · 4          = 1        1        −2        −2
# step 2   1      0.75 · 1 + 0.25   = 1        1        −1        −3
# step 3   0      0.75 · 1          = 0.75     0.866     0        −3
# ```
#
# The first step is twice as long as the rate: s has only begun to grow. Remember that for Adam.

# %% [markdown] hint="rmsprop"
# ```python
# s = alpha * ... + (1 - alpha) * ...
# state["s"] = s
# p -= lr * g / (...)
# ```


# %% exercise="rmsprop" minutes=10 difficulty=2 importance=3 allow="numpy"
def rmsprop(p, g, state, lr=0.01, alpha=0.99, eps=1e-8):
    """Move p in place by the gradient over the root of its running mean square."""
    ### BEGIN SOLUTION
    s = alpha * state.get("s", 0.0) + (1 - alpha) * g * g
    state["s"] = s
    p -= lr * g / (np.sqrt(s) + eps)
    ### END SOLUTION


# %% tests="rmsprop" behaviour="values" points=3
@autograder.test
def _(rng):
    "The running mean of squares and the step −lr · g / √s, where eps is 0, from the first step on."

    @beside
    def run(start, grads, options):
        import numpy as np

        p, state, path = np.array(start), {}, []
        for g in grads:
            rmsprop(p, g, state, **options)
            path.append(p.copy())
        return path

    grads, path = [[4.0], [2.0], [0.0]], [[-1.0], [-1.5], [-1.5]]
    grads, path = [np.array(g) for g in grads], [np.array(at) for at in path]
    options, what = {"lr": 0.5, "alpha": 0.75, "eps": 0.0}, "the weight after each step"
    trajectory(run(np.array([0.0]), grads, options), path, what)
    ### BEGIN HIDDEN TESTS
    for shape in ((3,), (2, 4), ()):
        for options in ({}, {"alpha": 0.9}, {"lr": 0.1, "alpha": 0.5}, {"alpha": 0.999}):
            size = np.asarray(10.0 ** rng.uniform(-10, 4, size=shape))
            grads = size * rng.normal(size=(30, *shape)) * (rng.random((30, *shape)) < 0.6)
            grads[0] = size
            p, s, path = np.asarray(rng.normal(size=shape)), 0.0, []
            at, alpha, lr = p, options.get("alpha", 0.99), options.get("lr", 0.01)
            for g in grads:
                s = alpha * s + (1 - alpha) * g**2
                at = at - lr * g / s**0.5
                path.append(np.asarray(at))
            options = {**options, "eps": 0.0}
            trajectory(run(p, [np.asarray(g) for g in grads], options), path, what)
    ### END HIDDEN TESTS


# %% tests="rmsprop" behaviour="eps" points=2
@autograder.test
def _(rng):
    "`eps` is added to the root: right for gradients near eps and for zeros, without a warning."

    @beside
    def run(start, grads, options):
        import warnings

        import numpy as np

        p, state, path = np.array(start), {}, []
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always")
            for g in grads:
                rmsprop(p, g, state, **options)
                path.append(p.copy())
        return path, sorted({str(warning.message) for warning in heard})

    g, what = np.array([1e-8, 3e-8, 0.0]), "the weights after each step, and warnings"
    path = [np.array([-0.5, -0.75, 0.0])]
    same(run(np.zeros(3), [2 * g], {"lr": 0.5, "alpha": 0.75}), (path, []), what)
    ### BEGIN HIDDEN TESTS
    for eps in (1e-10, 1e-8, 1e-4, 1.0):
        for alpha in (0.9, 0.99):
            size = eps * 10.0 ** rng.uniform(0, 4, size=6)
            grads = size * rng.normal(size=(8, 6)) * (rng.random((8, 6)) < 0.5)
            grads[:, 2] = 0.0
            s, at, path = 0.0, np.zeros(6), []
            for g in grads:
                s = alpha * s + (1 - alpha) * g**2
                at = at - 0.1 * g / (s**0.5 + eps)
                path.append(at)
            options = {"lr": 0.1, "alpha": alpha, "eps": eps}
            same(run(np.zeros(6), list(grads), options), (path, []), what)
    ### END HIDDEN TESTS


# %% tests="rmsprop" behaviour="own_state" points=1
@autograder.test
def _(rng):
    "Weights that take turns do not mix, `g` is neither kept nor changed, `p` changes in place."

    @beside
    def turns(starts, streams, options):
        import copy

        import numpy as np

        whole, states, seen = [np.stack([s, s]) for s in starts], [{} for _ in starts], []
        for gs in zip(*streams, strict=True):
            for i, g in enumerate(gs):
                if g is not None:
                    lent = np.array(g)
                    rmsprop(whole[i].T[..., 0], lent, states[i], **options)
                    seen.append(lent.copy())
                    lent.fill(np.nan)
            whole, states = copy.deepcopy((whole, states))
        return whole, seen

    two, zero, options = np.array([2.0]), np.array([0.0]), {"lr": 0.5, "alpha": 0.75, "eps": 0.0}
    expected = [np.array([[-1.0], [0.0]])] * 2
    what = "two weights, each the first row of an array, after a step; the gradients afterwards"
    got = turns([zero, zero], [[two, None], [None, two]], options)
    same(got, (expected, [two, two]), what)
    ### BEGIN HIDDEN TESTS
    for kind, rtol in (("float64", 1e-9), ("float32", 1e-4)):
        starts = [rng.normal(size=shape).astype(kind) for shape in ((3,), (3,), (2, 2))]
        streams, expected = [], []
        for start in starts:
            s, at, stream = 0.0, start.T.astype("float64"), []
            for _ in range(15):
                g = rng.normal(size=at.shape).astype(kind)
                stream.append(g if rng.random() < 0.6 else None)
                if stream[-1] is not None:
                    s = 0.9 * s + 0.1 * g.astype("float64") ** 2
                    at = at - 0.1 * g / s**0.5
            streams.append(stream)
            expected.append(np.stack([at.T.astype(kind), start]))
        options = {"lr": 0.1, "alpha": 0.9, "eps": 0.0}
        seen = [g for gs in zip(*streams, strict=True) for g in gs if g is not None]
        same(turns(starts, streams, options), (expected, seen), what, rtol=rtol, atol=rtol)
    ### END HIDDEN TESTS


# %% [markdown]
# ## Adam
#
# The two ideas go together: the ball's mean of gradients in the numerator, Hinton's mean of squares
# in the denominator. Kingma and Ba (2015, [arXiv:1412.6980](https://arxiv.org/abs/1412.6980)) did
# that, and saw what goes wrong at the start. Both means begin at 0 and take a while to fill. With
# the usual 0.9 and 0.999 they fill at different speeds, so their ratio is off. Here are the steps,
# in units of `lr`, for gradients that are 1 all the time and should be answered by steps of 1:

# %%
m = v = 0.0
for t in range(1, 1001):
    m, v = 0.9 * m + 0.1 * 1.0, 0.999 * v + 0.001 * 1.0**2
    if t in (1, 2, 3, 10, 100, 1000):
        mended = (m / (1 - 0.9**t)) / np.sqrt(v / (1 - 0.999**t))
        print(f"step {t:4}   as it is {m / np.sqrt(v):5.2f}   corrected {mended:.2f}")

# %% [markdown]
# The first hundred steps come out three to seven times too long, and just when the weights are
# still random. The cure is exact: after t steps a mean that began at 0 holds the share 1 − βᵗ
# of what it should, so divide by that.
#
# One more line, and its famous mistake. *Weight decay* pulls weights towards 0, so that those which
# nobody needs vanish. In plain descent there are two ways to write it, with the same result: add
# `weight_decay · p` to the gradient (the gradient of an L2 penalty), or shrink `p` itself by the
# factor 1 − lr · weight_decay. In Adam they differ. What is added to the gradient gets divided by
# √v as well, so the weights with the largest gradients are pulled the least. Libraries did it that
# way for years. Loshchilov and Hutter ([2017](https://arxiv.org/abs/1711.05101)) took the decay out
# of the gradient again, *decoupled* it, and called that AdamW. Most large language models are
# trained with it.

# %% [markdown] prompt="adam"
# ### Exercise 4: Adam, and AdamW
#
# Write two rules,
#
# `adam(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0)` and
# `adamw(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01)`.
#
# With (β₁, β₂) = `betas`, and m = v = 0, t = 0 before the first step, `adam` does
#
# ```
# t ← t + 1
# g ← g + weight_decay · p                     (the array g of the caller stays as it is)
# m ← β₁ m + (1 − β₁) g
# v ← β₂ v + (1 − β₂) g²
# p ← p − lr · (m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + eps)
# ```
#
# * t counts the steps of *this weight*. Where it had no gradient the rule is not called, and t does
#   not grow.
# * `eps` is added to the root of the corrected v, not under it, and not before the correction. The
#   checks use gradients from 1e-10 to 1e4, and exact zeros, without a warning of NumPy's. (Where
#   `eps` is not what they are about they set it to 0, and use no entry that has had only zeros.)
# * `adamw` shrinks instead of adding: p ← p − lr · weight_decay · p, with the p from before the
#   step, and the bare g enters m and v.
#
# As before: `p` changes in place, is of any shape, float32 or float64, and may be a view; `g` is
# neither changed nor kept; all that is remembered is in `state`. `adamw` may call `adam`. Allowed
# is NumPy.

# %% [markdown] hint="adam"
# `state` needs three entries: two arrays and a number. `state.get(name, 0)` gives the start of
# each. Count first: the corrections use the *new* t, which is 1 at the first step.

# %% [markdown] hint="adam"
# ```
# betas (0.5, 0.75), lr 1, eps 0, p starts at 0
#
#          g    m               v               m / (1 − 0.5ᵗ)    v / (1 − 0.75ᵗ)    p
# t = 1    2    1               1               1 / 0.5 = 2       1 / 0.25 = 4       0 − 2/√4 = −1
# t = 2   −1    0.5 − 0.5 = 0   0.75 + 0.25 = 1 0                 1 / 0.4375         −1
# t = 3    4    0 + 2 = 2       0.75 + 4 = 4.75 2 / 0.875         4.75 / 0.578125    −1.797
# ```

# %% [markdown] hint="adam"
# ```python
# def adam(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
#     beta1, beta2 = betas
#     t = state["t"] = ...
#     g = g + ...                          # a new array under the old name
#     m = state["m"] = ...
#     v = state["v"] = ...
#     p -= lr * (...) / (np.sqrt(...) + eps)
#
#
# def adamw(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
#     p *= ...
#     adam(p, g, state, ...)
# ```


# %% exercise="adam" minutes=25 difficulty=3 importance=5 allow="numpy"
def adam(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
    """Move p in place by one step of Adam; the decay enters the gradient."""
    ### BEGIN SOLUTION
    beta1, beta2 = betas
    t = state["t"] = state.get("t", 0) + 1
    g = g + weight_decay * p
    m = state["m"] = beta1 * state.get("m", 0.0) + (1 - beta1) * g
    v = state["v"] = beta2 * state.get("v", 0.0) + (1 - beta2) * g * g
    p -= lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps)
    ### END SOLUTION


def adamw(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    """Move p in place by one step of Adam; the decay shrinks p itself."""
    ### BEGIN SOLUTION
    p *= 1 - lr * weight_decay
    adam(p, g, state, lr, betas, eps)
    ### END SOLUTION


# %% tests="adam" behaviour="first_step" points=2
@autograder.test
def _(rng):
    "The first step is ±lr, whatever the gradient: both means are divided by 1 − βᵗ, and t is 1."

    @beside
    def run(start, g, options):
        import numpy as np

        p = np.array(start)
        adam(p, g, {}, **options)
        return p

    g, what = np.array([0.5, -100.0, 1e-8]), "the weights after one step"
    same(run(np.zeros(3), g, {"lr": 0.2, "eps": 0.0}), np.array([-0.2, 0.2, -0.2]), what)
    same(run(np.zeros(3), g, {"eps": 0.0}), np.array([-0.001, 0.001, -0.001]), what)
    ### BEGIN HIDDEN TESTS
    for shape in ((5,), (3, 2), (), (0,)):
        for betas in ((0.9, 0.999), (0.5, 0.9), (0.95, 0.98), (0.0, 0.99), (0.9, 0.0)):
            g = np.asarray(10.0 ** rng.uniform(-10, 4, size=shape) * rng.normal(size=shape))
            p, lr = np.asarray(rng.normal(size=shape)), float(rng.uniform(0.01, 1))
            got = run(p, g, {"lr": lr, "betas": betas, "eps": 0.0})
            same(got, np.asarray(p - lr * np.sign(g)), what, rtol=1e-8)
    ### END HIDDEN TESTS


# %% tests="adam" behaviour="trajectory" points=3
@autograder.test
def _(rng):
    "Two running means, of g and of g², and their corrections, step after step, zeros included."

    @beside
    def run(start, grads, options):
        import numpy as np

        p, state, path = np.array(start), {}, []
        for g in grads:
            adam(p, g, state, **options)
            path.append(p.copy())
        return path

    grads, path = [[2.0], [-1.0], [4.0]], [[-1.0], [-1.0], [-1.797417959913555]]
    grads, path = [np.array(g) for g in grads], [np.array(at) for at in path]
    options, what = {"lr": 1.0, "betas": (0.5, 0.75), "eps": 0.0}, "the weight after each step"
    trajectory(run(np.array([0.0]), grads, options), path, what)
    ### BEGIN HIDDEN TESTS
    for shape, steps in (((3,), 40), ((2, 4), 40), ((), 400)):
        for beta1, beta2 in ((0.9, 0.999), (0.5, 0.9), (0.95, 0.98), (0.0, 0.9), (0.8, 0.5)):
            size = np.asarray(10.0 ** rng.uniform(-8, 4, size=shape))
            grads = size * rng.normal(size=(steps, *shape)) * (rng.random((steps, *shape)) < 0.6)
            grads[0] = -size
            p, m, v, path = np.asarray(rng.normal(size=shape)), 0.0, 0.0, []
            at = p
            for t, g in enumerate(grads, 1):
                m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g**2
                at = at - 0.1 * m / (1 - beta1**t) / (v / (1 - beta2**t)) ** 0.5
                path.append(np.asarray(at))
            options = {"lr": 0.1, "betas": (beta1, beta2), "eps": 0.0}
            trajectory(run(p, [np.asarray(g) for g in grads], options), path, what)
    ### END HIDDEN TESTS


# %% tests="adam" behaviour="eps" points=2
@autograder.test
def _(rng):
    "`eps` stands beside the root of the corrected mean; zeros neither move p nor warn."

    @beside
    def run(start, grads, options):
        import warnings

        import numpy as np

        p, state, path = np.array(start), {}, []
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always")
            for g in grads:
                adam(p, g, state, **options)
                path.append(p.copy())
        return path, sorted({str(warning.message) for warning in heard})

    g, what = np.array([1e-8, 3e-8, 0.0]), "the weights after each step, and warnings"
    path = [np.array([-0.5, -0.75, 0.0]), np.array([-1.0, -1.5, 0.0])]
    same(run(np.zeros(3), [g, g], {"lr": 1.0}), (path, []), what)
    ### BEGIN HIDDEN TESTS
    for eps in (1e-10, 1e-8, 1e-4, 1.0):
        for beta1, beta2 in ((0.9, 0.999), (0.5, 0.9)):
            size = eps * 10.0 ** rng.uniform(0, 4, size=6)
            grads = size * rng.normal(size=(12, 6)) * (rng.random((12, 6)) < 0.5)
            grads[:, 2] = 0.0
            m = v = at = np.zeros(6)
            path = []
            for t, g in enumerate(grads, 1):
                m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g**2
                at = at - 0.1 * m / (1 - beta1**t) / ((v / (1 - beta2**t)) ** 0.5 + eps)
                path.append(at)
            options = {"lr": 0.1, "betas": (beta1, beta2), "eps": eps}
            same(run(np.zeros(6), list(grads), options), (path, []), what)
    ### END HIDDEN TESTS


# %% tests="adam" behaviour="own_steps" points=2
@autograder.test
def _(rng):
    "t and both means belong to one weight; others that take turns do not disturb them."

    @beside
    def turns(starts, streams, options):
        import copy

        import numpy as np

        weights, states = [np.array(s) for s in starts], [{} for _ in starts]
        for gs in zip(*streams, strict=True):
            for i, g in enumerate(gs):
                if g is not None:
                    lent = np.array(g)
                    adam(weights[i], lent, states[i], **options)
                    lent.fill(np.nan)
            weights, states = copy.deepcopy((weights, states))
        return weights

    one, options = np.array([1.0]), {"lr": 0.5, "eps": 0.0}
    streams, expected = [[one, one, one], [None, None, one]], [np.array([-1.5]), np.array([-0.5])]
    what = "two weights after three steps; the second has a gradient in the last one only"
    same(turns([np.zeros(1)] * 2, streams, options), expected, what)
    ### BEGIN HIDDEN TESTS
    for beta1, beta2 in ((0.9, 0.999), (0.5, 0.9)):
        starts = [np.asarray(rng.normal(size=shape)) for shape in ((3,), (3,), (2, 2), ())]
        streams, expected = [], []
        for start in starts:
            m, v, t, at, stream = 0.0, 0.0, 0, start, []
            for _ in range(20):
                g = np.asarray(rng.normal(size=start.shape))
                stream.append(g if rng.random() < 0.5 else None)
                if stream[-1] is not None:
                    t += 1
                    m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g**2
                    at = at - 0.1 * m / (1 - beta1**t) / (v / (1 - beta2**t)) ** 0.5
            streams.append(stream)
            expected.append(np.asarray(at))
        options = {"lr": 0.1, "betas": (beta1, beta2), "eps": 0.0}
        same(turns(starts, streams, options), expected, "four weights with gradients now and then")
    ### END HIDDEN TESTS


# %% tests="adam" behaviour="decay_in_gradient" points=2
@autograder.test
def _(rng):
    "In `adam` the decay is added to the gradient, before both means."

    @beside
    def run(start, grads, options):
        import numpy as np

        p, state, path = np.array(start), {}, []
        for g in grads:
            adam(p, g, state, **options)
            path.append(p.copy())
        return path

    options, what = {"lr": 1.0, "betas": (0.5, 0.75), "eps": 0.0}, "the weight after each step"
    path = [np.array([3.0]), np.array([2.1180828963118032])]
    g, options = np.array([-1.0]), {**options, "weight_decay": 0.5}
    trajectory(run(np.array([4.0]), [g, g], options), path, what)
    ### BEGIN HIDDEN TESTS
    for decay in (0.01, 0.5, 2.0):
        for beta1, beta2 in ((0.9, 0.999), (0.5, 0.9)):
            grads = rng.normal(size=(20, 5)) * (rng.random((20, 5)) < 0.6)
            grads *= 10.0 ** rng.uniform(-8, 4, size=5)
            p, m, v, path = rng.normal(size=5), 0.0, 0.0, []
            at = p
            for t, g in enumerate(grads, 1):
                g = g + decay * at
                m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g**2
                at = at - 0.1 * m / (1 - beta1**t) / (v / (1 - beta2**t)) ** 0.5
                path.append(at)
            options = {"lr": 0.1, "betas": (beta1, beta2), "eps": 0.0, "weight_decay": decay}
            trajectory(run(p, list(grads), options), path, what, rtol=1e-8)
    ### END HIDDEN TESTS


# %% tests="adam" behaviour="decoupled" points=2
@autograder.test
def _(rng):
    "`adamw` shrinks p by the factor 1 − lr · weight_decay; the bare gradient enters the means."

    @beside
    def run(start, grads, options):
        import numpy as np

        p, state, path = np.array(start), {}, []
        for g in grads:
            adamw(p, g, state, **options)
            path.append(p.copy())
        return path

    options, what = {"lr": 0.5, "eps": 0.0, "weight_decay": 0.5}, "the weight after each step"
    path = [np.array([4.0 - 1.0 - 0.5]), np.array([2.5 - 0.625 - 0.5])]
    trajectory(run(np.array([4.0]), [np.array([1.0])] * 2, options), path, what)
    path = [np.array([4.0 - 0.00004])]
    trajectory(run(np.array([4.0]), [np.array([0.0])], {}), path, "a weight with gradient 0")
    ### BEGIN HIDDEN TESTS
    for decay in (None, 0.0, 0.5, 2.0):
        for beta1, beta2 in ((0.9, 0.999), (0.5, 0.9)):
            grads = rng.normal(size=(20, 5)) * (rng.random((20, 5)) < 0.6)
            grads[0] = 1.0
            grads *= 10.0 ** rng.uniform(-8, 4, size=5)
            p, m, v, path = rng.normal(size=5), 0.0, 0.0, []
            at = p
            for t, g in enumerate(grads, 1):
                m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g**2
                step = m / (1 - beta1**t) / (v / (1 - beta2**t)) ** 0.5
                at = at - 0.1 * (0.01 if decay is None else decay) * at - 0.1 * step
                path.append(at)
            options = {"lr": 0.1, "betas": (beta1, beta2), "eps": 0.0}
            options |= {} if decay is None else {"weight_decay": decay}
            trajectory(run(p, list(grads), options), path, what)
    ### END HIDDEN TESTS


# %% tests="adam" behaviour="in_place" points=1
@autograder.test
def _(rng):
    "Both change `p` in place, views and float32 too, nothing around it, and leave `g` as it is."

    @beside
    def run(base, grads, options):
        import numpy as np

        found = []
        for rule in (adam, adamw):
            whole, state = np.array(base), {}
            p = whole.T[1:, ::2] if whole.ndim else whole
            for g in grads:
                lent = np.array(g)
                rule(p, lent, state, **options)
                found.append(lent)
            found.append(whole)
        return found

    base, what = np.ones((3, 2)), "by turns: g after the call, the array around the view"
    grads, options = [np.array([[1.0, -2.0]])], {"lr": 0.25, "weight_decay": 1.0, "eps": 0.0}
    expected = [np.array([[1.0, 0.75], [1.0, 1.0], [1.0, 1.25]])]
    expected += [*grads, np.array([[1.0, 0.5], [1.0, 1.0], [1.0, 1.0]])]
    same(run(base, grads, options), [*grads, *expected], what)
    ### BEGIN HIDDEN TESTS
    for kind, rtol in (("float64", 1e-8), ("float32", 1e-4)):
        for size in ((7, 5), ()):
            base = np.asarray(rng.normal(size=size)).astype(kind)
            grads = rng.normal(size=(4, 4, 4)) if size else rng.normal(size=4)
            grads, expected = [np.asarray(g).astype(kind) for g in grads], []
            for coupled in (0.3, 0.0):
                whole, m, v = base.astype("float64"), 0.0, 0.0
                p = whole.T[1:, ::2] if size else whole
                for t, g in enumerate(grads, 1):
                    g = g + coupled * p
                    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
                    p *= 1.0 if coupled else 1 - 0.1 * 0.3
                    p -= 0.1 * m / (1 - 0.9**t) / (v / (1 - 0.999**t)) ** 0.5
                expected += [*grads, whole.astype(kind)]
            options = {"lr": 0.1, "weight_decay": 0.3, "eps": 0.0}
            same(run(base, grads, options), expected, what, rtol=rtol, atol=rtol)
    ### END HIDDEN TESTS


# %% [markdown]
# All rules in the valley now. Each deserves its own rate, so try 17 of them for each rule and keep
# the best, by the mean number of steps from four starting points until the loss is below 0.01. Then
# turn the valley by 45 degrees, starting points and all. It is the same landscape, on a map that is
# held askew.


# %%
def steps_to_goal(rule, slope, lr, start, options):
    p, state = start.copy(), {}
    for step in range(1, 501):
        rule(p, slope @ p, state, lr=lr, **options)
        loss = p @ slope @ p / 2
        if not 0.01 <= loss < 1e6:
            return step if loss < 0.01 else 500
    return 500


turn = np.array([[1.0, -1.0], [1.0, 1.0]]) / np.sqrt(2)
starts = np.array([[10.0, 1.0], [-6.0, 1.2], [3.0, -1.4], [9.0, 0.3]])
rivals = {"plain": (sgd, {}), "momentum": (sgd, {"momentum": 0.9})}
rivals["nesterov"] = (sgd, {"momentum": 0.9, "nesterov": True})
rivals |= {"rmsprop": (rmsprop, {"alpha": 0.9}), "adam": (adam, {})}
for name, (rule, options) in rivals.items():
    for title, frame in (("straight", np.eye(2)), ("turned", turn)):
        slope, results = frame @ np.diag(curvature) @ frame.T, []
        for lr in np.logspace(-3, 1, 17):
            counts = [steps_to_goal(rule, slope, lr, frame @ s, options) for s in starts]
            results.append((np.mean(counts), lr))
        print(
            f"{name:9} {title:9} {min(results)[0]:5.1f} steps at lr {min(results)[1]:<8.2g}", end=""
        )
    print()

# %% [markdown]
# The first three do not notice that the map was turned: a velocity is an arrow, and turns with it.
# RMSProp wins by miles as long as the valley runs along an axis, and then loses nearly everything,
# because "a length for each weight" means a length for each *axis of the map*. Adam lies between.
# Keep this in mind when somebody shows you one picture in which one optimizer wins.
#
# Now race them yourself. Drag the start, turn the valley, change anything: all paths follow at
# once. Before you do, answer on paper:
#
# 1. Raise Momentum's momentum to 0.99. Why is it slow, although it is fast?
# 2. Turn the ravine from 0° to 45° (the start turns with it). Whose result changes, and whose not?
# 3. Give Adam `lr` 10 and `eps` 10. Like whom does it swing then, and why?
# 4. On the plateau, start far out, at x = −4, y = 3. Who gets anywhere at all?
# 5. Set the noise to 1. Which settings bring a runner closer to rest, and what does it cost?
# 6. For sport: on the bumps nobody arrives. One slider can change that. Which?

# %%
from chainrule.widgets import RavineRace

RavineRace()

# %% [markdown]
# <details><summary>What you should have seen</summary>
#
# 1. It flies past the minimum and comes back, again and again. Of its velocity 0.99 survives each
#    step, so a swing takes hundreds of steps to die out.
# 2. SGD, Momentum and Nesterov finish at steps 34, 61 and 50 whatever the angle. Adam needs 53 at
#    0° and 110 at 45°, and with the stretch at 100 it is 52 and 214. RMSProp loses a little, too,
#    and at no angle does it come to rest: near the minimum its steps stay as long as `lr`.
# 3. Like Momentum. When `eps` is much larger than √v, the denominator is nearly 10 everywhere. What
#    is left is 10 / 10 times the mean m, and m is 0.1 times Momentum's velocity. (Only the first
#    steps are longer: that is the correction.)
# 4. RMSProp and Adam. The gradient is tiny out there, but its *size* does not matter to them. The
#    others wait, SGD for longer than the race lasts.
# 5. A smaller rate, and with it a slower way down; a longer memory (momentum, β₁) averages the
#    noise as well. So people begin with a large rate and lower it: a schedule, exercise 7.
# 6. Adam's `lr`, up to about 0.8: steps that are longer than a bump do not see it. (There are more
#    ways.)
#
# </details>

# %% [markdown] prompt="one_picture"
# ### Question: one picture
#
# A blog post shows a contour plot of one long valley, in which RMSProp reaches the minimum forty
# times sooner than SGD with momentum, both at a learning rate of 0.01. It concludes that RMSProp
# should be used for everything. From what you have measured, give three reasons why the picture
# does not show that, and say what you would ask the author to plot instead.

# %% [markdown] written="one_picture" points=2
# ### BEGIN SOLUTION
# One: the valley lies along an axis. Turned by 45 degrees, RMSProp loses nearly all of its
# advantage and momentum none. Two: the same learning rate for both is no fair race; a rate means
# something different to each, and each should run at its own best. Three: it is one starting point,
# one surface, without noise, in two dimensions; a rule that takes steps of constant length may hit
# the goal by luck, and near the minimum it does not settle. I would ask for the number of steps to
# a given loss, at the best rate of each, over several starts, turned and unturned, with noise, or
# rather for the loss on the task itself.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# * 1 point: at least three of: the axes, the rate not tuned for each, one start, one surface, no
#   noise, constant steps that do not settle, two dimensions. Half for two.
# * 1 point: a plot that would answer the question: best rate for each, several starts or surfaces,
#   an axis-free comparison, or the real task.
# ### END MARK SCHEME

# %% [markdown]
# **Here the first sitting ends.** You have the rules. The second makes an optimizer of them.

# %% [markdown]
# ## `optim`: one loop, any rule
#
# Three things are still missing between a rule and what `torch.optim` is.
#
# * **Somebody has to keep the states**, one for each weight, and to leave alone, with its state, a
#   weight that got no gradient.
# * **Not all weights want the same.** When a pretrained net is tuned to a new task, its old layers
#   get a tenth of the rate of the new one. Biases usually get no decay. So weights come in
#   *groups*, each with its own options.
# * **Training stops and goes on**, on another day, on another machine.

# %% [markdown] prompt="groups"
# ### Exercise 5: the optimizer
#
# Write the class `Optimizer`. `Optimizer(params, rule, **defaults)` applies the function `rule`,
# any function of the form of exercises 2 to 4, to weights as in exercise 1 (`p.data`, `p.grad`).
#
# * `params` is an iterable of weights. Or it is an iterable of dicts, the *groups*: each has
#   "params", an iterable of weights, and any options that shall differ from `defaults` there. (Both
#   may be generators.)
# * `optimizer.param_groups` is a list of dicts, one for each group, a single one if there were
#   none: "params", a list of weights, and every option by its name. The dicts that were given stay
#   as they are.
# * `optimizer.state` is a dict: `state[w]` is the dict of what the rule remembers about the weight
#   `w`. (Weights can be keys of a dict. But `==` compares two of them entry by entry, so `w in
#   a_list` does not do what one hopes.)
# * `step()` calls `rule(p.data, p.grad.data, its state, **options)` once for every weight with a
#   gradient (one of zeros is a gradient, too), group by group, in order, with the options that
#   stand in its group *now*, "params" left out. For a weight whose gradient is None the rule is not
#   called, and its state stays as it is.
# * `zero_grad()` sets every gradient to None.
# * A weight that appears twice, in one group or in two, raises `ValueError`.
#
# Allowed is NumPy.

# %% [markdown] hint="groups"
# First make both forms of `params` one: a list of weights is a list with one group. Then each group
# is `{**defaults, **group}`, with its weights as a list. Which of the two wins there?

# %% [markdown] hint="groups"
# ```
# Optimizer([{"params": [w1, w2]}, {"params": [b], "decay": 0.0}], rule, lr=0.1, decay=0.5)
#
# param_groups   [{"lr": 0.1, "decay": 0.5, "params": [w1, w2]},
#                 {"lr": 0.1, "decay": 0.0, "params": [b]}]
# state          {w1: {...}, w2: {...}, b: {...}}
# step()         rule(w1.data, w1.grad.data, state[w1], lr=0.1, decay=0.5)
#                rule(w2.data, w2.grad.data, state[w2], lr=0.1, decay=0.5)
#                rule(b.data,  b.grad.data,  state[b],  lr=0.1, decay=0.0)
# ```

# %% [markdown] hint="groups"
# ```python
# def __init__(self, params, rule, **defaults):
#     params = list(params)
#     groups = params if ... else [{"params": params}]
#     ...
#
# def step(self):
#     for group in self.param_groups:
#         options = {name: value for name, value in group.items() if ...}
#         for p in group["params"]:
#             if ...:
#                 self.rule(..., self.state.setdefault(p, {}), **options)
# ```


# %% exercise="groups" minutes=20 difficulty=3 importance=4 allow="numpy"
class Optimizer:
    """Weights in groups, each with its options; a rule moves them."""

    def __init__(self, params, rule, **defaults):
        ### BEGIN SOLUTION
        params = list(params)
        groups = params if params and isinstance(params[0], dict) else [{"params": params}]
        self.rule, self.state = rule, {}
        self.param_groups = [{**defaults, **g, "params": list(g["params"])} for g in groups]
        weights = [p for group in self.param_groups for p in group["params"]]
        if len(set(weights)) < len(weights):
            raise ValueError("a weight appears more than once")
        ### END SOLUTION

    def step(self):
        ### BEGIN SOLUTION
        for group in self.param_groups:
            options = {name: value for name, value in group.items() if name != "params"}
            for p in group["params"]:
                if p.grad is not None:
                    state = self.state.setdefault(p, {})
                    self.rule(p.data, p.grad.data, state, **options)
        ### END SOLUTION

    def zero_grad(self):
        ### BEGIN SOLUTION
        for group in self.param_groups:
            for p in group["params"]:
                p.grad = None
        ### END SOLUTION


# %% tests="groups" behaviour="step" points=2
@autograder.test
def _(rng):
    "`step` calls the rule once for every weight with a gradient, with its arrays and the defaults."

    @beside
    def run(starts, grads, options, as_generator):
        def rule(p, g, state, **given):
            p -= given["lr"] * g + given.get("shift", 0.0)
            calls.append(given)

        calls, weights = [], [Weight(start) for start in starts]
        held = [w.data for w in weights]
        given = (w for w in weights) if as_generator else weights
        optimizer = Optimizer(given, rule, **options)
        for gs in grads:
            for w, g in zip(weights, gs, strict=True):
                w.grad = None if g is None else Weight(g)
            optimizer.step()
        return held, calls

    starts, one = [np.array([1.0, 2.0]), np.array([5.0])], np.array([10.0])
    expected = [np.array([0.0, 3.0]), np.array([4.0])], [{"lr": 0.1}] * 3
    grads = [[np.array([5.0, -5.0]), one], [np.array([5.0, -5.0]), None]]
    what = "the weights after two steps, and the options in each call of the rule"
    same(run(starts, grads, {"lr": 0.1}, False), expected, what)
    ### BEGIN HIDDEN TESTS
    for count in (1, 3, 7):
        for kept in (False, True):
            starts = [np.asarray(rng.normal(size=(2,) * (i % 4))) for i in range(count)]
            options, moved, calls = {"lr": 0.3, "shift": float(rng.normal())}, list(starts), 0
            grads = []
            for _ in range(5):
                gs = [np.asarray(rng.normal(size=s.shape) * rng.integers(2)) for s in starts]
                grads.append([g if rng.random() < 0.7 else None for g in gs])
                calls += sum(g is not None for g in grads[-1])
                moves = [0 if g is None else 0.3 * g + options["shift"] for g in grads[-1]]
                moved = [np.asarray(m - by) for m, by in zip(moved, moves, strict=True)]
            same(run(starts, grads, options, kept), (moved, [options] * calls), what)
    ### END HIDDEN TESTS


# %% tests="groups" behaviour="own_options" points=2
@autograder.test
def _(rng):
    "The options of a group take precedence over the defaults, and `param_groups` shows them."

    @beside
    def run(starts, grads, groups, defaults, as_generator):
        def rule(p, g, state, **given):
            calls.append([g.copy(), given])

        calls, weights = [], [Weight(start) for start in starts]
        names = {id(w): i for i, w in enumerate(weights)}
        given = [{**g, "params": [weights[i] for i in g["params"]]} for g in groups]
        if as_generator:
            given = [{**g, "params": iter(g["params"])} for g in given]
        optimizer = Optimizer(iter(given) if as_generator else given, rule, **defaults)
        for w, g in zip(weights, grads, strict=True):
            w.grad = Weight(g)
        optimizer.step()
        shown = [
            {**g, "params": [names[id(w)] for w in g["params"]]} for g in optimizer.param_groups
        ]
        return calls, shown, [sorted(g) for g in given]

    starts, grads = [np.zeros(1)] * 3, [np.array([1.0]), np.array([2.0]), np.array([3.0])]
    groups = [{"params": [0, 1]}, {"params": [2], "decay": 0.0}]
    whole = [{"params": [0, 1], "lr": 0.1, "decay": 0.5}, {"params": [2], "lr": 0.1, "decay": 0.0}]
    first, last = {"lr": 0.1, "decay": 0.5}, {"lr": 0.1, "decay": 0.0}
    calls = [[grads[0], first], [grads[1], first], [grads[2], last]]
    what = "gradient and options of each call; `param_groups`; the keys of the groups as given"
    got = run(starts, grads, groups, {"lr": 0.1, "decay": 0.5}, False)
    same(got, (calls, whole, [["params"], ["decay", "params"]]), what)
    ### BEGIN HIDDEN TESTS
    for kept in (False, True):
        sizes, groups, grads = (2, 1, 3), [], []
        for i, size in enumerate(sizes):
            first = sum(sizes[:i])
            group = {"params": list(range(first, first + size))}
            names = [n for n in ("lr", "beta", "eps", "flag") if rng.random() < 0.5]
            groups.append({**group, **{n: float(rng.normal()) for n in names}})
            grads += list(rng.normal(size=(size, 2)))
        defaults = {"lr": 0.5, "beta": 0.25, "more": 3}
        whole = [{**defaults, **g} for g in groups]
        calls = []
        for g in whole:
            options = {k: v for k, v in g.items() if k != "params"}
            calls += [[grads[i], options] for i in g["params"]]
        got = run([np.zeros(2)] * 6, grads, groups, defaults, kept)
        same(got, (calls, whole, [sorted(g) for g in groups]), what)
    ### END HIDDEN TESTS


# %% tests="groups" behaviour="changed_options" points=1
@autograder.test
def _(rng):
    "What is written into `param_groups` acts from the next step on, in that group only."

    @beside
    def run(rates):
        def rule(p, g, state, lr, shift=0.0):
            p -= lr * g + shift

        weights = [Weight([0.0]) for _ in "ab"]
        optimizer = Optimizer([{"params": [w]} for w in weights], rule, lr=1.0)
        for w in weights:
            w.grad = Weight([1.0])
        for rate in rates:
            optimizer.param_groups[1]["lr"] = rate
            optimizer.step()
        optimizer.param_groups[0]["shift"] = 0.25
        optimizer.step()
        return [float(w.data[0]) for w in weights]

    same(run([0.5, 0.0]), [-3.25, -0.5], "two weights, in a group each, after three steps")
    ### BEGIN HIDDEN TESTS
    rates = rng.normal(size=6).tolist()
    same(run(rates), [-7.25, -sum(rates) - rates[-1]], "the two weights after seven steps")
    ### END HIDDEN TESTS


# %% tests="groups" behaviour="state" points=2
@autograder.test
def _(rng):
    "Each weight has a state of its own in `state[w]`, which lasts, also while it has no gradient."

    @beside
    def run(starts, streams):
        def rule(p, g, state, lr):
            state["n"] = state.get("n", 0) + 1
            state["sum"] = state.get("sum", 0.0) + g
            p -= lr * state["sum"] * state["n"]

        weights = [Weight(start) for start in starts]
        half = len(weights) // 2
        optimizer = Optimizer([{"params": weights[:half]}, {"params": weights[half:]}], rule, lr=1)
        other = Optimizer(weights, rule, lr=0.0)
        for gs in zip(*streams, strict=True):
            for w, g in zip(weights, gs, strict=True):
                w.grad = None if g is None else Weight(g)
            optimizer.step()
            other.step()
        kept = [optimizer.state[w]["n"] for w in weights]
        return [w.data for w in weights], kept

    one, none = np.array([1.0]), None
    streams = [[one, one, one], [one, none, one]]
    expected = [np.array([-14.0]), np.array([-5.0])], [3, 2]
    what = "two weights after three steps, and how many steps the state of each knows of"
    same(run([np.zeros(1), np.zeros(1)], streams), expected, what)
    ### BEGIN HIDDEN TESTS
    for count in (2, 5):
        starts, streams, ends, steps = list(rng.normal(size=(count, 3))), [], [], []
        for start in starts:
            stream = [rng.normal(size=3) if rng.random() < 0.6 else None for _ in range(9)]
            stream[int(rng.integers(9))] = rng.normal(size=3)
            n, total, at = 0, 0.0, start
            for g in stream:
                if g is not None:
                    n, total = n + 1, total + g
                    at = at - total * n
            streams.append(stream)
            ends.append(at)
            steps.append(n)
        same(run(starts, streams), (ends, steps), what)
    ### END HIDDEN TESTS


# %% tests="groups" behaviour="zero_grad" points=1
@autograder.test
def _(rng):
    "`zero_grad` sets the gradients of all groups to None, with or without a step before it."

    @beside
    def run(slopes):
        def rule(p, g, state, lr):
            p -= lr * g

        weights = [Weight([0.0]) for _ in "abc"]
        groups = [{"params": weights[:1]}, {"params": weights[1:], "lr": 0.5}]
        optimizer, cleared = Optimizer(groups, rule, lr=1.0), []
        for turn, slope in enumerate([100.0, *slopes]):
            for w in weights:
                w.receive([slope])
            if turn > 0:
                optimizer.step()
            optimizer.zero_grad()
            cleared.append([w.grad is None for w in weights])
        return [float(w.data[0]) for w in weights], cleared

    what = "three weights after a round without a step and two with; which gradients were None"
    same(run([1.0, 3.0]), ([-4.0, -2.0, -2.0], [[True] * 3] * 3), what)
    ### BEGIN HIDDEN TESTS
    slopes = rng.normal(size=4).tolist()
    expected = [-sum(slopes), -0.5 * sum(slopes), -0.5 * sum(slopes)], [[True] * 3] * 5
    same(run(slopes), expected, what)
    ### END HIDDEN TESTS


# %% tests="groups" behaviour="twice" points=1
@autograder.test
def _(rng):
    "A weight that appears twice raises ValueError, in one group or in two; equal weights do not."

    @beside
    def made(groups, plain):
        weights = [Weight([1.0]) for _ in range(9)]
        groups = [[weights[i] for i in numbers] for numbers in groups]
        given = groups[0] if plain else [{"params": group} for group in groups]
        try:
            optimizer = Optimizer(given, lambda p, g, state: None)
        except ValueError:
            return "ValueError"
        return [len(group["params"]) for group in optimizer.param_groups]

    same(made([[0, 1], [2]], False), [2, 1], "weights in each group")
    same(made([[0, 1], [2, 0]], False), "ValueError", "a weight in two groups")
    same(made([[0, 1, 0]], True), "ValueError", "a weight twice in a list")
    ### BEGIN HIDDEN TESTS
    for groups in ([[0], [1, 2], [3, 4, 5]], [[7, 3, 2, 1]]):
        lone = len(groups) == 1
        same(made(groups, lone), [len(g) for g in groups], "weights in each group")
        place, again = int(rng.integers(len(groups))), int(rng.choice(groups[-1]))
        groups[place] = [*groups[place], again]
        same(made(groups, lone), "ValueError", "a weight that appears twice")
    ### END HIDDEN TESTS


# %% [markdown]
# One loop, any rule. The lecture's net under five of them, each at a rate that suits it, at a fifth
# of that, and at five times that. Only the line that makes the optimizer differs:

# %%
choices = {
    "plain": (sgd, 1e-6, {}),
    "momentum": (sgd, 5e-7, {"momentum": 0.9}),
    "nesterov": (sgd, 5e-7, {"momentum": 0.9, "nesterov": True}),
    "rmsprop": (rmsprop, 5e-3, {}),
    "adam": (adam, 5e-2, {}),
}
print("loss after 60 steps")
for name, (rule, rate, options) in choices.items():
    for lr in (rate / 5, rate, 5 * rate):

        def make(weights, rule=rule, lr=lr, options=options):
            return Optimizer(weights, rule, lr=lr, **options)

        losses = net_losses(make, 61)
        end = f"{losses[-1]:.2g}" if len(losses) == 61 else "ran away"
        print(f"{name if lr < rate else '':9} lr {lr:<7.2g} {end:8}", end="     ")
    print()

# %% [markdown]
# First look at the rates. For the first three they lie between 1e-7 and 1e-6, which nobody would
# guess: they have to undo the size of the gradients, which is huge here (lesson 01 says why). For
# Adam the rate is how far a weight moves in a step, and 0.05 is a sensible distance for weights of
# about 1. Then look along the lines. Five times too much, and the first three explode; Adam hardly
# cares. That, more than speed, is why it is what people try first: it works nearly untuned.
#
# It is not free. Adam keeps two more numbers for every weight. For a language model of 70 billion
# weights, in float32, that is 560 gigabytes besides the weights. And the best number in the table
# is not Adam's. A tuned optimizer beats an untuned one, whatever their names ([Wilson and others,
# 2017](https://arxiv.org/abs/1705.08292); [Choi and others,
# 2019](https://arxiv.org/abs/1910.05446)).

# %% [markdown] prompt="none_or_zero"
# ### Question: none, or zero?
#
# Until version 2.0 (2023) PyTorch's `zero_grad` filled gradients with zeros; since then it sets
# them to None. Think of a layer that a batch did not use. Its gradient after `backward` is then
# either all zeros or None. Say for plain SGD, for momentum, and for AdamW with weight decay what
# `step` does to that layer in each case. Where they differ, which would you call right, and why?

# %% [markdown] written="none_or_zero" points=2
# ### BEGIN SOLUTION
# With None the layer is skipped by all three: weights, velocities and counts stay. With zeros plain
# SGD does not move it either. Momentum keeps rolling: v becomes 0.9 v and p moves by −lr · v, for
# many steps. AdamW moves it in three ways: m fades but is not 0, so p moves on; v fades too, so the
# next real gradient is divided by less; and the decay shrinks the weights although no data spoke
# about them. For a layer that was not used None is right: nothing was learned about it, so nothing
# should change. (If the layer was used and the gradient happens to be 0, that *is* information, and
# rolling on and decaying is what the formula means.)
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# * 1 point: with None nothing moves; with zeros SGD stays, momentum rolls on with its old velocity,
#   AdamW moves by its m and decays. Half if one of the three is missing or wrong.
# * 1 point: a defended answer: "no gradient" is no information and "gradient zero" is some, or
#   another reason that fits what was said first (reproducing an old run, for example).
# ### END MARK SCHEME

# %% [markdown]
# ## Stop, and go on exactly
#
# A run that takes a month will be interrupted. Saving the weights is not enough: Adam with empty
# states begins again with t = 1, and its first steps are all ±lr, whatever it knew before. So an
# optimizer can be asked for everything it holds, as plain data, and be given that back.
#
# The states are keyed by weights, which are objects in memory and die with the program. So they are
# numbered instead, in the order in which they stand in the groups.

# %% [markdown] prompt="resume"
# ### Exercise 6: resume
#
# Write two functions. An `optimizer` here is any object with `param_groups` and `state` as in
# exercise 5, yours or another.
#
# `state_dict(optimizer)` returns a dict of two:
#
# * "param_groups": a list with a dict for each group: all its options, and under "params" not
#   weights but their numbers, counted from 0 through all groups;
# * "state": a dict from a weight's number to a copy of its state. A weight that has none is left
#   out.
#
# It is a snapshot: what the optimizer does later changes nothing in it, not even where a rule
# writes into the arrays of a state. (PyTorch's shares memory with the optimizer; that has spoiled
# many a "best model so far".) The optimizer itself is left as it is.
#
# `load_state_dict(optimizer, saved)` gives such a dict to an optimizer with other weights, in the
# same order:
#
# * Its options become those of `saved`, and its states, too: a weight without one there has none
#   afterwards. Its weights stay its own, and their numbers are not touched.
# * Training then goes on exactly, bit by bit. `saved` is not changed by that, and can be loaded
#   again, into several optimizers.
# * If the number of groups, or of weights in some group, differs, it raises `ValueError`, and the
#   optimizer is as before.
#
# A state holds arrays and numbers, perhaps in dicts or lists. Allowed is NumPy; all of Python's own
# library is too.

# %% [markdown] hint="resume"
# A copy of a dict has the same arrays in it. `copy.deepcopy` copies whatever hangs below. But a
# deep copy of a group would copy the weights as well: take them out first.

# %% [markdown] hint="resume"
# ```
# optimizer                                        saved
#   param_groups [{"lr": 0.1, "params": [w1, w2]},   [{"lr": 0.1, "params": [0, 1]},
#                 {"lr": 0.2, "params": [b]}]         {"lr": 0.2, "params": [2]}]
#   state        {w1: {"v": [1.0]}, b: {"v": [3.0]}} {0: {"v": [1.0]}, 2: {"v": [3.0]}}
# ```
#
# Loading reads the picture from right to left, with the weights of another optimizer.

# %% [markdown] hint="resume"
# ```python
# def state_dict(optimizer):
#     weights = [w for group in optimizer.param_groups for w in ...]
#     number = {w: i for i, w in enumerate(weights)}
#     groups = [... for group in optimizer.param_groups]
#     state = {number[w]: ... for w, kept in optimizer.state.items()}
#     return {"state": state, "param_groups": groups}
#
#
# def load_state_dict(optimizer, saved):
#     saved = ...                                     # a copy of its own
#     if ...:
#         raise ValueError("...")
#     for mine, theirs in zip(optimizer.param_groups, saved["param_groups"]):
#         ...
#     optimizer.state = ...
# ```


# %% exercise="resume" minutes=20 difficulty=3 importance=3 allow="numpy"
def state_dict(optimizer):
    """Return everything the optimizer holds, as plain data of its own."""
    ### BEGIN SOLUTION
    import copy

    weights = [w for group in optimizer.param_groups for w in group["params"]]
    number = {w: i for i, w in enumerate(weights)}
    groups = []
    for group in optimizer.param_groups:
        options = {name: copy.deepcopy(v) for name, v in group.items() if name != "params"}
        groups.append({**options, "params": [number[w] for w in group["params"]]})
    state = {number[w]: copy.deepcopy(kept) for w, kept in optimizer.state.items()}
    return {"state": state, "param_groups": groups}
    ### END SOLUTION


def load_state_dict(optimizer, saved):
    """Make the optimizer go on where the one that was saved stood."""
    ### BEGIN SOLUTION
    import copy

    saved = copy.deepcopy(saved)
    mine, theirs = optimizer.param_groups, saved["param_groups"]
    if [len(group["params"]) for group in mine] != [len(group["params"]) for group in theirs]:
        raise ValueError("the groups that were saved are not those of this optimizer")
    for group, other in zip(mine, theirs, strict=True):
        own = group["params"]
        group.clear()
        group.update({**other, "params": own})
    weights = [w for group in mine for w in group["params"]]
    optimizer.state = {weights[i]: kept for i, kept in saved["state"].items()}
    ### END SOLUTION


# %% tests="resume" behaviour="saved_form" points=2
@autograder.test
def _(rng):
    "Options, the weights as numbers through all groups, and a state for each weight that has one."

    @beside
    def save(groups, states):
        import types

        count = sum(len(group["params"]) for group in groups)
        weights = [Weight([float(i)]) for i in range(count)]
        mine = [{**g, "params": [weights[i] for i in g["params"]]} for g in groups]
        state = {weights[i]: kept for i, kept in states.items()}
        optimizer = types.SimpleNamespace(param_groups=mine, state=state)
        saved = state_dict(optimizer)
        place = {id(w): i for i, w in enumerate(weights)}
        as_before = [[place.get(id(w), -1) for w in g["params"]] for g in mine]
        return saved, as_before, len(optimizer.state)

    groups = [{"lr": 0.1, "params": [0, 1]}, {"lr": 0.2, "params": [2]}]
    states = {0: {"v": np.array([1.0])}, 2: {"v": np.array([3.0]), "t": 5}}
    what = (
        "what was saved; the weights in the optimizer's groups and its number of states afterwards"
    )
    saved = {"state": states, "param_groups": groups}
    same(save(groups, states), (saved, [[0, 1], [2]], 2), what)
    ### BEGIN HIDDEN TESTS
    for sizes in ((1,), (2, 3), (1, 1, 4), (3, 0, 2)):
        starts = np.cumsum((0, *sizes))
        numbers = [list(range(a, a + n)) for a, n in zip(starts.tolist(), sizes, strict=False)]
        options = [{"lr": float(rng.normal()), "betas": (0.9, float(rng.random()))} for _ in sizes]
        groups = [{**o, "params": p} for o, p in zip(options, numbers, strict=True)]
        states = {i: {"m": rng.normal(size=(2, 2)), "t": i, "more": {"s": [rng.normal(size=3)]}}
                  for i in range(sum(sizes)) if i == 0 or rng.random() < 0.5}  # fmt: skip
        expected = {"state": states, "param_groups": groups}, numbers, len(states)
        same(save(groups, states), expected, what)
    ### END HIDDEN TESTS


# %% tests="resume" behaviour="snapshot" points=2
@autograder.test
def _(rng):
    "Later steps change nothing in what was saved, nor in what was loaded from it elsewhere."

    @beside
    def run(v, more):
        from types import SimpleNamespace

        weights = [Weight([0.0]) for _ in "abc"]
        groups = [{"limits": [1.0], "params": [w]} for w in weights]
        made = [SimpleNamespace(param_groups=[group], state={}) for group in groups]
        made[0].state[weights[0]] = {"v": v.copy(), "deep": {"m": [v.copy()]}}
        saved = state_dict(made[0])
        for one, other in (made[:2], made[1:]):
            (kept,) = one.state.values()
            kept["v"] += more
            kept["deep"]["m"][0] += more
            one.param_groups[0]["limits"].append(more)
            load_state_dict(other, saved)
        return saved, list(made[2].state.values())

    v, what = np.array([2.0]), "what was saved; a state loaded from it after two have worked"
    state, group = {"v": v, "deep": {"m": [v]}}, {"limits": [1.0], "params": [0]}
    same(run(v, 1.0), ({"state": {0: state}, "param_groups": [group]}, [state]), what)
    ### BEGIN HIDDEN TESTS
    for size in ((3,), (2, 2), ()):
        v, more = np.asarray(rng.normal(size=size)), float(rng.normal())
        state = {"v": v, "deep": {"m": [v]}}
        same(run(v, more), ({"state": {0: state}, "param_groups": [group]}, [state]), what)
    ### END HIDDEN TESTS


# %% tests="resume" behaviour="goes_on" points=3
@autograder.test
def _(rng):
    "A run that is saved and resumed with copies of its weights goes on as if nothing had happened."

    @beside
    def train(starts, streams, rates, pause):
        from types import SimpleNamespace

        def optimizer(arrays, rate):
            weights = [Weight(array) for array in arrays]
            groups = [{"lr": rate, "params": weights[:1]}, {"lr": rate, "params": weights[1:]}]
            return weights, SimpleNamespace(param_groups=groups, state={})

        weights, one = optimizer(starts, rates[0])
        for step, gs in enumerate(zip(*streams, strict=True)):
            if step == pause:
                saved = state_dict(one)
                weights, one = optimizer([w.data.copy() for w in weights], 77.0)
                load_state_dict(one, saved)
            for w, g in zip(weights, gs, strict=True):
                if g is not None:
                    state = one.state.setdefault(w, {})
                    state["v"] = 0.9 * state.get("v", 0.0) + g
                    w.data[...] -= one.param_groups[w is not weights[0]]["lr"] * state["v"]
            for group in one.param_groups:
                group["lr"] = rates[step]
        return [w.data for w in weights]

    one, starts, expected = np.ones(1), [np.zeros(1), np.zeros(1)], [np.array([-4.255])]
    got = train(starts, [[one, one, one], [one, None, one]], [1.0, 0.5, 0.5], 2)
    same(got, [*expected, np.array([-1.95])], "two weights after 2 steps, a resume, 1 step")
    ### BEGIN HIDDEN TESTS
    for pause in (0, 1, 7, 11):
        starts = list(rng.normal(size=(4, 3)))
        streams = [[rng.normal(size=3) if rng.random() < 0.6 else None for _ in range(12)]
                   for _ in starts]  # fmt: skip
        streams[0][:2] = None, None
        rates, ends = rng.uniform(0.01, 0.1, size=12).tolist(), []
        for start, stream in zip(starts, streams, strict=True):
            at, v = start, 0.0
            for lr, g in zip([rates[0], *rates[:-1]], stream, strict=True):
                if g is not None:
                    v = 0.9 * v + g
                    at = at - lr * v
            ends.append(at)
        what = "four weights after 12 steps with a resume among them"
        same(train(starts, streams, rates, pause), ends, what, rtol=1e-12, atol=1e-14)
    ### END HIDDEN TESTS


# %% tests="resume" behaviour="replaces" points=2
@autograder.test
def _(rng):
    "Loading replaces options and states and keeps the optimizer's own weights and their numbers."

    @beside
    def load(saved, sizes, options, remembered):
        import types

        weights = [Weight([float(i)]) for i in range(sum(sizes))]
        left, groups = list(weights), []
        for size in sizes:
            groups.append({**options, "params": [left.pop(0) for _ in range(size)]})
        optimizer = types.SimpleNamespace(
            param_groups=groups, state={weights[i]: kept for i, kept in remembered.items()}
        )
        load_state_dict(optimizer, saved)
        name = {id(w): i for i, w in enumerate(weights)}
        groups = [{**g, "params": [name.get(id(w), -1) for w in g["params"]]}
                  for g in optimizer.param_groups]  # fmt: skip
        states = {name.get(id(w), -1): kept for w, kept in optimizer.state.items() if kept}
        return groups, states, [float(w.data[0]) for w in weights]

    v, old, what = np.array([3.0]), {0: {"v": np.array([9.0])}}, "groups, states, the weights"
    groups = [{"lr": 0.1, "params": [0]}, {"lr": 0.2, "params": [1]}]
    saved = {"state": {1: {"v": v}}, "param_groups": groups}
    same(load(saved, [1, 1], {"lr": 9.0}, old), (groups, {1: {"v": v}}, [0.0, 1.0]), what)
    ### BEGIN HIDDEN TESTS
    for sizes in ([3], [2, 2], [1, 0, 4]):
        numbers, first = [], 0
        for size in sizes:
            numbers.append(list(range(first, first + size)))
            first += size
        groups = [{"lr": float(rng.normal()), "eps": 1e-8, "params": n} for n in numbers]
        states = {i: {"v": rng.normal(size=2), "t": i} for i in range(first) if rng.random() < 0.5}
        old = {i: {"v": rng.normal(size=2), "more": 1.0} for i in range(first)}
        saved = {"state": states, "param_groups": groups}
        expected = groups, states, [float(i) for i in range(first)]
        same(load(saved, sizes, {"lr": 5.0, "gone": 1}, old), expected, what)
    ### END HIDDEN TESTS


# %% tests="resume" behaviour="refuses" points=1
@autograder.test
def _(rng):
    "Other numbers of groups or weights raise ValueError and change nothing; equal ones are loaded."

    @beside
    def load(saved_sizes, sizes, rate):
        from types import SimpleNamespace

        made = []
        for counts, lr in ((saved_sizes, 0.5), (sizes, rate)):
            lists = [[Weight([0.0]) for _ in range(n)] for n in counts]
            groups = [{"lr": lr, "params": weights} for weights in lists]
            state = {w: {"lr": lr} for weights in lists for w in weights}
            made.append(SimpleNamespace(param_groups=groups, state=state))
        try:
            load_state_dict(made[1], state_dict(made[0]))
            said = "loaded"
        except ValueError:
            said = "ValueError"
        rates = [group["lr"] for group in made[1].param_groups]
        return said, rates, [made[1].state[w]["lr"] for weights in lists for w in weights]

    what = "what happened, and the rates that stand in groups and states afterwards"
    same(load([1, 2], [1, 2], 0.25), ("loaded", [0.5, 0.5], [0.5] * 3), what)
    same(load([1, 2], [2, 1], 0.25), ("ValueError", [0.25, 0.25], [0.25] * 3), what)
    same(load([3], [2, 1], 0.25), ("ValueError", [0.25, 0.25], [0.25] * 3), what)
    ### BEGIN HIDDEN TESTS
    rate = float(rng.normal())
    for saved, sizes in (([2], [3]), ([3], [2]), ([2, 2], [2]), ([2], [2, 2]), ([1, 3], [2, 2]),
                         ([2, 2], [2, 1]), ([2, 1], [2, 2]), ([2, 2, 1], [2, 2])):  # fmt: skip
        expected = "ValueError", [rate] * len(sizes), [rate] * sum(sizes)
        same(load(saved, sizes, rate), expected, what)
        same(load(sizes, sizes, rate), ("loaded", [0.5] * len(sizes), [0.5] * sum(sizes)), what)
    ### END HIDDEN TESTS


# %% [markdown]
# The net of the lecture, saved after 50 of 60 steps and resumed, once with the state of Adam and
# once without:

# %%
import pickle


def interrupted(with_state):
    class Pausing:
        def __init__(self, weights):
            self.weights, self.steps = weights, 0
            self.inner = Optimizer(weights, adam, lr=1e-2)

        def step(self):
            if self.steps == 50:
                on_disk = pickle.dumps(state_dict(self.inner))
                self.inner = Optimizer(self.weights, adam, lr=1e-2)
                if with_state:
                    load_state_dict(self.inner, pickle.loads(on_disk))
            self.inner.step()
            self.steps += 1

        def zero_grad(self):
            self.inner.zero_grad()

    return net_losses(Pausing, 61)


# %%
straight_through = net_losses(lambda weights: Optimizer(weights, adam, lr=1e-2), 61)
resumed, forgetful = interrupted(with_state=True), interrupted(with_state=False)
for name, losses in (("with its state", resumed), ("without", forgetful)):
    print(f"{name:15}", "  ".join(f"step {n}: {losses[n]:.6g}" for n in (50, 51, 53, 60)))
print("with it, the same run to the last bit:", resumed == straight_through)

# %% [markdown]
# Without the state the loss leaps up on the first step: every weight moves by the full ±0.01,
# whether it has something to learn or not.
#
# ## Slower towards the end, gently at the start, and never too far
#
# The noise of minibatches does not shrink as you approach a minimum, so a constant rate never comes
# to rest. Robbins and Monro (1951) showed what does: rates whose sum is infinite and whose squares
# have a finite sum, like 1/t. Nets use less pious *schedules*. The most common today is a straight
# *warm-up* ([Goyal and others, 2017](https://arxiv.org/abs/1706.02677)), because the first
# gradients of random weights deserve little trust, and then half a cosine down ([Loshchilov and
# Hutter, 2016](https://arxiv.org/abs/1608.03983)).
#
# And there are cliffs. Now and then a batch has a gradient a thousand times as long as the
# others, and one step along it throws away a week of work. Pascanu, Mikolov and Bengio
# ([2013](https://arxiv.org/abs/1211.5063)) shorten such a gradient to a length that is still
# acceptable, and keep its *direction*. So the length has to be that of all gradients together, as
# one long vector, and all are scaled by one number.

# %% [markdown] prompt="steady"
# ### Exercise 7: schedule and clip
#
# `warmup_cosine(step, warmup, total, final=0.0)` returns a factor for the rate, for step numbers
# from 0:
#
# * below `warmup` it is (step + 1) / warmup;
# * from there to below `total` it falls along a cosine from 1 to `final`: final + (1 − final) ·
#   (1 + cos(π · (step − warmup) / (total − warmup))) / 2;
# * from `total` on it is `final`. `warmup` may be 0, or equal to `total`.
#
# `Schedule(optimizer, factor)` has one method, `step()`. `optimizer` is any object with
# `param_groups` as in exercise 5, `factor` a function of the step number.
#
# * When it is made, it remembers each group's "lr", and sets it to that times `factor(0)`.
# * Each call of `step()` goes on to the next number: every group's "lr" becomes the one it had at
#   the beginning, times the factor. Nothing else in the groups is changed or added. (PyTorch calls
#   this `LambdaLR`.)
#
# `clip_grad_norm(params, max_norm)` for weights as in exercise 1, in any iterable, a generator too:
#
# * The norm is the root of the sum of the squares of all entries of all gradients. It is returned,
#   as it was before. Weights whose gradient is None are left out; without any gradient the norm
#   is 0.
# * If `max_norm` / (norm + 1e-6) is below 1, all gradients are multiplied by it, in place: the
#   array `p.grad.data` stays the same array. Otherwise they stay as they are. (The 1e-6 is
#   PyTorch's guard against 0 / 0.)
#
# Gradients are float32 or float64, of any shape. Allowed is NumPy.

# %% [markdown] hint="steady"
# A schedule that multiplies the rate it finds compounds its factors: 0.9 · 0.8 · 0.7 instead of
# 0.7. For the norm, two passes are needed: one to measure all, one to scale all. Can a generator be
# read twice?

# %% [markdown] hint="steady"
# ```
# warmup_cosine(step, 2, 6):   step    0     1    2    3       4     5       6    7
#                              factor  0.5   1    1    0.854   0.5   0.146   0    0
#
# gradients [3, 4] and [12]    norm √(9 + 16 + 144) = 13
# max_norm 6.5                 all times 0.5:  [1.5, 2] and [6]
# ```

# %% [markdown] hint="steady"
# ```python
# class Schedule:
#     def __init__(self, optimizer, factor):
#         ...
#         self.first = [... for group in optimizer.param_groups]
#         ...                                # where it stands, and the rates for step 0
#
#     def step(self):
#         self.number += 1
#         for group, lr in zip(...):
#             group["lr"] = ...
#
#
# def clip_grad_norm(params, max_norm):
#     grads = [p.grad.data for p in params if ...]
#     norm = ...
#     scale = ...
#     if ...:
#         for g in grads:
#             g *= ...
#     return ...
# ```


# %% exercise="steady" minutes=20 difficulty=2 importance=3 allow="numpy"
def warmup_cosine(step, warmup, total, final=0.0):
    """Return the factor of a step: up a straight line, down half a cosine, then `final`."""
    ### BEGIN SOLUTION
    if step < warmup:
        return (step + 1) / warmup
    if step >= total:
        return final
    part = (step - warmup) / (total - warmup)
    return final + (1 - final) * (1 + np.cos(np.pi * part)) / 2
    ### END SOLUTION


class Schedule:
    """Sets every group's rate to its first one times a factor of the step number."""

    def __init__(self, optimizer, factor):
        ### BEGIN SOLUTION
        self.optimizer, self.factor = optimizer, factor
        self.first = [group["lr"] for group in optimizer.param_groups]
        self.number = -1
        self.step()
        ### END SOLUTION

    def step(self):
        ### BEGIN SOLUTION
        self.number += 1
        for group, lr in zip(self.optimizer.param_groups, self.first, strict=True):
            group["lr"] = lr * self.factor(self.number)
        ### END SOLUTION


def clip_grad_norm(params, max_norm):
    """Scale all gradients so that their common norm is at most max_norm; return it as it was."""
    ### BEGIN SOLUTION
    grads = [p.grad.data for p in params if p.grad is not None]
    norm = np.sqrt(sum(np.sum(g * g) for g in grads))
    scale = max_norm / (norm + 1e-6)
    if scale < 1:
        for g in grads:
            g *= scale
    return norm
    ### END SOLUTION


# %% tests="steady" behaviour="factor" points=2
@autograder.test
def _(rng):
    "The factor rises to 1 in a straight line, falls along half a cosine, and stays at `final`."
    low, high = (2 - math.sqrt(2)) / 4, (2 + math.sqrt(2)) / 4
    for step, factor in enumerate((0.5, 1.0, 1.0, high, 0.5, low, 0.0, 0.0)):
        same(call(warmup_cosine, step, 2, 6), factor, f"the factor of step {step}", dtype=False)
    same(call(warmup_cosine, 1, 0, 2, 0.5), 0.75, "halfway down to 0.5", dtype=False)
    same(call(warmup_cosine, 3, 3, 3, 0.25), 0.25, "warmup = total, step = total", dtype=False)
    ### BEGIN HIDDEN TESTS
    for warmup, total in ((0, 1), (1, 2), (5, 5), (3, 10), (7, 100), (0, 50), (0, 0), (100, 5000)):
        for final in (0.0, 0.1, 1.0, float(rng.random())):
            near = [*range(12), warmup - 1, warmup, warmup + 1, total - 1, total, total + 1]
            for step in {
                n for n in (*near, *rng.integers(0, total + 20, size=8).tolist()) if n >= 0
            }:
                if step < warmup:
                    expected = (step + 1) / warmup
                elif step < total:
                    angle = math.pi * (step - warmup) / (total - warmup)
                    expected = final + (1 - final) * math.cos(angle / 2) ** 2
                else:
                    expected = final
                what = f"the factor of step {step}, warmup {warmup}, total {total}"
                same(call(warmup_cosine, step, warmup, total, final), expected, what, dtype=False)
    ### END HIDDEN TESTS


# %% tests="steady" behaviour="schedule" points=2
@autograder.test
def _(rng):
    "Every group's rate is its first one times the factor of the step, from the start on."

    @beside
    def run(rates, factors):
        import types

        groups = [{"lr": lr, "momentum": lr + 1, "params": []} for lr in rates]
        optimizer = types.SimpleNamespace(param_groups=groups)
        other = types.SimpleNamespace(param_groups=[{"lr": 1.0, "params": []}])
        schedule = Schedule(optimizer, lambda n: factors[n])
        Schedule(other, lambda n: 0.5)
        seen = [[group["lr"] for group in groups]]
        for _ in factors[1:]:
            schedule.step()
            seen.append([group["lr"] for group in groups])
        return seen, groups, other.param_groups[0]["lr"]

    seen = [[0.5, 1.0], [1.0, 2.0], [0.25, 0.5], [0.0, 0.0], [1.0, 2.0]]
    groups = [
        {"lr": 1.0, "momentum": 2.0, "params": []},
        {"lr": 2.0, "momentum": 3.0, "params": []},
    ]
    what = "the rates of two groups at the start and after each step, the groups, another's rate"
    same(run([1.0, 2.0], [0.5, 1.0, 0.25, 0.0, 1.0]), (seen, groups, 0.5), what)
    ### BEGIN HIDDEN TESTS
    for count in (1, 3):
        rates, factors = rng.uniform(0, 1, size=count).tolist(), rng.uniform(0, 2, size=9).tolist()
        seen = [[lr * factor for lr in rates] for factor in factors]
        groups = [{"lr": lr * factors[-1], "momentum": lr + 1, "params": []} for lr in rates]
        same(run(rates, factors), (seen, groups, 0.5), what)
    ### END HIDDEN TESTS


# %% tests="steady" behaviour="clip" points=3
@autograder.test
def _(rng):
    "The norm of all gradients together is returned, and all are scaled in place by one number."

    @beside
    def run(grads, max_norm, as_generator):
        weights = [Weight([0.0]) for _ in grads]
        for w, g in zip(weights, grads, strict=True):
            w.grad = None if g is None else Weight(g)
        held = [None if w.grad is None else w.grad.data for w in weights]
        norm = clip_grad_norm((w for w in weights) if as_generator else weights, max_norm)
        after = [None if w.grad is None else w.grad.data for w in weights]
        return norm, [held, after]

    def check(grads, max_norm, norm, after, rtol=1e-9, atol=1e-12):
        for as_generator in (False, True):
            got, arrays = run(grads, max_norm, as_generator)
            same(got, norm, "the norm", rtol=rtol, atol=atol, dtype=False)
            same(arrays, [after] * 2, "arrays held, gradients afterwards", rtol=rtol, atol=atol)

    grads = [np.array([3.0, 4.0]), None, np.array([12.0])]
    check(grads, 6.5, 13.0, [None if g is None else g * (6.5 / 13.000001) for g in grads])
    check(grads, 13.5, 13.0, grads)
    check([None], 1.0, 0.0, [None])
    ### BEGIN HIDDEN TESTS
    for kind, rtol in (("float64", 1e-9), ("float32", 1e-5)):
        for size in (1e-8, 1e-6, 1.0, 1e4):
            for share in (0.01, 0.5, 0.999, 1.001, 30.0):
                shapes = ((3,), (2, 4), (), (0,), (5,))
                grads = [np.asarray(size * rng.normal(size=s)).astype(kind) for s in shapes]
                grads = [g if rng.random() < 0.8 else None for g in grads] + [grads[0]]
                flat = np.concatenate([g.ravel().astype("float64") for g in grads if g is not None])
                norm = float(np.linalg.norm(flat))
                scale = min(1.0, share * norm / (norm + 1e-6))
                after = [g if g is None else np.asarray(g * scale).astype(kind) for g in grads]
                check(grads, share * norm, norm, after, rtol, size * rtol)
    ### END HIDDEN TESTS


# %% [markdown]
# One bad batch. The net of the lecture with He's starting weights, so that gradients have a
# sensible size, under plain descent. At step 20 somebody delivers targets that are a thousand times
# too large.


# %%
def with_a_bad_batch(max_norm, steps=61):
    rng = np.random.default_rng(0)
    x, y = (cr.tensor(rng.standard_normal(size)) for size in ((64, 1000), (64, 10)))
    w1 = cr.tensor(rng.standard_normal((1000, 100)) * np.sqrt(2 / 1000), requires_grad=True)
    w2 = cr.tensor(rng.standard_normal((100, 10)) * np.sqrt(2 / 100), requires_grad=True)
    optimizer, losses, norms = Optimizer([w1, w2], sgd, lr=1e-4), [], []
    for step in range(steps):
        y_pred = cr.relu(x @ w1) @ w2
        losses.append(((y_pred - y) ** 2).sum().item())
        ((y_pred - (1000 * y if step == 20 else y)) ** 2).sum().backward()
        norms.append(clip_grad_norm([w1, w2], max_norm))
        optimizer.step()
        optimizer.zero_grad()
    return losses, norms


for max_norm in (np.inf, 1000.0):
    with np.errstate(all="ignore"):
        losses, norms = with_a_bad_batch(max_norm)
    print(
        f"max_norm {max_norm:6g}   norms", "  ".join(f"{norms[n]:.2g}" for n in (0, 19, 20)), end=""
    )
    print("   loss", "  ".join(f"step {n}: {losses[n]:.3g}" for n in (20, 21, 60)))

# %% [markdown]
# Unclipped, one step ruins the net for good. Clipped, the same batch raises the loss by a tenth.
# The price: in the first steps good gradients were shortened as well, so it learned a little
# slower.

# %% [markdown]
# ## The same with `torch.optim`
#
# Everything so far had PyTorch's names, or nearly. There every rule is a class of its own,
# `torch.optim.SGD`, `RMSprop`, `Adam`, `AdamW` and a dozen more, and the loop has four lines:
#
# ```python
# optimizer.zero_grad()
# loss = ...
# loss.backward()
# optimizer.step()
# ```

# %% given="pytorch"
HOW = "is not installed here. `make lab`, without LIGHT=1, adds it; all the rest works without."


class Missing:
    """Stands where PyTorch would; whoever uses it reads how to get it."""

    def __bool__(self):
        return False

    def __getattr__(self, name):
        raise ImportError(f"PyTorch {HOW}")


try:
    import torch
except ImportError:
    torch = Missing()
    print("PyTorch", HOW)

# %% [markdown] prompt="torch_loop"
# ### Exercise 8: four lines
#
# (In an installation without PyTorch leave this exercise out; the cell above says how to add it.)
#
# Write `fit(w1, w2, x, y, steps, name, max_norm=None, **options)`. It trains the two-layer net
# relu(x @ w1) @ w2 with PyTorch for `steps` steps, 0 or more. The loss is the sum of squared
# differences from `y`.
#
# * `w1`, `w2`, `x`, `y` are NumPy arrays of float64. They are unchanged afterwards, and everything
#   is computed in float64.
# * The optimizer is the class called `name` in `torch.optim`, *any* of its first-order classes,
#   made with the keyword arguments `options`, for `w1` and `w2`.
# * If `max_norm` is not None, the gradients of each step are clipped to that norm, with
#   `torch.nn.utils.clip_grad_norm_`.
# * Return `(losses, w1, w2)`: a list with the loss of each step before its update, Python floats,
#   and the trained weights as NumPy arrays.
#
# Allowed are NumPy, PyTorch and `chainrule`.

# %% [markdown] hint="torch_loop"
# `torch.tensor(a, requires_grad=True)` copies a NumPy array; `torch.from_numpy(a)` shares its
# memory with it, and `step` works in place. `getattr(torch.optim, "Adam")` is `torch.optim.Adam`.

# %% [markdown] hint="torch_loop"
# ```
#            zero_grad      loss          backward      clip       step
# .grad      None           None          fresh         shorter    shorter
# weights    old            old           old           old        new
# ```
#
# `loss.item()` is a Python float; `w.detach().numpy()` an array.

# %% [markdown] hint="torch_loop"
# ```python
# x, y = torch.tensor(x), ...
# weights = [torch.tensor(w, requires_grad=True) for w in (w1, w2)]
# optimizer = getattr(torch.optim, name)(..., **options)
# losses = []
# for _ in range(steps):
#     optimizer.zero_grad()
#     loss = ...
#     loss.backward()
#     if max_norm is not None:
#         ...
#     optimizer.step()
#     losses.append(...)
# return ...
# ```


# %% exercise="torch_loop" minutes=15 difficulty=2 importance=4 allow="numpy torch chainrule"
def fit(w1, w2, x, y, steps, name, max_norm=None, **options):
    """Train the two-layer net with PyTorch; return (losses, w1, w2)."""
    ### BEGIN SOLUTION
    x, y = torch.tensor(x), torch.tensor(y)
    weights = [torch.tensor(w, requires_grad=True) for w in (w1, w2)]
    optimizer = getattr(torch.optim, name)(weights, **options)
    losses = []
    for _step in range(steps):
        optimizer.zero_grad()
        loss = ((torch.relu(x @ weights[0]) @ weights[1] - y) ** 2).sum()
        loss.backward()
        if max_norm is not None:
            torch.nn.utils.clip_grad_norm_(weights, max_norm)
        optimizer.step()
        losses.append(loss.item())
    return losses, *(w.detach().numpy() for w in weights)
    ### END SOLUTION


# %% tests="torch_loop" behaviour="trajectory" points=3
@autograder.test
def _(rng):
    "Losses before each update, and the trained weights, with SGD, momentum and Adam."
    w1, w2, x, y = np.array([[2.0]]), np.array([[3.0]]), np.array([[1.0]]), np.array([[5.0]])
    expected = [1.0, 1.8496], np.array([[2.1072]]), np.array([[2.9808]])
    what = "losses of two steps, w1 and w2"
    same(call(fit, w1, w2, x, y, 2, "SGD", lr=0.1), expected, what)
    ### BEGIN HIDDEN TESTS

    def oracle(w1, w2, x, y, steps, move):
        weights, kept, losses = [w1, w2], [{}, {}], []
        for t in range(1, steps + 1):
            h = x @ weights[0]
            slope = 2 * (np.maximum(h, 0) @ weights[1] - y)
            losses.append(float((slope**2).sum() / 4))
            grads = x.T @ (slope @ weights[1].T * (h > 0)), np.maximum(h, 0).T @ slope
            weights = [move(*args, t) for args in zip(weights, grads, kept, strict=True)]
        return losses, *weights

    def heavy(p, g, s, t):
        s["v"] = 0.9 * s.get("v", 0.0) + g
        return p - 0.002 * (g + 0.9 * s["v"])

    def adam(p, g, s, t):
        s["m"], s["v"] = 0.9 * s.get("m", 0.0) + 0.1 * g, 0.95 * s.get("v", 0.0) + 0.05 * g**2
        return p - 0.01 * s["m"] / (1 - 0.9**t) / ((s["v"] / (1 - 0.95**t)) ** 0.5 + 1e-8)

    moves = {"heavy": ("SGD", heavy, {"lr": 0.002, "momentum": 0.9, "nesterov": True})}
    moves["plain"] = "SGD", lambda p, g, s, t: p - 0.005 * g, {"lr": 0.005}
    moves["adam"] = "Adam", adam, {"lr": 0.01, "betas": (0.9, 0.95)}
    for n, d, h, o, steps in ((4, 3, 5, 2, 8), (1, 2, 1, 1, 3), (6, 2, 3, 4, 1), (3, 3, 3, 3, 12)):
        arrays = [0.5 * rng.normal(size=size) for size in ((d, h), (h, o), (n, d), (n, o))]
        for name, move, options in moves.values():
            expected = oracle(*arrays, steps, move)
            same(call(fit, *arrays, steps, name, **options), expected, what, rtol=1e-8)
    ### END HIDDEN TESTS


# %% tests="torch_loop" behaviour="any_rule" points=2
@autograder.test
def _(rng):
    "Any other first-order class of `torch.optim` by its name, with its own options."

    w1, w2, x, y = np.array([[2.0]]), np.array([[3.0]]), np.array([[1.0]]), np.array([[5.0]])
    expected = [1.0], np.array([[1.9]]), np.array([[2.9]])
    got = call(fit, w1, w2, x, y, 1, "Adagrad", lr=0.1)
    same(got, expected, "Adagrad: the loss of one step, w1 and w2", rtol=1e-7)
    ### BEGIN HIDDEN TESTS

    @beside
    def torch_itself(w1, w2, x, y, steps, name, options):
        import torch

        x, y, weights = torch.tensor(x), torch.tensor(y), [torch.tensor(w) for w in (w1, w2)]
        for w in weights:
            w.requires_grad_()
        optimizer, losses = getattr(torch.optim, name)(weights, **options), []
        for _ in range(steps):
            hidden = (x @ weights[0]).clamp(min=0)
            loss = (hidden @ weights[1] - y).square().sum()
            losses.append(loss.item())
            for w, g in zip(weights, torch.autograd.grad(loss, weights), strict=True):
                w.grad = g
            optimizer.step()
        return losses, *[w.detach().numpy() for w in weights]

    rivals = {"RMSprop": {"lr": 0.01, "centered": True, "momentum": 0.5}, "NAdam": {"lr": 0.02}}
    rivals |= {"AdamW": {"lr": 0.01, "amsgrad": True, "weight_decay": 0.3}, "Adamax": {"lr": 0.01}}
    rivals |= {"SGD": {"lr": 0.003, "maximize": True}, "Adadelta": {"rho": 0.8}, "Rprop": {}}
    for name, options in rivals.items():
        arrays = [0.5 * rng.normal(size=size) for size in ((3, 4), (4, 2), (5, 3), (5, 2))]
        expected = torch_itself(*arrays, 6, name, options)
        same(call(fit, *arrays, 6, name, **options), expected, f"{name}: losses and weights")
    ### END HIDDEN TESTS


# %% tests="torch_loop" behaviour="clipped" points=2
@autograder.test
def _(rng):
    "With `max_norm` each step's gradients are clipped together, after backward and before step."

    w1, w2, x, y = np.array([[1.0]]), np.array([[1.0]]), np.array([[3.0]]), np.array([[1.0]])
    scale = 5.0 / (12.0 * math.sqrt(2) + 1e-6)
    after = np.array([[1.0 - 0.1 * 12.0 * scale]])
    got = call(fit, w1, w2, x, y, 1, "SGD", max_norm=5.0, lr=0.1)
    same(got, ([4.0], after, after), "loss of one step, and weights whose gradients are 12 and 12")
    ### BEGIN HIDDEN TESTS
    for n, d, h, o, steps in ((4, 3, 5, 2, 8), (2, 2, 1, 1, 3)):
        for max_norm in (0.0, 0.1, 3.0, 1e6):
            arrays = [0.5 * rng.normal(size=size) for size in ((d, h), (h, o), (n, d), (n, o))]
            a, b, inputs, targets = arrays
            losses = []
            for _ in range(steps):
                hidden = inputs @ a
                slope = 2 * (np.maximum(hidden, 0) @ b - targets)
                losses.append(float((slope**2).sum() / 4))
                ga = inputs.T @ (slope @ b.T * (hidden > 0))
                gb = np.maximum(hidden, 0).T @ slope
                norm = math.sqrt((ga**2).sum() + (gb**2).sum())
                by = 0.02 * min(1.0, max_norm / (norm + 1e-6))
                a, b = a - by * ga, b - by * gb
            got = call(fit, *arrays, steps, "SGD", max_norm=max_norm, lr=0.02)
            same(got, (losses, a, b), "losses and weights of clipped steps", rtol=1e-8)
    ### END HIDDEN TESTS


# %% tests="torch_loop" behaviour="inputs_kept" points=1
@autograder.test
def _(rng):
    "The arrays that were given stay as they are, and what comes back is right and new."
    w1, w2, x, y = np.array([[2.0]]), np.array([[3.0]]), np.array([[1.0]]), np.array([[5.0]])
    got = pure(fit, w1, w2, x, y, 1, "SGD", lr=0.1)
    same(got, ([1.0], np.array([[1.4]]), np.array([[2.6]])), "loss of one step, w1 and w2")
    ### BEGIN HIDDEN TESTS
    arrays = [0.5 * rng.normal(size=size) for size in ((2, 3), (3, 1), (4, 2), (4, 1))]
    a, b, inputs, targets = arrays
    hidden = inputs @ a
    slope = 2 * (np.maximum(hidden, 0) @ b - targets)
    after = (
        a - 0.01 * inputs.T @ (slope @ b.T * (hidden > 0)),
        b - 0.01 * np.maximum(hidden, 0).T @ slope,
    )
    got = pure(fit, *arrays, 1, "SGD", lr=0.01)
    same(got, ([float((slope**2).sum() / 4)], *after), "loss of one step, w1 and w2")
    got = pure(fit, *arrays, 0, "Adam", lr=0.01)
    same(got, ([], a, b), "losses of no steps at all, w1 and w2")
    ### END HIDDEN TESTS


# %% [markdown]
# ## What it bought, what it cost
#
# | | it bought | it cost |
# |---|---|---|
# | the object with `step` | the loop knows neither weights nor rule | one has to look elsewhere |
# | momentum | steady directions grow tenfold, zigzags cancel | one array; it overshoots |
# | Nesterov | less swinging | it bears less rate, and is easily written wrongly |
# | RMSProp | a length for each weight | one array; depends on the axes; never settles |
# | Adam | both, and a start that needs no luck | two arrays; forgets how large gradients are |
# | AdamW | decay that does what it says | nothing |
# | state and resume | a month's run survives a night | a file two or three times as large |
# | schedule, clipping | rest at the end, no catastrophe on the way | three more numbers to choose |

# %% [markdown]
# ## What history did with it
#
# * **1847** Cauchy proposes the steepest descent, in three pages, with orbits of planets in mind
#   (*Comptes Rendus* 25, 536).
# * **1951** [Robbins and Monro](https://doi.org/10.1214/aoms/1177729586): it also works with noisy
#   measurements, if the steps shrink. That is the S of SGD.
# * **1964** [Polyak](https://doi.org/10.1016/0041-5553(64)90137-5): the heavy ball. **1983**
#   Nesterov: looking ahead, with a proof that on smooth convex functions the error falls as
#   1/steps². No method that sees only gradients has a better order. **1986** [Rumelhart, Hinton and
#   Williams](https://doi.org/10.1038/323533a0), in the paper that made back-propagation known,
#   train with a momentum term.
# * **2011** AdaGrad. **2012** Hinton's slide. **2013** [Sutskever and
#   others](https://proceedings.mlr.press/v28/sutskever13.html): with a good start and momentum,
#   deep nets train after all. **2015** Adam; Google Scholar counts well over a hundred thousand
#   citations.
# * **2018** [Reddi, Kale and Kumar](https://arxiv.org/abs/1904.09237) find the mistake in Adam's
#   proof: there are convex problems on which it does not converge. Their remedy, AMSGrad, is a flag
#   in PyTorch. **2019** AdamW appears in print.
# * **Frameworks.** Torch7's `optim` was functions with a state table, as your rules are. Theano had
#   no optimizers: one wrote updates as expressions. TensorFlow 1 made the update a node of the
#   graph, `train_op = tf.train.AdamOptimizer(1e-3).minimize(loss)`, and that is the "just optimize
#   for you" of the notes: gradients and update in one call (lesson 12 builds it). PyTorch kept
#   `backward` and `step` apart, so that one can do something in between. Clip, for example.
#
# To play on: Goh's [Why Momentum Really Works](https://doi.org/10.23915/distill.00006) (2017).

# %% [markdown]
# ## Now in PyTorch and TensorFlow
#
# Not graded. The same stream of gradients for all: three weights, whose gradients are of size 1e-8,
# 1 and 10,000, many of them exactly 0. How far do your rules, `chainrule.optim`, `torch.optim` and
# Keras, which is TensorFlow's optimizer library today, end from each other? (The options are powers
# of two. Keras keeps them in float32, and so it loses nothing. TensorFlow says a few lines about
# your machine when it is imported.)

# %%
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
try:
    import tensorflow as tf
except ImportError:
    tf = None
    print("TensorFlow", HOW)

rng = np.random.default_rng(7)
sizes = np.array([1e-8, 1.0, 1e4])
stream = sizes * rng.standard_normal((30, 3)) * (rng.random((30, 3)) < 0.6)
eps = 2.0**-27
family = {
    "SGD": (sgd, {"lr": 2**-7, "momentum": 0.875, "nesterov": True}),
    "RMSprop": (rmsprop, {"lr": 2**-7, "alpha": 0.875, "eps": eps}),
    "Adam": (adam, {"lr": 2**-7, "betas": (0.875, 0.96875), "eps": eps}),
    "AdamW": (adamw, {"lr": 2**-7, "betas": (0.875, 0.96875), "eps": eps, "weight_decay": 0.25}),
}


# %%
def by_hand(rule, options):
    p, state = np.ones(3), {}
    for g in stream:
        rule(p, g, state, **options)
    return p


def by_library(optim, weight, tensor, options):
    optimizer = optim([weight], **options)
    for g in stream:
        weight.grad = tensor(g)
        optimizer.step()
    return weight.tolist()


def by_keras(name, options):
    words = {"lr": "learning_rate", "alpha": "rho", "eps": "epsilon"}
    beta1, beta2 = options.get("betas", (None, None))
    options = {words.get(key, key): value for key, value in options.items() if key != "betas"}
    options |= {"beta_1": beta1, "beta_2": beta2} if beta1 else {}
    optimizer, w = getattr(tf.keras.optimizers, name)(**options), tf.Variable(np.ones(3))
    for g in stream:
        optimizer.apply_gradients([(tf.constant(g), w)])
    return w.numpy()


# %%
print("largest distance from your rule, for the weights with gradients of 1e-8, 1 and 1e4")
for name, (rule, options) in family.items():
    mine, others = by_hand(rule, options), {}
    start = cr.tensor(np.ones(3), requires_grad=True)
    others["chainrule"] = by_library(getattr(cr.optim, name), start, cr.tensor, options)
    if torch:
        start = torch.ones(3, dtype=torch.float64, requires_grad=True)
        others["PyTorch"] = by_library(getattr(torch.optim, name), start, torch.tensor, options)
    if tf:
        others["Keras"] = by_keras(name, options)
    for where, numbers in others.items():
        gaps = np.abs(numbers - mine) / np.abs(mine)
        print(f"{name:8} {where:10}", "  ".join(f"{gap:8.1e}" for gap in gaps))

# %% [markdown]
# Your rules are those of PyTorch, to the last digit. Keras has the same SGD, and differs in the
# other three, mostly where gradients are of the size of `eps`. It is not rounding. Keras's RMSprop
# has `eps` *under* the root: √(s + eps) is never below √eps, about 1e-4 here, and a gradient of
# 1e-8 hardly moves anything. (TensorFlow 1 had that, too, and began with s = 1.) Keras's Adam adds
# `eps` to the root of the *uncorrected* v, the form with ε̂ that Kingma and Ba give as more
# efficient just before their section 2.1. Papers that say "Adam" seldom say which. That is why
# `eps` had a check of its own.
#
# And the four lines in PyTorch, with the lecture's numbers, beside yours:

# %%
if torch:
    rng = np.random.default_rng(0)
    sizes = (64, 1000), (64, 10), (1000, 100), (100, 10)
    x, y, w1, w2 = (rng.standard_normal(size) for size in sizes)
    options = {"lr": 1e-2, "weight_decay": 0.1}
    theirs, *_weights = fit(w1, w2, x, y, 61, "AdamW", **options)
    mine = net_losses(lambda weights: Optimizer(weights, adamw, **options), 61)
    for step in (0, 1, 10, 60):
        print(f"step {step:2}   PyTorch {theirs[step]:.12g}   yours {mine[step]:.12g}")
else:
    print("PyTorch", HOW)

# %% [markdown]
# The object that "will just optimize for you" is now your own. It moves whatever it is given. What
# it should be given, so that the net is good on data it has not seen, is lesson 08.
