"""Simulated time: the roofline, what waits for what, and that faster is never slower."""

import dataclasses
from collections.abc import Callable
from itertools import pairwise

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import chainrule.sim as sim

PLAIN = sim.Device(
    name="round numbers",
    kind="gpu",
    year=2026,
    cores=1,
    sms=1,
    fp32_flops=1e9,
    fp16_flops=4e9,
    fp64_flops=5e8,
    memory_bandwidth=1e8,
    memory=10**9,
    link_pinned=1e7,
    link_pageable=5e6,
    launch_latency=1e-6,
    copy_latency=1e-5,
    kernel_overhead=2e-6,
    alloc_latency=0.0,
)


@pytest.fixture(autouse=True)
def plain() -> None:
    sim.start(PLAIN)


def last(kind: str) -> sim.Row:
    return sim.ledger().of(kind)[-1]


def test_a_kernel_is_bound_by_arithmetic_or_by_memory() -> None:
    a = torch.ones(100, 100, device="sim")
    a @ a  # 2e6 operations at 1e9: 2 ms; 120,000 bytes at 1e8 take 1.2 ms
    assert last("kernel").seconds == pytest.approx(2e-6 + 2e-3, rel=1e-12)
    a + a  # 1e4 operations; the bytes decide
    assert last("kernel").seconds == pytest.approx(2e-6 + 1.2e-3, rel=1e-12)


@pytest.mark.parametrize(
    ("dtype", "seconds"), [(torch.float16, 5e-4), (torch.bfloat16, 5e-4), (torch.float64, 4e-3)]
)
def test_the_peak_is_that_of_the_dtype(dtype: torch.dtype, seconds: float) -> None:
    sim.start(dataclasses.replace(PLAIN, memory_bandwidth=1e15))
    a = torch.ones(100, 100, device="sim", dtype=dtype)
    a @ a
    assert last("kernel").seconds == pytest.approx(2e-6 + seconds, rel=1e-6)


def test_a_launch_costs_the_host_only_its_latency() -> None:
    a = torch.ones(100, 100, device="sim")
    torch.sim.synchronize()
    sim.reset()
    for _ in range(5):
        a @ a
    assert sim.clock() == pytest.approx(5e-6)
    rows = sim.ledger().of("kernel")
    assert all(b.start == a.end for a, b in pairwise(rows))
    torch.sim.synchronize()
    assert sim.clock() == rows[-1].end == sim.ledger().seconds


@pytest.mark.parametrize(
    "wait",
    [
        lambda a: a[0, 0].item(),
        lambda a: a.cpu(),
        lambda a: str(a),
        lambda a: a.nonzero(),
        lambda a: a[a > 0],
        lambda a: bool(a.any()),
        lambda a: torch.equal(a, a),
        lambda a: torch.sim.synchronize(),
        lambda a: torch.sim.current_stream().synchronize(),
    ],
)
def test_what_makes_the_host_wait(wait: Callable[[torch.Tensor], object]) -> None:
    a = torch.ones(100, 100, device="sim")
    sim.reset()
    a @ a
    wait(a)
    assert sim.clock() >= sim.ledger().rows[0].end
    assert sim.ledger().synchronizations == 1


def test_copies_from_pinned_memory_are_faster_and_need_not_block() -> None:
    x = torch.ones(25000)  # 100,000 bytes: 20 ms pageable, 10 ms pinned
    x.to("sim", non_blocking=True)
    assert last("h2d").seconds == pytest.approx(1e-5 + 0.02)
    assert last("h2d").blocking and sim.clock() == last("h2d").end
    pinned = x.pin_memory()
    assert pinned.is_pinned() and pinned[3:].is_pinned() and not x.is_pinned()
    assert pinned.pin_memory() is pinned
    pinned.to("sim")
    assert last("h2d").seconds == pytest.approx(1e-5 + 0.01)
    assert (last("h2d").pinned, last("h2d").blocking) == (True, True)
    before = sim.clock()
    there = pinned.to("sim", non_blocking=True)
    assert sim.clock() - before == pytest.approx(1e-6)
    assert not last("h2d").blocking
    back = there.to("cpu", non_blocking=True)  # as CUDA, into pinned memory
    assert back.is_pinned() and not last("d2h").blocking
    assert last("d2h").start >= last("h2d").end


