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


# %% answer="branch" name="two_tables"
def cond_now(pred, true_fn, false_fn):
    return (true_fn, false_fn)[0 if pred else 1]()


def cond(pred, true_fn, false_fn):
    branches = {True: Subgraph(true_fn), False: Subgraph(false_fn)}
    kinds = {(g.outputs[0].shape, g.outputs[0].dtype) for g in branches.values()}
    if len(kinds) > 1:
        raise ValueError(f"branches of several kinds: {kinds}")
    (shape, dtype), captured = kinds.pop(), [*branches[True].captured, *branches[False].captured]
    count = len(branches[True].captured)

    def share(flag, values):
        return values[:count] if flag else values[count:]

    def forward(flag, *values):
        graph = branches[bool(flag)]
        return graph.run(dict(zip(graph.captured, share(flag, values))))[0], bool(flag)

    def backward(upstream, flag, _, *values):
        graph = branches[flag]
        found = graph.vjp(dict(zip(graph.captured, share(flag, values))), [upstream])
        slopes = [found[node] for node in graph.captured]
        rest = [None] * (len(values) - len(slopes))
        return [None, *slopes, *rest] if flag else [None, *rest, *slopes]

    return Node("cond", [as_node(pred), *captured], forward, backward, shape, dtype)


# %% answer="branch" name="saves_the_run"
# Keeps what the branch computed, and goes back without running it again.
def cond_now(pred, true_fn, false_fn):
    if pred:
        return true_fn()
    return false_fn()


def cond(pred, true_fn, false_fn):
    yes, no = Subgraph(true_fn), Subgraph(false_fn)
    a, b = yes.outputs[0], no.outputs[0]
    if (a.shape, a.dtype) != (b.shape, b.dtype):
        raise ValueError("the two branches are not alike")
    outside = sorted({*yes.captured, *no.captured}, key=lambda node: node.number)

    def forward(flag, *values):
        graph = yes if flag else no
        found, saved = evaluate(graph.outputs, dict(zip(outside, values)))
        return found[graph.outputs[0]], (graph, found, saved)

    def backward(upstream, kept, *values):
        graph, found, saved = kept
        grads = pull_back(graph.outputs, [upstream], found, saved)
        return [None] + [grads.get(node) for node in outside]

    return Node("cond", (as_node(pred), *outside), forward, backward, a.shape, a.dtype)


# %% answer="loop" name="recursion_of_rounds"
# A `while True` with the test inside; one environment; what was computed is kept, not computed
# again.
def while_now(test, body, first):
    first = [*first]
    while bool(test(*first)):
        first = body(*first)
    return tuple(first)


def while_loop(test, body, first):
    first = [as_node(v) for v in first]
    check, step = Subgraph(test, first), Subgraph(body, first)
    if len(step.outputs) != len(first):
        raise ValueError("another number of variables")
    for old, new in zip(first, step.outputs):
        if old.shape != new.shape or old.dtype != new.dtype:
            raise ValueError(f"{old!r} becomes {new!r}")
    around = list({*check.captured, *step.captured})
    n = len(first)

    def forward(*values):
        fixed, state, rounds = dict(zip(around, values[n:])), values[:n], []
        while True:
            if not check.run({**fixed, **dict(zip(check.inputs, state))})[0]:
                return tuple(state), rounds
            found, saved = evaluate(step.outputs, {**fixed, **dict(zip(step.inputs, state))})
            rounds.append((found, saved))
            state = [found[node] for node in step.outputs]

    def backward(upstream, rounds, *values):
        sums = [0.0] * len(around)
        for found, saved in rounds[::-1]:
            grads = pull_back(step.outputs, upstream, found, saved)
            upstream = [grads.get(x, np.zeros(x.shape)) for x in step.inputs]
            sums = [s + grads.get(node, 0.0) for s, node in zip(sums, around)]
        return [*upstream, *(np.broadcast_to(s, node.shape) for s, node in zip(sums, around))]

    return results(Node("while", [*first, *around], forward, backward, (), "float64"), first)


