"""Feedback pages: one self-contained HTML file per notebook, made by nbgrader's own converter.

A page shows the student's work, each behaviour's verdict in words, points and comments. It holds no
hidden test, no mark scheme and nothing that runs, and it can be read without a network.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from nbconvert.exporters import HTMLExporter
from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor
from nbformat import NotebookNode
from nbgrader import utils
from nbgrader.converters import GenerateFeedback
from nbgrader.preprocessors import (
    ClearHiddenTests,
    ClearMarkScheme,
    GetGrades,
    NbGraderPreprocessor,
)
from traitlets import default

from autograder.grading import inert
from autograder.grading.bridge import Bridge
from autograder.grading.table import number
from autograder.grading.unit import UNANSWERED, first_line

TEMPLATES = Path(__file__).parent / "templates"

VERDICTS = {
    "pass": "passed",
    "partial": "partly passed",
    "fail": "not yet",
    "error": "could not be checked",
    "not_run": "not run",
    "waits": "waits for a mark by hand",
    "marked": "marked by hand",
}
"""What a reader sees for each verdict; colours only repeat these words."""


def _by_student(cell: NotebookNode) -> bool:
    """Tell whether a cell's source is the student's: no text of the course can stand in it."""
    ours = cell.metadata.get("autograder", {})
    restored = utils.is_grade(cell) or utils.is_locked(cell)
    changed = bool(ours.get("changed")) and not restored
    return utils.is_solution(cell) or ours.get("role") == "own" or changed


class _CourseCells(NbGraderPreprocessor):
    """Lets a step see the course's cells only.

    A student may write nbgrader's marks anywhere, and is shown their own words as they stand.
    """

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict[str, Any], cell_index: int
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Pass on a cell of the course, and leave a student's as it is."""
        if not _by_student(cell):
            cell, resources = super().preprocess_cell(cell, resources, cell_index)
        return cell, resources


class ClearTests(_CourseCells, ClearHiddenTests):
    """nbgrader's ClearHiddenTests for the course's cells."""


class ClearScheme(_CourseCells, ClearMarkScheme):
    """nbgrader's ClearMarkScheme for the course's cells."""


class GetMarks(GetGrades):
    """nbgrader's GetGrades, and what still waits for a person."""

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict[str, Any], cell_index: int
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Put score, comment and state of one cell into its metadata."""
        cell, resources = super().preprocess_cell(cell, resources, cell_index)
        if utils.is_grade(cell):
            grade = self.gradebook.find_grade(
                cell.metadata.nbgrader["grade_id"],
                self.notebook_id,
                self.assignment_id,
                self.student_id,
            )
            ours = cell.metadata.setdefault("autograder", NotebookNode())
            ours["waits"] = bool(grade.needs_manual_grade)
            ours["by_hand"] = grade.manual_score is not None
            ours["extra_credit"] = float(grade.extra_credit or 0.0)
        return cell, resources


class Explain(GetGrades):
    """Turn records into what the page says, and drop what a student may not read."""

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Collect the page's parts in `resources["feedback"]`."""
        tests = [cell for cell in nb.cells if utils.is_grade(cell)]
        for cell in tests:
            cell.metadata["feedback"] = NotebookNode(_verdict(cell))
            if not utils.is_solution(cell):
                cell.outputs = []
        resources["feedback"] = {
            "title": nb.metadata.get("autograder", {}).get("title", _title(resources)),
            "outcome": nb.metadata.get("autograder", {}).get("outcome", {}),
            "rows": [cell.metadata.feedback for cell in tests],
            "parts": _parts(nb.cells),
            "score": number(resources["nbgrader"]["score"]),
            "max_score": number(resources["nbgrader"]["max_score"]),
            "waiting": sum(cell.metadata.feedback.word == VERDICTS["waits"] for cell in tests),
        }
        return nb, resources


def _title(resources: dict[str, Any]) -> str:
    """Return the names of an assignment and its notebook, once where they are the same."""
    about = resources["nbgrader"]
    return ": ".join(dict.fromkeys((about["assignment"], about["notebook"])))


