"""An assignment of several notebooks, as `nbgrader quickstart` makes it: graded as stock does it.

Two copies of one class, one graded by our engine and one by nbgrader's own, and what a class of
such assignments needs besides: runs that go on, tests that are mended, pages, tables, `check`.
"""

from __future__ import annotations

import csv
import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
import several_course
from class_of_many import wait_for
from nbgrader.api import MissingEntry
from plain_course import labelled
from several_course import FIRST, LESSON, PARTS, SECOND, STUDENTS, class_course, edit, hand_in
from small_course import find

from autograder.cli import main
from autograder.course import Course, find_course
from autograder.grading import beside, cluster, ledger, unit
from autograder.grading.bridge import Bridge
from autograder.grading.classroom import Classroom, Plan
from autograder.grading.intake import Refused, read_submission
from autograder.grading.rebuild import rebuild
from autograder.grading.rows import Row

STOCK_FAILS = ("broken", "dies")
"""Students of whose work nbgrader's own autograde grades nothing at all."""

Graded = tuple[Classroom, dict[str, Row]]


def grade(root: Path, engine: str = "fast", **plan: Any) -> Graded:
    room = Classroom(find_course(root), LESSON)
    rows = room.grade(engine=engine, plan=Plan(**plan) if plan else None)
    return room, {row.student: row for row in rows}


@pytest.fixture(scope="module")
def fast(tmp_path_factory: pytest.TempPathFactory) -> Graded:
    return grade(class_course(tmp_path_factory.mktemp("fast") / "course")[0])


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Graded:
    students = [name for name in STUDENTS if name not in STOCK_FAILS]
    return grade(class_course(tmp_path_factory.mktemp("stock") / "course", students)[0], "stock")


def tables(bridge: Bridge, student: str) -> dict[str, Any]:
    """Return what nbgrader's own tables say of a submission, notebook by notebook."""
    with bridge.gradebook() as gradebook:
        submission = gradebook.find_submission(LESSON, student)
        found: dict[str, Any] = {"": (submission.score, submission.needs_manual_grade)}
        for one in submission.notebooks:
            found[one.name] = (one.score, one.max_score, one.needs_manual_grade)
            for row in one.grades:
                about = (row.auto_score or 0.0, row.manual_score, row.needs_manual_grade)
                found[f"{one.name}/{row.name}"] = about
        return found


# -- the same scores as stock ------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("student", [name for name in STUDENTS if name not in STOCK_FAILS])
def test_scores_are_those_of_stock_nbgrader(student: str, fast: Graded, stock: Graded) -> None:
    (room, rows), (other, expected) = fast, stock
    assert tables(room.bridge, student) == tables(other.bridge, student)
    row, theirs = rows[student], expected[student]
    assert (row.score, row.max_score) == (theirs.score, theirs.max_score)
    assert row.manual_pending == theirs.manual_pending
    mine = {name: one["points"] for name, one in row.exercises.items()}
    assert mine == {name: one["points"] for name, one in theirs.exercises.items()}


@pytest.mark.slow
def test_the_rows(fast: Graded) -> None:
    shown = {name: (row.status, row.score) for name, row in fast[1].items()}
    assert shown == {
        "right": ("graded", 5.25),
        "wrong": ("graded", 0.75),
        "no_second": ("partial", 3.0),
        "no_first": ("partial", 2.25),
        "blank": ("graded", 0.25),
        "half": ("graded", 3.25),
        "own_files": ("graded", 5.25),
        "brings": ("graded", 5.25),
        "extra": ("graded", 5.25),
        "broken": ("partial", 3.0),
        "dies": ("partial", 2.25),
    }
    rows = fast[1]
    assert rows["no_second"].message == ("problem2: The notebook was not handed in; it scores 0.")
    assert rows["broken"].message.startswith("problem2: The notebook is not valid JSON")
    assert "attempt.ipynb" in rows["extra"].message
    assert rows["dies"].message == "problem1: Cell 6 was left out: it ended the whole process."
    names = list(rows["right"].exercises)
    assert names.count("problem1/correct_squares") == names.count("problem2/correct_squares") == 1
    assert all(name.startswith(("problem1/", "problem2/")) for name in names)
    assert {one["trust"] for one in rows["right"].exercises.values()} == {"plain"}
    assert rows["no_second"].exercises["problem2/in_file"]["verdict"] == "not_run"


