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

# %% [markdown]
# ## descent


# %% answer="descent" name="new_array" loses="step"
# `p.data = p.data - ...` makes a new array. Whoever holds the old one, a view for example, sees no
# change. Write into the array: `p.data -= ...`.
class SGD:
    def __init__(self, params, lr):
        self.params, self.lr = list(params), lr

    def step(self):
        for p in self.params:
            if p.grad is not None:
                p.data = p.data - self.lr * p.grad.data

    def zero_grad(self):
        for p in self.params:
            p.grad = None


# %% answer="descent" name="uphill" loses="step without_gradient zero_grad rate"
# Your weights move along the gradient, which is uphill. The loss falls the other way.
class SGD:
    def __init__(self, params, lr):
        self.params, self.lr = list(params), lr

    def step(self):
        for p in self.params:
            if p.grad is not None:
                p.data += self.lr * p.grad.data

    def zero_grad(self):
        for p in self.params:
            p.grad = None


# %% answer="descent" name="none_not_expected" loses="without_gradient zero_grad"
# A weight that no backward pass has reached has the gradient None, and nothing can be multiplied
# with that. Leave such weights out.
class SGD:
    def __init__(self, params, lr):
        self.params, self.lr = list(params), lr

    def step(self):
        for p in self.params:
            p.data -= self.lr * p.grad.data

    def zero_grad(self):
        for p in self.params:
            p.grad = None


# %% answer="descent" name="stops_at_none" loses="without_gradient"
# At the first weight without a gradient your loop ends, and the weights behind it do not move.
class SGD:
    def __init__(self, params, lr):
        self.params, self.lr = list(params), lr

    def step(self):
        for p in self.params:
            if p.grad is None:
                return
            p.data -= self.lr * p.grad.data

    def zero_grad(self):
        for p in self.params:
            p.grad = None


# %% answer="descent" name="zero_grad_does_nothing" loses="zero_grad"
# Your `zero_grad` leaves the gradients as they are. The next backward pass adds to them, so each
# step uses the sum of all gradients so far.
class SGD:
    def __init__(self, params, lr):
        self.params, self.lr = list(params), lr

    def step(self):
        for p in self.params:
            if p.grad is not None:
                p.data -= self.lr * p.grad.data

    def zero_grad(self):
        pass


# %% answer="descent" name="fills_with_zeros" loses="zero_grad"
# Your `zero_grad` leaves arrays of zeros. None is asked for: it says that there is no gradient, and
# such a weight is left out.
class SGD:
    def __init__(self, params, lr):
        self.params, self.lr = list(params), lr

    def step(self):
        for p in self.params:
            if p.grad is not None:
                p.data -= self.lr * p.grad.data

    def zero_grad(self):
        for p in self.params:
            if p.grad is not None:
                p.grad.data[...] = 0


# %% answer="descent" name="clears_in_step" loses="step"
# Your `step` clears the gradients. They are to be left as they are until somebody calls
# `zero_grad`.
class SGD:
    def __init__(self, params, lr):
        self.params, self.lr = list(params), lr

    def step(self):
        for p in self.params:
            if p.grad is not None:
                p.data -= self.lr * p.grad.data
        self.zero_grad()

    def zero_grad(self):
        for p in self.params:
            p.grad = None


# %% answer="descent" name="scales_the_gradient" loses="step"
# Your `step` multiplies the gradient itself by the rate. It belongs to whoever computed it; make a
# new array for the product.
class SGD:
    def __init__(self, params, lr):
        self.params, self.lr = list(params), lr

    def step(self):
        for p in self.params:
            if p.grad is not None:
                p.grad.data[...] *= self.lr
                p.data -= p.grad.data

    def zero_grad(self):
        for p in self.params:
            p.grad = None


# %% answer="descent" name="generator_kept" loses="step"
# You kept `params` as it came. A generator can be read only once: make a list of it at the start.
class SGD:
    def __init__(self, params, lr):
        self.params, self.lr = params, lr

    def step(self):
        for p in self.params:
            if p.grad is not None:
                p.data -= self.lr * p.grad.data

    def zero_grad(self):
        for p in self.params:
            p.grad = None


# %% answer="descent" name="rate_frozen" loses="rate"
# A new value of `lr` has no effect: your `step` uses another copy of the rate that it was made
# with.
class SGD:
    def __init__(self, params, lr):
        self.params, self.lr, self.first = list(params), lr, lr

    def step(self):
        for p in self.params:
            if p.grad is not None:
                p.data -= self.first * p.grad.data

    def zero_grad(self):
        for p in self.params:
            p.grad = None


# %% answer="descent" name="rate_for_all" loses="rate"
# The rate is kept on the class, so every optimizer has the rate of the one that was made last. Keep
# it on `self`.
class SGD:
    def __init__(self, params, lr):
        self.params = list(params)
        SGD.lr = lr

    def step(self):
        for p in self.params:
            if p.grad is not None:
                p.data -= SGD.lr * p.grad.data

    def zero_grad(self):
        for p in self.params:
            p.grad = None


# %% answer="descent" name="first_weight_only" loses="step"
# Only the first weight is moved.
class SGD:
    def __init__(self, params, lr):
        self.params, self.lr = list(params), lr

    def step(self):
        for p in self.params:
            if p.grad is not None:
                p.data -= self.lr * p.grad.data
                break

    def zero_grad(self):
        for p in self.params:
            p.grad = None


# %% answer="descent" name="only_the_sign" loses="step zero_grad"
# Your weights move by `lr` whatever the size of the gradient. In plain descent a steeper slope is a
# longer step.
class SGD:
    def __init__(self, params, lr):
        self.params, self.lr = list(params), lr

    def step(self):
        for p in self.params:
            if p.grad is not None:
                p.data -= self.lr * np.sign(p.grad.data)

    def zero_grad(self):
        for p in self.params:
            p.grad = None


# %% answer="descent" name="clears_only_what_it_moved" loses="zero_grad"
# Your `zero_grad` clears the gradient of the first weight only.
class SGD:
    def __init__(self, params, lr):
        self.params, self.lr = list(params), lr

    def step(self):
        for p in self.params:
            if p.grad is not None:
                p.data -= self.lr * p.grad.data

    def zero_grad(self):
        self.params[-1].grad = None


# %% answer="descent" name="rounded" loses="step"
# Somewhere on the way your numbers are rounded to float32 and lose half of their digits.
class SGD:
    def __init__(self, params, lr):
        self.params, self.lr = list(params), lr

    def step(self):
        for p in self.params:
            if p.grad is not None:
                p.data -= np.float32(self.lr) * p.grad.data.astype("float32")

    def zero_grad(self):
        for p in self.params:
            p.grad = None


# %% answer="descent" name="waits_for_all_entries" loses="step"
# A weight moves only when no entry of its gradient is 0. A gradient with zeros in it is a gradient.
class SGD:
    def __init__(self, params, lr):
        self.params = list(params)
        self.lr = lr

    def step(self):
        for p in self.params:
            if p.grad is not None and np.all(p.grad.data):
                p.data -= self.lr * p.grad.data

    def zero_grad(self):
        for p in self.params:
            p.grad = None


# %% answer="descent" name="clips_values" loses="step"
# Your step cuts entries of the gradient off at some size. Every entry counts in full here.
class SGD:
    def __init__(self, params, lr):
        self.params = list(params)
        self.lr = lr

    def step(self):
        for p in self.params:
            if p.grad is not None:
                p.data -= self.lr * np.clip(p.grad.data, -100, 100)

    def zero_grad(self):
        for p in self.params:
            p.grad = None


# %% [markdown]
# ## momentum


# %% answer="momentum" name="no_velocity" loses="velocity nesterov rate own_state"
# Every step is −lr · g, whatever the momentum. The velocity of the step before has to survive in
# `state`.
def sgd(p, g, state, lr, momentum=0.0, dampening=0.0, nesterov=False):
    p -= lr * g


# %% answer="momentum" name="running_mean" loses="first_step velocity nesterov rate own_state"
# Yours is a running mean, with the weight 1 − momentum on each gradient. Here the gradients are
# added with weight 1 (that is what `dampening` is for).
def sgd(p, g, state, lr, momentum=0.0, dampening=0.0, nesterov=False):
    v = state["v"] = momentum * state.get("v", 0.0) + (1 - momentum) * g
    p -= lr * (g + momentum * v if nesterov else v)


# %% answer="momentum" name="first_step_dampened" loses="first_step velocity"
# The dampening acts on your first gradient as well. By PyTorch's convention the first velocity is
# the gradient, whole.
def sgd(p, g, state, lr, momentum=0.0, dampening=0.0, nesterov=False):
    d = g
    if momentum:
        v = state["v"] = momentum * state.get("v", 0.0) + (1 - dampening) * g
        d = g + momentum * v if nesterov else v
    p -= lr * d


# %% answer="momentum" name="dampening_ignored" loses="velocity"
# The dampening has no effect. From the second step on a new gradient enters the velocity with the
# weight 1 − dampening.
def sgd(p, g, state, lr, momentum=0.0, dampening=0.0, nesterov=False):
    v = state["v"] = momentum * state.get("v", 0.0) + g
    p -= lr * (g + momentum * v if nesterov else v)


# %% answer="momentum" name="dampens_without_momentum" loses="first_step"
# With momentum 0 every step is −lr · g. Your dampening plays a part there, and should not.
def sgd(p, g, state, lr, momentum=0.0, dampening=0.0, nesterov=False):
    v = momentum * state["v"] + (1 - dampening) * g if "v" in state else g.copy()
    state["v"] = v
    p -= lr * (g + momentum * v if nesterov else v)


# %% answer="momentum" name="rate_inside" loses="rate nesterov"
# Your velocity has the learning rate in it. While the rate is constant that makes no difference;
# when it changes, the old velocity should be scaled by the new rate, too.
def sgd(p, g, state, lr, momentum=0.0, dampening=0.0, nesterov=False):
    if momentum and "v" in state:
        v = momentum * state["v"] + (1 - dampening) * lr * g
    else:
        v = lr * g
    state["v"] = v
    p -= lr * g + momentum * v if nesterov else v


# %% answer="momentum" name="nesterov_ignored" loses="nesterov"
# `nesterov` has no effect: the step is along v, not along g + momentum · v.
def sgd(p, g, state, lr, momentum=0.0, dampening=0.0, nesterov=False):
    d = g
    if momentum:
        v = momentum * state["v"] + (1 - dampening) * g if "v" in state else g.copy()
        d = state["v"] = v
    p -= lr * d


# %% answer="momentum" name="nesterov_with_old_velocity" loses="nesterov"
# In Nesterov's step, g + momentum · v, you take the velocity from before the step. It is the new
# one that is meant: the old one already has its place inside of it.
def sgd(p, g, state, lr, momentum=0.0, dampening=0.0, nesterov=False):
    d = g
    if momentum:
        old = state.get("v", 0.0)
        v = momentum * state["v"] + (1 - dampening) * g if "v" in state else g.copy()
        state["v"] = v
        d = g + momentum * old if nesterov else v
    p -= lr * d


# %% answer="momentum" name="nesterov_twice" loses="nesterov"
# Your Nesterov step is v + momentum · v. It is the bare gradient that is added to momentum · v.
def sgd(p, g, state, lr, momentum=0.0, dampening=0.0, nesterov=False):
    d = g
    if momentum:
        v = momentum * state["v"] + (1 - dampening) * g if "v" in state else g.copy()
        state["v"] = v
        d = v + momentum * v if nesterov else v
    p -= lr * d


# %% answer="momentum" name="nesterov_stored" loses="nesterov"
# You store g + momentum · v as the velocity. What survives is v; the look ahead is only for this
# step.
def sgd(p, g, state, lr, momentum=0.0, dampening=0.0, nesterov=False):
    d = g
    if momentum:
        d = momentum * state["v"] + (1 - dampening) * g if "v" in state else g.copy()
        d = g + momentum * d if nesterov else d
        state["v"] = d
    p -= lr * d


# %% answer="momentum" name="keeps_the_callers_array" loses="own_state"
# You store the caller's array as the first velocity, not a copy of its numbers. When the caller
# overwrites it, your velocity changes.
def sgd(p, g, state, lr, momentum=0.0, dampening=0.0, nesterov=False):
    d = g
    if momentum:
        v = momentum * state["v"] + (1 - dampening) * g if "v" in state else g
        state["v"] = v
        d = g + momentum * v if nesterov else v
    p -= lr * d


# %% answer="momentum" name="one_velocity_for_all" loses="own_state"
# All weights share one velocity. Each has its own, in the `state` that comes with it.
shared = {}


def sgd(p, g, state, lr, momentum=0.0, dampening=0.0, nesterov=False):
    d = g
    if momentum:
        v = momentum * shared["v"] + (1 - dampening) * g if state and "v" in shared else g.copy()
        shared["v"], state["started"] = v, 1
        d = g + momentum * v if nesterov else v
    p -= lr * d


# %% answer="momentum" name="by_address" loses="own_state"
# The velocity is kept outside of `state`, under the address of the array. A copy of `p` and `state`
# cannot continue.
velocities = {}


def sgd(p, g, state, lr, momentum=0.0, dampening=0.0, nesterov=False):
    d = g
    if momentum:
        key = state.setdefault("key", p.__array_interface__["data"][0])
        key = key if key == p.__array_interface__["data"][0] else None
        v = momentum * velocities[key] + (1 - dampening) * g if len(state) > 1 else g.copy()
        velocities[key], state["on"] = v, 1
        d = g + momentum * v if nesterov else v
    p -= lr * d


# %% answer="momentum" name="writes_into_g" loses="own_state"
# Your rule computes in the caller's array `g`, so the gradient is another after the call.
def sgd(p, g, state, lr, momentum=0.0, dampening=0.0, nesterov=False):
    if momentum:
        old = g.copy()
        if "v" in state:
            g *= 1 - dampening
            g += momentum * state["v"]
        state["v"] = g.copy()
        if nesterov:
            g[...] = old + momentum * g
    p -= lr * g


# %% answer="momentum" name="new_p" loses="first_step velocity nesterov rate own_state in_place"
# `p = p - ...` makes a new array under the name `p`, and the caller's stays as it was. Write into
# it: `p -= ...`.
def sgd(p, g, state, lr, momentum=0.0, dampening=0.0, nesterov=False):
    d = g
    if momentum:
        v = momentum * state["v"] + (1 - dampening) * g if "v" in state else g.copy()
        state["v"] = v
        d = g + momentum * v if nesterov else v
    p = p - lr * d


# %% answer="momentum" name="flattened" loses="in_place"
# `p.reshape(-1)` is a view where the memory allows it and a copy elsewhere, for a transposed array
# say. Your change is lost in the copy.
def sgd(p, g, state, lr, momentum=0.0, dampening=0.0, nesterov=False):
    d = g
    if momentum:
        v = momentum * state["v"] + (1 - dampening) * g if "v" in state else g.copy()
        state["v"] = v
        d = g + momentum * v if nesterov else v
    flat = p.reshape(-1)
    flat -= lr * np.reshape(d, -1)


# %% answer="momentum" name="forgets_at_zero" loses="velocity nesterov"
# Where the gradient is 0 your velocity is 0, too. It should roll on.
def sgd(p, g, state, lr, momentum=0.0, dampening=0.0, nesterov=False):
    d = g
    if momentum:
        v = momentum * state["v"] + (1 - dampening) * g if "v" in state else g.copy()
        v = np.where(g == 0, 0, v)
        state["v"] = v
        d = g + momentum * v if nesterov else v
    p -= lr * d


# %% answer="momentum" name="uphill" loses="first_step velocity nesterov rate own_state in_place"
# Your weights move along the gradient, which is uphill.
def sgd(p, g, state, lr, momentum=0.0, dampening=0.0, nesterov=False):
    d = g
    if momentum:
        v = momentum * state["v"] + (1 - dampening) * g if "v" in state else g.copy()
        state["v"] = v
        d = g + momentum * v if nesterov else v
    p += lr * d


# %% answer="momentum" name="rate_zero_forgets" loses="rate"
# In a step with a learning rate of 0 the velocity stays as it was. The gradient belongs into it
# all the same; only the weight does not move.
def sgd(p, g, state, lr, momentum=0.0, dampening=0.0, nesterov=False):
    if lr == 0 or momentum == 0:
        d = g
    else:
        if "v" in state:
            v = momentum * state["v"] + (1 - dampening) * g
        else:
            v = g.copy()
        state["v"] = v
        d = g + momentum * v if nesterov else v
    p -= lr * d


# %% [markdown]
# ## rmsprop


# %% answer="rmsprop" name="eps_under_root" loses="eps"
# Your `eps` stands under the root. Then √(s + 1e-8) is never below 1e-4, and weights with small
# gradients hardly move.
def rmsprop(p, g, state, lr=0.01, alpha=0.99, eps=1e-8):
    s = state["s"] = alpha * state.get("s", 0.0) + (1 - alpha) * g * g
    p -= lr * g / np.sqrt(s + eps)


# %% answer="rmsprop" name="no_eps" loses="eps"
# Where all gradients were 0 you divide 0 by 0. That is what `eps` is for.
def rmsprop(p, g, state, lr=0.01, alpha=0.99, eps=1e-8):
    s = state["s"] = alpha * state.get("s", 0.0) + (1 - alpha) * g * g
    p -= lr * g / np.sqrt(s)


# %% answer="rmsprop" name="largest_of_both" loses="eps"
# You take the larger of √s and `eps`. The task adds them.
def rmsprop(p, g, state, lr=0.01, alpha=0.99, eps=1e-8):
    s = state["s"] = alpha * state.get("s", 0.0) + (1 - alpha) * g * g
    p -= lr * g / np.maximum(np.sqrt(s), eps)


# %% answer="rmsprop" name="starts_at_first_square" loses="values eps own_state"
# Your running mean starts at the first square, and the first step is as long as `lr`. Here it
# starts at 0, so the first s is (1 − alpha) · g².
def rmsprop(p, g, state, lr=0.01, alpha=0.99, eps=1e-8):
    s = alpha * state["s"] + (1 - alpha) * g * g if "s" in state else g * g
    state["s"] = s
    p -= lr * g / (np.sqrt(s) + eps)


# %% answer="rmsprop" name="corrected" loses="values eps own_state"
# You divide the mean by 1 − alphaᵗ, as Adam does. RMSProp does not: its first steps are longer.
def rmsprop(p, g, state, lr=0.01, alpha=0.99, eps=1e-8):
    t = state["t"] = state.get("t", 0) + 1
    s = state["s"] = alpha * state.get("s", 0.0) + (1 - alpha) * g * g
    p -= lr * g / (np.sqrt(s / (1 - alpha**t)) + eps)


