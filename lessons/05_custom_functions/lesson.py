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
#     title: Custom functions
#     minutes: 210
#     needs: [autograd_engine]
#     covers:
#       define new autograd operators: Define new autograd operators
#       Sigmoid and ReLU Functions: Sigmoid and ReLU Functions
#       only one node in the graph: Only one node in the graph
#       numerical instability of composites: Numerical instability of composites
# ---

# %% [markdown]
# # Custom functions
#
# You have an engine. It differentiates whatever is built from its operations, and each of their
# rules is right: you wrote them and checked them. Here it is at work on the sigmoid,
# 1 / (1 + exp(−x)), at three places.

# %% given="setup"
import numpy as np

import autograder
import chainrule as cr


# %%
def composite(x):
    return 1 / (1 + cr.exp(-x))


x = cr.tensor([-1000.0, 0.0, 1000.0], requires_grad=True)
with np.errstate(all="ignore"):  # NumPy would warn; let us see what comes out instead
    y = composite(x)
    y.sum().backward()
print("value   ", y.data)
print("gradient", x.grad.data)

# %% [markdown]
# The values are right: 0, a half, 1. So is the slope in the middle, 0.25, and the one on the right,
# 0. The slope on the left should be 0 as well, and it is `nan`. One such entry, and after one step
# of training every weight it touches is `nan` too.
#
# Four operations, four rules, not one of them wrong. So where does it come from? And why can nobody
# mend it by mending a rule?
#
# In this lesson you find out, and learn what to do: make *one* operation of the four, with a
# forward and a backward of your own. It is the door that every framework leaves open. Nets with
# binary weights came through it, and the fast attention of today's language models. You will write
# seven such operations for the library, one of them again in PyTorch and in TensorFlow, and see
# equal numbers in all three.
#
# The lesson has two sittings of about an hour and a half each; the break is marked. It uses the
# library `chainrule`, which is what lesson 04 built and a little more. (Its Python floats become
# float32, as in PyTorch; a NumPy array keeps its dtype.)

# %% [markdown]
# ## Numerical instability of composites
#
# Follow x = −1000 through the four operations, down the left columns, and back up on the right.
# Each rule multiplies what arrives from below by its own slope.
#
# | operation | value | its slope | what it passes back |
# |---|---|---|---|
# | −x | 1000 | −1 | −nan = nan |
# | exp | **inf** | exp(1000) = **inf** | −0 · inf = **nan** |
# | 1 + … | inf | 1 | −0 |
# | 1 / … | **0** | −out / denominator = −0 / inf = **−0** | 1 · (−0) = −0 |
#
# On the way forward the infinity is harmless: 1/∞ is 0, the right answer. On the way back it meets
# that zero. The true slope is the product of a very small number (about e⁻²⁰⁰⁰) and a very large
# one (about e¹⁰⁰⁰), and it is very small. But no rule ever sees the product. One hands on its
# factor, rounded to 0, the next multiplies by its own, rounded to infinity, and 0 · ∞ has no value.
#
# So no rule is to blame. Rules are local, and here the answer is not. Someone who sees all four
# operations at once can write the slope down as y · (1 − y), with y the sigmoid, and there is
# nothing left to overflow.

# %% [markdown]
# ## Define new autograd operators
#
# That is the lecture's name for the remedy. This is its form, in the library as in PyTorch, where
# the base class is `torch.autograd.Function`:


# %%
class Square(cr.Function):
    @staticmethod
    def forward(ctx, x):  # the value; nothing is recorded in here
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, upstream):  # from the gradient of the output to that of x
        (x,) = ctx.saved_tensors
        return 2 * x * upstream


x = cr.tensor([3.0, -1.0], requires_grad=True)
y = Square.apply(x)  # apply, not Square(x)
y.backward(cr.tensor([10.0, 100.0]))
print(y, x.grad)

# %% [markdown]
# `apply` switches recording off, calls `forward`, and leaves *one* node in the graph: the class,
# its arguments, and `ctx`. When the gradient of the output arrives there, the node calls
# `backward`. The two meet in `ctx`, the *context* of this one call:
#
# | | |
# |---|---|
# | `ctx.save_for_backward(a, b)` | in `forward`: keep tensors, inputs or outputs |
# | `ctx.saved_tensors` | in `backward`: a tuple of what was kept |
# | `ctx.anything = 3` | keep what is no tensor |
# | `ctx.needs_input_grad` | True or False for each argument: is its gradient asked for? |
#
# Why not keep tensors as `ctx.x = x` too? Because the library watches what it is told to save: if
# somebody changes such a tensor in place before the backward pass, it raises `InPlaceError` instead
# of computing with the wrong numbers.
#
# `backward` gets one gradient for each output and returns one for each *argument of `apply`*, in
# order, with `None` where there is none: for a number, a string, or a tensor whose gradient nobody
# asked for. The last one saves work. The data of a net needs no gradient, and for a layer `x @ w`
# the gradient of `x` is half of the backward pass.
#
# **How you are graded.** As in lesson 01: a check shows a case or two, and asks the same of fresh
# numbers when your notebook is graded ([how you are graded](../../docs/how_you_are_graded.md)). In
# the checks, `same(came, expected, what)` compares and `beside` runs a function next to your code.
# Some call your `forward` and `backward` themselves, with a `ctx` that has the four things above.
#
# Four rules hold in every exercise:
#
# * Inputs and the upstream gradient stay as they were.
# * Either may be a view: a slice or a transpose of something larger, or one number expanded.
# * float32 in gives float32 out, float64 in gives float64 out.
# * Calls do not get in each other's way: after two calls, the output of the first is what it was,
#   and a backward pass through it uses its own numbers.

# %% [markdown] prompt="linear"
# ### Exercise 1: a layer as one node
#
# Write the Function `Linear`. `Linear.apply(x, w, scale)` is `scale * (x @ w)`, for matrices `x`
# (N, D) and `w` (D, H) of any sizes, 0 included, and a Python number `scale`, recorded as one node.
#
# * `backward(ctx, upstream)` returns a tuple of three: the gradients of `x` and of `w`, for any
#   upstream gradient of shape (N, H), and `None` for `scale`.
# * Where `ctx.needs_input_grad` says False, the gradient is `None`, and no matrix product is made
#   for it, neither the library's nor NumPy's.
# * `x` and `w` are saved with `ctx.save_for_backward`, so that a change in place before the
#   backward pass raises `InPlaceError`.
#
# Allowed are NumPy and all of `chainrule`. `x` and `w` may be one and the same tensor.

# %% [markdown] hint="linear"
# `scale` is a factor of the output, so it is a factor of both gradients. For `x @ w` you know them
# from lesson 01: `upstream @ w.T` and `x.T @ upstream`.

# %% [markdown] hint="linear"
# ```
#                   ┌──────────── Linear ────────────┐
#  x ── (N, D) ──►  │ forward:   scale · (x @ w)     │ ──► out      (N, H)
#  w ── (D, H) ──►  │      ctx:  x, w, scale         │
#  scale ────────►  │ backward                       │ ◄── upstream (N, H)
#                   └────────────────────────────────┘
#  grad x (N, D) or None,   grad w (D, H) or None,   None
# ```

# %% [markdown] hint="linear"
# ```python
# def backward(ctx, upstream):
#     x, w = ctx.saved_tensors
#     grad_x = grad_w = None
#     if ctx.needs_input_grad[0]:
#         grad_x = ...
#     if ctx.needs_input_grad[1]:
#         grad_w = ...
#     return ..., ..., ...
# ```


# %% exercise="linear" minutes=15 difficulty=2 importance=4 allow="numpy chainrule"
class Linear(cr.Function):
    """scale * (x @ w) as one node; `scale` is a number without a gradient."""

    @staticmethod
    def forward(ctx, x, w, scale):
        ### BEGIN SOLUTION
        ctx.save_for_backward(x, w)
        ctx.scale = scale
        return scale * (x @ w)
        ### END SOLUTION

    @staticmethod
    def backward(ctx, upstream):
        ### BEGIN SOLUTION
        x, w = ctx.saved_tensors
        need_x, need_w, _ = ctx.needs_input_grad
        grad_x = ctx.scale * (upstream @ w.T) if need_x else None
        grad_w = ctx.scale * (x.T @ upstream) if need_w else None
        return grad_x, grad_w, None
        ### END SOLUTION


# %% tests="linear" behaviour="value" points=1
@autograder.test
def _(rng):
    "The output is scale · (x @ w), in the dtype of the inputs, and one node called Linear made it."

    @beside
    def run(x, w, scale):
        import chainrule as cr

        xs, ws = cr.tensor(x), cr.tensor(w, requires_grad=True)
        out = Linear.apply(xs, ws, scale)
        node = out.grad_fn
        made = "nothing" if node is None else node.op.name
        ends = [] if node is None else [parent is ws for parent in node.parents]
        return out.data, made, ends, xs.data, ws.data

    x, w = np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]])
    what = "the output, which node made it, that node leads to w, and x and w afterwards"
    same(run(x, w, 10.0), (np.array([[110.0]]), "Linear", [True], x, w), what)
    ### BEGIN HIDDEN TESTS
    for n, d, h in ((1, 1, 1), (1, 5, 3), (4, 4, 4), (130, 7, 1), (0, 2, 3), (2, 0, 3), (3, 2, 0)):
        for scale in (1, -3, 0.0, float(rng.normal()), 1e4):
            x, w = rng.normal(size=(n, d)), rng.normal(size=(d, h))
            expected = scale * np.einsum("nd,dh->nh", x, w)
            same(run(x, w, scale), (expected, "Linear", [True], x, w), what)
        x, w = rng.normal(size=(n, d)).astype("float32"), rng.normal(size=(d, h)).astype("float32")
        expected = (1.5 * np.einsum("nd,dh->nh", x, w)).astype("float32")
        same(run(x, w, 1.5)[0], expected, "the output for float32", rtol=1e-4, atol=1e-6)

    @beside
    def of_views(a, scale):
        import chainrule as cr

        leaf = cr.tensor(a)
        return Linear.apply(leaf[::2].T, leaf[1:3, ::-1], scale).data

    a = rng.normal(size=(4, 4))
    expected = 0.7 * np.einsum("nd,dh->nh", a[::2].T, a[1:3, ::-1])
    same(of_views(a, 0.7), expected, "the output from views of a")
    ### END HIDDEN TESTS


# %% tests="linear" behaviour="gradients" points=3
@autograder.test
def _(rng):
    "The gradients of `x` and `w`, for any upstream, sizes and scale; upstream stays as it was."

    @beside
    def gradients(x, w, scale, upstream):
        import chainrule as cr

        xs, ws = cr.tensor(x, requires_grad=True), cr.tensor(w, requires_grad=True)
        out = Linear.apply(xs, ws, scale)
        given = cr.tensor(upstream, dtype=out.dtype)
        out.backward(given)
        return *(getattr(leaf.grad, "data", None) for leaf in (xs, ws)), given.data

    x, w, upstream = np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]]), np.array([[2.0]])
    expected = np.array([[60.0, 80.0]]), np.array([[20.0], [40.0]]), upstream
    what = "gradients of x and w, and upstream afterwards"
    same(gradients(x, w, 10.0, upstream), expected, what)
    ### BEGIN HIDDEN TESTS

    def oracle(x, w, scale, upstream):
        grad_x = scale * np.einsum("nh,dh->nd", upstream, w)
        return grad_x, scale * np.einsum("nd,nh->dh", x, upstream)

    for n, d, h in ((1, 1, 1), (1, 5, 3), (4, 4, 4), (130, 7, 1), (0, 2, 3), (2, 0, 3), (3, 2, 0)):
        for scale in (1, -3, 0.0, float(rng.normal()), 1e4):
            x, w, upstream = (rng.normal(size=size) for size in ((n, d), (d, h), (n, h)))
            got = gradients(x, w, scale, upstream)
            same(got, (*oracle(x, w, scale, upstream), upstream), what)
        case = x.astype("float32"), w.astype("float32"), 1.5, upstream.astype("float32")
        expected = *(g.astype("float32") for g in oracle(*case)), case[-1]
        same(gradients(*case), expected, f"{what}, float32", rtol=1e-4, atol=1e-4)

    @beside
    def of_views(a, scale, upstream):
        import chainrule as cr

        leaf = cr.tensor(a, requires_grad=True)
        Linear.apply(leaf[::2].T, leaf[1:3, ::-1], scale).backward(cr.Tensor(upstream.T))
        twice = cr.tensor(a, requires_grad=True)
        Linear.apply(twice, twice, scale).backward(cr.tensor(upstream))
        return leaf.grad.data, twice.grad.data

    a, upstream = rng.normal(size=(4, 4)), rng.normal(size=(4, 4))
    grad_x, grad_w = oracle(a[::2].T, a[1:3, ::-1], 0.7, upstream.T)
    views = np.zeros((4, 4))
    views[::2] += grad_x.T
    views[1:3, ::-1] += grad_w
    expected = views, np.add(*oracle(a, a, 0.7, upstream))
    same(of_views(a, 0.7, upstream), expected, "gradients of a from views of a, and from a twice")
    ### END HIDDEN TESTS


# %% tests="linear" behaviour="only_needed" points=2
@autograder.test
def _(rng):
    "`backward` returns three: None for `scale`, and None without a product where not asked."

    @beside
    def asked(x, w, upstream, needs):
        import chainrule as cr
        from chainrule.function import Context

        ctx = Context((*needs, False))
        with cr.no_grad():
            Linear.forward(ctx, cr.tensor(x), cr.tensor(w), 10.0)
            found = Linear.backward(ctx, cr.tensor(upstream))
        if not isinstance(found, (tuple, list)):
            return f"a {type(found).__name__} instead of a tuple of three"
        return [g if g is None else np.asarray(g) for g in found]

    x, w, upstream = np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]]), np.array([[2.0]])
    grad_x, grad_w = np.array([[60.0, 80.0]]), np.array([[20.0], [40.0]])
    same(asked(x, w, upstream, (True, True)), [grad_x, grad_w, None], "when both are asked for")
    same(asked(x, w, upstream, (False, True)), [None, grad_w, None], "when only w's is asked for")
    same(asked(x, w, upstream, (True, False)), [grad_x, None, None], "when only x's is asked for")
    ### BEGIN HIDDEN TESTS

    @beside
    def products(x, w, upstream, needs):
        import chainrule as cr
        from chainrule.function import Context
        from chainrule.tape import TRACE

        names, numpys = [], []

        class Log:
            def record(self, op, *rest):
                names.append(op.name)

            def __getattr__(self, name):
                return lambda *rest: None

        class Counted(np.ndarray):
            def __array_ufunc__(self, ufunc, method, *inputs, **options):
                numpys.append(ufunc.__name__)
                if "out" in options:
                    options["out"] = tuple(map(np.asarray, options["out"]))
                plain = [np.asarray(v) if isinstance(v, Counted) else v for v in inputs]
                return np.asarray(getattr(ufunc, method)(*plain, **options)).view(Counted)

            def __array_function__(self, function, types, args, kwargs):
                numpys.append("matmul" if function.__name__ in PRODUCTS else function.__name__)
                plain = [np.asarray(v) if isinstance(v, Counted) else v for v in args]
                return np.asarray(function(*plain, **kwargs)).view(Counted)

        PRODUCTS = {"einsum", "dot", "tensordot", "inner"}
        ctx = Context((*needs, False))
        xs, ws, given = tensors = [cr.tensor(part) for part in (x, w, upstream)]
        with cr.no_grad():
            Linear.forward(ctx, xs, ws, 10.0)
            numpys.clear()
            for part in tensors:
                part.data = part.data.view(Counted)
            TRACE.append(Log())
            try:
                Linear.backward(ctx, given)
            finally:
                TRACE.pop()
        return max(names.count("matmul"), numpys.count("matmul"))

    for n, d, h in ((2, 3, 4), (3, 3, 3)):
        x, w, upstream = (rng.normal(size=size) for size in ((n, d), (d, h), (n, h)))
        for needs in ((True, True), (False, True), (True, False)):
            grads = 10.0 * np.einsum("nh,dh->nd", upstream, w), 10.0 * x.T.dot(upstream)
            expected = [g if need else None for g, need in zip(grads, needs, strict=True)]
            same(asked(x, w, upstream, needs), [*expected, None], "what backward returned")
            what = f"matrix products where {sum(needs)} of the gradients are asked for"
            at_most(products(x, w, upstream, needs), sum(needs), what)
    ### END HIDDEN TESTS


