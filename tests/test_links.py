"""Every link leads to a file and a heading that exist; what leaves the course is sound https.

Nothing here reaches for the network. `python -m tests.test_links` lists the outside addresses, one
a line with the places that name it, for whoever wants to visit them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from markdown_it.token import Token
from mdit_py_plugins.anchors import anchors_plugin

from autograder.lesson.model import Cell
from tests.prose import ROOT, Passage, cells, in_code, in_markdown, masters, pages, parser, rglob

LESSONS = [path for path in masters() if path.name == "lesson.py"]
HOST = re.compile(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}")
BARE = re.compile(r"https?://[^\s<>\"'`]+")
LOST = re.compile(r"\]\[|\]: ?\S+://")
NAMESPACES = ("http://www.w3.org/",)
"""Names that look like addresses; nobody visits them."""


def links(text: str, path: Path, before: int = 0) -> Iterator[Passage]:
    """Return the targets of links and pictures in a text."""
    for block in parser().parse(text):
        line = before + 1 + (block.map[0] if block.map else 0)
        for token in block.children or []:
            target = token.attrs.get("href", token.attrs.get("src"))
            if target is not None:
                yield Passage(path, line, unquote(str(target)))


def lesson_text(path: Path) -> list[Cell]:
    return [cell for cell in cells(path) if cell.kind == "markdown"]


@cache
def links_of(path: Path) -> list[Passage]:
    """Return the links of a page or a lesson."""
    if path.suffix == ".md":
        return list(links(path.read_text(encoding="utf-8"), path))
    return [one for cell in lesson_text(path) for one in links(cell.source, path, cell.body - 1)]


def all_links() -> list[Passage]:
    return [link for path in [*pages(), *LESSONS] for link in links_of(path)]


def headings(text: str) -> Iterator[tuple[str, str]]:
    """Return each heading's words and the anchor that GitHub gives it."""
    tokens = parser().use(anchors_plugin, max_level=6).parse(text)
    for opened, inline in pairwise(tokens):
        if opened.type == "heading_open":
            yield "".join(map(plain, inline.children or [])), str(opened.attrs["id"])


def plain(token: Token) -> str:
    return token.content if token.type in ("text", "code_inline") else ""


@cache
def anchors(path: Path) -> frozenset[str]:
    """Return what may stand behind the # of a link to a page or, given its master, a lesson.

    JupyterLab keeps a heading's words and puts a - for each space.
    """
    if path.suffix == ".md":
        return frozenset(anchor for _, anchor in headings(path.read_text(encoding="utf-8")))
    found = (words for cell in lesson_text(path) for words, _ in headings(cell.source))
    return frozenset(words.replace(" ", "-") for words in found)


def goal(start: Path, name: str) -> Path:
    """Return the file that a relative link means; for a lesson's notebook its master.

    A lesson is read two folders deep, as notebook and as master alike.
    """
    path = (start.parent / name).resolve() if name else start
    master = ROOT / "lessons" / path.stem / "lesson.py"
    return master if path.suffix == ".ipynb" and path.parent.name == path.stem else path


def broken(link: Passage) -> str:
    """Return what is wrong with a link, '' if nothing."""
    address = urlsplit(link.text)
    if address.scheme or address.netloc:
        return unsound(link.text)
    path = goal(link.path, address.path)
    if not path.exists():
        return f"{link}: there is no {address.path}"
    if not path.is_relative_to(ROOT):
        return f"{link}: {address.path} lies outside the course"
    if not address.fragment:
        return "" if address.path else f"{link}: an empty link"
    if path.suffix != ".md" and path.name != "lesson.py":
        return f"{link}: {path.name} has no headings"
    known = anchors(path)
    return "" if address.fragment in known else f"{link}: no #{address.fragment} in {path.name}"


def unsound(address: str) -> str:
    """Return what is wrong with an outside address, '' if nothing."""
    parts = urlsplit(address)
    whole = parts.scheme == "https" and HOST.fullmatch(parts.netloc)
    odd = re.search(r"[\s\\{}|^`\"<>]|[.,;:]$", address)
    return "" if whole and not odd else f"{address} is no https address of the usual form"


