"""A course that never heard of us: nbgrader's own quick start in small, with plain test cells."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader.preprocessors import ClearSolutions

LESSON = "ps1"

CONFIG = """
c = get_config()
c.CourseDirectory.course_id = "plain101"
c.Execute.timeout = 3
"""

SQUARES = '''def squares(n):
    """Compute the squares of the numbers from 1 to n."""
    ### BEGIN SOLUTION
    if n < 1:
        raise ValueError("n must be at least 1")
    return [i**2 for i in range(1, n + 1)]
    ### END SOLUTION'''

CORRECT = '''"""Check that squares returns the correct output"""
assert squares(1) == [1]
assert squares(2) == [1, 4]
### BEGIN HIDDEN TESTS
assert squares(11)[-1] == 121, "the hidden eleventh square"
### END HIDDEN TESTS'''

INVALID = '''"""Check that squares raises an error for invalid inputs"""
try:
    squares(0)
except ValueError:
    pass
else:
    raise AssertionError("did not raise")'''

PARTIAL = """right = 0
for n in (1, 2, 3, 4):
    try:
        right += squares(n) == [i * i for i in range(1, n + 1)]
    except Exception:
        pass
right / 4 * 2"""

SUM = '''def sum_of_squares(n):
    """Compute the sum of the squares of the numbers from 1 to n."""
    ### BEGIN SOLUTION
    return sum(squares(n))
    ### END SOLUTION'''

USES = """orig_squares = squares
del squares
try:
    sum_of_squares(1)
except NameError:
    pass
else:
    raise AssertionError("sum_of_squares does not use squares")
finally:
    squares = orig_squares"""

VALUES = """expected = sum(i * i for i in range(1, 6))
assert sum_of_squares(5) == expected"""

LATER = """assert sum_of_squares(5) == expected, "a name that another test cell left"
assert squares is orig_squares"""

APPLICATION = """def pyramidal_number(n):
    return sum_of_squares(n)"""


def labelled(cell: NotebookNode, grade_id: str, **flags: Any) -> NotebookNode:
    """Return a cell with nbgrader's labels."""
    usual = {"grade": False, "solution": False, "locked": False, "task": False}
    cell["id"] = grade_id
    cell.metadata["nbgrader"] = {"schema_version": 3, "grade_id": grade_id} | usual | flags
    return cell


def source_notebook() -> NotebookNode:
    """Return the teacher's notebook."""
    code, markdown = nbformat.v4.new_code_cell, nbformat.v4.new_markdown_cell

    def test(source: str, grade_id: str, points: float) -> NotebookNode:
        return labelled(code(source), grade_id, grade=True, locked=True, points=points)

    cells = [
        markdown("# Problem set 1", id="title"),
        labelled(code(SQUARES), "squares", solution=True),
        code("squares(10)", id="try"),
        test(CORRECT, "correct_squares", 1.0),
        test(INVALID, "squares_invalid_input", 1.0),
        test(PARTIAL, "squares_partly", 2.0),
        labelled(code(SUM), "sum_of_squares", solution=True),
        test(VALUES, "correct_sum", 0.5),
        test(USES, "uses_squares", 0.5),
        test(LATER, "later", 1.0),
        labelled(markdown("$\\sum_i i^2$"), "equation", solution=True, grade=True, points=1.0),
        labelled(code(APPLICATION), "application", solution=True, grade=True, points=2.0),
        labelled(markdown("Part E"), "formulae", locked=True, task=True, points=4.0),
    ]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata["kernelspec"] = {
        "name": "python3", "display_name": "Python 3", "language": "python",
    }  # fmt: skip
    return notebook


RIGHT = """def squares(n):
    if n < 1:
        raise ValueError
    return [i * i for i in range(1, n + 1)]"""
TO_STDERR = "import sys\n" + RIGHT.replace("    if", "    print('?', file=sys.stderr)\n    if")
SUMS = "def sum_of_squares(n):\n    return sum(squares(n))"

ANSWERS: dict[str, tuple[str, str]] = {
    "right": (RIGHT, SUMS),
    "partly": (
        "def squares(n):\n    return [1, 4][:n]",
        SUMS,
    ),
    "hard_coded": ("def squares(n):\n    return {1: [1], 2: [1, 4]}[n]", SUMS),
    "to_stderr": (TO_STDERR, SUMS),
    "prints": (RIGHT.replace("    if", "    print('squares of', n)\n    if"), SUMS),
    "raises": ("1 / 0\n" + RIGHT, SUMS),
    "exits": ("import sys\ndef squares(n):\n    sys.exit(0)", SUMS),
    "copies": (RIGHT, "def sum_of_squares(n):\n    return sum(i * i for i in range(1, n + 1))"),
    "forever": (RIGHT, "def sum_of_squares(n):\n    while True:\n        pass"),
}  # fmt: skip
"""Student -> sources of the two answer cells."""


def plain_course(root: Path, students: Iterable[str] = (*ANSWERS, "blank")) -> Path:
    """Make the course: a configuration, source/ and submitted/."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "nbgrader_config.py").write_text(CONFIG)
    source = source_notebook()
    folder = root / "source" / LESSON
    folder.mkdir(parents=True)
    nbformat.write(source, folder / f"{LESSON}.ipynb")
    (root / "submitted").mkdir()
    for student in students:
        hand_in(root, student, *ANSWERS.get(student, ()))
    return root


def hand_in(root: Path, student: str, *answers: str) -> None:
    """Hand in a notebook with these sources of the answer cells, in order."""
    notebook, _ = ClearSolutions()(source_notebook(), {})
    sources = dict(zip(("squares", "sum_of_squares"), answers, strict=False))
    for cell in notebook.cells:
        cell.source = sources.get(cell.id, cell.source)
        if cell.metadata.get("nbgrader", {}).get("grade") and "HIDDEN" in cell.source:
            cell.source = cell.source.split("### BEGIN HIDDEN")[0].rstrip()
    folder = root / "submitted" / student / LESSON
    folder.mkdir(parents=True)
    nbformat.write(notebook, folder / f"{LESSON}.ipynb")
