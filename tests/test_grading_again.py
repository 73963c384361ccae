"""Grading a class again: what has not changed, what has, and what a person wrote."""

import json
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import MissingEntry
from small_course import ANSWERS, DOUBLE_SHAPE, LESSON, code, find, hand_in, ready_course

from autograder.cli import main
from autograder.course import Course
from autograder.grading import ledger, trims
from autograder.grading.bridge import Bridge
from autograder.grading.classroom import Classroom, Plan
from autograder.grading.handout import read_handout
from autograder.grading.rows import Row

WRONG = {"double": "def double(x):\n    return x * x"}
AGAIN = Plan(again=True)


@pytest.fixture
def course(tmp_path: Path) -> Course:
    """Two students, one of them with a mark and a comment by hand."""
    course, released = ready_course(tmp_path)
    hand_in(tmp_path, "right", released, ANSWERS)
    hand_in(tmp_path, "wrong", released, ANSWERS | WRONG)
    assert scores(graded(course)) == {"right": 6.0, "wrong": 4.0}
    with Bridge(course).gradebook() as gradebook:
        grade = gradebook.find_grade("why", LESSON, LESSON, "right")
        grade.manual_score, grade.extra_credit, grade.needs_manual_grade = 1.5, 0.25, False
        gradebook.find_comment("why", LESSON, LESSON, "right").manual_comment = "Well put."
        gradebook.find_comment("double", LESSON, LESSON, "wrong").manual_comment = "Look again."
        gradebook.db.commit()
    return course


def graded(course: Course, plan: Plan | None = None) -> dict[str, Row]:
    return {row.student: row for row in Classroom(course, "1").grade(plan=plan)}


def scores(rows: dict[str, Row]) -> dict[str, float]:
    return {student: row.score for student, row in rows.items()}


def edit(course: Course, change: object) -> None:
    """Change the solved notebook."""
    notebook = nbformat.read(course.master("1"), as_version=4)
    change(notebook)  # type: ignore[operator]
    nbformat.write(notebook, course.master("1"))


def by_hand(course: Course) -> tuple[float | None, float | None, str | None]:
    with Bridge(course).gradebook() as gradebook:
        grade = gradebook.find_grade("why", LESSON, LESSON, "right")
        words = gradebook.find_comment("why", LESSON, LESSON, "right").manual_comment
        return grade.manual_score, grade.extra_credit, words


def test_what_has_not_changed_is_not_graded_again(course: Course) -> None:
    path = Bridge(course).autograded("right", LESSON)
    before = path.stat().st_mtime_ns
    rows = graded(course)
    assert all(row.message.startswith("Unchanged.") for row in rows.values())
    assert scores(rows) == {"right": 7.75, "wrong": 4.0}, "marks given since are counted"
    assert rows["wrong"].exercises["double"]["verdict"] == "partial"
    assert path.stat().st_mtime_ns == before
    rows = graded(course, AGAIN)
    assert not any(row.unchanged for row in rows.values())
    assert path.stat().st_mtime_ns != before and by_hand(course) == (1.5, 0.25, "Well put.")


