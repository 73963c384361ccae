"""A simulated accelerator inside real PyTorch: its own memory, a ledger and a simulated clock.

PyTorch code runs on the device `"sim"` as it would run on `"cuda"`. The numbers are those of the
CPU, bit for bit. What costs time on an accelerator is counted: copies over the link, kernels,
waits, memory. Time is simulated, so it is the same on every machine and in every run.

    import torch
    import chainrule.sim as sim

    sim.start("titan-xp")                       # or any other name in sim.DEVICES
    model = torch.nn.Linear(1000, 10).to("sim")
    x = torch.randn(64, 1000).to("sim")         # one copy to the device: 256,000 bytes
    sim.reset()                                 # clock and ledger to zero
    loss = model(x).square().mean()             # three kernels; the host does not wait for them
    loss.backward()
    print(sim.clock())                          # what the host has spent on launches, in seconds
    print(loss.item())                          # one copy back, and the host waits for the device
    print(sim.ledger())                         # a table of all that, with its sums

How time passes. There are four clocks: the host's, and those of three engines of the device, one
for kernels and one for copies in each direction. A launch costs the host `launch_latency` and
returns. The engine starts when the host has launched it, when the work before it in its stream is
done, and when the engine is free; each engine takes its work in the order of launching. A kernel
lasts `kernel_overhead + max(flops / peak, bytes / memory_bandwidth)`, the roofline; a copy over the
link lasts `copy_latency + bytes / link`. `.item()`, `.cpu()`, printing, `nonzero`, `synchronize()`
and every copy from memory that is not pinned make the host wait. Work of the host itself costs
nothing, unless `host_work` says so.

`torch.sim` has torch.cuda's names with their meaning: `synchronize`, `Stream`, `stream`,
`current_stream`, `default_stream`, `Event`, `memory_allocated`, `max_memory_allocated`,
`memory_reserved`, `reset_peak_memory_stats`, `empty_cache`, `device_count`, `is_available`,
`get_device_name`, `OutOfMemoryError`.

Importing this module does not import PyTorch; `available` and `start` do. The hook in PyTorch that
it needs is experimental: where it is missing `available()` is False and `why_not()` says why.

What is left out: `nn.LSTM` and `nn.GRU` and their cells (`nn.RNN` works), `torch.Generator` on the
device, `torch.zeros(..., pin_memory=True)` (pin a tensor that is there), `torch.accelerator` beyond
asking for the device, more than one device. `model.to("sim")` keeps the parameters' identity,
`model.to("cpu")` makes new ones. Host tensors that a copy is still running into can be read too
early without a note. A process registers the device once. After a backward pass on the device, a
child made by fork cannot use autograd.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from chainrule.sim import state
from chainrule.sim.devices import DEVICES, Device, find
from chainrule.sim.errors import DryRunError, SimError
from chainrule.sim.ledger import Ledger, Row

if TYPE_CHECKING:
    import torch

__all__ = [
    "DEVICES",
    "Device",
    "DryRunError",
    "Ledger",
    "Row",
    "SimError",
    "available",
    "clock",
    "device",
    "dry_run",
    "find",
    "host_work",
    "ledger",
    "pin_memory",
    "reset",
    "start",
    "why_not",
]


def why_not() -> str:
    """Say in one sentence why the simulated device cannot be had here; "" where it can."""
    from chainrule.sim.hook import why_not

    return why_not()


def available() -> bool:
    """Tell whether `start` would work: PyTorch is installed and has the hook that is needed."""
    return not why_not()


def start(model: str | Device = "titan-xp") -> Device:
    """Register the device `"sim"` with PyTorch and make it behave like `model`.

    The first call registers, which a process does once. Every call puts a fresh device there:
    clock, ledger, memory in use and the current stream start anew, so that what comes after
    costs the same whatever went before. Tensors from before can be used, and are not counted.

    Args:
        model: A name in `DEVICES`, such as `"titan-xp"` or `"h200"`, or a `Device`; one of your own
            is made by `dataclasses.replace(sim.DEVICES["titan-xp"], link_pinned=1e9)`.

    Returns:
        The model.

    Raises:
        SimError: Where `available()` is False; the message is `why_not()`.
        SimError: For a name that is not in `DEVICES`.
    """
    chosen = find(model)
    from chainrule.sim.hook import register

    register()
    return state.restart(chosen)


def reset() -> None:
    """Set clock and ledger to zero, as if the device were idle; peak memory to what is in use."""
    state.machine().reset()


def clock() -> float:
    """Return the host's simulated time in seconds since the last reset.

    A launch moves it by the launch latency only: the device works later. Waiting for the device
    moves it to the end of that work.
    """
    return state.machine().host


def host_work(seconds: float, name: str = "host work") -> None:
    """Let the host work for `seconds` of simulated time, while the device goes on by itself.

    Reading a batch from disk, for example: nothing that Python does on the host costs simulated
    time otherwise. The ledger gets a row of kind `"host"`.

    Raises:
        SimError: For a negative number of seconds.
    """
    state.machine().host_work(seconds, name)


def ledger() -> Ledger:
    """Return what happened since the last reset, as it stands now; it does not grow afterwards.

    Rows stand in the order of launching, each a `Row` with kind, name, bytes, flops, stream,
    issued, start, end, pinned, blocking. Sums: `copies`, `to_device`, `from_device`, `kernels`,
    `synchronizations`, `seconds`, `peak_bytes` and more, see `Ledger`. `str()` is a table,
    `.to_dict()` plain data for JSON. `hazards` lists data used on a stream that had not waited.
    """
    return state.machine().ledger()


def device() -> Device:
    """Return the model of the device in use: the last `start`, or the dry run around this line."""
    return state.machine().model


def pin_memory(tensor: torch.Tensor) -> torch.Tensor:
    """Return a copy of a CPU tensor in memory that counts as pinned, or the tensor if it is.

    From pinned memory the device copies by itself, and faster: with `non_blocking=True` the host
    does not wait. `tensor.pin_memory()` and `DataLoader(pin_memory=True)` do the same. Views of a
    pinned tensor are pinned. Without an accelerator this is a mark on the memory, no more.

    Raises:
        SimError: For a tensor that is on the device.
    """
    state.machine()
    from chainrule.sim.pinned import pin

    return pin(tensor)


@contextmanager
def dry_run(model: str | Device | None = None) -> Iterator[DryRun]:
    """Count shapes, costs and memory without computing: nothing on the device has numbers.

    With clock, ledger and memory of its own, which are put back at the end. Yields an object
    whose `ledger()` and `clock()` can be read inside and after.

        with sim.dry_run("h200") as run:
            with torch.device("sim"):
                model, x = vgg16(), torch.randn(16, 3, 224, 224)
            sim.reset()                     # the initialization is not of interest
            model(x).sum().backward()
        print(run.ledger().flops, run.ledger().seconds)

    Reading a value raises `DryRunError`. Modules may also be made on `"meta"` and moved by
    `.to("sim")`. Host tensors keep their numbers and may be copied to the device as usual.

    Args:
        model: A device model; None for the one in use.

    Raises:
        SimError: For an unknown model; where `available()` is False.
    """
    chosen = find(model) if model is not None else None
    from chainrule.sim.hook import register

    register()
    machine = state.enter(chosen)
    try:
        yield DryRun(machine)
    finally:
        state.leave(machine)


class DryRun:
    """What `dry_run` yields: `ledger()` and `clock()`, also after its end."""

    def __init__(self, machine: Any) -> None:
        self._machine = machine

    def ledger(self) -> Ledger:
        """Return what happened since the last reset within the dry run."""
        return self._machine.ledger()

    def clock(self) -> float:
        """Return the host's simulated time in seconds since the last reset within the dry run."""
        return self._machine.host
