"""Read what a student handed in: a file that anybody may have written in any way.

    handed = read_submission(Path("submitted"), "student01", "ps1", ["problem1", "problem2"])
    handed.parts["problem1"]      # its cells, or why it cannot be graded

Nothing of a file is run, and of its cells only kind, source and labels are kept. Whatever cannot
be read ends in `Refused`, whose message is one sentence for that student's row.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.utils import parse_utc

from autograder.grading.sources import MOST_CHARACTERS, MOST_LINES, too_long

ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+-]{0,19}|[+-]?[0-9]{1,6}")
"""A time zone by name or offset; anything else could name a file for dateutil to open."""


class Refused(Exception):
    """A submission cannot be graded; the message is one sentence that says why."""


class Missing(Refused):
    """A notebook was not handed in, while others of the assignment were."""


@dataclass(frozen=True)
class Limits:
    """What a submission may cost before it is read."""

    size: int = 50_000_000
    """Bytes of the file."""
    items: int = 5_000_000
    """Brackets, braces and commas: each becomes an object in memory."""
    cells: int = 5_000
    code: int = 2_000_000
    """Characters of code in all cells together, each of a length that can be read."""


@dataclass(frozen=True)
class HandedCell:
    """One cell of a submission. All but kind and source are claims, never facts."""

    position: int
    kind: str
    source: str
    cell_id: str = ""
    grade_id: str = ""
    nbgrader: dict[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    attachments: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Submission:
    """One notebook as handed in, with a note for each thing that was odd but could be read."""

    student: str
    lesson: str
    cells: tuple[HandedCell, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class HandedIn:
    """What a student handed in for an assignment: each part, or why it cannot be graded."""

    parts: dict[str, Submission | Refused]
    timestamp: str | None = None

    @property
    def readable(self) -> bool:
        """Whether any part of it can be graded."""
        return any(isinstance(one, Submission) for one in self.parts.values())


def read_submission(
    submitted: Path, student: str, lesson: str, parts: Sequence[str], limits: Limits | None = None
) -> HandedIn:
    """Return what `student` handed in for the `parts` of `lesson` (a folder name).

    The files are `submitted/<student>/<lesson>/<part>.ipynb`; where one is asked for and one that
    is called otherwise was handed in, that one is taken and named. Raises `Refused` where there is
    nothing to be read.
    """
    check_student(student)
    folder = submitted / student / lesson
    for one in (submitted / student, folder):
        _check_folder(one)
    notes: list[str] = []
    chosen = _choose_notebooks(folder, parts, notes)
    timestamp = _timestamp(folder / "timestamp.txt", notes)
    found: dict[str, Submission | Refused] = {}
    for part in parts:
        try:
            if part not in chosen:
                raise Missing("the notebook was not handed in; it scores 0.")
            read = read_notebook(chosen[part], student, lesson, limits)
            found[part] = replace(read, notes=(*notes, *read.notes))
            notes = []  # what is said of the folder is said once
        except Refused as refusal:
            found[part] = refusal
    return HandedIn(found, timestamp)


def read_notebook(
    path: Path, student: str, lesson: str, limits: Limits | None = None
) -> Submission:
    """Return the cells of one notebook file, wherever it lies. Raises `Refused`."""
    limits = limits or Limits()
    notes: list[str] = []
    document = _parse(_decode(read_plain(path, limits), notes), limits)
    cells = _cells(_upgrade(document, notes), limits, notes)
    return Submission(student, lesson, cells, tuple(notes))


def check_student(student: str) -> None:
    """Refuse a folder name that nbgrader's database and pages cannot hold as a student's id."""
    if not student.isprintable() or student != student.strip() or not _encodable(student):
        raise Refused(
            f"the folder name {student!a} cannot be a student id; rename it without "
            "control characters and without spaces at its ends."
        )


def shown(name: str) -> str:
    """Return a file's name as a sentence may hold it: printable, and not long."""
    plain = name if name.isprintable() and _encodable(name) else ascii(name)
    return plain if len(plain) <= 80 else f"{plain[:79]}…"


def shown_all(names: Sequence[str], most: int = 5) -> str:
    """Return the first of some names, and how many more there are."""
    more = len(names) - most
    return ", ".join(map(shown, names[:most])) + (f" and {more} more" if more > 0 else "")


