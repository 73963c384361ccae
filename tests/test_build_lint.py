"""What a well-formed lesson must not do: each lint finds its case at its line, and no other."""

import pytest
from tiny_lesson import FOLDER, LESSON, make_course

from autograder.errors import Problem
from autograder.lesson.build import build_lesson

BEFORE = '    same(run([1.0, 9.0]), np.array([1.0, 3.0]), "beside")\n'
BESIDE = "        return clip(numeric.asarray(values), -LIMIT, LIMIT)\n"
HIDDEN = "    for size in (1, 4, 9):\n"


def put(statement, anchor=BEFORE):
    """Return the lesson with a statement put in above the line `anchor`."""
    indent = anchor[: len(anchor) - len(anchor.lstrip())]
    lines = "".join(f"{indent}{line}\n" for line in statement.split("\n"))
    assert anchor in LESSON
    return LESSON.replace(anchor, lines + anchor)


REFUSED = {
    "abs": ("require(abs(call(clip, 1.0, 0.0, 2.0) - 1) < 1e-9, 'x')", "lets NaN pass"),
    "np.abs of a name": (
        "got = call(clip, 1.0, 0.0, 2.0)\nd = got - 1\nnp.abs(d).max() > 1",
        "NaN",
    ),
    "all": ("(run([1.0]) == 1.0).all()", "all(...) is a bare comparison"),
    "any": ("(run([1.0]) != 1.0).any()", "any(...) is a bare comparison"),
    "np.all": ("require(np.all(run([1.0]) == 1.0), 'x')", "all(...) is a bare"),
    "allclose": ("require(np.allclose(run([1.0]), 1.0), 'x')", "allclose(...) is a bare"),
    "isclose": ("require(math.isclose(call(clip, 1, 0, 2), 1.0), 'x')", "isclose(...) is a bare"),
    "array_equal": ("require(np.array_equal(run([1.0]), 1.0), 'x')", "array_equal(...) is a bare"),
    "testing": ("np.testing.assert_allclose(1, 1)", "np.testing compares bare values"),
    "assert": ("assert 1 == 1", "never assert"),
    "in a helper": (
        "def close(a, b):\n    return abs(a - b) < 1\nclose(run([1.0]), 1.0)",
        "NaN pass",
    ),
    "in a loop": ("for got in run([1.0]):\n    require(abs(got) < 1, 'x')", "NaN pass"),
    "rng in sight": ("same(run(rng.normal(size=3)), 1, 'x')", "the visible part uses rng"),
    "direct call": ("same(clip(1.0, 0.0, 2.0), 1.0, 'x')", "as in call(clip, x)"),
    "attribute": ("require(clip.__name__ == 'clip', 'x')", "'clip' is the student's"),
    "alias": ("f = clip\nsame(call(f, 1.0, 0.0, 2.0), 1.0, 'x')", "'clip' is the student's"),
    "typo": ("same(call(clap, 1.0), 1.0, 'x')", "'clap' is bound neither in this test nor in"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_in_a_test(tmp_path, case):
    statement, words = REFUSED[case]
    text = put(statement)
    line = text.split("\n").index(
        next(x for x in text.split("\n") if statement.split("\n")[0] in x)
    )
    with pytest.raises(Problem) as caught:
        build_lesson(make_course(tmp_path, text), FOLDER)
    said = str(caught.value)
    assert words in said
    reach = range(line + 1, line + 1 + len(statement.split("\n")))
    assert any(f"{FOLDER}/lesson.py:{number}: " in said for number in reach), said


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("def run(values):", "def run(values, n=3):", "'run' has default arguments"),
        ("def run(values):", "def run(values, *, n=3):", "'run' has default arguments"),
        (BESIDE, BESIDE.replace("-LIMIT", "rows"), "'run' uses 'rows', which is no argument"),
        (BESIDE, BESIDE.replace("numeric.", "np2."), "'run' uses 'np2'"),
        (
            "    @beside\n    def run",
            "    low = -3.0\n\n    @beside\n    def run",
            None,
        ),
        (BESIDE, BESIDE.replace("-LIMIT, LIMIT", "*[k for k in (rng, rng)]"), "closes over 'rng'"),
        (BESIDE, "        return bool((clip(values, 0, 1) == 1).all())\n", "all(...) is a bare"),
    ],
)
def test_beside_functions(tmp_path, old, new, words):
    assert old in LESSON
    course = make_course(tmp_path, LESSON.replace(old, new))
    if words is None:
        build_lesson(course, FOLDER)
        return
    with pytest.raises(Problem, match=r"lesson\.py:") as caught:
        build_lesson(course, FOLDER)
    assert words in str(caught.value)


