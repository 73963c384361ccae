"""One notebook on its way through the engine: every cell in order, every test where it stands.

A notebook whose exercises allow different imports is walked once for each set of them, in a process
that has that set and nothing else. A test is asked in the walk of its own set.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from autograder import plain
from autograder.engine.parent import Allow, Lost
from autograder.engine.record import Run, record_of
from autograder.engine.session import CELL_SECONDS, CUT, Session
from autograder.master import MasterCell
from autograder.page import settle

NOTEBOOK_SECONDS = 300.0
NOTEBOOK_BYTES = 64 * 2**20
"""What all cells together may show."""
TOO_LONG = f"the notebook ran for more than {NOTEBOOK_SECONDS:g} seconds"
Open = Callable[[int, Allow], Session]


def import_sets(cells: Iterable[MasterCell]) -> tuple[Allow, ...]:
    """Return the sets of imports that the tests of a notebook ask for, each once, in order."""
    return tuple(dict.fromkeys(cell.allow for cell in cells if cell.role == "tests")) or (None,)


class Walk:
    """All walks of one notebook."""

    def __init__(self, open_session: Open, cells: Sequence[MasterCell], seed: int) -> None:
        self.open = open_session
        self.cells = [cell for cell in cells if cell.kind == "code"]
        self.seed = seed
        self.found = Run()
        self.left_out: set[int] = set()
        self.plain = {cell.index for cell in self.cells if plain.is_plain(cell)}
        self.until = time.monotonic() + NOTEBOOK_SECONDS
        self.room = NOTEBOOK_BYTES

    def run(self) -> Run:
        """Walk once per set of imports, and return what all gave together."""
        sets = import_sets(self.cells)
        last = {cell.allow: at for at, cell in enumerate(self.cells) if cell.role == "tests"}
        # The walk that goes furthest goes to the end: what a student shows below it is shown.
        furthest = max(sets, key=lambda allow: last.get(allow, -1))
        for allow in sets:
            end = len(self.cells) if allow == furthest else last[allow] + 1
            _Pass(self, allow, self.cells[:end]).finish()
        for cell in self.cells:
            if cell.role == "tests" and cell.grade_id not in self.found.records:
                why = {"verdict": "not_run", "message": self.found.crashed or "it was not reached"}
                self.found.records[cell.grade_id or ""] = record_of(cell, why)
        return self.found

    def show(self, cell: MasterCell, outputs: list[dict[str, Any]], own: bool) -> None:
        """Keep a cell's outputs: those of its own set, else the first that are no error."""
        before = self.found.outputs.get(cell.index)
        if own or before is None or _failed(before):
            self.found.outputs[cell.index] = outputs


