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
#     title: Graphs by hand
#     minutes: 210
#     needs: [why_frameworks]
#     covers:
#       computational graphs: backprop
#       nodes and edges: Nodes and edges
#       the neuron figure, its static and dynamic construction: "The neuron, built twice"
#       symbolic differentiation: neuron
# ---

# %% [markdown]
# # Graphs by hand
#
# In lesson 01 you wrote the backward pass of a two-layer net, five lines for four. Then the loss
# changed, and you wrote some of them again. Look at both passes, side by side, in the same order:
#
# | forward | backward |
# |---|---|
# | `h = x @ w1` | `grad_w1 = x.T @ grad_h` |
# | `h_relu = np.maximum(h, 0)` | `grad_h = grad_h_relu * (h > 0)` |
# | `pred = h_relu @ w2` | `grad_w2 = h_relu.T @ grad_pred`, `grad_h_relu = grad_pred @ w2.T` |
# | `loss = ((pred - y) ** 2).sum()` | `grad_pred = 2 * (pred - y)` |
#
# Each line on the right comes from the line on its left and from a gradient further down, and from
# nothing else of the program. Read from below, they run in the reverse order. That takes no
# mathematician. A program could write the right column, if only it knew the left one.
#
# What would it have to know? Not the text. Only this: which values there are, which operation made
# each, and from which others. That is a *computational graph*. The lecture's first reason for
# frameworks is that they build big ones for you; a student's notes on it say "you don't have to
# worry about terrifying computational graphs". This lesson takes the terror out. You do one by
# hand, then you write the loop that does them all.
#
# Two sittings of about an hour and three quarters. The first ends when your `backprop` runs.

# %% given="setup"
import math

import numpy as np

import autograder

# %% [markdown]
# ## Nodes and edges
#
# Here is a graph of nine nodes. Each *node* is a value. Four are inputs; each of the others has an
# operation, and *edges* that come in from what it is made of.
#
# ```
# x = 2 ───► + ──► s ──┬─────────────────────────────┐
#            ▲         ▼                             ▼
#            │   z ──► × ──► p ──► × ──► q ────────► + ──► L
#            │  = 3                ▲
# y = −1 ──┬─┘                     │
#          ▼                       │
# w = −2 ─► max ──► m ─────────────┘
# ```
#
# As a table, in an order in which it can be computed:
#
# | node | made by | of |
# |---|---|---|
# | s | add | x, y |
# | p | multiply | s, z |
# | m | max | y, w |
# | q | multiply | p, m |
# | L | add | q, s |
#
# The way forward is arithmetic: s = 1, p = 3, and so on. The way back asks how fast L grows with
# each node, and starts where that is trivial: L grows as fast as L, so dL/dL = 1. Now go back one
# edge at a time. L = q + s, so q passes its changes on unchanged: dL/dq = 1. q = p · m, so if p
# grows by 1, q grows by m: dL/dp = dL/dq · m. On each edge the same happens:
#
# > what arrives from behind (the *upstream* gradient) times the *local* derivative of this one
# > operation.
#
# Two nodes are used twice, s and y. If s grows, L grows on two ways, straight and through p. Both
# count: what comes back on the two edges is added.
#
# **How you are graded.** As before: a check shows a case or two, and asks the same of fresh numbers
# when your notebook is graded ([how you are graded](../../docs/how_you_are_graded.md)). In the
# checks, `same(came, expected, what)` compares, `beside` runs a function next to your code, and
# `callback` makes a function that yours can call while the check counts the calls.

# %% [markdown] prompt="nine_nodes"
# ### Exercise 1: nine nodes
#
# Take a pencil. Then write two functions.
#
# `by_hand()` returns `(values, gradients)` for the numbers in the figure, as you found them on
# paper: two dictionaries with the keys `"x" "y" "z" "w" "s" "p" "m" "q" "L"`, of each node's value,
# and of dL/d(node).
#
# `nine_nodes(x, y, z, w)` returns the same two dictionaries for any four floats.
#
# * The larger of y and w alone gets the gradient that arrives at `m`, the other gets 0 of it. At a
#   tie it all goes to the first, y.
# * Values and gradients have float64's precision at every size (1e-9 to 1e4 in the checks).
#
# Both are about single numbers. Nothing of NumPy is needed.

# %% [markdown] hint="nine_nodes"
# Fill in the values first, from the table above. Then go backwards through the table, last row
# first, and visit each edge once. Write down a node's gradient only when all edges that leave it
# have been visited: for s these are two, to p and to L.

# %% [markdown] hint="nine_nodes"
# | edge | upstream | local derivative | product |
# |---|---|---|---|
# | L → q | 1 | 1 | 1 |
# | L → s | 1 | 1 | 1, and more is to come |
# | q → p | 1 | m = −1 | ? |
# | q → m | 1 | p = ? | ? |
# | m → y | ? | 1, because −1 > −2 | ?, and more is to come |
# | m → w | ? | 0 | 0 |
# | p → s | ? | z | ?, and s is complete |
# | p → z | ? | s | ? |
# | s → x, s → y | ? | 1 | ? |

# %% [markdown] hint="nine_nodes"
# ```python
# g = {"L": 1.0}
# g["q"] = g["L"]
# g["p"] = g["q"] * ...
# g["m"] = ...
# g["s"] = g["L"] + ...
# g["z"] = ...
# to_y, to_w = (g["m"], 0.0) if ... else (0.0, g["m"])
# g["x"] = ...
# g["y"] = ... + to_y
# g["w"] = to_w
# ```


# %% exercise="nine_nodes" minutes=20 difficulty=2 importance=4 allow="numpy"
def by_hand():
    """Return the values and the gradients of the figure's nine nodes, found on paper."""
    ### BEGIN SOLUTION
    values = {"x": 2, "y": -1, "z": 3, "w": -2, "s": 1, "p": 3, "m": -1, "q": -3, "L": -2}
    gradients = {"x": -2, "y": 1, "z": -1, "w": 0, "s": -2, "p": -1, "m": 3, "q": 1, "L": 1}
    return values, gradients
    ### END SOLUTION


def nine_nodes(x, y, z, w):
    """Return the values and the gradients of the nine nodes for any four floats."""
    ### BEGIN SOLUTION
    s = x + y
    p = s * z
    m = max(y, w)
    q = p * m
    values = {"x": x, "y": y, "z": z, "w": w, "s": s, "p": p, "m": m, "q": q, "L": q + s}
    g = {"L": 1.0, "q": 1.0, "p": m, "m": p}
    g["s"] = 1.0 + g["p"] * z
    g["z"] = g["p"] * s
    g["x"] = g["s"]
    g["y"] = g["s"] + (g["m"] if y >= w else 0.0)
    g["w"] = 0.0 if y >= w else g["m"]
    return values, g
    ### END SOLUTION


# %% tests="nine_nodes" behaviour="by_hand" points=2
@autograder.test
def _(rng):
    "`by_hand` has the nine values and the nine gradients of the figure."
    pair = call(by_hand)
    whole = isinstance(pair, tuple | list) and len(pair) == 2
    require(whole, "expected two dictionaries, values and gradients")
    values, gradients = pair
    nodes = set("xyzwspmqL")
    for table in pair:
        right = isinstance(table, dict) and set(table) == nodes
        require(right, "expected dictionaries with the nine keys x y z w s p m q L")
    same([values[k] for k in "xsp"], [2, 1, 3], "values of x, s, p", dtype=False)
    same([gradients[k] for k in "Lq"], [1, 1], "gradients of L, q", dtype=False)
    ### BEGIN HIDDEN TESTS
    numbers = 2, -1, 3, -2, 1, 3, -1, -3, -2
    same(values, dict(zip("xyzwspmqL", numbers, strict=True)), "the values", dtype=False)
    slopes = -2, 1, -1, 0, -2, -1, 3, 1, 1
    same(gradients, dict(zip("xyzwspmqL", slopes, strict=True)), "the gradients", dtype=False)
    ### END HIDDEN TESTS


# %% tests="nine_nodes" behaviour="forward" points=1
@autograder.test
def _(rng):
    "`nine_nodes` computes the nine values for any floats."
    pair = call(nine_nodes, 1.0, 4.0, 2.0, 0.5)
    whole = isinstance(pair, tuple | list) and len(pair) == 2
    require(whole, "expected two dictionaries, values and gradients")
    expected = dict(zip("xyzwspmqL", (1.0, 4.0, 2.0, 0.5, 5.0, 10.0, 4.0, 40.0, 45.0), strict=True))
    same(pair[0], expected, "values for x, y, z, w = 1, 4, 2, 0.5")
    ### BEGIN HIDDEN TESTS
    for scale in (1.0, 1.0, 3.0, 1e4, 1e-3, 1e-9):
        x, a, z, b = (scale * rng.normal(size=4)).tolist()
        low, next_to = -abs(a), float(np.nextafter(a, 1e9))
        pairs = (a, b), (b, a), (a, a), (low, 2 * low), (2 * low, low), (a, next_to), (next_to, a)
        for y, w in pairs:
            pair = call(nine_nodes, x, y, z, w)
            m = y if y > w else w
            numbers = x, y, z, w, x + y, (x + y) * z, m, (x + y) * z * m, (x + y) * (1 + z * m)
            expected = dict(zip("xyzwspmqL", numbers, strict=True))
            same(pair[0], expected, f"values for {x}, {y}, {z}, {w}", rtol=1e-8, atol=0)
    ### END HIDDEN TESTS


# %% tests="nine_nodes" behaviour="backward" points=3
@autograder.test
def _(rng):
    "`nine_nodes` finds the nine gradients for any floats, on both sides of max and at its tie."
    pair = call(nine_nodes, 1.0, 4.0, 2.0, 0.5)
    whole = isinstance(pair, tuple | list) and len(pair) == 2
    require(whole, "expected two dictionaries, values and gradients")
    expected = dict(zip("xyzwspmqL", (9.0, 19.0, 20.0, 0.0, 9.0, 4.0, 10.0, 1.0, 1.0), strict=True))
    same(pair[1], expected, "gradients for x, y, z, w = 1, 4, 2, 0.5")
    ### BEGIN HIDDEN TESTS
    for scale in (1.0, 1.0, 3.0, 1e4, 1e-3, 1e-9):
        x, a, z, b = (scale * rng.normal(size=4)).tolist()
        low, next_to = -abs(a), float(np.nextafter(a, 1e9))
        pairs = (a, b), (b, a), (a, a), (low, 2 * low), (2 * low, low), (a, next_to), (next_to, a)
        for y, w in pairs:
            m, p, first = max(y, w), (x + y) * z, float(y >= w)
            s = 1 + z * m
            slopes = s, s + first * p, (x + y) * m, (1 - first) * p, s, m, p, 1.0, 1.0
            expected = dict(zip("xyzwspmqL", slopes, strict=True))
            found = call(nine_nodes, x, y, z, w)[1]
            same(found, expected, f"gradients for {x}, {y}, {z}, {w}", rtol=1e-7, atol=0)
    ### END HIDDEN TESTS


# %% [markdown]
# The gradients in one line each, and what L really does when a node is pushed. The push is put in
# at the node itself; everything behind it is computed again.

# %%
figure = {"x": 2.0, "y": -1.0, "z": 3.0, "w": -2.0}


def pushed(node, by):
    v = {}
    for name in figure:
        v[name] = figure[name] + by * (node == name)
    v["s"] = v["x"] + v["y"] + by * (node == "s")
    v["p"] = v["s"] * v["z"] + by * (node == "p")
    v["m"] = max(v["y"], v["w"]) + by * (node == "m")
    v["q"] = v["p"] * v["m"] + by * (node == "q")
    return v["q"] + v["s"] + by * (node == "L")


gradients = nine_nodes(**figure)[1]
print("node  yours  a push of 0.001 gives, per unit")
for node in "Lqpmszywx":
    slope = (pushed(node, 0.001) - pushed(node, -0.001)) / 0.002
    print(f"{node:4} {gradients[node]:6.2f}  {slope:6.2f}")

# %% [markdown]
# ## Walk the edges
#
# The same graph, edge by edge. Step with the arrow keys or the buttons, first forward, then
# backward. On each edge it writes the upstream gradient, the local derivative and their product.
#
# 1. At which step is the gradient of s complete? Which edge brings the second part?
# 2. Switch to "overwrite instead of add". Which nodes come out wrong? Is it those two alone?
# 3. Set w to 0, above y. Which gradients change, and why does that of x change too?

# %%
from chainrule.widgets import EdgeWalk

EdgeWalk()

# %% [markdown]
# <details><summary>What you should have seen</summary>
#
# 1. s is complete when p has sent its part, z · m = −3, to the 1 that came straight from L.
# 2. Not those two alone. s loses one of its two parts, and sends what is left on to x and y. What
#    is wrong at one node is wrong at all before it.
# 3. m becomes 0 instead of −1. It is the local derivative on the edge to p, so the part that s gets
#    through p becomes 0; 1 is left for s, and so for x. w has taken the 3 that y had through max.
#    (y ends with 1 again, by accident: 1 + 0 instead of −2 + 3.)
#
# </details>
#
# ## Gates
#
# In the figure, an edge took the upstream gradient, did something with it, and handed it on. What
# it did depends on the operation alone. So each operation is a *gate* with two sides, a forward and
# a backward, and the backward needs three things: what arrives from behind, what went in, and its
# own rule. The CS231n notes read the patterns so: an add *distributes* what arrives, a max *routes*
# it, a multiply *switches* the inputs ([Patterns in backward
# flow](https://cs231n.github.io/optimization-2/)).
#
# One gate is missing in most lists, because nobody writes it: *copy*. Whenever a value is used n
# times, there is a fork in the graph, one edge in and n out. Forward it copies. What must its
# backward do?

# %% [markdown] prompt="gates"
# ### Exercise 2: four gates
#
# Write four gates. `a`, `b` and the upstream gradient `g` are float64 arrays of one shape, any
# shape, `()` and empty ones included, with finite entries.
#
# * `add(a, b)` and `add_back(g, a, b)`, `multiply(a, b)` and `multiply_back(g, a, b)`, `larger(a,
#   b)` and `larger_back(g, a, b)`: the forward returns one array, the backward a tuple of two, the
#   gradients for `a` and for `b`.
# * `larger` takes the larger entry at each place. Its backward sends `g` there to the larger one
#   alone; at a tie to `a` alone.
# * `copy(a, n)` returns a list of n arrays with the values of `a` (n from 0 on). `copy_back(gs, a)`
#   gets a list of what arrived on the n edges, in the same order, and returns the gradient for `a`:
#   one array of a's shape, all zeros if `gs` is empty.
#
# Nothing that is handed in is changed, `gs` and its arrays included. A result may be one of the
# arrays that were handed in.

# %% [markdown] hint="gates"
# Hold all inputs but one fixed. For the product a · b, if a grows by 1 then the result grows by b.
# For the larger one: if a is the smaller of the two, the result does not notice it. For a copy:
# all n copies grow when `a` does.

