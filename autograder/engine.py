"""Run a notebook in two processes: the student's cells in one, the tests in the other.

One unit of work goes in (cells with a student's answers) and one plain record per test comes out.
Points come from the tester's record alone: no record, no points. Nothing here knows nbgrader.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.util
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from autograder.channel import Channel, Closed, TooLate
from autograder.checks import verdict, wire
from autograder.master import MasterCell

CELL_SECONDS = 60.0
CALL_SECONDS = 10.0
NOTEBOOK_SECONDS = 300.0
START_SECONDS = 120.0
GRACE = 5.0


@dataclass(frozen=True)
class Record:
    """The verdict on one behaviour. Points are `max_points` for a pass and 0 for anything else."""

    grade_id: str
    exercise: str
    behaviour: str
    verdict: str
    points: float
    max_points: float
    message: str = ""
    misconception: str | None = None
    printed: str = ""
    signature: str = ""
    lost: str = ""

    def outputs(self, sentence: str = "") -> list[dict[str, Any]]:
        """Return the verdict as the test cell's outputs in a notebook."""
        shown = f"{self.exercise} · {self.behaviour}"
        outputs: list[dict[str, Any]] = []
        if self.printed:
            outputs.append({"output_type": "stream", "name": "stdout", "text": self.printed})
        if self.verdict == "pass":
            text = f"{shown}: pass\n"
            return [*outputs, {"output_type": "stream", "name": "stdout", "text": text}]
        words = verdict.text(shown, sentence, self.message, self.misconception)
        error = {"output_type": "error", "ename": "NotYet", "evalue": self.message[:500]}
        return [*outputs, error | {"traceback": words.splitlines()}]


@dataclass
class Run:
    """What one notebook gave: a record per test cell, and each code cell's outputs."""

    records: dict[str, Record] = field(default_factory=dict)
    outputs: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    crashed: str | None = None


class Lost(Exception):
    """The answer process ended or does not answer; the message says which."""


class Session:
    """One answer process with a student's cells in it."""

    def __init__(self, engine: Engine, channel: Channel, seed: int) -> None:
        self.engine = engine
        self.channel = channel
        self.seed = seed
        try:
            _, self.pid = wire.decode(channel.receive(START_SECONDS))
        except (Closed, TooLate, wire.WireError):
            channel.close()
            raise Lost("the answer process did not start") from None

    def run_cell(
        self, source: str, allow: Sequence[str] | None = None, limit: float = CELL_SECONDS
    ) -> list[dict[str, Any]]:
        """Run one cell and return its outputs; raise `Lost` if the process does not survive it."""
        task = [source, limit, None if allow is None else list(allow)]
        try:
            self.channel.send(b"R" + wire.encode(task), GRACE)
            outputs = wire.decode(self.channel.receive(limit + GRACE)[1:])
        except Closed:
            raise Lost("it ended the whole process") from None
        except TooLate:
            raise Lost(f"it ran for more than {limit:g} seconds and could not be stopped") from None
        except wire.WireError as error:
            raise Lost(f"it sent {error}") from None
        return outputs if isinstance(outputs, list) else []

    def fork(self) -> Session:
        """Return a copy of this process as it stands now; the two go on apart."""
        ours, theirs = Channel.pair()
        self.channel.send(b"F", GRACE, files=(theirs.fileno(),))
        theirs.close()
        return self.engine.track(Session(self.engine, ours, self.seed))

    def ask(
        self, cell: MasterCell, source: str | None = None, limit: float = CALL_SECONDS
    ) -> Record:
        """Judge one test cell (or `source` in its place) against this process."""
        task = {
            "source": cell.source if source is None else source,
            "seed": self.seed,
            "limit": limit,
            "allow": None if cell.allow is None else list(cell.allow),
            "signatures": dict(cell.signatures),
            "title": f"{cell.exercise} · {cell.behaviour}",
        }
        return record_of(cell, self.engine.judge(task, self.channel))

    def close(self) -> None:
        """Kill the process and everything in its process group."""
        self.channel.close()
        with contextlib.suppress(OSError):
            os.killpg(self.pid, signal.SIGKILL)
        self.engine.forget(self)


