"""A class with hostile students among honest ones, from the submitted files to the pages.

    graded = grade_class(tmp_path, {"liar": Case(answers(double=LIAR), score=4.0)})
    graded.check("liar")

Around the hostile students sit a right, a wrong and a blank one, before and after them in the order
of grading; `check_honest` wants their grades whole.
"""

from __future__ import annotations

import csv
import html
import io
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode
from small_course import ANSWERS, LESSON, Change, find, hand_in, hand_in_raw, ready_course

from autograder.cli import main
from autograder.course import Course
from autograder.grading.bridge import Bridge

SECRETS = ("secret_numbers", "hidden_shape", "hidden_list", "HIDDEN TESTS", "model answer")
"""Words that stand only in hidden tests and in model answers."""
IGNORES_X = "def double(x):\n    return x"
"""A wrong answer: it keeps the shape (1 point) and loses the values (2 points)."""
HONEST = {
    "right": (ANSWERS, 6.0),
    "wrong": (ANSWERS | {"double": IGNORES_X}, 4.0),
    "blank": ({}, 0),
}
ACTIVE = {"script", "iframe", "object", "embed", "form", "input", "svg", "link", "base", "meta"}

HandIn = Callable[[Path, str, NotebookNode], object]


@dataclass(frozen=True)
class Case:
    """One hostile submission and what must come of it."""

    submit: HandIn
    score: float | tuple[float, ...] = 6.0
    """Points that are right; several where what dies first is a matter of time."""
    status: str = "graded"
    """What the row's status may be; several with | between them."""
    words: str = ""
    """What the row's sentence or its suspicions must say."""


def answers(**sources: str) -> HandIn:
    """Hand in the right answers with some replaced."""
    return lambda root, student, released: hand_in(root, student, released, ANSWERS | sources)


def changed(change: Change, **sources: str) -> HandIn:
    """Hand in right answers with some replaced, in a notebook that was changed."""
    return lambda root, student, released: hand_in(
        root, student, released, ANSWERS | sources, change
    )


def raw(data: bytes | Callable[[bytes], bytes]) -> HandIn:
    """Hand in bytes; a function makes them from an honest notebook's bytes."""

    def submit(root: Path, student: str, released: NotebookNode) -> None:
        path = hand_in(root, student, released, ANSWERS)
        hand_in_raw(root, student, data if isinstance(data, bytes) else data(path.read_bytes()))

    return submit


def document(change: Callable[[dict[str, Any]], object]) -> HandIn:
    """Hand in an honest notebook whose plain JSON was changed in place."""

    def edit(data: bytes) -> bytes:
        loaded = json.loads(data)
        change(loaded)
        return json.dumps(loaded).encode()

    return raw(edit)


def edit(grade_id: str, change: Callable[[NotebookNode], object], **sources: str) -> HandIn:
    """Hand in right answers with some replaced, and one labelled cell changed."""
    return changed(lambda notebook: void(change(find(notebook, grade_id))), **sources)


def void(_: object) -> None:
    """Take a value and return nothing, for a lambda that is called for its effect."""