# %% [markdown] hint="gates"
# ```
#      3 ─►┐                 3 ─►┐                  3 ─►┐                     ┌─► 3
#          + ─► 7                × ─► 12                max ─► 4        3 ─► copy
#      4 ─►┘                 4 ─►┘                  4 ─►┘                     └─► 3
#
#     10 ◄─┐                40 ◄─┐                  0 ◄─┐                     ┌─◄ 10
#          + ◄─ 10               × ◄─ 10                max ◄─ 10      ? ◄─ copy
#     10 ◄─┘                30 ◄─┘                 10 ◄─┘                     └─◄ 20
# ```

# %% [markdown] hint="gates"
# ```python
# def larger_back(g, a, b):
#     return np.where(a >= b, ..., ...), np.where(..., ..., ...)
#
#
# def copy_back(gs, a):
#     total = np.zeros(...)
#     for g in gs:
#         total = total + ...     # not +=, if total is one of the arrays that came in
#     return total
# ```


# %% exercise="gates" minutes=15 difficulty=2 importance=4 allow="numpy"
def add(a, b):
    """Return a + b."""
    ### BEGIN SOLUTION
    return a + b
    ### END SOLUTION


def add_back(g, a, b):
    """Return the gradients for a and b of a sum."""
    ### BEGIN SOLUTION
    return g, g
    ### END SOLUTION


def multiply(a, b):
    """Return a * b, entry by entry."""
    ### BEGIN SOLUTION
    return a * b
    ### END SOLUTION


def multiply_back(g, a, b):
    """Return the gradients for a and b of a product."""
    ### BEGIN SOLUTION
    return g * b, g * a
    ### END SOLUTION


def larger(a, b):
    """Return the larger entry of a and b at each place."""
    ### BEGIN SOLUTION
    return np.maximum(a, b)
    ### END SOLUTION


def larger_back(g, a, b):
    """Return the gradients for a and b: all to the larger one, at a tie to a."""
    ### BEGIN SOLUTION
    return np.where(a >= b, g, 0.0), np.where(a >= b, 0.0, g)
    ### END SOLUTION


def copy(a, n):
    """Return a list of n arrays with the values of a."""
    ### BEGIN SOLUTION
    return [a] * n
    ### END SOLUTION


def copy_back(gs, a):
    """Return the gradient for a of what arrived on all its edges."""
    ### BEGIN SOLUTION
    total = np.zeros(a.shape)
    for g in gs:
        total = total + g
    return total
    ### END SOLUTION


# %% tests="gates" behaviour="add_multiply" points=2
@autograder.test
def _(rng):
    "`add` and `multiply`, forward and backward, for any shape; what comes in stays as it was."

    @beside
    def run(g, a, b):
        forward = add(a, b), multiply(a, b)
        sums, products = add_back(g, a, b), multiply_back(g, a, b)
        return forward, sums, products, multiply_back(2 * g, a, b), products, (g, a, b)

    def answer(g, a, b):
        products = g * b, g * a
        return (a + b, a * b), (g, g), products, (2 * g * b, 2 * g * a), products, (g, a, b)

    what = "(a + b, a * b), add_back, multiply_back, the latter for 2g, the first again, (g, a, b)"
    g, a, b = np.array([10.0, 1.0]), np.array([3.0, -2.0]), np.array([4.0, 0.5])
    same(run(g, a, b), answer(g, a, b), what)
    ### BEGIN HIDDEN TESTS
    for shape in ((), (0,), (1,), (7,), (3, 3), (2, 5), (2, 0, 3), (2, 3, 4), (2, 1, 3, 2), (130,)):
        for scale in (1.0, 1e-5, 1e4):
            g, a, b = (np.asarray(rng.normal(size=shape) * s) for s in (1.0, scale, 3 * scale))
            same(run(g, a, b), answer(g, a, b), what + f", shape {shape}", atol=1e-300)
            same(run(g, a, a), answer(g, a, a), what + f", a and a, shape {shape}", atol=1e-300)

    @beside
    def of_views(g, a, b):
        cut = (slice(None, None, 2), slice(None, None, -1))
        return multiply(a[cut], b[cut]), multiply_back(g[cut], a[cut], b[cut]), (g, a, b)

    g, a, b = rng.normal(size=(3, 6, 4))
    cut = (slice(None, None, 2), slice(None, None, -1))
    expected = (a * b)[cut], ((g * b)[cut], (g * a)[cut]), (g, a, b)
    same(of_views(g, a, b), expected, "multiply and multiply_back of views, (g, a, b) afterwards")
    ### END HIDDEN TESTS


# %% tests="gates" behaviour="larger" points=2
@autograder.test
def _(rng):
    "`larger` sends all to the larger entry and none to the other; at a tie all goes to `a`."

    @beside
    def run(g, a, b):
        back = larger_back(g, a, b)
        return larger(a, b), back, larger_back(-g, a, b), back, (g, a, b)

    g = np.array([10.0, 20.0, 30.0])
    a, b = np.array([3.0, -4.0, 5.0]), np.array([4.0, -7.0, 5.0])
    to_a, to_b = np.array([0.0, 20.0, 30.0]), np.array([10.0, 0.0, 0.0])
    value, what = np.array([4.0, -4.0, 5.0]), "larger, larger_back, that of -g, the first again, "
    expected = value, (to_a, to_b), (-to_a, -to_b), (to_a, to_b), (g, a, b)
    same(run(g, a, b), expected, what + "(g, a, b)")
    ### BEGIN HIDDEN TESTS
    for shape in ((), (0,), (1,), (9,), (4, 4), (3, 7), (2, 3, 4), (2, 1, 3, 2)):
        for scale in (1.0, 1e-12, 1e6):
            a, b = (np.asarray(scale * rng.normal(size=shape)) for _ in range(2))
            tied = np.where(rng.random(shape) < 0.3, a, b)
            near = np.nextafter(a, np.where(rng.random(shape) < 0.5, np.inf, -np.inf))
            for other in (b, tied, a, -a, np.zeros(shape), near):
                g = np.asarray(rng.normal(size=shape))
                first = (other - a <= 0) * 1.0
                pair = g * first, g * (1 - first)
                value = np.where(a > other, a, other)
                back = -pair[0], -pair[1]
                expected = value, pair, back, pair, (g, a, other)
                same(run(g, a, other), expected, what + f"(g, a, b), shape {shape}", atol=1e-300)
    ### END HIDDEN TESTS


# %% tests="gates" behaviour="copy" points=2
@autograder.test
def _(rng):
    "`copy_back` adds what arrived on n edges, none included; `gs` and its arrays are not changed."

    @beside
    def run(gs, a):
        copies = copy(a, len(gs))
        first = copy_back(gs, a)
        twice = copy_back(gs + gs, a)
        return isinstance(copies, list), copies, first, twice, (gs, a)

    a, gs = np.array([3.0, 5.0]), [np.array([10.0, 1.0]), np.array([20.0, -1.0])]
    total = np.array([30.0, 0.0])
    what = "copy gives a list, the copies, copy_back, that of all gs twice, (gs, a)"
    same(run(gs, a), (True, [a, a], total, 2 * total, (gs, a)), what)
    ### BEGIN HIDDEN TESTS
    for shape in ((), (0,), (1,), (6,), (3, 3), (2, 4), (2, 3, 2), (1, 2, 2, 3)):
        for n in (0, 1, 2, 3, 8, 41):
            a = np.asarray(rng.normal(size=shape))
            gs = [np.asarray(rng.normal(size=shape) * rng.choice([1e-3, 1.0, 1e3]))
                  for _ in range(n)]  # fmt: skip
            total = np.asarray(sum((g for g in gs), np.zeros(shape)))
            expected = True, [a] * n, total, 2 * total, (gs, a)
            same(run(gs, a), expected, what + f"; n = {n}, shape {shape}", atol=1e-9)

    @beside
    def one_array(g, a):
        return copy_back([g, g, g], a), g

    g, a = rng.normal(size=(2, 4))
    same(one_array(g, a), (3 * g, g), "copy_back of one array, three times in the list; the array")
    ### END HIDDEN TESTS


# %% [markdown]
# So a copy's backward is an add, and an add's backward is a copy. That is no accident: run
# backward, a graph is a graph again, with every arrow turned around. Forks become sums and sums
# become forks. "Gradients add where a value is used twice" is not a rule to be learned by heart. It
# is the backward of a gate that nobody draws.
#
# ## In which order?
#
# By hand you knew when s was complete: you saw the two arrows that leave it. A program needs an
# order in which it can rely on that. The graph is kept the way it was made: every node knows what
# it is made of, its *parents*, and nobody knows who uses it.


# %% given="node"
class Node:
    """One value of a graph: the operation that makes it, and the nodes that it is made of."""

    def __init__(self, op, parents=(), value=None, name=""):
        self.op = op  # "input", or the name of an operation
        self.parents = tuple(parents)
        self.value = value  # an array or a number; None, if it is to be computed later
        self.name = name

    def __repr__(self):
        return f"<{self.op}{self.name and ' ' + self.name}>"


# %%
def figure_of_nine():
    """Return the nine nodes of exercise 1, in an order of computation."""
    x, y, z, w = (Node("input", value=v, name=n) for n, v in figure.items())
    s = Node("add", (x, y), x.value + y.value, "s")
    p = Node("multiply", (s, z), s.value * z.value, "p")
    m = Node("max", (y, w), max(y.value, w.value), "m")
    q = Node("multiply", (p, m), p.value * m.value, "q")
    return x, y, z, w, s, p, m, q, Node("add", (q, s), q.value + s.value, "L")


nodes = figure_of_nine()
for node in nodes:
    print(f"{node!r:14} {node.value:4g}  made of {list(node.parents)}")

# %% [markdown]
# The order we want is a *topological order*: every node after all its parents. Forward, that is an
# order in which everything can be computed. Read backwards, every node comes after all nodes that
# use it, and so when its turn comes, its gradient is complete. There are usually several such
# orders, and any will do.

# %% [markdown] prompt="topological_order"
# ### Exercise 3: a topological order
#
# Write `topological_order(output)`. It returns a list of the nodes that `output` was made from,
# `output` itself included, so that
#
# * each stands in the list exactly once, however often it is used (a node may also have the same
#   parent twice);
# * each stands after all its parents. (So `output` stands last.)
# * Nodes that `output` does not need are not in it. A node is known by identity: two nodes with the
#   same operation, name and value are two.
# * A chain of 20,000 nodes works, without raising Python's recursion limit; so do 60 diamonds in a
#   row (in a diamond, two nodes are made from one, and a third from the two).
# * A fixed number of steps for each edge. So do not look for a node in a list, which compares it
#   with all that are there; look in a set. The check counts comparisons.
# * No node is changed, and a second call gives an order again, in a list of its own.
#
# There are no cycles: a node can only be made of nodes that are there already. Python's own library
# has such a walk, in `graphlib`. Here you write it yourself, so do not use that module.

# %% [markdown] hint="topological_order"
# Walk from `output` to parents, and write a node down only after all its parents are. Recursion
# does that in four lines, and fails at a depth of 1,000. So keep a stack of your own, a list. A
# node is on it twice: once to be entered, which puts its parents on top, and once to be left, which
# writes it down.

# %% [markdown] hint="topological_order"
# ```
# q = p · m, p from a, m from a       "e": enter, "l": leave
#
# stack (top on the right)            written down
# q e
# q l   p e   m e
# q l   p e   m l   a e
# q l   p e   m l   a l
# q l   p e   m l                     a
# q l   p e                           a m
# q l   p l   a e                     a m
# q l   p l                           a m           (a is known)
# q l                                 a m p
#                                     a m p q
# ```

# %% [markdown] hint="topological_order"
# ```python
# order, seen, stack = [], set(), [(output, "enter")]
# while stack:
#     node, what = stack.pop()
#     if what == "leave":
#         ...
#     elif node not in seen:
#         seen.add(node)
#         stack.append(...)
#         for parent in node.parents:
#             stack.append(...)
# return order
# ```


# %% exercise="topological_order" minutes=20 difficulty=3 importance=4 allow="numpy"
def topological_order(output):
    """Return what output was made from, each node once and after all its parents."""
    ### BEGIN SOLUTION
    order, seen, stack = [], set(), [(output, False)]
    while stack:
        node, parents_done = stack.pop()
        if parents_done:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack.extend((parent, False) for parent in node.parents)
    return order
    ### END SOLUTION


# %% tests="topological_order" behaviour="order" points=3
@autograder.test
def _(rng):
    "All that `output` needs, each node once and after all its parents; the nodes stay as they are."

    @beside
    def first(made_of):
        nodes = []
        for parents in made_of:
            nodes.append(Node("op", [nodes[i] for i in parents]))
        return [nodes.index(node) for node in topological_order(nodes[-1])]

    @beside
    def borrowed():
        names = getattr(getattr(topological_order, "__code__", None), "co_names", ())
        homes = [getattr(globals().get(name), "__module__", "") for name in names]
        return "graphlib" in (*names, *homes)

    order = first([[], [], [0, 1], [2, 2]])  # node 2 is made of 0 and 1; node 3 of 2 and 2
    either = order in ([0, 1, 2, 3], [1, 0, 2, 3])
    require(either, f"expected the nodes 0, 1, 2, 3 or 1, 0, 2, 3; came {order}")
    require(not borrowed(), "the order is right, but here the walk should be yours, not graphlib's")
    ### BEGIN HIDDEN TESTS

    @beside
    def run(made_of, output):
        nodes = []
        for parents in made_of:
            nodes.append(Node("op", [nodes[i] for i in parents], 1.0, "n"))
        before = [dict(vars(node)) for node in nodes]
        first = topological_order(nodes[output])
        lists, found = isinstance(first, list), [[*first]]
        if lists:
            first.clear()  # it is the caller's
        second = topological_order(nodes[output])
        lists, found = lists and isinstance(second, list), [*found, [*second]]
        number = {id(node): i for i, node in enumerate(nodes)}
        kept = all(vars(n) == old for n, old in zip(nodes, before, strict=True))
        return lists and kept, [[number.get(id(n), -1) for n in order] for order in found]

    def check(made_of, output):
        kept, found = run(made_of, output)
        require(kept, "expected a list, and nodes that stay as they were")
        needed = {output}
        for i in range(output, -1, -1):
            needed |= set(made_of[i]) if i in needed else set()
        drawn = dict(enumerate(made_of)) if len(made_of) < 12 else f"{len(made_of)} nodes"
        for k, order in enumerate(found):
            said = f"call {k + 1}, output {output} of the graph {drawn}: came {order[:20]}"
            said += ", when the first list had been emptied" * k
            require(sorted(order) == sorted(needed), f"each of {sorted(needed)[:20]} once; {said}")
            place = {node: i for i, node in enumerate(order)}
            late = all(place[p] < place[n] for n in order for p in made_of[n])
            require(late, f"a node stands before one of its parents; {said}")

    check([[]], 0)
    check([[], []], 0)
    check([[], [0], [1], [2], [3]], 2)
    check([[], [0], [1, 0], [0, 2]], 3)
    check([[], [0], [0, 1], [0, 1, 2], [0, 1, 2, 3], [4, 3, 2, 1, 0]], 5)
    check([[], [0], [1], [2, 0], [3, 0], [0, 4]], 5)
    for count in (2, 3, 4, 5, 6, 7, 8, 10, 15, 30, 60, 200) * 3:
        made_of = [
            rng.integers(max(0, n - 6), n, size=int(rng.integers(0, 4))).tolist() if n else []
            for n in range(count)
        ]
        check(made_of, count - 1)
        check(made_of, int(rng.integers(count)))
    ### END HIDDEN TESTS


