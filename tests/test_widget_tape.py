"""TapeViewer without a browser: every step says what the reference library's tape does."""

from __future__ import annotations

from typing import Any

import pytest
import traitlets

import chainrule as cr
from chainrule.widgets import TapeViewer
from chainrule.widgets.assets import module
from chainrule.widgets.tape_viewer import NODES, STATES, STEPS


def reference(a: float, b: float) -> dict[str, Any]:
    """The same program on the tape: gradients of every tensor."""
    x, y = (cr.tensor(v, dtype="float64", requires_grad=True) for v in (a, b))
    t = x * y
    s = t + x
    d = s - 10
    loss = d**2
    tensors = {"a": x, "b": y, "t": t, "y": s, "d": d, "loss": loss}
    grads = cr.grad(loss, list(tensors.values()))
    return {n: (v.item(), g.item()) for (n, v), g in zip(tensors.items(), grads, strict=True)}


@pytest.mark.parametrize(("a", "b"), [(3.0, 4.0), (-2.0, 0.5), (10.0, 0.0)])
def test_values_and_gradients_are_those_of_the_tape(a: float, b: float) -> None:
    viewer = TapeViewer(a=a, b=b)
    expected = reference(a, b)
    for place, (name, (value, gradient)) in enumerate(expected.items()):
        assert NODES[place]["name"] == name
        assert viewer.values()[place] == pytest.approx(value)
        assert viewer.arrived(STEPS)[place] == pytest.approx(gradient)


def test_the_numbers_that_the_lesson_speaks_of() -> None:
    viewer = TapeViewer()
    assert viewer.arrived(7)[0] == 10 and viewer.arrived(8)[:2] == [50, 30]
    viewer.step = 4
    rows = {row[0]: row for row in viewer.rows()}
    assert rows["t"][3] == "a = 3, b = 4" and rows["loss"][3] == "d = 5"
    assert rows["y"][3] == rows["d"][3] == "nothing"


def test_each_step_changes_one_node() -> None:
    for retain in (False, True):
        frames = [TapeViewer().frame(step, retain) for step in range(STEPS + 1)]
        assert len({f["words"] for f in frames}) == STEPS + 1
        done = "kept" if retain else "freed"
        for step, frame in enumerate(frames):
            states = [cell["state"] for cell in frame["cells"]]
            assert states[:2] == ["leaf", "leaf"]
            assert states.count("later") == max(0, 4 - step)
            assert states.count(done) == max(0, step - 4)
            assert states.count("waiting") == (1 if 4 <= step < 8 else 0)
            assert set(states) <= set(STATES)


def test_freed_nodes_hold_nothing_and_kept_ones_do() -> None:
    viewer = TapeViewer(step=STEPS)
    assert all(not row[3] for row in viewer.rows())
    viewer.retain = True
    assert [row[3] for row in viewer.rows()][2] == "a = 3, b = 4"
    assert "kept by retain_graph" in viewer.text()


def test_the_text_follows_the_traits() -> None:
    viewer = TapeViewer()
    assert "step 0 of 8. Two leaves." in viewer.text()
    viewer.step, viewer.a = 8, 1.0
    assert "step 8 of 8" in viewer.text() and "−5" in viewer.text()
    with pytest.raises(traitlets.TraitError):
        viewer.step = 9


def test_the_module_is_one_piece() -> None:
    source = module("tape_viewer.js")
    assert "import {" not in source and source.count("export default") == 1
    for words in STATES.values():
        assert words in source
