"""Losses as functions: how far a prediction is from its target.

Each takes `reduction`: "mean", "sum", or "none" for one loss per element or sample.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from chainrule.errors import AxisError, OptionError, ShapeError
from chainrule.ops import nnops
from chainrule.ops.choices import cast, not_equal, where
from chainrule.ops.elementwise import absolute, softplus
from chainrule.ops.index import _embedding, gather
from chainrule.ops.nnops import log_softmax, reduce_losses
from chainrule.ops.reduce import sum
from chainrule.tape import Array, Value


def mse_loss(x: Array, target: Array, reduction: str = "mean") -> Array:
    """Return the mean squared error.

    Args:
        x: Predictions, any shape.
        target: The same shape; others that broadcast are taken with a warning.
        reduction: "mean", "sum" or "none".

    >>> import chainrule as cr
    >>> cr.nn.functional.mse_loss(cr.tensor([1.0, 2.0]), cr.tensor([1.0, 4.0]), "none")
    tensor([0., 4.])
    """
    away = x - like(x, target, "mse_loss")
    return reduce_losses(away * away, reduction)


def l1_loss(x: Array, target: Array, reduction: str = "mean") -> Array:
    """Return the mean distance; arguments as `mse_loss`.

    >>> import chainrule as cr
    >>> cr.nn.functional.l1_loss(cr.tensor([1.0, 2.0]), cr.tensor([1.0, 4.0]))
    tensor(1.)
    """
    return reduce_losses(absolute(x - like(x, target, "l1_loss")), reduction)


def like(x: Array, target: Array, name: str) -> Array:
    """Return the target; warn where broadcasting would compare each element with several."""
    if tuple(x.shape) != tuple(target.shape):
        warnings.warn(
            f"{name}: predictions of shape {tuple(x.shape)} and targets of shape "
            f"{tuple(target.shape)} broadcast; this is seldom meant",
            stacklevel=3,
        )
    return target


def binary_cross_entropy(
    p: Array, target: Array, weight: Any = None, reduction: str = "mean"
) -> Array:
    """Return the negative log-probability of targets that are 0 or 1, or between.

    Args:
        p: Probabilities of 1, any shape. A logarithm is never taken as less than -100.
        target: The same shape.
        weight: A weight for each element, that broadcasts; or None.
        reduction: "mean", "sum" or "none".

    Raises:
        ShapeError: The shapes differ.
        OptionError: Something is no probability.

    >>> import chainrule as cr
    >>> cr.nn.functional.binary_cross_entropy(cr.tensor([0.5, 0.9]), cr.tensor([1.0, 1.0]))
    tensor(0.3993)
    """
    equal_shapes(p, target, "binary_cross_entropy")
    values = known(p)
    if values is not None and values.size and not 0 <= values.min() <= values.max() <= 1:
        raise OptionError("binary_cross_entropy: predictions must lie between 0 and 1")
    losses = nnops._binary_losses(p, target)
    return reduce_losses(losses if weight is None else losses * weight, reduction)


def binary_cross_entropy_with_logits(
    x: Array, target: Array, weight: Any = None, reduction: str = "mean", pos_weight: Any = None
) -> Array:
    """Return `binary_cross_entropy` of `sigmoid(x)`, exact where that is close to 0 or 1.

    Args:
        x: Scores, any shape.
        target: The same shape, from 0 to 1.
        weight: A weight for each element, that broadcasts; or None.
        reduction: "mean", "sum" or "none".
        pos_weight: How much the ones weigh, that broadcasts; or None.

    Raises:
        ShapeError: The shapes differ.

    >>> import chainrule as cr
    >>> cr.nn.functional.binary_cross_entropy_with_logits(cr.tensor([0.0, 500.0]), cr.ones(2))
    tensor(0.3466)
    """
    equal_shapes(x, target, "binary_cross_entropy_with_logits")
    ones = 1.0 if pos_weight is None else 1.0 + (pos_weight - 1.0) * target
    losses = (1.0 - target) * x + ones * softplus(-x)
    return reduce_losses(losses if weight is None else losses * weight, reduction)


def equal_shapes(x: Array, target: Array, name: str) -> None:
    """Raise ShapeError unless both have one shape."""
    if tuple(x.shape) != tuple(target.shape):
        raise ShapeError(
            f"{name}: predictions of shape {tuple(x.shape)} need targets of that shape, "
            f"not {tuple(target.shape)}"
        )


def nll_loss(
    x: Array,
    target: Array,
    weight: Array | None = None,
    reduction: str = "mean",
    ignore_index: int = -100,
) -> Array:
    """Return the negative of what stands at each target's class.

    Args:
        x: Log-probabilities, shape (N, C), (N, C, ...) or (C,).
        target: Whole numbers from 0 to C - 1, the shape of `x` without C.
        weight: A weight for each class, shape (C,), or None; "mean" divides by the weights.
        reduction: "mean", "sum" or "none".
        ignore_index: Targets of this number count nothing.

    Raises:
        ShapeError: The shapes do not fit.
        AxisError: A target is no class.

    >>> import chainrule as cr
    >>> cr.nn.functional.nll_loss(cr.tensor([[-1.0, -2.0], [-3.0, -4.0]]), cr.tensor([1, -100]))
    tensor(2.)
    """
    nnops._losses(x, target)
    safe, share = shares(x, target, weight, ignore_index)
    axis = class_axis(x)
    wide = safe.reshape(*x.shape[:axis], 1, *x.shape[axis + 1 :])
    losses = -gather(x, wide, axis=axis).reshape(*safe.shape) * share
    return weighted(losses, share, reduction)


def class_axis(x: Array) -> int:
    """Return the axis of the classes: 1, or 0 for a single sample."""
    return 1 if len(x.shape) > 1 else 0


def shares(x: Array, target: Array, weight: Any, ignore_index: int) -> tuple[Array, Array]:
    """Return targets with 0 for what is ignored, and how much each counts; AxisError for no class.

    Both have the targets' shape.
    """
    counted = not_equal(target, ignore_index)
    safe = cast(where(counted, target, 0), dtype=np.int64)
    values, classes = known(safe), x.shape[class_axis(x)]
    if values is not None and values.size and not 0 <= values.min() <= values.max() < classes:
        raise AxisError(f"a target lies outside the classes 0 to {classes - 1}")
    share = cast(counted, dtype=x.dtype)
    if weight is not None:
        if tuple(weight.shape) != (classes,):
            raise ShapeError(f"{classes} classes, but weights of shape {tuple(weight.shape)}")
        share = share * _embedding(weight.reshape(-1, 1), safe).reshape(*safe.shape)
    return safe, share


def weighted(losses: Array, share: Array, reduction: str) -> Array:
    """Return losses reduced, their mean being that of what counts."""
    return sum(losses) / sum(share) if reduction == "mean" else reduce_losses(losses, reduction)


def known(x: Any) -> np.ndarray | None:
    """Return the numbers of a tensor or array; None for the node of a graph, which has none yet."""
    if isinstance(x, Value):
        return x.data
    return x if isinstance(x, np.ndarray) else None


def cross_entropy(
    x: Array,
    target: Array,
    weight: Array | None = None,
    reduction: str = "mean",
    ignore_index: int = -100,
    label_smoothing: float = 0.0,
) -> Array:
    """Return the negative log-probability of the right classes: `nll_loss` of `log_softmax`.

    Args:
        x: Scores, shape (N, C), (N, C, ...) or (C,).
        target: Whole numbers, as in `nll_loss`; or probabilities, the shape of `x`.
        weight: A weight for each class, shape (C,), or None.
        reduction: "mean", "sum" or "none".
        ignore_index: Targets of this number count nothing.
        label_smoothing: How much of the right answer is spread evenly over all classes.

    >>> import chainrule as cr
    >>> cr.nn.functional.cross_entropy(cr.tensor([[2.0, 0.0], [0.0, 0.0]]), cr.tensor([0, 1]))
    tensor(0.4100)
    """
    if not 0 <= label_smoothing <= 1:
        raise OptionError(f"label_smoothing lies between 0 and 1, not {label_smoothing}")
    whole, values = np.dtype(target.dtype).kind in "iu", known(target)
    ignoring = whole and values is not None and bool((values == ignore_index).any())
    if weight is None and not label_smoothing and not ignoring:
        return nnops.cross_entropy(x, target, reduction)
    axis, even = class_axis(x), label_smoothing / x.shape[class_axis(x)]
    logs = log_softmax(x, axis=axis)
    scaled = logs if weight is None else logs * weight.reshape(-1, *[1] * (len(x.shape) - 1 - axis))
    if not whole:
        spread = target * (1 - label_smoothing) + even
        return reduce_losses(-sum(scaled * spread, axis=axis), reduction)
    right = nll_loss(logs, target, weight, reduction, ignore_index)
    if not label_smoothing:
        return right
    share = shares(x, target, weight, ignore_index)[1]
    others = -sum(scaled, axis=axis) * not_equal(target, ignore_index)
    return right * (1 - label_smoothing) + weighted(others, share, reduction) * even
