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
# ## central_difference


# %% answer="central_difference" name="forward_difference" loses="values any_shape two_calls"
# This is the forward difference: it compares with the middle instead of with the other side, and
# is off by something in the order of the step.
def central_difference(f, x, step=1e-5):
    x = np.array(x, dtype=float)
    grad = np.zeros(x.shape)
    for place in np.ndindex(x.shape):
        kept = x[place]
        low = f(x)
        x[place] = kept + step
        grad[place] = (f(x) - low) / step
        x[place] = kept
    return grad


# %% answer="central_difference" name="divides_by_one_step" loses="values any_shape"
# The two points are two steps apart, one up and one down. You divided by one.
def central_difference(f, x, step=1e-5):
    x = np.array(x, dtype=float)
    grad = np.zeros(x.shape)
    for place in np.ndindex(x.shape):
        kept = x[place]
        x[place] = kept + step
        high = f(x)
        x[place] = kept - step
        low = f(x)
        x[place] = kept
        grad[place] = (high - low) / step
    return grad


# %% answer="central_difference" name="moves_everything" loses="values"
# All entries move together, so that every entry of the result is the sum of all slopes. Move one
# at a time.
def central_difference(f, x, step=1e-5):
    x = np.asarray(x, dtype=float)
    return np.full(x.shape, (f(x + step) - f(x - step)) / (2 * step))


# %% answer="central_difference" name="never_goes_back" loses="values"
# An entry that has had its turn stays where it was moved to, so all later slopes are taken at
# another point.
def central_difference(f, x, step=1e-5):
    x = np.array(x, dtype=float)
    grad = np.zeros(x.shape)
    for place in np.ndindex(x.shape):
        x[place] += step
        high = f(x)
        x[place] -= 2 * step
        grad[place] = (high - f(x)) / (2 * step)
    return grad


# %% answer="central_difference" name="in_the_callers_array" loses="two_calls"
# Your function moves the entries of the caller's own array. Taking the step back leaves a
# rounding behind, or the steps are not all taken back. Work on a copy.
def central_difference(f, x, step=1e-5):
    x = np.asarray(x, dtype=float)
    grad = np.zeros(x.shape)
    for place in np.ndindex(x.shape):
        x[place] += step
        high = f(x)
        x[place] -= 2 * step
        low = f(x)
        grad[place] = (high - low) / (2 * step)
    return grad


# %% answer="central_difference" name="keeps_integers" loses="any_shape"
# An array of integers stays one: 1 + 0.5 becomes 1 again when it is written back. Copy into
# float64 first.
def central_difference(f, x, step=1e-5):
    x = x.copy()
    grad = np.zeros(x.shape)
    for place in np.ndindex(x.shape):
        kept = x[place]
        x[place] = kept + step
        high = f(x)
        x[place] = kept - step
        low = f(x)
        x[place] = kept
        grad[place] = (high - low) / (2 * step)
    return grad


# %% answer="central_difference" name="integer_result" loses="any_shape"
# The result has the dtype of `x`: for integers every slope is cut to a whole number, for float32
# to seven digits. The result is float64.
def central_difference(f, x, step=1e-5):
    grad = np.zeros_like(x)
    y = np.array(x, dtype=float)
    for place in np.ndindex(y.shape):
        kept = y[place]
        y[place] = kept + step
        high = f(y)
        y[place] = kept - step
        low = f(y)
        y[place] = kept
        grad[place] = (high - low) / (2 * step)
    return grad


# %% answer="central_difference" name="first_axis_only" loses="values any_shape"
# Your loop walks along the first axis and moves a whole row at once. In a matrix each single
# entry is a place of its own; `np.ndindex` walks over all of them.
def central_difference(f, x, step=1e-5):
    x = np.array(x, dtype=float)
    grad = np.zeros(x.shape)
    for i in range(len(x)):
        kept = np.copy(x[i])
        x[i] = kept + step
        high = f(x)
        x[i] = kept - step
        low = f(x)
        x[i] = kept
        grad[i] = (high - low) / (2 * step)
    return grad


# %% answer="central_difference" name="flat_result" loses="values any_shape"
# The slopes are right, but they come in one flat row. The result has the shape of `x`.
def central_difference(f, x, step=1e-5):
    x = np.array(x, dtype=float)
    grad = []
    for place in np.ndindex(x.shape):
        move = np.zeros(x.shape)
        move[place] = step
        grad.append((f(x + move) - f(x - move)) / (2 * step))
    return np.array(grad)


# %% answer="central_difference" name="own_step" loses="values any_shape"
# The step is fixed inside your function. Use the one that is given; 1e-5 is only what holds when
# nothing is said.
def central_difference(f, x, step=1e-5):
    x, step = np.array(x, dtype=float), 1e-5
    grad = np.zeros(x.shape)
    for place in np.ndindex(x.shape):
        move = np.zeros(x.shape)
        move[place] = step
        grad[place] = (f(x + move) - f(x - move)) / (2 * step)
    return grad


# %% answer="central_difference" name="relative_step" loses="values"
# The step is scaled with the entry. That is a good idea elsewhere, but here the task says by how
# much to move.
def central_difference(f, x, step=1e-5):
    x = np.array(x, dtype=float)
    grad = np.zeros(x.shape)
    for place in np.ndindex(x.shape):
        h = step * max(1.0, abs(x[place]))
        move = np.zeros(x.shape)
        move[place] = h
        grad[place] = (f(x + move) - f(x - move)) / (2 * h)
    return grad


# %% answer="central_difference" name="sign" loses="values any_shape"
# The slope has the wrong sign: the value after a step up comes first, then the one after a step
# down is subtracted.
def central_difference(f, x, step=1e-5):
    x = np.array(x, dtype=float)
    grad = np.zeros(x.shape)
    for place in np.ndindex(x.shape):
        move = np.zeros(x.shape)
        move[place] = step
        grad[place] = (f(x - move) - f(x + move)) / (2 * step)
    return grad


# %% answer="central_difference" name="third_evaluation" loses="values two_calls"
# The result is right, but it takes more than two evaluations for each entry. On a net, every one
# of them is a forward pass.
def central_difference(f, x, step=1e-5):
    x = np.array(x, dtype=float)
    grad = np.zeros(x.shape)
    for place in np.ndindex(x.shape):
        here = f(x)
        move = np.zeros(x.shape)
        move[place] = step
        up, down = (f(x + move) - here) / step, (here - f(x - move)) / step
        grad[place] = (up + down) / 2
    return grad


# %% answer="central_difference" name="float32" loses="values any_shape two_calls"
# The numbers pass through float32. Its seven digits leave next to nothing when two values of f
# are subtracted.
def central_difference(f, x, step=1e-5):
    x = np.array(x, dtype=np.float32)
    grad = np.zeros(x.shape)
    for place in np.ndindex(x.shape):
        move = np.zeros(x.shape, dtype=np.float32)
        move[place] = step
        grad[place] = (f(x + move) - f(x - move)) / (2 * step)
    return grad


# %% answer="central_difference" name="forgets_return" loses="values any_shape two_calls"
# The slopes are computed, and then nothing is returned.
def central_difference(f, x, step=1e-5):
    x = np.array(x, dtype=float)
    grad = np.zeros(x.shape)
    for place in np.ndindex(x.shape):
        move = np.zeros(x.shape)
        move[place] = step
        grad[place] = (f(x + move) - f(x - move)) / (2 * step)


# %% answer="central_difference" name="wider_stencil" loses="values two_calls"
# Four points instead of two: more exact for smooth functions, and another formula than the one
# that is asked for.
def central_difference(f, x, step=1e-5):
    x = np.array(x, dtype=float)
    grad = np.zeros(x.shape)
    for place in np.ndindex(x.shape):
        e = np.zeros(x.shape)
        e[place] = step
        near, far = f(x + e) - f(x - e), f(x + 2 * e) - f(x - 2 * e)
        grad[place] = (8 * near - far) / (12 * step)
    return grad


# %% answer="central_difference" name="writes_into_a_reshaped_copy" loses="any_shape"
# `reshape(-1)` of an array whose entries lie in another order, as those of a transposed one do, is
# a copy. What is written into it, a step or a slope, is lost.
def central_difference(f, x, step=1e-5):
    x = np.array(x, dtype=np.float64)
    grad = np.zeros_like(x)
    for k in range(x.size):
        values = []
        for end in (step, -step):
            moved = x.copy()
            moved.reshape(-1)[k] += end
            values.append(f(moved))
        grad.reshape(-1)[k] = (values[0] - values[1]) / (2 * step)
    return grad


# %% answer="central_difference" name="one_array_for_all" loses="values"
# The result of the next call is written into the array that the last call returned, so earlier
# results change afterwards. Make a fresh array in each call.
BUFFERS = {}


def central_difference(f, x, step=1e-5):
    x = np.array(x, dtype=np.float64, order="C")
    grad = BUFFERS.setdefault(x.shape, np.zeros(x.shape))
    for place in np.ndindex(x.shape):
        kept = x[place]
        x[place] = kept + step
        high = f(x)
        x[place] = kept - step
        low = f(x)
        x[place] = kept
        grad[place] = (high - low) / (2 * step)
    return grad


# %% answer="central_difference" name="step_within_limits" loses="values"
# You replaced the step where it seemed too small or too large. The step that is asked for is the
# step to take.
def central_difference(f, x, step=1e-5):
    x = np.array(x, dtype=np.float64, order="C")
    step = min(max(step, 1e-6), 2.0)
    grad = np.zeros(x.shape)
    for place in np.ndindex(x.shape):
        kept = x[place]
        x[place] = kept + step
        high = f(x)
        x[place] = kept - step
        low = f(x)
        x[place] = kept
        grad[place] = (high - low) / (2 * step)
    return grad


# %% answer="central_difference" name="creeps_back" loses="two_calls"
# You move the caller's own `x` and add the steps up again to return. x + h − 2h + h is not x in
# floating point: the last digits have changed. Keep the value, and put it back.
def central_difference(f, x, step=1e-5):
    x = np.asarray(x, dtype=np.float64)
    grad = np.zeros(x.shape)
    for place in np.ndindex(x.shape):
        kept = x[place]
        x[place] += step
        high = f(x)
        x[place] -= 2 * step
        low = f(x)
        x[place] += step
        grad[place] = (high - low) / (2 * step)
    return grad


# %% answer="central_difference" name="small_is_zero" loses="values"
# A small difference of f is not zero: with a small step, or a small f, all of them are small.
def central_difference(f, x, step=1e-5):
    x = np.array(x, dtype=np.float64, order="C")
    grad = np.zeros(x.shape)
    for place in np.ndindex(x.shape):
        kept = x[place]
        x[place] = kept + step
        high = f(x)
        x[place] = kept - step
        low = f(x)
        x[place] = kept
        grad[place] = (high - low) / (2 * step) if abs(high - low) > 1e-12 else 0.0
    return grad


# %% [markdown]
# ## relative_error


# %% answer="relative_error" name="bare_formula" loses="zeros not_finite"
# The formula as it stands. Where both numbers are 0 it gives NaN, and NaN is what it makes of NaN
# and of infinities.
def relative_error(a, b):
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if a.shape != b.shape:
        raise ValueError("shapes")
    with np.errstate(all="ignore"):
        size = np.maximum(np.abs(a), np.abs(b))
        return np.abs(a / size - b / size)


# %% answer="relative_error" name="adds_1e8" loses="any_scale not_finite"
# Adding 1e-8 below the line avoids 0/0, and makes all numbers far below 1e-8 agree with each
# other.
def relative_error(a, b):
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if a.shape != b.shape:
        raise ValueError("shapes")
    return np.abs(a - b) / (np.maximum(np.abs(a), np.abs(b)) + 1e-8)


# %% answer="relative_error" name="floor_of_1e8" loses="zeros any_scale"
# Below 1e-8 your error is no longer relative: the size is replaced by a floor, and tiny numbers
# that have nothing in common seem to agree.
def relative_error(a, b):
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if a.shape != b.shape:
        raise ValueError("shapes")
    with np.errstate(all="ignore"):
        size = np.maximum(np.maximum(np.abs(a), np.abs(b)), 1e-8)
        error = np.where(a == b, 0.0, np.abs(a / size - b / size))
    return np.where(np.isnan(error), np.inf, error)


# %% answer="relative_error" name="divides_by_b" loses="values"
# You divide by the second number only. The error should be the same whichever of the two comes
# first.
def relative_error(a, b):
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if a.shape != b.shape:
        raise ValueError("shapes")
    with np.errstate(all="ignore"):
        error = np.where(a == b, 0.0, np.abs(a / np.abs(b) - b / np.abs(b)))
    return np.where(np.isnan(error), np.inf, error)


# %% answer="relative_error" name="divides_by_sum" loses="values zeros"
# You divide by the sum of the two sizes. Some books do; here it is the larger of the two.
def relative_error(a, b):
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if a.shape != b.shape:
        raise ValueError("shapes")
    with np.errstate(all="ignore"):
        size = np.abs(a) + np.abs(b)
        error = np.where(a == b, 0.0, np.abs(a / size - b / size))
    return np.where(np.isnan(error), np.inf, error)


# %% answer="relative_error" name="forgets_abs" loses="values"
# Sizes, not values, stand below the line. With negative numbers yours takes the wrong one, or the
# wrong sign.
def relative_error(a, b):
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if a.shape != b.shape:
        raise ValueError("shapes")
    with np.errstate(all="ignore"):
        size = np.maximum(a, b)
        error = np.where(a == b, 0.0, np.abs(a / size - b / size))
    return np.where(np.isnan(error), np.inf, error)


# %% answer="relative_error" name="signed" loses="values"
# An error is a size. Yours is negative where the first number is the smaller one.
def relative_error(a, b):
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if a.shape != b.shape:
        raise ValueError("shapes")
    with np.errstate(all="ignore"):
        size = np.maximum(np.abs(a), np.abs(b))
        error = np.where(a == b, 0.0, a / size - b / size)
    return np.where(np.isnan(error), np.inf, error)


# %% answer="relative_error" name="one_number" loses="values shapes"
# You return one number for the whole array, its largest error. Each pair of entries has its own.
def relative_error(a, b):
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if a.shape != b.shape:
        raise ValueError("shapes")
    with np.errstate(all="ignore"):
        size = np.maximum(np.abs(a), np.abs(b))
        error = np.where(a == b, 0.0, np.abs(a / size - b / size))
    return np.where(np.isnan(error), np.inf, error).max(initial=0.0)


# %% answer="relative_error" name="largest_of_the_array" loses="values"
# You divide every entry by the largest of the whole array. Then a small entry may be as wrong as
# it likes beside a large one.
def relative_error(a, b):
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if a.shape != b.shape:
        raise ValueError("shapes")
    with np.errstate(all="ignore"):
        size = max(np.abs(a).max(initial=0.0), np.abs(b).max(initial=0.0))
        error = np.where(a == b, 0.0, np.abs(a / size - b / size))
    return np.where(np.isnan(error), np.inf, error)


# %% answer="relative_error" name="nan_is_fine" loses="not_finite"
# NaN was turned into 0: the worst that can happen looks like perfect agreement.
def relative_error(a, b):
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if a.shape != b.shape:
        raise ValueError("shapes")
    with np.errstate(all="ignore"):
        size = np.maximum(np.abs(a), np.abs(b))
        return np.nan_to_num(np.abs(a / size - b / size))


# %% answer="relative_error" name="fmax_hides_nan" loses="not_finite"
# `np.fmax` passes over a NaN and takes the other number. But a NaN is never right, whatever
# stands beside it.
def relative_error(a, b):
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if a.shape != b.shape:
        raise ValueError("shapes")
    a, b = np.where(np.isnan(a), b, a), np.where(np.isnan(b), a, b)
    with np.errstate(all="ignore"):
        size = np.fmax(np.abs(a), np.abs(b))
        error = np.where(a == b, 0.0, np.abs(a / size - b / size))
    return np.where(np.isnan(error) & ~np.isnan(a), np.inf, np.nan_to_num(error))


# %% answer="relative_error" name="infinity_is_wrong" loses="not_finite"
# Two infinities of the same sign are equal, and the error of equal numbers is 0.
def relative_error(a, b):
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if a.shape != b.shape:
        raise ValueError("shapes")
    with np.errstate(all="ignore"):
        size = np.maximum(np.abs(a), np.abs(b))
        error = np.where(size == 0, 0.0, np.abs(a / size - b / size))
    return np.where(np.isnan(error), np.inf, error)


# %% answer="relative_error" name="subtracts_first" loses="any_scale"
# For numbers near the largest there are, a − b is infinite before you divide. Divide first.
def relative_error(a, b):
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if a.shape != b.shape:
        raise ValueError("shapes")
    with np.errstate(all="ignore"):
        error = np.abs(a - b) / np.maximum(np.abs(a), np.abs(b))
    error = np.where(a == b, 0.0, error)
    return np.where(np.isnan(error), np.inf, error)


# %% answer="relative_error" name="root_of_squares" loses="any_scale"
# The square of 1e-300 is 0 and the square of 1e300 infinite: squares lose half of the scale of
# float64.
def relative_error(a, b):
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if a.shape != b.shape:
        raise ValueError("shapes")
    with np.errstate(all="ignore"):
        error = np.sqrt((a - b) ** 2 / np.maximum(a**2, b**2))
    error = np.where(a == b, 0.0, error)
    return np.where(np.isnan(error), np.inf, error)


