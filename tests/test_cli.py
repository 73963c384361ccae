"""The command itself: what every verb shares."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from autograder import cli


def test_a_missing_package_is_one_sentence() -> None:
    program = "import sys; sys.modules['jupytext'] = None; from autograder.cli import main; "
    program += "sys.exit(main(['build']))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "the package jupytext is missing here" in done.stderr


def test_a_module_of_ours_that_is_missing_is_a_defect(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "VERBS", ("nothing_such",))
    with pytest.raises(ModuleNotFoundError):
        cli.main(["nothing_such"])


def test_outside_a_course_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for words in (["grade", "01"], ["build"], ["report", "01"], ["audit"]):
        assert cli.main(words) == 2
        assert "not inside a course" in capsys.readouterr().err


def test_a_reader_who_has_seen_enough_is_no_error() -> None:
    command = f"{sys.executable} -m autograder --help | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True)
    assert "Traceback" not in done.stderr


def test_a_command_does_not_wait_for_a_grammar_that_nothing_asks_for() -> None:
    script = """if True:
        import sys
        from autograder.cli import main
        main(["report", "no_such_lesson"])
        import nbformat, nbgrader.api
        nbformat.validate(nbformat.v4.new_notebook())
        assert "jsonschema" in sys.modules and "lark" not in sys.modules
    """
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
