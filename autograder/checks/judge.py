"""The tester's side of the boundary: `@test`, `call`, `beside`, and the verdict.

A test cell is one function under `@autograder.test`. Its body runs at once, in a namespace of the
tester's own: NumPy, `math`, the helpers of `autograder.checks`, and for every other name a token
for the student's object of that name. So nothing that a notebook defines can change how it is
judged, and the cell leaves no name behind.
"""

from __future__ import annotations

import builtins
import dis
import functools
import hashlib
import inspect
import math
import sys
import textwrap
import types
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograder.checks import compare, wire
from autograder.checks.verdict import Failed, Fault, StudentRaised

KEPT = "\n\t\u200d"
"""Characters of the categories that `_text` drops which text does need."""
HIDDEN = ("### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS")
MOST_PRINTED, MOST_KINDS, MOST_LINES = 4_000, 50, 24
"""Characters, classes and lines that are read of what student code printed or raised."""
MOST_SAID = 6
"""How many arguments of a call that raised are told."""
Ask = Callable[[bytes, Callable[[bytes], bytes]], bytes]
"""Carries a request to the desk and its reply back; the second argument answers callbacks."""


@dataclass
class Session:
    """One test cell being judged: the way to the student's desk, and what came back so far."""

    ask: Ask
    seed: int = 0
    limit: float = 10.0
    allow: tuple[str, ...] | None = None
    signatures: dict[str, str] = field(default_factory=dict)
    title: str = ""
    source: str = ""
    body: types.CodeType | None = None
    hooks: list[Callable[..., Any]] = field(default_factory=list)
    outcomes: list[Any] = field(default_factory=list)
    printed: list[str] = field(default_factory=list)
    definitions: int = 0
    refused: list[Failed | Fault] = field(default_factory=list)
    """What a function of the tester's said when student code called it."""

    def request(self, message: list[Any]) -> Any:
        """Send one message and return the value of its reply, or raise what the reply says."""
        try:
            data = wire.encode(message, _tokens)
        except wire.WireError as error:
            raise Fault(f"the check sent what cannot cross: {error}") from None
        try:
            kind, *rest = wire.decode(self.ask(data, self.called), _token_of)
            if self.refused:
                raise self.refused.pop()
            return _read_reply(self, str(kind), rest)
        except (wire.WireError, TypeError, ValueError, KeyError):
            raise Failed("your code sent back something that is no answer") from None

    def called(self, data: bytes) -> bytes:
        """Answer a callback from student code; only values cross."""
        try:
            _, key, args, kwargs = wire.decode(data)
            hook = self.hooks[key]
        except (wire.WireError, ValueError, TypeError, IndexError) as error:
            return wire.encode(["raised", "TypeError", str(error)[:500]])
        try:
            return wire.encode(["value", hook(*args, **kwargs)])
        except (Failed, Fault) as verdict:  # for the test, whatever student code makes of it
            self.refused.append(verdict)
            return wire.encode(["raised", "Exception", "the check has seen enough"])
        except Exception as error:
            name = getattr(getattr(hook, "__self__", None), "name", "")
            words = str(error).replace(name, "the function") if name else str(error)
            return wire.encode(["raised", type(error).__name__, words[:500]])

    def note(self, outcome: Any) -> None:
        """Remember what student code did on a visible case, for the misconception's signature."""
        if self.body is not None and not self.in_hidden_part():
            self.outcomes.append(outcome)

    def in_hidden_part(self) -> bool:
        """Tell whether the test's body is now inside its hidden region."""
        frame = sys._getframe()
        while frame is not None and frame.f_code is not self.body:
            if frame.f_back is None:
                return False
            frame = frame.f_back
        return frame.f_lineno - frame.f_code.co_firstlineno in _hidden_lines(self.source)

    def signature(self) -> str:
        """Hash what student code did on the visible cases up to here."""
        words = "\n".join(compare.rounded(self.outcomes))
        return hashlib.sha256(words.encode("utf-8", "surrogatepass")).hexdigest()[:16]


STACK = "(most recent call last)"
"""Heads a stack in a message of TensorFlow's, with paths, and with whichever node failed first."""

_sessions: list[Session] = []

tester_process: Callable[[types.FunctionType], None] | None = None
"""Set in a tester process: takes the function of the test cell that is being loaded."""


def session() -> Session:
    """Return the session of the test that is running."""
    if not _sessions:
        raise Fault("call, same and their like work inside a function under @autograder.test")
    return _sessions[-1]


