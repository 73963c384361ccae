"""A core of its own for each thread that grades.

An answer process and its tester take turns: one always waits for the other. On two cores each turn
wakes a core that has gone to sleep; on one it is a switch (`python -m benchmarks.turns`). So both
are bound to one core, a different one for each thread, whichever process it belongs to. Where all
are taken, and where a system cannot bind, none is.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading

NAME = "\0autograder-core-{core}"
"""An abstract address of Linux: bound by one at a time, free again when its process ends."""

_own = threading.local()


def own_core() -> int | None:
    """Return the core of the calling thread, its own from the first call to its end, or None."""
    if not hasattr(_own, "core"):
        _own.core, _own.lease = _lease()
    core: int | None = _own.core
    return core


def bind(pid: int, core: int | None) -> None:
    """Bind a process to a core, and whatever it forks from now on; 0 is the calling one."""
    if core is not None:
        with contextlib.suppress(OSError):
            os.sched_setaffinity(pid, {core})


def _lease() -> tuple[int | None, socket.socket | None]:
    if not hasattr(os, "sched_setaffinity"):
        return None, None
    usable = sorted(os.sched_getaffinity(0))
    for core in usable if len(usable) > 1 else ():
        lease = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            lease.bind(NAME.format(core=core))
        except OSError:
            lease.close()
        else:
            return core, lease
    return None, None
