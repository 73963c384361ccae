"""An audit as a table that a teacher can read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from autograder.audit.audit import ORDER, Audit, Row
from autograder.audit.rules import remarks, violations
from autograder.grading.table import number, table

HEADS = ("exercise", "answers", "count", "full points", "caught", "by visible", "hidden only", "")


def text(audit: Audit, seconds: float, every_row: bool = False) -> str:
    """Return an audit's table, then what is wrong in sentences, then a line that sums up."""
    parts = [
        f"{audit.plan.lesson.folder}: {audit.plan.lesson.title}",
        table(HEADS, list(_lines(audit))),
    ]
    if every_row:
        parts.append(rows_table(audit.rows))
    if noted := remarks(audit):
        parts.append("\n".join(["Worth a look, no failure:", *_listed(noted)]))
    if found := violations(audit):
        parts.append("\n".join(["Not as it should be:", *_listed(found)]))
    parts.append(summary([audit], seconds))
    return "\n\n".join(parts)


def _listed(sentences: Sequence[str]) -> list[str]:
    return [f"  * {words}" for words in sentences]


def _lines(audit: Audit) -> Iterator[tuple[str, ...]]:
    for exercise in audit.plan.master.exercises:
        name = exercise
        for kind in ORDER:
            rows = [
                row
                for row in audit.rows
                if row.candidate.exercise == exercise and row.candidate.kind == kind
            ]
            if rows:
                yield name, kind, *_counts(rows)
                name = ""


def _counts(rows: Sequence[Row]) -> tuple[str, ...]:
    caught = [row for row in rows if row.lost]
    hidden = sum(row.visible for row in caught)
    excused = sum(row.candidate.excused is not None for row in rows)
    cells = (len(rows), len(rows) - len(caught), len(caught), len(caught) - hidden, hidden)
    return *(
        str(count) if count else "" for count in cells
    ), f"{excused} excused" if excused else ""


def rows_table(rows: Sequence[Row]) -> str:
    """Return one line per answer."""
    heads = ("exercise", "kind", "answer", "visible", "points", "loses")
    lines = [
        (
            row.candidate.exercise,
            row.candidate.kind,
            row.candidate.name,
            "pass" if row.visible else "fail",
            f"{number(row.points)}/{number(row.max_points)}",
            ", ".join(row.lost) + (" (excused)" if row.candidate.excused is not None else ""),
        )
        for row in rows
    ]
    return table(heads, lines)


def summary(audits: Sequence[Audit], seconds: float) -> str:
    """Return one line: how much was run, what was wrong, how long it took."""
    rows = [row for audit in audits for row in audit.rows]
    counts = ", ".join(
        f"{sum(row.candidate.kind == kind for row in rows)} {kind}" for kind in ORDER
    )
    wrong = sum(len(violations(audit)) for audit in audits)
    excused = sum(row.candidate.excused is not None for row in rows)
    verdict = f"{wrong} not as it should be" if wrong else "all as it should be"
    return f"{len(rows)} answers ({counts}): {verdict}, {excused} excused; {seconds:.0f} s."