@pytest.mark.slow
def test_a_broken_part_costs_its_own_points_only(fast: Graded) -> None:
    bridge = fast[0].bridge
    assert tables(bridge, "broken") == tables(bridge, "no_second")


@pytest.mark.slow
def test_the_graded_folder_holds_the_course_s_own_files(fast: Graded) -> None:
    folder = fast[0].bridge.autograded("own_files", LESSON).parent
    assert (folder / "numbers.csv").read_text() == several_course.NUMBERS
    assert (folder / "helper.py").read_text() == several_course.HELPER
    theirs = fast[0].bridge.autograded("brings", LESSON).parent
    assert (theirs / "mine" / "__init__.py").is_file() and not (folder / "mine").exists()
    assert (folder / "jupyter.png").is_file() and (folder / "data" / "more.csv").is_file()
    assert sorted(path.name for path in folder.glob("*.ipynb")) == [f"{one}.ipynb" for one in PARTS]


# -- pages and tables --------------------------------------------------------------------------


@pytest.mark.slow
def test_pages_of_both_parts(fast: Graded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(fast[0].course.root)
    assert main(["feedback", LESSON]) == 0
    pages = {
        (path.parent.parent.name, path.stem): path.read_text()
        for path in Path("feedback").glob("*/*/*.html")
    }
    assert set(pages) == {(student, part) for student in STUDENTS for part in PARTS}
    assert "3 of 13 points" not in pages["right", "problem2"]
    assert "ps1: problem1" in pages["right", "problem1"]
    assert "2.25 of 5.25 points" in pages["right", "problem2"]
    assert "The notebook was not handed in" in pages["no_second", "problem2"]
    assert "could not be read" in pages["broken", "problem2"]
    for page in pages.values():
        assert "hidden.txt" not in page and "HIDDEN" not in page and "111" not in page


@pytest.mark.slow
def test_report_and_export(
    fast: Graded, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(fast[0].course.root)
    assert main(["report", LESSON, "--json"]) == 0
    lines = {one["exercise"]: one for one in json.loads(capsys.readouterr().out)}
    counts = {
        name: tuple(lines[name][key] for key in ("passed", "answered", "blank"))
        for name in ("problem1/correct_squares", "problem2/correct_squares", "problem2/in_file")
    }
    # Of eleven students one gave in no first part, two no second one that can be read.
    assert counts == {
        "problem1/correct_squares": (7, 10, 1),
        "problem2/correct_squares": (9, 9, 2),
        "problem2/in_file": (6, 9, 2),
    }
    assert main(["export", LESSON, "--csv", "grades.csv"]) == 0
    with open("grades.csv", newline="") as file:
        table = {row["student"]: row for row in csv.DictReader(file)}
    assert table["right"]["score"] == "5.25" and table["right"]["max"] == "15.25"
    assert table["no_second"]["problem2/in_file"] == "0"
    assert float(table["wrong"]["problem1/correct_squares"]) == 0
    assert float(table["wrong"]["problem2/correct_squares"]) == 0.25


# -- again -------------------------------------------------------------------------------------


@pytest.mark.slow
def test_workers_give_the_same_rows_and_nothing_is_graded_twice(
    fast: Graded, tmp_path: Path
) -> None:
    root, _ = class_course(tmp_path / "course")
    room, rows = grade(root, workers=2)

    def plain(row: Row) -> Row:
        return dataclasses.replace(row, seconds=0.0)

    assert {name: plain(row) for name, row in rows.items()} == {
        name: plain(row) for name, row in fast[1].items()
    }
    _, again = grade(root)
    assert all(row.unchanged for row in again.values())
    path = root / "submitted" / "right" / LESSON / "problem2.ipynb"
    path.write_bytes(path.read_bytes() + b" ")
    graded = room.bridge.autograded("half", LESSON, "problem2")
    graded.chmod(0o644)
    graded.write_bytes(graded.read_bytes() + b" ")
    (root / "submitted" / "broken" / LESSON / "problem2.ipynb").unlink()
    _, again = grade(root)
    assert {name for name, row in again.items() if not row.unchanged} == {
        "right", "half", "broken",
    }  # fmt: skip
    (root / "source" / LESSON / "data" / "more.csv").write_text("2\n4\n")
    _, again = grade(root)
    assert not any(row.unchanged for row in again.values())
    assert again["right"].score == 3.25, "a file of the course is another one now"


@pytest.mark.slow
def test_a_run_that_was_killed_goes_on(fast: Graded, tmp_path: Path) -> None:
    root, _ = class_course(tmp_path / "course")
    bridge, said = Bridge(Course(root)), tmp_path / "said.txt"
    command = [sys.executable, "-m", "autograder", "grade", LESSON]
    with said.open("w") as words:
        run = subprocess.Popen(command, cwd=root, stdout=words, stderr=words)
        assert wait_for(lambda: said.read_text().count("] ") >= 3)
        os.kill(run.pid, signal.SIGKILL)
        run.wait()
    before = {
        student: bridge.autograded(student, LESSON, "problem2").stat().st_mtime_ns
        for student in bridge.graded_students(LESSON)
    }
    assert 0 < len(before) < len(STUDENTS)
    room, rows = grade(root)
    assert {name: row.score for name, row in rows.items()} == {
        name: row.score for name, row in fast[1].items()
    }
    for student, stamp in before.items():
        if rows[student].unchanged:
            path = bridge.autograded(student, LESSON, "problem2")
            assert path.stat().st_mtime_ns == stamp, student
    assert sum(row.unchanged for row in rows.values()) >= len(before) - 1 >= 2
    for student in STUDENTS:
        assert tables(room.bridge, student) == tables(fast[0].bridge, student), student


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Graded]:
    """Two students, graded, the one with marks by hand in both parts."""
    root, _ = class_course(tmp_path / "course", ("right", "wrong"))
    room, rows = grade(root)
    with room.bridge.gradebook() as gradebook:
        for part, name, points in (
            ("problem1", "sum_of_squares_application", 1.5),
            ("problem2", "part-a", 0.5),
            ("problem1", "correct_squares", 0.75),
        ):
            row = gradebook.find_grade(name, part, LESSON, "right")
            row.manual_score, row.needs_manual_grade = points, False
        gradebook.db.commit()
    return root, (room, rows)


def by_hand(room: Classroom) -> dict[tuple[str, str], float]:
    with room.bridge.gradebook() as gradebook:
        submission = gradebook.find_submission(LESSON, "right")
        return {
            (one.name, row.name): row.manual_score
            for one in submission.notebooks
            for row in one.grades
            if row.manual_score is not None
        }


HAND = {
    ("problem1", "sum_of_squares_application"): 1.5,
    ("problem2", "part-a"): 0.5,
    ("problem1", "correct_squares"): 0.75,
}


@pytest.mark.slow
def test_a_test_of_one_part_is_mended(pair: tuple[Path, Graded]) -> None:
    root, (room, _) = pair

    def lenient(notebook: nbformat.NotebookNode) -> None:
        find(notebook, "in_file").source = "assert total('numbers.csv') == 42"

    edit(root, "problem2", lenient)
    room, rows = grade(root)
    assert rows["wrong"].message.startswith("Score changed: 0.75 -> 2.75.")
    assert "Score changed" not in rows["right"].message
    assert by_hand(room) == HAND
    assert tables(room.bridge, "wrong")["problem1/correct_squares"][0] == 0.0


@pytest.mark.slow
def test_cells_and_parts_may_come_and_go(pair: tuple[Path, Graded]) -> None:
    root, (room, rows) = pair
    folder = root / "source" / LESSON
    first, second = ((folder / f"{part}.ipynb").read_bytes() for part in PARTS)

    def drop(notebook: nbformat.NotebookNode) -> None:
        notebook.cells.remove(find(notebook, "correct_squares"))

    edit(root, "problem1", drop)  # the other part has an id like it
    (folder / "problem2.ipynb").unlink()
    third = nbformat.v4.new_notebook(
        cells=[
            labelled(nbformat.v4.new_code_cell("x = 1"), "correct_squares", solution=True),
            labelled(
                nbformat.v4.new_code_cell("assert x"), "t", grade=True, locked=True, points=7.0
            ),
        ]
    )
    nbformat.write(third, folder / "problem3.ipynb")
    room, changed = grade(root)
    assert changed["right"].max_score == 16.0, "problem1 without one point, and seven"
    assert "problem3: The notebook was not handed in" in changed["right"].message
    assert "no longer has correct_squares, part-a" in changed["right"].message
    assert by_hand(room) == {("problem1", "sum_of_squares_application"): 1.5}
    with room.bridge.gradebook() as gradebook, pytest.raises(MissingEntry):
        gradebook.find_notebook("problem2", LESSON)
    (folder / "problem3.ipynb").unlink()
    (folder / "problem1.ipynb").write_bytes(first)
    (folder / "problem2.ipynb").write_bytes(second)
    room, restored = grade(root)
    assert by_hand(room) == HAND
    assert restored["wrong"].score == rows["wrong"].score
    assert restored["right"].max_score == 15.25


# -- elsewhere ---------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_cluster_s_worker_gives_the_same_outcomes(tmp_path: Path) -> None:
    room = Classroom(find_course(class_course(tmp_path / "course", ("wrong",))[0]), LESSON)
    handed = room.read("wrong").parts
    rebuilt = [
        rebuild(handed[part], room.handouts[part], room.master.part(part))  # type: ignore[arg-type]
        for part in PARTS
    ]
    parts = [dataclasses.asdict(one) | {"blank": sorted(one.blank)} for one in rebuilt]
    task = {
        "assignment": cluster.pack(room.master), "seed": 1, "closed_in": False,
        "environment": cluster.environment(), "parts": parts,
    }  # fmt: skip
    try:
        outcomes = [unit.from_json(one) for one in json.loads(cluster.work(json.dumps(task)))]
    finally:
        for keeper in cluster._KEEPERS.values():
            keeper.stop()
        cluster._KEEPERS.clear()
    assert [one.part for one in outcomes] == list(PARTS)
    points = {name: it["points"] for one in outcomes for name, it in one.exercises.items()}
    assert (points["in_file"], points["correct_sum_of_squares"]) == (0.0, 0.0)
    assert points["sum_of_squares_uses_squares"] == 0.5
    given = {path.name for path in room.master.given}
    assert given == {"data", "helper.py", "jupyter.png", "numbers.csv"}


def check(path: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    status = main(["check", str(path), "--json"])
    return status, json.loads(capsys.readouterr().out)


@pytest.mark.slow
def test_check_takes_one_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root, released = class_course(tmp_path / "course", ("right", "wrong"))
    monkeypatch.chdir(root)
    right, wrong = (Path("submitted") / name / LESSON for name in ("right", "wrong"))
    status, found = check(right / "problem2.ipynb", capsys)
    assert (status, found["lesson"], found["points"]) == (0, LESSON, 2.25)
    assert set(found["exercises"]) == {"in_file", "correct_squares"}
    assert found["graded_by_hand"] == ["part-a", "part-b"]
    status, found = check(wrong / "problem1.ipynb", capsys)
    assert (status, found["points"], found["max_points"]) == (1, 0.5, 3.0)
    elsewhere = tmp_path / "downloads"
    elsewhere.mkdir()
    for name in ("problem1.ipynb", "my attempt (3).ipynb"):
        shutil.copy(wrong / "problem1.ipynb", elsewhere / name)
        assert check(elsewhere / name, capsys)[1]["points"] == 0.5, name
    some = several_course.answered(released["problem1"], FIRST)
    some.cells = some.cells[:7]
    nbformat.write(some, elsewhere / "problem1.ipynb")
    status, found = check(elsewhere / "problem1.ipynb", capsys)
    assert status == 1 and "was deleted" in " ".join(found["notes"])
    (elsewhere / "other.ipynb").write_text('{"cells": [], "metadata": {}, "nbformat": 4}')
    assert main(["check", str(elsewhere / "other.ipynb")]) == 2
    err = capsys.readouterr().err
    assert "may be any of ps1/problem1.ipynb, ps1/problem2.ipynb" in err and err.count("\n") == 1


# -- other courses -----------------------------------------------------------------------------

OWN_SETTINGS = """
c = get_config()
c.CourseDirectory.course_id = "own"
c.CourseDirectory.source_directory = "teachers"
c.CourseDirectory.release_directory = "handouts"
c.CourseDirectory.submitted_directory = "inbox"
c.CourseDirectory.autograded_directory = "outbox"
c.CourseDirectory.db_url = "sqlite:///marks.db"
c.ClearSolutions.code_stub = {"python": "..."}
c.ClearSolutions.begin_solution_delimeter = "ANSWER FROM HERE"
c.ClearSolutions.end_solution_delimeter = "ANSWER TO HERE"
c.ClearHiddenTests.begin_test_delimeter = "SECRET FROM HERE"
c.ClearHiddenTests.end_test_delimeter = "SECRET TO HERE"
"""
OWN_SETTINGS += f'c.Autograde.exclude_overwriting = {{"{LESSON}": ["helper.py"]}}\n'
OWN_WORDS = {
    "### BEGIN SOLUTION": "# ANSWER FROM HERE",
    "### END SOLUTION": "# ANSWER TO HERE",
    "### BEGIN HIDDEN TESTS": "# SECRET FROM HERE",
    "### END HIDDEN TESTS": "# SECRET TO HERE",
}
THIEF = "def total(path):\n    raise type(In[-1][:300], (Exception,), {})(In[-1])"


def own_course(root: Path) -> Path:
    """Write the course with settings, names and marks of its own, and a class of three."""
    root = several_course.make_course(root)
    for part in PARTS:
        path = root / "source" / LESSON / f"{part}.ipynb"
        text = path.read_text()
        for theirs, own in OWN_WORDS.items():
            text = text.replace(theirs, own)
        path.write_text(text)
    (root / "source").rename(root / "teachers")
    (root / "nbgrader_config.py").write_text(OWN_SETTINGS)
    command = [sys.executable, "-m", "nbgrader", "generate_assignment", LESSON, "--force"]
    assert subprocess.run(command, cwd=root, capture_output=True, check=False).returncode == 0
    released = {
        part: nbformat.read(root / "handouts" / LESSON / f"{part}.ipynb", as_version=4)
        for part in PARTS
    }
    for student, answers in (
        ("right", (FIRST, SECOND)),
        ("blank", ({}, {})),
        ("helped", (FIRST, SECOND)),
        ("thief", (FIRST, SECOND | {"total": THIEF})),
    ):
        folder = hand_in(root, student, released, *answers)
        (folder / "helper.py").write_text(several_course.HELPER)
        if student == "helped":  # this course lets students write this module
            (folder / "helper.py").write_text("def read(path):\n    return [len(path), 31]\n")
    (root / "submitted").rename(root / "inbox")
    return root


@pytest.mark.slow
def test_a_course_with_names_and_marks_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    room, rows = grade(own_course(tmp_path / "fast"))
    assert (tmp_path / "fast" / "marks.db").is_file()
    assert not (tmp_path / "fast" / "gradebook.db").exists()
    assert (tmp_path / "fast" / "outbox" / "right" / LESSON / "problem2.ipynb").is_file()
    tests = [cell for part in room.master.parts for cell in part.tests()]
    assert [cell.grade_id for cell in tests if cell.hides] == ["in_file"]
    shutil.copytree(tmp_path / "fast", tmp_path / "stock")
    shutil.rmtree(tmp_path / "stock" / "outbox")
    (tmp_path / "stock" / "marks.db").unlink()
    monkeypatch.chdir(tmp_path / "stock")
    other, _ = grade(tmp_path / "stock", "stock")
    for student in rows:
        assert tables(room.bridge, student) == tables(other.bridge, student), student
    assert rows["right"].score == 5.25 and rows["blank"].score == 0.25
    assert rows["helped"].score == 3.25
    thief = room.bridge.autograded("thief", LESSON, "problem2").read_text()
    shown = [cell.get("outputs") for cell in json.loads(thief)["cells"] if cell["metadata"]]
    monkeypatch.chdir(tmp_path / "fast")
    assert main(["feedback", LESSON]) == 0
    pages = [path.read_text() for path in (tmp_path / "fast").glob("feedback/thief/*/*.html")]
    assert len(pages) == 2
    for text in (repr(rows["thief"]), *pages):
        assert "hidden.txt" not in text and "SECRET" not in text
    assert shown


@pytest.mark.slow
def test_a_course_without_a_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root, _ = class_course(tmp_path / "course", ("right", "no_first"))
    (root / "nbgrader_config.py").unlink()
    (root / "gradebook.db").unlink()
    inside = root / "submitted" / "right"
    monkeypatch.chdir(inside)
    assert find_course().root == root
    assert main(["grade", LESSON, "--json"]) == 0
    rows = {row["student"]: row for row in json.loads(capsys.readouterr().out)}
    assert (rows["right"]["score"], rows["no_first"]["score"]) == (5.25, 2.25)
    assert rows["no_first"]["status"] == "partial"
    assert main(["check", str(inside / LESSON / "problem1.ipynb")]) == 0
    assert "ps1: problem1" in capsys.readouterr().out


@pytest.mark.slow
def test_without_a_sandbox_files_are_there_too(
    fast: Graded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, _ = class_course(tmp_path / "course", ("right", "brings", "own_files"))
    for place in ("grading.unit", "engine", "engine.parent"):
        monkeypatch.setattr(f"autograder.{place}.offered", lambda: "bubblewrap is not installed")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    before = {path: path.stat().st_mtime_ns for path in (root / "source").rglob("*")}
    monkeypatch.chdir(root / "source" / LESSON)
    room, rows = grade(root)
    for student in rows:
        assert tables(room.bridge, student) == tables(fast[0].bridge, student), student
    assert {path: path.stat().st_mtime_ns for path in (root / "source").rglob("*")} == before
    assert list(temporary.iterdir()) == []


def test_what_lies_beside_the_notebooks_is_taken_within_limits(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    (folder / "data").mkdir(parents=True)
    (folder / ".hidden").mkdir()
    for name in ("a.py", "data/b.txt", "course.csv", "timestamp.txt", ".hidden/c", "x.ipynb"):
        (folder / name).write_text(name)
    (folder / "large.bin").write_bytes(b"0" * 2_000)
    (folder / "passwords").symlink_to("/etc/passwd")
    (folder / "linked").symlink_to("/etc")
    (folder / "problem1.ipynb").mkdir()
    (folder / "problem1.ipynb" / "inside").write_text("in the way of a notebook")
    (folder / "more").write_text("in the way of a folder")
    notes: list[str] = []
    found = beside.read_files(
        folder, {"course.csv", "more/numbers.csv"}, notes, beside.Most(each=1_000)
    )
    assert found == {"a.py": b"a.py", "data/b.txt": b"data/b.txt"}
    assert all(name in notes[0] for name in ("large.bin", "passwords", "more"))
    some = beside.read_files(folder, (), notes, beside.Most(files=1, each=1_000))
    assert list(some) == ["a.py"] and "course.csv" in notes[1]
    key = ledger.submission_key("k", folder, 10**6)
    (folder / "data" / "b.txt").write_text("another")
    assert ledger.submission_key("k", folder, 10**6) != key


def test_a_folder_of_files_is_read_part_by_part(tmp_path: Path) -> None:
    folder = tmp_path / "s" / LESSON
    folder.mkdir(parents=True)
    (folder / "problem1.ipynb").write_text('{"cells": [], "metadata": {}, "nbformat": 4}')
    (folder / "PROBLEM2.ipynb").write_text("{")
    found = read_submission(tmp_path, "s", LESSON, PARTS)
    assert "PROBLEM2.ipynb" in found.parts["problem1"].notes[0]  # type: ignore[union-attr]
    assert "not handed in" in str(found.parts["problem2"])
    (folder / "problem1.ipynb").unlink()
    with pytest.raises(Refused, match=r"PROBLEM2.ipynb is not called problem1.ipynb or prob"):
        read_submission(tmp_path, "s", LESSON, PARTS)
