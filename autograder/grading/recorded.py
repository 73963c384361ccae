"""nbgrader's Autograde on notebooks that were run already.

Staged notebooks (the masters with one student's answers) take the place of the submission, and
preprocessors of nbgrader's list are replaced by ours: outputs come from our run instead of a
kernel, points from our records instead of the absence of an error. The other preprocessors, a
course's own among them, its hooks and its late penalties run as nbgrader runs them.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader import utils
from nbgrader.api import BaseCell, Comment, Grade, Gradebook, SubmittedNotebook
from nbgrader.converters import Autograde
from nbgrader.preprocessors import (
    Execute,
    NbGraderPreprocessor,
    OverwriteCells,
    SaveAutoGrades,
    saveautogrades,
)

from autograder.errors import Problem
from autograder.grading.handout import steps
from autograder.grading.staging import as_text
from autograder.grading.unit import Outcome


@dataclass(frozen=True)
class Ours:
    """What our preprocessors need to know about one notebook of a submission."""

    outcome: Outcome
    notebook: NotebookNode
    unchanged: set[str] = field(default_factory=set)
    """Grade ids whose source is the same as when the submission was graded before."""
    checksums: dict[str, str | None] = field(default_factory=dict)
    """The gradebook's checksum of each labelled cell of the master."""


class KeepCells(OverwriteCells):
    """OverwriteCells for a notebook whose locked cells come from the master, not a student."""

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Do nbgrader's work, unless the cells are those that the gradebook holds."""
        known = resources["autograder"].checksums
        for cell in nb.cells:
            labels = cell.metadata.get("nbgrader", {})
            if labels.get("grade_id") and known.get(labels["grade_id"], "") != labels.get(
                "checksum"
            ):
                return super().preprocess(nb, resources)
        return nb, resources


