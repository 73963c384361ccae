"""A Jupyter kernel without its sockets: cells go in, the outputs of a notebook come out.

The kernel, its shell, its streams and its comms are ipykernel's own, so a cell gives here what it
gives in a notebook. What is ours: the messages that they send go to `autograder.page` by a call,
there is no thread and no event loop until a cell runs, so the process may be forked, and outputs
are capped.

The private names of ipykernel that this uses were read in its version 7.4;
`tests/test_fidelity.py` compares cell by cell with a kernel behind sockets.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import logging
import os
import selectors
import sys
import threading
import time
import types
from collections.abc import Coroutine, Iterator
from typing import Any, cast

os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")

from ipykernel.eventloops import enable_gui
from ipykernel.ipkernel import IPythonKernel
from ipykernel.zmqshell import ZMQInteractiveShell
from IPython.core.error import UsageError
from jupyter_client.session import Session
from traitlets import Any as AnyTrait
from traitlets import Type
from traitlets.config import Config

from autograder.checks.desk import TimeLimit, time_limit
from autograder.page import TIMED_OUT, Page
from autograder.streams import CellStream, Descriptors

STOPPED = "This cell was stopped: it ran past its time."
FIRST_CELL = ("IPython.core.logger", "bdb")
"""What IPython imports while it runs the first cell of a kernel."""
IDLE_TURNS = 20
"""Turns that the event loop makes for a cell's other tasks when the cell is done."""


class _Line(Session):
    """A session whose messages go to a function instead of a socket."""

    deliver = AnyTrait()

    def send(self, stream: Any, msg_or_type: Any, *args: Any, **kwargs: Any) -> Any:
        """Build the message as a socket would carry it, and hand it over."""
        if isinstance(msg_or_type, dict):
            message = dict(msg_or_type)
        else:
            named = (
                dict(zip(("content", "parent", "ident", "buffers"), args, strict=False)) | kwargs
            )
            parts = {key: named.get(key) for key in ("content", "parent", "header", "metadata")}
            message = self.msg(msg_or_type, **parts)
            message["buffers"] = [bytes(buffer) for buffer in named.get("buffers") or []]
        message["content"] = self.unpack(self.pack(message["content"]))
        self.deliver(message)
        return message


class _Interactive(ZMQInteractiveShell):
    """ipykernel's shell; a cell that ran out of time reads like one that was interrupted."""

    def _get_exc_info(self, exc_tuple: Any = None) -> Any:
        kind, value, trail = super()._get_exc_info(exc_tuple)
        if not isinstance(value, TimeLimit):
            return kind, value, trail
        stopped = KeyboardInterrupt()
        stopped.__context__ = value.__context__
        return KeyboardInterrupt, stopped, _without_alarm(trail)

    def enable_gui(self, gui: Any = None) -> None:
        """Tell this kernel about it; there is no application to ask for it."""
        try:
            enable_gui(gui, kernel=self.kernel)
        except ValueError as error:
            raise UsageError(str(error)) from error
        self.active_eventloop = gui


# Libraries tell a notebook by these two.
_Interactive.__name__ = _Interactive.__qualname__ = ZMQInteractiveShell.__name__
_Interactive.__module__ = ZMQInteractiveShell.__module__


def _without_alarm(trail: Any) -> Any:
    """Cut the frame of the alarm's own handler, in which the exception was raised."""
    step = trail
    while step is not None and step.tb_next is not None:
        if step.tb_next.tb_frame.f_globals.get("__name__") == TimeLimit.__module__:
            step.tb_next = None
        step = step.tb_next
    return trail


class _Kernel(IPythonKernel):
    """ipykernel's kernel, its ends in the air."""

    shell_class = Type(_Interactive)


