"""The module `torch.sim`: torch.cuda's names for the simulated device, with their meaning."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from types import SimpleNamespace
from typing import Any

import torch

from chainrule.sim import state

OutOfMemoryError = torch.OutOfMemoryError
NUMBERS = count(1)


class Stream:
    """A queue of work for the device: in order within itself, free with respect to the others."""

    def __init__(self, device: Any = None, priority: int = 0, *, number: int | None = None) -> None:
        self.stream_id = next(NUMBERS) if number is None else number
        self.priority = priority
        self.device = torch.device("sim", 0)

    def wait_event(self, event: Event) -> None:
        """Let later work in this stream wait for an event; the host goes on."""
        event.wait(self)

    def wait_stream(self, stream: Stream) -> None:
        """Let later work in this stream wait for all that another stream has been given."""
        self.wait_event(stream.record_event())

    def record_event(self, event: Event | None = None) -> Event:
        """Record an event here, a new one if none is given, and return it."""
        event = event or Event()
        event.record(self)
        return event

    def synchronize(self) -> None:
        """Let the host wait until this stream has done its work."""
        state.machine().synchronize(self.stream_id, "stream.synchronize")

    def query(self) -> bool:
        """Tell whether this stream has done its work by the host's clock."""
        machine = state.machine()
        return machine.ready.get(self.stream_id, 0.0) <= machine.host

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Stream) and other.stream_id == self.stream_id

    def __hash__(self) -> int:
        return hash(self.stream_id)

    def __repr__(self) -> str:
        return f"<torch.sim.Stream {self.stream_id}>"


class Event:
    """A mark in a stream, to wait for and to take the time with.

    Args:
        enable_timing: Whether `elapsed_time` is asked for, as in torch.cuda.
    """

    def __init__(
        self, enable_timing: bool = False, blocking: bool = False, interprocess: bool = False
    ) -> None:
        self.enable_timing = enable_timing
        self.epoch = 0  # the reset within which it was recorded; 0: never
        self.time = 0.0
        self.seen: dict[int, int] = {}

    def record(self, stream: Stream | None = None) -> None:
        """Put the mark at the end of what the stream, the current one by default, has so far."""
        machine = state.machine()
        number = machine.stream if stream is None else stream.stream_id
        self.epoch = machine.epoch
        self.time, self.seen = machine.mark(number)

    def wait(self, stream: Stream | None = None) -> None:
        """Let later work in the stream wait for the mark; the host goes on."""
        machine = state.machine()
        if self.epoch == machine.epoch:
            number = machine.stream if stream is None else stream.stream_id
            machine.stream_waits(number, self.time, self.seen)

    def synchronize(self) -> None:
        """Let the host wait for the mark."""
        machine = state.machine()
        recorded = self.epoch == machine.epoch
        until, seen = (self.time, self.seen) if recorded else (0.0, {})
        machine.wait("event.synchronize", until, seen)

    def query(self) -> bool:
        """Tell whether the mark is reached by the host's clock; True if it was never recorded."""
        machine = state.machine()
        return self.epoch != machine.epoch or self.time <= machine.host

    def elapsed_time(self, end_event: Event) -> float:
        """Return the milliseconds of the device's clock from this mark to another.

        Raises:
            RuntimeError: As in torch.cuda, if an event takes no time, was not recorded since the
                last reset, or is not reached by the host's clock: synchronize first.
        """
        if not (self.enable_timing and end_event.enable_timing):
            raise RuntimeError("Both events must be created with argument 'enable_timing=True'.")
        epoch = state.machine().epoch
        if self.epoch != epoch or end_event.epoch != epoch:
            raise RuntimeError("Both events must be recorded before calculating elapsed time.")
        if not (self.query() and end_event.query()):
            raise RuntimeError("Both events must be completed before calculating elapsed time.")
        return (end_event.time - self.time) * 1e3


def synchronize(device: Any = None) -> None:
    """Let the host wait until the device has done all its work."""
    state.machine().synchronize()


def current_stream(device: Any = None) -> Stream:
    """Return the stream that work goes to."""
    return Stream(number=state.machine().stream)


def default_stream(device: Any = None) -> Stream:
    """Return the stream that work goes to unless another is chosen."""
    return Stream(number=0)


def set_stream(stream: Stream | None) -> None:
    """Choose the stream that work goes to from now on; None changes nothing."""
    if stream is not None:
        state.machine().stream = stream.stream_id


@contextmanager
def stream(stream: Stream | None) -> Iterator[None]:
    """Choose the stream for the work within; None changes nothing."""
    machine = state.machine()
    before = machine.stream
    set_stream(stream)
    try:
        yield
    finally:
        machine.stream = before


def memory_allocated(device: Any = None) -> int:
    """Return the bytes of the tensors on the device, exactly (CUDA rounds each up to 512)."""
    return state.machine().memory.allocated


def max_memory_allocated(device: Any = None) -> int:
    """Return the most bytes at one time since the last reset of clock or peak."""
    return state.machine().memory.peak


def memory_reserved(device: Any = None) -> int:
    """Return the bytes that PyTorch would have asked the driver for, in blocks of 2 MiB."""
    return state.machine().memory.reserved


def reset_peak_memory_stats(device: Any = None) -> None:
    """Set the peak to what is in use now."""
    memory = state.machine().memory
    memory.peak = memory.allocated


def empty_cache() -> None:
    """Give reserved memory that is not in use back to the driver."""
    state.machine().memory.trim()


def mem_get_info(device: Any = None) -> tuple[int, int]:
    """Return free and total bytes of the device."""
    machine = state.machine()
    return machine.model.memory - machine.memory.reserved, machine.model.memory


def get_device_name(device: Any = None) -> str:
    """Return the device model's name."""
    return state.machine().model.name


def get_device_properties(device: Any = None) -> SimpleNamespace:
    """Return name, total_memory and multi_processor_count of the device model."""
    model = state.machine().model
    return SimpleNamespace(
        name=model.name, total_memory=model.memory, multi_processor_count=model.sms
    )


def device_count() -> int:
    """Return 1."""
    return 1


def current_device() -> int:
    """Return 0, the only device."""
    return 0


def set_device(device: Any) -> None:
    """Choose a device: there is one."""
    if torch.device("sim", device) != torch.device("sim", 0) if isinstance(device, int) else False:
        raise RuntimeError("SIM error: invalid device ordinal")


def is_available() -> bool:
    """Return True: this module is there only once the device is."""
    return True


def is_initialized() -> bool:
    """Return True."""
    return True


def init() -> None:
    """Do nothing: there is nothing to initialize."""


_lazy_init = init


def _is_in_bad_fork() -> bool:
    return False


def manual_seed(seed: int) -> None:
    """Do nothing: random numbers on the device are the CPU's."""


manual_seed_all = manual_seed


def get_rng_state(device: Any = None) -> torch.Tensor:
    """Return the state of the CPU's generator, which the device draws from."""
    return torch.get_rng_state()


def set_rng_state(new_state: torch.Tensor, device: Any = None) -> None:
    """Set the state of the CPU's generator, which the device draws from."""
    torch.set_rng_state(new_state)


def get_amp_supported_dtype() -> list[torch.dtype]:
    """Return the dtypes of `torch.autocast("sim")`."""
    return [torch.float16, torch.bfloat16]
