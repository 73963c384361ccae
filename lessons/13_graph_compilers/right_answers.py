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


# %% answer="fold" name="known_or_not"
def fold(steps, fetches):
    made = {}

    def folded(name, op, args, attrs):
        inputs = [made[a] for a in args]
        if op not in OPS or {i[1] for i in inputs} != {"constant"}:
            return name, op, args, attrs
        try:
            value = compute(op, [i[3]["value"] for i in inputs], attrs)
        except (ValueError, TypeError):
            return name, op, args, attrs
        return name, "constant", (), {"value": value}

    for step in steps:
        made[step[0]] = folded(*step)
    return list(made.values()), fetches[:]


# %% answer="fold" name="run_it"
def fold(steps, fetches):
    """Let the run itself compute, one step at a time."""
    out, known = [], set()
    table = {}
    for step in steps:
        name, op, args, _attrs = step
        if op == "constant":
            known.add(name)
        elif op in OPS and known.issuperset(args):
            small = [table[a] for a in dict.fromkeys(args)] + [step]
            try:
                step = (name, "constant", (), {"value": run(small, [name], {})[0]})
                known.add(name)
            except Exception:
                step = small[-1]
        table[name] = step
        out.append(step)
    return out, list(fetches)


# %% answer="simplify" name="until_nothing_changes"
def simplify(steps, fetches, rules):
    """Go through the program again and again until a walk changes nothing."""
    serial = 0
    while True:
        made, shape, new, changed = {}, {}, {}, False

        def put(name, op, args, attrs):
            made[name] = (name, op, args, attrs)
            shape[name] = shape_of(op, [shape[a] for a in args], attrs)
            return name

        def matched(pattern, name):
            """Return the bindings as a dictionary, or None."""
            _, op, args, attrs = made[name]
            if isinstance(pattern, str):
                return {pattern: name}
            if isinstance(pattern, tuple):
                if (op, len(args), attrs) != (pattern[0], len(pattern) - 1, {}):
                    return None
                found = {}
                for part, arg in zip(pattern[1:], args, strict=True):
                    inner = matched(part, arg)
                    if inner is None or any(found.get(k, v) != v for k, v in inner.items()):
                        return None
                    found |= inner
                return found
            if op != "constant":
                return None
            value = np.asarray(attrs["value"])
            return {} if value.tobytes() == np.full(value.shape, float(pattern)).tobytes() else None

        def built(right, found, target):
            nonlocal serial
            if isinstance(right, str):
                return found[right]
            serial += 1
            name = f"_{serial}_"
            while name in made or any(name == step[0] for step in steps):
                name += "+"
            if isinstance(right, tuple):
                args = tuple(built(part, found, ()) for part in right[1:])
                return put(name, right[0], args, {})
            return put(name, "constant", (), {"value": np.full(target, float(right))})

        for name, op, args, attrs in steps:
            here = put(name, op, tuple(new[a] for a in args), attrs)
            for left, right in rules:
                found = matched(left, here)
                if found is None:
                    continue
                before = dict(made)
                try:
                    other = built(right, found, shape[here])
                    fits = shape[other] == shape[here]
                except ValueError:
                    fits = False
                if fits:
                    here, changed = other, True
                    break
                made = before
            new[name] = here
        steps, fetches = list(made.values()), [new[name] for name in fetches]
        wanted, kept = set(fetches), []
        for step in reversed(steps):
            if step[0] in wanted or step[1] in ("input", "print", "random"):
                kept.append(step)
                wanted |= set(step[2])
        steps = kept[::-1]
        if not changed:
            return steps, fetches


