"""Lesson 14's models learn in the lesson what it says that they learn, each beside a baseline."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import Any

import matplotlib
import pytest

from autograder.master import read_master

ROOT = Path(__file__).parents[1]
NAME = "14_control_flow"
EXPECTED = {
    ("rnn", "test"): (0.96, 1.0),
    ("bag", "test"): (0.80, 0.93),
    "modules": (0.97, 1.0),
    "blind": (0.35, 0.65),
    "tree": (0.97, 1.0),
    "leaves": (0.10, 0.40),
}
"""Least and largest accuracy on the shipped test parts; baselines have a largest that counts."""


@pytest.fixture(scope="module")
def names() -> dict[str, Any]:
    """Run the solved notebook down to the exercise that needs PyTorch; return its names."""
    matplotlib.use("agg")
    found: dict[str, Any] = {"__name__": "notebook"}
    for cell in read_master(ROOT / "solutions" / NAME / f"{NAME}.ipynb").cells:
        if cell.grade_id == "torch":
            break
        if cell.kind == "code" and cell.role != "tests":
            with contextlib.redirect_stdout(io.StringIO()):
                exec(compile(cell.source, cell.id, "exec"), found)
    return found


@pytest.mark.parametrize("model", EXPECTED, ids=str)
def test_accuracy_on_the_shipped_data(names: dict[str, Any], model: Any) -> None:
    least, most = EXPECTED[model]
    assert least <= names["accuracy"][model] <= most


def test_each_model_is_far_above_its_baseline(names: dict[str, Any]) -> None:
    reached = names["accuracy"]
    assert reached["rnn", "test"] > reached["bag", "test"] + 0.05
    assert reached["modules"] > reached["blind"] + 0.3
    assert reached["tree"] > reached["leaves"] + 0.5


def test_batches_give_what_trees_give_one_by_one(names: dict[str, Any]) -> None:
    one, other = names["found"].values()
    for a, b in zip(one, other, strict=True):
        assert abs(a - b).max() < 1e-12


def test_a_question_of_a_new_form_is_answered(names: dict[str, Any]) -> None:
    answer, weights, cells = names["answer"], names["weights"], names["cells"]
    said = [answer(names["long"], c, weights).item() > 0 for c in cells]
    assert sum(a == b for a, b in zip(said, names["truths"], strict=True)) >= 0.97 * len(cells)