def check_time(text: str) -> None:
    """Raise `ValueError` where a time of submission is none that nbgrader could read safely."""
    parts = text.split(" ")
    if len(text) > 100 or not text.isascii() or not text.isprintable():
        raise ValueError("not a time")
    if len(parts) == 3 and not ZONE.fullmatch(parts[2]):
        raise ValueError("not a time zone")
    try:
        parse_utc(text)
    except Exception as error:  # dateutil fails in many ways
        raise ValueError("not a time") from error


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


# -- the file ----------------------------------------------------------------------------------


def _check_folder(folder: Path) -> None:
    try:
        mode = folder.lstat().st_mode
    except OSError:
        raise Refused("no notebook was handed in: the folder of this lesson is missing.") from None
    if stat.S_ISLNK(mode):
        raise Refused(f"the folder {shown(folder.name)} is a symbolic link; hand in real files.")
    if not stat.S_ISDIR(mode):
        name = shown(folder.name)
        raise Refused(f"{name} is not a folder; a notebook is handed in inside a folder.")


def _choose_notebooks(folder: Path, parts: Sequence[str], notes: list[str]) -> dict[str, Path]:
    """Return the file of each part that was handed in."""
    try:
        names = sorted(
            name
            for name in os.listdir(folder)
            if name.lower().endswith(".ipynb") and not name.startswith(".")
        )
    except OSError as error:
        raise Refused(f"the folder cannot be read ({error.strerror}).") from None
    wanted = {part: f"{part}.ipynb" for part in parts}
    chosen = {part: folder / name for part, name in wanted.items() if name in names}
    others = [name for name in names if name not in wanted.values()]
    if not names:
        missing = "is missing" if len(parts) == 1 else "are missing"
        raise Refused(f"no notebook was handed in: {', '.join(wanted.values())} {missing}.")
    if not chosen and len(names) == len(parts) == 1:
        ((part, name),) = wanted.items()
        notes.append(f"The notebook is called {shown(names[0])}; it was taken for {name}.")
        return {part: folder / names[0]}
    if not chosen:
        if len(names) == 1:
            found = f"the notebook {shown(names[0])} is not"
        else:
            found = f"there are {len(names)} notebooks, and none of them is"
        raise Refused(f"{found} called {' or '.join(wanted.values())}.")
    if others:
        notes.append(f"Other notebooks in the folder were left alone: {shown_all(others)}.")
    return chosen


def read_plain(path: Path, limits: Limits) -> bytes:
    """Return the bytes of a plain file that no other name points to. Raises `Refused`."""
    name = shown(path.name)
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        _check_file(path.lstat(), name, limits)
        descriptor = os.open(path, flags | getattr(os, "O_BINARY", 0))
        with open(descriptor, "rb") as file:
            # Once more on the open file: the name may mean another file by now.
            _check_file(os.fstat(descriptor), name, limits)
            raw = file.read(limits.size + 1)
    except OSError as error:
        raise Refused(f"{name} cannot be read ({error.strerror}).") from None
    if len(raw) > limits.size:
        raise Refused(f"{name} grew past {limits.size / 1e6:.0f} MB while it was read.")
    return raw


def _check_file(facts: os.stat_result, name: str, limits: Limits) -> None:
    if stat.S_ISLNK(facts.st_mode):
        raise Refused(f"{name} is a symbolic link; hand in the file itself.")
    if not stat.S_ISREG(facts.st_mode):
        raise Refused(f"{name} is not a plain file (a folder, a pipe or a device).")
    if facts.st_nlink > 1:
        raise Refused(f"{name} is a hard link to a file that also lies elsewhere; hand in a copy.")
    if facts.st_size > limits.size:
        raise Refused(
            f"{name} has {facts.st_size / 1e6:.0f} MB; the limit is {limits.size / 1e6:.0f} MB. "
            "Clear its outputs and hand it in again."
        )


def _timestamp(path: Path, notes: list[str]) -> str | None:
    """Return the time of submission that nbgrader's collection left beside the notebook."""
    if not os.path.lexists(path):
        return None
    try:
        text = read_plain(path, Limits(size=1000)).decode().strip()
        check_time(text)
    except (Refused, ValueError):
        notes.append("The time of submission (timestamp.txt) could not be read.")
        return None
    return text


# -- its contents ------------------------------------------------------------------------------


