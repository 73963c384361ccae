# ---
# jupyter:
#   jupytext:
#     cell_metadata_filter: all
#     notebook_metadata_filter: all
#     text_representation:
#       extension: .py
#       format_name: percent
# ---


# %% [markdown]
# Misconceptions. Each cell is a whole answer in the place of the exercise's cell; its first comment
# is what a student reads when their answer behaves like it.


# %% answer="unbroadcast" name="only_in_front" loses="stretched together"
# You sum the axes in front, but not those of length 1 that were stretched.
def unbroadcast(g, shape):
    in_front = g.ndim - len(shape)
    g = g.sum(axis=tuple(range(in_front)))
    return g


# %% answer="unbroadcast" name="only_stretched" loses="in_front"
# You sum the stretched axes, but leave in place those that broadcasting put in front.
def unbroadcast(g, shape):
    shape = (1,) * (g.ndim - len(shape)) + tuple(shape)
    stretched = tuple(i for i, n in enumerate(shape) if n == 1 and g.shape[i] != 1)
    return g.sum(axis=stretched, keepdims=True)


# %% answer="unbroadcast" name="axis_lost" loses="stretched together"
# A stretched axis is summed, but it must stay, with length 1: sum it with keepdims=True.
def unbroadcast(g, shape):
    in_front = g.ndim - len(shape)
    g = g.sum(axis=tuple(range(in_front)))
    stretched = tuple(i for i, n in enumerate(shape) if n == 1 and g.shape[i] != 1)
    return g.sum(axis=stretched, keepdims=False)


# %% answer="unbroadcast" name="mean" loses="in_front stretched together"
# What was copied has its gradients added. You take their mean.
def unbroadcast(g, shape):
    in_front = g.ndim - len(shape)
    g = g.mean(axis=tuple(range(in_front)))
    stretched = tuple(i for i, n in enumerate(shape) if n == 1 and g.shape[i] != 1)
    return g.mean(axis=stretched, keepdims=True)


# %% answer="unbroadcast" name="first_copy" loses="in_front stretched together"
# You keep the gradient of one copy and forget the others; they add up.
def unbroadcast(g, shape):
    while g.ndim > len(shape):
        g = g[0]
    for axis, n in enumerate(shape):
        if n == 1:
            g = g.take([0], axis=axis)
    return g


# %% answer="unbroadcast" name="aligned_from_the_left" loses="in_front together"
# Shapes are aligned from the right: new axes stand in front. You align them from the left.
def unbroadcast(g, shape):
    while g.ndim > len(shape):
        g = g.sum(axis=-1)
    stretched = tuple(i for i, n in enumerate(shape) if n == 1 and g.shape[i] != 1)
    return g.sum(axis=stretched, keepdims=True)


# %% answer="unbroadcast" name="in_place" loses="together"
# Your function changes the array it is given.
def unbroadcast(g, shape):
    in_front = g.ndim - len(shape)
    if in_front:
        for row in g[1:]:
            g[0] += row
        g = g[0]
    while g.ndim > len(shape):
        g = g.sum(axis=0)
    stretched = tuple(i for i, n in enumerate(shape) if n == 1 and g.shape[i] != 1)
    return g.sum(axis=stretched, keepdims=True)


# %% answer="unbroadcast" name="buffer" loses="together"
# A later call writes over the array that an earlier call returned. Return a new array each time.
_BUF = {}


def unbroadcast(g, shape):
    shape = tuple(shape)
    k = g.ndim - len(shape)
    padded = (1,) * k + shape
    axes = tuple(i for i in range(g.ndim) if padded[i] == 1 and g.shape[i] != 1)
    out = _BUF.setdefault(shape, np.empty(shape))
    out[...] = g.sum(axis=axes, keepdims=True).reshape(shape)
    return out


# %% answer="unbroadcast" name="cache_by_id" loses="together"
# Called again with the same array, which has changed in between, your function returns the old
# sums.
_LAST = [None, None, None]


def unbroadcast(g, shape):
    shape = tuple(shape)
    k = g.ndim - len(shape)
    padded = (1,) * k + shape
    axes = tuple(i for i in range(g.ndim) if padded[i] == 1 and g.shape[i] != 1)
    if _LAST[0] is not g or _LAST[1] != shape:
        _LAST[:] = [g, shape, g.sum(axis=axes, keepdims=True).reshape(shape)]
    return _LAST[2].copy()


# %% answer="unbroadcast" name="overwrites_when_equal" loses="together"
# With equal shapes the result is right, but `g` is overwritten on the way.
def unbroadcast(g, shape):
    shape = tuple(shape)
    if g.shape == shape:
        g *= 2
        out = g / 2
        g[...] = 0
        return out
    k = g.ndim - len(shape)
    padded = (1,) * k + shape
    axes = tuple(i for i in range(g.ndim) if padded[i] == 1 and g.shape[i] != 1)
    return g.sum(axis=axes, keepdims=True).reshape(shape)


# %% answer="unbroadcast" name="clip" loses="in_front"
# Large sums come back smaller than they are, small ones are right. A gradient is not clipped here.
def unbroadcast(g, shape):
    shape = tuple(shape)
    k = g.ndim - len(shape)
    padded = (1,) * k + shape
    axes = tuple(i for i in range(g.ndim) if padded[i] == 1 and g.shape[i] != 1)
    return np.clip(g.sum(axis=axes, keepdims=True).reshape(shape), -100, 100)


# %% answer="arithmetic" name="product_not_crossed" loses="add_multiply"
# In a product each factor gets g times the *other* one. You multiply by the factor itself.
def add_rule(g, a, b):
    return g, g


def multiply_rule(g, a, b):
    return g * a, g * b


def divide_rule(g, a, b):
    return g / b, -g * a / (b * b)


def power_rule(g, a, n):
    if n == 0:
        return (np.zeros_like(g),)
    return (g * n * a ** (n - 1),)


def matmul_rule(g, a, b):
    return g @ b.T, a.T @ g


# %% answer="arithmetic" name="no_upstream"
# A rule multiplies the upstream gradient `g` with the local slope. Yours returns the local slope
# of a product alone.
def add_rule(g, a, b):
    return g, g


def multiply_rule(g, a, b):
    return b + 0 * g, a + 0 * g


def divide_rule(g, a, b):
    return g / b, -g * a / (b * b)


def power_rule(g, a, n):
    if n == 0:
        return (np.zeros_like(g),)
    return (g * n * a ** (n - 1),)


def matmul_rule(g, a, b):
    return g @ b.T, a.T @ g


# %% answer="arithmetic" name="quotient_sign" loses="divide"
# The quotient shrinks as its denominator grows: dL/db has a minus sign.
def add_rule(g, a, b):
    return g, g


def multiply_rule(g, a, b):
    return g * b, g * a


def divide_rule(g, a, b):
    return g / b, g * a / (b * b)


def power_rule(g, a, n):
    if n == 0:
        return (np.zeros_like(g),)
    return (g * n * a ** (n - 1),)


def matmul_rule(g, a, b):
    return g @ b.T, a.T @ g


# %% answer="arithmetic" name="quotient_square" loses="divide"
# d(a/b)/db is -a/b², with the square of b. You divide by b once.
def add_rule(g, a, b):
    return g, g


def multiply_rule(g, a, b):
    return g * b, g * a


def divide_rule(g, a, b):
    return g / b, -g * a / b


def power_rule(g, a, n):
    if n == 0:
        return (np.zeros_like(g),)
    return (g * n * a ** (n - 1),)


def matmul_rule(g, a, b):
    return g @ b.T, a.T @ g


# %% answer="arithmetic" name="power_factor" loses="power"
# The derivative of a ** n is n · a ** (n − 1). The factor n is missing.
def add_rule(g, a, b):
    return g, g


def multiply_rule(g, a, b):
    return g * b, g * a


def divide_rule(g, a, b):
    return g / b, -g * a / (b * b)


def power_rule(g, a, n):
    if n == 0:
        return (np.zeros_like(g),)
    return (g * a ** (n - 1),)


def matmul_rule(g, a, b):
    return g @ b.T, a.T @ g


# %% answer="arithmetic" name="power_exponent" loses="power"
# The exponent goes down by one: a ** (n − 1). Yours stays n.
def add_rule(g, a, b):
    return g, g


def multiply_rule(g, a, b):
    return g * b, g * a


def divide_rule(g, a, b):
    return g / b, -g * a / (b * b)


def power_rule(g, a, n):
    if n == 0:
        return (np.zeros_like(g),)
    return (g * n * a**n,)


def matmul_rule(g, a, b):
    return g @ b.T, a.T @ g


# %% answer="arithmetic" name="power_zero" loses="power"
# For n = 0 your rule computes 0 · a ** −1, which is NaN where a is 0. a ** 0 does not move with
# a: its gradient is 0.
def add_rule(g, a, b):
    return g, g


def multiply_rule(g, a, b):
    return g * b, g * a


def divide_rule(g, a, b):
    return g / b, -g * a / (b * b)


def power_rule(g, a, n):
    return (g * n * a ** (n - 1),)


def matmul_rule(g, a, b):
    return g @ b.T, a.T @ g


# %% answer="arithmetic" name="matmul_order" loses="matmul"
# The order of a product of matrices matters: dL/da is g @ b.T and dL/db is a.T @ g. Check the
# shapes.
def add_rule(g, a, b):
    return g, g


def multiply_rule(g, a, b):
    return g * b, g * a


def divide_rule(g, a, b):
    return g / b, -g * a / (b * b)


def power_rule(g, a, n):
    if n == 0:
        return (np.zeros_like(g),)
    return (g * n * a ** (n - 1),)


def matmul_rule(g, a, b):
    return b @ g.T, g.T @ a


# %% answer="arithmetic" name="matmul_no_transpose" loses="matmul"
# A transpose is missing: dL/da is g @ b.T. With square matrices nothing fails, and the numbers
# are wrong.
def add_rule(g, a, b):
    return g, g


def multiply_rule(g, a, b):
    return g * b, g * a


def divide_rule(g, a, b):
    return g / b, -g * a / (b * b)


def power_rule(g, a, n):
    if n == 0:
        return (np.zeros_like(g),)
    return (g * n * a ** (n - 1),)


def matmul_rule(g, a, b):
    return g @ b, a @ g


# %% answer="arithmetic" name="in_place" loses="inputs_kept"
# Your rule for a product writes its result into `g`, which others will still read.
def add_rule(g, a, b):
    return g, g


def multiply_rule(g, a, b):
    to_b = g * a
    if np.shape(g) == np.broadcast_shapes(np.shape(g), np.shape(b)):
        g *= b
        return g, to_b
    return g * b, to_b


def divide_rule(g, a, b):
    return g / b, -g * a / (b * b)


def power_rule(g, a, n):
    if n == 0:
        return (np.zeros_like(g),)
    return (g * n * a ** (n - 1),)


def matmul_rule(g, a, b):
    return g @ b.T, a.T @ g


# %% answer="arithmetic" name="div_guard" loses="divide"
# Where `b` is near 0 your quotient is another one. A rule is exact for every `b` that is not 0.
def add_rule(g, a, b):
    return g, g


def multiply_rule(g, a, b):
    return g * b, g * a


def divide_rule(g, a, b):
    b = np.where(abs(b) < 1e-3, 1e-3, b)
    return g / b, -g * a / b**2


def power_rule(g, a, n):
    if n == 0:
        return (np.zeros_like(a),)
    return (g * n * a ** (n - 1),)


def matmul_rule(g, a, b):
    return g @ b.T, a.T @ g


# %% answer="arithmetic" name="mul_eps" loses="divide"
# Your denominators are a little too large; where `b` is small, it shows. Divide by `b` itself.
def add_rule(g, a, b):
    return g, g


def multiply_rule(g, a, b):
    return g * b, g * a


def divide_rule(g, a, b):
    return g / (b + 1e-12), -g * a / (b**2 + 1e-12)


def power_rule(g, a, n):
    if n == 0:
        return (np.zeros_like(a),)
    return (g * n * a ** (n - 1),)


def matmul_rule(g, a, b):
    return g @ b.T, a.T @ g


# %% answer="arithmetic" name="pow_zero_warns" loses="power"
# For n = 0 the answer is right, but it is computed through 0 to the power -1, and NumPy warns.
def add_rule(g, a, b):
    return g, g


def multiply_rule(g, a, b):
    return g * b, g * a


def divide_rule(g, a, b):
    return g / b, -g * a / b**2


def power_rule(g, a, n):
    return (np.where(n == 0, 0.0, g * n * a ** (n - 1.0)),)


def matmul_rule(g, a, b):
    return g @ b.T, a.T @ g


# %% answer="arithmetic" name="pow_small_n" loses="power"
# Exponents below some bound are treated as if they were that bound.
def add_rule(g, a, b):
    return g, g


def multiply_rule(g, a, b):
    return g * b, g * a


def divide_rule(g, a, b):
    return g / b, -g * a / b**2


def power_rule(g, a, n):
    if n == 0:
        return (np.zeros_like(a),)
    n = max(n, -2)
    return (g * n * a ** (n - 1),)


def matmul_rule(g, a, b):
    return g @ b.T, a.T @ g


# %% answer="arithmetic" name="pow_overwrites" loses="inputs_kept"
# The gradient of the power is right, but `a` is changed by the call.
def add_rule(g, a, b):
    return g, g


def multiply_rule(g, a, b):
    return g * b, g * a


def divide_rule(g, a, b):
    return g / b, -g * a / b**2


def power_rule(g, a, n):
    if n == 0:
        return (np.zeros_like(a),)
    out = g * n * a ** (n - 1)
    if a.ndim:
        a *= 1.0 + 1e-3
    return (out,)


def matmul_rule(g, a, b):
    return g @ b.T, a.T @ g


# %% answer="arithmetic" name="mat_overwrites" loses="inputs_kept"
# The gradients of the product are right, but `a` is overwritten where the matrices are not square.
def add_rule(g, a, b):
    return g, g


def multiply_rule(g, a, b):
    return g * b, g * a


def divide_rule(g, a, b):
    return g / b, -g * a / b**2


def power_rule(g, a, n):
    if n == 0:
        return (np.zeros_like(a),)
    return (g * n * a ** (n - 1),)


def matmul_rule(g, a, b):
    out = g @ b.T, a.T @ g
    if a.shape[0] != a.shape[1]:
        a[...] = out[0]
    return out


# %% answer="arithmetic" name="mul_clip" loses="add_multiply"
# Large gradients come back smaller than they are, small ones are right.
def add_rule(g, a, b):
    return g, g


