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
#     title: Control flow
#     minutes: 250
#     needs: [autograd_engine, static_graphs]
#     covers:
#       conditionals in both kinds of graph: branch
#       loops in both kinds of graph: loop
#       recurrent networks: rnn
#       recursive networks: tree
#       modular networks: modules
#       TensorFlow Fold: batching
#       dynamic graphs: "Control flow: models that depend on their input"
# ---

# %% [markdown]
# # Control flow: models that depend on their input
#
# The lecture (CS231n, 2017) has two small programs. In the first, the data choose the weights. In
# the second, the data say how often to go round.
#
# ```python
# y = x @ w1 if z > 0 else x @ w2                # a branch
#
# for t in range(len(x)):                        # a loop
#     y = (y + x[t]) * w
# ```
#
# On a tape, as in lesson 04, there is nothing to say about them. Python runs the branch that it
# takes and goes round as often as it goes, and what has run is on the tape. In a static graph, as
# in lesson 12, both lines fail. There is no `z` yet that could be greater than 0 when Python comes
# to the `if`, and no `x` whose length could be asked.

# %% given="setup"
import itertools
import operator
import sys

import numpy as np

import autograder
import chainrule as cr
from chainrule.data import load
from chainrule.operators import Operators
from chainrule.ops.shared import same as same_shape
from chainrule.optim import Adam
from chainrule.primitive import RECORDERS, primitive, vjp
from chainrule.tape import Array, Like

# %%
for z in (1.0, -1.0):
    x, w1, w2 = (cr.tensor(value, requires_grad=True) for value in (3.0, 10.0, 20.0))
    y = x * w1 if z > 0 else x * w2
    y.backward()
    print(f"z = {z:4}   y = {y.item()}   gradients of w1 and w2: {w1.grad}, {w2.grad}")

# %% [markdown]
# This lesson is about such models. A word has five letters or twenty-four. A sum has the shape of
# its parentheses. A question about a picture, "is there something red above a circle?", can be
# *taken apart into modules*, and the modules put together are the net that answers it. In 2017
# these were the reasons to want dynamic graphs. We write them down on a tape, where they are short,
# and meet what they cost: a graph that is different for each example does not come in batches. The
# largest exercise, number 7, brings the batches back.
#
# ```diff
# -h = relu(x @ w1)                             # lesson 01: one net for every x
# -y = h @ w2
# +def net(tree):                               # now: the net has the shape of its input
# +    if is_leaf(tree):
# +        return table[tree]
# +    op, left, right = tree
# +    return combine(op, net(left), net(right))
# +y = net(x) @ w2
# ```
#
# Two sittings. The first (exercises 1 to 4) is about branches and loops: by nodes in a static
# graph, and through time. The second (5 to 8) is about trees, modules, batches and traps.
#
# **How you are graded.** A check shows a case or two, and asks the same of fresh numbers and trees
# when your notebook is graded ([how you are graded](../../docs/how_you_are_graded.md)). No
# exercise needs the answer of another one.

# %% [markdown]
# ## A graph within a graph
#
# First the static side. Here is a graph in the manner of lesson 12, as small as it can be. A node
# knows how to run `forward`, which returns its value and whatever it wants to save, and how to go
# `backward`. Calls of operations such as `cr.tanh` or `+` make nodes as soon as a node is among
# their arguments.


# %% given="node"
NUMBERS = itertools.count()


class Node(Operators):  # with + - * / ** @, .sum(), .tanh() and so on
    """A value that will be known when the graph runs."""

    def __init__(self, op, inputs, forward, backward, shape, dtype):
        self.op, self.inputs = op, tuple(inputs)
        self.forward = forward  # (*values of the inputs) -> value, saved
        self.backward = backward  # (upstream, saved, *values) -> a gradient or None per input
        self.shape, self.dtype = tuple(shape), np.dtype(dtype)
        self.number = next(NUMBERS)  # larger than the numbers of its inputs

    def __bool__(self):
        raise TypeError(f"{self!r} has no value yet: no `if`, no `while`, no `in` a list")

    def __repr__(self):
        return f"<{self.op} {self.shape} {self.dtype}>"

    ndim = property(lambda self: len(self.shape))
    __iter__ = None


# %% given="sources"
def placeholder(shape=(), dtype="float64"):
    """Return a node whose value is fed."""
    return Node("placeholder", (), None, None, shape, dtype)


def as_node(value):
    """Return a node as it is, anything else as a constant."""
    if isinstance(value, Node):
        return value
    array = np.array(value)
    return Node("constant", (), lambda: (array, None), None, array.shape, array.dtype)


# %% given="record"
def record(op, inputs, options):
    """Return the node of one call of an operation of the table (called by `cr.tanh` and so on)."""
    inputs = [as_node(x) for x in inputs]

    def forward(*values):
        out = op.forward(*values, **options)
        return out, out

    def backward(upstream, out, *values):
        return [rule and rule(upstream, out, *values, **options) for rule in op.rules]

    kinds = op.dtype(*inputs, **options) if op.dtype else [x.dtype for x in inputs]
    dtype = np.result_type(*kinds) if isinstance(kinds, list) else kinds
    return Node(op.name, inputs, forward, backward, op.shape(*inputs, **options), dtype)


RECORDERS[Node] = record

# %% [markdown]
# And this is the whole engine: values from old nodes to young ones, gradients from young to old.


# %% given="engine"
def in_order(outputs, known):
    """Return the nodes to compute, oldest first, and those among the needed that are known."""
    found, border, waiting = set(), {}, list(outputs)
    while waiting:
        node = waiting.pop()
        if known(node):
            border[node] = None
        elif node not in found:
            found.add(node)
            waiting += node.inputs
    return sorted(found, key=lambda node: node.number), list(border)


def evaluate(outputs, feeds):
    """Return the values of all nodes that the outputs need, and what each of them saved."""
    values, saved = dict(feeds), {}
    for node in in_order(outputs, lambda node: node in feeds)[0]:
        if node.op == "placeholder":
            raise ValueError(f"{node!r} is needed and was not fed")
        values[node], saved[node] = node.forward(*(values[i] for i in node.inputs))
    return values, saved


# %% given="pull_back"
def pull_back(outputs, upstream, values, saved):
    """Return the gradients of all nodes that a gradient reaches, by node."""
    grads = {}

    def arrive(node, g):
        if node.dtype.kind == "f" and g is not None:
            g = g if isinstance(g, Several) else cr.unbroadcast(np.asarray(g), node.shape)
            grads[node] = grads[node] + g if node in grads else g

    for node, g in zip(outputs, upstream, strict=True):
        arrive(node, g)
    for node in sorted(saved, key=lambda node: -node.number):
        if node in grads and node.backward:
            arrays = [values[i] for i in node.inputs]
            back = node.backward(grads[node], saved[node], *arrays)
            for i, g in zip(node.inputs, back, strict=True):
                arrive(i, g)
    return grads


# %% [markdown]
# A loop has several results, so one node more: `results(node, likes)` takes a node whose value is a
# tuple, and makes one node for each place, of the shape and dtype of the nodes in `likes`.


# %% given="results"
class Several(list):
    """The gradients of several results; they add up place by place."""

    def __add__(self, other):
        return Several(map(operator.add, self, other))


def results(node, likes):
    """Return a tuple of nodes, one for each result of a node with several."""

    def pick(place, like):
        def backward(g, saved, values):
            zeros = [np.zeros(np.shape(v)) for v in values]
            return [Several([*zeros[:place], g, *zeros[place + 1 :]])]

        def forward(values):
            return values[place], None

        return Node("pick", [node], forward, backward, like.shape, like.dtype)

    return tuple(pick(place, like) for place, like in enumerate(likes))


# %% given="ask"
def compute(fetches, feeds=None):
    """Return the values of some nodes."""
    values, _ = evaluate(fetches, feeds or {})
    return [values[node] for node in fetches]


def gradients(y, xs, feeds=None):
    """Return the gradients of the node y in xs; zeros where nothing depends."""
    values, saved = evaluate([y, *xs], feeds or {})
    grads = pull_back([y], [np.ones(y.shape)], values, saved)
    return [grads.get(x, np.zeros(x.shape)) for x in xs]


@primitive(shape=lambda x, i: x.shape[1:], dtype=lambda x, i: x.dtype)
def row(x: Array, i: Array, /) -> Array:
    """Return row i of x, where i may be a node."""
    return x[i]


@vjp(row, "x")
def row_x(g: Array, out: None, x: Like, i: Array) -> Array:
    rows = np.zeros(x.shape, x.dtype)
    rows[i] = g
    return rows


# %%
x, w = placeholder(), placeholder()
y = cr.tanh(x * w) + x
print(
    "value", *compute([y], {x: 1.0, w: 0.5}), "  gradients", *gradients(y, [x, w], {x: 1.0, w: 0.5})
)
try:
    y if x > 0 else w
except TypeError as error:
    print("TypeError:", error)

# %% [markdown]
# What Python's `if` cannot do, a *node* must do: one that gets the boolean, when it is known, and
# both branches. So a node has to contain graphs. This is a `Subgraph`: you hand it a Python
# function, it calls it *once*, with placeholders, and keeps the nodes that the function made.


# %% given="subgraph"
class Subgraph:
    """A graph within a graph: what `build` makes of placeholders like the nodes in `likes`."""

    def __init__(self, build, likes=()):
        first = next(NUMBERS)
        self.inputs = [placeholder(x.shape, x.dtype) for x in likes]
        made = build(*self.inputs)
        if made is None:
            raise TypeError("the function returned None; did you forget `return`?")
        made = made if isinstance(made, tuple | list) else [made]
        self.outputs = [as_node(x) for x in made]
        self.captured = in_order(self.outputs, lambda node: node.number < first)[1]

    def run(self, values):
        """Return the outputs' values. `values`: a dict from all inputs and captured nodes."""
        found, _ = evaluate(self.outputs, values)
        return tuple(found[node] for node in self.outputs)

    def vjp(self, values, upstream):
        """Run the graph again; return a dict: input or captured node -> gradient (or zeros)."""
        found, saved = evaluate(self.outputs, values)
        grads = pull_back(self.outputs, upstream, found, saved)
        return {x: grads.get(x, np.zeros(x.shape)) for x in [*self.inputs, *self.captured]}


# %% [markdown]
# A function may use nodes from outside, such as `w` here. The subgraph notes them in `captured`,
# and wants their values as well. `vjp` takes one upstream gradient for each output.

# %%
piece = Subgraph(lambda a: (a * w, a + 1.0), likes=[x])
values = {piece.inputs[0]: 3.0, w: 0.5}
print("captured", piece.captured, "  outputs", piece.run(values))
print("gradients of (input, w):", *piece.vjp(values, [1.0, 100.0]).values())

# %% [markdown]
# One more operation, for you and for the checks: it returns its input, and tells when it does.


# %% given="watched"
@primitive(shape=same_shape)
def watched(x: Array, /, tell=None) -> Array:
    """Return x, and call tell()."""
    tell()
    return x


@vjp(watched, "x")
def watched_x(g: Array, out: None, x: None, tell) -> Array:
    return g


# %% [markdown] prompt="branch"
# ### Exercise 1: a branch, twice
#
# First in Python, then as a node.
#
# * `cond_now(pred, true_fn, false_fn)` calls one of two functions, which take nothing, and returns
#   what it returns. `pred` is a bool, or an array or tensor with one boolean.
# * `cond(pred, true_fn, false_fn)` returns *one node*. `pred` is a node (or a bool) with one
#   boolean. Each function is called once, now, while the graph is built, also where one of them
#   will never be needed. Each makes one node (or a number or array), perhaps out of nodes around
#   it. When the graph runs, the node has the value of the branch that was chosen. Nothing of the
#   other branch is computed, neither forward nor backward. Gradients go through the chosen branch
#   to what it captured; the rest gets zeros.
# * The node has the shape and dtype of the branches. If they differ, `cond` raises `ValueError`, at
#   once and not when the graph runs.
#
# A function may return a node from outside as it is, and it may contain a further `cond`. Forward
# runs a branch once. Backward may run the chosen branch once more, as `Subgraph.vjp` does. To look
# for a node, use a dict or a set: in a list Python compares with `==`, which makes a new node.
#
# Allowed are NumPy and `chainrule` without `chainrule.graph` and the compiler, here and in the
# following exercises up to 7.

# %% [markdown] hint="branch"
# The `cond` node has as inputs the boolean, and whatever *either* branch captured. Only when
# it runs, it knows which of the two subgraphs to ask. On the way back it must ask the same one.

# %% [markdown] hint="branch"
# ```
#    z > 0      w1   x   w2
#      │         │   │   │         captured by one branch or by both, each once
#      └──── cond(pred, w1, x, w2)
#             ├─ True:  x * w1     run({w1: …, x: …, w2: …}),  vjp({…}, [upstream])
#             └─ False: x * w2
#      backward  →  [None, g of w1 or None, g of x, g of w2 or None]
# ```

# %% [markdown] hint="branch"
# ```python
# yes, no = Subgraph(true_fn), Subgraph(false_fn)
# outside = list(dict.fromkeys([...]))          # each captured node once, in a fixed order
#
# def forward(flag, *values):
#     chosen = ...
#     (out,) = chosen.run(dict(zip(outside, values)))
#     return out, None                          # nothing to save
#
# def backward(upstream, saved, flag, *values):
#     grads = chosen.vjp(..., [upstream])
#     return [None, *(grads.get(node) for node in outside)]
#
# return Node("cond", [as_node(pred), *outside], forward, backward, shape, dtype)
# ```


# %% exercise="branch" minutes=20 difficulty=3 importance=4 allow="numpy chainrule -chainrule.graph -chainrule.compiler -chainrule.program"
def cond_now(pred, true_fn, false_fn):
    """Return what one of two functions returns, chosen by a boolean."""
    ### BEGIN SOLUTION
    return true_fn() if pred else false_fn()
    ### END SOLUTION


def cond(pred, true_fn, false_fn):
    """Return a node with the value of one of two subgraphs, chosen when the graph runs."""
    ### BEGIN SOLUTION
    yes, no = Subgraph(true_fn), Subgraph(false_fn)
    (a,), (b,) = yes.outputs, no.outputs
    if a.shape != b.shape or a.dtype != b.dtype:
        raise ValueError(f"the branches of a cond differ: {a!r} and {b!r}")
    outside = [*dict.fromkeys([*yes.captured, *no.captured])]

    def chosen(flag, values):
        return yes if flag else no, dict(zip(outside, values, strict=True))

    def forward(flag, *values):
        graph, around = chosen(flag, values)
        return graph.run(around)[0], None

    def backward(upstream, saved, flag, *values):
        graph, around = chosen(flag, values)
        grads = graph.vjp(around, [upstream])
        return [None, *(grads.get(node) for node in outside)]

    return Node("cond", [as_node(pred), *outside], forward, backward, a.shape, a.dtype)
    ### END SOLUTION


# %% tests="branch" behaviour="now" points=1
@autograder.test
def _(rng):
    "In Python, one of the two functions is called, once, and its result comes back."

    @beside
    def run(flag, kind, a, b):
        calls = []
        flag = {"bool": bool, "array": np.array, "tensor": cr.tensor}[kind](flag)
        got = cond_now(flag, lambda: calls.append("true") or a, lambda: calls.append("false") or b)
        return got, calls

    same(run(True, "bool", 1.0, 2.0), (1.0, ["true"]), "what came back, and which were called")
    same(run(False, "bool", 1.0, 2.0), (2.0, ["false"]), "what came back, and which were called")
    ### BEGIN HIDDEN TESTS
    for kind in ("bool", "array", "tensor"):
        for flag in (False, True):
            a, b = rng.normal(size=(2, 3))
            expected = (a, ["true"]) if flag else (b, ["false"])
            same(run(flag, kind, a, b), expected, f"what came back, and who was called; a {kind}")
            same(run(flag, kind, 0.0, None)[0], 0.0 if flag else None, "what came back")
    ### END HIDDEN TESTS


