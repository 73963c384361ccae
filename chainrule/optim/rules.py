"""Update rules: each is a function from a parameter, its gradient and its state to new ones.

    rule(p, g, state, options) -> (p, state)

A rule is elementwise and changes nothing that it is given; it is written with operators and
functions of the table, so it runs on arrays, on tensors while a function is traced, and on the
nodes of a static graph. `SLOTS` says what each remembers of every parameter: an array of its shape
that starts from zeros, where the option named beside it is set (always, if none is). What remembers
anything also has `step`: how many steps came before this one.

>>> import numpy as np
>>> p, g = np.array([1.0, 1.0]), np.array([0.5, -0.5])
>>> sgd(p, g, {}, {"lr": 0.1, "momentum": 0, "weight_decay": 0, "maximize": False})
(array([0.95, 1.05]), {})
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chainrule.ops.choices import maximum
from chainrule.tape import Array

State = dict[str, Array]
Options = dict[str, Any]
Rule = Callable[[Array, Array, State, Options], tuple[Array, State]]


def slope(p: Array, g: Array, o: Options) -> Array:
    """Return the direction of descent's opposite: the gradient, and what weight decay adds."""
    g = -g if o.get("maximize") else g
    return g + o["weight_decay"] * p if o["weight_decay"] else g


def sgd(p: Array, g: Array, s: State, o: Options) -> tuple[Array, State]:
    """Step against the gradient, or with a momentum (Sutskever and others, 2013)."""
    g = slope(p, g, o)
    if not o["momentum"]:
        return p - o["lr"] * g, {}
    speed = o["momentum"] * s["momentum_buffer"]
    if o["dampening"]:  # the first gradient enters whole: 0 ** step is 1 for it and then 0
        speed = speed + (1 - o["dampening"] * (1 - 0.0 ** s["step"])) * g
    else:
        speed = speed + g
    way = g + o["momentum"] * speed if o["nesterov"] else speed
    return p - o["lr"] * way, {"momentum_buffer": speed}


def rmsprop(p: Array, g: Array, s: State, o: Options) -> tuple[Array, State]:
    """Divide the gradient by the root of a running mean of its squares (Hinton, 2012)."""
    g, alpha = slope(p, g, o), o["alpha"]
    new = {"square_avg": alpha * s["square_avg"] + (1 - alpha) * (g * g)}
    spread = new["square_avg"]
    if o["centered"]:
        new["grad_avg"] = alpha * s["grad_avg"] + (1 - alpha) * g
        spread = spread - new["grad_avg"] * new["grad_avg"]
    way = g / (spread**0.5 + o["eps"])
    if o["momentum"]:
        way = new["momentum_buffer"] = o["momentum"] * s["momentum_buffer"] + way
    return p - o["lr"] * way, new


def adam(p: Array, g: Array, s: State, o: Options) -> tuple[Array, State]:
    """Move by a mean of gradients over the root of a mean of squares (Kingma and Ba, 2015)."""
    return _adam(p, slope(p, g, o), s, o)


def adamw(p: Array, g: Array, s: State, o: Options) -> tuple[Array, State]:
    """Do as Adam, but shrink the parameter itself (Loshchilov and Hutter, 2019)."""
    p = p * (1 - o["lr"] * o["weight_decay"])
    return _adam(p, -g if o["maximize"] else g, s, o)


def _adam(p: Array, g: Array, s: State, o: Options) -> tuple[Array, State]:
    """Both means run from zeros; dividing by `1 - beta ** step` makes up for that."""
    (b1, b2), step = o["betas"], s["step"] + 1
    mean = b1 * s["exp_avg"] + (1 - b1) * g
    square = b2 * s["exp_avg_sq"] + (1 - b2) * (g * g)
    new = {"exp_avg": mean, "exp_avg_sq": square}
    if o["amsgrad"]:
        square = new["max_exp_avg_sq"] = maximum(s["max_exp_avg_sq"], square)
    width = square**0.5 / (1 - b2**step) ** 0.5 + o["eps"]
    return p - o["lr"] / (1 - b1**step) * (mean / width), new


def adagrad(p: Array, g: Array, s: State, o: Options) -> tuple[Array, State]:
    """Divide the gradient by the root of the sum of its squares (Duchi and others, 2011)."""
    g = slope(p, g, o)
    total = s["sum"] + g * g
    rate = o["lr"] / (1 + s["step"] * o["lr_decay"])
    return p - rate * (g / (total**0.5 + o["eps"])), {"sum": total}


_ADAM = {"exp_avg": None, "exp_avg_sq": None, "max_exp_avg_sq": "amsgrad"}

SLOTS: dict[Rule, dict[str, str | None]] = {
    sgd: {"momentum_buffer": "momentum"},
    rmsprop: {"square_avg": None, "grad_avg": "centered", "momentum_buffer": "momentum"},
    adam: _ADAM,
    adamw: _ADAM,
    adagrad: {"sum": None},
}


def slots(rule: Rule, o: Options) -> list[str]:
    """Return the names of what a rule remembers with these options."""
    return [name for name, option in SLOTS[rule].items() if option is None or o[option]]
