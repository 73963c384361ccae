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
# ## forward


# %% answer="forward" name="no_relu" loses="prediction cache"
# The two products are there, but nothing happens between them: negative hidden values pass
# through. Two matrices in a row are one matrix, so this net cannot do more than a linear one.
def forward(x, w1, w2):
    h = x @ w1
    return h @ w2, (x, h, h, w2)


# %% answer="forward" name="relu_in_place" loses="cache"
# The prediction is right, but the ReLU wrote its result over `h`. The cache should hold the
# hidden values from before the ReLU, and those are gone.
def forward(x, w1, w2):
    h = x @ w1
    h_relu = np.maximum(h, 0, out=h)
    return h_relu @ w2, (x, h, h_relu, w2)


# %% answer="forward" name="relu_mask_in_place" loses="cache"
# `h_relu = h` gives the same array a second name; setting its negative entries to 0 sets them in
# `h` too.
def forward(x, w1, w2):
    h = x @ w1
    h_relu = h
    h_relu[h_relu < 0] = 0
    return h_relu @ w2, (x, h, h_relu, w2)


# %% answer="forward" name="relu_on_output" loses="prediction"
# The ReLU belongs between the two layers. You applied it to the prediction as well, so this net
# can never answer with a negative number.
def forward(x, w1, w2):
    h = x @ w1
    h_relu = np.maximum(h, 0)
    return np.maximum(h_relu @ w2, 0), (x, h, h_relu, w2)


# %% answer="forward" name="relu_on_input" loses="prediction cache"
# The ReLU sits on the input instead of on the hidden values: negative inputs are lost before the
# first layer sees them.
def forward(x, w1, w2):
    x_relu = np.maximum(x, 0)
    h = x_relu @ w1
    return h @ w2, (x, h, h, w2)


# %% answer="forward" name="absolute_value" loses="prediction cache"
# The size of a negative hidden value survives, only its sign is lost. A ReLU turns such a unit
# off altogether.
def forward(x, w1, w2):
    h = x @ w1
    h_relu = np.abs(h)
    return h_relu @ w2, (x, h, h_relu, w2)


# %% answer="forward" name="leaky_relu" loses="prediction cache"
# A little of the negative values leaks through. That is another activation (the leaky ReLU); this
# net's ReLU gives exactly 0.
def forward(x, w1, w2):
    h = x @ w1
    h_relu = np.where(h > 0, h, 0.01 * h)
    return h_relu @ w2, (x, h, h_relu, w2)


# %% answer="forward" name="capped_relu" loses="prediction cache"
# The hidden values are cut off at the top as well. A ReLU has a floor and no ceiling.
def forward(x, w1, w2):
    h = x @ w1
    h_relu = np.clip(h, 0, 1)
    return h_relu @ w2, (x, h, h_relu, w2)


# %% answer="forward" name="caches_w1" loses="cache"
# The cache holds `w1` where `w2` should be. The way back leads through the second product, so it
# is `w2` that it asks for.
def forward(x, w1, w2):
    h = x @ w1
    h_relu = np.maximum(h, 0)
    return h_relu @ w2, (x, h, h_relu, w1)


# %% answer="forward" name="cache_order" loses="cache"
# Everything is in the cache, but not in the order that the task names, so whoever unpacks it
# takes one array for another.
def forward(x, w1, w2):
    h = x @ w1
    h_relu = np.maximum(h, 0)
    return h_relu @ w2, (x, h_relu, h, w2)


# %% answer="forward" name="prediction_only" loses="prediction cache"
# There is a prediction but no cache. `forward` returns two things.
def forward(x, w1, w2):
    return np.maximum(x @ w1, 0) @ w2


# %% answer="forward" name="centers_its_input" loses="prediction cache inputs_kept"
# Your function centers `x` first, and writes the result into the caller's array. The net takes
# its input as it comes.
def forward(x, w1, w2):
    x -= x.mean()
    h = x @ w1
    h_relu = np.maximum(h, 0)
    return h_relu @ w2, (x, h, h_relu, w2)


# %% answer="forward" name="clears_input_in_place" loses="prediction inputs_kept"
# Negative entries of the caller's `x` were set to 0. Setting entries by a mask writes into the
# array itself, and it was the hidden values that the ReLU was meant for.
def forward(x, w1, w2):
    x[x < 0] = 0
    h = x @ w1
    h_relu = np.maximum(h, 0)
    return h_relu @ w2, (x, h, h_relu, w2)


# %% answer="forward" name="one_example_only" loses="prediction cache"
# Only the first row of the batch is answered. Every row of `x` is an example and gets its own row
# of the prediction.
def forward(x, w1, w2):
    h = x[:1] @ w1
    h_relu = np.maximum(h, 0)
    return h_relu @ w2, (x, h, h_relu, w2)


# %% answer="forward" name="single_precision" loses="prediction cache"
# The numbers pass through float32 and keep about seven digits. Arrays are float64 in this lesson.
def forward(x, w1, w2):
    h = x.astype(np.float32) @ w1.astype(np.float32)
    h_relu = np.maximum(h, 0)
    return h_relu @ w2.astype(np.float32), (x, h, h_relu, w2)


# %% answer="forward" name="transposed_weights" loses="prediction cache"
# You multiply by the transposed weights. That is how PyTorch stores them; here `w1` is (D_in, H)
# and `w2` is (H, D_out).
def forward(x, w1, w2):
    h = x @ w1.T
    h_relu = np.maximum(h, 0)
    return h_relu @ w2.T, (x, h, h_relu, w2)


# %% [markdown]
# ## loss_and_grad


# %% answer="loss_and_grad" name="mean_over_examples" loses="mean"
# Your mean divides by the number of examples, that is of rows. The task's mean divides by the
# number of entries.
def loss_and_grad(pred, y, reduction="sum"):
    if pred.shape != y.shape:
        raise ValueError(f"shapes {pred.shape} and {y.shape} differ")
    if reduction not in ("sum", "mean"):
        raise ValueError(f"unknown reduction {reduction}")
    scale = 1 / len(pred) if reduction == "mean" else 1.0
    difference = pred - y
    return scale * np.sum(difference**2), scale * 2 * difference


# %% answer="loss_and_grad" name="half_the_square" loses="sum mean"
# Your loss is half the sum of squares. That is a common convention, because the 2 of the
# derivative cancels; it is not the loss asked for here.
def loss_and_grad(pred, y, reduction="sum"):
    if pred.shape != y.shape:
        raise ValueError(f"shapes {pred.shape} and {y.shape} differ")
    if reduction not in ("sum", "mean"):
        raise ValueError(f"unknown reduction {reduction}")
    scale = 1 / pred.size if reduction == "mean" else 1.0
    difference = pred - y
    return 0.5 * scale * np.sum(difference**2), scale * difference


# %% answer="loss_and_grad" name="no_two_in_gradient" loses="sum mean"
# The loss is right, but your gradient is half of its slope: the derivative of a square has a
# factor.
def loss_and_grad(pred, y, reduction="sum"):
    if pred.shape != y.shape:
        raise ValueError(f"shapes {pred.shape} and {y.shape} differ")
    if reduction not in ("sum", "mean"):
        raise ValueError(f"unknown reduction {reduction}")
    scale = 1 / pred.size if reduction == "mean" else 1.0
    difference = pred - y
    return scale * np.sum(difference**2), scale * difference


# %% answer="loss_and_grad" name="gradient_for_y" loses="sum mean"
# Your gradient has the wrong sign. It says how the loss changes when the target `y` grows, not
# when `pred` does.
def loss_and_grad(pred, y, reduction="sum"):
    if pred.shape != y.shape:
        raise ValueError(f"shapes {pred.shape} and {y.shape} differ")
    if reduction not in ("sum", "mean"):
        raise ValueError(f"unknown reduction {reduction}")
    scale = 1 / pred.size if reduction == "mean" else 1.0
    return scale * np.sum((pred - y) ** 2), scale * 2 * (y - pred)


# %% answer="loss_and_grad" name="mean_in_value_only" loses="mean"
# The mean's value is divided, its gradient is not. The two must belong to the same loss.
def loss_and_grad(pred, y, reduction="sum"):
    if pred.shape != y.shape:
        raise ValueError(f"shapes {pred.shape} and {y.shape} differ")
    if reduction not in ("sum", "mean"):
        raise ValueError(f"unknown reduction {reduction}")
    difference = pred - y
    squares = difference**2
    return squares.sum() if reduction == "sum" else squares.mean(), 2 * difference


# %% answer="loss_and_grad" name="broadcasts" loses="shapes_differ"
# Nothing checks the shapes, so NumPy broadcasts (2, 1) against (2,) and the loss is taken over
# differences of things that do not belong together.
def loss_and_grad(pred, y, reduction="sum"):
    if reduction not in ("sum", "mean"):
        raise ValueError(f"unknown reduction {reduction}")
    difference = pred - y
    scale = 1 / difference.size if reduction == "mean" else 1.0
    return scale * np.sum(difference**2), scale * 2 * difference


# %% answer="loss_and_grad" name="compares_sizes" loses="shapes_differ"
# You compare how many entries there are. (2, 1) and (2,) have as many, and still they broadcast
# to (2, 2).
def loss_and_grad(pred, y, reduction="sum"):
    if pred.size != y.size:
        raise ValueError(f"sizes {pred.size} and {y.size} differ")
    if reduction not in ("sum", "mean"):
        raise ValueError(f"unknown reduction {reduction}")
    difference = pred - y
    scale = 1 / difference.size if reduction == "mean" else 1.0
    return scale * np.sum(difference**2), scale * 2 * difference


