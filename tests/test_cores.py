"""Each thread that grades has a core of its own, as long as there are some."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from autograder.cores import bind, own_core
from autograder.engine import Engine

pytestmark = pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity") or len(os.sched_getaffinity(0)) < 2,
    reason="binding to a core needs Linux and two of them",
)
ASK = "from autograder.cores import own_core; print(own_core())"


def test_two_threads_have_two_cores_and_keep_them() -> None:
    ours = own_core()
    assert own_core() == ours
    with ThreadPoolExecutor(1) as pool:
        theirs = pool.submit(own_core).result()
        assert theirs is None or theirs != ours
        assert pool.submit(own_core).result() == theirs


def test_a_core_is_free_again_when_its_thread_ends() -> None:
    def lease() -> int | None:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(own_core).result()

    assert lease() == lease()


def test_processes_share_no_core() -> None:
    usable = os.sched_getaffinity(0)
    waiting = f"{ASK}; import sys; sys.stdout.flush(); input()"
    told = []
    started = [
        subprocess.Popen(
            [sys.executable, "-c", waiting],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for _ in range(len(usable) + 1)
    ]  # fmt: skip
    try:
        for process in started:
            assert process.stdout is not None
            told.append(process.stdout.readline().strip())
    finally:
        for process in started:
            process.communicate("\n", timeout=30)
    given = [core for core in told if core != "None"]
    assert len(given) == len(set(given)) <= len(usable)
    assert "None" in told


def test_a_session_runs_on_the_core_of_its_thread() -> None:
    with Engine() as engine:
        session = engine.open()
        try:
            if session.core is not None:
                assert os.sched_getaffinity(session.pid) == {session.core}
            session.run_cell("import os; core = os.sched_getaffinity(0)")
        finally:
            session.close()


def test_no_core_binds_nothing() -> None:
    before = os.sched_getaffinity(0)
    bind(0, None)
    bind(2**22 + 1, 0)  # no such process
    assert os.sched_getaffinity(0) == before
