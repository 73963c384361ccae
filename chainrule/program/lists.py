"""Programs as plain lists: steps of four parts, which anybody can make, send, run and count.

A step is `(name, op, args, attrs)`: a name of its own, an operation, the names of the values that
it takes, and what else the operation needs. A program is `(steps, fetches)`. All values are arrays
of float64. An `input` is fed under its own name. Lesson 13 writes its passes on this form, and
`outcome` says what a program computes and what that costs, whoever made it.

>>> import numpy as np
>>> steps = [
...     ("x", "input", (), {"shape": (2,)}),
...     ("two", "constant", (), {"value": np.array(2.0)}),
...     ("y", "multiply", ("x", "two"), {}),
... ]
>>> found = outcome((steps, ["y"]), {"x": np.array([1.0, 3.0])})
>>> found["values"], found["kernels"], found["bytes"]
([array([2., 6.])], 1, 40)
>>> outcome((steps, ["z"]), {"x": np.ones(2)})["flaw"]
"'z' is fetched, but no step makes it"
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

__all__ = ["EACH", "EFFECTS", "OPS", "attempt", "needed", "outcome"]

Step = tuple[str, str, tuple[str, ...], dict[str, Any]]
Array = np.ndarray


def _compare(test: Callable[..., Any]) -> Callable[..., Array]:
    return lambda x, y: np.asarray(test(x, y)).astype(float)


def _sum(x: Array, axis: int | None = None, keepdims: bool = False) -> Array:
    return np.asarray(np.sum(x, axis=axis, keepdims=keepdims))


def _expand(x: Array, shape: Sequence[int] = ()) -> Array:
    if len(shape) > 4 or np.prod([1.0, *shape]) > 1e7:
        raise ValueError(f"expand makes an array of shape {tuple(shape)}")
    return np.array(np.broadcast_to(x, tuple(shape)))


#: What an operation computes.
OPS: dict[str, Callable[..., Any]] = {
    "add": np.add, "subtract": np.subtract, "multiply": np.multiply, "divide": np.divide,
    "power": np.power, "maximum": np.maximum, "minimum": np.minimum, "negative": np.negative,
    "absolute": np.absolute, "exp": np.exp, "sqrt": np.sqrt, "tanh": np.tanh,
    "greater": _compare(np.greater), "equal": _compare(np.equal),
    "matmul": np.matmul, "transpose": np.transpose, "sum": _sum, "expand": _expand,
}  # fmt: skip

#: Operations that work element by element.
EACH = frozenset(OPS) - {"matmul", "transpose", "sum", "expand"}

#: Operations that do more than give a value.
EFFECTS = frozenset({"random", "print"})

ONE = frozenset({"negative", "absolute", "exp", "sqrt", "tanh", "transpose", "sum", "expand"})
ATTRS = {
    "input": {"shape"}, "constant": {"value"}, "random": {"shape"}, "print": {"label"},
    "sum": {"axis", "keepdims"}, "expand": {"shape"}, "fused": {"takes", "steps", "gives"},
}  # fmt: skip


class Flaw(Exception):
    """What is wrong with a program, in one sentence."""


def arity(op: str) -> int | None:
    """Return how many values an operation takes; None for a fused one."""
    if op in ("input", "constant", "random"):
        return 0
    if op == "fused":
        return None
    return 1 if op in ONE or op == "print" else 2


def steps_of(listed: Any) -> list[Step]:
    """Return the steps of a list; Flaw if they are none. Nothing is computed."""
    if not isinstance(listed, list | tuple):
        raise Flaw(f"the steps of a program are a list, not {type(listed).__name__}")
    found: list[Step] = []
    for step in listed:
        if not isinstance(step, list | tuple) or len(step) != 4:
            raise Flaw(f"a step is (name, op, args, attrs); here it is {str(step)[:60]}")
        name, op, args, attrs = step
        if not isinstance(name, str) or not isinstance(op, str):
            raise Flaw(f"name and op of a step are strings; here they are {name!r}, {op!r}")
        if not isinstance(args, list | tuple) or not all(isinstance(a, str) for a in args):
            raise Flaw(f"the args of step {name!r} are a tuple of names; here {str(args)[:60]}")
        if not isinstance(attrs, dict) or not set(attrs) <= ATTRS.get(op, set()):
            raise Flaw(f"step {name!r} has attrs that {op!r} does not know: {str(attrs)[:60]}")
        if op not in OPS and op not in ATTRS:
            raise Flaw(f"there is no operation {op!r} (step {name!r})")
        if arity(op) not in (None, len(args)):
            raise Flaw(f"step {name!r}: {op} takes {arity(op)} values, not {len(args)}")
        found.append((name, op, tuple(args), attrs))
    return found


def program_of(program: Any) -> tuple[list[Step], list[str]]:
    """Return steps and fetches of what should be a program; Flaw if it is none."""
    if not isinstance(program, list | tuple) or len(program) != 2:
        raise Flaw(f"expected two things, (steps, fetches), came {str(program)[:60]}")
    steps, fetches = steps_of(program[0]), program[1]
    if not isinstance(fetches, list | tuple) or not all(isinstance(f, str) for f in fetches):
        raise Flaw(f"fetches are a list of names; here they are {str(fetches)[:60]}")
    return steps, list(fetches)


class Run:
    """One run of a program.

    Attributes:
        values: By name, what has been computed.
        log: What was printed: a label and a value each.
        kernels: Steps that compute.
        bytes: What kernels read from memory and write to it.
        computed: Elementary operations, those inside of fused kernels too.
    """

    def __init__(self, feeds: Mapping[str, Any], seed: int = 0) -> None:
        self.feeds, self.rng = feeds, np.random.default_rng(seed)
        self.values: dict[str, Array] = {}
        self.log: list[tuple[str, Array]] = []
        self.kernels = self.bytes = self.computed = 0

    def step(self, step: Step) -> None:
        """Compute one step. Flaw if that is impossible."""
        name, op, args, attrs = step
        if name in self.values:
            raise Flaw(f"two steps are called {name!r}")
        for a in args:
            if a not in self.values:
                raise Flaw(f"step {name!r} uses {a!r}, which no step before it makes")
        try:
            with np.errstate(all="ignore"):
                value = np.asarray(self.value(name, op, [self.values[a] for a in args], attrs))
        except Flaw:
            raise
        except Exception as error:
            raise Flaw(f"step {name!r} ({op}): {error}") from None
        if value.dtype != np.float64:
            raise Flaw(f"the value of step {name!r} has dtype {value.dtype}, not float64")
        self.values[name] = value
        if op not in ("input", "constant"):
            self.kernels += 1
            read = args if op == "fused" else set(args)
            self.bytes += value.nbytes + sum(self.values[a].nbytes for a in read)

    def value(self, name: str, op: str, arrays: list[Array], attrs: dict[str, Any]) -> Any:
        """Return the value of one operation."""
        if op == "input":
            if name not in self.feeds:
                raise Flaw(f"{name!r} is an input that nobody feeds")
            return self.feeds[name]
        if op == "constant":
            return attrs["value"]
        if op == "random":
            return self.rng.normal(size=attrs["shape"])
        if op == "print":
            self.log.append((str(attrs["label"]), arrays[0].copy()))
            return arrays[0]
        if op == "fused":
            return self.fused(arrays, attrs)
        self.computed += 1
        return OPS[op](*arrays, **attrs)

    def fused(self, arrays: list[Array], attrs: dict[str, Any]) -> Array:
        """Return the value of a kernel with steps of its own, each element by element."""
        takes, steps = attrs["takes"], steps_of(attrs["steps"])
        if len(takes) != len(arrays):
            raise Flaw(f"a fused kernel takes {len(takes)} values and is given {len(arrays)}")
        for name, op, _, _ in steps:
            if op not in EACH and op not in ("constant", "fused"):
                raise Flaw(f"{op!r} (step {name!r}) may not be inside a fused kernel")
        inner = Run({})
        inner.values = dict(zip(takes, arrays, strict=True))
        for step in steps:
            inner.step(step)
        self.computed += inner.computed
        if attrs["gives"] not in inner.values:
            raise Flaw(f"a fused kernel gives {attrs['gives']!r}, which none of its steps makes")
        result = inner.values[attrs["gives"]]
        for name, op, _, _ in steps:
            if op != "constant" and inner.values[name].shape != result.shape:
                raise Flaw(f"{name!r} in a fused kernel has another shape than the result")
        return result


def outcome(program: Any, feeds: Mapping[str, Any], seed: int = 0) -> dict[str, Any]:
    """Return what a program computes and costs, as plain data.

    Args:
        program: `(steps, fetches)`, from anybody.
        feeds: By name, the arrays for its inputs; more than it needs do no harm.
        seed: Where its random numbers begin.

    Returns:
        `flaw`: what is wrong with it, "" if nothing; `values` of the fetches; `log` of what it
        printed; `random`: the values of its random steps; `steps`, `kernels`, `bytes`, `computed`.
    """
    names = ("values", "log", "random", "steps", "kernels", "bytes", "computed", "ops")
    try:
        steps, fetches = program_of(program)
        run = Run(feeds, seed)
        for step in steps:
            run.step(step)
        for name in fetches:
            if name not in run.values:
                raise Flaw(f"{name!r} is fetched, but no step makes it")
    except Flaw as flaw:
        return {"flaw": str(flaw), **dict.fromkeys(names)}
    ops: dict[str, int] = {}
    for _, op, _, _ in steps:
        ops[op] = ops.get(op, 0) + 1
    drawn = [run.values[name] for name, op, _, _ in steps if op == "random"]
    values = [run.values[name] for name in fetches]
    found = (values, run.log, drawn, len(steps), run.kernels, run.bytes, run.computed, ops)
    return {"flaw": "", **dict(zip(names, found, strict=True))}


def attempt(program: Any, steps: Any, fetches: Any, feeds: Mapping[str, Any]) -> dict[str, Any]:
    """Return the outcome of a program, and in `flaw` also where it differs from another one.

    Values are compared bit by bit, except that one NaN is as good as another; what is printed and
    drawn must come in the same order.
    """
    found, wanted = outcome(program, feeds), outcome((steps, fetches), feeds)
    if found["flaw"]:
        return found
    for what, word in (("values", "fetched"), ("random", "drawn")):
        if len(found[what]) != len(wanted[what]):
            found["flaw"] = f"{len(wanted[what])} values were {word}, now {len(found[what])}"
            return found
    for place, pair in enumerate(zip(found["values"], wanted["values"], strict=True)):
        if not alike(*pair):
            found["flaw"] = (
                f"fetch {fetches[place]!r} was {_brief(pair[1])}, now it is {_brief(pair[0])}"
            )
            return found
    labels = [label for label, _ in found["log"]], [label for label, _ in wanted["log"]]
    if labels[0] != labels[1]:
        found["flaw"] = f"it printed {_brief(labels[1])}, now {_brief(labels[0])}"
    elif not all(alike(a, b) for (_, a), (_, b) in zip(found["log"], wanted["log"], strict=True)):
        found["flaw"] = "it prints other numbers than before"
    return found


def alike(one: Array, other: Array) -> bool:
    """Return whether two arrays are equal bit by bit, but for what is in a NaN."""
    if one.shape != other.shape:
        return False
    nan = np.isnan(one) & np.isnan(other)
    return bool(np.all(nan | ((one == other) & (np.signbit(one) == np.signbit(other)))))


def _brief(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"{np.array2string(value, threshold=4)[:60]} of shape {value.shape}"
    return str(value)[:80]


def needed(steps: Sequence[Step], fetches: Sequence[str]) -> list[Step]:
    """Return the steps that fetches and effects need, in order."""
    wanted = set(fetches) | {name for name, op, _, _ in steps if op in EFFECTS}
    kept = []
    for step in reversed(steps):
        if step[0] in wanted:
            kept.append(step)
            wanted.update(step[2])
    return kept[::-1]
