"""What two cheats gain: nothing in two processes; in one process, what is recorded here.

The table in `docs/boundary.md` quotes these outcomes.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.engine import Engine
from tests.contract.notebooks import in_two_processes, run_in_kernel

PATCHED = """
import autograder.checks as checks
from autograder.checks import helpers, judge

for module in (checks, helpers):
    for name in ("same", "raises", "require", "pure"):
        setattr(module, name, lambda *args, **kwargs: None)

def standardize(x):
    return x
"""
LIAR = """
class Liar(np.ndarray):
    def __eq__(self, other):
        return np.True_
    def __ne__(self, other):
        return np.False_
    def __array_ufunc__(self, *args, **kwargs):
        return np.array(0.0)
    def __bool__(self):
        return True

class Thing(float):
    __class__ = np.ndarray
    shape = dtype = property(lambda self: self)
    def __eq__(self, other):
        return True
    def __sub__(self, other):
        return 0.0

def standardize(x):
    return Thing(1.0) if x.shape[0] > 2 else np.zeros(x.shape).view(Liar)
"""
CHEATS = {"patched_same": PATCHED, "lying_object": LIAR}
GAINED_IN_ONE_PROCESS = {"patched_same": 1.0, "lying_object": 0.0}


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine() as engine:
        yield engine


@pytest.mark.parametrize("name", CHEATS)
def test_a_cheat_gains_nothing_in_two_processes(engine: Engine, name: str) -> None:
    assert in_two_processes({"arrays": CHEATS[name]}, engine) == {"arrays": 0.0}


@pytest.mark.parametrize("name", CHEATS)
def test_what_a_cheat_gains_in_one_process_is_known(tmp_path: Path, name: str) -> None:
    gained = run_in_kernel({"arrays": CHEATS[name]}, tmp_path)
    assert gained == {"arrays": GAINED_IN_ONE_PROCESS[name]}
