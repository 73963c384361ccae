"""Plain test cells, as any nbgrader course has them: run beside the student's code.

A cell with `@autograder.test` is judged by the tester, outside the student's process. Any other
test cell runs as stock nbgrader runs it, after the student's cells and in their namespace, hidden
tests included, and nbgrader's own rule reads its outputs: an error or a word on standard error is
0 points, a displayed number is partial credit, anything else is full points. Whoever owns the
process can forge such outputs, so these verdicts carry a label: `trust` is "plain".
"""

from __future__ import annotations

import ast
import builtins
from typing import TYPE_CHECKING, Any

from autograder.master import MasterCell

if TYPE_CHECKING:
    from autograder.engine.record import Record

TRUST = "plain"


def is_plain(cell: MasterCell) -> bool:
    """Tell whether a test cell is one that does not know our `test`."""
    if cell.role != "tests" or cell.behaviour is not None:
        return False
    try:
        body = ast.parse(cell.source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return True  # magics and shell lines are IPython's to read
    return not any(
        _names_test(decorator)
        for step in body
        if isinstance(step, ast.FunctionDef)
        for decorator in step.decorator_list
    )


def _names_test(decorator: ast.expr) -> bool:
    return ast.unparse(decorator) in ("test", "autograder.test")


def judge(cell: MasterCell, outputs: list[dict[str, Any]], guarded: bool = False) -> Record:
    """Return the record of a plain test cell by nbgrader's rule.

    `guarded` says that the process has held a hidden test: its words may quote it.
    """
    said = _complaint(cell, outputs, guarded)
    try:
        points = _grade(cell, outputs)
    except Exception as error:  # outputs that nbgrader would stop the whole notebook for
        why = "" if guarded else f": {error}"
        return record(cell, "fail", 0.0, f"nbgrader cannot read the cell's output{why}")
    if said or (points <= 0 < cell.points):
        return record(cell, "fail", 0.0, said or "the check gave 0 points")
    if points < cell.points:
        return record(cell, "partial", points, f"the check gave {points:g} of {cell.points:g}")
    return record(cell, "pass", points)


def record(cell: MasterCell, verdict: str, points: float, message: str = "") -> Record:
    """Return a record of lower trust."""
    from autograder.engine.record import Record  # the engine's own modules import this one

    return Record(
        grade_id=cell.grade_id or "",
        exercise=cell.exercise or "",
        behaviour=cell.behaviour or "",
        verdict=verdict,
        points=points,
        max_points=cell.points,
        message=message,
        trust=TRUST,
    )


def _grade(cell: MasterCell, outputs: list[dict[str, Any]]) -> float:
    # Imported here: only courses with plain cells need nbgrader where notebooks are run.
    from nbformat import NotebookNode, from_dict
    from nbgrader.utils import determine_grade

    labels = {"grade": True, "solution": False, "points": cell.points}
    node = NotebookNode(
        cell_type="code",
        source=cell.source,
        metadata=from_dict({"nbgrader": labels}),
        outputs=[from_dict(output) for output in outputs],
    )
    points, _ = determine_grade(node)
    return float(points or 0.0)


def _complaint(cell: MasterCell, outputs: list[dict[str, Any]], guarded: bool) -> str:
    """Return what went wrong in words, '' for nothing.

    A student reads this. Of a process that has held hidden tests only such words are passed on as
    stand in the released part of the cell.
    """
    shown = cell.released_source
    for output in outputs:
        if output.get("output_type") == "error":
            name, value = str(output.get("ename")), str(output.get("evalue", "")).strip()
            if guarded:
                name = name if hasattr(builtins, name) or name in shown else "an error"
                value = value if value in shown else ""
            return f"{name}: {value}"[:500] if value else name
        if output.get("output_type") == "stream" and output.get("name") == "stderr":
            text = "" if guarded else ": " + str(output.get("text", "")).strip()[:300]
            return f"it wrote to standard error, which nbgrader counts as failed{text}"
        if output.get("output_type") == "execute_result":
            return ""  # nbgrader looks no further
    return ""


def hides(cell: MasterCell) -> bool:
    """Tell whether a test cell holds tests that students do not receive."""
    return cell.hides
