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

# %% answer="branch" name="both_computed" loses="one_side"
# Both branches are computed when the graph runs, and one of the two values is thrown away. Choose
# the subgraph first, then run that one.
def cond_now(pred, true_fn, false_fn):
    return true_fn() if pred else false_fn()


def cond(pred, true_fn, false_fn):
    yes, no = Subgraph(true_fn), Subgraph(false_fn)
    (a,), (b,) = yes.outputs, no.outputs
    if a.shape != b.shape or a.dtype != b.dtype:
        raise ValueError(f"the branches of a cond differ: {a!r} and {b!r}")
    outside = list(dict.fromkeys([*yes.captured, *no.captured]))

    def forward(flag, *values):
        around = dict(zip(outside, values, strict=True))
        (a,), (b,) = yes.run(around), no.run(around)
        return (a if flag else b), None

    def backward(upstream, saved, flag, *values):
        chosen = yes if flag else no
        grads = chosen.vjp(dict(zip(outside, values, strict=True)), [upstream])
        return [None, *(grads.get(node) for node in outside)]

    return Node("cond", [as_node(pred), *outside], forward, backward, a.shape, a.dtype)


# %% answer="branch" name="where" loses="one_side alike"
# Your `cond` computes both branches and takes one of the values, as `where` does. A branch that was
# not chosen does not run.
def cond_now(pred, true_fn, false_fn):
    return true_fn() if pred else false_fn()


def cond(pred, true_fn, false_fn):
    return cr.where(as_node(pred), as_node(true_fn()), as_node(false_fn()))


# %% answer="branch" name="gradient_of_both" loses="gradients one_side"
# Backward, the gradient goes through both branches. Only the one that was chosen forward may pass
# it on.
def cond_now(pred, true_fn, false_fn):
    return true_fn() if pred else false_fn()


def cond(pred, true_fn, false_fn):
    yes, no = Subgraph(true_fn), Subgraph(false_fn)
    (a,), (b,) = yes.outputs, no.outputs
    if a.shape != b.shape or a.dtype != b.dtype:
        raise ValueError(f"the branches of a cond differ: {a!r} and {b!r}")
    outside = list(dict.fromkeys([*yes.captured, *no.captured]))

    def forward(flag, *values):
        (out,) = (yes if flag else no).run(dict(zip(outside, values, strict=True)))
        return out, None

    def backward(upstream, saved, flag, *values):
        around = dict(zip(outside, values, strict=True))
        a, b = yes.vjp(around, [upstream]), no.vjp(around, [upstream])
        return [None, *(a.get(node, 0) + b.get(node, 0) for node in outside)]

    return Node("cond", [as_node(pred), *outside], forward, backward, a.shape, a.dtype)


# %% answer="branch" name="upstream_ignored" loses="gradients"
# Backward, your `cond` begins with ones. It should begin with the gradient that arrives,
# `upstream`.
def cond_now(pred, true_fn, false_fn):
    return true_fn() if pred else false_fn()


def cond(pred, true_fn, false_fn):
    yes, no = Subgraph(true_fn), Subgraph(false_fn)
    (a,), (b,) = yes.outputs, no.outputs
    if a.shape != b.shape or a.dtype != b.dtype:
        raise ValueError(f"the branches of a cond differ: {a!r} and {b!r}")
    outside = list(dict.fromkeys([*yes.captured, *no.captured]))

    def forward(flag, *values):
        (out,) = (yes if flag else no).run(dict(zip(outside, values, strict=True)))
        return out, None

    def backward(upstream, saved, flag, *values):
        chosen = yes if flag else no
        grads = chosen.vjp(dict(zip(outside, values, strict=True)), [np.ones_like(upstream)])
        return [None, *(grads.get(node) for node in outside)]

    return Node("cond", [as_node(pred), *outside], forward, backward, a.shape, a.dtype)


# %% answer="branch" name="true_first_backward" loses="gradients one_side"
# Backward, the true branch is asked whatever was chosen forward. The boolean is among the values
# that `backward` gets: look at it again.
def cond_now(pred, true_fn, false_fn):
    return true_fn() if pred else false_fn()


def cond(pred, true_fn, false_fn):
    yes, no = Subgraph(true_fn), Subgraph(false_fn)
    (a,), (b,) = yes.outputs, no.outputs
    if a.shape != b.shape or a.dtype != b.dtype:
        raise ValueError(f"the branches of a cond differ: {a!r} and {b!r}")
    outside = list(dict.fromkeys([*yes.captured, *no.captured]))

    def forward(flag, *values):
        (out,) = (yes if flag else no).run(dict(zip(outside, values, strict=True)))
        return out, None

    def backward(upstream, saved, flag, *values):
        chosen = yes
        grads = chosen.vjp(dict(zip(outside, values, strict=True)), [upstream])
        return [None, *(grads.get(node) for node in outside)]

    return Node("cond", [as_node(pred), *outside], forward, backward, a.shape, a.dtype)


# %% answer="branch" name="no_check" loses="alike"
# Branches of different shape or dtype pass without a word. Compare the two outputs while the graph
# is built.
def cond_now(pred, true_fn, false_fn):
    return true_fn() if pred else false_fn()


def cond(pred, true_fn, false_fn):
    yes, no = Subgraph(true_fn), Subgraph(false_fn)
    (a,), (b,) = yes.outputs, no.outputs
    outside = list(dict.fromkeys([*yes.captured, *no.captured]))

    def forward(flag, *values):
        (out,) = (yes if flag else no).run(dict(zip(outside, values, strict=True)))
        return out, None

    def backward(upstream, saved, flag, *values):
        chosen = yes if flag else no
        grads = chosen.vjp(dict(zip(outside, values, strict=True)), [upstream])
        return [None, *(grads.get(node) for node in outside)]

    return Node("cond", [as_node(pred), *outside], forward, backward, a.shape, a.dtype)


# %% answer="branch" name="built_when_run" loses="one_side alike"
# A branch is built each time the graph runs. Each function is called once, while `cond` is called;
# what runs later is the subgraph.
def cond_now(pred, true_fn, false_fn):
    return true_fn() if pred else false_fn()


def cond(pred, true_fn, false_fn):
    yes, no = Subgraph(true_fn), Subgraph(false_fn)
    outside = list(dict.fromkeys([*yes.captured, *no.captured]))
    like = yes.outputs[0]

    def forward(flag, *values):
        chosen = Subgraph(true_fn if flag else false_fn)
        return chosen.run(dict(zip(outside, values, strict=True)))[0], None

    def backward(upstream, saved, flag, *values):
        chosen = Subgraph(true_fn if flag else false_fn)
        grads = chosen.vjp(dict(zip(outside, values, strict=True)), [upstream])
        return [None, *(grads.get(node) for node in outside)]

    return Node("cond", [as_node(pred), *outside], forward, backward, like.shape, like.dtype)


# %% answer="branch" name="last_flag_kept" loses="values one_side alike"
# Which branch to take is decided once, at the first run, and never again. The boolean may differ in
# each run.
def cond_now(pred, true_fn, false_fn):
    return true_fn() if pred else false_fn()


def cond(pred, true_fn, false_fn):
    yes, no = Subgraph(true_fn), Subgraph(false_fn)
    (a,), (b,) = yes.outputs, no.outputs
    if a.shape != b.shape or a.dtype != b.dtype:
        raise ValueError(f"the branches of a cond differ: {a!r} and {b!r}")
    outside = list(dict.fromkeys([*yes.captured, *no.captured]))

    chosen_once = []

    def forward(flag, *values):
        chosen_once.append(bool(flag))
        flag = chosen_once[0]
        (out,) = (yes if flag else no).run(dict(zip(outside, values, strict=True)))
        return out, None

    def backward(upstream, saved, flag, *values):
        chosen = yes if flag else no
        grads = chosen.vjp(dict(zip(outside, values, strict=True)), [upstream])
        return [None, *(grads.get(node) for node in outside)]

    return Node("cond", [as_node(pred), *outside], forward, backward, a.shape, a.dtype)


# %% answer="loop" name="do_while" loses="now values gradients rounds folds"
# The body runs once even where the test does not hold at the beginning. Ask the test before the
# first round too.
def while_now(test, body, first):
    state = tuple(first)
    while True:
        state = tuple(body(*state))
        if not test(*state):
            break
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
        while True:
            trail.append(state)
            state = step.run(dict(zip(step.inputs, state)) | around)
            if not check.run(dict(zip(check.inputs, state)) | around)[0]:
                break
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
    length = elements.shape[0]
    _, out = while_loop(
        lambda i, gathered: i < length,
        lambda i, gathered: (i + 1, fn(gathered, row(elements, i))),
        [0, initial],
    )
    return out


# %% answer="loop" name="last_round_only" loses="gradients rounds folds"
# The gradient goes back through the last round only. It goes back through each of them, and what a
# round hands to its variables is upstream of the round before it.
def while_now(test, body, first):
    state = tuple(first)
    while test(*state):
        state = tuple(body(*state))
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
        for state in trail[-1:]:
            grads = step.vjp(dict(zip(step.inputs, state)) | around, upstream)
            upstream = [grads[x] for x in step.inputs]
            for node in step.captured:
                totals[node] = totals[node] + grads[node]
        return [*upstream, *(totals[node] for node in outside)]

    node = Node("while_loop", [*first, *outside], forward, backward, (), float)
    return results(node, first)


def foldl(fn, elements, initial):
    length = elements.shape[0]
    _, out = while_loop(
        lambda i, gathered: i < length,
        lambda i, gathered: (i + 1, fn(gathered, row(elements, i))),
        [0, initial],
    )
    return out


# %% answer="loop" name="captured_overwritten" loses="gradients rounds folds"
# The gradient of a node that the body captured is that of one round. Each round used it, so the
# gradients of all rounds add up.
def while_now(test, body, first):
    state = tuple(first)
    while test(*state):
        state = tuple(body(*state))
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
                totals[node] = grads[node]
        return [*upstream, *(totals[node] for node in outside)]

    node = Node("while_loop", [*first, *outside], forward, backward, (), float)
    return results(node, first)


def foldl(fn, elements, initial):
    length = elements.shape[0]
    _, out = while_loop(
        lambda i, gathered: i < length,
        lambda i, gathered: (i + 1, fn(gathered, row(elements, i))),
        [0, initial],
    )
    return out


# %% answer="loop" name="forward_order" loses="gradients rounds folds"
# Backward, the rounds are taken from the first to the last. The gradient comes from behind: the
# last round is first.
def while_now(test, body, first):
    state = tuple(first)
    while test(*state):
        state = tuple(body(*state))
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
        for state in trail:
            grads = step.vjp(dict(zip(step.inputs, state)) | around, upstream)
            upstream = [grads[x] for x in step.inputs]
            for node in step.captured:
                totals[node] = totals[node] + grads[node]
        return [*upstream, *(totals[node] for node in outside)]

    node = Node("while_loop", [*first, *outside], forward, backward, (), float)
    return results(node, first)


def foldl(fn, elements, initial):
    length = elements.shape[0]
    _, out = while_loop(
        lambda i, gathered: i < length,
        lambda i, gathered: (i + 1, fn(gathered, row(elements, i))),
        [0, initial],
    )
    return out


# %% answer="loop" name="states_after" loses="gradients rounds folds"
# Backward, a round is run with the values that came out of it. Save those that went in.
def while_now(test, body, first):
    state = tuple(first)
    while test(*state):
        state = tuple(body(*state))
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
            state = step.run(dict(zip(step.inputs, state)) | around)
            trail.append(state)
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
    length = elements.shape[0]
    _, out = while_loop(
        lambda i, gathered: i < length,
        lambda i, gathered: (i + 1, fn(gathered, row(elements, i))),
        [0, initial],
    )
    return out


# %% answer="loop" name="replays_from_the_start" loses="rounds"
# Backward, your loop runs the rounds from the beginning again and again, to find the state of each.
# Save the states on the way forward.
def while_now(test, body, first):
    state = tuple(first)
    while test(*state):
        state = tuple(body(*state))
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
        for place in range(len(trail) - 1, -1, -1):
            state = trail[0]
            for _ in range(place):
                state = step.run(dict(zip(step.inputs, state)) | around)
            grads = step.vjp(dict(zip(step.inputs, state)) | around, upstream)
            upstream = [grads[x] for x in step.inputs]
            for node in step.captured:
                totals[node] = totals[node] + grads[node]
        return [*upstream, *(totals[node] for node in outside)]

    node = Node("while_loop", [*first, *outside], forward, backward, (), float)
    return results(node, first)


