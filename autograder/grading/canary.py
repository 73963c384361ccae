"""Does the fast engine give a lesson the points that nbgrader itself gives it?

    found = sing(course, "04_autograd_engine")
    found.honest          # differences on the solution and on right answers

A few whole notebooks, each with one answer per exercise, are graded by both. A difference on
honest work turns the fast engine off for the lesson, until its notebook changes or the canary is
run again; `autograder grade` then takes stock nbgrader and says so. Differences on wrong answers
are told: in one process a wrong answer may gain what it loses in two.
"""

from __future__ import annotations

import copy
import itertools
import json
import os
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
from nbformat import NotebookNode

from autograder.course import Course
from autograder.errors import Problem
from autograder.grading.alone import read_lesson
from autograder.grading.classroom import Classroom
from autograder.grading.ledger import digest_of

if TYPE_CHECKING:
    from autograder.audit.plan import Plan

RIGHT, WRONG = 3, 3
"""How many notebooks of right and of wrong answers are made at most."""


@dataclass(frozen=True)
class Difference:
    """One test to which the two engines gave different points."""

    notebook: str
    grade_id: str
    fast: float
    stock: float

    def words(self) -> str:
        """Return the difference as one line."""
        return f"{self.notebook}, {self.grade_id}: fast {self.fast:g}, nbgrader {self.stock:g}"


@dataclass(frozen=True)
class Canary:
    """What grading one lesson twice gave."""

    lesson: str
    notebooks: int
    seconds: float
    honest: list[Difference] = field(default_factory=list)
    wrong: list[Difference] = field(default_factory=list)

    def lines(self) -> list[str]:
        """Return what a person reads."""
        found = (
            f"{len(self.honest)} difference(s) on honest work, {len(self.wrong)} on wrong answers"
        )
        head = f"{self.lesson}: canary, {self.notebooks} notebooks graded twice, {found}"
        lines = [f"{head} ({self.seconds:.0f} s)"]
        lines += [f"  {one.words()}" for one in (*self.honest, *self.wrong)]
        if self.honest:
            lines.append("  The fast engine is off for this lesson; its points cannot be trusted.")
        return lines


def sing(course: Course, lesson: str, right: int = RIGHT, wrong: int = WRONG) -> Canary:
    """Grade a lesson's own answers by both engines, and leave or remove the mark that it is off.

    Problem where the lesson has no answers, or one of the engines cannot grade them at all.
    """
    from autograder.audit.plan import make_plans  # `autograder grade` only looks for the mark

    started = time.monotonic()
    (plan,) = make_plans(course, [lesson], [], every=0)
    chosen = notebooks(plan, right, wrong)
    with tempfile.TemporaryDirectory(prefix="canary-") as place:
        rooms = [_classroom(course, plan, chosen, Path(place) / name) for name in ("fast", "stock")]
        fast, stock = (
            _points(room, name) for room, name in zip(rooms, ("fast", "stock"), strict=True)
        )
    differences = compare(fast, stock)
    found = Canary(
        lesson=plan.lesson.folder,
        notebooks=len(chosen),
        seconds=time.monotonic() - started,
        honest=[one for one in differences if not one.notebook.startswith("wrong")],
        wrong=[one for one in differences if one.notebook.startswith("wrong")],
    )
    _mark(course, found)
    return found


def notebooks(plan: Plan, right: int, wrong: int) -> dict[str, dict[str, str]]:
    """Return by name the answers of each notebook: exercise -> source; without one, the solution.

    The first right answers of all exercises make the first notebook, and so on.
    """
    chosen: dict[str, dict[str, str]] = {"solution": {}}
    for kind, most in (("right", right), ("wrong", wrong)):
        columns = [
            [
                (name, one.source)
                for one in plan.candidates
                if (one.exercise, one.kind) == (name, kind)
            ]
            for name in (exercise.name for exercise in plan.lesson.exercises)
        ]
        for number, row in enumerate(itertools.islice(itertools.zip_longest(*columns), most), 1):
            chosen[f"{kind}{number}"] = dict(one for one in row if one is not None)
    return chosen


def compare(
    fast: dict[str, dict[str, float]], stock: dict[str, dict[str, float]]
) -> list[Difference]:
    """Return where points by notebook and grade id are not the same."""
    return [
        Difference(name, grade_id, points, stock[name].get(grade_id, 0.0))
        for name, found in fast.items()
        for grade_id, points in found.items()
        if points != stock[name].get(grade_id, 0.0)
    ]


def _points(room: Classroom, engine: str) -> dict[str, dict[str, float]]:
    rows = room.grade(engine=engine)
    failed = [f"{row.student}: {row.message}" for row in rows if row.status == "error"]
    if failed:
        raise Problem(f"the canary cannot compare {room.lesson} ({engine}): {failed[0]}")
    return {row.student: room.bridge.points(row.student, room.lesson) for row in rows}


def _classroom(
    course: Course, plan: Plan, chosen: dict[str, dict[str, str]], root: Path
) -> Classroom:
    """Return a class of these notebooks in a course of this one lesson."""
    lesson = plan.lesson.folder
    shutil.copytree(course.solutions / lesson, root / "solutions" / lesson)
    shutil.copy(course.root / "nbgrader_config.py", root)
    for path in course.masters(lesson):
        solved = nbformat.read(path, as_version=4)
        released = read_lesson(course, lesson, path.stem)[1].released
        for name, answers in chosen.items():
            folder = root / "submitted" / name / lesson
            folder.mkdir(parents=True, exist_ok=True)
            text = json.dumps(_handed_in(released, solved, answers))
            (folder / path.name).write_text(text)
    # A gradebook that the settings name is the real one.
    return Classroom(Course(root), lesson, db_url=str(root / "gradebook.db"))


def _handed_in(
    released: NotebookNode, solved: NotebookNode, answers: dict[str, str]
) -> NotebookNode:
    notebook = copy.deepcopy(released)
    for cell, master in zip(notebook.cells, solved.cells, strict=True):
        ours = master.metadata.get("autograder", {})
        if ours.get("role") == "exercise":
            cell.source = answers.get(ours["exercise"], master.source)
    return notebook


# -- the mark ------------------------------------------------------------------------------------


def _mark(course: Course, found: Canary) -> None:
    path = _place(course, found.lesson)
    path.unlink(missing_ok=True)
    if not found.honest:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    about = {
        "lesson": found.lesson,
        "notebook": _digest(course, found.lesson),
        "differences": [one.words() for one in found.honest],
    }
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(about, indent=1) + "\n")
    os.replace(fresh, path)


def why_not_fast(course: Course, lesson: str) -> str:
    """Return a sentence when the canary turned the fast engine off for a lesson; '' if it is on."""
    try:
        about: dict[str, Any] = json.loads(_place(course, lesson).read_bytes())
        if about["notebook"] != _digest(course, lesson):
            return ""
        first: Sequence[str] = about["differences"]
        return (
            f"{lesson} is graded by stock nbgrader, without a sandbox: the canary saw the fast "
            f"engine give honest work other points ({first[0]}). "
            f"`autograder build --canary {lesson}` looks again."
        )
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return ""


def _place(course: Course, lesson: str) -> Path:
    return course.root / ".autograder" / "canary" / f"{lesson}.json"


def _digest(course: Course, lesson: str) -> str:
    return digest_of(course.masters(lesson))
