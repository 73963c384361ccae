"""Every solved notebook of the course runs in a kernel, and every check passes there."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest

from autograder.course import find_course
from benchmarks import course
from tests.audit_course import FOLDER, build_course

REPOSITORY = find_course(Path(__file__).parent)


@pytest.mark.parametrize("lesson", REPOSITORY.lesson_names())
def test_every_check_passes_in_a_kernel(lesson: str) -> None:
    assert course.run_notebook(REPOSITORY.master(lesson)).failed == ""


def test_it_runs_solved_notebooks_and_adds_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = build_course(tmp_path).root
    monkeypatch.chdir(root)
    master = root / "solutions" / FOLDER / f"{FOLDER}.ipynb"
    before = master.read_bytes()
    assert course.main(["--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["lessons"]
    assert row["lesson"] == FOLDER and row["seconds"] > 0 and row["slowest"]
    assert master.read_bytes() == before, "it runs a copy"
    notebook = nbformat.read(master, as_version=4)
    answer = next(cell for cell in notebook.cells if "### BEGIN SOLUTION" in cell.source)
    solved, answer.source = answer.source, answer.source.replace("return", "return -")
    nbformat.write(notebook, master)
    assert course.main([FOLDER]) == 1
    assert "did not pass: " in capsys.readouterr().out
    answer.source = solved
    notebook.cells.append(nbformat.v4.new_code_cell("here = []\nhere[3]"))
    nbformat.write(notebook, master)
    assert course.main([FOLDER]) == 1
    out = capsys.readouterr().out
    assert "(here = []) raised IndexError: list index out of range" in out


def test_an_unknown_lesson_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(build_course(tmp_path).root)
    assert course.main(["99"]) == 2
    assert "there is no lesson '99'" in capsys.readouterr().err


def test_a_lesson_past_its_minute_is_no_success() -> None:
    assert course.Ran("a", 59.0).fine and not course.Ran("a", 61.0).fine
