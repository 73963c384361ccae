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


# %% answer="descent" name="ufunc_with_out"
class SGD:
    def __init__(self, params, lr):
        self.params = tuple(params)
        self.lr = lr

    def step(self):
        for p in filter(lambda q: q.grad is not None, self.params):
            np.subtract(p.data, self.lr * p.grad.data, out=p.data)

    def zero_grad(self):
        for p in self.params:
            p.grad = None


# %% answer="descent" name="augmented"
class SGD:
    def __init__(self, params, lr):
        self.weights, self.lr = [*params], lr

    def step(self):
        for p in self.weights:
            if p.grad is None:
                continue
            p.data -= p.grad.data * self.lr

    def zero_grad(self):
        for p in self.weights:
            p.grad = None


# %% answer="momentum" name="velocity_in_place"
def sgd(p, g, state, lr, momentum=0.0, dampening=0.0, nesterov=False):
    if momentum == 0:
        np.subtract(p, lr * g, out=p)
        return
    if "velocity" not in state:
        state["velocity"] = np.array(g)
    else:
        v = state["velocity"]
        v *= momentum
        v += (1 - dampening) * g
    v = state["velocity"]
    p[...] -= lr * (g + momentum * v) if nesterov else lr * v


# %% answer="momentum" name="always_remembers"
def sgd(p, g, state, lr, momentum=0.0, dampening=0.0, nesterov=False):
    first = not state
    share = 1 if first or momentum == 0 else 1 - dampening
    v = momentum * state.get("v", 0) + share * g
    state.update(v=v)
    p += -lr * g - lr * momentum * v if nesterov else -lr * v


# %% answer="momentum" name="velocity_points_down"
def sgd(p, g, state, lr, momentum=0.0, dampening=0.0, nesterov=False):
    if momentum == 0.0:
        np.add(p, -lr * g, out=p, casting="same_kind")
        return None
    u = state.get("u")
    u = -1.0 * g if u is None else momentum * u - (1 - dampening) * g
    state["u"] = u
    p[...] += lr * (momentum * u - g if nesterov else u)
    return p


# %% answer="momentum" name="all_gradients_kept"
def sgd(p, g, state, lr, momentum=0.0, dampening=0.0, nesterov=False):
    h = state.setdefault("gs", [])
    h.append(g.copy())
    n = len(h)
    if momentum == 0:
        d = g
    else:
        v = momentum ** (n - 1) * h[0]
        for k in range(1, n):
            v = v + (1 - dampening) * momentum ** (n - 1 - k) * h[k]
        d = g + momentum * v if nesterov else v
    p -= (lr * d).astype(p.dtype)


# %% answer="rmsprop" name="mean_in_place"
def rmsprop(p, g, state, lr=0.01, alpha=0.99, eps=1e-8):
    if "square_avg" not in state:
        state["square_avg"] = np.zeros_like(p)
    s = state["square_avg"]
    s *= alpha
    s += (1 - alpha) * np.square(g)
    np.subtract(p, lr * g / (s**0.5 + eps), out=p)


# %% answer="rmsprop" name="difference_form"
def rmsprop(p, g, state, lr=0.01, alpha=0.99, eps=1e-8):
    s = state.setdefault("s", 0 * g)
    state["s"] = s + (1 - alpha) * (g**2 - s)
    p[...] = p - g * (lr / (np.sqrt(state["s"]) + eps))


# %% answer="rmsprop" name="zero_by_zero_is_zero"
def rmsprop(p, g, state, lr=0.01, alpha=0.99, eps=1e-8):
    s = alpha * state.get("s", 0.0) + (1 - alpha) * g * g
    state["s"] = s
    with np.errstate(all="ignore"):
        p -= np.nan_to_num(lr * g / (np.sqrt(s) + eps), nan=0.0)


# %% answer="rmsprop" name="root_is_remembered"
def rmsprop(p, g, state, lr=0.01, alpha=0.99, eps=1e-8):
    r = np.hypot(np.sqrt(alpha) * state.get("r", 0.0), np.sqrt(1 - alpha) * g)
    state["r"] = r
    p -= lr * g / (r + eps)


