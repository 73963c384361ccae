"""A class of any size in four kinds, and the grader as a process of its own, for tests of scale."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from small_course import ANSWERS, hand_in, hand_in_raw, ready_course

from autograder.course import Course

KINDS: dict[str, tuple[str, float]] = {
    # kind: (status, score)
    "right": ("graded", 6.0),
    "wrong": ("graded", 4.0),
    "blank": ("graded", 0.0),
    "broken": ("refused", 0.0),
}
WRONG = {"double": "def double(x):\n    return x * x"}


def class_of(root: Path, size: int) -> tuple[Course, dict[str, tuple[str, float]]]:
    """Make a course and a class; return it, and each student's status and score."""
    course, released = ready_course(root)
    expected = {}
    for number in range(size):
        kind = list(KINDS)[number % 4]
        student = f"s{number:03d}_{kind}"
        expected[student] = KINDS[kind]
        if kind == "broken":
            hand_in_raw(root, student, b'{"cells": [')
            continue
        answers = {"right": ANSWERS, "wrong": ANSWERS | WRONG, "blank": {}}[kind]
        hand_in(root, student, released, answers)
    return course, expected


def grader(root: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start `autograder grade 1 --json` in a course; its progress goes to stderr.txt there."""
    command = [sys.executable, "-m", "autograder", "grade", "1", "--json", *arguments]
    with (root / "stdout.txt").open("w") as out, (root / "stderr.txt").open("w") as err:
        return subprocess.Popen(command, cwd=root, stdout=out, stderr=err, text=True)


def progress(root: Path) -> dict[str, str]:
    """Return what the last run said about each student so far."""
    text = (root / "stderr.txt").read_text()
    return dict(re.findall(r"^\[\d+/\d+\] (\S+): (\w+)", text, re.MULTILINE))


def result(root: Path) -> dict[str, tuple[str, float]]:
    """Return each student's status and score from the last run's document."""
    rows = json.loads((root / "stdout.txt").read_text())
    assert len({row["student"] for row in rows}) == len(rows)
    return {row["student"]: (row["status"], row["score"]) for row in rows}


def peak_megabytes(root: Path) -> float:
    """Return the grader's own peak memory, as its summary says it."""
    found = re.search(r"at most (\d+) MB", (root / "stderr.txt").read_text())
    assert found
    return float(found[1])


# -- processes ---------------------------------------------------------------------------------

Process = tuple[int, str]
"""A process by its id and the time it started, so that an id used again is another process."""


def processes() -> dict[int, tuple[int, str, str]]:
    """Return parent, start time and state of every process, by id."""
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                words = (folder / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            found[int(folder.name)] = (int(words[1]), words[19], words[0])
    return found


def descendants(pid: int) -> list[Process]:
    """Return the processes below `pid`, nearest first."""
    known = processes()
    found, row = [], [pid]
    while row:
        row = [child for child, (parent, *_) in known.items() if parent in row]
        found += [(child, known[child][1]) for child in row]
    return found


def alive(wanted: set[Process]) -> set[Process]:
    """Return those that still run."""
    known = processes()
    return {
        (pid, start)
        for pid, start in wanted
        if pid in known and known[pid][1] == start and known[pid][2] != "Z"
    }


def gone(wanted: set[Process], seconds: float = 10.0) -> bool:
    """Tell whether all of them end within some seconds."""
    return wait_for(lambda: not alive(wanted), seconds)


def wait_for(what: Callable[[], Any], seconds: float = 60.0) -> bool:
    """Tell whether something becomes true within some seconds."""
    until = time.monotonic() + seconds
    while not what():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def kill(process: Process) -> None:
    """Kill a process, if it is still the same."""
    if alive({process}):
        os.kill(process[0], signal.SIGKILL)
