"""Grade a class: every submission of a lesson, one row each, whatever the submissions hold.

    rows = Classroom(course, "01_why_frameworks").grade(progress=print, workers=2)

One student's failure is that student's row. Submissions are run by workers (threads here, or a
Dask cluster); their grades are written by this thread alone, each in one transaction with its line
in the ledger. So a run may be stopped or killed at any moment, and the same command goes on: what
is graded and has not changed since is not graded again.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import os
import stat
import time
import traceback
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.checks.notebook import SEED_VARIABLE
from autograder.course import Course
from autograder.errors import Problem
from autograder.grading import intake, ledger, rows, unit
from autograder.grading.assignment import Assignment, read_assignment
from autograder.grading.beside import as_text, names_of, read_files
from autograder.grading.bridge import Bridge, BridgeError
from autograder.grading.handout import Handout
from autograder.grading.intake import Missing, Refused
from autograder.grading.ledger import Line
from autograder.grading.marks import Marks
from autograder.grading.onerun import only_run, uninterrupted
from autograder.grading.rebuild import Rebuilt, blank_rebuild, rebuild
from autograder.grading.rows import UNCHANGED, Clock, Progress, Row, sentence
from autograder.grading.unit import Outcome
from autograder.grading.workers import Done, Job, Local, Pool

SECRET = "AUTOGRADER_SECRET"
"""Environment variable that seeds hidden tests; without it the seed is public and fixed."""
MANY = 4
"""From this many submissions on, what the solution imports is learned before they are run."""
LOCK = os.path.join(".autograder", "grade.lock")


@dataclass(frozen=True)
class Plan:
    """How a class is graded."""

    workers: int = 1
    """Threads of this process."""
    cluster: str | None = None
    """Address of a Dask scheduler, in the place of workers of this machine."""
    again: bool = False
    """Grade what has not changed, too."""
    require_sandbox: bool = False


def grading_seed(lesson: str, secret: str | None = None) -> int:
    """Return the seed of a lesson's hidden tests: one per lesson and secret, below 2**32."""
    secret = os.environ.get(SECRET, "") if secret is None else secret
    digest = hashlib.sha256(f"{secret}\0{lesson}".encode()).digest()
    return int.from_bytes(digest[:4])