# %% answer="relative_error" name="broadcasts" loses="shapes"
# A row against a column broadcasts to a matrix of errors between entries that have nothing to do
# with each other. Shapes that differ are an error.
def relative_error(a, b):
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    with np.errstate(all="ignore"):
        size = np.maximum(np.abs(a), np.abs(b))
        error = np.abs(a / size - b / size)
    error = np.where(a == b, 0.0, error)
    return np.where(np.isnan(error), np.inf, error)


# %% answer="relative_error" name="counts_entries" loses="shapes"
# You compare the number of entries, not the shapes: (2, 3) and (3, 2) have six entries each.
def relative_error(a, b):
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if a.size != b.size:
        raise ValueError("sizes")
    b = b.reshape(a.shape)
    with np.errstate(all="ignore"):
        size = np.maximum(np.abs(a), np.abs(b))
        error = np.abs(a / size - b / size)
    error = np.where(a == b, 0.0, error)
    return np.where(np.isnan(error), np.inf, error)


# %% answer="relative_error" name="asserts_shapes" loses="shapes"
# Shapes that differ should raise ValueError, not AssertionError.
def relative_error(a, b):
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    assert a.shape == b.shape
    with np.errstate(all="ignore"):
        size = np.maximum(np.abs(a), np.abs(b))
        error = np.abs(a / size - b / size)
    error = np.where(a == b, 0.0, error)
    return np.where(np.isnan(error), np.inf, error)


# %% answer="relative_error" name="in_place" loses="values"
# Your function divides the caller's arrays by the size, in place. They should be as they were.
def relative_error(a, b):
    if np.shape(a) != np.shape(b):
        raise ValueError("shapes")
    with np.errstate(all="ignore"):
        size = np.maximum(np.abs(a), np.abs(b))
        equal = np.asarray(a == b)
        if np.ndim(a):
            a /= size
            b /= size
        else:
            a, b = a / size, b / size
        error = np.where(equal, 0.0, np.abs(a - b))
    return np.where(np.isnan(error), np.inf, error)


# %% [markdown]
# ## error_curve


# %% answer="error_curve" name="relative_errors" loses="central forward"
# You divide by the slope. The error that is asked for is the difference itself, as an absolute
# value.
def error_curve(f, slope, x, steps, method="central"):
    if method not in ("central", "forward"):
        raise ValueError(f"method is 'central' or 'forward', not {method!r}")
    errors = []
    for step in steps:
        if method == "central":
            estimate = (f(x + step) - f(x - step)) / (2 * step)
        else:
            estimate = (f(x + step) - f(x)) / step
        errors.append(abs(estimate - slope) / abs(slope))
    return np.array(errors, dtype=float)


def best_step(steps, errors):
    errors = np.where(np.isnan(errors), np.inf, errors)
    worst = [errors[max(0, k - 2) : k + 3].max() for k in range(len(errors))]
    return float(steps[int(np.argmin(worst))])


# %% answer="error_curve" name="signed_errors" loses="central forward"
# An error is a size; yours keep their sign, and the smallest of them would be the most negative.
def error_curve(f, slope, x, steps, method="central"):
    if method not in ("central", "forward"):
        raise ValueError(f"method is 'central' or 'forward', not {method!r}")
    errors = []
    for step in steps:
        if method == "central":
            estimate = (f(x + step) - f(x - step)) / (2 * step)
        else:
            estimate = (f(x + step) - f(x)) / step
        errors.append(slope - estimate)
    return np.array(errors, dtype=float)


def best_step(steps, errors):
    errors = np.where(np.isnan(errors), np.inf, errors)
    worst = [errors[max(0, k - 2) : k + 3].max() for k in range(len(errors))]
    return float(steps[int(np.argmin(worst))])


# %% answer="error_curve" name="central_is_forward" loses="central"
# Whatever the method, the forward difference is taken.
def error_curve(f, slope, x, steps, method="central"):
    if method not in ("central", "forward"):
        raise ValueError(f"method is 'central' or 'forward', not {method!r}")
    errors = []
    for step in steps:
        if method == "central":
            estimate = (f(x + step) - f(x)) / step
        else:
            estimate = (f(x + step) - f(x)) / step
        errors.append(abs(estimate - slope))
    return np.array(errors, dtype=float)


def best_step(steps, errors):
    errors = np.where(np.isnan(errors), np.inf, errors)
    worst = [errors[max(0, k - 2) : k + 3].max() for k in range(len(errors))]
    return float(steps[int(np.argmin(worst))])


# %% answer="error_curve" name="one_step_below" loses="central"
# The two points of a central difference are two steps apart.
def error_curve(f, slope, x, steps, method="central"):
    if method not in ("central", "forward"):
        raise ValueError(f"method is 'central' or 'forward', not {method!r}")
    errors = []
    for step in steps:
        if method == "central":
            estimate = (f(x + step) - f(x - step)) / step
        else:
            estimate = (f(x + step) - f(x)) / step
        errors.append(abs(estimate - slope))
    return np.array(errors, dtype=float)


def best_step(steps, errors):
    errors = np.where(np.isnan(errors), np.inf, errors)
    worst = [errors[max(0, k - 2) : k + 3].max() for k in range(len(errors))]
    return float(steps[int(np.argmin(worst))])


# %% answer="error_curve" name="backward_difference" loses="forward"
# That is the difference to the step behind, f(x) − f(x − step). For x² it is just as far off, to
# the other side; for other functions it is not the same.
def error_curve(f, slope, x, steps, method="central"):
    if method not in ("central", "forward"):
        raise ValueError(f"method is 'central' or 'forward', not {method!r}")
    errors = []
    for step in steps:
        if method == "central":
            estimate = (f(x + step) - f(x - step)) / (2 * step)
        else:
            estimate = (f(x) - f(x - step)) / step
        errors.append(abs(estimate - slope))
    return np.array(errors, dtype=float)


def best_step(steps, errors):
    errors = np.where(np.isnan(errors), np.inf, errors)
    worst = [errors[max(0, k - 2) : k + 3].max() for k in range(len(errors))]
    return float(steps[int(np.argmin(worst))])


# %% answer="error_curve" name="unknown_is_forward" loses="forward"
# A method that you do not know is quietly taken for "forward". A typing mistake should be an
# error.
def error_curve(f, slope, x, steps, method="central"):
    errors = []
    for step in steps:
        if method == "central":
            estimate = (f(x + step) - f(x - step)) / (2 * step)
        else:
            estimate = (f(x + step) - f(x)) / step
        errors.append(abs(estimate - slope))
    return np.array(errors, dtype=float)


def best_step(steps, errors):
    errors = np.where(np.isnan(errors), np.inf, errors)
    worst = [errors[max(0, k - 2) : k + 3].max() for k in range(len(errors))]
    return float(steps[int(np.argmin(worst))])


# %% answer="error_curve" name="nameless_complaint" loses="forward"
# The ValueError is right, but its message should say which word it was given.
def error_curve(f, slope, x, steps, method="central"):
    if method not in ("central", "forward"):
        raise ValueError("unknown method")
    errors = []
    for step in steps:
        if method == "central":
            estimate = (f(x + step) - f(x - step)) / (2 * step)
        else:
            estimate = (f(x + step) - f(x)) / step
        errors.append(abs(estimate - slope))
    return np.array(errors, dtype=float)


def best_step(steps, errors):
    errors = np.where(np.isnan(errors), np.inf, errors)
    worst = [errors[max(0, k - 2) : k + 3].max() for k in range(len(errors))]
    return float(steps[int(np.argmin(worst))])


# %% answer="error_curve" name="first_letter" loses="forward"
# Only the beginning of the word is looked at. Just the two words as written will do.
def error_curve(f, slope, x, steps, method="central"):
    if not method.lower().startswith(("c", "f")):
        raise ValueError(f"method is 'central' or 'forward', not {method!r}")
    errors = []
    for step in steps:
        if method.lower().startswith("c"):
            estimate = (f(x + step) - f(x - step)) / (2 * step)
        else:
            estimate = (f(x + step) - f(x)) / step
        errors.append(abs(estimate - slope))
    return np.array(errors, dtype=float)


def best_step(steps, errors):
    errors = np.where(np.isnan(errors), np.inf, errors)
    worst = [errors[max(0, k - 2) : k + 3].max() for k in range(len(errors))]
    return float(steps[int(np.argmin(worst))])


# %% answer="error_curve" name="sorted_steps" loses="central forward"
# The errors belong to the steps in sorted order, not in the order in which they were given.
def error_curve(f, slope, x, steps, method="central"):
    if method not in ("central", "forward"):
        raise ValueError(f"method is 'central' or 'forward', not {method!r}")
    errors = []
    for step in sorted(steps):
        if method == "central":
            estimate = (f(x + step) - f(x - step)) / (2 * step)
        else:
            estimate = (f(x + step) - f(x)) / step
        errors.append(abs(estimate - slope))
    return np.array(errors, dtype=float)


def best_step(steps, errors):
    errors = np.where(np.isnan(errors), np.inf, errors)
    worst = [errors[max(0, k - 2) : k + 3].max() for k in range(len(errors))]
    return float(steps[int(np.argmin(worst))])


# %% answer="error_curve" name="list_of_errors" loses="central forward"
# The errors are right, but they come as a list; the task asks for an array.
def error_curve(f, slope, x, steps, method="central"):
    if method not in ("central", "forward"):
        raise ValueError(f"method is 'central' or 'forward', not {method!r}")
    errors = []
    for step in steps:
        if method == "central":
            estimate = (f(x + step) - f(x - step)) / (2 * step)
        else:
            estimate = (f(x + step) - f(x)) / step
        errors.append(abs(estimate - slope))
    return list(errors)


def best_step(steps, errors):
    errors = np.where(np.isnan(errors), np.inf, errors)
    worst = [errors[max(0, k - 2) : k + 3].max() for k in range(len(errors))]
    return float(steps[int(np.argmin(worst))])


# %% answer="error_curve" name="plain_argmin" loses="best luck"
# You take the step with the smallest error of all. One lucky cancellation, an error of 0 between
# two large ones, and that step wins.
def error_curve(f, slope, x, steps, method="central"):
    if method not in ("central", "forward"):
        raise ValueError(f"method is 'central' or 'forward', not {method!r}")
    errors = []
    for step in steps:
        if method == "central":
            estimate = (f(x + step) - f(x - step)) / (2 * step)
        else:
            estimate = (f(x + step) - f(x)) / step
        errors.append(abs(estimate - slope))
    return np.array(errors, dtype=float)


def best_step(steps, errors):
    errors = np.where(np.isnan(errors), np.inf, errors)
    worst = [errors[k] for k in range(len(errors))]
    return float(steps[int(np.argmin(worst))])


# %% answer="error_curve" name="window_of_three" loses="best luck"
# You look at one neighbor on each side. It should be two.
def error_curve(f, slope, x, steps, method="central"):
    if method not in ("central", "forward"):
        raise ValueError(f"method is 'central' or 'forward', not {method!r}")
    errors = []
    for step in steps:
        if method == "central":
            estimate = (f(x + step) - f(x - step)) / (2 * step)
        else:
            estimate = (f(x + step) - f(x)) / step
        errors.append(abs(estimate - slope))
    return np.array(errors, dtype=float)


def best_step(steps, errors):
    errors = np.where(np.isnan(errors), np.inf, errors)
    worst = [errors[max(0, k - 1) : k + 2].max() for k in range(len(errors))]
    return float(steps[int(np.argmin(worst))])


# %% answer="error_curve" name="window_wraps" loses="best"
# At the beginning of the list the slice starts at a negative place, which counts from the back
# and is empty or wrong there.
def error_curve(f, slope, x, steps, method="central"):
    if method not in ("central", "forward"):
        raise ValueError(f"method is 'central' or 'forward', not {method!r}")
    errors = []
    for step in steps:
        if method == "central":
            estimate = (f(x + step) - f(x - step)) / (2 * step)
        else:
            estimate = (f(x + step) - f(x)) / step
        errors.append(abs(estimate - slope))
    return np.array(errors, dtype=float)


def best_step(steps, errors):
    errors = np.where(np.isnan(errors), np.inf, errors)
    worst = [
        max(errors[j] for j in range(k - 2, min(k + 3, len(errors)))) for k in range(len(errors))
    ]
    return float(steps[int(np.argmin(worst))])


# %% answer="error_curve" name="window_behind_only" loses="best luck"
# The window reaches only to one side of the step.
def error_curve(f, slope, x, steps, method="central"):
    if method not in ("central", "forward"):
        raise ValueError(f"method is 'central' or 'forward', not {method!r}")
    errors = []
    for step in steps:
        if method == "central":
            estimate = (f(x + step) - f(x - step)) / (2 * step)
        else:
            estimate = (f(x + step) - f(x)) / step
        errors.append(abs(estimate - slope))
    return np.array(errors, dtype=float)


def best_step(steps, errors):
    errors = np.where(np.isnan(errors), np.inf, errors)
    worst = [errors[k : k + 3].max() for k in range(len(errors))]
    return float(steps[int(np.argmin(worst))])


# %% answer="error_curve" name="mean_of_five" loses="best luck"
# You take the mean of the five. A lucky zero makes a mean better, but it does not make the worst
# of five better.
def error_curve(f, slope, x, steps, method="central"):
    if method not in ("central", "forward"):
        raise ValueError(f"method is 'central' or 'forward', not {method!r}")
    errors = []
    for step in steps:
        if method == "central":
            estimate = (f(x + step) - f(x - step)) / (2 * step)
        else:
            estimate = (f(x + step) - f(x)) / step
        errors.append(abs(estimate - slope))
    return np.array(errors, dtype=float)


def best_step(steps, errors):
    errors = np.where(np.isnan(errors), np.inf, errors)
    worst = [errors[max(0, k - 2) : k + 3].mean() for k in range(len(errors))]
    return float(steps[int(np.argmin(worst))])


# %% answer="error_curve" name="best_of_five" loses="best luck"
# You take the best of the five where the worst is asked for.
def error_curve(f, slope, x, steps, method="central"):
    if method not in ("central", "forward"):
        raise ValueError(f"method is 'central' or 'forward', not {method!r}")
    errors = []
    for step in steps:
        if method == "central":
            estimate = (f(x + step) - f(x - step)) / (2 * step)
        else:
            estimate = (f(x + step) - f(x)) / step
        errors.append(abs(estimate - slope))
    return np.array(errors, dtype=float)


def best_step(steps, errors):
    errors = np.where(np.isnan(errors), np.inf, errors)
    worst = [errors[max(0, k - 2) : k + 3].min() for k in range(len(errors))]
    return float(steps[int(np.argmin(worst))])


# %% answer="error_curve" name="full_windows_only" loses="best"
# Steps near the ends are left out, because their window is not whole. They count, with those
# neighbors that there are.
def error_curve(f, slope, x, steps, method="central"):
    if method not in ("central", "forward"):
        raise ValueError(f"method is 'central' or 'forward', not {method!r}")
    errors = []
    for step in steps:
        if method == "central":
            estimate = (f(x + step) - f(x - step)) / (2 * step)
        else:
            estimate = (f(x + step) - f(x)) / step
        errors.append(abs(estimate - slope))
    return np.array(errors, dtype=float)


def best_step(steps, errors):
    errors = np.where(np.isnan(errors), np.inf, errors)
    worst = [errors[max(0, k - 2) : k + 3].max() for k in range(len(errors))]
    if len(worst) > 4:
        worst[:2] = worst[-2:] = [np.inf, np.inf]
    return float(steps[int(np.argmin(worst))])


# %% answer="error_curve" name="nan_kept" loses="luck"
# NaN was not made large. A maximum with a NaN in it is NaN, and argmin takes NaN for the smallest
# of all.
def error_curve(f, slope, x, steps, method="central"):
    if method not in ("central", "forward"):
        raise ValueError(f"method is 'central' or 'forward', not {method!r}")
    errors = []
    for step in steps:
        if method == "central":
            estimate = (f(x + step) - f(x - step)) / (2 * step)
        else:
            estimate = (f(x + step) - f(x)) / step
        errors.append(abs(estimate - slope))
    return np.array(errors, dtype=float)


def best_step(steps, errors):
    errors = np.asarray(errors)
    worst = [errors[max(0, k - 2) : k + 3].max() for k in range(len(errors))]
    return float(steps[int(np.argmin(worst))])


# %% answer="error_curve" name="nan_left_out" loses="luck"
# A NaN is passed over, as if that step had not been tried. It was, and it failed: NaN counts as
# infinitely bad.
def error_curve(f, slope, x, steps, method="central"):
    if method not in ("central", "forward"):
        raise ValueError(f"method is 'central' or 'forward', not {method!r}")
    errors = []
    for step in steps:
        if method == "central":
            estimate = (f(x + step) - f(x - step)) / (2 * step)
        else:
            estimate = (f(x + step) - f(x)) / step
        errors.append(abs(estimate - slope))
    return np.array(errors, dtype=float)


def best_step(steps, errors):
    errors = np.where(np.isnan(errors), 0.0, errors)
    worst = [errors[max(0, k - 2) : k + 3].max() for k in range(len(errors))]
    return float(steps[int(np.argmin(worst))])


# %% answer="error_curve" name="place_not_step" loses="best luck"
# That is the place of the step in the list. The step itself is asked for.
def error_curve(f, slope, x, steps, method="central"):
    if method not in ("central", "forward"):
        raise ValueError(f"method is 'central' or 'forward', not {method!r}")
    errors = []
    for step in steps:
        if method == "central":
            estimate = (f(x + step) - f(x - step)) / (2 * step)
        else:
            estimate = (f(x + step) - f(x)) / step
        errors.append(abs(estimate - slope))
    return np.array(errors, dtype=float)


def best_step(steps, errors):
    errors = np.where(np.isnan(errors), np.inf, errors)
    worst = [errors[max(0, k - 2) : k + 3].max() for k in range(len(errors))]
    return int(np.argmin(worst))