def foldl(fn, elements, initial):
    def body(y, t):
        return fn(y, row(elements, t)), t + 1

    return while_loop(lambda y, t: t < elements.shape[0], body, (initial, 0))[0]


# %% answer="loop" name="fold_counts_down"
# Counts the rows that are left.
def while_now(test, body, first):
    state = tuple(first)
    while test(*state):
        state = (*body(*state),)
    return state


def while_loop(test, body, first):
    first = [as_node(value) for value in first]
    check, step = Subgraph(test, first), Subgraph(body, first)
    kinds = [[(x.shape, x.dtype) for x in nodes] for nodes in (first, step.outputs)]
    if kinds[0] != kinds[1]:
        raise ValueError(f"variables enter the body as {kinds[0]} and leave it as {kinds[1]}")
    outside = list(dict.fromkeys([*check.captured, *step.captured]))

    def forward(*values):
        state, trail = tuple(values[: len(first)]), []
        around = dict(zip(outside, values[len(first) :], strict=True))
        while check.run(dict(zip(check.inputs, state)) | around)[0]:
            trail.append(state)
            state = step.run(dict(zip(step.inputs, state)) | around)
        return state, trail

    def backward(upstream, trail, *values):
        around = dict(zip(outside, values[len(first) :], strict=True))
        totals = {node: np.zeros(node.shape) for node in outside}
        for state in reversed(trail):
            grads = step.vjp(dict(zip(step.inputs, state)) | around, upstream)
            upstream = [grads[x] for x in step.inputs]
            for node in step.captured:
                totals[node] = totals[node] + grads[node]
        return [*upstream, *(totals[node] for node in outside)]

    node = Node("while_loop", [*first, *outside], forward, backward, (), float)
    return results(node, first)


def foldl(fn, elements, initial):
    count = len(np.empty(elements.shape))
    _, out = while_loop(
        lambda left, y: left > 0,
        lambda left, y: [left - 1, fn(y, row(elements, count - left))],
        [as_node(count), as_node(initial)],
    )
    return out


# %% answer="batching" name="levels_and_lists"
# Rows are kept in a list of tensors, one for each call, and fetched one by one only where needed.
def batched(trees, leaf, join):
    nodes, todo = {}, list(trees)
    leaves = []
    while todo:
        part = todo.pop()
        if type(part) is not list:
            leaves.append(part)
        elif id(part) not in nodes:
            nodes[id(part)] = part
            todo.extend(part[1:])
    users, waiting, level = {}, {}, {}
    for key, part in nodes.items():
        sides = {id(side) for side in part[1:] if type(side) is list}
        waiting[key], level[key] = len(sides), 1
        for side in sides:
            users.setdefault(side, []).append(key)
    ready = [key for key, count in waiting.items() if not count]
    for key in ready:
        for user in users.get(key, []):
            level[user] = max(level[user], level[key] + 1)
            waiting[user] -= 1
            if not waiting[user]:
                ready.append(user)
    where = {("leaf", number): i for i, number in enumerate(leaves)}
    table, height = [leaf(leaves)], len(leaves)

    def spot(part):
        return where[id(part)] if type(part) is list else where["leaf", part]

    for d in range(1, max(level.values(), default=0) + 1):
        at_d = [key for key in ready if level[key] == d]
        for op in dict.fromkeys(nodes[key][0] for key in at_d):
            chosen = [key for key in at_d if nodes[key][0] == op]
            everything = cr.concatenate(table)
            a = everything[[spot(nodes[key][1]) for key in chosen]]
            b = everything[[spot(nodes[key][2]) for key in chosen]]
            for i, key in enumerate(chosen):
                where[key] = height + i
            height += len(chosen)
            table = [everything, join(op, a, b)]
    return cr.concatenate(table)[[spot(tree) for tree in trees]]