# %% answer="simplify" name="rules_by_op"
def simplify(steps, fetches, rules):
    """Return the program with the rules (left, right) applied wherever they can be."""
    made, shapes, out, new = {}, {}, [], {}
    by_op = {}
    for rule in rules:
        by_op.setdefault(rule[0][0], []).append(rule)
    taken = {step[0] for step in steps}

    def emit(step):
        name, op, args, attrs = step
        shapes[name] = shape_of(op, [shapes[a] for a in args], attrs)
        made[name] = step
        out.append(step)
        return name

    def fresh():
        name = f"new{len(out)}"
        while name in taken:
            name += "_"
        taken.add(name)
        return name

    def match(pattern, name, bound):
        if isinstance(pattern, str):
            return bound.setdefault(pattern, name) == name
        _, op, args, attrs = made[name]
        if isinstance(pattern, tuple):
            fits = op == pattern[0] and len(args) == len(pattern) - 1 and not attrs
            return fits and all(match(p, a, bound) for p, a in zip(pattern[1:], args, strict=True))
        if op != "constant":
            return False
        full = np.signbit(attrs["value"]) == np.signbit(pattern)
        return bool(np.all((attrs["value"] == pattern) & full))

    def shape_on(right, bound):
        if isinstance(right, str):
            return shapes[bound[right]]
        if not isinstance(right, tuple):
            return ()
        inner = [shape_on(r, bound) for r in right[1:]]
        try:
            return None if None in inner else shape_of(right[0], inner, {})
        except ValueError:
            return None  # these shapes do not fit together

    def build(right, bound, shape=()):
        if isinstance(right, str):
            return bound[right]
        if isinstance(right, tuple):
            args = tuple(build(r, bound) for r in right[1:])
            return best(emit((fresh(), right[0], args, {})))
        return emit((fresh(), "constant", (), {"value": np.full(shape, float(right))}))

    def best(name):
        for left, right in by_op.get(made[name][1], ()):
            bound = {}
            if match(left, name, bound):
                number = not isinstance(right, str | tuple)
                if number or shape_on(right, bound) == shapes[name]:
                    return build(right, bound, shapes[name])
        return name

    for name, op, args, attrs in steps:
        new[name] = best(emit((name, op, tuple(new[a] for a in args), attrs)))
    return out, [new[name] for name in fetches]


# %% answer="simplify" name="rule_after_rule"
# Each rule walks the whole program, and all of them again until nothing changes.
def simplify(steps, fetches, rules):
    n = [0]
    taken = {s[0] for s in steps}

    def fresh():
        while f"t{n[0]}" in taken:
            n[0] += 1
        taken.add(f"t{n[0]}")
        return f"t{n[0]}"

    def needed(steps, fetches):
        need = set(fetches)
        for s in reversed(steps):
            if s[0] in need or s[1] in EFFECTS:
                need |= set(s[2])
        return [s for s in steps if s[0] in need or s[1] in EFFECTS]

    def match(p, name, made, bound):
        if isinstance(p, str):
            return bound.setdefault(p, name) == name
        _, op, args, attrs = made[name]
        if isinstance(p, float):
            if op != "constant":
                return False
            v = attrs["value"]
            return v.size > 0 and v.tobytes() == np.full(v.shape, p).tobytes()
        return (
            op == p[0]
            and not attrs
            and len(args) == len(p) - 1
            and all(match(q, a, made, bound) for q, a in zip(p[1:], args))
        )

    steps, fetches = needed(steps, fetches), list(fetches)
    changed = True
    while changed:
        changed = False
        for left, right in rules:
            out, made, shapes, new, did = [], {}, {}, {}, False
            for name, op, args, attrs in steps:
                args = tuple(new[a] for a in args)
                made[name] = (name, op, args, attrs)
                shapes[name] = shape_of(op, [shapes[a] for a in args], attrs)
                bound = {}
                new[name] = name
                if match(left, name, made, bound):
                    extra = []

                    def build(r, shape):
                        if isinstance(r, str):
                            return bound[r], shapes[bound[r]]
                        new_name = fresh()
                        if isinstance(r, float):
                            extra.append((new_name, "constant", (), {"value": np.full(shape, r)}))
                            return new_name, shape
                        parts = [build(q, ()) for q in r[1:]]
                        s = shape_of(r[0], [p[1] for p in parts], {})
                        extra.append((new_name, r[0], tuple(p[0] for p in parts), {}))
                        return new_name, s

                    try:
                        result, s = build(right, shapes[name])
                    except ValueError:
                        s = None
                    if s == shapes[name]:
                        for e in extra:
                            out.append(e)
                            made[e[0]] = e
                            shapes[e[0]] = shape_of(e[1], [shapes[a] for a in e[2]], e[3])
                        new[name] = result
                        did = True
                        continue
                out.append(made[name])
            if did:
                changed = True
                fetches = [new[f] for f in fetches]
                steps = needed(out, fetches)
    return steps, fetches


