"""Large classes, killed processes, runs that are killed and started again: nothing is lost."""

import random
import sqlite3
import time
from pathlib import Path

import pytest
from class_of_many import (
    Process,
    alive,
    class_of,
    descendants,
    gone,
    grader,
    kill,
    peak_megabytes,
    progress,
    result,
    wait_for,
)
from small_course import ANSWERS, hand_in, ready_course

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="processes are found through /proc"
)


@pytest.mark.slow
def test_a_class_of_200_with_processes_killed_all_the_time(tmp_path: Path) -> None:
    """Whichever process dies (parents, answers, testers), every score is right."""
    _, expected = class_of(tmp_path, 200)
    dice = random.Random(5)
    seen: set[Process] = set()
    killed = 0
    run = grader(tmp_path, "--workers", "2")
    try:
        while run.poll() is None:
            below = descendants(run.pid)
            seen |= set(below)
            if below and len(progress(tmp_path)) > 20 * killed:
                kill(dice.choice(below))
                killed += 1
            time.sleep(0.1)
    finally:
        run.kill()
    assert run.returncode == 1, "some were refused"
    assert result(tmp_path) == expected
    assert killed >= 3
    assert gone(seen), f"left behind: {alive(seen)}"
    assert peak_megabytes(tmp_path) < 400


def grades(root: Path) -> dict[str, tuple[float, int]]:
    """Return the points and the number of grades of each submission, as SQLite has them."""
    with sqlite3.connect(root / "gradebook.db") as base:
        assert base.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        rows = base.execute(
            "SELECT s.student_id, SUM(g.auto_score), COUNT(g.id) FROM submitted_assignment s "
            "JOIN submitted_notebook n ON n.assignment_id = s.id "
            "LEFT JOIN grade g ON g.notebook_id = n.id GROUP BY s.student_id"
        ).fetchall()
        lines = {row[0] for row in base.execute("SELECT student FROM autograder_ledger")}
    base.close()
    assert {row[0] for row in rows} == lines, "a submission is there when its line is"
    return {student: (points or 0.0, count) for student, points, count in rows}


@pytest.mark.slow
def test_a_run_that_is_killed_goes_on(tmp_path: Path) -> None:
    """kill -9 at several moments: nobody is graded twice or forgotten, no half a submission."""
    _, expected = class_of(tmp_path, 40)
    finished: set[str] = set()
    for after in (0, 3, 11, 12):
        run = grader(tmp_path, "--workers", "2")
        wanted = len(finished) + after

        def far_enough(wanted: int = wanted) -> bool:
            return len(progress(tmp_path)) >= wanted

        assert wait_for(far_enough)
        seen = set(descendants(run.pid))
        run.kill()
        run.wait()
        assert gone(seen), f"left behind: {alive(seen)}"
        said = progress(tmp_path)
        again = {student for student in finished if said.get(student, "unchanged") != "unchanged"}
        assert not again, "graded twice"
        finished |= set(said)
        if finished:
            for student, found in grades(tmp_path).items():
                assert found == (expected[student][1], 4)
    assert 20 < len(finished) < 40
    run = grader(tmp_path)
    assert run.wait(120) == 1
    assert result(tmp_path) == expected
    unchanged = {student for student, what in progress(tmp_path).items() if what == "unchanged"}
    assert finished <= unchanged < set(expected)
    assert len(grades(tmp_path)) == 40
    notebooks = list((tmp_path / "autograded").glob("*/*/*.ipynb"))
    assert len(notebooks) == 40 and not (tmp_path / "autograded" / ".part").exists()


def test_two_runs_at_once_are_refused(tmp_path: Path) -> None:
    course, released = ready_course(tmp_path)
    slow = "import time\ntime.sleep(50)\n" + ANSWERS["total"]
    hand_in(course.root, "s", released, ANSWERS | {"total": slow})
    first = grader(tmp_path)
    try:
        assert wait_for(lambda: descendants(first.pid)), "it holds the lock by now"
        assert grader(tmp_path).wait(60) == 2
        assert "another `autograder grade` is at work" in (tmp_path / "stderr.txt").read_text()
    finally:
        first.kill()
        first.wait()
    assert grader(tmp_path, "--student", "nobody").wait(60) == 2
    assert "'nobody' has handed in nothing" in (tmp_path / "stderr.txt").read_text()
