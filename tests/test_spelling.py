"""Every word of the course is spelt the American way, and none stands twice in a row.

The dictionary is en_US of Hunspell, which chunspell brings. `words.txt` beside this file holds the
words of the course that no dictionary knows; `python -m tests.test_spelling` prints what is in
neither, with its places.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest
from hunspell import Hunspell

from tests.prose import GAP, ROOT, Passage, in_code, in_markdown, masters, passages

OWN = Path(__file__).with_name("words.txt")
SKIPPED = re.compile(
    r"https?://\S+"  # addresses
    rf"|{GAP}['’]?[^\W\d_]*"  # what is glued to code: the s of `Tensor`s
    r"|[\w./-]*(?:\w_|_\w|[^\W\d_]\.[^\W\d_]|/\w+/)[\w./-]*"  # some_name, module.py, a/path/
    r"|\w*\d\w*"  # float32, 4th, h1
    r"|[^\W_]*[\u0370-\u03ff²³¹\u1d2c-\u1d6a\u2070-\u209f][^\W_]*"  # Σx, eⁿ
    r"|\bd[A-Za-z]\b|\b[A-Z]\w+Error\b"  # dx, KeyError
)
WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
TWICE = re.compile(r"(?<![\w'’-])([^\W\d_]{2,})\s+\1(?![\w'’-])", re.IGNORECASE)

MEANT = ("that that", "had had")


@cache
def dictionary() -> Hunspell:
    return Hunspell("en_US")


@cache
def own() -> frozenset[str]:
    return frozenset(OWN.read_text(encoding="utf-8").split())


@cache
def known(word: str) -> bool:
    """Return whether a word is in the dictionary or in our list, where it may open a sentence."""
    word = re.sub(r"'s?$", "", word.replace("’", "'"))
    ours = word in own() or (word[1:].islower() and word.lower() in own())
    if len(word) < 2 or ours:
        return True
    latin = all(ord(letter) < 256 for letter in word)  # what the dictionary can be asked
    return latin and bool(dictionary().spell(word))


def words(text: str) -> list[str]:
    return WORD.findall(SKIPPED.sub(" ", text))


def unknown(found: Iterable[Passage]) -> dict[str, list[Passage]]:
    """Return the words that are in neither list, with the passages that hold them."""
    places: dict[str, list[Passage]] = defaultdict(list)
    for passage in found:
        for word in words(passage.text):
            if not known(word):
                places[word].append(passage)
    return dict(places)


def report(places: dict[str, list[Passage]]) -> str:
    rows = sorted(places.items(), key=lambda row: (row[0].casefold(), row[0]))
    return "\n".join(f"{word}: {', '.join(map(str, at[:4]))}" for word, at in rows)


@pytest.fixture(scope="module")
def everything() -> list[Passage]:
    return list(passages())


def test_every_word_is_known(everything: list[Passage]) -> None:
    found = unknown(everything)
    assert not found, (
        f"correct these, or add them to {OWN.name} if they are right:\n{report(found)}"
    )


def test_no_word_stands_twice_in_a_row(everything: list[Passage]) -> None:
    found = [(str(p), m[0]) for p in everything for m in TWICE.finditer(p.text)]
    assert [row for row in found if row[1].casefold() not in MEANT] == []


def test_all_kinds_of_text_are_read(everything: list[Passage]) -> None:
    """A reader that finds nothing would pass everything."""
    counts: dict[str, int] = defaultdict(int)
    for passage in everything:
        counts[str(passage.path.relative_to(ROOT))] += len(words(passage.text))
    for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "docs/course.md"):
        assert counts[name] > 100, name
    for path in (path for path in masters() if path.name == "lesson.py"):
        assert counts[str(path.relative_to(ROOT))] > 500, path
    assert sum(counts.values()) > 20_000


def test_our_words_are_sorted_and_in_no_dictionary() -> None:
    rows = OWN.read_text(encoding="utf-8").split("\n")
    assert rows.pop() == ""
    assert rows == sorted(set(rows), key=lambda word: (word.casefold(), word))
    assert [word for word in rows if word.isascii() and dictionary().spell(word)] == []


@pytest.mark.parametrize(
    "text",
    [
        "We recieve a gradient.",
        "## The recieve rule",
        "| word |\n|---|\n| recieve |",
        "[to recieve it](page.md)",
        "![to recieve it](picture.png)",
        "*Recieve* it",
        "<details><summary>recieve</summary>",
        "Recieve's shape",
    ],
)
def test_a_misspelling_is_found_in_a_page(text: str) -> None:
    (word,) = unknown(in_markdown(text, ROOT / "page.md"))
    assert word.casefold().startswith("recieve")


@pytest.mark.parametrize(
    "source",
    [
        "# We recieve a gradient.\ndef f(): ...",
        "x = 1  # recieve it",
        'def f():\n    """Recieve a gradient."""',
        'require(ok, "you recieve a gradient twice")',
        'raise ValueError(f"cannot recieve a gradient of {shape}")',
        "%matplotlib inline\n# recieve it",
    ],
)
def test_a_misspelling_is_found_in_code(source: str) -> None:
    (word,) = unknown(in_code(source, ROOT / "lesson.py"))
    assert word.casefold() == "recieve"


@pytest.mark.parametrize("word", ["colour", "normalise", "behaviour", "labelled", "licence"])
def test_british_spelling_is_found(word: str) -> None:
    assert not known(word) and not known(word.capitalize())


@pytest.mark.parametrize(
    "text",
    [
        "`recieve`, `Recieve`s, `x = recieve(1)`",
        "    recieve = 1",
        "```\nrecieve\n```",
        "$recieve + x$ and\n\n$$\nrecieve\n$$",
        "<https://example.org/recieve> and [this](https://example.org/recieve)",
        "<img class='recieve'> and https://example.org/recieve.",
        "recieve_it, recieve.py, chainrule.recieve, a/recieve/b, recieve32, Σrecieve, RecieveError",
    ],
)
def test_what_is_no_prose_is_left_out(text: str) -> None:
    assert unknown(in_markdown(text, ROOT / "page.md")) == {}


def test_a_word_that_stands_twice_is_found() -> None:
    (passage,) = in_markdown("the sum of the\nthe rows", ROOT / "page.md")
    assert TWICE.findall(passage.text) == ["the"]


if __name__ == "__main__":
    print(report(unknown(passages())))
