"""Five optimizers race down a surface; every hyperparameter is a slider.

    race = RavineRace(angle=45)
    race                                 # in a notebook: the map, the losses, all the sliders
    print(race.text())                   # the same as text
    race.losses()["Adam"][-1]            # Adam's loss after 300 steps

SGD, Momentum, Nesterov, RMSProp and Adam run from one starting point, with the rules that lesson 07
writes. The browser computes the paths by itself, so the race also runs in a page without a kernel.
"""

from __future__ import annotations

import math
from typing import Any

import anywidget
import traitlets

from chainrule.widgets.assets import module, style
from chainrule.widgets.ravine_race_math import (
    GOAL,
    RATES,
    RULES,
    STARTS,
    STEPS,
    SURFACES,
    Point,
    World,
    run,
)
from chainrule.widgets.textform import table

HEAD = ("runner", "settings", "result")
REACH = (4.0, 3.0)
"""The map shows |x| and |y| up to this."""
BOUNDS: dict[str, tuple[float, float]] = {
    "lr": (1e-3, 10.0),
    "momentum": (0.0, 0.999),
    "alpha": (0.0, 0.999),
    "beta1": (0.0, 0.999),
    "beta2": (0.0, 0.999),
    "eps": (1e-8, 10.0),
}
SETTINGS: dict[str, dict[str, float]] = {
    "SGD": {"lr": 1.8},
    "Momentum": {"lr": 0.1, "momentum": 0.9},
    "Nesterov": {"lr": 0.1, "momentum": 0.9},
    "RMSProp": {"lr": 0.05, "alpha": 0.9, "eps": 1e-8},
    "Adam": {"lr": 0.1, "beta1": 0.9, "beta2": 0.99, "eps": 1e-8},
}


def default_settings(surface: str = "ravine") -> dict[str, dict[str, float]]:
    """Return every runner's settings, with the rates that a surface begins with."""
    rates = RATES[surface]
    return {
        name: {**options, "lr": rate}
        for (name, options), rate in zip(SETTINGS.items(), rates, strict=True)
    }


