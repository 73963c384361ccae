"""The text form of a widget: numbers and tables written as the browser writes them.

number(-0.5)                                  # '−0.5000'
print(table(("name", "value"), [("x", "1")]))
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_UP, Decimal


def number(value: float, digits: int = 4, plus: str = "") -> str:
    """Write `value` with `digits` decimals as `number` of common.js does.

    Ties go away from zero, the minus is a true one, zero has no sign, and from 1e5 on it is a power
    of ten with two decimals.
    """
    size = abs(float(value))
    if size >= 1e5:
        mantissa, exponent = f"{size:.2e}".split("e")
        text = f"{mantissa}e{int(exponent):+d}"
    else:
        text = f"{Decimal(size).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP):f}"
        if float(text) == 0:
            return text
    return ("−" if value < 0 else plus) + text


def signed(value: float, digits: int = 4) -> str:
    """Write `value` with its sign always shown, as gradients are."""
    return number(value, digits, plus="+")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of text: first and last column to the left, the others to the right."""
    lines = [tuple(head), *(tuple(row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    last = len(widths) - 1

    def cell(place: int, text: str) -> str:
        left = place in (0, last)
        return text.ljust(widths[place]) if left else text.rjust(widths[place])

    return "\n".join("  ".join(map(cell, range(last + 1), line)).rstrip() for line in lines)
