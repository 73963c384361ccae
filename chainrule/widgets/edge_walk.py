"""Forward and backward through a graph of nine nodes, one edge per step.

    walk = EdgeWalk()                    # in a notebook: step with buttons or arrow keys
    walk.step, walk.overwrite = 18, True
    print(walk.text())                   # every step in words, then the nodes as they are now
    walk.frame()["wrong"]                # {'s': (-3.0, -2.0)}: what it is, what it should be

The graph: s = x + y, p = s * z, m = max(y, w), q = p * m, L = q + s. Two of its values are used
twice, s and y: their gradients are right only if what comes back on the two edges is added.
"""

from __future__ import annotations

from typing import Any

import anywidget
import traitlets

from chainrule.widgets.assets import module, style
from chainrule.widgets.textform import number, table

INPUTS = ("x", "y", "z", "w")
MADE = {
    "s": ("add", "x", "y"),
    "p": ("multiply", "s", "z"),
    "m": ("max", "y", "w"),
    "q": ("multiply", "p", "m"),
    "L": ("add", "q", "s"),
}
NODES = (*INPUTS, *MADE)
WRITTEN = {"add": "{} + {}", "multiply": "{} × {}", "max": "max({}, {})"}
FORTH = tuple((operand, node) for node, (_, *operands) in MADE.items() for operand in operands)
BACK = tuple((node, operand) for node in reversed(MADE) for operand in MADE[node][1:])
START = len(FORTH) + 1
"""The step at which backward starts; before it the edges of FORTH, after it those of BACK."""
STEPS = START + len(BACK)
LARGEST = 10.0
HEAD = ("node", "made by", "value", "gradient", "arrived", "state")


