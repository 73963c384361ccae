"""Put a widget's browser files together: one self-contained module, one style sheet.

    module("tiny_net.js")                   # a source that imports nothing
    style("common.css", "tiny_net.css")

What widgets share is stored once, in the files that start with `common`.
"""

from __future__ import annotations

import re
from pathlib import Path

HERE = Path(__file__).parent
IMPORT = re.compile(r'^import \{[^}]*\} from "\./(?P<file>[\w.]+)";\n', re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:const|function) )", re.MULTILINE)


def module(name: str) -> str:
    """Return the source of the ES module `name`, with its `import ... from "./x.js"` pasted in.

    A pasted file exports constants and functions only, under names that no other file uses; it is
    pasted where it is first imported, once.
    """
    pasted = set()

    def paste(match: re.Match[str]) -> str:
        file = match["file"]
        if file in pasted:
            return ""
        pasted.add(file)
        return IMPORT.sub(paste, EXPORT.sub("", _read(file)))

    return IMPORT.sub(paste, _read(name))


def style(*names: str) -> str:
    """Return the style sheets `names`, one after the other."""
    return "\n".join(_read(name) for name in names)


def _read(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")