# %% answer="loss_and_grad" name="compares_lengths" loses="shapes_differ"
# You compare the lengths of the first axis only. (2, 1) and (2,) agree there, and still they
# broadcast to (2, 2).
def loss_and_grad(pred, y, reduction="sum"):
    if len(pred) != len(y):
        raise ValueError(f"lengths {len(pred)} and {len(y)} differ")
    if reduction not in ("sum", "mean"):
        raise ValueError(f"unknown reduction {reduction}")
    difference = pred - y
    scale = 1 / difference.size if reduction == "mean" else 1.0
    return scale * np.sum(difference**2), scale * 2 * difference


# %% answer="loss_and_grad" name="asserts_shapes" loses="shapes_differ"
# An `assert` raises AssertionError, and Python run with -O skips it. Callers are promised a
# ValueError.
def loss_and_grad(pred, y, reduction="sum"):
    assert pred.shape == y.shape
    if reduction not in ("sum", "mean"):
        raise ValueError(f"unknown reduction {reduction}")
    scale = 1 / pred.size if reduction == "mean" else 1.0
    difference = pred - y
    return scale * np.sum(difference**2), scale * 2 * difference


# %% answer="loss_and_grad" name="reshapes_to_fit" loses="shapes_differ"
# You make the shapes fit instead of refusing. When the caller has mixed something up, this hides
# it.
def loss_and_grad(pred, y, reduction="sum"):
    y = y.reshape(pred.shape)
    if reduction not in ("sum", "mean"):
        raise ValueError(f"unknown reduction {reduction}")
    scale = 1 / pred.size if reduction == "mean" else 1.0
    difference = pred - y
    return scale * np.sum(difference**2), scale * 2 * difference


# %% answer="loss_and_grad" name="anything_else_is_mean" loses="unknown_reduction"
# Every word but "sum" is taken for "mean". A misspelled option should be refused, or it works
# silently and wrong.
def loss_and_grad(pred, y, reduction="sum"):
    if pred.shape != y.shape:
        raise ValueError(f"shapes {pred.shape} and {y.shape} differ")
    scale = 1.0 if reduction == "sum" else 1 / pred.size
    difference = pred - y
    return scale * np.sum(difference**2), scale * 2 * difference


# %% answer="loss_and_grad" name="key_error" loses="unknown_reduction"
# A dictionary does refuse the unknown word, but with KeyError. Callers are promised a ValueError.
def loss_and_grad(pred, y, reduction="sum"):
    if pred.shape != y.shape:
        raise ValueError(f"shapes {pred.shape} and {y.shape} differ")
    scale = {"sum": 1.0, "mean": 1 / pred.size}[reduction]
    difference = pred - y
    return scale * np.sum(difference**2), scale * 2 * difference


# %% answer="loss_and_grad" name="silent_message" loses="unknown_reduction"
# The error is the right one, but its message does not say which word was wrong. Whoever reads it
# at night will want to know.
def loss_and_grad(pred, y, reduction="sum"):
    if pred.shape != y.shape:
        raise ValueError("shapes differ")
    if reduction not in ("sum", "mean"):
        raise ValueError("unknown reduction")
    scale = 1 / pred.size if reduction == "mean" else 1.0
    difference = pred - y
    return scale * np.sum(difference**2), scale * 2 * difference


# %% answer="loss_and_grad" name="absolute_error" loses="sum mean"
# These are absolute differences, the L1 loss. The task asks for squares.
def loss_and_grad(pred, y, reduction="sum"):
    if pred.shape != y.shape:
        raise ValueError(f"shapes {pred.shape} and {y.shape} differ")
    if reduction not in ("sum", "mean"):
        raise ValueError(f"unknown reduction {reduction}")
    scale = 1 / pred.size if reduction == "mean" else 1.0
    return scale * np.abs(pred - y).sum(), scale * np.sign(pred - y)


# %% answer="loss_and_grad" name="root_mean_square" loses="mean"
# Your mean form takes a square root at the end. That is the root mean square, another loss with
# another slope.
def loss_and_grad(pred, y, reduction="sum"):
    if pred.shape != y.shape:
        raise ValueError(f"shapes {pred.shape} and {y.shape} differ")
    difference = pred - y
    if reduction == "sum":
        return np.sum(difference**2), 2 * difference
    if reduction == "mean":
        root = np.sqrt(np.mean(difference**2))
        return root, difference / (root * pred.size)
    raise ValueError(f"unknown reduction {reduction}")


# %% answer="loss_and_grad" name="mean_by_default" loses="sum"
# Without a `reduction` you take the mean, as PyTorch does. Here the sum is the default.
def loss_and_grad(pred, y, reduction="mean"):
    if pred.shape != y.shape:
        raise ValueError(f"shapes {pred.shape} and {y.shape} differ")
    if reduction not in ("sum", "mean"):
        raise ValueError(f"unknown reduction {reduction}")
    scale = 1 / pred.size if reduction == "mean" else 1.0
    difference = pred - y
    return scale * np.sum(difference**2), scale * 2 * difference


# %% answer="loss_and_grad" name="one_loss_per_example" loses="sum mean"
# You return one loss per row. The loss is one number for the whole batch.
def loss_and_grad(pred, y, reduction="sum"):
    if pred.shape != y.shape:
        raise ValueError(f"shapes {pred.shape} and {y.shape} differ")
    if reduction not in ("sum", "mean"):
        raise ValueError(f"unknown reduction {reduction}")
    scale = 1 / pred.size if reduction == "mean" else 1.0
    difference = pred - y
    return scale * np.sum(difference**2, axis=-1), scale * 2 * difference


# %% answer="loss_and_grad" name="two_axes_only" loses="mean"
# Your count multiplies the first two axes. It is right for matrices and fails for a vector or a
# stack of matrices.
def loss_and_grad(pred, y, reduction="sum"):
    if pred.shape != y.shape:
        raise ValueError(f"shapes {pred.shape} and {y.shape} differ")
    if reduction not in ("sum", "mean"):
        raise ValueError(f"unknown reduction {reduction}")
    difference = pred - y
    if reduction == "sum":
        return np.sum(difference**2), 2 * difference
    count = pred.shape[0] * pred.shape[1]
    return np.sum(difference**2) / count, 2 * difference / count


# %% [markdown]
# ## backward


# %% answer="backward" name="upstream_of_ones" loses="grad_w2 grad_w1 units_off"
# Your gradients do not change when `upstream` does: they are those of the plain sum of the
# predictions. The upstream gradient says how much each prediction matters to the loss.
def backward(cache, upstream):
    x, h, h_relu, w2 = cache
    ones = np.ones_like(upstream)
    grad_h = (ones @ w2.T) * (h > 0)
    return x.T @ grad_h, h_relu.T @ ones


# %% answer="backward" name="no_relu" loses="units_off"
# The gradient walks through the ReLU as if it were not there. A unit that was off in an example
# did not contribute to that example's prediction, so nothing comes back through it.
def backward(cache, upstream):
    x, h, h_relu, w2 = cache
    return x.T @ (upstream @ w2.T), h_relu.T @ upstream


# %% answer="backward" name="mask_by_gradient" loses="grad_w1 units_off"
# Your ReLU lets through where the *gradient* is positive. What counts is whether the *value* was
# positive on the way forward. (Applying the function again on the way back is not the same as
# applying its slope.)
def backward(cache, upstream):
    x, h, h_relu, w2 = cache
    grad_h = np.maximum(upstream @ w2.T, 0)
    return x.T @ grad_h, h_relu.T @ upstream


# %% answer="backward" name="mask_by_both" loses="grad_w1 units_off"
# Gradient passes only where both the value and the gradient are positive. A negative gradient is
# as good as any other: it says that the loss falls.
def backward(cache, upstream):
    x, h, h_relu, w2 = cache
    grad_h = np.maximum(upstream @ w2.T, 0) * (h > 0)
    return x.T @ grad_h, h_relu.T @ upstream


# %% answer="backward" name="mask_inverted" loses="grad_w1 units_off"
# The mask is the wrong way round: units that were off pass gradient, those that were on do not.
def backward(cache, upstream):
    x, h, h_relu, w2 = cache
    grad_h = (upstream @ w2.T) * (h < 0)
    return x.T @ grad_h, h_relu.T @ upstream


# %% answer="backward" name="value_instead_of_slope" loses="grad_w1 units_off"
# You multiply by the ReLU's value where its slope belongs. The slope is 0 or 1, whatever the
# value.
def backward(cache, upstream):
    x, h, h_relu, w2 = cache
    grad_h = (upstream @ w2.T) * h_relu
    return x.T @ grad_h, h_relu.T @ upstream


# %% answer="backward" name="mask_per_unit" loses="units_off"
# Your mask has one entry per unit, taken from the whole batch. A unit can be on in one example
# and off in another, so the mask has one entry per unit and example.
def backward(cache, upstream):
    x, h, h_relu, w2 = cache
    grad_h = (upstream @ w2.T) * (h > 0).any(axis=0)
    return x.T @ grad_h, h_relu.T @ upstream


# %% answer="backward" name="mask_on_outputs" loses="units_off"
# You masked the outputs instead of the hidden units. There is no ReLU behind the second layer.
def backward(cache, upstream):
    x, h, h_relu, w2 = cache
    upstream = upstream * (h_relu @ w2 > 0)
    return x.T @ (upstream @ w2.T), h_relu.T @ upstream


# %% answer="backward" name="averages_over_batch" loses="grad_w2 grad_w1"
# Your gradients are divided by the number of examples. If a mean is wanted, it is already in
# `upstream`; here contributions add up.
def backward(cache, upstream):
    x, h, h_relu, w2 = cache
    grad_h = (upstream @ w2.T) * (h > 0)
    return x.T @ grad_h / len(x), h_relu.T @ upstream / len(x)