# %% answer="exact" name="search"
def counterexamples():
    """Try everything on a list of nasty numbers."""
    import inspect
    import itertools

    numbers = [-0.0, 0.0, np.inf, np.nan, 5.0, 0.1, -0.7, 1e200, 1e308, 1e-200, 5e-324]
    found = {}
    for identity, (left, _) in IDENTITIES.items():
        names = list(inspect.signature(left).parameters)
        found[identity] = None
        for values in itertools.product(numbers, repeat=len(names)):
            case = dict(zip(names, values))
            one, other = (float(side) for side in sides(identity, case))
            if np.isnan(one) and np.isnan(other):
                continue
            if one.hex() != other.hex():
                found[identity] = case
                break
    return found


# %% answer="exact" name="others"
def counterexamples():
    """Return for each identity numbers at which it does not hold; None if there are none."""
    found = dict.fromkeys(IDENTITIES)  # four of them stay None
    found["x + 0 -> x"] = {"x": -0.0}
    found["0 - x -> -x"] = {"x": np.float64(0)}
    found["x * 0 -> 0"] = {"x": -3}
    found["x / x -> 1"] = {"x": -np.inf}
    found["x - x -> 0"] = {"x": np.inf}
    found["min(max(x, y), y) -> y"] = {"x": np.nan, "y": 1.0}
    found["x / 3 -> x * (1 / 3)"] = {"x": 5.0}  # rounds twice
    found["x * 2 / 2 -> x"] = {"x": 1e308}  # too large in between
    found["sqrt(x * x) -> abs(x)"] = {"x": 1e-200}
    found["(x + y) - y -> x"] = {"x": 0.1, "y": 0.7}
    found["(x + y) + z -> x + (y + z)"] = {"x": 0.1, "y": 0.2, "z": 0.3}
    return found


# %% answer="share" name="by_repr"
def share(steps, fetches):
    """What a step is, written down as text."""
    first, alias, kept = {}, {}, []
    for name, op, args, attrs in steps:
        args = tuple(alias.get(a, a) for a in args)
        text = None
        if op == "constant":
            array = np.ascontiguousarray(attrs["value"])
            text = (
                f"{np.shape(attrs['value'])} {array.view(np.uint64).ravel().tolist()}"
                if array.size
                else f"{array.shape}"
            )
        elif op not in EFFECTS | {"input"}:
            text = f"{op} {args} {sorted(attrs.items())!r}"
        if text is not None and text in first:
            alias[name] = first[text]
            continue
        if text is not None:
            first[text] = name
        kept.append((name, op, args, attrs))
    return kept, [alias.get(f, f) for f in fetches]


# %% answer="share" name="commutative_too"
def share(steps, fetches):
    """Return the program in which equal steps are computed once."""
    known, new, out = {}, {}, []
    for name, op, args, attrs in steps:
        args = tuple(new[a] for a in args)
        if op == "constant":
            value = np.asarray(attrs["value"])
            key = (op, value.shape, value.tobytes())
        elif op in OPS:
            either = op in ("add", "multiply")
            key = (op, tuple(sorted(args)) if either else args, tuple(sorted(attrs.items())))
        else:
            key = name
        new[name] = known.setdefault(key, name)
        if new[name] == name:
            out.append((name, op, args, attrs))
    return out, [new[name] for name in fetches]


# %% answer="prune" name="stack"
def prune(steps, fetches):
    """From the fetches and effects down."""
    args = {step[0]: step[2] for step in steps}
    stack = list(fetches) + [name for name, op, *_ in steps if op in EFFECTS]
    needed = set()
    while stack:
        name = stack.pop()
        if name not in needed:
            needed.add(name)
            stack += args[name]
    return [step for step in steps if step[0] in needed], fetches[:]


# %% answer="prune" name="by_users"
def prune(steps, fetches):
    """Count users; drop what has none, and so on."""
    table = {step[0]: step for step in steps}
    users = dict.fromkeys(table, 0)
    for step in steps:
        for a in step[2]:
            users[a] += 1
    for name in fetches:
        users[name] += 1
    dead = [n for n, count in users.items() if count == 0 and table[n][1] not in EFFECTS]
    gone = set()
    while dead:
        name = dead.pop()
        gone.add(name)
        for a in table[name][2]:
            users[a] -= 1
            if users[a] == 0 and table[a][1] not in EFFECTS:
                dead.append(a)
    return [step for step in steps if step[0] not in gone], [*fetches]


