"""What a lesson's master says, as plain values: cells, exercises, behaviours, answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from autograder.errors import Problem

Kind = Literal["code", "markdown"]


@dataclass(frozen=True)
class Cell:
    """One cell of a jupytext percent file."""

    kind: Kind
    source: str
    marker: Mapping[str, Any]
    line: int
    """Line of the `# %%` marker in the file, counted from 1."""
    body: int
    """Line of the first line of `source` in the file."""
    raw: str
    """The cell as its author wrote it, from the marker to the blank lines before the next cell."""
    role: str = ""
    """A key of `markers.ROLES`; empty until the markers were read."""

    @property
    def name(self) -> str:
        """The name that the marker gives: of an exercise, a setup, a written question."""
        return str(self.marker.get(self.role, ""))

    @property
    def grade_id(self) -> str | None:
        """nbgrader's name of the cell, None for cells that nbgrader does not know."""
        if self.role == "tests":
            return f"{self.name}-{self.marker['behaviour']}"
        return self.name if self.role in ("given", "exercise", "written") else None

    def words(self, key: str) -> tuple[str, ...]:
        """Return a space-separated list of the marker as a tuple, () where it is missing."""
        return tuple(str(self.marker.get(key, "")).split())

    def at(self, line: int) -> int:
        """Return the file's line of line `line` (from 1) of the source."""
        return self.body + line - 1


@dataclass(frozen=True)
class Behaviour:
    """What one test cell checks."""

    exercise: str
    name: str
    points: int
    sentence: str
    line: int = 0

    @property
    def grade_id(self) -> str:
        """nbgrader's name of the test cell."""
        return f"{self.exercise}-{self.name}"


@dataclass(frozen=True)
class Exercise:
    """One answer cell and the behaviours it is graded by."""

    name: str
    minutes: int
    difficulty: int
    importance: int
    allow: tuple[str, ...]
    behaviours: tuple[Behaviour, ...]
    source: str
    """Source of the solved answer cell, solution markers included."""
    line: int = 0

    @property
    def points(self) -> int:
        """Points of all behaviours together."""
        return sum(behaviour.points for behaviour in self.behaviours)


@dataclass(frozen=True)
class Written:
    """A question answered in words and graded by hand."""

    name: str
    points: int
    line: int = 0


@dataclass(frozen=True)
class Lesson:
    """A master as read from `lesson.py`."""

    path: Path
    slug: str
    number: int
    title: str
    minutes: int
    needs: tuple[str, ...]
    covers: Mapping[str, str]
    files: tuple[str, ...]
    """Files of the lesson's folder that are handed out with the notebook, beside its pictures."""
    header: Mapping[str, Any]
    header_text: str
    cells: tuple[Cell, ...]
    exercises: tuple[Exercise, ...]
    written: tuple[Written, ...]

    @property
    def folder(self) -> str:
        """Name of the lesson's folder, which is nbgrader's assignment name."""
        return f"{self.number:02d}_{self.slug}"

    def exercise(self, name: str) -> Exercise | None:
        """Return the exercise called `name`, or None."""
        return next((item for item in self.exercises if item.name == name), None)


@dataclass(frozen=True)
class Answer:
    """A whole answer that stands in the place of an exercise's cell."""

    lesson: str
    """Folder of the lesson, `01_why_frameworks`."""
    exercise: str
    name: str
    kind: Literal["right", "wrong"]
    source: str
    sentence: str
    """What a student reads when their answer behaves like it; may be empty for a right answer."""
    loses: tuple[str, ...]
    """Behaviours that a wrong answer must lose; () means any."""
    path: Path
    line: int


@dataclass(frozen=True)
class Equivalent:
    """A mechanical mutant of a solution that cannot be told from it, with the reason."""

    lesson: str
    exercise: str
    mutant: str
    reason: str
    path: Path
    line: int


@dataclass
class Flaws:
    """Collects what is wrong with one file, then raises it as one Problem, a line each."""

    path: Path
    found: list[tuple[int, str]] = field(default_factory=list)

    def add(self, line: int, sentence: str) -> None:
        """Note that `sentence` is wrong at `line`."""
        self.found.append((line, sentence))

    def check(self) -> None:
        """Raise a Problem if anything was noted."""
        if self.found:
            shown = display(self.path)
            unique = sorted(set(self.found))
            raise Problem("\n".join(f"{shown}:{line}: {text}" for line, text in unique))


def display(path: Path) -> str:
    """Return `path` as a person types it: relative to the working folder where it lies there."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
