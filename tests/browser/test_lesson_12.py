"""Build pane and run pane: in a page without a kernel, and in the lesson in JupyterLab."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from chainrule.widgets import BuildAndRun, write_page

from .jupyterlab import Notebook

if TYPE_CHECKING:
    from .conftest import OpenPage

pytestmark = pytest.mark.browser

LESSON = "work/12_static_graphs/12_static_graphs.ipynb"


def test_a_graph_is_built_and_run(tmp_path: Path, open_page: OpenPage, shots: Path) -> None:
    path = tmp_path / "build_and_run.html"
    write_page(path, BuildAndRun())
    twin = BuildAndRun(built=8)
    with open_page() as page:
        page.goto(path.as_uri())
        widget = page.locator(".build-and-run")
        widget.locator(".node").first.wait_for()
        assert widget.locator(".node.later").count() == 8
        widget.get_by_role("button", name="Run the next line").click()
        widget.get_by_text("1 node made. Numbers computed by these lines: 0.").wait_for()
        widget.get_by_role("button", name="Run all lines").press("Enter")
        widget.locator(".node.idle").nth(7).wait_for()
        run = widget.get_by_role("button", name="session.run")
        run.click()
        widget.locator(".node.lit").nth(2).wait_for()
        twin.run()
        widget.locator(".log").get_by_text(twin.words(0)).wait_for()
        assert widget.locator(".node.fed").count() == 1
        step = widget.get_by_role("button", name="step: group")
        step.focus()
        page.keyboard.press("Enter")
        widget.locator(".node.fetched").nth(1).wait_for()
        assert step.get_attribute("aria-pressed") == "true"
        twin.fetches = ["loss", "step"]
        for place in (1, 2):
            run.press("Enter")
            twin.run()
            widget.locator(".log").get_by_text(twin.words(place)).wait_for()
        widget.locator(".node.lit").nth(5).wait_for()
        assert widget.locator(".node.lit").count() == 6
        page.screenshot(path=shots / "build_and_run.png")
        widget.get_by_label("feed x").fill("")
        run.click()
        twin.x = None
        twin.run()
        widget.locator(".log").get_by_text(twin.words(3)).wait_for()
        widget.get_by_label("feed p").fill("5")
        widget.get_by_role("checkbox", name="step").uncheck()
        run.click()
        twin.p, twin.fetches = 5.0, ["loss"]
        twin.run()
        widget.locator(".log").get_by_text(twin.words(4)).wait_for()
        widget.get_by_text("Read the graph as a table").click()
        page.wait_for_function("document.querySelectorAll('.edge.lit').length === 1")
        rows = widget.locator("tbody tr").all_inner_texts()
        assert [row.split("\t") for row in rows] == [list(row) for row in twin.rows()]
        widget.get_by_role("button", name="New session").click()
        widget.locator(".log li").first.wait_for(state="detached")
        widget.get_by_text("session: 2").wait_for()


@pytest.mark.slow
def test_it_runs_in_the_lesson(lab: str, course: Path, open_page: OpenPage, shots: Path) -> None:
    with open_page(width=1440, height=1100) as page:
        notebook = Notebook(page, lab, course, LESSON)
        widget = notebook.run(notebook.find("\nBuildAndRun()")).locator(".build-and-run")
        widget.locator(".node").first.wait_for()
        widget.get_by_role("button", name="Run all lines").click()
        widget.locator(".node.idle").nth(7).wait_for()
        widget.get_by_role("button", name="step: group").click()
        run = widget.get_by_role("button", name="session.run")
        run.click()
        twin = BuildAndRun(built=8)
        twin.fetches = ["loss", "step"]
        twin.run()
        widget.locator(".log").get_by_text(twin.words(0)).wait_for()
        widget.locator(".node.lit").nth(5).wait_for()
        page.screenshot(path=shots / "build_and_run_in_lab.png")
        run.press("Enter")  # JupyterLab's own keys do not take it
        twin.run()
        widget.locator(".log").get_by_text(twin.words(1)).wait_for()
        box, around = widget.bounding_box(), page.locator(".jp-Notebook").first.bounding_box()
        assert box
        assert around
        assert box["x"] + box["width"] <= around["x"] + around["width"], "it sticks out of the page"