# %% answer="fuse" name="forward_merge"
def fuse(steps, fetches):
    """From first to last: each step takes in the groups of its args."""
    shape, count = {}, {}
    for name, op, args, attrs in steps:
        shape[name] = shape_of(op, [shape[a] for a in args], attrs)
        for a in set(args):
            count[a] = count.get(a, 0) + 1
    group = {}
    for name, op, args, _ in steps:
        if op in EACH:
            mine = []
            for a in dict.fromkeys(args):
                if a in group and count[a] == 1 and a not in fetches and shape[a] == shape[name]:
                    mine.append(group.pop(a))
            group[name] = [m for part in mine for m in part] + [name]
    inside = {m for end, members in group.items() for m in members if m != end}
    table, out = {step[0]: step for step in steps}, []
    order = {step[0]: i for i, step in enumerate(steps)}
    for step in steps:
        name = step[0]
        if name in inside:
            continue
        if len(group.get(name, ())) > 1:
            body = [table[m] for m in sorted(group[name], key=order.get)]
            own = set(group[name])
            outer = []
            for _, _, args, _ in body:
                outer += [a for a in dict.fromkeys(args) if a not in own and a not in outer]
            takes = [f"in{i}" for i in range(len(outer))]
            said = dict(zip(outer, takes))
            inner = [
                (f"_{n}", op, tuple(said.get(a, f"_{a}") for a in args), {})
                for n, op, args, _ in body
            ]
            attrs = {"takes": takes, "steps": inner, "gives": f"_{name}"}
            step = (name, "fused", tuple(outer), attrs)
        out.append(step)
    return out, list(fetches)


# %% answer="fuse" name="union_find"
def fuse(steps, fetches):
    """Follow each step to the end of its chain of only users, with shortcuts."""
    table = {step[0]: step for step in steps}
    shape, users = {}, {step[0]: set() for step in steps}
    for name, op, args, attrs in steps:
        shape[name] = shape_of(op, [shape[a] for a in args], attrs)
        for a in args:
            users[a].add(name)

    def joins(name):
        if table[name][1] not in EACH or name in wanted or len(users[name]) != 1:
            return None
        (user,) = users[name]
        return user if table[user][1] in EACH and shape[user] == shape[name] else None

    wanted, end, members = set(fetches), {}, {}
    for name in [step[0] for step in steps][::-1]:
        user = joins(name)
        end[name] = name if user is None else end[user]
    for step in steps:
        members.setdefault(end[step[0]], []).append(step)
    out = []
    for step in steps:
        body = members.get(step[0])
        if body and len(body) > 1:
            made = [s[0] for s in body]
            made_set = set(made)
            args = tuple({a: None for s in body for a in s[2] if a not in made_set})
            out.append((step[0], "fused", args, {"takes": args, "steps": body, "gives": made[-1]}))
        elif body:
            out.append(step)
    return out, list(fetches)


# %% answer="fuse" name="depth_first_inside"
# Inside of a kernel the steps stand in another order, found by a walk from its last step.
def fuse(steps, fetches):
    shapes, users, ops = {}, {}, {}
    for name, op, args, attrs in steps:
        shapes[name] = shape_of(op, [shapes[a] for a in args], attrs)
        ops[name] = op
        for a in set(args):
            users.setdefault(a, []).append(name)
    root, groups = {}, {}
    for name, op, args, attrs in reversed(steps):
        root[name] = name
        u = users.get(name, [])
        if (
            op in EACH
            and len(u) == 1
            and name not in fetches
            and ops[u[0]] in EACH
            and shapes[u[0]] == shapes[name]
        ):
            root[name] = root[u[0]]
    for s in steps:
        groups.setdefault(root[s[0]], []).append(s)
    out = []
    for s in steps:
        if root[s[0]] != s[0]:
            continue
        g = groups[s[0]]
        if len(g) == 1:
            out.append(s)
            continue
        inner = {t[0]: t for t in g}
        order, todo = [], [(s[0], False)]
        done = set()
        while todo:
            n, ready = todo.pop()
            if ready:
                order.append(inner[n])
            elif n not in done:
                done.add(n)
                todo.append((n, True))
                todo += [(a, False) for a in inner[n][2] if a in inner]
        g = order
        takes = []
        for t in g:
            for a in t[2]:
                if a not in inner and a not in takes:
                    takes.append(a)
        out.append(
            (s[0], "fused", tuple(takes), {"takes": tuple(takes), "steps": g, "gives": s[0]})
        )
    return out, list(fetches)


