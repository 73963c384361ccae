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
# ## central_difference


# %% answer="central_difference" name="one_hot_moves"
def central_difference(f, x, step=1e-5):
    x = np.asarray(x).astype(np.float64)
    flat = []
    for k in range(x.size):
        move = np.zeros(x.size)
        move[k] = step
        move = move.reshape(x.shape)
        flat.append((f(x + move) - f(x - move)) / (2 * step))
    return np.array(flat, dtype=float).reshape(x.shape)


# %% answer="central_difference" name="flat_copies"
def central_difference(f, x, step=1e-5):
    shape = np.shape(x)
    flat = [float(v) for v in np.ravel(x)]
    grad = np.empty(len(flat))
    for k, value in enumerate(flat):
        ends = []
        for end in (value + step, value - step):
            ends.append(f(np.array([*flat[:k], end, *flat[k + 1 :]], dtype=float).reshape(shape)))
        grad[k] = (ends[0] - ends[1]) / step / 2
    return grad.reshape(shape)


# %% answer="central_difference" name="exact_spacing"
def central_difference(f, x, step=1e-5):
    x = np.array(x, float, copy=True)
    out = np.zeros_like(x)
    walk = np.nditer(x, flags=["multi_index", "zerosize_ok"])
    while not walk.finished:
        i = walk.multi_index
        old = x[i]
        up, down = old + step, old - step
        x[i] = up
        f_up = f(x)
        x[i] = down
        f_down = f(x)
        x[i] = old
        out[i] = (f_up - f_down) / (up - down)
        walk.iternext()
    return out


# %% answer="central_difference" name="in_place_and_back"
def central_difference(f, x, step=1e-5):
    x = np.asarray(x, dtype=np.float64)
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


# %% answer="central_difference" name="walk_in_another_order"
def central_difference(f, x, step=1e-5):
    x = np.asarray(x, dtype=np.float64)
    out = np.zeros(x.shape)
    if not x.size:
        return out
    it = np.nditer(x, flags=["multi_index"], order="F")
    for v in it:
        m = x.copy()
        m[it.multi_index] = v - step
        low = f(m)
        m[it.multi_index] = v + step
        out[it.multi_index] = (f(m) - low) / step / 2
    return out


# %% [markdown]
# ## relative_error


# %% answer="relative_error" name="plain_then_mend"
def relative_error(a, b):
    a, b = np.array(a, dtype=float), np.array(b, dtype=float)
    if np.shape(a) != np.shape(b):
        raise ValueError("not the same shape")
    out = np.full(a.shape, np.inf)
    fine = np.isfinite(a) & np.isfinite(b)
    large = np.maximum(abs(a), abs(b))
    work = fine & (large > 0)
    with np.errstate(all="ignore"):
        half = np.abs(a / 2 - b / 2) / (large / 2)
        plain = np.abs(a - b) / large
    value = np.where(np.isfinite(plain), plain, half)
    out[work] = value[work]
    out[a == b] = 0.0
    return out


# %% answer="relative_error" name="entry_by_entry"
def relative_error(a, b):
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if a.shape != b.shape:
        raise ValueError(str(a.shape) + " against " + str(b.shape))

    def one(p, q):
        if p == q:
            return 0.0
        if not (np.isfinite(p) and np.isfinite(q)):
            return np.inf
        top = max(abs(p), abs(q))
        return abs(p / top - q / top)

    pairs = zip(a.ravel().tolist(), b.ravel().tolist())
    return np.array([one(p, q) for p, q in pairs], dtype=float).reshape(a.shape)


# %% answer="relative_error" name="one_minus_ratio"
def relative_error(a, b):
    a, b = np.asarray(a, float), np.asarray(b, float)
    if a.shape != b.shape:
        raise ValueError(f"{a.shape} against {b.shape}")
    out = np.full(a.shape, np.inf)
    ok = np.isfinite(a) & np.isfinite(b) & (a != b)
    p, q = np.abs(a[ok]), np.abs(b[ok])
    ratio = np.minimum(p, q) / np.maximum(p, q)
    out[ok] = np.where(np.sign(a[ok]) * np.sign(b[ok]) < 0, 1 + ratio, 1 - ratio)
    out[a == b] = 0
    return out


