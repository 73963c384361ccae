"""Runs every answer of a lesson against its tests.

    audit = audit_lesson(plan, seeds=(1, 2, 3))
    for row in audit.rows: print(row.candidate.name, row.lost)

What the rows should be is in `rules`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from autograder.audit.bench import Bench
from autograder.audit.hearing import Finding, Hearing, Kind
from autograder.audit.plan import Candidate, Plan
from autograder.engine import Engine

ORDER: tuple[Kind, ...] = ("solution", "blank", "right", "wrong", "mutant")


@dataclass(frozen=True)
class Row:
    """One answer and what became of it."""

    lesson: str
    candidate: Candidate
    findings: tuple[Finding, ...]
    """On each behaviour of its exercise."""
    elsewhere: tuple[Finding, ...] = ()
    """On behaviours of later exercises that were lost with it."""
    raised: Mapping[int, str] = field(default_factory=dict)
    """What cells raised while it stood in the notebook, by index; its own cell first."""

    @property
    def lost(self) -> list[str]:
        """Names of the behaviours lost; those of other exercises by their grade id."""
        own = [item.cell.behaviour or "" for item in self.findings if not item.kept]
        return own + [item.cell.grade_id or "" for item in self.elsewhere]

    @property
    def visible(self) -> bool:
        """Whether the tests that a student sees are all passed."""
        return all(item.visible for item in self.findings)

    @property
    def points(self) -> float:
        """Points of the behaviours kept."""
        return sum(item.cell.points for item in self.findings if item.kept)

    @property
    def max_points(self) -> float:
        """Points of all behaviours of the exercise."""
        return sum(item.cell.points for item in self.findings)

    def to_json(self) -> dict[str, Any]:
        """Return the entry of `audit --json`."""
        return {
            "lesson": self.lesson,
            "exercise": self.candidate.exercise,
            "answer": self.candidate.name,
            "kind": self.candidate.kind,
            "visible": "pass" if self.visible else "fail",
            "hidden": "fail" if self.lost else "pass",
            "points": self.points,
            "max_points": self.max_points,
            "lost": self.lost,
            "expected_lost": list(self.candidate.loses),
            "excused": self.candidate.excused,
        }


@dataclass(frozen=True)
class Audit:
    """What one lesson's audit found."""

    plan: Plan
    rows: tuple[Row, ...]
    raised: Mapping[int, str]
    """What cells of the solved notebook raised, by index."""


Tick = Callable[[], None]


def audit_lesson(plan: Plan, seeds: tuple[int, ...], tick: Tick = lambda: None) -> Audit:
    """Run the solution, the blank notebook and every candidate of a lesson.

    Mutants are asked under the first seed alone, all others under each. `tick` is called when a
    candidate is done. The result does not depend on the order of work.
    """
    warm = Engine.for_master(plan.master, many=True)
    with warm as engine, ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        try:
            return _Run(plan, Bench(engine, plan.master), seeds, tick, pool).audit()
        finally:
            pool.shutdown(cancel_futures=True)


@dataclass
class _Run:
    plan: Plan
    bench: Bench
    seeds: tuple[int, ...]
    tick: Tick
    pool: ThreadPoolExecutor

    @property
    def last(self) -> int:
        """Index of the notebook's last test; what stands below it earns nothing."""
        return max((cell.index for cell in self.plan.master.tests()), default=0)

    def audit(self) -> Audit:
        """Walk the solved notebook, which leaves the stems that every other answer starts from."""
        last = {cell.exercise: cell.index for cell in self.plan.master.tests()}
        blank = self.pool.submit(self._blank)
        hearing = Hearing("solution", self.seeds)
        raised = self.bench.walk(hearing)
        waiting = [
            self.pool.submit(self._row, one, last[one.exercise])
            for one in self.plan.candidates
            if one.exercise in last
        ]
        rows = self._whole(hearing, raised) + blank.result() + [one.result() for one in waiting]
        names = self.plan.master.exercises
        rows.sort(
            key=lambda row: (
                names.index(row.candidate.exercise),
                ORDER.index(row.candidate.kind),
            )
        )
        return Audit(self.plan, tuple(rows), raised)

    def _blank(self) -> list[Row]:
        hearing = Hearing("blank", self.seeds)
        return self._whole(hearing, self.bench.play(self.plan.blanks, hearing, end=self.last))

    def _whole(self, hearing: Hearing, raised: Mapping[int, str]) -> list[Row]:
        """Return a row per exercise of a notebook that was run as a whole."""
        return [
            Row(
                lesson=self.plan.lesson.folder,
                candidate=Candidate(name, hearing.kind, hearing.kind, ""),
                findings=self._findings(hearing, name),
                raised=raised,
            )
            for name in self.plan.master.exercises
        ]

    def _findings(self, hearing: Hearing, exercise: str) -> tuple[Finding, ...]:
        return tuple(hearing.found(cell) for cell in self.plan.master.tests(exercise))

    def _row(self, one: Candidate, end: int) -> Row:
        """Run one answer to its last test, a right one to the last test of the notebook."""
        right = one.kind == "right"
        seeds = self.seeds[:1] if one.kind == "mutant" else self.seeds
        hearing = Hearing(one.kind, seeds, one.exercise, elsewhere=right)
        place = self.plan.cell(one.exercise).index
        raised = self.bench.play(
            {place: one.source},
            hearing,
            start=place,
            end=self.last if right else end,
            hurry=not right,
        )
        later = [
            hearing.found(cell)
            for cell in self.plan.master.tests()
            if right and cell.index > place and cell.exercise != one.exercise
        ]
        self.tick()
        return Row(
            lesson=self.plan.lesson.folder,
            candidate=one,
            findings=self._findings(hearing, one.exercise),
            elsewhere=tuple(item for item in later if not item.kept),
            raised=raised,
        )
