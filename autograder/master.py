"""A solved notebook as the engine sees it: the master that every submission is rebuilt from."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat

from autograder.checks.judge import HIDDEN
from autograder.course import cell_seconds
from autograder.errors import Problem


@dataclass(frozen=True)
class MasterCell:
    """One cell of a master, with what it is for."""

    index: int
    id: str
    kind: str
    role: str
    source: str
    grade_id: str | None = None
    points: float = 0.0
    exercise: str | None = None
    behaviour: str | None = None
    sentence: str = ""
    allow: tuple[str, ...] | None = None
    signatures: dict[str, str] = field(default_factory=dict)
    seconds: float | None = None
    """How long the cell may run, where the course has its own limit."""
    released: str | None = None
    """The source as nbgrader released it, with the course's own marks of hidden tests."""

    @property
    def is_answer(self) -> bool:
        """Whether a student fills this cell in."""
        return self.role in ("exercise", "written")

    @property
    def released_source(self) -> str:
        """The source of a test cell without its hidden regions."""
        return without_hidden(self.source) if self.released is None else self.released

    @property
    def hides(self) -> bool:
        """Whether a test cell holds tests that students do not receive."""
        return self.released_source.split() != self.source.split()

    def with_source(self, source: str) -> MasterCell:
        """Return this cell with another source."""
        return dataclasses.replace(self, source=source)


@dataclass(frozen=True)
class Master:
    """One solved notebook: a lesson, or a part of an assignment of several notebooks."""

    path: Path
    lesson: str
    number: int
    title: str
    cells: tuple[MasterCell, ...]

    @property
    def folder(self) -> str:
        """The name of the lesson's folder, nbgrader's name of the assignment."""
        return self.path.parent.name

    @property
    def part(self) -> str:
        """nbgrader's name of the notebook."""
        return self.path.stem

    @property
    def exercises(self) -> tuple[str, ...]:
        """Names of the exercises, in order."""
        return tuple(cell.exercise or "" for cell in self.cells if cell.role == "exercise")

    @property
    def given(self) -> tuple[Path, ...]:
        """The files that are handed out beside the notebook, such as data: not notebooks."""
        beside = sorted(self.path.parent.iterdir()) if self.path.parent.is_dir() else []
        return tuple(one for one in beside if one.suffix != ".ipynb" and one.name[0] not in "._")

    def tests(self, exercise: str | None = None) -> tuple[MasterCell, ...]:
        """Return the test cells, of one exercise or of all."""
        return tuple(
            cell
            for cell in self.cells
            if cell.role == "tests" and exercise in (None, cell.exercise)
        )


def without_hidden(source: str) -> str:
    """Return a test cell's source without its hidden regions, as nbgrader's release has it."""
    kept, hidden = [], False
    for line in source.splitlines():
        if line.strip() == HIDDEN[0]:
            hidden = True
        if not hidden:
            kept.append(line)
        if line.strip() == HIDDEN[1]:
            hidden = False
    return "\n".join(kept)


def read_master(path: Path) -> Master:
    """Read a solved notebook of a lesson."""
    try:
        notebook = nbformat.read(path, as_version=4)
    except (OSError, ValueError, nbformat.reader.NotJSONError) as error:
        raise Problem(f"{path} cannot be read as a notebook ({type(error).__name__}).") from None
    about = notebook.metadata.get("autograder", {})
    cells = tuple(read_cell(index, cell) for index, cell in enumerate(notebook.cells))
    if not about:
        seconds = cell_seconds(path)
        cells = tuple(dataclasses.replace(cell, seconds=seconds) for cell in cells)
    return Master(
        path=Path(path),
        lesson=about.get("lesson", Path(path).stem),
        number=int(about.get("number", 0)),
        title=about.get("title", Path(path).stem),
        cells=cells,
    )


def read_cell(index: int, cell: Any) -> MasterCell:
    """Return a cell of a notebook with what its labels say that it is for."""
    ours = cell.metadata.get("autograder", {})
    theirs = cell.metadata.get("nbgrader", {})
    graded, answer = bool(theirs.get("grade")), bool(theirs.get("solution"))
    role = ours.get("role") or ("exercise" if answer and not graded else "")
    if not role:
        test = graded and not answer and cell.cell_type == "code"
        role = "written" if answer and graded else "tests" if test else "prose"
    allow = ours.get("allow")
    return MasterCell(
        index=index,
        id=cell.get("id", str(index)),
        kind=cell.cell_type,
        role=role,
        source=cell.source,
        grade_id=theirs.get("grade_id"),
        points=float(theirs.get("points", 0) or 0),
        # A course that does not know us has no exercises: each cell stands for itself.
        exercise=ours.get("exercise") or (None if ours else theirs.get("grade_id")),
        behaviour=ours.get("behaviour"),
        sentence=ours.get("sentence", ""),
        allow=None if allow is None else tuple(allow),
        signatures=dict(ours.get("signatures", {})),
    )
