"""Plain test cells of a course that never heard of us: the scores of stock nbgrader, test by test.

Two copies of one class, one graded by our engine and one by nbgrader's own, and what our engine
says more: that such a verdict is of lower trust.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import plain_course
import pytest

from autograder.cli import main
from autograder.course import Course, cell_seconds, find_course
from autograder.errors import Problem
from autograder.grading.classroom import Classroom
from autograder.master import MasterCell, read_master
from autograder.plain import is_plain, judge

Graded = dict[str, tuple[Any, dict[str, float]]]


def graded(root: Path, engine: str) -> Graded:
    """Grade the class; return each student's row and points by grade id."""
    room = Classroom(find_course(plain_course.plain_course(root)), plain_course.LESSON)
    rows = room.grade(engine=engine)
    return {row.student: (row, room.bridge.points(row.student, row.lesson)) for row in rows}


@pytest.fixture(scope="module")
def fast(tmp_path_factory: pytest.TempPathFactory) -> Graded:
    return graded(tmp_path_factory.mktemp("fast") / "course", "fast")


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Graded:
    return graded(tmp_path_factory.mktemp("stock") / "course", "stock")


@pytest.mark.parametrize("student", [*plain_course.ANSWERS, "blank"])
def test_each_test_scores_as_under_stock_nbgrader(
    student: str, fast: Graded, stock: Graded
) -> None:
    row, points = fast[student]
    other, expected = stock[student]
    assert points == expected
    assert (row.score, row.max_score) == (other.score, other.max_score)
    assert row.manual_pending == other.manual_pending


def test_the_class_is_not_all_right_or_all_wrong(fast: Graded) -> None:
    scores = {student: row.score for student, (row, _) in fast.items()}
    assert scores["right"] == scores["prints"] == 6.0
    assert scores["blank"] == scores["raises"] == 0.0
    assert fast["partly"][1]["squares_partly"] == 1.0
    assert 0 < scores["forever"] < scores["copies"] < 6.0


def test_a_verdict_says_that_it_is_of_lower_trust(fast: Graded) -> None:
    row, _ = fast["partly"]
    assert {one["trust"] for one in row.exercises.values()} == {"plain"}
    assert row.exercises["squares_partly"]["verdict"] == "partial"
    assert row.exercises["uses_squares"]["verdict"] == "pass"


