"""A course of one tiny lesson, for tests of grading: two exercises and a written question."""

from __future__ import annotations

import atexit
import functools
import json
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from autograder.course import Course
from autograder.grading.bridge import Bridge
from autograder.grading.handout import read_handout
from autograder.grading.intake import Limits, Refused, Submission, read_submission

LESSON = "01_small"

CONFIG = """
from pathlib import Path
c = get_config()
c.CourseDirectory.root = str(Path(__file__).resolve().parent)
c.CourseDirectory.course_id = "small"
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "notebooks"
c.CourseDirectory.solution_directory = ".autograder/nbgrader_solutions"
c.ClearSolutions.code_stub = {"python": "# YOUR CODE HERE\\nraise NotImplementedError()"}
c.Exchange.root = str(Path(__file__).resolve().parent / "exchange")
"""

GIVEN = "import numpy as np\n\nimport autograder"

DOUBLE = """def double(x):
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION"""

DOUBLE_VALUES = """@autograder.test
def _(rng):
    "Every entry is twice the entry of x."
    same(call(double, np.array([1.0, -2.0])), np.array([2.0, -4.0]), "two numbers")
    ### BEGIN HIDDEN TESTS
    secret_numbers = rng.normal(size=5)
    same(call(double, secret_numbers), secret_numbers * 2, "fresh numbers")
    ### END HIDDEN TESTS"""

DOUBLE_SHAPE = """@autograder.test
def _(rng):
    "The shape of x is kept."
    require(call(double, np.zeros((2, 3))).shape == (2, 3), "the shape of x was not kept")
    ### BEGIN HIDDEN TESTS
    hidden_shape = (4, 1, 2)
    require(call(double, np.zeros(hidden_shape)).shape == hidden_shape, "the shape was not kept")
    ### END HIDDEN TESTS"""

TOTAL = """def total(numbers):
    ### BEGIN SOLUTION
    result = 0.0
    for one in numbers:
        result = result + one
    return result
    ### END SOLUTION"""

TOTAL_VALUES = """@autograder.test
def _(rng):
    "The sum of all numbers is returned, 0 for none."
    same(call(total, [1.0, 2.0]), 3.0, "two numbers")
    ### BEGIN HIDDEN TESTS
    hidden_list = [float(n) for n in rng.normal(size=4)]
    same(call(total, hidden_list), float(sum(hidden_list)), "fresh numbers", rtol=1e-9)
    same(call(total, []), 0.0, "no numbers")
    ### END HIDDEN TESTS"""

WRITTEN = """### BEGIN SOLUTION
The model answer: addition is associative only in exact arithmetic.
### END SOLUTION"""


def code(source: str, grade_id: str = "", points: float | None = None, **ours: Any) -> NotebookNode:
    """Return a code cell: given (locked), exercise or test by its `role`."""
    return _labelled(nbformat.v4.new_code_cell(source), grade_id, points, ours)


def markdown(
    source: str, grade_id: str = "", points: float | None = None, **ours: Any
) -> NotebookNode:
    """Return a Markdown cell."""
    return _labelled(nbformat.v4.new_markdown_cell(source), grade_id, points, ours)


def _labelled(
    cell: NotebookNode, grade_id: str, points: float | None, ours: dict[str, Any]
) -> NotebookNode:
    role = ours.get("role", "prose")
    cell["id"] = grade_id or f"{role}-{abs(hash(cell.source)) % 10**6}"
    cell.metadata["autograder"] = ours | {"role": role}
    if grade_id:
        cell.metadata["nbgrader"] = {
            "schema_version": 3,
            "grade_id": grade_id,
            "grade": points is not None,
            "solution": role in ("exercise", "written"),
            "locked": role in ("tests", "given"),
            "task": False,
        } | ({"points": points} if points is not None else {})
    return cell


