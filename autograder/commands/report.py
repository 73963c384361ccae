"""`autograder report LESSON`: what a class can do and what it trips over."""

from __future__ import annotations

import argparse
import json

from autograder.course import find_course
from autograder.errors import Problem
from autograder.grading.bridge import Bridge
from autograder.grading.report import Line, class_report
from autograder.grading.table import table

SUMMARY = "Show how a class did on each behavior, and its commonest misconceptions."


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument("lesson", help="the lesson's name or number")
    parser.add_argument("--db", metavar="URL", help="gradebook (default: the course's own)")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(args: argparse.Namespace) -> int:
    """Print the table."""
    course = find_course()
    lesson = course.lesson(args.lesson)
    lines = class_report(Bridge(course, args.db), lesson)
    if not lines:
        raise Problem(f"nothing is graded for {lesson}; run `autograder grade` first.")
    if args.json:
        print(json.dumps([line.to_json() for line in lines], indent=1))
    else:
        heads = ("exercise", "behaviour", "passed", "no answer", "commonest reason for losing it")
        print(table(heads, [_row(line) for line in lines]))
        if any(line.trust for line in lines):
            print("* ran beside the students' code, which could have changed its verdict.")
    return 0


def _row(line: Line) -> tuple[str, ...]:
    reason, count = line.commonest
    percent = f" ({100 * line.passed / line.answered:.0f} %)" if line.answered else ""
    share = f"{line.passed}/{line.answered}{percent}"
    why = f"{reason} ({count})" if reason else ""
    name = (line.behaviour or line.exercise) + (" *" if line.trust else "")
    return line.exercise, name, share, str(line.blank or ""), why
