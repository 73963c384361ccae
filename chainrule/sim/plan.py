"""What an operation's schema and tags say about it, read once for each operation."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import torch

from chainrule.sim import costs

aten = torch.ops.aten
SILENT = ("empty", "new_empty", "resize", "set_", "_fused_sdp_choice", "lift", "record_stream")
INDEXED = {aten.index, aten.index_put, aten.index_put_, aten._index_put_impl_, aten._unsafe_index}
LENIENT = ("_foreach", "_fused", "index_put", "_index_put", "fill", "masked_fill", "copy")


class Plan(NamedTuple):
    """What is known of an operation before it has operands.

    Attributes:
        packet: The operation without its overload.
        name: In the ledger.
        positions: Of arguments that it changes.
        words: Names of arguments that it changes.
        silent: No kernel runs.
        waits: The host must see values before it can go on.
        scalars: Operands without axes may be on the host.
        reshapes: It changes the shape of its argument in place.
        fills: It does not read what it changes.
        indexed: Some of its operands are indices.
    """

    packet: Any
    name: str
    positions: tuple[int, ...]
    words: tuple[str, ...]
    silent: bool
    waits: bool
    scalars: bool
    reshapes: bool
    fills: bool
    indexed: bool


@cache
def plan(func: Any) -> Plan:
    """Read an operation's schema and tags."""
    name = func._schema.name.partition("::")[2]
    changed = [
        (position, argument.name)
        for position, argument in enumerate(func._schema.arguments)
        if argument.alias_info is not None and argument.alias_info.is_write
    ]
    tags = func.tags
    reshapes = torch.Tag.inplace_view in tags or name in ("resize_", "set_", "resize_as_")
    return Plan(
        packet=func.overloadpacket,
        name=name,
        positions=tuple(position for position, _ in changed),
        words=tuple(word for _, word in changed),
        silent=reshapes or name.startswith(SILENT),
        waits=(torch.Tag.dynamic_output_shape in tags and func.overloadpacket not in INDEXED)
        or torch.Tag.data_dependent_output in tags,  # an index waits only if it is a mask
        scalars=torch.Tag.pointwise in tags or name.startswith(LENIENT),
        reshapes=reshapes,
        fills=name in costs.FILLING or any(word == "out" for _, word in changed),
        indexed=func.overloadpacket in INDEXED,
    )
