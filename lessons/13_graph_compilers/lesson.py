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
#     title: Graph compilers
#     minutes: 220
#     needs: [static_graphs]
#     covers:
#       the framework can optimize the graph before it runs: fuse
#       TorchScript: "TorchScript: `torch.jit.script`"
#       torch.jit.script: "TorchScript: `torch.jit.script`"
#       "@tf.function": "`@tf.function` and Grappler"
#       optimization too costly to repeat each iteration: jit
#       static graphs hard to debug: locate
# ---

# %% [markdown]
# # What a static graph buys
#
# Here is a function, and the list of what it does, one operation in a line.

# %% given="setup"
import numpy as np

import autograder

STEPS = [
    ("x", "input", (), {"shape": (1000,)}),
    ("two", "constant", (), {"value": np.array(2.0)}),
    ("half", "constant", (), {"value": np.array(0.5)}),
    ("one", "multiply", ("two", "half"), {}),  # 2 · 0.5
    ("a", "multiply", ("x", "one"), {}),  # x · 1
    ("b", "tanh", ("a",), {}),
    ("c", "tanh", ("x",), {}),
    ("d", "add", ("b", "c"), {}),
    ("e", "exp", ("d",), {}),  # for whom?
    ("f", "negative", ("d",), {}),
]
FETCHES = ["f"]

# %% [markdown]
# Seven operations. Read them once and you see that one would do: −2 tanh(x). `one` is 1, whatever x
# is. So `a` is x, so `b` and `c` are the same, and nobody asked for `e`. What is left, a tanh, a
# sum and a sign, can be done in one walk over the memory.
#
# Python cannot do this for you. It runs a line before it has seen the next one. An *eager*
# framework cannot either: when it computes `c` it has forgotten `b`, and it must compute `e`,
# for somebody may ask. A *static graph* is known as a whole before the first number is there. So a
# program can read it and write a better one. That program is a **graph compiler**, and each of the
# things that it does is a **pass**: a program goes in, a program comes out, with the same meaning
# and less to do.
#
# ```
# fold        what depends on constants alone is computed now      one = 1
# simplify    patterns: x · 1 → x, and more                        a is x
# share       equal things are computed once                       b is c
# prune       what nobody asks for is dropped                      e is gone
# fuse        elementwise steps become one kernel                  tanh, add, negative: one
# plan        values that are dead give their memory away
# ```
#
# Two sittings. In the first (exercises 1 to 5, an hour and a half) programs get smaller; in the
# second they get fused, planned, traced and debugged.
#
# You write these six, then a `jit` that takes a Python function apart, and the thing that each
# compiler owes its user: after all this, an error that still names the line it came from.
#
# Speed is measured with a clock, and clocks vary. Here nothing is judged by the clock. You count:
# **steps**; **kernels**, the steps that compute; **bytes** that kernels read and write; **peak
# memory**. On an accelerator each kernel is launched and each byte moved (lesson 11), so these are
# what the clock sees in the end.

# %% [markdown]
# ## A program is a list
#
# In lesson 12 a graph was made of objects. Here it is plain data, as above: a list of **steps**,
# and a list of **fetches**, the names of the values that are wanted. A step is a tuple
# `(name, op, args, attrs)`:
#
# * `name`: a string; each step has its own. The values are known under these names.
# * `op`: what is computed, an entry of `OPS` below, or one of the ops that have no arguments:
#   `"input"` (its value is fed, under its name) and `"constant"`.
# * `args`: a tuple with the names of what it is computed from. These steps come before it.
# * `attrs`: a dictionary with what else the op needs: `{"shape": ...}` for an input and for
#   `expand`, `{"value": array}` for a constant, `axis` and `keepdims` for a sum. Otherwise empty.
#
# All values are arrays of float64, so a value takes 8 bytes for each element. Comparisons give 1.0
# and 0.0.

# %% given="language"
OPS = {
    "add": np.add, "subtract": np.subtract, "multiply": np.multiply, "divide": np.divide,
    "power": np.power, "maximum": np.maximum, "minimum": np.minimum, "negative": np.negative,
    "absolute": np.absolute, "exp": np.exp, "sqrt": np.sqrt, "tanh": np.tanh,
    "greater": lambda x, y: (x > y).astype(float), "equal": lambda x, y: (x == y).astype(float),
    "matmul": np.matmul, "transpose": np.transpose, "sum": np.sum,
    "expand": lambda x, shape: np.array(np.broadcast_to(x, shape)),
}  # fmt: skip
EACH = set(OPS) - {"matmul", "transpose", "sum", "expand"}  # these work element by element
EFFECTS = {"random", "print"}  # these do more than give a value


def compute(op, arrays, attrs):
    """Return the value of one operation of OPS, without warnings about 1/0 and the like."""
    with np.errstate(all="ignore"):
        arrays = [np.asarray(array) for array in arrays]
        return np.asarray(OPS[op](*arrays, **attrs), dtype=float)


# %% [markdown]
# Two more ops do something besides: `"random"` (attrs: `shape`) takes the next numbers of a random
# generator, and `"print"` (attrs: `label`) prints its one argument and passes it on. They are
# `EFFECTS`. If one of them ran twice, or not at all, or in another order, one would notice, so a
# compiler lets them be. Here is what a program *means*:

# %% given="run"


def run(steps, fetches, feeds, seed=0):
    """Compute all steps, first to last; return the values of the fetches."""
    generator, values = np.random.default_rng(seed), {}
    for name, op, args, attrs in steps:
        if op == "input":
            values[name] = np.asarray(feeds[name], dtype=float)
        elif op == "constant":
            values[name] = attrs["value"]
        elif op == "random":
            values[name] = np.asarray(generator.normal(size=attrs["shape"]))
        elif op == "print":
            values[name] = values[args[0]]
            print(attrs["label"], values[name])
        else:
            values[name] = compute(op, [values[a] for a in args], attrs)
    return [values[name] for name in fetches]


def kernels(steps):
    """Return how many steps compute something."""
    return sum(op not in ("input", "constant") for _, op, _, _ in steps)


# %%
x = np.linspace(-1, 1, 1000)
print(run(STEPS, FETCHES, {"x": x})[0][:3], "with", kernels(STEPS), "kernels")
print((-2 * np.tanh(x))[:3])

# %% [markdown]
# **How you are graded.** A pass is a function `(steps, fetches)` → `(steps, fetches)`. The checks
# make programs by chance: with broadcasting, 0-d values, equal steps, constants such as −0.0 and
# NaN, dead branches, effects, several fetches, fetches that are inputs or constants, none at all.
# They run each program before and after your pass, themselves. Every fetched value must be the same
# *bit by bit*, also the sign of a zero (but one NaN is as good as another), and so must what is
# drawn and printed, in order. Then they count. Each pass is judged on its own: if one of them does
# not work yet, the others lose nothing.
#
# In all of them, inputs keep their names, for they are fed by name. Other values may be renamed,
# as long as each name stands before it is used. The lists that you are given are not changed, nor
# the tuples and dictionaries in them: you return new lists. (Constants may keep their arrays.)
# Programs with 10,000 steps in a row are no problem: no recursion along the graph, and no work that
# grows with the square of the length.

# %% [markdown]
# ## Now instead of later
#
# The first pass runs a part of the program while it is compiled.

# %% [markdown] prompt="fold"
# ### Exercise 1: constant folding
#
# Write `fold(steps, fetches)`. A step whose op is in `OPS` and whose args are all constants becomes
# a constant itself, `(name, "constant", (), {"value": array})`, with the value that `compute`
# gives; a step that takes *this* one may then fold too. All other steps stay as they are: inputs,
# constants, effects, and ops that you do not know. Nothing is dropped, that is another pass.
#
# A step that cannot be computed, as a matmul whose shapes do not fit, stays too, whatever its error
# is: that belongs to the run. Perhaps nobody ever runs it.

# %% [markdown] hint="fold"
# One walk from first to last is enough, because a step's arguments come before it.

# %% [markdown] hint="fold"
# ```
# step                       known so far
# x    input                 {}
# two  constant 2.0          {two: 2.0}
# half constant 0.5          {two: 2.0, half: 0.5}
# one  multiply(two, half)   {two: 2.0, half: 0.5, one: 1.0}     becomes a constant
# a    multiply(x, one)      x is not known: stays
# ```

# %% [markdown] hint="fold"
# ```python
# constants = {}                            # name -> array
# for name, op, args, attrs in steps:
#     if op in OPS and ...:                 # all its args are constants
#         try: ...
#         except Exception: ...             # let it stay
#     ...                                   # is it a constant now? then remember its value
# ```


# %% exercise="fold" minutes=12 difficulty=1 importance=4 allow="numpy"
def fold(steps, fetches):
    """Return the program with everything computed that depends on constants alone."""
    ### BEGIN SOLUTION
    known, out = {}, []
    for step in steps:
        name, op, args, attrs = step
        if op in OPS and all(a in known for a in args):
            try:
                value = compute(op, [known[a] for a in args], attrs)
                step = (name, "constant", (), {"value": value})
            except Exception:
                pass  # its error belongs to the run
        if step[1] == "constant":
            known[name] = step[3]["value"]
        out.append(step)
    return out, list(fetches)
    ### END SOLUTION


# %% tests="fold" behaviour="meaning" points=3
@autograder.test
def _(rng):
    "The program means what it meant, bit by bit, and what you were given is unchanged."
    from chainrule.program.chance import draw
    from chainrule.program.lists import attempt

    @beside
    def run(steps, fetches):
        from copy import deepcopy

        before = deepcopy((steps, fetches))
        return fold(steps, fetches), repr(before) == repr((steps, fetches))

    def judge(steps, fetches, feeds):
        got, kept = run(steps, fetches)
        found = attempt(got, steps, fetches, feeds)
        require(found["flaw"] == "", found["flaw"])
        same(kept, True, "are the lists that you were given as they were")
        return found

    three = ("three", "constant", (), {"value": np.array([3.0, -0.0])})
    steps = [three, ("x", "input", (), {"shape": (2,)}), ("y", "divide", ("x", "three"), {})]
    steps += [("z", "sum", ("three",), {"axis": 0}), ("w", "multiply", ("z", "y"), {})]
    found = judge(steps, ["w", "z"], {"x": np.array([1.0, 2.0])})
    same(found["kernels"], 2, "kernels of y = x / three, z = sum(three), w = z * y after folding")
    ### BEGIN HIDDEN TESTS
    folded = 0
    for size in (0, 3, 8, 30, 30, 60, 60, 120):
        steps, fetches, feeds = draw(rng, size)
        count = sum(op != "input" and op != "constant" for _, op, _, _ in steps)
        folded += count - judge(steps, fetches, feeds)["kernels"]
    require(folded >= 3, "nothing was folded in eight programs with many constants")
    for shape in ((2, 3), (2, 3), (4, 1)):  # the same names, other numbers
        steps = [
            ("c", "constant", (), {"value": rng.normal(size=shape)}),
            ("t", "transpose", ("c",), {}),
        ]
        steps += [
            ("s", "sum", ("c",), {"axis": 1, "keepdims": True}),
            ("m", "matmul", ("c", "t"), {}),
        ]
        steps += [("e", "expand", ("s",), {"shape": shape}), ("f", "sum", ("e",), {"axis": 0})]
        steps += [("p", "print", ("f",), {"label": "f"}), ("q", "tanh", ("p",), {})]
        judge(steps, [step[0] for step in steps], {})
    ### END HIDDEN TESTS


# %% tests="fold" behaviour="everything" points=3
@autograder.test
def _(rng):
    "All that depends on constants alone is folded, and nothing else, also 10,000 steps in a row."
    from chainrule.program.chance import draw
    from chainrule.program.lists import OPS, attempt

    def judge(program, left):
        got = call(fold, *program[:2])
        found = attempt(got, *program)
        require(found["flaw"] == "", found["flaw"])
        same(found["kernels"], left, "kernels that are left")
        same(found["steps"], len(program[0]), "steps that are left, with constants and inputs")
        values = [step[3]["value"] for step in got[0] if step[1] == "constant"]
        arrays = all(isinstance(value, np.ndarray) for value in values)
        require(arrays, "the value of a constant is an array, also one of shape ()")

    c = ("c", "constant", (), {"value": np.array([[2.0]])})
    steps = [c, ("d", "transpose", ("c",), {}), ("e", "exp", ("d",), {})]
    steps += [("f", "print", ("e",), {"label": "f"}), ("g", "add", ("f", "d"), {})]
    judge((steps, ["g"], {}), 2)

    ### BEGIN HIDDEN TESTS
    def left(steps, *_):
        known, kernels = set(), 0
        for name, op, args, _ in steps:
            if op == "constant" or (op in OPS and known.issuperset(args)):
                known.add(name)
            else:
                kernels += op != "input"
        return kernels

    for size in (5, 20, 40, 80, 80):
        program = draw(rng, size)
        judge(program, left(*program))
    for first in (c, ("c", "input", (), {"shape": (1, 1)})):
        names = ["c", *(f"n{i}" for i in range(10_000))]
        chain = [(names[i + 1], "tanh", (names[i],), {}) for i in range(len(names) - 1)]
        program = [first, *chain], [names[-1]], {"c": np.array([[0.5]])}
        judge(program, left(*program))
    large = [("c", "constant", (), {"value": rng.normal(size=(60, 50))}), ("s", "sum", ("c",), {}),
             ("e", "exp", ("c",), {}), ("q", "add", ("e", "s"), {})]  # fmt: skip
    judge((large, ["q"], {}), 0)
    zero = [("c", "constant", (), {"value": np.array([0.0, -0.0, 1.0])})]
    zero += [("d", "divide", ("c", "c"), {}), ("p", "power", ("c", "d"), {})]
    zero += [("i", "divide", ("p", "c"), {}), ("k", "greater", ("i", "c"), {})]
    judge((zero, ["d", "i", "k"], {}), 0)
    ### END HIDDEN TESTS


# %% tests="fold" behaviour="errors_wait" points=1
@autograder.test
def _(rng):
    "A step that cannot be computed stays, with all that depends on it; the others fold."

    def judge(a, b, c):
        values = {"a": a, "b": b, "c": c}
        steps = [(name, "constant", (), {"value": value}) for name, value in values.items()]
        wrong = [("m", "matmul", ("a", "b"), {}), ("t", "tanh", ("m",), {})]
        late = ("s", "add", ("c", "c"), {})
        folded = ("s", "constant", (), {"value": np.asarray(c + c)})
        got = call(fold, [*steps, *wrong, late], ["s"])
        same(got, ([*steps, *wrong, folded], ["s"]), "the program")

    judge(np.ones((2, 3)), np.ones((2, 3)), np.array(1.5))
    ### BEGIN HIDDEN TESTS
    for n in (1, 2, 5):
        judge(rng.normal(size=(n, n + 1)), rng.normal(size=(n, n)), rng.normal(size=(n, 2)))
    c = ("c", "constant", (), {"value": np.array([1.0, 2.0])})
    stay = [("m", "sum", ("c",), {"axis": 0.5}), ("u", "mystery", ("c",), {}),
            ("t", "add", ("m", "u"), {})]  # fmt: skip
    folded = ("s", "constant", (), {"value": np.array(3.0)})
    got = call(fold, [c, *stay, ("s", "sum", ("c",), {})], ["t"])
    same(got, ([c, *stay, folded], ["t"]), "a program with a TypeError and an op that is not known")
    ### END HIDDEN TESTS


# %%
try:
    steps, fetches = fold(STEPS, FETCHES)
    print(kernels(STEPS), "kernels, after folding", kernels(steps), "\n", steps[3])
except Exception as error:
    print("not yet:", error)

# %% [markdown]
# One kernel less, and now `a` is x times a constant that is 1. This is typical: passes are small,
# and each makes work for the next.
#
# ## Patterns as data
#
# Compilers know hundreds of identities such as x · 1 = x. Nobody writes a hundred `if`s. One
# writes a *table*, and one program that applies any table. tinygrad does nearly all that it does
# in this way; XLA's `AlgebraicSimplifier` and TensorFlow's Grappler are longer forms of the same.
#
# A rule is a pair, left and right. Each side is a **pattern**:
#
# * a string such as `"x"` stands for any value; the same string twice for the same value twice,
#   which means the same *name* of a step;
# * a float stands for a constant that is full of this number, whatever its shape is;
# * a tuple `(op, pattern, ...)` stands for a step with this op whose args match the patterns and
#   whose attrs are empty.

