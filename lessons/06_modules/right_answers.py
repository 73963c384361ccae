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


# %% answer="registry" name="case_by_case"
class Registry(Store):
    def __setattr__(self, name, value):
        if isinstance(value, Parameter):
            self._enter("_parameters", name, value)
        elif isinstance(value, Store):
            self._enter("_modules", name, value)
        else:
            for kind in KINDS:
                if name in self.__dict__.get(kind, ()):
                    if value is not None and not isinstance(value, KINDS[kind]):
                        raise TypeError(f"cannot put {value!r} into {name}")
                    self.__dict__[kind][name] = value
                    return
            super().__setattr__(name, value)

    def _enter(self, kind, name, value):
        try:
            home = self.__dict__[kind]
        except KeyError:
            raise AttributeError(f"{name} before super().__init__()") from None
        self.__dict__.pop(name, None)
        for other in KINDS:
            if other != kind:
                self.__dict__[other].pop(name, None)
        home[name] = value

    def __getattr__(self, name):
        for kind in KINDS:
            try:
                return self.__dict__[kind][name]
            except KeyError:
                continue
        raise AttributeError(f"{type(self).__name__} has no {name}")


# %% answer="registry" name="through_vars_and_chain"
from collections import ChainMap


class Registry(Store):
    def __setattr__(self, name, value):
        mine = vars(self)
        kinds = {Parameter: "_parameters", Store: "_modules"}
        home = next((place for kind, place in kinds.items() if isinstance(value, kind)), None)
        if home and home not in mine:
            raise AttributeError("super().__init__() comes before " + name)
        old = registered(self, name)
        if home is None and old is not None:
            wanted = KINDS[old]
            if not (value is None or isinstance(value, wanted)):
                raise TypeError(name + " takes only a " + wanted.__name__)
            home = old
        if home is None:
            mine[name] = value
            return
        if old is None:
            mine.pop(name, None)
        elif old != home:
            del mine[old][name]
        mine[home].update({name: value})

    def __getattr__(self, name):
        dicts = ChainMap(*(vars(self).get(kind, {}) for kind in KINDS))
        if name not in dicts:
            raise AttributeError(f"no {name} in this {type(self).__name__}")
        return dicts[name]


# %% answer="registry" name="getattribute_too"
class Registry(Store):
    def __setattr__(self, name, value):
        early = "_parameters" not in self.__dict__
        if isinstance(value, (Parameter, Store)):
            if early:
                raise AttributeError("too early: __init__ has not run")
            home = "_parameters" if isinstance(value, Parameter) else "_modules"
            if name in self.__dict__:
                object.__delattr__(self, name)
            for kind in set(KINDS) - {home}:
                self.__dict__[kind].pop(name, None)
            self.__dict__[home][name] = value
            return
        kind = None if early else registered(self, name)
        if kind is None:
            object.__setattr__(self, name, value)
        elif value is None or isinstance(value, KINDS[kind]):
            self.__dict__[kind][name] = value
        else:
            raise TypeError(f"{name}: {KINDS[kind].__name__} or None expected")

    def __getattr__(self, name):
        mine = object.__getattribute__(self, "__dict__")
        found = [mine[kind] for kind in KINDS if kind in mine and name in mine[kind]]
        if not found:
            raise AttributeError(f"'{type(self).__name__}' has no attribute '{name}'")
        return found[0][name]


# %% answer="walks" name="recursive"
class Walks:
    def named_modules(self, prefix="", memo=None):
        memo = [] if memo is None else memo
        if any(self is module for module in memo):
            return
        memo.append(self)
        yield prefix, self
        for name, child in self._modules.items():
            if child is not None:
                yield from child.named_modules(prefix + "." + name if prefix else name, memo)

    def named_parameters(self):
        given = []
        for path, module in self.named_modules():
            for name, p in module._parameters.items():
                if p is not None and not any(p is other for other in given):
                    given.append(p)
                    yield (path + "." + name if path else name), p

    def named_buffers(self):
        given = []
        for path, module in self.named_modules():
            for name, b in module._buffers.items():
                if b is not None and not any(b is other for other in given):
                    given.append(b)
                    yield (path + "." + name if path else name), b


