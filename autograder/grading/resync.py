"""Bring a changed assignment into a gradebook that already holds submissions.

nbgrader refuses once an assignment with submissions gains or loses a cell or a notebook.
`KeepMarks` takes the place of its SaveCells, `KeepSubmissions` of its GenerateAssignment: what is
added gets an empty grade for everybody, what is removed goes, and what a person had written on a
removed cell is laid aside and comes back with the cell.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy
from nbformat import NotebookNode
from nbgrader.api import (
    BaseCell,
    Comment,
    Grade,
    Gradebook,
    MissingEntry,
    Notebook,
    SubmittedNotebook,
)
from nbgrader.converters import GenerateAssignment, generate_assignment
from nbgrader.preprocessors import SaveCells

from autograder.grading.handout import steps
from autograder.grading.ledger import KEPT

KINDS = ("grade", "solution", "task", "source")
GRADED = ("GradeCell", "TaskCell")
COMMENTED = ("SolutionCell", "TaskCell")
HAND = ("manual_score", "extra_credit", "manual_comment")


class KeepSubmissions(GenerateAssignment):
    """nbgrader's GenerateAssignment for assignments that may change after grading began."""

    def __init__(self, **kwargs: Any) -> None:
        """Put `KeepMarks` into the course's list of preprocessors."""
        super().__init__(**kwargs)
        kinds = steps(self.preprocessors)
        self.set_trait("preprocessors", [KeepMarks if one is SaveCells else one for one in kinds])

    def _clean_old_notebooks(self, assignment_id: str, student_id: str) -> None:
        here = {Path(one).stem for one in self.notebooks}
        url, course = self.coursedir.db_url, self.coursedir.course_id
        # By nbgrader's own name for it, so that one that stays open can stand in.
        with generate_assignment.Gradebook(url, course) as gradebook:
            for notebook in list(gradebook.find_assignment(assignment_id).notebooks):
                if notebook.name not in here:
                    for cell in list(notebook._base_cells):
                        lay_aside(gradebook, assignment_id, cell)
                    gradebook.db.commit()
                    gradebook.remove_notebook(notebook.name, assignment_id)


class KeepMarks(SaveCells):
    """nbgrader's SaveCells for lessons whose cells may change after grading began."""

    def _create_notebook(self, nb: NotebookNode) -> None:
        try:
            notebook = self.gradebook.find_notebook(self.notebook_id, self.assignment_id)
        except MissingEntry:
            notebook = None
        if notebook is not None and notebook.submissions:
            self._drop_cells(notebook)
            self._add_cells()
            self.gradebook.db.commit()
        super()._create_notebook(nb)
        notebook = self.gradebook.find_notebook(self.notebook_id, self.assignment_id)
        have = {submitted.assignment_id for submitted in notebook.submissions}
        for submission in notebook.assignment.submissions:
            if submission.id not in have:  # handed in before the assignment had this notebook
                self.gradebook.db.add(SubmittedNotebook(notebook=notebook, assignment=submission))
        self.gradebook.db.commit()
        for submitted in notebook.submissions:
            fill(self.gradebook, self.assignment_id, notebook, submitted)
        self.gradebook.db.commit()

    def _wanted(self, kind: str) -> dict[str, Any]:
        return dict(getattr(self, f"new_{kind}_cells"))

    def _drop_cells(self, notebook: Notebook) -> None:
        for kind in KINDS:
            for cell in list(getattr(notebook, f"{kind}_cells")):
                if cell.name not in self._wanted(kind):
                    lay_aside(self.gradebook, self.assignment_id, cell)
                    self.gradebook.db.delete(cell)
        self.gradebook.db.commit()

    def _add_cells(self) -> None:
        for kind in KINDS:
            create = getattr(self.gradebook, f"update_or_create_{kind}_cell")
            for name, about in self._wanted(kind).items():
                create(name, self.notebook_id, self.assignment_id, **about)


def lay_aside(gradebook: Gradebook, assignment: str, cell: Any) -> None:
    """Keep marks and words given by hand on a cell, then remove everybody's rows of it."""
    if not isinstance(cell, BaseCell):
        return
    for row in [*cell.grades, *cell.comments]:
        kept = {name: getattr(row, name) for name in HAND if getattr(row, name, None) is not None}
        if any(kept.values()) or "manual_score" in kept:
            values = {"assignment": assignment, "notebook": cell.notebook.name}
            values |= {"student": row.student.id, "cell": cell.name}
            _put(gradebook, values, kept)
        gradebook.db.delete(row)


def _put(gradebook: Gradebook, place: dict[str, str], kept: dict[str, Any]) -> None:
    """Add to what is laid aside for one student's cell: its mark, its comment, or both."""
    here = [KEPT.c[name] == value for name, value in place.items()]
    found = gradebook.db.execute(sqlalchemy.select(KEPT).where(*here)).mappings().first()
    before = {name: found[name] for name in HAND} if found else {}
    gradebook.db.execute(KEPT.delete().where(*here))
    gradebook.db.execute(KEPT.insert().values(**place, **(before | kept)))


def fill(
    gradebook: Gradebook, assignment: str, notebook: Notebook, submitted: SubmittedNotebook
) -> None:
    """Give a submission the grades and comments that it lacks, with what was laid aside."""
    have = {
        "grades": {row.cell_id for row in submitted.grades},
        "comments": {row.cell_id for row in submitted.comments},
    }
    for cell in notebook._base_cells:
        kind = type(cell).__name__
        if kind in GRADED and cell.id not in have["grades"]:
            row = Grade(cell_id=cell.id, notebook_id=submitted.id)
            _restore(
                gradebook, assignment, submitted, cell.name, row, ("manual_score", "extra_credit")
            )
        if kind in COMMENTED and cell.id not in have["comments"]:
            words = Comment(cell_id=cell.id, notebook_id=submitted.id)
            _restore(gradebook, assignment, submitted, cell.name, words, ("manual_comment",))


def _restore(
    gradebook: Gradebook,
    assignment: str,
    submitted: SubmittedNotebook,
    cell: str,
    row: Grade | Comment,
    names: tuple[str, ...],
) -> None:
    place = {"assignment": assignment, "notebook": submitted.name}
    place |= {"student": submitted.student.id, "cell": cell}
    here = [KEPT.c[name] == value for name, value in place.items()]
    found = gradebook.db.execute(sqlalchemy.select(KEPT).where(*here)).mappings().first()
    for name in names:
        if found and found[name] is not None:
            setattr(row, name, found[name])
    gradebook.db.add(row)
    if found:
        gradebook.db.execute(KEPT.update().where(*here).values(dict.fromkeys(names)))
