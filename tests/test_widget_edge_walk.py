"""EdgeWalk without a browser: its gradients are those of the tape, its words say every step."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pytest
import traitlets

import chainrule as cr
from chainrule.widgets import EdgeWalk, TinyNet, write_page
from chainrule.widgets.assets import module, style
from chainrule.widgets.edge_walk import BACK, FORTH, INPUTS, MADE, NODES, START, STEPS, plain


def random_walk(seed: int, **traits: int | bool) -> EdgeWalk:
    numbers = np.random.default_rng(seed).uniform(-10, 10, size=4).tolist()
    return EdgeWalk(**dict(zip(INPUTS, numbers, strict=True)), **traits)


def on_the_tape(walk: EdgeWalk) -> dict[str, tuple[float, float]]:
    """The same nine nodes in the reference library: value and gradient of each."""
    x, y, z, w = (
        cr.tensor(getattr(walk, name), dtype="float64", requires_grad=True) for name in INPUTS
    )
    s = x + y
    p = s * z
    m = cr.maximum(y, w)
    q = p * m
    last = q + s
    nodes = dict(zip("xyzwspmqL", (x, y, z, w, s, p, m, q, last), strict=True))
    slopes = cr.grad(last, list(nodes.values()))
    return {k: (v.item(), g.item()) for (k, v), g in zip(nodes.items(), slopes, strict=True)}


def overwritten(walk: EdgeWalk) -> dict[str, float]:
    """The gradients of a walk that keeps only what came last, by formula."""
    v = on_the_tape(walk)
    lost = v["p"][1] * v["z"][0]
    return {n: g for n, (_, g) in v.items()} | {"s": lost, "x": lost, "y": lost}


@pytest.mark.parametrize("seed", range(20))
def test_values_and_gradients_are_those_of_the_tape(seed: int) -> None:
    walk = random_walk(seed, step=STEPS)
    expected, now = on_the_tape(walk), walk.frame()
    assert set(now["values"]) == set(now["gradients"]) == set(NODES) == set(expected)
    for name, (value, gradient) in expected.items():
        assert now["values"][name] == pytest.approx(value, rel=1e-12, abs=1e-12)
        assert now["gradients"][name] == pytest.approx(gradient, rel=1e-12, abs=1e-12)
    assert now["wrong"] == {}


@pytest.mark.parametrize("seed", range(20))
def test_overwriting_is_wrong_where_two_edges_meet_and_before(seed: int) -> None:
    walk = random_walk(seed, step=STEPS, overwrite=True)
    now, right = walk.frame(), on_the_tape(walk)
    assert now["gradients"] == pytest.approx(overwritten(walk), rel=1e-12, abs=1e-12)
    assert set(now["wrong"]) == {"s", "x", "y"}
    for name, (is_now, should) in now["wrong"].items():
        assert should == pytest.approx(right[name][1])
        assert is_now - should == pytest.approx(
            -1 if name != "y" else overwritten(walk)["y"] - right["y"][1]
        )


def test_the_numbers_that_the_lesson_speaks_of() -> None:
    now = EdgeWalk(step=STEPS).frame()
    values = {"x": 2, "y": -1, "z": 3, "w": -2, "s": 1, "p": 3, "m": -1, "q": -3, "L": -2}
    gradients = {"x": -2, "y": 1, "z": -1, "w": 0, "s": -2, "p": -1, "m": 3, "q": 1, "L": 1}
    assert now["values"] == values and now["gradients"] == gradients
    assert now["arrived"]["s"] == [("L", 1), ("p", -3)]
    assert now["arrived"]["y"] == [("m", 3), ("s", -2)]
    wrong = EdgeWalk(step=STEPS, overwrite=True).frame()["wrong"]
    assert wrong == {"s": (-3, -2), "y": (-3, 1), "x": (-3, -2)}
    above = EdgeWalk(step=STEPS, w=0.0).frame()["gradients"]
    assert above["x"] == above["s"] == 1 and above["y"] == 1 and above["w"] == 3


def test_each_edge_is_walked_once_each_way_and_only_when_it_can_be() -> None:
    assert len(FORTH) == len(set(FORTH)) == len(set(BACK)) == 10
    assert {(operand, node) for node, operand in BACK} == set(FORTH)
    for place, (operand, _) in enumerate(FORTH):
        assert operand not in {node for _, node in FORTH[place:]}, "it has its value"
    for place, (node, _) in enumerate(BACK):
        assert node not in {operand for _, operand in BACK[place:]}, "its gradient is complete"


@pytest.mark.parametrize("overwrite", [False, True])
def test_each_step_adds_one_edge(overwrite: bool) -> None:
    walk = random_walk(3)
    frames = [walk.frame(step, overwrite) for step in range(STEPS + 1)]
    for step, now in enumerate(frames):
        done = FORTH[:step]
        ready = {n for n in MADE if all((o, n) in done for o in MADE[n][1:])}
        assert set(now["values"]) == set(INPUTS) | ready
        assert list(now["edges"]) == list(BACK[: max(0, step - START)])
        assert ("L" in now["gradients"]) == (step >= START)
        for (node, operand), (upstream, local, product) in now["edges"].items():
            assert product == upstream * local and local == walk.slope(node, operand)
            assert (node, product) in now["arrived"][operand]


def test_at_a_tie_the_first_takes_all() -> None:
    walk = EdgeWalk(y=-2.0, w=-2.0, step=STEPS)
    assert (walk.slope("m", "y"), walk.slope("m", "w")) == (1.0, 0.0)
    assert walk.frame()["gradients"]["w"] == 0
    assert "y and w tie, the first takes all" in walk.text()


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_the_words_of_a_step_hold_its_numbers(seed: int, overwrite: bool) -> None:
    walk = random_walk(seed, overwrite=overwrite)
    for step in range(STEPS + 1):
        words, now = walk.words(step), walk.frame(step)
        if 0 < step < START:
            operand, node = FORTH[step - 1]
            numbers = [now["values"][operand]]
            numbers += [now["values"][node]] if node in now["values"] else []
            assert words.startswith(f"Forward, {operand} → {node}: ")
        elif step > START:
            node, operand = BACK[step - START - 1]
            numbers = [*now["edges"][node, operand], now["gradients"][operand]]
            assert words.startswith(f"Backward, {node} → {operand}: ")
            assert ("Wrong: it should be" in words) == (operand in now["wrong"])
        else:
            numbers = [now["values"][name] for name in INPUTS] if step == 0 else [1.0]
        assert all(plain(number) in words for number in numbers)
        assert walk.text().count(words) == 1


def test_the_text_has_every_step_and_marks_the_current_one() -> None:
    walk = EdgeWalk(step=18)
    lines = walk.text().splitlines()
    assert lines[0] == "Step 18 of 21. Gradients that meet at a node: add."
    assert [int(line[1:5]) for line in lines[2 : 3 + STEPS]] == list(range(STEPS + 1))
    assert [line for line in lines if line.startswith("▸")] == [
        "▸ 18  Backward, p → s: upstream −1, local derivative dp/ds = z = 3, product −3. s adds it "
        "to what it has: 1 + (−3) = −2."
    ]
    walk.overwrite = True
    assert "s had 1 and is overwritten with −3. Wrong: it should be −2, off by −1." in walk.text()
    assert walk.verdict() == "✗ 1 gradient is wrong: s is −3, should be −2, off by −1."
    walk.step = START
    assert walk.verdict() == "Overwriting: no gradient is wrong so far."


def test_the_table_says_what_waits_and_what_is_wrong() -> None:
    walk = EdgeWalk(step=16, overwrite=True)
    rows = {row[0]: row[1:] for row in walk.rows()}
    assert rows["y"] == ("input", "−1", "3", "3 from m", "waits for s")
    assert rows["z"] == ("input", "3", "", "", "") and rows["L"][-1] == "complete"
    walk.step = STEPS
    rows = {row[0]: row[1:] for row in walk.rows()}
    assert rows["y"][2:] == ("−3", "3 from m, −3 from s", "✗ wrong: should be 1, off by −4")
    walk.step = 4
    rows = {row[0]: row[1:] for row in walk.rows()}
    assert rows["p"] == ("s × z", "3", "", "", "") and rows["m"][-1] == "not computed yet"


def test_numbers_are_short() -> None:
    assert [plain(v) for v in (2.0, -0.125, 10.5, -0.0, 100.0, 1 / 3, -2e-9)] == [
        *("2", "−0.125", "10.5", "0", "100", "0.333", "0")
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [("x", math.nan), ("y", 10.5), ("w", -math.inf), ("z", "3"), ("step", 22), ("step", -1)],
)
def test_what_is_no_walk_is_refused_and_changes_nothing(name: str, value: object) -> None:
    walk = EdgeWalk()
    before = getattr(walk, name)
    with pytest.raises(traitlets.TraitError, match=name):
        setattr(walk, name, value)
    assert getattr(walk, name) == before


def test_where_no_widget_can_be_shown_the_text_is() -> None:
    walk = EdgeWalk()
    data, _ = walk._repr_mimebundle_()
    assert data["text/plain"] == walk.text()


def test_the_module_is_one_file_that_asks_nobody() -> None:
    source = module("edge_walk.js")
    assert not re.search(r"^\s*import\b|\bimport\(", source, flags=re.MULTILINE)
    assert source.count("export ") == source.count("export default") == 1
    assert re.findall(r"https?://[^\"\s]+", source) == ["http://www.w3.org/2000/svg"]
    names = re.findall(r"^(?:const|function) (\w+)", source, flags=re.MULTILINE)
    assert len(names) == len(set(names)), "two files use one name"
    assert "</script" not in source
    assert not re.search(r"@import|url\(", style("edge_walk.css"))


def test_a_page_holds_it_beside_another_widget(tmp_path: Path) -> None:
    walk = EdgeWalk(step=STEPS, overwrite=True)
    page = write_page(tmp_path / "two.html", walk, TinyNet()).read_text("utf-8")
    assert page.count("</script>") == 2
    assert "y had 3 and is overwritten with −3" in page, "for a reader without JavaScript"