# %% tests="linear" behaviour="in_place" points=1
@autograder.test
def _(rng):
    "A change of `x` or `w` in place before the backward pass raises InPlaceError."

    @beside
    def changed(which, amount):
        import chainrule as cr

        x = cr.tensor([[1.0, 2.0]], requires_grad=True)
        w = cr.tensor([[3.0], [4.0]], requires_grad=True)
        out = Linear.apply(x, w, 10.0)
        with cr.no_grad():
            if which:
                (x if which == "x" else w).add_(amount)
        try:
            out.backward(cr.tensor([[2.0]]))
        except cr.InPlaceError:
            return "InPlaceError"
        return [x.grad.tolist(), w.grad.tolist()]

    same(changed("", 0.0), [[[60.0, 80.0]], [[20.0], [40.0]]], "gradients without a change")
    same(changed("w", 1.0), "InPlaceError", "the backward pass after w += 1")
    same(changed("x", 1.0), "InPlaceError", "the backward pass after x += 1")
    ### BEGIN HIDDEN TESTS
    for which in ("x", "w"):
        same(changed(which, float(rng.normal())), "InPlaceError", "the backward pass")
    ### END HIDDEN TESTS


# %% tests="linear" behaviour="own_numbers" points=1
@autograder.test
def _(rng):
    "Each call keeps its own numbers: a later call does not disturb an earlier one."

    @beside
    def first_of_two(x, w, scale, upstream, other):
        import chainrule as cr

        xs, ws = cr.tensor(x, requires_grad=True), cr.tensor(w, requires_grad=True)
        out = Linear.apply(xs, ws, scale)
        Linear.apply(cr.tensor(other), cr.tensor(other, requires_grad=True), -5.0)
        out.backward(cr.tensor(upstream))
        return out.data, xs.grad.data, ws.grad.data

    x, w, upstream = np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]]), np.array([[2.0]])
    expected = np.array([[110.0]]), np.array([[60.0, 80.0]]), np.array([[20.0], [40.0]])
    what = "output and gradients of the first of two calls"
    same(first_of_two(x, w, 10.0, upstream, np.array([[7.0]])), expected, what)
    ### BEGIN HIDDEN TESTS
    for n in (2, 3):
        x, w, upstream, other = rng.normal(size=(4, n, n))
        expected = 0.5 * np.einsum("nd,dh->nh", x, w), 0.5 * np.einsum("nh,dh->nd", upstream, w)
        expected = *expected, 0.5 * np.einsum("nd,nh->dh", x, upstream)
        same(first_of_two(x, w, 0.5, upstream, other), expected, what)
    ### END HIDDEN TESTS


# %% [markdown]
# ## Sigmoid and ReLU Functions
#
# These two are the classic examples. First the ReLU. In [Johnson's PyTorch
# examples](https://github.com/jcjohnson/pytorch-examples) (2017), from which the lecture was made,
# its backward reads
#
# ```python
# x, = ctx.saved_tensors
# grad_x = grad_output.clone()
# grad_x[x < 0] = 0
# return grad_x
# ```
#
# Look at the second line. Why `clone`? The array that arrives as the upstream gradient need not be
# yours alone. In `MyReLU.apply(a) + b` the sum hands one and the same array to both of its inputs.
# Write zeros into it, and the gradient of `b` is wrong, in a place where nobody would look.

# %% [markdown] prompt="relu"
# ### Exercise 2: your own ReLU
#
# Write the Function `MyReLU`. `MyReLU.apply(x)` is max(x, 0), entry by entry, for `x` of any shape
# (no axes and no entries included), recorded as one node.
#
# * The gradient passes where `x` is positive and is 0 where it is negative, for any upstream
#   gradient. (The checks stay away from `x = 0`.)
# * `x` and the upstream gradient are unchanged, also when another branch of the graph uses the same
#   array.
#
# `cr.relu` is not used, neither forward nor backward; NumPy and everything else of `chainrule` may
# be.

# %% [markdown] hint="relu"
# A comparison of tensors gives a tensor of True and False, and True counts as 1 in a product.

# %% [markdown] hint="relu"
# | x | −2 | 3 | 0.5 | −1 |
# |---|---|---|---|---|
# | out | 0 | 3 | 0.5 | 0 |
# | upstream | 10 | 20 | −30 | 40 |
# | gradient | 0 | 20 | −30 | 0 |

# %% [markdown] hint="relu"
# ```python
# def forward(ctx, x):
#     ctx.save_for_backward(...)
#     return ...
#
#
# def backward(ctx, upstream):
#     (x,) = ...
#     return upstream * ...
# ```


# %% exercise="relu" minutes=8 difficulty=1 importance=3 allow="numpy chainrule"
class MyReLU(cr.Function):
    """max(x, 0), entry by entry, as one node."""

    @staticmethod
    def forward(ctx, x):
        ### BEGIN SOLUTION
        ctx.save_for_backward(x)
        return cr.where(x > 0, x, 0.0)
        ### END SOLUTION

    @staticmethod
    def backward(ctx, upstream):
        ### BEGIN SOLUTION
        (x,) = ctx.saved_tensors
        return upstream * (x > 0)
        ### END SOLUTION


# %% tests="relu" behaviour="value" points=1
@autograder.test
def _(rng):
    "The output is max(x, 0), in the dtype of `x`; one node, MyReLU, made it, without `cr.relu`."

    @beside
    def run(x):
        import chainrule as cr

        leaf = cr.tensor(x, requires_grad=True)
        out = MyReLU.apply(leaf)
        node = out.grad_fn
        made = "nothing" if node is None else node.op.name
        ends = [] if node is None else [parent is leaf for parent in node.parents]
        return out.data, made, ends, leaf.data

    x = np.array([-2.0, 3.0, 0.5, -1.0])
    what = "the output, which node made it, that node leads to x, and x afterwards"
    same(run(x), (np.array([0.0, 3.0, 0.5, 0.0]), "MyReLU", [True], x), what)
    ### BEGIN HIDDEN TESTS
    for shape in ((), (1,), (7,), (3, 4), (2, 3, 4), (0,), (2, 0)):
        for scale in (1e-9, 1.0, 1e4, 1e12):
            x = scale * rng.normal(size=shape)
            same(run(x), ((x + np.abs(x)) / 2, "MyReLU", [True], x), what, atol=0)
        x = rng.normal(size=shape).astype("float32")
        same(run(x), ((x + np.abs(x)) / 2, "MyReLU", [True], x), what)

    @beside
    def called(x):
        import chainrule as cr
        from chainrule.tape import TRACE

        names = []

        class Log:
            def record(self, op, *rest):
                names.append(op.name)

            def __getattr__(self, name):
                return lambda *rest: None

        TRACE.append(Log())
        try:
            MyReLU.apply(cr.tensor(x, requires_grad=True)).backward(cr.tensor(x))
        finally:
            TRACE.pop()
        return sorted(set(names) & {"relu"})

    same(called(rng.normal(size=(2, 3))), [], "the forbidden operations that were used")
    ### END HIDDEN TESTS


# %% tests="relu" behaviour="gradient" points=2
@autograder.test
def _(rng):
    "The gradient is the upstream one where `x` is positive and 0 where it is negative."

    @beside
    def gradient(x, upstream):
        import chainrule as cr

        leaf = cr.tensor(x, requires_grad=True)
        out = MyReLU.apply(leaf)
        MyReLU.apply(cr.tensor(-x, requires_grad=True))
        out.backward(cr.tensor(upstream, dtype=out.dtype))
        return getattr(leaf.grad, "data", None)

    x, upstream = np.array([-2.0, 3.0, 0.5, -1.0]), np.array([10.0, 20.0, -30.0, 40.0])
    same(gradient(x, upstream), np.array([0.0, 20.0, -30.0, 0.0]), "the gradient of x")
    ### BEGIN HIDDEN TESTS
    for shape in ((), (1,), (7,), (3, 4), (2, 3, 4), (0,), (60, 3)):
        for scale in (1e-30, 1e-9, 1.0, 1e12):
            x, upstream = scale * rng.normal(size=shape), rng.normal(size=shape) / scale
            same(gradient(x, upstream), upstream * (np.sign(x) + 1) / 2, "the gradient", atol=0)
        x, upstream = x.astype("float32"), upstream.astype("float32")
        expected = (upstream * (np.sign(x) + 1) / 2).astype("float32")
        same(gradient(x, upstream), expected, "the gradient for float32")

    @beside
    def of_views(x, other, upstream):
        import chainrule as cr

        leaf = cr.tensor(x, requires_grad=True)
        out = MyReLU.apply(leaf.T[::2, ::-1])
        MyReLU.apply(cr.tensor(other, requires_grad=True).T[::2, ::-1])
        out.backward(cr.Tensor(upstream.T))
        return out.data, leaf.grad.data

    x, other = rng.normal(size=(2, 9, 14))
    upstream, view = rng.normal(size=(9, 7)), x.T[::2, ::-1]
    expected = np.zeros((9, 14))
    expected.T[::2, ::-1] = upstream.T * (np.sign(view) + 1) / 2
    what = "of views, after a second call: the output and the gradient"
    same(of_views(x, other, upstream), ((view + np.abs(view)) / 2, expected), what)
    ### END HIDDEN TESTS


# %% tests="relu" behaviour="upstream_kept" points=1
@autograder.test
def _(rng):
    "The upstream gradient stays as it was: another branch that got the same array is right."

    @beside
    def branches(x, other, upstream):
        import chainrule as cr

        a, b = cr.tensor(x, requires_grad=True), cr.tensor(other, requires_grad=True)
        given = cr.tensor(upstream)
        (MyReLU.apply(a) + b).backward(given)
        return *(getattr(leaf.grad, "data", None) for leaf in (a, b)), given.data

    x, upstream = np.array([-2.0, 3.0]), np.array([10.0, 20.0])
    expected = np.array([0.0, 20.0]), upstream, upstream
    what = "gradients of a and b in MyReLU(a) + b, and the upstream gradient afterwards"
    same(branches(x, x, upstream), expected, what)
    ### BEGIN HIDDEN TESTS
    for shape in ((5,), (3, 4)):
        x, upstream = rng.normal(size=shape), rng.normal(size=shape)
        expected = upstream * (np.sign(x) + 1) / 2, upstream, upstream
        same(branches(x, x + 1, upstream), expected, what, rtol=0, atol=0)
    ### END HIDDEN TESTS


# %% [markdown]
# Now the sigmoid, σ(x) = 1 / (1 + exp(−x)). Two things are to be decided.
#
# **How to compute it.** With exp(−x) the left end overflows. With exp(x) / (1 + exp(x)), which is
# the same function, the right end does. Each form is good on one side. And mind small numbers:
# σ(−40) is 4.2e−18. A formula that ends in `0.5 * (…) + 0.5`, or in `1 - …`, rounds it to 0, and
# the logarithm of that is −∞ instead of −40.
#
# **What to save.** The slope is σ(x) · (1 − σ(x)). Saving x would do, but then backward has to
# compute the exponential again. The lecture's class saves the *output*, and multiplies.

# %% [markdown] prompt="sigmoid"
# ### Exercise 3: Sigmoid
#
# Write the Function `Sigmoid`. `Sigmoid.apply(x)` is 1 / (1 + exp(−x)), entry by entry, for `x` of
# any shape (no axes and no entries included).
#
# * The value is right to a *relative* 1e-9 in float64 and 1e-5 in float32 as long as it is not
#   smaller than 1e-300 or 1e-35.
# * Between −1000 and 1000, in float32 and float64, there is no NaN and no warning of NumPy's,
#   forward or backward, whatever stands beside it in the array. σ(−1000) is exactly 0, σ(1000)
#   exactly 1, and both slopes are exactly 0.
# * `forward` saves its output, itself and no copy, with `ctx.save_for_backward`. Nothing else is
#   kept, on `ctx` or anywhere: when the caller drops `x`, its memory is free.
# * `backward` needs only that and the upstream gradient. (So for positive `x`, where the output is
#   rounded near 1, the gradient is right to an absolute 1e-12 or 1e-6 times upstream, not better.
#   For negative `x` it is as exact as the value.)
# * One node, called `Sigmoid`, is recorded. `x`, the upstream gradient, and the outputs of earlier
#   calls stay as they were.
#
# `cr.sigmoid` and `cr.softplus` are not used; NumPy and everything else of `chainrule` may be.

# %% [markdown] hint="sigmoid"
# exp(−|x|) never overflows. Call it e. For x ≥ 0 the sigmoid is 1 / (1 + e). What is it for x < 0?
# Multiply above and below by exp(x).

# %% [markdown] hint="sigmoid"
# ```
#        x = -1000        x = -2           x = 2            x = 1000
# e      0                0.1353           0.1353           0
#        e / (1 + e)      e / (1 + e)      1 / (1 + e)      1 / (1 + e)
# out    0                0.1192           0.8808           1
# slope  0                0.1050           0.1050           0
# ```
#
# No branch computes what it cannot: both are finite for every x, and `where` takes one.

# %% [markdown] hint="sigmoid"
# ```python
# def forward(ctx, x):
#     e = cr.exp(-cr.absolute(x))
#     output = cr.where(x >= 0, ..., ...)
#     ctx.save_for_backward(...)
#     return output
#
#
# def backward(ctx, upstream):
#     (output,) = ctx.saved_tensors
#     return ...
# ```


# %% exercise="sigmoid" minutes=20 difficulty=3 importance=5 allow="numpy chainrule"
class Sigmoid(cr.Function):
    """1 / (1 + exp(-x)), entry by entry, as one node that saves its output."""

    @staticmethod
    def forward(ctx, x):
        ### BEGIN SOLUTION
        e = cr.exp(-cr.absolute(x))
        output = cr.where(x >= 0, 1.0, e) / (1.0 + e)
        ctx.save_for_backward(output)
        return output
        ### END SOLUTION

    @staticmethod
    def backward(ctx, upstream):
        ### BEGIN SOLUTION
        (output,) = ctx.saved_tensors
        return upstream * output * (1.0 - output)
        ### END SOLUTION


# %% tests="sigmoid" behaviour="value" points=2
@autograder.test
def _(rng):
    "The value is right to a relative 1e-9 (float32: 1e-5) for any shape, also where it is tiny."

    @beside
    def value(x):
        import chainrule as cr

        return Sigmoid.apply(cr.tensor(x)).data

    x = np.array([-40.0, -2.0, 0.0, 2.0])
    expected = np.array([4.248354255291589e-18, 0.11920292202211755, 0.5, 0.8807970779778825])
    same(value(x), expected, "σ of −40, −2, 0 and 2", atol=0)
    ### BEGIN HIDDEN TESTS

    def oracle(x):
        flat = [1 / (1 + math.exp(-v)) for v in np.ravel(x).tolist()]
        return np.array(flat).reshape(np.shape(x))

    for shape in ((), (1,), (9,), (3, 4), (2, 3, 4), (0,), (2, 0)):
        for scale in (1e-3, 1.0, 10.0, 60.0, 200.0):
            x = np.clip(scale * rng.normal(size=shape), -690, 690)
            same(value(x), oracle(x), f"σ of fresh numbers of size {scale:g}", atol=0)
            x = np.clip(x, -80, 80).astype("float32")
            same(value(x), oracle(x).astype("float32"), "σ in float32", rtol=1e-5, atol=0)
    x = np.linspace(-690.0, -20.0, 40)
    same(value(x), oracle(x), "σ far on the left", atol=0)

    @beside
    def of_view(x):
        import chainrule as cr

        return Sigmoid.apply(cr.Tensor(x.T[::2, ::-1])).data

    x = 5 * rng.normal(size=(3, 6))
    same(of_view(x), oracle(x.T[::2, ::-1]), "σ of a view", atol=0)
    ### END HIDDEN TESTS


