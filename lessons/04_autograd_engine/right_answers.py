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
# Other correct answers. Each cell is a whole answer in the place of the exercise's cell, and gets
# full marks.


# %% answer="unbroadcast" name="loop_over_axes"
def unbroadcast(g, shape):
    while g.ndim > len(shape):
        g = g.sum(axis=0)
    for axis, n in enumerate(shape):
        if n == 1:
            g = g.sum(axis=axis, keepdims=True)
    return g


# %% answer="unbroadcast" name="reshape_at_the_end"
def unbroadcast(g, shape):
    padded = (1,) * (g.ndim - len(shape)) + tuple(shape)
    axes = tuple(i for i, (n, m) in enumerate(zip(padded, g.shape)) if n != m)
    extra = tuple(range(g.ndim - len(shape)))
    axes = tuple(sorted(set(axes) | set(extra)))
    return g.sum(axis=axes).reshape(shape)


# %% answer="arithmetic" name="from_the_results"
def add_rule(g, a, b):
    return g.copy(), g.copy()


def multiply_rule(g, a, b):
    return [b * g, a * g]


def divide_rule(g, a, b):
    to_a = g / b
    return to_a, -to_a * (a / b)


def power_rule(g, a, n):
    return (g * (n * np.power(a, n - 1) if n else 0 * a),)


def matmul_rule(g, a, b):
    return np.dot(g, b.transpose()), np.dot(a.transpose(), g)


# %% answer="arithmetic" name="sums_of_products"
def add_rule(g, a, b):
    return 1.0 * g, 1.0 * g


def multiply_rule(g, a, b):
    return np.multiply(g, b), np.multiply(g, a)


def divide_rule(g, a, b):
    return g * b**-1.0, -g * a * b**-2.0


def power_rule(g, a, n):
    if n == 0:
        return (g * 0.0,)
    return (g * (n * a ** (n - 1.0)),)


def matmul_rule(g, a, b):
    return np.einsum("nm,km->nk", g, b), np.einsum("nk,nm->km", a, g)


# %% answer="rearranging" name="broadcast_to_and_masks"
def _wide(g, x, axis, keepdims):
    if axis is not None and not keepdims:
        g = np.expand_dims(g, axis)
    return np.broadcast_to(g, x.shape).copy()


def sum_rule(g, x, axis=None, keepdims=False):
    return _wide(g, x, axis, keepdims)


def mean_rule(g, x, axis=None, keepdims=False):
    return _wide(g, x, axis, keepdims) / (x.size if axis is None else x.shape[axis])


def max_rule(g, x, axis=None, keepdims=False):
    top = x.max(axis=axis, keepdims=True)
    ties = np.where(x == top, 1.0, 0.0)
    return _wide(g, x, axis, keepdims) * (ties / ties.sum(axis=axis, keepdims=True))


def reshape_rule(g, x):
    return np.reshape(g, x.shape).copy()


def transpose_rule(g, x, axes):
    back = [0] * len(axes)
    for place, axis in enumerate(axes):
        back[axis] = place
    return np.transpose(g, back)


def getitem_rule(g, x, key):
    out = np.zeros_like(x)
    np.add.at(out, key, g)
    return out


# %% answer="rearranging" name="places_by_number"
def sum_rule(g, x, axis=None, keepdims=False):
    if axis is None:
        return np.full(x.shape, np.asarray(g).item() if np.size(g) == 1 else g)
    g = g if keepdims else np.expand_dims(g, axis)
    return np.repeat(g, x.shape[axis], axis=axis)


def mean_rule(g, x, axis=None, keepdims=False):
    n = x.size if axis is None else x.shape[axis]
    return sum_rule(g / n, x, axis, keepdims)


def max_rule(g, x, axis=None, keepdims=False):
    best = (x == np.max(x, axis=axis, keepdims=True)).astype(float)
    share = best / best.sum(axis=axis, keepdims=True)
    return share * sum_rule(g, x, axis, keepdims)


def reshape_rule(g, x):
    return g.ravel().reshape(x.shape)


