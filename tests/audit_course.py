"""A lesson of two exercises for tests of the audit, with answers that a test can exchange."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import nbformat

from autograder.audit.audit import Audit, Row, audit_lesson
from autograder.audit.plan import make_plans
from autograder.course import Course
from autograder.lesson.build import build_lesson, write

ROOT = Path(__file__).resolve().parent.parent
FOLDER = "03_scales"

LESSON = '''\
# ---
# jupyter:
#   jupytext:
#     cell_metadata_filter: all
#     comment_magics: false
#     notebook_metadata_filter: all
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3 (ipykernel), language: python, name: python3}
#   autograder:
#     title: Scales
#     minutes: 12
#     needs: []
#     covers: {}
# ---

# %% given="setup"
import numpy as np

import autograder

# %% [markdown] prompt="center"
# Write `center(x)`.

# %% [markdown] hint="center"
# What is left when the mean is gone?

# %% [markdown] hint="center"
# A cloud of points moves to the origin.

# %% [markdown] hint="center"
# One difference.

# %% exercise="center" minutes=5 difficulty=1 importance=1 allow="numpy"
def center(x):
    """Return `x` with every column's mean moved to 0."""
    ### BEGIN SOLUTION
    return x - x.mean(axis=0)
    ### END SOLUTION

# %%
shown = center(np.array([[1.0], [3.0]]))
print(shown.shape)

# %% tests="center" behaviour="values" points=2
@autograder.test
def _(rng):
    "Every column has mean 0."
    x = np.array([[1.0, 2.0], [3.0, 6.0]])
    same(call(center, x), np.array([[-1.0, -2.0], [1.0, 2.0]]), "two rows")
    ### BEGIN HIDDEN TESTS
    for rows in (1, 4):
        x = rng.normal(size=(rows, 3)) + 5
        same(call(center, x), x - x.sum(axis=0) / rows, "fresh rows")
    ### END HIDDEN TESTS

# %% tests="center" behaviour="inputs_kept" points=1
@autograder.test
def _(rng):
    "The argument stays as it was."
    pure(center, np.array([[1.0], [3.0]]))

# %% [markdown] prompt="spread"
# Write `spread(x)` with the help of `center`.

# %% [markdown] hint="spread"
# How far from the mean?

# %% [markdown] hint="spread"
# The width of the cloud.

# %% [markdown] hint="spread"
# A square, a mean, a root.

# %% exercise="spread" minutes=5 difficulty=1 importance=1 allow="numpy"
def spread(x):
    """Return the standard deviation of each column of `x`."""
    ### BEGIN SOLUTION
    away = center(x)
    return np.sqrt((away**2).mean(axis=0))
    ### END SOLUTION

# %% tests="spread" behaviour="values" points=2
@autograder.test
def _(rng):
    "The root of the mean squared distance from the mean, column by column."
    x = np.array([[1.0, 2.0], [3.0, 6.0]])
    same(call(spread, x), np.array([1.0, 2.0]), "two rows")
    ### BEGIN HIDDEN TESTS
    x = rng.normal(size=(5, 2))
    same(call(spread, x), x.std(axis=0), "fresh rows")
    ### END HIDDEN TESTS

# %% [markdown]
# The end.
'''

RIGHT = """\
# %% answer="center" name="in_two_steps"
def center(x):
    mean = np.add.reduce(x, axis=0) / len(x)
    return np.subtract(x, mean)

# %% answer="spread" name="by_std"
def spread(x):
    return x.std(axis=0)
"""

WRONG = """\
# %% answer="center" name="rows" loses="values"
# Your answer moves the mean of each row, not of each column.
def center(x):
    return x - x.mean(axis=1, keepdims=True)

# %% answer="center" name="in_place" loses="inputs_kept"
# Your answer changes its argument; make a new array.
def center(x):
    x -= x.mean(axis=0)
    return x

# %% answer="spread" name="variance" loses="values"
# Your answer is the variance; its root is missing.
def spread(x):
    return (center(x) ** 2).mean(axis=0)
"""


def write_course(
    root: Path, lesson: str = LESSON, right: str = RIGHT, wrong: str = WRONG
) -> Course:
    """Make a course folder with the one lesson."""
    home = root / "lessons" / FOLDER
    home.mkdir(parents=True)
    shutil.copy(ROOT / "nbgrader_config.py", root)
    (home / "lesson.py").write_text(lesson, encoding="utf-8")
    (home / "right_answers.py").write_text(right, encoding="utf-8")
    (home / "wrong_answers.py").write_text(wrong, encoding="utf-8")
    return Course(root)


def audit(
    course: Course,
    files: Sequence[Path] = (),
    mutants: bool = False,
    seeds: tuple[int, ...] = (1, 2),
) -> Audit:
    """Audit the lesson of a course."""
    (plan,) = make_plans(course, [], files, int(mutants))
    return audit_lesson(plan, seeds)


def row(found: Audit, exercise: str, name: str) -> Row:
    """Return the row of one answer."""
    return next(
        row
        for row in found.rows
        if (row.candidate.exercise, row.candidate.name) == (exercise, name)
    )


def build_course(root: Path) -> Course:
    """Make the course, build its notebooks, and put a student's copy into work/."""
    course = write_course(root)
    write(build_lesson(course, FOLDER), course)
    shutil.copytree(course.notebooks, course.work)
    return course


def attempt(path: Path, answers: dict[str, str]) -> None:
    """Write answers, by grade id, into a notebook."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        if name in answers:
            cell.source = answers[name]
    nbformat.write(notebook, path)
