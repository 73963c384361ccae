"""Plain text tables for a terminal."""

from __future__ import annotations

from collections.abc import Sequence


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return rows under heads, columns as wide as they need; the last column is not padded."""
    clean = [[one_line(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(heads, *clean, strict=True)]
    lines = [heads, ["-" * width for width in widths], *clean]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def one_line(text: str) -> str:
    """Return a text that can do nothing to a terminal and keeps its row on one line."""
    flat = " ".join(text.split())
    return "".join(char if char.isprintable() else "�" for char in flat)


def number(value: float) -> str:
    """Return points without a needless `.0`."""
    return f"{value:.2f}".rstrip("0").rstrip(".")
