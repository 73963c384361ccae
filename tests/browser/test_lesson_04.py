"""The tape viewer in a page without a kernel: mouse, keyboard, table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from chainrule.widgets import TapeViewer, write_page

if TYPE_CHECKING:
    from .conftest import OpenPage

pytestmark = pytest.mark.browser


def test_the_tape_is_stepped_by_mouse_and_keyboard(
    tmp_path: Path, open_page: OpenPage, shots: Path
) -> None:
    path = tmp_path / "tape.html"
    write_page(path, TapeViewer())
    with open_page() as page:
        page.goto(path.as_uri())
        viewer = page.locator(".tape-viewer")
        viewer.locator(".node").first.wait_for()
        for _ in range(7):
            viewer.get_by_role("button", name="Next step").click()
        viewer.get_by_text("step 7 of 8", exact=True).wait_for()
        node = viewer.get_by_role("button", name="y = t + a")
        assert "freed" in (node.get_attribute("aria-label") or "")
        node.focus()
        page.keyboard.press("Enter")
        viewer.locator(".detail").get_by_text("y = t + a").wait_for()
        viewer.get_by_role("slider", name="step").press("ArrowRight")
        viewer.get_by_text("step 8 of 8", exact=True).wait_for()
        leaf = viewer.get_by_role("button", name="a = leaf")
        assert "gradient 50" in (leaf.get_attribute("aria-label") or "")
        viewer.get_by_label("retain_graph=True").check()
        viewer.locator(".node.kept").first.wait_for()
        assert viewer.locator(".node.kept").count() == 4
        viewer.get_by_text("Read it as a table").click()
        assert viewer.locator("tbody tr").count() == 6
        page.screenshot(path=shots / "tape_viewer.png")
