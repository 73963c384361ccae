"""`autograder lab`: copies that are never overwritten, and what JupyterLab is started with."""

import datetime
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.cli import main
from autograder.commands import lab
from autograder.course import Course

ROOT = Path(__file__).resolve().parents[1]
LESSON = "01_why_frameworks"
EMPTY = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


@pytest.fixture
def course(tmp_path: Path) -> Course:
    """A course of two small lessons, the first with a file beside its notebook."""
    shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
    for name in (LESSON, "02_backpropagation"):
        folder = tmp_path / "notebooks" / name
        folder.mkdir(parents=True)
        (folder / f"{name}.ipynb").write_text(json.dumps(EMPTY))
    (tmp_path / "notebooks" / LESSON / "data").mkdir()
    (tmp_path / "notebooks" / LESSON / "data" / "points.csv").write_text("1,2\n")
    return Course(tmp_path)


@pytest.fixture
def started(course: Course, monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], Path]]:
    """Run in the course; keep what would be started instead of starting it."""
    calls: list[tuple[list[str], Path]] = []
    monkeypatch.chdir(course.root)
    monkeypatch.setattr(lab, "start", lambda words, folder: calls.append((words, folder)) or 0)
    return calls


def test_copies_are_filled_and_never_overwritten(course: Course, started: list) -> None:
    assert main(["lab"]) == 0
    mine = course.work / LESSON
    assert json.loads((mine / f"{LESSON}.ipynb").read_text()) == EMPTY
    assert (mine / "data" / "points.csv").read_text() == "1,2\n"
    (mine / f"{LESSON}.ipynb").write_text("my own work")
    (course.notebooks / LESSON / f"{LESSON}.ipynb").write_text("a newer release")
    (mine / "data" / "points.csv").unlink()
    assert main(["lab"]) == 0
    assert (mine / f"{LESSON}.ipynb").read_text() == "my own work"
    assert (mine / "data" / "points.csv").exists(), "what is missing comes back"
    assert sorted(path.name for path in mine.iterdir()) == [f"{LESSON}.ipynb", "data"]


def test_reset_keeps_the_old_copy(course: Course, started: list) -> None:
    assert main(["lab"]) == 0
    (course.work / LESSON / f"{LESSON}.ipynb").write_text("my own work")
    assert main(["lab", "--reset", "why_frameworks", "--no-browser"]) == 0
    assert json.loads((course.work / LESSON / f"{LESSON}.ipynb").read_text()) == EMPTY
    (kept,) = course.work.glob(f"{LESSON}.kept_*")
    assert (kept / f"{LESSON}.ipynb").read_text() == "my own work"
    assert started[-1][0][-1] == "--no-browser"


def test_two_resets_in_one_second_keep_both(course: Course) -> None:
    now = datetime.datetime(2026, 11, 20, 9, 30)
    kept = []
    for text in ("first", "second"):
        lab.fill(course.notebooks / LESSON, course.work / LESSON)
        (course.work / LESSON / f"{LESSON}.ipynb").write_text(text)
        kept.append(lab.set_aside(course, LESSON, now))
    assert [(path / f"{LESSON}.ipynb").read_text() for path in kept if path] == ["first", "second"]


def test_reset_opens_that_lesson(course: Course, started: list) -> None:
    assert main(["lab", "--reset", "2"]) == 0
    assert (
        "--LabApp.default_url=/lab/tree/work/02_backpropagation/02_backpropagation.ipynb"
        in (started[0][0])
    )


def test_an_unknown_lesson_is_named(
    course: Course, started: list, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["lab", "--reset", "tides"]) == 2
    assert "there is no lesson 'tides' here" in capsys.readouterr().err
    assert started == []


def test_a_course_without_notebooks_says_how_to_make_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
    monkeypatch.chdir(tmp_path)
    assert main(["lab"]) == 2
    assert "autograder build" in capsys.readouterr().err


def test_other_arguments_go_to_jupyter_as_they_are(course: Course, started: list) -> None:
    words = [
        "--no-browser",
        "--port",
        str(free_port()),
        "--allow-root",
        "--ServerApp.port_retries=0",
    ]
    words.append("--IdentityProvider.token=fresh")
    assert main(["lab", *words]) == 0
    command, folder = started[0]
    assert command[-len(words) :] == words
    assert command[:3] == [sys.executable, "-m", "jupyterlab"]
    assert f"--LabApp.default_url=/lab/tree/work/{LESSON}/{LESSON}.ipynb" in command
    assert folder == course.root


def test_other_verbs_refuse_unknown_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["doctor", "--no-browser"])
    assert "unrecognized arguments: --no-browser" in capsys.readouterr().err


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.mark.parametrize("form", ["--port {}", "--port={}", "--ServerApp.port={}"])
def test_a_busy_port_is_one_sentence(
    course: Course, started: list, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert main(["lab", *form.format(port).split()]) == 2
    told = capsys.readouterr()
    assert told.err.startswith(f"autograder lab: port {port} is taken by another program")
    assert told.err.count("\n") == 1
    assert started == []
    assert not course.work.exists()
    assert main(["lab", *form.format(port).split()]) == 0


def test_an_impossible_port_is_one_sentence(
    course: Course, started: list, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["lab", "--port", "70000"]) == 2
    assert "ports end at 65535" in capsys.readouterr().err


@pytest.fixture
def server(course: Course, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real JupyterLab on the small course, started as an unactivated environment would."""
    home = tmp_path_factory.mktemp("home")
    port = free_port()
    words = ["lab", "--no-browser", "--allow-root", f"--port={port}", "--IdentityProvider.token=t"]
    with (home / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "autograder", *words],
            cwd=course.notebooks,
            env={"HOME": str(home), "PATH": "/usr/bin:/bin"},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    base = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            try:
                get(base, "/api/status")
                break
            except (urllib.error.URLError, ConnectionError):
                assert process.poll() is None, (home / "log").read_text()
                time.sleep(0.2)
        yield base
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(20)


def get(base: str, path: str) -> bytes:
    request = urllib.request.Request(base + path, headers={"Authorization": "token t"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return bytes(answer.read())


def test_jupyterlab_starts_on_the_lesson_with_the_courses_settings(
    server: str, course: Course
) -> None:
    here = json.loads(get(server, "/api/contents/work?content=1"))
    assert {entry["name"] for entry in here["content"]} == {
        LESSON,
        "02_backpropagation",
        "start.ipynb",
    }
    assert f"work/{LESSON}/{LESSON}.ipynb".encode() in get(server, "/?")
    plugin = "@jupyterlab/apputils-extension:notification"
    settings = json.loads(get(server, f"/lab/api/settings/{plugin}"))
    assert settings["schema"]["properties"]["fetchNews"]["default"] == "false"
    # nbgrader's server side answers, and found `alembic`, with which it makes the gradebook.
    assert b"formgrader" in get(server, "/formgrader").lower()
    shutil.copytree(course.notebooks, course.solutions)
    rows = json.loads(get(server, "/formgrader/api/assignments"))
    assert [row["name"] for row in rows] == [LESSON, "02_backpropagation"]
    assert course.gradebook.exists()
