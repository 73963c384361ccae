"""The student's side of the boundary: calls their functions and sends plain data back.

A `Desk` sits beside a student's namespace. In a notebook it lives in the same process as the test;
under the grading engine it lives in the answer process, and only bytes reach it. Either way the
same messages come in and go out, so a verdict does not depend on where the desk stands.
"""

from __future__ import annotations

import builtins
import contextlib
import importlib
import io
import linecache
import re
import signal
import sys
import threading
import types
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograder.checks import probes, wire
from autograder.checks.guard import allowed_imports, forbidden_reach

MAX_PRINTED = 4_000
"""How many characters of what a student's code prints are kept for one question."""


NEEDS_SOURCE = re.compile(r"\btf\.|\bjit\b|\binspect\b|\btorch\.(compile|export|fx)\b")
"""What reads the source of the function it is used in: AutoGraph, for one."""


FRAME = re.compile(r'^ *File "[^"\n]*", line \d+.*\n?', re.MULTILINE)
"""A line of the stack that TensorFlow puts into a message; the student's own lines follow it."""


class TimeLimit(BaseException):
    """Student code ran past its time; a `BaseException`, so that `except Exception` lets it by."""


class Boundary(BaseException):
    """The other side is gone or broke the rules; student code must not catch it."""


class Raised(Exception):
    """What a tester's function raised while student code called it."""


Reply = list[Any]
Home = Callable[[bytes], bytes]


class Desk:
    """Answers a tester's questions about the objects of one namespace."""

    def __init__(self, namespace: dict[str, Any], home: Home) -> None:
        """`namespace` is the student's globals; `home` carries a callback to the tester."""
        self.namespace = namespace
        self.home = home
        self.kept: list[Any] = []
        self.beside: dict[int, Callable[..., Any]] = {}
        self.wanted: dict[int, set[str]] = {}
        """Names of the notebook that each of these uses."""
        self.reached: dict[tuple[int, ...], tuple[list[Any], str]] = {}
        """Functions, by identity -> them, so that no others take it, and what they must not use."""
        self.limit = 10.0
        self.stopped = False
        """Whether student code ran past its time, ever."""
        self.allow: tuple[str, ...] | None = None

    def answer(self, request: bytes) -> bytes:
        """Return the reply to one request; never raises an `Exception`."""
        try:
            kind, *rest = wire.decode(request, self._resolve)
            reply = getattr(self, f"_do_{kind}")(*rest)
        except wire.WireError as error:
            reply = ["refused", str(error)]
        except NameError as error:
            reply = ["missing", str(error.name)]
        return self._encode(reply)

    # -- what can be asked ----------------------------------------------------------------------

    def _do_begin(self, seed: int, limit: float, allow: list[str] | None) -> Reply:
        self.kept.clear()
        self.beside.clear()
        self.reached.clear()
        for filename in [name for name in linecache.cache if name.startswith("<check ")]:
            del linecache.cache[filename]
        self.limit = limit
        self.allow = None if allow is None else tuple(allow)
        np.random.seed(seed % 2**32)
        return ["value", None, ""]

    def _do_define(self, key: int, source: str, name: str, wanted: list[str]) -> Reply:
        filename = f"<check {key}: {name}>"
        if NEEDS_SOURCE.search(source):
            # Elsewhere a hidden check's text would lie there for student code to read.
            linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
        scope: dict[str, Any] = {}
        exec(compile(source, filename, "exec"), scope)
        self.beside[key] = scope[name]
        self.wanted[key] = set(wanted)
        return ["value", None, ""]

    def _do_beside(self, key: int, args: list[Any], kwargs: dict[str, Any]) -> Reply:
        function = self.beside[key]
        wanted = self.wanted[key]
        for name in sorted(wanted - self.namespace.keys()):
            return ["missing", name]
        scope = {name: self.namespace[name] for name in wanted}
        reach = [value for value in scope.values() if callable(value)]
        scope["__builtins__"] = builtins
        return self._run(types.FunctionType(function.__code__, scope), args, kwargs, reach)

    def _do_call(self, function: Any, args: list[Any], kwargs: dict[str, Any]) -> Reply:
        return self._run(function, args, kwargs, [function])

    def _do_probe(self, name: str, args: list[Any], kwargs: dict[str, Any]) -> Reply:
        return self._run(probes.PROBES[name], args, kwargs, args[:1])

    # -- running student code -------------------------------------------------------------------

    def _run(
        self, function: Any, args: list[Any], kwargs: dict[str, Any], reach: list[Any]
    ) -> Reply:
        printed = io.StringIO()
        try:
            if forbidden := self._forbidden(reach):
                return ["forbidden", forbidden, ""]
            with (
                spoken(printed),
                time_limit(self.limit),
                allowed_imports(self.allow, self.namespace),
            ):
                value = function(*args, **kwargs)
            return ["value", value, printed.getvalue()[:MAX_PRINTED]]
        except TimeLimit:
            self.stopped = True
            return ["limit", self.limit, printed.getvalue()[:MAX_PRINTED]]
        except Boundary:
            raise
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt) and not _in_answer_process():
                raise
            return self._raised(error, printed.getvalue()[:MAX_PRINTED])

    def _forbidden(self, functions: list[Any]) -> str:
        """Say what these functions use that the exercise forbids; looked up once a test."""
        key = tuple(map(id, functions))
        if key not in self.reached:
            found = forbidden_reach(functions, self.namespace, self.allow)
            self.reached[key] = functions, found
        return self.reached[key][1]

    def _raised(self, error: BaseException, printed: str) -> Reply:
        kinds = [kind.__name__ for kind in type(error).__mro__]
        try:
            message = FRAME.sub("", str(error))[:2_000]
        except Exception:
            message = ""
        return ["raised", kinds, message, trail(error, self.namespace), printed]

    # -- tokens ---------------------------------------------------------------------------------

    def _resolve(self, token: Any) -> Any:
        if isinstance(token, wire.Ref):
            if token.name not in self.namespace:
                raise NameError(f"no {token.name}", name=token.name)
            return self.namespace[token.name]
        if isinstance(token, wire.Opaque):
            if token.key >= len(self.kept):
                raise wire.WireError("a token that was never given out")
            return self.kept[token.key]
        return self._hook(token)

    def _hook(self, hook: wire.Hook) -> Callable[..., Any]:
        def call_home(*args: Any, **kwargs: Any) -> Any:
            reply = wire.decode(self.home(self._encode(["hook", hook.key, list(args), kwargs])))
            if reply[0] == "value":
                return reply[1]
            kind = getattr(builtins, reply[1], Raised)
            raise kind(reply[2])

        return call_home

    def _keep(self, value: Any) -> wire.Opaque:
        self.kept.append(value)
        return wire.Opaque(len(self.kept) - 1, wire.type_name(value))

    def _encode(self, reply: Reply) -> bytes:
        try:
            return wire.encode(reply, self._keep)
        except wire.WireError as error:
            return wire.encode(["refused", str(error)])
        except Exception as error:
            return wire.encode(["refused", f"a value that cannot be read ({type(error).__name__})"])


