"""A composite of four operations collapses into one node; both computed at any x.

    picture = Collapse(x=-60)
    picture                              # in a notebook: the graph, the numbers, the right digits
    print(picture.text())                # the same as text
    picture.values()["grad_x"]           # the slope that the composite finds, 0.0 here

The function is the sigmoid. Operation by operation it is 1 / (1 + exp(-x)), differentiated by the
rules of the four operations; as one node it is computed from exp(-|x|), and its slope from the
output. Both in float32 or float64, as `chainrule` computes them.
"""

from __future__ import annotations

import math
from typing import Any

import anywidget
import numpy as np
import traitlets

from chainrule.widgets.assets import module, style
from chainrule.widgets.textform import table

LIMIT = 1000.0
FULL = {"float32": 6, "float64": 14}
HEAD = ("name", "value", "gradient", "what it is")


class Collapse(anywidget.AnyWidget):
    """The sigmoid as a chain of four nodes, and as one.

    Traits, all synced with the browser:
        x          where, from -1000 to 1000
        dtype      "float32" or "float64"
        collapsed  whether the picture shows one node or four
        shown      what the curve shows the right digits of: "slope" or "value"
    """

    _esm = module("collapse.js")
    _css = style("common.css", "collapse.css")

    x = traitlets.Float(-60.0, min=-LIMIT, max=LIMIT).tag(sync=True)
    dtype = traitlets.Enum(list(FULL), "float32").tag(sync=True)
    collapsed = traitlets.Bool(False).tag(sync=True)
    shown = traitlets.Enum(["slope", "value"], "slope").tag(sync=True)

    @traitlets.validate("x")
    def _finite(self, proposal: Any) -> float:
        if not math.isfinite(proposal["value"]):
            raise traitlets.TraitError("x is a finite number.")
        return float(proposal["value"])

    def values(self) -> dict[str, float]:
        """Return every value and gradient as Python floats.

        Keys: `x`, `negate`, `exp`, `add`, `out` of the composite, and `grad_*`, the gradient of its
        output for each; `value` and `slope` of the one node; `exact_value` and `exact_slope`,
        computed in float64.
        """
        kind = np.dtype(self.dtype).type
        x, one = kind(self.x), kind(1)
        with np.errstate(all="ignore"):
            exp = np.exp(-x)
            add = one + exp
            out = one / add
            grad_add = -out / add
            grad_negate = grad_add * exp
            e = np.exp(-np.abs(x))
            value = (one if x >= 0 else e) / (one + e)
            slope = value * (one - value)
            tiny = np.exp(-np.abs(np.float64(x)))
            exact = (1.0 if x >= 0 else tiny) / (1 + tiny), tiny / (1 + tiny) ** 2
        found = {
            "x": x, "negate": -x, "exp": exp, "add": add, "out": out,
            "grad_out": one, "grad_add": grad_add, "grad_exp": grad_add,
            "grad_negate": grad_negate, "grad_x": -grad_negate,
            "value": value, "slope": slope, "exact_value": exact[0], "exact_slope": exact[1],
        }  # fmt: skip
        return {name: float(number) for name, number in found.items()}

    def digits(self) -> dict[str, float]:
        """Return how many digits are right, -1 where there is no finite number.

        Keys: `out` and `grad_x` of the composite, `value` and `slope` of the one node.
        """
        v = self.values()
        exact = {"out": "exact_value", "value": "exact_value"}
        return {
            name: right_digits(v[name], v[exact.get(name, "exact_slope")], self.dtype)
            for name in ("out", "grad_x", "value", "slope")
        }

    def notes(self) -> tuple[str, str]:
        """Return a sentence on the composite and one on the node."""
        v, right, dtype = self.values(), self.digits(), self.dtype
        if math.isinf(v["exp"]):
            many = (
                f"Composite: exp({short(v['negate'])}) is inf in {dtype}. Forward, 1 / inf is 0. "
                "Backward, 0 · inf is nan."
            )
        elif v["grad_x"] == 0 and right["grad_x"] < 1:
            many = (
                f"Composite: on the way back 1 / (1 + exp)² is too small for {dtype}, "
                "so the slope is lost."
            )
        else:
            many = f"Composite: the slope is {verdict(v['grad_x'], v['exact_slope'], dtype)}."
        if v["slope"] == 0 and right["slope"] < 1:
            one = (
                "One node: y is rounded to 1, so y · (1 − y) is 0; "
                "only the composite still knows exp(−x)."
            )
        else:
            one = f"One node: the slope is {verdict(v['slope'], v['exact_slope'], dtype)}."
        return many, one

    def rows(self) -> list[tuple[str, str, str, str]]:
        """Return the picture as rows of text: name, value, gradient, what it is."""
        v = self.values()
        exp = "exp: overflow" if math.isinf(v["exp"]) else "exp"
        return [
            _row("x", v["x"], v["grad_x"], "input; its gradient is the composite's slope"),
            _row("−x", v["negate"], v["grad_negate"], "negate"),
            _row("exp(−x)", v["exp"], v["grad_exp"], exp),
            _row("1 + exp(−x)", v["add"], v["grad_add"], "add 1"),
            _row("y", v["out"], v["grad_out"], "divide: the composite's value"),
            _row("Sigmoid(x)", v["value"], v["slope"], "one node: value and slope"),
            _row("exact", v["exact_value"], v["exact_slope"], "value and slope"),
        ]

    def text(self) -> str:
        """Return the picture as a table of text, then what happened at this x."""
        return "\n".join([f"in {self.dtype}", table(HEAD, self.rows()), *self.notes()])

    def _repr_mimebundle_(self, **options: Any) -> tuple[dict[Any, Any], dict[Any, Any]] | None:
        """Show the table of text wherever the widget itself cannot be shown."""
        bundle = super()._repr_mimebundle_(**options)
        if bundle is not None:
            bundle[0]["text/plain"] = self.text()
        return bundle


def right_digits(came: float, exact: float, dtype: str) -> float:
    """Return how many digits of `came` are right, at most `FULL`; -1 if it is not finite."""
    if not math.isfinite(came):
        return -1.0
    if came == exact or (np.dtype(dtype).type(exact) == 0 and came == 0):
        return float(FULL[dtype])
    return min(float(FULL[dtype]), max(0.0, -math.log10(abs(came - exact) / exact)))


def short(value: float) -> str:
    """Write a number as the browser does: five digits, or four and a power of ten."""
    if math.isnan(value):
        return "nan"
    size = abs(value)
    if math.isinf(size):
        text = "inf"
    elif size == 0:
        text = "0"
    elif 1e-3 <= size < 99999:
        text = f"{size:.5g}"
    else:
        mantissa, exponent = f"{size:.3e}".split("e")
        text = f"{mantissa}e{int(exponent)}".replace("-", "−")
    return ("−" if value < 0 else "") + text


def verdict(came: float, exact: float, dtype: str) -> str:
    """Say in words how good a number is."""
    right = right_digits(came, exact, dtype)
    if right < 0:
        return "no number"
    if right >= FULL[dtype]:
        return "right"
    if came == 0:
        return "lost, rounded to 0"
    return "wrong" if right < 1 else f"right to {math.floor(right)} digits"


def _row(name: str, value: float, grad: float, note: str) -> tuple[str, str, str, str]:
    return name, short(value), short(grad), note
