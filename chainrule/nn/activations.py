"""Layers that have no parameters: nonlinearities, pooling.

Those of one argument are one line each: the function of the table that they call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from chainrule.nn import functional
from chainrule.nn.module import Module
from chainrule.ops.conv import Pair
from chainrule.tape import Array


class Elementwise(Module):
    """A layer that calls one function of one array."""

    function: ClassVar[Callable[..., Array]]

    def forward(self, x: Array) -> Array:
        """Return the function of `x`."""
        return type(self).function(x)


class ReLU(Elementwise):
    """`x` where it is positive, else 0.

    >>> import chainrule as cr
    >>> cr.nn.ReLU()(cr.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """

    function = staticmethod(functional.relu)


class Tanh(Elementwise):
    """The hyperbolic tangent.

    >>> import chainrule as cr
    >>> cr.nn.Tanh()(cr.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7616])
    """

    function = staticmethod(functional.tanh)


class Sigmoid(Elementwise):
    """`1 / (1 + exp(-x))`.

    >>> import chainrule as cr
    >>> cr.nn.Sigmoid()(cr.tensor([0.0, 100.0]))
    tensor([0.5000, 1.0000])
    """

    function = staticmethod(functional.sigmoid)


class Identity(Module):
    """What comes in goes out; arguments are taken and not used, so it may stand for any layer.

    >>> import chainrule as cr
    >>> cr.nn.Identity(3, bias=False)(cr.tensor([1.0]))
    tensor([1.])
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, x: Array) -> Array:
        """Return `x`."""
        return x


class Softplus(Module):
    """`log(1 + exp(beta x)) / beta`.

    >>> import chainrule as cr
    >>> cr.nn.Softplus()(cr.tensor([0.0, 100.0]))
    tensor([  0.6931, 100.0000])
    """

    def __init__(self, beta: float = 1.0) -> None:
        super().__init__()
        self.beta = beta

    def forward(self, x: Array) -> Array:
        """Return the function of `x`."""
        return functional.softplus(x, self.beta)

    def extra_repr(self) -> str:
        """Return beta."""
        return f"beta={self.beta}"


class Softmax(Module):
    """`exp(x)` divided by its sum along an axis.

    >>> import chainrule as cr
    >>> cr.nn.Softmax(dim=-1)(cr.tensor([0.0, 0.0]))
    tensor([0.5000, 0.5000])
    """

    function: ClassVar[Callable[..., Array]] = staticmethod(functional.softmax)

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, x: Array) -> Array:
        """Return the function of `x`, along axis `dim`."""
        return type(self).function(x, axis=self.dim)

    def extra_repr(self) -> str:
        """Return the axis."""
        return f"dim={self.dim}"


class LogSoftmax(Softmax):
    """The logarithm of `Softmax`.

    >>> import chainrule as cr
    >>> cr.nn.LogSoftmax(dim=-1)(cr.tensor([0.0, 0.0]))
    tensor([-0.6931, -0.6931])
    """

    function = staticmethod(functional.log_softmax)


class MaxPool2d(Module):
    """The largest element of each window; arguments as `chainrule.max_pool2d`.

    >>> import chainrule as cr
    >>> cr.nn.MaxPool2d(2)(cr.arange(16.0).reshape(1, 1, 4, 4)).tolist()
    [[[[5.0, 7.0], [13.0, 15.0]]]]
    """

    def __init__(
        self, kernel_size: Pair, stride: Any = None, padding: Pair = 0, dilation: Pair = 1
    ) -> None:
        super().__init__()
        self.kernel_size, self.padding, self.dilation = kernel_size, padding, dilation
        self.stride = kernel_size if stride is None else stride

    def forward(self, x: Array) -> Array:
        """Return shape (N, C, H', W') for (N, C, H, W)."""
        how = (self.kernel_size, self.stride, self.padding, self.dilation)
        return functional.max_pool2d(x, *how)

    def extra_repr(self) -> str:
        """Return the options."""
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}"
        )


class AvgPool2d(Module):
    """The mean of each window; arguments as `chainrule.avg_pool2d`.

    >>> import chainrule as cr
    >>> cr.nn.AvgPool2d(2)(cr.arange(16.0).reshape(1, 1, 4, 4)).tolist()
    [[[[2.5, 4.5], [10.5, 12.5]]]]
    """

    def __init__(
        self,
        kernel_size: Pair,
        stride: Any = None,
        padding: Pair = 0,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__()
        self.kernel_size, self.padding = kernel_size, padding
        self.stride = kernel_size if stride is None else stride
        self.count_include_pad = count_include_pad

    def forward(self, x: Array) -> Array:
        """Return shape (N, C, H', W') for (N, C, H, W)."""
        how = (self.kernel_size, self.stride, self.padding, self.count_include_pad)
        return functional.avg_pool2d(x, *how)

    def extra_repr(self) -> str:
        """Return the options."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"