def _in_answer_process() -> bool:
    return "autograder.answer" in sys.modules


def trail(error: BaseException, namespace: dict[str, Any]) -> list[str]:
    """Return the lines of a traceback that are the student's own, outermost first."""
    lines: list[str] = []
    step = error.__traceback__
    while step is not None and len(lines) < 24:
        frame = step.tb_frame
        if frame.f_globals is namespace:
            source = linecache.getline(frame.f_code.co_filename, step.tb_lineno).strip()
            name = frame.f_code.co_name
            place = "at top level" if name == "<module>" else f"in {name}"
            lines.append(f"{place}, line {step.tb_lineno}: {source}")
        step = step.tb_next
    return lines


@contextlib.contextmanager
def spoken(printed: io.StringIO) -> Iterator[None]:
    """Collect what student code says on either stream, warnings included.

    nbgrader gives no points to a test cell that wrote to standard error, so nothing may reach it.
    """
    before = sys.stdout, sys.stderr
    with warnings.catch_warnings():
        sys.stdout = sys.stderr = _Cut(printed)
        try:
            yield
        finally:
            sys.stdout, sys.stderr = before


class _Cut(io.TextIOBase):
    """A text stream that keeps the first `MAX_PRINTED` characters and drops the rest."""

    def __init__(self, target: io.StringIO) -> None:
        self.target = target

    def write(self, text: str) -> int:
        room = MAX_PRINTED - self.target.tell()
        if room > 0:
            self.target.write(text[:room])
        return len(text)

    def writable(self) -> bool:
        return True


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise `TimeLimit` in the running code after `seconds`, and again every half second.

    It needs Unix signals and the main thread; elsewhere nothing is limited here, and a notebook is
    interrupted by hand.
    """
    usable = hasattr(signal, "SIGALRM") and threading.current_thread() is threading.main_thread()
    if not usable or not seconds:
        yield
        return

    def stop(signum: int, frame: object) -> None:
        raise TimeLimit

    before = _set_handler(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds, 0.5)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        _set_handler(signal.SIGALRM, before)


_set_handler: Callable[[int, Any], Any] = importlib.import_module("_signal").signal
"""`signal.signal` as it is in C: the one in Python also tries to make enums of both handlers, which
takes ten times as long, twice a question."""
