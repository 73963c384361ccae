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

# %% [markdown]
# ## forward


# %% answer="forward" name="as_in_the_lecture"
def forward(x, w1, w2):
    h = x.dot(w1)
    h_relu = np.maximum(h, 0)
    y_pred = h_relu.dot(w2)
    return y_pred, (x, h, h_relu, w2)


# %% answer="forward" name="mask_on_a_copy"
def forward(x, w1, w2):
    h = x @ w1
    h_relu = h.copy()
    h_relu[h_relu < 0] = 0.0
    return h_relu @ w2, (x, h, h_relu, w2)


# %% answer="forward" name="mask_times_value"
def forward(x, w1, w2):
    h = np.matmul(x, w1)
    h_relu = h * (h > 0)
    return np.matmul(h_relu, w2), [x, h, h_relu, w2]


# %% answer="forward" name="copies_in_cache"
def forward(x, w1, w2):
    h = np.einsum("ij,jk->ik", x, w1)
    h_relu = 0.5 * (h + abs(h))
    return np.einsum("ij,jk->ik", h_relu, w2), (x.copy(), h, h_relu, w2.copy())


# %% answer="forward" name="loops"
def forward(x, w1, w2):
    def product(a, b):
        out = np.zeros((len(a), b.shape[1]))
        for i in range(len(a)):
            for k in range(b.shape[1]):
                for j in range(len(b)):
                    out[i, k] += a[i, j] * b[j, k]
        return out

    h = product(x, w1)
    h_relu = np.array([[max(value, 0.0) for value in row] for row in h])
    return product(h_relu, w2), (x, h, h_relu, w2)


# %% [markdown]
# ## loss_and_grad


# %% answer="loss_and_grad" name="two_branches"
def loss_and_grad(pred, y, reduction="sum"):
    if np.shape(pred) != np.shape(y):
        raise ValueError("shapes differ: " + str(pred.shape) + ", " + str(y.shape))
    diff = pred - y
    if reduction == "sum":
        return np.sum(diff * diff), diff + diff
    elif reduction == "mean":
        return np.mean(diff * diff), (diff + diff) / diff.size
    raise ValueError("reduction must be sum or mean, got " + str(reduction))


# %% answer="loss_and_grad" name="table_of_scales"
def loss_and_grad(pred, y, reduction="sum"):
    if pred.shape != y.shape:
        raise ValueError(f"{pred.shape} is not {y.shape}")
    scales = {"sum": 1.0, "mean": 1.0 / np.prod(pred.shape)}
    if reduction not in scales:
        raise ValueError(f"{reduction!r} is none of {sorted(scales)}")
    scale = scales[reduction]
    flat = (pred - y).ravel()
    return scale * float(flat @ flat), 2.0 * scale * (pred - y)


# %% answer="loss_and_grad" name="own_error_class"
class BadLoss(ValueError):
    pass


def loss_and_grad(pred, y, reduction="sum"):
    if reduction not in ("sum", "mean"):
        raise BadLoss(f"no such reduction: {reduction}")
    if pred.ndim != y.ndim or any(m != n for m, n in zip(pred.shape, y.shape)):
        raise BadLoss("shapes differ")
    count = 1
    if reduction == "mean":
        for length in pred.shape:
            count *= length
    loss = sum(float(d) ** 2 for d in (pred - y).flat) / count
    grad = np.empty_like(pred)
    for index in np.ndindex(pred.shape):
        grad[index] = 2 * (pred[index] - y[index]) / count
    return loss, grad


# %% answer="loss_and_grad" name="norm"
def loss_and_grad(pred, y, reduction="sum"):
    match reduction:
        case "sum":
            count = 1
        case "mean":
            count = pred.size
        case _:
            raise ValueError(reduction)
    if pred.shape != y.shape:
        raise ValueError("shape mismatch")
    difference = np.subtract(pred, y)
    return np.linalg.norm(difference) ** 2 / count, np.multiply(2 / count, difference)


# %% [markdown]
# ## backward


# %% answer="backward" name="as_in_the_lecture"
def backward(cache, upstream):
    x, h, h_relu, w2 = cache
    grad_w2 = h_relu.T.dot(upstream)
    grad_h_relu = upstream.dot(w2.T)
    grad_h = grad_h_relu.copy()
    grad_h[h < 0] = 0
    grad_w1 = x.T.dot(grad_h)
    return grad_w1, grad_w2


