"""One unit of work: a rebuilt submission in, a plain outcome out.

    outcome = grade_submission(master, rebuilt, engine, seed)

Nothing here knows nbgrader, files or the class, so the same call can run in another process. An
`Outcome` holds strings, numbers, lists and dictionaries only; `to_json` and `from_json` carry it.
"""

from __future__ import annotations

import dataclasses
import json
import time
import traceback
from dataclasses import dataclass, field
from typing import Any

from autograder import plain
from autograder.engine import Engine, Record, Run
from autograder.grading.beside import at_hand
from autograder.grading.rebuild import Rebuilt
from autograder.master import Master, MasterCell
from autograder.sandbox.view import offered

OUTPUT_LIMIT = 2_000_000
"""Characters of output that one cell keeps in the graded notebook."""
MESSAGE_LIMIT = 2_000
"""Characters of a row's message."""

UNANSWERED = "not answered"


@dataclass(frozen=True)
class Outcome:
    """What grading one submission gave. `status` speaks of the automatic part."""

    student: str
    lesson: str
    part: str
    """Which notebook of the assignment it is; '' for the whole submission."""
    status: str
    """graded; partial (something could not be run); refused (not read); missing (one of several
    notebooks was not handed in); error (our own failure)."""
    message: str = ""
    seconds: float = 0.0
    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Grade id -> the tester's record; a test without a record has no points."""
    exercises: dict[str, dict[str, Any]] = field(default_factory=dict)
    outputs: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    """Position in the rebuilt notebook -> outputs in nbformat's shape."""
    notes: tuple[str, ...] = ()
    suspicions: tuple[str, ...] = ()
    detail: str = ""
    """For an error of ours: the traceback, for the log."""
    lost: bool = False
    """Whether a process or a verdict was lost on the way, by whomever."""

    def to_json(self) -> dict[str, Any]:
        """Return the outcome as JSON-ready data."""
        return dataclasses.asdict(self)


def from_json(data: dict[str, Any]) -> Outcome:
    """Return the outcome that `to_json` wrote, after a trip through JSON."""
    outputs = {int(position): shown for position, shown in data["outputs"].items()}
    lists = {name: tuple(data[name]) for name in ("notes", "suspicions")}
    return Outcome(**{**data, **lists, "outputs": outputs})


def grade_submission(master: Master, rebuilt: Rebuilt, engine: Engine, seed: int) -> Outcome:
    """Run one rebuilt notebook and return its outcome; never raises an `Exception`."""
    started = time.monotonic()
    try:
        closed_in = engine.sandbox and not offered()
        with at_hand(master.given, rebuilt.files, closed_in) as first:
            run = engine.run((*first, *cells_that_count(master, rebuilt)), seed=seed)
    except Exception as error:  # whatever breaks here must not stop the class
        reason = f"the grader itself failed ({type(error).__name__}); nothing was recorded."
        return failed(rebuilt, reason, traceback.format_exc())
    unfinished = run.crashed or any(
        record.verdict in ("not_run", "error") for record in run.records.values()
    )
    exercises = _exercises(master, rebuilt, run.records)
    notes = (*_as_sentence(run.crashed), *rebuilt.notes)
    return Outcome(
        student=rebuilt.student,
        lesson=rebuilt.lesson,
        part=rebuilt.part,
        status="partial" if unfinished else "graded",
        message=_message([*notes, *rebuilt.suspicions], exercises),
        seconds=round(time.monotonic() - started, 3),
        records=_records(run, exercises),
        exercises=exercises,
        outputs={at: clean_outputs(shown) for at, shown in run.outputs.items() if at >= 0},
        notes=notes,
        suspicions=rebuilt.suspicions,
        lost=was_lost(run),
    )


