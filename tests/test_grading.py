"""A class, graded: every submission gets its row, and the gradebook says the same."""

import csv
import io
import json
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import nbformat
import pytest
from small_course import ANSWERS, LESSON, find, hand_in, hand_in_raw, read_one, ready_course

from autograder.cli import main
from autograder.course import Course
from autograder.engine import Engine
from autograder.grading import unit
from autograder.grading.bridge import Bridge, BridgeError
from autograder.grading.classroom import Classroom, Row, grading_seed
from autograder.grading.export import as_csv, lesson_rows, safe_cell
from autograder.grading.handout import read_handout
from autograder.grading.rebuild import rebuild
from autograder.grading.table import table
from autograder.master import read_master

WRONG = {"double": "def double(x):\n    return x * x"}


def rows_by_student(rows: list[Row]) -> dict[str, Row]:
    return {row.student: row for row in rows}


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Course, dict[str, Row]]:
    """A class of seven in every state, graded once."""
    root = tmp_path_factory.mktemp("class")
    course, released = ready_course(root)
    hand_in(root, "right", released, ANSWERS)
    hand_in(root, "blank", released)
    hand_in(root, "wrong", released, ANSWERS | WRONG)
    hand_in(root, "noisy", released, ANSWERS | {
        "double": "import sys\ndef double(x):\n    print('x', file=sys.stderr)\n    return 2 * x"
    })  # fmt: skip
    hand_in(root, "dies", released, ANSWERS | {"total": "import os\nos._exit(3)"})
    hand_in(root, "odd [id], with*", released, ANSWERS)
    hand_in_raw(root, "broken", b'{"cells": [')
    hand_in(root, "two\nlines", released, ANSWERS)
    (root / "submitted" / "elsewhere" / "02_other").mkdir(parents=True)
    (root / "submitted" / "stray.txt").write_text("not a student")
    return course, rows_by_student(Classroom(course, "1").grade())


def test_the_rows(graded: tuple[Course, dict[str, Row]]) -> None:
    _, rows = graded
    shown = {
        name: (row.status, row.score, row.max_score, row.manual_pending)
        for name, row in rows.items()
    }
    assert shown == {
        "right": ("graded", 6.0, 8.0, 1),
        "blank": ("graded", 0.0, 8.0, 0),
        "wrong": ("graded", 4.0, 8.0, 1),
        "noisy": ("graded", 6.0, 8.0, 1),
        "dies": ("partial", 3.0, 8.0, 1),
        "odd [id], with*": ("graded", 6.0, 8.0, 1),
        "broken": ("refused", 0.0, 8.0, 0),
        "two\nlines": ("refused", 0.0, 8.0, 0),
    }
    assert rows["wrong"].exercises["double"] == {
        "points": 1.0, "max_points": 3.0, "verdict": "partial",
        "message": "two numbers, at [0]: expected 2, came 1",
    }  # fmt: skip
    assert rows["blank"].exercises["total"]["verdict"] == "not_run"
    assert rows["blank"].message == "Nothing was answered."
    assert rows["dies"].message == "Cell 9 was left out: it ended the whole process."
    assert rows["dies"].exercises["double"]["verdict"] == "pass"
    assert rows["broken"].message.startswith("The notebook is not valid JSON")


def test_the_gradebook_says_the_same(graded: tuple[Course, dict[str, Row]]) -> None:
    course, rows = graded[0], {name: graded[1][name] for name in graded[1] if name != "two\nlines"}
    bridge = Bridge(course)
    with bridge.gradebook() as gradebook:
        students = {student.id: student for student in gradebook.students}
        assert set(students) == set(rows)
        assert students["right"].last_name == "right"
        for name, row in rows.items():
            submission = gradebook.find_submission(LESSON, name)
            assert (submission.score, submission.max_score) == (row.score, row.max_score)
            assert submission.needs_manual_grade == bool(row.manual_pending)
        comment = gradebook.find_comment("why", LESSON, LESSON, "blank")
        assert comment.auto_comment == "No response."


def test_the_graded_notebook(graded: tuple[Course, dict[str, Row]]) -> None:
    course, _ = graded
    bridge = Bridge(course)
    for student in ("wrong", "odd [id], with*", "broken"):
        notebook = nbformat.read(bridge.autograded(student, LESSON), as_version=4)
        nbformat.validate(notebook)
    notebook = nbformat.read(bridge.autograded("wrong", LESSON), as_version=4)
    test = find(notebook, "double-values")
    assert test.metadata.autograder.record.verdict == "fail"
    assert test.outputs[-1].output_type == "error" and "expected 2" in test.outputs[-1].evalue
    assert find(notebook, "double").source == WRONG["double"]
    assert not list((course.root / ".autograder").glob("staged/*"))
    assert not (course.root / "notebooks").exists()


