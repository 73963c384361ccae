"""What there is to run for a lesson: its solved notebook, the released one, and every answer."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat

from autograder.audit.hearing import Kind
from autograder.audit.mutants import chosen, mutants
from autograder.course import Course
from autograder.errors import Problem
from autograder.lesson import Answer, Equivalent, Lesson, answer_files, read_answers, read_lesson
from autograder.lesson.build import master_folders
from autograder.lesson.model import display
from autograder.lesson.notebook import solved_notebook, write_notebook
from autograder.lesson.release import release_files
from autograder.master import Master, MasterCell, read_master


@dataclass(frozen=True)
class Candidate:
    """One answer to one exercise."""

    exercise: str
    name: str
    kind: Kind
    source: str
    loses: tuple[str, ...] = ()
    excused: str | None = None
    where: str = ""
    """File and line, or for a mutant the line that was changed."""


@dataclass(frozen=True)
class Plan:
    """One lesson, ready to be audited."""

    lesson: Lesson
    master: Master
    blanks: dict[int, str]
    """Released source of each answer cell, by index in the master."""
    candidates: tuple[Candidate, ...]
    stale: tuple[str, ...]
    """What is wrong with the list of equivalent mutants."""

    def cell(self, exercise: str) -> MasterCell:
        """Return the answer cell of an exercise."""
        return next(
            cell
            for cell in self.master.cells
            if cell.role == "exercise" and cell.exercise == exercise
        )


def make_plans(
    course: Course, names: Sequence[str], files: Iterable[Path], every: int = 1
) -> list[Plan]:
    """Return a plan per lesson: those named, else those that `files` answer, else all.

    Of the mutants every `every`-th is planned for; 0 leaves them out.
    Problem where a lesson does not build, or a file is no answers file of these lessons.
    """
    if not course.lessons.is_dir():
        raise Problem("this course has no lessons/ to audit; solutions/ alone hold no answers.")
    known = master_folders(course)
    if not known:
        raise Problem("lessons/ is empty; `autograder new SLUG` makes a first lesson.")
    wanted = [course.lesson(name) for name in names]
    missing = [name for name in wanted if name not in known]
    if missing:
        raise Problem(f"lessons/{missing[0]} has no lesson.py, so there is nothing to audit.")
    lessons = [read_lesson(course.lessons / name) for name in wanted or known]
    extra = [read_answers(path, lessons) for path in files]
    answered = {item.lesson for found in extra for part in found for item in part}
    if answered and not wanted:
        lessons = [lesson for lesson in lessons if lesson.folder in answered]
    return [_plan(course, lesson, extra, every) for lesson in lessons]


Answers = tuple[list[Answer], list[Equivalent]]


def _plan(course: Course, lesson: Lesson, extra: list[Answers], every: int) -> Plan:
    read = [read_answers(path, [lesson]) for path in answer_files(lesson.path.parent)] + extra
    answers = [one for found, _ in read for one in found if one.lesson == lesson.folder]
    excuses = [one for _, found in read for one in found if one.lesson == lesson.folder]
    master, blanks = _notebooks(course, lesson)
    mutated, stale = _mutants(lesson, excuses) if every else ([], [])
    mutated = mutated[:: max(every, 1)]
    candidates = sorted(
        [*map(_candidate, answers), *mutated],
        key=lambda one: [item.name for item in lesson.exercises].index(one.exercise),
    )
    return Plan(lesson, master, blanks, tuple(candidates), tuple(stale))


def _notebooks(course: Course, lesson: Lesson) -> tuple[Master, dict[int, str]]:
    """Return the master of the lesson as it is now, and its released answer cells."""
    name = f"{lesson.folder}.ipynb"
    solved = write_notebook(solved_notebook(lesson))
    with tempfile.TemporaryDirectory(prefix="autograder-audit-") as place:
        path = Path(place) / name
        path.write_bytes(solved)
        master = read_master(path)
    pages = nbformat.reads(
        release_files(course.root, lesson.folder, {name: solved})[name].decode(), as_version=4
    )
    released = {cell["id"]: cell.source for cell in pages.cells}
    return master, {c.index: released[c.id] for c in master.cells if c.role == "exercise"}


def _candidate(answer: Answer) -> Candidate:
    return Candidate(
        exercise=answer.exercise,
        name=answer.name,
        kind=answer.kind,
        source=answer.source,
        loses=answer.loses,
        where=f"{display(answer.path)}:{answer.line}",
    )


def _mutants(lesson: Lesson, excuses: list[Equivalent]) -> tuple[list[Candidate], list[str]]:
    reasons = {item.mutant: item.reason for item in excuses}
    found: list[Candidate] = []
    known: set[tuple[str, str]] = set()
    for exercise in lesson.exercises:
        every = mutants(exercise.name, exercise.source)
        known |= {(exercise.name, mutant.id) for mutant in every}
        for mutant in chosen(every, always=reasons):
            found.append(
                Candidate(
                    exercise=exercise.name,
                    name=mutant.id,
                    kind="mutant",
                    source=mutant.source,
                    excused=reasons.get(mutant.id),
                    where=mutant.line,
                )
            )
    stale = [
        f"{display(item.path)}:{item.line}: there is no mutant '{item.mutant}' of "
        f"'{item.exercise}'; the solution has changed, so take the entry out or name the new one."
        for item in excuses
        if (item.exercise, item.mutant) not in known
    ]
    return found, stale
