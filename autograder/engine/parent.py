"""Warm parents: processes that have imported what is slow, and fork a child for each request.

There is one parent for each set of imports that exercises allow, and one for the testers. A parent
never runs a cell and never sees an answer; an answer parent never sees a test either.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.channel import Channel, Closed, TooLate
from autograder.sandbox.quiet import environment
from autograder.sandbox.view import offered, sandboxed

START_SECONDS = 120.0
GRACE = 5.0

Allow = tuple[str, ...] | None


class Lost(Exception):
    """A process ended or does not answer; the message says which."""


@dataclass(frozen=True)
class Wish:
    """What an answer parent is started with."""

    allow: Allow = None
    """Top-level modules that its exercises may import; None for a course that lists none."""
    preload: tuple[str, ...] = ()
    given: tuple[Path, ...] = ()
    """Files handed out beside the notebook."""
    sandbox: bool = True


class Parent:
    """A warm process and the way to it."""

    def __init__(
        self, module: str, arguments: Sequence[str] = (), wish: Wish | None = None
    ) -> None:
        """Start `python -m module`; with a wish in the sandbox of that wish, where there is one."""
        self.confined = wish is not None and wish.sandbox and not offered()
        self.sending = threading.Lock()
        ours, theirs = Channel.pair()
        words = [sys.executable, "-m", module, str(theirs.fileno()), *arguments]
        if wish and self.confined:
            words = sandboxed(words, wish.allow, wish.given)
        # What student code writes past Python, as TensorFlow does when it starts, is not for this
        # terminal; what goes wrong in the tester is ours to see.
        silent = subprocess.DEVNULL if wish else None
        self.process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=silent,
            stderr=silent,
            pass_fds=(theirs.fileno(),),
            env=environment(confined=self.confined),
        )
        theirs.close()
        self.control = ours
        self.started = False

    def ready(self) -> None:
        """Wait until it has imported everything, the first time; raises `Lost`."""
        if self.started:
            return
        try:
            self.control.receive(START_SECONDS)
        except (Closed, TooLate):
            raise Lost("a grading process did not start") from None
        self.started = True

    def tell(self, request: bytes, files: tuple[int, ...] = ()) -> None:
        """Send a request; with open files it asks for a child that gets them.

        Several threads may do so at once.
        """
        with self.sending:
            self.control.send(request, GRACE, files=files)

    @property
    def alive(self) -> bool:
        """Whether the process is still there."""
        return self.process.poll() is None

    def close(self) -> None:
        """End the parent, and with it every child that is closed in."""
        self.control.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(0.05 if self.confined else 0)
        self.process.kill()
        self.process.wait()


def answer_parent(wish: Wish) -> Parent:
    """Start the parent of answer processes for one set of imports."""
    confined = wish.sandbox and not offered()
    return Parent("autograder.answer", ["confined" if confined else "open", *wish.preload], wish)


def tester_parent() -> Parent:
    """Start the parent of tester processes; it holds hidden tests and runs no student code."""
    return Parent("autograder.tester")


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