def multiply_rule(g, a, b):
    return np.clip(g * b, -1e3, 1e3), np.clip(g * a, -1e3, 1e3)


def divide_rule(g, a, b):
    return g / b, -g * a / b**2


def power_rule(g, a, n):
    if n == 0:
        return (np.zeros_like(a),)
    return (g * n * a ** (n - 1),)


def matmul_rule(g, a, b):
    return g @ b.T, a.T @ g


# %% answer="rearranging" name="mean_as_sum" loses="sum_mean"
# The gradient of a mean is divided by how many numbers shared it. Yours is that of a sum.
def sum_rule(g, x, axis=None, keepdims=False):
    if axis is not None and not keepdims:
        g = np.expand_dims(g, axis)
    return np.zeros(x.shape) + g


def mean_rule(g, x, axis=None, keepdims=False):
    count = x.size if axis is None else x.shape[axis]
    return sum_rule(g, x, axis, keepdims)


def max_rule(g, x, axis=None, keepdims=False):
    winners = x == x.max(axis=axis, keepdims=True)
    return sum_rule(g, x, axis, keepdims) * winners / winners.sum(axis=axis, keepdims=True)


def reshape_rule(g, x):
    return g.reshape(x.shape)


def transpose_rule(g, x, axes):
    return g.transpose(np.argsort(axes))


def getitem_rule(g, x, key):
    out = np.zeros(x.shape)
    np.add.at(out, key, g)
    return out


# %% answer="rearranging" name="mean_by_all" loses="sum_mean"
# Along one axis, only the numbers of that axis share a mean. You divide by all of x.
def sum_rule(g, x, axis=None, keepdims=False):
    if axis is not None and not keepdims:
        g = np.expand_dims(g, axis)
    return np.zeros(x.shape) + g


def mean_rule(g, x, axis=None, keepdims=False):
    count = x.size
    return sum_rule(g, x, axis, keepdims) / count


def max_rule(g, x, axis=None, keepdims=False):
    winners = x == x.max(axis=axis, keepdims=True)
    return sum_rule(g, x, axis, keepdims) * winners / winners.sum(axis=axis, keepdims=True)


def reshape_rule(g, x):
    return g.reshape(x.shape)


def transpose_rule(g, x, axes):
    return g.transpose(np.argsort(axes))


def getitem_rule(g, x, key):
    out = np.zeros(x.shape)
    np.add.at(out, key, g)
    return out


# %% answer="rearranging" name="axis_ignored" loses="sum_mean"
# Where the axis was dropped, `g` has to be put back along that axis: np.expand_dims(g, axis). As
# it is, NumPy aligns it with the last axis.
def sum_rule(g, x, axis=None, keepdims=False):
    if axis is not None and not keepdims:
        pass
    return np.zeros(x.shape) + g


def mean_rule(g, x, axis=None, keepdims=False):
    count = x.size if axis is None else x.shape[axis]
    return sum_rule(g, x, axis, keepdims) / count


def max_rule(g, x, axis=None, keepdims=False):
    winners = x == x.max(axis=axis, keepdims=True)
    return sum_rule(g, x, axis, keepdims) * winners / winners.sum(axis=axis, keepdims=True)


def reshape_rule(g, x):
    return g.reshape(x.shape)


def transpose_rule(g, x, axes):
    return g.transpose(np.argsort(axes))


def getitem_rule(g, x, key):
    out = np.zeros(x.shape)
    np.add.at(out, key, g)
    return out


# %% answer="rearranging" name="max_to_all" loses="max"
# Only the largest element moves the maximum; the others get 0. You send the gradient to all.
def sum_rule(g, x, axis=None, keepdims=False):
    if axis is not None and not keepdims:
        g = np.expand_dims(g, axis)
    return np.zeros(x.shape) + g


def mean_rule(g, x, axis=None, keepdims=False):
    count = x.size if axis is None else x.shape[axis]
    return sum_rule(g, x, axis, keepdims) / count


def max_rule(g, x, axis=None, keepdims=False):
    return sum_rule(g, x, axis, keepdims)


def reshape_rule(g, x):
    return g.reshape(x.shape)


def transpose_rule(g, x, axes):
    return g.transpose(np.argsort(axes))


def getitem_rule(g, x, key):
    out = np.zeros(x.shape)
    np.add.at(out, key, g)
    return out


# %% answer="rearranging" name="max_ties_in_full" loses="max"
# Each of several equal winners gets the whole gradient; they should share it equally.
def sum_rule(g, x, axis=None, keepdims=False):
    if axis is not None and not keepdims:
        g = np.expand_dims(g, axis)
    return np.zeros(x.shape) + g


def mean_rule(g, x, axis=None, keepdims=False):
    count = x.size if axis is None else x.shape[axis]
    return sum_rule(g, x, axis, keepdims) / count


def max_rule(g, x, axis=None, keepdims=False):
    winners = x == x.max(axis=axis, keepdims=True)
    return sum_rule(g, x, axis, keepdims) * winners


def reshape_rule(g, x):
    return g.reshape(x.shape)


def transpose_rule(g, x, axes):
    return g.transpose(np.argsort(axes))


def getitem_rule(g, x, key):
    out = np.zeros(x.shape)
    np.add.at(out, key, g)
    return out


# %% answer="rearranging" name="max_first_only" loses="max"
# The first of several equal winners takes all; the exercise asks that they share it equally.
def sum_rule(g, x, axis=None, keepdims=False):
    if axis is not None and not keepdims:
        g = np.expand_dims(g, axis)
    return np.zeros(x.shape) + g


def mean_rule(g, x, axis=None, keepdims=False):
    count = x.size if axis is None else x.shape[axis]
    return sum_rule(g, x, axis, keepdims) / count


def max_rule(g, x, axis=None, keepdims=False):
    wide = sum_rule(g, x, axis, keepdims)
    if axis is None:
        out = np.zeros(x.size)
        out[x.argmax()] = 1.0
        return wide * out.reshape(x.shape)
    places = np.expand_dims(x.argmax(axis=axis), axis)
    out = np.zeros(x.shape)
    np.put_along_axis(out, places, 1.0, axis)
    return wide * out


def reshape_rule(g, x):
    return g.reshape(x.shape)


def transpose_rule(g, x, axes):
    return g.transpose(np.argsort(axes))


def getitem_rule(g, x, key):
    out = np.zeros(x.shape)
    np.add.at(out, key, g)
    return out


# %% answer="rearranging" name="transpose_again" loses="reshape_transpose"
# You apply the same order of axes once more. That undoes a swap of two axes, but not a rotation
# of three: it takes the inverse order.
def sum_rule(g, x, axis=None, keepdims=False):
    if axis is not None and not keepdims:
        g = np.expand_dims(g, axis)
    return np.zeros(x.shape) + g


def mean_rule(g, x, axis=None, keepdims=False):
    count = x.size if axis is None else x.shape[axis]
    return sum_rule(g, x, axis, keepdims) / count


def max_rule(g, x, axis=None, keepdims=False):
    winners = x == x.max(axis=axis, keepdims=True)
    return sum_rule(g, x, axis, keepdims) * winners / winners.sum(axis=axis, keepdims=True)


def reshape_rule(g, x):
    return g.reshape(x.shape)


def transpose_rule(g, x, axes):
    return g.transpose(axes)


def getitem_rule(g, x, key):
    out = np.zeros(x.shape)
    np.add.at(out, key, g)
    return out


# %% answer="rearranging" name="transpose_reversed" loses="reshape_transpose"
# g.T reverses all axes. That is right for two axes only.
def sum_rule(g, x, axis=None, keepdims=False):
    if axis is not None and not keepdims:
        g = np.expand_dims(g, axis)
    return np.zeros(x.shape) + g


def mean_rule(g, x, axis=None, keepdims=False):
    count = x.size if axis is None else x.shape[axis]
    return sum_rule(g, x, axis, keepdims) / count


def max_rule(g, x, axis=None, keepdims=False):
    winners = x == x.max(axis=axis, keepdims=True)
    return sum_rule(g, x, axis, keepdims) * winners / winners.sum(axis=axis, keepdims=True)


def reshape_rule(g, x):
    return g.reshape(x.shape)


def transpose_rule(g, x, axes):
    return g.T if g.ndim == 2 else g.transpose(tuple(axes)[::-1])


def getitem_rule(g, x, key):
    out = np.zeros(x.shape)
    np.add.at(out, key, g)
    return out


# %% answer="rearranging" name="reshape_as_transpose" loses="reshape_transpose"
# A reshape keeps the order of the numbers. You transposed.
def sum_rule(g, x, axis=None, keepdims=False):
    if axis is not None and not keepdims:
        g = np.expand_dims(g, axis)
    return np.zeros(x.shape) + g


def mean_rule(g, x, axis=None, keepdims=False):
    count = x.size if axis is None else x.shape[axis]
    return sum_rule(g, x, axis, keepdims) / count


def max_rule(g, x, axis=None, keepdims=False):
    winners = x == x.max(axis=axis, keepdims=True)
    return sum_rule(g, x, axis, keepdims) * winners / winners.sum(axis=axis, keepdims=True)


def reshape_rule(g, x):
    return g.T.reshape(x.shape)


def transpose_rule(g, x, axes):
    return g.transpose(np.argsort(axes))


def getitem_rule(g, x, key):
    out = np.zeros(x.shape)
    np.add.at(out, key, g)
    return out


# %% answer="rearranging" name="getitem_overwrites" loses="getitem"
# An element that was picked twice gets both gradients. `out[key] = g` or `out[key] += g` keeps
# only one; np.add.at adds them all.
def sum_rule(g, x, axis=None, keepdims=False):
    if axis is not None and not keepdims:
        g = np.expand_dims(g, axis)
    return np.zeros(x.shape) + g


def mean_rule(g, x, axis=None, keepdims=False):
    count = x.size if axis is None else x.shape[axis]
    return sum_rule(g, x, axis, keepdims) / count


def max_rule(g, x, axis=None, keepdims=False):
    winners = x == x.max(axis=axis, keepdims=True)
    return sum_rule(g, x, axis, keepdims) * winners / winners.sum(axis=axis, keepdims=True)


def reshape_rule(g, x):
    return g.reshape(x.shape)


def transpose_rule(g, x, axes):
    return g.transpose(np.argsort(axes))


def getitem_rule(g, x, key):
    out = np.zeros(x.shape)
    out[key] += g
    return out


# %% answer="rearranging" name="getitem_everywhere" loses="getitem"
# What was not picked has gradient 0. You spread the gradient over all of x.
def sum_rule(g, x, axis=None, keepdims=False):
    if axis is not None and not keepdims:
        g = np.expand_dims(g, axis)
    return np.zeros(x.shape) + g


def mean_rule(g, x, axis=None, keepdims=False):
    count = x.size if axis is None else x.shape[axis]
    return sum_rule(g, x, axis, keepdims) / count


def max_rule(g, x, axis=None, keepdims=False):
    winners = x == x.max(axis=axis, keepdims=True)
    return sum_rule(g, x, axis, keepdims) * winners / winners.sum(axis=axis, keepdims=True)


def reshape_rule(g, x):
    return g.reshape(x.shape)


def transpose_rule(g, x, axes):
    return g.transpose(np.argsort(axes))


def getitem_rule(g, x, key):
    return np.zeros(x.shape) + np.sum(g)


# %% answer="rearranging" name="in_place" loses="inputs_kept"
# Your rule writes into `x` or `g`. Others still read them.
def sum_rule(g, x, axis=None, keepdims=False):
    if axis is not None and not keepdims:
        g = np.expand_dims(g, axis)
    return np.zeros(x.shape) + g


def mean_rule(g, x, axis=None, keepdims=False):
    count = x.size if axis is None else x.shape[axis]
    return sum_rule(g, x, axis, keepdims) / count


def max_rule(g, x, axis=None, keepdims=False):
    winners = x == x.max(axis=axis, keepdims=True)
    return sum_rule(g, x, axis, keepdims) * winners / winners.sum(axis=axis, keepdims=True)


def reshape_rule(g, x):
    return g.reshape(x.shape)


def transpose_rule(g, x, axes):
    return g.transpose(np.argsort(axes))


def getitem_rule(g, x, key):
    out = x
    out[...] = 0
    np.add.at(out, key, g)
    return out


# %% answer="rearranging" name="max_isclose" loses="max"
# Elements that are nearly as large as the largest get a share too. Only equal ones tie.
def _put_back(g, axis, keepdims):
    return g if axis is None or keepdims else np.expand_dims(g, axis)


def sum_rule(g, x, axis=None, keepdims=False):
    return np.zeros_like(x) + _put_back(g, axis, keepdims)


def mean_rule(g, x, axis=None, keepdims=False):
    n = x.size if axis is None else x.shape[axis]
    return sum_rule(g, x, axis, keepdims) / n


def max_rule(g, x, axis=None, keepdims=False):
    w = np.isclose(x, x.max(axis=axis, keepdims=True))
    return _put_back(g, axis, keepdims) * w / w.sum(axis=axis, keepdims=True)


def reshape_rule(g, x):
    return g.reshape(x.shape)


def transpose_rule(g, x, axes):
    return g.transpose(np.argsort(axes))


def getitem_rule(g, x, key):
    out = np.zeros_like(x)
    np.add.at(out, key, g)
    return out


# %% answer="rearranging" name="max_f32" loses="max"
# The elements are compared in float32, so two that differ in a late digit tie.
def _put_back(g, axis, keepdims):
    return g if axis is None or keepdims else np.expand_dims(g, axis)


def sum_rule(g, x, axis=None, keepdims=False):
    return np.zeros_like(x) + _put_back(g, axis, keepdims)


def mean_rule(g, x, axis=None, keepdims=False):
    n = x.size if axis is None else x.shape[axis]
    return sum_rule(g, x, axis, keepdims) / n


def max_rule(g, x, axis=None, keepdims=False):
    x = x.astype(np.float32)
    w = x == x.max(axis=axis, keepdims=True)
    return _put_back(g, axis, keepdims) * w / w.sum(axis=axis, keepdims=True)


def reshape_rule(g, x):
    return g.reshape(x.shape)


def transpose_rule(g, x, axes):
    return g.transpose(np.argsort(axes))


def getitem_rule(g, x, key):
    out = np.zeros_like(x)
    np.add.at(out, key, g)
    return out


# %% answer="rearranging" name="max_weighted" loses="max"
# The shares are weighted with the values themselves; where the largest element is 0, that is 0/0.
def _put_back(g, axis, keepdims):
    return g if axis is None or keepdims else np.expand_dims(g, axis)


