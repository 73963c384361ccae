"""Running a program: each step once, in order.

A run sees variables as they were when it began; `assign` changes take effect when all steps have
run, so a run that fails changes nothing.

>>> import numpy as np
>>> from chainrule.program import At, Program, Step
>>> count = Step("variable", (), {"variable": "n"}, "n", (), "int64")
>>> more = Step("assign_add", (1,), {"variable": "n"}, "more", (), "int64")
>>> state = {"n": np.array(4)}
>>> execute(Program([count, more], fetches=[At(0), At(1)]), state=state)
[array(4), array(5)]
>>> state
{'n': array(5)}
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

import numpy as np

import chainrule.ops.conv
import chainrule.ops.pool  # noqa: F401  (fills the table)
from chainrule import operators  # noqa: F401  (fills the table)
from chainrule.errors import ChainruleError, FeedError, GraphError
from chainrule.primitive import TABLE
from chainrule.program import At, Program, Step

State = MutableMapping[str, np.ndarray]


class Run:
    """What the steps of one run share.

    Attributes:
        before: The variables as they were.
        after: Those that were changed.
        rng: Where random steps draw from.
        counts: How often each operation ran, by its name.
    """

    def __init__(self, state: Mapping[str, np.ndarray], rng: np.random.Generator | None) -> None:
        self.before = state
        self.after: dict[str, np.ndarray] = {}
        self.rng = rng or np.random.default_rng(0)
        self.counts: dict[str, int] = {}

    def read(self, name: str, now: bool) -> np.ndarray:
        """Return the value of a variable, now or as it was when the run began."""
        value = self.after.get(name) if now else None
        if value is None:
            value = self.before.get(name)
        if value is None:
            raise GraphError(
                f"the variable {name!r} has no value yet: run global_variables_initializer() first"
            )
        return value


def execute(
    program: Program,
    feeds: Mapping[str, Any] | None = None,
    state: State | None = None,
    rng: np.random.Generator | None = None,
    counts: dict[str, int] | None = None,
) -> list[Any]:
    """Run a program and return what it fetches.

    Args:
        program: The program.
        feeds: An array for each of its feeds, by name.
        state: The variables by name; changed in place, and only if every step has run.
        rng: Where random steps draw from; seeded with 0 if None.
        counts: Filled with how often each operation ran.

    Raises:
        FeedError: A feed is missing, unknown, or of another shape or dtype.
        GraphError: A variable has no value, or a step failed; the message names its line.
    """
    state = {} if state is None else state
    run = Run(state, rng)
    given = checked_feeds(program, feeds or {})
    values = run_steps(program, given, run)
    state.update(run.after)
    if counts is not None:
        counts.update(run.counts)
    return [values[i] for i in program.fetches]


def checked_feeds(program: Program, feeds: Mapping[str, Any]) -> dict[int, np.ndarray]:
    """Return the fed arrays by place."""
    unknown = sorted(set(feeds) - set(program.feeds))
    if unknown:
        known = ", ".join(program.feeds) or "none"
        raise FeedError(f"nothing here is fed as {unknown[0]!r}; feeds are: {known}")
    given = {}
    for name, place in program.feeds.items():
        step = program.steps[place]
        if name not in feeds:
            raise FeedError(
                f"{name!r} must be fed: an array of shape {step.shape} and {step.dtype}"
                + (f"; made at {step.line}" if step.line else "")
            )
        given[int(place)] = checked_feed(step, feeds[name])
    return given


def checked_feed(step: Step, value: Any) -> np.ndarray:
    """Return a fed value as an array of the step's shape and dtype, or raise FeedError."""
    value = getattr(value, "data", value) if not isinstance(value, np.ndarray) else value
    array = np.asarray(value)
    wanted = np.dtype(step.dtype)
    if array.shape != step.shape:
        raise FeedError(f"{step.name!r} takes shape {step.shape}, and was fed {array.shape}")
    if array.dtype != wanted:
        if not np.can_cast(array.dtype, wanted, "same_kind"):
            raise FeedError(f"{step.name!r} takes {wanted}, and was fed {array.dtype}")
        array = array.astype(wanted)
    return array


def run_steps(program: Program, given: Mapping[int, Any], run: Run) -> list[Any]:
    """Return the value of every step."""
    values: list[Any] = [None] * len(program.steps)
    for place, step in enumerate(program.steps):
        if place in given:
            values[place] = given[place]
            continue
        inputs = [values[i] if isinstance(i, At) else i for i in step.inputs]
        kind = KINDS.get(step.op)
        run.counts[step.op] = run.counts.get(step.op, 0) + 1
        try:
            values[place] = kind(step, inputs, run) if kind else compute(step, inputs)
        except (ChainruleError, ValueError, IndexError, KeyError) as error:
            if str(error).startswith("step "):  # from within: it has named its own line
                raise
            where = f", made at {step.line}" if step.line else ""
            raise GraphError(f"step {step.name!r} ({step.op}){where}: {error}") from None
    return values