# %% answer="walks" name="lists"
class Walks:
    def named_modules(self):
        found = {}

        def visit(path, module):
            if module is None or id(module) in found:
                return
            found[id(module)] = ".".join(path), module
            for name, child in module._modules.items():
                visit([*path, name], child)

        visit([], self)
        return list(found.values())

    def named_parameters(self):
        return self._find(lambda module: module._parameters)

    def named_buffers(self):
        return self._find(lambda module: module._buffers)

    def _find(self, dict_of):
        found = {}
        for path, module in self.named_modules():
            for name, value in dict_of(module).items():
                if value is not None:
                    found.setdefault(id(value), (".".join(filter(None, [path, name])), value))
        return list(found.values())


# %% answer="modes" name="recursive_train"
class Modes:
    def train(self, mode=True):
        self.training = bool(mode)
        for child in filter(None, self._modules.values()):
            child.train(mode)
        return self

    def eval(self):
        self.train(mode=False)
        return self

    def apply(self, fn):
        [child.apply(fn) for child in self._modules.values() if child]
        fn(self)
        return self


def he(module, rng):
    weight = module._parameters.get("weight")
    if weight is None or len(weight.shape) != 2:
        return
    outputs, inputs = weight.shape
    weight.data[...] = rng.normal(0.0, (2 / inputs) ** 0.5, size=(outputs, inputs))
    if module._parameters.get("bias") is not None:
        module.bias.data.fill(0)


# %% answer="modes" name="post_order_list"
class Modes:
    def train(self, mode=True):
        waiting = [self]
        while waiting:
            module = waiting.pop()
            module.training = mode
            waiting += [child for child in module._modules.values() if child is not None]
        return self

    def eval(self):
        for _name, module in self.named_modules():
            module.training = False
        return self

    def apply(self, fn):
        def visit(module):
            for child in module._modules.values():
                if child is not None:
                    visit(child)
            fn(module)

        visit(self)
        return self


def he(module, rng):
    own = {n: p for n, p in module._parameters.items() if p is not None}
    if "weight" in own and own["weight"].ndim == 2:
        deviation = np.sqrt(2.0 / own["weight"].shape[-1])
        with cr.no_grad():
            own["weight"][...] = cr.tensor(
                deviation * rng.standard_normal(own["weight"].shape), dtype=own["weight"].dtype
            )
            if "bias" in own:
                own["bias"].fill_(0.0)


# %% answer="state" name="explicit_loops"
class State:
    def state_dict(self, prefix=""):
        state = {}
        for own in (self._parameters, self._buffers):
            for name in own:
                if own[name] is not None:
                    state[prefix + name] = own[name].detach()
        for name in self._modules:
            if self._modules[name] is not None:
                state.update(self._modules[name].state_dict(prefix=prefix + name + "."))
        return state

    def load_state_dict(self, state, strict=True):
        mine = self.state_dict()
        missing, unexpected, problems = [], [], []
        for name in state:
            if name not in mine:
                unexpected.append(name)
        for name, here in mine.items():
            if name not in state:
                missing.append(name)
                continue
            there = state[name]
            shape = there.shape if isinstance(there, cr.Tensor) else np.asarray(there).shape
            if tuple(shape) != tuple(here.shape):
                problems.append(f"{name} has shape {shape}, not {here.shape}")
        if strict:
            problems += [f"{name} is missing" for name in missing]
            problems += [f"{name} is unexpected" for name in unexpected]
        if problems:
            raise cr.StateError("; ".join(problems))
        for name in mine:
            if name in state:
                there = state[name]
                mine[name].data[...] = there.data if isinstance(there, cr.Tensor) else there
        return missing, unexpected