# %% given="rules"
RULES = [
    (("multiply", "x", 1.0), "x"),
    (("multiply", 1.0, "x"), "x"),
    (("divide", "x", 1.0), "x"),
    (("power", "x", 1.0), "x"),
    (("subtract", "x", 0.0), "x"),
    (("add", "x", -0.0), "x"),
    (("negative", ("negative", "x")), "x"),
    (("transpose", ("transpose", "x")), "x"),
    (("subtract", "x", ("negative", "y")), ("add", "x", "y")),
    (("add", "x", ("negative", "y")), ("subtract", "x", "y")),
    (("maximum", "x", "x"), "x"),
    (("divide", "x", 2.0), ("multiply", "x", 0.5)),
    (("greater", "x", "x"), 0.0),
]

# %% [markdown]
# x + 0 is *not* x where x has shape (3,) and the 0 has shape (2, 3): broadcasting makes the sum
# larger. So a rule applies only where the shape stays what it was, and a pass must know shapes.


# %% given="shapes"
def shape_of(op, shapes, attrs):
    """Return the shape of a step's value from the shapes of its args; ValueError if none fits."""
    if op == "constant":
        return np.shape(attrs["value"])
    if "shape" in attrs:
        return tuple(attrs["shape"])
    if op == "transpose":
        return shapes[0][::-1]
    if op == "matmul":
        (n, k), (other, m) = shapes
        if k != other:
            raise ValueError(f"matmul of {shapes[0]} and {shapes[1]}")
        return n, m
    if op == "sum":
        axis, rank = attrs.get("axis"), len(shapes[0])
        gone = range(rank) if axis is None else [axis % rank]
        one = (1,) if attrs.get("keepdims") else ()
        return sum((one if i in gone else (n,) for i, n in enumerate(shapes[0])), ())
    return np.broadcast_shapes(*shapes)


# %% [markdown] prompt="simplify"
# ### Exercise 2: a pattern table
#
# Write `simplify(steps, fetches, rules)`. It applies the rules, in the order of the table, until at
# no step that is still needed any rule can be applied. When a rule applies to a step, everything
# that used this step, fetches included, uses what the right side stands for:
#
# * a string: the value that it stands for on the left; nothing is computed;
# * a float: a new constant full of this number, in the shape of the step;
# * a tuple: new steps, with empty attrs. Inside it a float is a constant of shape `()`.
#
# Three conditions:
#
# * *A float matches bit by bit.* 0.0 does not match −0.0, for there are rules that hold for one of
#   them only; `np.signbit` sees the difference. A constant with different numbers in it matches no
#   float.
# * *The shape stays.* The rule is not applied where the right side has another shape than the step,
#   or where its shapes do not fit together. Then a later rule of the table may apply.
# * *What was matched on the way stays.* In −(−x) → x the inner step may have other users, or be
#   fetched. Steps that nobody needs any more may be left in the list; `prune` will come.
#
# The left side is always a tuple. No rule matches effects. New steps need names that are new. The
# tables of the checks are not only `RULES`; they come to an end, but some rules in them are no
# identities, so that one sees whether they were applied.

# %% [markdown] hint="simplify"
# Build a new list of steps, first to last, and remember for each old name the new one. A step is
# matched when its args are already simplified. What a rule makes is a step again, and may match.

# %% [markdown] hint="simplify"
# ```
# pattern ("subtract", "x", ("negative", "y"))        at the step e = subtract(a, d)
#
# "subtract" is the op of e                 go on with the args
# "x"                at a                   bound: {x: a}
# ("negative", "y")  at d = negative(b)     go on with its arg
# "y"                at b                   bound: {x: a, y: b}     the pattern matches
#
# right ("add", "x", "y")    add(a, b), in place of e
# ```

# %% [markdown] hint="simplify"
# ```python
# def match(pattern, name, made, bound):        # made: name -> its step
#     if isinstance(pattern, str):
#         ...                                   # a new binding, or the same as before
#     if isinstance(pattern, float):
#         ...
#     return (same op, as many args, no attrs) and all(match(...) for each arg)
#
# def build(right, bound, ...):                 # the name of what the right side stands for
#     ...
# ```
# A list `out`, a dictionary of steps and one of shapes grow together; one function that appends a
# step to all three is a good start.


# %% exercise="simplify" minutes=35 difficulty=4 importance=5 allow="numpy"
def simplify(steps, fetches, rules):
    """Return the program with the rules (left, right) applied wherever they can be."""
    ### BEGIN SOLUTION
    made, shapes, out, new = {}, {}, [], {}
    taken = {step[0] for step in steps}

    def emit(step):
        name, op, args, attrs = step
        shapes[name] = shape_of(op, [shapes[a] for a in args], attrs)
        made[name] = step
        out.append(step)
        return name

    def fresh():
        name = f"new{len(out)}"
        while name in taken:
            name += "_"
        taken.add(name)
        return name

    def match(pattern, name, bound):
        if isinstance(pattern, str):
            return bound.setdefault(pattern, name) == name
        _, op, args, attrs = made[name]
        if isinstance(pattern, tuple):
            fits = op == pattern[0] and len(args) == len(pattern) - 1 and not attrs
            return fits and all(match(p, a, bound) for p, a in zip(pattern[1:], args, strict=True))
        if op != "constant":
            return False
        full = np.signbit(attrs["value"]) == np.signbit(pattern)
        return bool(np.all((attrs["value"] == pattern) & full))

    def shape_on(right, bound):
        if isinstance(right, str):
            return shapes[bound[right]]
        if not isinstance(right, tuple):
            return ()
        inner = [shape_on(r, bound) for r in right[1:]]
        try:
            return None if None in inner else shape_of(right[0], inner, {})
        except ValueError:
            return None  # these shapes do not fit together

    def build(right, bound, shape=()):
        if isinstance(right, str):
            return bound[right]
        if isinstance(right, tuple):
            args = tuple(build(r, bound) for r in right[1:])
            return best(emit((fresh(), right[0], args, {})))
        return emit((fresh(), "constant", (), {"value": np.full(shape, float(right))}))

    def best(name):
        for left, right in rules:
            bound = {}
            if match(left, name, bound):
                number = not isinstance(right, str | tuple)
                if number or shape_on(right, bound) == shapes[name]:
                    return build(right, bound, shapes[name])
        return name

    for name, op, args, attrs in steps:
        new[name] = best(emit((name, op, tuple(new[a] for a in args), attrs)))
    return out, [new[name] for name in fetches]
    ### END SOLUTION


# %% tests="simplify" behaviour="table" points=4
@autograder.test
def _(rng):
    "Any table's rules are applied until none can be; meaning, and what you were given, stay."
    from chainrule.program.chance import draw, remaining
    from chainrule.program.lists import attempt, needed, outcome

    def judge(steps, fetches, feeds, rules):
        got = call(simplify, steps, fetches, rules)
        found = attempt(got, steps, fetches, feeds)
        require(found["flaw"] == "", found["flaw"])
        words = remaining(*got, rules)
        require(words == "", words)
        before, after = (needed(*program) for program in ((steps, fetches), got))
        counts = [outcome((some, []), feeds)["kernels"] for some in (before, after)]
        at_most(counts[1], counts[0], "kernels that are needed after the pass")

    x, one = ("x", "input", (), {"shape": (2,)}), ("one", "constant", (), {"value": np.ones(2)})
    steps = [x, one, ("a", "multiply", ("x", "one"), {}), ("b", "negative", ("a",), {})]
    steps += [("c", "negative", ("b",), {}), ("d", "divide", ("c", "one"), {})]
    rules = [(("multiply", "v", 1.0), "v"), (("divide", "v", 1.0), "v")]
    twice = (("negative", ("negative", "v")), "v")
    judge(steps, ["d", "b", "a"], {"x": np.array([1.0, -0.0])}, [*rules, twice])
    ### BEGIN HIDDEN TESTS
    tables = [
        [
            (("multiply", "p", 1.0), "p"), (("add", -0.0, "p"), "p"), (("add", "p", -0.0), "p"),
            (("subtract", "p", 0.0), "p"), (("negative", ("negative", "p")), "p"),
            (("multiply", "p", -1.0), ("negative", "p")), (("greater", "p", "p"), 0.0),
        ],
        [
            (("absolute", ("negative", "a")), ("absolute", "a")), (("minimum", "q", "q"), "q"),
            (("absolute", ("absolute", "a")), ("absolute", "a")), (("power", "a", 0.0), 1.0),
            (("subtract", "a", ("negative", "b")), ("add", "a", "b")),
            (("add", "a", ("negative", "b")), ("subtract", "a", "b")),
            (("multiply", ("negative", "a"), ("negative", "b")), ("multiply", "a", "b")),
        ],
        [
            (("transpose", ("transpose", "m")), "m"), (("multiply", "x", 1.0), "x"),
            (("add", "x", "x"), ("multiply", "x", 2.0)),
            (("divide", "x", 2.0), ("multiply", "x", 0.5)),
            (("negative", ("multiply", "x", 2.0)), ("multiply", "x", -2.0)),
            (("negative", ("multiply", "x", -2.0)), ("multiply", "x", 2.0)),
            (("equal", ("absolute", "x"), -1.0), 0.0),
        ],
    ]  # fmt: skip
    for rules in tables:
        for size in (6, 25, 25, 50, 80):
            judge(*draw(rng, size, patterns=[left for left, _ in rules]), rules)
        judge([], [], {}, rules)
    names = ["x", *(f"n{i}" for i in range(10_000))]
    chain = [(names[i + 1], "negative", (names[i],), {}) for i in range(len(names) - 1)]
    judge([x, *chain], names[-2:], {"x": np.array([1.0, -0.0])}, [twice])
    after = [x, ("n", "negative", ("x",), {}), ("c", "constant", (), {"value": np.array(-1.0)})]
    after += [("m", "multiply", ("n", "c"), {}), ("k", "multiply", ("m", "c"), {})]
    judge(after, ["m", "k"], {"x": np.array([1.0, -0.0])}, tables[0])
    for word in ("new", "new_", "n", "t", "v", "tmp", "step", "const", "c", "_", "x_"):
        many = [(f"{word}{i}", "multiply", ("x", "c"), {}) for i in range(40)]
        judge([x, after[2], *many], [step[0] for step in many], {"x": np.ones(2)}, tables[0][-2:])
    changes = [(f"late{i}", "multiply", ("x", "c"), {}) for i in range(20)]
    for place in (0, 20):  # names that were new are given to steps that stay
        stay = [(f"stay{i}", "tanh", ("x",), {}) for i in range(20)]
        for _ in range(2):
            late = [*changes[:place], *stay, *changes[place:]]
            program = [x, after[2], *late], [step[0] for step in late]
            judge(*program, {"x": np.ones(2)}, tables[0][-2:])
            steps, _ = call(simplify, *program, tables[0][-2:])
            used = {"x", "c", *program[1]}
            new = [step[0] for step in steps if step[0] not in used]
            stay = [(name, *step[1:]) for name, step in zip(new, stay, strict=False)]

    @beside
    def kept(steps, fetches, rules):
        from copy import deepcopy

        before = deepcopy((steps, fetches, rules))
        simplify(steps, fetches, rules)
        return repr(before) == repr((steps, fetches, rules))

    for rules in tables:
        steps, fetches, _ = draw(rng, 30, patterns=[left for left, _ in rules])
        same(kept(steps, fetches, rules), True, "are the lists that you were given as they were")
    ### END HIDDEN TESTS


# %% tests="simplify" behaviour="matches" points=3
@autograder.test
def _(rng):
    "Names, numbers with their signs, ops, args and attrs decide whether a pattern matches."
    from chainrule.program.lists import outcome

    def judge(step, rules, expected, c=0.0, more=()):
        u, v = np.array([[[1.0, -2, 3], [4, 5, 6]], [[7, 8, 9], [0.5, 0.25, -3]]])
        steps = [(name, "input", (), {"shape": (2, 3)}) for name in ("u", "v")]
        steps += [("c", "constant", (), {"value": np.array(c)}), ("n", "negative", ("u",), {})]
        got = call(simplify, [*steps, *more, ("out", *step)], ["out", "n"], rules)
        found = outcome(got, {"u": u, "v": v})
        require(found["flaw"] == "", found["flaw"])
        same(
            found["values"], [expected(u, v), -u], f"values of out = {step[0]}{step[1]} and n = -u"
        )

    less = [(("subtract", "p", "p"), 7.0)]  # no identity: so one sees what was done
    judge(("subtract", ("u", "u"), {}), less, lambda u, v: 7 + 0 * u)
    judge(("subtract", ("u", "v"), {}), less, lambda u, v: u - v)
    judge(("subtract", ("u", "c"), {}), [(("subtract", "p", -0.0), "p")], lambda u, v: u)
    ### BEGIN HIDDEN TESTS
    add, plus = ("add", ("u", "c"), {}), lambda u, v: u + 0.0
    for number, c in ((0.0, -0.0), (-0.0, 0.0), (2.0, -2.0), (1.0, np.nan), (0.0, [0.0, 1.0, 0.0])):
        rules = [(("multiply", "p", number), 5.0)]
        judge(("multiply", ("u", "c"), {}), rules, lambda u, v, c=c: u * np.array(c), c)
        judge(("multiply", ("v", "c"), {}), rules, lambda u, v: 5 + 0 * u, np.full(3, number))
    judge(add, [(("add", 0.0, "p"), 5.0)], plus)
    both = [
        (("add", "p", "q"), ("subtract", "p", "q")),
        (("add", "p", "q"), ("multiply", "p", "q")),
    ]
    judge(("add", ("v", "u"), {}), both, lambda u, v: v - u)
    judge(("add", ("v", "u"), {}), both[::-1], lambda u, v: v * u)
    cross = [(("multiply", "p", ("negative", "q")), ("negative", ("multiply", "q", ("tanh", "p"))))]
    judge(("multiply", ("v", "n"), {}), cross, lambda u, v: -(u * np.tanh(v)))
    judge(("multiply", ("n", "v"), {}), cross, lambda u, v: -u * v)
    judge(("multiply", ("n", "n"), {}), cross, lambda u, v: -(u * np.tanh(-u)))
    same_q = [(("multiply", ("negative", "q"), "q"), ("add", "q", 1.0))]
    judge(("multiply", ("n", "u"), {}), same_q, lambda u, v: u + 1)
    judge(("multiply", ("n", "v"), {}), same_q, lambda u, v: -u * v)
    judge(("multiply", ("u", "n"), {}), same_q, lambda u, v: u * -u)
    total = [(("sum", "p"), 3.0)]
    judge(("sum", ("u",), {"axis": 0, "keepdims": False}), total, lambda u, v: u.sum(0))
    judge(("sum", ("u",), {}), total, lambda u, v: np.asarray(3.0))
    minus, s = [(("negative", ("sum", "p")), 3.0)], ("s", "sum", ("u",))
    for attrs, three in (({"axis": 0, "keepdims": False}, False), ({}, True)):
        judge(("negative", ("s",), {}), minus,
              lambda u, v, three=three: np.asarray(3.0 if three else -u.sum(0)),
              more=[(*s, attrs)])  # fmt: skip
    other = [("k", "constant", (), {"value": np.array(0.0)})]  # another name with the same value
    judge(("subtract", ("c", "k"), {}), less, lambda u, v: np.asarray(0.0), more=other)
    deep = [(("sqrt", ("tanh", ("exp", ("absolute", ("negative", "p"))))), "p")]
    more = [("a", "absolute", ("n",), {}), ("e", "exp", ("a",), {}), ("t", "tanh", ("e",), {})]
    judge(("sqrt", ("t",), {}), deep, lambda u, v: u, more=more)
    first = [(("add", "p", ("tanh", "q")), "p"), (("add", "q", "p"), ("subtract", "q", "p"))]
    judge(("add", ("u", "v"), {}), first, lambda u, v: u - v)
    judge(("multiply", ("v", "n"), {}), [*cross, (("tanh", "p"), ("exp", "p"))],
          lambda u, v: -(u * np.exp(v)))  # fmt: skip
    inside = [(("subtract", "p", "q"), ("add", "p", ("multiply", "q", 1.0))),
              (("multiply", "p", 1.0), ("exp", "p"))]  # fmt: skip
    judge(("subtract", ("u", "v"), {}), inside, lambda u, v: u + np.exp(v))
    on = [("exp", "p"), ("tanh", "p"), ("sqrt", "p"), ("absolute", "p"), ("add", "p", "p"),
          ("multiply", "p", 3.0), ("subtract", "p", 1.0), ("maximum", "p", 2.0),
          ("minimum", "p", 0.5)]  # fmt: skip
    onward = [(on[i], on[i + 1]) for i in range(8)]
    for table in (onward, onward[::-1]):
        judge(("exp", ("u",), {}), table, lambda u, v: np.minimum(u, 0.5))
    ### END HIDDEN TESTS