# %% tests="topological_order" behaviour="deep" points=2
@autograder.test
def _(rng):
    "A chain of 20,000 nodes within Python's recursion limit, and 60 diamonds in a row."

    @beside
    def small():
        bottom = Node("input")
        left, right = Node("op", (bottom,)), Node("op", (bottom,))
        order = topological_order(Node("op", (left, right)))
        return len(order), order[0] is bottom

    same(small(), (4, True), "one diamond: number of nodes; the input comes first")
    ### BEGIN HIDDEN TESTS

    @beside
    def run(length, diamonds):
        import sys

        bottom = node = Node("input")
        for _ in range(length):
            node = Node("op", (node,))
        for _ in range(diamonds):
            node = Node("op", (Node("op", (node,)), Node("op", (node, bottom))))
        limit, real = sys.getrecursionlimit(), sys.setrecursionlimit
        real(3000)
        sys.setrecursionlimit = lambda limit: None  # it stays
        try:
            order = topological_order(node)
        finally:
            sys.setrecursionlimit = real
            real(limit)
        place = {id(n): i for i, n in enumerate(order)}
        return len(order), all(place[id(p)] < place[id(n)] for n in order for p in n.parents)

    for length, diamonds in ((999, 0), (20_000, 0), (0, 60), (20_000, 60), (1, 4000)):
        what = f"number of nodes, each after its parents; chain {length}, {diamonds} diamonds"
        same(run(length, diamonds), (1 + length + 3 * diamonds, True), what)
    ### END HIDDEN TESTS


# %% tests="topological_order" behaviour="few_comparisons" points=1
@autograder.test
def _(rng):
    "A right order of n nodes takes a number of comparisons that does not grow like n²."

    @beside
    def wide(count):
        compared, first = [], Node("input")

        class Watched(Node):
            __hash__ = object.__hash__

            def __eq__(self, other):
                return compared.append(1) or self is other

        output = Node("op", [Watched("op", (first,)) for _ in range(count)])
        order = topological_order(output)
        return len(order), order[0] is first, order[-1] is output, len(compared)

    *facts, compared = wide(200)
    same(facts, [202, True, True], "number of nodes; the input is first, the output last")
    at_most(compared, 800, "comparisons of nodes, for 202 nodes")
    ### BEGIN HIDDEN TESTS

    @beside
    def run(count, wide):
        compared = []

        class Counted(Node):
            __hash__ = object.__hash__

            def __eq__(self, other):
                compared.append(1)
                return self is other

        first = Counted("input")
        if wide:
            node = Counted("op", [Counted("op", (first,)) for _ in range(count - 2)])
        else:
            node = first
            for _ in range(count - 1):
                node = Counted("op", (node, first))
        order = topological_order(node)
        asked = len(compared)
        place = {id(n): i for i, n in enumerate(order)}
        right = all(place[id(p)] < place[id(n)] for n in order for p in n.parents)
        return right and len(place) == len(order), len(order), asked

    def check(count, wide):
        right, length, compared = run(count, wide)
        same((right, length), (True, count), "the order is right, its length")
        at_most(compared, 4 * count, f"comparisons of nodes, for {count} nodes")

    for count in (50, 300, 600):
        check(count, True)
        check(count, False)
    check(3000, True)
    ### END HIDDEN TESTS


# %% [markdown]
# Your order, for the figure, and read backwards. Is s behind both q and p, the two that decide its
# gradient?

# %%
order = topological_order(nodes[-1])
print("forward: ", *(node.name for node in order))
print("backward:", *(node.name for node in reversed(order)))

# %% [markdown]
# ## One loop for every graph
#
# All the parts are here. What remains of backpropagation is bookkeeping. The rules go into a table:
# for each operation one function for each of its inputs, so one for each *edge*. It is given the
# upstream gradient `g`, the value `out` of the node and the values of all its parents, and returns
# the product for this edge.

# %% given="edge_rules"
EDGE_RULES = {
    "add": (lambda g, out, a, b: g, lambda g, out, a, b: g),
    "multiply": (lambda g, out, a, b: g * b, lambda g, out, a, b: g * a),
    "max": (
        lambda g, out, a, b: np.where(a >= b, g, 0.0),
        lambda g, out, a, b: np.where(a >= b, 0.0, g),
    ),
}

# %% [markdown] prompt="backprop"
# ### Exercise 4: backprop
#
# The heart of this lesson. Write `backprop(output, rules, upstream=1.0)`. It returns a dictionary
# from node to gradient: how fast L grows with the value of each node, if it grows with that of
# `output` as `upstream` says.
#
# * The dictionary has an entry for every node that `output` was made from, itself and the inputs
#   included, and for no other.
# * `rules[node.op][k]` is the function of the edge from `node` to `node.parents[k]`. Call it as
#   `rule(g, node.value, *values)`, with g the *complete* gradient of `node`, and the values of all
#   its parents, in order. It returns what this edge sends to parent k.
# * What arrives at a node on several edges is added. The same node may be a parent twice (a · a):
#   these are two edges, with two rules.
# * Each edge is visited exactly once, whatever travels on it (zeros too). The check counts the
#   calls of the rules.
# * Values and gradients may be numbers or arrays of any shape, and more: what travels is handed on
#   and added with `+`, nothing else, and only where two edges meet. So it may be of any type that
#   has a `+`. (Exercise 7 sends formulas.)
# * Nothing is written into: not `upstream`, not what rules return (a rule may hand out the same
#   array twice, or the g that it was given), not values or other parts of nodes. The result of one
#   call stays as it is during the next.
# * A node without parents has no rule and needs none, whatever its `op` is. For any other operation
#   that is not in `rules`, raise `NotImplementedError`; the message names the operation.
# * Chains of 20,000 nodes work, without raising Python's recursion limit, and so do 60 diamonds in
#   a row.
#
# You may use your `topological_order`. If it is not right yet, `graphlib` may stand in for it here:
# `TopologicalSorter(made_of).static_order()` gives such an order of the keys of a dictionary
# `made_of`, from each node to its parents. So a miss in exercise 3 need not cost you points twice.

# %% [markdown] hint="backprop"
# Four lines of a loop: take the nodes in the reverse of a topological order. Look up what has
# arrived at the node; it is complete, since all who use it came before. Send something over each
# edge. Add it to what the parent has.

# %% [markdown] hint="backprop"
# ```
#   turn of   sends                        the dictionary afterwards
#             (start)                      L: 1
#   L         1 to q, 1 to s               L: 1  q: 1  s: 1
#   q         −1 to p, 3 to m              ...  s: 1  p: −1  m: 3
#   m         3 to y, 0 to w               ...  y: 3  w: 0
#   p         −3 to s, −1 to z             ...  s: 1 − 3 = −2  z: −1
#   s         −2 to x, −2 to y             ...  x: −2  y: 3 − 2 = 1
# ```
# A node that is in the dictionary gets an addition, a new sum and not `+=`: with arrays, `+=`
# writes into the array that the rule handed out.

# %% [markdown] hint="backprop"
# ```python
# gradients = {output: upstream}
# for node in reversed(...):
#     if node.parents and node.op not in rules:
#         raise ...
#     values = [parent.value for parent in node.parents]
#     for k, parent in enumerate(node.parents):
#         sent = rules[...][...](gradients[...], ..., *values)
#         if parent in gradients:
#             gradients[parent] = ...
#         else:
#             gradients[parent] = ...
# return gradients
# ```


# %% exercise="backprop" minutes=30 difficulty=4 importance=5 allow="numpy"
def backprop(output, rules, upstream=1.0):
    """Return the gradient of every node that output was made from, as a dictionary."""
    ### BEGIN SOLUTION
    gradients = {output: upstream}
    for node in reversed(topological_order(output)):
        if node.parents and node.op not in rules:
            raise NotImplementedError(f"no rule for the operation {node.op!r}")
        values = [parent.value for parent in node.parents]
        for k, parent in enumerate(node.parents):
            sent = rules[node.op][k](gradients[node], node.value, *values)
            known = parent in gradients
            gradients[parent] = gradients[parent] + sent if known else sent
    return gradients
    ### END SOLUTION


# %% tests="backprop" behaviour="values" points=2
@autograder.test
def _(rng):
    "An entry for each node that `output` needs, with its gradient; rules get out and all values."

    @beside
    def product(a, b, *upstream):
        rules = {"multiply": (lambda g, out, a, b: g * b, lambda g, out, a, b: g * a)}
        x, y = Node("input", value=a), Node("input", value=b)
        output, unused = Node("multiply", (x, y), a * b), Node("multiply", (x, x), a * a)
        found = backprop(output, rules, *upstream)
        return [found.get(node) for node in (x, y, output, unused)], len(found)

    what = "gradients of a, b, a · b, a · a (not needed: None) for a, b = 3, 4; entries"
    same(product(3.0, 4.0, 10.0), ([40.0, 30.0, 10.0, None], 3), what + "; upstream 10")
    same(product(3.0, 4.0), ([4.0, 3.0, 1.0, None], 3), what + "; no upstream")
    ### BEGIN HIDDEN TESTS

    @beside
    def run(leaves, made, output, upstream):
        import numpy as np

        rules = {
            "add": (lambda g, out, a, b: g, lambda g, out, a, b: g),
            "multiply": (lambda g, out, a, b: g * b, lambda g, out, a, b: g * a),
            "tanh": (lambda g, out, a: g * (1 - out * out),),
        }
        forward = {"add": np.add, "multiply": np.multiply, "tanh": np.tanh}
        nodes = [Node("input", value=v) for v in leaves]
        for op, *parents in made:
            parents = [nodes[i] for i in parents]
            nodes.append(Node(op, parents, forward[op](*(p.value for p in parents))))
        g = backprop(nodes[output], rules, *upstream)
        number = {id(node): i for i, node in enumerate(nodes)}
        return {number[id(node)]: value for node, value in g.items()}

    what, made = "gradients of the nodes by number", [("multiply", 0, 1), ("add", 0, 1)]
    same(run([3.0, 4.0], made, 2, [10.0]), {0: 40.0, 1: 30.0, 2: 10.0}, what)
    same(run([3.0, 4.0], made, 1, [7.0]), {1: 7.0}, what + ", output is an input")

    def push(leaves, made, output, at, by):
        v = [np.asarray(leaf, dtype=complex) for leaf in leaves]
        v = [a + by * (i == at) for i, a in enumerate(v)]
        for op, *p in made:
            a = [v[i] for i in p]
            new = a[0] + a[1] if op == "add" else a[0] * a[1] if op == "multiply" else np.tanh(a[0])
            v.append(new + by * (len(v) == at))
        return v[output].imag / 1e-40

    for count in (1, 2, 3, 5, 8, 12, 20) * 2:
        for shape in ((), (4,), (2, 3)):
            leaves = [0.7 * rng.normal(size=shape) for _ in range(3)]
            made = []
            for n in range(3, 3 + count):
                op = str(rng.choice(["add", "multiply", "tanh"]))
                made.append((op, *rng.integers(max(0, n - 4), n, size=1 + (op != "tanh")).tolist()))
            last = 2 + count
            needed = {last}
            for n in range(last, 2, -1):
                needed |= set(made[n - 3][1:]) if n in needed else set()
            g = np.asarray(rng.normal(size=shape))
            expected = {n: g * push(leaves, made, last, n, 1e-40j) for n in needed}
            found = run(leaves, made, last, [g])
            same(found, expected, what + f" (0 to 2 are inputs) of {made}", rtol=1e-7, atol=1e-10)
    ### END HIDDEN TESTS


# %% tests="backprop" behaviour="fan_out" points=3
@autograder.test
def _(rng):
    "What arrives on several edges is added, and complete before it is sent on."

    @beside
    def three(upstream):
        rules = {
            "first": (lambda g, out, a: 2 * g,),
            "second": (lambda g, out, a, b: 3 * g, lambda g, out, a, b: 5 * g),
            "last": (lambda g, *v: g, lambda g, *v: 10 * g, lambda g, *v: 100 * g),
        }
        a = Node("input", value=1.0)
        b = Node("first", (a,), 1.0)
        c = Node("second", (a, b), 1.0)
        d = Node("last", (c, c, b), 1.0)
        found = backprop(d, rules, upstream)
        return [found[node] for node in (a, b, c, d)]

    # d sends 1 + 10 to c, and 100 to b; c sends 5 · 11 to b, which has 155 then
    same(three(1.0), [343.0, 155.0, 11.0, 1.0], "gradients of a, b, c, d")
    ### BEGIN HIDDEN TESTS

    @beside
    def run(made_of, factors, upstream):
        def edge(factor):
            return lambda g, out, *values: g * factor

        nodes, rules = [], {}
        for n, (parents, share) in enumerate(zip(made_of, factors, strict=True)):
            nodes.append(Node(f"op {n}", [nodes[i] for i in parents], 1.0))
            rules[f"op {n}"] = tuple(edge(factor) for factor in share)
        found = backprop(nodes[-1], rules, upstream)
        return [found.get(node) for node in nodes]

    def expected(made_of, factors, upstream):
        total = [None] * len(made_of)
        total[-1] = upstream
        for n in range(len(made_of) - 1, -1, -1):
            for i, factor in zip(made_of[n], factors[n], strict=True):
                if total[n] is not None:
                    total[i] = total[n] * factor + (0 if total[i] is None else total[i])
        return total

    for count in [*range(2, 14), 20, 30, 45] * 2:
        made_of = [
            rng.integers(max(0, n - 5), n, size=int(rng.integers(1, 4))).tolist() if n else []
            for n in range(count)
        ]
        if count % 3 == 0:  # the first node is used by all
            made_of = [[*p, 0] if n else [] for n, p in enumerate(made_of)]
        factors = [rng.uniform(-0.9, 0.9, size=len(p)).tolist() for p in made_of]
        g = rng.normal(size=2) if count % 2 else float(rng.normal())
        drawn = dict(enumerate(made_of)) if count < 13 else f"of {count} nodes"
        what = f"gradients of nodes made {drawn}"
        same(run(made_of, factors, g), expected(made_of, factors, g), what, rtol=1e-8, atol=1e-12)
    ### END HIDDEN TESTS


