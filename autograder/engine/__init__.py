"""Run a notebook in two processes: the student's cells in one, the tests in the other.

    with Engine.for_master(master) as engine:
        run = engine.run(cells, seed)

One unit of work goes in (cells with a student's answers) and one plain record per test comes out.
Points come from the tester's record alone: no record, no points. Nothing here knows nbgrader.
"""

from __future__ import annotations

import contextlib
import importlib.util
import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from autograder.channel import Channel, Closed, TooLate
from autograder.checks import wire
from autograder.engine.learn import learn, recall
from autograder.engine.parent import (
    Allow,
    Lost,
    Parent,
    Wish,
    answer_parent,
    tester_parent,
)
from autograder.engine.record import Record, Run
from autograder.engine.session import CALL_SECONDS, CELL_SECONDS, Session
from autograder.engine.walk import Walk, import_sets
from autograder.errors import Problem
from autograder.master import Master, MasterCell
from autograder.sandbox.view import offered

__all__ = [
    "CALL_SECONDS",
    "CELL_SECONDS",
    "Allow",
    "Engine",
    "Lost",
    "Record",
    "Run",
    "Session",
    "require_sandbox",
]

PRELOAD = ("numpy.random", "numpy.linalg")
SLOW = ("torch", "tensorflow")
"""Modules whose import takes seconds: done once in the parent of exercises that allow them."""


def require_sandbox() -> None:
    """Raise `Problem` where submissions cannot be closed in."""
    if reason := offered():
        raise Problem(f"there is no sandbox here, and --require-sandbox was given: {reason}.")


def preload_for(allow: Allow) -> tuple[str, ...]:
    """Return what to import before the first fork for exercises that allow these modules.

    That is NumPy, and of the slow modules those that are allowed and installed. They are only
    imported: an operation of theirs before a fork could hang every child.
    """
    slow = [name for name in SLOW if name in (allow or ()) and importlib.util.find_spec(name)]
    return (*PRELOAD, *slow)


class Engine:
    """Warm parents, one for each set of imports and one for testers; a context manager."""

    def __init__(
        self,
        preload: Iterable[str] = (),
        *,
        sets: Iterable[Allow] = (),
        learned: Mapping[Allow, Sequence[str]] | None = None,
        given: Sequence[Path] = (),
        sandbox: bool = True,
    ) -> None:
        """`preload` is imported in every parent, `learned` in that of its set of imports.

        Parents of `sets` are started at once, others when they are first needed. `given` are files
        handed out beside the notebook.
        """
        self.preload = tuple(preload)
        self.sets = tuple(sets)
        self.learned = dict(learned or {})
        self.given = tuple(given)
        self.sandbox = sandbox
        self.parents: dict[Allow, Parent] = {}
        self.sessions: list[Session] = []
        self.asked: Counter[tuple[str, str]] = Counter()
        """How often each test was asked: source and title."""
        self.starting = threading.Lock()

    @classmethod
    def for_master(cls, master: Master, *, many: bool = False, sandbox: bool = True) -> Self:
        """Return an engine for submissions of one lesson.

        For `many` of them it first runs the solution once, if that was not done before, and from
        then on imports what the solution imports before it forks.
        """
        sets = import_sets(master.cells)
        learned = recall(master)
        if many and not learned:
            with cls(sets=sets, given=master.given, sandbox=sandbox) as scout:
                learned = learn(scout, master)
        return cls(sets=sets, learned=learned, given=master.given, sandbox=sandbox)

    def __enter__(self) -> Self:
        self.testers = tester_parent()
        for allow in self.sets:
            self.parents[allow] = self._start(allow)
        self.testers.ready()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for session in list(self.sessions):
            session.close()
        for parent in (*self.parents.values(), self.testers):
            parent.close()

    def open(self, seed: int = 0, allow: Allow = None) -> Session:
        """Return a fresh answer process for exercises with these imports; raises `Lost`.

        A parent that gives none is in doubt: it is started anew, once.
        """
        parent = self._parent(allow)
        try:
            return self._fork(parent, seed, allow)
        except (Lost, Closed, TooLate):
            with self.starting:
                if self.parents.get(allow) is parent:
                    del self.parents[allow]
                    parent.close()
        try:
            return self._fork(self._parent(allow), seed, allow)
        except (Closed, TooLate):
            raise Lost("a grading process did not start") from None

    def _fork(self, parent: Parent, seed: int, allow: Allow) -> Session:
        ours, theirs = Channel.pair()
        ours.ask_who_sends()
        parent.tell(b"open", (theirs.fileno(),))
        theirs.close()
        return self.track(Session(self, ours, seed, allow))

    def track(self, session: Session) -> Session:
        """Remember a session, so that nothing outlives the engine."""
        self.sessions.append(session)
        return session

    def _parent(self, allow: Allow) -> Parent:
        """Return the warm parent of a set of imports, a new one if the last one is gone."""
        with self.starting:
            parent = self.parents.get(allow)
            if parent is None or not parent.alive:
                parent = self.parents[allow] = self._start(allow)
            parent.ready()
            return parent

    def _start(self, allow: Allow) -> Parent:
        names = (*preload_for(allow), *self.preload, *self.learned.get(allow, ()))
        return answer_parent(Wish(allow, names, self.given, self.sandbox))

    def forget(self, session: Session) -> None:
        """Stop tracking a session that was closed."""
        if session in self.sessions:
            self.sessions.remove(session)

    def asking(self, task: dict[str, Any]) -> None:
        """Have the parent of testers read a test that is asked again, for all testers to come."""
        test = task["source"], task["title"]
        self.asked[test] += 1
        if self.asked[test] == 2:
            with contextlib.suppress(Closed, TooLate):
                self._testers().tell(wire.encode(list(test)))

    def tester(self, answer: Channel, core: int | None) -> Channel:
        """Start a tester process that asks this answer process, and return the way to it."""
        ours, theirs = Channel.pair()
        files, request = (answer.fileno(), theirs.fileno()), wire.encode(core)
        # Several threads may use one engine, each with sessions of its own.
        testers = self._testers()
        try:
            testers.tell(request, files)
        except (Closed, TooLate):
            self._testers(instead_of=testers).tell(request, files)
        theirs.close()
        return ours

    def _testers(self, instead_of: Parent | None = None) -> Parent:
        """Return the warm parent of testers, a new one if the last one is gone or in doubt."""
        with self.starting:
            if self.testers is instead_of or not self.testers.alive:
                self.testers.close()
                self.testers = tester_parent()
                self.testers.ready()
            return self.testers

    def run(self, cells: Sequence[MasterCell], seed: int = 0) -> Run:
        """Run all cells in order, each test where it stands, once for each set of imports.

        When a process is lost, the cell that lost it is left out, a new process runs the others
        again, and the tests go on from there. Points already earned stay.
        """
        return Walk(self.open, cells, seed).run()
