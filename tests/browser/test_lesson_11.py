"""Lesson 11's piece, `TransferTimeline`: in a page without a kernel, and in the lesson itself."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from chainrule.widgets import TransferTimeline, write_page
from chainrule.widgets.assets import module

from .jupyterlab import Notebook

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from .conftest import OpenPage

pytestmark = pytest.mark.browser

LESSON = "work/11_gpu_transfer/11_gpu_transfer.ipynb"
NO_WAIT = """\
def measure(run, synchronize, clock, warmup=3, repeats=9, inner=1):
    for _ in range(warmup):
        run()
    times = []
    for _ in range(repeats):
        start = clock()
        for _ in range(inner):
            run()
        times.append((clock() - start) / inner)
    return float(np.median(times))
"""
RIGHT = NO_WAIT.replace("    times = []", "    synchronize()\n    times = []").replace(
    "        times.app", "        synchronize()\n        times.app"
)
KEYS = ("bandwidth", "tflops", "batch", "pinned", "overlap", "look")
COMPUTE = """async ([source, cases]) => {
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const { schedule, summary, timelineRows } = await import(url);
  return cases.map((state) => {
    const plan = schedule(state);
    return [plan.spans.map((s) => [s.start, s.end]), summary(plan, state), timelineRows(plan)];
  });
}"""
GOOD = {"pinned": True, "overlap": True, "look": False}


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_page(tmp_path_factory.mktemp("page") / "line.html", TransferTimeline())


def expect(page: Page, line: TransferTimeline) -> None:
    """Wait until the page says what the text form of `line` says."""
    page.locator(".said").get_by_text(line.summary(), exact=True).wait_for()


def test_the_browser_plans_as_python_does(open_page: OpenPage) -> None:
    lines = [
        TransferTimeline(
            bandwidth=b, tflops=t, batch=n, pinned=flags[0], overlap=flags[1], look=flags[2]
        )
        for b, t, n in ((11.0, 12.0, 64), (1.0, 64.0, 1024), (63.7, 1.3, 1))
        for flags in itertools.product((False, True), repeat=3)
    ]
    cases = [{key: getattr(line, key) for key in KEYS} for line in lines]
    with open_page() as page:
        page.goto("about:blank")
        answers = page.evaluate(COMPUTE, [module("transfer_timeline_math.js"), cases])
    for line, (spans, summary, rows) in zip(lines, answers, strict=True):
        mine = [[s.start, s.end] for s in line.plan().spans]
        np.testing.assert_allclose(np.array(spans), np.array(mine), rtol=1e-12)
        assert summary == line.summary()
        assert [tuple(row) for row in rows] == line.rows()


def test_switches_sliders_and_situations(open_page: OpenPage, page_file: Path, shots: Path) -> None:
    with open_page(width=1000, height=620) as page:
        page.goto(page_file.as_uri())
        expect(page, TransferTimeline())
        page.screenshot(path=shots / "transfer_wrong.png")
        state: dict[str, bool] = {}
        for key, words in (
            ("pinned", "pinned memory"),
            ("look", "look at each batch"),
            ("overlap", "copies in a stream of their own"),
        ):
            page.get_by_role("checkbox", name=words).click()
            state[key] = key != "look"
            expect(page, TransferTimeline(**state))
        page.screenshot(path=shots / "transfer_overlapped.png")
        page.get_by_role("slider", name="batch", exact=True).press("ArrowRight")
        expect(page, TransferTimeline(batch=76, **GOOD))
        page.get_by_role("slider", name="arithmetic").press("End")
        expect(page, TransferTimeline(batch=76, tflops=64.0, **GOOD))
        page.get_by_role("slider", name="link", exact=True).press("Home")
        expect(page, TransferTimeline(batch=76, tflops=64.0, bandwidth=1.0, **GOOD))
        page.get_by_role("button", name="batch of 1").click()
        expect(page, TransferTimeline(batch=1, **GOOD))
        page.get_by_role("button", name="all wrong").click()
        expect(page, TransferTimeline())
        page.get_by_text("Read it as a table").click()
        cells = page.locator("tbody tr").first.locator("td").all_text_contents()
        assert tuple(cells) == TransferTimeline().rows()[0]


def test_the_grip_is_dragged_and_moved_by_keys(open_page: OpenPage, page_file: Path) -> None:
    with open_page(width=1000, height=620) as page:
        page.goto(page_file.as_uri())
        grip = page.get_by_role("slider", name="bandwidth of the link")
        grip.focus()
        page.keyboard.press("Shift+ArrowRight")
        expect(page, TransferTimeline(bandwidth=float(f"{11 * 10**0.2:.3g}")))
        page.keyboard.press("Home")
        expect(page, TransferTimeline())
        box = grip.locator("circle").bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + 50, y, steps=4)
        page.mouse.up()
        slower = float(grip.get_attribute("aria-valuenow"))
        assert slower == pytest.approx(11 * 10**-0.2, rel=0.03), "a longer copy, a slower link"
        expect(page, TransferTimeline(bandwidth=slower))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_narrow_page_fits(open_page: OpenPage, page_file: Path, shots: Path, scheme: str) -> None:
    with open_page(width=600, height=900, color_scheme=scheme) as page:
        page.goto(page_file.as_uri())
        expect(page, TransferTimeline())
        page.screenshot(path=shots / f"transfer_{scheme}_600.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= 600


@pytest.mark.slow
def test_in_the_lesson(lab: str, course: Path, open_page: OpenPage, shots: Path) -> None:
    with open_page() as page:
        lesson = Notebook(page, lab, course, LESSON)
        for cell in ("setup", "devices", "pytorch", "device"):
            lesson.run(cell)
        lesson.write("stopwatch", NO_WAIT)
        lesson.run("stopwatch")
        lesson.run("stopwatch-waits")
        verdict = lesson.printed("stopwatch-waits")
        page.screenshot(path=shots / "lesson_11_wrong_answer.png")
        assert verdict.startswith("stopwatch · waits: not yet")
        assert "without waiting for the device" in verdict
        lesson.write("stopwatch", RIGHT)
        lesson.run("stopwatch")
        for behaviour in ("waits", "inner", "median", "calls"):
            lesson.run(f"stopwatch-{behaviour}")
            assert lesson.printed(f"stopwatch-{behaviour}") == f"stopwatch · {behaviour}: pass"
        widget = lesson.run(lesson.find("from chainrule.widgets import TransferTimeline"))
        widget.get_by_role("checkbox", name="pinned memory").click()
        words = TransferTimeline(pinned=True).summary()
        widget.locator(".said").get_by_text(words, exact=True).wait_for()
        page.screenshot(path=shots / "lesson_11_timeline.png")