# %% answer="relative_error" name="fractions"
from fractions import Fraction


def relative_error(a, b):
    a, b = np.array(a, float), np.array(b, float)
    if a.shape != b.shape:
        raise ValueError
    out = []
    for p, q in zip(a.ravel().tolist(), b.ravel().tolist()):
        if p == q:
            out.append(0.0)
        elif not np.isfinite([p, q]).all():
            out.append(float("inf"))
        else:
            s, t = Fraction(p), Fraction(q)
            out.append(float(abs(s - t) / max(abs(s), abs(t))))
    return np.array(out, dtype=float).reshape(a.shape)


# %% [markdown]
# ## error_curve


# %% answer="error_curve" name="comprehensions"
def error_curve(f, slope, x, steps, method="central"):
    if method == "central":
        return np.array([abs((f(x + h) - f(x - h)) / (2 * h) - slope) for h in steps], float)
    if method == "forward":
        here = f(x)
        return np.array([abs((f(x + h) - here) / h - slope) for h in steps], float)
    raise ValueError("unknown method " + method)


def best_step(steps, errors):
    best, least = None, None
    for k in range(len(steps)):
        near = list(errors[max(k - 2, 0) : k + 3])
        worst = float("inf") if any(e != e for e in near) else max(near)
        if least is None or worst < least:
            best, least = float(steps[k]), worst
    return best


# %% answer="error_curve" name="padded"
def error_curve(f, slope, x, steps, method="central"):
    back = {"central": 1, "forward": 0}
    if method not in back:
        raise ValueError(f"{method} is neither central nor forward")
    errors = np.empty(len(steps))
    for k, h in enumerate(steps):
        low = f(x - h) if back[method] else f(x)
        errors[k] = np.abs((f(x + h) - low) / (h * (1 + back[method])) - slope)
    return errors


def best_step(steps, errors):
    e = np.array(errors, dtype=float)
    e[np.isnan(e)] = np.inf
    padded = np.concatenate([[-np.inf] * 2, e, [-np.inf] * 2])
    windows = np.stack([padded[k : k + len(e)] for k in range(5)])
    return float(np.asarray(steps)[windows.max(axis=0).argmin()])


# %% answer="error_curve" name="sliding_windows"
from numpy.lib.stride_tricks import sliding_window_view


def error_curve(f, slope, x, steps, method="central"):
    steps = np.asarray(steps, dtype=float)
    if method == "central":
        left, width = -1.0, 2.0
    elif method == "forward":
        left, width = 0.0, 1.0
    else:
        raise ValueError(f"unknown {method}")
    return np.array([abs((f(x + h) - f(x + left * h)) / (width * h) - slope) for h in steps])


def best_step(steps, errors):
    e = np.array(errors, dtype=float)
    e[np.isnan(e)] = np.inf
    padded = np.concatenate([[-np.inf] * 2, e, [-np.inf] * 2])
    return np.asarray(steps, dtype=float)[sliding_window_view(padded, 5).max(axis=1).argmin()]


# %% [markdown]
# ## complex_step


# %% answer="complex_step" name="one_hot_moves"
def complex_step(f, x, step=1e-30):
    x = np.asarray(x, dtype=float)
    out = np.zeros(x.size)
    for k in range(x.size):
        move = np.zeros(x.size)
        move[k] = step
        value = f(x + 1j * move.reshape(x.shape))
        if np.asarray(value).dtype.kind != "c":
            raise ValueError("this function does not return complex numbers")
        out[k] = np.asarray(value).imag / step
    return out.reshape(x.shape)


