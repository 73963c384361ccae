"""What one answer earned: each of its behaviours asked whole, and as students see it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from autograder.audit.bench import Moment
from autograder.engine import Record, Session
from autograder.master import MasterCell

Kind = Literal["solution", "blank", "right", "wrong", "mutant"]
STOPPED = "it was stopped before this was asked"


@dataclass(frozen=True)
class Finding:
    """One behaviour of one answer."""

    cell: MasterCell
    kept: bool
    visible: bool
    """Whether the visible part alone is passed."""
    message: str = ""
    broken: str = ""
    """What is wrong with the check itself, if it broke on this answer."""
    signature: str = ""
    """Of a failed visible part: what the release may know this answer by."""


@dataclass
class Hearing:
    """Asks the tests of one answer; an `Ask` for a `Bench`.

    A right answer must pass under every seed; a wrong one that passes under any seed passed. The
    first seed is asked where the answer runs, everything else in copies that end with the question.
    """

    kind: Kind
    seeds: tuple[int, ...]
    exercise: str | None = None
    """The exercise that it answers; None for all of them."""
    elsewhere: bool = False
    """Whether tests of other exercises are asked too, under the first seed."""
    findings: dict[str, Finding] = field(default_factory=dict)

    def __call__(
        self, session: Session, cell: MasterCell, limit: float, moment: Callable[[], Moment]
    ) -> bool:
        """Ask one test cell; False when there is no going on.

        That is when the process is gone, and for a mutant (there are many) when its time ran out.
        """
        own = self.exercise in (None, cell.exercise)
        if not own and not self.elsewhere:
            return True
        with moment() as before:
            started = time.monotonic()
            first = _asked(session, cell, self.seeds[0], limit)
            late = first.verdict != "pass" and time.monotonic() - started >= limit
            records = [first]
            if not late and not first.lost:
                others = self.seeds[1:] if own else ()
                records += [asked_apart(before, cell, seed, limit) for seed in others]
            self._note(cell, records, before, limit)
        return not first.lost and not (late and self.kind == "mutant")

    def _note(self, cell: MasterCell, records: list[Record], before: Moment, limit: float) -> None:
        passed = [record.verdict == "pass" for record in records]
        strict = self.kind in ("solution", "right")
        kept = all(passed) if strict else any(passed)
        # Who passes the whole test passes its visible part, except that the solution must show it.
        seen = None
        if not all(passed) or self.kind == "solution":
            released = cell.with_source(cell.released_source)
            seen = asked_apart(before, released, self.seeds[0], limit)
        telling = next((record for record in records if record.verdict != "pass"), records[0])
        asked = [*records, *([seen] if seen else [])]
        self.findings[cell.grade_id or ""] = Finding(
            cell=cell,
            kept=kept,
            visible=seen is None or seen.verdict == "pass",
            message=telling.message,
            broken=next((record.message for record in asked if record.verdict == "error"), ""),
            signature=seen.signature if seen and seen.verdict == "fail" else "",
        )

    def found(self, cell: MasterCell) -> Finding:
        """Return the finding on a test cell; what was not asked is lost."""
        return self.findings.get(cell.grade_id or "", Finding(cell, False, False, STOPPED))


def _asked(session: Session, cell: MasterCell, seed: int, limit: float) -> Record:
    session.seed = seed
    return session.ask(cell, limit=limit)


def asked_apart(before: Moment, cell: MasterCell, seed: int, limit: float) -> Record:
    """Ask one test cell in a process of its own, which ends with the question."""
    branch = before.again()
    try:
        return _asked(branch, cell, seed, limit)
    finally:
        branch.close()
