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
#     title: Static graphs
#     minutes: 260
#     needs: [autograd_engine, optimizers]
#     covers:
#       "TensorFlow 1: define, then run many times": Define, then run
#       placeholders, sessions, feeds: session
#       Variables: variables
#       random_normal: optimizer
#       group: variables
#       optimizers: optimizer
#       tf.layers: dense
#       Theano: theano
# ---

# %% [markdown]
# # Static graphs: build TensorFlow 1
#
# Here is a program of 2017, in the style of TensorFlow 1. One weight, one example, the loss
# (w·x − y)². It asks for the gradient, it moves the weight downhill, it runs four times.

# %% given="setup"
from contextlib import ExitStack, contextmanager

import numpy as np

import autograder
import chainrule as cr
from chainrule import graph as finished  # what you are about to build
from chainrule.operators import Operators
from chainrule.ops.shared import same as same_shape
from chainrule.primitive import RECORDERS, TABLE, primitive, vjp
from chainrule.small_graph import stand_in
from chainrule.tape import Array

# %%
with finished.Graph().as_default():
    x = finished.placeholder("float64", (), name="x")
    w = finished.Variable(np.array(2.0), name="w")
    loss = (w * x - 11.0) ** 2
    (slope,) = finished.gradients(loss, [w])
    w.assign(w - 0.05 * slope)
    with finished.Session() as session:
        session.run(finished.global_variables_initializer())
        for _step in range(4):
            print(session.run(loss, feed_dict={x: 3.0}))

# %% [markdown]
# The loss does not move. Nothing is raised, and each line is right: the gradient is
# 2 · 3 · (6 − 11) = −30, and the line with `assign` says w ← 2 + 1.5. The lecture's slides (CS231n,
# 2017) have the same mistake in a larger program, with two matrices and fifty steps, and the remark
# that the loss is not going down. What is wrong?
#
# You will know after exercise 4. The answer lies in what these lines *are*. They do not compute.
# They build a graph, once; and a *session* runs those parts of it that it is asked for, many times.
#
# ```diff
# -for step in range(500):
# -    y_pred = relu(x @ w1) @ w2
# -    loss = ((y_pred - y) ** 2).sum()
# -    loss.backward()
# -    ...
# +x = tf.placeholder(tf.float32, shape=(N, D_in))
# +y_pred = tf.matmul(tf.nn.relu(tf.matmul(x, w1)), w2)
# +loss = tf.reduce_sum((y_pred - y) ** 2)
# +grads = tf.gradients(loss, [w1, w2])
# +...
# +for step in range(500):
# +    session.run([loss, updates], feed_dict={x: ..., y: ...})
# ```
#
# Before, the net stood in the loop. Each of its 500 rounds built a tape and threw it away. Now the
# net stands in front of the loop. In this lesson you build what makes that possible: the graph,
# the session, gradients as nodes, variables, optimizers, layers, about 200 lines. At the end the
# same source, unchanged, runs in your framework and in the real `tensorflow.compat.v1`, and the
# losses are equal at every step.
#
# Two sittings. The first (exercises 1 to 4, about two hours and a quarter) ends when you have found
# the mistake. In the second you build on it what made people like TensorFlow anyway.

# %% [markdown]
# ## Define, then run
#
# Lesson 01 ended with `(a**2 + b**2) ** 0.5`, an expression that was built first and computed when
# it was called. A static graph is that, for whole training programs. Its nodes come in kinds:
#
# * a **placeholder** is a hole: its value is *fed* when the graph runs;
# * a **constant** has its value in it;
# * an **operation** has inputs, other nodes. What it computes stands in a table.
# * Later come **variables**, which remember, and nodes that change them.
#
# The table exists. Every operation that `chainrule` knows is an entry of `TABLE`:

# %%
square_root = TABLE["sqrt"]
print(square_root, square_root.forward(np.array(9.0)), square_root.rules)
print(TABLE["matmul"], "shape of the product:", TABLE["matmul"].shape(np.ones((4, 3)), np.ones(3)))

# %% [markdown]
# | of an entry `op` | |
# |---|---|
# | `op.name` | its name in the table |
# | `op.forward(*arrays, **options)` | computes; options are things such as `axis` |
# | `op.rules[i]` | the vector-Jacobian product for input i, as in lesson 04, or None |
# | `op.shape(*inputs, **options)` | the shape that comes out, from the inputs' `.shape` alone |
#
# Functions such as `cr.matmul` are the way into the table. They look at what they are given. If it
# is an array they compute, if it is a tensor they compute and note it on a tape. And if there is a
# `Node` among the arguments, of the class below, they compute nothing: they call
# `record(op, inputs, options)`, which you write, and return what it returns.


# %% given="graph"
class Graph:
    """Nodes in the order in which they were made, each under a name of its own."""

    def __init__(self):
        self.nodes, self.variables = [], []
        self.waiting, self.scopes = [], []  # of the `with` blocks that are open
        self.shared, self.taken = {}, {}

    def unique(self, name):
        count = self.taken.get(name, 0)
        self.taken[name] = count + 1
        return name if count == 0 else self.unique(f"{name}_{count}")

    @contextmanager
    def as_default(self):
        GRAPHS.append(self)
        try:
            yield self
        finally:
            GRAPHS.pop()


GRAPHS = [Graph()]  # the last one is where new nodes go


# %% given="node"
class Node(Operators):  # with + - * / ** @, .sum(), .reshape() and so on
    """A value that will be known when a session runs."""

    def __init__(self, op, inputs=(), options=(), shape=None, dtype=None, name=None):
        self.op, self.inputs, self.options = op, tuple(inputs), dict(options)
        self.shape = shape if shape is None else tuple(int(n) for n in shape)
        self.dtype = dtype if dtype is None else np.dtype(dtype)
        graph = GRAPHS[-1]
        self.name = graph.unique(name or op)
        self.after = tuple(graph.waiting)  # exercise 4 needs it
        graph.nodes.append(self)

    @property
    def ndim(self):
        return len(self.shape)

    def __bool__(self):
        raise TypeError(f"{self.name!r} has no value yet; to look for a node use `is`, set or dict")

    def __init_subclass__(cls):
        RECORDERS[cls] = RECORDERS[Node]

    __iter__ = None

    def __repr__(self):
        return f"<{self.op} {self.name!r} {self.shape}>"


RECORDERS[Node] = lambda *call: record(*call)  # now operations know what to do with nodes


# %% given="kind"
def kind(op, inputs, options):
    """Return shape and dtype of what an operation of the table will give, without computing it."""
    shape = op.shape(*inputs, **options)
    if op.dtype is not None:
        return shape, op.dtype(*inputs, **options)
    return shape, np.result_type(*(x.dtype if isinstance(x, Node) else x for x in inputs))


def facts(node):
    """Return what a node is made of, as plain data."""
    inputs = [i.name if isinstance(i, Node) else i for i in node.inputs]
    return {"op": node.op, "inputs": inputs, "shape": node.shape, "dtype": str(node.dtype)}


# %% [markdown]
# And one more entry for the table, the identity. It reports when it is computed. The checks use it,
# and so may you.


# %% given="watched"
@primitive(shape=same_shape)
def watched(x: Array, /, tell=None) -> Array:
    """Return x, and call tell()."""
    tell()
    return x


@vjp(watched, "x")
def watched_x(g: Array, out: None, x: None, tell) -> Array:
    return g


# %% [markdown]
# **How you are graded.** As in lesson 01: a check shows a case or two, and asks the same of fresh
# numbers and graphs when your notebook is graded
# ([how you are graded](../../docs/how_you_are_graded.md)). The exercises stand on each other: what
# you build in one, the next ones use. Where that is not finished, or has a mistake, a ready-made
# part steps in. A line with `stand_in` behind the checks tries yours and says which of the two goes
# on. So an exercise that you leave open costs its own points and no others. (Within an exercise its
# ready-made part does not exist: its card says "without".)

# %% [markdown] prompt="nodes"
# ### Exercise 1: placeholders, constants, operations
#
# Write three functions. Each makes a new `Node` and returns it. None of them computes anything.
#
# * `placeholder(dtype, shape, name=None)`: a node with op `"placeholder"`, without inputs. `shape`
#   is a tuple or a list.
# * `constant(value, dtype=None, name=None)`: op `"constant"`, without inputs. `value` is an array,
#   a number or a nested list. Its array stands in `options["value"]`; it is a copy, so that later
#   changes of `value` do nothing. Shape is that of the array, and so is the dtype, unless one is
#   given. Then the array has that one.
# * `record(op, inputs, options)`: a node for one call of the entry `op`. The node's op is the
#   entry's *name*. Its `inputs`, in their order: nodes, also those of a subclass of `Node`, and
#   plain Python numbers (`int`, `float`, `bool`) stay what they are; anything else, such as an
#   array, a list or a NumPy number (`np.float64(2)`), becomes a constant node. Its options are
#   `options`; shape and dtype come from `kind`.
#
# Without a name a node is called as its op; `Node` sees to that, and makes names unique. Allowed
# are NumPy and `chainrule` without `chainrule.graph`, in this lesson everywhere.

# %% [markdown] hint="nodes"
# `kind` wants inputs that have a shape. So turn arrays into nodes before you call it. And mind that
# `np.float64(2.0)` is an instance of `float`.

# %% [markdown] hint="nodes"
# ```
# x = placeholder("float64", (2, 3), "x")         y = (x * np.ones(3)).sum(axis=0)
#
# name        op             inputs                  options          shape
# x           placeholder    ()                                       (2, 3)
# constant    constant       ()                      value: [1 1 1]   (3,)
# multiply    multiply       (x, constant)                            (2, 3)
# sum         sum            (multiply,)             axis: 0, ...     (3,)
# ```

# %% [markdown] hint="nodes"
# ```python
# def constant(value, dtype=None, name=None):
#     value = np.array(...)               # np.array copies
#     return Node("constant", (), {"value": ...}, ..., ..., name)
#
# def record(op, inputs, options):
#     nodes = [x if isinstance(x, Node) or type(x) in (...) else constant(x) for x in inputs]
#     shape, dtype = kind(...)
#     return Node(...)
# ```
# (Exercise 4 makes a subclass of `Node`: `isinstance(x, Node)` knows it, `type(x) is Node` does
# not.)


# %% exercise="nodes" minutes=15 difficulty=2 importance=4 allow="numpy chainrule -chainrule.graph -chainrule.compiler -chainrule.program -chainrule.small_graph.nodes"
def placeholder(dtype, shape, name=None):
    """Return a node whose value is fed when the graph runs."""
    ### BEGIN SOLUTION
    return Node("placeholder", (), {}, shape, dtype, name)
    ### END SOLUTION


def constant(value, dtype=None, name=None):
    """Return a node with a value that never changes."""
    ### BEGIN SOLUTION
    value = np.array(value, dtype=dtype)
    return Node("constant", (), {"value": value}, value.shape, value.dtype, name)
    ### END SOLUTION


def record(op, inputs, options):
    """Return the node of one call of the operation `op`; called when an operation meets a Node."""
    ### BEGIN SOLUTION
    kept = Node, int, float
    nodes = []
    for x in inputs:
        plain = isinstance(x, kept) and not isinstance(x, np.generic)
        nodes.append(x if plain else constant(x))
    shape, dtype = kind(op, nodes, options)
    return Node(op.name, nodes, options, shape, dtype)
    ### END SOLUTION


# %% tests="nodes" behaviour="sources" points=2
@autograder.test
def _(rng):
    "Placeholders and constants are nodes with the stated op, shape, dtype, name and value."

    @beside
    def run(dtype, shape, value, cast):
        with Graph().as_default():
            hole, full, again = placeholder(dtype, shape, "x"), constant(value), constant(value)
            made = constant(value, cast, name="c")
        held = [node.options.get("value") for node in (hole, full, again, made)]
        names = [node.name for node in (hole, full, again, made)]
        return [facts(node) for node in (hole, full, made)], held, names

    none = {"op": "constant", "inputs": [], "shape": (2,), "dtype": "float64"}
    hole = {"op": "placeholder", "inputs": [], "shape": (3, 1), "dtype": "float32"}
    names, value = ["x", "constant", "constant_1", "c"], np.array([1.0, 2.0])
    short = value.astype("float32")
    expected = [hole, none, none | {"dtype": "float32"}], [None, value, value, short], names
    what = "what the nodes are made of; their options['value']; their names"
    same(run("float32", [3, 1], [1.0, 2.0], "float32"), expected, what)
    ### BEGIN HIDDEN TESTS
    for shape in ((), (1,), (0, 2), (3, 4, 5)):
        for dtype, cast in (("float64", "float32"), ("float32", "int64"), ("int32", "float64")):
            value = np.asarray(10 * rng.normal(size=shape)).astype(dtype)
            size = tuple(int(n) for n in rng.integers(0, 10**7, size=len(shape)))
            hole = {"op": "placeholder", "inputs": [], "shape": size, "dtype": dtype}
            full = {"op": "constant", "inputs": [], "shape": shape, "dtype": dtype}
            held = [None, value, value, np.asarray(value.astype(cast))]
            expected = [hole, full, full | {"dtype": cast}], held, names
            same(run(dtype, size, value, cast), expected, what)
    ### END HIDDEN TESTS


# %% tests="nodes" behaviour="operations" points=3
@autograder.test
def _(rng):
    "A call of an operation is a node with the entry's name, inputs, options, shape and dtype."

    @beside
    def run(build, shapes, array):
        import numpy as np

        with Graph().as_default() as graph:
            holes = [placeholder("float32", shape, "x") for shape in shapes]
            out = eval(build, {"x": holes, "cr": cr, "array": array, "np": np})
        options = {k: v for k, v in out.options.items() if k in ("axis", "keepdims", "shape")}
        return facts(out), options, [facts(node)["op"] for node in graph.nodes[len(holes) :]]

    def expected(op, inputs, shape, dtype, options, made):
        return {"op": op, "inputs": inputs, "shape": shape, "dtype": dtype}, options, made

    what = "what the last node is made of, some of its options, and the ops of all new nodes"
    a, out = np.ones(3), expected("multiply", ["x", "constant"], (2, 3), "float64", {}, [])
    same(run("x[0] * array", [(2, 3)], a), (*out[:2], ["constant", "multiply"]), what)
    out = expected("power", ["x", 2], (4,), "float32", {}, ["power"])
    same(run("x[0] ** 2", [(4,)], a), out, what)
    out = expected("sum", ["x"], (2, 1), "float32", {"axis": 1, "keepdims": True}, ["sum"])
    same(run("x[0].sum(axis=1, keepdims=True)", [(2, 3)], a), out, what)
    ### BEGIN HIDDEN TESTS
    n, k, m = (int(size) for size in rng.integers(2, 9, size=3))
    both = ["constant", "multiply"]
    cases = [
        ("x[0] @ x[1]", "matmul", ["x", "x_1"], (n, m), {}, ["matmul"]),
        ("3.5 - x[0]", "subtract", [3.5, "x"], (n, k), {}, ["subtract"]),
        ("x[0] / True", "divide", ["x", True], (n, k), {}, ["divide"]),
        ("cr.tanh(x[1])", "tanh", ["x_1"], (k, m), {}, ["tanh"]),
        ("x[0].T", "permute", ["x"], (k, n), {}, ["permute"]),
        ("x[0] * x[0] + x[0]", "add", ["multiply", "x"], (n, k), {}, ["multiply", "add"]),
        ("cr.mean(x[0], axis=0)", "mean", ["x"], (k,), {"axis": 0, "keepdims": False}, ["mean"]),
        ("x[0] * np.float32(2)", "multiply", ["x", "constant"], (n, k), {}, both),
        ("cr.maximum(x[0], 0)", "maximum", ["x", 0], (n, k), {}, ["maximum"]),
    ]  # fmt: skip
    for build, op, inputs, shape, options, made in cases:
        got = run(build, [(n, k), (k, m)], a)
        if op == "permute":
            got = got[0] | {"op": op}, {}, [op]
        same(got, expected(op, inputs, shape, "float32", options, made), f"{what}; {build}")
    for build in ("x[0] * np.float64(2)", "x[0] * array"):
        got = run(build, [(n, k)], np.ones(k))
        out = expected("multiply", ["x", "constant"], (n, k), "float64", {}, both)
        same(got, out, f"{what}; {build}")
    got = run("x[0] * x[0] + x[0] * x[0]", [(n, k)], a)
    made = ["multiply", "multiply", "add"]
    out = expected("add", ["multiply", "multiply_1"], (n, k), "float32", {}, made)
    same(got, out, f"{what}; each call makes a new node")
    got = run("array @ x[0]", [(n, k)], rng.normal(size=(m, n)))
    made = ["constant", "matmul"]
    out = expected("matmul", ["constant", "x"], (m, k), "float64", {}, made)
    same(got, out, f"{what}; an array @ a node")

    @beside
    def with_subclass(n):
        class Special(Node):
            pass

        with Graph().as_default():
            special = Special("special", (), {}, (n,), "float64", "s")
            return facts(special + 1)["inputs"], facts(special * special)["inputs"]

    same(with_subclass(n), (["s", 1], ["s", "s"]), "the inputs s + 1 and s * s, s of a subclass")
    ### END HIDDEN TESTS


# %% tests="nodes" behaviour="nothing_computed" points=2
@autograder.test
def _(rng):
    "Building computes nothing: operations are not run, whatever the sizes and values."

    @beside
    def run(ran, size):
        with Graph().as_default():
            x = placeholder("float64", (size, size), "x")
            out = cr.log(watched(watched(x @ x, tell=ran) + 1.0, tell=ran)) / 0
            return facts(out), facts(watched(constant([0.0]), tell=ran))["op"]

    ran = callback(lambda: None)
    out = {"op": "divide", "inputs": ["log", 0], "shape": (3, 3), "dtype": "float64"}
    same(run(ran, 3), (out, "watched"), "what the last nodes are made of")
    require(ran.calls == 0, f"an operation ran {ran.calls} times while the graph was built")
    ### BEGIN HIDDEN TESTS
    size = int(rng.integers(10**8, 10**9))
    same(run(ran, size), (out | {"shape": (size, size)}, "watched"), "with 10^16 numbers in each")
    require(ran.calls == 0, f"an operation ran {ran.calls} times while the graph was built")
    ### END HIDDEN TESTS


