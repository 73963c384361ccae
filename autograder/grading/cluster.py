"""Run submissions on a Dask cluster: plain data out, plain data back.

    with Cluster("tcp://scheduler:8786", assignment, seed) as pool:
        pool.submit(job)

Each worker process of the cluster keeps one warm engine. A worker needs this project in the same
versions, and sees neither the gradebook nor other submissions. When one dies, the scheduler gives
its submissions to another.
"""

from __future__ import annotations

import atexit
import base64
import dataclasses
import hashlib
import json
import logging
import queue
import shutil
import tempfile
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, Self

from autograder.errors import Problem
from autograder.grading.assignment import Assignment
from autograder.grading.ledger import environment
from autograder.grading.rebuild import Rebuilt
from autograder.grading.unit import failed, from_json
from autograder.grading.workers import Done, Job, Keeper
from autograder.master import Master, MasterCell
from autograder.sandbox.view import offered

CONNECT_SECONDS = 15
NOBODY_SECONDS = 60.0
"""How long a cluster may be without any worker before the run is given up."""
LOOK_SECONDS = 1.0
RETRIES = 3
EACH = 2
"""Submissions in flight for each thread of the cluster."""


class Cluster:
    """A Dask cluster as a place where submissions are run."""

    def __init__(
        self, address: str, assignment: Assignment, seed: int, closed_in: bool = False
    ) -> None:
        """`address` is the scheduler's, such as `tcp://10.0.0.1:8786`.

        `closed_in` refuses workers that have no sandbox.
        """
        self.address = address
        self.pattern = {
            "assignment": pack(assignment),
            "seed": seed,
            "closed_in": closed_in,
            "environment": environment(),
        }
        self.jobs: dict[Any, tuple[Job, str, int]] = {}
        self.done: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.alone_since: float | None = None

    def __enter__(self) -> Self:
        self.client = _connect(self.address)
        try:
            self._compare()
        except BaseException:
            self.client.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        if self.client.status == "running":
            self.client.cancel(list(self.jobs), force=True)
        self.client.close(timeout=CONNECT_SECONDS)

    @property
    def busy(self) -> int:
        """How many submissions are on their way."""
        return len(self.jobs)

    @property
    def room(self) -> int:
        """How many more it wants now."""
        return max(1, EACH * sum(one["nthreads"] for one in self._workers().values())) - self.busy

    def submit(self, job: Job) -> None:
        """Take one submission."""
        parts = [dataclasses.asdict(one) | {"blank": sorted(one.blank)} for one in job.to_run]
        task = json.dumps(self.pattern | {"parts": parts})
        self._send(job, task)

    def _send(self, job: Job, task: str, left: int = RETRIES) -> None:
        future = self.client.submit(work, task, pure=False, retries=RETRIES)
        self.jobs[future] = (job, task, left)
        future.add_done_callback(self.done.put)

    def finished(self) -> list[Done]:
        """Wait until at least one is done; return all that are."""
        found: list[Done] = []
        while self.jobs and (not found or not self.done.empty()):
            try:
                future = self.done.get(timeout=LOOK_SECONDS)
            except queue.Empty:
                self._look()
                continue
            job, task, left = self.jobs.pop(future)
            try:
                ran = json.loads(future.result(CONNECT_SECONDS))
                found.append((job, job.outcomes([from_json(one) for one in ran])))
            except Exception as error:  # of the task, of its worker, or of the way here
                self._look()
                if left:
                    self._send(job, task, left - 1)
                    continue
                reason = (
                    f"no worker of the cluster could finish it ({type(error).__name__}: {error})"
                )
                found.append((job, job.failed(" ".join(reason.split())[:300])))
        return found

    def _look(self) -> None:
        """See that somebody is still there. Raises `Problem`."""
        if self.client.status != "running":
            self._gone()
        if self._workers():
            self.alone_since = None
            return
        self.alone_since = self.alone_since or time.monotonic()
        if time.monotonic() - self.alone_since > NOBODY_SECONDS:
            raise Problem(
                f"the cluster at {self.address} has had no worker for {NOBODY_SECONDS:.0f} s; what "
                "is graded is kept; start workers and run the same command again."
            )

    def _gone(self) -> NoReturn:
        raise Problem(
            f"the scheduler at {self.address} is gone; what is graded is kept; start it and run "
            "the same command again."
        )

    def _workers(self) -> dict[str, Any]:
        try:
            found = self.client.scheduler_info(n_workers=-1)
        except OSError:  # Dask's CommClosedError is one
            self._gone()
        if "workers" not in found:  # what Dask returns where nobody answers
            self._gone()
        return dict(found["workers"])

    def _compare(self) -> None:
        """See that there are workers with the versions of this machine. Raises `Problem`."""
        from distributed.comm import CommClosedError

        try:
            self.client.wait_for_workers(1, timeout=CONNECT_SECONDS)
        except (OSError, TimeoutError) as error:
            if isinstance(error, CommClosedError) or self.client.status != "running":
                self._gone()
            raise Problem(
                f"the cluster at {self.address} has no workers; start one with "
                f"`dask worker {self.address} --nthreads 1`."
            ) from None
        try:
            theirs = self.client.run(environment)
        except Exception as error:  # whatever an import on the other side raises
            if isinstance(error, CommClosedError) or self.client.status != "running":
                self._gone()
            raise Problem(
                f"a worker of {self.address} cannot run this project ({type(error).__name__}: "
                f"{error}); install it there."
            ) from None
        for worker, found in theirs.items():
            if words := _difference(environment(), found):
                raise Problem(f"the worker {worker} has {words}; install the same versions there.")


