"""The data that ships with the course: `load(name)` reads it after checking that it is whole.

Each set is a folder in `datasets/` with its source, its license and the script that made it.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.errors import DataError


def folder() -> Path:
    """Return the folder of all sets: $CHAINRULE_DATASETS, or `datasets/` beside the library."""
    given = os.environ.get("CHAINRULE_DATASETS")
    place = Path(given) if given else Path(__file__).resolve().parents[2] / "datasets"
    if not (place / "checksums.json").is_file():
        raise DataError(
            f"no data sets in {place}: set CHAINRULE_DATASETS to the course's folder `datasets`"
        )
    return place


def names() -> list[str]:
    """Return the names of all sets.

    >>> "digits" in names()
    True
    """
    return sorted({path.split("/")[0] for path in _checksums(folder())})


def load(name: str) -> dict[str, Any]:
    """Return a set: arrays, lists and numbers by name; its README says what each is.

    Args:
        name: One of `names()`.

    Raises:
        DataError: There is no such set, or a file of it is missing or was changed.

    >>> load("spirals")["points"].shape
    (600, 2)
    """
    place = folder()
    sums = {p: s for p, s in _checksums(place).items() if p.split("/")[0] == name}
    if not sums:
        raise DataError(f"no data set is called {name!r}; there are: {', '.join(names())}")
    found: dict[str, Any] = {}
    for path, expected in sorted(sums.items()):
        raw = _checked(place / path, expected)
        kind = path.rsplit(".", 1)[1]
        if kind == "json":
            found.update(json.loads(raw))
        elif kind == "npz":
            with np.load(place / path, allow_pickle=False) as arrays:
                found.update(arrays)
        else:
            found.setdefault("files", []).append(place / path)
    return found


def _checksums(place: Path) -> dict[str, str]:
    return json.loads((place / "checksums.json").read_text(encoding="utf-8"))


def _checked(path: Path, expected: str) -> bytes:
    """Return the bytes of a file whose SHA-256 is what it should be."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise DataError(
            f"{path} cannot be read ({error.strerror}): take it from the course again"
        ) from None
    found = hashlib.sha256(raw).hexdigest()
    if found != expected:
        raise DataError(
            f"{path} was changed: its SHA-256 begins with {found[:12]}, not {expected[:12]}; "
            "take it from the course again, or run its make.py"
        )
    return raw
