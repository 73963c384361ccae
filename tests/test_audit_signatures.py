"""Misconceptions: a student whose answer behaves like a wrong one reads that one's sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from autograder.engine import Engine
from autograder.lesson.build import build_lesson
from autograder.lesson.notebook import solved_notebook, write_notebook
from autograder.lesson.parse import read_lesson
from autograder.lesson.signatures import signatures
from autograder.master import read_master
from tests.audit_course import FOLDER, RIGHT, WRONG, write_course

ROWS = "Your answer moves the mean of each row, not of each column."
LIKE_ROWS = """\
def center(table):
    fresh = np.zeros_like(table)
    for number, entries in enumerate(table):
        fresh[number] = entries - sum(entries) / len(entries)
    return fresh
"""


def signed(root: Path, right: str = RIGHT, wrong: str = WRONG) -> dict[str, dict[str, str]]:
    course = write_course(root, right=right, wrong=wrong)
    lesson = read_lesson(course.lessons / FOLDER)
    path = root / "solved.ipynb"
    path.write_bytes(write_notebook(solved_notebook(lesson)))
    return signatures(lesson, read_master(path))


def sentences(table: dict[str, dict[str, str]], grade_id: str) -> list[str]:
    return list(table.get(grade_id, {}).values())


@pytest.fixture(scope="module")
def notebooks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    course = write_course(tmp_path_factory.mktemp("signed"))
    build = build_lesson(course, FOLDER)
    (solved,), (released,) = build.solved.values(), build.released.values()
    return {"solved": solved, "released": released}


def test_each_wrong_answer_is_known_where_its_visible_case_fails(tmp_path: Path) -> None:
    table = signed(tmp_path)
    assert sentences(table, "center-values") == [ROWS]
    kept = "Your answer changes its argument; make a new array."
    assert sentences(table, "center-inputs_kept") == [kept]
    assert sentences(table, "spread-values") == [
        "Your answer is the variance; its root is missing."
    ]


def test_two_builds_sign_alike(tmp_path: Path, notebooks: dict[str, bytes]) -> None:
    course = write_course(tmp_path)
    assert list(build_lesson(course, FOLDER).solved.values()) == [notebooks["solved"]]


def test_a_hash_that_a_right_answer_has_is_left_out(tmp_path: Path) -> None:
    wrong = (
        '# %% answer="center" name="single" loses="values"\n# Your answer is in single precision.\n'
        "def center(x):\n    return (x - x.mean(axis=0)).astype(np.float32)\n"
    )
    assert signed(tmp_path, wrong=wrong) == {}


SILENT = {
    "blank": "def center(x):\n    raise NotImplementedError()",
    "undefined": "del double",
    "endless": "def center(x):\n    while True:\n        pass",
    "random": "def center(x):\n    return x + np.random.default_rng().random()",
    "address": "def center(x):\n    raise ValueError(object())",
}


@pytest.mark.parametrize("name", SILENT)
def test_what_tells_nothing_or_changes_from_run_to_run_is_left_out(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autograder.lesson.signatures.SECONDS", 1.0)
    wrong = f'# %% answer="center" name="{name}" loses="values"\n# No.\n{SILENT[name]}\n'
    assert signed(tmp_path, wrong=wrong) == {}


def test_an_answer_that_raises_is_known_by_its_words(tmp_path: Path) -> None:
    raising = "def center(x):\n    a, b, c = x\n    return a"
    wrong = f'# %% answer="center" name="unpacks" loses="values"\n# It unpacks.\n{raising}\n'
    assert sentences(signed(tmp_path, wrong=wrong), "center-values") == ["It unpacks."]


def test_a_message_with_a_stack_is_known_by_its_first_line(tmp_path: Path) -> None:
    raising = (
        "def center(x):\n    import os\n    raise ValueError(\n"
        "        f'Graph execution error:\\n\\nat node {os.getpid()} (most recent call last):\\n'\n"
        "    )"
    )
    wrong = f'# %% answer="center" name="raises" loses="values"\n# It raises.\n{raising}\n'
    assert sentences(signed(tmp_path, wrong=wrong), "center-values") == ["It raises."]


def test_of_two_with_one_hash_the_first_speaks(tmp_path: Path) -> None:
    again = (
        WRONG + '\n# %% answer="center" name="rows_again" loses="values"\n# Another.\n' + LIKE_ROWS
    )
    assert sentences(signed(tmp_path, wrong=again), "center-values") == [ROWS]


def _attempt(raw: bytes, source: str) -> Any:
    notebook = nbformat.reads(raw.decode(), as_version=4)
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == "center":
            cell.source = source
    return notebook


@pytest.mark.parametrize("kind", ["solved", "released"])
def test_a_student_like_it_reads_the_sentence_in_two_processes(
    tmp_path: Path, notebooks: dict[str, bytes], kind: str
) -> None:
    path = tmp_path / "03_scales.ipynb"
    nbformat.write(_attempt(notebooks[kind], LIKE_ROWS), path)
    with Engine() as engine:
        records = engine.run(read_master(path).cells, seed=5).records
    assert records["center-values"].misconception == ROWS
    assert records["center-values"].points == 0


def test_a_student_like_it_reads_the_sentence_in_their_notebook(
    tmp_path: Path, notebooks: dict[str, bytes]
) -> None:
    notebook = _attempt(notebooks["released"], LIKE_ROWS)
    nbformat.write(notebook, tmp_path / "03_scales.ipynb")
    client = NotebookClient(
        notebook, allow_errors=True, resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute()
    shown = {
        cell.metadata.nbgrader.grade_id: "\n".join(
            line for output in cell.outputs for line in output.get("traceback", [])
        )
        for cell in notebook.cells
        if cell.metadata.get("autograder", {}).get("role") == "tests"
    }
    assert ROWS in shown["center-values"]
    assert "A known mistake" not in shown["spread-values"]


def test_another_mistake_reads_no_sentence(tmp_path: Path, notebooks: dict[str, bytes]) -> None:
    path = tmp_path / "03_scales.ipynb"
    nbformat.write(_attempt(notebooks["solved"], "def center(x):\n    return x + 1\n"), path)
    with Engine() as engine:
        records = engine.run(read_master(path).cells).records
    assert records["center-values"].verdict == "fail"
    assert records["center-values"].misconception is None