# %% answer="rmsprop" name="shares_swapped" loses="values eps own_state"
# The shares are the wrong way round: `alpha` is how much of the *old* mean stays.
def rmsprop(p, g, state, lr=0.01, alpha=0.99, eps=1e-8):
    s = state["s"] = (1 - alpha) * state.get("s", 0.0) + alpha * g * g
    p -= lr * g / (np.sqrt(s) + eps)


# %% answer="rmsprop" name="sum_instead_of_mean" loses="values eps own_state"
# You sum all squares, as AdaGrad does. A running mean forgets: the old one enters with `alpha`, the
# new square with 1 − `alpha`.
def rmsprop(p, g, state, lr=0.01, alpha=0.99, eps=1e-8):
    s = state["s"] = state.get("s", 0.0) + g * g
    p -= lr * g / (np.sqrt(s) + eps)


# %% answer="rmsprop" name="old_mean" loses="values"
# You divide by the mean from before this gradient. The new square enters first.
def rmsprop(p, g, state, lr=0.01, alpha=0.99, eps=1e-8):
    s = state.get("s", 0.0)
    p -= lr * g / (np.sqrt(s) + eps)
    state["s"] = alpha * s + (1 - alpha) * g * g


# %% answer="rmsprop" name="no_root" loses="values eps own_state"
# You divide by the mean square itself. Its root has the size of a gradient; the square has not.
def rmsprop(p, g, state, lr=0.01, alpha=0.99, eps=1e-8):
    s = state["s"] = alpha * state.get("s", 0.0) + (1 - alpha) * g * g
    p -= lr * g / (s + eps)


# %% answer="rmsprop" name="one_length_for_all" loses="values"
# You keep one mean square for the whole array. Each entry has its own.
def rmsprop(p, g, state, lr=0.01, alpha=0.99, eps=1e-8):
    s = state["s"] = alpha * state.get("s", 0.0) + (1 - alpha) * np.mean(g * g)
    p -= lr * g / (np.sqrt(s) + eps)


# %% answer="rmsprop" name="skips_zeros" loses="values"
# Where the gradient is 0 your mean stays. A 0 is a gradient like any other: the mean falls.
def rmsprop(p, g, state, lr=0.01, alpha=0.99, eps=1e-8):
    old = state.get("s", np.zeros_like(g))
    s = state["s"] = np.where(g == 0, old, alpha * old + (1 - alpha) * g * g)
    p -= lr * g / (np.sqrt(s) + eps)


# %% answer="rmsprop" name="one_mean_for_all" loses="own_state"
# All weights share one running mean. Each has its own, in the `state` that comes with it.
mean = {}


def rmsprop(p, g, state, lr=0.01, alpha=0.99, eps=1e-8):
    if not state and np.shape(mean.get("s", g)) != np.shape(g):
        mean.clear()
    s = mean["s"] = alpha * mean.get("s", 0.0) + (1 - alpha) * g * g
    state["t"] = 1
    p -= lr * g / (np.sqrt(s) + eps)


# %% answer="rmsprop" name="squares_in_place" loses="own_state"
# Your rule squares the gradient in the caller's array, so it is another after the call.
def rmsprop(p, g, state, lr=0.01, alpha=0.99, eps=1e-8):
    step = g.copy()
    g *= g
    s = state["s"] = alpha * state.get("s", 0.0) + (1 - alpha) * g
    p -= lr * step / (np.sqrt(s) + eps)


# %% answer="rmsprop" name="new_p" loses="values eps own_state"
# `p = p - ...` makes a new array under the name `p`, and the caller's stays as it was.
def rmsprop(p, g, state, lr=0.01, alpha=0.99, eps=1e-8):
    s = state["s"] = alpha * state.get("s", 0.0) + (1 - alpha) * g * g
    p = p - lr * g / (np.sqrt(s) + eps)


# %% answer="rmsprop" name="default_of_keras" loses="values"
# By default your mean forgets as Keras' does, with 0.9. The default of `alpha` here is 0.99.
def rmsprop(p, g, state, lr=0.01, alpha=0.9, eps=1e-8):
    s = state["s"] = alpha * state.get("s", 0.0) + (1 - alpha) * g * g
    p -= lr * g / (np.sqrt(s) + eps)


# %% [markdown]
# ## adam


# %% answer="adam" name="no_correction" loses="first_step trajectory eps own_steps"
# Both means start at 0 and are too small at first. Divide m by 1 − β₁ᵗ and v by 1 − β₂ᵗ.
def adam(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
    beta1, beta2 = betas
    t = state["t"] = state.get("t", 0) + 1
    g = g + weight_decay * p
    m = state["m"] = beta1 * state.get("m", 0.0) + (1 - beta1) * g
    v = state["v"] = beta2 * state.get("v", 0.0) + (1 - beta2) * g * g
    p -= lr * m / (np.sqrt(v) + eps)


def adamw(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    p *= 1 - lr * weight_decay
    adam(p, g, state, lr, betas, eps)


# %% answer="adam" name="eps_under_root" loses="eps"
# Your `eps` stands under the root. For gradients as small as `eps` that is a huge difference:
# √(1e-8) is 1e-4.
def adam(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
    beta1, beta2 = betas
    t = state["t"] = state.get("t", 0) + 1
    g = g + weight_decay * p
    m = state["m"] = beta1 * state.get("m", 0.0) + (1 - beta1) * g
    v = state["v"] = beta2 * state.get("v", 0.0) + (1 - beta2) * g * g
    p -= lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t) + eps))


