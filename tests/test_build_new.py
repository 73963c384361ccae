"""`autograder new` makes a lesson that builds."""

import shutil

import pytest
from tiny_lesson import ROOT

from autograder.cli import main
from autograder.course import Course
from autograder.errors import Problem
from autograder.lesson import answer_files, read_answers, read_lesson
from autograder.lesson.build import build_lesson
from autograder.lesson.skeleton import new_lesson


@pytest.fixture
def course(tmp_path):
    shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
    return Course(tmp_path)


def test_a_new_lesson_builds_at_once(course, monkeypatch, capsys):
    monkeypatch.chdir(course.root)
    assert main(["new", "first_steps"]) == 0
    assert "lessons/01_first_steps is there" in capsys.readouterr().out
    assert build_lesson(course, "01_first_steps").notes == ()
    home = course.lessons / "01_first_steps"
    lesson = read_lesson(home)
    assert lesson.title == "First steps"
    answers = [a for path in answer_files(home) for a in read_answers(path, [lesson])[0]]
    assert sorted(answer.kind for answer in answers) == ["right"] * 2 + ["wrong"] * 3


def test_numbers_go_on_and_slugs_stay_apart(course):
    (course.solutions / "06_old").mkdir(parents=True)
    assert new_lesson(course, "next_one").name == "07_next_one"
    assert new_lesson(course, "and_one").name == "08_and_one"
    with pytest.raises(Problem, match="there is a lesson 06_old already"):
        new_lesson(course, "old")
    for slug in ("Old", "a-b", "", "1a", "../x"):
        with pytest.raises(Problem, match="is no slug"):
            new_lesson(course, slug)
    assert sorted(path.name for path in course.lessons.iterdir()) == ["07_next_one", "08_and_one"]