# %% tests="sigmoid" behaviour="gradient" points=3
@autograder.test
def _(rng):
    "The gradient is upstream · σ(x) · (1 − σ(x)), for any shape and any upstream gradient."

    @beside
    def gradient(x, upstream):
        import chainrule as cr

        leaf = cr.tensor(x, requires_grad=True)
        out = Sigmoid.apply(leaf)
        out.backward(cr.tensor(upstream, dtype=out.dtype))
        return getattr(leaf.grad, "data", None)

    x, upstream = np.array([-math.log(3.0), 0.0, math.log(4.0)]), np.array([16.0, -4.0, 25.0])
    same(gradient(x, upstream), np.array([3.0, -1.0, 4.0]), "gradient where σ is 1/4, 1/2, 4/5")
    ### BEGIN HIDDEN TESTS

    def sigmoid(z):
        return 1 / (1 + np.exp(-z))

    for shape in ((), (1,), (9,), (3, 4), (2, 2, 3), (0,)):
        for scale in (1e-3, 1.0, 5.0):
            x, upstream = scale * rng.normal(size=shape), rng.normal(size=shape)
            (expected,) = vjp_by_complex_step(sigmoid, (x,), upstream)
            same(gradient(x, upstream), expected, "the gradient of fresh numbers")
    x, upstream = -rng.uniform(0, 690, size=50), rng.choice([-1, 1], size=50) * 10.0**9
    small = np.array([math.exp(v) / (1 + math.exp(v)) ** 2 for v in x.tolist()])
    same(gradient(x, upstream), upstream * small, "the gradient far on the left", atol=0)
    x, upstream = rng.uniform(20, 700, size=50), rng.normal(size=50)
    large = np.array([math.exp(-v) for v in x.tolist()])
    same(gradient(x, upstream), upstream * large, "the gradient far on the right")
    x, upstream = (4 * rng.normal(size=(2, 20))).astype("float32")
    (expected,) = vjp_by_complex_step(sigmoid, (x,), upstream)
    got = gradient(x, upstream)
    same(got, expected.astype("float32"), "the gradient in float32", rtol=1e-4, atol=1e-6)
    x = -rng.uniform(0, 80, size=50).astype("float32")
    small = np.array([math.exp(v) / (1 + math.exp(v)) ** 2 for v in x.tolist()]).astype("float32")
    what = "the gradient far on the left, float32"
    same(gradient(x, np.ones_like(x)), small, what, rtol=1e-4, atol=0)

    @beside
    def of_views(x, upstream):
        import chainrule as cr

        leaf = cr.tensor(x, requires_grad=True)
        Sigmoid.apply(leaf.T[::2, ::-1]).backward(cr.Tensor(upstream.T))
        return leaf.grad.data

    x, upstream, expected = rng.normal(size=(3, 6)), rng.normal(size=(3, 3)), np.zeros((3, 6))
    (grad,) = vjp_by_complex_step(sigmoid, (x.T[::2, ::-1],), upstream.T)
    expected.T[::2, ::-1] = grad
    same(of_views(x, upstream), expected, "the gradient of a view, upstream a view too")
    ### END HIDDEN TESTS


# %% tests="sigmoid" behaviour="stable" points=3
@autograder.test
def _(rng):
    "From −1000 to 1000 nothing is NaN and nothing warns, forward or backward, in both dtypes."

    @beside
    def run(x, upstream):
        import warnings

        import chainrule as cr

        leaf = cr.tensor(x, requires_grad=True)
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always")
            out = Sigmoid.apply(leaf)
            out.backward(cr.tensor(upstream, dtype=out.dtype))
        slope = getattr(leaf.grad, "data", None)
        return out.data, slope, sorted({str(warning.message) for warning in heard})

    x, upstream = np.array([-1000.0, 0.0, 1000.0]), np.array([5.0, 6.0, 7.0])
    expected = np.array([0.0, 0.5, 1.0]), np.array([0.0, 1.5, 0.0]), []
    same(run(x, upstream), expected, "value, gradient and warnings at −1000, 0, 1000")
    ### BEGIN HIDDEN TESTS
    edges = np.array([1000.0, 746.0, 710.0, 709.0, 373.0, 104.0, 89.0, 88.0, 45.0, 0.0])
    for dtype, rtol, atol in (("float64", 1e-9, 1e-12), ("float32", 1e-5, 1e-6)):
        for x in (edges, -edges, rng.uniform(-1000, 1000, size=60)):
            x, upstream = x.astype(dtype), rng.normal(size=x.shape).astype(dtype)
            e = np.exp(-np.abs(x.astype("float64")))
            value = np.where(x >= 0, 1.0, e) / (1 + e)
            slope = upstream * e / (1 + e) ** 2
            expected = value.astype(dtype), slope.astype(dtype), []
            what = f"value, gradient and warnings in {dtype}"
            same(run(x, upstream), expected, what, rtol=rtol, atol=atol)
            one = int(rng.integers(x.size))
            expected = value[one].astype(dtype), slope[one].astype(dtype), []
            got = run(x[one], upstream[one])
            same(got, expected, f"{what}, a single number", rtol=rtol, atol=atol)
    for dtype in ("float64", "float32"):
        ends, upstream = np.array([-1000.0, 1000.0]).astype(dtype), np.ones(2).astype(dtype)
        expected = (ends + 1000) / 2000, 0 * ends, []
        same(run(ends, upstream), expected, f"the same at −1000, 1000, {dtype}", rtol=0, atol=0)
    ### END HIDDEN TESTS


# %% tests="sigmoid" behaviour="saves_output" points=2
@autograder.test
def _(rng):
    "`forward` keeps its output and nothing else; `backward` needs only that and upstream."

    @beside
    def by_hand(x, output, upstream):
        import chainrule as cr
        from chainrule.function import Context

        first, second = Context((True,)), Context((True,))
        second.save_for_backward(cr.tensor(output))
        with cr.no_grad():
            out = Sigmoid.forward(first, cr.tensor(x))
            grad = Sigmoid.backward(second, cr.tensor(upstream))
        if not isinstance(out, cr.Tensor):
            return f"forward returned a {type(out).__name__}, not a tensor"
        saved = ["the output" if t is out else str(t) for t in first.saved_tensors]
        kept = sorted(vars(first).keys() - vars(second).keys())
        return out.data, saved, kept, np.asarray(grad[0] if isinstance(grad, tuple) else grad)

    half, outputs = np.array([0.5]), np.array([0.25, 0.5, 1.0])
    what = "the output, what was saved, what else ctx keeps, and backward given other outputs"
    got = by_hand(np.array([0.0]), outputs, np.array([16.0, 4.0, 3.0]))
    same(got, (half, ["the output"], [], np.array([3.0, 1.0, 0.0])), what)
    ### BEGIN HIDDEN TESTS
    for shape in ((), (6,), (2, 3)):
        x, output, upstream = rng.normal(size=shape), rng.random(shape), rng.normal(size=shape)
        out = 1 / (1 + np.exp(-x))
        expected = out, ["the output"], [], upstream * (output - output**2)
        same(by_hand(x, output, upstream), expected, what)

    @beside
    def freed(x):
        import gc
        import weakref

        import chainrule as cr
        from chainrule.function import Context

        ctx, given = Context((True,)), cr.tensor(x)
        memory = weakref.ref(given.data)
        with cr.no_grad():
            out = Sigmoid.forward(ctx, given)
        del given
        gc.collect()
        return out.data, "free" if memory() is None else "still held"

    x = rng.normal(size=4)
    expected = 1 / (1 + np.exp(-x)), "free"
    same(freed(x), expected, "the output, and the memory of x after the caller dropped it")
    ### END HIDDEN TESTS


# %% tests="sigmoid" behaviour="one_node" points=1
@autograder.test
def _(rng):
    "One node called Sigmoid is recorded, and `cr.sigmoid` and `cr.softplus` are not used."

    @beside
    def graph(x):
        import chainrule as cr

        leaf = cr.tensor(x, requires_grad=True)
        out = Sigmoid.apply(leaf)
        node = out.grad_fn
        made = "nothing" if node is None else node.op.name
        return out.data, made, [] if node is None else [p is leaf for p in node.parents]

    half = np.array([0.5])
    what = "the value, which node made it, and that this node leads to x"
    same(graph(np.array([0.0])), (half, "Sigmoid", [True]), what)
    ### BEGIN HIDDEN TESTS
    x = rng.normal(size=(2, 3))
    same(graph(x), (1 / (1 + np.exp(-x)), "Sigmoid", [True]), what)

    @beside
    def called(x, upstream):
        import chainrule as cr
        from chainrule.tape import TRACE

        names = []

        class Log:
            def record(self, op, *rest):
                names.append(op.name)

            def __getattr__(self, name):
                return lambda *rest: None

        leaf = cr.tensor(x, requires_grad=True)
        TRACE.append(Log())
        try:
            out = Sigmoid.apply(leaf)
            out.backward(cr.tensor(upstream))
        finally:
            TRACE.pop()
        return sorted(set(names) & {"sigmoid", "softplus"})

    same(called(x, x), [], "the forbidden operations that were used")
    ### END HIDDEN TESTS


# %% tests="sigmoid" behaviour="inputs_kept" points=1
@autograder.test
def _(rng):
    "Right values and gradients leave `x`, upstream and what earlier calls returned unchanged."

    @beside
    def after(x, upstream):
        import chainrule as cr

        leaf, given = cr.tensor(x, requires_grad=True), cr.tensor(upstream)
        out = Sigmoid.apply(leaf)
        Sigmoid.apply(cr.tensor(x + 1, requires_grad=True)).backward(given)
        out.backward(given)
        return out.data, getattr(leaf.grad, "data", None), leaf.data, given.data

    x, upstream = np.array([0.0, math.log(3.0)]), np.array([4.0, 16.0])
    expected = np.array([0.5, 0.75]), np.array([1.0, 3.0]), x, upstream
    same(after(x, upstream), expected, "value, gradient, x and upstream after two calls")
    ### BEGIN HIDDEN TESTS
    for shape in ((4,), (2, 3)):
        x, upstream = rng.normal(size=shape), rng.normal(size=shape)
        y = 1 / (1 + np.exp(-x))
        expected = y, upstream * (y - y**2), x, upstream
        got = after(x, upstream)
        same(got, expected, "value, gradient, x and upstream after two calls")
        same(got[2:], (x, upstream), "x and upstream, to the last digit", rtol=0, atol=0)
    ### END HIDDEN TESTS


# %% [markdown]
# Ask your node what the composite was asked at the start:

# %%
x = cr.tensor([-1000.0, 0.0, 1000.0], requires_grad=True)
y = Sigmoid.apply(x)
y.sum().backward()
print("value   ", y.data)
print("gradient", x.grad.data)

# %% [markdown]
# ## Only one node in the graph
#
# "Only adds one node to the graph", say the lecture's notes. A node can be counted. Every tensor
# that was recorded knows its node, `out.grad_fn`, and a node knows where it leads:
#
# ```
# out.grad_fn  →  divide  ──parents──►  add  ──►  exp  ──►  negative  ──►  x (a leaf: a tensor)
# ```
#
# With a counter and a probe for `nan` you can lay any two ways of writing a function side by side.

# %% [markdown] prompt="one_node"
# ### Exercise 4: one node against many
#
# Write two functions.
#
# `count_nodes(out)` returns how many nodes the graph behind the tensor `out` has.
#
# * `out.grad_fn` is the node that made `out`; for a leaf, or what nobody recorded, it is `None`,
#   and the count is 0.
# * `node.parents` is a list with an entry for each input that needs a gradient: the node that made
#   that input, or the input itself, a `cr.Tensor`, if it is a leaf. Leaves are not counted.
# * A node that is reached along several paths counts once. The graph may be 5,000 nodes deep, and
#   its number of paths may be astronomical. It stays as it was: it can be counted again, and
#   differentiated.
#
# `where_it_fails(f, xs, dtype)` tries a function `f` of one tensor at the numbers `xs`, a list of
# Python floats, and returns two lists: those of `xs` where the value of `f` is not a finite number,
# and those where its gradient is not, in the order of `xs`. (`xs` may be empty; a number that
# stands in it twice comes twice; `xs` itself stays as it was.)
#
# * `f` is called with a tensor of `dtype` ("float32" or "float64") that requires a gradient, has
#   one axis, and holds all of `xs` or some of them; it works entry by entry. Not finite is `nan`,
#   `inf` or `-inf`.
# * The gradient is that of `f` itself, so the upstream gradient is 1.
#
# NumPy may warn on the way; its settings (`np.seterr`) are afterwards what they were. Allowed are
# NumPy and all of `chainrule`.

# %% [markdown] hint="one_node"
# Keep two things: a list of nodes still to visit, and a set of those already seen. A graph with
# many paths has few nodes, as long as you never visit one twice.

# %% [markdown] hint="one_node"
# ```
#  s = x * x;  out = s + exp(s)          to visit      seen
#                                        add           add
#        ┌─────────────► add             exp, s        add, exp, s
#  x ─► s │              ▲               s             (s is there already)
#        └──► exp ──────┘                              3 nodes
# ```
#
# For the probe, the gradients of all entries come from one backward pass: each output depends on
# its own entry only.

# %% [markdown] hint="one_node"
# ```python
# to_visit, seen = [...], set()
# while to_visit:
#     node = ...
#     if ...:                          # None, a leaf, or seen before
#         continue
#     seen.add(node)
#     to_visit.extend(...)
# return ...
#
# x = cr.tensor(xs, dtype=..., requires_grad=True)
# out = ...
# out.backward(...)
# bad = ~np.isfinite(...)
# ```


# %% exercise="one_node" minutes=20 difficulty=3 importance=4 allow="numpy chainrule"
def count_nodes(out):
    """Return the number of nodes behind a tensor, each counted once."""
    ### BEGIN SOLUTION
    waiting, seen = [out.grad_fn], set()
    while waiting:
        node = waiting.pop()
        if node is None or isinstance(node, cr.Tensor) or node in seen:
            continue
        seen.add(node)
        waiting.extend(node.parents)
    return len(seen)
    ### END SOLUTION


def where_it_fails(f, xs, dtype):
    """Return (xs where the value of f is not finite, xs where its gradient is not)."""
    ### BEGIN SOLUTION
    x = cr.tensor(xs, dtype=dtype, requires_grad=True)
    with np.errstate(all="ignore"):
        out = f(x)
        out.backward(cr.ones_like(out))
    results = (out.data, x.grad.data)
    return tuple([v for v, ok in zip(xs, np.isfinite(r), strict=True) if not ok] for r in results)
    ### END SOLUTION


# %% tests="one_node" behaviour="count" points=2
@autograder.test
def _(rng):
    "`count_nodes` counts the nodes behind `out`; not leaves, constants or other branches."

    @beside
    def counts():
        import chainrule as cr

        x = cr.tensor([1.0, 2.0], requires_grad=True)
        s = x * x
        return [count_nodes(t) for t in (1 / (1 + cr.exp(-x)), cr.sigmoid(x), s + cr.exp(s), x)]

    what = "nodes of 1/(1 + exp(−x)), of cr.sigmoid(x), of s + exp(s) with s = x·x, of x"
    same(counts(), [4, 1, 3, 0], what)
    ### BEGIN HIDDEN TESTS

    @beside
    def of_graph(steps):
        import chainrule as cr

        class Double(cr.Function):
            @staticmethod
            def forward(ctx, x):
                return 2 * x

            @staticmethod
            def backward(ctx, upstream):
                return 2 * upstream

        x, z = cr.tensor(1.0, requires_grad=True), cr.tensor(2.0)
        parts = [x, z, z * 3]
        for kind, one, other in steps:
            left, right = parts[one], parts[other]
            parts.append((left + right, left - 2.0, Double.apply(left))[kind])
        return [count_nodes(part) for part in parts]

    for length in (0, 1, 6, 12, 25):
        steps = []
        behind = [set(), set(), set()]  # the recorded nodes behind each part
        needs = [True, False, False]
        for place in range(3, 3 + length):
            kind, (one, other) = int(rng.integers(3)), map(int, rng.integers(place, size=2))
            steps.append((kind, one, other))
            used = [one, other] if kind == 0 else [one]
            needs.append(any(needs[i] for i in used))
            found = set().union(*(behind[i] for i in used))
            behind.append(found | {place} if needs[place] else set())
        expected = [len(nodes) for nodes in behind]
        same(of_graph(steps), expected, f"nodes of the tensors of a graph of {length} operations")

    @beside
    def of_many():
        import chainrule as cr

        x = cr.tensor([1.0, 2.0], dtype="float64", requires_grad=True)
        parts = [x + 1.0, x * 2.0, x - 3.0, cr.exp(x)]
        out = cr.concatenate([*parts, *(x + float(i) for i in range(60))])
        found = [count_nodes(out), count_nodes(cr.concatenate(parts + parts)), count_nodes(out)]
        out.sum().backward()
        return found, x.grad.data

    slope = 64.0 + np.exp([1.0, 2.0])
    what = "nodes of 64 tensors joined, of 4, of the 64 again, and their gradient afterwards"
    same(of_many(), ([65, 5, 65], slope), what)
    ### END HIDDEN TESTS


# %% tests="one_node" behaviour="large_graphs" points=2
@autograder.test
def _(rng):
    "It works on a chain of 5,000 nodes, and on 60 doublings, which have 2⁶⁰ paths."

    @beside
    def counts(length, doublings):
        import chainrule as cr

        chain = twice = cr.tensor(1.0, requires_grad=True)
        for _ in range(length):
            chain = chain + 1.0
        for _ in range(doublings):
            twice = twice + twice
        return [count_nodes(chain), count_nodes(twice)]

    same(counts(50, 5), [50, 5], "nodes of a chain of 50, and of 5 doublings x = x + x")
    ### BEGIN HIDDEN TESTS
    length = 5000 - int(rng.integers(500))
    same(counts(length, 60), [length, 60], f"nodes of a chain of {length}, and of 60 doublings")
    ### END HIDDEN TESTS


