"""A lesson as a solved notebook: every marker expanded to nbgrader's metadata and ours.

`PARTS` is the table of roles; each function makes the notebook cells of one master cell. What is
made here and does not stand in the master (cards, folded hints, ids) is undone by `adopt`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import nbformat
from nbformat.notebooknode import NotebookNode

from autograder.checks.guard import in_words
from autograder.lesson.model import Cell, Exercise, Lesson
from autograder.lesson.parse import HINTS, sentence, test_function
from autograder.lesson.regions import take
from autograder.lesson.source import bound_names

Signatures = Mapping[str, Mapping[str, str]]
"""grade id of a test cell -> {hash of a wrong answer's rounded outputs: its sentence}."""

GO_ON = ["raises-exception"]
"""Tag of cells whose error does not stop JupyterLab's Run All Cells: a check that fails, say."""
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
_FOLDED = re.compile(r"<details>\s*<summary>.*?</summary>\s*(.*?)\s*</details>", re.DOTALL)


@dataclass(frozen=True)
class Built:
    """One notebook cell and where it comes from."""

    origin: int
    """Position of the master's cell in `Lesson.cells`."""
    part: str
    """`main`, or `card` or `rubric` for what the build adds beside it."""
    node: NotebookNode


def solved_notebook(lesson: Lesson, signatures: Signatures | None = None) -> NotebookNode:
    """Return the solved notebook: a complete nbgrader source, without outputs."""
    notebook = nbformat.v4.new_notebook()
    notebook.nbformat_minor = 5
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": dict(lesson.header.get("kernelspec", KERNEL)),
            "autograder": {
                "lesson": lesson.slug,
                "number": lesson.number,
                "title": lesson.title,
                "minutes": lesson.minutes,
                "needs": list(lesson.needs),
                "covers": dict(lesson.covers),
                "names": notebook_names(lesson),
            },
        }
    )
    notebook.cells = [built.node for built in built_cells(lesson, signatures or {})]
    return notebook


def notebook_names(lesson: Lesson) -> list[str]:
    """Return the names that the solved notebook binds at top level; test cells bind none."""
    return bound_names(
        cell.source for cell in lesson.cells if cell.kind == "code" and cell.role != "tests"
    )


def built_cells(lesson: Lesson, signatures: Signatures) -> list[Built]:
    """Return the cells of the solved notebook with their origins, ids set."""
    built = [
        Built(origin, part, node)
        for origin, cell in enumerate(lesson.cells)
        for part, node in PARTS[cell.role](lesson, cell, signatures)
    ]
    _set_ids([item.node for item in built])
    return built


def write_notebook(notebook: NotebookNode) -> bytes:
    """Return the bytes of a notebook as nbformat writes them, ending in one newline."""
    text = nbformat.writes(notebook, version=nbformat.NO_CONVERT, sort_keys=True, indent=1)
    return (text.rstrip("\n") + "\n").encode("utf-8")


def fold_hint(text: str, number: int) -> str:
    """Return hint `number` (from 0) as a part of the page that opens on a click."""
    title = f"Hint {number + 1}: {HINTS[number]}"
    return f"<details><summary>{title}</summary>\n\n{text.strip()}\n\n</details>"


def unfold_hint(text: str) -> str:
    """Undo `fold_hint`; text that is not folded comes back as it is."""
    match = _FOLDED.fullmatch(text.strip())
    return match[1] if match else text


Parts = Iterator[tuple[str, NotebookNode]]


def _plain(lesson: Lesson, cell: Cell, signatures: Signatures) -> Parts:
    node = _node(cell, cell.source, {"role": cell.role})
    if cell.kind == "code":
        node.metadata["tags"] = GO_ON
    yield "main", node


def _given(lesson: Lesson, cell: Cell, signatures: Signatures) -> Parts:
    yield "main", _node(cell, cell.source, {"role": "given"}, _grader(cell.name, locked=True))


def _prompt(lesson: Lesson, cell: Cell, signatures: Signatures) -> Parts:
    kind = "exercise" if lesson.exercise(cell.name) else "written"
    yield "main", _node(cell, cell.source, {"role": "prompt", kind: cell.name})


def _hint(lesson: Lesson, cell: Cell, signatures: Signatures) -> Parts:
    hints = [other for other in lesson.cells if other.role == "hint" and other.name == cell.name]
    number = next(index for index, other in enumerate(hints) if other is cell)
    yield (
        "main",
        _node(cell, fold_hint(cell.source, number), {"role": "hint", "exercise": cell.name}),
    )