# %% answer="complex_step" name="type_by_type"
def complex_step(f, x, step=1e-30):
    slopes = []
    for place in np.ndindex(np.shape(x)):
        z = np.array(x) + 0j
        z = np.asarray(z)
        z[place] += complex(0, step)
        value = f(z)
        if not isinstance(value, (complex, np.complexfloating, np.ndarray)) or np.isrealobj(value):
            raise ValueError("expected a complex value, not " + repr(value))
        slopes.append(float(complex(value).imag) / step)
    return np.array(slopes, dtype=float).reshape(np.shape(x))


# %% answer="complex_step" name="instances_of_both"
def complex_step(f, x, step=1e-30):
    moved = np.array(x, dtype=complex)
    grad = np.zeros(moved.shape)
    for place in np.ndindex(moved.shape):
        kept = moved[place]
        moved[place] = kept + 1j * step
        value = f(moved)
        moved[place] = kept
        if not isinstance(value, (complex, np.complexfloating)):
            raise ValueError("f dropped the complex part")
        grad[place] = np.imag(value) / step
    return grad


# %% [markdown]
# ## check_gradient


# %% answer="check_gradient" name="whole_arrays"
def check_gradient(f, grad, x):
    x = np.array(x, dtype=float)
    claim = np.array(grad(x.copy()), dtype=float)
    if np.shape(claim) != x.shape or np.any(~np.isfinite(claim)):
        return False
    here, h = f(x.copy()), 1e-6
    right, left = np.zeros(x.shape), np.zeros(x.shape)
    for place in np.ndindex(x.shape):
        y = x.copy()
        y[place] += h
        right[place] = (f(y) - here) / h
        y = x.copy()
        y[place] -= h
        left[place] = (here - f(y)) / h
    low, high = np.minimum(left, right), np.maximum(left, right)
    room = 3e-3 * np.maximum(abs(low), abs(high)) + 3e-6 * abs(here)
    return bool(((low - room <= claim) & (claim <= high + room)).all())


# %% answer="check_gradient" name="central_unless_kinked"
def check_gradient(f, grad, x):
    start = np.array(x, dtype=np.float64)
    claim = np.asarray(grad(start.copy()))
    if claim.shape != start.shape:
        return False
    base, h = float(f(start.copy())), 3e-6
    for k in range(start.size):
        values = []
        for sign in (1, -1):
            moved = start.copy().ravel()
            moved[k] += sign * h
            values.append(float(f(moved.reshape(start.shape))))
        up, down = (values[0] - base) / h, (base - values[1]) / h
        got, floor = float(claim.ravel()[k]), 1e-6 * max(abs(base), abs(values[0]))
        size = max(abs(up), abs(down))
        if abs(up - down) > 1e-2 * size + floor:
            ok = min(up, down) - 0.05 * size <= got <= max(up, down) + 0.05 * size
        else:
            ok = abs(got - (up + down) / 2) <= 2e-3 * size + floor
        if not ok:
            return False
    return True


# %% answer="check_gradient" name="relative_to_f"
def check_gradient(f, grad, x):
    x = np.array(x, dtype=float)
    scale = abs(f(x.copy()))
    scale = scale if scale > 0 else 1.0
    claim = np.asarray(grad(x.copy()), dtype=float) / scale
    if claim.shape != x.shape or not np.all(np.isfinite(claim)):
        return False

    def g(moved):
        return f(moved) / scale

    h = 1e-5
    for place in np.ndindex(x.shape):
        e = np.zeros(x.shape)
        e[place] = h
        up, here, down = g(x + e), g(x + 0.0), g(x - e)
        pair = sorted([(up - here) / h, (here - down) / h])
        room = 1e-3 * max(abs(pair[0]), abs(pair[1])) + 1e-6 * (scale != 1.0 or here != 0)
        if claim[place] < pair[0] - room or claim[place] > pair[1] + room:
            return False
    return True


