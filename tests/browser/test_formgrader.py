"""formgrader on a live server: what we graded is there, marks by hand stay, markup lies inert."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
import pytest
from small_course import ANSWERS, LESSON, hand_in, ready_course

from autograder.course import Course
from autograder.grading.classroom import Classroom

from .conftest import COURSE
from .jupyterlab import PATIENCE, lab_server

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from .conftest import OpenPage

pytestmark = pytest.mark.browser

MARKUP = """Rounding depends on the order.

<script>document.title = "taken"</script><img src=x onerror="document.title='taken'">
<b onclick="document.title='taken'">bold</b> $a + b$"""
LOUD = """class Page:
    def _repr_html_(self):
        return "<script>document.title = 'taken'</script><img src=x onerror='top.name=1'>"

def total(numbers):
    return float(sum(numbers))

Page()"""


MATHJAX = """window.MathJax = {Hub: {Config() {}, Queue() {}, Startup: {signal: {
  Interest: (tell) => setTimeout(() => tell("End")) }}}};"""
"""What formgrader's page would load from the network: its script waits for this before its keys."""


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """Return a course with our settings, graded: one student's work is full of markup."""
    course, released = ready_course(tmp_path_factory.mktemp("formgrader"))
    shutil.copy(COURSE / "nbgrader_config.py", course.root)
    (course.notebooks / LESSON).mkdir(parents=True)
    nbformat.write(released, course.notebooks / LESSON / f"{LESSON}.ipynb")
    hand_in(course.root, "ada", released, ANSWERS)
    hand_in(course.root, "eve", released, ANSWERS | {"why": MARKUP, "total": LOUD})
    Classroom(course, LESSON).grade()
    return course


@pytest.fixture(scope="module")
def formgrader(
    browser: Browser, graded: Course, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    with lab_server(graded.root, tmp_path_factory.mktemp("jupyter")) as address:
        yield f"{address}/formgrader"


def open_submission(page: Page, formgrader: str, number: int) -> None:
    """Go from the list of submissions to one of them, as a person does."""
    script = {"body": MATHJAX, "content_type": "text/javascript"}
    page.route("**/mathjax/**", lambda route: route.fulfill(**script))
    page.goto(f"{formgrader}/gradebook/{LESSON}/{LESSON}")
    page.get_by_role("link", name=re.compile(f"Submission #{number}")).click()
    page.locator("main #notebook").wait_for(timeout=PATIENCE)


def test_what_we_graded_is_listed(open_page: OpenPage, formgrader: str, shots: Path) -> None:
    with open_page() as page:
        page.goto(f"{formgrader}/manage_submissions/{LESSON}")
        for student in ("ada", "eve"):
            row = page.locator("tr", has_text=student)
            row.wait_for(timeout=PATIENCE)
            assert "needs manual grading" in row.inner_text() and "6 / 8" in row.inner_text()
        page.screenshot(path=shots / "formgrader_list.png")


def test_markup_of_a_student_does_nothing(
    open_page: OpenPage, formgrader: str, shots: Path
) -> None:
    with open_page() as page:
        seen = 0
        for number in (1, 2):
            open_submission(page, formgrader, number)
            text = page.locator("main #notebook").inner_text()
            assert "Rounding" in text or "rounding" in text
            assert page.title() != "taken" and page.evaluate("window.name") == ""
            assert page.locator("main b[onclick], main img[onerror]").count() == 0
            if page.locator("main #notebook", has_text="bold").count():
                seen += 1
                page.screenshot(path=shots / "formgrader_markup.png", full_page=True)
        assert seen == 1


def test_a_mark_by_hand_is_kept_and_stays(
    open_page: OpenPage, formgrader: str, graded: Course, shots: Path
) -> None:
    with open_page() as page:
        open_submission(page, formgrader, 1)
        box = page.locator("input.score.needs_manual_grade")
        comment = page.locator("textarea.comment[placeholder]").last
        for field in (box, comment):  # their contents come after the page
            field.wait_for(timeout=PATIENCE)
        for field, words, kept in ((box, "2", "grade"), (comment, "Say what it means.", "comment")):
            field.click()
            field.fill(words)
            with page.expect_response(re.compile(f"/api/{kept}/")) as answer:
                field.press("Tab")
            assert answer.value.ok
        page.screenshot(path=shots / "formgrader_mark.png", full_page=True)
    manual = sorted(row.score for row in Classroom(graded, LESSON).grade())
    assert manual == [6.0, 8.0], "one of the two has the two points of the mark"