@contextlib.contextmanager
def kernels_draw_from(seed: int) -> Iterator[None]:
    """Let kernels that are started meanwhile draw the numbers of hidden tests from this seed."""
    before = os.environ.get(SEED_VARIABLE)
    os.environ[SEED_VARIABLE] = str(seed)
    try:
        yield
    finally:
        os.environ.pop(SEED_VARIABLE)
        if before is not None:
            os.environ[SEED_VARIABLE] = before


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
        """`submitted` holds `<student>/<lesson>/<notebook>.ipynb`; default: the course's folder."""
        self.course = course
        self.lesson = course.lesson(lesson)
        self.submitted = submitted or course.submitted
        self.limits = limits or intake.Limits()
        if not self.submitted.is_dir():
            name = course.masters(lesson)[0].name
            raise Problem(
                f"there is no folder {self.submitted}; submissions lie in "
                f"submitted/<student>/{self.lesson}/{name}."
            )
        self.bridge = Bridge(course, db_url)
        self.master: Assignment
        """What every submission is rebuilt from."""
        self.handouts: dict[str, Handout]
        self.master, self.handouts = read_assignment(course, lesson, self.bridge.config)

    def read(self, student: str) -> intake.HandedIn:
        """Return what a student handed in. Raises `Refused`."""
        parts = self.master.names
        return intake.read_submission(self.submitted, student, self.lesson, parts, self.limits)

    def files(self, student: str, notes: list[str]) -> dict[str, bytes]:
        """Return what a student handed in beside the notebooks, the course's own files aside."""
        own = names_of(self.course.solutions / self.lesson)
        theirs = self.bridge.config.Autograde.get("exclude_overwriting", {}).get(self.lesson, [])
        folder = self.submitted / student / self.lesson
        return read_files(folder, own - set(theirs), notes)

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
        plan: Plan | None = None,
    ) -> list[Row]:
        """Grade the class, or some of it; `rows` is filled as they come, for who is stopped.

        `engine` is "fast", or "stock" for nbgrader's own autograde, which knows no plan.
        """
        plan, rows = plan or Plan(), [] if rows is None else rows
        students = self._chosen(students)
        clock = Clock(len(students), progress or (lambda line: None))
        with only_run(self.course.root / LOCK):
            self.bridge.sweep()
            try:
                if engine == "stock":
                    self._grade_stock(students, clock, rows)
                else:
                    with self.bridge.opened():
                        _Run(self, plan, students, clock, rows).go()
            finally:
                self.bridge.sweep()
                place = {student: position for position, student in enumerate(students)}
                rows.sort(key=lambda row: place[row.student])
        return rows

    def _chosen(self, wanted: list[str] | None) -> list[str]:
        students = self.students()
        if not students:
            raise Problem(f"nobody has handed in {self.lesson} in {self.submitted}.")
        for student in wanted or []:
            if student not in students:
                raise Problem(f"'{student}' has handed in nothing for {self.lesson}.")
        return [student for student in students if not wanted or student in wanted]

    # -- nbgrader's own engine -----------------------------------------------------------------

    def _grade_stock(self, students: list[str], clock: Clock, rows: list[Row]) -> None:
        self.bridge.ensure_assignment(self.lesson)
        with kernels_draw_from(grading_seed(self.lesson)):
            for student in students:
                row = self.guarded(student, lambda one=student: self._stock_row(one))
                rows.append(row)
                clock.tick(row)

    def _stock_row(self, student: str) -> Row:
        started = time.monotonic()
        try:
            parts = self.read(student).parts.values()
            unread = [one for one in parts if isinstance(one, Refused)]
            if len(unread) == len(parts):
                raise unread[0]
        except Refused as refusal:
            return self.error_row(student, str(refusal), "refused")
        with self.bridge.gradebook() as gradebook:
            ledger.read_ledger(gradebook, self.lesson)
            ledger.erase_line(gradebook, self.lesson, student)
            gradebook.db.commit()
        marks = self.bridge.stock(self.submitted, student, self.lesson)
        seconds = round(time.monotonic() - started, 3)
        points = self.bridge.points(student, self.lesson)
        exercises = rows.exercises_from_points(self.master, points)
        return Row(
            student, self.lesson, "graded", marks.score, marks.max_score, marks.manual_pending,
            seconds, "", exercises,
        )  # fmt: skip

    # -- a row, whatever happens ---------------------------------------------------------------

    def guarded(self, student: str, make: Any) -> Any:
        """Return what `make` returns, or the row of a student for whom it failed."""
        try:
            return make()
        except BridgeError as error:
            return self.error_row(student, f"nbgrader did not take the grade: {error}")
        except Exception as error:  # a defect of ours is this student's row, not the class's end
            self.log(student, traceback.format_exc())
            reason = f"the grader itself failed ({type(error).__name__}), see .autograder/grade.log"
            return self.error_row(student, reason)

    def error_row(self, student: str, message: str, status: str = "error") -> Row:
        """Return the row of a student whose grade is not in the gradebook."""
        highest = sum(slot.points for one in self.handouts.values() for slot in one.slots)
        return Row(student, self.lesson, status, 0.0, highest, 0, 0.0, sentence(message))

    def log(self, student: str, detail: str) -> None:
        """Keep what a row has no place for."""
        path = self.course.root / ".autograder" / "grade.log"
        path.parent.mkdir(exist_ok=True)
        with path.open("a") as file:
            file.write(f"{time.strftime('%F %T')} {self.lesson} {student}\n{detail}\n")