# %% answer="check_gradient" name="all_entries_at_once"
def check_gradient(f, grad, x):
    x0 = np.array(x, dtype=float)
    claim = np.asarray(grad(x0.copy()))
    if claim.shape != x0.shape:
        return False
    h, here = 3e-6, f(x0.copy())
    moves = h * np.eye(x0.size).reshape((x0.size, *x0.shape))
    up = np.array([f(x0 + m) for m in moves]).reshape(x0.shape)
    down = np.array([f(x0 - m) for m in moves]).reshape(x0.shape)
    a, b = (up - here) / h, (here - down) / h
    low, high = np.minimum(a, b), np.maximum(a, b)
    room = 2e-4 * np.maximum(abs(low), abs(high)) + 5e-7 * abs(here)
    return np.all((claim >= low - room) & (claim <= high + room))


# %% answer="check_gradient" name="builds_on_exercise_1"
def check_gradient(f, grad, x):
    claim = np.asarray(grad(np.copy(x)), float)
    if claim.shape != x.shape or not np.all(np.isfinite(claim)):
        return False

    def safe(z):
        return float(f(np.copy(z)))

    central = central_difference(safe, x)
    here = safe(x)
    tol = 1e-3 * np.abs(central) + 3e-6 * abs(here)
    for p in (
        zip(*np.nonzero(np.abs(claim - central) > tol))
        if x.ndim
        else ([()] if abs(claim - central) > tol else [])
    ):
        e = np.zeros(x.shape)
        e[p] = 1e-6
        s = [(safe(x + e) - here) / 1e-6, (here - safe(x - e)) / 1e-6]
        room = 1e-3 * max(map(abs, s)) + 2e-6 * abs(here)
        if not min(s) - room <= claim[p] <= max(s) + room:
            return False
    return True


# %% answer="check_gradient" name="as_loose_as_it_may_be"
def check_gradient(f, grad, x):
    claim = np.asarray(grad(x.copy()))
    if claim.shape != x.shape or not np.isfinite(claim).all():
        return False
    here = f(x.copy())
    for place in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[place] += 1e-5
        down[place] -= 1e-5
        sides = (f(up) - here) / 1e-5, (here - f(down)) / 1e-5
        room = 4e-3 * max(map(abs, sides)) + 4e-6 * abs(here)
        if not min(sides) - room <= claim[place] <= max(sides) + room:
            return False
    return True


# %% [markdown]
# ## directions


# %% answer="directions" name="flat_products"
def both_sides(f, vjp, x, u, v, step=1e-6):
    high = np.asarray(f(x + step * v))
    low = np.asarray(f(x - step * v))
    forward = np.dot(np.ravel(u), np.ravel(high - low)) / (2 * step)
    backward = np.dot(np.ravel(v), np.ravel(vjp(x, u)))
    return float(forward), float(backward)


def directions_agree(f, vjp, x, rng, directions=5):
    start = np.asarray(f(x))
    shape, size = start.shape, np.sqrt((start**2).sum())
    for _ in range(directions):
        u, v = rng.normal(size=shape), rng.normal(size=np.shape(x))
        one, other = both_sides(f, vjp, x, u, v)
        if not abs(one - other) <= 1e-4 * max(abs(one), abs(other)) + 1e-6 * size:
            return False
    return True


# %% answer="directions" name="own_loop"
def both_sides(f, vjp, x, u, v, step=1e-6):
    forward = (u * (f(x + v * step) - f(x - v * step))).sum() / step / 2
    return [float(forward), float((v * np.asarray(vjp(x, u))).sum())]


def directions_agree(f, vjp, x, rng, directions=5):
    gaps, sizes = [], []
    for _ in range(directions):
        v, h = rng.standard_normal(np.shape(x)), 1e-5
        high, low = f(x + h * v), f(x - h * v)
        u = rng.standard_normal(np.shape(high))
        one = np.sum(u * (high - low)) / (2 * h)
        other = np.sum(v * vjp(x, u))
        gaps.append(abs(one - other))
        sizes += [abs(one), abs(other), np.max(np.abs(high), initial=0.0)]
    return bool(max(gaps) <= 1e-5 * max(sizes)) if not np.isnan(gaps).any() else False


