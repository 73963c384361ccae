"""What networks add: softmax and its losses, normalization, dropout."""

# ruff: noqa: D103  (a rule is described by the operation above it)
from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.dtypes import get_default_dtype
from chainrule.errors import AxisError, DTypeError, GraphError, ShapeError
from chainrule.ops.choices import cast, maximum
from chainrule.ops.elementwise import exp, log, log1p
from chainrule.ops.reduce import mean, sum, var
from chainrule.ops.shared import Axis, broadcast, per_element, same, size
from chainrule.primitive import RECORDERS, primitive, vjp
from chainrule.randomness import Rng, generator
from chainrule.tape import TRACE, Array, Like, Value, note_change


def _flops(out: Like, x: Like, *rest: Any, **_: Any) -> int:
    return 13 * size(x)


@primitive(shape=same, flops=_flops)
def softmax(x: Array, /, axis: int = -1) -> Array:
    """Return `exp(x)` divided by its sum along an axis, for any `x` without overflow.

    >>> import chainrule as cr
    >>> cr.softmax(cr.tensor([1000.0, 1000.0]))
    tensor([0.5000, 0.5000])
    """
    e = np.exp(x - np.maximum.reduce(x, axis=axis, keepdims=True, initial=-np.inf))
    return e / np.add.reduce(e, axis=axis, keepdims=True)


@vjp(softmax, "x")
def softmax_x(g: Array, out: Array, x: None, axis: int) -> Array:
    return out * (g - sum(g * out, axis=axis, keepdims=True))


@primitive(shape=same, flops=_flops)
def log_softmax(x: Array, /, axis: int = -1) -> Array:
    """Return the logarithm of `softmax`, exact where that is close to 0.

    >>> import chainrule as cr
    >>> cr.log_softmax(cr.tensor([0.0, 1000.0]))
    tensor([-1000.,     0.])
    """
    away = x - np.maximum.reduce(x, axis=axis, keepdims=True, initial=-np.inf)
    return away - np.log(np.add.reduce(np.exp(away), axis=axis, keepdims=True))


@vjp(log_softmax, "x")
def log_softmax_x(g: Array, out: Array, x: None, axis: int) -> Array:
    return g - exp(out) * sum(g, axis=axis, keepdims=True)


# ---------------------------------------------------------------------------------- cross-entropy


def _losses(logits: Like, target: Like) -> tuple[int, ...]:
    classes = 1 if logits.ndim > 1 else 0
    left = logits.shape[:classes] + logits.shape[classes + 1 :]
    if not logits.ndim or tuple(target.shape) != left:
        raise ShapeError(
            f"logits of shape {logits.shape}, with classes along axis {classes}, need whole-number "
            f"targets of shape {left} or probabilities of the same shape, not {target.shape}"
        )
    return left


def _hot_shape(target: Any, shape: int | tuple[int, ...], dtype: Any) -> tuple[int, ...]:
    samples = np.shape(target)
    if isinstance(shape, int | np.integer):
        return (*samples[:1], int(shape), *samples[1:])
    classes = len(samples[:1])
    if len(shape) != len(samples) + 1 or shape[:classes] + shape[classes + 1 :] != samples:
        raise ShapeError(
            f"targets of shape {samples} need the number of classes, or that as axis {classes} of "
            f"a shape, not {shape}"
        )
    return shape


def _hot_dtype(target: Any, shape: Any, dtype: Any) -> np.dtype:
    return np.dtype(dtype or get_default_dtype())


@primitive(shape=_hot_shape, dtype=_hot_dtype)
def one_hot(target: Array, /, shape: int | tuple[int, ...] = (), dtype: Any = None) -> Array:
    """Return 1 at each target's class, along axis 1 (0 for a single sample), and 0 elsewhere.

    Axis 1 is where `cross_entropy` expects classes. PyTorch's `one_hot` makes them the last axis:
    the same for targets of at most one axis.

    Args:
        target: Whole numbers, at least 0.
        shape: The number of classes, or the whole shape of the result: the target's, with the
            number of classes as axis 1.
        dtype: Of the result; the default float if None.

    Raises:
        AxisError: A target is too large.
        ShapeError: The shape is not the target's with one more axis.

    >>> import chainrule as cr
    >>> cr.one_hot(cr.tensor([1, 0]), 3)
    tensor([[0., 1., 0.],
            [1., 0., 0.]])
    """
    out = np.zeros(_hot_shape(target, shape, dtype), _hot_dtype(target, shape, dtype))
    out[_places(np.asarray(target), out)] = 1
    return out


def _places(target: np.ndarray, logits: Any) -> tuple[Any, ...]:
    """Return the index that picks each target's class from the logits."""
    if target.ndim == 1 and len(logits.shape) == 2:
        return np.arange(len(target)), target
    grid = np.ogrid[tuple(slice(n) for n in target.shape)]
    return (*grid[:1], target, *grid[1:])


