"""Rewriting by patterns: a rule is one line, `x + 0 -> x`.

A rule is written as Python. Operators and function names are operations of the table, numbers stand
for themselves (a constant full of that number matches too), any other name matches anything, twice
the same name twice the same value. A rule applies only if shape and dtype stay what they were, so
`x + 0 -> x` leaves alone a sum in which broadcasting makes `x` larger.

>>> from chainrule import graph
>>> with graph.Graph():
...     x = graph.placeholder("float32", (3,), name="x")
...     program = graph.lower([-(-(x * 1.0)) + 0.0])
>>> found = rewrite(program, rules("x * 1 -> x", "x + 0 -> x", "-(-x) -> x"))
>>> print(found[0].keep({0}))
0  x = placeholder                 (3,) float32
fetch x
>>> found[1]
['x * 1 -> x', '-(-x) -> x', 'x + 0 -> x']
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from chainrule.primitive import TABLE
from chainrule.program import At, Program, Step, moved

OPERATORS: dict[type, str] = {
    ast.Add: "add", ast.Sub: "subtract", ast.Mult: "multiply", ast.Div: "divide",
    ast.Pow: "power", ast.MatMult: "matmul", ast.USub: "negative",
}  # fmt: skip

EITHER_WAY = frozenset({"add", "multiply", "maximum", "minimum", "equal", "not_equal"})


@dataclass(frozen=True)
class Pattern:
    """A tree: an operation with patterns for its inputs, a number, or a name."""

    op: str = ""
    inputs: tuple[Pattern, ...] = ()
    number: float | None = None
    name: str = ""


@dataclass(frozen=True)
class Rule:
    """`left -> right`, and how it was written."""

    left: Pattern
    right: Pattern
    text: str


def rules(*texts: str) -> list[Rule]:
    """Return rules written as `left -> right`."""
    found = []
    for text in texts:
        left, right = text.split("->")
        found.append(Rule(pattern(left), pattern(right), text))
    return found


def pattern(text: str) -> Pattern:
    """Return the pattern of an expression."""
    return _pattern(ast.parse(text.strip(), mode="eval").body)


def _pattern(tree: Any) -> Pattern:
    if isinstance(tree, ast.Name):
        return Pattern(name=tree.id)
    if isinstance(tree, ast.Constant) and isinstance(tree.value, int | float):
        return Pattern(number=tree.value)
    if isinstance(tree, ast.UnaryOp) and isinstance(tree.operand, ast.Constant):
        return Pattern(number=-ast.literal_eval(tree.operand))
    if isinstance(tree, ast.UnaryOp):
        return Pattern(OPERATORS[type(tree.op)], (_pattern(tree.operand),))
    if isinstance(tree, ast.BinOp):
        return Pattern(OPERATORS[type(tree.op)], (_pattern(tree.left), _pattern(tree.right)))
    if isinstance(tree, ast.Call) and (name := ast.unparse(tree.func)) in TABLE:
        return Pattern(name, tuple(_pattern(a) for a in tree.args))
    raise ValueError(f"no pattern: {ast.unparse(tree)}")


# ---------------------------------------------------------------------------------------- rewriting


class Builder:
    """A program that grows; what a pass adds to."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def add(self, step: Step) -> At:
        """Append a step and return its place."""
        self.steps.append(step)
        return At(len(self.steps) - 1)

    def step(self, value: Any) -> Step | None:
        """Return the step that makes a value; None for a number."""
        return self.steps[value] if isinstance(value, At) else None


Visit = Callable[[Builder, Step], Any]


def walk(program: Program, visit: Visit) -> Program:
    """Return a program in which `visit` has chosen the place of each step's value.

    Args:
        program: What to go through, first step first.
        visit: Takes what has been built and the next step, its inputs already replaced. It returns
            the place of a value that serves as well, or None to keep the step.
    """
    built = Builder()
    new: dict[int, At] = {}
    for place, step in enumerate(program.steps):
        step = moved(step, new)
        found = visit(built, step)
        new[place] = built.add(step) if found is None else found
    feeds = {name: new[i] for name, i in program.feeds.items()}
    return Program(built.steps, feeds, [new[i] for i in program.fetches])


def rewrite(program: Program, table: list[Rule]) -> tuple[Program, list[str]]:
    """Apply rules wherever they match; return the program, and the texts of what was applied."""
    by_op: dict[str, list[Rule]] = {}
    for rule in table:
        by_op.setdefault(rule.left.op, []).append(rule)
    applied: list[str] = []

    def visit(built: Builder, step: Step) -> At | None:
        for rule in by_op.get(step.op, ()):
            for names in matches(built, rule.left, step):
                found = replacement(built, rule.right, names, step)
                if found is not None:
                    applied.append(rule.text)
                    return found
        return None

    return walk(program, visit), applied


def matches(built: Builder, left: Pattern, step: Step) -> Iterator[dict[str, Any]]:
    """Give the ways in which a step matches a pattern: what each name stands for."""
    if step.op != left.op or len(step.inputs) != len(left.inputs) or step.options:
        return
    orders = [step.inputs]
    if step.op in EITHER_WAY:
        orders.append(step.inputs[::-1])
    for inputs in orders:
        yield from _matched(built, list(zip(left.inputs, inputs, strict=True)), {})


def _matched(
    built: Builder, pairs: list[tuple[Pattern, Any]], names: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    if not pairs:
        yield names
        return
    (want, value), rest = pairs[0], pairs[1:]
    if want.name:
        known = names.get(want.name, value)
        if type(known) is type(value) and known == value:
            yield from _matched(built, rest, {**names, want.name: value})
    elif want.number is not None:
        if is_number(built, value, want.number):
            yield from _matched(built, rest, names)
    elif (step := built.step(value)) is not None:
        for inner in matches(built, want, step):
            both = {**names, **inner}
            if all(inner[k] == names[k] for k in inner.keys() & names.keys()):
                yield from _matched(built, rest, both)


def is_number(built: Builder, value: Any, number: float) -> bool:
    """Return whether an input is this number, or a constant full of it."""
    step = built.step(value)
    if step is None:
        return bool(value == number)
    return step.op == "constant" and bool(np.all(step.options["value"] == number))


def replacement(built: Builder, right: Pattern, names: dict[str, Any], old: Step) -> At | None:
    """Build the right side; None if its shape or dtype is not that of the old step."""
    if right.name:
        value = names[right.name]
        step = built.step(value)
        fits = step is not None and (step.shape, step.dtype) == (old.shape, old.dtype)
        return value if fits else None
    inputs = [names[p.name] if p.name else p.number for p in right.inputs]
    likes = [built.step(i) or i for i in inputs]
    op = TABLE[right.op]
    dtypes = {s.dtype for s in likes if isinstance(s, Step)}
    if tuple(op.shape(*likes)) != old.shape or dtypes != {old.dtype}:
        return None
    return built.add(replace(old, op=right.op, inputs=tuple(inputs), options={}))
