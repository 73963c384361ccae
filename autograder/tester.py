"""The tester process: holds the tests, asks the answer process, and reports a verdict.

`python -m autograder.tester FD` is a warm parent that forks a child for each answer process. A
child gets the way to the answer process and the way back, and runs the tests of that one notebook.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import gc
import importlib
import inspect
import linecache
import os
import resource
import signal
import socket
import sys
import time
import types
from collections.abc import Callable
from typing import Any

import autograder
from autograder.channel import Channel, Closed, TooLate
from autograder.checks import judge, verdict, wire
from autograder.cores import bind

WARM = ("numpy.random", "numpy.linalg")
"""What NumPy loads at first use: done once here, not in every child."""
MOST_WORDS = 20_000
"""Characters of a message."""
LONGEST = 600
"""Seconds after which a tester ends itself; whoever waits for it has given up long before."""
MEMORY = 2 * 2**30
"""What a tester may hold, in bytes."""
YOUNG = 5_000
"""How many new objects a child makes before it looks for dead ones: Python itself looks at 700."""
GRACE = 3.0
"""Seconds past a call's own limit before the answer process counts as stuck."""


class _Line:
    """The tester's way to the answer process: questions, answers, and callbacks in between."""

    def __init__(self, channel: Channel, limit: float) -> None:
        self.channel = channel
        self.limit = limit
        self.lost = ""

    def ask(self, request: bytes, called: Callable[[bytes], bytes]) -> bytes:
        until = time.monotonic() + self.limit + GRACE  # callbacks included, however many come
        try:
            self.channel.send(b"Q" + request, self.limit + GRACE)
            while True:
                reply = self.channel.receive(until - time.monotonic())
                if reply[:1] != b"H":
                    return reply[1:]
                self.channel.send(b"h" + called(reply[1:]), until - time.monotonic())
        except Closed as closed:
            self.lost = "crashed"
            why = f": {closed}" if str(closed) else ""
            raise verdict.Failed(f"your code ended the whole process{why}") from None
        except TooLate:
            self.lost = "stuck"
            seconds = f"{self.limit:g}"
            raise verdict.Failed(
                f"your code was stopped: it ran for more than {seconds} seconds"
            ) from None


def judge_cell(task: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """Run one test cell against the answer process and return its record as plain data."""
    line = _Line(channel, task["limit"])
    now = judge.Session(
        ask=line.ask,
        seed=task["seed"],
        limit=task["limit"],
        allow=None if task["allow"] is None else tuple(task["allow"]),
        signatures=task["signatures"],
        title=task["title"],
    )
    record = {"verdict": "pass", "message": "", "misconception": None}
    signature = ""
    try:
        judge.run_test(load(task["source"], task["title"]), now)
    except verdict.Failed as failure:
        record["verdict"], record["message"] = "fail", str(failure)
        signature = now.signature()
        record["misconception"] = now.signatures.get(signature)
    except Exception as fault:
        record["verdict"], record["message"] = "error", f"the check is broken: {fault}"
    record["message"] = str(record["message"])[:MOST_WORDS]
    printed = "".join(now.printed)[:4_000]
    if task.get("sign") and not signature:
        signature = now.signature()
    return record | {"printed": printed, "lost": line.lost, "signature": signature}


@functools.cache
def load(source: str, title: str) -> types.FunctionType:
    """Return the function of a test cell; raises `Fault` where there is not exactly one."""
    filename = f"<test {title} {len(linecache.cache)}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
    scope = {"autograder": autograder, "test": autograder.test, "__name__": "__test__"}
    found: list[types.FunctionType] = []
    judge.tester_process = found.append
    exec(compile(source, filename, "exec"), scope)
    if len(found) != 1:
        raise verdict.Fault("a test cell holds one function under @autograder.test")
    return found[0]


@functools.cache
def study(source: str, title: str) -> None:
    """Read a test once for all children to come; what is no plain test cell is left to a child."""
    try:
        body = ast.parse(source).body
        if [type(step) for step in body] == [ast.FunctionDef]:
            judge.studied(load(source, title).__code__)
    except Exception:
        return  # a child says what is wrong with it


def main(arguments: list[str]) -> None:
    """Fork a child for each test cell that arrives."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    control = Channel(socket.socket(fileno=int(arguments[0])))
    for name in WARM:
        importlib.import_module(name)
    inspect.getsource(judge.run_test)  # compiles the tokenizer's patterns
    gc.collect()
    gc.freeze()  # a child that collects would touch, and so copy, all that is here
    gc.set_threshold(YOUNG)
    control.send(b"ready")
    children: list[int] = []
    while True:
        try:
            data, files = control.receive_with_files()
        except Closed:
            return
        children = [pid for pid in children if os.waitpid(pid, os.WNOHANG) == (0, 0)]
        if not files:
            study(*wire.decode(data))
            continue
        pid = os.fork()
        if pid == 0:
            control.close()
            bind(0, wire.decode(data))
            _child(*(Channel(socket.socket(fileno=file)) for file in files))
        children.append(pid)
        for file in files:
            os.close(file)


def _child(answer: Channel, home: Channel) -> None:
    """Run the tests that arrive, until nobody is left to send one."""
    with contextlib.suppress(OSError, ValueError):  # what student code sends may make it grow
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    try:
        while True:
            task = wire.decode(home.receive())
            signal.alarm(LONGEST)  # a test that never ends is a broken check, no process for ever
            home.send(wire.encode(judge_cell(task, answer)))
            signal.alarm(0)
    except Closed:
        pass
    finally:
        os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
