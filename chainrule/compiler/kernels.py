"""Kernels: functions of arrays that write their result where they are told.

`kernel(step)` gives for a step a function `(*inputs, out)`. Most operations are one NumPy function
that takes `out`. For the others the forward of the table runs and its result is copied.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from chainrule.errors import AxisError
from chainrule.ops.conv import convolve_into
from chainrule.ops.pool import max_pool_into, to_largest_into
from chainrule.ops.shared import axes
from chainrule.primitive import TABLE
from chainrule.program import Step

Kernel = Callable[..., Any]

UFUNCS: dict[str, Any] = {
    "add": np.add, "subtract": np.subtract, "multiply": np.multiply, "divide": np.divide,
    "negative": np.negative, "power": np.power, "exp": np.exp, "log": np.log, "log1p": np.log1p,
    "sqrt": np.sqrt, "sin": np.sin, "cos": np.cos, "tanh": np.tanh, "absolute": np.absolute,
    "sign": np.sign, "matmul": np.matmul,
    "equal": np.equal, "not_equal": np.not_equal, "less": np.less, "less_equal": np.less_equal,
    "greater": np.greater, "greater_equal": np.greater_equal,
    "logical_and": np.logical_and, "logical_or": np.logical_or, "logical_not": np.logical_not,
}  # fmt: skip


def relu(x: Any, out: Any) -> None:
    """The larger of `x` and 0."""
    np.maximum(x, 0, out=out)


def maximum(x: Any, y: Any, out: Any) -> None:
    """The larger of each pair."""
    np.maximum(x, y, out=out)


def minimum(x: Any, y: Any, out: Any) -> None:
    """The smaller of each pair."""
    np.minimum(x, y, out=out)


@np.errstate(over="ignore")
def sigmoid(x: Any, out: Any) -> None:
    """`1 / (1 + exp(-x))`."""
    np.multiply(x, -1.0, out)
    np.exp(out, out)
    np.add(out, 1.0, out)
    np.divide(1.0, out, out)


def where(condition: Any, x: Any, y: Any, out: Any) -> None:
    """`x` where the condition holds, `y` elsewhere; `out` may not be `x` or the condition."""
    np.copyto(out, y)
    np.copyto(out, x, where=condition)


def cast(x: Any, out: Any) -> None:
    """The same numbers in another dtype."""
    np.copyto(out, x, casting="unsafe")


PLAIN: dict[str, Kernel] = {
    "relu": relu, "sigmoid": sigmoid, "cast": cast, "where": where,
    "maximum": maximum, "minimum": minimum,
}  # fmt: skip


def summed(step: Step, x: Any) -> Kernel:
    """Return the kernel of a sum; of all elements of contiguous memory as one flat run."""
    gone = None if step.options["axis"] is None else axes(step.options["axis"], x.ndim)
    return partial(_reduce, gone, step.options["keepdims"])


def _reduce(gone: Any, keepdims: bool, x: Any, out: Any) -> None:
    np.add.reduce(x, gone, out=out, keepdims=keepdims)


def unbroadcast(step: Step, g: Any) -> Kernel:
    """Return the kernel that adds up what broadcasting had copied; rows by a product with ones."""
    if g.ndim == 2 and g.shape[1:] == tuple(step.shape) and g.dtype.kind == "f":
        return partial(np.matmul, np.ones(len(g), g.dtype))
    return copied(step, g)


def meaned(step: Step, x: Any) -> Kernel:
    """Return the kernel of a mean."""
    if not x.size:
        return copied(step, x)
    gone = None if step.options["axis"] is None else axes(step.options["axis"], x.ndim)
    return partial(_average, gone, step.options["keepdims"], x.size // max(_size(step), 1))


def _size(step: Step) -> int:
    return int(np.prod(step.shape, dtype=np.int64))


def _average(gone: Any, keepdims: bool, count: int, x: Any, out: Any) -> None:
    np.add.reduce(x, gone, out=out, keepdims=keepdims)
    np.divide(out, count, out)


def class_losses(step: Step, logits: Any, target: Any) -> Kernel:
    """Return the kernel of cross-entropy with whole-number targets, for one row a sample."""
    if logits.ndim != 2:
        return copied(step, logits, target)
    away, top = np.empty_like(logits), np.empty((len(logits), 1), logits.dtype)
    rows, last = np.arange(len(logits)), logits.shape[1] - 1

    def run(logits: Any, target: Any, out: Any) -> None:
        if target.size and not (target.min() >= 0 and target.max() <= last):
            raise AxisError(f"cross_entropy: a target lies outside the classes 0 to {last}")
        np.maximum.reduce(logits, 1, out=top, keepdims=True, initial=-np.inf)
        np.subtract(logits, top, away)
        picked = away[rows, target]
        np.exp(away, away)
        np.add.reduce(away, 1, out=out)
        np.log(out, out)
        np.subtract(out, picked, out)

    return run


def softmaxed(step: Step, x: Any) -> Kernel:
    """Return the kernel of softmax."""
    axis = step.options["axis"]
    top = np.empty_like(np.maximum.reduce(x, axis=axis, keepdims=True, initial=-np.inf))

    def run(x: Any, out: Any) -> None:
        np.maximum.reduce(x, axis, out=top, keepdims=True, initial=-np.inf)
        np.subtract(x, top, out)
        np.exp(out, out)
        np.add.reduce(out, axis, out=top, keepdims=True)
        np.divide(out, top, out)

    return run


def convolve(step: Step, x: Any, weight: Any) -> Kernel:
    """Return the kernel of a convolution."""
    return partial(convolve_into, **step.options)


def copied(step: Step, *inputs: Any) -> Kernel:
    """Return the kernel of any other operation: run it, then copy."""
    forward, options = TABLE[step.op].forward, step.options

    def run(*arrays: Any) -> None:
        np.copyto(arrays[-1], forward(*arrays[:-1], **options))

    return run


MADE: dict[str, Callable[..., Kernel]] = {
    "sum": summed,
    "mean": meaned,
    "softmax": softmaxed,
    "_class_losses": class_losses,
    "unbroadcast": unbroadcast,
    "_convolve": convolve,
    "_max_pool": lambda step, x: partial(max_pool_into, **step.options),
    "_to_largest": lambda step, g, out, x: partial(to_largest_into, **step.options),
}


def kernel(step: Step, inputs: list[Any]) -> Kernel:
    """Return the kernel of a step of the table, for inputs such as these."""
    if step.op in UFUNCS:
        return UFUNCS[step.op]
    if step.op in PLAIN:
        return PLAIN[step.op]
    return MADE.get(step.op, copied)(step, *inputs)
