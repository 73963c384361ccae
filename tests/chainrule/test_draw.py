"""Pictures of graphs: whole, stable, and the same in text."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule import graph
from chainrule.compiler.passes import fuse
from chainrule.drawing import HIGH, WIDE, place

SVG = "{http://www.w3.org/2000/svg}"


def neuron() -> Any:
    w, x, b = (cr.tensor(v, requires_grad=True) for v in (2.0, 3.0, -1.0))
    return (w * x + b).tanh() + w


def test_a_tape_is_drawn_whole_and_twice_the_same() -> None:
    picture = cr.draw(neuron(), title="the neuron")
    assert picture.svg == cr.draw(neuron(), title="the neuron").svg
    root = ET.fromstring(picture.svg)
    assert root.find(f"{SVG}title").text == "the neuron"  # type: ignore[union-attr]
    assert len(root.findall(f"{SVG}g")) == 7
    assert len(root.findall(f"{SVG}path")) == 7
    assert "test_draw.py" in picture.svg
    assert picture.text().splitlines()[3].split() == ["3", "multiply", "()", "from", "0,", "1"]


def test_boxes_do_not_overlap_and_stand_below_their_sources() -> None:
    x = cr.tensor(np.ones((2, 2)), requires_grad=True)
    values = [x]
    rng = np.random.default_rng(0)
    for _ in range(40):
        a, b = rng.integers(0, len(values), 2)
        values.append(values[a] * values[b] + values[-1])
    boxes = cr.draw(values[-1]).boxes
    spots = place(boxes)
    seen = [spots[i] for i in range(len(boxes))]
    for i, (x1, y1) in enumerate(seen):
        assert all(abs(x1 - x2) >= WIDE or abs(y1 - y2) >= HIGH for x2, y2 in seen[:i])
        assert all(seen[s][1] < y1 for s in boxes[i].sources)


def test_static_graphs_programs_and_text_that_needs_escaping() -> None:
    with graph.Graph() as g:
        x = graph.placeholder("float32", (2,), name="<x> & co")
        w = graph.Variable([1.0, 2.0], name="w")
        out = ((x * w).tanh() - x).exp()
        step = w.assign(out)
        program = graph.lower([step])
        for what in (g, out, [out, step], program, fuse(program)[0]):
            ET.fromstring(cr.draw(what).svg)
    assert "&lt;x&gt; &amp; co" in cr.draw(program).svg
    assert "assign" in cr.draw(program).text()
    assert "fused" in cr.draw(fuse(program)[0]).svg


def test_refusals() -> None:
    with pytest.raises(cr.GraphError, match="not 3"):
        cr.draw(3)
    x = cr.tensor(1.0, requires_grad=True)
    y = x
    for _ in range(401):
        y = y + 1
    with pytest.raises(cr.GraphError, match="at most 400"):
        cr.draw(y)


def test_it_is_saved(tmp_path: Any) -> None:
    picture = cr.draw(neuron())
    assert picture.save(tmp_path / "n.svg").read_text() == picture.svg == picture._repr_svg_()
    assert repr(picture) == picture.text()
