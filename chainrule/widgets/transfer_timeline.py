"""Batches travel to a device: who copies, who computes and who waits, on one time axis.

    line = TransferTimeline(pinned=True, overlap=True)
    line                                 # in a notebook: lanes, sliders, three switches
    print(line.text())                   # the same as text
    line.plan().total                    # microseconds until the host has the last result

Four batches are copied to the device, computed there by four kernels each, and a number of each
comes back. The browser plans that by itself, so the timeline also lives in a page without a kernel.
"""

from __future__ import annotations

import math
from typing import Any

import anywidget
import traitlets

from chainrule.widgets.assets import module, style
from chainrule.widgets.textform import number, table
from chainrule.widgets.transfer_timeline_math import BATCHES, KERNELS, Plan, State, schedule

HEAD = ("batch", "copied, ms", "computed, ms", "known to the host")
MOST = 64.0
"""The fastest link, in GB/s, and the fastest arithmetic, in TFLOP/s."""


class TransferTimeline(anywidget.AnyWidget):
    """A timeline of copies and kernels.

    Traits, all synced with the browser:
        bandwidth  of the link from pinned memory, 1 to 64 GB/s; half of that from pageable memory
        tflops     of the device, 1 to 64 TFLOP/s
        batch      how many samples are in a batch, 1 to 1024; one has 64 KiB and costs 40 MFLOP
        pinned     the batches lie in pinned memory
        overlap    copies have a stream of their own; only from pinned memory does that help
        look       the host looks at a number of each batch before it goes on
    """

    _esm = module("transfer_timeline.js")
    _css = style("common.css", "transfer_timeline.css")

    bandwidth = traitlets.Float(11.0, min=1.0, max=MOST).tag(sync=True)
    tflops = traitlets.Float(12.0, min=1.0, max=MOST).tag(sync=True)
    batch = traitlets.Int(64, min=1, max=1024).tag(sync=True)
    pinned = traitlets.Bool(False).tag(sync=True)
    overlap = traitlets.Bool(False).tag(sync=True)
    look = traitlets.Bool(True).tag(sync=True)

    @traitlets.validate("bandwidth", "tflops")
    def _finite(self, proposal: Any) -> float:
        if not math.isfinite(proposal["value"]):
            raise traitlets.TraitError(f"{proposal['trait'].name} is a finite number.")
        return float(proposal["value"])

    def plan(self) -> Plan:
        """Return what every lane does, and when."""
        return schedule(
            State(self.bandwidth, self.tflops, self.batch, self.pinned, self.overlap, self.look)
        )

    def summary(self) -> str:
        """Return the plan in one sentence."""
        plan = self.plan()

        def share(lane: str, kind: str = "") -> str:
            return number(100 * plan.busy(lane, kind) / plan.total, 0)

        rate = number(self.batch * BATCHES / plan.total * 1e3, 0)
        return (
            f"{number(plan.total / 1e3, 3)} ms, {rate} samples in a millisecond; copies to the "
            f"device take {share('copy')} % of the time, kernels {share('compute')} %, and the "
            f"host waits {share('host', 'wait')} %"
        )

    def rows(self) -> list[tuple[str, str, str, str]]:
        """Return for each batch when it is copied, computed and known to the host."""
        spans, rows = self.plan().spans, []
        for k in range(BATCHES):
            of = {lane: [s for s in spans if (s.lane, s.batch) == (lane, k)] for lane in LANES}
            back = _ms(of["back"][0].end) if of["back"] else "with the last"
            copy, first, last = of["copy"][0], of["compute"][0], of["compute"][KERNELS - 1]
            computed = f"{_ms(first.start)} to {_ms(last.end)}"
            rows.append((f"batch {k + 1}", f"{_ms(copy.start)} to {_ms(copy.end)}", computed, back))
        return rows

    def text(self) -> str:
        """Return settings, a sentence and a table of text."""
        memory = "pinned" if self.pinned else "pageable"
        streams = "two streams" if self.overlap else "one stream"
        looks = "looks at each batch" if self.look else "looks once, at the end"
        link, speed = number(self.bandwidth, 1), number(self.tflops, 1)
        words = f"{BATCHES} batches of {self.batch}, {memory} memory, {streams}, the host {looks}; "
        words += f"link {link} GB/s, arithmetic {speed} TFLOP/s"
        return "\n".join([words, self.summary(), table(HEAD, self.rows())])

    def _repr_mimebundle_(self, **options: Any) -> tuple[dict[Any, Any], dict[Any, Any]] | None:
        """Show the table of text wherever the widget itself cannot be shown."""
        bundle = super()._repr_mimebundle_(**options)
        if bundle is not None:
            bundle[0]["text/plain"] = self.text()
        return bundle


LANES = ("copy", "compute", "back")


def _ms(microseconds: float) -> str:
    return number(microseconds / 1e3, 3)
