"""Every malformed lesson is refused with its file, its line and what to do."""

import re

import pytest
from tiny_lesson import FOLDER, LESSON, make_course

from autograder.errors import Problem
from autograder.lesson import read_lesson
from autograder.lesson.build import build_lesson

TEST_HEAD = '@autograder.test\ndef _(rng):\n    "Values'
PROMPT = LESSON[
    LESSON.index('# %% [markdown] prompt="clip"') : LESSON.index("# %% [markdown] hint")
]
HINTS = LESSON[LESSON.index("# %% [markdown] hint") : LESSON.index('# %% exercise="clip"')]
TESTS = LESSON[LESSON.index('# %% tests="clip"') : LESSON.index('# %% [markdown] prompt="why')]
SOLVED = LESSON[LESSON.index('# %% exercise="clip"') : LESSON.index("# %%\n%matplotlib")]
RUBRIC = LESSON[LESSON.index("#\n# ### BEGIN MARK") : LESSON.index("\n# %% [markdown]\n# The end")]
EXTRA = SOLVED.split("\n", 1)[0] + "\n### BEGIN SOLUTION\n1\n### END SOLUTION\n\n"

# name: (text to replace, its replacement, text of the line complained of, words of the complaint)
CASES = {
    "unknown key": ("minutes=5", "minuets=5 minutes=5", "minuets=5", "'minuets' does not belong"),
    "missing minutes": ("minutes=5 ", "", "# %% exercise", "no minutes=; add it"),
    "points not whole": ("points=2", "points=1.5", "points=1.5", "a whole number from 0 upwards"),
    "points in quotes": ("points=1", 'points="1"', 'points="1"', "points='1' should be a whole"),
    "points negative": ("points=1", "points=-1", "points=-1", "points=-1 should be a whole"),
    "difficulty": ("difficulty=2", "difficulty=9", "difficulty=9", "from 1 to 5"),
    "unknown role": ('given="setup"', 'gievn="setup"', "gievn", "'gievn' is not a marker known"),
    "role without value": ('given="setup"', "given setup", "given setup", "write its role as one"),
    "not key=value": ('given="setup"', "given=", "given=", "is not key=value pairs"),
    "two roles": ('given="setup"', 'given="a" exercise="b"', 'given="a"', "two roles"),
    "bad name": ('given="setup"', 'given="Set Up"', "Set Up", "a name in small letters"),
    "bad list": ('allow="numpy"', 'allow="num-py"', "num-py", "a space-separated list"),
    "raw cell": ("# %% [markdown]\n# The end", "# %% [raw]\n# The end", "[raw]", "kind [raw]"),
    "wrong kind": ('# %% [markdown] prompt="clip"', '# %% prompt="clip"', "prompt", "is markdown;"),
    "two of one name": (
        TESTS,
        EXTRA + TESTS,
        EXTRA.split("\n")[0],
        "'clip' is already the exercise",
    ),
    "no hints": (HINTS, "", "# %% exercise", "has 0 hints; it needs three"),
    "two hints": (
        '# %% [markdown] hint="clip"\n# Two comparisons.\n\n',
        "",
        "hint=",
        "2 hints",
    ),
    "hints apart": (
        '# %% [markdown] hint="clip"\n# Begin',
        '# %%\nx = 1\n\n# %% [markdown] hint="clip"\n# Begin',
        "hint=",
        "are apart",
    ),
    "hints above the prompt": (PROMPT + HINTS, HINTS + PROMPT, "hint=", "above its prompt"),
    "no prompt": (PROMPT, "", "# %% exercise", "'clip' has no task text"),
    "prompt below": (PROMPT + HINTS + SOLVED, HINTS + SOLVED + PROMPT, PROMPT[:28], "stands below"),
    "two prompts": (PROMPT, PROMPT + PROMPT, None, "a second prompt"),
    "no tests": (TESTS, "", "# %% exercise", "has no tests"),
    "tests above": (
        SOLVED,
        TESTS.replace('s" p', 's2" p').replace('t" p', 't2" p') + SOLVED,
        'behaviour="values2"',
        "stands before its exercise",
    ),
    "tests for nothing": (
        'tests="clip" behaviour="limit"',
        'tests="clap" behaviour="limit"',
        'tests="clap"',
        "names no exercise here (clip)",
    ),
    "duplicate behaviour": (
        'behaviour="limit"',
        'behaviour="values"',
        "points=1",
        "already the tests",
    ),
    "no solution markers": (
        SOLVED,
        SOLVED.replace("    ### BEGIN SOLUTION\n", "").replace("    ### END SOLUTION\n", ""),
        "# %% exercise",
        "has no ### BEGIN SOLUTION",
    ),
    "no begin": (
        "    ### BEGIN SOLUTION\n    raised",
        "    raised",
        "    ### END SOLUTION",
        "has no ### BEGIN SOLUTION before it",
    ),
    "no end": (
        "    return lowered\n    ### END SOLUTION",
        "    return lowered",
        "    ### BEGIN SOL",
        "never ended",
    ),
    "nested": (
        "    raised =",
        "    ### BEGIN HIDDEN TESTS\n    raised =",
        "    ### BEGIN HIDDEN",
        "inside another region",
    ),
    "misspelt region": (
        "    ### BEGIN SOLUTION",
        "    # BEGIN SOLUTION",
        "    # BEGIN SOLUTION",
        "stands alone on its line",
    ),
    "region elsewhere": (
        "LIMIT = 3.0",
        "### BEGIN SOLUTION\nLIMIT = 3.0\n### END SOLUTION",
        "### BEGIN SOLUTION",
        "belongs into a cell marked exercise or written",
    ),
    "not Python": ("LIMIT = 3.0", "LIMIT = = 3.0", "LIMIT = = 3.0", "this is not Python"),
    "two statements in a test": (
        '"beside")\n',
        '"beside")\n\nx = 1\n',
        "x = 1",
        "exactly one function",
    ),
    "test undecorated": (
        TEST_HEAD,
        TEST_HEAD.replace("@autograder.test\n", ""),
        "def _(rng)",
        "'@autograder.test' over",
    ),
    "test with a name": (
        TEST_HEAD,
        TEST_HEAD.replace("_(", "check("),
        "@autograder.test",
        "def _(rng)",
    ),
    "test without rng": (TEST_HEAD, TEST_HEAD.replace("rng", "r"), "def _(r)", "one argument, rng"),
    "test without sentence": (
        '    "It works with the limit of this notebook."\n',
        "",
        None,
        "begins with a docstring",
    ),
    "sentence without end": ("limit of this notebook.", "limit", None, "one sentence"),
    "written without rubric": (RUBRIC, "", "# %% [markdown] written", "has no rubric"),
    "question in its answer": (
        "# ### BEGIN MARK",
        "# Why?\n#\n# ### BEGIN MARK",
        "# Why?",
        "the student overwrites this cell",
    ),
    "empty cell": (
        "# %% [markdown]\n# The end",
        "# %%\n\n# %% [markdown]\n# The end",
        "# %%",
        "this cell is empty",
    ),
    "text before the first cell": (
        "# %% [markdown]\n# # A tiny",
        "x = 1\n\n# %% [markdown]\n# # A tiny",
        "x = 1",
        "before the first cell",
    ),
    "marker in a string": (
        "LIMIT = 3.0",
        'LIMIT = 3.0\nT = """\n# %% no\n"""',
        None,
        "inside a string",
    ),
    "broken header": ("#     minutes: 12", "#     minutes: [12", None, "header is not YAML"),
    "header without title": ("#     title: A tiny lesson\n", "", "#   autograder:", "no 'title:'"),
    "header key": ("#     needs: []", "#     need: []", "#     need: []", "'need' is unknown"),
    "header value": (
        "minutes: 12",
        "minutes: soon",
        "#     minutes: soon",
        "whole number of minutes",
    ),
    "no filter": ("#     cell_metadata_filter: all\n", "", "# ---", "'cell_metadata_filter: all'"),
    "no jupyter": ("# jupyter:", "# jupiter:", "# ---", "no 'jupyter:' block"),
    "no block": ("#   autograder:", "#   autogarder:", "# ---", "no 'autograder:' block"),
    "file outside": ("[helper.py]", "[../x.py]", "#     files", "list of files in the lesson's"),
}


