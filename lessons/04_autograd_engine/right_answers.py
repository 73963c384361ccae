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


# %% answer="unbroadcast" name="einsum"
def unbroadcast(g, shape):
    letters = "abcdefghijklmnop"[: g.ndim]
    k = g.ndim - len(shape)
    kept = "".join(c for c, n in zip(letters[k:], shape) if n != 1)
    return np.einsum(f"{letters}->{kept}", g).reshape(shape) + 0.0


# %% answer="unbroadcast" name="add_at"
def unbroadcast(g, shape):
    out = np.zeros(shape)
    ones = np.broadcast_to(np.arange(out.size).reshape(shape), g.shape)
    np.add.at(out.reshape(-1), ones.reshape(-1), g.reshape(-1))
    return out


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


# %% answer="rearranging" name="bincount"
def _put_back(g, axis, keepdims):
    return g if axis is None or keepdims else np.expand_dims(g, axis)


def sum_rule(g, x, axis=None, keepdims=False):
    return np.broadcast_to(_put_back(g, axis, keepdims), x.shape)


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
    ids = np.arange(x.size).reshape(x.shape)[key]
    out = np.bincount(np.ravel(ids), np.ravel(g), minlength=x.size).reshape(x.shape)
    return out


# %% answer="rearranging" name="moveaxis"
def sum_rule(g, x, axis=None, keepdims=False):
    g = np.asarray(g)
    if axis is None:
        return np.full(x.shape, g.item())
    g = g.reshape([1 if i == axis % x.ndim else n for i, n in enumerate(x.shape)])
    return np.repeat(g, x.shape[axis], axis=axis)


def mean_rule(g, x, axis=None, keepdims=False):
    return sum_rule(g, x, axis) / (x.size if axis is None else x.shape[axis])


def max_rule(g, x, axis=None, keepdims=False):
    wide = sum_rule(g, x, axis)
    winners = np.where(x == x.max(axis=axis, keepdims=True), 1.0, 0.0)
    return wide * (winners / sum_rule(winners.sum(axis=axis), x, axis))


def reshape_rule(g, x):
    return np.reshape(g.ravel(), x.shape).copy()


def transpose_rule(g, x, axes):
    out = np.empty(x.shape)
    out.transpose(axes)[...] = g
    return out


def getitem_rule(g, x, key):
    out = np.zeros(x.shape)
    where = np.arange(x.size).reshape(x.shape)[key]
    flat = out.reshape(-1)
    for i, v in zip(np.ravel(where), np.ravel(g)):
        flat[i] += v
    return out


# %% answer="rearranging" name="onehot"
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
    pick = np.eye(x.size)[np.arange(x.size).reshape(x.shape)[key]]
    out = np.tensordot(g, pick, np.ndim(g)).reshape(x.shape)
    return out


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


# %% answer="backward" name="frees_all"
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
            todo += [(p, False) for p in node.parents]
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


# %% answer="backward" name="heap"
import heapq


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

    depth, kept, stack = {}, {}, [output]
    while stack:
        node = stack[-1]
        kept[id(node)] = node
        missing = [p for p in node.parents if p.requires_grad and id(p) not in depth]
        if missing:
            stack += missing[:1]
        else:
            depth[id(node)] = 1 + max(
                [depth[id(p)] for p in node.parents if p.requires_grad] or [0]
            )
            stack.pop()
    heap, sums = [(-depth[id(output)], id(output))], {id(output): [upstream]}
    while heap:
        _, key = heapq.heappop(heap)
        node = kept[key]
        g = sum(sums.pop(key), 0.0 * node.data)
        if node.rule is None:
            node.grad = g + (0 if node.grad is None else node.grad)
            continue
        for p, part in zip(node.parents, node.rule(g)):
            if part is None or not p.requires_grad:
                continue
            if id(p) not in sums:
                sums[id(p)] = []
                heapq.heappush(heap, (-depth[id(p)], id(p)))
            sums[id(p)].append(part)
    if not retain_graph:
        for node in kept.values():
            if node.rule is not None:
                node.rule, node.parents = freed, ()


# %% answer="backward" name="generator_trampoline"
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

    order, seen = [], set()

    def visit(node):
        seen.add(id(node))
        for p in node.parents:
            if p.requires_grad and id(p) not in seen:
                yield visit(p)
        order.append(node)

    stack = [visit(output)]
    while stack:
        try:
            stack.append(next(stack[-1]))
        except StopIteration:
            stack.pop()
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


