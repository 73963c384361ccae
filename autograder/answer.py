"""The answer process: runs a student's cells and answers questions about their objects.

`python -m autograder.answer FD [MODULE...]` is a warm parent. It imports the modules, then forks a
child for every socket that arrives on FD. The parent never sees a test and never runs a cell.
"""

from __future__ import annotations

import importlib
import os
import signal
import socket
import sys

from autograder.channel import Channel, Closed
from autograder.checks import wire
from autograder.checks.desk import Boundary, Desk, TimeLimit
from autograder.checks.guard import allowed_imports
from autograder.shell import Shell


class Answerer:
    """One student's process: an IPython shell for their cells and a desk for questions."""

    def __init__(self, channel: Channel, shell: Shell) -> None:
        self.channel = channel
        self.shell = shell
        self.desk = Desk(shell.namespace, self._home)
        self.children: list[int] = []

    def serve(self) -> None:
        """Answer until the other end closes."""
        self.channel.send(wire.encode(["hello", os.getpid()]))
        while True:
            data, files = self.channel.receive_with_files()
            kind, body = data[:1], data[1:]
            if kind == b"Q":
                self.channel.send(b"A" + self.desk.answer(body))
            elif kind == b"R":
                self.channel.send(b"A" + self._run_cell(*wire.decode(body)))
            elif kind == b"F":
                self._fork(files[0])

    def _home(self, data: bytes) -> bytes:
        try:
            self.channel.send(b"H" + data)
            reply = self.channel.receive()
        except Closed:
            raise Boundary from None
        return reply[1:]

    def _run_cell(self, source: str, limit: float, allow: list[str] | None) -> bytes:
        permitted = None if allow is None else tuple(allow)
        with allowed_imports(permitted, self.shell.namespace):
            outputs = self.shell.run(source, limit)
        try:
            return wire.encode(outputs)
        except wire.WireError:
            note = "The output of this cell was too large or too odd to keep.\n"
            return wire.encode([{"output_type": "stream", "name": "stdout", "text": note}])

    def _fork(self, file: int) -> None:
        self.children = [pid for pid in self.children if os.waitpid(pid, os.WNOHANG) == (0, 0)]
        pid = os.fork()
        if pid:
            self.children.append(pid)
            os.close(file)
            return
        os.setsid()
        self.children = []
        self.channel.close()
        self.channel = Channel(socket.socket(fileno=file))
        self.channel.send(wire.encode(["hello", os.getpid()]))


def _child(file: int, shell: Shell) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.setsid()
    try:
        Answerer(Channel(socket.socket(fileno=file)), shell).serve()
    except (Closed, Boundary, TimeLimit):
        pass
    finally:
        os._exit(0)


def main(arguments: list[str]) -> None:
    """Import, then fork a child for each socket that arrives."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in arguments[1:]:
        importlib.import_module(name)
    control = Channel(socket.socket(fileno=int(arguments[0])))
    shell = Shell()
    children: list[int] = []
    control.send(b"ready")
    while True:
        try:
            _, files = control.receive_with_files()
        except Closed:
            return
        children = [pid for pid in children if os.waitpid(pid, os.WNOHANG) == (0, 0)]
        pid = os.fork()
        if pid == 0:
            control.close()
            _child(files[0], shell)
        children.append(pid)
        os.close(files[0])


if __name__ == "__main__":
    main(sys.argv[1:])
