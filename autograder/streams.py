"""What a cell prints: ipykernel's streams without its thread, and the descriptors under them."""

from __future__ import annotations

import contextlib
import os
import select
import threading
from collections.abc import Callable, Iterator
from typing import Any

from ipykernel.iostream import IOPubThread, OutStream

MAX_TEXT = 200_000
"""Characters of each stream, and of each display, that a cell's output keeps."""
PIECE = 2**16


class _NoThread(IOPubThread):
    """In the place of the thread that would send: nothing is scheduled, `flush` sends."""

    def __init__(self) -> None:
        nothing: Any = None
        self.thread = self.io_loop = nothing

    def schedule(self, f: Callable[[], Any]) -> None:
        """Leave it to the next `flush`."""


class CellStream(OutStream):
    """ipykernel's stream: what is written waits for `flush`, each text for its own cell."""

    def __init__(self, session: Any, name: str) -> None:
        """`name` is stdout or stderr; messages go to `session`."""
        super().__init__(session, _NoThread(), name, watchfd=False)
        self.left = MAX_TEXT
        self.drain: Callable[[], None] = lambda: None

    def begin(self) -> None:
        """Start a cell: it has its own room, in this process."""
        self.left = MAX_TEXT
        self._master_pid = os.getpid()

    def write(self, string: str) -> int:
        """Keep a text, as far as there is room; that of a forked child goes through the pipe."""
        if isinstance(string, str) and os.getpid() != self._master_pid:
            os.write(("stdout", "stderr").index(self.name) + 1, string.encode(errors="replace"))
        elif self.left > 0 or not isinstance(string, str):
            super().write(string[: self.left])
            self.left -= len(string)
        return len(string)

    def flush(self) -> None:
        """Send what was written."""
        self.drain()
        super().flush()


class Descriptors:
    """Descriptors 1 and 2 while a cell runs: what subprocesses and libraries write to them.

    A pipe each, and one thread per process that reads both, as in ipykernel. The thread starts with
    the first cell, so a process that has run none may be forked; after a fork there is a new one.
    """

    def __init__(self, streams: list[CellStream]) -> None:
        self.streams = streams
        self.ends: list[tuple[int, int]] = []
        self.pid = 0
        self.lock = threading.RLock()
        for stream in streams:
            stream.drain = self.drain

    @contextlib.contextmanager
    def caught(self) -> Iterator[None]:
        """Lead both descriptors into the streams while open."""
        if self.pid != os.getpid():
            self._start()
        kept = [os.dup(1), os.dup(2)]
        for stream, copy in zip(self.streams, kept, strict=True):
            stream._original_stdstream_copy = copy  # what `fileno` answers, as in ipykernel
        for target, (_, write) in enumerate(self.ends, 1):
            os.dup2(write, target)
        try:
            yield
        finally:
            for target, copy in enumerate(kept, 1):
                os.dup2(copy, target)
                os.close(copy)

    def drain(self) -> None:
        """Take what lies in the pipes now."""
        if self.pid != os.getpid():
            return
        with self.lock:
            for stream, (read, _) in zip(self.streams, self.ends, strict=True):
                while piece := _take(read):
                    stream.write(piece.decode(errors="replace"))

    def _start(self) -> None:
        for ends in self.ends:
            for end in ends:
                os.close(end)
        self.ends = [os.pipe(), os.pipe()]
        for read, _ in self.ends:
            os.set_blocking(read, False)
        self.pid = os.getpid()
        self.lock = threading.RLock()  # the old one's holder may not exist in this process
        threading.Thread(target=self._watch, name="descriptors", daemon=True).start()

    def _watch(self) -> None:
        poll = select.poll()
        for read, _ in self.ends:
            poll.register(read, select.POLLIN)
        while True:
            poll.poll()
            self.drain()


def _take(file: int) -> bytes:
    try:
        return os.read(file, PIECE)
    except (BlockingIOError, InterruptedError):
        return b""