# %% answer="error_curve" name="error_not_step" loses="best luck"
# That is the error, not the step.
def error_curve(f, slope, x, steps, method="central"):
    if method not in ("central", "forward"):
        raise ValueError(f"method is 'central' or 'forward', not {method!r}")
    errors = []
    for step in steps:
        if method == "central":
            estimate = (f(x + step) - f(x - step)) / (2 * step)
        else:
            estimate = (f(x + step) - f(x)) / step
        errors.append(abs(estimate - slope))
    return np.array(errors, dtype=float)


def best_step(steps, errors):
    errors = np.where(np.isnan(errors), np.inf, errors)
    worst = [errors[max(0, k - 2) : k + 3].max() for k in range(len(errors))]
    return float(min(worst))


# %% answer="error_curve" name="last_of_several" loses="best"
# Of several equally good steps you take the last. The task says the first.
def error_curve(f, slope, x, steps, method="central"):
    if method not in ("central", "forward"):
        raise ValueError(f"method is 'central' or 'forward', not {method!r}")
    errors = []
    for step in steps:
        if method == "central":
            estimate = (f(x + step) - f(x - step)) / (2 * step)
        else:
            estimate = (f(x + step) - f(x)) / step
        errors.append(abs(estimate - slope))
    return np.array(errors, dtype=float)


def best_step(steps, errors):
    errors = np.where(np.isnan(errors), np.inf, errors)
    worst = [errors[max(0, k - 2) : k + 3].max() for k in range(len(errors))]
    return float(steps[len(worst) - 1 - int(np.argmin(worst[::-1]))])


# %% answer="error_curve" name="writes_into_errors" loses="luck"
# NaN was replaced in the caller's own array. It should be as it was.
def error_curve(f, slope, x, steps, method="central"):
    if method not in ("central", "forward"):
        raise ValueError(f"method is 'central' or 'forward', not {method!r}")
    errors = []
    for step in steps:
        if method == "central":
            estimate = (f(x + step) - f(x - step)) / (2 * step)
        else:
            estimate = (f(x + step) - f(x)) / step
        errors.append(abs(estimate - slope))
    return np.array(errors, dtype=float)


def best_step(steps, errors):
    errors = np.asarray(errors)
    errors[np.isnan(errors)] = np.inf
    worst = [errors[max(0, k - 2) : k + 3].max() for k in range(len(errors))]
    return float(steps[int(np.argmin(worst))])


# %% answer="error_curve" name="arrays_only" loses="best"
# Lists have no `.max()` and cannot be compared entry by entry. Steps and errors may be lists.
def error_curve(f, slope, x, steps, method="central"):
    if method not in ("central", "forward"):
        raise ValueError(f"method is 'central' or 'forward', not {method!r}")
    errors = []
    for step in steps:
        if method == "central":
            estimate = (f(x + step) - f(x - step)) / (2 * step)
        else:
            estimate = (f(x + step) - f(x)) / step
        errors.append(abs(estimate - slope))
    return np.array(errors, dtype=float)


def best_step(steps, errors):
    errors = errors.copy()
    errors[np.isnan(errors)] = np.inf
    worst = [errors[max(0, k - 2) : k + 3].max() for k in range(len(errors))]
    return float(steps[int(np.argmin(worst))])


# %% answer="error_curve" name="word_inside" loses="forward"
# A word that contains `forward` is another word. Compare with == or in a tuple of the two.
def error_curve(f, slope, x, steps, method="central"):
    if method == "central":
        found = [(f(x + h) - f(x - h)) / (2 * h) for h in steps]
    elif "forward" in method:
        found = [(f(x + h) - f(x)) / h for h in steps]
    else:
        raise ValueError(f"method: {method!r}")
    return np.abs(np.array(found, dtype=float) - slope)


def best_step(steps, errors):
    errors = np.where(np.isnan(errors), np.inf, errors)
    worst = [errors[max(0, k - 2) : k + 3].max() for k in range(len(errors))]
    return float(steps[int(np.argmin(worst))])


# %% answer="error_curve" name="best_below_one" loses="best"
# The search begins with an error of 1 as the best so far, so larger errors can never be chosen.
# Begin with the first, or with infinity.
def error_curve(f, slope, x, steps, method="central"):
    if method == "central":
        found = [(f(x + h) - f(x - h)) / (2 * h) for h in steps]
    elif method == "forward":
        found = [(f(x + h) - f(x)) / h for h in steps]
    else:
        raise ValueError(f"method: {method!r}")
    return np.abs(np.array(found, dtype=float) - slope)


def best_step(steps, errors):
    errors = np.where(np.isnan(errors), np.inf, errors)
    worst = [errors[max(0, k - 2) : k + 3].max() for k in range(len(errors))]
    top, found = 1.0, None
    for s, v in zip(steps, worst):
        if v < top:
            top, found = v, s
    return found


# %% answer="error_curve" name="none_if_all_bad" loses="luck"
# If all errors are infinitely bad, none is smaller than the infinity you begin with, and nothing
# is chosen. All are equally good then, and the first is asked for.
def error_curve(f, slope, x, steps, method="central"):
    if method == "central":
        found = [(f(x + h) - f(x - h)) / (2 * h) for h in steps]
    elif method == "forward":
        found = [(f(x + h) - f(x)) / h for h in steps]
    else:
        raise ValueError(f"method: {method!r}")
    return np.abs(np.array(found, dtype=float) - slope)


def best_step(steps, errors):
    errors = np.where(np.isnan(errors), np.inf, errors)
    worst = [errors[max(0, k - 2) : k + 3].max() for k in range(len(errors))]
    top, found = np.inf, None
    for s, v in zip(steps, worst):
        if v < top:
            top, found = v, s
    return found


# %% answer="error_curve" name="nan_is_one" loses="luck"
# NaN became some number, which is bad only as long as the other errors are smaller. It should be
# worse than any.
def error_curve(f, slope, x, steps, method="central"):
    if method == "central":
        found = [(f(x + h) - f(x - h)) / (2 * h) for h in steps]
    elif method == "forward":
        found = [(f(x + h) - f(x)) / h for h in steps]
    else:
        raise ValueError(f"method: {method!r}")
    return np.abs(np.array(found, dtype=float) - slope)


def best_step(steps, errors):
    errors = np.where(np.isnan(errors), 1.0, errors)
    worst = [errors[max(0, k - 2) : k + 3].max() for k in range(len(errors))]
    return float(steps[int(np.argmin(worst))])


# %% [markdown]
# ## complex_step


# %% answer="complex_step" name="real_part" loses="values one_call"
# The real part is the value of f. The slope is in the imaginary part.
def complex_step(f, x, step=1e-30):
    moved = np.array(x, dtype=complex)
    grad = np.zeros(moved.shape)
    for place in np.ndindex(moved.shape):
        kept = moved[place]
        moved[place] = kept + 1j * step
        value = f(moved)
        moved[place] = kept
        if not np.iscomplexobj(value):
            raise ValueError("f gave a real number; it has to carry complex ones through")
        grad[place] = np.real(value) / step
    return grad


# %% answer="complex_step" name="absolute_value" loses="values one_call"
# The size of the complex number is that of the value, with next to nothing of the slope in it.
def complex_step(f, x, step=1e-30):
    moved = np.array(x, dtype=complex)
    grad = np.zeros(moved.shape)
    for place in np.ndindex(moved.shape):
        kept = moved[place]
        moved[place] = kept + 1j * step
        value = f(moved)
        moved[place] = kept
        if not np.iscomplexobj(value):
            raise ValueError("f gave a real number; it has to carry complex ones through")
        grad[place] = np.abs(value) / step
    return grad


# %% answer="complex_step" name="not_divided" loses="values one_call"
# The imaginary part is step times the slope. Divide by the step.
def complex_step(f, x, step=1e-30):
    moved = np.array(x, dtype=complex)
    grad = np.zeros(moved.shape)
    for place in np.ndindex(moved.shape):
        kept = moved[place]
        moved[place] = kept + 1j * step
        value = f(moved)
        moved[place] = kept
        if not np.iscomplexobj(value):
            raise ValueError("f gave a real number; it has to carry complex ones through")
        grad[place] = np.imag(value)
    return grad


# %% answer="complex_step" name="divided_by_two_steps" loses="values one_call"
# There is only one step here, and no second point. Divide by it once.
def complex_step(f, x, step=1e-30):
    moved = np.array(x, dtype=complex)
    grad = np.zeros(moved.shape)
    for place in np.ndindex(moved.shape):
        kept = moved[place]
        moved[place] = kept + 1j * step
        value = f(moved)
        moved[place] = kept
        if not np.iscomplexobj(value):
            raise ValueError("f gave a real number; it has to carry complex ones through")
        grad[place] = np.imag(value) / (2 * step)
    return grad


# %% answer="complex_step" name="real_step" loses="values one_call"
# The step goes in the real direction, so nothing happens to the imaginary part.
def complex_step(f, x, step=1e-30):
    moved = np.array(x, dtype=complex)
    grad = np.zeros(moved.shape)
    for place in np.ndindex(moved.shape):
        kept = moved[place]
        moved[place] = kept + step
        value = f(moved)
        moved[place] = kept
        if not np.iscomplexobj(value):
            raise ValueError("f gave a real number; it has to carry complex ones through")
        grad[place] = np.imag(value) / step
    return grad


# %% answer="complex_step" name="all_at_once" loses="values one_call"
# All entries take their step together; the result is the sum of all slopes.
def complex_step(f, x, step=1e-30):
    moved = np.array(x, dtype=complex)
    grad = np.zeros(moved.shape)
    for place in np.ndindex(moved.shape):
        kept = moved[place]
        moved = moved + 1j * step
        value = f(moved)
        moved = moved - 1j * step
        if not np.iscomplexobj(value):
            raise ValueError("f gave a real number; it has to carry complex ones through")
        grad[place] = np.imag(value) / step
    return grad


# %% answer="complex_step" name="never_goes_back" loses="values one_call"
# An entry that has taken its step stays there, so that later slopes are sums.
def complex_step(f, x, step=1e-30):
    moved = np.array(x, dtype=complex)
    grad = np.zeros(moved.shape)
    for place in np.ndindex(moved.shape):
        kept = moved[place]
        moved[place] = kept + 1j * step
        value = f(moved)
        if not np.iscomplexobj(value):
            raise ValueError("f gave a real number; it has to carry complex ones through")
        grad[place] = np.imag(value) / step
    return grad


# %% answer="complex_step" name="large_step" loses="values"
# With a step as large as in a difference there is an error again, in the order of its square. Use
# the step that is given.
def complex_step(f, x, step=1e-30):
    step = 1e-4
    moved = np.array(x, dtype=complex)
    grad = np.zeros(moved.shape)
    for place in np.ndindex(moved.shape):
        kept = moved[place]
        moved[place] = kept + 1j * step
        value = f(moved)
        moved[place] = kept
        if not np.iscomplexobj(value):
            raise ValueError("f gave a real number; it has to carry complex ones through")
        grad[place] = np.imag(value) / step
    return grad


# %% answer="complex_step" name="own_step" loses="values"
# The step is fixed inside your function. Use the one that is given.
def complex_step(f, x, step=1e-30):
    step = 1e-30
    moved = np.array(x, dtype=complex)
    grad = np.zeros(moved.shape)
    for place in np.ndindex(moved.shape):
        kept = moved[place]
        moved[place] = kept + 1j * step
        value = f(moved)
        moved[place] = kept
        if not np.iscomplexobj(value):
            raise ValueError("f gave a real number; it has to carry complex ones through")
        grad[place] = np.imag(value) / step
    return grad


# %% answer="complex_step" name="negative" loses="values one_call"
# A step along −i gives minus the slope.
def complex_step(f, x, step=1e-30):
    moved = np.array(x, dtype=complex)
    grad = np.zeros(moved.shape)
    for place in np.ndindex(moved.shape):
        kept = moved[place]
        moved[place] = kept - 1j * step
        value = f(moved)
        moved[place] = kept
        if not np.iscomplexobj(value):
            raise ValueError("f gave a real number; it has to carry complex ones through")
        grad[place] = np.imag(value) / step
    return grad


# %% answer="complex_step" name="real_is_zero" loses="dropped"
# A function that drops the imaginary part seems to have slope 0 everywhere. Say so, instead of
# returning zeros.
def complex_step(f, x, step=1e-30):
    moved = np.array(x, dtype=complex)
    grad = np.zeros(moved.shape)
    for place in np.ndindex(moved.shape):
        kept = moved[place]
        moved[place] = kept + 1j * step
        value = f(moved)
        moved[place] = kept
        grad[place] = np.imag(value) / step
    return grad


# %% answer="complex_step" name="zero_slope_refused" loses="dropped"
# An imaginary part of 0 is a slope of 0. It is the *type* that tells whether complex numbers came
# through.
def complex_step(f, x, step=1e-30):
    moved = np.array(x, dtype=complex)
    grad = np.zeros(moved.shape)
    for place in np.ndindex(moved.shape):
        kept = moved[place]
        moved[place] = kept + 1j * step
        value = f(moved)
        moved[place] = kept
        if np.imag(value) == 0:
            raise ValueError("f gave a real number; it has to carry complex ones through")
        grad[place] = np.imag(value) / step
    return grad


# %% answer="complex_step" name="instances_of_complex" loses="dropped"
# You ask for Python's own `complex` only. NumPy's complex numbers are complex as well.
def complex_step(f, x, step=1e-30):
    moved = np.array(x, dtype=complex)
    grad = np.zeros(moved.shape)
    for place in np.ndindex(moved.shape):
        kept = moved[place]
        moved[place] = kept + 1j * step
        value = f(moved)
        moved[place] = kept
        if type(value) is not complex:
            raise ValueError("f gave a real number; it has to carry complex ones through")
        grad[place] = np.imag(value) / step
    return grad


# %% answer="complex_step" name="first_entry_only" loses="dropped"
# You look at what came back for one entry only. Another may have dropped its imaginary part.
def complex_step(f, x, step=1e-30):
    moved = np.array(x, dtype=complex)
    grad = np.zeros(moved.shape)
    for place in np.ndindex(moved.shape):
        kept = moved[place]
        moved[place] = kept + 1j * step
        value = f(moved)
        moved[place] = kept
        if not any(place) and not np.iscomplexobj(value):
            raise ValueError("f gave a real number; it has to carry complex ones through")
        grad[place] = np.imag(value) / step
    return grad


# %% answer="complex_step" name="type_error" loses="dropped"
# The complaint is a TypeError; the task asks for a ValueError.
def complex_step(f, x, step=1e-30):
    moved = np.array(x, dtype=complex)
    grad = np.zeros(moved.shape)
    for place in np.ndindex(moved.shape):
        kept = moved[place]
        moved[place] = kept + 1j * step
        value = f(moved)
        moved[place] = kept
        if not np.iscomplexobj(value):
            raise TypeError("f gave a real number; it has to carry complex ones through")
        grad[place] = np.imag(value) / step
    return grad


# %% answer="complex_step" name="wordless_complaint" loses="dropped"
# The message should have the word "complex" in it, so that the reader knows what is missing.
def complex_step(f, x, step=1e-30):
    moved = np.array(x, dtype=complex)
    grad = np.zeros(moved.shape)
    for place in np.ndindex(moved.shape):
        kept = moved[place]
        moved[place] = kept + 1j * step
        value = f(moved)
        moved[place] = kept
        if not np.iscomplexobj(value):
            raise ValueError("bad f")
        grad[place] = np.imag(value) / step
    return grad


# %% answer="complex_step" name="two_calls_per_entry" loses="one_call"
# One evaluation is enough: value and slope come in one number.
def complex_step(f, x, step=1e-30):
    moved = np.array(x, dtype=complex)
    grad = np.zeros(moved.shape)
    for place in np.ndindex(moved.shape):
        kept = moved[place]
        moved[place] = kept + 1j * step
        value = f(moved)
        moved[place] = kept
        if not np.iscomplexobj(value):
            raise ValueError("f gave a real number; it has to carry complex ones through")
        grad[place] = np.imag(value - f(moved)) / step
    return grad


# %% answer="complex_step" name="complex_result" loses="values one_call"
# The result is an array of complex numbers. Slopes of a real function are real: float64.
def complex_step(f, x, step=1e-30):
    moved = np.array(x, dtype=complex)
    grad = np.zeros(moved.shape, dtype=complex)
    for place in np.ndindex(moved.shape):
        kept = moved[place]
        moved[place] = kept + 1j * step
        value = f(moved)
        moved[place] = kept
        if not np.iscomplexobj(value):
            raise ValueError("f gave a real number; it has to carry complex ones through")
        grad[place] = np.imag(value) / step
    return grad


# %% answer="complex_step" name="difference" loses="values one_call"
# The slope comes from a difference of real values again, and so do its rounding errors.
def complex_step(f, x, step=1e-30):
    moved = np.array(x, dtype=complex)
    grad = np.zeros(moved.shape)
    for place in np.ndindex(moved.shape):
        kept = moved[place]
        moved[place] = kept + (1e-7 + 0j)
        value = f(moved)
        moved[place] = kept
        if not np.iscomplexobj(value):
            raise ValueError("f gave a real number; it has to carry complex ones through")
        grad[place] = np.real(value - f(moved)) / 1e-7
    return grad


# %% answer="complex_step" name="last_value_only" loses="dropped"
# Only the value of the last entry is looked at. `f` may drop the imaginary part for another one.
def complex_step(f, x, step=1e-30):
    moved = np.array(x, dtype=complex)
    grad = np.zeros(moved.shape)
    for place in np.ndindex(moved.shape):
        kept = moved[place]
        moved[place] = kept + 1j * step
        value = f(moved)
        moved[place] = kept
        grad[place] = np.imag(value) / step
    if grad.size and not np.iscomplexobj(value):
        raise ValueError("f dropped the complex part")

    return grad


