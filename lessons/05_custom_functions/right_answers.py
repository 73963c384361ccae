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
# Other correct answers. Each gets full marks.


# %% answer="linear" name="in_numpy"
class Linear(cr.Function):
    @staticmethod
    def forward(ctx, x, w, scale):
        ctx.save_for_backward(x, w)
        ctx.scale = scale
        return cr.Tensor(scale * np.matmul(x.data, w.data))

    @staticmethod
    def backward(ctx, upstream):
        x, w = (t.data for t in ctx.saved_tensors)
        grads = [None, None, None]
        if ctx.needs_input_grad[0]:
            grads[0] = cr.Tensor(ctx.scale * np.einsum("nh,dh->nd", upstream.data, w))
        if ctx.needs_input_grad[1]:
            grads[1] = cr.Tensor(ctx.scale * np.einsum("nd,nh->dh", x, upstream.data))
        return tuple(grads)


# %% answer="linear" name="products_then_scaled_in_place"
class Linear(cr.Function):
    @staticmethod
    def forward(ctx, x, w, scale):
        ctx.save_for_backward(x, w)
        ctx.scale = scale
        out = x.data @ w.data
        out *= scale
        return cr.Tensor(out)

    @staticmethod
    def backward(ctx, upstream):
        x, w = ctx.saved_tensors
        grads = [None, None, None]
        if ctx.needs_input_grad[0]:
            product = np.matmul(upstream.data, w.data.T)
            product *= ctx.scale
            grads[0] = cr.Tensor(product)
        if ctx.needs_input_grad[1]:
            product = (x.data.T).dot(upstream.data)
            grads[1] = cr.Tensor(np.multiply(product, ctx.scale, out=product))
        return tuple(grads)


# %% answer="linear" name="saves_what_is_needed"
class Linear(cr.Function):
    @staticmethod
    def forward(ctx, x, w, scale):
        need_x, need_w, _ = ctx.needs_input_grad
        ctx.save_for_backward(x if need_w else None, w if need_x else None)
        ctx.scale = scale
        return (x @ w) * scale

    @staticmethod
    def backward(ctx, upstream):
        x, w = ctx.saved_tensors
        upstream = ctx.scale * upstream
        grad_x = None if w is None else cr.matmul(upstream, cr.transpose(w))
        return grad_x, None if x is None else cr.matmul(cr.transpose(x), upstream), None


# %% answer="linear" name="factors_in_another_order"
class Linear(cr.Function):
    def forward(ctx, x, w, scale):
        ctx.save_for_backward(w, x)
        ctx.factor = float(scale)
        return cr.matmul(x, w) * ctx.factor

    def backward(ctx, upstream):
        grads = [None, None, None]
        w, x = ctx.saved_tensors
        if ctx.needs_input_grad[1]:
            grads[1] = (upstream.T @ x).T * ctx.factor
        if ctx.needs_input_grad[0]:
            grads[0] = (w @ upstream.T).T * ctx.factor
        return tuple(grads)


# %% answer="relu" name="maximum_and_output"
class MyReLU(cr.Function):
    @staticmethod
    def forward(ctx, x):
        out = cr.maximum(x, 0.0)
        ctx.save_for_backward(out)
        return out

    @staticmethod
    def backward(ctx, upstream):
        (out,) = ctx.saved_tensors
        return cr.where(out > 0, upstream, 0.0)