# %% tests="branch" behaviour="values" points=2
@autograder.test
def _(rng):
    "The node of `cond` has the value of the branch that the boolean chooses when the graph runs."

    @beside
    def run(xs, w1, w2):
        x, u, v = placeholder(w1.shape), placeholder(w1.shape), placeholder(w1.shape)
        picked = cond((x * u).sum() > 0, lambda: x * u, lambda: cr.tanh(x - v))
        outer = cond(
            u.sum() > v.sum(), lambda: u, lambda: cond(x.sum() > 0, lambda: picked + u, lambda: v)
        )
        return [compute([picked, outer, picked * 2], {x: a, u: w1, v: w2}) for a in xs]

    what = "values of three nodes, for each value of x"
    one = [np.array([2.0]), np.array([-2.0]), np.array([0.0])]
    yes, no, zero = np.array([6.0]), np.tanh([-9.0]), np.tanh([-7.0])
    expected = [[yes, np.array([9.0]), yes * 2], [no, np.array([7.0]), no * 2]]
    expected += [[zero, np.array([7.0]), zero * 2]]
    same(run(one, np.array([3.0]), np.array([7.0])), expected, what)
    ### BEGIN HIDDEN TESTS

    def oracle(xs, u, v):
        found = []
        for x in xs:
            picked = x * u if (x * u).sum() > 0 else np.tanh(x - v)
            outer = u if u.sum() > v.sum() else picked + u if x.sum() > 0 else v
            found.append([picked, outer, picked * 2])
        return found

    for shape in ((), (1,), (3,), (2, 3), (0,)):
        xs = [np.asarray(rng.normal(size=shape) * s) for s in (1.0, -1e-6, 50.0, 1.0, 1.0)]
        u, v = (np.asarray(rng.normal(size=shape)) for _ in range(2))
        same(run(xs, u, v), oracle(xs, u, v), what)
        same(run(xs, v, u), oracle(xs, v, u), what)

    @beside
    def fixed(flag):
        return compute([cond(flag, lambda: 1.0, lambda: 2.0)])[0]

    same([fixed(True), fixed(False)], [np.array(1.0), np.array(2.0)], "with True and with False")
    ### END HIDDEN TESTS


# %% tests="branch" behaviour="gradients" points=3
@autograder.test
def _(rng):
    "Gradients pass through the chosen branch to all that it captured; the rest gets zeros."

    @beside
    def run(x, u, v, up):
        a, b, c = placeholder(x.shape), placeholder(u.shape), placeholder(v.shape)
        h = a * b
        picked = cond(a.sum() > 0, lambda: h * h + b, lambda: cr.exp(c) * a + h)
        y = (picked * up).sum() + (c * 3.0).sum()
        return [gradients(y, [a, b, c], {a: one, b: u, c: v}) for one in (x, -x)]

    what = "gradients of x, u, v, for x and for -x"
    two, one = np.array([2.0]), np.array([1.0])
    yes = [np.array([16.0]), np.array([17.0]), np.array([3.0])]
    no = [np.array([3.0]), np.array([-2.0]), np.array([1.0])]
    same(run(two, two, 0 * one, one), [yes, no], what)
    ### BEGIN HIDDEN TESTS

    def oracle(x, u, v, up):
        if x.sum() > 0:
            return [up * 2 * x * u * u, up * (2 * x * x * u + 1), np.full(v.shape, 3.0)]
        return [up * (np.exp(v) + u), up * x, up * np.exp(v) * x + 3.0]

    for shape in ((), (4,), (2, 3), (1, 1)):
        for scale in (1.0, -1.0, 1e-3, -20.0):
            x, u, v, up = (np.asarray(rng.normal(size=shape)) for _ in range(4))
            x = np.abs(x) * scale
            same(run(x, u, v, up), [oracle(one, u, v, up) for one in (x, -x)], what)
    ### END HIDDEN TESTS


# %% tests="branch" behaviour="one_side" points=3
@autograder.test
def _(rng):
    "Both functions are called once, while building; only the chosen branch runs, fore and back."

    @beside
    def run(flags, tells, builds):
        z, w, v = placeholder(), placeholder(), placeholder()

        def side(x, k):
            builds[k]()
            return watched(x * 2.0, tell=tells[k])

        y = cond(z > 0, lambda: side(w, 0), lambda: side(v, 1))
        feeds = [{z: flag, w: 3.0, v: 5.0} for flag in flags]
        slopes = [[float(g) for g in gradients(y, [w, v], fed)] for fed in feeds]
        return [float(compute([y], fed)[0]) for fed in feeds], slopes

    def judge(flags):
        tells, builds = ([callback(lambda: None) for _ in range(2)] for _ in range(2))
        found, slopes = run(flags, tells, builds)
        same(found, [6.0 if flag > 0 else 10.0 for flag in flags], "values")
        same(slopes, [[2.0, 0.0] if flag > 0 else [0.0, 2.0] for flag in flags], "gradients")
        same([b.calls for b in builds], [1, 1], "how often true_fn and false_fn were called")
        for name, tell, sign in zip(("true", "false"), tells, (1, -1), strict=True):
            n = sum(flag * sign > 0 for flag in flags)
            words = f"{2 * n} to {3 * n} times, came {tell.calls} times"
            fits = 2 * n <= tell.calls <= 3 * n
            require(fits, f"{n} values and {n} gradients take the {name} branch {words}")

    judge([1.0])
    judge([-1.0, 2.0, -3.0])
    ### BEGIN HIDDEN TESTS
    for count in (1, 4, 9):
        judge(rng.normal(size=count).tolist())
        judge(np.abs(rng.normal(size=count)).tolist())
    ### END HIDDEN TESTS


# %% tests="branch" behaviour="alike" points=1
@autograder.test
def _(rng):
    "The node has the shape and dtype of its branches; if they differ, building raises ValueError."

    @beside
    def build(a, b):
        y = cond(placeholder() > 0, lambda: a, lambda: b)
        return y.shape, str(y.dtype)

    @beside
    def run(a, b):
        z = placeholder()
        y = cond(z > 0, lambda: a, lambda: b)
        return [compute([y], {z: flag})[0] for flag in (1.0, -1.0)]

    same(build(1.5, 2.5), ((), "float64"), "shape and dtype of the node")
    same(run(1.5, 2.5), [np.array(1.5), np.array(2.5)], "the values of each branch")
    raises(ValueError, build, np.ones(2), np.ones(3))
    ### BEGIN HIDDEN TESTS
    for a, b in (
        (np.ones((2, 1)), np.ones((1, 2))),
        (np.ones(()), np.ones(1)),
        (1, 1.0),
        (np.ones(2), np.ones(2, "float32")),
    ):
        raises(ValueError, build, a, b)
    x, y = rng.normal(size=(2, 4, 2))
    for a, b in ((x, y), (3, -7), (True, False), (x.astype("float32"), y.astype("float32"))):
        kind = np.asarray(a)
        same(build(a, b), (kind.shape, str(kind.dtype)), "shape and dtype of the node")
        same(run(a, b), [kind, np.asarray(b)], "the values of each branch")
    ### END HIDDEN TESTS


# %% [markdown]
# The lecture's first program, now as a graph. Both functions were called, and both products are in
# the graph. One of them runs.

# %%
x, w1, w2, z = placeholder((1, 3)), placeholder((3, 2)), placeholder((3, 2)), placeholder()
y = cond(
    z > 0,
    lambda: watched(x @ w1, tell=lambda: print("  x @ w1 is computed")),
    lambda: watched(x @ w2, tell=lambda: print("  x @ w2 is computed")),
)
feeds = {x: np.array([[1.0, 2.0, 3.0]]), w1: np.ones((3, 2)), w2: -np.ones((3, 2))}
for flag in (1.0, -1.0):
    print("z =", flag)
    print("  y =", *compute([y], feeds | {z: flag}))

# %% [markdown]
# ## A loop that remembers where it was
#
# A loop is harder. Its body is one subgraph, which runs as often as the data want. The gradient
# must go back through each of these runs, last one first, and it needs the values that went into
# each. TensorFlow calls the place where they are kept a *stack* ([Yu and others,
# 2018](https://arxiv.org/abs/1805.01772)). Here it is a Python list, which the node saves.

# %% [markdown] prompt="loop"
# ### Exercise 2: while_loop and foldl
#
# * `while_now(test, body, first)`: in Python. While `test(*variables)` is true, the variables
#   become `body(*variables)`. `first` is a list or tuple of values and stays as it is; `body`
#   returns a tuple or list of as many. Returns the last ones as a tuple.
# * `while_loop(test, body, first)`: as nodes. Returns a tuple of nodes, one for each variable.
#   `first` holds nodes, numbers or arrays. `test` and `body` are called once each, while the graph
#   is built. `body` returns a tuple or list of nodes, numbers or arrays. If it returns another
#   number of variables, or changes the shape or dtype of one, `while_loop` raises `ValueError`.
# * `foldl(fn, elements, initial)`: as nodes. `elements` is a node of shape (T, …). Returns the node
#   fn(… fn(fn(initial, row 0), row 1) …, row T − 1), and `initial` if T is 0. `row(elements, i)`
#   takes a node as `i`. `fn` is called once.
#
# When the graph runs, the body runs as often as the test holds, also zero times. Gradients go to
# the first variables and to all nodes that `body` captured; those add up over the rounds. Backward,
# each round may run the body once more, as `Subgraph.vjp` does; so a gradient runs the body no
# more than twice for each round. Whole numbers among the variables have no gradient; hand zeros to
# `vjp` for them.
#
# Loops may stand within loops, and a `Subgraph` may be run any number of times. Use `results`.

# %% [markdown] hint="loop"
# Forward is Python's `while`, with the two subgraphs in the place of `test` and `body`. Save the
# list of all states that went *into* the body. Backward goes through this list from its end;
# upstream of one round is the gradient of the variables that the round after it found.

# %% [markdown] hint="loop"
# ```
# states    s0 ──body──► s1 ──body──► s2 ──body──► s3     test(s3) is false
#           │            │            │
# saved    [s0,          s1,          s2]
#
# backward  g0 ◄──vjp── g1 ◄──vjp── g2 ◄──vjp── g3 = upstream
#                │           │           │
# captured       w + ─────── w + ─────── w   →  one sum
# ```

# %% [markdown] hint="loop"
# ```python
# first = [as_node(v) for v in first]
# check, step = Subgraph(test, first), Subgraph(body, first)
# ...                                             # compare step.outputs with first
# outside = list(dict.fromkeys([*check.captured, *step.captured]))
#
# def forward(*values):
#     state, around = values[:n], dict(zip(outside, values[n:]))
#     while check.run(dict(zip(check.inputs, state, strict=True)) | around)[0]:
#         ...                                     # note the state, then make the next one
#     return state, trail
#
# def backward(upstream, trail, *values):
#     for state in reversed(trail):
#         grads = step.vjp(..., upstream)
#         upstream = [...]                        # of step.inputs
#         ...                                     # add up those of step.captured
#     return [*upstream, *totals]
#
# node = Node("while_loop", [*first, *outside], forward, backward, (), float)
# return results(node, first)
# ```


# %% exercise="loop" minutes=35 difficulty=4 importance=4 allow="numpy chainrule -chainrule.graph -chainrule.compiler -chainrule.program"
def while_now(test, body, first):
    """Return the variables when the test no longer holds."""
    ### BEGIN SOLUTION
    state = tuple(first)
    while test(*state):
        state = tuple(body(*state))
    return state
    ### END SOLUTION


def while_loop(test, body, first):
    """Return nodes for the variables when the test no longer holds."""
    ### BEGIN SOLUTION
    first = [as_node(value) for value in first]
    check, step = Subgraph(test, first), Subgraph(body, first)
    kinds = [[(x.shape, x.dtype) for x in nodes] for nodes in (first, step.outputs)]
    if kinds[0] != kinds[1]:
        raise ValueError(f"variables enter the body as {kinds[0]} and leave it as {kinds[1]}")
    outside = [*dict.fromkeys([*check.captured, *step.captured])]

    def feeds(graph, state, values):
        nodes, around = [*graph.inputs, *outside], values[len(first) :]
        return dict(zip(nodes, [*state, *around], strict=True))

    def forward(*values):
        state, trail = values[: len(first)], []
        while check.run(feeds(check, state, values))[0]:
            trail.append(state)
            state = step.run(feeds(step, state, values))
        return state, trail

    def backward(upstream, trail, *values):
        totals = {node: np.zeros(node.shape) for node in outside}
        for state in reversed(trail):
            grads = step.vjp(feeds(step, state, values), upstream)
            upstream = [grads[x] for x in step.inputs]
            for node in step.captured:
                totals[node] = totals[node] + grads[node]
        return [*upstream, *(totals[node] for node in outside)]

    node = Node("while_loop", [*first, *outside], forward, backward, (), float)
    return results(node, first)
    ### END SOLUTION


def foldl(fn, elements, initial):
    """Return the node of fn(... fn(fn(initial, row 0), row 1) ..., last row)."""
    ### BEGIN SOLUTION
    length = elements.shape[0]
    _, out = while_loop(
        lambda i, gathered: i < length,
        lambda i, gathered: (i + 1, fn(gathered, row(elements, i))),
        [0, initial],
    )
    return out
    ### END SOLUTION


# %% tests="loop" behaviour="now" points=1
@autograder.test
def _(rng):
    "In Python, the body runs while the test holds; the last variables come back as a tuple."

    @beside
    def run(kind, n, x):
        first = {"list": [0, x], "tuple": (0, x), "tensors": [cr.tensor(0.0), cr.tensor(x)]}[kind]
        made = list if kind == "list" else tuple
        got = while_now(lambda i, a: i < n, lambda i, a: made((i + 1, a * 2.0)), first)
        if type(got) is not tuple:
            return f"a {type(got).__name__}"
        return tuple(float(v.item() if hasattr(v, "item") else v) for v in (*got, *first))

    what = "the variables after {} rounds, and the first ones then"
    same(run("list", 3, 1.5), (3.0, 12.0, 0.0, 1.5), what.format(3))
    same(run("list", 0, 1.5), (0.0, 1.5, 0.0, 1.5), what.format(0))
    ### BEGIN HIDDEN TESTS
    for kind in ("list", "tuple", "tensors"):
        for n in (0, 1, 2, 7):
            x = float(rng.integers(1, 99)) / 4
            same(run(kind, n, x), (float(n), x * 2.0**n, 0.0, x), what.format(n))
    ### END HIDDEN TESTS


# %% tests="loop" behaviour="values" points=3
@autograder.test
def _(rng):
    "The loop's nodes have the values of the variables after as many rounds as the data want."

    @beside
    def run(limits, x, w, b):
        n, a, u = placeholder((), "int64"), placeholder(x.shape), placeholder(w.shape)
        i, y, seen = while_loop(
            lambda i, y, seen: i < n,
            lambda i, y, seen: (i + 1, cr.tanh(y @ u) + b, seen * 1.0 + i),
            [0, a, 0.5],
        )
        add_a = lambda j, z: (j + 1, z + a)  # noqa: E731
        _, nested = while_loop(
            lambda i, z: i < 3,
            lambda i, z: [i + 1, while_loop(lambda j, z: j < i, add_a, [0, z])[1]],
            [0, a],
        )  # fmt: skip
        return [compute([i, y, seen, nested], {n: limit, a: x, u: w}) for limit in limits]

    what = "values of four nodes, for each number of rounds"
    x, w = np.array([[1.0]]), np.array([[0.0]])
    expected = [[np.array(0), x, np.array(0.5), 4 * x], [np.array(2), 2 * x, np.array(1.5), 4 * x]]
    same(run([0, 2], x, w, 2.0), expected, what, dtype=False)
    ### BEGIN HIDDEN TESTS

    def oracle(limits, x, w, b):
        found = []
        for limit in limits:
            y, seen = x, 0.5
            for i in range(limit):
                y, seen = np.tanh(y @ w) + b, seen + i
            found.append([np.array(max(limit, 0)), y, np.array(seen), 4 * x])
        return found

    for size in ((1, 1), (2, 3), (4, 2)):
        x, w = rng.normal(size=size), rng.normal(size=(size[1], size[1]))
        limits, b = [3, 0, 1, 7, -2, 40, 300], float(rng.normal())
        same(run(limits, x, w, b), oracle(limits, x, w, b), what, dtype=False)
    ### END HIDDEN TESTS


