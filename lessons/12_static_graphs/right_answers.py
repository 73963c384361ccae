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


# %% answer="nodes" name="with_types"
def placeholder(dtype, shape, name=None):
    return Node("placeholder", shape=tuple(shape), dtype=dtype, name=name)


def constant(value, dtype=None, name=None):
    array = np.asarray(value)
    array = array.copy() if dtype is None else array.astype(dtype)
    return Node("constant", [], {"value": array}, array.shape, array.dtype, name)


def record(op, inputs, options):
    def lifted(x):
        return x if type(x) in (bool, int, float) or isinstance(x, Node) else constant(x)

    inputs = tuple(map(lifted, inputs))
    return Node(op.name, inputs, options, *kind(op, inputs, options))


# %% answer="nodes" name="constant_first"
def placeholder(dtype, shape, name=None):
    """Return a node whose value is fed when the graph runs."""
    return Node("placeholder", (), {}, shape, dtype, name)


def constant(value, dtype=None, name=None):
    """Return a node with a value that never changes."""
    value = np.array(value, dtype=dtype)
    return Node("constant", (), {"value": value}, value.shape, value.dtype, name)


def record(op, inputs, options):
    """Return the node of one call of the operation `op`; called when an operation meets a Node."""
    kept = Node, int, float
    nodes = list(inputs)
    for place, x in enumerate(nodes):
        if isinstance(x, np.ndarray | np.generic | list | tuple) or not isinstance(x, kept):
            nodes[place] = constant(x)
    shape, dtype = kind(op, nodes, options)
    return Node(op.name, nodes, options, shape, dtype)


# %% answer="session" name="recursive_generator_of_needs"
# Two lists instead of a stack of pairs: a node is written down once nothing that it needs is
# missing.
def in_order(targets, fed=()):
    waiting, users, stack = {}, {}, list(targets)
    while stack:
        node = stack.pop()
        if node in waiting:
            continue
        needs = set()
        if node not in fed:
            needs = {i for i in (*node.inputs, *node.after) if isinstance(i, Node)}
        waiting[node] = len(needs)
        for need in needs:
            users.setdefault(need, []).append(node)
            stack.append(need)
    ready = [node for node, count in waiting.items() if count == 0]
    order = []
    while ready:
        order.append(ready.pop())
        for user in users.get(order[-1], ()):
            waiting[user] -= 1
            if waiting[user] == 0:
                ready.append(user)
    return order


def replaced(fetches, by):
    """Return fetches with by(node) in the place of every node."""
    if isinstance(fetches, Node):
        return by(fetches)
    if isinstance(fetches, dict):
        return {key: replaced(value, by) for key, value in fetches.items()}
    if isinstance(fetches, list | tuple):
        return type(fetches)(replaced(value, by) for value in fetches)
    raise TypeError(f"{fetches!r} cannot be fetched: it is no node of a graph")


def checked(node, value):
    """Return a feed as an array of the node's dtype; ValueError if the shape is another."""
    if not isinstance(node, Node):
        raise TypeError(f"{node!r} cannot be fed: it is no node of a graph")
    value = np.asarray(value, dtype=node.dtype)
    if value.shape != node.shape:
        raise ValueError(f"cannot feed shape {value.shape} to {node.name!r} of shape {node.shape}")
    return value


class Session:
    """Runs graphs, and keeps the values of their variables."""

    def __init__(self, seed=0):
        self.values = {}  # variable -> array
        self.rng = np.random.default_rng(seed)

    def run(self, fetches, feed_dict=None):
        """Return the values of the fetched nodes, in the structure of `fetches`."""
        self.before = self.values.copy()
        targets = []
        replaced(fetches, targets.append)
        values = {node: checked(node, value) for node, value in (feed_dict or {}).items()}
        order = in_order(targets, values)
        for node in order:
            if node.op == "placeholder" and node not in values:
                raise ValueError(f"you must feed a value for placeholder {node.name!r}")
        for node in order:
            if node not in values:
                inputs = [values[i] if isinstance(i, Node) else i for i in node.inputs]
                values[node] = compute(self, node, inputs)
        return replaced(fetches, lambda node: np.array(values[node])[()])

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.values.clear()


