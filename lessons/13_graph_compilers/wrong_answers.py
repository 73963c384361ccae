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
# ## fold


# %% answer="fold" name="one_level" loses="everything"
# What is folded is not used to fold further: a step whose argument has just become a constant
# can become one too.
def fold(steps, fetches):
    known = {name: attrs["value"] for name, op, args, attrs in steps if op == "constant"}
    out = []
    for step in steps:
        name, op, args, attrs = step
        if op in OPS and all(a in known for a in args):
            try:
                value = compute(op, [known[a] for a in args], attrs)
                step = (name, "constant", (), {"value": value})
            except Exception:
                pass
        out.append(step)
    return out, list(fetches)


# %% answer="fold" name="attrs_forgotten" loses="meaning"
# The attrs of a step are not handed on when it is folded: a sum over one axis becomes a sum of
# everything.
def fold(steps, fetches):
    known, out = {}, []
    for step in steps:
        name, op, args, attrs = step
        if op in OPS and all(a in known for a in args):
            try:
                value = compute(op, [known[a] for a in args], {})
                step = (name, "constant", (), {"value": value})
            except Exception:
                pass
        if step[1] == "constant":
            known[name] = step[3]["value"]
        out.append(step)
    return out, list(fetches)


# %% answer="fold" name="errors_now" loses="errors_wait"
# A step that cannot be computed stops your pass. Its error belongs to the run; let the step stay.
def fold(steps, fetches):
    known, out = {}, []
    for step in steps:
        name, op, args, attrs = step
        if op in OPS and all(a in known for a in args):
            step = (name, "constant", (), {"value": compute(op, [known[a] for a in args], attrs)})
        if step[1] == "constant":
            known[name] = step[3]["value"]
        out.append(step)
    return out, list(fetches)


# %% answer="fold" name="effects_folded" loses="meaning everything"
# A print of a constant is folded away. It does more than give a value, so it has to stay.
def fold(steps, fetches):
    known, out = {}, []
    for step in steps:
        name, op, args, attrs = step
        if op == "print" and args[0] in known:
            step = (name, "constant", (), {"value": known[args[0]]})
        elif op in OPS and all(a in known for a in args):
            try:
                value = compute(op, [known[a] for a in args], attrs)
                step = (name, "constant", (), {"value": value})
            except Exception:
                pass
        if step[1] == "constant":
            known[name] = step[3]["value"]
        out.append(step)
    return out, list(fetches)


# %% answer="fold" name="print_is_known" loses="everything"
# What is printed is taken for a constant, and what depends on it is folded. The task leaves effects
# and what depends on them alone.
def fold(steps, fetches):
    known, out = {}, []
    for step in steps:
        name, op, args, attrs = step
        if op == "print" and args[0] in known:
            known[name] = known[args[0]]
        if op in OPS and all(a in known for a in args):
            try:
                value = compute(op, [known[a] for a in args], attrs)
                step = (name, "constant", (), {"value": value})
            except Exception:
                pass
        if step[1] == "constant":
            known[name] = step[3]["value"]
        out.append(step)
    return out, list(fetches)


# %% answer="fold" name="some_constant" loses="meaning everything"
# A step is folded when one of its arguments is a constant. All of them must be.
def fold(steps, fetches):
    known, out = {}, []
    for step in steps:
        name, op, args, attrs = step
        if op in OPS and any(a in known for a in args):
            value = compute(op, [known.get(a, np.array(0.0)) for a in args], attrs)
            step = (name, "constant", (), {"value": value})
        if step[1] == "constant":
            known[name] = step[3]["value"]
        out.append(step)
    return out, list(fetches)


# %% answer="fold" name="in_place" loses="meaning"
# The list that you were given is changed. Return a new one.
def fold(steps, fetches):
    known = {}
    for place, (name, op, args, attrs) in enumerate(steps):
        if op in OPS and all(a in known for a in args):
            try:
                value = compute(op, [known[a] for a in args], attrs)
                steps[place] = (name, "constant", (), {"value": value})
            except Exception:
                pass
        if steps[place][1] == "constant":
            known[name] = steps[place][3]["value"]
    return steps, fetches


# %% answer="fold" name="drops_constants" loses="everything"
# Constants that were folded into others are dropped. The task leaves them to another pass: each
# step stays or becomes a constant.
def fold(steps, fetches):
    known, out = {}, []
    for step in steps:
        name, op, args, attrs = step
        if op in OPS and all(a in known for a in args):
            try:
                value = compute(op, [known[a] for a in args], attrs)
                step = (name, "constant", (), {"value": value})
            except Exception:
                pass
        if step[1] == "constant":
            known[name] = step[3]["value"]
        out.append(step)
    used = {a for step in out for a in step[2]} | set(fetches)
    return [s for s in out if s[1] != "constant" or s[0] in used], list(fetches)


# %% answer="fold" name="nothing" loses="meaning everything errors_wait"
# Your pass returns the program as it is.
def fold(steps, fetches):
    return list(steps), list(fetches)


# %% answer="fold" name="cached_by_name" loses="everything"
# Values are remembered from one program to the next, by name. In another program the same name
# stands for another value.
FOLDED = {}


def fold(steps, fetches):
    out = []
    for step in steps:
        name, op, args, attrs = step
        if op in OPS and all(a in FOLDED for a in args):
            try:
                value = compute(op, [FOLDED[a] for a in args], attrs)
                step = (name, "constant", (), {"value": value})
            except Exception:
                pass
        if step[1] == "constant":
            FOLDED[name] = step[3]["value"]
        out.append(step)
    return out, list(fetches)


# %% answer="fold" name="value_errors_only" loses="errors_wait"
# Only one kind of error lets a step stay, here `ValueError`. Whatever error a step raises, it
# belongs to the run: a `TypeError`, or an op that nobody knows, too.
def fold(steps, fetches):
    consts, out = {}, []
    for name, op, args, attrs in steps:
        if op in OPS and all(a in consts for a in args):
            try:
                value = compute(op, [consts[a] for a in args], attrs)
            except ValueError:
                pass
            else:
                op, args, attrs = "constant", (), {"value": value}
        if op == "constant":
            consts[name] = attrs["value"]
        out.append((name, op, args, attrs))
    return out, list(fetches)


# %% answer="fold" name="number_for_array" loses="everything"
# Where the shape is `()` your constant holds a plain Python number. The value of a constant is an
# array, as `compute` gives it.
def fold(steps, fetches):
    consts, out = {}, []
    for name, op, args, attrs in steps:
        if op in OPS and all(a in consts for a in args):
            try:
                value = compute(op, [consts[a] for a in args], attrs)
            except Exception:
                pass
            else:
                op, args, attrs = (
                    "constant",
                    (),
                    {"value": float(value) if value.ndim == 0 else value},
                )
        if op == "constant":
            consts[name] = attrs["value"]
        out.append((name, op, args, attrs))
    return out, list(fetches)


# %% answer="fold" name="small_only" loses="everything"
# Large values are left to the run. All that depends on constants alone is folded, whatever its
# size.
def fold(steps, fetches):
    consts, out = {}, []
    for name, op, args, attrs in steps:
        if op in OPS and all(a in consts for a in args):
            try:
                value = compute(op, [consts[a] for a in args], attrs)
            except Exception:
                pass
            else:
                if value.size < 1000:
                    op, args, attrs = "constant", (), {"value": value}
        if op == "constant":
            consts[name] = attrs["value"]
        out.append((name, op, args, attrs))
    return out, list(fetches)


# %% answer="fold" name="not_nan" loses="everything"
# A step that gives NaN or infinity stays. These are values as others are, and fold.
def fold(steps, fetches):
    consts, out = {}, []
    for name, op, args, attrs in steps:
        if op in OPS and all(a in consts for a in args):
            try:
                value = compute(op, [consts[a] for a in args], attrs)
            except Exception:
                pass
            else:
                if np.isfinite(value).all():
                    op, args, attrs = "constant", (), {"value": value}
        if op == "constant":
            consts[name] = attrs["value"]
        out.append((name, op, args, attrs))
    return out, list(fetches)


# %% [markdown]
# ## simplify


# %% answer="simplify" name="one_rule_once" loses="table"
# After a rule was applied its result is not looked at again. It is a step as any other, and another
# rule may match it.
def simplify(steps, fetches, rules):
    """Return the program with the rules (left, right) applied wherever they can be."""
    made, shapes, out, new = {}, {}, [], {}
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
            return emit((fresh(), right[0], args, {}))
        return emit((fresh(), "constant", (), {"value": np.full(shape, float(right))}))

    def best(name):
        for left, right in rules:
            bound = {}
            if match(left, name, bound):
                number = not isinstance(right, str | tuple)
                if number or shape_on(right, bound) == shapes[name]:
                    return build(right, bound, shapes[name])
        return name

    for name, op, args, attrs in steps:
        new[name] = best(emit((name, op, tuple(new[a] for a in args), attrs)))
    return out, [new[name] for name in fetches]


# %% answer="simplify" name="signs_ignored" loses="matches"
# A float matches a constant that is equal to it. 0.0 and -0.0 are equal, but not the same bits.
def simplify(steps, fetches, rules):
    """Return the program with the rules (left, right) applied wherever they can be."""
    made, shapes, out, new = {}, {}, [], {}
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
        return bool(np.all(attrs["value"] == pattern))

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
        for left, right in rules:
            bound = {}
            if match(left, name, bound):
                number = not isinstance(right, str | tuple)
                if number or shape_on(right, bound) == shapes[name]:
                    return build(right, bound, shapes[name])
        return name

    for name, op, args, attrs in steps:
        new[name] = best(emit((name, op, tuple(new[a] for a in args), attrs)))
    return out, [new[name] for name in fetches]


# %% answer="simplify" name="first_element" loses="matches"
# A constant with different numbers in it matches a float. It must be full of that number.
def simplify(steps, fetches, rules):
    """Return the program with the rules (left, right) applied wherever they can be."""
    made, shapes, out, new = {}, {}, [], {}
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
        return bool(((attrs["value"] == pattern) & full).flat[0])

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
        for left, right in rules:
            bound = {}
            if match(left, name, bound):
                number = not isinstance(right, str | tuple)
                if number or shape_on(right, bound) == shapes[name]:
                    return build(right, bound, shapes[name])
        return name

    for name, op, args, attrs in steps:
        new[name] = best(emit((name, op, tuple(new[a] for a in args), attrs)))
    return out, [new[name] for name in fetches]


# %% answer="simplify" name="any_element" loses="matches"
# A constant matches a float when any of its elements does. All of them must.
def simplify(steps, fetches, rules):
    """Return the program with the rules (left, right) applied wherever they can be."""
    made, shapes, out, new = {}, {}, [], {}
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
        return bool(np.any((attrs["value"] == pattern) & full))

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
        for left, right in rules:
            bound = {}
            if match(left, name, bound):
                number = not isinstance(right, str | tuple)
                if number or shape_on(right, bound) == shapes[name]:
                    return build(right, bound, shapes[name])
        return name

    for name, op, args, attrs in steps:
        new[name] = best(emit((name, op, tuple(new[a] for a in args), attrs)))
    return out, [new[name] for name in fetches]


# %% answer="simplify" name="scalars_only" loses="table matches"
# Only constants of shape () match a float. A constant of any shape does, if it is full of this
# number.
def simplify(steps, fetches, rules):
    """Return the program with the rules (left, right) applied wherever they can be."""
    made, shapes, out, new = {}, {}, [], {}
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
        if op != "constant" or np.ndim(attrs["value"]):
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
        for left, right in rules:
            bound = {}
            if match(left, name, bound):
                number = not isinstance(right, str | tuple)
                if number or shape_on(right, bound) == shapes[name]:
                    return build(right, bound, shapes[name])
        return name

    for name, op, args, attrs in steps:
        new[name] = best(emit((name, op, tuple(new[a] for a in args), attrs)))
    return out, [new[name] for name in fetches]


# %% answer="simplify" name="shape_ignored" loses="table shapes"
# Rules are applied although the shape changes: x + 0 is not x where the 0 is larger than x.
def simplify(steps, fetches, rules):
    """Return the program with the rules (left, right) applied wherever they can be."""
    made, shapes, out, new = {}, {}, [], {}
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
        for left, right in rules:
            bound = {}
            if match(left, name, bound):
                return build(right, bound, shapes[name])
        return name

    for name, op, args, attrs in steps:
        new[name] = best(emit((name, op, tuple(new[a] for a in args), attrs)))
    return out, [new[name] for name in fetches]


# %% answer="simplify" name="first_match_or_none" loses="shapes"
# When the first rule that matches does not fit the shape, the later rules of the table are not
# tried.
def simplify(steps, fetches, rules):
    """Return the program with the rules (left, right) applied wherever they can be."""
    made, shapes, out, new = {}, {}, [], {}
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
        for left, right in rules:
            bound = {}
            if match(left, name, bound):
                number = not isinstance(right, str | tuple)
                if number or shape_on(right, bound) == shapes[name]:
                    return build(right, bound, shapes[name])
                return name
        return name

    for name, op, args, attrs in steps:
        new[name] = best(emit((name, op, tuple(new[a] for a in args), attrs)))
    return out, [new[name] for name in fetches]


# %% answer="simplify" name="names_not_compared" loses="matches"
# The same name twice in a pattern stands for two different values. It must be the same value both
# times.
def simplify(steps, fetches, rules):
    """Return the program with the rules (left, right) applied wherever they can be."""
    made, shapes, out, new = {}, {}, [], {}
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
            bound[pattern] = name
            return True
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
        for left, right in rules:
            bound = {}
            if match(left, name, bound):
                number = not isinstance(right, str | tuple)
                if number or shape_on(right, bound) == shapes[name]:
                    return build(right, bound, shapes[name])
        return name

    for name, op, args, attrs in steps:
        new[name] = best(emit((name, op, tuple(new[a] for a in args), attrs)))
    return out, [new[name] for name in fetches]


# %% answer="simplify" name="equal_shapes_are_same" loses="matches"
# The same name twice matches two values of the same shape. It must be the same value, under the
# same name.
def simplify(steps, fetches, rules):
    """Return the program with the rules (left, right) applied wherever they can be."""
    made, shapes, out, new = {}, {}, [], {}
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
            return shapes[bound.setdefault(pattern, name)] == shapes[name]
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
        for left, right in rules:
            bound = {}
            if match(left, name, bound):
                number = not isinstance(right, str | tuple)
                if number or shape_on(right, bound) == shapes[name]:
                    return build(right, bound, shapes[name])
        return name

    for name, op, args, attrs in steps:
        new[name] = best(emit((name, op, tuple(new[a] for a in args), attrs)))
    return out, [new[name] for name in fetches]


# %% answer="simplify" name="attrs_ignored" loses="matches"
# A pattern matches a step that has attrs: a sum over one axis is not the sum.
def simplify(steps, fetches, rules):
    """Return the program with the rules (left, right) applied wherever they can be."""
    made, shapes, out, new = {}, {}, [], {}
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
            fits = op == pattern[0] and len(args) == len(pattern) - 1
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
        for left, right in rules:
            bound = {}
            if match(left, name, bound):
                number = not isinstance(right, str | tuple)
                if number or shape_on(right, bound) == shapes[name]:
                    return build(right, bound, shapes[name])
        return name

    for name, op, args, attrs in steps:
        new[name] = best(emit((name, op, tuple(new[a] for a in args), attrs)))
    return out, [new[name] for name in fetches]


# %% answer="simplify" name="arguments_either_way" loses="matches"
# Args match in either order. A pattern says which arg is which: for a - b it matters.
def simplify(steps, fetches, rules):
    """Return the program with the rules (left, right) applied wherever they can be."""
    made, shapes, out, new = {}, {}, [], {}
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
            if not fits:
                return False
            for order in (args, args[::-1]):
                tried = dict(bound)
                if all(match(p, a, tried) for p, a in zip(pattern[1:], order, strict=True)):
                    bound.update(tried)
                    return True
            return False
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
        for left, right in rules:
            bound = {}
            if match(left, name, bound):
                number = not isinstance(right, str | tuple)
                if number or shape_on(right, bound) == shapes[name]:
                    return build(right, bound, shapes[name])
        return name

    for name, op, args, attrs in steps:
        new[name] = best(emit((name, op, tuple(new[a] for a in args), attrs)))
    return out, [new[name] for name in fetches]


# %% answer="simplify" name="last_rule_wins" loses="matches"
# Where several rules can be applied you take the last of the table. The task takes the first.
def simplify(steps, fetches, rules):
    """Return the program with the rules (left, right) applied wherever they can be."""
    made, shapes, out, new = {}, {}, [], {}
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
        for left, right in rules[::-1]:
            bound = {}
            if match(left, name, bound):
                number = not isinstance(right, str | tuple)
                if number or shape_on(right, bound) == shapes[name]:
                    return build(right, bound, shapes[name])
        return name

    for name, op, args, attrs in steps:
        new[name] = best(emit((name, op, tuple(new[a] for a in args), attrs)))
    return out, [new[name] for name in fetches]


# %% answer="simplify" name="number_without_shape" loses="table matches shapes"
# A float on the right becomes a constant of shape (). It needs the shape of the step that it stands
# for.
def simplify(steps, fetches, rules):
    """Return the program with the rules (left, right) applied wherever they can be."""
    made, shapes, out, new = {}, {}, [], {}
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
        return emit((fresh(), "constant", (), {"value": np.array(float(right))}))

    def best(name):
        for left, right in rules:
            bound = {}
            if match(left, name, bound):
                number = not isinstance(right, str | tuple)
                if number or shape_on(right, bound) == shapes[name]:
                    return build(right, bound, shapes[name])
        return name

    for name, op, args, attrs in steps:
        new[name] = best(emit((name, op, tuple(new[a] for a in args), attrs)))
    return out, [new[name] for name in fetches]


# %% answer="simplify" name="fetches_forgotten" loses="table"
# A fetch still names the step from before, whose rule was applied.
def simplify(steps, fetches, rules):
    """Return the program with the rules (left, right) applied wherever they can be."""
    made, shapes, out, new = {}, {}, [], {}
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
        for left, right in rules:
            bound = {}
            if match(left, name, bound):
                number = not isinstance(right, str | tuple)
                if number or shape_on(right, bound) == shapes[name]:
                    return build(right, bound, shapes[name])
        return name

    for name, op, args, attrs in steps:
        new[name] = best(emit((name, op, tuple(new[a] for a in args), attrs)))
    return out, list(fetches)


