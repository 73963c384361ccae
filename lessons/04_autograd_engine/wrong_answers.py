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
