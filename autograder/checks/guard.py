"""Which modules an exercise may use, as far as one process can tell.

This is evidence, not a wall: Python offers other roads to a module. The wall is a process in which
the module does not exist.
"""

from __future__ import annotations

import builtins
import contextlib
import dis
import sys
import types
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

Allow = tuple[str, ...] | None
ASKED_WITHOUT = "this exercise is asked without"


def permitted(module: str, allow: tuple[str, ...]) -> bool:
    """Whether a module may be imported: its package is allowed, and no part around it hidden.

    `-chainrule.nn` in the list hides that part of a package that is allowed.
    """
    root = module.partition(".")[0]
    if any(f"{module}.".startswith(f"{part}.") for part in hidden_parts(allow)):
        return False
    return root in allow or root in sys.stdlib_module_names or root == "autograder"


class StandIn:
    """Stands for a module that an exercise is asked without; using it says so."""

    def __init__(self, words: str) -> None:
        self.__dict__["words"] = words

    def __getattr__(self, name: str) -> Any:
        raise ImportError(self.__dict__["words"])

    def __call__(self, *args: Any, **named: Any) -> Any:
        """Raise, as every use does."""
        raise ImportError(self.__dict__["words"])

    __setattr__ = __call__
    __getitem__ = __iter__ = __enter__ = __mro_entries__ = __call__


def hidden_parts(allow: tuple[str, ...]) -> tuple[str, ...]:
    """Return the modules that a list of imports takes out of what it allows."""
    return tuple(name.removeprefix("-") for name in allow if name.startswith("-"))


def in_words(allow: tuple[str, ...], mark: str = "") -> str:
    """Return a list of imports as a phrase, each name between two of `mark`."""
    names = [f"{mark}{name}{mark}" for name in allow if not name.startswith("-")]
    parts = [f"{mark}{name}{mark}" for name in hidden_parts(allow)]
    return ", ".join(names) + (f" without {', '.join(parts)}" if parts else "")


@contextlib.contextmanager
def allowed_imports(allow: Allow, namespace: dict[str, Any]) -> Iterator[None]:
    """While open, an import written in the student's notebook finds only allowed modules.

    `allow` lists top-level module names; Python's own library is always there; None allows all.
    """
    if allow is None:
        yield
        return
    original = builtins.__import__

    def guarded(name: str, globals: Any = None, *rest: Any, **named: Any) -> Any:
        if globals is namespace and not permitted(name, allow):
            raise ImportError(sentence(name, allow), name=name)
        return original(name, globals, *rest, **named)

    builtins.__import__ = guarded
    try:
        yield
    finally:
        builtins.__import__ = original


def sentence(module: str, allow: tuple[str, ...]) -> str:
    """Say that an exercise is asked without `module`."""
    names = in_words(allow) or "nothing"
    root = module.partition(".")[0]
    missing = module if root in allow else root
    return f"{ASKED_WITHOUT} {missing}; it allows {names} and Python's own library."


def forbidden_reach(functions: Sequence[Any], namespace: dict[str, Any], allow: Allow) -> str:
    """Return a sentence if these functions, or others that they name, use a forbidden module.

    It follows global names of code that belongs to `namespace`; an empty string means none found.
    """
    if allow is None or not _reached(functions, namespace, allow, lambda code: code.co_names):
        return ""  # what a code object names holds all that it loads, and is there at once
    return _reached(functions, namespace, allow, _loaded)


def _reached(
    functions: Iterable[Any],
    namespace: dict[str, Any],
    allow: tuple[str, ...],
    names: Callable[[types.CodeType], Iterable[str]],
) -> str:
    waiting = [code for item in functions for code in _codes(item, namespace)]
    seen: set[types.CodeType] = set()
    while waiting:
        code = waiting.pop()
        if code in seen:
            continue
        seen.add(code)
        waiting += [const for const in code.co_consts if isinstance(const, types.CodeType)]
        for name in names(code):
            value = namespace.get(name)
            module = value.__name__ if isinstance(value, types.ModuleType) else None
            module = module or _home(value, namespace)
            if module and not permitted(module, allow):
                return sentence(module, allow)
            waiting += _codes(value, namespace)
    return ""


def _loaded(code: types.CodeType) -> frozenset[str]:
    """Return the global names that a code object loads; reading it again costs nothing."""
    known = _READ.get(id(code))
    if known is None or known[0] is not code:
        wanted = ("LOAD_GLOBAL", "LOAD_NAME")
        steps = dis.get_instructions(code)
        known = code, frozenset(str(step.argval) for step in steps if step.opname in wanted)
        _READ[id(code)] = known
    return known[1]


_READ: dict[int, tuple[types.CodeType, frozenset[str]]] = {}
"""Names that a code object loads, by its identity; it is kept, so that no other takes it."""


def _home(value: Any, namespace: dict[str, Any]) -> str | None:
    """The module that a function or class comes from, when it is not the notebook itself."""
    if not isinstance(value, (type, types.FunctionType, types.BuiltinFunctionType)):
        return None
    module = getattr(value, "__module__", None)
    return module if isinstance(module, str) and module != namespace.get("__name__") else None


def _codes(value: Any, namespace: dict[str, Any]) -> list[types.CodeType]:
    if isinstance(value, types.FunctionType):
        return [value.__code__] if value.__globals__ is namespace else []
    if isinstance(value, type) and value.__module__ == namespace.get("__name__"):
        parts = (getattr(item, "__func__", item) for item in vars(value).values())
        return [
            part.__code__
            for part in parts
            if isinstance(part, types.FunctionType) and part.__globals__ is namespace
        ]
    return []
