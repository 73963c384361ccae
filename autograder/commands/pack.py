"""`autograder pack`: the course as students get it."""

from __future__ import annotations

import argparse
from pathlib import Path

from autograder.course import find_course
from autograder.lesson.bundle import student_bundle
from autograder.lesson.model import display

SUMMARY = (
    "write the student bundle: notebooks, data sets, library and checks, no lessons or solutions"
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("target", type=Path, metavar="TARGET", help="a new folder or .zip file")


def run(args: argparse.Namespace) -> int:
    """Write the bundle."""
    place = student_bundle(find_course(), args.target)
    print(f"{display(place)} is ready to hand out.")
    return 0
