"""What the eager mode remembers: one `Node` for every recorded call, and when not to record.

Calling an operation on tensors that need gradients makes a node. It holds the operation, the nodes
of its inputs, and those values that the operation's rules asked to keep. Nodes are numbered as they
are made, so a node's number is always larger than those of the nodes it was made from; `sweep.py`
needs no other order.
"""

from __future__ import annotations

import itertools
import linecache
import sys
import threading
from collections.abc import Callable
from contextlib import ContextDecorator
from os import walk
from os.path import dirname, join
from types import CodeType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from chainrule.errors import BackwardError, InPlaceError

if TYPE_CHECKING:
    from chainrule.primitive import Primitive

#: In a rule's signature: this argument's value is used, so the tape keeps it. The same rule runs on
#: NumPy arrays, on tensors (second derivatives) and on the nodes of a static graph.
Array = Any


class Like:
    """In a rule's signature: only the shape and dtype of this argument are used and kept."""

    __slots__ = ("dtype", "shape")
    __array_ufunc__ = None

    def __init__(self, shape: tuple[int, ...], dtype: Any) -> None:
        self.shape, self.dtype = shape, dtype

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    def __repr__(self) -> str:
        return f"Like({self.shape}, {np.dtype(self.dtype)})"


class Value:
    """What the tape knows of a tensor; `tensor.py` gives it everything else.

    `node` made the tensor (None for a leaf). `cell` is shared by all tensors that share memory: the
    number of in-place changes so far, the time of the last one, and the recorded views.
    """

    __slots__ = ("__weakref__", "cell", "data", "grad", "hooks", "node", "requires_grad")
    kind: ClassVar[Any]  # the class of new tensors, set by tensor.py

    data: np.ndarray
    grad: Any
    hooks: list[Callable[[Any], Any]] | None
    node: Node | None
    requires_grad: bool
    cell: list[Any]


VERSION, CHANGED, VIEWS = 0, 1, 2  # the entries of a cell

tick = itertools.count(1).__next__


def wrap(data: Any) -> Any:
    """Return the tensor around an array, a leaf without gradient."""
    out = new(Value.kind)
    out.data = data if type(data) is np.ndarray else np.asarray(data)
    out.grad = out.hooks = out.node = None
    out.requires_grad = False
    out.cell = [0, 0, None]
    return out


def wrap_made(data: Any, node: Node | None) -> Any:
    """Return the tensor around an array that `node` made."""
    out = wrap(data)
    out.node = node
    out.requires_grad = node is not None
    return out


new = object.__new__
NONE: dict[str, Any] = {}


class Plan:
    """What to do with a call of one operation when certain inputs need gradients.

    Attributes:
        op: The operation.
        needed: The places of those inputs.
        rules: Their rules.
        asks: What to keep of (output, *inputs): True value, False shape and dtype, None nothing.
    """

    __slots__ = ("asks", "keeps_out", "likes", "needed", "op", "rules", "values")

    def __init__(self, op: Any, needed: list[int], rules: list[Any], asks: list[Any]) -> None:
        self.op, self.needed, self.rules, self.asks = op, needed, rules, asks
        self.keeps_out = asks[0]
        self.values = [i for i, ask in enumerate(asks[1:]) if ask]
        self.likes = [i for i, ask in enumerate(asks[1:]) if ask is False]