def foldl(fn, elements, initial):
    length = elements.shape[0]
    _, out = while_loop(
        lambda i, gathered: i < length,
        lambda i, gathered: (i + 1, fn(gathered, row(elements, i))),
        [0, initial],
    )
    return out


# %% answer="loop" name="unrolled_while_building" loses="values gradients rounds folds alike"
# Your loop runs in Python, while the graph is built, and its test has no value to look at. It
# should make one node, which goes round when the graph runs.
def while_now(test, body, first):
    state = tuple(first)
    while test(*state):
        state = tuple(body(*state))
    return state


def while_loop(test, body, first):
    return while_now(test, body, [as_node(value) for value in first])


def foldl(fn, elements, initial):
    length = elements.shape[0]
    _, out = while_loop(
        lambda i, gathered: i < length,
        lambda i, gathered: (i + 1, fn(gathered, row(elements, i))),
        [0, initial],
    )
    return out


# %% answer="loop" name="test_not_captured" loses="values gradients rounds"
# What only the test captured is not among the inputs of your node, so the limit of the loop has no
# value.
def while_now(test, body, first):
    state = tuple(first)
    while test(*state):
        state = tuple(body(*state))
    return state


def while_loop(test, body, first):
    first = [as_node(value) for value in first]
    check, step = Subgraph(test, first), Subgraph(body, first)
    kinds = [[(x.shape, x.dtype) for x in nodes] for nodes in (first, step.outputs)]
    if kinds[0] != kinds[1]:
        raise ValueError(f"variables enter the body as {kinds[0]} and leave it as {kinds[1]}")
    outside = list(dict.fromkeys(step.captured))

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
    length = elements.shape[0]
    _, out = while_loop(
        lambda i, gathered: i < length,
        lambda i, gathered: (i + 1, fn(gathered, row(elements, i))),
        [0, initial],
    )
    return out


# %% answer="loop" name="fold_from_the_right" loses="folds"
# Your `foldl` begins with the last row. It goes from the left: row 0 first.
def while_now(test, body, first):
    state = tuple(first)
    while test(*state):
        state = tuple(body(*state))
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
    length = elements.shape[0]
    _, out = while_loop(
        lambda i, gathered: i < length,
        lambda i, gathered: (i + 1, fn(gathered, row(elements, length - 1 - i))),
        [0, initial],
    )
    return out


# %% answer="loop" name="arguments_swapped" loses="folds"
# `fn` gets the element first and what has been gathered second. It is the other way round.
def while_now(test, body, first):
    state = tuple(first)
    while test(*state):
        state = tuple(body(*state))
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
    length = elements.shape[0]
    _, out = while_loop(
        lambda i, gathered: i < length,
        lambda i, gathered: (i + 1, fn(row(elements, i), gathered)),
        [0, initial],
    )
    return out


# %% answer="loop" name="no_check" loses="alike"
# A body that returns variables of another number, shape or dtype passes without a word.
def while_now(test, body, first):
    state = tuple(first)
    while test(*state):
        state = tuple(body(*state))
    return state


def while_loop(test, body, first):
    first = [as_node(value) for value in first]
    check, step = Subgraph(test, first), Subgraph(body, first)
    kinds = [[(x.shape, x.dtype) for x in nodes] for nodes in (first, step.outputs)]
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
    length = elements.shape[0]
    _, out = while_loop(
        lambda i, gathered: i < length,
        lambda i, gathered: (i + 1, fn(gathered, row(elements, i))),
        [0, initial],
    )
    return out


# %% answer="loop" name="trail_shared_between_runs" loses="gradients rounds folds"
# The states that you save stand in one list for all runs, so that a gradient goes through rounds of
# an earlier run too. Each run begins a new list.
def while_now(test, body, first):
    state = tuple(first)
    while test(*state):
        state = tuple(body(*state))
    return state


def while_loop(test, body, first):
    first = [as_node(value) for value in first]
    check, step = Subgraph(test, first), Subgraph(body, first)
    kinds = [[(x.shape, x.dtype) for x in nodes] for nodes in (first, step.outputs)]
    if kinds[0] != kinds[1]:
        raise ValueError(f"variables enter the body as {kinds[0]} and leave it as {kinds[1]}")
    outside = list(dict.fromkeys([*check.captured, *step.captured]))

    trail = []

    def forward(*values):
        state = tuple(values[: len(first)])
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
    length = elements.shape[0]
    _, out = while_loop(
        lambda i, gathered: i < length,
        lambda i, gathered: (i + 1, fn(gathered, row(elements, i))),
        [0, initial],
    )
    return out


# %% answer="batching" name="tree_by_tree" loses="calls shared deep"
# Each tree is computed alone, so there is a call for each node. All nodes of one depth and one
# operator, over all trees, go into one call.
def batched(trees, leaf, join):
    done = {}

    def look(part):
        if not isinstance(part, list):
            return leaf([part])
        if id(part) not in done:
            done[id(part)] = join(part[0], look(part[1]), look(part[2]))
        return done[id(part)]

    return cr.concatenate([look(tree) for tree in trees])


# %% answer="batching" name="batched_within_a_tree" loses="calls shared"
# Nodes are put together within a tree, but not over all trees: there is a call for each depth,
# operator *and* tree.
def one_tree(trees, leaf, join):
    depth, groups, numbers = {}, {}, {}
    stack = [(tree, False) for tree in trees]
    while stack:
        node, opened = stack.pop()
        if not isinstance(node, list):
            numbers.setdefault(node, len(numbers))
        elif opened and id(node) not in depth:
            depth[id(node)] = 1 + max(depth.get(id(side), 0) for side in node[1:])
            groups.setdefault((depth[id(node)], node[0]), []).append(node)
        elif id(node) not in depth:
            stack += [(node, True), (node[1], False), (node[2], False)]

    place = {}

    def places(parts):
        return [place[id(p)] if isinstance(p, list) else numbers[p] for p in parts]

    rows = leaf(list(numbers))
    for key in sorted(groups):
        nodes = groups[key]
        left, right = (places(node[side] for node in nodes) for side in (1, 2))
        place |= {id(node): len(rows) + i for i, node in enumerate(nodes)}
        rows = cr.concatenate([rows, join(key[1], rows[left], rows[right])])
    return rows[places(trees)]


def batched(trees, leaf, join):
    return cr.concatenate([one_tree([tree], leaf, join) for tree in trees])


# %% answer="batching" name="depth_from_the_root" loses="calls shared"
# You count depth from the root. Then parts of equal depth do not meet where their trees are of
# different height, and there are more calls. Count from the leaves.
def batched(trees, leaf, join):
    depth, nodes, numbers = {}, {}, {}
    level, here = 0, list(trees)
    while here:
        below = []
        for node in here:
            if isinstance(node, list):
                depth[id(node)], nodes[id(node)] = level, node
                below += node[1:]
            else:
                numbers.setdefault(node, len(numbers))
        level, here = level + 1, below[:100_000]
    groups = {}
    for node in nodes.values():
        groups.setdefault((-depth[id(node)], node[0]), []).append(node)
    place = {}

    def places(parts):
        return [place[id(p)] if isinstance(p, list) else numbers[p] for p in parts]

    rows = leaf(list(numbers))
    for key in sorted(groups):
        left, right = (places(node[side] for node in groups[key]) for side in (1, 2))
        place |= {id(node): len(rows) + i for i, node in enumerate(groups[key])}
        rows = cr.concatenate([rows, join(key[1], rows[left], rows[right])])
    return rows[places(trees)]


# %% answer="batching" name="smaller_side_counts" loses="values gradients calls shared deep"
# The depth of a node is 1 + the *larger* depth of its sides. With the smaller one it is asked for
# before the deeper side is there.
def batched(trees, leaf, join):
    depth, groups, numbers = {}, {}, {}
    stack = [(tree, False) for tree in trees]
    while stack:
        node, opened = stack.pop()
        if not isinstance(node, list):
            numbers.setdefault(node, len(numbers))
        elif opened and id(node) not in depth:
            depth[id(node)] = 1 + min(depth.get(id(side), 0) for side in node[1:])
            groups.setdefault((depth[id(node)], node[0]), []).append(node)
        elif id(node) not in depth:
            stack += [(node, True), (node[1], False), (node[2], False)]

    place = {}

    def places(parts):
        return [place[id(p)] if isinstance(p, list) else numbers[p] for p in parts]

    rows = leaf(list(numbers))
    for key in sorted(groups):
        nodes = groups[key]
        left, right = (places(node[side] for node in nodes) for side in (1, 2))
        place |= {id(node): len(rows) + i for i, node in enumerate(nodes)}
        rows = cr.concatenate([rows, join(key[1], rows[left], rows[right])])
    return rows[places(trees)]


# %% answer="batching" name="one_call_for_all_operators" loses="values gradients calls"
# All nodes of one depth go into one call, whatever their operator is. There is one call for each
# operator.
def batched(trees, leaf, join):
    depth, groups, numbers = {}, {}, {}
    stack = [(tree, False) for tree in trees]
    while stack:
        node, opened = stack.pop()
        if not isinstance(node, list):
            numbers.setdefault(node, len(numbers))
        elif opened and id(node) not in depth:
            depth[id(node)] = 1 + max(depth.get(id(side), 0) for side in node[1:])
            groups.setdefault((depth[id(node)], "?"), []).append(node)
        elif id(node) not in depth:
            stack += [(node, True), (node[1], False), (node[2], False)]

    place = {}

    def places(parts):
        return [place[id(p)] if isinstance(p, list) else numbers[p] for p in parts]

    rows = leaf(list(numbers))
    for key in sorted(groups):
        nodes = groups[key]
        left, right = (places(node[side] for node in nodes) for side in (1, 2))
        place |= {id(node): len(rows) + i for i, node in enumerate(nodes)}
        rows = cr.concatenate([rows, join(nodes[0][0], rows[left], rows[right])])
    return rows[places(trees)]


# %% answer="batching" name="leaf_for_each_number" loses="calls"
# `leaf` is called for each number. It takes a list of them; once is enough.
def batched(trees, leaf, join):
    depth, groups, numbers = {}, {}, {}
    stack = [(tree, False) for tree in trees]
    while stack:
        node, opened = stack.pop()
        if not isinstance(node, list):
            numbers.setdefault(node, len(numbers))
        elif opened and id(node) not in depth:
            depth[id(node)] = 1 + max(depth.get(id(side), 0) for side in node[1:])
            groups.setdefault((depth[id(node)], node[0]), []).append(node)
        elif id(node) not in depth:
            stack += [(node, True), (node[1], False), (node[2], False)]

    place = {}

    def places(parts):
        return [place[id(p)] if isinstance(p, list) else numbers[p] for p in parts]

    rows = cr.concatenate([leaf([number]) for number in numbers])
    for key in sorted(groups):
        nodes = groups[key]
        left, right = (places(node[side] for node in nodes) for side in (1, 2))
        place |= {id(node): len(rows) + i for i, node in enumerate(nodes)}
        rows = cr.concatenate([rows, join(key[1], rows[left], rows[right])])
    return rows[places(trees)]


# %% answer="batching" name="shared_computed_twice" loses="shared"
# A list that stands in several places takes a row for each of them. Look for it by its `id`, before
# you give it a row.
def batched(trees, leaf, join):
    """Every occurrence is a node of its own."""
    numbers, count, groups, stack, roots = {}, itertools.count(), {}, [], []

    def enter(part):
        stack.append([part, next(count), []])
        return stack[-1]

    place = {}
    for tree in trees:
        entry = enter(tree)
        roots.append(entry[1])
        todo = [entry]
        order = []
        while todo:
            part, key, sides = todo.pop()
            order.append((part, key, sides))
            if isinstance(part, list):
                for side in part[1:]:
                    new = [side, next(count), []]
                    sides.append(new[1])
                    todo.append(new)
        depth = {}
        for part, key, sides in reversed(order):
            depth[key] = 1 + max(depth[s] for s in sides) if sides else 0
            if sides:
                groups.setdefault((depth[key], part[0]), []).append((key, sides))
            else:
                place[key] = numbers.setdefault(part, len(numbers))
    rows = leaf(list(numbers))
    for (_, op), nodes in sorted(groups.items()):
        left, right = ([place[sides[i]] for _, sides in nodes] for i in (0, 1))
        for i, (key, _) in enumerate(nodes):
            place[key] = len(rows) + i
        rows = cr.concatenate([rows, join(op, rows[left], rows[right])])
    return rows[[place[key] for key in roots]]


