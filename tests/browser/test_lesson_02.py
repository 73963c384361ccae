"""Lesson 02's picture, `StepCurve`: in a page without a kernel, and in the lesson itself."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from chainrule.widgets import StepCurve, write_page
from chainrule.widgets.assets import module
from chainrule.widgets.step_curve import FUNCTIONS, METHODS, POINTS

from .jupyterlab import Notebook

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from .conftest import OpenPage

pytestmark = pytest.mark.browser

LESSON = "work/02_checking_gradients/02_checking_gradients.ipynb"
FORWARD = """\
def central_difference(f, x, step=1e-5):
    x = np.array(x, dtype=float)
    grad = np.zeros(x.shape)
    for place in np.ndindex(x.shape):
        kept = x[place]
        low = f(x)
        x[place] = kept + step
        grad[place] = (f(x) - low) / step
        x[place] = kept
    return grad
"""
CENTRAL = """\
def central_difference(f, x, step=1e-5):
    x = np.array(x, dtype=float)
    grad = np.zeros(x.shape)
    for place in np.ndindex(x.shape):
        move = np.zeros(x.shape)
        move[place] = step
        grad[place] = (f(x + move) - f(x - move)) / (2 * step)
    return grad
"""

COMPUTE = """async ([source, cases]) => {
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const { stepValues, stepNote, stepRows } = await import(url);
  return cases.map((state) => {
    const v = stepValues(state);
    const plain = Object.fromEntries(Object.entries(v).map(([k, n]) => [k, String(n)]));
    return { values: plain, note: stepNote(v, state), rows: stepRows(v, state) };
  });
}"""


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_page(tmp_path_factory.mktemp("page") / "step_curve.html", StepCurve())


def expect_note(page: Page, picture: StepCurve) -> None:
    """Wait until the page says what the text form of `picture` says."""
    page.locator(".note").get_by_text(picture.note(), exact=True).wait_for()


def test_the_browser_computes_what_numpy_computes(open_page: OpenPage) -> None:
    notches = (-180, -160, -155, -121, -88, -53, -52, -31, -20, -7, 0)
    kinds = itertools.product(notches, FUNCTIONS, POINTS, METHODS, ("float64", "float32"))
    names = ("notch", "function", "x", "method", "dtype")
    cases = [dict(zip(names, case, strict=True)) for case in kinds]
    with open_page() as page:
        page.goto("about:blank")
        answers = page.evaluate(COMPUTE, [module("step_curve_math.js"), cases])
    for case, answer in zip(cases, answers, strict=True):
        picture = StepCurve(**case)
        for name, value in picture.values().items():
            came = float(answer["values"][name].replace("Infinity", "inf"))
            np.testing.assert_array_equal(came, value, err_msg=f"{case} {name}")
        assert answer["note"] == picture.note(), case
        assert [tuple(row) for row in answer["rows"]] == picture.rows(), case


def test_slider_keys_and_radios_move_it(open_page: OpenPage, page_file: Path, shots: Path) -> None:
    with open_page(width=900, height=860) as page:
        page.goto(page_file.as_uri())
        expect_note(page, StepCurve())
        slider = page.get_by_role("slider")
        slider.focus()
        for _ in range(23):
            slider.press("ArrowLeft")
        expect_note(page, StepCurve(notch=-53))
        page.screenshot(path=shots / "step_curve_best.png")
        slider.press("Home")
        expect_note(page, StepCurve(notch=-180))
        slider.press("End")
        expect_note(page, StepCurve(notch=0))
        page.get_by_role("radio", name="√x").check()
        page.get_by_role("radio", name="0.013").check()
        expect_note(page, StepCurve(notch=0, function="root", x=0.013))
        page.get_by_role("radio", name="complex").check()
        expect_note(page, StepCurve(notch=0, function="root", x=0.013, method="complex"))
        page.screenshot(path=shots / "step_curve_complex.png")
        page.get_by_role("radio", name="float32").check()
        page.get_by_role("radio", name="forward").check()
        slider.press("Home")
        expect_note(
            page,
            StepCurve(notch=-180, function="root", x=0.013, method="forward", dtype="float32"),
        )


def test_the_curve_is_dragged(open_page: OpenPage, page_file: Path, shots: Path) -> None:
    with open_page(width=900, height=860) as page:
        page.goto(page_file.as_uri())
        chart = page.get_by_role("img", name="Relative error against the step")
        assert page.locator(".region-name").all_text_contents() == [
            "round-off rules ▨",
            "truncation rules ⁘",
        ]
        box = chart.bounding_box()
        page.mouse.move(box["x"] + 400, box["y"] + 60)
        page.mouse.down()
        page.mouse.move(box["x"] + 2, box["y"] + 60)
        page.mouse.up()
        expect_note(page, StepCurve(notch=-180))
        page.get_by_role("img", name="at 1.000e−18 it is 1, round-off rules").wait_for()
        page.get_by_text("Read it as a table").click()
        cells = page.locator("details tbody tr").first.locator("td").all_text_contents()
        assert cells == ["step", "1.000e−18", "for x³ at 1.3"]
        page.screenshot(path=shots / "step_curve_table.png", full_page=True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_narrow_page_fits(open_page: OpenPage, page_file: Path, shots: Path, scheme: str) -> None:
    with open_page(width=600, height=900, color_scheme=scheme) as page:
        page.goto(page_file.as_uri())
        expect_note(page, StepCurve())
        page.screenshot(path=shots / f"step_curve_{scheme}_600.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= 600


@pytest.mark.slow
def test_in_the_lesson(lab: str, course: Path, open_page: OpenPage, shots: Path) -> None:
    with open_page() as page:
        lesson = Notebook(page, lab, course, LESSON)
        lesson.run("setup")
        lesson.write("central_difference", FORWARD)
        lesson.run("central_difference")
        lesson.run("central_difference-values")
        verdict = lesson.printed("central_difference-values")
        page.screenshot(path=shots / "lesson_02_wrong_answer.png")
        assert verdict.startswith("central_difference · values: not yet")
        assert "A known mistake that behaves like this" in verdict
        lesson.write("central_difference", CENTRAL)
        lesson.run("central_difference")
        for behaviour in ("values", "any_shape", "two_calls"):
            lesson.run(f"central_difference-{behaviour}")
            printed = lesson.printed(f"central_difference-{behaviour}")
            assert printed == f"central_difference · {behaviour}: pass"
        widget = lesson.run(lesson.find("from chainrule.widgets import StepCurve"))
        slider = widget.get_by_role("slider")
        slider.press("Home")
        widget.get_by_text("Both values are the same in float64").first.wait_for()
        slider.press("ArrowRight")
        widget.locator("output.step").get_by_text("1.260e−18", exact=True).wait_for()
        page.screenshot(path=shots / "lesson_02_step_curve.png")
