"""Outcomes into nbgrader: its database, its `autograded/` folder, its formgrader.

nbgrader's own converter does the work. A staged notebook (the master with one student's answers)
takes the place of the submission, and two preprocessors of its list are replaced by ours: outputs
come from our run instead of a kernel, points from our records instead of the absence of an error.

Everything that depends on how nbgrader 0.9 is built inside lies in this module.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import sqlalchemy.exc
from nbformat import NotebookNode
from nbgrader import utils
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.apps import NbGraderAPI
from nbgrader.apps.baseapp import NbGrader
from nbgrader.converters import Autograde, GenerateAssignment
from nbgrader.converters.base import BaseConverter
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import Execute, NbGraderPreprocessor, SaveAutoGrades
from traitlets.config import Config

from autograder.course import Course
from autograder.environ import put_tools_on_path
from autograder.errors import Problem
from autograder.grading.handout import Handout
from autograder.grading.rebuild import Rebuilt
from autograder.grading.staging import sources_by_id, staged_notebook, write_staged
from autograder.grading.unit import Outcome

STAGED = os.path.join(".autograder", "staged")
SCRATCH_RELEASE = os.path.join(".autograder", "release")


class BridgeError(Exception):
    """nbgrader could not take a submission; the message is one sentence."""


@dataclass(frozen=True)
class Marks:
    """What the gradebook says about one submission, hand-given marks included."""

    score: float
    max_score: float
    manual_pending: int


class TakeOutputs(NbGraderPreprocessor):
    """In the place of nbgrader's Execute: the outputs that our run gave."""

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Fill in outputs by position, and each test cell's record into its metadata."""
        outcome: Outcome = resources["autograder"]["outcome"]
        for position, cell in enumerate(nb.cells):
            if cell.cell_type != "code":
                continue
            cell.outputs = [nbformat.from_dict(one) for one in outcome.outputs.get(position, [])]
            cell.execution_count = None
            grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
            if utils.is_grade(cell) and grade_id in outcome.records:
                ours = cell.metadata.setdefault("autograder", NotebookNode())
                ours["record"] = nbformat.from_dict(outcome.records[grade_id])
        return nb, resources


class SaveRecords(SaveAutoGrades):
    """nbgrader's SaveAutoGrades with points from records: no record, no points."""

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict[str, Any], cell_index: int
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Write one cell's grade and comment; marks given by hand are never touched."""
        ours = resources["autograder"]
        if utils.is_grade(cell):
            grade = self.gradebook.find_grade(*self._key(cell))
            points = _points(cell, ours["outcome"])
            same_work = cell.metadata.nbgrader["grade_id"] in ours["unchanged"]
            if grade.manual_score is None:
                grade.needs_manual_grade = points is None
            elif not same_work or points != grade.auto_score:
                # A hand-given mark stands, but work that has changed asks for a second look.
                grade.needs_manual_grade = True
            grade.auto_score = points
        if utils.is_solution(cell):
            comment = self.gradebook.find_comment(*self._key(cell))
            comment.auto_comment = "No response." if _untouched(cell) else None
        self.gradebook.db.commit()
        return cell, resources

    def _key(self, cell: NotebookNode) -> tuple[str, str, str, str]:
        grade_id = cell.metadata.nbgrader["grade_id"]
        return grade_id, self.notebook_id, self.assignment_id, self.student_id


def _points(cell: NotebookNode, outcome: Outcome) -> float | None:
    """Return the automatic points of a grade cell; None where a person must look."""
    if utils.is_solution(cell):
        return 0.0 if _untouched(cell) else None
    record = outcome.records.get(cell.metadata.nbgrader["grade_id"])
    return float(record["points"]) if record and record["verdict"] == "pass" else 0.0


def _untouched(cell: NotebookNode) -> bool:
    return bool(cell.metadata.nbgrader.get("checksum") == utils.compute_checksum(cell))


REPLACED = {Execute: TakeOutputs, SaveAutoGrades: SaveRecords}


class RecordedAutograde(Autograde):
    """nbgrader's Autograde on one staged notebook, run already."""

    def __init__(self, folder: Path, ours: dict[str, Any], **kwargs: Any) -> None:
        """`folder` holds the staged notebook; `ours` is the outcome and what has not changed."""
        super().__init__(**kwargs)
        self.folder, self.ours = folder, ours
        configured = [REPLACED.get(one, one) for one in self.autograde_preprocessors]
        self.set_trait("autograde_preprocessors", configured)
        missing = set(REPLACED.values()) - set(configured)
        if missing:
            names = ", ".join(name.__name__ for name in REPLACED)
            raise Problem(f"Autograde.autograde_preprocessors must keep nbgrader's {names}.")

    def init_notebooks(self) -> None:
        """Name the one notebook; nbgrader would search with a glob, and ids may hold `[`."""
        self.notebooks: list[str] = []
        self.assignments = {str(self.folder): [str(path) for path in self.folder.glob("*.ipynb")]}

    def init_single_notebook_resources(self, notebook_filename: str) -> dict[str, Any]:
        """Hand our outcome to the preprocessors."""
        resources: dict[str, Any] = super().init_single_notebook_resources(notebook_filename)
        return resources | {"autograder": self.ours}


