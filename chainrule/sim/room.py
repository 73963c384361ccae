"""Memory on the device for new tensors, and the error where there is none, in CUDA's words."""

from __future__ import annotations

import torch

from chainrule.sim.machine import Machine
from chainrule.sim.memory import Allocation


def allocate(machine: Machine, inner: torch.Tensor) -> Allocation:
    """Take memory on the device for a new tensor.

    Raises:
        torch.OutOfMemoryError: If it does not fit.
    """
    storage = inner.untyped_storage()
    require(machine, storage.nbytes())
    return machine.allocate(storage._cdata, storage.nbytes())


def require(machine: Machine, nbytes: int) -> None:
    """Raise torch.OutOfMemoryError in CUDA's words unless so many bytes more fit."""
    if machine.fits(nbytes):
        return
    total, used = machine.model.memory, machine.memory.allocated
    raise torch.OutOfMemoryError(
        f"SIM out of memory. Tried to allocate {readable(nbytes)}. SIM 0 has a total capacity of "
        f"{readable(total)} of which {readable(total - used)} is free. Of the allocated memory "
        f"{readable(used)} is allocated by PyTorch."
    )


def readable(nbytes: int) -> str:
    """Return a size as PyTorch's allocator writes it."""
    for unit, size in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if nbytes >= size:
            return f"{nbytes / size:.2f} {unit}"
    return f"{nbytes} bytes"
