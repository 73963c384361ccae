"""`autograder new`: the skeleton of a lesson."""

from __future__ import annotations

import argparse

from autograder.course import find_course
from autograder.lesson.model import display
from autograder.lesson.skeleton import new_lesson

SUMMARY = "make the folder of a new lesson, with one small exercise that builds"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("slug", metavar="SLUG", help="its name, such as computational_graphs")


def run(args: argparse.Namespace) -> int:
    """Make the folder and say what to do next."""
    place = new_lesson(find_course(), args.slug)
    print(f"{display(place)} is there. Write in its lesson.py, then run `autograder build`.")
    return 0
