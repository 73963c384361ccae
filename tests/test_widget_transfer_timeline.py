"""TransferTimeline without a browser: its plan obeys the device's rules, its text says the plan."""

from __future__ import annotations

import dataclasses
import itertools
import math
import re
from pathlib import Path

import pytest
import traitlets

from chainrule.widgets import TinyNet, TransferTimeline, write_page
from chainrule.widgets.assets import module, style
from chainrule.widgets.transfer_timeline_math import (
    BATCHES,
    COPY_LATENCY,
    KERNELS,
    LANES,
    LAUNCH,
    SAMPLE_BYTES,
    SAMPLE_FLOPS,
    State,
    schedule,
)

GOOD = State(pinned=True, overlap=True, look=False)
STATES = [
    State(bandwidth, tflops, batch, pinned, overlap, look)
    for bandwidth, tflops, batch in ((1.0, 64.0, 1024), (11.0, 12.0, 64), (64.0, 1.0, 1))
    for pinned, overlap, look in itertools.product((False, True), repeat=3)
]


@pytest.mark.parametrize("state", STATES)
def test_a_lane_does_one_thing_at_a_time(state: State) -> None:
    plan = schedule(state)
    for lane in LANES:
        spans = [s for s in plan.spans if s.lane == lane]
        assert all(s.start <= s.end for s in spans)
        assert all(a.end <= b.start for a, b in itertools.pairwise(spans))
    assert plan.total == max(s.end for s in plan.spans)


@pytest.mark.parametrize("state", STATES)
def test_nothing_is_computed_before_it_is_there(state: State) -> None:
    spans = schedule(state).spans
    for k in range(BATCHES):
        copy = next(s for s in spans if (s.lane, s.batch) == ("copy", k))
        kernels = [s for s in spans if (s.lane, s.batch) == ("compute", k)]
        assert len(kernels) == KERNELS and copy.end <= kernels[0].start
        backs = [s for s in spans if (s.lane, s.batch) == ("back", k)]
        assert len(backs) == (state.look or k == BATCHES - 1)
        assert all(kernels[-1].end <= back.start for back in backs)


def test_the_worst_and_the_best_case_by_hand() -> None:
    copy = COPY_LATENCY + 64 * SAMPLE_BYTES / 5500
    kernels = KERNELS * 2.0 + 64 * SAMPLE_FLOPS / 12e6
    one = LAUNCH + copy + LAUNCH + kernels + COPY_LATENCY
    assert schedule(State()).total == pytest.approx(4 * one)
    copy = COPY_LATENCY + 64 * SAMPLE_BYTES / 11000
    total = LAUNCH + 4 * copy + kernels + COPY_LATENCY  # the copies decide
    assert schedule(GOOD).total == pytest.approx(total)
    busy = schedule(GOOD).busy
    assert busy("copy") == pytest.approx(4 * copy) and busy("compute") == pytest.approx(4 * kernels)
    assert busy("host", "launch") == pytest.approx(LAUNCH * (BATCHES * (1 + KERNELS) + 1))


def test_faster_is_never_slower() -> None:
    for state in STATES:
        before = schedule(state).total
        for name in ("bandwidth", "tflops"):
            faster = dataclasses.replace(state, **{name: getattr(state, name) * 1.5})
            assert schedule(faster).total <= before + 1e-9


def test_streams_help_from_pinned_memory_only() -> None:
    pageable = [schedule(State(overlap=o, look=False)).total for o in (False, True)]
    pinned = [schedule(State(pinned=True, overlap=o, look=False)).total for o in (False, True)]
    assert pageable[0] == pageable[1] and pinned[1] < 0.75 * pinned[0]


def test_what_the_lesson_says_of_it() -> None:
    def total(**traits: object) -> str:
        return TransferTimeline(**traits).summary().split(" ms")[0]

    assert (total(), total(pinned=True)) == ("4.056", "2.511")
    assert total(pinned=True, look=False) == "2.466"
    assert total(pinned=True, overlap=True) == "2.511", "to look undoes the overlap"
    fast = {"pinned": True, "overlap": True, "look": False}
    plan = TransferTimeline(bandwidth=20, **fast).plan()
    assert plan.busy("copy") == pytest.approx(plan.busy("compute"), rel=0.02)
    assert plan.busy("compute") / BATCHES == pytest.approx(220, rel=0.02)
    small = TransferTimeline(batch=1, **fast)
    assert total(batch=1, **fast) == "0.117" and "the host waits 10 %" in small.summary()
    assert small.plan().busy("host", "launch") == 105.0


@pytest.mark.parametrize(
    "traits",
    [
        {"bandwidth": 0.5},
        {"bandwidth": math.nan},
        {"tflops": 100.0},
        {"batch": 0},
        {"batch": 2000},
        {"pinned": 2},
    ],
)
def test_what_is_no_timeline_is_refused(traits: dict[str, object]) -> None:
    with pytest.raises(traitlets.TraitError):
        TransferTimeline(**traits)


def test_the_text_says_settings_times_and_shares() -> None:
    line = TransferTimeline(pinned=True, look=False)
    text = line.text()
    assert text.startswith("4 batches of 64, pinned memory, one stream, the host looks once,")
    assert line.summary() in text and all(word in text for row in line.rows() for word in row)
    assert [row[3] for row in line.rows()] == ["with the last"] * 3 + ["2.466"]
    data, _ = line._repr_mimebundle_()
    assert data["text/plain"] == text


def test_the_module_is_one_file_that_asks_nobody() -> None:
    source = module("transfer_timeline.js")
    assert not re.search(r"^\s*import\b|\bimport\(", source, flags=re.MULTILINE)
    assert source.count("export ") == source.count("export default") == 1
    assert re.findall(r"https?://[^\"\s]+", source) == ["http://www.w3.org/2000/svg"]
    names = re.findall(r"^(?:const|function) (\w+)", source, flags=re.MULTILINE)
    assert len(names) == len(set(names)), "two files use one name"
    assert "</script" not in source
    assert not re.search(r"@import|url\(", style("transfer_timeline.css"))


def test_a_page_holds_it_beside_another_widget(tmp_path: Path) -> None:
    page = write_page(tmp_path / "two.html", TransferTimeline(), TinyNet()).read_text("utf-8")
    assert page.count("</script>") == 2
    assert "4.056 ms" in page, "the text form, for a reader without JavaScript"
