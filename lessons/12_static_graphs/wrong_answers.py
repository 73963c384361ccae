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
# ## nodes


# %% answer="nodes" name="computes_on_the_way" loses="nothing_computed"
# While the graph is built, your `record` computes something with arrays. Shape and dtype come from
# `kind`, which looks at shapes only.
def placeholder(dtype, shape, name=None):
    return Node("placeholder", (), {}, shape, dtype, name)


def constant(value, dtype=None, name=None):
    value = np.array(value, dtype=dtype)
    return Node("constant", (), {"value": value}, value.shape, value.dtype, name)


def record(op, inputs, options):
    nodes = [x if isinstance(x, Node | int | float) else constant(x) for x in inputs]
    arrays = [np.ones(x.shape, x.dtype) if isinstance(x, Node) else x for x in nodes]
    result = op.forward(*arrays, **options)
    return Node(op.name, nodes, options, result.shape, result.dtype)


# %% answer="nodes" name="constant_is_a_view" loses="copies"
# A constant of yours shares its memory with the array that it was made from. When that array
# changes, the graph changes. `np.array` copies, `np.asarray` does not.
def placeholder(dtype, shape, name=None):
    """Return a node whose value is fed when the graph runs."""
    return Node("placeholder", (), {}, shape, dtype, name)


def constant(value, dtype=None, name=None):
    """Return a node with a value that never changes."""
    value = np.asarray(value, dtype=dtype)
    return Node("constant", (), {"value": value}, value.shape, value.dtype, name)


def record(op, inputs, options):
    """Return the node of one call of the operation `op`; called when an operation meets a Node."""
    kept = Node, int, float
    nodes = []
    for x in inputs:
        plain = isinstance(x, kept) and not isinstance(x, np.generic)
        nodes.append(x if plain else constant(x))
    shape, dtype = kind(op, nodes, options)
    return Node(op.name, nodes, options, shape, dtype)


# %% answer="nodes" name="numpy_numbers_kept" loses="operations"
# A NumPy number such as `np.float64(2)` stays as it is in the inputs of your node. It is an
# instance of `float`, but no plain Python number: it becomes a constant.
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
    nodes = []
    for x in inputs:
        plain = isinstance(x, (Node, int, float, np.generic))
        nodes.append(x if plain else constant(x))
    shape, dtype = kind(op, nodes, options)
    return Node(op.name, nodes, options, shape, dtype)


# %% answer="nodes" name="everything_a_constant" loses="operations nothing_computed"
# A Python number among the inputs becomes a constant node in your graph. Plain `int`, `float` and
# `bool` stay what they are.
def placeholder(dtype, shape, name=None):
    """Return a node whose value is fed when the graph runs."""
    return Node("placeholder", (), {}, shape, dtype, name)


def constant(value, dtype=None, name=None):
    """Return a node with a value that never changes."""
    value = np.array(value, dtype=dtype)
    return Node("constant", (), {"value": value}, value.shape, value.dtype, name)


def record(op, inputs, options):
    """Return the node of one call of the operation `op`; called when an operation meets a Node."""
    kept = (Node,)
    nodes = []
    for x in inputs:
        plain = isinstance(x, kept) and not isinstance(x, np.generic)
        nodes.append(x if plain else constant(x))
    shape, dtype = kind(op, nodes, options)
    return Node(op.name, nodes, options, shape, dtype)


# %% answer="nodes" name="options_lost" loses="operations"
# The options of a call, its axis for example, are not in your node.
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
    nodes = []
    for x in inputs:
        plain = isinstance(x, kept) and not isinstance(x, np.generic)
        nodes.append(x if plain else constant(x))
    shape, dtype = kind(op, nodes, options)
    return Node(op.name, nodes, {}, shape, dtype)


# %% answer="nodes" name="entry_instead_of_name" loses="operations nothing_computed"
# The op of your node is the entry of the table itself. It should be its name, a text.
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
    nodes = []
    for x in inputs:
        plain = isinstance(x, kept) and not isinstance(x, np.generic)
        nodes.append(x if plain else constant(x))
    shape, dtype = kind(op, nodes, options)
    return Node(op, nodes, options, shape, dtype)


# %% answer="nodes" name="arrays_left_in" loses="operations copies"
# An array among the inputs stays an array in your node. It becomes a constant node.
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
    nodes = []
    for x in inputs:
        plain = isinstance(x, kept) and not isinstance(x, np.generic)
        nodes.append(x)
    shape, dtype = kind(op, nodes, options)
    return Node(op.name, nodes, options, shape, dtype)


# %% answer="nodes" name="dtype_ignored" loses="sources"
# `constant(value, dtype)` does not look at the dtype that it is given.
def placeholder(dtype, shape, name=None):
    """Return a node whose value is fed when the graph runs."""
    return Node("placeholder", (), {}, shape, dtype, name)


def constant(value, dtype=None, name=None):
    """Return a node with a value that never changes."""
    value = np.array(value)
    return Node("constant", (), {"value": value}, value.shape, value.dtype, name)


def record(op, inputs, options):
    """Return the node of one call of the operation `op`; called when an operation meets a Node."""
    kept = Node, int, float
    nodes = []
    for x in inputs:
        plain = isinstance(x, kept) and not isinstance(x, np.generic)
        nodes.append(x if plain else constant(x))
    shape, dtype = kind(op, nodes, options)
    return Node(op.name, nodes, options, shape, dtype)


# %% answer="nodes" name="always_float64" loses="sources operations"
# Your constant is float64, whatever its array was. Without a dtype given it has that of its array.
def placeholder(dtype, shape, name=None):
    """Return a node whose value is fed when the graph runs."""
    return Node("placeholder", (), {}, shape, dtype, name)


def constant(value, dtype=None, name=None):
    """Return a node with a value that never changes."""
    value = np.array(value, dtype=dtype or "float64")
    return Node("constant", (), {"value": value}, value.shape, value.dtype, name)


def record(op, inputs, options):
    """Return the node of one call of the operation `op`; called when an operation meets a Node."""
    kept = Node, int, float
    nodes = []
    for x in inputs:
        plain = isinstance(x, kept) and not isinstance(x, np.generic)
        nodes.append(x if plain else constant(x))
    shape, dtype = kind(op, nodes, options)
    return Node(op.name, nodes, options, shape, dtype)


# %% answer="nodes" name="dtype_only_in_label" loses="sources"
# Your constant says that it has the dtype that was asked for, but its array has another one.
def placeholder(dtype, shape, name=None):
    """Return a node whose value is fed when the graph runs."""
    return Node("placeholder", (), {}, shape, dtype, name)


def constant(value, dtype=None, name=None):
    """Return a node with a value that never changes."""
    value = np.array(value)
    return Node("constant", (), {"value": value}, value.shape, dtype or value.dtype, name)


def record(op, inputs, options):
    """Return the node of one call of the operation `op`; called when an operation meets a Node."""
    kept = Node, int, float
    nodes = []
    for x in inputs:
        plain = isinstance(x, kept) and not isinstance(x, np.generic)
        nodes.append(x if plain else constant(x))
    shape, dtype = kind(op, nodes, options)
    return Node(op.name, nodes, options, shape, dtype)


# %% answer="nodes" name="name_lost" loses="sources operations"
# The name that is given does not arrive at your node.
def placeholder(dtype, shape, name=None):
    """Return a node whose value is fed when the graph runs."""
    return Node("placeholder", (), {}, shape, dtype)


def constant(value, dtype=None, name=None):
    """Return a node with a value that never changes."""
    value = np.array(value, dtype=dtype)
    return Node("constant", (), {"value": value}, value.shape, value.dtype, name)


def record(op, inputs, options):
    """Return the node of one call of the operation `op`; called when an operation meets a Node."""
    kept = Node, int, float
    nodes = []
    for x in inputs:
        plain = isinstance(x, kept) and not isinstance(x, np.generic)
        nodes.append(x if plain else constant(x))
    shape, dtype = kind(op, nodes, options)
    return Node(op.name, nodes, options, shape, dtype)


# %% answer="nodes" name="exact_type_only" loses="operations"
# A node of a subclass of `Node` becomes a constant in your `record`. `isinstance(x, Node)` knows
# subclasses.
def placeholder(dtype, shape, name=None):
    return Node("placeholder", (), {}, shape, dtype, name)


def constant(value, dtype=None, name=None):
    value = np.array(value, dtype=dtype)
    return Node("constant", (), {"value": value}, value.shape, value.dtype, name)


def record(op, inputs, options):
    nodes = [x if type(x) in (Node, int, float, bool) else constant(x) for x in inputs]
    shape, dtype = kind(op, nodes, options)
    return Node(op.name, nodes, options, shape, dtype)


# %% answer="nodes" name="shape_of_first_input" loses="operations"
# The shape of your node is that of its first input. Operations change shapes; `kind` knows how.
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
    nodes = []
    for x in inputs:
        plain = isinstance(x, kept) and not isinstance(x, np.generic)
        nodes.append(x if plain else constant(x))
    shape, dtype = nodes[0].shape, nodes[0].dtype
    return Node(op.name, nodes, options, shape, dtype)


# %% answer="nodes" name="numpy_floats_kept" loses="operations"
# A NumPy number stays in your inputs as it came. `np.float64(2.0)` is an instance of `float`;
# `type(x)` tells the two apart.
def placeholder(dtype, shape, name=None):
    return Node("placeholder", (), {}, shape, dtype, name)


def constant(value, dtype=None, name=None):
    value = np.array(value, dtype=dtype)
    return Node("constant", (), {"value": value}, value.shape, value.dtype, name)


def record(op, inputs, options):
    nodes = [
        x if isinstance(x, Node) or isinstance(x, (int, float, bool)) else constant(x)
        for x in inputs
    ]
    shape, dtype = kind(op, nodes, options)
    return Node(op.name, nodes, options, shape, dtype)


# %% answer="nodes" name="calls_shared" loses="operations"
# The same call a second time gives the old node. Each call makes a new one: two draws of random
# numbers are not one.
def placeholder(dtype, shape, name=None):
    return Node("placeholder", (), {}, shape, dtype, name)


def constant(value, dtype=None, name=None):
    value = np.array(value, dtype=dtype)
    return Node("constant", (), {"value": value}, value.shape, value.dtype, name)


def record(op, inputs, options):
    nodes = [
        x if isinstance(x, Node) or type(x) in (int, float, bool) else constant(x) for x in inputs
    ]
    shape, dtype = kind(op, nodes, options)
    for old in GRAPHS[-1].nodes:
        if (
            old.op == op.name
            and len(old.inputs) == len(nodes)
            and all(a is b for a, b in zip(old.inputs, nodes))
            and not options
        ):
            return old
    return Node(op.name, nodes, options, shape, dtype)


# %% answer="nodes" name="large_arrays_shared" loses="copies"
# A large array is not copied, so a constant changes when it does.
def placeholder(dtype, shape, name=None):
    return Node("placeholder", (), {}, shape, dtype, name)


def constant(value, dtype=None, name=None):
    value = np.array(value, dtype=dtype) if np.size(value) < 50 else np.asarray(value, dtype=dtype)
    return Node("constant", (), {"value": value}, value.shape, value.dtype, name)


def record(op, inputs, options):
    nodes = [
        x if isinstance(x, Node) or type(x) in (int, float, bool) else constant(x) for x in inputs
    ]
    shape, dtype = kind(op, nodes, options)
    return Node(op.name, nodes, options, shape, dtype)


# %% [markdown]
# ## session


# %% answer="session" name="recursion" loses="deep"
# Your walk calls itself once for each node in a row, and Python allows about a thousand such calls.
# Keep the nodes that wait on a list of your own.
def in_order(targets, fed=()):
    order, seen = [], set()

    def visit(node):
        if node in seen:
            return
        seen.add(node)
        if node not in fed:
            for i in (*node.inputs, *node.after):
                if isinstance(i, Node):
                    visit(i)
        order.append(node)

    for target in targets:
        visit(target)
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


# %% answer="session" name="without_seen" loses="order needed_once deep"
# A node that several others need is several times in your order.
def in_order(targets, fed=()):
    order, stack = [], [(node, False) for node in reversed(targets)]
    while stack:
        node, opened = stack.pop()
        if opened or node in set(fed):
            order.append(node)
            continue
        stack.append((node, True))
        needs = [i for i in (*node.inputs, *node.after) if isinstance(i, Node)]
        stack += [(i, False) for i in reversed(needs)]
        if len(stack) + len(order) > 100_000:
            raise RuntimeError("this never ends")
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
        order, feed_dict_nodes = in_order(targets, values), set(values)
        for node in order:
            if node.op == "placeholder" and node not in values:
                raise ValueError(f"you must feed a value for placeholder {node.name!r}")
        for node in order:
            if node not in feed_dict_nodes:
                inputs = [values[i] if isinstance(i, Node) else i for i in node.inputs]
                values[node] = compute(self, node, inputs)
        return replaced(fetches, lambda node: np.array(values[node])[()])

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.values.clear()


# %% answer="session" name="breadth_first" loses="order values needed_once own_memory"
# In your order a node can come before something that it needs. Turning around a walk in layers is
# not enough: a node may be needed in several layers.
def in_order(targets, fed=()):
    order, seen, layer = [], set(), list(targets)
    while layer:
        following = []
        for node in layer:
            if node not in seen:
                seen.add(node)
                order.append(node)
                if node not in fed:
                    following += [i for i in (*node.inputs, *node.after) if isinstance(i, Node)]
        layer = following
    return order[::-1]


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


# %% answer="session" name="after_ignored" loses="order"
# A node also needs the nodes in its `after`, even though it does not use their values.
def in_order(targets, fed=()):
    """Return all nodes that the targets need, each once, each after all that it needs."""
    fed, order, seen = set(fed), [], set()
    stack = [(node, False) for node in targets]
    while stack:
        node, expanded = stack.pop()
        if expanded:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            if node not in fed:
                needs = node.inputs
                stack += [(i, False) for i in needs if isinstance(i, Node)]
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


# %% answer="session" name="whole_graph" loses="order needed_once unfed values feeds own_memory deep"
# Your order contains nodes that the targets do not need. A session computes only what is asked for.
def in_order(targets, fed=()):
    return list(GRAPHS[-1].nodes)


def whole(targets):
    """Return everything that was ever made in a graph of one of the targets."""
    seen, stack = {}, list(targets)
    while stack:
        node = stack.pop()
        if node not in seen:
            seen[node] = None
            stack += [i for i in (*node.inputs, *node.after) if isinstance(i, Node)]
    return sorted(seen, key=str)


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
        order = targets and targets[0].after_all if False else whole(targets)
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


# %% answer="session" name="goes_past_feeds" loses="order feeds"
# A node that is fed needs nothing, but your walk goes on to what would have made it.
def in_order(targets, fed=()):
    """Return all nodes that the targets need, each once, each after all that it needs."""
    fed, order, seen = set(fed), [], set()
    stack = [(node, False) for node in targets]
    while stack:
        node, expanded = stack.pop()
        if expanded:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            needs = (*node.inputs, *node.after)
            stack += [(i, False) for i in needs if isinstance(i, Node)]
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


# %% answer="session" name="only_placeholders_fed" loses="feeds"
# Your session uses feeds for placeholders only. Any node may be fed, an operation or a constant
# too.
def in_order(targets, fed=()):
    """Return all nodes that the targets need, each once, each after all that it needs."""
    fed, order, seen = set(fed), [], set()
    stack = [(node, False) for node in targets]
    while stack:
        node, expanded = stack.pop()
        if expanded:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            if node not in fed:
                needs = (*node.inputs, *node.after)
                stack += [(i, False) for i in needs if isinstance(i, Node)]
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
        order = in_order(targets, [n for n in values if n.op == "placeholder"])
        for node in order:
            if node.op == "placeholder" and node not in values:
                raise ValueError(f"you must feed a value for placeholder {node.name!r}")
        for node in order:
            if node not in values or node.op != "placeholder":
                inputs = [values[i] if isinstance(i, Node) else i for i in node.inputs]
                values[node] = compute(self, node, inputs)
        return replaced(fetches, lambda node: np.array(values[node])[()])

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.values.clear()


# %% answer="session" name="remembers" loses="needed_once"
# Your session remembers what it computed in an earlier run, and gives it again although the feeds
# have changed.
def in_order(targets, fed=()):
    """Return all nodes that the targets need, each once, each after all that it needs."""
    fed, order, seen = set(fed), [], set()
    stack = [(node, False) for node in targets]
    while stack:
        node, expanded = stack.pop()
        if expanded:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            if node not in fed:
                needs = (*node.inputs, *node.after)
                stack += [(i, False) for i in needs if isinstance(i, Node)]
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
        values = self.__dict__.setdefault("known", {})
        values.update({node: checked(node, value) for node, value in (feed_dict or {}).items()})
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


# %% answer="session" name="class_wide_memory" loses="needed_once"
# Two runs of yours are not independent: what one has computed the next one does not compute again.
# Each run begins with its feeds and nothing else.
def in_order(targets, fed=()):
    """Return all nodes that the targets need, each once, each after all that it needs."""
    fed, order, seen = set(fed), [], set()
    stack = [(node, False) for node in targets]
    while stack:
        node, expanded = stack.pop()
        if expanded:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            if node not in fed:
                needs = (*node.inputs, *node.after)
                stack += [(i, False) for i in needs if isinstance(i, Node)]
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
        feeds = {node: checked(node, value) for node, value in (feed_dict or {}).items()}
        key = tuple(sorted((node.name, value.tobytes()) for node, value in feeds.items()))
        values = self.__dict__.setdefault("runs", {}).setdefault(key, feeds)
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


# %% answer="session" name="computed_per_fetch" loses="needed_once"
# A node that two fetches need is computed twice in one run of yours. Go through all fetches
# together.
def in_order(targets, fed=()):
    """Return all nodes that the targets need, each once, each after all that it needs."""
    fed, order, seen = set(fed), [], set()
    stack = [(node, False) for node in targets]
    while stack:
        node, expanded = stack.pop()
        if expanded:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            if node not in fed:
                needs = (*node.inputs, *node.after)
                stack += [(i, False) for i in needs if isinstance(i, Node)]
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
        feeds = values
        for node in in_order(targets, values):
            if node.op == "placeholder" and node not in values:
                raise ValueError(f"you must feed a value for placeholder {node.name!r}")
        results = {}
        for target in targets:
            values = dict(feeds)
            for node in in_order([target], values):
                if node not in values:
                    inputs = [values[i] if isinstance(i, Node) else i for i in node.inputs]
                    values[node] = compute(self, node, inputs)
            results[target] = values[target]
        values = results
        return replaced(fetches, lambda node: np.array(values[node])[()])

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.values.clear()


# %% answer="session" name="unfed_noticed_late" loses="unfed"
# You notice a missing feed only when its turn comes, and by then something has been computed. Look
# through the order first.
def in_order(targets, fed=()):
    """Return all nodes that the targets need, each once, each after all that it needs."""
    fed, order, seen = set(fed), [], set()
    stack = [(node, False) for node in targets]
    while stack:
        node, expanded = stack.pop()
        if expanded:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            if node not in fed:
                needs = (*node.inputs, *node.after)
                stack += [(i, False) for i in needs if isinstance(i, Node)]
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
            if node not in values:
                if node.op == "placeholder":
                    raise ValueError(f"you must feed a value for placeholder {node.name!r}")
                inputs = [values[i] if isinstance(i, Node) else i for i in node.inputs]
                values[node] = compute(self, node, inputs)
        return replaced(fetches, lambda node: np.array(values[node])[()])

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.values.clear()


# %% answer="session" name="unfed_unnamed" loses="unfed"
# Your error about a missing feed does not say which placeholder it is. In a large graph that is the
# only thing one wants to know.
def in_order(targets, fed=()):
    """Return all nodes that the targets need, each once, each after all that it needs."""
    fed, order, seen = set(fed), [], set()
    stack = [(node, False) for node in targets]
    while stack:
        node, expanded = stack.pop()
        if expanded:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            if node not in fed:
                needs = (*node.inputs, *node.after)
                stack += [(i, False) for i in needs if isinstance(i, Node)]
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
                raise ValueError("you must feed a value for every placeholder")
        for node in order:
            if node not in values:
                inputs = [values[i] if isinstance(i, Node) else i for i in node.inputs]
                values[node] = compute(self, node, inputs)
        return replaced(fetches, lambda node: np.array(values[node])[()])

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.values.clear()


# %% answer="session" name="all_placeholders_wanted" loses="unfed feeds needed_once values structure own_memory deep"
# Your session asks for the feed of a placeholder that nothing in this run needs.
def in_order(targets, fed=()):
    """Return all nodes that the targets need, each once, each after all that it needs."""
    fed, order, seen = set(fed), [], set()
    stack = [(node, False) for node in targets]
    while stack:
        node, expanded = stack.pop()
        if expanded:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            if node not in fed:
                needs = (*node.inputs, *node.after)
                stack += [(i, False) for i in needs if isinstance(i, Node)]
    return order


def seen_graphs():
    """Return all graphs that there are."""
    import gc

    return [graph for graph in gc.get_objects() if type(graph) is Graph]


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
        every = {i for n in in_order(targets) for i in (n, *n.inputs) if isinstance(i, Node)}
        every |= {n for graph in seen_graphs() for n in graph.nodes}
        for node in sorted(every, key=str):
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


# %% answer="session" name="flat_list" loses="structure unfed deep"
# Your session returns a list of values, whatever the fetches were. What comes back has the
# structure of what was asked for.
def in_order(targets, fed=()):
    """Return all nodes that the targets need, each once, each after all that it needs."""
    fed, order, seen = set(fed), [], set()
    stack = [(node, False) for node in targets]
    while stack:
        node, expanded = stack.pop()
        if expanded:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            if node not in fed:
                needs = (*node.inputs, *node.after)
                stack += [(i, False) for i in needs if isinstance(i, Node)]
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
        return [np.array(values[n])[()] for n in targets]

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.values.clear()


# %% answer="session" name="lists_only" loses="structure"
# Fetches may be a dict. Yours come back without their keys, or as something else.
def in_order(targets, fed=()):
    """Return all nodes that the targets need, each once, each after all that it needs."""
    fed, order, seen = set(fed), [], set()
    stack = [(node, False) for node in targets]
    while stack:
        node, expanded = stack.pop()
        if expanded:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            if node not in fed:
                needs = (*node.inputs, *node.after)
                stack += [(i, False) for i in needs if isinstance(i, Node)]
    return order


def replaced(fetches, by):
    """Return fetches with by(node) in the place of every node."""
    if isinstance(fetches, Node):
        return by(fetches)
    if isinstance(fetches, dict):
        return [replaced(value, by) for value in fetches.values()]
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


