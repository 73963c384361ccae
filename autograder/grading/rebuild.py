"""Put a student's answers into the master notebook.

    rebuilt = rebuild(submission, handout, master)

The result is the master's cells, in the master's order, with only the *sources* of answer cells
from the student; code cells of their own run as ungraded context where they stood. Their metadata,
tags, outputs, test cells and locked cells are never used, only compared.

Cells find their places by what survives most accidents, strongest first: the grade id, the cell's
id, an unchanged source, the names that an answer defines, and a lone cell between two known ones.
"""

from __future__ import annotations

import dataclasses
import re
from collections import defaultdict
from dataclasses import dataclass, field

from autograder.grading.handout import Handout, Slot, compiles, defined_names, normal, syntax_error
from autograder.grading.intake import HandedCell, Submission
from autograder.master import Master, MasterCell

TEST_CELL = re.compile(r"^@(?:autograder\.)?test\b", re.MULTILINE)
FENCE = re.compile(r"\A\s*(`{3,})[^\n`]*\n(.*?)\n?\1\s*\Z", re.DOTALL)


@dataclass(frozen=True)
class Rebuilt:
    """A notebook ready to run: plain data, and the same for every way of running it."""

    student: str
    lesson: str
    part: str
    """Which notebook of the assignment it is."""
    cells: tuple[MasterCell, ...]
    """In the order they run; `index` is the position here."""
    origins: tuple[int | None, ...]
    """For each cell its index in the master, or None for the student's own."""
    blank: frozenset[str]
    """Grade ids of answer cells left as they were released."""
    notes: tuple[str, ...] = ()
    suspicions: tuple[str, ...] = ()
    files: tuple[tuple[str, str], ...] = ()
    """What was handed in beside the notebooks, as `beside.as_text` packs it."""


@dataclass
class _Places:
    """Which handed cells belong to which cell of the master."""

    handed: tuple[HandedCell, ...]
    slots: tuple[Slot, ...]
    home: dict[int, int] = field(default_factory=dict)
    """Position of a handed cell -> index in the master."""
    notes: list[str] = field(default_factory=list)
    suspicions: list[str] = field(default_factory=list)

    def free(self) -> list[HandedCell]:
        return [cell for cell in self.handed if cell.position not in self.home]

    def empty(self) -> list[Slot]:
        taken = set(self.home.values())
        return [slot for slot in self.slots if slot.index not in taken]

    def of(self, slot: Slot) -> list[HandedCell]:
        return [cell for cell in self.handed if self.home.get(cell.position) == slot.index]


def rebuild(submission: Submission, handout: Handout, master: Master) -> Rebuilt:
    """Return the master's notebook with the answers of one submission."""
    places = _Places(submission.cells, handout.slots, notes=list(submission.notes))
    for match in (_by_grade_id, _by_cell_id, _by_source, _by_definition, _by_neighbours):
        match(places)
    _compare_locked(places)
    sources, used, blank = _answers(places)
    extras = _extras(places, used)
    _say_if_foreign(places)
    seconds = next((cell.seconds for cell in master.cells), None)
    cells: list[MasterCell] = []
    origins: list[int | None] = []
    for index in range(-1, len(handout.slots)):
        if index >= 0:
            source = sources.get(index, handout.slots[index].graded_source)
            cells.append(dataclasses.replace(master.cells[index], index=len(cells), source=source))
            origins.append(index)
        for extra in extras[index]:
            cells.append(_own_cell(extra, len(cells), seconds))
            origins.append(None)
    return Rebuilt(
        submission.student, submission.lesson, handout.part, tuple(cells), tuple(origins),
        frozenset(blank), tuple(places.notes), tuple(places.suspicions),
    )  # fmt: skip


def blank_rebuild(student: str, handout: Handout, master: Master, note: str) -> Rebuilt:
    """Return the released notebook as if handed in by `student`, for a row that was refused."""
    cells = tuple(
        dataclasses.replace(cell, source=slot.graded_source)
        for cell, slot in zip(master.cells, handout.slots, strict=True)
    )
    blank = frozenset(slot.grade_id for slot in handout.slots if slot.answer)
    origins = tuple(range(len(cells)))
    return Rebuilt(student, handout.lesson, handout.part, cells, origins, blank, (note,))


