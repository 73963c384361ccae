"""`autograder audit`: do a lesson's tests tell right answers from wrong ones?"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from pathlib import Path

from autograder.course import find_course

SUMMARY = "run solution, blank, right, wrong and mutated answers against a lesson's tests"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("lessons", nargs="*", metavar="LESSON", help="slug or number; default: all")
    parser.add_argument(
        "--answers", nargs="+", action="extend", type=Path, default=[], metavar="FILE",
        help="more answers, in files called right... or wrong...; without LESSON, only the "
        "lessons that they answer are audited",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--no-mutants", action="store_true", help="leave mechanical mutants out")
    parser.add_argument(
        "--every", type=_count, default=1, metavar="N", help="of the mutants only every N-th"
    )
    parser.add_argument(
        "--seeds", type=_count, default=3, metavar="N",
        help="under how many seeds each answer is asked (mutants: one); default 3",
    )  # fmt: skip
    parser.add_argument("--verbose", action="store_true", help="list every answer")


def _count(text: str) -> int:
    count = int(text) if text.isdecimal() else 0
    if count < 1:
        raise argparse.ArgumentTypeError(f"{text} is no number to count by; give 1 or more.")
    return count


def run(args: argparse.Namespace) -> int:
    """Audit, print the tables, and return 1 when something is not as it should be."""
    from autograder.audit.audit import audit_lesson
    from autograder.audit.plan import make_plans
    from autograder.audit.report import summary, text
    from autograder.audit.rules import violations

    started = time.monotonic()
    every = 0 if args.no_mutants else args.every
    plans = make_plans(find_course(), args.lessons, args.answers, every)
    progress = Progress(sum(len(plan.candidates) for plan in plans))
    audits = []
    for plan in plans:
        begun = time.monotonic()
        audits.append(audit_lesson(plan, seeds_of(plan.lesson.folder, args.seeds), progress.tick))
        if not args.json:
            progress.clear()
            print(text(audits[-1], time.monotonic() - begun, args.verbose), flush=True)
    progress.clear()
    found = [words for audit in audits for words in violations(audit)]
    if args.json:
        print(json.dumps([row.to_json() for audit in audits for row in audit.rows], indent=1))
        print("\n".join(found), file=sys.stderr, end="\n" if found else "")
    elif len(audits) > 1:
        print("\n" + summary(audits, time.monotonic() - started))
    return 1 if found else 0


def seeds_of(lesson: str, count: int) -> tuple[int, ...]:
    """Return the seeds of an audit: the one that `autograder grade` uses, then others."""
    from autograder.grading.classroom import grading_seed

    others = (grading_seed(lesson, f"audit {number}") for number in range(1, count))
    return (grading_seed(lesson), *others)


class Progress:
    """Says on standard error how far the audit is and how long the rest may take."""

    EVERY = 5.0
    """Seconds between two lines where there is no terminal to write one line over."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.done = 0
        self.said = self.started = time.monotonic()
        self.lock = threading.Lock()
        self.terminal = sys.stderr.isatty()

    def tick(self) -> None:
        """Count one more answer."""
        with self.lock:
            self.done += 1
            now = time.monotonic()
            if now - self.said < (0.2 if self.terminal else self.EVERY):
                return
            self.said = now
            left = (now - self.started) / self.done * (self.total - self.done)
            line = f"[{self.done}/{self.total}] answers, about {left:.0f} s left"
            end = "\r" if self.terminal else "\n"
            print(line.ljust(50) if self.terminal else line, end=end, file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Take the line away."""
        if self.terminal:
            print(" " * 50, end="\r", file=sys.stderr, flush=True)
