"""Grade a class: every submission of a lesson, one row each, whatever the submissions hold.

    rows = Classroom(course, "01_why_frameworks").grade(progress=print)

One student's failure is that student's row. What is graded is in the gradebook at once, so a run
that is stopped keeps it, and the same command goes on.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import stat
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autograder.course import Course
from autograder.engine import Engine
from autograder.errors import Problem
from autograder.grading import intake, unit
from autograder.grading.bridge import Bridge, BridgeError, Marks
from autograder.grading.handout import Handout, read_handout
from autograder.grading.intake import Refused, Submission
from autograder.grading.rebuild import Rebuilt, blank_rebuild, rebuild
from autograder.grading.unit import Outcome
from autograder.master import Master, read_master

SECRET = "AUTOGRADER_SECRET"
"""Environment variable that seeds hidden tests; without it the seed is public and fixed."""

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Row:
    """One student's line of the table and entry of `grade --json`."""

    student: str
    lesson: str
    status: str
    score: float
    max_score: float
    manual_pending: int
    seconds: float
    message: str
    exercises: dict[str, dict[str, Any]] = field(default_factory=dict)
    suspicions: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the entry of `grade --json`."""
        return {**self.__dict__, "suspicions": list(self.suspicions)}


def grading_seed(lesson: str, secret: str | None = None) -> int:
    """Return the seed of a lesson's hidden tests: one per lesson and secret, below 2**32."""
    secret = os.environ.get(SECRET, "") if secret is None else secret
    digest = hashlib.sha256(f"{secret}\0{lesson}".encode()).digest()
    return int.from_bytes(digest[:4])


class Classroom:
    """One lesson's submissions and the gradebook that takes their grades."""

    def __init__(
        self,
        course: Course,
        lesson: str,
        submitted: Path | None = None,
        db_url: str | None = None,
        limits: intake.Limits | None = None,
    ) -> None:
        """`submitted` holds `<student>/<lesson>/<lesson>.ipynb`; default: the course's folder."""
        self.course = course
        self.lesson = course.lesson(lesson)
        self.submitted = submitted or course.submitted
        self.limits = limits or intake.Limits()
        if not self.submitted.is_dir():
            raise Problem(
                f"there is no folder {self.submitted}; submissions lie in "
                f"submitted/<student>/{self.lesson}/{self.lesson}.ipynb."
            )
        self.bridge = Bridge(course, db_url)
        master = course.master(lesson)
        self.handout: Handout = read_handout(master, self.bridge.config)
        self.master: Master = read_master(master)

    def students(self) -> list[str]:
        """Return who handed in something for this lesson, by folder."""
        found = []
        for entry in sorted(self.submitted.iterdir()):
            # A linked student folder still gets its row; a stray file does not.
            folder = stat.S_ISDIR(entry.lstat().st_mode) and os.path.lexists(entry / self.lesson)
            if not entry.name.startswith(".") and (folder or entry.is_symlink()):
                found.append(entry.name)
        return found

    def grade(
        self,
        students: list[str] | None = None,
        engine: str = "fast",
        progress: Progress | None = None,
        rows: list[Row] | None = None,
    ) -> list[Row]:
        """Grade the class, or some of it; `rows` is filled as they come, for who is stopped."""
        rows = [] if rows is None else rows
        students = self._chosen(students)
        self.bridge.ensure_assignment(self.lesson)
        clock = _Clock(len(students), progress or (lambda line: None))
        warm = Engine.for_cells(self.master.cells) if engine == "fast" else None
        with warm or contextlib.nullcontext() as running:
            for student in students:
                row = self._row(student, running)
                rows.append(row)
                clock.tick(row)
        return rows

    def _chosen(self, wanted: list[str] | None) -> list[str]:
        students = self.students()
        if not students:
            raise Problem(f"nobody has handed in {self.lesson} in {self.submitted}.")
        for student in wanted or []:
            if student not in students:
                raise Problem(f"'{student}' has handed in nothing for {self.lesson}.")
        return [student for student in students if not wanted or student in wanted]

    def _row(self, student: str, engine: Engine | None) -> Row:
        """Return one student's row, whatever happens on the way."""
        try:
            return self._stock_row(student) if engine is None else self._fast_row(student, engine)
        except BridgeError as error:
            return self._error_row(student, f"nbgrader did not take the grade: {error}")
        except Exception as error:  # a defect of ours is this student's row, not the class's end
            self._log(student, traceback.format_exc())
            reason = f"the grader itself failed ({type(error).__name__}), see .autograder/grade.log"
            return self._error_row(student, reason)

    def _fast_row(self, student: str, engine: Engine) -> Row:
        rebuilt, outcome, timestamp = self._outcome(student, engine)
        if outcome.status == "error":
            self._log(student, outcome.detail)
            return self._error_row(student, outcome.message)
        try:
            intake.check_student(student)
        except Refused as refusal:
            return self._error_row(student, str(refusal), "refused")
        with uninterrupted():
            marks = self.bridge.record(outcome, rebuilt, self.handout, timestamp)
        return _row(outcome, marks)

    def _outcome(self, student: str, engine: Engine) -> tuple[Rebuilt, Outcome, str | None]:
        try:
            submission = self._read(student)
        except Refused as refusal:
            rebuilt = blank_rebuild(student, self.handout, self.master, sentence(str(refusal)))
            return rebuilt, unit.refused(self.master, rebuilt, sentence(str(refusal))), None
        rebuilt = rebuild(submission, self.handout, self.master)
        outcome = unit.grade_submission(self.master, rebuilt, engine, grading_seed(self.lesson))
        return rebuilt, outcome, submission.timestamp

    def _read(self, student: str) -> Submission:
        return intake.read_submission(self.submitted, student, self.lesson, self.limits)

    def _stock_row(self, student: str) -> Row:
        started = time.monotonic()
        try:
            self._read(student)
        except Refused as refusal:
            return self._error_row(student, str(refusal), "refused")
        marks = self.bridge.stock(self.submitted, student, self.lesson)
        seconds = round(time.monotonic() - started, 3)
        exercises = _exercises(self.master, self.bridge.points(student, self.lesson))
        return Row(
            student, self.lesson, "graded", marks.score, marks.max_score, marks.manual_pending,
            seconds, "", exercises,
        )  # fmt: skip

    def _error_row(self, student: str, message: str, status: str = "error") -> Row:
        highest = sum(slot.points for slot in self.handout.slots)
        return Row(student, self.lesson, status, 0.0, highest, 0, 0.0, sentence(message))

    def _log(self, student: str, detail: str) -> None:
        path = self.course.root / ".autograder" / "grade.log"
        path.parent.mkdir(exist_ok=True)
        with path.open("a") as file:
            file.write(f"{time.strftime('%F %T')} {self.lesson} {student}\n{detail}\n")