def test_points_never_come_from_the_absence_of_an_error(tmp_path: Path) -> None:
    """A test without a record has no points, however clean its output is."""
    course, released = ready_course(tmp_path)
    hand_in(tmp_path, "s", released, ANSWERS)
    bridge, path = Bridge(course), course.master("1")
    handout, master = read_handout(path, bridge.config), read_master(path)
    rebuilt = rebuild(read_one(tmp_path, "s"), handout, master)
    bridge.ensure_assignment(LESSON)
    forged = {"double-values": {"verdict": "fail", "points": 2.0}}
    for records in ({}, forged):
        outcome = unit.Outcome("s", LESSON, LESSON, "graded", records=records)
        marks = bridge.record([(outcome, rebuilt)], {LESSON: handout}, None)
        assert marks.score == 0.0


def test_an_outcome_is_plain_data(tmp_path: Path) -> None:
    course, released = ready_course(tmp_path)
    hand_in(tmp_path, "s", released, ANSWERS | WRONG)
    path = course.master("1")
    handout, master = read_handout(path), read_master(path)
    rebuilt = rebuild(read_one(tmp_path, "s"), handout, master)
    with Engine() as engine:
        outcome = unit.grade_submission(master, rebuilt, engine, seed=1)
    assert unit.from_json(json.loads(json.dumps(outcome.to_json()))) == outcome

    class Broken:
        sandbox = True

        def run(self, *args: Any, **kwargs: Any) -> None:
            raise RuntimeError("a defect")

    failed = unit.grade_submission(master, rebuilt, Broken(), seed=1)  # type: ignore[arg-type]
    assert failed.status == "error" and "a defect" in failed.detail


def test_outputs_that_no_notebook_can_hold_are_dropped() -> None:
    odd: list[Any] = [
        5, {}, {"output_type": "stream"}, {"output_type": "stream", "name": "x", "text": "\ud800"},
        {"output_type": "error", "traceback": 3}, {"output_type": "display_data", "data": [1]},
        {"output_type": "execute_result", "data": {"text/plain": "1", "x": object(), "y": b""}},
        {"output_type": "update_display_data"},
    ]  # fmt: skip
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("")])
    notebook.cells[0].outputs = [nbformat.from_dict(one) for one in unit.clean_outputs(odd)]
    nbformat.validate(notebook)
    assert len(notebook.cells[0].outputs) == 4
    flood = [{"output_type": "stream", "name": "stdout", "text": "x" * 500_000}] * 40
    assert len(json.dumps(unit.clean_outputs(flood))) < 2_500_000


# -- marks by hand, regrading, lateness --------------------------------------------------------


def mark(bridge: Bridge, student: str, grade_id: str, points: float) -> None:
    """Give a mark as formgrader does."""
    with bridge.gradebook() as gradebook:
        grade = gradebook.find_grade(grade_id, LESSON, LESSON, student)
        grade.manual_score, grade.needs_manual_grade = points, False
        gradebook.db.commit()


def test_marks_by_hand_survive_regrading(tmp_path: Path) -> None:
    course, released = ready_course(tmp_path)
    hand_in(tmp_path, "s", released, ANSWERS | WRONG)
    room = Classroom(course, "1")
    assert room.grade()[0].score == 4.0
    mark(room.bridge, "s", "why", 1.5)
    mark(room.bridge, "s", "double-values", 0.5)
    row = room.grade()[0]
    assert (row.score, row.manual_pending) == (6.0, 0), "the same work stays marked"
    hand_in(tmp_path, "s", released, ANSWERS | WRONG | {"why": "Another answer."})
    row = room.grade()[0]
    assert (row.score, row.manual_pending) == (6.0, 1), "changed words ask for a second look"
    hand_in(tmp_path, "s", released, ANSWERS)
    row = room.grade()[0]
    assert (row.score, row.manual_pending) == (6.0, 2), "and so does changed code"


def test_a_broken_resubmission_keeps_marks_by_hand(tmp_path: Path) -> None:
    course, released = ready_course(tmp_path)
    hand_in(tmp_path, "s", released, ANSWERS)
    room = Classroom(course, "1")
    room.grade()
    mark(room.bridge, "s", "why", 2.0)
    hand_in_raw(tmp_path, "s", b"{")
    row = room.grade()[0]
    assert (row.status, row.score) == ("refused", 2.0)


