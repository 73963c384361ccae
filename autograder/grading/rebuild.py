"""Put a student's answers into the master notebook.

    rebuilt = rebuild(submission, handout, master)

The result is the master's cells, in the master's order, with only the *sources* of answer cells
from the student; code cells of their own run as ungraded context where they stood. Their metadata,
tags, outputs, test cells and locked cells are never used, only compared.

`matching` says which cell belongs where.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from dataclasses import dataclass, field

from autograder.grading.handout import Handout, Slot
from autograder.grading.intake import HandedCell, Submission
from autograder.grading.matching import TEST_CELL, Places, as_code, find_places
from autograder.grading.pictures import EACH, TOGETHER, Pictures, kept_pictures
from autograder.grading.sources import (
    MOST_CHARACTERS,
    MOST_LINES,
    compiles,
    defined_names,
    normal,
    syntax_error,
    too_long,
)
from autograder.master import Master, MasterCell


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
    pictures: dict[str, Pictures] = field(default_factory=dict)
    """Grade id of a written answer -> the pictures in it."""


@dataclass
class _Answers:
    """What the student's cells give for the master's answer cells and free cells."""

    sources: dict[int, str] = field(default_factory=dict)
    """Index in the master -> source."""
    used: set[int] = field(default_factory=set)
    """Positions of the handed cells that these came from."""
    blank: set[str] = field(default_factory=set)
    deleted: list[str] = field(default_factory=list)
    """Grade ids of answers that no cell was handed in for."""
    pictures: dict[str, Pictures] = field(default_factory=dict)


def rebuild(submission: Submission, handout: Handout, master: Master) -> Rebuilt:
    """Return the master's notebook with the answers of one submission."""
    places = find_places(submission.cells, handout.slots, submission.notes)
    _compare_locked(places)
    answers = _answers(places)
    extras = _extras(places, answers.used)
    _set_stubs_aside(places, answers, extras)
    _say_if_foreign(places)
    seconds = next((cell.seconds for cell in master.cells), None)
    cells: list[MasterCell] = []
    origins: list[int | None] = []
    for index in range(-1, len(handout.slots)):
        if index >= 0:
            source = answers.sources.get(index, handout.slots[index].graded_source)
            cells.append(dataclasses.replace(master.cells[index], index=len(cells), source=source))
            origins.append(index)
        for extra in extras[index]:
            cells.append(_own_cell(extra, len(cells), seconds))
            origins.append(None)
    return Rebuilt(
        submission.student, submission.lesson, handout.part, tuple(cells), tuple(origins),
        frozenset(answers.blank), tuple(places.notes), tuple(places.suspicions),
        pictures=answers.pictures,
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


# -- answers -----------------------------------------------------------------------------------


def _answers(places: Places) -> _Answers:
    """Return what the submission holds for each answer cell and each free cell."""
    answers = _Answers()
    for slot in places.slots:
        handed = places.of(slot)
        if slot.answer:
            source = _one_answer(places, slot, answers)
            if source is None:
                answers.blank.add(slot.grade_id)
            else:
                answers.sources[slot.index] = source
        elif handed and slot.kind == "code" and not slot.locked and not slot.test:
            # A free cell is the student's to change; it runs as they left it.
            answers.sources[slot.index] = handed[-1].source
            answers.used.add(handed[-1].position)
    return answers


def _one_answer(places: Places, slot: Slot, answers: _Answers) -> str | None:
    """Return the source of one answer, or None where it is blank."""
    handed = places.of(slot)
    changed = [cell for cell in handed if not _untouched(cell, slot)]
    # A copy as released, run after the answer, would put the blank back.
    positions = {cell.position for cell in changed}
    answers.used.update(cell.position for cell in handed if cell.position not in positions)
    chosen = _chosen(places, slot, handed, changed) or _written_nearby(places, slot)
    if not chosen:
        answers.deleted += [] if handed else [slot.grade_id]
        return None
    answers.used.update(cell.position for cell in chosen)
    if slot.kind == "code":
        return _code_answer(places, slot, chosen)
    pictures, left_out = kept_pictures(chosen, answers.pictures.values())
    if pictures:
        answers.pictures[slot.grade_id] = pictures
    if left_out:
        places.notes.append(
            f"{left_out} attachment(s) of answer '{slot.grade_id}' were left out: PNG, JPEG and "
            f"GIF are kept, up to {EACH / 1e6:.0f} MB each and {TOGETHER / 1e6:.0f} MB in all."
        )
    return "\n\n".join(cell.source for cell in chosen)


def _chosen(
    places: Places, slot: Slot, handed: list[HandedCell], changed: list[HandedCell]
) -> list[HandedCell]:
    """Return those of a slot's changed cells that are its answer."""
    if len(changed) > 1 and slot.kind == "code" and _is_split(changed):
        places.notes.append(f"Answer cell '{slot.grade_id}' was split in {len(changed)}; joined.")
        return changed
    if changed and len(handed) > 1:
        which = "the last changed one" if len(changed) > 1 else "the changed one"
        places.notes.append(
            f"Answer cell '{slot.grade_id}' was there {len(handed)} times; {which} was taken."
        )
    return changed[-1:]


def _written_nearby(places: Places, slot: Slot) -> list[HandedCell]:
    """Return the student's own words between a blank written answer's neighbours, now its own."""
    if slot.kind == "code" or not places.home:
        return []
    found = [
        cell for cell in places.between(slot) if cell.kind == "markdown" and cell.source.strip()
    ]
    if found:
        places.home |= {cell.position: slot.index for cell in found}
        places.notes.append(
            f"Written answer '{slot.grade_id}' was blank; what the student wrote in "
            f"{'a cell' if len(found) == 1 else f'{len(found)} cells'} of their own near it "
            "was taken."
        )
    return found


def _code_answer(places: Places, slot: Slot, chosen: list[HandedCell]) -> str | None:
    """Return the source of an answer in code, or None where it is too long to be read."""
    source = "\n".join(map(as_code, chosen))
    if too_long(source):
        places.notes.append(
            f"Answer cell '{slot.grade_id}' is too long, so it counts as blank "
            f"({MOST_CHARACTERS:,} characters or {MOST_LINES:,} lines are the most)."
        )
        return None
    if any(cell.kind != "code" for cell in chosen):
        places.notes.append(
            f"Answer cell '{slot.grade_id}' had become {chosen[0].kind}; its text was run as code."
        )
    wrong = syntax_error(source)
    if wrong:
        places.notes.append(f"Answer cell '{slot.grade_id}' is not Python: {wrong}.")
    return source


def _set_stubs_aside(
    places: Places, answers: _Answers, extras: dict[int, list[HandedCell]]
) -> None:
    """Empty each blank answer cell that would put its stub over an answer in an earlier cell."""
    defined = {
        index: defined_names(source) - defined_names(places.slots[index].released_source)
        for index, source in answers.sources.items()
        if places.slots[index].kind == "code"
    }
    for index, cells in extras.items():
        own = [places.names(cell) for cell in cells if cell.kind == "code"]
        defined[index] = defined.get(index, frozenset()).union(*own)
    found = []
    for slot in places.slots:
        if slot.kind != "code" or slot.grade_id not in answers.blank or not slot.names:
            continue
        earlier = [names for index, names in defined.items() if index < slot.index]
        if slot.names <= frozenset().union(*earlier):
            answers.sources[slot.index] = ""
            answers.blank.discard(slot.grade_id)
            found.append(slot.grade_id)
    if found:
        names = ", ".join(found)
        places.notes.append(f"Answers in an earlier cell, so the blank cell did not run: {names}.")
    for grade_id in answers.deleted:
        if grade_id not in found:
            places.notes.append(f"Answer cell '{grade_id}' was deleted; it counts as blank.")


def _untouched(cell: HandedCell, slot: Slot) -> bool:
    source = normal(as_code(cell) if slot.kind == "code" else cell.source)
    return source in ("", normal(slot.released_source))


def _is_split(pieces: list[HandedCell]) -> bool:
    """Tell halves of one answer from copies of it: halves stand together and define other names."""
    positions = [cell.position for cell in pieces]
    if positions != list(range(positions[0], positions[0] + len(pieces))):
        return False
    sources = [as_code(cell) for cell in pieces]
    if not all(map(compiles, sources)):
        return compiles("\n".join(sources))
    named = [defined_names(source) for source in sources]
    return sum(map(len, named)) == len(frozenset().union(*named)) and all(named)


# -- the rest of the submission ----------------------------------------------------------------


def _extras(places: Places, used: set[int]) -> dict[int, list[HandedCell]]:
    """Return the student's own cells by the master index that they follow (-1: at the top)."""
    extras: dict[int, list[HandedCell]] = defaultdict(list)
    anchor, copies = -1, 0
    for cell in places.handed:
        index = places.home.get(cell.position)
        slot = None if index is None else places.slots[index]
        if slot is not None and (cell.position in used or not slot.answer):
            anchor = slot.index
        elif cell.kind == "raw" or not cell.source.strip():
            continue
        elif cell.kind == "code" and TEST_CELL.search(cell.source):
            copies += 1
        else:
            extras[anchor].append(cell)
    if copies:
        one = "A copy of a test cell was left out; the course's own test ran."
        more = f"{copies} copies of test cells were left out; the course's own tests ran."
        places.notes.append(one if copies == 1 else more)
    return extras


def _compare_locked(places: Places) -> None:
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


def _say_if_foreign(places: Places) -> None:
    if places.handed and not any(places.of(slot) for slot in places.slots if slot.grade_id):
        places.notes.append("No cell of this lesson was found; is it another lesson's notebook?")