def master_notebook() -> NotebookNode:
    """Return the solved notebook of the tiny lesson."""
    tests: dict[str, Any] = {"role": "tests", "allow": ["numpy"]}
    cells = [
        markdown("# Small\n\nA lesson of two exercises. $x^2$"),
        code(GIVEN, "setup", role="given"),
        markdown("Write `double`.", role="prompt", exercise="double"),
        code(DOUBLE, "double", role="exercise", exercise="double", allow=["numpy"]),
        code(DOUBLE_VALUES, "double-values", 2, exercise="double", behaviour="values",
             sentence="Every entry is twice the entry of x.", **tests),
        code(DOUBLE_SHAPE, "double-shape", 1, exercise="double", behaviour="shape",
             sentence="The shape of x is kept.", **tests),
        code("shown = [double(1.0) for _ in range(0)]", role="code"),
        markdown("Write `total`.", role="prompt", exercise="total"),
        code(TOTAL, "total", role="exercise", exercise="total", allow=["numpy"]),
        code(TOTAL_VALUES, "total-values", 3, exercise="total", behaviour="values",
             sentence="The sum of all numbers is returned, 0 for none.", **tests),
        markdown("Why does order matter?", role="prompt", exercise="why"),
        markdown(WRITTEN, "why", 2, role="written", exercise="why"),
    ]  # fmt: skip
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata["kernelspec"] = {
        "display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3",
    }  # fmt: skip
    notebook.metadata["autograder"] = {"lesson": "small", "number": 1, "title": "Small"}
    return notebook


def make_course(root: Path) -> Path:
    """Write the course to `root`: solved notebook, settings, and nothing else."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "nbgrader_config.py").write_text(CONFIG)
    (root / "exchange").mkdir(exist_ok=True)
    folder = root / "solutions" / LESSON
    folder.mkdir(parents=True)
    nbformat.write(master_notebook(), folder / f"{LESSON}.ipynb")
    return root


@functools.cache
def _pattern() -> tuple[Path, NotebookNode]:
    """Return a course whose gradebook knows the lesson (two slow seconds), and its release."""
    root = Path(tempfile.mkdtemp(prefix="small-course-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    course = Course(make_course(root))
    Bridge(course).ensure_assignment(LESSON)
    return root, read_handout(course.master("1")).released


def ready_course(root: Path) -> tuple[Course, NotebookNode]:
    """Copy a course with its gradebook to `root`; return it and the released notebook."""
    pattern, released = _pattern()
    shutil.copytree(pattern, root, dirs_exist_ok=True)
    return Course(root), released


ANSWERS = {
    "double": "def double(x):\n    return 2 * x",
    "total": "def total(numbers):\n    return float(sum(numbers))",
    "why": "Because rounding depends on the order.",
}

Change = Callable[[NotebookNode], None]


def hand_in(
    root: Path,
    student: str,
    released: NotebookNode,
    answers: dict[str, str] | None = None,
    change: Change | None = None,
) -> Path:
    """Write a submission: the released notebook with `answers` by grade id, then `change`d."""
    notebook = nbformat.from_dict(json.loads(json.dumps(released)))
    for cell in notebook.cells:
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
        if grade_id in (answers or {}):
            cell.source = (answers or {})[grade_id]
    if change:
        change(notebook)
    return hand_in_raw(root, student, json.dumps(notebook).encode())


def hand_in_raw(
    root: Path, student: str, raw: bytes, name: str = f"{LESSON}.ipynb", lesson: str = LESSON
) -> Path:
    """Write bytes as a submission."""
    folder = root / "submitted" / student / lesson
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(raw)
    return path


def read_one(root: Path, student: str, limits: Limits | None = None) -> Submission:
    """Return the one notebook of a submission; raises `Refused` where it cannot be read."""
    handed = read_submission(root / "submitted", student, LESSON, [LESSON], limits)
    found = handed.parts[LESSON]
    if isinstance(found, Refused):
        raise found
    return found


def find(notebook: NotebookNode, grade_id: str) -> NotebookNode:
    """Return the cell with this grade id."""
    return next(
        cell
        for cell in notebook.cells
        if cell.metadata.get("nbgrader", {}).get("grade_id") == grade_id
    )


def sources(cells: Iterable[Any]) -> list[str]:
    """Return the sources of some cells."""
    return [cell.source for cell in cells]