@primitive(shape=_losses, flops=_flops)
def _class_losses(logits: Array, target: Array, /) -> Array:
    classes = 1 if logits.ndim > 1 else 0
    target = np.asarray(target)
    _losses(logits, target)
    if target.size and not (target.min() >= 0 and target.max() < logits.shape[classes]):
        last = logits.shape[classes] - 1
        raise AxisError(f"cross_entropy: a target lies outside the classes 0 to {last}")
    away = logits - np.maximum.reduce(logits, axis=classes, keepdims=True, initial=-np.inf)
    total = np.add.reduce(np.exp(away), axis=classes)
    return np.log(total) - away[_places(target, logits)]


@vjp(_class_losses, "logits")
def _class_losses_logits(g: Array, out: None, logits: Array, target: Array) -> Array:
    classes = 1 if len(logits.shape) > 1 else 0
    g = g.reshape(*logits.shape[:classes], 1, *logits.shape[classes + 1 :])
    hot = one_hot(target, shape=logits.shape, dtype=logits.dtype)
    return g * (softmax(logits, axis=classes) - hot)


def cross_entropy(logits: Array, target: Array, reduction: str = "mean") -> Array:
    """Return the negative log-probability of the right classes.

    Args:
        logits: Scores before softmax, shape (N, C), (N, C, ...) or (C,).
        target: Whole numbers from 0 to C - 1, the shape of the logits without C; or the
            probability of each class, the shape of the logits.
        reduction: "mean", "sum", or "none" for one loss per sample.

    Raises:
        ShapeError: The shapes do not fit.
        AxisError: A target is no class.
        DTypeError: Whole-number logits, or an unknown reduction.

    >>> import chainrule as cr
    >>> cr.cross_entropy(cr.tensor([[2.0, 0.0], [0.0, 0.0]]), cr.tensor([0, 1]))
    tensor(0.4100)
    """
    kind = np.dtype(getattr(target, "dtype", int)).kind
    if np.dtype(logits.dtype).kind != "f":
        raise DTypeError(f"cross_entropy: logits must be floats, not {logits.dtype}")
    if kind == "f" and tuple(target.shape) == tuple(logits.shape):
        classes = 1 if len(logits.shape) > 1 else 0
        losses = -sum(target * log_softmax(logits, axis=classes), axis=classes)
    elif kind in "iu":
        losses = _class_losses(logits, target)
    else:
        raise ShapeError(
            f"cross_entropy: targets of {target.dtype}, shape {tuple(target.shape)}, do not fit "
            f"logits of shape {tuple(logits.shape)}: give whole numbers, or a probability per logit"
        )
    return reduce_losses(losses, reduction)


LEAST = float(np.float32(1e-12))  # what PyTorch divides by at 0 and 1, in float64 too


@primitive(shape=broadcast, flops=per_element(25))
def _binary_losses(p: Array, target: Array, /) -> Array:
    """Return `-target log(p) - (1 - target) log(1 - p)`, no logarithm below -100."""
    with np.errstate(divide="ignore"):
        yes, no = np.maximum(np.log(p), -100), np.maximum(np.log1p(-p), -100)
    return (target - 1) * no - target * yes


@vjp(_binary_losses, "p")
def _binary_losses_p(g: Array, out: None, p: Array, target: Array) -> Array:
    return g * (p - target) / maximum((1.0 - p) * p, LEAST)


@vjp(_binary_losses, "target")
def _binary_losses_target(g: Array, out: None, p: Array, target: None) -> Array:
    return g * (log1p(-p) - log(p))


def reduce_losses(losses: Array, reduction: str) -> Array:
    """Return the mean or the sum of losses, or the losses themselves."""
    if reduction not in ("mean", "sum", "none"):
        raise DTypeError(f"reduction is 'mean', 'sum' or 'none', not {reduction!r}")
    if reduction == "none":
        return losses
    return mean(losses) if reduction == "mean" else sum(losses)


# ---------------------------------------------------------------------------------- normalization


@primitive(shape=same, flops=_flops)
def _normalize(x: Array, /, axis: Any = None, eps: float = 1e-5) -> Array:
    """Return `x` less its mean, divided by `sqrt(variance + eps)`, both over the axes."""
    away = x - x.mean(axis=axis, keepdims=True)
    return away / np.sqrt(np.mean(away * away, axis=axis, keepdims=True) + eps)


@vjp(_normalize, "x")
def _normalize_x(g: Array, out: Array, x: Array, axis: Any, eps: float) -> Array:
    width = (var(x, axis, 0, True) + eps) ** 0.5
    straight = g - mean(g, axis=axis, keepdims=True)
    return (straight - out * mean(g * out, axis=axis, keepdims=True)) / width