def sum_rule(g, x, axis=None, keepdims=False):
    return np.zeros_like(x) + _put_back(g, axis, keepdims)


def mean_rule(g, x, axis=None, keepdims=False):
    n = x.size if axis is None else x.shape[axis]
    return sum_rule(g, x, axis, keepdims) / n


def max_rule(g, x, axis=None, keepdims=False):
    w = x == x.max(axis=axis, keepdims=True)
    return _put_back(g, axis, keepdims) * (x * w) / (x * w).sum(axis=axis, keepdims=True)


def reshape_rule(g, x):
    return g.reshape(x.shape)


def transpose_rule(g, x, axes):
    return g.transpose(np.argsort(axes))


def getitem_rule(g, x, key):
    out = np.zeros_like(x)
    np.add.at(out, key, g)
    return out


# %% answer="rearranging" name="reshape_a" loses="reshape_transpose"
# Where `g` is the transpose of another array, its numbers come in the order of memory, not of the
# axes.
def _put_back(g, axis, keepdims):
    return g if axis is None or keepdims else np.expand_dims(g, axis)


def sum_rule(g, x, axis=None, keepdims=False):
    return np.zeros_like(x) + _put_back(g, axis, keepdims)


def mean_rule(g, x, axis=None, keepdims=False):
    n = x.size if axis is None else x.shape[axis]
    return sum_rule(g, x, axis, keepdims) / n


def max_rule(g, x, axis=None, keepdims=False):
    w = x == x.max(axis=axis, keepdims=True)
    return _put_back(g, axis, keepdims) * w / w.sum(axis=axis, keepdims=True)


def reshape_rule(g, x):
    return g.reshape(x.shape, order="A")


def transpose_rule(g, x, axes):
    return g.transpose(np.argsort(axes))


def getitem_rule(g, x, key):
    out = np.zeros_like(x)
    np.add.at(out, key, g)
    return out


# %% answer="rearranging" name="reshape_k" loses="reshape_transpose"
# Where `g` is a view of another array, its numbers are read in the order of memory, not of the
# axes.
def _put_back(g, axis, keepdims):
    return g if axis is None or keepdims else np.expand_dims(g, axis)


def sum_rule(g, x, axis=None, keepdims=False):
    return np.zeros_like(x) + _put_back(g, axis, keepdims)


def mean_rule(g, x, axis=None, keepdims=False):
    n = x.size if axis is None else x.shape[axis]
    return sum_rule(g, x, axis, keepdims) / n


def max_rule(g, x, axis=None, keepdims=False):
    w = x == x.max(axis=axis, keepdims=True)
    return _put_back(g, axis, keepdims) * w / w.sum(axis=axis, keepdims=True)


def reshape_rule(g, x):
    return g.ravel(order="K").reshape(x.shape)


def transpose_rule(g, x, axes):
    return g.transpose(np.argsort(axes))


def getitem_rule(g, x, key):
    out = np.zeros_like(x)
    np.add.at(out, key, g)
    return out


# %% answer="rearranging" name="get_unique" loses="getitem"
# An element that is picked once with a number from the front and once from the back (0 and -n)
# keeps one gradient only.
def _put_back(g, axis, keepdims):
    return g if axis is None or keepdims else np.expand_dims(g, axis)


def sum_rule(g, x, axis=None, keepdims=False):
    return np.zeros_like(x) + _put_back(g, axis, keepdims)


def mean_rule(g, x, axis=None, keepdims=False):
    n = x.size if axis is None else x.shape[axis]
    return sum_rule(g, x, axis, keepdims) / n


def max_rule(g, x, axis=None, keepdims=False):
    w = x == x.max(axis=axis, keepdims=True)
    return _put_back(g, axis, keepdims) * w / w.sum(axis=axis, keepdims=True)


def reshape_rule(g, x):
    return g.reshape(x.shape)


def transpose_rule(g, x, axes):
    return g.transpose(np.argsort(axes))


def getitem_rule(g, x, key):
    out = np.zeros_like(x)
    if (
        isinstance(key, (list, np.ndarray))
        and np.asarray(key).dtype != bool
        and np.asarray(key).ndim == 1
    ):
        k = np.asarray(key)
        for i in np.unique(k):
            out[i] = g[k == i].sum(0)
    else:
        np.add.at(out, key, g)
    return out


# %% answer="rearranging" name="get_2d_key_plus" loses="getitem"
# With an array of numbers with several axes as key, what is picked twice counts once.
def _put_back(g, axis, keepdims):
    return g if axis is None or keepdims else np.expand_dims(g, axis)


def sum_rule(g, x, axis=None, keepdims=False):
    return np.zeros_like(x) + _put_back(g, axis, keepdims)


def mean_rule(g, x, axis=None, keepdims=False):
    n = x.size if axis is None else x.shape[axis]
    return sum_rule(g, x, axis, keepdims) / n


def max_rule(g, x, axis=None, keepdims=False):
    w = x == x.max(axis=axis, keepdims=True)
    return _put_back(g, axis, keepdims) * w / w.sum(axis=axis, keepdims=True)


def reshape_rule(g, x):
    return g.reshape(x.shape)


def transpose_rule(g, x, axes):
    return g.transpose(np.argsort(axes))


def getitem_rule(g, x, key):
    out = np.zeros_like(x)
    if np.ndim(key) > 1 and not isinstance(key, tuple):
        out[key] += g
    else:
        np.add.at(out, key, g)
    return out


# %% answer="rearranging" name="get_flat" loses="getitem"
# A slice with a negative step, `x[::-1]`: the gradients come back in the wrong order.
def _put_back(g, axis, keepdims):
    return g if axis is None or keepdims else np.expand_dims(g, axis)


def sum_rule(g, x, axis=None, keepdims=False):
    return np.zeros_like(x) + _put_back(g, axis, keepdims)


def mean_rule(g, x, axis=None, keepdims=False):
    n = x.size if axis is None else x.shape[axis]
    return sum_rule(g, x, axis, keepdims) / n


def max_rule(g, x, axis=None, keepdims=False):
    w = x == x.max(axis=axis, keepdims=True)
    return _put_back(g, axis, keepdims) * w / w.sum(axis=axis, keepdims=True)


def reshape_rule(g, x):
    return g.reshape(x.shape)


def transpose_rule(g, x, axes):
    return g.transpose(np.argsort(axes))


def getitem_rule(g, x, key):
    out = np.zeros_like(x)
    np.add.at(out.reshape(-1), np.arange(x.size).reshape(x.shape)[key], np.abs(g) * np.sign(g))
    if isinstance(key, slice) and key.step and key.step < 0:
        out = out[::-1]
    return out


# %% answer="rearranging" name="get_buffer" loses="inputs_kept"
# A later call writes over the array that an earlier call returned. Make a new array of zeros each
# time.
_BUF = {}


def _put_back(g, axis, keepdims):
    return g if axis is None or keepdims else np.expand_dims(g, axis)


def sum_rule(g, x, axis=None, keepdims=False):
    return np.zeros_like(x) + _put_back(g, axis, keepdims)


def mean_rule(g, x, axis=None, keepdims=False):
    n = x.size if axis is None else x.shape[axis]
    return sum_rule(g, x, axis, keepdims) / n


def max_rule(g, x, axis=None, keepdims=False):
    w = x == x.max(axis=axis, keepdims=True)
    return _put_back(g, axis, keepdims) * w / w.sum(axis=axis, keepdims=True)


def reshape_rule(g, x):
    return g.reshape(x.shape)


def transpose_rule(g, x, axes):
    return g.transpose(np.argsort(axes))


def getitem_rule(g, x, key):
    out = _BUF.setdefault(x.shape, np.zeros_like(x))
    out[...] = 0
    np.add.at(out, key, g)
    return out


# %% answer="backward" name="overwrites" loses="shared"
# When a value is used twice its gradients add; yours keeps only the last one that arrives.
def backward(output, upstream=None, retain_graph=False):
    if not output.requires_grad:
        raise RuntimeError("nothing that this tensor was made from requires a gradient")
    if upstream is None:
        if output.data.size != 1:
            raise RuntimeError("needs an upstream gradient")
        upstream = np.ones(output.data.shape)
    if upstream.shape != output.data.shape:
        raise ValueError("shapes differ")
    order, seen, stack = [], set(), [(output, False)]
    while stack:
        tensor, parents_done = stack.pop()
        if parents_done:
            order.append(tensor)
        elif id(tensor) not in seen:
            seen.add(id(tensor))
            stack.append((tensor, True))
            stack.extend((p, False) for p in tensor.parents if p.requires_grad)
    arrived = {id(output): upstream}
    for tensor in reversed(order):
        g = arrived.pop(id(tensor), None)
        if g is not None and tensor.rule is None:
            tensor.grad = g.copy() if tensor.grad is None else tensor.grad + g
        elif g is not None:
            for parent, sent in zip(tensor.parents, tensor.rule(g)):
                if parent.requires_grad and sent is not None:
                    known = arrived.get(id(parent))
                    arrived[id(parent)] = sent
        if tensor.rule is not None and not retain_graph:
            tensor.rule, tensor.parents = freed, ()


# %% answer="backward" name="keeps_the_first" loses="shared"
# When a value is used twice its gradients add; yours keeps only the first one that arrives.
def backward(output, upstream=None, retain_graph=False):
    if not output.requires_grad:
        raise RuntimeError("nothing that this tensor was made from requires a gradient")
    if upstream is None:
        if output.data.size != 1:
            raise RuntimeError("needs an upstream gradient")
        upstream = np.ones(output.data.shape)
    if upstream.shape != output.data.shape:
        raise ValueError("shapes differ")
    order, seen, stack = [], set(), [(output, False)]
    while stack:
        tensor, parents_done = stack.pop()
        if parents_done:
            order.append(tensor)
        elif id(tensor) not in seen:
            seen.add(id(tensor))
            stack.append((tensor, True))
            stack.extend((p, False) for p in tensor.parents if p.requires_grad)
    arrived = {id(output): upstream}
    for tensor in reversed(order):
        g = arrived.pop(id(tensor), None)
        if g is not None and tensor.rule is None:
            tensor.grad = g.copy() if tensor.grad is None else tensor.grad + g
        elif g is not None:
            for parent, sent in zip(tensor.parents, tensor.rule(g)):
                if parent.requires_grad and sent is not None:
                    known = arrived.get(id(parent))
                    arrived[id(parent)] = sent if known is None else known
        if tensor.rule is not None and not retain_graph:
            tensor.rule, tensor.parents = freed, ()


# %% answer="backward" name="recursive_paths" loses="once long"
# Your backward calls itself for every parent. So a rule runs once for every path, of which there
# may be 2⁶⁰, and Python's stack ends after 1,000 calls.
def backward(output, upstream=None, retain_graph=False):
    if not output.requires_grad:
        raise RuntimeError("no gradient")
    if upstream is None:
        if output.data.size != 1:
            raise RuntimeError("needs an upstream gradient")
        upstream = np.ones(output.data.shape)
    if np.shape(upstream) != output.data.shape:
        raise ValueError("shapes differ")
    nodes = []

    def visit(tensor, g):
        if tensor.rule is None:
            tensor.grad = g.copy() if tensor.grad is None else tensor.grad + g
            return
        nodes.append(tensor)
        for parent, sent in zip(tensor.parents, tensor.rule(g)):
            if parent.requires_grad and sent is not None:
                visit(parent, sent)

    visit(output, np.asarray(upstream))
    for node in nodes:
        if not retain_graph:
            node.rule, node.parents = freed, ()


# %% answer="backward" name="recursive_order" loses="long"
# The order is right, but it is found by a function that calls itself: a chain of 10,000 nodes
# goes deeper than Python's stack. Keep a list as your own stack.
def backward(output, upstream=None, retain_graph=False):
    if not output.requires_grad:
        raise RuntimeError("nothing that this tensor was made from requires a gradient")
    if upstream is None:
        if output.data.size != 1:
            raise RuntimeError("needs an upstream gradient")
        upstream = np.ones(output.data.shape)
    if upstream.shape != output.data.shape:
        raise ValueError("shapes differ")
    order, seen = [], set()

    def visit(tensor):
        if id(tensor) not in seen:
            seen.add(id(tensor))
            for p in tensor.parents:
                if p.requires_grad:
                    visit(p)
            order.append(tensor)

    visit(output)
    arrived = {id(output): upstream}
    for tensor in reversed(order):
        g = arrived.pop(id(tensor), None)
        if g is not None and tensor.rule is None:
            tensor.grad = g.copy() if tensor.grad is None else tensor.grad + g
        elif g is not None:
            for parent, sent in zip(tensor.parents, tensor.rule(g)):
                if parent.requires_grad and sent is not None:
                    known = arrived.get(id(parent))
                    arrived[id(parent)] = sent if known is None else known + sent
        if tensor.rule is not None and not retain_graph:
            tensor.rule, tensor.parents = freed, ()


# %% answer="backward" name="breadth_first" loses="shared"
# You visit nodes in the order in which they are met. A node can be met early and still wait for
# gradients from others that used it; each must come after all that used it.
def backward(output, upstream=None, retain_graph=False):
    if not output.requires_grad:
        raise RuntimeError("nothing that this tensor was made from requires a gradient")
    if upstream is None:
        if output.data.size != 1:
            raise RuntimeError("needs an upstream gradient")
        upstream = np.ones(output.data.shape)
    if upstream.shape != output.data.shape:
        raise ValueError("shapes differ")
    order, seen, place = [output], {id(output)}, 0
    while place < len(order):
        for p in order[place].parents:
            if p.requires_grad and id(p) not in seen:
                seen.add(id(p))
                order.append(p)
        place += 1
    order = order[::-1]
    arrived = {id(output): upstream}
    for tensor in reversed(order):
        g = arrived.pop(id(tensor), None)
        if g is not None and tensor.rule is None:
            tensor.grad = g.copy() if tensor.grad is None else tensor.grad + g
        elif g is not None:
            for parent, sent in zip(tensor.parents, tensor.rule(g)):
                if parent.requires_grad and sent is not None:
                    known = arrived.get(id(parent))
                    arrived[id(parent)] = sent if known is None else known + sent
        if tensor.rule is not None and not retain_graph:
            tensor.rule, tensor.parents = freed, ()