# %% tests="backprop" behaviour="once" points=2
@autograder.test
def _(rng):
    "Each edge is visited exactly once, with the complete g, the node's value and its parents'."

    @beside
    def two(visit):
        a = Node("input", value=5.0)
        b = Node("square", (a,), 25.0)
        output = Node("sum", (a, b), 30.0)
        rules = {
            "square": (lambda g, out, *v: (visit("b to a", g, out, *v), 10 * g)[1],),
            "sum": (
                lambda g, out, *v: (visit("sum to a", g, out, *v), g)[1],
                lambda g, out, *v: (visit("sum to b", g, out, *v), 3 * g)[1],
            ),
        }
        backprop(output, rules)

    calls = []
    two(callback(lambda *visit: calls.append(visit)))
    a, b = ("sum to a", 1.0, 30.0, 5.0, 25.0), ("sum to b", 1.0, 30.0, 5.0, 25.0)
    what = "visits, sorted: the edge, g, out and the values of all parents"
    same(sorted(calls, key=lambda visit: str(visit[0])), [("b to a", 3.0, 25.0, 5.0), a, b], what)
    ### BEGIN HIDDEN TESTS

    @beside
    def run(made_of, values, sent, visit):
        def edge(n, k):
            return lambda g, out, *inputs: (visit(n, k, g, out, inputs), sent[n][k])[1]

        nodes, rules = [], {}
        for n, parents in enumerate(made_of):
            nodes.append(Node(f"op {n}", [nodes[i] for i in parents], values[n]))
            rules[f"op {n}"] = [edge(n, k) for k in range(len(parents))]
        backprop(nodes[-1], rules)

    def check(made_of, values, sent):
        arrived = [0.0] * len(made_of)
        arrived[-1] = 1.0
        for parents, shares in zip(made_of, sent, strict=True):
            for i, share in zip(parents, shares, strict=True):
                arrived[i] += share
        calls = []
        run(made_of, values, sent, callback(lambda n, k, *rest: calls.append(((n, k), rest))))
        edges = [(n, k) for n, parents in enumerate(made_of) for k in range(len(parents))]
        once = sorted(edge for edge, _ in calls) == edges
        require(once, f"expected each of {len(edges)} edges once; there were {len(calls)} visits")
        for (n, k), rest in calls:
            expected = arrived[n], values[n], [values[i] for i in made_of[n]]
            same(rest, expected, f"g, out and the parents' values, edge {k} of node {n}", atol=1e-9)

    def diamonds(depth):
        return [[]] + [p for i in range(0, 3 * depth, 3) for p in ([i], [i], [i + 1, i + 2])]

    for depth in (1, 2, 5, 14, 60):
        made_of = diamonds(depth)
        values = rng.normal(size=len(made_of)).tolist()
        check(made_of, values, [rng.normal(size=len(p)).tolist() for p in made_of])
    for count in (1, 2, 6, 15, 40):
        made_of = [
            sorted({n - 1, *rng.integers(max(0, n - 4), n, size=2).tolist()}) * 2 if n else []
            for n in range(count)
        ]
        values = rng.normal(size=count).tolist()
        check(made_of, values, [(rng.normal(size=len(p)) * 1.0).tolist() for p in made_of])
        check(made_of, values, [[0.0] * len(p) for p in made_of])
    ### END HIDDEN TESTS


# %% tests="backprop" behaviour="untouched" points=2
@autograder.test
def _(rng):
    "Right sums, and nothing is written into: upstream, rules' arrays, values, earlier results."

    @beside
    def small(x, g, kept):
        rules = {"straight": (lambda g, *v: g,) * 2, "kept": (lambda g, *v: kept,) * 2}
        a = Node("input", value=x)
        first = Node("straight", (a, a), x)
        last = Node("kept", (first, a), x)
        one = backprop(last, rules, g)
        copies = [one[a] + 0, one[first] + 0]
        other = backprop(last, rules, 3 * g)
        return copies, [one[a], one[first]], other[last], (x, g, kept)

    x, g, kept = np.array([1.0, 2.0]), np.array([10.0, 20.0]), np.array([0.5, -0.5])
    pair = [3 * kept, kept]
    what = "gradients of a, first; both again after a call with 3g; that of last there; x, g, kept"
    same(small(x, g, kept), (pair, pair, 3 * g, (x, g, kept)), what)
    ### BEGIN HIDDEN TESTS

    @beside
    def run(x, g, kept):
        same_array = (lambda g, out, a, b: kept,) * 2
        straight = (lambda g, out, a, b: g,) * 2
        a, b = Node("input", value=x), Node("input", value=x)
        first = Node("add", (a, b), x)
        second = Node("kept", (first, a), x)
        last = Node("add", (second, first), x)
        parts = [dict(vars(node)) for node in (a, b, first, second, last)]
        rules = {"add": straight, "kept": same_array}
        one = backprop(last, rules, g)
        grads = [one[node] + 0 for node in (a, b, first, second, last)]
        other = backprop(last, rules, 3 * g)
        again = [one[node] for node in (a, b, first, second, last)]
        whole = parts == [vars(node) for node in (a, b, first, second, last)]
        return grads, again, other[a], other[first], whole, (x, g, kept)

    def answer(x, g, kept):
        grads = [g + 2 * kept, g + kept, g + kept, g, g]
        return grads, grads, 3 * g + 2 * kept, 3 * g + kept, True, (x, g, kept)

    what = "gradients, those again after a call with 3g, two of that call, nodes whole, (x, g, k)"
    for shape in ((1,), (6,), (3, 3), (0,), (2, 3, 2)):
        x, g, kept = (rng.normal(size=shape) for _ in range(3))
        same(run(x, g, kept), answer(x, g, kept), what + f", shape {shape}")

    @beside
    def chain(x, g):
        rules = {"twice": (lambda g, out, a, b: g, lambda g, out, a, b: g)}
        nodes = [Node("input", value=x)]
        for _ in range(6):
            nodes.append(Node("twice", (nodes[-1], nodes[-1]), x))
        found = backprop(nodes[-1], rules, g)
        return [found[node] for node in nodes], x, g

    for shape in ((), (3,), (2, 2)):
        x, g = np.asarray(rng.normal(size=shape)), np.asarray(rng.normal(size=shape))
        expected = [g * 2**k for k in range(6, -1, -1)], x, g
        same(chain(x, g), expected, "a chain of six a + a: gradients, x and g afterwards")
    ### END HIDDEN TESTS


# %% tests="backprop" behaviour="deep" points=1
@autograder.test
def _(rng):
    "A chain of 20,000 nodes within Python's recursion limit, and 60 diamonds in a row."

    @beside
    def small(upstream):
        rules = {"half": (lambda g, out, a, b: 0.5 * g,) * 2, "pass": (lambda g, out, a: g,)}
        bottom = Node("input", value=1.0)
        sides = Node("pass", (bottom,), 1.0), Node("pass", (bottom,), 1.0)
        found = backprop(Node("half", sides, 1.0), rules, upstream)
        return len(found), found[bottom]

    same(small(8.0), (4, 8.0), "one diamond: number of nodes, gradient of the input")
    ### BEGIN HIDDEN TESTS

    @beside
    def run(length, diamonds, upstream):
        import sys

        half = (lambda g, out, a, b: 0.5 * g,) * 2
        rules = {"pass": (lambda g, out, a: g,), "half": half}
        bottom = node = Node("input", value=1.0)
        for _ in range(length):
            node = Node("pass", (node,), 1.0)
        for _ in range(diamonds):
            sides = Node("pass", (node,), 1.0), Node("pass", (node,), 1.0)
            node = Node("half", sides, 1.0)
        limit, real = sys.getrecursionlimit(), sys.setrecursionlimit
        real(3000)
        sys.setrecursionlimit = lambda limit: None  # it stays
        try:
            found = backprop(node, rules, upstream)
        finally:
            sys.setrecursionlimit = real
            real(limit)
        return len(found), found[bottom]

    for length, diamonds in ((998, 0), (20_000, 0), (0, 60), (5000, 500)):
        g = float(rng.normal())
        what = f"number of nodes, gradient of the input; chain {length}, {diamonds} diamonds"
        same(run(length, diamonds, g), (1 + length + 3 * diamonds, g), what)
    ### END HIDDEN TESTS


# %% tests="backprop" behaviour="missing" points=1
@autograder.test
def _(rng):
    "An operation without a rule raises NotImplementedError and is named; an input needs none."

    @beside
    def run(op, known, kind):
        leaf = Node(kind, value=2.0)
        middle = Node(op, (leaf,), 2.0)
        rules = {name: (lambda g, out, a: 3.0 * g,) for name in known}
        return backprop(Node("last", (middle,), 2.0), rules)[leaf]

    raises(NotImplementedError, run, "sinus", ["last"], "input", mentions="sinus")
    for kind in ("input", "constant"):
        found = run("sinus", ["last", "sinus"], kind)
        same(
            found, 9.0, f"with both rules in the table; the node without parents is of op {kind!r}"
        )
    ### BEGIN HIDDEN TESTS
    for op in ("cube", "leaf", "const", "x7", "constant", "input of nothing"):
        for kind in ("input", "placeholder", "weight", ""):
            raises(NotImplementedError, run, op, ["last", "other"], kind, mentions=op)
            raises(NotImplementedError, run, op, [op], kind, mentions="last")
            what = f"with both rules in the table; the node without parents is of op {kind!r}"
            same(run(op, ["last", op], kind), 9.0, what)
    ### END HIDDEN TESTS


# %% tests="backprop" behaviour="any_type" points=1
@autograder.test
def _(rng):
    "What travels may be of any type that has a `+`; it is added only where two edges meet."

    @beside
    def run(made_of):
        class Words:
            def __init__(self, words):
                self.words = words

            def __add__(self, other):
                return Words(self.words + other.words)

            def __deepcopy__(self, memo):
                raise TypeError("what travels is handed on and added, not copied")

        def edge(n, k):
            return lambda g, out, *values: Words([w + f" {n}.{k}" for w in g.words])

        nodes, rules = [], {}
        for n, parents in enumerate(made_of):
            nodes.append(Node(f"op {n}", [nodes[i] for i in parents]))
            rules[f"op {n}"] = [edge(n, k) for k in range(len(parents))]
        found = backprop(nodes[-1], rules, Words(["g"]))
        return [sorted(found[node].words) for node in nodes]

    expected = [["g 2.0", "g 2.1 1.0"], ["g 2.1"], ["g"]]
    same(run([[], [0], [0, 1]]), expected, "the ways (node.edge) on which g came to each node")
    ### BEGIN HIDDEN TESTS
    for count in (1, 2, 3, 5, 7):
        made_of = [
            [n - 1, *rng.integers(0, n, size=int(rng.integers(0, 3))).tolist()] if n else []
            for n in range(count)
        ]
        ways = [[] for _ in made_of]
        ways[-1] = ["g"]
        for n in range(count - 1, 0, -1):
            for k, i in enumerate(made_of[n]):
                ways[i] += [way + f" {n}.{k}" for way in ways[n]]
        what = f"the ways (node.edge) on which g came, nodes made {dict(enumerate(made_of))}"
        same(run(made_of), [sorted(w) for w in ways], what)
    ### END HIDDEN TESTS


# %% [markdown]
# Your loop on the figure, against your pencil:

# %%
found = backprop(nodes[-1], EDGE_RULES)
for node in nodes:
    print(f"{node.name}  {float(found[node]):6.2f}  {by_hand()[1][node.name]:4}")

# %% [markdown]
# That was the whole of backpropagation. The rest of the course puts a handle on it: lesson 04 has
# the graph grow by itself while you compute, and calls your loop `loss.backward()`.
#
# Here the first sitting ends.

# %% [markdown]
# ## From numbers to arrays
#
# A node may hold a whole matrix. Then "the local derivative" is not a number any more but a
# *Jacobian*: a matrix with a row for each entry of the result and a column for each entry of the
# input. The upstream gradient is a vector with an entry for each row, and the chain rule says:
# gradient = upstream · Jacobian, a *vector-Jacobian product*, VJP for short. Take a ReLU of three
# numbers, and the cumulative sum of three:
#
# ```
#                                   [1 0 0]                                        [1 0 0]
# relu([2 -1 4]):  [g1 g2 g3] ·     [0 0 0]    cumsum([a b c]):  [g1 g2 g3]  ·     [1 1 0]
#                                   [0 0 1]                                        [1 1 1]
#
#               =  [g1  0  g3]                                =  [g1+g2+g3  g2+g3  g3]
# ```
#
# Look at what the products are. The first is a mask, the second a sum from the right. Nobody has to
# write the matrix down to get them, and that is the point: the lecture's hidden layer has 64 × 100
# entries, so the Jacobian of its ReLU has 6400 × 6400, 41 million entries, 328 MB. All but 6400 of
# them are zero for certain. The mask has 6400.

# %% [markdown] prompt="vjps"
# ### Exercise 5: six operations, one line each
#
# Write the VJPs of six operations, a function for each edge. All are called as in your `backprop`:
# with the upstream gradient `g` in the shape of the result, with the result `out`, then with the
# inputs. All arrays are float64. Each function returns an array of the shape of its input.
#
# | operation | result `out` | for the edge to | write |
# |---|---|---|---|
# | `matmul` | x @ w, of x (N, D) and w (D, M) | x | `matmul_x(g, out, x, w)` |
# | | | w | `matmul_w(g, out, x, w)` |
# | `add_row` | x + b, of x (N, M) and b (M,) | x | `add_row_x(g, out, x, b)` |
# | | | b | `add_row_b(g, out, x, b)` |
# | `relu` | max(x, 0) for each entry | x | `relu_x(g, out, x)` |
# | `softmax` | exp(x) / Σ exp(x), the sum along the last axis | x | `softmax_x(g, out, x)` |
# | `cumsum` | `np.cumsum(x, axis=-1)` | x | `cumsum_x(g, out, x)` |
# | `squared_error` | Σ (p − y)², one number | p | `squared_error_p(g, out, p, y)` |
# | | | y | `squared_error_y(g, out, p, y)` |
#
# * `relu` and `squared_error` take any shape, `()` and empty ones included; `softmax` and `cumsum`
#   any with at least one axis. N may be 0. The slope of the ReLU at 0 is 0.
# * For softmax use `out`: the x may be so large that exp(x) is infinite, and `out` is right.
# * Never build a Jacobian, not even that of one row. The check looks at the memory that is in use
#   at the peak, and allows twenty times that of the input.
# * What is handed in is not changed; a result may be an array that was handed in. Earlier results
#   stay as they are in later calls.

# %% [markdown] hint="vjps"
# Ask of each input entry: which entries of the result does it touch, and with which factor? Its
# gradient is the sum of their upstream gradients, times the factors. An entry of b touches all N
# rows. An entry x_j in a cumsum touches all places from j on. An entry of a softmax touches all of
# its row: through its own exp, and through the sum below the line.