# %% tests="nodes" behaviour="copies" points=1
@autograder.test
def _(rng):
    "A constant keeps its value when the array it was made from changes later."

    @beside
    def run(array, dtype):
        import numpy as np

        array = np.array(array)
        with Graph().as_default():
            x = placeholder("float64", array.shape)
            held = [constant(array), constant(array, dtype), (x + array).inputs[1]]
        array.fill(77)
        return [node.options["value"] for node in held]

    value, what = np.array([1.0, 2.0]), "three constants after a change of the array"
    same(run(value, "float64"), [value, value, value], what)
    ### BEGIN HIDDEN TESTS
    for shape in ((), (3, 4), (1,), (300, 200)):
        value = np.asarray(rng.normal(size=shape))
        same(run(value, "float64"), [value, value, value], what)
    ### END HIDDEN TESTS


# %% given="nodes_stand_in"
stand_in("nodes", globals())

# %% [markdown]
# The expression of lesson 01 again, with your nodes:

# %%
with Graph().as_default() as lines:
    a, b = placeholder("float64", (), "a"), placeholder("float64", (), "b")
    c = watched((a**2 + b**2) ** 0.5, tell=lambda: print("computed!"))
for node in lines.nodes:
    print(f"{node.name:12}", *(i.name if isinstance(i, Node) else i for i in node.inputs))

# %% [markdown]
# No "computed!". Python has walked through the line and is done with it. What is left is a list of
# seven records, and nobody has said what `a` and `b` are.
#
# Now someone must run it. A **session** is asked for nodes, the *fetches*, and is given values for
# others, the *feeds*: `session.run(c, feed_dict={a: 3.0, b: 4.0})`. What one node computes once its
# inputs are known, is quickly said: an operation asks the table. Everything else has a *kernel*, a
# function of session, node and input values. So far constants need one.


# %% given="compute"
KERNELS = {"constant": lambda session, node: node.options["value"]}


def compute(session, node, values):
    """Return the value of a node from those of its inputs."""
    if node.op in TABLE:
        return TABLE[node.op].forward(*values, **node.options)
    if node.op in KERNELS:
        return KERNELS[node.op](session, node, *values)
    raise TypeError(f"nobody knows how to compute {node!r}")


# %% [markdown] prompt="session"
# ### Exercise 2: Session.run
#
# First the order. Write `in_order(targets, fed=())`, which takes a list of nodes and returns a list
# of all nodes that these need, with themselves, each once, and each after all that it needs. A node
# needs the nodes among its `inputs` and those in its `after`. What is in `fed` (nodes, in a tuple,
# list, set or as keys of a dict) needs nothing. Graphs may be deep; the checks go to 10,000 nodes
# in a row, and to 60 nodes that each use the one before twice.
#
# Then `Session.run(fetches, feed_dict=None)`.
#
# * **Fetches** are a node, or a list, tuple or dict of fetches, nested at will, also empty. What
#   comes back has the same structure, with values where the nodes were. Anything else among them
#   (a number, None, a name) raises a `TypeError`.
# * **Only what is needed** is computed, and each node once, in each run anew. Nothing that was
#   computed is remembered for the next run.
# * **Feeds**: any node may be fed, not only placeholders. Then it has this value, as an array of
#   its dtype, and what only it needs is not computed. A value of another shape raises a
#   `ValueError` whose message names the node; a key that is no node, a `TypeError`.
# * **Unfed**: a placeholder that is needed and not fed raises a `ValueError` that names it, before
#   anything is computed. One that is not needed may stay unfed.
# * **Values**: use `compute(self, node, values)`, with the values of all inputs in their order;
#   Python numbers are their own value. Arrays that come back are new: whoever writes into one,
#   changes no constant, no feed, and no other result. The dict of feeds stays as it is. A value
#   without axes comes back as a number, Python's or NumPy's; a `compute` that gives None, as None.
# * A run begins with `self.before = self.values.copy()`, for exercise 4.
#
# The cell proposes two helpers, `replaced` and `checked`. Use them or not.
#
# Two sessions do not disturb each other.

# %% [markdown] hint="session"
# One dict, `values[node]`, filled in an order in which every input is there when it is wanted.
# Feeds are in it from the start. All rules above are about what is in that order, and about what
# goes in and out.

# %% [markdown] hint="session"
# ```
# fetch: d          a ──► b ──► c ──► d      e needs c too, but nobody asked for e
# feed:  b = 7                  └───► e
#
# stack of the walk   [d]   [d, c]   [d, c, b]   b is fed: go no further
# order               b, c, d        a, e: never seen, a may be unfed
# values              {b: 7}  →  {b: 7, c: …}  →  {b: 7, c: …, d: …}
# ```
#
# Without recursion: put a node on the stack twice. The first time that it comes off, what it needs
# goes on top of it. The second time all of that is in the list, and the node may follow.

# %% [markdown] hint="session"
# ```python
# stack = [(node, False) for node in targets]          # False: not yet opened
# while stack:
#     node, opened = stack.pop()
#     if opened: ...
#     elif node not in seen: ...
#
# def run(self, fetches, feed_dict=None):
#     self.before = self.values.copy()
#     targets = ...                      # a helper: all nodes within fetches
#     values = ...                       # the feeds, checked and converted
#     for node in in_order(targets, values):
#         if node not in values:
#             values[node] = compute(self, node, [...])
#     return ...                         # a helper: fetches with values in the place of nodes
# ```


# %% exercise="session" minutes=40 difficulty=4 importance=5 allow="numpy chainrule -chainrule.graph -chainrule.compiler -chainrule.program -chainrule.small_graph.session"
def in_order(targets, fed=()):
    """Return all nodes that the targets need, each once, each after all that it needs."""
    ### BEGIN SOLUTION
    fed, order, seen = set(fed), [], set()
    stack = [(node, False) for node in targets]
    while stack:
        node, expanded = stack.pop()
        if expanded:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            if node not in fed:
                needs = (*node.inputs, *node.after)
                stack += [(i, False) for i in needs if isinstance(i, Node)]
    return order
    ### END SOLUTION


def replaced(fetches, by):
    """Return fetches with by(node) in the place of every node."""
    ### BEGIN SOLUTION
    if isinstance(fetches, Node):
        return by(fetches)
    if isinstance(fetches, dict):
        return {key: replaced(value, by) for key, value in fetches.items()}
    if isinstance(fetches, list | tuple):
        return type(fetches)(replaced(value, by) for value in fetches)
    raise TypeError(f"{fetches!r} cannot be fetched: it is no node of a graph")
    ### END SOLUTION


def checked(node, value):
    """Return a feed as an array of the node's dtype; ValueError if the shape is another."""
    ### BEGIN SOLUTION
    if not isinstance(node, Node):
        raise TypeError(f"{node!r} cannot be fed: it is no node of a graph")
    value = np.asarray(value, dtype=node.dtype)
    if value.shape != node.shape:
        raise ValueError(f"cannot feed shape {value.shape} to {node.name!r} of shape {node.shape}")
    return value
    ### END SOLUTION


class Session:
    """Runs graphs, and keeps the values of their variables."""

    def __init__(self, seed=0):
        self.values = {}  # variable -> array
        self.rng = np.random.default_rng(seed)

    def run(self, fetches, feed_dict=None):
        """Return the values of the fetched nodes, in the structure of `fetches`."""
        self.before = self.values.copy()
        ### BEGIN SOLUTION
        targets = []
        replaced(fetches, targets.append)
        values = {node: checked(node, value) for node, value in (feed_dict or {}).items()}
        order = in_order(targets, values)
        for node in order:
            if node.op == "placeholder" and node not in values:
                raise ValueError(f"you must feed a value for placeholder {node.name!r}")
        for node in order:
            if node not in values:
                inputs = [values[i] if isinstance(i, Node) else i for i in node.inputs]
                values[node] = compute(self, node, inputs)
        return replaced(fetches, lambda node: np.array(values[node])[()])
        ### END SOLUTION

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.values.clear()


# %% tests="session" behaviour="order" points=2
@autograder.test
def _(rng):
    "`in_order` lists what the targets need, each node once and after all that it needs."

    @beside
    def run(edges, after, targets, fed):
        made = []
        for inputs, before in zip(edges, after, strict=True):
            made.append(Node("made", [made[i] for i in inputs] + [1.0], {}, (), "float64"))
            made[-1].after = tuple(made[i] for i in before)
        order = in_order([made[i] for i in targets], {made[i]: None for i in fed})
        if type(order) is not list:
            return order
        places = {node: i for i, node in enumerate(made)}
        return [places[node] for node in order]

    def judge(edges, after, targets, fed):
        got = run(edges, after, targets, fed)
        require(type(got) is list, "in_order returns a list of nodes")
        needed, todo = set(), list(targets)
        while todo:
            node = todo.pop()
            if node not in needed:
                needed.add(node)
                todo += [] if node in fed else [*edges[node], *after[node]]
        what = "the numbers of the nodes in your list, sorted"
        same(sorted(got), sorted(needed), what)
        for place, node in enumerate(got):
            for other in [] if node in fed else [*edges[node], *after[node]]:
                early = other in got[:place]
                require(early, f"node {node} needs node {other}, which is not before it: {got}")

    judge([[], [0], [0], [1, 2]], [[], [], [], []], [3], [])
    judge([[], [0], [], [1, 0]], [[], [], [], [2]], [3, 1], [1])
    ### BEGIN HIDDEN TESTS
    for size in (1, 5, 12, 30, 30, 30):
        edges = [rng.integers(0, n, size=rng.integers(0, 4)).tolist() if n else []
                 for n in range(size)]  # fmt: skip
        after = [rng.integers(0, n, size=rng.integers(0, 2)).tolist() if n else []
                 for n in range(size)]  # fmt: skip
        for count in (1, 2, 4):
            targets = rng.integers(size // 2, size, size=count).tolist()
            fed = rng.integers(0, size, size=rng.integers(0, 4)).tolist()
            judge(edges, after, targets, fed)
            judge(edges, after, targets[::-1], [])
    ### END HIDDEN TESTS


# %% tests="session" behaviour="values" points=2
@autograder.test
def _(rng):
    "The values are right, in the dtypes of the nodes, and numbers where there are no axes."

    @beside
    def run(x, w, dtype):
        with Graph().as_default():
            fed = placeholder(dtype, x.shape, "x")
            h = cr.tanh(fed @ constant(w)) / 2
            nodes = [h, 1.0 - h, h.sum(axis=0), h.mean(), fed, h.T, Node("nothing")]
        KERNELS["nothing"] = lambda session, node: None
        out = Session().run(nodes, {fed: x.tolist()})
        if type(out) is list:
            out.append(isinstance(out[3], (float, np.generic)))
        return out

    def oracle(x, w, dtype):
        x = np.asarray(x, dtype)
        h = np.tanh(x @ w) / 2
        return [h, 1 - h, h.sum(0), h.mean(), x, h.T, None, True]

    what = "the values of seven nodes, the last has none; is that without axes a number"
    x, w = np.array([[0.0, 1.0]]), np.array([[9.0], [0.0]])
    column = np.array([[0.0]])
    expected = [column, column + 1, column[0], 0.0, x, column, None, True]
    same(run(x, w, "float64"), expected, what)
    ### BEGIN HIDDEN TESTS
    for n, d, m in ((3, 4, 5), (1, 1, 1), (6, 2, 2), (2, 3, 1)):
        for dtype, rtol in (("float64", 1e-9), ("float32", 1e-4)):
            x, w = rng.normal(size=(n, d)), rng.normal(size=(d, m)).astype(dtype)
            same(run(x, w, dtype), oracle(x, w, dtype), what, rtol=rtol, atol=rtol / 10)
    ### END HIDDEN TESTS


# %% tests="session" behaviour="structure" points=2
@autograder.test
def _(rng):
    "What comes back has the structure of the fetches; what is no node raises TypeError."

    @beside
    def run(shape):
        def build(part):
            if isinstance(part, str):
                return nodes[part]
            if isinstance(part, dict):
                return {key: build(value) for key, value in part.items()}
            return type(part)(build(value) for value in part)

        def kinds(part):
            inner = part.values() if isinstance(part, dict) else part
            nested = isinstance(part, dict | list | tuple)
            return [type(part).__name__, *map(kinds, inner)] if nested else "value"

        with Graph().as_default():
            nodes = {name: constant(value) for name, value in (("a", 1.0), ("b", 2.0))}
        got = Session().run(build(shape))
        return got, kinds(got)

    @beside
    def wrong(kind):
        with Graph().as_default():
            a = constant(1.0)
        return Session().run({"number": [a, 3.0], "none": None, "name": "constant"}[kind])

    what = "fetches, with the values in the place of the nodes; list, tuple or dict"
    kinds = ["list", "value", ["tuple", "value", ["list", "value"]], ["dict", "value"]]
    got = run(["a", ("b", ["a"]), {"x": "b"}])
    same(got, ([1.0, (2.0, [1.0]), {"x": 2.0}], kinds), what)
    same(run("b"), (2.0, "value"), what)
    raises(TypeError, wrong, "number")
    ### BEGIN HIDDEN TESTS
    cases = [[], (), {}, ["a"], ("a",), {"k": "b"}, [["a", ["b", ["a"]]], ()], {"a": {"b": ["b"]}}]
    cases += [["a", "a", "a"], {"u": ("a", "b"), "v": []}, (["b"], {"p": {"q": "a"}})]

    def filled(part):
        if isinstance(part, str):
            return {"a": 1.0, "b": 2.0}[part]
        if isinstance(part, dict):
            return {key: filled(value) for key, value in part.items()}
        return type(part)(filled(value) for value in part)

    def kinds_of(part):
        inner = part.values() if isinstance(part, dict) else part
        return "value" if isinstance(part, str) else [type(part).__name__, *map(kinds_of, inner)]

    for case in cases:
        same(run(case), (filled(case), kinds_of(case)), f"{what}; fetched was {case}")
    raises(TypeError, wrong, "none")
    raises(TypeError, wrong, "name")
    ### END HIDDEN TESTS


# %% tests="session" behaviour="needed_once" points=3
@autograder.test
def _(rng):
    "A run computes the nodes that the fetches need, each once, and no other; each run anew."

    @beside
    def run(tell, edges, runs):
        def report(number):
            return lambda: tell(number)

        with Graph().as_default():
            x = placeholder("float64", (), "x")
            made = []
            for number, inputs in enumerate(edges):
                total = sum((made[i] for i in inputs), x)
                made.append(watched(total, tell=report(number)))
        session = Session()
        return [session.run([made[i] for i in fetched], {x: fed}) for fetched, fed in runs]

    def judge(edges, runs):
        ran, expected, values = [], [], []
        for fetched, fed in runs:
            totals = []
            for inputs in edges:
                totals.append(fed + sum(totals[i] for i in inputs))
            todo, needed = list(fetched), set()
            while todo:
                node = todo.pop()
                todo += [] if node in needed else edges[node]
                needed.add(node)
            expected += sorted(needed)
            values.append([totals[i] for i in fetched])
        got = run(callback(ran.append), edges, runs)
        same(got, values, "the fetched values, run by run")
        same(sorted(ran), sorted(expected), "the numbers of the nodes computed in all runs, sorted")

    judge([[], [0], [0, 0], [1, 2], []], [([3], 1.0), ([1], 2.0), ([3, 3], 3.0)])
    ### BEGIN HIDDEN TESTS
    for size in (1, 4, 12, 25):
        edges = [rng.integers(0, n, size=rng.integers(0, 4)).tolist() if n else []
                 for n in range(size)]  # fmt: skip
        runs = [(rng.integers(0, size, size=rng.integers(1, 4)).tolist(), float(rng.normal()))
                for _ in range(4)]  # fmt: skip
        runs.append(runs[-1])
        judge(edges, runs)

    @beside
    def same_objects(x, rounds):
        def counting(session, node):
            session.values["n"] = session.values.get("n", 0) + 1

        KERNELS["count"] = counting
        with Graph().as_default():
            hole, count = placeholder("float64", x.shape), Node("count")
            fetches, feeds = [hole * 2.0, count], {hole: np.array(x)}
        session, other, seen = Session(), Session(), []
        for _ in range(rounds):
            before = session.values.get("n", 0), other.values.get("n", 0)
            seen.append([session.run(fetches, feeds)[0], *before, session.before.get("n", 0)])
            feeds[hole] += 1.0
        return seen

    x = rng.normal(size=3)
    what = "2x, x growing in place; what a kernel counted, in this session, in another; `before`"
    trajectory(same_objects(x, 4), [[2 * (x + n), n, 0, n] for n in range(4)], what)
    ### END HIDDEN TESTS


# %% tests="session" behaviour="feeds" points=3
@autograder.test
def _(rng):
    "Any node can be fed: it has that value, what only it needs is not computed; shapes must fit."

    @beside
    def run(tell, x, c, fed, value):
        with Graph().as_default():
            hole, const = placeholder("float64", x.shape, "x"), constant(c)
            first = watched(hole * 2.0, tell=lambda: tell("first"))
            second = watched(first + const, tell=lambda: tell("second"))
            nodes = {"x": hole, "const": const, "first": first, "second": second}
        feeds = {nodes[fed]: value}
        if fed == "const":
            feeds[hole] = x
        return Session().run([second, nodes[fed]], feeds)

    @beside
    def wrong(shape, value, key):
        with Graph().as_default():
            hole = placeholder("float64", shape, "hollow")
            total = cr.exp(hole)
        return Session().run(total, {{"hole": hole, "total": total, "name": "hollow"}[key]: value})

    ran, x, c = [], np.array([1.0, 2.0]), np.array([10.0, 10.0])
    got = run(callback(ran.append), x, c, "first", [5, 6])
    same(got, [np.array([15.0, 16.0]), np.array([5.0, 6.0])], "the last node and the fed one")
    same(ran, ["second"], "the nodes that were computed")
    raises(ValueError, wrong, [2], [1.0, 2.0, 3.0], "hole", mentions="hollow")
    raises(TypeError, wrong, [2], [1.0, 2.0], "name")
    ### BEGIN HIDDEN TESTS
    for shape in ((2,), (), (3, 4), (1, 1)):
        x, c, value = (np.asarray(rng.normal(size=shape)) for _ in "abc")
        both = ["first", "second"]
        wants = {"x": (2 * value + c, both), "const": (2 * x + value, both)}
        wants |= {"first": (value + c, ["second"]), "second": (value, [])}
        for fed, (last, computed) in wants.items():
            ran = []
            got = run(callback(ran.append), x, c, fed, value)
            same(got, [np.asarray(last), value], f"the last node and the fed one, {fed}")
            same(ran, computed, f"the nodes that were computed, with {fed} fed")
    ran, value = [], rng.normal(size=2)

    @beside
    def inner_too(tell, x, value, turn):
        with Graph().as_default():
            hole = placeholder("float64", x.shape)
            first = watched(hole * 2.0, tell=lambda: tell("first"))
            second = watched(first, tell=lambda: tell("second"))
            nodes = [first, second, second * 3.0][::turn]
        return Session().run(nodes, {hole: x, second: value})[::turn]

    for turn in (1, -1):
        got = inner_too(callback(ran.append), value + 1, value, turn)
        same(got, [2 * value + 2, value, 3 * value], "a node; the next, which is fed; 3 times it")
    same(ran, ["first", "first"], "the nodes that were computed in two runs")
    for shape, other in (((2,), (1,)), ((2,), ()), ((), (1,)), ((2, 3), (3, 2)), ((1, 2), (2,))):
        value = np.asarray(rng.normal(size=other))
        raises(ValueError, wrong, list(shape), value, "hole", mentions="hollow")
    raises(ValueError, wrong, [2], rng.normal(size=3), "total", mentions="exp")
    ### END HIDDEN TESTS


# %% tests="session" behaviour="unfed" points=2
@autograder.test
def _(rng):
    "A needed placeholder without a feed raises ValueError with its name, before any computation."

    @beside
    def run(tell, names, fed, needed, hole_last):
        with Graph().as_default():
            base = watched(constant(1.0), tell=tell)
            holes = [placeholder("float64", (), name) for name in names]
            total = base
            for hole, name in zip(holes, names, strict=True):
                both = total + hole if hole_last else hole + total
                total = watched(both, tell=tell) if name in needed else total
        feeds = {hole: 2.0 for hole, name in zip(holes, names, strict=True) if name in fed}
        return Session().run(total, feeds)

    tell = callback(lambda: None)
    names = ["left", "right"]
    same(run(tell, names, ["left"], ["left"], True), 3.0, "with an unneeded one unfed")
    computed = tell.calls
    for hole_last in (True, False):
        raises(ValueError, run, tell, names, ["left"], names, hole_last, mentions="right")
        require(tell.calls == computed, "something was computed before the missing feed was seen")
    ### BEGIN HIDDEN TESTS
    for count in (1, 3, 6):
        names = [f"hole{int(n)}x" for n in rng.permutation(90)[:count]]
        missing = names[int(rng.integers(count))]
        fed = [name for name in names if name != missing]
        computed = tell.calls
        for hole_last in (True, False):
            raises(ValueError, run, tell, names, fed, names, hole_last, mentions=missing)
        require(tell.calls == computed, "something was computed before the missing feed was seen")
        same(run(tell, names, fed, fed, False), 1.0 + 2.0 * len(fed), "with an unneeded one unfed")
    ### END HIDDEN TESTS


# %% tests="session" behaviour="own_memory" points=2
@autograder.test
def _(rng):
    "Results are right and on memory of their own: writing into one changes nothing else."

    @beside
    def run(x, c):
        import numpy as np

        with Graph().as_default():
            hole, const = placeholder("float64", x.shape, "x"), constant(c)
            nodes = [hole, const, const, hole.T, const.reshape(-1), const + hole]
        session, lent = Session(), np.array(x)
        feeds = {hole: lent}
        first = session.run(nodes, feeds)
        kept = []
        for value in first:  # a later one would show what was written into an earlier one
            kept.append(np.array(value))
            value[...] = 77.0
        return kept, lent, len(feeds), session.run(nodes, {hole: x})

    x, c = np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]])
    out = [x, c, c, x.T, c.reshape(-1), x + c]
    what = (
        "six results, each overwritten once it is read; the fed array; feeds; a new run's results"
    )
    same(run(x, c), (out, x, 1, out), what)
    ### BEGIN HIDDEN TESTS
    for shape in ((3, 4), (1, 1), (5, 2)):
        x, c = rng.normal(size=(2, *shape))
        out = [x, c, c, x.T, c.reshape(-1), x + c]
        same(run(x, c), (out, x, 1, out), what)
    ### END HIDDEN TESTS


