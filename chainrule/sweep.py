"""Going back: `backward` and `grad` carry a gradient from an output to the leaves.

The whole algorithm is `sweep`: take the youngest node that has received a gradient, ask its rules
for the gradients of its inputs, add those up, and go on until nothing waits. A node is younger than
all that it was made from, so when its turn comes, everything that will reach it has reached it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import heappop, heappush
from typing import Any

import numpy as np

from chainrule.errors import BackwardError, DTypeError, ShapeError
from chainrule.ops.choices import cast
from chainrule.ops.shape import unbroadcast
from chainrule.tape import MODE, TRACE, Changes, Node, Value, note_change, wrap


def sweep(
    seeds: Iterable[tuple[Any, Any]],
    retain_graph: bool = False,
    create_graph: bool = False,
    useful: set[int] | None = None,
    wanted: Iterable[int] = (),
) -> tuple[dict[int, Any], dict[int, list[Any]]]:
    """Run nodes from the youngest to the oldest.

    Args:
        seeds: Pairs of a node (or leaf tensor) and the gradient that arrives there.
        retain_graph: Keep what nodes saved, so that they can run again.
        create_graph: Gradients are tensors, and what is done to them is recorded.
        useful: The numbers of the nodes to run; None means all.
        wanted: The numbers of the nodes whose gradient is to be handed back.

    Returns:
        The gradients of the wanted nodes by number; and for each leaf, by id, the leaf, its
        gradient, and whether nobody else can see that array.
    """
    as_tensors = create_graph or bool(TRACE)
    caught: dict[int, Any] = {}
    leaves: dict[int, list[Any]] = {}
    arrived: dict[int, list[Any]] = {}  # number: node and gradient, of the nodes that wait
    frontier: list[int] = []  # their numbers, negative: the smallest is the youngest

    def deposit(target: Any, g: Any, fresh: bool) -> None:
        if isinstance(target, Node):
            number = target.number
            if number in arrived:
                arrived[number][1] = arrived[number][1] + g
            elif useful is None or number in useful:
                arrived[number] = [target, g]
                heappush(frontier, -number)
        elif id(target) not in leaves:
            leaves[id(target)] = [target, g, fresh]
        else:
            entry = leaves[id(target)]
            if entry[2]:
                entry[1] += g
            else:
                entry[1:] = entry[1] + g, not as_tensors

    for target, g in seeds:
        deposit(target, g, False)
    while frontier:
        number = -heappop(frontier)
        node, g = arrived.pop(number)
        if node.hooks is not None:
            g = run_hooks(node.hooks, g)
        if number in wanted:
            caught[number] = g
        if node.saved is None or Changes.last > number:
            node.check()
        for parent, gx in zip(node.parents, node.pullback(g, as_tensors), strict=False):
            if gx is None:
                continue
            if gx.shape != parent.shape or gx.dtype is not parent.dtype:
                gx = fit(node, parent, gx)
            deposit(parent, gx, gx is not g and not as_tensors and gx.base is None)
        if not retain_graph:
            node.saved = node.parents = None
    return caught, leaves


def fit(node: Node, parent: Any, g: Any) -> Any:
    """Bring a gradient to the shape and dtype of its input: sum what broadcasting had copied."""
    have, want = g.shape, parent.shape
    if have != want:
        lead = len(have) - len(want)
        if lead < 0 or any(w not in (1, h) for w, h in zip(want, have[lead:], strict=True)):
            raise ShapeError(
                f"the rule of {node} gave a gradient of shape {have} for one of {want}"
            )
        g = unbroadcast(g, shape=want)
    return g if g.dtype == parent.dtype else cast(g, dtype=parent.dtype)


def run_hooks(hooks: Sequence[Any], g: Any) -> Any:
    """Show a gradient to hooks, as a tensor; what one returns takes the gradient's place."""
    shown = g if isinstance(g, Value) else wrap(g)
    for hook in hooks:
        changed = hook(shown)
        shown = shown if changed is None else changed
    return shown if isinstance(g, Value) else shown.data


def backward(
    outputs: Any, gradient: Any = None, retain_graph: bool | None = None, create_graph: bool = False
) -> None:
    """Add the gradient of `outputs` to `.grad` of every leaf that it was made from.

    Args:
        outputs: A tensor, or several.
        gradient: The upstream gradient, of the output's shape; needed unless the output has one
            element. For several outputs, one each.
        retain_graph: Keep the graph for another pass; it is freed otherwise.
        create_graph: Record the pass itself, for second derivatives (this keeps the graph too).

    Raises:
        BackwardError: No graph, a freed graph, or no gradient for an output of many elements.

    >>> import chainrule as cr
    >>> x = cr.tensor([1.0, 2.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    tensor([2., 4.])
    """
    retain = create_graph if retain_graph is None else retain_graph
    outputs, gradient = as_list(outputs), as_list(gradient)
    before, MODE.recording = MODE.recording, create_graph
    try:
        _, leaves = sweep(seeds(outputs, gradient, create_graph), retain, create_graph)
        for leaf, g, fresh in leaves.values():
            if leaf.hooks is not None:
                g, fresh = run_hooks(leaf.hooks, g), False
            accumulate(leaf, g, fresh)
    finally:
        MODE.recording = before