def _difference(ours: dict[str, str], theirs: dict[str, str]) -> str:
    for name, version in ours.items():
        if theirs.get(name) != version:
            if len(version) == 64:
                return f"other code in {name}"
            return f"{name} {theirs.get(name) or 'missing'}, not {version or 'missing'}"
    return ""


def _connect(address: str) -> Any:
    try:
        from distributed import Client
    except ImportError:
        raise Problem(
            "grading on a cluster needs Dask, which is not installed; add it with "
            "`pip install -e '.[cluster]'`."
        ) from None
    _hush()
    try:
        return Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise Problem(f"no cluster answers at {address}: {reason}") from None


def _hush() -> None:
    """Keep Dask's own words from the terminal: what matters of them is a sentence of ours."""
    for name in list(logging.root.manager.loggerDict):
        if name.split(".")[0] in ("asyncio", "distributed", "tornado"):
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)


# -- on a worker -------------------------------------------------------------------------------


_KEEPERS: dict[str, Keeper] = {}
_STARTING = threading.Lock()


def work(task: str) -> str:
    """Run one submission on a worker of the cluster; JSON in, JSON out."""
    data = json.loads(task)
    parts = [_rebuilt(one) for one in data["parts"]]
    if words := _difference(data["environment"], environment()):
        found = [failed(one, f"a worker of the cluster has {words}") for one in parts]
    elif data["closed_in"] and (reason := offered()):
        found = [failed(one, f"a worker of the cluster has no sandbox: {reason}") for one in parts]
    else:
        found = [_keeper(data).run(one, data["seed"]) for one in parts]
    return json.dumps([outcome.to_json() for outcome in found])


def _keeper(data: dict[str, Any]) -> Keeper:
    """Return this process's engine for a lesson; the one of the lesson before is closed."""
    shape = json.dumps(data["assignment"], sort_keys=True)
    name = hashlib.sha256(shape.encode()).hexdigest()
    with _STARTING:
        if name not in _KEEPERS:
            for other in list(_KEEPERS):
                _KEEPERS.pop(other).stop()
            place = tempfile.mkdtemp(prefix="autograder-lesson-")
            atexit.register(shutil.rmtree, place, ignore_errors=True)
            assignment = unpack(data["assignment"], Path(place))
            keeper = _KEEPERS[name] = Keeper(assignment, many=True)
            atexit.register(keeper.stop)
        return _KEEPERS[name]


def pack(assignment: Assignment) -> dict[str, Any]:
    """Return an assignment as JSON-ready data."""
    parts = [dataclasses.asdict(one) | {"path": one.path.name} for one in assignment.parts]
    given = {path.name: _packed(path) for path in assignment.given}
    return {"name": assignment.name, "parts": parts, "given": given}


def _packed(path: Path) -> str | dict[str, Any]:
    """Return a file's bytes as text, or a folder's files by name."""
    if path.is_dir():
        return {one.name: _packed(one) for one in sorted(path.iterdir())}
    return base64.b64encode(path.read_bytes()).decode()


def _unpack(packed: str | dict[str, Any], path: Path) -> None:
    if isinstance(packed, str):
        path.write_bytes(base64.b64decode(packed))
        return
    path.mkdir()
    for name, inside in packed.items():
        _unpack(inside, path / name)


def unpack(data: dict[str, Any], place: Path) -> Assignment:
    """Return the assignment that `pack` packed; what is handed out with it goes below `place`."""
    folder = place / data["name"]
    folder.mkdir()
    for name, packed in data["given"].items():
        _unpack(packed, folder / name)
    parts = [
        Master(**{**one, "cells": _cells(one["cells"]), "path": folder / one["path"]})
        for one in data["parts"]
    ]
    return Assignment(data["name"], tuple(parts))


def _rebuilt(data: dict[str, Any]) -> Rebuilt:
    names = ("origins", "notes", "suspicions")
    lists = {name: tuple(data[name]) for name in names}
    lists["files"] = tuple((name, text) for name, text in data["files"])
    blank = frozenset(data["blank"])
    return Rebuilt(**{**data, **lists, "blank": blank, "cells": _cells(data["cells"])})


def _cells(data: list[dict[str, Any]]) -> tuple[MasterCell, ...]:
    def whole(cell: dict[str, Any]) -> dict[str, Any]:
        allow = cell["allow"]
        return {**cell, "allow": None if allow is None else tuple(allow)}

    return tuple(MasterCell(**whole(cell)) for cell in data)
