"""What a lesson's own solution imports: learned by running it once, then imported before forking.

    with Engine.for_master(master) as engine:
        learn(engine, master)           # the next engine of this lesson is warmer

PyTorch's first optimizer, for one, imports for two seconds. Only modules of the exercises' own
imports are kept, and only imported: nothing is run before a fork.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Mapping
from importlib.metadata import distributions
from pathlib import Path
from typing import TYPE_CHECKING

from autograder.engine.parent import Allow, Lost
from autograder.engine.walk import import_sets
from autograder.master import Master, MasterCell
from autograder.plain import is_plain

if TYPE_CHECKING:
    from autograder.engine import Engine

FOLDER = ".autograder/warm"
WHAT = b"cells and questions"
"""Learned from; a list that was learned from less is learned again."""
MOST = 3_000
"""Modules worth remembering; TensorFlow alone has some 1,500."""


def recall(master: Master) -> Mapping[Allow, tuple[str, ...]]:
    """Return what is known about a lesson's imports; nothing if it was not learned yet."""
    try:
        found = json.loads(_file(master).read_text())
        return {_allow(key): tuple(map(str, names)) for key, names in found.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def learn(engine: Engine, master: Master) -> Mapping[Allow, tuple[str, ...]]:
    """Run the solution once per set of imports, and remember what it imported."""
    known = dict(recall(master))
    if not known:
        for allow in import_sets(master.cells):
            known[allow] = _imports(engine, master, allow)
        _remember(_file(master), {_key(allow): names for allow, names in known.items()})
    return known


def _imports(engine: Engine, master: Master, allow: Allow) -> tuple[str, ...]:
    session = engine.open(allow=allow)
    try:
        before = set(session.modules())
        for cell in _needed(master, allow):
            if cell.role == "tests":
                session.ask(cell)
            else:
                session.run_given(cell.source)
        names = [name for name in session.modules() if name not in before]
    except Lost:
        return ()
    finally:
        session.close()
    return tuple(name for name in names if _wanted(name, allow))[:MOST]


def _needed(master: Master, allow: Allow) -> list[MasterCell]:
    """Return what exercises with these imports rest on, answers and given cells, and their tests.

    Much of PyTorch is imported by the first question that needs it. A plain test is no question.
    """
    tests = [cell for cell in master.tests() if cell.allow == allow and not is_plain(cell)]
    last = max((cell.index for cell in master.tests() if cell.allow == allow), default=0)
    return [
        cell
        for cell in master.cells
        if cell in tests or (cell.role in ("exercise", "given") and cell.index < last)
        if cell.kind == "code"
    ]


def _wanted(name: str, allow: Allow) -> bool:
    root = name.partition(".")[0]
    if root.startswith("__"):
        return False
    if allow is None:
        return root not in ("autograder", "chainrule")
    return root in ("numpy", *allow) or root in sys.stdlib_module_names


def _file(master: Master) -> Path:
    """Return where a lesson's list lies; another solution or another package has another."""
    digest = hashlib.sha256(WHAT)
    for cell in master.cells:
        digest.update(f"{cell.role}\0{cell.allow}\0{cell.source}\0".encode())
    for one in sorted(f"{found.name} {found.version}" for found in distributions()):
        digest.update(one.encode())
    root = master.path.resolve().parents[2] if len(master.path.resolve().parents) > 2 else Path()
    return root / FOLDER / f"{master.path.stem}-{digest.hexdigest()[:16]}.json"


def _remember(file: Path, found: Mapping[str, tuple[str, ...]]) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=file.parent, delete=False) as written:
            json.dump(found, written)
        os.replace(written.name, file)
    except OSError:
        return  # a course in a read-only folder is graded without


def _key(allow: Allow) -> str:
    return "*" if allow is None else " ".join(allow)


def _allow(key: str) -> Allow:
    return None if key == "*" else tuple(key.split())