# %% answer="fuse" name="renamed_inside"
# Inside of a kernel all values have other names.
def fuse(steps, fetches):
    shapes, users, ops = {}, {}, {}
    for name, op, args, attrs in steps:
        shapes[name] = shape_of(op, [shapes[a] for a in args], attrs)
        ops[name] = op
        for a in set(args):
            users.setdefault(a, []).append(name)
    root, groups = {}, {}
    for name, op, args, attrs in reversed(steps):
        root[name] = name
        u = users.get(name, [])
        if (
            op in EACH
            and len(u) == 1
            and name not in fetches
            and ops[u[0]] in EACH
            and shapes[u[0]] == shapes[name]
        ):
            root[name] = root[u[0]]
    for s in steps:
        groups.setdefault(root[s[0]], []).append(s)
    out = []
    for s in steps:
        if root[s[0]] != s[0]:
            continue
        g = groups[s[0]]
        if len(g) == 1:
            out.append(s)
            continue
        inner = {t[0] for t in g}
        takes = []
        for t in g:
            for a in t[2]:
                if a not in inner and a not in takes:
                    takes.append(a)
        nick = {a: f"p{i}" for i, a in enumerate(takes)}
        nick |= {t[0]: f"v{i}" for i, t in enumerate(g)}
        g = [(nick[n], o, tuple(nick[a] for a in ar), at) for n, o, ar, at in g]
        out.append(
            (
                s[0],
                "fused",
                tuple(takes),
                {"takes": tuple(nick[a] for a in takes), "steps": g, "gives": g[-1][0]},
            )
        )
        continue
        out.append(
            (s[0], "fused", tuple(takes), {"takes": tuple(takes), "steps": g, "gives": s[0]})
        )
    return out, list(fetches)


# %% answer="plan" name="intervals"
def plan(steps, fetches):
    """Free lists as a dictionary of sets; sizes remembered for each buffer."""
    shape, ends = {}, {}
    for place, (name, op, args, attrs) in enumerate(steps):
        shape[name] = shape_of(op, [shape[a] for a in args], attrs)
        ends[name] = place
        for a in args:
            ends[a] = place
    for name in fetches:
        ends[name] = None
    own = {name for name, op, *_ in steps if op in ("input", "constant")}
    buffer, sizes, busy = {}, [], set()
    for place, (name, op, args, attrs) in enumerate(steps):
        if name in own:
            continue
        need = int(np.prod(shape[name], dtype=int))
        ending = {a for a in args if a not in own and ends[a] == place}
        here = None
        if op in EACH or op == "fused":
            here = next((buffer[a] for a in ending if shape[a] == shape[name]), None)
        if here is None:
            idle = [b for b, size in enumerate(sizes) if size == need and b not in busy]
            if not idle:
                sizes.append(need)
                idle = [len(sizes) - 1]
            here = idle[0]
        busy -= {buffer[a] for a in ending}
        busy.add(here)
        buffer[name] = here
        if ends[name] == place:
            busy.discard(here)
    return buffer


# %% answer="plan" name="first_in_first_out"
def plan(steps, fetches):
    """Return for each computed value the number of the buffer in which it stands."""
    last = {a: place for place, step in enumerate(steps) for a in (step[0], *step[2])}
    last.update(dict.fromkeys(fetches, len(steps)))
    shapes, of, free, count = {}, {}, {}, 0
    for place, (name, op, args, attrs) in enumerate(steps):
        shape = shapes[name] = shape_of(op, [shapes[a] for a in args], attrs)
        if op in ("input", "constant"):
            continue
        size = int(np.prod(shape))
        dying = [a for a in dict.fromkeys(args) if a in of and last[a] == place]
        each = op in EACH or op == "fused"
        over = [a for a in dying if each and shapes[a] == shape]
        if over:
            of[name] = of[over[-1]]
            dying.remove(over[-1])
        elif free.get(size):
            of[name] = free[size].pop(0)
        else:
            of[name] = count
            count += 1
        for a in [*dying, name] if last[name] == place else dying:
            free.setdefault(int(np.prod(shapes[a])), []).append(of[a])
    return of