# %% answer="backward" name="depth_first" loses="values long"
# You follow one way down to the leaves before the other ways have been added. A node's rule may
# be called only when everything has arrived there.
def backward(output, upstream=None, retain_graph=False):
    if not output.requires_grad:
        raise RuntimeError("nothing that this tensor was made from requires a gradient")
    if upstream is None:
        if output.data.size != 1:
            raise RuntimeError("needs an upstream gradient")
        upstream = np.ones(output.data.shape)
    if upstream.shape != output.data.shape:
        raise ValueError("shapes differ")
    order, seen, stack = [], set(), [output]
    while stack:
        tensor = stack.pop()
        if id(tensor) not in seen:
            seen.add(id(tensor))
            order.append(tensor)
            stack.extend(p for p in tensor.parents if p.requires_grad)
    order = order[::-1]
    arrived = {id(output): upstream}
    for tensor in reversed(order):
        g = arrived.pop(id(tensor), None)
        if g is not None and tensor.rule is None:
            tensor.grad = g.copy() if tensor.grad is None else tensor.grad + g
        elif g is not None:
            for parent, sent in zip(tensor.parents, tensor.rule(g)):
                if parent.requires_grad and sent is not None:
                    known = arrived.get(id(parent))
                    arrived[id(parent)] = sent if known is None else known + sent
        if tensor.rule is not None and not retain_graph:
            tensor.rule, tensor.parents = freed, ()


# %% answer="backward" name="no_accumulation" loses="leaves memory"
# A second pass must add to what the first left in .grad. Yours replaces it.
def backward(output, upstream=None, retain_graph=False):
    if not output.requires_grad:
        raise RuntimeError("nothing that this tensor was made from requires a gradient")
    if upstream is None:
        if output.data.size != 1:
            raise RuntimeError("needs an upstream gradient")
        upstream = np.ones(output.data.shape)
    if upstream.shape != output.data.shape:
        raise ValueError("shapes differ")
    order, seen, stack = [], set(), [(output, False)]
    while stack:
        tensor, parents_done = stack.pop()
        if parents_done:
            order.append(tensor)
        elif id(tensor) not in seen:
            seen.add(id(tensor))
            stack.append((tensor, True))
            stack.extend((p, False) for p in tensor.parents if p.requires_grad)
    arrived = {id(output): upstream}
    for tensor in reversed(order):
        g = arrived.pop(id(tensor), None)
        if g is not None and tensor.rule is None:
            tensor.grad = g.copy()
        elif g is not None:
            for parent, sent in zip(tensor.parents, tensor.rule(g)):
                if parent.requires_grad and sent is not None:
                    known = arrived.get(id(parent))
                    arrived[id(parent)] = sent if known is None else known + sent
        if tensor.rule is not None and not retain_graph:
            tensor.rule, tensor.parents = freed, ()


# %% answer="backward" name="nodes_keep_gradients" loses="values leaves"
# Only leaves keep a gradient. You store one in the nodes on the way too.
def backward(output, upstream=None, retain_graph=False):
    if not output.requires_grad:
        raise RuntimeError("nothing that this tensor was made from requires a gradient")
    if upstream is None:
        if output.data.size != 1:
            raise RuntimeError("needs an upstream gradient")
        upstream = np.ones(output.data.shape)
    if upstream.shape != output.data.shape:
        raise ValueError("shapes differ")
    order, seen, stack = [], set(), [(output, False)]
    while stack:
        tensor, parents_done = stack.pop()
        if parents_done:
            order.append(tensor)
        elif id(tensor) not in seen:
            seen.add(id(tensor))
            stack.append((tensor, True))
            stack.extend((p, False) for p in tensor.parents if p.requires_grad)
    arrived = {id(output): upstream}
    for tensor in reversed(order):
        g = arrived.pop(id(tensor), None)
        if tensor.rule is not None and g is not None:
            tensor.grad = g.copy()
        if g is not None and tensor.rule is None:
            tensor.grad = g.copy() if tensor.grad is None else tensor.grad + g
        elif g is not None:
            for parent, sent in zip(tensor.parents, tensor.rule(g)):
                if parent.requires_grad and sent is not None:
                    known = arrived.get(id(parent))
                    arrived[id(parent)] = sent if known is None else known + sent
        if tensor.rule is not None and not retain_graph:
            tensor.rule, tensor.parents = freed, ()


# %% answer="backward" name="everybody_gets_one" loses="leaves"
# Tensors without requires_grad are data: nobody wants their gradient, and .grad stays None.
def backward(output, upstream=None, retain_graph=False):
    if not output.requires_grad:
        raise RuntimeError("nothing that this tensor was made from requires a gradient")
    if upstream is None:
        if output.data.size != 1:
            raise RuntimeError("needs an upstream gradient")
        upstream = np.ones(output.data.shape)
    if upstream.shape != output.data.shape:
        raise ValueError("shapes differ")
    order, seen, stack = [], set(), [(output, False)]
    while stack:
        tensor, parents_done = stack.pop()
        if parents_done:
            order.append(tensor)
        elif id(tensor) not in seen:
            seen.add(id(tensor))
            stack.append((tensor, True))
            stack.extend((p, False) for p in tensor.parents if p.requires_grad)
    arrived = {id(output): upstream}
    for tensor in reversed(order):
        g = arrived.pop(id(tensor), None)
        if g is not None and tensor.rule is None:
            tensor.grad = g.copy() if tensor.grad is None else tensor.grad + g
        elif g is not None:
            for parent, sent in zip(tensor.parents, tensor.rule(g)):
                if sent is not None and parent.rule is None and not parent.requires_grad:
                    parent.grad = sent.copy()
                elif sent is not None:
                    known = arrived.get(id(parent))
                    arrived[id(parent)] = sent if known is None else known + sent
        if tensor.rule is not None and not retain_graph:
            tensor.rule, tensor.parents = freed, ()


# %% answer="backward" name="none_is_an_error" loses="leaves"
# A rule may return None for a parent: nothing flows there. Yours tries to add it.
def backward(output, upstream=None, retain_graph=False):
    if not output.requires_grad:
        raise RuntimeError("nothing that this tensor was made from requires a gradient")
    if upstream is None:
        if output.data.size != 1:
            raise RuntimeError("needs an upstream gradient")
        upstream = np.ones(output.data.shape)
    if upstream.shape != output.data.shape:
        raise ValueError("shapes differ")
    order, seen, stack = [], set(), [(output, False)]
    while stack:
        tensor, parents_done = stack.pop()
        if parents_done:
            order.append(tensor)
        elif id(tensor) not in seen:
            seen.add(id(tensor))
            stack.append((tensor, True))
            stack.extend((p, False) for p in tensor.parents if p.requires_grad)
    arrived = {id(output): upstream}
    for tensor in reversed(order):
        g = arrived.pop(id(tensor), None)
        if g is not None and tensor.rule is None:
            tensor.grad = g.copy() if tensor.grad is None else tensor.grad + g
        elif g is not None:
            for parent, sent in zip(tensor.parents, tensor.rule(g)):
                if parent.requires_grad:
                    known = arrived.get(id(parent))
                    arrived[id(parent)] = sent if known is None else known + sent
        if tensor.rule is not None and not retain_graph:
            tensor.rule, tensor.parents = freed, ()


# %% answer="backward" name="alias_of_upstream" loses="memory"
# The gradient in .grad is the very array that was passed in or handed out by a rule. Whoever
# changes one changes the other: store a copy.
def backward(output, upstream=None, retain_graph=False):
    if not output.requires_grad:
        raise RuntimeError("nothing that this tensor was made from requires a gradient")
    if upstream is None:
        if output.data.size != 1:
            raise RuntimeError("needs an upstream gradient")
        upstream = np.ones(output.data.shape)
    if upstream.shape != output.data.shape:
        raise ValueError("shapes differ")
    order, seen, stack = [], set(), [(output, False)]
    while stack:
        tensor, parents_done = stack.pop()
        if parents_done:
            order.append(tensor)
        elif id(tensor) not in seen:
            seen.add(id(tensor))
            stack.append((tensor, True))
            stack.extend((p, False) for p in tensor.parents if p.requires_grad)
    arrived = {id(output): upstream}
    for tensor in reversed(order):
        g = arrived.pop(id(tensor), None)
        if g is not None and tensor.rule is None:
            tensor.grad = g if tensor.grad is None else tensor.grad + g
        elif g is not None:
            for parent, sent in zip(tensor.parents, tensor.rule(g)):
                if parent.requires_grad and sent is not None:
                    known = arrived.get(id(parent))
                    arrived[id(parent)] = sent if known is None else known + sent
        if tensor.rule is not None and not retain_graph:
            tensor.rule, tensor.parents = freed, ()


# %% answer="backward" name="adds_in_place" loses="memory"
# You add in place to an array that a rule handed out, and that others still hold. Make a new
# array: known + sent.
def backward(output, upstream=None, retain_graph=False):
    if not output.requires_grad:
        raise RuntimeError("nothing that this tensor was made from requires a gradient")
    if upstream is None:
        if output.data.size != 1:
            raise RuntimeError("needs an upstream gradient")
        upstream = np.ones(output.data.shape)
    if upstream.shape != output.data.shape:
        raise ValueError("shapes differ")
    order, seen, stack = [], set(), [(output, False)]
    while stack:
        tensor, parents_done = stack.pop()
        if parents_done:
            order.append(tensor)
        elif id(tensor) not in seen:
            seen.add(id(tensor))
            stack.append((tensor, True))
            stack.extend((p, False) for p in tensor.parents if p.requires_grad)
    arrived = {id(output): upstream}
    for tensor in reversed(order):
        g = arrived.pop(id(tensor), None)
        if g is not None and tensor.rule is None:
            tensor.grad = g.copy() if tensor.grad is None else tensor.grad + g
        elif g is not None:
            for parent, sent in zip(tensor.parents, tensor.rule(g)):
                if parent.requires_grad and sent is not None:
                    known = arrived.get(id(parent))
                    if known is None:
                        arrived[id(parent)] = sent
                    else:
                        known += sent
        if tensor.rule is not None and not retain_graph:
            tensor.rule, tensor.parents = freed, ()


# %% answer="backward" name="never_freed" loses="freed start"
# The graph must be freed behind the pass, unless retain_graph is true: rule = freed, parents =
# ().
def backward(output, upstream=None, retain_graph=False):
    if not output.requires_grad:
        raise RuntimeError("nothing that this tensor was made from requires a gradient")
    if upstream is None:
        if output.data.size != 1:
            raise RuntimeError("needs an upstream gradient")
        upstream = np.ones(output.data.shape)
    if upstream.shape != output.data.shape:
        raise ValueError("shapes differ")
    order, seen, stack = [], set(), [(output, False)]
    while stack:
        tensor, parents_done = stack.pop()
        if parents_done:
            order.append(tensor)
        elif id(tensor) not in seen:
            seen.add(id(tensor))
            stack.append((tensor, True))
            stack.extend((p, False) for p in tensor.parents if p.requires_grad)
    arrived = {id(output): upstream}
    for tensor in reversed(order):
        g = arrived.pop(id(tensor), None)
        if g is not None and tensor.rule is None:
            tensor.grad = g.copy() if tensor.grad is None else tensor.grad + g
        elif g is not None:
            for parent, sent in zip(tensor.parents, tensor.rule(g)):
                if parent.requires_grad and sent is not None:
                    known = arrived.get(id(parent))
                    arrived[id(parent)] = sent if known is None else known + sent


# %% answer="backward" name="always_freed" loses="freed"
# retain_graph=True asks you to keep the graph for another pass. Yours frees it all the same.
def backward(output, upstream=None, retain_graph=False):
    if not output.requires_grad:
        raise RuntimeError("nothing that this tensor was made from requires a gradient")
    if upstream is None:
        if output.data.size != 1:
            raise RuntimeError("needs an upstream gradient")
        upstream = np.ones(output.data.shape)
    if upstream.shape != output.data.shape:
        raise ValueError("shapes differ")
    order, seen, stack = [], set(), [(output, False)]
    while stack:
        tensor, parents_done = stack.pop()
        if parents_done:
            order.append(tensor)
        elif id(tensor) not in seen:
            seen.add(id(tensor))
            stack.append((tensor, True))
            stack.extend((p, False) for p in tensor.parents if p.requires_grad)
    arrived = {id(output): upstream}
    for tensor in reversed(order):
        g = arrived.pop(id(tensor), None)
        if g is not None and tensor.rule is None:
            tensor.grad = g.copy() if tensor.grad is None else tensor.grad + g
        elif g is not None:
            for parent, sent in zip(tensor.parents, tensor.rule(g)):
                if parent.requires_grad and sent is not None:
                    known = arrived.get(id(parent))
                    arrived[id(parent)] = sent if known is None else known + sent
        if tensor.rule is not None:
            tensor.rule, tensor.parents = freed, ()


# %% answer="backward" name="frees_only_the_output" loses="freed"
# You free the last node alone. Every node that was visited is to be freed: they hold the memory.
def backward(output, upstream=None, retain_graph=False):
    if not output.requires_grad:
        raise RuntimeError("nothing that this tensor was made from requires a gradient")
    if upstream is None:
        if output.data.size != 1:
            raise RuntimeError("needs an upstream gradient")
        upstream = np.ones(output.data.shape)
    if upstream.shape != output.data.shape:
        raise ValueError("shapes differ")
    order, seen, stack = [], set(), [(output, False)]
    while stack:
        tensor, parents_done = stack.pop()
        if parents_done:
            order.append(tensor)
        elif id(tensor) not in seen:
            seen.add(id(tensor))
            stack.append((tensor, True))
            stack.extend((p, False) for p in tensor.parents if p.requires_grad)
    arrived = {id(output): upstream}
    for tensor in reversed(order):
        g = arrived.pop(id(tensor), None)
        if g is not None and tensor.rule is None:
            tensor.grad = g.copy() if tensor.grad is None else tensor.grad + g
        elif g is not None:
            for parent, sent in zip(tensor.parents, tensor.rule(g)):
                if parent.requires_grad and sent is not None:
                    known = arrived.get(id(parent))
                    arrived[id(parent)] = sent if known is None else known + sent
        if tensor is output and tensor.rule is not None and not retain_graph:
            tensor.rule, tensor.parents = freed, ()


# %% answer="backward" name="keeps_parents" loses="freed"
# A freed node must let go of its parents too (parents = ()), or the memory stays held.
def backward(output, upstream=None, retain_graph=False):
    if not output.requires_grad:
        raise RuntimeError("nothing that this tensor was made from requires a gradient")
    if upstream is None:
        if output.data.size != 1:
            raise RuntimeError("needs an upstream gradient")
        upstream = np.ones(output.data.shape)
    if upstream.shape != output.data.shape:
        raise ValueError("shapes differ")
    order, seen, stack = [], set(), [(output, False)]
    while stack:
        tensor, parents_done = stack.pop()
        if parents_done:
            order.append(tensor)
        elif id(tensor) not in seen:
            seen.add(id(tensor))
            stack.append((tensor, True))
            stack.extend((p, False) for p in tensor.parents if p.requires_grad)
    arrived = {id(output): upstream}
    for tensor in reversed(order):
        g = arrived.pop(id(tensor), None)
        if g is not None and tensor.rule is None:
            tensor.grad = g.copy() if tensor.grad is None else tensor.grad + g
        elif g is not None:
            for parent, sent in zip(tensor.parents, tensor.rule(g)):
                if parent.requires_grad and sent is not None:
                    known = arrived.get(id(parent))
                    arrived[id(parent)] = sent if known is None else known + sent
        if tensor.rule is not None and not retain_graph:
            tensor.rule = freed