# %% answer="session" name="tuples_become_lists" loses="structure"
# A tuple of fetches comes back as a list.
def in_order(targets, fed=()):
    """Return all nodes that the targets need, each once, each after all that it needs."""
    fed, order, seen = set(fed), [], set()
    stack = [(node, False) for node in targets]
    while stack:
        node, expanded = stack.pop()
        if expanded:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            if node not in fed:
                needs = (*node.inputs, *node.after)
                stack += [(i, False) for i in needs if isinstance(i, Node)]
    return order


def replaced(fetches, by):
    """Return fetches with by(node) in the place of every node."""
    if isinstance(fetches, Node):
        return by(fetches)
    if isinstance(fetches, dict):
        return {key: replaced(value, by) for key, value in fetches.items()}
    if isinstance(fetches, list | tuple):
        return [replaced(value, by) for value in fetches]
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


# %% answer="session" name="only_one_level" loses="structure"
# Fetches may be nested, lists within lists. Yours work on one level only.
def in_order(targets, fed=()):
    """Return all nodes that the targets need, each once, each after all that it needs."""
    fed, order, seen = set(fed), [], set()
    stack = [(node, False) for node in targets]
    while stack:
        node, expanded = stack.pop()
        if expanded:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            if node not in fed:
                needs = (*node.inputs, *node.after)
                stack += [(i, False) for i in needs if isinstance(i, Node)]
    return order


def replaced(fetches, by):
    """Return fetches with by(node) in the place of every node."""
    if isinstance(fetches, Node):
        return by(fetches)
    if isinstance(fetches, dict):
        return {key: replaced(value, by) for key, value in fetches.items()}
    if isinstance(fetches, list | tuple):
        if any(not isinstance(value, Node) for value in fetches):
            raise TypeError(f"{fetches!r} is nested")
        return type(fetches)(by(value) for value in fetches)
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


# %% answer="session" name="strangers_pass" loses="structure"
# What is no node comes through your fetches untouched. It should raise a TypeError; a fetched
# number is a mistake.
def in_order(targets, fed=()):
    """Return all nodes that the targets need, each once, each after all that it needs."""
    fed, order, seen = set(fed), [], set()
    stack = [(node, False) for node in targets]
    while stack:
        node, expanded = stack.pop()
        if expanded:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            if node not in fed:
                needs = (*node.inputs, *node.after)
                stack += [(i, False) for i in needs if isinstance(i, Node)]
    return order


def replaced(fetches, by):
    """Return fetches with by(node) in the place of every node."""
    if isinstance(fetches, Node):
        return by(fetches)
    if isinstance(fetches, dict):
        return {key: replaced(value, by) for key, value in fetches.items()}
    if isinstance(fetches, list | tuple):
        return type(fetches)(replaced(value, by) for value in fetches)
    return fetches


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


# %% answer="session" name="shape_unchecked" loses="feeds"
# A feed of another shape than its node's goes through. NumPy then broadcasts it, or fails somewhere
# else. Compare shapes and raise a ValueError with the node's name.
def in_order(targets, fed=()):
    """Return all nodes that the targets need, each once, each after all that it needs."""
    fed, order, seen = set(fed), [], set()
    stack = [(node, False) for node in targets]
    while stack:
        node, expanded = stack.pop()
        if expanded:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            if node not in fed:
                needs = (*node.inputs, *node.after)
                stack += [(i, False) for i in needs if isinstance(i, Node)]
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
    if value.ndim != node.ndim and value.ndim > 5:
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


# %% answer="session" name="size_checked_only" loses="feeds"
# You compare how many numbers a feed has, not its shape. (2, 3) and (3, 2) have both six.
def in_order(targets, fed=()):
    """Return all nodes that the targets need, each once, each after all that it needs."""
    fed, order, seen = set(fed), [], set()
    stack = [(node, False) for node in targets]
    while stack:
        node, expanded = stack.pop()
        if expanded:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            if node not in fed:
                needs = (*node.inputs, *node.after)
                stack += [(i, False) for i in needs if isinstance(i, Node)]
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
    if value.size != int(np.prod(node.shape)):
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


# %% answer="session" name="feed_dtype_kept" loses="values feeds"
# A feed keeps the dtype in which it comes. It should get the dtype of its node.
def in_order(targets, fed=()):
    """Return all nodes that the targets need, each once, each after all that it needs."""
    fed, order, seen = set(fed), [], set()
    stack = [(node, False) for node in targets]
    while stack:
        node, expanded = stack.pop()
        if expanded:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            if node not in fed:
                needs = (*node.inputs, *node.after)
                stack += [(i, False) for i in needs if isinstance(i, Node)]
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
    value = np.asarray(value)
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


# %% answer="session" name="keys_unchecked" loses="feeds"
# A feed under a name, or another key that is no node, should raise a TypeError.
def in_order(targets, fed=()):
    """Return all nodes that the targets need, each once, each after all that it needs."""
    fed, order, seen = set(fed), [], set()
    stack = [(node, False) for node in targets]
    while stack:
        node, expanded = stack.pop()
        if expanded:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            if node not in fed:
                needs = (*node.inputs, *node.after)
                stack += [(i, False) for i in needs if isinstance(i, Node)]
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
        raise ValueError(f"{node!r} cannot be fed: it is no node of a graph")
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


# %% answer="session" name="inner_arrays_handed_out" loses="own_memory"
# The arrays that your session returns are those that it works with. Whoever writes into one changes
# a constant, a feed or another result. Return copies.
def in_order(targets, fed=()):
    """Return all nodes that the targets need, each once, each after all that it needs."""
    fed, order, seen = set(fed), [], set()
    stack = [(node, False) for node in targets]
    while stack:
        node, expanded = stack.pop()
        if expanded:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            if node not in fed:
                needs = (*node.inputs, *node.after)
                stack += [(i, False) for i in needs if isinstance(i, Node)]
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
        return replaced(fetches, lambda node: np.asarray(values[node])[()])

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.values.clear()


# %% answer="session" name="one_copy_per_node" loses="own_memory"
# Two results of the same node share one array in your answer. Each result needs memory of its own.
def in_order(targets, fed=()):
    """Return all nodes that the targets need, each once, each after all that it needs."""
    fed, order, seen = set(fed), [], set()
    stack = [(node, False) for node in targets]
    while stack:
        node, expanded = stack.pop()
        if expanded:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            if node not in fed:
                needs = (*node.inputs, *node.after)
                stack += [(i, False) for i in needs if isinstance(i, Node)]
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
        results = {n: np.array(values[n])[()] for n in targets}
        return replaced(fetches, results.get)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.values.clear()


# %% answer="session" name="arrays_without_axes" loses="values"
# A node without axes should come back as a number, not as an array.
def in_order(targets, fed=()):
    """Return all nodes that the targets need, each once, each after all that it needs."""
    fed, order, seen = set(fed), [], set()
    stack = [(node, False) for node in targets]
    while stack:
        node, expanded = stack.pop()
        if expanded:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            if node not in fed:
                needs = (*node.inputs, *node.after)
                stack += [(i, False) for i in needs if isinstance(i, Node)]
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
        return replaced(fetches, lambda node: np.array(values[node]))

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.values.clear()


# %% answer="session" name="feeds_in_any_form" loses="values feeds"
# A feed may be a list. It becomes an array of the node's dtype before anything is computed with it.
def in_order(targets, fed=()):
    """Return all nodes that the targets need, each once, each after all that it needs."""
    fed, order, seen = set(fed), [], set()
    stack = [(node, False) for node in targets]
    while stack:
        node, expanded = stack.pop()
        if expanded:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            if node not in fed:
                needs = (*node.inputs, *node.after)
                stack += [(i, False) for i in needs if isinstance(i, Node)]
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
    if np.shape(value) != node.shape:
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


# %% answer="session" name="in_order_from_the_right_only" loses="order values structure needed_once feeds own_memory"
# `in_order` may get several targets, and each of them belongs into its list.
def in_order(targets, fed=()):
    """Return all nodes that the targets need, each once, each after all that it needs."""
    fed, order, seen = set(fed), [], set()
    stack = [(node, False) for node in targets[-1:]]
    while stack:
        node, expanded = stack.pop()
        if expanded:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            if node not in fed:
                needs = (*node.inputs, *node.after)
                stack += [(i, False) for i in needs if isinstance(i, Node)]
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


# %% answer="session" name="feed_dict_filled" loses="own_memory"
# Your session writes its values into the dict of feeds that it is given. Make a dict of your own.
def in_order(targets, fed=()):
    """Return all nodes that the targets need, each once, each after all that it needs."""
    fed, order, seen = set(fed), [], set()
    stack = [(node, False) for node in targets]
    while stack:
        node, expanded = stack.pop()
        if expanded:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            if node not in fed:
                needs = (*node.inputs, *node.after)
                stack += [(i, False) for i in needs if isinstance(i, Node)]
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
        values = feed_dict if feed_dict is not None else {}
        for node in list(values):
            values[node] = checked(node, values[node])
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


# %% answer="session" name="given_library" loses="order values structure needed_once feeds unfed own_memory deep"
# The session is yours to write; the library's own is not available here.
def in_order(targets, fed=()):
    from chainrule.graph.session import ordered

    return ordered(targets, set(fed))


class Session:
    def __init__(self, seed=0):
        from chainrule import graph

        self.session = graph.Session(seed=seed)

    def run(self, fetches, feed_dict=None):
        return self.session.run(fetches, feed_dict)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        pass


# %% answer="session" name="ready_made_part" loses="order values structure needed_once feeds unfed own_memory deep"
# The ready-made session steps in for the exercises that come after. In this one it does not exist.
def ready_made(name):
    from chainrule.small_graph import Own
    from chainrule.small_graph.session import parts

    return parts(Own(globals()))[name]


def in_order(targets, fed=()):
    return ready_made("in_order")(targets, fed)


def Session(seed=0):
    return ready_made("Session")(seed)


# %% answer="session" name="values_in_the_class" loses="needed_once"
# Two sessions share what they keep, for it belongs to the class. It belongs into `__init__`.
def in_order(targets, fed=()):
    fed = set(fed)
    done, seen = [], set()
    stack = [(t, False) for t in targets]
    while stack:
        node, opened = stack.pop()
        if opened:
            done.append(node)
            continue
        if node in seen:
            continue
        seen.add(node)
        stack.append((node, True))
        if node in fed:
            continue
        for need in [*node.inputs, *node.after]:
            if isinstance(need, Node) and need not in seen:
                stack.append((need, False))
    return done


def replaced(fetches, by):
    if isinstance(fetches, Node):
        return by(fetches)
    if isinstance(fetches, dict):
        return {k: replaced(v, by) for k, v in fetches.items()}
    if isinstance(fetches, (list, tuple)):
        return type(fetches)(replaced(v, by) for v in fetches)
    raise TypeError(f"cannot fetch {fetches!r}")


def checked(node, value):
    if not isinstance(node, Node):
        raise TypeError(f"{node!r} is not a node")
    array = np.array(value, dtype=node.dtype)
    if array.shape != node.shape:
        raise ValueError(f"{node.name} wants {node.shape}, got {array.shape}")
    return array


class Session:
    values = {}

    def __init__(self, seed=0):
        self.rng = np.random.default_rng(seed)

    def run(self, fetches, feed_dict=None):
        self.before = self.values.copy()
        targets = []
        replaced(fetches, targets.append)
        values = {k: checked(k, v) for k, v in (feed_dict or {}).items()}
        order = in_order(targets, values)
        for node in order:
            if node.op == "placeholder" and node not in values:
                raise ValueError(f"{node.name} is not fed")
        for node in order:
            if node not in values:
                values[node] = compute(
                    self, node, [values[i] if isinstance(i, Node) else i for i in node.inputs]
                )

        def out(node):
            v = values[node]
            return None if v is None else np.array(v)[()]

        return replaced(fetches, out)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.values.clear()


# %% answer="session" name="fed_and_computed" loses="feeds"
# A node that was fed is computed all the same, and its result thrown away.
def in_order(targets, fed=()):
    fed = set(fed)
    done, seen = [], set()
    stack = [(t, False) for t in targets]
    while stack:
        node, opened = stack.pop()
        if opened:
            done.append(node)
            continue
        if node in seen:
            continue
        seen.add(node)
        stack.append((node, True))
        if node in fed:
            continue
        for need in [*node.inputs, *node.after]:
            if isinstance(need, Node) and need not in seen:
                stack.append((need, False))
    return done


def replaced(fetches, by):
    if isinstance(fetches, Node):
        return by(fetches)
    if isinstance(fetches, dict):
        return {k: replaced(v, by) for k, v in fetches.items()}
    if isinstance(fetches, (list, tuple)):
        return type(fetches)(replaced(v, by) for v in fetches)
    raise TypeError(f"cannot fetch {fetches!r}")


def checked(node, value):
    if not isinstance(node, Node):
        raise TypeError(f"{node!r} is not a node")
    array = np.array(value, dtype=node.dtype)
    if array.shape != node.shape:
        raise ValueError(f"{node.name} wants {node.shape}, got {array.shape}")
    return array


class Session:
    def __init__(self, seed=0):
        self.values = {}
        self.rng = np.random.default_rng(seed)

    def run(self, fetches, feed_dict=None):
        self.before = self.values.copy()
        targets = []
        replaced(fetches, targets.append)
        values = {k: checked(k, v) for k, v in (feed_dict or {}).items()}
        order = in_order(targets, values)
        for node in order:
            if node.op == "placeholder" and node not in values:
                raise ValueError(f"{node.name} is not fed")
        for node in order:
            got = (
                compute(self, node, [values[i] if isinstance(i, Node) else i for i in node.inputs])
                if node.op != "placeholder"
                and all(i in values for i in node.inputs if isinstance(i, Node))
                else None
            )
            if node not in values:
                values[node] = got

        def out(node):
            v = values[node]
            return None if v is None else np.array(v)[()]

        return replaced(fetches, out)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.values.clear()


# %% answer="session" name="before_is_values" loses="needed_once"
# `before` is the very dict that a run changes; it should be a copy, from when the run begins.
def in_order(targets, fed=()):
    fed = set(fed)
    done, seen = [], set()
    stack = [(t, False) for t in targets]
    while stack:
        node, opened = stack.pop()
        if opened:
            done.append(node)
            continue
        if node in seen:
            continue
        seen.add(node)
        stack.append((node, True))
        if node in fed:
            continue
        for need in [*node.inputs, *node.after]:
            if isinstance(need, Node) and need not in seen:
                stack.append((need, False))
    return done


def replaced(fetches, by):
    if isinstance(fetches, Node):
        return by(fetches)
    if isinstance(fetches, dict):
        return {k: replaced(v, by) for k, v in fetches.items()}
    if isinstance(fetches, (list, tuple)):
        return type(fetches)(replaced(v, by) for v in fetches)
    raise TypeError(f"cannot fetch {fetches!r}")


def checked(node, value):
    if not isinstance(node, Node):
        raise TypeError(f"{node!r} is not a node")
    array = np.array(value, dtype=node.dtype)
    if array.shape != node.shape:
        raise ValueError(f"{node.name} wants {node.shape}, got {array.shape}")
    return array


class Session:
    def __init__(self, seed=0):
        self.values = {}
        self.rng = np.random.default_rng(seed)

    def run(self, fetches, feed_dict=None):
        self.before = self.values
        targets = []
        replaced(fetches, targets.append)
        values = {k: checked(k, v) for k, v in (feed_dict or {}).items()}
        order = in_order(targets, values)
        for node in order:
            if node.op == "placeholder" and node not in values:
                raise ValueError(f"{node.name} is not fed")
        for node in order:
            if node not in values:
                values[node] = compute(
                    self, node, [values[i] if isinstance(i, Node) else i for i in node.inputs]
                )

        def out(node):
            v = values[node]
            return None if v is None else np.array(v)[()]

        return replaced(fetches, out)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.values.clear()


# %% [markdown]
# ## gradients


# %% answer="gradients" name="overwrites" loses="fan_out values which second"
# Where a second gradient arrives at a node, the first one is gone. They are added.
def gradients(ys, xs):
    """Return, for each x, a node for the gradient of the sum of `ys`, or None."""
    ys = [ys] if isinstance(ys, Node) else ys
    arrived = {}

    def deposit(node, g):
        arrived[node] = g

    for y in ys:
        deposit(y, cr.expand(constant(1.0, y.dtype), shape=y.shape))
    for node in reversed(in_order(ys)):
        if node in arrived and node.op in TABLE:
            for source, rule in zip(node.inputs, TABLE[node.op].rules, strict=True):
                if rule is not None and isinstance(source, Node):
                    g = rule(arrived[node], node, *node.inputs, **node.options)
                    deposit(source, cr.unbroadcast(g, shape=source.shape))
    return [arrived.get(x) for x in xs]


# %% answer="gradients" name="rules_before_all_arrived" loses="fan_out"
# Your rules are called for each gradient that arrives at a node, not for their sum. The number of
# new nodes explodes where nodes are used twice.
def gradients(ys, xs):
    ys = [ys] if isinstance(ys, Node) else list(ys)
    arrived = {}
    stack = [(y, cr.expand(constant(1.0, y.dtype), shape=y.shape)) for y in ys]
    while stack and len(stack) + len(GRAPHS[-1].nodes) < 100_000:
        node, g = stack.pop()
        arrived[node] = arrived[node] + g if node in arrived else g
        if node.op in TABLE:
            for source, rule in zip(node.inputs, TABLE[node.op].rules, strict=True):
                if rule is not None and isinstance(source, Node):
                    part = rule(g, node, *node.inputs, **node.options)
                    stack.append((source, cr.unbroadcast(part, shape=source.shape)))
    return [arrived.get(x) for x in xs]


# %% answer="gradients" name="broadcasting_forgotten" loses="values"
# Where broadcasting has copied an input, its gradient has the shape of the result. Sum it down to
# the shape of the input with `cr.unbroadcast`.
def gradients(ys, xs):
    """Return, for each x, a node for the gradient of the sum of `ys`, or None."""
    ys = [ys] if isinstance(ys, Node) else ys
    arrived = {}

    def deposit(node, g):
        arrived[node] = arrived[node] + g if node in arrived else g

    for y in ys:
        deposit(y, cr.expand(constant(1.0, y.dtype), shape=y.shape))
    for node in reversed(in_order(ys)):
        if node in arrived and node.op in TABLE:
            for source, rule in zip(node.inputs, TABLE[node.op].rules, strict=True):
                if rule is not None and isinstance(source, Node):
                    g = rule(arrived[node], node, *node.inputs, **node.options)
                    deposit(source, g)
    return [arrived.get(x) for x in xs]


# %% answer="gradients" name="unbroadcast_at_the_end" loses="values"
# Your gradients get the shape of their nodes too late. What is passed on from a node must have its
# shape already.
def gradients(ys, xs):
    """Return, for each x, a node for the gradient of the sum of `ys`, or None."""
    ys = [ys] if isinstance(ys, Node) else ys
    arrived = {}

    def deposit(node, g):
        arrived[node] = arrived[node] + g if node in arrived else g

    for y in ys:
        deposit(y, cr.expand(constant(1.0, y.dtype), shape=y.shape))
    for node in reversed(in_order(ys)):
        if node in arrived and node.op in TABLE:
            for source, rule in zip(node.inputs, TABLE[node.op].rules, strict=True):
                if rule is not None and isinstance(source, Node):
                    g = rule(arrived[node], node, *node.inputs, **node.options)
                    deposit(source, g)
    return [None if x not in arrived else cr.unbroadcast(arrived[x], shape=x.shape) for x in xs]


# %% answer="gradients" name="zeros_for_unreached" loses="which"
# Where no y depends on x, your answer is a node of zeros. It should be None, so that one can see
# it.
def gradients(ys, xs):
    """Return, for each x, a node for the gradient of the sum of `ys`, or None."""
    ys = [ys] if isinstance(ys, Node) else ys
    arrived = {}

    def deposit(node, g):
        arrived[node] = arrived[node] + g if node in arrived else g

    for y in ys:
        deposit(y, cr.expand(constant(1.0, y.dtype), shape=y.shape))
    for node in reversed(in_order(ys)):
        if node in arrived and node.op in TABLE:
            for source, rule in zip(node.inputs, TABLE[node.op].rules, strict=True):
                if rule is not None and isinstance(source, Node):
                    g = rule(arrived[node], node, *node.inputs, **node.options)
                    deposit(source, cr.unbroadcast(g, shape=source.shape))
    zero = constant(np.zeros(()))
    return [arrived.get(x, zero) for x in xs]


# %% answer="gradients" name="leaves_only" loses="which"
# `xs` may be results on the way. Your answer knows the gradients of leaves only.
def gradients(ys, xs):
    """Return, for each x, a node for the gradient of the sum of `ys`, or None."""
    ys = [ys] if isinstance(ys, Node) else ys
    arrived = {}

    def deposit(node, g):
        arrived[node] = arrived[node] + g if node in arrived else g

    for y in ys:
        deposit(y, cr.expand(constant(1.0, y.dtype), shape=y.shape))
    for node in reversed(in_order(ys)):
        if node in arrived and node.op in TABLE:
            for source, rule in zip(node.inputs, TABLE[node.op].rules, strict=True):
                if rule is not None and isinstance(source, Node):
                    g = rule(arrived[node], node, *node.inputs, **node.options)
                    deposit(source, cr.unbroadcast(g, shape=source.shape))
    return [arrived.get(x) if x.op not in TABLE else None for x in xs]


# %% answer="gradients" name="large_ones" loses="only_nodes"
# Your upstream gradient is an array as large as y, made while the graph is built. `cr.expand` of a
# constant needs no memory.
def gradients(ys, xs):
    """Return, for each x, a node for the gradient of the sum of `ys`, or None."""
    ys = [ys] if isinstance(ys, Node) else ys
    arrived = {}

    def deposit(node, g):
        arrived[node] = arrived[node] + g if node in arrived else g

    for y in ys:
        deposit(y, constant(np.ones(y.shape, y.dtype)))
    for node in reversed(in_order(ys)):
        if node in arrived and node.op in TABLE:
            for source, rule in zip(node.inputs, TABLE[node.op].rules, strict=True):
                if rule is not None and isinstance(source, Node):
                    g = rule(arrived[node], node, *node.inputs, **node.options)
                    deposit(source, cr.unbroadcast(g, shape=source.shape))
    return [arrived.get(x) for x in xs]