# %% tests="simplify" behaviour="shapes" points=3
@autograder.test
def _(rng):
    "A rule is not applied where the shape would change, and then a later one may be."
    from chainrule.program.lists import outcome

    def judge(op, one, other, rules, expected):
        sizes = {"u": one, "v": other}
        feeds = {n: np.arange(float(np.prod(s))).reshape(s) + ord(n) for n, s in sizes.items()}
        steps = [(name, "input", (), {"shape": np.shape(feeds[name])}) for name in ("u", "v")]
        got = call(simplify, [*steps, ("out", op, ("u", "v"), {})], ["out"], rules)
        found = outcome(got, feeds)
        require(found["flaw"] == "", found["flaw"])
        words = f"value of out = {op}(u, v), shapes {one} and {other}"
        same(found["values"], [np.asarray(expected(**feeds))], words)

    left = [(("add", "p", "q"), "p")]
    judge("add", (3,), (3,), left, lambda u, v: u)
    judge("add", (3,), (2, 3), left, lambda u, v: u + v)
    judge("add", (3,), (2, 3), [*left, (("add", "p", "q"), "q")], lambda u, v: v)
    ### BEGIN HIDDEN TESTS
    shapes = [
        ((), (1,)),
        ((1,), (1, 1)),
        ((2, 1), (1, 3)),
        ((4,), (1, 4)),
        ((0,), (2, 1)),
        ((), ()),
    ]
    for one, other in shapes:
        kept = one == np.broadcast_shapes(one, other)
        judge("add", one, other, left, lambda u, v, kept=kept: u if kept else u + v)
        turned = [(("add", "p", "q"), ("negative", "p")), (("add", "p", "q"), 2.0)]
        judge("add", one, other, turned, lambda u, v, kept=kept: -u if kept else 2 + 0 * (u + v))
        wide = [(("multiply", "p", "q"), ("subtract", ("negative", "q"), ("divide", "p", 3.0)))]
        judge("multiply", one, other, wide, lambda u, v: -v - u / 3)
    sides = [(("matmul", "p", "q"), ("matmul", "q", "p")), (("matmul", "p", "q"), ("tanh", "q"))]
    judge("matmul", (2, 3), (3, 4), sides, lambda u, v: u @ v)
    judge("matmul", (2, 2), (2, 4), sides, lambda u, v: np.tanh(v))
    turned = [(("matmul", "p", "q"), ("tanh", ("matmul", "q", "p"))), sides[1]]
    judge("matmul", (2, 2), (2, 4), turned, lambda u, v: np.tanh(v))
    judge("matmul", (2, 3), (3, 2), sides, lambda u, v: u @ v)
    ### END HIDDEN TESTS


# %%
try:
    steps, fetches = simplify(*fold(STEPS, FETCHES), RULES)
    print(*steps, sep="\n")
except Exception as error:
    print("not yet:", error)

# %% [markdown]
# ## Which rules are true?
#
# Did you wonder why `RULES` has x − 0 → x but not x + 0 → x? Floating-point numbers are no real
# numbers. They have two zeros, −0.0 and 0.0, and −0.0 + 0.0 is 0.0. The two are equal, but 1/x
# tells them apart, as −∞ and ∞. They have NaN and ∞. And they round.
#
# A compiler must say what it promises. XLA, TensorFlow and `torch.compile` keep to rules that are
# exact, or nearly so, unless you ask for more; C compilers have `-ffast-math` for those who do. To
# find out whether a rule is exact, look for a number at which both sides differ.

# %% given="identities"
IDENTITIES = {
    "x + 0 -> x": (lambda x: x + 0.0, lambda x: x),
    "x - 0 -> x": (lambda x: x - 0.0, lambda x: x),
    "0 - x -> -x": (lambda x: 0.0 - x, lambda x: -x),
    "-(-x) -> x": (lambda x: np.negative(-x), lambda x: x),
    "x * 0 -> 0": (lambda x: x * 0.0, lambda x: 0.0 * np.ones_like(x)),
    "x / x -> 1": (lambda x: x / x, lambda x: np.ones_like(x)),
    "x - x -> 0": (lambda x: x - x, lambda x: np.zeros_like(x)),
    "min(max(x, y), y) -> y": (lambda x, y: np.minimum(np.maximum(x, y), y), lambda x, y: y),
    "x / 2 -> x * 0.5": (lambda x: x / 2.0, lambda x: x * 0.5),
    "x / 3 -> x * (1 / 3)": (lambda x: x / 3.0, lambda x: x * (1.0 / 3.0)),
    "x + x -> x * 2": (lambda x: x + x, lambda x: x * 2.0),
    "x * 2 / 2 -> x": (lambda x: x * 2.0 / 2.0, lambda x: x),
    "sqrt(x * x) -> abs(x)": (lambda x: np.sqrt(x * x), lambda x: np.abs(x)),
    "(x + y) - y -> x": (lambda x, y: (x + y) - y, lambda x, y: x),
    "(x + y) + z -> x + (y + z)": (lambda x, y, z: (x + y) + z, lambda x, y, z: x + (y + z)),
}


def sides(identity, numbers):
    """Return what both sides of an identity give, for a dictionary of numbers."""
    numbers = {name: np.float64(value) for name, value in numbers.items()}
    with np.errstate(all="ignore"):
        return tuple(side(**numbers) for side in IDENTITIES[identity])


# %%
print(sides("x + 0 -> x", {"x": 3.0}), sides("x + 0 -> x", {"x": -0.0}))

# %% [markdown] prompt="exact"
# ### Exercise 3: exact or not?
#
# Write `counterexamples()`. It returns a dictionary. For each key of `IDENTITIES` it has None if
# both sides are the same for all float64 numbers, else a dictionary of numbers, such as
# `{"x": -0.0}`, at which they differ. Differ means: in any bit, so 0.0 and −0.0 differ, but one NaN
# is as good as another. Four of the fifteen are exact.
#
# You may find the numbers by thought or by a search; `sides` above computes both sides.

# %% [markdown] hint="exact"
# Three kinds of numbers break rules: special ones (−0.0, 0.0, ∞, NaN), very large or small ones,
# and ordinary ones with many digits, where one side rounds once more than the other.

# %% [markdown] hint="exact"
# ```
#                          -0.0    0.0     inf     nan     1e200   5.0
# x / x                    nan     nan     nan     nan     1.0     1.0
# 1                        1.0     1.0     1.0     1.0     1.0     1.0
# ```

# %% [markdown] hint="exact"
# ```python
# numbers = [-0.0, 0.0, ..., np.inf, np.nan, 5.0, 0.1, ...]
# for identity in IDENTITIES:
#     for x, y, z in itertools.product(numbers, repeat=3):
#         ...               # keep those that the identity asks for, and compare both sides
# ```


# %% exercise="exact" minutes=12 difficulty=2 importance=4 allow="numpy"
def counterexamples():
    """Return for each identity numbers at which it does not hold; None if there are none."""
    ### BEGIN SOLUTION
    found = dict.fromkeys(IDENTITIES)  # four of them stay None
    found["x + 0 -> x"] = {"x": -0.0}
    found["0 - x -> -x"] = {"x": 0.0}  # 0.0 and -0.0
    found["x * 0 -> 0"] = {"x": np.inf}  # NaN and 0.0
    found["x / x -> 1"] = {"x": 0.0}
    found["x - x -> 0"] = {"x": np.inf}
    found["min(max(x, y), y) -> y"] = {"x": np.nan, "y": 1.0}
    found["x / 3 -> x * (1 / 3)"] = {"x": 5.0}  # rounds twice
    found["x * 2 / 2 -> x"] = {"x": 1e308}  # too large in between
    found["sqrt(x * x) -> abs(x)"] = {"x": 1e200}
    found["(x + y) - y -> x"] = {"x": 1.0, "y": 1e20}
    found["(x + y) + z -> x + (y + z)"] = {"x": 0.1, "y": 0.2, "z": 0.3}
    return found
    ### END SOLUTION


# %% tests="exact" behaviour="special" points=3
@autograder.test
def _(rng):
    "Identities that zeros with a sign, infinity or NaN break are told from those that hold."

    def judge(found, identity, names, before, after):
        require(type(found) is dict and identity in found, f"{identity!r} is not in the answer")
        if after is None:
            same(found[identity], None, f"{identity}, which is exact")
            return
        numbers, plain = found[identity], (int, float, np.floating)
        words = f"{identity}: expected numbers for {', '.join(names)}, came {numbers}"
        require(type(numbers) is dict and sorted(numbers) == sorted(names), words)
        require(all(isinstance(n, plain) for n in numbers.values()), words)
        with np.errstate(all="ignore"):
            x = [np.float64(numbers[name]) for name in names]
            one, other = np.float64(before(*x)), np.float64(after(*x))
        bits = [float(side).hex() for side in (one, other)]
        require(bits[0] != bits[1], f"{identity}: at {numbers} both sides are {one}")

    found = call(counterexamples)
    judge(found, "x - 0 -> x", "x", None, None)
    judge(found, "x + 0 -> x", "x", lambda x: x + 0.0, lambda x: x)
    ### BEGIN HIDDEN TESTS
    judge(found, "0 - x -> -x", "x", lambda x: 0.0 - x, lambda x: -x)
    judge(found, "-(-x) -> x", "x", None, None)
    judge(found, "x * 0 -> 0", "x", lambda x: x * 0.0, lambda x: 0.0)
    judge(found, "x / x -> 1", "x", lambda x: x / x, lambda x: 1.0)
    judge(found, "x - x -> 0", "x", lambda x: x - x, lambda x: 0.0)
    judge(found, "min(max(x, y), y) -> y", "xy",
          lambda x, y: np.minimum(np.maximum(x, y), y), lambda x, y: y)  # fmt: skip
    ### END HIDDEN TESTS


# %% tests="exact" behaviour="rounding" points=3
@autograder.test
def _(rng):
    "Identities that rounding or the range of float64 breaks are told from those that hold."

    def judge(found, identity, names, before, after):
        require(type(found) is dict and identity in found, f"{identity!r} is not in the answer")
        if after is None:
            same(found[identity], None, f"{identity}, which is exact")
            return
        numbers, plain = found[identity], (int, float, np.floating)
        words = f"{identity}: expected numbers for {', '.join(names)}, came {numbers}"
        require(type(numbers) is dict and sorted(numbers) == sorted(names), words)
        require(all(isinstance(n, plain) for n in numbers.values()), words)
        with np.errstate(all="ignore"):
            x = [np.float64(numbers[name]) for name in names]
            one, other = np.float64(before(*x)), np.float64(after(*x))
        bits = [float(side).hex() for side in (one, other)]
        require(bits[0] != bits[1], f"{identity}: at {numbers} both sides are {one}")

    found = call(counterexamples)
    judge(found, "x / 2 -> x * 0.5", "x", None, None)
    ### BEGIN HIDDEN TESTS
    judge(found, "x / 3 -> x * (1 / 3)", "x", lambda x: x / 3.0, lambda x: x * (1.0 / 3.0))
    judge(found, "x + x -> x * 2", "x", None, None)
    judge(found, "x * 2 / 2 -> x", "x", lambda x: x * 2.0 / 2.0, lambda x: x)
    judge(found, "sqrt(x * x) -> abs(x)", "x", lambda x: np.sqrt(x * x), np.abs)
    judge(found, "(x + y) - y -> x", "xy", lambda x, y: (x + y) - y, lambda x, y: x)
    judge(found, "(x + y) + z -> x + (y + z)", "xyz",
          lambda x, y, z: (x + y) + z, lambda x, y, z: x + (y + z))  # fmt: skip
    ### END HIDDEN TESTS


# %% [markdown]
# The last one is the one that costs most. Adding in another order is not the same, so a compiler
# that splits a sum over many threads changes its last digits. All of them do, and say so.
#
# ## The same thing twice
#
# When you write `(pred - y) ** 2` for the loss and `2 * (pred - y)` for its gradient, the
# difference is computed twice. Longer programs are full of such **common subexpressions**. Two
# steps are the same if they have the same op, the same args and the same attrs.

# %% [markdown] prompt="share"
# ### Exercise 4: common subexpressions
#
# Write `share(steps, fetches)`. Of steps that are equal only the first is kept. What used another
# one, fetches included, uses the first instead; then more steps may become equal.
#
# * Equal are two steps with the same op of `OPS`, the same args in the same order, and attrs with
#   the same keys and values (numbers, None, True, False, or tuples of numbers).
# * Equal are two constants with the same shape and the same bits in each element: 0.0 and −0.0 are
#   not equal. NaN is equal to itself here.
# * Inputs and effects are never shared: two `"random"` steps draw different numbers. But what they
#   take may be replaced, as in any other step.
#
# (x + y and y + x have different args, so both may stay.)

# %% [markdown] hint="share"
# A dictionary: from what a step *is*, without its name, to the name of the first such step. Its
# keys must be hashable.

# %% [markdown] hint="share"
# ```
# step                 what it is, args replaced         known?           new name
# b = tanh(a)          ("tanh", ("a",), ...)             no: remember     b -> b
# c = tanh(a)          ("tanh", ("a",), ...)             yes: b           c -> b
# d = exp(b)           ("exp", ("b",), ...)              no: remember     d -> d
# e = exp(c)           ("exp", ("b",), ...)              yes: d           e -> d
# ```

# %% [markdown] hint="share"
# ```python
# for name, op, args, attrs in steps:
#     args = tuple(...)                                   # replaced
#     if op == "constant":
#         key = ...                                       # tobytes() gives the bits of an array
#     elif op in OPS:
#         key = (op, args, ...)                           # attrs, always in the same order
#     else:
#         ...                                             # kept, whatever it is
# ```


# %% exercise="share" minutes=15 difficulty=2 importance=4 allow="numpy"
def share(steps, fetches):
    """Return the program in which equal steps are computed once."""
    ### BEGIN SOLUTION
    known, new, out = {}, {}, []
    for name, op, args, attrs in steps:
        args = tuple(new[a] for a in args)
        if op == "constant":
            value = np.asarray(attrs["value"])
            key = (op, value.shape, value.tobytes())
        elif op in OPS:
            key = (op, args, tuple(sorted(attrs.items())))
        else:
            key = name
        new[name] = known.setdefault(key, name)
        if new[name] == name:
            out.append((name, op, args, attrs))
    return out, [new[name] for name in fetches]
    ### END SOLUTION


# %% tests="share" behaviour="meaning" points=3
@autograder.test
def _(rng):
    "The program means what it meant, bit by bit, and what you were given is unchanged."
    from chainrule.program.lists import attempt

    @beside
    def run(steps, fetches):
        from copy import deepcopy

        before = deepcopy((steps, fetches))
        return share(steps, fetches), repr(before) == repr((steps, fetches))

    def judge(steps, fetches, feeds):
        got, kept = run(steps, fetches)
        found = attempt(got, steps, fetches, feeds)
        require(found["flaw"] == "", found["flaw"])
        same(kept, True, "are the lists that you were given as they were")
        return found["kernels"]

    x, values = ("x", "input", (), {"shape": (2,)}), {"zero": 0.0, "minus": -0.0}
    steps = [x, *((n, "constant", (), {"value": np.array(v)}) for n, v in values.items())]
    steps += [(n + "_x", "divide", ("x", n), {}) for n in values]
    count = judge([*steps, ("again", "divide", ("x", "zero"), {})], ["again", "minus_x", "zero"],
                  {"x": np.array([1.0, -2.0])})  # fmt: skip
    same(count, 2, "kernels of x / 0.0, x / -0.0 and x / 0.0 after sharing")
    ### BEGIN HIDDEN TESTS
    from chainrule.program.chance import draw

    saved = 0
    for size in (0, 3, 8, 30, 30, 60, 60, 120):
        steps, fetches, feeds = draw(rng, size)
        before = sum(op != "input" and op != "constant" for _, op, _, _ in steps)
        saved += before - judge(steps, fetches, feeds)
    require(saved >= 3, "nothing was shared in eight programs with many equal steps")
    for shape in ((1,), (3,), (2, 2)):
        two = [(n, "input", (), {"shape": shape}) for n in "uv"]
        two += [
            (n, "constant", (), {"value": np.ones(size)}) for n, size in (("c", 2), ("d", (1, 2)))
        ]
        two += [("s", "subtract", ("u", "v"), {}), ("t", "subtract", ("v", "u"), {})]
        two += [(n, "print", ("s",), {"label": "s"}) for n in "pq"]
        two += [(n, "random", (), {"shape": shape}) for n in "rz"]
        two += [(f"a{i}", "sum", ("u",), {"axis": i, "keepdims": False}) for i in range(len(shape))]
        feeds = {n: rng.normal(size=shape) for n in "uv"}
        judge(two, [step[0] for step in two], feeds)
    ### END HIDDEN TESTS