# %% answer="batching" name="stacked_vectors"
# One vector for each node, stacked for a call and taken apart after it.
def batched(trees, leaf, join):
    numbers, found, depth, kinds = [], {}, {}, {}
    stack = list(trees)
    while stack:
        part = stack[-1]
        if not isinstance(part, list):
            numbers.append(stack.pop())
            continue
        below = [side for side in part[1:] if isinstance(side, list)]
        missing = [side for side in below if id(side) not in depth]
        if id(part) in depth or missing:
            if missing:
                stack.extend(missing)
            else:
                stack.pop()
            continue
        depth[id(part)] = 1 + max((depth[id(side)] for side in below), default=0)
        kinds.setdefault(depth[id(part)], {}).setdefault(part[0], []).append(part)
        numbers += [side for side in part[1:] if not isinstance(side, list)]
        stack.pop()
    numbers = sorted(set(numbers))
    vectors = leaf(numbers)
    leaves = {number: vectors[i] for i, number in enumerate(numbers)}

    def vector(part):
        return found[id(part)] if isinstance(part, list) else leaves[part]

    for d in sorted(kinds):
        for op, parts in kinds[d].items():
            sides = [cr.stack([vector(part[i]) for part in parts]) for i in (1, 2)]
            out = join(op, *sides)
            for i, part in enumerate(parts):
                found[id(part)] = out[i]
    return cr.stack([vector(tree) for tree in trees])


# %% answer="traps" name="other_pairs"
def witnesses():
    found = dict.fromkeys(TRAPS)
    found["doubled_or_less"] = [[-5.0], [5.0]]
    found["walked"] = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0, 7.0]]
    found["halved"] = [[100.0, 1.0], [0.5, 0.5]]
    found["scaled"] = [[0.0], [2.0]]
    return found


def runs():
    return dict(zip(("values", "floats", "lengths", "dtypes"), (1, 3, 3, 2)))


def graphs():
    return {"lengths": 2, "branch": 3, "chosen": 1}


# %% answer="traps" name="pairs_of_whole_numbers"
def witnesses():
    return {
        "doubled_or_less": ([1.0, 2.0], [-1.0, -2.0]),
        "chosen": None,
        "walked": ([1.0, 2.0], [1.0, 2.0, 3.0]),
        "averaged": None,
        "halved": ([0], [2, 3, 4]),
        "scaled": ([7], [-1, 1]),
    }


def runs():
    return {"values": 1, "floats": 3, "lengths": 3, "dtypes": 2}


def graphs():
    return {"chosen": 1, "branch": 3, "lengths": 2}


# %% answer="rnn" name="word_by_word"
# Each word alone; the rest is its last state.
def rnn(x, lengths, wx, wh, b):
    states = np.zeros((x.shape[1] + 1, len(x), len(b)))
    for i, length in enumerate(lengths):
        h = np.zeros(len(b))
        for t in range(length):
            h = np.tanh(b + x[i, t] @ wx + h @ wh)
            states[t + 1, i] = h
        states[length + 1 :, i] = h
    return states


# %% answer="rnn" name="rows_that_are_on"
# Only the rows that are on are computed, and the inputs' part of all steps at once.
def rnn(x, lengths, wx, wh, b):
    N, T, _ = x.shape
    behind = (np.arange(T)[None, :] >= np.asarray(lengths)[:, None])[..., None]
    inputs = np.where(behind, 0.0, x) @ wx + b
    h = np.zeros((N, wh.shape[0]))
    states = [h]
    for t in range(T):
        on = np.flatnonzero(t < lengths)
        h = h.copy()
        h[on] = np.tanh(inputs[on, t] + h[on] @ wh)
        states.append(h)
    return np.array(states)


# %% answer="bptt" name="word_by_word"
def bptt(x, lengths, states, wx, wh, upstream):
    dx, dwx, dwh, db = (np.zeros(np.shape(a)) for a in (x, wx, wh, wh[0] if len(wh) else []))
    for i, length in enumerate(lengths):
        g = upstream[i]
        for t in range(length - 1, -1, -1):
            h = states[t + 1, i]
            dz = g - g * h * h
            dx[i, t] = wx @ dz
            dwx += np.outer(x[i, t], dz)
            dwh += np.outer(states[t, i], dz)
            db += dz
            g = wh @ dz
    return dx, dwx, dwh, db


