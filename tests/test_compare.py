"""`same` lets nothing slip through, and says where values first differ."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from autograder.checks.compare import difference, rounded
from autograder.checks.wire import Opaque

nan, inf = float("nan"), float("inf")


def differ(got: Any, expected: Any, **options: Any) -> str | None:
    return difference(got, expected, **({"rtol": 1e-7, "atol": 1e-12} | options))


SAME = [
    (1.0, 1.0 + 1e-9),
    (np.float64(2.0), 2.0),
    (np.array(2.0), 2.0),
    (2.0, np.array(2.0)),
    (np.float32(0.5), 0.5),
    ((1, 2), [1, 2]),
    (np.array([nan, inf, -inf]), np.array([nan, inf, -inf])),
    (np.array([]), np.array([])),
    ({"a": (1.0, None)}, {"a": [1.0, None]}),
    (np.array(["a", "b"]), np.array(["a", "b"])),
    (True, True),
    (np.bool_(True), True),
    (1 + 2j, 1 + 2j),
]
OTHER = [
    (1.0, 1.0 + 1e-6, "expected 1.000001"),
    (nan, 1.0, "came nan"),
    (1.0, nan, "expected nan"),
    (inf, -inf, "came inf"),
    (inf, 1e308, "came inf"),
    (1, 1.0, "kind integer"),
    (True, 1, "kind bool"),
    (1.0, 1, "kind float"),
    (np.ones(3), np.ones((3, 1)), "shape"),
    (np.ones((1, 3)), np.ones(3), "shape"),
    (np.ones(1), 1.0, "shape"),
    (np.ones(3, np.float32), np.ones(3), "dtype"),
    (np.ones(3, int), np.ones(3), "dtype"),
    ([1.0, 2.0], np.array([1.0, 2.0]), "an array"),
    (np.array([1.0, 2.0]), [1.0, 2.0], "2 values"),
    (None, np.ones(2), "return missing"),
    (None, 1.0, "return missing"),
    (Opaque(0, "torch.Tensor"), np.ones(2), "torch.Tensor"),
    ((1.0,), (1.0, 2.0), "expected 2 values"),
    ({"a": 1}, {"b": 1}, "keys"),
    ("1", 1, "expected"),
    (1, "1", "expected '1'"),
    (False, None, "expected None"),
    (0, None, "expected None"),
    (np.array([1.0, nan]), np.array([1.0, 2.0]), "1 of 2"),
    (np.array([0.0, 0.0, 0.0]), np.array([1.0, 2.0, 3.0]), "each is 0"),
    (np.array([2.0, 4.0, 6.0]), np.array([1.0, 2.0, 3.0]), "each is 2 times"),
    (np.array(["a", "c"]), np.array(["a", "b"]), "1 of 2"),
]


@pytest.mark.parametrize(("got", "expected"), SAME)
def test_the_same(got: Any, expected: Any) -> None:
    assert differ(got, expected) is None


@pytest.mark.parametrize(("got", "expected", "words"), OTHER)
def test_not_the_same_and_said_why(got: Any, expected: Any, words: str) -> None:
    said = differ(got, expected)
    assert said is not None and words in said


def test_the_place_is_named_and_drawn() -> None:
    got = np.zeros((3, 4))
    expected = got.copy()
    expected[1, 2] = 5.0
    said = differ({"w": [got]}, {"w": [expected]})
    assert said is not None
    assert said.startswith("['w'][0][1, 2]: expected 5, came 0")
    assert ". . x ." in said


def test_a_difference_too_small_to_see_is_said_in_digits_that_show_it() -> None:
    expected = np.array([1.0, 2.0, 3.0])
    said = differ(expected * (1 + 1e-12), expected, rtol=1e-14, atol=0)
    assert said is not None
    assert "expected 1.0, came 1.000000000001" in said
    assert "3 of 3 entries differ, by at most 1.0e-12 of the largest entry." in said
    assert "1 times" not in said


def test_dtype_can_be_left_free() -> None:
    assert differ(np.ones(3, np.float32), np.ones(3), dtype=False) is None
    assert differ(1, 1.0, dtype=False) is None


@pytest.mark.parametrize(
    ("got", "expected"),
    [
        (np.array([b"3.0"]), np.array([3.0])),
        (np.bytes_(b"3.0"), 3.0),
        (np.array(["3.0"]), np.array([3.0])),
        (10**400, 1.0),
        (1.0, 10**400),
    ],
)
def test_words_and_huge_integers_are_no_numbers_whatever_the_dtype(got: Any, expected: Any) -> None:
    assert differ(got, expected, dtype=False) is not None


def test_text_is_text_however_numpy_holds_it() -> None:
    assert differ(np.str_("a"), "a") is None
    assert differ(np.array(["a"], "U5"), np.array(["a"])) is None
    assert differ(np.array([b"a"]), np.array(["a"])) is not None


def test_a_number_past_float64_makes_no_noise(recwarn: pytest.WarningsRecorder) -> None:
    assert differ(np.longdouble("1e4000"), 1.0) is not None
    assert not recwarn.list


def test_rounding_hides_the_last_digits_and_nothing_else() -> None:
    one = list(rounded([np.array([1.0, 2.0]), {"a": 0.1 + 0.2}]))
    assert one == list(rounded([np.array([1.0, 2.0 + 1e-13]), {"a": 0.3}]))
    assert one != list(rounded([np.array([1.0, 2.001]), {"a": 0.3}]))