# %% answer="complex_step" name="first_sixty_four" loses="values"
# Only the first entries have a slope; in a larger array the others stay 0.
def complex_step(f, x, step=1e-30):
    moved = np.array(x, dtype=complex)
    grad = np.zeros(moved.shape)
    for place in list(np.ndindex(moved.shape))[:64]:
        kept = moved[place]
        moved[place] = kept + 1j * step
        value = f(moved)
        moved[place] = kept
        if not np.iscomplexobj(value):
            raise ValueError("f dropped the complex part")
        grad[place] = np.imag(value) / step
    return grad


# %% answer="complex_step" name="one_array_for_all" loses="values"
# The result of the next call is written into the array that the last call returned, so earlier
# results change afterwards. Make a fresh array in each call.
BUF = {}


def complex_step(f, x, step=1e-30):
    moved = np.array(x, dtype=complex)
    grad = BUF.setdefault(moved.shape, np.zeros(moved.shape))
    for place in np.ndindex(moved.shape):
        kept = moved[place]
        moved[place] = kept + 1j * step
        value = f(moved)
        moved[place] = kept
        if not np.iscomplexobj(value):
            raise ValueError("f dropped the complex part")
        grad[place] = np.imag(value) / step
    return grad


# %% [markdown]
# ## check_gradient


# %% answer="check_gradient" name="absolute_tolerance" loses="any_scale"
# Your tolerance is a constant. If f comes in units of a millionth, a wrong gradient is smaller
# than it; in units of a million, the round-off of a right one is larger.
def check_gradient(f, grad, x):
    step = 1e-5
    x = np.array(x, dtype=float)
    claim = np.asarray(grad(x.copy()), dtype=float)
    if claim.shape != x.shape or not np.isfinite(claim).all():
        return False
    here = f(x.copy())
    for place in np.ndindex(x.shape):
        move = np.zeros(x.shape)
        move[place] = step
        right, left = (f(x + move) - here) / step, (here - f(x - move)) / step
        room = 1e-4 * max(abs(left), abs(right)) + 1e-7 * abs(here)
        if not min(left, right) - 1e-5 <= claim[place] <= max(left, right) + 1e-5:
            return False
    return True


# %% answer="check_gradient" name="allclose" loses="any_scale kinks"
# `np.allclose` has an absolute tolerance of 1e-8, whatever the units of f; and one difference
# cannot see two slopes.
def check_gradient(f, grad, x):
    x = np.array(x, dtype=float)
    claim = np.asarray(grad(x.copy()), dtype=float)
    if claim.shape != x.shape:
        return False
    slopes = np.zeros(x.shape)
    for place in np.ndindex(x.shape):
        move = np.zeros(x.shape)
        move[place] = 1e-5
        slopes[place] = (f(x + move) - f(x - move)) / 2e-5
    return bool(np.allclose(claim, slopes, rtol=1e-4))


# %% answer="check_gradient" name="relative_only" loses="any_scale"
# Your tolerance is relative to the slope and nothing else. Where the true slope is 0, the
# difference is round-off, and every right gradient is infinitely wrong.
def check_gradient(f, grad, x):
    step = 1e-5
    x = np.array(x, dtype=float)
    claim = np.asarray(grad(x.copy()), dtype=float)
    if claim.shape != x.shape or not np.isfinite(claim).all():
        return False
    here = f(x.copy())
    for place in np.ndindex(x.shape):
        move = np.zeros(x.shape)
        move[place] = step
        right, left = (f(x + move) - here) / step, (here - f(x - move)) / step
        room = 1e-4 * abs(left + right) / 2
        if not abs(claim[place] - (left + right) / 2) <= room:
            return False
    return True


# %% answer="check_gradient" name="largest_entry" loses="any_scale"
# All entries are measured by the largest one, so a small entry beside a large one may be
# anything.
def check_gradient(f, grad, x):
    step = 1e-5
    x = np.array(x, dtype=float)
    claim = np.asarray(grad(x.copy()), dtype=float)
    if claim.shape != x.shape or not np.isfinite(claim).all():
        return False
    gaps, sizes = [0.0], [1e-300]
    here = f(x.copy())
    for place in np.ndindex(x.shape):
        move = np.zeros(x.shape)
        move[place] = step
        right, left = (f(x + move) - here) / step, (here - f(x - move)) / step
        gaps.append(max(min(left, right) - claim[place], claim[place] - max(left, right)))
        sizes.append(max(abs(left), abs(right)))
    return bool(max(gaps) <= 1e-3 * max(sizes) + 1e-7 * abs(here))


# %% answer="check_gradient" name="norm_of_all" loses="planted_bugs any_scale kinks"
# You compare the lengths of whole arrays. One wrong entry among hundreds is lost in the length.
def check_gradient(f, grad, x):
    x = np.array(x, dtype=float)
    claim = np.asarray(grad(x.copy()), dtype=float)
    if claim.shape != x.shape or not np.isfinite(claim).all():
        return False
    slopes = np.zeros(x.shape)
    for place in np.ndindex(x.shape):
        move = np.zeros(x.shape)
        move[place] = 1e-5
        slopes[place] = (f(x + move) - f(x - move)) / 2e-5
    gap, size = np.linalg.norm(claim - slopes), np.linalg.norm(slopes)
    return bool(gap <= 1e-2 * size + 1e-7 * abs(f(x.copy())))


# %% answer="check_gradient" name="sum_of_all" loses="planted_bugs any_scale"
# You compare sums. Two mistakes that cancel, or entries in the wrong order, have the right sum.
def check_gradient(f, grad, x):
    x = np.array(x, dtype=float)
    claim = np.asarray(grad(x.copy()), dtype=float)
    if claim.shape != x.shape or not np.isfinite(claim).all():
        return False
    total = (f(x + 1e-5) - f(x - 1e-5)) / 2e-5
    return bool(abs(claim.sum() - total) <= 1e-3 * abs(total) + 1e-7 * abs(f(x.copy())))


# %% answer="check_gradient" name="central_only" loses="kinks"
# The central difference is the mean of two slopes. At a kink, or nearer to it than a step, that
# is none of the slopes that are right.
def check_gradient(f, grad, x):
    step = 1e-5
    x = np.array(x, dtype=float)
    claim = np.asarray(grad(x.copy()), dtype=float)
    if claim.shape != x.shape or not np.isfinite(claim).all():
        return False
    here = f(x.copy())
    for place in np.ndindex(x.shape):
        move = np.zeros(x.shape)
        move[place] = step
        right, left = (f(x + move) - here) / step, (here - f(x - move)) / step
        room = 1e-4 * max(abs(left), abs(right)) + 1e-7 * abs(here)
        if not abs(claim[place] - (left + right) / 2) <= room:
            return False
    return True


# %% answer="check_gradient" name="forward_only" loses="kinks"
# You look to one side only. At a kink the slope of the other side is just as right.
def check_gradient(f, grad, x):
    step = 1e-5
    x = np.array(x, dtype=float)
    claim = np.asarray(grad(x.copy()), dtype=float)
    if claim.shape != x.shape or not np.isfinite(claim).all():
        return False
    here = f(x.copy())
    for place in np.ndindex(x.shape):
        move = np.zeros(x.shape)
        move[place] = step
        right, left = (f(x + move) - here) / step, (here - f(x - move)) / step
        room = 1e-4 * max(abs(left), abs(right)) + 1e-7 * abs(here)
        if not right - room <= claim[place] <= right + room:
            return False
    return True


# %% answer="check_gradient" name="either_slope" loses="kinks"
# You accept each of the two one-sided slopes, and nothing between them. At the kink all between
# is right as well.
def check_gradient(f, grad, x):
    step = 1e-5
    x = np.array(x, dtype=float)
    claim = np.asarray(grad(x.copy()), dtype=float)
    if claim.shape != x.shape or not np.isfinite(claim).all():
        return False
    here = f(x.copy())
    for place in np.ndindex(x.shape):
        move = np.zeros(x.shape)
        move[place] = step
        right, left = (f(x + move) - here) / step, (here - f(x - move)) / step
        room = 1e-4 * max(abs(left), abs(right)) + 1e-7 * abs(here)
        if not min(abs(claim[place] - left), abs(claim[place] - right)) <= room:
            return False
    return True


# %% answer="check_gradient" name="kinks_excuse_everything" loses="kinks"
# Where there is a kink, you accept whatever is claimed. The two slopes still bound what is right.
def check_gradient(f, grad, x):
    step = 1e-5
    x = np.array(x, dtype=float)
    claim = np.asarray(grad(x.copy()), dtype=float)
    if claim.shape != x.shape or not np.isfinite(claim).all():
        return False
    here = f(x.copy())
    for place in np.ndindex(x.shape):
        move = np.zeros(x.shape)
        move[place] = step
        right, left = (f(x + move) - here) / step, (here - f(x - move)) / step
        room = 1e-4 * max(abs(left), abs(right)) + 1e-7 * abs(here)
        kinked = abs(left - right) > 1e-2 * max(abs(left), abs(right)) + 1e-6 * abs(here)
        if kinked:
            continue
        if not min(left, right) - room <= claim[place] <= max(left, right) + room:
            return False
    return True


# %% answer="check_gradient" name="one_kink_excuses_all" loses="kinks"
# A kink in one entry ends the check for all of them. The other entries are to be judged as ever.
def check_gradient(f, grad, x):
    step = 1e-5
    x = np.array(x, dtype=float)
    claim = np.asarray(grad(x.copy()), dtype=float)
    if claim.shape != x.shape or not np.isfinite(claim).all():
        return False
    here = f(x.copy())
    for place in np.ndindex(x.shape):
        move = np.zeros(x.shape)
        move[place] = step
        right, left = (f(x + move) - here) / step, (here - f(x - move)) / step
        room = 1e-4 * max(abs(left), abs(right)) + 1e-7 * abs(here)
        kinked = abs(left - right) > 1e-2 * max(abs(left), abs(right)) + 1e-6 * abs(here)
        if kinked:
            return bool(min(left, right) - room <= claim[place] <= max(left, right) + room)
        if not min(left, right) - room <= claim[place] <= max(left, right) + room:
            return False
    return True


# %% answer="check_gradient" name="kinks_are_wrong" loses="kinks"
# You call a gradient wrong because f has a kink there. It is f that has it; the gradient may be
# right.
def check_gradient(f, grad, x):
    step = 1e-5
    x = np.array(x, dtype=float)
    claim = np.asarray(grad(x.copy()), dtype=float)
    if claim.shape != x.shape or not np.isfinite(claim).all():
        return False
    here = f(x.copy())
    for place in np.ndindex(x.shape):
        move = np.zeros(x.shape)
        move[place] = step
        right, left = (f(x + move) - here) / step, (here - f(x - move)) / step
        room = 1e-4 * max(abs(left), abs(right)) + 1e-7 * abs(here)
        if abs(left - right) > 1e-2 * max(abs(left), abs(right)) + 1e-6 * abs(here):
            return False
        if not min(left, right) - room <= claim[place] <= max(left, right) + room:
            return False
    return True


# %% answer="check_gradient" name="nan_slips_through" loses="no_numbers"
# A comparison with NaN is False. `if gap > room: return False` lets it pass: ask whether it is
# right, not whether it is wrong.
def check_gradient(f, grad, x):
    step = 1e-5
    x = np.array(x, dtype=float)
    claim = np.asarray(grad(x.copy()), dtype=float)
    if claim.shape != x.shape:
        return False
    here = f(x.copy())
    for place in np.ndindex(x.shape):
        move = np.zeros(x.shape)
        move[place] = step
        right, left = (f(x + move) - here) / step, (here - f(x - move)) / step
        room = 1e-4 * max(abs(left), abs(right)) + 1e-7 * abs(here)
        if claim[place] < min(left, right) - room or claim[place] > max(left, right) + room:
            return False
    return True


# %% answer="check_gradient" name="nan_to_num" loses="no_numbers"
# NaN was turned into a number before it was judged.
def check_gradient(f, grad, x):
    step = 1e-5
    x = np.array(x, dtype=float)
    claim = np.asarray(grad(x.copy()), dtype=float)
    if claim.shape != x.shape:
        return False
    claim = np.nan_to_num(claim, nan=2.0, posinf=2.0, neginf=2.0)
    here = f(x.copy())
    for place in np.ndindex(x.shape):
        move = np.zeros(x.shape)
        move[place] = step
        right, left = (f(x + move) - here) / step, (here - f(x - move)) / step
        room = 1e-4 * max(abs(left), abs(right)) + 1e-7 * abs(here)
        if not min(left, right) - room <= claim[place] <= max(left, right) + room:
            return False
    return True


# %% answer="check_gradient" name="broadcasts" loses="no_numbers"
# The shape is not looked at. A column, a single number or a row more broadcast without a sound.
def check_gradient(f, grad, x):
    step = 1e-5
    x = np.array(x, dtype=float)
    claim = np.asarray(grad(x.copy()), dtype=float)
    if not np.isfinite(claim).all():
        return False
    try:
        claim = np.broadcast_to(claim, x.shape) if claim.size != x.size else claim.reshape(x.shape)
    except ValueError:
        return False
    here = f(x.copy())
    for place in np.ndindex(x.shape):
        move = np.zeros(x.shape)
        move[place] = step
        right, left = (f(x + move) - here) / step, (here - f(x - move)) / step
        room = 1e-4 * max(abs(left), abs(right)) + 1e-7 * abs(here)
        if not min(left, right) - room <= claim[place] <= max(left, right) + room:
            return False
    return True


# %% answer="check_gradient" name="counts_entries" loses="no_numbers"
# You compare the number of entries instead of shapes: a column is not a row, and a transposed
# gradient is not right.
def check_gradient(f, grad, x):
    step = 1e-5
    x = np.array(x, dtype=float)
    claim = np.asarray(grad(x.copy()), dtype=float)
    if claim.size != x.size:
        return False
    claim = claim.reshape(x.shape)
    if not np.isfinite(claim).all():
        return False
    here = f(x.copy())
    for place in np.ndindex(x.shape):
        move = np.zeros(x.shape)
        move[place] = step
        right, left = (f(x + move) - here) / step, (here - f(x - move)) / step
        room = 1e-4 * max(abs(left), abs(right)) + 1e-7 * abs(here)
        if not min(left, right) - room <= claim[place] <= max(left, right) + room:
            return False
    return True


# %% answer="check_gradient" name="wrong_shape_raises" loses="no_numbers"
# A gradient of the wrong shape is a wrong gradient. Return False instead of raising an error.
def check_gradient(f, grad, x):
    step = 1e-5
    x = np.array(x, dtype=float)
    claim = np.asarray(grad(x.copy()), dtype=float)
    if claim.shape != x.shape:
        raise ValueError("shape")
    if not np.isfinite(claim).all():
        return False
    here = f(x.copy())
    for place in np.ndindex(x.shape):
        move = np.zeros(x.shape)
        move[place] = step
        right, left = (f(x + move) - here) / step, (here - f(x - move)) / step
        room = 1e-4 * max(abs(left), abs(right)) + 1e-7 * abs(here)
        if not min(left, right) - room <= claim[place] <= max(left, right) + room:
            return False
    return True


# %% answer="check_gradient" name="first_entries" loses="planted_bugs any_scale"
# Not all entries are checked. A mistake in those that are left out is never found.
def check_gradient(f, grad, x):
    step = 1e-5
    x = np.array(x, dtype=float)
    claim = np.asarray(grad(x.copy()), dtype=float)
    if claim.shape != x.shape or not np.isfinite(claim).all():
        return False
    here = f(x.copy())
    for place in list(np.ndindex(x.shape))[:3]:
        move = np.zeros(x.shape)
        move[place] = step
        right, left = (f(x + move) - here) / step, (here - f(x - move)) / step
        room = 1e-4 * max(abs(left), abs(right)) + 1e-7 * abs(here)
        if not min(left, right) - room <= claim[place] <= max(left, right) + room:
            return False
    return True


# %% answer="check_gradient" name="skips_the_last" loses="planted_bugs"
# The last entry is never checked.
def check_gradient(f, grad, x):
    step = 1e-5
    x = np.array(x, dtype=float)
    claim = np.asarray(grad(x.copy()), dtype=float)
    if claim.shape != x.shape or not np.isfinite(claim).all():
        return False
    here = f(x.copy())
    for place in list(np.ndindex(x.shape))[:-1]:
        move = np.zeros(x.shape)
        move[place] = step
        right, left = (f(x + move) - here) / step, (here - f(x - move)) / step
        room = 1e-4 * max(abs(left), abs(right)) + 1e-7 * abs(here)
        if not min(left, right) - room <= claim[place] <= max(left, right) + room:
            return False
    return True


# %% answer="check_gradient" name="random_entries" loses="planted_bugs"
# You check a random choice of entries. In a large array most single mistakes get away.
def check_gradient(f, grad, x):
    step = 1e-5
    x = np.array(x, dtype=float)
    claim = np.asarray(grad(x.copy()), dtype=float)
    if claim.shape != x.shape or not np.isfinite(claim).all():
        return False
    here = f(x.copy())
    places = list(np.ndindex(x.shape))
    chosen = np.random.default_rng(0).permutation(len(places))[:20]
    for place in [places[k] for k in chosen]:
        move = np.zeros(x.shape)
        move[place] = step
        right, left = (f(x + move) - here) / step, (here - f(x - move)) / step
        room = 1e-4 * max(abs(left), abs(right)) + 1e-7 * abs(here)
        if not min(left, right) - room <= claim[place] <= max(left, right) + room:
            return False
    return True


