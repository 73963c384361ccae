"""StepCurve without a browser: its numbers are differences, its text says them, its page lives."""

from __future__ import annotations

import cmath
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import traitlets

from chainrule.widgets import StepCurve, TinyNet, write_page
from chainrule.widgets.assets import module, style
from chainrule.widgets.step_curve import (
    FIRST,
    LAST,
    POINTS,
    SLOPES,
    common_digits,
    step_of,
    written,
)

FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "cube": lambda x: x**3,
    "reciprocal": lambda x: 1 / x,
    "root": cmath.sqrt,
    "bell": lambda x: 1 / (1 + x * x),
}
CASES = [(name, x) for name in FUNCTIONS for x in POINTS]


@pytest.mark.parametrize(("name", "x"), CASES)
def test_derivatives_are_right(name: str, x: float) -> None:
    f = FUNCTIONS[name]
    first, second, third = SLOPES[name](x)
    slope = (f(x + 1e-30j) / 1e-30).imag
    assert first == pytest.approx(slope, rel=1e-13)
    h = 1e-4 * x
    ahead, behind = SLOPES[name](x + h), SLOPES[name](x - h)
    assert second == pytest.approx((ahead[0] - behind[0]) / (2 * h), rel=1e-5)
    assert third == pytest.approx((ahead[1] - behind[1]) / (2 * h), rel=1e-5)


@pytest.mark.parametrize(("name", "x"), CASES)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_estimates_are_differences(name: str, x: float, dtype: str) -> None:
    f = FUNCTIONS[name]
    exact = float(np.dtype(dtype).type(x))
    digits = 1e-15 if dtype == "float64" else 1e-6
    for notch in (-60, -40, -31, -20):
        h = float(np.dtype(dtype).type(step_of(notch)))
        noise = digits * (abs(f(exact)) + abs(exact * SLOPES[name](exact)[0])) / h
        for method, expected in (
            ("forward", (f(exact + h) - f(exact)) / h),
            ("central", (f(exact + h) - f(exact - h)) / (2 * h)),
            ("complex", f(exact + 1j * h).imag / h),
        ):
            v = StepCurve(notch=notch, function=name, x=x, method=method, dtype=dtype).values()
            if method == "complex":
                noise = 20 * digits * abs(v["slope"])
            if not isinstance(expected, complex) or expected.imag == 0:
                came = complex(expected).real
                assert v["estimate"] == pytest.approx(came, rel=digits * 20, abs=noise * 4)


@pytest.mark.parametrize(("name", "x"), CASES)
@pytest.mark.parametrize("method", ["forward", "central", "complex"])
def test_expectations_bound_what_is_measured(name: str, x: float, method: str) -> None:
    def at(notch: int) -> dict[str, float]:
        return StepCurve(notch=notch, function=name, x=x, method=method).values()

    checked = 0
    for notch in range(-130, -10):
        v = at(notch)
        if v["step"] < x / 10 and v["step"] > 1e-13 * x:
            assert v["error"] <= 3 * (v["truncation"] + v["round_off"])
            checked += 1
    assert checked > 60
    best = min((at(n) for n in range(-130, -20)), key=lambda v: v["truncation"] + v["round_off"])
    assert best["error"] < {"forward": 1e-7, "central": 1e-9, "complex": 1e-15}[method]


def test_what_the_lesson_says_about_it() -> None:
    steps = {}
    for dtype in ("float64", "float32"):
        for x in POINTS:
            curve = [StepCurve(notch=n, x=x, dtype=dtype) for n in range(FIRST, LAST + 1)]
            both = [c.values() for c in curve]
            best = min(both, key=lambda v: v["truncation"] + v["round_off"])
            steps[dtype, x] = best["step"]
            if x == 1.3:
                digits = -math.log10(best["truncation"] + best["round_off"])
                assert 9 < digits < 11 if dtype == "float64" else 3.5 < digits < 5.5
    assert steps["float64", 130.0] / steps["float64", 1.3] == pytest.approx(100, rel=0.3)
    flat = StepCurve(notch=-160)
    assert flat.values()["error"] == 1
    assert "Both values are the same in float64" in flat.note()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"notch": -20}, "Truncation rules: a smaller step is better."),
        ({"notch": -53}, "Both errors are about equal"),
        ({"notch": -120}, "11 of the 16 digits cancel. Round-off rules: a larger step is better."),
        ({"notch": -150, "method": "complex"}, "Nothing is subtracted, so nothing cancels."),
        ({"notch": 0, "function": "root", "x": 0.013}, "There is no number"),
    ],
)
def test_the_text_says_what_happens(options: dict[str, Any], words: str) -> None:
    picture = StepCurve(**options)
    assert words in picture.text()
    v = picture.values()
    assert written(v["estimate"], picture.dtype) in picture.text()


def test_steps_and_digits() -> None:
    assert [step_of(n) for n in (-180, -53, -30, -1, 0)] == [1e-18, 5.01e-6, 1e-3, 0.794, 1.0]
    ratios = [step_of(n + 1) / step_of(n) for n in range(FIRST, LAST)]
    assert all(1.24 < ratio < 1.28 for ratio in ratios)
    assert common_digits(2.19701, 2.19699, "float64") == 5
    assert common_digits(1.0, 1.0, "float64") == 16 and common_digits(1.0, -1.0, "float64") == 0
    assert common_digits(1.0, 1.0 + 2e-7, "float32") == 6
    assert (
        written(-0.00012, "float32") == "−1.20000000e−4" and written(math.nan, "float64") == "nan"
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [("notch", 1), ("notch", -181), ("x", 2.0), ("function", "sine"), ("method", "backward")],
)
def test_what_is_no_picture_is_refused_and_changes_nothing(name: str, value: object) -> None:
    picture = StepCurve()
    before = getattr(picture, name)
    with pytest.raises(traitlets.TraitError):
        setattr(picture, name, value)
    assert getattr(picture, name) == before


def test_where_no_widget_can_be_shown_the_text_is() -> None:
    picture = StepCurve()
    data, _ = picture._repr_mimebundle_()
    assert data["text/plain"] == picture.text()


def test_the_module_is_one_file_that_asks_nobody() -> None:
    source = module("step_curve.js")
    assert not re.search(r"^\s*import\b|\bimport\(", source, flags=re.MULTILINE)
    assert source.count("export ") == source.count("export default") == 1
    assert re.findall(r"https?://[^\"\s]+", source) == ["http://www.w3.org/2000/svg"]
    names = re.findall(r"^(?:const|function) (\w+)", source, flags=re.MULTILINE)
    assert len(names) == len(set(names)), "two files use one name"
    assert "</script" not in source
    assert not re.search(r"@import|url\(", style("step_curve.css"))


def test_a_page_holds_it_beside_another_widget(tmp_path: Path) -> None:
    page = write_page(tmp_path / "two.html", StepCurve(notch=-160), TinyNet()).read_text("utf-8")
    assert page.count("</script>") == 2
    assert "Both values are the same" in page, "the text form, for a reader without JavaScript"