# %% answer="backward" name="last_example_only" loses="grad_w2 grad_w1"
# In your loop each example overwrites what the one before left. The weights are used by all
# examples, so their contributions add up.
def backward(cache, upstream):
    x, h, h_relu, w2 = cache
    for n in range(len(x)):
        grad_w2 = np.outer(h_relu[n], upstream[n])
        grad_w1 = np.outer(x[n], (w2 @ upstream[n]) * (h[n] > 0))
    return grad_w1, grad_w2


# %% answer="backward" name="h_instead_of_h_relu" loses="grad_w2"
# For `w2` you used the hidden values before the ReLU. What `w2` was multiplied by on the way
# forward are the ones after it: a unit that was off contributed 0.
def backward(cache, upstream):
    x, h, h_relu, w2 = cache
    grad_h = (upstream @ w2.T) * (h > 0)
    return x.T @ grad_h, h.T @ upstream


# %% answer="backward" name="mask_instead_of_value" loses="grad_w2"
# For `w2` you used the mask, 0 or 1, where the hidden value belongs. A unit that said 4 has four
# times the influence of one that said 1.
def backward(cache, upstream):
    x, h, h_relu, w2 = cache
    mask = (h > 0).astype(float)
    return x.T @ ((upstream @ w2.T) * mask), mask.T @ upstream


# %% answer="backward" name="swapped" loses="grad_w2 grad_w1"
# Both gradients are there, in the wrong order: the one of `w1` comes first.
def backward(cache, upstream):
    x, h, h_relu, w2 = cache
    grad_h = (upstream @ w2.T) * (h > 0)
    return h_relu.T @ upstream, x.T @ grad_h


# %% answer="backward" name="transposed" loses="grad_w2 grad_w1"
# Your gradients have the transposed shapes. A gradient has the shape of what it is the gradient
# of.
def backward(cache, upstream):
    x, h, h_relu, w2 = cache
    grad_h = (upstream @ w2.T) * (h > 0)
    return grad_h.T @ x, upstream.T @ h_relu


# %% answer="backward" name="reshape_for_transpose" loses="grad_w1 units_off"
# `reshape` makes the shapes fit, but it does not transpose: it deals the same numbers out in
# another order. That it runs is no proof.
def backward(cache, upstream):
    x, h, h_relu, w2 = cache
    grad_h = (upstream @ w2.reshape(w2.shape[::-1])) * (h > 0)
    return x.T @ grad_h, h_relu.T @ upstream


# %% answer="backward" name="assumes_squared_error" loses="grad_w2 grad_w1"
# There is a factor 2 too much. `upstream` is the loss's gradient already; the 2 of the squared
# error was the business of exercise 2.
def backward(cache, upstream):
    x, h, h_relu, w2 = cache
    grad_pred = 2 * upstream
    return x.T @ ((grad_pred @ w2.T) * (h > 0)), h_relu.T @ grad_pred


# %% answer="backward" name="mask_into_cache" loses="inputs_kept"
# The gradients are right, but on the way the cache was overwritten with the mask. A second call
# with the same cache would get the wrong answer.
def backward(cache, upstream):
    x, h, h_relu, w2 = cache
    grad_w2 = h_relu.T @ upstream
    h[h < 0] = 0
    h[h > 0] = 1
    return x.T @ ((upstream @ w2.T) * h), grad_w2


# %% answer="backward" name="scales_upstream_in_place" loses="inputs_kept"
# `upstream` was changed by the call: an operator such as `*=` writes into the caller's array.
def backward(cache, upstream):
    x, h, h_relu, w2 = cache
    upstream *= 2
    return x.T @ ((upstream @ w2.T) * (h > 0)) / 2, h_relu.T @ upstream / 2


# %% answer="backward" name="skips_w2" loses="grad_w1 units_off"
# On the way to `w1` the gradient must pass through `w2`: a hidden unit gets as much blame as its
# outgoing weights carry. You summed the upstream gradient instead.
def backward(cache, upstream):
    x, h, h_relu, w2 = cache
    grad_h = upstream.sum(axis=1, keepdims=True) * (h > 0)
    return x.T @ grad_h, h_relu.T @ upstream


# %% answer="backward" name="leaky_slope" loses="units_off"
# Your slope for a unit that is off is small, but not 0. The forward pass had no leak.
def backward(cache, upstream):
    x, h, h_relu, w2 = cache
    grad_h = (upstream @ w2.T) * np.where(h > 0, 1.0, 0.01)
    return x.T @ grad_h, h_relu.T @ upstream


# %% answer="backward" name="normalized" loses="grad_w2 grad_w1"
# Your gradients have length 1. Only their direction is right; how steep the loss is was lost.
def backward(cache, upstream):
    x, h, h_relu, w2 = cache
    grad_w1, grad_w2 = x.T @ ((upstream @ w2.T) * (h > 0)), h_relu.T @ upstream
    return grad_w1 / np.linalg.norm(grad_w1), grad_w2 / np.linalg.norm(grad_w2)


# %% [markdown]
# ## train


# %% answer="train" name="updates_in_place" loses="inputs_kept"
# The weights move correctly, but it is the caller's arrays that move: `w1 -= ...` writes into the
# array that was passed in.
def train(x, y, w1, w2, lr, steps, forward, loss_and_grad, backward):
    losses = []
    for _ in range(steps):
        pred, cache = forward(x, w1, w2)
        loss, upstream = loss_and_grad(pred, y)
        grad_w1, grad_w2 = backward(cache, upstream)
        losses.append(loss)
        w1 -= lr * grad_w1
        w2 -= lr * grad_w2
    return losses, w1, w2


# %% answer="train" name="climbs" loses="trajectory losses"
# Your weights move along the gradient, and the loss grows. The gradient points uphill.
def train(x, y, w1, w2, lr, steps, forward, loss_and_grad, backward):
    losses = []
    for _ in range(steps):
        pred, cache = forward(x, w1, w2)
        loss, upstream = loss_and_grad(pred, y)
        grad_w1, grad_w2 = backward(cache, upstream)
        losses.append(loss)
        w1, w2 = w1 + lr * grad_w1, w2 + lr * grad_w2
    return losses, w1, w2


# %% answer="train" name="loss_after_update" loses="losses calls"
# Each loss is taken after its update, at the weights of the next step. The first loss in your
# list should be the one at the weights that were passed in; and the second forward pass of each
# step is work for nothing.
def train(x, y, w1, w2, lr, steps, forward, loss_and_grad, backward):
    losses = []
    for _ in range(steps):
        pred, cache = forward(x, w1, w2)
        _, upstream = loss_and_grad(pred, y)
        grad_w1, grad_w2 = backward(cache, upstream)
        w1, w2 = w1 - lr * grad_w1, w2 - lr * grad_w2
        losses.append(loss_and_grad(forward(x, w1, w2)[0], y)[0])
    return losses, w1, w2


# %% answer="train" name="gradient_once" loses="trajectory calls"
# The gradient is computed once, before the loop, and then repeated. It is the slope at the first
# weights; once they have moved, it has to be taken again.
def train(x, y, w1, w2, lr, steps, forward, loss_and_grad, backward):
    losses = []
    pred, cache = forward(x, w1, w2)
    loss, upstream = loss_and_grad(pred, y)
    grad_w1, grad_w2 = backward(cache, upstream)
    for _ in range(steps):
        losses.append(loss)
        w1, w2 = w1 - lr * grad_w1, w2 - lr * grad_w2
    return losses, w1, w2


# %% answer="train" name="forward_at_the_start" loses="trajectory losses"
# Every step runs the net at the weights that were passed in. The new weights are computed and
# never used.
def train(x, y, w1, w2, lr, steps, forward, loss_and_grad, backward):
    losses, new_w1, new_w2 = [], w1, w2
    for _ in range(steps):
        pred, cache = forward(x, w1, w2)
        loss, upstream = loss_and_grad(pred, y)
        grad_w1, grad_w2 = backward(cache, upstream)
        losses.append(loss)
        new_w1, new_w2 = new_w1 - lr * grad_w1, new_w2 - lr * grad_w2
    return losses, new_w1, new_w2


# %% answer="train" name="mean_loss" loses="trajectory"
# You asked for the mean form of the loss. Its gradient is smaller by the number of entries, so
# the steps are too short.
def train(x, y, w1, w2, lr, steps, forward, loss_and_grad, backward):
    losses = []
    for _ in range(steps):
        pred, cache = forward(x, w1, w2)
        loss, upstream = loss_and_grad(pred, y, "mean")
        grad_w1, grad_w2 = backward(cache, upstream)
        losses.append(loss)
        w1, w2 = w1 - lr * grad_w1, w2 - lr * grad_w2
    return losses, w1, w2


# %% answer="train" name="one_matrix_at_a_time" loses="trajectory calls"
# `w2` moves first and the gradient of `w1` is taken afterwards, with another forward pass. Both
# gradients belong to the same weights.
def train(x, y, w1, w2, lr, steps, forward, loss_and_grad, backward):
    losses = []
    for _ in range(steps):
        pred, cache = forward(x, w1, w2)
        loss, upstream = loss_and_grad(pred, y)
        losses.append(loss)
        w2 = w2 - lr * backward(cache, upstream)[1]
        pred, cache = forward(x, w1, w2)
        w1 = w1 - lr * backward(cache, loss_and_grad(pred, y)[1])[0]
    return losses, w1, w2