# %% answer="check_gradient" name="tolerates_five_percent" loses="planted_bugs any_scale"
# Your tolerance is wider than the mistakes: 1% of an entry is wrong.
def check_gradient(f, grad, x):
    step = 1e-5
    x = np.array(x, dtype=float)
    claim = np.asarray(grad(x.copy()), dtype=float)
    if claim.shape != x.shape or not np.isfinite(claim).all():
        return False
    here = f(x.copy())
    for place in np.ndindex(x.shape):
        move = np.zeros(x.shape)
        move[place] = step
        right, left = (f(x + move) - here) / step, (here - f(x - move)) / step
        room = 5e-2 * max(abs(left), abs(right)) + 1e-7 * abs(here)
        if not min(left, right) - room <= claim[place] <= max(left, right) + room:
            return False
    return True


# %% answer="check_gradient" name="wide_floor" loses="planted_bugs any_scale"
# Too much counts as round-off: differences of a thousandth of f are real ones.
def check_gradient(f, grad, x):
    step = 1e-5
    x = np.array(x, dtype=float)
    claim = np.asarray(grad(x.copy()), dtype=float)
    if claim.shape != x.shape or not np.isfinite(claim).all():
        return False
    here = f(x.copy())
    for place in np.ndindex(x.shape):
        move = np.zeros(x.shape)
        move[place] = step
        right, left = (f(x + move) - here) / step, (here - f(x - move)) / step
        room = 1e-4 * max(abs(left), abs(right)) + 1e-3 * abs(here)
        if not min(left, right) - room <= claim[place] <= max(left, right) + room:
            return False
    return True


# %% answer="check_gradient" name="no_floor_far_too_strict" loses="any_scale"
# You expect more digits than a difference has: right gradients are rejected, too.
def check_gradient(f, grad, x):
    step = 1e-5
    x = np.array(x, dtype=float)
    claim = np.asarray(grad(x.copy()), dtype=float)
    if claim.shape != x.shape or not np.isfinite(claim).all():
        return False
    here = f(x.copy())
    for place in np.ndindex(x.shape):
        move = np.zeros(x.shape)
        move[place] = step
        right, left = (f(x + move) - here) / step, (here - f(x - move)) / step
        room = 1e-9 * max(abs(left), abs(right))
        if not abs(claim[place] - (left + right) / 2) <= room:
            return False
    return True


# %% answer="check_gradient" name="tiny_step" loses="planted_bugs any_scale kinks no_numbers"
# With a step as small as yours, next to nothing of the digits of f is left in the difference.
def check_gradient(f, grad, x):
    step = 1e-14
    x = np.array(x, dtype=float)
    claim = np.asarray(grad(x.copy()), dtype=float)
    if claim.shape != x.shape or not np.isfinite(claim).all():
        return False
    here = f(x.copy())
    for place in np.ndindex(x.shape):
        move = np.zeros(x.shape)
        move[place] = step
        right, left = (f(x + move) - here) / step, (here - f(x - move)) / step
        room = 1e-4 * max(abs(left), abs(right)) + 1e-7 * abs(here)
        if not min(left, right) - room <= claim[place] <= max(left, right) + room:
            return False
    return True


# %% answer="check_gradient" name="large_step" loses="planted_bugs"
# With a step as large as yours the curve bends between the points: left and right slope lie far
# apart, and wrong gradients fit between them.
def check_gradient(f, grad, x):
    step = 0.05
    x = np.array(x, dtype=float)
    claim = np.asarray(grad(x.copy()), dtype=float)
    if claim.shape != x.shape or not np.isfinite(claim).all():
        return False
    here = f(x.copy())
    for place in np.ndindex(x.shape):
        move = np.zeros(x.shape)
        move[place] = step
        right, left = (f(x + move) - here) / step, (here - f(x - move)) / step
        room = 1e-4 * max(abs(left), abs(right)) + 1e-7 * abs(here)
        if not min(left, right) - room <= claim[place] <= max(left, right) + room:
            return False
    return True


# %% answer="check_gradient" name="sizes_only" loses="planted_bugs"
# You compare sizes without signs. A gradient that points uphill instead of down is accepted.
def check_gradient(f, grad, x):
    step = 1e-5
    x = np.array(x, dtype=float)
    claim = np.asarray(grad(x.copy()), dtype=float)
    if claim.shape != x.shape or not np.isfinite(claim).all():
        return False
    here = f(x.copy())
    for place in np.ndindex(x.shape):
        move = np.zeros(x.shape)
        move[place] = step
        right, left = (f(x + move) - here) / step, (here - f(x - move)) / step
        room = 1e-4 * max(abs(left), abs(right)) + 1e-7 * abs(here)
        if not abs(abs(claim[place]) - max(abs(left), abs(right))) <= room:
            return False
    return True


# %% answer="check_gradient" name="direction_only" loses="planted_bugs any_scale"
# You compare directions. A gradient that is twice as long points the same way, and is wrong.
def check_gradient(f, grad, x):
    x = np.array(x, dtype=float)
    claim = np.asarray(grad(x.copy()), dtype=float)
    if claim.shape != x.shape or not np.isfinite(claim).all():
        return False
    slopes = np.zeros(x.shape)
    for place in np.ndindex(x.shape):
        move = np.zeros(x.shape)
        move[place] = 1e-5
        slopes[place] = (f(x + move) - f(x - move)) / 2e-5
    lengths = np.linalg.norm(claim) * np.linalg.norm(slopes)
    if lengths == 0:
        return bool(np.linalg.norm(claim - slopes) <= 1e-7 * abs(f(x.copy())))
    return bool((claim * slopes).sum() / lengths > 1 - 1e-6)


# %% answer="check_gradient" name="does_it_go_down" loses="planted_bugs any_scale kinks"
# You take a step against the gradient and see whether f falls. Half the gradient passes that
# test, and so do many others: pointing roughly downhill is not being right.
def check_gradient(f, grad, x):
    x = np.array(x, dtype=float)
    claim = np.asarray(grad(x.copy()), dtype=float)
    if claim.shape != x.shape or not np.isfinite(claim).all():
        return False
    size = np.abs(claim).max(initial=0.0)
    if size == 0:
        return bool(f(x + 1e-5) == f(x - 1e-5))
    return bool(f(x - 1e-6 * claim / size) < f(x.copy()))


# %% answer="check_gradient" name="always_true" loses="planted_bugs any_scale kinks no_numbers"
# Everything is accepted.
def check_gradient(f, grad, x):
    grad(np.array(x, dtype=float))
    return True


# %% answer="check_gradient" name="always_false" loses="planted_bugs any_scale kinks no_numbers"
# Everything is rejected, what is right as well.
def check_gradient(f, grad, x):
    grad(np.array(x, dtype=float))
    return False


# %% answer="check_gradient" name="no_copies" loses="manners"
# `f` and `grad` get your own array, and one of them wrote into it. Give each a copy.
def check_gradient(f, grad, x):
    step = 1e-5
    x = np.asarray(x, dtype=float)
    claim = np.asarray(grad(x), dtype=float)
    if claim.shape != x.shape or not np.isfinite(claim).all():
        return False
    here = f(x)
    for place in np.ndindex(x.shape):
        move = np.zeros(x.shape)
        move[place] = step
        right, left = (f(x + move) - here) / step, (here - f(x - move)) / step
        room = 1e-4 * max(abs(left), abs(right)) + 1e-7 * abs(here)
        if not min(left, right) - room <= claim[place] <= max(left, right) + room:
            return False
    return True


# %% answer="check_gradient" name="own_array_only" loses="manners"
# You work on a copy of `x`, but `f` and `grad` all get that one array, and one of them wrote into
# it.
def check_gradient(f, grad, x):
    step = 1e-5
    x = np.array(x, dtype=float)
    claim = np.asarray(grad(x), dtype=float)
    if claim.shape != x.shape or not np.isfinite(claim).all():
        return False
    here = f(x)
    for place in np.ndindex(x.shape):
        move = np.zeros(x.shape)
        move[place] = step
        right, left = (f(x + move) - here) / step, (here - f(x - move)) / step
        room = 1e-4 * max(abs(left), abs(right)) + 1e-7 * abs(here)
        if not min(left, right) - room <= claim[place] <= max(left, right) + room:
            return False
    return True


# %% answer="check_gradient" name="empty_is_wrong" loses="planted_bugs no_numbers"
# An empty array has no entry that is wrong.
def check_gradient(f, grad, x):
    step = 1e-5
    x = np.array(x, dtype=float)
    claim = np.asarray(grad(x.copy()), dtype=float)
    if claim.shape != x.shape or not np.isfinite(claim).all():
        return False
    if x.size == 0:
        return False
    here = f(x.copy())
    for place in np.ndindex(x.shape):
        move = np.zeros(x.shape)
        move[place] = step
        right, left = (f(x + move) - here) / step, (here - f(x - move)) / step
        room = 1e-4 * max(abs(left), abs(right)) + 1e-7 * abs(here)
        if not min(left, right) - room <= claim[place] <= max(left, right) + room:
            return False
    return True


# %% answer="check_gradient" name="zero_gradient_is_wrong" loses="any_scale"
# You call a gradient wrong because it is 0 everywhere. At a minimum, or where all units are off,
# it is right.
def check_gradient(f, grad, x):
    step = 1e-5
    x = np.array(x, dtype=float)
    claim = np.asarray(grad(x.copy()), dtype=float)
    if claim.shape != x.shape or not np.isfinite(claim).all():
        return False
    if not claim.any():
        return False
    here = f(x.copy())
    for place in np.ndindex(x.shape):
        move = np.zeros(x.shape)
        move[place] = step
        right, left = (f(x + move) - here) / step, (here - f(x - move)) / step
        room = 1e-4 * max(abs(left), abs(right)) + 1e-7 * abs(here)
        if not min(left, right) - room <= claim[place] <= max(left, right) + room:
            return False
    return True


# %% answer="check_gradient" name="zero_gradient_is_right" loses="any_scale"
# A gradient of zeros is accepted unseen.
def check_gradient(f, grad, x):
    step = 1e-5
    x = np.array(x, dtype=float)
    claim = np.asarray(grad(x.copy()), dtype=float)
    if claim.shape != x.shape or not np.isfinite(claim).all():
        return False
    if not claim.any():
        return True
    here = f(x.copy())
    for place in np.ndindex(x.shape):
        move = np.zeros(x.shape)
        move[place] = step
        right, left = (f(x + move) - here) / step, (here - f(x - move)) / step
        room = 1e-4 * max(abs(left), abs(right)) + 1e-7 * abs(here)
        if not min(left, right) - room <= claim[place] <= max(left, right) + room:
            return False
    return True


# %% answer="check_gradient" name="returns_gap" loses="planted_bugs any_scale kinks no_numbers"
# That is a measure of the error. The task asks for True or False.
def check_gradient(f, grad, x):
    step = 1e-5
    x = np.array(x, dtype=float)
    claim = np.asarray(grad(x.copy()), dtype=float)
    if claim.shape != x.shape or not np.isfinite(claim).all():
        return False
    here = f(x.copy())
    for place in np.ndindex(x.shape):
        move = np.zeros(x.shape)
        move[place] = step
        right, left = (f(x + move) - here) / step, (here - f(x - move)) / step
        room = 1e-4 * max(abs(left), abs(right)) + 1e-7 * abs(here)
        if not min(left, right) - room <= claim[place] <= max(left, right) + room:
            return 1.0
    return 0.0


# %% answer="check_gradient" name="first_256" loses="planted_bugs"
# You stop after some hundred entries. A single wrong one among all the others counts.
def check_gradient(f, grad, x):
    claim = np.asarray(grad(x.copy()))
    if claim.shape != x.shape or not np.isfinite(claim).all():
        return False
    here = f(x.copy())
    for place in list(np.ndindex(x.shape))[:256]:
        up, down = x.copy(), x.copy()
        up[place] += 1e-5
        down[place] -= 1e-5
        right, left = (f(up) - here) / 1e-5, (here - f(down)) / 1e-5
        low, high = min(left, right), max(left, right)
        room = 1e-4 * max(abs(low), abs(high)) + 1e-7 * abs(here)
        if not low - room <= claim[place] <= high + room:
            return False
    return True


# %% answer="check_gradient" name="both_ends" loses="planted_bugs"
# The beginning and the end are checked, and what lies between is not. A single wrong entry
# anywhere counts.
def check_gradient(f, grad, x):
    claim = np.asarray(grad(x.copy()))
    if claim.shape != x.shape or not np.isfinite(claim).all():
        return False
    here = float(f(x.copy()))
    every = list(np.ndindex(x.shape))
    for place in every[:50] + every[-50:]:
        up, down = x.copy(), x.copy()
        up[place] += 1e-5
        down[place] -= 1e-5
        right, left = (f(up) - here) / 1e-5, (here - f(down)) / 1e-5
        low, high = min(left, right), max(left, right)
        room = 1e-4 * max(abs(low), abs(high)) + 1e-7 * abs(here)
        if not low - room <= claim[place] <= high + room:
            return False
    return True


# %% answer="check_gradient" name="tiny_constant" loses="any_scale"
# A constant is added to the tolerance. However small it is, f may be in smaller units still, and
# then it lets everything pass. Take it in units of f.
def check_gradient(f, grad, x):
    claim = np.asarray(grad(x.copy()))
    if claim.shape != x.shape or not np.isfinite(claim).all():
        return False
    here = f(x.copy())
    for place in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[place] += 1e-5
        down[place] -= 1e-5
        right, left = (f(up) - here) / 1e-5, (here - f(down)) / 1e-5
        low, high = min(left, right), max(left, right)
        room = 1e-4 * max(abs(low), abs(high)) + 1e-7 * abs(here) + 1e-15
        if not low - room <= claim[place] <= high + room:
            return False
    return True


# %% answer="check_gradient" name="first_kink_ends_it" loses="kinks"
# At the first kink you return True, and the entries after it are not looked at.
def check_gradient(f, grad, x):
    claim = np.asarray(grad(x.copy()))
    if claim.shape != x.shape or not np.isfinite(claim).all():
        return False
    here = f(x.copy())
    for place in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[place] += 1e-5
        down[place] -= 1e-5
        right, left = (f(up) - here) / 1e-5, (here - f(down)) / 1e-5
        low, high = min(left, right), max(left, right)
        room = 1e-4 * max(abs(low), abs(high)) + 1e-7 * abs(here)
        if high - low > 1e-2 * abs(here):
            return True
        if not low - room <= claim[place] <= high + room:
            return False
    return True


# %% answer="check_gradient" name="library_does_it" loses="planted_bugs kinks manners"
# This exercise is asked without the library: its checker is what you build here.
def check_gradient(f, grad, x):
    from chainrule.gradcheck import gradcheck

    return bool(gradcheck(f, (x,)))


# %% [markdown]
# ## directions


# %% answer="directions" name="upstream_of_ones" loses="planted_bugs random"
# The upstream gradient is not drawn: it is ones each time, and you see only the sum of the
# outputs.
def both_sides(f, vjp, x, u, v, step=1e-6):
    slope = (f(x + step * v) - f(x - step * v)) / (2 * step)
    return float(np.sum(u * slope)), float(np.sum(v * vjp(x, u)))


def directions_agree(f, vjp, x, rng, directions=5):
    here = f(x)
    shape, sides = np.shape(here), []
    for _ in range(directions):
        u, v = np.ones(shape), rng.standard_normal(np.shape(x))
        sides.append(both_sides(f, vjp, x, u, v))
    found = np.array(sides)
    gap = np.abs(found[:, 0] - found[:, 1])
    size = np.abs(here).max(initial=0.0) + np.abs(found).max()
    return bool(np.all(gap <= 1e-6 * size))


# %% answer="directions" name="direction_of_ones" loses="planted_bugs random"
# The direction is not drawn: x moves along (1, 1, …, 1) each time. A gradient in the wrong order
# has the same slope along it.
def both_sides(f, vjp, x, u, v, step=1e-6):
    slope = (f(x + step * v) - f(x - step * v)) / (2 * step)
    return float(np.sum(u * slope)), float(np.sum(v * vjp(x, u)))


def directions_agree(f, vjp, x, rng, directions=5):
    here = f(x)
    shape, sides = np.shape(here), []
    for _ in range(directions):
        u, v = rng.standard_normal(shape), np.ones(np.shape(x))
        sides.append(both_sides(f, vjp, x, u, v))
    found = np.array(sides)
    gap = np.abs(found[:, 0] - found[:, 1])
    size = np.abs(here).max(initial=0.0) + np.abs(found).max()
    return bool(np.all(gap <= 1e-6 * size))


# %% answer="directions" name="drawn_once" loses="random"
# The direction is drawn once and used again and again. More directions should tell more.
def both_sides(f, vjp, x, u, v, step=1e-6):
    slope = (f(x + step * v) - f(x - step * v)) / (2 * step)
    return float(np.sum(u * slope)), float(np.sum(v * vjp(x, u)))


def directions_agree(f, vjp, x, rng, directions=5):
    here = f(x)
    shape, sides = np.shape(here), []
    u, v = rng.standard_normal(shape), rng.standard_normal(np.shape(x))
    for _ in range(directions):
        sides.append(both_sides(f, vjp, x, u, v))
    found = np.array(sides)
    gap = np.abs(found[:, 0] - found[:, 1])
    size = np.abs(here).max(initial=0.0) + np.abs(found).max()
    return bool(np.all(gap <= 1e-6 * size))