# %% answer="backward" name="ones_for_many" loses="start"
# Without an upstream gradient you start from ones, whatever the shape. That is the gradient of
# the sum, which nobody asked for: more than one element needs an upstream gradient.
def backward(output, upstream=None, retain_graph=False):
    if not output.requires_grad:
        raise RuntimeError("nothing that this tensor was made from requires a gradient")
    if upstream is None:
        upstream = np.ones(output.data.shape)
    if upstream.shape != output.data.shape:
        raise ValueError("shapes differ")
    order, seen, stack = [], set(), [(output, False)]
    while stack:
        tensor, parents_done = stack.pop()
        if parents_done:
            order.append(tensor)
        elif id(tensor) not in seen:
            seen.add(id(tensor))
            stack.append((tensor, True))
            stack.extend((p, False) for p in tensor.parents if p.requires_grad)
    arrived = {id(output): upstream}
    for tensor in reversed(order):
        g = arrived.pop(id(tensor), None)
        if g is not None and tensor.rule is None:
            tensor.grad = g.copy() if tensor.grad is None else tensor.grad + g
        elif g is not None:
            for parent, sent in zip(tensor.parents, tensor.rule(g)):
                if parent.requires_grad and sent is not None:
                    known = arrived.get(id(parent))
                    arrived[id(parent)] = sent if known is None else known + sent
        if tensor.rule is not None and not retain_graph:
            tensor.rule, tensor.parents = freed, ()


# %% answer="backward" name="shape_unchecked" loses="start"
# An upstream gradient of another shape must raise ValueError, also where NumPy could broadcast
# it.
def backward(output, upstream=None, retain_graph=False):
    if not output.requires_grad:
        raise RuntimeError("nothing that this tensor was made from requires a gradient")
    if upstream is None:
        if output.data.size != 1:
            raise RuntimeError("needs an upstream gradient")
        upstream = np.ones(output.data.shape)
    order, seen, stack = [], set(), [(output, False)]
    while stack:
        tensor, parents_done = stack.pop()
        if parents_done:
            order.append(tensor)
        elif id(tensor) not in seen:
            seen.add(id(tensor))
            stack.append((tensor, True))
            stack.extend((p, False) for p in tensor.parents if p.requires_grad)
    arrived = {id(output): upstream}
    for tensor in reversed(order):
        g = arrived.pop(id(tensor), None)
        if g is not None and tensor.rule is None:
            tensor.grad = g.copy() if tensor.grad is None else tensor.grad + g
        elif g is not None:
            for parent, sent in zip(tensor.parents, tensor.rule(g)):
                if parent.requires_grad and sent is not None:
                    known = arrived.get(id(parent))
                    arrived[id(parent)] = sent if known is None else known + sent
        if tensor.rule is not None and not retain_graph:
            tensor.rule, tensor.parents = freed, ()


# %% answer="backward" name="upstream_ignored" loses="values shared"
# You start from ones although an upstream gradient was passed.
def backward(output, upstream=None, retain_graph=False):
    if not output.requires_grad:
        raise RuntimeError("nothing that this tensor was made from requires a gradient")
    if upstream is None:
        if output.data.size != 1:
            raise RuntimeError("needs an upstream gradient")
        upstream = np.ones(output.data.shape)
    if upstream.shape != output.data.shape:
        raise ValueError("shapes differ")
    order, seen, stack = [], set(), [(output, False)]
    while stack:
        tensor, parents_done = stack.pop()
        if parents_done:
            order.append(tensor)
        elif id(tensor) not in seen:
            seen.add(id(tensor))
            stack.append((tensor, True))
            stack.extend((p, False) for p in tensor.parents if p.requires_grad)
    arrived = {id(output): np.ones(output.data.shape)}
    for tensor in reversed(order):
        g = arrived.pop(id(tensor), None)
        if g is not None and tensor.rule is None:
            tensor.grad = g.copy() if tensor.grad is None else tensor.grad + g
        elif g is not None:
            for parent, sent in zip(tensor.parents, tensor.rule(g)):
                if parent.requires_grad and sent is not None:
                    known = arrived.get(id(parent))
                    arrived[id(parent)] = sent if known is None else known + sent
        if tensor.rule is not None and not retain_graph:
            tensor.rule, tensor.parents = freed, ()


# %% answer="backward" name="same_parent_once" loses="shared"
# A tensor may be the parent of a node twice, as in x * x: it gets both gradients. Yours takes it
# once.
def backward(output, upstream=None, retain_graph=False):
    if not output.requires_grad:
        raise RuntimeError("nothing that this tensor was made from requires a gradient")
    if upstream is None:
        if output.data.size != 1:
            raise RuntimeError("needs an upstream gradient")
        upstream = np.ones(output.data.shape)
    if upstream.shape != output.data.shape:
        raise ValueError("shapes differ")
    order, seen, stack = [], set(), [(output, False)]
    while stack:
        tensor, parents_done = stack.pop()
        if parents_done:
            order.append(tensor)
        elif id(tensor) not in seen:
            seen.add(id(tensor))
            stack.append((tensor, True))
            stack.extend((p, False) for p in tensor.parents if p.requires_grad)
    arrived = {id(output): upstream}
    for tensor in reversed(order):
        g = arrived.pop(id(tensor), None)
        if g is not None and tensor.rule is None:
            tensor.grad = g.copy() if tensor.grad is None else tensor.grad + g
        elif g is not None:
            for parent, sent in {
                id(p): (p, s) for p, s in zip(tensor.parents, tensor.rule(g))
            }.values():
                if parent.requires_grad and sent is not None:
                    known = arrived.get(id(parent))
                    arrived[id(parent)] = sent if known is None else known + sent
        if tensor.rule is not None and not retain_graph:
            tensor.rule, tensor.parents = freed, ()


# %% answer="backward" name="zeros_are_nothing" loses="leaves"
# A gradient of zeros is treated as if nothing had arrived. Zeros are something: they reach the
# leaves as zeros.
def backward(output, upstream=None, retain_graph=False):
    if not output.requires_grad:
        raise RuntimeError("output does not require a gradient")
    if upstream is None:
        if output.data.size != 1:
            raise RuntimeError("say the upstream gradient")
        upstream = np.ones(output.data.shape)
    upstream = np.asarray(upstream, dtype=float)
    if upstream.shape != output.data.shape:
        raise ValueError("shape")
    order, seen, todo = [], set(), [(output, False)]
    while todo:
        node, leave = todo.pop()
        if leave:
            order.append(node)
        elif id(node) not in seen:
            seen.add(id(node))
            todo.append((node, True))
            todo += [(p, False) for p in node.parents if p.requires_grad]
    sums = {id(output): upstream}
    for node in order[::-1]:
        g = sums.pop(id(node), None)
        if g is not None and np.any(g) and node.requires_grad:
            if node.rule is None:
                node.grad = g.copy() if node.grad is None else node.grad + g
            else:
                for p, part in zip(node.parents, node.rule(g)):
                    if part is not None and p.requires_grad:
                        part = np.asarray(part)
                        sums[id(p)] = sums[id(p)] + part if id(p) in sums else part
        if node.rule is not None and not retain_graph:
            node.rule, node.parents = freed, ()


# %% answer="backward" name="recursion_limit" loses="long"
# A chain of 10,000 nodes needs a higher recursion limit here. Walk with a list as your own stack,
# and the limit can stay.
import sys


def backward(output, upstream=None, retain_graph=False):
    sys.setrecursionlimit(1_000_000)
    if not output.requires_grad:
        raise RuntimeError("output does not require a gradient")
    if upstream is None:
        if output.data.size != 1:
            raise RuntimeError("say the upstream gradient")
        upstream = np.ones(output.data.shape)
    upstream = np.asarray(upstream, dtype=float)
    if upstream.shape != output.data.shape:
        raise ValueError("shape")

    order, seen = [], set()

    def visit(node):
        if id(node) in seen or not node.requires_grad:
            return
        seen.add(id(node))
        for p in node.parents:
            visit(p)
        order.append(node)

    visit(output)
    sums = {id(output): upstream}
    for node in order[::-1]:
        g = sums.pop(id(node), None)
        if g is not None and node.requires_grad:
            if node.rule is None:
                node.grad = g.copy() if node.grad is None else node.grad + g
            else:
                for p, part in zip(node.parents, node.rule(g)):
                    if part is not None and p.requires_grad:
                        part = np.asarray(part)
                        sums[id(p)] = sums[id(p)] + part if id(p) in sums else part
        if node.rule is not None and not retain_graph:
            node.rule, node.parents = freed, ()


# %% answer="backward" name="alias_two_leaves" loses="memory"
# Two leaves that get their gradient from one array share memory afterwards: a change of the one
# `.grad` changes the other.
def backward(output, upstream=None, retain_graph=False):
    if not output.requires_grad:
        raise RuntimeError("output does not require a gradient")
    if upstream is None:
        if output.data.size != 1:
            raise RuntimeError("say the upstream gradient")
        upstream = np.ones(output.data.shape)
    upstream = np.asarray(upstream, dtype=float)
    if upstream.shape != output.data.shape:
        raise ValueError("shape")
    copies = {}
    order, seen, todo = [], set(), [(output, False)]
    while todo:
        node, leave = todo.pop()
        if leave:
            order.append(node)
        elif id(node) not in seen:
            seen.add(id(node))
            todo.append((node, True))
            todo += [(p, False) for p in node.parents if p.requires_grad]
    sums = {id(output): upstream}
    for node in order[::-1]:
        g = sums.pop(id(node), None)
        if g is not None and node.requires_grad:
            if node.rule is None:
                node.grad = (
                    copies.setdefault(id(g), g.copy()) if node.grad is None else node.grad + g
                )
            else:
                for p, part in zip(node.parents, node.rule(g)):
                    if part is not None and p.requires_grad:
                        part = np.asarray(part)
                        sums[id(p)] = sums[id(p)] + part if id(p) in sums else part
        if node.rule is not None and not retain_graph:
            node.rule, node.parents = freed, ()


# %% answer="backward" name="no_requires_check_with_upstream" loses="start"
# With an upstream gradient, an output without `requires_grad` passes without an error.
def backward(output, upstream=None, retain_graph=False):
    if not output.requires_grad and upstream is None:
        raise RuntimeError("output does not require a gradient")
    if upstream is None:
        if output.data.size != 1:
            raise RuntimeError("say the upstream gradient")
        upstream = np.ones(output.data.shape)
    upstream = np.asarray(upstream, dtype=float)
    if upstream.shape != output.data.shape:
        raise ValueError("shape")
    order, seen, todo = [], set(), [(output, False)]
    while todo:
        node, leave = todo.pop()
        if leave:
            order.append(node)
        elif id(node) not in seen:
            seen.add(id(node))
            todo.append((node, True))
            todo += [(p, False) for p in node.parents if p.requires_grad]
    sums = {id(output): upstream}
    for node in order[::-1]:
        g = sums.pop(id(node), None)
        if g is not None and node.requires_grad:
            if node.rule is None:
                node.grad = g.copy() if node.grad is None else node.grad + g
            else:
                for p, part in zip(node.parents, node.rule(g)):
                    if part is not None and p.requires_grad:
                        part = np.asarray(part)
                        sums[id(p)] = sums[id(p)] + part if id(p) in sums else part
        if node.rule is not None and not retain_graph:
            node.rule, node.parents = freed, ()


# %% answer="backward" name="leaf_output_overwrites" loses="leaves"
# Where `output` is itself a leaf, a second pass overwrites `.grad` instead of adding to it.
def backward(output, upstream=None, retain_graph=False):
    if not output.requires_grad:
        raise RuntimeError("output does not require a gradient")
    if upstream is None:
        if output.data.size != 1:
            raise RuntimeError("say the upstream gradient")
        upstream = np.ones(output.data.shape)
    upstream = np.asarray(upstream, dtype=float)
    if upstream.shape != output.data.shape:
        raise ValueError("shape")
    order, seen, todo = [], set(), [(output, False)]
    while todo:
        node, leave = todo.pop()
        if leave:
            order.append(node)
        elif id(node) not in seen:
            seen.add(id(node))
            todo.append((node, True))
            todo += [(p, False) for p in node.parents if p.requires_grad]
    sums = {id(output): upstream}
    for node in order[::-1]:
        g = sums.pop(id(node), None)
        if g is not None and node.requires_grad:
            if node.rule is None:
                node.grad = g.copy() if node.grad is None or node is output else node.grad + g
            else:
                for p, part in zip(node.parents, node.rule(g)):
                    if part is not None and p.requires_grad:
                        part = np.asarray(part)
                        sums[id(p)] = sums[id(p)] + part if id(p) in sums else part
        if node.rule is not None and not retain_graph:
            node.rule, node.parents = freed, ()


# %% answer="backward" name="kahn_counts_once" loses="shared"
# A tensor that is used twice by one node is counted as one use, so its rule can be called before
# all has arrived.
def backward(output, upstream=None, retain_graph=False):
    if not output.requires_grad:
        raise RuntimeError("output does not require a gradient")
    if upstream is None:
        if output.data.size != 1:
            raise RuntimeError("say the upstream gradient")
        upstream = np.ones(output.data.shape)
    upstream = np.asarray(upstream, dtype=float)
    if upstream.shape != output.data.shape:
        raise ValueError("shape")

    uses, todo, found = {id(output): 0}, [output], [output]
    while todo:
        node = todo.pop()
        for p in node.parents:
            if p.requires_grad:
                if id(p) not in uses:
                    uses[id(p)] = 0
                    todo.append(p)
                    found.append(p)
        for p in {id(q): q for q in node.parents if q.requires_grad}.values():
            uses[id(p)] += 1
    sums, ready = {id(output): upstream}, [output]
    while ready:
        node = ready.pop()
        g = sums.pop(id(node), None)
        if node.rule is None:
            if g is not None:
                node.grad = g.copy() if node.grad is None else node.grad + g
            continue
        parts = node.rule(g) if g is not None else [None] * len(node.parents)
        for p, part in zip(node.parents, parts):
            if not p.requires_grad:
                continue
            if part is not None:
                sums[id(p)] = sums[id(p)] + part if id(p) in sums else np.asarray(part)
            uses[id(p)] -= 1
            if uses[id(p)] == 0:
                ready.append(p)
    if not retain_graph:
        for node in found:
            if node.rule is not None:
                node.rule, node.parents = freed, ()


