"""Passes: programs in, programs out, with the same meaning and less to do.

| pass | does |
|---|---|
| `fold` | computes what depends on constants alone |
| `simplify` | applies the patterns of `PATTERNS`, and undoes views of views |
| `share` | computes equal things once (common subexpressions) |
| `prune` | drops what nobody fetches (dead code) |
| `fuse` | makes chains of elementwise steps one step |

Each returns a `Report` beside the program: steps, kernels and bytes before and after.

>>> from chainrule import graph
>>> with graph.Graph():
...     x = graph.placeholder("float32", (1000,), name="x")
...     program = graph.lower([(x * 1.0).exp() + (x + 0.0).exp()])
>>> program, reports = run(program)
>>> print(program)
0  x = placeholder                 (1000,) float32
1  exp = exp(x)                    (1000,) float32
2  add_1 = add(exp, exp)           (1000,) float32
fetch add_1
>>> for report in reports:
...     print(report)
fold: nothing to do
simplify: 2 changes, 6 -> 4 steps, 5 -> 3 kernels, 44000 -> 28000 bytes
share: 1 change, 4 -> 3 steps, 3 -> 2 kernels, 28000 -> 20000 bytes
prune: nothing to do
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from chainrule.compiler.patterns import Builder, rewrite, rules, walk
from chainrule.errors import ChainruleError
from chainrule.ops.shared import axes, broadcast, same
from chainrule.primitive import TABLE
from chainrule.program import At, Program, Step, moved
from chainrule.program.execute import compute

#: Exact for every input but one: `x + 0` is 0 where `x` is -0.
PATTERNS = rules(
    "x + 0 -> x",
    "x - 0 -> x",
    "x * 1 -> x",
    "x / 1 -> x",
    "x ** 1 -> x",
    "x ** 2 -> x * x",
    "x * -1 -> -x",
    "-(-x) -> x",
    "x + -y -> x - y",
    "x - -y -> x + y",
    "-x * -y -> x * y",
    "relu(relu(x)) -> relu(x)",
    "absolute(-x) -> absolute(x)",
    "absolute(absolute(x)) -> absolute(x)",
    "maximum(x, x) -> x",
    "minimum(x, x) -> x",
    "where(c, x, x) -> x",
    "logical_not(logical_not(x)) -> x",
)

#: What may not be moved, shared or computed ahead: it depends on more than its inputs.
ALONE = frozenset(
    {"placeholder", "variable", "read", "assign", "assign_add", "assign_sub", "group", "random",
     "cond", "while_loop", "while_vjp", "pick", "fused"}
)  # fmt: skip


@dataclass(frozen=True)
class Report:
    """What a pass did.

    Attributes:
        name: Of the pass.
        changes: What it did, in words.
        before: Steps, kernels and bytes before it.
        after: The same after it.

    >>> print(Report("share", ["b is a"], (3, 2, 80), (2, 1, 40)))
    share: 1 change, 3 -> 2 steps, 2 -> 1 kernels, 80 -> 40 bytes
    """

    name: str
    changes: list[str]
    before: tuple[int, int, int]
    after: tuple[int, int, int]

    def __str__(self) -> str:
        if not self.changes:
            return f"{self.name}: nothing to do"
        words = ("steps", "kernels", "bytes")
        counts = [f"{a} -> {b} {w}" for a, b, w in zip(self.before, self.after, words, strict=True)]
        plural = "s" if len(self.changes) > 1 else ""
        return f"{self.name}: {len(self.changes)} change{plural}, {', '.join(counts)}"


def measure(program: Program) -> tuple[int, int, int]:
    """Return how many steps a program has, how many of them are kernels, and the bytes they move.

    Views and what has its value before the run are no kernels.
    """
    kernels = moved = 0
    for step in program.steps:
        op = TABLE.get(step.op)
        inputs = [program.steps[i] if isinstance(i, At) else i for i in step.inputs]
        if (op is not None and not op.view) or step.op == "fused":
            kernels += 1
            moved += step.nbytes + sum(i.nbytes for i in inputs if isinstance(i, Step))
    return len(program.steps), kernels, moved


def fold(program: Program) -> tuple[Program, list[str]]:
    """Compute what depends on constants and numbers alone."""
    changes: list[str] = []

    def visit(built: Builder, step: Step) -> At | None:
        made = [built.step(i) for i in step.inputs]
        known = all(s is None or s.op == "constant" for s in made)
        if step.op not in TABLE or not known or step.after:
            return None
        values = [
            i if s is None else s.options["value"] for i, s in zip(step.inputs, made, strict=True)
        ]
        try:
            value = np.asarray(compute(step, values))
        except ChainruleError:
            return None  # it is wrong, and will say so when it runs
        changes.append(f"{step.name} = {step.op} of constants")
        return built.add(replace(step, op="constant", inputs=(), options={"value": value}))

    return walk(program, visit), changes


def simplify(program: Program) -> tuple[Program, list[str]]:
    """Apply patterns, and undo views of views, until nothing changes."""
    changes: list[str] = []
    while True:
        program, applied = rewrite(program, PATTERNS)
        program, undone = walk_views(program)
        changes += applied + undone
        if not applied + undone:
            return program, changes


def walk_views(program: Program) -> tuple[Program, list[str]]:
    """Undo what changes nothing, and make two reshapes or permutations one."""
    undone: list[str] = []

    def visit(built: Builder, step: Step) -> At | None:
        source = built.step(step.inputs[0]) if len(step.inputs) == 1 else None
        if source is None or step.op not in VIEWS or step.after:
            return None
        found = VIEWS[step.op](step, source)
        if found is None:
            return None
        undone.append(f"{step.op.strip('_')} of {source.op.strip('_')}")
        return step.inputs[0] if found is source else built.add(found)

    return walk(program, visit), undone


def _same_shape(step: Step, source: Step) -> Step | None:
    """A view that changes neither shape nor dtype is the value itself."""
    return source if (step.shape, step.dtype) == (source.shape, source.dtype) else None


def _reshape(step: Step, source: Step) -> Step | None:
    if source.op == "_reshape":
        return replace(step, inputs=source.inputs, options={"shape": step.shape})
    return _same_shape(step, source)


def _permute(step: Step, source: Step) -> Step | None:
    order = step.options["order"]
    if order == tuple(range(len(order))):
        return source
    if source.op == "_permute":
        inner = source.options["order"]
        both = tuple(inner[i] for i in order)
        return replace(step, inputs=source.inputs, options={"order": both})
    return None


def _flip(step: Step, source: Step) -> Step | None:
    """Reversed over no axis: the value itself."""
    return source if not axes(step.options["axis"], len(step.shape)) else None


VIEWS: dict[str, Callable[[Step, Step], Step | None]] = {
    "_reshape": _reshape, "_permute": _permute, "expand": _same_shape, "cast": _same_shape,
    "unbroadcast": _same_shape, "flip": _flip,
}  # fmt: skip


def share(program: Program) -> tuple[Program, list[str]]:
    """Compute equal things once: the same operation on the same values with the same options."""
    changes: list[str] = []
    known: dict[Any, At] = {}

    def visit(built: Builder, step: Step) -> At | None:
        if step.op in ALONE or step.after:
            return None
        key = (
            step.op,
            step.inputs,
            tuple(map(type, step.inputs)),
            step.dtype,
            frozen(step.options),
        )
        if key in known:
            changes.append(f"{step.name} is {built.steps[known[key]].name}")
            return known[key]
        known[key] = At(len(built.steps))
        return None

    return walk(program, visit), changes


def frozen(value: Any) -> Any:
    """Return an option as something that can be compared and looked up."""
    if isinstance(value, np.ndarray):
        return "array", value.shape, value.dtype.str, value.tobytes()
    if isinstance(value, dict):
        return tuple((k, frozen(v)) for k, v in sorted(value.items()))
    if isinstance(value, tuple | list):
        return type(value).__name__, tuple(frozen(v) for v in value)
    if isinstance(value, slice):
        return "slice", frozen((value.start, value.stop, value.step))
    return type(value).__name__, repr(value) if isinstance(value, Program | float) else value


def prune(program: Program) -> tuple[Program, list[str]]:
    """Drop every step that nothing fetched needs."""
    wanted: set[int] = set()
    stack: list[int] = list(program.fetches)
    while stack:
        place = stack.pop()
        if place not in wanted:
            wanted.add(place)
            stack.extend(program.steps[place].needs())
    dropped = [s.name for i, s in enumerate(program.steps) if i not in wanted]
    return program.keep(wanted), dropped


def fuse(program: Program) -> tuple[Program, list[str]]:
    """Make chains of elementwise steps one step, whose values in between are never stored.

    A step joins the one that uses its value if that is the only use, and both work element by
    element on results of one shape.
    """
    uses = program.uses()
    groups: dict[int, list[int]] = {}
    for place, step in enumerate(program.steps):
        if not elementwise(step):
            continue
        members = [place]
        for i in dict.fromkeys(x for x in step.inputs if isinstance(x, At)):
            alone = uses[i] == step.inputs.count(i) == 1
            if i in groups and alone and program.steps[i].shape == step.shape:
                members = [*groups.pop(i), *members]
        groups[place] = sorted(members)
    chains = {end: members for end, members in groups.items() if len(members) > 1}
    inside = {m for members in chains.values() for m in members[:-1]}
    fused = {end: fused_step(program, members) for end, members in chains.items()}
    steps = [fused.get(i, step) for i, step in enumerate(program.steps)]
    whole = Program(steps, program.feeds, program.fetches)
    kept = whole.keep(i for i in range(len(steps)) if i not in inside)
    return kept, [f"{len(m)} steps into {program.steps[e].name}" for e, m in chains.items()]


def elementwise(step: Step) -> bool:
    """Return whether each element of a step's result depends on one element of each input."""
    from chainrule.compiler.memory import NOT_ELEMENTWISE

    op = TABLE.get(step.op)
    known = op is not None and op.shape in (same, broadcast) and not step.after
    return known and (step.op not in NOT_ELEMENTWISE or step.op in ("where", "softplus", "clip"))


