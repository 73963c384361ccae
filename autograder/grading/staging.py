"""The notebooks that take a submission's place: the masters with one student's answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader import utils

from autograder.grading.handout import Handout
from autograder.grading.rebuild import Rebuilt
from autograder.grading.unit import Outcome
from autograder.master import MasterCell


def staged_notebook(outcome: Outcome, rebuilt: Rebuilt, handout: Handout) -> NotebookNode:
    """Return the notebook that nbgrader takes for the submission: the master with answers."""
    notebook = NotebookNode(handout.graded)
    notebook["metadata"] = duplicate(handout.graded.metadata)
    cells = []
    for cell, origin in zip(rebuilt.cells, rebuilt.origins, strict=True):
        if origin is None:
            staged = _own_cell(cell)
        else:
            staged = duplicate(handout.graded.cells[origin])
            if staged.source != cell.source and not utils.is_solution(staged):
                staged.metadata.setdefault("autograder", NotebookNode())["changed"] = True
            staged.source = cell.source
            if cell.grade_id in rebuilt.pictures:
                staged["attachments"] = NotebookNode(rebuilt.pictures[cell.grade_id])
            staged.setdefault("id", cell.id)
        cells.append(staged)
    notebook["cells"] = cells
    # Cells have ids from 4.5 on; a course's own notebooks may be older.
    notebook["nbformat_minor"] = max(5, notebook["nbformat_minor"])
    about = {"status": outcome.status, "message": outcome.message, "seconds": outcome.seconds}
    about |= {"notes": list(outcome.notes), "suspicions": list(outcome.suspicions)}
    notebook.metadata.setdefault("autograder", NotebookNode())["outcome"] = about
    return notebook


def _own_cell(cell: MasterCell) -> NotebookNode:
    new = nbformat.v4.new_code_cell if cell.kind == "code" else nbformat.v4.new_markdown_cell
    return new(cell.source, id=cell.id, metadata={"autograder": {"role": "own"}})


def duplicate(value: Any) -> Any:
    """Return a copy of a part of a notebook, ten times as fast as `copy.deepcopy`."""
    if isinstance(value, dict):
        copied = NotebookNode()
        for name, one in value.items():
            dict.__setitem__(copied, name, duplicate(one))
        return copied
    return [duplicate(one) for one in value] if isinstance(value, list) else value


def as_text(notebook: NotebookNode) -> str:
    """Return a notebook as a file holds it; unlike nbformat's text, on one line, and at once."""
    return json.dumps(notebook, ensure_ascii=False, sort_keys=True) + "\n"


def write_staged(
    folder: Path, notebooks: Mapping[str, NotebookNode], timestamp: str | None
) -> None:
    """Write staged notebooks, and their time of submission where nbgrader looks for it."""
    folder.mkdir(parents=True, exist_ok=True)
    for part, notebook in notebooks.items():
        (folder / f"{part}.ipynb").write_text(as_text(notebook), encoding="utf-8")
    if timestamp:
        (folder / "timestamp.txt").write_text(timestamp)


def sources_by_id(notebook: NotebookNode) -> dict[str, str]:
    """Return the sources of the labelled cells of a notebook."""
    return {
        cell.metadata["nbgrader"]["grade_id"]: cell.source
        for cell in notebook.cells
        if cell.metadata.get("nbgrader", {}).get("grade_id")
    }