# %% answer="batching" name="sides_swapped" loses="values gradients calls shared deep"
# Left and right are exchanged in your calls of `join`.
def batched(trees, leaf, join):
    depth, groups, numbers = {}, {}, {}
    stack = [(tree, False) for tree in trees]
    while stack:
        node, opened = stack.pop()
        if not isinstance(node, list):
            numbers.setdefault(node, len(numbers))
        elif opened and id(node) not in depth:
            depth[id(node)] = 1 + max(depth.get(id(side), 0) for side in node[1:])
            groups.setdefault((depth[id(node)], node[0]), []).append(node)
        elif id(node) not in depth:
            stack += [(node, True), (node[1], False), (node[2], False)]

    place = {}

    def places(parts):
        return [place[id(p)] if isinstance(p, list) else numbers[p] for p in parts]

    rows = leaf(list(numbers))
    for key in sorted(groups):
        nodes = groups[key]
        left, right = (places(node[side] for node in nodes) for side in (1, 2))
        place |= {id(node): len(rows) + i for i, node in enumerate(nodes)}
        rows = cr.concatenate([rows, join(key[1], rows[right], rows[left])])
    return rows[places(trees)]


# %% answer="batching" name="order_of_finishing" loses="values gradients calls shared deep"
# The results come back in the order in which the trees were finished. Row i belongs to tree i.
def batched(trees, leaf, join):
    depth, groups, numbers = {}, {}, {}
    stack = [(tree, False) for tree in trees]
    while stack:
        node, opened = stack.pop()
        if not isinstance(node, list):
            numbers.setdefault(node, len(numbers))
        elif opened and id(node) not in depth:
            depth[id(node)] = 1 + max(depth.get(id(side), 0) for side in node[1:])
            groups.setdefault((depth[id(node)], node[0]), []).append(node)
        elif id(node) not in depth:
            stack += [(node, True), (node[1], False), (node[2], False)]

    place = {}

    def places(parts):
        return [place[id(p)] if isinstance(p, list) else numbers[p] for p in parts]

    rows = leaf(list(numbers))
    for key in sorted(groups):
        nodes = groups[key]
        left, right = (places(node[side] for node in nodes) for side in (1, 2))
        place |= {id(node): len(rows) + i for i, node in enumerate(nodes)}
        rows = cr.concatenate([rows, join(key[1], rows[left], rows[right])])
    return rows[sorted(places(trees))]


# %% answer="batching" name="off_the_tape" loses="gradients"
# Results are kept as arrays, so the tape ends at each of them, and no gradient comes through.
def batched(trees, leaf, join):
    depth, groups, numbers = {}, {}, {}
    stack = [(tree, False) for tree in trees]
    while stack:
        node, opened = stack.pop()
        if not isinstance(node, list):
            numbers.setdefault(node, len(numbers))
        elif opened and id(node) not in depth:
            depth[id(node)] = 1 + max(depth.get(id(side), 0) for side in node[1:])
            groups.setdefault((depth[id(node)], node[0]), []).append(node)
        elif id(node) not in depth:
            stack += [(node, True), (node[1], False), (node[2], False)]

    place = {}

    def places(parts):
        return [place[id(p)] if isinstance(p, list) else numbers[p] for p in parts]

    rows = leaf(list(numbers)).data
    for key in sorted(groups):
        nodes = groups[key]
        left, right = (places(node[side] for node in nodes) for side in (1, 2))
        place |= {id(node): len(rows) + i for i, node in enumerate(nodes)}
        rows = np.concatenate(
            [rows, join(key[1], cr.tensor(rows[left]), cr.tensor(rows[right])).data]
        )
    return cr.tensor(rows[places(trees)])


# %% answer="batching" name="rows_overwritten" loses="gradients"
# Rows are written into one array off the tape. Gradients of the nodes below do not arrive.
def batched(trees, leaf, join):
    depth, groups, numbers = {}, {}, {}
    stack = [(tree, False) for tree in trees]
    while stack:
        node, opened = stack.pop()
        if not isinstance(node, list):
            numbers.setdefault(node, len(numbers))
        elif opened and id(node) not in depth:
            depth[id(node)] = 1 + max(depth.get(id(side), 0) for side in node[1:])
            groups.setdefault((depth[id(node)], node[0]), []).append(node)
        elif id(node) not in depth:
            stack += [(node, True), (node[1], False), (node[2], False)]

    place = {}

    def places(parts):
        return [place[id(p)] if isinstance(p, list) else numbers[p] for p in parts]

    rows = leaf(list(numbers))
    for key in sorted(groups):
        nodes = groups[key]
        left, right = (places(node[side] for node in nodes) for side in (1, 2))
        place |= {id(node): len(rows) + i for i, node in enumerate(nodes)}
        rows = cr.concatenate([rows, join(key[1], rows[left].detach(), rows[right].detach())])
    return rows[places(trees)]


# %% answer="batching" name="walks_by_recursion" loses="deep"
# Your walk through a tree calls itself. 2,000 levels are too deep for that; take a stack.
def batched(trees, leaf, join):
    depth, groups, numbers = {}, {}, {}

    def walk(node):
        if not isinstance(node, list):
            numbers.setdefault(node, len(numbers))
            return 0
        if id(node) not in depth:
            depth[id(node)] = 1 + max(walk(node[1]), walk(node[2]))
            groups.setdefault((depth[id(node)], node[0]), []).append(node)
        return depth[id(node)]

    for tree in trees:
        walk(tree)
    place = {}

    def places(parts):
        return [place[id(p)] if isinstance(p, list) else numbers[p] for p in parts]

    rows = leaf(list(numbers))
    for key in sorted(groups):
        left, right = (places(node[side] for node in groups[key]) for side in (1, 2))
        place |= {id(node): len(rows) + i for i, node in enumerate(groups[key])}
        rows = cr.concatenate([rows, join(key[1], rows[left], rows[right])])
    return rows[places(trees)]


# %% answer="traps" name="trace_knows_lengths" loses="witnesses sound"
# You believe that the trace of `walked` follows the length of its input. The loop was Python's, and
# went round as often as the example was long.
def witnesses():
    return {
        "doubled_or_less": ([1.0, 2.0], [-1.0, -2.0]),
        "chosen": None,
        "walked": None,
        "averaged": None,
        "halved": ([1.0], [8.0]),
        "scaled": ([1.0, 2.0], [3.0, 4.0]),
    }


def runs():
    return {"values": 1, "floats": 3, "lengths": 3, "dtypes": 2}


def graphs():
    return {"chosen": 1, "branch": 3, "lengths": 2}


# %% answer="traps" name="shape_is_baked_in" loses="sound"
# You believe that `x.shape[0]` is a number in the trace of `averaged`. PyTorch's tracer notes it as
# an operation.
def witnesses():
    return {
        "doubled_or_less": ([1.0, 2.0], [-1.0, -2.0]),
        "chosen": None,
        "walked": ([1.0, 2.0], [1.0, 2.0, 3.0]),
        "averaged": ([1.0, 2.0], [1.0, 2.0, 3.0]),
        "halved": ([1.0], [8.0]),
        "scaled": ([1.0, 2.0], [3.0, 4.0]),
    }


def runs():
    return {"values": 1, "floats": 3, "lengths": 3, "dtypes": 2}


def graphs():
    return {"chosen": 1, "branch": 3, "lengths": 2}


# %% answer="traps" name="where_is_a_branch" loses="sound"
# You believe that the trace of `chosen` keeps one of the two sides. `torch.where` is an operation
# that computes both and chooses entry by entry.
def witnesses():
    return {
        "doubled_or_less": ([1.0, 2.0], [-1.0, -2.0]),
        "chosen": ([1.0, 2.0], [-1.0, -2.0]),
        "walked": ([1.0, 2.0], [1.0, 2.0, 3.0]),
        "averaged": None,
        "halved": ([1.0], [8.0]),
        "scaled": ([1.0, 2.0], [3.0, 4.0]),
    }


def runs():
    return {"values": 1, "floats": 3, "lengths": 3, "dtypes": 2}


def graphs():
    return {"chosen": 1, "branch": 3, "lengths": 2}


# %% answer="traps" name="same_branch_again" loses="witnesses"
# A pair of yours takes the same way twice, so function and trace agree. Let the example go one way
# and the other input the other.
def witnesses():
    return {
        "doubled_or_less": ([1.0, 2.0], [-1.0, -2.0]),
        "chosen": None,
        "walked": ([1.0, 2.0], [1.0, 2.0, 3.0]),
        "averaged": None,
        "halved": ([8.0], [7.0]),
        "scaled": ([1.0, 2.0], [3.0, 4.0]),
    }


def runs():
    return {"values": 1, "floats": 3, "lengths": 3, "dtypes": 2}


def graphs():
    return {"chosen": 1, "branch": 3, "lengths": 2}


# %% answer="traps" name="other_way_same_numbers" loses="witnesses"
# A pair of yours has the same largest entry in both inputs. What `item()` takes is that number.
def witnesses():
    return {
        "doubled_or_less": ([1.0, 2.0], [-1.0, -2.0]),
        "chosen": None,
        "walked": ([1.0, 2.0], [1.0, 2.0, 3.0]),
        "averaged": None,
        "halved": ([1.0], [8.0]),
        "scaled": ([1.0, 4.0], [3.0, 4.0]),
    }


def runs():
    return {"values": 1, "floats": 3, "lengths": 3, "dtypes": 2}


def graphs():
    return {"chosen": 1, "branch": 3, "lengths": 2}


# %% answer="traps" name="every_call_is_traced" loses="runs"
# You believe that each call of a `tf.function` runs Python. It does once for each kind of input.
def witnesses():
    return {
        "doubled_or_less": ([1.0, 2.0], [-1.0, -2.0]),
        "chosen": None,
        "walked": ([1.0, 2.0], [1.0, 2.0, 3.0]),
        "averaged": None,
        "halved": ([1.0], [8.0]),
        "scaled": ([1.0, 2.0], [3.0, 4.0]),
    }


def runs():
    return {"values": 3, "floats": 4, "lengths": 3, "dtypes": 3}


def graphs():
    return {"chosen": 1, "branch": 3, "lengths": 2}


# %% answer="traps" name="floats_are_tensors" loses="runs"
# You believe that Python's numbers share a trace, as tensors do. Each new value of a Python number
# is traced anew.
def witnesses():
    return {
        "doubled_or_less": ([1.0, 2.0], [-1.0, -2.0]),
        "chosen": None,
        "walked": ([1.0, 2.0], [1.0, 2.0, 3.0]),
        "averaged": None,
        "halved": ([1.0], [8.0]),
        "scaled": ([1.0, 2.0], [3.0, 4.0]),
    }


def runs():
    return {"values": 1, "floats": 1, "lengths": 3, "dtypes": 2}


def graphs():
    return {"chosen": 1, "branch": 3, "lengths": 2}


# %% answer="traps" name="lengths_never_relaxed" loses="graphs"
# You believe that `torch.compile` compiles each length anew. When a length has changed once, it
# stops to assume it.
def witnesses():
    return {
        "doubled_or_less": ([1.0, 2.0], [-1.0, -2.0]),
        "chosen": None,
        "walked": ([1.0, 2.0], [1.0, 2.0, 3.0]),
        "averaged": None,
        "halved": ([1.0], [8.0]),
        "scaled": ([1.0, 2.0], [3.0, 4.0]),
    }


def runs():
    return {"values": 1, "floats": 3, "lengths": 3, "dtypes": 2}


def graphs():
    return {"chosen": 1, "branch": 3, "lengths": 4}


