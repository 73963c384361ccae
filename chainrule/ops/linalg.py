"""Products of matrices and vectors."""

# ruff: noqa: D103  (a rule is described by the operation above it)
from __future__ import annotations

import math

from chainrule.errors import ShapeError
from chainrule.ops.shape import swapaxes, unsqueeze
from chainrule.ops.shared import broadcast, size
from chainrule.primitive import primitive, vjp
from chainrule.tape import Array, Like


def _product(x: Like, y: Like) -> tuple[int, ...]:
    if not x.ndim or not y.ndim:
        raise ShapeError(f"shapes {x.shape} and {y.shape}: both need an axis; use * for numbers")
    inner = y.shape[-2] if y.ndim > 1 else y.shape[0]
    if x.shape[-1] != inner:
        raise ShapeError(
            f"the last axis of x, shape {x.shape}, must be as long as the "
            f"{'second-last' if y.ndim > 1 else 'only one'} of y, shape {y.shape}"
        )
    lead = broadcast(Like(x.shape[:-2], None), Like(y.shape[:-2], None))
    return lead + x.shape[-2:-1] + (y.shape[-1:] if y.ndim > 1 else ())


def _product_flops(out: Like, x: Like, y: Like) -> int:
    return 2 * size(out) * x.shape[-1]


@primitive(shape=_product, flops=_product_flops)
def matmul(x: Array, y: Array, /) -> Array:
    """Return `x @ y`: of matrices in the last two axes, the axes before them broadcast.

    Args:
        x: Shape (..., n, k), or (k,) for a vector.
        y: Shape (..., k, m), or (k,) for a vector.

    Raises:
        ShapeError: The inner lengths differ, or one input is a single number.

    >>> import chainrule as cr
    >>> cr.ones(2, 3) @ cr.ones(3)
    tensor([3., 3.])
    """
    return x @ y


@vjp(matmul, "x")
def matmul_x(g: Array, out: None, x: Like, y: Array) -> Array:
    if y.ndim == 1:
        return unsqueeze(g, -1) * y
    return g @ transposed(y) if x.ndim > 1 else times_vector(y, g)


@vjp(matmul, "y")
def matmul_y(g: Array, out: None, x: Array, y: Like) -> Array:
    if x.ndim == 1:
        return unsqueeze(x, -1) * unsqueeze(g, -2) if y.ndim > 1 else g * x
    if y.ndim == 1:
        return times_vector(transposed(x), g)
    if y.ndim == 2 and x.ndim > 2:  # one product of tall matrices instead of a sum of many
        tall = math.prod(x.shape[:-1])
        return x.reshape(tall, x.shape[-1]).T @ g.reshape(tall, g.shape[-1])
    return transposed(x) @ g


def transposed(x: Array) -> Array:
    """Return the last two axes exchanged."""
    return x.T if x.ndim == 2 else swapaxes(x, -1, -2)


def times_vector(x: Array, v: Array) -> Array:
    """Return each matrix in `x`, shape (..., n, k), times its vector in `v`, shape (..., k)."""
    return x @ v if v.ndim == 1 else (x @ unsqueeze(v, -1)).reshape(*v.shape[:-1], x.shape[-2])


def _applied(x: Like, weight: Like) -> tuple[int, ...]:
    if not x.ndim or weight.ndim != 2 or x.shape[-1] != weight.shape[1]:
        raise ShapeError(
            f"the last axis of x, shape {x.shape}, must be as long as the last of the weight, "
            f"shape {weight.shape}, which has two"
        )
    return (*x.shape[:-1], weight.shape[0])


@primitive(shape=_applied, flops=_product_flops)
def _linear(x: Array, weight: Array, /) -> Array:
    """Return `x @ weight.T`; the gradient of the weight lies in memory as the weight does."""
    if weight.ndim != 2:
        raise ValueError("not a matrix")
    return x @ weight.T


@vjp(_linear, "x")
def _linear_x(g: Array, out: None, x: None, weight: Array) -> Array:
    return g @ weight


@vjp(_linear, "weight")
def _linear_weight(g: Array, out: None, x: Array, weight: None) -> Array:
    tall = math.prod(x.shape[:-1])
    return g.reshape(tall, g.shape[-1]).T @ x.reshape(tall, x.shape[-1])


def linear(x: Array, weight: Array, bias: Array | None = None) -> Array:
    """Return `x @ weight.T + bias`: what a layer of neurons computes.

    Args:
        x: Shape (..., inputs).
        weight: Shape (outputs, inputs).
        bias: Shape (outputs,), or None.

    Returns:
        Shape (..., outputs).

    Raises:
        ShapeError: The numbers of inputs, or of outputs, differ.

    >>> import chainrule as cr
    >>> cr.linear(cr.tensor([1.0, 2.0]), cr.tensor([[1.0, 1.0], [0.0, 3.0]]), cr.tensor([0.5, 0.0]))
    tensor([3.5000, 6.0000])
    """
    if bias is not None and tuple(bias.shape) != (weight.shape[0],):
        raise ShapeError(f"linear: a weight of shape {weight.shape} and a bias of {bias.shape}")
    out = _linear(x, weight)
    return out if bias is None else out + bias