# %% tests="session" behaviour="deep" points=2
@autograder.test
def _(rng):
    "Graphs of 10,000 nodes in a row, and 60 nodes that each use the last one twice, run."

    @beside
    def run(start, depth, doublings, after):
        import sys

        sys.setrecursionlimit(1000)
        with Graph().as_default():
            x = placeholder("float64", (), "x")
            out = x
            for _ in range(depth):
                earlier, out = out, out + 1.0
                if after:
                    out.after = (earlier, x)
            for _ in range(doublings):
                out = out + out
        return Session().run(out, {x: start})

    same(run(0.5, 3, 2, False), 14.0, "(0.5 + 1 + 1 + 1) · 2 · 2")
    same(run(0.0, 10000, 0, False), 10000.0, "0 + 1 + 1 + …, 10,000 times")
    ### BEGIN HIDDEN TESTS
    start = float(rng.normal())
    same(run(start, 0, 60, False), start * 2.0**60, "60 doublings")
    same(run(start, 10000, 10, True), (start + 10000) * 1024, "10,000 additions, 10 doublings")
    ### END HIDDEN TESTS


# %% given="session_stand_in"
stand_in("session", globals())

# %%
with Session() as session:
    print(session.run(c, feed_dict={a: 3.0, b: 4.0}))
    print(session.run([a**2, {"sum": lines.nodes[4]}], feed_dict={a: 3.0, b: 4.0}))
    print(session.run(c, feed_dict={lines.nodes[4]: 169.0}))

# %% [markdown]
# The last line is a trick that only a graph can do: it fed the sum in the middle, 169, and got 13.
# `a` and `b` were not asked for.
#
# What have we lost? Lesson 01 said it: an error appears where the graph runs, not where the line is
# that made it. `cr.log(x)` of a negative number is a fine node. TensorFlow answered with messages
# such as "Node: 'p'", and one learned to give good names. And Python's `if` and `for` see nodes,
# not numbers; a branch that depends on the data has to be a node as well (lesson 14).
#
# ## Gradients are more nodes
#
# There is no tape here, for nothing has run. But everything that the tape knew is in the graph. So
# the backward pass can be *built*: `gradients(loss, [w])` walks back from the loss, asks the rules
# of the table, and the rules, called with nodes, give nodes. In lesson 03 you did this for one
# neuron, with three rules. Here is one edge of it:

# %%
with Graph().as_default() as lines:
    x, w = placeholder("float64", (2, 3), "x"), placeholder("float64", (3,), "w")
    t = cr.tanh(x * w)
    upstream = constant(np.ones((2, 3)), name="upstream")
    to_product = TABLE["tanh"].rules[0](upstream, t, *t.inputs, **t.options)
    product = t.inputs[0]
    to_w = TABLE["multiply"].rules[1](to_product, product, *product.inputs, **product.options)
print([node.op for node in lines.nodes])
print("gradient for w:", to_w, " summed to the shape of w:", cr.unbroadcast(to_w, shape=w.shape))

# %% [markdown]
# The rule of tanh is `g * (1 - out * out)`, so three nodes came of it. A rule gets the upstream
# gradient, the node itself (its value, `out`, will be known by then), the inputs and the options.
# Rules know nothing of broadcasting, so what comes may be larger than the input. `cr.unbroadcast`,
# lesson 04's, sums it down.

# %% [markdown] prompt="gradients"
# ### Exercise 3: gradients
#
# Write `gradients(ys, xs)`. `ys` is a node, or a list of nodes; `xs` a list of nodes, any nodes:
# leaves, results on the way, a y itself, the same one twice. It returns a list: for each x, in
# order, a node for the gradient of *the sum of all entries of all ys* with respect to x, with x's
# shape and dtype; None where no y depends on x.
#
# * The upstream gradient of a y is 1 everywhere. `cr.expand(constant(1.0, y.dtype), shape=y.shape)`
#   is a node for that; it needs no memory, however large y is.
# * For input i of a node whose op is in `TABLE`, the rule is `TABLE[node.op].rules[i]`, called as
#   above. If the rule is None, no gradient goes that way, nor into Python numbers, nor through
#   nodes whose op is not in the table.
# * Where several gradients arrive at a node, they are added, *before* the node's own rules are
#   called. So each rule is called at most once, and the number of new nodes grows like that of the
#   old ones. Graphs are as deep and as entangled as in exercise 2.
# * Nothing is computed, and no existing node is changed. The new nodes are nodes like all others:
#   they can be differentiated again.
#
# All nodes of the checks have one dtype, and each y is made of floats. `in_order` of exercise 2 may
# help.

# %% [markdown] hint="gradients"
# The list that `in_order(ys)` gives, read backwards, has every node before all that it needs. When
# a node's turn comes, everyone who uses it has been there.

# %% [markdown] hint="gradients"
# ```
# in_order([loss]):   x   w   product   tanh   loss         forward: left to right
#
# arrived = {loss: ones}                                    backward: right to left
# at loss:     arrived[tanh]    = rule(arrived[loss], loss, tanh)
# at tanh:     arrived[product] = …
# at product:  arrived[x] = …, arrived[w] = unbroadcast(…)
# at x, w:     not in the table, nothing to do
# ```

# %% [markdown] hint="gradients"
# ```python
# arrived = {}
# def deposit(node, g):
#     arrived[node] = ... if node in arrived else g
#
# for y in ys: deposit(y, ...)
# for node in reversed(in_order(ys)):
#     if node not in arrived or ...: continue
#     for i, (source, rule) in enumerate(zip(node.inputs, ...)):
#         ...
# return [arrived.get(x) for x in xs]
# ```


# %% exercise="gradients" minutes=25 difficulty=4 importance=5 allow="numpy chainrule -chainrule.graph -chainrule.compiler -chainrule.program -chainrule.small_graph.gradients -chainrule.small_graph.variables"
def gradients(ys, xs):
    """Return, for each x, a node for the gradient of the sum of `ys`, or None."""
    ### BEGIN SOLUTION
    ys = [ys] if isinstance(ys, Node) else ys
    arrived = {}

    def deposit(node, g):
        arrived[node] = arrived[node] + g if node in arrived else g

    for y in ys:
        deposit(y, cr.expand(constant(1.0, y.dtype), shape=y.shape))
    for node in reversed(in_order(ys)):
        if node in arrived and node.op in TABLE:
            for source, rule in zip(node.inputs, TABLE[node.op].rules, strict=True):
                if rule is not None and isinstance(source, Node):
                    g = rule(arrived[node], node, *node.inputs, **node.options)
                    deposit(source, cr.unbroadcast(g, shape=source.shape))
    return [arrived.get(x) for x in xs]
    ### END SOLUTION


# %% tests="gradients" behaviour="values" points=3
@autograder.test
def _(rng):
    "Fetched gradients are right, for chains of operations with and without broadcasting."

    @beside
    def run(build, arrays):
        with Graph().as_default():
            holes = [placeholder(array.dtype, array.shape) for array in arrays]
            y = eval(build, {"v": holes, "cr": cr})
            slopes = gradients(y, holes)
        feeds = dict(zip(holes, arrays, strict=True))
        return [None if g is None else Session().run(g, feeds) for g in slopes]

    a, b, what = np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]]), "the gradients of "
    build = "(v[0] @ v[1] - 10.0) ** 2"
    same(run(build, [a, b]), [np.array([[6.0, 8.0]]), np.array([[2.0], [4.0]])], what + build)
    column, row = np.array([[2.0], [3.0]]), np.array([5.0, 7.0, 1.0])
    expected = [np.array([[13.0], [13.0]]), np.array([5.0, 5.0, 5.0])]
    same(run("v[0] * v[1]", [column, row]), expected, what + "v[0] * v[1], shapes (2, 1) and (3,)")
    ### BEGIN HIDDEN TESTS

    def judge(build, f, arrays):
        wanted = vjp_by_complex_step(f, arrays, np.ones(np.shape(f(*arrays))))
        same(run(build, arrays), list(wanted), what + build, rtol=1e-8)

    for n, d, m in ((3, 4, 2), (1, 1, 1), (5, 2, 3), (2, 2, 2)):
        x, w, b = rng.normal(size=(n, d)), rng.normal(size=(d, m)), rng.normal(size=m)
        judge("cr.tanh(v[0] @ v[1] + v[2])", lambda x, w, b: np.tanh(x @ w + b), [x, w, b])
        judge("(v[0] @ v[1]).mean(axis=0) / v[2]", lambda x, w, b: (x @ w).mean(0) / b, [x, w, b])
        judge(
            "v[0] * v[1]", lambda x, y: x * y, [rng.normal(size=(n, 1, d)), rng.normal(size=(m, 1))]
        )
        judge("cr.exp(-v[0] * v[0].sum(axis=1, keepdims=True))",
              lambda x: np.exp(-x * x.sum(1, keepdims=True)), [x])  # fmt: skip
        judge("3 / (v[0].T @ v[0] + v[1] @ v[1].T + 9) - 2 * v[2].sum() ** 3",
              lambda x, w, b: 3 / (x.T @ x + w @ w.T + 9) - 2 * b.sum() ** 3,
              [x, w, b])  # fmt: skip
        judge("v[0].reshape(-1) ** 2 @ v[0].reshape(-1)", lambda x: (x**3).sum(), [x])
    x = rng.normal(size=(4, 3))
    got = run("cr.maximum(v[0], 0) * v[0]", [x.astype("float32")])
    short = (2 * np.maximum(x, 0)).astype("float32")
    same(got, [short], "gradients in float32", rtol=1e-4, atol=1e-5)
    ### END HIDDEN TESTS


# %% tests="gradients" behaviour="fan_out" points=2
@autograder.test
def _(rng):
    "What arrives at a node on several ways is added, once, before it is passed on."

    @beside
    def run(x, rounds, factor):
        with Graph().as_default() as graph:
            hole = placeholder("float64", (), "x")
            out = hole
            for _ in range(rounds):
                out = out * factor + out
            before = len(graph.nodes)
            (slope,) = gradients(out * out, [hole])
            made = len(graph.nodes) - before
        return Session().run(slope, {hole: x}), made

    got, made = run(3.0, 2, 2.0)
    same(got, 486.0, "the gradient of (9x)² at 3")
    at_most(made, 60, "nodes that were added for the gradient of 6 nodes")
    ### BEGIN HIDDEN TESTS
    for rounds in (1, 7, 40):
        x, factor = (float(n) for n in rng.uniform(-0.9, 0.9, size=2))
        got, made = run(x, rounds, factor)
        scale = abs(2 * x * (factor + 1) ** (2 * rounds))
        expected = 2 * x * (factor + 1) ** (2 * rounds)
        same(got, expected, f"a gradient through {rounds} nodes used twice", atol=1e-9 * scale)
        at_most(made, 20 * (rounds + 2), f"nodes that were added for {2 * rounds + 1} nodes")
    ### END HIDDEN TESTS


# %% tests="gradients" behaviour="which" points=3
@autograder.test
def _(rng):
    "`xs` may be any nodes, in any order, twice; None for what no y depends on; ys are summed."

    @beside
    def run(value, ys, xs):
        with Graph().as_default():
            x, other = placeholder("float64", (2,), "x"), placeholder("float64", (2,), "other")
            double = 2.0 * x
            square = double * double
            side, above = double + other, cr.greater(x, other)
            chosen = cr.where(above, square, other)
            names = {"x": x, "other": other, "double": double, "square": square}
            names |= {"side": side, "chosen": chosen, "above": above}
            ys = names[ys] if isinstance(ys, str) else [names[y] for y in ys]
            slopes = gradients(ys, [names[name] for name in xs])
        if type(slopes) is not list:
            return slopes
        feeds = {x: value, other: [0.0, 0.0]}
        return [None if g is None else Session().run(g, feeds) for g in slopes]

    v, one = np.array([1.0, -1.0]), np.array([1.0, 1.0])
    what = "gradients, in the order of xs"
    got = run(v, "square", ["double", "other", "x", "square", "side", "x"])
    same(got, [4 * v, None, 8 * v, one, None, 8 * v], what)
    same(run(v, ["square", "double"], ["x"]), [8 * v + 2], "the gradient of two ys together")
    ### BEGIN HIDDEN TESTS
    v = rng.normal(size=2)
    two, mask = 2 * one, (v > 0).astype(float)
    same(run(v, ["double"], []), [], what)
    same(run(v, "x", ["x", "double"]), [one, None], what)
    same(run(v, ["side", "side", "square"], ["other", "double"]), [two, 4 * v + 2], what)
    same(run(v, ["side", "double"], ["side", "double", "x"]), [one, two, 2 * two], what)
    same(run(v, "chosen", ["x", "other", "square"]), [8 * v * mask, 1 - mask, mask], what)
    same(run(v, "chosen", ["above"]), [None], what)
    ### END HIDDEN TESTS


# %% tests="gradients" behaviour="second" points=2
@autograder.test
def _(rng):
    "Gradients can be differentiated again, and fetched beside the loss."

    @beside
    def run(x, order):
        with Graph().as_default():
            hole = placeholder("float64", x.shape, "x")
            out, fetches = cr.sin(hole) * hole**2, []
            for _ in range(order):
                fetches.append(out)
                (out,) = gradients(out, [hole])
        return Session().run([*fetches, out], {hole: x})

    x = np.array([0.0])
    same(run(x, 2), [x, x, x], "sin(x) · x² and two derivatives at 0")
    same(run(x, 3)[3], x + 6, "its third derivative at 0")
    ### BEGIN HIDDEN TESTS
    for shape in ((), (3,), (2, 2)):
        x = np.asarray(rng.normal(size=shape))
        s, c = np.sin(x), np.cos(x)
        expected = [s * x**2, c * x**2 + 2 * x * s, (2 - x**2) * s + 4 * x * c]
        expected = [np.asarray(e)[()] for e in expected]
        same(run(x, 2), expected, "sin(x) · x² and two derivatives")
    ### END HIDDEN TESTS