def outside() -> dict[str, list[Passage]]:
    """Return every outside address in links, comments and strings, with its places."""
    found: dict[str, list[Passage]] = defaultdict(list)
    for link in all_links():
        if "://" in link.text:
            found[link.text].append(link)
    for path in [*masters(), *rglob("chainrule", "*.py")]:
        for passage in in_code(path.read_text(encoding="utf-8"), path):
            for address in BARE.findall(passage.text):
                if not address.startswith(NAMESPACES):
                    found[address.rstrip(").,;:")].append(passage)
    return dict(sorted(found.items()))


@pytest.mark.parametrize("path", [*pages(), *LESSONS], ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(path: Path) -> None:
    assert [what for link in links_of(path) if (what := broken(link))] == []


def test_links_are_read() -> None:
    """A reader that finds nothing would pass everything."""
    found = [link.path.name for link in all_links()]
    assert found.count("read_chainrule.md") > 15
    assert found.count("README.md") > 8 and found.count("lesson.py") > 10


def test_outside_addresses_are_sound_and_written_one_way() -> None:
    found = outside()
    assert len(found) > 15
    assert [what for address in found if (what := unsound(address))] == []
    spelt: dict[str, set[str]] = defaultdict(set)
    for address in found:
        spelt[re.sub(r"^https://(www\.)?|/$", "", address).lower()].add(address)
    assert [ways for ways in spelt.values() if len(ways) > 1] == []


def test_no_address_stands_in_the_open_and_no_reference_is_lost() -> None:
    """Markdown makes a link of <https://...> and of [words](https://...), and of nothing else."""
    texts = [(path, path.read_text(encoding="utf-8"), 0) for path in pages()]
    texts += [(p, c.source, c.body - 1) for p in LESSONS for c in lesson_text(p)]
    passages = [one for path, text, before in texts for one in in_markdown(text, path, before)]
    assert [str(p) for p in passages if BARE.search(p.text) or LOST.search(p.text)] == []


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[a](nowhere.md)", "no nowhere.md"),
        ("![a](images/nothing.png)", "no images/nothing.png"),
        ("[a](course.md#nowhere)", "no #nowhere in course.md"),
        ("[a](course.md#Words)", "no #Words"),
        ("[a](#nowhere)", "no #nowhere"),
        ("[a](../Makefile#help)", "no headings"),
        ("[a](../../elsewhere.md)", "no ../../elsewhere.md"),
        ("[a](../../../../..)", "outside"),
        ("[a](../lessons/01_why_frameworks/01_why_frameworks.ipynb#nowhere)", "no #nowhere"),
        ("[a](../solutions/99_none/99_none.ipynb)", "no ../solutions/99_none"),
        ("[a]()", "empty"),
        ("[a](http://example.org/)", "https"),
        ("[a](https://example/)", "https"),
        ("[a](//example.org/)", "https"),
        ("[a](https://example.org/.)", "https"),
        ("[a](https://me@example.org/)", "https"),
        ("[a](<https://example.org/a b>)", "https"),
        ("<ftp://example.org/>", "https"),
    ],
)
def test_a_broken_link_is_found(text: str, complaint: str) -> None:
    found = [broken(link) for link in links(text, ROOT / "docs" / "course.md")]
    assert [complaint in what for what in found] == [True]


@pytest.mark.parametrize(
    "text",
    [
        "[a](course.md#where-each-term-is-treated)",
        "[a](#notation)",
        "[a](../README.md#if-you-are-learning-alone)",
        "[a](../notebooks/01_why_frameworks/01_why_frameworks.ipynb#Why-frameworks)",
        "![a](images/tiny_net.png)",
        "<https://example.org/a_(b)?c=d#e> and `[a](nowhere.md)`",
    ],
)
def test_a_sound_link_is_let_pass(text: str) -> None:
    assert [
        what for link in links(text, ROOT / "docs" / "course.md") if (what := broken(link))
    ] == []


if __name__ == "__main__":
    for address, places in outside().items():
        print(address, *dict.fromkeys(map(str, places)))
