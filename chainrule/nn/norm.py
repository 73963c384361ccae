"""Normalization layers: numbers of mean 0 and variance 1, then a scale and a shift to learn."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.create import ones, zeros
from chainrule.errors import ShapeError
from chainrule.nn import functional
from chainrule.nn.module import Module
from chainrule.nn.parameter import Parameter
from chainrule.tape import Array
from chainrule.tensor import tensor


class BatchNorm(Module):
    """What `BatchNorm1d` and `BatchNorm2d` share."""

    axes: tuple[int, ...]
    shapes: str

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        *,
        bias: bool = True,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        for name, make, some in (("weight", ones, True), ("bias", zeros, bias)):
            first = Parameter(make(num_features, dtype=dtype)) if affine and some else None
            self.register_parameter(name, first)
        for name, make in (("running_mean", zeros), ("running_var", ones)):
            value = make(num_features, dtype=dtype) if track_running_stats else None
            self.register_buffer(name, value)
        count = tensor(0, dtype=np.int64) if track_running_stats else None
        self.register_buffer("num_batches_tracked", count)

    def forward(self, x: Array) -> Array:
        """Return `x` normalized: by its own statistics in training, by the running ones after."""
        if len(x.shape) not in self.axes or x.shape[1] != self.num_features:
            raise ShapeError(
                f"{type(self).__name__}({self.num_features}): an input has shape {self.shapes} "
                f"with C = {self.num_features}, not {tuple(x.shape)}"
            )
        own = self.training or not self.track_running_stats
        running = (self.running_mean, self.running_var)
        momentum = self.momentum
        if self.training and self.track_running_stats:
            self.num_batches_tracked += 1
            if momentum is None:
                momentum = 1 / int(self.num_batches_tracked)
        return functional.batch_norm(
            x, *running, self.weight, self.bias, own, momentum or 0.0, self.eps
        )

    def extra_repr(self) -> str:
        """Return the options."""
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


class BatchNorm1d(BatchNorm):
    """Each feature of a batch with mean 0 and variance 1 (Ioffe and Szegedy, 2015).

    Args:
        num_features: C of inputs of shape (N, C) or (N, C, L).
        eps: Added to the variance.
        momentum: How far each batch moves the running mean and variance; None keeps their plain
            averages over all batches.
        affine: Whether to scale and shift.
        track_running_stats: Whether to keep running values; without, each batch uses its own.
        bias: Whether to shift, if `affine`.
        dtype: Of parameters and buffers; the default float if None.

    Attributes:
        weight: The scale, shape (C,), or None.
        bias: The shift, shape (C,), or None.
        running_mean: A buffer, shape (C,), or None.
        running_var: A buffer, shape (C,), or None.
        num_batches_tracked: A buffer, a whole number, or None.

    >>> import chainrule as cr
    >>> layer = cr.nn.BatchNorm1d(1, eps=0.0)
    >>> layer(cr.tensor([[1.0], [3.0]])).tolist(), layer.running_mean
    ([[-1.0], [1.0]], tensor([0.2000]))
    """

    axes, shapes = (2, 3), "(N, C) or (N, C, L)"


class BatchNorm2d(BatchNorm):
    """Each channel of a batch of images with mean 0 and variance 1; arguments as `BatchNorm1d`.

    >>> import chainrule as cr
    >>> cr.nn.BatchNorm2d(3)(cr.ones(2, 3, 4, 4)).shape
    (2, 3, 4, 4)
    """

    axes, shapes = (4,), "(N, C, H, W)"


class LayerNorm(Module):
    """Each sample with mean 0 and variance 1 over its last axes (Ba and others, 2016).

    Args:
        normalized_shape: The lengths of those axes, or of the last one.
        eps: Added to the variance.
        elementwise_affine: Whether to scale and shift.
        bias: Whether to shift, if so.
        dtype: Of the parameters; the default float if None.

    Attributes:
        weight: The scale, of shape `normalized_shape`, or None.
        bias: The shift, likewise.

    >>> import chainrule as cr
    >>> cr.nn.LayerNorm(2, eps=0.0)(cr.tensor([[1.0, 3.0]])).tolist()
    [[-1.0, 1.0]]
    """

    def __init__(
        self,
        normalized_shape: int | tuple[int, ...],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        *,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        whole = isinstance(normalized_shape, int)
        self.normalized_shape = (normalized_shape,) if whole else tuple(normalized_shape)  # type: ignore[arg-type]
        self.eps, self.elementwise_affine = eps, elementwise_affine
        for name, make, some in (("weight", ones, True), ("bias", zeros, bias)):
            used = elementwise_affine and some
            first = Parameter(make(self.normalized_shape, dtype=dtype)) if used else None
            self.register_parameter(name, first)

    def forward(self, x: Array) -> Array:
        """Return `x`, shape (..., *normalized_shape), normalized."""
        return functional.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """Return the options."""
        return (
            f"{self.normalized_shape}, eps={self.eps}, "
            f"elementwise_affine={self.elementwise_affine}, bias={self.bias is not None}"
        )