def _row(outcome: Outcome, marks: Marks) -> Row:
    return Row(
        outcome.student, outcome.lesson, outcome.status, marks.score, marks.max_score,
        marks.manual_pending, outcome.seconds, outcome.message, outcome.exercises,
        outcome.suspicions,
    )  # fmt: skip


def _exercises(master: Master, points: dict[str, float]) -> dict[str, dict[str, Any]]:
    """Return exercises from the gradebook's points alone, as nbgrader's own run leaves them."""
    exercises: dict[str, dict[str, Any]] = {}
    for cell in master.tests():
        name = cell.exercise or cell.grade_id or ""
        one = exercises.setdefault(name, {"points": 0.0, "max_points": 0.0})
        one["points"] += points.get(cell.grade_id or "", 0.0)
        one["max_points"] += cell.points
    for one in exercises.values():
        whole, some = one["points"] >= one["max_points"], one["points"] > 0
        one |= {"verdict": "pass" if whole else "partial" if some else "fail", "message": ""}
    return exercises


def sentence(words: str) -> str:
    """Return words with a capital at the start."""
    return words[:1].upper() + words[1:]


class _Clock:
    """Says how far the class is and how long the rest may take."""

    def __init__(self, total: int, say: Progress) -> None:
        self.total, self.say = total, say
        self.done = 0
        self.started = time.monotonic()

    def tick(self, row: Row) -> None:
        self.done += 1
        each = (time.monotonic() - self.started) / self.done
        left = each * (self.total - self.done)
        rest = f", about {left:.0f} s left" if self.done < self.total else ""
        self.say(f"[{self.done}/{self.total}] {row.student}: {row.status}{rest}")


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold Ctrl-C back until a grade is written whole."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    pressed: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: pressed.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if pressed:
        raise KeyboardInterrupt