# %% answer="session" name="graphlib"
def in_order(targets, fed=()):
    from graphlib import TopologicalSorter

    needs, stack = {}, list(targets)
    while stack:
        node = stack.pop()
        if node in needs:
            continue
        needs[node] = set()
        if node not in fed:
            needs[node] = {i for i in (*node.inputs, *node.after) if isinstance(i, Node)}
            stack.extend(needs[node])
    return list(TopologicalSorter(needs).static_order())


def replaced(fetches, by):
    """Return fetches with by(node) in the place of every node."""
    if isinstance(fetches, Node):
        return by(fetches)
    if isinstance(fetches, dict):
        return {key: replaced(value, by) for key, value in fetches.items()}
    if isinstance(fetches, list | tuple):
        return type(fetches)(replaced(value, by) for value in fetches)
    raise TypeError(f"{fetches!r} cannot be fetched: it is no node of a graph")


def checked(node, value):
    """Return a feed as an array of the node's dtype; ValueError if the shape is another."""
    if not isinstance(node, Node):
        raise TypeError(f"{node!r} cannot be fed: it is no node of a graph")
    value = np.asarray(value, dtype=node.dtype)
    if value.shape != node.shape:
        raise ValueError(f"cannot feed shape {value.shape} to {node.name!r} of shape {node.shape}")
    return value


class Session:
    """Runs graphs, and keeps the values of their variables."""

    def __init__(self, seed=0):
        self.values = {}  # variable -> array
        self.rng = np.random.default_rng(seed)

    def run(self, fetches, feed_dict=None):
        """Return the values of the fetched nodes, in the structure of `fetches`."""
        self.before = self.values.copy()
        targets = []
        replaced(fetches, targets.append)
        values = {node: checked(node, value) for node, value in (feed_dict or {}).items()}
        order = in_order(targets, values)
        for node in order:
            if node.op == "placeholder" and node not in values:
                raise ValueError(f"you must feed a value for placeholder {node.name!r}")
        for node in order:
            if node not in values:
                inputs = [values[i] if isinstance(i, Node) else i for i in node.inputs]
                values[node] = compute(self, node, inputs)
        return replaced(fetches, lambda node: np.array(values[node])[()])

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.values.clear()


# %% answer="session" name="iterators_on_the_stack"
def in_order(targets, fed=()):
    def needs(node):
        if node in fed:
            return iter(())
        return (i for i in node.inputs + node.after if isinstance(i, Node))

    order, entered = [], set()
    for target in targets:
        if target in entered:
            continue
        entered.add(target)
        path = [(target, needs(target))]
        while path:
            node, rest = path[-1]
            for need in rest:
                if need not in entered:
                    entered.add(need)
                    path.append((need, needs(need)))
                    break
            else:
                order.append(node)
                path.pop()
    return order


def replaced(fetches, by):
    """Return fetches with by(node) in the place of every node."""
    if isinstance(fetches, Node):
        return by(fetches)
    if isinstance(fetches, dict):
        return {key: replaced(value, by) for key, value in fetches.items()}
    if isinstance(fetches, list | tuple):
        return type(fetches)(replaced(value, by) for value in fetches)
    raise TypeError(f"{fetches!r} cannot be fetched: it is no node of a graph")


def checked(node, value):
    """Return a feed as an array of the node's dtype; ValueError if the shape is another."""
    if not isinstance(node, Node):
        raise TypeError(f"{node!r} cannot be fed: it is no node of a graph")
    value = np.asarray(value, dtype=node.dtype)
    if value.shape != node.shape:
        raise ValueError(f"cannot feed shape {value.shape} to {node.name!r} of shape {node.shape}")
    return value


class Session:
    """Runs graphs, and keeps the values of their variables."""

    def __init__(self, seed=0):
        self.values = {}  # variable -> array
        self.rng = np.random.default_rng(seed)

    def run(self, fetches, feed_dict=None):
        """Return the values of the fetched nodes, in the structure of `fetches`."""
        self.before = self.values.copy()
        targets = []
        replaced(fetches, targets.append)
        values = {}
        if feed_dict is not None:
            for node in feed_dict:
                values[node] = checked(node, feed_dict[node])
        order = in_order(targets, values)
        for node in order:
            if node.op == "placeholder" and node not in values:
                raise ValueError(f"you must feed a value for placeholder {node.name!r}")
        for node in order:
            if node not in values:
                inputs = [values[i] if isinstance(i, Node) else i for i in node.inputs]
                values[node] = compute(self, node, inputs)
        return replaced(fetches, lambda node: np.array(values[node])[()])

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.values.clear()


