"""The error of an estimated slope against the step: truncation on one side, round-off on the other.

    picture = StepCurve(notch=-53)          # a step of 5.01e-6
    picture                                 # in a notebook: the curve, with the step on a slider
    print(picture.text())                   # the same as text
    picture.values()["error"]               # the measured relative error at this step

Four functions at three points, by forward differences, central differences or the complex step, in
float32 or float64. All of it is made of operations that round the same everywhere (+ - * / and the
square root), so that the browser measures what NumPy measures, to the last bit.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import anywidget
import numpy as np
import traitlets

from chainrule.widgets.assets import module, style
from chainrule.widgets.collapse import short
from chainrule.widgets.textform import table

FIRST, LAST = -180, 0
MANTISSAS = ("1", "1.26", "1.58", "2", "2.51", "3.16", "3.98", "5.01", "6.31", "7.94")
POINTS = (0.013, 1.3, 130.0)
METHODS = ("forward", "central", "complex")
UNIT = {"float64": 2.0**-53, "float32": 2.0**-24}
DIGITS = {"float64": 16, "float32": 8}
FUNCTIONS = {"cube": "x³", "reciprocal": "1/x", "root": "√x", "bell": "1/(1 + x²)"}
HEAD = ("name", "value", "what it is")

OF: dict[str, Callable[[Any, Any], Any]] = {
    "cube": lambda x, one: x * x * x,
    "reciprocal": lambda x, one: one / x,
    "root": lambda x, one: np.sqrt(x),
    "bell": lambda x, one: one / (one + x * x),
}
"""Each function of x; `one` is a 1 of the right dtype."""

IMAGINARY: dict[str, Callable[[Any, Any, Any], Any]] = {
    "cube": lambda x, h, one: (x * x - h * h) * h + (x * h + x * h) * x,
    "reciprocal": lambda x, h, one: -h / (x * x + h * h),
    "root": lambda x, h, one: (
        h / ((one + one) * np.sqrt((np.sqrt(x * x + h * h) + x) / (one + one)))
    ),
    "bell": lambda x, h, one: _bell(x * x - h * h, x * h + x * h, one),
}  # fmt: skip
"""The imaginary part of each function at x + ih, worked out in real numbers."""

SLOPES: dict[str, Callable[[float], tuple[float, float, float]]] = {
    "cube": lambda x: (3 * x * x, 6 * x, 6.0),
    "reciprocal": lambda x: (-1 / (x * x), 2 / (x * x * x), -6 / (x * x * x * x)),
    "root": lambda x: (
        1 / (2 * math.sqrt(x)), -1 / (4 * x * math.sqrt(x)), 3 / (8 * x * x * math.sqrt(x)),
    ),
    "bell": lambda x: (
        -2 * x / ((1 + x * x) * (1 + x * x)),
        (6 * x * x - 2) / ((1 + x * x) * (1 + x * x) * (1 + x * x)),
        24 * x * (1 - x * x) / ((1 + x * x) * (1 + x * x) * (1 + x * x) * (1 + x * x)),
    ),
}  # fmt: skip
"""First, second and third derivative, in float64."""


class StepCurve(anywidget.AnyWidget):
    """The U-shaped curve of the error of a numerical derivative.

    Traits, all synced with the browser:
        notch     the step, in tenths of a power of ten: -53 is 10 to the -5.3, rounded to 5.01e-6
        function  "cube", "reciprocal", "root" or "bell"
        x         where: 0.013, 1.3 or 130
        method    "forward", "central" or "complex"
        dtype     "float32" or "float64"
    """

    _esm = module("step_curve.js")
    _css = style("common.css", "step_curve.css")

    notch = traitlets.Int(-30, min=FIRST, max=LAST).tag(sync=True)
    function = traitlets.Enum(list(FUNCTIONS), "cube").tag(sync=True)
    x = traitlets.Enum(list(POINTS), 1.3).tag(sync=True)
    method = traitlets.Enum(list(METHODS), "central").tag(sync=True)
    dtype = traitlets.Enum(list(UNIT), "float64").tag(sync=True)

    def values(self) -> dict[str, float]:
        """Return all numbers at this step as Python floats.

        Keys: `x`, `step`, `slope` (the true one), `high` and `low` (the two values of f that are
        subtracted; NaN for the complex step), `estimate`, `error` (relative, as measured, NaN if
        there is none), `truncation` and `round_off` (relative, as expected).
        """
        kind = np.dtype(self.dtype).type
        x, h, one = kind(self.x), kind(step_of(self.notch)), kind(1)
        f, nan = OF[self.function], math.nan
        high = low = kind(nan)
        with np.errstate(all="ignore"):
            if self.method == "complex":
                estimate = IMAGINARY[self.function](x, h, one) / h
            else:
                high = f(x + h, one)
                low = f(x - h, one) if self.method == "central" else f(x, one)
                estimate = (high - low) / (h + h if self.method == "central" else h)
            value = float(f(x, one))
        slope, second, third = SLOPES[self.function](float(x))
        expected = expectation(self.method, self.dtype, float(x), float(h), value, slope)
        bend = abs(second) / 2 if self.method == "forward" else abs(third) / 6
        power = float(h) if self.method == "forward" else float(h) * float(h)
        return {
            "x": float(x), "step": float(h), "slope": slope, "high": float(high),
            "low": float(low), "estimate": float(estimate),
            "error": abs(float(estimate) - slope) / abs(slope),
            "truncation": bend * power / abs(slope), "round_off": expected,
        }  # fmt: skip

    def rules(self) -> str:
        """Return which error rules at this step: "truncation", "round-off" or "both"."""
        v = self.values()
        ratio = v["truncation"] / v["round_off"]
        if ratio > 20:
            return "truncation"
        return "round-off" if ratio < 1 / 20 else "both"

    def note(self) -> str:
        """Return a sentence on what happens at this step."""
        v, rules = self.values(), self.rules()
        digits = DIGITS[self.dtype]
        if not math.isfinite(v["error"]):
            return "There is no number: the step leads to where the function has no value."
        if self.method == "complex":
            start = "Nothing is subtracted, so nothing cancels."
        elif v["high"] == v["low"]:
            return f"Both values are the same in {self.dtype}: the difference is 0, the error 100%."
        else:
            count = common_digits(v["high"], v["low"], self.dtype)
            start = f"{count} of the {digits} digits cancel."
        if self.method == "complex" and rules == "round-off":
            return f"{start} The error is rounding alone, however small the step."
        return (
            start
            + {
                "truncation": " Truncation rules: a smaller step is better.",
                "round-off": " Round-off rules: a larger step is better.",
                "both": " Both errors are about equal: this is about the best step.",
            }[rules]
        )

    def rows(self) -> list[tuple[str, str, str]]:
        """Return the picture as rows of text: name, value, what it is."""
        v = self.values()
        below = "f(x − step)" if self.method == "central" else "f(x)"
        pair = [
            ("f(x + step)", written(v["high"], self.dtype), "the one value"),
            (below, written(v["low"], self.dtype), "the other"),
        ]
        return [
            ("step", short(v["step"]), f"for {FUNCTIONS[self.function]} at {short(self.x)}"),
            *(pair if self.method != "complex" else []),
            ("estimate", written(v["estimate"], self.dtype), f"{self.method}, in {self.dtype}"),
            ("slope", written(v["slope"], "float64"), "the true one"),
            ("error", short(v["error"]), "relative, as measured"),
            ("truncation", short(v["truncation"]), "relative, as expected"),
            ("round-off", short(v["round_off"]), "relative, as expected"),
        ]

    def text(self) -> str:
        """Return the picture as a table of text, then what happens at this step."""
        return f"{table(HEAD, self.rows())}\n{self.note()}"

    def _repr_mimebundle_(self, **options: Any) -> tuple[dict[Any, Any], dict[Any, Any]] | None:
        """Show the table of text wherever the widget itself cannot be shown."""
        bundle = super()._repr_mimebundle_(**options)
        if bundle is not None:
            bundle[0]["text/plain"] = self.text()
        return bundle


def _bell(real: Any, imaginary: Any, one: Any) -> Any:
    """Return the imaginary part of 1 / (1 + z²), for the parts of z²."""
    below = one + real
    return -imaginary / (below * below + imaginary * imaginary)


def step_of(notch: int) -> float:
    """Return the step at a notch: 10 to the notch / 10, rounded to three digits."""
    power, tenth = divmod(notch, 10)
    return float(f"{MANTISSAS[tenth]}e{power}")


def expectation(
    method: str, dtype: str, x: float, step: float, value: float, slope: float
) -> float:
    """Return the relative error that rounding is expected to make."""
    unit = UNIT[dtype]
    if method == "complex":
        return 4 * unit
    ends = 2 * abs(value) + abs(x * slope)
    if method == "central":
        ends = abs(value) + abs(x * slope)
    return unit * ends / step / abs(slope)


def written(value: float, dtype: str) -> str:
    """Write a number with all digits that its dtype has."""
    if not math.isfinite(value):
        return short(value)
    mantissa, exponent = f"{abs(value):.{DIGITS[dtype]}e}".split("e")
    tail = f"e{int(exponent)}".replace("-", "−") if int(exponent) else ""
    return ("−" if value < 0 else "") + mantissa + tail


def common_digits(one: float, other: float, dtype: str) -> int:
    """Return how many leading digits two numbers share: how much larger they are than their gap."""
    size, gap, count = max(abs(one), abs(other)), abs(one - other), 0
    while count < DIGITS[dtype] and gap * float(f"1e{count + 1}") <= size:
        count += 1
    return count