# %% tests="gradients" behaviour="only_nodes" points=2
@autograder.test
def _(rng):
    "`gradients` adds nodes and computes nothing; deep graphs and huge shapes are no matter."

    @beside
    def run(tell, x, depth, size):
        import sys

        sys.setrecursionlimit(1000)
        with Graph().as_default() as graph:
            hole = placeholder("float64", (), "x")
            out = watched(hole, tell=tell)
            for _ in range(depth):
                out = out * 1.0
            before = [facts(node) for node in graph.nodes]
            (slope,) = gradients(out, [hole])
            kept = before == [facts(node) for node in graph.nodes[: len(before)]]
            huge = placeholder("float64", (size, size), "huge")
            (large,) = gradients(huge * huge, [huge])
        return large.shape, kept, Session().run(slope, {hole: x})

    tell = callback(lambda: None)
    got = run(tell, 2.0, 5, 10)
    same(
        got, ((10, 10), True, 1.0), "a gradient's shape; are old nodes as they were; d(x·1·1·…)/dx"
    )
    require(tell.calls <= 1, f"a node was computed {tell.calls} times; one run asked for it")
    ### BEGIN HIDDEN TESTS
    got = run(tell, 2.0, 10000, 10**8)
    same(got, ((10**8, 10**8), True, 1.0), "the same for 10,000 nodes in a row")
    require(tell.calls <= 2, f"a node was computed {tell.calls} times; two runs asked for it")

    @beside
    def ops(count):
        with Graph().as_default() as graph:
            hole = placeholder("float64", (), "x")
            out = cr.exp(cr.tanh(hole))
            for _ in range(count):
                out = cr.exp(out * 0.5)
            made = len(graph.nodes)
            gradients(out, [hole])
        return [node.op for node in graph.nodes[made:]]

    again = [op for op in ops(int(rng.integers(2, 6))) if op in ("exp", "tanh")]
    same(again, [], "ops of the loss that are made once more; a rule takes the node itself")
    ### END HIDDEN TESTS


# %% given="gradients_stand_in"
stand_in("gradients", globals())

# %% [markdown]
# Now the graph of the lecture's net has its backward pass in it. How large is it?

# %%
with Graph().as_default() as net:
    x, y = placeholder("float64", (64, 1000), "x"), placeholder("float64", (64, 10), "y")
    w1, w2 = placeholder("float64", (1000, 100), "w1"), placeholder("float64", (100, 10), "w2")
    loss = cr.sum((cr.maximum(x @ w1, 0) @ w2 - y) ** 2)
    forward = len(net.nodes)
    slopes = gradients(loss, [w1, w2])
print(f"{forward} nodes forward, {len(net.nodes) - forward} more for two gradients:")
print(*(node.op for node in in_order(slopes) if node not in set(net.nodes[:forward])))

# %% [markdown]
# Some of these nodes are silly: the upstream 1 is expanded and multiplied, a sum over no axes is
# taken. Nobody has computed them yet, so a program could remove them first. That is lesson 13, and
# the best argument for static graphs.
#
# ## A weight that remembers
#
# In this graph the weights are placeholders. So the loop outside must feed them, fetch their
# gradients, move them with NumPy, feed the new ones. That works, and it was the lecture's first
# version. What is missing is a node that has a value of its own, and *keeps* it.
#
# TensorFlow calls it a **Variable**. It is a node like any other in an expression. But its value
# lives in the session, between runs. It is changed by a node, too: `w.assign(value)` makes a node
# which, *when it runs*, puts the value there.

# %% [markdown] prompt="variables"
# ### Exercise 4: variables, assign, group
#
# **`Variable(initial_value, name="Variable", trainable=True)`** is a subclass of `Node`: op
# `"variable"`, no inputs, shape and dtype of the initial value, which is an array, a number, a
# nested list or a node. The value of a variable `w` in a session is `session.values[w]`, an array.
# Each new variable is appended to `GRAPHS[-1].variables`. It has these attributes and methods:
#
# * `trainable`, as given; `initializer`, a node that assigns the initial value;
# * `assign(value)`, `assign_add(value)`, `assign_sub(value)`: a new node, for a value that is a
#   node, an array or a number. Each time it *runs*, the variable becomes the value, or grows or
#   shrinks by it, counted from what it is at that moment. The node's own value is the variable's
#   new one. The variable keeps its dtype, and no array of the caller's is kept. A value whose shape
#   is not the variable's raises a `ValueError` that names the variable, when the node is made.
# * `read_value()`: a node with the variable's value at the moment when this node runs.
#
# The variable itself, as a node, has in a run the value from *before* the run, whatever is assigned
# in the meantime. That is `session.before[w]`, and so a gradient never sees a half-updated net. If
# there is no value yet, it raises a `RuntimeError` that names the variable; so do `assign_add`,
# `assign_sub` and `read_value`.
#
# **`control_dependencies(nodes)`** is for `with`: every node made inside has these nodes, a list,
# in its `after`, besides what it has from blocks around. (`Node` takes it from
# `GRAPHS[-1].waiting`.) After the block all is as before it, also if an error ends it.
#
# **`group(*nodes)`** is a node with op `"group"` and no inputs, without shape and dtype. It has all
# these nodes in its `after`, so that running it runs them. Its value is None.
#
# **`global_variables_initializer()`** is a group of the initializers of all variables in
# `GRAPHS[-1]`.
#
# The kernels for your new ops go into `KERNELS`, in this cell.

# %% [markdown] hint="variables"
# A node can carry its variable in `options`. A kernel is called with the session, the node, and the
# input values; it may read and write `session.values`. It must not write *into* an array that is
# there, for `session.before` has the same one.

# %% [markdown] hint="variables"
# ```
#                  session.before[w]     session.values[w]     value of the node
# run begins       2                     2
# w                2                     2                     2
# w.assign_add(5)  2                     7                     7
# w                2                     7                     2
# w.read_value()   2                     7                     7
# next run         7                     7
# ```

# %% [markdown] hint="variables"
# ```python
# class Variable(Node):
#     def __init__(self, initial_value, name="Variable", trainable=True):
#         initial = ...                                   # a node
#         super().__init__("variable", (), {}, ...)
#
# def assigned(session, node, value):
#     new = np.array(..., dtype=node.dtype)               # a copy
#     session.values[node.options["variable"]] = new
#     return new
#
# KERNELS["assign"] = assigned
# KERNELS["group"] = lambda session, node: ...
#
# @contextmanager
# def control_dependencies(nodes):
#     before = GRAPHS[-1].waiting
#     ...
# ```


# %% exercise="variables" minutes=30 difficulty=3 importance=5 allow="numpy chainrule -chainrule.graph -chainrule.compiler -chainrule.program -chainrule.small_graph.gradients -chainrule.small_graph.variables"
class Variable(Node):
    """A node whose value lives in the session and changes only when an assigning node runs."""

    ### BEGIN SOLUTION
    def __init__(self, initial_value, name="Variable", trainable=True):
        initial = initial_value if isinstance(initial_value, Node) else constant(initial_value)
        super().__init__("variable", (), {}, initial.shape, initial.dtype, name)
        self.trainable = trainable
        self.initializer = self.assign(initial)
        GRAPHS[-1].variables.append(self)

    def change(self, op, value):
        """Return a node that changes this variable; ValueError if the shape is another."""
        value = value if isinstance(value, Node) else constant(value)
        if value.shape != self.shape:
            raise ValueError(f"{op}: {self.name!r} has shape {self.shape}, the value {value.shape}")
        return Node(op, (value,), {"variable": self}, self.shape, self.dtype)

    def assign(self, value):
        """Return a node that sets the variable to a value."""
        return self.change("assign", value)

    def assign_add(self, value):
        """Return a node that adds a value to the variable."""
        return self.change("assign_add", value)

    def assign_sub(self, value):
        """Return a node that subtracts a value from the variable."""
        return self.change("assign_sub", value)

    def read_value(self):
        """Return a node with the variable's value at its own turn."""
        return Node("read", (), {"variable": self}, self.shape, self.dtype)

    ### END SOLUTION


# The kernels of your new ops stand here: KERNELS["variable"] = ...
### BEGIN SOLUTION
def looked_up(values, variable):
    """Return the value of a variable; RuntimeError if it has none."""
    if variable not in values:
        raise RuntimeError(f"variable {variable.name!r} has no value: run its initializer first")
    return values[variable]


def stored(session, node, value):
    """Put a copy of a value into the session, for the variable of an assigning node."""
    session.values[node.options["variable"]] = value = np.array(value, dtype=node.dtype)
    return value


def current(session, node):
    """Return the value, at this moment, of the variable that a node belongs to."""
    return looked_up(session.values, node.options["variable"])


KERNELS["variable"] = lambda session, node: looked_up(session.before, node)
KERNELS["read"] = current
KERNELS["assign"] = stored
KERNELS["assign_add"] = lambda s, node, value: stored(s, node, current(s, node) + value)
KERNELS["assign_sub"] = lambda s, node, value: stored(s, node, current(s, node) - value)
KERNELS["group"] = lambda session, node: None
### END SOLUTION


@contextmanager
def control_dependencies(nodes):
    """Make every node made inside the block run after these."""
    ### BEGIN SOLUTION
    graph = GRAPHS[-1]
    before, graph.waiting = graph.waiting, [*graph.waiting, *nodes]
    try:
        yield
    finally:
        graph.waiting = before
    ### END SOLUTION


def group(*nodes):
    """Return a node without a value that runs all of these."""
    ### BEGIN SOLUTION
    with control_dependencies(nodes):
        return Node("group")
    ### END SOLUTION


def global_variables_initializer():
    """Return a node that gives every variable of the graph its initial value."""
    ### BEGIN SOLUTION
    return group(*(variable.initializer for variable in GRAPHS[-1].variables))
    ### END SOLUTION


# %% tests="variables" behaviour="made" points=2
@autograder.test
def _(rng):
    "A variable is a node with the stated attributes, and its graph knows it."

    @beside
    def run(value, dtype):
        with Graph().as_default(), Graph().as_default() as graph:
            as_array, as_list = Variable(value, name="w"), Variable(value.tolist(), trainable=False)
            as_node = Variable(constant(value, dtype) * 2)
        made = [as_array, as_list, as_node]
        known = [any(v is other for other in made) for v in graph.variables]
        with Session() as session:
            session.run([v.initializer for v in made])
            values = session.run(made)
        told = [isinstance(v, Node) and v.trainable for v in made]
        return [facts(v) for v in made], [v.name for v in made], told, known, values

    def expected(value, dtype):
        one = {"op": "variable", "inputs": [], "shape": value.shape, "dtype": "float64"}
        names, trainable = ["w", "Variable", "Variable_1"], [True, False, True]
        values = [value[()], value[()], np.asarray(value.astype(dtype) * 2)[()]]
        return [one, one, one | {"dtype": dtype}], names, trainable, [True] * 3, values

    what = "three variables: facts, names, trainable, known to the graph, values"
    value = np.array([1.0, 2.0])
    same(run(value, "float32"), expected(value, "float32"), what)
    ### BEGIN HIDDEN TESTS
    for shape in ((), (1,), (3, 4), (2, 1, 3)):
        for dtype in ("float32", "float64"):
            value = np.asarray(rng.normal(size=shape))
            same(run(value, dtype), expected(value, dtype), what)
    ### END HIDDEN TESTS


# %% tests="variables" behaviour="lives" points=2
@autograder.test
def _(rng):
    "A variable keeps its value from run to run, in each session its own."

    @beside
    def run(start, feeds):
        import numpy as np

        with Graph().as_default():
            w, x = Variable(start), placeholder("float64", start.shape)
            step, double = w.assign(x), w * 2.0
        first, second = Session(), Session()
        first.run(w.initializer)
        second.run(w.initializer)
        seen = []
        for feed in feeds:
            lent = np.array(feed)
            first.run(step, {x: lent})
            lent.fill(np.nan)
            seen.append([first.run(double, {w: feed - 1.0}), first.run(w), second.run(w)])
        return seen

    start, feed = np.array([1.0]), np.array([5.0])
    what = "in the session that assigns: 2 · w with w − 1 fed for w, w; in another one: w"
    expected = [[2 * feed - 2, feed, start], [2 * start - 2, start, start]]
    trajectory(run(start, [feed, start]), expected, what)
    ### BEGIN HIDDEN TESTS
    for shape in ((2,), (), (3, 2)):
        start, *feeds = (np.asarray(rng.normal(size=shape)) for _ in range(5))
        expected = [[2 * feed - 2, feed[()], start[()]] for feed in feeds]
        trajectory(run(start, feeds), expected, what)
    ### END HIDDEN TESTS


# %% tests="variables" behaviour="assign" points=3
@autograder.test
def _(rng):
    "`assign`, `assign_add` and `assign_sub` change the variable when they run, and only then."

    @beside
    def run(start, names, values, dtype):
        import numpy as np

        with Graph().as_default():
            w = Variable(np.array(start, dtype))
            nodes = [getattr(w, name)(value) for name, value in zip(names, values, strict=True)]
            for name in ("assign", "assign_add", "assign_sub"):
                getattr(w, name)(constant(np.full_like(start, 77.0)))
        session, seen = Session(), []
        session.run(w.initializer)
        for node in nodes:
            seen.append([session.run(w * 1.0), session.run(node), session.run(w)])
        return seen

    a, b, c, d = (np.array([n]) for n in (1.0, 5.0, 7.0, 4.0))
    what = "before, the assigning node, after"
    got = run(a, ["assign", "assign_add", "assign_sub"], [b, b - 3, b - 2], "float64")
    trajectory(got, [[a, b, b], [b, c, c], [c, d, d]], what)
    ### BEGIN HIDDEN TESTS
    for shape in ((), (3,), (2, 2)):
        for dtype, rtol in (("float64", 1e-9), ("float32", 1e-4)):
            at = np.asarray(rng.normal(size=shape)).astype(dtype)
            start, names, values, path = at, [], [], []
            for _ in range(6):
                names.append(str(rng.choice(["assign", "assign_add", "assign_sub"])))
                values.append(np.asarray(rng.normal(size=shape)))
                signs = {"assign": (0, 1), "assign_add": (1, 1), "assign_sub": (1, -1)}[names[-1]]
                new = np.asarray(signs[0] * at + signs[1] * values[-1]).astype(dtype)
                path.append([at[()], new[()], new[()]])
                at = new
            got = run(start, names, values, dtype)
            trajectory(got, path, f"{what}; {names}", rtol=rtol, atol=rtol)

    @beside
    def wide_value(start, value, name):
        with Graph().as_default():
            w = Variable(start.astype("float32"))
            node = getattr(w, name)(constant(value))
        session = Session()
        session.run(w.initializer)
        return [str(node.dtype), session.run(node), session.run(w)]

    start, value = rng.normal(size=(2, 3))
    for name, sign in (("assign", 0), ("assign_add", 1), ("assign_sub", -1)):
        new = (start.astype("float32") + sign * value if sign else value).astype("float32")
        got = wide_value(start, value, name)
        same(got, ["float32", new, new], f"{name} of a float64 node, variable float32", rtol=1e-6)
    got = run(np.array(2.0), ["assign", "assign_sub"], [3, 1.5], "float64")
    trajectory(got, [[2.0, 3.0, 3.0], [3.0, 1.5, 1.5]], f"{what}; Python numbers")
    ### END HIDDEN TESTS


# %% tests="variables" behaviour="before" points=2
@autograder.test
def _(rng):
    "In a run, a variable has the value from before it, whatever the run assigns."

    @beside
    def run(a, b, rounds, early):
        with Graph().as_default():
            u, v = Variable(a, name="u"), Variable(b, name="v")
            swap = [u.assign(v), v.assign(u)]
            late = v * 1.0 + u
        session, seen = Session(), []
        session.run([u.initializer, v.initializer])
        for _ in range(rounds):
            fetches = [swap, u, v, late]
            got = session.run(fetches if early else fetches[::-1])
            seen.append(got if early else got[::-1])
        return seen

    what = "the two assigned values, u, v, u + v"
    a, b = np.array([1.0]), np.array([2.0])
    turns = [[[b, a], a, b, a + b], [[a, b], b, a, a + b]]
    for early in (True, False):  # the assignments are fetched first, or last
        trajectory(run(a, b, 2, early), turns, what)
    ### BEGIN HIDDEN TESTS
    for shape in ((), (3,)):
        a, b = (np.asarray(rng.normal(size=shape)) for _ in "ab")
        x, y = a[()], b[()]
        turns = [[[y, x], x, y, x + y], [[x, y], y, x, x + y]] * 2
        for early in (True, False):
            trajectory(run(a, b, 3, early), turns[:3], what)

    @beside
    def several(value):
        with Graph().as_default():
            w = Variable(value)
            early = w * 1.0
            more = w.assign_add(early)
            with control_dependencies([more]):
                late = w * 1.0
        session = Session()
        session.run(w.initializer)
        return session.run([late, more, w]), session.run(w)

    value = rng.normal(size=3)
    expected = [value, 2 * value, value], 2 * value
    same(several(value), expected, "w · 1 made after an assignment, the assigned value, w; then w")
    ### END HIDDEN TESTS