# %% answer="relu" name="lectures_own"
class MyReLU(cr.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.clip(0.0)

    @staticmethod
    def backward(ctx, upstream):
        (x,) = ctx.saved_tensors
        grad_input = upstream.clone()
        grad_input.data[x.data < 0] = 0
        return grad_input


# %% answer="relu" name="a_tuple_of_one"
class MyReLU(cr.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return cr.maximum(x, 0.0)

    @staticmethod
    def backward(ctx, upstream):
        (x,) = ctx.saved_tensors
        return (upstream * (x > 0),)


# %% answer="relu" name="half_of_x_and_its_size"
class MyReLU(cr.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return (x + cr.absolute(x)) * 0.5

    @staticmethod
    def backward(ctx, upstream):
        (x,) = ctx.saved_tensors
        return upstream * (x > 0)


# %% answer="sigmoid" name="two_sides_by_mask"
class Sigmoid(cr.Function):
    @staticmethod
    def forward(ctx, x):
        right = x.data >= 0
        out = np.empty_like(x.data)
        out[right] = 1 / (1 + np.exp(-x.data[right]))
        e = np.exp(x.data[~right])
        out[~right] = e / (1 + e)
        result = cr.Tensor(out)
        ctx.save_for_backward(result)
        return result

    @staticmethod
    def backward(ctx, upstream):
        (y,) = ctx.saved_tensors
        return (y - y * y) * upstream


# %% answer="sigmoid" name="by_logaddexp"
class Sigmoid(cr.Function):
    @staticmethod
    def forward(ctx, x):
        zero = np.zeros((), x.data.dtype)
        out = cr.tensor(np.exp(-np.logaddexp(zero, -x.data)))
        ctx.save_for_backward(out)
        return out

    @staticmethod
    def backward(ctx, upstream):
        (out,) = ctx.saved_tensors
        return cr.Tensor(upstream.data * out.data * (1 - out.data))


# %% answer="sigmoid" name="exponents_never_positive"
class Sigmoid(cr.Function):
    @staticmethod
    def forward(ctx, x):
        output = cr.exp(cr.minimum(x, 0.0)) / (cr.exp(-cr.absolute(x)) + 1)
        ctx.save_for_backward(output)
        return output

    @staticmethod
    def backward(ctx, upstream):
        output = ctx.saved_tensors[0]
        return ((1 - output) * output) * upstream


# %% answer="sigmoid" name="both_sides_in_silence"
class Sigmoid(cr.Function):
    @staticmethod
    def forward(ctx, x):
        with np.errstate(all="ignore"):
            v = x.data
            up = np.exp(v)
            out = np.where(v >= 0, 1 / (1 + np.exp(-v)), up / (1 + up))
        output = cr.tensor(np.asarray(out, dtype=v.dtype))
        ctx.save_for_backward(output)
        return output

    @staticmethod
    def backward(ctx, upstream):
        (output,) = ctx.saved_tensors
        return upstream * (output - output * output)


# %% answer="sigmoid" name="double_inside"
class Sigmoid(cr.Function):
    @staticmethod
    def forward(ctx, x):
        v = x.data.astype(np.float64)
        e = np.exp(-np.abs(v))
        with np.errstate(under="ignore"):
            output = cr.tensor((np.where(v >= 0, 1.0, e) / (1 + e)).astype(x.dtype))
        ctx.save_for_backward(output)
        return output

    @staticmethod
    def backward(ctx, upstream):
        (output,) = ctx.saved_tensors
        return upstream * output * (1 - output)


# %% answer="one_node" name="levels_and_one_by_one"
def count_nodes(out):
    level = {out.grad_fn} - {None}
    seen = set(level)
    while level:
        parents = {p for node in level for p in node.parents if not isinstance(p, cr.Tensor)}
        level = parents - seen
        seen |= level
    return len(seen)


def where_it_fails(f, xs, dtype):
    values, gradients = [], []
    for number in xs:
        x = cr.Tensor(np.array([number], dtype=dtype), requires_grad=True)
        y = f(x)
        (slope,) = cr.grad(y.sum(), x)
        values += [] if np.isfinite(y.item()) else [number]
        gradients += [] if np.isfinite(slope.item()) else [number]
    return values, gradients


# %% answer="one_node" name="by_number"
def count_nodes(out):
    found = {}
    stack = [out.grad_fn] if out.grad_fn is not None else []
    while stack:
        node = stack.pop()
        if id(node) not in found:
            found[id(node)] = node
            stack += [p for p in node.parents if hasattr(p, "parents")]
    return len(found)


def where_it_fails(f, xs, dtype):
    x = cr.tensor(np.array(xs, dtype=dtype), requires_grad=True)
    y = f(x)
    y.sum().backward()
    xs, ok = np.array(xs), [np.abs(t.data) < np.inf for t in (y, x.grad)]
    return tuple(xs[~good].tolist() for good in ok)


# %% answer="one_node" name="recursion_with_room"
def count_nodes(out):
    import sys

    seen = set()

    def visit(node):
        if node is None or isinstance(node, cr.Tensor) or id(node) in seen:
            return
        seen.add(id(node))
        for parent in node.parents:
            visit(parent)

    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(100_000)
    visit(out.grad_fn)
    sys.setrecursionlimit(limit)
    return len(seen)


def where_it_fails(f, xs, dtype):
    values, gradients = [], []
    for v in xs:
        x = cr.tensor([v], dtype=dtype, requires_grad=True)
        out = f(x)
        (g,) = cr.grad(out.sum(), x)
        if not np.isfinite(out.item()):
            values.append(v)
        if not np.isfinite(g.item()):
            gradients.append(v)
    return values, gradients


# %% answer="one_node" name="queue_and_halves"
from collections import deque


def count_nodes(out):
    queue, known = deque([out.grad_fn] if out.grad_fn else []), {}
    while queue:
        node = queue.popleft()
        if id(node) not in known:
            known[id(node)] = node
            queue.extend(p for p in node.parents if hasattr(p, "parents"))
    return len(known)


def where_it_fails(f, xs, dtype):
    half = len(xs) // 2
    found = [], []
    for part in (xs[:half], xs[half:]):
        if part:
            x = cr.tensor(part, dtype=dtype, requires_grad=True)
            out = f(x)
            out.backward(cr.ones(len(part), dtype=dtype))
            for where, t in zip(found, (out, x.grad)):
                where.extend(v for v, r in zip(part, t.tolist()) if abs(r) == np.inf or r != r)
    return found


# %% answer="log_sum_exp" name="max_by_numpy"
class LogSumExp(cr.Function):
    @staticmethod
    def forward(ctx, x):
        top = np.max(x.data, axis=-1, keepdims=True)
        total = np.exp(x.data - top).sum(axis=-1)
        out = cr.tensor(np.log(total) + top[..., 0])
        ctx.save_for_backward(out, x)
        return out

    @staticmethod
    def backward(ctx, upstream):
        out, x = ctx.saved_tensors
        shape = (*out.shape, 1)
        return cr.exp(x - out.reshape(shape)) * upstream.reshape(shape)


# %% answer="log_sum_exp" name="softmax_again_from_the_input"
class LogSumExp(cr.Function):
    @staticmethod
    def forward(ctx, x):
        top = x.max(axis=-1, keepdims=True)
        ctx.save_for_backward(x)
        return (cr.log(cr.exp(x - top).sum(axis=-1, keepdims=True)) + top).squeeze(-1)

    @staticmethod
    def backward(ctx, upstream):
        (x,) = ctx.saved_tensors
        exps = cr.exp(x - x.detach().max(axis=-1, keepdims=True))
        return exps / exps.sum(axis=-1, keepdims=True) * upstream.unsqueeze(-1)


# %% answer="log_sum_exp" name="itself_in_backward"
class LogSumExp(cr.Function):
    @staticmethod
    def forward(ctx, x):
        top = x.data.max(axis=-1, keepdims=True)
        out = np.log(np.exp(x.data - top).sum(axis=-1, keepdims=True)) + top
        ctx.save_for_backward(x)
        return cr.tensor(np.asarray(out[..., 0]))

    @staticmethod
    def backward(ctx, upstream):
        (x,) = ctx.saved_tensors
        return upstream.unsqueeze(-1) * cr.exp(x - LogSumExp.apply(x).unsqueeze(-1))


# %% answer="log_sum_exp" name="by_logaddexp"
class LogSumExp(cr.Function):
    @staticmethod
    def forward(ctx, x):
        out = cr.tensor(np.asarray(np.logaddexp.reduce(x.data, axis=-1), dtype=x.dtype))
        ctx.save_for_backward(x, out)
        return out

    @staticmethod
    def backward(ctx, upstream):
        x, out = ctx.saved_tensors
        shape = (*out.shape, 1)
        return cr.exp(x - out.reshape(*shape)) * upstream.reshape(*shape)


# %% answer="cross_entropy" name="on_log_sum_exp"
class CrossEntropy(cr.Function):
    @staticmethod
    def forward(ctx, logits, labels):
        shifted = logits - logits.max(axis=1, keepdims=True)
        ctx.save_for_backward(logits, labels)
        picked = cr.gather(shifted, labels.unsqueeze(1), axis=1).squeeze(1)
        return (LogSumExp.apply(shifted) - picked).mean()

    @staticmethod
    def backward(ctx, upstream):
        logits, labels = ctx.saved_tensors
        z = logits.data - logits.data.max(axis=1, keepdims=True)
        p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
        onehot = np.eye(z.shape[1], dtype=z.dtype)[labels.data]
        return upstream * ((p - onehot) / len(z)), None


# %% answer="cross_entropy" name="hint_skeleton"
class CrossEntropy(cr.Function):
    @staticmethod
    def forward(ctx, logits, labels):
        z, rows = logits.data, np.arange(len(labels))
        shifted = z - z.max(axis=1, keepdims=True)
        total = np.exp(shifted).sum(axis=1)
        ctx.save_for_backward(logits, labels)
        return cr.tensor(np.mean(np.log(total) - shifted[rows, labels.data]))

    @staticmethod
    def backward(ctx, upstream):
        logits, labels = ctx.saved_tensors
        z = logits.data - logits.data.max(axis=1, keepdims=True)
        grad = np.exp(z)
        grad /= grad.sum(axis=1, keepdims=True)
        grad[np.arange(len(z)), labels.data] -= 1
        return cr.tensor(grad * (upstream.data / len(z))), None


# %% answer="cross_entropy" name="by_one_hot"
class CrossEntropy(cr.Function):
    @staticmethod
    def forward(ctx, logits, labels):
        z = logits - logits.max(axis=1, keepdims=True)
        rows = np.arange(len(labels))
        picked = cr.tensor(z.data[rows, labels.data])
        ctx.save_for_backward(logits, labels)
        return (cr.log(cr.exp(z).sum(axis=1)) - picked).mean()

    @staticmethod
    def backward(ctx, upstream):
        logits, labels = ctx.saved_tensors
        e = cr.exp(logits - logits.max(axis=1, keepdims=True))
        hot = cr.tensor(np.eye(logits.shape[1], dtype=logits.dtype)[labels.data])
        return upstream * (e / e.sum(axis=1, keepdims=True) - hot) / len(labels), None


# %% answer="cross_entropy" name="log1p_of_the_others"
class CrossEntropy(cr.Function):
    @staticmethod
    def forward(ctx, logits, labels):
        ctx.save_for_backward(logits, labels)
        z, k = logits.data, labels.data.astype(int)
        rows = np.arange(len(z))
        top = z.max(axis=1, keepdims=True)
        at = z.argmax(axis=1)
        e = np.exp(z - top)
        e[rows, at] = 0
        losses = np.log1p(e.sum(axis=1)) + (top[:, 0] - z[rows, k])
        return cr.tensor(np.asarray(losses.mean(), dtype=z.dtype))

    @staticmethod
    def backward(ctx, upstream):
        logits, labels = ctx.saved_tensors
        e = np.exp(logits.data - logits.data.max(axis=1, keepdims=True))
        p = e / e.sum(axis=1, keepdims=True)
        hot = labels.data[:, None] == np.arange(p.shape[1])
        return cr.tensor(upstream.data * (p - hot).astype(p.dtype) / len(p)), None


# %% answer="surrogates" name="in_numpy"
class Binarize(cr.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.inside = np.abs(x.data) <= 1
        out = np.ones_like(x.data)
        out[x.data < 0] = -1
        return cr.Tensor(out)

    @staticmethod
    def backward(ctx, upstream):
        return cr.Tensor(np.where(ctx.inside, upstream.data, np.zeros((), upstream.data.dtype)))


class Reverse(cr.Function):
    @staticmethod
    def forward(ctx, x, strength):
        ctx.factor = -strength
        return x.clone()

    @staticmethod
    def backward(ctx, upstream):
        return upstream * ctx.factor, None


# %% answer="surrogates" name="twice_a_mask_minus_one"
class Binarize(cr.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return 2 * (x >= 0).astype(x.dtype) - 1

    @staticmethod
    def backward(ctx, upstream):
        (x,) = ctx.saved_tensors
        return cr.where((x >= -1) & (x <= 1), upstream, 0.0)


class Reverse(cr.Function):
    @staticmethod
    def forward(ctx, x, strength):
        ctx.save_for_backward(strength)
        return x.detach()

    @staticmethod
    def backward(ctx, upstream):
        return -(upstream * ctx.saved_tensors[0]), None


# %% answer="surrogates" name="where_clipping_changes_nothing"
class Binarize(cr.Function):
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return (x >= 0).astype(x.dtype) * 2 - 1

    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return cr.where(x.clip(-1.0, 1.0) == x, g, cr.zeros_like(g))


class Reverse(cr.Function):
    def forward(ctx, x, strength):
        ctx.strength = strength
        return x * 1.0

    def backward(ctx, g):
        return (-(g * ctx.strength), None)


# %% answer="torch_sigmoid" name="the_lectures_own"
class TorchSigmoid(torch.autograd.Function):
    @staticmethod
    def forward(ctx, input):
        output = 1 / (1 + torch.exp(-input))
        ctx.save_for_backward(output)
        return output

    @staticmethod
    def backward(ctx, grad_output):
        (output,) = ctx.saved_tensors
        grad_input = grad_output * output * (1 - output)
        return grad_input


# %% answer="torch_sigmoid" name="with_setup_context"
class TorchSigmoid(torch.autograd.Function):
    @staticmethod
    def forward(x):
        top = torch.clamp(x, max=0)
        return torch.exp(top) / (torch.exp(top) + torch.exp(top - x))

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(output)

    @staticmethod
    def backward(ctx, upstream):
        (y,) = ctx.saved_tensors
        return upstream * (y - y * y)


# %% answer="torch_sigmoid" name="both_sides"
class TorchSigmoid(torch.autograd.Function):
    generate_vmap_rule = False

    @staticmethod
    def forward(ctx, x):
        up = torch.exp(x)
        y = torch.where(x >= 0, 1 / (1 + torch.exp(-x)), up / (1 + up))
        ctx.save_for_backward(y)
        ctx.set_materialize_grads(False)
        return y

    @staticmethod
    def backward(ctx, upstream):
        if upstream is None or not ctx.needs_input_grad[0]:
            return None
        (y,) = ctx.saved_tensors
        return torch.mul(upstream, y) * torch.rsub(y, 1)


# %% answer="torch_sigmoid" name="by_softmax"
class TorchSigmoid(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        output = torch.softmax(torch.stack([x, torch.zeros_like(x)]), dim=0)[0].clone()
        ctx.save_for_backward(output)
        return output

    @staticmethod
    def backward(ctx, upstream):
        (output,) = ctx.saved_tensors
        return upstream * output * (1 - output)


# %% answer="torch_sigmoid" name="forward_in_numpy"
class TorchSigmoid(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        v = x.detach().numpy()
        e = np.exp(-np.abs(v))
        output = torch.from_numpy(
            np.asarray(np.where(v >= 0, np.ones_like(e), e) / (1 + e), dtype=v.dtype)
        )
        ctx.save_for_backward(output)
        return output

    @staticmethod
    def backward(ctx, upstream):
        (output,) = ctx.saved_tensors
        return upstream * output * (1 - output)


# %% answer="tf_sigmoid" name="inner_functions"
@tf.custom_gradient
def tf_sigmoid(x):
    output = tf.exp(tf.minimum(x, 0)) / (1 + tf.exp(-tf.abs(x)))

    def backward(upstream):
        return upstream * (output - output * output)

    return output, backward


@tf.custom_gradient
def tf_clip(x):
    def backward(upstream):
        return tf.maximum(tf.minimum(upstream, 1.0), -1.0)

    return x + 0, backward


# %% answer="tf_sigmoid" name="plain_reciprocal"
def _sigmoid(x):
    output = 1 / (1 + tf.exp(-x))
    return output, lambda upstream: (1 - output) * output * upstream


def _clip(x):
    return 1 * x, lambda upstream: tf.clip_by_value(upstream, -1, 1)


tf_sigmoid, tf_clip = tf.custom_gradient(_sigmoid), tf.custom_gradient(_clip)


# %% answer="tf_sigmoid" name="keyword_variables"
@tf.custom_gradient
def tf_sigmoid(x):
    e = tf.exp(-tf.abs(x))
    output = tf.where(x >= 0, tf.ones_like(e), e) / (1 + e)

    def backward(upstream, variables=None):
        return upstream * output * (1 - output)

    return output, backward


@tf.custom_gradient
def tf_clip(x):
    def backward(upstream, variables=None):
        return tf.clip_by_value(upstream, -1.0, 1.0)

    return tf.identity(x), backward


# %% answer="tf_sigmoid" name="by_softmax"
@tf.custom_gradient
def tf_sigmoid(x):
    output = tf.nn.softmax(tf.stack([x, tf.zeros_like(x)], axis=-1), axis=-1)[..., 0]

    def backward(upstream):
        return upstream * output * (1 - output)

    return output, backward


@tf.custom_gradient
def tf_clip(x):
    def backward(upstream):
        return tf.clip_by_value(upstream, -1.0, 1.0)

    return tf.identity(x), backward


# %% answer="tf_sigmoid" name="gradient_in_a_list"
@tf.custom_gradient
def tf_sigmoid(x):
    e = tf.exp(-tf.abs(x))
    output = tf.where(x >= 0, tf.ones_like(e), e) / (1 + e)

    def backward(upstream):
        return [upstream * output * (1 - output)]

    return output, backward


@tf.custom_gradient
def tf_clip(x):
    def backward(upstream):
        return tf.clip_by_value(upstream, -1.0, 1.0)

    return tf.identity(x), backward


# %% equivalent="relu" mutant="relu.L2.boundary.1"
# At x = 0 both branches give 0.

# %% equivalent="relu" mutant="relu.L7.boundary.1"
# The slope at x = 0 is a matter of taste, and the task says that the checks stay away from it.

# %% equivalent="sigmoid" mutant="sigmoid.L2.boundary.1"
# At x = 0 the exponential is 1, whichever branch is taken.

# %% equivalent="one_node" mutant="one_node.L13.drop_keyword.1"
# The task lets NumPy warn, so it does not matter whether warnings are switched off.

# %% equivalent="one_node" mutant="one_node.L17.drop_keyword.1"
# The two sequences always have the same length, so `strict` changes nothing.

# %% equivalent="one_node" mutant="one_node.L17.flip.1"
# The two sequences always have the same length, so `strict` changes nothing.

# %% equivalent="torch_sigmoid" mutant="torch_sigmoid.L2.boundary.1"
# At x = 0 the exponential is 1, whichever branch is taken.

# %% equivalent="tf_sigmoid" mutant="tf_sigmoid.L2.boundary.1"
# At x = 0 the exponential is 1, whichever branch is taken.