# %% tests="loop" behaviour="gradients" points=4
@autograder.test
def _(rng):
    "Gradients go back through each round to the first values and to all that the body captured."

    @beside
    def run(n, x, w, c, up):
        a, u, v = placeholder(x.shape), placeholder(w.shape), placeholder(c.shape)
        stop = placeholder((), "int64")
        _, y, z = while_loop(
            lambda i, y, z: i < stop,
            lambda i, y, z: (i + 1, cr.tanh(y @ u + v), z * 0.9 + (y * v).sum()),
            [0, a, 0.0],
        )
        loss = (y * up).sum() + z * 2.0 + (u * 0.5).sum()
        feeds = {a: x, u: w, v: c}
        return [gradients(loss, [a, u, v], feeds | {stop: rounds}) for rounds in n]

    what = "gradients of the first value, of the weights, of the bias, for each number of rounds"
    one, zero = np.array([[1.0]]), np.array([[0.0]])
    expected = [[one, one * 0.5, zero[0]], [one, one * 0.5, one[0]]]
    same(run([0, 1], zero, one, zero[0], one), expected, what)
    ### BEGIN HIDDEN TESTS

    def oracle(n, x, w, c, up):
        states = [x]
        for _ in range(n):
            states.append(np.tanh(states[-1] @ w + c))
        g, gz, gw, gc = up, 2.0, np.full(w.shape, 0.5), np.zeros(c.shape)
        for y, after in zip(states[-2::-1], states[:0:-1], strict=True):
            d = g * (1 - after**2)
            gw, gc = gw + y.T @ d, gc + d.sum(0) + gz * y.sum(0)
            g, gz = d @ w.T + gz * c, gz * 0.9
        return [g + 0 * x, gw, gc]

    for rows, size in ((1, 1), (3, 2), (2, 4)):
        x, w, up = (rng.normal(size=s) for s in ((rows, size), (size, size), (rows, size)))
        case = x, w, rng.normal(size=size), up
        rounds = [3, 0, 1, 2, 12, 5, 150]
        same(run(rounds, *case), [oracle(n, *case) for n in rounds], what)

    @beside
    def nested(n, x, w):
        a, u = placeholder(), placeholder()

        def inner(i, y):
            return while_loop(lambda j, s: j < i, lambda j, s: (j + 1, s * u + a), [0, y])[1]

        _, y, z = while_loop(
            lambda i, y, z: i < n, lambda i, y, z: (i + 1, inner(i, y), z * u), [0, a, a]
        )
        return gradients(y + z, [a, u], {a: x, u: w})

    def sums(x, w, n):
        y, z = x, x
        for i in range(n):
            for _ in range(i):
                y = y * w + x
            z = z * w
        return y + z

    for n in (0, 1, 4):
        x, w = rng.normal(size=2)
        slopes = vjp_by_complex_step(lambda x, w, n=n: sums(x, w, n), (x, w), np.array(1.0))
        what = "gradients through a loop in a loop: of a node both first and captured, of weights"
        same(nested(n, float(x), float(w)), [np.asarray(g) for g in slopes], what)
    ### END HIDDEN TESTS


# %% tests="loop" behaviour="rounds" points=3
@autograder.test
def _(rng):
    "Test and body are called once; a round runs the body once, and once more for its gradient."

    @beside
    def run(rounds, ran, tested, built, back):
        n, w = placeholder((), "int64"), placeholder()

        def test(i, y):
            tested()
            return i < n

        def body(i, y):
            built()
            return i + 1, watched(y, tell=ran) * w

        _, y = while_loop(test, body, [0, 1.0])
        feeds = [{n: count, w: 2.0} for count in rounds]
        return [float((gradients(y, [w], f) if back else compute([y], f))[0]) for f in feeds]

    def judge(rounds):
        for back, what in enumerate(("values", "gradients")):
            ran, tested, built = (callback(lambda: None) for _ in range(3))
            expected = [c * 2.0 ** (c - 1) if back else 2.0**c for c in rounds]
            same(run(rounds, ran, tested, built, back), expected, f"{what} for {rounds} rounds")
            same([tested.calls, built.calls], [1, 1], "how often test and body were called")
            at_most(ran.calls, (1 + back) * sum(rounds), f"runs of the body, for {what}")

    judge([3])
    judge([0, 5])
    ### BEGIN HIDDEN TESTS
    judge([0])
    judge(rng.integers(0, 30, size=5).tolist())
    ### END HIDDEN TESTS


# %% tests="loop" behaviour="folds" points=2
@autograder.test
def _(rng):
    "`foldl` takes the rows from the first to the last, with gradients, also where there are none."

    @beside
    def run(x, y0, w):
        rows, start, u = placeholder(x.shape), placeholder(y0.shape), placeholder()
        calls = []
        out = foldl(lambda y, e: calls.append(1) or (y - e) * u, rows, start)
        feeds = {rows: x, start: y0, u: w}
        return compute([out], feeds)[0], gradients(out.sum(), [rows, start, u], feeds), len(calls)

    what = "value; gradients of rows, start, weight; calls of fn"
    expected = np.array(1.0), [np.array([-4.0, -2.0]), np.array(4.0), np.array(4.5)], 1
    same(run(np.array([1.0, 3.5]), np.array(3.0), 2.0), expected, what)
    ### BEGIN HIDDEN TESTS

    def oracle(x, y0, w):
        states = [y0]
        for e in x:
            states.append((states[-1] - e) * w)
        g, gu, gx = np.ones(y0.shape), 0.0, np.zeros(x.shape)
        for t in range(len(x) - 1, -1, -1):
            gu, g = gu + ((states[t] - x[t]) * g).sum(), g * w
            gx[t] = -g
        return np.asarray(states[-1]), [gx, np.asarray(g), np.array(gu)], 1

    for shape in ((0,), (1,), (6,), (4, 3), (0, 2), (3, 2, 2)):
        x, y0 = rng.normal(size=shape), np.asarray(rng.normal(size=shape[1:]))
        case = x, y0, float(rng.uniform(0.3, 1.5))
        same(run(*case), oracle(*case), what)
    ### END HIDDEN TESTS


# %% tests="loop" behaviour="alike" points=1
@autograder.test
def _(rng):
    "A body that changes number, shape or dtype of the variables raises ValueError while building."

    @beside
    def run(before, after):
        return len(while_loop(lambda *s: False, lambda *s: after, before))

    same(run([1.0, 2], [3.0, 4]), 2, "the number of nodes")
    raises(ValueError, run, [1.0, 2], [3.0])
    ### BEGIN HIDDEN TESTS
    raises(ValueError, run, [1.0], [1.0, 2.0])
    raises(ValueError, run, [np.ones(2)], [np.ones(3)])
    raises(ValueError, run, [np.ones(1)], [1.0])
    raises(ValueError, run, [0.5, 1], [0.5, 1.0])
    raises(ValueError, run, [1], [True])
    raises(ValueError, run, [1.0, np.ones(2, "float32")], [1.0, np.ones(2)])
    same(run([np.ones((2, 3))], [np.zeros((2, 3))]), 1, "the number of nodes")
    ### END HIDDEN TESTS


# %% [markdown]
# The lecture's loop, `y = (y + x[t]) * w`, in a static graph and in Python, with the gradient of w:

# %%
rows, w = placeholder((3,)), placeholder()
y = foldl(lambda y, e: (y + e) * w, rows, 0.0)
feeds = {rows: np.array([1.0, 2.0, 3.0]), w: 0.5}
print("as nodes   ", *compute([y], feeds), *gradients(y, [w], feeds))

w, y = cr.tensor(0.5, requires_grad=True), 0.0
for e in [1.0, 2.0, 3.0]:
    y = (y + e) * w
y.backward()
print("in Python  ", y.item(), w.grad.item())

# %% [markdown]
# Equal numbers. Count the lines: on one side about forty of yours and a hundred of ours, and on the
# other Python, which had `if`, `for` and `while` all the time. And the real thing has to do more:
# TensorFlow's loop may have several rounds in flight at once on several machines, and its stack may
# be moved from the graphics card to the host when it grows (Yu and others, 2018). For this a
# program that is data is worth the trouble. For writing down an idea, it is not.


# %% [markdown]
# ## Words of unequal length
#
# In 1967 Arthur Reber let people learn words such as these, and did not tell them that a grammar
# makes them. Half of our 1,000 words are made by it; in the others one letter was changed.

# %% given="words"
words = load("sequences")


def one_hot_letters(texts, letters):
    """Return padded letters as rows of 0 and 1, shape (words, longest, letters)."""
    x = np.zeros((len(texts), max(map(len, texts)), len(letters)))
    for i, text in enumerate(texts):
        for t, letter in enumerate(text):
            x[i, t, letters.index(letter)] = 1.0
    return x


every_letter = one_hot_letters(words["words"], words["letters"])


def letters_of(places):
    """Return the padded letters of some words, cut after the longest, and their lengths."""
    lengths = words["lengths"][places]
    return every_letter[places, : max(lengths)], lengths


# %%
for place in range(4):
    says = "made by the grammar" if words["labels"][place] else "one letter changed"
    print(f"{words['words'][place]:16} {words['lengths'][place]:2} letters   {says}")

# %% [markdown]
# A recurrent net ([Elman, 1990](https://doi.org/10.1207/s15516709cog1402_1)) reads a word letter by
# letter, with one set of weights for all steps:
#
# > h ← tanh(x[t] · Wx + h · Wh + b),  h = 0 at the beginning.
#
# So its graph is as long as the word. Words of one length could be computed together, as the rows
# of a matrix. Words of 5 and of 24 letters cannot, unless the shorter one is *padded*: it gets rows
# at its end that are no letters. A **mask** sees to it that they do nothing: where a word is over,
# the state stays what it is. That is the price of a batch, here 24 steps for a word of five
# letters, of which 19 are thrown away.

# %% [markdown] prompt="rnn"
# ### Exercise 3: an RNN over unequal lengths
#
# Write `rnn(x, lengths, wx, wh, b)` in NumPy, for a whole batch at once.
#
# * x has shape (N, T, D), `lengths` (N,), whole numbers from 0 to T; wx (D, H), wh (H, H), b (H,).
#   Everything but `lengths` is float64.
# * Returns all states, shape (T + 1, N, H): `states[0]` is zeros, and `states[t + 1]` is what
#   stands after step t. A row whose word is over (t ≥ its length) keeps its state, so `states[-1]`
#   holds the last state of every word.
# * What stands in x behind a word's end changes nothing, and it may be *anything*: large numbers,
#   infinities, NaN.
# * N, T and any length may be 0. The inputs stay as they are, and so does what earlier calls
#   returned. A letter within a word may be a row of zeros.
#
# So a word's result depends neither on how far it was padded, nor on its neighbors in the batch,
# nor on their order.

# %% [markdown] hint="rnn"
# Compute the step for all rows. Then decide row by row which of two values stands after it: the new
# one, or the old one.

# %% [markdown] hint="rnn"
# ```
# lengths  2, 3, 0       t = 0      t = 1      t = 2
# word 0   B  P  .       new        new        keep
# word 1   T  X  S       new        new        new
# word 2   .  .  .       keep       keep       keep
# ```
# NaN · 0 is NaN. A mask that multiplies lets it through; `np.where` does not.

# %% [markdown] hint="rnn"
# ```python
# states = np.zeros((T + 1, N, H))
# for t in range(T):
#     new = np.tanh(...)
#     on = (t < lengths)[:, None]            # a column, one boolean for each word
#     states[t + 1] = np.where(on, ..., ...)
# return states
# ```


# %% exercise="rnn" minutes=15 difficulty=2 importance=4 allow="numpy chainrule -chainrule.graph -chainrule.compiler -chainrule.program"
def rnn(x, lengths, wx, wh, b):
    """Return all states, shape (T + 1, N, H), of a recurrent net over padded words."""
    ### BEGIN SOLUTION
    states = np.zeros((x.shape[1] + 1, len(x), len(b)))
    for t in range(x.shape[1]):
        new = np.tanh(x[:, t] @ wx + states[t] @ wh + b)
        states[t + 1] = np.where((t < lengths)[:, None], new, states[t])
    return states
    ### END SOLUTION


# %% tests="rnn" behaviour="values" points=3
@autograder.test
def _(rng):
    "The states are those of the recurrent net, each word read alone to its own end."
    what = "states"
    x, one = np.array([[[1.0], [2.0]], [[-1.0], [0.5]]]), np.array([[1.0]])
    a, b, c = np.tanh(1.0), np.tanh(2.0 + np.tanh(1.0)), np.tanh(-1.0)
    expected = np.array([[[0.0], [0.0]], [[a], [c]], [[b], [c]]])
    same(pure(rnn, x, np.array([2, 1]), one, one, np.zeros(1)), expected, what)
    ### BEGIN HIDDEN TESTS

    @beside
    def twice(x, lengths, wx, wh, b):
        states = rnn(x, lengths, wx, wh, b)
        rnn(-x, lengths, wx, wh, b)
        return states

    for n, t, d, h in (
        (5, 6, 3, 4),
        (1, 1, 1, 1),
        (4, 9, 2, 5),
        (3, 0, 2, 2),
        (0, 3, 2, 2),
        (7, 4, 4, 4),
        (3, 60, 2, 3),
    ):
        x, lengths = rng.normal(size=(n, t, d)), rng.integers(0, t + 1, size=n)
        x[rng.random((n, t)) < 0.2] = 0.0
        wx, wh, b = rng.normal(size=(d, h)), rng.normal(size=(h, h)), rng.normal(size=h)
        expected = np.zeros((t + 1, n, h))
        for i in range(n):
            for s in range(t):
                old = expected[s, i]
                new = np.tanh(x[i, s] @ wx + old @ wh + b)
                expected[s + 1, i] = new if s < lengths[i] else old
        same(pure(rnn, x, lengths, wx, wh, b), expected, what)
        same(twice(x, lengths, wx, wh, b), expected, "states, after another call of rnn")
    ### END HIDDEN TESTS


# %% tests="rnn" behaviour="padding" points=3
@autograder.test
def _(rng):
    "What stands behind a word's end changes nothing, NaN and infinity included."

    def judge(x, lengths, fillings, expected, *weights):
        behind = np.arange(x.shape[1]) >= lengths[:, None]
        for filling in fillings:
            padded = np.where(behind[..., None], filling, x)
            what = f"states, with {filling} in x behind the ends"
            same(call(rnn, padded, lengths, *weights), expected, what)

    one, a = np.array([[1.0]]), np.tanh(2.0)
    b = np.tanh(2.0 + a)
    expected = np.array([[0.0, 0.0], [a, a], [a, b], [a, np.tanh(2.0 + b)]])[..., None]
    fillings = [0.0, 5.0, np.nan]
    judge(np.ones((2, 3, 1)), np.array([1, 3]), fillings, expected, one, one, np.ones(1))
    ### BEGIN HIDDEN TESTS
    for n, t, d, h in ((4, 5, 3, 3), (6, 3, 1, 2)):
        weights = rng.normal(size=(d, h)), rng.normal(size=(h, h)), rng.normal(size=h)
        lengths = np.array([0, 1, t, *rng.integers(0, t + 1, size=n - 3)])
        fillings = [0.0, -1e6, 1e300, np.nan, np.inf, -np.inf]
        x, expected = rng.normal(size=(n, t, d)), np.zeros((t + 1, n, h))
        for i, length in enumerate(lengths):
            for s in range(t):
                new = np.tanh(x[i, s] @ weights[0] + expected[s, i] @ weights[1] + weights[2])
                expected[s + 1, i] = new if s < length else expected[s, i]
        judge(x, lengths, fillings, expected, *weights)
    ### END HIDDEN TESTS


