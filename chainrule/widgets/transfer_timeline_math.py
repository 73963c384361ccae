"""When everything happens while batches travel to a device: the plan that `TransferTimeline` draws.

    plan = schedule(State(bandwidth=11.0, overlap=True, pinned=True))
    plan.total                                  # microseconds until the host has the result
    plan.busy("compute")                        # microseconds of work of the compute engine

A host and three engines of a device: copies there, kernels, copies back. The rules are those of
chainrule.sim. transfer_timeline_math.js says the same in the browser.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

BATCHES = 4
KERNELS = 4
SAMPLE_BYTES = 65536
SAMPLE_FLOPS = 40e6
LAUNCH, COPY_LATENCY, OVERHEAD = 5.0, 10.0, 2.0
"""Microseconds: for the host to launch something; of a copy and of a kernel besides their work."""
LANES = ("host", "copy", "compute", "back")


class Span(NamedTuple):
    """Something that one lane does, from `start` to `end` in microseconds, for one batch."""

    lane: str
    kind: str
    batch: int
    start: float
    end: float


@dataclass(frozen=True)
class State:
    """What can be chosen: GB/s of the link from pinned memory, TFLOP/s, samples in a batch."""

    bandwidth: float = 11.0
    tflops: float = 12.0
    batch: int = 64
    pinned: bool = False
    overlap: bool = False
    look: bool = True


@dataclass
class Plan:
    """What every lane does, in the order of launching."""

    state: State
    spans: list[Span] = field(default_factory=list)
    host: float = 0.0
    stream: float = 0.0
    free: dict[str, float] = field(default_factory=lambda: dict.fromkeys(LANES, 0.0))

    @property
    def total(self) -> float:
        """Microseconds until the host has the last result."""
        return self.host

    def busy(self, lane: str, kind: str = "") -> float:
        """Return how many microseconds a lane works, on one kind of thing or on all."""
        spans = [s for s in self.spans if s.lane == lane and s.kind == (kind or s.kind)]
        return sum(s.end - s.start for s in spans)

    def launch(self, lane: str, batch: int, seconds: float, after: float) -> float:
        """Launch work on an engine, which begins it after `after`; return when it ends."""
        self.spans.append(Span("host", "launch", batch, self.host, self.host + LAUNCH))
        self.host += LAUNCH
        start = max(self.host, self.free[lane], after)
        self.free[lane] = start + seconds
        self.spans.append(Span(lane, lane, batch, start, start + seconds))
        return start + seconds

    def wait(self, batch: int, until: float) -> None:
        """Let the host wait."""
        self.spans.append(Span("host", "wait", batch, self.host, until))
        self.host = until


def schedule(state: State) -> Plan:
    """Plan all batches; copies overlap with kernels from pinned memory, in their own stream."""
    plan, apart = Plan(state), state.pinned and state.overlap
    rate = state.bandwidth * 1e3 * (1.0 if state.pinned else 0.5)  # bytes in a microsecond
    copy = COPY_LATENCY + state.batch * SAMPLE_BYTES / rate
    kernel = OVERHEAD + state.batch * SAMPLE_FLOPS / KERNELS / (state.tflops * 1e6)
    for k in range(BATCHES):
        arrived = plan.launch("copy", k, copy, 0.0 if apart else plan.stream)
        if not state.pinned:
            plan.wait(k, arrived)
        for _ in range(KERNELS):
            plan.stream = plan.launch("compute", k, kernel, max(plan.stream, arrived))
        if state.look or k == BATCHES - 1:
            plan.stream = plan.launch("back", k, COPY_LATENCY, plan.stream)
            plan.wait(k, plan.stream)
    return plan