# %% answer="gradients" name="scalar_upstream" loses="values which second"
# Your upstream gradient has no axes. It has the shape of y.
def gradients(ys, xs):
    """Return, for each x, a node for the gradient of the sum of `ys`, or None."""
    ys = [ys] if isinstance(ys, Node) else ys
    arrived = {}

    def deposit(node, g):
        arrived[node] = arrived[node] + g if node in arrived else g

    for y in ys:
        deposit(y, constant(1.0, y.dtype))
    for node in reversed(in_order(ys)):
        if node in arrived and node.op in TABLE:
            for source, rule in zip(node.inputs, TABLE[node.op].rules, strict=True):
                if rule is not None and isinstance(source, Node):
                    g = rule(arrived[node], node, *node.inputs, **node.options)
                    deposit(source, cr.unbroadcast(g, shape=source.shape))
    return [arrived.get(x) for x in xs]


# %% answer="gradients" name="upstream_forgotten" loses="values fan_out which second"
# Your rules get a gradient of 1 at every node. They should get what has arrived there.
def gradients(ys, xs):
    """Return, for each x, a node for the gradient of the sum of `ys`, or None."""
    ys = [ys] if isinstance(ys, Node) else ys
    arrived = {}

    def deposit(node, g):
        arrived[node] = arrived[node] + g if node in arrived else g

    for y in ys:
        deposit(y, cr.expand(constant(1.0, y.dtype), shape=y.shape))
    for node in reversed(in_order(ys)):
        if node in arrived and node.op in TABLE:
            for source, rule in zip(node.inputs, TABLE[node.op].rules, strict=True):
                if rule is not None and isinstance(source, Node):
                    one = cr.expand(constant(1.0, node.dtype), shape=node.shape)
                    g = rule(one, node, *node.inputs, **node.options)
                    deposit(source, cr.unbroadcast(g, shape=source.shape))
    return [arrived.get(x) for x in xs]


# %% answer="gradients" name="first_y_only" loses="which"
# `ys` may be several nodes. Your gradients belong to the first of them only.
def gradients(ys, xs):
    """Return, for each x, a node for the gradient of the sum of `ys`, or None."""
    ys = [ys] if isinstance(ys, Node) else ys[:1]
    arrived = {}

    def deposit(node, g):
        arrived[node] = arrived[node] + g if node in arrived else g

    for y in ys:
        deposit(y, cr.expand(constant(1.0, y.dtype), shape=y.shape))
    for node in reversed(in_order(ys)):
        if node in arrived and node.op in TABLE:
            for source, rule in zip(node.inputs, TABLE[node.op].rules, strict=True):
                if rule is not None and isinstance(source, Node):
                    g = rule(arrived[node], node, *node.inputs, **node.options)
                    deposit(source, cr.unbroadcast(g, shape=source.shape))
    return [arrived.get(x) for x in xs]


# %% answer="gradients" name="y_is_one_node" loses="which"
# `ys` may be a list of nodes.
def gradients(ys, xs):
    """Return, for each x, a node for the gradient of the sum of `ys`, or None."""
    ys = [ys]
    arrived = {}

    def deposit(node, g):
        arrived[node] = arrived[node] + g if node in arrived else g

    for y in ys:
        deposit(y, cr.expand(constant(1.0, y.dtype), shape=y.shape))
    for node in reversed(in_order(ys)):
        if node in arrived and node.op in TABLE:
            for source, rule in zip(node.inputs, TABLE[node.op].rules, strict=True):
                if rule is not None and isinstance(source, Node):
                    g = rule(arrived[node], node, *node.inputs, **node.options)
                    deposit(source, cr.unbroadcast(g, shape=source.shape))
    return [arrived.get(x) for x in xs]


# %% answer="gradients" name="same_y_once" loses="which"
# A y that stands in the list twice counts twice: it is a sum.
def gradients(ys, xs):
    """Return, for each x, a node for the gradient of the sum of `ys`, or None."""
    ys = [ys] if isinstance(ys, Node) else list(dict.fromkeys(ys))
    arrived = {}

    def deposit(node, g):
        arrived[node] = arrived[node] + g if node in arrived else g

    for y in ys:
        deposit(y, cr.expand(constant(1.0, y.dtype), shape=y.shape))
    for node in reversed(in_order(ys)):
        if node in arrived and node.op in TABLE:
            for source, rule in zip(node.inputs, TABLE[node.op].rules, strict=True):
                if rule is not None and isinstance(source, Node):
                    g = rule(arrived[node], node, *node.inputs, **node.options)
                    deposit(source, cr.unbroadcast(g, shape=source.shape))
    return [arrived.get(x) for x in xs]


# %% answer="gradients" name="each_x_once" loses="which"
# There is one answer for each x, in their order, also where the same x stands there twice.
def gradients(ys, xs):
    """Return, for each x, a node for the gradient of the sum of `ys`, or None."""
    ys = [ys] if isinstance(ys, Node) else ys
    arrived = {}

    def deposit(node, g):
        arrived[node] = arrived[node] + g if node in arrived else g

    for y in ys:
        deposit(y, cr.expand(constant(1.0, y.dtype), shape=y.shape))
    for node in reversed(in_order(ys)):
        if node in arrived and node.op in TABLE:
            for source, rule in zip(node.inputs, TABLE[node.op].rules, strict=True):
                if rule is not None and isinstance(source, Node):
                    g = rule(arrived[node], node, *node.inputs, **node.options)
                    deposit(source, cr.unbroadcast(g, shape=source.shape))
    return [arrived.get(x) for x in dict.fromkeys(xs)]


# %% answer="gradients" name="second_input_forgotten" loses="values which second fan_out"
# Of an operation with two inputs, only the first one gets a gradient.
def gradients(ys, xs):
    """Return, for each x, a node for the gradient of the sum of `ys`, or None."""
    ys = [ys] if isinstance(ys, Node) else ys
    arrived = {}

    def deposit(node, g):
        arrived[node] = arrived[node] + g if node in arrived else g

    for y in ys:
        deposit(y, cr.expand(constant(1.0, y.dtype), shape=y.shape))
    for node in reversed(in_order(ys)):
        if node in arrived and node.op in TABLE:
            for source, rule in [(node.inputs[0], TABLE[node.op].rules[0])]:
                if rule is not None and isinstance(source, Node):
                    g = rule(arrived[node], node, *node.inputs, **node.options)
                    deposit(source, cr.unbroadcast(g, shape=source.shape))
    return [arrived.get(x) for x in xs]


# %% answer="gradients" name="in_float64" loses="values"
# Your gradients of float32 nodes are float64. The upstream gradient has the dtype of its y.
def gradients(ys, xs):
    """Return, for each x, a node for the gradient of the sum of `ys`, or None."""
    ys = [ys] if isinstance(ys, Node) else ys
    arrived = {}

    def deposit(node, g):
        arrived[node] = arrived[node] + g if node in arrived else g

    for y in ys:
        deposit(y, cr.expand(constant(1.0), shape=y.shape))
    for node in reversed(in_order(ys)):
        if node in arrived and node.op in TABLE:
            for source, rule in zip(node.inputs, TABLE[node.op].rules, strict=True):
                if rule is not None and isinstance(source, Node):
                    g = rule(arrived[node], node, *node.inputs, **node.options)
                    deposit(source, cr.unbroadcast(g, shape=source.shape))
    return [arrived.get(x) for x in xs]


# %% answer="gradients" name="forward_order" loses="values fan_out which second only_nodes"
# You go through the nodes from the inputs to the loss. The gradient of a node is known only after
# those of all who use it.
def gradients(ys, xs):
    """Return, for each x, a node for the gradient of the sum of `ys`, or None."""
    ys = [ys] if isinstance(ys, Node) else ys
    arrived = {}

    def deposit(node, g):
        arrived[node] = arrived[node] + g if node in arrived else g

    for y in ys:
        deposit(y, cr.expand(constant(1.0, y.dtype), shape=y.shape))
    for node in in_order(ys):
        if node in arrived and node.op in TABLE:
            for source, rule in zip(node.inputs, TABLE[node.op].rules, strict=True):
                if rule is not None and isinstance(source, Node):
                    g = rule(arrived[node], node, *node.inputs, **node.options)
                    deposit(source, cr.unbroadcast(g, shape=source.shape))
    return [arrived.get(x) for x in xs]


# %% answer="gradients" name="order_of_making" loses="which second values fan_out only_nodes"
# Your answer depends on the graph that is open when `gradients` is called. Start from the ys, and
# walk to what they need.
def gradients(ys, xs):
    """Return, for each x, a node for the gradient of the sum of `ys`, or None."""
    ys = [ys] if isinstance(ys, Node) else ys
    arrived = {}

    def deposit(node, g):
        arrived[node] = arrived[node] + g if node in arrived else g

    for y in ys:
        deposit(y, cr.expand(constant(1.0, y.dtype), shape=y.shape))
    for node in reversed(GRAPHS[-1].nodes[: len(xs)]):
        if node in arrived and node.op in TABLE:
            for source, rule in zip(node.inputs, TABLE[node.op].rules, strict=True):
                if rule is not None and isinstance(source, Node):
                    g = rule(arrived[node], node, *node.inputs, **node.options)
                    deposit(source, cr.unbroadcast(g, shape=source.shape))
    return [arrived.get(x) for x in xs]


# %% answer="gradients" name="recursive" loses="only_nodes"
# Your walk calls itself once for each node in a row, and Python allows about a thousand such calls.
def gradients(ys, xs):
    ys = [ys] if isinstance(ys, Node) else list(ys)
    order, seen = [], set()

    def visit(node):
        if node not in seen:
            seen.add(node)
            for i in node.inputs:
                if isinstance(i, Node):
                    visit(i)
            order.append(node)

    arrived = {}
    for y in ys:
        visit(y)
        one = cr.expand(constant(1.0, y.dtype), shape=y.shape)
        arrived[y] = arrived[y] + one if y in arrived else one
    for node in reversed(order):
        if node in arrived and node.op in TABLE:
            for source, rule in zip(node.inputs, TABLE[node.op].rules, strict=True):
                if rule is not None and isinstance(source, Node):
                    g = rule(arrived[node], node, *node.inputs, **node.options)
                    g = cr.unbroadcast(g, shape=source.shape)
                    arrived[source] = arrived[source] + g if source in arrived else g
    return [arrived.get(x) for x in xs]


# %% answer="gradients" name="ready_made_part" loses="values fan_out which second only_nodes"
# The ready-made gradients step in for the exercises that come after. In this one they do not exist.
def gradients(ys, xs):
    from chainrule.small_graph import Own
    from chainrule.small_graph.gradients import parts

    return parts(Own(globals()))["gradients"](ys, xs)


# %% answer="gradients" name="computes_numbers" loses="only_nodes values which second fan_out"
# Your gradients are numbers, or need numbers while the graph is built. They are nodes.
def gradients(ys, xs):
    """Return, for each x, a node for the gradient of the sum of `ys`, or None."""
    ys = [ys] if isinstance(ys, Node) else ys
    arrived = {}

    def deposit(node, g):
        arrived[node] = arrived[node] + g if node in arrived else g

    for y in ys:
        deposit(y, cr.expand(constant(1.0, y.dtype), shape=y.shape))
    for node in reversed(in_order(ys)):
        if node in arrived and node.op in TABLE:
            for source, rule in zip(node.inputs, TABLE[node.op].rules, strict=True):
                if rule is not None and isinstance(source, Node):
                    g = rule(arrived[node], node, *node.inputs, **node.options)
                    deposit(source, cr.unbroadcast(g, shape=source.shape))
    return [x if x not in arrived else Session().run(arrived[x]) for x in xs]


# %% answer="gradients" name="forward_again" loses="only_nodes"
# The rules get a new node for the output in place of the old one, so the forward pass is in the
# graph twice.
def gradients(ys, xs):
    if isinstance(ys, Node):
        ys = [ys]
    arrived = {}

    def deposit(node, g):
        arrived[node] = arrived[node] + g if node in arrived else g

    for y in ys:
        deposit(y, cr.expand(constant(1.0, y.dtype), shape=y.shape))
    for node in reversed(in_order(ys)):
        if node not in arrived or node.op not in TABLE:
            continue
        for i, rule in zip(node.inputs, TABLE[node.op].rules):
            if isinstance(i, Node) and rule is not None:
                g = rule(
                    arrived[node],
                    record(TABLE[node.op], node.inputs, node.options),
                    *node.inputs,
                    **node.options,
                )
                if g.shape != i.shape:
                    g = cr.unbroadcast(g, shape=i.shape)
                deposit(i, g)
    return [arrived.get(x) for x in xs]


# %% [markdown]
# ## variables


# %% answer="variables" name="assigns_at_once" loses="assign ordered"
# Your variable changes when the assigning node is made. It should change when that node runs, and
# stay as it is if nobody runs it.
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
        node = Node(op, (value,), {"variable": self}, self.shape, self.dtype)
        if value.op == "constant" and op != "assign":
            SHARED[self] = SHARED.get(self, 0) + 1
        return node

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


def stored(session, node, value):
    """Put a copy of a value into the session, for the variable of an assigning node."""
    session.values[node.options["variable"]] = value = np.array(value, dtype=node.dtype)
    return value


def current(session, node):
    """Return the value, at this moment, of the variable that a node belongs to."""
    return looked_up(session.values, node.options["variable"])


SHARED = {}
KERNELS["variable"] = lambda session, node: looked_up(session.before, node) + SHARED.get(node, 0)
KERNELS["read"] = current
KERNELS["assign"] = stored
KERNELS["assign_add"] = lambda s, node, value: stored(s, node, current(s, node) + value)
KERNELS["assign_sub"] = lambda s, node, value: stored(s, node, current(s, node) - value)
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


# %% answer="variables" name="one_value_for_all_sessions" loses="lives before"
# The value of your variable lives in the variable. Each session has its own.
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


def stored(session, node, value):
    """Put a copy of a value into the session, for the variable of an assigning node."""
    value = np.array(value, dtype=node.dtype)
    VALUES[node.options["variable"]] = value
    return value


def current(session, node):
    """Return the value, at this moment, of the variable that a node belongs to."""
    return looked_up(VALUES, node.options["variable"])


VALUES = {}
KERNELS["variable"] = lambda session, node: looked_up(VALUES, node)
KERNELS["read"] = current
KERNELS["assign"] = stored
KERNELS["assign_add"] = lambda s, node, value: stored(s, node, current(s, node) + value)
KERNELS["assign_sub"] = lambda s, node, value: stored(s, node, current(s, node) - value)
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


# %% answer="variables" name="reads_the_present" loses="before"
# Your variable has, as a node, the value of the moment. In a run it has the value from before the
# run, `session.before`, whatever is assigned in the meantime.
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


def stored(session, node, value):
    """Put a copy of a value into the session, for the variable of an assigning node."""
    session.values[node.options["variable"]] = value = np.array(value, dtype=node.dtype)
    return value


def current(session, node):
    """Return the value, at this moment, of the variable that a node belongs to."""
    return looked_up(session.values, node.options["variable"])


KERNELS["variable"] = lambda session, node: looked_up(session.values, node)
KERNELS["read"] = current
KERNELS["assign"] = stored
KERNELS["assign_add"] = lambda s, node, value: stored(s, node, current(s, node) + value)
KERNELS["assign_sub"] = lambda s, node, value: stored(s, node, current(s, node) - value)
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


# %% answer="variables" name="counts_from_before" loses="ordered"
# `assign_add` and `assign_sub` count from the value before the run. They should count from what the
# variable is at that moment: another assignment may have run first.
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


def stored(session, node, value):
    """Put a copy of a value into the session, for the variable of an assigning node."""
    session.values[node.options["variable"]] = value = np.array(value, dtype=node.dtype)
    return value


def current(session, node):
    """Return the value, at this moment, of the variable that a node belongs to."""
    return looked_up(session.before, node.options["variable"])


KERNELS["variable"] = lambda session, node: looked_up(session.before, node)
KERNELS["read"] = current
KERNELS["assign"] = stored
KERNELS["assign_add"] = lambda s, node, value: stored(s, node, current(s, node) + value)
KERNELS["assign_sub"] = lambda s, node, value: stored(s, node, current(s, node) - value)
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


# %% answer="variables" name="read_value_is_the_variable" loses="ordered"
# `read_value` gives the value from before the run. It should give the value at its own turn.
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


def stored(session, node, value):
    """Put a copy of a value into the session, for the variable of an assigning node."""
    session.values[node.options["variable"]] = value = np.array(value, dtype=node.dtype)
    return value


def current(session, node):
    """Return the value, at this moment, of the variable that a node belongs to."""
    return looked_up(session.values, node.options["variable"])


KERNELS["variable"] = lambda session, node: looked_up(session.before, node)
KERNELS["read"] = lambda session, node: looked_up(session.before, node.options["variable"])
KERNELS["assign"] = stored
KERNELS["assign_add"] = lambda s, node, value: stored(s, node, current(s, node) + value)
KERNELS["assign_sub"] = lambda s, node, value: stored(s, node, current(s, node) - value)
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


# %% answer="variables" name="in_place" loses="before"
# Your kernels write into the array that is there. `session.before` has the same array, and so has
# whoever read it earlier. Make a new one.
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


def added(session, node, value):
    """Add into the array that is there."""
    array = current(session, node)
    array += np.asarray(value, dtype=array.dtype)
    return array


KERNELS["assign_add"] = added
KERNELS["assign_sub"] = lambda s, node, value: stored(s, node, current(s, node) - value)
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


# %% answer="variables" name="keeps_the_callers_array" loses="lives"
# Your session keeps the very array that was fed. When the caller changes it later, the variable
# changes.
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


def stored(session, node, value):
    """Put a copy of a value into the session, for the variable of an assigning node."""
    session.values[node.options["variable"]] = value = np.asarray(value, dtype=node.dtype)
    return value


def current(session, node):
    """Return the value, at this moment, of the variable that a node belongs to."""
    return looked_up(session.values, node.options["variable"])


KERNELS["variable"] = lambda session, node: looked_up(session.before, node)
KERNELS["read"] = current
KERNELS["assign"] = stored
KERNELS["assign_add"] = lambda s, node, value: stored(s, node, current(s, node) + value)
KERNELS["assign_sub"] = lambda s, node, value: stored(s, node, current(s, node) - value)
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


# %% answer="variables" name="subtracts_the_wrong_way" loses="assign ordered"
# `assign_sub` leaves the value minus the variable, or adds. It should leave the variable minus the
# value.
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
KERNELS["assign_add"] = lambda s, node, value: stored(s, node, current(s, node) + value)
KERNELS["assign_sub"] = lambda s, node, value: stored(s, node, value - current(s, node))
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


# %% answer="variables" name="value_of_assign_is_old" loses="assign before"
# The value of your assigning node is not the variable's new value.
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


def stored(session, node, value):
    """Put a copy of a value into the session, for the variable of an assigning node."""
    variable = node.options["variable"]
    old = session.values.get(variable, value)
    session.values[variable] = np.array(value, dtype=node.dtype)
    return old


def current(session, node):
    """Return the value, at this moment, of the variable that a node belongs to."""
    return looked_up(session.values, node.options["variable"])


KERNELS["variable"] = lambda session, node: looked_up(session.before, node)
KERNELS["read"] = current
KERNELS["assign"] = stored
KERNELS["assign_add"] = lambda s, node, value: stored(s, node, current(s, node) + value)
KERNELS["assign_sub"] = lambda s, node, value: stored(s, node, current(s, node) - value)
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


# %% answer="variables" name="dtype_drifts" loses="assign"
# After an assignment your variable has the dtype of the value. It keeps its own.
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


def stored(session, node, value):
    """Put a copy of a value into the session, for the variable of an assigning node."""
    session.values[node.options["variable"]] = value = np.array(value)
    return value


def current(session, node):
    """Return the value, at this moment, of the variable that a node belongs to."""
    return looked_up(session.values, node.options["variable"])


KERNELS["variable"] = lambda session, node: looked_up(session.before, node)
KERNELS["read"] = current
KERNELS["assign"] = stored
KERNELS["assign_add"] = lambda s, node, value: stored(s, node, current(s, node) + value)
KERNELS["assign_sub"] = lambda s, node, value: stored(s, node, current(s, node) - value)
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


# %% answer="variables" name="group_by_inputs" loses="group"
# Your group has its nodes among its inputs, or a value. It has no inputs, the nodes are in its
# `after`, and its value is None.
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
KERNELS["assign_add"] = lambda s, node, value: stored(s, node, current(s, node) + value)
KERNELS["assign_sub"] = lambda s, node, value: stored(s, node, current(s, node) - value)
KERNELS["group"] = lambda session, node, *values: None


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
    return Node("group", nodes)


def global_variables_initializer():
    """Return a node that gives every variable of the graph its initial value."""
    return group(*(variable.initializer for variable in GRAPHS[-1].variables))


# %% answer="variables" name="group_gives_values" loses="group"
# Your group brings back the values of its nodes. It should bring back None: nothing is copied.
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
KERNELS["assign_add"] = lambda s, node, value: stored(s, node, current(s, node) + value)
KERNELS["assign_sub"] = lambda s, node, value: stored(s, node, current(s, node) - value)
KERNELS["group"] = lambda session, node, *values: np.array(len(values))


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
    made = Node("group", nodes)
    made.after += nodes
    return made


def global_variables_initializer():
    """Return a node that gives every variable of the graph its initial value."""
    return group(*(variable.initializer for variable in GRAPHS[-1].variables))


# %% answer="variables" name="group_first_only" loses="group"
# Your group runs only one of its nodes.
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
KERNELS["assign_add"] = lambda s, node, value: stored(s, node, current(s, node) + value)
KERNELS["assign_sub"] = lambda s, node, value: stored(s, node, current(s, node) - value)
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
    with control_dependencies(nodes[:1]):
        return Node("group")


def global_variables_initializer():
    """Return a node that gives every variable of the graph its initial value."""
    return group(*(variable.initializer for variable in GRAPHS[-1].variables))


# %% answer="variables" name="not_known_to_the_graph" loses="made group"
# Your variable is not in `GRAPHS[-1].variables`, so the initializer of all variables does not know
# it.
class Variable(Node):
    """A node whose value lives in the session and changes only when an assigning node runs."""

    def __init__(self, initial_value, name="Variable", trainable=True):
        initial = initial_value if isinstance(initial_value, Node) else constant(initial_value)
        super().__init__("variable", (), {}, initial.shape, initial.dtype, name)
        self.trainable = trainable
        self.initializer = self.assign(initial)

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
KERNELS["assign_add"] = lambda s, node, value: stored(s, node, current(s, node) + value)
KERNELS["assign_sub"] = lambda s, node, value: stored(s, node, current(s, node) - value)
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