# %% answer="train" name="last_loss_only" loses="losses"
# You return the last loss. The task asks for all of them, one per step.
def train(x, y, w1, w2, lr, steps, forward, loss_and_grad, backward):
    loss = None
    for _ in range(steps):
        pred, cache = forward(x, w1, w2)
        loss, upstream = loss_and_grad(pred, y)
        grad_w1, grad_w2 = backward(cache, upstream)
        w1, w2 = w1 - lr * grad_w1, w2 - lr * grad_w2
    return loss, w1, w2


# %% answer="train" name="ignores_what_it_is_handed" loses="trajectory calls"
# Your loop computes the net itself and never calls the functions it was handed. The checks hand
# it other nets.
def train(x, y, w1, w2, lr, steps, forward, loss_and_grad, backward):
    losses = []
    for _ in range(steps):
        h = x @ w1
        h_relu = np.maximum(h, 0)
        difference = h_relu @ w2 - y
        losses.append(np.sum(difference**2))
        grad_h = (2 * difference @ w2.T) * (h > 0)
        w1, w2 = w1 - lr * x.T @ grad_h, w2 - lr * h_relu.T @ (2 * difference)
    return losses, w1, w2


# %% answer="train" name="opens_the_cache" loses="trajectory losses calls"
# Your loop unpacks the cache. What is in it is between `forward` and `backward`; the checks use
# caches of another make.
def train(x, y, w1, w2, lr, steps, forward, loss_and_grad, backward):
    losses = []
    for _ in range(steps):
        pred, (x_cached, h, h_relu, w2_cached) = forward(x, w1, w2)
        loss, upstream = loss_and_grad(pred, y)
        grad_w1, grad_w2 = backward((x_cached, h, h_relu, w2_cached), upstream)
        losses.append(loss)
        w1, w2 = w1 - lr * grad_w1, w2 - lr * grad_w2
    return losses, w1, w2


# %% answer="train" name="one_step_too_many" loses="trajectory losses calls"
# Your loop takes one step more than it was asked for.
def train(x, y, w1, w2, lr, steps, forward, loss_and_grad, backward):
    losses = []
    for _ in range(steps + 1):
        pred, cache = forward(x, w1, w2)
        loss, upstream = loss_and_grad(pred, y)
        grad_w1, grad_w2 = backward(cache, upstream)
        losses.append(loss)
        w1, w2 = w1 - lr * grad_w1, w2 - lr * grad_w2
    return losses, w1, w2


# %% answer="train" name="final_loss_appended" loses="losses calls"
# After the last step you take the loss once more. The list should have as many losses as there
# are steps.
def train(x, y, w1, w2, lr, steps, forward, loss_and_grad, backward):
    losses = []
    for _ in range(steps):
        pred, cache = forward(x, w1, w2)
        loss, upstream = loss_and_grad(pred, y)
        grad_w1, grad_w2 = backward(cache, upstream)
        losses.append(loss)
        w1, w2 = w1 - lr * grad_w1, w2 - lr * grad_w2
    losses.append(loss_and_grad(forward(x, w1, w2)[0], y)[0])
    return losses, w1, w2


# %% answer="train" name="one_example_at_a_time" loses="calls"
# You update after each example. That is stochastic gradient descent; the task asks for steps on
# the whole batch.
def train(x, y, w1, w2, lr, steps, forward, loss_and_grad, backward):
    losses = []
    for _ in range(steps):
        total = 0.0
        for n in range(len(x)):
            pred, cache = forward(x[n : n + 1], w1, w2)
            loss, upstream = loss_and_grad(pred, y[n : n + 1])
            grad_w1, grad_w2 = backward(cache, upstream)
            total += loss
            w1, w2 = w1 - lr * grad_w1, w2 - lr * grad_w2
        losses.append(total)
    return losses, w1, w2


# %% answer="train" name="divides_by_examples" loses="trajectory"
# Your step is divided by the number of examples. With the sum form of the loss the step is lr
# times the gradient, no more.
def train(x, y, w1, w2, lr, steps, forward, loss_and_grad, backward):
    losses = []
    for _ in range(steps):
        pred, cache = forward(x, w1, w2)
        loss, upstream = loss_and_grad(pred, y)
        grad_w1, grad_w2 = backward(cache, upstream)
        losses.append(loss)
        w1, w2 = w1 - lr * grad_w1 / len(x), w2 - lr * grad_w2 / len(x)
    return losses, w1, w2


# %% answer="train" name="never_clears_gradients" loses="trajectory losses"
# Your gradients are added up from step to step, so old slopes keep pushing. Each step uses the
# gradient at its own weights.
def train(x, y, w1, w2, lr, steps, forward, loss_and_grad, backward):
    losses, sum_w1, sum_w2 = [], 0.0, 0.0
    for _ in range(steps):
        pred, cache = forward(x, w1, w2)
        loss, upstream = loss_and_grad(pred, y)
        grad_w1, grad_w2 = backward(cache, upstream)
        losses.append(loss)
        sum_w1, sum_w2 = sum_w1 + grad_w1, sum_w2 + grad_w2
        w1, w2 = w1 - lr * sum_w1, w2 - lr * sum_w2
    return losses, w1, w2


# %% answer="train" name="gradients_swapped" loses="trajectory"
# `backward` returns the gradient of `w1` first; you moved each matrix by the other one's
# gradient.
def train(x, y, w1, w2, lr, steps, forward, loss_and_grad, backward):
    losses = []
    for _ in range(steps):
        pred, cache = forward(x, w1, w2)
        loss, upstream = loss_and_grad(pred, y)
        grad_w2, grad_w1 = backward(cache, upstream)
        losses.append(loss)
        w1, w2 = w1 - lr * grad_w1, w2 - lr * grad_w2
    return losses, w1, w2


# %% answer="train" name="only_the_last_layer" loses="trajectory losses"
# Only `w2` is trained; `w1` stays where it was.
def train(x, y, w1, w2, lr, steps, forward, loss_and_grad, backward):
    losses = []
    for _ in range(steps):
        pred, cache = forward(x, w1, w2)
        loss, upstream = loss_and_grad(pred, y)
        losses.append(loss)
        w2 = w2 - lr * backward(cache, upstream)[1]
    return losses, w1, w2


# %% answer="train" name="passes_the_loss_back" loses="trajectory"
# You hand `backward` the loss itself. It wants the loss's gradient with respect to the
# prediction.
def train(x, y, w1, w2, lr, steps, forward, loss_and_grad, backward):
    losses = []
    for _ in range(steps):
        pred, cache = forward(x, w1, w2)
        loss, upstream = loss_and_grad(pred, y)
        grad_w1, grad_w2 = backward(cache, np.full(np.shape(pred), loss))
        losses.append(loss)
        w1, w2 = w1 - lr * grad_w1, w2 - lr * grad_w2
    return losses, w1, w2


# %% answer="train" name="stops_when_low" loses="losses"
# Your loop stops when the loss is small. The task asks for `steps` steps, whatever the loss does.
def train(x, y, w1, w2, lr, steps, forward, loss_and_grad, backward):
    losses = []
    for _ in range(steps):
        pred, cache = forward(x, w1, w2)
        loss, upstream = loss_and_grad(pred, y)
        if loss < 1e-3:
            break
        grad_w1, grad_w2 = backward(cache, upstream)
        losses.append(loss)
        w1, w2 = w1 - lr * grad_w1, w2 - lr * grad_w2
    return losses, w1, w2


# %% answer="train" name="single_precision" loses="trajectory"
# The weights pass through float32 and lose half of their digits at every step. The trajectory is
# asked for to nine digits.
def train(x, y, w1, w2, lr, steps, forward, loss_and_grad, backward):
    losses = []
    for _ in range(steps):
        pred, cache = forward(x, w1, w2)
        loss, upstream = loss_and_grad(pred, y)
        grad_w1, grad_w2 = backward(cache, upstream)
        losses.append(loss)
        w1 = (w1 - lr * grad_w1).astype(np.float32)
        w2 = (w2 - lr * grad_w2).astype(np.float32)
    return losses, w1, w2


# %% answer="train" name="fails_for_no_steps" loses="losses"
# With `steps=0` your function looks for things that the loop never made. No steps means no losses
# and the weights as they were.
def train(x, y, w1, w2, lr, steps, forward, loss_and_grad, backward):
    losses = []
    for step in range(steps):
        start = (w1, w2) if step == 0 else (new_w1, new_w2)
        pred, cache = forward(x, *start)
        loss, upstream = loss_and_grad(pred, y)
        grad_w1, grad_w2 = backward(cache, upstream)
        losses.append(loss)
        new_w1, new_w2 = start[0] - lr * grad_w1, start[1] - lr * grad_w2
    return losses, new_w1, new_w2


# %% [markdown]
# ## initialize


# %% answer="initialize" name="he_forgets_the_relu" loses="he"
# Your `he` has the variance 1/d_in, which keeps the size through a layer without a ReLU. The ReLU
# throws half away, and He's point was to make up for it.
def xavier(d_in, d_out, rng):
    a = np.sqrt(6 / (d_in + d_out))
    return rng.uniform(-a, a, (d_in, d_out))


def he(d_in, d_out, rng):
    return rng.normal(0, np.sqrt(1 / d_in), (d_in, d_out))


# %% answer="initialize" name="he_variance_for_deviation" loses="he"
# You passed the variance where `rng.normal` wants the standard deviation.
def xavier(d_in, d_out, rng):
    a = np.sqrt(6 / (d_in + d_out))
    return rng.uniform(-a, a, (d_in, d_out))


def he(d_in, d_out, rng):
    return rng.normal(0, 2 / d_in, (d_in, d_out))


