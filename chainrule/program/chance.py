"""Programs by chance, in the form of `lists.py`, and which rules of a table they still match.

>>> from chainrule.program.lists import outcome
>>> steps, fetches, feeds = draw(np.random.default_rng(0), 30)
>>> outcome((steps, fetches), feeds)["flaw"]
''
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from chainrule.program.lists import EACH, OPS, Array, Step, alike, arity, needed

__all__ = ["draw", "remaining"]

SPECIAL = (0.0, -0.0, 1.0, -1.0, 2.0, 0.5, np.nan, np.inf)


class _Drawn:
    """A program that grows by chance."""

    def __init__(self, rng: np.random.Generator, effects: float, patterns: Any) -> None:
        self.rng, self.effects, self.patterns = rng, effects, list(patterns)
        rows, columns = (int(n) for n in rng.integers(1, 5, size=2))
        self.family = [(), (1,), (columns,), (rows, 1), (1, columns), (rows, columns)]
        self.labels = iter(rng.permutation(200_000).tolist())
        self.steps: list[Step] = []
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.feeds: dict[str, Array] = {}

    def pick(self) -> str:
        """Return the name of a value, often a recent one."""
        names = [step[0] for step in self.steps[-4:]] if self.rng.random() < 0.6 else None
        if names is None:
            return self.steps[int(self.rng.integers(len(self.steps)))][0]
        return names[int(self.rng.integers(len(names)))]

    def array(self, shape: tuple[int, ...]) -> Array:
        """Return an array of ordinary and special numbers."""
        value = np.asarray(self.rng.normal(size=shape))
        special = self.rng.choice(SPECIAL, size=shape)
        return np.asarray(np.where(self.rng.random(shape) < 0.25, special, value))

    def add(self, op: str, args: tuple[str, ...], attrs: dict[str, Any]) -> None:
        """Append a step, if shapes allow it."""
        try:
            shape = self.shape(op, args, attrs)
        except ValueError:
            return
        name = f"{op[:3]}{next(self.labels)}"
        if op == "input":
            self.feeds[name] = self.array(shape)
        self.steps.append((name, op, args, attrs))
        self.shapes[name] = shape

    def shape(self, op: str, args: tuple[str, ...], attrs: dict[str, Any]) -> tuple[int, ...]:
        if "shape" in attrs:
            if args:
                np.broadcast_to(np.broadcast_to(0.0, self.shapes[args[0]]), attrs["shape"])
            return tuple(attrs["shape"])
        arrays = [np.broadcast_to(1.0, self.shapes[a]) for a in args]
        if op == "constant":
            return np.shape(attrs["value"])
        if op == "matmul" and {a.ndim for a in arrays} != {2}:
            raise ValueError
        return arrays[0].shape if op == "print" else np.shape(OPS[op](*arrays, **attrs))

    def family_shape(self) -> tuple[int, ...]:
        return self.family[int(self.rng.integers(len(self.family)))]

    def grow(self) -> None:
        """Append one more step of any kind."""
        rng, chance = self.rng, self.rng.random()
        if self.patterns and rng.random() < 0.3:
            self.plant(self.patterns[int(rng.integers(len(self.patterns)))], {})
            return
        ordinary = [s for s in self.steps[-12:] if s[1] in OPS]
        if chance < 0.2 and ordinary:  # the same again
            _, op, args, attrs = ordinary[int(rng.integers(len(ordinary)))]
            self.add(op, args, dict(attrs))
        elif chance < 0.35:
            value = self.array(self.family_shape() if rng.random() < 0.4 else ())
            twice = [s[3]["value"] for s in self.steps if s[1] == "constant"]
            if twice and rng.random() < 0.4:
                value = twice[int(rng.integers(len(twice)))].copy()
            self.add("constant", (), {"value": value})
        elif chance < 0.35 + self.effects:
            if rng.random() < 0.4:
                self.add("random", (), {"shape": self.family_shape()})
            else:
                self.add("print", (self.pick(),), {"label": f"here {rng.integers(100)}"})
        elif chance < 0.9:
            op = str(rng.choice(sorted(EACH)))
            self.add(op, tuple(self.pick() for _ in range(arity(op) or 0)), {})
        else:
            self.other()

    def plant(self, pattern: Any, bound: dict[str, str]) -> str:
        """Append steps that a pattern matches, or nearly, and return the name of the last."""
        if isinstance(pattern, str):
            if pattern not in bound or self.rng.random() < 0.1:
                bound[pattern] = self.pick()
            return bound[pattern]
        if isinstance(pattern, tuple):
            args = tuple(self.plant(part, bound) for part in pattern[1:])
            self.add(pattern[0], args, {})
        else:
            shape = () if self.rng.random() < 0.6 else self.family_shape()
            value = np.full(shape, -pattern if self.rng.random() < 0.1 else pattern)
            self.add("constant", (), {"value": value})
        return self.steps[-1][0]

    def other(self) -> None:
        """Append a step that does not work element by element."""
        x, rng = self.pick(), self.rng
        op = str(rng.choice(["sum", "transpose", "matmul", "expand"]))
        if op == "sum":
            axes = [None, *range(-len(self.shapes[x]), len(self.shapes[x]))]
            axis = axes[int(rng.integers(len(axes)))]
            self.add(op, (x,), {"axis": axis, "keepdims": bool(rng.random() < 0.5)})
        elif op == "expand":
            self.add(op, (x,), {"shape": self.family[-1]})
        else:
            self.add(op, (x,) if op == "transpose" else (x, self.pick()), {})


def draw(
    rng: np.random.Generator, size: int, effects: float = 0.1, patterns: Sequence[Any] = ()
) -> tuple[list[Step], list[str], dict[str, Array]]:
    """Return steps, fetches and feeds of a program by chance.

    It broadcasts, has 0-d values, equal steps, equal constants, special numbers (0, -0, 1, NaN,
    infinity), dead branches; fetches may be inputs or constants, twice the same, or none. With
    `patterns`, as in lesson 13, there are steps in it that these match.
    """
    drawn = _Drawn(rng, effects, patterns)
    for _ in range(int(rng.integers(1, 4))):
        drawn.add("input", (), {"shape": drawn.family_shape()})
    for _ in range(size):
        drawn.grow()
    names = [step[0] for step in drawn.steps]
    late = names[len(names) // 2 :]
    count = int(rng.integers(0, 5)) if size < 20 else int(rng.integers(1, 5))
    fetches = [str(rng.choice(late if rng.random() < 0.7 else names)) for _ in range(count)]
    return drawn.steps, fetches, drawn.feeds


# ----------------------------------------------------------------------------------------- patterns


def remaining(steps: Sequence[Step], fetches: Sequence[str], rules: Sequence[Any]) -> str:
    """Return which rule could still be applied to a needed step, in a sentence; "" if none.

    A rule is (left, right). In a pattern a string stands for any value, twice the same string for
    twice the same value; a number for a constant full of it, bit by bit; a tuple for a step without
    attrs. A rule applies only where the shape stays what it was. The program must have no flaw.
    """
    made = {step[0]: step for step in steps}
    shapes: dict[str, tuple[int, ...]] = {}
    for name, op, args, attrs in steps:
        shapes[name] = _shape(op, [shapes[a] for a in args], attrs)
    for name, *_ in needed(steps, fetches):
        for left, right in rules:
            bound: dict[str, str] = {}
            fits = _matches(made, left, name, bound)
            if fits and _right_shape(right, bound, shapes, shapes[name]) == shapes[name]:
                return f"{left} -> {right} still applies to step {name!r}"
    return ""


def _matches(made: dict[str, Step], pattern: Any, name: str, bound: dict[str, str]) -> bool:
    if isinstance(pattern, str):
        return bound.setdefault(pattern, name) == name
    _, op, args, attrs = made[name]
    if isinstance(pattern, tuple):
        fits = op == pattern[0] and len(args) == len(pattern) - 1 and not attrs
        return fits and all(
            _matches(made, p, a, bound) for p, a in zip(pattern[1:], args, strict=True)
        )
    if op != "constant":
        return False
    value = np.asarray(attrs["value"])
    return alike(value, np.full(value.shape, float(pattern)))


def _shape(op: str, shapes: list[tuple[int, ...]], attrs: Any) -> tuple[int, ...]:
    if "shape" in attrs or op == "constant":
        return tuple(attrs["shape"]) if "shape" in attrs else np.shape(attrs["value"])
    if op == "print":
        return shapes[0]
    arrays = [np.broadcast_to(1.0, shape) for shape in shapes]
    with np.errstate(all="ignore"):
        return np.shape(OPS[op](*arrays, **attrs))


def _right_shape(right: Any, bound: Any, shapes: Any, old: tuple[int, ...]) -> Any:
    if isinstance(right, str):
        return shapes[bound[right]]
    if not isinstance(right, tuple):
        return old  # a constant may have any shape
    inner = [_right_shape(r, bound, shapes, ()) for r in right[1:]]
    try:
        return None if None in inner else _shape(right[0], inner, {})
    except ValueError:
        return None
