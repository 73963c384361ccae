"""wrong_answers.py and right_answers.py as the audit reads them, and what is refused."""

import pytest
from tiny_lesson import FOLDER, WRONG, make_course

from autograder.errors import Problem
from autograder.lesson import read_answers, read_lesson


@pytest.fixture
def home(tmp_path):
    return make_course(tmp_path).lessons / FOLDER


def test_wrong_answers(home):
    answers, equivalents = read_answers(home / "wrong_answers.py", [read_lesson(home)])
    first, second = answers
    assert (first.lesson, first.exercise, first.name) == (FOLDER, "clip", "only_low")
    assert first.kind == "wrong" and first.loses == ("values", "limit") and second.loses == ()
    assert first.sentence == "Only the lower bound is kept; values above the upper one stay."
    assert first.source.endswith("return result") and "def clip" in first.source
    assert (first.line, second.line) == (1, 10) and equivalents == []


def test_right_answers_and_equivalent_mutants(home):
    answers, equivalents = read_answers(home / "right_answers.py", [read_lesson(home)])
    assert [(a.kind, a.name, a.sentence) for a in answers] == [("right", "by_library", "")]
    assert [(e.exercise, e.mutant) for e in equivalents] == [("clip", "swap-min-max-1")]
    assert equivalents[0].reason == "With low <= high the two orders give the same values."


def test_a_long_sentence_is_one_line(home):
    path = home / "wrong_more.py"
    path.write_text('# %% answer="clip" name="a"\n# One\n# two.\n\n# not this\ndef clip(): ...\n')
    assert read_answers(path, [read_lesson(home)])[0][0].sentence == "One two."


def test_a_comment_that_begins_like_a_shell_command_is_a_comment(home):
    path = home / "wrong_more.py"
    path.write_text('# %% answer="clip" name="a"\n# copy of x, not x.\ndef clip(): ...\n')
    (answer,), _ = read_answers(path, [read_lesson(home)])
    assert answer.sentence == "copy of x, not x." and answer.source.startswith("# copy")


def two_lessons(tmp_path):
    lessons = []
    for folder in ("07_tiny", "08_other"):
        course = make_course(tmp_path / folder, folder=folder)
        lessons.append(read_lesson(course.lessons / folder))
    return lessons


def test_an_exercise_of_two_lessons_needs_the_lesson(tmp_path):
    lessons = two_lessons(tmp_path)
    path = tmp_path / "wrong.py"
    path.write_text(WRONG)
    with pytest.raises(Problem, match='add lesson="tiny" or lesson="other"'):
        read_answers(path, lessons)
    path.write_text(WRONG.replace('answer="clip"', 'answer="clip" lesson="other"'))
    answers, _ = read_answers(path, lessons)
    assert {answer.lesson for answer in answers} == {"08_other"}


def test_what_stands_around_the_answers_is_no_answer(home):
    path = home / "wrong.py"
    path.write_text(
        '"""Wrong answers."""\n\nimport numpy as np\n\n# %% [markdown]\n# Talk.\n\n' + WRONG
    )
    answers, _ = read_answers(path, [read_lesson(home)])
    assert [answer.line for answer in answers] == [8, 17]


HEAD = '# %% answer="clip" name="a"'
BODY = "\n# Why.\ndef clip(x): ...\n"


@pytest.mark.parametrize(
    ("name", "text", "line", "words"),
    [
        ("answers.py", HEAD + BODY, 1, "starts with 'right' or 'wrong'"),
        ("wrong.py", "\n" + HEAD.replace("clip", "clap") + BODY, 2, "no exercise 'clap'; the exer"),
        ("wrong.py", HEAD + ' loses="vales"' + BODY, 1, "'vales', which is no behaviour of 'clip'"),
        ("wrong.py", HEAD + "\ndef clip(x): ...\n", 1, "opens with a comment"),
        ("wrong.py", HEAD + BODY + "\n" + HEAD + BODY, 5, "already the answer of line 1"),
        ("wrong.py", HEAD.replace(' name="a"', "") + BODY, 1, "no name=; add it"),
        ("wrong.py", HEAD + " minutes=3" + BODY, 1, "'minutes' does not belong to answer="),
        ("wrong.py", HEAD + ' lesson="nowhere"' + BODY, 1, "is no lesson here"),
        ("wrong.py", HEAD + "\n# Why.\ndef clip(x:\n", 3, "this is not Python"),
        ("wrong.py", HEAD + "\n", 1, "this answer is empty"),
        ("wrong.py", "# %%\nx = 1\n", 1, "this code has no marker"),
        ("wrong.py", "def clip(x): ...\n\n" + HEAD + BODY, 1, "this code has no marker"),
        ("wrong.py", '# %% equivalent="clip" mutant="m"\n# Why.\n', 1, "belongs into right"),
        ("right.py", '# %% equivalent="clip" mutant="m"\n', 1, "needs its reason"),
        ("right.py", HEAD + ' loses="values"' + BODY, 1, "a right answer loses nothing"),
    ],
)  # fmt: skip
def test_refusals(home, name, text, line, words):
    path = home / name
    path.write_text(text)
    with pytest.raises(Problem) as caught:
        read_answers(path, [read_lesson(home)])
    assert any(
        f"{name}:{line}: " in said and words in said for said in str(caught.value).split("\n")
    )


def test_a_build_reads_the_answers_too(home):
    from autograder.course import Course
    from autograder.lesson.build import build_lesson

    (home / "wrong_answers.py").write_text(WRONG.replace("values limit", "vales"))
    with pytest.raises(Problem, match="which is no behaviour"):
        build_lesson(Course(home.parent.parent), FOLDER)