# %% answer="adam" name="means_in_place"
def adam(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
    if not state:
        state.update(step=0, exp_avg=np.zeros_like(p), exp_avg_sq=np.zeros_like(p))
    state["step"] += 1
    if weight_decay:
        g = g + weight_decay * p
    m, v = state["exp_avg"], state["exp_avg_sq"]
    m *= betas[0]
    m += (1 - betas[0]) * g
    v *= betas[1]
    v += (1 - betas[1]) * np.square(g)
    width = np.sqrt(v) / np.sqrt(1 - betas[1] ** state["step"]) + eps
    np.subtract(p, lr / (1 - betas[0] ** state["step"]) * (m / width), out=p)


def adamw(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    np.subtract(p, lr * weight_decay * p, out=p)
    adam(p, g, state, lr=lr, betas=betas, eps=eps)


# %% answer="adam" name="one_function_for_both"
def _adam(p, g, state, lr, betas, eps, coupled, shrink):
    b1, b2 = betas
    m, v, c1, c2 = state.get("all", (0.0, 0.0, 1.0, 1.0))
    g = g + coupled * p
    m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
    c1, c2 = c1 * b1, c2 * b2
    state["all"] = m, v, c1, c2
    step = (m / (1 - c1)) / ((v / (1 - c2)) ** 0.5 + eps)
    p[...] = p - lr * shrink * p - lr * step


def adam(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
    _adam(p, g, state, lr, betas, eps, weight_decay, 0.0)


def adamw(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    _adam(p, g, state, lr, betas, eps, 0.0, weight_decay)


# %% answer="adam" name="corrected_means_kept"
def _mean(state, name, entry, beta):
    """Return the corrected mean: it is itself a mean, with a weight that grows to 1."""
    old, weight = state.get(name, (0.0, 0.0))
    weight = beta * weight + 1 - beta
    new = old + (entry - old) * ((1 - beta) / weight)
    state[name] = new, weight
    return new


def adam(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
    entry = np.add(g, weight_decay * p)
    first, second = _mean(state, "1", entry, betas[0]), _mean(state, "2", entry**2, betas[1])
    p[...] -= lr * (first / (second**0.5 + eps))


def adamw(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    before = p.copy()
    adam(p, g, state, lr=lr, betas=betas, eps=eps)
    p -= lr * weight_decay * before


# %% answer="adam" name="means_with_falling_weights"
def _means(g, state, b1, b2):
    t = state["t"] = state.get("t", 0) + 1
    a1, a2 = (1 - b1) / (1 - b1**t), (1 - b2) / (1 - b2**t)
    state["m"] = (1 - a1) * state.get("m", 0.0) + a1 * g
    state["v"] = (1 - a2) * state.get("v", 0.0) + a2 * g * g
    return state["m"], np.sqrt(state["v"])


def adam(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
    m, root = _means(g + weight_decay * p, state, *betas)
    p -= lr * m / (root + eps)


def adamw(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    m, root = _means(g, state, *betas)
    p -= lr * (m / (root + eps) + weight_decay * p)


# %% answer="adam" name="powers_in_the_state"
def adam(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
    b1, b2 = betas
    if not state:
        state.update(m=np.zeros_like(p), v=np.zeros_like(p), c1=1.0, c2=1.0)
    state["c1"] *= b1
    state["c2"] *= b2
    g = g + weight_decay * p
    state["m"] += (1 - b1) * (g - state["m"])
    state["v"] += (1 - b2) * (g * g - state["v"])
    p -= lr * (state["m"] / (1 - state["c1"])) / ((state["v"] / (1 - state["c2"])) ** 0.5 + eps)


def adamw(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    p -= lr * weight_decay * p
    adam(p, g, state, lr=lr, betas=betas, eps=eps)


# %% answer="groups" name="defaultdict"
from collections import Counter, defaultdict


class Optimizer:
    def __init__(self, params, rule, **defaults):
        given = list(params)
        if not all(isinstance(entry, dict) for entry in given) or not given:
            given = [{"params": given}]
        self.move = rule
        self.state = defaultdict(dict)
        self.param_groups = []
        for entry in given:
            group = dict(defaults)
            group.update(entry)
            group["params"] = [*entry["params"]]
            self.param_groups.append(group)
        counts = Counter(id(w) for group in self.param_groups for w in group["params"])
        if any(n > 1 for n in counts.values()):
            raise ValueError("every weight may appear once")

    def step(self):
        for group in self.param_groups:
            options = dict(group)
            weights = options.pop("params")
            for w in weights:
                if w.grad is None:
                    continue
                self.move(w.data, w.grad.data, self.state[w], **options)

    def zero_grad(self):
        for group in self.param_groups:
            for w in group["params"]:
                w.grad = None


# %% answer="groups" name="states_from_the_start"
class Optimizer:
    def __init__(self, params, rule, **defaults):
        self.rule, self.state, self.param_groups = rule, {}, []
        loose = []
        for entry in params:
            if isinstance(entry, dict):
                self._add({**defaults, **entry})
            else:
                loose.append(entry)
        if loose or not self.param_groups:
            self._add({**defaults, "params": loose})

    def _add(self, group):
        group["params"] = list(group["params"])
        for w in group["params"]:
            if w in self.state:
                raise ValueError("twice")
            self.state[w] = {}
        self.param_groups.append(group)

    def step(self):
        for group in self.param_groups:
            for w in group["params"]:
                if w.grad is not None:
                    options = {k: group[k] for k in group if k != "params"}
                    self.rule(w.data, w.grad.data, self.state[w], **options)

    def zero_grad(self):
        for w in self.state:
            w.grad = None


# %% answer="groups" name="group_is_a_class"
class Group(dict):
    @property
    def options(self):
        return {k: self[k] for k in self if k != "params"}


class Optimizer:
    def __init__(self, params, rule, **defaults):
        self.rule, self.state, self.param_groups, seen = rule, {}, [], {}
        for entry in params:
            if not isinstance(entry, dict):
                if not self.param_groups:
                    self.param_groups.append(Group(defaults, params=[]))
                self.param_groups[0]["params"].append(entry)
            else:
                self.param_groups.append(Group(defaults | entry, params=[*entry["params"]]))
        for w in self:
            if w in seen.keys() and seen[w]:
                raise ValueError(w)
            seen[w] = True

    def __iter__(self):
        for g in self.param_groups:
            yield from g["params"]

    def step(self):
        for g in self.param_groups:
            for p in g["params"]:
                if p.grad is None:
                    continue
                if p not in self.state:
                    self.state[p] = {}
                self.rule(p.data, p.grad.data, self.state[p], **g.options)

    def zero_grad(self):
        for p in self:
            p.grad = None


# %% answer="resume" name="through_pickle"
import pickle


def _plain(value):
    return pickle.loads(pickle.dumps(value))


def state_dict(optimizer):
    groups, state, count = [], {}, 0
    for group in optimizer.param_groups:
        numbers = []
        for w in group["params"]:
            if w in optimizer.state:
                state[count] = _plain(optimizer.state[w])
            numbers.append(count)
            count += 1
        rest = {k: v for k, v in group.items() if k != "params"}
        groups.append({**_plain(rest), "params": numbers})
    return {"param_groups": groups, "state": state}


def load_state_dict(optimizer, saved):
    saved = _plain(saved)
    old = optimizer.param_groups
    sizes = [len(g["params"]) for g in saved["param_groups"]]
    if sizes != [len(g["params"]) for g in old]:
        raise ValueError(f"the groups of the saved optimizer hold {sizes} weights")
    owner = {}
    new = []
    for mine, theirs in zip(old, saved["param_groups"], strict=True):
        owner.update(zip(theirs["params"], mine["params"], strict=True))
        new.append({**theirs, "params": mine["params"]})
    optimizer.param_groups[:] = new
    optimizer.state.clear()
    for number, kept in saved["state"].items():
        optimizer.state[owner[number]] = kept


# %% answer="resume" name="copied_by_hand"
def copied(value):
    if isinstance(value, dict):
        return {k: copied(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(copied(v) for v in value)
    return value.copy() if isinstance(value, np.ndarray) else value


def state_dict(optimizer):
    weights = [w for group in optimizer.param_groups for w in group["params"]]
    ids = [id(w) for w in weights]
    groups = []
    for group in optimizer.param_groups:
        own = {k: copied(v) for k, v in group.items() if k != "params"}
        own["params"] = [ids.index(id(w)) for w in group["params"]]
        groups.append(own)
    state = {}
    for i, w in enumerate(weights):
        if w in optimizer.state:
            state[i] = copied(optimizer.state[w])
    return {"state": state, "param_groups": groups}


def load_state_dict(optimizer, saved):
    pairs = list(zip(optimizer.param_groups, saved["param_groups"]))
    same_count = len(optimizer.param_groups) == len(saved["param_groups"])
    if not same_count or any(len(a["params"]) != len(b["params"]) for a, b in pairs):
        raise ValueError("these groups do not fit")
    weights = []
    for mine, theirs in pairs:
        for name in [k for k in mine if k != "params"]:
            del mine[name]
        mine.update({k: copied(v) for k, v in theirs.items() if k != "params"})
        weights += mine["params"]
    optimizer.state = {weights[i]: copied(kept) for i, kept in saved["state"].items()}


# %% answer="resume" name="weights_in_the_memo"
import copy


def state_dict(optimizer):
    memo, i = {}, 0
    for g in optimizer.param_groups:
        for w in g["params"]:
            memo[id(w)] = i
            i += 1
    return copy.deepcopy(
        {"param_groups": optimizer.param_groups, "state": dict(optimizer.state)}, memo
    )


def load_state_dict(optimizer, saved):
    if [len(g["params"]) for g in optimizer.param_groups] != [
        len(g["params"]) for g in saved["param_groups"]
    ]:
        raise ValueError("sizes")
    ws = [w for g in optimizer.param_groups for w in g["params"]]
    groups = copy.deepcopy(saved["param_groups"])
    for g, o in zip(optimizer.param_groups, groups):
        o["params"] = g["params"]
    optimizer.param_groups = groups
    optimizer.state = {ws[i]: copy.deepcopy(s) for i, s in saved["state"].items()}


# %% answer="steady" name="math_and_concatenate"
import math


def warmup_cosine(step, warmup, total, final=0.0):
    if step < warmup:
        return 1 - (warmup - step - 1) / warmup
    if step < total:
        low, high = final, 1.0
        angle = math.pi * (step - warmup) / (total - warmup)
        return low + (high - low) * math.cos(angle / 2) ** 2
    return final


class Schedule:
    def __init__(self, optimizer, factor):
        self.groups = [(group, group["lr"]) for group in optimizer.param_groups]
        self.factor, self.done = factor, 0
        self._set()

    def _set(self):
        for group, rate in self.groups:
            group["lr"] = self.factor(self.done) * rate

    def step(self):
        self.done += 1
        self._set()


def clip_grad_norm(params, max_norm):
    weights = [p for p in params if p.grad is not None]
    if not weights:
        return 0.0
    flat = np.concatenate([np.ravel(p.grad.data).astype(float) for p in weights])
    norm = math.sqrt(flat @ flat)
    factor = min(1.0, max_norm / (norm + 1e-6))
    for p in weights:
        p.grad.data[...] = p.grad.data * factor
    return norm


# %% answer="steady" name="lazy_iterators"
def warmup_cosine(step, warmup, total, final=0.0):
    if step >= total and step >= warmup:
        return final
    rising = (step + 1) / max(warmup, 1)
    part = np.clip((step - warmup) / max(total - warmup, 1), 0, 1)
    falling = final + (1 - final) / 2 + (1 - final) / 2 * np.cos(np.pi * part)
    return float(rising if step < warmup else falling)


class Schedule:
    def __init__(self, optimizer, factor):
        self.optimizer = optimizer
        self.factors = map(factor, range(10**9))
        self.base = {i: g["lr"] for i, g in enumerate(optimizer.param_groups)}
        self.step()

    def step(self):
        factor = next(self.factors)
        for i, group in enumerate(self.optimizer.param_groups):
            group["lr"] = self.base[i] * factor


def clip_grad_norm(params, max_norm):
    grads = [p.grad.data for p in params if p.grad is not None]
    norms = [np.linalg.norm(g.astype(np.float64)) for g in grads]
    norm = float(np.linalg.norm(norms))
    if norm + 1e-6 > max_norm:
        for g in grads:
            np.multiply(g, max_norm / (norm + 1e-6), out=g, casting="same_kind")
    return norm


# %% answer="steady" name="hypot_of_norms"
import math


def warmup_cosine(step, warmup, total, final=0.0):
    if step < warmup:
        return (step + 1) / warmup
    if step >= total:
        return final
    return final + (1 - final) * (1 + math.cos(math.pi * (step - warmup) / (total - warmup))) / 2


class Schedule:
    def __init__(self, optimizer, factor):
        self.optimizer, self.factor, self.number = optimizer, factor, 0
        self.first = [group["lr"] for group in optimizer.param_groups]
        self.put()

    def put(self):
        for group, lr in zip(self.optimizer.param_groups, self.first):
            group["lr"] = lr * self.factor(self.number)

    def step(self):
        self.number += 1
        self.put()


def clip_grad_norm(params, max_norm):
    grads = [p.grad.data for p in params if p.grad is not None]
    norm = math.hypot(*[np.linalg.norm(g) for g in grads])
    scale = max_norm / (norm + 1e-6)
    if scale < 1:
        for g in grads:
            g *= scale
    return norm


# %% answer="torch_loop" name="leaves_cloned"
def fit(w1, w2, x, y, steps, name, max_norm=None, **options):
    inputs, targets = torch.from_numpy(x.copy()), torch.from_numpy(y.copy())
    a = torch.from_numpy(w1).clone().requires_grad_()
    b = torch.from_numpy(w2).clone().requires_grad_()
    optimizer = vars(torch.optim)[name](params=[a, b], **options)
    losses = []
    while len(losses) < steps:
        hidden = inputs.mm(a).clamp(min=0)
        loss = torch.nn.functional.mse_loss(hidden.mm(b), targets, reduction="sum")
        losses.append(float(loss))
        loss.backward()
        if max_norm is not None:
            torch.nn.utils.clip_grad_norm_((a, b), max_norm=max_norm)
        optimizer.step()
        optimizer.zero_grad(set_to_none=False)
    with torch.no_grad():
        return losses, np.array(a), np.array(b)


# %% answer="torch_loop" name="as_a_module"
def fit(w1, w2, x, y, steps, name, max_norm=None, **options):
    (d, h), (_h, o) = w1.shape, w2.shape
    first = torch.nn.Linear(d, h, bias=False, dtype=torch.float64)
    last = torch.nn.Linear(h, o, bias=False, dtype=torch.float64)
    with torch.no_grad():
        first.weight.copy_(torch.tensor(w1).T)
        last.weight.copy_(torch.tensor(w2).T)
    net = torch.nn.Sequential(first, torch.nn.ReLU(), last)
    optimizer = getattr(torch.optim, name)(net.parameters(), **options)
    inputs, targets, losses = torch.tensor(x), torch.tensor(y), []
    for _step in range(steps):
        optimizer.zero_grad()
        loss = (net(inputs) - targets).pow(2).sum()
        loss.backward()
        if max_norm is not None:
            torch.nn.utils.clip_grad_norm_(net.parameters(), max_norm)
        optimizer.step()
        losses.append(loss.item())
    return losses, first.weight.detach().numpy().T.copy(), last.weight.detach().numpy().T.copy()


# %% answer="torch_loop" name="step_with_closure"
def fit(w1, w2, x, y, steps, name, max_norm=None, **options):
    x, y = torch.tensor(x), torch.tensor(y)
    weights = [torch.tensor(w, requires_grad=True) for w in (w1, w2)]
    optimizer = getattr(torch.optim, name)(weights, **options)
    losses = []
    for _step in range(steps):

        def closure():
            optimizer.zero_grad()
            loss = ((torch.relu(x @ weights[0]) @ weights[1] - y) ** 2).sum()
            loss.backward()
            if max_norm is not None:
                torch.nn.utils.clip_grad_norm_(weights, max_norm)
            return loss

        losses.append(optimizer.step(closure).item())
    return losses, *(w.detach().numpy() for w in weights)


# %% equivalent="resume" mutant="resume.L6.drop_filter.1"
# The weights that are copied under "params" are replaced by their numbers in the next line.

# %% equivalent="resume" mutant="resume.L18.drop_keyword.1"
# The line before has made sure that both lists have the same length, so `strict` changes nothing.

# %% equivalent="resume" mutant="resume.L18.flip.1"
# The line before has made sure that both lists have the same length, so `strict` changes nothing.

# %% equivalent="steady" mutant="steady.L5.swap_operands.2"
# The cosine of an angle and of its negative are equal.

# %% equivalent="steady" mutant="steady.L5.swap_operands.3"
# The cosine of an angle and of its negative are equal.

# %% equivalent="steady" mutant="steady.L19.drop_keyword.1"
# There is a first rate for every group, so `strict` changes nothing.

# %% equivalent="steady" mutant="steady.L19.flip.1"
# There is a first rate for every group, so `strict` changes nothing.

# %% equivalent="steady" mutant="steady.L27.boundary.1"
# Where the factor is exactly 1, multiplying by it changes nothing.

# %% equivalent="torch_loop" mutant="torch_loop.L7.swap_operands.2"
# A difference is squared, so its sign does not matter.
