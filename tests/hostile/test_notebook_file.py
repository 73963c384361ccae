"""Hostile files: tags, labels, tests and cells of the submission are claims, never facts."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from nbformat import NotebookNode
from small_course import ANSWERS, LESSON, code, find, hand_in, hand_in_raw

from .pipeline import (
    IGNORES_X,
    Case,
    Graded,
    HandIn,
    answers,
    changed,
    document,
    edit,
    grade_class,
    raw,
)

Cells = list[dict[str, Any]]


def label(**claims: Any) -> Callable[[NotebookNode], object]:
    """Return a change of a cell's nbgrader labels."""
    return lambda cell: cell.metadata.nbgrader.update(claims)


def tagged(*tags: str) -> Callable[[NotebookNode], object]:
    """Return a change that puts tags on a cell."""
    return lambda cell: cell.metadata.update(tags=list(tags))


def source(text: str) -> Callable[[NotebookNode], object]:
    """Return a change of a cell's source."""
    return lambda cell: cell.update(source=text)


WRONG = {"double": IGNORES_X}

TAGS = {
    f"tag {tag} on {place}": Case(edit(place, tagged(tag), **WRONG), 4.0)
    for tag in ("skip-execution", "raises-exception", "remove_cell", "parameters", "nbval-skip")
    for place in ("double-values", "double")
} | {
    "tags of every cell": Case(
        changed(lambda nb: [void_tags(cell) for cell in nb.cells] and None, **WRONG), 4.0,
        words="carries tags of its own",
    ),
    "a tag on honest work": Case(edit("double", tagged("skip-execution"))),
    "tags that are no list": Case(
        document(lambda nb: [c["metadata"].update(tags={"a": 1}) for c in nb["cells"]])
    ),
}  # fmt: skip


def void_tags(cell: NotebookNode) -> None:
    tagged("skip-execution")(cell)


TESTS = {
    "test is pass": Case(edit("double-values", source("pass"), **WRONG), 4.0, words="was edited"),
    "test is empty": Case(edit("double-values", source(""), **WRONG), 4.0, words="was edited"),
    "test shows a number": Case(edit("double-values", source("2.0"), **WRONG), 4.0),
    "test is Markdown": Case(
        edit("double-values", lambda cell: cell.update(cell_type="markdown"), **WRONG), 4.0
    ),
    "test is raw": Case(edit("double-values", lambda c: c.update(cell_type="raw"), **WRONG), 4.0),
    "test passes itself": Case(
        edit("double-values", source('@autograder.test\ndef _(rng):\n    "x"\n'), **WRONG), 4.0
    ),
    "test with an output that passed": Case(
        edit(
            "double-values",
            lambda cell: cell.update(
                outputs=[
                    {"output_type": "stream", "name": "stdout", "text": "double · values: pass\n"},
                    {"output_type": "execute_result", "data": {"text/plain": "2.0"},
                     "metadata": {}, "execution_count": 1},
                ]
            ),
            **WRONG,
        ),
        4.0,
    ),
    "a given cell that patches": Case(
        edit("setup", source("import autograder\nautograder.test = lambda f: None"), **WRONG), 4.0,
        words="was edited",
    ),
    "an allow list of its own": Case(
        edit("double", lambda cell: cell.metadata.autograder.update(allow=["torch", "ctypes"]))
    ),
    "signatures of its own": Case(
        edit("double-values", lambda c: c.metadata.autograder.update(signatures={"": "x"}),
             **WRONG),
        4.0,
    ),
}  # fmt: skip

LABELS = {
    f"label {name}={value!r}": Case(edit("double-values", label(**{name: value}), **WRONG), 4.0)
    for name, value in (
        ("points", 200), ("points", -5), ("points", float("nan")), ("points", "9"),
        ("points", None), ("points", [1]), ("points", 1e400), ("grade", False),
        ("solution", True), ("locked", False), ("task", True), ("schema_version", 0),
        ("schema_version", 2), ("schema_version", 99), ("schema_version", "3"),
        ("schema_version", None), ("schema_version", [3]), ("cell_type", "markdown"),
        ("checksum", "0" * 32), ("grade_id", "double"), ("grade_id", "../../etc/passwd"),
        ("grade_id", ""), ("grade_id", "x" * 100_000), ("grade_id", None), ("grade_id", {}),
    )
} | {
    f"schema {version!r} everywhere": Case(
        document(
            lambda nb, version=version: [
                cell["metadata"]["nbgrader"].update(schema_version=version)
                for cell in nb["cells"] if "nbgrader" in cell["metadata"]
            ]
        )
    )
    for version in (0, 1, 2, 99, "3", None)
} | {
    "flags of all cells flipped": Case(
        changed(lambda nb: flip(nb.cells), **WRONG), 4.0, words="points or flags"
    ),
    "answer labelled as graded": Case(edit("double", label(grade=True, points=100), **WRONG), 4.0),
    "written answer worth more": Case(edit("why", label(points=100))),
}  # fmt: skip


