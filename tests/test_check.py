"""`autograder check`: one notebook graded here and now, with nothing given away."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from autograder import cli
from tests.audit_course import FOLDER, attempt, build_course

CENTER = "def center(x):\n    return x - np.mean(x, axis=0)"
ROWS = "def center(x):\n    return (x.T - x.mean(axis=1)).T"
HIDDEN_ONLY = "def center(x):\n    return x - x.mean(axis=0) + (len(x) == 1)"


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_course(tmp_path_factory.mktemp("course")).root


@pytest.fixture
def notebook(course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh copy, with the working folder in the course."""
    monkeypatch.chdir(course)
    copy = tmp_path / f"{FOLDER}.ipynb"
    copy.write_bytes((course / "work" / FOLDER / f"{FOLDER}.ipynb").read_bytes())
    return copy


def check(path: Path, capfd: pytest.CaptureFixture[str], *options: str) -> tuple[int, str, str]:
    status = cli.main(["check", str(path), *options])
    return status, *capfd.readouterr()


def test_a_blank_notebook_is_not_answered(
    notebook: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    status, out, _ = check(notebook, capfd)
    assert status == 1
    assert "center: 0 of 3 points, not answered yet" in out
    assert "total: 0 of 5 points" in out
    assert "NotImplementedError" not in out and "note:" not in out


def test_verdicts_points_and_the_misconception(
    notebook: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    attempt(notebook, {"center": ROWS})
    status, out, _ = check(notebook, capfd)
    assert status == 1
    assert "center: 1 of 3 points" in out
    assert "  not yet  values (2): Every column has mean 0." in out
    assert "  pass     inputs_kept (1): The argument stays as it was." in out
    assert "Your answer moves the mean of each row, not of each column." in out


def test_hidden_behaviours_count_and_are_not_shown(
    notebook: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    attempt(notebook, {"center": HIDDEN_ONLY})
    _, out, _ = check(notebook, capfd)
    assert "not yet  values" in out and "fresh rows" in out
    assert "rng.normal" not in out and "HIDDEN" not in out and "x.sum(axis=0) / rows" not in out


def test_everything_right_is_status_0_and_json_is_alone(
    notebook: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    attempt(notebook, {"center": CENTER, "spread": "def spread(x):\n    return x.std(axis=0)"})
    status, out, _ = check(notebook, capfd, "--json")
    found = json.loads(out)
    assert status == 0
    assert (found["lesson"], found["points"], found["max_points"]) == (FOLDER, 5.0, 5.0)
    assert [one["verdict"] for one in found["exercises"]["center"]["behaviours"]] == ["pass"] * 2


def test_a_patched_test_cell_changes_nothing(
    notebook: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    attempt(notebook, {"center": ROWS, "center-values": "print('pass')"})
    status, out, _ = check(notebook, capfd)
    assert status == 1 and "center: 1 of 3 points" in out
    assert "Test cell 'center-values' was edited." in out


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("03_scales.ipynb", "", "the notebook is an empty file"),
        ("03_scales.ipynb", "[1, 2", "not valid JSON"),
        ("03_scales.ipynb", "[]", "not a notebook"),
        ("notes.txt", "Dear diary", "is no notebook of a lesson here"),
        (
            "other.ipynb",
            '{"cells": [], "metadata": {"autograder": {"lesson": "alchemy"}}, "nbformat": 4}',
            "there is no lesson 'alchemy' here",
        ),
        (
            "03_scales.ipynb",
            '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}',
            "holds no answer of 03_scales",
        ),
    ],
)
def test_what_is_no_notebook_is_one_sentence(
    notebook: Path, capfd: pytest.CaptureFixture[str], name: str, text: str, words: str
) -> None:
    path = notebook.with_name(name)
    path.write_text(text)
    status, out, err = check(path, capfd)
    assert (status, out) == (2, "")
    assert words in err and len(err.splitlines()) == 1


def test_a_missing_file_is_one_sentence(notebook: Path, capfd: pytest.CaptureFixture[str]) -> None:
    status, _, err = check(notebook.with_name("gone.ipynb"), capfd)
    assert status == 2 and "gone.ipynb cannot be read" in err
