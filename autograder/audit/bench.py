"""Plays a solved notebook with other answers in it: warm forks instead of a kernel per answer.

    bench = Bench(engine, master)
    bench.walk(ask)                         # the solved notebook; leaves a stem per exercise
    bench.play({7: source}, ask, start=7)   # from the stem of the exercise in cell 7

A stem is a process that has run the solved notebook up to an exercise. Every answer to the exercise
starts from a fork of it, which takes a millisecond or two. A process in which a library has started
threads (TensorFlow does, at its first operation) cannot be forked, since the threads would be
missing in the copy, and what waits for them would wait for ever. It is played again instead.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Self

from autograder.checks.guard import ASKED_WITHOUT
from autograder.engine import CALL_SECONDS, CELL_SECONDS, Allow, Engine, Lost, Session
from autograder.engine.walk import import_sets
from autograder.master import Master, MasterCell
from autograder.page import TIMED_OUT

SLACK = 1.0
"""Seconds that an answer may take beyond three times the solution's own."""
TOO_SLOW = "was stopped: it took more than three times as long as with the solution"
ABSENT = f"ImportError: {ASKED_WITHOUT} "
"""How the error begins that the use of an absent module raises: nothing is wrong with the cell."""


class Moment:
    """A process as it stands now, to be had again later, as often as wanted."""

    def __init__(self, session: Session, replay: Callable[[], Session]) -> None:
        self.kept = None if session.has_threads() else session.fork()
        self.replay = replay
        self.lock = threading.Lock()

    def again(self) -> Session:
        """Return a process that stands where the first one stood; the caller closes it."""
        if self.kept is None:
            return self.replay()
        with self.lock:
            return self.kept.fork()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *about: object) -> None:
        if self.kept is not None:
            self.kept.close()


Ask = Callable[[Session, MasterCell, float, Callable[[], Moment]], bool]
"""Asks one test cell where it stands, with a time limit for a call; False to go no further.

What comes last keeps the moment before the question, if called before it.
"""


class Bench:
    """One lesson's solved notebook on one engine, once for each set of imports it asks under."""

    def __init__(self, engine: Engine, master: Master) -> None:
        self.engine = engine
        self.cells = [cell for cell in master.cells if cell.kind == "code"]
        self.stems: dict[tuple[Allow, int], Moment] = {}
        """By the set of imports and the index of the exercise's cell."""
        self.seconds: dict[int, float] = {}
        """How long the solution took, by index of the cell; a test cell asked once."""

    def walk(self, ask: Ask, end: int | None = None) -> dict[int, str]:
        """Run the solved notebook, leave a stem at each exercise, and time every cell.

        Through cell `end` (None: to the last). Returns what cells raised, by index.
        """
        raised = _Raised()
        for allow in self._sets(0, end):
            session = self.engine.open(allow=allow)  # open to the end: stems end with it
            for cell in self._between(0, end):
                replay = self._replay(allow, None, cell.index, {})
                if cell.role == "exercise":
                    self.stems[allow, cell.index] = Moment(session, replay)
                started = time.monotonic()
                alive = self._step(session, cell, cell.source, ask, None, raised, replay)
                took = time.monotonic() - started
                self.seconds[cell.index] = max(took, self.seconds.get(cell.index, 0.0))
                if not alive:
                    break
            else:
                session.rest()
        return raised.everywhere()

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
        raised = _Raised()
        for allow in self._sets(start or 0, end):
            if start is None:
                session = self.engine.open(allow=allow)
            elif (allow, start) in self.stems:
                session = self.stems[allow, start].again()
            else:  # the solution itself was stopped before it
                continue
            try:
                for cell in self._between(start or 0, end):
                    limit = self.limit(cell) if hurry or cell.role == "code" else None
                    source = sources.get(cell.index, cell.source)
                    replay = self._replay(allow, start, cell.index, sources)
                    if not self._step(session, cell, source, ask, limit, raised, replay):
                        break
            finally:
                session.close()
        return raised.everywhere()

    def _replay(
        self, allow: Allow, start: int | None, end: int, sources: Mapping[int, str]
    ) -> Callable[[], Session]:
        """Return what runs the cells before cell `end` anew, without the tests between them."""

        def replay() -> Session:
            stem = None if start is None else self.stems.get((allow, start))
            session = stem.again() if stem else self.engine.open(allow=allow)
            for cell in self._between(start or 0, end - 1):
                if cell.role != "tests":
                    own = cell.role == "exercise" and cell.allow == allow
                    run = session.run_cell if own else session.run_given
                    run(sources.get(cell.index, cell.source), cell.allow if own else None)
            return session

        return replay

    def _between(self, start: int, end: int | None) -> list[MasterCell]:
        last = self.cells[-1].index if end is None and self.cells else end or 0
        return [cell for cell in self.cells if start <= cell.index <= last]

    def _sets(self, start: int, end: int | None) -> tuple[Allow, ...]:
        return import_sets(self._between(start, end))

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
        raised: _Raised,
        replay: Callable[[], Session],
    ) -> bool:
        if cell.role == "tests":
            if cell.allow != session.allow:
                return True
            seconds = CALL_SECONDS if limit is None else limit
            return ask(session, cell, seconds, lambda: Moment(session, replay))
        own = cell.role == "exercise" and cell.allow == session.allow
        run = session.run_cell if own else session.run_given
        seconds = CELL_SECONDS if limit is None else limit
        error = ""
        try:
            for output in run(source, cell.allow if own else None, seconds):
                if output.get("output_type") == "error":
                    words = f"{output.get('ename')}: {output.get('evalue')}"
                    error = TOO_SLOW if output.get("ename") == TIMED_OUT else words
        except Lost as lost:
            raised.note(cell.index, own, str(lost))
            return False
        raised.note(cell.index, own, error)
        return True


class _Raised:
    """What cells raised; one of the course may fail where an import that it shows is absent."""

    def __init__(self) -> None:
        self.by_cell: dict[int, list[str]] = {}
        self.settled: set[int] = set()

    def note(self, index: int, own: bool, error: str) -> None:
        if own:
            self.by_cell[index] = [error]
            self.settled.add(index)
        elif index not in self.settled and not error.startswith(ABSENT):
            self.by_cell.setdefault(index, []).append(error)

    def everywhere(self) -> dict[int, str]:
        """Return what cells raised under every set of imports, or an answer under its own."""
        return {index: errors[0] for index, errors in self.by_cell.items() if all(errors)}