class TakeOutputs(NbGraderPreprocessor):
    """In the place of nbgrader's Execute: the outputs that our run gave."""

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Fill in outputs by position, and each test cell's record into its metadata."""
        outcome: Outcome = resources["autograder"].outcome
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

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Write grades and comments; marks and words given by hand are never touched."""
        about, ours = resources["nbgrader"], resources["autograder"]
        # By nbgrader's own name for it, so that one that stays open can stand in.
        with saveautogrades.Gradebook(about["db_url"]) as gradebook:
            notebook = gradebook.find_submission_notebook(
                about["notebook"], about["assignment"], about["student"]
            )
            grades = _by_cell(gradebook, Grade, notebook)
            comments = _by_cell(gradebook, Comment, notebook)
            for cell in nb.cells:
                if utils.is_grade(cell):
                    _save_grade(grades[cell.metadata.nbgrader["grade_id"]], cell, ours)
                if utils.is_solution(cell):
                    comment = comments[cell.metadata.nbgrader["grade_id"]]
                    comment.auto_comment = "No response." if _untouched(cell) else None
            if ours.outcome.status in ("refused", "missing"):
                for grade in grades.values():
                    _save_nothing(grade)
            gradebook.db.commit()
        return nb, resources


def _by_cell(gradebook: Gradebook, kind: Any, notebook: SubmittedNotebook) -> dict[str, Any]:
    rows = gradebook.db.query(kind, BaseCell.name).join(BaseCell, BaseCell.id == kind.cell_id)
    return {name: row for row, name in rows.filter(kind.notebook_id == notebook.id)}


def _save_grade(grade: Grade, cell: NotebookNode, ours: Ours) -> None:
    points = _points(cell, ours.outcome)
    same_work = cell.metadata.nbgrader["grade_id"] in ours.unchanged
    if grade.manual_score is None:
        grade.needs_manual_grade = points is None
    elif not same_work or points != grade.auto_score:
        # A hand-given mark stands, but work that has changed asks for a second look.
        grade.needs_manual_grade = True
    grade.auto_score = points


def _save_nothing(grade: Grade) -> None:
    """Give 0 for what was not handed in: nobody need look at it, as nbgrader does it."""
    if grade.manual_score is None:
        grade.auto_score, grade.needs_manual_grade = 0.0, False


def _points(cell: NotebookNode, outcome: Outcome) -> float | None:
    """Return the automatic points of a grade cell; None where a person must look."""
    if utils.is_solution(cell):
        return 0.0 if _untouched(cell) else None
    record = outcome.records.get(cell.metadata.nbgrader["grade_id"])
    earned = record and record["verdict"] in ("pass", "partial")
    return float(record["points"]) if record and earned else 0.0


def _untouched(cell: NotebookNode) -> bool:
    return bool(cell.metadata.nbgrader.get("checksum") == utils.compute_checksum(cell))


REPLACED = {OverwriteCells: KeepCells, Execute: TakeOutputs, SaveAutoGrades: SaveRecords}
NEEDED = (TakeOutputs, SaveRecords)


class RecordedAutograde(Autograde):
    """nbgrader's Autograde on one submission's staged notebooks, run already."""

    folder: Path
    ours: Mapping[str, Ours]

    def __init__(self, **kwargs: Any) -> None:
        """Read the course's lists of preprocessors. Raises `Problem` when ours have no place."""
        super().__init__(**kwargs)
        self.kept: dict[type, Any] = {}
        for name in ("sanitize_preprocessors", "autograde_preprocessors"):
            self.set_trait(name, [REPLACED.get(one, one) for one in steps(getattr(self, name))])
        missing = set(NEEDED) - set(self.autograde_preprocessors)
        if missing:
            names = ", ".join(old.__name__ for old, new in REPLACED.items() if new in NEEDED)
            raise Problem(f"Autograde.autograde_preprocessors must keep nbgrader's {names}.")

    def take(self, folder: Path, ours: Mapping[str, Ours]) -> None:
        """Name what to convert next, by notebook; nbgrader would look for them in `folder`."""
        self.folder, self.ours = folder, ours

    def start(self) -> None:
        """Convert the submission that was taken; the exporter is made once."""
        if not self.kept:
            super().start()
            return
        self.init_notebooks()
        with contextlib.chdir(self.coursedir.root):
            self.convert_notebooks()

    def init_notebooks(self) -> None:
        """Name the notebooks; nbgrader would search with a glob, and ids may hold `[`."""
        self.notebooks: list[str] = []
        paths = [str(self.folder / f"{part}.ipynb") for part in self.ours]
        self.assignments = {str(self.folder): paths}

    def convert_single_notebook(self, notebook_filename: str) -> None:
        """Run both lists of preprocessors on the notebook in memory; write it once.

        nbgrader's way reads and writes it twice and copies and validates it after every step.
        """
        resources = self.init_single_notebook_resources(notebook_filename)
        ours = resources["autograder"] = self.ours[resources["nbgrader"]["notebook"]]
        notebook = ours.notebook
        with utils.setenv(NBGRADER_EXECUTION="autograde"):
            for kind in (*self.sanitize_preprocessors, *self.autograde_preprocessors):
                notebook, resources = self._step(kind)(notebook, resources)
        nbformat.validate(notebook)
        about = resources["nbgrader"]
        target = Path(self._format_dest(about["assignment"], about["student"]))
        target.mkdir(parents=True, exist_ok=True)
        path = target / os.path.basename(notebook_filename)
        path.write_text(as_text(notebook), encoding="utf-8")

    def _step(self, kind: Any) -> Any:
        """Return a preprocessor; a course's own, which may remember things, is always a new one."""
        if not isinstance(kind, type):
            return kind
        if not kind.__module__.startswith(("nbgrader.", "autograder.", "nbconvert.")):
            return kind(parent=self.exporter)
        if kind not in self.kept:
            self.kept[kind] = kind(parent=self.exporter)
        return self.kept[kind]