def _read_reply(now: Session, kind: str, rest: list[Any]) -> Any:
    """Return the value of a reply, or raise what it says; its lengths are not to be trusted."""
    if kind not in ("value", "raised"):
        raise _refusal(kind, rest)
    *found, printed = rest
    if printed:
        now.printed.append(_text(printed, MOST_PRINTED))
    if kind == "value":
        (value,) = found
        return value
    kinds, message, trail = found
    raise StudentRaised(
        [_text(kind, 80) for kind in kinds[:MOST_KINDS]] or ["an error"],
        _text(message, MOST_PRINTED),
        [_text(line, 500) for line in trail[:MOST_LINES]],
    )


def _text(words: Any, most: int) -> str:
    """Return the beginning of a student's words without what no file can hold, or what steers a
    terminal or a line: half surrogates, control characters, marks that turn the direction."""
    text = str(words)[:most]
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        char if char in KEPT or unicodedata.category(char) not in ("Cc", "Cf", "Cs") else "\ufffd"
        for char in text
    )


def _token_of(token: Any) -> Any:
    """Return a token that came from student code, the name that it gave itself made harmless."""
    if isinstance(token, wire.Opaque):
        return wire.Opaque(token.key, _text(token.type_name, 80))
    return token


def _refusal(kind: str, rest: list[Any]) -> Exception:
    detail = rest[0] if rest else ""
    if isinstance(detail, str):
        detail = _text(detail, 500)
    if kind == "missing":
        return Failed(f"your notebook has no `{detail}` yet: run the cell that defines it")
    if kind == "limit" and isinstance(detail, (int, float)):
        return Failed(f"your code was stopped: it ran for more than {detail:g} seconds")
    if kind == "refused":
        return Failed(f"your code returned {detail}")
    return Failed(str(detail))


# ---------------------------------------------------------------------------------------------
# What a test body uses.


def call(f: Any, *args: Any, **kwargs: Any) -> Any:
    """Call the student's function `f` by value and return plain data.

    What cannot cross comes back as a token that can only be handed back. Raises `StudentRaised` if
    the function does; that ends the test with the student's own traceback. A `@beside` function
    may stand for `f`.
    """
    if isinstance(f, types.FunctionType):
        return f(*args, **kwargs)
    return _asked("call", f, list(args), kwargs)


