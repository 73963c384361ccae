"""A small static graph in parts: what the notebook of lesson 12 falls back on.

The notebook builds a graph of its own, part by part, and each part runs on those before it.

>>> from chainrule.small_graph import PARTS
>>> print(*PARTS)
nodes session gradients variables optimizer dense

`stand_in("session", globals())` tries that part of the notebook. If it is missing, or not right,
the one of this package takes its place, and what comes after can still be written, run and graded.

Each part is a module with two functions. `trial(own)` raises an error of any kind if the part in
the namespace `own` does not do what the later ones need. `parts(own)` returns the names to put
there. They use the notebook's own `Graph`, `Node`, `GRAPHS`, `KERNELS` and `compute`.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from importlib import import_module
from typing import Any

__all__ = ["PARTS", "Own", "Wrong", "expect", "stand_in"]

PARTS = ("nodes", "session", "gradients", "variables", "optimizer", "dense")


class Wrong(Exception):
    """A part of a notebook does not do what the later ones need."""


class Own:
    """The names of a notebook as attributes, looked up when they are used."""

    def __init__(self, names: Mapping[str, Any]) -> None:
        self._names = names

    def __getattr__(self, name: str) -> Any:
        if name not in self._names:
            raise Wrong(f"{name} is not there")
        return self._names[name]


def stand_in(part: str, names: MutableMapping[str, Any]) -> bool:
    """Try a part of a notebook, put a ready-made one in its place if that fails, and say which.

    Args:
        part: One of `PARTS`.
        names: The notebook's `globals()`.

    Returns:
        Whether the notebook's own part stays.

    Raises:
        ModuleNotFoundError: The part is asked for where it must not be known: in its own exercise.
    """
    module = import_module(f"{__name__}.{part}")
    own = Own(names)
    graphs = len(own.GRAPHS)
    try:
        with own.Graph().as_default():
            module.trial(own)
    except Exception as error:
        del own.GRAPHS[graphs:]
        names.update(module.parts(own))
        why = error if isinstance(error, Wrong) else f"it stops with {type(error).__name__}"
        print(f"{part}: yours is not ready ({why}). What follows runs on a ready-made one.")
        return False
    print(f"{part}: what follows runs on yours.")
    return True


def expect(flag: Any, words: str) -> None:
    """Raise `Wrong` with these words unless `flag` is true."""
    if not flag:
        raise Wrong(words)
