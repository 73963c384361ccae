"""Lesson 01 as a student meets it: real JupyterLab, the copy in `work/`, mouse and keyboard."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .jupyterlab import Notebook

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from .conftest import OpenPage

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LESSON = "work/01_why_frameworks/01_why_frameworks.ipynb"
WITHOUT_RELU = """\
def forward(x, w1, w2):
    h = x @ w1
    return h @ w2, (x, h, h, w2)
"""
RIGHT = """\
def forward(x, w1, w2):
    h = x @ w1
    h_relu = np.maximum(h, 0)
    return h_relu @ w2, (x, h, h_relu, w2)
"""
SCRATCH = (
    "from chainrule.widgets import TinyNet\nnet = TinyNet()\nnet",
    "print(net.weights[1], net.selected)",
    "net.weights = [0.0] * 9",
)


@pytest.fixture(scope="module")
def lesson(lab: str, course: Path, open_page: OpenPage, shots: Path) -> Iterator[Notebook]:
    """The lesson, opened and run from top to bottom, unanswered."""
    with open_page() as page:
        notebook = Notebook(page, lab, course, LESSON)
        notebook.run_menu("Run All Cells")
        notebook.wait_for_last_cell()
        notebook.cell("forward-prediction")
        page.screenshot(path=shots / "lesson_first_check.png")
        yield notebook


def test_run_all_goes_on_after_a_check_that_fails_and_says_why(lesson: Notebook) -> None:
    assert "not yet" in lesson.printed("deferred-sharing")
    untouched = lesson.printed("forward-prediction")
    assert untouched.startswith("forward · prediction: not yet")
    assert "NotImplementedError" in untouched
    assert "Traceback" not in untouched
    assert lesson.printed(lesson.find("def halve(v)")) == "[4. 2.] [8. 4.]"


def test_a_dragged_weight_moves_picture_and_loss(lesson: Notebook, shots: Path) -> None:
    page = lesson.page
    widget = lesson.cell(lesson.find("from chainrule.widgets import TinyNet"))
    loss = widget.locator(".loss")
    loss.wait_for()
    page.screenshot(path=shots / "lesson_net.png")
    card = widget.get_by_role("slider", name="weight w2[0],")
    before = (loss.text_content(), widget.locator(".point").get_attribute("cy"), lines(widget))
    assert before[0] == "1.0000"
    drag(page, card, 10)
    loss.get_by_text("0.6400", exact=True).wait_for()
    assert card.get_attribute("aria-valuenow") == "0.6"
    assert widget.locator(".chart code").text_content() == "w2[0]"
    after = (loss.text_content(), widget.locator(".point").get_attribute("cy"), lines(widget))
    assert all(a != b for a, b in zip(before, after, strict=True))
    card.press("Shift+ArrowRight")  # JupyterLab leaves the arrow keys to the widget
    widget.locator(".card.selected").get_by_text("0.85", exact=True).wait_for()
    assert page.locator(".tiny-net :focus").count() == 1
    page.screenshot(path=shots / "lesson_net_dragged.png")


def lines(widget) -> list[str | None]:
    widths = "lines => lines.map((line) => line.getAttribute('stroke-width'))"
    return widget.locator(".net path.edge").evaluate_all(widths)


def drag(page: Page, card, distance: int) -> None:
    card.scroll_into_view_if_needed()
    box = card.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + distance, y, steps=4)
    page.mouse.up()


def test_a_wrong_answer_is_told_why_and_a_right_one_passes(lesson: Notebook, shots: Path) -> None:
    lesson.write("forward", WITHOUT_RELU)
    lesson.run("forward")
    lesson.run("forward-prediction")
    verdict = lesson.printed("forward-prediction")
    lesson.page.screenshot(path=shots / "lesson_wrong_answer.png")
    assert verdict.startswith("forward · prediction: not yet")
    assert "expected 8, came 3" in verdict
    assert "relu(x @ w1) @ w2" in verdict
    assert "A known mistake that behaves like this:\n  The two products are there" in verdict
    assert "Traceback" not in verdict and "AssertionError" not in verdict

    lesson.write("forward", RIGHT)
    lesson.run("forward")
    for behaviour in ("prediction", "cache", "inputs_kept"):
        lesson.run(f"forward-{behaviour}")
        assert lesson.printed(f"forward-{behaviour}") == f"forward · {behaviour}: pass"
    lesson.page.screenshot(path=shots / "lesson_right_answer.png")


def test_validate_lists_the_checks_that_fail(lesson: Notebook, shots: Path) -> None:
    lesson.write("forward", WITHOUT_RELU)
    lesson.page.get_by_role("button", name="Validate", exact=True).click()
    dialog = lesson.page.get_by_role("dialog")
    dialog.get_by_text("Validation Results").wait_for(timeout=120_000)
    lesson.page.screenshot(path=shots / "lesson_validate.png")
    words = dialog.inner_text()
    named = re.findall(r"^(\w+ · \w+): not yet$", words, flags=re.MULTILINE)
    assert "forward · prediction" in named and "backward · grad_w1" in named
    assert "forward · inputs_kept" not in named, "this one is right without a ReLU"
    assert "expected 8, came 3" in words
    dialog.get_by_role("button", name="Ok").click()
    dialog.wait_for(state="detached")


def test_the_kernel_and_the_picture_share_the_weights(
    lab: str, course: Path, open_page: OpenPage, shots: Path
) -> None:
    cells = [
        {"cell_type": "code", "id": f"cell-{n}", "metadata": {}, "source": source, "outputs": []}
        | {"execution_count": None}
        for n, source in enumerate(SCRATCH)
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)"}}
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": kernel, "cells": cells}
    path = course / "work" / "scratch.ipynb"
    path.write_text(json.dumps(notebook), encoding="utf-8")
    with open_page(width=760) as page:
        scratch = Notebook(page, lab, course, "work/scratch.ipynb")
        widget = scratch.run("cell-0")
        drag(page, widget.get_by_role("slider", name="weight w1[0,1],"), -45)
        widget.locator(".card.selected").get_by_text("−1.25", exact=True).wait_for()
        page.screenshot(path=shots / "lab_narrow.png")
        widget.locator(".card.selected").press("x")
        widget.get_by_role("radio", name="sample 1").press("ArrowDown")
        assert widget.get_by_role("radio", name="sample 2").is_checked()
        assert page.locator(".jp-Cell").count() == 3, "x cuts a cell elsewhere, not here"
        widget.get_by_role("radio", name="sample 2").press("ArrowUp")
        scratch.run("cell-1")
        assert scratch.printed("cell-1") == "-1.25 1"
        scratch.run("cell-2")
        widget.locator(".loss").get_by_text("3.0625", exact=True).wait_for()
