"""One grading run at a time, and writes that Ctrl-C does not cut in two."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from autograder.errors import Problem


@contextlib.contextmanager
def only_run(path: Path) -> Iterator[None]:
    """Hold the lock file `path`; it is free again when this process ends, however it ends.

    Raises `Problem` when another run holds it. Where the system has no such locks, nothing is held.
    """
    try:
        import fcntl
    except ImportError:
        yield
        return
    path.parent.mkdir(exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Problem(
                "another `autograder grade` is at work in this course; wait for it, or stop it."
            ) from None
        yield


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold Ctrl-C back until a grade is written whole."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    pressed: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: pressed.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if pressed:
        raise KeyboardInterrupt


def peak_memory() -> float | None:
    """Return the most memory that this process has held, in MB; its children not counted.

    None where the system does not say.
    """
    try:
        import resource
    except ImportError:
        return None
    try:  # Linux's ru_maxrss counts what the process that started this one had held, too
        status = Path("/proc/self/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1e3
    except (OSError, LookupError, ValueError):
        used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used / (1e6 if sys.platform == "darwin" else 1e3)