# %% answer="jit" name="a_class"
def jit(function, passes=()):
    """A callable object with a dictionary of compiled programs."""

    def describe(arg):
        if isinstance(arg, np.ndarray):
            return "a", arg.dtype.str, *arg.shape
        if isinstance(arg, tuple):
            return ("t", *map(describe, arg))
        if isinstance(arg, float):
            return "f", arg.hex()
        return type(arg).__name__, arg

    class Jitted:
        def __init__(self):
            self.programs = {}

        def compiled(self, args):
            steps = [
                (f"x{i}", "input", (), {"shape": arg.shape})
                for i, arg in enumerate(args)
                if isinstance(arg, np.ndarray)
            ]
            boxes = [
                Box(steps, f"x{i}", arg.shape, arg.dtype) if isinstance(arg, np.ndarray) else arg
                for i, arg in enumerate(args)
            ]
            out = function(*boxes)
            single = not isinstance(out, tuple)
            names = []
            for one in (out,) if single else out:
                names.append((one if isinstance(one, Box) else constant(steps, one)).name)
            fetches = names
            for one in passes:
                steps, fetches = one(steps, fetches)
            return steps, fetches, single

        def __call__(self, *args):
            key = tuple(describe(arg) for arg in args)
            found = self.programs.get(key) or self.compiled(args)
            self.programs[key] = found
            steps, fetches, single = found
            feeds = {f"x{i}": arg for i, arg in enumerate(args) if isinstance(arg, np.ndarray)}
            values = [value.copy() for value in run(steps, fetches, feeds)]
            return values[0] if single else tuple(values)

    return Jitted()


# %% answer="jit" name="one_string"
def jit(function, passes=()):
    """Guards as one string, and functools' cache."""
    from functools import cache

    @cache
    def program(guards):
        args = waiting.pop()
        steps, boxes = [], list(args)
        for i, arg in enumerate(args):
            if isinstance(arg, np.ndarray):
                steps.append((f"in{i}", "input", (), {"shape": arg.shape}))
                boxes[i] = Box(steps, f"in{i}", arg.shape, arg.dtype)
        out = function(*boxes)
        listed = out if isinstance(out, tuple) else [out]
        fetches = [r.name if isinstance(r, Box) else constant(steps, r).name for r in listed]
        for step in passes:
            steps, fetches = step(steps, fetches)
        return steps, fetches, isinstance(out, tuple)

    waiting = []

    def jitted(*args):
        words = [
            f"array {a.shape} {a.dtype}" if isinstance(a, np.ndarray) else f"{type(a)} {a!r}"
            for a in args
        ]
        waiting[:] = [args]
        steps, fetches, several = program(tuple(words))
        feeds = {f"in{i}": np.array(a) for i, a in enumerate(args) if isinstance(a, np.ndarray)}
        values = [np.array(v) for v in run(steps, fetches, feeds)]
        return tuple(values) if several else values[0]

    return jitted


# %% answer="locate" name="a_stack"
def checked_run(steps, fetches, feeds, lines):
    """Helpers at the side: one for the words, one for a step."""

    def words(name, op):
        return f"{op} in step {name}: " + (lines[name] if name in lines else "made by the compiler")

    def one(step, env):
        name, op, args, attrs = step
        if op == "input":
            return np.array(feeds[name], float)
        if op == "constant":
            return attrs["value"]
        arrays = [env[a] for a in args]
        if op == "fused":
            local = dict(zip(attrs["takes"], arrays))
            for inner in attrs["steps"]:
                local[inner[0]] = one(inner, local)
            return local[attrs["gives"]]
        bad = sum(np.count_nonzero(~np.isfinite(a)) for a in arrays)
        try:
            value = compute(op, arrays, attrs)
        except Exception as error:
            raise RuntimeError(words(name, op)) from error
        if bad == 0 and np.count_nonzero(~np.isfinite(value)):
            raise FloatingPointError(words(name, op))
        return value

    env = {}
    for step in steps:
        env[step[0]] = one(step, env)
    return [env[f] for f in fetches]


# %% answer="locate" name="flattened"
def checked_run(steps, fetches, feeds, lines):
    """First take all kernels apart, then run one flat list."""
    flat = []

    def unpack(steps, seen, prefix):
        for name, op, args, attrs in steps:
            args = tuple(seen[a] for a in args)
            if op == "fused":
                local = dict(zip(attrs["takes"], args))
                seen[name] = unpack(attrs["steps"], local, f"{prefix}{name}/")[attrs["gives"]]
            else:
                seen[name] = prefix + name
                flat.append((prefix + name, name, op, args, attrs))
        return seen

    outer, value = unpack(steps, {}, ""), {}
    for key, name, op, args, attrs in flat:
        given = [value[a] for a in args]
        if op in ("input", "constant"):
            value[key] = np.asarray(feeds[name], float) if op == "input" else attrs["value"]
            continue
        text = op + " | " + lines.get(name, "made by the compiler")
        try:
            value[key] = compute(op, given, attrs)
        except Exception as error:
            raise RuntimeError(text) from error
        clean = all(np.all(np.isfinite(a)) for a in given)
        if clean and not np.all(np.isfinite(value[key])):
            raise FloatingPointError(text)
    return [value[outer[f]] for f in fetches]