class Shell:
    """Runs cells one after the other in one namespace."""

    def __init__(self) -> None:
        """Build the kernel. No thread is started and no socket opened: the process may fork."""
        self.session = _Line(deliver=self._deliver, check_pid=False, key=b"")
        self.page = Page()
        for single in (*_Kernel._walk_mro(), *_Interactive._walk_mro()):
            single._instance = None
        with _absent("debugpy"):
            self.kernel = _Kernel.instance(
                config=_config(), session=self.session, log=_log(), user_ns=None
            )
        main = types.SimpleNamespace(parent_thread=threading.main_thread())
        self.kernel.shell_channel_thread = main  # whom an interrupt of an `await` may reach
        self.shell = cast(Any, self.kernel.shell)
        self._warm_up()
        self.session.msg("status")
        self.streams = [CellStream(self.session, name) for name in ("stdout", "stderr")]
        self.descriptors = Descriptors(self.streams)
        self.loop: asyncio.SelectorEventLoop | None = None
        self.loop_pid = 0
        self.lock = threading.RLock()
        self.running = ""
        """The id of the request that runs; what belongs to another one is dropped."""

    def _warm_up(self) -> None:
        """Load and compile what IPython needs for a first cell and a first error, once for all
        children; no cell is run."""
        for name in FIRST_CELL:
            with contextlib.suppress(ImportError):
                importlib.import_module(name)
        self.shell.transform_cell("0")
        try:
            compile("0 0", "<warm-up>", "exec")
        except SyntaxError as error:
            for shown in (self.shell.SyntaxTB, self.shell.InteractiveTB):
                shown.structured_traceback(type(error), error, error.__traceback__)
            self.shell.InteractiveTB.tb = None  # no cell has failed yet

    @property
    def namespace(self) -> dict[str, Any]:
        """The globals of the cells."""
        names: dict[str, Any] = self.shell.user_ns
        return names

    def run(self, source: str, limit: float) -> list[dict[str, Any]]:
        """Run one cell for at most `limit` seconds; return its outputs in nbformat's shape.

        Two more kinds may follow them: `update_display_data` replaces, in earlier cells too, the
        displays with its `transient` display id, and `widget_state` goes with the notebook.
        """
        if not source.strip():
            return []
        self.page.begin()
        started = time.monotonic()
        with self._in_place():
            try:
                with time_limit(limit):
                    self._request(source)
            except TimeLimit:
                pass
            finally:
                self.running = ""
        if limit and time.monotonic() - started >= limit:
            self.page.cell.add(_timed_out())
        page = self.page
        return [*page.cell.outputs, *page.updates.values(), *page.widget_state()]

    # -- a request and its answers ---------------------------------------------------------------

    def _request(self, source: str) -> None:
        request = self.session.msg(
            "execute_request",
            {"code": source, "silent": False, "allow_stdin": False, "stop_on_error": False},
        )
        self.running = request["header"]["msg_id"]
        self._turn(self._handle("execute_request", request))
        for stream in self.streams:
            stream.flush()
        self.running = ""
        while self.page.letters:
            _, letter = self.page.letters.popitem()
            self._turn(
                self._handle("comm_msg", self.session.msg("comm_msg", letter) | {"buffers": []})
            )

    async def _handle(self, kind: str, request: dict[str, Any]) -> None:
        self.kernel.set_parent([], request)
        self.kernel.pre_handler_hook()
        try:
            answer = self.kernel.shell_handlers[kind](None, [], request)
            if asyncio.iscoroutine(answer):
                await answer
            turns = IDLE_TURNS if len(asyncio.all_tasks()) > 1 else 0
            for _ in range(turns):
                await asyncio.sleep(0)
        finally:
            self.kernel.post_handler_hook()

    def _turn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run the event loop until `work` is done; an alarm cancels what it awaits."""
        loop = self._event_loop()
        task = loop.create_task(work)
        while not task.done():
            try:
                loop.run_until_complete(task)
            except TimeLimit:
                task.cancel()
            except (KeyboardInterrupt, SystemExit, asyncio.CancelledError):
                pass

    def _event_loop(self) -> asyncio.SelectorEventLoop:
        """Return this process's loop: none before the first cell, one of its own after a fork."""
        if self.loop is None:
            # Its registry is in this process, where epoll's would be shared with a fork.
            self.loop = asyncio.SelectorEventLoop(selectors.PollSelector())
            asyncio.set_event_loop(self.loop)
        elif self.loop_pid != os.getpid():
            renew: Any = self.loop
            renew._close_self_pipe()
            renew._make_self_pipe()
        self.loop_pid = os.getpid()
        return self.loop

    def _deliver(self, message: dict[str, Any]) -> None:
        """Take a message of the kernel, from whatever thread."""
        with self.lock:
            parent = message["parent_header"].get("msg_id")
            ours = bool(parent) and parent == self.running
            if ours and message["content"].get("ename") != TimeLimit.__name__:
                self.page.take(message)

    @contextlib.contextmanager
    def _in_place(self) -> Iterator[None]:
        """Put the streams in the place of Python's while open."""
        before = sys.stdout, sys.stderr
        for stream in self.streams:
            stream.begin()
        sys.stdout, sys.stderr = self.streams
        try:
            with self.descriptors.caught():
                yield
        finally:
            sys.stdout, sys.stderr = before


def _timed_out() -> dict[str, Any]:
    """Return what nbgrader adds to a cell that it interrupted, in our words."""
    error = {"output_type": "error", "ename": TIMED_OUT, "traceback": [STOPPED]}
    return error | {"evalue": "it ran past its time and was stopped"}


def _log() -> logging.Logger:
    """Return a logger that a cell's own settings of logging do not make speak."""
    log = logging.getLogger("autograder.kernel")
    log.propagate = False
    log.addHandler(logging.NullHandler())
    return log


def _config() -> Config:
    config = Config()
    config.HistoryManager.hist_file = ":memory:"
    config.Kernel._execute_sleep = 0.0
    return config


@contextlib.contextmanager
def _absent(module: str) -> Iterator[None]:
    """Let an import of `module` fail while open, if it has not been imported yet."""
    if module in sys.modules:
        yield
        return
    sys.modules[module] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[module]