# %% tests="rnn" behaviour="alone" points=2
@autograder.test
def _(rng):
    "A word's last state is the same alone, in any batch, in any order, with any padding."

    def judge(x, lengths, last, order, more, *weights):
        def ends(x, lengths, expected, what):
            got = call(rnn, x, lengths, *weights)
            fits = isinstance(got, np.ndarray) and got.ndim == 3 and len(got) > 0
            require(fits, "rnn returns an array of shape (T + 1, N, H)")
            same(got[-1], np.array(expected), what)

        ends(x[order], lengths[order], [last[i] for i in order], "last states, in another order")
        wide = np.concatenate([x, np.full((len(x), more, x.shape[2]), 7.0)], 1)
        ends(wide, lengths, last, f"last states, with {more} more steps of padding")
        for i, length in enumerate(lengths):
            ends(x[[i], :length], lengths[[i]], [last[i]], f"last state of word {i} alone")

    one, last = np.array([[1.0]]), [np.tanh([2.0 + np.tanh(1.0)]), np.tanh([-1.0])]
    x = np.array([[[1.0], [2.0]], [[-1.0], [0.5]]])
    judge(x, np.array([2, 1]), last, [1, 0], 2, one, one, np.zeros(1))
    ### BEGIN HIDDEN TESTS
    for n, t, d, h in ((5, 6, 2, 3), (3, 2, 3, 1)):
        weights = rng.normal(size=(d, h)), rng.normal(size=(h, h)), rng.normal(size=h)
        lengths = np.array([0, t, *rng.integers(0, t + 1, size=n - 2)])
        x, last = rng.normal(size=(n, t, d)), [np.zeros(h) for _ in lengths]
        for i, length in enumerate(lengths):
            for s in range(length):
                last[i] = np.tanh(x[i, s] @ weights[0] + last[i] @ weights[1] + weights[2])
        judge(x, lengths, last, rng.permutation(n).tolist(), 9, *weights)
    ### END HIDDEN TESTS


# %% [markdown]
# And backward. *Back-propagation through time* ([Werbos, 1990](https://doi.org/10.1109/5.58337)) is
# back-propagation on the graph that was unrolled: from the last step to the first, and since one
# set of weights was used at each step, its gradients add up. It is what your `while_loop` did with
# captured nodes. By hand, in a batch, the mask comes back too.


# %% given="meanwhile"
def meanwhile(f, *inputs):
    """Return what f returns, and the names of the functions of chainrule that ran meanwhile."""
    ran = set()

    def look(frame, event, _):
        module = str(frame.f_globals.get("__name__"))
        if event == "call" and module.startswith("chainrule"):
            ran.add(f"{module}.{frame.f_code.co_name}")

    sys.setprofile(look)
    try:
        return f(*inputs), sorted(ran)
    finally:
        sys.setprofile(None)


# %% [markdown] prompt="bptt"
# ### Exercise 4: back-propagation through time
#
# Write `bptt(x, lengths, states, wx, wh, upstream)` by hand, in NumPy and without `chainrule`: the
# tape would do it, and you would not see how. The checks see with `meanwhile`, above, if a function
# of `chainrule` runs.
#
# * `states` are all states, shape (T + 1, N, H), as exercise 3 describes them; you get them, so you
#   need no `rnn`. `upstream`, shape (N, H), is the gradient of `states[-1]`. The rest is as in
#   exercise 3.
# * Returns a tuple `(dx, dwx, dwh, db)`, in the shapes of x, wx, wh and b, float64.
# * Padded steps take no part: in `dx` they are exactly 0, and whatever stands in x there, also NaN
#   or infinity, changes none of the four. A word of length 0 contributes nothing.
# * N, T and any length may be 0. The inputs stay as they are.

# %% [markdown] hint="bptt"
# Where a word was over, its step was the identity: the gradient passes through unchanged. Where it
# was not, it goes through tanh, and from there to the letter, to the weights, and to the state
# before.

# %% [markdown] hint="bptt"
# ```
#            t = 0        t = 1        t = 2 (padded)
# state   0 ───────► h1 ───────► h2 ───────► h2
# g       … ◄─ dz·Whᵀ ─┴─ dz·Whᵀ ─┴─ as it is ── upstream
#              │            │            │
# dx          dz·Wxᵀ      dz·Wxᵀ         0
# ```
# with dz = g · (1 − h²), h the state *after* the step.

# %% [markdown] hint="bptt"
# ```python
# for t in reversed(range(T)):
#     on = ...                               # a column, one boolean for each word
#     dz = np.where(on, ..., 0.0)
#     dwx += np.where(on, ..., 0.0).T @ dz   # NaN · 0 is NaN
#     dwh, db, dx[:, t] = ...
#     g = np.where(on, ..., ...)
# ```


# %% exercise="bptt" minutes=25 difficulty=4 importance=4 allow="numpy chainrule -chainrule.graph -chainrule.compiler -chainrule.program"
def bptt(x, lengths, states, wx, wh, upstream):
    """Return the gradients of x, wx, wh and the bias, from that of the last states."""
    ### BEGIN SOLUTION
    dx, dwx, dwh = np.zeros(x.shape), np.zeros(wx.shape), np.zeros(wh.shape)
    db, g = np.zeros(len(wh)), upstream
    for t in reversed(range(x.shape[1])):
        on = (t < lengths)[:, None]
        dz = np.where(on, g * (1 - states[t + 1] ** 2), 0.0)
        dwx += np.where(on, x[:, t], 0.0).T @ dz
        dwh += states[t].T @ dz
        db += dz.sum(axis=0)
        dx[:, t] = dz @ wx.T
        g = np.where(on, dz @ wh.T, g)
    return dx, dwx, dwh, db
    ### END SOLUTION


# %% tests="bptt" behaviour="values" points=4
@autograder.test
def _(rng):
    "The four gradients are those of the recurrent net, summed over steps and words."

    @beside
    def run(*arrays):
        return meanwhile(bptt, *arrays)

    what = "gradients of x, wx, wh, b; what ran of chainrule"
    one, x, h1 = np.array([[1.0]]), np.array([[[0.5], [2.0]]]), np.tanh(0.5)
    h2 = np.tanh(2.0 + h1)
    d2 = 1 - h2**2
    d1 = d2 * (1 - h1**2)
    case = x, np.array([2]), np.array([[[0.0]], [[h1]], [[h2]]]), one, one, one
    dx, dwx = np.array([[[d1], [d2]]]), one * (0.5 * d1 + 2 * d2)
    expected = dx, dwx, one * h1 * d2, one[0] * (d1 + d2)
    same(run(*case), (expected, []), what)
    same(pure(bptt, *case), expected, "gradients of x, wx, wh, b")
    ### BEGIN HIDDEN TESTS

    def truth(x, lengths, wx, wh, b, upstream):
        states = np.zeros((x.shape[1] + 1, len(x), len(b)))
        grads = [np.zeros(a.shape) for a in (x, wx, wh, b)]
        for i, length in enumerate(lengths):
            for t in range(x.shape[1]):
                new = np.tanh(x[i, t] @ wx + states[t, i] @ wh + b)
                states[t + 1, i] = new if t < length else states[t, i]
            g = upstream[i]
            for t in range(length - 1, -1, -1):
                dz = g * (1 - states[t + 1, i] ** 2)
                grads[0][i, t], g = wx @ dz, wh @ dz
                grads[1] += np.outer(x[i, t], dz)
                grads[2] += np.outer(states[t, i], dz)
                grads[3] += dz
        return states, tuple(grads)

    for n, t, d, h in (
        (5, 6, 3, 4),
        (1, 1, 1, 1),
        (4, 30, 2, 3),
        (3, 0, 2, 2),
        (0, 3, 2, 2),
        (4, 4, 4, 4),
    ):
        for lengths in (rng.integers(0, t + 1, size=n), np.full(n, t)):
            x, up = rng.normal(size=(n, t, d)), rng.normal(size=(n, h))
            wx, wh, b = (0.6 * rng.normal(size=s) for s in ((d, h), (h, h), (h,)))
            states, grads = truth(x, lengths, wx, wh, b, up)
            same(pure(bptt, x, lengths, states, wx, wh, up), grads, "gradients of x, wx, wh, b")
            same(run(x, lengths, states, wx, wh, up), (grads, []), what)
    ### END HIDDEN TESTS


# %% tests="bptt" behaviour="padding" points=3
@autograder.test
def _(rng):
    "Padded steps get a gradient of exactly 0, and what stands in x there changes nothing."

    @beside
    def run(*arrays):
        return meanwhile(bptt, *arrays)

    def judge(x, lengths, fillings, expected, *rest):
        behind = np.arange(x.shape[1]) >= lengths[:, None]
        for filling in fillings:
            padded = np.where(behind[..., None], filling, x)
            got, ran = run(padded, lengths, *rest)
            what = f"gradients of x, wx, wh, b, with {filling} in x behind the ends"
            same(got, expected, what)
            same(ran, [], "what ran of chainrule")
            same(got[0][behind], np.zeros((int(behind.sum()), x.shape[2])), what, atol=0)

    one, h = np.array([[1.0]]), np.tanh(1.0)
    d = 1 - h**2
    states = np.array([0.0, h, h, h])[:, None, None]
    expected = np.array([[[d], [0.0], [0.0]]]), one * d, one * 0, one[0] * d
    fillings = [0.0, 5.0, np.nan]
    judge(np.ones((1, 3, 1)), np.array([1]), fillings, expected, states, one, one, one)
    ### BEGIN HIDDEN TESTS

    def truth(x, lengths, wx, wh, b, upstream):
        states = np.zeros((x.shape[1] + 1, len(x), len(b)))
        grads = [np.zeros(a.shape) for a in (x, wx, wh, b)]
        for i, length in enumerate(lengths):
            for t in range(x.shape[1]):
                new = np.tanh(x[i, t] @ wx + states[t, i] @ wh + b)
                states[t + 1, i] = new if t < length else states[t, i]
            g = upstream[i]
            for t in range(length - 1, -1, -1):
                dz = g * (1 - states[t + 1, i] ** 2)
                grads[0][i, t], g = wx @ dz, wh @ dz
                grads[1] += np.outer(x[i, t], dz)
                grads[2] += np.outer(states[t, i], dz)
                grads[3] += dz
        return states, tuple(grads)

    for n, t, d, h in ((4, 5, 3, 3), (6, 3, 1, 2)):
        lengths = np.array([0, 1, t, *rng.integers(0, t + 1, size=n - 3)])
        fillings = [0.0, -1e6, 1e300, np.nan, np.inf, -np.inf]
        x, up = rng.normal(size=(n, t, d)), rng.normal(size=(n, h))
        wx, wh, b = (rng.normal(size=s) for s in ((d, h), (h, h), (h,)))
        states, grads = truth(x, lengths, wx, wh, b, up)
        judge(x, lengths, fillings, grads, states, wx, wh, up)
    ### END HIDDEN TESTS


# %% [markdown]
# Now the net learns the grammar from 800 words, and is asked about 200 others. Beside it stands a
# *bag*: how often each letter, and each pair of neighbors, occurs in the word, and a logistic
# regression on these 56 counts.


# %% given="teach"
def teach(weights, steps, slopes, rate):
    """Let Adam change a list of arrays in place; `slopes(step)` returns their gradients."""
    tensors = [cr.tensor(w, requires_grad=True) for w in weights]
    optimizer = Adam(tensors, lr=rate)
    for step in range(steps):
        grads = slopes(step, *(t.data for t in tensors))
        size = np.sqrt(sum((g**2).sum() for g in grads))
        for tensor, g in zip(tensors, grads, strict=True):
            tensor.grad = cr.tensor(g / max(1.0, size))  # long chains: clip by the norm
        optimizer.step()
    return [t.data for t in tensors]


def right(scores, labels):
    """Return the fraction of scores on the right side of 0."""
    return float(np.mean((scores > 0) == (labels == 1)))


# %%
rng = np.random.default_rng(0)
H, labels, train = 32, words["labels"], np.flatnonzero(words["train"])
test = np.flatnonzero(~words["train"])
start = [rng.normal(size=(7, H)) / 2, np.linalg.qr(rng.normal(size=(H, H)))[0], np.zeros(H)]
start += [rng.normal(size=H) / np.sqrt(H), np.zeros(1)]


def word_slopes(step, wx, wh, b, v, c):
    places = rng.choice(train, 50, replace=False)
    x, lengths = letters_of(places)
    states = rnn(x, lengths, wx, wh, b)
    score = states[-1] @ v + c
    far = (1 / (1 + np.exp(-score)) - labels[places]) / len(places)
    _, *grads = bptt(x, lengths, states, wx, wh, np.outer(far, v))
    return [*grads, states[-1].T @ far, far.sum(keepdims=True)]


wx, wh, b, v, c = teach(start, 600, word_slopes, 0.005)
accuracy = {}
for name, places in (("train", train), ("test", test)):
    x, lengths = letters_of(places)
    accuracy["rnn", name] = right(rnn(x, lengths, wx, wh, b)[-1] @ v + c, labels[places])
print(f"right on words of the training part {accuracy['rnn', 'train']:.1%}")


# %%
def bag_of(word):
    pairs = itertools.product(words["letters"], repeat=2)
    return [word.count(a) for a in words["letters"]] + [
        sum(word[i : i + 2] == a + b for i in range(len(word) - 1)) for a, b in pairs
    ]


bags = np.array([bag_of(word) for word in words["words"]], float)


def bag_slopes(step, w, c):
    far = (1 / (1 + np.exp(-(bags[train] @ w + c))) - labels[train]) / len(train)
    return [bags[train].T @ far, far.sum(keepdims=True)]


w, c = teach([np.zeros(bags.shape[1]), np.zeros(1)], 1000, bag_slopes, 0.02)
for name, places in (("train", train), ("test", test)):
    accuracy["bag", name] = right(bags[places] @ w + c, labels[places])
    print(f"{name}: bag {accuracy['bag', name]:.1%}, recurrent net {accuracy['rnn', name]:.1%}")

# %% [markdown]
# The bag knows which letters and pairs there are. The net knows what came before.
#
# **Here the first sitting ends.**


# %% [markdown]
# ## Second sitting: trees
#
# Here are sums of another kind, and what they give modulo 5. The shape of the graph is the shape of
# the parentheses.

# %% given="sums"
sums = load("expressions")


def written(tree):
    """Return a tree as people write it."""
    if not isinstance(tree, list):
        return str(tree)
    left, right_ = (f"({written(t)})" if isinstance(t, list) else str(t) for t in tree[1:])
    return f"{left} {tree[0]} {right_}"


# %%
for tree, value, rest in zip(sums["trees"][:6], sums["values"], sums["mod5"], strict=False):
    print(f"{written(tree):46} = {value:3}, modulo 5: {rest}")
print("as it is stored:", sums["trees"][3])

# %% [markdown]
# A *recursive* net ([Socher and others,
# 2011](https://nlp.stanford.edu/pubs/SocherLinNgManning_ICML2011.pdf), for parse trees of sentences
# and of images) has a vector for each leaf, and one function that makes a vector out of two. It is
# applied wherever the tree has a node, always with the same weights. Ours has weights for each of
# the three operators:
#
# > join(op, l, r) = tanh((l·A ∗ r·B)·C + b), with A, B, C, b of that op, and ∗ entry by entry.
#
# The product of left and right is the point: what 3 does to the other side depends on the operator
# and on the 3. (The recursive neural *tensor* network of [Socher and others,
# 2013](https://aclanthology.org/D13-1170/) multiplies for the same reason.)

# %% [markdown] prompt="tree"
# ### Exercise 5: a net in the shape of a tree
#
# A tree is a whole number, its leaf, or a list `[op, left, right]`.
#
# * `join(weights, op, left, right)` computes the formula above with `chainrule`. `weights[op]` is a
#   tuple (A, B, C, b) of tensors, shapes (K, H), (K, H), (H, K), (K,). `left` and `right` have
#   shape (…, K), and so has the result: one vector, or many in rows.
# * `climb(tree, leaf, join)` returns `leaf(k)` for a leaf k. For a node it returns `join(op, l, r)`
#   of what its left and right side give. `leaf` and `join` are functions that it is handed; here
#   `join` takes no weights, and what it takes and returns may be anything, also 0 or None. How
#   often `leaf` is called is up to you.
#
# Trees may be deep, 5,000 levels on either side, and Python's recursion ends at about 1,000. And
# one *list object* may stand in several places of a tree. Then it is computed once, and its result
# is used at each place; there may be 60 levels where left and right are the same list. The tree
# stays as it is. All gradients come from the tape, so weights that were used in many places collect
# theirs by themselves.

