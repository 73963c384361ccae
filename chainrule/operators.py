"""The operators and methods of tensors (and of whatever else records operations), as one list.

Each is a function of the table, so `x * y` is one call deep.
"""

from __future__ import annotations

from typing import Any

from chainrule.ops import choices, elementwise, index, linalg, nnops, reduce, shape
from chainrule.tape import Array


class Operators:
    """What can be written with a dot or an operator."""

    __slots__ = ()
    __array_ufunc__ = None  # NumPy arrays on the left leave the operation to us

    __add__ = __radd__ = add = elementwise.add
    __sub__ = sub = subtract = elementwise.subtract
    __mul__ = __rmul__ = mul = multiply = elementwise.multiply
    __truediv__ = div = divide = elementwise.divide
    __neg__ = neg = negative = elementwise.negative
    __pow__ = pow = power = elementwise.power
    __matmul__ = matmul = mm = bmm = dot = linalg.matmul
    __abs__ = abs = absolute = elementwise.absolute

    def __rsub__(self, other: Any) -> Array:
        return elementwise.subtract(other, self)

    def __rtruediv__(self, other: Any) -> Array:
        return elementwise.divide(other, self)

    def __rpow__(self, other: Any) -> Array:
        return elementwise.power(other, self)

    def __rmatmul__(self, other: Any) -> Array:
        return linalg.matmul(other, self)

    __lt__ = lt = less = choices.less
    __le__ = le = less_equal = choices.less_equal
    __gt__ = gt = greater = choices.greater
    __ge__ = ge = greater_equal = choices.greater_equal
    __eq__ = eq = choices.equal
    __ne__ = ne = choices.not_equal
    __hash__ = object.__hash__
    __and__ = __rand__ = logical_and = choices.logical_and
    __or__ = __ror__ = logical_or = choices.logical_or
    __invert__ = logical_not = choices.logical_not

    exp = elementwise.exp
    log = elementwise.log
    log1p = elementwise.log1p
    sqrt = elementwise.sqrt
    sin = elementwise.sin
    cos = elementwise.cos
    tanh = elementwise.tanh
    sigmoid = elementwise.sigmoid
    relu = elementwise.relu
    softplus = elementwise.softplus
    sign = choices.sign
    maximum = choices.maximum
    minimum = choices.minimum
    clip = clamp = choices.clip

    sum = reduce.sum
    mean = reduce.mean
    max = amax = reduce.max
    min = amin = reduce.min
    var = reduce.var
    std = reduce.std
    logsumexp = reduce.logsumexp
    argmax = reduce.argmax
    argmin = reduce.argmin
    softmax = nnops.softmax
    log_softmax = nnops.log_softmax

    reshape = view = shape.reshape
    flatten = shape.flatten
    squeeze = shape.squeeze
    unsqueeze = expand_dims = shape.unsqueeze
    permute = shape.permute
    transpose = shape.transpose
    swapaxes = shape.swapaxes
    split = shape.split
    chunk = shape.chunk
    pad = shape.pad
    flip = shape.flip
    gather = index.gather
    __getitem__ = index.getitem

    def where(self, condition: Array, other: Array) -> Array:
        """Return this tensor where the condition holds, and `other` elsewhere."""
        return choices.where(condition, self, other)

    def expand(self, *lengths: Any) -> Array:
        """Return the tensor copied along axes; see `chainrule.expand`."""
        return shape.expand(self, shape=shape.as_shape(lengths))

    broadcast_to = expand

    @property
    def T(self) -> Array:
        """The axes in reverse order."""
        return shape.transpose(self)

    @property
    def mT(self) -> Array:
        """The last two axes exchanged."""
        return shape.swapaxes(self, -1, -2)
