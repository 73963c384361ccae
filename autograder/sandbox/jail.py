"""Closes a forked answer process in: its own namespaces, its own scratch folder, its limits.

    prison = Prison(limits)      # in the warm parent, once; `Unconfined` where Linux refuses
    pid = prison.fork()          # instead of os.fork(): the child is the first of its namespace
    if pid == 0:
        confine(limits)          # in the child, before anything of a student's runs

A child sees no other process, no network and no file but what the parent's view holds, and all that
it ever starts dies with it. Linux only: `unshare`, `mount`, `prctl` and `setrlimit`, in this order.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import stat
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

MIB = 2**20
MOUNT, IPC, USER, PID, NET = 0x20000, 0x8000000, 0x10000000, 0x20000000, 0x40000000
"""Flags of unshare(2), by namespace."""
NOSUID, NODEV, BIND, MOVE, RECURSIVE, PRIVATE = 2, 4, 0x1000, 0x2000, 0x4000, 0x40000
"""Flags of mount(2)."""
FACTS = ("cpuinfo", "filesystems", "loadavg", "meminfo", "stat", "uptime", "version", "sys")
"""What /proc says of the machine, as far as libraries ask for it."""
PR_SET_PDEATHSIG, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 1, 24, 38
CAPABILITY_VERSION_3 = 0x20080522
SCRATCH = Path("/scratch")
"""The folder that a submission may write into, empty for each."""
HOME = SCRATCH / "home"
TEMP = SCRATCH / "tmp"
SHARED = (Path("/tmp"), Path("/dev/shm"))
"""Where programs write without being asked; each submission has its own."""
WATCH_SECONDS = 0.2
GIVEN = Path("/given")
"""Where the sandbox shows the files that a lesson hands out beside its notebook."""


class Unconfined(Exception):
    """This machine does not let a process close itself in; the message says what was refused."""


@dataclass(frozen=True)
class Limits:
    """What one submission may use; sizes in bytes."""

    memory: int = 3072 * MIB
    """Writable data of one process, and resident memory of all of them together."""
    processes: int = 256
    """Processes and threads together; TensorFlow starts some 30 threads."""
    file: int = 256 * MIB
    scratch: int = 256 * MIB
    """The writable folder, which is memory."""
    open_files: int = 512
    cpu: int = 1200
    """Seconds of processor time of one process, in case that every clock of ours fails."""


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _do(what: str, code: int) -> None:
    if code < 0:
        raise Unconfined(f"{what}: {os.strerror(ctypes.get_errno())}")


class Prison:
    """Lets a warm parent fork children into process namespaces of their own.

    Made before anything is imported. The process that makes it stays behind as a guardian, which
    watches memory from outside; the one that goes on is the first of a namespace of its own, so
    that it may come back to it after each fork.
    """

    def __init__(self, limits: Limits) -> None:
        self.libc = _libc()
        _own_users(self.libc)
        _do("a process namespace", self.libc.unshare(PID))
        pid = os.fork()
        if pid:
            _guard(pid, limits)
        self.libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        self.home = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)

    def fork(self) -> int:
        """Fork; the child is process 1 of a new namespace and dies with this parent."""
        _do("a process namespace", self.libc.unshare(PID))
        pid = -1
        try:
            pid = os.fork()
        finally:
            if pid:  # a process may be on its way to one namespace at a time: back to its own
                _do("the way back", self.libc.setns(self.home, PID))
        if pid == 0:
            os.close(self.home)
            self.libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        return pid


def _own_users(libc: ctypes.CDLL) -> None:
    """Enter a user namespace in which this user is itself, with rights over what it creates."""
    user, group = os.getuid(), os.getgid()
    _do("a user namespace", libc.unshare(USER))
    try:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    except OSError as error:
        raise Unconfined(f"a user namespace: {error.strerror}") from None


def confine(limits: Limits) -> None:
    """Close this process in, for good; raises `Unconfined` if the machine refuses a step."""
    libc = _libc()
    _own_users(libc)
    _do("mount, ipc and network namespaces", libc.unshare(MOUNT | IPC | NET))
    _do("private mounts", libc.mount(b"none", b"/", None, RECURSIVE | PRIVATE, None))
    options = f"size={limits.scratch},nr_inodes=50000,mode=1777".encode()
    for folder in (SCRATCH, *SHARED):
        if not holds_python(folder):  # that one is read-only (`view`)
            made = libc.mount(b"tmpfs", bytes(folder), b"tmpfs", NOSUID | NODEV, options)
            _do(f"a scratch folder at {folder}", made)
    _own_processes(libc)
    # No namespaces inside this one, and no rights to come back with.
    with contextlib.suppress(OSError):
        Path("/proc/sys/user/max_user_namespaces").write_text("0")
    _drop_rights(libc)
    _limit(limits)
    HOME.mkdir()
    TEMP.mkdir()
    os.chdir(HOME)
    _hand_out()


def _own_processes(libc: ctypes.CDLL) -> None:
    """Show this process a /proc without others: they could tell each other things in names.

    A root user's bubblewrap covers parts of it, and Linux then allows no new one. So there it is
    a folder of the machine's facts and of this process's own entry.
    """
    if libc.mount(b"proc", b"/proc", b"proc", NOSUID | NODEV, None) == 0:
        return
    own, view = os.readlink("/proc/self"), SCRATCH / "proc"
    view.mkdir()
    _do("a view of /proc", libc.mount(b"tmpfs", bytes(view), b"tmpfs", NOSUID | NODEV, None))
    for name in (*FACTS, own):
        if os.path.isdir(f"/proc/{name}"):
            (view / name).mkdir()
        else:
            (view / name).touch()
        shown = libc.mount(f"/proc/{name}".encode(), bytes(view / name), None, BIND, None)
        _do(f"a view of /proc/{name}", shown)
    for name in {"self", str(os.getpid())} - {own}:
        os.symlink(own, view / name)
    _do("a view of /proc", libc.mount(bytes(view), b"/proc", None, MOVE, None))
    view.rmdir()


def holds_python(folder: Path) -> bool:
    """Whether Python, its packages or this course lie below a folder, as a clone in /tmp does."""
    places = (sys.prefix, sys.base_prefix, *filter(None, sys.path))
    return any(Path(place).is_relative_to(folder) for place in places)


def _drop_rights(libc: ctypes.CDLL) -> None:
    for right in range(64):
        if libc.prctl(PR_CAPBSET_DROP, right, 0, 0, 0) < 0:
            break
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    nothing = (ctypes.c_uint32 * 6)()
    _do("giving up its rights", libc.capset(header, nothing))
    _do("no new rights", libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))


def _limit(limits: Limits) -> None:
    for kind, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_DATA, limits.memory),
        (resource.RLIMIT_FSIZE, limits.file),
        (resource.RLIMIT_NPROC, limits.processes),
        (resource.RLIMIT_NOFILE, limits.open_files),
        (resource.RLIMIT_CPU, limits.cpu),
    ):
        _, highest = resource.getrlimit(kind)
        allowed = most if highest == resource.RLIM_INFINITY else min(most, highest)
        resource.setrlimit(kind, (allowed, allowed))


def _hand_out() -> None:
    """Put the lesson's own files beside the notebook: names that lead to the read-only files."""
    with contextlib.suppress(OSError):
        for file in os.scandir(GIVEN):
            os.symlink(file.path, HOME / file.name)