# %% answer="bptt" name="all_dz_first"
# First the gradients before tanh at all steps, then one product for each result.
def bptt(x, lengths, states, wx, wh, upstream):
    n, steps, _ = x.shape
    on = np.arange(steps)[:, None] < np.asarray(lengths)[None, :]
    dz, g = np.zeros((steps, n, len(wh))), upstream.copy()
    for t in range(steps - 1, -1, -1):
        rows = on[t]
        dz[t, rows] = g[rows] * (1 - states[t + 1, rows] ** 2)
        g[rows] = dz[t, rows] @ wh.T
    clean = np.where(on.T[..., None], x, 0.0)
    return (
        np.einsum("tnh,dh->ntd", dz, wx),
        np.einsum("ntd,tnh->dh", clean, dz),
        np.einsum("tnk,tnh->kh", states[:-1], dz),
        dz.sum(axis=(0, 1)),
    )


# %% answer="tree" name="todo_until_done"
# A stack that looks at its top until both sides are there.
def join(weights, op, left, right):
    a, b, c, bias = weights[op]
    return ((left @ a * (right @ b)) @ c + bias).tanh()


def climb(tree, leaf, join):
    done, stack = {}, [tree]

    def key(part):
        return ("node", id(part)) if isinstance(part, list) else ("leaf", part)

    while stack:
        part = stack[-1]
        if key(part) in done:
            stack.pop()
        elif not isinstance(part, list):
            done[key(part)] = leaf(part)
        else:
            missing = [side for side in part[1:] if key(side) not in done]
            stack += missing
            if not missing:
                done[key(part)] = join(part[0], *(done[key(side)] for side in part[1:]))
    return done[key(tree)]


# %% answer="tree" name="generators"
# Functions that yield where they would call themselves, run by a loop.
def join(weights, op, left, right):
    a, b, c, bias = weights[op]
    return cr.tanh(((left @ a) * (right @ b)) @ c + bias)


def climb(tree, leaf, join):
    done = {}

    def visit(part):
        if not isinstance(part, list):
            return leaf(part)
        if id(part) not in done:
            left = yield part[1]
            right = yield part[2]
            done[id(part)] = join(part[0], left, right)
        return done[id(part)]

    running, value = [visit(tree)], None
    while running:
        try:
            running.append(visit(running[-1].send(value)))
            value = None
        except StopIteration as stop:
            running.pop()
            value = stop.value
    return value


# %% answer="modules" name="matrices"
# Moves are products with a matrix; a table of functions instead of a chain of ifs.
def find(cells, weights, word):
    if word not in weights:
        raise ValueError(f"no module finds {word!r}")
    w, c = weights[word]
    return (cells @ w + c).sigmoid()


def move(attention, direction):
    if direction not in DIRECTIONS:
        raise ValueError(f"{direction!r} is no direction")
    rows, columns = attention.shape
    if direction in ("above", "below"):
        step = 1 if direction == "above" else -1
        return cr.tensor(np.eye(rows, k=step)) @ attention
    step = -1 if direction == "left" else 1
    return attention @ cr.tensor(np.eye(columns, k=step))


def answer(question, cells, weights):
    def look(part):
        table = {
            "find": lambda word: find(cells, weights, word),
            "and": lambda a, b: look(a) * look(b),
            **{d: (lambda a, d=d: move(look(a), d)) for d in DIRECTIONS},
        }
        if part[0] not in table:
            raise ValueError(f"unknown module: {part[0]}")
        return table[part[0]](*part[1:])

    if question[0] != "is":
        raise ValueError(f"unknown question: {question[0]}")
    both = look(question[1]) * look(question[2])
    return both.max() * weights["is"][0] + weights["is"][1]


# %% answer="modules" name="flat_program"
# The question becomes a list of steps first, and then runs on a stack.
def find(cells, weights, word):
    if word == "is" or word not in weights:
        raise ValueError(word)
    w, c = weights[word]
    return cr.sigmoid(cells @ w + c)


def move(attention, direction):
    padded = cr.pad(attention, 1)
    down, across = {"above": (2, 1), "below": (0, 1), "left": (1, 2), "right": (1, 0)}[direction]
    rows, columns = attention.shape
    return padded[down : down + rows, across : across + columns]