# %% [markdown] hint="vjps"
# ```
# softmax:    d out_i / d x_j  =  out_i · (1 if i = j else 0)  −  out_i · out_j
#
# Σ_i g_i · (that)             =  g_j · out_j  −  (Σ_i g_i · out_i) · out_j
#                              =  out_j · (g_j − one number for each row)
#
# cumsum:     x_j touches         j  j+1  ...  n−1
#             so its gradient is  g_j + g_{j+1} + ... + g_{n−1}: a cumsum from the other end
# ```

# %% [markdown] hint="vjps"
# ```python
# def softmax_x(g, out, x):
#     return out * (g - (...).sum(axis=..., keepdims=...))
#
#
# def cumsum_x(g, out, x):
#     return np.cumsum(g[..., ::-1], axis=...)[...]
#
#
# def squared_error_y(g, out, p, y):
#     return g * ...
# ```


# %% exercise="vjps" minutes=25 difficulty=3 importance=4 allow="numpy"
def matmul_x(g, out, x, w):
    """Return the gradient for x of x @ w."""
    ### BEGIN SOLUTION
    return g @ w.T
    ### END SOLUTION


def matmul_w(g, out, x, w):
    """Return the gradient for w of x @ w."""
    ### BEGIN SOLUTION
    return x.T @ g
    ### END SOLUTION


def add_row_x(g, out, x, b):
    """Return the gradient for the matrix x of x + b."""
    ### BEGIN SOLUTION
    return g
    ### END SOLUTION


def add_row_b(g, out, x, b):
    """Return the gradient for the row b of x + b."""
    ### BEGIN SOLUTION
    return g.sum(axis=0)
    ### END SOLUTION


def relu_x(g, out, x):
    """Return the gradient for x of max(x, 0)."""
    ### BEGIN SOLUTION
    return g * (x > 0)
    ### END SOLUTION


def softmax_x(g, out, x):
    """Return the gradient for x of the softmax along the last axis."""
    ### BEGIN SOLUTION
    return out * (g - (g * out).sum(axis=-1, keepdims=True))
    ### END SOLUTION


def cumsum_x(g, out, x):
    """Return the gradient for x of the cumulative sum along the last axis."""
    ### BEGIN SOLUTION
    return np.cumsum(g[..., ::-1], axis=-1)[..., ::-1]
    ### END SOLUTION


def squared_error_p(g, out, p, y):
    """Return the gradient for p of the sum of (p - y)²."""
    ### BEGIN SOLUTION
    return g * 2 * (p - y)
    ### END SOLUTION


def squared_error_y(g, out, p, y):
    """Return the gradient for y of the sum of (p - y)²."""
    ### BEGIN SOLUTION
    return g * 2 * (y - p)
    ### END SOLUTION


# %% tests="vjps" behaviour="matmul_add_row" points=2
@autograder.test
def _(rng):
    "`matmul` and `add_row`: both edges, any sizes; arguments and earlier results stay."

    @beside
    def run(g, out, x, w, b, g2):
        pairs = [(f(g, out, x, w), f(g2, out, x, w)) for f in (matmul_x, matmul_w)]
        pairs += [(f(g, out, out, b), f(g2, out, out, b)) for f in (add_row_x, add_row_b)]
        firsts, seconds = [p[0] for p in pairs], [p[1] for p in pairs]
        return firsts, seconds, (g, out, x, w, b, g2)

    def answer(g, out, x, w, b, g2):
        four = [
            [np.einsum("nm,dm->nd", t, w), np.einsum("nd,nm->dm", x, t), t, np.einsum("nm->m", t)]
            for t in (g, g2)
        ]
        return *four, (g, out, x, w, b, g2)

    what = "matmul_x, matmul_w, add_row_x, add_row_b; those for another g; the arguments"
    x, w = np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]])
    g, b = np.array([[10.0]]), np.array([0.5])
    same(run(g, x @ w, x, w, b, -g), answer(g, x @ w, x, w, b, -g), what)
    ### BEGIN HIDDEN TESTS
    for n, d, m in ((3, 3, 3), (2, 5, 3), (1, 4, 1), (0, 2, 3), (4, 1, 4), (6, 2, 1), (30, 7, 9)):
        for scale in (1.0, 1e-6, 1e4):
            x, w, b = (scale * rng.normal(size=s) for s in ((n, d), (d, m), m))
            g, g2 = rng.normal(size=(2, n, m))
            case = g, x @ w, x, w, b, g2
            same(run(*case), answer(*case), what + f"; N, D, M = {n}, {d}, {m}", atol=1e-14 * scale)
    ### END HIDDEN TESTS


# %% tests="vjps" behaviour="relu_squared_error" points=2
@autograder.test
def _(rng):
    "`relu`, at 0 too, and `squared_error`, both edges; arguments and earlier results stay."

    @beside
    def run(g, x, y, k, k2):
        import numpy as np

        out, loss = np.maximum(x, 0), ((x - y) ** 2).sum()
        first = relu_x(g, out, x), squared_error_p(k, loss, x, y), squared_error_y(k, loss, x, y)
        other = relu_x(-g, out, x), squared_error_p(k2, loss, x, y), squared_error_y(k2, loss, x, y)
        return first, other, (g, x, y)

    def answer(g, x, y, k, k2):
        on, away = np.where(x > 0, g, 0.0), x - y
        first = on, 2 * k * away, -2 * k * away
        return first, (-on, 2 * k2 * away, -2 * k2 * away), (g, x, y)

    what = "relu_x, squared_error_p and _y; those for another upstream; g, x, y"
    x, y, g = np.array([2.0, -1.0, 0.0]), np.array([1.0, 1.0, 0.5]), np.array([10.0, 20.0, 30.0])
    same(run(g, x, y, 3.0, -1.0), answer(g, x, y, 3.0, -1.0), what)
    ### BEGIN HIDDEN TESTS
    for shape in ((), (1,), (0,), (5,), (3, 3), (2, 6), (0, 3), (2, 3, 4)):
        for scale in (1.0, 1e-9, 1e4):
            x, y, g = (np.asarray(scale * rng.normal(size=shape)) for _ in range(3))
            x = np.where(rng.random(shape) < 0.2, 0.0, x)
            k, k2 = rng.normal(size=2).tolist()
            found = run(g, x, y, k, k2)
            same(found, answer(g, x, y, k, k2), what + f"; shape {shape}", atol=1e-300)
    ### END HIDDEN TESTS


# %% tests="vjps" behaviour="softmax_cumsum" points=3
@autograder.test
def _(rng):
    "`softmax` and `cumsum` along the last axis, for any number of axes and large x."

    @beside
    def run(g, out, x):
        import numpy as np

        total = np.cumsum(x, axis=-1)
        first = softmax_x(g, out, x), cumsum_x(g, total, x)
        return first, (softmax_x(3 * g, out, x), cumsum_x(3 * g, total, x)), first, (g, out, x)

    g, out, x = np.array([10.0, 20.0]), np.array([0.5, 0.5]), np.array([4.0, 4.0])
    pair = np.array([-2.5, 2.5]), np.array([30.0, 20.0])
    thrice, what = tuple(3 * a for a in pair), "softmax_x, cumsum_x; those for 3g; the first again"
    same(run(g, out, x), (pair, thrice, pair, (g, out, x)), what + "; g, out, x")
    ### BEGIN HIDDEN TESTS

    def answer(g, out, x):
        n = x.shape[-1]
        on = np.eye(n) * out[..., None, :] - out[..., :, None] * out[..., None, :]
        soft = np.einsum("...i,...ij->...j", g, on)
        back = np.einsum("...i,ij->...j", g, np.tril(np.ones((n, n))))
        first = soft, back
        return first, (3 * soft, 3 * back), first, (g, out, x)

    shapes = (1,), (2,), (7,), (3, 3), (4, 6), (1, 5), (5, 1), (0, 3), (2, 3, 4), (4, 4, 4)
    for shape in shapes:
        for scale in (1.0, 5.0, 1000.0):
            x, g = scale * rng.normal(size=shape), rng.normal(size=shape)
            e = np.exp(x - x.max(axis=-1, keepdims=True))
            out = e / e.sum(axis=-1, keepdims=True)
            said = what + f"; shape {shape}"
            same(run(g, out, x), answer(g, out, x), said, rtol=1e-8, atol=1e-13)
    ### END HIDDEN TESTS


# %% tests="vjps" behaviour="no_jacobian" points=2
@autograder.test
def _(rng):
    "A right result without a Jacobian: at its peak, at most twenty times the input's memory."

    @beside
    def relu_and_memory(g, x):
        import tracemalloc

        tracemalloc.start()
        try:
            found = relu_x(g, x * (x > 0), x)
            return found, tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    x, g = np.linspace(-1.0, 2.0, 600), np.linspace(1.0, 5.0, 600)
    found, peak = relu_and_memory(g, x)
    same(found, np.where(x > 0, g, 0.0), "relu_x for 600 entries")
    at_most(peak, 20 * x.nbytes, f"bytes in use at the peak, with an input of {x.nbytes} bytes")
    ### BEGIN HIDDEN TESTS

    @beside
    def run(name, g, out, *inputs):
        import tracemalloc

        f = {"matmul_x": matmul_x, "matmul_w": matmul_w, "relu_x": relu_x, "softmax_x": softmax_x,
             "cumsum_x": cumsum_x, "squared_error_p": squared_error_p}[name]  # fmt: skip
        tracemalloc.start()
        try:
            found = f(g, out, *inputs)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        return found, peak

    def check(name, expected, g, out, *inputs):
        found, peak = run(name, g, out, *inputs)
        same(found, expected, f"{name}, input of shape {inputs[0].shape}", atol=1e-10)
        size = f"bytes in use at the peak of {name}, with an input of {inputs[0].nbytes} bytes"
        at_most(peak, 20 * inputs[0].nbytes, size)

    for shape in ((700,), (30, 400), (2, 900)):
        x, y, g = rng.normal(size=(3, *shape))
        check("relu_x", np.where(x > 0, g, 0.0), g, np.maximum(x, 0), x)
        expected = g.sum(axis=-1, keepdims=True) - np.cumsum(g, axis=-1) + g
        check("cumsum_x", expected, g, np.cumsum(x, axis=-1), x)
        out = np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True)
        inner = np.einsum("...i,...i->...", g, out)[..., None]
        check("softmax_x", out * g - out * inner, g, out, x)
        check("squared_error_p", 6 * (x - y), 3.0, ((x - y) ** 2).sum(), x, y)
    x, w, g = rng.normal(size=(40, 60)), rng.normal(size=(60, 50)), rng.normal(size=(40, 50))
    check("matmul_x", np.einsum("nm,dm->nd", g, w), g, x @ w, x, w)
    check("matmul_w", np.einsum("nm,nd->dm", g, x), g, x @ w, x, w)
    ### END HIDDEN TESTS


# %% [markdown]
# ## Lesson 01's net, once more
#
# With these rules in the table, the two-layer net is a graph like any other. Eight nodes, four of
# them inputs:
#
# ```
#  x ──► matmul ──► h ──► relu ──► h_relu ──► matmul ──► pred ──► squared_error ──► loss
#          ▲                                    ▲                       ▲
#         w1                                   w2                       y
# ```
#
# In the program, the backward lines go:
#
# ```diff
#  h = x @ w1
#  h_relu = np.maximum(h, 0)
#  pred = h_relu @ w2
#  loss = ((pred - y) ** 2).sum()
# -grad_pred = 2 * (pred - y)
# -grad_w2 = h_relu.T @ grad_pred
# -grad_h_relu = grad_pred @ w2.T
# -grad_h = grad_h_relu * (h > 0)
# -grad_w1 = x.T @ grad_h
# +gradients = backprop(loss, RULES)
# ```
#
# The price stands in the cell below: the forward lines have to make nodes. That they do so by
# themselves, with `@` and `+` as written above, is lesson 04.

# %% given="rules"
RULES = {
    **EDGE_RULES,
    "matmul": (matmul_x, matmul_w),
    "add_row": (add_row_x, add_row_b),
    "relu": (relu_x,),
    "softmax": (softmax_x,),
    "cumsum": (cumsum_x,),
    "squared_error": (squared_error_p, squared_error_y),
}

# %%
rng = np.random.default_rng(0)
x, y = (Node("input", value=rng.standard_normal(s)) for s in ((64, 1000), (64, 10)))
w1, w2 = (Node("input", value=rng.standard_normal(s)) for s in ((1000, 100), (100, 10)))
h = Node("matmul", (x, w1), x.value @ w1.value)
h_relu = Node("relu", (h,), np.maximum(h.value, 0))
pred = Node("matmul", (h_relu, w2), h_relu.value @ w2.value)
loss = Node("squared_error", (pred, y), ((pred.value - y.value) ** 2).sum())

gradients = backprop(loss, RULES)

grad_pred = 2 * (pred.value - y.value)  # lesson 01, by hand
grad_w2 = h_relu.value.T @ grad_pred
grad_h = grad_pred @ w2.value.T * (h.value > 0)
grad_w1 = x.value.T @ grad_h
for name, node, hand in (("w1", w1, grad_w1), ("w2", w2, grad_w2)):
    error = np.abs(gradients[node] - hand).max()
    print(f"{name}: largest entry {np.abs(hand).max():.4g}, largest difference {error:.4g}")

# %% [markdown]
# Change the loss, and the graph has another last node. Put a softmax in between, and it has one
# more. `backprop` stays, and no line of a backward pass is written again.

# %% [markdown]
# ## What a Jacobian costs
#
# "Never build a Jacobian" was an order. Here is the reason, in numbers that you can count. Nothing
# is timed: a clock says how fast this machine is today, a count says what the idea costs.
#
# To count, we let NumPy multiply objects instead of numbers. An array with `dtype=object` may hold
# anything, and `@` and `*` then call the `__mul__` of what they find. These keep a tally:


# %% given="counting"
def plain(value):
    return value.value if isinstance(value, Counting) else value


class Counting:
    """A number that counts: each multiplication adds 1 to Counting.made."""

    made = 0

    def __init__(self, value):
        self.value = value

    def __mul__(self, other):
        Counting.made += 1
        return Counting(self.value * plain(other))

    def __add__(self, other):
        return Counting(self.value + plain(other))

    def __neg__(self):
        return Counting(-self.value)

    def __sub__(self, other):
        return Counting(self.value - plain(other))

    __rmul__, __radd__ = __mul__, __add__