def test_copies_in_both_directions_and_kernels_overlap() -> None:
    pinned, a = torch.ones(2500).pin_memory(), torch.ones(100, 100, device="sim")
    there = pinned.to("sim")
    torch.sim.synchronize()
    sim.reset()
    one, two = torch.sim.Stream(), torch.sim.Stream()
    a @ a
    with torch.sim.stream(one):
        pinned.to("sim", non_blocking=True)
    with torch.sim.stream(two):
        there.to("cpu", non_blocking=True)
    kernel, over, back = sim.ledger().rows
    assert max(kernel.start, over.start, back.start) < min(kernel.end, over.end, back.end)


def test_a_stream_is_in_order_and_an_engine_too() -> None:
    pinned = torch.ones(2500).pin_memory()
    one, two = torch.sim.Stream(), torch.sim.Stream()
    for stream in (one, two):
        with torch.sim.stream(stream):
            pinned.to("sim", non_blocking=True)
    first, second = sim.ledger().of("h2d")
    assert second.start == first.end  # one copy engine for this direction
    assert one != two and torch.sim.current_stream() == torch.sim.default_stream()


def test_events_take_the_devices_time() -> None:
    a = torch.ones(100, 100, device="sim")
    begin, end = (torch.sim.Event(enable_timing=True) for _ in range(2))
    with pytest.raises(RuntimeError, match="must be recorded"):
        begin.elapsed_time(end)
    torch.sim.synchronize()
    begin.record()
    a @ a
    end.record()
    assert begin.query() and not end.query()
    with pytest.raises(RuntimeError, match="must be completed"):
        begin.elapsed_time(end)
    end.synchronize()
    assert end.query()
    assert begin.elapsed_time(end) == pytest.approx(2.003, rel=1e-3)  # ms; the launch is in it
    with pytest.raises(RuntimeError, match="enable_timing=True"):
        torch.sim.Event().elapsed_time(end)


@pytest.mark.parametrize("order", ["nothing", "event", "stream", "host", "same"])
def test_a_race_is_noted(order: str) -> None:
    pinned, copier = torch.ones(2500).pin_memory(), torch.sim.Stream()
    sim.reset()
    if order == "same":
        torch.sim.set_stream(copier)
    with torch.sim.stream(copier):
        there = pinned.to("sim", non_blocking=True)
        done = copier.record_event()
    if order == "event":
        done.wait()
    elif order == "stream":
        torch.sim.current_stream().wait_stream(copier)
    elif order == "host":
        done.synchronize()
    there * 2
    torch.sim.set_stream(torch.sim.default_stream())
    hazards = sim.ledger().hazards
    assert bool(hazards) == (order == "nothing")
    if hazards:
        assert hazards == (
            f"mul on stream 0 uses what copy_ on stream {copier.stream_id} wrote, "
            "without waiting for it",
        )


def test_writing_over_what_is_still_read_is_noted() -> None:
    pinned, copier = torch.ones(2500).pin_memory(), torch.sim.Stream()
    buffer = torch.zeros(2500, device="sim")
    torch.sim.synchronize()
    buffer * 2
    with torch.sim.stream(copier):
        buffer.copy_(pinned, non_blocking=True)
    assert any("writes over what mul on stream 0 reads" in text for text in sim.ledger().hazards)


def test_an_event_of_before_a_reset_is_long_done() -> None:
    event = torch.sim.Event(enable_timing=True)
    torch.ones(100, device="sim") * 2
    event.record()
    sim.reset()
    event.wait()
    event.synchronize()
    assert event.query() and sim.clock() == 0.0


def test_the_hosts_own_work_goes_on_beside_the_device() -> None:
    a = torch.ones(100, 100, device="sim")
    torch.sim.synchronize()
    sim.reset()
    a @ a
    sim.host_work(1e-3, "reading a batch")
    a @ a
    rows = sim.ledger().rows
    assert [row.kind for row in rows] == ["kernel", "host", "kernel"]
    assert rows[2].start == rows[0].end > rows[1].end
    with pytest.raises(sim.SimError):
        sim.host_work(-1.0)


# -- the loop of the lesson -----------------------------------------------------------------------


