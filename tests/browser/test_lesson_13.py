"""A graph, pass by pass, in a page without a kernel: buttons, arrow keys, words, table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from chainrule.widgets import GraphPasses, write_page

if TYPE_CHECKING:
    from .conftest import OpenPage

pytestmark = pytest.mark.browser


def test_a_graph_is_stepped_through(tmp_path: Path, open_page: OpenPage, shots: Path) -> None:
    path = tmp_path / "graph_passes.html"
    write_page(path, GraphPasses())
    twin = GraphPasses()
    with open_page() as page:
        page.goto(path.as_uri())
        widget = page.locator(".graph-passes")
        widget.locator(".node").first.wait_for()
        assert widget.locator(".node.here").count() == 10
        widget.locator(".words").get_by_text("kernels 7").wait_for()
        widget.get_by_role("button", name="Next pass").click()
        widget.locator(".words").get_by_text("kernels 6 (was 7)").wait_for()
        widget.locator(".node.here.fresh").get_by_text("now 1.0").wait_for()
        for stage in (2, 3, 4):
            page.keyboard.press("ArrowRight")
            twin.stage = stage
            widget.locator(".words").get_by_text(twin.counts()).wait_for()
        assert widget.locator(".node.gone").count() == 6
        assert widget.locator(".node.gone.fresh").count() == 4
        page.screenshot(path=shots / "graph_passes_prune.png")
        widget.get_by_role("button", name="fuse").press("Enter")
        twin.stage = 5
        widget.locator(".words").get_by_text(twin.counts()).wait_for()
        assert widget.locator(".node.inside").count() == 3
        assert widget.get_by_role("button", name="Next pass").is_disabled()
        widget.get_by_text("Read the graph as a table").click()
        rows = widget.locator(".cells tbody tr").all_inner_texts()
        assert [row.split("\t") for row in rows] == [list(row) for row in twin.rows()]
        page.screenshot(path=shots / "graph_passes.png")
        widget.focus()
        page.keyboard.press("Home")
        widget.locator(".words").get_by_text("kernels 7").wait_for()
        assert widget.locator(".node.here").count() == 10