def adamw(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    p *= 1 - lr * weight_decay
    adam(p, g, state, lr, betas, eps)


# %% answer="adam" name="eps_before_correction" loses="eps"
# Your `eps` is added to the root of the uncorrected v, as Keras does. Here, as in PyTorch, v is
# corrected first.
def adam(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
    beta1, beta2 = betas
    t = state["t"] = state.get("t", 0) + 1
    g = g + weight_decay * p
    m = state["m"] = beta1 * state.get("m", 0.0) + (1 - beta1) * g
    v = state["v"] = beta2 * state.get("v", 0.0) + (1 - beta2) * g * g
    rate = lr * np.sqrt(1 - beta2**t) / (1 - beta1**t)
    p -= rate * m / (np.sqrt(v) + eps)


def adamw(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    p *= 1 - lr * weight_decay
    adam(p, g, state, lr, betas, eps)


# %% answer="adam" name="no_eps" loses="eps"
# Without `eps` a weight whose gradient has always been 0 gets 0 / 0.
def adam(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
    beta1, beta2 = betas
    t = state["t"] = state.get("t", 0) + 1
    g = g + weight_decay * p
    m = state["m"] = beta1 * state.get("m", 0.0) + (1 - beta1) * g
    v = state["v"] = beta2 * state.get("v", 0.0) + (1 - beta2) * g * g
    p -= lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)))


def adamw(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    p *= 1 - lr * weight_decay
    adam(p, g, state, lr, betas, eps)


# %% answer="adam" name="t_from_zero" loses="first_step"
# Your t is 0 at the first step, and 1 − β⁰ is 0. Count first, then divide.
def adam(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
    beta1, beta2 = betas
    t = state.get("t", 0)
    state["t"] = t + 1
    g = g + weight_decay * p
    m = state["m"] = beta1 * state.get("m", 0.0) + (1 - beta1) * g
    v = state["v"] = beta2 * state.get("v", 0.0) + (1 - beta2) * g * g
    p -= lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps)


def adamw(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    p *= 1 - lr * weight_decay
    adam(p, g, state, lr, betas, eps)


# %% answer="adam" name="t_one_ahead" loses="first_step trajectory"
# At the first step your t is 2. It counts the steps of this weight, this one included.
def adam(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
    beta1, beta2 = betas
    t = state["t"] = state.get("t", 1) + 1
    g = g + weight_decay * p
    m = state["m"] = beta1 * state.get("m", 0.0) + (1 - beta1) * g
    v = state["v"] = beta2 * state.get("v", 0.0) + (1 - beta2) * g * g
    p -= lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps)


def adamw(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    p *= 1 - lr * weight_decay
    adam(p, g, state, lr, betas, eps)


# %% answer="adam" name="t_for_all_weights" loses="own_steps"
# Your t counts the steps of all weights together. Each weight has its own count, in its `state`.
clock = {}


def adam(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
    beta1, beta2 = betas
    t = clock["t"] = clock.get("t", 0) + 1 if state else max(clock.get("t", 0), 1)
    state["on"] = 1
    g = g + weight_decay * p
    m = state["m"] = beta1 * state.get("m", 0.0) + (1 - beta1) * g
    v = state["v"] = beta2 * state.get("v", 0.0) + (1 - beta2) * g * g
    p -= lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps)


def adamw(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    p *= 1 - lr * weight_decay
    adam(p, g, state, lr, betas, eps)


# %% answer="adam" name="t_counts_changes" loses="trajectory"
# Your t does not count steps with a gradient of zeros. They are steps of this weight, too.
def adam(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
    beta1, beta2 = betas
    t = state["t"] = state.get("t", 0) + bool(np.any(g))
    g = g + weight_decay * p
    m = state["m"] = beta1 * state.get("m", 0.0) + (1 - beta1) * g
    v = state["v"] = beta2 * state.get("v", 0.0) + (1 - beta2) * g * g
    p -= lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps)


def adamw(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    p *= 1 - lr * weight_decay
    adam(p, g, state, lr, betas, eps)


# %% answer="adam" name="t_stays_one" loses="trajectory"
# Your corrections are those of the first step for ever. t has to be remembered in `state`.
def adam(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
    beta1, beta2 = betas
    t = 1
    g = g + weight_decay * p
    m = state["m"] = beta1 * state.get("m", 0.0) + (1 - beta1) * g
    v = state["v"] = beta2 * state.get("v", 0.0) + (1 - beta2) * g * g
    p -= lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps)


def adamw(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    p *= 1 - lr * weight_decay
    adam(p, g, state, lr, betas, eps)


# %% answer="adam" name="corrects_only_m" loses="first_step trajectory"
# Only m is corrected. v starts at 0 as well, and fills more slowly.
def adam(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
    beta1, beta2 = betas
    t = state["t"] = state.get("t", 0) + 1
    g = g + weight_decay * p
    m = state["m"] = beta1 * state.get("m", 0.0) + (1 - beta1) * g
    v = state["v"] = beta2 * state.get("v", 0.0) + (1 - beta2) * g * g
    p -= lr * (m / (1 - beta1**t)) / (np.sqrt(v) + eps)


def adamw(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    p *= 1 - lr * weight_decay
    adam(p, g, state, lr, betas, eps)


# %% answer="adam" name="corrects_only_v" loses="first_step trajectory"
# Only v is corrected. m starts at 0 as well.
def adam(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
    beta1, beta2 = betas
    t = state["t"] = state.get("t", 0) + 1
    g = g + weight_decay * p
    m = state["m"] = beta1 * state.get("m", 0.0) + (1 - beta1) * g
    v = state["v"] = beta2 * state.get("v", 0.0) + (1 - beta2) * g * g
    p -= lr * m / (np.sqrt(v / (1 - beta2**t)) + eps)


def adamw(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    p *= 1 - lr * weight_decay
    adam(p, g, state, lr, betas, eps)


# %% answer="adam" name="correction_stored" loses="trajectory"
# You store the corrected means. The next step then corrects them again: keep m and v as they are,
# and correct on the way out.
def adam(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
    beta1, beta2 = betas
    t = state["t"] = state.get("t", 0) + 1
    g = g + weight_decay * p
    m = state["m"] = beta1 * state.get("m", 0.0) + (1 - beta1) * g
    v = state["v"] = beta2 * state.get("v", 0.0) + (1 - beta2) * g * g
    state["m"], state["v"] = m / (1 - beta1**t), v / (1 - beta2**t)
    p -= lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps)


def adamw(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    p *= 1 - lr * weight_decay
    adam(p, g, state, lr, betas, eps)


# %% answer="adam" name="corrects_by_product" loses="trajectory own_steps"
# 1 − βᵗ is a power, not a product: after two steps it is 1 − β², not 1 − 2β.
def adam(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
    beta1, beta2 = betas
    t = state["t"] = state.get("t", 0) + 1
    g = g + weight_decay * p
    m = state["m"] = beta1 * state.get("m", 0.0) + (1 - beta1) * g
    v = state["v"] = beta2 * state.get("v", 0.0) + (1 - beta2) * g * g
    p -= lr * (m / (max(1 - beta1 * t, 0.01))) / (np.sqrt(v / (max(1 - beta2 * t, 0.001))) + eps)


def adamw(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    p *= 1 - lr * weight_decay
    adam(p, g, state, lr, betas, eps)


# %% answer="adam" name="correction_after_root" loses="first_step eps"
# You divide the root of v by 1 − β₂ᵗ. It is v that is divided, before the root.
def adam(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
    beta1, beta2 = betas
    t = state["t"] = state.get("t", 0) + 1
    g = g + weight_decay * p
    m = state["m"] = beta1 * state.get("m", 0.0) + (1 - beta1) * g
    v = state["v"] = beta2 * state.get("v", 0.0) + (1 - beta2) * g * g
    p -= lr * (m / (1 - beta1**t)) / (np.sqrt(v) / (1 - beta2**t) + eps)


def adamw(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    p *= 1 - lr * weight_decay
    adam(p, g, state, lr, betas, eps)


# %% answer="adam" name="betas_swapped" loses="trajectory"
# The two betas are swapped: the first belongs to the mean of gradients, the second to that of
# squares.
def adam(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
    beta2, beta1 = betas
    t = state["t"] = state.get("t", 0) + 1
    g = g + weight_decay * p
    m = state["m"] = beta1 * state.get("m", 0.0) + (1 - beta1) * g
    v = state["v"] = beta2 * state.get("v", 0.0) + (1 - beta2) * g * g
    p -= lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps)


def adamw(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    p *= 1 - lr * weight_decay
    adam(p, g, state, lr, betas, eps)


# %% answer="adam" name="one_beta" loses="trajectory"
# Both of your means forget with the first beta. The second is for the squares.
def adam(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
    beta1 = beta2 = betas[0]
    t = state["t"] = state.get("t", 0) + 1
    g = g + weight_decay * p
    m = state["m"] = beta1 * state.get("m", 0.0) + (1 - beta1) * g
    v = state["v"] = beta2 * state.get("v", 0.0) + (1 - beta2) * g * g
    p -= lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps)


def adamw(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    p *= 1 - lr * weight_decay
    adam(p, g, state, lr, betas, eps)


# %% answer="adam" name="betas_ignored" loses="trajectory"
# Your betas are fixed numbers; the argument `betas` has no effect.
def adam(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
    beta1, beta2 = 0.9, 0.999
    t = state["t"] = state.get("t", 0) + 1
    g = g + weight_decay * p
    m = state["m"] = beta1 * state.get("m", 0.0) + (1 - beta1) * g
    v = state["v"] = beta2 * state.get("v", 0.0) + (1 - beta2) * g * g
    p -= lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps)


def adamw(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    p *= 1 - lr * weight_decay
    adam(p, g, state, lr, betas, eps)


# %% answer="adam" name="abs_instead_of_square" loses="trajectory"
# Your v is a mean of |g|. It is one of g², and its root is taken at the end.
def adam(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
    beta1, beta2 = betas
    t = state["t"] = state.get("t", 0) + 1
    g = g + weight_decay * p
    m = state["m"] = beta1 * state.get("m", 0.0) + (1 - beta1) * g
    v = state["v"] = beta2 * state.get("v", 0.0) + (1 - beta2) * np.abs(g)
    p -= lr * (m / (1 - beta1**t)) / ((v / (1 - beta2**t)) + eps)


def adamw(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    p *= 1 - lr * weight_decay
    adam(p, g, state, lr, betas, eps)


# %% answer="adam" name="square_of_the_mean" loses="trajectory"
# Your v is the mean of m², not of g².
def adam(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
    beta1, beta2 = betas
    t = state["t"] = state.get("t", 0) + 1
    g = g + weight_decay * p
    m = state["m"] = beta1 * state.get("m", 0.0) + (1 - beta1) * g
    v = state["v"] = beta2 * state.get("v", 0.0) + (1 - beta2) * (m / (1 - beta1**t)) ** 2
    p -= lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps)


def adamw(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    p *= 1 - lr * weight_decay
    adam(p, g, state, lr, betas, eps)


# %% answer="adam" name="gradient_on_top" loses="trajectory"
# The numerator is g. In Adam it is m, the running mean of gradients; with g it is RMSProp.
def adam(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
    beta1, beta2 = betas
    t = state["t"] = state.get("t", 0) + 1
    g = g + weight_decay * p
    m = state["m"] = beta1 * state.get("m", 0.0) + (1 - beta1) * g
    v = state["v"] = beta2 * state.get("v", 0.0) + (1 - beta2) * g * g
    p -= lr * g / (np.sqrt(v / (1 - beta2**t)) + eps)


def adamw(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    p *= 1 - lr * weight_decay
    adam(p, g, state, lr, betas, eps)


# %% answer="adam" name="momentum_style" loses="first_step trajectory"
# Your m adds each gradient whole, like a velocity. In Adam it is a mean: g enters with 1 − β₁.
def adam(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
    beta1, beta2 = betas
    t = state["t"] = state.get("t", 0) + 1
    g = g + weight_decay * p
    m = state["m"] = beta1 * state.get("m", 0.0) + g
    v = state["v"] = beta2 * state.get("v", 0.0) + (1 - beta2) * g * g
    p -= lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps)


def adamw(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    p *= 1 - lr * weight_decay
    adam(p, g, state, lr, betas, eps)


# %% answer="adam" name="skips_zeros" loses="trajectory eps"
# Where the gradient is 0 your means do not change. A 0 is a gradient like any other: both fall, and
# p rolls on.
def adam(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
    beta1, beta2 = betas
    t = state["t"] = state.get("t", 0) + 1
    g = g + weight_decay * p
    old = [state.get(k, 0.0) for k in "mv"]
    m = state["m"] = beta1 * state.get("m", 0.0) + (1 - beta1) * g
    v = state["v"] = beta2 * state.get("v", 0.0) + (1 - beta2) * g * g
    m = state["m"] = np.where(g == 0, old[0], m)
    v = state["v"] = np.where(g == 0, old[1], v)
    p -= lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps)


def adamw(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    p *= 1 - lr * weight_decay
    adam(p, g, state, lr, betas, eps)


# %% answer="adam" name="decay_not_in_gradient" loses="decay_in_gradient"
# In `adam` the decay shrinks p directly. That is AdamW; here it is added to the gradient.
def adam(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
    beta1, beta2 = betas
    t = state["t"] = state.get("t", 0) + 1
    p *= 1 - lr * weight_decay
    m = state["m"] = beta1 * state.get("m", 0.0) + (1 - beta1) * g
    v = state["v"] = beta2 * state.get("v", 0.0) + (1 - beta2) * g * g
    p -= lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps)


def adamw(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    p *= 1 - lr * weight_decay
    adam(p, g, state, lr, betas, eps)


# %% answer="adam" name="decay_ignored" loses="decay_in_gradient"
# `weight_decay` has no effect in `adam`.
def adam(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
    beta1, beta2 = betas
    t = state["t"] = state.get("t", 0) + 1
    m = state["m"] = beta1 * state.get("m", 0.0) + (1 - beta1) * g
    v = state["v"] = beta2 * state.get("v", 0.0) + (1 - beta2) * g * g
    p -= lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps)


def adamw(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    p *= 1 - lr * weight_decay
    adam(p, g, state, lr, betas, eps)


# %% answer="adam" name="decay_only_in_m" loses="decay_in_gradient"
# The decay enters m but not v. It is added to the gradient before both.
def adam(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
    beta1, beta2 = betas
    t = state["t"] = state.get("t", 0) + 1
    bare, g = g, g + weight_decay * p
    m = state["m"] = beta1 * state.get("m", 0.0) + (1 - beta1) * g
    v = state["v"] = beta2 * state.get("v", 0.0) + (1 - beta2) * bare * bare
    p -= lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps)


def adamw(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    p *= 1 - lr * weight_decay
    adam(p, g, state, lr, betas, eps)


# %% answer="adam" name="decay_not_decoupled" loses="decoupled"
# `adamw` adds the decay to the gradient, so it is divided by √v. It should shrink p itself.
def adam(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
    beta1, beta2 = betas
    t = state["t"] = state.get("t", 0) + 1
    g = g + weight_decay * p
    m = state["m"] = beta1 * state.get("m", 0.0) + (1 - beta1) * g
    v = state["v"] = beta2 * state.get("v", 0.0) + (1 - beta2) * g * g
    p -= lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps)


def adamw(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    adam(p, g, state, lr, betas, eps, weight_decay)


# %% answer="adam" name="decay_without_rate" loses="decoupled"
# In `adamw` the weight shrinks by the factor 1 − weight_decay. The learning rate belongs to it.
def adam(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
    beta1, beta2 = betas
    t = state["t"] = state.get("t", 0) + 1
    g = g + weight_decay * p
    m = state["m"] = beta1 * state.get("m", 0.0) + (1 - beta1) * g
    v = state["v"] = beta2 * state.get("v", 0.0) + (1 - beta2) * g * g
    p -= lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps)


def adamw(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    p *= 1 - weight_decay
    adam(p, g, state, lr, betas, eps)


# %% answer="adam" name="decay_after_step" loses="decoupled"
# In `adamw` you shrink the weight that has already moved. The decay takes the p from before the
# step.
def adam(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
    beta1, beta2 = betas
    t = state["t"] = state.get("t", 0) + 1
    g = g + weight_decay * p
    m = state["m"] = beta1 * state.get("m", 0.0) + (1 - beta1) * g
    v = state["v"] = beta2 * state.get("v", 0.0) + (1 - beta2) * g * g
    p -= lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps)


def adamw(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    adam(p, g, state, lr, betas, eps)
    p *= 1 - lr * weight_decay


# %% answer="adam" name="decays_twice" loses="decoupled"
# `adamw` shrinks p and adds the decay to the gradient as well. Once is enough.
def adam(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
    beta1, beta2 = betas
    t = state["t"] = state.get("t", 0) + 1
    g = g + weight_decay * p
    m = state["m"] = beta1 * state.get("m", 0.0) + (1 - beta1) * g
    v = state["v"] = beta2 * state.get("v", 0.0) + (1 - beta2) * g * g
    p -= lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps)


def adamw(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    p *= 1 - lr * weight_decay
    adam(p, g, state, lr, betas, eps, weight_decay)


# %% answer="adam" name="options_not_handed_on" loses="decoupled"
# `adamw` calls `adam` with its defaults instead of the `betas` and `eps` that it was given.
def adam(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
    beta1, beta2 = betas
    t = state["t"] = state.get("t", 0) + 1
    g = g + weight_decay * p
    m = state["m"] = beta1 * state.get("m", 0.0) + (1 - beta1) * g
    v = state["v"] = beta2 * state.get("v", 0.0) + (1 - beta2) * g * g
    p -= lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps)


def adamw(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    p *= 1 - lr * weight_decay
    adam(p, g, state, lr)


# %% answer="adam" name="adamw_is_adam" loses="decoupled"
# `adamw` never shrinks anything: it is `adam`.
def adam(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
    beta1, beta2 = betas
    t = state["t"] = state.get("t", 0) + 1
    g = g + weight_decay * p
    m = state["m"] = beta1 * state.get("m", 0.0) + (1 - beta1) * g
    v = state["v"] = beta2 * state.get("v", 0.0) + (1 - beta2) * g * g
    p -= lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps)


def adamw(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    adam(p, g, state, lr, betas, eps)


# %% answer="adam" name="decay_into_g" loses="in_place"
# Your rule adds the decay to the caller's array `g`. Make a new array: `g = g + ...`.
def adam(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
    beta1, beta2 = betas
    t = state["t"] = state.get("t", 0) + 1
    g += weight_decay * p
    m = state["m"] = beta1 * state.get("m", 0.0) + (1 - beta1) * g
    v = state["v"] = beta2 * state.get("v", 0.0) + (1 - beta2) * g * g
    p -= lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps)


def adamw(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    p *= 1 - lr * weight_decay
    adam(p, g, state, lr, betas, eps)


# %% answer="adam" name="one_state_for_all" loses="own_steps"
# All weights share one state. Each has its own, in the argument `state`.
memory = {}


def adam(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
    beta1, beta2 = betas
    mine = memory if state else {}
    state["on"] = 1
    if mine is not memory:
        memory.clear()
    state = memory
    t = state["t"] = state.get("t", 0) + 1
    g = g + weight_decay * p
    m = state["m"] = beta1 * state.get("m", 0.0) + (1 - beta1) * g
    v = state["v"] = beta2 * state.get("v", 0.0) + (1 - beta2) * g * g
    p -= lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps)


def adamw(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    p *= 1 - lr * weight_decay
    adam(p, g, state, lr, betas, eps)


# %% answer="adam" name="new_p" loses="first_step trajectory in_place"
# `p = p - ...` makes a new array under the name `p`, and the caller's stays as it was.
def adam(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
    beta1, beta2 = betas
    t = state["t"] = state.get("t", 0) + 1
    g = g + weight_decay * p
    m = state["m"] = beta1 * state.get("m", 0.0) + (1 - beta1) * g
    v = state["v"] = beta2 * state.get("v", 0.0) + (1 - beta2) * g * g
    p = p - lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps)


def adamw(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    p *= 1 - lr * weight_decay
    adam(p, g, state, lr, betas, eps)


# %% answer="adam" name="uphill" loses="first_step trajectory"
# Your weights move along the gradient, which is uphill.
def adam(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
    beta1, beta2 = betas
    t = state["t"] = state.get("t", 0) + 1
    g = g + weight_decay * p
    m = state["m"] = beta1 * state.get("m", 0.0) + (1 - beta1) * g
    v = state["v"] = beta2 * state.get("v", 0.0) + (1 - beta2) * g * g
    p += lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps)


def adamw(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    p *= 1 - lr * weight_decay
    adam(p, g, state, lr, betas, eps)


# %% answer="adam" name="same_for_every_step" loses="trajectory"
# Every step of yours is a first step: nothing is remembered from one to the next.
def adam(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
    beta1, beta2 = betas
    state = {}
    t = 1
    g = g + weight_decay * p
    m = state["m"] = beta1 * state.get("m", 0.0) + (1 - beta1) * g
    v = state["v"] = beta2 * state.get("v", 0.0) + (1 - beta2) * g * g
    p -= lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps)


def adamw(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    p *= 1 - lr * weight_decay
    adam(p, g, state, lr, betas, eps)


# %% answer="adam" name="amsgrad" loses="trajectory"
# You divide by the largest v so far. That is AMSGrad; Adam divides by the v of now.
def adam(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
    beta1, beta2 = betas
    t = state["t"] = state.get("t", 0) + 1
    g = g + weight_decay * p
    m = state["m"] = beta1 * state.get("m", 0.0) + (1 - beta1) * g
    v = state["v"] = beta2 * state.get("v", 0.0) + (1 - beta2) * g * g
    v = state["top"] = np.maximum(state.get("top", 0.0), v)
    p -= lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps)


def adamw(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    p *= 1 - lr * weight_decay
    adam(p, g, state, lr, betas, eps)


# %% answer="adam" name="correction_ends" loses="trajectory"
# After some number of steps your correction grows no further. t has no upper end.
def adam(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
    beta1, beta2 = betas
    t = state["t"] = state.get("t", 0) + 1
    g = g + weight_decay * p
    m = state["m"] = beta1 * state.get("m", 0.0) + (1 - beta1) * g
    v = state["v"] = beta2 * state.get("v", 0.0) + (1 - beta2) * g * g
    p -= lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2 ** min(t, 100))) + eps)


def adamw(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    p *= 1 - lr * weight_decay
    adam(p, g, state, lr, betas, eps)


# %% answer="adam" name="the_librarys" loses="first_step trajectory eps own_steps decoupled"
# This is the optimizer of `chainrule.optim` under another name. It is what the exercise builds.
def moved(kind, p, g, state, **options):
    import chainrule as cr

    w = cr.tensor(p, requires_grad=True)
    optimizer = state.setdefault("optimizer", getattr(cr.optim, kind)([w], **options))
    (w,) = optimizer.param_groups[0]["params"]
    w.grad = cr.tensor(g)
    optimizer.step()
    p[...] = w.data


def adam(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
    moved("Adam", p, g, state, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)


def adamw(p, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    moved("AdamW", p, g, state, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)


# %% [markdown]
# ## groups


# %% answer="groups" name="defaults_win" loses="own_options zero_grad"
# The defaults overwrite what a group says. Its own options come last in the dict, so that they win.
class Optimizer:
    def __init__(self, params, rule, **defaults):
        params = list(params)
        groups = params if params and isinstance(params[0], dict) else [{"params": params}]
        self.rule, self.state = rule, {}
        self.param_groups = [{**g, **defaults, "params": list(g["params"])} for g in groups]
        weights = self.weights()
        if len(set(weights)) < len(weights):
            raise ValueError("a weight appears more than once")

    def weights(self):
        return [p for group in self.param_groups for p in group["params"]]

    def step(self):
        for group in self.param_groups:
            options = {name: value for name, value in group.items() if name != "params"}
            for p in group["params"]:
                if p.grad is not None:
                    self.rule(p.data, p.grad.data, self.state.setdefault(p, {}), **options)

    def zero_grad(self):
        for p in self.weights():
            p.grad = None


# %% answer="groups" name="own_options_lost" loses="own_options zero_grad"
# The options of the groups are lost: every group has the defaults only.
class Optimizer:
    def __init__(self, params, rule, **defaults):
        params = list(params)
        groups = params if params and isinstance(params[0], dict) else [{"params": params}]
        self.rule, self.state = rule, {}
        self.param_groups = [{**defaults, "params": list(g["params"])} for g in groups]
        weights = self.weights()
        if len(set(weights)) < len(weights):
            raise ValueError("a weight appears more than once")

    def weights(self):
        return [p for group in self.param_groups for p in group["params"]]

    def step(self):
        for group in self.param_groups:
            options = {name: value for name, value in group.items() if name != "params"}
            for p in group["params"]:
                if p.grad is not None:
                    self.rule(p.data, p.grad.data, self.state.setdefault(p, {}), **options)

    def zero_grad(self):
        for p in self.weights():
            p.grad = None


# %% answer="groups" name="writes_into_the_callers_groups" loses="own_options"
# You write the defaults into the dicts that were given. Make new ones.
class Optimizer:
    def __init__(self, params, rule, **defaults):
        params = list(params)
        groups = params if params and isinstance(params[0], dict) else [{"params": params}]
        self.rule, self.state = rule, {}
        for g in groups:
            g.update({**defaults, **g, "params": list(g["params"])})
        self.param_groups = groups
        weights = self.weights()
        if len(set(weights)) < len(weights):
            raise ValueError("a weight appears more than once")

    def weights(self):
        return [p for group in self.param_groups for p in group["params"]]

    def step(self):
        for group in self.param_groups:
            options = {name: value for name, value in group.items() if name != "params"}
            for p in group["params"]:
                if p.grad is not None:
                    self.rule(p.data, p.grad.data, self.state.setdefault(p, {}), **options)

    def zero_grad(self):
        for p in self.weights():
            p.grad = None


# %% answer="groups" name="params_as_an_option" loses="step own_options changed_options state"
# The entry "params" of a group is no option of the rule. Leave it out.
class Optimizer:
    def __init__(self, params, rule, **defaults):
        params = list(params)
        groups = params if params and isinstance(params[0], dict) else [{"params": params}]
        self.rule, self.state = rule, {}
        self.param_groups = [{**defaults, **g, "params": list(g["params"])} for g in groups]
        weights = self.weights()
        if len(set(weights)) < len(weights):
            raise ValueError("a weight appears more than once")

    def weights(self):
        return [p for group in self.param_groups for p in group["params"]]

    def step(self):
        for group in self.param_groups:
            options = {name: value for name, value in group.items()}
            for p in group["params"]:
                if p.grad is not None:
                    self.rule(p.data, p.grad.data, self.state.setdefault(p, {}), **options)

    def zero_grad(self):
        for p in self.weights():
            p.grad = None


# %% answer="groups" name="options_frozen" loses="changed_options"
# The options are those from the start. What somebody writes into `param_groups` later has no
# effect.
class Optimizer:
    def __init__(self, params, rule, **defaults):
        params = list(params)
        groups = params if params and isinstance(params[0], dict) else [{"params": params}]
        self.rule, self.state = rule, {}
        self.param_groups = [{**defaults, **g, "params": list(g["params"])} for g in groups]
        self.frozen = [dict(g) for g in self.param_groups]
        weights = self.weights()
        if len(set(weights)) < len(weights):
            raise ValueError("a weight appears more than once")

    def weights(self):
        return [p for group in self.param_groups for p in group["params"]]

    def step(self):
        for group in self.frozen:
            options = {name: value for name, value in group.items() if name != "params"}
            for p in group["params"]:
                if p.grad is not None:
                    self.rule(p.data, p.grad.data, self.state.setdefault(p, {}), **options)

    def zero_grad(self):
        for p in self.weights():
            p.grad = None


# %% answer="groups" name="first_groups_options" loses="own_options changed_options zero_grad"
# All groups are moved with the options of the first.
class Optimizer:
    def __init__(self, params, rule, **defaults):
        params = list(params)
        groups = params if params and isinstance(params[0], dict) else [{"params": params}]
        self.rule, self.state = rule, {}
        self.param_groups = [{**defaults, **g, "params": list(g["params"])} for g in groups]
        weights = self.weights()
        if len(set(weights)) < len(weights):
            raise ValueError("a weight appears more than once")

    def weights(self):
        return [p for group in self.param_groups for p in group["params"]]

    def step(self):
        for group in self.param_groups:
            options = {
                name: value for name, value in self.param_groups[0].items() if name != "params"
            }
            for p in group["params"]:
                if p.grad is not None:
                    self.rule(p.data, p.grad.data, self.state.setdefault(p, {}), **options)

    def zero_grad(self):
        for p in self.weights():
            p.grad = None


# %% answer="groups" name="only_the_first_group" loses="own_options state zero_grad"
# Only the first group is moved.
class Optimizer:
    def __init__(self, params, rule, **defaults):
        params = list(params)
        groups = params if params and isinstance(params[0], dict) else [{"params": params}]
        self.rule, self.state = rule, {}
        self.param_groups = [{**defaults, **g, "params": list(g["params"])} for g in groups]
        weights = self.weights()
        if len(set(weights)) < len(weights):
            raise ValueError("a weight appears more than once")

    def weights(self):
        return [p for group in self.param_groups for p in group["params"]]

    def step(self):
        for group in self.param_groups[:1]:
            options = {name: value for name, value in group.items() if name != "params"}
            for p in group["params"]:
                if p.grad is not None:
                    self.rule(p.data, p.grad.data, self.state.setdefault(p, {}), **options)

    def zero_grad(self):
        for p in self.weights():
            p.grad = None


# %% answer="groups" name="one_state_for_all" loses="state"
# All weights share one state. Each weight needs a dict of its own.
class Optimizer:
    def __init__(self, params, rule, **defaults):
        params = list(params)
        groups = params if params and isinstance(params[0], dict) else [{"params": params}]
        self.rule, self.state, self.shared = rule, {}, {}
        self.param_groups = [{**defaults, **g, "params": list(g["params"])} for g in groups]
        weights = self.weights()
        if len(set(weights)) < len(weights):
            raise ValueError("a weight appears more than once")

    def weights(self):
        return [p for group in self.param_groups for p in group["params"]]

    def step(self):
        for group in self.param_groups:
            options = {name: value for name, value in group.items() if name != "params"}
            for p in group["params"]:
                if p.grad is not None:
                    self.rule(p.data, p.grad.data, self.state.setdefault(p, self.shared), **options)

    def zero_grad(self):
        for p in self.weights():
            p.grad = None


# %% answer="groups" name="state_of_the_class" loses="state"
# The state is kept on the class, so two optimizers for the same weights disturb each other.
class Optimizer:
    state = {}

    def __init__(self, params, rule, **defaults):
        params = list(params)
        groups = params if params and isinstance(params[0], dict) else [{"params": params}]
        self.rule = rule
        self.param_groups = [{**defaults, **g, "params": list(g["params"])} for g in groups]
        weights = self.weights()
        if len(set(weights)) < len(weights):
            raise ValueError("a weight appears more than once")

    def weights(self):
        return [p for group in self.param_groups for p in group["params"]]

    def step(self):
        for group in self.param_groups:
            options = {name: value for name, value in group.items() if name != "params"}
            for p in group["params"]:
                if p.grad is not None:
                    self.rule(p.data, p.grad.data, self.state.setdefault(p, {}), **options)

    def zero_grad(self):
        for p in self.weights():
            p.grad = None


# %% answer="groups" name="fresh_state_each_step" loses="state"
# The rule gets a fresh dict in every step, so nothing is remembered.
class Optimizer:
    def __init__(self, params, rule, **defaults):
        params = list(params)
        groups = params if params and isinstance(params[0], dict) else [{"params": params}]
        self.rule, self.state = rule, {}
        self.param_groups = [{**defaults, **g, "params": list(g["params"])} for g in groups]
        weights = self.weights()
        if len(set(weights)) < len(weights):
            raise ValueError("a weight appears more than once")

    def weights(self):
        return [p for group in self.param_groups for p in group["params"]]

    def step(self):
        for group in self.param_groups:
            options = {name: value for name, value in group.items() if name != "params"}
            for p in group["params"]:
                if p.grad is not None:
                    self.rule(p.data, p.grad.data, self.state.setdefault(p, {}).copy(), **options)

    def zero_grad(self):
        for p in self.weights():
            p.grad = None


# %% answer="groups" name="state_kept_elsewhere" loses="state"
# The states are not found under `optimizer.state[w]`, where others look for them.
class Optimizer:
    def __init__(self, params, rule, **defaults):
        params = list(params)
        groups = params if params and isinstance(params[0], dict) else [{"params": params}]
        self.rule, self.state = rule, {}
        self.param_groups = [{**defaults, **g, "params": list(g["params"])} for g in groups]
        weights = self.weights()
        if len(set(weights)) < len(weights):
            raise ValueError("a weight appears more than once")

    def weights(self):
        return [p for group in self.param_groups for p in group["params"]]

    def step(self):
        for group in self.param_groups:
            options = {name: value for name, value in group.items() if name != "params"}
            for p in group["params"]:
                if p.grad is not None:
                    self.rule(p.data, p.grad.data, self.state.setdefault(id(p), {}), **options)

    def zero_grad(self):
        for p in self.weights():
            p.grad = None


# %% answer="groups" name="state_by_name_of_group" loses="state"
# Weights of one group share a state. Each weight needs one of its own.
class Optimizer:
    def __init__(self, params, rule, **defaults):
        params = list(params)
        groups = params if params and isinstance(params[0], dict) else [{"params": params}]
        self.rule, self.state = rule, {}
        self.param_groups = [{**defaults, **g, "params": list(g["params"])} for g in groups]
        weights = self.weights()
        if len(set(weights)) < len(weights):
            raise ValueError("a weight appears more than once")

    def weights(self):
        return [p for group in self.param_groups for p in group["params"]]

    def step(self):
        for group in self.param_groups:
            options = {name: value for name, value in group.items() if name != "params"}
            group_state = next((self.state[p] for p in group["params"] if p in self.state), {})
            for p in group["params"]:
                if p.grad is not None:
                    self.rule(p.data, p.grad.data, self.state.setdefault(p, group_state), **options)

    def zero_grad(self):
        for p in self.weights():
            p.grad = None


# %% answer="groups" name="zeros_for_none" loses="step state"
# A weight without a gradient is moved with zeros. The rule is not to be called for it: a velocity
# would roll on, and steps would be counted.
class Optimizer:
    def __init__(self, params, rule, **defaults):
        params = list(params)
        groups = params if params and isinstance(params[0], dict) else [{"params": params}]
        self.rule, self.state = rule, {}
        self.param_groups = [{**defaults, **g, "params": list(g["params"])} for g in groups]
        weights = self.weights()
        if len(set(weights)) < len(weights):
            raise ValueError("a weight appears more than once")

    def weights(self):
        return [p for group in self.param_groups for p in group["params"]]

    def step(self):
        for group in self.param_groups:
            options = {name: value for name, value in group.items() if name != "params"}
            for p in group["params"]:
                g = np.zeros_like(p.data) if p.grad is None else p.grad.data
                if True:
                    self.rule(p.data, g, self.state.setdefault(p, {}), **options)

    def zero_grad(self):
        for p in self.weights():
            p.grad = None


# %% answer="groups" name="forgets_without_gradient" loses="state"
# A weight without a gradient loses its state. It should stay, for the next time.
class Optimizer:
    def __init__(self, params, rule, **defaults):
        params = list(params)
        groups = params if params and isinstance(params[0], dict) else [{"params": params}]
        self.rule, self.state = rule, {}
        self.param_groups = [{**defaults, **g, "params": list(g["params"])} for g in groups]
        weights = self.weights()
        if len(set(weights)) < len(weights):
            raise ValueError("a weight appears more than once")

    def weights(self):
        return [p for group in self.param_groups for p in group["params"]]

    def step(self):
        for group in self.param_groups:
            options = {name: value for name, value in group.items() if name != "params"}
            for p in group["params"]:
                if p.grad is None:
                    self.state.pop(p, None)
                else:
                    self.rule(p.data, p.grad.data, self.state.setdefault(p, {}), **options)

    def zero_grad(self):
        for p in self.weights():
            p.grad = None


# %% answer="groups" name="none_not_expected" loses="step state"
# A weight without a gradient is to be left out; None has no array.
class Optimizer:
    def __init__(self, params, rule, **defaults):
        params = list(params)
        groups = params if params and isinstance(params[0], dict) else [{"params": params}]
        self.rule, self.state = rule, {}
        self.param_groups = [{**defaults, **g, "params": list(g["params"])} for g in groups]
        weights = self.weights()
        if len(set(weights)) < len(weights):
            raise ValueError("a weight appears more than once")

    def weights(self):
        return [p for group in self.param_groups for p in group["params"]]

    def step(self):
        for group in self.param_groups:
            options = {name: value for name, value in group.items() if name != "params"}
            for p in group["params"]:
                if True:
                    self.rule(p.data, p.grad.data, self.state.setdefault(p, {}), **options)

    def zero_grad(self):
        for p in self.weights():
            p.grad = None


# %% answer="groups" name="zeros_left_out" loses="step"
# A gradient of zeros is left out like None. It is a gradient: velocities roll on, decay goes on.
class Optimizer:
    def __init__(self, params, rule, **defaults):
        params = list(params)
        groups = params if params and isinstance(params[0], dict) else [{"params": params}]
        self.rule, self.state = rule, {}
        self.param_groups = [{**defaults, **g, "params": list(g["params"])} for g in groups]
        weights = self.weights()
        if len(set(weights)) < len(weights):
            raise ValueError("a weight appears more than once")

    def weights(self):
        return [p for group in self.param_groups for p in group["params"]]

    def step(self):
        for group in self.param_groups:
            options = {name: value for name, value in group.items() if name != "params"}
            for p in group["params"]:
                if p.grad is not None and np.any(p.grad.data):
                    self.rule(p.data, p.grad.data, self.state.setdefault(p, {}), **options)

    def zero_grad(self):
        for p in self.weights():
            p.grad = None


# %% answer="groups" name="stops_at_none" loses="step state"
# At the first weight without a gradient your step ends. Those behind it want to move, too.
class Optimizer:
    def __init__(self, params, rule, **defaults):
        params = list(params)
        groups = params if params and isinstance(params[0], dict) else [{"params": params}]
        self.rule, self.state = rule, {}
        self.param_groups = [{**defaults, **g, "params": list(g["params"])} for g in groups]
        weights = self.weights()
        if len(set(weights)) < len(weights):
            raise ValueError("a weight appears more than once")

    def weights(self):
        return [p for group in self.param_groups for p in group["params"]]

    def step(self):
        for group in self.param_groups:
            options = {name: value for name, value in group.items() if name != "params"}
            for p in group["params"]:
                if p.grad is None:
                    return
                self.rule(p.data, p.grad.data, self.state.setdefault(p, {}), **options)

    def zero_grad(self):
        for p in self.weights():
            p.grad = None


# %% answer="groups" name="zero_grad_of_first_group" loses="zero_grad"
# `zero_grad` clears the first group only.
class Optimizer:
    def __init__(self, params, rule, **defaults):
        params = list(params)
        groups = params if params and isinstance(params[0], dict) else [{"params": params}]
        self.rule, self.state = rule, {}
        self.param_groups = [{**defaults, **g, "params": list(g["params"])} for g in groups]
        weights = self.weights()
        if len(set(weights)) < len(weights):
            raise ValueError("a weight appears more than once")

    def weights(self):
        return [p for group in self.param_groups for p in group["params"]]

    def step(self):
        for group in self.param_groups:
            options = {name: value for name, value in group.items() if name != "params"}
            for p in group["params"]:
                if p.grad is not None:
                    self.rule(p.data, p.grad.data, self.state.setdefault(p, {}), **options)

    def zero_grad(self):
        for p in self.param_groups[0]["params"]:
            p.grad = None


# %% answer="groups" name="zero_grad_fills" loses="zero_grad"
# `zero_grad` leaves zeros. None is asked for.
class Optimizer:
    def __init__(self, params, rule, **defaults):
        params = list(params)
        groups = params if params and isinstance(params[0], dict) else [{"params": params}]
        self.rule, self.state = rule, {}
        self.param_groups = [{**defaults, **g, "params": list(g["params"])} for g in groups]
        weights = self.weights()
        if len(set(weights)) < len(weights):
            raise ValueError("a weight appears more than once")

    def weights(self):
        return [p for group in self.param_groups for p in group["params"]]

    def step(self):
        for group in self.param_groups:
            options = {name: value for name, value in group.items() if name != "params"}
            for p in group["params"]:
                if p.grad is not None:
                    self.rule(p.data, p.grad.data, self.state.setdefault(p, {}), **options)

    def zero_grad(self):
        for p in self.weights():
            p.grad.data[...] = 0


# %% answer="groups" name="zero_grad_empty" loses="zero_grad"
# `zero_grad` leaves the gradients as they are.
class Optimizer:
    def __init__(self, params, rule, **defaults):
        params = list(params)
        groups = params if params and isinstance(params[0], dict) else [{"params": params}]
        self.rule, self.state = rule, {}
        self.param_groups = [{**defaults, **g, "params": list(g["params"])} for g in groups]
        weights = self.weights()
        if len(set(weights)) < len(weights):
            raise ValueError("a weight appears more than once")

    def weights(self):
        return [p for group in self.param_groups for p in group["params"]]

    def step(self):
        for group in self.param_groups:
            options = {name: value for name, value in group.items() if name != "params"}
            for p in group["params"]:
                if p.grad is not None:
                    self.rule(p.data, p.grad.data, self.state.setdefault(p, {}), **options)

    def zero_grad(self):
        for p in self.weights():
            pass


# %% answer="groups" name="clears_what_has_moved" loses="zero_grad"
# `zero_grad` clears only weights that `step` has moved before. All of them are meant.
class Optimizer:
    def __init__(self, params, rule, **defaults):
        params = list(params)
        groups = params if params and isinstance(params[0], dict) else [{"params": params}]
        self.rule, self.state = rule, {}
        self.param_groups = [{**defaults, **g, "params": list(g["params"])} for g in groups]
        weights = self.weights()
        if len(set(weights)) < len(weights):
            raise ValueError("a weight appears more than once")

    def weights(self):
        return [p for group in self.param_groups for p in group["params"]]

    def step(self):
        for group in self.param_groups:
            options = {name: value for name, value in group.items() if name != "params"}
            for p in group["params"]:
                if p.grad is not None:
                    self.rule(p.data, p.grad.data, self.state.setdefault(p, {}), **options)

    def zero_grad(self):
        for p in self.state:
            p.grad = None


# %% answer="groups" name="twice_not_noticed" loses="twice"
# A weight that appears twice is moved twice in each step. Refuse it with a ValueError.
class Optimizer:
    def __init__(self, params, rule, **defaults):
        params = list(params)
        groups = params if params and isinstance(params[0], dict) else [{"params": params}]
        self.rule, self.state = rule, {}
        self.param_groups = [{**defaults, **g, "params": list(g["params"])} for g in groups]
        weights = self.weights()
        if len(set(weights)) < len(weights):
            pass

    def weights(self):
        return [p for group in self.param_groups for p in group["params"]]

    def step(self):
        for group in self.param_groups:
            options = {name: value for name, value in group.items() if name != "params"}
            for p in group["params"]:
                if p.grad is not None:
                    self.rule(p.data, p.grad.data, self.state.setdefault(p, {}), **options)

    def zero_grad(self):
        for p in self.weights():
            p.grad = None


# %% answer="groups" name="twice_across_groups_only" loses="twice"
# A weight that is twice in the *same* list is not noticed.
class Optimizer:
    def __init__(self, params, rule, **defaults):
        params = list(params)
        groups = params if params and isinstance(params[0], dict) else [{"params": params}]
        self.rule, self.state = rule, {}
        self.param_groups = [{**defaults, **g, "params": list(g["params"])} for g in groups]
        weights = self.weights()
        if len(set(weights)) < sum(len(set(g["params"])) for g in self.param_groups):
            raise ValueError("a weight appears more than once")

    def weights(self):
        return [p for group in self.param_groups for p in group["params"]]

    def step(self):
        for group in self.param_groups:
            options = {name: value for name, value in group.items() if name != "params"}
            for p in group["params"]:
                if p.grad is not None:
                    self.rule(p.data, p.grad.data, self.state.setdefault(p, {}), **options)

    def zero_grad(self):
        for p in self.weights():
            p.grad = None


# %% answer="groups" name="twice_within_a_group_only" loses="twice"
# A weight that is in two *different* groups is not noticed.
class Optimizer:
    def __init__(self, params, rule, **defaults):
        params = list(params)
        groups = params if params and isinstance(params[0], dict) else [{"params": params}]
        self.rule, self.state = rule, {}
        self.param_groups = [{**defaults, **g, "params": list(g["params"])} for g in groups]
        weights = self.weights()
        if any(len(set(g["params"])) < len(g["params"]) for g in self.param_groups):
            raise ValueError("a weight appears more than once")

    def weights(self):
        return [p for group in self.param_groups for p in group["params"]]

    def step(self):
        for group in self.param_groups:
            options = {name: value for name, value in group.items() if name != "params"}
            for p in group["params"]:
                if p.grad is not None:
                    self.rule(p.data, p.grad.data, self.state.setdefault(p, {}), **options)

    def zero_grad(self):
        for p in self.weights():
            p.grad = None


# %% answer="groups" name="twice_by_value" loses="twice"
# You take two weights with equal numbers for one. They are the same only if they are one object.
class Optimizer:
    def __init__(self, params, rule, **defaults):
        params = list(params)
        groups = params if params and isinstance(params[0], dict) else [{"params": params}]
        self.rule, self.state = rule, {}
        self.param_groups = [{**defaults, **g, "params": list(g["params"])} for g in groups]
        weights = self.weights()
        if len({p.data.tobytes() for p in weights}) < len(weights):
            raise ValueError("a weight appears more than once")

    def weights(self):
        return [p for group in self.param_groups for p in group["params"]]

    def step(self):
        for group in self.param_groups:
            options = {name: value for name, value in group.items() if name != "params"}
            for p in group["params"]:
                if p.grad is not None:
                    self.rule(p.data, p.grad.data, self.state.setdefault(p, {}), **options)

    def zero_grad(self):
        for p in self.weights():
            p.grad = None


# %% answer="groups" name="wrong_error" loses="twice"
# A weight that appears twice raises an error, but not ValueError.
class Optimizer:
    def __init__(self, params, rule, **defaults):
        params = list(params)
        groups = params if params and isinstance(params[0], dict) else [{"params": params}]
        self.rule, self.state = rule, {}
        self.param_groups = [{**defaults, **g, "params": list(g["params"])} for g in groups]
        weights = self.weights()
        if len(set(weights)) < len(weights):
            raise KeyError("a weight appears more than once")

    def weights(self):
        return [p for group in self.param_groups for p in group["params"]]

    def step(self):
        for group in self.param_groups:
            options = {name: value for name, value in group.items() if name != "params"}
            for p in group["params"]:
                if p.grad is not None:
                    self.rule(p.data, p.grad.data, self.state.setdefault(p, {}), **options)

    def zero_grad(self):
        for p in self.weights():
            p.grad = None


# %% answer="groups" name="generators_of_groups" loses="own_options"
# `params` is read twice. A generator can be read only once: make a list of it first.
class Optimizer:
    def __init__(self, params, rule, **defaults):
        kind = next(iter(params), None)
        groups = params if isinstance(kind, dict) else [{"params": params}]
        self.rule, self.state = rule, {}
        self.param_groups = [{**defaults, **g, "params": list(g["params"])} for g in groups]
        weights = self.weights()
        if len(set(weights)) < len(weights):
            raise ValueError("a weight appears more than once")

    def weights(self):
        return [p for group in self.param_groups for p in group["params"]]

    def step(self):
        for group in self.param_groups:
            options = {name: value for name, value in group.items() if name != "params"}
            for p in group["params"]:
                if p.grad is not None:
                    self.rule(p.data, p.grad.data, self.state.setdefault(p, {}), **options)

    def zero_grad(self):
        for p in self.weights():
            p.grad = None


# %% [markdown]
# ## resume


# %% answer="resume" name="shares_the_arrays" loses="snapshot"
# Your `state_dict` copies the dicts and shares the arrays in them. A rule that writes into its
# arrays changes what was saved.
import copy


def state_dict(optimizer):
    weights = [w for group in optimizer.param_groups for w in group["params"]]
    number = {w: i for i, w in enumerate(weights)}
    groups = []
    for group in optimizer.param_groups:
        options = {name: copy.deepcopy(v) for name, v in group.items() if name != "params"}
        groups.append({**options, "params": [number[w] for w in group["params"]]})
    state = {number[w]: dict(kept) for w, kept in optimizer.state.items()}
    return {"state": state, "param_groups": groups}


def load_state_dict(optimizer, saved):
    saved = copy.deepcopy(saved)
    mine, theirs = optimizer.param_groups, saved["param_groups"]
    if [len(group["params"]) for group in mine] != [len(group["params"]) for group in theirs]:
        raise ValueError("the groups that were saved are not those of this optimizer")
    for group, other in zip(mine, theirs, strict=True):
        own = group["params"]
        group.clear()
        group.update({**other, "params": own})
    weights = [w for group in mine for w in group["params"]]
    optimizer.state = {weights[i]: kept for i, kept in saved["state"].items()}


# %% answer="resume" name="shares_the_states" loses="snapshot"
# Your `state_dict` hands out the states themselves, no copies: what the optimizer does later
# changes them.
import copy


def state_dict(optimizer):
    weights = [w for group in optimizer.param_groups for w in group["params"]]
    number = {w: i for i, w in enumerate(weights)}
    groups = []
    for group in optimizer.param_groups:
        options = {name: copy.deepcopy(v) for name, v in group.items() if name != "params"}
        groups.append({**options, "params": [number[w] for w in group["params"]]})
    state = {number[w]: kept for w, kept in optimizer.state.items()}
    return {"state": state, "param_groups": groups}


def load_state_dict(optimizer, saved):
    saved = copy.deepcopy(saved)
    mine, theirs = optimizer.param_groups, saved["param_groups"]
    if [len(group["params"]) for group in mine] != [len(group["params"]) for group in theirs]:
        raise ValueError("the groups that were saved are not those of this optimizer")
    for group, other in zip(mine, theirs, strict=True):
        own = group["params"]
        group.clear()
        group.update({**other, "params": own})
    weights = [w for group in mine for w in group["params"]]
    optimizer.state = {weights[i]: kept for i, kept in saved["state"].items()}


# %% answer="resume" name="copies_one_level" loses="snapshot"
# You copy the arrays of a state, but not those that lie deeper, in a dict or a list.
import copy


def state_dict(optimizer):
    weights = [w for group in optimizer.param_groups for w in group["params"]]
    number = {w: i for i, w in enumerate(weights)}
    groups = []
    for group in optimizer.param_groups:
        options = {name: copy.deepcopy(v) for name, v in group.items() if name != "params"}
        groups.append({**options, "params": [number[w] for w in group["params"]]})
    state = {
        number[w]: {k: v.copy() if isinstance(v, np.ndarray) else v for k, v in kept.items()}
        for w, kept in optimizer.state.items()
    }
    return {"state": state, "param_groups": groups}


def load_state_dict(optimizer, saved):
    saved = copy.deepcopy(saved)
    mine, theirs = optimizer.param_groups, saved["param_groups"]
    if [len(group["params"]) for group in mine] != [len(group["params"]) for group in theirs]:
        raise ValueError("the groups that were saved are not those of this optimizer")
    for group, other in zip(mine, theirs, strict=True):
        own = group["params"]
        group.clear()
        group.update({**other, "params": own})
    weights = [w for group in mine for w in group["params"]]
    optimizer.state = {weights[i]: kept for i, kept in saved["state"].items()}


# %% answer="resume" name="load_shares" loses="snapshot"
# Loading hands the saved arrays over without a copy. When this optimizer works, what was saved
# changes.
import copy


def state_dict(optimizer):
    weights = [w for group in optimizer.param_groups for w in group["params"]]
    number = {w: i for i, w in enumerate(weights)}
    groups = []
    for group in optimizer.param_groups:
        options = {name: copy.deepcopy(v) for name, v in group.items() if name != "params"}
        groups.append({**options, "params": [number[w] for w in group["params"]]})
    state = {number[w]: copy.deepcopy(kept) for w, kept in optimizer.state.items()}
    return {"state": state, "param_groups": groups}


def load_state_dict(optimizer, saved):
    mine, theirs = optimizer.param_groups, saved["param_groups"]
    if [len(group["params"]) for group in mine] != [len(group["params"]) for group in theirs]:
        raise ValueError("the groups that were saved are not those of this optimizer")
    for group, other in zip(mine, theirs, strict=True):
        own = group["params"]
        group.clear()
        group.update({**other, "params": own})
    weights = [w for group in mine for w in group["params"]]
    optimizer.state = {weights[i]: kept for i, kept in saved["state"].items()}


# %% answer="resume" name="options_shared" loses="snapshot"
# The options of a group are saved without a copy of what they hold.
import copy


def state_dict(optimizer):
    weights = [w for group in optimizer.param_groups for w in group["params"]]
    number = {w: i for i, w in enumerate(weights)}
    groups = []
    for group in optimizer.param_groups:
        options = {name: v for name, v in group.items() if name != "params"}
        groups.append({**options, "params": [number[w] for w in group["params"]]})
    state = {number[w]: copy.deepcopy(kept) for w, kept in optimizer.state.items()}
    return {"state": state, "param_groups": groups}


def load_state_dict(optimizer, saved):
    saved = copy.deepcopy(saved)
    mine, theirs = optimizer.param_groups, saved["param_groups"]
    if [len(group["params"]) for group in mine] != [len(group["params"]) for group in theirs]:
        raise ValueError("the groups that were saved are not those of this optimizer")
    for group, other in zip(mine, theirs, strict=True):
        own = group["params"]
        group.clear()
        group.update({**other, "params": own})
    weights = [w for group in mine for w in group["params"]]
    optimizer.state = {weights[i]: kept for i, kept in saved["state"].items()}


# %% answer="resume" name="options_not_saved" loses="saved_form snapshot goes_on"
# The options of the groups are not saved, or not loaded: a rate that a schedule has lowered jumps
# back.
import copy


def state_dict(optimizer):
    weights = [w for group in optimizer.param_groups for w in group["params"]]
    number = {w: i for i, w in enumerate(weights)}
    groups = []
    for group in optimizer.param_groups:
        options = {name: copy.deepcopy(v) for name, v in group.items() if name != "params"}
        groups.append({"params": [number[w] for w in group["params"]]})
    state = {number[w]: copy.deepcopy(kept) for w, kept in optimizer.state.items()}
    return {"state": state, "param_groups": groups}


def load_state_dict(optimizer, saved):
    saved = copy.deepcopy(saved)
    mine, theirs = optimizer.param_groups, saved["param_groups"]
    if [len(group["params"]) for group in mine] != [len(group["params"]) for group in theirs]:
        raise ValueError("the groups that were saved are not those of this optimizer")
    for group, other in zip(mine, theirs, strict=True):
        own = group["params"]
        group.clear()
        group.update({**other, "params": own})
    weights = [w for group in mine for w in group["params"]]
    optimizer.state = {weights[i]: kept for i, kept in saved["state"].items()}


# %% answer="resume" name="options_not_loaded" loses="goes_on replaces refuses"
# The options of the groups are not loaded: the optimizer goes on with its own.
import copy


def state_dict(optimizer):
    weights = [w for group in optimizer.param_groups for w in group["params"]]
    number = {w: i for i, w in enumerate(weights)}
    groups = []
    for group in optimizer.param_groups:
        options = {name: copy.deepcopy(v) for name, v in group.items() if name != "params"}
        groups.append({**options, "params": [number[w] for w in group["params"]]})
    state = {number[w]: copy.deepcopy(kept) for w, kept in optimizer.state.items()}
    return {"state": state, "param_groups": groups}


def load_state_dict(optimizer, saved):
    saved = copy.deepcopy(saved)
    mine, theirs = optimizer.param_groups, saved["param_groups"]
    if [len(group["params"]) for group in mine] != [len(group["params"]) for group in theirs]:
        raise ValueError("the groups that were saved are not those of this optimizer")
    for group, other in zip(mine, theirs, strict=True):
        own = group["params"]
        group["params"] = own
    weights = [w for group in mine for w in group["params"]]
    optimizer.state = {weights[i]: kept for i, kept in saved["state"].items()}


# %% answer="resume" name="state_not_loaded" loses="snapshot goes_on replaces"
# The states are not loaded: momentum and counts begin at 0 again.
import copy


def state_dict(optimizer):
    weights = [w for group in optimizer.param_groups for w in group["params"]]
    number = {w: i for i, w in enumerate(weights)}
    groups = []
    for group in optimizer.param_groups:
        options = {name: copy.deepcopy(v) for name, v in group.items() if name != "params"}
        groups.append({**options, "params": [number[w] for w in group["params"]]})
    state = {number[w]: copy.deepcopy(kept) for w, kept in optimizer.state.items()}
    return {"state": state, "param_groups": groups}


def load_state_dict(optimizer, saved):
    saved = copy.deepcopy(saved)
    mine, theirs = optimizer.param_groups, saved["param_groups"]
    if [len(group["params"]) for group in mine] != [len(group["params"]) for group in theirs]:
        raise ValueError("the groups that were saved are not those of this optimizer")
    for group, other in zip(mine, theirs, strict=True):
        own = group["params"]
        group.clear()
        group.update({**other, "params": own})
    weights = [w for group in mine for w in group["params"]]
    optimizer.state = {}


# %% answer="resume" name="old_state_stays" loses="replaces"
# A weight without a saved state keeps what this optimizer remembered before. It should have none.
import copy


def state_dict(optimizer):
    weights = [w for group in optimizer.param_groups for w in group["params"]]
    number = {w: i for i, w in enumerate(weights)}
    groups = []
    for group in optimizer.param_groups:
        options = {name: copy.deepcopy(v) for name, v in group.items() if name != "params"}
        groups.append({**options, "params": [number[w] for w in group["params"]]})
    state = {number[w]: copy.deepcopy(kept) for w, kept in optimizer.state.items()}
    return {"state": state, "param_groups": groups}


def load_state_dict(optimizer, saved):
    saved = copy.deepcopy(saved)
    mine, theirs = optimizer.param_groups, saved["param_groups"]
    if [len(group["params"]) for group in mine] != [len(group["params"]) for group in theirs]:
        raise ValueError("the groups that were saved are not those of this optimizer")
    for group, other in zip(mine, theirs, strict=True):
        own = group["params"]
        group.clear()
        group.update({**other, "params": own})
    weights = [w for group in mine for w in group["params"]]
    for i, kept in saved["state"].items():
        optimizer.state[weights[i]] = kept


# %% answer="resume" name="old_options_stay" loses="replaces"
# Options that were not saved stay. The options become those of `saved`.
import copy


def state_dict(optimizer):
    weights = [w for group in optimizer.param_groups for w in group["params"]]
    number = {w: i for i, w in enumerate(weights)}
    groups = []
    for group in optimizer.param_groups:
        options = {name: copy.deepcopy(v) for name, v in group.items() if name != "params"}
        groups.append({**options, "params": [number[w] for w in group["params"]]})
    state = {number[w]: copy.deepcopy(kept) for w, kept in optimizer.state.items()}
    return {"state": state, "param_groups": groups}


def load_state_dict(optimizer, saved):
    saved = copy.deepcopy(saved)
    mine, theirs = optimizer.param_groups, saved["param_groups"]
    if [len(group["params"]) for group in mine] != [len(group["params"]) for group in theirs]:
        raise ValueError("the groups that were saved are not those of this optimizer")
    for group, other in zip(mine, theirs, strict=True):
        own = group["params"]
        group.update({**other, "params": own})
    weights = [w for group in mine for w in group["params"]]
    optimizer.state = {weights[i]: kept for i, kept in saved["state"].items()}


# %% answer="resume" name="numbers_per_group" loses="saved_form goes_on"
# The numbers begin at 0 in every group. They count through all groups, or two weights get one
# number.
import copy


def state_dict(optimizer):
    weights = [w for group in optimizer.param_groups for w in group["params"]]
    number = {w: i for group in optimizer.param_groups for i, w in enumerate(group["params"])}
    groups = []
    for group in optimizer.param_groups:
        options = {name: copy.deepcopy(v) for name, v in group.items() if name != "params"}
        groups.append({**options, "params": [number[w] for w in group["params"]]})
    state = {number[w]: copy.deepcopy(kept) for w, kept in optimizer.state.items()}
    return {"state": state, "param_groups": groups}


def load_state_dict(optimizer, saved):
    saved = copy.deepcopy(saved)
    mine, theirs = optimizer.param_groups, saved["param_groups"]
    if [len(group["params"]) for group in mine] != [len(group["params"]) for group in theirs]:
        raise ValueError("the groups that were saved are not those of this optimizer")
    for group, other in zip(mine, theirs, strict=True):
        own = group["params"]
        group.clear()
        group.update({**other, "params": own})
    weights = [w for group in mine for w in group["params"]]
    optimizer.state = {weights[i]: kept for i, kept in saved["state"].items()}


# %% answer="resume" name="numbers_from_one" loses="saved_form"
# The numbers begin at 1.
import copy


def state_dict(optimizer):
    weights = [w for group in optimizer.param_groups for w in group["params"]]
    number = {w: i for i, w in enumerate(weights, 1)}
    groups = []
    for group in optimizer.param_groups:
        options = {name: copy.deepcopy(v) for name, v in group.items() if name != "params"}
        groups.append({**options, "params": [number[w] for w in group["params"]]})
    state = {number[w]: copy.deepcopy(kept) for w, kept in optimizer.state.items()}
    return {"state": state, "param_groups": groups}


def load_state_dict(optimizer, saved):
    saved = copy.deepcopy(saved)
    mine, theirs = optimizer.param_groups, saved["param_groups"]
    if [len(group["params"]) for group in mine] != [len(group["params"]) for group in theirs]:
        raise ValueError("the groups that were saved are not those of this optimizer")
    for group, other in zip(mine, theirs, strict=True):
        own = group["params"]
        group.clear()
        group.update({**other, "params": own})
    weights = [w for group in mine for w in group["params"]]
    optimizer.state = {weights[i - 1]: kept for i, kept in saved["state"].items()}


# %% answer="resume" name="weights_in_the_groups" loses="saved_form"
# Under "params" stand the weights themselves. They die with the program; their numbers are asked
# for.
import copy


def state_dict(optimizer):
    weights = [w for group in optimizer.param_groups for w in group["params"]]
    number = {w: i for i, w in enumerate(weights)}
    groups = []
    for group in optimizer.param_groups:
        options = {name: copy.deepcopy(v) for name, v in group.items() if name != "params"}
        groups.append({**options, "params": list(group["params"])})
    state = {number[w]: copy.deepcopy(kept) for w, kept in optimizer.state.items()}
    return {"state": state, "param_groups": groups}


def load_state_dict(optimizer, saved):
    saved = copy.deepcopy(saved)
    mine, theirs = optimizer.param_groups, saved["param_groups"]
    if [len(group["params"]) for group in mine] != [len(group["params"]) for group in theirs]:
        raise ValueError("the groups that were saved are not those of this optimizer")
    for group, other in zip(mine, theirs, strict=True):
        own = group["params"]
        group.clear()
        group.update({**other, "params": own})
    weights = [w for group in mine for w in group["params"]]
    optimizer.state = {weights[i]: kept for i, kept in saved["state"].items()}


# %% answer="resume" name="changes_the_optimizer" loses="saved_form"
# Your `state_dict` writes the numbers into the optimizer's own groups. Make new dicts.
import copy


def state_dict(optimizer):
    weights = [w for group in optimizer.param_groups for w in group["params"]]
    number = {w: i for i, w in enumerate(weights)}
    groups = []
    for group in optimizer.param_groups:
        options = {name: copy.deepcopy(v) for name, v in group.items() if name != "params"}
        group["params"] = [number[w] for w in group["params"]]
        groups.append({**options, "params": group["params"]})
    state = {number[w]: copy.deepcopy(kept) for w, kept in optimizer.state.items()}
    return {"state": state, "param_groups": groups}


def load_state_dict(optimizer, saved):
    saved = copy.deepcopy(saved)
    mine, theirs = optimizer.param_groups, saved["param_groups"]
    if [len(group["params"]) for group in mine] != [len(group["params"]) for group in theirs]:
        raise ValueError("the groups that were saved are not those of this optimizer")
    for group, other in zip(mine, theirs, strict=True):
        own = group["params"]
        group.clear()
        group.update({**other, "params": own})
    weights = [w for group in mine for w in group["params"]]
    optimizer.state = {weights[i]: kept for i, kept in saved["state"].items()}


# %% answer="resume" name="params_replaced" loses="replaces"
# Loading puts the saved numbers in the place of the optimizer's weights.
import copy


def state_dict(optimizer):
    weights = [w for group in optimizer.param_groups for w in group["params"]]
    number = {w: i for i, w in enumerate(weights)}
    groups = []
    for group in optimizer.param_groups:
        options = {name: copy.deepcopy(v) for name, v in group.items() if name != "params"}
        groups.append({**options, "params": [number[w] for w in group["params"]]})
    state = {number[w]: copy.deepcopy(kept) for w, kept in optimizer.state.items()}
    return {"state": state, "param_groups": groups}


def load_state_dict(optimizer, saved):
    saved = copy.deepcopy(saved)
    mine, theirs = optimizer.param_groups, saved["param_groups"]
    if [len(group["params"]) for group in mine] != [len(group["params"]) for group in theirs]:
        raise ValueError("the groups that were saved are not those of this optimizer")
    weights = [w for group in mine for w in group["params"]]
    for group, other in zip(mine, theirs, strict=True):
        own = group["params"]
        group.clear()
        group.update(other)
    optimizer.state = {weights[i]: kept for i, kept in saved["state"].items()}


# %% answer="resume" name="state_for_all" loses="saved_form"
# A weight without a state is saved with an empty one. Leave it out.
import copy


def state_dict(optimizer):
    weights = [w for group in optimizer.param_groups for w in group["params"]]
    number = {w: i for i, w in enumerate(weights)}
    groups = []
    for group in optimizer.param_groups:
        options = {name: copy.deepcopy(v) for name, v in group.items() if name != "params"}
        groups.append({**options, "params": [number[w] for w in group["params"]]})
    state = {i: copy.deepcopy(optimizer.state.get(w, {})) for i, w in enumerate(weights)}
    return {"state": state, "param_groups": groups}


def load_state_dict(optimizer, saved):
    saved = copy.deepcopy(saved)
    mine, theirs = optimizer.param_groups, saved["param_groups"]
    if [len(group["params"]) for group in mine] != [len(group["params"]) for group in theirs]:
        raise ValueError("the groups that were saved are not those of this optimizer")
    for group, other in zip(mine, theirs, strict=True):
        own = group["params"]
        group.clear()
        group.update({**other, "params": own})
    weights = [w for group in mine for w in group["params"]]
    optimizer.state = {weights[i]: kept for i, kept in saved["state"].items()}


# %% answer="resume" name="state_in_a_list" loses="saved_form"
# Under "state" a dict from numbers to states is asked for, not a list: with weights left out,
# places in a list say nothing.
import copy


def state_dict(optimizer):
    weights = [w for group in optimizer.param_groups for w in group["params"]]
    number = {w: i for i, w in enumerate(weights)}
    groups = []
    for group in optimizer.param_groups:
        options = {name: copy.deepcopy(v) for name, v in group.items() if name != "params"}
        groups.append({**options, "params": [number[w] for w in group["params"]]})
    state = {number[w]: copy.deepcopy(kept) for w, kept in optimizer.state.items()}
    return {"state": list(state.items()), "param_groups": groups}


def load_state_dict(optimizer, saved):
    saved = copy.deepcopy(saved)
    mine, theirs = optimizer.param_groups, saved["param_groups"]
    if [len(group["params"]) for group in mine] != [len(group["params"]) for group in theirs]:
        raise ValueError("the groups that were saved are not those of this optimizer")
    for group, other in zip(mine, theirs, strict=True):
        own = group["params"]
        group.clear()
        group.update({**other, "params": own})
    weights = [w for group in mine for w in group["params"]]
    optimizer.state = {weights[i]: kept for i, kept in saved["state"]}


# %% answer="resume" name="order_of_first_steps" loses="saved_form goes_on"
# States are numbered in the order in which they were made. The order is that of the weights in the
# groups.
import copy


def state_dict(optimizer):
    weights = [w for group in optimizer.param_groups for w in group["params"]]
    number = {w: i for i, w in enumerate(weights)}
    groups = []
    for group in optimizer.param_groups:
        options = {name: copy.deepcopy(v) for name, v in group.items() if name != "params"}
        groups.append({**options, "params": [number[w] for w in group["params"]]})
    state = {i: copy.deepcopy(kept) for i, kept in enumerate(optimizer.state.values())}
    return {"state": state, "param_groups": groups}


def load_state_dict(optimizer, saved):
    saved = copy.deepcopy(saved)
    mine, theirs = optimizer.param_groups, saved["param_groups"]
    if [len(group["params"]) for group in mine] != [len(group["params"]) for group in theirs]:
        raise ValueError("the groups that were saved are not those of this optimizer")
    for group, other in zip(mine, theirs, strict=True):
        own = group["params"]
        group.clear()
        group.update({**other, "params": own})
    weights = [w for group in mine for w in group["params"]]
    optimizer.state = {weights[i]: kept for i, kept in saved["state"].items()}


# %% answer="resume" name="never_refuses" loses="refuses"
# Groups of other sizes are loaded without a word, and states end up at the wrong weights.
import copy


def state_dict(optimizer):
    weights = [w for group in optimizer.param_groups for w in group["params"]]
    number = {w: i for i, w in enumerate(weights)}
    groups = []
    for group in optimizer.param_groups:
        options = {name: copy.deepcopy(v) for name, v in group.items() if name != "params"}
        groups.append({**options, "params": [number[w] for w in group["params"]]})
    state = {number[w]: copy.deepcopy(kept) for w, kept in optimizer.state.items()}
    return {"state": state, "param_groups": groups}


def load_state_dict(optimizer, saved):
    saved = copy.deepcopy(saved)
    mine, theirs = optimizer.param_groups, saved["param_groups"]
    if [len(group["params"]) for group in mine] != [len(group["params"]) for group in theirs]:
        theirs = theirs[: len(mine)]
        mine = mine[: len(theirs)]
    for group, other in zip(mine, theirs, strict=True):
        own = group["params"]
        group.clear()
        group.update({**other, "params": own})
    weights = [w for group in mine for w in group["params"]]
    optimizer.state = {weights[i]: kept for i, kept in saved["state"].items() if i < len(weights)}


# %% answer="resume" name="counts_all_weights" loses="refuses"
# You compare the number of all weights. The number in each group must agree.
import copy


def state_dict(optimizer):
    weights = [w for group in optimizer.param_groups for w in group["params"]]
    number = {w: i for i, w in enumerate(weights)}
    groups = []
    for group in optimizer.param_groups:
        options = {name: copy.deepcopy(v) for name, v in group.items() if name != "params"}
        groups.append({**options, "params": [number[w] for w in group["params"]]})
    state = {number[w]: copy.deepcopy(kept) for w, kept in optimizer.state.items()}
    return {"state": state, "param_groups": groups}


def load_state_dict(optimizer, saved):
    saved = copy.deepcopy(saved)
    mine, theirs = optimizer.param_groups, saved["param_groups"]
    if sum(len(g["params"]) for g in mine) != sum(len(g["params"]) for g in theirs):
        raise ValueError("the groups that were saved are not those of this optimizer")
    for group, other in zip(mine, theirs):
        own = group["params"]
        group.clear()
        group.update({**other, "params": own})
    weights = [w for group in mine for w in group["params"]]
    optimizer.state = {weights[i]: kept for i, kept in saved["state"].items()}


# %% answer="resume" name="counts_groups_only" loses="refuses"
# You compare the number of groups, not the numbers of weights in them.
import copy


def state_dict(optimizer):
    weights = [w for group in optimizer.param_groups for w in group["params"]]
    number = {w: i for i, w in enumerate(weights)}
    groups = []
    for group in optimizer.param_groups:
        options = {name: copy.deepcopy(v) for name, v in group.items() if name != "params"}
        groups.append({**options, "params": [number[w] for w in group["params"]]})
    state = {number[w]: copy.deepcopy(kept) for w, kept in optimizer.state.items()}
    return {"state": state, "param_groups": groups}


def load_state_dict(optimizer, saved):
    saved = copy.deepcopy(saved)
    mine, theirs = optimizer.param_groups, saved["param_groups"]
    if len(mine) != len(theirs):
        raise ValueError("the groups that were saved are not those of this optimizer")
    for group, other in zip(mine, theirs, strict=True):
        own = group["params"]
        group.clear()
        group.update({**other, "params": own})
    weights = [w for group in mine for w in group["params"]]
    optimizer.state = {weights[i]: kept for i, kept in saved["state"].items() if i < len(weights)}


# %% answer="resume" name="notices_too_late" loses="refuses"
# The error comes after some groups were already changed. Compare everything first.
import copy


def state_dict(optimizer):
    weights = [w for group in optimizer.param_groups for w in group["params"]]
    number = {w: i for i, w in enumerate(weights)}
    groups = []
    for group in optimizer.param_groups:
        options = {name: copy.deepcopy(v) for name, v in group.items() if name != "params"}
        groups.append({**options, "params": [number[w] for w in group["params"]]})
    state = {number[w]: copy.deepcopy(kept) for w, kept in optimizer.state.items()}
    return {"state": state, "param_groups": groups}


def load_state_dict(optimizer, saved):
    saved = copy.deepcopy(saved)
    mine, theirs = optimizer.param_groups, saved["param_groups"]
    for group, other in zip(mine, theirs, strict=True):
        own = group["params"]
        if len(own) != len(other["params"]):
            raise ValueError("another number of weights")
        group.clear()
        group.update({**other, "params": own})
    weights = [w for group in mine for w in group["params"]]
    optimizer.state = {weights[i]: kept for i, kept in saved["state"].items()}


# %% answer="resume" name="through_json" loses="saved_form snapshot"
# The numbers of the weights are text. Under "state" the keys are whole numbers.
import copy


def state_dict(optimizer):
    weights = [w for group in optimizer.param_groups for w in group["params"]]
    number = {w: i for i, w in enumerate(weights)}
    groups = []
    for group in optimizer.param_groups:
        options = {name: copy.deepcopy(v) for name, v in group.items() if name != "params"}
        groups.append({**options, "params": [number[w] for w in group["params"]]})
    state = {str(number[w]): copy.deepcopy(kept) for w, kept in optimizer.state.items()}
    return {"state": state, "param_groups": groups}


def load_state_dict(optimizer, saved):
    saved = copy.deepcopy(saved)
    mine, theirs = optimizer.param_groups, saved["param_groups"]
    if [len(group["params"]) for group in mine] != [len(group["params"]) for group in theirs]:
        raise ValueError("the groups that were saved are not those of this optimizer")
    for group, other in zip(mine, theirs, strict=True):
        own = group["params"]
        group.clear()
        group.update({**other, "params": own})
    weights = [w for group in mine for w in group["params"]]
    optimizer.state = {weights[int(i)]: kept for i, kept in saved["state"].items()}


# %% answer="resume" name="rounded" loses="goes_on"
# Numbers are saved in float32 and lose half of their digits. Going on exactly needs all of them.
import copy


def state_dict(optimizer):
    weights = [w for group in optimizer.param_groups for w in group["params"]]
    number = {w: i for i, w in enumerate(weights)}
    groups = []
    for group in optimizer.param_groups:
        options = {name: copy.deepcopy(v) for name, v in group.items() if name != "params"}
        groups.append({**options, "params": [number[w] for w in group["params"]]})
    state = {
        number[w]: {
            k: np.float64(np.float32(v)) if k == "v" else v for k, v in copy.deepcopy(kept).items()
        }
        for w, kept in optimizer.state.items()
    }
    return {"state": state, "param_groups": groups}


def load_state_dict(optimizer, saved):
    saved = copy.deepcopy(saved)
    mine, theirs = optimizer.param_groups, saved["param_groups"]
    if [len(group["params"]) for group in mine] != [len(group["params"]) for group in theirs]:
        raise ValueError("the groups that were saved are not those of this optimizer")
    for group, other in zip(mine, theirs, strict=True):
        own = group["params"]
        group.clear()
        group.update({**other, "params": own})
    weights = [w for group in mine for w in group["params"]]
    optimizer.state = {weights[i]: kept for i, kept in saved["state"].items()}


# %% answer="resume" name="entries_kept" loses="replaces"
# What the optimizer remembered under other names stays in a loaded state. A loaded state is that
# of `saved` and nothing more.
import copy


def state_dict(optimizer):
    weights = [w for group in optimizer.param_groups for w in group["params"]]
    number = {id(w): i for i, w in enumerate(weights)}
    groups = []
    for group in optimizer.param_groups:
        options = copy.deepcopy({k: v for k, v in group.items() if k != "params"})
        groups.append({**options, "params": [number[id(w)] for w in group["params"]]})
    state = {number[id(w)]: copy.deepcopy(kept) for w, kept in optimizer.state.items()}
    return {"state": state, "param_groups": groups}


def load_state_dict(optimizer, saved):
    saved = copy.deepcopy(saved)
    mine, theirs = optimizer.param_groups, saved["param_groups"]
    if [len(g["params"]) for g in mine] != [len(g["params"]) for g in theirs]:
        raise ValueError("other groups")
    weights = [w for group in mine for w in group["params"]]
    for group, other in zip(mine, theirs):
        params = group["params"]
        group.clear()
        group.update(other, params=params)

    for w in list(optimizer.state):
        if not any(weights[i] is w for i in saved["state"]):
            del optimizer.state[w]
    for i, kept in saved["state"].items():
        optimizer.state.setdefault(weights[i], {}).update(kept)


# %% [markdown]
# ## steady


# %% answer="steady" name="warmup_from_zero" loses="factor"
# Your first factor is 0, so the first step is lost. It is (step + 1) / warmup.
def warmup_cosine(step, warmup, total, final=0.0):
    if step < warmup:
        return step / warmup
    if step >= total:
        return final
    part = (step - warmup) / (total - warmup)
    return final + (1 - final) * (1 + np.cos(np.pi * part)) / 2


class Schedule:
    def __init__(self, optimizer, factor):
        self.optimizer, self.factor = optimizer, factor
        self.first = [group["lr"] for group in optimizer.param_groups]
        self.number = -1
        self.step()

    def step(self):
        self.number += 1
        for group, lr in zip(self.optimizer.param_groups, self.first, strict=True):
            group["lr"] = lr * self.factor(self.number)


def clip_grad_norm(params, max_norm):
    grads = [p.grad.data for p in params if p.grad is not None]
    norm = np.sqrt(sum(np.sum(g * g) for g in grads))
    scale = max_norm / (norm + 1e-6)
    if scale < 1:
        for g in grads:
            g *= scale
    return norm


# %% answer="steady" name="no_warmup" loses="factor"
# There is no warm-up: the factor starts at 1.
def warmup_cosine(step, warmup, total, final=0.0):
    if step < warmup:
        return 1.0
    if step >= total:
        return final
    part = (step - warmup) / (total - warmup)
    return final + (1 - final) * (1 + np.cos(np.pi * part)) / 2


class Schedule:
    def __init__(self, optimizer, factor):
        self.optimizer, self.factor = optimizer, factor
        self.first = [group["lr"] for group in optimizer.param_groups]
        self.number = -1
        self.step()

    def step(self):
        self.number += 1
        for group, lr in zip(self.optimizer.param_groups, self.first, strict=True):
            group["lr"] = lr * self.factor(self.number)


def clip_grad_norm(params, max_norm):
    grads = [p.grad.data for p in params if p.grad is not None]
    norm = np.sqrt(sum(np.sum(g * g) for g in grads))
    scale = max_norm / (norm + 1e-6)
    if scale < 1:
        for g in grads:
            g *= scale
    return norm


# %% answer="steady" name="cosine_ignores_warmup" loses="factor"
# The cosine is counted from step 0. It begins when the warm-up ends.
def warmup_cosine(step, warmup, total, final=0.0):
    if step < warmup:
        return (step + 1) / warmup
    if step >= total:
        return final
    part = step / total
    return final + (1 - final) * (1 + np.cos(np.pi * part)) / 2


class Schedule:
    def __init__(self, optimizer, factor):
        self.optimizer, self.factor = optimizer, factor
        self.first = [group["lr"] for group in optimizer.param_groups]
        self.number = -1
        self.step()

    def step(self):
        self.number += 1
        for group, lr in zip(self.optimizer.param_groups, self.first, strict=True):
            group["lr"] = lr * self.factor(self.number)


def clip_grad_norm(params, max_norm):
    grads = [p.grad.data for p in params if p.grad is not None]
    norm = np.sqrt(sum(np.sum(g * g) for g in grads))
    scale = max_norm / (norm + 1e-6)
    if scale < 1:
        for g in grads:
            g *= scale
    return norm


# %% answer="steady" name="straight_line" loses="factor"
# After the warm-up you go down in a straight line. Half a cosine is asked for.
def warmup_cosine(step, warmup, total, final=0.0):
    if step < warmup:
        return (step + 1) / warmup
    if step >= total:
        return final
    part = (step - warmup) / (total - warmup)
    return final + (1 - final) * (1 - part)


class Schedule:
    def __init__(self, optimizer, factor):
        self.optimizer, self.factor = optimizer, factor
        self.first = [group["lr"] for group in optimizer.param_groups]
        self.number = -1
        self.step()

    def step(self):
        self.number += 1
        for group, lr in zip(self.optimizer.param_groups, self.first, strict=True):
            group["lr"] = lr * self.factor(self.number)


def clip_grad_norm(params, max_norm):
    grads = [p.grad.data for p in params if p.grad is not None]
    norm = np.sqrt(sum(np.sum(g * g) for g in grads))
    scale = max_norm / (norm + 1e-6)
    if scale < 1:
        for g in grads:
            g *= scale
    return norm


# %% answer="steady" name="whole_wave" loses="factor"
# You run through a whole wave of the cosine: it comes up again. Half of it, to π, is asked for.
def warmup_cosine(step, warmup, total, final=0.0):
    if step < warmup:
        return (step + 1) / warmup
    if step >= total:
        return final
    part = (step - warmup) / (total - warmup)
    return final + (1 - final) * (1 + np.cos(2 * np.pi * part)) / 2


class Schedule:
    def __init__(self, optimizer, factor):
        self.optimizer, self.factor = optimizer, factor
        self.first = [group["lr"] for group in optimizer.param_groups]
        self.number = -1
        self.step()

    def step(self):
        self.number += 1
        for group, lr in zip(self.optimizer.param_groups, self.first, strict=True):
            group["lr"] = lr * self.factor(self.number)


def clip_grad_norm(params, max_norm):
    grads = [p.grad.data for p in params if p.grad is not None]
    norm = np.sqrt(sum(np.sum(g * g) for g in grads))
    scale = max_norm / (norm + 1e-6)
    if scale < 1:
        for g in grads:
            g *= scale
    return norm


# %% answer="steady" name="rises_again" loses="factor"
# After `total` your cosine comes up again. From there on the factor is `final`.
def warmup_cosine(step, warmup, total, final=0.0):
    if step < warmup:
        return (step + 1) / warmup
    if total == warmup:
        return final
    part = (step - warmup) / (total - warmup)
    return final + (1 - final) * (1 + np.cos(np.pi * part)) / 2


class Schedule:
    def __init__(self, optimizer, factor):
        self.optimizer, self.factor = optimizer, factor
        self.first = [group["lr"] for group in optimizer.param_groups]
        self.number = -1
        self.step()

    def step(self):
        self.number += 1
        for group, lr in zip(self.optimizer.param_groups, self.first, strict=True):
            group["lr"] = lr * self.factor(self.number)


def clip_grad_norm(params, max_norm):
    grads = [p.grad.data for p in params if p.grad is not None]
    norm = np.sqrt(sum(np.sum(g * g) for g in grads))
    scale = max_norm / (norm + 1e-6)
    if scale < 1:
        for g in grads:
            g *= scale
    return norm


# %% answer="steady" name="final_forgotten" loses="factor"
# `final` has no effect: your factor goes down to 0.
def warmup_cosine(step, warmup, total, final=0.0):
    if step < warmup:
        return (step + 1) / warmup
    if step >= total:
        return 0.0
    part = (step - warmup) / (total - warmup)
    return (1 + np.cos(np.pi * part)) / 2


class Schedule:
    def __init__(self, optimizer, factor):
        self.optimizer, self.factor = optimizer, factor
        self.first = [group["lr"] for group in optimizer.param_groups]
        self.number = -1
        self.step()

    def step(self):
        self.number += 1
        for group, lr in zip(self.optimizer.param_groups, self.first, strict=True):
            group["lr"] = lr * self.factor(self.number)


def clip_grad_norm(params, max_norm):
    grads = [p.grad.data for p in params if p.grad is not None]
    norm = np.sqrt(sum(np.sum(g * g) for g in grads))
    scale = max_norm / (norm + 1e-6)
    if scale < 1:
        for g in grads:
            g *= scale
    return norm


# %% answer="steady" name="final_added" loses="factor"
# You add `final` to the whole wave, so the factor starts at 1 + final.
def warmup_cosine(step, warmup, total, final=0.0):
    if step < warmup:
        return (step + 1) / warmup
    if step >= total:
        return final
    part = (step - warmup) / (total - warmup)
    return final + (1 + np.cos(np.pi * part)) / 2


class Schedule:
    def __init__(self, optimizer, factor):
        self.optimizer, self.factor = optimizer, factor
        self.first = [group["lr"] for group in optimizer.param_groups]
        self.number = -1
        self.step()

    def step(self):
        self.number += 1
        for group, lr in zip(self.optimizer.param_groups, self.first, strict=True):
            group["lr"] = lr * self.factor(self.number)


def clip_grad_norm(params, max_norm):
    grads = [p.grad.data for p in params if p.grad is not None]
    norm = np.sqrt(sum(np.sum(g * g) for g in grads))
    scale = max_norm / (norm + 1e-6)
    if scale < 1:
        for g in grads:
            g *= scale
    return norm


# %% answer="steady" name="divides_by_zero" loses="factor"
# With `warmup` equal to `total` you divide by 0.
def warmup_cosine(step, warmup, total, final=0.0):
    if step < warmup:
        return (step + 1) / warmup
    part = min(1.0, (step - warmup) / (total - warmup))
    return final + (1 - final) * (1 + np.cos(np.pi * part)) / 2


class Schedule:
    def __init__(self, optimizer, factor):
        self.optimizer, self.factor = optimizer, factor
        self.first = [group["lr"] for group in optimizer.param_groups]
        self.number = -1
        self.step()

    def step(self):
        self.number += 1
        for group, lr in zip(self.optimizer.param_groups, self.first, strict=True):
            group["lr"] = lr * self.factor(self.number)


def clip_grad_norm(params, max_norm):
    grads = [p.grad.data for p in params if p.grad is not None]
    norm = np.sqrt(sum(np.sum(g * g) for g in grads))
    scale = max_norm / (norm + 1e-6)
    if scale < 1:
        for g in grads:
            g *= scale
    return norm


# %% answer="steady" name="compounds" loses="schedule"
# You multiply the rate that stands there, so the factors compound. It is the first rate that is
# multiplied.
def warmup_cosine(step, warmup, total, final=0.0):
    if step < warmup:
        return (step + 1) / warmup
    if step >= total:
        return final
    part = (step - warmup) / (total - warmup)
    return final + (1 - final) * (1 + np.cos(np.pi * part)) / 2


class Schedule:
    def __init__(self, optimizer, factor):
        self.optimizer, self.factor = optimizer, factor
        self.first = [group["lr"] for group in optimizer.param_groups]
        self.number = -1
        self.step()

    def step(self):
        self.number += 1
        for group, lr in zip(self.optimizer.param_groups, self.first, strict=True):
            group["lr"] = group["lr"] * self.factor(self.number)


def clip_grad_norm(params, max_norm):
    grads = [p.grad.data for p in params if p.grad is not None]
    norm = np.sqrt(sum(np.sum(g * g) for g in grads))
    scale = max_norm / (norm + 1e-6)
    if scale < 1:
        for g in grads:
            g *= scale
    return norm


# %% answer="steady" name="first_rate_in_the_group" loses="schedule"
# You keep the first rate in the group, under a name of its own, and a rule would be handed it as an
# option. Keep it in the schedule.
def warmup_cosine(step, warmup, total, final=0.0):
    if step < warmup:
        return (step + 1) / warmup
    if step >= total:
        return final
    part = (step - warmup) / (total - warmup)
    return final + (1 - final) * (1 + np.cos(np.pi * part)) / 2


class Schedule:
    def __init__(self, optimizer, factor):
        self.optimizer, self.factor = optimizer, factor
        for group in optimizer.param_groups:
            group["initial_lr"] = group["lr"]
        self.number = -1
        self.step()

    def step(self):
        self.number += 1
        for group in self.optimizer.param_groups:
            group["lr"] = group["initial_lr"] * self.factor(self.number)


def clip_grad_norm(params, max_norm):
    grads = [p.grad.data for p in params if p.grad is not None]
    norm = np.sqrt(sum(np.sum(g * g) for g in grads))
    scale = max_norm / (norm + 1e-6)
    if scale < 1:
        for g in grads:
            g *= scale
    return norm


# %% answer="steady" name="not_at_the_start" loses="schedule"
# When the schedule is made, it sets no rate: the first step has the full one.
def warmup_cosine(step, warmup, total, final=0.0):
    if step < warmup:
        return (step + 1) / warmup
    if step >= total:
        return final
    part = (step - warmup) / (total - warmup)
    return final + (1 - final) * (1 + np.cos(np.pi * part)) / 2


class Schedule:
    def __init__(self, optimizer, factor):
        self.optimizer, self.factor = optimizer, factor
        self.first = [group["lr"] for group in optimizer.param_groups]
        self.number = 0

    def step(self):
        self.number += 1
        for group, lr in zip(self.optimizer.param_groups, self.first, strict=True):
            group["lr"] = lr * self.factor(self.number)


def clip_grad_norm(params, max_norm):
    grads = [p.grad.data for p in params if p.grad is not None]
    norm = np.sqrt(sum(np.sum(g * g) for g in grads))
    scale = max_norm / (norm + 1e-6)
    if scale < 1:
        for g in grads:
            g *= scale
    return norm


# %% answer="steady" name="one_behind" loses="schedule"
# `step` sets the factor of the step before.
def warmup_cosine(step, warmup, total, final=0.0):
    if step < warmup:
        return (step + 1) / warmup
    if step >= total:
        return final
    part = (step - warmup) / (total - warmup)
    return final + (1 - final) * (1 + np.cos(np.pi * part)) / 2


class Schedule:
    def __init__(self, optimizer, factor):
        self.optimizer, self.factor = optimizer, factor
        self.first = [group["lr"] for group in optimizer.param_groups]
        self.number = -1
        self.step()

    def step(self):
        self.number += 1
        before = max(self.number - 1, 0)
        for group, lr in zip(self.optimizer.param_groups, self.first, strict=True):
            group["lr"] = lr * self.factor(before)


def clip_grad_norm(params, max_norm):
    grads = [p.grad.data for p in params if p.grad is not None]
    norm = np.sqrt(sum(np.sum(g * g) for g in grads))
    scale = max_norm / (norm + 1e-6)
    if scale < 1:
        for g in grads:
            g *= scale
    return norm


# %% answer="steady" name="first_group_only" loses="schedule"
# Only the first group gets a new rate.
def warmup_cosine(step, warmup, total, final=0.0):
    if step < warmup:
        return (step + 1) / warmup
    if step >= total:
        return final
    part = (step - warmup) / (total - warmup)
    return final + (1 - final) * (1 + np.cos(np.pi * part)) / 2


class Schedule:
    def __init__(self, optimizer, factor):
        self.optimizer, self.factor = optimizer, factor
        self.first = [group["lr"] for group in optimizer.param_groups]
        self.number = -1
        self.step()

    def step(self):
        self.number += 1
        for group, lr in zip(self.optimizer.param_groups[:1], self.first):
            group["lr"] = lr * self.factor(self.number)


def clip_grad_norm(params, max_norm):
    grads = [p.grad.data for p in params if p.grad is not None]
    norm = np.sqrt(sum(np.sum(g * g) for g in grads))
    scale = max_norm / (norm + 1e-6)
    if scale < 1:
        for g in grads:
            g *= scale
    return norm


# %% answer="steady" name="one_rate_for_all" loses="schedule"
# All groups get the rate of the first. Each has its own first rate.
def warmup_cosine(step, warmup, total, final=0.0):
    if step < warmup:
        return (step + 1) / warmup
    if step >= total:
        return final
    part = (step - warmup) / (total - warmup)
    return final + (1 - final) * (1 + np.cos(np.pi * part)) / 2


class Schedule:
    def __init__(self, optimizer, factor):
        self.optimizer, self.factor = optimizer, factor
        self.first = [group["lr"] for group in optimizer.param_groups]
        self.number = -1
        self.step()

    def step(self):
        self.number += 1
        for group, lr in zip(self.optimizer.param_groups, self.first, strict=True):
            group["lr"] = self.first[0] * self.factor(self.number)


def clip_grad_norm(params, max_norm):
    grads = [p.grad.data for p in params if p.grad is not None]
    norm = np.sqrt(sum(np.sum(g * g) for g in grads))
    scale = max_norm / (norm + 1e-6)
    if scale < 1:
        for g in grads:
            g *= scale
    return norm


# %% answer="steady" name="factor_as_rate" loses="schedule"
# The factor is set as the rate. It multiplies the first rate.
def warmup_cosine(step, warmup, total, final=0.0):
    if step < warmup:
        return (step + 1) / warmup
    if step >= total:
        return final
    part = (step - warmup) / (total - warmup)
    return final + (1 - final) * (1 + np.cos(np.pi * part)) / 2


class Schedule:
    def __init__(self, optimizer, factor):
        self.optimizer, self.factor = optimizer, factor
        self.first = [group["lr"] for group in optimizer.param_groups]
        self.number = -1
        self.step()

    def step(self):
        self.number += 1
        for group, lr in zip(self.optimizer.param_groups, self.first, strict=True):
            group["lr"] = self.factor(self.number)


def clip_grad_norm(params, max_norm):
    grads = [p.grad.data for p in params if p.grad is not None]
    norm = np.sqrt(sum(np.sum(g * g) for g in grads))
    scale = max_norm / (norm + 1e-6)
    if scale < 1:
        for g in grads:
            g *= scale
    return norm


# %% answer="steady" name="each_alone" loses="clip"
# Each gradient is clipped by its own norm, which turns the direction of the whole. One norm for
# all, one factor for all.
def warmup_cosine(step, warmup, total, final=0.0):
    if step < warmup:
        return (step + 1) / warmup
    if step >= total:
        return final
    part = (step - warmup) / (total - warmup)
    return final + (1 - final) * (1 + np.cos(np.pi * part)) / 2


class Schedule:
    def __init__(self, optimizer, factor):
        self.optimizer, self.factor = optimizer, factor
        self.first = [group["lr"] for group in optimizer.param_groups]
        self.number = -1
        self.step()

    def step(self):
        self.number += 1
        for group, lr in zip(self.optimizer.param_groups, self.first, strict=True):
            group["lr"] = lr * self.factor(self.number)


def clip_grad_norm(params, max_norm):
    grads = [p.grad.data for p in params if p.grad is not None]
    norm = np.sqrt(sum(np.sum(g * g) for g in grads))
    scale = max_norm / (norm + 1e-6)
    if scale < 1:
        for g in grads:
            g *= min(1.0, max_norm / (float(np.sqrt(np.sum(g**2))) + 1e-6))
    return norm


# %% answer="steady" name="clips_entries" loses="clip"
# Single entries are cut, which turns the direction. All are multiplied by one number.
def warmup_cosine(step, warmup, total, final=0.0):
    if step < warmup:
        return (step + 1) / warmup
    if step >= total:
        return final
    part = (step - warmup) / (total - warmup)
    return final + (1 - final) * (1 + np.cos(np.pi * part)) / 2


class Schedule:
    def __init__(self, optimizer, factor):
        self.optimizer, self.factor = optimizer, factor
        self.first = [group["lr"] for group in optimizer.param_groups]
        self.number = -1
        self.step()

    def step(self):
        self.number += 1
        for group, lr in zip(self.optimizer.param_groups, self.first, strict=True):
            group["lr"] = lr * self.factor(self.number)


def clip_grad_norm(params, max_norm):
    grads = [p.grad.data for p in params if p.grad is not None]
    norm = np.sqrt(sum(np.sum(g * g) for g in grads))
    scale = max_norm / (norm + 1e-6)
    if scale < 1:
        for g in grads:
            np.clip(g, -max_norm, max_norm, out=g)
    return norm


# %% answer="steady" name="sum_of_norms" loses="clip"
# You add up the norms of the gradients. The norm of all together is the root of the sum of
# *squares*.
def warmup_cosine(step, warmup, total, final=0.0):
    if step < warmup:
        return (step + 1) / warmup
    if step >= total:
        return final
    part = (step - warmup) / (total - warmup)
    return final + (1 - final) * (1 + np.cos(np.pi * part)) / 2


class Schedule:
    def __init__(self, optimizer, factor):
        self.optimizer, self.factor = optimizer, factor
        self.first = [group["lr"] for group in optimizer.param_groups]
        self.number = -1
        self.step()

    def step(self):
        self.number += 1
        for group, lr in zip(self.optimizer.param_groups, self.first, strict=True):
            group["lr"] = lr * self.factor(self.number)


def clip_grad_norm(params, max_norm):
    grads = [p.grad.data for p in params if p.grad is not None]
    norm = float(sum(float(np.sqrt(np.sum(g.astype(np.float64) ** 2))) for g in grads))
    scale = max_norm / (norm + 1e-6)
    if scale < 1:
        for g in grads:
            g *= scale
    return norm


# %% answer="steady" name="largest_entry" loses="clip"
# Your norm is the largest entry. The root of the sum of squares is asked for.
def warmup_cosine(step, warmup, total, final=0.0):
    if step < warmup:
        return (step + 1) / warmup
    if step >= total:
        return final
    part = (step - warmup) / (total - warmup)
    return final + (1 - final) * (1 + np.cos(np.pi * part)) / 2


class Schedule:
    def __init__(self, optimizer, factor):
        self.optimizer, self.factor = optimizer, factor
        self.first = [group["lr"] for group in optimizer.param_groups]
        self.number = -1
        self.step()

    def step(self):
        self.number += 1
        for group, lr in zip(self.optimizer.param_groups, self.first, strict=True):
            group["lr"] = lr * self.factor(self.number)


def clip_grad_norm(params, max_norm):
    grads = [p.grad.data for p in params if p.grad is not None]
    norm = float(max([float(np.abs(g).max(initial=0)) for g in grads], default=0.0))
    scale = max_norm / (norm + 1e-6)
    if scale < 1:
        for g in grads:
            g *= scale
    return norm


# %% answer="steady" name="no_root" loses="clip"
# You return and compare the sum of squares; its root is the norm.
def warmup_cosine(step, warmup, total, final=0.0):
    if step < warmup:
        return (step + 1) / warmup
    if step >= total:
        return final
    part = (step - warmup) / (total - warmup)
    return final + (1 - final) * (1 + np.cos(np.pi * part)) / 2


class Schedule:
    def __init__(self, optimizer, factor):
        self.optimizer, self.factor = optimizer, factor
        self.first = [group["lr"] for group in optimizer.param_groups]
        self.number = -1
        self.step()

    def step(self):
        self.number += 1
        for group, lr in zip(self.optimizer.param_groups, self.first, strict=True):
            group["lr"] = lr * self.factor(self.number)


def clip_grad_norm(params, max_norm):
    grads = [p.grad.data for p in params if p.grad is not None]
    norm = float(sum(float(np.sum(g.astype(np.float64) ** 2)) for g in grads))
    scale = max_norm / (norm + 1e-6)
    if scale < 1:
        for g in grads:
            g *= scale
    return norm


# %% answer="steady" name="always_scales" loses="clip"
# Gradients that are short enough are made longer. They stay as they are.
def warmup_cosine(step, warmup, total, final=0.0):
    if step < warmup:
        return (step + 1) / warmup
    if step >= total:
        return final
    part = (step - warmup) / (total - warmup)
    return final + (1 - final) * (1 + np.cos(np.pi * part)) / 2


class Schedule:
    def __init__(self, optimizer, factor):
        self.optimizer, self.factor = optimizer, factor
        self.first = [group["lr"] for group in optimizer.param_groups]
        self.number = -1
        self.step()

    def step(self):
        self.number += 1
        for group, lr in zip(self.optimizer.param_groups, self.first, strict=True):
            group["lr"] = lr * self.factor(self.number)


def clip_grad_norm(params, max_norm):
    grads = [p.grad.data for p in params if p.grad is not None]
    norm = np.sqrt(sum(np.sum(g * g) for g in grads))
    scale = max_norm / (norm + 1e-6)
    for g in grads:
        g *= scale
    return norm


# %% answer="steady" name="new_arrays" loses="clip"
# The scaled gradients are new arrays. Scale in place: `p.grad.data` stays the same array.
def warmup_cosine(step, warmup, total, final=0.0):
    if step < warmup:
        return (step + 1) / warmup
    if step >= total:
        return final
    part = (step - warmup) / (total - warmup)
    return final + (1 - final) * (1 + np.cos(np.pi * part)) / 2


class Schedule:
    def __init__(self, optimizer, factor):
        self.optimizer, self.factor = optimizer, factor
        self.first = [group["lr"] for group in optimizer.param_groups]
        self.number = -1
        self.step()

    def step(self):
        self.number += 1
        for group, lr in zip(self.optimizer.param_groups, self.first, strict=True):
            group["lr"] = lr * self.factor(self.number)


def clip_grad_norm(params, max_norm):
    params = list(params)
    grads = [p.grad.data for p in params if p.grad is not None]
    norm = np.sqrt(sum(np.sum(g * g) for g in grads))
    scale = max_norm / (norm + 1e-6)
    if scale < 1:
        for p in params:
            if p.grad is not None:
                p.grad.data = p.grad.data * scale
    return norm


# %% answer="steady" name="norm_after" loses="clip"
# You return the norm after clipping. The one before is asked for: that is what one wants to watch.
def warmup_cosine(step, warmup, total, final=0.0):
    if step < warmup:
        return (step + 1) / warmup
    if step >= total:
        return final
    part = (step - warmup) / (total - warmup)
    return final + (1 - final) * (1 + np.cos(np.pi * part)) / 2


class Schedule:
    def __init__(self, optimizer, factor):
        self.optimizer, self.factor = optimizer, factor
        self.first = [group["lr"] for group in optimizer.param_groups]
        self.number = -1
        self.step()

    def step(self):
        self.number += 1
        for group, lr in zip(self.optimizer.param_groups, self.first, strict=True):
            group["lr"] = lr * self.factor(self.number)


def clip_grad_norm(params, max_norm):
    grads = [p.grad.data for p in params if p.grad is not None]
    norm = np.sqrt(sum(np.sum(g * g) for g in grads))
    scale = max_norm / (norm + 1e-6)
    if scale < 1:
        for g in grads:
            g *= scale
    return norm * min(1.0, scale)


# %% answer="steady" name="guard_forgotten" loses="clip"
# The small number 1e-6 of the task is missing in the denominator, which shows for short gradients.
def warmup_cosine(step, warmup, total, final=0.0):
    if step < warmup:
        return (step + 1) / warmup
    if step >= total:
        return final
    part = (step - warmup) / (total - warmup)
    return final + (1 - final) * (1 + np.cos(np.pi * part)) / 2


class Schedule:
    def __init__(self, optimizer, factor):
        self.optimizer, self.factor = optimizer, factor
        self.first = [group["lr"] for group in optimizer.param_groups]
        self.number = -1
        self.step()

    def step(self):
        self.number += 1
        for group, lr in zip(self.optimizer.param_groups, self.first, strict=True):
            group["lr"] = lr * self.factor(self.number)


def clip_grad_norm(params, max_norm):
    grads = [p.grad.data for p in params if p.grad is not None]
    norm = np.sqrt(sum(np.sum(g * g) for g in grads))
    scale = max_norm / max(norm, 1e-300)
    if scale < 1:
        for g in grads:
            g *= scale
    return norm


# %% answer="steady" name="generator_read_twice" loses="clip"
# `params` is read twice. A generator can be read only once: make a list of it first.
def warmup_cosine(step, warmup, total, final=0.0):
    if step < warmup:
        return (step + 1) / warmup
    if step >= total:
        return final
    part = (step - warmup) / (total - warmup)
    return final + (1 - final) * (1 + np.cos(np.pi * part)) / 2


class Schedule:
    def __init__(self, optimizer, factor):
        self.optimizer, self.factor = optimizer, factor
        self.first = [group["lr"] for group in optimizer.param_groups]
        self.number = -1
        self.step()

    def step(self):
        self.number += 1
        for group, lr in zip(self.optimizer.param_groups, self.first, strict=True):
            group["lr"] = lr * self.factor(self.number)


def clip_grad_norm(params, max_norm):
    grads = [p.grad.data for p in params if p.grad is not None]
    norm = np.sqrt(sum(np.sum(g * g) for g in grads))
    scale = max_norm / (norm + 1e-6)
    if scale < 1:
        for p in params:
            if p.grad is not None:
                p.grad.data[...] *= scale
    return norm


# %% answer="steady" name="none_not_expected" loses="clip"
# A weight without a gradient is to be left out; None has no array.
def warmup_cosine(step, warmup, total, final=0.0):
    if step < warmup:
        return (step + 1) / warmup
    if step >= total:
        return final
    part = (step - warmup) / (total - warmup)
    return final + (1 - final) * (1 + np.cos(np.pi * part)) / 2


class Schedule:
    def __init__(self, optimizer, factor):
        self.optimizer, self.factor = optimizer, factor
        self.first = [group["lr"] for group in optimizer.param_groups]
        self.number = -1
        self.step()

    def step(self):
        self.number += 1
        for group, lr in zip(self.optimizer.param_groups, self.first, strict=True):
            group["lr"] = lr * self.factor(self.number)


def clip_grad_norm(params, max_norm):
    grads = [p.grad.data for p in params]
    norm = np.sqrt(sum(np.sum(g * g) for g in grads))
    scale = max_norm / (norm + 1e-6)
    if scale < 1:
        for g in grads:
            g *= scale
    return norm


# %% [markdown]
# ## torch_loop


# %% answer="torch_loop" name="no_zero_grad" loses="trajectory clipped"
# `zero_grad` is missing: from the second step on the gradients are sums over all steps.
def fit(w1, w2, x, y, steps, name, max_norm=None, **options):
    x, y = torch.tensor(x), torch.tensor(y)
    weights = [torch.tensor(w, requires_grad=True) for w in (w1, w2)]
    optimizer = getattr(torch.optim, name)(weights, **options)
    losses = []
    for _step in range(steps):
        loss = ((torch.relu(x @ weights[0]) @ weights[1] - y) ** 2).sum()
        loss.backward()
        if max_norm is not None:
            torch.nn.utils.clip_grad_norm_(weights, max_norm)
        optimizer.step()
        losses.append(loss.item())
    return losses, *(w.detach().numpy() for w in weights)


# %% answer="torch_loop" name="zero_grad_after_backward" loses="trajectory any_rule clipped"
# `zero_grad` comes between `backward` and `step`, so there is nothing left to step along.
def fit(w1, w2, x, y, steps, name, max_norm=None, **options):
    x, y = torch.tensor(x), torch.tensor(y)
    weights = [torch.tensor(w, requires_grad=True) for w in (w1, w2)]
    optimizer = getattr(torch.optim, name)(weights, **options)
    losses = []
    for _step in range(steps):
        loss = ((torch.relu(x @ weights[0]) @ weights[1] - y) ** 2).sum()
        loss.backward()
        if max_norm is not None:
            torch.nn.utils.clip_grad_norm_(weights, max_norm)
        optimizer.zero_grad()
        optimizer.step()
        losses.append(loss.item())
    return losses, *(w.detach().numpy() for w in weights)


# %% answer="torch_loop" name="no_step" loses="trajectory any_rule clipped inputs_kept"
# Without `optimizer.step()` the weights never move.
def fit(w1, w2, x, y, steps, name, max_norm=None, **options):
    x, y = torch.tensor(x), torch.tensor(y)
    weights = [torch.tensor(w, requires_grad=True) for w in (w1, w2)]
    optimizer = getattr(torch.optim, name)(weights, **options)
    losses = []
    for _step in range(steps):
        optimizer.zero_grad()
        loss = ((torch.relu(x @ weights[0]) @ weights[1] - y) ** 2).sum()
        loss.backward()
        if max_norm is not None:
            torch.nn.utils.clip_grad_norm_(weights, max_norm)
        losses.append(loss.item())
    return losses, *(w.detach().numpy() for w in weights)


# %% answer="torch_loop" name="no_backward" loses="trajectory any_rule clipped inputs_kept"
# Without `loss.backward()` there are no gradients, and nothing moves.
def fit(w1, w2, x, y, steps, name, max_norm=None, **options):
    x, y = torch.tensor(x), torch.tensor(y)
    weights = [torch.tensor(w, requires_grad=True) for w in (w1, w2)]
    optimizer = getattr(torch.optim, name)(weights, **options)
    losses = []
    for _step in range(steps):
        optimizer.zero_grad()
        loss = ((torch.relu(x @ weights[0]) @ weights[1] - y) ** 2).sum()
        optimizer.step()
        losses.append(loss.item())
    return losses, *(w.detach().numpy() for w in weights)


# %% answer="torch_loop" name="step_before_backward" loses="trajectory any_rule clipped inputs_kept"
# `step` comes before `backward`: it uses the gradients of the step before.
def fit(w1, w2, x, y, steps, name, max_norm=None, **options):
    x, y = torch.tensor(x), torch.tensor(y)
    weights = [torch.tensor(w, requires_grad=True) for w in (w1, w2)]
    optimizer = getattr(torch.optim, name)(weights, **options)
    losses = []
    for _step in range(steps):
        loss = ((torch.relu(x @ weights[0]) @ weights[1] - y) ** 2).sum()
        optimizer.step()
        optimizer.zero_grad()
        loss.backward()
        if max_norm is not None:
            torch.nn.utils.clip_grad_norm_(weights, max_norm)
        losses.append(loss.item())
    return losses, *(w.detach().numpy() for w in weights)


# %% answer="torch_loop" name="mean_loss" loses="trajectory any_rule clipped"
# The loss is a mean. The sum of squares is asked for.
def fit(w1, w2, x, y, steps, name, max_norm=None, **options):
    x, y = torch.tensor(x), torch.tensor(y)
    weights = [torch.tensor(w, requires_grad=True) for w in (w1, w2)]
    optimizer = getattr(torch.optim, name)(weights, **options)
    losses = []
    for _step in range(steps):
        optimizer.zero_grad()
        loss = ((torch.relu(x @ weights[0]) @ weights[1] - y) ** 2).mean()
        loss.backward()
        if max_norm is not None:
            torch.nn.utils.clip_grad_norm_(weights, max_norm)
        optimizer.step()
        losses.append(loss.item())
    return losses, *(w.detach().numpy() for w in weights)


# %% answer="torch_loop" name="no_relu" loses="trajectory"
# The ReLU is missing: negative hidden values pass through.
def fit(w1, w2, x, y, steps, name, max_norm=None, **options):
    x, y = torch.tensor(x), torch.tensor(y)
    weights = [torch.tensor(w, requires_grad=True) for w in (w1, w2)]
    optimizer = getattr(torch.optim, name)(weights, **options)
    losses = []
    for _step in range(steps):
        optimizer.zero_grad()
        loss = (((x @ weights[0]) @ weights[1] - y) ** 2).sum()
        loss.backward()
        if max_norm is not None:
            torch.nn.utils.clip_grad_norm_(weights, max_norm)
        optimizer.step()
        losses.append(loss.item())
    return losses, *(w.detach().numpy() for w in weights)


# %% answer="torch_loop" name="loss_after_step" loses="trajectory any_rule clipped inputs_kept"
# The losses are those after each update. Those before it are asked for.
def fit(w1, w2, x, y, steps, name, max_norm=None, **options):
    x, y = torch.tensor(x), torch.tensor(y)
    weights = [torch.tensor(w, requires_grad=True) for w in (w1, w2)]
    optimizer = getattr(torch.optim, name)(weights, **options)
    losses = []
    for _step in range(steps):
        optimizer.zero_grad()
        loss = ((torch.relu(x @ weights[0]) @ weights[1] - y) ** 2).sum()
        loss.backward()
        if max_norm is not None:
            torch.nn.utils.clip_grad_norm_(weights, max_norm)
        optimizer.step()
        losses.append(((torch.relu(x @ weights[0]) @ weights[1] - y) ** 2).sum().item())
    return losses, *(w.detach().numpy() for w in weights)


# %% answer="torch_loop" name="only_one_weight" loses="trajectory any_rule clipped inputs_kept"
# The optimizer was given only one of the two weights.
def fit(w1, w2, x, y, steps, name, max_norm=None, **options):
    x, y = torch.tensor(x), torch.tensor(y)
    weights = [torch.tensor(w, requires_grad=True) for w in (w1, w2)]
    optimizer = getattr(torch.optim, name)(weights[:1], **options)
    losses = []
    for _step in range(steps):
        optimizer.zero_grad()
        loss = ((torch.relu(x @ weights[0]) @ weights[1] - y) ** 2).sum()
        loss.backward()
        if max_norm is not None:
            torch.nn.utils.clip_grad_norm_(weights, max_norm)
        optimizer.step()
        losses.append(loss.item())
    return losses, *(w.detach().numpy() for w in weights)


# %% answer="torch_loop" name="always_sgd" loses="trajectory any_rule"
# The optimizer is always the same class, whatever `name` says.
def fit(w1, w2, x, y, steps, name, max_norm=None, **options):
    x, y = torch.tensor(x), torch.tensor(y)
    weights = [torch.tensor(w, requires_grad=True) for w in (w1, w2)]
    optimizer = torch.optim.SGD(weights, **options)
    losses = []
    for _step in range(steps):
        optimizer.zero_grad()
        loss = ((torch.relu(x @ weights[0]) @ weights[1] - y) ** 2).sum()
        loss.backward()
        if max_norm is not None:
            torch.nn.utils.clip_grad_norm_(weights, max_norm)
        optimizer.step()
        losses.append(loss.item())
    return losses, *(w.detach().numpy() for w in weights)


# %% answer="torch_loop" name="four_names" loses="any_rule"
# Only a few names are known. Any class of `torch.optim` is asked for: `getattr` finds it.
def fit(w1, w2, x, y, steps, name, max_norm=None, **options):
    x, y = torch.tensor(x), torch.tensor(y)
    weights = [torch.tensor(w, requires_grad=True) for w in (w1, w2)]
    optimizer = {"SGD": torch.optim.SGD, "Adam": torch.optim.Adam, "RMSprop": torch.optim.RMSprop}[
        name
    ](weights, **options)
    losses = []
    for _step in range(steps):
        optimizer.zero_grad()
        loss = ((torch.relu(x @ weights[0]) @ weights[1] - y) ** 2).sum()
        loss.backward()
        if max_norm is not None:
            torch.nn.utils.clip_grad_norm_(weights, max_norm)
        optimizer.step()
        losses.append(loss.item())
    return losses, *(w.detach().numpy() for w in weights)


# %% answer="torch_loop" name="rate_only" loses="any_rule trajectory"
# Only the rate is handed on to the optimizer; the other options have no effect.
def fit(w1, w2, x, y, steps, name, max_norm=None, **options):
    x, y = torch.tensor(x), torch.tensor(y)
    weights = [torch.tensor(w, requires_grad=True) for w in (w1, w2)]
    optimizer = getattr(torch.optim, name)(weights, lr=options.get("lr", 1e-3))
    losses = []
    for _step in range(steps):
        optimizer.zero_grad()
        loss = ((torch.relu(x @ weights[0]) @ weights[1] - y) ** 2).sum()
        loss.backward()
        if max_norm is not None:
            torch.nn.utils.clip_grad_norm_(weights, max_norm)
        optimizer.step()
        losses.append(loss.item())
    return losses, *(w.detach().numpy() for w in weights)


# %% answer="torch_loop" name="float32" loses="trajectory any_rule inputs_kept"
# The computation is done in float32. The arrays are float64, and `torch.tensor` keeps that.
def fit(w1, w2, x, y, steps, name, max_norm=None, **options):
    x, y = torch.tensor(x).float(), torch.tensor(y).float()
    weights = [torch.tensor(w).float().requires_grad_() for w in (w1, w2)]
    optimizer = getattr(torch.optim, name)(weights, **options)
    losses = []
    for _step in range(steps):
        optimizer.zero_grad()
        loss = ((torch.relu(x @ weights[0]) @ weights[1] - y) ** 2).sum()
        loss.backward()
        if max_norm is not None:
            torch.nn.utils.clip_grad_norm_(weights, max_norm)
        optimizer.step()
        losses.append(loss.item())
    return losses, *(w.detach().numpy() for w in weights)


# %% answer="torch_loop" name="shares_memory" loses="inputs_kept"
# The arrays that were given have changed: `from_numpy` shares their memory, and `step` works in
# place.
def fit(w1, w2, x, y, steps, name, max_norm=None, **options):
    x, y = torch.tensor(x), torch.tensor(y)
    weights = [torch.from_numpy(w).requires_grad_() for w in (w1, w2)]
    optimizer = getattr(torch.optim, name)(weights, **options)
    losses = []
    for _step in range(steps):
        optimizer.zero_grad()
        loss = ((torch.relu(x @ weights[0]) @ weights[1] - y) ** 2).sum()
        loss.backward()
        if max_norm is not None:
            torch.nn.utils.clip_grad_norm_(weights, max_norm)
        optimizer.step()
        losses.append(loss.item())
    return losses, *(w.detach().numpy() for w in weights)


# %% answer="torch_loop" name="clip_ignored" loses="clipped"
# `max_norm` has no effect.
def fit(w1, w2, x, y, steps, name, max_norm=None, **options):
    x, y = torch.tensor(x), torch.tensor(y)
    weights = [torch.tensor(w, requires_grad=True) for w in (w1, w2)]
    optimizer = getattr(torch.optim, name)(weights, **options)
    losses = []
    for _step in range(steps):
        optimizer.zero_grad()
        loss = ((torch.relu(x @ weights[0]) @ weights[1] - y) ** 2).sum()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses, *(w.detach().numpy() for w in weights)


# %% answer="torch_loop" name="clip_after_step" loses="clipped"
# The gradients are clipped after `step`, when they have already done their work.
def fit(w1, w2, x, y, steps, name, max_norm=None, **options):
    x, y = torch.tensor(x), torch.tensor(y)
    weights = [torch.tensor(w, requires_grad=True) for w in (w1, w2)]
    optimizer = getattr(torch.optim, name)(weights, **options)
    losses = []
    for _step in range(steps):
        optimizer.zero_grad()
        loss = ((torch.relu(x @ weights[0]) @ weights[1] - y) ** 2).sum()
        loss.backward()
        optimizer.step()
        if max_norm is not None:
            torch.nn.utils.clip_grad_norm_(weights, max_norm)
        losses.append(loss.item())
    return losses, *(w.detach().numpy() for w in weights)


# %% answer="torch_loop" name="clips_each_weight" loses="clipped"
# Each gradient is clipped by itself. All together have one norm.
def fit(w1, w2, x, y, steps, name, max_norm=None, **options):
    x, y = torch.tensor(x), torch.tensor(y)
    weights = [torch.tensor(w, requires_grad=True) for w in (w1, w2)]
    optimizer = getattr(torch.optim, name)(weights, **options)
    losses = []
    for _step in range(steps):
        optimizer.zero_grad()
        loss = ((torch.relu(x @ weights[0]) @ weights[1] - y) ** 2).sum()
        loss.backward()
        if max_norm is not None:
            for w in weights:
                torch.nn.utils.clip_grad_norm_([w], max_norm)
        optimizer.step()
        losses.append(loss.item())
    return losses, *(w.detach().numpy() for w in weights)


# %% answer="torch_loop" name="clips_values" loses="clipped"
# Single entries of the gradients are cut. It is their common norm that is to be bounded.
def fit(w1, w2, x, y, steps, name, max_norm=None, **options):
    x, y = torch.tensor(x), torch.tensor(y)
    weights = [torch.tensor(w, requires_grad=True) for w in (w1, w2)]
    optimizer = getattr(torch.optim, name)(weights, **options)
    losses = []
    for _step in range(steps):
        optimizer.zero_grad()
        loss = ((torch.relu(x @ weights[0]) @ weights[1] - y) ** 2).sum()
        loss.backward()
        if max_norm is not None:
            torch.nn.utils.clip_grad_value_(weights, max_norm)
        optimizer.step()
        losses.append(loss.item())
    return losses, *(w.detach().numpy() for w in weights)


# %% answer="torch_loop" name="losses_as_tensors" loses="trajectory any_rule clipped inputs_kept"
# The losses are tensors. Python floats are asked for: `loss.item()`.
def fit(w1, w2, x, y, steps, name, max_norm=None, **options):
    x, y = torch.tensor(x), torch.tensor(y)
    weights = [torch.tensor(w, requires_grad=True) for w in (w1, w2)]
    optimizer = getattr(torch.optim, name)(weights, **options)
    losses = []
    for _step in range(steps):
        optimizer.zero_grad()
        loss = ((torch.relu(x @ weights[0]) @ weights[1] - y) ** 2).sum()
        loss.backward()
        if max_norm is not None:
            torch.nn.utils.clip_grad_norm_(weights, max_norm)
        optimizer.step()
        losses.append(loss.detach())
    return losses, *(w.detach().numpy() for w in weights)


# %% answer="torch_loop" name="new_optimizer_each_step" loses="trajectory any_rule"
# A new optimizer is made for every step, so momentum and counts begin at 0 each time.
def fit(w1, w2, x, y, steps, name, max_norm=None, **options):
    x, y = torch.tensor(x), torch.tensor(y)
    weights = [torch.tensor(w, requires_grad=True) for w in (w1, w2)]
    optimizer = getattr(torch.optim, name)(weights, **options)
    losses = []
    for _step in range(steps):
        optimizer = getattr(torch.optim, name)(weights, **options)
        optimizer.zero_grad()
        loss = ((torch.relu(x @ weights[0]) @ weights[1] - y) ** 2).sum()
        loss.backward()
        if max_norm is not None:
            torch.nn.utils.clip_grad_norm_(weights, max_norm)
        optimizer.step()
        losses.append(loss.item())
    return losses, *(w.detach().numpy() for w in weights)


# %% answer="torch_loop" name="max_norm_zero_is_none" loses="clipped"
# A `max_norm` of 0 is taken for None. Only None means that nothing is clipped.
def fit(w1, w2, x, y, steps, name, max_norm=None, **options):
    x, y = torch.tensor(x), torch.tensor(y)
    weights = [torch.tensor(w, requires_grad=True) for w in (w1, w2)]
    optimizer = getattr(torch.optim, name)(weights, **options)
    losses = []
    for _step in range(steps):
        optimizer.zero_grad()
        loss = ((torch.relu(x @ weights[0]) @ weights[1] - y) ** 2).sum()
        loss.backward()
        if max_norm:
            torch.nn.utils.clip_grad_norm_(weights, max_norm)
        optimizer.step()
        losses.append(loss.item())
    return losses, *(w.detach().numpy() for w in weights)


# %% answer="torch_loop" name="one_step_at_least" loses="inputs_kept"
# For 0 steps there is no loss, and the weights come back as they were.
def fit(w1, w2, x, y, steps, name, max_norm=None, **options):
    x, y = torch.tensor(x), torch.tensor(y)
    weights = [torch.tensor(w, requires_grad=True) for w in (w1, w2)]
    optimizer = getattr(torch.optim, name)(weights, **options)
    losses = []
    for _step in range(max(steps, 1)):
        optimizer.zero_grad()
        loss = ((torch.relu(x @ weights[0]) @ weights[1] - y) ** 2).sum()
        loss.backward()
        if max_norm is not None:
            torch.nn.utils.clip_grad_norm_(weights, max_norm)
        optimizer.step()
        losses.append(loss.item())
    return losses, *(w.detach().numpy() for w in weights)