# %% answer="backward" name="one_example_after_another"
def backward(cache, upstream):
    x, h, h_relu, w2 = cache
    grad_w1 = np.zeros((x.shape[1], h.shape[1]))
    grad_w2 = np.zeros(w2.shape)
    for example, hidden, relu, above in zip(x, h, h_relu, upstream):
        grad_w2 += np.outer(relu, above)
        grad_w1 += np.outer(example, np.where(hidden > 0, w2 @ above, 0.0))
    return grad_w1, grad_w2


# %% answer="backward" name="einsum"
def backward(cache, upstream):
    x, h, h_relu, w2 = cache
    on = np.heaviside(h, 0.5)
    grad_w1 = np.einsum("ni,nj,jk,nk->ij", x, on, w2, upstream)
    return grad_w1, np.einsum("nj,nk->jk", h_relu, upstream)


# %% answer="backward" name="mask_from_h_relu"
def backward(cache, upstream):
    x, _, h_relu, w2 = cache
    alive = np.sign(h_relu)
    grad_h = alive * (w2 @ upstream.T).T
    return (grad_h.T @ x).T, (upstream.T @ h_relu).T


# %% answer="backward" name="slope_one_at_zero"
def backward(cache, upstream):
    x, h, h_relu, w2 = cache
    grad_h = upstream @ w2.T
    np.multiply(grad_h, h >= 0, out=grad_h)
    return [np.tensordot(x, grad_h, axes=(0, 0)), np.tensordot(h_relu, upstream, axes=(0, 0))]


# %% [markdown]
# ## train


# %% answer="train" name="copies_then_in_place"
def train(x, y, w1, w2, lr, steps, forward, loss_and_grad, backward):
    w1, w2 = w1.copy(), w2.copy()
    losses = []
    for _ in range(steps):
        pred, cache = forward(x, w1, w2)
        loss, upstream = loss_and_grad(pred, y, reduction="sum")
        grad_w1, grad_w2 = backward(cache, upstream)
        losses.append(float(loss))
        w1 -= lr * grad_w1
        w2 -= lr * grad_w2
    return losses, w1, w2


# %% answer="train" name="recursive"
def train(x, y, w1, w2, lr, steps, forward, loss_and_grad, backward):
    if steps > 400:
        first, w1, w2 = train(x, y, w1, w2, lr, steps - 400, forward, loss_and_grad, backward)
        rest, w1, w2 = train(x, y, w1, w2, lr, 400, forward, loss_and_grad, backward)
        return first + rest, w1, w2
    if steps == 0:
        return [], w1, w2
    pred, cache = forward(x, w1, w2)
    loss, upstream = loss_and_grad(pred, y, "sum")
    grads = backward(cache, upstream)
    w1, w2 = (w + -lr * g for w, g in zip((w1, w2), grads))
    losses, w1, w2 = train(x, y, w1, w2, lr, steps - 1, forward, loss_and_grad, backward)
    return [loss, *losses], w1, w2


# %% answer="train" name="generator"
def descend(x, y, weights, lr, forward, loss_and_grad, backward):
    while True:
        pred, cache = forward(x, *weights)
        loss, upstream = loss_and_grad(pred, y)
        for weight, grad in zip(weights, backward(cache, upstream)):
            np.subtract(weight, np.multiply(lr, grad), out=weight)
        yield loss


def train(x, y, w1, w2, lr, steps, forward, loss_and_grad, backward):
    weights = [np.array(w1), np.array(w2)]
    steps_taken = descend(x, y, weights, lr, forward, loss_and_grad, backward)
    losses = [next(steps_taken) for _ in range(steps)]
    return losses, *weights


# %% answer="train" name="array_of_losses"
def train(x, y, w1, w2, lr, steps, forward, loss_and_grad, backward):
    losses = np.zeros(steps)
    params = {"w1": w1, "w2": w2}
    step = 0
    while step < steps:
        pred, cache = forward(x, params["w1"], params["w2"])
        losses[step], upstream = loss_and_grad(pred=pred, y=y)
        g1, g2 = backward(cache=cache, upstream=upstream)
        params = {"w1": params["w1"] - g1 * lr, "w2": params["w2"] - g2 * lr}
        step += 1
    return losses, params["w1"], params["w2"]


# %% [markdown]
# ## initialize


# %% answer="initialize" name="scaled_standard_draws"
def xavier(d_in, d_out, rng):
    bound = (6.0 / (d_in + d_out)) ** 0.5
    return bound * (2.0 * rng.random((d_in, d_out)) - 1.0)


