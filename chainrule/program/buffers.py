"""Whether values that share buffers get in each other's way, for programs as in `lists.py`.

>>> import numpy as np
>>> x, y = ("x", "input", (), {"shape": (2,)}), ("y", "exp", ("x",), {})
>>> steps, feeds = [x, y, ("z", "exp", ("y",), {})], {"x": np.ones(2)}
>>> in_buffers((steps, ["z"]), feeds, {"y": 0, "z": 0})  # in place
{'flaw': '', 'bytes': 16, 'buffers': 1}
>>> in_buffers((steps, ["y", "z"]), feeds, {"y": 0, "z": 0})["flaw"]
"'y' is fetched, but its buffer 0 was given to 'z'"
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chainrule.program.lists import EACH, outcome

__all__ = ["in_buffers"]


def in_buffers(program: Any, feeds: Mapping[str, Any], of: Any) -> dict[str, Any]:
    """Return what is wrong with a plan of buffers, and what they need, as plain data.

    Args:
        program: `(steps, fetches)`, without a flaw.
        feeds: By name, the arrays for its inputs.
        of: For each step that computes, the number of the buffer for its value.

    A buffer holds values of one size. An elementwise or fused step may write over an argument of
    its own shape; no other step may write over what it reads.
    """
    steps, fetches = program
    values = outcome((steps, [step[0] for step in steps]), feeds)["values"]
    value = dict(zip([step[0] for step in steps], values, strict=True))
    computed = [step for step in steps if step[1] not in ("input", "constant")]
    flaw = _form(of, [step[0] for step in computed])
    sizes: dict[int, int] = {}
    owner: dict[int, str] = {}
    for name, op, args, _ in computed if not flaw else ():
        buffer, size = of[name], value[name].nbytes
        for a in args:
            if a in of and owner.get(of[a]) != a:
                flaw = f"{name!r} reads {a!r}, but its buffer {of[a]} was given to "
                flaw += f"{owner.get(of[a])!r}"
            elif a in of and of[a] == buffer and not _in_place(op, value[a], value[name]):
                flaw = f"{name!r} ({op}) writes over {a!r}, which it reads, in buffer {buffer}"
        if sizes.setdefault(buffer, size) != size:
            flaw = f"buffer {buffer} has {sizes[buffer]} bytes; {name!r} needs {size}"
        if flaw:
            break
        owner[buffer] = name
    for name in fetches if not flaw else ():
        if name in of and owner[of[name]] != name:
            flaw = (
                f"{name!r} is fetched, but its buffer {of[name]} was given to {owner[of[name]]!r}"
            )
    return {"flaw": flaw, "bytes": sum(sizes.values()), "buffers": len(sizes)}


def _form(of: Any, names: list[str]) -> str:
    if not isinstance(of, dict):
        return f"expected a dictionary from names to numbers of buffers, came {str(of)[:60]}"
    if set(of) != set(names):
        missing, more = sorted(set(names) - set(of), key=str), sorted(set(of) - set(names), key=str)
        return f"without a buffer: {missing[:3]}; need none, but have one: {more[:3]}"
    wrong = [name for name in names if type(of[name]) is not int]
    return (
        f"the buffer of {wrong[0]!r} is no whole number: {str(of[wrong[0]])[:40]}" if wrong else ""
    )


def _in_place(op: str, argument: Any, result: Any) -> bool:
    return bool((op in EACH or op == "fused") and argument.shape == result.shape)
