"""The demo class of twelve: its table, and the same scores from stock nbgrader for honest work."""

from pathlib import Path

import pytest

from autograder.cli import main
from autograder.course import Course, find_course
from autograder.grading import demo
from autograder.grading.bridge import Bridge
from autograder.grading.classroom import Classroom, Row

HIGHEST = 52.0
EXPECTED = {
    # student: (status, score, answers that wait for a person)
    "all_right": ("graded", 47.0, 2),
    "blank": ("graded", 0.0, 0),
    "broken_file": ("refused", 0.0, 0),
    "copied_cell": ("graded", 47.0, 2),
    "edited_test": ("graded", 43.0, 2),
    "half_done": ("graded", 19.0, 0),
    "lost_labels": ("graded", 47.0, 2),
    "misled": ("graded", 18.0, 2),
    "noisy": ("graded", 47.0, 2),
    "other_ways": ("graded", 47.0, 2),
    "quits": ("partial", 42.0, 2),
    "syntax_error": ("graded", 43.0, 2),
}


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    here = find_course(Path(__file__).parent)
    return demo.make_course(here, tmp_path_factory.mktemp("demo") / "course")


@pytest.fixture(scope="module")
def rows(course: Course) -> dict[str, Row]:
    return {row.student: row for row in Classroom(course, "1").grade()}


@pytest.mark.slow
def test_the_expected_table(rows: dict[str, Row]) -> None:
    assert {row.max_score for row in rows.values()} == {HIGHEST}
    found = {name: (row.status, row.score, row.manual_pending) for name, row in rows.items()}
    assert found == EXPECTED


@pytest.mark.slow
def test_each_case_is_explained_in_its_row(rows: dict[str, Row]) -> None:
    words = {
        "blank": "Nothing was answered",
        "broken_file": "not valid JSON",
        "copied_cell": "'backward' was there 2 times; the last changed one was taken",
        "edited_test": "Test cell 'backward-units_off' was edited",
        "lost_labels": "known by what they define: forward, loss_and_grad, backward",
        "quits": "ended the whole process",
        "syntax_error": "'forward' is not Python: line 1, expected ':'",
    }
    assert {name: words[name] in rows[name].message for name in words} == dict.fromkeys(words, True)
    assert len(rows["edited_test"].suspicions) == 2
    assert all(not row.suspicions for name, row in rows.items() if name != "edited_test")
    assert rows["quits"].exercises["deferred"]["verdict"] == "pass", "later work still counts"


@pytest.mark.slow
def test_honest_work_scores_the_same_under_stock_nbgrader(
    course: Course, rows: dict[str, Row]
) -> None:
    honest = ["misled", "other_ways"]
    ours = {name: Bridge(course).points(name, rows[name].lesson) for name in honest}
    room = Classroom(course, "1", db_url=str(course.root / "stock.db"))
    stock = room.grade(honest, engine="stock")
    assert [row.status for row in stock] == ["graded", "graded"]
    assert {name: room.bridge.points(name, room.lesson) for name in honest} == ours


def test_two_makings_are_the_same(tmp_path: Path) -> None:
    here = find_course(Path(__file__).parent)
    for name in ("once", "twice"):
        demo.make_class(here, tmp_path / name)
    for path in sorted((tmp_path / "once").rglob("*.ipynb")):
        same = tmp_path / "twice" / path.relative_to(tmp_path / "once")
        assert path.read_bytes() == same.read_bytes()
    assert len(list((tmp_path / "once").iterdir())) == len(demo.CLASS) == 12


def test_nothing_is_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(find_course(Path(__file__).parent).root)
    assert demo.main([str(tmp_path)]) == 2
    assert "exists already" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_the_commands_of_the_demo(
    course: Course,
    rows: dict[str, Row],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert rows
    monkeypatch.chdir(course.root)
    assert main(["feedback", "1", "--student", "misled"]) == 0
    assert main(["report", "1"]) == 0
    assert "units_off" in capsys.readouterr().out
    assert main(["export", "1", "--csv", "grades.csv"]) == 0
    assert (course.root / "grades.csv").read_text().count("\n") == 13
