"""Time a question that goes and comes between two processes: `python -m benchmarks.turns`.

An answer process and its tester take turns. Each is asked once where the system puts it and once
bound to the core of the other, in blocks that alternate; the medians are printed, and their ratio.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from typing import Any

import numpy as np

from autograder.channel import Channel, Closed
from autograder.checks import wire
from autograder.cores import bind

BLOCKS, TURNS = 20, 200
QUESTION: list[Any] = ["hook", 0, [np.zeros((16, 20)), np.zeros((20, 10)), np.zeros((10, 4))], {}]


def partner(core: int | None) -> Channel:
    """Start a process that answers every question; it ends when the way to it is closed."""
    ours, theirs = Channel.pair()
    if os.fork():
        theirs.close()
        return ours
    ours.close()
    bind(0, core)
    try:
        while True:
            wire.decode(theirs.receive())
            theirs.send(wire.encode(["value", (QUESTION[2][2], "ticket")]))
    except Closed:
        os._exit(0)


def block(core: int | None) -> float:
    """Return microseconds for a question and its answer, in one block with a fresh partner."""
    usable = os.sched_getaffinity(0)
    bind(0, core)
    way = partner(core)
    try:
        for _ in range(TURNS // 10):
            turn(way)
        begun = time.perf_counter()
        for _ in range(TURNS):
            turn(way)
        return (time.perf_counter() - begun) / TURNS * 1e6
    finally:
        way.close()
        os.wait()
        os.sched_setaffinity(0, usable)


def turn(way: Channel) -> None:
    """Ask once, through the codec and back."""
    way.send(wire.encode(QUESTION))
    wire.decode(way.receive())


def main() -> None:
    """Measure, and print a line or one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    wanted = parser.parse_args()
    core = min(os.sched_getaffinity(0))
    pairs = [(block(None), block(core)) for _ in range(BLOCKS)]
    free, bound = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratio = statistics.median(one / other for one, other in pairs)
    if wanted.json:
        print(json.dumps({"free_us": free, "bound_us": bound, "ratio": ratio}))
    else:
        print(f"free {free:.0f} microseconds, on one core {bound:.0f}; ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
