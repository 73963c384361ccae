"""Run pip and say, at least every ten seconds, how far it is; put its errors into one sentence."""

from __future__ import annotations

import queue
import re
import subprocess
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

EVERY = 10.0  # seconds between two lines of progress

# What pip or venv print when something outside them is wrong, and what a person can do about it.
# The first row that is found counts: a lost connection also ends in "No matching distribution".
CAUSES = (
    (
        r"No space left on device|Errno 28",
        "the disk that holds {place} is full; make room and run the same command again.",
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED|SSLError",
        "the package index answered with a certificate that this machine does not trust; "
        "look at its clock and its proxy, then run the same command again.",
    ),
    (
        r"name resolution|NewConnectionError|getaddrinfo|Network is unreachable|timed out"
        r"|ConnectionResetError|Connection refused|ProxyError|IncompleteRead|RemoteDisconnected"
        r"|Max retries exceeded|nodename nor servname",
        "the package index could not be reached; see that the network is up and run the same "
        "command again, it goes on where it stopped.",
    ),
    (
        r"No matching distribution found for (tensorflow|torch)",
        "{found[1]} has no build for this machine; install without PyTorch and TensorFlow: "
        "make lab LIGHT=1",
    ),
    (
        r"No matching distribution found for (\S+)",
        "the package index has no {found[1]} for this Python and this machine; try another Python "
        "from 3.11 to 3.13.",
    ),
    (
        r"Permission denied|Errno 13",
        "{place} may not be written by you; take ownership of the folder and run this again.",
    ),
)


def explain(said: str, place: Path) -> str | None:
    """Return the sentence for an error that pip or venv printed, or None when it is a new one."""
    for pattern, sentence in CAUSES:
        found = re.search(pattern, said)
        if found:
            return sentence.format(place=place.parent, found=found)
    return None


@dataclass
class Progress:
    """How far pip is, read from its own lines."""

    expected: int
    packages: Path
    seen: set[str] = field(default_factory=set)
    action: str = "at work"
    unpacking: int = 0
    before: int = 0

    def __post_init__(self) -> None:
        """Remember how full the environment was."""
        self.before = self.installed()

    def read(self, line: str) -> None:
        """Take one line of pip's output into account."""
        if found := re.match(r"(?:Collecting|Requirement already satisfied:) ([\w.-]+)", line):
            self.seen.add(found[1])
            self.action = f"looked up {len(self.seen)} of about {self.expected}"
        elif found := re.match(r"\s+Downloading (\S+)-\d\S*\.(?:whl|tar\.gz) \((.+)\)", line):
            self.action = (
                f"fetching {Path(found[1]).name}, {found[2]} "
                f"({len(self.seen)} of about {self.expected})"
            )
        elif line.startswith("Installing collected packages:"):
            self.unpacking = line.count(",") + 1
        elif "Retrying" in line:
            self.action = "waiting for the network"

    def installed(self) -> int:
        """Return how many packages the environment holds; pip says nothing while it unpacks."""
        return sum(1 for _ in self.packages.glob("*.dist-info"))

    def __str__(self) -> str:
        """Return what pip is doing, for one line of progress."""
        if self.unpacking:
            return f"unpacked {self.installed() - self.before} of {self.unpacking}"
        return self.action


def _pump(stream: Iterable[str], lines: queue.Queue[str | None]) -> None:
    """Move a process's output into a queue, line by line, then None."""
    for line in stream:
        lines.put(line)
    lines.put(None)


def watch(
    command: list[str], log: Path, progress: Progress, *, cwd: Path, env: Mapping[str, str]
) -> bool:
    """Run pip, write what it says to `log`, print progress; return whether it succeeded."""
    with (
        log.open("w", encoding="utf-8") as copy,
        subprocess.Popen(
            command,
            cwd=cwd,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
        ) as process,
    ):
        assert process.stdout is not None
        lines: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=_pump, args=(process.stdout, lines), daemon=True).start()
        try:
            _follow(lines, copy, progress, time.monotonic())
        except BaseException:
            process.terminate()
            raise
    return process.returncode == 0


def _follow(lines: queue.Queue[str | None], copy: TextIO, progress: Progress, begun: float) -> None:
    """Read lines until there are no more; print where pip stands when `EVERY` seconds have gone."""
    printed = begun
    while True:
        try:
            line = lines.get(timeout=max(0.0, printed + EVERY - time.monotonic()))
        except queue.Empty:
            line = ""
        if line is None:
            return
        if line:
            copy.write(line)
            copy.flush()
            progress.read(line)
        now = time.monotonic()
        if now - printed >= EVERY:
            print(f"      {now - begun:3.0f} s  {progress}", flush=True)
            printed = now
