"""The YAML header of a lesson: its title, time, needs, coverage and files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Any

from autograder.lesson.model import Flaws
from autograder.lesson.percent import Sheet

Judge = Callable[[Any], bool]


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _files(value: Any) -> bool:
    return _texts(value) and all(_inside(item) for item in value)


def _inside(name: str) -> bool:
    path = PurePosixPath(name)
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts


KEYS: dict[str, tuple[Judge, str, Any]] = {
    "title": (lambda v: isinstance(v, str) and bool(v.strip()), "a title in words", None),
    "minutes": (lambda v: isinstance(v, int) and v > 0, "a whole number of minutes", None),
    "needs": (_texts, "a list of slugs, [] for none", []),
    "covers": (
        lambda v: isinstance(v, dict) and all(isinstance(x, str) for x in v.values()),
        "a map from each term to an exercise or a heading",
        {},
    ),
    "files": (_files, "a list of files in the lesson's folder", []),
}
"""key -> (is it right, what it should be, default; None where it must be said)."""

FILTERS = {"cell_metadata_filter": ("all",), "notebook_metadata_filter": ("all", "autograder")}
"""jupytext's filters -> what must be in them for JupyterLab to keep the markers on save."""


def read_header(sheet: Sheet, flaws: Flaws) -> dict[str, Any]:
    """Return the header's `autograder` block with defaults, noting in `flaws` what it has wrong."""
    lines = sheet.header_text.split("\n")

    def line_of(word: str) -> int:
        return next((n for n, text in enumerate(lines, 1) if text.lstrip("# ").startswith(word)), 1)

    jupytext = sheet.header.get("jupytext", {})
    for name, keeping in FILTERS.items():
        if not set(keeping) & set(str(jupytext.get(name)).split(",")):
            flaws.add(
                line_of(name),
                f"the header needs '{name}: all' under jupytext; without it JupyterLab "
                "drops markers on save.",
            )
    block = sheet.header.get("autograder")
    if not isinstance(block, dict):
        flaws.add(1, "the header has no 'autograder:' block with title, minutes, needs and covers.")
        return {}
    for key in block:
        if key not in KEYS:
            flaws.add(line_of(f"{key}:"), f"'{key}' is unknown; the header has {', '.join(KEYS)}.")
    return {key: _value(key, block, line_of, flaws) for key in KEYS}


def _value(key: str, block: dict[str, Any], line_of: Callable[[str], int], flaws: Flaws) -> Any:
    judge, wanted, default = KEYS[key]
    if key not in block and default is None:
        flaws.add(line_of("autograder:"), f"the header's autograder block has no '{key}:'; add it.")
        return None
    value = block.get(key, default)
    if not judge(value):
        flaws.add(line_of(f"{key}:"), f"'{key}' should be {wanted}.")
        return None
    return tuple(value) if isinstance(value, list) else value
