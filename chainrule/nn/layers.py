"""Layers without state of their own between calls, but for their parameters.

A layer is created with its values drawn as in PyTorch; `rng` says where from, `dtype` in what.
"""

from __future__ import annotations

import math
from typing import Any

from chainrule.create import zeros
from chainrule.errors import OptionError
from chainrule.nn import functional, init
from chainrule.nn.module import Module
from chainrule.nn.parameter import Parameter
from chainrule.ops.conv import Pair, pair
from chainrule.ops.shape import flatten
from chainrule.randomness import Rng
from chainrule.tape import Array


def drawn(bound: float, *shape: int, rng: Rng, dtype: Any) -> Parameter:
    """Return a parameter drawn evenly from -bound to bound."""
    p = Parameter(zeros(*shape, dtype=dtype))
    init.uniform_(p, -bound, bound, rng=rng)
    return p


class Linear(Module):
    """`x @ weight.T + bias`.

    Args:
        in_features: The length of the last axis of what comes in.
        out_features: Of what goes out.
        bias: Whether there is one.
        rng: Where the first values come from, evenly from -k to k, k = 1 / sqrt(in_features).
        dtype: Of the parameters; the default float if None.

    Attributes:
        weight: Shape (out_features, in_features).
        bias: Shape (out_features,), or None.

    >>> import chainrule as cr
    >>> import numpy as np
    >>> layer = cr.nn.Linear(3, 2, rng=np.random.default_rng(0))
    >>> layer(cr.ones(1, 3))
    tensor([[-0.5146,  0.5451]], grad_fn=<add>)
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        rng: Rng = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.in_features, self.out_features = in_features, out_features
        bound = 1 / math.sqrt(in_features) if in_features else 0.0
        self.weight = drawn(bound, out_features, in_features, rng=rng, dtype=dtype)
        first = drawn(bound, out_features, rng=rng, dtype=dtype) if bias else None
        self.register_parameter("bias", first)

    def forward(self, x: Array) -> Array:
        """Return shape (..., out_features) for (..., in_features)."""
        return functional.linear(x, self.weight, self.bias)

    def extra_repr(self) -> str:
        """Return the sizes."""
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )


class Conv2d(Module):
    """Filters moved over images.

    Args:
        in_channels: Of the images that come in.
        out_channels: How many filters.
        kernel_size: Height and width of a filter, or one number for both; so the next three.
        stride: How far apart windows are.
        padding: Rows and columns of zeros on each side.
        dilation: How far apart a filter's elements are.
        groups: Into how many sets channels and filters are divided.
        bias: Whether there is one.
        rng: Where the first values come from, evenly from -k to k, k = 1 / sqrt(fan in).
        dtype: Of the parameters; the default float if None.

    Attributes:
        weight: Shape (out_channels, in_channels / groups, height, width).
        bias: Shape (out_channels,), or None.

    >>> import chainrule as cr
    >>> cr.nn.Conv2d(1, 4, 3, padding=1)(cr.ones(2, 1, 8, 8)).shape
    (2, 4, 8, 8)
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Pair,
        stride: Pair = 1,
        padding: Pair = 0,
        dilation: Pair = 1,
        groups: int = 1,
        bias: bool = True,
        *,
        rng: Rng = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if groups < 1 or in_channels % groups or out_channels % groups:
            raise OptionError(
                f"{in_channels} and {out_channels} channels cannot be divided into {groups} groups"
            )
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size, self.stride = pair(kernel_size, "kernel_size"), pair(stride, "stride")
        self.padding, self.dilation = pair(padding, "padding", 0), pair(dilation, "dilation")
        shape = (out_channels, in_channels // groups, *self.kernel_size)
        bound = 1 / math.sqrt(max(math.prod(shape[1:]), 1))
        self.weight = drawn(bound, *shape, rng=rng, dtype=dtype)
        first = drawn(bound, out_channels, rng=rng, dtype=dtype) if bias else None
        self.register_parameter("bias", first)

    def forward(self, x: Array) -> Array:
        """Return shape (N, out_channels, H', W') for (N, in_channels, H, W); see `conv2d`."""
        how = (self.stride, self.padding, self.dilation, self.groups)
        return functional.conv2d(x, self.weight, self.bias, *how)

    def extra_repr(self) -> str:
        """Return the sizes, and the options that are not as usual."""
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}"
        text += f", stride={self.stride}"
        usual = {"padding": (0, 0), "dilation": (1, 1), "groups": 1}
        for name, value in usual.items():
            if getattr(self, name) != value:
                text += f", {name}={getattr(self, name)}"
        return text if self.bias is not None else f"{text}, bias=False"


class Embedding(Module):
    """A table whose rows are looked up.

    Args:
        num_embeddings: How many rows.
        embedding_dim: The length of a row.
        padding_idx: A row that stays as it is: zeros, unless set; negative counts from the end.
        rng: Where the first values come from, normal ones.
        dtype: Of the table; the default float if None.

    Attributes:
        weight: Shape (num_embeddings, embedding_dim).

    Raises:
        OptionError: `padding_idx` is no row.

    >>> import chainrule as cr
    >>> cr.nn.Embedding(10, 3, padding_idx=0)(cr.tensor([[0], [0]])).tolist()
    [[[0.0, 0.0, 0.0]], [[0.0, 0.0, 0.0]]]
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        *,
        rng: Rng = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if padding_idx is not None:
            if not -num_embeddings <= padding_idx < num_embeddings:
                raise OptionError(f"padding_idx {padding_idx} is none of {num_embeddings} rows")
            padding_idx %= num_embeddings
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.padding_idx = padding_idx
        self.weight = Parameter(zeros(num_embeddings, embedding_dim, dtype=dtype))
        init.normal_(self.weight, rng=rng)
        if padding_idx is not None:
            self.weight.data[padding_idx] = 0

    def forward(self, x: Array) -> Array:
        """Return shape (*x.shape, embedding_dim) for whole numbers `x`."""
        return functional.embedding(x, self.weight, self.padding_idx)

    def extra_repr(self) -> str:
        """Return the sizes."""
        text = f"{self.num_embeddings}, {self.embedding_dim}"
        return text if self.padding_idx is None else f"{text}, padding_idx={self.padding_idx}"


class Flatten(Module):
    """Several axes as one: by default all but the first.

    >>> import chainrule as cr
    >>> cr.nn.Flatten()(cr.ones(2, 3, 4)).shape
    (2, 12)
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, x: Array) -> Array:
        """Return `x` with the axes from start_dim to end_dim as one."""
        return flatten(x, self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        """Return the axes."""
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Dropout(Module):
    """While training, zeros in place of a part `p` of the elements; the others grow to make up.

    Args:
        p: From 0 to 1.
        rng: Where the random numbers come from; the shared generator if None.

    Raises:
        OptionError: `p` lies outside 0 to 1.

    >>> import chainrule as cr
    >>> import numpy as np
    >>> layer = cr.nn.Dropout(0.5, rng=np.random.default_rng(1))
    >>> layer(cr.ones(4)), layer.eval()(cr.ones(4))
    (tensor([0., 2., 2., 2.]), tensor([1., 1., 1., 1.]))
    """

    def __init__(self, p: float = 0.5, *, rng: Rng = None) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise OptionError(f"dropout: a probability lies between 0 and 1, not {p}")
        self.p, self.rng = p, rng

    def forward(self, x: Array) -> Array:
        """Return `x`, thinned out while training."""
        return functional.dropout(x, self.p, self.training, rng=self.rng)

    def extra_repr(self) -> str:
        """Return the probability."""
        return f"p={self.p}"
