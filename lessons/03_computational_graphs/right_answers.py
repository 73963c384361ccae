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


# %% answer="nine_nodes" name="list_of_edges"
def by_hand():
    """Return the values and the gradients of the figure's nine nodes, found on paper."""
    return nine_nodes(2.0, -1.0, 3.0, -2.0)


def nine_nodes(x, y, z, w):
    """Return the values and the gradients of the nine nodes for any four floats."""
    s = x + y
    p, m = s * z, w if w > y else y
    q = p * m
    values = dict(zip("xyzwspmqL", (x, y, z, w, s, p, m, q, q + s)))
    edges = [
        ("L", "q", 1.0), ("L", "s", 1.0), ("q", "p", m), ("q", "m", p), ("m", "y", 1.0 - (w > y)),
        ("m", "w", 1.0 * (w > y)), ("p", "s", z), ("p", "z", s), ("s", "x", 1.0), ("s", "y", 1.0),
    ]  # fmt: skip
    gradients = dict.fromkeys(values, 0.0)
    gradients["L"] = 1.0
    for user, used, local in edges:
        gradients[used] += gradients[user] * local
    return values, gradients


# %% answer="nine_nodes" name="written_out"
def by_hand():
    names = "x", "y", "z", "w", "s", "p", "m", "q", "L"
    values = dict(zip(names, (2.0, -1.0, 3.0, -2.0, 1.0, 3.0, -1.0, -3.0, -2.0)))
    return values, dict(zip(names, (-2.0, 1.0, -1.0, 0.0, -2.0, -1.0, 3.0, 1.0, 1.0)))


def nine_nodes(x, y, z, w):
    m = y if y >= w else w
    values = {"x": x, "y": y, "z": z, "w": w, "s": x + y, "p": (x + y) * z, "m": m}
    values["q"] = values["p"] * m
    values["L"] = values["q"] + values["s"]
    ds = 1.0 + m * z
    on_y = np.float64(y >= w)
    return [values, {
        "x": ds, "y": ds + on_y * values["p"], "z": m * (x + y), "w": (1 - on_y) * values["p"],
        "s": ds, "p": m, "m": values["p"], "q": 1.0, "L": 1.0,
    }]  # fmt: skip


# %% answer="gates" name="masks_and_sums"
def add(a, b):
    return np.add(a, b)


def add_back(g, a, b):
    return g.copy(), g.copy()


def multiply(a, b):
    return np.multiply(b, a)


def multiply_back(g, a, b):
    return [b * g, a * g]


def larger(a, b):
    return np.where(b > a, b, a)


def larger_back(g, a, b):
    to_b = (b > a).astype(float)
    return g * (1 - to_b), g * to_b


def copy(a, n):
    return [a.copy() for _ in range(n)]


def copy_back(gs, a):
    return np.sum(np.reshape(gs, (len(gs), *a.shape)), axis=0)


# %% answer="gates" name="empty_like"
def add(a, b):
    out = np.empty_like(a)
    out[...] = a + b
    return out


def add_back(g, a, b):
    return g, g


def multiply(a, b):
    return np.einsum("...,...->...", a, b)


def multiply_back(g, a, b):
    return multiply(g, b), multiply(g, a)


def larger(a, b):
    first = a >= b
    return a * first + b * ~first


def larger_back(g, a, b):
    to_a = np.array(g)
    to_a[a < b] = 0
    return to_a, g - to_a


def copy(a, n):
    return list(np.broadcast_to(a, (n, *a.shape)))


def copy_back(gs, a):
    return sum(gs, 0 * a)


# %% answer="topological_order" name="kahn"
def topological_order(output):
    found, stack = {output: 0}, [output]
    while stack:
        for parent in stack.pop().parents:
            if parent not in found:
                stack.append(parent)
            found[parent] = found.get(parent, 0) + 1
    order = [output]
    for node in order:
        for parent in node.parents:
            found[parent] -= 1
            if found[parent] == 0:
                order.append(parent)
    return order[::-1]


# %% answer="topological_order" name="iterators_on_a_stack"
def topological_order(output):
    order, seen = [], {id(output)}
    path = [(output, iter(output.parents))]
    while path:
        node, rest = path[-1]
        for parent in rest:
            if id(parent) not in seen:
                seen.add(id(parent))
                path.append((parent, iter(parent.parents)))
                break
        else:
            path.pop()
            order.append(node)
    return order


# %% answer="topological_order" name="longest_way"
def topological_order(output):
    depth, stack = {}, [output]
    while stack:
        node = stack[-1]
        unknown = [p for p in node.parents if p not in depth]
        if unknown and node not in depth:
            stack.extend(unknown)
        else:
            stack.pop()
            depth[node] = 1 + max([depth[p] for p in node.parents], default=0)
    return sorted(depth, key=lambda node: depth[node])