def accumulate(leaf: Any, g: Any, fresh: bool) -> None:
    """Add a gradient to a leaf's `.grad`; what is stored there shares memory with nothing else."""
    old = leaf.grad
    if isinstance(g, Value):
        leaf.grad = g if old is None else old + g
    elif old is None:
        leaf.grad = wrap(g if fresh and type(g) is np.ndarray else np.array(g))
    elif old.requires_grad:
        leaf.grad = old + wrap(g)
    else:
        old.data += g
        note_change(old.cell)


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool = False,
) -> tuple[Any, ...]:
    """Return the gradients of `outputs` with respect to `inputs`; no `.grad` changes.

    Args:
        outputs: A tensor, or several.
        inputs: A tensor, or several: leaves, or results on the way.
        grad_outputs: The upstream gradients, as in `backward`.
        retain_graph: Keep the graph for another pass.
        create_graph: Make the gradients differentiable themselves.
        allow_unused: Give None for an input that the outputs do not depend on.

    Raises:
        BackwardError: As in `backward`; and an input that plays no part, unless allowed.

    >>> import chainrule as cr
    >>> x = cr.tensor(3.0, requires_grad=True)
    >>> (slope,) = cr.grad(x**3, x, create_graph=True)
    >>> cr.grad(slope, x)
    (tensor(18.),)
    """
    retain = create_graph if retain_graph is None else retain_graph
    outputs, inputs, grad_outputs = as_list(outputs), as_list(inputs), as_list(grad_outputs)
    for i, x in enumerate(inputs):
        if not isinstance(x, Value) or not x.requires_grad:
            raise BackwardError(f"input {i} of grad does not require gradients")
    useful = leading_to(inputs, outputs)
    wanted = {x.node.number for x in inputs if x.node is not None}
    before, MODE.recording = MODE.recording, create_graph
    try:
        given = seeds(outputs, grad_outputs, create_graph)
        caught, leaves = sweep(given, retain, create_graph, useful, wanted)
    finally:
        MODE.recording = before
    results = []
    for i, x in enumerate(inputs):
        g = caught.get(x.node.number) if x.node is not None else None
        if x.node is None and id(x) in leaves:
            g = leaves[id(x)][1]
            g = g if x.hooks is None else run_hooks(x.hooks, g)
        if g is None and not allow_unused:
            raise BackwardError(
                f"the outputs do not depend on input {i}; allow_unused=True gives None"
            )
        results.append(g if g is None or isinstance(g, Value) else wrap(np.array(g)))
    return tuple(results)


def as_list(values: Any) -> list[Any]:
    """Return one value, or several, as a list; None as an empty one."""
    if values is None:
        return []
    return list(values) if isinstance(values, list | tuple) else [values]


def seeds(outputs: list[Any], gradients: list[Any], create_graph: bool) -> list[tuple[Any, Any]]:
    """Return pairs of a node or leaf and the gradient to start it with."""
    if gradients and len(gradients) != len(outputs):
        raise BackwardError(f"{len(outputs)} outputs, but {len(gradients)} gradients for them")
    pairs = []
    for out, g in zip(outputs, gradients or [None] * len(outputs), strict=True):
        if not isinstance(out, Value) or not out.requires_grad:
            raise BackwardError(
                "this tensor does not require gradients and nothing recorded made it: "
                "set requires_grad=True on what it depends on, and do not compute it in no_grad"
            )
        if g is None:
            if out.data.size != 1:
                raise BackwardError(
                    f"backward starts from one number, and this tensor has shape {out.data.shape}: "
                    "reduce it, with .sum() say, or pass the gradient of its shape"
                )
            g = np.ones_like(out.data)
        if not isinstance(g, Value):
            g = wrap(np.asarray(g, out.data.dtype))
        if g.shape != out.data.shape:
            raise ShapeError(f"a gradient of shape {g.shape} for an output of {out.data.shape}")
        if g.data.dtype != out.data.dtype:
            raise DTypeError(f"a gradient of {g.data.dtype} for an output of {out.data.dtype}")
        pairs.append((out.node or out, g if create_graph or TRACE else g.data))
    return pairs


def leading_to(inputs: list[Any], outputs: list[Any]) -> set[int]:
    """Return the numbers of the nodes between outputs and inputs, the inputs' own included."""
    found: dict[int, Node] = {}
    stack = [out.node for out in outputs if isinstance(out, Value) and out.node is not None]
    while stack:
        node = stack.pop()
        if node.number not in found:
            found[node.number] = node
            stack.extend(p for p in node.parents or () if isinstance(p, Node))
    targets = {id(x.node or x) for x in inputs}
    useful: set[int] = set()
    for number in sorted(found):  # parents come before what was made from them
        node = found[number]
        reached = any(
            id(p) in targets or (isinstance(p, Node) and p.number in useful)
            for p in node.parents or ()
        )
        if reached or id(node) in targets or node.parents is None:
            useful.add(number)
    return useful
