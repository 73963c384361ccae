"""`autograder grade LESSON`: grade a class into nbgrader's gradebook."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from autograder.course import find_course
from autograder.engine import require_sandbox
from autograder.errors import Problem
from autograder.grading.canary import why_not_fast
from autograder.grading.classroom import Classroom, Plan
from autograder.grading.onerun import peak_memory
from autograder.grading.rows import Row
from autograder.grading.table import number, table
from autograder.grading.workers import WORKERS_HIGHEST
from autograder.sandbox.view import offered

SUMMARY = "Grade the submissions of a lesson into the gradebook."


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument("lesson", help="the lesson's name or number")
    parser.add_argument(
        "--submitted", type=Path, metavar="DIR",
        help="where they lie, as DIR/<student>/<lesson>/<notebook>.ipynb (default: submitted)",
    )  # fmt: skip
    parser.add_argument(
        "--student", action="append", metavar="ID", help="only this student (may be repeated)"
    )
    parser.add_argument(
        "--again", action="store_true", help="grade what has not changed since it was graded, too"
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--workers", type=int, default=1, metavar="N", help="run N submissions at once (default: 1)"
    )
    where.add_argument(
        "--cluster", metavar="ADDRESS", help="run them on the Dask cluster of this scheduler"
    )  # fmt: skip
    parser.add_argument(
        "--engine", choices=("fast", "stock"), default="fast",
        help="fast: our two processes (default); stock: nbgrader's own autograde",
    )  # fmt: skip
    parser.add_argument(
        "--require-sandbox", action="store_true",
        help="refuse to grade where submissions cannot be closed in",
    )  # fmt: skip
    parser.add_argument(
        "--db", metavar="URL",
        help="gradebook, a file or postgresql://... (default: the course's own)",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(args: argparse.Namespace) -> int:
    """Grade, print the table, and return 1 when a submission was refused or failed."""
    plan = _plan(args)
    room = Classroom(find_course(), args.lesson, args.submitted, args.db)
    rows: list[Row] = []
    started = time.monotonic()
    try:
        room.grade(args.student, _engine(args, room), _say, rows, plan)
    except KeyboardInterrupt:
        _say(f"stopped after {len(rows)} submission(s); what they got is kept.")
        _show(rows, args.json)
        raise
    except Problem:
        if rows:
            _say(f"stopped after {len(rows)} submission(s); what they got is kept.")
            _show(rows, args.json)
        raise
    _show(rows, args.json)
    _say(cost(rows, time.monotonic() - started))
    return 1 if any(row.status in ("refused", "error") for row in rows) else 0


def _engine(args: argparse.Namespace, room: Classroom) -> str:
    """Return the engine that was asked for, unless the canary turned it off for this lesson."""
    reason = why_not_fast(room.course, room.lesson) if args.engine == "fast" else ""
    if reason and args.require_sandbox:
        raise Problem(f"{reason} With --require-sandbox nothing is graded.")
    if reason:
        _say(reason)
    return "stock" if reason else str(args.engine)


def _plan(args: argparse.Namespace) -> Plan:
    if not 1 <= args.workers <= WORKERS_HIGHEST:
        raise Problem(f"--workers takes a number from 1 to {WORKERS_HIGHEST}, not {args.workers}.")
    if args.engine == "stock" and (args.workers > 1 or args.cluster or args.require_sandbox):
        raise Problem(
            "nbgrader's own engine knows no --workers, --cluster or --require-sandbox; "
            "leave them out, or use --engine fast."
        )
    if args.require_sandbox and not args.cluster:
        require_sandbox()
    elif args.engine == "fast" and not args.cluster and (reason := offered()):
        _say(f"warning: no sandbox, so submissions run with your rights: {reason}.")
    return Plan(args.workers, args.cluster, args.again, args.require_sandbox)


def _say(line: str) -> None:
    print(line, file=sys.stderr)


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
    unchanged = sum(row.unchanged for row in rows)
    before = f"; {unchanged} unchanged since an earlier run (--again grades them)"
    changed = sum(row.score_changed for row in rows)
    pending = sum(row.manual_pending for row in rows)
    suspicious = sum(bool(row.suspicions) for row in rows)
    plain = max((sum("trust" in one for one in row.exercises.values()) for row in rows), default=0)
    return "".join(
        (
            f"{len(rows)} submissions: {said}",
            before if unchanged else "",
            f"; {changed} with another score than before" if changed else "",
            f"; {pending} answer(s) wait for marks by hand in formgrader" if pending else "",
            f"; {suspicious} with something to look at (--json lists it)" if suspicious else "",
            ".",
            f" {plain} plain test(s) ran beside the students' code: lower trust." if plain else "",
        )
    )


def cost(rows: list[Row], seconds: float) -> str:
    """Return one line about time and memory."""
    ran = sum(not row.unchanged for row in rows)
    each = f", {seconds / ran:.2f} s each" if ran else ""
    peak = peak_memory()
    memory = f"; at most {peak:.0f} MB in this process" if peak else ""
    return f"{seconds:.1f} s{each}{memory}."
