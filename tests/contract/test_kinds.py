"""The format of test cells holds for every kind of exercise, judged in any of three ways."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

from autograder.engine import Engine
from tests.contract.kinds import KINDS
from tests.contract.notebooks import StockCourse, in_two_processes, run_in_kernel

RIGHT = {kind.name: kind.right for kind in KINDS}
SOLVED = {kind.name: kind.solution for kind in KINDS}
FULL = dict.fromkeys(RIGHT, 1.0)
NOTHING = dict.fromkeys(RIGHT, 0.0)


def wrong(position: int) -> dict[str, str]:
    """Return the wrong answer of every kind at one position."""
    return {kind.name: kind.wrong[position] for kind in KINDS}


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine(preload=("numpy", "torch")) as engine:
        yield engine


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> StockCourse:
    return StockCourse(tmp_path_factory.mktemp("stock"))


@pytest.mark.parametrize("answers", [SOLVED, RIGHT], ids=["solution", "other"])
def test_right_answers_get_full_points_in_two_processes(
    engine: Engine, answers: dict[str, str]
) -> None:
    assert in_two_processes(answers, engine) == FULL


@pytest.mark.parametrize("position", range(3))
def test_wrong_answers_get_nothing_in_two_processes(engine: Engine, position: int) -> None:
    assert in_two_processes(wrong(position), engine) == NOTHING


def test_right_answers_get_full_points_in_one_process(tmp_path: Path) -> None:
    assert run_in_kernel(RIGHT, tmp_path) == FULL


@pytest.mark.parametrize("position", range(3))
def test_wrong_answers_get_nothing_in_one_process(tmp_path: Path, position: int) -> None:
    assert run_in_kernel(wrong(position), tmp_path) == NOTHING


def test_right_answers_get_full_points_under_stock_nbgrader(stock: StockCourse) -> None:
    assert stock.grade("right", RIGHT) == FULL


@pytest.mark.parametrize("position", range(3))
def test_wrong_answers_get_nothing_under_stock_nbgrader(stock: StockCourse, position: int) -> None:
    assert stock.grade(f"wrong{position}", wrong(position)) == NOTHING


def test_the_release_compiles_hides_and_scores_nothing(stock: StockCourse, engine: Engine) -> None:
    released = nbformat.read(stock.release(), as_version=4)
    answers, text = {}, ""
    for cell in released.cells:
        compile(cell.source, cell.id, "exec")
        text += cell.source
        if cell.metadata.nbgrader.solution:
            answers[cell.metadata.autograder.exercise] = cell.source
    assert "HIDDEN" not in text and "oracle" not in text
    assert in_two_processes(answers, engine) == NOTHING
