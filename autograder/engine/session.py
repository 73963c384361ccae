"""One answer process with a student's cells in it, as the engine sees it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
from collections.abc import Sequence
from typing import Any, Protocol

from autograder.channel import Channel, Closed, TooLate
from autograder.checks import wire
from autograder.cores import bind, own_core
from autograder.engine.absent import prepare
from autograder.engine.parent import GRACE, START_SECONDS, Allow, Lost
from autograder.engine.record import Record, record_of
from autograder.master import MasterCell

CELL_SECONDS = 60.0
CALL_SECONDS = 10.0
TEST_SECONDS = 300.0
"""How long a verdict is waited for: what one test may take, all its questions together."""
MAX_SHOWN = 16 * 2**20
"""What one cell may show, in bytes; an honest process cuts long before."""
CUT: list[dict[str, Any]] = [
    {"output_type": "stream", "name": "stderr", "text": "What this cell showed was not kept.\n"}
]
OUR_THREADS = 2
"""Of an answer process: the main one, and the one that reads what is written to descriptors."""


class House(Protocol):
    """What a session needs of the engine that it belongs to."""

    def tester(self, answer: Channel, core: int | None) -> Channel:
        """Start a tester that asks this answer process, and return the way to it."""

    def asking(self, task: dict[str, Any]) -> None:
        """Hear of a test that is about to be asked."""

    def track(self, session: Session) -> Session:
        """Remember a session, so that nothing outlives the engine."""

    def forget(self, session: Session) -> None:
        """Stop tracking a session that was closed."""


class Session:
    """A process that holds what a student's cells have made so far."""

    def __init__(self, house: House, channel: Channel, seed: int, allow: Allow = None) -> None:
        """Wait for the process behind `channel`; raises `Lost` if it does not start."""
        self.house = house
        self.channel = channel
        self.seed = seed
        self.allow = allow
        """The imports of the exercises that may be asked here; None for all."""
        self.said = 0
        """Size of what the last cell showed, in bytes."""
        self.tester: Channel | None = None
        """The way to the tester of this process, from its first test on."""
        try:
            data, sender = channel.receive_with_sender(START_SECONDS)
            word, said = wire.decode(data)
        except (Closed, TooLate, wire.WireError, TypeError, ValueError):
            channel.close()
            raise Lost("the answer process did not start") from None
        if word != "hello":
            channel.close()
            raise Lost(f"the answer process could not be confined: {said}")
        # In a namespace of its own the process does not know its number out here; the kernel does.
        self.pid = sender or said
        self.core = own_core()
        bind(self.pid, self.core)

    def run_cell(
        self, source: str, allow: Sequence[str] | None = None, limit: float = CELL_SECONDS
    ) -> list[dict[str, Any]]:
        """Run one cell and return its outputs; raise `Lost` if the process does not survive it."""
        return self._run(source, allow, limit, {})

    def run_given(
        self, source: str, allow: Sequence[str] | None = None, limit: float = CELL_SECONDS
    ) -> list[dict[str, Any]]:
        """Run a cell that no exercise asked here is answered in, as far as the imports go."""
        prepared = prepare(source, self.allow)
        return self._run(prepared.source, allow, limit, prepared.stand_ins)

    def _run(
        self, source: str, allow: Sequence[str] | None, limit: float, stand_ins: dict[str, str]
    ) -> list[dict[str, Any]]:
        task = [source, limit, None if allow is None else list(allow), stand_ins]
        try:
            self.channel.send(b"R" + wire.encode(task), GRACE)
            data = self.channel.receive(limit + GRACE)
            self.said = len(data)
            return _plain(wire.decode(data[1:])) if self.said <= MAX_SHOWN else CUT
        except Closed as closed:
            raise Lost(str(closed) or "it ended the whole process") from None
        except TooLate:
            raise Lost(f"it ran for more than {limit:g} seconds and could not be stopped") from None
        except wire.WireError as error:
            raise Lost(f"it sent {error}") from None

    def rest(self) -> None:
        """Run no cell from now on: only be there for the copies of this process."""
        self.channel.send(b"Z", GRACE)

    def modules(self) -> tuple[str, ...]:
        """Return the names of all modules that this process has imported, in order."""
        self.channel.send(b"M", GRACE)
        return tuple(wire.decode(self.channel.receive(GRACE)[1:]))

    def has_threads(self) -> bool:
        """Tell whether threads that are not ours run in this process: it must not be copied then.

        Always False where the system has no /proc to say so.
        """
        try:
            return len(os.listdir(f"/proc/{self.pid}/task")) > OUR_THREADS
        except OSError:
            return False

    def fork(self) -> Session:
        """Return a copy of this process as it stands now; the two go on apart.

        Where processes are closed in, the copy ends with this one.
        """
        ours, theirs = Channel.pair()
        ours.ask_who_sends()
        self.channel.send(b"F", GRACE, files=(theirs.fileno(),))
        theirs.close()
        return self.house.track(Session(self.house, ours, self.seed, self.allow))

    def ask(
        self,
        cell: MasterCell,
        source: str | None = None,
        limit: float = CALL_SECONDS,
        *,
        sign: bool = False,
    ) -> Record:
        """Judge one test cell (or `source` in its place) against this process.

        A failed record has the signature of what the student sees; with `sign` any record has.
        """
        task = {
            "source": cell.source if source is None else source,
            "seed": self.seed,
            "limit": limit,
            "allow": None if cell.allow is None else list(cell.allow),
            "signatures": dict(cell.signatures),
            "title": f"{cell.exercise} · {cell.behaviour}",
            "sign": sign,
        }
        return record_of(cell, self._judge(task))

    def _judge(self, task: dict[str, Any]) -> dict[str, Any] | None:
        """Let the tester run one test; None when it gave no verdict. The next gets a fresh one."""
        self.house.asking(task)
        request = wire.encode(task)
        try:
            self._tester().send(request, GRACE)
        except (Closed, TooLate):
            self._drop_tester()
            self._tester().send(request, GRACE)
        try:
            found = wire.decode(self._tester().receive(TEST_SECONDS))
        except (Closed, TooLate, wire.WireError):
            found = None
        if not isinstance(found, dict):
            self._drop_tester()
            return None
        return found

    def _tester(self) -> Channel:
        if self.tester is None:
            self.tester = self.house.tester(self.channel, self.core)
        return self.tester

    def _drop_tester(self) -> None:
        if self.tester is not None:
            self.tester.close()
        self.tester = None

    def close(self) -> None:
        """Kill the process and everything in its process group and namespace."""
        self._drop_tester()
        self.channel.close()
        with contextlib.suppress(OSError):
            os.killpg(self.pid, signal.SIGKILL)
        self.house.forget(self)


def _plain(outputs: Any) -> list[dict[str, Any]]:
    """Return outputs as a notebook holds them; what is no such data is dropped."""
    try:
        found = json.loads(json.dumps(outputs))
    except (TypeError, ValueError, RecursionError):
        return []
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
