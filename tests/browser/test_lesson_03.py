"""Lesson 03's walk over the edges, `EdgeWalk`: in a page without a kernel, and in the lesson."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from chainrule.widgets import EdgeWalk, write_page
from chainrule.widgets.assets import module
from chainrule.widgets.edge_walk import INPUTS, NODES, START, STEPS

from .jupyterlab import Notebook

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from .conftest import OpenPage

pytestmark = pytest.mark.browser

LESSON = "work/03_computational_graphs/03_computational_graphs.ipynb"
COMPUTE = """async ([source, cases]) => {
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const { frameOf, stepWords, verdictOf, walkRows } = await import(url);
  const parts = [frameOf, stepWords, verdictOf, walkRows];
  return cases.map((state) => parts.map((part) => part(state)));
}"""
INSIDE = """(picture) => {
  const seen = (node) => node.getAttribute("visibility") !== "hidden";
  const rect = (node) => node.getBoundingClientRect();
  const apart = (a, b) =>
    a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top;
  const frame = rect(picture);
  const within = (box, around) => box.left >= around.left - 1 && box.right <= around.right + 1;
  const out = [];
  for (const [holder, face] of [[".node", ".face"], [".tag", ".pill"]])
    for (const node of [...picture.querySelectorAll(holder)].filter(seen)) {
      const around = rect(node.querySelector(face));
      if (!within(around, frame)) out.push("a box is cut");
      const words = [...node.querySelectorAll("text")]
        .filter((text) => !text.closest(".off") && text.textContent);
      for (const one of words) {
        const box = rect(one);
        if (!within(box, around)) out.push(`${one.textContent} sticks out`);
        for (const other of words) {
          const beside = rect(other);
          const onOneLine = Math.abs(box.bottom - beside.bottom) < 5;
          if (other !== one && onOneLine && box.left <= beside.left && box.right > beside.left)
            out.push(`${one.textContent} runs into ${other.textContent}`);
        }
      }
    }
  const faces = [...picture.querySelectorAll(".face")].map(rect);
  const pills = [...picture.querySelectorAll(".tag")].filter(seen)
    .map((tag) => rect(tag.querySelector(".pill")));
  pills.forEach((pill, k) => {
    if (pills.slice(k + 1).some((other) => !apart(pill, other))) out.push("two labels overlap");
    if (faces.some((face) => !apart(pill, face))) out.push("a label covers a node");
  });
  return out;
}"""
"""What sticks out, runs into something or covers something in one of the two pictures."""


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_page(tmp_path_factory.mktemp("page") / "edge_walk.html", EdgeWalk())


def expect(page: Page | Locator, walk: EdgeWalk) -> None:
    """Wait until the page says what the text form of `walk` says of its step."""
    page.locator(".words").get_by_text(walk.words(), exact=True).wait_for()
    page.locator(".verdict").get_by_text(walk.verdict(), exact=True).wait_for()
    page.get_by_text(f"step {walk.step} of {STEPS}", exact=True).wait_for()


def some_cases() -> list[dict[str, Any]]:
    rng = np.random.default_rng(3)
    numbers = [(2.0, -1.0, 3.0, -2.0), (1.0, -2.0, 0.5, -2.0), (0.0, 0.0, 0.0, 0.0)]
    numbers += [tuple(rng.uniform(-10, 10, size=4).tolist()) for _ in range(6)]
    numbers += [tuple((rng.integers(-20, 21, size=4) / 2).tolist()) for _ in range(6)]
    inputs = [dict(zip(INPUTS, four, strict=True)) for four in numbers]
    return [
        {**given, "step": step, "overwrite": overwrite}
        for given in inputs
        for step in range(STEPS + 1)
        for overwrite in (False, True)
    ]


def test_the_browser_computes_and_says_what_python_does(open_page: OpenPage) -> None:
    cases = some_cases()
    with open_page() as page:
        page.goto("about:blank")
        answers = page.evaluate(COMPUTE, [module("edge_walk_math.js"), cases])
    assert len(answers) == len(cases)
    for case, (frame, words, verdict, rows) in zip(cases, answers, strict=True):
        walk = EdgeWalk(**case)
        expected = walk.frame()
        assert words == walk.words(), case
        assert verdict == walk.verdict(), case
        assert [tuple(row) for row in rows] == walk.rows(), case
        for name in ("values", "gradients"):
            assert frame[name] == expected[name], case
        assert frame["wrong"] == {n: list(pair) for n, pair in expected["wrong"].items()}
        assert frame["edges"] == {">".join(k): list(v) for k, v in expected["edges"].items()}


def test_every_step_by_keyboard_and_back(open_page: OpenPage, page_file: Path, shots: Path) -> None:
    with open_page(width=1060, height=860) as page:
        page.goto(page_file.as_uri())
        expect(page, EdgeWalk())
        page.get_by_role("group", name="The graph").focus()
        live = page.get_by_role("status")
        for step in range(1, STEPS + 1):
            page.keyboard.press("ArrowRight")
            expect(page, EdgeWalk(step=step))
            if step in (2, START, 18):  # the live region speaks at most twice a second
                live.get_by_text(EdgeWalk(step=step).words()).wait_for()
            assert page.locator(".wide .edge.here").count() == (0 if step == START else 1)
        page.screenshot(path=shots / "edge_walk_end.png")
        page.keyboard.press("ArrowRight")
        expect(page, EdgeWalk(step=STEPS))
        page.keyboard.press("ArrowLeft")
        expect(page, EdgeWalk(step=STEPS - 1))
        page.keyboard.press("Home")
        expect(page, EdgeWalk())
        page.keyboard.press("End")
        expect(page, EdgeWalk(step=STEPS))


def test_buttons_scrubber_and_edges_step_too(open_page: OpenPage, page_file: Path) -> None:
    with open_page(width=1060, height=860) as page:
        page.goto(page_file.as_uri())
        back, ahead = (page.get_by_role("button", name=name) for name in ("Step back", "Next step"))
        assert back.is_disabled()
        ahead.click()
        ahead.click()
        expect(page, EdgeWalk(step=2))
        page.keyboard.press("ArrowLeft")
        expect(page, EdgeWalk(step=1))
        back.click()
        expect(page, EdgeWalk())
        slider = page.get_by_role("slider", name="step")
        slider.press("End")
        expect(page, EdgeWalk(step=STEPS))
        assert ahead.is_disabled()
        slider.press("ArrowLeft")
        expect(page, EdgeWalk(step=STEPS - 1))
        page.locator(".wide .tag").nth(4).click()
        expect(page, EdgeWalk(step=18))
        slider.press("Home")
        page.locator(".wide .edge").nth(4).click(force=True)
        expect(page, EdgeWalk(step=3))


def test_keys_are_not_lost_at_the_end(open_page: OpenPage, page_file: Path) -> None:
    with open_page() as page:
        page.goto(page_file.as_uri())
        ahead = page.get_by_role("button", name="Next step")
        ahead.focus()
        for _ in range(STEPS):
            page.keyboard.press("ArrowRight")
        expect(page, EdgeWalk(step=STEPS))
        page.keyboard.press("ArrowLeft")
        expect(page, EdgeWalk(step=STEPS - 1))


def test_overwriting_goes_wrong_and_says_where(
    open_page: OpenPage, page_file: Path, shots: Path
) -> None:
    with open_page(width=1060, height=860) as page:
        page.goto(page_file.as_uri())
        page.get_by_role("slider", name="step").press("End")
        expect(page, EdgeWalk(step=STEPS))
        assert page.locator(".wide .node.wrong").count() == 0
        page.get_by_text("grad[node] += upstream * local").wait_for()
        toggle = page.get_by_role("switch", name="overwrite instead of add")
        toggle.focus()
        page.keyboard.press("Space")
        expect(page, EdgeWalk(step=STEPS, overwrite=True))
        page.get_by_text("grad[node] = upstream * local").wait_for()
        wrong = page.locator(".wide .node.wrong")
        assert wrong.locator(".off").all_text_contents() == [
            *("off by −1", "off by −4", "off by −1")
        ]
        assert wrong.locator(".total").all_text_contents() == [
            *("−3, not −2", "−3, not 1", "−3, not −2")
        ]
        assert page.locator(".wide .edge.wrong").count() == 2
        page.screenshot(path=shots / "edge_walk_overwrite.png")
        for step in range(STEPS - 1, START - 1, -1):
            page.keyboard.press("ArrowLeft")
            expect(page, EdgeWalk(step=step, overwrite=True))
        assert page.locator(".wide .node.wrong").count() == 0


def test_inputs_are_edited(open_page: OpenPage, page_file: Path) -> None:
    with open_page(width=1060, height=860) as page:
        page.goto(page_file.as_uri())
        page.get_by_role("slider", name="step").press("End")
        field = page.get_by_role("spinbutton", name="value of w")
        field.fill("0")
        expect(page, EdgeWalk(step=STEPS, w=0.0))
        field.press("ArrowUp")
        expect(page, EdgeWalk(step=STEPS, w=0.5))
        field.fill("99")
        field.blur()
        expect(page, EdgeWalk(step=STEPS, w=10.0))
        assert field.input_value() == "10"
        field.fill("")
        field.blur()
        assert field.input_value() == "10", "what is no number changes nothing"
        page.get_by_role("button", name="Reset").click()
        expect(page, EdgeWalk(step=STEPS))
        assert field.input_value() == "-2"


def test_the_text_has_every_step(open_page: OpenPage, page_file: Path) -> None:
    walk = EdgeWalk(step=18, overwrite=True)
    with open_page() as page:
        page.goto(page_file.as_uri())
        page.get_by_role("switch").focus()
        page.keyboard.press("Space")
        for _ in range(18):
            page.keyboard.press("ArrowRight")
        expect(page, walk)
        page.get_by_text("Read it as text").click()
        steps = page.locator("details li")
        assert steps.all_text_contents() == [walk.words(step) for step in range(STEPS + 1)]
        assert page.locator("li[aria-current=step]").text_content() == walk.words()
        rows = page.locator("details tbody tr")
        cells = [row.locator("th, td").all_text_contents() for row in rows.all()]
        assert [tuple(row) for row in cells] == walk.rows()
        assert len(cells) == len(NODES)


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize(("width", "picture"), [(400, "narrow"), (820, "wide"), (1060, "wide")])
def test_nothing_covers_anything(
    open_page: OpenPage, tmp_path: Path, shots: Path, width: int, picture: str, overwrite: bool
) -> None:
    scheme = "dark" if overwrite else "light"
    inputs = ((2.0, -1.0, 3.0, -2.0), (-8.25, 9.75, -9.5, -7.25), (-10.0, -9.25, -10.0, -9.5))
    with open_page(width=width, height=900, color_scheme=scheme) as page:
        for place, four in enumerate(inputs):
            given = dict(zip(INPUTS, four, strict=True))
            walk = EdgeWalk(**given, step=STEPS, overwrite=overwrite)
            page.goto(write_page(tmp_path / f"{place}.html", walk).as_uri())
            expect(page, walk)
            seen = page.locator(f"svg.{picture}")
            seen.wait_for()
            assert seen.evaluate(INSIDE) == [], given
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            page.screenshot(path=shots / f"edge_walk_{scheme}_{width}_{place}.png", full_page=True)


@pytest.mark.slow
def test_in_the_lesson(lab: str, course: Path, open_page: OpenPage, shots: Path) -> None:
    with open_page() as page:
        lesson = Notebook(page, lab, course, LESSON)
        widget = lesson.run(lesson.find("from chainrule.widgets import EdgeWalk"))
        stage = widget.get_by_role("group", name="The graph")
        stage.focus()
        for _ in range(18):
            page.keyboard.press("ArrowRight")
        expect(widget, EdgeWalk(step=18))
        page.screenshot(path=shots / "lesson_03_edge_walk.png")
        widget.get_by_text("overwrite instead of add").click()
        expect(widget, EdgeWalk(step=18, overwrite=True))
        page.screenshot(path=shots / "lesson_03_overwrite.png")
