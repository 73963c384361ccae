"""What is graded already: one line per student and lesson, in the gradebook's own database.

A line is written in the transaction that writes the grades, so it is there exactly when they are.
It holds a key made of everything that a grade depends on; where the key of a submission is the
line's, grading it again could only give the same.
"""

from __future__ import annotations

import functools
import hashlib
import json
import platform
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import sqlalchemy
from nbgrader.api import Gradebook
from sqlalchemy import Column, MetaData, String, Table, Text

import autograder
import chainrule
from autograder.grading.beside import Most, handed_files

TABLES = MetaData()
LEDGER = Table(
    "autograder_ledger",
    TABLES,
    Column("assignment", String(128), primary_key=True),
    Column("student", String(128), primary_key=True),
    Column("key", String(64), nullable=False),
    Column("notebook", String(64), nullable=False),
    Column("row", Text, nullable=False),
)
KEPT = Table(
    "autograder_laid_aside",
    TABLES,
    Column("assignment", String(128), primary_key=True),
    Column("notebook", String(128), primary_key=True),
    Column("student", String(128), primary_key=True),
    Column("cell", String(128), primary_key=True),
    Column("manual_score", sqlalchemy.Float),
    Column("extra_credit", sqlalchemy.Float),
    Column("manual_comment", Text),
)
"""Marks and words given by hand on cells that a lesson no longer has."""

NO_PART_IN_GRADES = ("audit", "commands", "jupyter", "lesson", "setup", "widgets")
"""Parts of this project whose code no grade depends on."""
NOTEBOOKS = 3
"""Notebooks of the largest size that are read in one folder to see whether it changed."""
PACKAGES = ("nbgrader", "ipython", "numpy", "torch", "tensorflow")


@dataclass(frozen=True)
class Line:
    """What the ledger says about one student's submission of a lesson."""

    key: str
    notebook: str
    """Digest of the graded notebooks; another one there means that somebody else graded since."""
    row: dict[str, Any]


def read_ledger(gradebook: Gradebook, lesson: str) -> dict[str, Line]:
    """Return the lines of a lesson by student; makes the tables where they are missing."""
    TABLES.create_all(gradebook.engine)
    rows = gradebook.db.execute(
        sqlalchemy.select(LEDGER).where(LEDGER.c.assignment == lesson)
    ).mappings()
    return {
        row["student"]: Line(row["key"], row["notebook"], json.loads(row["row"])) for row in rows
    }


def write_line(gradebook: Gradebook, lesson: str, student: str, line: Line) -> None:
    """Put a student's line in the place of the one before; the caller commits."""
    erase_line(gradebook, lesson, student)
    values = {"assignment": lesson, "student": student, "key": line.key, "notebook": line.notebook}
    gradebook.db.execute(LEDGER.insert().values(**values, row=json.dumps(line.row)))


def erase_line(gradebook: Gradebook, lesson: str, student: str) -> None:
    """Forget a student's line; the caller commits."""
    here = (LEDGER.c.assignment == lesson) & (LEDGER.c.student == student)
    gradebook.db.execute(LEDGER.delete().where(here))


def laid_aside(gradebook: Gradebook, lesson: str, student: str) -> list[str]:
    """Return the cells, gone from the lesson, on which a person had marked this student."""
    here = (KEPT.c.assignment == lesson) & (KEPT.c.student == student)
    rows = gradebook.db.execute(sqlalchemy.select(KEPT).where(here)).mappings()
    hand = ("manual_score", "extra_credit", "manual_comment")
    return sorted({row["cell"] for row in rows if any(row[name] is not None for name in hand)})


# -- keys --------------------------------------------------------------------------------------


def lesson_key(source: Path, settings: Iterable[Path], seed: int) -> str:
    """Return what the grades of a lesson depend on besides the submission.

    `source` is the lesson's folder of solutions/, `settings` are nbgrader's configuration files.
    """
    state = hashlib.sha256(json.dumps([seed, environment()]).encode())
    for path in settings:
        _add(state, path.name, path.read_bytes())
    for path in sorted(source.rglob("*")):
        if path.is_file():
            _add(state, path.relative_to(source).as_posix(), path.read_bytes())
    return state.hexdigest()


def submission_key(lesson: str, folder: Path, size: int) -> str:
    """Return the key of a submission: the lesson's key and the bytes that were handed in.

    Of what is no plain file, or is larger than `size` bytes (beside the notebooks: than may be
    handed in), only that fact counts: intake refuses it unread. Of many large notebooks only the
    first are read, the lesson's own before others; of the rest size and time count.
    """
    state = hashlib.sha256(lesson.encode())
    try:
        here = sorted(folder.iterdir()) if not folder.is_symlink() else []
    except OSError:
        here = []
    notebooks = {path for path in here if path.name.lower().endswith(".ipynb")}
    first = sorted(notebooks, key=lambda path: (path.stem != folder.name, path.name))
    left = {True: NOTEBOOKS * size, False: Most().together}
    for path in (*first, *(handed_files(folder) if here else ())):
        facts, own = path.lstat(), path in notebooks
        most = min(size if own else Most().each, left[own])
        left[own] -= facts.st_size
        readable = stat.S_ISREG(facts.st_mode) and facts.st_size <= most
        other = f"{facts.st_mode} {facts.st_size}".encode()
        if own and facts.st_size <= size:
            other += f" {facts.st_mtime_ns}".encode()
        name = path.relative_to(folder).as_posix()
        _add(state, name, path.read_bytes() if readable else other)
    return state.hexdigest()


def _add(state: Any, name: str, data: bytes) -> None:
    for part in (name.encode("utf-8", "surrogateescape"), data):
        state.update(len(part).to_bytes(8, "little") + part)


@functools.cache
def environment() -> dict[str, str]:
    """Return the versions that a verdict may depend on, and digests of this project's own code."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = ""
    for package in (autograder, chainrule):
        found[package.__name__] = digest_of_code(Path(package.__file__ or "").parent)
    return found


def digest_of_code(folder: Path) -> str:
    """Return a digest of a package's modules that grade: a version says nothing in a checkout."""
    state = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        name = path.relative_to(folder)
        if name.parts[0] not in NO_PART_IN_GRADES:
            _add(state, name.as_posix(), path.read_bytes())
    return state.hexdigest()


def digest_of(paths: Iterable[Path]) -> str:
    """Return the digest of some files; '' when one of them is not there."""
    state = hashlib.sha256()
    try:
        for path in paths:
            _add(state, path.name, path.read_bytes())
    except OSError:
        return ""
    return state.hexdigest()