def _own_cell(cell: HandedCell, index: int, seconds: float | None) -> MasterCell:
    return MasterCell(
        index, f"own-{cell.position}", cell.kind, "code", cell.source, seconds=seconds
    )


# -- matching ----------------------------------------------------------------------------------


def _by_grade_id(places: _Places) -> None:
    index = {slot.grade_id: slot.index for slot in places.slots if slot.grade_id}
    for cell in places.handed:
        if cell.grade_id in index:
            places.home[cell.position] = index[cell.grade_id]


def _by_cell_id(places: _Places) -> None:
    index = {slot.cell_id: slot.index for slot in places.empty() if slot.cell_id}
    for cell in places.free():
        if cell.cell_id in index:
            places.home[cell.position] = index.pop(cell.cell_id)


def _by_source(places: _Places) -> None:
    wanted: dict[str, list[int]] = defaultdict(list)
    for slot in places.empty():
        # Released answers may look alike (one stub each), so they prove no place.
        if not slot.answer or slot.names:
            wanted[normal(slot.released_source)].append(slot.index)
    for cell in places.free():
        candidates = wanted.get(normal(cell.source))
        if candidates:
            places.home[cell.position] = candidates.pop(0)


def _by_definition(places: _Places) -> None:
    """An answer that lost its labels is known by the function or class that it defines."""
    free = [cell for cell in places.free() if not TEST_CELL.search(cell.source)]
    by_name: list[str] = []
    for slot in places.empty():
        if not slot.names or slot.kind != "code":
            continue
        found = [cell for cell in free if slot.names <= defined_names(_as_code(cell))]
        if not found:
            found = [cell for cell in free if slot.names & defined_names(_as_code(cell))]
        if found:
            places.home[found[-1].position] = slot.index
            free.remove(found[-1])
            by_name.append(slot.grade_id)
    if by_name:
        names = ", ".join(by_name)
        places.notes.append(f"Answer cells without labels, known by what they define: {names}.")


def _by_neighbours(places: _Places) -> None:
    """A lone cell of the right kind between two known neighbours is the answer between them."""
    by_place: list[str] = []
    for slot in places.empty():
        if not slot.answer or not places.home:
            continue
        after, before = _bounds(places, slot)
        between = [cell for cell in places.free() if after < cell.position < before]
        alike = [cell for cell in between if cell.kind == slot.kind and cell.source.strip()]
        if len(alike) == 1 and not TEST_CELL.search(alike[0].source):
            places.home[alike[0].position] = slot.index
            by_place.append(slot.grade_id)
    if by_place:
        names = ", ".join(by_place)
        places.notes.append(f"Answer cells without labels, known by their place: {names}.")


def _bounds(places: _Places, slot: Slot) -> tuple[float, float]:
    """Return the positions of the nearest known cells before and after a slot."""
    before = [position for position, index in places.home.items() if index < slot.index]
    nearest = max((places.home[position] for position in before), default=-1)
    after = [position for position, index in places.home.items() if index > slot.index]
    next_one = min((places.home[position] for position in after), default=-1)
    return (
        max((p for p in before if places.home[p] == nearest), default=-1),
        min((p for p in after if places.home[p] == next_one), default=float("inf")),
    )


def _as_code(cell: HandedCell) -> str:
    """Return the text of a cell as code; code typed as Markdown may stand in a fence."""
    fenced = FENCE.match(cell.source) if cell.kind != "code" else None
    return fenced[2] if fenced else cell.source


# -- answers -----------------------------------------------------------------------------------


def _answers(places: _Places) -> tuple[dict[int, str], set[int], set[str]]:
    """Return the sources by master index, the positions they came from, and blank grade ids."""
    sources: dict[int, str] = {}
    used: set[int] = set()
    blank: set[str] = set()
    for slot in places.slots:
        handed = places.of(slot)
        if slot.answer:
            source = _one_answer(places, slot, handed, used)
            if source is None:
                blank.add(slot.grade_id)
            else:
                sources[slot.index] = source
                wrong = syntax_error(source) if slot.kind == "code" else ""
                if wrong:
                    places.notes.append(f"Answer cell '{slot.grade_id}' is not Python: {wrong}.")
        elif handed and slot.kind == "code" and not slot.locked and not slot.test:
            # A free cell is the student's to change; it runs as they left it.
            sources[slot.index] = handed[-1].source
            used.add(handed[-1].position)
    return sources, used, blank


