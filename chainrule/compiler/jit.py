"""`jit`: run a function once, write down what it did, and replay that from then on.

>>> import chainrule as cr
>>> from chainrule.compiler.jit import jit
>>> w = cr.tensor([1.0, 2.0], requires_grad=True)
>>> @jit
... def step(x):
...     loss = ((x * w).sum() - 1.0) ** 2
...     w.grad = None
...     loss.backward()
...     with cr.no_grad():
...         w.sub_(w.grad, alpha=0.1)
...     return loss
>>> [round(step(cr.tensor([1.0, 1.0])).item(), 4) for _ in range(3)]
[4.0, 1.44, 0.5184]
>>> step.traces
1

What may change from call to call: the numbers in tensors that are passed in, and in tensors that
the function takes from outside. Anything else that it depends on is guarded; where a guard fails,
it is traced again.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from chainrule.compiler.passes import optimize
from chainrule.compiler.replay import Replay
from chainrule.compiler.trace import Tracer, tracing
from chainrule.dtypes import get_default_dtype
from chainrule.errors import TraceError
from chainrule.program import Program
from chainrule.tape import MODE, TRACE, Value, note_change, wrap

LIMIT = 64  # traces of one function


class Traced:
    """One trace of a function, ready to be replayed.

    Attributes:
        program: What the function does, after the passes.
        replay: The same as a list of calls.
    """

    def __init__(self, tracer: Tracer, results: list[Any], shape: Any) -> None:
        program, self.leaves, self.changed = tracer.finish(results)
        captured = list(tracer.captured.values())
        self.captured = [(t, t.data, t.requires_grad) for t, _ in captured]
        state = {program.steps[p].options["variable"]: t.data for t, p in captured}
        examples = {n: np.zeros(s.shape, s.dtype) for n, s in fed(program)}
        self.program = optimize(program)
        self.count, self.shape = len(results), shape
        self.replay = Replay(self.program, examples, state, tracer.generators)
        self.fed = list(self.replay.fed.items())

    def fits(self) -> bool:
        """Return whether the tensors from outside still have the memory that they had."""
        for tensor, array, grad in self.captured:
            if tensor.data is not array or tensor.requires_grad is not grad:
                return False
        return True

    def __call__(self, given: dict[str, Any]) -> Any:
        """Run on new arguments; set gradients and note changes as the function would."""
        for name, buffer in self.fed:
            np.copyto(buffer, given[name].data)
        self.replay.run()
        values = self.replay._fetched
        for leaf, value in zip(self.leaves, values[self.count :], strict=False):
            leaf.grad = wrap(value.copy())
        for tensor in self.changed:
            note_change(tensor.cell)
        return rebuilt(self.shape, iter([wrap(v.copy()) for v in values[: self.count]]))


def fed(program: Program) -> Iterator[tuple[str, Any]]:
    """Give the name and step of each feed."""
    return ((name, program.steps[place]) for name, place in program.feeds.items())


class Jit:
    """A function that is traced when it is first called, and replayed afterwards.

    Attributes:
        traces: How often it was traced.
        program: What the latest trace does.

    >>> import chainrule as cr
    >>> f = cr.jit(lambda x: x.exp())
    >>> f(cr.zeros(2))
    tensor([1., 1.])
    >>> print(f.program)
    0  x_0_0 = placeholder             (2,) float32
    1  exp_1 = exp(x_0_0)              (2,) float32
    fetch exp_1
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function)
        self.function = function
        self.traces = 0
        self.program: Program | None = None
        self._cache: dict[Any, list[Traced]] = {}
        self._names = list(names_of(function))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function, or replay what it did when it was called with such arguments."""
        if TRACE:
            return self.function(*args, **kwargs)
        tensors: dict[str, Any] = {}
        key = (
            describe((args, kwargs), tensors) if args or kwargs else None,
            tuple([settings(read()) for read in self._names]),
            MODE.recording,
            get_default_dtype(),
        )
        for traced in self._cache.get(key, ()):
            if traced.fits():
                return traced(tensors)
        return self._trace(key, tensors, args, kwargs)

    def _trace(self, key: Any, tensors: dict[str, Any], args: Any, kwargs: Any) -> Any:
        self.traces += 1
        if self.traces > LIMIT:
            raise TraceError(
                f"{self.__name__} was traced {LIMIT} times: something that it depends on changes "  # type: ignore[attr-defined]
                "from call to call; pass it as a tensor"
            )
        with tracing(Tracer()) as tracer:
            for name, x in tensors.items():
                if x.requires_grad:
                    raise TraceError(
                        "an argument requires gradients; pass data as arguments, and let the "
                        "function take parameters from outside"
                    )
                tracer.feed(name, x)
            out = self.function(*args, **kwargs)
        flat: list[Any] = []
        shape = flattened(out, flat)
        traced = Traced(tracer, flat, shape)
        self.program = traced.program
        self._cache.setdefault(key, []).append(traced)
        return rebuilt(shape, iter([x.detach() for x in flat]))


def jit(function: Callable[..., Any]) -> Jit:
    """Return a function that is traced once and replayed from then on.

    Args:
        function: Takes tensors that need no gradient, Python values, and containers of them. It may
            use tensors from outside, call `backward`, set `.grad`, and change tensors in place.

    The first call runs the function as it is. Later calls with the same shapes, dtypes and Python
    values run the recorded program: one flat list of NumPy calls. Returned tensors are detached.

    Raises:
        TraceError: The function asks for a number behind a tensor, changes a view in place, adds
            to a gradient from before the call, or does not settle on a few traces.

    >>> import chainrule as cr
    >>> double = cr.jit(lambda x: x * 2.0)
    >>> double(cr.ones(2)), double(cr.full((2,), 3.0))
    (tensor([2., 2.]), tensor([6., 6.]))
    """
    return Jit(function)


# ------------------------------------------------------------------------------------------ guards


def describe(value: Any, tensors: dict[str, Any], path: str = "x") -> Any:
    """Return what about an argument must stay the same, and collect its tensors by name."""
    if isinstance(value, Value):
        tensors[path] = value
        return value.data.shape, value.data.dtype
    if isinstance(value, np.ndarray):
        raise TraceError("a traced function takes tensors, not arrays: pass chainrule.tensor(x)")
    if isinstance(value, list | tuple):
        return type(value), *(describe(v, tensors, f"{path}_{i}") for i, v in enumerate(value))
    if isinstance(value, dict):
        return tuple((k, describe(v, tensors, f"{path}_{k}")) for k, v in value.items())
    return settings(value)


def names_of(function: Any) -> Iterator[Callable[[], Any]]:
    """Give a way to read each name that a function takes from outside, and its own object."""
    if isinstance(function, types.MethodType):
        yield partial(getattr, function, "__self__")
        function = function.__func__
    code = getattr(function, "__code__", None)
    if code is None:
        return
    for cell in function.__closure__ or ():
        yield partial(getattr, cell, "cell_contents", None)
    for name in code.co_names:
        yield partial(function.__globals__.get, name)


PLAIN = (int, float, str, bool, type(None))
FIXED = (types.FunctionType, types.ModuleType, type, types.BuiltinFunctionType)


def settings(value: Any) -> Any:
    """Return what a trace bakes in of a value: plain ones whole, modules' and optimizers' modes."""
    kind = type(value)
    if kind in PLAIN:
        return kind, value
    if kind in FIXED or kind is Value.kind or kind is dict:
        return id(value)
    if kind in (list, tuple):
        return tuple(settings(v) for v in value)
    if hasattr(value, "param_groups"):
        return id(value), *(
            (name, option)
            for group in value.param_groups
            for name, option in group.items()
            if name != "params" and isinstance(option, (*PLAIN, tuple))
        )
    if callable(getattr(value, "modules", None)):
        return id(value), *(m.training for m in value.modules())
    return id(value)


# ------------------------------------------------------------------------- what a function returns


def flattened(value: Any, tensors: list[Any]) -> Any:
    """Return the structure of a result, with its tensors taken out."""
    if isinstance(value, Value):
        tensors.append(value)
        return Value
    if isinstance(value, list | tuple):
        return type(value), [flattened(v, tensors) for v in value]
    if isinstance(value, dict):
        return dict, {k: flattened(v, tensors) for k, v in value.items()}
    if isinstance(value, PLAIN):
        return "plain", value
    raise TraceError(f"a traced function returns tensors, numbers and containers, not {value!r}")


def rebuilt(shape: Any, tensors: Iterator[Any]) -> Any:
    """Return a result of a structure."""
    if shape is Value:
        return next(tensors)
    kind, inner = shape
    if kind == "plain":
        return inner
    if kind is dict:
        return {k: rebuilt(v, tensors) for k, v in inner.items()}
    return kind([rebuilt(v, tensors) for v in inner])