# %% answer="gradients" name="sums_at_its_turn"
def gradients(ys, xs):
    ys = list(ys) if isinstance(ys, list | tuple) else [ys]
    parts = {}
    for y in ys:
        parts.setdefault(y, []).append(cr.expand(constant(1.0, y.dtype), shape=y.shape))
    total = {}
    for node in in_order(ys)[::-1]:
        if node not in parts:
            continue
        first, *rest = parts[node]
        for more in rest:
            first = first + more
        total[node] = first
        rules = TABLE[node.op].rules if node.op in TABLE else []
        for i, rule in enumerate(rules):
            source = node.inputs[i]
            if isinstance(source, Node) and rule:
                g = rule(first, node, *node.inputs, **node.options)
                if g.shape != source.shape:
                    g = cr.unbroadcast(g, shape=source.shape)
                parts.setdefault(source, []).append(g)
    return [total[x] if x in total else None for x in xs]


# %% answer="gradients" name="only_what_leads_to_xs"
def gradients(ys, xs):
    ys = [ys] if isinstance(ys, Node) else ys
    order = in_order(ys)
    leading = set(xs)
    for node in order:
        if any(i in leading for i in node.inputs if isinstance(i, Node)):
            leading.add(node)
    arrived = dict.fromkeys(order)

    def add(node, g):
        arrived[node] = g if arrived[node] is None else g + arrived[node]

    for y in ys:
        add(y, cr.expand(constant(1.0, y.dtype), shape=y.shape))
    while order:
        node = order.pop()
        g = arrived[node]
        if g is None or node.op not in TABLE or node not in leading:
            continue
        for source, rule in zip(node.inputs, TABLE[node.op].rules, strict=True):
            if isinstance(source, Node) and source in leading and rule is not None:
                back = rule(g, node, *node.inputs, **node.options)
                add(source, cr.unbroadcast(back, shape=source.shape))
    return [arrived.get(x) for x in xs]


# %% answer="variables" name="one_kernel"
class Variable(Node):
    def __init__(self, initial_value, name="Variable", trainable=True):
        if not isinstance(initial_value, Node):
            initial_value = constant(initial_value)
        super().__init__(
            "variable", shape=initial_value.shape, dtype=initial_value.dtype, name=name
        )
        self.trainable = trainable
        GRAPHS[-1].variables.append(self)
        self.initializer = self.assign(initial_value)

    def assign(self, value):
        return changing(self, value, lambda old, new: new)

    def assign_add(self, value):
        return changing(self, value, np.add)

    def assign_sub(self, value):
        return changing(self, value, np.subtract)

    def read_value(self):
        return Node("read", (), {"of": self}, self.shape, self.dtype)


def changing(variable, value, rule):
    if not isinstance(value, Node):
        value = constant(value, variable.dtype)
    if tuple(value.shape) != tuple(variable.shape):
        raise ValueError(f"the value for {variable.name} has shape {value.shape}")
    options = {"of": variable, "rule": rule}
    return Node("change", (value,), options, variable.shape, variable.dtype)


def read(session, node):
    variable = node.options["of"]
    try:
        return session.values[variable]
    except KeyError:
        raise RuntimeError(f"{variable.name} was not initialized") from None


def changed(session, node, value):
    first = node.options["rule"] not in (np.add, np.subtract)
    old = None if first else read(session, node)
    new = np.array(node.options["rule"](old, value)).astype(node.dtype)
    session.values[node.options["of"]] = new
    return new


def remembered(session, node):
    if node in session.before:
        return session.before[node]
    raise RuntimeError(f"{node.name} was not initialized")


KERNELS.update(change=changed, read=read, variable=remembered, group=lambda session, node: None)


@contextmanager
def control_dependencies(nodes):
    nodes = list(nodes)
    waiting = GRAPHS[-1].waiting
    waiting.extend(nodes)
    try:
        yield
    finally:
        del waiting[len(waiting) - len(nodes) :]


def group(*nodes):
    node = Node("group")
    node.after = (*node.after, *nodes)
    return node


def global_variables_initializer():
    return group(*[v.initializer for v in GRAPHS[-1].variables])