def _records(run: Run, exercises: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    records = {grade_id: dataclasses.asdict(record) for grade_id, record in run.records.items()}
    for record in records.values():
        if exercises.get(record["exercise"], {}).get("message") == UNANSWERED:
            record |= {"verdict": "not_run", "message": UNANSWERED, "misconception": None}
    return records


def was_lost(run: Run) -> bool:
    """Tell whether a process ended before its time, so that another run may give more.

    One that hung ("stuck") was ended by the engine itself.
    """
    return bool(run.crashed) or any(
        record.verdict == "error" or record.lost == "crashed" for record in run.records.values()
    )


def cells_that_count(master: Master, rebuilt: Rebuilt) -> tuple[MasterCell, ...]:
    """Return the cells up to the last test, or the last code that is the student's.

    What the course itself still shows after that changes no verdict, and may be slow to show.
    """
    last = 0
    for cell, origin in zip(rebuilt.cells, rebuilt.origins, strict=True):
        theirs = origin is None or cell.source != master.cells[origin].source
        if cell.kind == "code" and (cell.role in ("tests", "exercise") or theirs):
            last = cell.index
    return rebuilt.cells[: last + 1]


def refused(master: Master, rebuilt: Rebuilt, reason: str, status: str = "refused") -> Outcome:
    """Return the outcome of a notebook that could not be read: 0 points, and why."""
    return Outcome(
        rebuilt.student, rebuilt.lesson, rebuilt.part, status, reason,
        exercises=_exercises(master, rebuilt, {}), notes=rebuilt.notes,
    )  # fmt: skip


def failed(rebuilt: Rebuilt, reason: str, detail: str = "") -> Outcome:
    """Return the outcome of a failure of ours; nothing is recorded in the gradebook."""
    return Outcome(
        rebuilt.student, rebuilt.lesson, rebuilt.part, "error", reason, detail=detail, lost=True
    )


def _exercises(
    master: Master, rebuilt: Rebuilt, records: dict[str, Record]
) -> dict[str, dict[str, Any]]:
    tests: dict[str, list[Any]] = {}
    for cell in master.cells:
        if cell.role == "tests":
            tests.setdefault(cell.exercise or cell.grade_id or "", []).append(cell)
    return {
        name: _exercise(cells, records, _is_blank(master, name, rebuilt))
        for name, cells in tests.items()
    }


def _exercise(cells: list[Any], records: dict[str, Record], blank: bool) -> dict[str, Any]:
    found = [records.get(cell.grade_id) for cell in cells]
    earned = [record for record in found if record and record.verdict in ("pass", "partial")]
    lost = [record for record in found if record is None or record.verdict != "pass"]
    if not lost:
        verdict, message = "pass", ""
    elif earned:
        verdict, message = "partial", why(lost[0])
    elif blank:
        verdict, message = "not_run", UNANSWERED
    else:
        ran = any(record is not None and record.verdict != "not_run" for record in lost)
        verdict, message = ("fail" if ran else "not_run"), why(lost[0])
    return {
        "points": sum(record.points for record in earned),
        "max_points": sum(cell.points for cell in cells),
        "verdict": verdict,
        "message": message,
    } | ({"trust": plain.TRUST} if any(map(plain.is_plain, cells)) else {})


def _is_blank(master: Master, exercise: str, rebuilt: Rebuilt) -> bool:
    return any(
        cell.exercise == exercise and cell.grade_id in rebuilt.blank
        for cell in master.cells
        if cell.role == "exercise"
    )


def why(record: Record | None) -> str:
    """Return one line that says why a behaviour was lost."""
    if record is None:
        return "not run"
    return first_line(record.misconception or record.message or record.verdict)


def first_line(text: str, width: int = 200) -> str:
    """Return the first line of a text, cut to `width` characters."""
    line = text.strip().split("\n", 1)[0].strip()
    return line if len(line) <= width else line[: width - 1] + "…"


def _as_sentence(words: str | None) -> list[str]:
    return [words[:1].upper() + words[1:].rstrip(".") + "."] if words else []


def _message(said: list[str], exercises: dict[str, dict[str, Any]]) -> str:
    """Return what a teacher reads in the row: what was odd, or else the first thing lost."""
    if said:
        return shortened(" ".join(said))
    if all(exercise["message"] == UNANSWERED for exercise in exercises.values()):
        return "Nothing was answered." if exercises else ""
    for name, exercise in exercises.items():
        if exercise["message"]:
            return f"{name}: {exercise['message']}"
    return ""


def shortened(text: str, most: int = MESSAGE_LIMIT) -> str:
    """Return a text cut to `most` characters; all of it stands in the notebook's own notes."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


# -- outputs -----------------------------------------------------------------------------------


def clean_outputs(outputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the outputs that nbformat accepts; they come from a process that runs student code."""
    kept: list[dict[str, Any]] = []
    left = OUTPUT_LIMIT
    for output in outputs if isinstance(outputs, list) else []:
        clean = _clean_output(output) if isinstance(output, dict) else None
        if clean is None:
            continue
        left -= len(repr(clean))
        if left < 0:
            kept.append({"output_type": "stream", "name": "stdout", "text": "... output cut ...\n"})
            break
        kept.append(clean)
    return kept


def _clean_output(output: dict[str, Any]) -> dict[str, Any] | None:
    kind = output.get("output_type")
    if kind == "stream":
        name = "stderr" if output.get("name") == "stderr" else "stdout"
        return {"output_type": kind, "name": name, "text": printable(output.get("text"))}
    if kind == "error":
        lines = output.get("traceback")
        return {
            "output_type": kind,
            "ename": printable(output.get("ename")),
            "evalue": printable(output.get("evalue")),
            "traceback": [printable(line) for line in lines] if isinstance(lines, list) else [],
        }
    if kind in ("display_data", "execute_result"):
        return _clean_display(str(kind), output.get("data"))
    return None


def _clean_display(kind: str, data: Any) -> dict[str, Any] | None:
    if not isinstance(data, dict):
        return None
    shown = {
        printable(mime): printable(value) if isinstance(value, str) else _writable(value)
        for mime, value in data.items()
        if isinstance(value, str) or str(mime).endswith("json")
    }
    clean: dict[str, Any] = {"output_type": kind, "data": shown, "metadata": {}}
    return clean | ({"execution_count": None} if kind == "execute_result" else {})


def _writable(value: Any) -> Any:
    """Return JSON-like data without half surrogates; what is no such data becomes None."""
    try:
        return json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
    except (TypeError, ValueError, RecursionError):
        return None


def printable(value: Any) -> str:
    """Return a text that a file can hold: whatever it was, without half surrogates."""
    text = value if isinstance(value, str) else ""
    return text.encode("utf-8", "replace").decode()