# %% answer="backward" name="calls_rule_of_idle_nodes" loses="leaves"
# The rule of a node to which nothing came is called. The gradients come out the same, for work
# that nobody needs.
def backward(output, upstream=None, retain_graph=False):
    if not output.requires_grad:
        raise RuntimeError("output does not require a gradient")
    if upstream is None:
        if output.data.size != 1:
            raise RuntimeError("say the upstream gradient")
        upstream = np.ones(output.data.shape)
    upstream = np.asarray(upstream, dtype=float)
    if upstream.shape != output.data.shape:
        raise ValueError("shape")
    order, seen, todo = [], set(), [(output, False)]
    while todo:
        node, leave = todo.pop()
        if leave:
            order.append(node)
        elif id(node) not in seen:
            seen.add(id(node))
            todo.append((node, True))
            todo += [(p, False) for p in node.parents if p.requires_grad]
    sums = {id(output): upstream}
    for node in order[::-1]:
        g = sums.pop(id(node), None)
        if g is None and node.rule is not None:
            node.rule(np.zeros(node.data.shape))
        if g is not None and node.requires_grad:
            if node.rule is None:
                node.grad = g.copy() if node.grad is None else node.grad + g
            else:
                for p, part in zip(node.parents, node.rule(g)):
                    if part is not None and p.requires_grad:
                        part = np.asarray(part)
                        sums[id(p)] = sums[id(p)] + part if id(p) in sums else part
        if node.rule is not None and not retain_graph:
            node.rule, node.parents = freed, ()


# %% answer="backward" name="freed_checked_only_at_output" loses="freed"
# A second pass that meets a freed node in the middle passes over it in silence: gradients are
# missing, and nothing says so.
def backward(output, upstream=None, retain_graph=False):
    if not output.requires_grad:
        raise RuntimeError("output does not require a gradient")
    if upstream is None:
        if output.data.size != 1:
            raise RuntimeError("say the upstream gradient")
        upstream = np.ones(output.data.shape)
    upstream = np.asarray(upstream, dtype=float)
    if upstream.shape != output.data.shape:
        raise ValueError("shape")
    order, seen, todo = [], set(), [(output, False)]
    while todo:
        node, leave = todo.pop()
        if leave:
            order.append(node)
        elif id(node) not in seen:
            seen.add(id(node))
            todo.append((node, True))
            todo += [(p, False) for p in node.parents if p.requires_grad]
    sums = {id(output): upstream}
    for node in order[::-1]:
        g = sums.pop(id(node), None)
        if g is not None and node.requires_grad and (node is output or node.rule is not freed):
            if node.rule is None:
                node.grad = g.copy() if node.grad is None else node.grad + g
            else:
                for p, part in zip(node.parents, node.rule(g)):
                    if part is not None and p.requires_grad:
                        part = np.asarray(part)
                        sums[id(p)] = sums[id(p)] + part if id(p) in sums else part
        if node.rule is not None and not retain_graph:
            node.rule, node.parents = freed, ()


# %% answer="backward" name="seen_on_push_reversed" loses="shared"
# A tensor counts as seen when it is put on the stack, not when it is taken off. In some graphs it
# then comes before one that used it.
def backward(output, upstream=None, retain_graph=False):
    if not output.requires_grad:
        raise RuntimeError("output does not require a gradient")
    if upstream is None:
        if output.data.size != 1:
            raise RuntimeError("say the upstream gradient")
        upstream = np.ones(output.data.shape)
    upstream = np.asarray(upstream, dtype=float)
    if upstream.shape != output.data.shape:
        raise ValueError("shape")
    pushed = set()
    order, seen, todo = [], set(), [(output, False)]
    while todo:
        node, leave = todo.pop()
        if leave:
            order.append(node)
        elif id(node) not in seen:
            seen.add(id(node))
            todo.append((node, True))
            for p in reversed(node.parents):
                if id(p) not in pushed and p.requires_grad:
                    pushed.add(id(p))
                    todo.append((p, False))
    sums = {id(output): upstream}
    for node in order[::-1]:
        g = sums.pop(id(node), None)
        if g is not None and node.requires_grad:
            if node.rule is None:
                node.grad = g.copy() if node.grad is None else node.grad + g
            else:
                for p, part in zip(node.parents, node.rule(g)):
                    if part is not None and p.requires_grad:
                        part = np.asarray(part)
                        sums[id(p)] = sums[id(p)] + part if id(p) in sums else part
        if node.rule is not None and not retain_graph:
            node.rule, node.parents = freed, ()


# %% answer="record" name="always_records" loses="record"
# You record even where no parent requires a gradient, or inside no_grad: nobody will ask, and the
# memory is held.
def record(data, parents, rule):
    return Tensor(data, any(p.requires_grad for p in parents), parents, rule)


class no_grad:
    def __enter__(self):
        self.before = Mode.recording
        Mode.recording = False

    def __exit__(self, *exception):
        Mode.recording = self.before


def zero_grad(tensors):
    for t in tensors:
        t.grad = None


# %% answer="record" name="all_parents" loses="record"
# One parent that requires a gradient is enough. You ask that all do.
def record(data, parents, rule):
    if Mode.recording and all(p.requires_grad for p in parents):
        return Tensor(data, True, parents, rule)
    return Tensor(data)


class no_grad:
    def __enter__(self):
        self.before = Mode.recording
        Mode.recording = False

    def __exit__(self, *exception):
        Mode.recording = self.before


def zero_grad(tensors):
    for t in tensors:
        t.grad = None


# %% answer="record" name="mode_ignored" loses="record"
# Inside no_grad nothing is written down. Yours looks at the parents alone.
def record(data, parents, rule):
    if any(p.requires_grad for p in parents):
        return Tensor(data, True, parents, rule)
    return Tensor(data)


class no_grad:
    def __enter__(self):
        self.before = Mode.recording
        Mode.recording = False

    def __exit__(self, *exception):
        Mode.recording = self.before


def zero_grad(tensors):
    for t in tensors:
        t.grad = None


# %% answer="record" name="only_needed_parents" loses="record"
# `parents` are all parents, in order: the rule returns one gradient for each. You left some out.
def record(data, parents, rule):
    if Mode.recording and any(p.requires_grad for p in parents):
        return Tensor(data, True, [p for p in parents if p.requires_grad], rule)
    return Tensor(data)


class no_grad:
    def __enter__(self):
        self.before = Mode.recording
        Mode.recording = False

    def __exit__(self, *exception):
        Mode.recording = self.before


def zero_grad(tensors):
    for t in tensors:
        t.grad = None


# %% answer="record" name="on_again" loses="no_grad"
# Leaving a block, you switch recording on. It must become what it was before: the block may stand
# inside another.
def record(data, parents, rule):
    if Mode.recording and any(p.requires_grad for p in parents):
        return Tensor(data, True, parents, rule)
    return Tensor(data)


class no_grad:
    def __enter__(self):
        self.before = Mode.recording
        Mode.recording = False

    def __exit__(self, *exception):
        Mode.recording = True


def zero_grad(tensors):
    for t in tensors:
        t.grad = None


# %% answer="record" name="not_after_errors" loses="no_grad"
# A block that is left by an exception must restore the mode too: put it behind `finally`, or into
# __exit__.
def record(data, parents, rule):
    if Mode.recording and any(p.requires_grad for p in parents):
        return Tensor(data, True, parents, rule)
    return Tensor(data)


class no_grad:
    def __enter__(self):
        self.before = Mode.recording
        Mode.recording = False

    def __exit__(self, kind, *exception):
        if kind is None:
            Mode.recording = self.before


def zero_grad(tensors):
    for t in tensors:
        t.grad = None


# %% answer="record" name="swallows_errors" loses="no_grad"
# An exception inside the block must pass on. Your __exit__ returns True, which swallows it.
def record(data, parents, rule):
    if Mode.recording and any(p.requires_grad for p in parents):
        return Tensor(data, True, parents, rule)
    return Tensor(data)


class no_grad:
    def __enter__(self):
        self.before = Mode.recording
        Mode.recording = False

    def __exit__(self, *exception):
        Mode.recording = self.before
        return True


def zero_grad(tensors):
    for t in tensors:
        t.grad = None


# %% answer="record" name="remembered_at_import" loses="no_grad"
# The mode to return to is the one at the moment of entering. You remember one for all blocks.
def record(data, parents, rule):
    if Mode.recording and any(p.requires_grad for p in parents):
        return Tensor(data, True, parents, rule)
    return Tensor(data)


class no_grad:
    def __enter__(self):
        no_grad.before = Mode.recording
        Mode.recording = False

    def __exit__(self, *exception):
        Mode.recording = no_grad.before


def zero_grad(tensors):
    for t in tensors:
        t.grad = None


# %% answer="record" name="zeros" loses="zero_grad"
# `.grad` is to be None afterwards, not an array of zeros.
def record(data, parents, rule):
    if Mode.recording and any(p.requires_grad for p in parents):
        return Tensor(data, True, parents, rule)
    return Tensor(data)


class no_grad:
    def __enter__(self):
        self.before = Mode.recording
        Mode.recording = False

    def __exit__(self, *exception):
        Mode.recording = self.before


def zero_grad(tensors):
    for t in tensors:
        t.grad = np.zeros_like(t.data)


# %% answer="record" name="zero_data" loses="zero_grad"
# You set the numbers themselves to zero; it is the gradient that should be forgotten.
def record(data, parents, rule):
    if Mode.recording and any(p.requires_grad for p in parents):
        return Tensor(data, True, parents, rule)
    return Tensor(data)


class no_grad:
    def __enter__(self):
        self.before = Mode.recording
        Mode.recording = False

    def __exit__(self, *exception):
        Mode.recording = self.before


def zero_grad(tensors):
    for t in tensors:
        t.data = t.data * 0


# %% answer="record" name="two_parents" loses="record"
# Of three parents or more, only the first two are asked whether they need a gradient.
from contextlib import contextmanager


def record(data, parents, rule):
    parents = tuple(parents)
    if Mode.recording and any(p.requires_grad for p in parents[:2]):
        return Tensor(data, True, parents, rule)
    return Tensor(data)


@contextmanager
def no_grad():
    before = Mode.recording
    Mode.recording = False
    try:
        yield
    finally:
        Mode.recording = before


def zero_grad(tensors):
    for t in tensors:
        t.grad = None


# %% answer="record" name="unique_parents" loses="record"
# A tensor that is used twice by one operation is kept as one parent; the rule returns two
# gradients for it.
from contextlib import contextmanager


def record(data, parents, rule):
    parents = tuple(parents)
    if Mode.recording and any(p.requires_grad for p in parents):
        return Tensor(data, True, dict.fromkeys(parents), rule)
    return Tensor(data)


@contextmanager
def no_grad():
    before = Mode.recording
    Mode.recording = False
    try:
        yield
    finally:
        Mode.recording = before


def zero_grad(tensors):
    for t in tensors:
        t.grad = None


# %% answer="record" name="list_parents" loses="record"
# `parents` is a list here; it should be the tuple of all parents.
from contextlib import contextmanager


def record(data, parents, rule):
    parents = tuple(parents)
    if Mode.recording and any(p.requires_grad for p in parents):
        t = Tensor(data, True, parents, rule)
        t.parents = list(parents)
        return t
    return Tensor(data)


@contextmanager
def no_grad():
    before = Mode.recording
    Mode.recording = False
    try:
        yield
    finally:
        Mode.recording = before


def zero_grad(tensors):
    for t in tensors:
        t.grad = None


# %% answer="record" name="except_exception" loses="no_grad"
# After Ctrl-C inside the block recording stays off: KeyboardInterrupt is no `Exception`. `finally`
# is for all.
from contextlib import contextmanager


def record(data, parents, rule):
    parents = tuple(parents)
    if Mode.recording and any(p.requires_grad for p in parents):
        return Tensor(data, True, parents, rule)
    return Tensor(data)


@contextmanager
def no_grad():
    before = Mode.recording
    Mode.recording = False
    try:
        yield
    except Exception:
        Mode.recording = before
        raise
    Mode.recording = before


def zero_grad(tensors):
    for t in tensors:
        t.grad = None


# %% answer="record" name="init_sets" loses="no_grad"
# `no_grad()` switches recording off when the object is made. Only entering the block should.
from contextlib import contextmanager


def record(data, parents, rule):
    parents = tuple(parents)
    if Mode.recording and any(p.requires_grad for p in parents):
        return Tensor(data, True, parents, rule)
    return Tensor(data)


class no_grad:
    def __init__(self):
        self.before = Mode.recording
        Mode.recording = False

    def __enter__(self):
        pass

    def __exit__(self, *e):
        Mode.recording = self.before


def zero_grad(tensors):
    for t in tensors:
        t.grad = None


# %% answer="record" name="before_in_init" loses="no_grad"
# What was true before is remembered when the object is made; by the time of entering it may be
# something else.
from contextlib import contextmanager


def record(data, parents, rule):
    parents = tuple(parents)
    if Mode.recording and any(p.requires_grad for p in parents):
        return Tensor(data, True, parents, rule)
    return Tensor(data)


class no_grad:
    def __init__(self):
        self.before = Mode.recording

    def __enter__(self):
        Mode.recording = False

    def __exit__(self, *e):
        Mode.recording = self.before


def zero_grad(tensors):
    for t in tensors:
        t.grad = None


# %% answer="record" name="needs_only" loses="zero_grad"
# Tensors without `requires_grad` keep their `.grad`. Forget it for each tensor that is given.
from contextlib import contextmanager


def record(data, parents, rule):
    parents = tuple(parents)
    if Mode.recording and any(p.requires_grad for p in parents):
        return Tensor(data, True, parents, rule)
    return Tensor(data)


@contextmanager
def no_grad():
    before = Mode.recording
    Mode.recording = False
    try:
        yield
    finally:
        Mode.recording = before


def zero_grad(tensors):
    for t in tensors:
        if t.requires_grad:
            t.grad = None


# %% answer="record" name="parents_too" loses="zero_grad"
# The parents of a given tensor lose their gradients too, though nobody gave them.
from contextlib import contextmanager