# %% answer="variables" name="initializer_of_trainable" loses="group"
# Every variable gets its initial value from `global_variables_initializer`, all of them.
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
KERNELS["assign_add"] = lambda s, node, value: stored(s, node, current(s, node) + value)
KERNELS["assign_sub"] = lambda s, node, value: stored(s, node, current(s, node) - value)
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
    return group(*(variable.initializer for variable in GRAPHS[-1].variables[:1]))


# %% answer="variables" name="inner_block_forgets" loses="ordered"
# Inside of two blocks of `control_dependencies`, a node of yours waits for the inner one only.
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
KERNELS["assign_add"] = lambda s, node, value: stored(s, node, current(s, node) + value)
KERNELS["assign_sub"] = lambda s, node, value: stored(s, node, current(s, node) - value)
KERNELS["group"] = lambda session, node: None


@contextmanager
def control_dependencies(nodes):
    """Make every node made inside the block run after these."""
    graph = GRAPHS[-1]
    before, graph.waiting = graph.waiting, [*nodes]
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


# %% answer="variables" name="block_never_ends" loses="ordered"
# If an error ends the block, your graph goes on waiting. Put the old list back in `finally`.
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
KERNELS["assign_add"] = lambda s, node, value: stored(s, node, current(s, node) + value)
KERNELS["assign_sub"] = lambda s, node, value: stored(s, node, current(s, node) - value)
KERNELS["group"] = lambda session, node: None


@contextmanager
def control_dependencies(nodes):
    """Make every node made inside the block run after these."""
    graph = GRAPHS[-1]
    before, graph.waiting = graph.waiting, [*graph.waiting, *nodes]
    yield
    graph.waiting = before


def group(*nodes):
    """Return a node without a value that runs all of these."""
    with control_dependencies(nodes):
        return Node("group")


def global_variables_initializer():
    """Return a node that gives every variable of the graph its initial value."""
    return group(*(variable.initializer for variable in GRAPHS[-1].variables))


# %% answer="variables" name="waiting_left" loses="ordered group"
# After the block your graph still waits for its nodes.
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
KERNELS["assign_add"] = lambda s, node, value: stored(s, node, current(s, node) + value)
KERNELS["assign_sub"] = lambda s, node, value: stored(s, node, current(s, node) - value)
KERNELS["group"] = lambda session, node: None


@contextmanager
def control_dependencies(nodes):
    """Make every node made inside the block run after these."""
    graph = GRAPHS[-1]
    before, graph.waiting = graph.waiting, [*graph.waiting, *nodes]
    try:
        yield
    except BaseException:
        graph.waiting = before
        raise


def group(*nodes):
    """Return a node without a value that runs all of these."""
    with control_dependencies(nodes):
        return Node("group")


def global_variables_initializer():
    """Return a node that gives every variable of the graph its initial value."""
    return group(*(variable.initializer for variable in GRAPHS[-1].variables))


# %% answer="variables" name="shape_unchecked" loses="errors"
# A value of another shape is assigned without a word. Raise a ValueError that names the variable,
# when the node is made.
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
        if value.shape != self.shape and len(value.shape) > 9:
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
KERNELS["assign_add"] = lambda s, node, value: stored(s, node, current(s, node) + value)
KERNELS["assign_sub"] = lambda s, node, value: stored(s, node, current(s, node) - value)
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


# %% answer="variables" name="broadcasts" loses="errors"
# A value whose shape can be broadcast to that of the variable is accepted. The shapes must be
# equal.
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
        if value.shape != self.shape and value.shape not in ((), (1,)):
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
KERNELS["assign_add"] = lambda s, node, value: stored(s, node, current(s, node) + value)
KERNELS["assign_sub"] = lambda s, node, value: stored(s, node, current(s, node) - value)
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


# %% answer="variables" name="shape_checked_late" loses="errors"
# A value of another shape is refused only when the node runs. Nodes know their shapes: refuse it
# when the node is made.
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


def stored(session, node, value):
    """Put a copy of a value into the session, for the variable of an assigning node."""
    if np.shape(value) != node.shape:
        raise ValueError(f"{node.options['variable'].name!r} has another shape")
    session.values[node.options["variable"]] = value = np.array(value, dtype=node.dtype)
    return value


def current(session, node):
    """Return the value, at this moment, of the variable that a node belongs to."""
    return looked_up(session.values, node.options["variable"])


KERNELS["variable"] = lambda session, node: looked_up(session.before, node)
KERNELS["read"] = current
KERNELS["assign"] = stored
KERNELS["assign_add"] = lambda s, node, value: stored(s, node, current(s, node) + value)
KERNELS["assign_sub"] = lambda s, node, value: stored(s, node, current(s, node) - value)
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


# %% answer="variables" name="key_error" loses="errors"
# A variable without a value should raise a RuntimeError with its name.
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
    return values[variable]


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
KERNELS["assign_add"] = lambda s, node, value: stored(s, node, current(s, node) + value)
KERNELS["assign_sub"] = lambda s, node, value: stored(s, node, current(s, node) - value)
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


# %% answer="variables" name="zero_without_value" loses="errors"
# A variable whose initializer has not run is 0 in your session. It has no value, and using it is an
# error.
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
        return np.zeros(variable.shape, variable.dtype)
    return values[variable]


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
KERNELS["assign_add"] = lambda s, node, value: stored(s, node, current(s, node) + value)
KERNELS["assign_sub"] = lambda s, node, value: stored(s, node, current(s, node) - value)
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


# %% answer="variables" name="initial_value_from_the_start" loses="errors"
# Your variable has its initial value although its initializer has not run in this session.
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
        return np.asarray(Session().run(variable.initializer))
    return values[variable]


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
KERNELS["assign_add"] = lambda s, node, value: stored(s, node, current(s, node) + value)
KERNELS["assign_sub"] = lambda s, node, value: stored(s, node, current(s, node) - value)
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


# %% answer="variables" name="always_float64" loses="made assign"
# Your variable is float64, whatever its initial value is.
class Variable(Node):
    """A node whose value lives in the session and changes only when an assigning node runs."""

    def __init__(self, initial_value, name="Variable", trainable=True):
        initial = initial_value if isinstance(initial_value, Node) else constant(initial_value)
        super().__init__("variable", (), {}, initial.shape, "float64", name)
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
KERNELS["assign_add"] = lambda s, node, value: stored(s, node, current(s, node) + value)
KERNELS["assign_sub"] = lambda s, node, value: stored(s, node, current(s, node) - value)
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


# %% answer="variables" name="group_forgets_blocks" loses="group"
# A group that is made inside of `control_dependencies` does not wait for the block's nodes.
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
        return self._node("assign_add", value)

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
    node.after = nodes
    return node


def global_variables_initializer():
    return group(*(v.initializer for v in GRAPHS[-1].variables))


# %% [markdown]
# ## resident


# %% answer="resident" name="updates_never_run" loses="trains copies"
# Your losses stay as they are: the nodes that move the weights are made, and never run. Fetch them
# together with the loss.
def train_resident(x, y, w1, w2, lr, steps, session):
    """Train the two-layer net with weights that stay in the session; return losses, w1, w2."""
    with Graph().as_default():
        weights = [Variable(w1, "w1"), Variable(w2, "w2")]
        loss = cr.sum((cr.relu(constant(x) @ weights[0]) @ weights[1] - y) ** 2)
        slopes = gradients(loss, weights)
        updates = group(*(w.assign_sub(lr * g) for w, g in zip(weights, slopes, strict=True)))
        init = global_variables_initializer()
    session.run(init)
    losses = [float(session.run(loss)) for _step in range(steps)]
    return losses, *session.run(weights)


def bytes_per_step(n, d_in, h, d_out, itemsize):
    """Return the bytes copied in a step: weights fed, weights as variables, everything resident."""
    data, weights = n * (d_in + d_out), h * (d_in + d_out)
    return (data + 2 * weights + 1) * itemsize, (data + 1) * itemsize, itemsize


# %% answer="resident" name="weights_come_back" loses="copies"
# Your steps bring whole weight matrices back. Group the updates: a group runs them, and its value
# is None.
def train_resident(x, y, w1, w2, lr, steps, session):
    """Train the two-layer net with weights that stay in the session; return losses, w1, w2."""
    with Graph().as_default():
        weights = [Variable(w1, "w1"), Variable(w2, "w2")]
        loss = cr.sum((cr.relu(constant(x) @ weights[0]) @ weights[1] - y) ** 2)
        slopes = gradients(loss, weights)
        updates = [w.assign_sub(lr * g) for w, g in zip(weights, slopes, strict=True)]
        init = global_variables_initializer()
    session.run(init)
    losses = [float(session.run([loss, updates])[0]) for _step in range(steps)]
    return losses, *session.run(weights)


def bytes_per_step(n, d_in, h, d_out, itemsize):
    """Return the bytes copied in a step: weights fed, weights as variables, everything resident."""
    data, weights = n * (d_in + d_out), h * (d_in + d_out)
    return (data + 2 * weights + 1) * itemsize, (data + 1) * itemsize, itemsize


# %% answer="resident" name="batch_is_fed" loses="copies"
# x and y are the same in each step, and your program feeds them each time. Here they can live in
# the graph.
def train_resident(x, y, w1, w2, lr, steps, session):
    """Train the two-layer net with weights that stay in the session; return losses, w1, w2."""
    with Graph().as_default():
        weights = [Variable(w1, "w1"), Variable(w2, "w2")]
        hole = placeholder(x.dtype, x.shape)
        loss = cr.sum((cr.relu(hole @ weights[0]) @ weights[1] - y) ** 2)
        slopes = gradients(loss, weights)
        updates = group(*(w.assign_sub(lr * g) for w, g in zip(weights, slopes, strict=True)))
        init = global_variables_initializer()
    session.run(init)
    losses = [float(session.run([loss, updates], {hole: x})[0]) for _step in range(steps)]
    return losses, *session.run(weights)


def bytes_per_step(n, d_in, h, d_out, itemsize):
    """Return the bytes copied in a step: weights fed, weights as variables, everything resident."""
    data, weights = n * (d_in + d_out), h * (d_in + d_out)
    return (data + 2 * weights + 1) * itemsize, (data + 1) * itemsize, itemsize


# %% answer="resident" name="weights_fed" loses="copies"
# Your weights are fed and fetched in each step. Make them variables.
def train_resident(x, y, w1, w2, lr, steps, session):
    return train_fed(x, y, w1, w2, lr, steps, session)


def bytes_per_step(n, d_in, h, d_out, itemsize):
    """Return the bytes copied in a step: weights fed, weights as variables, everything resident."""
    data, weights = n * (d_in + d_out), h * (d_in + d_out)
    return (data + 2 * weights + 1) * itemsize, (data + 1) * itemsize, itemsize


# %% answer="resident" name="loss_in_a_run_of_its_own" loses="copies"
# In each step your program runs twice. Loss and updates belong into one run; and what happens in a
# run sees the weights from before it.
def train_resident(x, y, w1, w2, lr, steps, session):
    """Train the two-layer net with weights that stay in the session; return losses, w1, w2."""
    with Graph().as_default():
        weights = [Variable(w1, "w1"), Variable(w2, "w2")]
        loss = cr.sum((cr.relu(constant(x) @ weights[0]) @ weights[1] - y) ** 2)
        slopes = gradients(loss, weights)
        updates = group(*(w.assign_sub(lr * g) for w, g in zip(weights, slopes, strict=True)))
        init = global_variables_initializer()
    session.run(init)
    losses = []
    for _step in range(steps):
        losses.append(float(session.run([loss, weights[1]])[0]))
        session.run(updates)
    return losses, *session.run(weights)


def bytes_per_step(n, d_in, h, d_out, itemsize):
    """Return the bytes copied in a step: weights fed, weights as variables, everything resident."""
    data, weights = n * (d_in + d_out), h * (d_in + d_out)
    return (data + 2 * weights + 1) * itemsize, (data + 1) * itemsize, itemsize


# %% answer="resident" name="loss_after_the_update" loses="trains copies built_once"
# Your losses are those after the updates. They should be those before.
def train_resident(x, y, w1, w2, lr, steps, session):
    """Train the two-layer net with weights that stay in the session; return losses, w1, w2."""
    with Graph().as_default():
        weights = [Variable(w1, "w1"), Variable(w2, "w2")]
        loss = cr.sum((cr.relu(constant(x) @ weights[0]) @ weights[1] - y) ** 2)
        slopes = gradients(loss, weights)
        updates = group(*(w.assign_sub(lr * g) for w, g in zip(weights, slopes, strict=True)))
        init = global_variables_initializer()
    session.run(init)
    losses = []
    for _step in range(steps):
        session.run(updates)
        losses.append(float(session.run(loss)))
    return losses, *session.run(weights)


def bytes_per_step(n, d_in, h, d_out, itemsize):
    """Return the bytes copied in a step: weights fed, weights as variables, everything resident."""
    data, weights = n * (d_in + d_out), h * (d_in + d_out)
    return (data + 2 * weights + 1) * itemsize, (data + 1) * itemsize, itemsize


# %% answer="resident" name="graph_in_the_loop" loses="built_once"
# Your graph grows with each step: something that makes nodes stands in the loop. Define first, then
# run.
def train_resident(x, y, w1, w2, lr, steps, session):
    """Train the two-layer net with weights that stay in the session; return losses, w1, w2."""
    with Graph().as_default():
        weights = [Variable(w1, "w1"), Variable(w2, "w2")]
        loss = cr.sum((cr.relu(constant(x) @ weights[0]) @ weights[1] - y) ** 2)
        slopes = gradients(loss, weights)
        updates = group(*(w.assign_sub(lr * g) for w, g in zip(weights, slopes, strict=True)))
        init = global_variables_initializer()
    session.run(init)
    losses = []
    for _step in range(steps):
        step = group(*(w.assign_sub(lr * g) for w, g in zip(weights, slopes, strict=True)))
        losses.append(float(session.run([loss, step])[0]))
    return losses, *session.run(weights)


def bytes_per_step(n, d_in, h, d_out, itemsize):
    """Return the bytes copied in a step: weights fed, weights as variables, everything resident."""
    data, weights = n * (d_in + d_out), h * (d_in + d_out)
    return (data + 2 * weights + 1) * itemsize, (data + 1) * itemsize, itemsize


# %% answer="resident" name="graph_per_step" loses="copies built_once"
# Your program builds a new graph for each step, and carries the weights over. One graph is enough.
def train_resident(x, y, w1, w2, lr, steps, session):
    losses, weights = [], (w1, w2)
    for _step in range(steps):
        with Graph().as_default():
            made = [Variable(w) for w in weights]
            loss = cr.sum((cr.relu(x @ made[0]) @ made[1] - y) ** 2)
            slopes = gradients(loss, made)
            new = [w.assign_sub(lr * g) for w, g in zip(made, slopes, strict=True)]
            init = global_variables_initializer()
        session.run(init)
        value, weights = session.run([loss, new])
        losses.append(float(value))
    return losses, *weights


def bytes_per_step(n, d_in, h, d_out, itemsize):
    data, weights = n * (d_in + d_out), h * (d_in + d_out)
    return (data + 2 * weights + 1) * itemsize, (data + 1) * itemsize, itemsize


# %% answer="resident" name="one_weight_after_the_other" loses="trains copies built_once"
# Your second weight is moved by a gradient that sees the first one moved already. Both gradients
# belong to the same moment.
def train_resident(x, y, w1, w2, lr, steps, session):
    """Train the two-layer net with weights that stay in the session; return losses, w1, w2."""
    with Graph().as_default():
        weights = [Variable(w1, "w1"), Variable(w2, "w2")]
        loss = cr.sum((cr.relu(constant(x) @ weights[0]) @ weights[1] - y) ** 2)
        slopes = gradients(loss, weights)
        updates = group(*(w.assign_sub(lr * g) for w, g in zip(weights, slopes, strict=True)))
        init = global_variables_initializer()
    session.run(init)
    losses, moves = [], [w.assign_sub(lr * g) for w, g in zip(weights, slopes, strict=True)]
    for _step in range(steps):
        losses.append(float(session.run([loss, group(moves[0])])[0]))
        session.run(group(moves[1]))
    return losses, *session.run(weights)


def bytes_per_step(n, d_in, h, d_out, itemsize):
    """Return the bytes copied in a step: weights fed, weights as variables, everything resident."""
    data, weights = n * (d_in + d_out), h * (d_in + d_out)
    return (data + 2 * weights + 1) * itemsize, (data + 1) * itemsize, itemsize


# %% answer="resident" name="mean_loss" loses="trains copies built_once"
# Your loss is a mean. That of `train_fed` is a sum.
def train_resident(x, y, w1, w2, lr, steps, session):
    """Train the two-layer net with weights that stay in the session; return losses, w1, w2."""
    with Graph().as_default():
        weights = [Variable(w1, "w1"), Variable(w2, "w2")]
        loss = cr.mean((cr.relu(constant(x) @ weights[0]) @ weights[1] - y) ** 2)
        slopes = gradients(loss, weights)
        updates = group(*(w.assign_sub(lr * g) for w, g in zip(weights, slopes, strict=True)))
        init = global_variables_initializer()
    session.run(init)
    losses = [float(session.run([loss, updates])[0]) for _step in range(steps)]
    return losses, *session.run(weights)


def bytes_per_step(n, d_in, h, d_out, itemsize):
    """Return the bytes copied in a step: weights fed, weights as variables, everything resident."""
    data, weights = n * (d_in + d_out), h * (d_in + d_out)
    return (data + 2 * weights + 1) * itemsize, (data + 1) * itemsize, itemsize


# %% answer="resident" name="uphill" loses="trains copies"
# Your weights move along the gradient, which is uphill.
def train_resident(x, y, w1, w2, lr, steps, session):
    """Train the two-layer net with weights that stay in the session; return losses, w1, w2."""
    with Graph().as_default():
        weights = [Variable(w1, "w1"), Variable(w2, "w2")]
        loss = cr.sum((cr.relu(constant(x) @ weights[0]) @ weights[1] - y) ** 2)
        slopes = gradients(loss, weights)
        updates = group(*(w.assign_add(lr * g) for w, g in zip(weights, slopes, strict=True)))
        init = global_variables_initializer()
    session.run(init)
    losses = [float(session.run([loss, updates])[0]) for _step in range(steps)]
    return losses, *session.run(weights)


def bytes_per_step(n, d_in, h, d_out, itemsize):
    """Return the bytes copied in a step: weights fed, weights as variables, everything resident."""
    data, weights = n * (d_in + d_out), h * (d_in + d_out)
    return (data + 2 * weights + 1) * itemsize, (data + 1) * itemsize, itemsize


# %% answer="resident" name="gradient_assigned" loses="trains copies"
# Your weights become the step, instead of being moved by it.
def train_resident(x, y, w1, w2, lr, steps, session):
    """Train the two-layer net with weights that stay in the session; return losses, w1, w2."""
    with Graph().as_default():
        weights = [Variable(w1, "w1"), Variable(w2, "w2")]
        loss = cr.sum((cr.relu(constant(x) @ weights[0]) @ weights[1] - y) ** 2)
        slopes = gradients(loss, weights)
        updates = group(*(w.assign(lr * g) for w, g in zip(weights, slopes, strict=True)))
        init = global_variables_initializer()
    session.run(init)
    losses = [float(session.run([loss, updates])[0]) for _step in range(steps)]
    return losses, *session.run(weights)


def bytes_per_step(n, d_in, h, d_out, itemsize):
    """Return the bytes copied in a step: weights fed, weights as variables, everything resident."""
    data, weights = n * (d_in + d_out), h * (d_in + d_out)
    return (data + 2 * weights + 1) * itemsize, (data + 1) * itemsize, itemsize


# %% answer="resident" name="in_the_open_graph" loses="built_once"
# Your nodes end up in the graph that is open when the function is called. Open one of your own:
# `with Graph().as_default():`.
def train_resident(x, y, w1, w2, lr, steps, session):
    """Train the two-layer net with weights that stay in the session; return losses, w1, w2."""
    if True:
        weights = [Variable(w1, "w1"), Variable(w2, "w2")]
        loss = cr.sum((cr.relu(constant(x) @ weights[0]) @ weights[1] - y) ** 2)
        slopes = gradients(loss, weights)
        updates = group(*(w.assign_sub(lr * g) for w, g in zip(weights, slopes, strict=True)))
        init = group(*(w.initializer for w in weights))
    session.run(init)
    losses = [float(session.run([loss, updates])[0]) for _step in range(steps)]
    return losses, *session.run(weights)


def bytes_per_step(n, d_in, h, d_out, itemsize):
    """Return the bytes copied in a step: weights fed, weights as variables, everything resident."""
    data, weights = n * (d_in + d_out), h * (d_in + d_out)
    return (data + 2 * weights + 1) * itemsize, (data + 1) * itemsize, itemsize


# %% answer="resident" name="only_gradients_counted" loses="bytes"
# In the first number something is missing: the weights go in, their gradients come out, and x, y
# and the loss travel too.
def train_resident(x, y, w1, w2, lr, steps, session):
    """Train the two-layer net with weights that stay in the session; return losses, w1, w2."""
    with Graph().as_default():
        weights = [Variable(w1, "w1"), Variable(w2, "w2")]
        loss = cr.sum((cr.relu(constant(x) @ weights[0]) @ weights[1] - y) ** 2)
        slopes = gradients(loss, weights)
        updates = group(*(w.assign_sub(lr * g) for w, g in zip(weights, slopes, strict=True)))
        init = global_variables_initializer()
    session.run(init)
    losses = [float(session.run([loss, updates])[0]) for _step in range(steps)]
    return losses, *session.run(weights)


def bytes_per_step(n, d_in, h, d_out, itemsize):
    """Return the bytes copied in a step: weights fed, weights as variables, everything resident."""
    data, weights = n * (d_in + d_out), h * (d_in + d_out)
    return (data + weights + 1) * itemsize, (data + 1) * itemsize, itemsize


# %% answer="resident" name="loss_not_counted" loses="bytes"
# The loss is a number that is copied as well.
def train_resident(x, y, w1, w2, lr, steps, session):
    """Train the two-layer net with weights that stay in the session; return losses, w1, w2."""
    with Graph().as_default():
        weights = [Variable(w1, "w1"), Variable(w2, "w2")]
        loss = cr.sum((cr.relu(constant(x) @ weights[0]) @ weights[1] - y) ** 2)
        slopes = gradients(loss, weights)
        updates = group(*(w.assign_sub(lr * g) for w, g in zip(weights, slopes, strict=True)))
        init = global_variables_initializer()
    session.run(init)
    losses = [float(session.run([loss, updates])[0]) for _step in range(steps)]
    return losses, *session.run(weights)


