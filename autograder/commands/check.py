"""`autograder check NOTEBOOK`: grade one notebook here and now, hidden behaviours included."""

from __future__ import annotations

import argparse
import json
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autograder.course import find_course

if TYPE_CHECKING:
    from autograder.grading.alone import Checked

SUMMARY = "grade one notebook here and now, hidden behaviors included; records nothing"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("notebook", type=Path, metavar="NOTEBOOK", help="a notebook of a lesson")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(args: argparse.Namespace) -> int:
    """Grade and print; 1 when a behaviour is not there yet."""
    from autograder.grading.alone import check_notebook

    checked = check_notebook(find_course(), args.notebook)
    if args.json:
        print(json.dumps(checked.to_json(), indent=1))
    else:
        print("\n".join(lines(checked)))
    return 0 if checked.points >= checked.max_points else 1


def lines(checked: Checked) -> Iterator[str]:
    """Yield what a learner reads: each exercise's behaviours, their verdicts, and the total."""
    from autograder.grading.table import number

    yield f"{checked.master.folder}: {checked.master.title}"
    for note in (*checked.rebuilt.notes, *checked.rebuilt.suspicions):
        yield f"  note: {note}"
    for name, one in checked.outcome.exercises.items():
        yield ""
        score = f"{number(one['points'])} of {number(one['max_points'])} points"
        if not checked.answered(name):
            yield f"{name}: {score}, not answered yet"
            continue
        yield f"{name}: {score}"
        for cell in checked.tests(name):
            yield from _behaviour(checked.behaviour(cell))
    yield ""
    for cell in checked.manual:
        yield f"{cell.grade_id}: read and marked by a person, {number(cell.points)} points"
    yield f"total: {number(checked.points)} of {number(checked.max_points)} points"


def _behaviour(one: dict[str, Any]) -> Iterator[str]:
    from autograder.grading.table import number

    passed = one["verdict"] == "pass"
    points = number(one["max_points"])
    yield f"  {'pass' if passed else 'not yet':<8} {one['behaviour']} ({points}): {one['sentence']}"
    if not passed:
        yield from _indented(one["message"])
        if one["misconception"]:
            yield from _indented("A known mistake that behaves like this:")
            yield from _indented("  " + one["misconception"])


def _indented(text: str) -> Iterator[str]:
    """Yield lines under their behaviour, without what could move a terminal's cursor."""
    for line in text.splitlines():
        clean = "".join(char if char.isprintable() else "�" for char in line)
        yield textwrap.indent(clean, " " * 11)
