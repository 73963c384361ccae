"""Tensors from nothing: constants, ranges, random numbers from a generator that is passed in."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.dtypes import get_default_dtype
from chainrule.ops.shared import as_shape
from chainrule.tensor import Tensor, as_array


def _made(array: Any, dtype: Any, requires_grad: bool) -> Tensor:
    return Tensor(np.asarray(array, dtype or get_default_dtype()), requires_grad)


def zeros(*shape: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Return zeros, of the default dtype unless another is given.

    >>> import chainrule as cr
    >>> cr.zeros(2), cr.zeros((1, 2))
    (tensor([0., 0.]), tensor([[0., 0.]]))
    """
    return _made(np.zeros(as_shape(shape), dtype or get_default_dtype()), dtype, requires_grad)


def ones(*shape: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Return ones, of the default dtype unless another is given.

    >>> import chainrule as cr
    >>> cr.ones(2, requires_grad=True)
    tensor([1., 1.], requires_grad=True)
    """
    return _made(np.ones(as_shape(shape), dtype or get_default_dtype()), dtype, requires_grad)


def full(shape: Any, value: float, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Return a tensor of one number.

    >>> import chainrule as cr
    >>> cr.full((2,), 3)
    tensor([3, 3])
    """
    dtype = dtype or as_array(value).dtype
    return Tensor(np.full(as_shape((shape,)), value, dtype), requires_grad)


def zeros_like(x: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Return zeros of the shape and dtype of `x`.

    >>> import chainrule as cr
    >>> cr.zeros_like(cr.tensor([1, 2]))
    tensor([0, 0])
    """
    return Tensor(np.zeros(x.shape, dtype or x.dtype), requires_grad)


def ones_like(x: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Return ones of the shape and dtype of `x`.

    >>> import chainrule as cr
    >>> cr.ones_like(cr.tensor([1, 2]))
    tensor([1, 1])
    """
    return Tensor(np.ones(x.shape, dtype or x.dtype), requires_grad)


def arange(*limits: float, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Return the numbers from start (0) to stop, stop not included, in steps (of 1).

    >>> import chainrule as cr
    >>> cr.arange(3), cr.arange(0.0, 1.0, 0.5)
    (tensor([0, 1, 2]), tensor([0.0000, 0.5000]))
    """
    whole = all(isinstance(n, int) for n in limits)
    return _made(np.arange(*limits), dtype or (np.int64 if whole else None), requires_grad)


def eye(n: int, m: int | None = None, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Return the identity matrix, n by n or n by m.

    >>> import chainrule as cr
    >>> cr.eye(2)
    tensor([[1., 0.],
            [0., 1.]])
    """
    return _made(np.eye(n, m), dtype, requires_grad)


def randn(
    *shape: Any, rng: np.random.Generator, dtype: Any = None, requires_grad: bool = False
) -> Tensor:
    """Return normal random numbers, mean 0 and variance 1.

    >>> import chainrule as cr
    >>> import numpy as np
    >>> cr.randn(2, rng=np.random.default_rng(0))
    tensor([ 0.1257, -0.1321])
    """
    return _made(rng.standard_normal(as_shape(shape)), dtype, requires_grad)


def rand(
    *shape: Any, rng: np.random.Generator, dtype: Any = None, requires_grad: bool = False
) -> Tensor:
    """Return random numbers between 0 and 1.

    >>> import chainrule as cr
    >>> import numpy as np
    >>> cr.rand(2, rng=np.random.default_rng(0))
    tensor([0.6370, 0.2698])
    """
    return _made(rng.random(as_shape(shape)), dtype, requires_grad)


def as_tensor(data: Any, dtype: Any = None) -> Tensor:
    """Return the data as a tensor: a tensor as it is, an array without copying (`from_numpy`).

    >>> import chainrule as cr
    >>> import numpy as np
    >>> array = np.zeros(2)
    >>> cr.as_tensor(array).data is array
    True
    """
    if isinstance(data, Tensor):
        return data if dtype is None else data.astype(dtype)
    array = as_array(data)
    return Tensor(array if dtype is None else array.astype(dtype, copy=False))
