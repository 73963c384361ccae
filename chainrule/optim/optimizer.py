"""`Optimizer`: parameters in groups, each with its options, and a rule that moves them.

>>> import chainrule as cr
>>> w = cr.nn.Parameter(cr.tensor([1.0, 2.0]))
>>> optimizer = cr.optim.SGD([w], lr=0.1)
>>> (w * w).sum().backward()
>>> optimizer.step()
>>> w
Parameter containing:
tensor([0.8000, 1.6000], requires_grad=True)
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import numpy as np

from chainrule.errors import DTypeError, OptionError, StateError
from chainrule.nn.parameter import clear_grad
from chainrule.optim.rules import SLOTS, Rule, slots
from chainrule.tape import TRACE, Value, note_change, set_grad_enabled
from chainrule.tensor import Tensor

PIECE = 32768  # numbers: what a rule makes on the way then stays in the cache

#: For each option the values that make sense: a test, and what it says in words.
LIMITS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "lr": (lambda v: v >= 0, "at least 0"),
    "momentum": (lambda v: v >= 0, "at least 0"),
    "weight_decay": (lambda v: v >= 0, "at least 0"),
    "lr_decay": (lambda v: v >= 0, "at least 0"),
    "eps": (lambda v: v >= 0, "at least 0"),
    "alpha": (lambda v: v >= 0, "at least 0"),
    "betas": (lambda v: len(v) == 2 and all(0 <= b < 1 for b in v), "two numbers in [0, 1)"),
}


class Optimizer:
    """The parent of all optimizers. A subclass names its rule, or writes a `step` of its own.

    Args:
        params: Tensors that require gradients; or dicts, each with "params" and options that differ
            from the defaults.
        defaults: The options, by name.

    Attributes:
        param_groups: A list of dicts: "params", and every option by its name.
        state: For each parameter a dict of what its rule remembers.

    Raises:
        OptionError: No parameters, one of them twice, or an option that makes no sense.
        DTypeError: Something is no tensor, or the result of an operation.

    >>> import chainrule as cr
    >>> class Plain(cr.optim.Optimizer):
    ...     def step(self):
    ...         with cr.no_grad():
    ...             for group in self.param_groups:
    ...                 for p in group["params"]:
    ...                     p -= group["lr"] * p.grad
    >>> w = cr.nn.Parameter(cr.tensor(1.0))
    >>> (3 * w).backward()
    >>> Plain([w], {"lr": 0.5}).step()
    >>> w.item()
    -0.5
    """

    rule: ClassVar[Any] = None

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]) -> None:
        if isinstance(params, Value):
            raise DTypeError("an optimizer takes a list of tensors or dicts, not one tensor")
        self.defaults = dict(defaults)
        self.param_groups: list[dict[str, Any]] = []
        self.state: defaultdict[Any, dict[str, Any]] = defaultdict(dict)
        given = list(params)
        if not given:
            raise OptionError("an optimizer needs parameters; this list is empty")
        for group in given if isinstance(given[0], dict) else [{"params": given}]:
            self.add_param_group(group)

    def add_param_group(self, group: dict[str, Any]) -> None:
        """Add parameters with their options; those not given are the defaults."""
        params = group["params"]
        params = [params] if isinstance(params, Value) else list(params)
        known = {id(p) for g in self.param_groups for p in g["params"]}
        for p in params:
            if not isinstance(p, Value):
                raise DTypeError(f"an optimizer moves tensors, not {type(p).__name__}")
            if p.node is not None:
                raise DTypeError("an optimizer moves leaves; this tensor is a recorded result")
            if id(p) in known:
                raise OptionError("a parameter appears more than once")
            known.add(id(p))
        options = {**self.defaults, **group, "params": params}
        self.check(options)
        self.param_groups.append(options)

    def check(self, options: dict[str, Any]) -> None:
        """Raise OptionError for an option that makes no sense."""
        for name, value in options.items():
            if name in LIMITS and not LIMITS[name][0](value):
                raise OptionError(
                    f"{type(self).__name__}: {name} is {LIMITS[name][1]}, not {value}"
                )
        if options.get("nesterov") and (options["momentum"] <= 0 or options["dampening"]):
            raise OptionError("nesterov needs a momentum and no dampening")

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget all gradients, or set them to zeros."""
        for p in self._all():
            clear_grad(p, set_to_none)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Move every parameter that has a gradient; the others, and their state, stay.

        Args:
            closure: Called first, to compute the loss and the gradients; or None.

        Returns:
            What the closure returned.
        """
        loss = None
        if closure is not None:
            with set_grad_enabled(True):
                loss = closure()
        with set_grad_enabled(False):
            for group in self.param_groups:
                for p in group["params"]:
                    if p.grad is not None:
                        self.move(p, group)
        return loss

    def move(self, p: Any, group: dict[str, Any]) -> None:
        """Take one step with one parameter."""
        rule, state = type(self).rule, self.state[p]
        names = slots(rule, group)
        for name in names:
            if name not in state:
                state[name] = Tensor(np.zeros_like(p.data))
        if names and "step" not in state:
            state["step"] = Tensor(np.zeros(()))
        if TRACE:
            moved(rule, p, state, group, names)
            return
        step = {"step": state["step"].data.item()} if names else {}
        run(rule, [p.data, p.grad.data, *[state[n].data for n in names]], names, step, group)
        for x in (p, *[state[n] for n in names]):
            note_change(x.cell)
        if names:
            state["step"].data += 1
            note_change(state["step"].cell)

    def _all(self) -> list[Any]:
        return [p for group in self.param_groups for p in group["params"]]

    # ------------------------------------------------------------------------------------- state

    def state_dict(self) -> dict[str, Any]:
        """Return options and state, each parameter by its number; the tensors share memory.

        Returns:
            A dict: "state" has for each number a dict of tensors by name, and "param_groups" is the
            list of groups with numbers in place of parameters.
        """
        number = {id(p): i for i, p in enumerate(self._all())}
        groups = [
            {**group, "params": [number[id(p)] for p in group["params"]]}
            for group in self.param_groups
        ]
        state = {number[id(p)]: dict(s) for p, s in self.state.items() if id(p) in number}
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over options and state, copied; training then goes on exactly.

        Args:
            state_dict: From `state_dict`, here or in PyTorch.

        Raises:
            StateError: Groups, numbers of parameters or shapes differ; nothing has changed then.
        """
        groups = state_dict["param_groups"]
        here = [len(g["params"]) for g in self.param_groups]
        there = [len(g["params"]) for g in groups]
        if here != there:
            raise StateError(
                f"the state has groups of {there} parameters, this optimizer of {here}"
            )
        owner = dict(zip((i for g in groups for i in g["params"]), self._all(), strict=True))
        known = {*SLOTS.get(type(self).rule, ()), "step"}
        state = {owner[i]: owned(s, owner[i], known) for i, s in state_dict["state"].items()}
        self.state = defaultdict(dict, state)
        for mine, theirs in zip(self.param_groups, groups, strict=True):
            mine.update({k: v for k, v in theirs.items() if k != "params"})

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for i, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {i}")
            lines += [f"    {k}: {group[k]}" for k in sorted(group) if k != "params"]
        return "\n".join([*lines, ")"])