def test_what_makes_a_submission_changed(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    def ran(rows: dict[str, Row]) -> set[str]:
        return {student for student, row in rows.items() if not row.unchanged}

    assert ran(graded(course)) == set()
    path = course.submitted / "wrong" / LESSON / f"{LESSON}.ipynb"
    path.write_bytes(path.read_bytes() + b" ")
    assert ran(graded(course)) == {"wrong"}
    notebook = Bridge(course).autograded("right", LESSON)
    notebook.chmod(0o644)
    notebook.write_text(notebook.read_text() + " ")
    assert ran(graded(course)) == {"right"}, "somebody else graded it since"
    edit(course, lambda notebook: notebook.cells[0].update(source="# Another title"))
    assert ran(graded(course)) == {"right", "wrong"}
    monkeypatch.setenv("AUTOGRADER_SECRET", "another")
    assert ran(graded(course)) == {"right", "wrong"}
    monkeypatch.setattr("autograder.grading.ledger.environment", lambda: {"numpy": "3.0"})
    assert ran(graded(course)) == {"right", "wrong"}
    assert ran(graded(course)) == set()
    with Bridge(course).gradebook() as gradebook:
        gradebook.remove_submission(LESSON, "right")
    assert ran(graded(course)) == {"right"}, "removed from the gradebook by hand"


def test_a_test_that_was_wrong_is_fixed(course: Course) -> None:
    """The square of a number passes for a while: whose score changes is said."""

    def lenient(notebook: nbformat.NotebookNode) -> None:
        find(notebook, "double-values").source = DOUBLE_SHAPE

    edit(course, lenient)
    rows = graded(course)
    assert scores(rows) == {"right": 7.75, "wrong": 6.0}
    assert rows["wrong"].message.startswith("Score changed: 4 -> 6.")
    assert "Score changed" not in rows["right"].message
    assert by_hand(course) == (1.5, 0.25, "Well put.")
    assert "Score changed" not in graded(course)["wrong"].message, "said once"


def test_cells_may_come_and_go(course: Course) -> None:
    master = course.master("1").read_bytes()

    def another_test(notebook: nbformat.NotebookNode) -> None:
        place = notebook.cells.index(find(notebook, "double-shape"))
        about = {"role": "tests", "exercise": "double", "behaviour": "more", "allow": ["numpy"]}
        source = DOUBLE_SHAPE.replace("hidden_shape = (4, 1, 2)", "hidden_shape = (5,)")
        notebook.cells.insert(place + 1, code(source, "double-more", 4, **about))
        notebook.cells.append(code("locked = 1", "another", role="given"))

    edit(course, another_test)
    rows = graded(course)
    assert scores(rows) == {"right": 11.75, "wrong": 8.0}
    assert rows["right"].max_score == 12 and by_hand(course) == (1.5, 0.25, "Well put.")
    assert rows["wrong"].message.startswith("Score changed: 4 -> 8.")
    course.master("1").write_bytes(master)
    rows = graded(course)
    assert scores(rows) == {"right": 7.75, "wrong": 4.0}
    assert rows["right"].max_score == 8 and by_hand(course) == (1.5, 0.25, "Well put.")
    with Bridge(course).gradebook() as gradebook:
        assert gradebook.find_comment("double", LESSON, LESSON, "wrong").comment == "Look again."


def test_a_mark_on_a_cell_that_goes_comes_back_with_it(course: Course) -> None:
    master = course.master("1").read_bytes()
    edit(course, lambda notebook: notebook.cells.remove(find(notebook, "why")))
    rows = graded(course)
    assert scores(rows) == {"right": 6.0, "wrong": 4.0}
    assert "no longer has why; marks by hand are laid aside" in rows["right"].message
    assert "laid aside" not in rows["wrong"].message
    with Bridge(course).gradebook() as gradebook, pytest.raises(MissingEntry):
        gradebook.find_grade("why", LESSON, LESSON, "right")
    course.master("1").write_bytes(master)
    rows = graded(course)
    assert scores(rows) == {"right": 7.75, "wrong": 4.0}
    assert by_hand(course) == (1.5, 0.25, "Well put.")
    assert "laid aside" not in rows["right"].message


def test_stock_and_ours_take_turns(course: Course) -> None:
    rows = {row.student: row for row in Classroom(course, "1").grade(engine="stock")}
    assert scores(rows) == {"right": 7.75, "wrong": 4.0}
    rows = graded(course)
    assert not any(row.unchanged for row in rows.values())
    assert by_hand(course) == (1.5, 0.25, "Well put.")


def test_an_unknown_nbgrader_is_not_trimmed(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trims, "KNOWN", ())
    assert scores(graded(course, AGAIN)) == {"right": 7.75, "wrong": 4.0}
    assert all(row.unchanged for row in graded(course).values())


def test_workers_give_the_same_rows(course: Course) -> None:
    one, three = graded(course, AGAIN), graded(course, Plan(workers=3, again=True))
    assert list(one) == list(three) == ["right", "wrong"]
    for student, row in one.items():
        assert row.exercises == three[student].exercises and row.score == three[student].score


def test_the_commands(
    course: Course, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(course.root)
    assert main(["grade", "1"]) == 0
    out, err = capsys.readouterr()
    assert "2 unchanged since an earlier run (--again grades them)" in out
    assert "[1/2] right: unchanged" in err and "MB in this process" in err
    assert main(["grade", "1", "--again", "--workers", "2", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 2
    for arguments, words in (
        (["--workers", "0"], "--workers takes a number from 1 to 64, not 0."),
        (["--engine", "stock", "--workers", "2"], "nbgrader's own engine knows no --workers"),
        (["--db", "nonsense://x"], "is no address of a database"),
    ):
        assert main(["grade", "1", *arguments]) == 2
        out, err = capsys.readouterr()
        assert words in err and err.count("\n") == 1 and out == ""


def test_what_a_killed_run_put_in_place_is_not_what_a_person_saw(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = read_handout(course.master("1")).released
    hand_in(course.root, "right", released, ANSWERS | {"why": "I rewrote it all."})

    def killed(*given: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("autograder.grading.ledger.write_line", killed)
        with pytest.raises(KeyboardInterrupt):
            graded(course)
    row = graded(course)["right"]
    assert row.manual_pending == 1, "the new text waits for a person"
    assert by_hand(course)[0] == 1.5, "and the mark is kept"


def test_a_failure_leaves_nbgraders_folders_as_they_were(course: Course) -> None:
    bridge = Bridge(course)
    before = bridge.coursedir.student_id
    with pytest.raises(ZeroDivisionError), bridge.place(student_id="somebody"):
        raise ZeroDivisionError
    assert bridge.coursedir.student_id == before


def test_of_many_large_notebooks_only_the_first_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, size, seen = tmp_path / LESSON, 1000, []
    folder.mkdir()
    for name in ("a", "b", "c", "d", LESSON):
        (folder / f"{name}.ipynb").write_bytes(b" " * size)
    read = Path.read_bytes

    def reading(path: Path) -> bytes:
        seen.append(path.stem)
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", reading)
    first = ledger.submission_key("key", folder, size)
    assert seen == [LESSON, "a", "b"]
    assert ledger.submission_key("key", folder, size) == first
    (folder / "d.ipynb").write_bytes(b"x" * (size - 1))
    assert ledger.submission_key("key", folder, size) != first
