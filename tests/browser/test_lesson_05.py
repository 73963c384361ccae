"""Lesson 05's picture, `Collapse`: in a page without a kernel, and in the lesson itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from chainrule.widgets import Collapse, write_page
from chainrule.widgets.assets import module

from .jupyterlab import Notebook

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from .conftest import OpenPage

pytestmark = pytest.mark.browser

LESSON = "work/05_custom_functions/05_custom_functions.ipynb"
WITHOUT_UPSTREAM = """\
class MyReLU(cr.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return cr.maximum(x, 0.0)

    @staticmethod
    def backward(ctx, upstream):
        (x,) = ctx.saved_tensors
        return (x > 0) * cr.ones_like(upstream)
"""
RIGHT = WITHOUT_UPSTREAM.replace("cr.ones_like(upstream)", "upstream")

COMPUTE = """async ([source, cases]) => {
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const { compute, digits, notes, rows } = await import(url);
  return cases.map(([x, dtype]) => {
    const v = compute(x, dtype);
    const plain = Object.fromEntries(Object.entries(v).map(([k, n]) => [k, String(n)]));
    return { values: plain, notes: notes(v, dtype), rows: rows(v) };
  });
}"""


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_page(tmp_path_factory.mktemp("page") / "collapse.html", Collapse())


def shown(page: Page) -> list[list[str]]:
    """Return the rows of the comparison: composite, verdict, one node, verdict, exact."""
    rows = page.locator(".compare tbody tr")
    return [rows.nth(n).locator("td").all_text_contents() for n in range(2)]


def expect_notes(page: Page, picture: Collapse) -> None:
    """Wait until the page says what the text form of `picture` says."""
    for words in picture.notes():
        page.locator(".note").get_by_text(words, exact=True).wait_for()


def test_the_browser_computes_what_numpy_computes(open_page: OpenPage) -> None:
    places = [-1000, -709, -400, -104, -89, -88, -60, -52, -17, -1.5, 0, 3, 17, 40, 95, 800]
    cases = [(x, dtype) for x in places for dtype in ("float32", "float64")]
    with open_page() as page:
        page.goto("about:blank")
        answers = page.evaluate(COMPUTE, [module("collapse_math.js"), cases])
    for (x, dtype), answer in zip(cases, answers, strict=True):
        picture = Collapse(x=x, dtype=dtype)
        tight = 3e-7 if dtype == "float32" else 1e-14
        for name, value in picture.values().items():
            came = float(answer["values"][name].replace("Infinity", "inf"))
            np.testing.assert_allclose(came, value, rtol=tight, atol=1e-44, err_msg=f"{x} {name}")
        assert [row[0] for row in answer["rows"]] == [row[0] for row in picture.rows()]
        if abs(x) != 104:  # a subnormal number has too few digits to be sure of any
            assert tuple(answer["notes"]) == picture.notes()


def test_slider_places_and_keys_move_x(open_page: OpenPage, page_file: Path, shots: Path) -> None:
    with open_page(width=900, height=860) as page:
        page.goto(page_file.as_uri())
        expect_notes(page, Collapse())
        assert shown(page)[1][1:5] == ["0", "lost, rounded to 0", "8.757e−27", "right"]
        page.screenshot(path=shots / "collapse_four.png")
        page.get_by_role("button", name="x = −1000").click()
        expect_notes(page, Collapse(x=-1000))
        assert shown(page)[1][1:5] == ["nan", "no number", "0", "right"]
        assert page.locator(".many .badge").all_text_contents()[:2] == [
            "grad is nan",
            "overflow: inf",
        ]
        slider = page.get_by_role("slider")
        slider.focus()
        slider.press("ArrowRight")
        expect_notes(page, Collapse(x=-999))
        slider.press("End")
        expect_notes(page, Collapse(x=1000))
        page.get_by_role("radio", name="float64").check()
        page.get_by_role("button", name="x = 40").click()
        expect_notes(page, Collapse(x=40, dtype="float64"))


def test_it_collapses_and_expands(open_page: OpenPage, page_file: Path, shots: Path) -> None:
    with open_page(width=900, height=860, reduced_motion="reduce") as page:
        page.goto(page_file.as_uri())
        page.get_by_role("img", name="Four nodes at x = −60").wait_for()
        page.get_by_role("button", name="Collapse into one node").press("Enter")
        page.get_by_role(
            "img", name="One node at x = −60: y = 8.757e−27, slope 8.757e−27"
        ).wait_for()
        page.screenshot(path=shots / "collapse_one.png")
        opacity = "nodes => nodes.map((node) => getComputedStyle(node).opacity)"
        assert page.locator(".many, .one").evaluate_all(opacity) == ["0", "1"]
        page.get_by_role("button", name="Expand into four nodes").click()
        page.get_by_role("img", name="Four nodes").wait_for()


def test_the_curve_is_dragged_and_switched(open_page: OpenPage, page_file: Path) -> None:
    with open_page(width=900, height=860) as page:
        page.goto(page_file.as_uri())
        chart = page.get_by_role("img", name="Right digits of the slope")
        box = chart.bounding_box()
        page.mouse.move(box["x"] + 200, box["y"] + 60)
        page.mouse.down()
        page.mouse.move(box["x"] + 2, box["y"] + 60)
        page.mouse.up()
        expect_notes(page, Collapse(x=-1000))
        page.get_by_role("radio", name="value").check()
        page.get_by_text("Right digits of the value, in float32").wait_for()
        page.get_by_role("img", name="at −1000 the composite is right").wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_narrow_page_fits(open_page: OpenPage, page_file: Path, shots: Path, scheme: str) -> None:
    with open_page(width=600, height=900, color_scheme=scheme) as page:
        page.goto(page_file.as_uri())
        expect_notes(page, Collapse())
        page.screenshot(path=shots / f"collapse_{scheme}_600.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= 600


@pytest.mark.slow
def test_in_the_lesson(lab: str, course: Path, open_page: OpenPage, shots: Path) -> None:
    with open_page() as page:
        lesson = Notebook(page, lab, course, LESSON)
        for cell in ("setup", lesson.find("def composite(x)")):
            lesson.run(cell)
        first = " ".join(lesson.printed(lesson.find("def composite(x)")).split())
        assert first == "value [0. 0.5 1. ] gradient [ nan 0.25 0. ]"
        lesson.write("relu", WITHOUT_UPSTREAM)
        lesson.run("relu")
        lesson.run("relu-gradient")
        verdict = lesson.printed("relu-gradient")
        page.screenshot(path=shots / "lesson_05_wrong_answer.png")
        assert verdict.startswith("relu · gradient: not yet")
        assert "A known mistake that behaves like this" in verdict
        lesson.write("relu", RIGHT)
        lesson.run("relu")
        for behaviour in ("value", "gradient", "upstream_kept"):
            lesson.run(f"relu-{behaviour}")
            assert lesson.printed(f"relu-{behaviour}") == f"relu · {behaviour}: pass"
        widget = lesson.run(lesson.find("from chainrule.widgets import Collapse"))
        widget.get_by_role("button", name="x = −1000").click()
        widget.get_by_text("Backward, 0 · inf is nan.").first.wait_for()
        slider = widget.get_by_role("slider")
        slider.press("ArrowRight")
        widget.locator("output.x").get_by_text("−999", exact=True).wait_for()
        page.screenshot(path=shots / "lesson_05_collapse.png")