# %% tests="variables" behaviour="group" points=2
@autograder.test
def _(rng):
    "`group` runs all its nodes and is None; the initializer gives all variables their values."

    @beside
    def run(values, fed):
        with Graph().as_default(), Graph().as_default():
            variables = [Variable(value) for value in values]
            init = global_variables_initializer()
            x = placeholder("float64", (), "x")
            updates = group(*(v.assign_add(x * v) for v in variables))
            both = group(updates, group())
        kind = [both.op, both.shape is None, both.dtype is None, both.inputs]
        session = Session()
        seen = [session.run(init), session.run(variables)]
        seen += [session.run([updates, x], {x: fed}), session.run(variables)]
        return kind, seen, session.run([both], {x: fed}), session.run(variables)

    what = "what a group is; init, values, [group, x], values; a group of groups; values"
    got = run([1.0, 2.0], 1.0)
    seen = [None, [1.0, 2.0], [None, 1.0], [2.0, 4.0]]
    same(got, (["group", True, True, ()], seen, [None], [4.0, 8.0]), what)
    ### BEGIN HIDDEN TESTS

    @beside
    def waits(values):
        with Graph().as_default():
            fixed = [Variable(value, trainable=False) for value in values]
            with control_dependencies([constant(1.0)]):
                inside = group(*fixed)
            init, session = global_variables_initializer(), Session()
        return len(set(inside.after)), [session.run(init), session.run(fixed)]

    for count in (0, 1, 5):
        values, fed = rng.normal(size=count).tolist(), float(rng.normal())
        same(waits(values), (1 + count, [None, values]), "a group made in a block; initial values")
        once, twice = ([v * (1 + fed) ** n for v in values] for n in (1, 2))
        seen = [None, values, [None, fed], once]
        same(run(values, fed), (["group", True, True, ()], seen, [None], twice), what)
    ### END HIDDEN TESTS


# %% tests="variables" behaviour="ordered" points=3
@autograder.test
def _(rng):
    "`control_dependencies` orders what is made inside; `read_value` sees what ran before."

    @beside
    def run(start, numbers):
        with Graph().as_default(), Graph().as_default() as graph:
            w = Variable(start)
            first = w.assign_add(numbers[0])
            with control_dependencies([first]):
                second = w.assign(w.read_value() * numbers[1])
                with control_dependencies([second]):
                    third = w.assign_sub(numbers[2])
                with control_dependencies([third]):
                    last = w.read_value()
                beside_it = constant(1.0) * 2.0
            outside = constant(1.0)
        session, runs = Session(), []
        session.run(w.initializer)
        runs.append(session.run(beside_it))
        runs.append(session.run(w))
        runs.append(session.run(last))
        after = [len(set(node.after)) for node in (second, third, last, beside_it, outside)]
        return runs, session.run(w), after, len(graph.waiting)

    what = "a node behind `first`, w, w after all three; w; how many nodes each waits for; waiting"
    got = run(2.0, [3.0, 10.0, 1.0])
    same(got, ([2.0, 5.0, 79.0], 79.0, [1, 2, 2, 1, 0], 0), what)
    ### BEGIN HIDDEN TESTS
    for _ in range(3):
        start, a, b, c = rng.normal(size=4).tolist()
        final = (start + 2 * a) * b - c
        same(run(start, [a, b, c]), ([2.0, start + a, final], final, [1, 2, 2, 1, 0], 0), what)

    @beside
    def ended_by_an_error(depth):
        with Graph().as_default() as graph:
            first = constant(1.0)
            try:
                with control_dependencies([first] * depth), control_dependencies([constant(2.0)]):
                    raise KeyError("ends the blocks")
            except KeyError:
                return len(constant(3.0).after), len(graph.waiting)

    for depth in (0, 1, 3):
        same(ended_by_an_error(depth), (0, 0), "a node made after blocks that an error ended")
    ### END HIDDEN TESTS


# %% tests="variables" behaviour="errors" points=2
@autograder.test
def _(rng):
    "No value yet: RuntimeError with the name; a value of another shape: ValueError with the name."

    @beside
    def unset(kind, name):
        with Graph().as_default():
            w, other = Variable([1.0], name=name), Variable([2.0])
            node = {"read": w.read_value(), "itself": w + 1.0, "add": w.assign_add([1.0])}
            node |= {"sub": w.assign_sub(other)}
        session = Session()
        session.run(other.initializer)
        return session.run(node[kind])

    @beside
    def unfit(method, name, shape, value, as_node):
        import numpy as np

        with Graph().as_default():
            w = Variable(np.zeros(shape), name=name)
            return getattr(w, method)(constant(value) if as_node else value)

    raises(RuntimeError, unset, "itself", "bias", mentions="bias")
    raises(ValueError, unfit, "assign", "bias", (2,), np.zeros(3), True, mentions="bias")
    ### BEGIN HIDDEN TESTS
    for kind in ("read", "add", "sub", "itself"):
        name = f"v{int(rng.integers(10**6))}x"
        raises(RuntimeError, unset, kind, name, mentions=name)
    for shape, value in (((2,), (1,)), ((2, 3), (3, 2)), ((2,), ()), ((), (1,)), ((1, 2), (2,))):
        for method in ("assign", "assign_add", "assign_sub"):
            name, value_ = f"v{int(rng.integers(10**6))}x", np.asarray(rng.normal(size=value))
            raises(ValueError, unfit, method, name, shape, value_, True, mentions=name)
            raises(ValueError, unfit, method, name, shape, value_, False, mentions=name)
    ### END HIDDEN TESTS


# %% given="variables_stand_in"
stand_in("variables", globals())

# %% [markdown]
# Now the program from the beginning, in your framework. First as it stood there, then with the
# missing word:

# %%
with Graph().as_default():
    x, w = placeholder("float64", (), "x"), Variable(2.0, name="w")
    loss = (w * x - 11.0) ** 2
    (slope,) = gradients(loss, [w])
    update = w.assign(w - 0.05 * slope)
    init = global_variables_initializer()

for fetches in ([loss], [loss, update]):
    with Session() as session:
        session.run(init)
        print([float(session.run(fetches, feed_dict={x: 3.0})[0]) for _step in range(4)])

# %% [markdown]
# That was the mistake. `w.assign(...)` made a node. The loss does not need that node, so asking for
# the loss does not run it. *Only what is needed* is the best rule of a session, and here it works
# against you.
#
# One can fetch the updates. But a fetched value is copied out of the session, and in the lecture's
# program these are whole weight matrices. So it groups them: `updates = tf.group(new_w1, new_w2)`.
# Fetching that runs both and brings back None. A student noted: "funny indirection in TensorFlow,
# TensorFlow magic, TensorFlow.group".
#
# ## Build and run
#
# The same program with two more lines, `step = tf.group(update)` and one that nobody needs. On the
# left its lines run, and make nodes. Then choose fetches and press `session.run`; what is needed
# lights up, in order. Before you press, predict:
#
# 1. Fetch `loss`, three times. Which nodes light up, and what does `w` do?
# 2. Fetch `loss` and `step`, twice. What comes back for `step`? Which of the two losses is new?
# 3. Feed 5 for `p`, and fetch `loss` alone. Which nodes are needed? Empty the field of `x`: does it
#    still run? And with `step` fetched?
# 4. How do you make `other` light up?

# %%
from chainrule.widgets import BuildAndRun

BuildAndRun()

# %% [markdown]
# <details><summary>What you should have seen</summary>
#
# 1. w, x, p, loss: 25 each time. `w` stays 2, for nothing that changes it was needed.
# 2. None, for a group has no value. The first loss is 25 still, from before the update, the second
#    0.25: `w` was 3.5 by then.
# 3. p and loss: 36. Without x it still runs, for x is not needed. With `step` it is, by `slope`,
#    and the session says that x must be fed, before anything is computed.
# 4. Fetch it. There is no other way.
#
# </details>
#
# **Here the first sitting ends.** You have what TensorFlow 1 is made of: a graph, a session, feeds,
# gradients, variables.
# %% [markdown]
# ## Second sitting: what a program costs that crosses the border
#
# Between Python and a session there is a border. Feeds are copied in, fetches are copied out. If
# the session works on a graphics card, as TensorFlow's did, this is the slow road through the
# machine (lesson 11 measures it). Here is a session that counts, and the lecture's first version of
# its net, weights fed in each step and gradients fetched.


# %% given="meter"
class Meter(Session):
    """A session that notes how many bytes each run has copied, in and out."""

    def __init__(self, seed=0):
        super().__init__(seed)
        self.copied = []

    def run(self, fetches, feed_dict=None):
        result = super().run(fetches, feed_dict)
        self.copied.append(size_of(list((feed_dict or {}).values())) + size_of(result))
        return result


def size_of(values):
    """Return the bytes of all arrays and numbers in lists, tuples and dicts."""
    if isinstance(values, dict):
        values = list(values.values())
    if isinstance(values, list | tuple):
        return sum(size_of(value) for value in values)
    return 0 if values is None else np.asarray(values).nbytes


# %%
def train_fed(x, y, w1, w2, lr, steps, session):
    arrays, losses = [x, y, w1, w2], []
    with Graph().as_default():
        holes = [placeholder("float64", array.shape) for array in arrays]
        loss = cr.sum((cr.relu(holes[0] @ holes[2]) @ holes[3] - holes[1]) ** 2)
        slopes = gradients(loss, holes[2:])
    for _step in range(steps):
        value, (g1, g2) = session.run([loss, slopes], dict(zip(holes, arrays, strict=True)))
        losses.append(float(value))
        arrays[2:] = arrays[2] - lr * g1, arrays[3] - lr * g2
    return losses, *arrays[2:]


def lecture_data():
    rng = np.random.default_rng(0)
    return [rng.standard_normal(size) for size in ((64, 1000), (64, 10), (1000, 100), (100, 10))]


session = Meter()
losses, *_weights = train_fed(*lecture_data(), 1e-6, 5, session)
print("losses", *(f"{loss:.6g}" for loss in losses))
print("bytes copied in each step", session.copied)

# %% [markdown]
# These are the losses of lesson 01. But each step moves 2.1 million bytes, and only one number of
# it, the loss, is for us to see. A net of today has 10⁹ weights.

# %% [markdown] prompt="resident"
# ### Exercise 5: weights that stay
#
# Write two functions.
#
# * `train_resident(x, y, w1, w2, lr, steps, session)` trains the same net with the same loss as
#   `train_fed`, `steps` times by gradient descent, in the `session` given, and returns the same:
#   the list of the losses *before* each update, as numbers, and the trained `w1` and `w2`. It
#   builds a graph of its own, once, in which the weights are variables. In each of the steps **one
#   run and 8 bytes** cross the border: nothing is fed, and only the loss comes back. Starting and
#   ending may take a run or more, but copy no more than the two trained matrices, once. Both
#   weights are moved by gradients of the same moment. The arrays given stay as they are.
# * `bytes_per_step(n, d_in, h, d_out, itemsize)` returns three whole numbers, the bytes that each
#   step copies, in and out. A number has `itemsize` bytes; x is (n, d_in), w1 (d_in, h), w2
#   (h, d_out): first for `train_fed`; then with weights as variables, but x and y fed, as in a
#   loop over minibatches; then for `train_resident`.

# %% [markdown] hint="resident"
# You have all the pieces: what does not change between steps can be a constant, what does is a
# Variable. Two assignments want to run in each step, and their values should not come back.

# %% [markdown] hint="resident"
# ```
# session.run              in                 out
# initializer              –                  None
# [loss, updates]          –                  loss, None      steps times
# [w1, w2]                 –                  two matrices
# ```

# %% [markdown] hint="resident"
# ```python
# with Graph().as_default():
#     weights = [Variable(w1), ...]
#     loss = ...
#     slopes = gradients(...)
#     updates = group(*(... for w, g in zip(weights, slopes)))
#     init = ...
# session.run(init)
# losses = [float(...) for _step in range(steps)]
# return losses, *session.run(weights)
# ```


# %% exercise="resident" minutes=15 difficulty=2 importance=4 allow="numpy chainrule -chainrule.graph -chainrule.compiler -chainrule.program -chainrule.small_graph.optimizer -chainrule.small_graph.dense"
def train_resident(x, y, w1, w2, lr, steps, session):
    """Train the two-layer net with weights that stay in the session; return losses, w1, w2."""
    ### BEGIN SOLUTION
    with Graph().as_default():
        weights = [Variable(w1, "w1"), Variable(w2, "w2")]
        loss = cr.sum((cr.relu(constant(x) @ weights[0]) @ weights[1] - y) ** 2)
        slopes = gradients(loss, weights)
        updates = group(*(w.assign_sub(lr * g) for w, g in zip(weights, slopes, strict=True)))
        init = global_variables_initializer()
    session.run(init)
    losses = [float(session.run([loss, updates])[0]) for _step in range(steps)]
    return losses, *session.run(weights)
    ### END SOLUTION


def bytes_per_step(n, d_in, h, d_out, itemsize):
    """Return the bytes copied in a step: weights fed, weights as variables, everything resident."""
    ### BEGIN SOLUTION
    data, weights = n * (d_in + d_out), h * (d_in + d_out)
    return (data + 2 * weights + 1) * itemsize, (data + 1) * itemsize, itemsize
    ### END SOLUTION


# %% tests="resident" behaviour="trains" points=3
@autograder.test
def _(rng):
    "Losses before each update and the trained weights are those of gradient descent."

    @beside
    def run(x, y, w1, w2, lr, steps):
        return train_resident(x, y, w1, w2, lr, steps, Session())

    x, y, w1, w2 = (np.array([[n]]) for n in (1.0, 5.0, 2.0, 3.0))
    expected = [1.0, 1.8496], np.array([[2.1072]]), np.array([[2.9808]])
    what = "losses of two steps, w1 and w2"
    same(run(x, y, w1, w2, 0.1, 2), expected, what)
    ### BEGIN HIDDEN TESTS
    for n, d, h, o, steps in ((4, 3, 5, 2, 8), (1, 2, 1, 1, 1), (6, 2, 3, 4, 0), (3, 3, 3, 3, 12)):
        x, a, b, y = (0.5 * rng.normal(size=size) for size in ((n, d), (d, h), (h, o), (n, o)))
        start, losses, lr = (a, b), [], float(rng.uniform(0.001, 0.02))
        for _ in range(steps):
            hidden = x @ a
            slope = 2 * (np.maximum(hidden, 0) @ b - y)
            losses.append(float((slope**2).sum() / 4))
            moves = x.T @ (slope @ b.T * (hidden > 0)), np.maximum(hidden, 0).T @ slope
            a, b = a - lr * moves[0], b - lr * moves[1]
        same(run(x, y, *start, lr, steps), (losses, a, b), f"losses of {steps} steps, w1 and w2")
    ### END HIDDEN TESTS


# %% tests="resident" behaviour="copies" points=3
@autograder.test
def _(rng):
    "Weights live in the session: right losses, 8 bytes copied a step, the weights at most once."

    @beside
    def run(x, y, w1, w2, lr, steps):
        session = Meter()
        losses, *_ = train_resident(x, y, w1, w2, lr, steps, session)
        return losses, session.copied

    x, y, w1, w2 = (np.array([[n]]) for n in (1.0, 5.0, 2.0, 3.0))
    losses, copied = run(x, y, w1, w2, 0.1, 2)
    same(losses, [1.0, 1.8496], "the losses of two steps")
    same(copied.count(8), 2, "how many runs copied 8 bytes")
    at_most(sum(copied), 2 * 8 + 16, "bytes copied in two steps, start and end")
    ### BEGIN HIDDEN TESTS

    @beside
    def held(x, y, w1, w2, lr, steps):
        seen = []

        class Watching(Session):
            def run(self, *args, **kwargs):
                result = super().run(*args, **kwargs)
                seen[:] = [np.array(value) for value in self.values.values()]
                return result

        _, *weights = train_resident(x, y, w1, w2, lr, steps, Watching())
        far = [[abs(v - w).max() for v in seen if v.shape == w.shape] for w in weights]
        return [float(min(each, default=9.9)) for each in far]

    for n, d, h, o, steps in ((6, 20, 7, 3, 9), (30, 4, 5, 2, 25)):
        arrays = [0.1 * rng.normal(size=size) for size in ((n, d), (n, o), (d, h), (h, o))]
        losses, copied = run(*arrays, 1e-3, steps)
        first = ((np.maximum(arrays[0] @ arrays[2], 0) @ arrays[3] - arrays[1]) ** 2).sum()
        same([len(losses), losses[:1]], [steps, [float(first)]], "how many losses; the first")
        at_least(float(copied.count(8)), steps, "how many runs copied 8 bytes")
        at_most(sum(copied), 8 * steps + 8 * h * (d + o), f"bytes copied in {steps} steps")
        what = "how far w1 and w2, as returned, are from the next variable in the session"
        same(held(*arrays, 1e-3, steps), [0.0, 0.0], what)
    ### END HIDDEN TESTS


# %% tests="resident" behaviour="built_once" points=1
@autograder.test
def _(rng):
    "The graph is built once: more steps make no more nodes; inputs stay as they are."

    @beside
    def run(arrays, lr, steps):
        import numpy as np

        made, lent = [], [np.array(a) for a in arrays]

        class Watching(Graph):
            def __init__(self):
                super().__init__()
                made.append(self)

        names, outside = train_resident.__globals__, len(GRAPHS[-1].nodes)
        kept, names["Graph"] = Graph, Watching
        try:
            losses, *_ = train_resident(*lent, lr, steps, Session())
        finally:
            names["Graph"] = kept
        counts = [len(graph.nodes) for graph in made]
        return len(losses), losses[:1], len(GRAPHS[-1].nodes) - outside, lent, counts

    arrays = [np.array([[n]]) for n in (1.0, 5.0, 2.0, 3.0)]
    what = "how many losses, the first, nodes left in the default graph, the arrays given"
    few, many = run(arrays, 0.01, 2), run(arrays, 0.01, 6)
    same([few[:4], many[:4]], [(2, [1.0], 0, arrays), (6, [1.0], 0, arrays)], what)
    same(many[4], few[4], "nodes in each graph with 6 steps, and with 2")
    ### BEGIN HIDDEN TESTS
    arrays = [0.3 * rng.normal(size=size) for size in ((4, 3), (4, 2), (3, 5), (5, 2))]
    x, y, a, b = arrays
    first = [float(((np.maximum(x @ a, 0) @ b - y) ** 2).sum())]
    few, many = run(arrays, 0.01, 1), run(arrays, 0.01, 9)
    same([few[:4], many[:4]], [(1, first, 0, arrays), (9, first, 0, arrays)], what)
    same(many[4], few[4], "nodes in each graph with 9 steps, and with 1")
    ### END HIDDEN TESTS


