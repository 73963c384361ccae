"""One page for notation, words and where each term is treated: it knows every lesson."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "course.md"


def headers() -> dict[str, dict[str, Any]]:
    """Return the `autograder` part of each lesson's header, by folder."""
    found = {}
    for path in sorted((ROOT / "lessons").glob("*/lesson.py")):
        head = path.read_text(encoding="utf-8").split("# ---\n")[1]
        text = "\n".join(line[2:] for line in head.splitlines())
        found[path.parent.name] = yaml.safe_load(text)["jupyter"]["autograder"]
    return found


def index() -> str:
    """Return the table of terms as it should stand on the page."""
    rows = [
        (term, folder[:2], place)
        for folder, header in headers().items()
        for term, place in header["covers"].items()
    ]
    lines = [f"| {t} | {n} | {p} |" for t, n, p in sorted(rows, key=lambda r: r[0].casefold())]
    return "\n".join(["| term | lesson | exercise or heading |", "|---|---|---|", *lines])


def test_the_index_is_that_of_the_lessons() -> None:
    assert index() in PAGE.read_text(encoding="utf-8"), "python -m tests.test_course_page writes it"


def test_words_are_sorted_and_explained_once() -> None:
    part = PAGE.read_text(encoding="utf-8").split("## Words")[1].split("##")[0]
    words = re.findall(r"^\| ([^|]+?) \|", part, re.MULTILINE)[1:]
    words = [w for w in words if set(w) != {"-"}]
    assert len(words) > 20
    assert words == sorted(words, key=str.casefold)
    assert len(set(words)) == len(words)


def main() -> int:
    """Write the index into the page."""
    text = PAGE.read_text(encoding="utf-8")
    start = text.index("Made from the `covers:` map")
    head = text[:start] + "Made from the `covers:` map in each lesson's header.\n\n"
    PAGE.write_text(head + index() + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
