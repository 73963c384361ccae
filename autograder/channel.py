"""Messages over a socket pair: a length, then that many bytes, with a deadline on both."""

from __future__ import annotations

import array
import os
import select
import signal
import socket
import struct
import time

from autograder.checks.wire import MAX_BYTES

HEADER = struct.Struct("<Q")
CREDENTIALS = struct.Struct("iII")
"""Process, user and group, as the kernel tells them."""
BESIDE = socket.CMSG_SPACE(16) + socket.CMSG_SPACE(CREDENTIALS.size)
"""Room beside a message: four open files and who sent it."""
MAX_FRAME = MAX_BYTES + 2**20
SMALL = 2**16
"""Bytes that are copied rather than sent in two pieces."""
AHEAD = 2**12
"""Bytes that are asked for where a message begins: most end within them."""


STOPPED = b"X"
"""First byte of a process's last message when it was stopped for it; the signal follows."""
STOPPED_BY: dict[int, str] = {
    signal.SIGKILL: "it was stopped by the machine: it used too much memory or processor time",
    signal.SIGXCPU: "it was stopped by the machine: it used too much processor time",
    signal.SIGXFSZ: "it was stopped by the machine: it wrote too large a file",
}
"""The words are ours: whoever owns the socket can send such a message, too."""


class Closed(Exception):
    """The process on the other end is gone; the message says why, where it is known."""


class TooLate(Exception):
    """The other end did not answer in time."""


class Channel:
    """One end of a conversation between two of the grader's processes."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.sender = 0
        """The process that sent the last message, where that was asked for; 0: not known."""
        self.ahead = b""
        """What was received of the next message."""

    @classmethod
    def pair(cls) -> tuple[Channel, Channel]:
        """Return two connected ends."""
        one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        return cls(one), cls(other)

    def fileno(self) -> int:
        """Return the file descriptor of this end."""
        return self.sock.fileno()

    def close(self) -> None:
        """Close this end; closing twice is fine."""
        self.sock.close()

    def send(self, data: bytes, seconds: float | None = None, files: tuple[int, ...] = ()) -> None:
        """Send one message, with open files if there are any."""
        until = _deadline(seconds)
        head = HEADER.pack(len(data))
        try:
            if files:
                self._wait(select.POLLOUT, until)
                socket.send_fds(self.sock, [head], list(files))
                self._push(data, until)
            elif len(data) < SMALL:  # in one piece: the other end wakes once
                self._push(head + data, until)
            else:  # without a copy
                self._push(head, until)
                self._push(data, until)
        except (OSError, ValueError):  # closed on this side makes either
            raise Closed from None

    def _push(self, data: bytes, until: float | None) -> None:
        """Send all of it; most messages find room at once."""
        if until is None:
            self.sock.sendall(data)
            return
        sent = 0
        while sent < len(data):
            try:
                sent += self.sock.send(memoryview(data)[sent:], socket.MSG_DONTWAIT)
            except BlockingIOError:
                self._wait(select.POLLOUT, until)

    def _wait(self, event: int, until: float | None) -> None:
        """Return when the socket can be read or written, or raise `TooLate`.

        The deadline is kept here and not by the socket: a process that shares it has its own.
        """
        left = None if until is None else 1000 * (until - time.monotonic())
        if left is not None and left <= 0:
            raise TooLate
        poll = select.poll()
        poll.register(self.sock, event)
        if not poll.poll(left):
            raise TooLate

    def receive(self, seconds: float | None = None) -> bytes:
        """Return the next message; open files that come with it are not taken."""
        until = _deadline(seconds)
        return self._body(self._take(HEADER.size, until, AHEAD), until)

    def ask_who_sends(self) -> None:
        """From now on let the kernel say which process sends; Linux only, elsewhere nothing."""
        if hasattr(socket, "SO_PASSCRED"):
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)

    def receive_with_sender(self, seconds: float | None = None) -> tuple[bytes, int]:
        """Return the next message and the process that sent it, as numbered here; 0: not known."""
        data, files = self.receive_with_files(seconds)
        for file in files:
            os.close(file)
        return data, self.sender

    def receive_with_files(self, seconds: float | None = None) -> tuple[bytes, list[int]]:
        """Return the next message and the open files that came with it."""
        until = _deadline(seconds)
        files: list[int] = []
        head = self._take(HEADER.size, until, files=files)
        return self._body(head, until), files

    def _body(self, head: bytes, until: float | None) -> bytes:
        (length,) = HEADER.unpack(head)
        if length > MAX_FRAME:
            raise Closed
        body = self._take(length, until)
        if body[:1] == STOPPED:
            raise Closed(STOPPED_BY.get(int.from_bytes(body[1:2]), ""))
        return body

    def _take(
        self, count: int, until: float | None, ahead: int = 0, files: list[int] | None = None
    ) -> bytes:
        """Return so many bytes; open files that come beside them are added to `files`.

        Up to `ahead` bytes of what follows are kept for the next call, where no files are waited
        for: those of the next message would be taken for this one's.
        """
        parts, missing = [self.ahead], count - len(self.ahead)
        while missing > 0:
            try:
                if until is not None:
                    self._wait(select.POLLIN, until)
                room = min(max(missing, ahead), 2**20)
                piece = self.sock.recv(room) if files is None else self._with_files(room, files)
            except (OSError, ValueError):  # closed on this side makes either
                raise Closed from None
            if not piece:
                raise Closed
            parts.append(piece)
            missing -= len(piece)
        data = b"".join(parts)
        self.ahead = data[count:]
        return data[:count]

    def _with_files(self, room: int, files: list[int]) -> bytes:
        """Return some bytes, add the open files that came beside them, and note who sent them."""
        piece, beside, _, _ = self.sock.recvmsg(room, BESIDE)
        for _, kind, data in beside:
            if kind == socket.SCM_RIGHTS:
                files += array.array("i", data[: len(data) - len(data) % 4])
            elif kind == getattr(socket, "SCM_CREDENTIALS", None):
                self.sender = CREDENTIALS.unpack(data[: CREDENTIALS.size])[0]
        return piece


def _deadline(seconds: float | None) -> float | None:
    return None if seconds is None else time.monotonic() + seconds