# %% tests="share" behaviour="once" points=3
@autograder.test
def _(rng):
    "Equal steps are computed once, equal constants kept once, also 10,000 steps in a row."
    from chainrule.program.chance import draw
    from chainrule.program.lists import OPS, attempt

    def judge(program, kernels, constants):
        found = attempt(call(share, *program[:2]), *program)
        require(found["flaw"] == "", found["flaw"])
        shown = "; ".join(f"{n} = {op}({', '.join(args)})" for n, op, args, _ in program[0][:12])
        at_most(found["kernels"], kernels, f"kernels that are left of {shown}")
        at_most(found["ops"].get("constant", 0), constants, f"constants that are left of {shown}")

    steps = [("x", "input", (), {"shape": (2,)})]
    steps += [("a", "exp", ("x",), {}), ("b", "exp", ("x",), {})]
    steps += [("c", "tanh", ("a",), {}), ("d", "tanh", ("b",), {}), ("e", "add", ("c", "d"), {})]
    judge((steps, ["e", "d"], {"x": np.array([1.0, 2.0])}), 3, 0)
    ### BEGIN HIDDEN TESTS

    def check(steps, fetches, feeds):
        known, new, left = {}, {}, {"kernels": 0, "constants": 0}
        for name, op, args, attrs in steps:
            key = (op, *(new[a] for a in args), *sorted(attrs.items())) if op in OPS else name
            if op == "constant":
                key = attrs["value"].shape, attrs["value"].tobytes()
            new[name] = known.setdefault(key, name)
            left["kernels"] += new[name] == name and op not in ("input", "constant")
            left["constants"] += new[name] == name and op == "constant"
        judge((steps, fetches, feeds), **left)

    for size in (5, 20, 40, 80, 80):
        check(*draw(rng, size))
    x, nan = rng.normal(size=(3, 3)), [("n", "constant", (), {"value": np.array([np.nan, 1.0])})]
    check([*nan, ("m", *nan[0][1:]), ("s", "add", ("n", "m"), {})], ["s", "m"], {})
    start = ("x", "input", (), {"shape": (3, 3)})
    attrs = [{"axis": 0, "keepdims": True}, {"axis": 1, "keepdims": True}, {"keepdims": False}]
    attrs += [{"keepdims": True, "axis": 0}, {}, {"axis": None}, {"axis": 0, "keepdims": False}]
    sums = [(f"s{i}", "sum", ("x",), attr) for i, attr in enumerate(attrs)]
    check([start, *sums], [s[0] for s in sums], {"x": x})
    sizes = [(3, 3), (2, 3, 3), (3, 3), (1, 3, 3)]
    wide = [(f"e{i}", "expand", ("x",), {"shape": size}) for i, size in enumerate(sizes)]
    check([start, *wide], [s[0] for s in wide], {"x": x})
    big = rng.normal(size=1500)
    near = np.where(np.arange(1500) == 700, np.nextafter(big, np.inf), big)
    values = {"b": big, "n": near, "m": big, "p": big[:1], "q": near[700:701], "r": big[700:701]}
    values |= {"s": np.ones((2, 3)), "t": np.ones((3, 2)), "u": np.ones((2, 3)), "v": np.ones(6)}
    large = [(name, "constant", (), {"value": value}) for name, value in values.items()]
    check(large, list(values), {})
    chain = [start]
    for i in range(5000):
        last = chain[-1][0]
        chain += [
            (f"a{i}", "tanh", (last,), {}),
            (f"b{i}", "tanh", (chain[-2][0] if i else last,), {}),
        ]
    again = [("first", "exp", ("x",), {}), *chain[1:], ("last", "exp", ("x",), {})]
    check([start, *again], [chain[-1][0], chain[-2][0], "last"], {"x": x})
    ### END HIDDEN TESTS


# %% tests="share" behaviour="effects" points=2
@autograder.test
def _(rng):
    "Random numbers are drawn and lines printed as often as before, whatever else is shared."
    from chainrule.program.lists import attempt

    def judge(count, shape, x):
        steps = [("x", "input", (), {"shape": shape})]
        for i in range(count):
            steps += [(f"r{i}", "random", (), {"shape": shape}), (f"e{i}", "exp", ("x",), {})]
            steps += [
                (f"p{i}", "print", (f"e{i}",), {"label": "e"}),
                (f"t{i}", "tanh", (f"r{i}",), {}),
            ]
        fetches = [name for name, *_ in steps]
        found = attempt(call(share, steps, fetches), steps, fetches, {"x": x})
        require(found["flaw"] == "", found["flaw"])
        same(
            found["ops"]["exp"],
            1,
            f"how often exp(x) is computed, which stands there {count} times",
        )
        same(found["ops"]["tanh"], count, "how often tanh of a random number is computed")

    judge(2, (), np.array(0.5))
    ### BEGIN HIDDEN TESTS
    judge(5, (2, 3), rng.normal(size=(2, 3)))
    judge(3, (1,), rng.normal(size=1))
    ### END HIDDEN TESTS


# %% [markdown]
# ## What nobody asks for
#
# A session of lesson 12 computed only what was fetched, and found out anew in every run. Here it is
# done once, and what nobody needs is gone. This pass also sweeps up after the others: they leave
# constants and steps behind that have no users any more.

# %% [markdown] prompt="prune"
# ### Exercise 5: dead code
#
# Write `prune(steps, fetches)`. It keeps the steps that are needed, unchanged and in their order,
# and no others. Needed are: what is fetched; effects, whether somebody uses their values or not;
# and the args of each needed step. An input that is not needed goes, too. The fetches stay as they
# are.

# %% [markdown] hint="prune"
# Who needs a step is known only at the end. So walk from the last step to the first.

# %% [markdown] hint="prune"
# ```
# fetches: f                        needed so far
# f = negative(d)     kept          f, d
# e = exp(d)          dropped       f, d
# d = add(b, b)       kept          f, d, b
# ```

# %% [markdown] hint="prune"
# ```python
# needed = set(...)
# for step in reversed(steps):
#     if ...:
#         ...                       # keep it; its args are needed now
# ```


# %% exercise="prune" minutes=8 difficulty=1 importance=4 allow="numpy"
def prune(steps, fetches):
    """Return the program without the steps that neither fetches nor effects need."""
    ### BEGIN SOLUTION
    wanted, kept = set(fetches), []
    for step in reversed(steps):
        name, op, args, _ = step
        if name in wanted or op in EFFECTS:
            kept.append(step)
            wanted.update(args)
    return kept[::-1], list(fetches)
    ### END SOLUTION


# %% tests="prune" behaviour="exactly" points=3
@autograder.test
def _(rng):
    "Exactly the needed steps stay, unchanged and in order, and what you were given is unchanged."
    from chainrule.program.chance import draw

    @beside
    def run(steps, fetches):
        from copy import deepcopy

        before = deepcopy((steps, fetches))
        return prune(steps, fetches), repr(before) == repr((steps, fetches))

    def judge(steps, fetches, names):
        kept = [step for step in steps if step[0] in names]
        got, unchanged = run(steps, fetches)
        same(got, (kept, fetches), f"(steps, fetches) of the pruned program, fetches {fetches}")
        same(unchanged, True, "are the lists that you were given as they were")

    steps = [("x", "input", (), {"shape": ()}), ("y", "input", (), {"shape": ()})]
    steps += [("a", "exp", ("x",), {}), ("b", "tanh", ("a",), {}), ("c", "add", ("a", "a"), {})]
    judge(steps, ["c"], {"x", "a", "c"})
    judge(steps, ["y", "y"], {"y"})
    ### BEGIN HIDDEN TESTS
    judge(steps, [], set())
    judge([], [], set())
    for size in (5, 20, 40, 80, 80):
        steps, fetches, _ = draw(rng, size, effects=0.0)
        wanted = set(fetches)
        for name, _, args, _ in reversed(steps):
            wanted |= set(args) if name in wanted else set()
        judge(steps, fetches, wanted)
    names = ["x", *(f"n{i}" for i in range(10_000))]
    chain = [(names[i + 1], "tanh", (names[i],), {}) for i in range(len(names) - 1)]
    chain = [("x", "input", (), {"shape": ()}), *chain]
    judge(chain, [names[-2]], set(names[:-1]))
    twice = [(names[i + 1], "add", (names[i], names[i]), {}) for i in range(100)]
    judge([chain[0], *twice], [names[100]], set(names[:101]))
    kernel = {"takes": ("p", "q", "r"), "steps": [("s", "add", ("p", "r"), {})], "gives": "s"}
    three = [*chain[:4], ("k", "fused", (names[0], names[1], names[2]), kernel)]
    judge(three, ["k"], {*names[:3], "k"})
    ### END HIDDEN TESTS


# %% tests="prune" behaviour="effects" points=3
@autograder.test
def _(rng):
    "Effects stay, and all that they need, also where no fetch needs them."
    from chainrule.program.chance import draw

    def judge(steps, fetches, names):
        kept = [step for step in steps if step[0] in names]
        same(call(prune, steps, fetches), (kept, fetches), "(steps, fetches) of the pruned program")

    steps = [("x", "input", (), {"shape": ()}), ("a", "exp", ("x",), {}), ("b", "tanh", ("a",), {})]
    steps += [("p", "print", ("a",), {"label": "a is"}), ("r", "random", (), {"shape": (2,)})]
    judge(steps, [], {"x", "a", "p", "r"})
    judge([*steps, ("s", "exp", ("r",), {})], ["b"], {"x", "a", "b", "p", "r"})
    ### BEGIN HIDDEN TESTS
    for size in (5, 20, 40, 80, 80):
        steps, fetches, _ = draw(rng, size, effects=0.15)
        wanted = set(fetches)
        for name, op, args, _ in reversed(steps):
            wanted |= {name, *args} if name in wanted or op in ("print", "random") else set()
        judge(steps, fetches, wanted)
    ### END HIDDEN TESTS


# %%
try:
    steps, fetches = prune(*share(*simplify(*fold(STEPS, FETCHES), RULES)))
    print(*steps, "", f"{kernels(STEPS)} kernels before, {kernels(steps)} now", sep="\n")
except Exception as error:
    print("not yet:", error)

# %% [markdown]
# ## Kernels and bytes
#
# Three kernels are left of seven: tanh, add, negative. Each of them reads its arguments from memory
# and writes its result there, and the next one reads it again. Elementwise operations compute next
# to nothing for each byte that they move, so all their time is memory (lesson 11). If *one* kernel
# did all three, element by element, x would be read once, the result written once, and what is in
# between would never leave the processor. This is **fusion**, the heart of XLA and of
# `torch.compile`.
#
# A fused kernel is a step again, with op `"fused"` and a small program in its attrs:
#
# * `takes`: the names under which the kernel knows its args, in the order of `args`;
# * `steps`: steps with elementwise ops (in `EACH`), from first to last;
# * `gives`: the name of the inner step whose value is the result. The others are never stored.

# %% given="fused"


def fused(*arrays, takes, steps, gives):
    """Run the small program in a fused kernel."""
    values = dict(zip(takes, arrays, strict=True))
    for name, op, args, attrs in steps:
        values[name] = compute(op, [values[a] for a in args], attrs)
    return values[gives]


OPS["fused"] = fused


def traffic(steps):
    """Return how many bytes the kernels of a program read and write."""
    shapes, moved = {}, 0
    for name, op, args, attrs in steps:
        shapes[name] = shape_of(op, [shapes[a] for a in args], attrs)
        if op not in ("input", "constant"):
            moved += sum(8 * int(np.prod(shapes[value])) for value in {name, *args})
    return moved


# %%
THREE = [
    ("x", "input", (), {"shape": (1000,)}),
    ("b", "tanh", ("x",), {}),
    ("d", "add", ("b", "b"), {}),
    ("f", "negative", ("d",), {}),
]
ONE = [
    ("x", "input", (), {"shape": (1000,)}),
    ("f", "fused", ("x",), {"takes": ("x",), "steps": THREE[1:], "gives": "f"}),
]
for steps in (THREE, ONE):
    value = run(steps, ["f"], {"x": x})[0]
    print(kernels(steps), "kernels,", traffic(steps), "bytes, first value", value[0])

# %% [markdown]
# Which steps may join? Three things stand in the way:
#
# * A value with *two users*, or one that is *fetched*, is needed outside of the kernel as well. A
#   compiler may compute it again in each user, which is cheap for a sum and dear for a tanh. We do
#   not: such a value is stored.
# * In `column + matrix` each element of the column is used many times. Inside a kernel it would be
#   computed many times. So only values of *the same shape* join.
# * A matmul needs whole rows: it is not elementwise.

# %% [markdown] prompt="fuse"
# ### Exercise 6: fusion
#
# Write `fuse(steps, fetches)`. A step **joins** the step that uses its value, if
#
# * both are elementwise (their ops are in `EACH`);
# * no *other* step uses the value, and it is not fetched (as two args of one step it may be used);
# * both values have the same shape.
#
# Steps that are connected by joining are one group. Each group of two steps or more becomes one
# `"fused"` step, in the place and under the name of its last step. Its `args` are the values that
# the group takes from outside, each once; so constants stay outside, too. All other steps stay as
# they are. Nothing is computed twice, nothing is dropped: an elementwise step that nobody uses
# stays where it is.
#
# The order in which things are printed and drawn does not change. `shape_of` is there to be used.

# %% [markdown] hint="fuse"
# Each step joins at most one other, its only user. So a group looks like a tree, and its root, the
# last step, is the only one whose value anybody outside needs. Whoever is not a root is in the
# group of its user.

# %% [markdown] hint="fuse"
# ```
# x ──► tanh b ──► add d ──► negative f ──► (fetched)
#                    ▲
# y ──► exp c ───────┘
#
# joins: b → d, c → d, d → f      one group: b, c, d, f      root f      args: x, y
#
# x ──► tanh b ──► add d ──► (fetched)
#          └─────► exp e ──► (fetched)             b has two users: it joins none
# ```

# %% [markdown] hint="fuse"
# ```python
# users = {}                                  # name -> the names of the steps that use it
# ...
# for step in reversed(steps):                # users come before what they use
#     ...                                     # its root: itself, or the root of its only user
# groups = {}                                 # root -> its steps, in the order of the program
# ...
# for step in steps:
#     ...                                     # not in a group of several: as it is
#                                             # a root: the fused step;  another: nothing
# ```


# %% exercise="fuse" minutes=30 difficulty=4 importance=5 allow="numpy"
def fuse(steps, fetches):
    """Return the program with elementwise steps joined into fused kernels."""
    ### BEGIN SOLUTION
    shapes, users, ops = {}, {}, {}
    for name, op, args, attrs in steps:
        shapes[name] = shape_of(op, [shapes[a] for a in args], attrs)
        ops[name] = op
        for a in set(args):
            users.setdefault(a, []).append(name)
    root, groups = {}, {}
    for step in reversed(steps):
        name, root[step[0]] = step[0], step[0]
        if ops[name] in EACH and name not in fetches and len(users.get(name, ())) == 1:
            (user,) = users[name]
            if ops[user] in EACH and shapes[user] == shapes[name]:
                root[name] = root[user]
        groups.setdefault(root[name], []).append(step)
    out = []
    for step in steps:
        members = groups.get(step[0], ())[::-1]
        if len(members) == 1:
            out.append(step)
        elif members:
            inside = {member[0] for member in members}
            args = [a for member in members for a in member[2] if a not in inside]
            args = tuple(dict.fromkeys(args))
            attrs = {"takes": args, "steps": members, "gives": step[0]}
            out.append((step[0], "fused", args, attrs))
    return out, list(fetches)
    ### END SOLUTION


