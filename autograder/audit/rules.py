"""What the rows of an audit must say: `RULES`, a function each, and what is merely worth telling.

The solution and right answers lose nothing, not even of later exercises. A blank notebook earns
nothing. A wrong answer loses every behaviour that it names, a mutant at least one or is excused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from autograder.audit.audit import Audit, Row
from autograder.audit.bench import TOO_SLOW


def violations(audit: Audit) -> list[str]:
    """Return a sentence for everything that should not be; an empty list is a good lesson."""
    found = list(audit.plan.stale)
    found += [
        f"{audit.plan.lesson.folder}: cell {index + 1} of the solved notebook raises {words}"
        for index, words in audit.raised.items()
    ]
    for row in audit.rows:
        found += [f"{title(row)} {words}" for rule in RULES for words in rule(row, audit)]
    return found


def remarks(audit: Audit) -> list[str]:
    """Return a line for each thing worth a look that is no failure.

    Wrong answers that lose more than they name; free cells too slow with a right answer.
    """
    lines = []
    for row in audit.rows:
        slow = [index for index, words in row.raised.items() if words == TOO_SLOW]
        if row.candidate.kind == "right" and slow:
            lines.append(f"{title(row)}: with it, cell {slow[0] + 1} of the notebook {TOO_SLOW}")
        more = [name for name in row.lost if name not in row.candidate.loses]
        if row.candidate.kind == "wrong" and row.candidate.loses and more:
            lines.append(f"{title(row)} also loses {', '.join(more)}")
    return lines


def title(row: Row) -> str:
    """Return how an answer is called in a sentence."""
    one = row.candidate
    if one.kind in ("solution", "blank"):
        return f"{one.exercise}: the {one.kind}"
    if one.kind == "mutant":
        return f"{one.exercise}: mutant {one.name} ({one.where})"
    return f"{one.exercise}: {one.kind} answer {one.name} ({one.where})"


Rule = Callable[[Row, Audit], Iterator[str]]


def nothing_lost(row: Row, audit: Audit) -> Iterator[str]:
    """The solution and right answers keep every behaviour, those of later exercises included."""
    if row.candidate.kind in ("solution", "right"):
        for item in (*row.findings, *row.elsewhere):
            if not item.kept:
                yield f"loses {item.cell.grade_id}: {first_line(item.message)}"


def nothing_earned(row: Row, audit: Audit) -> Iterator[str]:
    """A blank notebook has 0 points."""
    if row.candidate.kind == "blank":
        for item in row.findings:
            if item.kept:
                yield f"notebook earns {item.cell.grade_id}"


def named_lost(row: Row, audit: Audit) -> Iterator[str]:
    """A wrong answer loses what it names, or without a name anything."""
    if row.candidate.kind == "wrong":
        for name in row.candidate.loses:
            if name not in row.lost:
                yield f"keeps {name}, which it must lose"
        if not row.lost:
            yield "loses nothing, so it earns full points"


def mutant_killed(row: Row, audit: Audit) -> Iterator[str]:
    """A mutant loses something, or stands in the list of equivalent ones, never both."""
    if row.candidate.kind == "mutant":
        if row.lost and row.candidate.excused is not None:
            yield f"is listed as equivalent but loses {', '.join(row.lost)}; take the entry out"
        if not row.lost and row.candidate.excused is None:
            yield "survives: no behaviour notices it"


def cell_runs(row: Row, audit: Audit) -> Iterator[str]:
    """A right or wrong answer's cell runs by itself, and a right one breaks no later cell."""
    one = row.candidate
    place = audit.plan.cell(one.exercise).index
    for index, words in row.raised.items():
        if index == place and one.kind in ("right", "wrong"):
            yield f"raises by itself, before it is asked anything: {first_line(words)}"
        elif words == TOO_SLOW:
            return  # what this cell would have bound is missing below; `remarks` tells of it
        elif one.kind == "right" and index not in audit.raised:
            yield f"makes cell {index + 1} of the notebook raise {first_line(words)}"


def checks_hold(row: Row, audit: Audit) -> Iterator[str]:
    """A check gives a verdict on every answer; it never breaks on one."""
    for item in (*row.findings, *row.elsewhere):
        if item.broken:
            yield f"breaks the check {item.cell.grade_id} itself: {first_line(item.broken)}"


RULES: tuple[Rule, ...] = (
    nothing_lost,
    nothing_earned,
    named_lost,
    mutant_killed,
    cell_runs,
    checks_hold,
)


def first_line(text: str, width: int = 160) -> str:
    """Return the first line of a message, cut to `width` characters."""
    line = text.strip().split("\n", 1)[0]
    return line if len(line) <= width else line[: width - 1] + "…"
