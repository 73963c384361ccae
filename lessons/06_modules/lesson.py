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
#     title: Modules
#     minutes: 210
#     needs: [autograd_engine, custom_functions]
#     covers:
#       three levels of abstraction: Three levels of abstraction
#       nn: layers
#       Module contains weights or Modules: registry
#       custom modules: blocks
#       Sequential: layers
#       no need to define backward: No need to define backward
# ---

# %% [markdown]
# # Modules: from functions to layers
#
# The net has learned to differentiate itself. One list in it is still kept by hand: the weights.
# Here is a small net with four of them, trained twice. One of the two runs has forgotten a weight.
# Which?

# %% given="setup"
import contextlib
import math

import numpy as np

import autograder
import chainrule as cr
from chainrule.nn import Parameter
from chainrule.nn.registry import Registry as Sound  # for the checks


# %%
def train(trained, steps=300):
    rng = np.random.default_rng(0)
    x = cr.tensor(rng.standard_normal((64, 8)))
    y = cr.tensor(rng.standard_normal((64, 2)))
    w1, w2 = cr.tensor(rng.standard_normal((8, 16))), cr.tensor(rng.standard_normal((16, 2)))
    weights = {"w1": w1, "b1": cr.zeros(16), "w2": w2, "b2": cr.zeros(2)}
    for weight in weights.values():
        weight.requires_grad_(True)
    for step in range(steps + 1):
        h_relu = cr.relu(x @ weights["w1"] + weights["b1"])
        loss = ((h_relu @ weights["w2"] + weights["b2"] - y) ** 2).mean()
        if step % 100 == 0:
            print(f"{loss.item():8.4f}", end="")
        loss.backward()
        with cr.no_grad():
            for name, weight in weights.items():
                if name in trained:
                    weight -= 0.01 * weight.grad
                weight.grad = None
    print()


train(["w1", "b1", "b2"])
train(["w1", "b1", "w2", "b2"])

# %% [markdown]
# Both losses fall. Nothing is raised, nothing warns. The first list has no `w2`, and its net is a
# little worse, as a net sometimes is. The lecture's VGG16 has 32 such arrays (13 convolutions and 3
# dense layers, a weight and a bias each), the smallest GPT-2 has 148 (12 in each of 12 blocks, and
# 4 around them). Nobody should keep that list.
#
# In PyTorch nobody does. One writes
#
# ```python
# self.linear1 = Linear(1000, 100)
# ```
#
# an assignment like any other, and from then on `model.parameters()` knows two more arrays,
# `model.eval()` reaches the layer, and a checkpoint holds `linear1.weight` under that name. So how
# can an assignment know? And what does a program gain when it does?
#
# In this lesson you write `Module`, the class behind it, in about a hundred lines, and nets of it.
# Two sittings of an hour and three quarters; the break is marked.

# %% [markdown]
# ## Three levels of abstraction
#
# The lecture presents PyTorch as three objects, one on top of the other:
#
# | level | what it is | the lecture's words | here |
# |---|---|---|---|
# | Tensor | numbers and arithmetic | "imperative ndarray but runs on GPU" | `ndarray` |
# | Variable | a node in a graph | "stores data and gradient" | `cr.Tensor`, lesson 04 |
# | Module | a layer | "may store state or learnable weights" | this lesson |
#
# (The first two are one class in PyTorch since 2018, as lesson 04 tells.) Each level forgets
# something of the one below. A tensor forgets which loop computes a sum; a node forgets which rule
# differentiates it; a module forgets which weights are in it. You ask for `model(x)` and for
# `model.parameters()`, and do not want to know.
#
# The lecture says what a module may hold: "Modules can contain weights (as variables) or other
# Modules." That makes a tree. So there are two things to build: a node that knows what is in it,
# and walks over the tree.

# %% [markdown]
# ## An assignment that looks
#
# In Python, `net.w = value` calls `type(net).__setattr__(net, "w", value)`. Usually that is
# `object`'s, which writes into `net.__dict__`. A class may have its own. Then *it* decides what an
# assignment does. Reading is less symmetric: `net.w` looks into `net.__dict__` and the class first,
# and only if nothing is there does Python ask `__getattr__`. And `del net.w` calls `__delattr__`.


# %%
class Noisy:
    def __setattr__(self, name, value):
        print("setting", name)
        object.__setattr__(self, name, value)  # what would have happened anyway

    def __getattr__(self, name):
        print("nothing called", name)
        raise AttributeError(name)


noisy = Noisy()
noisy.w = 3.0
print(noisy.w, hasattr(noisy, "b"))

# %% [markdown]
# So an object can keep its weights apart from its other attributes: in a dict of their own, in the
# order in which they came. A module has three such dicts.
#
# | dict | holds | is it trained? | is it saved? |
# |---|---|---|---|
# | `_parameters` | `Parameter`s, which are tensors that say "I am a weight" | yes | yes |
# | `_buffers` | other tensors that belong to the state, a running mean say | no | yes |
# | `_modules` | other modules | | |
#
# `Parameter` is a subclass of `cr.Tensor` without anything of its own but that meaning: a *plain*
# tensor set as an attribute is no weight. The dicts exist from `__init__` on, and a buffer enters
# by a call, because nothing about a tensor says that it is one:


# %% given="store"
class Store:
    """Three dicts, a flag, and what a call and `del` do; everything else is yours."""

    def __init__(self):
        self.__dict__.update(_parameters={}, _buffers={}, _modules={}, training=True)

    def register_buffer(self, name, tensor):
        self._buffers[name] = tensor

    def __delattr__(self, name):
        if kind := registered(self, name):
            del self.__dict__[kind][name]
        else:
            object.__delattr__(self, name)

    def __call__(self, *args, **kwargs):
        return self.forward(*args, **kwargs)


KINDS = {"_parameters": Parameter, "_modules": Store, "_buffers": cr.Tensor}


def registered(module, name):
    """Return in which dict of `module` a name stands, "_parameters" for example, or None."""
    return next((kind for kind in KINDS if name in module.__dict__.get(kind, {})), None)


# %% given="plant"
def plant(part, paths, base=None):
    """For the checks: modules by path, of your `part` on a sound base; the first path is ""."""
    if base is None:
        from chainrule.nn.registry import Registry as base
    nets = {path: type("Net", (part, base), {})() for path in paths}
    for path in paths[1:]:
        parent, _, name = path.rpartition(".")
        nets[parent]._modules[name] = nets[path]
    return nets


# %% [markdown]
# **How you are graded.** As in lesson 01: a check shows a case or two, and asks the same of fresh
# ones when your notebook is graded ([how you are graded](../../docs/how_you_are_graded.md)). In
# the checks, `same(came, expected, what)` compares and `beside` runs a function next to your code.
# You write `Module` in parts, a class each. Every part is checked by itself, on a sound version of
# the others, so that a slip in exercise 1 costs nothing in exercise 3. What an exercise builds is
# taken out of `chainrule` while it is graded: where a card says "without", that part is missing.

# %% [markdown] prompt="registry"
# ### Exercise 1: the registry
#
# This is the heart of the lesson. Write `__setattr__` and `__getattr__` of `Registry`. A *module*
# is an instance of `Store` or of a subclass; a name is *registered* if it stands in `_parameters`,
# `_modules` or `_buffers`.
#
# **Setting**, `net.name = value`:
#
# * A `Parameter` (or an instance of a subclass of it) goes into `_parameters`, a module into
#   `_modules`, under the attribute's name. It stands nowhere else: if the name was a plain
#   attribute or stood in another dict, it is gone from there.
# * Any other value: if the name is registered, only its own kind or `None` may take the place, and
#   goes into the same dict. (The kind of a buffer is `cr.Tensor`.) Everything else raises
#   `TypeError` with the name in its message, and changes nothing.
# * If it is not registered, the value becomes a plain attribute in `net.__dict__`: numbers, plain
#   tensors, functions, lists whatever is in them, objects that only look like modules.
# * Each dict is in the order in which its names first came; a new value for an old name takes the
#   old one's place.
# * Before `Store.__init__` ran there are no dicts. Then a `Parameter` or a module raises
#   `AttributeError` with `__init__` in its message, and any other value becomes a plain attribute.
#
# **Reading**, `net.name`, gives what the dicts hold at that moment, also where somebody wrote into
# a dict directly; `None` too. A name that is nowhere raises `AttributeError` with the class's and
# the attribute's name in its message, so `hasattr` works; before `__init__` as well.
#
# `del net.name` is given, and works if each name stands in one place. Each object has dicts of its
# own. Allowed are NumPy and `chainrule`.

# %% [markdown] hint="registry"
# First find the dict to which the value belongs, if any. There are two ways to belong: by what the
# value is (a Parameter, a module), or by its name, if that is registered already. The first wins.

# %% [markdown] hint="registry"
# ```
#  net.w = value
#      │
#      ▼
#  Parameter or module? ──no──►  w registered? ──no──►  object.__setattr__
#      │ yes                         │ yes
#      ▼                             ▼
#  are there dicts yet?          None, or of that dict's kind? ──no──►  TypeError
#      │ no     │ yes                │ yes
#      ▼        └─────────┬──────────┘
#  AttributeError         ▼
#              out of the place where w was, if another; into the dict
# ```
# `__getattr__` is only asked when Python's usual places have nothing. In it, `self._parameters`
# asks again if that is missing too, without end. `self.__dict__` is always there.

# %% [markdown] hint="registry"
# ```python
# def __setattr__(self, name, value):
#     old = registered(...)
#     home = ...                       # "_parameters", "_modules", or else old
#     if ...:                          # a plain attribute
#         return object.__setattr__(...)
#     if ...:                          # too early
#         raise AttributeError(...)
#     if ...:                          # of the wrong kind
#         raise TypeError(...)
#     if old != ...:
#         ...                          # out of where it was: a dict, or self.__dict__
#     ...
#
#
# def __getattr__(self, name):
#     kind = registered(...)
#     if ...:
#         return ...
#     raise AttributeError(...)
# ```