# %% answer="state" name="stack_of_prefixes"
class State:
    def state_dict(self, prefix=""):
        found, todo = {}, [(prefix, self)]
        while todo:
            path, module = todo.pop()
            for name, tensor in [*module._parameters.items(), *module._buffers.items()]:
                if tensor is not None:
                    found[f"{path}{name}"] = cr.Tensor(tensor.data)
            children = [(f"{path}{n}.", c) for n, c in module._modules.items() if c is not None]
            todo.extend(reversed(children))
        return found

    def load_state_dict(self, state, strict=True):
        own = self.state_dict()
        arrays = {
            n: v.data if isinstance(v, cr.Tensor) else np.asarray(v) for n, v in state.items()
        }
        lists = [n for n in own if n not in arrays], [n for n in arrays if n not in own]
        common = own.keys() & arrays.keys()
        bad = {n for n in common if arrays[n].shape != own[n].shape}
        bad = bad.union(*lists) if strict else bad
        if bad:
            raise cr.StateError(f"these names do not fit: {sorted(bad)}")
        for name in common:
            np.copyto(own[name].data, arrays[name], casting="unsafe")
        return lists


# %% answer="layers" name="library_operations"
class Linear(Module):
    def __init__(self, d_in, d_out, bias=True, *, rng):
        super().__init__()
        k = d_in**-0.5
        weight = rng.uniform(-k, k, (d_out, d_in)).astype(np.float32)
        self.weight = Parameter(cr.tensor(weight))
        if bias:
            self.bias = Parameter(cr.tensor(rng.uniform(-k, k, (d_out,)).astype(np.float32)))
        else:
            self.bias = None

    def forward(self, x):
        out = cr.matmul(x, cr.swapaxes(self.weight, 0, 1))
        if self.bias is not None:
            out = out + self.bias
        return out


class ReLU(Module):
    def forward(self, x):
        return x * (x > 0)


class Sequential(Module):
    def __init__(self, *modules):
        super().__init__()
        self._modules.update({str(i): module for i, module in enumerate(modules)})

    def forward(self, x):
        result = x
        for place in list(self._modules):
            result = self._modules[place](result)
        return result


# %% answer="layers" name="maximum_and_reduce"
import functools


class Linear(Module):
    def __init__(self, d_in, d_out, bias=True, *, rng):
        super().__init__()
        self.d_in, self.d_out = d_in, d_out
        self.weight = self.drawn(rng, d_out, d_in)
        self.bias = None
        if bias:
            self.bias = self.drawn(rng, d_out)

    def drawn(self, rng, *shape):
        numbers = (2 * rng.random(shape) - 1) / math.sqrt(self.d_in)
        return Parameter(cr.tensor(numbers, dtype=np.float32))

    def forward(self, x):
        return cr.linear(x, self.weight, self.bias)


class ReLU(Module):
    def forward(self, x):
        return cr.maximum(x, 0.0)


class Sequential(Module):
    def __init__(self, *modules):
        super().__init__()
        self.count = len(modules)
        for place in range(self.count):
            setattr(self, f"{place}", modules[place])

    def forward(self, x):
        children = [getattr(self, str(place)) for place in range(self.count)]
        return functools.reduce(lambda value, module: module(value), children, x)


# %% answer="blocks" name="relu_as_module"
class TwoLayerNet(Module):
    def __init__(self, D_in, H, D_out, *, rng):
        super().__init__()
        self.linear1, self.linear2 = Linear(D_in, H, rng=rng), Linear(H, D_out, rng=rng)
        self.relu = ReLU()

    def forward(self, x):
        h = self.linear1(x)
        h_relu = self.relu(h)
        return self.linear2(h_relu)


class ParallelBlock(Module):
    def __init__(self, D_in, D_out, *, rng):
        super().__init__()
        for name in ("linear1", "linear2"):
            setattr(self, name, Linear(D_in, D_out, rng=rng))
        self.relu = ReLU()

    def forward(self, x):
        h1, h2 = self.linear1(x), self.linear2(x)
        return self.relu(h1 * h2)


def parallel_net(D_in, H, D_out, *, rng):
    first = ParallelBlock(D_in, H, rng=rng)
    second = ParallelBlock(H, H, rng=rng)
    return Sequential(first, second, Linear(H, D_out, rng=rng))


# %% answer="blocks" name="subclass_of_sequential"
class TwoLayerNet(Module):
    def __init__(self, D_in, H, D_out, *, rng):
        super().__init__()
        self.sizes = D_in, H, D_out
        self.linear1 = Linear(D_in, H, rng=rng)
        self.linear2 = Linear(H, D_out, rng=rng)

    def forward(self, x):
        return self.linear2(cr.maximum(self.linear1(x), 0.0))


