"""The start page: what is done comes from a student's saved checks, and damage costs no page."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import nbformat
import pytest

from autograder.course import Course
from autograder.start.notebook import show, start_notebook, write_start
from autograder.start.page import in_words, link, start_page
from autograder.start.progress import LessonProgress, next_lesson, read_progress

ROOT = Path(__file__).parents[1]


@pytest.fixture
def course(tmp_path: Path) -> Course:
    """A course folder with the released notebooks of this one, and nothing in work/."""
    shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks")
    shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
    return Course(tmp_path)


def save(course: Course, folder: str, passes: int, fails: int = 0) -> None:
    """Write a student's copy whose first checks passed, and whose next ones failed."""
    document: dict[str, Any] = json.loads(course.release(folder).read_bytes())
    tests = [
        c for c in document["cells"] if c["metadata"].get("autograder", {}).get("role") == "tests"
    ]
    for n, cell in enumerate(tests[: passes + fails]):
        ours = cell["metadata"]["autograder"]
        said = f"{ours['exercise']} · {ours['behaviour']}: {'pass' if n < passes else 'not yet'}\n"
        cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": ["hm\n", said]}]
    place = course.work / folder / f"{folder}.ipynb"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps(document))


def by_slug(course: Course) -> dict[str, LessonProgress]:
    return {one.slug: one for one in read_progress(course)}


def test_nothing_is_begun_before_a_check_ran(course: Course) -> None:
    lessons = read_progress(course)
    assert {one.state for one in lessons} == {"not begun"}
    first = lessons[0]
    assert first.checks == sum(one.checks for one in first.exercises) > 20
    ahead = next_lesson(lessons)
    assert ahead is not None
    assert ahead.number == 1


def test_saved_checks_count_by_exercise(course: Course) -> None:
    save(course, "01_why_frameworks", passes=4, fails=2)
    lesson = by_slug(course)["why_frameworks"]
    assert (lesson.state, lesson.passed) == ("begun", 4)
    assert sum(one.tried for one in lesson.exercises) == 6
    assert lesson.exercises[0].state in ("begun", "done")
    assert lesson.exercises[-1].state == "not begun"


def test_what_is_next_builds_on_what_is_done(course: Course) -> None:
    first = by_slug(course)["why_frameworks"]
    save(course, first.folder, passes=first.checks)
    lessons = read_progress(course)
    assert by_slug(course)["why_frameworks"].state == "done"
    ahead = next_lesson(lessons)
    assert ahead is not None
    assert set(ahead.needs) <= {"why_frameworks"}
    assert ahead.slug != "why_frameworks"
    save(course, "05_custom_functions", passes=1)
    begun = next_lesson(read_progress(course))
    assert begun is not None
    assert begun.slug == "custom_functions", "what is begun comes before what is new"


def test_everything_done_is_said() -> None:
    assert next_lesson(()) is None
    assert "Every check" in start_page(())


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "null",
        '{"cells": 3}',
        '{"cells": [null, {"outputs": {"a": 1}}]}',
        "[" * 99_999,
    ],
)
def test_a_damaged_copy_is_a_lesson_not_begun(course: Course, content: str) -> None:
    place = course.work / "01_why_frameworks" / "01_why_frameworks.ipynb"
    place.parent.mkdir(parents=True)
    place.write_text(content)
    assert by_slug(course)["why_frameworks"].state == "not begun"


def test_a_students_text_is_not_run_by_the_page(course: Course) -> None:
    save(course, "01_why_frameworks", passes=3)
    place = course.work / "01_why_frameworks" / "01_why_frameworks.ipynb"
    place.write_text(place.read_text().replace("hm\\n", "<script>alert(1)</script>\\n"))
    page = start_page(read_progress(course))
    assert "<script" not in page
    assert "3 of " in page


def test_the_page_says_in_words_what_the_picture_shows(course: Course) -> None:
    save(course, "01_why_frameworks", passes=2)
    lessons = read_progress(course)
    page = start_page(lessons)
    for one in lessons:
        assert link(one) in page
        assert f"{one.passed} of {one.checks} checks" in page
        assert f"{one.number:02d} {one.title}: {one.state}" in in_words(lessons)
    assert "http" not in page.replace("http://www.w3.org", "")


def test_the_notebook_is_up_to_date_when_it_is_opened(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(course, "01_why_frameworks", passes=2)
    path = write_start(course)
    assert path == course.work / "start.ipynb"
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert notebook == start_notebook(course)
    (output,) = notebook.cells[1].outputs
    monkeypatch.chdir(course.work)
    assert output.data == show()._repr_mimebundle_()
    save(course, "01_why_frameworks", passes=3)
    assert output.data != show()._repr_mimebundle_()
