"""Writing down what an eager function does: the calls it makes become the steps of a program.

The function runs as it always does, once, and every operation that it calls is recorded: forward,
backward and update. What the trace cannot see, or would bake in, raises TraceError.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from chainrule.errors import TraceError
from chainrule.ops.shared import broadcast, same
from chainrule.primitive import Primitive
from chainrule.program import At, Program, Step
from chainrule.tape import TRACE, Value, line_here, note_change


class Tracer:
    """The program of one call of a function, as it comes about.

    Attributes:
        steps: What has been recorded.
        captured: Tensors from outside of the function, with the place of each.
        generators: Random generators that the function draws from.
    """

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.captured: dict[int, tuple[Any, At]] = {}  # by the id of the tensor's array
        self.generators: list[np.random.Generator] = []
        self.feeds: dict[str, At] = {}
        self._places: dict[int, At] = {}  # the latest value of each array, by id
        self._arrays: list[np.ndarray] = []  # kept, so that no id is used twice
        self._stale: dict[int, str] = {}  # views of arrays that were changed in place
        self._grads: dict[int, Any] = {}  # gradients from before the call
        self._changed: dict[int, Any] = {}

    # ------------------------------------------------------------------------- what is written down

    def feed(self, name: str, x: Any) -> None:
        """Take a tensor as an argument of the function."""
        self.feeds[name] = self.add(Step("placeholder", (), {}, name), x.data)

    def record(
        self, op: Primitive, inputs: Sequence[Any], options: dict[str, Any], out: Any
    ) -> None:
        """Write down one call."""
        if len(self.steps) > 1_000_000:
            raise TraceError("the trace has over a million steps; trace one step of training")
        places = [self.place(x) for x in inputs]
        kind = out.data.dtype
        if kind.kind == "f" and op.dtype is None:  # the same dtypes in as `settle` chose
            each = op.shape in (same, broadcast)
            places = [
                self.cast(p, kind) if each or op.reach >> i & 1 else p for i, p in enumerate(places)
            ]
        self.add(Step(op.name, tuple(places), options, op.name.strip("_")), out.data)

    def add(self, step: Step, array: np.ndarray) -> At:
        """Append a step, with the array that it gave."""
        place = At(len(self.steps))
        what: dict[str, Any] = {
            "shape": array.shape,
            "dtype": array.dtype.name,
            "line": line_here(),
        }
        if step.op not in ("placeholder", "variable"):
            what["name"] = f"{step.name}_{int(place)}"
        self.steps.append(replace(step, **what))
        self._places[id(array)] = place
        self._arrays.append(array)
        return place

    def cast(self, place: Any, dtype: np.dtype) -> Any:
        """Return the place of a value in this dtype."""
        if not isinstance(place, At) or self.steps[place].dtype in (dtype.name, "bool"):
            return place
        shape = self.steps[place].shape
        return self.add(Step("cast", (place,), {"dtype": dtype}, "cast"), np.empty(shape, dtype))

    def place(self, x: Any) -> Any:
        """Return the place of an input; Python numbers stay what they are."""
        array = x.data if isinstance(x, Value) else x
        if not isinstance(array, np.ndarray | np.generic):
            return array
        if id(array) in self._stale:
            raise TraceError(
                f"a view is read after what it looks at was changed in place by "
                f"{self._stale[id(array)]}; take the view again"
            )
        known = self._places.get(id(array))
        if known is not None:
            return known
        if isinstance(x, Value):
            return self.capture(x)
        array = np.asarray(array)
        if array.base is not None and id(array.base) in self._places:
            raise TraceError(
                "an array was taken out of a tensor with .data and used again: the trace cannot "
                "follow it; use operations on the tensor itself"
            )
        return self.add(Step("constant", (), {"value": array.copy()}, "constant"), array)

    def capture(self, x: Any) -> At:
        """Take in a tensor from outside; its memory is read anew in every replay."""
        if id(x) in self._grads:
            raise TraceError(
                "a gradient from before the call is added to: "
                "set gradients to None inside the traced function, before backward"
            )
        if x.node is not None:
            raise TraceError(
                "a tensor from outside was recorded on the tape before: compute it inside the "
                "traced function, or detach it"
            )
        if x.grad is not None:
            self._grads[id(x.grad)] = x.grad
        name = f"captured_{len(self.captured)}"
        place = self.add(Step("variable", (), {"variable": name}, name), x.data)
        self.captured[id(x.data)] = (x, place)
        return place

    def change(self, x: Any, result: Any) -> None:
        """Write down that a tensor takes over a result in place."""
        self.place(x)
        np.copyto(x.data, np.broadcast_to(result.data, x.data.shape), casting="same_kind")
        note_change(x.cell)
        self.rename(x, result)

    def rename(self, x: Any, result: Any) -> None:
        """Let the memory of `x` stand for the value of `result` from now on."""
        base = x.data if x.data.base is None else x.data.base
        if base is not x.data and id(base) in self._places:
            raise TraceError("a view is changed in place: change the tensor that it was taken from")
        for array in self._arrays:
            if array is not x.data and (array.base is x.data or array is base):
                self._stale[id(array)] = line_here()
        place = self.cast(self.place(result), x.data.dtype)
        if self.steps[place].shape != x.data.shape:
            options = {"shape": x.data.shape}
            place = self.add(Step("expand", (place,), options, "expand"), np.empty(x.data.shape))
        self._places[id(x.data)] = place
        self._changed[id(x.data)] = x

    def draw(self, rng: np.random.Generator, drawn: np.ndarray) -> Any:
        """Write down that random numbers from 0 to 1 were drawn; return them as a tensor."""
        if not any(g is rng for g in self.generators):
            self.generators.append(rng)
        which = next(i for i, g in enumerate(self.generators) if g is rng)
        out = Value.kind(drawn)
        self.add(Step("random", (), {"kind": "uniform", "generator": which}, "random"), out.data)
        return out

    def leave(self, x: Any) -> None:
        """Refuse to let a traced value become a Python number or a plain array."""
        if id(x.data) in self._places or x.node is not None:
            raise TraceError(
                "the number behind a traced tensor was asked for (by item, bool, float, numpy, "
                "tensor(...) or as an index): the trace would keep it for ever; return the tensor, "
                "or use where, gather or embedding"
            )

    # ------------------------------------------------------------------------------- what comes out

    def finish(self, results: Sequence[Any]) -> tuple[Program, list[Any], list[Any]]:
        """Return the program, the tensors whose gradients it sets, and those that it changes.

        The program fetches the results, then those gradients, then assigns what was changed.
        """
        fetches = [self.place(r) for r in results]
        leaves = [t for t, _ in self.captured.values() if t.requires_grad and t.node is None]
        leaves = [t for t in leaves if t.grad is not None and id(t.grad) not in self._grads]
        fetches += [self.place(t.grad) for t in leaves]
        changed = [t for i, t in self._changed.items() if i in self.captured]
        for t in changed:
            for other, _ in self.captured.values():
                if other.data is not t.data and np.shares_memory(other.data, t.data):
                    raise TraceError("two tensors from outside share memory, and one is changed")
        for t in changed:
            place = self._places[id(t.data)]
            name = self.steps[self.captured[id(t.data)][1]].options["variable"]
            assign = Step("assign", (place,), {"variable": name}, "assign")
            fetches.append(self.add(assign, np.empty(t.data.shape, t.data.dtype)))
        return Program(self.steps, self.feeds, fetches), leaves, changed


def tracing(tracer: Tracer) -> Any:
    """Record every call inside this block."""
    return _Tracing(tracer)


class _Tracing:
    def __init__(self, tracer: Tracer) -> None:
        self.tracer = tracer

    def __enter__(self) -> Tracer:
        if TRACE:
            raise TraceError("a traced function cannot trace another one")
        TRACE.append(self.tracer)
        return self.tracer

    def __exit__(self, *exception: Any) -> None:
        TRACE.clear()
