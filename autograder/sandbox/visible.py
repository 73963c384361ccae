"""Which installed files an exercise may see: those of its imports, and what these need.

    shown = visible(("numpy", "torch"))
    shown.entries      # what of site-packages is shown
    shown.folders      # packages that lie elsewhere, such as this course's own

The rule is the installed distributions' own lists of files and of requirements. An exercise without
a list of imports sees everything that is installed.
"""

from __future__ import annotations

import functools
import importlib.metadata
import importlib.util
import site
import sys
import sysconfig
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name as _canonical

from autograder.checks.guard import hidden_parts

BASE = (
    "ipykernel",
    "ipython",
    "numpy",
    "matplotlib",
    "matplotlib-inline",
    "ipywidgets",
    "anywidget",
)
"""Distributions that every answer process has: what runs and shows a notebook's cells."""
OURS = ("autograder", "chainrule")
"""This course's packages; the first is part of every answer process."""


@dataclass(frozen=True)
class Visible:
    """What a sandbox shows of the installed packages."""

    entries: tuple[Path, ...]
    """Files and folders directly in a site-packages folder."""
    folders: tuple[Path, ...]
    """Packages outside of any site-packages folder."""
    hidden: tuple[Path, ...] = ()
    """Parts of these that are hidden: packages' folders and single files."""
    everything: bool = False


def site_folders() -> tuple[Path, ...]:
    """Return the folders that installed packages of this Python lie in."""
    names = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), *site.getsitepackages()}
    return tuple(sorted({Path(name) for name in names if Path(name).is_dir()}))


def visible(allow: Iterable[str] | None) -> Visible:
    """Return what a process may see whose exercises import the top-level modules `allow`."""
    if allow is None:
        return Visible(site_folders(), _outside(OURS), everything=True)
    allow = tuple(allow)
    names = {name for name in allow if not name.startswith("-")} | {*OURS[:1]}
    wanted = {canonical(name) for name in BASE}
    for name in names.difference(OURS):
        wanted |= _distributions_of(name)
    inside = {entry for name in _closure(wanted) for entry in _entries(name)}
    outside = _outside(names)
    # This course's packages come in one distribution: an exercise sees those that it names.
    inside |= {place for name in names.intersection(OURS) if (place := _place(name))}
    hidden = tuple(place for part in hidden_parts(allow) if (place := _part(part)))
    return Visible(tuple(sorted(inside - set(outside))), outside, hidden)


def _part(module: str) -> Path | None:
    """Return where a part of a package lies, found without importing the package."""
    root, *rest = module.split(".")
    base = _place(root)
    if base is None:
        return None
    folder = base.joinpath(*rest)
    file = folder.with_suffix(".py")
    return folder if folder.is_dir() else file if file.exists() else None


def _outside(names: Iterable[str]) -> tuple[Path, ...]:
    """Return where those of `names` lie that are in no site-packages folder."""
    found = []
    for name in names:
        place = _place(name)
        if place and not any(place.is_relative_to(folder) for folder in site_folders()):
            found.append(place)
    return tuple(found)


@functools.cache
def _place(name: str) -> Path | None:
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return None
    if (
        spec is None
        or spec.origin in (None, "built-in", "frozen")
        or name in sys.stdlib_module_names
    ):
        return None
    origin = Path(str(spec.origin))
    return origin.parent if spec.submodule_search_locations else origin


def canonical(name: str) -> str:
    """Return the one spelling of a distribution's name."""
    return str(_canonical(name))


@functools.cache
def _installed() -> dict[str, importlib.metadata.Distribution]:
    return {canonical(one.name): one for one in importlib.metadata.distributions()}


@functools.cache
def _tops(name: str) -> frozenset[str]:
    """Return the names directly in site-packages that a distribution put there."""
    record = _installed()[name].read_text("RECORD") or ""
    paths = (line.partition(",")[0].strip('"') for line in record.splitlines())
    return frozenset(path.split("/")[0] for path in paths if not path.startswith((".", "/")))


def _entries(name: str) -> list[Path]:
    return [
        path for folder in site_folders() for top in _tops(name) if (path := folder / top).exists()
    ]


def _distributions_of(module: str) -> set[str]:
    """Return the distributions that install a top-level module."""
    own = canonical(module)
    if own in _installed():
        return {own}
    wanted = {module, f"{module}.py"}
    return {name for name in _installed() if wanted & _tops(name)}


def _closure(names: set[str]) -> set[str]:
    """Return distributions with everything that they require, and that is installed."""
    seen: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in seen or name not in _installed():
            continue
        seen.add(name)
        waiting += _required(name)
    return seen


def _required(name: str) -> list[str]:
    needed = []
    for line in _installed()[name].requires or ():
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            continue
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            needed.append(canonical(requirement.name))
    return needed
