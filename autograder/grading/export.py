"""Grades as a CSV table that a spreadsheet opens without running anything.

It is an export plugin of nbgrader, so that its own command can use it too:

    nbgrader export --exporter=autograder.grading.export.SafeCsv --to grades.csv
"""

from __future__ import annotations

import csv
import io
import unicodedata
from typing import Any

from nbgrader.api import Assignment, Gradebook, MissingEntry, SubmittedAssignment
from nbgrader.plugins import ExportPlugin

from autograder.grading.assignment import label
from autograder.grading.table import number, one_line

FORMULA = ("=", "+", "-", "@", "|", "%")
"""What a spreadsheet takes for the start of a formula or a command, in full width, too."""

Row = dict[str, Any]


def safe_cell(value: Any) -> str:
    """Return a value as a spreadsheet may show it: text stays text, on one line."""
    if value is None:
        return ""
    if isinstance(value, int | float):
        return number(float(value))
    text = one_line(str(value))
    narrow = unicodedata.normalize("NFKC", text[:1])
    return f"'{text}" if narrow.startswith(FORMULA) else text


def lesson_rows(gradebook: Gradebook, lesson: str) -> list[Row]:
    """Return a row per student with the points of each exercise of one lesson."""
    assignment = gradebook.find_assignment(lesson)
    exercise = _exercises(assignment)
    rows = []
    for student in gradebook.students:
        points = dict.fromkeys(exercise.values(), 0.0)
        submission = _submission(gradebook, lesson, student.id)
        for notebook in submission.notebooks if submission else ():
            for grade in notebook.grades:
                points[exercise[notebook.name, grade.name]] += float(grade.score)
        rows.append(_about(student) | points | _totals(submission, assignment.max_score))
    return rows


def course_rows(gradebook: Gradebook, lessons: list[str]) -> list[Row]:
    """Return a row per student with the totals of every lesson and of all together."""
    rows = []
    for student in gradebook.students:
        row, score, highest = _about(student), 0.0, 0.0
        for lesson in lessons:
            assignment = gradebook.find_assignment(lesson)
            totals = _totals(_submission(gradebook, lesson, student.id), assignment.max_score)
            shown = ("score", "max", "by_hand_pending")
            row |= {f"{lesson} {name}": totals[name] for name in shown}
            score, highest = score + totals["score"], highest + totals["max"]
        rows.append(row | {"score": score, "max": highest})
    return rows


def as_csv(rows: list[Row]) -> str:
    """Return rows as CSV text, every field quoted, lines ended as RFC 4180 says."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    if rows:
        writer.writerow([safe_cell(name) for name in rows[0]])
    for row in rows:
        writer.writerow([safe_cell(value) for value in row.values()])
    return text.getvalue()


def _exercises(assignment: Assignment) -> dict[tuple[str, str], str]:
    """Return the name of the exercise that each grade cell counts for."""
    notebooks = sorted(assignment.notebooks, key=lambda one: str(one.name))
    names = [one.name for one in notebooks]
    found = {}
    for notebook in notebooks:
        solutions = {cell.name for cell in notebook.solution_cells}
        for cell in (*notebook.grade_cells, *notebook.task_cells):
            exercise = _exercise(cell.name, solutions)
            found[notebook.name, cell.name] = label(names, notebook.name, exercise)
    return found


def _exercise(grade_id: str, solutions: set[str]) -> str:
    """Return the exercise of a grade cell: `forward-values` belongs to the answer `forward`."""
    name = grade_id.split("-", 1)[0]
    return name if name in solutions else grade_id


def _submission(gradebook: Gradebook, lesson: str, student: str) -> SubmittedAssignment | None:
    try:
        return gradebook.find_submission(lesson, student)
    except MissingEntry:
        return None


def _about(student: Any) -> Row:
    return {
        "student": student.id,
        "last_name": student.last_name,
        "first_name": student.first_name,
        "email": student.email,
    }


def _totals(submission: SubmittedAssignment | None, highest: float) -> Row:
    if submission is None:
        totals: Row = {"score": 0.0, "late_penalty": 0.0, "by_hand_pending": 0}
        return totals | {"max": float(highest), "handed_in": "no", "timestamp": None}
    pending = sum(
        bool(grade.needs_manual_grade)
        for notebook in submission.notebooks
        for grade in notebook.grades
    )
    penalty = float(submission.late_submission_penalty or 0.0)
    return {
        "score": max(0.0, float(submission.score) - penalty),
        "late_penalty": penalty,
        "by_hand_pending": pending,
        "max": float(highest),
        "handed_in": "yes",
        "timestamp": submission.timestamp,
    }


class SafeCsv(ExportPlugin):
    """nbgrader's export with quoting, a row per student, and no formula left alive."""

    def export(self, gradebook: Gradebook) -> None:
        """Write the table to `self.to` (default grades.csv)."""
        lessons = [str(name) for name in self.assignment] or [
            assignment.name for assignment in gradebook.assignments
        ]
        one = len(lessons) == 1
        rows = lesson_rows(gradebook, lessons[0]) if one else course_rows(gradebook, lessons)
        chosen = {str(student) for student in self.student}
        rows = [row for row in rows if not chosen or row["student"] in chosen]
        with open(self.to or "grades.csv", "w", newline="", encoding="utf-8") as file:
            file.write(as_csv(rows))
