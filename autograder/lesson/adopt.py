"""Folds an edited solution notebook back into `lesson.py`.

Each notebook cell is compared with what the master builds. Where they agree the master keeps its
own text, to the byte; where not, the cell is written anew, with what the build had added (cards,
folded hints, ids, metadata) undone. The notebook decides which cells there are and in which order.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbformat.notebooknode import NotebookNode

from autograder.course import Course
from autograder.errors import Problem
from autograder.lesson.build import notebook_facts, write_whole
from autograder.lesson.model import Cell, Kind, Lesson, display
from autograder.lesson.notebook import Built, built_cells, unfold_hint
from autograder.lesson.parse import MASTER, parse_lesson, read_lesson
from autograder.lesson.percent import write_cell
from autograder.lesson.regions import take

ADDED = ("card", "rubric")
"""Roles of cells that the build adds; a rubric goes back into its question's cell."""


@dataclass(frozen=True)
class Adoption:
    """The new text of a master and what changed, in words."""

    path: Path
    text: str
    changes: tuple[str, ...]


def adopt(course: Course, notebook: Path) -> Adoption:
    """Return the master as `notebook` says it should be; nothing is written.

    Problem if it is no solution notebook of a lesson here, or if what comes out is malformed.
    """
    facts = notebook_facts(notebook)
    path = _master(course, facts, notebook)
    lesson = read_lesson(path)
    try:
        edited = nbformat.read(notebook, as_version=4)
    except Exception as error:
        raise Problem(f"{display(notebook)} is not a notebook ({error}).") from None
    _refuse_release(lesson, edited, notebook)
    folded = list(_fold(lesson, edited))
    text = _join(lesson, folded)
    try:
        parse_lesson(text, path)
    except Problem as problem:
        raise Problem(
            f"with this notebook the lesson would be malformed; it was left as it is:\n{problem}"
        ) from None
    return Adoption(path, text, tuple(_changes(lesson, folded)))


def write(adoption: Adoption) -> None:
    """Put the new master in place."""
    write_whole(adoption.path, adoption.text.encode("utf-8"))


def _master(course: Course, facts: Mapping[str, Any], notebook: Path) -> Path:
    try:
        folder = f"{int(facts['number']):02d}_{facts['lesson']}"
    except (KeyError, TypeError, ValueError):
        raise Problem(f"{display(notebook)} does not say which lesson it is.") from None
    path = course.lessons / folder / MASTER
    if not path.is_file():
        raise Problem(f"{display(notebook)} is of the lesson {folder}, which has no master here.")
    return path


def _refuse_release(lesson: Lesson, edited: NotebookNode, notebook: Path) -> None:
    """A released or submitted notebook has no solutions; adopting it would empty the master."""
    sources = [cell.source for cell in edited.cells]
    had = any("### BEGIN SOLUTION" in cell.source for cell in lesson.cells)
    if had and not any("### BEGIN SOLUTION" in source for source in sources):
        raise Problem(
            f"{display(notebook)} has no solutions in it; adopt takes the notebook from solutions/."
        )


@dataclass(frozen=True)
class Folded:
    """A cell of the new master: its text and the position of the cell it was, if any."""

    text: str
    origin: int | None
    changed: bool
    label: str


def _fold(lesson: Lesson, edited: NotebookNode) -> Iterator[Folded]:
    built = [item for item in built_cells(lesson, {}) if item.part == "main"]
    by_id = {item.node["id"]: item for item in built}
    by_grade_id = {
        grade_id: item for item in built if (grade_id := _grade_id(item.node)) is not None
    }
    rubrics = {
        str(_grade_id(node)): node.source for node in edited.cells if _role(node) == "rubric"
    }
    used: set[int] = set()
    for node in edited.cells:
        if _role(node) in ADDED:
            continue
        was = by_id.get(node.get("id")) or by_grade_id.get(_grade_id(node) or "")
        source = _source(node, rubrics)
        if was is None or was.origin in used:
            marker = marker_of(node)
            kind: Kind = "code" if node.cell_type == "code" else "markdown"
            text = write_cell(kind, source, marker, lesson.header)
            yield Folded(text, None, True, _label(marker, source))
            continue
        used.add(was.origin)
        yield _refold(lesson, was, node, source)


def _refold(lesson: Lesson, was: Built, after: NotebookNode, source: str) -> Folded:
    """Return a known cell, in its author's spelling as far as it did not change."""
    cell, origin = lesson.cells[was.origin], was.origin
    old, new = marker_of(was.node), marker_of(after)
    marker = dict(cell.marker)
    for key in sorted(old.keys() | new.keys()):
        if key not in new:
            marker.pop(key, None)
        elif old.get(key) != new[key]:
            marker[key] = new[key]
    kind: Kind = "code" if after.cell_type == "code" else "markdown"
    same_marker = marker == dict(cell.marker) and kind == cell.kind
    label = _label(marker, source)
    if same_marker and _settled(cell) == source:
        return Folded(cell.raw, origin, False, label)
    text = write_cell(kind, source, marker, lesson.header)
    if same_marker:
        first = cell.raw.split("\n", 1)[0]
        text = first + "\n" + text.split("\n", 1)[1]
    tail = re.search(r"\n*\Z", cell.raw)
    assert tail is not None
    return Folded(text.rstrip("\n") + (tail[0] or "\n"), origin, True, label)