# %% exercise="registry" minutes=25 difficulty=4 importance=5 allow="numpy chainrule -chainrule.nn.registry -chainrule.nn.module"
class Registry(Store):
    """An object that finds out which weights and which modules are in it."""

    def __setattr__(self, name, value):
        ### BEGIN SOLUTION
        old = registered(self, name)
        home = next((k for k in ("_parameters", "_modules") if isinstance(value, KINDS[k])), old)
        if home is None:
            return object.__setattr__(self, name, value)
        if home not in self.__dict__:
            raise AttributeError(f"call super().__init__() before setting {name!r}")
        if not isinstance(value, (KINDS[home], type(None))):
            raise TypeError(f"{name!r} stands in {home}, which takes no {type(value).__name__}")
        if old != home:
            (self.__dict__[old] if old else self.__dict__).pop(name, None)
        self.__dict__[home][name] = value
        ### END SOLUTION

    def __getattr__(self, name):
        ### BEGIN SOLUTION
        if kind := registered(self, name):
            return self.__dict__[kind][name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        ### END SOLUTION


# %% tests="registry" behaviour="assigned" points=2
@autograder.test
def _(rng):
    "A Parameter or a module that is set stands in its dict, in order, and can be read."

    @beside
    def run(kinds):
        import chainrule as cr

        net, other, made = Registry(), Registry(), {}
        for name, kind in kinds.items():
            zeros = cr.zeros(*[(2,), (), (0,), (3, 1)][len(made) % 4])
            made[name] = Parameter(zeros) if kind == "parameter" else Registry()
            setattr(net, name, made[name])
        read = [name for name in made if getattr(net, name, None) is made[name]]
        places = net._parameters, net._modules, net._buffers, other._parameters, other._modules
        return [read, *map(list, places)]

    what = "what can be read, _parameters, _modules, _buffers; and another object's first two"
    kinds = {"w": "parameter", "inner": "module", "b": "parameter"}
    expected = [["w", "inner", "b"], ["w", "b"], ["inner"], [], [], []]
    same(run(kinds), expected, what)
    ### BEGIN HIDDEN TESTS
    for count in (0, 1, 5, 12):
        names = [f"{'n_'[i % 2]}{i}" for i in rng.permutation(20)[:count]]
        kinds = {name: ("parameter", "module")[int(rng.integers(2))] for name in names}
        lists = [[n for n in names if kinds[n] == kind] for kind in ("parameter", "module")]
        same(run(kinds), [names, *lists, [], [], []], what)

    @beside
    def special():
        import chainrule as cr

        class Scale(Parameter):
            pass

        class Deep(Registry):
            def __init__(self):
                super().__init__()
                self.weight = Scale(cr.ones(3), requires_grad=False)
                self.count = 3

        net, plain = Deep(), Store()
        net.inner = Deep()
        net.plain = plain
        found = list(net._parameters), list(net._modules), sorted(net.__dict__)
        own = [net.inner.weight is net.weight, net.inner.count, net.plain is plain]
        net._parameters["weight"] = net._modules["inner"] = None
        return *found, own, [net.weight, net.inner]

    places = ["_buffers", "_modules", "_parameters", "count", "training"]
    expected = ["weight"], ["inner", "plain"], places, [False, 3, True], [None, None]
    words = "_parameters, _modules and __dict__ of a subclass with a frozen parameter and modules; "
    words += "what is read; what is read after None was written into the dicts"
    same(special(), expected, words)
    ### END HIDDEN TESTS


# %% tests="registry" behaviour="plain" points=1
@autograder.test
def _(rng):
    "Numbers, plain tensors, functions and lists are plain attributes, beside a registered weight."

    @beside
    def run():
        import chainrule as cr

        net = Registry()
        net.w = Parameter(cr.zeros(2))
        values = {"rate": 0.5, "x": cr.zeros(3), "layers": [Registry(), net.w], "none": None}
        for name, value in values.items():
            setattr(net, name, value)
        read = [getattr(net, name) is value for name, value in values.items()]
        plain = [name for name in values if name in net.__dict__]
        return read, plain, list(net._parameters), list(net._modules), list(net._buffers)

    everything = ["rate", "x", "layers", "none"]
    what = "what can be read, what is in __dict__, _parameters, _modules, _buffers"
    same(run(), ([True] * 4, everything, ["w"], [], []), what)
    ### BEGIN HIDDEN TESTS

    @beside
    def more(number):
        import chainrule as cr

        net = Registry()
        net.w = Parameter(cr.zeros(2))
        values = [number, "text", cr.tensor([1.0], requires_grad=True), net.w * 2, (net.w,)]
        values += [{"m": Registry()}, Registry, Parameter, len, True, [Parameter(cr.zeros(1))]]
        like = {"_parameters": {}, "_modules": {}, "training": True, "forward": len}
        values += [type("Other", (), {**like, "__call__": len, "parameters": len})()]
        for place, value in enumerate(values):
            setattr(net, f"v{place}", value)
            net.last = value
        net.training = False
        read = [getattr(net, f"v{place}") is value for place, value in enumerate(values)]
        dicts = list(net._parameters), list(net._modules), list(net._buffers)
        del net.v0
        return read, dicts, net.last is values[-1], net.training, hasattr(net, "v0")

    expected = [True] * 12, (["w"], [], []), True, False, False
    words = "what can be read, the three dicts, whether the last of several values is read, "
    same(more(float(rng.normal())), expected, words + "training, and whether a deleted one is left")
    ### END HIDDEN TESTS


# %% tests="registry" behaviour="again" points=2
@autograder.test
def _(rng):
    "Set again: the same kind takes the place in the order, another kind moves, none stays behind."

    @beside
    def run(steps):
        import chainrule as cr

        net, make = Registry(), {"parameter": Parameter, "tensor": cr.Tensor}
        for name, kind in steps:
            value = Registry() if kind == "module" else make[kind]([0.0])
            setattr(net, name, value)
            if getattr(net, name) is not value:
                return f"reading {name} gave an old value"
        own = [name for name in net.__dict__ if name in dict(steps)]
        return list(net._parameters), list(net._modules), own

    what = "_parameters, _modules, and what is in __dict__"
    steps = [("a", "parameter"), ("b", "parameter"), ("a", "parameter"), ("c", "module")]
    same(run(steps), (["a", "b"], ["c"], []), what)
    steps += [("b", "module"), ("d", "tensor"), ("d", "parameter")]
    same(run(steps), (["a", "d"], ["c", "b"], []), what)
    ### BEGIN HIDDEN TESTS
    for length in (3, 6, 10, 20, 40):
        steps, places = [], {"parameter": [], "module": [], "tensor": []}
        for _ in range(length):
            name = "abcd"[int(rng.integers(4))]
            old = next((kind for kind, names in places.items() if name in names), None)
            kinds = ("parameter", "module", "tensor")[: 2 if old in ("parameter", "module") else 3]
            kind = kinds[int(rng.integers(len(kinds)))]
            steps.append((name, kind))
            if old != kind:
                places[kind].append(name)
                if old:
                    places[old].remove(name)
        same(run(steps), tuple(places.values()), f"after {steps}: {what}")

    @beside
    def buffers(value):
        import chainrule as cr

        net = Registry()
        net.register_buffer("mean", cr.tensor(value))
        net.register_buffer("sum", None)
        first = net.mean.data + 0
        net.mean = cr.tensor(2 * value)
        net.sum = cr.tensor(3 * value)
        now = [list(net._buffers), list(net._parameters), net.mean.data, net.sum.data]
        net.mean = Parameter(cr.tensor(value))
        net.sum = Registry()
        return first, now, [list(net._buffers), list(net._parameters), list(net._modules)]

    v = rng.normal(size=3)
    expected = v, [["mean", "sum"], [], 2 * v, 3 * v], [[], ["mean"], ["sum"]]
    what = "a buffer, the dicts and buffers after they were set again, then as other kinds"
    same(buffers(v), expected, what)
    ### END HIDDEN TESTS


# %% tests="registry" behaviour="guarded" points=2
@autograder.test
def _(rng):
    "A registered name takes its own kind or None; else TypeError names it, and nothing changes."

    @beside
    def run(what, value):
        import chainrule as cr

        kinds = {"weight": Parameter(cr.ones(2)), "module": Registry(), "tensor": cr.ones(2)}
        net = Registry()
        net.weight, net.module = kinds["weight"], kinds["module"]
        net.register_buffer("tensor", kinds["tensor"])
        plain = set(net.__dict__)
        try:
            setattr(net, what, kinds.get(value, value) if isinstance(value, str) else value)
            told = "no error"
        except TypeError as error:
            told = "TypeError names it" if what in str(error) else "TypeError does not name it"
        kept = [name for name, old in kinds.items() if getattr(net, name) is old]
        return told, kept, [list(getattr(net, k)) for k in KINDS], set(net.__dict__) == plain

    what = "the error; what is as before; the three dicts; is __dict__ as before"
    rest = ["weight", "module", "tensor"], [["weight"], ["module"], ["tensor"]], True
    same(run("weight", "tensor"), ("TypeError names it", *rest), f"weight set to a tensor: {what}")
    same(run("module", 3), ("TypeError names it", *rest), f"module set to 3: {what}")
    same(run("weight", None), ("no error", rest[0][1:], *rest[1:]), f"weight set to None: {what}")
    ### BEGIN HIDDEN TESTS
    for name in ("weight", "module", "tensor"):
        for value in (3, 0.0, "", "text", [1.0], False, rng.normal(size=2)):
            same(run(name, value), ("TypeError names it", *rest), f"{name} = {value!r}: {what}")
        left = [other for other in rest[0] if other != name]
        same(run(name, None), ("no error", left, *rest[1:]), f"{name} = None: {what}")
    same(run("module", "tensor"), ("TypeError names it", *rest), f"module set to a tensor: {what}")

    @beside
    def emptied():
        import chainrule as cr

        net = Registry()
        net.w, net.m = Parameter(cr.ones(2)), Registry()
        net.w = net.m = None
        told = []
        for name in ("w", "m"):
            try:
                setattr(net, name, cr.ones(2))
                told.append("no error")
            except TypeError:
                told.append("TypeError")
        back = Parameter(cr.ones(1))
        net.w = back
        return told, list(net._parameters), list(net._modules), net.w is back, net.m

    expected = ["TypeError"] * 2, ["w"], ["m"], True, None
    same(emptied(), expected, "tensors for names that hold None; the dicts; a parameter put back")
    ### END HIDDEN TESTS


# %% tests="registry" behaviour="deleted" points=1
@autograder.test
def _(rng):
    "After `del` a name is gone from everywhere, and set again it comes last."

    @beside
    def run(names, gone):
        import chainrule as cr

        net = Registry()
        for name in names:
            setattr(net, name, Parameter(cr.zeros(1)))
            setattr(net, name + "_module", Registry())
        before = [getattr(net, name) is net._parameters[name] for name in names]
        delattr(net, gone)
        delattr(net, gone + "_module")
        left = hasattr(net, gone), hasattr(net, gone + "_module"), list(net._parameters)
        setattr(net, gone, Parameter(cr.ones(1)))
        return all(before), left, list(net._parameters), len(net._modules)

    what = "read at first; what is left after del; the order when it is set again; modules left"
    expected = True, (False, False, ["b", "c"]), ["b", "c", "a"], 2
    same(run(["a", "b", "c"], "a"), expected, what)
    ### BEGIN HIDDEN TESTS
    for count in (1, 4, 9):
        names = [f"w{i}" for i in rng.permutation(20)[:count]]
        gone = names[int(rng.integers(count))]
        left = [name for name in names if name != gone]
        same(run(names, gone), (True, (False, False, left), [*left, gone], count - 1), what)
    ### END HIDDEN TESTS


# %% tests="registry" behaviour="missing" points=1
@autograder.test
def _(rng):
    "Where nothing is, AttributeError names class and attribute; what is there can be read."

    @beside
    def run(name):
        import chainrule as cr

        class TinyNet(Registry):
            pass

        net = TinyNet()
        net.w = Parameter(cr.zeros(1))
        told = []
        for module in (net, TinyNet.__new__(TinyNet)):
            try:
                told.append(f"found {getattr(module, name)!r}")
            except AttributeError as error:
                words = str(error)
                told.append("names both" if "TinyNet" in words and name in words else words)
        there = hasattr(net, "w") and net.w is net._parameters.get("w")
        return told, hasattr(net, name), there, getattr(net, name, "default")

    what = "read with __init__ and before it; hasattr; is w read from its dict; with a default"
    same(run("bias"), (["names both", "names both"], False, True, "default"), what)
    ### BEGIN HIDDEN TESTS
    for name in ("weight", f"layer{int(rng.integers(100))}", "_hidden", "__len__"):
        same(run(name), (["names both", "names both"], False, True, "default"), f"{name}: {what}")
    ### END HIDDEN TESTS


# %% tests="registry" behaviour="too_early" points=1
@autograder.test
def _(rng):
    "Before `super().__init__()` a weight or module is refused with a word on it, a number is not."

    @beside
    def run(kind, number):
        import chainrule as cr

        class Hasty(Registry):
            def __init__(self, value):
                self.size = number
                self.early = value
                super().__init__()

        value = {"parameter": Parameter(cr.zeros(1)), "module": Registry()}.get(kind, number)
        try:
            net = Hasty(value)
        except AttributeError as error:
            return "AttributeError mentions __init__" if "__init__" in str(error) else str(error)
        return net.size, net.early, list(net._parameters), list(net._modules)

    same(run("parameter", 3), "AttributeError mentions __init__", "a Parameter set too early")
    same(run("module", 3), "AttributeError mentions __init__", "a module set too early")
    same(run("number", 3), (3, 3, [], []), "a number set early: size, early, _parameters, _modules")
    ### BEGIN HIDDEN TESTS
    number = int(rng.integers(1000))
    same(run("parameter", number), "AttributeError mentions __init__", "a Parameter set too early")
    same(run("number", number), (number, number, [], []), "a number set early")

    @beside
    def early():
        import chainrule as cr

        values, found = [cr.zeros(2), None, [Parameter(cr.zeros(1))], "text", len], []
        for value in values:
            net = Registry.__new__(Registry)
            net.early = value
            found.append(net.__dict__.get("early", 0) is value)
        return found

    what = "a plain tensor, None, a list, a text, a function, set early: are they in __dict__?"
    same(early(), [True] * 5, what)
    ### END HIDDEN TESTS


# %% [markdown]
# Watch it once:


# %%
class Layer(Registry):
    def __init__(self, d_in, d_out):
        super().__init__()
        self.weight = Parameter(cr.zeros(d_out, d_in))
        self.bias = Parameter(cr.zeros(d_out))


net = Registry()
net.first, net.second = Layer(3, 4), Layer(4, 1)
net.scale = Parameter(cr.ones(1))
net.rate = 0.1
net.register_buffer("mean", cr.zeros(3))
for kind in KINDS:
    print(f"{kind:12}", list(getattr(net, kind)))
print(f"{'first':12}", list(net.first._parameters))

# %% [markdown]
# The guard against other kinds deserves a second look. `net.scale = net.scale - 0.1 * grad` is how
# one writes a step of gradient descent on paper. Its right side is a plain tensor; were it let in,
# the weight would silently stop being one. With the guard, the mistake has a line number.
#
# ## Walks over the tree
#
# Everything else that a module can do is a walk. The net above is a tree:
#
# ```
# net                     scale
# ├── first               weight, bias
# └── second              weight, bias
# ```
#
# A weight is named by the way to it, with dots: `first.weight`. Two details make it interesting.
# Weights are *shared*: a language model often uses one matrix for words at its input and output
# (Press and Wolf, 2017, [Using the output embedding](https://arxiv.org/abs/1608.05859)). An
# optimizer that got it twice would step twice. And two weights can be *equal* without being one:
# all biases that start as zeros are.

# %% [markdown] prompt="walks"
# ### Exercise 2: names for everything
#
# Write the three methods of `Walks`. They only use the three dicts, which every module has. Each
# gives pairs of a name and an object (as a generator or a list, as you like):
#
# * `named_modules()`: the module itself, under the name `""`, and all modules below. A parent comes
#   before its children; a child and everything below it come before the next child; children are in
#   the order of `_modules`.
# * `named_parameters()`: module by module in that order, the parameters of each, in the order of
#   `_parameters`, whether they require gradients or not.
# * `named_buffers()`: the same for `_buffers`.
#
# Names are the ways to the objects, joined by dots: `second`, `second.weight`; of the module itself
# just `weight`. Places that hold `None` are left out.
#
# An object that can be reached in several ways, whether module, parameter or buffer, is given once,
# under the name that comes first. That holds even where a module is reached from itself. Objects
# are told apart by identity: equal numbers do not make two weights one.
#
# Trees in the checks are up to 50 deep. They are made of a class that has your three methods and
# nothing else. Allowed are NumPy and `chainrule`.

# %% [markdown] hint="walks"
# Write `named_modules` first; it is the only walk. The other two go through what it gives.

# %% [markdown] hint="walks"
# ```
# to visit (last first)            given              seen
# ("", net)
# (second), (first)                "", net            net
# (second)                         first              net, first
#                                  second             net, first, second
# ```
# A stack gives what is put on it last, so put the children on it in reverse. `id(module)` in a set
# remembers who was there; `p in list_of_parameters` would compare numbers.

# %% [markdown] hint="walks"
# ```python
# def named_modules(self):
#     waiting, seen = [("", self)], set()
#     while waiting:
#         path, module = ...
#         if ...:                          # None, or seen before
#             continue
#         ...
#         yield path, module
#         for name, child in reversed(module._modules.items()):
#             waiting.append(...)
#
#
# def _named(self, kind):                  # kind is "_parameters" or "_buffers"
#     for path, module in self.named_modules():
#         for name, value in module.__dict__[kind].items():
#             ...
# ```


# %% exercise="walks" minutes=20 difficulty=3 importance=5 allow="numpy chainrule -chainrule.nn.registry -chainrule.nn.module"
class Walks:
    def named_modules(self):
        ### BEGIN SOLUTION
        todo, seen = [("", self)], set()
        while todo:
            path, module = todo.pop()
            if module is not None and id(module) not in seen:
                seen.add(id(module))
                yield path, module
                below = [(f"{path}.{name}", child) for name, child in module._modules.items()]
                todo += [(name.lstrip("."), child) for name, child in reversed(below)]
        ### END SOLUTION

    def named_parameters(self):
        ### BEGIN SOLUTION
        return self._members("_parameters")
        ### END SOLUTION

    def named_buffers(self):
        ### BEGIN SOLUTION
        return self._members("_buffers")

    def _members(self, kind):
        seen = {id(None)}
        for path, module in self.named_modules():
            for name, value in getattr(module, kind).items():
                if id(value) not in seen:
                    seen.add(id(value))
                    yield f"{path}.{name}".lstrip("."), value
        ### END SOLUTION


# %% tests="walks" behaviour="modules" points=2
@autograder.test
def _(rng):
    "`named_modules` gives itself and all below by dotted names, parents first, in order."

    @beside
    def run(paths, start):
        nets = plant(Walks, paths, Store)
        labels = {id(net): path for path, net in nets.items()}
        found = nets[start].named_modules()
        if found is None:
            return "nothing: is there a return or a yield?"
        return [[name, labels.get(id(module), "a stranger")] for name, module in found]

    what = "names, and which modules"
    paths = ["", "first", "second", "first.deep", "second.deep"]
    ways = ["", "first", "first.deep", "second", "second.deep"]
    same(run(paths, ""), [[path, path] for path in ways], what)
    same(run(paths, "first"), [["", "first"], ["deep", "first.deep"]], f"from first: {what}")
    same(run([""], ""), [["", ""]], f"a module with nothing in it: {what}")
    ### BEGIN HIDDEN TESTS

    def oracle(paths, start, path):
        found = [[path, f"{start}.{path}".strip(".")]]
        for other in paths[1:]:
            if other.rpartition(".")[0] == found[0][1]:
                found += oracle(paths, start, other.removeprefix(start).strip("."))
        return found

    for count in (2, 5, 12, 50):
        paths = [""]
        for i in range(1, count):
            parent = paths[int(rng.integers(max(0, i - 4), i))]
            paths.append(f"{parent}.{'xyz0'[int(rng.integers(4))]}{i}".strip("."))
        for start in ("", paths[int(rng.integers(1, count))]):
            same(run(paths, start), oracle(paths, start, ""), what)
    chain = ["", *(".".join(["in"] * i) for i in range(1, 50))]
    same(run(chain, ""), [[path, path] for path in chain], f"{what}, 50 deep")

    @beside
    def grown():
        import chainrule as cr

        nets, fresh = (plant(Walks, paths, Store) for paths in (["", "a", "a.b"], [""]))
        net, fresh, found = nets[""], fresh[""], []
        for name in ("late", "later"):
            walks = net.named_modules(), net.named_parameters(), net.named_buffers()
            found.append([[path for path, _ in walk] for walk in walks])
            nets["a"]._parameters[name], nets["a"]._buffers[name] = Parameter([0.0]), cr.zeros(1)
            nets["a"]._modules[name] = nets["a.b"] if name == "later" else fresh
        return found

    before, after = [["", "a", "a.b"], [], []], [["", "a", "a.b", "a.late"], ["a.late"], ["a.late"]]
    same(
        grown(), [before, after], "the names of modules, parameters, buffers before and after more"
    )
    ### END HIDDEN TESTS


# %% tests="walks" behaviour="parameters" points=2
@autograder.test
def _(rng):
    "`named_parameters` gives each module's own, then those below, by dotted names, in order."

    @beside
    def run(table, wanted):
        nets, weights = plant(Walks, list(table), Store), {}
        for path, names in table.items():
            for name in names:
                weight = Parameter([0.0], requires_grad=len(weights) % 2 == 0)
                weights[f"{path}.{name}"] = nets[path]._parameters[name] = weight
        labels = {id(weight): label for label, weight in weights.items()}
        found = nets[wanted].named_parameters()
        if found is None:
            return "nothing: is there a return or a yield?"
        return [[name, labels.get(id(p), "a stranger")] for name, p in found]

    table = {"": ["scale"], "first": ["w", "b"], "first.in": ["w"], "last": ["w"]}
    expected = [["scale", ".scale"], ["first.w", "first.w"], ["first.b", "first.b"]]
    expected += [["first.in.w", "first.in.w"], ["last.w", "last.w"]]
    same(run(table, ""), expected, "names, and which parameters")
    same(run(table, "first.in"), [["w", "first.in.w"]], "those of the inner module")
    ### BEGIN HIDDEN TESTS

    def below(table, path):
        found = [[f"{path}.{name}", f"{path}.{name}"] for name in table[path]]
        for child in table:
            if child and child.rpartition(".")[0] == path:
                found += below(table, child)
        return found

    for count in (1, 3, 8, 20):
        table = {"": []}
        for i in range(count):
            paths = list(table)
            parent = paths[int(rng.integers(len(paths)))]
            table[f"{parent}.k{i}".lstrip(".")] = []
        for path in table:
            table[path] = [f"w{i}" for i in rng.permutation(9)[: int(rng.integers(4))]]
        table[list(table)[-1]] = [f"w{i}" for i in rng.permutation(30)]
        for wanted in ("", f"{list(table)[-1]}"):
            ways = below(table, wanted)
            expected = [[way.removeprefix(wanted).strip("."), label] for way, label in ways]
            same(run(table, wanted), expected, "names, and which parameters")
    ### END HIDDEN TESTS


# %% tests="walks" behaviour="shared" points=2
@autograder.test
def _(rng):
    "What is reached in several ways is given once, under its first name; equal is not the same."

    @beside
    def run(modules, parameters):
        nets = {label: plant(Walks, [""], Store)[""] for label in modules}
        weights = {label: Parameter([0.0]) for names in parameters.values() for label in names}
        for label, net in nets.items():
            net._modules.update({f"m{child}": nets[child] for child in modules[label]})
            own = enumerate(parameters.get(label, ()))
            net._parameters.update({f"p{place}": weights[p] for place, p in own})
        net = nets[next(iter(nets))]
        walks = net.named_modules(), net.named_parameters()
        return tuple([name for name, _ in walk] for walk in walks)

    what = "the names of modules, and of parameters"
    modules, parameters = {"n": "ab", "a": "c", "b": "c", "c": ""}, {"a": "x", "b": "xy", "c": "yz"}
    expected = ["", "ma", "ma.mc", "mb"], ["ma.p0", "ma.mc.p0", "ma.mc.p1"]
    same(run(modules, parameters), expected, what)
    same(run({"n": "a", "a": "n"}, {"n": "x", "a": "y"}), (["", "ma"], ["p0", "ma.p0"]), what)
    same(run({"n": "ab", "a": "b", "b": ""}, {}), (["", "ma", "ma.mb"], []), what)
    ### BEGIN HIDDEN TESTS

    def oracle(modules, parameters):
        found, names, seen = [], [], set()

        def visit(label, path):
            if label in seen:
                return
            seen.add(label)
            found.append(path)
            for place, p in enumerate(parameters.get(label, ())):
                if ("p", p) not in seen:
                    seen.add(("p", p))
                    names.append(f"{path}.p{place}".lstrip("."))
            for child in modules[label]:
                visit(child, f"{path}.m{child}".lstrip("."))

        visit(next(iter(modules)), "")
        return found, names

    for count in (1, 2, 4, 8):
        labels = "abcdefgh"[:count]
        for _ in range(4):
            kids = [rng.permutation(list(labels))[: int(rng.integers(1, 4))] for _ in labels]
            modules = {label: "".join(kid) for label, kid in zip(labels, kids, strict=True)}
            own = [rng.permutation(list("uvwxyz"))[: int(rng.integers(5))] for _ in labels]
            parameters = {label: "".join(p) for label, p in zip(labels, own, strict=True)}
            expected = oracle(modules, parameters)
            same(run(modules, parameters), expected, f"modules {modules}, parameters {own}: {what}")

    @beside
    def on_one_memory():
        import chainrule as cr

        net, values = plant(Walks, [""], Store)[""], cr.zeros(2)
        net._parameters.update(one=Parameter(values), other=Parameter(values))
        net._buffers.update(one=values.detach(), other=values.detach())
        return [
            [name for name, _ in walk] for walk in (net.named_parameters(), net.named_buffers())
        ]

    expected, words = [["one", "other"]] * 2, "names of two parameters, and buffers, on one memory"
    same(on_one_memory(), expected, words)
    ### END HIDDEN TESTS


# %% tests="walks" behaviour="buffers" points=1
@autograder.test
def _(rng):
    "`named_buffers` gives buffers, each once, and only them; parameters are none."

    @beside
    def run(depth):
        import chainrule as cr

        nets = plant(Walks, [".".join(["in"] * i) for i in range(depth)], Store)
        shared = cr.zeros(3)
        for net in nets.values():
            net._parameters["weight"] = Parameter(cr.zeros(3))
            net._buffers.update(mean=cr.zeros(3), shared=shared)
            net.plain = cr.zeros(3)
        net = nets[""]
        return [name for name, _ in net.named_buffers()], [n for n, _ in net.named_parameters()]

    what = "the names of buffers, and of parameters"
    same(run(1), (["mean", "shared"], ["weight"]), what)
    same(run(2), (["mean", "shared", "in.mean"], ["weight", "in.weight"]), what)
    ### BEGIN HIDDEN TESTS
    for depth in (3, 7):
        paths = ["in." * i for i in range(depth)]
        means = [f"{path}mean" for path in paths]
        expected = [means[0], "shared", *means[1:]], [f"{p}weight" for p in paths]
        same(run(depth), expected, what)
    ### END HIDDEN TESTS


# %% tests="walks" behaviour="empty_places" points=1
@autograder.test
def _(rng):
    "Places that hold None are left out, of modules, parameters and buffers; the rest is given."

    @beside
    def run(parameters, buffers, modules):
        import chainrule as cr

        net = plant(Walks, ["", *modules], Store)[""]
        net._parameters.update(
            {n: Parameter([0.0]) if here else None for n, here in parameters.items()}
        )
        net._buffers.update({n: cr.Tensor([0.0]) if here else None for n, here in buffers.items()})
        net._modules.update({n: None for n, here in modules.items() if not here})
        walks = net.named_parameters(), net.named_buffers(), net.named_modules()
        return [[name for name, _ in walk] for walk in walks]

    found = run({"w": True, "b": False}, {"mean": False}, {"first": False, "second": True})
    same(found, [["w"], [], ["", "second"]], "names of parameters, buffers, modules")
    ### BEGIN HIDDEN TESTS
    for count in (1, 3, 6):
        flags = rng.integers(2, size=(3, count)).astype(bool).tolist()
        cases = [{f"n{i}": flag for i, flag in enumerate(row)} for row in flags]
        expected = [[name for name, there in case.items() if there] for case in cases]
        expected[2].insert(0, "")
        same(run(*cases), expected, f"names where {cases}")
    ### END HIDDEN TESTS


# %% [markdown]
# ## One walk, many uses
#
# `parameters()` is `named_parameters()` without the names, and `zero_grad` sets `.grad` to `None`
# in a loop over it. To freeze a part of a net, walk over *its* parameters:
# `requires_grad_(False)` for each. Two uses deserve your own hand.
#
# **A mode.** A few layers behave differently while training. Dropout (lesson 08) switches units off
# at random then, and must leave them all on when the net is used. So every module has a flag,
# `training`, and `net.eval()` sets it to False everywhere below. The layer reads its own flag;
# nobody passes a mode through 50 calls of `forward`. Forget `eval()`, and nothing is raised: the
# results are only a little worse, and different each time.
#
# **A function for every module.** `net.apply(fn)` calls `fn` with each module. That is how initial
# weights are set, when those that a layer chose itself will not do. For nets of ReLUs that is He's
# rule (He and others, 2015, [Delving deep into rectifiers](https://arxiv.org/abs/1502.01852)):
# normal draws of variance 2 / inputs. You know it from lesson 01. Here it has to find the weights.

# %% [markdown] prompt="modes"
# ### Exercise 3: train, eval, apply
#
# Write the three methods of `Modes`. Exercise 2's `self.named_modules()` is there to use, and the
# three dicts. All return the module itself, so that `net.eval()(x)` works.
#
# * `train(mode=True)` sets `training` to `mode`, True or False, in this module and all below. Those
#   beside and above keep what they have.
# * `eval()` is `train(False)`.
# * `apply(fn)` calls `fn(module)` for each module: first those below, child by child in the order
#   of `_modules`, then this one; and so for each child. Places that hold `None` are left out. What
#   `fn` returns is ignored. In the checks no module stands in two places.
#
# And write `he(module, rng)`, to be used as `net.apply(lambda module: he(module, rng))`. It looks
# only at this one module, not below. If it has a *parameter* called `weight` with two axes, shaped
# (outputs, inputs):
#
# * `weight` is filled in place with normal draws from `rng`, of mean 0 and variance 2 / inputs;
# * a parameter called `bias`, if there is one (it may be missing, or `None`), is filled with zeros.
#
# All other modules, and all other parameters, are left alone. A `weight` that is a plain attribute,
# a number say, is none. The parameters stay the same objects, of the same dtype, they require
# gradients as before, and nothing is recorded. Allowed are NumPy and `chainrule`.

# %% [markdown] hint="modes"
# `train` is a loop over a walk. `apply` wants children before parents, so it is easier to let each
# child do its own: `child.apply(fn)`.

# %% [markdown] hint="modes"
# ```
#           net                    train(False) on first:   first, deep
#          /   \
#      first   second              apply on net:   deep, first, second, net
#        |
#      deep
# ```
# `weight.copy_(array)` and `bias.zero_()` write in place; inside `with cr.no_grad():` nothing is
# recorded, and a leaf that requires a gradient may be changed.

# %% [markdown] hint="modes"
# ```python
# def train(self, mode=True):
#     for ...:
#         module.training = ...
#     return ...
#
#
# def apply(self, fn):
#     for child in ...:
#         ...
#     ...
#     return self
#
#
# def he(module, rng):
#     weight = module._parameters.get(...)
#     if ...:
#         with cr.no_grad():
#             ...
# ```


# %% exercise="modes" minutes=15 difficulty=2 importance=4 allow="numpy chainrule -chainrule.nn.module -chainrule.nn.init -chainrule.nn.state -chainrule.nn.hooks"
class Modes:
    def train(self, mode=True):
        ### BEGIN SOLUTION
        for _name, module in self.named_modules():
            module.training = mode
        return self
        ### END SOLUTION

    def eval(self):
        ### BEGIN SOLUTION
        return self.train(False)
        ### END SOLUTION

    def apply(self, fn):
        ### BEGIN SOLUTION
        for child in self._modules.values():
            if child is not None:
                child.apply(fn)
        fn(self)
        return self
        ### END SOLUTION


def he(module, rng):
    ### BEGIN SOLUTION
    weight, bias = (module._parameters.get(name) for name in ("weight", "bias"))
    if weight is not None and weight.ndim == 2:
        with cr.no_grad():
            weight.copy_(rng.normal(size=weight.shape) * math.sqrt(2 / weight.shape[1]))
            if bias is not None:
                bias.zero_()
    ### END SOLUTION


# %% tests="modes" behaviour="train_eval" points=2
@autograder.test
def _(rng):
    "`train` and `eval` set the flag here and below, nowhere else, and return the module."

    @beside
    def run(names, steps):
        nets, backs = plant(Modes, ["", *names]), []
        for net in nets.values():
            net.training, net.w, net._modules["gone"] = True, Parameter([0.0]), None
        for name, method, *args in steps:
            backs.append(getattr(nets[name], method)(*args) is nets[name])
        return all(backs), {name: net.training for name, net in nets.items()}

    what = "whether each returned its module; the flags"
    names, steps = ["first", "first.deep", "second"], [("first", "eval")]
    flags = {"": True, "first": False, "first.deep": False, "second": True}
    same(run(names, steps), (True, flags), f"first.eval(): {what}")
    flags = {"": False, "first": True, "first.deep": True, "second": False}
    same(run(names, [("", "eval"), ("first", "train")]), (True, flags), what)
    ### BEGIN HIDDEN TESTS
    for last in ("eval", "train"):
        steps = [("", "eval"), ("", "eval"), ("", last), ("", last)]
        flags = dict.fromkeys(["", "first", "first.deep"], last == "train")
        same(run(["first", "first.deep"], steps), (True, flags), f"{steps}: {what}")
    for count in (0, 1, 4, 9, 20):
        names = []
        for i in range(count):
            parent = ["", *names][int(rng.integers(len(names) + 1))]
            names.append(f"{parent}.n{i}".lstrip("."))
        flags, steps = dict.fromkeys(["", *names], True), []
        for _ in range(5):
            start = ["", *names][int(rng.integers(count + 1))]
            step = [("eval",), ("train",), ("train", False), ("train", True)][int(rng.integers(4))]
            steps.append((start, *step))
            mode = step in (("train",), ("train", True))
            inside = {n for n in flags if start == "" or n == start or n.startswith(start + ".")}
            flags.update(dict.fromkeys(inside, mode))
            same(run(names, steps), (True, flags), f"{steps}: {what}")
    ### END HIDDEN TESTS


# %% tests="modes" behaviour="apply" points=2
@autograder.test
def _(rng):
    "`apply` calls `fn` once with each module, children first, in order, and returns the module."

    @beside
    def run(names, fn):
        nets = plant(Modes, ["", *names])
        for net in nets.values():
            net._modules["gone"] = None
        labels = {id(net): name for name, net in nets.items()}

        def tell(module):
            fn(labels.get(id(module), "a stranger"))
            return 1

        return nets[""].apply(tell) is nets[""]

    def called(names):
        calls = []
        back = run(names, callback(lambda name: calls.append(name)))
        return calls, back

    what = "the modules that fn was called with, and whether apply returned its own"
    expected = ["first.deep", "first", "second", ""], True
    same(called(["first", "first.deep", "second"]), expected, what)
    ### BEGIN HIDDEN TESTS

    def after(names, path):
        kids = [name for name in names if name.rpartition(".")[0] == path]
        return [found for kid in kids for found in after(names, kid)] + [path]

    for count in (0, 1, 4, 9, 20):
        names = []
        for i in range(count):
            parent = ["", *names][int(rng.integers(len(names) + 1))]
            names.append(f"{parent}.n{i}".lstrip("."))
        same(called(names), (after([n for n in names if n], ""), True), what)
    ### END HIDDEN TESTS


# %% tests="modes" behaviour="he_draws" points=2
@autograder.test
def _(rng):
    "`he` fills `weight` in place with N(0, 2 / inputs) from `rng`, and `bias` with zeros."

    @beside
    def run(weight, bias, seed, times):
        import numpy as np

        import chainrule as cr

        layer, found, draws = Sound(), [], np.random.default_rng(seed)
        layer.weight = w = Parameter(cr.tensor(weight))
        if bias is not None:
            layer.bias = Parameter(cr.tensor(bias))
        for _ in range(times):
            he(layer, draws)
            found.append(w.data + 0)
        kept = layer.weight is w, w.requires_grad, w.grad_fn is None
        return found, None if bias is None else layer.bias.data, kept

    found, bias, kept = run(np.ones((300, 50)), np.ones(300), 0, 2)
    same((bias, kept), (np.zeros(300), (True,) * 3), "the bias; same object, requires_grad, leaf")
    at_least(found[0].var(), 0.036, "the variance with 50 inputs, which should be near 0.04")
    at_most(found[0].var(), 0.044, "the variance with 50 inputs, which should be near 0.04")
    ### BEGIN HIDDEN TESTS

    def judge(outputs, inputs, dtype):
        seed = int(rng.integers(2**31))
        ones = np.ones((outputs, inputs), dtype=dtype)
        times = 2 + 40000 // ones.size
        found, bias, kept = run(ones, ones[:, 0], seed, times)
        same(bias, np.zeros(outputs, dtype=dtype), "the bias")
        same(kept, (True,) * 3, "whether weight is the same object, requires_grad, and is a leaf")
        require(str(found[0].dtype) == dtype, f"a weight of {dtype} should keep its dtype")
        pool = np.concatenate([draw.ravel() for draw in found]).astype("float64")
        pool *= math.sqrt(inputs / 2)
        size = math.sqrt(pool.size)
        at_most(abs(pool.mean()), 5 / size, "the mean, in standard deviations")
        at_most(abs(pool.var() - 1), 8 / size, "the variance's relative distance from 2 / inputs")
        at_most(
            abs((pool**4).mean() - 3), 60 / size, "the fourth moment's distance from a normal's"
        )
        at_least(np.abs(pool).max(), 3.5, "the largest of many draws, in standard deviations")
        repeats = pool.size - np.unique(np.abs(pool)).size
        at_most(repeats, pool.size * 0.01, "how many draws are repeated")
        same(
            run(ones, None, seed, times)[0], found, "the weights from the same seed, without a bias"
        )

    for outputs, inputs in ((300, 50), (50, 300), (1, 7), (7, 1), (64, 64)):
        judge(outputs, inputs, "float64")
    judge(40, 90, "float32")
    ### END HIDDEN TESTS


# %% tests="modes" behaviour="he_leaves" points=1
@autograder.test
def _(rng):
    "`he` leaves other modules, other parameters and what is below alone, and fills its own."

    @beside
    def run(kind, value):
        import numpy as np

        import chainrule as cr

        layer, layer.inner = Sound(), Sound()
        layer.inner.weight, layer.scale = Parameter(cr.tensor(value)), Parameter(cr.tensor(value))
        layer.bias = Parameter(cr.tensor(value[0]))
        kinds = {"vector": value[0], "block": value[None], "matrix": value}
        kinds = {name: Parameter(cr.tensor(array)) for name, array in kinds.items()}
        layer.weight = {"number": 0.5, "tensor": cr.tensor(value), **kinds}[kind]
        he(layer, np.random.default_rng(0))
        kept = layer.inner.weight, layer.scale, layer.bias, layer.weight
        return [getattr(item, "data", item) for item in kept]

    value = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    what = "a weight of the module below, another parameter, the bias"
    same(run("matrix", value)[:3], [value, value, np.zeros(3)], f"weight is a matrix: {what}")
    expected = [value, value, value[0], 0.5]
    same(run("number", value), expected, f"weight is a number: {what}, and weight")
    ### BEGIN HIDDEN TESTS
    for shape in ((2, 3), (4, 4), (1, 5)):
        value = rng.normal(size=shape)
        expected = [value, value, np.zeros(shape[1])]
        same(run("matrix", value)[:3], expected, f"weight is a matrix: {what}")
        kinds = {"vector": value[0], "block": value[None], "tensor": value, "number": 0.5}
        for kind, weight in kinds.items():
            expected = [value, value, value[0], weight]
            same(run(kind, value), expected, f"weight is a {kind}: {what}, and weight")

    @beside
    def without(kind):
        import numpy as np

        import chainrule as cr

        layer = Sound()
        layer.register_parameter("bias", Parameter(cr.ones(2)) if kind == "no weight" else None)
        if kind != "no weight":
            layer.register_parameter("weight", Parameter(cr.ones(2, 2)) if kind == "on" else None)
        he(layer, np.random.default_rng(0))
        return [None if p is None else p.data.sum() for p in layer._parameters.values()]

    ones = np.float32(2)
    same(run("matrix", value)[2], np.zeros(shape[1]), "the bias of a module with a weight")
    same(without("no weight"), [ones], "the bias of a module without weight, summed")
    same(without("empty"), [None, None], "a module whose bias and weight are None")
    require(without("on")[0] is None, "a bias that is None should stay None")

    @beside
    def plain_bias():
        import numpy as np

        import chainrule as cr

        layer = Sound()
        layer.weight, layer.bias = Parameter(cr.zeros(2, 2)), cr.ones(2)
        he(layer, np.random.default_rng(0))
        return layer.bias.data

    same(plain_bias(), np.ones(2, dtype="float32"), "a bias that is a plain tensor, no parameter")

    @beside
    def frozen():
        import numpy as np

        import chainrule as cr

        layer = Sound()
        layer.weight = Parameter(cr.zeros(2, 2), requires_grad=False)
        layer.bias = Parameter(cr.ones(2), requires_grad=False)
        he(layer, np.random.default_rng(0))
        return layer.weight.requires_grad, layer.bias.requires_grad, layer.bias.data

    expected = False, False, np.zeros(2, dtype="float32")
    same(frozen(), expected, "frozen weight and bias: do they need gradients afterwards; the bias")
    ### END HIDDEN TESTS


# %% [markdown]
# ## A net as a dict
#
# With names, a net can be taken apart into a flat dict of names and arrays, and put together again.
# That is a *state dict*: what a checkpoint holds, what is sent to another machine, what carries
# weights from one framework to another at the end of this lesson. It has parameters and buffers,
# and nothing of the code. PyTorch's documentation advises saving it rather than the model: a
# pickled model names its class and file, and breaks when either moves.
#
# Two sides, two temperaments. Writing is generous: it gives *every* name, a shared weight under all
# of its names, because whoever loads it may not share. Reading is strict. Imagine a typo in one
# layer's name. A lenient loader fills all other layers and leaves that one random; the model loads,
# runs, and is bad. So it must refuse, say *all* that does not fit, and touch nothing before that is
# known: half a checkpoint in a net is worse than none.

# %% [markdown] prompt="state"
# ### Exercise 4: state_dict, and strict loading
#
# Write the two methods of `State`. Here too, use the three dicts; every module below has your two
# methods as well.
#
# `state_dict(prefix="")` returns a new dict from dotted names, each after `prefix`, to tensors.
#
# * First the parameters of the module in order, then its buffers in order, then the states of its
#   children, child by child in order. `None`s are left out. What is shared stands under each of its
#   names.
# * Each tensor is the parameter or buffer, detached: it needs no gradient, has no history, and
#   *shares its memory*. So it shows what the net is now, not what it was.
#
# `load_state_dict(state, strict=True)` copies values into the parameters and buffers. `state` is a
# dict from names to `cr.Tensor`s or NumPy arrays, in any order. It returns two lists: names that
# the module has and `state` has not (*missing*), and those that only `state` has (*unexpected*),
# each in the order of the dict that it comes from.
#
# * If strict, and one of the lists is not empty, it raises `cr.StateError` instead.
# * If, strict or not, a shape differs from the module's, it raises `cr.StateError` too. Nothing is
#   broadcast or reshaped.
# * The error's message has *all* offending names and no other: the misshapen and, if strict, the
#   missing and unexpected. Nothing at all has been changed then.
# * Otherwise values are copied into the memory that is there. Parameters and buffers stay the same
#   objects, keep their dtype, and require gradients as before; nothing is recorded. `state` is
#   unchanged, and shares no memory with the module (unless it is the module's own `state_dict()`).
#
# Allowed are NumPy and `chainrule`.

# %% [markdown] hint="state"
# `state_dict` needs no set of things seen; it visits every way to every tensor. And once it is
# written, it gives `load_state_dict` the tensors to write into: they share the memory.

# %% [markdown] hint="state"
# ```
#  own = self.state_dict()           state
#  ┌─────────────┬───────┐           ┌──────────────┬───────┐
#  │ 0.weight    │ (4,3) │ ◄──copy── │ 0.weight     │ (4,3) │
#  │ 0.bias      │ (4,)  │  missing  │ 0.bais       │ (4,)  │  unexpected
#  │ 1.weight    │ (1,4) │ ◄── ✗ ──  │ 1.weight     │ (4,1) │  wrong shape
#  └─────────────┴───────┘           └──────────────┴───────┘
#  first collect all that is wrong; then raise, or copy everything
# ```
# `t.copy_(values)` writes into a tensor's memory and casts; inside `cr.no_grad()`, as before. It
# would broadcast, so compare shapes first: `np.shape(values)` works for tensors and arrays.

# %% [markdown] hint="state"
# ```python
# def state_dict(self, prefix=""):
#     state = {}
#     for name, value in (*self._parameters.items(), *self._buffers.items()):
#         ...
#     for name, child in self._modules.items():
#         ...                              # child.state_dict with a longer prefix
#     return ...
#
#
# def load_state_dict(self, state, strict=True):
#     own = ...
#     missing = [name for name in ... if ...]
#     unexpected = [...]
#     misshapen = [...]
#     if misshapen or ...:
#         raise cr.StateError(f"...")
#     with cr.no_grad():
#         ...
#     return missing, unexpected
# ```


# %% exercise="state" minutes=25 difficulty=3 importance=5 allow="numpy chainrule -chainrule.nn.module -chainrule.nn.init -chainrule.nn.state -chainrule.nn.hooks"
class State:
    def state_dict(self, prefix=""):
        ### BEGIN SOLUTION
        members = (*self._parameters.items(), *self._buffers.items())
        found = {prefix + name: value.detach() for name, value in members if value is not None}
        for name, child in self._modules.items():
            if child is not None:
                found |= child.state_dict(f"{prefix}{name}.")
        return found
        ### END SOLUTION

    def load_state_dict(self, state, strict=True):
        ### BEGIN SOLUTION
        own = self.state_dict()
        missing = [name for name in own if name not in state]
        unexpected = [name for name in state if name not in own]
        common = [name for name in own if name in state]
        misshapen = [name for name in common if np.shape(state[name]) != own[name].shape]
        if misshapen or (strict and (missing or unexpected)):
            raise cr.StateError(f"missing {missing}, unexpected {unexpected}, shapes {misshapen}")
        with cr.no_grad():
            for name in common:
                own[name].copy_(state[name])
        return missing, unexpected
        ### END SOLUTION


# %% tests="state" behaviour="names" points=2
@autograder.test
def _(rng):
    "`state_dict` has every parameter and buffer under each of its names, in order, not None."

    @beside
    def run(table, prefix):
        import chainrule as cr

        nets = {label: plant(State, [""])[""] for label in table}
        for label, (parameters, buffers, modules) in table.items():
            weights = {v: Parameter([float(v)]) for v in parameters.values()} | {0: None}
            nets[label]._parameters.update({name: weights[v] for name, v in parameters.items()})
            for name, v in buffers.items():
                nets[label].register_buffer(name, cr.tensor([float(v)]) if v else None)
            for name, child in modules.items():
                nets[label].register_module(name, nets.get(child))
        state = nets["net"].state_dict(prefix) if prefix else nets["net"].state_dict()
        found = [[name, value.data] for name, value in dict(state or {}).items()]
        return found, isinstance(state, dict)

    table = {"net": [{"w": 1, "b": 0, "tied": 1}, {"mean": 2}, {"in": "A", "again": "A", "no": ""}]}
    table["A"] = [{"w": 3}, {"none": 0}, {}]
    values = {"w": 1.0, "tied": 1.0, "mean": 2.0, "in.w": 3.0, "again.w": 3.0}
    expected = [[name, np.array([value], dtype="float32")] for name, value in values.items()]
    same(run(table, ""), (expected, True), "names and values; is it a dict?")
    ### BEGIN HIDDEN TESTS

    def oracle(table, label, prefix):
        parameters, buffers, modules = table[label]
        own = [*parameters.items(), *buffers.items()]
        found = [[prefix + n, np.array([v], dtype="float32")] for n, v in own if v]
        for name, child in modules.items():
            found += oracle(table, child, f"{prefix}{name}.") if child else []
        return found

    def some(letters, top):
        names = rng.permutation(list(letters))[: int(rng.integers(len(letters) + 1))]
        return {str(name): int(rng.integers(top)) for name in names}

    for count in (1, 2, 4, 6):
        labels = ["net", *(f"m{i}" for i in range(1, count))]
        table = {label: [some("abc", 6), some("pqr", 6), {}] for label in labels}
        for place, label in enumerate(labels):
            below = ["", *labels[place + 1 :]]
            kids = some("xyz", len(below)) if count > 1 else {}
            table[label][2] = {name: below[kid] for name, kid in kids.items()}
        same(run(table, ""), (oracle(table, "net", ""), True), "names and values; is it a dict?")
        expected = oracle(table, "net", "model."), True
        same(run(table, "model."), expected, "names and values with prefix='model.'; a dict?")
        expected = oracle(table, "net", "my_"), True
        same(run(table, "my_"), expected, "names and values with prefix='my_'; a dict?")
    ### END HIDDEN TESTS


# %% tests="state" behaviour="live" points=1
@autograder.test
def _(rng):
    "The tensors of `state_dict` share memory with the net, need no gradient and have no history."

    @beside
    def run(values, change):
        import chainrule as cr

        net = plant(State, ["", "inner"])[""]
        net.inner.w = Parameter(cr.tensor(values))
        net.register_buffer("mean", cr.tensor(values, requires_grad=True) * 1.0)
        state = net.state_dict()
        quiet = [name for name, t in state.items() if not t.requires_grad and t.grad_fn is None]
        kinds = [isinstance(value, cr.Tensor) for value in state.values()]
        with cr.no_grad():
            net.inner.w += change
            net.mean.add_(change)
        state["extra"] = None
        w, again = net.inner.w, list(net.state_dict())
        return quiet, kinds, [state[n].data for n in quiet], w.requires_grad, w.data, again

    what = "names without gradient; tensors?; values after a change; w's flag, value; names again"
    v = np.array([1.0, 2.0])
    names = ["mean", "inner.w"]
    same(run(v, 1.0), (names, [True, True], [v + 1, v + 1], True, v + 1, names), what)
    ### BEGIN HIDDEN TESTS
    for shape in ((), (1,), (3, 2)):
        v, change = rng.normal(size=shape), float(rng.normal())
        new = np.asarray(v + change)
        expected = names, [True, True], [new, new], True, new, names
        same(run(np.asarray(v), change), expected, what)
    ### END HIDDEN TESTS


# %% tests="state" behaviour="loads" points=2
@autograder.test
def _(rng):
    "Values are copied in, cast to the dtype there; the parameters stay the same objects."

    @beside
    def run(own, state, tensors):
        import chainrule as cr

        net = plant(State, ["", "inner"])[""]
        for name, value in own.items():
            module, value = (net, net.inner)["i" in name], cr.tensor(value)
            if "buffer" in name:
                module.register_buffer(name, value)
            else:
                setattr(module, name, Parameter(value, requires_grad="frozen" not in name))
        before = net._parameters | net._buffers | net.inner._parameters | net.inner._buffers
        given = {n: cr.tensor(v, requires_grad=True) if tensors else v for n, v in state.items()}
        result = net.load_state_dict(given)
        after = net._parameters | net._buffers | net.inner._parameters | net.inner._buffers
        kept = [after[n] is before[n] and after[n].grad_fn is None for n in after]
        new = {n: [value.data + 0, value.requires_grad] for n, value in after.items()}
        return result, new, all(kept), [v.data if tensors else v for v in given.values()]

    what = "what is returned; values, do they need gradients; all the same objects?; the state"
    own, state = {"w": np.zeros(2)}, {"w": np.array([1.0, 2.0])}
    expected = ([], []), {"w": [state["w"], True]}, True, [state["w"]]
    same(run(own, state, False), expected, f"from arrays: {what}")
    same(run(own, state, True), expected, f"from tensors: {what}")
    ### BEGIN HIDDEN TESTS
    shapes = {"w": (3, 3), "frozen": (), "buffer": (5,), "iw": (2, 1), "ifrozen": (1, 1)}
    shapes["ibuffer"] = (0, 4)
    order = ["w", "frozen", "buffer", "iw", "ifrozen", "ibuffer"]
    paths = {name: f"inner.{name}" if name[0] == "i" else name for name in shapes}
    for dtype in ("float64", "float32"):
        for tensors in (False, True):
            own = {name: np.zeros(shape, dtype=dtype) for name, shape in shapes.items()}
            mixed = rng.permutation(list(shapes)).tolist()
            state = {paths[n]: np.asarray(rng.normal(size=shapes[n])) for n in mixed}
            new = {n: [state[paths[n]].astype(dtype), n in ("w", "iw")] for n in order}
            expected = ([], []), new, True, list(state.values())
            same(run(own, state, tensors), expected, f"{dtype}: {what}")

    @beside
    def apart(value, tensors):
        import chainrule as cr

        net = plant(State, [""])[""]
        net.w = Parameter(cr.tensor(value * 0))
        old = net.w.data
        state = {"w": cr.tensor(value) if tensors else value + 0}
        net.load_state_dict(state)
        (state["w"].data if tensors else state["w"])[...] = 0
        again = net.load_state_dict(net.state_dict())
        return net.w.data, net.w.data is old, again

    for tensors in (False, True):
        value = rng.normal(size=(2, 3))
        expected = value, True, ([], [])
        words = "w after the state was changed; its memory the same? its own state loaded"
        same(apart(value, tensors), expected, words)
    ### END HIDDEN TESTS


# %% tests="state" behaviour="strict" points=2
@autograder.test
def _(rng):
    "Missing, unexpected, misshapen: StateError has all names, and nothing is changed."

    @beside
    def run(own, state, strict):
        import chainrule as cr

        net = plant(State, ["", "inner"])[""]
        for name, value in own.items():
            place = net.inner._buffers if name[0] in "pqr" else net.inner._parameters
            place[name] = (cr.Tensor if name[0] in "pqr" else Parameter)(cr.tensor(value))
        words = None
        try:
            result = net.load_state_dict(state) if strict else net.load_state_dict(state, False)
        except cr.StateError as error:
            result, words = "StateError", str(error)
        named = [n for n in sorted({*state, *(f"inner.{n}" for n in own)}) if n in (words or "")]
        values = net.inner._parameters | net.inner._buffers
        return result, named, [values[name].data for name in own]

    what = "what is returned or raised; the names in the message; the weights"
    own = {"u": np.zeros(2), "vv": np.zeros(3), "xx": np.zeros(3)}
    state = {"inner.u": np.ones(2), "inner.yy": np.ones(3), "inner.xx": np.ones(1)}
    same(run(own, state, True)[:2], ("StateError", ["inner.vv", "inner.xx", "inner.yy"]), what)
    same(run(own, state, True)[2], list(own.values()), "the weights after the error")
    ### BEGIN HIDDEN TESTS
    shapes = (), (1,), (2,), (2, 3), (3, 2), (1, 3), (6,), (0,), (1, 1)
    for _ in range(12):
        letters = rng.permutation(list("pqrstuvw"))
        first, common, last = letters[:2], letters[2:6], letters[6:]
        first, last = first[: int(rng.integers(3))], last[: int(rng.integers(3))]
        picks = {n: shapes[int(rng.integers(len(shapes)))] for n in letters}
        own = {f"{n}{n}": np.asarray(rng.normal(size=picks[n])) for n in (*first, *common)}
        state = {f"inner.{n}{n}": np.asarray(rng.normal(size=picks[n])) for n in (*common, *last)}
        wrong = [f"inner.{n}{n}" for n in common[: int(rng.integers(3))]]
        for name in wrong:
            other = [shape for shape in shapes if shape != state[name].shape]
            state[name] = np.asarray(rng.normal(size=other[int(rng.integers(len(other)))]))
        odd = sorted([*(f"inner.{n}{n}" for n in (*first, *last)), *wrong])
        expected = ("StateError", odd) if odd else (([], []), [])
        new = own if odd else {n: state[f"inner.{n}"] for n in own}
        same(run(own, state, True), (*expected, list(new.values())), what)
        if wrong:
            got = run(own, state, False)
            same(got[0], "StateError", "with strict=False and wrong shapes")
            same([n for n in got[1] if n in wrong], sorted(wrong), "misshapen names in the message")
            same(got[2], list(own.values()), "the weights after the error")
    same(run({"u": np.zeros(3)}, {"inner.u": np.arange(3)}, True)[2], [np.arange(3.0)], "integers")
    got = run({"uu": np.ones(2)}, {}, True)
    same(got, ("StateError", ["inner.uu"], [np.ones(2)]), f"an empty state: {what}")
    same(run({}, {}, True), (([], []), [], []), what)
    same(run({}, {"inner.zz": np.ones(1)}, True), ("StateError", ["inner.zz"], []), what)
    ### END HIDDEN TESTS


# %% tests="state" behaviour="lenient" points=1
@autograder.test
def _(rng):
    "With `strict=False` it loads what is there, and returns what is missing and unexpected."

    @beside
    def run(own, state):
        import chainrule as cr

        net = plant(State, [""])[""]
        for name, value in own.items():
            setattr(net, name, Parameter(cr.tensor(value)))
        result = net.load_state_dict(state, strict=False)
        return result, [value.data for value in net.parameters()]

    zero, one = np.zeros(2), np.ones(2)
    got = run({"u": zero, "w": zero, "v": zero}, {"x": one, "v": one, "a": one})
    same(
        got, ((["u", "w"], ["x", "a"]), [zero, zero, one]), "(missing, unexpected), and the weights"
    )
    ### BEGIN HIDDEN TESTS
    for _ in range(6):
        mine = rng.permutation(list("abcdefghijkl"))[: int(rng.integers(12))].tolist()
        theirs = rng.permutation(list("abcdefghijkl"))[: int(rng.integers(12))].tolist()
        own, state = ({n: rng.normal(size=2) for n in names} for names in (mine, theirs))
        missing, extra = [n for n in mine if n not in theirs], [n for n in theirs if n not in mine]
        values = [state.get(n, own[n]) for n in mine]
        same(run(own, state), ((missing, extra), values), "(missing, unexpected), and the weights")
    ### END HIDDEN TESTS


# %% [markdown]
# ## Put together
#
# Four parts of one class. (A cell that raised an error leaves its part out, so that the rest of the
# lesson can go on.)

# %% given="module"
PARTS = [globals()[part] for part in ("Modes", "State", "Walks", "Registry") if part in globals()]


class Module(*PARTS, Store):
    """Weights, buffers and other modules in one object, and the walks over them."""

    def parameters(self):
        return (p for _name, p in self.named_parameters())

    def requires_grad_(self, flag=True):
        for p in self.parameters():
            p.requires_grad_(flag)
        return self

    def zero_grad(self):
        for p in self.parameters():
            p.grad = None


# %% [markdown]
# One more look at a state dict, and at a trap that many have met in PyTorch. Here is a weight
# in training; after the first step somebody keeps the best state so far.

# %%
best = copy = None
model = Module()
model.w = Parameter([1.0])
for step in range(3):
    with cr.no_grad():
        model.w -= 0.25
    if step == 0:
        best = model.state_dict()
        copy = {name: value.clone() for name, value in best.items()}
print("kept as it is", best, "  cloned", copy)

# %% [markdown]
# The weight was 0.75 after the first step. What was kept as it is has trained along: it is the same
# memory. Sharing costs nothing and suits saving to a file. For keeping, clone.

# %% [markdown] prompt="lists"
# ### Question: what about lists?
#
# Your registry does not look into lists: after `net.layers = [Layer(3, 4), Layer(4, 1)]` the net
# has no parameters, and nobody is told. PyTorch behaves so too, and has a class of its own for
# the purpose, `ModuleList`. Keras looks into lists and dicts. Say what goes wrong in a net whose
# layers stand in a plain list: name two walks of this lesson that miss them, with the consequence
# of each. Then give one reason for PyTorch's decision, or a difficulty that looking into lists
# would bring.

# %% [markdown] written="lists" points=2
# ### BEGIN SOLUTION
# `parameters()` misses them, so the optimizer never moves these weights; the loss may fall all the
# same because other layers adapt. `state_dict()` misses them, so a checkpoint has none of these
# weights and the loaded net is random there (strict loading does not notice, as both sides lack the
# names). `eval()` misses them, so dropout in them goes on in earnest; `apply(he)` leaves their
# initial weights. A reason not to look: a list can change later by `append`, `del` or `list[0] =
# ...`, without any assignment to the module, so the registry would be stale unless the list is
# replaced by a wrapper that watches, as Keras does; then `net.layers` is no longer the object that
# was assigned. Also it would be unclear how deep to look (lists in dicts in lists, cycles), and a
# list of modules may be meant as a reference (a teacher net, say) and not as a part.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# * 1 point: two walks (parameters, state_dict, train/eval, apply, named_modules, freezing) and for
#   each what happens. Half if a consequence is missing.
# * 1 point: a reason or difficulty: lists change without an assignment; a wrapper changes what is
#   assigned; unclear depth; a list may be meant as a reference; explicit is predictable.
# ### END MARK SCHEME

# %% [markdown]
# **Here the first sitting ends.** The second makes layers and nets of the class, watches them with
# hooks, and carries their weights to other frameworks and back.

# %% [markdown]
# ## nn: layers from the class
#
# The package that the lecture calls `nn`, "a higher-level wrapper", is now a matter of a few lines
# per layer. A layer makes its parameters in `__init__` and uses them in `forward`.
#
# `Linear` keeps its weight as (outputs, inputs), so it computes x·Wᵀ + b. That is Torch's habit:
# there a layer was a matrix that maps a column, W·x. Keras keeps (inputs, outputs). You will meet
# the difference again at the end. Its initial weights are uniform between ±1/√inputs, as PyTorch's
# are.
#
# `Sequential` is a module that contains modules, under the names "0", "1", "2", and calls them one
# after the other. Those are no names that you could write after a dot, but `setattr(net, "0", m)`
# does not mind.
#
# To keep the later checks independent of the earlier exercises, the next cell can put the library's
# `Module` under your classes for a moment. It does so while a check runs, and at no other time.


# %% given="sound"
@contextlib.contextmanager
def sound(*names):
    """For the checks: meanwhile Module stands on the library's; these layers are the library's."""
    for name in {"Linear", "ReLU", "Sequential", "TwoLayerNet", "ParallelBlock"} - {*names}:
        if name in globals() and Module not in globals()[name].__mro__:
            raise TypeError(f"{name} should be a subclass of Module")
    mine, bases = {name: globals().get(name) for name in names}, Module.__bases__
    globals().update({name: getattr(cr.nn, name) for name in names})
    Module.__bases__ = (cr.nn.Module,)
    try:
        yield
    finally:
        Module.__bases__ = bases
        globals().update(mine)


# %% given="affine"
def affine(factor):
    """For the checks: a module whose forward is factor · x, and whose call adds 1 to that."""

    class Affine(Module):
        def __call__(self, x):
            return self.forward(x) + 1.0

        def forward(self, x):
            return self.factor * x

    module = Affine()
    module.factor = Parameter([factor])
    return module


# %% [markdown] prompt="layers"
# ### Exercise 5: Linear, ReLU, Sequential
#
# Write three subclasses of `Module`.
#
# * `Linear(d_in, d_out, bias=True, *, rng)`: parameters `weight`, shape (d_out, d_in), and then
#   `bias`, shape (d_out,), of float32, drawn uniformly between −1/√d_in and 1/√d_in from the NumPy
#   generator `rng`. Without bias, `layer.bias` is `None` and the only parameter is `weight`.
#   `forward(x)` returns x @ weight.T + bias, for `x` of shape (…, d_in), with any number of axes in
#   front, none too.
# * `ReLU()`: max(x, 0), entry by entry.
# * `Sequential(*modules)`: the modules become children called "0", "1", and so on. `forward(x)`
#   gives `x` to the first, what it returns to the next, and returns the last result; with no
#   modules, `x` itself. It *calls* each module, `module(x)`, rather than its `forward`: hooks,
#   in exercise 7, depend on it. The same module may stand in two places. A child that is replaced
#   later, by `setattr(net, "1", other)`, is replaced in what is computed.
#
# Parameters may be replaced too, by float64 ones for example: `forward` uses those that are there.
# Gradients of `x` and of the parameters are right, for any upstream gradient; that is, do nothing
# that the engine cannot record. Inputs are unchanged. Allowed are NumPy and `chainrule`.

# %% [markdown] hint="layers"
# `super().__init__()` comes first in every `__init__`: the registry has no dicts before. `ReLU`
# has nothing to set, so it needs no `__init__`.

# %% [markdown] hint="layers"
# ```
# Sequential(Linear(3, 4), ReLU(), Linear(4, 1))
#
# _modules   "0": Linear      "1": ReLU      "2": Linear
#  x (N, 3) ──────►   (N, 4)   ────►  (N, 4) ────►   (N, 1)
#            weight (4, 3)                   weight (1, 4)
#            bias (4,)                       bias (1,)
# ```
# `rng.uniform(low, high, size=...)` gives float64; `cr.tensor(array, dtype="float32")` casts.

# %% [markdown] hint="layers"
# ```python
# class Linear(Module):
#     def __init__(self, d_in, d_out, bias=True, *, rng):
#         super().__init__()
#         self.weight = Parameter(...)
#         self.bias = ... if bias else None
#
#     def forward(self, x):
#         out = x @ ...
#         return ...
#
#
# # Sequential, in __init__: one setattr for each module
# for place, module in ...:
#     setattr(self, ..., ...)
#
# # Sequential, in forward
# for module in ...:
#     x = ...
# ```


# %% exercise="layers" minutes=20 difficulty=2 importance=5 allow="numpy chainrule -chainrule.nn.layers -chainrule.nn.containers -chainrule.nn.activations"
class Linear(Module):
    def __init__(self, d_in, d_out, bias=True, *, rng):
        super().__init__()
        ### BEGIN SOLUTION
        sizes, bound = [(d_out, d_in), d_out], 1 / math.sqrt(d_in)
        draws = [cr.tensor(rng.uniform(-bound, bound, s), dtype="float32") for s in sizes]
        self.weight = Parameter(draws[0])
        self.bias = Parameter(draws[1]) if bias else None
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        return x @ self.weight.T + (0.0 if self.bias is None else self.bias)
        ### END SOLUTION


class ReLU(Module):
    def forward(self, x):
        ### BEGIN SOLUTION
        return cr.relu(x)
        ### END SOLUTION


class Sequential(Module):
    def __init__(self, *modules):
        super().__init__()
        ### BEGIN SOLUTION
        for place, module in enumerate(modules):
            setattr(self, str(place), module)
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        for module in self._modules.values():
            x = module(x)
        return x
        ### END SOLUTION


# %% tests="layers" behaviour="linear" points=2
@autograder.test
def _(rng):
    "`Linear`: x @ weight.T + bias for any axes in front, with right gradients, without bias too."

    @beside
    def run(x, weight, bias, upstream):
        import numpy as np

        import chainrule as cr

        with sound():
            layer = Linear(x.shape[-1], len(weight), bias is not None, rng=np.random.default_rng(0))
            layer.weight = Parameter(cr.tensor(weight))
            if bias is not None:
                layer.bias = Parameter(cr.tensor(bias))
            given = cr.tensor(x, requires_grad=True)
            out = layer(given)
            out.backward(cr.tensor(upstream))
            leaves = [given, *layer.parameters()]
        return out.data, [None if t.grad is None else t.grad.data for t in leaves], given.data

    x, weight = np.array([[1.0, 2.0]]), np.array([[3.0, 4.0], [5.0, 6.0], [0.0, 1.0]])
    bias, upstream = np.array([10.0, 20.0, 30.0]), np.array([[1.0, 0.0, 2.0]])
    grads = [np.array([[3.0, 6.0]]), np.array([[1.0, 2.0], [0.0, 0.0], [2.0, 4.0]]), upstream[0]]
    what = "the output; gradients of x, weight and bias; x afterwards"
    same(run(x, weight, bias, upstream), (np.array([[21.0, 37.0, 32.0]]), grads, x), what)
    ### BEGIN HIDDEN TESTS
    for front in ((), (1,), (7,), (2, 3), (1, 2, 2), (0,)):
        for d_in, d_out in ((3, 2), (1, 4), (5, 1), (4, 4)):
            x, upstream = rng.normal(size=(*front, d_in)), rng.normal(size=(*front, d_out))
            weight, bias = rng.normal(size=(d_out, d_in)), rng.normal(size=d_out)
            flat_x, flat_up = x.reshape(-1, d_in), upstream.reshape(-1, d_out)
            grads = [upstream @ weight, flat_up.T @ flat_x, flat_up.sum(axis=0)]
            expected = x @ weight.T + bias, grads, x
            same(run(x, weight, bias, upstream), expected, what)
            expected = x @ weight.T, grads[:2], x
            same(run(x, weight, None, upstream), expected, f"without bias: {what}")

    @beside
    def renewed(x, weight, bias):
        import numpy as np

        import chainrule as cr

        with sound():
            layer = Linear(x.shape[-1], len(weight), rng=np.random.default_rng(0))
            first = layer(cr.tensor(x))
            before = first.data + 0
            layer.weight, layer.bias = Parameter(cr.tensor(weight)), Parameter(cr.tensor(bias))
            after = layer(cr.tensor(x)).data + 0
            layer.bias = None
            return first.data - before, after, layer(cr.tensor(x)).data

    x = rng.normal(size=(3, 4))
    out = x @ weight.T
    expected = np.zeros(out.shape, dtype=np.result_type(out, "f")), out + bias, out
    what = "change of the first output; the outputs with new parameters, and with bias None"
    same(renewed(x, weight, bias), expected, what)
    ### END HIDDEN TESTS


# %% tests="layers" behaviour="draws" points=2
@autograder.test
def _(rng):
    "`Linear` draws float32 weight and bias from `rng`, uniformly between ±1/√d_in; or no bias."

    @beside
    def run(d_in, d_out, bias, seed):
        import numpy as np

        with sound():
            draws = np.random.default_rng(seed)
            layers = [Linear(d_in, d_out, bias, rng=draws) for _ in range(2)]
            found = [[[name, p.data] for name, p in m.named_parameters()] for m in layers]
            needs = all(p.requires_grad for m in layers for p in m.parameters())
            return found, needs, layers[0].bias is None

    (layer, other), needs, none = run(2, 1000, True, 0)
    require(len(layer) == 2 and len(other) == 2, f"expected two parameters, came {len(layer)}")
    same([name for name, _ in layer], ["weight", "bias"], "the names of the parameters")
    same((needs, none), (True, False), "whether all require a gradient, and whether bias is None")
    same([p.shape for _, p in layer], [(1000, 2), (1000,)], "the shapes of weight and bias")
    for name, value in layer:
        at_most(np.abs(value).max(), 0.7072, f"the largest |{name}| with 2 inputs, 1/√2 at most")
        at_least(
            np.abs(value).max(), 0.68, f"the largest |{name}| of many, which should be near 1/√2"
        )
    ### BEGIN HIDDEN TESTS
    for d_in, d_out in ((1, 4000), (50, 300), (300, 20), (9, 500)):
        seed = int(rng.integers(2**31))
        both, needs, none = run(d_in, d_out, True, seed)
        same(run(d_in, d_out, True, seed)[0], both, "the parameters from the same seed")
        pools = [np.concatenate([m[i][1].ravel() for m in both]) for i in (0, 1)]
        for pool, name in zip(pools, ("weight", "bias"), strict=True):
            require(str(pool.dtype) == "float32", f"{name} should be float32, not {pool.dtype}")
            z = pool.astype("float64") * math.sqrt(d_in)
            size = math.sqrt(z.size)
            at_most(np.abs(z).max(), 1.000001, f"the largest |{name}| · √d_in")
            at_most(abs(z.mean()), 3 / size, f"the mean of {name} · √d_in")
            at_most(abs(z.var() - 1 / 3), 1.6 / size, f"the variance of {name} · √d_in, less 1/3")
            repeats = z.size - np.unique(np.abs(z)).size
            at_most(repeats, 0.01 * z.size + 1, f"how many numbers of {name} are repeated")
        shared = np.intersect1d(np.abs(pools[0]), np.abs(pools[1])).size
        at_most(shared, 0.01 * pools[1].size + 1, "how many numbers of bias stand in weight too")
        (layer, _), needs, none = run(d_in, d_out, False, seed)
        same([name for name, _ in layer], ["weight"], "the parameters without bias")
        same((needs, none), (True, True), "whether all require a gradient; whether bias is None")
    ### END HIDDEN TESTS


# %% tests="layers" behaviour="relu" points=1
@autograder.test
def _(rng):
    "`ReLU` is max(x, 0), has no parameters, and the gradient passes where x > 0."

    @beside
    def run(x, upstream):
        import chainrule as cr

        with sound():
            layer = ReLU()
            given = cr.tensor(x, requires_grad=True)
            out = layer(given)
            out.backward(cr.tensor(upstream))
            return out.data, given.grad.data, given.data, len(list(layer.parameters()))

    x, upstream = np.array([-1.0, 2.0, -3.0, 0.5]), np.array([1.0, 2.0, 3.0, 4.0])
    expected = np.array([0.0, 2.0, 0.0, 0.5]), np.array([0.0, 2.0, 0.0, 4.0]), x, 0
    what = "the output, the gradient, x afterwards, how many parameters"
    same(run(x, upstream), expected, what)
    ### BEGIN HIDDEN TESTS
    for shape in ((5,), (2, 3), (1, 1), ()):
        for scale in (1e-6, 1.0, 1e4):
            x, upstream = scale * rng.normal(size=shape), rng.normal(size=shape)
            x, upstream = np.asarray(x), np.asarray(upstream)
            expected = np.where(x > 0, x, 0), np.where(x > 0, upstream, 0), x, 0
            same(run(x, upstream), expected, what)
    ### END HIDDEN TESTS


# %% tests="layers" behaviour="sequential" points=3
@autograder.test
def _(rng):
    "`Sequential` names its children, calls each on the last result, new ones too; gradients pass."

    @beside
    def run(factors, places, x):
        import chainrule as cr

        with sound():
            modules = [affine(factor) for factor in factors]
            net = Sequential(*[modules[place] for place in places])
            out = net(cr.tensor(x))
            names = [name for name, _ in net.named_parameters()], list(net._modules)
            for place in range(1, len(places), 2):
                setattr(net, str(place), modules[0])
            return out.data, *names, net(cr.tensor(x)).data

    x = np.array([1.0, 2.0], dtype="float32")
    expected = 20 * x + 6, ["0.factor", "1.factor"], ["0", "1"], 16 * x + 5
    what = "the output; names of parameters, of children; the output when children were replaced"
    same(run([4.0, 5.0], [0, 1], x), expected, f"of 4x + 1, then 5x + 1: {what}")
    ### BEGIN HIDDEN TESTS
    x = rng.normal(size=(2, 3)).astype("float32")
    for places in ([], [0], [0, 0], [1, 0, 1], [0, 1, 2, 3], [2, 2, 1, 0, 1], list(range(4)) * 3):
        factors = rng.uniform(0.4, 0.9, size=4).tolist()
        first = later = x.astype("float64")
        for i, place in enumerate(places):
            first = factors[place] * first + 1
            later = factors[0 if i % 2 else place] * later + 1
        known = [places.index(place) for place in dict.fromkeys(places)]
        names = [f"{i}.factor" for i in sorted(known)], [str(i) for i in range(len(places))]
        expected = first.astype("float32"), *names, later.astype("float32")
        same(run(factors, places, x), expected, f"{places}: {what}", rtol=1e-5, atol=1e-6)

    @beside
    def nested(x, seed):
        import numpy as np

        import chainrule as cr

        with sound():
            draws = np.random.default_rng(seed)
            inner = Sequential(ReLU(), Linear(3, 2, rng=draws))
            net = Sequential(Linear(4, 3, rng=draws), inner)
            given = cr.tensor(x, requires_grad=True)
            out = net(given)
            out.sum().backward()
            named, left = [[name, p.data] for name, p in net.named_parameters()], given.data + 0
            grads = [None if t.grad is None else t.grad.data for t in (given, *net.parameters())]
            with cr.no_grad():
                given.mul_(2.0)
            return named, out.data, net(given).data, left, grads

    x = rng.normal(size=(5, 4)).astype("float32")
    named, *found = nested(x, int(rng.integers(1000)))
    names = ["0.weight", "0.bias", "1.1.weight", "1.1.bias"]
    same([name for name, _ in named], names, "names of the parameters of a Sequential in another")
    w1, b1, w2, b2 = (value for _, value in named)
    h, later = (np.maximum(factor * x @ w1.T + b1, 0) for factor in (1, 2))
    up = np.ones((5, 2), dtype="float32")
    back = up @ w2 * (h > 0)
    expected = [h @ w2.T + b2, later @ w2.T + b2, x]
    expected += [[back @ w1, back.T @ x, back.sum(axis=0), up.T @ h, up.sum(axis=0)]]
    what = (
        "its output; that of x doubled in place; x after the first; gradients of x and parameters"
    )
    same(found, expected, what, rtol=1e-4, atol=1e-5)
    ### END HIDDEN TESTS


# %% [markdown]
# ## No need to define backward
#
# "Often your whole model will just be an instance of a custom `torch.nn.module` class, with a
# `.forward` method that runs you once through the network", say the lecture's notes, and their
# `TwoLayerNet` ends with the comment "no need to define backward - autograd will handle it". Note
# what happened there: the way back through a layer, two matrix products by hand, is nowhere in your
# `Linear`. In Torch7 and Caffe it would be, in every layer.
#
# Custom modules come in two sizes, and are written the same way. A *model* owns layers:
# `TwoLayerNet`. A *block* is a part to be used several times. The lecture's example of one feeds
# its input to two linear layers in parallel, multiplies the two results entry by entry, and takes a
# ReLU:
#
# ```
#            ┌── linear1 ──┐
#  x ────────┤             × ── ReLU ──►
#            └── linear2 ──┘
# ```
#
# Few nets need just that. The point is that no list of ready-made layers has it, and that you need
# none. "Stack multiple instances of the component in a sequential", say the notes.

# %% [markdown] prompt="blocks"
# ### Exercise 6: a net, a block, and several blocks
#
# Write two subclasses of `Module`, and a function. Use your `Linear` and `Sequential`. Sizes and
# `rng` are as in exercise 5, and every weight is drawn from `rng` by `Linear`.
#
# * `TwoLayerNet(D_in, H, D_out, *, rng)`: children `linear1` (D_in to H) and `linear2` (H to
#   D_out), in this order, no others with parameters. `forward(x)`: linear1, ReLU, linear2.
# * `ParallelBlock(D_in, D_out, *, rng)`: children `linear1` and `linear2`, both D_in to D_out.
#   `forward(x)`: the ReLU of the product, entry by entry, of what the two make of `x`.
# * `parallel_net(D_in, H, D_out, *, rng)` returns a `Sequential` of two blocks (D_in to H, H to H)
#   and a `Linear` (H to D_out).
#
# For `x` of shape (…, D_in). The gradients of `x` and of all parameters are right for any upstream
# gradient, and you define no backward. Children are called, `self.linear1(x)`, as in
# exercise 5, and those put in later are used. Allowed are NumPy and `chainrule`.

# %% [markdown] hint="blocks"
# The two classes differ in one size and in one line of `forward`.

# %% [markdown] hint="blocks"
# ```
# TwoLayerNet(4, 3, 2)       ParallelBlock(4, 3)      parallel_net(4, 3, 2): Sequential
# ├── linear1  4 → 3         ├── linear1  4 → 3       ├── 0  ParallelBlock  4 → 3
# └── linear2  3 → 2         └── linear2  4 → 3       ├── 1  ParallelBlock  3 → 3
#                                                     └── 2  Linear         3 → 2
# ```

# %% [markdown] hint="blocks"
# ```python
# class TwoLayerNet(Module):
#     def __init__(self, D_in, H, D_out, *, rng):
#         super().__init__()
#         self.linear1 = ...
#         self.linear2 = ...
#
#     def forward(self, x):
#         h_relu = cr.relu(...)
#         return ...
# ```


# %% exercise="blocks" minutes=15 difficulty=2 importance=5 allow="numpy chainrule"
class TwoLayerNet(Module):
    def __init__(self, D_in, H, D_out, *, rng):
        super().__init__()
        ### BEGIN SOLUTION
        self.linear1 = Linear(D_in, H, rng=rng)
        self.linear2 = Linear(H, D_out, rng=rng)
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        return self.linear2(cr.relu(self.linear1(x)))
        ### END SOLUTION


class ParallelBlock(Module):
    def __init__(self, D_in, D_out, *, rng):
        super().__init__()
        ### BEGIN SOLUTION
        self.linear1 = Linear(D_in, D_out, rng=rng)
        self.linear2 = Linear(D_in, D_out, rng=rng)
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        return cr.relu(self.linear1(x) * self.linear2(x))
        ### END SOLUTION


def parallel_net(D_in, H, D_out, *, rng):
    ### BEGIN SOLUTION
    blocks = ParallelBlock(D_in, H, rng=rng), ParallelBlock(H, H, rng=rng)
    return Sequential(*blocks, Linear(H, D_out, rng=rng))
    ### END SOLUTION


# %% given="probe"
def probe(make, sizes, state, x, upstream):
    """For the checks: output, gradient of x and of each parameter of make(*sizes), in float64."""
    with sound("Linear", "ReLU", "Sequential"):
        net = make(*sizes, rng=np.random.default_rng(0))
        if not isinstance(net, cr.nn.Module):
            return f"a {type(net).__name__} instead of a module"
        net.double().load_state_dict(state)
        given = cr.tensor(x, requires_grad=True)
        out = net(given)
        if out is None:
            return "nothing: does forward return what it computes?"
        out.backward(cr.tensor(upstream))
        leaves = {"x": given, **dict(net.named_parameters())}
        grads = {name: t.grad if t.grad is None else t.grad.data for name, t in leaves.items()}
        return out.data, grads, given.data


# %% tests="blocks" behaviour="two_layers" points=2
@autograder.test
def _(rng):
    "`TwoLayerNet` computes linear2(relu(linear1(x))), and autograd gives every gradient."

    @beside
    def run(sizes, state, x, upstream):
        return probe(TwoLayerNet, sizes, state, x, upstream)

    state = {"linear1.weight": np.array([[1.0, 2.0], [0.0, -1.0]]), "linear1.bias": np.zeros(2)}
    state |= {"linear2.weight": np.array([[3.0, 4.0]]), "linear2.bias": np.array([0.5])}
    x, upstream = np.array([[1.0, 1.0]]), np.array([[10.0]])
    grads = {"x": np.array([[30.0, 60.0]]), "linear1.weight": np.array([[30.0, 30.0], [0.0, 0.0]])}
    grads |= {"linear1.bias": np.array([30.0, 0.0]), "linear2.weight": np.array([[30.0, 0.0]])}
    expected = np.array([[9.5]]), grads | {"linear2.bias": np.array([10.0])}, x
    what = "the output; the gradients of x and of each parameter; x afterwards"
    same(run([2, 2, 1], state, x, upstream), expected, what)
    ### BEGIN HIDDEN TESTS
    names = ["linear1.weight", "linear1.bias", "linear2.weight", "linear2.bias"]

    def net(x, w1, b1, w2, b2):
        h = np.einsum("...d,hd->...h", x, w1) + b1
        return np.einsum("...h,kh->...k", h * (h.real > 0), w2) + b2

    for d_in, h, d_out in ((1, 1, 1), (4, 3, 2), (3, 3, 3), (2, 9, 5), (6, 1, 2)):
        for front in ((), (1,), (8,), (2, 3)):
            shapes = (h, d_in), (h,), (d_out, h), (d_out,)
            x, upstream = rng.normal(size=(*front, d_in)), rng.normal(size=(*front, d_out))
            weights = [rng.normal(size=shape) for shape in shapes]
            grads = vjp_by_complex_step(net, (x, *weights), upstream)
            expected = net(x, *weights), dict(zip(["x", *names], grads, strict=True)), x
            state = dict(zip(names, weights, strict=True))
            same(run([d_in, h, d_out], state, x, upstream), expected, what)
    ### END HIDDEN TESTS


# %% tests="blocks" behaviour="parallel" points=2
@autograder.test
def _(rng):
    "`ParallelBlock` computes relu(linear1(x) · linear2(x)), and autograd gives every gradient."

    @beside
    def run(sizes, state, x, upstream):
        return probe(ParallelBlock, sizes, state, x, upstream)

    state = {"linear1.weight": np.array([[1.0, 2.0]]), "linear1.bias": np.array([0.0])}
    state |= {"linear2.weight": np.array([[3.0, 0.0]]), "linear2.bias": np.array([1.0])}
    x, upstream = np.array([[1.0, 1.0], [1.0, -1.0]]), np.array([[10.0], [10.0]])
    grads = {"x": np.array([[130.0, 80.0], [0.0, 0.0]]), "linear1.weight": np.array([[40.0, 40.0]])}
    grads |= {"linear1.bias": np.array([40.0]), "linear2.weight": np.array([[30.0, 30.0]])}
    expected = np.array([[12.0], [0.0]]), grads | {"linear2.bias": np.array([30.0])}, x
    what = "the output; the gradients of x and of each parameter; x afterwards"
    same(run([2, 1], state, x, upstream), expected, what)
    ### BEGIN HIDDEN TESTS
    names = ["linear1.weight", "linear1.bias", "linear2.weight", "linear2.bias"]

    def net(x, w1, b1, w2, b2):
        ways = [np.einsum("...d,hd->...h", x, w) + b for w, b in ((w1, b1), (w2, b2))]
        out = ways[0] * ways[1]
        return out * (out.real > 0)

    for d_in, d_out in ((1, 1), (4, 3), (3, 3), (2, 9), (6, 1)):
        for front in ((), (1,), (8,), (2, 3)):
            shapes = (d_out, d_in), (d_out,), (d_out, d_in), (d_out,)
            x, upstream = rng.normal(size=(*front, d_in)), rng.normal(size=(*front, d_out))
            weights = [rng.normal(size=shape) for shape in shapes]
            grads = vjp_by_complex_step(net, (x, *weights), upstream)
            expected = net(x, *weights), dict(zip(["x", *names], grads, strict=True)), x
            state = dict(zip(names, weights, strict=True))
            same(run([d_in, d_out], state, x, upstream), expected, what)
    ### END HIDDEN TESTS


# %% tests="blocks" behaviour="stacked" points=2
@autograder.test
def _(rng):
    "`parallel_net` is a Sequential of two blocks and a Linear, with right output and gradients."

    @beside
    def run(sizes, state, x, upstream):
        return probe(parallel_net, sizes, state, x, upstream)

    ways = ["0.linear1", "0.linear2", "1.linear1", "1.linear2", "2"]
    state = {f"{way}.weight": np.array([[float(k)]]) for k, way in enumerate(ways, start=1)}
    state |= {f"{way}.bias": np.array([0.0]) for way in ways}
    got = run([1, 1, 1], state, np.array([[0.5]]), np.array([[1.0]]))
    require(type(got) is not str, f"expected a net, came {got}")
    # 1·½ · 2·½ = ½, then 3·½ · 4·½ = 3, then 5·3 = 15; it grows with the fourth power of x
    same(got[0], np.array([[15.0]]), "the output for x = 0.5")
    same(got[1]["x"], np.array([[120.0]]), "the gradient of x")
    ### BEGIN HIDDEN TESTS
    names = [f"{way}.{kind}" for way in ways for kind in ("weight", "bias")]

    def net(x, *parts):
        pairs = list(zip(parts[::2], parts[1::2], strict=True))
        for first in (0, 2):
            one, two = (np.einsum("...d,hd->...h", x, w) + b for w, b in pairs[first : first + 2])
            x = one * two * ((one * two).real > 0)
        return np.einsum("...d,hd->...h", x, pairs[4][0]) + pairs[4][1]

    for d_in, h, d_out in ((1, 1, 1), (4, 3, 2), (3, 3, 3), (2, 9, 5), (6, 1, 2)):
        layers = (d_in, h), (d_in, h), (h, h), (h, h), (h, d_out)
        weights = [p for i, o in layers for p in (rng.normal(size=(o, i)), rng.normal(size=o))]
        x, upstream = rng.normal(size=(5, d_in)), rng.normal(size=(5, d_out))
        grads = vjp_by_complex_step(net, (x, *weights), upstream)
        expected = net(x, *weights), dict(zip(["x", *names], grads, strict=True)), x
        state = dict(zip(names, weights, strict=True))
        same(
            run([d_in, h, d_out], state, x, upstream),
            expected,
            "the output; gradients; x",
            rtol=1e-8,
        )
    ### END HIDDEN TESTS


# %% tests="blocks" behaviour="members" points=1
@autograder.test
def _(rng):
    "Names, order, shapes of all parameters; each drawn anew; children are called, new ones too."

    @beside
    def run(d_in, h, d_out, seed):
        import numpy as np

        import chainrule as cr

        with sound("Linear", "ReLU", "Sequential"):
            draws = np.random.default_rng(seed)
            nets = [make(d_in, h, d_out, rng=draws) for make in (TwoLayerNet, parallel_net)]
            nets.append(ParallelBlock(d_in, h, rng=draws))
            row = isinstance(nets[1], cr.nn.Sequential)
            return [[[n, p.data] for n, p in net.named_parameters()] for net in nets], row

    def judge(d_in, h, d_out, seed):
        nets, _row = run(d_in, h, d_out, seed)
        same(run(d_in, h, d_out, seed), (nets, True), "the same seed again; is it a Sequential?")
        two, block = [(d_in, h), (h, d_out)], [(d_in, h), (d_in, h)]
        layers = [two, [*block, (h, h), (h, h), (h, d_out)], block]
        ways = ["linear1", "linear2"], ["0.linear1", "0.linear2", "1.linear1", "1.linear2", "2"]
        for net, sizes, place in zip(nets, layers, (0, 1, 0), strict=True):
            names = [f"{way}.{kind}" for way in ways[place] for kind in ("weight", "bias")]
            shapes = [shape for i, o in sizes for shape in ((o, i), (o,))]
            expected = [[n, shape] for n, shape in zip(names, shapes, strict=True)]
            same([[n, v.shape] for n, v in net], expected, "names and shapes of the parameters")
        numbers = np.concatenate([value.ravel() for net in nets for _, value in net])
        at_most(numbers.size - np.unique(numbers).size, 3, "how many initial numbers are repeated")

    judge(4, 3, 2, 0)
    ### BEGIN HIDDEN TESTS
    for d_in, h, d_out in ((1, 5, 2), (7, 2, 3), (4, 4, 4)):
        judge(d_in, h, d_out, int(rng.integers(2**31)))

    @beside
    def replaced(x, seed):
        import numpy as np

        import chainrule as cr

        with sound("Linear", "ReLU", "Sequential"):
            draws = np.random.default_rng(seed)
            nets = TwoLayerNet(3, 3, 3, rng=draws), ParallelBlock(3, 3, rng=draws)
            outs = []
            for net in nets:
                net.linear1 = net.linear2
                outs.append(net(cr.tensor(x)).data)
            layers = [[p.data for p in net.linear2.parameters()] for net in nets]
            for net in nets:
                net.linear1, net.linear2 = affine(2.0), affine(3.0)
                outs.append(net(cr.tensor(x)).data)
            return outs, layers

    x = rng.normal(size=(4, 3)).astype("float32")
    outs, ((w, b), (v, c)) = replaced(x, int(rng.integers(1000)))
    expected = [np.maximum(x @ w.T + b, 0) @ w.T + b, (x @ v.T + c) ** 2]
    expected += [3 * np.maximum(2 * x + 1, 0) + 1, np.maximum((2 * x + 1) * (3 * x + 1), 0)]
    what = "the outputs after linear1 was replaced by linear2; with children 2x + 1 and 3x + 1, "
    what += "where the 1 is added by the call"
    same(outs, expected, what, rtol=1e-4, atol=1e-5)
    ### END HIDDEN TESTS


# %% [markdown]
# ## The net, once more
#
# The two-layer net of lesson 01 at last as the lecture writes it. These lines changed:
#
# ```diff
# -w1 = cr.tensor(rng.standard_normal((1000, 100)), requires_grad=True)
# -w2 = cr.tensor(rng.standard_normal((100, 10)), requires_grad=True)
# +model = TwoLayerNet(1000, 100, 10, rng=rng)
#
#  for step in range(500):
# -    h = x @ w1
# -    h_relu = MyReLU.apply(h)
# -    y_pred = h_relu @ w2
# +    y_pred = model(x)
#      loss = ((y_pred - y) ** 2).sum()
#      loss.backward()
#      with cr.no_grad():
# -        for weight in (w1, w2):
# +        for weight in model.parameters():
#              weight -= learning_rate * weight.grad
#              weight.grad = None
# ```
#
# What is left of the net in the loop is one call. And another net fits into the same loop:


# %%
def fit(model, steps=201, learning_rate=1e-4):
    rng = np.random.default_rng(0)
    x, y = (cr.tensor(rng.standard_normal(size), "float32") for size in ((64, 1000), (64, 10)))
    losses = []
    for _step in range(steps):
        loss = ((model(x) - y) ** 2).sum()
        losses.append(loss.item())
        loss.backward()
        with cr.no_grad():
            for weight in model.parameters():
                weight -= learning_rate * weight.grad
                weight.grad = None
    return losses


for make in (TwoLayerNet, parallel_net):
    model = make(1000, 100, 10, rng=np.random.default_rng(1))
    count = sum(p.numel() for p in model.parameters())
    losses = fit(model)
    print(
        f"{make.__name__:12} {count:7} numbers",
        *(f"{losses[k]:9.3f}" for k in (0, 1, 10, 100, 200)),
    )

# %% [markdown]
# Now look at a whole tree. The piece below shows a net of two parallel blocks, a dropout and a
# Linear, with a count at every module. `freeze` sets `requires_grad` of everything below a module,
# the lamp is its `training`. Before you press anything, answer on paper:
#
# 1. How many numbers does the second block (8 to 8) have? How many are trained when block 0 is
#    frozen?
# 2. Put block 1 into eval mode, then the whole net into train mode. Which lamps are lit?
# 3. Tie the second block's `linear2` to its `linear1`. How does the total change? And if you then
#    freeze `linear1` alone?

# %%
from chainrule.widgets import ModuleTree

ModuleTree()

# %% [markdown]
# <details><summary>What you should have seen</summary>
#
# 1. Two linear layers of 8 · 8 + 8 = 72 numbers: 144. With block 0 frozen, 144 + 18 = 162 of 242
#    are trained.
# 2. All of them. `train` is an assignment to every flag below, and remembers nothing of an earlier
#    `eval`. Whoever fine-tunes with a part in eval mode has to say so again after each
#    `net.train()`.
# 3. The total falls by 72: a shared parameter is counted once, under its first name. Freezing it
#    under one name freezes it under the other, because there is only one.
#
# </details>
#
# Give it a model of yours, `ModuleTree(model)`, and it shows that one; with a kernel running, the
# buttons set the flags of your model too.

# %% [markdown]
# ## Looking in without cutting open
#
# A deep net does not learn. Are its activations vanishing? To see them you would print in every
# `forward`, the library's too. But all calls go through one place, `__call__`, and it can tell
# anybody who asks. A function registered to be told is a *hook*:
#
# ```python
# handle = layer.register_forward_hook(lambda module, args, output: print(output.std()))
# model(x)            # prints
# handle.remove()
# model(x)            # does not
# ```
#
# This is why one writes `module(x)` and never `module.forward(x)`.

# %% [markdown] prompt="hooks"
# ### Exercise 7: hooks
#
# Write the class `Hooks`, another part of `Module`. Its `__init__` is given: two empty lists, which
# you may use as you like or replace by something else. `self.forward` is there.
#
# * `register_forward_pre_hook(hook)` and `register_forward_hook(hook)` add a hook, and return a
#   *handle*: an object whose method `remove()` takes away this hook and no other. Removing twice
#   does nothing more. The same function may be registered several times; each is called, and has a
#   handle of its own.
# * `__call__(*args, **kwargs)`, in this order:
#     1. calls each pre-hook, in the order of registration, as `hook(module, args)`, where `args`
#        is the tuple of positional arguments. If it returns something other than `None`, that
#        replaces `args`, for the next hook too: a tuple as it is, anything else as the only
#        argument, `(it,)`;
#     2. calls `self.forward(*args, **kwargs)`;
#     3. calls each forward hook, in order, as `hook(module, args, output)`, with the arguments that
#        `forward` got. What it returns, unless `None`, replaces `output`;
#     4. returns the output.
# * A hook belongs to one module object. A hook may add and remove hooks of its own kind while it is
#   called, itself too; that counts from the next call on.
# * `module.forward(x)`, called directly, calls no hooks.
#
# Results may be 0, False or a tensor: only `None` means "no change". Errors pass through as they
# are. Allowed are NumPy and `chainrule`.

# %% [markdown] hint="hooks"
# A handle has to find *its* entry again even if the same function stands in the list twice. So
# each entry needs an identity of its own: a key in a dict, or a small object.

# %% [markdown] hint="hooks"
# ```
#  args ──► pre 1 ──► pre 2 ──► forward ──► output ──► hook 1 ──► hook 2 ──► output
#             │         │                                │          │
#             └─ may replace args                        └─ may replace the output
# ```
# Go over a copy of the hooks, `list(...)`, because a hook may change the original.

# %% [markdown] hint="hooks"
# ```python
# class Handle:
#     def __init__(self, hooks, entry):
#         ...
#
#     def remove(self):
#         ...
#
#
# def __call__(self, *args, **kwargs):
#     for ... in list(...):
#         changed = hook(self, args)
#         if ...:
#             args = changed if isinstance(changed, tuple) else ...
#     output = ...
#     for ... in list(...):
#         ...
#     return output
# ```


# %% exercise="hooks" minutes=20 difficulty=3 importance=4 allow="numpy chainrule -chainrule.nn.module -chainrule.nn.init -chainrule.nn.state -chainrule.nn.hooks"
class Hooks:
    def __init__(self):
        super().__init__()
        self.pre_hooks, self.forward_hooks = [], []

    def register_forward_pre_hook(self, hook):
        ### BEGIN SOLUTION
        return Handle(self.pre_hooks, hook)
        ### END SOLUTION

    def register_forward_hook(self, hook):
        ### BEGIN SOLUTION
        return Handle(self.forward_hooks, hook)
        ### END SOLUTION

    def __call__(self, *args, **kwargs):
        ### BEGIN SOLUTION
        for entry in list(self.pre_hooks):
            changed = entry.hook(self, args)
            if changed is not None:
                args = changed if isinstance(changed, tuple) else (changed,)
        output = self.forward(*args, **kwargs)
        for entry in list(self.forward_hooks):
            changed = entry.hook(self, args, output)
            output = output if changed is None else changed
        return output


class Handle:
    def __init__(self, hooks, hook):
        self.hooks, self.hook = hooks, hook
        hooks.append(self)

    def remove(self):
        if self in self.hooks:
            self.hooks.remove(self)
        ### END SOLUTION


# %% tests="hooks" behaviour="told" points=2
@autograder.test
def _(rng):
    "Hooks are called in order, with the module and what went in and out, and change nothing."

    @beside
    def run(x, kinds, note):
        net, other = (plant(Hooks, [""])[""] for _ in range(2))
        net.forward = other.forward = lambda x, scale=2.0: scale * x
        for place, kind in enumerate(kinds):
            add = net.register_forward_pre_hook if kind == "pre" else net.register_forward_hook
            add(lambda m, *words, i=place: note(i, m is net and type(words[0]) is tuple, *words))
        return net(x), net(x, scale=5.0), other(x), net.forward(x)

    def told(x, kinds):
        calls = []
        got = run(x, kinds, callback(lambda *words: calls.append(list(words))))
        return calls, got

    what = "what hooks were told (place, own module and a tuple?, args, output); results of two "
    what += "calls, of another module, of forward"
    first, last = [1, True, (3.0,)], [0, True, (3.0,)]
    expected = [first, [*last, 6.0], first, [*last, 15.0]]
    same(told(3.0, ["post", "pre"]), (expected, (6.0, 15.0, 6.0, 6.0)), what)
    ### BEGIN HIDDEN TESTS
    for count in (0, 1, 2, 5, 9):
        x = float(rng.normal())
        kinds = rng.choice(["pre", "post"], size=count).tolist()
        expected = []
        for out in (2 * x, 5 * x):
            expected += [[i, True, (x,)] for i, kind in enumerate(kinds) if kind == "pre"]
            expected += [[i, True, (x,), out] for i, kind in enumerate(kinds) if kind == "post"]
        same(told(x, kinds), (expected, (2 * x, 5 * x, 2 * x, 2 * x)), f"{kinds}: {what}")
    ### END HIDDEN TESTS


# %% tests="hooks" behaviour="replaced" points=2
@autograder.test
def _(rng):
    "What a hook returns, unless None, replaces arguments or output, for later hooks too."

    @beside
    def run(args, pre, post):
        net = plant(Hooks, [""])[""]
        net.forward = lambda *args: list(args)
        seen = []
        for value in pre:
            net.register_forward_pre_hook(lambda m, args, value=value: seen.append(args) or value)
        for value in post:
            net.register_forward_hook(lambda m, *words, v=value: seen.append([*words]) or v)
        return net(*args), seen

    what = "the output, and what each hook saw"
    seen = [(1,), (2, 3), [(2, 3), [2, 3]], [(2, 3), 7]]
    same(run([1], [(2, 3), None], [7, None]), (7, seen), what)
    same(run([1], [5], []), ([5], [(1,)]), f"a pre-hook returns 5, no tuple: {what}")
    ### BEGIN HIDDEN TESTS

    def oracle(args, pre, post):
        args, seen = tuple(args), []
        for value in pre:
            seen.append(args)
            if value is not None:
                args = value if isinstance(value, tuple) else (value,)
        out = list(args)
        for value in post:
            seen.append([args, out])
            out = out if value is None else value
        return out, seen

    values = [None, 0, 0.0, False, "", [], (), (1,), (None,), [4, 5], 8.5, (2, 3), np.zeros(2)]
    for count in (1, 1, 1, 2, 3, 5, 8):
        pre, post = ([values[int(rng.integers(13))] for _ in range(count)] for _ in "ab")
        same(run([6, 7], pre, post), oracle([6, 7], pre, post), f"{pre} and {post}: {what}")
    for value in values:
        expected = oracle([1], [value], [value])
        same(run([1], [value], [value]), expected, f"hooks that return {value!r}: {what}")
    ### END HIDDEN TESTS


# %% tests="hooks" behaviour="removed" points=2
@autograder.test
def _(rng):
    "`remove()` takes away its own hook only, once and for all, the same function's others not."

    @beside
    def run(functions, removals):
        net = plant(Hooks, [""])[""]
        net.forward = lambda x: x
        calls, results = [], []
        pre = [lambda m, args, i=i: calls.append(f"pre {i}") for i in range(3)]
        post = [lambda m, args, out, i=i: calls.append(f"post {i}") for i in range(3)]
        adds = (net.register_forward_pre_hook, pre), (net.register_forward_hook, post)
        handles = [add(hooks[i]) for i in functions for add, hooks in adds]
        for place in [None, *removals]:
            if place is not None:
                handles[place].remove()
            net(1.0)
            results.append(" ".join(calls))
            calls.clear()
        return results

    what = "the hooks called before a removal, and after each"
    whole = "pre 0 pre 1 pre 0 post 0 post 1 post 0"
    expected = [whole, "pre 1 pre 0 post 0 post 1 post 0", "pre 1 pre 0 post 0 post 1"]
    same(run([0, 1, 0], [0, 5, 0]), [*expected, expected[-1]], what)
    ### BEGIN HIDDEN TESTS
    for count in (1, 2, 4, 7):
        functions = rng.integers(3, size=count).tolist()
        removals = rng.integers(2 * count, size=count + 2).tolist()
        expected, gone = [], set()
        for place in [None, *removals]:
            gone.add(place)
            left = [f"pre {i}" for k, i in enumerate(functions) if 2 * k not in gone]
            left += [f"post {i}" for k, i in enumerate(functions) if 2 * k + 1 not in gone]
            expected.append(" ".join(left))
        same(run(functions, removals), expected, f"{functions}, {removals}: {what}")
    ### END HIDDEN TESTS


# %% tests="hooks" behaviour="meanwhile" points=1
@autograder.test
def _(rng):
    "Hooks changed by a hook of their kind count from the next call; errors pass through."

    @beside
    def run(count, kind):
        net = plant(Hooks, [""])[""]
        net.forward = lambda x: x
        calls, handles = [], []
        add = net.register_forward_pre_hook if kind == "pre" else net.register_forward_hook

        def once(i):
            def hook(*args):
                calls.append(i)
                handles[i].remove()
                if i == 0 and len(handles) == count:
                    handles.append(add(lambda *args: calls.append("late")))

            return hook

        handles += [add(once(i)) for i in range(count)]
        rounds = []
        for _ in range(3):
            net(0.0)
            rounds.append([str(call) for call in calls])
            calls.clear()
        return rounds

    what = "the hooks called in three calls; each removes itself, the first adds another"
    same(run(2, "forward"), [["0", "1"], ["late"], ["late"]], what)
    ### BEGIN HIDDEN TESTS
    for count in (1, 3, 6):
        for kind in ("pre", "forward"):
            same(run(count, kind), [[str(i) for i in range(count)], ["late"], ["late"]], what)

    @beside
    def one_by_another(kind):
        net = plant(Hooks, [""])[""]
        net.forward = lambda x: x
        calls, handles = [], []
        add = net.register_forward_pre_hook if kind == "pre" else net.register_forward_hook

        def first(*args):
            calls.append("first")
            for handle in handles:
                handle.remove()

        add(first)
        handles += [add(lambda *args, i=i: calls.append(i)) for i in ("second", "third")]
        net(0.0)
        net(0.0)
        return calls

    called = ["first", "second", "third", "first"]
    for kind in ("pre", "forward"):
        same(one_by_another(kind), called, "the hooks called twice; the first removes the others")

    @beside
    def failing(where):
        net = plant(Hooks, [""])[""]

        def fail(*args):
            raise ZeroDivisionError("a hook of mine")

        net.forward = fail if where == "forward" else lambda x: x
        if where == "pre":
            net.register_forward_pre_hook(fail)
        if where == "post":
            net.register_forward_hook(fail)
        return net(1.0)

    for where in ("pre", "forward", "post"):
        raises(ZeroDivisionError, failing, where, mentions="a hook of mine")
    same(run(1, "pre"), [["0"], ["late"], ["late"]], what)
    ### END HIDDEN TESTS


# %% [markdown]
# Give the part to `Module`, while the program runs: a class's parents are an attribute like any
# other, and all your layers are its children.

# %% given="hooked"
if "Hooks" in globals() and Hooks not in Module.__bases__:
    Module.__bases__ = (Hooks, *Module.__bases__)

# %% [markdown]
# Now ask ten layers at once how much of the input arrives: how far their outputs differ between
# the 64 examples. First with the weights that `Linear` chose, then with He's, by `apply`.


# %%
def deep_net(rng):
    return Sequential(*[layer for _ in range(10) for layer in (Linear(256, 256, rng=rng), ReLU())])


def spreads(net, x):
    """How much the outputs of each ReLU differ from example to example."""
    found = []
    layers = [layer for _name, layer in net.named_modules() if isinstance(layer, ReLU)]

    def note(module, args, out):
        found.append(float(out.data.std(axis=0).mean()))

    handles = [layer.register_forward_hook(note) for layer in layers]
    net(x)
    for handle in handles:
        handle.remove()
    return found


rng = np.random.default_rng(0)
x = cr.tensor(rng.standard_normal((64, 256)), "float32")
net = deep_net(rng)
print("uniform ±1/√d ", *(f"{spread:.4f}" for spread in spreads(net, x)))
net.apply(lambda module: he(module, rng))
print("He            ", *(f"{spread:.4f}" for spread in spreads(net, x)))

# %% [markdown]
# With the default weights each layer shrinks the differences, and after ten layers the net hardly
# knows one example from another; with He's weights it does. Not a line of the net was touched to
# see it, or to mend it.

# %% [markdown]
# ## The same model in torch.nn
#
# Take your `TwoLayerNet`, write `torch.nn.Module` for `Module`, `torch.nn.Linear` for `Linear`, and
# leave out `rng`. That is the whole port; here it is.

# %% given="pytorch"
HOW = "is not installed here. `make lab`, without LIGHT=1, adds it; all the rest works without."
try:
    import torch
except ImportError:
    torch = TorchTwoLayerNet = None
    print("PyTorch", HOW)
else:

    class TorchTwoLayerNet(torch.nn.Module):
        def __init__(self, D_in, H, D_out):
            super().__init__()
            self.linear1 = torch.nn.Linear(D_in, H)
            self.linear2 = torch.nn.Linear(H, D_out)

        def forward(self, x):
            return self.linear2(torch.relu(self.linear1(x)))


# %% [markdown] prompt="carry"
# ### Exercise 8: carry the weights
#
# Same code is not yet same model: the weights have to come along. Write four functions. `net` is a
# module with children `linear1` and `linear2` as in `TwoLayerNet`; `net.state_dict()` and
# `net.load_state_dict(state)` are there, those of exercise 4 or the library's.
#
# * `to_torch(net)` returns a new `TorchTwoLayerNet` of the same sizes, with the same weights, in
#   the same dtype (float32 or float64).
# * `from_torch(twin, net)` copies the weights of `twin`, a `TorchTwoLayerNet`, into `net`.
# * `to_keras(net)` returns what Keras's `model.set_weights` wants for two `Dense` layers: a list of
#   four NumPy arrays, kernel and bias of the first layer, then of the second. A kernel is a weight
#   transposed, (inputs, outputs).
# * `from_keras(weights, net)` copies such a list into `net`.
#
# The `from_` functions return nothing that counts, and cast to `net`'s dtype. In each direction the
# two sides share no memory afterwards: training one does not move the other. The source of a copy
# is unchanged. All sizes may be equal, so that a forgotten transpose raises no error.
#
# The last two need neither Keras nor PyTorch. (In an installation without PyTorch, leave the first
# two out.) Allowed are NumPy, `chainrule` and PyTorch.

# %% [markdown] hint="carry"
# Both sides have a state dict, with the same names. So carrying is: take one's state, convert each
# value, load it into the other. The sizes stand in the shapes of the weights.

# %% [markdown] hint="carry"
# ```
#               net                 PyTorch              Keras
#  linear1.weight  (H, D_in)       (H, D_in)     .T     (D_in, H)     0
#  linear1.bias    (H,)            (H,)                 (H,)          1
#  linear2.weight  (D_out, H)      (D_out, H)    .T     (H, D_out)    2
#  linear2.bias    (D_out,)        (D_out,)             (D_out,)      3
# ```
# `torch.tensor(array)` copies, `torch.from_numpy(array)` does not. `array.T` is a view of the same
# memory; `.copy()` makes it an array of its own. `twin.to(dtype)` or `twin.double()` changes the
# dtype of a PyTorch module, and loading casts to the dtype that is there.

# %% [markdown] hint="carry"
# ```python
# NAMES = ["linear1.weight", "linear1.bias", "linear2.weight", "linear2.bias"]
#
#
# def to_torch(net):
#     state = {name: torch.tensor(...) for name, value in net.state_dict().items()}
#     (h, d_in), (d_out, _) = ...
#     twin = TorchTwoLayerNet(...).to(...)
#     twin.load_state_dict(...)
#     return twin
#
#
# def to_keras(net):
#     arrays = [... for name in NAMES]
#     return [... if array.ndim == 2 else ... for array in arrays]
# ```


# %% exercise="carry" minutes=15 difficulty=2 importance=4 allow="numpy chainrule torch"
NAMES = ["linear1.weight", "linear1.bias", "linear2.weight", "linear2.bias"]


def to_torch(net):
    ### BEGIN SOLUTION
    state = {name: torch.tensor(value.data) for name, value in net.state_dict().items()}
    (hidden, d_in), last = state[NAMES[0]].shape, state[NAMES[3]]
    twin = TorchTwoLayerNet(d_in, hidden, len(last)).to(last.dtype)
    twin.load_state_dict(state)
    return twin
    ### END SOLUTION


def from_torch(twin, net):
    ### BEGIN SOLUTION
    net.load_state_dict({name: value.numpy() for name, value in twin.state_dict().items()})
    ### END SOLUTION


def to_keras(net):
    ### BEGIN SOLUTION
    state = net.state_dict()
    return [state[name].data.T.copy() for name in NAMES]
    ### END SOLUTION


def from_keras(weights, net):
    ### BEGIN SOLUTION
    net.load_state_dict({name: weights[place].T for place, name in enumerate(NAMES)})
    ### END SOLUTION


# %% given="two_layers"
def two_layers(weights):
    """For the checks: the library's linear1 and linear2 with these four arrays."""
    net = cr.nn.Module()
    for name, weight, bias in (("linear1", *weights[:2]), ("linear2", *weights[2:])):
        layer = cr.nn.Linear(weight.shape[1], len(weight))
        layer.weight, layer.bias = Parameter(cr.tensor(weight)), Parameter(cr.tensor(bias))
        setattr(net, name, layer)
    return net


def write(twin, values):
    """For the checks: write arrays, or numbers, into the parameters of a PyTorch model."""
    with torch.no_grad():
        for p, value in zip(twin.parameters(), values, strict=True):
            p.copy_(torch.as_tensor(value))


# %% tests="carry" behaviour="to_torch" points=2
@autograder.test
def _(rng):
    "`to_torch` gives a TorchTwoLayerNet of the same sizes, weights and dtype, on its own memory."

    @beside
    def run(weights, x):
        if torch is None:
            return f"PyTorch {HOW}"
        net = two_layers(weights)
        twin = to_torch(net)
        if type(twin) is not TorchTwoLayerNet:
            return f"expected a TorchTwoLayerNet, came a {type(twin).__name__}"
        out = twin(torch.tensor(x)).detach().numpy()
        write(to_torch(net), [77.0] * 4)
        state = {name: value.numpy().copy() for name, value in twin.state_dict().items()}
        write(twin, [99.0] * 4)
        everything = [*twin.parameters(), *net.parameters()]
        needs = all(p.requires_grad and p.is_leaf for p in everything)
        return out, state, [p.data for p in net.parameters()], needs

    weights = [np.array([[1.0, 2.0], [0.0, -1.0]]), np.zeros(2), np.array([[3.0, 4.0]]), np.ones(1)]
    names = ["linear1.weight", "linear1.bias", "linear2.weight", "linear2.bias"]
    what = "its output and state; net's weights after a change of the twin; does all need gradients"
    got = run(weights, np.array([[1.0, 1.0]]))
    require(type(got) is not str, f"{got}")
    state = dict(zip(names, weights, strict=True))
    same(got, (np.array([[10.0]]), state, weights, True), what)
    ### BEGIN HIDDEN TESTS
    for d_in, h, d_out in ((1, 1, 1), (4, 3, 2), (5, 5, 5), (2, 7, 1)):
        for dtype, rtol in (("float64", 1e-9), ("float32", 1e-4)):
            shapes = (h, d_in), (h,), (d_out, h), (d_out,)
            weights = [rng.normal(size=shape).astype(dtype) for shape in shapes]
            x = rng.normal(size=(6, d_in)).astype(dtype)
            w1, b1, w2, b2 = weights
            out = np.maximum(x @ w1.T + b1, 0) @ w2.T + b2
            got = run(weights, x)
            same(got[1:], (dict(zip(names, weights, strict=True)), weights, True), what)
            same(got[0], out, "the twin's output", rtol=rtol, atol=rtol / 10)
    ### END HIDDEN TESTS


# %% tests="carry" behaviour="from_torch" points=1
@autograder.test
def _(rng):
    "`from_torch` copies the twin's weights into `net`, in `net`'s dtype, on memory of its own."

    @beside
    def run(weights, dtype):
        import numpy as np

        if torch is None:
            return f"PyTorch {HOW}"
        twin = TorchTwoLayerNet(weights[0].shape[1], len(weights[0]), len(weights[2])).double()
        write(twin, weights)
        net = two_layers([np.zeros(w.shape, dtype) for w in weights])
        before = list(net.parameters())
        from_torch(twin, net)
        kept = [old is new for old, new in zip(before, net.parameters(), strict=True)]
        source = [p.detach().numpy().copy() for p in twin.parameters()]
        write(twin, [99.0] * 4)
        return [p.data for p in net.parameters()], all(kept), source

    weights = [np.array([[1.0, 2.0], [0.0, -1.0]]), np.zeros(2), np.array([[3.0, 4.0]]), np.ones(1)]
    what = "net's weights after a change of the twin; are they the same objects; the twin's before"
    got = run(weights, "float64")
    require(type(got) is not str, f"{got}")
    same(got, (weights, True, weights), what)
    ### BEGIN HIDDEN TESTS
    for d_in, h, d_out in ((1, 1, 1), (4, 3, 2), (5, 5, 5), (2, 7, 1)):
        for dtype in ("float64", "float32"):
            weights = [rng.normal(size=size) for size in ((h, d_in), (h,), (d_out, h), (d_out,))]
            same(run(weights, dtype), ([w.astype(dtype) for w in weights], True, weights), what)
    ### END HIDDEN TESTS


# %% tests="carry" behaviour="to_keras" points=1
@autograder.test
def _(rng):
    "`to_keras` gives kernel, bias, kernel, bias; kernels transposed, on memory of their own."

    @beside
    def run(weights):
        net = two_layers(weights)
        found = to_keras(net)
        if type(found) is not list:
            return f"a {type(found).__name__} instead of a list"
        copies = [array + 0 for array in found]
        for array in found:
            array[...] = 99.0
        return copies, [p.data for p in net.parameters()]

    weights = [np.array([[1.0, 2.0], [0.0, -1.0]]), np.zeros(2), np.array([[3.0, 4.0]]), np.ones(1)]
    what = "the list, and net's weights after the arrays in it were changed"
    keras = [np.array([[1.0, 0.0], [2.0, -1.0]]), weights[1], np.array([[3.0], [4.0]]), weights[3]]
    same(run(weights), (keras, weights), what)
    ### BEGIN HIDDEN TESTS
    for d_in, h, d_out in ((1, 1, 1), (4, 3, 2), (5, 5, 5), (2, 7, 1)):
        for dtype in ("float64", "float32"):
            sizes = (h, d_in), (h,), (d_out, h), (d_out,)
            weights = [rng.normal(size=size).astype(dtype) for size in sizes]
            same(run(weights), ([w.T for w in weights], weights), what)
    ### END HIDDEN TESTS


# %% tests="carry" behaviour="from_keras" points=1
@autograder.test
def _(rng):
    "`from_keras` copies such a list into `net`, in `net`'s dtype, on memory of its own."

    @beside
    def run(keras, dtype):
        import numpy as np

        net = two_layers([np.zeros(w.T.shape, dtype) for w in keras])
        before, given = list(net.parameters()), [w + 0 for w in keras]
        from_keras(given, net)
        kept = [old is new for old, new in zip(before, net.parameters(), strict=True)]
        after = [w + 0 for w in given]
        for array in given:
            array[...] = 99.0
        return [p.data for p in net.parameters()], all(kept), after

    weights = [np.array([[1.0, 2.0], [0.0, -1.0]]), np.zeros(2), np.array([[3.0, 4.0]]), np.ones(1)]
    keras = [np.array([[1.0, 0.0], [2.0, -1.0]]), weights[1], np.array([[3.0], [4.0]]), weights[3]]
    what = "net's weights after a change of the list; are they the same objects; the list"
    same(run(keras, "float64"), (weights, True, keras), what)
    ### BEGIN HIDDEN TESTS
    for d_in, h, d_out in ((1, 1, 1), (4, 3, 2), (5, 5, 5), (2, 7, 1)):
        for dtype in ("float64", "float32"):
            keras = [rng.normal(size=size) for size in ((d_in, h), (h,), (h, d_out), (d_out,))]
            same(run(keras, dtype), ([w.T.astype(dtype) for w in keras], True, keras), what)
    ### END HIDDEN TESTS


# %% [markdown] prompt="which_level"
# ### Question: which level?
#
# Four wishes. Say for each on which of the three levels (array, graph, module) you would fulfill
# it, and in one sentence why: (a) use a layer's weight transposed as the weight of the last layer,
# one matrix in two places; (b) a new activation, a formula of known operations, without weights;
# (c) an activation whose formula overflows when composed, as in lesson 05; (d) running means that
# are saved with the net, but not trained.

# %% [markdown] written="which_level" points=2
# ### BEGIN SOLUTION
# (a) Module: a module owns the matrix as a Parameter, registered once, and `forward` uses `w` and
# `w.T`; the graph adds both gradients by itself. (b) Graph level: a plain function of tensors is
# enough; autograd differentiates it, and there is nothing to own, so no module is needed (one may
# wrap it to stand in a Sequential). (c) Graph level, one step lower: a Function with forward and
# backward of its own, as the composite's rules are locally right and numerically useless. (d)
# Module: a buffer; only a module has a state with names that is saved, moved and switched by
# train and eval. Array level for none of them: whatever is computed on bare arrays is lost to
# the gradient (one may compute the running mean there, on purpose).
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# * 1 point: (a) and (d) are matters of a module, because of ownership: registered once; state that
#   is saved and not trained.
# * 1 point: (b) needs no module, a function of tensors; (c) needs a Function of its own. Half if
#   only one. A module around either is no error if the reason is to put it into a Sequential.
# ### END MARK SCHEME

# %% [markdown]
# ## What it bought, what it cost
#
# | a class that knows what is in it | |
# |---|---|
# | no list by hand | a weight is found because it was assigned; nobody keeps the list |
# | names | checkpoints, partial loading, carrying weights between frameworks |
# | one switch | train, eval, freeze, initialize, cast and move, for any depth |
# | composition | a net is a layer is a net; blocks are written once |
# | a place to look in | hooks, because every call goes through one method |
# | **but** magic | an assignment that does more than assign; errors in `__getattr__` mislead |
# | **but** blind spots | lists, dicts, weights kept in closures: silently not found |
# | **but** state | `model(x)` depends on weights, mode and hooks that the call does not show |
#
# The last line is why there is another school. In JAX (2018) a model is a function
# `apply(params, x)`, and the tree of weights is passed in and out by hand; its libraries then
# rebuild modules on top of that.

# %% [markdown]
# ## What history did with it
#
# * **1991**: Bottou and Gallinari describe learning systems as modules, each with its forward and
#   its backward, connected to larger ones (*A framework for the cooperation of learning
#   algorithms*, NIPS 3). Bottou and LeCun's SN, in which LeNet was made, worked so.
# * **2002**: Torch (Collobert, Bengio, Mariéthoz, *Torch: a modular machine learning software
#   library*, IDIAP). Torch7 (2011) has an `nn` with `Module`, `Linear`, `Sequential`, and
#   `updateGradInput` to be written for each. Its names are the ones you used today.
# * **2015**: Chainer separates `Function`s without weights from `Link`s and `Chain`s that own them;
#   with its tape, a layer needs no backward any more. Keras, in the same year, makes layers the
#   only thing its users see.
# * **2016, 2017**: PyTorch joins the two: Torch's names, Chainer's tape, and registration by
#   assignment. Sonnet (DeepMind, 2017) brings modules to TensorFlow; the lecture names it as the
#   counterpart. TensorFlow has a `tf.Module` of its own since 2.0 (2019).
# * A checkpoint that is a pickled model can run any code when it is loaded. Since PyTorch 2.6
#   (January 2025) `torch.load` takes only tensors and plain containers unless told otherwise: state
#   dicts, in other words.
# * `register_backward_hook` told wrong gradients for modules of several operations for years;
#   `register_full_backward_hook` replaced it in PyTorch 1.8 (2021). `chainrule` has that one.

# %% [markdown]
# ## Now in PyTorch and TensorFlow
#
# Not graded. Your net, and its twins in PyTorch and Keras with the weights that you carried. The
# same batch, then one step of gradient descent on the same loss in each, then the weights back.

# %% given="keras"
try:
    import os

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow as tf
except ImportError:
    tf = None
    print("TensorFlow", HOW)

# %%
rng = np.random.default_rng(7)
net = TwoLayerNet(6, 5, 2, rng=rng)
x, y = (rng.standard_normal(size).astype("float32") for size in ((8, 6), (8, 2)))


def step(model):
    loss = ((model(cr.tensor(x)) - cr.tensor(y)) ** 2).sum()
    model.zero_grad()
    loss.backward()
    with cr.no_grad():
        for p in model.parameters():
            p -= 0.01 * p.grad
    return loss.item()


def copy_of(model):
    other = TwoLayerNet(6, 5, 2, rng=np.random.default_rng())
    other.load_state_dict(model.state_dict())
    return other


# %%
losses, moved = {}, {}
if torch:
    twin = to_torch(net)
    loss = ((twin(torch.tensor(x)) - torch.tensor(y)) ** 2).sum()
    losses["PyTorch"] = loss.item()
    loss.backward()
    with torch.no_grad():
        for p in twin.parameters():
            p -= 0.01 * p.grad
    moved["PyTorch"] = copy_of(net)
    from_torch(twin, moved["PyTorch"])

# %% [markdown]
# Keras's model is a `Sequential` of two `Dense`; `set_weights` takes your list and `get_weights`
# gives one back.

# %%
if tf:
    layers = tf.keras.layers
    dense = [layers.Dense(5, activation="relu"), layers.Dense(2)]
    keras_net = tf.keras.Sequential([layers.Input((6,)), *dense])
    keras_net.set_weights(to_keras(net))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum((keras_net(x) - y) ** 2)
    losses["Keras"] = float(loss)
    variables = keras_net.trainable_variables
    for variable, g in zip(variables, tape.gradient(loss, variables), strict=True):
        variable.assign_sub(0.01 * g)
    moved["Keras"] = copy_of(net)
    from_keras(keras_net.get_weights(), moved["Keras"])

# %%
losses["yours"] = step(net)
for name, value in losses.items():
    print(f"{name:8} loss {value:.6f}", end="")
    if name in moved:
        pairs = zip(moved[name].parameters(), net.parameters(), strict=True)
        print("   largest difference of weights after a step", end="")
        print(f" {max(np.abs(p.data - q.data).max() for p, q in pairs):.1e}", end="")
    print()
if not moved:
    print("Neither PyTorch nor TensorFlow", HOW.replace("not ", "", 1))

# %% [markdown]
# Equal up to float32 rounding. The tree is in all three, under names that you now know how to make:

# %%
print("yours  ", [name for name, _ in net.named_parameters()])
if torch:
    print("PyTorch", [name for name, _ in twin.named_parameters()])
    listed = torch.nn.Module()
    listed.layers = [torch.nn.Linear(2, 2)]
    print("a list in PyTorch:", len(list(listed.parameters())), "parameters found")
if tf:
    print("Keras  ", [variable.path for variable in keras_net.trainable_variables])

    class Listed(tf.keras.Model):
        def __init__(self):
            super().__init__()
            self.parts = [tf.keras.layers.Dense(2), tf.keras.layers.Dense(2)]

        def call(self, x):
            return self.parts[1](self.parts[0](x))

    listed = Listed()
    listed(x)
    print("a list in Keras:  ", len(listed.trainable_variables), "parameters found")

# %% [markdown]
# What moves the weights is still a loop by hand, `p -= 0.01 * p.grad`, and the simplest one. Lesson
# 07 replaces it by objects of their own: optimizers.
