"""A notebook as it is graded and as it was handed out, from its solved one.

nbgrader's own preprocessors make both, in memory and with the course's configuration:

    graded     answers cleared, hidden tests in, checksums set: what nbgrader's database holds
    released   hidden tests and mark schemes gone too: what students received
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader import utils
from nbgrader.converters import GenerateAssignment
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import ClearHiddenTests, SaveCells
from traitlets.config import Config
from traitlets.utils.importstring import import_item

from autograder.errors import Problem
from autograder.grading.sources import defined_names


@dataclass(frozen=True)
class Slot:
    """One cell of the master, as the matching of submissions needs it."""

    index: int
    kind: str
    cell_id: str
    grade_id: str
    answer: bool
    """The student writes here, in code or in words."""
    test: bool
    locked: bool
    points: float
    graded_source: str
    released_source: str
    tags: tuple[str, ...] = ()

    @property
    def names(self) -> frozenset[str]:
        """What the released answer cell defines at top level, such as `forward`."""
        return defined_names(self.released_source) if self.answer else frozenset()


@dataclass(frozen=True)
class Handout:
    """A part's cells, and the notebook that carries them into nbgrader."""

    lesson: str
    part: str
    slots: tuple[Slot, ...]
    graded: NotebookNode
    released: NotebookNode

    @property
    def checksums(self) -> dict[str, str | None]:
        """nbgrader's checksum of each cell that its gradebook holds, by grade id."""
        kinds = (utils.is_grade, utils.is_solution, utils.is_locked, utils.is_task)
        return {
            cell.metadata.nbgrader["grade_id"]: cell.metadata.nbgrader.get("checksum")
            for cell in self.graded.cells
            if "nbgrader" in cell.metadata and any(kind(cell) for kind in kinds)
        }

    def slot(self, grade_id: str) -> Slot:
        """Return the slot with this grade id; raises `KeyError`."""
        for slot in self.slots:
            if slot.grade_id == grade_id:
                return slot
        raise KeyError(grade_id)


def read_handout(master: Path, config: Config | None = None, root: Path | None = None) -> Handout:
    """Return how the notebook whose solved form is `master` is handed out. Raises `Problem`.

    Paths in the configuration, such as a header's, start at `root`, the course folder.
    """
    if not master.is_file():
        raise Problem(f"there is no solved notebook {master}; run `autograder build`.")
    try:
        solved = nbformat.read(master, as_version=4)
    except (OSError, ValueError, nbformat.reader.NotJSONError) as error:
        raise Problem(f"{master} cannot be read as a notebook ({type(error).__name__}).") from None
    with contextlib.chdir(root or Path.cwd()):
        graded, released = _convert(solved, master, config or Config())
    if len(graded.cells) != len(released.cells):
        raise Problem(f"{master.name}: a preprocessor of GenerateAssignment adds or drops cells.")
    slots = [
        _slot(index, cell, released.cells[index].source) for index, cell in enumerate(graded.cells)
    ]
    return Handout(master.parent.name, master.stem, tuple(slots), graded, released)


def _convert(
    notebook: NotebookNode, master: Path, config: Config
) -> tuple[NotebookNode, NotebookNode]:
    converter = GenerateAssignment(coursedir=CourseDirectory(config=config), config=config)
    about = {"student": ".", "assignment": master.parent.name, "notebook": master.stem}
    resources = {"unique_key": master.stem, "nbgrader": about}
    graded = None
    for preprocessor in steps(converter.preprocessors):
        if graded is None and preprocessor in (SaveCells, ClearHiddenTests):
            graded = copy.deepcopy(notebook)
        if preprocessor is SaveCells:
            continue
        try:
            notebook, resources = preprocessor(parent=converter)(notebook, resources)
        except Exception as error:  # each preprocessor has its own way to say that a cell is wrong
            raise Problem(f"nbgrader cannot release {master.name}: {error}") from error
    return graded or copy.deepcopy(notebook), notebook


def steps(preprocessors: Iterable[Any]) -> list[Any]:
    """Return a configured list of preprocessors as classes; a course may name them in words."""
    return [import_item(one) if isinstance(one, str) else one for one in preprocessors]


def _slot(index: int, cell: NotebookNode, released_source: str) -> Slot:
    metadata = cell.metadata.get("nbgrader", {})
    answer = bool(utils.is_solution(cell))
    return Slot(
        index=index,
        kind=cell.cell_type,
        cell_id=cell.get("id", ""),
        grade_id=metadata.get("grade_id", ""),
        answer=answer,
        test=bool(utils.is_grade(cell)) and not answer,
        locked=bool(utils.is_locked(cell)),
        points=float(metadata.get("points", 0) or 0),
        graded_source=cell.source,
        released_source=released_source,
        tags=tuple(cell.metadata.get("tags", ())),
    )
