"""The start page in JupyterLab: the map as it was left, a run of its cell, a link to a lesson."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from autograder.course import Course

from .jupyterlab import Notebook

if TYPE_CHECKING:
    from .conftest import OpenPage

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def save_some_checks(course: Course, folder: str, share: float) -> None:
    """Make a student's copy say that a share of its checks passed."""
    place = course.work / folder / f"{folder}.ipynb"
    document = json.loads(place.read_bytes())
    tests = [
        cell["metadata"]["autograder"] | {"outputs": cell}
        for cell in document["cells"]
        if cell["metadata"].get("autograder", {}).get("role") == "tests"
    ]
    for ours in tests[: round(share * len(tests))]:
        said = f"{ours['exercise']} · {ours['behaviour']}: pass\n"
        ours["outputs"]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": said}]
    place.write_text(json.dumps(document))


def test_the_map_is_there_and_follows_the_notebooks(
    lab: str, course: Path, open_page: OpenPage, shots: Path
) -> None:
    with open_page() as page:
        notebook = Notebook(page, lab, course, "work/start.ipynb")
        start = page.locator(".cr-start")
        start.locator("a.lesson").first.wait_for()
        assert "not begun" in (start.locator(".map > svg").get_attribute("aria-label") or "")
        here = Course(course)
        folders = here.lesson_names()
        save_some_checks(here, folders[0], 1.0)
        save_some_checks(here, folders[-1], 0.4)
        notebook.run_menu("Run All Cells")
        start.locator(".ring").nth(1).wait_for()
        assert "done" in (start.locator(".map > svg").get_attribute("aria-label") or "")
        kind = page.locator(".jp-OutputArea-executeResult > [data-mime-type]")
        assert kind.get_attribute("data-mime-type") == "text/html", "JupyterLab drew it whole"
        start.get_by_text("Every exercise").click()
        start.locator("tr").nth(2).wait_for()
        page.screenshot(path=shots / "start.png")
        start.locator("a.lesson").first.click()
        page.locator(f".lm-TabBar-tabLabel:has-text('{folders[0]}.ipynb')").first.wait_for()