# %% answer="traps" name="no_graph_breaks" loses="graphs"
# You believe that an `if` on a tensor costs one graph for each way. What comes before the `if` is a
# graph of its own.
def witnesses():
    return {
        "doubled_or_less": ([1.0, 2.0], [-1.0, -2.0]),
        "chosen": None,
        "walked": ([1.0, 2.0], [1.0, 2.0, 3.0]),
        "averaged": None,
        "halved": ([1.0], [8.0]),
        "scaled": ([1.0, 2.0], [3.0, 4.0]),
    }


def runs():
    return {"values": 1, "floats": 3, "lengths": 3, "dtypes": 2}


def graphs():
    return {"chosen": 1, "branch": 2, "lengths": 2}


# %% answer="rnn" name="no_mask" loses="values padding alone"
# Steps behind a word's end change its state. Where a word is over, its state stays what it is.
def rnn(x, lengths, wx, wh, b):
    states = np.zeros((x.shape[1] + 1, len(x), len(b)))
    for t in range(x.shape[1]):
        new = np.tanh(x[:, t] @ wx + states[t] @ wh + b)
        states[t + 1] = new
    return states


# %% answer="rnn" name="mask_multiplies" loses="padding"
# NaN or infinity behind a word's end gets into its state: 0 times NaN is NaN. `np.where` chooses,
# and lets nothing through.
def rnn(x, lengths, wx, wh, b):
    states = np.zeros((x.shape[1] + 1, len(x), len(b)))
    for t in range(x.shape[1]):
        new = np.tanh(x[:, t] @ wx + states[t] @ wh + b)
        on = (t < lengths)[:, None] * 1.0
        states[t + 1] = on * new + (1 - on) * states[t]
    return states


# %% answer="rnn" name="zero_after_the_end" loses="values padding alone"
# Where a word is over, your state becomes zero. It keeps what it was, so that the last one is that
# of the whole word.
def rnn(x, lengths, wx, wh, b):
    states = np.zeros((x.shape[1] + 1, len(x), len(b)))
    for t in range(x.shape[1]):
        new = np.tanh(x[:, t] @ wx + states[t] @ wh + b)
        states[t + 1] = np.where((t < lengths)[:, None], new, 0.0)
    return states


# %% answer="rnn" name="one_step_too_many" loses="values padding alone"
# Your word of length n takes n + 1 steps: step t belongs to it if t is less than n.
def rnn(x, lengths, wx, wh, b):
    states = np.zeros((x.shape[1] + 1, len(x), len(b)))
    for t in range(x.shape[1]):
        new = np.tanh(x[:, t] @ wx + states[t] @ wh + b)
        states[t + 1] = np.where((t <= lengths)[:, None], new, states[t])
    return states


# %% answer="rnn" name="stops_at_the_shortest" loses="values padding alone"
# All words stop where the first one is over. Each goes on to its own end.
def rnn(x, lengths, wx, wh, b):
    states = np.zeros((x.shape[1] + 1, len(x), len(b)))
    for t in range(x.shape[1]):
        new = np.tanh(x[:, t] @ wx + states[t] @ wh + b)
        states[t + 1] = np.where(t < min(lengths, default=0), new, states[t])
    return states


# %% answer="rnn" name="padding_zeroed_only" loses="values padding alone"
# You set the padding to zero and go on. A step with x = 0 still changes the state, through Wh and
# the bias.
def rnn(x, lengths, wx, wh, b):
    behind = np.arange(x.shape[1]) >= lengths[:, None]
    x = np.where(behind[..., None], 0.0, x)
    states = np.zeros((x.shape[1] + 1, len(x), len(b)))
    for t in range(x.shape[1]):
        new = np.tanh(x[:, t] @ wx + states[t] @ wh + b)
        states[t + 1] = new
    return states


# %% answer="rnn" name="weights_transposed" loses="values padding alone"
# A weight matrix stands the wrong way round: the letter's row goes through wx from the left, as
# x[:, t] @ wx, and the state's through wh, as h @ wh.
def rnn(x, lengths, wx, wh, b):
    states = np.zeros((x.shape[1] + 1, len(x), len(b)))
    for t in range(x.shape[1]):
        new = np.tanh(x[:, t] @ wx + states[t] @ wh.T + b)
        states[t + 1] = np.where((t < lengths)[:, None], new, states[t])
    return states


# %% answer="rnn" name="writes_into_x" loses="values"
# The padding of x was changed by the call. Work on a copy.
def rnn(x, lengths, wx, wh, b):
    behind = np.arange(x.shape[1]) >= lengths[:, None]
    x[behind] = 0.0
    states = np.zeros((x.shape[1] + 1, len(x), len(b)))
    for t in range(x.shape[1]):
        new = np.tanh(x[:, t] @ wx + states[t] @ wh + b)
        states[t + 1] = np.where((t < lengths)[:, None], new, states[t])
    return states


# %% answer="bptt" name="stops_at_padding" loses="values padding"
# The gradient does not pass through the padded steps, so a short word gets none. Where a word was
# over, the step was the identity: g stays as it is.
def bptt(x, lengths, states, wx, wh, upstream):
    dx, dwx, dwh, db = np.zeros(x.shape), np.zeros(wx.shape), np.zeros(wh.shape), np.zeros(len(wh))
    g = upstream
    for t in reversed(range(x.shape[1])):
        on = (t < lengths)[:, None]
        dz = np.where(on, g * (1 - states[t + 1] ** 2), 0.0)
        dwx += np.where(on, x[:, t], 0.0).T @ dz
        dwh += states[t].T @ dz
        db += dz.sum(axis=0)
        dx[:, t] = dz @ wx.T
        g = np.where(on, dz @ wh.T, 0.0)
    return dx, dwx, dwh, db


# %% answer="bptt" name="no_mask" loses="values padding"
# Padded steps are taken for steps of the word: they change gradients, and get some themselves.
def bptt(x, lengths, states, wx, wh, upstream):
    dx, dwx, dwh, db = np.zeros(x.shape), np.zeros(wx.shape), np.zeros(wh.shape), np.zeros(len(wh))
    g = upstream
    for t in reversed(range(x.shape[1])):
        on = (t < lengths)[:, None]
        dz = g * (1 - states[t + 1] ** 2)
        dwx += np.where(on, x[:, t], 0.0).T @ dz
        dwh += states[t].T @ dz
        db += dz.sum(axis=0)
        dx[:, t] = dz @ wx.T
        g = dz @ wh.T
    return dx, dwx, dwh, db


# %% answer="bptt" name="nan_times_zero" loses="padding"
# NaN or infinity in the padding of x gets into the gradient of wx: 0 times NaN is NaN. Take such
# rows out of x before the product.
def bptt(x, lengths, states, wx, wh, upstream):
    dx, dwx, dwh, db = np.zeros(x.shape), np.zeros(wx.shape), np.zeros(wh.shape), np.zeros(len(wh))
    g = upstream
    for t in reversed(range(x.shape[1])):
        on = (t < lengths)[:, None]
        dz = np.where(on, g * (1 - states[t + 1] ** 2), 0.0)
        dwx += x[:, t].T @ dz
        dwh += states[t].T @ dz
        db += dz.sum(axis=0)
        dx[:, t] = dz @ wx.T
        g = np.where(on, dz @ wh.T, g)
    return dx, dwx, dwh, db


# %% answer="bptt" name="state_before" loses="values padding"
# The slope of tanh is 1 - h² with h the state *after* the step. You take the one before.
def bptt(x, lengths, states, wx, wh, upstream):
    dx, dwx, dwh, db = np.zeros(x.shape), np.zeros(wx.shape), np.zeros(wh.shape), np.zeros(len(wh))
    g = upstream
    for t in reversed(range(x.shape[1])):
        on = (t < lengths)[:, None]
        dz = np.where(on, g * (1 - states[t] ** 2), 0.0)
        dwx += np.where(on, x[:, t], 0.0).T @ dz
        dwh += states[t].T @ dz
        db += dz.sum(axis=0)
        dx[:, t] = dz @ wx.T
        g = np.where(on, dz @ wh.T, g)
    return dx, dwx, dwh, db


# %% answer="bptt" name="dwh_with_state_after" loses="values padding"
# The gradient of wh takes the state that stood before the step, for this is what wh was multiplied
# with.
def bptt(x, lengths, states, wx, wh, upstream):
    dx, dwx, dwh, db = np.zeros(x.shape), np.zeros(wx.shape), np.zeros(wh.shape), np.zeros(len(wh))
    g = upstream
    for t in reversed(range(x.shape[1])):
        on = (t < lengths)[:, None]
        dz = np.where(on, g * (1 - states[t + 1] ** 2), 0.0)
        dwx += np.where(on, x[:, t], 0.0).T @ dz
        dwh += states[t + 1].T @ dz
        db += dz.sum(axis=0)
        dx[:, t] = dz @ wx.T
        g = np.where(on, dz @ wh.T, g)
    return dx, dwx, dwh, db


# %% answer="bptt" name="last_step_only" loses="values padding"
# Weights are used at each step, so their gradients add up over the steps. Yours are those of one
# step.
def bptt(x, lengths, states, wx, wh, upstream):
    dx, dwx, dwh, db = np.zeros(x.shape), np.zeros(wx.shape), np.zeros(wh.shape), np.zeros(len(wh))
    g = upstream
    for t in reversed(range(x.shape[1])):
        on = (t < lengths)[:, None]
        dz = np.where(on, g * (1 - states[t + 1] ** 2), 0.0)
        dwx = np.where(on, x[:, t], 0.0).T @ dz
        dwh = states[t].T @ dz
        db = dz.sum(axis=0)
        dx[:, t] = dz @ wx.T
        g = np.where(on, dz @ wh.T, g)
    return dx, dwx, dwh, db


# %% answer="bptt" name="not_transposed" loses="values padding"
# Backward, the gradient goes through wh from the other side, as dz @ wh.T.
def bptt(x, lengths, states, wx, wh, upstream):
    dx, dwx, dwh, db = np.zeros(x.shape), np.zeros(wx.shape), np.zeros(wh.shape), np.zeros(len(wh))
    g = upstream
    for t in reversed(range(x.shape[1])):
        on = (t < lengths)[:, None]
        dz = np.where(on, g * (1 - states[t + 1] ** 2), 0.0)
        dwx += np.where(on, x[:, t], 0.0).T @ dz
        dwh += states[t].T @ dz
        db += dz.sum(axis=0)
        dx[:, t] = dz @ wx.T
        g = np.where(on, dz @ wh, g)
    return dx, dwx, dwh, db


# %% answer="bptt" name="mean_over_words" loses="values padding"
# Your gradients of the weights are means over the words. They are sums.
def bptt(x, lengths, states, wx, wh, upstream):
    dx, dwx, dwh, db = np.zeros(x.shape), np.zeros(wx.shape), np.zeros(wh.shape), np.zeros(len(wh))
    g = upstream
    for t in reversed(range(x.shape[1])):
        on = (t < lengths)[:, None]
        dz = np.where(on, g * (1 - states[t + 1] ** 2), 0.0)
        dwx += np.where(on, x[:, t], 0.0).T @ dz
        dwh += states[t].T @ dz
        db += dz.sum(axis=0)
        dx[:, t] = dz @ wx.T
        g = np.where(on, dz @ wh.T, g)
    n = max(len(x), 1)
    return dx, dwx / n, dwh / n, db / n


# %% answer="bptt" name="truncated" loses="values"
# The gradient stops some steps before the end of the word is reached backward. It goes back to the
# first step.
def bptt(x, lengths, states, wx, wh, upstream):
    dx, dwx, dwh, db = np.zeros(x.shape), np.zeros(wx.shape), np.zeros(wh.shape), np.zeros(len(wh))
    g = upstream
    for t in reversed(range(max(0, x.shape[1] - 20), x.shape[1])):
        on = (t < lengths)[:, None]
        dz = np.where(on, g * (1 - states[t + 1] ** 2), 0.0)
        dwx += np.where(on, x[:, t], 0.0).T @ dz
        dwh += states[t].T @ dz
        db += dz.sum(axis=0)
        dx[:, t] = dz @ wx.T
        g = np.where(on, dz @ wh.T, g)
    return dx, dwx, dwh, db