def record(data, parents, rule):
    parents = tuple(parents)
    if Mode.recording and any(p.requires_grad for p in parents):
        return Tensor(data, True, parents, rule)
    return Tensor(data)


@contextmanager
def no_grad():
    before = Mode.recording
    Mode.recording = False
    try:
        yield
    finally:
        Mode.recording = before


def zero_grad(tensors):
    for t in tensors:
        t.grad = None
        for p in t.parents:
            p.grad = None


# %% answer="memory" name="detach_copies" loses="detach"
# `detach` shares memory; you made a copy.
def detach(t):
    out = Tensor(t.data.copy())
    out.version = t.version
    return out


def add_(t, value):
    if Mode.recording and t.requires_grad and t.rule is None:
        raise RuntimeError("a leaf that requires a gradient changes only inside no_grad")
    t.data[...] += value
    t.version[0] += 1
    return t


def keep(t):
    seen = t.version[0]

    def get():
        if t.version[0] != seen:
            raise RuntimeError(f"version {seen} was kept, but the memory is at {t.version[0]}")
        return t.data

    return get


# %% answer="memory" name="own_version" loses="detach"
# Two tensors of the same memory must share the version too, or a change through one goes
# unnoticed by the other.
def detach(t):
    out = Tensor(t.data)
    return out


def add_(t, value):
    if Mode.recording and t.requires_grad and t.rule is None:
        raise RuntimeError("a leaf that requires a gradient changes only inside no_grad")
    t.data[...] += value
    t.version[0] += 1
    return t


def keep(t):
    seen = t.version[0]

    def get():
        if t.version[0] != seen:
            raise RuntimeError(f"version {seen} was kept, but the memory is at {t.version[0]}")
        return t.data

    return get


# %% answer="memory" name="version_copied" loses="detach"
# You copied the version's list. It has to be the same list.
def detach(t):
    out = Tensor(t.data)
    out.version = list(t.version)
    return out


def add_(t, value):
    if Mode.recording and t.requires_grad and t.rule is None:
        raise RuntimeError("a leaf that requires a gradient changes only inside no_grad")
    t.data[...] += value
    t.version[0] += 1
    return t


def keep(t):
    seen = t.version[0]

    def get():
        if t.version[0] != seen:
            raise RuntimeError(f"version {seen} was kept, but the memory is at {t.version[0]}")
        return t.data

    return get


# %% answer="memory" name="detach_itself" loses="detach"
# You took the history off `t` itself. `detach` leaves `t` as it is.
def detach(t):
    t.requires_grad, t.rule, t.parents = False, None, ()
    return t


def add_(t, value):
    if Mode.recording and t.requires_grad and t.rule is None:
        raise RuntimeError("a leaf that requires a gradient changes only inside no_grad")
    t.data[...] += value
    t.version[0] += 1
    return t


def keep(t):
    seen = t.version[0]

    def get():
        if t.version[0] != seen:
            raise RuntimeError(f"version {seen} was kept, but the memory is at {t.version[0]}")
        return t.data

    return get


# %% answer="memory" name="not_counted" loses="add_in_place"
# Each change in place raises the version by one. Yours is not counted.
def detach(t):
    out = Tensor(t.data)
    out.version = t.version
    return out


def add_(t, value):
    if Mode.recording and t.requires_grad and t.rule is None:
        raise RuntimeError("a leaf that requires a gradient changes only inside no_grad")
    t.data[...] += value
    return t


def keep(t):
    seen = t.version[0]

    def get():
        if t.version[0] != seen:
            raise RuntimeError(f"version {seen} was kept, but the memory is at {t.version[0]}")
        return t.data

    return get


# %% answer="memory" name="new_array" loses="add_in_place"
# `t.data = t.data + value` makes a new array; whoever holds the old one sees no change. Add in
# place.
def detach(t):
    out = Tensor(t.data)
    out.version = t.version
    return out


def add_(t, value):
    if Mode.recording and t.requires_grad and t.rule is None:
        raise RuntimeError("a leaf that requires a gradient changes only inside no_grad")
    t.data = t.data + value
    t.version[0] += 1
    return t


def keep(t):
    seen = t.version[0]

    def get():
        if t.version[0] != seen:
            raise RuntimeError(f"version {seen} was kept, but the memory is at {t.version[0]}")
        return t.data

    return get


# %% answer="memory" name="leaf_unguarded" loses="add_in_place"
# A leaf that requires a gradient may be changed only inside no_grad: otherwise raise
# RuntimeError.
def detach(t):
    out = Tensor(t.data)
    out.version = t.version
    return out


def add_(t, value):
    t.data[...] += value
    t.version[0] += 1
    return t


def keep(t):
    seen = t.version[0]

    def get():
        if t.version[0] != seen:
            raise RuntimeError(f"version {seen} was kept, but the memory is at {t.version[0]}")
        return t.data

    return get


# %% answer="memory" name="nodes_guarded_too" loses="add_in_place"
# Only leaves that require a gradient are protected. You refuse nodes as well.
def detach(t):
    out = Tensor(t.data)
    out.version = t.version
    return out


def add_(t, value):
    if Mode.recording and t.requires_grad:
        raise RuntimeError("a leaf that requires a gradient changes only inside no_grad")
    t.data[...] += value
    t.version[0] += 1
    return t


def keep(t):
    seen = t.version[0]

    def get():
        if t.version[0] != seen:
            raise RuntimeError(f"version {seen} was kept, but the memory is at {t.version[0]}")
        return t.data

    return get


# %% answer="memory" name="changed_before_refusing" loses="add_in_place"
# When it refuses, nothing may have changed. You add first and check afterwards.
def detach(t):
    out = Tensor(t.data)
    out.version = t.version
    return out


def add_(t, value):
    t.data[...] += value
    t.version[0] += 1
    if Mode.recording and t.requires_grad and t.rule is None:
        raise RuntimeError("a leaf that requires a gradient changes only inside no_grad")
    return t


def keep(t):
    seen = t.version[0]

    def get():
        if t.version[0] != seen:
            raise RuntimeError(f"version {seen} was kept, but the memory is at {t.version[0]}")
        return t.data

    return get


# %% answer="memory" name="keeps_the_list" loses="keep"
# You remembered the list, not the number in it. The list changes with the memory, so the two
# never differ.
def detach(t):
    out = Tensor(t.data)
    out.version = t.version
    return out


def add_(t, value):
    if Mode.recording and t.requires_grad and t.rule is None:
        raise RuntimeError("a leaf that requires a gradient changes only inside no_grad")
    t.data[...] += value
    t.version[0] += 1
    return t


def keep(t):
    seen = t.version

    def get():
        if t.version != seen:
            raise RuntimeError(f"version {seen[0]} was kept, but the memory is at {t.version[0]}")
        return t.data

    return get


# %% answer="memory" name="keeps_a_copy" loses="keep"
# `keep` returns the data itself, and raises after a change. A copy hides the change, and doubles
# the memory.
def detach(t):
    out = Tensor(t.data)
    out.version = t.version
    return out


def add_(t, value):
    if Mode.recording and t.requires_grad and t.rule is None:
        raise RuntimeError("a leaf that requires a gradient changes only inside no_grad")
    t.data[...] += value
    t.version[0] += 1
    return t


def keep(t):
    kept = t.data.copy()

    def get():
        return kept

    return get


# %% answer="memory" name="no_versions_in_message" loses="keep"
# The message should contain both versions, the one kept and the one now.
def detach(t):
    out = Tensor(t.data)
    out.version = t.version
    return out


def add_(t, value):
    if Mode.recording and t.requires_grad and t.rule is None:
        raise RuntimeError("a leaf that requires a gradient changes only inside no_grad")
    t.data[...] += value
    t.version[0] += 1
    return t


def keep(t):
    seen = t.version[0]

    def get():
        if t.version[0] != seen:
            raise RuntimeError("changed in place")
        return t.data

    return get


# %% answer="memory" name="starts_from_zero" loses="keep"
# What counts is a change *since* `keep` was called. You compare with 0.
def detach(t):
    out = Tensor(t.data)
    out.version = t.version
    return out


def add_(t, value):
    if Mode.recording and t.requires_grad and t.rule is None:
        raise RuntimeError("a leaf that requires a gradient changes only inside no_grad")
    t.data[...] += value
    t.version[0] += 1
    return t


def keep(t):
    seen = t.version[0]

    def get():
        if t.version[0] != 0:
            raise RuntimeError(f"version {seen} was kept, but the memory is at {t.version[0]}")
        return t.data

    return get


# %% answer="memory" name="detach_resets" loses="detach"
# The version is set back to 0, for both tensors. Share the list, with what is in it.
def detach(t):
    d = Tensor(t.data)
    d.version = t.version
    d.version[0] = 0
    return d


def add_(t, value):
    if Mode.recording and t.requires_grad and t.rule is None:
        raise RuntimeError("a leaf that requires a gradient")
    t.data += value
    t.version[0] += 1
    return t


def keep(t):
    seen = t.version[0]

    def get():
        if t.version[0] != seen:
            raise RuntimeError(f"kept at version {seen}, now {t.version[0]}")
        return t.data

    return get


# %% answer="memory" name="detach_takes_grad" loses="detach"
# The detached tensor takes the `.grad` along. It is a new leaf that has none.
def detach(t):
    d = Tensor(t.data)
    d.version = t.version
    d.grad = t.grad
    return d


def add_(t, value):
    if Mode.recording and t.requires_grad and t.rule is None:
        raise RuntimeError("a leaf that requires a gradient")
    t.data += value
    t.version[0] += 1
    return t


def keep(t):
    seen = t.version[0]

    def get():
        if t.version[0] != seen:
            raise RuntimeError(f"kept at version {seen}, now {t.version[0]}")
        return t.data

    return get


# %% answer="memory" name="detach_t_requires" loses="detach"
# Detaching switches `requires_grad` of `t` off where `t` is a leaf.
def detach(t):
    d = Tensor(t.data)
    d.version = t.version
    t.requires_grad = t.rule is not None
    return d


def add_(t, value):
    if Mode.recording and t.requires_grad and t.rule is None:
        raise RuntimeError("a leaf that requires a gradient")
    t.data += value
    t.version[0] += 1
    return t


def keep(t):
    seen = t.version[0]

    def get():
        if t.version[0] != seen:
            raise RuntimeError(f"kept at version {seen}, now {t.version[0]}")
        return t.data

    return get


# %% answer="memory" name="detach_self" loses="detach"
# For a leaf without `requires_grad` you return `t` itself; a new tensor was asked for.
def detach(t):
    d = Tensor(t.data)
    d.version = t.version
    return d if t.requires_grad else t


def add_(t, value):
    if Mode.recording and t.requires_grad and t.rule is None:
        raise RuntimeError("a leaf that requires a gradient")
    t.data += value
    t.version[0] += 1
    return t


def keep(t):
    seen = t.version[0]

    def get():
        if t.version[0] != seen:
            raise RuntimeError(f"kept at version {seen}, now {t.version[0]}")
        return t.data

    return get


# %% answer="memory" name="detach_keeps_requires" loses="detach"
# The detached tensor of a leaf still has `requires_grad`.
def detach(t):
    d = Tensor(t.data, t.requires_grad and t.rule is None)
    d.version = t.version
    return d


def add_(t, value):
    if Mode.recording and t.requires_grad and t.rule is None:
        raise RuntimeError("a leaf that requires a gradient")
    t.data += value
    t.version[0] += 1
    return t


def keep(t):
    seen = t.version[0]

    def get():
        if t.version[0] != seen:
            raise RuntimeError(f"kept at version {seen}, now {t.version[0]}")
        return t.data

    return get


# %% answer="memory" name="add_new_list" loses="add_in_place"
# `t.version` is a new list after the change. A tensor that shares the old one does not notice.
def detach(t):
    d = Tensor(t.data)
    d.version = t.version
    return d


def add_(t, value):
    if Mode.recording and t.requires_grad and t.rule is None:
        raise RuntimeError("a leaf that requires a gradient")
    t.data += value
    t.version = [t.version[0] + 1]
    return t


def keep(t):
    seen = t.version[0]

    def get():
        if t.version[0] != seen:
            raise RuntimeError(f"kept at version {seen}, now {t.version[0]}")
        return t.data

    return get


# %% answer="memory" name="add_by_value" loses="add_in_place"
# Adding 0 does not raise the version. Every in-place change counts, without a look at the numbers.
def detach(t):
    d = Tensor(t.data)
    d.version = t.version
    return d


def add_(t, value):
    if Mode.recording and t.requires_grad and t.rule is None:
        raise RuntimeError("a leaf that requires a gradient")
    t.data += value
    t.version[0] += int(np.any(value))
    return t


def keep(t):
    seen = t.version[0]

    def get():
        if t.version[0] != seen:
            raise RuntimeError(f"kept at version {seen}, now {t.version[0]}")
        return t.data

    return get


# %% answer="memory" name="add_value_overwritten" loses="add_in_place"
# The sum is right, but `value` is changed by the call.
def detach(t):
    d = Tensor(t.data)
    d.version = t.version
    return d


def add_(t, value):
    if Mode.recording and t.requires_grad and t.rule is None:
        raise RuntimeError("a leaf that requires a gradient")
    t.data += value
    if np.ndim(value):
        value *= 0
    t.version[0] += 1
    return t


def keep(t):
    seen = t.version[0]

    def get():
        if t.version[0] != seen:
            raise RuntimeError(f"kept at version {seen}, now {t.version[0]}")
        return t.data

    return get


# %% answer="memory" name="add_makes_leaf" loses="add_in_place"
# A node loses its rule and parents when it is changed in place. Its history should stay.
def detach(t):
    d = Tensor(t.data)
    d.version = t.version
    return d


def add_(t, value):
    if Mode.recording and t.requires_grad and t.rule is None:
        raise RuntimeError("a leaf that requires a gradient")
    t.data += value
    t.version[0] += 1
    t.rule, t.parents = None, ()
    return t


def keep(t):
    seen = t.version[0]

    def get():
        if t.version[0] != seen:
            raise RuntimeError(f"kept at version {seen}, now {t.version[0]}")
        return t.data

    return get


# %% answer="memory" name="keep_by_value" loses="keep"
# You compare numbers instead of versions: a change that was taken back, or one by 0, goes
# unnoticed.
def detach(t):
    d = Tensor(t.data)
    d.version = t.version
    return d


def add_(t, value):
    if Mode.recording and t.requires_grad and t.rule is None:
        raise RuntimeError("a leaf that requires a gradient")
    t.data += value
    t.version[0] += 1
    return t