def test_the_report_marks_what_is_of_lower_trust(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = plain_course.plain_course(tmp_path / "course", students=("right",))
    Classroom(find_course(root), plain_course.LESSON).grade()
    monkeypatch.chdir(root)
    assert main(["report", plain_course.LESSON]) == 0
    text = capsys.readouterr().out
    assert "squares_partly *" in text
    assert "ran beside the students' code" in text


THIEF = """def squares(n):
    raise type(In[-1][:200], (Exception,), {})(In[-1])"""
AFTER = """def sum_of_squares(n):
    return n
print([line for line in In if 'elev' 'enth' in line])"""


def test_a_hidden_test_is_in_nothing_that_a_student_sees(tmp_path: Path) -> None:
    root = tmp_path / "course"
    plain_course.plain_course(root, students=("right",))
    plain_course.hand_in(root, "thief", THIEF, AFTER)
    room = Classroom(find_course(root), plain_course.LESSON)
    row = room.grade(["thief"])[0]
    assert row.status == "graded"
    assert "eleventh" not in repr(row)
    notebook = nbformat.read(room.bridge.autograded("thief", plain_course.LESSON), as_version=4)
    outputs = [cell.outputs for cell in notebook.cells if cell.get("id") == "sum_of_squares"]
    assert "eleventh" not in repr(outputs)


READS_IN = """
def squares(n):
    if n < 1:
        raise ValueError
    for line in In:
        if "elev" "enth" in line:
            {put}
    return [i * i for i in range(1, n + 1)]"""
LAST_WORD = """
import gc, os
answerer = [one for one in gc.get_objects() if type(one).__name__ == "Answerer"][0]
""" + READS_IN.format(put="answerer.channel.send(b'X' + line[-150:].encode()); os._exit(0)")
LEFT = "\nimport os\nprint(open({0!r}).read() if os.path.exists({0!r}) else 'nothing')"
SHARED = "import mmap\nroom = mmap.mmap(-1, 10_000)\n"
THIEVES = {
    "file": (
        READS_IN.format(put="open('/scratch/left', 'w').write(line)"),
        LEFT.format("/scratch/left"),
    ),
    "memory": (
        READS_IN.format(put="open('/dev/shm/left', 'w').write(line)"),
        LEFT.format("/dev/shm/left"),
    ),
    "shared": (
        SHARED + READS_IN.format(put="room[:len(line)] = line.encode()"),
        "\nprint(room[:].decode())",
    ),
    "module": (
        READS_IN.format(put="open('left.py', 'w').write('text = ' + repr(line))"),
        "\ntry:\n    import left\n    print(left.text)\nexcept ImportError:\n    pass",
    ),
    "last word": (LAST_WORD, ""),
}


def test_no_road_leads_from_a_hidden_test_to_what_a_student_reads(tmp_path: Path) -> None:
    root = tmp_path / "course"
    plain_course.plain_course(root, students=("right",))
    for name, (squares, more) in THIEVES.items():
        plain_course.hand_in(root, name, squares, plain_course.SUMS + more)
    room = Classroom(find_course(root), plain_course.LESSON)
    for row in room.grade(list(THIEVES)):
        path = room.bridge.autograded(row.student, plain_course.LESSON)
        outputs = [cell.get("outputs") for cell in nbformat.read(path, as_version=4).cells]
        assert "eleventh" not in repr((row, outputs)), row.student


POOL = """from concurrent.futures import ThreadPoolExecutor
pool = ThreadPoolExecutor(1)
def squares(n):
    if n < 1:
        raise ValueError
    return pool.submit(lambda: [i * i for i in range(1, n + 1)]).result()
squares(2)"""
USER = """def sum_of_squares(n):
    return sum(squares(n))
print("fourteen:", sum_of_squares(3))"""


def test_what_a_cell_with_threads_shows_is_kept(tmp_path: Path) -> None:
    root = tmp_path / "course"
    plain_course.plain_course(root, students=("right",))
    plain_course.hand_in(root, "pool", POOL, USER)
    room = Classroom(find_course(root), plain_course.LESSON)
    row = room.grade(["pool"])[0]
    assert row.score == 6.0
    notebook = nbformat.read(room.bridge.autograded("pool", plain_course.LESSON), as_version=4)
    outputs = [cell.outputs for cell in notebook.cells if cell.get("id") == "sum_of_squares"]
    assert "fourteen: 14" in repr(outputs)


def cell(source: str, **about: Any) -> MasterCell:
    return MasterCell(0, "t", "code", "tests", source, "t", 2.0, "t", **about)


def test_which_cells_are_plain() -> None:
    assert is_plain(cell("assert f(1) == 1"))
    assert is_plain(cell("%%time\nassert f(1) == 1"))
    assert is_plain(cell("def test(f):\n    return f\ntest(f)"))
    assert not is_plain(cell("@test\ndef _(rng):\n    'Works.'"))
    assert not is_plain(cell("@autograder.test\ndef _(rng):\n    'Works.'"))
    assert not is_plain(cell("assert False", behaviour="values"))


def shown(text: str) -> dict[str, Any]:
    return {"output_type": "execute_result", "data": {"text/plain": text}, "metadata": {}}


@pytest.mark.parametrize(
    ("outputs", "verdict", "points"),
    [
        ([], "pass", 2.0),
        ([{"output_type": "stream", "name": "stdout", "text": "hello"}], "pass", 2.0),
        ([{"output_type": "stream", "name": "stderr", "text": "hm"}], "fail", 0.0),
        ([{"output_type": "error", "ename": "E", "evalue": "", "traceback": []}], "fail", 0.0),
        ([shown("0.5")], "partial", 0.5),
        ([shown("2")], "pass", 2.0),
        ([shown("0")], "fail", 0.0),
        ([shown("'words'")], "pass", 2.0),
        ([shown("3")], "fail", 0.0),
        ([{"output_type": "execute_result"}], "fail", 0.0),
        ([{"odd": 1}], "fail", 0.0),
    ],
)
def test_nbgraders_rule_reads_the_outputs(
    outputs: list[dict[str, Any]], verdict: str, points: float
) -> None:
    record = judge(cell("check"), outputs)
    assert (record.verdict, record.points, record.trust) == (verdict, points, "plain")


def test_words_of_a_process_that_held_hidden_tests_are_not_passed_on() -> None:
    error = {"output_type": "error", "ename": "secret == 3", "evalue": "secret", "traceback": []}
    assert "secret" in judge(cell("check"), [error]).message
    assert "secret" not in judge(cell("check"), [error], guarded=True).message


def test_a_course_by_nbgraders_own_names(tmp_path: Path) -> None:
    root = plain_course.plain_course(tmp_path / "course", students=())
    course = find_course(root)
    assert course.solutions == root / "source"
    assert course.notebooks == root / "release"
    assert course.lesson_names() == ["ps1"]
    assert course.lesson("ps1") == "ps1"
    master = read_master(course.master("ps1"))
    assert [one.exercise for one in master.tests()][:2] == [
        "correct_squares",
        "squares_invalid_input",
    ]
    assert {one.seconds for one in master.cells} == {3.0}


def test_folders_and_limits_come_from_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "nbgrader_config.py").write_text(
        "c = get_config()\nc.CourseDirectory.source_directory = 'teachers'\n"
    )
    assert Course(tmp_path).solutions == tmp_path / "teachers"
    assert cell_seconds(tmp_path / "teachers" / "a" / "a.ipynb") == 30.0
    (tmp_path / "nbgrader_config.py").write_text("c = get_config()\n1 / 0\n")
    with pytest.raises(Problem, match="ZeroDivisionError"):
        _ = Course(tmp_path).solutions


