"""A graph, pass by pass: what each pass of a compiler changes, with kernels and bytes counted.

    passes = GraphPasses()               # in a notebook: step forward and back, mouse or arrow keys
    passes.stage = 3                     # after fold, simplify and share
    print(passes.text())                 # the same as text

The program is the first one of lesson 13, −(tanh(x · (2 · 0.5)) + tanh(x)) and an exp for nobody.
Each stage is a program in the form of `chainrule.program.lists`; the counts are those of `outcome`.
"""

from __future__ import annotations

from typing import Any

import anywidget
import numpy as np
import traitlets

from chainrule.program.lists import outcome
from chainrule.widgets.assets import module, style
from chainrule.widgets.textform import table

SIZE = 1000
X = ("x", "input", (), {"shape": (SIZE,)})
TWO = ("two", "constant", (), {"value": np.array(2.0)})
HALF = ("half", "constant", (), {"value": np.array(0.5)})
ONE = ("one", "constant", (), {"value": np.array(1.0)})
TRACED = [
    X, TWO, HALF,
    ("one", "multiply", ("two", "half"), {}), ("a", "multiply", ("x", "one"), {}),
    ("b", "tanh", ("a",), {}), ("c", "tanh", ("x",), {}), ("d", "add", ("b", "c"), {}),
    ("e", "exp", ("d",), {}), ("f", "negative", ("d",), {}),
]  # fmt: skip
FOLDED = [X, TWO, HALF, ONE, *TRACED[4:]]
SIMPLE = [X, TWO, HALF, ONE, ("b", "tanh", ("x",), {}), *TRACED[6:]]
D: Any = ("d", "add", ("b", "b"), {})
SHARED = [*SIMPLE[:5], D, *TRACED[8:]]
PRUNED = [X, ("b", "tanh", ("x",), {}), D, ("f", "negative", ("d",), {})]
KERNEL = {"takes": ("x",), "steps": PRUNED[1:], "gives": "f"}
FUSED = [X, ("f", "fused", ("x",), KERNEL)]

#: Each pass: its name, the program after it, what it did, and to which step in a few words.
STAGES: list[tuple[str, list[Any], str, dict[str, str]]] = [
    ("traced", TRACED, "The program as it was written: seven kernels.", {}),
    ("fold", FOLDED, "two · half is known now: one becomes a constant.", {"one": "now 1.0"}),
    ("simplify", SIMPLE, "The rule x · 1 → x: a is x, so b takes x.",
     {"a": "is x", "b": "takes x"}),
    ("share", SHARED, "b and c are the same: c goes, d takes b twice.",
     {"c": "is b", "d": "b + b"}),
    ("prune", PRUNED, "Nobody needs e; nor the three constants any more.",
     {"e": "not needed", "two": "not needed", "half": "not needed", "one": "not needed"}),
    ("fuse", FUSED, "b, d and f become one kernel: b and d are never stored.",
     {"b": "in kernel f", "d": "in kernel f", "f": "one kernel"}),
]  # fmt: skip
NAMES = [step[0] for step in TRACED]
HEAD = ("step", "is", "state")
SIGNS = {"multiply": "·", "add": "+", "negative": "−", "tanh": "tanh", "exp": "exp"}


class GraphPasses(anywidget.AnyWidget):
    """The graph of a small program before and after each pass.

    Traits, synced with the browser:
        stage     how many passes have been applied, 0 to 5
        stages    what there is to see at each stage: nodes, edges, words and counts
    """

    _esm = module("graph_passes.js")
    _css = style("common.css", "graph_passes.css")

    stage = traitlets.Int(0, min=0, max=len(STAGES) - 1).tag(sync=True)
    stages = traitlets.List(traitlets.Dict(), read_only=True).tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        self.set_trait("stages", [picture(place) for place in range(len(STAGES))])

    def rows(self) -> list[tuple[str, str, str]]:
        """Return the steps as rows of text, under HEAD."""
        nodes = self.stages[self.stage]["nodes"]
        return [(node["name"], node["kind"], node["words"]) for node in nodes]

    def counts(self) -> str:
        """Return the counts of this stage in words, with those of the stage before."""
        now = self.stages[self.stage]
        before = self.stages[max(self.stage - 1, 0)]
        parts = []
        for what in ("steps", "kernels", "bytes"):
            change = "" if now[what] == before[what] else f" (was {before[what]})"
            parts.append(f"{what} {now[what]}{change}")
        return ", ".join(parts)

    def text(self) -> str:
        """Return the stage as text."""
        now = self.stages[self.stage]
        start = f"Stage {self.stage} of {len(STAGES) - 1}, {now['pass']}: {now['words']}"
        return "\n".join([start, f"{self.counts()}.", "", table(HEAD, self.rows())])

    def _repr_mimebundle_(self, **options: Any) -> tuple[dict[Any, Any], dict[Any, Any]] | None:
        """Show the text wherever the widget itself cannot be shown."""
        bundle = super()._repr_mimebundle_(**options)
        if bundle is not None:
            bundle[0]["text/plain"] = self.text()
        return bundle


def kind(step: Any) -> str:
    """Return what a step computes, in a few signs."""
    _, op, args, attrs = step
    if op == "input":
        return "input"
    if op == "constant":
        return f"constant {float(attrs['value'])}"
    if op == "negative":
        return f"−{args[0]}"
    if op == "fused":
        return "kernel: b, d, f"
    return f"{args[0]} {SIGNS[op]} {args[1]}" if len(args) == 2 else f"{op}({args[0]})"


def picture(place: int) -> dict[str, Any]:
    """Return what there is to see after a number of passes, as plain data."""
    name, steps, words, notes = STAGES[place]
    found = outcome((steps, ["f"]), {"x": np.linspace(-1, 1, SIZE)})
    inner = {s[0]: s for s in steps[-1][3].get("steps", ())}
    here = {s[0]: s for s in steps}
    nodes, edges = [], []
    for original in TRACED:
        own = original[0]
        step = inner.get(own) or here.get(own)
        look = "inside" if own in inner else "gone" if step is None else "here"
        state = notes.get(own, "")
        if look == "gone":
            state = f"removed: {state}" if state else "removed before"
        elif state:
            state = f"changed: {state}"
        nodes.append({"name": own, "kind": kind(step or original), "look": look,
                      "note": notes.get(own, ""), "words": state or "as before"})  # fmt: skip
        edges += [[a, own] for a in dict.fromkeys(step[2] if step else ())]
    counts = {what: found[what] for what in ("steps", "kernels", "bytes")}
    return {"pass": name, "words": words, "nodes": nodes, "edges": edges, **counts}