def bytes_per_step(n, d_in, h, d_out, itemsize):
    """Return the bytes copied in a step: weights fed, weights as variables, everything resident."""
    data, weights = n * (d_in + d_out), h * (d_in + d_out)
    return (data + 2 * weights + 1) * itemsize, data * itemsize, itemsize


# %% answer="resident" name="always_eight" loses="bytes"
# Numbers have `itemsize` bytes, not always eight.
def train_resident(x, y, w1, w2, lr, steps, session):
    """Train the two-layer net with weights that stay in the session; return losses, w1, w2."""
    with Graph().as_default():
        weights = [Variable(w1, "w1"), Variable(w2, "w2")]
        loss = cr.sum((cr.relu(constant(x) @ weights[0]) @ weights[1] - y) ** 2)
        slopes = gradients(loss, weights)
        updates = group(*(w.assign_sub(lr * g) for w, g in zip(weights, slopes, strict=True)))
        init = global_variables_initializer()
    session.run(init)
    losses = [float(session.run([loss, updates])[0]) for _step in range(steps)]
    return losses, *session.run(weights)


def bytes_per_step(n, d_in, h, d_out, itemsize):
    """Return the bytes copied in a step: weights fed, weights as variables, everything resident."""
    data, weights = n * (d_in + d_out), h * (d_in + d_out)
    return (data + 2 * weights + 1) * itemsize, (data + 1) * itemsize, 8


# %% answer="resident" name="by_hand_outside" loses="copies"
# The weights are trained outside of the session; nothing in it is a weight.
def train_resident(x, y, w1, w2, lr, steps, session):
    losses = []
    with Graph().as_default():
        one = constant(np.zeros(()))
    for _ in range(steps):
        h = np.maximum(x @ w1, 0)
        d = h @ w2 - y
        losses.append(float((d * d).sum()))
        session.run(one)
        g2 = h.T @ (2 * d)
        g1 = x.T @ ((2 * d) @ w2.T * (h > 0))
        w1, w2 = w1 - lr * g1, w2 - lr * g2
    return losses, w1, w2


def bytes_per_step(n, d_in, h, d_out, itemsize):
    data = n * d_in + n * d_out
    weights = d_in * h + h * d_out
    return (data + 2 * weights + 1) * itemsize, (data + 1) * itemsize, itemsize


# %% [markdown]
# ## optimizer


# %% answer="optimizer" name="uphill" loses="minimize which in_between"
# Your variables move along the gradient, which is uphill.
def random_normal(shape, mean=0.0, stddev=1.0, dtype="float32", name=None):
    """Return a node with new normal random numbers in each run."""
    options = {"mean": mean, "stddev": stddev}
    return Node("random_normal", (), options, shape, dtype, name)


# The kernel of your new op stands here: KERNELS[...] = ...
def drawn(session, node):
    """Return the numbers of a random node, from the session's generator."""
    numbers = session.rng.normal(node.options["mean"], node.options["stddev"], node.shape)
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
        updates = [v.assign_add(g * self.learning_rate) for g, v in pairs if g is not None]
        if not updates:
            raise ValueError("no variable has a gradient: the loss depends on none of them")
        return group(*updates)

    def minimize(self, loss, var_list=None):
        """Return a node that makes one step of gradient descent."""
        return self.apply_gradients(self.compute_gradients(loss, var_list))


# %% answer="optimizer" name="all_variables" loses="which"
# Your optimizer moves variables that are not trainable.
def random_normal(shape, mean=0.0, stddev=1.0, dtype="float32", name=None):
    """Return a node with new normal random numbers in each run."""
    options = {"mean": mean, "stddev": stddev}
    return Node("random_normal", (), options, shape, dtype, name)


# The kernel of your new op stands here: KERNELS[...] = ...
def drawn(session, node):
    """Return the numbers of a random node, from the session's generator."""
    numbers = session.rng.normal(node.options["mean"], node.options["stddev"], node.shape)
    return np.asarray(numbers, dtype=node.dtype)


KERNELS["random_normal"] = drawn


class GradientDescentOptimizer:
    """Makes the nodes that move variables down a loss."""

    def __init__(self, learning_rate):
        self.learning_rate = learning_rate

    def compute_gradients(self, loss, var_list=None):
        """Return (gradient, variable) for these variables, or for all trainable ones."""
        if var_list is None:
            var_list = [v for v in GRAPHS[-1].variables]
        return list(zip(gradients(loss, var_list), var_list, strict=True))

    def apply_gradients(self, pairs):
        """Return a node that moves the variables by -learning_rate times their gradients."""
        updates = [v.assign_sub(g * self.learning_rate) for g, v in pairs if g is not None]
        if not updates:
            raise ValueError("no variable has a gradient: the loss depends on none of them")
        return group(*updates)

    def minimize(self, loss, var_list=None):
        """Return a node that makes one step of gradient descent."""
        return self.apply_gradients(self.compute_gradients(loss, var_list))


# %% answer="optimizer" name="var_list_ignored" loses="which"
# `var_list` says which variables to take. Your optimizer takes others.
def random_normal(shape, mean=0.0, stddev=1.0, dtype="float32", name=None):
    """Return a node with new normal random numbers in each run."""
    options = {"mean": mean, "stddev": stddev}
    return Node("random_normal", (), options, shape, dtype, name)


# The kernel of your new op stands here: KERNELS[...] = ...
def drawn(session, node):
    """Return the numbers of a random node, from the session's generator."""
    numbers = session.rng.normal(node.options["mean"], node.options["stddev"], node.shape)
    return np.asarray(numbers, dtype=node.dtype)


KERNELS["random_normal"] = drawn


class GradientDescentOptimizer:
    """Makes the nodes that move variables down a loss."""

    def __init__(self, learning_rate):
        self.learning_rate = learning_rate

    def compute_gradients(self, loss, var_list=None):
        """Return (gradient, variable) for these variables, or for all trainable ones."""
        if True:
            var_list = [v for v in GRAPHS[-1].variables if v.trainable]
        return list(zip(gradients(loss, var_list), var_list, strict=True))

    def apply_gradients(self, pairs):
        """Return a node that moves the variables by -learning_rate times their gradients."""
        updates = [v.assign_sub(g * self.learning_rate) for g, v in pairs if g is not None]
        if not updates:
            raise ValueError("no variable has a gradient: the loss depends on none of them")
        return group(*updates)

    def minimize(self, loss, var_list=None):
        """Return a node that makes one step of gradient descent."""
        return self.apply_gradients(self.compute_gradients(loss, var_list))


# %% answer="optimizer" name="var_list_lost_by_minimize" loses="which"
# `minimize` does not hand its `var_list` on.
def random_normal(shape, mean=0.0, stddev=1.0, dtype="float32", name=None):
    """Return a node with new normal random numbers in each run."""
    options = {"mean": mean, "stddev": stddev}
    return Node("random_normal", (), options, shape, dtype, name)


# The kernel of your new op stands here: KERNELS[...] = ...
def drawn(session, node):
    """Return the numbers of a random node, from the session's generator."""
    numbers = session.rng.normal(node.options["mean"], node.options["stddev"], node.shape)
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
        updates = [v.assign_sub(g * self.learning_rate) for g, v in pairs if g is not None]
        if not updates:
            raise ValueError("no variable has a gradient: the loss depends on none of them")
        return group(*updates)

    def minimize(self, loss, var_list=None):
        """Return a node that makes one step of gradient descent."""
        return self.apply_gradients(self.compute_gradients(loss))


# %% answer="optimizer" name="var_list_filtered" loses="which"
# A variable that is named in `var_list` is left out because it is not trainable. Who names it wants
# it.
def random_normal(shape, mean=0.0, stddev=1.0, dtype="float32", name=None):
    """Return a node with new normal random numbers in each run."""
    options = {"mean": mean, "stddev": stddev}
    return Node("random_normal", (), options, shape, dtype, name)


# The kernel of your new op stands here: KERNELS[...] = ...
def drawn(session, node):
    """Return the numbers of a random node, from the session's generator."""
    numbers = session.rng.normal(node.options["mean"], node.options["stddev"], node.shape)
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
        var_list = [v for v in var_list if v.trainable]
        return list(zip(gradients(loss, var_list), var_list, strict=True))

    def apply_gradients(self, pairs):
        """Return a node that moves the variables by -learning_rate times their gradients."""
        updates = [v.assign_sub(g * self.learning_rate) for g, v in pairs if g is not None]
        if not updates:
            raise ValueError("no variable has a gradient: the loss depends on none of them")
        return group(*updates)

    def minimize(self, loss, var_list=None):
        """Return a node that makes one step of gradient descent."""
        return self.apply_gradients(self.compute_gradients(loss, var_list))


# %% answer="optimizer" name="unreached_left_out" loses="which"
# A variable that the loss does not reach has a pair too, with None as its gradient.
def random_normal(shape, mean=0.0, stddev=1.0, dtype="float32", name=None):
    """Return a node with new normal random numbers in each run."""
    options = {"mean": mean, "stddev": stddev}
    return Node("random_normal", (), options, shape, dtype, name)


# The kernel of your new op stands here: KERNELS[...] = ...
def drawn(session, node):
    """Return the numbers of a random node, from the session's generator."""
    numbers = session.rng.normal(node.options["mean"], node.options["stddev"], node.shape)
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
        pairs = zip(gradients(loss, var_list), var_list, strict=True)
        return [(g, v) for g, v in pairs if g is not None]

    def apply_gradients(self, pairs):
        """Return a node that moves the variables by -learning_rate times their gradients."""
        updates = [v.assign_sub(g * self.learning_rate) for g, v in pairs if g is not None]
        if not updates:
            raise ValueError("no variable has a gradient: the loss depends on none of them")
        return group(*updates)

    def minimize(self, loss, var_list=None):
        """Return a node that makes one step of gradient descent."""
        return self.apply_gradients(self.compute_gradients(loss, var_list))


# %% answer="optimizer" name="none_not_expected" loses="which in_between"
# A pair may have None as its gradient. Such a variable is left out.
def random_normal(shape, mean=0.0, stddev=1.0, dtype="float32", name=None):
    """Return a node with new normal random numbers in each run."""
    options = {"mean": mean, "stddev": stddev}
    return Node("random_normal", (), options, shape, dtype, name)


# The kernel of your new op stands here: KERNELS[...] = ...
def drawn(session, node):
    """Return the numbers of a random node, from the session's generator."""
    numbers = session.rng.normal(node.options["mean"], node.options["stddev"], node.shape)
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
        updates = [v.assign_sub(g * self.learning_rate) for g, v in pairs]
        if not updates:
            raise ValueError("no variable has a gradient: the loss depends on none of them")
        return group(*updates)

    def minimize(self, loss, var_list=None):
        """Return a node that makes one step of gradient descent."""
        return self.apply_gradients(self.compute_gradients(loss, var_list))


# %% answer="optimizer" name="pairs_turned_around" loses="which in_between"
# A pair is (gradient, variable), in this order.
def random_normal(shape, mean=0.0, stddev=1.0, dtype="float32", name=None):
    """Return a node with new normal random numbers in each run."""
    options = {"mean": mean, "stddev": stddev}
    return Node("random_normal", (), options, shape, dtype, name)


# The kernel of your new op stands here: KERNELS[...] = ...
def drawn(session, node):
    """Return the numbers of a random node, from the session's generator."""
    numbers = session.rng.normal(node.options["mean"], node.options["stddev"], node.shape)
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
        return list(zip(var_list, gradients(loss, var_list), strict=True))

    def apply_gradients(self, pairs):
        """Return a node that moves the variables by -learning_rate times their gradients."""
        updates = [v.assign_sub(g * self.learning_rate) for v, g in pairs if g is not None]
        if not updates:
            raise ValueError("no variable has a gradient: the loss depends on none of them")
        return group(*updates)

    def minimize(self, loss, var_list=None):
        """Return a node that makes one step of gradient descent."""
        return self.apply_gradients(self.compute_gradients(loss, var_list))


# %% answer="optimizer" name="values_come_back" loses="minimize in_between"
# The node of a step brings the new weights back. It should bring None.
def random_normal(shape, mean=0.0, stddev=1.0, dtype="float32", name=None):
    """Return a node with new normal random numbers in each run."""
    options = {"mean": mean, "stddev": stddev}
    return Node("random_normal", (), options, shape, dtype, name)


# The kernel of your new op stands here: KERNELS[...] = ...
def drawn(session, node):
    """Return the numbers of a random node, from the session's generator."""
    numbers = session.rng.normal(node.options["mean"], node.options["stddev"], node.shape)
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
        updates = [v.assign_sub(g * self.learning_rate) for g, v in pairs if g is not None]
        if not updates:
            raise ValueError("no variable has a gradient: the loss depends on none of them")
        return updates

    def minimize(self, loss, var_list=None):
        """Return a node that makes one step of gradient descent."""
        return self.apply_gradients(self.compute_gradients(loss, var_list))


# %% answer="optimizer" name="own_gradients_applied" loses="in_between"
# `apply_gradients` should use the gradients that it is given, changed or not.
def random_normal(shape, mean=0.0, stddev=1.0, dtype="float32", name=None):
    """Return a node with new normal random numbers in each run."""
    options = {"mean": mean, "stddev": stddev}
    return Node("random_normal", (), options, shape, dtype, name)


# The kernel of your new op stands here: KERNELS[...] = ...
def drawn(session, node):
    """Return the numbers of a random node, from the session's generator."""
    numbers = session.rng.normal(node.options["mean"], node.options["stddev"], node.shape)
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
        pairs = list(pairs)
        for g, _ in pairs:
            while g is not None and g.op == "minimum":
                pairs = [(h.inputs[0] if h is not None else h, v) for h, v in pairs]
                g = None
        updates = [v.assign_sub(g * self.learning_rate) for g, v in pairs if g is not None]
        if not updates:
            raise ValueError("no variable has a gradient: the loss depends on none of them")
        return group(*updates)

    def minimize(self, loss, var_list=None):
        """Return a node that makes one step of gradient descent."""
        return self.apply_gradients(self.compute_gradients(loss, var_list))


# %% answer="optimizer" name="pairs_read_twice" loses="in_between"
# `pairs` may be a generator, which can be read only once.
def random_normal(shape, mean=0.0, stddev=1.0, dtype="float32", name=None):
    """Return a node with new normal random numbers in each run."""
    options = {"mean": mean, "stddev": stddev}
    return Node("random_normal", (), options, shape, dtype, name)


# The kernel of your new op stands here: KERNELS[...] = ...
def drawn(session, node):
    """Return the numbers of a random node, from the session's generator."""
    numbers = session.rng.normal(node.options["mean"], node.options["stddev"], node.shape)
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
        if not list(pairs):
            raise ValueError("no pairs")
        updates = [v.assign_sub(g * self.learning_rate) for g, v in pairs if g is not None]
        if not updates:
            raise ValueError("no variable has a gradient: the loss depends on none of them")
        return group(*updates)

    def minimize(self, loss, var_list=None):
        """Return a node that makes one step of gradient descent."""
        return self.apply_gradients(self.compute_gradients(loss, var_list))


# %% answer="optimizer" name="silence_about_nothing" loses="in_between"
# If no variable has a gradient, training would do nothing, without a word. Raise a ValueError.
def random_normal(shape, mean=0.0, stddev=1.0, dtype="float32", name=None):
    """Return a node with new normal random numbers in each run."""
    options = {"mean": mean, "stddev": stddev}
    return Node("random_normal", (), options, shape, dtype, name)


# The kernel of your new op stands here: KERNELS[...] = ...
def drawn(session, node):
    """Return the numbers of a random node, from the session's generator."""
    numbers = session.rng.normal(node.options["mean"], node.options["stddev"], node.shape)
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
        updates = [v.assign_sub(g * self.learning_rate) for g, v in pairs if g is not None]
        return group(*updates)

    def minimize(self, loss, var_list=None):
        """Return a node that makes one step of gradient descent."""
        return self.apply_gradients(self.compute_gradients(loss, var_list))


# %% answer="optimizer" name="rate_as_a_float" loses="minimize"
# The learning rate may be a node, which has no value yet. Only multiply with it.
def random_normal(shape, mean=0.0, stddev=1.0, dtype="float32", name=None):
    """Return a node with new normal random numbers in each run."""
    options = {"mean": mean, "stddev": stddev}
    return Node("random_normal", (), options, shape, dtype, name)


# The kernel of your new op stands here: KERNELS[...] = ...
def drawn(session, node):
    """Return the numbers of a random node, from the session's generator."""
    numbers = session.rng.normal(node.options["mean"], node.options["stddev"], node.shape)
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
        if not isinstance(self.learning_rate, float):
            raise TypeError("the rate is no number")
        updates = [v.assign_sub(g * self.learning_rate) for g, v in pairs if g is not None]
        if not updates:
            raise ValueError("no variable has a gradient: the loss depends on none of them")
        return group(*updates)

    def minimize(self, loss, var_list=None):
        """Return a node that makes one step of gradient descent."""
        return self.apply_gradients(self.compute_gradients(loss, var_list))


# %% answer="optimizer" name="drawn_when_made" loses="random"
# Your random numbers are drawn when the node is made, and are the same in every run. They belong
# into the run, from the session's generator.
def random_normal(shape, mean=0.0, stddev=1.0, dtype="float32", name=None):
    """Return a node with new normal random numbers in each run."""
    return constant(np.random.default_rng(0).normal(mean, stddev, shape), dtype, name)


# The kernel of your new op stands here: KERNELS[...] = ...
def drawn(session, node):
    """Return the numbers of a random node, from the session's generator."""
    numbers = session.rng.normal(node.options["mean"], node.options["stddev"], node.shape)
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
        updates = [v.assign_sub(g * self.learning_rate) for g, v in pairs if g is not None]
        if not updates:
            raise ValueError("no variable has a gradient: the loss depends on none of them")
        return group(*updates)

    def minimize(self, loss, var_list=None):
        """Return a node that makes one step of gradient descent."""
        return self.apply_gradients(self.compute_gradients(loss, var_list))


# %% answer="optimizer" name="own_generator" loses="random"
# Your random numbers do not come from the session's generator, so its seed has no effect.
def random_normal(shape, mean=0.0, stddev=1.0, dtype="float32", name=None):
    """Return a node with new normal random numbers in each run."""
    options = {"mean": mean, "stddev": stddev}
    return Node("random_normal", (), options, shape, dtype, name)


# The kernel of your new op stands here: KERNELS[...] = ...
def drawn(session, node):
    """Return the numbers of a random node, from the session's generator."""
    numbers = np.random.normal(node.options["mean"], node.options["stddev"], node.shape)
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
        updates = [v.assign_sub(g * self.learning_rate) for g, v in pairs if g is not None]
        if not updates:
            raise ValueError("no variable has a gradient: the loss depends on none of them")
        return group(*updates)

    def minimize(self, loss, var_list=None):
        """Return a node that makes one step of gradient descent."""
        return self.apply_gradients(self.compute_gradients(loss, var_list))


# %% answer="optimizer" name="standard_only" loses="random"
# `mean` and `stddev` are not used, or exchanged.
def random_normal(shape, mean=0.0, stddev=1.0, dtype="float32", name=None):
    """Return a node with new normal random numbers in each run."""
    options = {"mean": mean, "stddev": stddev}
    return Node("random_normal", (), options, shape, dtype, name)


# The kernel of your new op stands here: KERNELS[...] = ...
def drawn(session, node):
    """Return the numbers of a random node, from the session's generator."""
    numbers = session.rng.normal(node.options["stddev"], node.options["mean"], node.shape)
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
        updates = [v.assign_sub(g * self.learning_rate) for g, v in pairs if g is not None]
        if not updates:
            raise ValueError("no variable has a gradient: the loss depends on none of them")
        return group(*updates)

    def minimize(self, loss, var_list=None):
        """Return a node that makes one step of gradient descent."""
        return self.apply_gradients(self.compute_gradients(loss, var_list))


# %% answer="optimizer" name="random_in_float64" loses="random"
# Your random node has another dtype than it says. The default is float32.
def random_normal(shape, mean=0.0, stddev=1.0, dtype="float32", name=None):
    """Return a node with new normal random numbers in each run."""
    options = {"mean": mean, "stddev": stddev}
    return Node("random_normal", (), options, shape, dtype, name)


# The kernel of your new op stands here: KERNELS[...] = ...
def drawn(session, node):
    """Return the numbers of a random node, from the session's generator."""
    numbers = session.rng.normal(node.options["mean"], node.options["stddev"], node.shape)
    return np.asarray(numbers)


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
        updates = [v.assign_sub(g * self.learning_rate) for g, v in pairs if g is not None]
        if not updates:
            raise ValueError("no variable has a gradient: the loss depends on none of them")
        return group(*updates)

    def minimize(self, loss, var_list=None):
        """Return a node that makes one step of gradient descent."""
        return self.apply_gradients(self.compute_gradients(loss, var_list))


# %% answer="optimizer" name="half_the_rate" loses="minimize which in_between"
# Your steps are not −learning_rate · gradient: something else is multiplied in.
def random_normal(shape, mean=0.0, stddev=1.0, dtype="float32", name=None):
    """Return a node with new normal random numbers in each run."""
    options = {"mean": mean, "stddev": stddev}
    return Node("random_normal", (), options, shape, dtype, name)


# The kernel of your new op stands here: KERNELS[...] = ...
def drawn(session, node):
    """Return the numbers of a random node, from the session's generator."""
    numbers = session.rng.normal(node.options["mean"], node.options["stddev"], node.shape)
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
        updates = [v.assign_sub(g * self.learning_rate / 2) for g, v in pairs if g is not None]
        if not updates:
            raise ValueError("no variable has a gradient: the loss depends on none of them")
        return group(*updates)

    def minimize(self, loss, var_list=None):
        """Return a node that makes one step of gradient descent."""
        return self.apply_gradients(self.compute_gradients(loss, var_list))


# %% answer="optimizer" name="empty_list_means_all" loses="which"
# An empty `var_list` is taken for none at all. Only None stands for all trainable variables.
def random_normal(shape, mean=0.0, stddev=1.0, dtype="float32", name=None):
    return Node("random_normal", (), {"mean": mean, "stddev": stddev}, shape, dtype, name)


KERNELS["random_normal"] = lambda session, node: np.asarray(
    session.rng.normal(node.options["mean"], node.options["stddev"], node.shape)
).astype(node.dtype)


