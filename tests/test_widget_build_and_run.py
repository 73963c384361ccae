"""BuildAndRun without a browser: every run says what the reference library's session does."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import traitlets

from chainrule import graph
from chainrule.widgets import BuildAndRun
from chainrule.widgets.assets import module
from chainrule.widgets.build_and_run import NAMES, NEEDS, PROGRAM, in_order


def reference() -> tuple[dict[str, Any], Any]:
    """The same program in the library's graph; its nodes by name, and a session."""
    g = graph.Graph()
    with g.as_default():
        x = graph.placeholder("float64", (), name="x")
        w = graph.Variable(np.array(2.0), name="w")
        p = w * x
        loss = (p - 11.0) ** 2
        (slope,) = graph.gradients(loss, [w])
        update = w.assign(w - 0.05 * slope)
        step = graph.group(update)
        nodes = {"x": x, "w": w, "p": p, "other": p.exp(), "loss": loss, "slope": slope}
        nodes |= {"update": update, "step": step}
        session = graph.Session(g)
        session.run(graph.global_variables_initializer())
    return nodes, session


@pytest.mark.parametrize(
    "plan",
    [
        [(["loss"], 3.0, None)] * 3,
        [(["loss", "step"], 3.0, None)] * 4,
        [(["w", "update", "slope"], -1.5, None), (["loss"], 2.0, None), (["p"], None, 7.0)],
        [(["loss", "other"], 1.0, 4.0), (["step"], 0.5, 2.0), (NAMES, 3.0, None)],
    ],
)
def test_runs_are_those_of_a_session(plan: list[tuple[list[str], Any, Any]]) -> None:
    nodes, session = reference()
    widget = BuildAndRun(built=len(PROGRAM))
    for fetches, x, p in plan:
        widget.fetches, widget.x, widget.p = fetches, x, p
        record = widget.run()
        assert not record["error"]
        feeds = {nodes[name]: value for name, value in record["feeds"].items()}
        names = record["fetches"]
        assert sorted(names) == sorted(fetches)
        expected = session.run([nodes[name] for name in names], feeds)
        for name, value in zip(names, expected, strict=True):
            mine = record["values"][name]
            assert (mine is None) == (value is None)
            assert value is None or math.isclose(mine, value, rel_tol=1e-12)
        assert math.isclose(widget.w, session.run(nodes["w"]), rel_tol=1e-12)


def test_only_what_is_needed_runs_and_in_an_order_that_works() -> None:
    assert in_order(["loss"], {"x": 3.0}) == ["w", "x", "p", "loss"]
    assert in_order(["loss"], {"p": 3.0}) == ["p", "loss"]
    assert "other" not in in_order(["loss", "step", "slope"], {"x": 1.0})
    for targets in ([name] for name in NAMES):
        order = in_order(targets, {})
        for place, name in enumerate(order):
            assert set(NEEDS[name]) <= set(order[:place])


def test_the_bug_is_there_to_be_seen() -> None:
    widget = BuildAndRun(built=len(PROGRAM))
    losses = [widget.run()["values"]["loss"] for _ in range(3)]
    assert losses == [25.0] * 3 and "w stays 2." in widget.text()
    widget.fetches = ["loss", "step"]
    first, second = widget.run()["values"]["loss"], widget.run()["values"]["loss"]
    assert first == 25.0 and second < 1.0 and "w goes from 2 to 3.5" in widget.text()


def test_errors_compute_nothing() -> None:
    widget = BuildAndRun(built=len(PROGRAM), x=None, fetches=["loss", "step"])
    record = widget.run()
    assert "'x'" in record["error"] and not record["values"] and widget.w == 2.0
    widget.fetches = []
    assert "nothing is fetched" in widget.run()["error"]
    widget.fetches = ["w"]
    assert widget.run()["values"] == {"w": 2.0}
    with pytest.raises(traitlets.TraitError):
        widget.x = math.inf


def test_lines_that_have_not_run_are_no_nodes() -> None:
    widget = BuildAndRun(built=3, fetches=["p", "loss"])
    assert widget.asked() == ["p"] and widget.run()["order"] == ["w", "x", "p"]
    states = {row[0]: row[3] for row in widget.rows()}
    assert states["loss"] == "not built" and states["p"] == "computed; will be fetched"
    widget.new_session()
    assert not widget.runs and "No run yet." in widget.text()


def test_the_module_is_one_piece_and_has_the_same_program() -> None:
    source = module("build_and_run.js")
    assert "import {" not in source and source.count("export default") == 1
    for name, line, needs in PROGRAM:
        assert f'name: "{name}", line: "{line}"' in source
        listed = ", ".join(f'"{need}"' for need in needs)
        assert f"needs: [{listed}]" in source