# %% answer="initialize" name="he_fan_out" loses="he"
# Your `he` divides by the number of outputs. Each hidden value is a sum over the *inputs*, and it
# is their number that makes it large.
def xavier(d_in, d_out, rng):
    a = np.sqrt(6 / (d_in + d_out))
    return rng.uniform(-a, a, (d_in, d_out))


def he(d_in, d_out, rng):
    return rng.normal(0, np.sqrt(2 / d_out), (d_in, d_out))


# %% answer="initialize" name="he_uniform" loses="he"
# The variance is He's, the distribution is uniform. That variant exists; the task asks for the
# normal one.
def xavier(d_in, d_out, rng):
    a = np.sqrt(6 / (d_in + d_out))
    return rng.uniform(-a, a, (d_in, d_out))


def he(d_in, d_out, rng):
    a = np.sqrt(6 / d_in)
    return rng.uniform(-a, a, (d_in, d_out))


# %% answer="initialize" name="he_clipped" loses="he"
# Your `he` cuts the normal distribution off at two deviations. TensorFlow has such a truncated
# variant; the task asks for the plain normal distribution.
def xavier(d_in, d_out, rng):
    a = np.sqrt(6 / (d_in + d_out))
    return rng.uniform(-a, a, (d_in, d_out))


def he(d_in, d_out, rng):
    return np.sqrt(2 / d_in) * np.clip(rng.normal(size=(d_in, d_out)), -2, 2)


# %% answer="initialize" name="xavier_deviation_for_bound" loses="xavier"
# You used the standard deviation as the bound. A uniform distribution between −a and a has the
# deviation a/√3, so your weights are too small by √3.
def xavier(d_in, d_out, rng):
    a = np.sqrt(2 / (d_in + d_out))
    return rng.uniform(-a, a, (d_in, d_out))


def he(d_in, d_out, rng):
    return rng.normal(0, np.sqrt(2 / d_in), (d_in, d_out))


# %% answer="initialize" name="xavier_fan_in_only" loses="xavier"
# This is the other thing called Xavier, a normal distribution with variance 1/d_in. The paper's
# formula looks at both sides of the layer and draws uniformly.
def xavier(d_in, d_out, rng):
    return rng.normal(size=(d_in, d_out)) / np.sqrt(d_in)


def he(d_in, d_out, rng):
    return rng.normal(0, np.sqrt(2 / d_in), (d_in, d_out))


# %% answer="initialize" name="xavier_normal" loses="xavier"
# The variance is right, but the weights are drawn from a normal distribution. The task asks for
# the uniform one.
def xavier(d_in, d_out, rng):
    return rng.normal(0, np.sqrt(2 / (d_in + d_out)), (d_in, d_out))


def he(d_in, d_out, rng):
    return rng.normal(0, np.sqrt(2 / d_in), (d_in, d_out))


# %% answer="initialize" name="xavier_one_sided" loses="xavier"
# Your weights are all positive: `rng.uniform` with one bound, or `rng.random`, starts at 0. They
# should lie around 0.
def xavier(d_in, d_out, rng):
    a = np.sqrt(6 / (d_in + d_out))
    return a * rng.random((d_in, d_out))


def he(d_in, d_out, rng):
    return rng.normal(0, np.sqrt(2 / d_in), (d_in, d_out))


# %% answer="initialize" name="xavier_no_root" loses="xavier"
# The square root is missing: your bound is a², not a.
def xavier(d_in, d_out, rng):
    a = 6 / (d_in + d_out)
    return rng.uniform(-a, a, (d_in, d_out))


def he(d_in, d_out, rng):
    return rng.normal(0, np.sqrt(2 / d_in), (d_in, d_out))


# %% answer="initialize" name="global_state" loses="generator"
# You draw from NumPy's global random state and not from the generator that was passed in. Then
# nobody can repeat your run by passing the same generator.
def xavier(d_in, d_out, rng):
    a = np.sqrt(6 / (d_in + d_out))
    return np.random.uniform(-a, a, (d_in, d_out))


def he(d_in, d_out, rng):
    return np.random.normal(0, np.sqrt(2 / d_in), (d_in, d_out))


# %% answer="initialize" name="own_generator" loses="generator"
# You make a generator of your own with a fixed seed, so every matrix of the same shape gets the
# same weights: two layers start as twins.
def xavier(d_in, d_out, rng):
    a = np.sqrt(6 / (d_in + d_out))
    return np.random.default_rng(0).uniform(-a, a, (d_in, d_out))


def he(d_in, d_out, rng):
    return np.random.default_rng(0).normal(0, np.sqrt(2 / d_in), (d_in, d_out))


# %% answer="initialize" name="seeds_the_global_state" loses="generator"
# You seed NumPy's global random state and draw from it. Whoever else uses that state finds it
# moved.
def xavier(d_in, d_out, rng):
    np.random.seed(rng.integers(2**31))
    a = np.sqrt(6 / (d_in + d_out))
    return np.random.uniform(-a, a, (d_in, d_out))


def he(d_in, d_out, rng):
    np.random.seed(rng.integers(2**31))
    return np.random.normal(0, np.sqrt(2 / d_in), (d_in, d_out))


# %% answer="initialize" name="transposed" loses="xavier he"
# The shape is (d_out, d_in), as PyTorch stores it. Here a batch is multiplied from the left, so
# it is (d_in, d_out).
def xavier(d_in, d_out, rng):
    a = np.sqrt(6 / (d_in + d_out))
    return rng.uniform(-a, a, (d_out, d_in))


def he(d_in, d_out, rng):
    return rng.normal(0, np.sqrt(2 / d_in), (d_out, d_in))


# %% answer="initialize" name="equal_rows" loses="xavier he"
# You draw one row and repeat it. Then every input has the same weights, and no step of training
# can tell two inputs apart by their weights.
def xavier(d_in, d_out, rng):
    a = np.sqrt(6 / (d_in + d_out))
    return np.tile(rng.uniform(-a, a, d_out), (d_in, 1))


def he(d_in, d_out, rng):
    return np.tile(rng.normal(0, np.sqrt(2 / d_in), d_out), (d_in, 1))


# %% answer="initialize" name="single_precision" loses="xavier he"
# The weights are float32. Arrays are float64 in this lesson.
def xavier(d_in, d_out, rng):
    a = np.sqrt(6 / (d_in + d_out))
    return rng.uniform(-a, a, (d_in, d_out)).astype(np.float32)


def he(d_in, d_out, rng):
    return rng.normal(0, np.sqrt(2 / d_in), (d_in, d_out)).astype(np.float32)


# %% [markdown]
# ## softmax_cross_entropy


# %% answer="softmax_cross_entropy" name="naive" loses="stable"
# The formula is right and its arithmetic overflows: `np.exp` of a large logit is infinity, and
# infinity over infinity is no number. Something can be subtracted from a row without changing p.
def softmax_cross_entropy(logits, labels):
    rows = np.arange(len(labels))
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    grad = p.copy()
    grad[rows, labels] -= 1
    return -np.log(p[rows, labels]).mean(), grad / len(labels)


# %% answer="softmax_cross_entropy" name="log_of_softmax" loses="stable"
# No overflow any more, but the logarithm is taken of a probability that can be 0 in float64, and
# log 0 is minus infinity. On paper, the logarithm and the exponential of the true class cancel.
def softmax_cross_entropy(logits, labels):
    rows = np.arange(len(labels))
    exps = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = exps / exps.sum(axis=1, keepdims=True)
    grad = p.copy()
    grad[rows, labels] -= 1
    return -np.log(p[rows, labels]).mean(), grad / len(labels)


# %% answer="softmax_cross_entropy" name="epsilon_in_log" loses="stable"
# A small number inside the logarithm hides the infinity and caps the loss: with 1e-12 no row can
# lose more than 27.6, however wrong it is.
def softmax_cross_entropy(logits, labels):
    rows = np.arange(len(labels))
    exps = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = exps / exps.sum(axis=1, keepdims=True)
    grad = p.copy()
    grad[rows, labels] -= 1
    return -np.log(p[rows, labels] + 1e-12).mean(), grad / len(labels)


# %% answer="softmax_cross_entropy" name="one_maximum_for_all" loses="stable"
# You subtract the largest logit of the whole batch. A row far below it underflows to zeros. Each
# row has a largest logit of its own.
def softmax_cross_entropy(logits, labels):
    rows = np.arange(len(labels))
    shifted = logits - logits.max()
    exps = np.exp(shifted)
    grad = exps / exps.sum(axis=1, keepdims=True)
    grad[rows, labels] -= 1
    loss = (np.log(exps.sum(axis=1)) - shifted[rows, labels]).mean()
    return loss, grad / len(labels)


# %% answer="softmax_cross_entropy" name="clips_logits" loses="stable"
# You cut the logits off so that `np.exp` does not overflow. That changes the loss: a row that is
# wrong by 10,000 should say so.
def softmax_cross_entropy(logits, labels):
    rows = np.arange(len(labels))
    clipped = np.clip(logits, -500, 500)
    shifted = clipped - clipped.max(axis=1, keepdims=True)
    exps = np.exp(shifted)
    grad = exps / exps.sum(axis=1, keepdims=True)
    grad[rows, labels] -= 1
    loss = (np.log(exps.sum(axis=1)) - shifted[rows, labels]).mean()
    return loss, grad / len(labels)


# %% answer="softmax_cross_entropy" name="sum_of_rows" loses="value gradient"
# Your loss and gradient are sums over the rows. The task asks for the mean.
def softmax_cross_entropy(logits, labels):
    rows = np.arange(len(labels))
    shifted = logits - logits.max(axis=1, keepdims=True)
    exps = np.exp(shifted)
    grad = exps / exps.sum(axis=1, keepdims=True)
    grad[rows, labels] -= 1
    return (np.log(exps.sum(axis=1)) - shifted[rows, labels]).sum(), grad


