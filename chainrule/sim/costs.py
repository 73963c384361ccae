"""What an operation costs: floating-point operations, bytes, and the peak that it runs against."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.utils.flop_counter import flop_registry

from chainrule.sim.devices import Device

aten = torch.ops.aten
HALF = (torch.float16, torch.bfloat16)
# These read as much of their first argument as they give out, not all of it.
GATHERING = {aten.embedding, aten.index, aten.index_select, aten.gather, aten.take}
# These write without reading what was there.
FILLING = {"fill_", "zero_", "normal_", "uniform_", "bernoulli_", "random_", "exponential_"}


def nbytes(tensor: torch.Tensor) -> int:
    """Return the bytes of the tensor's distinct elements: an expanded axis is read once."""
    if not tensor.numel():
        return 0
    count = 1
    for size, stride in zip(tensor.shape, tensor.stride(), strict=True):
        if stride:
            count *= size
    return count * tensor.itemsize


def traffic(packet: Any, inputs: Sequence[torch.Tensor], outputs: Sequence[torch.Tensor]) -> int:
    """Return the bytes that a kernel reads and writes: its inputs and its outputs."""
    written = sum(map(nbytes, outputs))
    if packet in GATHERING:
        return 2 * written + sum(map(nbytes, inputs[1:]))
    return sum(map(nbytes, inputs)) + written


def flops(
    packet: Any, args: Any, kwargs: Any, out: Any, tensors: Sequence[torch.Tensor]
) -> tuple[int, bool]:
    """Return the floating-point operations, and whether they are those of a matrix product.

    Products and convolutions by PyTorch's own table, `torch.utils.flop_counter`; anything else
    one per element of its largest tensor.
    """
    count: Callable[..., int] | None = flop_registry.get(packet)
    if count is not None:
        return int(count(*args, **kwargs, out_val=out)), True
    if packet in GATHERING:
        tensors = tensors[1:]
    return max((t.numel() for t in tensors), default=0), False


def peak(model: Device, tensors: Sequence[torch.Tensor], product: bool) -> float:
    """Return the peak in FLOP/s for operands of these dtypes."""
    kinds = {t.dtype for t in tensors if t.is_floating_point() or t.is_complex()}
    if torch.float64 in kinds or torch.complex128 in kinds:
        return model.fp64_flops
    if product and kinds and kinds.issubset(HALF):
        return model.fp16_flops
    return model.fp32_flops