# %% [markdown] prompt="costs"
# ### Exercise 6: what it costs
#
# Write four functions. Counts are exact Python ints, however large.
#
# * `jacobian(rule, out_shape, in_shape)`: the full Jacobian, a float64 matrix of shape (number of
#   result's entries, number of input's entries), both in NumPy's usual order (C order). `rule(g)`
#   is a VJP: it takes an upstream gradient of shape `out_shape` and returns the gradient of shape
#   `in_shape`. Call it exactly once for each row, with a float64 array of that call's own (the rule
#   may write into it), all zeros but for a single 1. Any shapes without a 0, `()` included.
# * `multiplications(f, *arrays)`: how many multiplications `f(*arrays)` makes. Call `f` once, with
#   arrays of the same shapes that hold `Counting` objects (`dtype=object`). `arrays` are float64
#   arrays, with at least one axis; they stay as they are. What was counted before does not matter.
# * `matmul_costs(n, d, m)`, for x @ w with x of shape (n, d) and w of shape (d, m), looks at the
#   edge to x. A dictionary:
#   - `"entries"`: entries of the Jacobian of x @ w with respect to x;
#   - `"nonzero"`: those of them that may be other than 0 (the rest is 0 whatever x and w are);
#   - `"with_jacobian"`: multiplications in g · Jacobian, zeros multiplied too;
#   - `"with_rule"`: multiplications in g @ w.T.
# * `sweep_costs(sizes)`: a chain of operations takes a vector of `sizes[0]` entries to one of
#   `sizes[1]`, and so on (at least one operation). Its Jacobian is the product J_k ··· J_2 · J_1,
#   of which J_i has the shape (sizes[i], sizes[i−1]). Return the tuple `(backward, forward)` of the
#   numbers of multiplications: `backward` begins at the result's end, (J_k · J_{k−1}), and
#   multiplies what comes out by J_{k−2}, and so on; `forward` begins at the input's end,
#   (J_2 · J_1).

# %% [markdown] hint="costs"
# A VJP with an upstream gradient of zeros and a single 1 picks out one row of the Jacobian. And a
# product of a p × q and a q × r matrix takes p · q · r multiplications: that one sentence is both
# cost functions.

# %% [markdown] hint="costs"
# ```
# sizes = [4, 3, 2, 1]        J3 (1 × 2)    J2 (2 × 3)    J1 (3 × 4)
#
# backward   (J3 · J2) is 1 × 3, costs 1·2·3 = 6;   times J1: 1·3·4 = 12;   together 18
# forward    (J2 · J1) is 2 × 4, costs 2·3·4 = 24;  J3 times it: 1·2·4 = 8; together 32
# ```
# For `matmul_costs`: the Jacobian has a row for each of the n · m results, and a column for each of
# the n · d entries of x. A result uses one row of x.

# %% [markdown] hint="costs"
# ```python
# def jacobian(rule, out_shape, in_shape):
#     rows = []
#     for place in np.ndindex(...):
#         g = np.zeros(...)
#         g[place] = 1
#         rows.append(np.ravel(rule(g)))
#     return np.reshape(rows, (..., ...))
#
#
# def multiplications(f, *arrays):
#     counting = [np.frompyfunc(Counting, 1, 1)(a) for a in arrays]
#     Counting.made = ...
# ```


# %% exercise="costs" minutes=25 difficulty=2 importance=3 allow="numpy"
def jacobian(rule, out_shape, in_shape):
    """Return the Jacobian, row by row: rule(g) for each g with a single 1."""
    ### BEGIN SOLUTION
    rows = math.prod(out_shape)
    made = np.zeros((rows, math.prod(in_shape)))
    for i in range(rows):
        g = np.zeros(rows)
        g[i] = 1
        made[i] = np.ravel(rule(g.reshape(out_shape)))
    return made
    ### END SOLUTION


def multiplications(f, *arrays):
    """Return how many multiplications f makes on these arrays."""
    ### BEGIN SOLUTION
    counting = [np.frompyfunc(Counting, 1, 1)(a) for a in arrays]
    Counting.made = 0
    f(*counting)
    return Counting.made
    ### END SOLUTION


def matmul_costs(n, d, m):
    """Return what the edge from x @ w to x costs, with a Jacobian and with a rule."""
    ### BEGIN SOLUTION
    entries = (n * m) * (n * d)
    rule = n * m * d
    return {"entries": entries, "nonzero": rule, "with_jacobian": entries, "with_rule": rule}
    ### END SOLUTION


def sweep_costs(sizes):
    """Return the multiplications in a product of Jacobians, from the result's and input's end."""
    ### BEGIN SOLUTION
    steps = [sizes[i] * sizes[i + 1] for i in range(len(sizes) - 1)]
    return sizes[-1] * sum(steps[:-1]), sizes[0] * sum(steps[1:])
    ### END SOLUTION


# %% tests="costs" behaviour="jacobian" points=2
@autograder.test
def _(rng):
    "`jacobian` has a row for each entry of the result, and calls the rule once for each row."

    @beside
    def run(c, out_shape, in_shape, called):
        def rule(g):
            called(g)
            back = (c.T @ g.reshape(-1)).reshape(in_shape)
            g += 7  # a rule may write into what it is given
            return back

        return jacobian(rule, tuple(out_shape), tuple(in_shape))

    def check(c, out_shape, in_shape):
        called = []
        found = run(c, out_shape, in_shape, callback(lambda g: called.append(g)))
        same(found, c, f"the Jacobian, result of shape {out_shape}, input of shape {in_shape}")
        rows = len(c)
        require(len(called) == rows, f"{rows} rows are {rows} calls of the rule, not {len(called)}")
        for g in called:
            same(np.sort(g, axis=None), np.eye(rows)[0][::-1], "the entries of an upstream, sorted")
            require(g.shape == out_shape, f"an upstream has shape {g.shape}, not {out_shape}")

    check(np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), (2,), (3,))
    ### BEGIN HIDDEN TESTS
    shapes = (), (1,), (4,), (2, 2), (3, 2), (1, 5), (2, 1, 3)
    for out_shape in shapes:
        for in_shape in shapes:
            check(rng.normal(size=(math.prod(out_shape), math.prod(in_shape))), out_shape, in_shape)
    ### END HIDDEN TESTS


# %% tests="costs" behaviour="counted" points=2
@autograder.test
def _(rng):
    "`multiplications` counts what f makes, from 0 each time; f is called once, the arrays stay."

    @beside
    def counts(a, b):
        product = multiplications(lambda a, b: a @ b, a, b)
        sums = multiplications(lambda a: a + a, a)
        cubes = multiplications(lambda a: a * a * a, a)
        return product, sums, cubes, a, b

    a, b = np.array([[1.0, 2.0, 3.0]]), np.array([[4.0], [5.0], [6.0]])
    same(counts(a, b), (3, 0, 6, a, b), "counts for a @ b, a + a, a * a * a; a and b afterwards")
    ### BEGIN HIDDEN TESTS

    @beside
    def run(name, *arrays):
        import numpy as np

        made, held = [], []
        work = {
            "a * b": lambda a, b: a * b,
            "a @ b": lambda a, b: a @ b,
            "a + b": lambda a, b: a + b,
            "a * a * b - b": lambda a, b: a * a * b - b,
            "2 * a": lambda a: 2 * a,
            "sum": lambda a: a.sum(),
            "rows": lambda a: sum(row * row for row in a[1:]),
        }[name]

        def f(*given):
            made.append([np.shape(g) for g in given])
            held.extend(isinstance(g, np.ndarray) and g.dtype == object for g in given)
            return work(*given)

        counts = multiplications(f, *arrays), multiplications(f, *arrays)
        again = [np.shape(a) for a in arrays]
        return counts, made == [again, again], all(held), list(arrays)

    what = "count twice, f called once each with the shapes, object arrays, arrays afterwards: "

    for n, d, m in ((1, 1, 1), (2, 3, 4), (5, 2, 3), (4, 4, 4), (1, 9, 2)):
        a, b, c = rng.normal(size=(n, d)), rng.normal(size=(d, m)), rng.normal(size=(n, d))
        same(run("a @ b", a, b), ((n * d * m,) * 2, True, True, [a, b]), what + "a @ b")
        same(run("a * b", a, c), ((n * d,) * 2, True, True, [a, c]), what + "a * b")
        same(run("a * b", a, a), ((n * d,) * 2, True, True, [a, a]), what + "a * a")
        expected = (2 * n * d,) * 2, True, True, [a, c]
        same(run("a * a * b - b", a, c), expected, what + "a * a * b - b")
        same(run("2 * a", a), ((n * d,) * 2, True, True, [a]), what + "2 * a")
        same(run("sum", a[0]), ((0, 0), True, True, [a[0]]), what + "sum")
        same(run("rows", a), (((n - 1) * d,) * 2, True, True, [a]), what + "row * row, without one")
    ### END HIDDEN TESTS


# %% tests="costs" behaviour="matmul_costs" points=2
@autograder.test
def _(rng):
    "`matmul_costs`: four exact counts, for sizes up to a million."
    expected = {"entries": 60, "nonzero": 30, "with_jacobian": 60, "with_rule": 30}
    same(call(matmul_costs, 2, 3, 5), expected, "matmul_costs(2, 3, 5)")
    ### BEGIN HIDDEN TESTS
    sizes = [(1, 1, 1), (1, 7, 2), (4, 4, 4), (64, 1000, 100), (10**6, 10**6 + 3, 10**6 + 1)]
    for n, d, m in sizes + rng.integers(1, 10**6, size=(12, 3)).tolist():
        found = call(matmul_costs, n, d, m)
        require(isinstance(found, dict), "expected a dictionary of four counts")
        big = n * n * d * m
        expected = {"entries": big, "nonzero": n * d * m, "with_jacobian": big}
        expected["with_rule"] = n * d * m
        exact = {k: str(v) for k, v in found.items()}
        same(exact, {k: str(v) for k, v in expected.items()}, f"matmul_costs({n}, {d}, {m})")
    ### END HIDDEN TESTS


# %% tests="costs" behaviour="sweep_costs" points=2
@autograder.test
def _(rng):
    "`sweep_costs`: exact counts from both ends, for any number of operations from one on."
    same(call(sweep_costs, [4, 3, 2, 1]), (18, 32), "sweep_costs([4, 3, 2, 1])")
    same(call(sweep_costs, [7, 5]), (0, 0), "sweep_costs([7, 5]), nothing to multiply")
    ### BEGIN HIDDEN TESTS

    def product(shapes):
        cost, (rows, inner) = 0, shapes[0]
        for _, columns in shapes[1:]:
            cost, inner = cost + rows * inner * columns, columns
        return cost

    for count in [1, 2, 2, 3, 4, 5, 8, 20] * 2:
        high = int(rng.choice([5, 1000, 10**9]))
        sizes = rng.integers(1, high, size=count + 1).tolist()
        steps = [(sizes[i], sizes[i + 1]) for i in range(count)]
        expected = product([s[::-1] for s in steps[::-1]]), product(steps)
        found = call(sweep_costs, sizes)
        pair = isinstance(found, tuple | list) and len(found) == 2
        require(pair, "expected a tuple of two counts")
        same([str(v) for v in found], [str(v) for v in expected], f"sweep_costs({sizes})")
    ### END HIDDEN TESTS


# %% [markdown]
# Formula against count, for the edge to x of a small product; then the lecture's sizes, by formula
# alone:

# %%
rng = np.random.default_rng(1)
g, x, w = rng.standard_normal((4, 3)), rng.standard_normal((4, 5)), rng.standard_normal((5, 3))
full = jacobian(lambda g: matmul_x(g, None, x, w), g.shape, x.shape)
print("Jacobian", full.shape, " not zero:", np.count_nonzero(full))
print("g · Jacobian and g @ w.T agree:", np.allclose(g.ravel() @ full, (g @ w.T).ravel()))
print("counted:", multiplications(lambda g, j: g.reshape(-1) @ j, g, full),
      "and", multiplications(lambda g, w: g @ w.T, g, w))  # fmt: skip
print("formula:", matmul_costs(4, 5, 3))
print("lecture:", matmul_costs(64, 1000, 100))
print("one example through the net, backward and forward:", sweep_costs([1000, 100, 100, 10, 1]))

# %% [markdown]
# A rule makes as many multiplications as the forward pass; that is why a backward pass costs about
# two forward passes (two edges for each product), whatever the net. The Jacobian costs N times as
# much, and 3.3 GB.
#
# And the last line is why this course walks *back*. A loss is one number. From that end each step
# is a vector times a matrix; from the other end, with its thousand inputs, it is a matrix times a
# matrix.

# %% [markdown] prompt="which_end"
# ### Question: which end?
#
# A program computes 3 numbers, lift, drag and weight of a wing, from 200,000 numbers that describe
# its shape, through a thousand steps. Another computes a picture of 200,000 pixels from 3 numbers:
# angle, distance and brightness of a lamp. You want the full Jacobian of each. From which end do
# you begin in each case, and about how many sweeps through the graph does that take? What has the
# sweep from the result's end to keep in memory that the other one need not?

# %% [markdown] written="which_end" points=2
# ### BEGIN SOLUTION
# The wing: from the result's end (backward, reverse mode). One sweep gives one row of the Jacobian,
# the gradient of one result for all inputs: 3 sweeps, against 200,000 from the other end. The
# picture: from the input's end (forward mode). One sweep gives one column, how all pixels change
# with one input: again 3 sweeps instead of 200,000. The backward sweep needs the values of the
# forward pass in reverse order, so all of them (or enough to compute them again) are kept until it
# comes by. The forward sweep goes along with the computation and can let each value go as soon as
# nothing needs it any more.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# * 1 point: backward for the wing, forward for the picture, about 3 sweeps each, with the reason
#   (one sweep for each result, or for each input). Half without the numbers or the reason.
# * 1 point: the backward sweep keeps the intermediate values of the whole forward pass; the forward
#   sweep does not, since it runs along with it.
# ### END MARK SCHEME

# %% [markdown]
# ## The neuron, built twice
#
# A neuron takes an input, weighs it, adds a bias and bends the result: o = tanh(w · x + b). Stevens
# and Antiga (*Deep Learning with PyTorch*, 2019) draw it twice, and that drawing is the difference
# between two families of frameworks.
#
# The *dynamic* construction: each line computes, and makes a node while it does. After the last
# line the graph is there, with its numbers, and good for one pass.


# %%
def made(op, *parents, forward):
    node = Node(op, parents, forward(*(p.value for p in parents)))
    print(f"  {op:8} = {node.value:.6f}   edges to {len(parents)}")
    return node


w, x, b = (Node("input", value=v, name=n) for n, v in (("w", 0.5), ("x", 2.0), ("b", -0.4)))
print("dynamic: a value and a node in each line")
wx = made("multiply", w, x, forward=np.multiply)
total = made("add", wx, b, forward=np.add)
output = made("tanh", total, forward=np.tanh)