# %% answer="simplify" name="names_clash" loses="table"
# A new step gets a name that another step has already.
def simplify(steps, fetches, rules):
    """Return the program with the rules (left, right) applied wherever they can be."""
    made, shapes, out, new = {}, {}, [], {}
    taken = {step[0] for step in steps}

    def emit(step):
        name, op, args, attrs = step
        shapes[name] = shape_of(op, [shapes[a] for a in args], attrs)
        made[name] = step
        out.append(step)
        return name

    def fresh():
        return steps[-1][0]

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
        for left, right in rules:
            bound = {}
            if match(left, name, bound):
                number = not isinstance(right, str | tuple)
                if number or shape_on(right, bound) == shapes[name]:
                    return build(right, bound, shapes[name])
        return name

    for name, op, args, attrs in steps:
        new[name] = best(emit((name, op, tuple(new[a] for a in args), attrs)))
    return out, [new[name] for name in fetches]


# %% answer="simplify" name="inner_steps_not_looked_at" loses="matches"
# Rules look only at the last step that a right side makes. The steps inside of it are new steps,
# too, and rules may apply to them.
def simplify(steps, fetches, rules):
    import numpy as np

    out, made, shapes, new = [], {}, {}, {}
    taken = {s[0] for s in steps}
    counter = [0]

    def fresh():
        while True:
            counter[0] += 1
            n = f"s{counter[0]}"
            if n not in taken:
                taken.add(n)
                return n

    def put(step):
        name, op, args, attrs = step
        shapes[name] = shape_of(op, [shapes[a] for a in args], attrs)
        made[name] = step
        out.append(step)
        return name

    def match(p, name, bound):
        if isinstance(p, str):
            if p in bound:
                return bound[p] == name
            bound[p] = name
            return True
        _, op, args, attrs = made[name]
        if isinstance(p, float):
            if op != "constant":
                return False
            v = np.asarray(attrs["value"], dtype=float)
            return v.size > 0 and bool(
                np.all((v == p) & (np.signbit(v) == np.signbit(p)) | (np.isnan(v) & np.isnan(p)))
            )
        return (
            op == p[0]
            and not attrs
            and op not in EFFECTS
            and len(args) == len(p) - 1
            and all(match(q, a, bound) for q, a in zip(p[1:], args))
        )

    def rshape(r, bound):
        if isinstance(r, str):
            return shapes[bound[r]]
        if isinstance(r, float):
            return ()
        return shape_of(r[0], [rshape(q, bound) for q in r[1:]], {})

    def build(r, bound, top=None, outer=True):
        if isinstance(r, str):
            return bound[r]
        if isinstance(r, float):
            return put((fresh(), "constant", (), {"value": np.full(() if top is None else top, r)}))
        args = tuple(build(q, bound, None, False) for q in r[1:])
        return (reduce if outer else put)((fresh(), r[0], args, {}))

    def reduce(step):
        name, op, args, attrs = step
        shape = shape_of(op, [shapes[a] for a in args], attrs)
        for left, right in rules:
            if op in EFFECTS:
                break
            bound = {}
            if (
                left[0] == op
                and not attrs
                and len(args) == len(left) - 1
                and all(match(q, a, bound) for q, a in zip(left[1:], args))
            ):
                if not isinstance(right, float):
                    try:
                        s = rshape(right, bound)
                    except ValueError:
                        continue
                    if tuple(s) != tuple(shape):
                        continue
                return build(right, bound, shape)
        return put(step)

    for name, op, args, attrs in steps:
        new[name] = reduce((name, op, tuple(new[a] for a in args), attrs))
    return out, [new[f] for f in fetches]


# %% answer="simplify" name="attrs_of_inner_ignored" loses="matches"
# A step inside of a pattern matches whatever its attrs are. A pattern stands for steps whose
# attrs are empty, inside as well.
def simplify(steps, fetches, rules):
    import numpy as np

    out, made, shapes, new = [], {}, {}, {}
    taken = {s[0] for s in steps}
    counter = [0]

    def fresh():
        while True:
            counter[0] += 1
            n = f"s{counter[0]}"
            if n not in taken:
                taken.add(n)
                return n

    def put(step):
        name, op, args, attrs = step
        shapes[name] = shape_of(op, [shapes[a] for a in args], attrs)
        made[name] = step
        out.append(step)
        return name

    def match(p, name, bound):
        if isinstance(p, str):
            if p in bound:
                return bound[p] == name
            bound[p] = name
            return True
        _, op, args, attrs = made[name]
        if isinstance(p, float):
            if op != "constant":
                return False
            v = np.asarray(attrs["value"], dtype=float)
            return v.size > 0 and bool(
                np.all((v == p) & (np.signbit(v) == np.signbit(p)) | (np.isnan(v) & np.isnan(p)))
            )
        return (
            op == p[0]
            and op not in EFFECTS
            and len(args) == len(p) - 1
            and all(match(q, a, bound) for q, a in zip(p[1:], args))
        )

    def rshape(r, bound):
        if isinstance(r, str):
            return shapes[bound[r]]
        if isinstance(r, float):
            return ()
        return shape_of(r[0], [rshape(q, bound) for q in r[1:]], {})

    def build(r, bound, top=None):
        if isinstance(r, str):
            return bound[r]
        if isinstance(r, float):
            return put((fresh(), "constant", (), {"value": np.full(() if top is None else top, r)}))
        args = tuple(build(q, bound) for q in r[1:])
        return reduce((fresh(), r[0], args, {}))

    def reduce(step):
        name, op, args, attrs = step
        shape = shape_of(op, [shapes[a] for a in args], attrs)
        for left, right in rules:
            if op in EFFECTS:
                break
            bound = {}
            if (
                left[0] == op
                and not attrs
                and len(args) == len(left) - 1
                and all(match(q, a, bound) for q, a in zip(left[1:], args))
            ):
                if not isinstance(right, float):
                    try:
                        s = rshape(right, bound)
                    except ValueError:
                        continue
                    if tuple(s) != tuple(shape):
                        continue
                return build(right, bound, shape)
        return put(step)

    for name, op, args, attrs in steps:
        new[name] = reduce((name, op, tuple(new[a] for a in args), attrs))
    return out, [new[f] for f in fetches]


# %% answer="simplify" name="bindings_survive" loses="matches"
# What a rule bound before it failed is still bound for the next rule. Each rule begins with no
# bindings.
def simplify(steps, fetches, rules):
    import numpy as np

    out, made, shapes, new = [], {}, {}, {}
    taken = {s[0] for s in steps}
    counter = [0]

    def fresh():
        while True:
            counter[0] += 1
            n = f"s{counter[0]}"
            if n not in taken:
                taken.add(n)
                return n

    def put(step):
        name, op, args, attrs = step
        shapes[name] = shape_of(op, [shapes[a] for a in args], attrs)
        made[name] = step
        out.append(step)
        return name

    def match(p, name, bound):
        if isinstance(p, str):
            if p in bound:
                return bound[p] == name
            bound[p] = name
            return True
        _, op, args, attrs = made[name]
        if isinstance(p, float):
            if op != "constant":
                return False
            v = np.asarray(attrs["value"], dtype=float)
            return v.size > 0 and bool(
                np.all((v == p) & (np.signbit(v) == np.signbit(p)) | (np.isnan(v) & np.isnan(p)))
            )
        return (
            op == p[0]
            and not attrs
            and op not in EFFECTS
            and len(args) == len(p) - 1
            and all(match(q, a, bound) for q, a in zip(p[1:], args))
        )

    def rshape(r, bound):
        if isinstance(r, str):
            return shapes[bound[r]]
        if isinstance(r, float):
            return ()
        return shape_of(r[0], [rshape(q, bound) for q in r[1:]], {})

    def build(r, bound, top=None):
        if isinstance(r, str):
            return bound[r]
        if isinstance(r, float):
            return put((fresh(), "constant", (), {"value": np.full(() if top is None else top, r)}))
        args = tuple(build(q, bound) for q in r[1:])
        return reduce((fresh(), r[0], args, {}))

    def reduce(step):
        name, op, args, attrs = step
        shape = shape_of(op, [shapes[a] for a in args], attrs)
        bound = {}
        for left, right in rules:
            if op in EFFECTS:
                break
            if (
                left[0] == op
                and not attrs
                and len(args) == len(left) - 1
                and all(match(q, a, bound) for q, a in zip(left[1:], args))
            ):
                if not isinstance(right, float):
                    try:
                        s = rshape(right, bound)
                    except ValueError:
                        continue
                    if tuple(s) != tuple(shape):
                        continue
                return build(right, bound, shape)
        return put(step)

    for name, op, args, attrs in steps:
        new[name] = reduce((name, op, tuple(new[a] for a in args), attrs))
    return out, [new[f] for f in fetches]


# %% answer="simplify" name="equal_values_are_same" loses="matches"
# Two constants with equal values count as the same value for a string that stands there twice.
# The same value means the same name; that equal constants become one is `share`'s work.
def simplify(steps, fetches, rules):
    import numpy as np

    out, made, shapes, new = [], {}, {}, {}
    taken = {s[0] for s in steps}
    counter = [0]

    def fresh():
        while True:
            counter[0] += 1
            n = f"s{counter[0]}"
            if n not in taken:
                taken.add(n)
                return n

    def put(step):
        name, op, args, attrs = step
        shapes[name] = shape_of(op, [shapes[a] for a in args], attrs)
        made[name] = step
        out.append(step)
        return name

    def match(p, name, bound):
        if isinstance(p, str):
            if p in bound:
                return bound[p] == name or (
                    made[name][1] == "constant" == made[bound[p]][1]
                    and np.array_equal(made[name][3]["value"], made[bound[p]][3]["value"])
                )
            bound[p] = name
            return True
        _, op, args, attrs = made[name]
        if isinstance(p, float):
            if op != "constant":
                return False
            v = np.asarray(attrs["value"], dtype=float)
            return v.size > 0 and bool(
                np.all((v == p) & (np.signbit(v) == np.signbit(p)) | (np.isnan(v) & np.isnan(p)))
            )
        return (
            op == p[0]
            and not attrs
            and op not in EFFECTS
            and len(args) == len(p) - 1
            and all(match(q, a, bound) for q, a in zip(p[1:], args))
        )

    def rshape(r, bound):
        if isinstance(r, str):
            return shapes[bound[r]]
        if isinstance(r, float):
            return ()
        return shape_of(r[0], [rshape(q, bound) for q in r[1:]], {})

    def build(r, bound, top=None):
        if isinstance(r, str):
            return bound[r]
        if isinstance(r, float):
            return put((fresh(), "constant", (), {"value": np.full(() if top is None else top, r)}))
        args = tuple(build(q, bound) for q in r[1:])
        return reduce((fresh(), r[0], args, {}))

    def reduce(step):
        name, op, args, attrs = step
        shape = shape_of(op, [shapes[a] for a in args], attrs)
        for left, right in rules:
            if op in EFFECTS:
                break
            bound = {}
            if (
                left[0] == op
                and not attrs
                and len(args) == len(left) - 1
                and all(match(q, a, bound) for q, a in zip(left[1:], args))
            ):
                if not isinstance(right, float):
                    try:
                        s = rshape(right, bound)
                    except ValueError:
                        continue
                    if tuple(s) != tuple(shape):
                        continue
                return build(right, bound, shape)
        return put(step)

    for name, op, args, attrs in steps:
        new[name] = reduce((name, op, tuple(new[a] for a in args), attrs))
    return out, [new[f] for f in fetches]


# %% answer="simplify" name="names_from_a_count" loses="table"
# New steps get names that nobody has compared with the names that are there. A program may have
# a step of that name already.
def simplify(steps, fetches, rules):
    import numpy as np

    out, made, shapes, new = [], {}, {}, {}
    taken = {s[0] for s in steps}
    counter = [0]

    def fresh():
        counter[0] += 1
        return f"s{len(steps) + counter[0]}"

    def put(step):
        name, op, args, attrs = step
        shapes[name] = shape_of(op, [shapes[a] for a in args], attrs)
        made[name] = step
        out.append(step)
        return name

    def match(p, name, bound):
        if isinstance(p, str):
            if p in bound:
                return bound[p] == name
            bound[p] = name
            return True
        _, op, args, attrs = made[name]
        if isinstance(p, float):
            if op != "constant":
                return False
            v = np.asarray(attrs["value"], dtype=float)
            return v.size > 0 and bool(
                np.all((v == p) & (np.signbit(v) == np.signbit(p)) | (np.isnan(v) & np.isnan(p)))
            )
        return (
            op == p[0]
            and not attrs
            and op not in EFFECTS
            and len(args) == len(p) - 1
            and all(match(q, a, bound) for q, a in zip(p[1:], args))
        )

    def rshape(r, bound):
        if isinstance(r, str):
            return shapes[bound[r]]
        if isinstance(r, float):
            return ()
        return shape_of(r[0], [rshape(q, bound) for q in r[1:]], {})

    def build(r, bound, top=None):
        if isinstance(r, str):
            return bound[r]
        if isinstance(r, float):
            return put((fresh(), "constant", (), {"value": np.full(() if top is None else top, r)}))
        args = tuple(build(q, bound) for q in r[1:])
        return reduce((fresh(), r[0], args, {}))

    def reduce(step):
        name, op, args, attrs = step
        shape = shape_of(op, [shapes[a] for a in args], attrs)
        for left, right in rules:
            if op in EFFECTS:
                break
            bound = {}
            if (
                left[0] == op
                and not attrs
                and len(args) == len(left) - 1
                and all(match(q, a, bound) for q, a in zip(left[1:], args))
            ):
                if not isinstance(right, float):
                    try:
                        s = rshape(right, bound)
                    except ValueError:
                        continue
                    if tuple(s) != tuple(shape):
                        continue
                return build(right, bound, shape)
        return put(step)

    for name, op, args, attrs in steps:
        new[name] = reduce((name, op, tuple(new[a] for a in args), attrs))
    return out, [new[f] for f in fetches]


# %% answer="simplify" name="lists_changed" loses="table"
# The lists that you were given are changed. They belong to the caller: return new ones.
def simplify(steps, fetches, rules):
    import numpy as np

    out, made, shapes, new = [], {}, {}, {}
    taken = {s[0] for s in steps}
    counter = [0]

    def fresh():
        while True:
            counter[0] += 1
            n = f"s{counter[0]}"
            if n not in taken:
                taken.add(n)
                return n

    def put(step):
        name, op, args, attrs = step
        shapes[name] = shape_of(op, [shapes[a] for a in args], attrs)
        made[name] = step
        out.append(step)
        return name

    def match(p, name, bound):
        if isinstance(p, str):
            if p in bound:
                return bound[p] == name
            bound[p] = name
            return True
        _, op, args, attrs = made[name]
        if isinstance(p, float):
            if op != "constant":
                return False
            v = np.asarray(attrs["value"], dtype=float)
            return v.size > 0 and bool(
                np.all((v == p) & (np.signbit(v) == np.signbit(p)) | (np.isnan(v) & np.isnan(p)))
            )
        return (
            op == p[0]
            and not attrs
            and op not in EFFECTS
            and len(args) == len(p) - 1
            and all(match(q, a, bound) for q, a in zip(p[1:], args))
        )

    def rshape(r, bound):
        if isinstance(r, str):
            return shapes[bound[r]]
        if isinstance(r, float):
            return ()
        return shape_of(r[0], [rshape(q, bound) for q in r[1:]], {})

    def build(r, bound, top=None):
        if isinstance(r, str):
            return bound[r]
        if isinstance(r, float):
            return put((fresh(), "constant", (), {"value": np.full(() if top is None else top, r)}))
        args = tuple(build(q, bound) for q in r[1:])
        return reduce((fresh(), r[0], args, {}))

    def reduce(step):
        name, op, args, attrs = step
        shape = shape_of(op, [shapes[a] for a in args], attrs)
        for left, right in rules:
            if op in EFFECTS:
                break
            bound = {}
            if (
                left[0] == op
                and not attrs
                and len(args) == len(left) - 1
                and all(match(q, a, bound) for q, a in zip(left[1:], args))
            ):
                if not isinstance(right, float):
                    try:
                        s = rshape(right, bound)
                    except ValueError:
                        continue
                    if tuple(s) != tuple(shape):
                        continue
                return build(right, bound, shape)
        return put(step)

    steps[:] = [tuple(s) for s in steps]
    rules.append(rules[0]) if rules else None
    for name, op, args, attrs in list(steps):
        new[name] = reduce((name, op, tuple(new[a] for a in args), attrs))
    steps[:] = out
    fetches[:] = [new[f] for f in fetches]
    return steps, fetches


# %% answer="simplify" name="a_few_rounds" loses="matches"
# After a few rounds you stop, although a rule still applies. Go on until none does.
def simplify(steps, fetches, rules):
    import numpy as np

    out, made, shapes, new = [], {}, {}, {}
    taken = {s[0] for s in steps}
    counter = [0]
    step_depth = [0]

    def fresh():
        while True:
            counter[0] += 1
            n = f"s{counter[0]}"
            if n not in taken:
                taken.add(n)
                return n

    def put(step):
        name, op, args, attrs = step
        shapes[name] = shape_of(op, [shapes[a] for a in args], attrs)
        made[name] = step
        out.append(step)
        return name

    def match(p, name, bound):
        if isinstance(p, str):
            if p in bound:
                return bound[p] == name
            bound[p] = name
            return True
        _, op, args, attrs = made[name]
        if isinstance(p, float):
            if op != "constant":
                return False
            v = np.asarray(attrs["value"], dtype=float)
            return v.size > 0 and bool(
                np.all((v == p) & (np.signbit(v) == np.signbit(p)) | (np.isnan(v) & np.isnan(p)))
            )
        return (
            op == p[0]
            and not attrs
            and op not in EFFECTS
            and len(args) == len(p) - 1
            and all(match(q, a, bound) for q, a in zip(p[1:], args))
        )

    def rshape(r, bound):
        if isinstance(r, str):
            return shapes[bound[r]]
        if isinstance(r, float):
            return ()
        return shape_of(r[0], [rshape(q, bound) for q in r[1:]], {})

    def build(r, bound, top=None):
        if isinstance(r, str):
            return bound[r]
        if isinstance(r, float):
            return put((fresh(), "constant", (), {"value": np.full(() if top is None else top, r)}))
        args = tuple(build(q, bound) for q in r[1:])
        return reduce((fresh(), r[0], args, {}))

    def reduce(step):
        name, op, args, attrs = step
        shape = shape_of(op, [shapes[a] for a in args], attrs)
        step_depth[0] += 1
        for left, right in rules if step_depth[0] < 5 else []:
            if op in EFFECTS:
                break
            bound = {}
            if (
                left[0] == op
                and not attrs
                and len(args) == len(left) - 1
                and all(match(q, a, bound) for q, a in zip(left[1:], args))
            ):
                if not isinstance(right, float):
                    try:
                        s = rshape(right, bound)
                    except ValueError:
                        continue
                    if tuple(s) != tuple(shape):
                        continue
                return build(right, bound, shape)
        return put(step)

    for name, op, args, attrs in steps:
        step_depth[0] = 0
        new[name] = reduce((name, op, tuple(new[a] for a in args), attrs))
    return out, [new[f] for f in fetches]