# %% tests="one_node" behaviour="failing_values" points=1
@autograder.test
def _(rng):
    "`where_it_fails` finds the numbers at which the value of `f` is nan, inf or -inf, in order."

    @beside
    def values(name, xs):
        import chainrule as cr

        f = {
            "1 / x": lambda x: 1 / x,
            "log(1 + exp(x))": lambda x: cr.log(1 + cr.exp(x)),
            "sqrt(x)": cr.sqrt,
            "x + steps": lambda x: x + cr.where(x > 5, -np.inf, 0.0),
            "1 / (x - 0.1)": lambda x: 1 / (x - 0.1),
            "1e303 · x": lambda x: x * 1e303,
        }[name]
        found = where_it_fails(f, xs, "float64")
        return (list(found[0]) if isinstance(found, (tuple, list)) else found), xs

    xs = [2.0, 0.0, -1.0]
    same(values("1 / x", xs), ([0.0], xs), "where the value of 1 / x fails, and xs afterwards")
    xs = [1000.0, 1.0, -1000.0, 800.0]
    what = "where the value of log(1 + exp(x)) fails, and xs afterwards"
    same(values("log(1 + exp(x))", xs), ([1000.0, 800.0], xs), what)
    ### BEGIN HIDDEN TESTS
    some = [*rng.normal(size=150) * 8, 1e3, 0.0, 0.1, 2e5, 1e3, 0.0, -0.1, 2e5, 0.1]
    xs = [float(v) for v in rng.permutation(some)]
    fails = {
        "1 / x": lambda v: v == 0,
        "log(1 + exp(x))": lambda v: v > 709.78,
        "sqrt(x)": lambda v: v < 0,
        "x + steps": lambda v: v > 5,
        "1 / (x - 0.1)": lambda v: v == 0.1,
        "1e303 · x": lambda v: v > 1.8e5,
    }
    for name, failing in fails.items():
        expected = [v for v in xs if failing(v)], xs
        same(values(name, xs), expected, f"where the value of {name} fails, and xs afterwards")
        same(values(name, [1.5]), ([], [1.5]), f"where the value of {name} fails among [1.5]")
        same(values(name, []), ([], []), f"where the value of {name} fails among no numbers")

    @beside
    def settings():
        import numpy as np

        with np.errstate(over="ignore", divide="warn"):
            before = np.geterr()
            found = where_it_fails(lambda x: 1 / x, [0.0, 2.0], "float64")
            return list(found[0]), "as before" if np.geterr() == before else "changed"

    what = "where the value of 1 / x fails, and NumPy's settings afterwards"
    same(settings(), ([0.0], "as before"), what)
    ### END HIDDEN TESTS


# %% tests="one_node" behaviour="failing_gradients" points=2
@autograder.test
def _(rng):
    "It finds the numbers at which the gradient of `f` is not finite, whether the value is or not."

    @beside
    def gradients(name, xs):
        import chainrule as cr

        f = {
            "1 / (1 + exp(-x))": lambda x: 1 / (1 + cr.exp(-x)),
            "sqrt(x * x)": lambda x: cr.sqrt(x * x),
            "1 / x": lambda x: 1 / x,
            "x + steps": lambda x: x + cr.where(x > 5, np.inf, 0.0),
            "1e155 · (1e160 · x)": lambda x: (x * 1e160) * 1e155,
            "1e155 · (1e150 · x)": lambda x: (x * 1e150) * 1e155,
            "sigmoid": cr.sigmoid,
        }[name]
        found = where_it_fails(f, xs, "float64")
        return list(found[1]) if isinstance(found, (tuple, list)) else found

    xs = [-1000.0, -1.0, 0.0, 1000.0]
    same(gradients("1 / (1 + exp(-x))", xs), [-1000.0], "where that of 1 / (1 + exp(−x)) fails")
    same(gradients("sqrt(x * x)", xs), [0.0], "where the gradient of sqrt(x·x) fails")
    ### BEGIN HIDDEN TESTS
    some = [*rng.normal(size=150) * 8, 1e3, -1e3, 0.0, -720.0, 1e3, -720.0, 0.0]
    xs = [float(v) for v in rng.permutation(some)]
    fails = {
        "1 / (1 + exp(-x))": lambda v: v < -709.78,
        "sqrt(x * x)": lambda v: v == 0,
        "1 / x": lambda v: v == 0,
        "x + steps": lambda v: False,
        "1e155 · (1e160 · x)": lambda v: True,
        "1e155 · (1e150 · x)": lambda v: False,
        "sigmoid": lambda v: False,
    }
    for name, failing in fails.items():
        expected = [v for v in xs if failing(v)]
        same(gradients(name, xs), expected, f"where the gradient of {name} fails")
        expected = [v for v in [1.5] if failing(v)]
        same(gradients(name, [1.5]), expected, f"where the gradient of {name} fails among [1.5]")
    ### END HIDDEN TESTS


# %% tests="one_node" behaviour="dtype" points=1
@autograder.test
def _(rng):
    "`f` is tried in the dtype asked for: float32 fails much earlier than float64."

    @beside
    def composite_fails(xs, dtype):
        import chainrule as cr

        seen = []

        def f(x):
            seen.append(str(x.dtype))
            return 1 / (1 + cr.exp(-x))

        found = where_it_fails(f, xs, dtype)
        if not isinstance(found, (tuple, list)):
            return found, seen
        return [list(part) for part in found], sorted(set(seen))

    xs = [-1000.0, -100.0, -50.0]
    what = "where value and gradient of 1 / (1 + exp(−x)) fail, and the dtypes that f was given"
    same(composite_fails(xs, "float32"), ([[], [-1000.0, -100.0]], ["float32"]), what)
    same(composite_fails(xs, "float64"), ([[], [-1000.0]], ["float64"]), what)
    ### BEGIN HIDDEN TESTS
    for dtype, edge in (("float32", -88.7), ("float64", -709.7)):
        xs = [float(v) for v in edge + rng.uniform(0.1, 30, size=8) * rng.choice([-1, 1], size=8)]
        expected = [[], [v for v in xs if v < edge]]
        same(composite_fails(xs, dtype), (expected, [dtype]), what)

    @beside
    def large(xs):
        return [list(part) for part in where_it_fails(lambda x: x * 1e38, xs, "float32")]

    what = "where value and gradient of 1e38 · x fail in float32"
    same(large([2.0, 5.0, 3.0]), [[5.0], []], what)
    ### END HIDDEN TESTS


# %% [markdown]
# Lay them side by side:

# %%
x = cr.tensor([0.5], requires_grad=True)
whole = [float(v) for v in range(-1000, 1001)]
for name, f in (("composite", composite), ("Sigmoid", Sigmoid.apply)):
    print(f"{name:9}  nodes: {count_nodes(f(x))}", end="")
    for dtype in ("float32", "float64"):
        with np.errstate(all="ignore"):
            values, gradients = where_it_fails(f, whole, dtype)
        reach = f"{min(gradients):.0f} to {max(gradients):.0f}" if gradients else "nowhere"
        print(f"   {dtype}: {len(values)} bad values, bad gradients {reach}", end="")
    print()

# %% [markdown]
# The edges are no accident: exp(89) is larger than any float32, exp(710) than any float64. In
# float32, in which nets are trained, −89 is no exotic number for a logit of a net that is sure.
#
# And `nan` is the *loud* failure. There is a quiet one before it. Look at the slope at −60, where
# it should be 8.76e−27:

# %%
for v in (-20.0, -40.0, -60.0, -80.0):
    slopes = []
    for f in (composite, Sigmoid.apply):
        x = cr.tensor([v], requires_grad=True)
        f(x).backward(cr.ones(1))
        slopes.append(f"{x.grad.item():.3e}")
    print(f"x = {v:.0f}   composite {slopes[0]}   Sigmoid {slopes[1]}")

# %% [markdown]
# At −60 the composite says 0, without any infinity. On the way back, out / denominator is e⁻¹²⁰,
# too small for a float32, and the factor e⁶⁰ that would have rescued it comes one node later.
#
# See it move. The slider is x. Before you drag, answer on paper:
#
# 1. In float32, going left from 0: which happens first, the slope turning 0 or turning `nan`?
# 2. Where does the *value* of the composite go wrong?
# 3. Is there an x at which the one node is *worse* than the composite? (Think of what it saved.)

# %%
from chainrule.widgets import Collapse

Collapse()

# %% [markdown]
# <details><summary>What you should have seen</summary>
#
# 1. The slope turns 0 first, from about −52 on, and `nan` from −89 on.
# 2. Between about −89 and −104 it is 0 where a float32 could still hold the true value; further
#    left, 0 is as right as can be.
# 3. Yes, far on the right, from about 17 on in float32 (37 in float64): the output is rounded to 1,
#    so 1 − y is 0, while the composite still knows exp(−x). An error of 4e-8 there harms
#    nobody, and PyTorch's own sigmoid does the same, but it is the price of saving only the output.
#
# The cell below prints these places.
#
# </details>

# %%
print("    x   composite                           Sigmoid")
for v in (-51.0, -52.0, -88.0, -89.0, -103.0, -104.0, 16.0, 17.0):
    found = []
    with np.errstate(all="ignore"):
        for f in (composite, Sigmoid.apply):
            x = cr.tensor([v], requires_grad=True)
            y = f(x)
            y.backward(cr.ones(1))
            found.append((y.item(), x.grad.item()))
    print(f"{v:5.0f}", *(f"  value {y:.3e}, slope {slope:.3e}" for y, slope in found))

# %% [markdown]
# ## The net with your node in it
#
# Lesson 04 left the two-layer net as a forward pass and `loss.backward()`. This is all that the
# idea changes in it:
#
# ```diff
# +class MyReLU(cr.Function):
# +    @staticmethod
# +    def forward(ctx, x):
# +        ctx.save_for_backward(x)
# +        return ...
# +
# +    @staticmethod
# +    def backward(ctx, upstream):
# +        (x,) = ctx.saved_tensors
# +        return ...
# +
#  for step in range(500):
#      h = x @ w1
# -    h_relu = relu(h)
# +    h_relu = MyReLU.apply(h)
#      y_pred = h_relu @ w2
#      loss = ((y_pred - y) ** 2).sum()
#      loss.backward()
# ```
#
# Does it learn the same?


# %%
def train(activation, steps=101, lr=1e-6):
    rng = np.random.default_rng(0)
    x, y = (cr.tensor(rng.standard_normal(size)) for size in ((64, 1000), (64, 10)))
    w1 = cr.tensor(rng.standard_normal((1000, 100)), requires_grad=True)
    w2 = cr.tensor(rng.standard_normal((100, 10)), requires_grad=True)
    losses = []
    for _step in range(steps):
        pred = activation(x @ w1) @ w2
        loss = ((pred - y) ** 2).sum()
        losses.append(loss.item())
        nodes = count_nodes(loss)
        loss.backward()
        with cr.no_grad():
            for weight in (w1, w2):
                weight -= lr * weight.grad
                weight.grad = None
    return losses, nodes


runs = {"cr.relu": train(cr.relu), "MyReLU": train(MyReLU.apply)}
for name, (losses, nodes) in runs.items():
    print(f"{name:8} nodes {nodes}  ", "  ".join(f"{losses[s]:.15g}" for s in (0, 1, 10, 100)))

# %% [markdown]
# The same numbers (those of lesson 01, too), and the same count of nodes: the library's own ReLU is
# one node. To the engine there is no difference between its operations and yours.
#
# **Here the first sitting ends.** The second turns to a function of many inputs, to gradients that
# are wrong on purpose, and to the real frameworks.

# %% [markdown]
# ## Many inputs, one node: log-sum-exp
#
# The sigmoid has a big sister. Every classifier needs log Σₖ exp(zₖ), the logarithm of a softmax's
# denominator. Here are three logits, log 1, log 2 and log 3: the sum is 6, the result log 6, and
# its slopes are 1/6, 2/6 and 3/6. They are the softmax p, which is no coincidence:
#
# ```
# ∂/∂zₖ log Σⱼ exp(zⱼ)  =  exp(zₖ) / Σⱼ exp(zⱼ)  =  exp(zₖ − out)
# ```
#
# The last form is the one to remember: given the output, no sum has to be formed again, and its
# exponent is never positive. And forward, with m the largest logit, out = m + log Σ exp(zₖ − m).
#
# There is a second thing to learn from it. Newton's method, meta-learning and gradient penalties
# need the gradient *of the gradient*. Your `backward` runs on tensors, so the library can record it
# like anything else, and differentiate it again. That works if, and only if, everything in
# `backward` that depends on the inputs is known to depend on them:
#
# | in `backward` you use | in a second derivative it is |
# |---|---|
# | an input, or the output, from `ctx.saved_tensors` | tracked |
# | anything else that `forward` computed and saved, such as p itself | a constant: silently wrong |
# | `.data`, a NumPy array | a constant: silently wrong |
#
# The same holds in PyTorch.

# %% [markdown] prompt="log_sum_exp"
# ### Exercise 5: log-sum-exp, and its second derivative
#
# Write the Function `LogSumExp`. `LogSumExp.apply(x)` is log Σ exp(x) over the *last* axis, for `x`
# of shape (…, C) with C ≥ 1; the output has shape (…). So a vector gives a tensor without axes. One
# node, called `LogSumExp`, is recorded.
#
# * Value and gradient are right for entries up to ±10,000 in any mixture, in float32 and float64,
#   without NaN and without a warning of NumPy's. (In float32 an output near 10,000 is rounded to a
#   thousandth, and a gradient made from it need not be better than that.)
# * The gradient is right for any upstream gradient of shape (…).
# * The second derivative is right too: `cr.grad(..., create_graph=True)` gives a gradient that can
#   be differentiated again, with respect to `x` and to upstream. Rounding aside, and for entries up
#   to ±10,000 as well.
# * `x` and the upstream gradient are unchanged.
#
# `cr.logsumexp`, `cr.softmax` and `cr.log_softmax` are not used; NumPy and everything else of
# `chainrule` may be.

# %% [markdown] hint="log_sum_exp"
# In `backward` write the gradient as a formula in the saved `x`, the saved output and upstream,
# with the library's operations only. Then its derivative takes care of itself.

# %% [markdown] hint="log_sum_exp"
# ```
# x          (…, C)        [log 1   log 2   log 3]
# top        (…, 1)        [log 3]                      x.max(axis=-1, keepdims=True)
# x - top    (…, C)        never positive
# out        (…)            log 6                       to save, with x
#
# upstream   (…)            12
# gradient   (…, C)        [12·1/6  12·2/6  12·3/6]     upstream and out need a last axis of 1
# ```

# %% [markdown] hint="log_sum_exp"
# ```python
# def forward(ctx, x):
#     top = x.max(axis=-1, keepdims=True)
#     out = cr.log(...) + top.squeeze(-1)
#     ctx.save_for_backward(..., ...)
#     return out
#
#
# def backward(ctx, upstream):
#     x, out = ctx.saved_tensors
#     return upstream.unsqueeze(-1) * cr.exp(...)
# ```


# %% exercise="log_sum_exp" minutes=20 difficulty=3 importance=4 allow="numpy chainrule"
class LogSumExp(cr.Function):
    """log of the sum of exp(x) over the last axis, as one node that can be differentiated twice."""

    @staticmethod
    def forward(ctx, x):
        ### BEGIN SOLUTION
        top = x.max(axis=-1, keepdims=True)
        out = cr.log(cr.exp(x - top).sum(axis=-1)) + top.squeeze(-1)
        ctx.save_for_backward(x, out)
        return out
        ### END SOLUTION

    @staticmethod
    def backward(ctx, upstream):
        ### BEGIN SOLUTION
        x, out = ctx.saved_tensors
        return upstream.unsqueeze(-1) * cr.exp(x - out.unsqueeze(-1))
        ### END SOLUTION


# %% tests="log_sum_exp" behaviour="value" points=1
@autograder.test
def _(rng):
    "The value is log Σ exp(x) over the last axis, of shape (…), and one node made it."

    @beside
    def run(x):
        import chainrule as cr

        leaf = cr.tensor(x, requires_grad=True)
        out = LogSumExp.apply(leaf)
        node = out.grad_fn
        made = "nothing" if node is None else node.op.name
        ends = [] if node is None else [parent is leaf for parent in node.parents]
        return out.data, made, ends, leaf.data

    x = np.log([[1.0, 2.0, 3.0], [4.0, 5.0, 1.0]])
    what = "the output, which node made it, that node leads to x, and x afterwards"
    same(run(x), (np.log([6.0, 10.0]), "LogSumExp", [True], x), what)
    same(run(x[0]), (np.array(math.log(6.0)), "LogSumExp", [True], x[0]), what)
    ### BEGIN HIDDEN TESTS
    for shape in ((1,), (7,), (1, 1), (5, 1), (1, 4), (4, 4), (2, 3, 5), (3, 0, 2)):
        x = 3 * rng.normal(size=shape)
        expected = np.log(np.exp(x).sum(axis=-1))
        same(run(x), (expected, "LogSumExp", [True], x), what)
        x = x.astype("float32")
        got = run(x)
        same(got, (expected.astype("float32"), "LogSumExp", [True], x), what, rtol=1e-5, atol=1e-5)

    @beside
    def of_view(x):
        import chainrule as cr

        first = LogSumExp.apply(cr.Tensor(x.T[::2, ::-1]))
        LogSumExp.apply(cr.Tensor(x.T[1::2, ::-1]))
        return first.data

    x = rng.normal(size=(3, 6))
    what = "the output for a view, after a second call"
    same(of_view(x), np.log(np.exp(x.T[::2, ::-1]).sum(axis=-1)), what)
    ### END HIDDEN TESTS