class EdgeWalk(anywidget.AnyWidget):
    """A walk over the ten edges of a graph, forward and then backward.

    Traits, all synced with the browser:
        x, y, z, w   the inputs, from -10 to 10
        step         0: only the inputs; 1 to 10: an edge forward; 11: dL/dL = 1; 12 to 21: backward
        overwrite    whether a gradient that arrives replaces the earlier one instead of adding
    """

    _esm = module("edge_walk.js")
    _css = style("common.css", "edge_walk.css")

    x = traitlets.Float(2.0).tag(sync=True)
    y = traitlets.Float(-1.0).tag(sync=True)
    z = traitlets.Float(3.0).tag(sync=True)
    w = traitlets.Float(-2.0).tag(sync=True)
    step = traitlets.Int(0, min=0, max=STEPS).tag(sync=True)
    overwrite = traitlets.Bool(False).tag(sync=True)

    @traitlets.validate(*INPUTS)
    def _in_range(self, proposal: Any) -> float:
        name, value = proposal["trait"].name, float(proposal["value"])
        if not abs(value) <= LARGEST:
            raise traitlets.TraitError(f"{name}: a number from -10 to 10, not {value}.")
        return value

    def values(self) -> dict[str, float]:
        """Return the value of each node when forward is done."""
        v = {name: float(getattr(self, name)) for name in INPUTS}
        for node, (operation, one, other) in MADE.items():
            if operation == "add":
                v[node] = v[one] + v[other]
            elif operation == "multiply":
                v[node] = v[one] * v[other]
            else:
                v[node] = max(v[one], v[other])
        return v

    def slope(self, node: str, operand: str) -> float:
        """Return the local derivative of `node` by `operand`; at a tie max gives all to the first.

        The operands of a node differ, so this is a plain partial derivative.
        """
        operation, one, other = MADE[node]
        v = self.values()
        if operation == "add":
            return 1.0
        if operation == "multiply":
            return v[other if operand == one else one]
        return float((v[one] >= v[other]) == (operand == one))

    def frame(self, step: int | None = None, overwrite: bool | None = None) -> dict[str, Any]:
        """Return what there is after a step, by default the current one.

        Keys: `values` and `gradients` (node -> number, those that are there), `arrived` (node ->
        list of (from, product)), `edges` ((node, operand) -> (upstream, local, product), those
        walked back), `wrong` (node -> (gradient, the one that adding gives), where they differ).
        """
        step = self.step if step is None else step
        overwrite = self.overwrite if overwrite is None else overwrite
        every = self.values()
        missing = {node for _, node in FORTH[step:]}
        gradients: dict[str, float] = {} if step < START else {"L": 1.0}
        arrived: dict[str, list[tuple[str, float]]] = {}
        edges = {}
        for node, operand in BACK[: max(0, step - START)]:
            upstream, local = gradients[node], self.slope(node, operand)
            product = upstream * local
            edges[node, operand] = (upstream, local, product)
            arrived.setdefault(operand, []).append((node, product))
            before = 0.0 if overwrite else gradients.get(operand, 0.0)
            gradients[operand] = before + product
        right = self.frame(step, overwrite=False)["gradients"] if overwrite else gradients
        wrong = {n: (g, right[n]) for n, g in gradients.items() if g != right[n]}
        return {
            "values": {name: value for name, value in every.items() if name not in missing},
            "gradients": gradients, "arrived": arrived, "edges": edges, "wrong": wrong,
        }  # fmt: skip

    def words(self, step: int | None = None) -> str:
        """Return what happens at a step, by default the current one, in words."""
        step = self.step if step is None else step
        v = self.values()
        if step == 0:
            given = ", ".join(f"{name} = {plain(v[name])}" for name in INPUTS)
            return f"The inputs are there: {given}. Nothing is computed yet."
        if step < START:
            return self._forward(*FORTH[step - 1])
        if step == START:
            return "Backward starts at the end: dL/dL = 1."
        return self._backward(step)

    def _forward(self, operand: str, node: str) -> str:
        v, (operation, one, other) = self.values(), MADE[node]
        start = f"Forward, {operand} → {node}: the value {plain(v[operand])} arrives."
        if operand == one:
            return f"{start} {node} waits for {other}."
        numbers = [plain(v[one]), plain(v[other])]
        if operation != "max":
            numbers = [bracketed(v[one]) if operation == "multiply" else numbers[0],
                       bracketed(v[other])]  # fmt: skip
        named, filled = made(node), WRITTEN[operation].format(*numbers)
        return f"{start} {node} = {named} = {filled} = {plain(v[node])}."

    def _backward(self, step: int) -> str:
        node, operand = BACK[step - START - 1]
        after = self.frame(step)
        upstream, local, product = after["edges"][node, operand]
        start = (
            f"Backward, {node} → {operand}: upstream {plain(upstream)}, local derivative "
            f"{self._reason(node, operand)}{plain(local)}, product {plain(product)}."
        )
        return f"{start} {self._kept(operand, after)}"

    def _reason(self, node: str, operand: str) -> str:
        operation, one, other = MADE[node]
        ratio = f"d{node}/d{operand} = "
        if operation == "add":
            return ratio
        rest = other if operand == one else one
        if operation == "multiply":
            return f"{ratio}{rest} = "
        v = self.values()
        if v[one] == v[other]:
            return f"({one} and {other} tie, the first takes all) {ratio}"
        larger = "larger" if v[operand] > v[rest] else "smaller"
        return f"({operand} is the {larger}) {ratio}"

    def _kept(self, operand: str, after: dict[str, Any]) -> str:
        sent, now = after["arrived"][operand], after["gradients"][operand]
        waits = waiting(operand, sent)
        if waits:
            return f"{operand} has {plain(now)} and waits for {waits}."
        if len(sent) == 1:
            said = f"{operand} has its gradient, {plain(now)}"
        elif self.overwrite:
            said = f"{operand} had {plain(sent[0][1])} and is overwritten with {plain(now)}"
        else:
            said = (
                f"{operand} adds it to what it has: "
                f"{plain(sent[0][1])} + {bracketed(sent[1][1])} = {plain(now)}"
            )
        if operand not in after["wrong"]:
            return f"{said}."
        is_now, should = after["wrong"][operand]
        return f"{said}. Wrong: it should be {plain(should)}, off by {plain(is_now - should)}."

    def verdict(self) -> str:
        """Return which gradients are wrong at the current step, and by how much."""
        if not self.overwrite:
            return "s and y are used twice: what comes back on their two edges is added."
        wrong = self.frame()["wrong"]
        if not wrong:
            return "Overwriting: no gradient is wrong so far."
        count = "1 gradient is" if len(wrong) == 1 else f"{len(wrong)} gradients are"
        each = (
            f"{name} is {plain(now)}, should be {plain(should)}, off by {plain(now - should)}"
            for name, (now, should) in wrong.items()
        )
        return f"✗ {count} wrong: {'; '.join(each)}."

    def rows(self) -> list[tuple[str, str, str, str, str, str]]:
        """Return the nodes after the current step as rows of text, under HEAD."""
        now = self.frame()

        def known(numbers: dict[str, float], name: str) -> str:
            return plain(numbers[name]) if name in numbers else ""

        def came(name: str) -> str:
            return ", ".join(f"{plain(part)} from {n}" for n, part in now["arrived"].get(name, ()))

        return [
            (
                name,
                made(name) if name in MADE else "input",
                known(now["values"], name),
                known(now["gradients"], name),
                came(name),
                _state(name, now),
            )
            for name in NODES
        ]

    def text(self) -> str:
        """Return every step in words, the current one marked, then the nodes as a table."""
        steps = (
            f"{'▸' if step == self.step else ' '} {step:2}  {self.words(step)}"
            for step in range(STEPS + 1)
        )
        rule = "overwrite" if self.overwrite else "add"
        return "\n".join(
            [
                f"Step {self.step} of {STEPS}. Gradients that meet at a node: {rule}.",
                "",
                *steps,
                "",
                table(HEAD, self.rows()),
                self.verdict(),
            ]
        )

    def _repr_mimebundle_(self, **options: Any) -> tuple[dict[Any, Any], dict[Any, Any]] | None:
        """Show the text wherever the widget itself cannot be shown."""
        bundle = super()._repr_mimebundle_(**options)
        if bundle is not None:
            bundle[0]["text/plain"] = self.text()
        return bundle


def plain(value: float) -> str:
    """Write a number with up to three decimals, without zeros at the end."""
    text = number(value, 3)
    return text.rstrip("0").rstrip(".") if "." in text else text


def bracketed(value: float) -> str:
    """Write a number for the inside of a sum or product: negative ones in brackets."""
    text = plain(value)
    return f"({text})" if text.startswith("−") else text


def made(node: str) -> str:
    """Return the operation that makes a node, as it is written."""
    operation, one, other = MADE[node]
    return WRITTEN[operation].format(one, other)


def waiting(name: str, sent: list[tuple[str, float]]) -> str:
    """Return the node that has yet to send `name` a gradient, or nothing."""
    users = [node for node, operand in BACK if operand == name]
    return " and ".join(users[len(sent) :])


def _state(name: str, now: dict[str, Any]) -> str:
    if name not in now["values"]:
        return "not computed yet"
    if name in now["wrong"]:
        is_now, should = now["wrong"][name]
        return f"✗ wrong: should be {plain(should)}, off by {plain(is_now - should)}"
    if name not in now["gradients"]:
        return ""
    waits = waiting(name, now["arrived"].get(name, []))
    return f"waits for {waits}" if waits else "complete"
