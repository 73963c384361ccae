"""Messages over a socket pair: a length, then that many bytes, with a deadline on both."""

from __future__ import annotations

import os
import socket
import struct
import time

from autograder.checks.wire import MAX_BYTES

HEADER = struct.Struct("<Q")
MAX_FRAME = MAX_BYTES + 2**20


class Closed(Exception):
    """The process on the other end is gone."""


class TooLate(Exception):
    """The other end did not answer in time."""


class Channel:
    """One end of a conversation between two of the grader's processes."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock

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
        try:
            self.sock.settimeout(seconds)
            if files:
                socket.send_fds(self.sock, [HEADER.pack(len(data))], list(files))
            else:
                self.sock.sendall(HEADER.pack(len(data)))
            self.sock.sendall(data)
        except TimeoutError:
            raise TooLate from None
        except OSError:
            raise Closed from None

    def receive(self, seconds: float | None = None) -> bytes:
        """Return the next message."""
        data, files = self.receive_with_files(seconds)
        for file in files:
            os.close(file)
        return data

    def receive_with_files(self, seconds: float | None = None) -> tuple[bytes, list[int]]:
        """Return the next message and the open files that came with it."""
        until = None if seconds is None else time.monotonic() + seconds
        head, files = self._take(HEADER.size, until)
        (length,) = HEADER.unpack(head)
        if length > MAX_FRAME:
            raise Closed
        body, _ = self._take(length, until)
        return body, files

    def _take(self, count: int, until: float | None) -> tuple[bytes, list[int]]:
        parts, got, files = [], 0, []
        while got < count:
            left = None if until is None else until - time.monotonic()
            if left is not None and left <= 0:
                raise TooLate
            try:
                self.sock.settimeout(left)
                piece, new, _, _ = socket.recv_fds(self.sock, min(count - got, 2**20), 4)
            except TimeoutError:
                raise TooLate from None
            except OSError:
                raise Closed from None
            files += new
            if not piece:
                raise Closed
            parts.append(piece)
            got += len(piece)
        return b"".join(parts), files