def batches() -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(64, 1000, generator=generator) for _ in range(8)]


def step(w: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    return (x @ w).relu().sum()


def blocking() -> tuple[float, list[float]]:
    """Copy each batch from ordinary memory, and read each loss at once."""
    data, w = batches(), torch.ones(1000, 100, device="sim")
    torch.sim.synchronize()
    sim.reset()
    losses = [step(w, x.to("sim")).item() for x in data]
    return sim.ledger().seconds, losses


def overlapped() -> tuple[float, list[float]]:
    """Copy the next batch while the device works on this one; read all losses at the end."""
    data, w = [x.pin_memory() for x in batches()], torch.ones(1000, 100, device="sim")
    copier, losses = torch.sim.Stream(), []
    torch.sim.synchronize()
    sim.reset()
    for x in data:
        with torch.sim.stream(copier):
            there = x.to("sim", non_blocking=True)
        torch.sim.current_stream().wait_stream(copier)
        losses.append(step(w, there))
    told = torch.stack(losses).tolist()
    assert not sim.ledger().hazards
    return sim.ledger().seconds, told


def test_the_overlapped_loop_beats_the_blocking_one_to_the_last_digit() -> None:
    sim.start("titan-xp")
    slow, told = blocking()
    fast, again = overlapped()
    assert told == again
    assert (blocking()[0], overlapped()[0]) == (slow, fast)
    # Sums of the table's numbers, so that a change of the model is a change of this line.
    assert (f"{slow * 1e3:.6f}", f"{fast * 1e3:.6f}") == SECONDS


SECONDS = ("0.732369", "0.290572")


# -- faster is never slower -----------------------------------------------------------------------

ACTIONS = ["copy", "pinned", "back", "kernel", "item", "event", "wait", "join", "sync", "switch"]
RATES = ["fp32_flops", "memory_bandwidth", "link_pinned", "link_pageable"]
FACTORS = [1.0, 1.001, 1.1, 1.5, 2.0, 3.0, 5.0, 10.0, 100.0, 1e4]
LATENCIES = ["launch_latency", "copy_latency", "kernel_overhead", "alloc_latency"]


def perform(model: sim.Device, actions: list[tuple[str, int]]) -> float:
    """Return the seconds of a program of these actions on 3 streams."""
    sim.start(model)
    streams = [torch.sim.default_stream(), torch.sim.Stream(), torch.sim.Stream()]
    event, host = torch.sim.Event(), torch.ones(300)
    pinned, there = host.pin_memory(), torch.ones(20, 20, device="sim")
    doing: dict[str, Callable[[int], object]] = {
        "copy": lambda n: host.to("sim"),
        "pinned": lambda n: pinned[: 100 * n + 1].to("sim", non_blocking=True),
        "back": lambda n: there.to("cpu", non_blocking=bool(n)),
        "kernel": lambda n: there @ there if n else there + there,
        "item": lambda n: there[0, 0].item(),
        "event": lambda n: event.record(streams[n]),
        "wait": lambda n: event.wait(streams[n]),
        "join": lambda n: torch.sim.current_stream().wait_stream(streams[n]),
        "sync": lambda n: torch.sim.synchronize(),
        "switch": lambda n: torch.sim.set_stream(streams[n]),
    }
    for action, n in actions:
        doing[action](n)
    return sim.ledger().seconds


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(0, 2)), min_size=5, max_size=25),
    st.sampled_from(["titan-xp", "h200", "two-xeons"]),
    st.lists(st.tuples(st.sampled_from(RATES), st.sampled_from(FACTORS)), max_size=2),
    st.lists(st.tuples(st.sampled_from(LATENCIES), st.floats(0, 1)), max_size=2),
)
def test_a_faster_device_is_never_slower(
    actions: list[tuple[str, int]],
    name: str,
    rates: list[tuple[str, float]],
    latencies: list[tuple[str, float]],
) -> None:
    model = sim.DEVICES[name]
    changes = {field: getattr(model, field) * factor for field, factor in [*rates, *latencies]}
    faster = dataclasses.replace(model, **changes)
    assert perform(faster, actions) <= perform(model, actions) * (1 + 1e-12)
    assert perform(model, actions) == perform(model, actions)
