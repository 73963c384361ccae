"""Time grading against stock nbgrader, in one run: `python -m benchmarks.grading [--json]`.

Stock is `NbGraderAPI.autograde` in this one process, its best case. Submissions go in blocks: stock
grades a block, then we do, with one worker. A ratio is stock's seconds over ours for the same
submission, and the median of a kind's ratios is what counts: an answer that never ends takes both
sides the same ten seconds. Two workers are at two submissions at once, so they get all of them, and
theirs is that ratio times how much sooner than one worker they are through. Both sides start warm.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import logging
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, TypeVar

from nbgrader.apps import NbGraderAPI

from autograder.course import Course, find_course
from autograder.engine import Engine, Session
from autograder.grading import classroom, intake
from autograder.grading.bridge import Bridge
from autograder.grading.classroom import Classroom, Plan, grading_seed, kernels_draw_from
from autograder.grading.table import table
from autograder.grading.trims import replaced
from autograder.grading.workers import Local
from benchmarks.submissions import CUTS, Cut, choose, hand_in, make_course, sources

T = TypeVar("T")
BLOCK = 10
WORKERS = (1, 2)


class Stock:
    """nbgrader's own autograde of one course, in this process."""

    def __init__(self, course: Course, cut: Cut) -> None:
        self.lesson, self.bridge = cut.lesson, Bridge(course)
        self.bridge.ensure_assignment(cut.lesson)
        self.api = NbGraderAPI(coursedir=self.bridge.coursedir, config=self.bridge.config)
        self.api.log_level = logging.CRITICAL

    def grade(self, students: list[str]) -> list[float]:
        """Grade some students and return the seconds of each; raise where nbgrader could not."""
        times = [time.perf_counter()]
        for student in students:
            self.bridge.ensure_student(student)
            with silent(), kernels_draw_from(grading_seed(self.lesson)):
                result = self.api.autograde(self.lesson, student)
            if not result["success"]:
                raise RuntimeError(f"nbgrader failed on {student}: {result}")
            times.append(time.perf_counter())
        return gaps(times)


def gaps(times: list[float]) -> list[float]:
    """Return the seconds from each moment to the next."""
    return [end - begin for begin, end in itertools.pairwise(times)]


@contextlib.contextmanager
def silent() -> Iterator[None]:
    """Drop what nbgrader's kernels and libraries say on standard error."""
    kept = os.dup(2)
    with open(os.devnull, "w") as nowhere, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)


class Kept(Local):
    """A pool that stays warm between two blocks, as it does within a class."""

    def __exit__(self, *about: Any) -> None:
        """Stay."""

    def __enter__(self) -> Self:
        return self if self.threads else super().__enter__()

    def close(self) -> None:
        """Stop it after all."""
        super().__exit__()


class Ours:
    """Our class of the same submissions."""

    def __init__(self, course: Course, cut: Cut, workers: int, stack: ExitStack) -> None:
        self.room, self.plan = Classroom(course, cut.lesson), Plan(workers=workers)
        self.pool = Kept(self.room.master, grading_seed(cut.lesson), workers, many=True)
        stack.callback(self.pool.close)

    def grade(self, students: list[str]) -> list[float]:
        """Grade some students; return the seconds from row to row. Raise where one got no grade."""
        times = [time.perf_counter()]
        with replaced(classroom, "Local", lambda *given, **more: self.pool):
            rows = self.room.grade(
                students, plan=self.plan, progress=lambda line: times.append(time.perf_counter())
            )
        times[-1] = time.perf_counter()  # what is done after the last row is the last one's
        failed = [row.message for row in rows if row.status == "error"]
        if failed or len(rows) != len(students) or len(times) != len(rows) + 1:
            raise RuntimeError(f"submissions were not graded: {failed}")
        return gaps(times)


# -- where our time goes ---------------------------------------------------------------------------

PARTS: dict[str, tuple[tuple[Any, str], ...]] = {
    "nbgrader": ((Bridge, "record"),),
    "reading": ((intake, "read_submission"), (classroom, "rebuild")),
    "fork and kill": ((Engine, "open"), (Session, "close")),
    "cells": ((Session, "run_cell"),),
    "tests": ((Session, "ask"),),
}


@contextlib.contextmanager
def watched(spent: dict[str, float]) -> Iterator[None]:
    """Add up the seconds that go into each part; with one worker parts may overlap a little."""
    with ExitStack() as stack:
        for part, places in PARTS.items():
            for owner, name in places:
                timed = _timed(getattr(owner, name), part, spent)
                stack.enter_context(replaced(owner, name, timed))
        yield


def _timed(inner: Callable[..., Any], part: str, spent: dict[str, float]) -> Callable[..., Any]:
    def outer(*given: Any, **more: Any) -> Any:
        begun = time.perf_counter()
        try:
            return inner(*given, **more)
        finally:
            spent[part] += time.perf_counter() - begun

    return outer


# -- the run ---------------------------------------------------------------------------------------


@dataclass
class Measured:
    """What one kind of notebook gave."""

    cut: Cut
    stock: list[float] = field(default_factory=list)
    """Seconds of each submission; the same for ours, by number of workers."""
    ours: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))
    spent: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    count: int = 0
    differ: list[str] = field(default_factory=list)
    check: tuple[float, float] = (0.0, 0.0)
    """Seconds of `nbgrader validate` and of `autograder check`, one notebook."""

    def ratio(self, workers: int) -> float:
        """Return the median of stock's seconds over ours, for that many workers."""
        pairs = zip(self.stock, self.ours[1], strict=True)
        return statistics.median(stock / ours for stock, ours in pairs) * self.sooner(workers)

    def sooner(self, workers: int) -> float:
        """Return one worker's seconds for all submissions over those of more workers."""
        return sum(self.ours[1]) / sum(self.ours[workers])


