"""Elementwise operations: arithmetic, powers, functions of one number.

Shapes broadcast. Rules are written as if nothing had been copied (`sweep.fit` sums afterwards).
"""

# ruff: noqa: D103  (a rule is described by the operation above it)
from __future__ import annotations

import numpy as np

from chainrule.ops.choices import sign, where
from chainrule.ops.shared import broadcast, per_element, same
from chainrule.primitive import primitive, vjp
from chainrule.tape import Array

# ------------------------------------------------------------------------------------- arithmetic


@primitive(shape=broadcast)
def add(x: Array, y: Array, /) -> Array:
    """Return `x + y`.

    >>> import chainrule as cr
    >>> cr.add(cr.tensor([1.0, 2.0]), 1)
    tensor([2., 3.])
    """
    return x + y


@vjp(add, "x")
def add_x(g: Array, out: None, x: None, y: None) -> Array:
    return g


@vjp(add, "y")
def add_y(g: Array, out: None, x: None, y: None) -> Array:
    return g


@primitive(shape=broadcast)
def subtract(x: Array, y: Array, /) -> Array:
    """Return `x - y`.

    >>> import chainrule as cr
    >>> 1 - cr.tensor([1.0, 2.0])
    tensor([ 0., -1.])
    """
    return x - y


@vjp(subtract, "x")
def subtract_x(g: Array, out: None, x: None, y: None) -> Array:
    return g


@vjp(subtract, "y")
def subtract_y(g: Array, out: None, x: None, y: None) -> Array:
    return -g


@primitive(shape=broadcast)
def multiply(x: Array, y: Array, /) -> Array:
    """Return `x * y`.

    >>> import chainrule as cr
    >>> cr.tensor([1.0, 2.0]) * cr.tensor([[1.0], [10.0]])
    tensor([[ 1.,  2.],
            [10., 20.]])
    """
    return x * y


@vjp(multiply, "x")
def multiply_x(g: Array, out: None, x: None, y: Array) -> Array:
    return g * y


@vjp(multiply, "y")
def multiply_y(g: Array, out: None, x: Array, y: None) -> Array:
    return g * x


@primitive(shape=broadcast)
def divide(x: Array, y: Array, /) -> Array:
    """Return `x / y`; whole numbers are divided as floats.

    >>> import chainrule as cr
    >>> cr.tensor([1, 2]) / 2
    tensor([0.5000, 1.0000])
    """
    return x / y


@vjp(divide, "x")
def divide_x(g: Array, out: None, x: None, y: Array) -> Array:
    return g / y


@vjp(divide, "y")
def divide_y(g: Array, out: Array, x: None, y: Array) -> Array:
    return -g * out / y


@primitive(shape=same)
def negative(x: Array, /) -> Array:
    """Return `-x`.

    >>> import chainrule as cr
    >>> -cr.tensor([1.0, -2.0])
    tensor([-1.,  2.])
    """
    return -x


@vjp(negative, "x")
def negative_x(g: Array, out: None, x: None) -> Array:
    return -g


@primitive(shape=broadcast, flops=per_element(10))
def power(x: Array, y: Array, /) -> Array:
    """Return `x ** y`.

    Both gradients are 0 where their factor is: `x ** 0` does not move with `x`, nor `0 ** y` with
    a `y >= 0`.

    >>> import chainrule as cr
    >>> cr.tensor([1.0, 2.0, 3.0]) ** 2
    tensor([1., 4., 9.])
    """
    return x**y


@vjp(power, "x")
def power_x(g: Array, out: None, x: Array, y: Array) -> Array:
    if isinstance(y, int | float):
        return g * (y * x ** (y - 1)) if y else g * 0
    zero = y == 0
    return where(zero, 0.0, g * (y * x ** where(zero, 1.0, y - 1)))


@vjp(power, "y")
def power_y(g: Array, out: Array, x: Array, y: Array) -> Array:
    flat = (x == 0) & (y >= 0)
    one = np.ones((), out.dtype)  # a Python 1.0 would leave the dtype open where x is a number too
    return where(flat, 0.0, g * (out * log(where(flat, one, x))))


# ------------------------------------------------------------------------ functions of one number


@primitive(shape=same, flops=per_element(10))
def exp(x: Array, /) -> Array:
    """Return e to the power `x`.

    >>> import chainrule as cr
    >>> cr.exp(cr.tensor([0.0, 1.0]))
    tensor([1.0000, 2.7183])
    """
    return np.exp(x)


@vjp(exp, "x")
def exp_x(g: Array, out: Array, x: None) -> Array:
    return g * out


