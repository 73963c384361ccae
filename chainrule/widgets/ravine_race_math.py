"""Surfaces, rules and paths of RavineRace; `ravine_race_math.js` computes the same in the browser.

    path = run("Adam", settings["Adam"], World(surface="ravine"), (-2.7, 1.2))
    path[k]                                 # where Adam stands after k steps

Every surface is a function of two numbers whose lowest value is 0 (the bumps have other low places
besides). A race is `STEPS` steps long, and its finish is the region where the function is below
`GOAL`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

STEPS = 300
GOAL = 0.001
FAR = 1e6
"""Beyond this a runner has run away, and its path ends."""

Point = tuple[float, float]
Slope = tuple[float, float, float]
"""Value, and its derivatives with respect to both coordinates."""


def ravine(u: float, v: float, stretch: float) -> Slope:
    """A valley, `stretch` times more curved across than along."""
    return (u * u / stretch + v * v) / 2, u / stretch, v


def banana(u: float, v: float, stretch: float) -> Slope:
    """Rosenbrock's bent valley (1960), with its minimum at (1, 1), scaled to fit."""
    a, b = 0.6 * u, 0.6 * v + 0.6
    bend = b - a * a
    value = 0.1 * (1 - a) ** 2 + bend * bend
    return value, 0.6 * (-0.2 * (1 - a) - 4 * bend * a), 0.6 * 2 * bend


def saddle(u: float, v: float, stretch: float) -> Slope:
    """A pass between two basins at (0, -2) and (0, 2)."""
    hill = v * v - 4
    return u * u / 4 + hill * hill / 32, u / 2, v * hill / 8


def basins(u: float, v: float, stretch: float) -> Slope:
    """Himmelblau's function (1972): four basins of equal depth, scaled to fit."""
    a, b = 1.3 * u, 1.6 * v
    one, two = a * a + b - 11, a + b * b - 7
    value = (one * one + two * two) / 100
    return value, 1.3 * (4 * a * one + 2 * two) / 100, 1.6 * (2 * one + 4 * b * two) / 100


def plateau(u: float, v: float, stretch: float) -> Slope:
    """A well in a plain that is nearly flat far out."""
    well = 2 * math.exp(-(u * u / 2.5 + v * v) / 2)
    return 2 - well, well * u / 2.5, well * v


def bumps(u: float, v: float, stretch: float) -> Slope:
    """The valley with ripples, each of them a place to get stuck."""
    value, du, dv = ravine(u, v, stretch)
    ripple = 0.06 * (2 - math.cos(4 * u) - math.cos(4 * v))
    return value + ripple, du + 0.24 * math.sin(4 * u), dv + 0.24 * math.sin(4 * v)


SURFACES: dict[str, Callable[[float, float, float], Slope]] = {
    "ravine": ravine,
    "banana": banana,
    "saddle": saddle,
    "four basins": basins,
    "plateau": plateau,
    "bumps": bumps,
}
STARTS: dict[str, Point] = {
    "ravine": (-2.7, 1.2),
    "banana": (-2.4, 2.2),
    "saddle": (-3.4, 0.05),
    "four basins": (-0.4, -0.3),
    "plateau": (-3.7, 2.5),
    "bumps": (-2.7, 1.2),
}
RATES: dict[str, tuple[float, float, float, float, float]] = {
    "ravine": (1.8, 0.1, 0.1, 0.05, 0.1),
    "banana": (0.4, 0.1, 0.1, 0.05, 0.1),
    "saddle": (0.2, 0.05, 0.05, 0.05, 0.1),
    "four basins": (0.4, 0.05, 0.05, 0.05, 0.1),
    "plateau": (0.2, 0.05, 0.05, 0.05, 0.1),
    "bumps": (0.4, 0.2, 0.2, 0.05, 0.1),
}
"""The learning rates that each surface begins with, in the order of `RULES`."""


