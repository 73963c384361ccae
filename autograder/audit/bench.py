"""Plays a solved notebook with other answers in it: warm forks instead of a kernel per answer.

    bench = Bench(engine, master)
    bench.walk(ask)                         # the solved notebook; leaves a stem per exercise
    bench.play({7: source}, ask, start=7)   # from the stem of the exercise in cell 7

A stem is a process that has run the solved notebook up to an exercise. Every answer to the exercise
starts from a fork of it, which takes a millisecond or two.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from autograder.engine import CALL_SECONDS, CELL_SECONDS, Engine, Lost, Session
from autograder.master import Master, MasterCell

SLACK = 1.0
"""Seconds that an answer may take beyond three times the solution's own."""
TOO_SLOW = "was stopped: it took more than three times as long as with the solution"

Ask = Callable[[Session, MasterCell, float], bool]
"""Asks one test cell where it stands, with a time limit for a call; False to go no further."""


@dataclass
class Stem:
    """A process at an exercise, before the answer; one fork of it at a time."""

    session: Session
    lock: threading.Lock = field(default_factory=threading.Lock)

    def fork(self) -> Session:
        """Return a copy that an answer may run in."""
        with self.lock:
            return self.session.fork()


class Bench:
    """One lesson's solved notebook on one engine."""

    def __init__(self, engine: Engine, master: Master) -> None:
        self.engine = engine
        self.cells = [cell for cell in master.cells if cell.kind == "code"]
        self.stems: dict[int, Stem] = {}
        self.seconds: dict[int, float] = {}
        """How long the solution took, by index of the cell; a test cell asked once."""

    def walk(
        self,
        ask: Ask,
        after: Callable[[MasterCell], None] = lambda cell: None,
        end: int | None = None,
    ) -> dict[int, str]:
        """Run the solved notebook, leave a stem at each exercise, and time every cell.

        Through cell `end` (None: to the last). `after` is called with each cell when it is done.
        Returns what cells raised, by index.
        """
        session = self.engine.open()
        raised: dict[int, str] = {}
        try:
            for cell in self.cells:
                if end is not None and cell.index > end:
                    break
                if cell.role == "exercise":
                    self.stems[cell.index] = Stem(session.fork())
                started = time.monotonic()
                alive = self._step(session, cell, cell.source, ask, None, raised)
                self.seconds.setdefault(cell.index, time.monotonic() - started)
                after(cell)
                if not alive:
                    break
        finally:
            session.close()
        return raised

    def play(
        self,
        sources: Mapping[int, str],
        ask: Ask,
        *,
        start: int | None = None,
        end: int | None = None,
        hurry: bool = False,
    ) -> dict[int, str]:
        """Run the notebook with other sources in some cells; return what cells raised, by index.

        From the stem of cell `start` (None: from the top) through cell `end` (None: to the last).
        In a hurry, everything is stopped soon after the time that the solution took; without one,
        only free cells are, which earn nothing: a right answer may be slow.
        """
        session = self.engine.open() if start is None else self.stems[start].fork()
        raised: dict[int, str] = {}
        try:
            for cell in self.cells:
                if cell.index < (start or 0) or (end is not None and cell.index > end):
                    continue
                limit = self.limit(cell) if hurry or cell.role == "code" else None
                source = sources.get(cell.index, cell.source)
                if not self._step(session, cell, source, ask, limit, raised):
                    break
        finally:
            session.close()
        return raised

    def limit(self, cell: MasterCell) -> float:
        """Return how many seconds an answer may take where the solution took its own time."""
        most = CALL_SECONDS if cell.role == "tests" else CELL_SECONDS
        return min(3 * self.seconds.get(cell.index, most) + SLACK, most)

    def _step(
        self,
        session: Session,
        cell: MasterCell,
        source: str,
        ask: Ask,
        limit: float | None,
        raised: dict[int, str],
    ) -> bool:
        if cell.role == "tests":
            return ask(session, cell, CALL_SECONDS if limit is None else limit)
        try:
            outputs = session.run_cell(source, cell.allow, CELL_SECONDS if limit is None else limit)
        except Lost as lost:
            raised[cell.index] = str(lost)
            return False
        for output in outputs:
            if output.get("output_type") == "error":
                words = f"{output.get('ename')}: {output.get('evalue')}"
                raised[cell.index] = TOO_SLOW if output.get("ename") == "TimeLimit" else words
        return True