class ParallelBlock(TwoLayerNet):
    def __init__(self, D_in, D_out, *, rng):
        super().__init__(D_in, D_out, D_out, rng=rng)
        self.linear2 = Linear(D_in, D_out, rng=rng)

    def forward(self, x):
        out = self.linear2(x) * self.linear1(x)
        return out * (out > 0)


class ParallelNet(Sequential):
    pass


def parallel_net(D_in, H, D_out, *, rng):
    sizes = [D_in, H, H]
    blocks = [ParallelBlock(sizes[i], sizes[i + 1], rng=rng) for i in range(2)]
    blocks.append(Linear(H, D_out, rng=rng))
    return Sequential(*blocks)


# %% answer="hooks" name="dicts_with_numbers"
class Hooks:
    def __init__(self):
        super().__init__()
        self.hooks = {"pre": {}, "post": {}}
        self.count = 0

    def _add(self, kind, hook):
        self.count += 1
        self.hooks[kind][self.count] = hook
        return Handle(self.hooks[kind], self.count)

    def register_forward_pre_hook(self, hook):
        return self._add("pre", hook)

    def register_forward_hook(self, hook):
        return self._add("post", hook)

    def __call__(self, *args, **kwargs):
        for hook in tuple(self.hooks["pre"].values()):
            new = hook(self, args)
            if isinstance(new, tuple):
                args = new
            elif new is not None:
                args = (new,)
        out = self.forward(*args, **kwargs)
        for hook in tuple(self.hooks["post"].values()):
            new = hook(self, args, out)
            if new is not None:
                out = new
        return out


class Handle:
    def __init__(self, place, key):
        self.place, self.key = place, key

    def remove(self):
        self.place.pop(self.key, None)


# %% answer="hooks" name="closures"
import types


class Hooks:
    def __init__(self):
        super().__init__()
        self.__dict__["pre"], self.__dict__["post"] = [], []

    def register_forward_pre_hook(self, hook):
        return added(self.pre, hook)

    def register_forward_hook(self, hook):
        return added(self.post, hook)

    def __call__(self, *args, **kwargs):
        for (hook,) in self.pre[:]:
            answer = hook(self, args)
            args = args if answer is None else answer if type(answer) is tuple else (answer,)
        output = self.forward(*args, **kwargs)
        for (hook,) in self.post[:]:
            answer = hook(self, args, output)
            if answer is not None:
                output = answer
        return output


def added(hooks, hook):
    entry = [hook]
    hooks.append(entry)

    def remove():
        hooks[:] = [other for other in hooks if other is not entry]

    return types.SimpleNamespace(remove=remove)


# %% answer="carry" name="by_layers"
def to_torch(net):
    first, second = net.linear1, net.linear2
    twin = TorchTwoLayerNet(first.weight.shape[1], *first.bias.shape, *second.bias.shape)
    if first.weight.dtype == np.float64:
        twin = twin.double()
    with torch.no_grad():
        for layer, source in ((twin.linear1, first), (twin.linear2, second)):
            layer.weight.copy_(torch.tensor(source.weight.data))
            layer.bias.copy_(torch.tensor(source.bias.data))
    return twin


def from_torch(twin, net):
    with cr.no_grad():
        for name in ("linear1", "linear2"):
            layer, source = getattr(net, name), getattr(twin, name)
            layer.weight.copy_(source.weight.detach().numpy())
            layer.bias.copy_(source.bias.detach().numpy())


def to_keras(net):
    arrays = []
    for layer in (net.linear1, net.linear2):
        arrays.append(np.array(layer.weight.data.T))
        arrays.append(np.array(layer.bias.data))
    return arrays


def from_keras(weights, net):
    kernel1, bias1, kernel2, bias2 = weights
    with cr.no_grad():
        net.linear1.weight.copy_(kernel1.T)
        net.linear1.bias.copy_(bias1)
        net.linear2.weight.copy_(kernel2.T)
        net.linear2.bias.copy_(bias2)


