"""`Tensor`: an array that remembers how it was made, if it has to.

>>> import chainrule as cr
>>> x = cr.tensor([1.0, 2.0], requires_grad=True)
>>> y = (x * x).sum()
>>> y
tensor(5., grad_fn=<sum>)
>>> y.backward()
>>> x.grad
tensor([2., 4.])
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from chainrule import inplace
from chainrule.dtypes import get_default_dtype
from chainrule.errors import BackwardError, DTypeError, ShapeError
from chainrule.operators import Operators
from chainrule.ops.choices import cast
from chainrule.sweep import backward as run_backward
from chainrule.tape import TRACE, VERSION, Value, wrap


class Tensor(Value, Operators, inplace.InPlace):
    """An array with a gradient.

    Args:
        data: An array, whose memory the tensor then shares, or anything that `tensor` takes.
        requires_grad: Whether what is computed from it is to be recorded; floats only.

    Attributes:
        data: The NumPy array itself. What is done to it is not recorded.
        grad: The gradient as a tensor, or None before the first backward pass. Passes add to it.
        requires_grad: Whether operations on it are recorded.

    >>> import chainrule as cr
    >>> import numpy as np
    >>> cr.Tensor(np.array([1.0, 2.0]))
    tensor([1., 2.], dtype=float64)
    """

    __slots__ = ()

    def __init__(self, data: Any, requires_grad: bool = False) -> None:
        self.data = as_array(data)
        self.grad = self.hooks = self.node = None
        self.cell = [0, 0, None]
        self.requires_grad = False
        self.requires_grad_(requires_grad)

    # ------------------------------------------------------------------------------- what it is

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of the axes."""
        return self.data.shape

    @property
    def dtype(self) -> np.dtype:
        """The dtype of the elements."""
        return self.data.dtype

    @property
    def ndim(self) -> int:
        """The number of axes; `dim()` in PyTorch."""
        return self.data.ndim

    def dim(self) -> int:
        """Return the number of axes."""
        return self.data.ndim

    def size(self, axis: int | None = None) -> Any:
        """Return the shape, or the length of one axis."""
        return self.data.shape if axis is None else self.data.shape[axis]

    def numel(self) -> int:
        """Return the number of elements."""
        return self.data.size

    @property
    def is_leaf(self) -> bool:
        """Whether nothing recorded made it: its gradient is kept in `.grad`."""
        return self.node is None

    @property
    def grad_fn(self) -> Any:
        """The node that made it, or None."""
        return self.node

    @property
    def _version(self) -> int:
        return self.cell[VERSION]

    def __len__(self) -> int:
        return len(self.data)

    def __iter__(self) -> Iterator[Any]:
        if not self.data.ndim:
            raise TypeError("iteration over a tensor without axes")
        return (self[i] for i in range(len(self.data)))

    def __bool__(self) -> bool:
        return bool(leaving(self))

    def __float__(self) -> float:
        return float(leaving(self))

    def __int__(self) -> int:
        return int(leaving(self))

    def __index__(self) -> int:
        return leaving(self).__index__()

    def __repr__(self) -> str:
        body = np.array2string(
            self.data, separator=", ", prefix="tensor(", formatter=_formatter(self)
        )
        plain = self.dtype in (get_default_dtype(), np.dtype(int), np.dtype(bool))
        notes = "" if plain else f", dtype={self.dtype}"
        if self.node is not None:
            notes += f", grad_fn={self.node!r}"
        elif self.requires_grad:
            notes += ", requires_grad=True"
        return f"tensor({body}{notes})"

    # -------------------------------------------------------------------------- what it is made of

    def item(self) -> float | int | bool:
        """Return the only element as a Python number; ShapeError if there are several."""
        if self.data.size != 1:
            raise ShapeError(f"item: a tensor of shape {self.shape} is not one number")
        return leaving(self).item()

    def tolist(self) -> Any:
        """Return the elements as nested lists."""
        return leaving(self).tolist()

    def numpy(self) -> np.ndarray:
        """Return the array, sharing memory; BackwardError if a gradient would be lost."""
        if self.requires_grad:
            raise BackwardError("this tensor requires gradients; use .detach().numpy()")
        return leaving(self)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.numpy(), dtype=dtype, copy=copy)

    def detach(self) -> Tensor:
        """Return a tensor of the same memory that no gradient passes."""
        out = wrap(self.data)
        out.cell = self.cell
        return out

    def clone(self) -> Tensor:
        """Return a copy; gradients pass."""
        return cast(self, dtype=self.dtype)

    def __copy__(self) -> Tensor:
        return self.__deepcopy__({})

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        if self.node is not None:
            raise BackwardError("only leaves can be copied; use .detach() or .clone()")
        out = type(self)(self.data.copy(), requires_grad=self.requires_grad)
        out.grad = None if self.grad is None else self.grad.clone()
        return out

    def __reduce__(self) -> Any:
        return type(self), (self.detach().data, self.requires_grad)

    def astype(self, dtype: Any) -> Tensor:
        """Return the tensor in another dtype (`to`); itself where it has that one already."""
        return self if self.dtype == dtype else cast(self, dtype=np.dtype(dtype))

    to = type = astype

    def float(self) -> Tensor:
        """Return the tensor in float32."""
        return self.astype(np.float32)

    def double(self) -> Tensor:
        """Return the tensor in float64."""
        return self.astype(np.float64)

    def long(self) -> Tensor:
        """Return the tensor in int64."""
        return self.astype(np.int64)

    # --------------------------------------------------------------------------------- gradients

    def requires_grad_(self, flag: bool = True) -> Tensor:
        """Set whether operations on this leaf are recorded, and return it.

        Raises:
            DTypeError: Whole numbers and booleans have no gradient.
            BackwardError: A recorded result cannot stop requiring gradients; detach it.
        """
        if flag and self.data.dtype.kind != "f":
            raise DTypeError(f"only floats can require gradients, not {self.dtype}")
        if not flag and self.node is not None:
            raise BackwardError("a recorded result cannot stop requiring gradients; use .detach()")
        self.requires_grad = bool(flag)
        return self

    def backward(
        self, gradient: Any = None, retain_graph: bool | None = None, create_graph: bool = False
    ) -> None:
        """Add the gradient to `.grad` of every leaf behind this tensor: `chainrule.backward`."""
        run_backward(self, gradient, retain_graph, create_graph)

    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> Callable[[], None]:
        """Call `hook(gradient)` in every backward pass; what it returns, if anything, replaces it.

        Returns:
            A function that takes the hook away again.

        Raises:
            BackwardError: The tensor does not require gradients.
        """
        if not self.requires_grad:
            raise BackwardError("a hook needs a tensor that requires gradients")
        owner: Any = self if self.node is None else self.node
        if owner.hooks is None:
            owner.hooks = []
        owner.hooks.append(hook)
        return lambda: owner.hooks.remove(hook)

    def retain_grad(self) -> None:
        """Keep the gradient of this recorded result in `.grad` too."""
        if self.node is not None:
            self.register_hook(self._keep)

    def _keep(self, g: Tensor) -> None:
        self.grad = g.clone() if self.grad is None else self.grad + g

    def zero_grad_(self) -> None:
        """Forget the gradient."""
        self.grad = None