# %% answer="softmax_cross_entropy" name="gradient_not_averaged" loses="gradient"
# The loss is a mean, its gradient is still that of the sum.
def softmax_cross_entropy(logits, labels):
    rows = np.arange(len(labels))
    shifted = logits - logits.max(axis=1, keepdims=True)
    exps = np.exp(shifted)
    grad = exps / exps.sum(axis=1, keepdims=True)
    grad[rows, labels] -= 1
    return (np.log(exps.sum(axis=1)) - shifted[rows, labels]).mean(), grad


# %% answer="softmax_cross_entropy" name="subtracts_from_columns" loses="gradient"
# `grad[:, labels] -= 1` hits whole columns, in every row. You want one entry per row, and need an
# index for the rows too.
def softmax_cross_entropy(logits, labels):
    rows = np.arange(len(labels))
    shifted = logits - logits.max(axis=1, keepdims=True)
    exps = np.exp(shifted)
    grad = exps / exps.sum(axis=1, keepdims=True)
    grad[:, labels] -= 1
    return (np.log(exps.sum(axis=1)) - shifted[rows, labels]).mean(), grad / len(labels)


# %% answer="softmax_cross_entropy" name="wrong_axis" loses="value gradient"
# Your probabilities add up to 1 down the columns, over the examples. It is each row that should
# add up to 1.
def softmax_cross_entropy(logits, labels):
    rows = np.arange(len(labels))
    shifted = logits - logits.max(axis=0)
    exps = np.exp(shifted)
    grad = exps / exps.sum(axis=0)
    loss = -np.log(grad[rows, labels]).mean()
    grad[rows, labels] -= 1
    return loss, grad / len(labels)


# %% answer="softmax_cross_entropy" name="softmax_only" loses="gradient"
# Your gradient is the softmax. That is the derivative of log Σ exp; the loss has a second term,
# the true class's logit.
def softmax_cross_entropy(logits, labels):
    rows = np.arange(len(labels))
    shifted = logits - logits.max(axis=1, keepdims=True)
    exps = np.exp(shifted)
    p = exps / exps.sum(axis=1, keepdims=True)
    return (np.log(exps.sum(axis=1)) - shifted[rows, labels]).mean(), p / len(labels)


# %% answer="softmax_cross_entropy" name="gradient_sign" loses="gradient"
# The sign is reversed: your gradient would push the true class down.
def softmax_cross_entropy(logits, labels):
    rows = np.arange(len(labels))
    shifted = logits - logits.max(axis=1, keepdims=True)
    exps = np.exp(shifted)
    grad = -exps / exps.sum(axis=1, keepdims=True)
    grad[rows, labels] += 1
    return (np.log(exps.sum(axis=1)) - shifted[rows, labels]).mean(), grad / len(labels)


# %% answer="softmax_cross_entropy" name="true_class_only" loses="gradient"
# Only the true class gets a gradient. The other logits matter too: all of them stand in the
# softmax's denominator.
def softmax_cross_entropy(logits, labels):
    rows = np.arange(len(labels))
    shifted = logits - logits.max(axis=1, keepdims=True)
    exps = np.exp(shifted)
    p = exps / exps.sum(axis=1, keepdims=True)
    grad = np.zeros_like(logits)
    grad[rows, labels] = p[rows, labels] - 1
    return (np.log(exps.sum(axis=1)) - shifted[rows, labels]).mean(), grad / len(labels)


# %% answer="softmax_cross_entropy" name="gradient_for_probabilities" loses="gradient"
# This is the gradient with respect to the probabilities, −1/p at the true class. The task asks
# for the logits, one step of the chain rule further back.
def softmax_cross_entropy(logits, labels):
    rows = np.arange(len(labels))
    shifted = logits - logits.max(axis=1, keepdims=True)
    exps = np.exp(shifted)
    p = exps / exps.sum(axis=1, keepdims=True)
    grad = np.zeros_like(logits)
    grad[rows, labels] = -1 / p[rows, labels]
    return (np.log(exps.sum(axis=1)) - shifted[rows, labels]).mean(), grad / len(labels)


# %% answer="softmax_cross_entropy" name="mean_over_entries" loses="value gradient"
# You divide by the number of entries. There is one loss per row, so the mean divides by the
# number of rows.
def softmax_cross_entropy(logits, labels):
    rows = np.arange(len(labels))
    shifted = logits - logits.max(axis=1, keepdims=True)
    exps = np.exp(shifted)
    grad = exps / exps.sum(axis=1, keepdims=True)
    grad[rows, labels] -= 1
    loss = (np.log(exps.sum(axis=1)) - shifted[rows, labels]).sum()
    return loss / logits.size, grad / logits.size


# %% answer="softmax_cross_entropy" name="shifts_in_place" loses="inputs_kept"
# `logits -= ...` subtracts from the caller's array.
def softmax_cross_entropy(logits, labels):
    rows = np.arange(len(labels))
    logits -= logits.max(axis=1, keepdims=True)
    exps = np.exp(logits)
    grad = exps / exps.sum(axis=1, keepdims=True)
    grad[rows, labels] -= 1
    return (np.log(exps.sum(axis=1)) - logits[rows, labels]).mean(), grad / len(labels)


# %% answer="softmax_cross_entropy" name="squared_error_of_softmax" loses="value gradient"
# You compare the probabilities with the labels by squares. Cross-entropy is minus the logarithm
# of one probability.
def softmax_cross_entropy(logits, labels):
    exps = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = exps / exps.sum(axis=1, keepdims=True)
    difference = p - np.eye(logits.shape[1])[labels]
    return (difference**2).sum(axis=1).mean(), 2 * difference / len(labels)


# %% answer="softmax_cross_entropy" name="base_two" loses="value"
# Your logarithm has base 2, so the loss is counted in bits. The gradient belongs to the natural
# logarithm.
def softmax_cross_entropy(logits, labels):
    rows = np.arange(len(labels))
    shifted = logits - logits.max(axis=1, keepdims=True)
    exps = np.exp(shifted)
    grad = exps / exps.sum(axis=1, keepdims=True)
    grad[rows, labels] -= 1
    loss = (np.log(exps.sum(axis=1)) - shifted[rows, labels]).mean() / np.log(2)
    return loss, grad / len(labels)


# %% [markdown]
# ## deferred


# %% answer="deferred" name="text_without_parentheses" loses="pythagoras operators"
# You build the formula as text, and without parentheses Python's precedence takes it apart again:
# (a + b) * 2 becomes a + b * 2.
class Placeholder:
    def __init__(self, text):
        self.text = text

    def __call__(self, **values):
        try:
            return eval(self.text, {}, values)
        except NameError as error:
            raise KeyError(str(error)) from None

    def _join(self, sign, other):
        return Placeholder(f"{self.text} {sign} {getattr(other, 'text', repr(other))}")

    def _rjoin(self, sign, other):
        return Placeholder(f"{other!r} {sign} {self.text}")

    __add__ = lambda self, other: self._join("+", other)
    __sub__ = lambda self, other: self._join("-", other)
    __mul__ = lambda self, other: self._join("*", other)
    __truediv__ = lambda self, other: self._join("/", other)
    __pow__ = lambda self, other: self._join("**", other)
    __radd__ = lambda self, other: self._rjoin("+", other)
    __rsub__ = lambda self, other: self._rjoin("-", other)
    __rmul__ = lambda self, other: self._rjoin("*", other)
    __rtruediv__ = lambda self, other: self._rjoin("/", other)
    __rpow__ = lambda self, other: self._rjoin("**", other)


# %% answer="deferred" name="name_error" loses="missing_value"
# A missing value ends in Python's NameError, because your formula is evaluated as text. The
# caller forgot a key of the values, and is promised a KeyError.
class Placeholder:
    def __init__(self, text):
        self.text = text

    def __call__(self, **values):
        return eval(self.text, {}, values)

    def _join(self, sign, other):
        return Placeholder(f"({self.text}) {sign} ({getattr(other, 'text', repr(other))})")

    def _rjoin(self, sign, other):
        return Placeholder(f"({other!r}) {sign} ({self.text})")

    __add__ = lambda self, other: self._join("+", other)
    __sub__ = lambda self, other: self._join("-", other)
    __mul__ = lambda self, other: self._join("*", other)
    __truediv__ = lambda self, other: self._join("/", other)
    __pow__ = lambda self, other: self._join("**", other)
    __radd__ = lambda self, other: self._rjoin("+", other)
    __rsub__ = lambda self, other: self._rjoin("-", other)
    __rmul__ = lambda self, other: self._rjoin("*", other)
    __rtruediv__ = lambda self, other: self._rjoin("/", other)
    __rpow__ = lambda self, other: self._rjoin("**", other)


# %% answer="deferred" name="no_reflected_methods" loses="operators"
# `a - 2` works and `2 - a` does not: when the number stands on the left, Python asks your class
# for another method.
class Placeholder:
    def __init__(self, name):
        self.evaluate = lambda values: values[name]

    def __call__(self, **values):
        return self.evaluate(values)

    def _combine(self, operation, other):
        result = Placeholder("")
        there = other.evaluate if isinstance(other, Placeholder) else lambda values: other
        result.evaluate = lambda values: operation(self.evaluate(values), there(values))
        return result

    def __add__(self, other):
        return self._combine(lambda p, q: p + q, other)

    def __sub__(self, other):
        return self._combine(lambda p, q: p - q, other)

    def __mul__(self, other):
        return self._combine(lambda p, q: p * q, other)

    def __truediv__(self, other):
        return self._combine(lambda p, q: p / q, other)

    def __pow__(self, other):
        return self._combine(lambda p, q: p**q, other)