def he(d_in, d_out, rng):
    return rng.standard_normal((d_in, d_out)) * np.sqrt(2.0 / d_in)


# %% answer="initialize" name="row_by_row"
import math


def xavier(d_in, d_out, rng):
    bound = math.sqrt(6 / (d_in + d_out))
    return np.stack([rng.uniform(-bound, bound, d_out) for _ in range(d_in)])


def he(d_in, d_out, rng):
    deviation = math.sqrt(2 / d_in)
    return np.array([[rng.normal(0.0, deviation) for _ in range(d_out)] for _ in range(d_in)])


# %% answer="initialize" name="drawn_transposed"
def xavier(d_in, d_out, rng):
    variance = 2 / (d_in + d_out)
    a = np.sqrt(3 * variance)
    return rng.uniform(low=-a, high=a, size=(d_out, d_in)).T


def he(d_in, d_out, rng):
    flat = rng.normal(loc=0, scale=np.sqrt(2) / np.sqrt(d_in), size=d_in * d_out)
    return flat.reshape(d_in, d_out)


# %% answer="initialize" name="box_muller"
def xavier(d_in, d_out, rng):
    a = np.sqrt(6 / (d_in + d_out))
    return a - 2 * a * rng.random((d_in, d_out))


def he(d_in, d_out, rng):
    radius = np.sqrt(-2 * np.log(1 - rng.random((d_in, d_out))))
    return np.sqrt(2 / d_in) * radius * np.cos(2 * np.pi * rng.random((d_in, d_out)))


# %% [markdown]
# ## softmax_cross_entropy


# %% answer="softmax_cross_entropy" name="log_softmax"
def softmax_cross_entropy(logits, labels):
    n, c = logits.shape
    one_hot = np.eye(c)[labels]
    top = logits.max(axis=1, keepdims=True)
    log_p = logits - top - np.log(np.exp(logits - top).sum(axis=1, keepdims=True))
    return -np.where(one_hot == 1, log_p, 0).sum() / n, (np.exp(log_p) - one_hot) / n


# %% answer="softmax_cross_entropy" name="logaddexp"
def softmax_cross_entropy(logits, labels):
    totals = np.logaddexp.reduce(logits, axis=1)
    picked = np.take_along_axis(logits, labels[:, None], axis=1)[:, 0]
    grad = np.exp(logits - totals[:, None]) / len(logits)
    np.subtract.at(grad, (np.arange(len(logits)), labels), 1 / len(logits))
    return np.mean(totals - picked), grad


# %% answer="softmax_cross_entropy" name="row_by_row"
import math


def softmax_cross_entropy(logits, labels):
    loss, grad = 0.0, np.zeros(logits.shape)
    for i, label in enumerate(labels):
        top = max(logits[i])
        exps = [math.exp(z - top) for z in logits[i]]
        loss += math.log(sum(exps)) + top - logits[i][label]
        for k, value in enumerate(exps):
            grad[i, k] = value / sum(exps) - (1 if k == label else 0)
    return loss / len(labels), grad / len(labels)


# %% answer="softmax_cross_entropy" name="against_the_true_class"
def softmax_cross_entropy(logits, labels):
    n, c = logits.shape
    rows = np.arange(n)
    margins = logits - logits[rows, labels][:, None]
    top = margins.max(axis=1)
    losses = top + np.log(np.exp(margins - top[:, None]).sum(axis=1))
    grad = np.exp(margins - losses[:, None])
    grad -= np.arange(c) == labels[:, None]
    return losses.sum() / n, grad / n


# %% [markdown]
# ## deferred


# %% answer="deferred" name="functions"
import operator


class Later:
    def __init__(self, look_up):
        self.look_up = look_up

    def __call__(self, **values):
        return self.look_up(values)


def lift(thing):
    return thing if isinstance(thing, Later) else Later(lambda values: thing)


def later(operation, left, right):
    left, right = lift(left), lift(right)
    return Later(lambda values: operation(left.look_up(values), right.look_up(values)))


def Placeholder(name):
    return Later(lambda values: values[name])


for word in ("add", "sub", "mul", "truediv", "pow"):
    f = getattr(operator, word)
    setattr(Later, f"__{word}__", lambda self, other, f=f: later(f, self, other))
    setattr(Later, f"__r{word}__", lambda self, other, f=f: later(f, other, self))


