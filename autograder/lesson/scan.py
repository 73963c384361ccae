"""Proves that a release does not give away what it must hide.

What is hidden: solution regions, hidden tests, mark schemes, and the bodies of right and wrong
answers. A leak is three of its consecutive lines found together in any file of the release, in any
cell, output or metadata. Lines are compared with white space folded; comments, blank lines and
lines of punctuation alone do not count. A long line of prose (60 characters or more) of a model
answer or a rubric counts by itself, and a region of one or two lines counts together with the
lines around it in its cell.

Not a leak, but told: a window that stands, in one piece, in code that the lesson shows by itself
(a given cell, a free code cell, the visible part of an answer or test cell). The first lines of a
wrong answer are such: its `def` and docstring stand in the exercise too. Hints, prose and metadata
excuse nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.lesson.model import Answer, Lesson, display
from autograder.lesson.regions import regions

WINDOW = 3
LONG_PROSE = 60
TEXT_LIMIT = 8 * 2**20
Lines = tuple[str, ...]


@dataclass(frozen=True)
class Secret:
    """Consecutive normalised lines that must not be in a release, and where they come from."""

    lines: Lines
    what: str
    path: Path
    line: int


@dataclass(frozen=True)
class Leak:
    """A secret found in a release."""

    secret: Secret
    file: str
    place: str
    """`cell 4`, `metadata of cell 4`, or '' for a plain file."""

    def __str__(self) -> str:
        where = f"{self.file}, {self.place}" if self.place else self.file
        origin = f"{display(self.secret.path)}:{self.secret.line}"
        return f"{where} holds lines of {self.secret.what} ({origin}): {self.secret.lines[0]!r} ..."


@dataclass(frozen=True)
class Scan:
    """Outcome of a scan: what leaks, and what the lesson shows by itself."""

    leaks: tuple[Leak, ...]
    shown: tuple[Leak, ...]


def scan(lesson: Lesson, answers: Iterable[Answer], released: Mapping[str, bytes]) -> Scan:
    """Look for a lesson's secrets in the files of its release (path -> bytes)."""
    hidden: dict[Lines, Secret] = {}
    for secret in secrets(lesson, answers):
        hidden.setdefault(secret.lines, secret)
    open_code = set(_shown(lesson))
    leaks: list[Leak] = []
    shown: list[Leak] = []
    for name, data in released.items():
        for place, text in texts(name, data):
            lines = normalise(text.split("\n"))
            for window in _windows_of(lines):
                if window in hidden:
                    leak = Leak(hidden[window], name, place)
                    excused = window in open_code and not place.startswith("metadata")
                    (shown if excused else leaks).append(leak)
    return Scan(tuple(dict.fromkeys(leaks)), tuple(dict.fromkeys(shown)))


def secrets(lesson: Lesson, answers: Iterable[Answer]) -> Iterator[Secret]:
    """Yield every window that must stay hidden."""
    for cell in lesson.cells:
        lines = cell.source.split("\n")
        for region in regions(cell.source):
            what = f"the {region.kind.lower()} region of '{cell.grade_id}'"
            numbers = range(region.first + 1, region.last)
            line = cell.at(region.first)
            for window in _secret_windows(lines, numbers, prose=cell.kind == "markdown"):
                yield Secret(window, what, lesson.path, line)
    for answer in answers:
        lines = answer.source.split("\n")
        what = f"the {answer.kind} answer '{answer.name}' to '{answer.exercise}'"
        for window in _secret_windows(lines, range(1, len(lines) + 1), prose=False):
            yield Secret(window, what, answer.path, answer.line)


def normalise(lines: Iterable[str]) -> list[str]:
    """Return the lines that count, white space folded."""
    return [text for text in map(_fold, lines) if text]


def texts(name: str, data: bytes) -> Iterator[tuple[str, str]]:
    """Yield (place, text) of everything readable in a file of a release."""
    if len(data) > TEXT_LIMIT or b"\0" in data[:1024]:
        return
    text = data.decode("utf-8", errors="replace")
    if not name.endswith(".ipynb"):
        yield "", text
        return
    notebook = json.loads(text)
    for index, cell in enumerate(notebook.pop("cells", [])):
        yield f"cell {index}", _joined(cell.pop("source", ""))
        for string in _strings(cell):
            yield f"metadata of cell {index}", string
    for string in _strings(notebook):
        yield "metadata of the notebook", string


def _fold(line: str) -> str:
    line = re.sub(r"(^|\s)#.*$", "", line)
    line = " ".join(line.split())
    return line if re.search(r"\w", line) else ""


def _windows_of(lines: list[str]) -> Iterator[Lines]:
    for start, line in enumerate(lines):
        if len(line) >= LONG_PROSE:
            yield (line,)
        if start + WINDOW <= len(lines):
            yield tuple(lines[start : start + WINDOW])


def _secret_windows(lines: list[str], numbers: range, prose: bool) -> Iterator[Lines]:
    """Yield the windows of lines `numbers` (from 1) of a source, or around them if they are few."""
    kept = [(number, text) for number, text in enumerate(map(_fold, lines), 1) if text]
    inside = [text for number, text in kept if number in numbers]
    if prose:
        yield from ((text,) for text in inside if len(text) >= LONG_PROSE)
    if len(inside) >= WINDOW:
        yield from (tuple(inside[i : i + WINDOW]) for i in range(len(inside) - WINDOW + 1))
    elif inside:
        positions = [i for i, (number, _) in enumerate(kept) if number in numbers]
        everything = [text for _, text in kept]
        first = max(0, positions[-1] - WINDOW + 1)
        last = min(positions[0], len(everything) - WINDOW)
        yield from (tuple(everything[i : i + WINDOW]) for i in range(first, last + 1))


def _shown(lesson: Lesson) -> Iterator[Lines]:
    """Yield the windows of code that the lesson shows, none across a hidden region."""
    for cell in lesson.cells:
        if cell.kind != "code":
            continue
        hidden = regions(cell.source)
        stretch: list[str] = []
        for number, text in enumerate(cell.source.split("\n"), start=1):
            if any(number in region for region in hidden):
                yield from _windows_of(normalise(stretch))
                stretch = []
            else:
                stretch.append(text)
        yield from _windows_of(normalise(stretch))


def _joined(value: Any) -> str:
    return "".join(value) if isinstance(value, list) else str(value)


def _strings(value: Any) -> Iterator[str]:
    """Yield every string in JSON data; a list of strings also as the text it may be."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _strings(item)
    elif isinstance(value, list):
        if value and all(isinstance(item, str) for item in value):
            yield "\n".join(item.rstrip("\n") for item in value)
        else:
            for item in value:
                yield from _strings(item)