# %% tests="fuse" behaviour="meaning" points=3
@autograder.test
def _(rng):
    "The program means what it meant, bit by bit, and what you were given is unchanged."
    from chainrule.program.chance import draw
    from chainrule.program.lists import attempt

    @beside
    def run(steps, fetches):
        from copy import deepcopy

        before = deepcopy((steps, fetches))
        return fuse(steps, fetches), repr(before) == repr((steps, fetches))

    def judge(steps, fetches, feeds):
        got, kept = run(steps, fetches)
        found = attempt(got, steps, fetches, feeds)
        require(found["flaw"] == "", found["flaw"])
        same(kept, True, "are the lists that you were given as they were")
        return found["kernels"]

    steps = [("x", "input", (), {"shape": (2,)}), ("b", "tanh", ("x",), {})]
    steps += [("d", "subtract", ("x", "b"), {}), ("f", "divide", ("d", "x"), {})]
    count = judge(steps, ["f"], {"x": np.array([1.0, 0.5])})
    same(count, 1, "kernels of (x - tanh(x)) / x after fusion")
    ### BEGIN HIDDEN TESTS
    more = [*steps, ("s", "sum", ("f",), {"axis": 0}), ("g", "exp", ("s",), {})]
    for fetches in (["b", "g"], ["s", "d"], ["x", "f", "f"]):
        judge(more, fetches, {"x": rng.normal(size=2)})
    saved = 0
    for size in (0, 3, 8, 30, 30, 60, 60, 120):
        steps, fetches, feeds = draw(rng, size)
        before = sum(op != "input" and op != "constant" for _, op, _, _ in steps)
        saved += before - judge(steps, fetches, feeds)
    require(saved >= 3, "nothing was fused in eight programs with many elementwise steps")
    ### END HIDDEN TESTS


# %% tests="fuse" behaviour="counts" points=4
@autograder.test
def _(rng):
    "All that may join does: kernels and bytes are as few as the rules allow, nothing runs twice."
    from chainrule.program.chance import draw
    from chainrule.program.lists import EACH, attempt, outcome

    def judge(program, kernels, moved, computed, groups):
        found = attempt(call(fuse, *program[:2]), *program)
        require(found["flaw"] == "", found["flaw"])
        shown = "; ".join(f"{n} = {op}({', '.join(args)})" for n, op, args, _ in program[0][:12])
        at_most(found["kernels"], kernels, f"kernels of {shown}")
        at_most(found["bytes"], moved, f"bytes that are read and written by {shown}")
        same(found["computed"], computed, f"operations, those inside of kernels too, of {shown}")
        same(found["ops"].get("fused", 0), groups, f"fused steps, of two or more each, of {shown}")

    steps = [("x", "input", (), {"shape": (2, 3)}), ("b", "tanh", ("x",), {})]
    steps += [("d", "add", ("b", "b"), {}), ("e", "exp", ("d",), {}), ("s", "sum", ("e",), {})]
    steps += [("g", "divide", ("d", "s"), {}), ("h", "negative", ("g",), {})]
    feeds = {"x": np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])}
    judge((steps, ["h"], feeds), kernels=4, moved=352, computed=6, groups=2)
    ### BEGIN HIDDEN TESTS

    def check(steps, fetches, feeds):
        every = outcome((steps, [step[0] for step in steps]), feeds)
        values = dict(zip([step[0] for step in steps], every["values"], strict=True))
        users, ops, kernels, moved = {}, {step[0]: step[1] for step in steps}, 0, 0
        for name, _, args, _ in steps:
            for a in set(args):
                users.setdefault(a, []).append(name)
        root, takes = {}, {}
        for name, op, args, _ in reversed(steps):
            user = users.get(name, [""])[0] if len(users.get(name, [])) == 1 else ""
            each = op in EACH and ops.get(user) in EACH and name not in fetches
            joins = each and values[name].shape == values[user].shape
            root[name] = root[user] if joins else name
            if op not in ("input", "constant"):
                kernels += not joins
                takes.setdefault(root[name], set()).update([name, *args])
        for end, names in takes.items():
            moved += sum(values[n].nbytes for n in names if root.get(n) != end or n == end)
        ends = list(root.values())
        groups = sum(ends.count(end) > 1 for end in set(ends))
        judge((steps, fetches, feeds), kernels, moved, every["computed"], groups)

    for size in (5, 20, 40, 40, 80, 80):
        check(*draw(rng, size))
        check(*draw(rng, size, effects=0.0))
    x = ("x", "input", (), {"shape": (3, 4)})
    tree = [x, *((f"l{i}", "multiply", ("x", "x"), {}) for i in range(8))]
    level = [f"l{i}" for i in range(8)]
    while len(level) > 1:
        pairs = list(zip(level[::2], level[1::2], strict=True))
        tree += [(a + b, "subtract", (a, b), {}) for a, b in pairs]
        level = [a + b for a, b in pairs]
    check(tree, level, {"x": rng.normal(size=(3, 4))})
    ### END HIDDEN TESTS


# %% tests="fuse" behaviour="needed_outside" points=3
@autograder.test
def _(rng):
    "What is fetched, has two users or another shape, or is not elementwise, stays outside."
    from chainrule.program.lists import attempt

    def judge(shape, steps, fetches, kernels):
        feeds = {"x": np.arange(1.0, 1.0 + np.prod(shape)).reshape(shape) / 7, "y": np.ones(4)}
        start = [("x", "input", (), {"shape": shape}), ("y", "input", (), {"shape": (4,)})]
        steps = [*start, *((*step, {}) for step in steps)]
        found = attempt(call(fuse, steps, fetches), steps, fetches, feeds)
        require(found["flaw"] == "", found["flaw"])
        words = ", ".join(f"{name} = {op}({', '.join(args)})" for name, op, args, _ in steps[2:])
        same(found["kernels"], kernels, f"kernels of {words}; fetched: {', '.join(fetches)}")

    chain = [("b", "tanh", ("x",)), ("d", "exp", ("b",)), ("f", "negative", ("d",))]
    judge((4,), chain, ["f"], 1)
    judge((4,), chain, ["d", "f"], 2)
    judge((4,), [*chain, ("g", "sqrt", ("b",))], ["f", "g"], 3)
    ### BEGIN HIDDEN TESTS
    judge((4,), chain, ["b", "d", "f", "x"], 3)
    judge((4,), [*chain, ("g", "sum", ("d",))], ["f", "g"], 3)
    judge((4,), [*chain, ("g", "sqrt", ("d",))], ["f"], 3)
    judge((2, 1), [("b", "tanh", ("x",)), ("d", "add", ("b", "y")), ("e", "exp", ("d",))], ["e"], 2)
    judge((4,), [("b", "tanh", ("x",)), ("d", "add", ("b", "y")), ("e", "exp", ("d",))], ["e"], 1)
    judge(
        (1, 1), [("b", "tanh", ("x",)), ("t", "transpose", ("b",)), ("e", "exp", ("t",))], ["e"], 3
    )
    judge(
        (2, 2), [("b", "exp", ("x",)), ("m", "matmul", ("b", "b")), ("e", "exp", ("m",))], ["e"], 3
    )
    both = [("b", "tanh", ("x",)), ("c", "exp", ("b",)), ("d", "multiply", ("b", "c")),
            ("e", "sqrt", ("d",))]  # fmt: skip
    judge((4,), both, ["e"], 2)
    judge((), [("b", "tanh", ("x",)), ("d", "add", ("b", "y")), ("e", "exp", ("d",))], ["e"], 2)
    judge((), [("b", "tanh", ("x",)), ("s", "sum", ("b",)), ("e", "exp", ("s",))], ["e"], 3)
    ### END HIDDEN TESTS


# %% tests="fuse" behaviour="long" points=1
@autograder.test
def _(rng):
    "Ten thousand steps in a row become one kernel."
    from chainrule.program.lists import attempt

    def judge(count, x):
        names = ["x", *(f"n{i}" for i in range(count))]
        chain = [(names[i + 1], "tanh", (names[i],), {}) for i in range(len(names) - 1)]
        steps = [("x", "input", (), {"shape": (1,)}), *chain]
        found = attempt(call(fuse, steps, names[-1:]), steps, names[-1:], {"x": x})
        require(found["flaw"] == "", found["flaw"])
        same((found["kernels"], found["computed"]), (1, count), "kernels, operations in them")

    judge(3, np.array([1.0]))
    ### BEGIN HIDDEN TESTS
    judge(10_000, rng.normal(size=1))
    ### END HIDDEN TESTS


# %%
try:
    program = fuse(*prune(*share(*simplify(*fold(STEPS, FETCHES), RULES))))
    print(*program[0], sep="\n")
    print(f"bytes: {traffic(STEPS)} before, {traffic(program[0])} now")
except Exception as error:
    print("not yet:", error)

# %% [markdown]
# This is as far as the first page's seven operations go: one kernel that reads x and writes f.
#
# Here are all five passes on that program, one after the other. Step with the buttons or the arrow
# keys. (If you see only text, read it: it says the same. Its `simplify` drops `a` at once, which
# yours may leave to `prune`.)

# %%
from chainrule.widgets import GraphPasses

passes = GraphPasses(stage=4)
passes

# %% [markdown]
#
# A real compiler goes on where we stop. For each fused kernel it writes source code, C++ or Triton,
# with one loop in it, and has that compiled: slow, but once.

# %% [markdown]
# ## Memory that is free again
#
# An eager framework gives each value memory of its own when it is made, and frees it when nobody
# holds it any more. A compiler knows beforehand when that will be: after the last step that uses
# the value. So it can plan. It makes a few **buffers** before the run, and says for each value in
# which one it will stand. Two values that are never alive at the same time may share one.

# %% [markdown] prompt="plan"
# ### Exercise 7: buffers
#
# Write `plan(steps, fetches)`. It returns a dictionary: for the name of each step that computes
# something (all but inputs and constants, which have memory of their own) the number of its
# buffer, an `int`.
#
# * A buffer holds values of one size only (the number of elements; 8 bytes each).
# * A value is alive from its own step to the last step that uses it; to the end, if it is fetched.
#   A value that nobody uses still needs a buffer, in its own step.
# * A step must not write into the buffer of a value that is alive, and that includes its own args:
#   a matmul reads its args again and again while it writes.
# * One exception. A step that works element by element (its op is in `EACH`, or `"fused"`) may
#   write *in place*, over an arg of the same shape, if this is the last use of that arg and it is
#   not fetched.
#
# The sum of the sizes of all buffers, the peak memory, must be as small as these rules allow. For
# that it is enough to take what is free, or what becomes free in place, before you make a new one.
# `shape_of` helps. A `"fused"` step has the shape to which its args broadcast.

# %% [markdown] hint="plan"
# Two walks. The first finds for each value the place of its last use. The second keeps, for each
# size, a list of buffers that are free.

# %% [markdown] hint="plan"
# ```
# step                 last uses      buffers                       free afterwards
# a = exp(x)                          a: 0                          –
# b = sum(a)           a              b: 1 (another size)           0
# c = exp(x)                          c: 0                          –
# d = add(c, b)        c, b           d: 0, in place of c           1
# e = tanh(d)          d              e: 0, in place of d           1     e is fetched
# ```

# %% [markdown] hint="plan"
# ```python
# last = {}                           # name -> place of its last use
# ...
# free = {}                           # size -> buffers
# for place, (name, op, args, attrs) in enumerate(steps):
#     dying = [...]                   # its args that are in buffers and end here
#     ...                             # in place of one of them? else a free one? else a new one
#     ...                             # what is dying, and not taken over, is free now
# ```


# %% exercise="plan" minutes=25 difficulty=3 importance=4 allow="numpy"
def plan(steps, fetches):
    """Return for each computed value the number of the buffer in which it stands."""
    ### BEGIN SOLUTION
    last = {a: place for place, step in enumerate(steps) for a in (step[0], *step[2])}
    last.update(dict.fromkeys(fetches, len(steps)))
    shapes, of, free, count = {}, {}, {}, 0
    for place, (name, op, args, attrs) in enumerate(steps):
        shape = shapes[name] = shape_of(op, [shapes[a] for a in args], attrs)
        if op in ("input", "constant"):
            continue
        size = int(np.prod(shape))
        dying = [a for a in dict.fromkeys(args) if a in of and last[a] == place]
        each = op in EACH or op == "fused"
        over = [a for a in dying if each and shapes[a] == shape]
        if over:
            of[name] = of[over[0]]
            dying.remove(over[0])
        elif free.get(size):
            of[name] = free[size].pop()
        else:
            of[name] = count
            count += 1
        for a in [*dying, name] if last[name] == place else dying:
            free.setdefault(int(np.prod(shapes[a])), []).append(of[a])
    return of
    ### END SOLUTION


# %% tests="plan" behaviour="safe" points=3
@autograder.test
def _(rng):
    "No value is overwritten before its last use, fetched ones never, and buffers have one size."
    from chainrule.program.buffers import in_buffers
    from chainrule.program.lists import outcome

    @beside
    def run(steps, fetches):
        from copy import deepcopy

        before = deepcopy((steps, fetches))
        return plan(steps, fetches), repr(before) == repr((steps, fetches))

    def judge(steps, fetches, feeds):
        of, kept = run(steps, fetches)
        found = in_buffers((steps, fetches), feeds, of)
        require(found["flaw"] == "", found["flaw"])
        same(kept, True, "are the lists that you were given as they were")
        computed = [step[0] for step in steps if step[1] not in ("input", "constant")]
        sizes = [value.nbytes for value in outcome((steps, computed), feeds)["values"]]
        return sum(sizes) - found["bytes"]

    steps = [("x", "input", (), {"shape": (3,)}), ("a", "exp", ("x",), {})]
    steps += [("b", "sum", ("a",), {}), ("c", "tanh", ("a",), {})]
    steps += [("d", "add", ("c", "b"), {}), ("e", "exp", ("d",), {})]
    saved = judge(steps, ["e", "a"], {"x": np.array([1.0, 2.0, 3.0])})
    same(saved, 48, "bytes that are saved, with e and a fetched")
    ### BEGIN HIDDEN TESTS
    from chainrule.program.chance import draw

    saved = 0
    for size in (0, 3, 8, 30, 30, 60, 60, 120):
        saved += judge(*draw(rng, size))
    for shape in ((1, 3), (3, 1), (1, 1)):  # as many elements, another shape
        start = [("x", "input", (), {"shape": shape})]
        start += [
            ("s", "expand", ("x",), {"shape": (1, *shape)}),
            ("r", "sum", ("s",), {"axis": 0}),
        ]
        start += [("q", "sum", ("s",), {"axis": 1}), ("b", "add", ("q", "x"), {})]
        x = rng.normal(size=shape)
        judge([*start, ("c", "exp", ("b",), {})], ["c"], {"x": x})
        judge([*start, ("c", "add", ("r", "s"), {})], ["c"], {"x": x})
    require(saved > 100, f"only {saved} bytes were saved in eight programs")
    ### END HIDDEN TESTS


# %% tests="plan" behaviour="few" points=4
@autograder.test
def _(rng):
    "The buffers need as few bytes as possible."
    from chainrule.program.buffers import in_buffers
    from chainrule.program.chance import draw
    from chainrule.program.lists import EACH, outcome

    def judge(program, total):
        steps, fetches, feeds = program
        found = in_buffers((steps, fetches), feeds, call(plan, steps, fetches))
        require(found["flaw"] == "", found["flaw"])
        shown = "; ".join(f"{n} = {op}({', '.join(args)})" for n, op, args, _ in steps[:12])
        at_most(found["bytes"], total, f"bytes of all buffers for {shown}; fetched: {fetches}")

    steps = [("x", "input", (), {"shape": (4,)}), ("a", "exp", ("x",), {})]
    steps += [("b", "tanh", ("a",), {})]
    steps += [("c", "add", ("a", "b"), {}), ("d", "sum", ("c",), {}), ("e", "exp", ("x",), {})]
    steps += [("f", "add", ("e", "d"), {})]
    judge((steps, ["f"], {"x": np.array([1.0, 2.0, 3.0, 4.0])}), 2 * 32 + 8)
    ### BEGIN HIDDEN TESTS

    def check(steps, fetches, feeds):
        names = [step[0] for step in steps]
        value = dict(zip(names, outcome((steps, names), feeds)["values"], strict=True))
        last = {a: i for i, step in enumerate(steps) for a in (step[0], *step[2])}
        last |= dict.fromkeys(fetches, len(steps))
        free, total = {}, 0
        for i, (name, op, args, _) in enumerate(steps):
            if op in ("input", "constant"):
                continue
            own, size = {s[0] for s in steps if s[1] in ("input", "constant")}, value[name].nbytes
            dying = [a for a in set(args) - own if last[a] == i]
            over = [a for a in dying if op in EACH and value[a].shape == value[name].shape]
            dying = [a for a in dying if a not in over[:1]] + [name] * (last[name] == i)
            if not over:
                total += 0 if free.get(size) else size
                free[size] = max(0, free.get(size, 0) - 1)
            for a in dying:
                free[value[a].nbytes] = free.get(value[a].nbytes, 0) + 1
        judge((steps, fetches, feeds), total)

    for size in (5, 20, 40, 40, 80, 80):
        check(*draw(rng, size))
        check(*draw(rng, size, effects=0.0))
    dead = [(f"t{i}", "transpose", ("x",), {}) for i in range(6)]
    check([("x", "input", (), {"shape": (2, 3)}), *dead], [], {"x": rng.normal(size=(2, 3))})
    ### END HIDDEN TESTS


