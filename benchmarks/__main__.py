"""Time what should be fast: `make bench`, or `make bench ARGS="--repeat 9 lesson"` for a part.

Each row is the median of several runs, after one that does not count. Nothing here passes or fails:
compare two states of the tree on the same quiet machine.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial

from autograder.course import find_course
from autograder.engine import Engine
from autograder.master import read_master

Task = Callable[[], object]


def commands() -> Iterator[tuple[str, Task]]:
    """Yield what a person waits for before anything happens."""
    for title, words in (
        ("start python", ["-c", "pass"]),
        ("import autograder.checks", ["-c", "import autograder.checks"]),
        ("autograder --help", ["-m", "autograder", "--help"]),
        ("autograder lab --help", ["-m", "autograder", "lab", "--help"]),
    ):
        command = [sys.executable, *words]
        yield title, partial(subprocess.run, command, capture_output=True, check=True)


def lessons(stack: ExitStack) -> Iterator[tuple[str, Task]]:
    """Yield a whole solved notebook, every test asked in two processes, for each lesson."""
    course = find_course()
    engine = stack.enter_context(Engine())
    for name in course.lesson_names():
        cells = read_master(course.master(name)).cells
        yield f"lesson {name}", partial(engine.run, cells)


def median(task: Task, repeat: int) -> float:
    """Return the median time of a task in seconds."""
    task()
    times = []
    for _ in range(repeat):
        begun = time.perf_counter()
        task()
        times.append(time.perf_counter() - begun)
    return statistics.median(times)


def main() -> int:
    """Print a row for each thing timed."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("only", nargs="?", default="", help="time only what has this in its name")
    parser.add_argument("--repeat", type=int, default=3, metavar="N", help="runs of each")
    args = parser.parse_args()
    with ExitStack() as stack:
        for title, task in (*commands(), *lessons(stack)):
            if args.only in title:
                print(f"{median(task, args.repeat) * 1000:9.1f} ms  {title}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