def test_late_submissions(tmp_path: Path) -> None:
    course, released = ready_course(tmp_path)
    config = (tmp_path / "nbgrader_config.py").read_text()
    config += "c.LateSubmissionPlugin.penalty_method = 'zero'\n"
    (tmp_path / "nbgrader_config.py").write_text(config)
    for student, day in (("early", 1), ("late", 3)):
        path = hand_in(tmp_path, student, released, ANSWERS)
        (path.parent / "timestamp.txt").write_text(f"2026-11-0{day} 12:00:00 UTC")
    bridge = Bridge(course)
    with bridge.gradebook() as gradebook:
        gradebook.update_or_create_assignment(LESSON, duedate="2026-11-02 00:00:00 UTC")
    rows = rows_by_student(Classroom(course, "1").grade())
    assert (rows["early"].score, rows["late"].score) == (6.0, 0.0)
    with bridge.gradebook() as gradebook:
        late = gradebook.find_submission(LESSON, "late")
        assert late.total_seconds_late == 36 * 3600 and late.late_submission_penalty == 6.0


# -- one student's failure is not the class's --------------------------------------------------


def test_a_failure_of_ours_is_one_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    course, released = ready_course(tmp_path)
    for student in ("a", "b", "c", "d"):
        hand_in(tmp_path, student, released, ANSWERS)
    room = Classroom(course, "1")
    record = room.bridge.record

    def fail(graded: list[tuple[unit.Outcome, Any]], *rest: Any, **more: Any) -> Any:
        if graded[0][0].student == "b":
            raise BridgeError("the database is locked")
        if graded[0][0].student == "c":
            raise ZeroDivisionError
        return record(graded, *rest, **more)

    monkeypatch.setattr(room.bridge, "record", fail)
    rows = room.grade()
    assert [row.status for row in rows] == ["graded", "error", "error", "graded"]
    assert "the database is locked" in rows[1].message
    assert "ZeroDivisionError" in (tmp_path / ".autograder" / "grade.log").read_text()


def test_a_run_that_is_stopped_keeps_what_is_graded(tmp_path: Path) -> None:
    course, released = ready_course(tmp_path)
    for student in ("a", "b", "c"):
        slow = f"import time\ntime.sleep({0 if student == 'a' else 30})\n" + ANSWERS["total"]
        hand_in(tmp_path, student, released, ANSWERS | {"total": slow})
    room, rows = Classroom(course, "1"), []

    def press() -> None:
        while not rows:
            time.sleep(0.05)
        time.sleep(0.3)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=press, daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        room.grade(rows=rows)
    assert [row.student for row in rows] == ["a"]
    assert room.bridge.marks("a", LESSON).score == 6.0
    assert room.bridge.autograded("a", LESSON).is_file()
    for student in ("b", "c"):
        hand_in(tmp_path, student, released, ANSWERS)
    assert [row.score for row in room.grade()] == [6.0, 6.0, 6.0], "and the next run goes on"


# -- the command line --------------------------------------------------------------------------


def test_grade_prints_a_table_or_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _, released = ready_course(tmp_path)
    hand_in(tmp_path, "right", released, ANSWERS)
    hand_in_raw(tmp_path, "broken", b"")
    monkeypatch.chdir(tmp_path)
    assert main(["grade", "1"]) == 1
    out, err = capsys.readouterr()
    assert out.splitlines()[2:] == [
        "broken   refused  0/8             The notebook is an empty file.",
        "right    graded   6/8    1",
        "2 submissions: 1 graded, 1 refused; 1 answer(s) wait for marks by hand in formgrader.",
    ]
    assert "[1/2] broken: refused, about" in err
    assert main(["grade", "small", "--student", "right", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert len(rows) == 1 and set(rows[0]) == {
        "student", "lesson", "status", "manual_pending", "score", "max_score", "seconds",
        "message", "exercises", "suspicions",
    }  # fmt: skip
    assert set(rows[0]["exercises"]["double"]) == {"points", "max_points", "verdict", "message"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["grade", "9"], "there is no lesson '9'"),
        (["grade", "1", "--submitted", "nowhere"], "there is no folder nowhere"),
        (["grade", "1", "--student", "nobody"], "'nobody' has handed in nothing"),
        (["feedback", "1"], "nothing is graded"),
        (["report", "1"], "nothing is graded"),
        (["export", "--all"], "the gradebook is empty"),
    ],
)
def test_bad_input_is_one_sentence(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    words: str,
) -> None:
    _, released = ready_course(tmp_path)
    hand_in(tmp_path, "s", released)
    monkeypatch.chdir(tmp_path)
    if arguments == ["export", "--all"]:
        (tmp_path / "gradebook.db").unlink()
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == "" and words in err and err.count("\n") == 1


