"""nbgrader stays nbgrader: its own commands work on this course, beside ours and after them."""

import shutil
import subprocess
from pathlib import Path

import nbformat
import pytest
from nbgrader.apps import NbGraderAPI
from small_course import ANSWERS, LESSON, hand_in, make_course

from autograder.course import Course, find_course
from autograder.grading.bridge import Bridge
from autograder.grading.classroom import SECRET, Classroom

REPOSITORY = find_course(Path(__file__).parent)
OURS = "01_why_frameworks"


def nbgrader(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["nbgrader", *arguments], cwd=root, capture_output=True, text=True, check=False, timeout=300
    )


def validation(root: Path, student: str, lesson: str) -> str:
    path = f"submitted/{student}/{lesson}/{lesson}.ipynb"
    return nbgrader(root, "validate", path).stdout


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """A small course as an adopter has it, released by nbgrader and handed in by two students."""
    root = make_course(tmp_path_factory.mktemp("course"))
    done = nbgrader(root, "generate_assignment", LESSON)
    assert done.returncode == 0, done.stderr
    copy = Course(root)
    released = nbformat.read(copy.release(LESSON), as_version=4)
    hand_in(root, "right", released, ANSWERS)
    hand_in(root, "blank", released)
    return copy


def test_validate(course: Course) -> None:
    assert "passes all the tests" in validation(course.root, "right", LESSON)
    assert "failed" in validation(course.root, "blank", LESSON)


def test_autograde_feedback_and_marks_by_hand(course: Course) -> None:
    done = nbgrader(course.root, "autograde", LESSON)
    assert done.returncode == 0, done.stderr
    bridge = Bridge(course)
    stock = {student: bridge.points(student, LESSON) for student in ("right", "blank")}
    assert sum(stock["right"].values()) == 6 and sum(stock["blank"].values()) == 0

    done = nbgrader(course.root, "generate_feedback", LESSON)
    assert done.returncode == 0, done.stderr
    assert (course.root / "feedback" / "right" / LESSON / f"{LESSON}.html").is_file()

    with bridge.gradebook() as gradebook:
        grade = gradebook.find_grade("why", LESSON, LESSON, "right")
        assert grade.needs_manual_grade and grade.max_score == 2
        grade.manual_score, grade.needs_manual_grade = 1.5, False
        gradebook.find_comment("why", LESSON, LESSON, "right").manual_comment = "Well put."
        gradebook.db.commit()

    rows = {row.student: row for row in Classroom(course, LESSON).grade()}
    ours = {student: bridge.points(student, LESSON) for student in ("right", "blank")}
    assert ours["blank"] == stock["blank"]
    assert ours["right"] == stock["right"] | {"why": 1.5}
    assert (rows["right"].score, rows["right"].manual_pending) == (7.5, 0)
    with bridge.gradebook() as gradebook:
        assert gradebook.find_comment("why", LESSON, LESSON, "right").comment == "Well put."

    # And nbgrader's own autograde takes over again, marks and all.
    done = nbgrader(course.root, "autograde", LESSON, "--force", "--student", "right")
    assert done.returncode == 0, done.stderr
    assert bridge.points("right", LESSON) == ours["right"]


def test_formgrader_lists_what_we_graded(course: Course) -> None:
    Classroom(course, LESSON).grade()
    bridge = Bridge(course)
    api = NbGraderAPI(coursedir=bridge.coursedir, config=bridge.config)
    listed = {one["student"]: one for one in api.get_submissions(LESSON)}
    assert {student: one["autograded"] for student, one in listed.items()} == {
        "right": True, "blank": True,
    }  # fmt: skip
    assert listed["right"]["last_name"] == "right"
    assert [one["name"] for one in api.get_assignments()] == [LESSON]


def test_nbgraders_export_takes_our_plugin(course: Course) -> None:
    arguments = ("--exporter=autograder.grading.export.SafeCsv", "--to=safe.csv")
    done = nbgrader(course.root, "export", *arguments)
    assert done.returncode == 0, done.stderr
    assert (course.root / "safe.csv").read_text().startswith('"student","last_name"')


def test_our_stock_engine_is_nbgraders_autograde(course: Course, tmp_path: Path) -> None:
    rows = Classroom(course, LESSON, db_url=str(tmp_path / "other.db")).grade(engine="stock")
    assert {row.student: (row.status, row.score) for row in rows} == {
        "right": ("graded", 6.0), "blank": ("graded", 0.0),
    }  # fmt: skip
    assert rows[1].exercises["double"]["verdict"] == "pass"


BY_CHANCE = "def double(x):\n    return 2 * x if x.size < 5 or x.sum() > 0 else x"
"""Right for the visible case, and for hidden numbers whose sum is positive."""


def test_both_engines_draw_the_same_hidden_numbers(
    course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_course(tmp_path / "course")
    released = nbformat.read(course.release(LESSON), as_version=4)
    hand_in(root, "lucky", released, ANSWERS | {"double": BY_CHANCE})
    seen = set()
    for secret in ("one", "two", "three", "five"):
        monkeypatch.setenv(SECRET, secret)
        found = []
        for engine in ("fast", "stock"):
            room = Classroom(Course(root), LESSON)
            room.grade(engine=engine)
            found.append(room.bridge.points("lucky", LESSON))
        assert found[0] == found[1], secret
        seen.add(found[0]["double-values"])
    assert len(seen) == 2, seen


def test_the_course_itself_is_released_as_the_repository_has_it(tmp_path: Path) -> None:
    shutil.copy(REPOSITORY.root / "nbgrader_config.py", tmp_path)
    shutil.copytree(REPOSITORY.solutions / OURS, tmp_path / "solutions" / OURS)
    done = nbgrader(tmp_path, "generate_assignment", OURS)
    assert done.returncode == 0, done.stderr
    release = Course(tmp_path).release(OURS)
    assert release.read_bytes() == REPOSITORY.release(OURS).read_bytes()
