"""Find the place in the master of each cell that a student handed in.

Cells find their places by what survives most accidents, strongest first: the grade id, the cell's
id, an unchanged source, the names that an answer defines, and a lone cell between two known ones.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from autograder.grading.handout import Slot
from autograder.grading.intake import HandedCell
from autograder.grading.sources import defined_names, normal

TEST_CELL = re.compile(r"^@(?:autograder\.)?test\b", re.MULTILINE)
FENCE = re.compile(r"\A\s*(`{3,})[^\n`]*\n(.*?)\n?\1\s*\Z", re.DOTALL)
MOST_READ = 2_000_000


@dataclass
class Places:
    """Which handed cells belong to which cell of the master."""

    handed: tuple[HandedCell, ...]
    slots: tuple[Slot, ...]
    home: dict[int, int] = field(default_factory=dict)
    """Position of a handed cell -> index in the master."""
    notes: list[str] = field(default_factory=list)
    suspicions: list[str] = field(default_factory=list)
    known: dict[int, frozenset[str]] = field(default_factory=dict)
    """Position of a handed cell -> what it defines."""
    left: int = MOST_READ
    """Characters that may still be read for what they define."""

    def names(self, cell: HandedCell) -> frozenset[str]:
        """Return what a cell defines at top level; nothing once too much has been read."""
        if cell.position not in self.known:
            source = as_code(cell)
            self.left -= len(source)
            read = self.left > 0
            self.known[cell.position] = defined_names(source) if read else frozenset()
        return self.known[cell.position]

    def free(self) -> list[HandedCell]:
        """Return the cells that belong nowhere."""
        return [cell for cell in self.handed if cell.position not in self.home]

    def empty(self) -> list[Slot]:
        """Return the master's cells that nothing was handed in for."""
        taken = set(self.home.values())
        return [slot for slot in self.slots if slot.index not in taken]

    def between(self, slot: Slot) -> list[HandedCell]:
        """Return the cells that belong nowhere and stand between a slot's known neighbours."""
        after, before = _bounds(self, slot)
        return [cell for cell in self.free() if after < cell.position < before]

    def of(self, slot: Slot) -> list[HandedCell]:
        """Return the cells that belong to one cell of the master."""
        return [cell for cell in self.handed if self.home.get(cell.position) == slot.index]


def find_places(
    handed: tuple[HandedCell, ...], slots: tuple[Slot, ...], notes: Iterable[str] = ()
) -> Places:
    """Return the handed cells with the places that they were given."""
    places = Places(handed, slots, notes=list(notes))
    for match in (_by_grade_id, _by_cell_id, _by_source, _by_definition, _by_neighbours):
        match(places)
    return places


def _by_grade_id(places: Places) -> None:
    index = {slot.grade_id: slot.index for slot in places.slots if slot.grade_id}
    for cell in places.handed:
        if cell.grade_id in index:
            places.home[cell.position] = index[cell.grade_id]


def _by_cell_id(places: Places) -> None:
    index = {slot.cell_id: slot.index for slot in places.empty() if slot.cell_id}
    for cell in places.free():
        if cell.cell_id in index:
            places.home[cell.position] = index.pop(cell.cell_id)


def _by_source(places: Places) -> None:
    wanted: dict[str, list[int]] = defaultdict(list)
    for slot in places.empty():
        # Released answers may look alike (one stub each), so they prove no place.
        if not slot.answer or slot.names:
            wanted[normal(slot.released_source)].append(slot.index)
    for cell in places.free():
        candidates = wanted.get(normal(cell.source))
        if candidates:
            places.home[cell.position] = candidates.pop(0)


def _by_definition(places: Places) -> None:
    """An answer that lost its labels is known by the function or class that it defines."""
    free = [cell for cell in places.free() if not TEST_CELL.search(cell.source)]
    by_name: list[str] = []
    for slot in places.empty():
        if not slot.names or slot.kind != "code":
            continue
        wanted = slot.names
        found = [cell for cell in free if wanted <= places.names(cell)]
        if not found:
            found = [cell for cell in free if wanted & places.names(cell)]
        if found:
            places.home[found[-1].position] = slot.index
            free.remove(found[-1])
            by_name.append(slot.grade_id)
    if by_name:
        names = ", ".join(by_name)
        places.notes.append(f"Answer cells without labels, known by what they define: {names}.")


def _by_neighbours(places: Places) -> None:
    """A lone cell of the right kind between two known neighbours is the answer between them."""
    by_place: list[str] = []
    for slot in places.empty():
        if not slot.answer or not places.home:
            continue
        between = places.between(slot)
        alike = [cell for cell in between if cell.kind == slot.kind and cell.source.strip()]
        if len(alike) == 1 and not TEST_CELL.search(alike[0].source):
            places.home[alike[0].position] = slot.index
            by_place.append(slot.grade_id)
    if by_place:
        names = ", ".join(by_place)
        places.notes.append(f"Answer cells without labels, known by their place: {names}.")


def _bounds(places: Places, slot: Slot) -> tuple[float, float]:
    """Return the positions of the nearest known cells before and after a slot."""
    before = [position for position, index in places.home.items() if index < slot.index]
    nearest = max((places.home[position] for position in before), default=-1)
    after = [position for position, index in places.home.items() if index > slot.index]
    next_one = min((places.home[position] for position in after), default=-1)
    return (
        max((p for p in before if places.home[p] == nearest), default=-1),
        min((p for p in after if places.home[p] == next_one), default=float("inf")),
    )


def as_code(cell: HandedCell) -> str:
    """Return the text of a cell as code; code typed as Markdown may stand in a fence."""
    fenced = FENCE.match(cell.source) if cell.kind != "code" else None
    return fenced[2] if fenced else cell.source