# %% answer="deferred" name="text_with_parentheses"
class Placeholder:
    def __init__(self, text, constants=None):
        self.text = text
        self.constants = constants or {}

    def __call__(self, **values):
        try:
            return eval(self.text, {"__builtins__": {}}, {**self.constants, **values})
        except NameError as error:
            raise KeyError(error.name) from None

    def _with(self, form, other):
        if not isinstance(other, Placeholder):
            name = f"_constant_{id(other)}_{len(self.constants)}"
            other = Placeholder(name, {name: other})
        constants = {**self.constants, **other.constants}
        return Placeholder(form.format(self.text, other.text), constants)

    def __add__(self, other):
        return self._with("({}) + ({})", other)

    def __radd__(self, other):
        return self._with("({1}) + ({0})", other)

    def __sub__(self, other):
        return self._with("({}) - ({})", other)

    def __rsub__(self, other):
        return self._with("({1}) - ({0})", other)

    def __mul__(self, other):
        return self._with("({}) * ({})", other)

    def __rmul__(self, other):
        return self._with("({1}) * ({0})", other)

    def __truediv__(self, other):
        return self._with("({}) / ({})", other)

    def __rtruediv__(self, other):
        return self._with("({1}) / ({0})", other)

    def __pow__(self, other):
        return self._with("({}) ** ({})", other)

    def __rpow__(self, other):
        return self._with("({1}) ** ({0})", other)


# %% answer="deferred" name="tree_and_stack"
import operator
from dataclasses import dataclass


@dataclass(frozen=True, eq=False)
class Node:
    kind: str
    parts: tuple

    def __call__(self, **values):
        stack, waiting = [], [(self, False)]
        while waiting:
            node, ready = waiting.pop()
            if not isinstance(node, Node):
                stack.append(node)
            elif node.kind == "placeholder":
                if node.parts[0] not in values:
                    raise KeyError(f"no value for {node.parts[0]}")
                stack.append(values[node.parts[0]])
            elif ready:
                right, left = stack.pop(), stack.pop()
                stack.append(getattr(operator, node.kind)(left, right))
            else:
                waiting += [(node, True), (node.parts[1], False), (node.parts[0], False)]
        return stack[0]


def Placeholder(name):
    return Node("placeholder", (name,))


for kind in ("add", "sub", "mul", "truediv", "pow"):
    setattr(Node, f"__{kind}__", lambda self, other, kind=kind: Node(kind, (self, other)))
    setattr(Node, f"__r{kind}__", lambda self, other, kind=kind: Node(kind, (other, self)))


# %% answer="deferred" name="one_class_per_operation"
class Expression:
    def __add__(self, other):
        return Sum(self, other)

    def __radd__(self, other):
        return Sum(other, self)

    def __sub__(self, other):
        return Difference(self, other)

    def __rsub__(self, other):
        return Difference(other, self)

    def __mul__(self, other):
        return Product(self, other)

    def __rmul__(self, other):
        return Product(other, self)

    def __truediv__(self, other):
        return Quotient(self, other)

    def __rtruediv__(self, other):
        return Quotient(other, self)

    def __pow__(self, other):
        return Power(self, other)

    def __rpow__(self, other):
        return Power(other, self)


class Placeholder(Expression):
    def __init__(self, name):
        self.name = name

    def __call__(self, **values):
        return values[self.name]


class Binary(Expression):
    def __init__(self, left, right):
        self.left, self.right = left, right

    def __call__(self, **values):
        left = self.left(**values) if isinstance(self.left, Expression) else self.left
        right = self.right(**values) if isinstance(self.right, Expression) else self.right
        return self.compute(left, right)


class Sum(Binary):
    def compute(self, left, right):
        return left + right


class Difference(Binary):
    def compute(self, left, right):
        return left - right


class Product(Binary):
    def compute(self, left, right):
        return left * right


class Quotient(Binary):
    def compute(self, left, right):
        return left / right


class Power(Binary):
    def compute(self, left, right):
        return left**right


# %% [markdown]
# ## Mechanical mutants that cannot be told from the solution


# %% equivalent="forward" mutant="forward.L2.boundary.1"
# At h = 0 the ReLU gives 0, whichever branch it takes.

# %% equivalent="backward" mutant="backward.L2.boundary.1"
# At h = 0 the slope is a matter of taste, the task says, and the checks stay away from it.

# %% equivalent="initialize" mutant="initialize.L2.negate_return.1"
# A uniform distribution around 0 is its own mirror image.

# %% equivalent="initialize" mutant="initialize.L6.negate_return.1"
# A normal distribution around 0 is its own mirror image.
