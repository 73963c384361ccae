"""`autograder export LESSON`: grades as a CSV table."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from nbgrader.api import MissingEntry

from autograder.course import find_course
from autograder.errors import Problem
from autograder.grading.bridge import Bridge
from autograder.grading.export import as_csv, course_rows, lesson_rows

SUMMARY = "Print the grades of a lesson, or of all lessons, as a CSV table."


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("lesson", nargs="?", help="the lesson's name or number")
    what.add_argument("--all", action="store_true", help="the totals of all lessons")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write to a file (default: print)")
    parser.add_argument("--db", metavar="URL", help="gradebook (default: the course's own)")


def run(args: argparse.Namespace) -> int:
    """Write the table."""
    course = find_course()
    lesson = None if args.all else course.lesson(args.lesson)
    with Bridge(course, args.db).gradebook() as gradebook:
        names = [assignment.name for assignment in gradebook.assignments]
        if not names:
            raise Problem("the gradebook is empty; run `autograder grade LESSON` first.")
        try:
            rows = lesson_rows(gradebook, lesson) if lesson else course_rows(gradebook, names)
        except MissingEntry:
            reason = f"{lesson} is not in the gradebook; run `autograder grade` first."
            raise Problem(reason) from None
    _write(as_csv(rows), args.csv)
    return 0


def _write(text: str, path: Path | None) -> None:
    if path is None:
        sys.stdout.write(text.replace("\r\n", "\n"))
        return
    scratch = path.with_name(f".{path.name}.part")
    try:
        scratch.write_text(text, encoding="utf-8", newline="")
        os.replace(scratch, path)
    except OSError as error:
        raise Problem(f"{path} cannot be written ({error.strerror}).") from None
    print(path)