# %% answer="variables" name="kernels_in_closures"
class Variable(Node):
    """A node whose value lives in the session and changes only when an assigning node runs."""

    def __init__(self, initial_value, name="Variable", trainable=True):
        initial = initial_value if isinstance(initial_value, Node) else constant(initial_value)
        super().__init__("variable", (), {}, initial.shape, initial.dtype, name)
        self.trainable = trainable
        self.initializer = self.assign(initial)
        GRAPHS[-1].variables.append(self)

    def change(self, op, value):
        """Return a node that changes this variable; ValueError if the shape is another."""
        value = value if isinstance(value, Node) else constant(value)
        if value.shape != self.shape:
            raise ValueError(f"{op}: {self.name!r} has shape {self.shape}, the value {value.shape}")
        return Node(op, (value,), {"variable": self}, self.shape, self.dtype)

    def assign(self, value):
        """Return a node that sets the variable to a value."""
        return self.change("assign", value)

    def assign_add(self, value):
        """Return a node that adds a value to the variable."""
        return self.change("assign_add", value)

    def assign_sub(self, value):
        """Return a node that subtracts a value from the variable."""
        return self.change("assign_sub", value)

    def read_value(self):
        """Return a node with the variable's value at its own turn."""
        return Node("read", (), {"variable": self}, self.shape, self.dtype)


# The kernels of your new ops stand here: KERNELS["variable"] = ...
def looked_up(values, variable):
    """Return the value of a variable; RuntimeError if it has none."""
    if variable not in values:
        raise RuntimeError(f"variable {variable.name!r} has no value: run its initializer first")
    return values[variable]


def combined(sign):
    """Return the kernel that adds sign times a value to a variable."""

    def kernel(session, node, value):
        return stored(session, node, current(session, node) + sign * value)

    return kernel


def stored(session, node, value):
    """Put a copy of a value into the session, for the variable of an assigning node."""
    session.values[node.options["variable"]] = value = np.array(value, dtype=node.dtype)
    return value


def current(session, node):
    """Return the value, at this moment, of the variable that a node belongs to."""
    return looked_up(session.values, node.options["variable"])


KERNELS["variable"] = lambda session, node: looked_up(session.before, node)
KERNELS["read"] = current
KERNELS["assign"] = stored
KERNELS["assign_add"] = combined(1)
KERNELS["assign_sub"] = combined(-1)
KERNELS["group"] = lambda session, node: None


@contextmanager
def control_dependencies(nodes):
    """Make every node made inside the block run after these."""
    graph = GRAPHS[-1]
    before, graph.waiting = graph.waiting, [*graph.waiting, *nodes]
    try:
        yield
    finally:
        graph.waiting = before


def group(*nodes):
    """Return a node without a value that runs all of these."""
    with control_dependencies(nodes):
        return Node("group")


def global_variables_initializer():
    """Return a node that gives every variable of the graph its initial value."""
    return group(*(variable.initializer for variable in GRAPHS[-1].variables))


# %% answer="variables" name="add_by_read"
# `assign_add` is an `assign` of what `read_value` gives.
class Variable(Node):
    def __init__(self, initial_value, name="Variable", trainable=True):
        initial = initial_value if isinstance(initial_value, Node) else constant(initial_value)
        super().__init__("variable", (), {}, initial.shape, initial.dtype, name)
        self.trainable = trainable
        GRAPHS[-1].variables.append(self)
        self.initializer = self.assign(initial)

    def _node(self, op, value):
        value = value if isinstance(value, Node) else constant(value, self.dtype)
        if value.shape != self.shape:
            raise ValueError(f"{self.name}: {value.shape} for {self.shape}")
        return Node(op, (value,), {"variable": self}, self.shape, self.dtype)

    def assign(self, value):
        return self._node("assign", value)

    def assign_add(self, value):
        value = value if isinstance(value, Node) else constant(value, self.dtype)
        if value.shape != self.shape:
            raise ValueError(self.name)
        with control_dependencies([value]):
            now = self.read_value()
        return self._node("assign", now + value)

    def assign_sub(self, value):
        return self._node("assign_sub", value)

    def read_value(self):
        return Node("read", (), {"variable": self}, self.shape, self.dtype)


def _get(where, variable):
    if variable not in where:
        raise RuntimeError(f"{variable.name} has no value yet")
    return where[variable]


def _assigning(combine):
    def kernel(session, node, value):
        v = node.options["variable"]
        old = _get(session.values, v) if combine else None
        new = combine(old, value) if combine else value
        session.values[v] = np.array(new, dtype=v.dtype)
        return session.values[v]

    return kernel


