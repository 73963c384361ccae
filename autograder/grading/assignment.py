"""An assignment: one or several notebooks that are handed out, handed in and graded together.

    assignment, handouts = read_assignment(course, "ps1", config)
    assignment.parts          # a solved notebook each, in nbgrader's order

A lesson of ours is an assignment of one part.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from traitlets.config import Config

from autograder.course import Course
from autograder.grading.handout import Handout, read_handout
from autograder.master import Master, MasterCell, read_cell, read_master


@dataclass(frozen=True)
class Assignment:
    """The solved notebooks of an assignment, and how what is in them is named."""

    name: str
    parts: tuple[Master, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """nbgrader's names of the notebooks."""
        return tuple(one.part for one in self.parts)

    def part(self, name: str) -> Master:
        """Return the notebook of this name; raises `KeyError`."""
        for one in self.parts:
            if one.part == name:
                return one
        raise KeyError(name)

    def label(self, part: str, name: str) -> str:
        """Return a name that no other part has, for something in one part."""
        return label(self.names, part, name)

    @property
    def given(self) -> tuple[Path, ...]:
        """The files that are handed out beside the notebooks."""
        return self.parts[0].given

    @property
    def whole(self) -> Master:
        """All parts in one, for an engine that is to be warm for each of them."""
        cells = [cell for one in self.parts for cell in one.cells]
        return dataclasses.replace(
            self.parts[0],
            path=self.parts[0].path.with_name(f"{self.name}.ipynb"),
            cells=tuple(dataclasses.replace(cell, index=at) for at, cell in enumerate(cells)),
        )


def label(parts: Sequence[str], part: str, name: str) -> str:
    """Return `name`, after its part where an assignment has several: ids may come up in both."""
    return f"{part}/{name}" if len(parts) > 1 else name


def read_assignment(
    course: Course, lesson: str, config: Config | None = None
) -> tuple[Assignment, dict[str, Handout]]:
    """Return an assignment, and how each of its parts was handed out. Raises `Problem`."""
    parts, handouts = [], {}
    for path in course.masters(lesson):
        handout = read_handout(path, config, course.root)
        handouts[handout.part] = handout
        parts.append(as_graded(read_master(path), handout))
    return Assignment(course.lesson(lesson), tuple(parts)), handouts


def as_graded(master: Master, handout: Handout) -> Master:
    """Return the master with the cells that nbgrader grades: a header's too, in its order."""
    solved = {cell.grade_id: cell for cell in master.cells if cell.grade_id}
    seconds = next((cell.seconds for cell in master.cells), None)

    def whole(index: int) -> MasterCell:
        slot = handout.slots[index]
        cell = read_cell(index, handout.graded.cells[index])
        known = solved.get(slot.grade_id) if slot.answer else None
        source = known.source if known else cell.source
        return dataclasses.replace(
            cell, source=source, seconds=seconds, released=slot.released_source
        )

    return dataclasses.replace(master, cells=tuple(map(whole, range(len(handout.slots)))))