@dataclass(frozen=True)
class World:
    """A surface, how it lies, and the noise of its gradients."""

    surface: str = "ravine"
    stretch: float = 25.0
    angle: float = 0.0
    noise: float = 0.0
    seed: int = 1

    def slope(self, x: float, y: float) -> Slope:
        """Return value and gradient at (x, y): the surface, turned by `angle` degrees."""
        turn = math.radians(self.angle)
        c, s = math.cos(turn), math.sin(turn)
        value, du, dv = SURFACES[self.surface](c * x + s * y, c * y - s * x, self.stretch)
        return value, c * du - s * dv, s * du + c * dv


def uniform(seed: int) -> Iterator[float]:
    """Yield numbers from 0 to 1, always the same for a seed (mulberry32, as in the browser)."""
    mask = 0xFFFFFFFF
    a = seed & mask
    while True:
        a = (a + 0x6D2B79F5) & mask
        t = ((a ^ (a >> 15)) * (a | 1)) & mask
        t = ((t + ((t ^ (t >> 7)) * (t | 61))) & mask) ^ t
        yield ((t ^ (t >> 14)) & mask) / 4294967296


Rule = Callable[[float, dict[str, float], dict[str, float]], float]
"""From a gradient, what is remembered (changed in place) and the settings to the step."""


def sgd(g: float, memory: dict[str, float], o: dict[str, float]) -> float:
    """Plain descent."""
    return o["lr"] * g


def momentum(g: float, memory: dict[str, float], o: dict[str, float]) -> float:
    """A velocity that survives in part."""
    memory["v"] = o["momentum"] * memory.get("v", 0.0) + g
    return o["lr"] * memory["v"]


def nesterov(g: float, memory: dict[str, float], o: dict[str, float]) -> float:
    """The same, with the gradient where the velocity leads."""
    memory["v"] = o["momentum"] * memory.get("v", 0.0) + g
    return o["lr"] * (g + o["momentum"] * memory["v"])


def rmsprop(g: float, memory: dict[str, float], o: dict[str, float]) -> float:
    """The gradient over the root of its running mean square."""
    memory["s"] = o["alpha"] * memory.get("s", 0.0) + (1 - o["alpha"]) * g * g
    return o["lr"] * ratio(g, math.sqrt(memory["s"]) + o["eps"])


def adam(g: float, memory: dict[str, float], o: dict[str, float]) -> float:
    """Both means, corrected for their start."""
    for name, beta, entry in (("m", o["beta1"], g), ("v", o["beta2"], g * g)):
        memory[name] = beta * memory.get(name, 0.0) + (1 - beta) * entry
        memory["share " + name] = beta * memory.get("share " + name, 1.0)
    top = memory["m"] / (1 - memory["share m"])
    return o["lr"] * ratio(top, math.sqrt(memory["v"] / (1 - memory["share v"])) + o["eps"])


def ratio(top: float, bottom: float) -> float:
    """Return top / bottom, 0 where both are 0."""
    return top / bottom if bottom else 0.0


RULES: dict[str, Rule] = {
    "SGD": sgd,
    "Momentum": momentum,
    "Nesterov": nesterov,
    "RMSProp": rmsprop,
    "Adam": adam,
}


def run(name: str, options: dict[str, float], world: World, start: Point) -> list[Point]:
    """Return the path of one runner: its start and where it stands after each step.

    It has `STEPS` + 1 points, fewer if the runner runs away. All runners meet the same noise.
    """
    here, path = list(start), [start]
    memories: list[dict[str, float]] = [{}, {}]
    draw = uniform(world.seed)
    for _ in range(STEPS):
        _, *grads = world.slope(here[0], here[1])
        for axis in (0, 1):
            g = grads[axis] + world.noise * (next(draw) * 2 - 1)
            here[axis] -= RULES[name](g, memories[axis], options)
        if not max(abs(here[0]), abs(here[1])) < FAR:
            break
        path.append((here[0], here[1]))
    return path
