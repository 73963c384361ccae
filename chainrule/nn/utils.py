"""What one does with all gradients, or all parameters, at once."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from chainrule.create import zeros
from chainrule.errors import OptionError, ShapeError
from chainrule.ops.choices import clip
from chainrule.ops.elementwise import absolute
from chainrule.ops.shape import concatenate, stack
from chainrule.tape import Value, no_grad


def gradients(parameters: Any) -> list[Any]:
    """Return the gradients of the parameters (or of one) that have any."""
    given = [parameters] if isinstance(parameters, Value) else list(parameters)
    return [p.grad for p in given if p.grad is not None]


def clip_grad_norm_(
    parameters: Any,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> Any:
    """Scale all gradients by one number, so that their common norm is at most `max_norm`.

    Args:
        parameters: Tensors; those without a gradient are left out.
        max_norm: The largest norm allowed.
        norm_type: Which norm: 2, 1, any other power, or `math.inf` for the largest element.
        error_if_nonfinite: Refuse a norm that is infinite or no number.

    Returns:
        The norm before, as one number.

    Raises:
        OptionError: The norm is not finite, and that is refused.

    >>> import chainrule as cr
    >>> w = cr.nn.Parameter(cr.zeros(2))
    >>> w.grad = cr.tensor([3.0, 4.0])
    >>> cr.nn.utils.clip_grad_norm_([w], 1.0), w.grad
    (tensor(5.), tensor([0.6000, 0.8000]))
    """
    grads = gradients(parameters)
    with no_grad():
        if not grads:
            return zeros()
        if norm_type == math.inf:
            total = stack([absolute(g).max() for g in grads]).max()
        else:
            total = sum((absolute(g) ** norm_type).sum() for g in grads) ** (1 / norm_type)
        if error_if_nonfinite and not math.isfinite(total):
            raise OptionError(f"the norm of order {norm_type} of the gradients is {total.item()}")
        scale = clip(float(max_norm) / (total + 1e-6), max=1.0)
        for g in grads:
            g.mul_(scale)
    return total


def clip_grad_value_(parameters: Any, clip_value: float) -> None:
    """Move every element of every gradient into `[-clip_value, clip_value]`.

    >>> import chainrule as cr
    >>> w = cr.nn.Parameter(cr.zeros(2))
    >>> w.grad = cr.tensor([-3.0, 0.5])
    >>> cr.nn.utils.clip_grad_value_(w, 1.0)
    >>> w.grad
    tensor([-1.0000,  0.5000])
    """
    with no_grad():
        for g in gradients(parameters):
            g.clip_(-clip_value, clip_value)


def parameters_to_vector(parameters: Iterable[Any]) -> Any:
    """Return all parameters as one vector, through which gradients pass.

    >>> import chainrule as cr
    >>> cr.nn.utils.parameters_to_vector([cr.ones(2), cr.zeros(1, 1)])
    tensor([1., 1., 0.])
    """
    return concatenate([p.reshape(-1) for p in parameters])


def vector_to_parameters(vec: Any, parameters: Iterable[Any]) -> None:
    """Copy the values of one vector into all parameters, in the order of `parameters_to_vector`.

    Raises:
        ShapeError: There are more or fewer numbers than the parameters have.

    >>> import chainrule as cr
    >>> w, b = cr.nn.Parameter(cr.zeros(2)), cr.nn.Parameter(cr.zeros(1))
    >>> cr.nn.utils.vector_to_parameters(cr.tensor([1.0, 2.0, 3.0]), [w, b])
    >>> w.tolist(), b.tolist()
    ([1.0, 2.0], [3.0])
    """
    owners, start = list(parameters), 0
    wanted = sum(p.numel() for p in owners)
    if tuple(vec.shape) != (wanted,):
        raise ShapeError(f"{wanted} numbers are needed, not an array of shape {tuple(vec.shape)}")
    with no_grad():
        for p in owners:
            p.copy_(vec[start : start + p.numel()].reshape(p.shape))
            start += p.numel()