def _settled(cell: Cell) -> str:
    """Return a master's cell source as its notebook cells give it back."""
    if cell.role == "hint":
        return cell.source.strip()
    if cell.role == "written":
        return _rejoined(*take(cell.source, "MARK SCHEME"))
    return cell.source


def _source(node: NotebookNode, rubrics: Mapping[str, str]) -> str:
    """Return the master's source of a notebook cell: hints unfolded, a rubric joined again."""
    if _role(node) == "hint":
        return unfold_hint(node.source).strip()
    if _role(node) == "written":
        try:
            schemes = take(rubrics.get(f"{_grade_id(node)}-rubric", ""), "MARK SCHEME")[1]
        except ValueError as error:
            raise Problem(f"in the rubric of '{_grade_id(node)}': {error.args[1]}") from None
        return _rejoined(node.source, schemes)
    return str(node.source)


def _rejoined(answer: str, schemes: list[str]) -> str:
    return "\n\n".join([answer.strip("\n"), *schemes])


def _role(node: NotebookNode) -> str:
    facts = node.metadata.get("autograder", {})
    if facts.get("role"):
        return str(facts["role"])
    flags = node.metadata.get("nbgrader", {})
    for role, wanted in TOOLBAR.items():
        if all(bool(flags.get(key)) == value for key, value in wanted.items()):
            return role
    return "code" if node.cell_type == "code" else "prose"


TOOLBAR: Mapping[str, Mapping[str, bool]] = {
    "tests": {"grade": True, "solution": False},
    "written": {"grade": True, "solution": True},
    "exercise": {"grade": False, "solution": True},
    "given": {"grade": False, "solution": False, "locked": True},
}
"""What nbgrader's Create Assignment toolbar says of a cell that was made with it."""


def _grade_id(node: NotebookNode) -> str | None:
    grade_id = node.metadata.get("nbgrader", {}).get("grade_id")
    return None if grade_id is None else str(grade_id)


def marker_of(node: NotebookNode) -> dict[str, Any]:
    """Return the marker that says in `lesson.py` what the metadata of a notebook cell says."""
    facts = dict(node.metadata.get("autograder", {}))
    maker = MARKERS.get(_role(node))
    return maker(facts, node.metadata.get("nbgrader", {})) if maker else {}


def _points(graded: Mapping[str, Any]) -> Any:
    points = graded.get("points", 0)
    return int(points) if isinstance(points, float) and points.is_integer() else points


def _exercise_marker(facts: Mapping[str, Any], graded: Mapping[str, Any]) -> dict[str, Any]:
    marker = {"exercise": graded.get("grade_id", facts.get("exercise"))}
    marker |= {key: facts[key] for key in ("minutes", "difficulty", "importance") if key in facts}
    return marker | ({"allow": " ".join(facts["allow"])} if facts.get("allow") else {})


def _tests_marker(facts: Mapping[str, Any], graded: Mapping[str, Any]) -> dict[str, Any]:
    exercise, _, behaviour = str(graded.get("grade_id", "")).partition("-")
    return {"tests": exercise, "behaviour": behaviour, "points": _points(graded)}


MARKERS: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Any]], dict[str, Any]]] = {
    "given": lambda facts, graded: {"given": graded.get("grade_id", "")},
    "prompt": lambda facts, graded: {"prompt": facts.get("exercise", facts.get("written"))},
    "hint": lambda facts, graded: {"hint": facts.get("exercise")},
    "exercise": _exercise_marker,
    "tests": _tests_marker,
    "written": lambda facts, graded: {
        "written": graded.get("grade_id", ""),
        "points": _points(graded),
    },
}
"""role -> the marker from (our metadata, nbgrader's). nbgrader's toolbar edits its own."""


def _join(lesson: Lesson, folded: list[Folded]) -> str:
    """Join cells; where two were not neighbours before, a blank line parts them."""
    text = lesson.header_text
    for item, following in zip(folded, [*folded[1:], None], strict=True):
        part = item.text
        if following is None:
            was_last = item.origin == len(lesson.cells) - 1
            part = part if was_last else part.rstrip("\n") + "\n"
        elif item.origin is None or following.origin != item.origin + 1:
            part = part if part.endswith("\n\n") else part.rstrip("\n") + "\n\n"
        text += part
    return text


def _label(marker: Mapping[str, Any], source: str) -> str:
    words = " ".join(f"{key}={value}" for key, value in list(marker.items())[:2])
    return words or repr(source.strip().split("\n", 1)[0][:50])


def _changes(lesson: Lesson, folded: list[Folded]) -> Iterator[str]:
    kept = [item.origin for item in folded if item.origin is not None]
    for item in folded:
        if item.origin is None:
            yield f"new: {item.label}"
        elif item.changed:
            yield f"changed: {item.label} (line {lesson.cells[item.origin].line})"
    for origin, cell in enumerate(lesson.cells):
        if origin not in kept:
            yield f"gone: {_label(cell.marker, cell.source)} (line {cell.line})"
    if kept != sorted(kept):
        yield "the order of the cells"