# %% answer="backprop" name="gather_from_users"
def backprop(output, rules, upstream=1.0):
    """Each node asks those who use it, once all of them know their own gradient."""
    found, stack, users = {output}, [output], {output: []}
    while stack:
        node = stack.pop()
        if node.parents and node.op not in rules:
            raise NotImplementedError("cannot go back through " + node.op)
        for k, parent in enumerate(node.parents):
            users.setdefault(parent, []).append((node, k))
            if parent not in found:
                found.add(parent)
                stack.append(parent)
    gradients = {output: upstream}
    ready, left = [output], {node: len(edges) for node, edges in users.items()}
    while ready:
        user = ready.pop()
        for parent in user.parents:
            left[parent] -= 1
            if left[parent] == 0:
                parts = [
                    rules[node.op][k](gradients[node], node.value, *(p.value for p in node.parents))
                    for node, k in users[parent]
                ]
                total = parts[0]
                for part in parts[1:]:
                    total = total + part
                gradients[parent] = total
                ready.append(parent)
    return gradients


# %% answer="backprop" name="lists_of_parts"
from functools import reduce
from operator import add as plus


def backprop(output, rules, upstream=1.0):
    arrived, result = {id(output): [upstream]}, {}
    for node in topological_order(output)[::-1]:
        g = result[node] = reduce(plus, arrived.pop(id(node)))
        if not node.parents:
            continue
        try:
            edges = rules[node.op]
        except KeyError:
            raise NotImplementedError(node.op) from None
        values = tuple(p.value for p in node.parents)
        for parent, edge in zip(node.parents, edges):
            arrived.setdefault(id(parent), []).append(edge(g, node.value, *values))
    return result


# %% answer="backprop" name="order_from_graphlib"
def backprop(output, rules, upstream=1.0):
    import graphlib

    made_of, todo = {}, [output]
    while todo:
        node = todo.pop()
        if node not in made_of:
            made_of[node] = node.parents
            todo.extend(node.parents)
    gradients = {output: upstream}
    for node in reversed([*graphlib.TopologicalSorter(made_of).static_order()]):
        if not node.parents:
            continue
        if node.op not in rules:
            raise NotImplementedError(f"no rule for {node.op}")
        values = [parent.value for parent in node.parents]
        for rule, parent in zip(rules[node.op], node.parents, strict=True):
            sent = rule(gradients[node], node.value, *values)
            gradients[parent] = gradients[parent] + sent if parent in gradients else sent
    return gradients


# %% answer="vjps" name="other_words"
def matmul_x(g, out, x, w):
    return (w @ g.T).T


def matmul_w(g, out, x, w):
    return (g.T @ x).T


def add_row_x(g, out, x, b):
    return g.copy()


def add_row_b(g, out, x, b):
    return np.ones(len(g)) @ g


def relu_x(g, out, x):
    return np.where(out > 0, g, 0.0)


def softmax_x(g, out, x):
    weighted = g * out
    return weighted - out * np.sum(weighted, axis=-1)[..., None]


def cumsum_x(g, out, x):
    return g.sum(axis=-1, keepdims=True) - np.cumsum(g, axis=-1) + g


def squared_error_p(g, out, p, y):
    return np.multiply(2 * g, np.subtract(p, y))


def squared_error_y(g, out, p, y):
    return -squared_error_p(g, out, p, y)


# %% answer="vjps" name="einsum_and_flip"
def matmul_x(g, out, x, w):
    return np.einsum("nm,dm->nd", g, w)


def matmul_w(g, out, x, w):
    return np.einsum("nm,nd->dm", g, x)


def add_row_x(g, out, x, b):
    return np.asarray(g)


def add_row_b(g, out, x, b):
    return np.einsum("nm->m", g)


def relu_x(g, out, x):
    grad = np.array(g)
    grad[x <= 0] = 0
    return grad


def softmax_x(g, out, x):
    row = np.einsum("...i,...i->...", g, out)
    return (g - row[..., np.newaxis]) * out


def cumsum_x(g, out, x):
    return np.flip(np.add.accumulate(np.flip(g, -1), axis=-1), -1)


def squared_error_p(g, out, p, y):
    return 2 * p * g - 2 * y * g


def squared_error_y(g, out, p, y):
    return 2 * (y - p) * g


# %% answer="costs" name="one_hot_places"
def jacobian(rule, out_shape, in_shape):
    rows = []
    for place in np.ndindex(*out_shape):
        g = np.zeros(out_shape)
        g[place] = 1
        rows.append(np.ravel(rule(g)))
    return np.reshape(rows, (math.prod(out_shape), math.prod(in_shape)))