# %% tests="resident" behaviour="bytes" points=2
@autograder.test
def _(rng):
    "`bytes_per_step` is right for all three ways, any sizes."
    what = "bytes per step: weights fed; x and y fed; all resident"
    same(call(bytes_per_step, 64, 1000, 100, 10, 8), (2133128, 517128, 8), what)
    ### BEGIN HIDDEN TESTS
    for _ in range(6):
        n, d, h, o = (int(size) for size in rng.integers(1, 5000, size=4))
        for item in (2, 4, 8):
            fed = (n * d + n * o + 2 * (d * h + h * o) + 1) * item
            expected = fed, (n * d + n * o + 1) * item, item
            same(call(bytes_per_step, n, d, h, o, item), expected, what)
    ### END HIDDEN TESTS


# %%
session = Meter()
losses, *_weights = train_resident(*lecture_data(), 1e-6, 5, session)
print("losses", *(f"{loss:.6g}" for loss in losses))
print("bytes copied in each run", session.copied)

# %% [markdown]
# The same losses; 8 bytes a step instead of 2,133,128. The last run fetched the weights. "Copy data
# is expensive", as another student's notes on the lecture have it, "thus, we use variable for
# weights".
#
# ## Just optimize for you
#
# Gradients, one `assign_sub` for each variable, a group around them: that never changes. So
# TensorFlow made one line of it. The student notes that open lesson 07 say that it "will
# automatically just optimize for you". Here is what the line does:
#
# ```diff
# -grad_w1, grad_w2 = tf.gradients(loss, [w1, w2])
# -new_w1 = w1.assign(w1 - learning_rate * grad_w1)
# -new_w2 = w2.assign(w2 - learning_rate * grad_w2)
# -updates = tf.group(new_w1, new_w2)
# +optimizer = tf.train.GradientDescentOptimizer(1e-5)
# +updates = optimizer.minimize(loss)
# ```
#
# The list of weights is gone: the graph knows its variables. And they get their first values from a
# node as well, `tf.Variable(tf.random_normal((D, H)))`, so not even these cross the border.

# %% [markdown] prompt="optimizer"
# ### Exercise 6: an optimizer, and random weights
#
# **`random_normal(shape, mean=0.0, stddev=1.0, dtype="float32", name=None)`** makes a node of that
# shape and dtype. In each run it has new values, `session.rng.normal(mean, stddev, shape)`, cast to
# the dtype, drawn once for all who use the node. Making it draws nothing.
#
# **`GradientDescentOptimizer(learning_rate)`**, where the rate is a number or a node without axes:
#
# * `compute_gradients(loss, var_list=None)` returns a list of pairs (gradient node or None,
#   variable), for the variables of `var_list`, in its order, or for all *trainable* variables of
#   `GRAPHS[-1]`, in the order in which they were made;
# * `apply_gradients(pairs)` returns one node; each time it runs, every variable among the pairs
#   moves by −`learning_rate` · its gradient. A pair whose gradient is None is left out. If all are,
#   a `ValueError` says so. Gradients may be other nodes than those of `compute_gradients`, for
#   example clipped ones; `pairs` is any iterable.
# * `minimize(loss, var_list=None)` is the second of the first.
#
# The value of what `apply_gradients` and `minimize` return is None: no weights are copied. Both
# only make nodes.

# %% [markdown] hint="optimizer"
# `minimize` is one line. `compute_gradients` is `gradients` with a good default and a `zip`. For
# `apply_gradients` look at your `train_resident`.

# %% [markdown] hint="optimizer"
# ```
# compute_gradients(loss)       [(dL/dw1, w1), (dL/dw2, w2), (None, unused)]
#                                      │
#               (something in between, clipping for example)
#                                      ▼
# apply_gradients(pairs)        group( w1.assign_sub(lr · …), w2.assign_sub(lr · …) )
# ```

# %% [markdown] hint="optimizer"
# ```python
# def compute_gradients(self, loss, var_list=None):
#     if var_list is None:
#         var_list = [v for v in GRAPHS[-1].variables if ...]
#     return list(zip(gradients(...), var_list))
#
# def apply_gradients(self, pairs):
#     updates = [... for g, v in pairs if ...]
#     if not updates: raise ...
#     return group(...)
# ```
# And `KERNELS["random_normal"] = lambda session, node: ...`


# %% exercise="optimizer" minutes=15 difficulty=2 importance=4 allow="numpy chainrule -chainrule.graph -chainrule.compiler -chainrule.program -chainrule.small_graph.optimizer -chainrule.small_graph.dense"
def random_normal(shape, mean=0.0, stddev=1.0, dtype="float32", name=None):
    """Return a node with new normal random numbers in each run."""
    ### BEGIN SOLUTION
    options = {"mean": mean, "stddev": stddev}
    return Node("random_normal", (), options, shape, dtype, name)
    ### END SOLUTION


# The kernel of your new op stands here: KERNELS[...] = ...
### BEGIN SOLUTION
def drawn(session, node):
    """Return the numbers of a random node, from the session's generator."""
    numbers = session.rng.normal(node.options["mean"], node.options["stddev"], node.shape)
    return np.asarray(numbers, dtype=node.dtype)


KERNELS["random_normal"] = drawn
### END SOLUTION


class GradientDescentOptimizer:
    """Makes the nodes that move variables down a loss."""

    def __init__(self, learning_rate):
        self.learning_rate = learning_rate

    def compute_gradients(self, loss, var_list=None):
        """Return (gradient, variable) for these variables, or for all trainable ones."""
        ### BEGIN SOLUTION
        if var_list is None:
            var_list = [v for v in GRAPHS[-1].variables if v.trainable]
        return list(zip(gradients(loss, var_list), var_list, strict=True))
        ### END SOLUTION

    def apply_gradients(self, pairs):
        """Return a node that moves the variables by -learning_rate times their gradients."""
        ### BEGIN SOLUTION
        updates = [v.assign_sub(g * self.learning_rate) for g, v in pairs if g is not None]
        if not updates:
            raise ValueError("no variable has a gradient: the loss depends on none of them")
        return group(*updates)
        ### END SOLUTION

    def minimize(self, loss, var_list=None):
        """Return a node that makes one step of gradient descent."""
        ### BEGIN SOLUTION
        return self.apply_gradients(self.compute_gradients(loss, var_list))
        ### END SOLUTION


# %% tests="optimizer" behaviour="minimize" points=3
@autograder.test
def _(rng):
    "`minimize` makes one step of gradient descent, each time it runs; the node's value is None."

    @beside
    def run(a, b, lr, steps, as_node):
        with Graph().as_default():
            u, v = Variable(a, "u"), Variable(b, "v")
            loss = cr.sum((u * v - 1.0) ** 2)
            rate = placeholder("float64", ()) if as_node else lr
            step = GradientDescentOptimizer(rate).minimize(loss)
            init = global_variables_initializer()
        session, path = Session(), []
        session.run(init)
        for _ in range(steps):
            out = session.run([loss, step], {rate: lr} if as_node else {})
            path.append([*out, *session.run([u, v])])
        return path

    a, b, one = np.array([1.0]), np.array([3.0]), np.array([1.0])
    what = "the loss, None, and both variables after each step"
    trajectory(run(a, b, 0.5, 1, False), [[4.0, None, a - 6, b - 2]], what)
    trajectory(run(a, one, 0.5, 2, True), [[0.0, None, a, one]] * 2, what)
    ### BEGIN HIDDEN TESTS
    for shape in ((3,), (2, 2), ()):
        for as_node in (False, True):
            a, b = (np.asarray(rng.normal(size=shape)) for _ in "ab")
            u, v, lr, path = a, b, float(rng.uniform(0.01, 0.1)), []
            for _ in range(5):
                slope, loss = 2 * (u * v - 1), ((u * v - 1) ** 2).sum()
                u, v = u - lr * slope * v, v - lr * slope * u
                path.append([float(loss), None, np.asarray(u)[()], np.asarray(v)[()]])
            trajectory(run(a, b, lr, 5, as_node), path, what)
    ### END HIDDEN TESTS


# %% tests="optimizer" behaviour="which" points=2
@autograder.test
def _(rng):
    "It moves the trainable variables, or those of `var_list`; None where the loss does not reach."

    @beside
    def run(values, chosen):
        with Graph().as_default(), Graph().as_default():
            made = [Variable(v, f"v{i}", trainable=i != 2) for i, v in enumerate(values)]
            loss = made[0] ** 2 + made[1] ** 2 + made[2] ** 2
            names = None if chosen is None else [made[i] for i in chosen]
            optimizer = GradientDescentOptimizer(0.25)
            pairs = optimizer.compute_gradients(loss, names)
            step = optimizer.minimize(loss, names)
        session = Session()
        session.run([v.initializer for v in made])
        fetched = [None if g is None else session.run(g) for g, _ in pairs]
        session.run(step)
        return [v.name for _, v in pairs], fetched, session.run(made)

    what = "names and gradients of the pairs; four variables after a step, v2 not trainable"
    expected = ["v0", "v1", "v3"], [2.0, 4.0, None], [0.5, 1.0, 3.0, 4.0]
    same(run([1.0, 2.0, 3.0, 4.0], None), expected, what)
    ### BEGIN HIDDEN TESTS
    for chosen in (None, [1], [2, 0], [3, 1], [0, 1, 2, 3]):
        values = rng.normal(size=4).tolist()
        listed = [0, 1, 3] if chosen is None else chosen
        moved = [v / 2 if i in listed and i != 3 else v for i, v in enumerate(values)]
        slopes = [None if i == 3 else 2 * values[i] for i in listed]
        same(run(values, chosen), ([f"v{i}" for i in listed], slopes, moved), what)

    @beside
    def of_none(value):
        with Graph().as_default():
            w = Variable(value)
            return GradientDescentOptimizer(0.1).compute_gradients(w * w, [])

    same(of_none(float(rng.normal())), [], "the pairs of an empty var_list")
    ### END HIDDEN TESTS


# %% tests="optimizer" behaviour="in_between" points=2
@autograder.test
def _(rng):
    "`apply_gradients` takes changed gradients, from any iterable; all None raises ValueError."

    @beside
    def run(values, lr, bound):
        with Graph().as_default():
            made = [Variable(v) for v in values]
            optimizer = GradientDescentOptimizer(lr)
            pairs = optimizer.compute_gradients(sum(v**2 for v in made[1:]))
            step = optimizer.apply_gradients(
                (g if g is None else cr.minimum(g, bound), v) for g, v in pairs
            )
        session = Session()
        session.run([v.initializer for v in made])
        return session.run(step), session.run(made)

    @beside
    def nothing(count):
        with Graph().as_default():
            made = [Variable(1.0) for _ in range(count)]
            return GradientDescentOptimizer(0.1).minimize(constant(1.0) * 2.0, made)

    what = "None, and three variables; the first is not in the loss; gradients are cut at 3"
    same(run([7.0, 1.0, 2.0], 1.0, 3.0), (None, [7.0, -1.0, -1.0]), what)
    raises(ValueError, nothing, 2)
    ### BEGIN HIDDEN TESTS
    for count in (2, 5):
        values, lr = rng.normal(size=count).tolist(), float(rng.uniform(0.1, 1))
        moved = [v - lr * min(2 * v, 0.5) for v in values[1:]]
        same(run(values, lr, 0.5), (None, [values[0], *moved]), "None, and the variables")
    raises(ValueError, nothing, 0)
    ### END HIDDEN TESTS


# %% tests="optimizer" behaviour="random" points=2
@autograder.test
def _(rng):
    "`random_normal` draws from the session's generator, once in each run."

    @beside
    def run(shape, mean, stddev, dtype, seed, runs):
        with Graph().as_default():
            noise = random_normal(shape, mean, stddev, dtype)
            w = Variable(noise * 1.0)
        session, other = Session(seed), Session(seed)
        seen = [session.run([noise, noise * 2.0])[1] for _ in range(runs)]
        other.run(w.initializer)
        return facts(noise), noise.name, seen, other.run(w), other.run(w)

    def expected(shape, mean, stddev, dtype, seed, runs):
        told = {"op": "random_normal", "inputs": [], "shape": shape, "dtype": dtype}
        source = np.random.default_rng(seed)
        draws = [np.asarray(source.normal(mean, stddev, shape)).astype(dtype) for _ in range(runs)]
        kept = draws[0][()]
        return told, "random_normal", [2 * d for d in draws], kept, kept

    what = "facts; name; twice the draws of some runs; a variable that begins with a draw, twice"
    case = (2,), 5.0, 0.0, "float64", 0, 2
    same(run(*case), expected(*case), what)
    ### BEGIN HIDDEN TESTS

    @beside
    def defaults():
        with Graph().as_default():
            return facts(random_normal([2, 3])), random_normal((), name="n").name

    one = {"op": "random_normal", "inputs": [], "shape": (2, 3), "dtype": "float32"}
    same(defaults(), (one, "n"), "facts of random_normal([2, 3]); a name")
    for shape in ((), (3,), (2, 4)):
        for dtype, rtol in (("float64", 1e-9), ("float32", 1e-5)):
            mean, stddev = (float(n) for n in rng.uniform(0, 3, size=2))
            case = shape, mean, stddev, dtype, int(rng.integers(1000)), 3
            same(run(*case), expected(*case), what, rtol=rtol)
    ### END HIDDEN TESTS


# %% given="optimizer_stand_in"
stand_in("optimizer", globals())

# %% [markdown]
# The lecture's program, third version: random weights made in the graph, an optimizer, and a loop
# that feeds a batch and fetches a loss.

# %%
with Graph().as_default():
    x, y = placeholder("float64", (64, 1000), "x"), placeholder("float64", (64, 10), "y")
    w1 = Variable(random_normal((1000, 100), dtype="float64"), "w1")
    w2 = Variable(random_normal((100, 10), dtype="float64"), "w2")
    y_pred = cr.maximum(x @ w1, 0) @ w2
    loss = cr.mean(cr.sum((y_pred - y) ** 2, axis=1))
    updates = GradientDescentOptimizer(1e-5).minimize(loss)
    init = global_variables_initializer()

inputs, targets, *_weights = lecture_data()
with Meter(seed=0) as session:
    session.run(init)
    for step in range(50):
        value, _ = session.run([loss, updates], feed_dict={x: inputs, y: targets})
        if step % 10 == 0:
            print(f"step {step:2}   loss {value:10.2f}   bytes copied {session.copied[-1]}")

# %% [markdown]
# ## Where it came from: Theano
#
# TensorFlow (2015) did not invent this. Theano did, at the University of Montreal, from 2007 on
# ([Bergstra and others, 2010](https://doi.org/10.25080/Majora-92bf1922-003)): symbolic expressions,
# `T.grad(cost, w)`, weights as *shared variables*. What it did not have is a session. One line
# turned a graph into a Python function:
#
# ```python
# train = theano.function([x, y], cost, updates=[(w, w - 0.1 * T.grad(cost, w))])
# ```
#
# `train(a, b)` takes the values of the inputs in their order, returns the cost, and has moved the
# weights. Outputs and updates are computed from the *old* values. In such a program nobody can
# forget the updates. On your graph, this function has ten lines.

# %% [markdown] prompt="theano"
# ### Exercise 7: Theano's function
#
# Write `function(inputs, outputs, updates=(), session=None)`. It returns a Python function `f`.
#
# * `inputs` is a list of nodes, placeholders mostly. `f` takes one value for each, in this order. A
#   wrong number of values raises a `TypeError`, and nothing changes.
# * `f(...)` returns the values of `outputs`: a node, or a structure of nodes as in `Session.run`,
#   or None for no outputs, which gives None.
# * `updates` is a list of pairs (variable, new value), or a dict of the same; the new value is a
#   node, an array or a number. Each call gives every variable its new value. All new values, and
#   the outputs, are computed from the values before the call, whatever the order of the pairs. If
#   `f` raises an error because of a value, no variable has changed.
# * All runs in `session`; if that is None, in a new one that is made once for this `f`.
# * Nodes are made once, by `function`. Calling `f` makes no more.

# %% [markdown] hint="theano"
# An update is an assignment, and the updates together are a group. What is left is one
# `session.run` with two fetches, of which one is returned.

# %% [markdown] hint="theano"
# ```
# f = function([x], c, [(a, b), (b, a + x)], session)
#
#             a     b     c = 10 · a
# before      1     2
# f(5)        2     6     10            b is old a + 5, c is 10 · old a
# f(0)        6     2     20
# ```

# %% [markdown] hint="theano"
# ```python
# def function(inputs, outputs, updates=(), session=None):
#     pairs = updates.items() if ... else updates
#     step = group(*(variable.assign(value) for ...))
#
#     def f(*values):
#         if len(values) != ...: raise TypeError(...)
#         result, _ = session.run(...)
#         return result
#
#     return f
# ```


# %% exercise="theano" minutes=15 difficulty=2 importance=3 allow="numpy chainrule -chainrule.graph -chainrule.compiler -chainrule.program -chainrule.small_graph.optimizer -chainrule.small_graph.dense"
def function(inputs, outputs, updates=(), session=None):
    """Return a Python function of the inputs that gives the outputs and makes the updates."""
    ### BEGIN SOLUTION
    session = session or Session()
    pairs = updates.items() if isinstance(updates, dict) else updates
    step = group(*(variable.assign(value) for variable, value in pairs))
    fetches = [[] if outputs is None else outputs, step]

    def f(*values):
        if len(values) != len(inputs):
            raise TypeError(f"expected {len(inputs)} values, came {len(values)}")
        result, _ = session.run(fetches, dict(zip(inputs, values, strict=True)))
        return None if outputs is None else result

    return f
    ### END SOLUTION


