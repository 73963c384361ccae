"""What a static graph becomes before it runs: a flat list of steps, as plain data.

A `Program` knows nothing of who built it. `execute.py` runs it, `files.py` writes it to disk, and
`python -m chainrule.program FILE` runs such a file where the code that built it does not exist.

>>> from chainrule.program import At, Program, Step
>>> steps = [
...     Step("placeholder", (), {}, "x", (2,), "float32"),
...     Step("multiply", (At(0), 3.0), {}, "y", (2,), "float32"),
... ]
>>> program = Program(steps, feeds={"x": At(0)}, fetches=[At(1)])
>>> print(program)
0  x = placeholder                 (2,) float32
1  y = multiply(x, 3.0)            (2,) float32
fetch y
>>> from chainrule.program.execute import execute
>>> import numpy as np
>>> execute(program, {"x": np.array([1.0, 2.0], "float32")})
[array([3., 6.], dtype=float32)]
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

__all__ = ["At", "Program", "Step"]


class At(int):
    """The place of a step: what distinguishes an input that is a value from the number 3.

    >>> At(3)
    @3
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return f"@{int(self)}"


@dataclass(frozen=True)
class Step:
    """One operation of a program.

    Attributes:
        op: A name of the table of operations, or one of `execute.KINDS`.
        inputs: For each input the place of the step that makes it, or a Python number.
        options: Axis, stride and the like; for control flow, programs too.
        name: What people call it.
        shape: Of the result; () for what has none.
        dtype: Of the result, by name; "" for what has none.
        after: Places of steps that must have run before, whose values are not used.
        line: The file, number and text of the line that made it.

    >>> Step("add", (At(0), 1.0), {}, "more", (1000,), "float32").nbytes
    4000
    """

    op: str
    inputs: tuple[Any, ...]
    options: dict[str, Any]
    name: str
    shape: tuple[int, ...] = ()
    dtype: str = ""
    after: tuple[At, ...] = ()
    line: str = ""

    def needs(self) -> Iterator[At]:
        """Give the places of all steps that must come before."""
        yield from (i for i in self.inputs if isinstance(i, At))
        yield from self.after

    @property
    def nbytes(self) -> int:
        """The size of the result."""
        if not self.dtype:
            return 0
        return int(np.prod(self.shape, dtype=np.int64)) * np.dtype(self.dtype).itemsize


@dataclass
class Program:
    """Steps in an order in which each comes after what it needs.

    Attributes:
        steps: The steps.
        feeds: By name, the places that are given from outside.
        fetches: The places whose values are handed back.

    >>> Program([Step("constant", (), {"value": 1}, "one")], fetches=[At(0)]).uses()
    [1]
    """

    steps: list[Step]
    feeds: dict[str, At] = field(default_factory=dict)
    fetches: list[At] = field(default_factory=list)

    def __str__(self) -> str:
        lines = []
        for i, step in enumerate(self.steps):
            shown = [self.steps[a].name if isinstance(a, At) else repr(a) for a in step.inputs]
            shown += [f"{k}={brief(v)}" for k, v in step.options.items()]
            call = f"{step.op}({', '.join(shown)})" if shown else step.op
            what = f"{step.shape} {step.dtype}" if step.dtype else ""
            lines.append(f"{i:<2} {f'{step.name} = {call}':31} {what}".rstrip())
        names = ", ".join(self.steps[i].name for i in self.fetches)
        return "\n".join([*lines, f"fetch {names}"])

    def uses(self) -> list[int]:
        """Return for each step how often its value is used, fetches included."""
        counts = [0] * len(self.steps)
        for place in [i for step in self.steps for i in step.needs()] + self.fetches:
            counts[place] += 1
        return counts

    def keep(self, wanted: Iterable[int]) -> Program:
        """Return the program of these steps alone, renumbered; they must need no others."""
        order = sorted(wanted)
        new = {old: At(i) for i, old in enumerate(order)}
        steps = [moved(self.steps[i], new) for i in order]
        feeds = {name: new[i] for name, i in self.feeds.items() if i in new}
        return Program(steps, feeds, [new[i] for i in self.fetches])


def moved(step: Step, new: dict[int, At]) -> Step:
    """Return a step whose inputs have moved to new places."""
    inputs = tuple(new[i] if isinstance(i, At) else i for i in step.inputs)
    return replace(step, inputs=inputs, after=tuple(new[i] for i in step.after))


def brief(value: Any) -> str:
    """Return an option as text that fits a line."""
    if isinstance(value, Program):
        return f"<{len(value.steps)} steps>"
    if isinstance(value, np.ndarray):
        return f"array{value.shape}" if value.size > 4 else str(value.tolist())
    return repr(value)
