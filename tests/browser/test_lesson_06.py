"""Lesson 06's picture, `ModuleTree`: in a page without a kernel, and in the lesson itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from chainrule.widgets import ModuleTree, write_page
from chainrule.widgets.assets import module

from .jupyterlab import Notebook

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from .conftest import OpenPage

pytestmark = pytest.mark.browser

LESSON = "work/06_modules/06_modules.ipynb"
WITHOUT_OLD_PLACE = """\
class Registry(Store):
    def __setattr__(self, name, value):
        old = registered(self, name)
        home = next((k for k in ("_parameters", "_modules") if isinstance(value, KINDS[k])), old)
        if home is None:
            return object.__setattr__(self, name, value)
        if home not in self.__dict__:
            raise AttributeError(f"call super().__init__() before setting {name!r}")
        if not isinstance(value, (KINDS[home], type(None))):
            raise TypeError(f"{name!r} stands in {home}")
        self.__dict__[home][name] = value

    def __getattr__(self, name):
        if kind := registered(self, name):
            return self.__dict__[kind][name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
"""
RIGHT = WITHOUT_OLD_PLACE.replace(
    "        self.__dict__[home][name] = value\n",
    "        if old != home:\n"
    "            (self.__dict__[old] if old else self.__dict__).pop(name, None)\n"
    "        self.__dict__[home][name] = value\n",
)
DESCRIBE = """async ([source, states]) => {
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const { describe } = await import(url);
  return states.map((state) => describe(state));
}"""


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_page(tmp_path_factory.mktemp("page") / "tree.html", ModuleTree())


def expect(page: Page, tree: ModuleTree) -> None:
    """Wait until the page says what the text form of `tree` says."""
    page.locator(".words").get_by_text(tree.words(), exact=True).wait_for()
    for row in tree.rows():
        line = page.locator(f'tr[data-path="{"" if row[0] == "net" else row[0]}"]')
        assert line.locator("td.count").text_content() == row[3]
        freeze = line.get_by_role("button", name=f"freeze {row[0]}, now {row[5]}")
        assert freeze.count() == 1, row
        assert line.get_by_role("button", name=f"mode of {row[0]}: {row[6]}").count() == 1, row


def test_the_browser_counts_what_python_counts(open_page: OpenPage) -> None:
    trees = []
    for tied, frozen, quiet in ((False, [], []), (True, ["1.linear1"], ["1"]), (True, ["0"], [""])):
        tree = ModuleTree()
        tree.tied = tied
        for path in frozen:
            tree.freeze(path)
        for path in quiet:
            tree.mode(path, False)
        trees.append(tree)
    keys = ("nodes", "params", "ties", "frozen", "training", "tied")
    states = [{key: getattr(tree, key) for key in keys} for tree in trees]
    with open_page() as page:
        page.goto("about:blank")
        answers = page.evaluate(DESCRIBE, [module("module_tree.js"), states])
    for tree, answer in zip(trees, answers, strict=True):
        assert answer["words"] == tree.words()
        for node, row, line in zip(tree.nodes, answer["rows"], tree.rows(), strict=True):
            assert row["counts"] == tree.counts(node["path"])
            assert (row["weights"], row["mode"]) == line[5:]


def test_mouse_and_keys_freeze_and_switch(
    open_page: OpenPage, page_file: Path, shots: Path
) -> None:
    tree = ModuleTree()
    with open_page(width=900, height=620) as page:
        page.goto(page_file.as_uri())
        expect(page, tree)
        page.screenshot(path=shots / "module_tree.png")
        page.get_by_role("button", name="freeze 0, now trained").click()
        tree.freeze("0")
        expect(page, tree)
        lamp = page.get_by_role("button", name="mode of 1: train")
        lamp.focus()
        page.keyboard.press("Enter")
        tree.mode("1", False)
        expect(page, tree)
        page.get_by_role("checkbox").check()
        tree.tied = True
        expect(page, tree)
        page.get_by_role("button", name="freeze 1.linear2, now trained").press("Space")
        tree.freeze("1.linear1")
        expect(page, tree)
        page.screenshot(path=shots / "module_tree_frozen.png")
        page.get_by_role("button", name="mode of net: train, some below not").click()
        tree.mode("", False)
        expect(page, tree)
        assert page.get_by_role("button", name="freeze 2, now none").is_disabled()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_narrow_page_fits(open_page: OpenPage, page_file: Path, shots: Path, scheme: str) -> None:
    with open_page(width=600, height=700, color_scheme=scheme) as page:
        page.goto(page_file.as_uri())
        expect(page, ModuleTree())
        page.get_by_role("button", name="freeze 1, now trained").click()
        page.get_by_role("button", name="mode of 2: train").click()
        page.get_by_role("button", name="mode of 2: eval").wait_for()
        page.screenshot(path=shots / f"module_tree_{scheme}_600.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= 600


@pytest.mark.slow
def test_in_the_lesson(lab: str, course: Path, open_page: OpenPage, shots: Path) -> None:
    with open_page() as page:
        lesson = Notebook(page, lab, course, LESSON)
        for cell in ("setup", "store", "plant"):
            lesson.run(cell)
        lesson.write("registry", WITHOUT_OLD_PLACE)
        lesson.run("registry")
        lesson.run("registry-again")
        verdict = lesson.printed("registry-again")
        page.screenshot(path=shots / "lesson_06_wrong_answer.png")
        assert verdict.startswith("registry · again: not yet")
        assert "A known mistake that behaves like this" in verdict
        lesson.write("registry", RIGHT)
        lesson.run("registry")
        for behaviour in ("assigned", "again", "missing"):
            lesson.run(f"registry-{behaviour}")
            assert lesson.printed(f"registry-{behaviour}") == f"registry · {behaviour}: pass"
        widget = lesson.run(lesson.find("from chainrule.widgets import ModuleTree"))
        widget.get_by_role("button", name="freeze 0, now trained").click()
        widget.get_by_text("242 numbers in 10 arrays; 162 are trained").first.wait_for()
        page.screenshot(path=shots / "lesson_06_tree.png")
