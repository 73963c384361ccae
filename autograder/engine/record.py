"""What grading one notebook gives: plain records, one per test cell, and each cell's outputs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from autograder.checks import verdict
from autograder.master import MasterCell


@dataclass(frozen=True)
class Record:
    """The verdict on one behaviour.

    Points are `max_points` for a pass, 0 for anything else; a plain cell can earn a part of them.
    """

    grade_id: str
    exercise: str
    behaviour: str
    verdict: str
    points: float
    max_points: float
    message: str = ""
    misconception: str | None = None
    printed: str = ""
    signature: str = ""
    lost: str = ""
    trust: str = ""
    """"" for the tester's own verdict; "plain" for one read off outputs, see `plain`."""

    def outputs(self, sentence: str = "") -> list[dict[str, Any]]:
        """Return the verdict as the test cell's outputs in a notebook."""
        shown = f"{self.exercise} · {self.behaviour}"
        outputs: list[dict[str, Any]] = []
        if self.printed:
            outputs.append({"output_type": "stream", "name": "stdout", "text": self.printed})
        if self.verdict == "pass":
            text = f"{shown}: pass\n"
            return [*outputs, {"output_type": "stream", "name": "stdout", "text": text}]
        words = verdict.text(shown, sentence, self.message, self.misconception)
        error = {"output_type": "error", "ename": "NotYet", "evalue": self.message[:500]}
        return [*outputs, error | {"traceback": words.splitlines()}]


@dataclass
class Run:
    """What one notebook gave: a record per test cell, and each code cell's outputs."""

    records: dict[str, Record] = field(default_factory=dict)
    outputs: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    crashed: str | None = None


def record_of(cell: MasterCell, found: dict[str, Any] | None) -> Record:
    """Return the record of a test cell; without the tester's word there are no points."""
    if found is None:
        found = {"verdict": "error", "message": "the tester gave no verdict"}
    word = str(found.get("verdict", "error"))
    return Record(
        grade_id=cell.grade_id or "",
        exercise=cell.exercise or "",
        behaviour=cell.behaviour or "",
        verdict=word,
        points=cell.points if word == "pass" else 0.0,
        max_points=cell.points,
        message=str(found.get("message", "")),
        misconception=found.get("misconception"),
        printed=str(found.get("printed", "")),
        signature=str(found.get("signature", "")),
        lost=str(found.get("lost", "")),
    )
