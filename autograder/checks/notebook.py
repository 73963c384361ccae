"""Running a test cell inside a notebook: one process, the same encoding, the same verdict."""

from __future__ import annotations

import inspect
import json
import os
import textwrap
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from autograder.checks import judge, verdict
from autograder.checks.desk import Desk

SEED_VARIABLE = "AUTOGRADER_SEED"
MAX_NOTEBOOK = 8 * 2**20


def test(fn: types.FunctionType) -> Any:
    """Judge one test cell at once: print a line if it passes, show the verdict if it does not.

    Returns what `_` was before, so that the cell `@autograder.test def _(rng): ...` binds nothing.
    """
    if judge.tester_process is not None:
        judge.tester_process(fn)
        return None
    previous = fn.__globals__.get("_", "")
    now = session_here(fn)
    state = np.random.get_state()
    failure: Exception | None = None
    try:
        judge.run_test(fn, now)
    except (verdict.Failed, verdict.Fault) as error:
        failure = error
    finally:
        np.random.set_state(state)
    if now.printed:
        print("".join(now.printed), end="" if now.printed[-1].endswith("\n") else "\n")
    if failure is not None:
        raise verdict.NotYet(words(fn, now, failure)) from None
    print(f"{now.title}: pass")
    return previous


def session_here(fn: types.FunctionType) -> judge.Session:
    """Return a session whose desk stands in this process, beside the globals of `fn`."""
    home: list[Callable[[bytes], bytes]] = []
    desk = Desk(fn.__globals__, lambda data: home[-1](data))

    def ask(data: bytes, called: Callable[[bytes], bytes]) -> bytes:
        home.append(called)
        try:
            return desk.answer(data)
        finally:
            home.pop()

    source = textwrap.dedent(inspect.getsource(fn))
    data = cell_data(source)
    allow = data.get("allow")
    return judge.Session(
        ask=ask,
        seed=int(os.environ.get(SEED_VARIABLE, "0") or 0),
        allow=None if allow is None else tuple(allow),
        signatures=data.get("signatures", {}),
        title=title(data) or "check",
    )


def title(data: dict[str, Any]) -> str:
    """Return how a student sees the test's name: `forward · values`."""
    parts = (data.get("exercise"), data.get("behaviour"))
    return " · ".join(str(part) for part in parts if part)


def words(fn: types.FunctionType, now: judge.Session, failure: Exception) -> str:
    """Return the text of a failed verdict."""
    if isinstance(failure, verdict.Fault):
        return (
            f"{now.title}: this check is broken, and it is not your fault. "
            f"Please tell your instructor: {failure}"
        )
    misconception = now.signatures.get(now.signature())
    return verdict.text(now.title, fn.__doc__ or "", str(failure), misconception)


def cell_data(source: str) -> dict[str, Any]:
    """Return the course's metadata of the cell with this source, or {} when it is not found.

    A kernel is not told which cell it runs, so the notebooks of the working folder are searched.
    """
    wanted = source.strip()
    for path in _notebooks():
        try:
            if path.stat().st_size > MAX_NOTEBOOK:
                continue
            cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
            for cell in cells:
                text = cell.get("source", "")
                text = text if isinstance(text, str) else "".join(text)
                if text.strip() == wanted:
                    data = cell.get("metadata", {}).get("autograder", {})
                    return data if isinstance(data, dict) else {}
        except (OSError, ValueError, KeyError, AttributeError, TypeError):
            continue
    return {}


def _notebooks() -> list[Path]:
    named = os.environ.get("JPY_SESSION_NAME", "")
    found = [Path(named)] if named.endswith(".ipynb") and Path(named).is_file() else []
    return found + sorted(Path.cwd().glob("*.ipynb"))[:20]
