"""What a lesson must not do, beyond being well formed: the table `RULES`, a function each.

A finding is a warning or a refusal; both name the file and the line. The rules for test bodies are
in `lint_tests`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from autograder.lesson.lint_tests import TEST_RULES, TestCell
from autograder.lesson.model import Cell, Lesson, display
from autograder.lesson.notebook import built_cells, notebook_names
from autograder.lesson.parse import test_function

MAX_LINES = 25


@dataclass(frozen=True)
class Finding:
    """One thing a lint has to say."""

    path: Path
    line: int
    sentence: str
    refused: bool

    def __str__(self) -> str:
        word = "" if self.refused else "warning: "
        return f"{display(self.path)}:{self.line}: {word}{self.sentence}"


def lint(lesson: Lesson, released: Mapping[str, str]) -> list[Finding]:
    """Return what is wrong with a lesson, by line. `released`: cell id -> source in the release."""
    found = [
        Finding(lesson.path, line, sentence, refused)
        for rule, refused in RULES
        for line, sentence in rule(lesson, released)
    ]
    return sorted(set(found), key=lambda item: (item.line, item.sentence))


Flaw = tuple[int, str]


def long_cells(lesson: Lesson, released: Mapping[str, str]) -> Iterator[Flaw]:
    """A code cell that a student reads fits on a page of 25 lines.

    An answer counts solved or released, whichever is longer; of a test only what is released.
    """
    for built in built_cells(lesson, {}):
        cell = lesson.cells[built.origin]
        if cell.kind != "code" or built.part != "main":
            continue
        sizes = {} if cell.role == "tests" else {"solved": cell.source}
        sizes["released"] = released.get(built.node["id"], "")
        lengths = {what: _length(source) for what, source in sizes.items()}
        what = max(lengths, key=lengths.__getitem__)
        if lengths[what] > MAX_LINES:
            yield (
                cell.line,
                f"this {cell.role} cell has {lengths[what]} lines ({what}); "
                f"split what is over {MAX_LINES}.",
            )


def _length(source: str) -> int:
    return sum(not line.strip().startswith("### ") for line in source.strip("\n").split("\n"))


def covers_point_somewhere(lesson: Lesson, released: Mapping[str, str]) -> Iterator[Flaw]:
    """Each term of `covers:` names an exercise or a heading."""
    targets = {item.name for item in lesson.exercises} | set(_headings(lesson.cells))
    lines = lesson.header_text.split("\n")
    for term, target in lesson.covers.items():
        if target not in targets:
            line = next((n for n, text in enumerate(lines, 1) if f"{term}" in text), 1)
            yield (
                line,
                f"covers: '{term}' points to '{target}', which is neither an exercise nor the "
                "text of a heading in this lesson.",
            )


def _headings(cells: Iterable[Cell]) -> Iterator[str]:
    for cell in cells:
        if cell.kind == "markdown":
            for match in re.finditer(r"^#{1,6}\s+(.*?)\s*#*\s*$", cell.source, re.MULTILINE):
                yield match[1]


def test_bodies(lesson: Lesson, released: Mapping[str, str]) -> Iterator[Flaw]:
    """Test bodies keep the rules of the test contract."""
    names = frozenset(notebook_names(lesson))
    for cell in lesson.cells:
        if cell.role == "tests":
            test = TestCell(cell.source, test_function(cell), names)
            for rule in TEST_RULES:
                for line, sentence in rule(test):
                    yield cell.at(line), sentence


Rule = Callable[[Lesson, Mapping[str, str]], Iterable[Flaw]]
RULES: tuple[tuple[Rule, bool], ...] = (
    (long_cells, False),
    (covers_point_somewhere, True),
    (test_bodies, True),
)
"""(rule, whether a finding refuses the build)."""
