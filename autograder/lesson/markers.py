"""The table of cell markers: which keys a cell of each role has, and what their values are."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from autograder.lesson.model import Cell, Flaws, Kind

IMPORT = re.compile(r"[A-Za-z_]\w*|-[A-Za-z_]\w*(\.\w+)+")
NAME = re.compile(r"[a-z][a-z0-9_]*")
MUTANT = re.compile(r"\S+")
# Jupyter's notes about how a cell is shown; JupyterLab may save them, the build drops them.
VIEW_KEYS = frozenset({"collapsed", "scrolled", "trusted", "jupyter", "editable", "deletable"})

Judge = Callable[[Any], str]
"""Says in words what a value should be, or '' when it is that."""


def _whole(low: int, high: int | None = None) -> Judge:
    words = f"a whole number from {low}" + (f" to {high}" if high is not None else " upwards")

    def judge(value: Any) -> str:
        fine = isinstance(value, int) and not isinstance(value, bool) and value >= low
        return "" if fine and (high is None or value <= high) else words

    return judge


def _name(value: Any) -> str:
    fine = isinstance(value, str) and NAME.fullmatch(value)
    return "" if fine else 'a name in small letters, digits and underscores, such as "two_layers"'


def _names(value: Any) -> str:
    fine = isinstance(value, str) and all(part.isidentifier() for part in value.split())
    return "" if fine else 'a space-separated list in quotes, such as "numpy math"'


def _imports(value: Any) -> str:
    """Module names; `-chainrule.nn` hides a part of one that is named."""
    fine = isinstance(value, str) and all(IMPORT.fullmatch(part) for part in value.split())
    return (
        "" if fine else 'a space-separated list in quotes, such as "numpy chainrule -chainrule.nn"'
    )


def _mutant(value: Any) -> str:
    return "" if isinstance(value, str) and MUTANT.fullmatch(value) else "a mutant's id in quotes"


@dataclass(frozen=True)
class Role:
    """What the marker of one kind of cell holds. The role's own name is its first key."""

    kind: Kind
    required: Mapping[str, Judge]
    optional: Mapping[str, Judge]


def _role(kind: Kind, required: Mapping[str, Judge], **optional: Judge) -> Role:
    return Role(kind, required, optional)


ROLES: Mapping[str, Role] = {
    "given": _role("code", {"given": _name}),
    "prompt": _role("markdown", {"prompt": _name}),
    "exercise": _role(
        "code",
        {
            "exercise": _name,
            "minutes": _whole(1),
            "difficulty": _whole(1, 5),
            "importance": _whole(1, 5),
        },
        allow=_imports,
    ),
    "hint": _role("markdown", {"hint": _name}),
    "tests": _role("code", {"tests": _name, "behaviour": _name, "points": _whole(0)}),
    "written": _role("markdown", {"written": _name, "points": _whole(0)}),
}
"""Markers of a lesson."""

ANSWER_ROLES: Mapping[str, Role] = {
    "answer": _role("code", {"answer": _name, "name": _name}, loses=_names, lesson=_name),
    "equivalent": _role("code", {"equivalent": _name, "mutant": _mutant}, lesson=_name),
}
"""Markers of wrong_answers.py and right_answers.py."""


def assign_role(cell: Cell, roles: Mapping[str, Role], flaws: Flaws) -> Cell:
    """Return the cell with its role, noting in `flaws` what its marker has wrong."""
    marker = {key: value for key, value in cell.marker.items() if key not in VIEW_KEYS}
    cell = replace(cell, marker=marker)
    named = [role for role in roles if role in marker]
    for sentence in _marker_flaws(cell, named, roles):
        flaws.add(cell.line, sentence)
    if len(named) == 1:
        return replace(cell, role=named[0])
    return replace(cell, role="prose" if cell.kind == "markdown" else "code")


def _marker_flaws(cell: Cell, named: list[str], roles: Mapping[str, Role]) -> Iterator[str]:
    known = ", ".join(roles)
    if cell.kind not in ("code", "markdown"):
        yield f"a cell of kind [{cell.kind}] has no place in a lesson; make it [markdown] or code."
    elif "incorrectly_encoded_metadata" in cell.marker:
        words = cell.marker["incorrectly_encoded_metadata"]
        yield f"the marker '{words}' is not key=value pairs; write text in quotes and numbers bare."
    elif "title" in cell.marker and not named:
        yield (
            f"the marker says '{cell.marker['title']}'; write its role as one of {known}, "
            'such as given="setup", or nothing.'
        )
    elif len(named) > 1:
        yield f"the marker has two roles ({' and '.join(named)}); give each its own cell."
    elif not named:
        for key in cell.marker:
            yield f"'{key}' is not a marker known here; the roles are {known}."
    else:
        yield from _value_flaws(cell, named[0], roles[named[0]])


def _value_flaws(cell: Cell, name: str, role: Role) -> Iterator[str]:
    if cell.kind != role.kind:
        form = "# %% [markdown]" if role.kind == "markdown" else "# %%"
        yield f"a cell marked {name}= is {role.kind}; begin it with '{form} {name}=...'."
    for key in role.required:
        if key not in cell.marker:
            yield f"the marker {name}= has no {key}=; add it."
    judges = {**role.required, **role.optional}
    for key, value in cell.marker.items():
        if key not in judges:
            yield f"'{key}' does not belong to {name}=; its keys are {', '.join(judges)}."
        elif wanted := judges[key](value):
            yield f"{key}={value!r} should be {wanted}."