# %% answer="deferred" name="reflected_in_wrong_order" loses="operators"
# With a number on the left, your two sides are exchanged: 2 − a gives a − 2. For + and * nobody
# notices.
class Placeholder:
    def __init__(self, name):
        self.evaluate = lambda values: values[name]

    def __call__(self, **values):
        return self.evaluate(values)

    def _combine(self, operation, other):
        result = Placeholder("")
        there = other.evaluate if isinstance(other, Placeholder) else lambda values: other
        result.evaluate = lambda values: operation(self.evaluate(values), there(values))
        return result

    __add__ = __radd__ = lambda self, other: self._combine(lambda p, q: p + q, other)
    __sub__ = __rsub__ = lambda self, other: self._combine(lambda p, q: p - q, other)
    __mul__ = __rmul__ = lambda self, other: self._combine(lambda p, q: p * q, other)
    __truediv__ = __rtruediv__ = lambda self, other: self._combine(lambda p, q: p / q, other)
    __pow__ = __rpow__ = lambda self, other: self._combine(lambda p, q: p**q, other)


# %% answer="deferred" name="last_operation_wins" loses="pythagoras operators"
# All your operators do the same thing. The methods are made in a loop, and a function looks its
# loop variable up when it is *called*: by then the loop has ended at the last operation.
import operator


class Placeholder:
    def __init__(self, name):
        self.evaluate = lambda values: values[name]

    def __call__(self, **values):
        return self.evaluate(values)


def valued(part, values):
    return part.evaluate(values) if isinstance(part, Placeholder) else part


def combine(operation, left, right):
    result = Placeholder("")
    result.evaluate = lambda values: operation(valued(left, values), valued(right, values))
    return result


for word in ("add", "sub", "mul", "truediv", "pow"):
    setattr(Placeholder, f"__{word}__", lambda p, q: combine(getattr(operator, word), p, q))
    setattr(Placeholder, f"__r{word}__", lambda p, q: combine(getattr(operator, word), q, p))


# %% answer="deferred" name="changes_itself" loses="sharing"
# Your operators change the expression they are called on and return it. So everything built from
# `a` is the same object, and `a` itself is no longer `a`.
import operator


class Placeholder:
    def __init__(self, name):
        self.evaluate = lambda values: values[name]

    def __call__(self, **values):
        return self.evaluate(values)

    def _combine(self, operation, other, swapped=False):
        here = self.evaluate
        there = other.evaluate if isinstance(other, Placeholder) else lambda values: other
        left, right = (there, here) if swapped else (here, there)
        self.evaluate = lambda values: operation(left(values), right(values))
        return self


for word in ("add", "sub", "mul", "truediv", "pow"):
    operation = getattr(operator, word)
    setattr(Placeholder, f"__{word}__", lambda p, q, f=operation: p._combine(f, q))
    setattr(Placeholder, f"__r{word}__", lambda p, q, f=operation: p._combine(f, q, True))


# %% answer="deferred" name="missing_is_zero" loses="missing_value"
# A placeholder without a value counts as 0, and the expression returns a number that looks like
# an answer.
import operator


class Placeholder:
    def __init__(self, name):
        self.evaluate = lambda values: values.get(name, 0)

    def __call__(self, **values):
        return self.evaluate(values)

    def _combine(self, operation, other, swapped=False):
        result = Placeholder("")
        there = other.evaluate if isinstance(other, Placeholder) else lambda values: other
        left, right = (there, self.evaluate) if swapped else (self.evaluate, there)
        result.evaluate = lambda values: operation(left(values), right(values))
        return result


for word in ("add", "sub", "mul", "truediv", "pow"):
    operation = getattr(operator, word)
    setattr(Placeholder, f"__{word}__", lambda p, q, f=operation: p._combine(f, q))
    setattr(Placeholder, f"__r{word}__", lambda p, q, f=operation: p._combine(f, q, True))


# %% answer="deferred" name="remembers_values" loses="missing_value"
# Values from an earlier call are still there in the next one. A call should know only the values
# that it was given.
import operator


class Placeholder:
    known = {}

    def __init__(self, name):
        self.evaluate = lambda: Placeholder.known[name]

    def __call__(self, **values):
        Placeholder.known.update(values)
        return self.evaluate()

    def _combine(self, operation, other, swapped=False):
        result = Placeholder("")
        there = other.evaluate if isinstance(other, Placeholder) else lambda: other
        left, right = (there, self.evaluate) if swapped else (self.evaluate, there)
        result.evaluate = lambda: operation(left(), right())
        return result


for word in ("add", "sub", "mul", "truediv", "pow"):
    operation = getattr(operator, word)
    setattr(Placeholder, f"__{word}__", lambda p, q, f=operation: p._combine(f, q))
    setattr(Placeholder, f"__r{word}__", lambda p, q, f=operation: p._combine(f, q, True))


# %% answer="deferred" name="first_result_kept" loses="pythagoras"
# The first result is kept and returned ever after. An expression has as many values as there are
# inputs to give it.
import operator


class Placeholder:
    def __init__(self, name):
        self.evaluate = lambda values: values[name]
        self.result = None

    def __call__(self, **values):
        if self.result is None:
            self.result = self.evaluate(values)
        return self.result

    def _combine(self, operation, other, swapped=False):
        result = Placeholder("")
        there = other.evaluate if isinstance(other, Placeholder) else lambda values: other
        left, right = (there, self.evaluate) if swapped else (self.evaluate, there)
        result.evaluate = lambda values: operation(left(values), right(values))
        return result


for word in ("add", "sub", "mul", "truediv", "pow"):
    operation = getattr(operator, word)
    setattr(Placeholder, f"__{word}__", lambda p, q, f=operation: p._combine(f, q))
    setattr(Placeholder, f"__r{word}__", lambda p, q, f=operation: p._combine(f, q, True))


# %% answer="deferred" name="checks_while_building" loses="late_errors"
# Your class looks for mistakes while the expression is built. That is kind, but it is not
# deferred: the error should come from the computation, when it is called.
import operator


class Placeholder:
    def __init__(self, name):
        self.evaluate = lambda values: values[name]

    def __call__(self, **values):
        return self.evaluate(values)

    def _combine(self, operation, other, swapped=False):
        if not isinstance(other, (Placeholder, int, float)):
            raise TypeError(f"cannot combine an expression with {other!r}")
        result = Placeholder("")
        there = other.evaluate if isinstance(other, Placeholder) else lambda values: other
        left, right = (there, self.evaluate) if swapped else (self.evaluate, there)
        result.evaluate = lambda values: operation(left(values), right(values))
        return result


for word in ("add", "sub", "mul", "truediv", "pow"):
    operation = getattr(operator, word)
    setattr(Placeholder, f"__{word}__", lambda p, q, f=operation: p._combine(f, q))
    setattr(Placeholder, f"__r{word}__", lambda p, q, f=operation: p._combine(f, q, True))


# %% answer="deferred" name="swallows_errors" loses="late_errors"
# When the computation fails, your expression returns a number all the same. The error should
# reach whoever made the call.
import operator


class Placeholder:
    def __init__(self, name):
        self.evaluate = lambda values: values[name]

    def __call__(self, **values):
        try:
            return self.evaluate(values)
        except ZeroDivisionError:
            return float("inf")

    def _combine(self, operation, other, swapped=False):
        result = Placeholder("")
        there = other.evaluate if isinstance(other, Placeholder) else lambda values: other
        left, right = (there, self.evaluate) if swapped else (self.evaluate, there)
        result.evaluate = lambda values: operation(left(values), right(values))
        return result


for word in ("add", "sub", "mul", "truediv", "pow"):
    operation = getattr(operator, word)
    setattr(Placeholder, f"__{word}__", lambda p, q, f=operation: p._combine(f, q))
    setattr(Placeholder, f"__r{word}__", lambda p, q, f=operation: p._combine(f, q, True))


# %% answer="deferred" name="numbers_only" loses="pythagoras"
# Each value is turned into a float, so arrays are refused. Let the operators find out what they
# can do with a value.
import operator


class Placeholder:
    def __init__(self, name):
        self.evaluate = lambda values: float(values[name])

    def __call__(self, **values):
        return self.evaluate(values)

    def _combine(self, operation, other, swapped=False):
        result = Placeholder("")
        there = other.evaluate if isinstance(other, Placeholder) else lambda values: other
        left, right = (there, self.evaluate) if swapped else (self.evaluate, there)
        result.evaluate = lambda values: operation(left(values), right(values))
        return result


for word in ("add", "sub", "mul", "truediv", "pow"):
    operation = getattr(operator, word)
    setattr(Placeholder, f"__{word}__", lambda p, q, f=operation: p._combine(f, q))
    setattr(Placeholder, f"__r{word}__", lambda p, q, f=operation: p._combine(f, q, True))


# %% answer="deferred" name="expressions_only" loses="pythagoras operators"
# Your operators expect an expression on both sides. A plain number such as the 2 in `a**2` has no
# value to be asked for.
class Placeholder:
    def __init__(self, name):
        self.evaluate = lambda values: values[name]

    def __call__(self, **values):
        return self.evaluate(values)

    def _combine(self, operation, other):
        result = Placeholder("")
        result.evaluate = lambda values: operation(self.evaluate(values), other.evaluate(values))
        return result

    __add__ = lambda self, other: self._combine(lambda p, q: p + q, other)
    __sub__ = lambda self, other: self._combine(lambda p, q: p - q, other)
    __mul__ = lambda self, other: self._combine(lambda p, q: p * q, other)
    __truediv__ = lambda self, other: self._combine(lambda p, q: p / q, other)
    __pow__ = lambda self, other: self._combine(lambda p, q: p**q, other)