KERNELS["variable"] = lambda session, node: _get(session.before, node)
KERNELS["read"] = lambda session, node: _get(session.values, node.options["variable"])
KERNELS["assign"] = _assigning(None)
KERNELS["assign_add"] = _assigning(lambda a, b: a + b)
KERNELS["assign_sub"] = _assigning(lambda a, b: a - b)
KERNELS["group"] = lambda session, node: None


@contextmanager
def control_dependencies(nodes):
    graph = GRAPHS[-1]
    kept = graph.waiting
    graph.waiting = [*kept, *nodes]
    try:
        yield
    finally:
        graph.waiting = kept


def group(*nodes):
    node = Node("group")
    node.after = (*node.after, *nodes)
    return node


def global_variables_initializer():
    return group(*(v.initializer for v in GRAPHS[-1].variables))


# %% answer="resident" name="feeds_the_start"
def train_resident(x, y, w1, w2, lr, steps, session):
    """Train the two-layer net with weights that stay in the session; return losses, w1, w2."""
    with Graph().as_default():
        weights = [Variable(np.array(w)) for w in (w1, w2)]
        loss = cr.sum((cr.relu(constant(x) @ weights[0]) @ weights[1] - y) ** 2)
        slopes = gradients(loss, weights)
        updates = group(*(w.assign(w - lr * g) for w, g in zip(weights, slopes, strict=True)))
        init = global_variables_initializer()
    session.run([init])
    losses = []
    while len(losses) < steps:
        losses.append(float(session.run({"loss": loss, "updates": updates})["loss"]))
    return losses, *session.run(weights)


def bytes_per_step(n, d_in, h, d_out, itemsize):
    """Return the bytes copied in a step: weights fed, weights as variables, everything resident."""
    data, weights = n * (d_in + d_out), h * (d_in + d_out)
    return (data + 2 * weights + 1) * itemsize, (data + 1) * itemsize, itemsize


# %% answer="resident" name="last_node_waits"
# The loss itself waits for the updates: a copy of it that is made behind them is fetched alone.
def train_resident(x, y, w1, w2, lr, steps, session):
    with Graph().as_default():
        x, y, first, second = constant(x), constant(y), Variable(w1), Variable(w2)
        loss = ((cr.maximum(x @ first, 0) @ second - y) ** 2).sum()
        g1, g2 = gradients(loss, [first, second])
        with control_dependencies([first.assign(first - g1 * lr), second.assign(second - g2 * lr)]):
            told = loss * 1.0
        starts = [first.initializer, second.initializer]
        start = group(*starts)
    session.run(start)
    losses = []
    for _ in range(steps):
        losses.append(float(session.run(told)))
    trained = session.run((first, second))
    return losses, trained[0], trained[1]


def bytes_per_step(n, d_in, h, d_out, itemsize):
    x, y, w1, w2 = n * d_in, n * d_out, d_in * h, h * d_out
    numbers = x + y + w1 + w2 + 1 + w1 + w2, x + y + 1, 1
    return tuple(count * itemsize for count in numbers)


# %% answer="optimizer" name="assign_the_difference"
def random_normal(shape, mean=0.0, stddev=1.0, dtype="float32", name=None):
    """Return a node with new normal random numbers in each run."""
    return Node("random_normal", (), {"how": (mean, stddev, tuple(shape))}, shape, dtype, name)


# The kernel of your new op stands here: KERNELS[...] = ...
def drawn(session, node):
    """Return the numbers of a random node, from the session's generator."""
    numbers = session.rng.normal(*node.options["how"])
    return np.asarray(numbers, dtype=node.dtype)


KERNELS["random_normal"] = drawn


class GradientDescentOptimizer:
    """Makes the nodes that move variables down a loss."""

    def __init__(self, learning_rate):
        self.learning_rate = learning_rate

    def compute_gradients(self, loss, var_list=None):
        """Return (gradient, variable) for these variables, or for all trainable ones."""
        if var_list is None:
            var_list = [v for v in GRAPHS[-1].variables if v.trainable]
        return list(zip(gradients(loss, var_list), var_list, strict=True))

    def apply_gradients(self, pairs):
        """Return a node that moves the variables by -learning_rate times their gradients."""
        updates = [v.assign(v - self.learning_rate * g) for g, v in pairs if g is not None]
        if not updates:
            raise ValueError("no variable has a gradient: the loss depends on none of them")
        return group(*updates)

    def minimize(self, loss, var_list=None):
        """Return a node that makes one step of gradient descent."""
        return self.apply_gradients(self.compute_gradients(loss, var_list))