# %% answer="directions" name="global_random" loses="random"
# The numbers come from NumPy's global random state instead of the generator you are given, so
# that nobody can repeat the check.
def both_sides(f, vjp, x, u, v, step=1e-6):
    slope = (f(x + step * v) - f(x - step * v)) / (2 * step)
    return float(np.sum(u * slope)), float(np.sum(v * vjp(x, u)))


def directions_agree(f, vjp, x, rng, directions=5):
    here = f(x)
    shape, sides = np.shape(here), []
    for _ in range(directions):
        u, v = np.random.standard_normal(shape), np.random.standard_normal(np.shape(x))
        sides.append(both_sides(f, vjp, x, u, v))
    found = np.array(sides)
    gap = np.abs(found[:, 0] - found[:, 1])
    size = np.abs(here).max(initial=0.0) + np.abs(found).max()
    return bool(np.all(gap <= 1e-6 * size))


# %% answer="directions" name="own_generator" loses="random"
# The numbers come from a generator of your own, with the same seed in every call.
def both_sides(f, vjp, x, u, v, step=1e-6):
    slope = (f(x + step * v) - f(x - step * v)) / (2 * step)
    return float(np.sum(u * slope)), float(np.sum(v * vjp(x, u)))


def directions_agree(f, vjp, x, rng, directions=5):
    rng = np.random.default_rng(0)
    here = f(x)
    shape, sides = np.shape(here), []
    for _ in range(directions):
        u, v = rng.standard_normal(shape), rng.standard_normal(np.shape(x))
        sides.append(both_sides(f, vjp, x, u, v))
    found = np.array(sides)
    gap = np.abs(found[:, 0] - found[:, 1])
    size = np.abs(here).max(initial=0.0) + np.abs(found).max()
    return bool(np.all(gap <= 1e-6 * size))


# %% answer="directions" name="only_positive" loses="random"
# Your directions are uniform between 0 and 1, so all of them point into one corner of the space.
# The task asks for normal ones.
def both_sides(f, vjp, x, u, v, step=1e-6):
    slope = (f(x + step * v) - f(x - step * v)) / (2 * step)
    return float(np.sum(u * slope)), float(np.sum(v * vjp(x, u)))


def directions_agree(f, vjp, x, rng, directions=5):
    here = f(x)
    shape, sides = np.shape(here), []
    for _ in range(directions):
        u, v = rng.random(shape), rng.random(np.shape(x))
        sides.append(both_sides(f, vjp, x, u, v))
    found = np.array(sides)
    gap = np.abs(found[:, 0] - found[:, 1])
    size = np.abs(here).max(initial=0.0) + np.abs(found).max()
    return bool(np.all(gap <= 1e-6 * size))


# %% answer="directions" name="signs" loses="random"
# Your directions are made of +1 and −1. The task asks for normally distributed numbers.
def both_sides(f, vjp, x, u, v, step=1e-6):
    slope = (f(x + step * v) - f(x - step * v)) / (2 * step)
    return float(np.sum(u * slope)), float(np.sum(v * vjp(x, u)))


def directions_agree(f, vjp, x, rng, directions=5):
    here = f(x)
    shape, sides = np.shape(here), []
    for _ in range(directions):
        u, v = rng.choice([-1.0, 1.0], size=shape), rng.choice([-1.0, 1.0], size=np.shape(x))
        sides.append(both_sides(f, vjp, x, u, v))
    found = np.array(sides)
    gap = np.abs(found[:, 0] - found[:, 1])
    size = np.abs(here).max(initial=0.0) + np.abs(found).max()
    return bool(np.all(gap <= 1e-6 * size))


# %% answer="directions" name="one_direction" loses="random"
# You try one direction, however many are asked for.
def both_sides(f, vjp, x, u, v, step=1e-6):
    slope = (f(x + step * v) - f(x - step * v)) / (2 * step)
    return float(np.sum(u * slope)), float(np.sum(v * vjp(x, u)))


def directions_agree(f, vjp, x, rng, directions=5):
    here = f(x)
    shape, sides = np.shape(here), []
    for _ in range(1):
        u, v = rng.standard_normal(shape), rng.standard_normal(np.shape(x))
        sides.append(both_sides(f, vjp, x, u, v))
    found = np.array(sides)
    gap = np.abs(found[:, 0] - found[:, 1])
    size = np.abs(here).max(initial=0.0) + np.abs(found).max()
    return bool(np.all(gap <= 1e-6 * size))


# %% answer="directions" name="one_more" loses="random"
# You try one direction more than asked for.
def both_sides(f, vjp, x, u, v, step=1e-6):
    slope = (f(x + step * v) - f(x - step * v)) / (2 * step)
    return float(np.sum(u * slope)), float(np.sum(v * vjp(x, u)))


def directions_agree(f, vjp, x, rng, directions=5):
    here = f(x)
    shape, sides = np.shape(here), []
    for _ in range(directions + 1):
        u, v = rng.standard_normal(shape), rng.standard_normal(np.shape(x))
        sides.append(both_sides(f, vjp, x, u, v))
    found = np.array(sides)
    gap = np.abs(found[:, 0] - found[:, 1])
    size = np.abs(here).max(initial=0.0) + np.abs(found).max()
    return bool(np.all(gap <= 1e-6 * size))


# %% answer="directions" name="any_direction_will_do" loses="planted_bugs"
# You accept a rule if it agrees in *some* direction. It has to agree in all.
def both_sides(f, vjp, x, u, v, step=1e-6):
    slope = (f(x + step * v) - f(x - step * v)) / (2 * step)
    return float(np.sum(u * slope)), float(np.sum(v * vjp(x, u)))


def directions_agree(f, vjp, x, rng, directions=5):
    here = f(x)
    shape, sides = np.shape(here), []
    for _ in range(directions):
        u, v = rng.standard_normal(shape), rng.standard_normal(np.shape(x))
        sides.append(both_sides(f, vjp, x, u, v))
    found = np.array(sides)
    gap = np.abs(found[:, 0] - found[:, 1])
    size = np.abs(here).max(initial=0.0) + np.abs(found).max()
    return bool(np.any(gap <= 1e-6 * size))


# %% answer="directions" name="mean_of_all" loses="planted_bugs"
# You compare the means over all directions, where errors of both signs cancel, and the floor
# hides what is left.
def both_sides(f, vjp, x, u, v, step=1e-6):
    slope = (f(x + step * v) - f(x - step * v)) / (2 * step)
    return float(np.sum(u * slope)), float(np.sum(v * vjp(x, u)))


def directions_agree(f, vjp, x, rng, directions=5):
    here = f(x)
    shape, sides = np.shape(here), []
    for _ in range(directions):
        u, v = rng.standard_normal(shape), rng.standard_normal(np.shape(x))
        sides.append(both_sides(f, vjp, x, u, v))
    found = np.array(sides)
    gap = np.abs(found[:, 0] - found[:, 1])
    return bool(abs(found.mean(axis=0) @ [1, -1]) <= 0.2 * np.abs(found).max())


# %% answer="directions" name="five_percent" loses="planted_bugs"
# Your tolerance is wider than the mistakes you are to find.
def both_sides(f, vjp, x, u, v, step=1e-6):
    slope = (f(x + step * v) - f(x - step * v)) / (2 * step)
    return float(np.sum(u * slope)), float(np.sum(v * vjp(x, u)))


def directions_agree(f, vjp, x, rng, directions=5):
    here = f(x)
    shape, sides = np.shape(here), []
    for _ in range(directions):
        u, v = rng.standard_normal(shape), rng.standard_normal(np.shape(x))
        sides.append(both_sides(f, vjp, x, u, v))
    found = np.array(sides)
    gap = np.abs(found[:, 0] - found[:, 1])
    size = np.abs(here).max(initial=0.0) + np.abs(found).max()
    return bool(np.all(gap <= 5e-2 * size))


# %% answer="directions" name="too_strict" loses="planted_bugs"
# You expect more digits than a difference has: right rules are rejected.
def both_sides(f, vjp, x, u, v, step=1e-6):
    slope = (f(x + step * v) - f(x - step * v)) / (2 * step)
    return float(np.sum(u * slope)), float(np.sum(v * vjp(x, u)))


def directions_agree(f, vjp, x, rng, directions=5):
    here = f(x)
    shape, sides = np.shape(here), []
    for _ in range(directions):
        u, v = rng.standard_normal(shape), rng.standard_normal(np.shape(x))
        sides.append(both_sides(f, vjp, x, u, v))
    found = np.array(sides)
    gap = np.abs(found[:, 0] - found[:, 1])
    return bool(np.all(gap <= 1e-14 * np.abs(found).max()))


# %% answer="directions" name="divides_by_zero" loses="planted_bugs"
# Where both sides are 0 you divide by 0, and the rule, which is right, is called wrong.
def both_sides(f, vjp, x, u, v, step=1e-6):
    slope = (f(x + step * v) - f(x - step * v)) / (2 * step)
    return float(np.sum(u * slope)), float(np.sum(v * vjp(x, u)))


def directions_agree(f, vjp, x, rng, directions=5):
    here = f(x)
    shape, sides = np.shape(here), []
    for _ in range(directions):
        u, v = rng.standard_normal(shape), rng.standard_normal(np.shape(x))
        sides.append(both_sides(f, vjp, x, u, v))
    found = np.array(sides)
    gap = np.abs(found[:, 0] - found[:, 1])
    return bool(np.all(gap / np.abs(found).max(axis=1) <= 1e-4))


# %% answer="directions" name="nan_slips_through" loses="planted_bugs"
# NaN is not larger than any tolerance. Ask whether the gap is small, not whether it is large.
def both_sides(f, vjp, x, u, v, step=1e-6):
    slope = (f(x + step * v) - f(x - step * v)) / (2 * step)
    return float(np.sum(u * slope)), float(np.sum(v * vjp(x, u)))


def directions_agree(f, vjp, x, rng, directions=5):
    here = f(x)
    shape, sides = np.shape(here), []
    for _ in range(directions):
        u, v = rng.standard_normal(shape), rng.standard_normal(np.shape(x))
        sides.append(both_sides(f, vjp, x, u, v))
    found = np.array(sides)
    gap = np.abs(found[:, 0] - found[:, 1])
    size = np.abs(here).max(initial=0.0) + np.abs(found).max()
    return bool(not np.any(gap > 1e-6 * size))


# %% answer="directions" name="sizes_only" loses="planted_bugs"
# You compare sizes without signs. A rule of the wrong sign passes.
def both_sides(f, vjp, x, u, v, step=1e-6):
    slope = (f(x + step * v) - f(x - step * v)) / (2 * step)
    return float(np.sum(u * slope)), float(np.sum(v * vjp(x, u)))


def directions_agree(f, vjp, x, rng, directions=5):
    here = f(x)
    shape, sides = np.shape(here), []
    for _ in range(directions):
        u, v = rng.standard_normal(shape), rng.standard_normal(np.shape(x))
        sides.append(both_sides(f, vjp, x, u, v))
    found = np.array(sides)
    gap = np.abs(np.abs(found[:, 0]) - np.abs(found[:, 1]))
    size = np.abs(here).max(initial=0.0) + np.abs(found).max()
    return bool(np.all(gap <= 1e-6 * size))


# %% answer="directions" name="forward_difference" loses="both_sides"
# The slope along v comes from a forward difference, which bends with the curve.
def both_sides(f, vjp, x, u, v, step=1e-6):
    slope = (f(x + step * v) - f(x)) / step
    return float(np.sum(u * slope)), float(np.sum(v * vjp(x, u)))


def directions_agree(f, vjp, x, rng, directions=5):
    here = f(x)
    shape, sides = np.shape(here), []
    for _ in range(directions):
        u, v = rng.standard_normal(shape), rng.standard_normal(np.shape(x))
        sides.append(both_sides(f, vjp, x, u, v))
    found = np.array(sides)
    gap = np.abs(found[:, 0] - found[:, 1])
    size = np.abs(here).max(initial=0.0) + np.abs(found).max()
    return bool(np.all(gap <= 1e-6 * size))


# %% answer="directions" name="one_step_below" loses="both_sides planted_bugs"
# The two points are two steps apart.
def both_sides(f, vjp, x, u, v, step=1e-6):
    slope = (f(x + step * v) - f(x - step * v)) / step
    return float(np.sum(u * slope)), float(np.sum(v * vjp(x, u)))


def directions_agree(f, vjp, x, rng, directions=5):
    here = f(x)
    shape, sides = np.shape(here), []
    for _ in range(directions):
        u, v = rng.standard_normal(shape), rng.standard_normal(np.shape(x))
        sides.append(both_sides(f, vjp, x, u, v))
    found = np.array(sides)
    gap = np.abs(found[:, 0] - found[:, 1])
    size = np.abs(here).max(initial=0.0) + np.abs(found).max()
    return bool(np.all(gap <= 1e-6 * size))


# %% answer="directions" name="unit_direction" loses="both_sides"
# You make v one long first. Jv is taken along v as it is, the same v that is used on the other
# side.
def both_sides(f, vjp, x, u, v, step=1e-6):
    v = v / max(np.linalg.norm(v), 1e-300)
    slope = (f(x + step * v) - f(x - step * v)) / (2 * step)
    return float(np.sum(u * slope)), float(np.sum(v * vjp(x, u)))


def directions_agree(f, vjp, x, rng, directions=5):
    here = f(x)
    shape, sides = np.shape(here), []
    for _ in range(directions):
        u, v = rng.standard_normal(shape), rng.standard_normal(np.shape(x))
        sides.append(both_sides(f, vjp, x, u, v))
    found = np.array(sides)
    gap = np.abs(found[:, 0] - found[:, 1])
    size = np.abs(here).max(initial=0.0) + np.abs(found).max()
    return bool(np.all(gap <= 1e-6 * size))


# %% answer="directions" name="sides_swapped" loses="both_sides"
# The two sides come in the other order.
def both_sides(f, vjp, x, u, v, step=1e-6):
    slope = (f(x + step * v) - f(x - step * v)) / (2 * step)
    return float(np.sum(v * vjp(x, u))), float(np.sum(u * slope))


def directions_agree(f, vjp, x, rng, directions=5):
    here = f(x)
    shape, sides = np.shape(here), []
    for _ in range(directions):
        u, v = rng.standard_normal(shape), rng.standard_normal(np.shape(x))
        sides.append(both_sides(f, vjp, x, u, v))
    found = np.array(sides)
    gap = np.abs(found[:, 0] - found[:, 1])
    size = np.abs(here).max(initial=0.0) + np.abs(found).max()
    return bool(np.all(gap <= 1e-6 * size))


# %% answer="directions" name="upstream_left_out" loses="both_sides planted_bugs"
# The slope is summed, but not weighed with u.
def both_sides(f, vjp, x, u, v, step=1e-6):
    slope = (f(x + step * v) - f(x - step * v)) / (2 * step)
    return float(np.sum(slope)), float(np.sum(v * vjp(x, u)))


def directions_agree(f, vjp, x, rng, directions=5):
    here = f(x)
    shape, sides = np.shape(here), []
    for _ in range(directions):
        u, v = rng.standard_normal(shape), rng.standard_normal(np.shape(x))
        sides.append(both_sides(f, vjp, x, u, v))
    found = np.array(sides)
    gap = np.abs(found[:, 0] - found[:, 1])
    size = np.abs(here).max(initial=0.0) + np.abs(found).max()
    return bool(np.all(gap <= 1e-6 * size))


# %% answer="directions" name="direction_into_vjp" loses="both_sides planted_bugs"
# `vjp` is given the direction of the inputs; it takes the upstream gradient, of the shape of
# f(x).
def both_sides(f, vjp, x, u, v, step=1e-6):
    slope = (f(x + step * v) - f(x - step * v)) / (2 * step)
    return float(np.sum(u * slope)), float(
        np.sum(u * np.resize(vjp(x, np.resize(v, np.shape(u))), np.shape(u)))
    )


def directions_agree(f, vjp, x, rng, directions=5):
    here = f(x)
    shape, sides = np.shape(here), []
    for _ in range(directions):
        u, v = rng.standard_normal(shape), rng.standard_normal(np.shape(x))
        sides.append(both_sides(f, vjp, x, u, v))
    found = np.array(sides)
    gap = np.abs(found[:, 0] - found[:, 1])
    size = np.abs(here).max(initial=0.0) + np.abs(found).max()
    return bool(np.all(gap <= 1e-6 * size))


# %% answer="directions" name="jacobian" loses="both_sides random"
# You make the whole Jacobian, entry by entry. That is as many evaluations as x has entries; two
# are enough.
def both_sides(f, vjp, x, u, v, step=1e-6):
    slope = 0.0
    for place in np.ndindex(np.shape(x)):
        e = np.zeros(np.shape(x))
        e[place] = step
        slope = slope + v[place] * (f(x + e) - f(x - e)) / (2 * step)
    return float(np.sum(u * slope)), float(np.sum(v * vjp(x, u)))


def directions_agree(f, vjp, x, rng, directions=5):
    here = f(x)
    shape, sides = np.shape(here), []
    for _ in range(directions):
        u, v = rng.standard_normal(shape), rng.standard_normal(np.shape(x))
        sides.append(both_sides(f, vjp, x, u, v))
    found = np.array(sides)
    gap = np.abs(found[:, 0] - found[:, 1])
    size = np.abs(here).max(initial=0.0) + np.abs(found).max()
    return bool(np.all(gap <= 1e-6 * size))


# %% answer="directions" name="matrix_product" loses="both_sides planted_bugs"
# `@` is an inner product for vectors only. For arrays of any shape, multiply entry by entry and
# sum.
def both_sides(f, vjp, x, u, v, step=1e-6):
    slope = (f(x + step * v) - f(x - step * v)) / (2 * step)
    return float(u @ slope), float(v @ vjp(x, u))