# %% tests="log_sum_exp" behaviour="gradient" points=2
@autograder.test
def _(rng):
    "The gradient is right for any upstream gradient of shape (…), which stays as it was."

    @beside
    def gradient(x, upstream):
        import chainrule as cr

        leaf, given = cr.tensor(x, requires_grad=True), cr.tensor(upstream)
        out = LogSumExp.apply(leaf)
        LogSumExp.apply(cr.tensor(x + 1, requires_grad=True))
        out.backward(given)
        return getattr(leaf.grad, "data", None), given.data

    x, upstream = np.log([[1.0, 2.0, 3.0], [4.0, 5.0, 1.0]]), np.array([12.0, -10.0])
    expected = np.array([[2.0, 4.0, 6.0], [-4.0, -5.0, -1.0]])
    same(gradient(x, upstream), (expected, upstream), "the gradient, and upstream afterwards")
    ### BEGIN HIDDEN TESTS

    def value(z):
        return np.log(np.exp(z).sum(axis=-1))

    for shape in ((1,), (7,), (1, 1), (5, 1), (1, 4), (4, 4), (2, 3, 5)):
        x, upstream = 3 * rng.normal(size=shape), np.asarray(rng.normal(size=shape[:-1]))
        (expected,) = vjp_by_complex_step(value, (x,), upstream)
        got = gradient(x, upstream)
        same(got, (expected, upstream), "the gradient, and upstream afterwards")
        same(got[1], upstream, "upstream afterwards, to the last digit", rtol=0, atol=0)
        x32, up32 = x.astype("float32"), upstream.astype("float32")
        expected = expected.astype("float32"), up32
        same(gradient(x32, up32), expected, "the same for float32", rtol=1e-4, atol=1e-5)
    ### END HIDDEN TESTS


# %% tests="log_sum_exp" behaviour="stable" points=2
@autograder.test
def _(rng):
    "Value and gradient are right, without NaN or warnings, for entries up to ±10,000."

    @beside
    def run(x, upstream):
        import warnings

        import chainrule as cr

        leaf = cr.tensor(x, requires_grad=True)
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always")
            out = LogSumExp.apply(leaf)
            out.backward(cr.tensor(upstream, dtype=out.dtype))
        slope = getattr(leaf.grad, "data", None)
        return out.data, slope, sorted({str(warning.message) for warning in heard})

    x, upstream = np.array([[1e4, 1e4], [-1e4, -1e4], [1e4, -1e4]]), np.array([2.0, 4.0, 6.0])
    value = np.array([1e4 + math.log(2), -1e4 + math.log(2), 1e4])
    expected = value, np.array([[1.0, 1.0], [2.0, 2.0], [6.0, 0.0]]), []
    same(run(x, upstream), expected, "value, gradient and warnings")
    ### BEGIN HIDDEN TESTS
    for dtype, rtol in (("float64", 1e-9), ("float32", 1e-3)):
        for shape in ((5, 3), (2, 3, 4), (6,), (4, 1)):
            x = rng.choice([-1e4, 0.0, 1e4], size=shape) + rng.choice([0.0, 1.0, 2.0], size=shape)
            if len(shape) > 1:
                x[0] = 1e4 * rng.uniform(-1, 1, size=shape[1:]).astype("float32")
            upstream = np.asarray(rng.normal(size=shape[:-1])).astype(dtype)
            top = x.max(axis=-1, keepdims=True)
            exps = np.exp(x - top)
            total = exps.sum(axis=-1, keepdims=True)
            value, grad = (top + np.log(total))[..., 0], upstream[..., None] * exps / total
            expected = value.astype(dtype), grad.astype(dtype), []
            got = run(x.astype(dtype), upstream)
            same(got, expected, f"value, gradient, warnings in {dtype}", rtol=rtol, atol=2 * rtol)
    ### END HIDDEN TESTS


# %% tests="log_sum_exp" behaviour="second" points=3
@autograder.test
def _(rng):
    "The gradient can be differentiated again, with respect to `x` and to upstream."

    @beside
    def second(x, upstream, direction):
        import chainrule as cr

        leaf, given = cr.tensor(x, requires_grad=True), cr.tensor(upstream, requires_grad=True)
        (slope,) = cr.grad(LogSumExp.apply(leaf), leaf, given, create_graph=True)
        if not slope.requires_grad:
            return "the gradient is a constant"
        found = cr.grad(slope, [leaf, given], cr.tensor(direction), allow_unused=True)
        return [slope.data, *("no dependence" if g is None else g.data for g in found)]

    x, upstream = np.log([1.0, 3.0]), np.array(16.0)  # p is 1/4, 3/4
    expected = [np.array([4.0, 12.0]), np.array([3.0, -3.0]), np.array(0.25)]
    what = "the gradient, and the derivatives of its first entry by x and by upstream"
    same(second(x, upstream, np.array([1.0, 0.0])), expected, what)
    ### BEGIN HIDDEN TESTS
    for shape in ((4,), (1, 3), (3, 2), (2, 3, 4), (5, 1)):
        for size in (1.0, 30.0, 1e4):
            x, direction = size * rng.normal(size=shape), rng.normal(size=shape)
            upstream = np.asarray(rng.normal(size=shape[:-1]))
            p = np.exp(x - x.max(axis=-1, keepdims=True))
            p /= p.sum(axis=-1, keepdims=True)
            along = (p * direction).sum(axis=-1)
            bend = upstream[..., None] * p * (direction - along[..., None])
            expected = [upstream[..., None] * p, bend, along]
            got = second(x, upstream, direction)
            what = "the gradient, and its derivatives along a direction by x and by upstream"
            same(got, expected, what, rtol=1e-8, atol=1e-10)
            if size == 1.0:
                got = second(*(v.astype("float32") for v in (x, upstream, direction)))
                expected = [np.asarray(v).astype("float32") for v in expected]
                same(got, expected, f"{what}, float32", rtol=1e-3, atol=1e-4)
    ### END HIDDEN TESTS


# %% tests="log_sum_exp" behaviour="by_hand" points=1
@autograder.test
def _(rng):
    "It gets by without `cr.logsumexp`, `cr.softmax` and `cr.log_softmax`."

    @beside
    def value(x):
        import chainrule as cr

        return LogSumExp.apply(cr.tensor(x)).data

    same(value(np.log([1.0, 3.0])), np.array(math.log(4.0)), "the value for log 1, log 3")
    ### BEGIN HIDDEN TESTS

    @beside
    def called(x):
        import chainrule as cr
        from chainrule.tape import TRACE

        names = []

        class Log:
            def record(self, op, *rest):
                names.append(op.name)

            def __getattr__(self, name):
                return lambda *rest: None

        leaf = cr.tensor(x, requires_grad=True)
        TRACE.append(Log())
        try:
            out = LogSumExp.apply(leaf)
            out.sum().backward()
        finally:
            TRACE.pop()
        forbidden = {"logsumexp", "softmax", "log_softmax", "_class_losses"}
        return out.data, sorted(set(names) & forbidden)

    x = rng.normal(size=(2, 3))
    expected = np.log(np.exp(x).sum(axis=1)), []
    same(called(x), expected, "the value, and the forbidden operations that were used")
    ### END HIDDEN TESTS


# %% [markdown]
# This second derivative, the Hessian of log-sum-exp, is known: a matrix with p on its diagonal,
# minus p times p transposed. Let the library find it from your backward, row by row, and compare
# (times 36, to have whole numbers):

# %%
z = cr.tensor(np.log([1.0, 2.0, 3.0]), requires_grad=True)
(p,) = cr.grad(LogSumExp.apply(z), z, create_graph=True)
rows = [cr.grad(p, z, cr.tensor(row), retain_graph=True)[0].data for row in np.eye(3)]
print(np.round(36 * np.array(rows), 12))
print(np.round(36 * (np.diag(p.data) - np.outer(p.data, p.data)), 12))

# %% [markdown]
# ## A loss as one node
#
# Lesson 01 had a loss and its gradient in one NumPy function. A Function is the place where
# such a pair belongs. Two things are new: the upstream gradient, because nobody knows what will be
# done with the loss, and the labels, which are no numbers to be differentiated.

# %% [markdown] prompt="cross_entropy"
# ### Exercise 6: softmax cross-entropy
#
# Write the Function `CrossEntropy`. `CrossEntropy.apply(logits, labels)` takes `logits` (N, C) and
# a tensor `labels` of N integers from 0 to C − 1, of any integer dtype. Its output is the *mean*
# over the rows of −log p[label], where p is the softmax of the row: a tensor without axes, in the
# dtype of `logits`. One node, called `CrossEntropy`, is recorded.
#
# * `backward(ctx, upstream)` returns a pair: the gradient of `logits`, for any upstream number, and
#   `None` for `labels`. It may run twice (`retain_graph=True`), and is right both times.
# * Value and gradient are right for logits up to ±10,000 in any mixture, in float32 and float64,
#   without NaN and without a warning of NumPy's (float32: to 1e-5, or 1e-4 of the loss, also where
#   a small loss comes from large logits). Labels may repeat.
# * `logits`, `labels` and the upstream gradient are unchanged. (Second derivatives are not asked
#   for, so NumPy may be used throughout; return tensors.)
#
# `cr.cross_entropy`, `cr.softmax`, `cr.log_softmax` and `cr.logsumexp` are not used; NumPy and
# everything else of `chainrule` may be, and your `LogSumExp`.

# %% [markdown] hint="cross_entropy"
# The loss of a row is log Σ exp(z) − z[label], with z the logits minus the largest of the row: do
# not put it back before you subtract, or a small loss drowns in two large numbers. Its gradient is
# p, with 1 taken off at the label. The mean divides both by N, and backward multiplies by upstream.

# %% [markdown] hint="cross_entropy"
# One row, logits log 1, log 2, log 3, log 4, label 0, upstream 10:
#
# | | class 0 | class 1 | class 2 | class 3 |
# |---|---|---|---|---|
# | p | 0.1 | 0.2 | 0.3 | 0.4 |
# | p minus the label's row | −0.9 | 0.2 | 0.3 | 0.4 |
# | gradient | −9 | 2 | 3 | 4 |

# %% [markdown] hint="cross_entropy"
# ```python
# def forward(ctx, logits, labels):
#     z, rows = logits.data, np.arange(len(labels))
#     shifted = z - ...
#     total = np.exp(shifted).sum(axis=1)
#     ctx.save_for_backward(logits, labels)
#     return cr.tensor(...)
#
#
# def backward(ctx, upstream):
#     logits, labels = ctx.saved_tensors
#     grad = ...                          # the softmax again, a new array
#     grad[..., labels.data] -= ...
#     return cr.tensor(...), None
# ```


# %% exercise="cross_entropy" minutes=20 difficulty=3 importance=4 allow="numpy chainrule"
class CrossEntropy(cr.Function):
    """The mean over the rows of -log softmax(logits)[label], as one node."""

    @staticmethod
    def forward(ctx, logits, labels):
        ### BEGIN SOLUTION
        shifted = logits.data - logits.data.max(axis=1, keepdims=True)
        total = np.exp(shifted).sum(axis=1, keepdims=True)
        ctx.rows = np.arange(len(shifted)), labels.data
        ctx.softmax = np.exp(shifted) / total
        return cr.tensor((np.log(total[:, 0]) - shifted[ctx.rows]).mean())
        ### END SOLUTION

    @staticmethod
    def backward(ctx, upstream):
        ### BEGIN SOLUTION
        grad = ctx.softmax.copy()
        grad[ctx.rows] -= 1
        return upstream * grad / len(grad), None
        ### END SOLUTION


# %% tests="cross_entropy" behaviour="value" points=1
@autograder.test
def _(rng):
    "The output is the mean of −log p[label], without axes, in the dtype of `logits`; one node."

    @beside
    def run(logits, labels):
        import chainrule as cr

        leaf = cr.tensor(logits, requires_grad=True)
        out = CrossEntropy.apply(leaf, cr.tensor(labels))
        node = out.grad_fn
        made = "nothing" if node is None else node.op.name
        ends = [] if node is None else [parent is leaf for parent in node.parents]
        return out.data, str(out.dtype), made, ends

    row = np.log([[1.0, 2.0, 3.0, 4.0]])
    expected = np.array(-math.log(0.1)), "float64", "CrossEntropy", [True]
    what = "the output, its dtype, which node made it, and that this node leads to the logits"
    same(run(row, np.array([0])), expected, what)
    ### BEGIN HIDDEN TESTS
    for n, c in ((1, 2), (1, 7), (6, 3), (3, 6), (4, 4), (90, 10), (300, 3), (300, 3)):
        logits, labels = 3.0 * rng.normal(size=(n, c)), rng.integers(c, size=n)
        p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        loss = np.array(np.mean([-math.log(p[i, labels[i]]) for i in range(n)]))
        same(run(logits, labels), (loss, "float64", "CrossEntropy", [True]), what)
        got = run(logits.astype("float32"), labels.astype(rng.choice(["int32", "int8", "uint8"])))
        expected = loss.astype("float32"), "float32", "CrossEntropy", [True]
        same(got, expected, what, rtol=1e-4, atol=1e-5)

    @beside
    def of_views(a, k):
        import chainrule as cr

        first = CrossEntropy.apply(cr.Tensor(a.T[::2, ::-1]), cr.Tensor(k[::2]))
        CrossEntropy.apply(cr.Tensor(a.T[1::2, ::-1]), cr.Tensor(k[1::2]))
        return first.data

    a, k = rng.normal(size=(4, 10)), rng.permutation(10) % 4
    z = a.T[::2, ::-1]
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    loss = np.array(-np.log(p[np.arange(5), k[::2]]).mean())
    same(of_views(a, k), loss, "the output for views, after a second call")
    ### END HIDDEN TESTS


# %% tests="cross_entropy" behaviour="gradient" points=2
@autograder.test
def _(rng):
    "The gradient of the logits, for any upstream number, where labels repeat, in a second pass."

    @beside
    def gradient(logits, labels, upstream):
        import chainrule as cr

        leaf = cr.tensor(logits, requires_grad=True)
        out = CrossEntropy.apply(leaf, cr.tensor(labels))
        CrossEntropy.apply(cr.tensor(-logits, requires_grad=True), cr.tensor(0 * labels))
        for _pass in range(2):
            leaf.grad = None
            out.backward(cr.tensor(upstream, dtype=out.dtype), retain_graph=True)
        return getattr(leaf.grad, "data", None)

    row = np.log([[1.0, 2.0, 3.0, 4.0]])
    got = gradient(row, np.array([0]), 10.0)
    same(got, np.array([[-9.0, 2.0, 3.0, 4.0]]), "the gradient of one row, upstream 10")
    got = gradient(np.zeros((2, 2)), np.array([1, 1]), -8.0)
    same(got, np.array([[-2.0, 2.0], [-2.0, 2.0]]), "the gradient of two rows, upstream −8")
    ### BEGIN HIDDEN TESTS

    def value(logits, labels):
        picked = logits[np.arange(len(labels)), labels]
        return np.mean(np.log(np.exp(logits).sum(axis=1)) - picked)

    for n, c in ((1, 2), (1, 7), (6, 3), (3, 6), (4, 4), (30, 3), (150, 2)):
        logits, labels = 2.0 * rng.normal(size=(n, c)), rng.integers(c, size=n)
        labels[-1], upstream = labels[0], float(rng.normal())
        (expected,) = vjp_by_complex_step(lambda z, k=labels: value(z, k), (logits,), upstream)
        same(gradient(logits, labels, upstream), expected, "the gradient of fresh rows")
        got = gradient(logits.astype("float32"), labels, upstream)
        same(got, expected.astype("float32"), "the same in float32", rtol=1e-4, atol=1e-6)

    @beside
    def of_view(a, k, upstream):
        import chainrule as cr

        leaf = cr.tensor(a, requires_grad=True)
        out = CrossEntropy.apply(leaf.T[::2, ::-1], cr.tensor(k))
        CrossEntropy.apply(leaf.T[1::2, ::-1] * 2.0, cr.tensor(k))
        out.backward(cr.tensor(upstream, dtype=out.dtype))
        return leaf.grad.data

    a, k, upstream = rng.normal(size=(4, 10)), rng.integers(4, size=5), rng.normal()
    (grad,) = vjp_by_complex_step(lambda z: value(z, k), (a.T[::2, ::-1],), upstream)
    expected = np.zeros((4, 10))
    expected.T[::2, ::-1] = grad
    same(of_view(a, k, upstream), expected, "the gradient of a view, after a second call")
    ### END HIDDEN TESTS


