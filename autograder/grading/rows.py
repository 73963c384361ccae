"""One row for each student: what `grade` prints, returns as JSON and keeps in its ledger."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from autograder.grading.assignment import Assignment
from autograder.grading.marks import Marks
from autograder.grading.table import number
from autograder.grading.unit import Outcome

Progress = Callable[[str], None]
UNCHANGED = "Unchanged."
CHANGED = "Score changed:"


@dataclass(frozen=True)
class Row:
    """One student's line of the table and entry of `grade --json`."""

    student: str
    lesson: str
    status: str
    score: float
    max_score: float
    manual_pending: int
    seconds: float
    message: str
    exercises: dict[str, dict[str, Any]] = field(default_factory=dict)
    suspicions: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the entry of `grade --json`."""
        return {**self.__dict__, "suspicions": list(self.suspicions)}

    @property
    def unchanged(self) -> bool:
        """Whether the submission was graded before, and nothing has changed since."""
        return self.message.startswith(UNCHANGED)

    @property
    def score_changed(self) -> bool:
        """Whether an earlier run had given another score."""
        return self.message.startswith(CHANGED)

    def with_marks(self, marks: Marks) -> Row:
        """Return this row with what the gradebook says now."""
        return dataclasses.replace(self, **marks.__dict__)

    def saying(self, *words: str) -> Row:
        """Return this row with sentences in front of its message."""
        said = " ".join(filter(None, (*words, self.message)))
        return dataclasses.replace(self, message=said)


def from_json(data: dict[str, Any]) -> Row:
    """Return the row that `to_json` wrote."""
    return Row(**{**data, "suspicions": tuple(data["suspicions"])})


def together(assignment: Assignment, outcomes: Sequence[Outcome]) -> Outcome:
    """Return one outcome for a whole submission; what it names is named after its part."""
    first, several = outcomes[0], len(outcomes) > 1
    said = {outcome.part: outcome.message for outcome in outcomes if outcome.message}
    same = len(said) == len(outcomes) and len(set(said.values())) == 1
    words = [f"{part}: {_ended(text)}" if several else text for part, text in said.items()]
    return dataclasses.replace(
        first,
        part="",
        status=_status({outcome.status for outcome in outcomes}),
        message=first.message if same else " ".join(words),
        seconds=round(sum(outcome.seconds for outcome in outcomes), 3),
        exercises={
            assignment.label(outcome.part, name): one
            for outcome in outcomes
            for name, one in outcome.exercises.items()
        },
        suspicions=tuple(
            f"{outcome.part}: {text}" if several else text
            for outcome in outcomes
            for text in outcome.suspicions
        ),
        detail="\n".join(outcome.detail for outcome in outcomes if outcome.detail),
        records={},
        outputs={},
    )


def _status(states: set[str]) -> str:
    """Return the status of a submission whose parts have these."""
    if "error" in states:
        return "error"
    if states <= {"refused", "missing"}:
        return "refused"
    return "graded" if states == {"graded"} else "partial"


def _ended(text: str) -> str:
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."


def row_of(outcome: Outcome, marks: Marks) -> Row:
    """Return the row of a submission that is in the gradebook."""
    return Row(
        outcome.student, outcome.lesson, outcome.status, marks.score, marks.max_score,
        marks.manual_pending, outcome.seconds, outcome.message, outcome.exercises,
        outcome.suspicions,
    )  # fmt: skip


def change(before: Marks | None, now: Marks) -> str:
    """Return a sentence about a score that is another one than before, or ''."""
    if before is None or abs(before.score - now.score) < 1e-9:
        return ""
    return f"{CHANGED} {number(before.score)} -> {number(now.score)}."


def exercises_from_points(
    assignment: Assignment, points: dict[str, float]
) -> dict[str, dict[str, Any]]:
    """Return exercises from the gradebook's points alone, as nbgrader's own run leaves them."""
    exercises: dict[str, dict[str, Any]] = {}
    for master in assignment.parts:
        for cell in master.tests():
            name = assignment.label(master.part, cell.exercise or cell.grade_id or "")
            one = exercises.setdefault(name, {"points": 0.0, "max_points": 0.0})
            grade_id = assignment.label(master.part, cell.grade_id or "")
            one["points"] += points.get(grade_id, 0.0)
            one["max_points"] += cell.points
    for one in exercises.values():
        whole, some = one["points"] >= one["max_points"], one["points"] > 0
        one |= {"verdict": "pass" if whole else "partial" if some else "fail", "message": ""}
    return exercises


def sentence(words: str) -> str:
    """Return words with a capital at the start."""
    return words[:1].upper() + words[1:]


class Clock:
    """Says how far the class is and how long the rest may take."""

    def __init__(self, total: int, say: Progress) -> None:
        self.total, self.say = total, say
        self.done = self.ran = 0
        self.started = time.monotonic()

    @property
    def seconds(self) -> float:
        """How long it has taken so far."""
        return time.monotonic() - self.started

    def tick(self, row: Row) -> None:
        """Say that a student's row is there."""
        self.done += 1
        self.ran += not row.unchanged
        # What was unchanged took no time and says nothing about the rest.
        each = self.seconds / max(self.ran, 1)
        left = each * (self.total - self.done)
        rest = f", about {left:.0f} s left" if self.done < self.total else ""
        what = "unchanged" if row.unchanged else row.status
        self.say(f"[{self.done}/{self.total}] {row.student}: {what}{rest}")