# %% answer="simplify" name="two_levels" loses="matches"
# Patterns are followed two levels down, no deeper. A pattern may be nested as deep as it likes.
def simplify(steps, fetches, rules):
    import numpy as np

    out, made, shapes, new = [], {}, {}, {}
    taken = {s[0] for s in steps}
    counter = [0]

    def fresh():
        while True:
            counter[0] += 1
            n = f"s{counter[0]}"
            if n not in taken:
                taken.add(n)
                return n

    def put(step):
        name, op, args, attrs = step
        shapes[name] = shape_of(op, [shapes[a] for a in args], attrs)
        made[name] = step
        out.append(step)
        return name

    def match(p, name, bound, depth=0):
        if isinstance(p, str):
            if p in bound:
                return bound[p] == name
            bound[p] = name
            return True
        _, op, args, attrs = made[name]
        if isinstance(p, float):
            if op != "constant":
                return False
            v = np.asarray(attrs["value"], dtype=float)
            return v.size > 0 and bool(
                np.all((v == p) & (np.signbit(v) == np.signbit(p)) | (np.isnan(v) & np.isnan(p)))
            )
        return (
            op == p[0]
            and not attrs
            and op not in EFFECTS
            and len(args) == len(p) - 1
            and depth < 2
            and all(match(q, a, bound, depth + 1) for q, a in zip(p[1:], args))
        )

    def rshape(r, bound):
        if isinstance(r, str):
            return shapes[bound[r]]
        if isinstance(r, float):
            return ()
        return shape_of(r[0], [rshape(q, bound) for q in r[1:]], {})

    def build(r, bound, top=None):
        if isinstance(r, str):
            return bound[r]
        if isinstance(r, float):
            return put((fresh(), "constant", (), {"value": np.full(() if top is None else top, r)}))
        args = tuple(build(q, bound) for q in r[1:])
        return reduce((fresh(), r[0], args, {}))

    def reduce(step):
        name, op, args, attrs = step
        shape = shape_of(op, [shapes[a] for a in args], attrs)
        for left, right in rules:
            if op in EFFECTS:
                break
            bound = {}
            if (
                left[0] == op
                and not attrs
                and len(args) == len(left) - 1
                and all(match(q, a, bound) for q, a in zip(left[1:], args))
            ):
                if not isinstance(right, float):
                    try:
                        s = rshape(right, bound)
                    except ValueError:
                        continue
                    if tuple(s) != tuple(shape):
                        continue
                return build(right, bound, shape)
        return put(step)

    for name, op, args, attrs in steps:
        new[name] = reduce((name, op, tuple(new[a] for a in args), attrs))
    return out, [new[f] for f in fetches]


# %% [markdown]
# ## exact


# %% answer="exact" name="all_exact" loses="special rounding"
# You say that all of them are exact. Try zeros with both signs, infinity, NaN, and numbers with
# many digits.
def counterexamples():
    return dict.fromkeys(IDENTITIES)


# %% answer="exact" name="zeros_equal" loses="special"
# You take -0.0 and 0.0 for the same number. They are equal, but their bits differ, and so does 1/x.
def counterexamples():
    """Return for each identity numbers at which it does not hold; None if there are none."""
    found = dict.fromkeys(IDENTITIES)  # four of them stay None
    found["x + 0 -> x"] = None
    found["0 - x -> -x"] = None  # 0.0 and -0.0
    found["x * 0 -> 0"] = {"x": np.inf}  # NaN and 0.0
    found["x / x -> 1"] = {"x": 0.0}
    found["x - x -> 0"] = {"x": np.inf}
    found["min(max(x, y), y) -> y"] = {"x": np.nan, "y": 1.0}
    found["x / 3 -> x * (1 / 3)"] = {"x": 5.0}  # rounds twice
    found["x * 2 / 2 -> x"] = {"x": 1e308}  # too large in between
    found["sqrt(x * x) -> abs(x)"] = {"x": 1e200}
    found["(x + y) - y -> x"] = {"x": 1.0, "y": 1e20}
    found["(x + y) + z -> x + (y + z)"] = {"x": 0.1, "y": 0.2, "z": 0.3}
    return found


# %% answer="exact" name="nan_is_ordinary" loses="special"
# A comparison with NaN is what makes min(max(x, y), y) fail, or zero divided by zero.
def counterexamples():
    """Return for each identity numbers at which it does not hold; None if there are none."""
    found = dict.fromkeys(IDENTITIES)  # four of them stay None
    found["x + 0 -> x"] = {"x": -0.0}
    found["0 - x -> -x"] = {"x": 0.0}  # 0.0 and -0.0
    found["x * 0 -> 0"] = {"x": np.inf}  # NaN and 0.0
    found["x / x -> 1"] = {"x": 0.0}
    found["x - x -> 0"] = {"x": np.inf}
    found["min(max(x, y), y) -> y"] = None
    found["x / 3 -> x * (1 / 3)"] = {"x": 5.0}  # rounds twice
    found["x * 2 / 2 -> x"] = {"x": 1e308}  # too large in between
    found["sqrt(x * x) -> abs(x)"] = {"x": 1e200}
    found["(x + y) - y -> x"] = {"x": 1.0, "y": 1e20}
    found["(x + y) + z -> x + (y + z)"] = {"x": 0.1, "y": 0.2, "z": 0.3}
    return found


# %% answer="exact" name="halving_rounds" loses="rounding"
# A division by 2 is exact and so is a product with 0.5: in base 2 only the exponent changes.
def counterexamples():
    """Return for each identity numbers at which it does not hold; None if there are none."""
    found = dict.fromkeys(IDENTITIES)  # four of them stay None
    found["x / 2 -> x * 0.5"] = {"x": 5.0}
    found["x + 0 -> x"] = {"x": -0.0}
    found["0 - x -> -x"] = {"x": 0.0}  # 0.0 and -0.0
    found["x * 0 -> 0"] = {"x": np.inf}  # NaN and 0.0
    found["x / x -> 1"] = {"x": 0.0}
    found["x - x -> 0"] = {"x": np.inf}
    found["min(max(x, y), y) -> y"] = {"x": np.nan, "y": 1.0}
    found["x / 3 -> x * (1 / 3)"] = {"x": 5.0}  # rounds twice
    found["x * 2 / 2 -> x"] = {"x": 1e308}  # too large in between
    found["sqrt(x * x) -> abs(x)"] = {"x": 1e200}
    found["(x + y) - y -> x"] = {"x": 1.0, "y": 1e20}
    found["(x + y) + z -> x + (y + z)"] = {"x": 0.1, "y": 0.2, "z": 0.3}
    return found


# %% answer="exact" name="algebra" loses="special rounding"
# You go by school algebra. Floating-point numbers round, end at 1.8e308, and have two zeros.
def counterexamples():
    found = dict.fromkeys(IDENTITIES)
    found["x / x -> 1"] = {"x": 0.0}
    return found


# %% answer="exact" name="ordinary_numbers" loses="special rounding"
# You tried ordinary numbers only. Special ones, and very large ones, break most of these rules.
def counterexamples():
    """Search among random numbers."""
    import inspect

    rng, found = np.random.default_rng(0), {}
    for identity, (left, _) in IDENTITIES.items():
        found[identity] = None
        for _ in range(300):
            case = {name: float(rng.normal()) for name in inspect.signature(left).parameters}
            one, other = sides(identity, case)
            if one != other:
                found[identity] = case
    return found


# %% answer="exact" name="sum_exact" loses="rounding"
# (x + y) + z and x + (y + z) round in different places.
def counterexamples():
    """Return for each identity numbers at which it does not hold; None if there are none."""
    found = dict.fromkeys(IDENTITIES)  # four of them stay None
    found["x + 0 -> x"] = {"x": -0.0}
    found["0 - x -> -x"] = {"x": 0.0}  # 0.0 and -0.0
    found["x * 0 -> 0"] = {"x": np.inf}  # NaN and 0.0
    found["x / x -> 1"] = {"x": 0.0}
    found["x - x -> 0"] = {"x": np.inf}
    found["min(max(x, y), y) -> y"] = {"x": np.nan, "y": 1.0}
    found["x / 3 -> x * (1 / 3)"] = {"x": 5.0}  # rounds twice
    found["x * 2 / 2 -> x"] = {"x": 1e308}  # too large in between
    found["sqrt(x * x) -> abs(x)"] = {"x": 1e200}
    found["(x + y) - y -> x"] = {"x": 1.0, "y": 1e20}
    found["(x + y) + z -> x + (y + z)"] = None
    return found


# %% [markdown]
# ## share


# %% answer="share" name="attrs_forgotten" loses="meaning once"
# The attrs are no part of what a step is for you: sums over different axes become one.
def share(steps, fetches):
    """Return the program in which equal steps are computed once."""
    known, new, out = {}, {}, []
    for name, op, args, attrs in steps:
        args = tuple(new[a] for a in args)
        if op == "constant":
            value = np.asarray(attrs["value"])
            key = (op, value.shape, value.tobytes())
        elif op in OPS:
            key = (op, args)
        else:
            key = name
        new[name] = known.setdefault(key, name)
        if new[name] == name:
            out.append((name, op, args, attrs))
    return out, [new[name] for name in fetches]


# %% answer="share" name="args_sorted" loses="meaning"
# Args are compared without their order. x - y and y - x are different values.
def share(steps, fetches):
    """Return the program in which equal steps are computed once."""
    known, new, out = {}, {}, []
    for name, op, args, attrs in steps:
        args = tuple(new[a] for a in args)
        if op == "constant":
            value = np.asarray(attrs["value"])
            key = (op, value.shape, value.tobytes())
        elif op in OPS:
            key = (op, tuple(sorted(args)), tuple(sorted(attrs.items())))
        else:
            key = name
        new[name] = known.setdefault(key, name)
        if new[name] == name:
            out.append((name, op, args, attrs))
    return out, [new[name] for name in fetches]


# %% answer="share" name="constants_by_number" loses="meaning"
# Constants are compared as numbers. 0.0 and -0.0 are equal but divide differently.
def share(steps, fetches):
    """Return the program in which equal steps are computed once."""
    known, new, out = {}, {}, []
    for name, op, args, attrs in steps:
        args = tuple(new[a] for a in args)
        if op == "constant":
            value = np.asarray(attrs["value"])
            key = (op, value.shape, tuple(value.ravel().tolist()))
        elif op in OPS:
            key = (op, args, tuple(sorted(attrs.items())))
        else:
            key = name
        new[name] = known.setdefault(key, name)
        if new[name] == name:
            out.append((name, op, args, attrs))
    return out, [new[name] for name in fetches]


# %% answer="share" name="constants_without_shape" loses="meaning"
# Constants with the same numbers but different shapes become one.
def share(steps, fetches):
    """Return the program in which equal steps are computed once."""
    known, new, out = {}, {}, []
    for name, op, args, attrs in steps:
        args = tuple(new[a] for a in args)
        if op == "constant":
            value = np.asarray(attrs["value"])
            key = (op, value.tobytes())
        elif op in OPS:
            key = (op, args, tuple(sorted(attrs.items())))
        else:
            key = name
        new[name] = known.setdefault(key, name)
        if new[name] == name:
            out.append((name, op, args, attrs))
    return out, [new[name] for name in fetches]


# %% answer="share" name="old_args" loses="once"
# Args are compared as they stood there, before they were replaced. So what follows two equal steps
# is not found.
def share(steps, fetches):
    """Return the program in which equal steps are computed once."""
    known, new, out = {}, {}, []
    for name, op, args, attrs in steps:
        old = args
        args = tuple(new[a] for a in args)
        if op == "constant":
            value = np.asarray(attrs["value"])
            key = (op, value.shape, value.tobytes())
        elif op in OPS:
            key = (op, old, tuple(sorted(attrs.items())))
        else:
            key = name
        new[name] = known.setdefault(key, name)
        if new[name] == name:
            out.append((name, op, args, attrs))
    return out, [new[name] for name in fetches]


# %% answer="share" name="random_shared" loses="meaning effects"
# Two random steps become one. They draw different numbers.
def share(steps, fetches):
    """Return the program in which equal steps are computed once."""
    known, new, out = {}, {}, []
    for name, op, args, attrs in steps:
        args = tuple(new[a] for a in args)
        if op == "constant":
            value = np.asarray(attrs["value"])
            key = (op, value.shape, value.tobytes())
        elif op in OPS or op == "random":
            key = (op, args, tuple(sorted(attrs.items())))
        else:
            key = name
        new[name] = known.setdefault(key, name)
        if new[name] == name:
            out.append((name, op, args, attrs))
    return out, [new[name] for name in fetches]


# %% answer="share" name="prints_shared" loses="meaning effects"
# Two prints of the same value become one, so a line is missing.
def share(steps, fetches):
    """Return the program in which equal steps are computed once."""
    known, new, out = {}, {}, []
    for name, op, args, attrs in steps:
        args = tuple(new[a] for a in args)
        if op == "constant":
            value = np.asarray(attrs["value"])
            key = (op, value.shape, value.tobytes())
        elif op in OPS or op == "print":
            key = (op, args, tuple(sorted(attrs.items())))
        else:
            key = name
        new[name] = known.setdefault(key, name)
        if new[name] == name:
            out.append((name, op, args, attrs))
    return out, [new[name] for name in fetches]


# %% answer="share" name="inputs_shared" loses="meaning"
# Two inputs of the same shape become one. They are fed with different arrays.
def share(steps, fetches):
    """Return the program in which equal steps are computed once."""
    known, new, out = {}, {}, []
    for name, op, args, attrs in steps:
        args = tuple(new[a] for a in args)
        if op == "constant":
            value = np.asarray(attrs["value"])
            key = (op, value.shape, value.tobytes())
        elif op in OPS or op == "input":
            key = (op, args, tuple(sorted(attrs.items())))
        else:
            key = name
        new[name] = known.setdefault(key, name)
        if new[name] == name:
            out.append((name, op, args, attrs))
    return out, [new[name] for name in fetches]


# %% answer="share" name="constants_kept" loses="once"
# Equal constants are not shared, and so neither is what is computed from them.
def share(steps, fetches):
    """Return the program in which equal steps are computed once."""
    known, new, out = {}, {}, []
    for name, op, args, attrs in steps:
        args = tuple(new[a] for a in args)
        if op == "constant":
            key = name
        elif op in OPS:
            key = (op, args, tuple(sorted(attrs.items())))
        else:
            key = name
        new[name] = known.setdefault(key, name)
        if new[name] == name:
            out.append((name, op, args, attrs))
    return out, [new[name] for name in fetches]


# %% answer="share" name="fetches_forgotten" loses="meaning once"
# A fetch still names a step that was dropped.
def share(steps, fetches):
    """Return the program in which equal steps are computed once."""
    known, new, out = {}, {}, []
    for name, op, args, attrs in steps:
        args = tuple(new[a] for a in args)
        if op == "constant":
            value = np.asarray(attrs["value"])
            key = (op, value.shape, value.tobytes())
        elif op in OPS:
            key = (op, args, tuple(sorted(attrs.items())))
        else:
            key = name
        new[name] = known.setdefault(key, name)
        if new[name] == name:
            out.append((name, op, args, attrs))
    return out, list(fetches)


# %% answer="share" name="neighbours_only" loses="once"
# A step is compared with the one before it only. Equal steps may stand far apart.
def share(steps, fetches):
    """Return the program in which equal steps are computed once."""
    known, new, out = {}, {}, []
    for name, op, args, attrs in steps:
        args = tuple(new[a] for a in args)
        if op == "constant":
            value = np.asarray(attrs["value"])
            key = (op, value.shape, value.tobytes())
        elif op in OPS:
            key = (op, args, tuple(sorted(attrs.items())))
        else:
            key = name
        new[name] = known.get(key, name)
        known = {key: new[name]}
        if new[name] == name:
            out.append((name, op, args, attrs))
    return out, [new[name] for name in fetches]


# %% answer="share" name="quadratic" loses="once"
# Each step is compared with every step before it; for 10,000 steps that takes too long.
def share(steps, fetches):
    """Return the program in which equal steps are computed once."""
    new, out = {}, []
    for name, op, args, attrs in steps:
        args = tuple(new[a] for a in args)
        new[name] = name
        for other, op2, args2, attrs2 in out:
            if op == op2 and op == "constant":
                a, b = np.asarray(attrs["value"]), np.asarray(attrs2["value"])
                if a.shape == b.shape and a.tobytes() == b.tobytes():
                    new[name] = other
            elif (
                op == op2
                and op in OPS
                and repr((args, sorted(attrs.items()))) == repr((args2, sorted(attrs2.items())))
            ):
                new[name] = other
        if new[name] == name:
            out.append((name, op, args, attrs))
    return out, [new[name] for name in fetches]


# %% answer="share" name="effects_args_old" loses="meaning effects"
# Effects keep their old args, though the steps of these names are gone.
def share(steps, fetches):
    """Return the program in which equal steps are computed once."""
    known, new, out = {}, {}, []
    for name, op, args, attrs in steps:
        args = tuple(new[a] for a in args) if op not in EFFECTS else args
        if op == "constant":
            value = np.asarray(attrs["value"])
            key = (op, value.shape, value.tobytes())
        elif op in OPS:
            key = (op, args, tuple(sorted(attrs.items())))
        else:
            key = name
        new[name] = known.setdefault(key, name)
        if new[name] == name:
            out.append((name, op, args, attrs))
    return out, [new[name] for name in fetches]