def _asked(kind: str, target: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
    try:
        value = _request([kind, target, args, kwargs])
    except StudentRaised as error:
        error.given = _in_words(args, kwargs)
        raise
    session().note(value)
    return value


def _in_words(args: list[Any], kwargs: dict[str, Any]) -> str:
    """Say what a function was called with: kinds and shapes of arrays, the values of the rest."""
    named = [("", value) for value in args] + [(f"{name}=", kwargs[name]) for name in kwargs]
    said = [name + _said(value) for name, value in named if not isinstance(value, wire.Ref)]
    more = f" and {len(said) - MOST_SAID} more" if len(said) > MOST_SAID else ""
    return ", ".join(said[:MOST_SAID]) + more


def _said(value: Any) -> str:
    if isinstance(value, callback):
        return "a function"
    plain = value is None or isinstance(value, (bool, int, float, complex, str, np.generic))
    return compare.show(value) if plain else compare.describe(value)


def probe(name: str, *args: Any, **kwargs: Any) -> Any:
    """Ask one of the desk's own questions, such as `purity`, about a student's function."""
    return _request(["probe", name, list(args), kwargs])


def _request(message: list[Any]) -> Any:
    """Send one message; how it failed, if it did, is noted for the signature."""
    now = session()
    try:
        return now.request(message)
    except StudentRaised as error:
        now.note(f"{error.kinds[0]}: {_lasting(error.message)}")
        raise
    except Failed as failure:
        now.note(str(failure))
        raise


def _lasting(message: str) -> str:
    """What of a message is the same in any process: one that brings a stack is its first line."""
    return message.strip().partition("\n")[0] if STACK in message else message


def beside(f: Callable[..., Any]) -> Callable[..., Any]:
    """Ship the source of `f` to run next to the student's objects; plain data in and out.

    `f` may use its arguments, modules it imports itself, Python's built-ins and the student's
    names, nothing else: it has no closure and no default values.
    """
    now = session()
    if f.__code__.co_freevars:
        names = ", ".join(f.__code__.co_freevars)
        raise Fault(f"the @beside function {f.__name__} uses {names} from outside; pass them in")
    lines = source_of(f.__code__).splitlines(keepends=True)
    start = next(i for i, line in enumerate(lines) if line.lstrip().startswith("def "))
    key = now.definitions
    now.definitions += 1
    wanted = sorted(_free_names(f.__code__))
    now.request(["define", key, "".join(lines[start:]), f.__name__, wanted])

    def run(*args: Any, **kwargs: Any) -> Any:
        return _asked("beside", key, list(args), kwargs)

    run.__name__ = f.__name__
    return run


class callback:
    """Wrap a tester's function so that student code can call it; `calls` counts here, not there."""

    def __init__(self, f: Callable[..., Any]) -> None:
        self.f = f
        self.calls = 0

    @property
    def name(self) -> str:
        """Return what Python calls the function in its own messages."""
        return str(getattr(self.f, "__qualname__", ""))

    def token(self) -> wire.Hook:
        """Return what crosses to the student's side."""
        now = session()
        now.hooks.append(self._count)
        return wire.Hook(len(now.hooks) - 1)

    def _count(self, *args: Any, **kwargs: Any) -> Any:
        self.calls += 1
        return self.f(*args, **kwargs)


def _tokens(value: Any) -> Any:
    if isinstance(value, callback):
        return value.token()
    raise wire.WireError(f"a {wire.type_name(value)}")


# ---------------------------------------------------------------------------------------------
# Running a test cell.


def source_of(code: types.CodeType) -> str:
    """Return the source of a function in a test cell, from its first column."""
    return _source_of(code, code.co_filename)


@functools.cache
def _source_of(code: types.CodeType, filename: str) -> str:
    """Code that differs in comments alone counts as equal; the names of their files differ."""
    return textwrap.dedent(inspect.getsource(code))


def studied(body: types.CodeType) -> tuple[str, frozenset[str]]:
    """Return the source of a test's body and the names that it uses from outside.

    A tester's parent does this once for all that are to be judged, and the sources of the body's
    own functions with it.
    """
    for const in body.co_consts:
        if isinstance(const, types.CodeType) and const.co_name.isidentifier():
            source_of(const)
    return source_of(body), _free_names(body)


def run_test(fn: types.FunctionType, now: Session) -> None:
    """Run the body of one test cell; return if it passes, raise `Failed` or `Fault` if not."""
    from autograder import checks

    now.source, names = studied(fn.__code__)
    now.body = fn.__code__
    tools: dict[str, Any] = {name: getattr(checks, name) for name in checks.BODY_NAMES}
    tools |= {"np": np, "math": math, "__name__": "autograder.test_body"}
    tools["__builtins__"] = builtins  # NumPy's C code imports through it
    tools |= {name: wire.Ref(name) for name in names if name not in tools}
    now.request(
        ["begin", _child_seed(now), now.limit, None if now.allow is None else list(now.allow)]
    )
    _sessions.append(now)
    try:
        types.FunctionType(fn.__code__, tools)(np.random.default_rng(_own_seed(now)))
    except StudentRaised as error:
        raise Failed(error.words()) from None
    except Failed:
        raise
    except Fault:
        raise
    except Exception as error:
        line = _body_line(error, fn.__code__)
        said = "" if line - 1 in _hidden_lines(now.source) else f": {error}"
        raise Fault(f"{type(error).__name__} in line {line} of the check{said}") from error
    finally:
        _sessions.pop()


def _body_line(error: BaseException, body: types.CodeType) -> int:
    step, line = error.__traceback__, 0
    while step is not None:
        if step.tb_frame.f_code is body:
            line = step.tb_lineno - body.co_firstlineno + 1
        step = step.tb_next
    return line


def _own_seed(now: Session) -> list[int]:
    """Return the seed of this test: the assignment's, and the text of the test.

    A kernel ends a cell with a new line, a notebook does not; the numbers are the same in both.
    """
    digest = hashlib.sha256(now.source.rstrip("\n").encode()).digest()
    return [now.seed, int.from_bytes(digest[:8], "little")]


def _child_seed(now: Session) -> int:
    """Return a seed for the student's side that tells nothing about the tester's."""
    words = repr(("student", *_own_seed(now))).encode()
    return int.from_bytes(hashlib.sha256(words).digest()[:4], "little")


@functools.lru_cache(1)
def _hidden_lines(source: str) -> frozenset[int]:
    """Return the lines of a test's hidden regions, counted from 0."""
    depth, found = 0, set()
    for number, line in enumerate(source.splitlines()):
        depth += (line.strip() == HIDDEN[0]) - (line.strip() == HIDDEN[1])
        if depth > 0:
            found.add(number)
    return frozenset(found)


@functools.cache
def _free_names(code: types.CodeType) -> frozenset[str]:
    """Return what a function uses from outside; a student who calls a variable `sum` must not
    break a check that calls `sum`."""
    steps = list(dis.get_instructions(code))
    own = {step.argval for step in steps if step.opname == "STORE_NAME"}  # of a class body
    names = {
        str(step.argval)
        for step in steps
        if step.opname in ("LOAD_GLOBAL", "LOAD_NAME") and step.argval not in own
    }
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            names |= _free_names(const)
    return frozenset(name for name in names if not hasattr(builtins, name))