# %% answer="optimizer" name="standard_and_scaled"
def random_normal(shape, mean=0.0, stddev=1.0, dtype="float32", name=None):
    def draw(rng):
        return np.asarray(mean + stddev * rng.standard_normal(tuple(shape))).astype(dtype)

    return Node("random_normal", (), {"draw": draw}, shape, dtype, name)


KERNELS["random_normal"] = lambda session, node: node.options["draw"](session.rng)


class GradientDescentOptimizer:
    def __init__(self, learning_rate):
        self.rate = learning_rate

    def compute_gradients(self, loss, var_list=None):
        chosen = filter(lambda v: v.trainable, GRAPHS[-1].variables)
        chosen = list(chosen if var_list is None else var_list)
        return [(g, v) for g, v in zip(gradients(loss, chosen), chosen)]

    def apply_gradients(self, pairs):
        moves = []
        for g, v in pairs:
            if g is None:
                continue
            moves.append(v.assign_add(-(self.rate * g)))
        if moves:
            with control_dependencies(moves):
                return group()
        raise ValueError("nothing to move")

    def minimize(self, loss, var_list=None):
        pairs = self.compute_gradients(loss, var_list=var_list)
        return self.apply_gradients(pairs)


# %% answer="theano" name="updates_as_dependencies"
def function(inputs, outputs, updates=(), session=None):
    if session is None:
        session = Session()
    assigned = [variable.assign(new) for variable, new in dict(updates).items()]
    with control_dependencies(assigned):
        done = Node("group")

    def f(*values):
        if len(inputs) != len(values):
            raise TypeError(f"f takes {len(inputs)} values")
        feeds = dict(zip(inputs, values))
        if outputs is None:
            session.run(done, feeds)
            return None
        return session.run({"outputs": outputs, "updates": done}, feeds)["outputs"]

    return f


# %% answer="theano" name="class_with_call"
class function:
    def __init__(self, inputs, outputs, updates=(), session=None):
        self.inputs, self.outputs = list(inputs), outputs
        self.session = Session() if session is None else session
        if isinstance(updates, dict):
            updates = list(updates.items())
        self.assigned = tuple(v.assign(new) for v, new in updates)

    def __call__(self, *values):
        feeds = dict(zip(self.inputs, values))
        if len(values) != len(self.inputs):
            raise TypeError("a wrong number of values")
        wanted = () if self.outputs is None else self.outputs
        out = self.session.run((wanted, self.assigned), feeds)[0]
        return out if self.outputs is not None else None


# %% answer="dense" name="prefix_kept_in_the_graph"
@contextmanager
def variable_scope(name, reuse=None):
    graph = GRAPHS[-1]
    prefix, inherited = graph.scopes[-1] if graph.scopes else ("", False)
    graph.scopes = [*graph.scopes, (prefix + name + "/", inherited or bool(reuse))]
    try:
        yield
    finally:
        graph.scopes = graph.scopes[:-1]


def get_variable(name, shape=None, dtype="float32", initializer=None):
    graph = GRAPHS[-1]
    prefix, reuse = graph.scopes[-1] if graph.scopes else ("", False)
    name = prefix + name
    if reuse != (name in graph.shared):
        raise ValueError(f"{name} is {'missing' if reuse else 'taken'}")
    if not reuse:
        graph.shared[name] = Variable(initializer(shape, dtype), name=name)
    variable = graph.shared[name]
    if reuse and shape is not None and list(shape) != list(variable.shape):
        raise ValueError(f"{name} has another shape, {variable.shape}")
    return variable


def dense(tf, x, units, kernel_initializer, activation=None, name="dense", reuse=None):
    with tf.variable_scope(name, reuse):
        inputs = int(x.shape[-1])
        kernel = tf.get_variable(
            "kernel", shape=[inputs, units], dtype=x.dtype, initializer=kernel_initializer
        )
        bias = tf.get_variable(
            "bias", shape=[units], dtype=x.dtype, initializer=tf.zeros_initializer()
        )
        result = x @ kernel + bias
        if activation:
            result = activation(result)
        return result


# %% answer="dense" name="class_scope"
class variable_scope:
    def __init__(self, name, reuse=None):
        self.entry = name, reuse

    def __enter__(self):
        self.graph = GRAPHS[-1]
        self.graph.scopes.append(self.entry)

    def __exit__(self, *exception):
        del self.graph.scopes[-1]


