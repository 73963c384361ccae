"""An exercise of lesson 12 that is left open, or got wrong, costs its own points and no others."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path
from typing import Any

import pytest

from autograder.engine import Engine
from autograder.master import Master, read_master
from chainrule.small_graph import PARTS, stand_in

ROOT = Path(__file__).parents[1]
NAME = "12_static_graphs"
LESSON = ROOT / "lessons" / NAME


@pytest.fixture(scope="module")
def solved() -> Master:
    return read_master(ROOT / "solutions" / NAME / f"{NAME}.ipynb")


@pytest.fixture(scope="module")
def blanks() -> dict[str, str]:
    released = read_master(ROOT / "notebooks" / NAME / f"{NAME}.ipynb")
    return {cell.exercise or "": cell.source for cell in released.cells if cell.is_answer}


def answers(kind: str, exercise: str) -> dict[str, str]:
    """Return the answers in the lesson's file of that kind, by name."""
    text = (LESSON / f"{kind}_answers.py").read_text(encoding="utf-8")
    marker = rf'^# %% answer="{exercise}" name="(\w+)".*\n'
    found = re.split(marker, text, flags=re.M)
    return {
        name: re.split(r"^# %%", source, flags=re.M)[0]
        for name, source in zip(found[1::2], found[2::2], strict=True)
    }


def walked(solved: Master, exercise: str = "", answer: str = "") -> dict[str, bool]:
    """Run the cells down to exercise 8 with one answer replaced; tell whose part went on."""
    names: dict[str, Any] = {"__name__": "notebook"}
    kept: dict[str, bool] = {}

    def noted(part: str, own: dict[str, Any]) -> None:
        kept[part] = stand_in(part, own)
        assert stand_in(part, own), "what goes on passes the trial"

    wanted = {"exercise", "given"}
    for cell in solved.cells:
        if cell.kind != "code" or cell.role not in wanted or cell.grade_id == "tensorflow":
            continue
        source = answer if cell.role == "exercise" and cell.exercise == exercise else cell.source
        with contextlib.suppress(NotImplementedError), contextlib.redirect_stdout(io.StringIO()):
            exec(compile(source, cell.id, "exec"), names)
        names["stand_in"] = noted
    return kept


def test_solved_parts_go_on(solved: Master) -> None:
    assert walked(solved) == dict.fromkeys(PARTS, True)


@pytest.mark.parametrize("open_one", PARTS)
def test_a_blank_part_is_replaced_and_the_others_are_not(
    solved: Master, blanks: dict[str, str], open_one: str
) -> None:
    expected = dict.fromkeys(PARTS, True) | {open_one: False}
    assert walked(solved, open_one, blanks[open_one]) == expected


@pytest.mark.parametrize("part", PARTS)
def test_other_right_answers_go_on(solved: Master, part: str) -> None:
    right = answers("right", part)
    assert right
    for name, source in right.items():
        assert walked(solved, part, source)[part], name


# Mistakes that would show again in later exercises.
FATAL = {
    "nodes": ["everything_a_constant", "options_lost", "arrays_left_in", "exact_type_only"],
    "session": ["without_seen", "after_ignored", "whole_graph", "goes_past_feeds", "flat_list"],
    "gradients": ["overwrites", "broadcasting_forgotten", "zeros_for_unreached", "forward_order"],
    "variables": ["assigns_at_once", "reads_the_present", "in_place", "group_first_only"],
    "optimizer": ["uphill", "all_variables", "values_come_back", "drawn_when_made"],
    "dense": ["inner_name_only", "scope_never_ends", "no_bias", "activation_ignored"],
}


@pytest.mark.parametrize("part", PARTS)
def test_a_wrong_part_is_replaced(solved: Master, part: str) -> None:
    wrong = answers("wrong", part)
    for name in FATAL[part]:
        others = walked(solved, part, wrong[name])
        assert others == dict.fromkeys(PARTS, True) | {part: False}, name


def test_a_session_that_is_no_class_is_replaced(solved: Master) -> None:
    (cell,) = (c for c in solved.cells if c.is_answer and c.exercise == "session")
    hidden = cell.source.replace("class Session:", "class Hidden:")
    made = hidden + "\n\ndef Session(seed=0):\n    return Hidden(seed)\n"
    assert not walked(solved, "session", made)["session"], "the notebook makes a subclass of it"


@pytest.mark.slow
@pytest.mark.parametrize("open_one", ["session", "variables"])
def test_an_open_exercise_costs_its_own_points_only(
    solved: Master, blanks: dict[str, str], open_one: str
) -> None:
    cells = [
        cell.with_source(blanks[open_one]) if cell.is_answer and cell.exercise == open_one else cell
        for cell in solved.cells
    ]
    with Engine.for_master(solved) as engine:
        records = engine.run(cells).records.values()
    lost = {record.exercise for record in records if record.points < record.max_points}
    assert lost == {open_one}
    assert not any(record.points for record in records if record.exercise == open_one)
