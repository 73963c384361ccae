"""Pinned memory of the host. Without an accelerator it cannot be had, so a mark stands for it."""

from __future__ import annotations

import torch
from torch.multiprocessing.reductions import StorageWeakRef

from chainrule.sim.errors import SimError

MARKED: dict[int, StorageWeakRef] = {}  # address of a storage -> whether it still lives
LIBRARY = torch.library.Library("aten", "IMPL")


def pin(tensor: torch.Tensor) -> torch.Tensor:
    """Return a copy of a CPU tensor in marked memory, or the tensor itself if it is marked."""
    if tensor.device.type != "cpu":
        raise SimError(
            f"sim.pin_memory: the tensor is on {tensor.device}; only memory of the host can be"
        )
    return tensor if is_pinned(tensor) else mark(tensor.clone())


def mark(tensor: torch.Tensor) -> torch.Tensor:
    """Mark the memory of a CPU tensor as pinned."""
    for key in [key for key, alive in MARKED.items() if alive.expired()]:
        del MARKED[key]
    storage = tensor.untyped_storage()
    MARKED[storage._cdata] = StorageWeakRef(storage)
    return tensor


def is_pinned(tensor: torch.Tensor) -> bool:
    """Tell whether the memory of a CPU tensor is marked."""
    if not MARKED or tensor.device.type != "cpu" or tensor.layout != torch.strided:
        return False
    alive = MARKED.get(tensor.untyped_storage()._cdata)
    return alive is not None and not alive.expired()


def register() -> None:
    """Let `tensor.pin_memory()`, `tensor.is_pinned()` and DataLoader know the mark."""
    LIBRARY.impl("_pin_memory", lambda tensor, device=None: pin(tensor), "CPU")
    LIBRARY.impl("is_pinned", lambda tensor, device=None: is_pinned(tensor), "CPU")
