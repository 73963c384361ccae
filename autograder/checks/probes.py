"""Questions about a student's function that need to be asked beside it."""

from __future__ import annotations

import ast
import inspect
import textwrap
import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograder.checks.wire import ARRAY_KINDS


def purity(function: Callable[..., Any], *args: Any, **kwargs: Any) -> dict[str, Any]:
    """Call a function and report its value and what it did to the world.

    `args` comes back as it is after the call; `aliased` lists which arguments share memory with the
    result; `random` tells whether NumPy's global random state moved.
    """
    state: Any = np.random.get_state()
    value = function(*args, **kwargs)
    after: Any = np.random.get_state()
    given = [*args, *kwargs.values()]
    inside = list(_arrays(value))
    return {
        "value": value,
        "args": given,
        "aliased": [
            index
            for index, item in enumerate(given)
            if any(np.shares_memory(one, other) for one in _arrays(item) for other in inside)
        ],
        "random": not (state[2:] == after[2:] and bool(np.all(state[1] == after[1]))),
    }


def _arrays(value: Any, depth: int = 0) -> Iterator[np.ndarray]:
    if isinstance(value, np.ndarray):
        if value.dtype.kind in ARRAY_KINDS:
            yield value
    elif isinstance(value, dict):
        yield from _arrays(list(value.values()), depth + 1)
    elif isinstance(value, (list, tuple)) and depth < 8:
        for item in value:
            yield from _arrays(item, depth + 1)


LOOPS = (ast.For, ast.While, ast.AsyncFor, ast.comprehension)


def loops(function: Callable[..., Any]) -> int:
    """Count the loops in a function's source and in the notebook functions that it names.

    Comprehensions count as loops, and so do `map`, `np.vectorize` and their like.
    """
    hidden = {"map", "filter", "reduce", "vectorize", "fromiter", "nditer", "ndenumerate",
              "apply_along_axis", "apply_over_axes", "frompyfunc"}  # fmt: skip
    count = 0
    for tree in _sources(function):
        for node in ast.walk(tree):
            name = getattr(node, "id", getattr(node, "attr", None))
            count += isinstance(node, LOOPS) or name in hidden
    return count


def _sources(function: Any) -> Iterator[ast.AST]:
    scope = getattr(function, "__globals__", {})
    waiting, seen = [function], set()
    while waiting:
        item = waiting.pop()
        if id(item) in seen or not isinstance(item, (types.FunctionType, type)):
            continue
        seen.add(id(item))
        tree = ast.parse(textwrap.dedent(inspect.getsource(item)))
        yield tree
        for node in ast.walk(tree):
            if isinstance(node, ast.Name):
                value = scope.get(node.id)
                if getattr(value, "__module__", None) == scope.get("__name__"):
                    waiting.append(value)


PROBES: dict[str, Callable[..., Any]] = {"purity": purity, "loops": loops}