def fused_step(program: Program, members: Sequence[int]) -> Step:
    """Return one step with a program of its own, which runs these steps."""
    last = program.steps[members[-1]]
    outer: dict[At, At] = {}
    body: list[Step] = []
    new: dict[int, At] = {}
    for member in members:
        for i in program.steps[member].inputs:
            if isinstance(i, At) and i not in members and i not in outer:
                source = program.steps[i]
                outer[i] = At(len(body))
                name = f"{source.name}_{int(i)}"
                body.append(Step("placeholder", (), {}, name, source.shape, source.dtype))
    for member in members:
        step = program.steps[member]
        inputs = tuple(
            (new[i] if i in new else outer[i]) if isinstance(i, At) else i for i in step.inputs
        )
        new[member] = At(len(body))
        body.append(replace(step, inputs=inputs))
    feeds = {body[p].name: p for p in outer.values()}
    inner = Program(body, feeds, [new[members[-1]]])
    return replace(last, op="fused", inputs=tuple(outer), options={"body": inner})


def unfuse(program: Program) -> tuple[Program, list[str]]:
    """Put the steps of every fused step back in its place."""
    changes: list[str] = []

    def visit(built: Builder, step: Step) -> At | None:
        if step.op != "fused":
            return None
        body: Program = step.options["body"]
        new: dict[int, At] = dict(zip(body.feeds.values(), step.inputs, strict=True))
        for place, inner in enumerate(body.steps):
            if inner.op != "placeholder":
                new[At(place)] = built.add(moved(inner, new))
        changes.append(f"{step.name} into {len(body.steps) - len(body.feeds)} steps")
        return new[body.fetches[0]]

    return walk(program, visit), changes


PASSES: dict[str, Callable[[Program], tuple[Program, list[str]]]] = {
    "fold": fold, "simplify": simplify, "share": share, "prune": prune, "fuse": fuse,
}  # fmt: skip

USUAL = ("fold", "simplify", "share", "prune")


def run(program: Program, names: Sequence[str] = USUAL) -> tuple[Program, list[Report]]:
    """Run passes in turn and return the program with a report of each.

    Raises:
        KeyError: There is no pass of that name.

    >>> from chainrule import graph
    >>> with graph.Graph():
    ...     program = graph.lower([graph.constant(2.0) * 3.0])
    >>> print(run(program, ["fold"])[1][0])
    fold: 1 change, 2 -> 2 steps, 1 -> 0 kernels, 8 -> 0 bytes
    """
    reports = []
    for name in names:
        before = measure(program)
        program, changes = PASSES[name](program)
        reports.append(Report(name, changes, before, measure(program)))
    return program, reports


def optimize(program: Program) -> Program:
    """Return the program after the usual passes.

    >>> from chainrule import graph
    >>> with graph.Graph():
    ...     program = graph.lower([graph.constant(2.0) * 3.0])
    >>> [step.op for step in optimize(program).steps]
    ['constant']
    """
    return run(program)[0]
