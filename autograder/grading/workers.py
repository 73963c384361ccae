"""Where submissions are run: threads of this process around one warm engine.

    with Local(assignment, seed, workers=2) as pool:
        pool.submit(job)
        for job, outcomes in pool.finished():
            ...

A thread waits while other processes run a notebook, so a few of them keep all cores busy. Nothing
here writes a grade: outcomes come back to the one who asked, in whatever order they are done.
"""

from __future__ import annotations

import contextlib
import queue
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Protocol, Self

from autograder.engine import Engine, Lost
from autograder.errors import Problem
from autograder.grading.assignment import Assignment
from autograder.grading.rebuild import Rebuilt
from autograder.grading.unit import Outcome, failed, grade_submission

ATTEMPTS = 6
"""How often a notebook is run at most whose process is lost again and again."""
AGREE = 3
"""So many runs that end in the same way show that the notebook itself does it."""
LONG_SECONDS = 30.0
"""A notebook that ran this long is run once more at most."""
CLOSING_SECONDS = 10.0
SWITCH_SECONDS = 0.0001
"""How long a thread of this process runs while another waits for its turn: the one that writes
grades must not make those that grade wait longer than a question takes."""
WORKERS_HIGHEST = 64


@dataclass(frozen=True)
class Job:
    """One submission on its way: what to run, and what its row will need."""

    student: str
    parts: tuple[Rebuilt, ...]
    timestamp: str | None
    key: str
    unread: dict[str, Outcome] = field(default_factory=dict)
    """Part -> the outcome of a notebook that is not run: it could not be read."""

    @property
    def to_run(self) -> tuple[Rebuilt, ...]:
        """The notebooks that are to be run."""
        return tuple(one for one in self.parts if one.part not in self.unread)

    def outcomes(self, ran: Sequence[Outcome] = ()) -> tuple[Outcome, ...]:
        """Return an outcome for each part, given those of the notebooks that were run."""
        known = self.unread | {outcome.part: outcome for outcome in ran}
        return tuple(known[one.part] for one in self.parts)

    def failed(self, reason: str) -> tuple[Outcome, ...]:
        """Return the outcomes of a failure of ours."""
        return tuple(failed(one, reason) for one in self.parts)


Done = tuple[Job, tuple[Outcome, ...]]


class Pool(Protocol):
    """A place where submissions are run."""

    def __enter__(self) -> Self:
        """Start it."""

    def __exit__(self, *about: Any) -> None:
        """Stop it, whatever still runs."""

    @property
    def busy(self) -> int:
        """How many submissions are on their way."""

    @property
    def room(self) -> int:
        """How many more it wants to be given now."""

    def submit(self, job: Job) -> None:
        """Take one submission."""

    def finished(self) -> list[Done]:
        """Wait until at least one is done; return all that are."""


class Stopped(Exception):
    """The class is not graded any further."""


class _Warm(Engine):
    """An engine that starts nothing new once it is being closed."""

    stopped = False

    def open(self, *given: Any, **more: Any) -> Any:
        if self.stopped:
            raise Stopped
        return super().open(*given, **more)