# %% [markdown] hint="tree"
# A stack, and each node on it twice, as in lesson 12: first to be opened, then to be joined when
# both sides are done. Results stand in a dict. A list is no key for a dict; its `id` is.

# %% [markdown] hint="tree"
# ```
# tree      ["*", ["+", 1, 2], 3]
#
# stack     *                          open: put back "join *", then both sides on top
#           join *, +, 3
#           join *, +          3 → leaf(3)
#           join *, join +, 1, 2
#           join *             + → join("+", leaf(1), leaf(2))
#                              * → join("*", that, leaf(3))
# ```

# %% [markdown] hint="tree"
# ```python
# done, stack = {}, [(tree, False)]
# while stack:
#     node, opened = stack.pop()
#     if not isinstance(node, list): continue           # leaves need no preparation
#     if opened: done[id(node)] = join(node[0], ...)
#     elif id(node) not in done:
#         stack += [(node, True), (node[1], False), (node[2], False)]
# ```


# %% exercise="tree" minutes=25 difficulty=3 importance=4 allow="numpy chainrule -chainrule.graph -chainrule.compiler -chainrule.program"
def join(weights, op, left, right):
    """Return the vector of a node from those of its two sides."""
    ### BEGIN SOLUTION
    a, b, c, bias = weights[op]
    return cr.tanh(((left @ a) * (right @ b)) @ c + bias)
    ### END SOLUTION


def climb(tree, leaf, join):
    """Return what a tree gives: leaf(k) for a leaf, join(op, left, right) for a node."""
    ### BEGIN SOLUTION
    done, stack = {}, [(tree, False)]

    def found(part):
        return done[id(part)] if isinstance(part, list) else leaf(part)

    while stack:
        part, opened = stack.pop()
        if not isinstance(part, list) or id(part) in done:
            continue
        if opened:
            done[id(part)] = join(part[0], found(part[1]), found(part[2]))
        else:
            stack += [(part, True), (part[1], False), (part[2], False)]
    return found(tree)
    ### END SOLUTION


# %% tests="tree" behaviour="join" points=2
@autograder.test
def _(rng):
    "`join` computes the formula with the weights of its operator, for one vector or rows of them."

    @beside
    def run(arrays, op, left, right):
        weights = {name: tuple(cr.tensor(a) for a in group) for name, group in arrays.items()}
        return join(weights, op, cr.tensor(left), cr.tensor(right)).data

    one = np.array([[1.0]])
    arrays = {"+": (one, 2 * one, one, one[0]), "-": (one, one, -one, 0 * one[0])}
    case = arrays, "+", np.array([0.5]), np.array([-0.25])
    same(run(*case), np.tanh([0.75]), "join")
    ### BEGIN HIDDEN TESTS

    def oracle(arrays, op, left, right):
        a, b, c, bias = arrays[op]
        return np.tanh(((left @ a) * (right @ b)) @ c + bias)

    for k, h in ((1, 1), (3, 5), (4, 4), (5, 2)):
        sizes = (k, h), (k, h), (h, k), (k,)
        arrays = {op: tuple(rng.normal(size=s) for s in sizes) for op in "+-*"}
        for op in "+-*":
            for rows in ((), (1,), (6,), (2, 3)):
                case = arrays, op, rng.normal(size=(*rows, k)), rng.normal(size=(*rows, k))
                same(run(*case), oracle(*case), f"join of {op!r}, vectors of shape {rows} x {k}")
    ### END HIDDEN TESTS


# %% tests="tree" behaviour="climb" points=3
@autograder.test
def _(rng):
    "`climb` gives what leaves and nodes give, whatever leaf and join return; the tree stays."

    @beside
    def run(tree):
        import copy

        def none(*parts):
            return None if {*map(type, parts)} <= {int, str, type(None)} else parts

        kept = copy.deepcopy(tree)
        number = climb(tree, float, lambda op, a, b: {"+": a + b, "-": a - b, "*": a * b}[op])
        words = climb(tree, str, lambda op, a, b: f"({a}{op}{b})")
        return number, words, climb(tree, none, none), tree == kept

    what = "the number; the words; None of None; is the tree unchanged"
    same(run(3), (3.0, "3", None, True), what)
    same(run(["-", ["*", 2, 4], 3]), (5.0, "((2*4)-3)", None, True), what)
    ### BEGIN HIDDEN TESTS

    def oracle(tree):
        if not isinstance(tree, list):
            return float(tree), str(tree)
        (a, x), (b, y) = map(oracle, tree[1:])
        return {"+": a + b, "-": a - b, "*": a * b}[tree[0]], f"({x}{tree[0]}{y})"

    for size in (1, 2, 3, 5, 8, 13, 13, 13, 20):
        parts = [int(k) for k in rng.integers(-9, 99, size=size + 1)]
        while len(parts) > 1:
            i = int(rng.integers(len(parts) - 1))
            parts[i : i + 2] = [[str(rng.choice(["+", "-", "*"])), parts[i], parts[i + 1]]]
        same(run(parts[0]), (*oracle(parts[0]), None, True), what)
    ### END HIDDEN TESTS


# %% tests="tree" behaviour="gradients" points=3
@autograder.test
def _(rng):
    "Together they are the net: its vector, and gradients that add up over all places of a weight."

    @beside
    def run(tree, table, arrays, up, twice):
        weights = {op: [cr.tensor(a, requires_grad=True) for a in arrays[op]] for op in arrays}
        rows = cr.tensor(table, requires_grad=True)
        tree = ["+", tree, tree] if twice else tree
        out = climb(tree, lambda k: rows[k], lambda *call: join(weights, *call))
        (out * up).sum().backward()
        flat = [rows, *(w for op in sorted(weights) for w in weights[op])]
        return out.data, [np.zeros(w.shape) if w.grad is None else w.grad.data for w in flat]

    what = "vector of the tree; gradients of the leaves' table and of the weights"
    one, table = np.array([[1.0]]), np.array([[0.5], [0.25]])
    out = np.tanh([1.125])
    d = 1 - out**2
    grads = [d * [[0.25], [0.5]], *[d * 0.125 * one] * 3, d]
    same(run(["+", 0, 1], table, {"+": (one, one, one, one[0])}, one[0], False), (out, grads), what)
    ### BEGIN HIDDEN TESTS

    def oracle(tree, table, arrays, up):
        grads = {op: [np.zeros(a.shape) for a in arrays[op]] for op in arrays}
        rows = np.zeros(table.shape)

        def forward(tree):
            if not isinstance(tree, list):
                return table[tree]
            a, b, c, bias = arrays[tree[0]]
            return np.tanh(((forward(tree[1]) @ a) * (forward(tree[2]) @ b)) @ c + bias)

        def backward(tree, g):
            if not isinstance(tree, list):
                rows[tree] += g
                return
            (a, b, c, _), x, y = arrays[tree[0]], forward(tree[1]), forward(tree[2])
            d = g * (1 - forward(tree) ** 2)
            da, db = (d @ c.T) * (y @ b), (d @ c.T) * (x @ a)
            new = np.outer(x, da), np.outer(y, db), np.outer((x @ a) * (y @ b), d), d
            grads[tree[0]] = [old + n for old, n in zip(grads[tree[0]], new, strict=True)]
            backward(tree[1], da @ a.T)
            backward(tree[2], db @ b.T)

        backward(tree, up)
        return forward(tree), [rows, *(g for op in sorted(grads) for g in grads[op])]

    sizes = (3, 4), (3, 4), (4, 3), (3,)
    for size in (0, 1, 2, 4, 7, 10):
        parts = [int(k) for k in rng.integers(0, 5, size=size + 1)]
        while len(parts) > 1:
            i = int(rng.integers(len(parts) - 1))
            parts[i : i + 2] = [[str(rng.choice(["+", "-", "*"])), parts[i], parts[i + 1]]]
        arrays = {op: tuple(rng.normal(size=s) for s in sizes) for op in "+-*"}
        tree, *case = parts[0], rng.normal(size=(5, 3)), arrays, rng.normal(size=3)
        same(run(tree, *case, False), oracle(tree, *case), what)
        same(run(tree, *case, True), oracle(["+", tree, tree], *case), f"{what}; a shared list")
    ### END HIDDEN TESTS


# %% tests="tree" behaviour="deep_and_shared" points=2
@autograder.test
def _(rng):
    "Trees of 5,000 levels work; a list that stands in several places is computed once."

    @beside
    def deep(levels, side):
        tree = 1
        for _ in range(levels):
            tree = ["-", tree, 2] if side == "left" else ["-", 2, tree]
        return climb(tree, float, lambda op, a, b: a - b)

    @beside
    def shared(levels, tell):
        tree = 1
        for _ in range(levels):
            tree = ["+", tree, tree]
        return climb(["+", tree, ["+", tree, 5]], int, lambda op, a, b: tell() or a + b)

    def judge(levels, many, tell):
        same(shared(levels, tell), 2 * 2**levels + 5, "value of a tree with shared lists")
        same(tell.calls, levels + 2, f"calls of join, {levels} levels of shared lists and two more")
        for side, value in {"left": 1.0 - 2 * many, "right": 1.0}.items():
            same(deep(many, side), value, f"value of {many} levels on the {side}")

    judge(3, 10, callback(lambda: None))
    ### BEGIN HIDDEN TESTS
    judge(0, 0, callback(lambda: None))
    judge(60, 5000, callback(lambda: None))
    judge(int(rng.integers(20, 50)), int(rng.integers(2000, 4000)), callback(lambda: None))
    ### END HIDDEN TESTS


# %% [markdown]
# ## A net for each question
#
# Now the graph comes from a sentence. Scenes of three by three cells, each with a question about it
# that is put together from parts:

# %% given="scenes"
scenes = load("shapes")
DIRECTIONS = ("above", "below", "left", "right")


def cells_of(image):
    """Return an image of shape (30, 30, 3) as 3 by 3 cells of 300 numbers from 0 to 1."""
    parts = 1 - image.reshape(3, 10, 3, 10, 3) / 255.0
    return parts.transpose(0, 2, 1, 3, 4).reshape(3, 3, 300)


# %%
import matplotlib.pyplot as plt

figure, axes = plt.subplots(1, 4, figsize=(10, 3))
for place, axis in enumerate(axes):
    axis.imshow(scenes["images"][place])
    _, first, second = scenes["questions"][place]
    says = "yes" if scenes["answers"][place] else "no"
    words_of = " ".join(str(second).translate(str.maketrans("[],'", " " * 4)).split())
    axis.set_title(f"is {first[1]} / {words_of}: {says}", fontsize=9)
    axis.set_axis_off()
plt.show()

# %% [markdown]
# Figure: four scenes, each a grid of nine cells that hold circles, squares and triangles in red,
# green and blue, or nothing. Above each stands its question with the answer.
#
# *Neural module networks* ([Andreas and others, 2016](https://arxiv.org/abs/1511.02799)) answer it
# with a net that the question itself assembles. A module takes maps of *attention*, one number for
# each cell, and returns one. The lecture shows this as the best reason for dynamic graphs: "is
# there a triangle left of a circle" and "is the square red" need two different nets, with modules
# in common.
#
# | module | takes | gives |
# |---|---|---|
# | `["find", word]` | the scene | σ(cells · w + c), with w and c of that word |
# | `["above", A]`, `below`, `left`, `right` | a map | the cells directly above what A finds, … |
# | `["and", A, B]` | two maps | their product, entry by entry |
# | `["is", A, B]` | two maps | s · (the largest entry of their product) + t: positive for yes |

# %% [markdown] prompt="modules"
# ### Exercise 6: modules, and a question that assembles them
#
# Everything on the tape, with `chainrule`; a map is a tensor of shape (R, C), R rows and C columns.
#
# * `find(cells, weights, word)`: `cells` has shape (R, C, F); `weights[word]` is a pair (w, c) of
#   tensors, of shapes (F,) and (). Returns the map σ(cells · w + c).
# * `move(attention, direction)`: "above" returns the map in which each cell has what stood in the
#   cell directly *below* it, so that what was found is now seen one row further up. The other
#   directions likewise, "left" one column further to the left. What leaves the grid is lost; what
#   comes in, is 0.
# * `answer(question, cells, weights)`: the number of an "is", a tensor without axes.
#   `weights["is"]` is a pair (s, t) of tensors without axes. The two parts of a question may be
#   built from all modules of the table except "is", at any depth up to 100.
#
# A name that is no module of the table, and a word that is not in `weights`, raise `ValueError`;
# the message contains the name. A question runs only what it names: weights of other words play no
# part, and may belong to cells of another size.

# %% [markdown] hint="modules"
# `answer` looks at the first entry of the list, and asks itself for the parts. That is all the
# assembling there is. On a tape the net is what has run.

# %% [markdown] hint="modules"
# ```
# ["is", ["find", "red"], ["above", ["find", "circle"]]]
#
#                       find red                 0 1 0        0 0 0
#                          │                     0 0 0   ─►   0 0 0  ─┐
#      find circle ─ above ┴ is ─► number        0 0 0        0 1 0   │ above
#                                                             0 0 0  ─┘ moves up by one row
# ```

# %% [markdown] hint="modules"
# ```python
# def move(attention, direction):
#     rows, columns = attention.shape
#     if direction == "above":
#         return cr.concatenate([attention[1:], cr.zeros(1, columns, dtype=...)], axis=0)
#     ...
#
# def look(part):                       # within answer
#     name, *inputs = part
#     if name == "find": ...
#     if name in DIRECTIONS: return move(look(inputs[0]), name)
#     ...
#     raise ValueError(f"no module is called {name!r}")
# ```


# %% exercise="modules" minutes=25 difficulty=3 importance=4 allow="numpy chainrule -chainrule.graph -chainrule.compiler -chainrule.program"
def find(cells, weights, word):
    """Return the map of where a word holds."""
    ### BEGIN SOLUTION
    if word not in weights:
        raise ValueError(f"no module finds {word!r}")
    w, c = weights[word]
    return cr.sigmoid(cells @ w + c)
    ### END SOLUTION


def move(attention, direction):
    """Return a map moved by one cell; zeros come in from the border."""
    ### BEGIN SOLUTION
    rows, columns = attention.shape
    row_of_zeros = np.zeros((1, columns), attention.dtype)
    column_of_zeros = np.zeros((rows, 1), attention.dtype)
    if direction == "above":
        return cr.concatenate([attention[1:], row_of_zeros])
    if direction == "below":
        return cr.concatenate([row_of_zeros, attention[:-1]])
    if direction == "left":
        return cr.concatenate([attention[:, 1:], column_of_zeros], axis=1)
    return cr.concatenate([column_of_zeros, attention[:, :-1]], axis=1)
    ### END SOLUTION


def answer(question, cells, weights):
    """Return a number, positive for yes, from the net that the question assembles."""
    ### BEGIN SOLUTION

    def look(part):
        name, *inputs = part
        if name == "find":
            return find(cells, weights, *inputs)
        if name in DIRECTIONS:
            return move(look(inputs[0]), name)
        if name == "and":
            return look(inputs[0]) * look(inputs[1])
        raise ValueError(f"no module is called {name!r}")

    name, first, second = question
    if name != "is":
        raise ValueError(f"a question begins with 'is', not with {name!r}")
    scale, shift = weights["is"]
    return scale * cr.max(look(first) * look(second)) + shift
    ### END SOLUTION


# %% tests="modules" behaviour="find" points=1
@autograder.test
def _(rng):
    "`find` gives the map of its word, with the weights of that word."

    @beside
    def run(cells, arrays, word):
        weights = {n: (cr.tensor(w), cr.tensor(np.array(c))) for n, (w, c) in arrays.items()}
        return find(cr.tensor(cells), weights, word).data

    arrays = {"red": (np.array([1.0, 0.0]), 0.0), "circle": (np.array([0.0, 2.0]), -1.0)}
    cells = np.array([[[0.5, 0.25], [0.0, 1.0]]])
    same(run(cells, arrays, "circle"), 1 / (1 + np.exp([[0.5, -1.0]])), "find circle")
    ### BEGIN HIDDEN TESTS
    for rows, columns, size in ((3, 3, 5), (1, 1, 1), (2, 4, 3)):
        cells = rng.normal(size=(rows, columns, size)) * 5
        arrays = {name: (rng.normal(size=size), float(rng.normal())) for name in "pqr"}
        for name in "pqr":
            w, c = arrays[name]
            same(run(cells, arrays, name), 1 / (1 + np.exp(-(cells @ w + c))), f"find {name}")
    ### END HIDDEN TESTS


