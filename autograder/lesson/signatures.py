"""Signatures of misconceptions: what a wrong answer returns on the cases that a student sees.

The release carries, in a test cell's metadata, hashes of each wrong answer's rounded outputs on the
visible cases, with the sentence that a student reads when theirs behaves like it. Never its code.
"""

from __future__ import annotations

import dataclasses
import os
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from autograder.audit.bench import Bench, Moment
from autograder.checks import judge
from autograder.engine import Engine, Record, Session
from autograder.lesson.answers import answer_files, read_answers
from autograder.lesson.model import Answer, Lesson
from autograder.master import Master, MasterCell

SECONDS = 5.0
"""What a call may take; an answer past it gets no signature, so a busy machine changes nothing."""
RAISED = re.compile(r"your code raised (\w+)")
ADDRESS = " at 0x"


def signatures(lesson: Lesson, master: Master) -> dict[str, dict[str, str]]:
    """Return grade id of a test cell -> {hash: sentence}, from the lesson's wrong answers.

    A hash that the solution or a right answer has too is left out, and so is one that tells
    nothing or differs from run to run. Of two wrong answers with the same hash, the first in the
    file gives the sentence.
    """
    files = answer_files(lesson.path.parent)
    answers = [answer for path in files for answer in read_answers(path, [lesson])[0]]
    if not any(answer.kind == "wrong" for answer in answers):
        return {}
    shown = list(_show_all(master, answers))
    table: dict[str, dict[str, str]] = {cell.grade_id or "": {} for cell in master.tests()}
    for answer, records in shown:
        for record in records:
            if answer is not None and answer.kind == "wrong" and _telling(record):
                table[record.grade_id].setdefault(record.signature, answer.sentence)
    for answer, records in shown:
        for record in records:
            if answer is None or answer.kind == "right":
                table[record.grade_id].pop(record.signature, None)
    return {grade_id: known for grade_id, known in table.items() if known}


def _telling(record: Record) -> bool:
    """Whether a failed record says more than how it ended, and would say it in any process.

    A blank answer raises without a word, a missing one is missing in every notebook.
    """
    raised = RAISED.match(record.message)
    ends = (record.message, f"{raised[1]}: " if raised else "")
    return (
        record.verdict == "fail"
        and ADDRESS not in record.message
        and record.signature not in ("", *map(_hash_of, ends))
    )


def _hash_of(outcome: str) -> str:
    return judge.Session(ask=lambda data, called: b"", outcomes=[outcome]).signature()


@dataclass
class _Showing:
    """Asks the visible part of each test of one exercise, or of all (None)."""

    exercise: str | None = None
    records: list[Record] = field(default_factory=list)

    def __call__(
        self, session: Session, cell: MasterCell, limit: float, moment: Callable[[], Moment]
    ) -> bool:
        if self.exercise not in (None, cell.exercise):
            return True
        with moment() as before:
            return self._ask(session, before, cell.with_source(cell.released_source), limit)

    def _ask(self, session: Session, before: Moment, shown: MasterCell, limit: float) -> bool:
        started = time.monotonic()
        record = session.ask(shown, limit=min(limit, SECONDS), sign=True)
        if record.verdict != "pass" and time.monotonic() - started >= SECONDS:
            return False
        if record.verdict == "fail" and not record.lost:
            again = _stirred(before, shown, session.seed, limit)
            if again.signature != record.signature:  # it draws its own random numbers, say
                record = dataclasses.replace(record, signature="")
        self.records.append(record)
        return not record.lost


STIR = """
import random, sys
random.random(); sys.modules["numpy"].random.random()
if "torch" in sys.modules: sys.modules["torch"].rand(1)
"""
"""Moves every global random state, so that what depends on one comes out otherwise."""


def _stirred(before: Moment, shown: MasterCell, seed: int, limit: float) -> Record:
    """Ask once more in a process of its own, whose random numbers are others."""
    branch = before.again()
    try:
        branch.run_given(STIR)
        branch.seed = seed
        return branch.ask(shown, limit=limit, sign=True)
    finally:
        branch.close()


def _show_all(
    master: Master, answers: list[Answer]
) -> Iterator[tuple[Answer | None, list[Record]]]:
    """Yield each answer (None: the solution) with the records of its visible tests, in order."""
    last = {cell.exercise: cell.index for cell in master.tests()}
    place = {cell.exercise: cell.index for cell in master.cells if cell.role == "exercise"}
    warm = Engine.for_master(master, many=True)
    with warm as engine, ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        bench = Bench(engine, master)
        solved = _Showing()
        bench.walk(solved, end=max(last.values()))
        yield None, solved.records

        def show(answer: Answer) -> tuple[Answer, list[Record]]:
            showing = _Showing(answer.exercise)
            start = place[answer.exercise]
            bench.play({start: answer.source}, showing, start=start, end=last[answer.exercise])
            return answer, showing.records

        yield from pool.map(show, answers)
