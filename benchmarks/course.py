"""Run the solved notebooks of the whole course and print how long each takes, and all together.

    python -m benchmarks.course                 # every lesson, each in a kernel of its own
    python -m benchmarks.course 03 14 --json    # some of them, as one JSON document

Seconds are those of a person who chooses "Restart Kernel and Run All Cells": the kernel's start
counts. A cell that fails, a check that does not pass, or a lesson past its minute makes the exit
status 1.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode

from autograder.course import find_course
from autograder.errors import Problem
from autograder.grading.table import table

MINUTE = 60.0
"""What a lesson may take on two cores, in seconds."""
CELL_SECONDS = 300
SHOWN = 2
"""How many of a notebook's slowest cells are named."""


@dataclass
class Ran:
    """How long one notebook took."""

    lesson: str
    seconds: float
    cells: list[tuple[float, str]] = field(default_factory=list)
    """Seconds and names of its code cells, the slowest first."""
    failed: str = ""
    """The cell that raised, and what."""

    @property
    def fine(self) -> bool:
        """Whether every cell ran, and all of them in a minute."""
        return not self.failed and self.seconds < MINUTE

    def as_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        slowest = [{"cell": name, "seconds": round(s, 2)} for s, name in self.cells[:SHOWN]]
        seconds = round(self.seconds, 2)
        return {
            "lesson": self.lesson,
            "seconds": seconds,
            "slowest": slowest,
            "failed": self.failed,
        }


def run_notebook(path: Path) -> Ran:
    """Run a notebook in a copy of its folder, as far as the first cell that raises."""
    notebook = nbformat.read(path, as_version=4)
    failed = ""
    with tempfile.TemporaryDirectory(prefix="course-") as place:
        folder = Path(place) / path.parent.name
        shutil.copytree(path.parent, folder)
        client = NotebookClient(
            notebook,
            timeout=CELL_SECONDS,
            record_timing=True,
            resources={"metadata": {"path": str(folder)}},
        )
        begun = time.perf_counter()
        try:
            client.execute(stderr=subprocess.DEVNULL)  # what TensorFlow says of the machine
        except CellExecutionError as error:
            words = f"{error.ename}: {error.evalue}".strip().partition("\n")[0]
            failed = f"{raised(notebook)} raised {words}"
        seconds = time.perf_counter() - begun
    failed = failed or not_passed(notebook)
    return Ran(path.stem, seconds, sorted(timed(notebook), reverse=True), failed)


def timed(notebook: NotebookNode) -> list[tuple[float, str]]:
    """Return seconds and name of every code cell that was run."""
    found = []
    for number, cell in enumerate(notebook.cells):
        times = cell.metadata.get("execution", {})
        begun, ended = times.get("iopub.execute_input"), times.get("shell.execute_reply")
        if begun and ended:
            spent = datetime.fromisoformat(ended) - datetime.fromisoformat(begun)
            found.append((spent.total_seconds(), name_of(number, cell)))
    return found


def raised(notebook: NotebookNode) -> str:
    """Return the name of the first cell that has an error below it."""
    for number, cell in enumerate(notebook.cells):
        if any(one.output_type == "error" for one in cell.get("outputs", [])):
            return name_of(number, cell)
    return "a cell"


def not_passed(notebook: NotebookNode) -> str:
    """Return which checks did not pass: each lets the next cell run, and so stops nothing."""
    found = [
        name_of(number, cell)
        for number, cell in enumerate(notebook.cells)
        if cell.metadata.get("autograder", {}).get("role") == "tests"
        if not "".join(one.get("text", "") for one in cell.outputs).endswith(": pass\n")
    ]
    return f"did not pass: {', '.join(found)}" if found else ""


def name_of(number: int, cell: NotebookNode) -> str:
    """Return a cell's grade id, or its place and how it begins."""
    first = cell.source.strip().partition("\n")[0][:30]
    return cell.metadata.get("nbgrader", {}).get("grade_id") or f"cell {number} ({first})"


def as_text(all_ran: Sequence[Ran]) -> str:
    """Return a row per lesson and one for all."""
    rows = [
        (
            one.lesson,
            f"{one.seconds:.1f}",
            one.failed or ", ".join(f"{name} {s:.1f}" for s, name in one.cells[:SHOWN]),
        )
        for one in all_ran
    ]
    rows.append(("all", f"{sum(one.seconds for one in all_ran):.1f}", ""))
    return table(("lesson", "seconds", "slowest cells"), rows)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run lessons one after the other; return 1 if one failed or took more than a minute."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.course", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("lessons", nargs="*", metavar="LESSON", help="all where none is named")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    args = parser.parse_args(arguments)
    try:
        course = find_course()
        names = [course.lesson(name) for name in args.lessons] or course.lesson_names()
    except Problem as problem:
        print(problem, file=sys.stderr)
        return 2
    all_ran = []
    for name in names:
        print(f"{name} ...", file=sys.stderr, flush=True)
        all_ran.append(run_notebook(course.master(name)))
    if args.json:
        total = round(sum(one.seconds for one in all_ran), 2)
        print(json.dumps({"seconds": total, "lessons": [one.as_json() for one in all_ran]}))
    else:
        print(as_text(all_ran))
    return 0 if all(one.fine for one in all_ran) else 1


if __name__ == "__main__":
    sys.exit(main())