class _Pass:
    """One walk, in processes that have one set of imports."""

    def __init__(self, walk: Walk, allow: Allow, cells: list[MasterCell]) -> None:
        self.walk = walk
        self.allow = allow
        self.cells = cells
        self.broken: dict[str, str] = {}
        """Exercise -> the error that its answer cell stopped with."""
        hiding = (cell.index for cell in cells if cell.index in walk.plain and plain.hides(cell))
        self.secret = min(hiding, default=None)
        """The first cell whose hidden tests run in the student's process, if any do."""
        self.shown: dict[int, list[dict[str, Any]]] | None = None
        """What cells show, by index, where no hidden test is ever run."""
        if self.secret is not None:
            begun = time.monotonic()
            self.shown = self._run_clean()
            walk.until += time.monotonic() - begun
        self.session = walk.open(walk.seed, allow)

    def finish(self) -> None:
        for position, cell in enumerate(self.cells):
            if time.monotonic() > self.walk.until:
                self._lost(cell, TOO_LONG)
                break
            if cell.role != "tests":
                self._cell(position, cell)
            elif cell.index in self.walk.plain:
                self._plain(position, cell)
            elif cell.allow == self.allow:
                self._ask(position, cell)
        self.session.close()

    def _ask(self, position: int, cell: MasterCell) -> None:
        record = self.session.ask(cell)
        if record.verdict == "fail" and record.exercise in self.broken:
            why = f"{self.broken[record.exercise]}\n\n{record.message}"
            record = dataclasses.replace(record, message=why)
        self.walk.found.records[record.grade_id] = record
        self.walk.found.outputs[cell.index] = record.outputs(cell.sentence)
        if record.lost:
            self._restart(position)

    def _plain(self, position: int, cell: MasterCell) -> None:
        guarded = self.secret is not None and self.secret <= cell.index
        try:
            outputs = self._run(cell)
        except Lost as lost:
            self._lost(cell, str(lost))
            record = plain.record(cell, "fail", 0.0, f"your code was stopped: {lost}")
            self._restart(position)
        else:
            self.walk.found.outputs[cell.index] = outputs
            record = plain.judge(cell, outputs, guarded=guarded)
        self.walk.found.records[record.grade_id] = record

    def _cell(self, position: int, cell: MasterCell) -> None:
        if self._own(cell):  # another walk may have left it out for want of its imports
            self.walk.left_out.discard(cell.index)
        if cell.index in self.walk.left_out:
            return
        try:
            outputs = self._run(cell)
        except Lost as lost:
            self._lost(cell, str(lost))
            self._restart(position)
            return
        if self.shown is not None:
            outputs = self.shown.get(cell.index, CUT)
        self.walk.show(cell, outputs, self._own(cell))
        for output in outputs:
            if output.get("output_type") == "error" and cell.exercise:
                what = f"{output.get('ename')}: {output.get('evalue')}"
                self.broken[cell.exercise] = f"your answer's cell itself stopped with {what}"

    def _own(self, cell: MasterCell) -> bool:
        return cell.role == "exercise" and cell.allow == self.allow

    def _run(self, cell: MasterCell) -> list[dict[str, Any]]:
        own = self._own(cell)
        run = self.session.run_cell if own else self.session.run_given
        outputs = run(cell.source, cell.allow if own else None, _limit(cell))
        self.walk.room -= self.session.said
        if self.walk.room < 0 and cell.role != "tests":  # a check's words are its verdict
            return CUT
        earlier = self.walk.found.outputs.values() if self.shown is None else ()
        return settle(outputs, earlier)

    def _run_clean(self) -> dict[int, list[dict[str, Any]]]:
        """Run all cells but hidden tests, and keep what they show.

        This process is gone before another one meets a hidden test, so that there is nobody who
        could tell it: what it shows cannot quote one.
        """
        until = time.monotonic() + NOTEBOOK_SECONDS
        dropped: set[int] = set()
        while True:
            session = self.walk.open(self.walk.seed, self.allow)
            found: dict[int, list[dict[str, Any]]] = {}
            room = NOTEBOOK_BYTES
            try:
                for cell in self.cells:
                    test = cell.role == "tests"
                    asked = test and (plain.hides(cell) or cell.index not in self.walk.plain)
                    if asked or cell.index in dropped:
                        continue
                    if time.monotonic() > until:
                        return found
                    at = cell.index
                    outputs = session.run_cell(cell.source, None, _limit(cell))
                    room -= session.said
                    found[at] = settle(outputs, found.values()) if room >= 0 else CUT
                return found
            except Lost:
                dropped.add(at)
            finally:
                session.close()

    def _lost(self, cell: MasterCell, why: str) -> None:
        self.walk.found.crashed = f"cell {cell.index + 1} was left out: {why}"
        self.walk.left_out.add(cell.index)
        stopped = {"output_type": "error", "ename": "Stopped", "evalue": why}
        self.walk.found.outputs[cell.index] = [
            stopped | {"traceback": [f"This cell was left out: {why}."]}
        ]

    def _restart(self, position: int) -> None:
        """Open a new process and bring it to where the lost one was, as far as time allows."""
        self.session.close()
        while True:
            self.session = self.walk.open(self.walk.seed, self.allow)
            for cell in self.cells[:position]:
                asked = cell.role == "tests" and cell.index not in self.walk.plain
                if asked or cell.index in self.walk.left_out:
                    continue
                if time.monotonic() > self.walk.until:
                    return
                try:
                    self._run(cell)
                except Lost as lost:
                    self._lost(cell, str(lost))
                    self.session.close()
                    break
            else:
                return


def _limit(cell: MasterCell) -> float:
    return cell.seconds or CELL_SECONDS


def _failed(outputs: list[dict[str, Any]]) -> bool:
    return any(output.get("output_type") == "error" for output in outputs)