@dataclass
class Graded:
    """A graded class, and all that a teacher or a student can see of it."""

    course: Course
    cases: dict[str, Case]
    rows: dict[str, dict[str, Any]]
    errors: str
    pages: dict[str, Page]
    export: dict[str, dict[str, str]]
    bridge: Bridge = field(repr=False)

    def check(self, name: str) -> None:
        """Assert everything that the table asks for about one hostile student."""
        case, row = self.cases[name], self.rows[name]
        scores = case.score if isinstance(case.score, tuple) else (case.score,)
        assert row["status"] in case.status.split("|") and row["score"] in scores, row
        said = " ".join([row["message"], *row["suspicions"]])
        assert case.words.lower() in said.lower(), said
        check_sentence(row)
        self.check_kept(name)
        self.check_seen(name)

    def check_kept(self, name: str) -> None:
        """Assert that gradebook, export and graded notebook say what the row says."""
        row = self.rows[name]
        marks = self.bridge.marks(name, LESSON)
        assert (marks.score, marks.max_score) == (row["score"], row["max_score"])
        (line,) = (one for one in self.export if one.removeprefix("'") == name)
        assert float(self.export[line]["score"]) == row["score"]
        notebook = self.notebook(name)
        nbformat.validate(notebook)
        graded = [
            cell.metadata.nbgrader.grade_id
            for cell in notebook.cells
            if cell.metadata.get("nbgrader", {}).get("grade")
        ]
        assert graded == ["double-values", "double-shape", "total-values", "why"]

    def check_seen(self, name: str) -> None:
        """Assert that nothing a student reads shows hidden text or does anything."""
        shown = [json.dumps(self.rows[name])]
        for cell in self.notebook(name).cells:
            shown += [json.dumps(output) for output in cell.get("outputs", [])]
            shown.append(json.dumps(cell.metadata.get("autograder", {}).get("record", {})))
        page = self.pages[name]
        shown += [page.source, page.text, html.unescape(page.source)]
        found = [(word, text[:2_000]) for word in SECRETS for text in shown if word in text]
        assert found == [], "hidden text is shown"
        page.check_inert()

    def notebook(self, name: str) -> NotebookNode:
        """Return the graded notebook, as formgrader shows it."""
        return nbformat.read(self.bridge.autograded(name, LESSON), as_version=4)

    def check_honest(self) -> None:
        """Assert that the class around the hostile ones is graded as if they were not there."""
        for place in ("0", "m", "z"):
            for kind, (_, score) in HONEST.items():
                row = self.rows[f"{place}_{kind}"]
                assert (row["status"], row["score"]) == ("graded", score), row
                self.check_kept(f"{place}_{kind}")
                self.check_seen(f"{place}_{kind}")
        assert "Traceback" not in self.errors
        left = list((self.course.root / ".autograder").glob("staged/*"))
        assert left == [], "nothing half-done is left"


def check_sentence(row: dict[str, Any]) -> None:
    """Assert that a row says in words what was odd, for a person, on one line."""
    message = row["message"]
    assert len(message) < 1_000 and message.isprintable(), message
    assert "Traceback" not in message
    if row["status"] in ("refused", "error"):
        assert message.endswith(".") and not message[:1].islower(), message


class Page(HTMLParser):
    """What a browser would act on in a feedback page, and the text in between."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.source = source
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.feed(source)
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def check_inert(self) -> None:
        """Assert that nothing on the page runs, loads or leads astray."""
        own = [tag for tag, _ in self.tags if tag == "meta"]
        assert len(own) == 3, "charset, viewport and the policy are the page's own"
        for tag, attributes in self.tags:
            assert tag == "meta" or tag not in ACTIVE, (tag, attributes)
            for name, value in attributes.items():
                flat = re.sub(r"[\s\0]", "", value).lower()
                assert not name.startswith("on"), (tag, name, value)
                assert "javascript:" not in flat and "vbscript:" not in flat, (tag, name, value)
                assert "url(" not in flat and "@import" not in flat, (tag, name, value)
                if name in ("src", "href", "srcset", "action", "data", "poster", "xlink:href"):
                    assert flat.startswith(("data:image/", "#", "https:", "http:", "mailto:"))
                    assert tag == "a" or flat.startswith("data:image/"), (tag, name, value)


def grade_class(root: Path, cases: dict[str, Case], settings: str = "") -> Graded:
    """Hand in, grade from the command line, and make every page and table."""
    course, released = ready_course(root)
    with (root / "nbgrader_config.py").open("a") as file:
        file.write(settings)
    for place in ("0", "m", "z"):
        for kind, (given, _) in HONEST.items():
            hand_in(root, f"{place}_{kind}", released, given)
    for name, case in cases.items():
        case.submit(root, name, released)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        status, out, errors = run_command("grade", "1", "--json")
        assert status in (0, 1), errors
        rows = {row["student"]: row for row in json.loads(out)}
        assert len(json.loads(out)) == len(rows) == len(cases) + 9, set(cases) - set(rows)
        for verb in ("feedback", "report"):
            status, _, said = run_command(verb, "1")
            assert status == 0, (said, [row for row in rows.values() if row["status"] == "error"])
        status, table, _ = run_command("export", "1")
        assert status == 0
    bridge = Bridge(course)
    pages = {
        path.parent.parent.name: Page(path.read_text())
        for path in root.glob(f"feedback/*/{LESSON}/*.html")
    }
    export = {row["student"]: row for row in csv.DictReader(io.StringIO(table))}
    return Graded(course, cases, rows, errors, pages, export, bridge)


def run_command(*arguments: str) -> tuple[int, str, str]:
    """Run one command of `autograder`; return exit status, standard output and error."""
    from contextlib import redirect_stderr, redirect_stdout

    out, errors = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(errors):
        status = main(list(arguments))
    return status, out.getvalue(), errors.getvalue()