def flip(cells: list[NotebookNode]) -> None:
    for cell in cells:
        if "nbgrader" in cell.metadata:
            for flag in ("grade", "solution", "locked"):
                cell.metadata.nbgrader[flag] = not cell.metadata.nbgrader[flag]


def without(*grade_ids: str) -> Callable[[NotebookNode], None]:
    """Return a change that deletes labelled cells."""

    def change(notebook: NotebookNode) -> None:
        gone = [find(notebook, grade_id) for grade_id in grade_ids]
        notebook.cells = [cell for cell in notebook.cells if not any(cell is one for one in gone)]

    return change


def stripped(cells: Cells) -> None:
    """Lose what Colab and copy and paste lose."""
    for position, cell in enumerate(cells):
        cell["metadata"] = {}
        cell["id"] = f"new-{position}"


def copied(grade_id: str, text: str, after: bool = True) -> Callable[[NotebookNode], None]:
    """Return a change that puts a copy of a cell, with another source, beside it."""

    def change(notebook: NotebookNode) -> None:
        cell = find(notebook, grade_id)
        twin = copy.deepcopy(cell)
        twin.source = text
        notebook.cells.insert(notebook.cells.index(cell) + after, twin)

    return change


def split(notebook: NotebookNode) -> None:
    first = find(notebook, "total")
    first.source = "def helper(a, b):\n    return a + b"
    second = "def total(numbers):\n    out = 0.0\n    for n in numbers:\n"
    second += "        out = helper(out, n)\n    return out"
    notebook.cells.insert(notebook.cells.index(first) + 1, code(second))


def split_with_labels(notebook: NotebookNode) -> None:
    split(notebook)
    first = find(notebook, "total")
    second = notebook.cells[notebook.cells.index(first) + 1]
    second.metadata = copy.deepcopy(first.metadata)


CELLS = {
    "a test deleted": Case(changed(without("double-values"), **WRONG), 4.0, words="put back"),
    "every test deleted": Case(
        changed(without("double-values", "double-shape", "total-values")), words="put back"
    ),
    "a given cell deleted": Case(changed(without("setup"))),
    "an answer deleted": Case(changed(without("double")), 3.0, words="counts as blank"),
    "labels stripped": Case(
        document(lambda nb: stripped(nb["cells"])), words="known by what they define"
    ),
    "labels stripped, wrong": Case(
        changed(lambda nb: stripped(nb.cells), **WRONG), 4.0, words="known by what they define"
    ),
    "labels stripped, reversed": Case(
        document(lambda nb: (stripped(nb["cells"]), nb["cells"].reverse())), score=6.0
    ),
    "test copied": Case(changed(copied("double-values", "pass"), **WRONG), 4.0),
    "test copied before": Case(changed(copied("double-values", "pass", False), **WRONG), 4.0),
    "answer copied": Case(
        changed(copied("double", IGNORES_X)), 4.0, words="was there 2 times; the last changed one"
    ),
    "answer copied as released": Case(
        changed(copied("double", "def double(x):\n    # YOUR CODE HERE\n"
                       "    raise NotImplementedError()")),
        words="was there 2 times; the changed one",
    ),
    "answer copied a hundred times": Case(
        changed(lambda nb: [copied("double", ANSWERS["double"])(nb) for _ in range(100)] and None),
        words="was there 101 times",
    ),
    "answer split": Case(changed(split)),
    "answer split, both labelled": Case(changed(split_with_labels), words="split in 2; joined"),
    "cells reversed": Case(document(lambda nb: nb["cells"].reverse())),
    "cells sorted": Case(document(lambda nb: nb["cells"].sort(key=json.dumps))),
    "an answer in a test's place": Case(
        changed(lambda nb: find(nb, "double-values").metadata.nbgrader.update(grade_id="total"),
                **WRONG),
        4.0, words="was there 2 times",
    ),
    "code typed as Markdown": Case(
        edit("double", lambda cell: cell.update(cell_type="markdown")), words="had become markdown"
    ),
    "no cells": Case(
        document(lambda nb: nb.update(cells=[])), 0.0, words="was deleted; it counts as blank"
    ),
    "another lesson": Case(
        document(lambda nb: nb.update(cells=[{"cell_type": "code", "source": "x = 1",
                                              "metadata": {}, "outputs": []}])),
        0.0, words="another lesson",
    ),
    "own cells everywhere": Case(
        changed(lambda nb: nb.update(cells=[x for c in nb.cells for x in (c, code("1 + 1"))]))
    ),
    "metadata of the notebook": Case(
        document(lambda nb: nb.update(metadata={
            "kernelspec": {"name": "../../evil", "display_name": 3, "language": "bash"},
            "language_info": "x", "autograder": {"lesson": "../other", "names": 5},
            "widgets": {"application/vnd.jupyter.widget-state+json": {"state": {"a" * 99: 1}}},
        }))
    ),
    "metadata is nothing": Case(document(lambda nb: nb.update(metadata=None))),
}  # fmt: skip