def transpose_rule(g, x, axes):
    return g.transpose(tuple(axes.index(i) for i in range(len(axes))))


def getitem_rule(g, x, key):
    places = np.arange(x.size).reshape(x.shape)[key]
    weights = np.broadcast_to(g, np.shape(places)).ravel()
    return np.bincount(np.ravel(places), weights, minlength=x.size).astype(float).reshape(x.shape)


# %% answer="backward" name="counts_of_consumers"
def backward(output, upstream=None, retain_graph=False):
    if not output.requires_grad:
        raise RuntimeError("no gradient is wanted here")
    if upstream is None:
        if output.data.size != 1:
            raise RuntimeError("pass an upstream gradient")
        upstream = np.ones_like(output.data)
    if np.shape(upstream) != output.data.shape:
        raise ValueError("the upstream gradient has another shape")
    uses, stack, known = {}, [output], {id(output): output}
    while stack:
        node = stack.pop()
        for p in node.parents:
            if p.requires_grad:
                uses[id(p)] = uses.get(id(p), 0) + 1
                if id(p) not in known:
                    known[id(p)] = p
                    stack.append(p)
    sums, ready = {id(output): np.array(upstream, dtype=float)}, [output]
    while ready:
        node = ready.pop()
        g = sums.pop(id(node), None)
        if node.rule is None:
            if g is not None:
                node.grad = np.array(g) if node.grad is None else np.add(node.grad, g)
            continue
        sent = node.rule(g) if g is not None else [None] * len(node.parents)
        for p, s in zip(node.parents, sent):
            if not p.requires_grad:
                continue
            if s is not None:
                sums[id(p)] = sums[id(p)] + s if id(p) in sums else np.array(s)
            uses[id(p)] -= 1
            if not uses[id(p)]:
                ready.append(p)
        if not retain_graph:
            node.rule = freed
            node.parents = ()


# %% answer="backward" name="in_place_sums_of_copies"
def backward(output, upstream=None, retain_graph=False):
    if not output.requires_grad or (upstream is None and output.data.size != 1):
        raise RuntimeError("cannot start here")
    upstream = np.ones(output.data.shape) if upstream is None else np.array(upstream, dtype=float)
    if upstream.shape != output.data.shape:
        raise ValueError("shapes differ")
    order, visited, stack = [], set(), [(output, iter(output.parents))]
    visited.add(id(output))
    while stack:
        node, rest = stack[-1]
        for p in rest:
            if p.requires_grad and id(p) not in visited:
                visited.add(id(p))
                stack.append((p, iter(p.parents)))
                break
        else:
            order.append(node)
            stack.pop()
    grads = {id(output): upstream}
    for node in order[::-1]:
        if id(node) in grads:
            g = grads[id(node)]
            if node.rule is None:
                if node.grad is None:
                    node.grad = np.zeros(node.data.shape)
                node.grad += g
            else:
                for p, s in zip(node.parents, node.rule(g)):
                    if s is None or not p.requires_grad:
                        continue
                    if id(p) not in grads:
                        grads[id(p)] = np.zeros(p.data.shape)
                    grads[id(p)] += s
    if not retain_graph:
        for node in order:
            if node.rule is not None:
                node.rule, node.parents = freed, ()


# %% answer="record" name="contextmanager"
import contextlib


def record(data, parents, rule):
    wanted = Mode.recording and sum(bool(p.requires_grad) for p in parents) > 0
    return Tensor(data, wanted, parents if wanted else (), rule if wanted else None)


@contextlib.contextmanager
def no_grad():
    old = Mode.recording
    Mode.recording = False
    try:
        yield
    finally:
        Mode.recording = old


def zero_grad(tensors):
    for tensor in tensors:
        tensor.grad = None


# %% answer="record" name="stack_of_modes"
_modes = []


def record(data, parents, rule):
    t = Tensor(data)
    if Mode.recording:
        for p in parents:
            if p.requires_grad:
                t.requires_grad, t.parents, t.rule = True, tuple(parents), rule
                break
    return t


class no_grad:
    def __enter__(self):
        _modes.append(Mode.recording)
        Mode.recording = False
        return self

    def __exit__(self, kind, value, trace):
        Mode.recording = _modes.pop()
        return False


