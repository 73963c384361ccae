"""Saving and loading tensors of the device, with `weights_only` and `map_location`."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import torch
from torch import _utils, serialization


class HostBytes(torch.UntypedStorage):
    """A parcel for the device: `host` is what was read from a file and is to go there.

    A storage cannot be on a device that is written in Python, but it can say so, and PyTorch then
    makes a tensor there, which opens the parcel.
    """

    host: torch.UntypedStorage

    @property
    def device(  # type: ignore[override]
        self,
    ) -> torch.device:
        """The device that tensors made of these bytes go to."""
        return torch.device("sim", 0)


def reduced(tensor: torch.Tensor, host: torch.Tensor) -> tuple[Any, ...]:
    """Return what `pickle` and `torch.save` write for a device tensor with this copy of its data.

    As for other devices without storages, PyTorch's own function rebuilds it, which knows
    `map_location` and is allowed under `weights_only`.
    """
    args = (host, tensor.dtype, str(tensor.device), tensor.requires_grad)
    if not getattr(tensor, "_is_param", False):
        return _utils._rebuild_device_tensor_from_cpu_tensor, args
    data = tensor.detach()
    return _utils._rebuild_parameter, (data, tensor.requires_grad, OrderedDict())


def restored(storage: Any, location: str) -> Any:
    """Return bytes that were read for "sim" as such, or None for another location."""
    if location.partition(":")[0] != "sim":
        return None
    if location not in ("sim", "sim:0"):
        raise RuntimeError(
            f"Attempting to deserialize object on {location} but torch.sim.device_count() is 1. "
            "Please use torch.load with map_location to map your storages to an existing device."
        )
    parcel = HostBytes(1)
    parcel.host = storage
    return parcel


def register() -> None:
    """Let `torch.load(..., map_location="sim")` find the device, before PyTorch's own try."""
    serialization.register_package(1, lambda storage: None, restored)
