"""From an operation of PyTorch to its numbers (computed by the CPU) and its row in the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from chainrule.sim import copies, costs, room, state, tensor
from chainrule.sim.plan import plan

aten = torch.ops.aten
MASKS = (torch.bool, torch.uint8)


def dispatch(func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Compute one operation whose operands, or whose result, are on the device."""
    device = kwargs.get("device")
    if device is not None and device.type == "sim" and device.index:
        raise RuntimeError("SIM error: invalid device ordinal")
    special = copies.RULES.get(func.overloadpacket)
    if special:
        return special(func, args, kwargs)
    if torch.is_inference_mode_enabled():  # where PyTorch does not take composites apart itself
        parts = func.decompose(*args, **kwargs)
        if parts is not NotImplemented:
            return parts
    return ordinary(func, args, kwargs)


def ordinary(func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Compute on the tensors within, wrap what is new, add the row."""
    call = Call(func, args, kwargs)
    if call.host:
        check_devices(call)
    if call.dry:
        check_dry(call)
    call.inner_args = call.within(args)
    call.inner_kwargs = {key: call.within(value) for key, value in kwargs.items()}
    if kwargs.get("device") is not None:
        call.inner_kwargs["device"] = torch.device("meta" if call.dry else "cpu")
        check_room(call)
    call.result = func(*call.inner_args, **call.inner_kwargs)
    wrapped = wrap(call.result, call)
    how = call.how
    if how.reshapes:
        for value in call.changed():
            follow(value, call)
    if not how.silent:
        account(call)
    if how.waits or (how.indexed and call.masked()):
        call.machine.synchronize(call.machine.stream, how.name)
    return wrapped


class Call:
    """One operation with its operands.

    Attributes:
        how: Its plan.
        machine: The device.
        device: Operands on the device, those in lists included.
        host: Operands on the host.
        back: From the tensors within to their shells, by id.
        new: Results with memory of their own.
        dry: It is computed on "meta", without numbers.
        inner_args, inner_kwargs, result: What is computed within.
    """

    def __init__(self, func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> None:
        self.how = plan(func)
        self.machine = state.machine()
        self.args, self.kwargs = args, kwargs
        self.device: list[tensor.SimTensor] = []
        self.host: list[torch.Tensor] = []
        self.back: dict[int, tensor.SimTensor] = {}
        self.new: list[tensor.SimTensor] = []
        self.inner_args: Any = ()
        self.inner_kwargs: dict[str, Any] = {}
        self.result: Any = None
        self.find(args)
        for value in kwargs.values():
            self.find(value)
        self.dry = self.machine.dry or any(shell._inner.is_meta for shell in self.device)

    def find(self, value: Any) -> None:
        """Collect tensors, also from lists."""
        if isinstance(value, tensor.SimTensor):
            self.device.append(value)
        elif isinstance(value, torch.Tensor):
            self.host.append(tensor.real(value))
        elif isinstance(value, (list, tuple)):
            for item in value:
                self.find(item)

    def within(self, value: Any) -> Any:
        """Replace tensors of the device by those within; all or none of them have numbers."""
        if isinstance(value, tensor.SimTensor):
            inner = value._inner
            if self.dry and not inner.is_meta:
                return inner.to("meta")
            self.back[id(inner)] = value
            return inner
        if isinstance(value, torch.Tensor):
            return value.to("meta") if self.dry and value.dim() else value
        if isinstance(value, (list, tuple)):
            return [self.within(item) for item in value]
        return value

    def changed(self) -> list[Any]:
        """Return the arguments that the operation changes."""
        how = self.how
        values = [self.args[i] for i in how.positions if i < len(self.args)]
        values += [self.kwargs[word] for word in how.words if word in self.kwargs]
        return flat(values)

    def masked(self) -> bool:
        """Tell whether an index is a mask, so that the host must count it."""
        return any(t.dtype in MASKS for t in flat(self.args[1]) if isinstance(t, torch.Tensor))


def flat(values: Any) -> list[Any]:
    """Return the values of nested lists."""
    if isinstance(values, (list, tuple)):
        return [item for value in values for item in flat(value)]
    return [values]


def wrap(result: Any, call: Call) -> Any:
    """Return the result with its tensors wrapped; note those that have memory of their own."""
    if isinstance(result, torch.Tensor):
        known = call.back.get(id(result))
        if known is not None:
            return known
        key = result.untyped_storage()._cdata
        for operand in call.device:
            if operand._memory.key == key:
                return tensor.SimTensor(result, operand._memory)
        call.new.append(tensor.SimTensor(result, room.allocate(call.machine, result)))
        return call.new[-1]
    if isinstance(result, (list, tuple)):
        return type(result)(wrap(item, call) for item in result)
    return result


def account(call: Call) -> None:
    """Add the kernel's row, and note which memory it reads and writes."""
    how, machine, inputs = call.how, call.machine, call.device
    changed = [value for value in call.changed() if isinstance(value, tensor.SimTensor)]
    outputs = [*call.new, *changed]
    if not outputs and not how.waits:
        return
    if how.fills:
        inputs = [shell for shell in inputs if not any(shell is out for out in changed)]
    tensors = [*inputs, *outputs]
    flops, product = costs.flops(
        how.packet, call.inner_args, call.inner_kwargs, call.result, tensors
    )
    nbytes = costs.traffic(how.packet, inputs, outputs)
    peak = costs.peak(machine.model, tensors, product)
    if how.packet is aten.clone:
        machine.kernel(how.name, nbytes, 0, peak, "d2d")
    else:
        machine.kernel(how.name, nbytes, flops, peak)
    machine.touch({t._memory for t in inputs}, {t._memory for t in outputs})


def check_devices(call: Call) -> None:
    """Refuse operands on two devices, in CUDA's words; copy indices, as CUDA does."""
    written = {id(value) for value in call.changed()}
    for value in call.host:
        free = id(value) not in written
        if call.how.indexed and free and not value.is_floating_point():
            copies.index(value)
        elif not free or value.dim() or not call.how.scalars:
            raise RuntimeError(
                "Expected all tensors to be on the same device, but found at least two devices, "
                f"sim:0 and {value.device}!"
            )


def check_dry(call: Call) -> None:
    """Refuse what needs values that a dry run does not have."""
    masks = call.how.packet is aten.index and call.masked()
    lost = any(
        isinstance(value, tensor.SimTensor) and not value._inner.is_meta for value in call.changed()
    )
    if call.how.waits or masks or lost:
        raise tensor.DryRunError(f"{call.how.name}: {tensor.NO_VALUES}")


def check_room(call: Call) -> None:
    """Before a factory takes memory of the host, see whether the device would have it."""
    if call.how.name in ("empty", "empty_strided") and call.args:
        dtype = call.kwargs.get("dtype") or torch.get_default_dtype()
        count = dtype.itemsize
        for size in call.args[0]:
            count *= max(int(size), 0)
        room.require(call.machine, count)


def follow(shell: Any, call: Call) -> None:
    """Give the shell the shape that the tensor within was given in place."""
    inner, memory = shell._inner, shell._memory
    storage = inner.untyped_storage()
    if storage._cdata != memory.key:
        shell._memory = room.allocate(call.machine, inner)
    elif storage.nbytes() > memory.nbytes:
        room.require(call.machine, storage.nbytes() - memory.nbytes)
        memory.resize(storage.nbytes())
    fresh = tensor.SimTensor(inner, shell._memory)
    torch.Tensor.data.__set__(shell, fresh)  # type: ignore[attr-defined]