def answer(question, cells, weights):
    if question[0] != "is":
        raise ValueError(f"{question[0]} is no question")
    steps, todo = [], [question]
    while todo:
        name, *inputs = todo.pop()
        steps.append((name, inputs))
        if name != "find":
            todo += inputs
    maps = []
    for name, inputs in reversed(steps):
        if name == "find":
            maps.append(find(cells, weights, inputs[0]))
        elif name in DIRECTIONS:
            maps.append(move(maps.pop(), name))
        elif name in ("and", "is"):
            maps.append(maps.pop() * maps.pop())
        else:
            raise ValueError(f"{name} is no module")
    scale, shift = weights["is"]
    return maps[0].max() * scale + shift


# %% answer="loop" name="saves_tapes_of_rounds"
# Each round leaves what it computed; going back takes it off the end.
def while_now(test, body, first):
    first = list(first)
    while True:
        if not test(*first):
            return tuple(first)
        first = list(body(*first))


def while_loop(test, body, first):
    first = tuple(map(as_node, first))
    n, check, step = len(first), Subgraph(test, first), Subgraph(body, first)
    if [(v.shape, v.dtype) for v in first] != [(v.shape, v.dtype) for v in step.outputs]:
        raise ValueError("variables change their kind")
    outside = sorted(set(check.captured) | set(step.captured), key=lambda node: node.number)

    def forward(*values):
        around, trail, state = dict(zip(outside, values[n:])), [], values[:n]
        while bool(check.run({**around, **dict(zip(check.inputs, state))})[0]):
            found, saved = evaluate(step.outputs, {**around, **dict(zip(step.inputs, state))})
            trail.append((found, saved))
            state = tuple(found[v] for v in step.outputs)
        return state, trail

    def backward(up, trail, *values):
        up = list(up)
        sums = {}
        while trail:
            found, saved = trail.pop()
            g = pull_back(step.outputs, up, found, saved)
            up = [g.get(v, np.zeros(v.shape)) for v in step.inputs]
            for v in step.captured:
                sums[v] = sums.get(v, 0.0) + g.get(v, 0.0)
        return up + [sums.get(v) for v in outside]

    return results(Node("while", first + tuple(outside), forward, backward, (), float), first)


def foldl(fn, elements, initial):
    elements, y = as_node(elements), as_node(initial)
    if elements.shape[0] == 0:
        fn(y, row(elements, 0))
        return y
    _, y = while_loop(
        lambda i, y: i < elements.shape[0],
        lambda i, y: [i + 1, fn(y, row(elements, i))],
        [np.array(0), y],
    )
    return y


# %% answer="rnn" name="packed"
# Rows sorted by length; each step computes those that are still there.
def rnn(x, lengths, wx, wh, b):
    N, T, _ = x.shape
    lengths = np.asarray(lengths)
    order = np.argsort(-lengths, kind="stable")
    states = np.zeros((T + 1, N, wx.shape[1]))
    h = np.zeros((N, wx.shape[1]))
    both = np.concatenate([wx, wh])
    for t in range(T):
        k = int((lengths > t).sum())
        rows = order[:k]
        h[rows] = np.tanh(np.concatenate([x[rows, t], h[rows]], 1) @ both + b)
        states[t + 1] = h
    return states


# %% answer="rnn" name="clean_first_on_chainrule"
# Padding made zero first; the steps run on chainrule.
def rnn(x, lengths, wx, wh, b):
    N, T, _ = x.shape
    clean = np.where((np.arange(T)[None] < lengths[:, None])[:, :, None], x, 0.0)
    h = cr.tensor(np.zeros((N, len(b))))
    out = [h.data.copy()]
    for t in range(T):
        on = (t < np.asarray(lengths))[:, None] * 1.0
        h = on * cr.tanh(cr.tensor(clean[:, t]) @ wx + h @ wh + b) + (1 - on) * h
        out.append(h.data.copy())
    return np.stack(out)


# %% answer="tree" name="high_recursion_limit"
# Recursion after all, with a limit that Python may be given.
import sys


def join(weights, op, left, right):
    A, B, C, b = weights[op]
    return cr.tanh(cr.matmul(cr.matmul(left, A) * cr.matmul(right, B), C) + b)