def _answer(lesson: Lesson, cell: Cell, signatures: Signatures) -> Parts:
    exercise = lesson.exercise(cell.name)
    assert exercise is not None
    card = nbformat.v4.new_markdown_cell(card_text(exercise))
    card.metadata["autograder"] = {"role": "card", "card": True, "exercise": cell.name}
    yield "card", card
    facts = {
        "role": "exercise",
        "exercise": exercise.name,
        "minutes": exercise.minutes,
        "difficulty": exercise.difficulty,
        "importance": exercise.importance,
        "allow": list(exercise.allow),
    }
    yield "main", _node(cell, cell.source, facts, _grader(cell.name, solution=True))


def _tests(lesson: Lesson, cell: Cell, signatures: Signatures) -> Parts:
    exercise = lesson.exercise(cell.name)
    grade_id = cell.grade_id
    assert exercise is not None and grade_id is not None
    facts = {
        "role": "tests",
        "exercise": cell.name,
        "behaviour": cell.marker["behaviour"],
        "sentence": sentence(test_function(cell)),
        "allow": list(exercise.allow),
        "signatures": dict(signatures.get(grade_id, {})),
    }
    graded = _grader(grade_id, grade=True, locked=True, points=cell.marker["points"])
    node = _node(cell, cell.source, facts, graded)
    node.metadata["tags"] = GO_ON
    yield "main", node


def _written(lesson: Lesson, cell: Cell, signatures: Signatures) -> Parts:
    """The rubric stands in a locked cell of its own, which nbgrader restores for the grader.

    nbgrader's manually graded *task* would hold a rubric too, but with a second score box that
    stays pending beside the answer's.
    """
    points = cell.marker["points"]
    answer, schemes = take(cell.source, "MARK SCHEME")
    text = "\n\n".join([_written_card(points), *schemes])
    facts = {"written": cell.name}
    rubric = _grader(f"{cell.name}-rubric", locked=True)
    yield "rubric", _node(cell, text, {"role": "rubric", **facts}, rubric)
    graded = _grader(cell.name, grade=True, solution=True, points=points)
    yield "main", _node(cell, answer.strip("\n"), {"role": "written", **facts}, graded)


PARTS: Mapping[str, Callable[[Lesson, Cell, Signatures], Parts]] = {
    "prose": _plain,
    "code": _plain,
    "given": _given,
    "prompt": _prompt,
    "hint": _hint,
    "exercise": _answer,
    "tests": _tests,
    "written": _written,
}


def card_text(exercise: Exercise) -> str:
    """Return the card of an exercise: what it asks and every behaviour it is graded by."""
    head = (
        f"**Exercise `{exercise.name}`** · about {exercise.minutes} min · "
        f"difficulty {exercise.difficulty} of 5 · importance {exercise.importance} of 5 · "
        f"{_count(exercise.points)}"
    )
    checks = [f"* {item.sentence} *({_count(item.points)})*" for item in exercise.behaviours]
    names = in_words(exercise.allow, "`")
    tools = f"{names} and Python's own library" if names else "Python's own library alone"
    checked = "What is checked, on the cases shown and on others:"
    return "\n".join([head, "", checked, "", *checks, "", f"You may use {tools}."])


def _written_card(points: int) -> str:
    return f"**In your own words** · {_count(points)}, read and marked by a person"


def _count(points: int) -> str:
    return f"{points} point" + ("" if points == 1 else "s")


def _grader(grade_id: str, **flags: Any) -> dict[str, Any]:
    base = {"schema_version": 3, "grade": False, "locked": False, "solution": False, "task": False}
    return {**base, "grade_id": grade_id, **flags}


def _node(
    cell: Cell, source: str, facts: Mapping[str, Any], grader: Mapping[str, Any] | None = None
) -> NotebookNode:
    make = nbformat.v4.new_markdown_cell if cell.kind == "markdown" else nbformat.v4.new_code_cell
    node: NotebookNode = make(source)
    node.metadata["autograder"] = dict(facts)
    if grader is not None:
        node.metadata["nbgrader"] = dict(grader)
    return node


def _set_ids(nodes: list[NotebookNode]) -> None:
    """Give each cell its grade id, or a hash of its content; equal contents are counted."""
    seen: dict[str, int] = {}
    for node in nodes:
        grade_id = node.metadata.get("nbgrader", {}).get("grade_id")
        if grade_id is None:
            role = node.metadata["autograder"]["role"]
            digest = hashlib.sha256(f"{role}\n{node.source}".encode()).hexdigest()[:12]
            seen[digest] = seen.get(digest, 0) + 1
            count = seen[digest]
            grade_id = digest if count == 1 else f"{digest}-{count}"
        node["id"] = grade_id
