"""`autograder grade LESSON`: grade a class into nbgrader's gradebook."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from autograder.course import find_course
from autograder.grading.classroom import Classroom, Row
from autograder.grading.table import number, table

SUMMARY = "Grade the submissions of a lesson into the gradebook."


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument("lesson", help="the lesson's name or number")
    parser.add_argument(
        "--submitted", type=Path, metavar="DIR",
        help="where submissions lie, as DIR/<student>/<lesson>/<lesson>.ipynb (default: submitted)",
    )  # fmt: skip
    parser.add_argument(
        "--student", action="append", metavar="ID", help="only this student (may be repeated)"
    )
    parser.add_argument(
        "--engine", choices=("fast", "stock"), default="fast",
        help="fast: our two processes (default); stock: nbgrader's own autograde",
    )  # fmt: skip
    parser.add_argument("--db", metavar="URL", help="gradebook (default: the course's own)")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(args: argparse.Namespace) -> int:
    """Grade, print the table, and return 1 when a submission was refused or failed."""
    room = Classroom(find_course(), args.lesson, args.submitted, args.db)
    rows: list[Row] = []
    try:
        room.grade(args.student, args.engine, lambda line: print(line, file=sys.stderr), rows)
    except KeyboardInterrupt:
        print(f"stopped after {len(rows)} submission(s); what they got is kept.", file=sys.stderr)
        _show(rows, args.json)
        raise
    _show(rows, args.json)
    return 1 if any(row.status in ("refused", "error") for row in rows) else 0


def _show(rows: list[Row], as_json: bool) -> None:
    if as_json:
        print(json.dumps([row.to_json() for row in rows], indent=1))
        return
    print(class_table(rows))
    print(summary(rows))


def class_table(rows: list[Row]) -> str:
    """Return the table of a graded class."""
    lines = [
        (
            row.student,
            row.status,
            f"{number(row.score)}/{number(row.max_score)}",
            str(row.manual_pending) if row.manual_pending else "",
            row.message,
        )
        for row in rows
    ]
    return table(("student", "status", "score", "by hand", "message"), lines)


def summary(rows: list[Row]) -> str:
    """Return one line about the whole class."""
    counts = {
        status: sum(row.status == status for row in rows)
        for status in ("graded", "partial", "refused", "error")
    }
    said = ", ".join(f"{count} {status}" for status, count in counts.items() if count)
    pending = sum(row.manual_pending for row in rows)
    by_hand = f"; {pending} answer(s) wait for marks by hand in formgrader" if pending else ""
    suspicious = sum(bool(row.suspicions) for row in rows)
    looked = f"; {suspicious} with something to look at (--json lists it)" if suspicious else ""
    return f"{len(rows)} submissions: {said}{by_hand}{looked}."