class RavineRace(anywidget.AnyWidget):
    """A race of five optimizers on a contour map.

    Traits, all synced with the browser:
        surface   a name of `SURFACES`; start and rates begin with what suits it, unless given
        stretch   how much longer than wide the ravine and the bumps are, 1 to 100
        angle     by how many degrees the map is turned, -90 to 90
        noise     how much is added to each derivative at most, 0 to 2
        seed      which noise, a whole number from 0 on
        start     [x, y], with |x| up to 4 and |y| up to 3
        settings  for each runner a dict of its hyperparameters
        hidden    names of runners that do not run
        step      the step that is shown, 0 to 300
    """

    _esm = module("ravine_race.js")
    _css = style("common.css", "ravine_race.css")

    surface = traitlets.Enum(list(SURFACES), "ravine").tag(sync=True)
    stretch = traitlets.Float(25.0, min=1.0, max=100.0).tag(sync=True)
    angle = traitlets.Float(0.0, min=-90.0, max=90.0).tag(sync=True)
    noise = traitlets.Float(0.0, min=0.0, max=2.0).tag(sync=True)
    seed = traitlets.Int(1, min=0, max=2**31 - 1).tag(sync=True)
    start = traitlets.List(traitlets.Float(), list(STARTS["ravine"])).tag(sync=True)
    settings = traitlets.Dict(default_settings()).tag(sync=True)
    hidden = traitlets.List(traitlets.Enum(list(RULES)), []).tag(sync=True)
    step = traitlets.Int(STEPS, min=0, max=STEPS).tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        surface = traits.get("surface", "ravine")
        if surface in SURFACES:
            traits.setdefault("start", list(STARTS[surface]))
            traits.setdefault("settings", default_settings(surface))
        super().__init__(**traits)

    @traitlets.validate("start")
    def _on_the_map(self, proposal: Any) -> list[float]:
        start = [float(v) for v in proposal["value"]]
        if len(start) != 2 or not all(abs(v) <= r for v, r in zip(start, REACH, strict=True)):
            raise traitlets.TraitError("start is [x, y] with |x| up to 4 and |y| up to 3.")
        return start

    @traitlets.validate("stretch", "angle", "noise")
    def _finite(self, proposal: Any) -> float:
        if not math.isfinite(proposal["value"]):
            raise traitlets.TraitError(f"{proposal['trait'].name} is a finite number.")
        return float(proposal["value"])

    @traitlets.validate("settings")
    def _complete(self, proposal: Any) -> dict[str, dict[str, float]]:
        given = proposal["value"]
        for name, options in given.items():
            for key, value in options.items():
                if key not in SETTINGS.get(name, {}):
                    raise traitlets.TraitError(f"{name} has no setting {key!r}.")
                low, high = BOUNDS[key]
                if not low <= value <= high:
                    raise traitlets.TraitError(f"{key} lies between {low:g} and {high:g}.")
        base = default_settings(self.surface)
        return {name: {**base[name], **given.get(name, {})} for name in RULES}

    def world(self) -> World:
        """Return the surface and how it lies."""
        return World(self.surface, self.stretch, self.angle, self.noise, self.seed)

    def paths(self) -> dict[str, list[Point]]:
        """Return for each runner where it stands before the first and after each step."""
        start = (self.start[0], self.start[1])
        return {
            name: run(name, self.settings[name], self.world(), start)
            for name in RULES
            if name not in self.hidden
        }

    def losses(self) -> dict[str, list[float]]:
        """Return for each runner the value of the surface along its path."""
        slope = self.world().slope
        return {name: [slope(*p)[0] for p in path] for name, path in self.paths().items()}

    def rows(self) -> list[tuple[str, str, str]]:
        """Return the race as rows of text: runner, settings, result."""
        losses = self.losses()
        return [
            (
                name,
                ", ".join(f"{key} {brief(value)}" for key, value in self.settings[name].items()),
                result(losses[name]) if name in losses else "does not run",
            )
            for name in RULES
        ]

    def text(self) -> str:
        """Return the race as a sentence about the surface and a table of text."""
        x, y = self.start
        words = f"{self.surface}, turned by {brief(self.angle)}°"
        if self.surface in ("ravine", "bumps"):
            words += f", stretch {brief(self.stretch)}"
        words += f", noise {brief(self.noise)}, from x = {brief(x)}, y = {brief(y)}"
        return "\n".join([f"{words}; finish: loss below {GOAL}", table(HEAD, self.rows())])

    def _repr_mimebundle_(self, **options: Any) -> tuple[dict[Any, Any], dict[Any, Any]] | None:
        """Show the table of text wherever the widget itself cannot be shown."""
        bundle = super()._repr_mimebundle_(**options)
        if bundle is not None:
            bundle[0]["text/plain"] = self.text()
        return bundle


def result(losses: list[float]) -> str:
    """Say in words how a race ended, from the losses along a path."""
    if len(losses) <= STEPS:
        return f"ran away at step {len(losses)}"
    last = len(losses)
    while last and losses[last - 1] < GOAL:
        last -= 1
    if last < len(losses):
        return f"finished at step {last}"
    first = next((k for k, loss in enumerate(losses) if loss < GOAL), -1)
    now = brief(losses[-1])
    if first < 0:
        return f"not there: loss {now}"
    return f"crossed at step {first}, left again: loss {now}"


def brief(value: float) -> str:
    """Write a number as the browser does: three digits, or two and a power of ten."""
    size = abs(value)
    if size == 0:
        return "0"
    if 0.001 <= size < 9995:
        text = f"{float(f'{size:.3g}'):.10g}"
    else:
        digits, power = f"{size:.1e}".split("e")
        text = f"{digits}e{int(power)}".replace("-", "−")
    return ("−" if value < 0 else "") + text
