"""`autograder lab`: a student's copies, and JupyterLab on the first lesson."""

from __future__ import annotations

import argparse
import datetime
import errno
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from autograder.course import Course, find_course
from autograder.environ import jupyter_environment
from autograder.errors import Problem
from autograder.start.notebook import write_start

SUMMARY = "fill work/ with copies of the notebooks where they are missing, and open JupyterLab"
# Arguments that argparse does not know go to `jupyter lab` as they are.
PASSES_ON = True


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.allow_abbrev = False
    parser.usage = "autograder lab [--reset LESSON] [arguments of jupyter lab ...]"
    parser.add_argument(
        "--reset",
        metavar="LESSON",
        help="take a fresh copy of this lesson; yours is kept beside it under the time of day",
    )


def run(args: argparse.Namespace) -> int:
    """Fill `work/`, then become JupyterLab."""
    course = find_course()
    passed_on: list[str] = args.passed_on
    check_port(passed_on)
    chosen = None
    if args.reset is not None:
        chosen = course.lesson(args.reset)
        kept = set_aside(course, chosen)
        print(f"your copy is kept in {kept}" if kept else f"there was no copy of {chosen} yet")
    lessons = released(course)
    for lesson in lessons:
        if fill(course.notebooks / lesson, course.work / lesson):
            print(f"work/{lesson} is ready")
    write_start(course)
    return start(command(course, chosen or lessons[0], passed_on), course.root)


def released(course: Course) -> list[str]:
    """Return the folder names of the lessons that can be handed out, in order."""
    names = [name for name in course.lesson_names() if course.releases(name)[0].is_file()]
    if not names:
        raise Problem(
            f"there is no notebook in {course.notebooks}; run `autograder build`, which makes them."
        )
    return names


def fill(source: Path, target: Path) -> int:
    """Copy each file of a released lesson that the student does not have; return how many.

    A file that exists is never touched.
    """
    count = 0
    for path in sorted(source.rglob("*")):
        place = target / path.relative_to(source)
        if not path.is_file() or place.exists() or ".ipynb_checkpoints" in path.parts:
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        part = place.with_name(f".{place.name}.part")
        shutil.copyfile(path, part)
        os.replace(part, place)
        count += 1
    return count


def set_aside(course: Course, lesson: str, now: datetime.datetime | None = None) -> Path | None:
    """Rename the student's copy of a lesson to one that says when; return where it is now."""
    mine = course.work / lesson
    if not mine.exists():
        return None
    moment = (now or datetime.datetime.now()).strftime("%Y-%m-%d_%H-%M-%S")
    kept = mine.with_name(f"{lesson}.kept_{moment}")
    count = 1
    while kept.exists():
        count += 1
        kept = mine.with_name(f"{lesson}.kept_{moment}_{count}")
    os.rename(mine, kept)
    return kept


def value_of(arguments: Sequence[str], *names: str) -> str | None:
    """Return the last value given to one of these options, as `--name value` or `--name=value`."""
    value = None
    for position, argument in enumerate(arguments):
        name, equals, rest = argument.partition("=")
        if name in names:
            value = rest if equals else next(iter(arguments[position + 1 :]), None)
    return value


def check_port(arguments: Sequence[str]) -> None:
    """Refuse a port that was asked for by number and is taken; raise Problem."""
    port = value_of(arguments, "--port", "--ServerApp.port")
    if port is None or not port.isdigit():
        return
    host = value_of(arguments, "--ip", "--ServerApp.ip") or "127.0.0.1"
    try:
        with socket.create_server(("" if host == "*" else host, int(port))):
            return
    except OverflowError:
        raise Problem(f"{port} is no port; ports end at 65535.") from None
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            return  # a host or a right that Jupyter will speak of better
    raise Problem(
        f"port {port} is taken by another program; name another one with --port, or leave it out "
        "and JupyterLab finds a free one."
    )


def command(course: Course, lesson: str, passed_on: Sequence[str]) -> list[str]:
    """Return the command that opens JupyterLab on the student's copy of a lesson."""
    page = f"/lab/tree/work/{quote(lesson)}/{quote(course.releases(lesson)[0].name)}"
    return [
        *(sys.executable, "-m", "jupyterlab"),
        f"--ServerApp.root_dir={course.root}",
        f"--LabApp.default_url={page}",
        *passed_on,
    ]


def start(words: Sequence[str], folder: Path) -> int:
    """Become the process that these words name, in `folder` (nbgrader reads its settings there)."""
    environment = jupyter_environment()
    sys.stdout.flush()
    if os.name == "nt":
        return subprocess.call(words, cwd=folder, env=environment)
    os.chdir(folder)
    os.execve(words[0], list(words), environment)
