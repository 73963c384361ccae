"""`autograder solution LESSON EXERCISE`: the solution of an exercise, after an attempt."""

from __future__ import annotations

import argparse
import ast
import io
import tokenize
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from autograder.course import Course, find_course
from autograder.errors import Problem

if TYPE_CHECKING:
    from autograder.master import MasterCell

SUMMARY = "print the solution of an exercise, once your own cell differs from the one handed out"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("lesson", metavar="LESSON", help="slug or number")
    parser.add_argument("exercise", metavar="EXERCISE", help="its name, as its card says it")
    parser.add_argument(
        "--notebook", type=Path, metavar="PATH", help="your notebook; default: the one in work/"
    )


def run(args: argparse.Namespace) -> int:
    """Print the solution."""
    course = find_course()
    print(solution(course, course.lesson(args.lesson), args.exercise, args.notebook))
    return 0


def solution(course: Course, lesson: str, exercise: str, notebook: Path | None = None) -> str:
    """Return the solved cell. Problem before an attempt in `notebook` (None: the copy in work/)."""
    from autograder.grading import intake
    from autograder.master import read_master

    name, solved = _solved(course, lesson, exercise, notebook)
    released = _answer_cells(read_master(course.notebooks / lesson / name).cells)[exercise]
    path = notebook or course.work / lesson / name
    if notebook is None and not path.is_file():
        raise Problem(f"there is no copy of {lesson} in work/ yet; run `autograder lab` and try.")
    try:
        cells = intake.read_notebook(path, "you", lesson).cells
    except intake.Refused as refusal:
        raise Problem(str(refusal)) from None
    tried = [cell.source for cell in cells if exercise in (cell.grade_id, cell.cell_id)]
    if not tried:
        raise Problem(
            f"{path} has no cell of exercise '{exercise}'; name your notebook of {lesson}."
        )
    if not any(is_attempt(source, released) for source in tried):
        raise Problem(
            f"your cell of '{exercise}' in {path} is still as it was handed out; "
            "try first (a wrong attempt will do), save, and ask again."
        )
    return without_markers(solved, markers(course))


def _solved(course: Course, lesson: str, exercise: str, notebook: Path | None) -> tuple[str, str]:
    """Return the name of the notebook that holds an exercise, and the solved cell."""
    from autograder.master import read_master

    parts = {one.name: _answer_cells(read_master(one).cells) for one in course.masters(lesson)}
    found = [name for name, cells in parts.items() if exercise in cells]
    if not found:
        known = ", ".join(name for cells in parts.values() for name in cells)
        raise Problem(f"{lesson} has no exercise '{exercise}'; its exercises are: {known}.")
    # A name may come up in two parts.
    name = notebook.name if notebook is not None and notebook.name in found else found[0]
    return name, parts[name][exercise]


def _answer_cells(cells: Iterable[MasterCell]) -> dict[str, str]:
    return {
        cell.exercise or cell.grade_id or "": cell.source
        for cell in cells
        if cell.role == "exercise"
    }


def is_attempt(source: str, released: str) -> bool:
    """Whether a cell holds code other than the release's; comments and blanks are no code."""
    code = _code(source)
    return bool(code) and code != _code(released)


def _code(source: str) -> str:
    """Return what a cell does, as text: its syntax tree, or without one its tokens."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return _tokens(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module) and ast.get_docstring(
            node
        ):
            node.body = node.body[1:]
    return ast.dump(tree) if tree.body else ""


def _tokens(source: str) -> str:
    skipped = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)
    words = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type not in skipped:
                words.append(token.string)
    except (tokenize.TokenError, SyntaxError):
        pass  # what was read up to the error is enough to tell
    return " ".join(words)


def markers(course: Course) -> tuple[str, ...]:
    """Return nbgrader's marks around a solution, the course's own where it has some."""
    own = course.configured.get("ClearSolutions", {})
    return tuple(
        str(own.get(f"{end.lower()}_solution_delimeter", f"{end} SOLUTION"))
        for end in ("BEGIN", "END")
    )


def without_markers(source: str, marks: Sequence[str]) -> str:
    """Return a solved cell without the lines that mark its solution."""
    lines = source.split("\n")
    return "\n".join(line for line in lines if not any(mark in line for mark in marks))