def record_of(cell: MasterCell, found: dict[str, Any] | None) -> Record:
    """Return the record of a test cell; without the tester's word there are no points."""
    if found is None:
        found = {"verdict": "error", "message": "the tester gave no verdict"}
    word = str(found.get("verdict", "error"))
    return Record(
        grade_id=cell.grade_id or "",
        exercise=cell.exercise or "",
        behaviour=cell.behaviour or "",
        verdict=word,
        points=cell.points if word == "pass" else 0.0,
        max_points=cell.points,
        message=str(found.get("message", "")),
        misconception=found.get("misconception"),
        printed=str(found.get("printed", "")),
        signature=str(found.get("signature", "")),
        lost=str(found.get("lost", "")),
    )


PRELOAD = ("numpy.random", "numpy.linalg")
SLOW = ("torch", "tensorflow")
"""Modules whose import takes seconds: done once in the answer parent, its children have them."""


def preload_for(cells: Iterable[MasterCell]) -> tuple[str, ...]:
    """Return what to import before the first fork for a notebook with these cells.

    That is NumPy, and of the slow modules those that an exercise allows and that are installed.
    They are only imported: an operation of theirs before a fork could hang every child.
    """
    allowed = {name for cell in cells for name in cell.allow or ()}
    slow = [name for name in SLOW if name in allowed and importlib.util.find_spec(name)]
    return (*PRELOAD, *slow)


class Engine:
    """A warm answer parent and a warm tester parent; a context manager."""

    def __init__(self, preload: Iterable[str] = PRELOAD) -> None:
        self.preload = tuple(preload)
        self.sessions: list[Session] = []
        self.sending = threading.Lock()

    def __enter__(self) -> Self:
        self.answers, self.answer_control = _start("autograder.answer", self.preload)
        self.testers, self.tester_control = _start("autograder.tester", ())
        for control in (self.answer_control, self.tester_control):
            control.receive(START_SECONDS)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for session in list(self.sessions):
            session.close()
        for control in (self.answer_control, self.tester_control):
            control.close()
        for process in (self.answers, self.testers):
            process.kill()
            process.wait()

    def open(self, seed: int = 0) -> Session:
        """Return a fresh answer process."""
        ours, theirs = Channel.pair()
        with self.sending:
            self.answer_control.send(b"open", GRACE, files=(theirs.fileno(),))
        theirs.close()
        return self.track(Session(self, ours, seed))

    def track(self, session: Session) -> Session:
        """Remember a session, so that nothing outlives the engine."""
        self.sessions.append(session)
        return session

    def forget(self, session: Session) -> None:
        """Stop tracking a session that was closed."""
        if session in self.sessions:
            self.sessions.remove(session)

    def judge(self, task: dict[str, Any], answer: Channel) -> dict[str, Any] | None:
        """Run one test in a fresh tester process; None when it gave no verdict."""
        ours, theirs = Channel.pair()
        files = (answer.fileno(), theirs.fileno())
        with self.sending:  # several threads may use one engine, each with sessions of its own
            self.tester_control.send(wire.encode(task), GRACE, files=files)
        theirs.close()
        try:
            found = wire.decode(ours.receive(NOTEBOOK_SECONDS))
        except (Closed, TooLate, wire.WireError):
            return None
        finally:
            ours.close()
        return found if isinstance(found, dict) else None

    def run(self, cells: Sequence[MasterCell], seed: int = 0) -> Run:
        """Run all cells in order, each test where it stands.

        When the process is lost, the cell that lost it is left out, a new process runs the others
        again, and the tests go on from there. Points already earned stay.
        """
        return _Pass(self, cells, seed).finish()