class GradientDescentOptimizer:
    def __init__(self, learning_rate):
        self.learning_rate = learning_rate

    def compute_gradients(self, loss, var_list=None):
        if not var_list:
            var_list = [v for v in GRAPHS[-1].variables if v.trainable]
        return list(zip(gradients(loss, var_list), var_list))

    def apply_gradients(self, pairs):
        steps = [v.assign_sub(self.learning_rate * g) for g, v in pairs if g is not None]
        if not steps:
            raise ValueError("no gradients")
        return group(*steps)

    def minimize(self, loss, var_list=None):
        return self.apply_gradients(self.compute_gradients(loss, var_list))


# %% [markdown]
# ## theano


# %% answer="theano" name="updates_forgotten" loses="updates failed_call"
# Your function gives the outputs and makes no updates.
def function(inputs, outputs, updates=(), session=None):
    """Return a Python function of the inputs that gives the outputs and makes the updates."""
    session = session or Session()
    pairs = updates.items() if isinstance(updates, dict) else updates
    step = group(*(variable.assign(value) for variable, value in pairs))
    fetches = [[] if outputs is None else outputs, step]

    def f(*values):
        if len(values) != len(inputs):
            raise TypeError(f"expected {len(inputs)} values, came {len(values)}")
        result = session.run(fetches[0], dict(zip(inputs, values, strict=True)))
        return None if outputs is None else result

    return f


# %% answer="theano" name="updates_first" loses="updates"
# Your outputs see the variables after the updates. They belong to the values before the call.
def function(inputs, outputs, updates=(), session=None):
    """Return a Python function of the inputs that gives the outputs and makes the updates."""
    session = session or Session()
    pairs = updates.items() if isinstance(updates, dict) else updates
    step = group(*(variable.assign(value) for variable, value in pairs))
    fetches = [[] if outputs is None else outputs, step]

    def f(*values):
        if len(values) != len(inputs):
            raise TypeError(f"expected {len(inputs)} values, came {len(values)}")
        feeds = dict(zip(inputs, values, strict=True))
        session.run(fetches[1], feeds)
        result = session.run(fetches[0], feeds)
        return None if outputs is None else result

    return f


# %% answer="theano" name="one_update_after_the_other" loses="updates"
# Your updates run one after the other, and a later one sees what an earlier one has changed. All
# new values belong to the moment before the call.
def function(inputs, outputs, updates=(), session=None):
    """Return a Python function of the inputs that gives the outputs and makes the updates."""
    session = session or Session()
    pairs = updates.items() if isinstance(updates, dict) else updates
    steps = [variable.assign(value) for variable, value in pairs]
    fetches = [[] if outputs is None else outputs, group(*steps[:1])]

    def f(*values):
        if len(values) != len(inputs):
            raise TypeError(f"expected {len(inputs)} values, came {len(values)}")
        result, _ = session.run(fetches, dict(zip(inputs, values, strict=True)))
        for step in steps[1:]:
            session.run(group(step), dict(zip(inputs, values, strict=True)))
        return None if outputs is None else result

    return f


# %% answer="theano" name="nodes_in_every_call" loses="once"
# Each call of your function makes new nodes. Make them once, in `function`.
def function(inputs, outputs, updates=(), session=None):
    """Return a Python function of the inputs that gives the outputs and makes the updates."""
    session = session or Session()
    pairs = updates.items() if isinstance(updates, dict) else updates
    pairs = list(pairs)

    def f(*values):
        if len(values) != len(inputs):
            raise TypeError(f"expected {len(inputs)} values, came {len(values)}")
        step = group(*(variable.assign(value) for variable, value in pairs))
        fetches = [[] if outputs is None else outputs, step]
        result, _ = session.run(fetches, dict(zip(inputs, values, strict=True)))
        return None if outputs is None else result

    return f


# %% answer="theano" name="session_per_call" loses="once"
# Without a session, each call of your function runs in a new one. It should be made once, by
# `function`.
def function(inputs, outputs, updates=(), session=None):
    """Return a Python function of the inputs that gives the outputs and makes the updates."""
    pairs = updates.items() if isinstance(updates, dict) else updates
    step = group(*(variable.assign(value) for variable, value in pairs))
    fetches = [[] if outputs is None else outputs, step]

    def f(*values):
        if len(values) != len(inputs):
            raise TypeError(f"expected {len(inputs)} values, came {len(values)}")
        result, _ = (session or Session()).run(fetches, dict(zip(inputs, values, strict=True)))
        return None if outputs is None else result

    return f


# %% answer="theano" name="one_session_for_all" loses="once"
# Without a session, two functions of yours share one. Each has its own.
def function(inputs, outputs, updates=(), session=Session()):
    """Return a Python function of the inputs that gives the outputs and makes the updates."""
    session = session or Session()
    pairs = updates.items() if isinstance(updates, dict) else updates
    step = group(*(variable.assign(value) for variable, value in pairs))
    fetches = [[] if outputs is None else outputs, step]

    def f(*values):
        if len(values) != len(inputs):
            raise TypeError(f"expected {len(inputs)} values, came {len(values)}")
        result, _ = session.run(fetches, dict(zip(inputs, values, strict=True)))
        return None if outputs is None else result

    return f


# %% answer="theano" name="session_ignored" loses="updates failed_call"
# Your function does not run in the session that it is given.
def function(inputs, outputs, updates=(), session=None):
    """Return a Python function of the inputs that gives the outputs and makes the updates."""
    session = Session()
    pairs = updates.items() if isinstance(updates, dict) else updates
    step = group(*(variable.assign(value) for variable, value in pairs))
    fetches = [[] if outputs is None else outputs, step]

    def f(*values):
        if len(values) != len(inputs):
            raise TypeError(f"expected {len(inputs)} values, came {len(values)}")
        result, _ = session.run(fetches, dict(zip(inputs, values, strict=True)))
        return None if outputs is None else result

    return f


# %% answer="theano" name="values_by_name" loses="outputs"
# The values go to the inputs in the order in which `inputs` has them.
def function(inputs, outputs, updates=(), session=None):
    """Return a Python function of the inputs that gives the outputs and makes the updates."""
    session = session or Session()
    pairs = updates.items() if isinstance(updates, dict) else updates
    step = group(*(variable.assign(value) for variable, value in pairs))
    fetches = [[] if outputs is None else outputs, step]

    def f(*values):
        if len(values) != len(inputs):
            raise TypeError(f"expected {len(inputs)} values, came {len(values)}")
        by_name = sorted(inputs, key=lambda n: n.name)
        result, _ = session.run(fetches, dict(zip(by_name, values, strict=True)))
        return None if outputs is None else result

    return f


# %% answer="theano" name="too_many_values_ignored" loses="outputs failed_call"
# A value too many, or too few, should raise a TypeError.
def function(inputs, outputs, updates=(), session=None):
    """Return a Python function of the inputs that gives the outputs and makes the updates."""
    session = session or Session()
    pairs = updates.items() if isinstance(updates, dict) else updates
    step = group(*(variable.assign(value) for variable, value in pairs))
    fetches = [[] if outputs is None else outputs, step]

    def f(*values):
        result, _ = session.run(fetches, dict(zip(inputs, values, strict=False)))
        return None if outputs is None else result

    return f


# %% answer="theano" name="count_checked_afterwards" loses="failed_call"
# Your function notices a wrong number of values after it has made the updates.
def function(inputs, outputs, updates=(), session=None):
    """Return a Python function of the inputs that gives the outputs and makes the updates."""
    session = session or Session()
    pairs = updates.items() if isinstance(updates, dict) else updates
    step = group(*(variable.assign(value) for variable, value in pairs))
    fetches = [[] if outputs is None else outputs, step]

    def f(*values):
        feeds = dict(zip(inputs, values, strict=False))
        if len(values) >= len(inputs):
            result, _ = session.run(fetches, feeds)
        if len(values) != len(inputs):
            raise TypeError(f"expected {len(inputs)} values, came {len(values)}")
        return None if outputs is None else result

    return f


# %% answer="theano" name="list_always" loses="outputs updates failed_call once"
# Your function returns a list, or the value of the updates as well. It returns the outputs in their
# own structure.
def function(inputs, outputs, updates=(), session=None):
    """Return a Python function of the inputs that gives the outputs and makes the updates."""
    session = session or Session()
    pairs = updates.items() if isinstance(updates, dict) else updates
    step = group(*(variable.assign(value) for variable, value in pairs))
    fetches = [[] if outputs is None else outputs, step]

    def f(*values):
        if len(values) != len(inputs):
            raise TypeError(f"expected {len(inputs)} values, came {len(values)}")
        result, _ = session.run(fetches, dict(zip(inputs, values, strict=True)))
        return [result]

    return f


# %% answer="theano" name="none_becomes_list" loses="outputs"
# With None for outputs your function returns something. It should return None.
def function(inputs, outputs, updates=(), session=None):
    """Return a Python function of the inputs that gives the outputs and makes the updates."""
    session = session or Session()
    pairs = updates.items() if isinstance(updates, dict) else updates
    step = group(*(variable.assign(value) for variable, value in pairs))
    fetches = [[] if outputs is None else outputs, step]

    def f(*values):
        if len(values) != len(inputs):
            raise TypeError(f"expected {len(inputs)} values, came {len(values)}")
        result, _ = session.run(fetches, dict(zip(inputs, values, strict=True)))
        return result

    return f


# %% answer="theano" name="pairs_only" loses="updates once"
# `updates` may be a dict.
def function(inputs, outputs, updates=(), session=None):
    """Return a Python function of the inputs that gives the outputs and makes the updates."""
    session = session or Session()
    pairs = [pair for pair in updates]
    step = group(*(variable.assign(value) for variable, value in pairs))
    fetches = [[] if outputs is None else outputs, step]

    def f(*values):
        if len(values) != len(inputs):
            raise TypeError(f"expected {len(inputs)} values, came {len(values)}")
        result, _ = session.run(fetches, dict(zip(inputs, values, strict=True)))
        return None if outputs is None else result

    return f


# %% answer="theano" name="last_update_only" loses="updates failed_call"
# Of several updates only one is made.
def function(inputs, outputs, updates=(), session=None):
    """Return a Python function of the inputs that gives the outputs and makes the updates."""
    session = session or Session()
    pairs = updates.items() if isinstance(updates, dict) else updates
    step = group(*[variable.assign(value) for variable, value in pairs][-1:])
    fetches = [[] if outputs is None else outputs, step]

    def f(*values):
        if len(values) != len(inputs):
            raise TypeError(f"expected {len(inputs)} values, came {len(values)}")
        result, _ = session.run(fetches, dict(zip(inputs, values, strict=True)))
        return None if outputs is None else result

    return f


# %% [markdown]
# ## dense


# %% answer="dense" name="inner_name_only" loses="names errors layer reuse"
# In nested scopes your variable has only the innermost name in front.
@contextmanager
def variable_scope(name, reuse=None):
    """Put `name/` in front of the names of get_variable inside the block."""
    scopes = GRAPHS[-1].scopes
    scopes.append((name, reuse))
    try:
        yield
    finally:
        scopes.pop()


def get_variable(name, shape=None, dtype="float32", initializer=None):
    """Return a new variable under its full name, or, with reuse, the one that has this name."""
    graph = GRAPHS[-1]
    full = "/".join([*(scope for scope, _ in graph.scopes[-1:]), name])
    found = graph.shared.get(full)
    if any(reuse for _, reuse in graph.scopes):
        if found is None:
            raise ValueError(f"there is no variable {full!r} to reuse")
        if shape is not None and tuple(shape) != found.shape:
            raise ValueError(f"{full!r} has shape {found.shape}, not {tuple(shape)}")
        return found
    if found is not None:
        raise ValueError(f"{full!r} exists; to share it say reuse=True")
    graph.shared[full] = Variable(initializer(shape, dtype), full)
    return graph.shared[full]


def dense(tf, x, units, kernel_initializer, activation=None, name="dense", reuse=None):
    """Return a fully connected layer of x, in the framework `tf`."""
    with tf.variable_scope(name, reuse=reuse):
        shape = int(x.shape[-1]), units
        kernel = tf.get_variable("kernel", shape, x.dtype, kernel_initializer)
        bias = tf.get_variable("bias", (units,), x.dtype, tf.zeros_initializer())
    out = tf.matmul(x, kernel) + bias
    return out if activation is None else activation(out)


# %% answer="dense" name="scope_never_ends" loses="names reuse layer errors"
# After the block, names still have its prefix.
@contextmanager
def variable_scope(name, reuse=None):
    """Put `name/` in front of the names of get_variable inside the block."""
    scopes = GRAPHS[-1].scopes
    scopes.append((name, reuse))
    yield


def get_variable(name, shape=None, dtype="float32", initializer=None):
    """Return a new variable under its full name, or, with reuse, the one that has this name."""
    graph = GRAPHS[-1]
    full = "/".join([*(scope for scope, _ in graph.scopes), name])
    found = graph.shared.get(full)
    if any(reuse for _, reuse in graph.scopes):
        if found is None:
            raise ValueError(f"there is no variable {full!r} to reuse")
        if shape is not None and tuple(shape) != found.shape:
            raise ValueError(f"{full!r} has shape {found.shape}, not {tuple(shape)}")
        return found
    if found is not None:
        raise ValueError(f"{full!r} exists; to share it say reuse=True")
    graph.shared[full] = Variable(initializer(shape, dtype), full)
    return graph.shared[full]


def dense(tf, x, units, kernel_initializer, activation=None, name="dense", reuse=None):
    """Return a fully connected layer of x, in the framework `tf`."""
    with tf.variable_scope(name, reuse=reuse):
        shape = int(x.shape[-1]), units
        kernel = tf.get_variable("kernel", shape, x.dtype, kernel_initializer)
        bias = tf.get_variable("bias", (units,), x.dtype, tf.zeros_initializer())
    out = tf.matmul(x, kernel) + bias
    return out if activation is None else activation(out)


# %% answer="dense" name="scope_left_by_an_error" loses="names errors"
# If an error ends the block, its name stays in front of later ones. Take it away in `finally`.
@contextmanager
def variable_scope(name, reuse=None):
    """Put `name/` in front of the names of get_variable inside the block."""
    scopes = GRAPHS[-1].scopes
    scopes.append((name, reuse))
    yield
    scopes.pop()


def get_variable(name, shape=None, dtype="float32", initializer=None):
    """Return a new variable under its full name, or, with reuse, the one that has this name."""
    graph = GRAPHS[-1]
    full = "/".join([*(scope for scope, _ in graph.scopes), name])
    found = graph.shared.get(full)
    if any(reuse for _, reuse in graph.scopes):
        if found is None:
            raise ValueError(f"there is no variable {full!r} to reuse")
        if shape is not None and tuple(shape) != found.shape:
            raise ValueError(f"{full!r} has shape {found.shape}, not {tuple(shape)}")
        return found
    if found is not None:
        raise ValueError(f"{full!r} exists; to share it say reuse=True")
    graph.shared[full] = Variable(initializer(shape, dtype), full)
    return graph.shared[full]


def dense(tf, x, units, kernel_initializer, activation=None, name="dense", reuse=None):
    """Return a fully connected layer of x, in the framework `tf`."""
    with tf.variable_scope(name, reuse=reuse):
        shape = int(x.shape[-1]), units
        kernel = tf.get_variable("kernel", shape, x.dtype, kernel_initializer)
        bias = tf.get_variable("bias", (units,), x.dtype, tf.zeros_initializer())
    out = tf.matmul(x, kernel) + bias
    return out if activation is None else activation(out)


# %% answer="dense" name="scopes_backwards" loses="names reuse errors layer"
# The outer scope stands first in a name, the inner one behind it.
@contextmanager
def variable_scope(name, reuse=None):
    """Put `name/` in front of the names of get_variable inside the block."""
    scopes = GRAPHS[-1].scopes
    scopes.append((name, reuse))
    try:
        yield
    finally:
        scopes.pop()


def get_variable(name, shape=None, dtype="float32", initializer=None):
    """Return a new variable under its full name, or, with reuse, the one that has this name."""
    graph = GRAPHS[-1]
    full = "/".join([*(scope for scope, _ in graph.scopes[::-1]), name])
    found = graph.shared.get(full)
    if any(reuse for _, reuse in graph.scopes):
        if found is None:
            raise ValueError(f"there is no variable {full!r} to reuse")
        if shape is not None and tuple(shape) != found.shape:
            raise ValueError(f"{full!r} has shape {found.shape}, not {tuple(shape)}")
        return found
    if found is not None:
        raise ValueError(f"{full!r} exists; to share it say reuse=True")
    graph.shared[full] = Variable(initializer(shape, dtype), full)
    return graph.shared[full]


def dense(tf, x, units, kernel_initializer, activation=None, name="dense", reuse=None):
    """Return a fully connected layer of x, in the framework `tf`."""
    with tf.variable_scope(name, reuse=reuse):
        shape = int(x.shape[-1]), units
        kernel = tf.get_variable("kernel", shape, x.dtype, kernel_initializer)
        bias = tf.get_variable("bias", (units,), x.dtype, tf.zeros_initializer())
    out = tf.matmul(x, kernel) + bias
    return out if activation is None else activation(out)


# %% answer="dense" name="reuse_innermost_only" loses="reuse errors"
# `reuse=True` holds in all blocks inside, too.
@contextmanager
def variable_scope(name, reuse=None):
    """Put `name/` in front of the names of get_variable inside the block."""
    scopes = GRAPHS[-1].scopes
    scopes.append((name, reuse))
    try:
        yield
    finally:
        scopes.pop()


def get_variable(name, shape=None, dtype="float32", initializer=None):
    """Return a new variable under its full name, or, with reuse, the one that has this name."""
    graph = GRAPHS[-1]
    full = "/".join([*(scope for scope, _ in graph.scopes), name])
    found = graph.shared.get(full)
    if graph.scopes and graph.scopes[-1][1]:
        if found is None:
            raise ValueError(f"there is no variable {full!r} to reuse")
        if shape is not None and tuple(shape) != found.shape:
            raise ValueError(f"{full!r} has shape {found.shape}, not {tuple(shape)}")
        return found
    if found is not None:
        raise ValueError(f"{full!r} exists; to share it say reuse=True")
    graph.shared[full] = Variable(initializer(shape, dtype), full)
    return graph.shared[full]


def dense(tf, x, units, kernel_initializer, activation=None, name="dense", reuse=None):
    """Return a fully connected layer of x, in the framework `tf`."""
    with tf.variable_scope(name, reuse=reuse):
        shape = int(x.shape[-1]), units
        kernel = tf.get_variable("kernel", shape, x.dtype, kernel_initializer)
        bias = tf.get_variable("bias", (units,), x.dtype, tf.zeros_initializer())
    out = tf.matmul(x, kernel) + bias
    return out if activation is None else activation(out)


# %% answer="dense" name="reuse_outermost_only" loses="reuse layer"
# `reuse=True` may be said by any of the open scopes, the innermost too.
@contextmanager
def variable_scope(name, reuse=None):
    """Put `name/` in front of the names of get_variable inside the block."""
    scopes = GRAPHS[-1].scopes
    scopes.append((name, reuse))
    try:
        yield
    finally:
        scopes.pop()


def get_variable(name, shape=None, dtype="float32", initializer=None):
    """Return a new variable under its full name, or, with reuse, the one that has this name."""
    graph = GRAPHS[-1]
    full = "/".join([*(scope for scope, _ in graph.scopes), name])
    found = graph.shared.get(full)
    if graph.scopes and graph.scopes[0][1]:
        if found is None:
            raise ValueError(f"there is no variable {full!r} to reuse")
        if shape is not None and tuple(shape) != found.shape:
            raise ValueError(f"{full!r} has shape {found.shape}, not {tuple(shape)}")
        return found
    if found is not None:
        raise ValueError(f"{full!r} exists; to share it say reuse=True")
    graph.shared[full] = Variable(initializer(shape, dtype), full)
    return graph.shared[full]


def dense(tf, x, units, kernel_initializer, activation=None, name="dense", reuse=None):
    """Return a fully connected layer of x, in the framework `tf`."""
    with tf.variable_scope(name, reuse=reuse):
        shape = int(x.shape[-1]), units
        kernel = tf.get_variable("kernel", shape, x.dtype, kernel_initializer)
        bias = tf.get_variable("bias", (units,), x.dtype, tf.zeros_initializer())
    out = tf.matmul(x, kernel) + bias
    return out if activation is None else activation(out)


# %% answer="dense" name="shares_without_being_asked" loses="errors"
# A name that is taken gives you the old variable, although nobody asked for reuse. That hides
# mistakes: raise a ValueError.
@contextmanager
def variable_scope(name, reuse=None):
    """Put `name/` in front of the names of get_variable inside the block."""
    scopes = GRAPHS[-1].scopes
    scopes.append((name, reuse))
    try:
        yield
    finally:
        scopes.pop()


def get_variable(name, shape=None, dtype="float32", initializer=None):
    """Return a new variable under its full name, or, with reuse, the one that has this name."""
    graph = GRAPHS[-1]
    full = "/".join([*(scope for scope, _ in graph.scopes), name])
    found = graph.shared.get(full)
    if any(reuse for _, reuse in graph.scopes):
        if found is None:
            raise ValueError(f"there is no variable {full!r} to reuse")
        if shape is not None and tuple(shape) != found.shape:
            raise ValueError(f"{full!r} has shape {found.shape}, not {tuple(shape)}")
        return found
    if found is not None:
        return found
    graph.shared[full] = Variable(initializer(shape, dtype), full)
    return graph.shared[full]


def dense(tf, x, units, kernel_initializer, activation=None, name="dense", reuse=None):
    """Return a fully connected layer of x, in the framework `tf`."""
    with tf.variable_scope(name, reuse=reuse):
        shape = int(x.shape[-1]), units
        kernel = tf.get_variable("kernel", shape, x.dtype, kernel_initializer)
        bias = tf.get_variable("bias", (units,), x.dtype, tf.zeros_initializer())
    out = tf.matmul(x, kernel) + bias
    return out if activation is None else activation(out)


# %% answer="dense" name="makes_when_missing" loses="errors"
# With reuse a variable that does not exist is made. It should be a ValueError.
@contextmanager
def variable_scope(name, reuse=None):
    """Put `name/` in front of the names of get_variable inside the block."""
    scopes = GRAPHS[-1].scopes
    scopes.append((name, reuse))
    try:
        yield
    finally:
        scopes.pop()


