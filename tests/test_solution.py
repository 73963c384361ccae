"""`autograder solution`: after an attempt, and not before."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder import cli
from autograder.commands.solution import is_attempt
from tests.audit_course import FOLDER, attempt, build_course

STUB = '''def center(x):
    """Return `x` with every column's mean moved to 0."""
    # YOUR CODE HERE
    raise NotImplementedError()'''


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_course(tmp_path_factory.mktemp("course")).root


@pytest.fixture
def notebook(course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(course)
    copy = tmp_path / "mine.ipynb"
    copy.write_bytes((course / "work" / FOLDER / f"{FOLDER}.ipynb").read_bytes())
    return copy


def ask(capfd: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = cli.main(["solution", *arguments])
    return status, *capfd.readouterr()


def test_before_an_attempt_it_says_to_try(
    notebook: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    status, out, err = ask(capfd, "3", "center")
    assert (status, out) == (2, "")
    assert "try first" in err and "mean" not in err


def test_after_an_attempt_it_prints_the_solution(
    notebook: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    attempt(notebook, {"center": "def center(x):\n    return x"})
    status, out, _ = ask(capfd, "scales", "center", "--notebook", str(notebook))
    assert status == 0
    assert "    return x - x.mean(axis=0)" in out.splitlines()
    assert "###" not in out and out.startswith("def center(x):")
    status, _, err = ask(capfd, "scales", "spread", "--notebook", str(notebook))
    assert status == 2 and "try first" in err


@pytest.mark.parametrize(
    ("source", "attempted"),
    [
        (STUB, False),
        ("", False),
        ("   \n\n", False),
        ("# I do not know where to begin.", False),
        (STUB.replace("# YOUR CODE HERE", "# the mean of each column?\n"), False),
        (STUB.replace("every column's mean", "the mean of every column"), False),
        ("\n\n" + STUB.replace("    ", "  ") + "\n", False),
        (STUB.replace("raise NotImplementedError()", "return x"), True),
        (STUB.replace("raise NotImplementedError()", "return x -"), True),
        (STUB + "\n\nprint(center)", True),
    ],
)
def test_what_counts_as_an_attempt(source: str, attempted: bool) -> None:
    assert is_attempt(source, STUB) is attempted


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("alchemy", "center"), "there is no lesson 'alchemy'"),
        (("3", "centre"), "has no exercise 'centre'; its exercises are: center, spread"),
        (("3", "center", "--notebook", "gone.ipynb"), "gone.ipynb cannot be read"),
    ],
)
def test_what_cannot_be_shown_is_one_sentence(
    notebook: Path, capfd: pytest.CaptureFixture[str], arguments: tuple[str, ...], words: str
) -> None:
    status, out, err = ask(capfd, *arguments)
    assert (status, out) == (2, "")
    assert words in err


def test_without_a_copy_in_work_it_says_which_command_makes_one(
    tmp_path: Path, course: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in ("solutions", "notebooks", "nbgrader_config.py"):
        (tmp_path / name).symlink_to(course / name)
    monkeypatch.chdir(tmp_path)
    status, _, err = ask(capfd, "3", "center")
    assert status == 2 and "autograder lab" in err
