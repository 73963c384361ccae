"""Files that a student handed in beside the notebooks, such as a module or data of their own.

nbgrader copies them into the graded folder, where the notebooks find them. So do we, within limits;
a file of the course is never taken from a submission.
"""

from __future__ import annotations

import base64
import contextlib
import itertools
import os
import shutil
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from autograder.grading.intake import Limits, Refused, read_plain, shown_all
from autograder.master import MasterCell

TIME = "timestamp.txt"
"""What nbgrader's collection leaves beside the notebooks."""
LONGEST = 200
"""Characters of a file's path below the submission."""
LOOKED_AT = 2_000
"""Files of one submission that are looked at, at most."""


@dataclass(frozen=True)
class Most:
    """How much a submission may bring along."""

    files: int = 200
    each: int = 5_000_000
    """Bytes of one file."""
    together: int = 20_000_000


def handed_files(folder: Path) -> list[Path]:
    """Return the files of a submission that are no notebooks, links included, in a fixed order."""
    return sorted(itertools.islice(_walk(folder), LOOKED_AT))


def names_of(folder: Path) -> set[str]:
    """Return the paths of the files of a folder that are no notebooks, as seen from it."""
    return {path.relative_to(folder).as_posix() for path in handed_files(folder)}


def _walk(folder: Path) -> Iterator[Path]:
    for root, folders, names in os.walk(folder):
        folders[:] = filter(_looked_at, folders)
        for name in filter(_looked_at, names):
            yield Path(root) / name


def _looked_at(name: str) -> bool:
    odd = name.startswith(".") or name == "__pycache__"
    return not odd and not name.lower().endswith((".ipynb", ".pyc"))


def read_files(
    folder: Path, fixed: Collection[str], notes: list[str], most: Most | None = None
) -> dict[str, bytes]:
    """Return what lies beside the notebooks in `folder`, by path below it.

    `fixed` are the paths of the course's own files, which nobody else's replaces.
    """
    most = most or Most()
    found: dict[str, bytes] = {}
    lost: list[str] = []
    for path in handed_files(folder):
        name = path.relative_to(folder).as_posix()
        if name == TIME or name in fixed:
            continue
        try:
            if name.split("/", 1)[0].casefold() == TIME:
                raise Refused("nbgrader will write the file of this name")
            data = read_plain(path, Limits(size=most.each))
        except Refused:
            lost.append(name)
            continue
        together = sum(len(one) for one in found.values()) + len(data)
        if len(found) < most.files and together <= most.together and _has_place(name, fixed):
            found[name] = data
        else:
            lost.append(name)
    if lost:
        notes.append(f"Files were left out, links, large ones or odd names: {shown_all(lost)}.")
    return found


def _has_place(name: str, fixed: Collection[str]) -> bool:
    """Tell whether a file can lie beside the course's: none is a folder where the other is not."""
    clash = any(one.startswith(f"{name}/") or name.startswith(f"{one}/") for one in fixed)
    return name.isprintable() and len(name) <= LONGEST and not clash


def as_text(files: Mapping[str, bytes]) -> tuple[tuple[str, str], ...]:
    """Return files as plain data: path and contents in base64."""
    return tuple((name, base64.b64encode(data).decode()) for name, data in files.items())


def write_files(folder: Path, files: Collection[tuple[str, str]]) -> None:
    """Write what `as_text` packed below a folder."""
    for name, text in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(text))


MOVE = """import os
import sys

os.chdir({place!r})
sys.path.insert(0, "")
del os, sys
"""
PUT = """def _put_files(files):
    import base64
    import os

    for name, text in files:
        try:
            if os.path.islink(name):
                os.unlink(name)
            os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
            with open(name, "wb") as file:
                file.write(base64.b64decode(text))
        except OSError:
            pass  # the course has a folder of this name
"""


@contextlib.contextmanager
def at_hand(
    given: Iterable[Path], files: Collection[tuple[str, str]], closed_in: bool
) -> Iterator[tuple[MasterCell, ...]]:
    """Yield what is to run before a notebook's own cells, so that it finds its files.

    In the sandbox it runs in a scratch folder, where the course's files, `given`, are already.
    Elsewhere a folder of its own is made for it, with copies of them, and removed afterwards.
    """
    if closed_in:
        yield (_cell(f"{PUT}\n_put_files({list(files)!r})\ndel _put_files"),) if files else ()
        return
    with tempfile.TemporaryDirectory(prefix="grading-", ignore_cleanup_errors=True) as place:
        for path in given:
            copy = shutil.copytree if path.is_dir() else shutil.copyfile
            copy(path, Path(place) / path.name)
        write_files(Path(place), files)
        yield (_cell(MOVE.format(place=place)),)


def _cell(source: str) -> MasterCell:
    return MasterCell(-1, "files", "code", "code", source)