# %% tests="theano" behaviour="outputs" points=2
@autograder.test
def _(rng):
    "`f` returns the outputs in their structure; a wrong number of values raises TypeError."

    @beside
    def run(kind, a, b):
        with Graph().as_default():
            u, v = placeholder("float64", a.shape, "u"), placeholder("float64", b.shape, "v")
            total = cr.sum(u) * 2.0 + cr.sum(v)
            outputs = {"one": total, "list": [total, u], "none": None, "empty": []}
            outputs["dict"] = {"t": total, "both": (u, [v])}
            f, g = function([u, v], outputs[kind]), function([v, u], outputs[kind])
        return f(a, b), g(b, a), f(a * 2, b)

    @beside
    def wrong(count):
        with Graph().as_default():
            u, v, w = placeholder("float64", ()), placeholder("float64", ()), Variable(1.0)
            session = Session()
            session.run(w.initializer)
            f = function([u, v], u + v, [(w, u)], session)
        return f(*[2.0] * count)

    what = "f(a, b), g(b, a) with inputs the other way around, f(2a, b)"
    a, b = np.array([1.0, 2.0]), np.array([3.0])
    same(run("one", a, b), (9.0, 9.0, 15.0), what)
    raises(TypeError, wrong, 1)
    ### BEGIN HIDDEN TESTS
    for n, m in ((1, 1), (3, 2), (2, 2)):
        a, b = rng.normal(size=n), rng.normal(size=m)

        def outputs(kind, a, b):
            total = float(2 * a.sum() + b.sum())
            made = {"one": total, "list": [total, a], "none": None, "empty": []}
            return made.get(kind, {"t": total, "both": (a, [b])})

        for kind in ("one", "list", "none", "empty", "dict"):
            once = outputs(kind, a, b)
            same(run(kind, a, b), (once, once, outputs(kind, 2 * a, b)), f"{what}; {kind}")
    raises(TypeError, wrong, 3)
    raises(TypeError, wrong, 0)
    ### END HIDDEN TESTS


# %% tests="theano" behaviour="updates" points=3
@autograder.test
def _(rng):
    "Each call makes all updates, from the values before it, as the outputs are."

    @beside
    def run(a, b, fed, order, as_dict):
        with Graph().as_default():
            u, v, x = Variable(a, "u"), Variable(b, "v"), placeholder("float64", (), "x")
            pairs = [(u, v), (v, u + x), (Variable(0.0, "w"), 7)]
            pairs = [pairs[i] for i in order]
            session = Session()
            session.run(global_variables_initializer())
            f = function([x], 10.0 * u, dict(pairs) if as_dict else pairs, session)
        return [[f(value), *session.run([u, v])] for value in fed]

    what = "10 · u from f(x), then u and v, with the updates u ← v and v ← u + x"
    expected = [[10.0, 2.0, 6.0], [20.0, 6.0, 2.0]]
    trajectory(run(1.0, 2.0, [5.0, 0.0], [0, 1], False), expected, what)
    ### BEGIN HIDDEN TESTS
    for order in ([0, 1], [1, 0], [2, 1, 0], [1, 2, 0]):
        for as_dict in (False, True):
            a, b, *fed = rng.normal(size=7).tolist()
            u, v, expected = a, b, []
            for x in fed:
                expected.append([10 * u, v, u + x])
                u, v = v, u + x
            trajectory(run(a, b, fed, order, as_dict), expected, what)
    ### END HIDDEN TESTS


# %% tests="theano" behaviour="failed_call" points=1
@autograder.test
def _(rng):
    "A call with a wrong number or shape of values changes nothing; the next one works."

    @beside
    def run(start, bad, good):
        with Graph().as_default():
            w, x, y = Variable(start), placeholder("float64", start.shape), Variable(start)
            session = Session()
            session.run(global_variables_initializer())
            f = function([x], cr.sum(x), [(w, w + 1.0), (y, y + x)], session)
        try:
            f(*bad)
            failed = False
        except (TypeError, ValueError):
            failed = True
        kept = session.run([w, y])
        return failed, kept, f(good), session.run([w, y])

    a, b, what = np.array([1.0]), np.array([5.0]), "did it fail; variables; f; variables"
    same(run(a, [b, b], b), (True, [a, a], 5.0, [a + 1, a + 5]), what)
    ### BEGIN HIDDEN TESTS
    for size in (2, 5):
        a, b = rng.normal(size=(2, size))
        for bad in ([], [b, b], [rng.normal(size=size + 1)], [1.0]):
            same(run(a, bad, b), (True, [a, a], float(b.sum()), [a + 1, a + b]), what)
    ### END HIDDEN TESTS


# %% tests="theano" behaviour="once" points=1
@autograder.test
def _(rng):
    "Calls make no new nodes; without a session, `f` has one of its own, made once."

    @beside
    def run(start, calls):
        with Graph().as_default() as graph:
            w, noise = Variable(start), random_normal((), dtype="float64")
            first, second = function([], w.initializer), function([], w, {w: w * 2.0})
            third = function([], noise)
            made = len(graph.nodes)
            apart, draws = [first() for _ in range(calls)], [third() for _ in range(calls)]
            try:
                second()
                alone = False
            except RuntimeError:  # w has no value in its session
                alone = True
        return apart, alone, len(set(draws)), len(graph.nodes) - made

    what = "what f gives; is w unknown to another f; how many different draws; new nodes"
    same(run(2.0, 3), ([2.0] * 3, True, 3, 0), what)
    ### BEGIN HIDDEN TESTS
    start = float(rng.normal())
    same(run(start, 6), ([start] * 6, True, 6, 0), what)
    ### END HIDDEN TESTS


# %% [markdown]
# In 2017 Theano's makers announced that they would stop. A living successor is PyTensor. What
# survived everywhere is its `grad`.
#
# ## Layers, and who owns the names
#
# A layer needs a weight matrix and a bias, and somebody has to make and name them. In lesson 06
# that was an object, a `Module`. TensorFlow 1 went another way: a layer is a *function*, and its
# variables belong to the *graph*, under a name. `tf.layers.dense(x, 100, name="hidden")` makes
# `hidden/kernel` and `hidden/bias`, and "automatically sets up weight and bias for us", as one of
# the notes says. Call it again with the same name, for a second input say, and it is either a
# mistake or the wish to *share* the weights. It cannot know. So you must say `reuse=True`.
#
# Two things are behind it: `get_variable(name, ...)`, which makes or finds a variable, and
# `variable_scope(name)`, which puts `name/` in front.
#
# From here on one program shall run in two frameworks, yours and the real one. So the framework
# becomes an argument: in `dense(tf, ...)` every name of TensorFlow is spelled `tf.…`. Here is your
# framework as such a thing. (`late` looks a name up only when it is called.)

# %% given="mine"
from types import SimpleNamespace


def late(name):
    return lambda *args, **options: globals()[name](*args, **options)


OWN = "Graph Session Variable constant placeholder gradients group random_normal get_variable "
OWN += "variable_scope control_dependencies global_variables_initializer"
mine = SimpleNamespace(**{name: late(name) for name in OWN.split()})
mine.float32, mine.float64 = "float32", "float64"
mine.matmul, mine.maximum, mine.tanh, mine.square = cr.matmul, cr.maximum, cr.tanh, lambda x: x * x
mine.reduce_sum, mine.reduce_mean = cr.sum, cr.mean
mine.nn = SimpleNamespace(relu=cr.relu, tanh=cr.tanh, sigmoid=cr.sigmoid)
mine.train = SimpleNamespace(GradientDescentOptimizer=late("GradientDescentOptimizer"))
# an initializer is a function of a shape and a dtype; it gives an array or a node
mine.zeros_initializer = lambda: lambda shape, dtype: np.zeros(shape, dtype)
mine.constant_initializer = lambda value: lambda shape, dtype: np.asarray(value, dtype)
mine.random_normal_initializer = lambda mean=0.0, stddev=1.0: (
    lambda shape, dtype: random_normal(shape, mean, stddev, dtype)
)

# %% [markdown] prompt="dense"
# ### Exercise 8: scopes, get_variable, dense
#
# **`variable_scope(name, reuse=None)`** is for `with`. Inside, `get_variable` puts `name/` in front
# of its names; blocks nest, `a/b/`. With `reuse=True`, variables are found, not made, here and in
# all blocks inside. When the block ends, also by an error, all is as before. The same scope may be
# entered again. Scopes belong to the graph `GRAPHS[-1]`: `.scopes` and `.shared` of a graph are an
# empty list and an empty dict, for you.
#
# **`get_variable(name, shape=None, dtype="float32", initializer=None)`** makes a `Variable` whose
# name is the full name, with the value `initializer(shape, dtype)`, an array or a node, and returns
# it. With reuse it returns the one that `get_variable` made under this full name before, and
# `initializer` is not called. Each of these raises a `ValueError` that mentions the full name:
#
# * without reuse, the name is taken by an earlier `get_variable`;
# * with reuse, there is none of this name;
# * with reuse, `shape` is given and is not that of the variable.
#
# **`dense(tf, x, units, kernel_initializer, activation=None, name="dense", reuse=None)`** is a
# layer in the framework `tf`. In the scope `name`, with `reuse`, it gets the variables `"kernel"`,
# shape (length of x's last axis, `units`), from `kernel_initializer`, and `"bias"`, shape
# (`units`,), from `tf.zeros_initializer()`, both of x's dtype. It returns x @ kernel + bias, or
# `activation` of that. All that it uses of a framework it takes from `tf`; the checks hand it
# `mine`, or a copy that notes what is called.

# %% [markdown] hint="dense"
# A scope is an entry on a list: a name, and whether to reuse. The full name is the names on the
# list and the new one, joined. Whether to reuse is whether any of them says so.

# %% [markdown] hint="dense"
# ```
# with variable_scope("net"):                        scopes                        full name
#     with variable_scope("hidden"):                 (net, None) (hidden, None)
#         get_variable("kernel", …)                                                net/hidden/kernel
# with variable_scope("net", reuse=True):            (net, True)
#     with variable_scope("hidden"):                 (net, True) (hidden, None)
#         get_variable("kernel")                                                   the same object
# ```

# %% [markdown] hint="dense"
# ```python
# @contextmanager
# def variable_scope(name, reuse=None):
#     scopes = GRAPHS[-1].scopes
#     scopes.append(...)
#     try: ...
#
# def get_variable(name, shape=None, dtype="float32", initializer=None):
#     graph = GRAPHS[-1]
#     full = "/".join(...)
#     if any(...):
#         ...
#     graph.shared[full] = Variable(...)
#
# def dense(tf, ...):
#     with tf.variable_scope(name, reuse=reuse):
#         kernel = tf.get_variable("kernel", (int(x.shape[-1]), units), ...)
# ```


# %% exercise="dense" minutes=20 difficulty=3 importance=3 allow="numpy chainrule -chainrule.graph -chainrule.compiler -chainrule.program -chainrule.small_graph.optimizer -chainrule.small_graph.dense"
@contextmanager
def variable_scope(name, reuse=None):
    """Put `name/` in front of the names of get_variable inside the block."""
    ### BEGIN SOLUTION
    scopes = GRAPHS[-1].scopes
    scopes.append((name, reuse))
    try:
        yield
    finally:
        scopes.pop()
    ### END SOLUTION


def get_variable(name, shape=None, dtype="float32", initializer=None):
    """Return a new variable under its full name, or, with reuse, the one that has this name."""
    ### BEGIN SOLUTION
    graph = GRAPHS[-1]
    full = "/".join([*(scope for scope, _ in graph.scopes), name])
    found = graph.shared.get(full)
    if any(reuse for _, reuse in graph.scopes):
        if found is None:
            raise ValueError(f"there is no variable {full!r} to reuse")
        if shape is not None and tuple(shape) != found.shape:
            raise ValueError(f"{full!r} has shape {found.shape}, not {tuple(shape)}")
        return found
    if found is not None:
        raise ValueError(f"{full!r} exists; to share it say reuse=True")
    graph.shared[full] = Variable(initializer(shape, dtype), full)
    return graph.shared[full]
    ### END SOLUTION


def dense(tf, x, units, kernel_initializer, activation=None, name="dense", reuse=None):
    """Return a fully connected layer of x, in the framework `tf`."""
    ### BEGIN SOLUTION
    with tf.variable_scope(name, reuse=reuse):
        shape = int(x.shape[-1]), units
        kernel = tf.get_variable("kernel", shape, x.dtype, kernel_initializer)
        bias = tf.get_variable("bias", (units,), x.dtype, tf.zeros_initializer())
    out = tf.matmul(x, kernel) + bias
    return out if activation is None else activation(out)
    ### END SOLUTION


# %% given="scoped"
def scoped(*names):
    """Open scopes, one inside the other, for the checks; a name that ends in ! is for reuse."""
    stack = ExitStack()
    for name in names:
        stack.enter_context(variable_scope(name.rstrip("!"), reuse=name.endswith("!") or None))
    return stack


# %% tests="dense" behaviour="names" points=2
@autograder.test
def _(rng):
    "`get_variable` makes a variable under its full name, with shape, dtype and initial value."

    @beside
    def run(scopes, name, value, dtype):
        with Graph().as_default(), Graph().as_default() as graph:
            with scoped(*scopes):
                w = get_variable(name, value.shape, dtype, lambda shape, kind: value.astype(kind))
            try:
                with variable_scope("broken"):
                    raise KeyError("ends the block")
            except KeyError:
                initial = mine.random_normal_initializer(3.0, 0.0)
                plain = get_variable(name, [2, 1], initializer=initial)
        session = Session()
        session.run([v.initializer for v in graph.variables])
        return w.name, facts(w), session.run(w), plain.name, session.run(plain), list(graph.scopes)

    def expected(scopes, name, value, dtype):
        told = {"op": "variable", "inputs": [], "shape": value.shape, "dtype": dtype}
        threes = np.full((2, 1), 3.0, "float32")
        return "/".join([*scopes, name]), told, value.astype(dtype), name, threes, []

    what = "name, facts, value; name and value of another one made after the blocks; open scopes"
    case = ["net", "hidden"], "kernel", np.array([1.0, 2.0]), "float64"
    same(run(*case), expected(*case), what)
    ### BEGIN HIDDEN TESTS

    @beside
    def in_two_graphs(outer, inner):
        zeros = mine.zeros_initializer()
        with Graph().as_default(), variable_scope(outer):
            with Graph().as_default(), variable_scope(inner):
                w = get_variable("w", (2,), "float64", zeros)
            return w.name, get_variable("w", (2,), "float64", zeros).name

    outer, inner = (f"s{n}" for n in rng.permutation(90)[:2].tolist())
    what_two = "a name in a graph inside the scope of another graph; a name in that scope"
    same(in_two_graphs(outer, inner), (f"{inner}/w", f"{outer}/w"), what_two)
    for scopes in (["a"], ["a", "a"], ["x", "y", "z"], ["net", "a/b"]):
        for dtype in ("float32", "float64"):
            case = scopes, "w", rng.normal(size=(3, 2)), dtype
            same(run(*case), expected(*case), what)
    ### END HIDDEN TESTS


# %% tests="dense" behaviour="reuse" points=3
@autograder.test
def _(rng):
    "With reuse, here or in a block around, the variable of that name comes back, nothing new."

    @beside
    def run(tell):
        def initial(shape, dtype):
            tell()
            return mine.zeros_initializer()(shape, dtype)

        def get(*scopes, shape=(2, 3)):
            with scoped(*scopes):
                return get_variable("w", shape, "float64", initial)

        with Graph().as_default(), Graph().as_default() as graph:
            one, other, top = get("a", "b"), get("b", "a"), get()
            again = [get("a!", "b"), get("a", "b!"), get("a!", "b!", shape=None)]
            again.append(get("a!", "b", shape=[2, 3]))
            with variable_scope("a", reuse=True), variable_scope("b"):
                again.append(get_variable("w"))
            fresh = get("c")
            count = len(graph.variables)
        with Graph().as_default():
            elsewhere = get("a", "b")
        made = [one, other, top, fresh, elsewhere]
        return [v is one for v in again], [v.name for v in made], count

    tell = callback(lambda: None)
    names = ["a/b/w", "b/a/w", "w", "c/w", "a/b/w"]
    what = "is what was reused the same object; names of new variables; variables in the graph"
    same(run(tell), ([True] * 5, names, 4), what)
    require(tell.calls == 5, f"initializers were called {tell.calls} times for 5 new variables")


# %% tests="dense" behaviour="errors" points=2
@autograder.test
def _(rng):
    "A name that is taken, one that is missing, another shape: ValueError with the full name."

    @beside
    def run(kind, outer, inner):
        def get(name, shape, reuse):
            with variable_scope(outer, reuse=reuse), variable_scope("in"):
                return get_variable(name, shape, "float64", mine.zeros_initializer())

        with Graph().as_default() as graph:
            Variable(1.0, name=f"{outer}/in/other")
            get(inner, (2, 3), None)
            if kind == "after":
                try:
                    get(inner, (2, 3), None)
                except ValueError:
                    return list(graph.scopes), get(inner, (2, 3), True).name
            return {
                "taken": lambda: get(inner, (2, 3), None),
                "missing": lambda: get("other", (), True),
                "shape": lambda: get(inner, (3, 2), True),
                "flat": lambda: get(inner, (6,), True),
            }[kind]()

    raises(ValueError, run, "taken", "net", "w", mentions="net/in/w")
    raises(ValueError, run, "missing", "net", "w", mentions="net/in/other")
    raises(ValueError, run, "shape", "net", "w", mentions="net/in/w")
    ### BEGIN HIDDEN TESTS
    outer, inner = f"s{int(rng.integers(1000))}", f"v{int(rng.integers(1000))}"
    for kind in ("taken", "shape", "flat"):
        raises(ValueError, run, kind, outer, inner, mentions=f"{outer}/in/{inner}")
    got = run("after", outer, inner)
    same(got, ([], f"{outer}/in/{inner}"), "open scopes after an error; the variable, reused")
    ### END HIDDEN TESTS