def get_variable(name, shape=None, dtype="float32", initializer=None):
    """Return a new variable under its full name, or, with reuse, the one that has this name."""
    graph = GRAPHS[-1]
    full = "/".join([*(scope for scope, _ in graph.scopes), name])
    found = graph.shared.get(full)
    if any(reuse for _, reuse in graph.scopes):
        if found is None:
            found = graph.shared[full] = Variable(initializer(shape, dtype), full)
        if shape is not None and tuple(shape) != found.shape:
            raise ValueError(f"{full!r} has shape {found.shape}, not {tuple(shape)}")
        return found
    if found is not None:
        raise ValueError(f"{full!r} exists; to share it say reuse=True")
    graph.shared[full] = Variable(initializer(shape, dtype), full)
    return graph.shared[full]


def dense(tf, x, units, kernel_initializer, activation=None, name="dense", reuse=None):
    """Return a fully connected layer of x, in the framework `tf`."""
    with tf.variable_scope(name, reuse=reuse):
        shape = int(x.shape[-1]), units
        kernel = tf.get_variable("kernel", shape, x.dtype, kernel_initializer)
        bias = tf.get_variable("bias", (units,), x.dtype, tf.zeros_initializer())
    out = tf.matmul(x, kernel) + bias
    return out if activation is None else activation(out)


# %% answer="dense" name="shape_unchecked" loses="errors"
# With reuse the shape that is asked for is not compared with that of the variable.
@contextmanager
def variable_scope(name, reuse=None):
    """Put `name/` in front of the names of get_variable inside the block."""
    scopes = GRAPHS[-1].scopes
    scopes.append((name, reuse))
    try:
        yield
    finally:
        scopes.pop()


def get_variable(name, shape=None, dtype="float32", initializer=None):
    """Return a new variable under its full name, or, with reuse, the one that has this name."""
    graph = GRAPHS[-1]
    full = "/".join([*(scope for scope, _ in graph.scopes), name])
    found = graph.shared.get(full)
    if any(reuse for _, reuse in graph.scopes):
        if found is None:
            raise ValueError(f"there is no variable {full!r} to reuse")
        if shape is not None and len(tuple(shape)) > 9:
            raise ValueError(f"{full!r} has shape {found.shape}, not {tuple(shape)}")
        return found
    if found is not None:
        raise ValueError(f"{full!r} exists; to share it say reuse=True")
    graph.shared[full] = Variable(initializer(shape, dtype), full)
    return graph.shared[full]


def dense(tf, x, units, kernel_initializer, activation=None, name="dense", reuse=None):
    """Return a fully connected layer of x, in the framework `tf`."""
    with tf.variable_scope(name, reuse=reuse):
        shape = int(x.shape[-1]), units
        kernel = tf.get_variable("kernel", shape, x.dtype, kernel_initializer)
        bias = tf.get_variable("bias", (units,), x.dtype, tf.zeros_initializer())
    out = tf.matmul(x, kernel) + bias
    return out if activation is None else activation(out)


# %% answer="dense" name="size_compared" loses="errors"
# You compare how many entries a shape has in all. (2, 3) and (3, 2) are different shapes.
@contextmanager
def variable_scope(name, reuse=None):
    """Put `name/` in front of the names of get_variable inside the block."""
    scopes = GRAPHS[-1].scopes
    scopes.append((name, reuse))
    try:
        yield
    finally:
        scopes.pop()


def get_variable(name, shape=None, dtype="float32", initializer=None):
    """Return a new variable under its full name, or, with reuse, the one that has this name."""
    graph = GRAPHS[-1]
    full = "/".join([*(scope for scope, _ in graph.scopes), name])
    found = graph.shared.get(full)
    if any(reuse for _, reuse in graph.scopes):
        if found is None:
            raise ValueError(f"there is no variable {full!r} to reuse")
        if shape is not None and np.prod(shape) != np.prod(found.shape):
            raise ValueError(f"{full!r} has shape {found.shape}, not {tuple(shape)}")
        return found
    if found is not None:
        raise ValueError(f"{full!r} exists; to share it say reuse=True")
    graph.shared[full] = Variable(initializer(shape, dtype), full)
    return graph.shared[full]


def dense(tf, x, units, kernel_initializer, activation=None, name="dense", reuse=None):
    """Return a fully connected layer of x, in the framework `tf`."""
    with tf.variable_scope(name, reuse=reuse):
        shape = int(x.shape[-1]), units
        kernel = tf.get_variable("kernel", shape, x.dtype, kernel_initializer)
        bias = tf.get_variable("bias", (units,), x.dtype, tf.zeros_initializer())
    out = tf.matmul(x, kernel) + bias
    return out if activation is None else activation(out)


# %% answer="dense" name="finds_any_variable" loses="errors"
# `get_variable` finds variables that it has not made. A `Variable` of the same name is none of its
# own.
@contextmanager
def variable_scope(name, reuse=None):
    """Put `name/` in front of the names of get_variable inside the block."""
    scopes = GRAPHS[-1].scopes
    scopes.append((name, reuse))
    try:
        yield
    finally:
        scopes.pop()


def get_variable(name, shape=None, dtype="float32", initializer=None):
    """Return a new variable under its full name, or, with reuse, the one that has this name."""
    graph = GRAPHS[-1]
    full = "/".join([*(scope for scope, _ in graph.scopes), name])
    found = {v.name: v for v in graph.variables}.get(full)
    if any(reuse for _, reuse in graph.scopes):
        if found is None:
            raise ValueError(f"there is no variable {full!r} to reuse")
        if shape is not None and tuple(shape) != found.shape:
            raise ValueError(f"{full!r} has shape {found.shape}, not {tuple(shape)}")
        return found
    if found is not None:
        raise ValueError(f"{full!r} exists; to share it say reuse=True")
    graph.shared[full] = Variable(initializer(shape, dtype), full)
    return graph.shared[full]


def dense(tf, x, units, kernel_initializer, activation=None, name="dense", reuse=None):
    """Return a fully connected layer of x, in the framework `tf`."""
    with tf.variable_scope(name, reuse=reuse):
        shape = int(x.shape[-1]), units
        kernel = tf.get_variable("kernel", shape, x.dtype, kernel_initializer)
        bias = tf.get_variable("bias", (units,), x.dtype, tf.zeros_initializer())
    out = tf.matmul(x, kernel) + bias
    return out if activation is None else activation(out)


# %% answer="dense" name="one_store_for_all_graphs" loses="reuse layer names errors"
# Your names are shared by all graphs. Each graph has its own: `GRAPHS[-1].shared`.
@contextmanager
def variable_scope(name, reuse=None):
    """Put `name/` in front of the names of get_variable inside the block."""
    scopes = GRAPHS[-1].scopes
    scopes.append((name, reuse))
    try:
        yield
    finally:
        scopes.pop()


def get_variable(name, shape=None, dtype="float32", initializer=None):
    """Return a new variable under its full name, or, with reuse, the one that has this name."""
    graph = GRAPHS[-1]
    full = "/".join([*(scope for scope, _ in graph.scopes), name])
    found = SHARED.get(full)
    if any(reuse for _, reuse in graph.scopes):
        if found is None:
            raise ValueError(f"there is no variable {full!r} to reuse")
        if shape is not None and tuple(shape) != found.shape:
            raise ValueError(f"{full!r} has shape {found.shape}, not {tuple(shape)}")
        return found
    if found is not None:
        raise ValueError(f"{full!r} exists; to share it say reuse=True")
    SHARED[full] = Variable(initializer(shape, dtype), full)
    return SHARED[full]


SHARED = {}


def dense(tf, x, units, kernel_initializer, activation=None, name="dense", reuse=None):
    """Return a fully connected layer of x, in the framework `tf`."""
    with tf.variable_scope(name, reuse=reuse):
        shape = int(x.shape[-1]), units
        kernel = tf.get_variable("kernel", shape, x.dtype, kernel_initializer)
        bias = tf.get_variable("bias", (units,), x.dtype, tf.zeros_initializer())
    out = tf.matmul(x, kernel) + bias
    return out if activation is None else activation(out)


# %% answer="dense" name="unnamed_error" loses="errors"
# Your error does not say which variable it is about. Name it in full.
@contextmanager
def variable_scope(name, reuse=None):
    """Put `name/` in front of the names of get_variable inside the block."""
    scopes = GRAPHS[-1].scopes
    scopes.append((name, reuse))
    try:
        yield
    finally:
        scopes.pop()


def get_variable(name, shape=None, dtype="float32", initializer=None):
    """Return a new variable under its full name, or, with reuse, the one that has this name."""
    graph = GRAPHS[-1]
    full = "/".join([*(scope for scope, _ in graph.scopes), name])
    found = graph.shared.get(full)
    if any(reuse for _, reuse in graph.scopes):
        if found is None:
            raise ValueError(f"there is no variable {full!r} to reuse")
        if shape is not None and tuple(shape) != found.shape:
            raise ValueError(f"{full!r} has shape {found.shape}, not {tuple(shape)}")
        return found
    if found is not None:
        raise ValueError(f"{name!r} exists; to share it say reuse=True")
    graph.shared[full] = Variable(initializer(shape, dtype), full)
    return graph.shared[full]


def dense(tf, x, units, kernel_initializer, activation=None, name="dense", reuse=None):
    """Return a fully connected layer of x, in the framework `tf`."""
    with tf.variable_scope(name, reuse=reuse):
        shape = int(x.shape[-1]), units
        kernel = tf.get_variable("kernel", shape, x.dtype, kernel_initializer)
        bias = tf.get_variable("bias", (units,), x.dtype, tf.zeros_initializer())
    out = tf.matmul(x, kernel) + bias
    return out if activation is None else activation(out)


# %% answer="dense" name="copies_for_reuse" loses="reuse layer errors"
# With reuse you make a second variable of the same name. It should be the same object: what is
# shared is trained together.
@contextmanager
def variable_scope(name, reuse=None):
    """Put `name/` in front of the names of get_variable inside the block."""
    scopes = GRAPHS[-1].scopes
    scopes.append((name, reuse))
    try:
        yield
    finally:
        scopes.pop()


def get_variable(name, shape=None, dtype="float32", initializer=None):
    """Return a new variable under its full name, or, with reuse, the one that has this name."""
    graph = GRAPHS[-1]
    full = "/".join([*(scope for scope, _ in graph.scopes), name])
    found = graph.shared.get(full)
    if any(reuse for _, reuse in graph.scopes):
        if found is None:
            raise ValueError(f"there is no variable {full!r} to reuse")
        if shape is not None and tuple(shape) != found.shape:
            raise ValueError(f"{full!r} has shape {found.shape}, not {tuple(shape)}")
        return Variable(initializer(found.shape, found.dtype) if initializer else found, full)
    if found is not None:
        raise ValueError(f"{full!r} exists; to share it say reuse=True")
    graph.shared[full] = Variable(initializer(shape, dtype), full)
    return graph.shared[full]


def dense(tf, x, units, kernel_initializer, activation=None, name="dense", reuse=None):
    """Return a fully connected layer of x, in the framework `tf`."""
    with tf.variable_scope(name, reuse=reuse):
        shape = int(x.shape[-1]), units
        kernel = tf.get_variable("kernel", shape, x.dtype, kernel_initializer)
        bias = tf.get_variable("bias", (units,), x.dtype, tf.zeros_initializer())
    out = tf.matmul(x, kernel) + bias
    return out if activation is None else activation(out)


# %% answer="dense" name="initializer_called_for_reuse" loses="reuse"
# With reuse, the initializer is called although nothing is made.
@contextmanager
def variable_scope(name, reuse=None):
    """Put `name/` in front of the names of get_variable inside the block."""
    scopes = GRAPHS[-1].scopes
    scopes.append((name, reuse))
    try:
        yield
    finally:
        scopes.pop()


def get_variable(name, shape=None, dtype="float32", initializer=None):
    """Return a new variable under its full name, or, with reuse, the one that has this name."""
    graph = GRAPHS[-1]
    full = "/".join([*(scope for scope, _ in graph.scopes), name])
    found = graph.shared.get(full)
    initial = initializer and shape and initializer(shape, dtype)
    if any(reuse for _, reuse in graph.scopes):
        if found is None:
            raise ValueError(f"there is no variable {full!r} to reuse")
        if shape is not None and tuple(shape) != found.shape:
            raise ValueError(f"{full!r} has shape {found.shape}, not {tuple(shape)}")
        return found
    if found is not None:
        raise ValueError(f"{full!r} exists; to share it say reuse=True")
    graph.shared[full] = Variable(initializer(shape, dtype), full)
    return graph.shared[full]


def dense(tf, x, units, kernel_initializer, activation=None, name="dense", reuse=None):
    """Return a fully connected layer of x, in the framework `tf`."""
    with tf.variable_scope(name, reuse=reuse):
        shape = int(x.shape[-1]), units
        kernel = tf.get_variable("kernel", shape, x.dtype, kernel_initializer)
        bias = tf.get_variable("bias", (units,), x.dtype, tf.zeros_initializer())
    out = tf.matmul(x, kernel) + bias
    return out if activation is None else activation(out)


# %% answer="dense" name="dtype_not_handed_on" loses="names layer"
# The dtype that is asked for does not arrive at the initializer.
@contextmanager
def variable_scope(name, reuse=None):
    """Put `name/` in front of the names of get_variable inside the block."""
    scopes = GRAPHS[-1].scopes
    scopes.append((name, reuse))
    try:
        yield
    finally:
        scopes.pop()


def get_variable(name, shape=None, dtype="float32", initializer=None):
    """Return a new variable under its full name, or, with reuse, the one that has this name."""
    graph = GRAPHS[-1]
    full = "/".join([*(scope for scope, _ in graph.scopes), name])
    found = graph.shared.get(full)
    if any(reuse for _, reuse in graph.scopes):
        if found is None:
            raise ValueError(f"there is no variable {full!r} to reuse")
        if shape is not None and tuple(shape) != found.shape:
            raise ValueError(f"{full!r} has shape {found.shape}, not {tuple(shape)}")
        return found
    if found is not None:
        raise ValueError(f"{full!r} exists; to share it say reuse=True")
    graph.shared[full] = Variable(initializer(shape, "float64"), full)
    return graph.shared[full]


def dense(tf, x, units, kernel_initializer, activation=None, name="dense", reuse=None):
    """Return a fully connected layer of x, in the framework `tf`."""
    with tf.variable_scope(name, reuse=reuse):
        shape = int(x.shape[-1]), units
        kernel = tf.get_variable("kernel", shape, x.dtype, kernel_initializer)
        bias = tf.get_variable("bias", (units,), x.dtype, tf.zeros_initializer())
    out = tf.matmul(x, kernel) + bias
    return out if activation is None else activation(out)


# %% answer="dense" name="no_bias" loses="layer"
# Your layer has no bias, or does not add it.
@contextmanager
def variable_scope(name, reuse=None):
    """Put `name/` in front of the names of get_variable inside the block."""
    scopes = GRAPHS[-1].scopes
    scopes.append((name, reuse))
    try:
        yield
    finally:
        scopes.pop()


def get_variable(name, shape=None, dtype="float32", initializer=None):
    """Return a new variable under its full name, or, with reuse, the one that has this name."""
    graph = GRAPHS[-1]
    full = "/".join([*(scope for scope, _ in graph.scopes), name])
    found = graph.shared.get(full)
    if any(reuse for _, reuse in graph.scopes):
        if found is None:
            raise ValueError(f"there is no variable {full!r} to reuse")
        if shape is not None and tuple(shape) != found.shape:
            raise ValueError(f"{full!r} has shape {found.shape}, not {tuple(shape)}")
        return found
    if found is not None:
        raise ValueError(f"{full!r} exists; to share it say reuse=True")
    graph.shared[full] = Variable(initializer(shape, dtype), full)
    return graph.shared[full]


def dense(tf, x, units, kernel_initializer, activation=None, name="dense", reuse=None):
    """Return a fully connected layer of x, in the framework `tf`."""
    with tf.variable_scope(name, reuse=reuse):
        shape = int(x.shape[-1]), units
        kernel = tf.get_variable("kernel", shape, x.dtype, kernel_initializer)
        bias = tf.get_variable("bias", (units,), x.dtype, tf.zeros_initializer())
    out = tf.matmul(x, kernel)
    return out if activation is None else activation(out)


# %% answer="dense" name="bias_like_the_kernel" loses="layer"
# The bias of your layer begins like its kernel. It begins with zeros.
@contextmanager
def variable_scope(name, reuse=None):
    """Put `name/` in front of the names of get_variable inside the block."""
    scopes = GRAPHS[-1].scopes
    scopes.append((name, reuse))
    try:
        yield
    finally:
        scopes.pop()


def get_variable(name, shape=None, dtype="float32", initializer=None):
    """Return a new variable under its full name, or, with reuse, the one that has this name."""
    graph = GRAPHS[-1]
    full = "/".join([*(scope for scope, _ in graph.scopes), name])
    found = graph.shared.get(full)
    if any(reuse for _, reuse in graph.scopes):
        if found is None:
            raise ValueError(f"there is no variable {full!r} to reuse")
        if shape is not None and tuple(shape) != found.shape:
            raise ValueError(f"{full!r} has shape {found.shape}, not {tuple(shape)}")
        return found
    if found is not None:
        raise ValueError(f"{full!r} exists; to share it say reuse=True")
    graph.shared[full] = Variable(initializer(shape, dtype), full)
    return graph.shared[full]


def dense(tf, x, units, kernel_initializer, activation=None, name="dense", reuse=None):
    """Return a fully connected layer of x, in the framework `tf`."""
    with tf.variable_scope(name, reuse=reuse):
        shape = int(x.shape[-1]), units
        kernel = tf.get_variable("kernel", shape, x.dtype, kernel_initializer)
        bias = tf.get_variable("bias", (units,), x.dtype, np.ones)
    out = tf.matmul(x, kernel) + bias
    return out if activation is None else activation(out)


# %% answer="dense" name="activation_ignored" loses="layer"
# Your layer does not use its activation, or fails without one.
@contextmanager
def variable_scope(name, reuse=None):
    """Put `name/` in front of the names of get_variable inside the block."""
    scopes = GRAPHS[-1].scopes
    scopes.append((name, reuse))
    try:
        yield
    finally:
        scopes.pop()


def get_variable(name, shape=None, dtype="float32", initializer=None):
    """Return a new variable under its full name, or, with reuse, the one that has this name."""
    graph = GRAPHS[-1]
    full = "/".join([*(scope for scope, _ in graph.scopes), name])
    found = graph.shared.get(full)
    if any(reuse for _, reuse in graph.scopes):
        if found is None:
            raise ValueError(f"there is no variable {full!r} to reuse")
        if shape is not None and tuple(shape) != found.shape:
            raise ValueError(f"{full!r} has shape {found.shape}, not {tuple(shape)}")
        return found
    if found is not None:
        raise ValueError(f"{full!r} exists; to share it say reuse=True")
    graph.shared[full] = Variable(initializer(shape, dtype), full)
    return graph.shared[full]


def dense(tf, x, units, kernel_initializer, activation=None, name="dense", reuse=None):
    """Return a fully connected layer of x, in the framework `tf`."""
    with tf.variable_scope(name, reuse=reuse):
        shape = int(x.shape[-1]), units
        kernel = tf.get_variable("kernel", shape, x.dtype, kernel_initializer)
        bias = tf.get_variable("bias", (units,), x.dtype, tf.zeros_initializer())
    out = tf.matmul(x, kernel) + bias
    return out


# %% answer="dense" name="always_float64" loses="layer"
# The variables of your layer have another dtype than x.
@contextmanager
def variable_scope(name, reuse=None):
    """Put `name/` in front of the names of get_variable inside the block."""
    scopes = GRAPHS[-1].scopes
    scopes.append((name, reuse))
    try:
        yield
    finally:
        scopes.pop()


def get_variable(name, shape=None, dtype="float32", initializer=None):
    """Return a new variable under its full name, or, with reuse, the one that has this name."""
    graph = GRAPHS[-1]
    full = "/".join([*(scope for scope, _ in graph.scopes), name])
    found = graph.shared.get(full)
    if any(reuse for _, reuse in graph.scopes):
        if found is None:
            raise ValueError(f"there is no variable {full!r} to reuse")
        if shape is not None and tuple(shape) != found.shape:
            raise ValueError(f"{full!r} has shape {found.shape}, not {tuple(shape)}")
        return found
    if found is not None:
        raise ValueError(f"{full!r} exists; to share it say reuse=True")
    graph.shared[full] = Variable(initializer(shape, dtype), full)
    return graph.shared[full]


def dense(tf, x, units, kernel_initializer, activation=None, name="dense", reuse=None):
    """Return a fully connected layer of x, in the framework `tf`."""
    with tf.variable_scope(name, reuse=reuse):
        shape = int(x.shape[-1]), units
        kernel = tf.get_variable("kernel", shape, "float64", kernel_initializer)
        bias = tf.get_variable("bias", (units,), "float64", tf.zeros_initializer())
    out = tf.matmul(x, kernel) + bias
    return out if activation is None else activation(out)


# %% answer="dense" name="reuse_not_handed_on" loses="layer"
# Your layer does not hand `reuse` to its scope.
@contextmanager
def variable_scope(name, reuse=None):
    """Put `name/` in front of the names of get_variable inside the block."""
    scopes = GRAPHS[-1].scopes
    scopes.append((name, reuse))
    try:
        yield
    finally:
        scopes.pop()


def get_variable(name, shape=None, dtype="float32", initializer=None):
    """Return a new variable under its full name, or, with reuse, the one that has this name."""
    graph = GRAPHS[-1]
    full = "/".join([*(scope for scope, _ in graph.scopes), name])
    found = graph.shared.get(full)
    if any(reuse for _, reuse in graph.scopes):
        if found is None:
            raise ValueError(f"there is no variable {full!r} to reuse")
        if shape is not None and tuple(shape) != found.shape:
            raise ValueError(f"{full!r} has shape {found.shape}, not {tuple(shape)}")
        return found
    if found is not None:
        raise ValueError(f"{full!r} exists; to share it say reuse=True")
    graph.shared[full] = Variable(initializer(shape, dtype), full)
    return graph.shared[full]


def dense(tf, x, units, kernel_initializer, activation=None, name="dense", reuse=None):
    """Return a fully connected layer of x, in the framework `tf`."""
    with tf.variable_scope(name):
        shape = int(x.shape[-1]), units
        kernel = tf.get_variable("kernel", shape, x.dtype, kernel_initializer)
        bias = tf.get_variable("bias", (units,), x.dtype, tf.zeros_initializer())
    out = tf.matmul(x, kernel) + bias
    return out if activation is None else activation(out)


# %% answer="dense" name="kernel_not_named" loses="layer"
# The variables of your layer are called kernel and bias, in the scope of its name.
@contextmanager
def variable_scope(name, reuse=None):
    """Put `name/` in front of the names of get_variable inside the block."""
    scopes = GRAPHS[-1].scopes
    scopes.append((name, reuse))
    try:
        yield
    finally:
        scopes.pop()


