"""A tape, step by step: what each operation saves, how gradients arrive, what `backward` frees.

    tape = TapeViewer()
    tape                                 # in a notebook: the picture, with buttons
    tape.step = 7                        # the picture follows
    print(tape.text())                   # the same step as a table of text

The program is `t = a * b`, `y = t + a`, `d = y - 10`, `loss = d ** 2` with a = 3 and b = 4. Four
steps go forward, each records one node; four go backward, each calls one rule, the youngest first.
"""

from __future__ import annotations

from typing import Any

import anywidget
import traitlets

from chainrule.widgets.assets import module, style
from chainrule.widgets.textform import number, table

TARGET = 10.0
NODES: list[dict[str, Any]] = [
    {"name": "a", "made": "leaf", "parents": [], "saves": []},
    {"name": "b", "made": "leaf", "parents": [], "saves": []},
    {"name": "t", "made": "a * b", "parents": [0, 1], "saves": ["a", "b"]},
    {"name": "y", "made": "t + a", "parents": [2, 0], "saves": []},
    {"name": "d", "made": "y − 10", "parents": [3], "saves": []},
    {"name": "loss", "made": "d ** 2", "parents": [4], "saves": ["d"]},
]
LEAVES, STEPS = 2, 2 * (len(NODES) - 2)
STATES = {
    "later": "not yet computed",
    "leaf": "leaf: keeps what arrives in .grad",
    "recorded": "recorded: holds its parents and what it saved",
    "waiting": "something has arrived; its turn comes",
    "kept": "rule called; kept by retain_graph",
    "freed": "rule called; freed",
}


class TapeViewer(anywidget.AnyWidget):
    """Six tensors, four of them nodes of a tape; forward and backward one step at a time.

    Traits, all synced with the browser:
        a, b       the two leaves
        step       from 0 (nothing computed) to 8 (every rule called)
        selected   the place of the tensor whose details are shown
        retain     whether backward keeps the graph
        frames     for every step and both choices of `retain`, what there is to see
    """

    _esm = module("tape_viewer.js")
    _css = style("common.css", "tape_viewer.css")

    a = traitlets.Float(3.0).tag(sync=True)
    b = traitlets.Float(4.0).tag(sync=True)
    step = traitlets.Int(0, min=0, max=STEPS).tag(sync=True)
    selected = traitlets.Int(2, min=0, max=len(NODES) - 1).tag(sync=True)
    retain = traitlets.Bool(False).tag(sync=True)
    frames = traitlets.Dict().tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        self._compute()
        self.observe(lambda change: self._compute(), ["a", "b"])

    def _compute(self) -> None:
        both = {"free": False, "retain": True}
        self.frames = {
            key: [self.frame(step, retain) for step in range(STEPS + 1)]
            for key, retain in both.items()
        }

    def values(self) -> list[float]:
        """Return the values of a, b, t, y, d and loss."""
        t = self.a * self.b
        y = t + self.a
        return [self.a, self.b, t, y, y - TARGET, (y - TARGET) ** 2]

    def arrived(self, step: int) -> list[float | None]:
        """Return what has arrived at each tensor after a step; None where nothing has."""
        a, b, _t, _y, d, _loss = self.values()
        slopes = {5: [2 * d], 4: [1.0], 3: [1.0, 1.0], 2: [b, a]}
        sums: list[float | None] = [None] * len(NODES)
        called = step - STEPS // 2
        if called < 0:
            return sums
        sums[-1] = 1.0
        for place in range(5, 5 - called, -1):
            upstream = sums[place]
            for parent, slope in zip(NODES[place]["parents"], slopes[place], strict=True):
                sums[parent] = (sums[parent] or 0.0) + (upstream or 0.0) * slope
        return sums

    def frame(self, step: int, retain: bool) -> dict[str, Any]:
        """Return what there is to see after a step: a sentence, and each tensor's texts."""
        values, sums = self.values(), self.arrived(step)
        forward = STEPS // 2
        cells = []
        for place, node in enumerate(NODES):
            state = self._state(place, step, retain, sums)
            saved = [f"{n} = {number(values[_place(n)], 0)}" for n in node["saves"]]
            gone = state in ("later", "freed")
            nothing = "nothing" if place >= LEAVES and not gone else ""
            grad = sums[place]
            cells.append(
                {
                    "value": "" if state == "later" else number(values[place], 0),
                    "saved": nothing if gone or not saved else ", ".join(saved),
                    "grad": "" if grad is None else number(grad, 0),
                    "state": state,
                }
            )
        return {"words": self._words(step, forward, sums), "cells": cells}

    def _state(self, place: int, step: int, retain: bool, sums: list[float | None]) -> str:
        forward = STEPS // 2
        if place < LEAVES:
            return "leaf"
        if place - LEAVES >= step:
            return "later"
        called = place > len(NODES) - 1 - (step - forward)
        if called:
            return "kept" if retain else "freed"
        return "waiting" if sums[place] is not None else "recorded"

    def _words(self, step: int, forward: int, sums: list[float | None]) -> str:
        if step == 0:
            return "Two leaves. Nothing is computed, nothing is recorded."
        if step < forward:
            node = NODES[LEAVES + step - 1]
            kept = " and ".join(node["saves"]) or "no value"
            return (
                f"Forward: {node['name']} = {node['made']} is computed and recorded; saved: {kept}."
            )
        if step == forward:
            return (
                "Forward is done: loss = d ** 2 is recorded. backward() sends it a gradient of 1."
            )
        node = NODES[len(NODES) - (step - forward)]
        sent = ", ".join(
            f"{NODES[p]['name']} has {number(sums[p] or 0.0, 0)}"
            for p in dict.fromkeys(node["parents"])
        )
        return f"Backward: the rule of {node['name']} = {node['made']} is called; now {sent}."

    def rows(self) -> list[tuple[str, str, str, str, str, str]]:
        """Return the current step as rows of text."""
        cells = self.frames["retain" if self.retain else "free"][self.step]["cells"]
        return [
            (n["name"], n["made"], c["value"], c["saved"], c["grad"], STATES[c["state"]])
            for n, c in zip(NODES, cells, strict=True)
        ]

    def text(self) -> str:
        """Return the current step as a sentence and a table of text."""
        frame = self.frames["retain" if self.retain else "free"][self.step]
        head = ("name", "made by", "value", "saved", "gradient", "state")
        return f"step {self.step} of {STEPS}. {frame['words']}\n\n{table(head, self.rows())}"

    def _repr_mimebundle_(self, **options: Any) -> tuple[dict[Any, Any], dict[Any, Any]] | None:
        """Show the table of text wherever the widget itself cannot be shown."""
        bundle = super()._repr_mimebundle_(**options)
        if bundle is not None:
            bundle[0]["text/plain"] = self.text()
        return bundle


def _place(name: str) -> int:
    return [n["name"] for n in NODES].index(name)