def zero_grad(tensors):
    for t in tensors:
        t.__dict__["grad"] = None


# %% answer="memory" name="with_a_class"
class _Kept:
    def __init__(self, t):
        self.t, self.version = t, int(t.version[0])

    def __call__(self):
        now = self.t.version[0]
        if now == self.version:
            return self.t.data
        raise RuntimeError(f"changed in place: kept at {self.version}, now {now}")


def keep(t):
    return _Kept(t)


def detach(t):
    twin = Tensor(t.data, requires_grad=False)
    twin.version = t.version
    return twin


def add_(t, value):
    leaf = t.rule is None
    if leaf and t.requires_grad and Mode.recording:
        raise RuntimeError("use no_grad")
    np.add(t.data, value, out=t.data)
    t.version[0] = t.version[0] + 1
    return t


# %% answer="memory" name="default_argument"
def detach(t):
    out = Tensor(0.0)
    out.data, out.version = t.data, t.version
    return out


def add_(t, value):
    if t.requires_grad and not t.parents and t.rule is None and Mode.recording:
        raise RuntimeError("a leaf")
    t.data[()] = t.data + value
    t.version[0] += 1
    return t


def keep(t):
    def get(then=t.version[0]):
        now = t.version[0]
        if now != then:
            raise RuntimeError("versions " + str(then) + " and " + str(now))
        return t.data

    return get


# %% answer="hvp" name="upstream_instead_of_product"
def hvp(f, x, v):
    import chainrule as cr

    point = cr.tensor(x, requires_grad=True)
    first = cr.grad(f(point), point, create_graph=True)[0]
    if first.requires_grad:
        second = cr.grad(first, point, cr.tensor(v), allow_unused=True)[0]
        if second is not None:
            return second.numpy().copy()
    return 0.0 * x


# %% answer="hvp" name="by_backward"
def hvp(f, x, v):
    import chainrule as cr

    t = cr.Tensor(np.array(x), requires_grad=True)
    f(t).backward(create_graph=True)
    g, t.grad = t.grad, None
    if not g.requires_grad:
        return np.zeros_like(x)
    (g * cr.Tensor(np.array(v))).sum().backward()
    return np.zeros_like(x) if t.grad is None else t.grad.data


# %% answer="train" name="in_the_words_of_the_lecture"
def train(cr, x, y, w1, w2, lr, steps):
    x, y = cr.tensor(x), cr.tensor(y)
    w1, w2 = cr.tensor(w1), cr.tensor(w2)
    w1.requires_grad_()
    w2.requires_grad_()
    losses = []
    for t in range(steps):
        y_pred = x.matmul(w1).clamp(min=0).matmul(w2)
        loss = (y_pred - y).pow(2).sum()
        losses.append(float(loss))
        for w in (w1, w2):
            w.grad = None
        loss.backward()
        with cr.no_grad():
            for w in (w1, w2):
                w.sub_(w.grad, alpha=lr)
    return losses, w1.data, w2.data


# %% answer="train" name="with_grad"
def train(cr, x, y, w1, w2, lr, steps):
    losses, a, b = [], w1.copy(), w2.copy()
    for _ in range(steps):
        ta, tb = cr.tensor(a, requires_grad=True), cr.tensor(b, requires_grad=True)
        away = cr.relu(cr.tensor(x) @ ta) @ tb - cr.tensor(y)
        loss = (away * away).sum()
        ga, gb = cr.grad(loss, [ta, tb])
        losses.append(loss.item())
        a, b = a - lr * ga.data, b - lr * gb.data
    return losses, a, b


# %% equivalent="arithmetic" mutant="arithmetic.L14.negate_return.1"
# It answers -0.0 instead of 0.0, which are equal.

# %% equivalent="hvp" mutant="hvp.L5.negate_return.1"
# It answers -0.0 instead of 0.0, which are equal.

# %% equivalent="train" mutant="train.L5.swap_operands.2"
# The difference is squared: its sign makes no difference to the loss or to its gradients.