def measure(course: Course, cut: Cut, count: int, say: Callable[[str], None]) -> Measured:
    """Grade `count` submissions of one kind, block by block, in all ways."""
    found = Measured(cut, count=count)
    with tempfile.TemporaryDirectory(prefix="bench-grading-") as place, ExitStack() as stack:
        chosen = choose(sources(course, cut), count + 1)
        courses = [make_course(course, cut, Path(place) / name) for name in ("s", "1", "2")]
        for one in courses:
            students = hand_in(one, cut.lesson, chosen)
        stock = Stock(courses[0], cut)
        ours = {n: Ours(courses[n], cut, n, stack) for n in WORKERS}
        warm_up, students = students[-1:], students[:-1]
        for grade in (stock.grade, ours[1].grade, ours[2].grade):
            grade(warm_up)
        for block in blocks(students):
            found.stock += stock.grade(block)
            with watched(found.spent):
                found.ours[1] += ours[1].grade(block)
            now = (list(blocks(one))[-1] for one in (found.stock, found.ours[1]))
            seconds = ", ".join(f"{sum(one):.2f}" for one in now)
            say(f"{cut.name}: {len(found.stock)} of {count} (stock, 1 worker: {seconds} s)")
        found.ours[2] = ours[2].grade(students)
        found.differ = different(stock.bridge, ours[1].room.bridge, cut.lesson, students)
        found.check = checking(courses[1], cut, 1 if count < BLOCK else 3)
    return found


def blocks(items: Sequence[T]) -> Iterator[list[T]]:
    """Yield some items at a time, in order."""
    for start in range(0, len(items), BLOCK):
        yield list(items[start : start + BLOCK])


def different(stock: Bridge, ours: Bridge, lesson: str, students: list[str]) -> list[str]:
    """Return the tests on which the two gave different points, by student and grade id."""
    found = []
    for student in students:
        theirs, here = stock.points(student, lesson), ours.points(student, lesson)
        found += [f"{student} {name}" for name in here if here[name] != theirs.get(name)]
    return found


def checking(course: Course, cut: Cut, repeat: int) -> tuple[float, float]:
    """Return the median seconds of `nbgrader validate` and `autograder check` on one notebook."""
    notebook = course.root / "submitted" / "student00" / cut.lesson / f"{cut.lesson}.ipynb"
    times: list[list[float]] = [[], []]
    for _ in range(repeat):
        for found, words in zip(
            times, (("nbgrader", "validate"), ("autograder", "check")), strict=True
        ):
            begun = time.perf_counter()
            command = [sys.executable, "-m", *words, str(notebook)]
            subprocess.run(command, cwd=course.root, capture_output=True, check=False)
            found.append(time.perf_counter() - begun)
    return statistics.median(times[0]), statistics.median(times[1])


# -- what is printed -------------------------------------------------------------------------------


def as_json(all_found: list[Measured]) -> list[dict[str, Any]]:
    """Return a row per kind of notebook and number of workers."""
    return [
        {
            "lesson": one.cut.lesson,
            "kind": one.cut.kind,
            "engine": "fast",
            "workers": workers,
            "ratio": round(one.ratio(workers), 2),
        }
        for one in all_found
        for workers in WORKERS
    ]


def as_text(all_found: list[Measured]) -> str:
    """Return seconds, ratios, where our time goes, and what differed."""
    rows = []
    for one in all_found:
        rows.append((one.cut.name, "stock nbgrader", spread(one.stock), ""))
        rows += [
            ("", f"{n} worker{'s' * (n > 1)}", spread(one.ours[n]), f"{one.ratio(n):.1f}x")
            for n in WORKERS
        ]
        totals = (f"{sum(times):.1f}" for times in (one.stock, one.ours[1], one.ours[2]))
        rows.append(("", f"all {one.count} together", " / ".join(totals), ""))
        theirs, here = one.check
        rows.append(("", "nbgrader validate", f"{theirs:.2f}", ""))
        rows.append(("", "autograder check", f"{here:.2f}", f"{theirs / here:.1f}x"))
    lines = [table(("kind", "way", "seconds: median (lowest to highest)", "ratio"), rows), ""]
    for one in all_found:
        parts = ", ".join(f"{part} {1000 * s / one.count:.0f}" for part, s in one.spent.items())
        lines.append(f"{one.cut.name}, where our milliseconds go: {parts}")
        lines += [f"  points differ: {', '.join(one.differ)}"] if one.differ else []
    return "\n".join(lines)


def spread(values: list[float]) -> str:
    """Return the median of some seconds, and the lowest and highest."""
    return f"{statistics.median(values):.3f} ({min(values):.3f} to {max(values):.3f})"


def main(arguments: list[str] | None = None) -> int:
    """Measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.grading", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--quick", action="store_true", help="4 submissions of each kind, not 20")
    kinds = sorted({cut.kind for cut in CUTS})
    parser.add_argument("--kind", action="append", choices=kinds)
    args = parser.parse_args(arguments)
    course, count = find_course(), 4 if args.quick else 20
    say = lambda line: print(line, file=sys.stderr, flush=True)  # noqa: E731
    cuts = [cut for cut in CUTS if not args.kind or cut.kind in args.kind]
    found = [measure(course, cut, count, say) for cut in cuts]
    print(json.dumps(as_json(found), indent=1) if args.json else as_text(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