# %% tests="plan" behaviour="cases" points=2
@autograder.test
def _(rng):
    "In place only where it is allowed; fused steps, long chains and equal args are planned, too."
    from chainrule.program.buffers import in_buffers

    def judge(steps, fetches, shape, buffers):
        feeds = {"x": np.arange(1.0, 1.0 + np.prod(shape)).reshape(shape)}
        steps = [("x", "input", (), {"shape": shape}), *steps]
        found = in_buffers((steps, fetches), feeds, call(plan, steps, fetches))
        require(found["flaw"] == "", found["flaw"])
        words = ", ".join(f"{name} = {op}({', '.join(args)})" for name, op, args, _ in steps[1:5])
        same(found["buffers"], buffers, f"buffers for {words}; fetched: {', '.join(fetches)}")

    two = [("a", "exp", ("x",), {}), ("b", "transpose", ("a",), {})]
    judge(two, ["b"], (2, 2), 2)
    judge([*two, ("c", "multiply", ("b", "b"), {})], ["c"], (2, 2), 2)
    ### BEGIN HIDDEN TESTS
    inner = [("u", "exp", ("p",), {}), ("v", "add", ("u", "q"), {})]
    kernel = {"takes": ("p", "q"), "steps": inner, "gives": "v"}
    judge([*two, ("f", "fused", ("b", "a"), kernel)], ["f"], (2, 2), 2)
    judge([*two, ("f", "fused", ("b", "a"), kernel)], ["a", "f"], (2, 2), 2)
    judge([*two, ("f", "fused", ("b", "a"), kernel)], ["a", "b", "f"], (2, 2), 3)
    judge([("a", "exp", ("x",), {}), ("m", "matmul", ("a", "a"), {})], ["m"], (3, 3), 2)
    wide = [("a", "exp", ("x",), {}), ("r", "sum", ("a",), {"axis": 1, "keepdims": True})]
    judge([*wide, ("b", "add", ("r", "x"), {}), ("c", "tanh", ("b",), {})], ["c"], (2, 4), 2)
    judge([*wide, ("b", "add", ("r", "a"), {}), ("c", "tanh", ("r",), {})], ["c", "b"], (4, 1), 2)
    chain = [("n0", "exp", ("x",), {})]
    chain += [(f"n{i}", "tanh", (f"n{i - 1}",), {}) for i in range(1, 4000)]
    judge(chain, ["n3999"], (2,), 1)
    judge(chain, ["n0", "n3999"], (2,), 2)
    ### END HIDDEN TESTS


# %%
try:
    steps, fetches = prune(*share(*simplify(*fold(STEPS, FETCHES), RULES)))
    print("buffers:", plan(steps, fetches))
    print("and of the first program:", plan(STEPS, FETCHES))
except Exception as error:
    print("not yet:", error)

# %% [markdown]
# ## From Python to a program, once
#
# All this costs time, too: on the first page a compiler did more work than the program itself. It
# is **too costly to repeat each iteration**. That is the point of a static graph: it is compiled
# once and run a million times.
#
# But nobody likes to write lists of tuples. Lesson 12 built graphs by hand; today one writes a
# plain function, and `jit` ("just in time") takes the program out of it by **tracing**: it calls
# the function with boxes instead of arrays. A `Box` has a shape and a dtype, but no numbers. Each
# operation on it writes a step.

# %% given="box"
import linecache
import sys

LINES = {}  # name of a step -> the line of Python that made it


class Box:
    """A value that is not there yet. Operations on it become steps of a list."""

    def __init__(self, steps, name, shape, dtype=float):
        self.steps, self.name, self.shape, self.dtype = steps, name, tuple(shape), np.dtype(dtype)

    __array_ufunc__ = None  # so that array + box asks the box

    def __bool__(self):
        raise TypeError(f"{self.name!r} has no value yet")


# %% given="record"
def record(op, *args, **attrs):
    """Append a step; arrays and numbers among the args become constants. Return its Box."""
    steps = next(a.steps for a in args if isinstance(a, Box))
    boxes = [a if isinstance(a, Box) else constant(steps, a) for a in args]
    name = f"{op}_{len(steps)}"
    frame = sys._getframe(1)
    while frame.f_code.co_name in ("<lambda>", "exp", "tanh", "maximum"):
        frame = frame.f_back
    LINES[name] = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
    steps.append((name, op, tuple(b.name for b in boxes), attrs))
    return Box(steps, name, shape_of(op, [b.shape for b in boxes], attrs))


def constant(steps, value):
    """Append a constant with a copy of a value; return its Box."""
    value = np.array(value, dtype=float)
    steps.append((f"constant_{len(steps)}", "constant", (), {"value": value}))
    return Box(steps, steps[-1][0], value.shape)


# %% given="operators"
for word, op in (("add", "add"), ("sub", "subtract"), ("mul", "multiply"), ("pow", "power"),
                 ("truediv", "divide"), ("matmul", "matmul"), ("gt", "greater")):  # fmt: skip
    setattr(Box, f"__{word}__", lambda a, b, op=op: record(op, a, b))
    setattr(Box, f"__r{word}__", lambda a, b, op=op: record(op, b, a))
Box.__neg__ = lambda a: record("negative", a)
Box.T = property(lambda a: record("transpose", a))
Box.sum = lambda a, axis=None, keepdims=False: record("sum", a, axis=axis, keepdims=keepdims)


def exp(x):
    """e to the power of x, of a Box or of an array."""
    return record("exp", x) if isinstance(x, Box) else np.exp(x)


def tanh(x):
    """The hyperbolic tangent, of a Box or of an array."""
    return record("tanh", x) if isinstance(x, Box) else np.tanh(x)


def maximum(x, y):
    """The larger of both, of a Box or of an array."""
    return record("maximum", x, y) if isinstance(x, Box) else np.maximum(x, y)


# %%
traced = []
start = Box(traced, "x", (3,))
traced.append(("x", "input", (), {"shape": (3,)}))
result = exp(-(start**2)) / 2
print(*traced, "", f"the result is {result.name}, made by: {LINES[result.name]}", sep="\n")

# %% [markdown]
# A trace is right for *this* call. Another shape, another branch taken, another Python number in
# it, and the steps would be others. So with each trace `jit` remembers what it relied on, in
# **guards**. If the next call passes them the program runs, and Python is not asked again. If not,
# the function is traced once more, and both are kept.

# %% [markdown] prompt="jit"
# ### Exercise 8: jit with guards
#
# Write `jit(function, passes=())`. It returns a function with the same positional args, and the
# same results:
#
# * An arg that is an array (`np.ndarray`) becomes a `Box` with its shape and its dtype, over a step
#   `(name, "input", (), {"shape": ...})`, with a name for each. Any other arg (an `int`, `float`,
#   `bool`, `str`, `None`, or a tuple of these) is handed to the function as it is.
# * The function returns a Box, or a tuple of them. Where it returns an array or a number instead of
#   a Box, that is a constant of the program. (`constant` makes one.)
# * Then each pass is applied in turn: it takes steps and fetches and returns steps and fetches.
# * What is left is run by `run`, on the arrays of this call, with the numbers that are in them now.
#   (A pass may have dropped inputs, or put them in another order.) The jitted function returns an
#   array, or a tuple of arrays where the function returned a tuple: of float64, as all values of
#   programs are, and new in each call, so that they share no memory with anything.
#
# **Guards.** The function and the passes are called *once* for each combination of: how many args
# there are; the shape and the dtype of each array; type and value of everything else. 1, 1.0 and
# True are three values; so are 0.0 and −0.0, also inside a tuple; NaN is one. An array is no
# number, even if its shape is `()`. A later call with a combination that was there before calls
# neither function nor passes, however many others came in between.
#
# If function or pass raises, the error goes to the caller and nothing is remembered. Each `jit(f)`
# remembers on its own.

# %% [markdown] hint="jit"
# A dictionary: from guards to a program. The guards are a key: a tuple with an entry for each arg.
# For Python values, `repr` tells apart what `==` does not.

# %% [markdown] hint="jit"
# ```
# call                        guards of the args                         what happens
# f(zeros(3), 2)              array (3,) float64    | int 2              trace, run
# f(ones(3), 2)               array (3,) float64    | int 2              run
# f(ones((2, 3)), 2)          array (2, 3) float64  | int 2              trace, run
# f(ones(3), 2.0)             array (3,) float64    | float 2.0          trace, run
# f(zeros(3), 2)              array (3,) float64    | int 2              run
# ```

# %% [markdown] hint="jit"
# ```python
# def guard(arg):
#     return ("array", ...) if isinstance(arg, np.ndarray) else (type(arg), repr(arg))
#
# def jit(function, passes=()):
#     cache = {}                                # of this jitted function alone
#     def jitted(*args):
#         key = ...
#         if key not in cache:
#             ...                               # boxes, the call, constants, passes
#         ...                                   # feeds, run, copies
#     return jitted
# ```


# %% exercise="jit" minutes=25 difficulty=3 importance=5 allow="numpy"
def jit(function, passes=()):
    """Return a function that traces `function` once for each kind of arguments, then runs that."""
    ### BEGIN SOLUTION
    cache = {}

    def guard(arg):
        if isinstance(arg, np.ndarray):
            return "array", arg.shape, arg.dtype
        return type(arg), repr(arg)

    def trace(args):
        steps, given = [], []
        for place, arg in enumerate(args):
            if isinstance(arg, np.ndarray):
                steps.append((f"arg{place}", "input", (), {"shape": arg.shape}))
                arg = Box(steps, f"arg{place}", arg.shape, arg.dtype)
            given.append(arg)
        out = function(*given)
        results = out if isinstance(out, tuple) else (out,)
        boxes = [r if isinstance(r, Box) else constant(steps, r) for r in results]
        program = steps, [box.name for box in boxes]
        for one in passes:
            program = one(*program)
        return program, isinstance(out, tuple)

    def jitted(*args):
        key = tuple(guard(arg) for arg in args)
        if key not in cache:
            cache[key] = trace(args)
        (steps, fetches), several = cache[key]
        values = run(steps, fetches, {f"arg{place}": arg for place, arg in enumerate(args)})
        values = tuple(np.array(value) for value in values)
        return values if several else values[0]

    return jitted
    ### END SOLUTION


# %% tests="jit" behaviour="values" points=3
@autograder.test
def _(rng):
    "A jitted function gives what the function gives: fresh arrays, or a tuple of them."

    @beside
    def run(source, calls):
        import numpy as np

        function = eval(source, {"exp": exp, "tanh": tanh, "maximum": maximum, "np": np})
        jitted = jit(function)
        results = [jitted(*args) for args in calls]
        flat = [r if type(r) is tuple else (r,) for r in results]
        every = [array for arrays in flat for array in arrays]
        every += [arg for args in calls for arg in args if isinstance(arg, np.ndarray)]
        pairs = [(a, b) for i, a in enumerate(every) for b in every[:i]]
        return results, sum(np.shares_memory(a, b) for a, b in pairs)

    def judge(source, oracle, calls):
        expected = [oracle(*args) for args in calls]
        same(run(source, calls), (expected, 0), f"results of {source}; how many share memory")

    x, y = np.array([1.0, 2.0]), np.array([3.0, 5.0])
    judge("lambda x, k: x * k + 1", lambda x, k: x * k + 1, [(x, 2), (y, 2), (x, 3)])
    judge("lambda x: (x, x + x, 4.0)", lambda x: (x, x + x, np.array(4.0)), [(x,), (y,)])
    ### BEGIN HIDDEN TESTS
    for n, m in ((1, 1), (2, 3), (4, 4)):
        a, b = rng.normal(size=(2, n, m))
        w = rng.normal(size=(m, 2))
        judge("lambda x, w: maximum(x @ w, 0.0).sum(axis=1)",
              lambda x, w: np.maximum(x @ w, 0.0).sum(axis=1),
              [(a, w), (b, w), (a, -w)])  # fmt: skip
        judge("lambda w, x, s: (exp(-x) / s, (w.T * s).sum())",
              lambda w, x, s: (np.exp(-x) / s, np.asarray((w.T * s).sum())),
              [(w, a, 2.0), (w, b, 0.5), (-w, a, 2.0), (w, a, 0.5)])  # fmt: skip
        judge("lambda x: x", lambda x: x, [(a,), (b,), (a,)])
        judge("lambda x, y: (y,)", lambda x, y: (y,), [(a, b), (b, a)])
        judge("lambda x: (lambda y: (y, y, x))(x + 1.0)", lambda x: (x + 1.0, x + 1.0, x), [(a,)])
        judge("lambda x: np.ones(3) if x.shape[0] > 1 else 2",
              lambda x: np.ones(3) if x.shape[0] > 1 else np.array(2.0), [(a,), (b,)])  # fmt: skip
    judge("lambda x, how: x.sum() if how == 'sum' else x * 2 if how is None else -x",
          lambda x, how: np.asarray(x.sum()) if how == "sum" else x * 2 if how is None else -x,
          [(x, "sum"), (x, None), (y, "no"), (y, "sum"), (np.array(3.0), None)])  # fmt: skip
    judge("lambda x, sizes: x * sizes[0] + sizes[1][0]", lambda x, s: x * s[0] + s[1][0],
          [(x, (2, (3.0,))), (y, (2, (3.0,))), (y, (2, (-3.0,)))])  # fmt: skip
    judge("lambda k, x: exp(x) * k", lambda k, x: np.exp(x) * k, [(2.0, x), (2.0, y)])
    judge("lambda x, k: x * k if k > 1.5 else -x", lambda x, k: x * k if k > 1.5 else -x,
          [(x, 2.5), (y, 1.0), (y, 2), (x, True)])  # fmt: skip
    judge("lambda x: x * (2 if x.dtype == np.float32 else 3)",
          lambda x: np.asarray(x * (2 if x.dtype == np.float32 else 3), dtype=float),
          [(x,), (x.astype(np.float32),), (y,), (y.astype(np.int64),)])  # fmt: skip

    @beside
    def changed(x, y):
        x, jitted = x.copy(), jit(lambda x: (x * 3.0, 2.0))
        first = jitted(x)
        x += y
        second = jitted(x)
        return first, second

    x, y = rng.normal(size=(2, 3, 2))
    expected = (x * 3.0, np.array(2.0)), ((x + y) * 3.0, np.array(2.0))
    same(changed(x, y), expected, "results of an array before and after it was changed in place")
    ### END HIDDEN TESTS


# %% tests="jit" behaviour="guards" points=4
@autograder.test
def _(rng):
    "The function is called once for each combination of guards, whatever comes in between."

    @beside
    def run(calls, tell):
        def function(*args):
            tell()
            return 1 / args[-1] if type(args[-1]) is float and args[-1] != 0.0 else args[0] * 1.0

        jitted, counts = jit(function), []
        for args in calls:
            jitted(*args)
            counts.append(tell())
        return counts

    def judge(calls, traces):
        tell = callback(lambda: tell.calls)
        got, expected = run(calls, tell), np.cumsum(np.array(traces) + 1).tolist()
        shown = [" ".join(str(arg).replace("\n", "") for arg in args)[:40] for args in calls[:9]]
        what = "calls of the function and of the check itself, after each of the calls with "
        same(got, expected, what + "; ".join(shown))

    x, y = np.array([1.0, 2.0]), np.array([[1.0, 2.0]])
    judge([(x, 1), (-x, 1), (x, 2), (y, 1), (x, 1), (y, 1)], [1, 0, 1, 1, 0, 0])
    judge([(x, 1), (x, 1.0), (x, True), (x, 1)], [1, 1, 1, 0])
    ### BEGIN HIDDEN TESTS
    judge([(x, 0.0), (x, -0.0), (x, 0), (x, False), (x, -0.0), (x, 0.0)], [1, 1, 1, 1, 0, 0])
    judge([(x, (1, 0.0)), (x, (1, -0.0)), (x, (1.0, 0.0)), (x, (1, (0.0,))), (x, (1, 0.0))],
          [1, 1, 1, 1, 0])  # fmt: skip
    judge(
        [(x, float("nan")), (x, float("nan")), (x, "nan"), (x, None), (x, "None")], [1, 0, 1, 1, 1]
    )
    judge([(x, 1), (x, "1"), (x,), (x, x), (x, 1), (x,), (-x, x)], [1, 1, 1, 1, 0, 0, 0])
    judge([(x, None), (x,), (x, None, None), (x, "sum"), (x, "max"), (x, "sum")],
          [1, 1, 1, 1, 1, 0])  # fmt: skip
    judge([(x, 1), (x.astype("float32"), 1), (x.astype("int64"), 1), (x, 1)], [1, 1, 1, 0])
    judge([(np.array(2.0), 1), (x, 2.0), (np.array(3.0), 1), (x[:1], 1), (x[:0], 1),
           (x[:1] + 1, 1)], [1, 1, 0, 1, 1, 0])  # fmt: skip
    judge([(y, y.T), (y.T, y), (y, y.T), (y.T, y.T), (y, y)], [1, 1, 0, 1, 1])
    many = [(np.ones(n), n % 7) for n in range(1, 301)]
    judge([*many, *many], [1] * 300 + [0] * 300)
    ### END HIDDEN TESTS