# %% answer="share" name="keepdims_ignored" loses="once"
# Sums with the same axis count as equal, whatever `keepdims` says. All keys and values of the
# attrs must be equal.
def share(steps, fetches):
    seen, new, out = {}, {}, []
    for name, op, args, attrs in steps:
        args = tuple(new[a] for a in args)
        if op == "constant":
            v = attrs["value"]
            v = np.where(np.isnan(v), np.nan, v)
            key = ("constant", v.shape, v.tobytes())
        elif op in OPS:
            key = (op, args, repr(attrs.get("axis", "none")) + repr(attrs.get("shape")))
        else:
            key = None
        if key is not None and key in seen:
            new[name] = seen[key]
            continue
        if key is not None:
            seen[key] = name
        new[name] = name
        out.append((name, op, args, attrs))
    return out, [new[f] for f in fetches]


# %% answer="share" name="rank_for_shape" loses="once"
# Constants with the same bytes count as equal although their shapes differ, such as (2, 3) and
# (3, 2).
def share(steps, fetches):
    seen, new, out = {}, {}, []
    for name, op, args, attrs in steps:
        args = tuple(new[a] for a in args)
        if op == "constant":
            v = attrs["value"]
            v = np.where(np.isnan(v), np.nan, v)
            key = ("constant", v.ndim, v.tobytes())
        elif op in OPS:
            key = (op, args, repr(sorted(attrs.items())))
        else:
            key = None
        if key is not None and key in seen:
            new[name] = seen[key]
            continue
        if key is not None:
            seen[key] = name
        new[name] = name
        out.append((name, op, args, attrs))
    return out, [new[f] for f in fetches]


# %% answer="share" name="printed_constants" loses="once"
# Constants are compared as they are printed. NumPy prints eight digits, and leaves out the middle
# of a long array.
def share(steps, fetches):
    seen, new, out = {}, {}, []
    for name, op, args, attrs in steps:
        args = tuple(new[a] for a in args)
        if op == "constant":
            v = attrs["value"]
            v = np.where(np.isnan(v), np.nan, v)
            key = ("constant", repr(v))
        elif op in OPS:
            key = (op, args, repr(sorted(attrs.items())))
        else:
            key = None
        if key is not None and key in seen:
            new[name] = seen[key]
            continue
        if key is not None:
            seen[key] = name
        new[name] = name
        out.append((name, op, args, attrs))
    return out, [new[f] for f in fetches]


# %% answer="share" name="rounded" loses="once"
# Constants count as equal when they are nearly equal. They must be so in each bit.
def share(steps, fetches):
    seen, new, out = {}, {}, []
    for name, op, args, attrs in steps:
        args = tuple(new[a] for a in args)
        if op == "constant":
            v = attrs["value"]
            v = np.where(np.isnan(v), np.nan, v)
            key = ("constant", v.shape, np.round(v, 9).tobytes())
        elif op in OPS:
            key = (op, args, repr(sorted(attrs.items())))
        else:
            key = None
        if key is not None and key in seen:
            new[name] = seen[key]
            continue
        if key is not None:
            seen[key] = name
        new[name] = name
        out.append((name, op, args, attrs))
    return out, [new[f] for f in fetches]


# %% answer="share" name="short_memory" loses="once"
# You remember only the last hundred steps. Equal steps may stand far from each other.
def share(steps, fetches):
    seen, new, out = {}, {}, []
    for name, op, args, attrs in steps:
        args = tuple(new[a] for a in args)
        if op == "constant":
            v = attrs["value"]
            v = np.where(np.isnan(v), np.nan, v)
            key = ("constant", v.shape, v.tobytes())
        elif op in OPS:
            key = (op, args, repr(sorted(attrs.items())))
        else:
            key = None
        if key is not None and key in seen:
            new[name] = seen[key]
            continue
        if key is not None:
            seen[key] = name
            if len(seen) > 100:
                seen.pop(next(iter(seen)))
        new[name] = name
        out.append((name, op, args, attrs))
    return out, [new[f] for f in fetches]


# %% [markdown]
# ## prune


# %% answer="prune" name="one_level" loses="exactly effects"
# Only steps that a fetch itself names, and their args, are kept. The args need their args.
def prune(steps, fetches):
    """Return the program without the steps that neither fetches nor effects need."""
    wanted = set(fetches)
    for name, op, args, _ in steps:
        if name in wanted or op in EFFECTS:
            wanted |= {name, *args}
    return [step for step in steps if step[0] in wanted], list(fetches)


# %% answer="prune" name="used_by_anybody" loses="exactly effects"
# A step is kept when any step uses it, also a step that nobody needs.
def prune(steps, fetches):
    """Return the program without the steps that neither fetches nor effects need."""
    used = set(fetches) | {a for step in steps for a in step[2]}
    return [s for s in steps if s[0] in used or s[1] in EFFECTS], list(fetches)


# %% answer="prune" name="effects_dropped" loses="effects"
# An effect that no fetch needs is dropped. It was there to be seen.
def prune(steps, fetches):
    """Return the program without the steps that neither fetches nor effects need."""
    wanted, kept = set(fetches), []
    for step in reversed(steps):
        name, op, args, _ = step
        if name in wanted:
            kept.append(step)
            wanted.update(args)
    return kept[::-1], list(fetches)


# %% answer="prune" name="effects_without_args" loses="effects"
# Effects are kept, but not what they need.
def prune(steps, fetches):
    """Return the program without the steps that neither fetches nor effects need."""
    wanted, kept = set(fetches), []
    for step in reversed(steps):
        name, op, args, _ = step
        if name in wanted or op in EFFECTS:
            kept.append(step)
            if op not in EFFECTS:
                wanted.update(args)
    return kept[::-1], list(fetches)


# %% answer="prune" name="prints_only" loses="effects"
# Of the effects you keep print, but random is one, too: without it the next random step draws other
# numbers.
def prune(steps, fetches):
    """Return the program without the steps that neither fetches nor effects need."""
    wanted, kept = set(fetches), []
    for step in reversed(steps):
        name, op, args, _ = step
        if name in wanted or op == "print":
            kept.append(step)
            wanted.update(args)
    return kept[::-1], list(fetches)


# %% answer="prune" name="inputs_stay" loses="exactly effects"
# Inputs that nobody needs are kept.
def prune(steps, fetches):
    """Return the program without the steps that neither fetches nor effects need."""
    wanted, kept = set(fetches), []
    for step in reversed(steps):
        name, op, args, _ = step
        if name in wanted or op in EFFECTS or op == "input":
            kept.append(step)
            wanted.update(args)
    return kept[::-1], list(fetches)


# %% answer="prune" name="reversed" loses="exactly effects"
# The steps come out in the wrong order.
def prune(steps, fetches):
    """Return the program without the steps that neither fetches nor effects need."""
    wanted, kept = set(fetches), []
    for step in reversed(steps):
        name, op, args, _ = step
        if name in wanted or op in EFFECTS:
            kept.append(step)
            wanted.update(args)
    return kept, list(fetches)


# %% answer="prune" name="recursion" loses="exactly"
# Your function calls itself along the graph, and a program with 10,000 steps in a row is too deep
# for that.
def prune(steps, fetches):
    """Return the program without the steps that neither fetches nor effects need."""
    table, wanted = {step[0]: step for step in steps}, set()

    def need(name):
        if name not in wanted:
            wanted.add(name)
            for a in table[name][2]:
                need(a)

    for name in [*fetches, *(step[0] for step in steps if step[1] in EFFECTS)]:
        need(name)
    return [step for step in steps if step[0] in wanted], list(fetches)


# %% answer="prune" name="in_place" loses="exactly"
# The list that you were given is changed. Return a new one.
def prune(steps, fetches):
    """Return the program without the steps that neither fetches nor effects need."""
    wanted, kept = set(fetches), []
    for step in reversed(steps):
        name, op, args, _ = step
        if name in wanted or op in EFFECTS:
            kept.append(step)
            wanted.update(args)
    steps[:] = kept[::-1]
    return steps, fetches


# %% answer="prune" name="fetches_once" loses="exactly"
# Fetches lose what stands there twice. They stay as they are.
def prune(steps, fetches):
    """Return the program without the steps that neither fetches nor effects need."""
    wanted, kept = set(fetches), []
    for step in reversed(steps):
        name, op, args, _ = step
        if name in wanted or op in EFFECTS:
            kept.append(step)
            wanted.update(args)
    return kept[::-1], list(dict.fromkeys(fetches))


# %% answer="prune" name="two_args" loses="exactly"
# Only the first two args of a step are kept. A fused step may have more.
def prune(steps, fetches):
    need, out = set(fetches), []
    for s in steps[::-1]:
        if s[0] in need or s[1] in EFFECTS:
            need |= set(s[2][:2])
            out.append(s)
    return out[::-1], fetches[:]


# %% answer="prune" name="each_path" loses="exactly"
# You walk each path through the graph anew. A value that is used twice doubles the number of
# paths, so a hundred such steps never end: remember where you have been.
def prune(steps, fetches):
    by = {s[0]: s for s in steps}
    keep = set()
    todo = list(fetches) + [s[0] for s in steps if s[1] in EFFECTS]
    while todo:
        n = todo.pop()
        keep.add(n)
        todo += by[n][2]
    return [s for s in steps if s[0] in keep], list(fetches)


# %% [markdown]
# ## fuse


# %% answer="fuse" name="fetched_swallowed" loses="meaning counts needed_outside"
# A value that is fetched disappears inside of a kernel. Nobody outside can read it there.
def fuse(steps, fetches):
    """Return the program with elementwise steps joined into fused kernels."""
    shapes, users, ops = {}, {}, {}
    for name, op, args, attrs in steps:
        shapes[name] = shape_of(op, [shapes[a] for a in args], attrs)
        ops[name] = op
        for a in set(args):
            users.setdefault(a, []).append(name)
    root, groups = {}, {}
    for step in reversed(steps):
        name, root[step[0]] = step[0], step[0]
        if ops[name] in EACH and len(users.get(name, ())) == 1:
            (user,) = users[name]
            if ops[user] in EACH and shapes[user] == shapes[name]:
                root[name] = root[user]
        groups.setdefault(root[name], []).append(step)
    out = []
    for step in steps:
        members = groups.get(step[0], ())[::-1]
        if len(members) == 1:
            out.append(step)
        elif members:
            inside = {member[0] for member in members}
            args = [a for member in members for a in member[2] if a not in inside]
            args = tuple(dict.fromkeys(args))
            attrs = {"takes": args, "steps": members, "gives": step[0]}
            out.append((step[0], "fused", args, attrs))
    return out, list(fetches)


# %% answer="fuse" name="two_users_swallowed" loses="meaning counts needed_outside"
# A value with two users is swallowed by one of them, and the other one cannot read it.
def fuse(steps, fetches):
    """Return the program with elementwise steps joined into fused kernels."""
    shapes, users, ops = {}, {}, {}
    for name, op, args, attrs in steps:
        shapes[name] = shape_of(op, [shapes[a] for a in args], attrs)
        ops[name] = op
        for a in set(args):
            users.setdefault(a, []).append(name)
    root, groups = {}, {}
    for step in reversed(steps):
        name, root[step[0]] = step[0], step[0]
        if ops[name] in EACH and name not in fetches and users.get(name):
            user = users[name][-1]
            if ops[user] in EACH and shapes[user] == shapes[name]:
                root[name] = root[user]
        groups.setdefault(root[name], []).append(step)
    out = []
    for step in steps:
        members = groups.get(step[0], ())[::-1]
        if len(members) == 1:
            out.append(step)
        elif members:
            inside = {member[0] for member in members}
            args = [a for member in members for a in member[2] if a not in inside]
            args = tuple(dict.fromkeys(args))
            attrs = {"takes": args, "steps": members, "gives": step[0]}
            out.append((step[0], "fused", args, attrs))
    return out, list(fetches)


# %% answer="fuse" name="recomputed" loses="counts needed_outside"
# A value with two users is computed again in each of their kernels. The task stores it, so that
# nothing is computed twice.
def fuse(steps, fetches):
    """Each step takes in, again and again, what it is made of."""
    shapes, table = {}, {step[0]: step for step in steps}
    for name, op, args, attrs in steps:
        shapes[name] = shape_of(op, [shapes[a] for a in args], attrs)
    wanted, out = set(fetches) | {s[0] for s in steps if s[1] in EFFECTS}, []
    used = {a for step in steps for a in step[2]}
    wanted |= {step[0] for step in steps if step[0] not in used}
    for step in reversed(steps):
        name, op, args, _ = step
        if name not in wanted and op not in ("input", "constant"):
            continue
        inside, stack = set(), [name] if op in EACH else []
        while stack:
            here = stack.pop()
            inside.add(here)
            for a in table[here][2]:
                if table[a][1] in EACH and shapes[a] == shapes[name] and a not in fetches:
                    stack.append(a)
        members = [s for s in steps if s[0] in inside]
        outer = dict.fromkeys(a for s in members for a in s[2] if a not in inside)
        if len(members) > 1:
            attrs = {"takes": tuple(outer), "steps": members, "gives": name}
            step = (name, "fused", tuple(outer), attrs)
        wanted |= set(step[2])
        out.append(step)
    return out[::-1], list(fetches)


# %% answer="fuse" name="shape_ignored" loses="meaning counts needed_outside"
# A value of another shape joins a kernel. There it would be computed anew for each element that it
# is spread over.
def fuse(steps, fetches):
    """Return the program with elementwise steps joined into fused kernels."""
    shapes, users, ops = {}, {}, {}
    for name, op, args, attrs in steps:
        shapes[name] = shape_of(op, [shapes[a] for a in args], attrs)
        ops[name] = op
        for a in set(args):
            users.setdefault(a, []).append(name)
    root, groups = {}, {}
    for step in reversed(steps):
        name, root[step[0]] = step[0], step[0]
        if ops[name] in EACH and name not in fetches and len(users.get(name, ())) == 1:
            (user,) = users[name]
            if ops[user] in EACH:
                root[name] = root[user]
        groups.setdefault(root[name], []).append(step)
    out = []
    for step in steps:
        members = groups.get(step[0], ())[::-1]
        if len(members) == 1:
            out.append(step)
        elif members:
            inside = {member[0] for member in members}
            args = [a for member in members for a in member[2] if a not in inside]
            args = tuple(dict.fromkeys(args))
            attrs = {"takes": args, "steps": members, "gives": step[0]}
            out.append((step[0], "fused", args, attrs))
    return out, list(fetches)


# %% answer="fuse" name="counts_args_not_users" loses="counts"
# A value that one step uses twice, as in x · x, counts as having two users. It has one.
def fuse(steps, fetches):
    """Return the program with elementwise steps joined into fused kernels."""
    shapes, users, ops = {}, {}, {}
    for name, op, args, attrs in steps:
        shapes[name] = shape_of(op, [shapes[a] for a in args], attrs)
        ops[name] = op
        for a in args:
            users.setdefault(a, []).append(name)
    root, groups = {}, {}
    for step in reversed(steps):
        name, root[step[0]] = step[0], step[0]
        if ops[name] in EACH and name not in fetches and len(users.get(name, ())) == 1:
            (user,) = users[name]
            if ops[user] in EACH and shapes[user] == shapes[name]:
                root[name] = root[user]
        groups.setdefault(root[name], []).append(step)
    out = []
    for step in steps:
        members = groups.get(step[0], ())[::-1]
        if len(members) == 1:
            out.append(step)
        elif members:
            inside = {member[0] for member in members}
            args = [a for member in members for a in member[2] if a not in inside]
            args = tuple(dict.fromkeys(args))
            attrs = {"takes": args, "steps": members, "gives": step[0]}
            out.append((step[0], "fused", args, attrs))
    return out, list(fetches)


# %% answer="fuse" name="first_argument_only" loses="counts"
# Only what comes in as the first arg joins. A step may take in several of its args.
def fuse(steps, fetches):
    """Return the program with elementwise steps joined into fused kernels."""
    shapes, users, ops = {}, {}, {}
    for name, op, args, attrs in steps:
        shapes[name] = shape_of(op, [shapes[a] for a in args], attrs)
        ops[name] = op
        for a in set(args):
            users.setdefault(a, []).append(name)
    first = {step[0]: (*step[2], None)[0] for step in steps}
    root, groups = {}, {}
    for step in reversed(steps):
        name, root[step[0]] = step[0], step[0]
        if ops[name] in EACH and name not in fetches and len(users.get(name, ())) == 1:
            (user,) = users[name]
            if ops[user] in EACH and shapes[user] == shapes[name] and first[user] == name:
                root[name] = root[user]
        groups.setdefault(root[name], []).append(step)
    out = []
    for step in steps:
        members = groups.get(step[0], ())[::-1]
        if len(members) == 1:
            out.append(step)
        elif members:
            inside = {member[0] for member in members}
            args = [a for member in members for a in member[2] if a not in inside]
            args = tuple(dict.fromkeys(args))
            attrs = {"takes": args, "steps": members, "gives": step[0]}
            out.append((step[0], "fused", args, attrs))
    return out, list(fetches)


# %% answer="fuse" name="pairs" loses="meaning counts needed_outside long"
# At most two steps make a kernel. A group may be as long as it wants to be.
def fuse(steps, fetches):
    """Return the program with elementwise steps joined into fused kernels."""
    shapes, users, ops = {}, {}, {}
    for name, op, args, attrs in steps:
        shapes[name] = shape_of(op, [shapes[a] for a in args], attrs)
        ops[name] = op
        for a in set(args):
            users.setdefault(a, []).append(name)
    root, groups = {}, {}
    for step in reversed(steps):
        name, root[step[0]] = step[0], step[0]
        if ops[name] in EACH and name not in fetches and len(users.get(name, ())) == 1:
            (user,) = users[name]
            if ops[user] in EACH and shapes[user] == shapes[name]:
                root[name] = user if root[user] == user else name
        groups.setdefault(root[name], []).append(step)
    out = []
    for step in steps:
        members = groups.get(step[0], ())[::-1]
        if len(members) == 1:
            out.append(step)
        elif members:
            inside = {member[0] for member in members}
            args = [a for member in members for a in member[2] if a not in inside]
            args = tuple(dict.fromkeys(args))
            attrs = {"takes": args, "steps": members, "gives": step[0]}
            out.append((step[0], "fused", args, attrs))
    return out, list(fetches)