def get_variable(name, shape=None, dtype="float32", initializer=None):
    graph = GRAPHS[-1]
    for scope, _reuse in reversed(graph.scopes):
        name = f"{scope}/{name}"
    known = graph.shared
    if True in [bool(reuse) for _scope, reuse in graph.scopes]:
        if name not in known or (shape is not None and known[name].shape != (*shape,)):
            raise ValueError(f"nothing to reuse under {name} with shape {shape}")
    elif name in known:
        raise ValueError(name + " exists already")
    else:
        known[name] = Variable(initializer(shape, dtype), name)
    return known[name]


def dense(tf, x, units, kernel_initializer, activation=None, name="dense", reuse=None):
    with tf.variable_scope(name, reuse=reuse):
        kernel = tf.get_variable("kernel", (x.shape[-1], units), x.dtype, kernel_initializer)
        bias = tf.get_variable("bias", (units,), x.dtype, tf.zeros_initializer())
        linear = tf.matmul(x, kernel) + bias
        return linear if not activation else activation(linear)


# %% answer="same_source" name="gradients_by_hand"
def train(tf, x, y, w1, w2, lr, steps):
    """Train the two-layer net in the framework `tf`; return the losses before each update."""
    with tf.Graph().as_default():
        inputs = tf.placeholder(tf.float64, x.shape, name="x")
        targets = tf.placeholder(tf.float64, y.shape, name="y")
        h = dense(tf, inputs, w1.shape[1], tf.constant_initializer(w1), tf.nn.relu, "hidden")
        pred = dense(tf, h, w2.shape[1], tf.constant_initializer(w2), name="out")
        loss = tf.reduce_mean(tf.reduce_sum((pred - targets) ** 2, axis=1))
        rate = tf.constant(lr, tf.float64)
        optimizer = tf.train.GradientDescentOptimizer(learning_rate=rate)
        step = optimizer.apply_gradients(optimizer.compute_gradients(loss))
        init = tf.global_variables_initializer()
        with tf.Session() as session:
            session.run(init)
            feeds = {inputs: x, targets: y}
            losses = []
            for _ in range(steps):
                value, _none = session.run((loss, step), feed_dict=feeds)
                losses.append(float(value))
            return losses


# %% answer="same_source" name="other_spellings"
def train(tf, x, y, w1, w2, lr, steps):
    graph = tf.Graph()
    with graph.as_default():
        holes = [tf.placeholder(tf.float64, array.shape) for array in (x, y)]
        net = holes[0]
        layers = [("hidden", w1, tf.nn.relu), ("out", w2, None)]
        for name, start, activation in layers:
            initial = tf.constant_initializer(start)
            net = dense(tf, net, start.shape[1], initial, activation=activation, name=name)
        far = net - holes[1]
        loss = tf.reduce_mean(tf.reduce_sum(tf.square(far), axis=1))
        rate = tf.constant(lr, tf.float64)
        train_op = tf.train.GradientDescentOptimizer(rate).minimize(loss)
        start = tf.global_variables_initializer()
        session = tf.Session()
    session.run(start)
    losses = []
    for _step in range(steps):
        got = session.run({"loss": loss, "train": train_op}, dict(zip(holes, (x, y))))
        losses.append(float(got["loss"]))
    return losses


# %% [markdown]
# Mutants of the solution that are no mistakes.

# %% equivalent="gradients" mutant="gradients.L10.drop_keyword.1"
# The table has a rule, or None, for each input, so `strict` changes nothing.

# %% equivalent="gradients" mutant="gradients.L10.flip.1"
# The table has a rule, or None, for each input, so `strict` changes nothing.


# %% answer="gradients" name="only_towards_xs"
# Gradients go only where an x can be reached.
def gradients(ys, xs):
    if isinstance(ys, Node):
        ys = [ys]
    arrived = {}
    useful, wanted = set(), set(xs)
    for n in in_order(ys):
        if n in wanted or any(i in useful for i in n.inputs if isinstance(i, Node)):
            useful.add(n)

    def deposit(node, g):
        arrived[node] = arrived[node] + g if node in arrived else g

    for y in ys:
        deposit(y, cr.expand(constant(1.0, y.dtype), shape=y.shape))
    for node in reversed(in_order(ys)):
        if node not in arrived or node.op not in TABLE:
            continue
        on = True
        for i, rule in zip(node.inputs, TABLE[node.op].rules):
            if isinstance(i, Node) and i in useful and rule is not None:
                g = rule(arrived[node], node, *node.inputs, **node.options)
                if g.shape != i.shape:
                    g = cr.unbroadcast(g, shape=i.shape)
                deposit(i, g)
    return [arrived.get(x) for x in xs]