def _verdict(cell: NotebookNode) -> dict[str, Any]:
    """Return one graded cell's line: what was asked, how it went, why, points."""
    ours, theirs = cell.metadata.get("autograder", {}), cell.metadata.nbgrader
    record = ours.get("record", {})
    points, highest = float(theirs.get("score") or 0.0), float(theirs.get("points") or 0.0)
    if ours.get("waits"):
        kind = "waits"
    elif utils.is_solution(cell) or ours.get("by_hand"):
        kind = "marked" if ours.get("by_hand") else "not_run"
    else:
        kind = record.get("verdict") or ("pass" if points >= highest else "fail")
    message = "" if kind in ("pass", "waits") else record.get("message") or _stock_message(cell)
    lost = kind != "pass"
    unanswered = kind == "not_run" and (utils.is_solution(cell) or message == UNANSWERED)
    return {
        "grade_id": theirs["grade_id"],
        "exercise": ours.get("exercise") or theirs["grade_id"],
        "sentence": inert.render_words(ours.get("sentence") or _asked(cell)),
        "kind": kind,
        "word": "no answer" if unanswered else VERDICTS[kind],
        "message": "" if unanswered else message,
        "misconception": inert.render_words(record.get("misconception") or "") if lost else "",
        "printed": record.get("printed", ""),
        "points": number(points),
        "highest": number(highest),
    }


def _asked(cell: NotebookNode) -> str:
    return "Your written answer" if utils.is_solution(cell) else "The check passes."


def _stock_message(cell: NotebookNode) -> str:
    """Return what an error output says, without its traceback: that would quote the test."""
    for output in cell.get("outputs", []):
        if output.output_type == "error":
            return first_line(f"{output.ename}: {output.evalue}" if output.evalue else output.ename)
    return ""


def _parts(cells: list[NotebookNode]) -> list[dict[str, Any]]:
    """Return the cells that the page shows, each with how it is shown."""
    ours = any(cell.metadata.get("autograder", {}).get("role") for cell in cells)
    parts = []
    for cell in cells:
        role = cell.metadata.get("autograder", {}).get("role", "")
        if utils.is_solution(cell):
            show = "answer"
        elif utils.is_grade(cell):
            show = "test"
        elif role in ("own", "prompt") or not ours:
            show = role or "context"
        elif cell.metadata.autograder.get("changed"):
            show = "changed"
        else:
            heading = _heading(cell)
            if heading:
                parts.append({"show": "heading", "cell": cell, "text": heading})
            continue
        parts.append({"show": show, "cell": cell, "text": ""})
    return _headed(parts)


def _headed(parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the parts without headings that nothing stands under."""
    after = [*parts[1:], {"show": "heading"}]
    return [
        part
        for part, following in zip(parts, after, strict=True)
        if not part["show"] == following["show"] == "heading"
    ]


def _heading(cell: NotebookNode) -> str:
    lines = cell.source.splitlines() if cell.cell_type == "markdown" else []
    return next((line.lstrip("# ") for line in lines if line.startswith(("# ", "## "))), "")


class FeedbackExporter(HTMLExporter):
    """nbconvert's HTML exporter with our page."""

    @default("template_name")
    def _template_name_default(self) -> str:
        return "feedback_page"

    @default("extra_template_basedirs")
    def _extra_template_basedirs_default(self) -> list[str]:
        return [str(TEMPLATES)]


class FeedbackPages(GenerateFeedback):
    """nbgrader's GenerateFeedback with our preprocessors and exporter."""

    def __init__(self, sources: Iterable[Path], **kwargs: Any) -> None:
        """`sources` are one student's graded notebooks."""
        super().__init__(**kwargs)
        self.sources = [str(path) for path in sources]
        # nbgrader's own choice of page is in the configuration by now.
        self.config.HTMLExporter.template_name = "feedback_page"
        self.config.HTMLExporter.extra_template_basedirs = [str(TEMPLATES)]
        self.config.HTMLExporter.filters = {"markdown2html": inert.render_markdown}
        self.config.HTMLExporter.preprocessors = []
        self.exporter_class = FeedbackExporter
        self.preprocessors = [
            ClearTests, ClearScheme, GetMarks, Explain, inert.Inert,
            CSSHTMLHeaderPreprocessor,
        ]  # fmt: skip

    def init_notebooks(self) -> None:
        """Name the notebooks, whatever characters the student's id holds."""
        self.notebooks: list[str] = []
        self.assignments = {os.path.dirname(self.sources[0]): self.sources}

    def init_assignment(self, assignment_id: str, student_id: str) -> None:
        """Copy nothing beside the page."""


def write_feedback(bridge: Bridge, student: str, lesson: str) -> list[Path]:
    """Write `feedback/<student>/<lesson>/<notebook>.html`; raises `BridgeError`."""
    sources = bridge.graded_parts(student, lesson, bridge.parts(lesson))
    with bridge.place(assignment_id=lesson, student_id=student):
        converter = FeedbackPages(sources.values(), coursedir=bridge.coursedir, parent=bridge.app)
        converter.force = True
        converter.log.setLevel(logging.ERROR)
        bridge.start(converter)
    folder = bridge.coursedir.format_path(bridge.coursedir.feedback_directory, student, lesson)
    return [Path(folder) / f"{part}.html" for part in sources]
