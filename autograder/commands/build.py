"""`autograder build`: lessons to solved and released notebooks."""

from __future__ import annotations

import argparse
import sys

from autograder.course import Course, find_course
from autograder.errors import Problem
from autograder.lesson.build import build_lesson, master_folders, stale, write
from autograder.lesson.model import display

SUMMARY = "build solved and released notebooks from the lessons' masters"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("lessons", nargs="*", metavar="LESSON", help="slug or number; default: all")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit 1 if any is stale"
    )
    parser.add_argument(
        "--canary", action="store_true",
        help="then grade each lesson's own answers with the fast engine and with nbgrader's; "
        "a difference on honest work exits 1 and turns the fast engine off for the lesson",
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Build, or with --check compare with what is there."""
    course = find_course()
    folders = wanted(course, args.lessons)
    found: list[str] = []
    for folder in folders:
        build = build_lesson(course, folder)
        for note in build.notes:
            print(note, file=sys.stderr)
        if args.check:
            found += stale(build, course)
            continue
        changed = write(build, course)
        print(f"{folder}: " + (", ".join(map(display, changed)) or "up to date"))
        for line in stale(build, course):
            print(f"warning: {line}", file=sys.stderr)
    if args.check:
        print("\n".join(found) or f"up to date: {', '.join(folders)}")
        if found:
            print("Run `autograder build`.")
    honest = _canaries(course, folders) if args.canary else True
    return 1 if found or not honest else 0


def _canaries(course: Course, folders: list[str]) -> bool:
    """Run the canary of each lesson and print what it found; False if honest work differs."""
    from autograder.grading.canary import sing  # takes nbgrader, which a build alone does not load

    good = True
    for folder in folders:
        found = sing(course, folder)
        print("\n".join(found.lines()), flush=True)
        good = good and not found.honest
    return good


def wanted(course: Course, names: list[str]) -> list[str]:
    """Return the lesson folders that `names` mean; all with a master when there are none."""
    if not course.lessons.is_dir():
        raise Problem(
            "this course has no lessons/ to build from; its solutions/ are edited directly, and "
            "`nbgrader generate_assignment` makes the release."
        )
    folders = [course.lesson(name) for name in names] or master_folders(course)
    if not folders:
        raise Problem("lessons/ is empty; `autograder new SLUG` makes a first lesson.")
    return folders