# %% answer="bptt" name="upstream_overwritten" loses="values"
# `upstream` was changed by the call. Work on a copy.
def bptt(x, lengths, states, wx, wh, upstream):
    dx, dwx, dwh, db = np.zeros(x.shape), np.zeros(wx.shape), np.zeros(wh.shape), np.zeros(len(wh))
    g = upstream
    for t in reversed(range(x.shape[1])):
        on = (t < lengths)[:, None]
        dz = np.where(on, g * (1 - states[t + 1] ** 2), 0.0)
        dwx += np.where(on, x[:, t], 0.0).T @ dz
        dwh += states[t].T @ dz
        db += dz.sum(axis=0)
        dx[:, t] = dz @ wx.T
        np.copyto(g, dz @ wh.T, where=on)
    return dx, dwx, dwh, db


# %% answer="bptt" name="lets_the_tape_do_it" loses="values padding"
# The gradients come from a tape that computes the states again. Here they are to be computed by
# hand; the checks switch the tape off.
def bptt(x, lengths, states, wx, wh, upstream):
    clean = np.where((np.arange(x.shape[1]) < lengths[:, None])[..., None], x, 0.0)
    a, w, v, h = (
        cr.tensor(n, requires_grad=True) for n in (clean, wx, wh, np.zeros(states.shape[1:]))
    )
    b, state = cr.tensor(np.zeros((x.shape[1], len(wh))), requires_grad=True), h
    for t in range(x.shape[1]):
        before = np.arctanh(np.clip(states[t + 1], -1 + 1e-15, 1 - 1e-15))
        bias = before - clean[:, t] @ wx - states[t] @ wh
        new = cr.tanh(a[:, t] @ w + state @ v + b[t] + bias)
        state = cr.where((t < lengths)[:, None], new, state)
    (state * upstream + 0.0 * (w.sum() + v.sum() + a.sum() + b.sum())).sum().backward()
    return a.grad.data, w.grad.data, v.grad.data, b.grad.data.sum(0)


# %% answer="tree" name="recursive" loses="deep_and_shared"
# Your `climb` calls itself for each side. Python's recursion ends at about 1,000 levels, and a list
# that stands in two places is computed twice. A stack and a dict do without.
def join(weights, op, left, right):
    a, b, c, bias = weights[op]
    return cr.tanh(((left @ a) * (right @ b)) @ c + bias)


def climb(tree, leaf, join):
    if not isinstance(tree, list):
        return leaf(tree)
    return join(tree[0], climb(tree[1], leaf, join), climb(tree[2], leaf, join))


# %% answer="tree" name="recursion_with_memory" loses="deep_and_shared"
# Shared lists are computed once, but a tree of thousands of levels is too deep for functions that
# call themselves. Keep a stack of your own.
def join(weights, op, left, right):
    a, b, c, bias = weights[op]
    return cr.tanh(((left @ a) * (right @ b)) @ c + bias)


def climb(tree, leaf, join):
    done = {}

    def look(part):
        if not isinstance(part, list):
            return leaf(part)
        if id(part) not in done:
            done[id(part)] = join(part[0], look(part[1]), look(part[2]))
        return done[id(part)]

    return look(tree)


# %% answer="tree" name="shared_computed_again" loses="deep_and_shared"
# A list that stands in several places is computed for each of them. Look it up before you compute
# it.
def join(weights, op, left, right):
    a, b, c, bias = weights[op]
    return cr.tanh(((left @ a) * (right @ b)) @ c + bias)


def climb(tree, leaf, join):
    order, stack = [], [tree]
    while stack:
        part = stack.pop()
        order.append(part)
        if isinstance(part, list):
            stack += [part[1], part[2]]
    results = []
    for part in reversed(order):
        if isinstance(part, list):
            right, left = results.pop(), results.pop()
            results.append(join(part[0], left, right))
        else:
            results.append(leaf(part))
    return results[0]


# %% answer="tree" name="sides_swapped" loses="climb gradients deep_and_shared"
# `join` gets the right side first. It is join(op, left, right).
def join(weights, op, left, right):
    a, b, c, bias = weights[op]
    return cr.tanh(((left @ a) * (right @ b)) @ c + bias)


def climb(tree, leaf, join):
    done, stack = {}, [(tree, False)]

    def found(part):
        return done[id(part)] if isinstance(part, list) else leaf(part)

    while stack:
        part, opened = stack.pop()
        if not isinstance(part, list) or id(part) in done:
            continue
        if opened:
            done[id(part)] = join(part[0], found(part[2]), found(part[1]))
        else:
            stack += [(part, True), (part[1], False), (part[2], False)]
    return found(tree)


# %% answer="tree" name="sum_instead_of_product" loses="join gradients"
# In your `join` the two sides are added. In the formula l·A and r·B are multiplied, entry by entry.
def join(weights, op, left, right):
    a, b, c, bias = weights[op]
    return cr.tanh(((left @ a) + (right @ b)) @ c + bias)


def climb(tree, leaf, join):
    done, stack = {}, [(tree, False)]

    def found(part):
        return done[id(part)] if isinstance(part, list) else leaf(part)

    while stack:
        part, opened = stack.pop()
        if not isinstance(part, list) or id(part) in done:
            continue
        if opened:
            done[id(part)] = join(part[0], found(part[1]), found(part[2]))
        else:
            stack += [(part, True), (part[1], False), (part[2], False)]
    return found(tree)


# %% answer="tree" name="one_set_of_weights" loses="join gradients"
# Your `join` takes the weights of another operator than the one that it is given.
def join(weights, op, left, right):
    a, b, c, bias = weights["+"]
    return cr.tanh(((left @ a) * (right @ b)) @ c + bias)


def climb(tree, leaf, join):
    done, stack = {}, [(tree, False)]

    def found(part):
        return done[id(part)] if isinstance(part, list) else leaf(part)

    while stack:
        part, opened = stack.pop()
        if not isinstance(part, list) or id(part) in done:
            continue
        if opened:
            done[id(part)] = join(part[0], found(part[1]), found(part[2]))
        else:
            stack += [(part, True), (part[1], False), (part[2], False)]
    return found(tree)


# %% answer="tree" name="sides_cut_off" loses="gradients"
# The vectors of the two sides are taken off the tape before they are joined, so no gradient comes
# to what lies below.
def join(weights, op, left, right):
    a, b, c, bias = weights[op]
    return cr.tanh(((left.detach() @ a) * (right.detach() @ b)) @ c + bias)


def climb(tree, leaf, join):
    done, stack = {}, [(tree, False)]

    def found(part):
        return done[id(part)] if isinstance(part, list) else leaf(part)

    while stack:
        part, opened = stack.pop()
        if not isinstance(part, list) or id(part) in done:
            continue
        if opened:
            done[id(part)] = join(part[0], found(part[1]), found(part[2]))
        else:
            stack += [(part, True), (part[1], False), (part[2], False)]
    return found(tree)


# %% answer="tree" name="vectors_only" loses="join"
# Your `join` works for one vector alone. For rows of vectors the products with A, B and C go along
# the last axis.
def join(weights, op, left, right):
    a, b, c, bias = weights[op]
    return cr.tanh((a.T @ left * (b.T @ right)) @ c + bias)


def climb(tree, leaf, join):
    done, stack = {}, [(tree, False)]

    def found(part):
        return done[id(part)] if isinstance(part, list) else leaf(part)

    while stack:
        part, opened = stack.pop()
        if not isinstance(part, list) or id(part) in done:
            continue
        if opened:
            done[id(part)] = join(part[0], found(part[1]), found(part[2]))
        else:
            stack += [(part, True), (part[1], False), (part[2], False)]
    return found(tree)


# %% answer="modules" name="wraps_around" loses="move answers"
# What leaves the grid at one border comes in at the other. It is lost; zeros come in.
def find(cells, weights, word):
    if word not in weights:
        raise ValueError(f"no module finds {word!r}")
    w, c = weights[word]
    return cr.sigmoid(cells @ w + c)


def move(attention, direction):
    rows, columns = attention.shape
    row_of_zeros = np.zeros((1, columns), attention.dtype)
    column_of_zeros = np.zeros((rows, 1), attention.dtype)
    if direction == "above":
        return cr.concatenate([attention[1:], attention[:1]], axis=0)
    if direction == "below":
        return cr.concatenate([attention[-1:], attention[:-1]], axis=0)
    if direction == "left":
        return cr.concatenate([attention[:, 1:], attention[:, :1]], axis=1)
    return cr.concatenate([attention[:, -1:], attention[:, :-1]], axis=1)


def answer(question, cells, weights):
    def look(part):
        name, *inputs = part
        if name == "find":
            return find(cells, weights, *inputs)
        if name in DIRECTIONS:
            return move(look(inputs[0]), name)
        if name == "and":
            return look(inputs[0]) * look(inputs[1])
        raise ValueError(f"no module is called {name!r}")

    name, first, second = question
    if name != "is":
        raise ValueError(f"a question begins with 'is', not with {name!r}")
    scale, shift = weights["is"]
    return scale * cr.max(look(first) * look(second)) + shift


# %% answer="modules" name="directions_swapped" loses="move answers"
# Above and below, or left and right, are exchanged. "above" moves what was found one row up: a cell
# gets what stood directly below it.
def find(cells, weights, word):
    if word not in weights:
        raise ValueError(f"no module finds {word!r}")
    w, c = weights[word]
    return cr.sigmoid(cells @ w + c)


def move(attention, direction):
    rows, columns = attention.shape
    row_of_zeros = np.zeros((1, columns), attention.dtype)
    column_of_zeros = np.zeros((rows, 1), attention.dtype)
    if direction == "below":
        return cr.concatenate([attention[1:], row_of_zeros], axis=0)
    if direction == "above":
        return cr.concatenate([row_of_zeros, attention[:-1]], axis=0)
    if direction == "right":
        return cr.concatenate([attention[:, 1:], column_of_zeros], axis=1)
    return cr.concatenate([column_of_zeros, attention[:, :-1]], axis=1)


def answer(question, cells, weights):
    def look(part):
        name, *inputs = part
        if name == "find":
            return find(cells, weights, *inputs)
        if name in DIRECTIONS:
            return move(look(inputs[0]), name)
        if name == "and":
            return look(inputs[0]) * look(inputs[1])
        raise ValueError(f"no module is called {name!r}")

    name, first, second = question
    if name != "is":
        raise ValueError(f"a question begins with 'is', not with {name!r}")
    scale, shift = weights["is"]
    return scale * cr.max(look(first) * look(second)) + shift


# %% answer="modules" name="border_stays" loses="move answers"
# At the border your map keeps what stood there. Zeros come in.
def find(cells, weights, word):
    if word not in weights:
        raise ValueError(f"no module finds {word!r}")
    w, c = weights[word]
    return cr.sigmoid(cells @ w + c)


def move(attention, direction):
    rows, columns = attention.shape
    row_of_zeros = np.zeros((1, columns), attention.dtype)
    column_of_zeros = np.zeros((rows, 1), attention.dtype)
    if direction == "above":
        return cr.concatenate([attention[1:], attention[-1:]], axis=0)
    if direction == "below":
        return cr.concatenate([row_of_zeros, attention[:-1]], axis=0)
    if direction == "left":
        return cr.concatenate([attention[:, 1:], column_of_zeros], axis=1)
    return cr.concatenate([attention[:, :1], attention[:, :-1]], axis=1)


def answer(question, cells, weights):
    def look(part):
        name, *inputs = part
        if name == "find":
            return find(cells, weights, *inputs)
        if name in DIRECTIONS:
            return move(look(inputs[0]), name)
        if name == "and":
            return look(inputs[0]) * look(inputs[1])
        raise ValueError(f"no module is called {name!r}")

    name, first, second = question
    if name != "is":
        raise ValueError(f"a question begins with 'is', not with {name!r}")
    scale, shift = weights["is"]
    return scale * cr.max(look(first) * look(second)) + shift


# %% answer="modules" name="off_the_tape" loses="move answers"
# `move` computes with arrays, so what comes out is on no tape and the gradient ends there.
def find(cells, weights, word):
    if word not in weights:
        raise ValueError(f"no module finds {word!r}")
    w, c = weights[word]
    return cr.sigmoid(cells @ w + c)


def move(attention, direction):
    rows, columns = {"above": (-1, 0), "below": (1, 0), "left": (0, -1)}.get(direction, (0, 1))
    wide = np.pad(attention.data, 1)
    return cr.tensor(np.roll(wide, (rows, columns), (0, 1))[1:-1, 1:-1])


