"""A lesson with one of everything, and a course folder to build it in."""

import shutil
from pathlib import Path

from autograder.course import Course

ROOT = Path(__file__).resolve().parent.parent
FOLDER = "07_tiny"

LESSON = '''\
# ---
# jupyter:
#   jupytext:
#     cell_metadata_filter: all
#     notebook_metadata_filter: all
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3 (ipykernel), language: python, name: python3}
#   autograder:
#     title: A tiny lesson
#     minutes: 12
#     needs: []
#     covers:
#       clipping: clip
#       words: In words
#     files: [helper.py]
# ---

# %% [markdown]
# # A tiny lesson
#
# With a formula, $a^2$.

# %% given="setup"
import numpy as np

import autograder

LIMIT = 3.0

# %% [markdown] prompt="clip"
# ## Clipping
# Write `clip(x, low, high)`.
#
# ![a picture](images/clip.png)

# %% [markdown] hint="clip"
# Two comparisons.

# %% [markdown] hint="clip"
# ```
# low |----| high
# ```

# %% [markdown] hint="clip"
# Begin with `np.maximum`.


# %% exercise="clip" minutes=5 difficulty=2 importance=3 allow="numpy"
def clip(x, low, high):
    """Return `x` with values below `low` and above `high` moved to them."""
    ### BEGIN SOLUTION
    raised = np.maximum(x, low)
    lowered = np.minimum(raised, high)
    assert lowered.shape == np.shape(x)
    return lowered
    ### END SOLUTION


# %%
%matplotlib inline
shown = clip(np.arange(4.0), 1.0, 2.0)

# %% tests="clip" behaviour="values" points=2
@autograder.test
def _(rng):
    "Values outside are moved to the nearer bound."
    same(call(clip, np.array([1.0, 5.0]), 2.0, 4.0), np.array([2.0, 4.0]), "two values")
    ### BEGIN HIDDEN TESTS
    def oracle(x, low, high):
        small, big = x < low, x > high
        inner = np.where(small, low, x)
        return np.where(big, high, inner)

    for size in (1, 4, 9):
        x = rng.normal(size=size)
        same(call(clip, x, -0.5, 0.5), oracle(x, -0.5, 0.5), "a fresh array")
    ### END HIDDEN TESTS

# %% tests="clip" behaviour="limit" points=1
@autograder.test
def _(rng):
    "It works with the limit of this notebook."

    @beside
    def run(values):
        import numpy as numeric

        return clip(numeric.asarray(values), -LIMIT, LIMIT)

    same(run([1.0, 9.0]), np.array([1.0, 3.0]), "beside")

# %% [markdown] prompt="why_clip"
# ## In words
# Why clip at all?

# %% [markdown] written="why_clip" points=2
# ### BEGIN SOLUTION
# A single far value would otherwise decide the mean of all the others, and the plot's axis too.
# ### END SOLUTION
#
# ### BEGIN MARK SCHEME
# * one point: a far value has too much weight
# * one point: an example from the notebook
# ### END MARK SCHEME

# %% [markdown]
# The end, where `#` and "quotes" stand.
'''

WRONG = '''\
# %% answer="clip" name="only_low" loses="values limit"
# Only the lower bound is kept; values above the upper one stay.
def clip(x, low, high):
    """Return `x` with values below `low` and above `high` moved to them."""
    result = np.array(x, dtype=float)
    result[result < low] = low
    return result


# %% answer="clip" name="swapped"
# The bounds are swapped.
def clip(x, low, high):
    upper, lower = low, high
    result = np.clip(x, lower, upper)
    return result
'''

RIGHT = """\
# %% answer="clip" name="by_library"
def clip(x, low, high):
    return np.clip(x, low, high)


# %% equivalent="clip" mutant="swap-min-max-1"
# With low <= high the two orders give the same values.
"""

PICTURE = b"\x89PNG\r\n\x1a\n\0tiny"


def make_course(root: Path, lesson: str = LESSON, folder: str = FOLDER) -> Course:
    """Write a course with one lesson under `root`."""
    home = root / "lessons" / folder
    (home / "images").mkdir(parents=True)
    shutil.copy(ROOT / "nbgrader_config.py", root)
    (home / "lesson.py").write_text(lesson)
    (home / "wrong_answers.py").write_text(WRONG)
    (home / "right_answers.py").write_text(RIGHT)
    (home / "helper.py").write_text("ANSWER = 42\n")
    (home / "notes.txt").write_text("private\n")
    (home / "images" / "clip.png").write_bytes(PICTURE)
    return Course(root)