# %% answer="directions" name="all_drawn_first"
def both_sides(f, vjp, x, u, v, step=1e-6):
    left = np.vdot(u, np.asarray(f(x + step * v)) - np.asarray(f(x - step * v))) / (2 * step)
    return float(left), float(np.vdot(v, vjp(x, u)))


def directions_agree(f, vjp, x, rng, directions=5):
    y = np.asarray(f(x))
    us = rng.standard_normal((directions, *y.shape))
    vs = rng.standard_normal((directions, *np.shape(x)))
    pairs = np.array([both_sides(f, vjp, x, u, v) for u, v in zip(us, vs)]).reshape(-1, 2)
    size = max(np.abs(y).max(initial=0), np.abs(pairs).max(initial=0))
    return bool((np.abs(pairs[:, 0] - pairs[:, 1]) <= 1e-5 * size).all())


# %% [markdown]
# ## compare


# %% answer="compare" name="one_dictionary"
def compare(name, mine, reference, tolerance=1e-6):
    row = {"name": name, "verdict": "equal", "error": 0.0, "place": None}
    if np.shape(mine) != np.shape(reference):
        row.update(verdict="shape", error=float("inf"))
    elif not np.all(mine == reference):
        gap = np.nan_to_num(np.abs(mine - reference), nan=np.inf, posinf=np.inf)
        flat = int(gap.argmax())
        row["place"] = tuple(map(int, np.unravel_index(flat, gap.shape)))
        with np.errstate(divide="ignore"):
            row["error"] = float(np.divide(gap.max(), np.abs(reference).max()))
        row["verdict"] = "differs" if row["error"] > tolerance else "close"
    return row


# %% answer="compare" name="loop_over_places"
def compare(name, mine, reference, tolerance=1e-6):
    if mine.shape != reference.shape:
        return {"name": name, "verdict": "shape", "error": math_inf(), "place": None}
    worst, place, top = 0.0, None, 0.0
    for i in np.ndindex(mine.shape):
        gap = abs(mine[i] - reference[i])
        if not np.isfinite(gap):
            gap = math_inf()
        if gap > worst:
            worst, place = float(gap), i
        top = max(top, float(abs(reference[i])))
    if place is None:
        return {"name": name, "verdict": "equal", "error": 0.0, "place": None}
    error = worst / top if top else math_inf()
    return {
        "name": name,
        "verdict": ("differs", "close")[error <= tolerance],
        "error": error,
        "place": place,
    }


def math_inf():
    return float("inf")


# %% answer="compare" name="plain_numbers"
def compare(name, mine, reference, tolerance=1e-6):
    inf = float("inf")
    out = {"name": name, "verdict": "shape", "error": inf, "place": None}
    if np.shape(mine) != np.shape(reference):
        return out
    best, where = 0.0, None
    for p in np.ndindex(np.shape(mine)):
        d = abs(float(mine[p]) - float(reference[p]))
        d = inf if d != d else d
        if d > best:
            best, where = d, p
    if where is None:
        out.update(verdict="equal", error=0.0)
        return out
    scale = float(np.max(np.abs(reference)))
    err = best / scale if scale else inf
    out.update(verdict=("differs", "close")[err <= tolerance], error=err, place=where)
    return out


# %% [markdown]
# ## mended


# %% answer="mended" name="lesson_01_words"
def mended(x, labels, w1, b1, w2, b2):
    h = x @ w1 + b1
    on = h > 0
    h_relu = np.where(on, h, 0.0)
    logits = h_relu @ w2 + b2
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    back = e / e.sum(axis=1, keepdims=True)
    back[np.arange(len(labels)), labels] -= 1.0
    back /= len(labels)
    into = back @ w2.T
    before = np.where(on, into, 0.0)
    return {
        "b1": before.sum(0), "w1": x.T @ before, "h": before, "h_relu": into,
        "b2": back.sum(0), "w2": h_relu.T @ back, "logits": back,
    }  # fmt: skip


