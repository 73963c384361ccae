"""Cells of the course, or of a student, that import what a process does not have.

    prepared = prepare("import numpy as np\nimport torch", ("numpy",))
    prepared.source         # the same lines, the second one empty
    prepared.stand_ins      # {"torch": "this exercise is asked without torch; ..."}

A cell that prepares several exercises then prepares the one that is asked, and whoever uses the
missing module reads why it is missing.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from autograder.checks.guard import permitted, sentence

SHOWN = {"autograder", "numpy", "IPython", "matplotlib", "ipywidgets", "anywidget", "PIL"}
"""Modules that every answer process has, whatever its exercises allow."""


@dataclass(frozen=True)
class Prepared:
    """A cell as a process with some imports can run it."""

    source: str
    stand_ins: dict[str, str] = field(default_factory=dict)
    """Name that an import would have bound -> the sentence that its use raises."""


def prepare(source: str, allow: tuple[str, ...] | None) -> Prepared:
    """Return a cell without its top-level imports of what is absent; lines keep their numbers."""
    if allow is None:
        return Prepared(source)
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return Prepared(source)
    lines = source.split("\n")
    stand_ins: dict[str, str] = {}
    for step in tree.body:
        missing = next((name for name in _imported(step) if _absent(name, allow)), None)
        if missing is None or not _alone(step, tree):
            continue
        last = step.end_lineno or step.lineno
        lines[step.lineno - 1 : last] = [""] * (last - step.lineno + 1)
        stand_ins |= dict.fromkeys(_bound(step), sentence(missing, allow))
    return Prepared("\n".join(lines), stand_ins)


def _alone(step: ast.stmt, tree: ast.Module) -> bool:
    """Whether a statement has its lines for itself."""
    return all(
        other is step
        or other.lineno > (step.end_lineno or 0)
        or (other.end_lineno or 0) < step.lineno
        for other in tree.body
    )


def _imported(step: ast.stmt) -> list[str]:
    """Return the modules that an import names, and what it takes from them: it may be modules."""
    if isinstance(step, ast.Import):
        return [alias.name for alias in step.names]
    if isinstance(step, ast.ImportFrom) and step.module and not step.level:
        return [step.module, *(f"{step.module}.{alias.name}" for alias in step.names)]
    return []


def _bound(step: ast.stmt) -> list[str]:
    assert isinstance(step, ast.Import | ast.ImportFrom)
    names = [alias.asname or alias.name.partition(".")[0] for alias in step.names]
    return [name for name in names if name != "*"]


def _absent(name: str, allow: tuple[str, ...]) -> bool:
    return name.partition(".")[0] not in SHOWN and not permitted(name, allow)