def test_another_gradebook_and_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, released = ready_course(tmp_path)
    (tmp_path / "gradebook.db").unlink()
    hand_in(tmp_path / "elsewhere", "s", released, ANSWERS)
    monkeypatch.chdir(tmp_path)
    arguments = ["grade", "1", "--submitted", "elsewhere/submitted", "--db", "other.db"]
    assert main(arguments) == 0
    assert (tmp_path / "other.db").is_file() and not (tmp_path / "gradebook.db").exists()


def test_the_seed_is_secret_when_there_is_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AUTOGRADER_SECRET", raising=False)
    assert grading_seed(LESSON) == grading_seed(LESSON) != grading_seed("02_other")
    public = grading_seed(LESSON)
    monkeypatch.setenv("AUTOGRADER_SECRET", "s3cret")
    assert grading_seed(LESSON) != public and 0 <= grading_seed(LESSON) < 2**32


def test_a_table_does_nothing_to_a_terminal() -> None:
    text = table(("a", "b"), [("x\x1b[31m\n", "y\u202e")])
    assert "\x1b" not in text and text.count("\n") == 2 and "\u202e" not in text


# -- export and report -------------------------------------------------------------------------


def test_export_is_quoted_and_neutral(graded: tuple[Course, dict[str, Row]]) -> None:
    course, rows = graded
    bridge = Bridge(course)
    with bridge.gradebook() as gradebook:
        gradebook.update_or_create_student(
            "wrong", last_name='=cmd("x"),\n+y', first_name='-1 "quoted"', email="@sum(a1)"
        )
        found = list(csv.DictReader(io.StringIO(as_csv(lesson_rows(gradebook, LESSON)))))
        gradebook.update_or_create_student("wrong", last_name="wrong", first_name="", email=None)
    assert {row["student"]: float(row["score"]) for row in found} == {
        name: row.score for name, row in rows.items() if name != "two\nlines"
    }
    wrong = next(row for row in found if row["student"] == "wrong")
    assert wrong["last_name"] == '\'=cmd("x"), +y'
    assert (wrong["first_name"], wrong["email"]) == ('\'-1 "quoted"', "'@sum(a1)")
    assert (wrong["double"], wrong["total"], wrong["why"]) == ("1", "3", "0")
    assert (wrong["max"], wrong["by_hand_pending"], wrong["handed_in"]) == ("8", "1", "yes")
    assert safe_cell(-1.5) == "-1.5"
    assert [safe_cell(f"{sign}a1") for sign in "＝＋－＠"] == ["'＝a1", "'＋a1", "'－a1", "'＠a1"]


def test_export_and_report_commands(
    graded: tuple[Course, dict[str, Row]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    course, rows = graded
    monkeypatch.chdir(course.root)
    assert main(["export", "1", "--csv", "grades.csv"]) == 0
    text = (course.root / "grades.csv").read_text()
    assert text.splitlines()[0].startswith(
        '"student","last_name","first_name","email","double","total","why","score"'
    )
    capsys.readouterr()
    assert main(["export", "--all"]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    names = ("01_small score", "01_small max", "01_small by_hand_pending", "score", "max")
    assert head.endswith(",".join(f'"{name}"' for name in names))
    assert len(lines) == len(rows) - 1
    assert main(["report", "1", "--json"]) == 0
    report = {line["behaviour"]: line for line in json.loads(capsys.readouterr().out)[:2]}
    counts = {
        name: [line[key] for key in ("passed", "answered", "blank")]
        for name, line in report.items()
    }
    assert counts == {"values": [4, 5, 2], "shape": [5, 5, 2]}
    (reason,) = report["values"]["reasons"]
    assert reason["count"] == 1 and "expected 2, came 1" in reason["message"]
    assert main(["report", "1"]) == 0
    assert "4/5 (80 %)" in capsys.readouterr().out


def test_without_a_sandbox_grading_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _, released = ready_course(tmp_path)
    hand_in(tmp_path, "s", released, ANSWERS)
    monkeypatch.chdir(tmp_path)
    for place in ("autograder.commands.grade", "autograder.engine", "autograder.engine.parent"):
        monkeypatch.setattr(f"{place}.offered", lambda: "bubblewrap is not installed")
    assert main(["grade", "1", "--require-sandbox"]) == 2
    assert "nothing" not in capsys.readouterr().out
    assert main(["grade", "1"]) == 0
    err = capsys.readouterr().err
    assert "warning: no sandbox, so submissions run with your rights: bubblewrap is not" in err