# %% tests="modules" behaviour="move" points=2
@autograder.test
def _(rng):
    "`move` moves a map by one cell in each direction, zeros coming in; its gradient moves back."

    @beside
    def run(values, up):
        found = {}
        for direction in ("above", "below", "left", "right"):
            a = cr.tensor(values, requires_grad=True)
            moved = move(a, direction)
            (moved * up).sum().backward()
            found[direction] = moved.data, np.zeros(a.shape) if a.grad is None else a.grad.data
        return found

    what = "for each direction: the map, the gradient"
    values = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    above = run(values, values)["above"]
    same(above[0], np.array([[4.0, 5.0, 6.0], [0.0, 0.0, 0.0]]), "above")
    left = run(values, values)["left"]
    same(left[0], np.array([[2.0, 3.0, 0.0], [5.0, 6.0, 0.0]]), "left")
    same(left[1], np.array([[0.0, 1.0, 2.0], [0.0, 4.0, 5.0]]), "gradient of left")
    ### BEGIN HIDDEN TESTS

    def oracle(values, up):
        steps = {"above": (-1, 0), "below": (1, 0), "left": (0, -1), "right": (0, 1)}
        found = {}
        for direction, (down, across) in steps.items():
            moved, back = np.zeros(values.shape), np.zeros(values.shape)
            for r, c in np.ndindex(*values.shape):
                if 0 <= r + down < len(values) and 0 <= c + across < values.shape[1]:
                    moved[r + down, c + across] = values[r, c]
                    back[r, c] = up[r + down, c + across]
            found[direction] = moved, back
        return found

    for size in ((3, 3), (1, 1), (1, 4), (5, 1), (2, 3), (4, 4)):
        values, up = rng.normal(size=size), rng.normal(size=size)
        same(run(values, up), oracle(values, up), what)
    ### END HIDDEN TESTS


# %% tests="modules" behaviour="answers" points=4
@autograder.test
def _(rng):
    "A question assembles its net: the answer and its gradients, by the modules it names alone."

    @beside
    def run(question, cells, arrays, names):
        weights = {
            name: [cr.tensor(np.array(a), requires_grad=True) for a in pair]
            for name, pair in arrays.items()
        }
        x = cr.tensor(cells, requires_grad=True)
        out = answer(question, x, weights)
        out.backward()
        flat = [x, *(t for name in names for t in weights[name])]
        rest = [n for n in weights if n not in names and weights[n][0].grad is not None]
        return out.data, [np.zeros(t.shape) if t.grad is None else t.grad.data for t in flat], rest

    arrays = {"is": (2.0, -1.0), "red": (np.array([1.0]), 0.5), "circle": (np.array([-1.0]), 0.0)}
    cells = np.array([[[0.5], [3.0]], [[-2.0], [1.0]]])
    question = ["is", ["find", "red"], ["above", ["find", "circle"]]]
    got = run(question, cells, arrays, ["is", "red", "circle"])
    same(got[0], np.array(2 / (1 + np.exp(-1.0)) / (1 + np.exp(-2.0)) - 1), "the number")
    ### BEGIN HIDDEN TESTS

    def judge(question, cells, arrays):
        names = ["is"]

        def words(part):
            for inner in part[1:]:
                names.append(inner) if part[0] == "find" else words(inner)

        words(question)
        names = list(dict.fromkeys(names))

        def net(cells, *flat):
            pairs = {name: flat[2 * i : 2 * i + 2] for i, name in enumerate(names)}

            def look(part):
                kind, *inner = part
                if kind == "find":
                    return 1 / (1 + np.exp(-(cells @ pairs[inner[0]][0] + pairs[inner[0]][1])))
                maps = [look(p) for p in inner]
                if kind == "and":
                    return maps[0] * maps[1]
                out, (a,) = np.zeros_like(maps[0]), maps
                if kind in ("above", "left"):
                    a, out = (a, out) if kind == "above" else (a.T, out.T)
                    out[:-1] = a[1:]
                else:
                    a, out = (a, out) if kind == "below" else (a.T, out.T)
                    out[1:] = a[:-1]
                return out if kind in ("above", "below") else out.T

            both = (look(question[1]) * look(question[2])).ravel()
            return pairs["is"][0] * both[np.argmax(both.real)] + pairs["is"][1]

        flat = [cells, *(np.asarray(a) for name in names for a in arrays[name])]
        expected = [np.asarray(g) for g in vjp_by_complex_step(net, flat, np.array(1.0))]
        rest = {name: (np.full(cells.shape[2] + 1, np.nan), np.nan) for name in ("s", "other")}
        got = run(question, cells, arrays | rest, names)
        what = (
            "the number; gradients of cells and of the weights named; other words with a gradient"
        )
        same(got, (np.asarray(net(*flat)), expected, []), what)

    ways = ["above", "below", "left", "right"]

    def part(depth):
        kind = str(rng.choice(["find", "and", *ways])) if depth else "find"
        if kind == "find":
            return ["find", str(rng.choice(["p", "q", "r"]))]
        return [kind, *(part(depth - 1) for _ in range(2 if kind == "and" else 1))]

    for depth in (0, 1, 1, 2, 2, 3, 4):
        size = int(rng.integers(1, 4))
        cells = rng.normal(size=(*rng.integers(3, 6, size=2), size))
        arrays = {n: (rng.normal(size=size), float(rng.normal())) for n in "pqr"}
        arrays["is"] = float(rng.normal()), float(rng.normal())
        judge(["is", part(depth), part(depth)], cells, arrays)
    ### END HIDDEN TESTS


# %% tests="modules" behaviour="unknown" points=1
@autograder.test
def _(rng):
    "A module or a word that does not exist raises ValueError with its name."

    @beside
    def run(question):
        pair = cr.zeros(2), cr.zeros(())
        weights = {"is": (cr.ones(()), cr.ones(())), "red": pair, "blue": pair}
        return float(answer(question, cr.ones(2, 2, 2), weights).item())

    red = ["find", "red"]
    same(run(["is", red, ["find", "blue"]]), 1.25, "a question with words that exist")
    raises(ValueError, run, ["is", red, ["find", "teapot"]], mentions="teapot")
    raises(ValueError, run, ["is", red, ["beside", red]], mentions="beside")
    ### BEGIN HIDDEN TESTS
    for wrong in ("".join(rng.choice(list("abcdefgh"), size=6)) for _ in range(3)):
        raises(ValueError, run, ["is", ["find", wrong], red], mentions=wrong)
        raises(
            ValueError, run, ["is", ["above", ["and", red, ["find", wrong]]], red], mentions=wrong
        )
        raises(ValueError, run, ["is", red, ["left", [wrong, red]]], mentions=wrong)
        raises(ValueError, run, [wrong, red, red], mentions=wrong)
    ### END HIDDEN TESTS


# %% [markdown]
# All modules learn together, from nothing but questions and answers. Nobody says where a circle is.
# What the net for a question has in common with the others are the weights. Beside it, a net that
# sees the picture and not the question.

# %%
rng = np.random.default_rng(0)
WORDS = ("circle", "square", "triangle", "red", "green", "blue")
weights = {
    word: (cr.tensor(rng.normal(size=300) / 20, requires_grad=True),
           cr.tensor(0.0, dtype="float64", requires_grad=True))
    for word in WORDS
}  # fmt: skip
weights["is"] = tuple(cr.tensor(v, dtype="float64", requires_grad=True) for v in (4.0, -2.0))
cells = [cells_of(image) for image in scenes["images"]]
train, test = np.flatnonzero(scenes["train"]), np.flatnonzero(~scenes["train"])
optimizer = Adam([tensor for pair in weights.values() for tensor in pair], lr=0.003)
for _epoch in range(8):
    for places in np.split(rng.permutation(train), 32):
        optimizer.zero_grad()
        loss = 0.0
        for place in places:
            score = answer(scenes["questions"][place], cells[place], weights)
            loss = loss + cr.softplus(score) - score * scenes["answers"][place]
        (loss / len(places)).backward()
        optimizer.step()
with cr.no_grad():
    scores = [answer(q, c, weights).item() for q, c in zip(scenes["questions"], cells, strict=True)]
accuracy["modules"] = right(np.array(scores)[test], scenes["answers"][test])
print(f"modules, test: {accuracy['modules']:.1%}")


# %% given="blind"
def blind_slopes(step, w1, b1, w2, b2):
    """Gradients of a two-layer net on pixels that never hears the question."""
    h = np.maximum(pixels[train] @ w1 + b1, 0)
    far = (1 / (1 + np.exp(-(h @ w2 + b2))) - scenes["answers"][train]) / len(train)
    back = np.outer(far, w2) * (h > 0)
    return [pixels[train].T @ back, back.sum(0), h.T @ far, far.sum(keepdims=True)]


# %%
pixels = np.array(cells).reshape(len(cells), -1)
first = [rng.normal(size=(2700, 16)) / 50, np.zeros(16), rng.normal(size=16) / 4, np.zeros(1)]
w1, b1, w2, b2 = teach(first, 60, blind_slopes, 0.003)
scores = np.maximum(pixels @ w1 + b1, 0) @ w2 + b2
accuracy["blind"] = right(scores[test], scenes["answers"][test])
print(f"without the question, test: {accuracy['blind']:.1%}")

# %% [markdown]
# And now a question of a form that never occurred in training: is there something red above a
# circle that has something blue to its right? The modules are there; the question puts them
# together anew. To know how many of the answers are right we look at the pixels: a cell's color is
# that of its middle, its shape has so many colored pixels.

# %% given="truth"
SHADES = {(213, 94, 0): "red", (0, 158, 115): "green", (0, 114, 178): "blue"}
AREAS = {52: "circle", 64: "square", 40: "triangle"}


def truly(part, image):
    """Return a map of 0 and 1: which cells a part of a question finds in an image."""
    name, *inputs = part
    if name == "find":
        blocks = image.reshape(3, 10, 3, 10, 3).transpose(0, 2, 1, 3, 4)
        shades = [[SHADES.get(tuple(map(int, b[5, 5]))) for b in line] for line in blocks]
        areas = [[AREAS.get(int((b != 255).any(-1).sum())) for b in line] for line in blocks]
        return np.array([np.array(shades) == inputs[0], np.array(areas) == inputs[0]]).any(0) * 1.0
    maps = [truly(i, image) for i in inputs]
    return maps[0] * maps[1] if name in ("and", "is") else move(cr.tensor(maps[0]), name).data


# %%
blue_to_the_right = ["left", ["find", "blue"]]
long = ["is", ["find", "red"], ["above", ["and", ["find", "circle"], blue_to_the_right]]]
truths = np.array([truly(long, image).any() for image in scenes["images"]])
with cr.no_grad():
    scores = np.array([answer(long, c, weights).item() for c in cells])
print(f"{truths.sum()} of {len(truths)} scenes: yes; right answers: {right(scores, truths):.1%}")
seen = [truly(q, i).any() for q, i in zip(scenes["questions"], scenes["images"], strict=True)]
print(f"the pixels agree with the answers of the data: {np.mean(seen == scenes['answers']):.1%}")


# %% [markdown]
# ## Trees in batches
#
# Now for the price. Each of the 2,400 sums has a graph of its own, so each node of each tree is a
# product of matrices with *one* row. Lesson 01 had 64 rows at a time. Most of the time goes into
# calling operations, not into them, and on a graphics card, lesson 11, it is worse.
#
# In 2017 two groups found the way out at the same time: TensorFlow Fold ([Looks and others,
# 2017](https://arxiv.org/abs/1702.02181)) and DyNet ([Neubig and others,
# 2017](https://arxiv.org/abs/1705.07860)). The *trees* differ, but their *operations* are the same
# few. So look at all trees of a batch together, sort nodes by how far they stand above their
# leaves, and do all "+" of one depth in one call, across trees. This is **dynamic batching**.
#
# > depth of a leaf: 0; depth of a node: 1 + the larger depth of its two sides.
#
# All nodes of depth d need only what has a smaller depth. So one goes through the depths from
# below, and at each depth there is one call for each operator that occurs there.
#
# Try it, before you write it. Type trees, one in a line, and step through the batches.

# %%
from chainrule.widgets import TreeBatches

TreeBatches()

# %% [markdown]
# 1. How many calls do the three trees take one by one, and how many together?
# 2. Add a tree `8 - 9` in a line of its own. How many more calls does that cost?
# 3. Add `1 + (1 + (1 + (1 + (1 + 1))))`. And this one? Why?
#
# <details><summary>What you should have seen</summary>
#
# 1. 9 nodes of operators and 12 leaves: 21 calls one by one. Together 6: one for all leaves, two at
#    depth 1, one at depth 2, two at depth 3.
# 2. None. At depth 1 there is a call for "−" already; it gets one row more.
# 3. Three: for + at depths 2, 4 and 5, where no other tree has one. A chain is as deep as it is
#    long; nothing in it can be done together.
#
# </details>

# %% [markdown] prompt="batching"
# ### Exercise 7: dynamic batching
#
# Write `batched(trees, leaf, join)`. Trees are those of exercise 5: a whole number, or a list `[op,
# left, right]`; `trees` is a list of at least one. It works on the tape, and returns a tensor of
# shape (number of trees, K): row i is the result of tree i.
#
# * `leaf(numbers)` takes a *list* of n whole numbers and returns a tensor of shape (n, K), a row
#   for each. `join(op, left, right)` takes two tensors of shape (n, K) and returns one of that
#   shape, each row from the same rows of left and right. Both are handed to you.
# * `leaf` is called exactly once. `join` is called exactly once for each pair of a depth and an
#   operator that occurs among all trees together. Which row of a call belongs to which node, is up
#   to you, and so is whether equal leaves share a row.
# * A list object that stands in several places, in one tree, in several, or twice in `trees`, is
#   computed once, as one row. Other lists have one row each, equal ones too.
# * Values are the same as tree by tree, and gradients flow through everything, to whatever `leaf`
#   and `join` have used. Trees may be 2,000 levels deep. A tree may be a single leaf, and all of
#   them may. The trees stay as they are.

# %% [markdown] hint="batching"
# Two passes. The first looks at the trees alone, without any tensor: which nodes are there, how
# deep is each, and which belong together? The second goes through the groups. What you need in it
# is a place to look up, for each node, in which row of what tensor its result stands.

# %% [markdown] hint="batching"
# ```
# (1 + 2) * 3      4 - 5         leaves   [1, 2, 3, 4, 5]                 leaf, once
#                                (1, "+") [1] with [2]                    join("+", …)
#                                (1, "-") [4] with [5]                    join("-", …)
#                                (2, "*") [1 + 2] with [3]                join("*", …)
#
# all results so far, in rows    1 2 3 4 5 │ 1+2 │ 4-5 │ (1+2)*3
#                                0 1 2 3 4    5     6       7
# left of "*": rows[[5]]     right of "*": rows[[2]]     answer: rows[[7, 6]]
# ```

# %% [markdown] hint="batching"
# ```python
# depth, groups, place = {}, {}, {}               # by id; by (depth, op); id -> row
# ...                                             # a walk with a stack fills depth and groups
# rows = leaf([...])
# for d, op in sorted(groups):
#     nodes = groups[d, op]
#     left, right = ([place of node[side] for node in nodes] for side in (1, 2))
#     for i, node in enumerate(nodes):
#         place[id(node)] = len(rows) + i
#     rows = cr.concatenate([rows, join(op, rows[left], rows[right])])
# return rows[[...]]
# ```
# A tensor indexed with a list of rows has a gradient: rows that were read twice add up theirs. To
# copy all rows for each group costs something in a tree of 2,000 levels; it is allowed.


