"""`autograder adopt`: an edited solution notebook back into its lesson."""

from __future__ import annotations

import argparse
from pathlib import Path

from autograder.course import find_course
from autograder.lesson.adopt import adopt, write
from autograder.lesson.model import display

SUMMARY = "fold an edited solution notebook back into its lesson.py"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("notebook", type=Path, metavar="NOTEBOOK", help="a notebook of solutions/")


def run(args: argparse.Namespace) -> int:
    """Adopt and say what changed."""
    adoption = adopt(find_course(), args.notebook)
    shown = display(adoption.path)
    if not adoption.changes:
        print(f"{shown} says the same already.")
        return 0
    write(adoption)
    print(f"{shown} adopted:")
    for change in adoption.changes:
        print(f"  {change}")
    print("Run `autograder build` to make the notebooks from it.")
    return 0