# %% answer="backward" name="tape_of_entries"
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

    class Entry:
        def __init__(self, tensor):
            self.tensor, self.total, self.uses = tensor, None, 0

        def add(self, g):
            if g is not None:
                self.total = np.array(g, dtype=float) if self.total is None else self.total + g

    entries = {id(output): Entry(output)}
    todo = [output]
    while todo:
        for p in todo.pop().parents:
            if p.requires_grad:
                if id(p) not in entries:
                    entries[id(p)] = Entry(p)
                    todo.append(p)
                entries[id(p)].uses += 1
    entries[id(output)].add(upstream)
    ready = [entries[id(output)]]
    for entry in ready:
        t, g = entry.tensor, entry.total
        if t.rule is None:
            if g is not None:
                t.grad = g if t.grad is None else t.grad + g
            continue
        parts = [None] * len(t.parents) if g is None else t.rule(g)
        for p, part in zip(t.parents, parts):
            if p.requires_grad:
                e = entries[id(p)]
                e.add(part)
                e.uses -= 1
                if e.uses == 0:
                    ready.append(e)
    for entry in entries.values():
        if entry.tensor.rule is not None and not retain_graph:
            entry.tensor.rule, entry.tensor.parents = freed, ()


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


# %% answer="record" name="mock_patch"
from contextlib import contextmanager


def record(data, parents, rule):
    parents = tuple(parents)
    if Mode.recording and any(p.requires_grad for p in parents):
        return Tensor(data, True, parents, rule)
    return Tensor(data)


def no_grad():
    from unittest.mock import patch

    return patch.object(Mode, "recording", False)


def zero_grad(tensors):
    for t in tensors:
        t.grad = None


# %% answer="record" name="setattr"
from contextlib import contextmanager


def record(data, parents, rule):
    parents = tuple(parents)
    t = Tensor(data)
    t.requires_grad = Mode.recording and True in [p.requires_grad for p in parents]
    if t.requires_grad:
        t.parents, t.rule = tuple(parents), rule
    return t


@contextmanager
def no_grad():
    before = Mode.recording
    Mode.recording = False
    try:
        yield
    finally:
        Mode.recording = before


def zero_grad(tensors):
    any(setattr(t, "grad", None) for t in tensors)


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


# %% answer="memory" name="partial"
def detach(t):
    d = Tensor(t.data)
    d.version = t.version
    return d


def add_(t, value):
    if Mode.recording and t.requires_grad and t.rule is None:
        raise RuntimeError("a leaf that requires a gradient")
    np.add(t.data, value, out=t.data)
    t.version[0] += 1
    return t


def keep(t):
    from functools import partial

    def get(tensor, versions, seen):
        (now,) = versions
        if now > seen:
            raise RuntimeError(f"{now} is not {seen}")
        return tensor.data

    return partial(get, t, t.version, t.version[0])


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


# %% answer="hvp" name="zero_times_t"
def hvp(f, x, v):
    import chainrule as cr

    t = cr.tensor(x, requires_grad=True)
    (g,) = cr.grad(f(t), t, create_graph=True)
    dot = (g * cr.tensor(v)).sum() + (t * 0.0).sum()
    (h,) = cr.grad(dot, t)
    return h.numpy().copy()


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


# %% answer="train" name="functional"
def train(cr, x, y, w1, w2, lr, steps):
    a, b = cr.tensor(w1, requires_grad=True), cr.tensor(w2, requires_grad=True)
    xs, ys = cr.tensor(x), cr.tensor(y)
    losses = []
    for _ in range(steps):
        loss = ((cr.relu(xs @ a) @ b - ys) ** 2).sum()
        losses += [float(loss.data)]
        da, db = cr.grad(loss, (a, b))
        a = cr.tensor(a.data - lr * da.data, requires_grad=True)
        b = cr.tensor(b.data - lr * db.data, requires_grad=True)
    return losses, a.data.copy(), b.data.copy()


# %% equivalent="arithmetic" mutant="arithmetic.L14.negate_return.1"
# It answers -0.0 instead of 0.0, which are equal.


# %% equivalent="backward" mutant="backward.L17.drop_filter.1"
# It walks on behind tensors without requires_grad, where nothing arrives, and frees what is there:
# the prompt leaves that open.

# %% equivalent="hvp" mutant="hvp.L5.negate_return.1"
# It answers -0.0 instead of 0.0, which are equal.


# %% equivalent="train" mutant="train.L5.swap_operands.2"
# The difference is squared: its sign makes no difference to the loss or to its gradients.