# %% answer="carry" name="one_dict"
def to_torch(net):
    state = net.state_dict()
    w1, w2 = state["linear1.weight"], state["linear2.weight"]
    twin = TorchTwoLayerNet(w1.shape[1], w1.shape[0], w2.shape[0])
    twin.to(getattr(torch, str(w1.dtype)))
    twin.load_state_dict({k: torch.from_numpy(v.data) for k, v in state.items()})
    return twin


def from_torch(twin, net):
    return net.load_state_dict(
        {k: v.detach().clone().numpy() for k, v in twin.state_dict().items()}
    )


def to_keras(net):
    return [np.ascontiguousarray(np.transpose(v.data)) + 0.0 for v in net.state_dict().values()]


def from_keras(weights, net):
    names = list(net.state_dict())
    net.load_state_dict(
        {n: cr.tensor(np.transpose(w).copy()) for n, w in zip(names, weights, strict=True)}
    )


# %% answer="registry" name="in_two_passes"
class Registry(Store):
    def __setattr__(self, name, value):
        homes = [
            k for k, t in (("_parameters", Parameter), ("_modules", Store)) if isinstance(value, t)
        ]
        inside = [
            k for k in ("_parameters", "_modules", "_buffers") if name in vars(self).get(k, ())
        ]
        if not homes and not inside:
            super().__setattr__(name, value)
        elif homes and "_modules" not in vars(self):
            raise AttributeError("call super().__init__() first")
        elif homes and inside != homes:
            if name in vars(self) or inside:
                delattr(self, name)
            vars(self)[homes[0]][name] = value
        elif homes or value is None or (inside == ["_buffers"] and isinstance(value, cr.Tensor)):
            vars(self)[inside[0]][name] = value
        else:
            raise TypeError(f"cannot set {name!r}")

    def __getattr__(self, name):
        for k in KINDS:
            try:
                return vars(self)[k][name]
            except KeyError:
                pass
        raise AttributeError(f"'{self.__class__.__name__}' object has no attribute '{name}'")


# %% answer="registry" name="chain_map"
class Registry(Store):
    def __setattr__(self, name, value):
        d = self.__dict__
        old = registered(self, name)
        if isinstance(value, Parameter):
            home = "_parameters"
        elif isinstance(value, Store):
            home = "_modules"
        elif old:
            home = old
            if value is not None and not isinstance(value, KINDS[old]):
                raise TypeError(f"{name} is in {old}; cannot take a {type(value).__name__}")
        else:
            return object.__setattr__(self, name, value)
        if home not in d:
            raise AttributeError(f"cannot set {name} before super().__init__()")
        if old != home:
            if old:
                del d[old][name]
            d.pop(name, None)
        d[home][name] = value

    def __getattr__(self, name):
        from collections import ChainMap

        found = ChainMap(*(self.__dict__.get(k, {}) for k in KINDS))
        if name not in found:
            raise AttributeError(f"{type(self).__qualname__}.{name}")
        return found[name]


# %% answer="walks" name="memo_handed_down"
class Walks:
    def named_modules(self, memo=None, prefix=""):
        memo = set() if memo is None else memo
        if self in memo:
            return
        memo.add(self)
        yield prefix, self
        for name, module in self._modules.items():
            if module is not None:
                yield from module.named_modules(memo, prefix + ("." if prefix else "") + name)

    def _named_members(self, get):
        memo = set()
        for prefix, module in self.named_modules():
            for k, v in get(module).items():
                if v is None or id(v) in memo:
                    continue
                memo.add(id(v))
                yield prefix + ("." if prefix else "") + k, v

    def named_parameters(self):
        yield from self._named_members(lambda m: m._parameters)

    def named_buffers(self):
        yield from self._named_members(lambda m: m._buffers)


