"""Build a graph line by line, then run it: only what is fetched lights up, in order.

    session = BuildAndRun()              # in a notebook: build, choose fetches, run
    session.built = 8
    session.fetches = ["loss", "step"]
    session.run()                        # the record of the run: order, values, w before and after
    print(session.text())                # program, graph and runs as text

The program is the first one of lesson 12: loss = (w * x - 11) ** 2, one weight, one example. With
`fetches = ["loss"]` the weight never moves; `step` groups the update, and fetching it moves it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import anywidget
import traitlets

from chainrule.widgets.assets import module, style
from chainrule.widgets.textform import number, table

START, RATE, TARGET, LARGEST = 2.0, 0.05, 11.0, 100.0
PROGRAM: list[tuple[str, str, tuple[str, ...]]] = [
    ("x", "x = tf.placeholder(tf.float64, ())", ()),
    ("w", "w = tf.Variable(2.0)", ()),
    ("p", "p = w * x", ("w", "x")),
    ("other", "other = tf.exp(p)", ("p",)),
    ("loss", "loss = (p - 11.0) ** 2", ("p",)),
    ("slope", "slope, = tf.gradients(loss, [w])", ("p", "x")),
    ("update", "update = w.assign(w - 0.05 * slope)", ("w", "slope")),
    ("step", "step = tf.group(update)", ("update",)),
]
NAMES = [name for name, _, _ in PROGRAM]
NEEDS = {name: needs for name, _, needs in PROGRAM}
RULES: dict[str, Callable[[dict[str, Any]], float | None]] = {
    "p": lambda v: v["w"] * v["x"],
    "other": lambda v: math.exp(min(v["p"], 700.0)),
    "loss": lambda v: (v["p"] - TARGET) ** 2,
    "slope": lambda v: 2 * (v["p"] - TARGET) * v["x"],
    "update": lambda v: v["w"] - RATE * v["slope"],
    "step": lambda v: None,
}
HEAD = ("node", "needs", "value in the last run", "state")


class BuildAndRun(anywidget.AnyWidget):
    """A program of eight lines, the graph it builds, and a session that runs it.

    Traits, all synced with the browser:
        built      how many lines of the program have run, 0 to 8: each makes one node
        fetches    the names of the nodes that the next run asks for
        x, p       what x and p are fed; None: not fed
        w          the value of the variable in the session
        runs       a record of each run: fetches, feeds, order, values, before, after, error
        shown      how many nodes of the last run's order are lit
    """

    _esm = module("build_and_run.js")
    _css = style("common.css", "build_and_run.css")

    built = traitlets.Int(0, min=0, max=len(PROGRAM)).tag(sync=True)
    fetches = traitlets.List(traitlets.Enum(NAMES), ["loss"]).tag(sync=True)
    x = traitlets.Float(3.0, allow_none=True).tag(sync=True)
    p = traitlets.Float(None, allow_none=True).tag(sync=True)
    w = traitlets.Float(START).tag(sync=True)
    runs = traitlets.List(traitlets.Dict()).tag(sync=True)
    shown = traitlets.Int(0, min=0).tag(sync=True)

    @traitlets.validate("x", "p")
    def _in_range(self, proposal: Any) -> float | None:
        value = proposal["value"]
        if value is not None and not abs(value) <= LARGEST:
            raise traitlets.TraitError(f"a feed from -100 to 100, not {value}.")
        return value if value is None else float(value)

    def feeds(self) -> dict[str, float]:
        """Return what the next run is fed: of x and p those that are built and have a value."""
        given = {"x": self.x, "p": self.p}
        here = NAMES[: self.built]
        return {name: v for name, v in given.items() if v is not None and name in here}

    def asked(self) -> list[str]:
        """Return the nodes that the next run fetches: those chosen that are built."""
        return [name for name in NAMES[: self.built] if name in self.fetches]

    def run(self) -> dict[str, Any]:
        """Make one run, append its record to `runs`, and return it."""
        fetches, feeds = self.asked(), self.feeds()
        order = in_order(fetches, feeds)
        record: dict[str, Any] = {
            "fetches": fetches, "feeds": feeds, "order": order, "values": {},
            "before": self.w, "after": self.w, "error": "",
        }  # fmt: skip
        if not fetches:
            record["error"] = "nothing is fetched, so nothing runs"
        elif "x" in order and "x" not in feeds:
            record["error"] = "you must feed a value for placeholder 'x'; nothing was computed"
        if not record["error"]:
            values: dict[str, Any] = {**feeds, "w": self.w} if "w" in order else dict(feeds)
            for name in order:
                if name not in values:
                    values[name] = RULES[name](values)
            record["values"] = {name: values[name] for name in order}
            record["after"] = values.get("update", self.w)
        self.runs = [*self.runs, record]
        self.w = record["after"]
        self.shown = 0 if record["error"] else len(order)
        return record

    def new_session(self) -> None:
        """Forget the runs; the variable has its initial value again."""
        self.runs, self.w, self.shown = [], START, 0

    def words(self, place: int) -> str:
        """Return a run in words."""
        run = self.runs[place]
        fed = ", ".join(f"{name} = {plain(value)}" for name, value in run["feeds"].items())
        start = f"Run {place + 1}: fetch {listed(run['fetches'])}; feed {fed or 'nothing'}."
        if run["error"]:
            return f"{start} Error: {run['error']}."
        back = ", ".join(f"{name} = {plain(run['values'][name])}" for name in run["fetches"])
        moved = f"w stays {plain(run['after'])}"
        if "update" in run["order"]:
            moved = f"w goes from {plain(run['before'])} to {plain(run['after'])}"
        return f"{start} In order: {', '.join(run['order'])}. Came back: {back}. {moved}."

    def rows(self) -> list[tuple[str, str, str, str]]:
        """Return the graph as rows of text, under HEAD."""
        last = self.runs[-1] if self.runs else None
        lit = last["order"][: self.shown] if last else []
        rows = []
        for place, name in enumerate(NAMES):
            if place >= self.built:
                state = "not built"
            elif last and name in lit:
                state = "fed" if name in last["feeds"] else "computed"
            else:
                state = "built, no value" if not last else "not needed in the last run"
                state = state if name != "w" else "keeps its value in the session"
            if place < self.built and name in self.fetches:
                state += "; will be fetched"
            value = plain(last["values"][name]) if last and name in lit else ""
            rows.append((name, ", ".join(NEEDS[name]), value, state))
        return rows

    def text(self) -> str:
        """Return program, graph and runs as text."""
        lines = [
            f"{'built ' if place < self.built else '      '} {line}"
            for place, (_, line, _) in enumerate(PROGRAM)
        ]
        runs = [self.words(place) for place in range(len(self.runs))] or ["No run yet."]
        session = f"In the session: w = {plain(self.w)}."
        return "\n".join([*lines, "", table(HEAD, self.rows()), "", *runs, session])

    def _repr_mimebundle_(self, **options: Any) -> tuple[dict[Any, Any], dict[Any, Any]] | None:
        """Show the text wherever the widget itself cannot be shown."""
        bundle = super()._repr_mimebundle_(**options)
        if bundle is not None:
            bundle[0]["text/plain"] = self.text()
        return bundle


def in_order(targets: list[str], fed: dict[str, float]) -> list[str]:
    """Return what the targets need, each once, each after all that it needs."""
    order: list[str] = []
    stack = [(name, False) for name in reversed(targets)]
    while stack:
        name, opened = stack.pop()
        if opened:
            order.append(name)
        elif name not in order:
            stack.append((name, True))
            if name not in fed:
                stack += [(need, False) for need in reversed(NEEDS[name]) if need not in order]
    return list(dict.fromkeys(order))


def plain(value: float | None) -> str:
    """Write a number with up to four decimals, without zeros at the end; None as a word."""
    if value is None:
        return "None"
    text = number(value)
    return text if "e" in text or "." not in text else text.rstrip("0").rstrip(".")


def listed(names: list[str]) -> str:
    """Write names as a list of Python, or say that there is none."""
    return f"[{', '.join(names)}]" if names else "nothing"