# %% [markdown]
# The *static* construction: first the graph, from placeholders, without a single number. Then feed
# it, as often as you like.
#
# ```
#  static     w ──► × ──► + ──► tanh ──► o              built once
#                   ▲     ▲
#             x ────┘     b
#
#  feed       0.5 ─► 1.0 ─► 0.6 ─► 0.537                w = 0.5, x = 2, b = −0.4
#  feed again −1 ──► −3 ──► −2 ──► −0.964               w = −1, x = 3, b = 1
#
#  gradient   do/dw = (1 − o · o) · x                   a graph as well, built once
# ```
#
# You built expressions in lesson 01, out of Python functions: sealed boxes that could be called,
# and nothing else. Here the same trick with open boxes. A `Symbol` is a node, and arithmetic on
# symbols makes nodes:


# %% given="symbols"
class Symbol(Node):
    """A node without a number. Arithmetic on symbols computes nothing; it makes nodes."""

    def __init__(self, op, parents=(), name="", number=None):
        super().__init__(op, parents, name=name)
        self.number = number  # of a constant
        self.value = self  # what travels through a graph of symbols is symbols

    def __add__(self, other):
        return Symbol("add", (self, as_symbol(other)))

    def __mul__(self, other):
        return Symbol("multiply", (self, as_symbol(other)))

    def __neg__(self):
        return constant(-1.0) * self

    def __sub__(self, other):
        return self + -as_symbol(other)

    def __rsub__(self, other):
        return as_symbol(other) + -self

    __radd__, __rmul__ = __add__, __mul__


# %% given="symbol_makers"
def as_symbol(value):
    return value if isinstance(value, Symbol) else constant(value)


def constant(number):
    return Symbol("constant", number=number)


def placeholder(name):
    return Symbol("placeholder", name=name)


def tanh(a):
    return Symbol("tanh", (a,))


FORWARD = {"add": np.add, "multiply": np.multiply, "tanh": np.tanh}


# %%
def formula(node):
    """Return the formula of a symbol, fully written out; shared parts are repeated."""
    if not node.parents:
        return node.name or f"{node.number:g}"
    parts = [formula(parent) for parent in node.parents]
    sign = {"add": " + ", "multiply": "·"}.get(node.op)
    return f"({sign.join(parts)})" if sign else f"{node.op}({parts[0]})"


w, x, b = placeholder("w"), placeholder("x"), placeholder("b")
neuron = tanh(w * x + b)
print(neuron, " is ", formula(neuron), " and has no number:", neuron.number)

# %% [markdown]
# ## Symbolic differentiation
#
# Now look at the rule of a product again: `lambda g, out, a, b: g * b`. It does not say that g and
# b are numbers. If they are symbols, `*` makes a node, and what the rule returns is the *formula*
# for the gradient on this edge. And `backprop` only hands on and adds. So feed it symbols: it comes
# back with a graph, the graph of the derivative. Nobody has differentiated anything by hand, and
# nothing has been computed.
#
# What it returns is made of the same operations, for which there are rules. So it can be
# differentiated again.

# %% [markdown] prompt="neuron"
# ### Exercise 7: symbolic gradients
#
# Write three functions.
#
# * `tanh_back(g, out, a)`: the rule of `tanh`'s one edge, for a table like `EDGE_RULES`: g times
#   the slope at a, made from `g` and `out` by `+`, `-` and `*` alone. So it works on numbers,
#   arrays and symbols alike.
# * `evaluate(output, feeds)`: the value of a symbol. `feeds` is a dictionary from placeholders'
#   names to numbers (or arrays of one shape). A constant's value is its `number`; any other node is
#   `FORWARD[op](*values of its parents)`, called exactly once for each node and call of `evaluate`.
#   A placeholder that `output` needs and `feeds` lacks raises `KeyError`, the message contains its
#   name; feeds that are not needed are ignored. Nothing is remembered between calls, and neither a
#   symbol nor `feeds` is changed. 20,000 nodes in a chain and 60 diamonds in a row work, without
#   raising Python's recursion limit.
# * `gradient(output, wrt)`: a list of symbols, the derivatives of `output` with respect to each
#   symbol of the list `wrt` (placeholders or any others). Where `output` does not depend on it the
#   derivative evaluates to 0, and where it is `output` itself, to 1. It builds symbols and computes
#   nothing: it calls no function of `FORWARD`, needs no feeds and changes no symbol. What it
#   returns can be given to `evaluate`, and to `gradient` again. The new graph has at most 12 new
#   nodes for each node of the old (60 diamonds included).
#
# You may use your `topological_order` and `backprop`, and `EDGE_RULES`. Only the three functions of
# this exercise are looked at, so `graphlib` or a loop of their own will do as well.

# %% [markdown] hint="neuron"
# The slope of tanh is 1 − tanh². `evaluate` is a walk in topological order with a dictionary from
# node to value. And `gradient` is your `backprop`, with three rules in its table and a symbol to
# start from.

# %% [markdown] hint="neuron"
# ```
#        w ──► ×  ──► + ──► tanh = o          g at o         1              (a constant)
#        x ────┘      b                       at +           1·(1 − o·o)
#                                             at ×, b        the same symbol
#        the loop is that of exercise 4,      at w           the same · x
#        but these are nodes, not numbers     at x           the same · w
# ```
# For a symbol that is not in the dictionary that `backprop` returns, the derivative is a constant.

# %% [markdown] hint="neuron"
# ```python
# def evaluate(output, feeds):
#     values = ...                      # from node to value, empty as yet
#     for node in topological_order(output):
#         if node.op == "placeholder":
#             values[node] = ...
#         elif node.op == "constant":
#             ...
#         else:
#             values[node] = FORWARD[node.op](*(... for parent in node.parents))
#     return values[output]
#
#
# def gradient(output, wrt):
#     rules = {**EDGE_RULES, "tanh": (tanh_back,)}
#     found = backprop(output, ..., constant(...))
#     return [... for symbol in wrt]
# ```


# %% exercise="neuron" minutes=30 difficulty=3 importance=4 allow="numpy"
def tanh_back(g, out, a):
    """Return the gradient for a of tanh(a), for numbers, arrays and symbols."""
    ### BEGIN SOLUTION
    return g * (1 - out * out)
    ### END SOLUTION


def evaluate(output, feeds):
    """Return the value of a symbol, each node computed once."""
    ### BEGIN SOLUTION
    values = {}
    for node in topological_order(output):
        if node.op == "placeholder":
            values[node] = feeds[node.name]
        elif node.op == "constant":
            values[node] = node.number
        else:
            values[node] = FORWARD[node.op](*(values[parent] for parent in node.parents))
    return values[output]
    ### END SOLUTION


def gradient(output, wrt):
    """Return symbols for the derivatives of output with respect to each symbol of wrt."""
    ### BEGIN SOLUTION
    found = backprop(output, {**EDGE_RULES, "tanh": (tanh_back,)}, constant(1.0))
    return [found[symbol] if symbol in found else constant(0.0) for symbol in wrt]
    ### END SOLUTION


# %% tests="neuron" behaviour="evaluate" points=2
@autograder.test
def _(rng):
    "`evaluate` computes each node once: formulas, a chain of 20,000, 60 diamonds in a row."

    @beside
    def twice(values):
        a, b, c = placeholder("a"), placeholder("b"), placeholder("c")
        half = a * b + c
        output, calls, kept = half + half, [], dict(FORWARD)
        for op in kept:
            FORWARD[op] = lambda *v, f=kept[op]: (calls.append(1), f(*v))[1]
        try:
            found = [evaluate(output, dict(zip("abc", values, strict=True))) for _ in range(2)]
        finally:
            FORWARD.update(kept)
        return found, len(calls)

    what = "2 (a · b + c) for a, b, c = 2, 3, 4, two times; calls of functions in FORWARD"
    same(twice([2.0, 3.0, 4.0]), ([20.0, 20.0], 6), what)
    ### BEGIN HIDDEN TESTS

    @beside
    def run(made, values):
        import sys

        names = [f"v{i}" for i in range(len(values))]
        nodes = [placeholder(name) for name in names]
        for op, *p in made:
            a = [nodes[i] for i in p]
            nodes.append(a[0] + a[1] if op == "add" else a[0] * a[1] if op == "mul" else
                         tanh(a[0]) if op == "tanh" else 3.0 - a[0])  # fmt: skip
        calls, kept = [], dict(FORWARD)
        for op in kept:
            FORWARD[op] = lambda *a, f=kept[op]: (calls.append(1), f(*a))[1]
        limit, real = sys.getrecursionlimit(), sys.setrecursionlimit
        real(3000)
        sys.setrecursionlimit = lambda limit: None  # it stays
        try:
            found = evaluate(nodes[-1], dict(zip(names, values, strict=True)))
        finally:
            sys.setrecursionlimit = real
            real(limit)
            FORWARD.update(kept)
        return found, len(calls)

    def answer(made, values):
        v, count, used = list(values), {}, {len(values) + len(made) - 1}
        for n in range(len(made) - 1, -1, -1):
            used |= set(made[n][1:]) if n + len(values) in used else set()
        for n, (op, *p) in enumerate(made, start=len(values)):
            a = [v[i] for i in p]
            v.append(a[0] + a[1] if op == "add" else a[0] * a[1] if op == "mul" else
                     np.tanh(a[0]) if op == "tanh" else 3.0 - a[0])  # fmt: skip
            count[n] = 2 if op == "from 3" else 1
        return v[-1], sum(count[n] for n in used if n in count)

    for count in (1, 2, 4, 7, 12, 25) * 3:
        made = []
        for n in range(3, 3 + count):
            op = str(rng.choice(["add", "mul", "tanh", "from 3"]))
            two = op in ("add", "mul")
            made.append((op, *rng.integers(max(0, n - 4), n, size=1 + two).tolist()))
        values = rng.normal(size=3).tolist()
        same(run(made, values), answer(made, values), f"{made}, v = {values}", atol=1e-10)
    values = list(rng.normal(size=(2, 5)))
    same(run([("mul", 0, 1), ("tanh", 2)], values), (np.tanh(values[0] * values[1]), 2), "arrays")
    x = float(rng.normal())
    chain = [("tanh", n) for n in range(20_000)]
    value = x
    for _ in chain:
        value = math.tanh(value)
    same(run(chain, [x]), (value, 20_000), "a chain of 20,000 tanh; operations", rtol=1e-6)
    diamonds = [op for n in range(0, 180, 3)
                for op in (("tanh", n), ("from 3", n), ("mul", n + 1, n + 2))]  # fmt: skip
    same(run(diamonds, [x]), answer(diamonds, [x]), "60 diamonds; operations", rtol=1e-6)
    ### END HIDDEN TESTS


# %% tests="neuron" behaviour="feeds" points=1
@autograder.test
def _(rng):
    "One graph, many feeds: a missing one raises KeyError and is named, others are ignored."

    @beside
    def run(names, feeds):
        nodes = {name: placeholder(name) for name in ("w", "x", "b", "rate")}
        o = tanh(nodes["w"] * nodes["x"] + nodes["b"])
        unused = o * nodes["rate"]
        parts = [dict(vars(node)) for node in (*nodes.values(), o, unused)]
        given = [dict(zip(names, values, strict=True)) for values in feeds]
        found = [evaluate(o, feed) for feed in given]
        whole = parts == [vars(node) for node in (*nodes.values(), o, unused)]
        return found, whole and given == [dict(zip(names, v, strict=True)) for v in feeds]

    two = [[0.0, 5.0, 0.0], [1.0, 2.0, -2.0]]
    same(run(["w", "x", "b"], two), ([0.0, 0.0], True), "the neuron fed twice; symbols, feeds kept")
    raises(KeyError, run, ["w", "x"], [[1.0, 2.0]], mentions="b")
    ### BEGIN HIDDEN TESTS
    for names in (["w", "x", "b"], ["b", "more", "w", "x", "rate"], ["x", "w", "tanh", "b"]):
        feeds = (2 * rng.normal(size=(5, len(names)))).tolist()
        at = [dict(zip(names, values, strict=True)) for values in feeds]
        expected = [math.tanh(f["w"] * f["x"] + f["b"]) for f in at]
        same(
            run(names, feeds),
            (expected, True),
            f"the neuron, fed with {names}; symbols, feeds kept",
        )
    for gone in ("w", "x", "b"):
        names = [name for name in ("w", "x", "b", "rate") if name != gone]
        raises(KeyError, run, names, rng.normal(size=(1, 3)).tolist(), mentions=gone)

    @beside
    def single(number):
        return evaluate(placeholder("t"), {"t": number}), evaluate(constant(number), {})

    x = float(rng.normal())
    same(single(x), (x, x), "a placeholder alone, a constant alone")
    ### END HIDDEN TESTS


# %% tests="neuron" behaviour="tanh_back" points=1
@autograder.test
def _(rng):
    "`tanh_back` on numbers, arrays and symbols, made from `g` and `out`."

    @beside
    def run(g, out, a):
        rule = tanh_back(*(placeholder(name) for name in ("g", "out", "a")))
        kinds, todo = set(), [rule]
        while todo:
            node = todo.pop()
            kinds.add(node.op if node.parents else node.name)
            todo.extend(node.parents)
        return tanh_back(g, out, a), kinds <= {"add", "multiply", "g", "out", ""}, (g, out, a)

    g, out, a = 10.0, 0.5, math.atanh(0.5)
    same(run(g, out, a), (7.5, True, (g, out, a)), "at out = 0.5; on symbols it uses g and out")
    ### BEGIN HIDDEN TESTS
    for shape in ((), (1,), (5,), (3, 3), (2, 4), (0,)):
        g, a = (np.asarray(rng.normal(size=shape) * s) for s in (1.0, 2.0))
        out = np.tanh(a)
        expected = (g / np.cosh(a) ** 2, True, (g, out, a))
        same(run(g, out, a), expected, f"shape {shape}; symbols; the arguments", rtol=1e-7)
    ### END HIDDEN TESTS