# %% answer="walks" name="lists_and_is"
class Walks:
    def named_modules(self):
        found, stack = [], [([], self)]
        while stack:
            path, m = stack.pop(0)
            if m is None or any(m is other for _, other in found):
                continue
            found.append((".".join(path), m))
            stack = [([*path, n], c) for n, c in m._modules.items()] + stack
        return found

    def named_parameters(self):
        found = []
        for path, m in self.named_modules():
            for n, p in m._parameters.items():
                if p is not None and not any(p is q for _, q in found):
                    found.append([".".join(filter(None, [path, n])), p])
        return iter(found)

    def named_buffers(self):
        found = {}
        for path, m in self.named_modules():
            for n, p in m._buffers.items():
                if p is not None and all(p is not q for q in found.values()):
                    found[".".join(filter(None, [path, n]))] = p
        return found.items()


# %% answer="modes" name="stack_reversed"
class Modes:
    def train(self, mode=True):
        for _, m in self.named_modules():
            m.training = mode
        return self

    def eval(self):
        return self.train(False)

    def apply(self, fn):
        order, stack = [], [self]
        while stack:
            m = stack.pop()
            order.append(m)
            stack += [c for c in m._modules.values() if c is not None]
        for m in reversed(order):
            fn(m)
        return self


def he(module, rng):
    w = module._parameters.get("weight")
    if w is None or w.ndim != 2:
        return
    b = module._parameters.get("bias")
    with cr.no_grad():
        w.copy_(rng.normal(0, math.sqrt(2 / w.shape[1]), size=w.shape))
        if b is not None:
            b.zero_()


# %% answer="state" name="walk_of_its_own"
from collections import OrderedDict


class State:
    def _tensors(self, prefix):
        yield from (
            (prefix + k, v)
            for k, v in {**self._parameters, **self._buffers}.items()
            if v is not None
        )
        for k, m in self._modules.items():
            if m is not None:
                yield from m._tensors(prefix + k + ".")

    def state_dict(self, prefix=""):
        return OrderedDict((k, v.detach()) for k, v in self._tensors(prefix))

    def load_state_dict(self, state, strict=True):
        own = dict(self._tensors(""))
        missing = list(filter(lambda k: k not in state, own))
        unexpected = list(filter(lambda k: k not in own, state))
        problems = []
        for k in own:
            if k in state and tuple(state[k].shape) != tuple(own[k].shape):
                problems.append(f"{k}: shape {state[k].shape} in the state, {own[k].shape} here")
        if strict:
            problems += [f"{k} is missing" for k in missing] + [
                f"{k} is unexpected" for k in unexpected
            ]
        if problems:
            raise cr.StateError("cannot load: " + "; ".join(problems))
        for k, t in own.items():
            if k in state:
                v = state[k]
                np.copyto(t.data, v.data if isinstance(v, cr.Tensor) else v, casting="same_kind")
        return missing, unexpected


# %% answer="layers" name="reduced"
class Linear(Module):
    def __init__(self, d_in, d_out, bias=True, *, rng):
        super().__init__()
        k = 1 / math.sqrt(d_in)
        self.weight = Parameter(cr.tensor(rng.uniform(-k, k, (d_out, d_in)), dtype="float32"))
        self.bias = (
            Parameter(cr.tensor(rng.uniform(-k, k, d_out), dtype="float32")) if bias else None
        )

    def forward(self, x):
        y = x @ self.weight.T
        return y if self.bias is None else y + self.bias


class ReLU(Module):
    def forward(self, x):
        return cr.relu(x)


class Sequential(Module):
    def __init__(self, *modules):
        super().__init__()
        for i, m in enumerate(modules):
            setattr(self, str(i), m)

    def forward(self, x):
        from functools import reduce

        return reduce(lambda value, i: getattr(self, str(i))(value), range(len(self._modules)), x)


# %% answer="layers" name="relu_by_mask"
class Linear(Module):
    def __init__(self, d_in, d_out, bias=True, *, rng):
        super().__init__()
        k = 1 / math.sqrt(d_in)
        self.weight = Parameter(cr.tensor(rng.uniform(-k, k, (d_out, d_in)), dtype="float32"))
        self.bias = (
            Parameter(cr.tensor(rng.uniform(-k, k, d_out), dtype="float32")) if bias else None
        )

    def forward(self, x):
        y = x @ self.weight.T
        return y if self.bias is None else y + self.bias


class ReLU(Module):
    def forward(self, x):
        return x * (x > 0)