class _Run:
    """One run over a class: read, run elsewhere, write here."""

    def __init__(
        self, room: Classroom, plan: Plan, students: list[str], clock: Clock, rows: list[Row]
    ) -> None:
        self.room, self.plan, self.clock, self.rows = room, plan, clock, rows
        self.bridge, self.lesson = room.bridge, room.lesson
        self.waiting = deque(students)
        self.ready: list[Done] = []
        """Outcomes that are there without a run."""
        self.seed = grading_seed(self.lesson)
        source = room.master.parts[0].path.parent
        self.key = ledger.lesson_key(source, room.course.settings, self.seed)

    def go(self) -> None:
        """Grade everybody who is waiting."""
        with self.bridge.gradebook() as gradebook:
            self.lines = ledger.read_ledger(gradebook, self.lesson)
            gradebook.db.commit()
        self.before = self.bridge.all_marks(self.lesson)
        self.bridge.ensure_assignment(self.lesson, self.room.handouts)
        self.now = self.bridge.all_marks(self.lesson)
        todo = [student for student in self.waiting if not self._is_unchanged(student)]
        self.waiting = deque(todo)
        if not todo:
            return
        with self._pool(len(todo)) as pool:
            while self.waiting or self.ready or pool.busy:
                while self.waiting and pool.room > 0 and len(self.ready) < pool.room:
                    self._send(self.waiting.popleft(), pool)
                done, self.ready = self.ready, []
                self._write(done or pool.finished())

    def _pool(self, wanted: int) -> Pool:
        master, address = self.room.master, self.plan.cluster
        if address:
            from autograder.grading.cluster import Cluster

            return Cluster(address, master, self.seed, self.plan.require_sandbox)
        workers = max(1, min(self.plan.workers, wanted))
        return Local(master, self.seed, workers, many=wanted >= MANY)

    def _add(self, row: Row) -> None:
        self.rows.append(row)
        self.clock.tick(row)

    # -- before the run ------------------------------------------------------------------------

    def _submission_key(self, student: str) -> str:
        folder = self.room.submitted / student / self.lesson
        return ledger.submission_key(self.key, folder, self.room.limits.size)

    def _is_unchanged(self, student: str) -> bool:
        """Add the row of a student whose work is graded as it is; False when there is none."""
        line, marks = self.lines.get(student), self.now.get(student)
        if self.plan.again or line is None or marks is None:
            return False
        try:
            if line.key != self._submission_key(student):
                return False
        except OSError:
            return False
        if line.notebook != self._digest(student):
            return False
        self._add(rows.from_json(line.row).with_marks(marks).saying(UNCHANGED))
        return True

    def _digest(self, student: str) -> str:
        names = self.room.master.names
        return ledger.digest_of(self.bridge.autograded(student, self.lesson, one) for one in names)

    def _send(self, student: str, pool: Pool) -> None:
        """Read a submission and have it run; what cannot be run is ready at once."""
        job = self.room.guarded(student, lambda: self._read(student))
        if isinstance(job, Row):
            self._add(job)
        elif job.to_run:
            pool.submit(job)
        else:
            self.ready.append((job, job.outcomes()))

    def _read(self, student: str) -> Job:
        try:
            key = self._submission_key(student)
        except OSError:
            key = ""  # never the same again
        try:
            handed = self.room.read(student)
        except Refused as refusal:  # of the whole folder
            handed = intake.HandedIn(dict.fromkeys(self.room.master.names, refusal))
        parts: list[Rebuilt] = []
        unread: dict[str, Outcome] = {}
        notes: list[str] = []
        files = as_text(self.room.files(student, notes) if handed.readable else {})
        for part, found in handed.parts.items():
            handout, master = self.room.handouts[part], self.room.master.part(part)
            if isinstance(found, Refused):
                reason = sentence(str(found))
                parts.append(blank_rebuild(student, handout, master, reason))
                status = "missing" if isinstance(found, Missing) else "refused"
                unread[part] = unit.refused(master, parts[-1], reason, status)
            else:
                made = rebuild(found, handout, master)
                said = (*notes, *made.notes)
                parts.append(dataclasses.replace(made, files=files, notes=said))
                notes = []  # of the folder, said once
        return Job(student, tuple(parts), handed.timestamp, key, unread)

    # -- after the run -------------------------------------------------------------------------

    def _write(self, batch: list[Done]) -> None:
        """Write outcomes in one transaction; when one of them fails, each in its own."""
        with uninterrupted():
            try:
                if len(batch) > 1:
                    with self.bridge.whole():
                        made = [self._record(*done) for done in batch]
                else:
                    made = [self._alone(*done) for done in batch]
            except Exception:  # which one it was shows when each is written alone
                made = [self._alone(*done) for done in batch]
            for row in made:
                self._add(row)

    def _alone(self, job: Job, outcomes: tuple[Outcome, ...]) -> Row:
        def written() -> Row:
            with self.bridge.whole():
                return self._record(job, outcomes)

        row: Row = self.room.guarded(job.student, written)
        return row

    def _record(self, job: Job, outcomes: tuple[Outcome, ...]) -> Row:
        student = job.student
        outcome = rows.together(self.room.master, outcomes)
        if outcome.status == "error":
            self.room.log(student, outcome.detail)
            return self.room.error_row(student, outcome.message)
        try:
            intake.check_student(student)
        except Refused as refusal:
            return self.room.error_row(student, str(refusal), "refused")
        graded = list(zip(outcomes, job.parts, strict=True))
        line = self.lines.get(student)
        # Another text than its line says is one that was put there by a run that was killed.
        trusted = line is None or line.notebook == self._digest(student)
        marks: Marks = self.bridge.record(
            graded, self.room.handouts, job.timestamp, trusted=trusted
        )
        row = rows.row_of(outcome, marks)
        digest = self._digest(student)
        with self.bridge.gradebook() as gradebook:
            aside = ledger.laid_aside(gradebook, self.lesson, student)
            if aside:
                kept = ", ".join(aside)
                row = row.saying(f"The lesson no longer has {kept}; marks by hand are laid aside.")
            ledger.write_line(gradebook, self.lesson, student, Line(job.key, digest, row.to_json()))
            gradebook.db.commit()
        return row.saying(rows.change(self.before.get(student), marks))