ALLOWED = {
    "an oracle of its own": (
        "def huber(x):\n    return np.where(np.abs(x) < 1, x * x, x)\nhuber(1.0)",
        HIDDEN,
    ),
    "its own masks": ("x = np.array([1.0, 2.0])\nmask = (x > 1).any()", HIDDEN),
    "python's all": ("require(all(n > 0 for n in (1, 2)), 'x')", BEFORE),
    "tokens in containers": ("call(clip, (clip, [clip]), key={'a': clip})", BEFORE),
    "starred": ("call(*(clip, 1.0, 0.0, 2.0))", BEFORE),
    "a name of its own": ("size = 3\nrequire(size == 3, 'x')", BEFORE),
    "helpers": ("at_most(call(clip, 1.0, 0.0, 2.0), 2.0, 'x')\npure(clip, 1.0, 0.0, 2.0)", BEFORE),
    "a callback": (
        "def asked(x):\n    return 2 * x\ncall(clip, callback(asked), 0.0, 2.0)",
        BEFORE,
    ),
}


@pytest.mark.parametrize("case", ALLOWED)
def test_allowed(tmp_path, case):
    statement, anchor = ALLOWED[case]
    assert build_lesson(make_course(tmp_path, put(statement, anchor)), FOLDER).notes == ()


def test_a_callbacks_arguments_are_the_students(tmp_path):
    text = put("def asked(x):\n    return abs(x) < 1\ncall(clip, callback(asked), 0.0, 2.0)")
    with pytest.raises(Problem, match="lets NaN pass"):
        build_lesson(make_course(tmp_path, text), FOLDER)


def test_long_cells_are_a_warning(tmp_path):
    long = "LIMIT = 3.0\n" + "\n".join(f"x{n} = {n}" for n in range(25))
    (note,) = build_lesson(make_course(tmp_path, LESSON.replace("LIMIT = 3.0", long)), FOLDER).notes
    assert note.split("lesson.py")[1] == (
        ":23: warning: this given cell has 30 lines (solved); split what is over 25."
    )


def test_of_a_test_cell_only_what_a_student_reads_counts(tmp_path):
    lines = "\n".join(f"    x{n} = {n}" for n in range(25))
    hidden = LESSON.replace(
        "    ### BEGIN HIDDEN TESTS\n", f"    ### BEGIN HIDDEN TESTS\n{lines}\n", 1
    )
    assert build_lesson(make_course(tmp_path / "hidden", hidden), FOLDER).notes == ()
    shown = LESSON.replace(
        "    ### BEGIN HIDDEN TESTS\n", f"{lines}\n    ### BEGIN HIDDEN TESTS\n", 1
    )
    (note,) = build_lesson(make_course(tmp_path / "shown", shown), FOLDER).notes
    assert "this tests cell" in note


@pytest.mark.parametrize("target", ["nothing", "A tiny", "why_clip"])
def test_covers_must_point_somewhere(tmp_path, target):
    text = LESSON.replace("words: In words", f"words: {target}")
    with pytest.raises(Problem, match=rf"lesson\.py:14: covers: 'words' points to '{target}'"):
        build_lesson(make_course(tmp_path, text), FOLDER)
