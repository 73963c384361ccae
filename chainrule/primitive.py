"""The one table of operations, and what a call to one of them does.

A primitive is a function of NumPy arrays. Beside it stand its rules, one for each input, that carry
a gradient of the output back to that input (vector-Jacobian products):

    @primitive(shape=broadcast)
    def multiply(x: Array, y: Array, /) -> Array:
        return x * y

    @vjp(multiply, "x")
    def multiply_x(g: Array, out: None, x: None, y: Array) -> Array:
        return g * y

* What stands before the slash is data, what stands after it says how (axis, stride, ...).
* A rule gets the gradient of the output, the output and the inputs, and the options by name. Its
  annotations say what to keep for it: `Array` the value, `Like` shape and dtype, `None` nothing.
* Rules are written with operators and functions of this table only. So one rule runs on arrays (the
  first derivative), on tensors (the second) and on the nodes of a static graph.
* Rules of broadcasting operations ignore broadcasting: a gradient that comes out larger than its
  input is summed down to it in one place, `sweep.fit`.

`TABLE` maps names to `Primitive` records. Every way of running a program reads it.
"""

from __future__ import annotations

import inspect
import weakref
from collections.abc import Callable
from functools import partial, wraps
from typing import Any, TypeVar

import numpy as np

from chainrule.dtypes import FLOAT64, settle
from chainrule.errors import AxisError, ShapeError
from chainrule.tape import MODE, TRACE, VIEWS, Like, Node, Plan, Value, wrap

F = TypeVar("F", bound=Callable[..., Any])

TABLE: dict[str, Primitive] = {}

#: Types whose calls are written down by somebody else: a static graph, a tracer.
RECORDERS: dict[type, Callable[..., Any]] = {}

KEPT = {"Array": True, "Like": False, "None": None}
SPELLINGS = {"dim": "axis", "keepdim": "keepdims", "dims": "axis"}