# %% tests="cross_entropy" behaviour="labels_none" points=1
@autograder.test
def _(rng):
    "`backward` returns a pair, a right gradient of `logits` and None for `labels`."

    @beside
    def pair(logits, labels, upstream):
        import chainrule as cr
        from chainrule.function import Context

        ctx = Context((True, False))
        with cr.no_grad():
            CrossEntropy.forward(ctx, cr.tensor(logits), cr.tensor(labels))
            found = CrossEntropy.backward(ctx, cr.tensor(upstream))
        if not isinstance(found, (tuple, list)):
            return f"a {type(found).__name__} instead of a pair"
        return [g if g is None else np.asarray(g) for g in found]

    expected = [np.array([[2.0, -2.0]]), None]
    same(pair(np.zeros((1, 2)), np.array([1]), np.array(4.0)), expected, "what backward returns")
    ### BEGIN HIDDEN TESTS
    logits, labels, upstream = rng.normal(size=(5, 3)), rng.integers(3, size=5), rng.normal()
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    expected = [upstream * (p - np.eye(3)[labels]) / 5, None]
    same(pair(logits, labels, np.array(upstream)), expected, "what backward returns")
    ### END HIDDEN TESTS


# %% tests="cross_entropy" behaviour="stable" points=2
@autograder.test
def _(rng):
    "Value and gradient are right, without NaN or warnings, for logits up to ±10,000."

    @beside
    def run(logits, labels):
        import warnings

        import chainrule as cr

        leaf = cr.tensor(logits, requires_grad=True)
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always")
            out = CrossEntropy.apply(leaf, cr.tensor(labels))
            out.backward(cr.tensor(2.0, dtype=out.dtype))
        slope = getattr(leaf.grad, "data", None)
        return out.data, slope, sorted({str(warning.message) for warning in heard})

    what = "value, gradient for upstream 2, and warnings"
    got = run(np.array([[1e4, 0.0]]), np.array([1]))
    same(got, (np.array(1e4), np.array([[2.0, -2.0]]), []), what)
    got = run(np.array([[1e4, 1e4], [-1e4, -1e4]]), np.array([0, 1]))
    same(got, (np.array(math.log(2)), np.array([[-0.5, 0.5], [0.5, -0.5]]), []), what)
    ### BEGIN HIDDEN TESTS
    for n, c in ((1, 2), (5, 3), (3, 8), (12, 10), (4, 1)):
        for kind in range(3):
            labels, logits = rng.integers(c, size=n), rng.normal(size=(n, c))
            if kind == 0:
                logits = logits + rng.choice([-1e4, 0.0, 1e4], size=(n, 1))
            elif kind == 1:
                logits = rng.choice([-1e4, 1e4], size=(n, c)) + logits
            else:
                logits[np.arange(n), labels] -= rng.uniform(30, 900, size=n)
            for dtype, rtol in (("float64", 1e-9), ("float32", 1e-4)):
                z = logits.astype(dtype)
                exact = z.astype("float64")
                shifted = exact - exact.max(axis=1, keepdims=True)
                total = np.exp(shifted).sum(axis=1)
                loss = np.mean(np.log(total) - shifted[np.arange(n), labels])
                grad = 2 * (np.exp(shifted) / total[:, None] - np.eye(c)[labels]) / n
                expected = np.array(loss).astype(dtype), grad.astype(dtype), []
                same(run(z, labels), expected, f"{what}, {dtype}", rtol=rtol, atol=rtol / 10)
    for _ in range(12):  # a small loss from large logits: here a difference has few digits left
        z = (rng.choice([-1e4, 8e3]) - rng.integers(1, 40, size=(1, 3)) / 16).astype("float32")
        gaps = np.exp(z.astype("float64") - float(z[0, 0]))
        grad = 2 * (gaps / gaps.sum() - [[1, 0, 0]])
        expected = np.float32(math.log(gaps.sum())), grad.astype("float32"), []
        same(run(z, np.array([0])), expected, f"{what}, float32", rtol=1e-4, atol=1e-5)
    ### END HIDDEN TESTS


# %% tests="cross_entropy" behaviour="inputs_kept" points=1
@autograder.test
def _(rng):
    "Right results without the forbidden operations; `logits`, `labels`, upstream are unchanged."

    @beside
    def after(logits, labels, upstream):
        import chainrule as cr

        leaf, classes = cr.tensor(logits, requires_grad=True), cr.tensor(labels)
        given = cr.tensor(upstream)
        CrossEntropy.apply(leaf, classes).backward(given)
        return getattr(leaf.grad, "data", None), leaf.data, classes.data, given.data

    logits, labels, upstream = np.zeros((2, 2)), np.array([1, 1]), np.array(4.0)
    expected = np.array([[1.0, -1.0], [1.0, -1.0]]), logits, labels, upstream
    what = "the gradient; logits, labels and upstream afterwards"
    same(after(logits, labels, upstream), expected, what)
    ### BEGIN HIDDEN TESTS

    @beside
    def called(logits, labels):
        import chainrule as cr
        from chainrule.tape import TRACE

        names = []

        class Log:
            def record(self, op, *rest):
                names.append(op.name)

            def __getattr__(self, name):
                return lambda *rest: None

        TRACE.append(Log())
        try:
            out = CrossEntropy.apply(cr.tensor(logits, requires_grad=True), cr.tensor(labels))
            out.backward()
        finally:
            TRACE.pop()
        return sorted(set(names) & {"logsumexp", "softmax", "log_softmax", "_class_losses"})

    for n, c in ((1, 4), (30, 5)):
        logits, labels = 3.0 * rng.normal(size=(n, c)), rng.permutation(n) % c
        upstream = np.array(rng.normal())
        p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        expected = upstream * (p - np.eye(c)[labels]) / n, logits, labels, upstream
        got = after(logits, labels, upstream)
        same(got, expected, what)
        same(got[1:], expected[1:], f"{what}, to the last digit", rtol=0, atol=0)
        same(called(logits, labels), [], "the forbidden operations that were used")
    ### END HIDDEN TESTS


# %% [markdown]
# ## Gradients that are no derivatives
#
# `backward` is your promise to the engine. The engine believes it. So you may promise something
# else than the derivative, and people have found good reasons to. The smallest example:
# a function that does nothing, and on the way back lets no entry pass that is larger than 1.


# %%
class ClipGradient(cr.Function):
    @staticmethod
    def forward(ctx, x):
        return x

    @staticmethod
    def backward(ctx, upstream):
        return upstream.clip(-1.0, 1.0)


def thirty_times(x):
    return 30 * ClipGradient.apply(x)


x = cr.tensor(np.array([1.0, 2.0]), requires_grad=True)
thirty_times(x).backward(cr.tensor(np.array([1.0, 0.01])))
print("backward says", x.grad.data, " the slopes are", 30 * np.array([1.0, 0.01]))
print(cr.gradcheck(thirty_times, np.array([1.0, 2.0]), raise_exception=False))

# %% [markdown]
# The checker of lesson 02 objects, and it is right: it moves x and watches `thirty_times`, which
# grows by 30 for each 1. (It sends an upstream gradient of its own, so it speaks of other numbers
# than the line above.) That is the price of such a rule: the tool that finds your mistakes cannot
# tell this one from a mistake. You have to say what you wanted, and check that.
#
# Three famous ones:
#
# * **Clipping** ([Pascanu, Mikolov and Bengio, 2013](https://arxiv.org/abs/1211.5063), clip the
#   norm of the whole gradient): one example with a huge error must not throw the weights away.
# * **Straight-through** ([Bengio, Léonard and Courville, 2013](https://arxiv.org/abs/1308.3432),
#   who credit a lecture by Hinton): a net with weights or units of ±1 has slope 0 everywhere, so
#   nothing would ever learn. Send the gradient through as if the step were the identity.
#   [Courbariaux and others (2016)](https://arxiv.org/abs/1602.02830) send it only where |x| ≤ 1, so
#   that numbers far beyond the step are not pushed further.
# * **Reversal** ([Ganin and Lempitsky, 2015](https://arxiv.org/abs/1409.7495)): a small net tries
#   to guess from your features where an example came from. Turn its gradient around, and the
#   features learn to hide it.

# %% [markdown] prompt="surrogates"
# ### Exercise 7: straight-through and reversal
#
# Write two Functions, for `x` of any shape.
#
# * `Binarize.apply(x)` is 1 where x ≥ 0 (at −0.0 too), −1 elsewhere, in the dtype of `x`, float32
#   or float64. Backward: the upstream gradient where −1 ≤ x ≤ 1, ends included, and 0 elsewhere,
#   beginning with the very next number beyond an end.
# * `Reverse.apply(x, strength)` has the value of `x`. Backward: upstream times −`strength`, a
#   Python number; `backward` returns a pair, with `None` for `strength`.
#
# Any upstream gradient may come; it and `x` are unchanged. Each records one node, of its name.
# Allowed are NumPy and all of `chainrule`.

# %% [markdown] hint="surrogates"
# Neither backward is the derivative of its forward. Write down what the task says, not what
# calculus says. What does `Binarize` have to remember for it? What does `Reverse`?

# %% [markdown] hint="surrogates"
# ```
# x          -1.5   -1    -0.2    0     0.7    1     2
# Binarize   -1     -1    -1      1     1      1     1
# upstream   10     20    30     40    50     60    70
# gradient    0     20    30     40    50     60     0
# ```

# %% [markdown] hint="surrogates"
# ```python
# # Binarize
# ctx.save_for_backward(x)
# return cr.where(...).astype(x.dtype)
# ...
# return upstream * (...)
#
# # Reverse
# ctx.strength = ...
# return x
# ...
# return ..., None
# ```


# %% exercise="surrogates" minutes=15 difficulty=2 importance=3 allow="numpy chainrule"
class Binarize(cr.Function):  # 1 where x >= 0, else -1; straight through where |x| <= 1
    @staticmethod
    def forward(ctx, x):
        ### BEGIN SOLUTION
        ctx.save_for_backward(x)
        return cr.where(x >= 0, 1.0, -1.0).astype(x.dtype)
        ### END SOLUTION

    @staticmethod
    def backward(ctx, upstream):
        ### BEGIN SOLUTION
        (x,) = ctx.saved_tensors
        return upstream * (cr.absolute(x) <= 1)
        ### END SOLUTION


class Reverse(cr.Function):  # x forward; upstream times -strength backward
    @staticmethod
    def forward(ctx, x, strength):
        ### BEGIN SOLUTION
        ctx.strength = strength
        return x
        ### END SOLUTION

    @staticmethod
    def backward(ctx, upstream):
        ### BEGIN SOLUTION
        return -ctx.strength * upstream, None
        ### END SOLUTION


# %% tests="surrogates" behaviour="binarize" points=2
@autograder.test
def _(rng):
    "`Binarize` gives 1 where x ≥ 0 and −1 elsewhere; upstream passes where |x| ≤ 1, ends included."

    @beside
    def run(x, upstream):
        import chainrule as cr

        leaf, given = cr.tensor(x, requires_grad=True), cr.tensor(upstream)
        out = Binarize.apply(leaf)
        Binarize.apply(cr.tensor(2 - x, requires_grad=True))
        made = "nothing" if out.grad_fn is None else out.grad_fn.op.name
        out.backward(given)
        return out.data, getattr(leaf.grad, "data", None), made, leaf.data, given.data

    x = np.array([-1.5, -1.0, -0.2, 0.0, 0.7, 1.0, 2.0])
    upstream = np.array([10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0])
    value = np.array([-1.0, -1.0, -1.0, 1.0, 1.0, 1.0, 1.0])
    expected = value, np.array([0.0, 20.0, 30.0, 40.0, 50.0, 60.0, 0.0]), "Binarize", x, upstream
    what = "value, gradient, which node made it, x and upstream afterwards"
    same(run(x, upstream), expected, what)
    ### BEGIN HIDDEN TESTS
    for shape in ((), (9,), (3, 4), (2, 3, 4), (0,)):
        for scale in (1e-9, 1.0, 3.0, 1e4):
            for dtype in ("float64", "float32"):
                x = (scale * rng.normal(size=shape)).astype(dtype)
                upstream = (rng.normal(size=shape) * 100).astype(dtype)
                value = (2.0 * (x >= 0) - 1).astype(dtype)
                expected = value, upstream * (x**2 <= 1), "Binarize", x, upstream
                same(run(x, upstream), expected, what)
    near = rng.choice([-1, 1], size=9) * 10.0 ** -rng.uniform(3, 6, size=9)
    x, upstream = rng.choice([-1, 1], size=9) * (1 + near), rng.normal(size=9)
    expected = np.sign(x), np.where(near < 0, upstream, 0.0), "Binarize", x, upstream
    same(run(x, upstream), expected, what)
    for dtype in ("float64", "float32"):
        one = np.ones((), dtype)
        ends = [one, np.nextafter(one, 2 * one), np.nextafter(one, 0 * one), np.array(-0.0, dtype)]
        x = np.array([*ends, *(-v for v in ends[:3])])
        inside = np.array([1, 0, 1, 1, 1, 0, 1], dtype)
        expected = np.array([1, 1, 1, 1, -1, -1, -1], dtype), inside, "Binarize", x, np.ones_like(x)
        same(run(x, np.ones_like(x)), expected, f"{what}; the numbers next to ±1, {dtype}")

    @beside
    def of_views(x, upstream):
        import chainrule as cr

        leaf = cr.tensor(x, requires_grad=True)
        out = Binarize.apply(leaf.T[::2, ::-1])
        Binarize.apply(leaf.T[1::2, ::-1])
        out.backward(cr.Tensor(upstream.T))
        return out.data, leaf.grad.data

    x, upstream, expected = rng.normal(size=(3, 6)), rng.normal(size=(3, 3)), np.zeros((3, 6))
    view = x.T[::2, ::-1]
    expected.T[::2, ::-1] = upstream.T * (np.abs(view) <= 1)
    what = "of views, after a second call: value and gradient"
    same(of_views(x, upstream), (np.sign(view), expected), what)
    ### END HIDDEN TESTS


# %% tests="surrogates" behaviour="reverse" points=2
@autograder.test
def _(rng):
    "`Reverse` has the value of x; its gradient is −strength times upstream, for any strength."

    @beside
    def run(x, strength, upstream):
        import chainrule as cr

        leaf, given = cr.tensor(x, requires_grad=True), cr.tensor(upstream)
        out = Reverse.apply(leaf, strength)
        Reverse.apply(leaf, strength + 1)
        made = "nothing" if out.grad_fn is None else out.grad_fn.op.name
        out.backward(given)
        return out.data, getattr(leaf.grad, "data", None), made, leaf.data, given.data

    x, upstream = np.array([3.0, -4.0]), np.array([10.0, 20.0])
    expected = x, np.array([-5.0, -10.0]), "Reverse", x, upstream
    what = "value, gradient, which node made it, x and upstream afterwards"
    same(run(x, 0.5, upstream), expected, what)
    ### BEGIN HIDDEN TESTS
    for shape in ((), (9,), (3, 4), (0,)):
        for strength in (1.0, 0.0, 2, -1.5, 3e5, -4e-7, float(rng.normal())):
            for dtype, rtol in (("float64", 1e-12), ("float32", 1e-6)):
                x, upstream = rng.normal(size=(2, *shape)).astype(dtype) * 30
                grad = (-strength * upstream).astype(dtype)
                expected = x, grad, "Reverse", x, upstream
                same(run(x, strength, upstream), expected, what, rtol=rtol)

    @beside
    def of_views(x, upstream):
        import chainrule as cr

        leaf = cr.tensor(x, requires_grad=True)
        out = Reverse.apply(leaf.T[::2, ::-1], 0.7)
        Reverse.apply(leaf.T[1::2, ::-1], 3.0)
        out.backward(cr.Tensor(upstream.T))
        return out.data, leaf.grad.data

    x, upstream, expected = rng.normal(size=(3, 6)), rng.normal(size=(3, 3)), np.zeros((3, 6))
    view = x.T[::2, ::-1]
    expected.T[::2, ::-1] = -0.7 * upstream.T
    what = "of views, after a second call: value and gradient"
    same(of_views(x, upstream), (view, expected), what)
    ### END HIDDEN TESTS


