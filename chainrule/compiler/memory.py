"""Which values may share a buffer: one may take the place of another that is dead.

A value dies after its last use. Views keep the value that they look at alive. What is fetched,
fed, constant or a variable never dies.

>>> from chainrule import graph
>>> from chainrule.compiler.memory import plan
>>> with graph.Graph():
...     x = graph.placeholder("float32", (1000,), name="x")
...     program = graph.lower([((x.exp() + 1.0).log() * 2.0).sum()])
>>> buffers = plan(program)
>>> buffers.count, buffers.nbytes, buffers.naive
(2, 4004, 16004)
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass

from chainrule.ops.shared import broadcast, same
from chainrule.primitive import TABLE
from chainrule.program import At, Program

#: Steps whose value lives in memory of its own, made before the run.
LASTING = frozenset({"placeholder", "constant", "variable"})


@dataclass
class Buffers:
    """A plan.

    Attributes:
        of: For each place that needs memory, the number of its buffer.
        sizes: The bytes of each buffer.
        naive: The bytes that would be needed if every value had a buffer of its own.
    """

    of: dict[int, int]
    sizes: list[int]
    naive: int

    @property
    def count(self) -> int:
        """How many buffers there are."""
        return len(self.sizes)

    @property
    def nbytes(self) -> int:
        """The bytes of all buffers together: the peak, without what lasts."""
        return sum(self.sizes)


def views(program: Program) -> dict[int, int]:
    """Return for each view, as far as the table tells, the place whose memory it looks at."""
    roots: dict[int, int] = {}
    for place, step in enumerate(program.steps):
        op = TABLE.get(step.op)
        looks = step.op == "assign" or (op is not None and op.view)
        if looks and isinstance(step.inputs[0], At):
            source = int(step.inputs[0])
            roots[place] = roots.get(source, source)
    return roots


def last_uses(program: Program, roots: Mapping[int, int]) -> list[int]:
    """Return for each place the last step that needs its memory; the end for what is fetched."""
    last = list(range(len(program.steps)))
    for place, step in enumerate(program.steps):
        for i in step.needs():
            last[i] = last[roots.get(i, i)] = place
    for i in program.fetches:
        last[i] = last[roots.get(i, i)] = len(program.steps)
    return last


def plan(
    program: Program, roots: Mapping[int, int] | None = None, placed: Container[int] = ()
) -> Buffers:
    """Return which values share buffers.

    Args:
        program: The program.
        roots: For each view the place whose memory it looks at; by the table's word if None.
        placed: Places whose values have memory already.

    A step that works element by element may write over an input of the same size that dies there;
    every other step needs a buffer that is free when it begins.
    """
    roots = views(program) if roots is None else roots
    last = last_uses(program, roots)
    dying: list[list[int]] = [[] for _ in range(len(program.steps) + 1)]
    of: dict[int, int] = {}
    sizes: list[int] = []
    free: list[int] = []
    naive = 0
    for place, step in enumerate(program.steps):
        ready = [of[p] for p in dying[place]]
        lasting = step.op in LASTING or place in placed or place in roots
        needs = step.dtype and not lasting
        if needs:
            naive += step.nbytes
            early = [of[p] for p in dying[place] if p != place and over(program, place, p, roots)]
            found = best([*free, *early], sizes, step.nbytes)
            if found is None:
                found = len(sizes)
                sizes.append(step.nbytes)
            elif found in free:
                free.remove(found)
            else:
                ready.remove(found)
            of[place] = found
            if last[place] > place:
                dying[last[place]].append(place)
            else:
                ready.append(found)
        free.extend(ready)
    return Buffers(of, sizes, naive)


def direct(program: Program, roots: Mapping[int, int]) -> dict[int, str]:
    """Return the places whose value can be written straight into the variable that it is for.

    That is so where the value is made element by element, and nobody reads the variable, or looks
    at its memory, after that.
    """
    read: dict[str, int] = {}
    variables: dict[int, str] = {}
    for place, step in enumerate(program.steps):
        if step.op == "variable":
            variables[place] = step.options["variable"]
        for i in step.needs():
            name = variables.get(roots.get(i, i))
            if name is not None:
                read[name] = place
    last_of = {variables[i]: len(program.steps) for i in program.fetches if i in variables}
    found: dict[int, str] = {}
    assigned = [s.options["variable"] for s in program.steps if s.op.startswith("assign")]
    for step in program.steps:
        if step.op != "assign" or assigned.count(step.options["variable"]) > 1:
            continue
        name, value = step.options["variable"], int(step.inputs[0])
        maker = program.steps[value]
        op = TABLE.get(maker.op)
        plain = op is not None and op.shape in (same, broadcast) and value not in roots
        if plain and maker.op not in NOT_ELEMENTWISE and value not in found:
            inputs = [i for i in maker.inputs if isinstance(i, At)]
            whole = all(roots.get(i, i) == i or variables.get(roots[i]) != name for i in inputs)
            same_kind = (maker.shape, maker.dtype) == (step.shape, step.dtype)
            if whole and same_kind and max(read.get(name, 0), last_of.get(name, 0)) <= value:
                found[value] = name
    return found


def best(free: list[int], sizes: list[int], nbytes: int) -> int | None:
    """Return the buffer of exactly this size, or None: sizes repeat from layer to layer."""
    return next((b for b in reversed(free) if sizes[b] == nbytes), None)


def over(program: Program, place: int, input_: int, roots: Mapping[int, int]) -> bool:
    """Return whether a step may write its result over one of its inputs.

    It may if each element of the result depends on that element of the input alone, and nothing
    else that the step reads looks at the same memory.
    """
    step, source = program.steps[place], program.steps[input_]
    op = TABLE.get(step.op)
    if op is None or op.shape not in (same, broadcast) or step.op in NOT_ELEMENTWISE:
        return False
    if (source.shape, source.dtype) != (step.shape, step.dtype):
        return False
    direct = [i for i in step.inputs if isinstance(i, At)]
    return input_ in direct and all(roots.get(i) != input_ for i in direct)


#: Same shape in and out, but the result is not written element by element.
NOT_ELEMENTWISE = frozenset(
    {"softmax", "log_softmax", "_normalize", "_setitem", "flip", "where", "softplus", "clip"}
)