def multiplications(f, *arrays):
    given = []
    for a in arrays:
        held = np.empty(a.shape, dtype=object)
        for place in np.ndindex(*a.shape):
            held[place] = Counting(float(a[place]))
        given.append(held)
    before = Counting.made
    f(*given)
    return Counting.made - before


def matmul_costs(n, d, m):
    results, inputs = n * m, n * d
    return {
        "with_rule": n * m * d,
        "with_jacobian": results * inputs,
        "nonzero": results * d,
        "entries": inputs * results,
    }


def sweep_costs(sizes):
    backward = forward = 0
    for i in range(len(sizes) - 2, 0, -1):
        backward += sizes[-1] * sizes[i] * sizes[i - 1]
    for i in range(1, len(sizes) - 1):
        forward += sizes[i + 1] * sizes[i] * sizes[0]
    return backward, forward


# %% answer="costs" name="rows_of_the_identity"
def jacobian(rule, out_shape, in_shape):
    basis = np.eye(int(np.prod(out_shape, dtype=int)))
    return np.stack([np.asarray(rule(row.copy().reshape(out_shape))).ravel() for row in basis])


def multiplications(f, *arrays):
    Counting.made = 0
    f(*[np.array([Counting(v) for v in a.ravel()], dtype=object).reshape(a.shape) for a in arrays])
    return Counting.made


def product_cost(shapes):
    cost, (rows, inner) = 0, shapes[0]
    for _, columns in shapes[1:]:
        cost += rows * inner * columns
        inner = columns
    return cost


def sweep_costs(sizes):
    steps = [(sizes[i], sizes[i + 1]) for i in range(len(sizes) - 1)]
    return [product_cost([(b, a) for a, b in reversed(steps)]), product_cost(steps)]


def matmul_costs(n, d, m):
    names = "entries", "nonzero", "with_jacobian", "with_rule"
    return dict(zip(names, (n**2 * d * m, n * d * m) * 2))


# %% answer="neuron" name="all_by_itself"
def tanh_back(g, out, a):
    return g - g * out * out


def evaluate(output, feeds):
    values, stack = {}, [output]
    while stack:
        node = stack[-1]
        waiting = [p for p in node.parents if id(p) not in values]
        if id(node) in values or not waiting:
            stack.pop()
        if id(node) in values or waiting:
            stack.extend(waiting)
        elif node.op == "constant":
            values[id(node)] = node.number
        elif node.op == "placeholder":
            if node.name not in feeds:
                raise KeyError(f"no feed for {node.name}")
            values[id(node)] = feeds[node.name]
        else:
            values[id(node)] = FORWARD[node.op](*[values[id(p)] for p in node.parents])
    return values[id(output)]


def gradient(output, wrt):
    one, found = constant(1.0), {}
    found[output] = one
    for node in topological_order(output)[::-1]:
        g = found.get(node)
        if node.op == "add":
            parts = [g, g]
        elif node.op == "multiply":
            parts = [g * node.parents[1], node.parents[0] * g]
        elif node.op == "tanh":
            parts = [tanh_back(g, node, node.parents[0])]
        else:
            parts = []
        for parent, part in zip(node.parents, parts):
            found[parent] = part if parent not in found else found[parent] + part
    zero = constant(0.0)
    return [found.get(symbol, zero) for symbol in wrt]


# %% answer="neuron" name="forward_mode"
def tanh_back(g, out, a):
    return (1 - out) * (1 + out) * g


def evaluate(output, feeds):
    values = {
        node: feeds[node.name] if node.op == "placeholder" else node.number
        for node in topological_order(output)
        if not node.parents
    }
    for node in topological_order(output):
        if node.parents:
            values[node] = FORWARD[node.op](*map(values.get, node.parents))
    return values[output]


def gradient(output, wrt):
    """Along with the values instead of against them: one sweep for each symbol."""
    return [along(output, symbol) for symbol in wrt]


def along(output, symbol):
    slopes, zero = {}, constant(0.0)
    for node in topological_order(output):
        if node is symbol:
            slopes[node] = constant(1.0)
        elif not node.parents or all(slopes[p] is zero for p in node.parents):
            slopes[node] = zero
        elif node.op == "add":
            slopes[node] = slopes[node.parents[0]] + slopes[node.parents[1]]
        elif node.op == "multiply":
            a, b = node.parents
            slopes[node] = slopes[a] * b + a * slopes[b]
        else:
            slopes[node] = tanh_back(slopes[node.parents[0]], node, node.parents[0])
    return slopes[output]


# %% equivalent="nine_nodes" mutant="nine_nodes.L9.swap_arguments.1"
# The larger of two numbers is the same in either order, at a tie too.

# %% equivalent="gates" mutant="gates.L17.swap_arguments.1"
# The larger of two entries is the same in either order.

# %% equivalent="costs" mutant="costs.L2.sibling.1"
# Every row of the result is written before it is returned, so it does not matter what was there.