def answer(question, cells, weights):
    def look(part):
        name, *inputs = part
        if name == "find":
            return find(cells, weights, *inputs)
        if name in DIRECTIONS:
            return move(look(inputs[0]), name)
        if name == "and":
            return look(inputs[0]) * look(inputs[1])
        raise ValueError(f"no module is called {name!r}")

    name, first, second = question
    if name != "is":
        raise ValueError(f"a question begins with 'is', not with {name!r}")
    scale, shift = weights["is"]
    return scale * cr.max(look(first) * look(second)) + shift


# %% answer="modules" name="sum_over_cells" loses="answers unknown"
# "is" takes the *largest* entry of the product, not their sum.
def find(cells, weights, word):
    if word not in weights:
        raise ValueError(f"no module finds {word!r}")
    w, c = weights[word]
    return cr.sigmoid(cells @ w + c)


def move(attention, direction):
    rows, columns = attention.shape
    row_of_zeros = np.zeros((1, columns), attention.dtype)
    column_of_zeros = np.zeros((rows, 1), attention.dtype)
    if direction == "above":
        return cr.concatenate([attention[1:], row_of_zeros], axis=0)
    if direction == "below":
        return cr.concatenate([row_of_zeros, attention[:-1]], axis=0)
    if direction == "left":
        return cr.concatenate([attention[:, 1:], column_of_zeros], axis=1)
    return cr.concatenate([column_of_zeros, attention[:, :-1]], axis=1)


def answer(question, cells, weights):
    def look(part):
        name, *inputs = part
        if name == "find":
            return find(cells, weights, *inputs)
        if name in DIRECTIONS:
            return move(look(inputs[0]), name)
        if name == "and":
            return look(inputs[0]) * look(inputs[1])
        raise ValueError(f"no module is called {name!r}")

    name, first, second = question
    if name != "is":
        raise ValueError(f"a question begins with 'is', not with {name!r}")
    scale, shift = weights["is"]
    return scale * cr.sum(look(first) * look(second)) + shift


# %% answer="modules" name="max_before_product" loses="answers"
# "is" looks for one cell that both maps find: the largest entry of the product, not the product of
# the two largest entries.
def find(cells, weights, word):
    if word not in weights:
        raise ValueError(f"no module finds {word!r}")
    w, c = weights[word]
    return cr.sigmoid(cells @ w + c)


def move(attention, direction):
    rows, columns = attention.shape
    row_of_zeros = np.zeros((1, columns), attention.dtype)
    column_of_zeros = np.zeros((rows, 1), attention.dtype)
    if direction == "above":
        return cr.concatenate([attention[1:], row_of_zeros], axis=0)
    if direction == "below":
        return cr.concatenate([row_of_zeros, attention[:-1]], axis=0)
    if direction == "left":
        return cr.concatenate([attention[:, 1:], column_of_zeros], axis=1)
    return cr.concatenate([column_of_zeros, attention[:, :-1]], axis=1)


def answer(question, cells, weights):
    def look(part):
        name, *inputs = part
        if name == "find":
            return find(cells, weights, *inputs)
        if name in DIRECTIONS:
            return move(look(inputs[0]), name)
        if name == "and":
            return look(inputs[0]) * look(inputs[1])
        raise ValueError(f"no module is called {name!r}")

    name, first, second = question
    if name != "is":
        raise ValueError(f"a question begins with 'is', not with {name!r}")
    scale, shift = weights["is"]
    return scale * cr.max(look(first)) * cr.max(look(second)) + shift


# %% answer="modules" name="unknown_is_nothing" loses="unknown"
# A name that does not exist is passed over in silence. Raise ValueError with that name.
def find(cells, weights, word):
    if word not in weights:
        return cr.tensor(np.zeros(cells.shape[:2]))
    w, c = weights[word]
    return cr.sigmoid(cells @ w + c)


def move(attention, direction):
    rows, columns = attention.shape
    row_of_zeros = np.zeros((1, columns), attention.dtype)
    column_of_zeros = np.zeros((rows, 1), attention.dtype)
    if direction == "above":
        return cr.concatenate([attention[1:], row_of_zeros], axis=0)
    if direction == "below":
        return cr.concatenate([row_of_zeros, attention[:-1]], axis=0)
    if direction == "left":
        return cr.concatenate([attention[:, 1:], column_of_zeros], axis=1)
    return cr.concatenate([column_of_zeros, attention[:, :-1]], axis=1)


def answer(question, cells, weights):
    def look(part):
        name, *inputs = part
        if name == "find":
            return find(cells, weights, *inputs)
        if name in DIRECTIONS:
            return move(look(inputs[0]), name)
        if name == "and":
            return look(inputs[0]) * look(inputs[1])
        return look(inputs[0])

    name, first, second = question
    scale, shift = weights["is"]
    return scale * cr.max(look(first) * look(second)) + shift


# %% answer="modules" name="key_error" loses="unknown"
# A word or module that does not exist raises KeyError. It should be a ValueError whose message has
# the name.
def find(cells, weights, word):
    w, c = weights[word]
    return cr.sigmoid(cells @ w + c)


def move(attention, direction):
    rows, columns = attention.shape
    row_of_zeros = np.zeros((1, columns), attention.dtype)
    column_of_zeros = np.zeros((rows, 1), attention.dtype)
    if direction == "above":
        return cr.concatenate([attention[1:], row_of_zeros], axis=0)
    if direction == "below":
        return cr.concatenate([row_of_zeros, attention[:-1]], axis=0)
    if direction == "left":
        return cr.concatenate([attention[:, 1:], column_of_zeros], axis=1)
    return cr.concatenate([column_of_zeros, attention[:, :-1]], axis=1)


def answer(question, cells, weights):
    def look(part):
        name, *inputs = part
        if name == "find":
            return find(cells, weights, *inputs)
        if name in DIRECTIONS:
            return move(look(inputs[0]), name)
        if name == "and":
            return look(inputs[0]) * look(inputs[1])
        raise ValueError(f"no module is called {name!r}")

    name, first, second = question
    if name != "is":
        raise ValueError(f"a question begins with 'is', not with {name!r}")
    scale, shift = weights["is"]
    return scale * cr.max(look(first) * look(second)) + shift


# %% answer="modules" name="one_form_of_question" loses="answers unknown"
# Your net has a fixed form: two words, perhaps one move. A question may be built from all modules,
# one in another.
def find(cells, weights, word):
    if word not in weights:
        raise ValueError(f"no module finds {word!r}")
    w, c = weights[word]
    return cr.sigmoid(cells @ w + c)


def move(attention, direction):
    rows, columns = attention.shape
    row_of_zeros = np.zeros((1, columns), attention.dtype)
    column_of_zeros = np.zeros((rows, 1), attention.dtype)
    if direction == "above":
        return cr.concatenate([attention[1:], row_of_zeros], axis=0)
    if direction == "below":
        return cr.concatenate([row_of_zeros, attention[:-1]], axis=0)
    if direction == "left":
        return cr.concatenate([attention[:, 1:], column_of_zeros], axis=1)
    return cr.concatenate([column_of_zeros, attention[:, :-1]], axis=1)


def answer(question, cells, weights):
    _, first, second = question
    a = find(cells, weights, first[1])
    if second[0] == "find":
        b = find(cells, weights, second[1])
    else:
        b = move(find(cells, weights, second[1][1]), second[0])
    scale, shift = weights["is"]
    return scale * cr.max(a * b) + shift


# %% answer="modules" name="and_takes_the_smaller" loses="answers"
# "and" is the product of two maps. You take the smaller of the two entries.
def find(cells, weights, word):
    if word not in weights:
        raise ValueError(f"no module finds {word!r}")
    w, c = weights[word]
    return cr.sigmoid(cells @ w + c)


def move(attention, direction):
    rows, columns = attention.shape
    row_of_zeros = np.zeros((1, columns), attention.dtype)
    column_of_zeros = np.zeros((rows, 1), attention.dtype)
    if direction == "above":
        return cr.concatenate([attention[1:], row_of_zeros], axis=0)
    if direction == "below":
        return cr.concatenate([row_of_zeros, attention[:-1]], axis=0)
    if direction == "left":
        return cr.concatenate([attention[:, 1:], column_of_zeros], axis=1)
    return cr.concatenate([column_of_zeros, attention[:, :-1]], axis=1)


def answer(question, cells, weights):
    def look(part):
        name, *inputs = part
        if name == "find":
            return find(cells, weights, *inputs)
        if name in DIRECTIONS:
            return move(look(inputs[0]), name)
        if name == "and":
            return cr.minimum(look(inputs[0]), look(inputs[1]))
        raise ValueError(f"no module is called {name!r}")

    name, first, second = question
    if name != "is":
        raise ValueError(f"a question begins with 'is', not with {name!r}")
    scale, shift = weights["is"]
    return scale * cr.max(look(first) * look(second)) + shift


# %% answer="modules" name="all_words_first" loses="answers"
# Every word that there is gets computed for every question. A question runs only what it names.
def find(cells, weights, word):
    if word not in weights:
        raise ValueError(f"no module finds {word!r}")
    w, c = weights[word]
    return cr.sigmoid(cells @ w + c)


def move(attention, direction):
    rows, columns = attention.shape
    row_of_zeros = np.zeros((1, columns), attention.dtype)
    column_of_zeros = np.zeros((rows, 1), attention.dtype)
    if direction == "above":
        return cr.concatenate([attention[1:], row_of_zeros], axis=0)
    if direction == "below":
        return cr.concatenate([row_of_zeros, attention[:-1]], axis=0)
    if direction == "left":
        return cr.concatenate([attention[:, 1:], column_of_zeros], axis=1)
    return cr.concatenate([column_of_zeros, attention[:, :-1]], axis=1)


def answer(question, cells, weights):
    maps = {word: find(cells, weights, word) for word in weights if word != "is"}
    everything = sum((m.sum() * 0 for m in maps.values()), 0.0)

    def look(part):
        name, *inputs = part
        if name == "find":
            return find(cells, weights, *inputs)
        if name in DIRECTIONS:
            return move(look(inputs[0]), name)
        if name == "and":
            return look(inputs[0]) * look(inputs[1])
        raise ValueError(f"no module is called {name!r}")

    name, first, second = question
    if name != "is":
        raise ValueError(f"a question begins with 'is', not with {name!r}")
    scale, shift = weights["is"]
    return scale * cr.max(look(first) * look(second)) + shift + everything


# %% answer="branch" name="captured_twice" loses="gradients"
# A node that both branches captured is an input of your `cond` node twice, and each time it is sent
# the whole gradient: it gets twice as much.
def cond_now(pred, true_fn, false_fn):
    if bool(pred):
        return true_fn()
    return false_fn()


def cond(pred, true_fn, false_fn):
    subs = [Subgraph(false_fn), Subgraph(true_fn)]
    a, b = subs[0].outputs[0], subs[1].outputs[0]
    if a.shape != b.shape or a.dtype != b.dtype:
        raise ValueError("branches differ")
    outside = subs[0].captured + subs[1].captured

    def forward(flag, *values):
        sub = subs[int(bool(flag))]
        return sub.run(dict(zip(outside, values)))[0], None

    def backward(up, saved, flag, *values):
        sub = subs[int(bool(flag))]
        grads = sub.vjp(dict(zip(outside, values)), [up])
        return [None] + [grads.get(n) for n in outside]

    return Node("cond", [as_node(pred), *outside], forward, backward, a.shape, a.dtype)


# %% answer="branch" name="checks_when_it_runs" loses="alike"
# Branches that differ are found when the graph runs. `cond` knows their shapes and dtypes at once.
def cond_now(pred, true_fn, false_fn):
    if bool(pred):
        return true_fn()
    return false_fn()


def cond(pred, true_fn, false_fn):
    subs = [Subgraph(false_fn), Subgraph(true_fn)]
    a, b = subs[0].outputs[0], subs[1].outputs[0]
    outside = list(dict.fromkeys(subs[0].captured + subs[1].captured))

    def forward(flag, *values):
        if a.shape != b.shape or a.dtype != b.dtype:
            raise ValueError("branches differ")
        sub = subs[int(bool(flag))]
        return sub.run(dict(zip(outside, values)))[0], None

    def backward(up, saved, flag, *values):
        sub = subs[int(bool(flag))]
        grads = sub.vjp(dict(zip(outside, values)), [up])
        return [None] + [grads.get(n) for n in outside]

    return Node("cond", [as_node(pred), *outside], forward, backward, a.shape, a.dtype)