# %% equivalent="resident" mutant="resident.L3.swap_operands.2"
# A difference is squared, so its sign does not matter.

# %% equivalent="resident" mutant="resident.L5.drop_keyword.1"
# There are two weights and two gradients, so `strict` changes nothing.

# %% equivalent="resident" mutant="resident.L8.drop_call.1"
# A NumPy number is as good as a Python float; the task says numbers.


# %% answer="resident" name="loss_waits_for_the_step"
# The loss that is fetched waits for the updates, so one fetch does both.
def train_resident(x, y, w1, w2, lr, steps, session):
    with Graph().as_default():
        a, b = Variable(w1), Variable(w2)
        loss = cr.sum((cr.relu(constant(x) @ a) @ b - constant(y)) ** 2)
        g = gradients(loss, [a, b])
        step = group(a.assign_sub(lr * g[0]), b.assign_sub(lr * g[1]))
        with control_dependencies([step]):
            loss_out = loss * 1.0
        init = global_variables_initializer()
    session.run(init)
    losses = [float(session.run(loss_out)) for _ in range(steps)]
    return losses, *session.run([a, b])


def bytes_per_step(n, d_in, h, d_out, itemsize):
    data = n * d_in + n * d_out
    weights = d_in * h + h * d_out
    return (data + 2 * weights + 1) * itemsize, (data + 1) * itemsize, itemsize


# %% equivalent="optimizer" mutant="optimizer.L20.drop_keyword.1"
# `gradients` gives one for each variable, so `strict` changes nothing.

# %% equivalent="optimizer" mutant="optimizer.L20.flip.1"
# `gradients` gives one for each variable, so `strict` changes nothing.

# %% equivalent="theano" mutant="theano.L9.drop_keyword.1"
# The lengths were compared before, so `strict` changes nothing.

# %% equivalent="theano" mutant="theano.L9.flip.1"
# The lengths were compared before, so `strict` changes nothing.

# %% equivalent="dense" mutant="dense.L27.drop_call.1"
# The last length is a whole number already; TensorFlow 1 had a Dimension there.


# %% answer="dense" name="scope_is_a_class"
# The scope is a class with __enter__ and __exit__.
class variable_scope:
    def __init__(self, name, reuse=None):
        self.entry = (name, reuse)

    def __enter__(self):
        self.scopes = GRAPHS[-1].scopes
        self.scopes.append(self.entry)
        return self

    def __exit__(self, *_):
        self.scopes.pop()


def get_variable(name, shape=None, dtype="float32", initializer=None):
    graph = GRAPHS[-1]
    full = "/".join([n for n, _ in graph.scopes] + [name])
    if any(r for _, r in graph.scopes):
        if full not in graph.shared:
            raise ValueError(f"no {full}")
        v = graph.shared[full]
        if shape is not None and tuple(shape) != v.shape:
            raise ValueError(f"{full} has another shape")
        return v
    if full in graph.shared:
        raise ValueError(f"{full} is taken")
    v = Variable(initializer(shape, dtype), name=full)
    graph.shared[full] = v
    return v


def dense(tf, x, units, kernel_initializer, activation=None, name="dense", reuse=None):
    with tf.variable_scope(name, reuse=reuse):
        k = tf.get_variable("kernel", (int(x.shape[-1]), units), x.dtype, kernel_initializer)
        b = tf.get_variable("bias", (units,), x.dtype, tf.zeros_initializer())
    out = tf.matmul(x, k) + b
    return out if activation is None else activation(out)


# %% equivalent="same_source" mutant="same_source.L2.drop_keyword.1"
# The name of a placeholder is a help for the reader of errors.

# %% equivalent="same_source" mutant="same_source.L3.drop_keyword.1"
# The name of a placeholder is a help for the reader of errors.

# %% equivalent="same_source" mutant="same_source.L6.swap_operands.2"
# A difference is squared, so its sign does not matter.

# %% equivalent="same_source" mutant="same_source.L13.drop_call.1"
# A NumPy number is as good as a Python float; the task says numbers.