class _Pass:
    """One notebook on its way through the engine."""

    def __init__(self, engine: Engine, cells: Sequence[MasterCell], seed: int) -> None:
        self.engine = engine
        self.cells = [cell for cell in cells if cell.kind == "code"]
        self.seed = seed
        self.run = Run()
        self.left_out: set[int] = set()
        self.broken: dict[str, str] = {}
        """Exercise -> the error that its answer cell stopped with."""
        self.until = time.monotonic() + NOTEBOOK_SECONDS
        self.session = engine.open(seed)

    def finish(self) -> Run:
        for position, cell in enumerate(self.cells):
            if time.monotonic() > self.until:
                self._lost(cell, f"the notebook ran for more than {NOTEBOOK_SECONDS:g} seconds")
                break
            if cell.role == "tests":
                self._ask(position, cell)
            else:
                self._cell(position, cell)
        self.session.close()
        for cell in self.cells:
            if cell.role == "tests" and cell.grade_id not in self.run.records:
                found = {"verdict": "not_run", "message": self.run.crashed or "it was not reached"}
                self.run.records[cell.grade_id or ""] = record_of(cell, found)
        return self.run

    def _ask(self, position: int, cell: MasterCell) -> None:
        record = self.session.ask(cell)
        if record.verdict == "fail" and record.exercise in self.broken:
            why = f"{self.broken[record.exercise]}\n\n{record.message}"
            record = dataclasses.replace(record, message=why)
        self.run.records[record.grade_id] = record
        self.run.outputs[cell.index] = record.outputs(cell.sentence)
        if record.lost:
            self._restart(position)

    def _cell(self, position: int, cell: MasterCell) -> None:
        try:
            outputs = self.session.run_cell(cell.source, cell.allow)
            self.run.outputs[cell.index] = outputs
            for output in outputs:
                if output.get("output_type") == "error" and cell.exercise:
                    what = f"{output.get('ename')}: {output.get('evalue')}"
                    self.broken[cell.exercise] = f"your answer's cell itself stopped with {what}"
        except Lost as lost:
            self._lost(cell, str(lost))
            self._restart(position)

    def _lost(self, cell: MasterCell, why: str) -> None:
        self.run.crashed = f"cell {cell.index + 1} was left out: {why}"
        self.left_out.add(cell.index)
        self.run.outputs[cell.index] = [
            {
                "output_type": "error",
                "ename": "Stopped",
                "evalue": why,
                "traceback": [f"This cell was left out: {why}."],
            }
        ]

    def _restart(self, position: int) -> None:
        """Open a new process and bring it to where the lost one was."""
        self.session.close()
        while True:
            self.session = self.engine.open(self.seed)
            for cell in self.cells[:position]:
                if cell.role == "tests" or cell.index in self.left_out:
                    continue
                try:
                    self.session.run_cell(cell.source, cell.allow)
                except Lost as lost:
                    self._lost(cell, str(lost))
                    self.session.close()
                    break
            else:
                return


def _start(module: str, arguments: Iterable[str]) -> tuple[subprocess.Popen[bytes], Channel]:
    ours, theirs = Channel.pair()
    # What student code writes past Python, as TensorFlow does when it starts, is not for this
    # terminal; what goes wrong in the tester is ours to see.
    silent = subprocess.DEVNULL if module == "autograder.answer" else None
    process = subprocess.Popen(
        [sys.executable, "-m", module, str(theirs.fileno()), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=silent,
        stderr=silent,
        pass_fds=(theirs.fileno(),),
        env=_environment(),
    )
    theirs.close()
    return process, ours


QUIET = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "PYTHONHASHSEED": "0",
}
"""One thread each, so that a forked child finds no dead ones; TensorFlow without its greeting."""


def _environment() -> dict[str, str]:
    kept = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV", "SYSTEMROOT")
    return {name: os.environ[name] for name in kept if name in os.environ} | QUIET