def test_folders_named_in_another_way_are_refused_not_overlooked(tmp_path: Path) -> None:
    line = "c = get_config()\nc.CourseDirectory.directory_structure = {!r}\n"
    usual = "{nbgrader_step}/{student_id}/{assignment_id}"
    (tmp_path / "nbgrader_config.py").write_text(line.format(usual))
    assert Course(tmp_path).submitted == tmp_path / "submitted"
    other = "{nbgrader_step}/{assignment_id}/{student_id}"
    (tmp_path / "nbgrader_config.py").write_text(line.format(other))
    with pytest.raises(Problem, match=r"sets CourseDirectory\.directory_structure"):
        _ = Course(tmp_path).submitted


def test_the_one_notebook_of_several_is_asked_for_by_name(tmp_path: Path) -> None:
    root = plain_course.plain_course(tmp_path / "course", students=())
    folder = root / "source" / "ps1"
    (folder / "problem2.ipynb").write_bytes((folder / "ps1.ipynb").read_bytes())
    course = find_course(root)
    assert [path.name for path in course.masters("ps1")] == ["problem2.ipynb", "ps1.ipynb"]
    with pytest.raises(Problem, match=r"problem2\.ipynb, ps1\.ipynb"):
        course.master("ps1")


def test_the_course_may_lie_elsewhere(tmp_path: Path) -> None:
    root = plain_course.plain_course(tmp_path / "course", students=())
    (root / "nbgrader_config.py").write_text("c = get_config()\nc.Execute.timeout = 7\n")
    desk = tmp_path / "desk"
    desk.mkdir()
    (desk / "nbgrader_config.py").write_text(
        f"c = get_config()\nc.CourseDirectory.root = {str(root)!r}\nc.Execute.timeout = 5\n"
    )
    course = find_course(desk)
    assert (course.root, course.home) == (root, desk)
    assert course.configured["Execute"]["timeout"] == 7, "the course's own word counts"
    assert course.solutions == root / "source"
    (root / "nbgrader_config.py").unlink()
    (root / "nbgrader_config.json").write_text('{"Execute": {"timeout": 9}}')
    assert find_course(root).configured["Execute"]["timeout"] == 9
    (root / "nbgrader_config.json").unlink()
    assert find_course(root / "source" / "ps1").root == root, "by nbgrader's usual folders"
    with pytest.raises(Problem, match="is not inside a course"):
        find_course(tmp_path)
