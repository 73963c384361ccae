"""Outcomes into nbgrader: its database, its `autograded/` folder, its formgrader.

nbgrader's own converters do the work, on a notebook that was run already (`recorded`), with one
connection for a whole run (`trims`), and for lessons whose cells may change (`resync`).
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import nbformat
import sqlalchemy.exc
from nbformat import NotebookNode
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.apps import NbGraderAPI
from nbgrader.apps.baseapp import NbGrader
from nbgrader.converters.base import BaseConverter
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from autograder.course import Course
from autograder.environ import put_tools_on_path
from autograder.errors import Problem
from autograder.grading.assignment import label
from autograder.grading.beside import write_files
from autograder.grading.handout import Handout
from autograder.grading.ledger import TABLES
from autograder.grading.marks import Marks, read_marks
from autograder.grading.rebuild import Rebuilt
from autograder.grading.recorded import Ours, RecordedAutograde
from autograder.grading.resync import KeepSubmissions
from autograder.grading.staging import sources_by_id, staged_notebook, write_staged
from autograder.grading.trims import (
    SharedGradebook,
    at_home,
    open_gradebook,
    own_driver,
    trimmed,
)
from autograder.grading.unit import Outcome

STAGED = os.path.join(".autograder", "staged")
SCRATCH_RELEASE = os.path.join(".autograder", "release")
BEING_MADE = ".part"
"""Folder inside `autograded/` where a graded notebook is made, before it takes its place."""


Checksums = dict[str, dict[str, str | None]]
"""Notebook -> grade id -> nbgrader's checksum of the cell."""


class BridgeError(Exception):
    """nbgrader could not take a submission; the message is one sentence."""