# %% tests="jit" behaviour="passes" points=3
@autograder.test
def _(rng):
    "Each pass is applied once for each trace, in turn, and the program that comes out is run."

    @beside
    def run(calls, first, second):
        jitted = jit(lambda x, k: exp(x) * k, [first, second])
        return [jitted(*args) for args in calls]

    def judge(calls, traces):
        def to_tanh(steps, fetches):
            return [(n, "tanh" if op == "exp" else op, *rest) for n, op, *rest in steps], fetches

        def negated(steps, fetches):
            shown = [op for _, op, *_ in steps if op not in ("input", "constant")]
            require(shown == ["tanh", "multiply"], f"the second pass is given {shown}")
            return [*steps, ("last", "negative", (fetches[0],), {})], ["last"]

        first, second = callback(to_tanh), callback(negated)
        expected = [np.asarray(-(np.tanh(x) * k)) for x, k in calls]
        same(run(calls, first, second), expected, "results with passes: exp to tanh, then negate")
        same([first.calls, second.calls], [traces, traces], "how often both passes were called")

    x, y = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    judge([(x, 2), (y, 2), (x, 2), (x, 3)], 2)
    ### BEGIN HIDDEN TESTS
    arrays = [rng.normal(size=size) for size in ((3,), (3,), (2, 2), (), (2, 2), (3,), ())]
    judge([(a, 2.5) for a in arrays], 3)
    judge([(a, 4) for a in arrays[:1] * 20], 1)

    def turned(steps, fetches):
        used = {a for _, _, args, _ in steps for a in args}
        inputs = [step for step in steps if step[1] == "input" and step[0] in used]
        return [*inputs[::-1], *(step for step in steps if step[1] != "input")], fetches

    @beside
    def other(calls, turned):
        jitted = jit(lambda x, y, z: x - 2.0 * z, (turned,))
        return [jitted(*args) for args in calls]

    calls = [tuple(rng.normal(size=(3, 2))) for _ in range(3)]
    expected = [x - 2.0 * z for x, _, z in calls]
    same(other(calls, callback(turned)), expected, "x - 2 z, where a pass drops y and turns inputs")
    ### END HIDDEN TESTS


# %% tests="jit" behaviour="apart" points=2
@autograder.test
def _(rng):
    "Two jitted functions share nothing, and what raised is not remembered."

    @beside
    def run(x, k):
        counts = [0, 0]

        def one(x, k):
            counts[0] += 1
            if counts[0] < 3:
                raise LookupError("not now")
            return x * k

        def two(x, k):
            counts[1] += 1
            return x + k

        first, second, again, seen = jit(one), jit(two), jit(two), []
        for jitted in (first, first, first, second, first, again, second):
            try:
                seen.append(jitted(x, k))
            except Exception as error:
                seen.append(type(error).__name__)
        return seen, counts

    def judge(x, k):
        times, plus, error = x * k, x + k, "LookupError"
        expected = [error, error, times, plus, times, plus, plus], [3, 2]
        same(run(x, k), expected, "errors and results of three functions; calls of the first two")

    judge(np.array([1.0, 2.0]), 3)
    ### BEGIN HIDDEN TESTS
    judge(rng.normal(size=(2, 3)), 0.5)

    @beside
    def passes(x):
        fail, counts, seen = [True], [0, 0], []

        def double(x):
            counts[0] += 1
            return x * 2.0

        def fails(steps, fetches):
            counts[1] += 1
            if fail[0]:
                raise LookupError("not now")
            return steps, fetches

        jitted = jit(double, [fails])
        for _ in range(2):
            try:
                jitted(x)
            except Exception as error:
                seen.append(type(error).__name__)
        fail[0] = False
        return [*seen, jitted(x), jitted(x)], counts

    x = rng.normal(size=3)
    expected = ["LookupError", "LookupError", 2 * x, 2 * x], [3, 3]
    same(passes(x), expected, "where a pass raises twice: results; calls of function and pass")
    ### END HIDDEN TESTS


# %% [markdown]
# This `jit` is blind for one thing. A number that the function takes from *outside* is baked into
# the program, and no guard looks at it. PyTorch guards such numbers too; JAX says that functions
# must not do this. Lesson 14 has more of these traps.

# %%
scale = 2.0
try:
    scaled = jit(lambda x: x * scale)
    print(scaled(np.ones(2)))
    scale = 100.0
    print(scaled(np.ones(2)), "although scale is", scale)
except Exception as error:
    print("not yet:", error)

# %% [markdown]
# ## Whose fault was it?
#
# The price comes when something goes wrong. The user wrote a line. The program that runs has other
# steps in another order, fused into kernels; the traceback ends somewhere in the compiler. "Static
# graphs are hard to debug", says the lecture, and this is why.
#
# The remedy is old: a **source map**. `record` noted in `LINES` for each step which line made it.
# Passes keep the names of the steps that they keep, and inside of fused kernels the names are still
# there. So one can go back.

# %% [markdown] prompt="locate"
# ### Exercise 9: back to the line
#
# Write `checked_run(steps, fetches, feeds, lines)`. It gives what `run` gives, for programs without
# effects; `lines` is a dictionary from names to lines of source. It computes the steps one after
# the other, and those inside of a `"fused"` step one after the other too, by `compute`. (There may
# be fused steps inside of fused steps.) At the *first* of them that goes wrong it raises:
#
# * if computing the step raises: a `RuntimeError` from this error (`raise ... from error`);
# * if some number in its value is NaN or infinite, while all numbers in its args are finite: a
#   `FloatingPointError`. (If the args have NaN or infinity already, nobody is to blame here. Inputs
#   and constants may have them.)
#
# The message contains the op of the step, for instance `divide`, and `lines[name]`. A step that is
# not in `lines` was made by a pass; then the message contains the words `made by the compiler`.
# Never is it the line of the whole kernel.

# %% [markdown] hint="locate"
# A fused step has a list of steps, and names for what it takes. That is a program, with values that
# are there before it begins. So one function that computes a list of steps can call itself.

# %% [markdown] hint="locate"
# ```
# c = fused(x, s)   takes (p, q)    a = subtract(p, p)      3 - 3 = 0
#                                   b = divide(a, q)        0 / 0 = NaN    args finite: here!
#                                   c = exp(b)              NaN            args not finite
#
# lines["b"] = "z = (x - mean) / std"
# FloatingPointError: divide gave NaN or infinity, from: z = (x - mean) / std
# ```

# %% [markdown] hint="locate"
# ```python
# def walk(steps, values):                    # values: name -> array; what is there already
#     for name, op, args, attrs in steps:
#         if op == "fused":
#             inner = walk(attrs["steps"], ...)
#             ...
#         else:
#             try: ...
#             ...                             # finite?  np.isfinite(...).all()
# ```


# %% exercise="locate" minutes=15 difficulty=3 importance=4 allow="numpy chainrule -chainrule.compiler"
def checked_run(steps, fetches, feeds, lines):
    """Run a program; an error names the line that made the step where things went wrong."""
    ### BEGIN SOLUTION

    def walk(steps, values):
        for name, op, args, attrs in steps:
            where = f"{op}, from: {lines.get(name, 'made by the compiler')}"
            if op == "input":
                values[name] = np.asarray(feeds[name], dtype=float)
            elif op == "constant":
                values[name] = attrs["value"]
            elif op == "fused":
                inner = {take: values[a] for take, a in zip(attrs["takes"], args, strict=True)}
                values[name] = walk(attrs["steps"], inner)[attrs["gives"]]
            else:
                given = [values[a] for a in args]
                try:
                    values[name] = compute(op, given, attrs)
                except Exception as error:
                    raise RuntimeError(f"{where}: {error}") from error
                if all(np.isfinite(x).all() for x in given):  # noqa: SIM102
                    if not np.isfinite(values[name]).all():
                        raise FloatingPointError(f"NaN or infinity out of {where}")
        return values

    values = walk(steps, {})
    return [values[name] for name in fetches]
    ### END SOLUTION


# %% tests="locate" behaviour="values" points=2
@autograder.test
def _(rng):
    "Where nothing goes wrong the values are those of run, with fused steps in fused steps, too."

    def judge(x, y, fetches):
        inner = {"takes": ("p",), "steps": [("t", "tanh", ("p",), {})], "gives": "t"}
        body = [("u", "subtract", ("b", "a"), {}), ("x", "fused", ("u",), inner),
                ("w", "multiply", ("x", "a"), {})]  # fmt: skip
        steps = [("x", "input", (), {"shape": x.shape}), ("y", "input", (), {"shape": y.shape})]
        kernel = {"takes": ("a", "b"), "steps": body, "gives": "w"}
        steps += [("c", "constant", (), {"value": np.array([np.inf])})]
        steps += [("k", "fused", ("x", "y"), kernel), ("s", "sum", ("k",), {"axis": 0})]
        k = np.tanh(y - x) * x
        every = {"x": x, "y": y, "k": k, "s": np.asarray(k.sum(axis=0)), "c": np.array([np.inf])}
        got = call(checked_run, steps, fetches, {"x": x, "y": y}, {"k": "k = ..."})
        same(got, [every[name] for name in fetches], f"values of {', '.join(fetches)}")

    judge(np.array([1.0, 2.0]), np.array([3.0, 5.0]), ["k", "s"])
    ### BEGIN HIDDEN TESTS
    for shape in ((1,), (2, 3), (3, 1), (0,)):
        x, y = rng.normal(size=(2, *shape))
        judge(x, y, ["s", "k", "k", "y", "c", "x"])
    judge(np.full(2, np.nan), np.ones(2), ["s", "k"])
    start = [("x", "input", (), {"shape": (2,)})]
    got = call(checked_run, start, ["x"], {"x": [1, 2]}, {})
    same(got, [np.array([1.0, 2.0])], "the value of an input that is fed as a list, as in run")
    large = np.array([1.5e308, -1.0, 1.5e308])
    got = call(checked_run, [*start, ("n", "negative", ("x",), {})], ["n"], {"x": large}, {})
    same(got, [-large], "the value of -x, where the sum of x would be infinite")
    ### END HIDDEN TESTS


# %% tests="locate" behaviour="line" points=3
@autograder.test
def _(rng):
    "The first step that makes NaN or infinity out of finite numbers is named by its line."

    @beside
    def run(*case):
        try:
            return "nothing was raised", repr(checked_run(*case))
        except Exception as error:
            return type(error).__name__, str(error)

    def judge(x, y, guilty, lines, op):
        body = [("d", "subtract", ("p", "q"), {}), ("r", "divide", ("one", "d"), {}),
                ("e", "exp", ("r",), {}), ("n", "sqrt", ("q",), {}),
                ("w", "add", ("e", "n"), {})]  # fmt: skip
        one = ("one", "constant", (), {"value": np.array(1.0)})
        kernel = {"takes": ("p", "q", "one"), "steps": body, "gives": "w"}
        steps = [("x", "input", (), {"shape": (2,)}), ("y", "input", (), {"shape": (2,)}), one]
        steps += [("k", "fused", ("x", "y", "one"), kernel), ("z", "exp", ("k",), {})]
        kind, words = run(steps, ["z"], {"x": x, "y": y}, lines)
        what = f"x = {x}, y = {y}: expected FloatingPointError for {guilty!r}, came {kind}: {words}"
        named = [text for text in lines.values() if text in words]
        require(kind == "FloatingPointError" and op in words, what)
        require(named == [lines[guilty]] if guilty in lines else named == [], what)
        require(guilty in lines or "made by the compiler" in words, what)

    lines = {"d": "far = x - y", "r": "near = 1 / far", "e": "big = exp(near)", "k": "whole kernel",
             "n": "root = sqrt(y)", "w": "big + root", "z": "exp(w)"}  # fmt: skip
    judge(np.array([1.0, 2.0]), np.array([3.0, 2.0]), "r", lines, "divide")
    judge(np.array([1.0, 2.0]), np.array([-3.0, 1.0]), "n", lines, "sqrt")
    ### BEGIN HIDDEN TESTS
    judge(np.array([1.0, 2.0]), np.array([1.0, 1.9999]), "r", lines, "divide")
    judge(np.array([9.0, 2.0]), np.array([1.0, 1.9999]), "e", lines, "exp")
    judge(np.array([9.0, 1e308]), np.array([1.0, -1e308]), "d", lines, "subtract")
    judge(np.array([2.0, 5.0]), np.array([1.9, 4.0]), "z", lines, "exp")
    judge(np.array([np.nan, 2.0]), np.array([1.0, -2.0]), "n", lines, "sqrt")
    short = {"e": lines["e"], "k": lines["k"], "z": lines["z"]}
    judge(np.array([1.0, 2.0]), np.array([3.0, 2.0]), "r", short, "divide")
    judge(np.array([1.0, 2.0]), np.array([-3.0, 1.0]), "n", short, "sqrt")
    x, lines = np.array([1.0, 0.0]), {"q": "q = y / x", "g": "g = q > x", "t": "t = sqrt(q)"}
    inside = [("q", "divide", ("y", "x"), {}), ("g", "greater", ("q", "x"), {})]
    kernel = {"takes": ("x", "y"), "steps": inside, "gives": "g"}
    start = [(n, "input", (), {"shape": (2,)}) for n in "xy"]
    late = [inside[0], ("s", "sum", ("q",), {"axis": 0.5})]
    for steps, fetches in (([("g", "fused", ("x", "y"), kernel)], ["g"]), (inside, ["g"]),
                           (inside[:1], ["x"]), (inside[:1], []), (late, ["s"])):  # fmt: skip
        kind, words = run([*start, *steps], fetches, {"x": x, "y": x + 1.0}, lines)
        what = "expected FloatingPointError from 'q = y / x', which is infinite, whoever uses it; "
        what += f"came {kind}: {words}"
        require(kind == "FloatingPointError" and "divide" in words, what)
        require([text for text in lines.values() if text in words] == ["q = y / x"], what)
    ### END HIDDEN TESTS


# %% tests="locate" behaviour="errors" points=2
@autograder.test
def _(rng):
    "Where a step cannot be computed, a RuntimeError from that error names its line."

    @beside
    def run(*case):
        try:
            return "nothing was raised", repr(checked_run(*case)), ""
        except Exception as error:
            return type(error).__name__, str(error), type(error.__cause__).__name__

    def judge(sizes, nested, lines):
        body = [("d", "subtract", ("p", "p"), {}), ("m", "multiply", ("d", "q"), {}),
                ("w", "add", ("m", "m"), {})]  # fmt: skip
        kernel = {"takes": ("p", "q"), "steps": body, "gives": "w"}
        outer = {"takes": ("x", "y"), "steps": [("k", "fused", ("x", "y"), kernel)], "gives": "k"}
        last = ("k2", "fused", ("x", "y"), outer) if nested else ("k", "fused", ("x", "y"), kernel)
        if nested is None:
            last = ("m", "multiply", ("x", "y"), {})
        steps = [(name, "input", (), {"shape": (n,)}) for name, n in zip("xy", sizes, strict=True)]
        feeds = {name: np.arange(float(n)) for name, n in zip("xy", sizes, strict=True)}
        kind, words, cause = run([*steps, last], [last[0]], feeds, lines)
        what = f"expected RuntimeError from ValueError for 'm', came {kind} from {cause}: {words}"
        require(kind == "RuntimeError" and cause == "ValueError" and "multiply" in words, what)
        named = [text for text in ("made by the compiler", *lines.values()) if text in words]
        require(named == [lines.get("m", "made by the compiler")], what)

    lines = {"d": "d = x - x", "m": "m = d * y", "w": "w = m + m", "k": "k = whole(x, y)"}
    judge((2, 3), False, lines)
    ### BEGIN HIDDEN TESTS
    judge((2, 3), True, {**lines, "k2": "k2 = outer(x, y)"})
    judge((4, 5), None, lines)
    judge((4, 5), True, {"k": "k = whole(x, y)", "w": "w = m + m"})
    steps = [("x", "input", (), {"shape": (2,)}), ("s", "sum", ("x",), {"axis": 0.5})]
    got = run(steps, ["x"], {"x": np.ones(2)}, {"s": "s = x.sum(half)"})
    what = f"expected RuntimeError from TypeError for 's = x.sum(half)', came {got}"
    require((got[0], got[2]) == ("RuntimeError", "TypeError") and "x.sum(half)" in got[1], what)
    ### END HIDDEN TESTS