def complaint(tmp_path, text, build=False):
    course = make_course(tmp_path, text)
    with pytest.raises(Problem) as caught:
        build_lesson(course, FOLDER) if build else read_lesson(course.lessons / FOLDER)
    return str(caught.value)


@pytest.mark.parametrize("case", CASES)
def test_malformed_lessons(tmp_path, case):
    old, new, line, words = CASES[case]
    assert old in LESSON
    text = LESSON.replace(old, new, 1)
    said = complaint(tmp_path, text)
    match = next(m for m in re.finditer(r"lesson\.py:(\d+): (.*)", said) if words in m[2])
    if line is not None:
        assert line in text.split("\n")[int(match[1]) - 1], said


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (
            "    for size in (1, 4, 9):\n        x = rng",
            "    ### END HIDDEN TESTS\n    for size in (1, 4, 9):\n"
            "        ### BEGIN HIDDEN TESTS\n        x = rng",
        ),
    ],
)
def test_a_region_that_is_a_whole_body_is_refused(tmp_path, old, new):
    said = complaint(tmp_path, LESSON.replace(old, new), build=True)
    line = LESSON.split("\n").index('# %% tests="clip" behaviour="values" points=2') + 1
    assert f"lesson.py:{line}: without its regions this cell is not Python" in said
    assert "whole body of a loop" in said


def test_every_flaw_is_told_at_once(tmp_path):
    text = LESSON.replace("minutes=5 ", "").replace("points=2", "points=-2")
    said = complaint(tmp_path, text)
    assert len(said.split("\n")) == 3


def test_a_lesson_in_an_odd_folder(tmp_path):
    course = make_course(tmp_path, folder="tiny")
    with pytest.raises(Problem, match="rename the folder"):
        read_lesson(course.lessons / "tiny")


@pytest.mark.parametrize("data", [b"\xff\xfe\x00", None])
def test_a_master_that_is_no_text(tmp_path, data):
    path = tmp_path / "03_x" / "lesson.py"
    path.parent.mkdir()
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(Problem, match=r"cannot be read as UTF-8|does not exist"):
        read_lesson(path)