def keep(t):
    seen = t.version[0]
    old = t.data.copy()

    def get():
        if not np.array_equal(t.data, old):
            raise RuntimeError(f"kept at version {seen}, now {t.version[0]}")
        return t.data

    return get


# %% answer="memory" name="keep_raises_once" loses="keep"
# The first read after a change raises, the second returns the changed data.
def detach(t):
    d = Tensor(t.data)
    d.version = t.version
    return d


def add_(t, value):
    if Mode.recording and t.requires_grad and t.rule is None:
        raise RuntimeError("a leaf that requires a gradient")
    t.data += value
    t.version[0] += 1
    return t


def keep(t):
    seen = [t.version[0]]

    def get():
        if t.version[0] != seen[0]:
            before, seen[0] = seen[0], t.version[0]
            raise RuntimeError(f"kept at version {before}, now {t.version[0]}")
        return t.data

    return get


# %% answer="memory" name="keep_first_call" loses="keep"
# The version is remembered at the first read, not when `keep` is called: a change between the two
# goes unnoticed.
def detach(t):
    d = Tensor(t.data)
    d.version = t.version
    return d


def add_(t, value):
    if Mode.recording and t.requires_grad and t.rule is None:
        raise RuntimeError("a leaf that requires a gradient")
    t.data += value
    t.version[0] += 1
    return t


def keep(t):
    seen = []

    def get():
        seen.append(t.version[0])
        if t.version[0] != seen[0]:
            raise RuntimeError(f"kept at version {seen[0]}, now {t.version[0]}")
        return t.data

    return get


# %% answer="memory" name="keep_global" loses="keep"
# One version is remembered for each tensor, so keeping it again makes the older function forget
# the change.
def detach(t):
    d = Tensor(t.data)
    d.version = t.version
    return d


def add_(t, value):
    if Mode.recording and t.requires_grad and t.rule is None:
        raise RuntimeError("a leaf that requires a gradient")
    t.data += value
    t.version[0] += 1
    return t


SEEN = {}


def keep(t):
    SEEN[id(t)] = t.version[0]

    def get():
        if t.version[0] != SEEN[id(t)]:
            raise RuntimeError(f"kept at version {SEEN[id(t)]}, now {t.version[0]}")
        return t.data

    return get


# %% answer="hvp" name="gradient_times_v" loses="values once linear"
# That is the gradient times v. H v is the gradient of their scalar product.
def hvp(f, x, v):
    import chainrule as cr

    t = cr.tensor(x, requires_grad=True)
    (g,) = cr.grad(f(t), t)
    return g.data * v


# %% answer="hvp" name="diagonal" loses="values"
# You multiply v by the row sums of H (the gradient of g.sum()). H v mixes the entries of v:
# differentiate (g * v).sum().
def hvp(f, x, v):
    import chainrule as cr

    t = cr.tensor(x, requires_grad=True)
    (g,) = cr.grad(f(t), t, create_graph=True)
    if not g.requires_grad:
        return np.zeros(x.shape)
    (h,) = cr.grad(g.sum(), t, allow_unused=True)
    return np.zeros(x.shape) if h is None else h.data * v


# %% answer="hvp" name="finite_differences"
# Differences of gradients call f twice, and are right to 8 digits or so. Differentiate the
# gradient itself.
def hvp(f, x, v):
    import chainrule as cr

    def slope(point):
        t = cr.tensor(point, requires_grad=True)
        return cr.grad(f(t), t)[0].data

    return (slope(x + 1e-6 * v) - slope(x - 1e-6 * v)) / 2e-6


# %% answer="hvp" name="linear_unhandled" loses="linear"
# Where the gradient does not depend on x, there is nothing to differentiate, and the answer is
# zeros. Yours raises.
def hvp(f, x, v):
    import chainrule as cr

    t = cr.tensor(x, requires_grad=True)
    (g,) = cr.grad(f(t), t, create_graph=True)
    (h,) = cr.grad((g * cr.tensor(v)).sum(), t, allow_unused=True)
    return np.zeros(x.shape) if h is None else h.data


# %% answer="hvp" name="zeros_forgotten" loses="linear"
# Other tensors in f may require gradients: then g does too, though nothing leads from it back to
# x. Ask with allow_unused=True, and answer zeros.
def hvp(f, x, v):
    import chainrule as cr

    t = cr.tensor(x, requires_grad=True)
    (g,) = cr.grad(f(t), t, create_graph=True)
    if not g.requires_grad:
        return np.zeros(x.shape)
    (h,) = cr.grad((g * cr.tensor(v)).sum(), t)
    return np.zeros(x.shape) if h is None else h.data


# %% answer="hvp" name="forms_h" loses="once"
# The numbers are right, but you go back once for each element of `x`: that forms H row by row.
def hvp(f, x, v):
    import chainrule as cr

    t = cr.tensor(x, requires_grad=True)
    (g,) = cr.grad(f(t), t, create_graph=True)
    if not g.requires_grad:
        return np.zeros(x.shape)
    out = np.zeros(x.size)
    for i in range(x.size):
        e = np.zeros(x.size)
        e[i] = 1.0
        (row,) = cr.grad(
            (g * cr.tensor(e.reshape(x.shape))).sum(), t, retain_graph=True, allow_unused=True
        )
        if row is not None:
            out[i] = (row.data * v).sum()
    return out.reshape(x.shape)


# %% answer="train" name="gradients_pile_up" loses="numbers"
# Gradients accumulate: in each step yours still holds those of all steps before. Forget them.
def train(cr, x, y, w1, w2, lr, steps):
    x, y = cr.tensor(x), cr.tensor(y)
    a, b = cr.tensor(w1, requires_grad=True), cr.tensor(w2, requires_grad=True)
    losses = []
    for _ in range(steps):
        loss = ((cr.relu(x @ a) @ b - y) ** 2).sum()
        losses.append(loss.item())
        loss.backward()
        with cr.no_grad():
            a -= lr * a.grad
            b -= lr * b.grad
    return losses, a.detach().numpy(), b.detach().numpy()


# %% answer="train" name="only_w2" loses="numbers inputs_kept"
# Only the second weight matrix is trained.
def train(cr, x, y, w1, w2, lr, steps):
    x, y = cr.tensor(x), cr.tensor(y)
    a, b = cr.tensor(w1, requires_grad=True), cr.tensor(w2, requires_grad=True)
    losses = []
    for _ in range(steps):
        loss = ((cr.relu(x @ a) @ b - y) ** 2).sum()
        losses.append(loss.item())
        loss.backward()
        with cr.no_grad():
            b -= lr * b.grad
        a.grad = b.grad = None
    return losses, a.detach().numpy(), b.detach().numpy()


# %% answer="train" name="mean_instead_of_sum" loses="numbers inputs_kept"
# The loss is the sum of the squares. You take their mean.
def train(cr, x, y, w1, w2, lr, steps):
    x, y = cr.tensor(x), cr.tensor(y)
    a, b = cr.tensor(w1, requires_grad=True), cr.tensor(w2, requires_grad=True)
    losses = []
    for _ in range(steps):
        loss = ((cr.relu(x @ a) @ b - y) ** 2).mean()
        losses.append(loss.item())
        loss.backward()
        with cr.no_grad():
            a -= lr * a.grad
            b -= lr * b.grad
        a.grad = b.grad = None
    return losses, a.detach().numpy(), b.detach().numpy()


# %% answer="train" name="ascends" loses="numbers inputs_kept"
# You add the gradient, so the loss grows. Descent subtracts it.
def train(cr, x, y, w1, w2, lr, steps):
    x, y = cr.tensor(x), cr.tensor(y)
    a, b = cr.tensor(w1, requires_grad=True), cr.tensor(w2, requires_grad=True)
    losses = []
    for _ in range(steps):
        loss = ((cr.relu(x @ a) @ b - y) ** 2).sum()
        losses.append(loss.item())
        loss.backward()
        with cr.no_grad():
            a += lr * a.grad
            b += lr * b.grad
        a.grad = b.grad = None
    return losses, a.detach().numpy(), b.detach().numpy()


# %% answer="train" name="no_relu"
# There is no ReLU between the layers.
def train(cr, x, y, w1, w2, lr, steps):
    x, y = cr.tensor(x), cr.tensor(y)
    a, b = cr.tensor(w1, requires_grad=True), cr.tensor(w2, requires_grad=True)
    losses = []
    for _ in range(steps):
        loss = (((x @ a) @ b - y) ** 2).sum()
        losses.append(loss.item())
        loss.backward()
        with cr.no_grad():
            a -= lr * a.grad
            b -= lr * b.grad
        a.grad = b.grad = None
    return losses, a.detach().numpy(), b.detach().numpy()


# %% answer="train" name="loss_after" loses="numbers inputs_kept"
# The list holds the loss *before* each update. Yours is taken after it.
def train(cr, x, y, w1, w2, lr, steps):
    x, y = cr.tensor(x), cr.tensor(y)
    a, b = cr.tensor(w1, requires_grad=True), cr.tensor(w2, requires_grad=True)
    losses = []
    for _ in range(steps):
        loss = ((cr.relu(x @ a) @ b - y) ** 2).sum()
        loss.backward()
        with cr.no_grad():
            a -= lr * a.grad
            b -= lr * b.grad
        a.grad = b.grad = None
        losses.append(((cr.relu(x @ a) @ b - y) ** 2).sum().item())
    return losses, a.detach().numpy(), b.detach().numpy()


# %% answer="train" name="changes_the_arrays" loses="inputs_kept"
# cr.as_tensor shares memory with your arrays, so the update changed the weights that were passed.
# Copy them.
def train(cr, x, y, w1, w2, lr, steps):
    x, y = cr.tensor(x), cr.tensor(y)
    a, b = cr.as_tensor(w1).requires_grad_(), cr.as_tensor(w2).requires_grad_()
    losses = []
    for _ in range(steps):
        loss = ((cr.relu(x @ a) @ b - y) ** 2).sum()
        losses.append(loss.item())
        loss.backward()
        with cr.no_grad():
            a -= lr * a.grad
            b -= lr * b.grad
        a.grad = b.grad = None
    return losses, a.detach().numpy(), b.detach().numpy()


# %% answer="train" name="by_hand" loses="numbers"
# The numbers are right, but `cr` never went back: these gradients are written by hand.
def train(cr, x, y, w1, w2, lr, steps):
    w1, w2, losses = w1.copy(), w2.copy(), []
    for _ in range(steps):
        h = x @ w1
        h_relu = np.maximum(h, 0)
        away = h_relu @ w2 - y
        losses.append(float((away**2).sum()))
        g2 = h_relu.T @ (2 * away)
        g1 = x.T @ ((2 * away @ w2.T) * (h > 0))
        w1 -= lr * g1
        w2 -= lr * g2
    return losses, w1, w2


# %% answer="train" name="alias_zero_steps" loses="inputs_kept"
# For 0 steps you return the arrays that were passed in. The weights should be new arrays.
def train(cr, x, y, w1, w2, lr, steps):
    if steps == 0:
        return [], w1, w2
    x, y = cr.tensor(x), cr.tensor(y)
    w1, w2 = cr.tensor(w1, requires_grad=True), cr.tensor(w2, requires_grad=True)
    losses = []
    for _ in range(steps):
        loss = ((cr.relu(x @ w1) @ w2 - y) ** 2).sum()
        losses.append(float(loss.data))
        loss.backward()
        with cr.no_grad():
            w1 -= lr * w1.grad
            w2 -= lr * w2.grad
        w1.grad = w2.grad = None
    return losses, w1.data.copy(), w2.data.copy()


# %% answer="train" name="in_place_later" loses="inputs_kept"
# After more than three steps `w1`, the array that was passed, is overwritten.
def train(cr, x, y, w1, w2, lr, steps):
    start1 = w1
    x, y = cr.tensor(x), cr.tensor(y)
    w1, w2 = cr.tensor(w1, requires_grad=True), cr.tensor(w2, requires_grad=True)
    losses = []
    for _ in range(steps):
        loss = ((cr.relu(x @ w1) @ w2 - y) ** 2).sum()
        losses.append(float(loss.data))
        loss.backward()
        with cr.no_grad():
            w1 -= lr * w1.grad
            w2 -= lr * w2.grad
        w1.grad = w2.grad = None
    if steps > 3:
        start1[...] = w1.data
    return losses, w1.data.copy(), w2.data.copy()


# %% answer="train" name="losses_np" loses="inputs_kept"
# The losses are arrays. `loss.item()` or `float(...)` makes Python floats of them.
def train(cr, x, y, w1, w2, lr, steps):
    x, y = cr.tensor(x), cr.tensor(y)
    w1, w2 = cr.tensor(w1, requires_grad=True), cr.tensor(w2, requires_grad=True)
    losses = []
    for _ in range(steps):
        loss = ((cr.relu(x @ w1) @ w2 - y) ** 2).sum()
        losses.append(loss.data)
        loss.backward()
        with cr.no_grad():
            w1 -= lr * w1.grad
            w2 -= lr * w2.grad
        w1.grad = w2.grad = None
    return losses, w1.data.copy(), w2.data.copy()


# %% answer="train" name="stops_at_zero" loses="numbers"
# A loss of 0 ends the training. The list should have one loss for each of the `steps`.
def train(cr, x, y, w1, w2, lr, steps):
    x, y = cr.tensor(x), cr.tensor(y)
    w1, w2 = cr.tensor(w1, requires_grad=True), cr.tensor(w2, requires_grad=True)
    losses = []
    for _ in range(steps):
        loss = ((cr.relu(x @ w1) @ w2 - y) ** 2).sum()
        losses.append(float(loss.data))
        if loss.data < 1e-12:
            break
        loss.backward()
        with cr.no_grad():
            w1 -= lr * w1.grad
            w2 -= lr * w2.grad
        w1.grad = w2.grad = None
    return losses, w1.data.copy(), w2.data.copy()


# %% answer="train" name="clips" loses="numbers"
# Large gradients are cut before the update; the weights are not those of gradient descent.
def train(cr, x, y, w1, w2, lr, steps):
    x, y = cr.tensor(x), cr.tensor(y)
    w1, w2 = cr.tensor(w1, requires_grad=True), cr.tensor(w2, requires_grad=True)
    losses = []
    for _ in range(steps):
        loss = ((cr.relu(x @ w1) @ w2 - y) ** 2).sum()
        losses.append(float(loss.data))
        loss.backward()
        with cr.no_grad():
            w1 -= lr * cr.tensor(np.clip(w1.grad.data, -1e3, 1e3))
            w2 -= lr * w2.grad
        w1.grad = w2.grad = None
    return losses, w1.data.copy(), w2.data.copy()
