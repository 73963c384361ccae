"""How a check ends: passed, failed for a reason the student can read, or broken itself."""

from __future__ import annotations

import textwrap


class Failed(Exception):
    """The student's answer is not right; the message is for them."""


class Fault(Exception):
    """The check itself is broken; the message is for its author, and no student is to blame."""


class StudentRaised(Exception):
    """Student code raised an exception while it was asked."""

    def __init__(self, kinds: list[str], message: str, trail: list[str]) -> None:
        super().__init__(message)
        self.kinds = kinds
        self.message = message
        self.trail = trail
        self.given = ""
        """What the code was called with, in words; "" where nobody said."""

    def words(self) -> str:
        """Return the student's traceback, trimmed to their own lines."""
        what = "your code" if self.trail else "calling your code, or using what it returned,"
        head = f"{what} raised {self.kinds[0]}"
        head += f": {self.message}" if self.message else ""
        lines = [*self.trail, f"called with {self.given}"] if self.given else self.trail
        return "\n".join([head, *("    " + line for line in lines)])


class NotYet(Exception):
    """A failed check as a notebook shows it: the verdict's text, without a traceback."""

    def _render_traceback_(self) -> list[str]:
        """Tell IPython to print the verdict and nothing of ours."""
        return str(self).splitlines()


def text(title: str, sentence: str, failure: str, misconception: str | None) -> str:
    """Return the verdict that a student reads when a check fails."""
    parts = [f"{title}: not yet", *_filled(sentence), "", failure]
    if misconception:
        parts += ["", "A known mistake that behaves like this:", *_filled(misconception)]
    return "\n".join(parts)


def _filled(words: str) -> list[str]:
    """Return words as indented lines; a notebook's output area breaks long ones inside a word."""
    return textwrap.wrap(words, 88, initial_indent="  ", subsequent_indent="  ")
