"""Reads wrong_answers.py and right_answers.py: whole answers in the place of an exercise's cell."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from autograder.lesson.markers import ANSWER_ROLES, assign_role
from autograder.lesson.model import Answer, Cell, Equivalent, Exercise, Flaws, Lesson
from autograder.lesson.percent import read_sheet
from autograder.lesson.source import as_python

NO_MARKER = 'this code has no marker; begin it with # %% answer="..." name="...".'
KINDS: tuple[Literal["right", "wrong"], ...] = ("right", "wrong")


def read_answers(path: Path, lessons: Sequence[Lesson]) -> tuple[list[Answer], list[Equivalent]]:
    """Read an answers file against `lessons`. Problem naming file and line where it is wrong.

    Its kind is what its name starts with, `right` or `wrong`. An exercise is found by its name in
    `lessons`; where several have it, the marker says lesson="...".
    """
    flaws = Flaws(path)
    kind = next((kind for kind in KINDS if path.name.startswith(kind)), None)
    if kind is None:
        flaws.add(1, "the name of an answers file starts with 'right' or 'wrong'; rename it.")
    flaws.check()
    assert kind is not None
    sheet = read_sheet(path)
    cells = [assign_role(cell, ANSWER_ROLES, flaws) for cell in sheet.cells]
    if not _idle(sheet.preface):
        flaws.add(1, NO_MARKER)
    flaws.check()
    answers: list[Answer] = []
    equivalents: list[Equivalent] = []
    for cell in cells:
        if cell.role == "code" and not _idle(cell.source):
            flaws.add(cell.line, NO_MARKER)
        elif cell.role in ANSWER_ROLES:
            lesson = _lesson_of(cell, lessons, flaws)
            if lesson is None:
                continue
            if cell.role == "answer":
                answers.append(_answer(cell, kind, lesson, path, flaws))
            else:
                equivalents.append(_equivalent(cell, kind, lesson, path, flaws))
    _names_once(answers, flaws)
    flaws.check()
    return answers, equivalents


def _idle(source: str) -> bool:
    """Return whether a cell without a marker holds only comments, strings and imports."""
    try:
        body = ast.parse(as_python(source)).body
    except SyntaxError:
        return False
    return all(
        isinstance(node, ast.Import | ast.ImportFrom)
        or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        for node in body
    )


def answer_files(folder: Path) -> list[Path]:
    """Return the answers files that lie in a lesson's folder, by name."""
    return sorted(path for kind in KINDS for path in folder.glob(f"{kind}*.py"))


def opening_comment(source: str) -> str:
    """Return the comment that opens a source, on one line; '' if it opens with anything else."""
    words: list[str] = []
    for line in source.strip().split("\n"):
        if not line.startswith("#"):
            break
        words.append(line.lstrip("#").strip())
    return " ".join(word for word in words if word)


def _lesson_of(cell: Cell, lessons: Sequence[Lesson], flaws: Flaws) -> Lesson | None:
    named = cell.marker.get("lesson")
    if named is not None:
        lessons = [lesson for lesson in lessons if named in (lesson.slug, lesson.folder)]
        if not lessons:
            flaws.add(cell.line, f'lesson="{named}" is no lesson here; name it by its slug.')
            return None
    found = [lesson for lesson in lessons if lesson.exercise(cell.name)]
    if len(found) == 1:
        return found[0]
    if found:
        slugs = " or ".join(f'lesson="{lesson.slug}"' for lesson in found)
        flaws.add(cell.line, f"several lessons have an exercise '{cell.name}'; add {slugs}.")
    else:
        known = ", ".join(item.name for lesson in lessons for item in lesson.exercises) or "none"
        flaws.add(cell.line, f"there is no exercise '{cell.name}'; the exercises are: {known}.")
    return None


def _answer(
    cell: Cell, kind: Literal["right", "wrong"], lesson: Lesson, path: Path, flaws: Flaws
) -> Answer:
    exercise = lesson.exercise(cell.name)
    assert exercise is not None
    _check_source(cell, flaws)
    sentence = opening_comment(cell.source)
    if kind == "wrong":
        if not sentence:
            flaws.add(
                cell.line,
                "a wrong answer opens with a comment: the sentence that its student reads.",
            )
        _check_loses(cell, exercise, flaws)
    elif "loses" in cell.marker:
        flaws.add(cell.line, "a right answer loses nothing; take loses= out.")
    return Answer(
        lesson=lesson.folder,
        exercise=cell.name,
        name=str(cell.marker["name"]),
        kind=kind,
        source=cell.source,
        sentence=sentence,
        loses=cell.words("loses"),
        path=path,
        line=cell.line,
    )


def _check_source(cell: Cell, flaws: Flaws) -> None:
    if not cell.source.strip():
        flaws.add(cell.line, "this answer is empty; write the whole answer cell.")
    try:
        compile(as_python(cell.source), "<answer>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", 1) or 1
        flaws.add(cell.at(line), f"this is not Python ({error.args[0]}); repair it.")


def _check_loses(cell: Cell, exercise: Exercise, flaws: Flaws) -> None:
    known = {behaviour.name for behaviour in exercise.behaviours}
    for word in cell.words("loses"):
        if word not in known:
            listed = ", ".join(behaviour.name for behaviour in exercise.behaviours)
            flaws.add(
                cell.line,
                f"loses= names '{word}', which is no behaviour of '{exercise.name}' ({listed}).",
            )


def _equivalent(cell: Cell, kind: str, lesson: Lesson, path: Path, flaws: Flaws) -> Equivalent:
    reason = opening_comment(cell.source)
    if kind != "right":
        flaws.add(cell.line, "equivalent= belongs into right_answers.py; move it there.")
    if not reason:
        flaws.add(cell.line, "an equivalent mutant needs its reason as a comment below the marker.")
    return Equivalent(
        lesson=lesson.folder,
        exercise=cell.name,
        mutant=str(cell.marker["mutant"]),
        reason=reason,
        path=path,
        line=cell.line,
    )


def _names_once(answers: list[Answer], flaws: Flaws) -> None:
    seen: dict[tuple[str, str, str], int] = {}
    for answer in answers:
        key = (answer.lesson, answer.exercise, answer.name)
        if key in seen:
            flaws.add(
                answer.line,
                f"'{answer.name}' is already the answer of line {seen[key]}; name this one anew.",
            )
        seen.setdefault(key, answer.line)