# %% exercise="batching" minutes=40 difficulty=5 importance=5 allow="numpy chainrule -chainrule.graph -chainrule.compiler -chainrule.program"
def batched(trees, leaf, join):
    """Return the results of all trees, one call of join for each depth and operator."""
    ### BEGIN SOLUTION
    depth, groups, numbers = {}, {}, {}
    stack = [(tree, False) for tree in trees]
    while stack:
        node, opened = stack.pop()
        if not isinstance(node, list):
            numbers.setdefault(node, len(numbers))
        elif opened and id(node) not in depth:
            depth[id(node)] = 1 + max(depth.get(id(side), 0) for side in node[1:])
            groups.setdefault((depth[id(node)], node[0]), []).append(node)
        elif id(node) not in depth:
            stack += [(node, True), (node[1], False), (node[2], False)]

    place = {}

    def places(parts):
        return [place[id(p)] if isinstance(p, list) else numbers[p] for p in parts]

    rows = leaf(list(numbers))
    for key in sorted(groups):
        nodes = groups[key]
        left, right = (places(node[side] for node in nodes) for side in (1, 2))
        place |= {id(node): len(rows) + i for i, node in enumerate(nodes)}
        rows = cr.concatenate([rows, join(key[1], rows[left], rows[right])])
    return rows[places(trees)]
    ### END SOLUTION


# %% tests="batching" behaviour="values" points=3
@autograder.test
def _(rng):
    "Row i is the result of tree i, the same as tree by tree, in the order of the trees."

    @beside
    def run(trees, table, u, v):
        import copy

        kept = copy.deepcopy(trees)
        rates = {"+": 1.0, "-": -0.5, "*": 0.25}
        out = batched(
            trees,
            lambda numbers: cr.tensor(table)[[k % len(table) for k in numbers]],
            lambda op, a, b: cr.tanh((a @ u) * rates[op] + b @ v),
        )
        return out.data, trees == kept

    what = "one row for each tree; are the trees unchanged"
    one, table = np.array([[1.0]]), np.array([[0.1], [0.2], [0.4]])
    rows = np.array([[np.tanh(0.25 * np.tanh(0.5) + 0.8)], [np.tanh(0.7)], [0.4]])
    trees = [["*", ["+", 0, 1], 2], ["-", 1, 2], 2]
    same(run(trees, table, one, 2 * one), (rows, True), what)
    ### BEGIN HIDDEN TESTS

    def oracle(trees, table, u, v):
        def one(tree):
            if not isinstance(tree, list):
                return table[tree % len(table)]
            rate = {"+": 1.0, "-": -0.5, "*": 0.25}[tree[0]]
            return np.tanh((one(tree[1]) @ u) * rate + one(tree[2]) @ v)

        return np.array([one(tree) for tree in trees]), True

    for count, largest in ((1, 0), (1, 5), (3, 1), (4, 4), (12, 9), (30, 6)):
        trees = []
        for _ in range(count):
            parts = [int(k) for k in rng.integers(-3, 50, size=rng.integers(0, largest + 1) + 1)]
            while len(parts) > 1:
                i = int(rng.integers(len(parts) - 1))
                parts[i : i + 2] = [[str(rng.choice(["+", "-", "*"])), parts[i], parts[i + 1]]]
            trees += parts
        k = int(rng.integers(1, 5))
        case = trees, rng.normal(size=(7, k)), rng.normal(size=(k, k)), rng.normal(size=(k, k))
        same(run(*case), oracle(*case), what)
    ### END HIDDEN TESTS


# %% tests="batching" behaviour="gradients" points=3
@autograder.test
def _(rng):
    "Gradients of leaves and weights are those of the trees one by one, added up."

    @beside
    def run(trees, table, u, v, up):
        t, a, b = (cr.tensor(array, requires_grad=True) for array in (table, u, v))
        signs = {"+": 1.0, "-": -1.0, "*": 0.25}
        out = batched(
            trees, lambda numbers: t[numbers], lambda op, x, y: cr.tanh(signs[op] * (x @ a) + y @ b)
        )
        (out * up).sum().backward()
        return [np.zeros(w.shape) if w.grad is None else w.grad.data for w in (t, a, b)]

    what = "gradients of the leaves' table and of the two weights"
    one, table = np.array([[0.5]]), np.array([[0.1], [0.2]])
    d = 1 - np.tanh(0.25) ** 2
    grads = [np.array([[0.5 * d], [d + 3.0]]), np.array([[0.1 * d]]), np.array([[0.2 * d]])]
    up = np.array([[1.0], [3.0]])
    same(run([["+", 0, 1], 1], table, one, 2 * one, up), grads, what)
    ### BEGIN HIDDEN TESTS

    def oracle(trees, table, u, v, up):
        grads = [np.zeros(a.shape) for a in (table, u, v)]
        signs = {"+": 1.0, "-": -1.0, "*": 0.25}

        def forward(tree):
            if not isinstance(tree, list):
                return table[tree]
            return np.tanh(signs[tree[0]] * (forward(tree[1]) @ u) + forward(tree[2]) @ v)

        def backward(tree, g):
            if not isinstance(tree, list):
                grads[0][tree] += g
                return
            d = g * (1 - forward(tree) ** 2)
            s = signs[tree[0]] * d
            grads[1] += np.outer(forward(tree[1]), s)
            grads[2] += np.outer(forward(tree[2]), d)
            backward(tree[1], s @ u.T)
            backward(tree[2], d @ v.T)

        for tree, g in zip(trees, up, strict=True):
            backward(tree, g)
        return grads

    for count, largest in ((1, 0), (1, 4), (5, 3), (20, 6)):
        trees = []
        for _ in range(count):
            parts = [int(k) for k in rng.integers(0, 5, size=rng.integers(0, largest + 1) + 1)]
            while len(parts) > 1:
                i = int(rng.integers(len(parts) - 1))
                parts[i : i + 2] = [[str(rng.choice(["+", "-", "*"])), parts[i], parts[i + 1]]]
            trees += parts
        arrays = rng.normal(size=(5, 3)), rng.normal(size=(3, 3)), rng.normal(size=(3, 3))
        case = trees, *arrays, rng.normal(size=(count, 3))
        same(run(*case), oracle(*case), what)
    ### END HIDDEN TESTS


# %% tests="batching" behaviour="calls" points=4
@autograder.test
def _(rng):
    "One call of leaf, one of join for each depth and operator; each list is one row."

    @beside
    def run(trees, tell):
        def leaf(numbers):
            tell("leaf", len(numbers))
            return cr.tensor(np.array(numbers, float)[:, None])

        def join(op, a, b):
            tell(op, len(a))
            return {"+": a + b, "-": a - b, "*": a * b}[op]

        return batched(trees, leaf, join).data

    def judge(trees, values, expected):
        calls = []
        got = run(trees, callback(lambda op, rows: calls.append((str(op), int(rows)))))
        same(got, np.array(values)[:, None], "one row for each tree")
        came = {op: sorted(n for name, n in calls if name == op) for op in ("leaf", *"+-*")}
        require(len(came["leaf"]) == 1, f"leaf is called once, not {len(came['leaf'])} times")
        for op in "+-*":
            words = f"one call for each depth, with {sorted(expected.get(op, []))} rows"
            fits = came[op] == sorted(expected.get(op, []))
            require(fits, f"join for {op!r}: expected {words}, came {came[op]}")

    trees = [["*", ["+", 0, 1], 2], ["-", 1, 2], 2, ["+", 3, 3]]
    judge(trees, [2.0, -1.0, 2.0, 6.0], {"+": [2], "-": [1], "*": [1]})
    judge([7, 7], [7.0, 7.0], {})
    ### BEGIN HIDDEN TESTS

    def look(tree, groups):
        if not isinstance(tree, list):
            return 0, float(tree)
        (d, a), (e, b) = look(tree[1], groups), look(tree[2], groups)
        key = tree[0], 1 + max(d, e)
        groups[key] = groups.get(key, 0) + 1
        return key[1], {"+": a + b, "-": a - b, "*": a * b}[tree[0]]

    for count, largest in ((1, 1), (6, 3), (25, 8), (60, 5), (400, 2)):
        trees, groups = [], {}
        for _ in range(count):
            parts = [int(k) for k in rng.integers(0, 3, size=rng.integers(0, largest + 1) + 1)]
            while len(parts) > 1:
                i = int(rng.integers(len(parts) - 1))
                parts[i : i + 2] = [[str(rng.choice(["+", "-", "*"])), parts[i], parts[i + 1]]]
            trees += parts
        values = [look(tree, groups)[1] for tree in trees]
        rows = {op: [groups[key] for key in sorted(groups) if key[0] == op] for op in "+-*"}
        judge(trees, values, rows)
    ### END HIDDEN TESTS


# %% tests="batching" behaviour="shared" points=2
@autograder.test
def _(rng):
    "A list that stands in several places is one row of one call, in one tree or in several."

    @beside
    def run(levels, tell):
        t = 1
        for _ in range(levels):
            t = ["+", t, t]

        def join(op, a, b):
            tell(op, len(a))
            return a + b if op == "+" else a - b

        leaf = lambda numbers: cr.tensor(np.array(numbers, float)[:, None])  # noqa: E731
        return batched([t, ["-", t, 4], ["-", 9, t], t], leaf, join).data[:, 0]

    def judge(levels):
        rows = []
        got = run(levels, callback(lambda op, n: rows.append((str(op), int(n)))))
        top = 2.0**levels
        same(got, np.array([top, top - 4, 9 - top, top]), f"values of four trees, {levels} levels")
        same(rows, [("+", 1)] * levels + [("-", 2)], "operator and rows of each call of join")

    judge(2)
    ### BEGIN HIDDEN TESTS
    judge(0)
    judge(1)
    judge(50)
    ### END HIDDEN TESTS


# %% tests="batching" behaviour="deep" points=1
@autograder.test
def _(rng):
    "Trees of 2,000 levels work, on either side."

    @beside
    def run(levels, more):
        left = right = 1
        for _ in range(levels):
            left, right = ["-", left, 2], ["-", 2, right]
        leaf = lambda numbers: cr.tensor(np.array(numbers, float)[:, None])  # noqa: E731
        return batched([left, *more, right], leaf, lambda op, a, b: a - b).data[:, 0]

    def judge(levels, more, values):
        ends = 1.0 - 2 * levels, 1.0
        same(run(levels, more), np.array([ends[0], *values, ends[1]]), f"{levels} levels")

    judge(6, [["-", 5, 1]], [4.0])
    ### BEGIN HIDDEN TESTS
    judge(2000, [3, ["-", 5, 1]], [3.0, 4.0])
    ### END HIDDEN TESTS


# %% [markdown]
# What it buys: 50 trees of the data, tree by tree and in batches. `Counted` counts calls. The clock
# is that of this machine, now.


# %% given="counted"
class Counted:
    """The net of exercise 5, with its weights, counting the calls of leaf and join."""

    def __init__(self, rng, k=16, h=32):
        def drawn(*shape, by):
            return cr.tensor(rng.normal(size=shape) / np.sqrt(by), requires_grad=True)

        self.table, self.out, self.calls = drawn(5, k, by=1), drawn(k, 5, by=k), 0
        self.weights = {
            op: (drawn(k, h, by=k), drawn(k, h, by=k), drawn(h, k, by=h), drawn(k, by=1e9))
            for op in "+-*"
        }

    def leaf(self, numbers):
        self.calls += 1
        return self.table[numbers]

    def join(self, op, left, right):
        self.calls += 1
        a, b, c, bias = self.weights[op]
        return cr.tanh(((left @ a) * (right @ b)) @ c + bias)

    def parameters(self):
        return [self.table, self.out, *(w for op in "+-*" for w in self.weights[op])]


# %%
from time import perf_counter

some, found = sums["trees"][:50], {}
for name in ("tree by tree", "in batches"):
    net = Counted(np.random.default_rng(0))
    start = perf_counter()
    if name == "in batches":
        rows = batched(some, net.leaf, net.join)
    else:
        rows = [climb(tree, lambda k, net=net: net.leaf([k]), net.join) for tree in some]
        rows = cr.concatenate(rows)
    (rows @ net.out).sum().backward()
    seconds = perf_counter() - start
    found[name] = rows.data, net.table.grad.data
    print(f"{name:12}   {net.calls:4} calls   {seconds * 1000:6.1f} ms with gradients")
for one, other in zip(*found.values(), strict=True):
    print("largest difference", np.abs(one - other).max())

# %% [markdown]
# And with it the net can be trained in seconds. Socher and others (2013) had people label *each
# phrase* of their sentences, and we do likewise: every part of a sum has a value modulo 5, and the
# net is asked for all of them. Since a part is the same list object as in the whole, this costs no
# call more. Beside it, a bag: how often each number and each operator occurs, and a two-layer net
# on that.


# %% given="parts"
def parts_of(trees):
    """Return all nodes and leaves of some trees, and what each is modulo 5."""
    parts, rests = [], []

    def look(tree):
        rest = tree
        if isinstance(tree, list):
            a, b = look(tree[1]), look(tree[2])
            rest = {"+": a + b, "-": a - b, "*": a * b}[tree[0]] % 5
        parts.append(tree)
        rests.append(rest)
        return rest

    for tree in trees:
        look(tree)
    return parts, np.array(rests)


# %%
rng = np.random.default_rng(0)
net = Counted(rng)
train, test = np.flatnonzero(sums["train"]), np.flatnonzero(~sums["train"])
optimizer = Adam(net.parameters(), lr=0.01)
for _epoch in range(6):
    for places in np.split(rng.permutation(train), 40):
        parts, rests = parts_of([sums["trees"][i] for i in places])
        optimizer.zero_grad()
        cr.cross_entropy(batched(parts, net.leaf, net.join) @ net.out, rests).backward()
        optimizer.step()
with cr.no_grad():
    rows = batched([sums["trees"][i] for i in test], net.leaf, net.join) @ net.out
accuracy["tree"] = float(np.mean(np.argmax(rows.data, axis=1) == sums["mod5"][test]))
print(f"tree net, test: {accuracy['tree']:.1%} with {net.calls} calls")


# %% given="bag"
def bag_of_parts(tree):
    """Return how often each number and each operator occurs."""
    flat = str(tree)
    return [flat.count(name) for name in ("0", "1", "2", "3", "4", "'+'", "'-'", "'*'")]


# %%
bags = np.array([bag_of_parts(tree) for tree in sums["trees"]], float)
w1, w2 = (cr.tensor(rng.normal(size=s) / 3, requires_grad=True) for s in ((8, 64), (64, 5)))
optimizer = Adam([w1, w2], lr=0.01)
for _step in range(300):
    optimizer.zero_grad()
    loss = cr.cross_entropy(cr.relu(bags[train] @ w1) @ w2, sums["mod5"][train])
    loss.backward()
    optimizer.step()
guesses = np.argmax((cr.relu(bags[test] @ w1) @ w2).data, axis=1)
accuracy["leaves"] = float(np.mean(guesses == sums["mod5"][test]))
print(f"bag of leaves, test: {accuracy['leaves']:.1%}")

# %% [markdown]
# ## What a trace bakes in
#
# The third way between the two kinds of graph: write Python, run it *once* with an example, and
# keep the operations that ran (lesson 13 builds such a tracer). Then everything in this lesson
# turns into a trap. The `if` went one way, the `for` went five times round, and the trace knows
# nothing of either. It gives no error. It gives numbers.
#
# (PyTorch takes a second to import, TensorFlow some more. In an installation without PyTorch, the
# checks of this exercise that need it fail with a sentence.)

# %% given="torch"
import os
import warnings

HOW = "is not installed here. `make lab`, without LIGHT=1, adds it; all the rest works without."
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
warnings.filterwarnings("ignore")
try:
    import torch
except ImportError:
    torch = None
    print("PyTorch", HOW)


# %% given="traced"
def doubled_or_less(x):
    return x * 2 if x.sum() > 0 else x - 1


def chosen(x):
    return torch.where(x > 0, x * 2, x - 1)


def walked(x):
    y = torch.zeros(())
    for t in range(len(x)):
        y = (y + x[t]) * 0.5
    return y