def compute(step: Step, inputs: list[Any]) -> np.ndarray:
    """Run a step of the table."""
    op = TABLE.get(step.op)
    if op is None:
        raise GraphError(f"no operation is called {step.op!r}")
    try:
        out = op.forward(*inputs, **step.options)
    except (ValueError, IndexError) as error:
        raise op.complaint(error, inputs, step.options) from None
    return out if out.dtype == step.dtype else out.astype(step.dtype)


# ------------------------------------------------------------------------ steps beside the table


def fed(step: Step, inputs: list[Any], run: Run) -> Any:
    """A placeholder: its value comes from outside."""
    raise GraphError("it needs a value from outside")


def constant(step: Step, inputs: list[Any], run: Run) -> np.ndarray:
    """A value that is part of the program."""
    return step.options["value"]


def variable(step: Step, inputs: list[Any], run: Run) -> np.ndarray:
    """A variable as it was when the run began; `read` as it is now."""
    return run.read(step.options["variable"], now=step.op == "read")


def assign(step: Step, inputs: list[Any], run: Run) -> np.ndarray:
    """A new value for a variable, which is the value of the step too."""
    name, value = step.options["variable"], inputs[0]
    if step.op == "assign_add":
        value = run.read(name, now=True) + value
    elif step.op == "assign_sub":
        value = run.read(name, now=True) - value
    value = np.array(value, step.dtype)
    if value.shape != step.shape:
        value = np.broadcast_to(value, step.shape).copy()
    run.after[name] = value
    return value


def group(step: Step, inputs: list[Any], run: Run) -> None:
    """Several steps under one name, without a value."""


def random(step: Step, inputs: list[Any], run: Run) -> np.ndarray:
    """Fresh random numbers in every run: "normal" or "uniform"."""
    draw = run.rng.standard_normal if step.options["kind"] == "normal" else run.rng.random
    return np.asarray(draw(step.shape), step.dtype)


def pick(step: Step, inputs: list[Any], run: Run) -> Any:
    """One of several results."""
    return inputs[0][step.options["index"]]


def inside(body: Program, values: list[Any], run: Run) -> list[Any]:
    """Run a program within another one, on values in the order of its feeds."""
    given = {int(p): np.asarray(v) for p, v in zip(body.feeds.values(), values, strict=True)}
    results = run_steps(body, given, run)
    return [results[i] for i in body.fetches]


def fused(step: Step, inputs: list[Any], run: Run) -> Any:
    """Several elementwise steps as one."""
    return inside(step.options["body"], inputs, run)[0]


def cond(step: Step, inputs: list[Any], run: Run) -> list[Any]:
    """One of two programs, by a boolean."""
    chosen = step.options["true" if bool(inputs[0]) else "false"]
    return inside(chosen, inputs[1:], run)


def while_loop(step: Step, inputs: list[Any], run: Run) -> Any:
    """A program repeated while another says so.

    Returns the last values; with the option `trail` also what entered each iteration, in order,
    which the gradient needs.
    """
    test, body, most = (step.options[k] for k in ("test", "body", "most"))
    count = step.options["count"]
    values, captured = inputs[:count], inputs[count:]
    trail: list[Any] = []
    while bool(inside(test, [*values, *captured], run)[0]):
        if len(trail) == most:
            raise GraphError(f"the loop has not ended after {most} iterations")
        trail.append(values if step.options["trail"] else None)
        values = inside(body, [*values, *captured], run)
    return [*values, trail]


def while_vjp(step: Step, inputs: list[Any], run: Run) -> list[Any]:
    """The gradients of a loop: back through its iterations, the last first.

    Inputs are the trail, what the loop captured, and the gradients of its float results. The body
    takes (variables, captured, gradients) and returns the gradients of variables and captured.
    """
    body, captures, floats = (step.options[k] for k in ("body", "captures", "floats"))
    trail, captured, gs = inputs[0], inputs[1 : captures + 1], inputs[captures + 1 :]
    totals: list[Any] = [np.zeros(s, d) for s, d in step.options["totals"]]
    for values in reversed(trail):
        found = inside(body, [*values, *captured, *gs], run)
        gs = found[:floats]
        totals = [t + g for t, g in zip(totals, found[floats:], strict=True)]
    return [*gs, *totals]


KINDS: dict[str, Callable[[Step, list[Any], Run], Any]] = {
    "placeholder": fed,
    "constant": constant,
    "variable": variable,
    "read": variable,
    "assign": assign,
    "assign_add": assign,
    "assign_sub": assign,
    "group": group,
    "random": random,
    "pick": pick,
    "fused": fused,
    "cond": cond,
    "while_loop": while_loop,
    "while_vjp": while_vjp,
}
