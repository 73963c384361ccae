"""Regions that nbgrader takes out of the release: `### BEGIN SOLUTION` to its end, and kin.

Nothing is stripped here. nbgrader's own preprocessors do that; this module says where regions are,
so that a crooked one is refused with its line before nbgrader meets it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

KINDS = ("SOLUTION", "HIDDEN TESTS", "MARK SCHEME")
_EXACT = re.compile(rf"\s*### (BEGIN|END) ({'|'.join(KINDS)})\s*")
_LOOSE = re.compile(rf"(BEGIN|END)\s+({'|'.join(KINDS)})")


@dataclass(frozen=True)
class Region:
    """Lines `first` to `last` of a source, counted from 1, markers included."""

    kind: str
    first: int
    last: int

    def __contains__(self, line: object) -> bool:
        return isinstance(line, int) and self.first <= line <= self.last


def regions(source: str) -> list[Region]:
    """Return the regions of a cell; ValueError(line, sentence) if a marker is misspelt or alone."""
    found: list[Region] = []
    opened: tuple[str, int] | None = None
    for number, line in enumerate(source.split("\n"), start=1):
        match = _EXACT.fullmatch(line)
        if match is None:
            if _LOOSE.search(line):
                raise ValueError(number, "a region marker stands alone on its line: ### BEGIN ...")
            continue
        edge, kind = match.groups()
        if edge == "BEGIN":
            if opened:
                raise ValueError(number, f"### BEGIN {kind} stands inside another region; end it.")
            opened = (kind, number)
        elif opened is None or opened[0] != kind:
            raise ValueError(number, f"### END {kind} has no ### BEGIN {kind} before it.")
        else:
            found.append(Region(kind, opened[1], number))
            opened = None
    if opened:
        kind, number = opened
        raise ValueError(number, f"### BEGIN {kind} is never ended; add ### END {kind}.")
    return found


def visible(source: str) -> Iterator[tuple[int, str]]:
    """Yield (line number from 1, line) of the lines outside all regions."""
    hidden = regions(source)
    for number, line in enumerate(source.split("\n"), start=1):
        if not any(number in region for region in hidden):
            yield number, line


def take(source: str, kind: str) -> tuple[str, list[str]]:
    """Split off the regions of `kind`: (the rest of the source, their texts with markers)."""
    lines = source.split("\n")
    taken = [region for region in regions(source) if region.kind == kind]
    rest = [
        line
        for number, line in enumerate(lines, start=1)
        if not any(number in region for region in taken)
    ]
    return "\n".join(rest), ["\n".join(lines[item.first - 1 : item.last]) for item in taken]
