"""Lesson 14's piece, `TreeBatches`: typed, stepped and read in a page without a kernel."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from chainrule.widgets import TreeBatches, write_page
from chainrule.widgets.assets import module
from chainrule.widgets.tree_batches_math import ORDERS, TreeError, parse

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from .conftest import OpenPage

pytestmark = pytest.mark.browser

SOURCES = [
    TreeBatches().source,
    "7",
    "1 - 2 - 3\n2 * 3 + 4 * 5\n\n((1))\n012 + 3",
    "1 + (1 + (1 + (1 + 1)))\n1 + 1",
    "1 +\n2", "(1", "1 2", "1000", "1 / 2", "²", "-1", "", "+".join("1" * 14),
]  # fmt: skip
COMPUTE = """async ([source, texts]) => {
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const { ORDERS, parseTrees, saidOf, tableRowsOf } = await import(url);
  return texts.map((text) => {
    try {
      const nodes = parseTrees(text);
      const said = (o) => [0, 1, 3, 99].map((step) => saidOf(nodes, o, step));
      return ORDERS.map((o) => [said(o), tableRowsOf(nodes, o)]);
    } catch (error) {
      return error.message;
    }
  });
}"""


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_page(tmp_path_factory.mktemp("page") / "trees.html", TreeBatches())


def expect(page: Page, trees: TreeBatches) -> None:
    """Wait until the page says what the text form of `trees` says."""
    page.locator(".said").get_by_text(trees.said(), exact=True).wait_for()


def test_the_browser_reads_trees_as_python_does(open_page: OpenPage) -> None:
    with open_page() as page:
        page.goto("about:blank")
        answers = page.evaluate(COMPUTE, [module("tree_batches_math.js"), SOURCES])
    for source, answer in zip(SOURCES, answers, strict=True):
        if isinstance(answer, str):
            with pytest.raises(TreeError) as error:
                parse(source)
            assert str(error.value) == answer
            continue
        for order, (words, rows) in zip(ORDERS, answer, strict=True):
            mine = TreeBatches(source=source, order=order)
            assert [tuple(row) for row in rows] == mine.rows()
            for step, said in zip((0, 1, 3, 99), words, strict=True):
                mine.step = step
                assert said == mine.said()


def test_trees_are_typed_and_calls_stepped(
    open_page: OpenPage, page_file: Path, shots: Path
) -> None:
    with open_page(width=1000, height=760) as page:
        page.goto(page_file.as_uri())
        trees = TreeBatches()
        expect(page, trees)
        assert page.locator(".node").count() == 21
        following = page.get_by_role("button", name="Next call")
        for trees.step in (1, 2):
            following.press("Enter")
            expect(page, trees)
        assert page.locator(".node.now").count() == 2
        assert page.locator(".node.made").count() == 14
        page.screenshot(path=shots / "tree_batches.png")
        page.get_by_role("slider", name="calls made").press("End")
        trees.step = 6
        expect(page, trees)
        page.get_by_role("button", name="Back").click()
        trees.step = 5
        expect(page, trees)
        page.get_by_role("radio", name="one by one").check()
        trees = TreeBatches(order="one by one")
        expect(page, trees)
        area = page.get_by_role("textbox", name="trees, one in a line")
        area.fill("1 +")
        page.get_by_text("Not yet: line 1: expected a number up to 999").wait_for()
        area.press_sequentially(" 2 * (3 - 4)")
        trees.source = "1 + 2 * (3 - 4)"
        expect(page, trees)
        assert page.locator(".node").count() == 7
        page.get_by_text("Read the calls as a table").click()
        cells = page.locator("tbody tr").last.locator("td").all_text_contents()
        assert tuple(cells) == trees.rows()[-1]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_narrow_page_fits(open_page: OpenPage, page_file: Path, shots: Path, scheme: str) -> None:
    with open_page(width=600, height=900, color_scheme=scheme) as page:
        page.goto(page_file.as_uri())
        expect(page, TreeBatches())
        page.get_by_role("slider", name="calls made").press("End")
        expect(page, TreeBatches(step=6))
        page.screenshot(path=shots / f"tree_batches_{scheme}_600.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= 600