# -- the guardian ----------------------------------------------------------------------------------


def _guard(parent: int, limits: Limits) -> NoReturn:
    """Stay behind: kill each child of `parent` that holds too much memory; end with `parent`."""
    os.closerange(0, 256)
    while True:
        pid, status = os.waitpid(parent, os.WNOHANG)
        if pid:
            os._exit(os.waitstatus_to_exitcode(status) & 0xFF)
        base = _resident(parent)
        for child in _children(parent):
            if memory_in_use(child, base) > limits.memory:
                with contextlib.suppress(OSError):
                    os.kill(child, signal.SIGKILL)
        time.sleep(WATCH_SECONDS)


def memory_in_use(root: int, base: int) -> int:
    """Return how many bytes a process and all that it started hold, beyond `base` for each.

    `base` is what they share with the parent that they were forked from. Files in memory that no
    folder shows count too.
    """
    return sum(max(0, _resident(pid) - base) + _unlinked(pid) for pid in _family(root))


def _family(root: int) -> Iterator[int]:
    waiting = [root]
    while waiting:
        pid = waiting.pop()
        yield pid
        waiting += _children(pid)


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            text = Path(f"/proc/{pid}/task/{task}/children").read_text()
            found += map(int, text.split())
    return found


def _resident(pid: int) -> int:
    """Return resident memory that is not a file's: its own and what it shares with others."""
    total = 0
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(("RssAnon:", "RssShmem:")):
                total += int(line.split()[1]) * 1024
    return total


def _unlinked(pid: int) -> int:
    total = 0
    with contextlib.suppress(OSError):
        for name in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):
                facts = os.stat(f"/proc/{pid}/fd/{name}")
                if stat.S_ISREG(facts.st_mode) and facts.st_nlink == 0:
                    total += facts.st_blocks * 512
    return total
