"""What a class can do and what it trips over, one line per behaviour.

Points come from the gradebook; the reasons come from the records in the graded notebooks.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import nbformat
from nbgrader import utils

from autograder.grading.assignment import label
from autograder.grading.bridge import Bridge
from autograder.grading.unit import UNANSWERED, first_line


@dataclass
class Line:
    """One behaviour in a class."""

    exercise: str
    behaviour: str
    asked: str
    passed: int = 0
    answered: int = 0
    blank: int = 0
    trust: str = ""
    """"plain": its verdicts were read off what a cell printed beside the students' code."""
    reasons: Counter[str] = field(default_factory=Counter)

    @property
    def commonest(self) -> tuple[str, int]:
        """Return the commonest reason for losing this behaviour, and how often it came."""
        return self.reasons.most_common(1)[0] if self.reasons else ("", 0)

    def to_json(self) -> dict[str, Any]:
        """Return the line as JSON-ready data."""
        reasons = [{"message": text, "count": count} for text, count in self.reasons.most_common(3)]
        return {**self.__dict__, "reasons": reasons}


def class_report(bridge: Bridge, lesson: str) -> list[Line]:
    """Return a line per test of a lesson, over everybody who is graded."""
    lines: dict[str, Line] = {}
    parts = bridge.parts(lesson)
    for student in bridge.graded_students(lesson):
        points = bridge.points(student, lesson)
        for part, path in bridge.graded_parts(student, lesson, parts).items():
            named = functools.partial(label, parts, part)
            for cell in nbformat.read(path, as_version=4).cells:
                if utils.is_grade(cell) and not utils.is_solution(cell):
                    _count(lines, cell, points, named)
    return list(lines.values())


def _count(
    lines: dict[str, Line], cell: Any, points: dict[str, float], named: Callable[[str], str]
) -> None:
    ours, theirs = cell.metadata.get("autograder", {}), cell.metadata.nbgrader
    grade_id = named(theirs["grade_id"])
    exercise = named(ours.get("exercise", theirs["grade_id"]))
    line = lines.setdefault(
        grade_id, Line(exercise, ours.get("behaviour", ""), ours.get("sentence", ""))
    )
    record = ours.get("record", {})
    line.trust = line.trust or record.get("trust", "")
    passed = points.get(grade_id, 0.0) >= float(theirs["points"])
    if not passed and (not record or record.get("message") == UNANSWERED):
        line.blank += 1
        return
    line.answered += 1
    line.passed += passed
    reason = "" if passed else record.get("misconception") or record.get("message")
    if reason:
        line.reasons[first_line(reason)] += 1
