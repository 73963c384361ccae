"""Copies: over the link in both directions, within the device, and single values to the host."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from chainrule.sim import costs, dispatch, pinned, saving, state, tensor

aten = torch.ops.aten


def copy(func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Compute `target.copy_(source, non_blocking)`."""
    target, source, *rest = args
    move(target, source, bool(rest[0] if rest else kwargs.get("non_blocking", False)))
    return target


def copy_from(func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Compute `_copy_from(source, target, non_blocking)`, which copies from the host end up in."""
    source, target, *rest = args
    if func.overloadpacket is aten._copy_from_and_resize:
        target.resize_(source.shape)
    move(target, source, bool(rest[0] if rest else kwargs.get("non_blocking", False)))
    return target


def to_copy(func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Compute `_to_copy`: another dtype on the device, or a copy on the host."""
    source = args[0]
    target = kwargs.get("device")
    if not isinstance(source, tensor.SimTensor) or target is None or target.type == "sim":
        return dispatch.ordinary(func, args, kwargs)
    if target.type == "meta":
        return source._inner.to("meta")
    if target.type != "cpu":
        raise NotImplementedError(f"copies from sim:0 to {target} are not simulated")
    options = {key: kwargs[key] for key in ("dtype", "memory_format") if kwargs.get(key)}
    host = torch.empty_like(tensor.read(source), **options)
    if kwargs.get("non_blocking"):
        pinned.mark(host)  # as CUDA does: only pinned memory can be copied to without waiting
    move(host, source, bool(kwargs.get("non_blocking")))
    return host


def set_bytes(func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Compute `target.set_(source, ...)`, which loading a file for the device ends up in."""
    opened = [value.host if isinstance(value, saving.HostBytes) else value for value in args]
    target = dispatch.ordinary(func, opened, kwargs)
    if any(isinstance(value, saving.HostBytes) for value in args):
        state.machine().copy("h2d", "load", target.nbytes, pinned=False, blocking=True)
    return target


def item(func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Compute `.item()`: the host waits for one value."""
    source = args[0]
    value = tensor.read(source).item()
    machine = state.machine()
    machine.copy("d2h", "item", source.itemsize, pinned=False, blocking=True)
    machine.touch([source._memory], [])
    return value


def move(target: torch.Tensor, source: torch.Tensor, non_blocking: bool) -> None:
    """Copy values into a tensor that is there, and add the row for the way they take."""
    tensor.real(target), tensor.real(source)
    here, there = isinstance(target, tensor.SimTensor), isinstance(source, tensor.SimTensor)
    values = source._inner if isinstance(source, tensor.SimTensor) else source
    if isinstance(target, tensor.SimTensor):
        write(target, values, source)
    else:
        target.copy_(tensor.read(source))  # type: ignore[arg-type]
    if here and there:
        within(target, source)
    elif target.numel():
        across(target, source, non_blocking)


def write(target: tensor.SimTensor, values: torch.Tensor, source: torch.Tensor) -> None:
    """Write values into the tensor within; in a dry run, see that the shapes fit."""
    inner = target._inner
    if inner.is_meta:
        torch.broadcast_to(values.to("meta"), inner.shape)
        return
    if source.device.type == "meta":
        raise NotImplementedError("Cannot copy out of meta tensor; no data!")
    if values.is_meta:
        raise tensor.DryRunError(f"copy_: {tensor.NO_VALUES}")
    inner.copy_(values)


def within(target: Any, source: Any) -> None:
    """Add the row of a copy within the device."""
    machine = state.machine()
    nbytes = costs.nbytes(target) + costs.nbytes(source)
    machine.kernel("copy_", nbytes, 0, machine.model.fp32_flops, "d2d")
    machine.touch([source._memory], [target._memory])


def across(target: torch.Tensor, source: torch.Tensor, non_blocking: bool) -> None:
    """Add the row of a copy over the link. The dtype is changed before the way, as CUDA does."""
    machine = state.machine()
    to_device = isinstance(target, tensor.SimTensor)
    host = source if to_device else target
    direct = source.dtype == target.dtype and host.is_contiguous()
    fast = pinned.is_pinned(host) and direct
    count = source.numel() if to_device else target.numel()
    kind, nbytes = ("h2d" if to_device else "d2h"), count * target.itemsize
    machine.copy(kind, "copy_", nbytes, fast, blocking=not (fast and non_blocking))
    if isinstance(target, tensor.SimTensor):
        machine.touch([], [target._memory])
    else:
        machine.touch([source._memory], [])  # type: ignore[attr-defined]


def index(host: torch.Tensor) -> None:
    """Add the row of an index that is on the host and is copied for an operation's sake."""
    machine = state.machine()
    machine.copy("h2d", "index", host.numel() * host.itemsize, pinned=False, blocking=True)


RULES: dict[Any, Callable[[Any, Sequence[Any], dict[str, Any]], Any]] = {
    aten.copy_: copy,
    aten._copy_from: copy_from,
    aten._copy_from_and_resize: copy_from,
    aten._to_copy: to_copy,
    aten._local_scalar_dense: item,
    aten.set_: set_bytes,
}
