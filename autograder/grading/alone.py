"""Grade one notebook for someone learning alone: nothing is recorded.

    checked = check_notebook(course, Path("work/01_why_frameworks/01_why_frameworks.ipynb"))

It is rebuilt from solutions/ and run like a submission, as far as the lesson's last test.
"""

from __future__ import annotations

import dataclasses
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.course import Course
from autograder.engine import Engine
from autograder.errors import Problem
from autograder.grading import intake
from autograder.grading.handout import Handout, read_handout
from autograder.grading.rebuild import Rebuilt, rebuild
from autograder.grading.unit import Outcome, grade_submission
from autograder.lesson.release import settings
from autograder.master import Master, MasterCell, read_master


@dataclass(frozen=True)
class Checked:
    """One notebook and what it earned."""

    path: Path
    master: Master
    rebuilt: Rebuilt
    outcome: Outcome

    @property
    def points(self) -> float:
        """Points of everything that is graded here."""
        return float(sum(one["points"] for one in self.outcome.exercises.values()))

    @property
    def max_points(self) -> float:
        """Points of all behaviours."""
        return float(sum(one["max_points"] for one in self.outcome.exercises.values()))

    @property
    def manual(self) -> list[MasterCell]:
        """Questions that a person grades."""
        return [cell for cell in self.master.cells if cell.role == "written"]

    def answered(self, exercise: str) -> bool:
        """Whether the exercise's cell differs from the release."""
        return not any(
            cell.grade_id in self.rebuilt.blank
            for cell in self.master.cells
            if cell.role == "exercise" and cell.exercise == exercise
        )

    def to_json(self) -> dict[str, Any]:
        """Return the document of `check --json`."""
        return {
            "notebook": str(self.path),
            "lesson": self.master.folder,
            "points": self.points,
            "max_points": self.max_points,
            "graded_by_hand": [cell.grade_id for cell in self.manual],
            "notes": [*self.rebuilt.notes, *self.rebuilt.suspicions],
            "exercises": {
                name: one | {"behaviours": [self.behaviour(cell) for cell in self.tests(name)]}
                for name, one in self.outcome.exercises.items()
            },
        }

    def tests(self, exercise: str) -> tuple[MasterCell, ...]:
        """Return the test cells of an exercise; those of a foreign course go by their grade id."""
        return tuple(c for c in self.master.tests() if (c.exercise or c.grade_id) == exercise)

    def behaviour(self, cell: MasterCell) -> dict[str, Any]:
        """Return one behaviour's verdict as plain data."""
        record = self.outcome.records.get(cell.grade_id or "", {})
        return {
            "behaviour": cell.behaviour or cell.grade_id,
            "sentence": cell.sentence,
            "verdict": record.get("verdict", "not_run"),
            "points": record.get("points", 0.0),
            "max_points": cell.points,
            "message": record.get("message", ""),
            "misconception": record.get("misconception"),
        }


def check_notebook(course: Course, path: Path) -> Checked:
    """Grade a notebook of this course. Problem if it is none, or its lesson is not here."""
    lesson = lesson_of(course, path)
    try:
        handed = intake.read_notebook(path, "you", lesson)
    except intake.Refused as refusal:
        raise Problem(str(refusal)) from None
    master, handout = read_lesson(course, lesson)
    rebuilt = rebuild(handed, handout, master)
    if not any(cell.grade_id for cell in handed.cells) and len(rebuilt.blank) == _answers(master):
        raise Problem(f"{path} holds no answer of {lesson}; is it another lesson's notebook?")
    end = 1 + max((i for i, cell in enumerate(rebuilt.cells) if cell.role == "tests"), default=-1)
    needed = dataclasses.replace(rebuilt, cells=rebuilt.cells[:end], origins=rebuilt.origins[:end])
    from autograder.grading.classroom import grading_seed

    with Engine.for_master(master) as engine:
        outcome = grade_submission(master, needed, engine, grading_seed(lesson))
    if outcome.status == "error":
        raise Problem(f"{path}: {outcome.message}")
    return Checked(path, master, rebuilt, outcome)


def _answers(master: Master) -> int:
    return sum(cell.is_answer for cell in master.cells)


def read_lesson(course: Course, lesson: str) -> tuple[Master, Handout]:
    """Return a lesson's solved notebook, and how it was handed out."""
    path = course.master(lesson)
    with tempfile.TemporaryDirectory(prefix="autograder-check-") as place:
        handout = read_handout(path, settings(course.root, Path(place)))
    return read_master(path), handout


def lesson_of(course: Course, path: Path) -> str:
    """Return the folder of the lesson that a notebook says it is of, or that its name says."""
    try:
        about = json.loads(path.read_bytes())["metadata"]["autograder"]["lesson"]
    except OSError as error:
        raise Problem(f"{path} cannot be read ({error.strerror}); name a notebook.") from None
    except (ValueError, KeyError, TypeError, RecursionError):
        about = path.stem  # Colab and others drop metadata
    try:
        return course.lesson(str(about))
    except Problem as problem:
        raise Problem(f"{path} is no notebook of a lesson here: {problem}") from None
