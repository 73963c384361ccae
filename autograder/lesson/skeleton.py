"""A new lesson's folder: a small lesson that builds, to be written over."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path

from autograder.course import LESSON_FOLDER, Course
from autograder.errors import Problem
from autograder.lesson.parse import MASTER

LESSON = '''\
# ---
# jupyter:
#   jupytext:
#     cell_metadata_filter: all
#     comment_magics: false
#     notebook_metadata_filter: all
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
#   autograder:
#     title: TITLE
#     minutes: 10
#     needs: []
#     covers:
#       doubling: double
# ---

# %% [markdown]
# # TITLE
#
# A question worth asking, and the smallest example with real numbers.

# %% given="setup"
import numpy as np

import autograder

# %% [markdown] prompt="double"
# ## Twice as much
#
# Write `double(x)`: return an array of the shape and dtype of `x` with every value doubled, and
# leave `x` as it is.

# %% [markdown] hint="double"
# NumPy multiplies a whole array at once.

# %% [markdown] hint="double"
# `[1, 2, 3]` becomes `[2, 4, 6]`: every place keeps its place.

# %% [markdown] hint="double"
# One line: `return` some product of `x`.

# %% exercise="double" minutes=5 difficulty=1 importance=1 allow="numpy"
def double(x):
    """Return an array like `x` with every value doubled."""
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION

# %% tests="double" behaviour="values" points=1
@autograder.test
def _(rng):
    "Every value is doubled, at every shape."
    same(call(double, np.array([1.0, -2.0])), np.array([2.0, -4.0]), "double([1, -2])")
    ### BEGIN HIDDEN TESTS
    for shape in [(3,), (2, 3), ()]:
        x = rng.normal(size=shape)
        same(call(double, x), x + x, f"an array of shape {shape}")
    ### END HIDDEN TESTS

# %% tests="double" behaviour="pure" points=1
@autograder.test
def _(rng):
    "The argument is left as it was."
    pure(double, np.array([1.0, -2.0]))

# %% [markdown]
# ## What it bought us, and what it cost
'''

WRONG = """\
# %% answer="double" name="in_place" loses="pure"
# Your answer changes its argument; make a new array instead.
def double(x):
    x *= 2
    return x


# %% answer="double" name="square" loses="values"
# Your answer squares: x * x is 2 * x only at 0 and 2.
def double(x):
    return x * x


# %% answer="double" name="unchanged" loses="values"
# Your answer is the argument itself, not twice it.
def double(x):
    return x.copy()
"""

RIGHT = """\
# %% answer="double" name="by_adding"
def double(x):
    return np.add(x, x)


# %% answer="double" name="by_multiply"
def double(x):
    return np.multiply(x, np.asarray(2, dtype=x.dtype))
"""


def new_lesson(course: Course, slug: str) -> Path:
    """Make the folder of a new lesson at the next free number, and return it."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", slug):
        raise Problem(f"'{slug}' is no slug; write small letters, digits and underscores.")
    taken = {name: LESSON_FOLDER.fullmatch(name) for name in course.lesson_names()}
    for name, match in taken.items():
        if match is not None and match["slug"] == slug:
            raise Problem(f"there is a lesson {name} already; choose another slug.")
    numbers = [int(match["number"]) for match in taken.values() if match is not None]
    number = max(numbers, default=0) + 1
    if number > 99:
        raise Problem("lessons are numbered up to 99, and 99 is taken.")
    title = slug.replace("_", " ").capitalize()
    place = course.lessons / f"{number:02d}_{slug}"
    course.lessons.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(dir=course.lessons, prefix=f".{place.name}."))
    try:
        files = {MASTER: LESSON, "wrong_answers.py": WRONG, "right_answers.py": RIGHT}
        for name, text in files.items():
            (made / name).write_text(text.replace("TITLE", title), encoding="utf-8")
        made.chmod(0o755)
        made.rename(place)
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise
    return place