def _decode(raw: bytes, notes: list[str]) -> str:
    if not raw.strip():
        raise Refused("the notebook is an empty file.")
    encoding = json.detect_encoding(raw)
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError:
        raise Refused(f"the notebook is not text in {encoding}: it is damaged.") from None
    if not encoding.startswith("utf-8"):
        notes.append(f"The file is saved as {encoding}; it was read as such.")
    return text


def _parse(text: str, limits: Limits) -> dict[str, Any]:
    if sum(map(text.count, "[{,")) > limits.items:
        raise Refused("the notebook holds too many values; clear its outputs and hand it in again.")
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}"
        raise Refused(f"the notebook is not valid JSON ({where}): it is damaged.") from None
    except RecursionError:
        raise Refused("the notebook is nested too deeply to be read.") from None
    except ValueError:
        raise Refused("the notebook holds a number too long to be read.") from None
    if not isinstance(document, dict):
        raise Refused("the file holds JSON, but not a notebook.")
    return document


def _upgrade(document: dict[str, Any], notes: list[str]) -> dict[str, Any]:
    """Return the document in notebook format 4."""
    version = document.get("nbformat", 4)
    if not isinstance(version, int) or not 1 <= version <= 4:
        raise Refused(f"the notebook says it has format {ascii(version)[:20]}, which is unknown.")
    if version == 4:
        return document
    try:
        upgraded = nbformat.convert(nbformat.from_dict(document), 4)
    except Exception:  # the converters trust their input and fail in many ways
        raise Refused(f"the notebook's old format {version} cannot be upgraded.") from None
    notes.append(f"The notebook had the old format {version} and was upgraded.")
    return dict(upgraded)


def _cells(document: dict[str, Any], limits: Limits, notes: list[str]) -> tuple[HandedCell, ...]:
    raw = document.get("cells")
    if not isinstance(raw, list):
        raise Refused("the file holds JSON, but not a notebook: it has no list of cells.")
    if len(raw) > limits.cells:
        raise Refused(f"the notebook has {len(raw)} cells; the limit is {limits.cells}.")
    cells, unreadable, cleaned = [], 0, False
    for position, cell in enumerate(raw):
        source = _source(cell)
        if source is None:
            unreadable += 1
            continue
        clean = _clean(source)
        cleaned = cleaned or clean != source
        cells.append(_handed(position, cell, clean.replace("\r\n", "\n")))
    if unreadable:
        notes.append(f"{unreadable} damaged cell(s) could not be read and were left out.")
    if cleaned:
        notes.append("Characters that no text can hold (NUL, half surrogates) were replaced.")
    return _of_readable_length(cells, limits, notes)


def _of_readable_length(
    cells: list[HandedCell], limits: Limits, notes: list[str]
) -> tuple[HandedCell, ...]:
    """Return the cells with each code cell emptied that is too long to be read."""
    long = {cell.position for cell in cells if cell.kind == "code" and too_long(cell.source)}
    if long:
        which = shown_all([str(position + 1) for position in sorted(long)])
        notes.append(
            f"Code cells that are too long were left blank ({MOST_CHARACTERS:,} characters or "
            f"{MOST_LINES:,} lines are the most): number {which} of the notebook."
        )
    kept = [replace(cell, source="") if cell.position in long else cell for cell in cells]
    code = sum(len(cell.source) for cell in kept if cell.kind != "markdown")
    if code > limits.code:
        raise Refused(f"the notebook has {code:,} characters of code; the most is {limits.code:,}.")
    return tuple(kept)


def _source(cell: Any) -> str | None:
    if not isinstance(cell, dict) or cell.get("cell_type") not in ("code", "markdown", "raw"):
        return None
    source = cell.get("source", "")
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    return source if isinstance(source, str) else None


def _clean(text: str) -> str:
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def _handed(position: int, cell: dict[str, Any], source: str) -> HandedCell:
    metadata = _dict(cell.get("metadata"))
    nbgrader = _dict(metadata.get("nbgrader"))
    tags = metadata.get("tags")
    return HandedCell(
        position=position,
        kind=cell["cell_type"],
        source=source,
        # Google Colab keeps a cell's id in its metadata.
        cell_id=_text(cell.get("id")) or _text(metadata.get("id")),
        grade_id=_text(nbgrader.get("grade_id")),
        nbgrader=nbgrader,
        tags=tuple(tag for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else (),
        attachments=_dict(cell.get("attachments")),
    )


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
