"""nbgrader's own quick start: an assignment of two notebooks, with a header, a picture and data."""

from __future__ import annotations

import atexit
import functools
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from plain_course import RIGHT, SUMS, labelled

LESSON = "ps1"
PARTS = ("problem1", "problem2")
NUMBERS = "1\n2\n39\n"
HELPER = (
    "def read(path):\n    with open(path) as file:\n        return [int(line) for line in file]\n"
)

GIVEN = "from helper import read"
TOTAL = '''def total(path):
    """Return the sum of the numbers in a file, one in each line."""
    ### BEGIN SOLUTION
    return sum(read(path))
    ### END SOLUTION'''
IN_FILE = """assert total("numbers.csv") == 42
assert total("data/more.csv") == 5
### BEGIN HIDDEN TESTS
with open("hidden.txt", "w") as file:
    file.write("100\\n11\\n")
assert total("hidden.txt") == 111, "the hidden file"
### END HIDDEN TESTS"""
SQUARES_AGAIN = "def squares(n):\n    return 'another one of this name'"
SAME_ID = "assert squares(1).startswith('another')"

TOTALS = "def total(path):\n    return sum(read(path))"
WRONG = "def squares(n):\n    return [1, 4][:n]"
WORDS = "It computes the Fibonacci numbers."

Answers = dict[str, str]
"""Grade id -> source of an answer cell."""
FIRST: Answers = {"squares": RIGHT, "sum_of_squares": SUMS}
SECOND: Answers = {"part-a": WORDS, "total": TOTALS}

STUDENTS: dict[str, tuple[Answers | None, Answers | None]] = {
    "right": (FIRST, SECOND),
    "wrong": (FIRST | {"squares": WRONG}, SECOND | {"total": "def total(path):\n    return 42"}),
    "no_second": (FIRST, None),
    "no_first": (None, SECOND),
    "blank": ({}, {}),
    "half": (FIRST, {}),
    "own_files": (FIRST, SECOND),
    "brings": (FIRST, SECOND | {"total": "import mine\n\ntotal = mine.total"}),
    "extra": (FIRST, SECOND),
    "broken": (FIRST, SECOND),
    "dies": (FIRST | {"squares": "import os\nos._exit(1)"}, SECOND),
}
"""Student -> answers of each part, None for one that was not handed in."""


def make_course(root: Path) -> Path:
    """Write the course as an instructor has it: source/ and what `nbgrader quickstart` sets."""
    pattern = _pattern()
    shutil.copytree(pattern, root)
    return root


@functools.cache
def _pattern() -> Path:
    place = Path(tempfile.mkdtemp(prefix="several-"))
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    command = [sys.executable, "-m", "nbgrader", "quickstart", "course101"]
    subprocess.run(command, cwd=place, check=True, capture_output=True)
    root = place / "course101"
    source = root / "source" / LESSON
    (source / "numbers.csv").write_text(NUMBERS)
    (source / "helper.py").write_text(HELPER)
    (source / "data").mkdir()
    (source / "data" / "more.csv").write_text("2\n3\n")
    edit(root, "problem2", lambda notebook: notebook.cells.extend(second_cells()))
    return root


def second_cells() -> list[NotebookNode]:
    """Return what the second notebook has besides nbgrader's example: code, data and a test."""
    code = nbformat.v4.new_code_cell
    flags = {"grade": True, "locked": True}
    cells = [
        code(GIVEN),
        labelled(code(TOTAL), "total", solution=True),
        labelled(code(IN_FILE), "in_file", points=2.0, **flags),
        code(SQUARES_AGAIN),
        # An id that the first notebook has too.
        labelled(code(SAME_ID), "correct_squares", points=0.25, **flags),
    ]
    for cell in cells:
        cell.pop("id")  # nbgrader's example has an older format
    return cells


def edit(root: Path, part: str, change: object) -> None:
    """Change a part of the assignment at its source."""
    path = root / "source" / LESSON / f"{part}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    change(notebook)  # type: ignore[operator]
    nbformat.write(notebook, path)


def release(root: Path) -> dict[str, NotebookNode]:
    """Release the assignment with nbgrader's own command; return the notebooks by part."""
    command = [sys.executable, "-m", "nbgrader", "generate_assignment", LESSON, "--force"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    folder = root / "release" / LESSON
    return {part: nbformat.read(folder / f"{part}.ipynb", as_version=4) for part in PARTS}


def hand_in(
    root: Path, student: str, released: dict[str, NotebookNode], *answers: Answers | None
) -> Path:
    """Hand in the parts for which there are answers; return the folder."""
    folder = root / "submitted" / student / LESSON
    folder.mkdir(parents=True, exist_ok=True)
    for (part, notebook), given in zip(released.items(), answers, strict=True):
        if given is not None:
            nbformat.write(answered(notebook, given), folder / f"{part}.ipynb")
    return folder


def answered(released: NotebookNode, answers: Answers) -> NotebookNode:
    """Return a copy of a released notebook with answers."""
    notebook = nbformat.from_dict(released)
    notebook.cells = [nbformat.from_dict(dict(cell)) for cell in released.cells]
    for cell in notebook.cells:
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
        cell.source = answers.get(grade_id, cell.source)
    return notebook


@functools.cache
def _class() -> tuple[Path, dict[str, NotebookNode]]:
    root = make_course(Path(tempfile.mkdtemp(prefix="several-class-")) / "course101")
    atexit.register(shutil.rmtree, root.parent, ignore_errors=True)
    released = release(root)
    for student, answers in STUDENTS.items():
        folder = hand_in(root, student, released, *answers)
        if student == "own_files":
            (folder / "numbers.csv").write_text("7\n")
            (folder / "helper.py").write_text("def read(path):\n    return [0]\n")
        if student == "brings":
            (folder / "mine").mkdir()
            (folder / "mine" / "__init__.py").write_text(f"from helper import read\n{TOTALS}\n")
        if student == "extra":
            shutil.copy(folder / "problem1.ipynb", folder / "attempt.ipynb")
        if student == "broken":
            (folder / "problem2.ipynb").write_text('{"cells": [')
    return root, released


def class_course(
    root: Path, students: Iterable[str] = STUDENTS
) -> tuple[Path, dict[str, NotebookNode]]:
    """Write the course with a class to `root`; return it and the released notebooks."""
    pattern, released = _class()
    shutil.copytree(pattern, root)
    for folder in (root / "submitted").iterdir():
        if folder.name not in students:
            shutil.rmtree(folder)
    return root, released
