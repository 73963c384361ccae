"""What the gradebook says about submissions, marks given by hand included."""

from __future__ import annotations

from dataclasses import dataclass

from nbgrader.api import (
    Assignment,
    Grade,
    Gradebook,
    SubmittedAssignment,
    SubmittedNotebook,
)


@dataclass(frozen=True)
class Marks:
    """The points of one submission after any penalty, and how many answers wait for a person."""

    score: float
    max_score: float
    manual_pending: int


def read_marks(gradebook: Gradebook, lesson: str, student: str | None = None) -> dict[str, Marks]:
    """Return the marks of a lesson by student, of one student only where one is named."""
    query = (
        gradebook.db.query(
            SubmittedAssignment.student_id,
            SubmittedNotebook.id,
            SubmittedNotebook.late_submission_penalty,
            Grade.score,
            Grade.max_score,
            Grade.needs_manual_grade,
        )
        .join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
        .join(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .join(Grade, Grade.notebook_id == SubmittedNotebook.id)
        .filter(Assignment.name == lesson)
    )
    if student is not None:
        query = query.filter(SubmittedAssignment.student_id == student)
    found: dict[str, list[tuple[float, float, bool]]] = {}
    penalties: dict[str, dict[str, float]] = {}
    for name, notebook, penalty, score, highest, waits in query:
        found.setdefault(name, []).append((score, highest, waits))
        penalties.setdefault(name, {})[notebook] = penalty or 0.0
    return {
        name: Marks(
            score=max(0.0, float(sum(row[0] for row in rows)) - sum(penalties[name].values())),
            max_score=float(sum(row[1] for row in rows)),
            manual_pending=sum(bool(row[2]) for row in rows),
        )
        for name, rows in found.items()
    }