# %% tests="surrogates" behaviour="strength_none" points=1
@autograder.test
def _(rng):
    "`Reverse.backward` returns a pair: a right gradient of x, and None for `strength`."

    @beside
    def pair(x, strength, upstream):
        import chainrule as cr
        from chainrule.function import Context

        ctx = Context((True, False))
        with cr.no_grad():
            Reverse.forward(ctx, cr.tensor(x), strength)
            found = Reverse.backward(ctx, cr.tensor(upstream))
        if not isinstance(found, (tuple, list)):
            return f"a {type(found).__name__} instead of a pair"
        return [g if g is None else np.asarray(g) for g in found]

    x, upstream = np.array([3.0, -4.0]), np.array([10.0, 20.0])
    same(pair(x, 2.0, upstream), [np.array([-20.0, -40.0]), None], "what backward returns")
    ### BEGIN HIDDEN TESTS
    x, upstream = rng.normal(size=(2, 3))
    same(pair(x, 0.25, upstream), [-0.25 * upstream, None], "what backward returns")
    ### END HIDDEN TESTS


# %% [markdown]
# What can `Binarize` do that calculus cannot? Learn with units that are only ever +1 or −1. Here is
# one such unit, sign(w · x), that shall find which half of the plane is meant. With the true slope,
# 0, it would stay where it is.

# %%
rng = np.random.default_rng(5)
points = cr.tensor(rng.standard_normal((200, 2)))
wanted = cr.tensor(np.where(points.data @ [2.0, -1.0] > 0, 1.0, -1.0))
w = cr.tensor(np.array([-0.5, 0.1]), requires_grad=True)
for step in range(41):
    answers = Binarize.apply(points @ w)
    ((answers - wanted) ** 2).mean().backward()
    if step % 10 == 0:
        print(f"step {step:2}   right {np.mean(answers.data == wanted.data):4.0%}   w {w.data}")
    with cr.no_grad():
        w -= 0.1 * w.grad
        w.grad = None

# %% [markdown] prompt="must_disagree"
# ### Question: must it disagree?
#
# A colleague runs `gradcheck` on `Binarize`, sees it fail, and wants to mend `backward` until it
# passes. Say in two or three sentences what numerical differences find for `Binarize` almost
# everywhere and why, what would become of training with a `backward` that agrees with them, and how
# you would test the straight-through rule instead.

# %% [markdown] written="must_disagree" points=2
# ### BEGIN SOLUTION
# Differences compare the values of forward at two points close together. Binarize is flat on both
# sides of 0, so they find 0 everywhere except where the two points stand on different sides, and
# there something huge, 1/step. A backward that agrees returns 0: every weight below gets the
# gradient 0 and nothing learns. The rule is a choice, not a derivative, so test it against its own
# definition: give a random upstream gradient and compare what comes back with upstream where
# |x| <= 1 and 0 elsewhere (or check it as the derivative of the function it stands for,
# clip(x, -1, 1)).
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# * 1 point: the true slope is 0 almost everywhere (a step function), differences measure the
#   forward, and with 0 nothing below learns. Half if only one of the two.
# * 1 point: a test against the definition of the rule, with an upstream gradient that is not all
#   ones, or against the derivative of clip(x, −1, 1). Not "compare with PyTorch" alone.
# ### END MARK SCHEME

# %% [markdown]
# ## The same in PyTorch
#
# Everything so far had PyTorch's names, so little is new. A `torch.autograd.Function` has the same
# two static methods, the same `ctx`, the same `apply`. The checker is `torch.autograd.gradcheck`;
# it wants float64, and raises an error that shows both gradients if they differ.

# %% given="pytorch"
HOW = "is not installed here. `make lab`, without LIGHT=1, adds it; all the rest works without."


class Missing:  # stands in for a framework that is not there, and says so when it is used
    def __init__(self, name):
        self.name = name

    def __bool__(self):
        return False

    def __getattr__(self, attribute):
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        raise ImportError(f"{self.name} {HOW}")


try:
    import torch
except ImportError:
    torch = Missing("PyTorch")
    print("PyTorch", HOW)

# %% [markdown] prompt="torch_sigmoid"
# ### Exercise 8: Sigmoid in PyTorch
#
# (In an installation without PyTorch leave this exercise out. The cell above, and the checks, say
# how to add it.)
#
# Write the `torch.autograd.Function` `TorchSigmoid`, for tensors of any shape, float32 or float64.
#
# * Value and gradient, for any upstream gradient, as in exercise 3, with its accuracy: the value to
#   a relative 1e-9 (float32: 1e-5), the gradient for negative `x` too; no NaN between −1000 and
#   1000, and at these two ends exactly 0 or 1, slopes exactly 0. The dtype is kept.
# * The four rules hold here too: `x` and upstream may be views (after `.sum()`, upstream is one
#   number expanded), and calls do not get in each other's way.
# * `torch.autograd.gradcheck` and, for the second derivative, `gradgradcheck` pass.
# * One node is recorded, `TorchSigmoidBackward`. `forward` saves the output itself, no copy, and
#   keeps no other tensor on `ctx`. `x` and the upstream gradient are unchanged.
#
# Allowed are NumPy and PyTorch, but not its own sigmoid (`torch.sigmoid`, `torch.special.expit`,
# `F.logsigmoid`, `F.softplus`, `F.silu`, `F.glu` and their like), so that the work is yours.

# %% [markdown] hint="torch_sigmoid"
# Take your `Sigmoid` and change `cr` to `torch`. What else must change?

# %% [markdown] hint="torch_sigmoid"
# | chainrule | PyTorch |
# |---|---|
# | `cr.Function` | `torch.autograd.Function` |
# | `cr.exp`, `cr.absolute` | `torch.exp`, `torch.abs` |
# | `cr.where(mask, 1.0, e)` | the same; of two tensors, or a tensor and a number |
# | `ctx.save_for_backward`, `ctx.saved_tensors` | the same |

# %% [markdown] hint="torch_sigmoid"
# ```python
# def forward(ctx, x):
#     e = torch.exp(...)
#     output = torch.where(..., ..., ...) / (...)
#     ctx.save_for_backward(...)
#     return output
#
#
# def backward(ctx, upstream):
#     (output,) = ...
#     return upstream * ...
# ```


# %% exercise="torch_sigmoid" minutes=10 difficulty=2 importance=4 allow="numpy torch"
class TorchSigmoid(torch.autograd.Function):
    """1 / (1 + exp(-x)), entry by entry, as one node of PyTorch's graph."""

    @staticmethod
    def forward(ctx, x):
        ### BEGIN SOLUTION
        e = torch.exp(-torch.abs(x))
        output = torch.where(x >= 0, 1.0, e) / (1.0 + e)
        ctx.save_for_backward(output)
        return output
        ### END SOLUTION

    @staticmethod
    def backward(ctx, upstream):
        ### BEGIN SOLUTION
        (output,) = ctx.saved_tensors
        return upstream * output * (1.0 - output)
        ### END SOLUTION


# %% tests="torch_sigmoid" behaviour="values_and_gradients" points=2
@autograder.test
def _(rng):
    "Value and gradient are right for any shape and upstream gradient, in float32 and float64."

    @beside
    def run(x, upstream):
        import torch

        leaf, given = torch.tensor(x, requires_grad=True), torch.tensor(upstream)
        out = TorchSigmoid.apply(leaf)
        if out is None:
            return out
        out.backward(given.to(out.dtype))
        return [t.detach().numpy() for t in (out, leaf.grad, leaf, given)]

    x, upstream = np.array([-math.log(3.0), 0.0, math.log(4.0)]), np.array([16.0, -4.0, 25.0])
    expected = [np.array([0.25, 0.5, 0.8]), np.array([3.0, -1.0, 4.0]), x, upstream]
    what = "value, gradient, x and upstream afterwards"
    same(run(x, upstream), expected, what)
    tiny, one = np.array([-40.0]), np.array([1.0])
    expected = [np.array([4.248354255291589e-18])] * 2 + [tiny, one]
    same(run(tiny, one), expected, f"{what}, at −40", atol=0)
    ### BEGIN HIDDEN TESTS
    for shape in ((), (1,), (9,), (3, 4), (2, 3, 4), (0,)):
        for scale in (1e-3, 1.0, 5.0):
            x, upstream = scale * rng.normal(size=shape), rng.normal(size=shape)
            y = 1 / (1 + np.exp(-x))
            expected = [y, upstream * (y - y**2), x, upstream]
            same(run(x, upstream), [np.asarray(part) for part in expected], what)
            x, upstream = x.astype("float32"), upstream.astype("float32")
            expected = [np.asarray(part).astype("float32") for part in expected]
            same(run(x, upstream), expected, f"{what}, float32", rtol=1e-4, atol=1e-6)
    x, upstream = -rng.uniform(0, 690, size=40), np.ones(40)
    e = np.exp(x)
    got = run(x, upstream)[:2]
    same(got, [e / (1 + e), e / (1 + e) ** 2], "value and gradient far on the left", atol=0)

    @beside
    def of_views(x, upstream):
        import torch

        leaf = torch.tensor(x, requires_grad=True)
        first = TorchSigmoid.apply(leaf.T[::2])
        second = TorchSigmoid.apply(leaf.T[1::2])
        (grad,) = torch.autograd.grad(first, leaf, torch.tensor(upstream).T)
        (summed,) = torch.autograd.grad(second.sum(), leaf)
        return [t.detach().numpy() for t in (first, grad, second, summed)]

    x, upstream = rng.normal(size=(3, 6)), rng.normal(size=(3, 3))
    y = 1 / (1 + np.exp(-x.T))
    grad, summed = np.zeros((2, 3, 6))
    grad.T[::2] = upstream.T * (y - y**2)[::2]
    summed.T[1::2] = (y - y**2)[1::2]
    what = "value and gradient of a view, and of a second one, summed"
    same(of_views(x, upstream), [y[::2], grad, y[1::2], summed], what)
    ### END HIDDEN TESTS


# %% tests="torch_sigmoid" behaviour="gradcheck" points=2
@autograder.test
def _(rng):
    "`torch.autograd.gradcheck` and `gradgradcheck` pass."

    @beside
    def checked(x):
        import torch

        leaf = torch.tensor(x, requires_grad=True)
        value = TorchSigmoid.apply(leaf)
        if value is None:
            return value
        first = torch.autograd.gradcheck(TorchSigmoid.apply, (leaf,))
        second = torch.autograd.gradgradcheck(TorchSigmoid.apply, (leaf,))
        return value.detach().numpy(), first, second

    x = np.array([-2.0, 0.0, 0.5, 3.0])
    expected = 1 / (1 + np.exp(-x)), True, True
    same(checked(x), expected, "the value, and what gradcheck and gradgradcheck say")
    ### BEGIN HIDDEN TESTS
    for shape in ((5,), (2, 3), ()):
        x = np.asarray(2 * rng.normal(size=shape))
        expected = np.asarray(1 / (1 + np.exp(-x))), True, True
        same(checked(x), expected, "the value, and what gradcheck and gradgradcheck say")
    ### END HIDDEN TESTS


# %% tests="torch_sigmoid" behaviour="stable" points=1
@autograder.test
def _(rng):
    "From −1000 to 1000 there is no NaN, forward or backward, in float32 and float64."

    @beside
    def run(x, upstream):
        import torch

        leaf = torch.tensor(x, requires_grad=True)
        out = TorchSigmoid.apply(leaf)
        if out is None:
            return out
        out.backward(torch.tensor(upstream).to(out.dtype))
        return [out.detach().numpy(), leaf.grad.numpy()]

    x, upstream = np.array([-1000.0, 0.0, 1000.0]), np.array([5.0, 6.0, 7.0])
    expected = [np.array([0.0, 0.5, 1.0]), np.array([0.0, 1.5, 0.0])]
    same(run(x, upstream), expected, "value and gradient at −1000, 0, 1000")
    ### BEGIN HIDDEN TESTS
    for dtype, rtol, atol in (("float64", 1e-9, 1e-12), ("float32", 1e-5, 1e-6)):
        edges = np.array([1000.0, 746.0, 710.0, 373.0, 104.0, 89.0, 45.0, 0.0])
        for x in (edges, -edges, rng.uniform(-1000, 1000, size=60)):
            x, upstream = x.astype(dtype), rng.normal(size=x.shape).astype(dtype)
            e = np.exp(-np.abs(x.astype("float64")))
            value, slope = np.where(x >= 0, 1.0, e) / (1 + e), upstream * e / (1 + e) ** 2
            expected = [value.astype(dtype), slope.astype(dtype)]
            same(run(x, upstream), expected, f"value, gradient, {dtype}", rtol=rtol, atol=atol)
    for dtype in ("float64", "float32"):
        ends, upstream = np.array([-1000.0, 1000.0]).astype(dtype), np.ones(2).astype(dtype)
        expected = [(ends + 1000) / 2000, 0 * ends]
        same(run(ends, upstream), expected, f"the same at −1000, 1000, {dtype}", rtol=0, atol=0)
    ### END HIDDEN TESTS


# %% tests="torch_sigmoid" behaviour="one_node" points=1
@autograder.test
def _(rng):
    "One node is recorded; it saves the output alone; PyTorch's own sigmoid is not called."

    @beside
    def graph(x):
        import torch

        out = TorchSigmoid.apply(torch.tensor(x, requires_grad=True))
        if out is None or out.grad_fn is None:
            return "no node was recorded"
        node = out.grad_fn
        ends = [type(parent).__name__ for parent, _place in node.next_functions]
        saved = ["the output" if t.grad_fn is node else "another" for t in node.saved_tensors]
        kept = sorted(name for name, v in vars(node).items() if isinstance(v, torch.Tensor))
        return out.detach().numpy(), type(node).__name__, ends, saved, kept

    what = "the output, its node, what that leads to, what it saved, other tensors on ctx"
    expected = "TorchSigmoidBackward", ["AccumulateGrad"], ["the output"], []
    same(graph(np.array([0.0])), (np.array([0.5]), *expected), what)
    ### BEGIN HIDDEN TESTS

    @beside
    def called(x):
        import torch
        from torch.utils._python_dispatch import TorchDispatchMode

        names = []

        class Log(TorchDispatchMode):
            def __torch_dispatch__(self, function, types, args=(), kwargs=None):
                names.append(str(function).split(".")[1])
                return function(*args, **(kwargs or {}))

        with Log():
            TorchSigmoid.apply(torch.tensor(x, requires_grad=True)).sum().backward()
        own = ("sigmoid", "softplus", "silu", "glu", "mish")
        return sorted({n for n in names if any(part in n for part in own)})

    x = rng.normal(size=(2, 3))
    same(graph(x), (1 / (1 + np.exp(-x)), *expected), what)
    same(called(x), [], "PyTorch's own operations that were not to be used")
    ### END HIDDEN TESTS


# %% [markdown]
# ## The same in TensorFlow
#
# TensorFlow has the same idea in another form. There is no class and no `ctx`. A function decorated
# with `tf.custom_gradient` returns two things: its value, and a function that takes the upstream
# gradient and returns the gradient of each argument. What `ctx` was for, Python does by itself: the
# inner function remembers the variables of the outer one.
#
# ```python
# @tf.custom_gradient
# def square(x):
#     def backward(upstream):
#         return 2 * x * upstream          # x is remembered, as if saved
#
#     return x * x, backward
# ```
#
# The example in its documentation is the question of this lesson: log(1 + exp(x)), whose gradient
# "evaluated at x=100 is NaN" if TensorFlow differentiates it operation by operation.
# (TensorFlow says a few lines about your machine when it is imported.)

# %% given="tensorflow"
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
try:
    import tensorflow as tf
except ImportError:
    tf = Missing("TensorFlow")
    print("TensorFlow", HOW)

# %% [markdown] prompt="tf_sigmoid"
# ### Exercise 9: Sigmoid and clipping in TensorFlow
#
# (In an installation without TensorFlow leave this exercise out, as the one before.)
#
# Write two functions with `tf.custom_gradient`, for tensors of any shape, float32 or float64.
#
# * `tf_sigmoid(x)`: value and gradient, for any upstream gradient, as in exercise 3, with its
#   accuracy: the value to a relative 1e-9 (float32: 1e-5), the gradient for negative `x` too; no
#   NaN between −1000 and 1000, and at these two ends exactly 0 or 1, slopes exactly 0. The dtype
#   is kept, and calls do not get in each other's way.
# * `tf_clip(x)`: the value of `x`; backward, each entry of the upstream gradient is cut to between
#   −1 and 1, as `ClipGradient` did above.
#
# Both give the same values and gradients in a `tf.function`, where the checks also look whether a
# custom gradient is recorded. Allowed are NumPy and TensorFlow, but not its own sigmoid, forward or
# backward (`tf.sigmoid`, `tf.nn.sigmoid`, `tf.nn.softplus`, `tf.nn.silu`,
# `tf.raw_ops.SigmoidGrad` and their like).

# %% [markdown] hint="tf_sigmoid"
# The value is computed once, outside of the inner function, and the inner function uses it. That is
# "saving the output".