# %% answer="fuse" name="neighbours" loses="counts"
# Only steps that stand next to each other in the list join. What counts is who uses whom.
def fuse(steps, fetches):
    """Return the program with elementwise steps joined into fused kernels."""
    shapes, users, ops = {}, {}, {}
    for name, op, args, attrs in steps:
        shapes[name] = shape_of(op, [shapes[a] for a in args], attrs)
        ops[name] = op
        for a in set(args):
            users.setdefault(a, []).append(name)
    place = {step[0]: i for i, step in enumerate(steps)}
    root, groups = {}, {}
    for step in reversed(steps):
        name, root[step[0]] = step[0], step[0]
        if ops[name] in EACH and name not in fetches and len(users.get(name, ())) == 1:
            (user,) = users[name]
            if (
                ops[user] in EACH
                and shapes[user] == shapes[name]
                and place[user] == place[name] + 1
            ):
                root[name] = root[user]
        groups.setdefault(root[name], []).append(step)
    out = []
    for step in steps:
        members = groups.get(step[0], ())[::-1]
        if len(members) == 1:
            out.append(step)
        elif members:
            inside = {member[0] for member in members}
            args = [a for member in members for a in member[2] if a not in inside]
            args = tuple(dict.fromkeys(args))
            attrs = {"takes": args, "steps": members, "gives": step[0]}
            out.append((step[0], "fused", args, attrs))
    return out, list(fetches)


# %% answer="fuse" name="alone_fused" loses="counts"
# A kernel of one step alone is no fusion.
def fuse(steps, fetches):
    """Return the program with elementwise steps joined into fused kernels."""
    shapes, users, ops = {}, {}, {}
    for name, op, args, attrs in steps:
        shapes[name] = shape_of(op, [shapes[a] for a in args], attrs)
        ops[name] = op
        for a in set(args):
            users.setdefault(a, []).append(name)
    root, groups = {}, {}
    for step in reversed(steps):
        name, root[step[0]] = step[0], step[0]
        if ops[name] in EACH and name not in fetches and len(users.get(name, ())) == 1:
            (user,) = users[name]
            if ops[user] in EACH and shapes[user] == shapes[name]:
                root[name] = root[user]
        groups.setdefault(root[name], []).append(step)
    out = []
    for step in steps:
        members = groups.get(step[0], ())[::-1]
        if len(members) == 1 and members[0][1] not in EACH:
            out.append(step)
        elif members:
            inside = {member[0] for member in members}
            args = [a for member in members for a in member[2] if a not in inside]
            args = tuple(dict.fromkeys(args))
            attrs = {"takes": args, "steps": members, "gives": step[0]}
            out.append((step[0], "fused", args, attrs))
    return out, list(fetches)


# %% answer="fuse" name="at_the_first_place" loses="meaning"
# The fused step stands where the first of its steps was. Some of its args are made only later.
def fuse(steps, fetches):
    """Return the program with elementwise steps joined into fused kernels."""
    shapes, users, ops = {}, {}, {}
    for name, op, args, attrs in steps:
        shapes[name] = shape_of(op, [shapes[a] for a in args], attrs)
        ops[name] = op
        for a in set(args):
            users.setdefault(a, []).append(name)
    root, groups = {}, {}
    for step in reversed(steps):
        name, root[step[0]] = step[0], step[0]
        if ops[name] in EACH and name not in fetches and len(users.get(name, ())) == 1:
            (user,) = users[name]
            if ops[user] in EACH and shapes[user] == shapes[name]:
                root[name] = root[user]
        groups.setdefault(root[name], []).append(step)
    out = []
    for step in steps:
        members = groups.get(root[step[0]], ())[::-1]
        if len(members) > 1 and members[0] is not step:
            continue
        step = members[-1]
        if len(members) == 1:
            out.append(step)
        elif members:
            inside = {member[0] for member in members}
            args = [a for member in members for a in member[2] if a not in inside]
            args = tuple(dict.fromkeys(args))
            attrs = {"takes": args, "steps": members, "gives": step[0]}
            out.append((step[0], "fused", args, attrs))
    return out, list(fetches)


# %% answer="fuse" name="takes_twice" loses="counts"
# An arg that several steps of a kernel use is handed in several times.
def fuse(steps, fetches):
    """Return the program with elementwise steps joined into fused kernels."""
    shapes, users, ops = {}, {}, {}
    for name, op, args, attrs in steps:
        shapes[name] = shape_of(op, [shapes[a] for a in args], attrs)
        ops[name] = op
        for a in set(args):
            users.setdefault(a, []).append(name)
    root, groups = {}, {}
    for step in reversed(steps):
        name, root[step[0]] = step[0], step[0]
        if ops[name] in EACH and name not in fetches and len(users.get(name, ())) == 1:
            (user,) = users[name]
            if ops[user] in EACH and shapes[user] == shapes[name]:
                root[name] = root[user]
        groups.setdefault(root[name], []).append(step)
    out = []
    for step in steps:
        members = groups.get(step[0], ())[::-1]
        if len(members) == 1:
            out.append(step)
        elif members:
            inside = {member[0] for member in members}
            args = [a for member in members for a in member[2] if a not in inside]
            args = tuple(args)
            attrs = {"takes": args, "steps": members, "gives": step[0]}
            out.append((step[0], "fused", args, attrs))
    return out, list(fetches)


# %% answer="fuse" name="sums_too" loses="meaning counts needed_outside"
# Sums join a kernel. A sum needs all elements of its arg, so it is not elementwise.
def fuse(steps, fetches):
    """Return the program with elementwise steps joined into fused kernels."""
    shapes, users, ops = {}, {}, {}
    for name, op, args, attrs in steps:
        shapes[name] = shape_of(op, [shapes[a] for a in args], attrs)
        ops[name] = op
        for a in set(args):
            users.setdefault(a, []).append(name)
    root, groups = {}, {}
    for step in reversed(steps):
        name, root[step[0]] = step[0], step[0]
        if (
            ops[name] in EACH | {"sum", "transpose"}
            and name not in fetches
            and len(users.get(name, ())) == 1
        ):
            (user,) = users[name]
            if ops[user] in EACH | {"sum", "transpose"} and shapes[user] == shapes[name]:
                root[name] = root[user]
        groups.setdefault(root[name], []).append(step)
    out = []
    for step in steps:
        members = groups.get(step[0], ())[::-1]
        if len(members) == 1:
            out.append(step)
        elif members:
            inside = {member[0] for member in members}
            args = [a for member in members for a in member[2] if a not in inside]
            args = tuple(dict.fromkeys(args))
            attrs = {"takes": args, "steps": members, "gives": step[0]}
            out.append((step[0], "fused", args, attrs))
    return out, list(fetches)


# %% answer="fuse" name="nothing" loses="meaning counts needed_outside long"
# Your pass returns the program as it is.
def fuse(steps, fetches):
    return list(steps), list(fetches)


# %% answer="fuse" name="dead_dropped" loses="counts"
# Steps that nobody uses are dropped. That is another pass; here each is computed as before.
def fuse(steps, fetches):
    """Return the program with elementwise steps joined into fused kernels."""
    shapes, users, ops = {}, {}, {}
    for name, op, args, attrs in steps:
        shapes[name] = shape_of(op, [shapes[a] for a in args], attrs)
        ops[name] = op
        for a in set(args):
            users.setdefault(a, []).append(name)
    root, groups = {}, {}
    for step in reversed(steps):
        name, root[step[0]] = step[0], step[0]
        if ops[name] in EACH and name not in fetches and len(users.get(name, ())) == 1:
            (user,) = users[name]
            if ops[user] in EACH and shapes[user] == shapes[name]:
                root[name] = root[user]
        groups.setdefault(root[name], []).append(step)
    out = []
    for step in steps:
        if step[0] not in users and step[0] not in fetches and step[1] in EACH:
            continue
        members = groups.get(step[0], ())[::-1]
        if len(members) == 1:
            out.append(step)
        elif members:
            inside = {member[0] for member in members}
            args = [a for member in members for a in member[2] if a not in inside]
            args = tuple(dict.fromkeys(args))
            attrs = {"takes": args, "steps": members, "gives": step[0]}
            out.append((step[0], "fused", args, attrs))
    return out, list(fetches)


# %% answer="fuse" name="quadratic" loses="long"
# The work grows with the square of the length of the program.
def fuse(steps, fetches):
    """Return the program with elementwise steps joined into fused kernels."""
    shapes, users, ops = {}, {}, {}
    for name, op, args, attrs in steps:
        shapes[name] = shape_of(op, [shapes[a] for a in args], attrs)
        ops[name] = op
        for a in set(args):
            users.setdefault(a, []).append(name)
    root, groups = {}, {}
    for step in reversed(steps):
        name, root[step[0]] = step[0], step[0]
        if ops[name] in EACH and name not in fetches and len(users.get(name, ())) == 1:
            (user,) = users[name]
            if ops[user] in EACH and shapes[user] == shapes[name]:
                root[name] = root[user]
        groups[root[name]] = [*groups.get(root[name], []), step]
        _ = [len(str(member)) for member in groups[root[name]]]
    out = []
    for step in steps:
        members = groups.get(step[0], ())[::-1]
        if len(members) == 1:
            out.append(step)
        elif members:
            inside = {member[0] for member in members}
            args = [a for member in members for a in member[2] if a not in inside]
            args = tuple(dict.fromkeys(args))
            attrs = {"takes": args, "steps": members, "gives": step[0]}
            out.append((step[0], "fused", args, attrs))
    return out, list(fetches)


# %% answer="fuse" name="from_the_library" loses="meaning counts needed_outside long"
# The library's compiler is not available here; the pass is yours to write.
def fuse(steps, fetches):
    from chainrule.compiler import PASSES

    return PASSES["fuse"](steps)


# %% answer="fuse" name="sums_take_part" loses="needed_outside"
# An elementwise step joins a sum where both values have the same shape. A sum is not
# elementwise; both ends of a join have to be.
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
            and (ops[u[0]] in EACH or ops[u[0]] == "sum")
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
        out.append(
            (s[0], "fused", tuple(takes), {"takes": tuple(takes), "steps": g, "gives": s[0]})
        )
    return out, list(fetches)


# %% [markdown]
# ## plan


# %% answer="plan" name="own_buffers" loses="safe few cases"
# Each value has a buffer of its own; nothing is shared.
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
        if False:
            of[name] = of[over[0]]
            dying.remove(over[0])
        elif False:
            of[name] = free[size].pop()
        else:
            of[name] = count
            count += 1
        for a in [*dying, name] if last[name] == place else dying:
            free.setdefault(int(np.prod(shapes[a])), []).append(of[a])
    return of


# %% answer="plan" name="never_in_place" loses="few cases"
# No step writes in place. Where it works element by element it may write over an arg that ends
# there.
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
        over = []
        if over:
            of[name] = of[over[0]]
            dying.remove(over[0])
        elif free.get(size):
            of[name] = free[size].pop()
        else:
            of[name] = count
            count += 1
        for a in [*dying, name] if last[name] == place else dying:
            free.setdefault(int(np.prod(shapes[a])), []).append(of[a])
    return of


# %% answer="plan" name="always_in_place" loses="safe few cases"
# A step that is not elementwise writes over an arg that it still reads.
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
        over = [a for a in dying if shapes[a] == shape]
        if over:
            of[name] = of[over[0]]
            dying.remove(over[0])
        elif free.get(size):
            of[name] = free[size].pop()
        else:
            of[name] = count
            count += 1
        for a in [*dying, name] if last[name] == place else dying:
            free.setdefault(int(np.prod(shapes[a])), []).append(of[a])
    return of


# %% answer="plan" name="arguments_free_too_soon" loses="safe few cases"
# The buffers of a step's args are free before the step has written its result, and it gets one of
# them.
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
        for a in dict.fromkeys(args):
            if a in of and last[a] == place:
                free.setdefault(int(np.prod(shapes[a])), []).append(of[a])
        if free.get(size):
            of[name] = free[size].pop()
        else:
            of[name] = count
            count += 1
        if last[name] == place:
            free.setdefault(size, []).append(of[name])
    return of


# %% answer="plan" name="fetches_overwritten" loses="safe few cases"
# A fetched value is overwritten after its last use. It is alive to the end.
def plan(steps, fetches):
    """Return for each computed value the number of the buffer in which it stands."""
    last = {a: place for place, step in enumerate(steps) for a in (step[0], *step[2])}
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
            of[name] = of[over[0]]
            dying.remove(over[0])
        elif free.get(size):
            of[name] = free[size].pop()
        else:
            of[name] = count
            count += 1
        for a in [*dying, name] if last[name] == place else dying:
            free.setdefault(int(np.prod(shapes[a])), []).append(of[a])
    return of


# %% answer="plan" name="shape_of_argument_ignored" loses="safe"
# A step writes over an arg of another shape: while it is spread out, it would be read after it was
# overwritten.
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
        over = [a for a in dying if each and np.prod(shapes[a]) == np.prod(shape)]
        if over:
            of[name] = of[over[0]]
            dying.remove(over[0])
        elif free.get(size):
            of[name] = free[size].pop()
        else:
            of[name] = count
            count += 1
        for a in [*dying, name] if last[name] == place else dying:
            free.setdefault(int(np.prod(shapes[a])), []).append(of[a])
    return of


# %% answer="plan" name="one_size_fits_all" loses="safe"
# A buffer is used for values of different sizes.
def plan(steps, fetches):
    """Return for each computed value the number of the buffer in which it stands."""
    last = {a: place for place, step in enumerate(steps) for a in (step[0], *step[2])}
    last.update(dict.fromkeys(fetches, len(steps)))
    shapes, of, free, count = {}, {}, {}, 0
    for place, (name, op, args, attrs) in enumerate(steps):
        shape = shapes[name] = shape_of(op, [shapes[a] for a in args], attrs)
        if op in ("input", "constant"):
            continue
        size = 0
        dying = [a for a in dict.fromkeys(args) if a in of and last[a] == place]
        each = op in EACH or op == "fused"
        over = [a for a in dying if each and shapes[a] == shape]
        if over:
            of[name] = of[over[0]]
            dying.remove(over[0])
        elif free.get(size):
            of[name] = free[size].pop()
        else:
            of[name] = count
            count += 1
        for a in [*dying, name] if last[name] == place else dying:
            free.setdefault(0, []).append(of[a])
    return of


# %% answer="plan" name="by_shape" loses="few"
# Only values of the same shape share a buffer. The same size is enough.
def plan(steps, fetches):
    """Return for each computed value the number of the buffer in which it stands."""
    last = {a: place for place, step in enumerate(steps) for a in (step[0], *step[2])}
    last.update(dict.fromkeys(fetches, len(steps)))
    shapes, of, free, count = {}, {}, {}, 0
    for place, (name, op, args, attrs) in enumerate(steps):
        shape = shapes[name] = shape_of(op, [shapes[a] for a in args], attrs)
        if op in ("input", "constant"):
            continue
        size = shape
        dying = [a for a in dict.fromkeys(args) if a in of and last[a] == place]
        each = op in EACH or op == "fused"
        over = [a for a in dying if each and shapes[a] == shape]
        if over:
            of[name] = of[over[0]]
            dying.remove(over[0])
        elif free.get(size):
            of[name] = free[size].pop()
        else:
            of[name] = count
            count += 1
        for a in [*dying, name] if last[name] == place else dying:
            free.setdefault(shapes[a], []).append(of[a])
    return of


# %% answer="plan" name="unused_keep_theirs" loses="few"
# A value that nobody uses keeps its buffer for ever. It is alive in its own step only.
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
            of[name] = of[over[0]]
            dying.remove(over[0])
        elif free.get(size):
            of[name] = free[size].pop()
        else:
            of[name] = count
            count += 1
        for a in dying:
            free.setdefault(int(np.prod(shapes[a])), []).append(of[a])
    return of


# %% answer="plan" name="fused_not_in_place" loses="cases"
# A fused step does not write in place. It works element by element, too.
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
        each = op in EACH
        over = [a for a in dying if each and shapes[a] == shape]
        if over:
            of[name] = of[over[0]]
            dying.remove(over[0])
        elif free.get(size):
            of[name] = free[size].pop()
        else:
            of[name] = count
            count += 1
        for a in [*dying, name] if last[name] == place else dying:
            free.setdefault(int(np.prod(shapes[a])), []).append(of[a])
    return of


# %% answer="plan" name="first_use_is_last" loses="safe few cases"
# A value counts as dead after its first use.
def plan(steps, fetches):
    """Return for each computed value the number of the buffer in which it stands."""
    last = {}
    for place, step in enumerate(steps):
        for a in step[2]:
            last.setdefault(a, place)
    for place, step in enumerate(steps):
        last.setdefault(step[0], place)
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
            of[name] = of[over[0]]
            dying.remove(over[0])
        elif free.get(size):
            of[name] = free[size].pop()
        else:
            of[name] = count
            count += 1
        for a in [*dying, name] if last[name] == place else dying:
            free.setdefault(int(np.prod(shapes[a])), []).append(of[a])
    return of


# %% answer="plan" name="freed_twice" loses="safe"
# A buffer that was taken over in place is put among the free ones as well.
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
            of[name] = of[over[0]]
        elif free.get(size):
            of[name] = free[size].pop()
        else:
            of[name] = count
            count += 1
        for a in [*dying, name] if last[name] == place else dying:
            free.setdefault(int(np.prod(shapes[a])), []).append(of[a])
    return of


# %% answer="plan" name="inputs_have_buffers" loses="safe few cases"
# Inputs and constants get buffers. They have memory of their own.
def plan(steps, fetches):
    """Return for each computed value the number of the buffer in which it stands."""
    last = {a: place for place, step in enumerate(steps) for a in (step[0], *step[2])}
    last.update(dict.fromkeys(fetches, len(steps)))
    shapes, of, free, count = {}, {}, {}, 0
    for place, (name, op, args, attrs) in enumerate(steps):
        shape = shapes[name] = shape_of(op, [shapes[a] for a in args], attrs)
        size = int(np.prod(shape))
        dying = [a for a in dict.fromkeys(args) if a in of and last[a] == place]
        each = op in EACH or op == "fused"
        over = [a for a in dying if each and shapes[a] == shape]
        if over:
            of[name] = of[over[0]]
            dying.remove(over[0])
        elif free.get(size):
            of[name] = free[size].pop()
        else:
            of[name] = count
            count += 1
        for a in [*dying, name] if last[name] == place else dying:
            free.setdefault(int(np.prod(shapes[a])), []).append(of[a])
    return of