def directions_agree(f, vjp, x, rng, directions=5):
    here = f(x)
    shape, sides = np.shape(here), []
    for _ in range(directions):
        u, v = rng.standard_normal(shape), rng.standard_normal(np.shape(x))
        sides.append(both_sides(f, vjp, x, u, v))
    found = np.array(sides)
    gap = np.abs(found[:, 0] - found[:, 1])
    size = np.abs(here).max(initial=0.0) + np.abs(found).max()
    return bool(np.all(gap <= 1e-6 * size))


# %% answer="directions" name="own_step" loses="both_sides"
# The step is fixed inside your function. Use the one that is given.
def both_sides(f, vjp, x, u, v, step=1e-6):
    step = 1e-6
    slope = (f(x + step * v) - f(x - step * v)) / (2 * step)
    return float(np.sum(u * slope)), float(np.sum(v * vjp(x, u)))


def directions_agree(f, vjp, x, rng, directions=5):
    here = f(x)
    shape, sides = np.shape(here), []
    for _ in range(directions):
        u, v = rng.standard_normal(shape), rng.standard_normal(np.shape(x))
        sides.append(both_sides(f, vjp, x, u, v))
    found = np.array(sides)
    gap = np.abs(found[:, 0] - found[:, 1])
    size = np.abs(here).max(initial=0.0) + np.abs(found).max()
    return bool(np.all(gap <= 1e-6 * size))


# %% answer="directions" name="moves_x" loses="both_sides"
# Your function moves the caller's `x`, and does not bring it back exactly.
def both_sides(f, vjp, x, u, v, step=1e-6):
    x += step * v
    high = f(x)
    x -= 2 * step * v
    slope = (high - f(x)) / (2 * step)
    return float(np.sum(u * slope)), float(np.sum(v * vjp(x, u)))


def directions_agree(f, vjp, x, rng, directions=5):
    here = f(x)
    shape, sides = np.shape(here), []
    for _ in range(directions):
        u, v = rng.standard_normal(shape), rng.standard_normal(np.shape(x))
        sides.append(both_sides(f, vjp, x, u, v))
    found = np.array(sides)
    gap = np.abs(found[:, 0] - found[:, 1])
    size = np.abs(here).max(initial=0.0) + np.abs(found).max()
    return bool(np.all(gap <= 1e-6 * size))


# %% answer="directions" name="always_true" loses="planted_bugs"
# Every rule is accepted.
def both_sides(f, vjp, x, u, v, step=1e-6):
    slope = (f(x + step * v) - f(x - step * v)) / (2 * step)
    return float(np.sum(u * slope)), float(np.sum(v * vjp(x, u)))


def directions_agree(f, vjp, x, rng, directions=5):
    here = f(x)
    shape, sides = np.shape(here), []
    for _ in range(directions):
        u, v = rng.standard_normal(shape), rng.standard_normal(np.shape(x))
        sides.append(both_sides(f, vjp, x, u, v))
    found = np.array(sides)
    gap = np.abs(found[:, 0] - found[:, 1])
    return True


# %% answer="directions" name="same_vector_twice" loses="planted_bugs"
# Where the shapes agree, `u` and `v` are one and the same vector. Then ⟨u, Jv⟩ and ⟨v, Jv⟩ are one
# number, and a rule that forgets to transpose passes.
def both_sides(f, vjp, x, u, v, step=1e-6):
    slope = (f(x + step * v) - f(x - step * v)) / (2 * step)
    return float(np.sum(u * slope)), float(np.sum(v * vjp(x, u)))


def directions_agree(f, vjp, x, rng, directions=5):
    here = f(x)
    shape, sides = np.shape(here), []
    for _ in range(directions):
        v = rng.standard_normal(np.shape(x))
        u = v if shape == np.shape(x) else rng.standard_normal(shape)
        sides.append(both_sides(f, vjp, x, u, v))
    found = np.array(sides)
    gap = np.abs(found[:, 0] - found[:, 1])
    size = np.abs(here).max(initial=0.0) + np.abs(found).max()
    return bool(np.all(gap <= 1e-6 * size))


# %% answer="directions" name="absolute_tolerance" loses="planted_bugs"
# Your tolerance is a constant. Where f is about 1e6 the round-off of a right rule is larger, and
# where it is about 1e-6 so small a gap is a mistake.
def both_sides(f, vjp, x, u, v, step=1e-6):
    slope = (f(x + step * v) - f(x - step * v)) / (2 * step)
    return float(np.sum(u * slope)), float(np.sum(v * vjp(x, u)))


def directions_agree(f, vjp, x, rng, directions=5):
    shape, sides = np.shape(f(x)), []
    for _ in range(directions):
        u, v = rng.standard_normal(shape), rng.standard_normal(np.shape(x))
        sides.append(both_sides(f, vjp, x, u, v))
    return all(abs(one - other) <= 1e-6 for one, other in sides)


# %% answer="directions" name="relative_to_sides" loses="planted_bugs"
# You measure the gap in units of the sides alone. Where both are nothing but round-off, a right
# rule is rejected.
def both_sides(f, vjp, x, u, v, step=1e-6):
    slope = (f(x + step * v) - f(x - step * v)) / (2 * step)
    return float(np.sum(u * slope)), float(np.sum(v * vjp(x, u)))


def directions_agree(f, vjp, x, rng, directions=5):
    shape, sides = np.shape(f(x)), []
    for _ in range(directions):
        u, v = rng.standard_normal(shape), rng.standard_normal(np.shape(x))
        sides.append(both_sides(f, vjp, x, u, v))
    found = np.array(sides)
    return bool(np.all(np.abs(found[:, 0] - found[:, 1]) <= 1e-4 * np.abs(found).max()))


# %% answer="directions" name="tiny_constant" loses="planted_bugs"
# The room for round-off is a constant. For an f of a million the round-off is larger than it, and
# right rules are refused. Take it in units of f.
def both_sides(f, vjp, x, u, v, step=1e-6):
    jv = (f(x + step * v) - f(x - step * v)) / (2 * step)
    return float(np.sum(u * jv)), float(np.sum(v * vjp(x, u)))


def directions_agree(f, vjp, x, rng, directions=5):
    here = np.asarray(f(x))
    size = np.abs(here).max(initial=0.0)
    for _ in range(directions):
        u, v = rng.standard_normal(here.shape), rng.standard_normal(np.shape(x))
        a, b = both_sides(f, vjp, x, u, v)
        if not abs(a - b) <= 1e-4 * max(abs(a), abs(b)) + 1e-9:
            return False
    return True


# %% answer="directions" name="first_fifty" loses="both_sides"
# Only the first outputs take part in ⟨u, Jv⟩. All of them do.
def both_sides(f, vjp, x, u, v, step=1e-6):
    jv = (f(x + step * v) - f(x - step * v)) / (2 * step)
    return float(np.sum(np.ravel(u * jv)[:50])), float(np.sum(v * vjp(x, u)))


def directions_agree(f, vjp, x, rng, directions=5):
    here = np.asarray(f(x))
    size = np.abs(here).max(initial=0.0)
    for _ in range(directions):
        u, v = rng.standard_normal(here.shape), rng.standard_normal(np.shape(x))
        a, b = both_sides(f, vjp, x, u, v)
        if not abs(a - b) <= 1e-4 * max(abs(a), abs(b)) + 1e-6 * size:
            return False
    return True


# %% [markdown]
# ## compare


# %% answer="compare" name="entry_by_entry" loses="verdicts"
# Each gap is divided by its own entry of the reference. The task divides by the largest, so that
# the round-off of an entry that is 0 does not look like an error.
def compare(name, mine, reference, tolerance=1e-6):
    if mine.shape != reference.shape:
        return {"name": name, "verdict": "shape", "error": np.inf, "place": None}
    if np.array_equal(mine, reference):
        return {"name": name, "verdict": "equal", "error": 0.0, "place": None}
    gap = np.abs(mine - reference)
    gap = np.where(np.isfinite(gap), gap, np.inf)
    place = tuple(int(k) for k in np.unravel_index(np.argmax(gap), gap.shape))
    largest = np.abs(reference)[place]
    error = float(gap[place] / largest) if largest > 0 else np.inf
    verdict = "close" if error <= tolerance else "differs"
    return {"name": name, "verdict": verdict, "error": error, "place": place}


# %% answer="compare" name="absolute_error" loses="verdicts"
# The error is not divided by anything: it means nothing without knowing how large the gradient
# is.
def compare(name, mine, reference, tolerance=1e-6):
    if mine.shape != reference.shape:
        return {"name": name, "verdict": "shape", "error": np.inf, "place": None}
    if np.array_equal(mine, reference):
        return {"name": name, "verdict": "equal", "error": 0.0, "place": None}
    gap = np.abs(mine - reference)
    gap = np.where(np.isfinite(gap), gap, np.inf)
    place = tuple(int(k) for k in np.unravel_index(np.argmax(gap), gap.shape))
    largest = np.abs(reference).max()
    error = float(gap[place]) if largest > 0 else np.inf
    verdict = "close" if error <= tolerance else "differs"
    return {"name": name, "verdict": verdict, "error": error, "place": place}


# %% answer="compare" name="divides_by_mine" loses="verdicts"
# You divide by the largest entry of `mine`. It is the reference that says how large things are.
def compare(name, mine, reference, tolerance=1e-6):
    if mine.shape != reference.shape:
        return {"name": name, "verdict": "shape", "error": np.inf, "place": None}
    if np.array_equal(mine, reference):
        return {"name": name, "verdict": "equal", "error": 0.0, "place": None}
    gap = np.abs(mine - reference)
    gap = np.where(np.isfinite(gap), gap, np.inf)
    place = tuple(int(k) for k in np.unravel_index(np.argmax(gap), gap.shape))
    largest = np.abs(mine).max()
    error = float(gap[place] / largest) if largest > 0 else np.inf
    verdict = "close" if error <= tolerance else "differs"
    return {"name": name, "verdict": verdict, "error": error, "place": place}


# %% answer="compare" name="largest_without_abs" loses="verdicts"
# The largest entry is not the largest in size: a large negative one counts as well.
def compare(name, mine, reference, tolerance=1e-6):
    if mine.shape != reference.shape:
        return {"name": name, "verdict": "shape", "error": np.inf, "place": None}
    if np.array_equal(mine, reference):
        return {"name": name, "verdict": "equal", "error": 0.0, "place": None}
    gap = np.abs(mine - reference)
    gap = np.where(np.isfinite(gap), gap, np.inf)
    place = tuple(int(k) for k in np.unravel_index(np.argmax(gap), gap.shape))
    largest = reference.max()
    error = float(gap[place] / largest) if largest > 0 else np.inf
    verdict = "close" if error <= tolerance else "differs"
    return {"name": name, "verdict": verdict, "error": error, "place": place}


# %% answer="compare" name="mean_error" loses="verdicts"
# That is the mean of the gaps. One wrong entry among many hardly moves it.
def compare(name, mine, reference, tolerance=1e-6):
    if mine.shape != reference.shape:
        return {"name": name, "verdict": "shape", "error": np.inf, "place": None}
    if np.array_equal(mine, reference):
        return {"name": name, "verdict": "equal", "error": 0.0, "place": None}
    gap = np.abs(mine - reference)
    gap = np.where(np.isfinite(gap), gap, np.inf)
    place = tuple(int(k) for k in np.unravel_index(np.argmax(gap), gap.shape))
    largest = np.abs(reference).max()
    error = float(gap.mean() / largest) if largest > 0 else np.inf
    verdict = "close" if error <= tolerance else "differs"
    return {"name": name, "verdict": verdict, "error": error, "place": place}


# %% answer="compare" name="signed_gap" loses="verdicts"
# Gaps have no sign. With one, the largest below zero is overlooked.
def compare(name, mine, reference, tolerance=1e-6):
    if mine.shape != reference.shape:
        return {"name": name, "verdict": "shape", "error": np.inf, "place": None}
    if np.array_equal(mine, reference):
        return {"name": name, "verdict": "equal", "error": 0.0, "place": None}
    gap = mine - reference
    gap = np.where(np.isfinite(gap), gap, np.inf)
    place = tuple(int(k) for k in np.unravel_index(np.argmax(gap), gap.shape))
    largest = np.abs(reference).max()
    error = float(gap[place] / largest) if largest > 0 else np.inf
    verdict = "close" if error <= tolerance else "differs"
    return {"name": name, "verdict": verdict, "error": error, "place": place}


# %% answer="compare" name="own_tolerance" loses="verdicts"
# The tolerance is fixed inside your function. Use the one that is given.
def compare(name, mine, reference, tolerance=1e-6):
    if mine.shape != reference.shape:
        return {"name": name, "verdict": "shape", "error": np.inf, "place": None}
    if np.array_equal(mine, reference):
        return {"name": name, "verdict": "equal", "error": 0.0, "place": None}
    gap = np.abs(mine - reference)
    gap = np.where(np.isfinite(gap), gap, np.inf)
    place = tuple(int(k) for k in np.unravel_index(np.argmax(gap), gap.shape))
    largest = np.abs(reference).max()
    error = float(gap[place] / largest) if largest > 0 else np.inf
    verdict = "close" if error <= 1e-6 else "differs"
    return {"name": name, "verdict": verdict, "error": error, "place": place}


# %% answer="compare" name="strictly_below" loses="verdicts"
# An error that is exactly the tolerance is still close.
def compare(name, mine, reference, tolerance=1e-6):
    if mine.shape != reference.shape:
        return {"name": name, "verdict": "shape", "error": np.inf, "place": None}
    if np.array_equal(mine, reference):
        return {"name": name, "verdict": "equal", "error": 0.0, "place": None}
    gap = np.abs(mine - reference)
    gap = np.where(np.isfinite(gap), gap, np.inf)
    place = tuple(int(k) for k in np.unravel_index(np.argmax(gap), gap.shape))
    largest = np.abs(reference).max()
    error = float(gap[place] / largest) if largest > 0 else np.inf
    verdict = "close" if error < tolerance else "differs"
    return {"name": name, "verdict": verdict, "error": error, "place": place}


# %% answer="compare" name="never_equal" loses="verdicts accidents"
# Arrays that are equal in all entries have a verdict of their own.
def compare(name, mine, reference, tolerance=1e-6):
    if mine.shape != reference.shape:
        return {"name": name, "verdict": "shape", "error": np.inf, "place": None}
    if mine.size == 0:
        return {"name": name, "verdict": "close", "error": 0.0, "place": None}
    gap = np.abs(mine - reference)
    gap = np.where(np.isfinite(gap), gap, np.inf)
    place = tuple(int(k) for k in np.unravel_index(np.argmax(gap), gap.shape))
    largest = np.abs(reference).max()
    error = float(gap[place] / largest) if largest > 0 else np.inf
    verdict = "close" if error <= tolerance else "differs"
    return {"name": name, "verdict": verdict, "error": error, "place": place}


# %% answer="compare" name="flat_place" loses="verdicts accidents"
# The place is counted through the flat array. It should be an index for the array's own shape.
def compare(name, mine, reference, tolerance=1e-6):
    if mine.shape != reference.shape:
        return {"name": name, "verdict": "shape", "error": np.inf, "place": None}
    if np.array_equal(mine, reference):
        return {"name": name, "verdict": "equal", "error": 0.0, "place": None}
    gap = np.abs(mine - reference)
    gap = np.where(np.isfinite(gap), gap, np.inf)
    place = int(np.argmax(gap))
    largest = np.abs(reference).max()
    error = float(gap.ravel()[place] / largest) if largest > 0 else np.inf
    verdict = "close" if error <= tolerance else "differs"
    return {"name": name, "verdict": verdict, "error": error, "place": place}


# %% answer="compare" name="last_place" loses="verdicts accidents"
# Of several places equally far off you name the last; the task says the first.
def compare(name, mine, reference, tolerance=1e-6):
    if mine.shape != reference.shape:
        return {"name": name, "verdict": "shape", "error": np.inf, "place": None}
    if np.array_equal(mine, reference):
        return {"name": name, "verdict": "equal", "error": 0.0, "place": None}
    gap = np.abs(mine - reference)
    gap = np.where(np.isfinite(gap), gap, np.inf)
    place = tuple(
        int(k) for k in np.unravel_index(gap.size - 1 - np.argmax(gap.ravel()[::-1]), gap.shape)
    )
    largest = np.abs(reference).max()
    error = float(gap[place] / largest) if largest > 0 else np.inf
    verdict = "close" if error <= tolerance else "differs"
    return {"name": name, "verdict": verdict, "error": error, "place": place}


# %% answer="compare" name="nan_is_close" loses="accidents"
# NaN was passed over. It is the worst that can come, and counts as largest.
def compare(name, mine, reference, tolerance=1e-6):
    if mine.shape != reference.shape:
        return {"name": name, "verdict": "shape", "error": np.inf, "place": None}
    if np.array_equal(mine, reference):
        return {"name": name, "verdict": "equal", "error": 0.0, "place": None}
    gap = np.abs(mine - reference)
    gap = np.where(np.isnan(gap), 0.0, gap)
    place = tuple(int(k) for k in np.unravel_index(np.argmax(gap), gap.shape))
    largest = np.abs(reference).max()
    error = float(gap[place] / largest) if largest > 0 else np.inf
    verdict = "close" if error <= tolerance else "differs"
    return {"name": name, "verdict": verdict, "error": error, "place": place}