class Node:
    """One recorded call: which operation, from what, and what its rules will need.

    `parents` has an entry for each input that needs a gradient: the node that made it, or the
    tensor itself for a leaf. `saved` is (output, *inputs), each as an array, a `Like` or None, as
    the rules ask; after a backward pass it is None, and the node cannot run again.
    """

    __slots__ = (
        "cells", "code", "dtype", "hooks", "number", "offset",
        "options", "parents", "plan", "saved", "shape",
    )  # fmt: skip

    def __init__(
        self, plan: Plan, inputs: Any, arrays: list[Any], out: Any, options: dict[str, Any]
    ) -> None:
        data = out.data
        saved: list[Any] = [None] * len(plan.asks)
        cells: list[Any] = []
        parents: list[Any] = []
        if plan.keeps_out:
            saved[0] = data
            cells.append(out.cell)
        for i in plan.values:
            saved[i + 1] = arrays[i]
            if isinstance(inputs[i], Value):
                cells.append(inputs[i].cell)
        if plan.likes:
            for i in plan.likes:
                saved[i + 1] = Like(np.shape(arrays[i]), getattr(arrays[i], "dtype", None))
        for i in plan.needed:
            x = inputs[i]
            parents.append(x.node or x)
        self.plan = plan
        self.parents: Any = parents
        self.saved: Any = saved
        self.cells = cells
        self.options = options or NONE
        self.shape: Any = data.shape
        self.dtype: Any = data.dtype
        self.hooks: list[Callable[[Any], Any]] | None = None
        self.number = tick()
        frame = sys._getframe(2)
        code = frame.f_code
        while code.co_filename in LIBRARY and frame.f_back:
            frame = frame.f_back
            code = frame.f_code
        self.code = code
        self.offset = frame.f_lasti

    @property
    def op(self) -> Primitive:
        """The operation."""
        return self.plan.op

    def pullback(self, upstream: Any, create_graph: bool) -> list[Any]:
        """Return the gradient for each parent, given that of the output."""
        saved = self.values() if create_graph else self.saved
        grads, options = [], self.options
        for rule in self.plan.rules:
            grads.append(rule(upstream, *saved, **options))
        return grads

    def values(self) -> list[Any]:
        """Return `saved` as tensors of the graph, so that the rules themselves are recorded."""
        whole = [wrap(v) if TRACE and type(v) is np.ndarray else v for v in self.saved]
        for place, maker in zip((-1, *self.plan.needed), (self, *self.parents), strict=True):
            value = self.saved[place + 1]
            if isinstance(value, np.ndarray):
                whole[place + 1] = wrap_made(value, maker) if isinstance(maker, Node) else maker
        return whole

    def check(self) -> None:
        """Refuse a node that has run already, or whose saved values were changed since."""
        if self.saved is None:
            raise BackwardError(
                f"{self}: this part of the graph was freed by an earlier backward pass; "
                "pass retain_graph=True to that one to go through it again"
            )
        for cell in self.cells:
            if cell[CHANGED] > self.number:
                raise InPlaceError(
                    f"{self}: a value that its gradient needs was changed in place since "
                    f"(its version is now {cell[VERSION]}); change a copy instead"
                )

    def __str__(self) -> str:
        shapes = [str(tuple(p.shape)) for p in self.parents or ()]
        taken = f" of shape {', '.join(shapes)}" if shapes else ""
        return f"{self.op.name}{taken} giving {self.shape}, made at {self.line()}"

    def __repr__(self) -> str:
        return f"<{self.op.name}>"

    def line(self) -> str:
        """Return file, line number and text of the call that made this node."""
        number = line_of(self.code, self.offset)
        text = linecache.getline(self.code.co_filename, number).strip()
        return f"{self.code.co_filename}:{number}" + (f": {text}" if text else "")


#: The files of this library: an error names the line outside them that made a node.
LIBRARY = frozenset(
    join(folder, name) for folder, _, names in walk(dirname(__file__)) for name in names
)


def line_of(code: CodeType, offset: int) -> int:
    """Return the line of the instruction at this byte offset of a code object."""
    lines = (n for start, stop, n in code.co_lines() if start <= offset < stop and n)
    return next(lines, code.co_firstlineno)


def line_here() -> str:
    """Return file, number and text of the line outside this library that is running."""
    frame: Any = sys._getframe(1)
    while frame.f_code.co_filename in LIBRARY and frame.f_back:
        frame = frame.f_back
    text = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
    return f"{frame.f_code.co_filename}:{frame.f_lineno}" + (f": {text}" if text else "")


class Changes:
    """The time of the last in-place change of any tensor: older nodes must look at their cells."""

    last = 0


def note_change(cell: list[Any]) -> None:
    """Write down that the memory behind this cell was changed in place."""
    cell[VERSION] += 1
    cell[CHANGED] = Changes.last = tick()


class _Mode(threading.local):
    recording = True


MODE = _Mode()

#: Who writes down every call while `jit` traces a function: empty, or one `compiler.trace.Tracer`.
TRACE: list[Any] = []


def is_grad_enabled() -> bool:
    """Return whether operations are being recorded in this thread.

    >>> import chainrule as cr
    >>> with cr.no_grad():
    ...     cr.is_grad_enabled()
    False
    """
    return MODE.recording


class set_grad_enabled(ContextDecorator):
    """Record, or do not, inside this block; also a decorator. The old state returns in any case.

    >>> import chainrule as cr
    >>> x = cr.tensor(2.0, requires_grad=True)
    >>> with cr.set_grad_enabled(False):
    ...     (x * x).requires_grad
    False
    """

    def __init__(self, flag: bool) -> None:
        self.flag = flag
        self.before: list[bool] = []

    def __enter__(self) -> None:
        self.before.append(MODE.recording)
        MODE.recording = self.flag

    def __exit__(self, *exception: Any) -> None:
        MODE.recording = self.before.pop()


def no_grad() -> set_grad_enabled:
    """Do not record inside this block (or decorated function).

    >>> import chainrule as cr
    >>> w = cr.tensor([1.0, 2.0], requires_grad=True)
    >>> with cr.no_grad():
    ...     w -= 0.5 * w
    >>> w
    tensor([0.5000, 1.0000], requires_grad=True)
    """
    return set_grad_enabled(False)


def enable_grad() -> set_grad_enabled:
    """Record inside this block, even within `no_grad`.

    >>> import chainrule as cr
    >>> x = cr.tensor(2.0, requires_grad=True)
    >>> with cr.no_grad(), cr.enable_grad():
    ...     (x * x).requires_grad
    True
    """
    return set_grad_enabled(True)
