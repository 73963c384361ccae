"""Reads a jupytext percent file into cells that remember their lines and their raw text.

jupytext decides what a cell is; this module only adds where it stands in the file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import jupytext
import yaml
from nbformat.notebooknode import NotebookNode

from autograder.errors import Problem
from autograder.lesson.model import Cell, Flaws, Kind

FORMAT = "py:percent"
ANSWERS = {"extension": ".py", "format_name": "percent", "comment_magics": False}
"""Of a file without a header. jupytext takes a comment `# copy of x` for a shell command that it
had hidden; a lesson's header says `comment_magics: false` against that, to JupyterLab too."""
MARKER = re.compile(r"# %%(?:\s|$)")
# Notes that jupytext makes for itself while reading.
READING_NOTES = ("lines_to_next_cell", "lines_to_end_of_cell_marker", "cell_marker")


@dataclass(frozen=True)
class Sheet:
    """A percent file: its YAML header and its cells."""

    path: Path
    header: dict[str, Any]
    header_text: str
    """Everything before the first cell."""
    preface: str
    """What of it stands below the header; jupytext would make it a cell without a marker."""
    cells: tuple[Cell, ...]


def read_sheet(path: Path) -> Sheet:
    """Read the percent file at `path`. Problem if it is missing or not in that format."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise Problem(f"{path} does not exist.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise Problem(f"{path} cannot be read as UTF-8 text ({error}).") from None
    return parse_sheet(text, path)


def parse_sheet(text: str, path: Path) -> Sheet:
    """Parse the text of a percent file; `path` is what complaints name."""
    flaws = Flaws(path)
    lines = text.replace("\r\n", "\n").splitlines(keepends=True)
    starts = [number for number, line in enumerate(lines) if MARKER.match(line)]
    head = lines[: starts[0]] if starts else lines
    header = head[: _header_end(head)]
    notebook = _notebook("".join(header + lines[len(head) :]), flaws)
    if header and notebook.cells and notebook.cells[0].cell_type == "raw":
        flaws.add(1, "the header has no 'jupyter:' block; put jupytext's and ours under it.")
    elif len(notebook.cells) != len(starts):
        flaws.add(
            starts[0] + 1 if starts else 1,
            f"the file has {len(starts)} lines that begin with '# %%' but {len(notebook.cells)} "
            "cells; indent a '# %%' that stands inside a string.",
        )
    flaws.check()
    ends = [*starts[1:], len(lines)]
    cells = tuple(
        _cell(node, start, "".join(lines[start:end]))
        for node, start, end in zip(notebook.cells, starts, ends, strict=True)
    )
    preface = "".join(head[len(header) :])
    return Sheet(path, dict(notebook.metadata), "".join(head), preface, cells)


def write_cell(
    kind: Kind, source: str, marker: dict[str, Any], header: Mapping[str, Any] | None = None
) -> str:
    """Return a cell in percent format as jupytext spells it, ending in one blank line.

    The header of the file says how it spells magics.
    """
    make = jupytext.reads(f"# %%{' [markdown]' if kind == 'markdown' else ''}\n", fmt=FORMAT)
    make.cells[0].source = source
    make.cells[0].metadata.update(marker)
    spelled = (header or {}).get("jupytext", {}).get("comment_magics", True)
    make.metadata["jupytext"] = {"cell_metadata_filter": "all", "comment_magics": bool(spelled)}
    text = jupytext.writes(make, fmt=FORMAT)
    body = text[re.search(r"^# %%", text, re.MULTILINE).start() :]  # type: ignore[union-attr]
    return body.rstrip("\n") + "\n\n"


def _notebook(text: str, flaws: Flaws) -> NotebookNode:
    try:
        fmt = FORMAT if text.startswith("# ---") else ANSWERS
        return cast(NotebookNode, jupytext.reads(text, fmt=fmt))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = mark.line + 1 if mark is not None else 1
        flaws.add(where, f"the header is not YAML ({getattr(error, 'problem', error)}); repair it.")
    except Exception as error:
        flaws.add(1, f"jupytext cannot read this file ({error}); keep it in percent format.")
    flaws.check()
    raise AssertionError("unreachable")


def _header_end(head: list[str]) -> int:
    """Return the number of lines of the YAML header, 0 where there is none."""
    fences = [number for number, line in enumerate(head) if line.strip() == "# ---"]
    return fences[1] + 1 if len(fences) > 1 and not "".join(head[: fences[0]]).strip() else 0


def _cell(node: NotebookNode, start: int, raw: str) -> Cell:
    marker = {key: value for key, value in node.metadata.items() if key not in READING_NOTES}
    rest = raw.split("\n")[1:]
    blank = next((count for count, line in enumerate(rest) if line.strip()), 0)
    if node.cell_type == "markdown" and rest[blank : blank + 1] == ['"""']:
        blank += 1
    return Cell(
        kind=cast(Kind, node.cell_type),
        source=node.source,
        marker=marker,
        line=start + 1,
        body=start + 2 + blank,
        raw=raw,
    )