# %% answer="branch" name="always_float64" loses="alike"
# Your node says that it is float64, whatever the branches are.
def cond_now(pred, true_fn, false_fn):
    if bool(pred):
        return true_fn()
    return false_fn()


def cond(pred, true_fn, false_fn):
    subs = [Subgraph(false_fn), Subgraph(true_fn)]
    a, b = subs[0].outputs[0], subs[1].outputs[0]
    if a.shape != b.shape or a.dtype != b.dtype:
        raise ValueError("branches differ")
    outside = list(dict.fromkeys(subs[0].captured + subs[1].captured))

    def forward(flag, *values):
        sub = subs[int(bool(flag))]
        return sub.run(dict(zip(outside, values)))[0], None

    def backward(up, saved, flag, *values):
        sub = subs[int(bool(flag))]
        grads = sub.vjp(dict(zip(outside, values)), [up])
        return [None] + [grads.get(n) for n in outside]

    return Node("cond", [as_node(pred), *outside], forward, backward, a.shape, np.float64)


# %% answer="branch" name="imports_cond" loses="values gradients one_side alike"
# `chainrule` has a `cond`, but here you write it.
def cond_now(pred, true_fn, false_fn):
    return true_fn() if pred else false_fn()


def cond(pred, true_fn, false_fn):
    from chainrule.graph import cond

    return cond(pred, true_fn, false_fn)


# %% answer="loop" name="hundred_rounds" loses="values gradients"
# Your loop stops after a hundred rounds, whatever the test says.
def while_now(test, body, first):
    state = tuple(first)
    while test(*state):
        state = tuple(body(*state))
    return state


def while_loop(test, body, first):
    first = [as_node(v) for v in first]
    n = len(first)
    check, step = Subgraph(test, first), Subgraph(body, first)
    if len(step.outputs) != n:
        raise ValueError("number")
    for a, b in zip(first, step.outputs):
        if a.shape != b.shape or a.dtype != b.dtype:
            raise ValueError("kind")
    captured_ones = list(dict.fromkeys([*check.captured, *step.captured]))

    def forward(*values):
        state, around = values[:n], dict(zip(captured_ones, values[n:]))
        trail = []
        while len(trail) < 100 and check.run(dict(zip(check.inputs, state)) | around)[0]:
            trail.append(state)
            state = step.run(dict(zip(step.inputs, state)) | around)
        return tuple(state), trail

    def backward(upstream, trail, *values):
        around = dict(zip(captured_ones, values[n:]))
        sums = [np.zeros(o.shape) for o in captured_ones]
        upstream = list(upstream)
        for state in reversed(trail):
            grads = step.vjp(dict(zip(step.inputs, state)) | around, upstream)
            upstream = [grads[i] for i in step.inputs]
            sums = [t + grads[o] if o in grads else t for t, o in zip(sums, captured_ones)]
        return [*upstream, *sums]

    node = Node("while_loop", [*first, *captured_ones], forward, backward, (), float)
    return results(node, first)


def foldl(fn, elements, initial):
    T = elements.shape[0]
    return while_loop(
        lambda i, y: i < T, lambda i, y: (i + 1, fn(y, row(elements, i))), [0, initial]
    )[1]


# %% answer="loop" name="first_ones_merged" loses="gradients"
# Two variables may begin with the same node. Put into a dict by their first nodes, they become one
# variable.
def while_now(test, body, first):
    state = tuple(first)
    while test(*state):
        state = tuple(body(*state))
    return state


def while_loop(test, body, first):
    first = list(dict.fromkeys(as_node(v) for v in first))
    n = len(first)
    check, step = Subgraph(test, first), Subgraph(body, first)
    if len(step.outputs) != n:
        raise ValueError("number")
    for a, b in zip(first, step.outputs):
        if a.shape != b.shape or a.dtype != b.dtype:
            raise ValueError("kind")
    captured_ones = list(dict.fromkeys([*check.captured, *step.captured]))

    def forward(*values):
        state, around = values[:n], dict(zip(captured_ones, values[n:]))
        trail = []
        while check.run(dict(zip(check.inputs, state)) | around)[0]:
            trail.append(state)
            state = step.run(dict(zip(step.inputs, state)) | around)
        return tuple(state), trail

    def backward(upstream, trail, *values):
        around = dict(zip(captured_ones, values[n:]))
        sums = [np.zeros(o.shape) for o in captured_ones]
        upstream = list(upstream)
        for state in reversed(trail):
            grads = step.vjp(dict(zip(step.inputs, state)) | around, upstream)
            upstream = [grads[i] for i in step.inputs]
            sums = [t + grads[o] if o in grads else t for t, o in zip(sums, captured_ones)]
        return [*upstream, *sums]

    node = Node("while_loop", [*first, *captured_ones], forward, backward, (), float)
    return results(node, first)


def foldl(fn, elements, initial):
    T = elements.shape[0]
    return while_loop(
        lambda i, y: i < T, lambda i, y: (i + 1, fn(y, row(elements, i))), [0, initial]
    )[1]


# %% answer="loop" name="only_the_kind_of_dtype" loses="alike"
# float32 and float64 are both floats, and yet different dtypes.
def while_now(test, body, first):
    state = tuple(first)
    while test(*state):
        state = tuple(body(*state))
    return state


def while_loop(test, body, first):
    first = [as_node(v) for v in first]
    n = len(first)
    check, step = Subgraph(test, first), Subgraph(body, first)
    if len(step.outputs) != n:
        raise ValueError("number")
    for a, b in zip(first, step.outputs):
        if a.shape != b.shape or a.dtype.kind != b.dtype.kind:
            raise ValueError("kind")
    captured_ones = list(dict.fromkeys([*check.captured, *step.captured]))

    def forward(*values):
        state, around = values[:n], dict(zip(captured_ones, values[n:]))
        trail = []
        while check.run(dict(zip(check.inputs, state)) | around)[0]:
            trail.append(state)
            state = step.run(dict(zip(step.inputs, state)) | around)
        return tuple(state), trail

    def backward(upstream, trail, *values):
        around = dict(zip(captured_ones, values[n:]))
        sums = [np.zeros(o.shape) for o in captured_ones]
        upstream = list(upstream)
        for state in reversed(trail):
            grads = step.vjp(dict(zip(step.inputs, state)) | around, upstream)
            upstream = [grads[i] for i in step.inputs]
            sums = [t + grads[o] if o in grads else t for t, o in zip(sums, captured_ones)]
        return [*upstream, *sums]

    node = Node("while_loop", [*first, *captured_ones], forward, backward, (), float)
    return results(node, first)


def foldl(fn, elements, initial):
    T = elements.shape[0]
    return while_loop(
        lambda i, y: i < T, lambda i, y: (i + 1, fn(y, row(elements, i))), [0, initial]
    )[1]


# %% answer="loop" name="first_changed" loses="now"
# Your `while_now` puts the new variables into the list `first`, which belongs to whoever called it.
def while_now(test, body, first):
    if isinstance(first, tuple):
        first = list(first)
    while test(*first):
        first[:] = body(*first)
    return tuple(first)


def while_loop(test, body, first):
    first = [as_node(v) for v in first]
    n = len(first)
    check, step = Subgraph(test, first), Subgraph(body, first)
    if len(step.outputs) != n:
        raise ValueError("number")
    for a, b in zip(first, step.outputs):
        if a.shape != b.shape or a.dtype != b.dtype:
            raise ValueError("kind")
    captured_ones = list(dict.fromkeys([*check.captured, *step.captured]))

    def forward(*values):
        state, around = values[:n], dict(zip(captured_ones, values[n:]))
        trail = []
        while check.run(dict(zip(check.inputs, state)) | around)[0]:
            trail.append(state)
            state = step.run(dict(zip(step.inputs, state)) | around)
        return tuple(state), trail

    def backward(upstream, trail, *values):
        around = dict(zip(captured_ones, values[n:]))
        sums = [np.zeros(o.shape) for o in captured_ones]
        upstream = list(upstream)
        for state in reversed(trail):
            grads = step.vjp(dict(zip(step.inputs, state)) | around, upstream)
            upstream = [grads[i] for i in step.inputs]
            sums = [t + grads[o] if o in grads else t for t, o in zip(sums, captured_ones)]
        return [*upstream, *sums]

    node = Node("while_loop", [*first, *captured_ones], forward, backward, (), float)
    return results(node, first)


def foldl(fn, elements, initial):
    T = elements.shape[0]
    return while_loop(
        lambda i, y: i < T, lambda i, y: (i + 1, fn(y, row(elements, i))), [0, initial]
    )[1]


# %% answer="rnn" name="zeros_are_padding" loses="values"
# Your mask takes every row of zeros in x for padding. Where a word is over, `lengths` says.
def rnn(x, lengths, wx, wh, b):
    N, T, D = x.shape
    states = np.zeros((T + 1, N, len(b)))
    for t in range(T):
        new = np.tanh(x[:, t] @ wx + states[t] @ wh + b)
        on = (x[:, t] != 0).any(1)[:, None] & (t < lengths)[:, None]
        states[t + 1] = np.where(on, new, states[t])
    return states


# %% answer="rnn" name="one_buffer_for_all" loses="values"
# The states stand in an array that the next call uses again: it changes what you returned before.
BUF = {}


def rnn(x, lengths, wx, wh, b):
    N, T, D = x.shape
    size = (T + 1, N, len(b))
    states = BUF.setdefault(size, np.zeros(size))
    for t in range(T):
        new = np.tanh(x[:, t] @ wx + states[t] @ wh + b)
        on = (t < lengths)[:, None]
        states[t + 1] = np.where(on, new, states[t])
    return states


# %% answer="rnn" name="at_most_25_steps" loses="values"
# Words of more than 25 letters are not read to their end.
def rnn(x, lengths, wx, wh, b):
    N, T, D = x.shape
    states = np.zeros((T + 1, N, len(b)))
    for t in range(min(T, 25)):
        new = np.tanh(x[:, t] @ wx + states[t] @ wh + b)
        on = (t < lengths)[:, None]
        states[t + 1] = np.where(on, new, states[t])
    return states


# %% answer="bptt" name="tape_step_by_step" loses="values padding"
# The gradients are right, and `chainrule` computed them: a small tape for each step. By hand, each
# step is two products and a derivative of tanh.
def bptt(x, lengths, states, wx, wh, upstream):
    N, T, D = x.shape
    clean = np.where((np.arange(T) < lengths[:, None])[..., None], x, 0.0)
    g = upstream.copy()
    totals = [np.zeros(x.shape), np.zeros(wx.shape), np.zeros(wh.shape), np.zeros(len(wh))]
    for t in reversed(range(T)):
        live = np.flatnonzero(lengths > t)
        with cr.enable_grad():
            xs, a, h, c, b = (
                cr.tensor(v, requires_grad=True)
                for v in (clean[live, t], wx, states[t, live], wh, np.zeros(len(wh)))
            )
            z = xs @ a + h @ c + b
            (z * (g[live] * (1 - states[t + 1, live] ** 2))).sum().backward()
        totals[0][live, t] = xs.grad.data
        totals[1] += a.grad.data
        totals[2] += c.grad.data
        totals[3] += b.grad.data
        g[live] = h.grad.data
    return tuple(totals)


# %% answer="bptt" name="tape_turned_on" loses="values padding"
# The gradients come from the tape, which your function turns on for itself. Here you are the tape.
def bptt(x, lengths, states, wx, wh, upstream):
    N, T, D = x.shape
    with cr.enable_grad():
        clean = np.where((np.arange(T) < lengths[:, None])[..., None], x, 0.0)
        leaves = [cr.tensor(a, requires_grad=True) for a in (clean, wx, wh)]
        xs, a, c = leaves
        bias = cr.tensor(np.zeros(len(wh)), requires_grad=True)
        h = cr.tensor(np.zeros((N, len(wh))))
        for t in range(T):
            on = (t < lengths)[:, None] * 1.0
            z = xs[:, t] @ a + h @ c
            live = np.flatnonzero(lengths > t)
            off = np.zeros((N, len(wh)))
            off[live] = np.arctanh(states[t + 1, live]) - z.data[live]
            new = cr.tanh(z + off + bias)
            h = new * on + h * (1 - on)
        (h * upstream).sum().backward()
    shapes = (clean, wx, wh, np.zeros(len(wh)))
    return tuple(
        np.zeros(s.shape) if t.grad is None else t.grad.data
        for t, s in zip((xs, a, c, bias), shapes)
    )