@primitive(shape=same, flops=per_element(10))
def log(x: Array, /) -> Array:
    """Return the natural logarithm.

    >>> import chainrule as cr
    >>> cr.log(cr.tensor([1.0, 10.0]))
    tensor([0.0000, 2.3026])
    """
    return np.log(x)


@vjp(log, "x")
def log_x(g: Array, out: None, x: Array) -> Array:
    return g / x


@primitive(shape=same, flops=per_element(10))
def log1p(x: Array, /) -> Array:
    """Return `log(1 + x)`, exact for small `x`.

    >>> import chainrule as cr
    >>> cr.log1p(cr.tensor([0.0, 1.0]))
    tensor([0.0000, 0.6931])
    """
    return np.log1p(x)


@vjp(log1p, "x")
def log1p_x(g: Array, out: None, x: Array) -> Array:
    return g / (1.0 + x)


@primitive(shape=same, flops=per_element(2))
def sqrt(x: Array, /) -> Array:
    """Return the square root; its gradient at 0 is infinite.

    >>> import chainrule as cr
    >>> cr.sqrt(cr.tensor([4.0, 9.0]))
    tensor([2., 3.])
    """
    return np.sqrt(x)


@vjp(sqrt, "x")
def sqrt_x(g: Array, out: Array, x: None) -> Array:
    return g / (2.0 * out)


@primitive(shape=same, flops=per_element(10))
def sin(x: Array, /) -> Array:
    """Return the sine.

    >>> import chainrule as cr
    >>> cr.sin(cr.tensor([0.0, 1.0]))
    tensor([0.0000, 0.8415])
    """
    return np.sin(x)


@vjp(sin, "x")
def sin_x(g: Array, out: None, x: Array) -> Array:
    return g * cos(x)


@primitive(shape=same, flops=per_element(10))
def cos(x: Array, /) -> Array:
    """Return the cosine.

    >>> import chainrule as cr
    >>> cr.cos(cr.tensor([0.0, 1.0]))
    tensor([1.0000, 0.5403])
    """
    return np.cos(x)


@vjp(cos, "x")
def cos_x(g: Array, out: None, x: Array) -> Array:
    return -g * sin(x)


@primitive(shape=same, flops=per_element(10))
def tanh(x: Array, /) -> Array:
    """Return the hyperbolic tangent.

    >>> import chainrule as cr
    >>> cr.tanh(cr.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7616])
    """
    return np.tanh(x)


@vjp(tanh, "x")
def tanh_x(g: Array, out: Array, x: None) -> Array:
    return g * (1.0 - out * out)


@primitive(shape=same, flops=per_element(10))
@np.errstate(over="ignore")  # where exp(-x) is infinite, the result is 0: right, and no news
def sigmoid(x: Array, /) -> Array:
    """Return `1 / (1 + exp(-x))`, for any `x`; to full precision where that is close to 0.

    >>> import chainrule as cr
    >>> cr.sigmoid(cr.tensor([-1000.0, 0.0, 1000.0]))
    tensor([0.0000, 0.5000, 1.0000])
    >>> f"{cr.sigmoid(cr.tensor(-40.0)).item():.3e}"
    '4.248e-18'
    """
    return 1.0 / (1.0 + np.exp(-1.0 * x))


@vjp(sigmoid, "x")
def sigmoid_x(g: Array, out: Array, x: None) -> Array:
    return g * (out * (1.0 - out))


@primitive(shape=same)
def relu(x: Array, /) -> Array:
    """Return `x` where it is positive, else 0; the gradient at 0 is 0.

    >>> import chainrule as cr
    >>> cr.relu(cr.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    return np.maximum(x, 0)


@vjp(relu, "x")
def relu_x(g: Array, out: Array, x: None) -> Array:
    return g * (out > 0)


@primitive(shape=same, flops=per_element(20))
def softplus(x: Array, /) -> Array:
    """Return `log(1 + exp(x))`, for any `x` without overflow.

    >>> import chainrule as cr
    >>> cr.softplus(cr.tensor([-1000.0, 0.0, 1000.0]))
    tensor([   0.0000,    0.6931, 1000.0000])
    """
    return np.logaddexp(x, np.zeros((), np.asarray(x).dtype))


@vjp(softplus, "x")
def softplus_x(g: Array, out: None, x: Array) -> Array:
    return g * sigmoid(x)


@primitive(shape=same)
def absolute(x: Array, /) -> Array:
    """Return the distance from 0 (`abs`); the gradient at 0 is 0.

    >>> import chainrule as cr
    >>> cr.absolute(cr.tensor([-1.5, 2.0]))
    tensor([1.5000, 2.0000])
    """
    return np.abs(x)


@vjp(absolute, "x")
def absolute_x(g: Array, out: None, x: Array) -> Array:
    return g * sign(x)
