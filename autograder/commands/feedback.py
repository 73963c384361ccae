"""`autograder feedback LESSON`: one page per graded notebook."""

from __future__ import annotations

import argparse
import os
import sys

from autograder.course import find_course
from autograder.errors import Problem
from autograder.grading.bridge import Bridge, BridgeError
from autograder.grading.feedback import write_feedback

SUMMARY = "Write a feedback page for each graded submission of a lesson."


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument("lesson", help="the lesson's name or number")
    parser.add_argument(
        "--student", action="append", metavar="ID", help="only this student (may be repeated)"
    )
    parser.add_argument("--db", metavar="URL", help="gradebook (default: the course's own)")


def run(args: argparse.Namespace) -> int:
    """Write the pages; return 1 when one could not be written."""
    course = find_course()
    lesson = course.lesson(args.lesson)
    bridge = Bridge(course, args.db)
    graded = bridge.graded_students(lesson)
    for student in args.student or []:
        if student not in graded:
            raise Problem(f"nothing of '{student}' is graded for {lesson}; run `autograder grade`.")
    students = [student for student in graded if not args.student or student in args.student]
    if not students:
        raise Problem(f"nothing is graded for {lesson}; run `autograder grade` first.")
    failed = 0
    for student in students:
        try:
            for page in write_feedback(bridge, student, lesson):
                print(os.path.relpath(page))
        except BridgeError as error:
            failed += 1
            print(f"{student}: no page could be written: {error}", file=sys.stderr)
    return 1 if failed else 0