# %% [markdown]
# ## jit


# %% answer="jit" name="no_cache" loses="guards passes apart"
# The function is traced in every call.
def jit(function, passes=()):
    """Return a function that traces `function` once for each kind of arguments, then runs that."""
    cache = {}

    def guard(arg):
        if isinstance(arg, np.ndarray):
            return "array", arg.shape, arg.dtype
        return type(arg), repr(arg)

    def trace(args):
        steps, given = [], []
        for place, arg in enumerate(args):
            if isinstance(arg, np.ndarray):
                steps.append((f"arg{place}", "input", (), {"shape": arg.shape}))
                arg = Box(steps, f"arg{place}", arg.shape, arg.dtype)
            given.append(arg)
        out = function(*given)
        results = out if isinstance(out, tuple) else (out,)
        boxes = [r if isinstance(r, Box) else constant(steps, r) for r in results]
        program = steps, [box.name for box in boxes]
        for one in passes:
            program = one(*program)
        return program, isinstance(out, tuple)

    def jitted(*args):
        key = tuple(guard(arg) for arg in args)
        if True:
            cache[key] = trace(args)
        (steps, fetches), several = cache[key]
        values = run(steps, fetches, {f"arg{place}": arg for place, arg in enumerate(args)})
        values = tuple(np.array(value) for value in values)
        return values if several else values[0]

    return jitted


# %% answer="jit" name="shapes_only" loses="values guards"
# Python numbers are no guards: the program of the first number is run for all others.
def jit(function, passes=()):
    """Return a function that traces `function` once for each kind of arguments, then runs that."""
    cache = {}

    def guard(arg):
        if isinstance(arg, np.ndarray):
            return "array", arg.shape, arg.dtype
        return type(arg)

    def trace(args):
        steps, given = [], []
        for place, arg in enumerate(args):
            if isinstance(arg, np.ndarray):
                steps.append((f"arg{place}", "input", (), {"shape": arg.shape}))
                arg = Box(steps, f"arg{place}", arg.shape, arg.dtype)
            given.append(arg)
        out = function(*given)
        results = out if isinstance(out, tuple) else (out,)
        boxes = [r if isinstance(r, Box) else constant(steps, r) for r in results]
        program = steps, [box.name for box in boxes]
        for one in passes:
            program = one(*program)
        return program, isinstance(out, tuple)

    def jitted(*args):
        key = tuple(guard(arg) for arg in args)
        if key not in cache:
            cache[key] = trace(args)
        (steps, fetches), several = cache[key]
        values = run(steps, fetches, {f"arg{place}": arg for place, arg in enumerate(args)})
        values = tuple(np.array(value) for value in values)
        return values if several else values[0]

    return jitted


# %% answer="jit" name="equal_is_same" loses="guards"
# 1, 1.0 and True are taken for the same value, for Python finds them equal. So are 0.0 and -0.0.
def jit(function, passes=()):
    """Return a function that traces `function` once for each kind of arguments, then runs that."""
    cache = {}

    def guard(arg):
        if isinstance(arg, np.ndarray):
            return "array", arg.shape, arg.dtype
        return arg

    def trace(args):
        steps, given = [], []
        for place, arg in enumerate(args):
            if isinstance(arg, np.ndarray):
                steps.append((f"arg{place}", "input", (), {"shape": arg.shape}))
                arg = Box(steps, f"arg{place}", arg.shape, arg.dtype)
            given.append(arg)
        out = function(*given)
        results = out if isinstance(out, tuple) else (out,)
        boxes = [r if isinstance(r, Box) else constant(steps, r) for r in results]
        program = steps, [box.name for box in boxes]
        for one in passes:
            program = one(*program)
        return program, isinstance(out, tuple)

    def jitted(*args):
        key = tuple(guard(arg) for arg in args)
        if key not in cache:
            cache[key] = trace(args)
        (steps, fetches), several = cache[key]
        values = run(steps, fetches, {f"arg{place}": arg for place, arg in enumerate(args)})
        values = tuple(np.array(value) for value in values)
        return values if several else values[0]

    return jitted


# %% answer="jit" name="type_and_value" loses="guards"
# Values are compared with ==, so 0.0 and -0.0 are one, and NaN is never found again.
def jit(function, passes=()):
    """Return a function that traces `function` once for each kind of arguments, then runs that."""
    cache = {}

    def guard(arg):
        if isinstance(arg, np.ndarray):
            return "array", arg.shape, arg.dtype
        return type(arg), arg

    def trace(args):
        steps, given = [], []
        for place, arg in enumerate(args):
            if isinstance(arg, np.ndarray):
                steps.append((f"arg{place}", "input", (), {"shape": arg.shape}))
                arg = Box(steps, f"arg{place}", arg.shape, arg.dtype)
            given.append(arg)
        out = function(*given)
        results = out if isinstance(out, tuple) else (out,)
        boxes = [r if isinstance(r, Box) else constant(steps, r) for r in results]
        program = steps, [box.name for box in boxes]
        for one in passes:
            program = one(*program)
        return program, isinstance(out, tuple)

    def jitted(*args):
        key = tuple(guard(arg) for arg in args)
        if key not in cache:
            cache[key] = trace(args)
        (steps, fetches), several = cache[key]
        values = run(steps, fetches, {f"arg{place}": arg for place, arg in enumerate(args)})
        values = tuple(np.array(value) for value in values)
        return values if several else values[0]

    return jitted


# %% answer="jit" name="values_without_type" loses="guards"
# The type is no guard, so that "1" and 1, or None and "None", are one.
def jit(function, passes=()):
    """Return a function that traces `function` once for each kind of arguments, then runs that."""
    cache = {}

    def guard(arg):
        if isinstance(arg, np.ndarray):
            return "array", arg.shape, arg.dtype
        return str(arg)

    def trace(args):
        steps, given = [], []
        for place, arg in enumerate(args):
            if isinstance(arg, np.ndarray):
                steps.append((f"arg{place}", "input", (), {"shape": arg.shape}))
                arg = Box(steps, f"arg{place}", arg.shape, arg.dtype)
            given.append(arg)
        out = function(*given)
        results = out if isinstance(out, tuple) else (out,)
        boxes = [r if isinstance(r, Box) else constant(steps, r) for r in results]
        program = steps, [box.name for box in boxes]
        for one in passes:
            program = one(*program)
        return program, isinstance(out, tuple)

    def jitted(*args):
        key = tuple(guard(arg) for arg in args)
        if key not in cache:
            cache[key] = trace(args)
        (steps, fetches), several = cache[key]
        values = run(steps, fetches, {f"arg{place}": arg for place, arg in enumerate(args)})
        values = tuple(np.array(value) for value in values)
        return values if several else values[0]

    return jitted


# %% answer="jit" name="dtype_ignored" loses="guards"
# The dtype of an array is no guard.
def jit(function, passes=()):
    """Return a function that traces `function` once for each kind of arguments, then runs that."""
    cache = {}

    def guard(arg):
        if isinstance(arg, np.ndarray):
            return "array", arg.shape
        return type(arg), repr(arg)

    def trace(args):
        steps, given = [], []
        for place, arg in enumerate(args):
            if isinstance(arg, np.ndarray):
                steps.append((f"arg{place}", "input", (), {"shape": arg.shape}))
                arg = Box(steps, f"arg{place}", arg.shape, arg.dtype)
            given.append(arg)
        out = function(*given)
        results = out if isinstance(out, tuple) else (out,)
        boxes = [r if isinstance(r, Box) else constant(steps, r) for r in results]
        program = steps, [box.name for box in boxes]
        for one in passes:
            program = one(*program)
        return program, isinstance(out, tuple)

    def jitted(*args):
        key = tuple(guard(arg) for arg in args)
        if key not in cache:
            cache[key] = trace(args)
        (steps, fetches), several = cache[key]
        values = run(steps, fetches, {f"arg{place}": arg for place, arg in enumerate(args)})
        values = tuple(np.array(value) for value in values)
        return values if several else values[0]

    return jitted


# %% answer="jit" name="rank_only" loses="guards"
# The number of axes is a guard, but not their lengths.
def jit(function, passes=()):
    """Return a function that traces `function` once for each kind of arguments, then runs that."""
    cache = {}

    def guard(arg):
        if isinstance(arg, np.ndarray):
            return "array", arg.ndim, arg.dtype
        return type(arg), repr(arg)

    def trace(args):
        steps, given = [], []
        for place, arg in enumerate(args):
            if isinstance(arg, np.ndarray):
                steps.append((f"arg{place}", "input", (), {"shape": arg.shape}))
                arg = Box(steps, f"arg{place}", arg.shape, arg.dtype)
            given.append(arg)
        out = function(*given)
        results = out if isinstance(out, tuple) else (out,)
        boxes = [r if isinstance(r, Box) else constant(steps, r) for r in results]
        program = steps, [box.name for box in boxes]
        for one in passes:
            program = one(*program)
        return program, isinstance(out, tuple)

    def jitted(*args):
        key = tuple(guard(arg) for arg in args)
        if key not in cache:
            cache[key] = trace(args)
        (steps, fetches), several = cache[key]
        values = run(steps, fetches, {f"arg{place}": arg for place, arg in enumerate(args)})
        values = tuple(np.array(value) for value in values)
        return values if several else values[0]

    return jitted


# %% answer="jit" name="size_only" loses="guards"
# The number of elements is a guard. Two shapes may have the same.
def jit(function, passes=()):
    """Return a function that traces `function` once for each kind of arguments, then runs that."""
    cache = {}

    def guard(arg):
        if isinstance(arg, np.ndarray):
            return "array", arg.size, arg.dtype
        return type(arg), repr(arg)

    def trace(args):
        steps, given = [], []
        for place, arg in enumerate(args):
            if isinstance(arg, np.ndarray):
                steps.append((f"arg{place}", "input", (), {"shape": arg.shape}))
                arg = Box(steps, f"arg{place}", arg.shape, arg.dtype)
            given.append(arg)
        out = function(*given)
        results = out if isinstance(out, tuple) else (out,)
        boxes = [r if isinstance(r, Box) else constant(steps, r) for r in results]
        program = steps, [box.name for box in boxes]
        for one in passes:
            program = one(*program)
        return program, isinstance(out, tuple)

    def jitted(*args):
        key = tuple(guard(arg) for arg in args)
        if key not in cache:
            cache[key] = trace(args)
        (steps, fetches), several = cache[key]
        values = run(steps, fetches, {f"arg{place}": arg for place, arg in enumerate(args)})
        values = tuple(np.array(value) for value in values)
        return values if several else values[0]

    return jitted


# %% answer="jit" name="last_only" loses="guards"
# Only the latest program is remembered. A combination that comes back is traced again.
def jit(function, passes=()):
    """Return a function that traces `function` once for each kind of arguments, then runs that."""
    cache = {}

    def guard(arg):
        if isinstance(arg, np.ndarray):
            return "array", arg.shape, arg.dtype
        return type(arg), repr(arg)

    def trace(args):
        steps, given = [], []
        for place, arg in enumerate(args):
            if isinstance(arg, np.ndarray):
                steps.append((f"arg{place}", "input", (), {"shape": arg.shape}))
                arg = Box(steps, f"arg{place}", arg.shape, arg.dtype)
            given.append(arg)
        out = function(*given)
        results = out if isinstance(out, tuple) else (out,)
        boxes = [r if isinstance(r, Box) else constant(steps, r) for r in results]
        program = steps, [box.name for box in boxes]
        for one in passes:
            program = one(*program)
        return program, isinstance(out, tuple)

    def jitted(*args):
        key = tuple(guard(arg) for arg in args)
        if key not in cache:
            cache.clear()
            cache[key] = trace(args)
        (steps, fetches), several = cache[key]
        values = run(steps, fetches, {f"arg{place}": arg for place, arg in enumerate(args)})
        values = tuple(np.array(value) for value in values)
        return values if several else values[0]

    return jitted


# %% answer="jit" name="shared_cache" loses="values guards passes apart"
# All jitted functions share one memory, so one runs the program of another.
PROGRAMS = {}


def jit(function, passes=()):
    """Return a function that traces `function` once for each kind of arguments, then runs that."""
    cache = PROGRAMS

    def guard(arg):
        if isinstance(arg, np.ndarray):
            return "array", arg.shape, arg.dtype
        return type(arg), repr(arg)

    def trace(args):
        steps, given = [], []
        for place, arg in enumerate(args):
            if isinstance(arg, np.ndarray):
                steps.append((f"arg{place}", "input", (), {"shape": arg.shape}))
                arg = Box(steps, f"arg{place}", arg.shape, arg.dtype)
            given.append(arg)
        out = function(*given)
        results = out if isinstance(out, tuple) else (out,)
        boxes = [r if isinstance(r, Box) else constant(steps, r) for r in results]
        program = steps, [box.name for box in boxes]
        for one in passes:
            program = one(*program)
        return program, isinstance(out, tuple)

    def jitted(*args):
        key = tuple(guard(arg) for arg in args)
        if key not in cache:
            cache[key] = trace(args)
        (steps, fetches), several = cache[key]
        values = run(steps, fetches, {f"arg{place}": arg for place, arg in enumerate(args)})
        values = tuple(np.array(value) for value in values)
        return values if several else values[0]

    return jitted


# %% answer="jit" name="forgets_after_many" loses="guards"
# Only a few programs are remembered; a combination that was there long before is traced again.
def jit(function, passes=()):
    """Return a function that traces `function` once for each kind of arguments, then runs that."""
    cache = {}

    def guard(arg):
        if isinstance(arg, np.ndarray):
            return "array", arg.shape, arg.dtype
        return type(arg), repr(arg)

    def trace(args):
        steps, given = [], []
        for place, arg in enumerate(args):
            if isinstance(arg, np.ndarray):
                steps.append((f"arg{place}", "input", (), {"shape": arg.shape}))
                arg = Box(steps, f"arg{place}", arg.shape, arg.dtype)
            given.append(arg)
        out = function(*given)
        results = out if isinstance(out, tuple) else (out,)
        boxes = [r if isinstance(r, Box) else constant(steps, r) for r in results]
        program = steps, [box.name for box in boxes]
        for one in passes:
            program = one(*program)
        return program, isinstance(out, tuple)

    def jitted(*args):
        key = tuple(guard(arg) for arg in args)
        if key not in cache:
            if len(cache) >= 8:
                del cache[next(iter(cache))]
            cache[key] = trace(args)
        (steps, fetches), several = cache[key]
        values = run(steps, fetches, {f"arg{place}": arg for place, arg in enumerate(args)})
        values = tuple(np.array(value) for value in values)
        return values if several else values[0]

    return jitted


# %% answer="jit" name="passes_each_call" loses="passes"
# The passes are applied in every call. They are costly: once for each trace is enough.
def jit(function, passes=()):
    """Return a function that traces `function` once for each kind of arguments, then runs that."""
    cache = {}

    def guard(arg):
        if isinstance(arg, np.ndarray):
            return "array", arg.shape, arg.dtype
        return type(arg), repr(arg)

    def trace(args):
        steps, given = [], []
        for place, arg in enumerate(args):
            if isinstance(arg, np.ndarray):
                steps.append((f"arg{place}", "input", (), {"shape": arg.shape}))
                arg = Box(steps, f"arg{place}", arg.shape, arg.dtype)
            given.append(arg)
        out = function(*given)
        results = out if isinstance(out, tuple) else (out,)
        boxes = [r if isinstance(r, Box) else constant(steps, r) for r in results]
        program = steps, [box.name for box in boxes]
        return program, isinstance(out, tuple)

    def jitted(*args):
        key = tuple(guard(arg) for arg in args)
        if key not in cache:
            cache[key] = trace(args)
        (steps, fetches), several = cache[key]
        for one in passes:
            steps, fetches = one(steps, fetches)
        values = run(steps, fetches, {f"arg{place}": arg for place, arg in enumerate(args)})
        values = tuple(np.array(value) for value in values)
        return values if several else values[0]

    return jitted


# %% answer="jit" name="passes_unused" loses="passes"
# What the passes return is not what is run.
def jit(function, passes=()):
    """Return a function that traces `function` once for each kind of arguments, then runs that."""
    cache = {}

    def guard(arg):
        if isinstance(arg, np.ndarray):
            return "array", arg.shape, arg.dtype
        return type(arg), repr(arg)

    def trace(args):
        steps, given = [], []
        for place, arg in enumerate(args):
            if isinstance(arg, np.ndarray):
                steps.append((f"arg{place}", "input", (), {"shape": arg.shape}))
                arg = Box(steps, f"arg{place}", arg.shape, arg.dtype)
            given.append(arg)
        out = function(*given)
        results = out if isinstance(out, tuple) else (out,)
        boxes = [r if isinstance(r, Box) else constant(steps, r) for r in results]
        program = steps, [box.name for box in boxes]
        for one in passes:
            one(*program)
        return program, isinstance(out, tuple)

    def jitted(*args):
        key = tuple(guard(arg) for arg in args)
        if key not in cache:
            cache[key] = trace(args)
        (steps, fetches), several = cache[key]
        values = run(steps, fetches, {f"arg{place}": arg for place, arg in enumerate(args)})
        values = tuple(np.array(value) for value in values)
        return values if several else values[0]

    return jitted


