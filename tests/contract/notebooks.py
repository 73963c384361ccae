"""A notebook of every kind, and the three ways to judge it."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_notebook
from traitlets.config import Config

from autograder.engine import Engine
from autograder.master import MasterCell
from tests.contract.kinds import KINDS, Kind

SETUP = "import numpy as np\nimport autograder\n"


def master_cells(answers: Mapping[str, str]) -> list[MasterCell]:
    """Return setup, then answer and test of every kind that `answers` names."""
    cells = [MasterCell(0, "setup", "code", "given", SETUP)]
    for kind in KINDS:
        if kind.name not in answers:
            continue
        about = {"exercise": kind.name, "allow": kind.allow}
        at = len(cells)
        cells.append(MasterCell(at, kind.name, "code", "exercise", answers[kind.name], **about))
        cells.append(
            MasterCell(
                at + 1,
                f"{kind.name}-test",
                "code",
                "tests",
                kind.test,
                grade_id=f"{kind.name}-test",
                points=1.0,
                behaviour="test",
                **about,
            )
        )
    return cells


def in_two_processes(answers: Mapping[str, str], engine: Engine) -> dict[str, float]:
    """Return points by kind, judged by the engine."""
    run = engine.run(master_cells(answers))
    return {record.exercise: record.points for record in run.records.values()}


def notebook(answers: Mapping[str, str]) -> Any:
    """Return the cells as a notebook with nbgrader's metadata."""
    built = new_notebook()
    built.metadata["kernelspec"] = {
        "name": "python3",
        "display_name": "Python 3",
        "language": "python",
    }
    for cell in master_cells(answers):
        made = new_code_cell(cell.source, id=cell.id)
        graded, answer = cell.role == "tests", cell.role == "exercise"
        made.metadata["nbgrader"] = {
            "schema_version": 3,
            "grade": graded,
            "solution": answer,
            "locked": not answer,
            "task": False,
            "grade_id": cell.id,
        } | ({"points": 1} if graded else {})
        made.metadata["autograder"] = {
            "exercise": cell.exercise,
            "behaviour": cell.behaviour,
            "allow": list(cell.allow or ()),
        }
        built.cells.append(made)
    return built


def run_in_kernel(answers: Mapping[str, str], folder: Path) -> dict[str, float]:
    """Return points by kind, judged in one process as a student's notebook does it."""
    from nbclient import NotebookClient

    built = notebook(answers)
    nbformat.write(built, folder / "kinds.ipynb")
    NotebookClient(built, allow_errors=True, resources={"metadata": {"path": folder}}).execute()
    return {
        cell.metadata.autograder.exercise: float(
            not any(out.output_type == "error" for out in cell.outputs)
        )
        for cell in built.cells
        if cell.metadata.nbgrader.grade
    }


class StockCourse:
    """A course that only nbgrader grades."""

    def __init__(self, root: Path) -> None:
        from nbgrader.apps import NbGraderAPI

        self.root = root
        (root / "source" / "kinds").mkdir(parents=True)
        config = Config()
        config.CourseDirectory.root = str(root)
        config.CourseDirectory.db_url = f"sqlite:///{root / 'gradebook.db'}"
        config.ClearSolutions.enforce_metadata = False
        config.GenerateAssignment.create_assignment = True
        self.api = NbGraderAPI(config=config)
        solved = notebook({kind.name: marked(kind) for kind in KINDS})
        nbformat.write(solved, root / "source" / "kinds" / "kinds.ipynb")
        _on_path()
        outcome = self.api.generate_assignment("kinds", force=True)
        assert outcome["success"], outcome

    def grade(self, student: str, answers: Mapping[str, str]) -> dict[str, float]:
        """Return points by kind, judged by `nbgrader autograde`."""
        from nbgrader.api import Gradebook

        target = self.root / "submitted" / student / "kinds"
        target.mkdir(parents=True)
        nbformat.write(notebook(answers), target / "kinds.ipynb")
        outcome = self.api.autograde("kinds", student, create=True)
        assert outcome["success"], outcome
        with Gradebook(f"sqlite:///{self.root / 'gradebook.db'}") as book:
            found = book.find_submission_notebook("kinds", "kinds", student)
            return {
                grade.name.removesuffix("-test"): float(grade.auto_score or 0)
                for grade in found.grades
            }

    def release(self) -> Path:
        """Return the released notebook."""
        return self.root / "release" / "kinds" / "kinds.ipynb"


def marked(kind: Kind) -> str:
    """Return the solution between nbgrader's markers."""
    return f"### BEGIN SOLUTION\n{kind.solution}### END SOLUTION\n"


def _on_path() -> None:
    """nbgrader starts `alembic` by name, so the environment's commands must be on PATH."""
    own = str(Path(sys.executable).parent)
    if not shutil.which("alembic"):
        os.environ["PATH"] = own + os.pathsep + os.environ.get("PATH", "")
