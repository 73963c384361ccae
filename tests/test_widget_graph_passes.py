"""GraphPasses without a browser: every stage means the same, and its counts are counted."""

from __future__ import annotations

import numpy as np
import pytest
import traitlets

from chainrule.program.lists import attempt, outcome
from chainrule.widgets import GraphPasses
from chainrule.widgets.assets import module
from chainrule.widgets.graph_passes import NAMES, SIZE, STAGES, TRACED


@pytest.mark.parametrize("place", range(len(STAGES)))
def test_each_stage_means_what_the_first_one_means(place: int) -> None:
    feeds = {"x": np.random.default_rng(place).normal(size=SIZE)}
    found = attempt((STAGES[place][1], ["f"]), TRACED, ["f"], feeds)
    assert found["flaw"] == ""
    np.testing.assert_allclose(found["values"][0], -2 * np.tanh(feeds["x"]))
    shown = GraphPasses(stage=place).stages[place]
    assert [shown[what] for what in ("steps", "kernels", "bytes")] == [
        found[what] for what in ("steps", "kernels", "bytes")
    ]


def test_counts_fall_from_seven_kernels_to_one() -> None:
    stages = GraphPasses().stages
    assert [stage["kernels"] for stage in stages] == [7, 6, 5, 4, 3, 1]
    assert [stage["pass"] for stage in stages[1:]] == ["fold", "simplify", "share", "prune", "fuse"]
    for what in ("steps", "kernels", "bytes"):
        counts = [stage[what] for stage in stages]
        assert counts == sorted(counts, reverse=True) and counts[-1] < counts[0]


def test_edges_are_those_of_the_steps() -> None:
    for (_, steps, _, _), stage in zip(STAGES, GraphPasses().stages, strict=True):
        looks = {node["name"]: node["look"] for node in stage["nodes"]}
        assert list(looks) == NAMES
        inner = steps[-1][3].get("steps", [])
        expected = {(a, step[0]) for step in [*steps, *inner] for a in step[2]}
        expected -= {("x", "f")} if inner else set()
        assert {tuple(edge) for edge in stage["edges"]} == expected
        gone = {name for name, look in looks.items() if look == "gone"}
        assert gone == set(NAMES) - {step[0] for step in [*steps, *inner]}
        assert not {name for edge in stage["edges"] for name in edge} & gone


def test_the_text_says_what_a_pass_did() -> None:
    widget = GraphPasses()
    assert "kernels 7" in widget.text() and "was" not in widget.counts()
    widget.stage = 3
    assert "Stage 3 of 5, share" in widget.text() and "kernels 4 (was 5)" in widget.text()
    states = {row[0]: row[2] for row in widget.rows()}
    assert states["c"] == "removed: is b" and states["a"] == "removed before"
    with pytest.raises(traitlets.TraitError):
        widget.stage = 6
    with pytest.raises(traitlets.TraitError):
        widget.stages = []


def test_the_module_is_one_piece_and_places_every_step() -> None:
    source = module("graph_passes.js")
    assert "import {" not in source and source.count("export default") == 1
    for name in NAMES:
        assert f"{name}: [" in source
    assert outcome((TRACED, NAMES), {"x": np.ones(SIZE)})["flaw"] == ""