# %% answer="mended" name="example_by_example"
def mended(x, labels, w1, b1, w2, b2):
    n = x.shape[0]
    grad = {k: np.zeros_like(v) for k, v in {"w1": w1, "b1": b1, "w2": w2, "b2": b2}.items()}
    rows = {"logits": [], "h_relu": [], "h": []}
    for row, label in zip(x, labels):
        h = row @ w1 + b1
        relu = np.maximum(h, 0)
        z = relu @ w2 + b2
        p = np.exp(z - z.max())
        p = p / p.sum()
        p[label] -= 1
        p = p / n
        rows["logits"].append(p)
        rows["h_relu"].append(w2 @ p)
        rows["h"].append((w2 @ p) * (h > 0))
        grad["w2"] += np.outer(relu, p)
        grad["b2"] += p
        grad["w1"] += np.outer(row, rows["h"][-1])
        grad["b1"] += rows["h"][-1]
    return grad | {k: np.stack(v) for k, v in rows.items()}


# %% answer="mended" name="einsum"
def mended(x, labels, w1, b1, w2, b2):
    h = x @ w1 + b1
    h_relu = np.maximum(h, 0)
    logits = h_relu @ w2 + b2
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = p / p.sum(axis=1, keepdims=True)
    grad = {"logits": (p - np.eye(p.shape[1])[labels]) / len(p)}
    grad["w2"] = np.einsum("nh,nc->hc", h_relu, grad["logits"])
    grad["b2"] = grad["logits"].sum(axis=0)
    grad["h_relu"] = grad["logits"] @ w2.T
    grad["h"] = grad["h_relu"] * (h > 0)
    grad["w1"] = x.T @ grad["h"]
    grad["b1"] = grad["h"].sum(axis=0)
    return grad


# %% equivalent="central_difference" mutant="central_difference.L2.sibling.1"
# Every entry of the result is written before it is returned, so it does not matter what was there.

# %% equivalent="complex_step" mutant="complex_step.L2.sibling.1"
# Every entry of the result is written before it is returned, so it does not matter what was there.

# %% equivalent="relative_error" mutant="relative_error.L3.swap_arguments.1"
# The larger of two numbers is the same in either order.

# %% equivalent="relative_error" mutant="relative_error.L4.drop_keyword.1"
# The task says that the checks do not mind NumPy's warnings.

# %% equivalent="relative_error" mutant="relative_error.L5.swap_operands.1"
# The absolute value of a difference is the same in either order.

# %% equivalent="error_curve" mutant="error_curve.L9.swap_operands.1"
# The absolute value of a difference is the same in either order.

# %% equivalent="error_curve" mutant="error_curve.L15.swap_arguments.1"
# The larger of two numbers is the same in either order.

# %% equivalent="check_gradient" mutant="check_gradient.L11.swap_arguments.1"
# The smaller of two numbers is the same in either order.

# %% equivalent="directions" mutant="directions.L11.swap_operands.1"
# The absolute value of a difference is the same in either order.

# %% equivalent="compare" mutant="compare.L3.swap_arguments.1"
# Two arrays are equal in either order.

# %% equivalent="compare" mutant="compare.L5.swap_operands.1"
# The absolute value of a difference is the same in either order.

# %% equivalent="compare" mutant="compare.L7.drop_call.2"
# NumPy's integers are as good as Python's in an index.

# %% equivalent="compare" mutant="compare.L9.always.1"
# NumPy divides by 0, with a warning, and gets the infinity that is asked for.

# %% equivalent="compare" mutant="compare.L9.boundary.1"
# NumPy divides by 0, with a warning, and gets the infinity that is asked for.

# %% equivalent="compare" mutant="compare.L9.drop_call.1"
# A NumPy float is a float.

# %% equivalent="mended" mutant="mended.L2.swap_arguments.1"
# The larger of two numbers is the same in either order.

# %% equivalent="mended" mutant="mended.L10.boundary.1"
# At h = 0 the slope is a matter of taste, the task says, and the checks stay away from it.