def layer_norm(
    x: Array,
    normalized_shape: Any,
    weight: Array | None = None,
    bias: Array | None = None,
    eps: float = 1e-5,
) -> Array:
    """Return each sample with mean 0 and variance 1 over its last axes, then scaled and shifted.

    Args:
        x: Shape (..., *normalized_shape).
        normalized_shape: The lengths of those last axes, or the length of the last one.
        weight: The scale, of that shape, or None.
        bias: The shift, of that shape, or None.
        eps: Added to the variance.

    Raises:
        ShapeError: The last axes of `x`, or weight or bias, have another shape.

    >>> import chainrule as cr
    >>> cr.layer_norm(cr.tensor([[1.0, 3.0]]), 2, eps=0.0)
    tensor([[-1.,  1.]])
    """
    last = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
    for name, value in (("weight", weight), ("bias", bias)):
        if value is not None and tuple(value.shape) != last:
            raise ShapeError(f"layer_norm: {name} must have shape {last}, not {tuple(value.shape)}")
    if not last or tuple(x.shape[-len(last) :]) != last:
        raise ShapeError(f"layer_norm: the last axes of {tuple(x.shape)} are not {last}")
    out = _normalize(x, axis=tuple(range(-len(last), 0)), eps=eps)
    out = out if weight is None else out * weight
    return out if bias is None else out + bias


def batch_norm(
    x: Array,
    running_mean: Array | None = None,
    running_var: Array | None = None,
    weight: Array | None = None,
    bias: Array | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Array:
    """Return each channel with mean 0 and variance 1 over the batch, then scaled and shifted.

    Args:
        x: Shape (N, C) or (N, C, ...).
        running_mean: Shape (C,): used when not training, moved by `momentum` towards the batch's
            mean when training.
        running_var: The same for the variance (the batch's is divided by its count less 1).
        weight: The scale of each channel, shape (C,), or None.
        bias: The shift of each channel, shape (C,), or None.
        training: Whether to use the batch's own mean and variance.
        momentum: How far the running values move.
        eps: Added to the variance.

    Raises:
        ShapeError: A shape does not fit, or training on one value per channel.

    >>> import chainrule as cr
    >>> cr.batch_norm(cr.tensor([[1.0], [3.0]]), training=True, eps=0.0)
    tensor([[-1.],
            [ 1.]])
    """
    if len(x.shape) < 2:
        raise ShapeError(f"batch_norm: x needs shape (N, C, ...), not {tuple(x.shape)}")
    channels = x.shape[1]
    for value in (running_mean, running_var, weight, bias):
        if value is not None and tuple(value.shape) != (channels,):
            raise ShapeError(f"batch_norm: {channels} channels, but a shape {tuple(value.shape)}")
    wide = (channels, *[1] * (len(x.shape) - 2))
    over = (0, *range(2, len(x.shape)))
    if training:
        if size(x) <= channels:
            raise ShapeError(f"batch_norm: more than one value per channel, not {tuple(x.shape)}")
        move_running(running_mean, running_var, x, over, momentum)
        out = _normalize(x, axis=over, eps=eps)
    elif running_mean is None or running_var is None:
        raise ShapeError("batch_norm: without training, running_mean and running_var are needed")
    else:
        width = (running_var.reshape(*wide) + eps) ** 0.5
        out = (x - running_mean.reshape(*wide)) / width
    out = out if weight is None else out * weight.reshape(*wide)
    return out if bias is None else out + bias.reshape(*wide)


def move_running(means: Any, variances: Any, x: Any, over: Axis, momentum: float) -> None:
    """Move running means and variances, in place, towards those of a batch."""
    data = x.data if isinstance(x, Value) else x
    for running, now in ((means, np.mean), (variances, lambda a, axis: np.var(a, axis, ddof=1))):
        if TRACE and isinstance(running, Value):
            new = var(x, over, 1) if now is not np.mean else mean(x, over)
            TRACE[-1].change(running, running + momentum * (new - running))
        elif running is not None:
            array = running.data if isinstance(running, Value) else running
            array += momentum * (now(data, axis=over) - array)
            if isinstance(running, Value):
                note_change(running.cell)


def dropout(x: Array, p: float = 0.5, training: bool = True, *, rng: Rng = None) -> Array:
    """Return `x` with each element zeroed with probability `p`, the others divided by `1 - p`.

    Args:
        x: Any shape.
        p: From 0 to 1.
        training: If False, `x` comes back as it is.
        rng: Where the random numbers come from; the shared generator if None (`manual_seed`).

    Raises:
        GraphError: No generator in a static graph: one mask would then serve every run.
        ShapeError: `p` lies outside 0 to 1.

    >>> import chainrule as cr
    >>> cr.manual_seed(1)
    >>> cr.dropout(cr.ones(4), 0.5)
    tensor([0., 2., 2., 2.])
    """
    if not 0 <= p <= 1:
        raise ShapeError(f"dropout: a probability lies between 0 and 1, not {p}")
    if not training or p == 0:
        return x
    if rng is None and type(x) in RECORDERS:
        raise GraphError("dropout: in a static graph training needs rng=graph.Generator()")
    rng = generator(rng)
    drawn = rng.random(x.shape, dtype=np.float32)
    if TRACE:
        drawn = TRACE[-1].draw(rng, drawn)
    return x * (cast(drawn >= p, dtype=x.dtype) / x.dtype.type(max(1 - p, 1e-30)))
