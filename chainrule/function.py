"""Operations that users define: `Function`, with a forward and a backward of their own.

>>> import chainrule as cr
>>> class Square(cr.Function):
...     @staticmethod
...     def forward(ctx, x):
...         ctx.save_for_backward(x)
...         return x * x
...
...     @staticmethod
...     def backward(ctx, g):
...         (x,) = ctx.saved_tensors
...         return 2 * x * g
>>> x = cr.tensor([1.0, 3.0], requires_grad=True)
>>> Square.apply(x).sum().backward()
>>> x.grad
tensor([2., 6.])
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from chainrule.errors import BackwardError, DTypeError
from chainrule.tape import MODE, Like, Node, Plan, Value, set_grad_enabled, wrap, wrap_made


class Context:
    """What a forward hands to its backward; anything else may be written on it too.

    Attributes:
        needs_input_grad: For each argument of `apply`, whether its gradient is needed.
    """

    def __init__(self, needs: tuple[bool, ...]) -> None:
        self.needs_input_grad = needs
        self._kept: tuple[Any, ...] = ()
        self._fixed: tuple[Any, ...] = ()
        self._outputs: list[Like] = []

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep inputs or outputs (or None) for `saved_tensors`; in-place changes are noticed."""
        self._kept = tensors

    def mark_non_differentiable(self, *outputs: Any) -> None:
        """Say that these outputs have no gradient."""
        self._fixed = outputs

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """What `save_for_backward` kept."""
        return self._kept


class _Parts(list[Any]):
    """The gradients of several outputs, None where none has arrived; parts add up one by one."""

    shape = dtype = base = None  # there is nothing to fit

    def __add__(self, other: Any) -> _Parts:
        pairs = zip(self, other, strict=True)
        return _Parts(b if a is None else a if b is None else a + b for a, b in pairs)


class _FunctionNode(Node):
    """The node of a user's function: `saved` is its context, one call gives all gradients.

    An output that the context kept is written there as (index, array): the tensor itself holds
    this node, and would tie a knot.
    """

    __slots__ = ()

    def pullback(self, upstream: Any, create_graph: bool) -> list[Any]:
        """Return the gradient for each parent, by the user's backward."""
        ctx, op = self.saved, self.plan.op
        parts = upstream if type(upstream) is _Parts else [upstream]
        gradients = []
        for g, like in zip(parts, ctx._outputs, strict=True):
            g = np.zeros(like.shape, like.dtype) if g is None else g
            gradients.append(g if isinstance(g, Value) else wrap(g))
        kept = ctx._kept
        ctx._kept = tuple(self._output(*k) if type(k) is tuple else k for k in kept)
        try:
            found = op.function.backward(ctx, *gradients)
        finally:
            ctx._kept = kept
        if isinstance(found, list):
            raise BackwardError(f"{op.name}.backward returned a list: give a tuple")
        found = found if isinstance(found, tuple) else (found,)
        if len(found) != len(ctx.needs_input_grad):
            raise BackwardError(
                f"{op.name}.backward returned {len(found)} gradients for the "
                f"{len(ctx.needs_input_grad)} arguments of apply; give None where there is none"
            )
        return [_as(found[i], create_graph) for i in self.plan.needed]

    def _output(self, index: int, array: np.ndarray) -> Any:
        """Return a kept output as a tensor that this node made."""
        single = len(self.saved._outputs) == 1
        return wrap_made(array, self if single else _pick(self, index, wrap(array)))


class _PickNode(Node):
    """One of several outputs: takes its gradient to its place among the parts."""

    __slots__ = ()

    def pullback(self, upstream: Any, create_graph: bool) -> list[Any]:
        """Return the parts with only this one filled."""
        index, count = self.options["index"], self.options["count"]
        return [_Parts(upstream if i == index else None for i in range(count))]


def _pick(hub: Node, index: int, out: Any) -> Node:
    plan = Plan(hub.plan.op, [0], [], [None])
    count = len(hub.saved._outputs)
    return _PickNode(plan, [SimpleNamespace(node=hub)], [], out, {"index": index, "count": count})


def _as(g: Any, tensors: bool) -> Any:
    """Return a gradient as a tensor or as an array."""
    if g is None or isinstance(g, Value) == tensors:
        return g
    return wrap(np.asarray(g)) if tensors else np.array(g.data)


class _Named:
    """What stands for a user's function where the table's operations have a `Primitive`."""

    view = False

    def __init__(self, function: type[Function]) -> None:
        self.function, self.name = function, function.__name__


class Function:
    """An operation with a backward of its own: subclass, write both, call `apply`.

    `forward(ctx, *args)` gets the arguments of `apply`; what it does to tensors is not recorded.
    `backward(ctx, *gradients)` gets one gradient for each output and returns one for each argument
    of `apply`, None where there is none. It works on tensors, so that second derivatives follow.
    """

    @staticmethod
    def forward(ctx: Context, *args: Any) -> Any:
        """Return a tensor, or a tuple of tensors."""
        raise NotImplementedError("a Function needs a forward")

    @staticmethod
    def backward(ctx: Context, *gradients: Any) -> Any:
        """Return the gradient of each argument of `apply`."""
        raise NotImplementedError("a Function needs a backward")

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """Run `forward` and record it as one node.

        Raises:
            DTypeError: `forward` returned something else than tensors.
        """
        tracked = MODE.recording
        needs = tuple(tracked and isinstance(a, Value) and a.requires_grad for a in args)
        ctx = Context(needs)
        with set_grad_enabled(False):
            result = cls.forward(ctx, *args)
        results = result if isinstance(result, tuple) else (result,)
        for r in results:
            if not isinstance(r, Value):
                raise DTypeError(
                    f"{cls.__name__}.forward returned {type(r).__name__}, not a tensor"
                )
        outs = tuple(_fresh(r) for r in results)
        if any(needs):
            _record(cls, ctx, args, results, outs)
        return outs if isinstance(result, tuple) else outs[0]


def _fresh(x: Any) -> Any:
    """Return another tensor of the same memory: an output may be an input, or be kept."""
    out = wrap(x.data)
    out.cell = x.cell
    return out


def _record(cls: type[Function], ctx: Context, args: Any, results: Any, outs: Any) -> None:
    """Make the node of one call, and tie the outputs to it."""
    needed = [i for i, need in enumerate(ctx.needs_input_grad) if need]
    node = _FunctionNode(Plan(_Named(cls), needed, [], [None]), args, [], outs[0], {})
    ctx._outputs = [Like(out.shape, out.dtype) for out in outs]
    places = {id(r): i for i, r in enumerate(results)}
    node.cells.extend(k.cell for k in ctx._kept if isinstance(k, Value))
    inputs = {id(a) for a in args}
    ctx._kept = tuple(
        (places[id(k)], k.data) if id(k) in places and id(k) not in inputs else k for k in ctx._kept
    )
    node.saved = ctx
    fixed = {id(f) for f in ctx._fixed}
    for i, (r, out) in enumerate(zip(results, outs, strict=True)):
        if id(r) not in fixed and out.data.dtype.kind == "f":
            out.node = node if len(outs) == 1 else _pick(node, i, out)
            out.requires_grad = True
    if len(outs) > 1:
        node.shape, node.dtype = None, None  # its gradient is a list of parts