# %% tests="neuron" behaviour="gradient" points=3
@autograder.test
def _(rng):
    "`gradient` of the neuron and other formulas, evaluated; 0 where nothing depends, 1 for itself."

    @beside
    def slopes(*values):
        w, x, b = placeholder("w"), placeholder("x"), placeholder("b")
        o, feeds = tanh(w * x + b), dict(zip("wxb", values, strict=True))
        found = *gradient(o, [w, x, b, o]), *gradient(x + x, [x, w])
        if not all(isinstance(symbol, Symbol) for symbol in found):
            return [type(symbol).__name__ for symbol in found]
        return [float(evaluate(symbol, feeds)) for symbol in found]

    what = (
        "do/dw, do/dx, do/db, do/do, d(x + x)/dx and /dw (or, if not all are symbols, their types)"
    )
    same(slopes(2.0, 3.0, -6.0), [3.0, 2.0, 1.0, 1.0, 2.0, 0.0], what)
    ### BEGIN HIDDEN TESTS

    @beside
    def run(made, values, wrt):
        names = [f"v{i}" for i in range(len(values))]
        nodes = [placeholder(name) for name in names]
        for op, *p in made:
            a = [nodes[i] for i in p]
            nodes.append(a[0] + a[1] if op == "add" else a[0] * a[1] if op == "mul" else
                         tanh(a[0]) if op == "tanh" else 3.0 - a[0])  # fmt: skip
        found = gradient(nodes[-1], [nodes[i] for i in wrt])
        feeds = dict(zip(names, values, strict=True))
        return [float(evaluate(symbol, feeds)) for symbol in found]

    def push(made, values, at):
        v = [complex(x) + 1e-40j * (i == at) for i, x in enumerate(values)]
        for op, *p in made:
            a = [v[i] for i in p]
            new = (a[0] + a[1] if op == "add" else a[0] * a[1] if op == "mul" else
                   np.tanh(a[0]) if op == "tanh" else 3.0 - a[0])  # fmt: skip
            v.append(new + 1e-40j * (len(v) == at))
        return float(v[-1].imag / 1e-40)

    neuron = [("mul", 0, 1), ("add", 3, 2), ("tanh", 4)]  # v0 is w, v1 is x, v2 is b
    same(run([("add", 0, 0)], [1.0, 5.0], [0, 1]), [2.0, 0.0], "of v0 + v0, for v0 and v1")
    for count in (1, 2, 3, 5, 8, 12) * 4:
        made = []
        for n in range(3, 3 + count):
            op = str(rng.choice(["add", "mul", "tanh", "from 3"]))
            two = op in ("add", "mul")
            made.append((op, *rng.integers(max(0, n - 4), n, size=1 + two).tolist()))
        values = (0.6 * rng.normal(size=3)).tolist()
        wrt = rng.permutation(3 + count).tolist()
        expected = [push(made, values, i) for i in wrt]
        same(run(made, values, wrt), expected, f"{made}, for the nodes {wrt}", rtol=1e-7, atol=1e-9)
    for _ in range(4):
        values = rng.normal(size=3).tolist()
        expected = [push(neuron, values, i) for i in (1, 0, 1, 3)]
        same(run(neuron, values, [1, 0, 1, 3]), expected, "do/dx, do/dw, do/dx again, do/d(wx)")
    ### END HIDDEN TESTS


# %% tests="neuron" behaviour="again" points=3
@autograder.test
def _(rng):
    "`gradient` of a gradient: second, mixed and third derivatives from the same function."

    @beside
    def run(values, ways):
        names = "w", "x", "b"
        at = {name: placeholder(name) for name in names}
        o = tanh(at["w"] * at["x"] + at["b"])
        found = []
        for way in ways:
            symbol = o
            for name in way:
                symbol = gradient(symbol, [at[name]])[0]
            feeds = dict(zip(names, values, strict=True))
            found.append(float(evaluate(symbol, feeds)))
        return found

    # at w x + b = 0: tanh' = 1, tanh'' = 0, tanh''' = -2
    found = run([2.0, 3.0, -6.0], ["xx", "wx", "bbb"])
    same(found, [0.0, 1.0, -2.0], "d²o/dx², d²o/dw dx, d³o/db³ at w, x, b = 2, 3, −6")
    ### BEGIN HIDDEN TESTS

    def slopes(values):
        w, x, b = values
        t = math.tanh(w * x + b)
        d1 = 1 - t * t
        d2 = -2 * t * d1
        d3 = -2 * d1 * d1 - 2 * t * d2
        return {
            "x": w * d1, "xx": w * w * d2, "xxx": w**3 * d3, "ww": x * x * d2, "bb": d2, "bbb": d3,
            "wx": d1 + w * x * d2, "xw": d1 + w * x * d2, "xb": w * d2, "bx": w * d2,
            "wwx": 2 * x * d2 + w * x * x * d3, "xww": 2 * x * d2 + w * x * x * d3, "wbb": x * d3,
        }  # fmt: skip

    for scale in (0.3, 1.0, 1.0, 1.5):
        values = (scale * rng.normal(size=3)).tolist()
        expected = slopes(values)
        what = f"derivatives {list(expected)} at w, x, b = {values}"
        same(run(values, list(expected)), list(expected.values()), what, rtol=1e-7, atol=1e-9)

    @beside
    def cube(value):
        x = placeholder("x")
        symbol, found = x * x * x + 5 * x * x, []
        for _ in range(4):
            symbol = gradient(symbol, [x])[0]
            found.append(float(evaluate(symbol, {"x": value})))
        return found

    x = float(rng.normal())
    expected = [3 * x * x + 10 * x, 6 * x + 10, 6.0, 0.0]
    same(cube(x), expected, "four derivatives of x³ + 5x²", atol=1e-9)
    ### END HIDDEN TESTS


# %% tests="neuron" behaviour="builds_only" points=2
@autograder.test
def _(rng):
    "`gradient` computes nothing, changes no symbol, and shares: at most 12 new nodes for each old."

    @beside
    def small(number):
        x = placeholder("x")
        output, kept = tanh(x * x), dict(FORWARD)
        before = [dict(vars(node)) for node in (x, *output.parents, output)]
        FORWARD.clear()  # whoever computes now gets a KeyError
        try:
            found = gradient(output, [x])[0]
        finally:
            FORWARD.update(kept)
        whole = before == [vars(node) for node in (x, *output.parents, output)]
        return isinstance(found, Symbol), whole, float(evaluate(found, {"x": number}))

    what = "a symbol came back, the old symbols are as before, d tanh(x²)/dx"
    same(small(0.0), (True, True, 0.0), what + " at 0")
    same(small(0.5), (True, True, 1 / math.cosh(0.25) ** 2), what + " at 0.5")
    ### BEGIN HIDDEN TESTS

    @beside
    def run(diamonds, chain, number):
        def gather(node):
            found, todo = {}, [node]
            while todo:
                node = todo.pop()
                if id(node) not in found:
                    found[id(node)] = node
                    todo.extend(node.parents)
            return found

        x = node = placeholder("x")
        for _ in range(diamonds):
            node = tanh(node) * (node + node)
        for _ in range(chain):
            node = tanh(node)
        old, kept, calls = gather(node), dict(FORWARD), []
        before = [dict(vars(n)) for n in old.values()]
        for op in kept:
            FORWARD[op] = lambda *a, f=kept[op]: (calls.append(1), f(*a))[1]
        try:
            found = gradient(node, [x])[0]
        finally:
            FORWARD.update(kept)
        whole = before == [vars(n) for n in old.values()]
        new, slope = len(gather(found).keys() - old.keys()), float(evaluate(found, {"x": number}))
        return isinstance(found, Symbol), len(calls), whole, new, slope

    def check(diamonds, chain, number):
        *facts, new, slope = run(diamonds, chain, number)
        what = "a symbol comes back, functions of FORWARD called, old symbols as before"
        same(facts, [True, 0, True], what)
        at, count = number + 1e-40j, 1 + 3 * diamonds + chain
        for _ in range(diamonds):
            at = np.tanh(at) * (at + at)
        for _ in range(chain):
            at = np.tanh(at)
        same(slope, float(at.imag / 1e-40), "the derivative, evaluated", rtol=1e-6, atol=1e-9)
        at_most(new, 12 * count, f"new nodes for the gradient of {count} nodes")

    for diamonds, chain in ((1, 1), (0, 1), (2, 0), (5, 5), (60, 0), (3, 300), (20, 20)):
        check(diamonds, chain, float(rng.uniform(0.3, 0.6)))
    ### END HIDDEN TESTS


# %% [markdown]
# The derivative as a formula, and its values; then the second derivative, from the same function:

# %%
slope = gradient(neuron, [x])[0]
curvature = gradient(slope, [x])[0]
feeds = {"w": 0.5, "x": 2.0, "b": -0.4}
print("do/dx  =", formula(slope), "=", evaluate(slope, feeds))
print("d²o/dx² =", evaluate(curvature, feeds), "with", len(topological_order(curvature)), "nodes")
print(formula(curvature)[:80], "...")

o = np.tanh(0.5 * 2.0 - 0.4)
print("by hand:  ", 0.5 * (1 - o**2), -2 * 0.25 * o * (1 - o**2))

# %% [markdown]
# Look at the formulas. `1·(1 + -1·(...·...))`: a product with 1, and in the second derivative whole
# pieces that a person would cancel. Nobody tidied up. A static graph can be tidied up *before* it
# runs, by a program that looks for `1·a`. That is an optimizing compiler, and lesson 13 has one.
# The formula written out grows much faster than the graph: it repeats what the graph shares. That
# is the old complaint about symbolic differentiation, "expression swell", and the graph is the
# answer to it.

# %% [markdown] prompt="a_switch"
# ### Question: a switch in the neuron
#
# Somebody wants o = tanh(t) where t = w · x + b is positive, and o = 0.1 · t elsewhere. In the
# dynamic construction that is an `if` of Python. Say which operations stand in the graph after a
# pass in which t was −1. Why can the same `if` not be used when the graph is built from
# placeholders, and what must the static graph contain instead? Name one thing that each of the two
# gains.

# %% [markdown] written="a_switch" points=2
# ### BEGIN SOLUTION
# After a pass with t = −1 the dynamic graph holds multiply, add, and the multiplication by 0.1; the
# tanh was never reached, and no node of it exists. Next time, with t = 2, another graph is made.
# With placeholders t has no number while the graph is built, so `if t > 0` has nothing to decide
# by: Python would take one branch once and for all (or raise an error). The static graph needs both
# branches and a node that chooses when it is evaluated, such as `where` or a conditional operation,
# with a rule that sends the gradient to the branch that was chosen. Dynamic gains plain Python
# (loops, debugger, different graphs for different inputs). Static gains a whole that is known
# beforehand: it can be simplified and planned once, saved, and run without the code that built it.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# * 1 point: the dynamic graph has only the branch that ran (no tanh); at build time a placeholder
#   has no value to decide by, so both branches and a choosing node are needed. Half for one of the
#   two.
# * 1 point: a gain for each: Python's own control flow or a simpler search for errors, against
#   optimizing, saving or running without Python.
# ### END MARK SCHEME

# %% [markdown]
# ## What it bought, what it cost
#
# | | by hand, lesson 01 | a graph |
# |---|---|---|
# | lines for a new loss | its own, and check all others | one node |
# | derivative rules | one for each line of each program | one for each kind of operation, ever |
# | memory | what you chose to cache | every value, until the way back has passed |
# | who can get it wrong | you, each time | whoever wrote the rule, once |
# | multiplications | the same | the same |
#
# What it cost, then, is memory, and that a program must be told which operations happened. Python
# does not say. Either the program builds the graph on purpose, as here, or the operations are
# caught while they run. That is the next lesson.

# %% [markdown]
# ## What history did with it
#
# * **The graph.** Bauer, [Computational graphs and rounding
#   error](https://doi.org/10.1137/0711010) (1974), drew computations as graphs, to follow how
#   rounding errors travel along their edges.
# * **The forward sweep** as a program: Wengert, [A simple automatic derivative evaluation
#   program](https://doi.org/10.1145/355586.364791) (1964), two pages. Its list of elementary
#   operations is still called a Wengert list.
# * **The backward sweep**: Linnainmaa's master's thesis (Helsinki, 1970), printed as [Taylor
#   expansion of the accumulated rounding error](https://doi.org/10.1007/BF01931367) (1976): again
#   for rounding errors. Speelpenning's thesis (Illinois, 1980) made a compiler of it.
# * **Its price**: Baur and Strassen, [The complexity of partial
#   derivatives](https://doi.org/10.1016/0304-3975(83)90110-X) (1983): all partial derivatives
#   together cost at most a fixed small multiple of the function itself, however many there are.
# * **In neural nets**: Rumelhart, Hinton and Williams, [Learning representations by
#   back-propagating errors](https://doi.org/10.1038/323533a0) (1986).
# * **The order**: Kahn, [Topological sorting of large
#   networks](https://doi.org/10.1145/368996.369025) (1962), for project plans.
# * **Symbols**: Theano (2010) differentiated graphs of symbols, as you did in exercise 7, and
#   simplified what came out; TensorFlow 1 (2015) had the same `tf.gradients(output, wrt)`.
#
# For rounding errors, for compilers, for project plans: almost none of it was made for neural nets.

# %% [markdown]
# ## Now in PyTorch and TensorFlow
#
# Not graded. PyTorch keeps the graph behind `grad_fn`: a node of the *backward* graph, named after
# the operation, with `next_functions` for its edges, the parents. Walked with your eyes, it is the
# figure of the beginning; `AccumulateGrad` is an input.

# %%
HOW = "is not installed here. `make lab`, without LIGHT=1, adds it; all the rest works without."
try:
    import torch
except ImportError:
    torch = None
    print("PyTorch", HOW)

if torch:
    x_t, y_t, z_t, w_t = (torch.tensor(v, requires_grad=True) for v in figure.values())
    s_t = x_t + y_t
    last = s_t * z_t * torch.maximum(y_t, w_t) + s_t
    todo, seen = [(last.grad_fn, 0)], set()
    while todo:
        node, depth = todo.pop()
        print("  " * depth + node.name().split("::")[-1], "(again)" * (node in seen))
        if node not in seen:
            seen.add(node)
            todo += [(parent, depth + 1) for parent, _ in reversed(node.next_functions) if parent]
    last.backward()
    print({name: t.grad.item() for name, t in zip("xyzw", (x_t, y_t, z_t, w_t), strict=True)})

# %% [markdown]
# `AddBackward0` appears again, and so does y: used twice. The gradients are those of your pencil.
#
# Then the neuron. `torch.autograd.grad(..., create_graph=True)` returns a gradient that has a graph
# itself, so that it can be differentiated again. TensorFlow does it with a tape around a tape.

# %%
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
try:
    import tensorflow as tf
except ImportError:
    tf = None
    print("TensorFlow", HOW)

print("yours     ", evaluate(slope, feeds), evaluate(curvature, feeds))
if torch:
    x_t = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
    (first,) = torch.autograd.grad(torch.tanh(0.5 * x_t - 0.4), x_t, create_graph=True)
    (second,) = torch.autograd.grad(first, x_t)
    print("PyTorch   ", first.item(), second.item())
if tf:
    x_t = tf.Variable(2.0, dtype=tf.float64)
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            o_t = tf.tanh(0.5 * x_t - 0.4)
        first = inner.gradient(o_t, x_t)
    print("TensorFlow", first.numpy(), outer.gradient(first, x_t).numpy())

# %% [markdown]
# And the static construction is still there in both. `tf.function` runs your Python once, with
# symbols for arguments, and keeps the graph:

# %%
if tf:

    @tf.function(autograph=False)
    def neuron_tf(w, x, b):
        return tf.tanh(w * x + b)

    number = tf.TensorSpec((), tf.float64)
    graph = neuron_tf.get_concrete_function(number, number, number).graph
    for op in graph.get_operations():
        print(f"{op.type:12} made of {[str(i.op.name) for i in op.inputs]}")

# %% [markdown]
# Placeholders, nodes, edges: you know them all by now. In lesson 04 you build the other one, the
# graph that grows while you compute.