# %% answer="deferred" name="refuses_extra_values" loses="pythagoras"
# A value for a name that the expression does not use is refused. The task says that it is
# ignored.
import operator


class Placeholder:
    def __init__(self, name):
        self.names = {name}
        self.evaluate = lambda values: values[name]

    def __call__(self, **values):
        if set(values) != self.names:
            raise KeyError(f"expected values for {sorted(self.names)}")
        return self.evaluate(values)

    def _combine(self, operation, other, swapped=False):
        result = Placeholder("")
        result.names = self.names | getattr(other, "names", set())
        there = other.evaluate if isinstance(other, Placeholder) else lambda values: other
        left, right = (there, self.evaluate) if swapped else (self.evaluate, there)
        result.evaluate = lambda values: operation(left(values), right(values))
        return result


for word in ("add", "sub", "mul", "truediv", "pow"):
    operation = getattr(operator, word)
    setattr(Placeholder, f"__{word}__", lambda p, q, f=operation: p._combine(f, q))
    setattr(Placeholder, f"__r{word}__", lambda p, q, f=operation: p._combine(f, q, True))


# %% answer="deferred" name="value_error" loses="missing_value"
# A missing value raises ValueError. Callers are promised a KeyError that names it.
import operator


class Placeholder:
    def __init__(self, name):
        self.name = name

    def evaluate(self, values):
        if self.name not in values:
            raise ValueError(f"{self.name} has no value")
        return values[self.name]

    def __call__(self, **values):
        return self.evaluate(values)

    def _combine(self, operation, other, swapped=False):
        result = Placeholder("")
        there = other.evaluate if isinstance(other, Placeholder) else lambda values: other
        left, right = (there, self.evaluate) if swapped else (self.evaluate, there)
        result.evaluate = lambda values: operation(left(values), right(values))
        return result


for word in ("add", "sub", "mul", "truediv", "pow"):
    operation = getattr(operator, word)
    setattr(Placeholder, f"__{word}__", lambda p, q, f=operation: p._combine(f, q))
    setattr(Placeholder, f"__r{word}__", lambda p, q, f=operation: p._combine(f, q, True))


# %% [markdown]
# Found by a reader who tried to pass without being right.


# %% answer="forward" name="does_nothing" loses="prediction cache inputs_kept"
# `forward` returns nothing yet. It should end with `return pred, cache`.
def forward(x, w1, w2):
    pass


# %% answer="forward" name="float32" loses="prediction"
# The prediction passes through float32 on its way out, which keeps only seven digits.
def forward(x, w1, w2):
    h = x @ w1
    r = np.maximum(h, 0)
    return (r @ w2).astype(np.float32).astype(float), (x, h, r, w2)


# %% answer="forward" name="clip" loses="prediction"
# Hidden values are cut off at an upper limit. A ReLU has none: it only sets negative values
# to 0.
def forward(x, w1, w2):
    h = x @ w1
    r = np.clip(h, 0, 100)
    return r @ w2, (x, h, r, w2)


# %% answer="forward" name="buffer" loses="inputs_kept"
# Every call writes into the same array, so a new call changes what an earlier one returned.
BUF = {}


def forward(x, w1, w2):
    h = x @ w1
    r = np.maximum(h, 0)
    p = r @ w2
    b = BUF.setdefault(p.shape, np.empty(p.shape))
    b[...] = p
    return b, (x, h, r, w2)


# %% answer="loss_and_grad" name="overwrites" loses="sum mean"
# `pred -= y` writes into the array of the caller. `pred - y` makes a new one.
def loss_and_grad(pred, y, reduction="sum"):
    if pred.shape != y.shape or reduction not in ("sum", "mean"):
        raise ValueError(f"bad {reduction}")
    pred -= y
    n = pred.size if reduction == "mean" else 1
    return (pred**2).sum() / n, 2 * pred / n


# %% answer="loss_and_grad" name="half_shape" loses="shapes_differ"
# Comparing the number of axes and the first length is not enough: (4, 3) and (4, 1) agree in
# both. Compare the whole shapes.
def loss_and_grad(pred, y, reduction="sum"):
    if pred.ndim != y.ndim or len(pred) != len(y) or reduction not in ("sum", "mean"):
        raise ValueError(f"bad {reduction}")
    n = pred.size if reduction == "mean" else 1
    return ((pred - y) ** 2).sum() / n, 2 * (pred - y) / n


# %% answer="loss_and_grad" name="substring" loses="unknown_reduction"
# `in "sum mean"` looks for a piece of text, so "su" and the empty word are accepted. Compare
# with each word.
def loss_and_grad(pred, y, reduction="sum"):
    if pred.shape != y.shape or reduction not in "sum mean":
        raise ValueError(f"bad {reduction}")
    n = pred.size if reduction == "mean" else 1
    return ((pred - y) ** 2).sum() / n, 2 * (pred - y) / n


# %% answer="loss_and_grad" name="lower" loses="unknown_reduction"
# "Sum" is not "sum": only the two words as they are written in the task will do.
def loss_and_grad(pred, y, reduction="sum"):
    if pred.shape != y.shape or reduction.lower() not in ("sum", "mean"):
        raise ValueError(f"bad {reduction}")
    n = pred.size if reduction.lower() == "mean" else 1
    return ((pred - y) ** 2).sum() / n, 2 * (pred - y) / n


# %% answer="backward" name="threshold" loses="units_off"
# The mask asks for more than a small threshold. A unit is on as soon as its `h` is above 0,
# by however little.
def backward(cache, upstream):
    x, h, r, w2 = cache
    return x.T @ ((upstream @ w2.T) * (h > 0.01)), r.T @ upstream


# %% answer="backward" name="isclose" loses="units_off"
# The mask treats small values as 0. A unit is on as soon as its `h` is above 0, by however
# little.
def backward(cache, upstream):
    x, h, r, w2 = cache
    return x.T @ ((upstream @ w2.T) * ~np.isclose(r, 0)), r.T @ upstream


# %% answer="backward" name="returns_nothing" loses="inputs_kept"
# `backward` returns nothing yet. It should end with `return grad_w1, grad_w2`.
def backward(cache, upstream):
    pass


# %% answer="train" name="stops_early" loses="losses"
# Training stops when the loss is near 0. It was asked for `steps` steps.
def train(x, y, w1, w2, lr, steps, forward, loss_and_grad, backward):
    losses = []
    for _ in range(steps):
        pred, cache = forward(x, w1, w2)
        loss, up = loss_and_grad(pred, y)
        g1, g2 = backward(cache, up)
        losses.append(loss)
        if abs(loss) < 1e-12:
            break
        w1, w2 = w1 - lr * g1, w2 - lr * g2
    return losses, w1, w2


# %% answer="train" name="extra_call_at_zero" loses="calls"
# With no steps there is nothing to compute: `forward` is called all the same.
def train(x, y, w1, w2, lr, steps, forward, loss_and_grad, backward):
    losses = []
    if steps == 0:
        forward(x, w1, w2)
    for _ in range(steps):
        pred, cache = forward(x, w1, w2)
        loss, up = loss_and_grad(pred, y)
        g1, g2 = backward(cache, up)
        losses.append(loss)
        w1, w2 = w1 - lr * g1, w2 - lr * g2
    return losses, w1, w2


# %% answer="initialize" name="mirrored" loses="xavier he"
# Half of the weights are the others with their sign turned. They are not drawn independently.
def xavier(d_in, d_out, rng):
    a = np.sqrt(6 / (d_in + d_out))
    w = rng.uniform(-a, a, (d_in, (d_out + 1) // 2))
    return np.hstack([w, -w])[:, :d_out]


def he(d_in, d_out, rng):
    w = rng.normal(0, np.sqrt(2 / d_in), (d_in, (d_out + 1) // 2))
    return np.hstack([w, -w])[:, :d_out]


# %% answer="deferred" name="floats" loses="pythagoras"
# Values are turned into floats. Python adds and multiplies ints exactly; let it.
class Placeholder:
    def __init__(self, name, f=None):
        self.f = f or (lambda v: float(v[name]) if isinstance(v[name], int) else v[name])

    def __call__(self, **v):
        return self.f(v)


def _make(op):
    def left(self, o):
        return Placeholder("", lambda v: op(self.f(v), o.f(v) if isinstance(o, Placeholder) else o))

    def right(self, o):
        return Placeholder("", lambda v: op(o, self.f(v)))

    return left, right


import operator

for _n in ("add", "sub", "mul", "truediv", "pow"):
    _l, _r = _make(getattr(operator, _n))
    setattr(Placeholder, f"__{_n}__", _l)
    setattr(Placeholder, f"__r{_n}__", _r)


# %% answer="deferred" name="default_zero" loses="missing_value"
# A call without any value gives a number. The placeholder has none, and should say so with a
# KeyError.
class Placeholder:
    def __init__(self, name, f=None):
        self.f = f or (lambda v: v[name] if v else 0)

    def __call__(self, **v):
        return self.f(v)


def _make(op):
    def left(self, o):
        return Placeholder("", lambda v: op(self.f(v), o.f(v) if isinstance(o, Placeholder) else o))

    def right(self, o):
        return Placeholder("", lambda v: op(o, self.f(v)))

    return left, right


import operator

for _n in ("add", "sub", "mul", "truediv", "pow"):
    _l, _r = _make(getattr(operator, _n))
    setattr(Placeholder, f"__{_n}__", _l)
    setattr(Placeholder, f"__r{_n}__", _r)
