"""Running a program over and over: one flat list of NumPy calls on buffers that are made once.

>>> import numpy as np
>>> from chainrule import graph
>>> from chainrule.compiler.replay import Replay
>>> with graph.Graph():
...     x = graph.placeholder("float32", (3,), name="x")
...     program = graph.lower([(x * 2.0).tanh().sum()])
>>> replay = Replay(program, {"x": np.zeros(3, "float32")})
>>> replay.names
['multiply', 'tanh', 'sum']
>>> replay({"x": np.ones(3, "float32")})
[array(2.8920827, dtype=float32)]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import groupby
from typing import Any

import numpy as np

from chainrule.compiler.kernels import Kernel, kernel
from chainrule.compiler.memory import LASTING, direct, plan
from chainrule.compiler.passes import unfuse
from chainrule.errors import FeedError, GraphError
from chainrule.primitive import TABLE
from chainrule.program import At, Program, Step
from chainrule.program.execute import Run, compute

Call = tuple[Kernel, tuple[Any, ...]]


class Replay:
    """A program ready to run.

    Args:
        program: Steps of the table, variables, assignments and random steps; no loops or branches.
        feeds: An example of each feed: shapes, and the values of the trial run.
        state: The arrays of the variables. They are read and, by assignments, written in place.
        generators: Where random steps draw from, by the number in their options.

    Attributes:
        calls: The list: a function, and its arguments, the last of which it writes to.
        names: The operation of each call.
        buffers: The plan of the memory.
        direct: The values that are written straight into a variable.

    >>> from chainrule import graph
    >>> with graph.Graph():
    ...     x = graph.placeholder("float32", (2,), name="x")
    ...     program = graph.lower([(x * 2.0).exp() * 0.5])
    >>> replay = Replay(program, {"x": np.zeros(2, "float32")})
    >>> replay.buffers.count
    1
    """

    def __init__(
        self,
        program: Program,
        feeds: Mapping[str, Any] | None = None,
        state: Mapping[str, np.ndarray] | None = None,
        generators: Sequence[np.random.Generator] = (),
    ) -> None:
        program, _ = unfuse(program)
        self.program, self.state, self.generators = program, dict(state or {}), generators
        tried, roots = self._try(feeds or {})
        self.direct = direct(program, roots)
        self.buffers = plan(program, roots, self.direct)
        self.fed = {n: np.array(tried[i]) for n, i in program.feeds.items()}
        self.calls: list[Call] = []
        self.names: list[str] = []
        self.values: list[Any] = []
        self._build(tried, roots)
        self._fetched = [self.values[i] for i in program.fetches]

    def __call__(self, feeds: Mapping[str, Any] | None = None) -> list[np.ndarray]:
        """Run, and return copies of what is fetched."""
        for name, buffer in self.fed.items():
            np.copyto(buffer, (feeds or {})[name])
        self.run()
        return [v.copy() for v in self._fetched]

    def run(self) -> None:
        """Do it: every call in turn."""
        for call, arguments in self.calls:
            call(*arguments)

    # ------------------------------------------------------------------------------- how it is made

    def _try(self, feeds: Mapping[str, Any]) -> tuple[list[Any], dict[int, int]]:
        """Run every step once; return the values, and for each view the place it looks at."""
        values: list[Any] = []
        roots: dict[int, int] = {}
        run = Run(self.state, np.random.default_rng(0))
        for place, step in enumerate(self.program.steps):
            inputs = [values[i] if isinstance(i, At) else i for i in step.inputs]
            if step.op == "assign":
                value = inputs[0]
                if value.shape != tuple(step.shape):
                    raise GraphError(f"{step.name!r} broadcasts; expand the value first")
            elif step.op in FIRST:
                value = FIRST[step.op](step, feeds, run)
            elif step.op in TABLE:
                value = compute(step, inputs)
            else:
                raise GraphError(f"a replay cannot hold {step.op!r} ({step.name})")
            value = value if isinstance(value, np.ndarray) else np.asarray(value)
            sources = [int(i) for i in step.inputs if isinstance(i, At)]
            for source in sources:
                if step.op not in FIRST and value.size and shares(value, values[source]):
                    roots[place] = roots.get(source, source)
            if step.op == "assign":
                roots[place] = roots.get(sources[0], sources[0])
            values.append(value)
        return values, roots

    def _build(self, tried: list[Any], roots: dict[int, int]) -> None:
        """Give every step its memory, and write down the calls."""
        memory = [np.empty(n, np.uint8) for n in self.buffers.sizes]
        last: list[Call] = []
        for place, step in enumerate(self.program.steps):
            inputs = [self.values[i] if isinstance(i, At) else i for i in step.inputs]
            if step.op == "placeholder":
                value = self.fed[step.name]
            elif step.op == "variable":
                value = self.state[step.options["variable"]]
            elif step.op == "constant":
                value = tried[place]
            elif step.op == "assign":
                value = inputs[0]
                if int(step.inputs[0]) not in self.direct:
                    last.append((np.copyto, (self.state[step.options["variable"]], value)))
            elif place in roots:
                value = compute(step, inputs)
            else:
                if place in self.direct:
                    value = self.state[self.direct[place]]
                else:
                    value = laid_out(memory[self.buffers.of[place]], tried[place])
                self.calls.append((self._kernel(step, inputs), (*inputs, value)))
                self.names.append(step.op)
            self.values.append(value)
        self.names += ["assign"] * len(last)
        self.calls, self.names = in_pieces([*self.calls, *last], self.names)

    def _kernel(self, step: Step, inputs: list[Any]) -> Kernel:
        if step.op == "random":
            return partial(draw, self.generators[step.options["generator"]])
        return kernel(step, inputs)


def fed(step: Step, feeds: Mapping[str, Any], run: Run) -> Any:
    """Return the example of a feed."""
    if step.name not in feeds:
        raise FeedError(f"{step.name!r} needs an example: shape {step.shape} and {step.dtype}")
    return np.asarray(feeds[step.name], step.dtype)


PIECE = 16384  # elements: several such pieces stay in a core's own cache


def in_pieces(calls: list[Call], names: list[str]) -> tuple[list[Call], list[str]]:
    """Cut runs of calls on large arrays into runs on pieces, each piece through all the calls.

    Element by element, the order of the pieces makes no difference, and a piece that was just
    written is read from the cache. Only arrays that lie alike in memory, and whole, take part.
    """
    done: list[Call] = []
    done_names: list[str] = []
    for pieceable, run in groupby(zip(calls, names, strict=True), lambda c: length(c[0])):
        part = list(run)
        if not pieceable or len(part) == 1:
            done += [c for c, _ in part]
            done_names += [n for _, n in part]
            continue
        for start in range(0, pieceable, PIECE):
            for (call, arguments), name in part:
                done.append((call, tuple(piece(a, start) for a in arguments)))
                done_names.append(name)
    return done, done_names


def length(call: Call) -> int:
    """Return how many elements a call works on, one by one; 0 if it may not be cut."""
    kernel, arguments = call
    arrays = [a for a in arguments if isinstance(a, np.ndarray)]
    if not isinstance(kernel, np.ufunc) or kernel.signature or arrays[-1].size < 2 * PIECE:
        return 0
    alike = all(a.shape == arrays[-1].shape and a.flags.c_contiguous for a in arrays)
    return arrays[-1].size if alike else 0


def piece(argument: Any, start: int) -> Any:
    """Return a piece of an array as a flat view; a number as it is."""
    if not isinstance(argument, np.ndarray):
        return argument
    return argument.reshape(-1)[start : start + PIECE]


#: What has a value before anything is computed.
FIRST: dict[str, Any] = {
    "placeholder": fed,
    "constant": lambda step, feeds, run: step.options["value"],
    "variable": lambda step, feeds, run: run.read(step.options["variable"], now=False),
    "random": lambda step, feeds, run: np.full(step.shape, 0.5, step.dtype),
}
assert set(FIRST) >= LASTING


def shares(a: np.ndarray, b: Any) -> bool:
    """Return whether two arrays look at the same memory."""
    return isinstance(b, np.ndarray) and np.may_share_memory(a, b)


def draw(rng: np.random.Generator, out: np.ndarray) -> None:
    """Fill an array with random numbers from 0 to 1."""
    rng.random(out=out, dtype=out.dtype.type)


def laid_out(memory: np.ndarray, like: np.ndarray) -> np.ndarray:
    """Return an array in this memory with the shape, dtype and order of axes of another."""
    order = sorted(range(like.ndim), key=lambda i: -abs(like.strides[i]))
    shape = tuple(like.shape[i] for i in order)
    flat = memory[: like.nbytes].view(like.dtype)
    return flat.reshape(shape).transpose(np.argsort(order) if order else ())
