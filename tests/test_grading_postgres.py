"""PostgreSQL as gradebook: a server of Debian's package, started here on a socket of its own."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Generator
from pathlib import Path

import nbformat
import pytest
import sqlalchemy
from small_course import ANSWERS, LESSON, find, hand_in, hand_in_raw, ready_course

from autograder.cli import main
from autograder.grading import trims
from autograder.grading.bridge import Bridge
from autograder.grading.classroom import Classroom, Plan

FOUND = [*sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb")), shutil.which("initdb")]
PROGRAMS = next((Path(path).parent for path in reversed(FOUND) if path), None)
pytest.importorskip("psycopg", reason="psycopg is not installed (the extra `postgres`)")
if PROGRAMS is None:
    pytest.skip("PostgreSQL's server is not installed", allow_module_level=True)
assert PROGRAMS is not None


def other_user() -> int | None:
    """Return a user to run the server as where this is root, whom PostgreSQL refuses."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_uid
        except KeyError:
            continue
    pytest.skip("PostgreSQL refuses root, and there is no user to run it as")


@pytest.fixture(scope="module")
def server() -> Generator[str]:
    """The address of a new database cluster, without its last part, the database."""
    user = other_user()
    with tempfile.TemporaryDirectory(prefix="pg-") as name:
        place = Path(name)
        if user is not None:
            os.chown(place, user, -1)

        def call(program: str, *arguments: str) -> None:
            command = [str(PROGRAMS / program), *arguments]
            done = subprocess.run(
                command, user=user, cwd=place, capture_output=True, text=True, check=False,
                env={**os.environ, "LC_ALL": "C.UTF-8"},
            )  # fmt: skip
            assert done.returncode == 0, done.stderr

        data = str(place / "data")
        call("initdb", "-D", data, "-U", "teacher", "-A", "trust", "-E", "UTF8", "--no-sync")
        options = f"-c listen_addresses= -c unix_socket_directories={place} -c fsync=off"
        call("pg_ctl", "-D", data, "-o", options, "-l", str(place / "log"), "-w", "start")
        try:
            yield f"postgresql://teacher@/{{}}?host={place}"
        finally:
            call("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")


@pytest.fixture
def address(server: str, request: pytest.FixtureRequest) -> str:
    """The address of an empty database."""
    name = f"db{abs(hash(request.node.name)) % 10**8}"
    engine = sqlalchemy.create_engine(
        trims.own_driver(server.format("postgres")), isolation_level="AUTOCOMMIT"
    )
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine.dispose()
    return server.format(name)


def test_a_class(tmp_path: Path, address: str) -> None:
    course, released = ready_course(tmp_path)
    (tmp_path / "gradebook.db").unlink()
    for number in range(6):
        hand_in(tmp_path, f"right{number}", released, ANSWERS)
    hand_in(tmp_path, "blank", released)
    hand_in_raw(tmp_path, "broken", b"{")
    room = Classroom(course, "1", db_url=address)
    rows = {row.student: (row.status, row.score) for row in room.grade(plan=Plan(workers=2))}
    right = {f"right{number}": ("graded", 6.0) for number in range(6)}
    assert rows == right | {"blank": ("graded", 0.0), "broken": ("refused", 0.0)}
    with room.bridge.gradebook() as gradebook:
        grade = gradebook.find_grade("why", LESSON, LESSON, "right0")
        grade.manual_score, grade.needs_manual_grade = 2.0, False
        gradebook.db.commit()
    again = room.grade()
    assert all(row.unchanged for row in again)
    assert {row.student: row.score for row in again}["right0"] == 8.0
    hand_in(tmp_path, "blank", released, ANSWERS)
    rows_now = {row.student: row for row in room.grade(plan=Plan(again=True))}
    assert rows_now["blank"].message.startswith("Score changed: 0 -> 6.")
    assert rows_now["right0"].score == 8.0 and not (tmp_path / "gradebook.db").exists()


def test_what_fails_in_the_database_is_one_row(tmp_path: Path, address: str) -> None:
    """PostgreSQL holds no id above 128 characters; the others of the batch are written."""
    course, released = ready_course(tmp_path)
    long = "x" * 150
    for student in ("a", long, "z"):
        hand_in(tmp_path, student, released, ANSWERS)
    room = Classroom(course, "1", db_url=address)
    rows = {row.student: row for row in room.grade(plan=Plan(workers=3))}
    assert (rows["a"].score, rows["z"].score) == (6.0, 6.0)
    assert rows[long].status == "error"
    assert set(room.bridge.all_marks(LESSON)) == {"a", "z"}


def test_nbgraders_own_db_url(tmp_path: Path, address: str) -> None:
    course, released = ready_course(tmp_path)
    config = (tmp_path / "nbgrader_config.py").read_text()
    config += f"c.CourseDirectory.db_url = {address!r}\n"
    (tmp_path / "nbgrader_config.py").write_text(config)
    hand_in(tmp_path, "s", released, ANSWERS)
    assert [row.score for row in Classroom(course, "1").grade()] == [6.0]
    assert Bridge(course).marks("s", LESSON).score == 6.0


def test_no_server_and_no_driver(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _, released = ready_course(tmp_path)
    hand_in(tmp_path, "s", released)
    monkeypatch.chdir(tmp_path)
    url = f"postgresql://teacher:s3cret@/x?host={tmp_path}"
    assert main(["grade", "1", "--db", url]) == 2
    err = capsys.readouterr().err
    assert "cannot be opened" in err and err.count("\n") == 1 and "s3cret" not in err
    monkeypatch.setitem(__import__("sys").modules, "psycopg", None)
    assert main(["grade", "1", "--db", url]) == 2
    assert "pip install -e '.[postgres]'" in capsys.readouterr().err


def test_cells_may_come_and_go(tmp_path: Path, address: str) -> None:
    """PostgreSQL, unlike SQLite here, refuses a row that points at a cell which is gone."""
    course, released = ready_course(tmp_path)
    hand_in(tmp_path, "s", released, ANSWERS)
    assert Classroom(course, "1", db_url=address).grade()[0].score == 6.0
    bridge = Bridge(course, address)
    with bridge.gradebook() as gradebook:
        gradebook.find_grade("why", LESSON, LESSON, "s").manual_score = 2.0
        gradebook.find_comment("why", LESSON, LESSON, "s").manual_comment = "Well put."
        gradebook.db.commit()
    master = course.master("1").read_bytes()
    notebook = nbformat.reads(master.decode(), as_version=4)
    notebook.cells.remove(find(notebook, "why"))
    nbformat.write(notebook, course.master("1"))
    row = Classroom(course, "1", db_url=address).grade()[0]
    assert (row.score, row.max_score) == (6.0, 6.0) and "laid aside" in row.message
    course.master("1").write_bytes(master)
    row = Classroom(course, "1", db_url=address).grade()[0]
    assert row.score == 8.0 and row.message.startswith("Score changed: 6 -> 8.")
    with bridge.gradebook() as gradebook:
        assert gradebook.find_comment("why", LESSON, LESSON, "s").comment == "Well put."
