"""The simulated device: clocks of the host and of three engines, streams, events, the ledger.

Every time is the maximum of some times plus a duration, and which ones does not depend on speeds.
So a faster link or faster arithmetic never makes a program slower. That is why each engine takes
its work in the order of launching: a scheduler that reorders can get slower on a faster machine
(Graham, Bounds for Certain Multiprocessing Anomalies, 1966).
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count

from chainrule.sim.devices import Device
from chainrule.sim.errors import SimError
from chainrule.sim.ledger import Ledger, Row
from chainrule.sim.memory import Allocation, Memory

EPOCHS = count(1)
Seen = dict[int, int]  # for each stream, how many of its operations are known to be done before


class Machine:
    """One device with its host.

    Attributes:
        model: The device model.
        memory: Bytes in use.
        dry: Tensors have no numbers.
        host: The host's clock, in seconds since the last reset.
        stream: The current stream's number.
        epoch: Grows with each reset; events and marks of an earlier one count as long done.
    """

    def __init__(self, model: Device, dry: bool = False) -> None:
        self.model = model
        self.memory = Memory()
        self.dry = dry
        self.stream = 0
        self.reset()

    def reset(self) -> None:
        """Set clocks, ledger and peak memory back, as if the device were idle."""
        self.host = 0.0
        self.rows: list[Row] = []
        self.hazards: list[str] = []
        self.engines = {"compute": 0.0, "h2d": 0.0, "d2h": 0.0}
        self.ready: dict[int, float] = {}
        self.seen: dict[int, Seen] = {}
        self.host_seen: Seen = {}
        self.epoch = next(EPOCHS)
        self.memory.peak = self.memory.allocated

    def ledger(self) -> Ledger:
        """Return a copy of the ledger."""
        peak = self.memory.peak
        return Ledger(tuple(self.rows), tuple(self.hazards), peak, self.model.name)

    # -- work ---------------------------------------------------------------------------------

    def kernel(self, name: str, nbytes: int, flops: int, peak: float, kind: str = "kernel") -> None:
        """Launch a kernel on the current stream; `peak` in FLOP/s."""
        model = self.model
        seconds = model.kernel_overhead + max(flops / peak, nbytes / model.memory_bandwidth)
        self.launch(kind, name, "compute", nbytes, flops, seconds)

    def copy(self, kind: str, name: str, nbytes: int, pinned: bool, blocking: bool) -> None:
        """Launch a copy over the link, "h2d" or "d2h"; wait for its end if it is blocking."""
        model = self.model
        rate = model.link_pinned if pinned else model.link_pageable
        seconds = model.copy_latency + nbytes / rate
        end = self.launch(kind, name, kind, nbytes, 0, seconds, pinned, blocking)
        if blocking:
            self.host = max(self.host, end)
            merge(self.host_seen, self.seen[self.stream])

    def launch(
        self,
        kind: str,
        name: str,
        engine: str,
        nbytes: int,
        flops: int,
        seconds: float,
        pinned: bool = False,
        blocking: bool = False,
    ) -> float:
        """Put work on an engine and the current stream; return when it ends."""
        stream = self.stream
        self.host += self.model.launch_latency
        start = max(self.host, self.ready.get(stream, 0.0), self.engines[engine])
        end = start + seconds
        self.ready[stream] = self.engines[engine] = end
        seen = self.seen.setdefault(stream, {})
        merge(seen, self.host_seen)
        seen[stream] = seen.get(stream, 0) + 1
        row = Row(kind, name, nbytes, flops, stream, self.host, start, end, pinned, blocking)
        self.rows.append(row)
        return end

    def host_work(self, seconds: float, name: str) -> None:
        """Let the host be busy."""
        if not seconds >= 0:
            raise SimError(f"sim.host_work: the host cannot work for {seconds} seconds")
        self.on_host("host", name, seconds)

    def on_host(self, kind: str, name: str, seconds: float, nbytes: int = 0) -> None:
        """Add a row of the host's own time."""
        start = self.host
        self.host += seconds
        row = Row(kind, name, nbytes, 0, self.stream, start, start, self.host, False, False)
        self.rows.append(row)

    # -- memory -------------------------------------------------------------------------------

    def fits(self, nbytes: int) -> bool:
        """Tell whether so many bytes more fit into the device's memory."""
        return self.memory.allocated + nbytes <= self.model.memory

    def allocate(self, key: int, nbytes: int) -> Allocation:
        """Take memory for a storage; ask the driver for more where the reserve does not do."""
        missing = self.memory.missing(nbytes, self.model.memory)
        if missing:
            self.memory.reserved += missing
            self.on_host("alloc", "driver memory", self.model.alloc_latency, missing)
        return Allocation(self.memory, key, nbytes)

    def touch(self, reads: Iterable[Allocation], writes: Iterable[Allocation]) -> None:
        """Note who used which memory in the last launch, and whether somebody could still be."""
        row = self.rows[-1]
        for allocation in writes:
            self.check(allocation, row, writes=True)
            allocation.wrote = (row.stream, self.seen[row.stream][row.stream], row.name)
            allocation.read = {}
        for allocation in reads:
            self.check(allocation, row, writes=False)
            allocation.read[row.stream] = (self.seen[row.stream][row.stream], row.name)

    def check(self, allocation: Allocation, row: Row, writes: bool) -> None:
        """Note a hazard if an earlier use of the memory is not known to be done."""
        if allocation.epoch != self.epoch:
            allocation.epoch, allocation.wrote, allocation.read = self.epoch, None, {}
        seen = self.seen[row.stream]
        if allocation.wrote is not None:
            stream, number, name = allocation.wrote
            if seen.get(stream, 0) < number:
                self.hazard(row, "writes over" if writes else "uses", name, "wrote", stream)
        if not writes:
            return
        for stream, (number, name) in allocation.read.items():
            if seen.get(stream, 0) < number:
                self.hazard(row, "writes over", name, "reads", stream)

    def hazard(self, row: Row, does: str, name: str, did: str, stream: int) -> None:
        """Add a sentence to the list."""
        self.hazards.append(
            f"{row.name} on stream {row.stream} {does} what {name} on stream {stream} {did}, "
            "without waiting for it"
        )

    # -- order --------------------------------------------------------------------------------

    def wait(self, name: str, until: float, seen: Seen) -> None:
        """Let the host wait until a time, after which it knows what `seen` says."""
        merge(self.host_seen, seen)
        self.on_host("sync", name, max(0.0, until - self.host))

    def synchronize(self, stream: int | None = None, name: str = "synchronize") -> None:
        """Let the host wait for one stream, or for all of them."""
        streams = list(self.ready) if stream is None else [stream]
        until = max((self.ready.get(s, 0.0) for s in streams), default=0.0)
        seen: Seen = {}
        for s in streams:
            merge(seen, self.seen.get(s, {}))
        self.wait(name, until, seen)

    def mark(self, stream: int) -> tuple[float, Seen]:
        """Return when the work in a stream so far is done, and what is known to be done then."""
        seen = dict(self.host_seen)
        merge(seen, self.seen.get(stream, {}))
        return max(self.host, self.ready.get(stream, 0.0)), seen

    def stream_waits(self, stream: int, until: float, seen: Seen) -> None:
        """Let a stream's later work wait until a time, after which it knows what `seen` says."""
        self.ready[stream] = max(self.ready.get(stream, 0.0), until)
        merge(self.seen.setdefault(stream, {}), seen)


def merge(into: Seen, other: Seen) -> None:
    """Take over what the other has seen."""
    for stream, number in other.items():
        if into.get(stream, 0) < number:
            into[stream] = number