Value.kind = Tensor


def leaving(x: Any) -> np.ndarray:
    """Return the array of a tensor whose numbers go where no operation sees them."""
    if TRACE:
        TRACE[-1].leave(x)
    return x.data


def as_array(data: Any, dtype: Any = None) -> np.ndarray:
    """Return anything that holds numbers as an array; Python floats in the default dtype.

    Raises:
        DTypeError: The elements are no numbers, or rows have unequal lengths.
    """
    if isinstance(data, Value):
        data = leaving(data)
    if not isinstance(data, np.ndarray | np.generic):
        try:
            data = _from_python(data, dtype)
        except (ValueError, TypeError) as error:
            raise DTypeError(
                f"a tensor is made of numbers in rows of equal length: {error}"
            ) from None
    array = np.asarray(data, dtype)
    if array.dtype.kind not in "biufc":
        raise DTypeError(f"a tensor is made of numbers, not {array.dtype}")
    return array


def _from_python(data: Any, dtype: Any) -> np.ndarray:
    if isinstance(data, list | tuple) and any(isinstance(d, Value | np.ndarray) for d in data):
        return np.array([as_array(d, dtype) for d in data])
    array = np.array(data, dtype)
    floats = dtype is None and array.dtype == np.float64
    return array.astype(get_default_dtype()) if floats else array


def tensor(data: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Return a tensor with a copy of the data.

    Args:
        data: Numbers, nested lists of them, an array or a tensor.
        dtype: If None: that of an array; for Python numbers float32 (see `set_default_dtype`),
            int64 or bool.
        requires_grad: Whether to record what is computed from it.

    Raises:
        DTypeError: The data is not made of numbers in rows of equal length.

    >>> import chainrule as cr
    >>> cr.tensor([[1, 2], [3, 4]], dtype="float32", requires_grad=True)
    tensor([[1., 2.],
            [3., 4.]], requires_grad=True)
    """
    return Tensor(np.array(as_array(data, dtype)), requires_grad=requires_grad)


def _formatter(x: Tensor) -> Any:
    """Return how to write floats: 1. or 1.5000, in powers of ten where numbers are far apart."""
    if x.dtype.kind != "f" or not x.data.size:
        return None
    finite = np.abs(x.data[np.isfinite(x.data)])
    if np.all(finite == np.rint(finite)) and finite.max(initial=0) < 1e6:
        texts = [f"{v:.0f}." if np.isfinite(v) else str(v) for v in x.data.ravel()]
    elif finite.max() >= 1e6 or finite.max() / finite[finite > 0].min() > 1e5:
        texts = [f"{v:.4e}" for v in x.data.ravel()]
    else:
        texts = [f"{v:.4f}" for v in x.data.ravel()]
    width = max(map(len, texts))
    words = iter(texts)
    return {"float_kind": lambda v: next(words).rjust(width)}