# %% answer="locate" name="speaks_of_kernels"
# The message speaks of a kernel and quotes the first error.
def checked_run(steps, fetches, feeds, lines):
    def walk(steps, values):
        for name, op, args, attrs in steps:
            if op == "input":
                values[name] = np.asarray(feeds[name], dtype=float)
                continue
            if op == "constant":
                values[name] = attrs["value"]
                continue
            a = [values[x] for x in args]
            if op == "fused":
                values[name] = walk(attrs["steps"], dict(zip(attrs["takes"], a)))[attrs["gives"]]
                continue
            where = f"{op}: {lines.get(name, 'made by the compiler')}"
            try:
                v = compute(op, a, attrs)
            except Exception as e:
                raise RuntimeError(f"this step of a kernel failed ({e}): {where}") from e
            if not np.isfinite(v).all() and all(np.isfinite(x).all() for x in a):
                raise FloatingPointError(f"a value in the kernel or program is not finite: {where}")
            values[name] = v
        return values

    v = walk(steps, {})
    return [v[f] for f in fetches]


# %% equivalent="fold" mutant="fold.L4.always.1"
# What is not in `OPS` cannot be computed, so the step stays all the same.


# %% equivalent="fold" mutant="fold.L4.and_to_or.1"
# What is not in `OPS`, or takes what is not known, cannot be computed, so the step stays.


# %% equivalent="fold" mutant="fold.L4.sibling.1"
# A step with an arg that is not known cannot be computed, so it stays.


# %% equivalent="fold" mutant="fold.L13.drop_call.1"
# The list of fetches is not changed, so the same list will do.


# %% equivalent="simplify" mutant="simplify.L15.drop.1"
# The number in a new name grows with the list of steps, so it comes up once.


# %% equivalent="simplify" mutant="simplify.L24.drop_keyword.1"
# The lengths were compared before, so `strict` changes nothing.


# %% equivalent="simplify" mutant="simplify.L28.negate_return.1"
# -1 counts as true, and 0 as false.


# %% equivalent="simplify" mutant="simplify.L39.no_return.1"
# A function that ends without `return` returns None.


# %% equivalent="exact" mutant="exact.L7.one_more.1"
# Any number will do for y.


# %% equivalent="exact" mutant="exact.L7.zero.1"
# Any number will do for y.


# %% equivalent="exact" mutant="exact.L11.one_more.1"
# 2.0 is lost beside 1e20 as 1.0 is.


# %% equivalent="share" mutant="share.L5.drop_call.1"
# The value of a constant is an array already.


# %% equivalent="prune" mutant="prune.L7.drop_call.1"
# The list of fetches is not changed, so the same list will do.


# %% equivalent="fuse" mutant="fuse.L26.drop_call.1"
# The list of fetches is not changed, so the same list will do.


# %% equivalent="plan" mutant="plan.L3.one_more.1"
# Any whole numbers will do for the buffers.


# %% equivalent="plan" mutant="plan.L8.drop_call.1"
# A NumPy number is as good a key as an int.


# %% equivalent="plan" mutant="plan.L19.add_to_sub.1"
# Any whole numbers will do for the buffers.


# %% equivalent="plan" mutant="plan.L19.one_more.1"
# Any whole numbers will do for the buffers.


# %% equivalent="plan" mutant="plan.L21.drop_call.1"
# A NumPy number is as good a key as an int.


# %% equivalent="jit" mutant="jit.L5.swap_results.1"
# The order of the parts of a guard does not matter.


# %% equivalent="jit" mutant="jit.L6.swap_results.1"
# The order of the parts of a guard does not matter.


# %% equivalent="jit" mutant="jit.L21.negate_return.2"
# -1 counts as true, and 0 as false.


# %% equivalent="locate" mutant="locate.L9.drop_keyword.1"
# A fused step has as many args as its kernel takes, so `strict` changes nothing.


# %% equivalent="locate" mutant="locate.L9.flip.1"
# A fused step has as many args as its kernel takes, so `strict` changes nothing.