# %% answer="jit" name="values_baked_in" loses="values"
# The arrays of the first call are in the program as constants.
def jit(function, passes=()):
    """Return a function that traces `function` once for each kind of arguments, then runs that."""
    cache, feeds_of = {}, {}

    def guard(arg):
        if isinstance(arg, np.ndarray):
            return "array", arg.shape, arg.dtype
        return type(arg), repr(arg)

    def trace(args):
        steps, given = [], []
        for place, arg in enumerate(args):
            if isinstance(arg, np.ndarray):
                steps.append((f"arg{place}", "input", (), {"shape": arg.shape}))
                arg = Box(steps, f"arg{place}", arg.shape, arg.dtype)
            given.append(arg)
        out = function(*given)
        results = out if isinstance(out, tuple) else (out,)
        boxes = [r if isinstance(r, Box) else constant(steps, r) for r in results]
        program = steps, [box.name for box in boxes]
        for one in passes:
            program = one(*program)
        return program, isinstance(out, tuple)

    def jitted(*args):
        key = tuple(guard(arg) for arg in args)
        if key not in cache:
            cache[key] = trace(args)
        (steps, fetches), several = cache[key]
        feeds = feeds_of.setdefault(key, {f"arg{place}": arg for place, arg in enumerate(args)})
        values = run(steps, fetches, feeds)
        values = tuple(np.array(value) for value in values)
        return values if several else values[0]

    return jitted


# %% answer="jit" name="no_copy" loses="values"
# A result shares its memory with an arg, or with the result of another call.
def jit(function, passes=()):
    """Return a function that traces `function` once for each kind of arguments, then runs that."""
    cache = {}

    def guard(arg):
        if isinstance(arg, np.ndarray):
            return "array", arg.shape, arg.dtype
        return type(arg), repr(arg)

    def trace(args):
        steps, given = [], []
        for place, arg in enumerate(args):
            if isinstance(arg, np.ndarray):
                steps.append((f"arg{place}", "input", (), {"shape": arg.shape}))
                arg = Box(steps, f"arg{place}", arg.shape, arg.dtype)
            given.append(arg)
        out = function(*given)
        results = out if isinstance(out, tuple) else (out,)
        boxes = [r if isinstance(r, Box) else constant(steps, r) for r in results]
        program = steps, [box.name for box in boxes]
        for one in passes:
            program = one(*program)
        return program, isinstance(out, tuple)

    def jitted(*args):
        key = tuple(guard(arg) for arg in args)
        if key not in cache:
            cache[key] = trace(args)
        (steps, fetches), several = cache[key]
        values = run(steps, fetches, {f"arg{place}": arg for place, arg in enumerate(args)})
        values = tuple(values)
        return values if several else values[0]

    return jitted


# %% answer="jit" name="calls_the_function" loses="guards passes apart"
# The function itself is called for the result, not only for the trace.
def jit(function, passes=()):
    """Return a function that traces `function` once for each kind of arguments, then runs that."""
    seen = set()

    def jitted(*args):
        key = tuple(a.shape if isinstance(a, np.ndarray) else repr(a) for a in args)
        seen.add(key)
        out = function(*args)
        if isinstance(out, tuple):
            return tuple(np.array(value, dtype=float) for value in out)
        return np.array(out, dtype=float)

    return jitted


# %% answer="jit" name="errors_remembered" loses="apart"
# After an error something is remembered, and the next call with these args does not trace.
def jit(function, passes=()):
    """Return a function that traces `function` once for each kind of arguments, then runs that."""
    cache = {}

    def guard(arg):
        if isinstance(arg, np.ndarray):
            return "array", arg.shape, arg.dtype
        return type(arg), repr(arg)

    def trace(args):
        steps, given = [], []
        for place, arg in enumerate(args):
            if isinstance(arg, np.ndarray):
                steps.append((f"arg{place}", "input", (), {"shape": arg.shape}))
                arg = Box(steps, f"arg{place}", arg.shape, arg.dtype)
            given.append(arg)
        out = function(*given)
        results = out if isinstance(out, tuple) else (out,)
        boxes = [r if isinstance(r, Box) else constant(steps, r) for r in results]
        program = steps, [box.name for box in boxes]
        for one in passes:
            program = one(*program)
        return program, isinstance(out, tuple)

    def jitted(*args):
        key = tuple(guard(arg) for arg in args)
        if key not in cache:
            cache[key] = ([], []), False
            cache[key] = trace(args)
        (steps, fetches), several = cache[key]
        values = run(steps, fetches, {f"arg{place}": arg for place, arg in enumerate(args)})
        values = tuple(np.array(value) for value in values)
        return values if several else values[0]

    return jitted


# %% answer="jit" name="always_a_tuple" loses="values passes apart"
# A single result comes back in a tuple.
def jit(function, passes=()):
    """Return a function that traces `function` once for each kind of arguments, then runs that."""
    cache = {}

    def guard(arg):
        if isinstance(arg, np.ndarray):
            return "array", arg.shape, arg.dtype
        return type(arg), repr(arg)

    def trace(args):
        steps, given = [], []
        for place, arg in enumerate(args):
            if isinstance(arg, np.ndarray):
                steps.append((f"arg{place}", "input", (), {"shape": arg.shape}))
                arg = Box(steps, f"arg{place}", arg.shape, arg.dtype)
            given.append(arg)
        out = function(*given)
        results = out if isinstance(out, tuple) else (out,)
        boxes = [r if isinstance(r, Box) else constant(steps, r) for r in results]
        program = steps, [box.name for box in boxes]
        for one in passes:
            program = one(*program)
        return program, isinstance(out, tuple)

    def jitted(*args):
        key = tuple(guard(arg) for arg in args)
        if key not in cache:
            cache[key] = trace(args)
        (steps, fetches), several = cache[key]
        values = run(steps, fetches, {f"arg{place}": arg for place, arg in enumerate(args)})
        values = tuple(np.array(value) for value in values)
        return values

    return jitted


# %% answer="jit" name="boxes_only" loses="values"
# A result that is no Box, such as a number, is not made a constant.
def jit(function, passes=()):
    """Return a function that traces `function` once for each kind of arguments, then runs that."""
    cache = {}

    def guard(arg):
        if isinstance(arg, np.ndarray):
            return "array", arg.shape, arg.dtype
        return type(arg), repr(arg)

    def trace(args):
        steps, given = [], []
        for place, arg in enumerate(args):
            if isinstance(arg, np.ndarray):
                steps.append((f"arg{place}", "input", (), {"shape": arg.shape}))
                arg = Box(steps, f"arg{place}", arg.shape, arg.dtype)
            given.append(arg)
        out = function(*given)
        results = out if isinstance(out, tuple) else (out,)
        boxes = [r for r in results if isinstance(r, Box)]
        program = steps, [box.name for box in boxes]
        for one in passes:
            program = one(*program)
        return program, isinstance(out, tuple)

    def jitted(*args):
        key = tuple(guard(arg) for arg in args)
        if key not in cache:
            cache[key] = trace(args)
        (steps, fetches), several = cache[key]
        values = run(steps, fetches, {f"arg{place}": arg for place, arg in enumerate(args)})
        values = tuple(np.array(value) for value in values)
        return values if several else values[0]

    return jitted


# %% answer="jit" name="a_hundred_at_most" loses="guards"
# After many different calls you forget what you traced. A combination that was there before is
# not traced again, however many others came in between.
def jit(function, passes=()):
    cache = {}

    def key(a):
        if isinstance(a, np.ndarray):
            return ("array", a.shape, str(a.dtype))
        if isinstance(a, tuple):
            return ("tuple",) + tuple(key(b) for b in a)
        return (type(a), repr(a))

    def jitted(*args):
        k = tuple(key(a) for a in args)
        if k not in cache:
            if len(cache) >= 128:
                cache.clear()
            steps, given = [], []
            for i, a in enumerate(args):
                if isinstance(a, np.ndarray):
                    steps.append((f"in{i}", "input", (), {"shape": a.shape}))
                    given.append(Box(steps, f"in{i}", a.shape, a.dtype))
                else:
                    given.append(a)
            res = function(*given)
            many = isinstance(res, tuple)
            fetches = [
                (r if isinstance(r, Box) else constant(steps, r)).name
                for r in (res if many else (res,))
            ]
            for p in passes:
                steps, fetches = p(steps, fetches)
            cache[k] = (steps, fetches, many)
        steps, fetches, many = cache[k]
        vals = [
            np.array(v)
            for v in run(
                steps,
                fetches,
                {f"in{i}": a for i, a in enumerate(args) if isinstance(a, np.ndarray)},
            )
        ]
        return tuple(vals) if many else vals[0]

    return jitted


# %% answer="jit" name="failed_pass_remembered" loses="apart"
# A program is remembered before its passes have run. If one of them raises, the next call runs a
# program that they never saw.
def jit(function, passes=()):
    cache = {}

    def key(a):
        if isinstance(a, np.ndarray):
            return ("array", a.shape, str(a.dtype))
        if isinstance(a, tuple):
            return ("tuple",) + tuple(key(b) for b in a)
        return (type(a), repr(a))

    def jitted(*args):
        k = tuple(key(a) for a in args)
        if k not in cache:
            steps, given = [], []
            for i, a in enumerate(args):
                if isinstance(a, np.ndarray):
                    steps.append((f"in{i}", "input", (), {"shape": a.shape}))
                    given.append(Box(steps, f"in{i}", a.shape, a.dtype))
                else:
                    given.append(a)
            res = function(*given)
            many = isinstance(res, tuple)
            fetches = [
                (r if isinstance(r, Box) else constant(steps, r)).name
                for r in (res if many else (res,))
            ]
            cache[k] = (steps, fetches, many)
            for p in passes:
                steps, fetches = p(steps, fetches)
            cache[k] = (steps, fetches, many)
        steps, fetches, many = cache[k]
        vals = [
            np.array(v)
            for v in run(
                steps,
                fetches,
                {f"in{i}": a for i, a in enumerate(args) if isinstance(a, np.ndarray)},
            )
        ]
        return tuple(vals) if many else vals[0]

    return jitted


# %% answer="jit" name="dtype_not_told" loses="values"
# Your boxes do not know the dtype of their arrays. A function may ask for it.
def jit(function, passes=()):
    cache = {}

    def key(a):
        if isinstance(a, np.ndarray):
            return ("array", a.shape, str(a.dtype))
        if isinstance(a, tuple):
            return ("tuple",) + tuple(key(b) for b in a)
        return (type(a), repr(a))

    def jitted(*args):
        k = tuple(key(a) for a in args)
        if k not in cache:
            steps, given = [], []
            for i, a in enumerate(args):
                if isinstance(a, np.ndarray):
                    steps.append((f"in{i}", "input", (), {"shape": a.shape}))
                    given.append(Box(steps, f"in{i}", a.shape))
                else:
                    given.append(a)
            res = function(*given)
            many = isinstance(res, tuple)
            fetches = [
                (r if isinstance(r, Box) else constant(steps, r)).name
                for r in (res if many else (res,))
            ]
            for p in passes:
                steps, fetches = p(steps, fetches)
            cache[k] = (steps, fetches, many)
        steps, fetches, many = cache[k]
        vals = [
            np.array(v)
            for v in run(
                steps,
                fetches,
                {f"in{i}": a for i, a in enumerate(args) if isinstance(a, np.ndarray)},
            )
        ]
        return tuple(vals) if many else vals[0]

    return jitted


# %% answer="jit" name="numbers_in_boxes" loses="values"
# Numbers are handed over in boxes. The function is given numbers as they are, so that it can
# compare them, for example.
def jit(function, passes=()):
    cache = {}

    def key(a):
        if isinstance(a, np.ndarray):
            return ("array", a.shape, str(a.dtype))
        if isinstance(a, tuple):
            return ("tuple",) + tuple(key(b) for b in a)
        return (type(a), repr(a))

    def jitted(*args):
        k = tuple(key(a) for a in args)
        if k not in cache:
            steps, given = [], []
            for i, a in enumerate(args):
                if isinstance(a, np.ndarray):
                    steps.append((f"in{i}", "input", (), {"shape": a.shape}))
                    given.append(Box(steps, f"in{i}", a.shape, a.dtype))
                elif type(a) is float:
                    c = constant(steps, a)
                    given.append(c)
                else:
                    given.append(a)
            res = function(*given)
            many = isinstance(res, tuple)
            fetches = [
                (r if isinstance(r, Box) else constant(steps, r)).name
                for r in (res if many else (res,))
            ]
            for p in passes:
                steps, fetches = p(steps, fetches)
            cache[k] = (steps, fetches, many)
        steps, fetches, many = cache[k]
        vals = [
            np.array(v)
            for v in run(
                steps,
                fetches,
                {f"in{i}": a for i, a in enumerate(args) if isinstance(a, np.ndarray)},
            )
        ]
        return tuple(vals) if many else vals[0]

    return jitted


# %% answer="jit" name="results_remembered" loses="values"
# The result of an earlier call comes back when the same array comes again. There may be other
# numbers in it now.
def jit(function, passes=()):
    cache, memo = {}, {}

    def key(a):
        if isinstance(a, np.ndarray):
            return ("array", a.shape, str(a.dtype))
        if isinstance(a, tuple):
            return ("tuple",) + tuple(key(b) for b in a)
        return (type(a), repr(a))

    def jitted(*args):
        k = tuple(key(a) for a in args)
        if k not in cache:
            steps, given = [], []
            for i, a in enumerate(args):
                if isinstance(a, np.ndarray):
                    steps.append((f"in{i}", "input", (), {"shape": a.shape}))
                    given.append(Box(steps, f"in{i}", a.shape, a.dtype))
                else:
                    given.append(a)
            res = function(*given)
            many = isinstance(res, tuple)
            fetches = [
                (r if isinstance(r, Box) else constant(steps, r)).name
                for r in (res if many else (res,))
            ]
            for p in passes:
                steps, fetches = p(steps, fetches)
            cache[k] = (steps, fetches, many)
        steps, fetches, many = cache[k]
        ident = (k, tuple(id(a) for a in args))
        if ident in memo:
            return memo[ident]
        vals = [
            np.array(v)
            for v in run(
                steps,
                fetches,
                {f"in{i}": a for i, a in enumerate(args) if isinstance(a, np.ndarray)},
            )
        ]
        memo[ident] = tuple(vals) if many else vals[0]
        return memo[ident]

    return jitted


# %% answer="jit" name="none_left_out" loses="guards"
# None is left out of your guards. It is a value as any other, and counts as an arg.
def jit(function, passes=()):
    cache = {}

    def key(a):
        if isinstance(a, np.ndarray):
            return ("array", a.shape, str(a.dtype))
        if isinstance(a, tuple):
            return ("tuple",) + tuple(key(b) for b in a)
        return (type(a), repr(a))

    def jitted(*args):
        k = tuple(key(a) for a in args if a is not None)
        if k not in cache:
            steps, given = [], []
            for i, a in enumerate(args):
                if isinstance(a, np.ndarray):
                    steps.append((f"in{i}", "input", (), {"shape": a.shape}))
                    given.append(Box(steps, f"in{i}", a.shape, a.dtype))
                else:
                    given.append(a)
            res = function(*given)
            many = isinstance(res, tuple)
            fetches = [
                (r if isinstance(r, Box) else constant(steps, r)).name
                for r in (res if many else (res,))
            ]
            for p in passes:
                steps, fetches = p(steps, fetches)
            cache[k] = (steps, fetches, many)
        steps, fetches, many = cache[k]
        vals = [
            np.array(v)
            for v in run(
                steps,
                fetches,
                {f"in{i}": a for i, a in enumerate(args) if isinstance(a, np.ndarray)},
            )
        ]
        return tuple(vals) if many else vals[0]

    return jitted


# %% answer="jit" name="strings_by_length" loses="guards"
# Strings of the same length share a program. Value and type of everything that is no array are
# guards.
def jit(function, passes=()):
    cache = {}

    def key(a):
        if isinstance(a, np.ndarray):
            return ("array", a.shape, str(a.dtype))
        if isinstance(a, tuple):
            return ("tuple",) + tuple(key(b) for b in a)
        return (type(a), repr(a) if not isinstance(a, str) else len(a))

    def jitted(*args):
        k = tuple(key(a) for a in args)
        if k not in cache:
            steps, given = [], []
            for i, a in enumerate(args):
                if isinstance(a, np.ndarray):
                    steps.append((f"in{i}", "input", (), {"shape": a.shape}))
                    given.append(Box(steps, f"in{i}", a.shape, a.dtype))
                else:
                    given.append(a)
            res = function(*given)
            many = isinstance(res, tuple)
            fetches = [
                (r if isinstance(r, Box) else constant(steps, r)).name
                for r in (res if many else (res,))
            ]
            for p in passes:
                steps, fetches = p(steps, fetches)
            cache[k] = (steps, fetches, many)
        steps, fetches, many = cache[k]
        vals = [
            np.array(v)
            for v in run(
                steps,
                fetches,
                {f"in{i}": a for i, a in enumerate(args) if isinstance(a, np.ndarray)},
            )
        ]
        return tuple(vals) if many else vals[0]

    return jitted


# %% answer="jit" name="inputs_by_place" loses="passes"
# Arrays are fed in the order of the inputs that are left in the program. A pass may have dropped
# inputs, or put them in another order: feed by name.
def jit(function, passes=()):
    cache = {}

    def key(a):
        if isinstance(a, np.ndarray):
            return ("array", a.shape, str(a.dtype))
        if isinstance(a, tuple):
            return ("tuple",) + tuple(key(b) for b in a)
        return (type(a), repr(a))

    def jitted(*args):
        k = tuple(key(a) for a in args)
        if k not in cache:
            steps, given = [], []
            for i, a in enumerate(args):
                if isinstance(a, np.ndarray):
                    steps.append((f"in{i}", "input", (), {"shape": a.shape}))
                    given.append(Box(steps, f"in{i}", a.shape, a.dtype))
                else:
                    given.append(a)
            res = function(*given)
            many = isinstance(res, tuple)
            fetches = [
                (r if isinstance(r, Box) else constant(steps, r)).name
                for r in (res if many else (res,))
            ]
            for p in passes:
                steps, fetches = p(steps, fetches)
            cache[k] = (steps, fetches, many)
        steps, fetches, many = cache[k]
        vals = [
            np.array(v)
            for v in run(
                steps,
                fetches,
                dict(
                    zip(
                        [s[0] for s in steps if s[1] == "input"],
                        [a for a in args if isinstance(a, np.ndarray)],
                    )
                ),
            )
        ]
        return tuple(vals) if many else vals[0]

    return jitted


# %% [markdown]
# ## locate