# %% given="more_functions"
def averaged(x):
    return x.sum() / x.shape[0]


def halved(x):
    while x.abs().max() > 1:
        x = x / 2
    return x


def scaled(x):
    return x * x.max().item()


TRAPS = {f.__name__: f for f in (doubled_or_less, chosen, walked, averaged, halved, scaled)}

# %% [markdown] prompt="traps"
# ### Exercise 8: predict what a trace does
#
# Predict first. The cell after the checks runs everything.
#
# **Inputs that betray a trace.** `witnesses()` returns a dict. For each of the six names in `TRAPS`
# it says whether `torch.jit.trace(f, example)` is wrong somewhere: either a pair `(example, other)`
# of lists with 1 to 6 floats, where the function traced with `example` gives for `other` something
# else than the function itself, without an error; or None, if there is no such pair.
#
# **How often does Python run?** `runs()` returns a dict of whole numbers. A function `f(x)` that
# returns `x * 2` is made a `tf.function`, and then called. How often does its body run in Python,
# in all calls together?
#
# | key | calls |
# |---|---|
# | `"values"` | `f(tf.constant(1.0))`, `f(tf.constant(2.0))`, `f(tf.constant(3.0))` |
# | `"floats"` | `f(1.0)`, `f(2.0)`, `f(1.0)`, `f(3.0)`: Python's own numbers |
# | `"lengths"` | `f(tf.constant([1.0]))`, then with two, then with three entries |
# | `"dtypes"` | `f(tf.constant(1.0))`, `f(tf.constant(1))`, `f(tf.constant(2.0))` |
#
# **How many graphs?** `graphs()` returns a dict of whole numbers. A function goes through
# `torch.compile`, which guards what it assumes about its inputs, compiles anew when a guard fails,
# and *breaks* a graph in two where Python needs a number. The second time that a length differs
# from what was assumed, it stops to assume it. How many graphs are compiled in all?
#
# | key | function | calls, with tensors of |
# |---|---|---|
# | `"chosen"` | `chosen` | 1.0, −1.0, 5.0 (no axes) |
# | `"branch"` | `doubled_or_less` | (1, 2), (3, 2), (−3, 2), (−3, 1) |
# | `"lengths"` | `chosen` | two entries, three, four, five |
#
# For this exercise PyTorch is allowed.

# %% [markdown] hint="traps"
# Ask of each function: what in it is a Python number or a Python decision, made from the *values*
# or the *length* of x? That is baked in. `x.shape[0]` is a special case: PyTorch's tracer notes it
# as an operation. `len(x)` in a `range` it cannot.

# %% [markdown] hint="traps"
# ```
#                    trace with [1.0, 2.0]              ask for [-1.0, -2.0]
# doubled_or_less    sum > 0 is True: "x * 2" is noted   x * 2, not x - 1
# ```
# `tf.function` keeps one trace for each *kind* of input: dtype and shape of a tensor, but the value
# of a Python number. For `torch.compile`, `doubled_or_less` is three pieces: what comes before
# the `if`, and one for each way that was taken.

# %% [markdown] hint="traps"
# ```python
# {"doubled_or_less": ([0.5], [-0.5]), "chosen": ..., ...}      # of witnesses
# {"values": 1, "floats": ..., "lengths": ..., "dtypes": ...}    # of runs
# ```


# %% exercise="traps" minutes=20 difficulty=3 importance=4 allow="numpy torch chainrule"
def witnesses():
    """Return for each function in TRAPS inputs (example, other) that betray its trace, or None."""
    ### BEGIN SOLUTION

    def pair(*texts):
        return [[float(number) for number in text.split()] for text in texts]

    return {
        "doubled_or_less": pair("1 2", "-1 -2"),
        "chosen": None,
        "walked": pair("1 2", "1 2 3"),
        "averaged": None,
        "halved": pair("1", "8"),
        "scaled": pair("1 2", "3 4"),
    }
    ### END SOLUTION


def runs():
    """Return how often Python runs the body of a tf.function, by the keys of the table."""
    ### BEGIN SOLUTION
    return {"values": 1, "floats": 3, "lengths": 3, "dtypes": 2}
    ### END SOLUTION


def graphs():
    """Return how many graphs torch.compile makes, by the keys of the table."""
    ### BEGIN SOLUTION
    return {"chosen": 1, "branch": 3, "lengths": 2}
    ### END SOLUTION


# %% tests="traps" behaviour="witnesses" points=4
@autograder.test
def _(rng):
    "Each input that you name betrays its trace: the traced function returns something else."

    @beside
    def run(name, example, other):
        if torch is None:
            return f"PyTorch {HOW}", None
        traced = torch.jit.trace(TRAPS[name], torch.tensor(example), check_trace=False)
        return [f(torch.tensor(other)).numpy() for f in (TRAPS[name], traced)]

    def judge(names):
        got = call(witnesses)
        require(isinstance(got, dict), "witnesses returns a dict")
        for name in names:
            pair = got.get(name)
            fits = isinstance(pair, tuple | list) and [type(p) for p in pair] == [list, list]
            fits = fits and all(1 <= len(p) <= 6 and {*map(type, p)} <= {int, float} for p in pair)
            require(fits, f"{name}: expected a pair of lists with 1 to 6 floats")
            itself, traced = run(name, *([float(v) for v in p] for p in pair))
            require(type(itself) is not str, f"{itself}")
            gap = np.abs(itself - traced).max() if itself.shape == traced.shape else np.inf
            at_least(gap, 1e-6, f"{name}: difference for {pair[1]}, traced with {pair[0]}")

    judge(["doubled_or_less"])
    ### BEGIN HIDDEN TESTS
    judge(["walked", "halved", "scaled"])
    ### END HIDDEN TESTS


# %% tests="traps" behaviour="sound" points=2
@autograder.test
def _(rng):
    "None stands where a trace is right for all inputs, and only there."
    got = call(witnesses)
    require(isinstance(got, dict), "witnesses returns a dict")
    names = ["averaged", "chosen", "doubled_or_less", "halved", "scaled", "walked"]
    same(sorted(got), names, "the names in your dict, sorted")
    require(got["doubled_or_less"] is not None, "doubled_or_less: there is such a pair")
    ### BEGIN HIDDEN TESTS
    for name in names:
        if name in ("averaged", "chosen"):
            require(got[name] is None, f"{name}: its trace is right for all inputs")
        else:
            require(got[name] is not None, f"{name}: there is such a pair")
    ### END HIDDEN TESTS


# %% tests="traps" behaviour="runs" points=2
@autograder.test
def _(rng):
    "The body of a tf.function runs as often as you predict."
    got = call(runs)
    require(isinstance(got, dict), "runs returns a dict")
    same(sorted(got), ["dtypes", "floats", "lengths", "values"], "the keys, sorted")
    same(got["values"], 1, "runs of Python for three tensors of one kind")
    ### BEGIN HIDDEN TESTS
    same(got, {"values": 1, "floats": 3, "lengths": 3, "dtypes": 2}, "runs of Python")
    ### END HIDDEN TESTS


# %% tests="traps" behaviour="graphs" points=2
@autograder.test
def _(rng):
    "torch.compile makes as many graphs as you predict."
    got = call(graphs)
    require(isinstance(got, dict), "graphs returns a dict")
    same(sorted(got), ["branch", "chosen", "lengths"], "the keys, sorted")
    same(got["chosen"], 1, "graphs for three tensors of one kind")
    ### BEGIN HIDDEN TESTS
    same(got, {"chosen": 1, "branch": 3, "lengths": 2}, "graphs")
    ### END HIDDEN TESTS


# %% [markdown]
# Now let the frameworks speak. First `torch.jit.trace`, with your inputs; then how many graphs
# `torch.compile` asks a backend for that compiles nothing (it hands the graph back as it is), and
# how often `tf.function` runs Python.

# %%
if torch is not None:
    for name, pair in witnesses().items():
        example, other = (torch.tensor(p) for p in pair or ([1.0, 2.0], [-3.0, 4.0, 5.0]))
        f = TRAPS[name]
        traced = torch.jit.trace(f, example, check_trace=False)
        print(f"{name:16} itself {f(other).tolist()!s:24} traced {traced(other).tolist()}")

# %%
made = {"chosen": 0, "branch": 0, "lengths": 0}
calls = {
    "chosen": ("chosen", [1.0, -1.0, 5.0]),
    "branch": ("doubled_or_less", [[1.0, 2.0], [3.0, 2.0], [-3.0, 2.0], [-3.0, 1.0]]),
    "lengths": ("chosen", [[1.0] * n for n in (2, 3, 4, 5)]),
}
if torch is not None:
    for key, (name, inputs) in calls.items():

        def backend(module, example, key=key):
            made[key] += 1
            return module.forward

        torch._dynamo.reset()
        compiled = torch.compile(TRAPS[name], backend=backend)
        fits = [torch.equal(compiled(x), TRAPS[name](x)) for x in map(torch.tensor, inputs)]
        says = f"{made[key]} graphs, you said {graphs()[key]}; values equal: {all(fits)}"
        print(f"torch.compile, {key:8} {says}")

# %%
try:
    import tensorflow as tf
except ImportError:
    tf = None
    print("TensorFlow", HOW)
ran = {"values": 0, "floats": 0, "lengths": 0, "dtypes": 0}
if tf is not None:
    tf.get_logger().setLevel("ERROR")
    c = tf.constant
    inputs = {
        "values": [c(1.0), c(2.0), c(3.0)], "floats": [1.0, 2.0, 1.0, 3.0],
        "lengths": [c([1.0]), c([1.0] * 2), c([1.0] * 3)], "dtypes": [c(1.0), c(1), c(2.0)],
    }  # fmt: skip
    for key, values in inputs.items():

        def body(x, key=key):
            ran[key] += 1
            return x * 2

        function = tf.function(lambda x, body=body: body(x))
        for value in values:
            function(value)
        print(f"tf.function, {key:8} ran Python {ran[key]} times, you said {runs()[key]}")

# %% [markdown]
# Three answers to one problem. `torch.jit.trace` believes its example. `tf.function` looks at the
# kind of its inputs and traces again (and its AutoGraph turns an `if` on a tensor into a `cond`,
# [Moldovan and others, 2019](https://arxiv.org/abs/1810.08061)). `torch.compile` guards each
# assumption and leaves what it cannot have to Python ([Ansel and others,
# 2024](https://doi.org/10.1145/3620665.3640366)).

# %% [markdown] prompt="which_way"
# ### In your own words
#
# A program translates sentences. Sentences have different lengths; a small net decides for each
# word whether to look it up in a dictionary; and the program shall run on a phone, without Python.
# Which of the lesson's ways would you take for the loop over the words and for the decision, and
# which would you take while you are still looking for the right net? Name one thing that goes wrong
# silently, and how you would notice.

# %% [markdown] written="which_way" points=4
# ### BEGIN SOLUTION
# While I look for the net: Python's own `for` and `if` on the tape. Lengths differ, the net changes
# daily, and errors come at the line that made them. When it is slow, sentences go in batches with a
# mask, or are grouped by depth as in exercise 7.
#
# For the phone: a graph that is data, with the loop as a `while_loop` (or `foldl`) node and the
# decision as a `cond` node, since nothing there can run Python. Both branches are in the graph, one
# runs.
#
# What goes wrong silently is a trace: the number of steps and the way that the example took are
# baked in, and another sentence gets a wrong translation without an error. I would notice by
# comparing the exported program with Python on sentences of other lengths and on words of both
# kinds.
# ### END SOLUTION
#
# ### BEGIN MARK SCHEME
# * 1 point: Python's control flow while searching, with a reason.
# * 1 point: nodes for loop and branch (or a script that is compiled to such) for the phone, with a
#   reason.
# * 1 point: something silent: a baked-in branch or length, or padding without a mask.
# * 1 point: a test that would show it: other lengths, both branches, compared with the eager
#   program.
# ### END MARK SCHEME

# %% [markdown]
# ## What it bought, what it cost
#
# | | it bought | it cost |
# |---|---|---|
# | `if` and `for` on a tape | nothing new to learn | Python runs each time |
# | `cond`, `while_loop` as nodes | the program is data | a language within the language |
# | padding and a mask | batches of words | steps that are thrown away; a mask in each rule |
# | a net of the shape of its input | answers for shapes never seen | a graph for each example |
# | dynamic batching | few large calls instead of many small ones | a scheduler; depth remains |
# | tracing | Python stays | what the example did not do is not there |
#
# ## What history did with it
#
# * **1990** Elman reads words with a recurrent net; Werbos writes down back-propagation through
#   time.
# * **2011, 2013** Socher and others: recursive nets for parse trees, at first written by hand in
#   Matlab.
# * **2015** TensorFlow comes with nodes for branches and loops; Yu and others describe them in
#   2018. **2015** Chainer, and in 2017 PyTorch and DyNet, leave control flow to
#   the host's language (Tokui and others, 2015).
# * **2016** Andreas and others assemble nets from questions. **2017** TensorFlow Fold batches what
#   is different; it was never updated for TensorFlow 2. Its idea lives on wherever unequal things
#   share a call.
# * **Since 2017** the transformer took over the sentences: no recurrence, one large product for all
#   words at once. It is a static graph again, padded and masked. Of all the answers to this
#   lesson's question, "change the model so that the question goes away" won most.

# %% [markdown]
# ## Now in PyTorch and TensorFlow
#
# Not graded. Your masked RNN is what PyTorch does with a *packed* sequence, which has no padding in
# it: words are sorted by length, and each step computes the rows that are still there.

# %%
if torch is None:
    print("PyTorch", HOW)
else:
    places = np.arange(6)
    x, lengths = letters_of(places)
    layer = torch.nn.RNN(7, H, batch_first=True, dtype=torch.float64)
    with torch.no_grad():
        for tensor, array in zip(layer.parameters(), (wx.T, wh.T, b, 0 * b), strict=True):
            tensor.copy_(torch.tensor(np.array(array)))
    packed = torch.nn.utils.rnn.pack_padded_sequence(
        torch.tensor(x), torch.tensor(lengths), batch_first=True, enforce_sorted=False
    )
    _, last = layer(packed)
    last[0].sum().backward()
    states = rnn(x, lengths, wx, wh, b)
    _, dwx, dwh, _ = bptt(x, lengths, states, wx, wh, np.ones((6, H)))
    print("last states", np.abs(last[0].detach().numpy() - states[-1]).max())
    print("gradient of wx", np.abs(layer.weight_ih_l0.grad.numpy() - dwx.T).max())
    print("gradient of wh", np.abs(layer.weight_hh_l0.grad.numpy() - dwh.T).max())

# %% [markdown]
# And TensorFlow's `cond`, `while_loop` and `foldl`, in a graph of TensorFlow 1, beside yours:

# %%
if tf is None:
    print("TensorFlow", HOW)
else:
    v1 = tf.compat.v1
    numbers = np.array([1.0, 2.0, 3.0])
    with tf.Graph().as_default(), v1.Session() as session:
        r, u = v1.placeholder(tf.float64, (3,)), v1.placeholder(tf.float64, ())
        zero = tf.constant(0.0, tf.float64)
        folded = tf.foldl(lambda y, e: (y + e) * u, r, zero)
        picked = tf.cond(u > 0, lambda: folded * 2, lambda: u)
        nodes = [folded, picked, *tf.gradients(picked, [r, u])]
        theirs = [session.run(nodes, {r: numbers, u: value}) for value in (0.5, -0.5)]
    r, u = placeholder((3,)), placeholder()
    folded = foldl(lambda y, e: (y + e) * u, r, 0.0)
    picked = cond(u > 0, lambda: folded * 2.0, lambda: u)
    for value, others in zip((0.5, -0.5), theirs, strict=True):
        feeds = {r: numbers, u: value}
        ours = [*compute([folded, picked], feeds), *gradients(picked, [r, u], feeds)]
        far = max(np.abs(a - b).max() for a, b in zip(ours, others, strict=True))
        print(
            f"u = {value:4}: folded {ours[0]:7.4f}   picked {ours[1]:7.4f}   difference {far:.1e}"
        )

# %% [markdown]
# Lesson 15 goes through the frameworks one by one, with one net for all of them.
