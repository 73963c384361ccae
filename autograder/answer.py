"""The answer process: runs a student's cells and answers questions about their objects.

`python -m autograder.answer FD confined|open [MODULE...]` is a warm parent. It imports the modules,
then forks a child for every socket that arrives on FD. It never sees a test and never runs a cell.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import select
import signal
import socket
import sys

from autograder.channel import STOPPED, STOPPED_BY, Channel, Closed, TooLate
from autograder.checks import wire
from autograder.checks.desk import Boundary, Desk, TimeLimit
from autograder.checks.guard import StandIn, allowed_imports
from autograder.sandbox.jail import Limits, Prison, Unconfined, confine
from autograder.shell import Shell


class Answerer:
    """One student's process: an IPython shell for their cells and a desk for questions."""

    def __init__(self, channel: Channel, shell: Shell) -> None:
        self.channel = channel
        self.shell = shell
        self.desk = Desk(shell.namespace, self._home)
        self.children: list[int] = []
        self.me = os.getpid()

    def serve(self) -> None:
        """Answer until the other end closes."""
        self.channel.send(wire.encode(["hello", os.getpid()]))
        while True:
            data, files = self.channel.receive_with_files()
            kind, body = data[:1], data[1:]
            if kind == b"Q":
                self._reply(self.desk.answer(body))
            elif kind == b"R":
                self._reply(self._run_cell(*wire.decode(body)))
            elif kind == b"F":
                self._fork(files[0])
            elif kind == b"Z":
                _bury_everybody()
            elif kind == b"M":
                self._reply(wire.encode(list(sys.modules)))

    def _reply(self, data: bytes) -> None:
        """Send an answer. A copy of this process that student code made has none to give."""
        if os.getpid() != self.me:
            os._exit(0)
        if self.desk.stopped and self.me == 1:
            # What ran past its time may have left others running: the first process of a
            # namespace can end all of them.
            self.desk.stopped = False
            with contextlib.suppress(OSError):
                os.kill(-1, signal.SIGKILL)
        self.channel.send(b"A" + data)

    def _home(self, data: bytes) -> bytes:
        try:
            self.channel.send(b"H" + data)
            reply = self.channel.receive()
        except Closed:
            raise Boundary from None
        return reply[1:]

    def _run_cell(
        self, source: str, limit: float, allow: list[str] | None, stand_ins: dict[str, str]
    ) -> bytes:
        permitted = None if allow is None else tuple(allow)
        for name, words in stand_ins.items():
            self.shell.namespace[name] = StandIn(words)
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
        self.me = os.getpid()
        self.children = []
        self.channel.close()
        self.channel = Channel(socket.socket(fileno=file))
        self.channel.send(wire.encode(["hello", os.getpid()]))


def _bury_everybody() -> None:
    """From now on let processes that end go at once, whoever started them.

    The first process of a namespace inherits every orphan; it must not collect them.
    """
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass


class AnswerParent:
    """Forks an answer process for each socket that comes; closed in where `prison` is given."""

    def __init__(self, control: Channel, prison: Prison | None, limits: Limits) -> None:
        self.control = control
        self.prison = prison
        self.limits = limits
        self.shell = Shell()
        self.children: dict[int, Channel] = {}
        """Process -> a second way to whoever asked for it, to say why it was stopped."""

    def serve(self) -> None:
        """Fork until the other end closes."""
        while True:
            self._wait()
            try:
                _, files = self.control.receive_with_files()
            except Closed:
                return
            self._fork(files[0])

    def _wait(self) -> None:
        """Return when a request has come; meanwhile see to children that ended."""
        while True:
            ends = {os.pidfd_open(pid): pid for pid in self.children} if PIDFD else {}
            try:
                control = self.control.fileno()
                ready, _, _ = select.select([control, *ends], [], [], None if PIDFD else 0.5)
            finally:
                for end in ends:
                    os.close(end)
            for pid in list(self.children):
                ended, status = os.waitpid(pid, os.WNOHANG)
                if ended:
                    self._buried(pid, status)
            if control in ready:
                return

    def _buried(self, pid: int, status: int) -> None:
        """Tell whoever asked for a process that the machine stopped it, and let it go."""
        channel = self.children.pop(pid)
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) in STOPPED_BY and self.prison:
            with contextlib.suppress(Closed, TooLate):
                channel.send(STOPPED + bytes([os.WTERMSIG(status)]), 0.2)
        channel.close()

    def _fork(self, file: int) -> None:
        pid = self.prison.fork() if self.prison else os.fork()
        channel = Channel(socket.socket(fileno=file))
        if pid:
            self.children[pid] = channel
            return
        self.control.close()
        for other in self.children.values():
            other.close()
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        os.setsid()
        try:
            if self.prison:
                confine(self.limits)
                sys.path.insert(0, "")  # as in a kernel: modules handed out beside the notebook
            Answerer(channel, self.shell).serve()
        except Unconfined as refused:
            channel.send(wire.encode(["refused", str(refused)]))
        except (Closed, Boundary, TimeLimit):
            pass
        finally:
            os._exit(0)


PIDFD = hasattr(os, "pidfd_open")


def main(arguments: list[str]) -> None:
    """FD, "confined" or "open", then the modules to import: fork a child for each socket."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    file, how, *preload = arguments
    limits = Limits()
    prison = Prison(limits) if how == "confined" else None
    for name in preload:
        with contextlib.suppress(Exception):  # a student who needs it reads the error themselves
            importlib.import_module(name)
    control = Channel(socket.socket(fileno=int(file)))
    parent = AnswerParent(control, prison, limits)
    gc.collect()
    gc.freeze()  # what is here stays here: no child need touch, and so copy, it
    control.send(b"ready")
    parent.serve()


if __name__ == "__main__":
    main(sys.argv[1:])