# %% [markdown]
# Now everything at once: a Python function, traced, optimized, fused, run with an error in it.


# %%
def standardized(x, scale):
    far = x - x.sum() / 3.0
    spread = (far * far).sum() / 3.0
    z = far / spread * scale
    return tanh(z) + exp(-z)


inputs = [("x", "input", (), {"shape": (3,)})]
try:
    result = standardized(Box(inputs, "x", (3,)), 2.0)
    program = fuse(*prune(*share(*simplify(*fold(inputs, [result.name]), RULES))))
    print(*(f"{name} = {op}{args}" for name, op, args, _ in program[0]), sep="\n")
    print(checked_run(*program, {"x": np.array([1.0, 2.0, 4.0])}, LINES))
    checked_run(*program, {"x": np.array([5.0, 5.0, 5.0])}, LINES)
except Exception as error:
    print(type(error).__name__, error, sep=": ")

# %% [markdown]
# ## The two-layer net, pass by pass
#
# Lesson 12 ended its gradients with a promise: there were silly nodes in the graph of the lecture's
# net, and a program could remove them. Here is that graph, 64 examples, 1000 inputs, 100 hidden
# units, 10 outputs, with the gradients that the library makes and the step of gradient descent.
# The lines that today's idea changes:
#
# ```diff
#  loss = sum((maximum(x @ w1, 0) @ w2 - y) ** 2)
#  slope1, slope2 = gradients(loss, [w1, w2])
# -for step in range(500):
# -    loss, w1, w2 = run(steps, fetches, feeds)
# +program = steps, fetches
# +for one in (fold, simplify, share, prune, fuse):
# +    program = one(*program)                      # once
# +for step in range(500):
# +    loss, w1, w2 = run(*program, feeds)          # 500 times
# ```


# %%
def as_lists(program):
    """Return a program of the library as steps and fetches in the form of this lesson."""
    known = {"_permute": "transpose", "relu": "maximum", "placeholder": "input"}
    steps, name_of = [], {}
    for place, step in enumerate(program.steps):
        args = []
        for i in step.inputs:
            args.append(name_of.get(i) if type(i) is not float and type(i) is not int else None)
            if args[-1] is None:
                args[-1] = f"number_{len(steps)}"
                steps.append((args[-1], "constant", (), {"value": np.array(float(i))}))
        if step.op == "cast":  # here comparisons give numbers at once
            name_of[place] = args[0]
            continue
        op = known.get(step.op, step.op)
        attrs = {"shape": step.shape} if op in ("input", "expand") else {}
        attrs |= {k: v for k, v in step.options.items() if k in ("axis", "keepdims", "value")}
        name_of[place] = step.name
        steps.append((step.name, op, tuple(args), attrs))
    return steps, [name_of[i] for i in program.fetches]


# %%
import chainrule as cr
from chainrule import graph

rng = np.random.default_rng(0)
sizes = {"x": (64, 1000), "y": (64, 10), "w1": (1000, 100), "w2": (100, 10)}
feeds = {name: rng.standard_normal(size) for name, size in sizes.items()}
with graph.Graph().as_default():
    x, y, w1, w2 = (graph.placeholder("float64", size, name=name) for name, size in sizes.items())
    loss = cr.sum((cr.maximum(x @ w1, 0) @ w2 - y) ** 2)
    slope1, slope2 = graph.gradients(loss, [w1, w2])
    net = as_lists(graph.lower([loss, w1 - 1e-6 * slope1, w2 - 1e-6 * slope2]))
print(*(f"{name} = {op}{args}" for name, op, args, _ in net[0]), sep="\n")

# %%
SQUARE = (("power", "x", 2.0), ("multiply", "x", "x"))  # exact if a power of 2 is a product, too


def shapes_in(steps):
    """Return the shape of each value by its name."""
    shapes = {}
    for name, op, args, attrs in steps:
        shapes[name] = shape_of(op, [shapes[a] for a in args], attrs)
    return shapes


def row(title, steps, fetches):
    """Print counts and bytes; own: with a buffer for each value; shared: as `plan` says."""
    shapes, of = shapes_in(steps), plan(steps, fetches)
    sizes = [(number, 8 * int(np.prod(shapes[name]))) for name, number in of.items()]
    own, shared = sum(size for _, size in sizes), sum(dict(sizes).values())
    print(f"{title:9}{len(steps):7}{kernels(steps):9}{traffic(steps):11}{own:11}{shared:11}")


# %%
def simplified(steps, fetches):
    return simplify(steps, fetches, [*RULES, SQUARE])


print(f"{'after':9}{'steps':>7}{'kernels':>9}{'moved':>11}{'own':>11}{'shared':>11}   (bytes)")
try:
    program = net
    row("tracing", *program)
    for one in (fold, simplified, share, prune, fuse):
        program = prune(*one(*program))  # so that what is left over does not count
        row(one.__name__, *program)
    gaps = [
        np.max(np.abs(a - b)) for a, b in zip(run(*net, feeds), run(*program, feeds), strict=True)
    ]
    print("largest differences of loss, w1, w2:", *gaps)
except Exception as error:
    print("not yet:", type(error).__name__, error)

# %% [markdown]
# Read the columns one by one. Kernels: 25 become 16. Bytes: a quarter less, for most bytes are
# those of x and w1, which the matmuls must read whatever one does; elementwise steps are a small
# part of *this* net. `share` finds equal constants only, for whoever wrote these gradients took
# care to reuse what is there. Memory: what a plan shares is worth more than all passes before it,
# and it hardly profits from fusion, because elementwise steps work in place already. A deep net
# with small matmuls would give another table. A compiler's gain depends on the program, and so one
# counts.


# %% [markdown] prompt="once_or_each_time"
# ### In your own words
#
# A colleague has read this lesson and says: "So eager frameworks are a mistake. They could run all
# these passes before each step of training, and `jit` should be on everywhere." Answer in at most
# eight sentences. Say what is wrong with the first proposal, name one program for which `jit` gains
# nothing or does harm, and say what you would do while you look for an error.

# %% [markdown] written="once_or_each_time" points=4
# ### BEGIN SOLUTION
# Passes look at every step several times, match patterns and build a new program. That is more work
# than most steps themselves, so they pay only if the program that comes out runs many times; an
# eager framework makes a new graph in each iteration and would pay each time. Besides, when it
# computes a line it does not know the next one, so it cannot know what is dead or may be fused.
# `jit` gains nothing where the guards fail all the time: a net on sentences of ever new lengths is
# traced anew for each length. It gains nothing either where one large matmul takes all the time, as
# in the two-layer net. It does harm where the function depends on something that no guard
# sees: in this lesson the value of `scale` was baked in. While I look for an error I run the
# function eagerly: the traceback ends in my line, and the values are there to be printed. In the
# compiled program that line may be part of a kernel, renamed, or gone, unless a source map was
# kept.
# ### END SOLUTION
#
# ### BEGIN MARK SCHEME
# * 1 point: compiling costs more than running once, so it must be done once and used often.
# * 1 point: an eager framework does not see the program as a whole (dead code, fusion, reuse).
# * 1 point: a fitting program for which `jit` gains nothing or does harm, with the reason (guards
#   that fail, values baked in, time spent in matmuls, used once).
# * 1 point: debug eagerly, or with a source map, with the reason.
# ### END MARK SCHEME

# %% [markdown]
# ## What it bought, what it cost
#
# | | bought | cost |
# |---|---|---|
# | passes | less to do, written once, for all programs | rules must be exact, or said not to be |
# | fusion | values that never reach memory | what runs is not what you wrote |
# | plan | a peak known before the run | values to look at are overwritten |
# | compile once | passes may be slow | the first call is slow; so is every new shape |
# | jit | one writes plain Python | a trace is one path, with its numbers baked in |
# | source map | errors with a line again | every pass must carry it along |

# %% [markdown]
# ## What history did with it
#
# * **1971** Frances Allen and John Cocke write "A catalogue of optimizing transformations".
#   Folding, common subexpressions and dead code are in it. **1981** Gregory Chaitin colors graphs
#   to let variables share registers; exercise 7 is his problem in its easy form, on a line.
# * **2010** Theano is a compiler for formulas: it rewrites the graph, fuses elementwise steps and
#   writes C and CUDA ([al-Rfou and others, 2016](https://arxiv.org/abs/1605.02688), is its
#   summary). Compiling took its time, and errors named nodes that nobody had written. Hence its
#   flags `optimizer=fast_compile` and `exception_verbosity=high`.
# * **2017** XLA compiles TensorFlow's graphs: fusion first of all. **2018** TVM
#   ([Chen and others](https://arxiv.org/abs/1802.04799)) searches for the best loop for each
#   kernel.
# * **2018** PyTorch 1.0 brings **TorchScript**: `torch.jit.script` reads the source of a Python
#   function and compiles it as a language of its own, `torch.jit.trace` watches one call. Today it
#   is deprecated. In the same year JAX's `jit`, then in **2019** TensorFlow's `@tf.function`
#   ([Agrawal and others](https://arxiv.org/abs/1903.01855)): trace, guard by shape and dtype,
#   compile.
# * **2021** `torch.fx` ([Reed and others](https://arxiv.org/abs/2112.08429)): a graph of six kinds
#   of nodes, as plain as ours, for people who write their own passes.
# * **2023** PyTorch 2.0 brings `torch.compile` ([Ansel and others,
#   2024](https://doi.org/10.1145/3620665.3640366)). It reads Python's bytecode while it runs, takes
#   out what it understands as FX graphs, and leaves the rest to Python: *graph breaks*. So a
#   program stays as dynamic as it was. It compiles what it can.

# %% [markdown]
# ## Now in PyTorch and TensorFlow
#
# Not graded. A layer in the manner of the first page, as others see it. Its exp is for nobody, and
# one tanh would do.
#
# ### `torch.fx` and `torch.compile`


# %%
def layer(x, w, relu, tanh, exp):
    h = relu(x @ w)
    a = tanh(h * 1.0)
    b = tanh(h)
    exp(a + b)
    return -(a + b)


rng = np.random.default_rng(0)
x, w = rng.standard_normal((64, 100)), rng.standard_normal((100, 10)) / 10
expected = -2 * np.tanh(np.maximum(x @ w, 0))


def largest_gap(value):
    """Return the largest difference of a tensor or array to the expected values."""
    value = np.asarray(value)
    return float(np.abs(value - expected[: len(value)]).max())


# %%
HOW = "is not installed here, so this part is left out"
try:
    import torch
    import torch.fx

    def in_torch(x, w):
        return layer(x, w, torch.relu, torch.tanh, torch.exp)

    tensors = torch.tensor(x), torch.tensor(w)
    seen = torch.fx.symbolic_trace(in_torch)
    print(seen.code, f"torch.fx: {len(seen.graph.nodes)} nodes,", end=" ")
    seen.graph.eliminate_dead_code()
    print(len(seen.graph.nodes), "after eliminate_dead_code")
    print("largest difference:", largest_gap(seen(*tensors)))
except ImportError:
    torch = None
    print("PyTorch", HOW)

# %% [markdown]
# `torch.fx` traces with proxies, as `Box` does, into six kinds of nodes, and has one pass of its
# own. It is meant for yours. `torch.compile` hands such a graph to a **backend**. The usual one,
# Inductor, simplifies, shares, fuses, plans buffers and writes C++ or Triton; it needs a compiler
# on the machine. But any function can be a backend. So here are *your* passes as a backend of
# `torch.compile`:


# %%
def to_steps(graph, sizes):
    """Return the steps of an FX graph that has only a few operations, and its fetches."""
    import operator

    names = {operator.mul: "multiply", operator.add: "add", operator.neg: "negative",
             operator.matmul: "matmul", torch.tanh: "tanh", torch.exp: "exp"}  # fmt: skip
    steps, fetches = [], []
    for node in graph.nodes:
        if node.op == "placeholder":
            steps.append((node.name, "input", (), {"shape": sizes.pop(0)}))
        elif node.op == "call_function":
            args = [a.name if isinstance(a, torch.fx.Node) else constant(steps, a).name
                    for a in node.args]  # fmt: skip
            if node.target is torch.relu:
                args.append(constant(steps, 0.0).name)
            steps.append((node.name, names.get(node.target, "maximum"), tuple(args), {}))
        else:
            fetches = [result.name for result in node.args[0]]
    return steps, fetches


# %%
def backend(module, examples):
    """Compile an FX graph with the passes of this lesson."""
    steps, fetches = to_steps(module.graph, [tuple(e.shape) for e in examples])
    program = fuse(*prune(*share(*simplify(*fold(steps, fetches), RULES))))
    print(f"  compiled: {kernels(steps)} kernels became {kernels(program[0])}")
    names = [name for name, op, *_ in steps if op == "input"]

    def compiled(*tensors):
        feeds = {name: tensor.numpy() for name, tensor in zip(names, tensors, strict=True)}
        return [torch.from_numpy(np.array(value)) for value in run(*program, feeds)]

    return compiled


if torch is not None:
    try:
        quick = torch.compile(in_torch, backend=backend, dynamic=False)
        for rows in (64, 64, 32):
            value = quick(tensors[0][:rows], tensors[1])
            print(rows, "rows; largest difference:", largest_gap(value))
    except Exception as error:
        print("not yet:", type(error).__name__, str(error)[:200])

# %% [markdown]
# The second call did not compile: its guards held. The third had another shape, so they failed.
# (Without `dynamic=False` PyTorch would now try one graph for any number of rows.)
#
# And a function with an `if` that depends on a number:


# %%
def two_parts(x):
    y = torch.tanh(x)
    if y.sum() > 0:
        y = y + 1.0
    return y * 2.0


if torch is not None:
    import torch._dynamo

    told = torch._dynamo.explain(two_parts)(torch.ones(3))
    print(f"torch.compile: {told.graph_count} graphs, {told.graph_break_count} graph break,")
    print(*(f"graph {i}: {len(ops)} ops" for i, ops in enumerate(told.ops_per_graph)), sep="\n")

# %% [markdown]
# ### TorchScript: `torch.jit.script`
#
# TorchScript reads the source instead. It has its own passes, which run when the function has been
# called a few times. It is deprecated, and says so in a warning, which is silenced here.

# %%
if torch is not None:
    import warnings

    def in_script(x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
        h = torch.relu(x @ w)
        a, b = torch.tanh(h * 1.0), torch.tanh(h)
        torch.exp(a + b)
        return -(a + b)

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            script = torch.jit.script(in_script)
        for _call in range(3):
            value = script(*tensors)
        for when, graph_of in (("at first", script.graph), ("then", script.graph_for(*tensors))):
            kinds = [node.kind() for node in graph_of.nodes() if "Constant" not in node.kind()]
            print(f"TorchScript {when}:", *kinds)
        print("largest difference:", largest_gap(value))
    except Exception as error:
        print("torch.jit.script does not run here:", str(error)[:200])

# %% [markdown]
# The exp was dropped as soon as the source was read. But h · 1 stays here, and so do two tanh.
#
# ### `@tf.function` and Grappler
#
# TensorFlow calls its passes Grappler. They run when a session or a `tf.function` starts.

# %%
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
try:
    import tensorflow as tf

    v1 = tf.compat.v1

    @tf.function(autograph=False)
    def in_tensorflow(x, w):
        return layer(x, w, tf.nn.relu, tf.tanh, tf.exp)

    concrete = in_tensorflow.get_concrete_function(tf.constant(x), tf.constant(w))
    print("tf.function:", *(node.type for node in concrete.graph.get_operations()))
    with v1.Graph().as_default(), v1.Session() as session:
        tf.graph_util.import_graph_def(concrete.graph.as_graph_def(), name="")
        said = v1.RunMetadata()
        options = v1.RunOptions(output_partition_graphs=True)
        holes = dict(zip([hole.name for hole in concrete.inputs], (x, w), strict=True))
        value = session.run(concrete.outputs[0].name, holes, options=options, run_metadata=said)
    print("after Grappler:", *(node.op for part in said.partition_graphs for node in part.node))
    print("largest difference:", largest_gap(value), largest_gap(in_tensorflow(x, w)))
except ImportError:
    print("TensorFlow", HOW)

# %% [markdown]
# Grappler found what you found: no product with one, one tanh, no exp. (It also makes 2 · t out of
# t + t, which is exact, as you know.) All of them agree on the values.
#
# What none of these programs does is look at a number while it runs. How a net can depend on its
# input all the same, is lesson 14.