def climb(tree, leaf, join):
    sys.setrecursionlimit(100_000)
    seen = {}

    def go(node):
        if not isinstance(node, list):
            return leaf(node)
        key = id(node)
        if key not in seen:
            seen[key] = join(node[0], go(node[1]), go(node[2]))
        return seen[key]

    return go(tree)


# %% answer="batching" name="piece_by_piece"
# One tensor for each call; sides are gathered from them call by call.
def batched(trees, leaf, join):
    depth = {}
    nodes = []
    for tree in trees:
        stack = [(tree, False)]
        while stack:
            n, ready = stack.pop()
            if isinstance(n, list):
                if ready and id(n) not in depth:
                    depth[id(n)] = 1 + max(depth.get(id(s), 0) for s in n[1:])
                    nodes.append(n)
                elif not ready and id(n) not in depth:
                    stack += [(n, True), (n[1], False), (n[2], False)]
    leaves = [(id(n), s) for n in nodes for s in (1, 2) if not isinstance(n[s], list)]
    tops = [i for i, t in enumerate(trees) if not isinstance(t, list)]
    by_id = {id(n): n for n in nodes}
    rows = leaf([by_id[i][s] for i, s in leaves] + [trees[i] for i in tops])
    row_of = {key: i for i, key in enumerate(leaves + tops)}
    pieces, count = [rows], rows.shape[0]
    where = {k: (0, i) for k, i in row_of.items()}

    def gather(keys):
        by = {}
        for j, k in enumerate(keys):
            p, i = where[k]
            by.setdefault(p, ([], []))
            by[p][0].append(i)
            by[p][1].append(j)
        parts = cr.concatenate([pieces[p][ij[0]] for p, ij in by.items()])
        js = [j for ij in by.values() for j in ij[1]]
        return parts[[int(v) for v in np.argsort(js)]]

    groups = {}
    for n in nodes:
        groups.setdefault((depth[id(n)], str(n[0])), []).append(n)
    for d, op in sorted(groups, reverse=False):
        g = groups[d, op][::-1]
        sides = [[id(n[s]) if isinstance(n[s], list) else (id(n), s) for n in g] for s in (1, 2)]
        pieces.append(join(op, gather(sides[0]), gather(sides[1])))
        for i, n in enumerate(g):
            where[id(n)] = (len(pieces) - 1, i)
    return gather([id(t) if isinstance(t, list) else i for i, t in enumerate(trees)])


# %% [markdown]
# ## Mutants that are no mistakes

# %% equivalent="branch" mutant="branch.L12.drop_keyword.1"
# There is one value for each captured node, so `strict` changes nothing.

# %% equivalent="branch" mutant="branch.L12.flip.1"
# There is one value for each captured node, so `strict` changes nothing.

# %% equivalent="loop" mutant="loop.L17.drop_keyword.1"
# There is one value for each node, so `strict` changes nothing.

# %% equivalent="loop" mutant="loop.L17.flip.1"
# There is one value for each node, so `strict` changes nothing.

# %% equivalent="bptt" mutant="bptt.L1.sibling.1"
# Each step writes its own part of `dx`, so what stood there does not matter.

# %% equivalent="bptt" mutant="bptt.L6.one_more.1"
# Where a word is over, `dz` is 0, so any number will do in the place of x.

# %% equivalent="batching" mutant="batching.L8.one_more.1"
# Depths are only sorted and compared; twice as large, they do the same.

# %% equivalent="batching" mutant="batching.L8.one_more.2"
# Depths are only sorted and compared; one more for all, they do the same.

# %% equivalent="batching" mutant="batching.L8.zero.2"
# The operator is no node, so its depth counts as 0, like a leaf's.

# %% equivalent="traps" mutant="traps.L3.swap_arguments.1"
# The pair betrays the trace the other way round too.

# %% equivalent="traps" mutant="traps.L3.swap_arguments.3"
# The pair betrays the trace the other way round too.

# %% equivalent="traps" mutant="traps.L3.swap_arguments.4"
# The pair betrays the trace the other way round too.