# %% answer="locate" name="whole_kernel" loses="line errors"
# The error names the fused step as a whole, not the step inside of it.
def checked_run(steps, fetches, feeds, lines):
    """Run a program; an error names the line that made the step where things went wrong."""

    def walk(steps, values):
        for name, op, args, attrs in steps:
            where = f"{op}, from: {lines.get(name, 'made by the compiler')}"
            if op == "input":
                values[name] = np.asarray(feeds[name], dtype=float)
            elif op == "constant":
                values[name] = attrs["value"]
            elif op == "fused":
                inner = {take: values[a] for take, a in zip(attrs["takes"], args, strict=True)}
                given = list(inner.values())
                try:
                    for n, o, some, _ in attrs["steps"]:
                        if o == "fused":
                            inner[n] = checked_run([], [], {}, {}) or walk(attrs["steps"], inner)[n]
                        else:
                            inner[n] = compute(o, [inner[a] for a in some], {})
                except Exception as error:
                    raise RuntimeError(where) from error
                values[name] = inner[attrs["gives"]]
                if all(np.isfinite(x).all() for x in given):
                    if not np.isfinite(values[name]).all():
                        raise FloatingPointError(where)
            else:
                given = [values[a] for a in args]
                try:
                    values[name] = compute(op, given, attrs)
                except Exception as error:
                    raise RuntimeError(f"{where}: {error}") from error
                if all(np.isfinite(x).all() for x in given):  # noqa: SIM102
                    if not np.isfinite(values[name]).all():
                        raise FloatingPointError(f"NaN or infinity out of {where}")
        return values

    values = walk(steps, {})
    return [values[name] for name in fetches]


# %% answer="locate" name="last_not_first" loses="line"
# You look at the values when the run is over. The first step that went wrong is to be named.
def checked_run(steps, fetches, feeds, lines):
    """Run a program; an error names the line that made the step where things went wrong."""

    def walk(steps, values):
        for name, op, args, attrs in steps:
            where = f"{op}, from: {lines.get(name, 'made by the compiler')}"
            if op == "input":
                values[name] = np.asarray(feeds[name], dtype=float)
            elif op == "constant":
                values[name] = attrs["value"]
            elif op == "fused":
                inner = {take: values[a] for take, a in zip(attrs["takes"], args, strict=True)}
                values[name] = walk(attrs["steps"], inner)[attrs["gives"]]
            else:
                given = [values[a] for a in args]
                try:
                    values[name] = compute(op, given, attrs)
                except Exception as error:
                    raise RuntimeError(f"{where}: {error}") from error
                if all(np.isfinite(x).all() for x in given):  # noqa: SIM102
                    if not np.isfinite(values[name]).all():
                        late.append(where)
        return values

    late = []
    values = walk(steps, {})
    if late:
        raise FloatingPointError(f"NaN or infinity out of {late[-1]}")
    return [values[name] for name in fetches]


# %% answer="locate" name="any_nan" loses="line values"
# A step is blamed for NaN that was in its args already.
def checked_run(steps, fetches, feeds, lines):
    """Run a program; an error names the line that made the step where things went wrong."""

    def walk(steps, values):
        for name, op, args, attrs in steps:
            where = f"{op}, from: {lines.get(name, 'made by the compiler')}"
            if op == "input":
                values[name] = np.asarray(feeds[name], dtype=float)
            elif op == "constant":
                values[name] = attrs["value"]
            elif op == "fused":
                inner = {take: values[a] for take, a in zip(attrs["takes"], args, strict=True)}
                values[name] = walk(attrs["steps"], inner)[attrs["gives"]]
            else:
                given = [values[a] for a in args]
                try:
                    values[name] = compute(op, given, attrs)
                except Exception as error:
                    raise RuntimeError(f"{where}: {error}") from error
                if True:
                    if not np.isfinite(values[name]).all():
                        raise FloatingPointError(f"NaN or infinity out of {where}")
        return values

    values = walk(steps, {})
    return [values[name] for name in fetches]


# %% answer="locate" name="nan_only" loses="line"
# Infinity is not noticed. It turns into NaN a few steps later, and the wrong line is named.
def checked_run(steps, fetches, feeds, lines):
    """Run a program; an error names the line that made the step where things went wrong."""

    def walk(steps, values):
        for name, op, args, attrs in steps:
            where = f"{op}, from: {lines.get(name, 'made by the compiler')}"
            if op == "input":
                values[name] = np.asarray(feeds[name], dtype=float)
            elif op == "constant":
                values[name] = attrs["value"]
            elif op == "fused":
                inner = {take: values[a] for take, a in zip(attrs["takes"], args, strict=True)}
                values[name] = walk(attrs["steps"], inner)[attrs["gives"]]
            else:
                given = [values[a] for a in args]
                try:
                    values[name] = compute(op, given, attrs)
                except Exception as error:
                    raise RuntimeError(f"{where}: {error}") from error
                if all(np.isfinite(x).all() for x in given):  # noqa: SIM102
                    if np.isnan(values[name]).any():
                        raise FloatingPointError(f"NaN or infinity out of {where}")
        return values

    values = walk(steps, {})
    return [values[name] for name in fetches]


# %% answer="locate" name="infinity_only" loses="line"
# NaN is not noticed.
def checked_run(steps, fetches, feeds, lines):
    """Run a program; an error names the line that made the step where things went wrong."""

    def walk(steps, values):
        for name, op, args, attrs in steps:
            where = f"{op}, from: {lines.get(name, 'made by the compiler')}"
            if op == "input":
                values[name] = np.asarray(feeds[name], dtype=float)
            elif op == "constant":
                values[name] = attrs["value"]
            elif op == "fused":
                inner = {take: values[a] for take, a in zip(attrs["takes"], args, strict=True)}
                values[name] = walk(attrs["steps"], inner)[attrs["gives"]]
            else:
                given = [values[a] for a in args]
                try:
                    values[name] = compute(op, given, attrs)
                except Exception as error:
                    raise RuntimeError(f"{where}: {error}") from error
                if all(np.isfinite(x).all() for x in given):  # noqa: SIM102
                    if np.isinf(values[name]).any():
                        raise FloatingPointError(f"NaN or infinity out of {where}")
        return values

    values = walk(steps, {})
    return [values[name] for name in fetches]


# %% answer="locate" name="all_elements" loses="line"
# A value counts as broken only when all of its numbers are. One is enough.
def checked_run(steps, fetches, feeds, lines):
    """Run a program; an error names the line that made the step where things went wrong."""

    def walk(steps, values):
        for name, op, args, attrs in steps:
            where = f"{op}, from: {lines.get(name, 'made by the compiler')}"
            if op == "input":
                values[name] = np.asarray(feeds[name], dtype=float)
            elif op == "constant":
                values[name] = attrs["value"]
            elif op == "fused":
                inner = {take: values[a] for take, a in zip(attrs["takes"], args, strict=True)}
                values[name] = walk(attrs["steps"], inner)[attrs["gives"]]
            else:
                given = [values[a] for a in args]
                try:
                    values[name] = compute(op, given, attrs)
                except Exception as error:
                    raise RuntimeError(f"{where}: {error}") from error
                if all(np.isfinite(x).all() for x in given):  # noqa: SIM102
                    if not np.isfinite(values[name]).any():
                        raise FloatingPointError(f"NaN or infinity out of {where}")
        return values

    values = walk(steps, {})
    return [values[name] for name in fetches]


# %% answer="locate" name="no_cause" loses="errors"
# The first error is lost. `raise ... from error` keeps it as the cause.
def checked_run(steps, fetches, feeds, lines):
    """Run a program; an error names the line that made the step where things went wrong."""

    def walk(steps, values):
        for name, op, args, attrs in steps:
            where = f"{op}, from: {lines.get(name, 'made by the compiler')}"
            if op == "input":
                values[name] = np.asarray(feeds[name], dtype=float)
            elif op == "constant":
                values[name] = attrs["value"]
            elif op == "fused":
                inner = {take: values[a] for take, a in zip(attrs["takes"], args, strict=True)}
                values[name] = walk(attrs["steps"], inner)[attrs["gives"]]
            else:
                given = [values[a] for a in args]
                try:
                    values[name] = compute(op, given, attrs)
                except Exception as error:
                    raise RuntimeError(f"{where}: {error}") from None
                if all(np.isfinite(x).all() for x in given):  # noqa: SIM102
                    if not np.isfinite(values[name]).all():
                        raise FloatingPointError(f"NaN or infinity out of {where}")
        return values

    values = walk(steps, {})
    return [values[name] for name in fetches]


# %% answer="locate" name="not_wrapped" loses="errors"
# Where a step cannot be computed NumPy's own error comes out, without the line.
def checked_run(steps, fetches, feeds, lines):
    """Run a program; an error names the line that made the step where things went wrong."""

    def walk(steps, values):
        for name, op, args, attrs in steps:
            where = f"{op}, from: {lines.get(name, 'made by the compiler')}"
            if op == "input":
                values[name] = np.asarray(feeds[name], dtype=float)
            elif op == "constant":
                values[name] = attrs["value"]
            elif op == "fused":
                inner = {take: values[a] for take, a in zip(attrs["takes"], args, strict=True)}
                values[name] = walk(attrs["steps"], inner)[attrs["gives"]]
            else:
                given = [values[a] for a in args]
                values[name] = compute(op, given, attrs)
                if all(np.isfinite(x).all() for x in given):  # noqa: SIM102
                    if not np.isfinite(values[name]).all():
                        raise FloatingPointError(f"NaN or infinity out of {where}")
        return values

    values = walk(steps, {})
    return [values[name] for name in fetches]


# %% answer="locate" name="op_missing" loses="line errors"
# The message does not name the op.
def checked_run(steps, fetches, feeds, lines):
    """Run a program; an error names the line that made the step where things went wrong."""

    def walk(steps, values):
        for name, op, args, attrs in steps:
            where = f"step from: {lines.get(name, 'made by the compiler')}"
            if op == "input":
                values[name] = np.asarray(feeds[name], dtype=float)
            elif op == "constant":
                values[name] = attrs["value"]
            elif op == "fused":
                inner = {take: values[a] for take, a in zip(attrs["takes"], args, strict=True)}
                values[name] = walk(attrs["steps"], inner)[attrs["gives"]]
            else:
                given = [values[a] for a in args]
                try:
                    values[name] = compute(op, given, attrs)
                except Exception as error:
                    raise RuntimeError(f"{where}") from error
                if all(np.isfinite(x).all() for x in given):  # noqa: SIM102
                    if not np.isfinite(values[name]).all():
                        raise FloatingPointError(f"NaN or infinity out of {where}")
        return values

    values = walk(steps, {})
    return [values[name] for name in fetches]


# %% answer="locate" name="line_required" loses="line errors"
# A step without a line of its own, made by a pass, is not expected.
def checked_run(steps, fetches, feeds, lines):
    """Run a program; an error names the line that made the step where things went wrong."""

    def walk(steps, values):
        for name, op, args, attrs in steps:
            where = f"{op}, from: {lines[name] if op in OPS else None}"
            if op == "input":
                values[name] = np.asarray(feeds[name], dtype=float)
            elif op == "constant":
                values[name] = attrs["value"]
            elif op == "fused":
                inner = {take: values[a] for take, a in zip(attrs["takes"], args, strict=True)}
                values[name] = walk(attrs["steps"], inner)[attrs["gives"]]
            else:
                given = [values[a] for a in args]
                try:
                    values[name] = compute(op, given, attrs)
                except Exception as error:
                    raise RuntimeError(f"{where}: {error}") from error
                if all(np.isfinite(x).all() for x in given):  # noqa: SIM102
                    if not np.isfinite(values[name]).all():
                        raise FloatingPointError(f"NaN or infinity out of {where}")
        return values

    values = walk(steps, {})
    return [values[name] for name in fetches]


# %% answer="locate" name="one_level" loses="values errors"
# Inside of a fused step another fused step is not expected.
def checked_run(steps, fetches, feeds, lines):
    """Run a program; an error names the line that made the step where things went wrong."""

    def walk(steps, values):
        for name, op, args, attrs in steps:
            where = f"{op}, from: {lines.get(name, 'made by the compiler')}"
            if op == "input":
                values[name] = np.asarray(feeds[name], dtype=float)
            elif op == "constant":
                values[name] = attrs["value"]
            elif op == "fused":
                inner = {take: values[a] for take, a in zip(attrs["takes"], args, strict=True)}
                if any(o == "fused" for _, o, _, _ in attrs["steps"]):
                    raise NotImplementedError("a fused step inside of a fused step")
                values[name] = walk(attrs["steps"], inner)[attrs["gives"]]
            else:
                given = [values[a] for a in args]
                try:
                    values[name] = compute(op, given, attrs)
                except Exception as error:
                    raise RuntimeError(f"{where}: {error}") from error
                if all(np.isfinite(x).all() for x in given):  # noqa: SIM102
                    if not np.isfinite(values[name]).all():
                        raise FloatingPointError(f"NaN or infinity out of {where}")
        return values

    values = walk(steps, {})
    return [values[name] for name in fetches]


# %% answer="locate" name="names_leak" loses="values"
# Names inside of a kernel and names outside are the same to you. A kernel knows only what it takes.
def checked_run(steps, fetches, feeds, lines):
    """Run a program; an error names the line that made the step where things went wrong."""

    def walk(steps, values):
        for name, op, args, attrs in steps:
            where = f"{op}, from: {lines.get(name, 'made by the compiler')}"
            if op == "input":
                values[name] = np.asarray(feeds[name], dtype=float)
            elif op == "constant":
                values[name] = attrs["value"]
            elif op == "fused":
                inner = {take: values[a] for take, a in zip(attrs["takes"], args, strict=True)}
                values.update(inner)
                values[name] = walk(attrs["steps"], values)[attrs["gives"]]
            else:
                given = [values[a] for a in args]
                try:
                    values[name] = compute(op, given, attrs)
                except Exception as error:
                    raise RuntimeError(f"{where}: {error}") from error
                if all(np.isfinite(x).all() for x in given):  # noqa: SIM102
                    if not np.isfinite(values[name]).all():
                        raise FloatingPointError(f"NaN or infinity out of {where}")
        return values

    values = walk(steps, {})
    return [values[name] for name in fetches]


# %% answer="locate" name="sum_is_finite" loses="values"
# You look at the sum of the numbers. A sum of large finite numbers may be infinite: look at each
# of them.
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
                raise RuntimeError(f"cannot compute {where}") from e
            if not np.isfinite(np.sum(v)) and all(np.isfinite(x).all() for x in a):
                raise FloatingPointError(f"NaN or infinity in {where}")
            values[name] = v
        return values

    v = walk(steps, {})
    return [v[f] for f in fetches]


# %% answer="locate" name="largest_is_finite" loses="values"
# You look at the largest number. An empty array has none.
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
                raise RuntimeError(f"cannot compute {where}") from e
            if not np.isfinite(np.abs(v).max()) and all(np.isfinite(x).all() for x in a):
                raise FloatingPointError(f"NaN or infinity in {where}")
            values[name] = v
        return values

    v = walk(steps, {})
    return [v[f] for f in fetches]


# %% answer="locate" name="value_errors_only" loses="errors"
# Only one kind of error is turned into a `RuntimeError`. A step may raise any.
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
            except ValueError as e:
                raise RuntimeError(f"cannot compute {where}") from e
            if not np.isfinite(v).all() and all(np.isfinite(x).all() for x in a):
                raise FloatingPointError(f"NaN or infinity in {where}")
            values[name] = v
        return values

    v = walk(steps, {})
    return [v[f] for f in fetches]


# %% answer="locate" name="needed_only" loses="line"
# You leave out the steps that no fetch needs. `run` computes all of them, and so does this one:
# the first step that goes wrong is named, whoever uses its value.
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
                raise RuntimeError(f"cannot compute {where}") from e
            if not np.isfinite(v).all() and all(np.isfinite(x).all() for x in a):
                raise FloatingPointError(f"NaN or infinity in {where}")
            values[name] = v
        return values

    need, kept = set(fetches), []
    for s in reversed(steps):
        if s[0] in need:
            need |= set(s[2])
            kept.append(s)
    v = walk(kept[::-1], {})
    return [v[f] for f in fetches]


# %% answer="locate" name="all_first" loses="line"
# You note the first bad value and go on. A later step may fail in another way then, and its error
# comes instead of the first.
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
                raise RuntimeError(f"cannot compute {where}") from e
            if not np.isfinite(v).all() and all(np.isfinite(x).all() for x in a):
                guilty.append(where)
            values[name] = v
        return values

    guilty = []
    v = walk(steps, {})
    if guilty:
        raise FloatingPointError(guilty[0])
    return [v[f] for f in fetches]


# %% answer="locate" name="result_only" loses="line"
# You look for bad values only if what was fetched is bad. A comparison turns NaN into 0, so it may
# be hidden by then.
def checked_run(steps, fetches, feeds, lines):
    values = run(steps, fetches, feeds)
    if all(np.isfinite(v).all() for v in values):
        return values

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
                raise RuntimeError(f"cannot compute {where}") from e
            if not np.isfinite(v).all() and all(np.isfinite(x).all() for x in a):
                raise FloatingPointError(f"NaN or infinity in {where}")
            values[name] = v
        return values

    v = walk(steps, {})
    return [v[f] for f in fetches]


# %% answer="locate" name="kernel_result_only" loses="line"
# You look into a fused step only if its result is bad. A bad value inside may be hidden by a
# comparison.
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
                with np.errstate(all="ignore"):
                    whole = OPS["fused"](*a, **attrs)
                if np.isfinite(whole).all():
                    values[name] = whole
                    continue
                values[name] = walk(attrs["steps"], dict(zip(attrs["takes"], a)))[attrs["gives"]]
                continue
            where = f"{op}: {lines.get(name, 'made by the compiler')}"
            try:
                v = compute(op, a, attrs)
            except Exception as e:
                raise RuntimeError(f"cannot compute {where}") from e
            if not np.isfinite(v).all() and all(np.isfinite(x).all() for x in a):
                raise FloatingPointError(f"NaN or infinity in {where}")
            values[name] = v
        return values

    v = walk(steps, {})
    return [v[f] for f in fetches]


# %% answer="locate" name="from_the_library" loses="line errors"
# The library runs the program for you. It knows which step failed, but neither looks at the
# numbers nor knows your lines.
def checked_run(steps, fetches, feeds, lines):
    from chainrule.program.lists import outcome

    found = outcome((steps, fetches), feeds)
    if found["flaw"]:
        raise RuntimeError(found["flaw"])
    return found["values"]