# %% [markdown] hint="tf_sigmoid"
# ```
#             ┌── value ──────────────► to whoever called tf_sigmoid(x)
# return  ────┤
#             └── backward(upstream) ──► kept by the tape, called on the way back
# ```
#
# `tf.where(mask, a, b)` chooses, `tf.clip_by_value(g, low, high)` cuts, and `tf.identity(x)` is a
# tensor with the value of x.

# %% [markdown] hint="tf_sigmoid"
# ```python
# def tf_sigmoid(x):
#     e = tf.exp(...)
#     output = tf.where(..., tf.ones_like(e), ...) / (...)
#
#     def backward(upstream):
#         return ...
#
#     return ..., ...
# ```


# %% exercise="tf_sigmoid" minutes=15 difficulty=3 importance=3 allow="numpy tensorflow"
@tf.custom_gradient
def tf_sigmoid(x):
    """Return 1 / (1 + exp(-x)), entry by entry, and its gradient function."""
    ### BEGIN SOLUTION
    e = tf.exp(-tf.abs(x))
    output = tf.where(x >= 0, tf.ones_like(e), e) / (1 + e)

    def backward(upstream):
        return upstream * output * (1 - output)

    return output, backward
    ### END SOLUTION


@tf.custom_gradient
def tf_clip(x):
    """Return x, and a gradient function that cuts upstream to between -1 and 1."""
    ### BEGIN SOLUTION
    return tf.identity(x), lambda upstream: tf.clip_by_value(upstream, -1.0, 1.0)
    ### END SOLUTION


# %% tests="tf_sigmoid" behaviour="sigmoid" points=2
@autograder.test
def _(rng):
    "`tf_sigmoid`: value and gradient are right for any shape and upstream gradient, both dtypes."

    @beside
    def run(x, upstream):
        import tensorflow as tf

        leaf = tf.constant(x)
        with tf.GradientTape() as tape:
            tape.watch(leaf)
            out = tf_sigmoid(leaf)
        grad = tape.gradient(out, leaf, output_gradients=tf.constant(upstream))
        return out.numpy(), None if grad is None else grad.numpy()

    x, upstream = np.array([-math.log(3.0), 0.0, math.log(4.0)]), np.array([16.0, -4.0, 25.0])
    expected = np.array([0.25, 0.5, 0.8]), np.array([3.0, -1.0, 4.0])
    same(run(x, upstream), expected, "value and gradient where σ is 1/4, 1/2, 4/5")
    tiny = np.array([4.248354255291589e-18])
    same(run(np.array([-40.0]), np.array([1.0])), (tiny, tiny), "both at −40", atol=0)
    ### BEGIN HIDDEN TESTS
    for shape in ((), (1,), (9,), (3, 4), (2, 3, 4), (0,)):
        for scale in (1e-3, 5.0):
            x, upstream = np.asarray(scale * rng.normal(size=shape)), rng.normal(size=shape)
            y = 1 / (1 + np.exp(-x))
            expected = np.asarray(y), np.asarray(upstream * (y - y**2))
            same(run(x, np.asarray(upstream)), expected, "value and gradient")
            case = x.astype("float32"), np.asarray(upstream).astype("float32")
            expected = tuple(part.astype("float32") for part in expected)
            same(run(*case), expected, "value, gradient in float32", rtol=1e-4, atol=1e-6)
    x = -rng.uniform(0, 690, size=40)
    expected = np.exp(x) / (1 + np.exp(x)), x * np.exp(x) / (1 + np.exp(x)) ** 2
    same(run(x, x), expected, "value and gradient far on the left", atol=0)

    @beside
    def first_of_two(x, other, upstream):
        import tensorflow as tf

        leaf = tf.constant(x)
        with tf.GradientTape() as tape:
            tape.watch(leaf)
            out = tf_sigmoid(leaf)
            tf_sigmoid(tf.constant(other))
        return out.numpy(), tape.gradient(out, leaf, tf.constant(upstream)).numpy()

    x, other, upstream = rng.normal(size=(3, 4))
    y = 1 / (1 + np.exp(-x))
    expected = y, upstream * (y - y**2)
    same(first_of_two(x, other, upstream), expected, "value and gradient of the first of two calls")
    ### END HIDDEN TESTS


# %% tests="tf_sigmoid" behaviour="stable" points=1
@autograder.test
def _(rng):
    "`tf_sigmoid`: no NaN from −1000 to 1000, forward or backward, in float32 and float64."

    @beside
    def run(x, upstream):
        import tensorflow as tf

        leaf = tf.constant(x)
        with tf.GradientTape() as tape:
            tape.watch(leaf)
            out = tf_sigmoid(leaf)
        grad = tape.gradient(out, leaf, output_gradients=tf.constant(upstream))
        return out.numpy(), None if grad is None else grad.numpy()

    x, upstream = np.array([-1000.0, 0.0, 1000.0]), np.array([5.0, 6.0, 7.0])
    expected = np.array([0.0, 0.5, 1.0]), np.array([0.0, 1.5, 0.0])
    same(run(x, upstream), expected, "value and gradient at −1000, 0, 1000")
    ### BEGIN HIDDEN TESTS
    for dtype, rtol, atol in (("float64", 1e-9, 1e-12), ("float32", 1e-5, 1e-6)):
        edges = np.array([1000.0, 746.0, 710.0, 373.0, 104.0, 89.0, 45.0, 0.0])
        for x in (edges, -edges, rng.uniform(-1000, 1000, size=60)):
            x, upstream = x.astype(dtype), rng.normal(size=x.shape).astype(dtype)
            e = np.exp(-np.abs(x.astype("float64")))
            value, slope = np.where(x >= 0, 1.0, e) / (1 + e), upstream * e / (1 + e) ** 2
            expected = value.astype(dtype), slope.astype(dtype)
            same(run(x, upstream), expected, f"value, gradient, {dtype}", rtol=rtol, atol=atol)
    for dtype in ("float64", "float32"):
        ends, upstream = np.array([-1000.0, 1000.0]).astype(dtype), np.ones(2).astype(dtype)
        expected = (ends + 1000) / 2000, 0 * ends
        same(run(ends, upstream), expected, f"the same at −1000, 1000, {dtype}", rtol=0, atol=0)
    ### END HIDDEN TESTS


# %% tests="tf_sigmoid" behaviour="clip" points=2
@autograder.test
def _(rng):
    "`tf_clip`: the value of x; each entry of the upstream gradient is cut to between −1 and 1."

    @beside
    def run(x, upstream):
        import tensorflow as tf

        leaf = tf.constant(x)
        with tf.GradientTape() as tape:
            tape.watch(leaf)
            out = tf_clip(leaf)
        grad = tape.gradient(out, leaf, output_gradients=tf.constant(upstream))
        return out.numpy(), None if grad is None else grad.numpy()

    x, upstream = np.array([5.0, -6.0, 7.0]), np.array([0.25, -30.0, 2.0])
    same(run(x, upstream), (x, np.array([0.25, -1.0, 1.0])), "value and gradient")
    ### BEGIN HIDDEN TESTS
    for shape in ((), (9,), (3, 4), (0,)):
        for scale in (0.1, 1.0, 1e4):
            for dtype in ("float64", "float32"):
                x = np.asarray(rng.normal(size=shape) * 50).astype(dtype)
                upstream = np.asarray(scale * rng.normal(size=shape)).astype(dtype)
                same(run(x, upstream), (x, np.clip(upstream, -1, 1)), "value and gradient")
    upstream = rng.choice([-1, 1], size=40) * (1 + rng.choice([-1, 1], size=40) * 1e-8)
    expected = upstream, np.clip(upstream, -1, 1)
    same(run(upstream, upstream), expected, "value and gradient, upstream near ±1")
    ### END HIDDEN TESTS


# %% tests="tf_sigmoid" behaviour="recorded" points=1
@autograder.test
def _(rng):
    "In a `tf.function` both are right, as custom gradients and without TensorFlow's own sigmoid."

    @beside
    def operations(length):
        import tensorflow as tf

        found = []
        for function in (tf_sigmoid, tf_clip):
            traced = tf.function(function, autograph=False)
            graph = traced.get_concrete_function(tf.TensorSpec([length], tf.float32)).graph
            nodes = [op for op in graph.get_operations() if op.type == "IdentityN"]
            kinds = {op.get_attr("_gradient_op_type").split(b"-")[0].decode() for op in nodes}
            own = {"Sigmoid", "Softplus", "SigmoidGrad", "SoftplusGrad"}
            found.append([sorted(kinds), sorted(own & {op.type for op in graph.get_operations()})])
        return found

    what = "for each function, the gradients that were recorded and forbidden operations"
    same(operations(3), [[["CustomGradient"], []]] * 2, what)
    ### BEGIN HIDDEN TESTS
    same(operations(int(rng.integers(4, 9))), [[["CustomGradient"], []]] * 2, what)

    @beside
    def traced(name, x, upstream):
        import tensorflow as tf

        @tf.function(autograph=False)
        def both(leaf, given):
            with tf.GradientTape() as tape:
                tape.watch(leaf)
                out = (tf_sigmoid if name == "tf_sigmoid" else tf_clip)(leaf)
            return out, tape.gradient(out, leaf, output_gradients=given)

        case = tf.constant(x), tf.constant(upstream)
        whole = both.get_concrete_function(*case).graph.as_graph_def()
        inner = [node for function in whole.library.function for node in function.node_def]
        own = {"Sigmoid", "Softplus", "SigmoidGrad", "SoftplusGrad"}
        used = sorted(own & {node.op for node in [*whole.node, *inner]})
        return *(part.numpy() for part in both(*case)), used

    x, upstream = rng.normal(size=(2, 6)) * 2
    y = 1 / (1 + np.exp(-x))
    what = "in a tf.function: value, gradient, and forbidden operations of both"
    same(traced("tf_sigmoid", x, upstream), (y, upstream * (y - y**2), []), what)
    same(traced("tf_clip", x, upstream), (x, np.clip(upstream, -1, 1), []), what)
    ### END HIDDEN TESTS


# %% [markdown]
# Three frameworks, one function, the same upstream gradient. Equal?

# %%
numbers = np.array([-1000.0, -40.0, -1.0, 0.0, 0.5, 1000.0])
upstream = np.array([1.0, -2.0, 3.0, 4.0, -5.0, 6.0])
columns = {}
x = cr.tensor(numbers, requires_grad=True)
y = Sigmoid.apply(x)
y.backward(cr.tensor(upstream))
columns["chainrule"] = y.data, x.grad.data
if torch:
    x = torch.tensor(numbers, requires_grad=True)
    y = TorchSigmoid.apply(x)
    y.backward(torch.tensor(upstream))
    columns["PyTorch"] = y.detach().numpy(), x.grad.numpy()
if tf:
    x = tf.constant(numbers)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf_sigmoid(x)
    grad = tape.gradient(y, x, output_gradients=tf.constant(upstream))
    columns["TensorFlow"] = y.numpy(), grad.numpy()
for part, what in enumerate(("values", "gradients")):
    print(what)
    for name, column in columns.items():
        print(f"  {name:10}", "  ".join(f"{v:.15g}" for v in column[part]))

# %% [markdown]
# ## What it bought, what it cost
#
# | one node of your own | |
# |---|---|
# | stable | the whole formula is in one place, and can be simplified |
# | less memory | the sigmoid keeps one array, its output; the composite kept three |
# | less overhead | one node instead of four to make, to visit, to free |
# | anything can be a node | a gradient that is no derivative; a call into C, CUDA, a simulator |
# | **but** nobody checks your rule | so *you* do: random upstream, `gradcheck`, extreme numbers |
# | **but** the engine cannot look inside | a second derivative only if `backward` provides for it |
# | **but** it is yours to maintain | a composite gets every improvement of the engine for free |

# %% [markdown] prompt="when_to_fuse"
# ### Question: should everything be one node?
#
# A colleague wants to write the whole two-layer net, loss included, as one Function, "because one
# node is faster and more stable". Name one thing she wins and two that she loses. Then give a rule
# of thumb: when is a group of operations worth a node of its own?

# %% [markdown] written="when_to_fuse" points=2
# ### BEGIN SOLUTION
# She wins the overhead of a few nodes and freedom over what is saved (she could keep less memory by
# recomputing). She loses the reason for a framework: every change of the net is again a derivation
# by hand, as in lesson 01, and nobody checks it; parts can no longer be reused or exchanged, and
# hooks, printing of intermediate gradients and second derivatives inside are gone. For a net this
# size stability is no gain, because matrix products and ReLUs are stable as they are. Worth a node:
# a group that is used often, whose formula simplifies when seen whole (exp and log that undo each
# other, factors that over- and underflow), or that saves much memory or many small kernels; and
# what is no composition of known operations at all.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# * 1 point: one real gain (fewer nodes, less saved, freedom to recompute) and two real losses
#   (rules by hand and unchecked, no reuse or exchange of layers, nothing to inspect inside, second
#   derivatives).
# * 1 point: a rule of thumb that names at least one of: numerical trouble in the composite,
#   measured cost in time or memory, an operation or gradient that the framework does not have.
# ### END MARK SCHEME

# %% [markdown]
# ## What history did with it
#
# * **Before**, a new operation meant a new layer. Torch7 (2011) asked for `updateOutput` and
#   `updateGradInput` in Lua, Caffe (2013) for `Forward_cpu` and `Backward_cpu` in C++, and the GPU
#   versions beside them. Theano (2010) had `Op.grad`, which returns the gradient as a graph of
#   Theano's own.
# * **PyTorch**'s first releases (January 2017) had Functions with state: one object for each call,
#   `self.save_for_backward`, and whoever called one object twice mixed up two calls. Version 0.2
#   (August 2017) moved the state into a `ctx` and made both methods static ([pull request
#   1016](https://github.com/pytorch/pytorch/pull/1016), March 2017), so that `backward` could
#   itself be differentiated. Since 1.5 (2020) the old form raises an error. The check that a call
#   keeps its own numbers, in exercise 1, is about that.
# * **TensorFlow** had `tf.RegisterGradient` for kernels from the start, and got
#   `tf.custom_gradient` in version 1.7 (2018).
# * **Log-sum-exp** with the maximum taken out is older than all of them. That it is also
#   *accurate*, and where not, was shown by [Blanchard, Higham and Higham
#   (2021)](https://doi.org/10.1093/imanum/draa038).

# %% [markdown]
# ## Now in PyTorch and TensorFlow
#
# Not graded. First: is the failure of the first cell one of our little library? Ask the composite
# at −1000, 0 and 1000 again.

# %%
numbers = np.array([-1000.0, 0.0, 1000.0], dtype=np.float32)
slopes = {}
if torch:
    for name, f in (("composite", lambda t: 1 / (1 + torch.exp(-t))), ("own", torch.sigmoid)):
        x = torch.tensor(numbers, requires_grad=True)
        f(x).sum().backward()
        slopes["PyTorch", name] = x.grad.numpy()
if tf:
    for name, f in (("composite", lambda t: 1 / (1 + tf.exp(-t))), ("own", tf.sigmoid)):
        x = tf.constant(numbers)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = f(x)
        slopes["TensorFlow", name] = tape.gradient(y, x).numpy()
for (framework, name), slope in slopes.items():
    print(f"{framework:10}  {name:9}  slopes {slope}")
if not slopes:
    print("Neither PyTorch nor TensorFlow", HOW.replace("not ", "", 1))

# %% [markdown]
# Both fail in the same place, and both have a node of their own for it. How many nodes do
# well-known pieces take? PyTorch tells, as your counter did.


# %%
def node_names(node):
    parents = [p for p, _place in node.next_functions if p and "Accumulate" not in p.name()]
    return [node.name(), *(name for parent in parents for name in node_names(parent))]


if torch:
    import torch.nn.functional as F

    z = torch.randn(2, 1, 4, 8, requires_grad=True)
    logits, labels = torch.randn(2, 3, requires_grad=True), torch.tensor([0, 1])
    pieces = {
        "composite": 1 / (1 + torch.exp(-z)),
        "sigmoid": torch.sigmoid(z),
        "logsumexp": torch.logsumexp(z, -1),
        "cross-entropy": F.cross_entropy(logits, labels),
        "attention": F.scaled_dot_product_attention(z, z, z),
    }
    for name, out in pieces.items():
        print(f"{name:13}", *node_names(out.grad_fn))

# %% [markdown]
# The composite is five nodes here: PyTorch writes 1 / u as a reciprocal and a product.
# Cross-entropy is two, a log-softmax and a choice of the label. And attention, the heart of
# today's language models, written out is a matrix product, a scaling, a softmax and
# another product. It became one node, with a backward that recomputes what it did not save (Dao and
# others, 2022, [FlashAttention](https://arxiv.org/abs/2205.14135)), for a reason that stands in the
# table above: less memory.
#
# You can now put anything into a graph. Next come the things that own the weights: modules, lesson
# 06.