class Bridge:
    """A course's gradebook, with nbgrader's configuration loaded."""

    def __init__(self, course: Course, db_url: str | None = None) -> None:
        """`db_url` is nbgrader's (`sqlite:///...`); a plain path means SQLite."""
        put_tools_on_path()
        self.course = course
        self.app = load_app(course)
        self.coursedir: CourseDirectory = self.app.coursedir
        self.shared: SharedGradebook | None = None
        self.converter: RecordedAutograde | None = None
        self.known: dict[str, Checksums] = {}
        """Lesson -> checksums of its cells, while one connection is open."""
        if db_url and "://" not in db_url:
            db_url = f"sqlite:///{Path(db_url).resolve()}"
        self.coursedir.db_url = own_driver(db_url or at_home(self.coursedir.db_url, course.root))

    @property
    def config(self) -> Config:
        """nbgrader's configuration of this course."""
        return self.app.config

    @contextlib.contextmanager
    def opened(self) -> Iterator[None]:
        """Keep one connection for everything inside, this bridge's and nbgrader's."""
        if self.shared is not None:
            yield
            return
        with trimmed(self.coursedir.db_url, self.coursedir.course_id) as self.shared:
            try:
                yield
            finally:
                self.shared = self.converter = None
                self.known.clear()

    @contextlib.contextmanager
    def gradebook(self) -> Iterator[Gradebook]:
        """Open the gradebook; close it at the end. Raises `Problem` when it cannot be opened."""
        if self.shared is not None:
            yield self.shared
            self.shared.rest()
            return
        url, course = self.coursedir.db_url, self.coursedir.course_id
        with open_gradebook(lambda: Gradebook(url, course), url) as gradebook:
            yield gradebook

    @contextlib.contextmanager
    def whole(self) -> Iterator[None]:
        """Write all of what is inside or, when it fails or is killed, nothing of it."""
        with self.shared.whole() if self.shared is not None else contextlib.nullcontext():
            yield

    def ensure_assignment(self, lesson: str, handouts: Mapping[str, Handout] | None = None) -> None:
        """Bring the lesson's cells and points into the gradebook, by nbgrader's own step.

        With `handouts`, nothing is done where the gradebook holds just these cells already.
        """
        if handouts is not None and self._holds(lesson, handouts):
            return
        with self.gradebook() as gradebook:
            TABLES.create_all(gradebook.engine)
        self.known.pop(lesson, None)
        with self.place(release_directory=SCRATCH_RELEASE, assignment_id=lesson):
            converter = KeepSubmissions(coursedir=self.coursedir, parent=self.app)
            converter.force = True
            try:
                with self.whole():
                    self.start(converter)
            except BridgeError as error:
                raise Problem(
                    f"nbgrader cannot take {lesson} into the gradebook: {error}"
                ) from error
            finally:
                shutil.rmtree(self.course.root / SCRATCH_RELEASE, ignore_errors=True)

    def checksums(self, lesson: str) -> Checksums:
        """Return the checksum of each labelled cell that the gradebook holds of a lesson."""
        with self.gradebook() as gradebook:
            try:
                notebooks = gradebook.find_assignment(lesson).notebooks
            except MissingEntry:
                return {}
            return {
                one.name: {cell.name: cell.checksum for cell in one.source_cells}
                for one in notebooks
            }

    def parts(self, lesson: str) -> list[str]:
        """Return the names of a lesson's notebooks as the gradebook holds them, in order."""
        return sorted(self.checksums(lesson))

    def _holds(self, lesson: str, handouts: Mapping[str, Handout]) -> bool:
        ours = {part: handout.checksums for part, handout in handouts.items()}
        return any(ours.values()) and self.checksums(lesson) == ours

    def ensure_student(self, student: str) -> None:
        """Add a student who is not in the gradebook; the id stands in for a missing name."""
        with self.gradebook() as gradebook:
            try:
                known = gradebook.find_student(student)
                if known.first_name is not None or known.last_name is not None:
                    return
            except MissingEntry:
                pass
            # Without names nbgrader's pages list everyone as "None, None".
            gradebook.update_or_create_student(student, last_name=student, first_name="")

    def record(
        self,
        graded: Sequence[tuple[Outcome, Rebuilt]],
        handouts: Mapping[str, Handout],
        timestamp: str | None,
        *,
        trusted: bool = True,
    ) -> Marks:
        """Write one submission, the outcomes of all its notebooks, to the gradebook and
        `autograded/`. Raises `BridgeError`.

        A person looks again at what changed since the graded notebook that is there; unless that is
        `trusted` to be what they saw, at everything.
        """
        student, lesson = graded[0][0].student, graded[0][0].lesson
        self.ensure_student(student)
        if self.shared is None or lesson not in self.known:
            self.known[lesson] = self.checksums(lesson)
        ours = {
            outcome.part: self._ours(outcome, rebuilt, handouts[outcome.part], trusted)
            for outcome, rebuilt in graded
        }
        folder = self.course.root / STAGED / student / lesson
        try:
            write_staged(folder, {part: one.notebook for part, one in ours.items()}, timestamp)
            write_files(folder, max((one.files for _, one in graded), key=len))
            self._convert(student, lesson, folder, ours)
        finally:
            shutil.rmtree(folder.parent, ignore_errors=True)
        return self.marks(student, lesson)

    def _convert(self, student: str, lesson: str, folder: Path, ours: Mapping[str, Ours]) -> None:
        final = self.autograded(student, lesson).parent
        with self.place(
            submitted_directory=STAGED,
            autograded_directory=os.path.join(self.coursedir.autograded_directory, BEING_MADE),
            assignment_id=lesson,
            student_id=student,
        ):
            converter = self._autograde()
            converter.take(folder, ours)
            self.start(converter)
            self.converter = converter
            made = self.autograded(student, lesson).parent
        put_folder(made, final)

    def _ours(self, outcome: Outcome, rebuilt: Rebuilt, handout: Handout, trusted: bool) -> Ours:
        notebook = staged_notebook(outcome, rebuilt, handout)
        known = self.known[outcome.lesson].get(outcome.part, {})
        same = self._unchanged(outcome, notebook) if trusted else set()
        return Ours(outcome, notebook, same, known)

    def _autograde(self) -> RecordedAutograde:
        """Return nbgrader's step: the same for a whole class, a new one after a failure."""
        kept, self.converter = self.converter, None
        if kept is None or self.shared is None:
            kept = RecordedAutograde(coursedir=self.coursedir, parent=self.app)
            kept.force = True
        return kept

    def sweep(self) -> None:
        """Remove what a run that was killed left behind."""
        shutil.rmtree(self.course.root / STAGED, ignore_errors=True)
        part = self.coursedir.format_path(self.coursedir.autograded_directory, BEING_MADE, ".")
        shutil.rmtree(os.path.normpath(part), ignore_errors=True)

    def stock(self, submitted: Path, student: str, lesson: str) -> Marks:
        """Run nbgrader's own autograde on the submission as it is. Raises `BridgeError`."""
        self.ensure_student(student)
        with (
            self.place(submitted_directory=str(submitted.resolve())),
            _quiet(logging.getLogger("traitlets")),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore", sqlalchemy.exc.SAWarning)
            api = NbGraderAPI(coursedir=self.coursedir, config=self.config)
            api.log_level = logging.ERROR
            result = api.autograde(lesson, student)
        if not result["success"]:
            raise BridgeError(f"nbgrader's own autograde failed: {_last_error(result)}")
        return self.marks(student, lesson)

    def marks(self, student: str, lesson: str) -> Marks:
        """Return what the gradebook says; raises `MissingEntry` without a submission."""
        with self.gradebook() as gradebook:
            found = read_marks(gradebook, lesson, student)
        if student not in found:
            raise MissingEntry(f"{student} has no submission of {lesson} in the gradebook")
        return found[student]

    def all_marks(self, lesson: str) -> dict[str, Marks]:
        """Return what the gradebook says of everybody, by student."""
        with self.gradebook() as gradebook:
            return read_marks(gradebook, lesson)

    def points(self, student: str, lesson: str) -> dict[str, float]:
        """Return the points of one submission by grade id, after its part where there are several.

        Raises `MissingEntry` without a submission.
        """
        with self.gradebook() as gradebook:
            notebooks = gradebook.find_submission(lesson, student).notebooks
            names = [notebook.name for notebook in notebooks]
            return {
                label(names, notebook.name, grade.name): float(grade.score)
                for notebook in notebooks
                for grade in notebook.grades
            }

    def graded_students(self, lesson: str) -> list[str]:
        """Return the ids of all students with a graded notebook of this lesson."""
        with self.gradebook() as gradebook:
            found = [one.student.id for one in gradebook.assignment_submissions(lesson)]
        parts = self.parts(lesson)
        return sorted(student for student in found if self.graded_parts(student, lesson, parts))

    def graded_parts(self, student: str, lesson: str, parts: Iterable[str]) -> dict[str, Path]:
        """Return the graded notebooks of a submission that are there, by their names."""
        paths = {part: self.autograded(student, lesson, part) for part in parts}
        return {part: path for part, path in paths.items() if path.is_file()}

    def autograded(self, student: str, lesson: str, part: str | None = None) -> Path:
        """Return where a graded notebook lies: by default that which is called as its lesson is."""
        folder = self.coursedir.format_path(self.coursedir.autograded_directory, student, lesson)
        return Path(folder) / f"{part or lesson}.ipynb"

    def _unchanged(self, outcome: Outcome, notebook: NotebookNode) -> set[str]:
        """Return grade ids whose source is the same as when the submission was graded before."""
        try:
            path = self.autograded(outcome.student, outcome.lesson, outcome.part)
            text = path.read_text(encoding="utf-8")
            old = sources_by_id(nbformat.v4.reads(text))  # read, not validated: it is compared only
        except (OSError, ValueError, LookupError, AttributeError, TypeError):
            return set()
        new = sources_by_id(notebook)
        return {grade_id for grade_id in new if new[grade_id] == old.get(grade_id)}

    @contextlib.contextmanager
    def place(self, **values: str) -> Iterator[None]:
        """Point nbgrader's course folder at one submission, or at other folders, for a while."""
        before = {name: getattr(self.coursedir, name) for name in values}
        try:
            for name, value in values.items():
                setattr(self.coursedir, name, value)
            yield
        finally:  # nbgrader's own `temp_attrs` does not put them back after an error
            for name, value in before.items():
                setattr(self.coursedir, name, value)

    def start(self, converter: BaseConverter) -> None:
        """Run a converter; its last error line is the reason when it fails."""
        heard = _Heard()
        converter.log.addHandler(heard)
        try:
            with _quiet(converter.log), warnings.catch_warnings():
                # nbgrader 0.9 adds rows in an order that SQLAlchemy 2 remarks on; they are saved.
                warnings.simplefilter("ignore", sqlalchemy.exc.SAWarning)
                converter.start()
        except Exception as error:  # converters raise whatever their preprocessors raise
            raise BridgeError(heard.reason() or f"{type(error).__name__}: {error}") from error
        finally:
            converter.log.removeHandler(heard)


# -- nbgrader's surroundings -------------------------------------------------------------------


def load_app(course: Course) -> NbGrader:
    """Return an nbgrader application with the course's configuration, and no log of its own."""
    app = NbGrader()
    app.log_level = logging.CRITICAL
    with contextlib.chdir(course.home or course.root):
        app.initialize([], root=str(course.root))
    app.log_level = logging.CRITICAL
    return app


class _Heard(logging.Handler):
    """Keeps what a converter complained about."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())

    def reason(self) -> str:
        """Return what the first traceback ends with, its first line; or the first complaint."""
        traces = [line for line in self.lines if "Traceback" in line]
        if not traces:
            return next(iter(self.lines), "")[:300]
        said = traces[0].rpartition('\n  File "')[2].splitlines()[1:]
        ends = [line for line in said if line.strip() and not line.startswith(" ")]
        return (ends or traces[0].strip().splitlines()[-1:])[0][:300]


@contextlib.contextmanager
def _quiet(log: logging.Logger) -> Iterator[None]:
    """Keep a logger's words from the terminal; handlers of ours still hear its errors."""
    shown = [handler for handler in log.handlers if not isinstance(handler, _Heard)]
    before, propagate = log.level, log.propagate
    for handler in shown:
        log.removeHandler(handler)
    log.setLevel(logging.ERROR)
    log.propagate = False
    try:
        yield
    finally:
        log.setLevel(before)
        log.propagate = propagate
        for handler in shown:
            log.addHandler(handler)


def _last_error(result: dict[str, Any]) -> str:
    lines = [line for line in result.get("log", "").splitlines() if line.startswith("[ERROR]")]
    words = lines or result.get("error", "").strip().splitlines()[-1:]
    return (words[0] if words else "no reason given").removeprefix("[ERROR] ")[:300]


def put_folder(made: Path, final: Path) -> None:
    """Put a finished folder in the place of another."""
    old = made.with_name(made.name + ".old")
    final.parent.mkdir(parents=True, exist_ok=True)
    if final.exists():
        os.rename(final, old)
    os.rename(made, final)
    shutil.rmtree(made.parent, ignore_errors=True)