class Keeper:
    """Holds the warm engine of a process, and starts another on any doubt about it."""

    def __init__(self, assignment: Assignment, **settings: Any) -> None:
        self.assignment, self.settings = assignment, settings
        self.lock = threading.Lock()
        self.current: _Warm | None = None
        self.users: dict[_Warm, int] = {}
        self.stopped = False

    @contextlib.contextmanager
    def engine(self) -> Iterator[Engine]:
        """Lend the engine, a new one where there is none that can be trusted."""
        with self.lock:
            if self.stopped:
                raise Stopped
            engine = self.current = self.current or self._started()
            self.users[engine] = self.users.get(engine, 0) + 1
        try:
            yield engine
        finally:
            with self.lock:
                self.users[engine] -= 1
                if engine is not self.current and not self.users[engine]:
                    del self.users[engine]
                    engine.__exit__(None, None, None)

    def _started(self) -> _Warm:
        try:
            return _Warm.for_master(self.assignment.whole, **self.settings).__enter__()
        except Lost as lost:
            raise Problem(f"nothing can be graded here: {lost}.") from None

    def doubt(self, engine: Engine) -> None:
        """Use another engine from now on; this one is closed when nobody uses it any more."""
        with self.lock:
            if engine is self.current:
                self.current = None

    def stop(self) -> None:
        """Close every engine, and with it what still runs there."""
        with self.lock:
            self.stopped = True
            engines = list(self.users)
        for engine in engines:
            engine.stopped = True
            engine.__exit__(None, None, None)

    def run(self, rebuilt: Rebuilt, seed: int) -> Outcome:
        """Return the outcome of one notebook; the process may be lost to others than its student.

        When the process or a verdict is lost, it may have been the notebook's doing or that of
        somebody who killed it (a machine short of memory, say). The notebook did it when it
        happens in the same way three times.
        """
        seen: list[Outcome] = []
        master = self.assignment.part(rebuilt.part)
        while True:
            with self.engine() as engine:
                outcome = grade_submission(master, rebuilt, engine, seed)
                if outcome.status == "error":
                    self.doubt(engine)
            seen.append(outcome)
            if not outcome.lost or sum(_alike(outcome, one) for one in seen) >= AGREE:
                return outcome
            if len(seen) >= (2 if outcome.seconds > LONG_SECONDS else ATTEMPTS):
                return max(seen, key=_worth)


def _alike(one: Outcome, other: Outcome) -> bool:
    def verdicts(outcome: Outcome) -> dict[str, str]:
        return {name: str(record["verdict"]) for name, record in outcome.records.items()}

    same = (one.status, one.message) == (other.status, other.message)
    return same and verdicts(one) == verdicts(other)


def _worth(outcome: Outcome) -> tuple[bool, float]:
    points = sum(float(record["points"]) for record in outcome.records.values())
    return outcome.status != "error", points


class Local:
    """Some threads of this process, which share one warm engine."""

    def __init__(
        self, assignment: Assignment, seed: int, workers: int = 1, **settings: Any
    ) -> None:
        """`settings` are the engine's."""
        self.seed, self.workers = seed, workers
        self.keeper = Keeper(assignment, **settings)
        self.todo: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self.done: queue.SimpleQueue[Done] = queue.SimpleQueue()
        self.busy = 0
        self.threads: list[threading.Thread] = []
        self.before = sys.getswitchinterval()

    def __enter__(self) -> Self:
        sys.setswitchinterval(SWITCH_SECONDS)
        with self.keeper.engine():  # what cannot start says so here, before anybody is graded
            pass
        for _ in range(self.workers):
            thread = threading.Thread(target=self._work, daemon=True)
            thread.start()
            self.threads.append(thread)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        for _ in self.threads:
            self.todo.put(None)
        self.keeper.stop()
        for thread in self.threads:
            thread.join(CLOSING_SECONDS)
        self.keeper.stop()  # what a thread had begun to open in the meantime
        sys.setswitchinterval(self.before)

    @property
    def room(self) -> int:
        """How many more it wants: each thread's next one waits, so that none has to."""
        return 2 * self.workers - self.busy

    def submit(self, job: Job) -> None:
        """Take one submission."""
        self.busy += 1
        self.todo.put(job)

    def finished(self) -> list[Done]:
        """Wait until at least one is done; return all that are."""
        found: list[Done] = []
        while self.busy and (not found or not self.done.empty()):
            found.append(self.done.get())
            self.busy -= 1
        return found

    def _work(self) -> None:
        while (job := self.todo.get()) is not None:
            try:
                outcomes = job.outcomes([self.keeper.run(one, self.seed) for one in job.to_run])
            except Stopped:
                return
            except BaseException as error:  # a thread that ends silently would leave a row out
                reason = f"the grader itself failed ({type(error).__name__}): {error}"
                outcomes = job.failed(reason)
            self.done.put((job, outcomes))