# %% tests="dense" behaviour="layer" points=3
@autograder.test
def _(rng):
    "`dense` makes kernel and bias in its scope, computes its layer, and shares them with reuse."

    @beside
    def run(x, w, dtype):
        units = w.shape[1]
        with Graph().as_default() as graph:
            hole = placeholder(dtype, x.shape)
            initial = mine.constant_initializer(w)
            plain = dense(mine, hole, units, initial, name="first")
            with variable_scope("net"):
                bent = dense(mine, hole * 2.0, units, initial, activation=mine.tanh)
                again = dense(mine, hole * 2.0, units, initial, None, "dense", True)
            (slope,) = gradients(plain, [graph.variables[1]])
            moved = group(*(v.assign_add(v * 0.0 + 1.0) for v in graph.variables))
        session = Session()
        session.run([v.initializer for v in graph.variables])
        out = session.run([plain, bent, again, slope], {hole: x})
        session.run(moved)
        names = [[v.name, v.shape, str(v.dtype)] for v in graph.variables]
        return names, out, session.run([plain, again], {hole: x})

    what = "variables; plain, bent, shared layer, gradient of a bias; layers after a change"
    x, w = np.array([[1.0, 2.0]]), np.array([[0.0], [0.0]])
    names = ["first/kernel", "first/bias", "net/dense/kernel", "net/dense/bias"]
    told = [[name, (2, 1) if "kernel" in name else (1,), "float64"] for name in names]
    zero = np.array([[0.0]])
    same(run(x, w, "float64"), (told, [zero] * 3 + [zero[0] + 1], [zero + 4, zero + 7]), what)
    ### BEGIN HIDDEN TESTS

    def expected(x, w, dtype):
        x, w = x.astype(dtype), w.astype(dtype)
        names = [[f"{s}/{n}", w.shape if n == "kernel" else w.shape[1:], dtype]
                 for s in ("first", "net/dense") for n in ("kernel", "bias")]  # fmt: skip
        rows = np.full(w.shape[1], x.size // x.shape[-1], dtype)
        out = [x @ w, np.tanh(2 * x @ w), 2 * x @ w, rows]
        return names, out, [x @ (w + 1) + 1, 2 * x @ (w + 1) + 1]

    @beside
    def taken(shape, units):
        from types import SimpleNamespace

        used, tf, names = [], SimpleNamespace(**vars(mine)), ["get_variable", "variable_scope"]

        def noting(name):
            return lambda *args, **kwargs: used.append(name) or getattr(mine, name)(*args, **kwargs)

        for name in names:
            setattr(tf, name, noting(name))
        with Graph().as_default():
            dense(tf, placeholder("float64", shape), units, mine.zeros_initializer())
        return [used.count("get_variable"), "variable_scope" in used]

    same(taken((2, 3), 4), [2, True], "calls of tf.get_variable; is tf.variable_scope used")
    for n, d, m in ((3, 4, 5), (1, 1, 1), (6, 2, 2)):
        for dtype, rtol in (("float64", 1e-9), ("float32", 1e-4)):
            for shape in ((n, d), (2, n, d)):
                x, w = rng.normal(size=shape), rng.normal(size=(d, m))
                same(run(x, w, dtype), expected(x, w, dtype), what, rtol=rtol, atol=rtol)
    ### END HIDDEN TESTS


# %% given="dense_stand_in"
stand_in("dense", globals())

# %% [markdown]
# ## One source, two frameworks
#
# TensorFlow 2 still has TensorFlow 1 in it, as `tensorflow.compat.v1`. If what you have built is
# TensorFlow 1, a program written for one runs in the other. So write the lecture's last version of
# its net as a function of the framework.
#
# (TensorFlow takes a few seconds to import, and says a few lines about your machine.)

# %% given="tensorflow"
import os

HOW = "is not installed here. `make lab`, without LIGHT=1, adds it; all the rest works without."
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
try:
    import tensorflow.compat.v1 as theirs
except ImportError:
    theirs = None
    print("TensorFlow", HOW)

# %% [markdown] prompt="same_source"
# ### Exercise 9: the same source under tensorflow.compat.v1
#
# Write `train(tf, x, y, w1, w2, lr, steps)`, a program of TensorFlow 1: define, then run. `tf` is
# `mine` or `tensorflow.compat.v1`; use what both have under the same name, and your `dense`. There
# is no `if` about which of the two it is.
#
# * In a `tf.Graph()` of its own: placeholders for x (N, D_in) and y (N, D_out), `tf.float64`; a
#   dense layer named `"hidden"` with ReLU, as wide as `w1`, one named `"out"` without activation,
#   as wide as `w2`. Their kernels begin as `w1` and `w2` (`tf.constant_initializer`), their biases
#   as zeros, and all four are trained.
# * The loss is the mean over the rows of the squared distance, as above: a sum over axis 1, then
#   the mean.
# * `tf.train.GradientDescentOptimizer`, with a trap: TensorFlow makes a Python float a float32, and
#   0.1 loses half its digits. Hand it `tf.constant(lr, tf.float64)`.
# * In a `tf.Session()`, `steps` times one run, with x and y fed. No nodes are added while it runs.
# * Return the losses before each update, a list of numbers.
#
# The losses must be equal in both, at every step, to a relative 1e-9. (In an installation without
# TensorFlow the checks under `tensorflow` fail with a sentence. The others do not need it.)
#
# For this exercise TensorFlow is allowed too.

# %% [markdown] hint="same_source"
# You have written every line of it before, in this lesson, without the letters `tf.`. Things that
# Python operators do (`-`, `**`) work on the nodes of both.

# %% [markdown] hint="same_source"
# ```
#              build                                   run
# x, y         tf.placeholder                          fed
# h, pred      dense(tf, …) with w1, w2                –
# loss         tf.reduce_mean(tf.reduce_sum(…))        fetched
# step         ….minimize(loss)                        fetched: None
# init         tf.global_variables_initializer()       fetched once
# ```

# %% [markdown] hint="same_source"
# ```python
# with tf.Graph().as_default():
#     inputs = tf.placeholder(tf.float64, x.shape)
#     ...
#     h = dense(tf, inputs, w1.shape[1], tf.constant_initializer(w1), tf.nn.relu, "hidden")
#     ...
#     step = tf.train.GradientDescentOptimizer(...).minimize(loss)
#     init = ...
#     with tf.Session() as session:
#         session.run(init)
#         ...
# ```


# %% exercise="same_source" minutes=20 difficulty=2 importance=5 allow="numpy tensorflow chainrule -chainrule.graph -chainrule.compiler -chainrule.program"
def train(tf, x, y, w1, w2, lr, steps):
    """Train the two-layer net in the framework `tf`; return the losses before each update."""
    ### BEGIN SOLUTION
    with tf.Graph().as_default():
        inputs = tf.placeholder(tf.float64, x.shape, name="x")
        targets = tf.placeholder(tf.float64, y.shape, name="y")
        h = dense(tf, inputs, w1.shape[1], tf.constant_initializer(w1), tf.nn.relu, "hidden")
        pred = dense(tf, h, w2.shape[1], tf.constant_initializer(w2), name="out")
        loss = tf.reduce_mean(tf.reduce_sum((pred - targets) ** 2, axis=1))
        rate = tf.constant(lr, tf.float64)
        step = tf.train.GradientDescentOptimizer(rate).minimize(loss)
        init = tf.global_variables_initializer()
        with tf.Session() as session:
            session.run(init)
            feeds = {inputs: x, targets: y}
            return [float(session.run([loss, step], feeds)[0]) for _step in range(steps)]
    ### END SOLUTION


# %% tests="same_source" behaviour="mine" points=3
@autograder.test
def _(rng):
    "In your framework, the losses are those of gradient descent with biases, step by step."
    what = "losses in your framework"

    @beside
    def run(*case):
        return train(mine, *case)

    x, y, w1, w2 = (np.array([[n]]) for n in (1.0, 5.0, 2.0, 3.0))
    trajectory(run(x, y, w1, w2, 0.1, 2), [1.0, 9.7344], what)
    ### BEGIN HIDDEN TESTS
    for n, d, h, o, steps in ((4, 3, 5, 2, 8), (1, 2, 1, 1, 1), (6, 2, 3, 4, 0), (3, 3, 3, 3, 12)):
        x, a, b, y = (0.5 * rng.normal(size=size) for size in ((n, d), (d, h), (h, o), (n, o)))
        case, losses, lr = (x, y, a, b), [], float(rng.uniform(0.01, 0.1))
        u, v = np.zeros(h), np.zeros(o)
        for _ in range(steps):
            hidden = x @ a + u
            far = np.maximum(hidden, 0) @ b + v - y
            losses.append(float((far**2).sum() / n))
            back = 2 * far / n @ b.T * (hidden > 0)
            moves = x.T @ back, np.maximum(hidden, 0).T @ (2 * far / n)
            a, b = a - lr * moves[0], b - lr * moves[1]
            u, v = u - lr * back.sum(0), v - lr * 2 * far.sum(0) / n
        trajectory(run(*case, lr, steps), losses, what)
    ### END HIDDEN TESTS


# %% tests="same_source" behaviour="tensorflow" points=4
@autograder.test
def _(rng):
    "Under tensorflow.compat.v1 the same function gives the same losses, step by step."
    what = "losses under tensorflow.compat.v1"

    @beside
    def run(*case):
        if theirs is None:
            return f"TensorFlow {HOW}", False
        fetched = set()

        class Noted(theirs.Session):
            def run(self, *args, **kwargs):
                result = super().run(*args, **kwargs)
                note(result)
                return result

        def note(part):
            part = list(part.values()) if isinstance(part, dict) else part
            for one in part if isinstance(part, list | tuple) else []:
                note(one)
            fetched.add(str(part))

        class Theirs:
            Session = Noted

            def __getattr__(self, name):
                return getattr(theirs, name)

        losses = train(Theirs(), *case)
        return losses, type(losses) is list and {str(np.float64(v)) for v in losses} <= fetched

    def judge(case, losses):
        got, from_session = run(*case)
        require(type(got) is not str, f"{got}")
        trajectory(got, losses, what)
        same(from_session, True, "are the losses what TensorFlow's session.run gave")

    x, y, w1, w2 = (np.array([[n]]) for n in (1.0, 5.0, 2.0, 3.0))
    judge((x, y, w1, w2, 0.1, 2), [1.0, 9.7344])
    ### BEGIN HIDDEN TESTS
    for n, d, h, o, steps in ((4, 3, 5, 2, 8), (3, 3, 3, 3, 12)):
        x, a, b, y = (0.5 * rng.normal(size=size) for size in ((n, d), (d, h), (h, o), (n, o)))
        case, losses, lr = (x, y, a, b), [], float(rng.uniform(0.01, 0.1))
        u, v = np.zeros(h), np.zeros(o)
        for _ in range(steps):
            hidden = x @ a + u
            far = np.maximum(hidden, 0) @ b + v - y
            losses.append(float((far**2).sum() / n))
            back = 2 * far / n @ b.T * (hidden > 0)
            moves = x.T @ back, np.maximum(hidden, 0).T @ (2 * far / n)
            a, b = a - lr * moves[0], b - lr * moves[1]
            u, v = u - lr * back.sum(0), v - lr * 2 * far.sum(0) / n
        judge((*case, lr, steps), losses)
    ### END HIDDEN TESTS


# %% tests="same_source" behaviour="define_then_run" points=2
@autograder.test
def _(rng):
    "One graph of its own, built before the steps; in each step one run that copies x, y, the loss."

    @beside
    def run(x, y, w1, w2, lr, steps):
        from types import SimpleNamespace

        graphs, sessions = [], []
        watched_tf = SimpleNamespace(**vars(mine))
        watched_tf.Graph = lambda: graphs.append(Graph()) or graphs[-1]
        watched_tf.Session = lambda: sessions.append(Meter()) or sessions[-1]
        outside = len(GRAPHS[-1].nodes)
        losses = train(watched_tf, x, y, w1, w2, lr, steps)
        names = [sorted(v.name for v in graph.variables) for graph in graphs]
        counts = [len(graph.nodes) for graph in graphs]
        outside = len(GRAPHS[-1].nodes) - outside
        return losses[:1], names, [s.copied for s in sessions], outside, counts

    def judge(x, y, w1, w2, steps):
        got, more = run(x, y, w1, w2, 0.01, steps), run(x, y, w1, w2, 0.01, steps + 3)
        first = ((np.maximum(x @ w1, 0) @ w2 - y) ** 2).sum() / len(x)
        names = ["hidden/bias", "hidden/kernel", "out/bias", "out/kernel"]
        what = "the first loss; variables of each graph; bytes of each run; nodes left outside"
        copied = [0] + [x.nbytes + y.nbytes + 8] * steps
        same(got[:4], ([float(first)], [names], [copied], 0), what)
        same(more[4], got[4], "nodes in the graph with three more steps, and without")

    judge(*(np.array([[n]]) for n in (1.0, 5.0, 2.0, 3.0)), 2)
    ### BEGIN HIDDEN TESTS
    judge(*(rng.normal(size=size) for size in ((4, 3), (4, 2), (3, 5), (5, 2))), 6)
    ### END HIDDEN TESTS


# %% [markdown] prompt="static_or_dynamic"
# ### In your own words
#
# A colleague trains a net on sentences of different lengths and debugs it daily; another one ships
# a finished net to a million phones. Which of the two would you give a static graph, which a
# dynamic one, and why? Give at least two reasons for each, and for one of them name the place in
# this lesson where you met it.

# %% [markdown] written="static_or_dynamic" points=4
# ### BEGIN SOLUTION
# Dynamic for the first: the graph is made anew for each sentence, so Python's own loops and
# branches follow its length, whereas a node has no value that `if` could look at while the graph is
# built (`Node.__bool__` raises). And an error comes at the line that made it, with the numbers
# there to be printed; in a static graph it comes out of `session.run`, far from that line, as with
# the logarithm after exercise 2, and a wrong program such as the one without updates runs without a
# word.
#
# Static for the second: the net never changes, so the graph is built once and can be made better
# before it runs; the silly nodes after exercise 3 can go. It is data, a list of records, so it can
# be written to a file and run where there is no Python, on a phone. Weights are variables in the
# session, so nothing but inputs and outputs crosses the border (exercise 5).
# ### END SOLUTION
#
# ### BEGIN MARK SCHEME
# * 1 point: dynamic for the first, static for the second (or the other way with reasons that hold).
# * 1 point: two sound reasons for the dynamic graph (control flow by data; errors at their line;
#   numbers can be looked at; no second language).
# * 1 point: two sound reasons for the static graph (optimized before it runs; serialized and run
#   without the code; built once; data stay in the session).
# * 1 point: a fitting place in this lesson.
# ### END MARK SCHEME

# %% [markdown]
# ## What it bought, what it cost
#
# | | it bought | it cost |
# |---|---|---|
# | define, then run | the net is built once | errors come late, prints show names |
# | the graph is data | it can be improved, saved, moved | Python's `if` and `for` do not reach it |
# | only what is needed | fetch what you like, when you like | what you forget does not happen |
# | variables in the session | 8 bytes a step, not two million | you cannot look without asking |
# | gradients are nodes | second derivatives are free | a graph twice as large |
# | layers by name | weights shared across functions | one flat list of names, and `reuse` |

# %% [markdown]
# ## What history did with it
#
# * **2007** Theano begins in Montreal; **2010** its paper. **November 2015** TensorFlow ([Abadi and
#   others, 2016](https://www.usenix.org/conference/osdi16/technical-sessions/presentation/abadi)):
#   one graph may span many machines, so each node has to be placed before anything can run.
# * **2017** The lecture compares both kinds. In the same year PyTorch appears, and TensorFlow Fold
#   tries to bring dynamic nets into static graphs ([Looks and others,
#   2017](https://arxiv.org/abs/1702.02181)); lesson 14 has both.
# * **2019** TensorFlow 2 runs eagerly, and a static graph is what `@tf.function` makes of a Python
#   function ([Agrawal and others, 2019](https://arxiv.org/abs/1903.01855)). Placeholders, sessions
#   and collections move to `compat.v1`. Variables became objects again: who holds them owns them.
# * **Since then** the other side came half of the way. With TorchScript (2018), JAX's `jit` (2018)
#   and `torch.compile` (2023) one writes Python, and a graph runs. Build once, run many times has
#   won. Building by hand has not.

# %% [markdown]
# ## Now in PyTorch and TensorFlow
#
# Not graded. First the lecture's listing, as it stands there, but with double precision and given
# weights. It runs in both frameworks; only the first line differs.


# %%
def listing(tf):
    N, D, H = 64, 1000, 100
    rng = np.random.default_rng(0)
    start = rng.standard_normal((D, H)), rng.standard_normal((H, D))
    with tf.Graph().as_default():
        x = tf.placeholder(tf.float64, shape=(N, D))
        y = tf.placeholder(tf.float64, shape=(N, D))
        w1 = tf.Variable(start[0])
        w2 = tf.Variable(start[1])

        h = tf.maximum(tf.matmul(x, w1), 0)
        y_pred = tf.matmul(h, w2)
        diff = y_pred - y
        loss = tf.reduce_mean(tf.reduce_sum(diff**2, axis=1))
        grad_w1, grad_w2 = tf.gradients(loss, [w1, w2])

        learning_rate = 1e-5
        new_w1 = w1.assign(w1 - learning_rate * grad_w1)
        new_w2 = w2.assign(w2 - learning_rate * grad_w2)
        updates = tf.group(new_w1, new_w2)
        init = tf.global_variables_initializer()

        with tf.Session() as sess:
            sess.run(init)
            values = {x: rng.standard_normal((N, D)), y: rng.standard_normal((N, D))}
            return [sess.run([loss, updates], feed_dict=values)[0] for _t in range(50)]


# %%
ours = listing(mine)
if theirs is None:
    print("TensorFlow", HOW)
    others = ours
else:
    others = listing(theirs)
for step in (0, 1, 10, 49):
    print(f"step {step:2}   yours {ours[step]:.12g}   tensorflow.compat.v1 {others[step]:.12g}")
print("largest relative difference", np.max(np.abs(np.subtract(ours, others)) / np.array(ours)))

# %% [markdown]
# And what became of it. `@tf.function` runs the Python function *once*, with placeholders, to build
# a graph; afterwards only the graph runs. PyTorch runs the function each time. A `print` shows it:

# %%
try:
    import torch
except ImportError:
    torch = None
    print("PyTorch", HOW)

if theirs is not None:
    import tensorflow as tf2

    @tf2.function
    def squared(w, x):
        print("  TensorFlow: Python is here, with", type(x).__name__)
        return (w * x - 11.0) ** 2

    print("tf.function, three calls:")
    w = tf2.constant(2.0, tf2.float64)
    print([float(squared(w, tf2.constant(v, tf2.float64))) for v in (3.0, 4.0, 5.0)])
if torch is not None:

    def squared(w, x):
        print("  PyTorch: Python is here, with", type(x).__name__)
        return (w * x - 11.0) ** 2

    print("PyTorch, three calls:")
    w = torch.tensor(2.0, dtype=torch.float64)
    print([float(squared(w, torch.tensor(v, dtype=torch.float64))) for v in (3.0, 4.0, 5.0)])

# %% [markdown]
# What a framework does with a graph before it runs it, is lesson 13. What to do when the graph must
# depend on the data, is lesson 14.