# %% answer="tree" name="memory_of_all_leaves" loses="climb gradients deep_and_shared"
# Your dict of what the leaves gave outlives the call. The next call may bring another `leaf`, and
# gets the values of the one before.
def join(weights, op, left, right):
    a, b, c, bias = weights[op]
    return cr.tanh(((left @ a) * (right @ b)) @ c + bias)


MEMO = {}


def climb(tree, leaf, join):
    memo, stack = {}, [tree]

    def known(t):
        return not isinstance(t, list) or id(t) in memo

    def value(t):
        if isinstance(t, list):
            return memo[id(t)]
        if t not in MEMO:
            MEMO[t] = leaf(t)
        return MEMO[t]

    while stack:
        t = stack[-1]
        if known(t):
            stack.pop()
            continue
        missing = [s for s in t[1:] if not known(s)]
        if missing:
            stack.extend(missing)
        else:
            memo[id(t)] = join(t[0], value(t[1]), value(t[2]))
            stack.pop()
    return value(tree)


# %% answer="tree" name="results_that_are_false" loses="climb gradients"
# A result may be 0, None, or a tensor: whether it is there, ask with `in`, not with `or`.
def join(weights, op, left, right):
    a, b, c, bias = weights[op]
    return cr.tanh(((left @ a) * (right @ b)) @ c + bias)


def climb(tree, leaf, join):
    done, stack = {}, [(tree, False)]

    def found(part):
        return done.get(id(part)) or leaf(part)

    while stack:
        part, opened = stack.pop()
        if not isinstance(part, list) or id(part) in done:
            continue
        if opened:
            done[id(part)] = join(part[0], found(part[1]), found(part[2]))
        else:
            stack += [(part, True), (part[1], False), (part[2], False)]
    return found(tree)


# %% answer="tree" name="shared_list_once" loses="gradients"
# Where left and right are the same list, its weights get the gradient of one side only.
def join(weights, op, left, right):
    a, b, c, bias = weights[op]
    a = a.detach() if left is right else a
    return cr.tanh(((left @ a) * (right @ b)) @ c + bias)


def climb(tree, leaf, join):
    memo, stack = {}, [tree]

    def known(t):
        return not isinstance(t, list) or id(t) in memo

    def value(t):
        return memo[id(t)] if isinstance(t, list) else leaf(t)

    while stack:
        t = stack[-1]
        if known(t):
            stack.pop()
            continue
        missing = [s for s in t[1:] if not known(s)]
        if missing:
            stack.extend(missing)
        else:
            memo[id(t)] = join(t[0], value(t[1]), value(t[2]))
            stack.pop()
    return value(tree)


# %% answer="modules" name="finds_all_words" loses="answers"
# Your `answer` runs `find` for every word that has weights. A question runs what it names.
def find(cells, weights, word):
    if word not in weights:
        raise ValueError(f"unknown word {word}")
    w, c = weights[word]
    return cr.sigmoid(cells @ w + c)


def move(attention, direction):
    r, c = attention.shape
    rows = np.eye(r, k=1)
    cols = np.eye(c, k=1)
    if direction == "above":
        return rows @ attention
    if direction == "below":
        return rows.T @ attention
    if direction == "left":
        return attention @ cols.T
    if direction == "right":
        return attention @ cols
    raise ValueError(f"no direction {direction}")


def answer(question, cells, weights):
    def look(part):
        name = part[0]
        if name == "find":
            return find(cells, weights, part[1])
        if name in ("above", "below", "left", "right"):
            return move(look(part[1]), name)
        if name == "and":
            return look(part[1]) * look(part[2])
        raise ValueError(f"no module {name}")

    if question[0] != "is":
        raise ValueError(question[0])
    for w in weights:
        if w != "is":
            find(cells, weights, w)
    s, t = weights["is"]
    return s * (look(question[1]) * look(question[2])).max() + t


# %% answer="modules" name="square_grids_only" loses="move answers"
# Your `move` takes the number of rows for the number of columns; a grid need not be square.
def find(cells, weights, word):
    if word not in weights:
        raise ValueError(f"unknown word {word}")
    w, c = weights[word]
    return cr.sigmoid(cells @ w + c)


def move(attention, direction):
    r, c = attention.shape
    rows = np.eye(r, k=1)
    cols = np.eye(r, k=1)
    if direction == "above":
        return rows @ attention
    if direction == "below":
        return rows.T @ attention
    if direction == "left":
        return attention @ cols.T
    if direction == "right":
        return attention @ cols
    raise ValueError(f"no direction {direction}")


def answer(question, cells, weights):
    def look(part):
        name = part[0]
        if name == "find":
            return find(cells, weights, part[1])
        if name in ("above", "below", "left", "right"):
            return move(look(part[1]), name)
        if name == "and":
            return look(part[1]) * look(part[2])
        raise ValueError(f"no module {name}")

    if question[0] != "is":
        raise ValueError(question[0])
    s, t = weights["is"]
    return s * (look(question[1]) * look(question[2])).max() + t


# %% answer="modules" name="maps_kept" loses="answers unknown"
# Your maps are kept from one call to the next, but the next call has other cells and other weights.
def find(cells, weights, word):
    if word not in weights:
        raise ValueError(f"unknown word {word}")
    w, c = weights[word]
    return cr.sigmoid(cells @ w + c)


def move(attention, direction):
    r, c = attention.shape
    rows = np.eye(r, k=1)
    cols = np.eye(c, k=1)
    if direction == "above":
        return rows @ attention
    if direction == "below":
        return rows.T @ attention
    if direction == "left":
        return attention @ cols.T
    if direction == "right":
        return attention @ cols
    raise ValueError(f"no direction {direction}")


CACHE = {}


def answer(question, cells, weights):
    def look(part):
        name = part[0]
        key = str(part)
        if key in CACHE:
            return CACHE[key]
        if name == "find":
            CACHE[key] = find(cells, weights, part[1])
            return find(cells, weights, part[1])
        if name in ("above", "below", "left", "right"):
            return move(look(part[1]), name)
        if name == "and":
            return look(part[1]) * look(part[2])
        raise ValueError(f"no module {name}")

    if question[0] != "is":
        raise ValueError(question[0])
    s, t = weights["is"]
    return s * (look(question[1]) * look(question[2])).max() + t


# %% answer="batching" name="equal_shapes_only" loses="calls shared deep"
# You batch trees of the same shape. Trees of different shapes have nodes in common, too: all "+" of
# one depth go into one call.
def batched(trees, leaf, join):
    """Trees of one shape together."""

    def shape(t):
        return (t[0], shape(t[1]), shape(t[2])) if isinstance(t, list) else 0

    def go(ts):
        if not isinstance(ts[0], list):
            return leaf(list(ts))
        return join(ts[0][0], go([t[1] for t in ts]), go([t[2] for t in ts]))

    groups = {}
    for i, t in enumerate(trees):
        groups.setdefault(shape(t), []).append(i)
    parts, where = [], []
    for g in groups.values():
        parts.append(go([trees[i] for i in g]))
        where += g
    return cr.concatenate(parts)[list(np.argsort(where))]


# %% answer="batching" name="calls_of_32_rows" loses="calls"
# Your calls have at most 32 rows; one call for each depth and operator takes all rows.
def batched(trees, leaf, join):
    depth, leaves, where, groups = {}, [], {}, {}
    slots = []  # per tree node operand

    def operand(t):
        if isinstance(t, list):
            return ("n", id(t))
        leaves.append(t)
        return ("l", len(leaves) - 1)

    kids = {}
    for tree in trees:
        stack = [tree]
        while stack:
            t = stack[-1]
            if not isinstance(t, list) or id(t) in depth:
                stack.pop()
                continue
            todo = [s for s in t[1:] if isinstance(s, list) and id(s) not in depth]
            if todo:
                stack += todo
                continue
            depth[id(t)] = 1 + max(depth[id(s)] if isinstance(s, list) else 0 for s in t[1:])
            kids[id(t)] = operand(t[1]), operand(t[2])
            groups.setdefault((depth[id(t)], t[0]), []).append(t)
            stack.pop()
    tops = [operand(t) for t in trees]
    rows = leaf(leaves)
    pos = {("l", i): i for i in range(len(leaves))}
    for d, op in sorted(groups):
        g = groups[d, op]
        l = [pos[kids[id(t)][0]] for t in g]
        r = [pos[kids[id(t)][1]] for t in g]
        base = rows.shape[0]
        for i, t in enumerate(g):
            pos["n", id(t)] = base + i
        rows = cr.concatenate(
            [rows]
            + [join(op, rows[l[i : i + 32]], rows[r[i : i + 32]]) for i in range(0, len(l), 32)],
            axis=0,
        )
    return rows[[pos[t] for t in tops]]


# %% answer="batching" name="equal_lists_merged" loses="calls shared deep"
# You compute equal lists once. What is computed once is one list *object* that stands in several
# places; and to write a tree down for a comparison, Python climbs it by recursion.
def batched(trees, leaf, join):
    depth, leaves, where, groups = {}, [], {}, {}
    slots = []  # per tree node operand

    def operand(t):
        if isinstance(t, list):
            return ("n", repr(t))
        leaves.append(t)
        return ("l", len(leaves) - 1)

    kids = {}
    for tree in trees:
        stack = [tree]
        while stack:
            t = stack[-1]
            if not isinstance(t, list) or repr(t) in depth:
                stack.pop()
                continue
            todo = [s for s in t[1:] if isinstance(s, list) and repr(s) not in depth]
            if todo:
                stack += todo
                continue
            depth[repr(t)] = 1 + max(depth[repr(s)] if isinstance(s, list) else 0 for s in t[1:])
            kids[repr(t)] = operand(t[1]), operand(t[2])
            groups.setdefault((depth[repr(t)], t[0]), []).append(t)
            stack.pop()
    tops = [operand(t) for t in trees]
    rows = leaf(leaves)
    pos = {("l", i): i for i in range(len(leaves))}
    for d, op in sorted(groups):
        g = groups[d, op]
        l = [pos[kids[repr(t)][0]] for t in g]
        r = [pos[kids[repr(t)][1]] for t in g]
        base = rows.shape[0]
        for i, t in enumerate(g):
            pos["n", repr(t)] = base + i
        rows = cr.concatenate([rows, join(op, rows[l], rows[r])], axis=0)
    return rows[[pos[t] for t in tops]]


# %% answer="batching" name="depths_added" loses="calls"
# Depth is 1 + the *larger* depth of the two sides, not their sum: nodes that could share a call do
# not.
def batched(trees, leaf, join):
    depth, leaves, where, groups = {}, [], {}, {}
    slots = []  # per tree node operand

    def operand(t):
        if isinstance(t, list):
            return ("n", id(t))
        leaves.append(t)
        return ("l", len(leaves) - 1)

    kids = {}
    for tree in trees:
        stack = [tree]
        while stack:
            t = stack[-1]
            if not isinstance(t, list) or id(t) in depth:
                stack.pop()
                continue
            todo = [s for s in t[1:] if isinstance(s, list) and id(s) not in depth]
            if todo:
                stack += todo
                continue
            depth[id(t)] = 1 + sum(depth[id(s)] if isinstance(s, list) else 0 for s in t[1:])
            kids[id(t)] = operand(t[1]), operand(t[2])
            groups.setdefault((depth[id(t)], t[0]), []).append(t)
            stack.pop()
    tops = [operand(t) for t in trees]
    rows = leaf(leaves)
    pos = {("l", i): i for i in range(len(leaves))}
    for d, op in sorted(groups):
        g = groups[d, op]
        l = [pos[kids[id(t)][0]] for t in g]
        r = [pos[kids[id(t)][1]] for t in g]
        base = rows.shape[0]
        for i, t in enumerate(g):
            pos["n", id(t)] = base + i
        rows = cr.concatenate([rows, join(op, rows[l], rows[r])], axis=0)
    return rows[[pos[t] for t in tops]]
