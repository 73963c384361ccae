"""Grade one notebook for someone learning alone: nothing is recorded.

    checked = check_notebook(course, Path("work/01_why_frameworks/01_why_frameworks.ipynb"))

It is rebuilt from solutions/ and run like a submission, as far as the lesson's last test.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from traitlets.config import Config

from autograder.course import Course
from autograder.engine import Engine
from autograder.errors import Problem
from autograder.grading import intake
from autograder.grading.assignment import as_graded
from autograder.grading.beside import as_text, names_of, read_files
from autograder.grading.handout import Handout, read_handout
from autograder.grading.rebuild import Rebuilt, rebuild
from autograder.grading.unit import Outcome, grade_submission
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
    lesson, part = part_of(course, path)
    try:
        handed = intake.read_notebook(path, "you", lesson)
    except intake.Refused as refusal:
        raise Problem(str(refusal)) from None
    master, handout = read_lesson(course, lesson, part)
    rebuilt = rebuild(handed, handout, master)
    if not any(cell.grade_id for cell in handed.cells) and len(rebuilt.blank) == _answers(master):
        raise Problem(f"{path} holds no answer of {lesson}; is it another lesson's notebook?")
    if path.resolve().parent.name == lesson:
        rebuilt = _with_files(rebuilt, path.parent, course.solutions / lesson)
    end = 1 + max((i for i, cell in enumerate(rebuilt.cells) if cell.role == "tests"), default=-1)
    needed = dataclasses.replace(rebuilt, cells=rebuilt.cells[:end], origins=rebuilt.origins[:end])
    from autograder.grading.classroom import grading_seed

    with Engine.for_master(master) as engine:
        outcome = grade_submission(master, needed, engine, grading_seed(lesson))
    if outcome.status == "error":
        raise Problem(f"{path}: {outcome.message}")
    return Checked(path, master, rebuilt, outcome)


def _with_files(rebuilt: Rebuilt, folder: Path, source: Path) -> Rebuilt:
    notes: list[str] = []
    files = as_text(read_files(folder, names_of(source), notes))
    return dataclasses.replace(rebuilt, files=files, notes=(*rebuilt.notes, *notes))


def _answers(master: Master) -> int:
    return sum(cell.is_answer for cell in master.cells)


def read_lesson(course: Course, lesson: str, part: str | None = None) -> tuple[Master, Handout]:
    """Return a solved notebook, and how it was handed out; `part` names one of several."""
    path = course.master(lesson) if part is None else _path(course.masters(lesson), part)
    handout = read_handout(path, Config(course.configured), course.root)
    return as_graded(read_master(path), handout), handout


def _path(paths: Iterable[Path], part: str) -> Path:
    return next(path for path in paths if path.stem == part)


# -- whose notebook it is ------------------------------------------------------------------------


def part_of(course: Course, path: Path) -> tuple[str, str]:
    """Return lesson and part of a notebook: by what it says, by its name, or by its cells.

    Problem where it is none of a lesson here, or might be of several.
    """
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise Problem(f"{path} cannot be read ({error.strerror}); name a notebook.") from None
    except (ValueError, RecursionError):
        document = None  # intake has a sentence for it
    try:
        lessons = _lessons(course, path, document)
    except Problem as problem:
        raise Problem(f"{path} is no notebook of a lesson here: {problem}") from None
    parts = [(lesson, one.stem) for lesson in lessons for one in course.masters(lesson)]
    named = [one for one in parts if one[1] == path.stem]
    found = parts if len(parts) == 1 else named if len(named) == 1 else []
    found = found or _by_cells(course, named or parts, document)
    if len(found) != 1:
        known = ", ".join(f"{lesson}/{part}.ipynb" for lesson, part in named or parts)
        raise Problem(f"{path} may be any of {known}; give it that name, in a folder of that name.")
    return found[0]


def _lessons(course: Course, path: Path, document: Any) -> list[str]:
    """Return the lessons that a notebook may be of. Problem where there are none."""
    try:
        return [course.lesson(str(document["metadata"]["autograder"]["lesson"]))]
    except (KeyError, TypeError, IndexError):
        pass  # Colab and others drop metadata; other courses have none of ours
    lessons = course.lesson_names()
    if path.resolve().parent.name in lessons:
        return [path.resolve().parent.name]
    with contextlib.suppress(Problem):
        return [course.lesson(path.stem)]
    parts = {lesson: [one.stem for one in course.masters(lesson)] for lesson in lessons}
    named = [lesson for lesson in lessons if path.stem in parts[lesson]]
    several = [lesson for lesson in lessons if len(parts[lesson]) > 1]
    return named or several or [course.lesson(path.stem)]


def _by_cells(
    course: Course, parts: Iterable[tuple[str, str]], document: Any
) -> list[tuple[str, str]]:
    """Return the parts with which a notebook has the most labelled cells in common."""
    mine = _labels(document)
    common = {
        (lesson, part): len(mine & _labels_of(_path(course.masters(lesson), part)))
        for lesson, part in parts
    }
    most = max(common.values(), default=0)
    return [one for one, count in common.items() if most and count == most]


def _labels_of(path: Path) -> set[str]:
    return _labels(json.loads(path.read_bytes()))


def _labels(document: Any) -> set[str]:
    try:
        cells = [cell["metadata"].get("nbgrader", {}) for cell in document["cells"]]
        return {str(cell["grade_id"]) for cell in cells if "grade_id" in cell}
    except (KeyError, TypeError, AttributeError):
        return set()
