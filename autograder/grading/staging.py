"""The notebook that takes a submission's place: the master with one student's answers."""

from __future__ import annotations

import copy
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader import utils

from autograder.grading.handout import Handout
from autograder.grading.rebuild import Rebuilt
from autograder.grading.unit import Outcome
from autograder.master import MasterCell


def staged_notebook(outcome: Outcome, rebuilt: Rebuilt, handout: Handout) -> NotebookNode:
    """Return the notebook that nbgrader takes for the submission: the master with answers."""
    notebook = copy.deepcopy(handout.graded)
    cells = []
    for cell, origin in zip(rebuilt.cells, rebuilt.origins, strict=True):
        if origin is None:
            staged = _own_cell(cell)
        else:
            staged = copy.deepcopy(handout.graded.cells[origin])
            if staged.source != cell.source and not utils.is_solution(staged):
                staged.metadata.setdefault("autograder", NotebookNode())["changed"] = True
            staged.source = cell.source
        cells.append(staged)
    notebook.cells = cells
    about = {"status": outcome.status, "message": outcome.message, "seconds": outcome.seconds}
    about |= {"notes": list(outcome.notes), "suspicions": list(outcome.suspicions)}
    notebook.metadata.setdefault("autograder", NotebookNode())["outcome"] = about
    return notebook


def _own_cell(cell: MasterCell) -> NotebookNode:
    new = nbformat.v4.new_code_cell if cell.kind == "code" else nbformat.v4.new_markdown_cell
    return new(cell.source, id=cell.id, metadata={"autograder": {"role": "own"}})


def write_staged(folder: Path, notebook: NotebookNode, lesson: str, timestamp: str | None) -> None:
    """Write a staged notebook, and its time of submission where nbgrader looks for it."""
    folder.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, folder / f"{lesson}.ipynb")
    if timestamp:
        (folder / "timestamp.txt").write_text(timestamp)


def sources_by_id(notebook: NotebookNode) -> dict[str, str]:
    """Return the sources of the labelled cells of a notebook."""
    return {
        cell.metadata["nbgrader"]["grade_id"]: cell.source
        for cell in notebook.cells
        if cell.metadata.get("nbgrader", {}).get("grade_id")
    }
