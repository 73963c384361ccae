"""A two-layer ReLU net small enough to see whole: drag a weight, and everything follows.

    net = TinyNet()
    net                                  # in a notebook: the picture
    print(net.text())                    # the same as text
    net.weights = [...]                  # the picture follows
    net.values()["grad_w1"]              # what the picture shows, as NumPy arrays

The net is the lecture's: `h = x @ w1`, `h_relu = max(h, 0)`, `y_pred = h_relu @ w2`,
`loss = (y_pred - y) ** 2`, with two inputs, three hidden units, one output and no biases.
"""

from __future__ import annotations

import math
from typing import Any

import anywidget
import numpy as np
import traitlets

from chainrule.widgets.assets import module, style
from chainrule.widgets.textform import number, signed, table

INPUTS, UNITS = 2, 3
WEIGHTS = [0.5, -0.8, 1.0, 0.75, 0.3, -0.25, 0.5, 1.0, -0.5]
SAMPLES = [([1.0, 2.0], 1.75), ([-1.0, 2.0], 0.9)]
LENGTHS = {"weights": (INPUTS + 1) * UNITS, "inputs": INPUTS}


class TinyNet(anywidget.AnyWidget):
    """Two inputs, three ReLU units, one output, squared error; no biases.

    Traits, all synced with the browser:
        weights        nine numbers, `w1` (2, 3) row by row, then `w2` (3,)
        inputs         two numbers, `x`
        target         `y`
        learning_rate  of the button "One step of gradient descent"
        selected       position in `weights` of the one whose loss curve is drawn
        start          what "Reset weights" goes back to: the weights given at first
        samples        the (inputs, target) pairs that the widget offers
    """

    _esm = module("tiny_net.js")
    _css = style("common.css", "tiny_net.css")

    weights = traitlets.List(traitlets.Float(), WEIGHTS).tag(sync=True)
    inputs = traitlets.List(traitlets.Float(), SAMPLES[0][0]).tag(sync=True)
    target = traitlets.Float(SAMPLES[0][1]).tag(sync=True)
    learning_rate = traitlets.Float(0.02, min=0.0).tag(sync=True)
    selected = traitlets.Int(2, min=0, max=LENGTHS["weights"] - 1).tag(sync=True)
    start = traitlets.List(traitlets.Float()).tag(sync=True)
    samples = traitlets.List(traitlets.Dict()).tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        self.start = list(self.weights)

    @traitlets.default("samples")
    def _two_samples(self) -> list[dict[str, Any]]:
        return [{"inputs": list(x), "target": y} for x, y in SAMPLES]

    @traitlets.validate("weights", "inputs")
    def _finite_list(self, proposal: Any) -> list[float]:
        name, value = proposal["trait"].name, proposal["value"]
        if len(value) != LENGTHS[name] or not all(map(math.isfinite, value)):
            raise traitlets.TraitError(f"{name}: {LENGTHS[name]} finite numbers, not {value}.")
        return list(value)

    @traitlets.validate("target", "learning_rate")
    def _finite(self, proposal: Any) -> float:
        if not math.isfinite(proposal["value"]):
            raise traitlets.TraitError(f"{proposal['trait'].name} is a finite number.")
        return float(proposal["value"])

    def values(self) -> dict[str, Any]:
        """Return every value and gradient of the net as NumPy arrays and floats.

        Keys: `x` (2,), `w1` (2, 3), `h` (3,), `h_relu` (3,), `w2` (3,), `y_pred`, `y`, `loss`, and
        `grad_*`, the derivative of the loss, of the shape of `*`. At h = 0 the ReLU's derivative
        is taken as 0.
        """
        x, y = np.array(self.inputs), self.target
        w1, w2 = np.split(np.array(self.weights), [INPUTS * UNITS])
        w1 = w1.reshape(INPUTS, UNITS)
        h = x @ w1
        h_relu = np.maximum(h, 0.0)
        y_pred = float(h_relu @ w2)
        grad_y_pred = 2.0 * (y_pred - y)
        grad_h_relu = grad_y_pred * w2
        grad_h = np.where(h > 0, grad_h_relu, 0.0)
        return {
            "x": x, "w1": w1, "h": h, "h_relu": h_relu, "w2": w2,
            "y_pred": y_pred, "y": y, "loss": (y_pred - y) ** 2,
            "grad_y_pred": grad_y_pred, "grad_w2": grad_y_pred * h_relu,
            "grad_h_relu": grad_h_relu, "grad_h": grad_h, "grad_w1": np.outer(x, grad_h),
        }  # fmt: skip

    def rows(self) -> list[tuple[str, str, str, str]]:
        """Return the picture as rows of text: name, value, gradient, what it is."""
        v = self.values()
        into = {"h": "unit {0} is {1}", "h_relu": "max(h[{0}], 0)", "w2": "from unit {0} to y_pred"}
        state = ["on" if h > 0 else "off: no gradient passes" for h in v["h"]]
        w1 = [
            _row(f"w1[{i},{j}]", v["w1"][i, j], v["grad_w1"][i, j], f"from x[{i}] to unit {j}")
            for i in range(INPUTS)
            for j in range(UNITS)
        ]
        units = [
            _row(f"{name}[{j}]", v[name][j], v[f"grad_{name}"][j], note.format(j, state[j]))
            for name, note in into.items()
            for j in range(UNITS)
        ]
        return [
            *(_row(f"x[{i}]", v["x"][i], None, "input") for i in range(INPUTS)),
            *w1,
            *units,
            _row("y_pred", v["y_pred"], v["grad_y_pred"], "prediction"),
            _row("y", v["y"], None, "target"),
            _row("loss", v["loss"], None, "(y_pred − y)²"),
        ]

    def text(self) -> str:
        """Return the picture as a table of text, one line per value with its gradient."""
        return table(("name", "value", "gradient", "what it is"), self.rows())

    def _repr_mimebundle_(self, **options: Any) -> tuple[dict[Any, Any], dict[Any, Any]] | None:
        """Show the table of text wherever the widget itself cannot be shown."""
        bundle = super()._repr_mimebundle_(**options)
        if bundle is not None:
            bundle[0]["text/plain"] = self.text()
        return bundle


def _row(name: str, value: float, grad: float | None, note: str) -> tuple[str, str, str, str]:
    return name, number(value), "" if grad is None else signed(grad), note