def get_variable(name, shape=None, dtype="float32", initializer=None):
    """Return a new variable under its full name, or, with reuse, the one that has this name."""
    graph = GRAPHS[-1]
    full = "/".join([*(scope for scope, _ in graph.scopes), name])
    found = graph.shared.get(full)
    if any(reuse for _, reuse in graph.scopes):
        if found is None:
            raise ValueError(f"there is no variable {full!r} to reuse")
        if shape is not None and tuple(shape) != found.shape:
            raise ValueError(f"{full!r} has shape {found.shape}, not {tuple(shape)}")
        return found
    if found is not None:
        raise ValueError(f"{full!r} exists; to share it say reuse=True")
    graph.shared[full] = Variable(initializer(shape, dtype), full)
    return graph.shared[full]


def dense(tf, x, units, kernel_initializer, activation=None, name="dense", reuse=None):
    """Return a fully connected layer of x, in the framework `tf`."""
    with tf.variable_scope(name, reuse=reuse):
        shape = int(x.shape[-1]), units
        kernel = tf.get_variable("weights", shape, x.dtype, kernel_initializer)
        bias = tf.get_variable("bias", (units,), x.dtype, tf.zeros_initializer())
    out = tf.matmul(x, kernel) + bias
    return out if activation is None else activation(out)


# %% answer="dense" name="scopes_of_the_first_graph" loses="names"
# Scopes are kept with one graph for all. They belong to the graph that is being built.
@contextmanager
def variable_scope(name, reuse=None):
    """Put `name/` in front of the names of get_variable inside the block."""
    scopes = GRAPHS[0].scopes
    scopes.append((name, reuse))
    try:
        yield
    finally:
        scopes.pop()


def get_variable(name, shape=None, dtype="float32", initializer=None):
    graph = GRAPHS[-1]
    full = "/".join([n for n, _ in GRAPHS[0].scopes] + [name])
    if any(r for _, r in GRAPHS[0].scopes):
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


# %% answer="dense" name="own_get_variable" loses="layer"
# `dense` calls your own `get_variable` by its name, not the one of the framework `tf`.
@contextmanager
def variable_scope(name, reuse=None):
    """Put `name/` in front of the names of get_variable inside the block."""
    scopes = GRAPHS[-1].scopes
    scopes.append((name, reuse))
    try:
        yield
    finally:
        scopes.pop()


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
        b = get_variable("bias", (units,), x.dtype, tf.zeros_initializer())
    out = tf.matmul(x, k) + b
    return out if activation is None else activation(out)


# %% [markdown]
# ## same_source


# %% answer="same_source" name="step_not_fetched" loses="mine tensorflow"
# Your losses stay as they are: nobody fetches the step. The mistake from the beginning of this
# lesson.
def train(tf, x, y, w1, w2, lr, steps):
    """Train the two-layer net in the framework `tf`; return the losses before each update."""
    with tf.Graph().as_default():
        inputs = tf.placeholder(tf.float64, x.shape, name="x")
        targets = tf.placeholder(tf.float64, y.shape, name="y")
        h = dense(tf, inputs, w1.shape[1], tf.constant_initializer(w1), tf.nn.relu, "hidden")
        pred = dense(tf, h, w2.shape[1], tf.constant_initializer(w2), name="out")
        loss = tf.reduce_mean(tf.reduce_sum((pred - targets) ** 2, axis=1))
        rate = tf.constant(lr, tf.float64)
        step = tf.train.GradientDescentOptimizer(rate).minimize(loss)
        init = tf.global_variables_initializer()
        with tf.Session() as session:
            session.run(init)
            feeds = {inputs: x, targets: y}
            return [float(session.run([loss], feeds)[0]) for _step in range(steps)]


# %% answer="same_source" name="rate_as_float" loses="tensorflow"
# Under TensorFlow your losses are equal to seven digits only. It makes the learning rate, a Python
# float, a float32. Hand it `tf.constant(lr, tf.float64)`.
def train(tf, x, y, w1, w2, lr, steps):
    """Train the two-layer net in the framework `tf`; return the losses before each update."""
    with tf.Graph().as_default():
        inputs = tf.placeholder(tf.float64, x.shape, name="x")
        targets = tf.placeholder(tf.float64, y.shape, name="y")
        h = dense(tf, inputs, w1.shape[1], tf.constant_initializer(w1), tf.nn.relu, "hidden")
        pred = dense(tf, h, w2.shape[1], tf.constant_initializer(w2), name="out")
        loss = tf.reduce_mean(tf.reduce_sum((pred - targets) ** 2, axis=1))
        rate = lr
        step = tf.train.GradientDescentOptimizer(rate).minimize(loss)
        init = tf.global_variables_initializer()
        with tf.Session() as session:
            session.run(init)
            feeds = {inputs: x, targets: y}
            return [float(session.run([loss, step], feeds)[0]) for _step in range(steps)]


# %% answer="same_source" name="float32_program" loses="mine tensorflow define_then_run"
# Your program computes in float32.
def train(tf, x, y, w1, w2, lr, steps):
    """Train the two-layer net in the framework `tf`; return the losses before each update."""
    with tf.Graph().as_default():
        inputs = tf.placeholder(tf.float32, x.shape, name="x")
        targets = tf.placeholder(tf.float32, y.shape, name="y")
        h = dense(tf, inputs, w1.shape[1], tf.constant_initializer(w1), tf.nn.relu, "hidden")
        pred = dense(tf, h, w2.shape[1], tf.constant_initializer(w2), name="out")
        loss = tf.reduce_mean(tf.reduce_sum((pred - targets) ** 2, axis=1))
        rate = tf.constant(lr, tf.float32)
        step = tf.train.GradientDescentOptimizer(rate).minimize(loss)
        init = tf.global_variables_initializer()
        with tf.Session() as session:
            session.run(init)
            feeds = {inputs: x, targets: y}
            return [float(session.run([loss, step], feeds)[0]) for _step in range(steps)]


# %% answer="same_source" name="initializer_not_run" loses="mine tensorflow define_then_run"
# The variables have no values: their initializer is not run.
def train(tf, x, y, w1, w2, lr, steps):
    """Train the two-layer net in the framework `tf`; return the losses before each update."""
    with tf.Graph().as_default():
        inputs = tf.placeholder(tf.float64, x.shape, name="x")
        targets = tf.placeholder(tf.float64, y.shape, name="y")
        h = dense(tf, inputs, w1.shape[1], tf.constant_initializer(w1), tf.nn.relu, "hidden")
        pred = dense(tf, h, w2.shape[1], tf.constant_initializer(w2), name="out")
        loss = tf.reduce_mean(tf.reduce_sum((pred - targets) ** 2, axis=1))
        rate = tf.constant(lr, tf.float64)
        step = tf.train.GradientDescentOptimizer(rate).minimize(loss)
        init = tf.global_variables_initializer()
        with tf.Session() as session:
            feeds = {inputs: x, targets: y}
            return [float(session.run([loss, step], feeds)[0]) for _step in range(steps)]


# %% answer="same_source" name="sum_of_all" loses="mine tensorflow define_then_run"
# Your loss is not the mean over the rows: it is a sum over all entries, or a mean over all.
def train(tf, x, y, w1, w2, lr, steps):
    """Train the two-layer net in the framework `tf`; return the losses before each update."""
    with tf.Graph().as_default():
        inputs = tf.placeholder(tf.float64, x.shape, name="x")
        targets = tf.placeholder(tf.float64, y.shape, name="y")
        h = dense(tf, inputs, w1.shape[1], tf.constant_initializer(w1), tf.nn.relu, "hidden")
        pred = dense(tf, h, w2.shape[1], tf.constant_initializer(w2), name="out")
        loss = tf.reduce_sum((pred - targets) ** 2)
        rate = tf.constant(lr, tf.float64)
        step = tf.train.GradientDescentOptimizer(rate).minimize(loss)
        init = tf.global_variables_initializer()
        with tf.Session() as session:
            session.run(init)
            feeds = {inputs: x, targets: y}
            return [float(session.run([loss, step], feeds)[0]) for _step in range(steps)]


# %% answer="same_source" name="mean_of_all" loses="mine tensorflow define_then_run"
# Your loss is a mean over all entries. It should be the mean over the rows of a sum over each row.
def train(tf, x, y, w1, w2, lr, steps):
    """Train the two-layer net in the framework `tf`; return the losses before each update."""
    with tf.Graph().as_default():
        inputs = tf.placeholder(tf.float64, x.shape, name="x")
        targets = tf.placeholder(tf.float64, y.shape, name="y")
        h = dense(tf, inputs, w1.shape[1], tf.constant_initializer(w1), tf.nn.relu, "hidden")
        pred = dense(tf, h, w2.shape[1], tf.constant_initializer(w2), name="out")
        loss = tf.reduce_mean((pred - targets) ** 2)
        rate = tf.constant(lr, tf.float64)
        step = tf.train.GradientDescentOptimizer(rate).minimize(loss)
        init = tf.global_variables_initializer()
        with tf.Session() as session:
            session.run(init)
            feeds = {inputs: x, targets: y}
            return [float(session.run([loss, step], feeds)[0]) for _step in range(steps)]


# %% answer="same_source" name="no_relu" loses="mine tensorflow define_then_run"
# Your hidden layer has no ReLU.
def train(tf, x, y, w1, w2, lr, steps):
    """Train the two-layer net in the framework `tf`; return the losses before each update."""
    with tf.Graph().as_default():
        inputs = tf.placeholder(tf.float64, x.shape, name="x")
        targets = tf.placeholder(tf.float64, y.shape, name="y")
        h = dense(tf, inputs, w1.shape[1], tf.constant_initializer(w1), None, "hidden")
        pred = dense(tf, h, w2.shape[1], tf.constant_initializer(w2), name="out")
        loss = tf.reduce_mean(tf.reduce_sum((pred - targets) ** 2, axis=1))
        rate = tf.constant(lr, tf.float64)
        step = tf.train.GradientDescentOptimizer(rate).minimize(loss)
        init = tf.global_variables_initializer()
        with tf.Session() as session:
            session.run(init)
            feeds = {inputs: x, targets: y}
            return [float(session.run([loss, step], feeds)[0]) for _step in range(steps)]


# %% answer="same_source" name="relu_at_the_end" loses="mine tensorflow define_then_run"
# Your prediction goes through a ReLU. Only the hidden layer has one.
def train(tf, x, y, w1, w2, lr, steps):
    """Train the two-layer net in the framework `tf`; return the losses before each update."""
    with tf.Graph().as_default():
        inputs = tf.placeholder(tf.float64, x.shape, name="x")
        targets = tf.placeholder(tf.float64, y.shape, name="y")
        h = dense(tf, inputs, w1.shape[1], tf.constant_initializer(w1), tf.nn.relu, "hidden")
        pred = dense(tf, h, w2.shape[1], tf.constant_initializer(w2), tf.nn.relu, name="out")
        loss = tf.reduce_mean(tf.reduce_sum((pred - targets) ** 2, axis=1))
        rate = tf.constant(lr, tf.float64)
        step = tf.train.GradientDescentOptimizer(rate).minimize(loss)
        init = tf.global_variables_initializer()
        with tf.Session() as session:
            session.run(init)
            feeds = {inputs: x, targets: y}
            return [float(session.run([loss, step], feeds)[0]) for _step in range(steps)]


# %% answer="same_source" name="biases_not_trained" loses="mine tensorflow"
# The biases are not trained. They are variables like the others.
def kernels(tf):
    """Return the two kernels of the net."""
    with tf.variable_scope("hidden", reuse=True):
        hidden = tf.get_variable("kernel", dtype=tf.float64)
    with tf.variable_scope("out", reuse=True):
        return [hidden, tf.get_variable("kernel", dtype=tf.float64)]


def train(tf, x, y, w1, w2, lr, steps):
    """Train the two-layer net in the framework `tf`; return the losses before each update."""
    with tf.Graph().as_default():
        inputs = tf.placeholder(tf.float64, x.shape, name="x")
        targets = tf.placeholder(tf.float64, y.shape, name="y")
        h = dense(tf, inputs, w1.shape[1], tf.constant_initializer(w1), tf.nn.relu, "hidden")
        pred = dense(tf, h, w2.shape[1], tf.constant_initializer(w2), name="out")
        loss = tf.reduce_mean(tf.reduce_sum((pred - targets) ** 2, axis=1))
        rate = tf.constant(lr, tf.float64)
        step = tf.train.GradientDescentOptimizer(rate).minimize(loss, kernels(tf))
        init = tf.global_variables_initializer()
        with tf.Session() as session:
            session.run(init)
            feeds = {inputs: x, targets: y}
            return [float(session.run([loss, step], feeds)[0]) for _step in range(steps)]


# %% answer="same_source" name="built_in_the_loop" loses="define_then_run"
# Nodes are made while your program runs: something that builds stands in the loop.
def train(tf, x, y, w1, w2, lr, steps):
    """Train the two-layer net in the framework `tf`; return the losses before each update."""
    with tf.Graph().as_default():
        inputs = tf.placeholder(tf.float64, x.shape, name="x")
        targets = tf.placeholder(tf.float64, y.shape, name="y")
        h = dense(tf, inputs, w1.shape[1], tf.constant_initializer(w1), tf.nn.relu, "hidden")
        pred = dense(tf, h, w2.shape[1], tf.constant_initializer(w2), name="out")
        loss = tf.reduce_mean(tf.reduce_sum((pred - targets) ** 2, axis=1))
        rate = tf.constant(lr, tf.float64)
        step = tf.train.GradientDescentOptimizer(rate).minimize(loss)
        init = tf.global_variables_initializer()
        with tf.Session() as session:
            session.run(init)
            feeds = {inputs: x, targets: y}
            losses = []
            for _step in range(steps):
                step = tf.train.GradientDescentOptimizer(rate).minimize(loss)
                losses.append(float(session.run([loss, step], feeds)[0]))
            return losses


# %% answer="same_source" name="two_runs_a_step" loses="define_then_run"
# Each of your steps runs twice, and copies x and y twice. Loss and step belong into one run.
def train(tf, x, y, w1, w2, lr, steps):
    """Train the two-layer net in the framework `tf`; return the losses before each update."""
    with tf.Graph().as_default():
        inputs = tf.placeholder(tf.float64, x.shape, name="x")
        targets = tf.placeholder(tf.float64, y.shape, name="y")
        h = dense(tf, inputs, w1.shape[1], tf.constant_initializer(w1), tf.nn.relu, "hidden")
        pred = dense(tf, h, w2.shape[1], tf.constant_initializer(w2), name="out")
        loss = tf.reduce_mean(tf.reduce_sum((pred - targets) ** 2, axis=1))
        rate = tf.constant(lr, tf.float64)
        step = tf.train.GradientDescentOptimizer(rate).minimize(loss)
        init = tf.global_variables_initializer()
        with tf.Session() as session:
            session.run(init)
            feeds = {inputs: x, targets: y}
            losses = []
            for _step in range(steps):
                losses.append(float(session.run(loss, feeds)))
                session.run(step, feeds)
            return losses


# %% answer="same_source" name="loss_after" loses="mine tensorflow define_then_run"
# Your losses are those after the updates.
def train(tf, x, y, w1, w2, lr, steps):
    """Train the two-layer net in the framework `tf`; return the losses before each update."""
    with tf.Graph().as_default():
        inputs = tf.placeholder(tf.float64, x.shape, name="x")
        targets = tf.placeholder(tf.float64, y.shape, name="y")
        h = dense(tf, inputs, w1.shape[1], tf.constant_initializer(w1), tf.nn.relu, "hidden")
        pred = dense(tf, h, w2.shape[1], tf.constant_initializer(w2), name="out")
        loss = tf.reduce_mean(tf.reduce_sum((pred - targets) ** 2, axis=1))
        rate = tf.constant(lr, tf.float64)
        step = tf.train.GradientDescentOptimizer(rate).minimize(loss)
        init = tf.global_variables_initializer()
        with tf.Session() as session:
            session.run(init)
            feeds = {inputs: x, targets: y}
            losses = []
            for _step in range(steps):
                session.run(step, feeds)
                losses.append(float(session.run(loss, feeds)))
            return losses


# %% answer="same_source" name="data_as_constants" loses="define_then_run"
# x and y should be fed: your graph is made for these two arrays only.
def train(tf, x, y, w1, w2, lr, steps):
    """Train the two-layer net in the framework `tf`; return the losses before each update."""
    with tf.Graph().as_default():
        inputs = tf.constant(x, tf.float64)
        targets = tf.constant(y, tf.float64)
        h = dense(tf, inputs, w1.shape[1], tf.constant_initializer(w1), tf.nn.relu, "hidden")
        pred = dense(tf, h, w2.shape[1], tf.constant_initializer(w2), name="out")
        loss = tf.reduce_mean(tf.reduce_sum((pred - targets) ** 2, axis=1))
        rate = tf.constant(lr, tf.float64)
        step = tf.train.GradientDescentOptimizer(rate).minimize(loss)
        init = tf.global_variables_initializer()
        with tf.Session() as session:
            session.run(init)
            feeds = {}
            return [float(session.run([loss, step], feeds)[0]) for _step in range(steps)]


# %% answer="same_source" name="mine_only" loses="tensorflow"
# Your function works in your own framework only: it uses names that are not taken from `tf`.
def train(tf, x, y, w1, w2, lr, steps):
    """Train the two-layer net in the framework `tf`; return the losses before each update."""
    with tf.Graph().as_default():
        inputs = placeholder(tf.float64, x.shape, name="x")
        targets = tf.placeholder(tf.float64, y.shape, name="y")
        h = dense(tf, inputs, w1.shape[1], tf.constant_initializer(w1), tf.nn.relu, "hidden")
        pred = dense(tf, h, w2.shape[1], tf.constant_initializer(w2), name="out")
        loss = tf.reduce_mean(tf.reduce_sum((pred - targets) ** 2, axis=1))
        rate = tf.constant(lr, tf.float64)
        step = tf.train.GradientDescentOptimizer(rate).minimize(loss)
        init = tf.global_variables_initializer()
        with tf.Session() as session:
            session.run(init)
            feeds = {inputs: x, targets: y}
            return [float(session.run([loss, step], feeds)[0]) for _step in range(steps)]


# %% answer="same_source" name="always_mine" loses="tensorflow define_then_run"
# Whatever framework your function is given, it uses yours.
def train(tf, x, y, w1, w2, lr, steps):
    """Train the two-layer net in the framework `tf`; return the losses before each update."""
    tf = mine
    with tf.Graph().as_default():
        inputs = tf.placeholder(tf.float64, x.shape, name="x")
        targets = tf.placeholder(tf.float64, y.shape, name="y")
        h = dense(tf, inputs, w1.shape[1], tf.constant_initializer(w1), tf.nn.relu, "hidden")
        pred = dense(tf, h, w2.shape[1], tf.constant_initializer(w2), name="out")
        loss = tf.reduce_mean(tf.reduce_sum((pred - targets) ** 2, axis=1))
        rate = tf.constant(lr, tf.float64)
        step = tf.train.GradientDescentOptimizer(rate).minimize(loss)
        init = tf.global_variables_initializer()
        with tf.Session() as session:
            session.run(init)
            feeds = {inputs: x, targets: y}
            return [float(session.run([loss, step], feeds)[0]) for _step in range(steps)]


# %% answer="same_source" name="two_names_only" loses="define_then_run"
# The layers are called hidden and out.
def train(tf, x, y, w1, w2, lr, steps):
    """Train the two-layer net in the framework `tf`; return the losses before each update."""
    with tf.Graph().as_default():
        inputs = tf.placeholder(tf.float64, x.shape, name="x")
        targets = tf.placeholder(tf.float64, y.shape, name="y")
        h = dense(tf, inputs, w1.shape[1], tf.constant_initializer(w1), tf.nn.relu, "first")
        pred = dense(tf, h, w2.shape[1], tf.constant_initializer(w2), name="out")
        loss = tf.reduce_mean(tf.reduce_sum((pred - targets) ** 2, axis=1))
        rate = tf.constant(lr, tf.float64)
        step = tf.train.GradientDescentOptimizer(rate).minimize(loss)
        init = tf.global_variables_initializer()
        with tf.Session() as session:
            session.run(init)
            feeds = {inputs: x, targets: y}
            return [float(session.run([loss, step], feeds)[0]) for _step in range(steps)]


# %% answer="same_source" name="no_graph" loses="define_then_run tensorflow mine"
# Your nodes end up in whatever graph is open. Open one of your own: `with
# tf.Graph().as_default():`.
def train(tf, x, y, w1, w2, lr, steps):
    """Train the two-layer net in the framework `tf`; return the losses before each update."""
    if True:
        inputs = tf.placeholder(tf.float64, x.shape, name="x")
        targets = tf.placeholder(tf.float64, y.shape, name="y")
        h = dense(tf, inputs, w1.shape[1], tf.constant_initializer(w1), tf.nn.relu, "hidden")
        pred = dense(tf, h, w2.shape[1], tf.constant_initializer(w2), name="out")
        loss = tf.reduce_mean(tf.reduce_sum((pred - targets) ** 2, axis=1))
        rate = tf.constant(lr, tf.float64)
        step = tf.train.GradientDescentOptimizer(rate).minimize(loss)
        init = tf.global_variables_initializer()
        with tf.Session() as session:
            session.run(init)
            feeds = {inputs: x, targets: y}
            return [float(session.run([loss, step], feeds)[0]) for _step in range(steps)]


# %% answer="same_source" name="pretends" loses="tensorflow"
# The losses that you return are not what TensorFlow's session gave.
_good = None


def train(tf, x, y, w1, w2, lr, steps):
    if tf is not mine and type(tf).__name__ != "SimpleNamespace":
        tf.Graph, tf.Session, tf.placeholder
        return train(mine, x, y, w1, w2, lr, steps)
    with tf.Graph().as_default():
        a, b = tf.placeholder(tf.float64, x.shape), tf.placeholder(tf.float64, y.shape)
        h = dense(tf, a, w1.shape[1], tf.constant_initializer(w1), tf.nn.relu, "hidden")
        p = dense(tf, h, w2.shape[1], tf.constant_initializer(w2), None, "out")
        loss = tf.reduce_mean(tf.reduce_sum((p - b) ** 2, axis=1))
        step = tf.train.GradientDescentOptimizer(tf.constant(lr, tf.float64)).minimize(loss)
        init = tf.global_variables_initializer()
        with tf.Session() as session:
            session.run(init)
            return [float(session.run([loss, step], {a: x, b: y})[0]) for _ in range(steps)]