def odd_cells(notebook: dict[str, Any]) -> None:
    odd: list[Any] = [
        7, None, [], "x", {}, {"cell_type": "code", "source": 5},
        {"cell_type": "rogue", "source": "x"}, {"cell_type": ["code"]},
        {"cell_type": "code", "source": ["a", 3]},
        {"cell_type": "code", "source": "1", "metadata": 3, "outputs": "x"},
    ]  # fmt: skip
    notebook["cells"] = [*odd, *notebook["cells"], *odd]


def nested(depth: int) -> bytes:
    return b'{"nbformat": 4, "cells": ' + b"[" * depth + b"]" * depth + b"}"


def as_text(data: bytes) -> str:
    return json.dumps(json.loads(data), ensure_ascii=False)


PNG = "iVBORw0KGgo="
FILES = {
    "empty": Case(raw(b""), 0, "refused", "empty file"),
    "blanks": Case(raw(b"\n \n"), 0, "refused", "empty file"),
    "NUL bytes only": Case(raw(b"\0" * 4096), 0, "refused", "damaged"),
    "cut short": Case(raw(lambda data: data[: len(data) // 2]), 0, "refused", "not valid JSON"),
    "two in one": Case(raw(lambda data: data + data), 0, "refused", "not valid JSON"),
    "merge conflict": Case(
        raw(lambda data: b"<<<<<<< HEAD\n" + data + b"\n=======\n" + data + b"\n>>>>>>> x\n"),
        0, "refused", "not valid JSON",
    ),
    "a zip": Case(raw(b"PK\x03\x04" + bytes(range(256))), 0, "refused", "damaged"),
    "a web page": Case(raw(b"<!DOCTYPE html><html></html>"), 0, "refused", "not valid JSON"),
    "a list": Case(raw(b"[1]"), 0, "refused", "not a notebook"),
    "a string": Case(raw(b'"notebook"'), 0, "refused", "not a notebook"),
    "format 5": Case(document(lambda nb: nb.update(nbformat=5)), 0, "refused", "unknown"),
    "format -1": Case(document(lambda nb: nb.update(nbformat=-1)), 0, "refused", "unknown"),
    "format 1e99": Case(document(lambda nb: nb.update(nbformat=10**99)), 0, "refused", "unknown"),
    "format true": Case(document(lambda nb: nb.update(nbformat=True)), 0, "refused"),
    "format 3 of nothing": Case(raw(b'{"nbformat": 3, "worksheets": 7}'), 0, "refused", "upgraded"),
    "minor 99": Case(document(lambda nb: nb.update(nbformat_minor=99))),
    "byte order mark": Case(raw(lambda data: b"\xef\xbb\xbf" + data)),
    "UTF-16": Case(raw(lambda data: as_text(data).encode("utf-16")), words="utf-16"),
    "UTF-16 without mark": Case(raw(lambda data: as_text(data).encode("utf-16-be"))),
    "UTF-32": Case(raw(lambda data: as_text(data).encode("utf-32"))),
    "Latin-1": Case(
        raw(lambda data: data.replace(b"two numbers", b"zw\xf6lf")), 0, "refused", "not text in"
    ),
    "half a surrogate": Case(edit("why", lambda cell: cell.update(source="\ud800 because"))),
    "NUL in a source": Case(edit("total", source(ANSWERS["total"] + "\n# \0")),
                            words="replaced"),
    "deep": Case(raw(nested(200_000)), 0, "refused", "nested too deeply"),
    "fairly deep": Case(raw(nested(900)), 0, words="damaged cell(s)"),
    "deep metadata": Case(
        raw(lambda data: data.replace(
            b'"metadata": {', b'"metadata": {"x": ' + b"[" * 5000 + b"]" * 5000 + b", ", 1)),
        0, "refused", "nested too deeply",
    ),
    "a long number": Case(raw(b'{"cells": ' + b"9" * 100_000 + b"}"), 0, "refused", "number"),
    "NaN and Infinity": Case(document(lambda nb: nb.update(x=float("nan"), y=float("inf")))),
    "every key twice": Case(raw(lambda data: b'{"cells": [], ' + data[1:])),
    "odd cells": Case(document(odd_cells), words="damaged cell(s)"),
    "100,000 cells": Case(
        document(lambda nb: nb.update(cells=[{"cell_type": "code", "source": ""}] * 100_000)),
        0, "refused", "100000 cells",
    ),
    "too many values": Case(raw(b'{"cells": [' + b"[]," * 6_000_000 + b"[]]}"), 0, "refused",
                            "too many values"),
    "a giant attachment": Case(
        document(lambda nb: nb["cells"][0].update(attachments={"a.png": {"image/png":
                                                                         "A" * 51_000_000}})),
        0, "refused", "51 MB",
    ),
    "a large attachment": Case(
        document(lambda nb: nb["cells"][0].update(attachments={"a.png": {"image/png":
                                                                         "A" * 5_000_000}}))
    ),
    "a source of 3 MB": Case(answers(total=ANSWERS["total"] + "\n#" + "x" * 3_000_000), 3.0,
                             words="too long"),
    "a million lines": Case(answers(total=ANSWERS["total"] + "\n" + "a\n" * 1_000_000), 3.0,
                            words="too long"),
    "a picture in an answer": Case(
        edit("why", lambda cell: cell.update(attachments={"a.png": {"image/png": PNG}}))
    ),
    "4,000 copies of a test": Case(
        changed(lambda nb: nb.cells.extend([code("@test\nx")] * 4_000)), words="4000 copies"
    ),
}  # fmt: skip


def sparse(root: Path, student: str, released: NotebookNode) -> None:
    os.truncate(hand_in(root, student, released, ANSWERS), 500_000_000)


def folder_for_notebook(root: Path, student: str, released: NotebookNode) -> None:
    (root / "submitted" / student / LESSON / f"{LESSON}.ipynb").mkdir(parents=True)


def other_name(name: str) -> HandIn:
    """Hand in an honest notebook under another name."""

    def submit(root: Path, student: str, released: NotebookNode) -> None:
        path = hand_in(root, student, released, ANSWERS)
        hand_in_raw(root, student, path.read_bytes(), name=name)
        path.unlink()

    return submit


FILES |= {
    "500 MB": Case(sparse, 0, "refused", "500 MB"),
    "a folder": Case(folder_for_notebook, 0, "refused", "not a plain file"),
    "another name": Case(other_name("final (2).ipynb"), words="was taken for"),
    "a name in capitals": Case(other_name("WORK.IPYNB"), words="was taken for"),
    "no notebook": Case(other_name("notes.txt"), 0, "refused", "is missing"),
}

CASES = TAGS | TESTS | LABELS | CELLS | FILES


def student_id(name: str) -> str:
    """Return a folder name that a gradebook can hold."""
    return name[:60].replace("/", "|")


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Graded:
    """Return the class with every case of this family in it."""
    named = {student_id(name): case for name, case in CASES.items()}
    assert len(named) == len(CASES)
    return grade_class(tmp_path_factory.mktemp("files"), named)


@pytest.mark.parametrize("name", CASES)
def test_a_hostile_file_is_repaired_or_refused(graded: Graded, name: str) -> None:
    graded.check(student_id(name))


def test_the_class_around_them_is_graded(graded: Graded) -> None:
    graded.check_honest()


def test_a_picture_reaches_the_graded_notebook(graded: Graded) -> None:
    cell = find(graded.notebook("a picture in an answer"), "why")
    assert cell.attachments == {"a.png": {"image/png": PNG}}