class Bridge:
    """A course's gradebook, with nbgrader's configuration loaded."""

    def __init__(self, course: Course, db_url: str | None = None) -> None:
        """`db_url` is nbgrader's (`sqlite:///...`); a plain path means SQLite."""
        put_tools_on_path()
        self.course = course
        self.app = load_app(course)
        self.coursedir: CourseDirectory = self.app.coursedir
        if db_url:
            plain = "://" not in db_url
            self.coursedir.db_url = f"sqlite:///{Path(db_url).resolve()}" if plain else db_url

    @property
    def config(self) -> Config:
        """nbgrader's configuration of this course."""
        return self.app.config

    @contextlib.contextmanager
    def gradebook(self) -> Iterator[Gradebook]:
        """Open the gradebook; close it at the end."""
        with Gradebook(self.coursedir.db_url, self.coursedir.course_id) as gradebook:
            yield gradebook

    def ensure_assignment(self, lesson: str) -> None:
        """Bring the lesson's cells and points into the gradebook, by nbgrader's own step."""
        with self.place(release_directory=SCRATCH_RELEASE, assignment_id=lesson):
            converter = GenerateAssignment(coursedir=self.coursedir, parent=self.app)
            converter.force = True
            try:
                self.start(converter)
            except BridgeError as error:
                raise Problem(_plain_reason(lesson, str(error))) from error
            finally:
                shutil.rmtree(self.course.root / SCRATCH_RELEASE, ignore_errors=True)

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
        self, outcome: Outcome, rebuilt: Rebuilt, handout: Handout, timestamp: str | None
    ) -> Marks:
        """Write one outcome to the gradebook and `autograded/`. Raises `BridgeError`."""
        self.ensure_student(outcome.student)
        notebook = staged_notebook(outcome, rebuilt, handout)
        folder = self.course.root / STAGED / outcome.student / outcome.lesson
        ours = {"outcome": outcome, "unchanged": self._unchanged(outcome, notebook)}
        try:
            write_staged(folder, notebook, outcome.lesson, timestamp)
            with self.place(
                submitted_directory=STAGED,
                assignment_id=outcome.lesson,
                student_id=outcome.student,
            ):
                converter = RecordedAutograde(
                    folder, ours, coursedir=self.coursedir, parent=self.app
                )
                converter.force = True
                self.start(converter)
        finally:
            shutil.rmtree(folder.parent, ignore_errors=True)
        return self.marks(outcome.student, outcome.lesson)

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
            submission = gradebook.find_submission(lesson, student)
            pending = sum(
                bool(grade.needs_manual_grade)
                for notebook in submission.notebooks
                for grade in notebook.grades
            )
            penalty = submission.late_submission_penalty or 0.0
            score = max(0.0, submission.score - penalty)
            return Marks(float(score), float(submission.max_score), pending)

    def points(self, student: str, lesson: str) -> dict[str, float]:
        """Return the points of one submission by grade id; raises `MissingEntry` without one."""
        with self.gradebook() as gradebook:
            submission = gradebook.find_submission(lesson, student)
            return {
                grade.name: float(grade.score)
                for notebook in submission.notebooks
                for grade in notebook.grades
            }

    def graded_students(self, lesson: str) -> list[str]:
        """Return the ids of all students with a graded notebook of this lesson."""
        with self.gradebook() as gradebook:
            found = [one.student.id for one in gradebook.assignment_submissions(lesson)]
        return sorted(student for student in found if self.autograded(student, lesson).is_file())

    def autograded(self, student: str, lesson: str) -> Path:
        """Return where the graded notebook of a submission lies."""
        folder = self.coursedir.format_path(self.coursedir.autograded_directory, student, lesson)
        return Path(folder) / f"{lesson}.ipynb"

    def _unchanged(self, outcome: Outcome, notebook: NotebookNode) -> set[str]:
        """Return grade ids whose source is the same as when the submission was graded before."""
        try:
            before = nbformat.read(self.autograded(outcome.student, outcome.lesson), as_version=4)
        except (OSError, ValueError, nbformat.reader.NotJSONError):
            return set()
        old, new = sources_by_id(before), sources_by_id(notebook)
        return {grade_id for grade_id in new if new[grade_id] == old.get(grade_id)}

    @contextlib.contextmanager
    def place(self, **values: str) -> Iterator[None]:
        """Point nbgrader's course folder at one submission, or at other folders, for a while."""
        with utils.temp_attrs(self.coursedir, **values):
            yield

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
    with contextlib.chdir(course.root):
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
        """Return the last line of the first traceback, or the first complaint."""
        traces = [line for line in self.lines if "Traceback" in line]
        chosen = traces[0].strip().splitlines()[-1] if traces else next(iter(self.lines), "")
        return chosen[:300]


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


def _plain_reason(lesson: str, reason: str) -> str:
    if "Cannot add or remove cells" in reason or "Cannot modify existing" in reason:
        return (
            f"the cells of {lesson} changed after submissions were graded; remove the assignment "
            f"with `nbgrader db assignment remove {lesson} --force`, or use a fresh --db."
        )
    return f"nbgrader cannot take {lesson} into the gradebook: {reason}"