def run(
    rule: Rule, arrays: list[Any], names: list[str], step: dict[str, Any], group: dict[str, Any]
) -> None:
    """Run a rule on arrays of one shape (parameter, gradient, state) and write the results there.

    Large ones are taken a piece at a time.
    """
    kept = [arrays[0], *arrays[2:]]
    flat = arrays[0].size > PIECE and all(a.flags.c_contiguous for a in kept)
    whole = [a.reshape(-1) for a in arrays] if flat else [a[...] for a in arrays]
    size = arrays[0].size if flat else 1
    for i in range(0, size, PIECE):
        p, g, *rest = [a[i : i + PIECE] for a in whole] if flat else whole
        new, state = rule(p, g, {**dict(zip(names, rest, strict=True)), **step}, group)
        p[...] = new
        for name, old in zip(names, rest, strict=True):
            old[...] = state[name]


def moved(rule: Rule, p: Any, state: dict[str, Any], group: Any, names: list[str]) -> None:
    """Do one step as operations on tensors, so that whoever traces writes them down."""
    new, after = rule(p, p.grad, state, group)
    TRACE[-1].change(p, new)
    for name in names:
        TRACE[-1].change(state[name], after[name])
    if names:
        TRACE[-1].change(state["step"], state["step"] + 1.0)


def owned(state: dict[str, Any], p: Any, known: set[str]) -> dict[str, Any]:
    """Return one parameter's state as tensors of its own; StateError if it cannot be used."""
    own: dict[str, Any] = {}
    for name, value in state.items():
        if value is None:  # PyTorch's SGD without a momentum
            continue
        if name not in known:
            raise StateError(f"{name!r} is nothing that this optimizer remembers: {sorted(known)}")
        array = np.asarray(value.data if isinstance(value, Tensor) else value).astype(np.float64)
        if array.ndim and array.shape != p.shape:
            raise StateError(
                f"{name} has shape {array.shape}, and its parameter has shape {p.shape}"
            )
        own[name] = Tensor(array if name == "step" else array.astype(p.dtype))
    if own:  # PyTorch's SGD counts no steps: only the first is unlike the others
        own.setdefault("step", Tensor(np.ones(())))
    return own