def _one_answer(
    places: _Places, slot: Slot, handed: list[HandedCell], used: set[int]
) -> str | None:
    if not handed:
        places.notes.append(f"Answer cell '{slot.grade_id}' was deleted; it counts as blank.")
        return None
    changed = [cell for cell in handed if not _untouched(cell, slot)]
    # A copy as released, run after the answer, would put the blank back.
    used.update(cell.position for cell in handed if cell not in changed)
    if not changed:
        return None
    chosen = changed[-1:]
    if len(changed) > 1 and slot.kind == "code" and _is_split(changed):
        chosen = changed
        places.notes.append(f"Answer cell '{slot.grade_id}' was split in {len(changed)}; joined.")
    elif len(handed) > 1:
        which = "the last changed one" if len(changed) > 1 else "the changed one"
        places.notes.append(
            f"Answer cell '{slot.grade_id}' was there {len(handed)} times; {which} was taken."
        )
    used.update(cell.position for cell in chosen)
    if slot.kind == "code" and any(cell.kind != "code" for cell in chosen):
        places.notes.append(
            f"Answer cell '{slot.grade_id}' had become {chosen[0].kind}; its text was run as code."
        )
    join = _as_code if slot.kind == "code" else _as_text
    return "\n".join(join(cell) for cell in chosen)


def _as_text(cell: HandedCell) -> str:
    return cell.source


def _untouched(cell: HandedCell, slot: Slot) -> bool:
    source = normal(_as_code(cell) if slot.kind == "code" else cell.source)
    return source in ("", normal(slot.released_source))


def _is_split(pieces: list[HandedCell]) -> bool:
    """Tell halves of one answer from copies of it: halves stand together and define other names."""
    positions = [cell.position for cell in pieces]
    if positions != list(range(positions[0], positions[0] + len(pieces))):
        return False
    sources = [_as_code(cell) for cell in pieces]
    if not all(map(compiles, sources)):
        return compiles("\n".join(sources))
    named = [defined_names(source) for source in sources]
    return sum(map(len, named)) == len(frozenset().union(*named)) and all(named)


# -- the rest of the submission ----------------------------------------------------------------


def _extras(places: _Places, used: set[int]) -> dict[int, list[HandedCell]]:
    """Return the student's own cells by the master index that they follow (-1: at the top)."""
    extras: dict[int, list[HandedCell]] = defaultdict(list)
    anchor = -1
    for cell in places.handed:
        index = places.home.get(cell.position)
        slot = None if index is None else places.slots[index]
        if slot is not None and (cell.position in used or not slot.answer):
            anchor = slot.index
        elif cell.kind == "raw" or not cell.source.strip():
            continue
        elif cell.kind == "code" and TEST_CELL.search(cell.source):
            places.notes.append("A copy of a test cell was left out; the course's own test ran.")
        else:
            extras[anchor].append(cell)
    return extras


def _compare_locked(places: _Places) -> None:
    """Say which cells of the course the student changed; the course's own were used anyway."""
    missing = []
    for slot in places.slots:
        handed = places.of(slot)
        if not (slot.test or slot.locked):
            continue
        if not handed:
            missing += [slot.grade_id] if slot.test else []
            continue
        kind = "Test" if slot.test else "Locked"
        if all(normal(cell.source) != normal(slot.released_source) for cell in handed):
            places.suspicions.append(f"{kind} cell '{slot.grade_id}' was edited.")
        if any(_other_labels(cell, slot) for cell in handed):
            places.suspicions.append(f"The points or flags of cell '{slot.grade_id}' were changed.")
        if any(set(cell.tags) - set(slot.tags) for cell in handed):
            places.suspicions.append(f"{kind} cell '{slot.grade_id}' carries tags of its own.")
    if missing:
        names = ", ".join(missing)
        places.notes.append(f"Test cells that were missing were put back: {names}.")


def _other_labels(cell: HandedCell, slot: Slot) -> bool:
    claims = cell.nbgrader
    if not claims:
        return False
    points = claims.get("points", slot.points)
    return (
        points != slot.points
        or claims.get("grade", slot.test) is not slot.test
        or claims.get("solution", False) is not False
    )


def _say_if_foreign(places: _Places) -> None:
    if places.handed and not any(places.of(slot) for slot in places.slots if slot.grade_id):
        places.notes.append("No cell of this lesson was found; is it another lesson's notebook?")