# %% answer="compare" name="nan_in_error" loses="accidents"
# An error of NaN says nothing; for NaN or an infinity in `mine` it is infinity.
def compare(name, mine, reference, tolerance=1e-6):
    if mine.shape != reference.shape:
        return {"name": name, "verdict": "shape", "error": np.inf, "place": None}
    if np.array_equal(mine, reference):
        return {"name": name, "verdict": "equal", "error": 0.0, "place": None}
    gap = np.abs(mine - reference)
    place = tuple(int(k) for k in np.unravel_index(np.argmax(gap), gap.shape))
    largest = np.abs(reference).max()
    error = float(gap[place] / largest) if largest > 0 else np.inf
    verdict = "close" if error <= tolerance else "differs"
    return {"name": name, "verdict": verdict, "error": error, "place": place}


# %% answer="compare" name="finite_for_zeros" loses="accidents"
# Against a reference of zeros you divide by a small number instead. Any gap at all is infinitely
# large there.
def compare(name, mine, reference, tolerance=1e-6):
    if mine.shape != reference.shape:
        return {"name": name, "verdict": "shape", "error": np.inf, "place": None}
    if np.array_equal(mine, reference):
        return {"name": name, "verdict": "equal", "error": 0.0, "place": None}
    gap = np.abs(mine - reference)
    gap = np.where(np.isfinite(gap), gap, np.inf)
    place = tuple(int(k) for k in np.unravel_index(np.argmax(gap), gap.shape))
    largest = np.abs(reference).max()
    error = float(gap[place] / largest) if largest > 0 else float(gap[place] / 1e-8)
    verdict = "close" if error <= tolerance else "differs"
    return {"name": name, "verdict": verdict, "error": error, "place": place}


# %% answer="compare" name="broadcasts" loses="accidents"
# Shapes are not compared, and NumPy broadcasts one against the other.
def compare(name, mine, reference, tolerance=1e-6):
    if mine.size != reference.size:
        return {"name": name, "verdict": "shape", "error": np.inf, "place": None}
    if np.array_equal(mine, reference):
        return {"name": name, "verdict": "equal", "error": 0.0, "place": None}
    gap = np.abs(mine - reference)
    gap = np.where(np.isfinite(gap), gap, np.inf)
    place = tuple(int(k) for k in np.unravel_index(np.argmax(gap), gap.shape))
    largest = np.abs(reference).max()
    error = float(gap[place] / largest) if largest > 0 else np.inf
    verdict = "close" if error <= tolerance else "differs"
    return {"name": name, "verdict": verdict, "error": error, "place": place}


# %% answer="compare" name="shape_raises" loses="accidents"
# Another shape is a finding, not an error: report it.
def compare(name, mine, reference, tolerance=1e-6):
    if mine.shape != reference.shape:
        raise ValueError("shapes differ")
    if np.array_equal(mine, reference):
        return {"name": name, "verdict": "equal", "error": 0.0, "place": None}
    gap = np.abs(mine - reference)
    gap = np.where(np.isfinite(gap), gap, np.inf)
    place = tuple(int(k) for k in np.unravel_index(np.argmax(gap), gap.shape))
    largest = np.abs(reference).max()
    error = float(gap[place] / largest) if largest > 0 else np.inf
    verdict = "close" if error <= tolerance else "differs"
    return {"name": name, "verdict": verdict, "error": error, "place": place}


# %% answer="compare" name="empty_fails" loses="accidents"
# Two empty arrays of one shape are equal. Yours looks for the largest of no numbers.
def compare(name, mine, reference, tolerance=1e-6):
    if mine.shape != reference.shape:
        return {"name": name, "verdict": "shape", "error": np.inf, "place": None}
    if mine.size and np.array_equal(mine, reference):
        return {"name": name, "verdict": "equal", "error": 0.0, "place": None}
    gap = np.abs(mine - reference)
    gap = np.where(np.isfinite(gap), gap, np.inf)
    place = tuple(int(k) for k in np.unravel_index(np.argmax(gap), gap.shape))
    largest = np.abs(reference).max()
    error = float(gap[place] / largest) if largest > 0 else np.inf
    verdict = "close" if error <= tolerance else "differs"
    return {"name": name, "verdict": verdict, "error": error, "place": place}


# %% answer="compare" name="boolean_verdict" loses="verdicts accidents"
# The verdict is one of four words, not True or False.
def compare(name, mine, reference, tolerance=1e-6):
    if mine.shape != reference.shape:
        return {"name": name, "verdict": False, "error": np.inf, "place": None}
    if np.array_equal(mine, reference):
        return {"name": name, "verdict": True, "error": 0.0, "place": None}
    gap = np.abs(mine - reference)
    gap = np.where(np.isfinite(gap), gap, np.inf)
    place = tuple(int(k) for k in np.unravel_index(np.argmax(gap), gap.shape))
    largest = np.abs(reference).max()
    error = float(gap[place] / largest) if largest > 0 else np.inf
    verdict = bool(error <= tolerance)
    return {"name": name, "verdict": verdict, "error": error, "place": place}


# %% answer="compare" name="writes_into_mine" loses="verdicts"
# The gap was written into the caller's own array.
def compare(name, mine, reference, tolerance=1e-6):
    if mine.shape != reference.shape:
        return {"name": name, "verdict": "shape", "error": np.inf, "place": None}
    if np.array_equal(mine, reference):
        return {"name": name, "verdict": "equal", "error": 0.0, "place": None}
    gap = mine
    gap -= reference
    gap = np.abs(gap)
    gap = np.where(np.isfinite(gap), gap, np.inf)
    place = tuple(int(k) for k in np.unravel_index(np.argmax(gap), gap.shape))
    largest = np.abs(reference).max()
    error = float(gap[place] / largest) if largest > 0 else np.inf
    verdict = "close" if error <= tolerance else "differs"
    return {"name": name, "verdict": verdict, "error": error, "place": place}


# %% answer="compare" name="one_dictionary_for_all" loses="verdicts"
# The same dictionary is filled again in each call, so an earlier report changes afterwards. Make
# a new one in each call.
_ROW = {}


def compare(name, mine, reference, tolerance=1e-6):
    def row(verdict, error, place):
        _ROW.update(name=name, verdict=verdict, error=error, place=place)
        return _ROW

    if mine.shape != reference.shape:
        return row("shape", np.inf, None)
    if np.array_equal(mine, reference):
        return row("equal", 0.0, None)
    gap = np.abs(mine - reference)
    gap = np.where(np.isfinite(gap), gap, np.inf)
    place = tuple(int(n) for n in np.unravel_index(np.argmax(gap), gap.shape))
    top = np.abs(reference).max()
    error = float(gap.max() / top) if top > 0 else np.inf
    return row("close" if error <= tolerance else "differs", error, place)


# %% answer="compare" name="tiny_is_zero" loses="verdicts"
# A reference whose largest entry is tiny is not 0. Only one that is 0 everywhere has no scale.
def compare(name, mine, reference, tolerance=1e-6):
    def row(verdict, error, place):
        return {"name": name, "verdict": verdict, "error": error, "place": place}

    if mine.shape != reference.shape:
        return row("shape", np.inf, None)
    if np.array_equal(mine, reference):
        return row("equal", 0.0, None)
    gap = np.abs(mine - reference)
    gap = np.where(np.isfinite(gap), gap, np.inf)
    place = tuple(int(n) for n in np.unravel_index(np.argmax(gap), gap.shape))
    top = np.abs(reference).max()
    error = float(gap.max() / top) if top > 1e-12 else np.inf
    return row("close" if error <= tolerance else "differs", error, place)


# %% [markdown]
# ## mended


# %% answer="mended" name="first_bug_left" loses="gradients"
# The gradient of the logits is still divided by the number of classes. The loss is a mean over
# the examples.
def mended(x, labels, w1, b1, w2, b2):
    h = x @ w1 + b1
    h_relu = np.maximum(h, 0)
    logits = h_relu @ w2 + b2
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = p / p.sum(axis=1, keepdims=True)
    grad = {"logits": (p - np.eye(p.shape[1])[labels]) / p.shape[1]}
    grad["w2"] = h_relu.T @ grad["logits"]
    grad["b2"] = grad["logits"].sum(axis=0)
    grad["h_relu"] = grad["logits"] @ w2.T
    grad["h"] = grad["h_relu"] * (h > 0)
    grad["w1"] = x.T @ grad["h"]
    grad["b1"] = grad["h"].sum(axis=0)
    return grad


# %% answer="mended" name="divided_by_both" loses="gradients"
# The gradient of the logits is divided by the number of entries. The loss is a mean over
# examples, not over classes.
def mended(x, labels, w1, b1, w2, b2):
    h = x @ w1 + b1
    h_relu = np.maximum(h, 0)
    logits = h_relu @ w2 + b2
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = p / p.sum(axis=1, keepdims=True)
    grad = {"logits": (p - np.eye(p.shape[1])[labels]) / p.size}
    grad["w2"] = h_relu.T @ grad["logits"]
    grad["b2"] = grad["logits"].sum(axis=0)
    grad["h_relu"] = grad["logits"] @ w2.T
    grad["h"] = grad["h_relu"] * (h > 0)
    grad["w1"] = x.T @ grad["h"]
    grad["b1"] = grad["h"].sum(axis=0)
    return grad


# %% answer="mended" name="not_divided" loses="gradients"
# The gradient of the logits is not divided at all: the loss is a mean, not a sum.
def mended(x, labels, w1, b1, w2, b2):
    h = x @ w1 + b1
    h_relu = np.maximum(h, 0)
    logits = h_relu @ w2 + b2
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = p / p.sum(axis=1, keepdims=True)
    grad = {"logits": (p - np.eye(p.shape[1])[labels])}
    grad["w2"] = h_relu.T @ grad["logits"]
    grad["b2"] = grad["logits"].sum(axis=0)
    grad["h_relu"] = grad["logits"] @ w2.T
    grad["h"] = grad["h_relu"] * (h > 0)
    grad["w1"] = x.T @ grad["h"]
    grad["b1"] = grad["h"].sum(axis=0)
    return grad


# %% answer="mended" name="mask_left" loses="gradients"
# The mask lets everything through: after the ReLU no value is below 0, so `>= 0` is true for all.
def mended(x, labels, w1, b1, w2, b2):
    h = x @ w1 + b1
    h_relu = np.maximum(h, 0)
    logits = h_relu @ w2 + b2
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = p / p.sum(axis=1, keepdims=True)
    grad = {"logits": (p - np.eye(p.shape[1])[labels]) / len(x)}
    grad["w2"] = h_relu.T @ grad["logits"]
    grad["b2"] = grad["logits"].sum(axis=0)
    grad["h_relu"] = grad["logits"] @ w2.T
    grad["h"] = grad["h_relu"] * (h_relu >= 0)
    grad["w1"] = x.T @ grad["h"]
    grad["b1"] = grad["h"].sum(axis=0)
    return grad


# %% answer="mended" name="mask_on_the_gradient" loses="gradients"
# The ReLU lets a gradient through where its *input* was above 0. Yours looks at the sign of the
# gradient.
def mended(x, labels, w1, b1, w2, b2):
    h = x @ w1 + b1
    h_relu = np.maximum(h, 0)
    logits = h_relu @ w2 + b2
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = p / p.sum(axis=1, keepdims=True)
    grad = {"logits": (p - np.eye(p.shape[1])[labels]) / len(x)}
    grad["w2"] = h_relu.T @ grad["logits"]
    grad["b2"] = grad["logits"].sum(axis=0)
    grad["h_relu"] = grad["logits"] @ w2.T
    grad["h"] = grad["h_relu"] * (grad["h_relu"] > 0)
    grad["w1"] = x.T @ grad["h"]
    grad["b1"] = grad["h"].sum(axis=0)
    return grad


# %% answer="mended" name="shape_left" loses="gradients"
# The gradient of `b1` keeps an axis of size 1. A gradient has the shape of what it belongs to.
def mended(x, labels, w1, b1, w2, b2):
    h = x @ w1 + b1
    h_relu = np.maximum(h, 0)
    logits = h_relu @ w2 + b2
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = p / p.sum(axis=1, keepdims=True)
    grad = {"logits": (p - np.eye(p.shape[1])[labels]) / len(x)}
    grad["w2"] = h_relu.T @ grad["logits"]
    grad["b2"] = grad["logits"].sum(axis=0)
    grad["h_relu"] = grad["logits"] @ w2.T
    grad["h"] = grad["h_relu"] * (h > 0)
    grad["w1"] = x.T @ grad["h"]
    grad["b1"] = grad["h"].sum(axis=0, keepdims=True)
    return grad


# %% answer="mended" name="mean_of_bias" loses="gradients"
# The gradient of `b1` is a mean over the examples. The mean is already in the gradient of the
# loss; each example adds its share.
def mended(x, labels, w1, b1, w2, b2):
    h = x @ w1 + b1
    h_relu = np.maximum(h, 0)
    logits = h_relu @ w2 + b2
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = p / p.sum(axis=1, keepdims=True)
    grad = {"logits": (p - np.eye(p.shape[1])[labels]) / len(x)}
    grad["w2"] = h_relu.T @ grad["logits"]
    grad["b2"] = grad["logits"].sum(axis=0)
    grad["h_relu"] = grad["logits"] @ w2.T
    grad["h"] = grad["h_relu"] * (h > 0)
    grad["w1"] = x.T @ grad["h"]
    grad["b1"] = grad["h"].mean(axis=0)
    return grad


# %% answer="mended" name="all_three_left" loses="gradients"
# That is the broken pass: its three bugs are all still in it.
def mended(x, labels, w1, b1, w2, b2):
    h = x @ w1 + b1
    h_relu = np.maximum(h, 0)
    logits = h_relu @ w2 + b2
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = p / p.sum(axis=1, keepdims=True)
    grad = {"logits": (p - np.eye(p.shape[1])[labels]) / p.shape[1]}
    grad["w2"] = h_relu.T @ grad["logits"]
    grad["b2"] = grad["logits"].sum(axis=0)
    grad["h_relu"] = grad["logits"] @ w2.T
    grad["h"] = grad["h_relu"] * (h_relu >= 0)
    grad["w1"] = x.T @ grad["h"]
    grad["b1"] = grad["h"].sum(axis=0, keepdims=True)
    return grad


# %% answer="mended" name="unshifted_softmax" loses="gradients"
# The largest logit is no longer taken out before the exponential. That was no bug: without it
# large logits overflow.
def mended(x, labels, w1, b1, w2, b2):
    h = x @ w1 + b1
    h_relu = np.maximum(h, 0)
    logits = h_relu @ w2 + b2
    p = np.exp(logits)
    p = p / p.sum(axis=1, keepdims=True)
    grad = {"logits": (p - np.eye(p.shape[1])[labels]) / len(x)}
    grad["w2"] = h_relu.T @ grad["logits"]
    grad["b2"] = grad["logits"].sum(axis=0)
    grad["h_relu"] = grad["logits"] @ w2.T
    grad["h"] = grad["h_relu"] * (h > 0)
    grad["w1"] = x.T @ grad["h"]
    grad["b1"] = grad["h"].sum(axis=0)
    return grad


# %% answer="mended" name="weights_only" loses="gradients"
# Only the weights' gradients are returned. The dictionary has seven, one for each value on the
# way.
def mended(x, labels, w1, b1, w2, b2):
    h = x @ w1 + b1
    h_relu = np.maximum(h, 0)
    logits = h_relu @ w2 + b2
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = p / p.sum(axis=1, keepdims=True)
    grad = {"logits": (p - np.eye(p.shape[1])[labels]) / len(x)}
    grad["w2"] = h_relu.T @ grad["logits"]
    grad["b2"] = grad["logits"].sum(axis=0)
    grad["h_relu"] = grad["logits"] @ w2.T
    grad["h"] = grad["h_relu"] * (h > 0)
    grad["w1"] = x.T @ grad["h"]
    grad["b1"] = grad["h"].sum(axis=0)
    return {name: grad[name] for name in ("w1", "b1", "w2", "b2")}


# %% answer="mended" name="adds_into_logits" loses="gradients"
# Your function changes what it is given: the bias was added in place.
def mended(x, labels, w1, b1, w2, b2):
    b1 += 0.0 * b1 + 1e-3
    h = x @ w1 + b1 - 1e-3
    h_relu = np.maximum(h, 0)
    logits = h_relu @ w2 + b2
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = p / p.sum(axis=1, keepdims=True)
    grad = {"logits": (p - np.eye(p.shape[1])[labels]) / len(x)}
    grad["w2"] = h_relu.T @ grad["logits"]
    grad["b2"] = grad["logits"].sum(axis=0)
    grad["h_relu"] = grad["logits"] @ w2.T
    grad["h"] = grad["h_relu"] * (h > 0)
    grad["w1"] = x.T @ grad["h"]
    grad["b1"] = grad["h"].sum(axis=0)
    return grad


# %% answer="mended" name="one_dictionary_for_all" loses="gradients"
# The same dictionary is filled again in each call, so the gradients of an earlier call change
# afterwards. Make a new one in each call.
_G = {}


def mended(x, labels, w1, b1, w2, b2):
    h = x @ w1 + b1
    h_relu = np.maximum(h, 0)
    logits = h_relu @ w2 + b2
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = p / p.sum(axis=1, keepdims=True)
    grad = _G
    grad["logits"] = (p - np.eye(p.shape[1])[labels]) / len(p)
    grad["w2"] = h_relu.T @ grad["logits"]
    grad["b2"] = grad["logits"].sum(axis=0)
    grad["h_relu"] = grad["logits"] @ w2.T
    grad["h"] = grad["h_relu"] * (h > 0)
    grad["w1"] = x.T @ grad["h"]
    grad["b1"] = grad["h"].sum(axis=0)
    return grad