class Sequential(Module):
    def __init__(self, *modules):
        super().__init__()
        for i, m in enumerate(modules):
            setattr(self, str(i), m)

    def forward(self, x):
        for m in self._modules.values():
            x = m(x)
        return x


# %% answer="blocks" name="base_class"
class Pair(Module):
    def __init__(self, first, second):
        super().__init__()
        self.linear1, self.linear2 = first, second


class TwoLayerNet(Pair):
    def __init__(self, D_in, H, D_out, *, rng):
        super().__init__(Linear(D_in, H, rng=rng), Linear(H, D_out, rng=rng))

    def forward(self, x):
        return self.linear2(cr.maximum(self.linear1(x), 0))


class ParallelBlock(Pair):
    def __init__(self, D_in, D_out, *, rng):
        super().__init__(*(Linear(D_in, D_out, rng=rng) for _ in "12"))

    def forward(self, x):
        y = self.linear2(x) * self.linear1(x)
        return y * (y > 0)


def parallel_net(D_in, H, D_out, *, rng):
    blocks = [ParallelBlock(a, b, rng=rng) for a, b in ((D_in, H), (H, H))]
    return Sequential(*blocks, Linear(H, D_out, rng=rng))


# %% answer="hooks" name="lists_replaced"
from types import SimpleNamespace


class Hooks:
    def __init__(self):
        super().__init__()
        self.pre_hooks, self.forward_hooks = [], []

    def _add(self, kind, hook):
        entry = [hook]
        setattr(self, kind, [*getattr(self, kind), entry])

        def remove():
            setattr(self, kind, [e for e in getattr(self, kind) if e is not entry])

        return SimpleNamespace(remove=remove)

    def register_forward_pre_hook(self, hook):
        return self._add("pre_hooks", hook)

    def register_forward_hook(self, hook):
        return self._add("forward_hooks", hook)

    def __call__(self, *args, **kwargs):
        for (hook,) in self.pre_hooks:
            new = hook(self, args)
            if new is None:
                continue
            args = new if type(new) is tuple else (new,)
        output = self.forward(*args, **kwargs)
        for (hook,) in self.forward_hooks:
            new = hook(self, args, output)
            output = output if new is None else new
        return output


# %% answer="hooks" name="handle_is_the_key"
class Hooks:
    def __init__(self):
        super().__init__()
        self.pre_hooks, self.forward_hooks = {}, {}
        self.count = 0

    def _add(self, hooks, hook):
        class Handle:
            def remove(handle):
                hooks.pop(handle, None)

        handle = Handle()
        hooks[handle] = hook
        return handle

    def register_forward_pre_hook(self, hook):
        return self._add(self.pre_hooks, hook)

    def register_forward_hook(self, hook):
        return self._add(self.forward_hooks, hook)

    def __call__(self, *args, **kwargs):
        for h in list(self.pre_hooks.values()):
            r = h(self, args)
            if r is not None:
                args = r if isinstance(r, tuple) else (r,)
        out = self.forward(*args, **kwargs)
        for h in list(self.forward_hooks.values()):
            r = h(self, args, out)
            if r is not None:
                out = r
        return out


# %% answer="carry" name="arrays_only"
NAMES = ["linear1.weight", "linear1.bias", "linear2.weight", "linear2.bias"]


def to_torch(net):
    a, b = net.linear1, net.linear2
    twin = TorchTwoLayerNet(a.weight.shape[1], a.weight.shape[0], b.weight.shape[0])
    if a.weight.data.dtype == np.float64:
        twin = twin.double()
    with torch.no_grad():
        for mine, theirs in ((a, twin.linear1), (b, twin.linear2)):
            theirs.weight.copy_(torch.from_numpy(mine.weight.data))
            theirs.bias.copy_(torch.from_numpy(mine.bias.data))
    return twin


def from_torch(twin, net):
    for p, q in zip(net.parameters(), twin.parameters()):
        p.data[...] = q.detach().numpy()


def to_keras(net):
    return [np.array(p.data.T) for p in net.parameters()]


def from_keras(weights, net):
    for p, w in zip(net.parameters(), weights):
        p.data[...] = np.transpose(w)
