"""Programs as plain lists: what they mean, what they cost, and programs by chance."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from chainrule.program.buffers import in_buffers
from chainrule.program.chance import draw, remaining
from chainrule.program.lists import EACH, attempt, needed, outcome

X: Any = ("x", "input", (), {"shape": (2,)})
TWO: Any = ("two", "constant", (), {"value": np.array(2.0)})
FEEDS = {"x": np.array([1.0, -3.0])}
KERNEL: Any = {
    "takes": ("p",),
    "steps": [("u", "tanh", ("p",), {}), ("v", "add", ("u", "p"), {})],
    "gives": "v",
}


def test_values_and_costs_are_those_counted_by_hand() -> None:
    steps = [X, TWO, ("y", "multiply", ("x", "two"), {}), ("s", "sum", ("y",), {})]
    found = outcome((steps, ["s", "x"]), FEEDS)
    assert found["flaw"] == "" and found["values"][0] == -4.0
    assert (found["steps"], found["kernels"], found["computed"]) == (4, 2, 2)
    assert found["bytes"] == (16 + 8 + 16) + (16 + 8)
    fused = outcome(([X, ("y", "fused", ("x",), KERNEL)], ["y"]), FEEDS)
    assert (fused["kernels"], fused["bytes"], fused["computed"]) == (1, 32, 2)
    np.testing.assert_array_equal(fused["values"][0], np.tanh(FEEDS["x"]) + FEEDS["x"])


@pytest.mark.parametrize(
    ("program", "words"),
    [
        (None, "expected two things"),
        (([X, X], []), "two steps are called 'x'"),
        (([("y", "exp", ("x",), {}), X], []), "no step before it makes"),
        (([X, ("y", "exp", ("x", "x"), {})], []), "takes 1 values"),
        (([X, ("y", "system", ("x",), {})], []), "no operation 'system'"),
        (([X, ("y", "exp", ("x",), {"out": 1})], []), "does not know"),
        (([X, ("y", "expand", ("x",), {"shape": (10**9, 2)})], []), "expand makes"),
        (([X], ["y"]), "'y' is fetched"),
        (([X, ("y", "fused", ("x",), KERNEL | {"gives": "w"})], []), "gives 'w'"),
        (
            ([X, ("y", "fused", ("x",), KERNEL | {"steps": [("v", "sum", ("p",), {})]})], []),
            "may not be inside",
        ),
        (([X, ("y", "constant", (), {"value": np.array(1)})], []), "dtype int64"),
    ],
)
def test_a_program_that_is_none_gets_a_sentence(program: Any, words: str) -> None:
    assert words in outcome(program, FEEDS)["flaw"]


def test_attempt_sees_the_sign_of_zero_effects_and_shapes() -> None:
    zero = [("z", "constant", (), {"value": np.array(0.0)})]
    minus = [("z", "constant", (), {"value": np.array(-0.0)})]
    assert attempt((zero, ["z"]), zero, ["z"], {})["flaw"] == ""
    assert "'z'" in attempt((minus, ["z"]), zero, ["z"], {})["flaw"]
    shown = [*zero, ("p", "print", ("z",), {"label": "here"})]
    assert "printed" in attempt((zero, []), shown, [], {})["flaw"]
    drawn = [("r", "random", (), {"shape": (2,)})]
    assert "drawn" in attempt(([], []), drawn, [], {})["flaw"]


def test_programs_by_chance_run_and_are_varied() -> None:
    ops, dead, fetched = set(), 0, set()
    for seed in range(60):
        steps, fetches, feeds = draw(np.random.default_rng(seed), 40)
        assert outcome((steps, fetches), feeds)["flaw"] == ""
        assert attempt((needed(steps, fetches), fetches), steps, fetches, feeds)["flaw"] == ""
        ops |= {op for _, op, _, _ in steps}
        dead += len(steps) - len(needed(steps, fetches))
        fetched |= {op for name, op, _, _ in steps if name in fetches}
    assert ops >= EACH | {"input", "constant", "sum", "transpose", "expand", "random", "print"}
    assert dead > 500 and {"input", "constant"} <= fetched


def test_remaining_names_a_rule_only_where_it_applies() -> None:
    rules = [(("multiply", "v", 1.0), "v"), (("add", "v", "v"), ("multiply", "v", 2.0))]
    ones = ("ones", "constant", (), {"value": np.ones((3, 2))})
    wide = [X, ones, ("y", "multiply", ("x", "ones"), {})]
    assert remaining(wide, ["y"], rules) == ""
    tall = [("x", "input", (), {"shape": (3, 2)}), *wide[1:]]
    assert "still applies to step 'y'" in remaining(tall, ["y"], rules)
    assert remaining(tall, ["x"], rules) == ""
    assert "'z'" in remaining([X, ("z", "add", ("x", "x"), {})], ["z"], rules)
    assert remaining([X, TWO, ("z", "add", ("x", "two"), {})], ["z"], rules) == ""
    assert "minus" not in remaining([X], [], rules)


def test_patterns_are_planted() -> None:
    rules = [(("negative", ("negative", "v")), "v")]
    drawn = [draw(np.random.default_rng(s), 30, patterns=[rules[0][0]])[:2] for s in range(20)]
    assert sum(remaining(*program, rules) != "" for program in drawn) > 10


def test_buffers_get_in_each_others_way() -> None:
    steps = [X, ("a", "exp", ("x",), {}), ("b", "exp", ("a",), {}), ("s", "sum", ("b",), {})]
    good = in_buffers((steps, ["s"]), FEEDS, {"a": 0, "b": 0, "s": 1})
    assert good == {"flaw": "", "bytes": 24, "buffers": 2}
    turn = [("x", "input", (), {"shape": (1, 1)}), ("a", "exp", ("x",), {})]
    turn += [("t", "transpose", ("a",), {}), ("u", "add", ("t", "a"), {})]
    feeds = {"x": np.ones((1, 1))}
    for of, words in [
        ({"a": 0, "t": 0, "u": 1}, "writes over 'a'"),
        ({"a": 0, "t": 1}, "without a buffer: ['u']"),
        ({"a": 0, "t": 1, "u": "0"}, "no whole number"),
        (None, "expected a dictionary"),
    ]:
        assert words in in_buffers((turn, ["u"]), feeds, of)["flaw"]
    late = [*steps[:3], ("c", "add", ("a", "b"), {})]
    assert "reads 'a'" in in_buffers((late, ["c"]), FEEDS, {"a": 0, "b": 0, "c": 1})["flaw"]
    assert "has 16 bytes" in in_buffers((steps, []), FEEDS, {"a": 0, "b": 1, "s": 0})["flaw"]