class Primitive:
    """One entry of the table.

    Attributes:
        name: The public name.
        forward: The function of arrays.
        rules: For each input its vector-Jacobian product, or None where there is no gradient.
        shape: From inputs (as `Like`) and options to the output's shape; raises ShapeError.
        dtype: The same for the dtype; None means that of the inputs, promoted.
        flops: From the output and inputs (as `Like`) and options to a number of operations.
        view: Whether the output may share memory with the first input.
    """

    def __init__(self, forward: Callable[..., Any], **record: Any) -> None:
        self.name = forward.__name__
        self.forward = forward
        self.shape = record["shape"]
        self.dtype = record["dtype"]
        self.flops = record["flops"]
        self.view = record["view"]
        parameters = inspect.signature(forward).parameters.values()
        self.variadic = any(p.kind is p.VAR_POSITIONAL for p in parameters)
        self.inputs = [
            p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.VAR_POSITIONAL)
        ]
        self.options = {p.name: p.default for p in parameters if p.name not in self.inputs}
        self.rules: list[Any] = [None] * len(self.inputs)
        self.reach = 0  # a bit mask of the inputs that have a rule
        self.plans: dict[int, Plan] = {}

    def __repr__(self) -> str:
        return f"<primitive {self.name}({', '.join(self.inputs)})>"

    def bind(self, inputs: tuple[Any, ...], given: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """Return the inputs alone and every option by its own name."""
        options = {**self.options, **given}
        if len(options) == len(self.options) and (self.variadic or len(inputs) == len(self.inputs)):
            return inputs, options
        options = dict(self.options)
        if not self.variadic:
            if len(inputs) > len(self.inputs) + len(options):
                raise TypeError(f"{self.name} takes {len(self.inputs)} arrays: {self.inputs}")
            options.update(zip(options, inputs[len(self.inputs) :], strict=False))
            inputs = inputs[: len(self.inputs)]
        for name, value in given.items():
            name = SPELLINGS.get(name, name)
            if name not in options:
                raise TypeError(f"{self.name}: no argument is called {name!r}; {list(options)} are")
            options[name] = value
        return inputs, options

    def plan(self, needs: int, count: int) -> Plan:
        """Return what to do when those inputs need gradients whose bit is set in `needs`."""
        needed = [i for i in range(count) if needs >> i & 1]
        if self.variadic:  # one rule for all inputs
            rule = self.rules[0]
            out, each = (KEPT[ask] for ask in list(rule.__annotations__.values())[1:3])
            every = [partial(rule, index=i) for i in needed]
            return Plan(self, needed, every, [out] + [each] * count)
        rules = [self.rules[i] for i in needed]
        kept: list[Any] = [None] * (count + 1)
        for rule in rules:
            asks = list(rule.__annotations__.values())[1 : len(self.inputs) + 2]
            for place, ask in enumerate(asks):
                kept[place] = max(kept[place], KEPT[ask], key=(None, False, True).index)
        self.plans[needs] = plan = Plan(self, needed, rules, kept)
        return plan

    def cost(self, out: Any, *inputs: Any, **options: Any) -> tuple[int, int]:
        """Return the floating-point operations of one call, and the bytes that it must move."""
        arrays = [a for a in (out, *inputs) if hasattr(a, "shape")]
        moved = sum(int(np.prod(a.shape)) * np.dtype(a.dtype).itemsize for a in arrays)
        return int(self.flops(out, *inputs, **options)), moved

    def complaint(self, error: Exception, arrays: list[Any], options: dict[str, Any]) -> Exception:
        """Return the error to raise for what NumPy said about a call."""
        likes = [Like(np.shape(a), getattr(a, "dtype", None)) for a in arrays]
        try:
            self.shape(*likes, **options)
        except ShapeError as known:
            return type(known)(f"{self.name}: {known}")
        shapes = ", ".join(str(like.shape) for like in likes)
        kind = AxisError if isinstance(error, IndexError) else ShapeError
        return kind(f"{self.name} of shape {shapes} with {options}: {error}")


def primitive(
    *,
    shape: Callable[..., tuple[int, ...]],
    flops: Callable[..., int] = lambda out, *inputs, **options: int(np.prod(out.shape)),
    dtype: Callable[..., Any] | None = None,
    view: bool = False,
) -> Callable[[F], F]:
    """Enter a function of arrays into the table; it then takes tensors too and is recorded."""

    def define(forward: F) -> F:
        op = Primitive(forward, shape=shape, flops=flops, dtype=dtype, view=view)
        TABLE[op.name] = op
        call = wraps(forward)(caller(op))
        call.primitive = op  # type: ignore[attr-defined]
        return call  # type: ignore[return-value]

    return define


def vjp(of: Callable[..., Any], name: str) -> Callable[[F], F]:
    """Enter the rule for one input of a primitive, by the input's name."""
    op: Primitive = of.primitive  # type: ignore[attr-defined]

    def define(rule: F) -> F:
        place = op.inputs.index(name)
        op.rules[place] = rule
        op.reach |= -1 if op.variadic else 1 << place
        return rule

    return define


def caller(op: Primitive) -> Callable[..., Any]:
    """Return the function that runs `op` on whatever comes: arrays, tensors, symbols."""
    forward, takes_options, arity, view = op.forward, bool(op.options), len(op.inputs), op.view

    def call(*inputs: Any, **options: Any) -> Any:
        if takes_options or options or len(inputs) != arity:
            inputs, options = op.bind(inputs, options)
        arrays: list[Any] = []
        bit, needs = 1, 0
        first: Any = None
        for x in inputs:
            if isinstance(x, Value):
                arrays.append(x.data)
                if first is None:
                    first = x
                if x.requires_grad:
                    needs |= bit
            elif type(x) in RECORDERS:
                return RECORDERS[type(x)](op, inputs, options)
            else:
                arrays.append(x)
            bit += bit
        try:
            data = forward(*arrays, **options)
        except (ValueError, IndexError) as error:
            raise op.complaint(error, arrays, options) from None
        if first is None:
            return data
        if data.dtype is FLOAT64:
            arrays, data = settle(op, arrays, data, options)
        out = wrap(data)
        if TRACE:
            TRACE[-1].record(op, inputs, options, out)
        if view:
            share(first, out)
        if needs and needs & op.reach and MODE.recording and data.dtype.kind == "f":
            needs &= op.reach
            plan = op.plans.get(needs) or op.plan(needs, len(inputs))
            out.node = Node(plan, inputs, arrays, out, options)
            out.requires_grad = True
        return out

    return call


def share(x: Value, out: Value) -> None:
    """Give the output of a view operation its input's cell, if they do share memory."""
    base = x.data if x.data.base is None else x.data.base
    if out.data is x.data or out.data.base is base or out.data.base is x.data:
        out.cell = x.cell
        if x.cell[VIEWS] is None:
            x.cell[VIEWS] = []
        if x.requires_grad and MODE.recording:
            x.cell[VIEWS] = [v for v in x.cell[VIEWS] if v() is not None] + [weakref.ref(out)]
