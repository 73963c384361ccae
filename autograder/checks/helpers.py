"""What comes up again and again in test bodies, on top of `call` and `same`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from autograder.checks import compare
from autograder.checks.judge import call, probe, session
from autograder.checks.verdict import Failed, Fault, StudentRaised

RTOL, ATOL = 1e-9, 1e-12
"""Tighter than float32 can be: its rounding alone is up to 6e-8."""


def same(
    got: Any,
    expected: Any,
    what: str,
    *,
    rtol: float = RTOL,
    atol: float = ATOL,
    dtype: bool = True,
) -> None:
    """Fail unless `got` is `expected`, saying in words where they first differ.

    Entry by entry `|got - expected| <= atol + rtol * |expected|`; shapes must agree, and dtypes
    unless `dtype=False`; NaN equals only NaN. `what` names the value for the student.
    """
    words = compare.difference(got, expected, rtol=rtol, atol=atol, dtype=dtype)
    if words:
        raise Failed(f"{what}{', at ' if words.startswith('[') else ': '}{words}")


def require(flag: bool, message: str) -> None:
    """Fail with `message` unless `flag` is True: for facts the tester itself established."""
    if type(flag) is not bool:
        raise Fault(f"require() takes True or False, not a {type(flag).__name__}")
    if not flag:
        raise Failed(message)


def at_most(value: Any, bound: float, what: str) -> None:
    """Fail unless `value` is one real number no larger than `bound`; NaN fails."""
    number = _number(value, what)
    if not number <= bound:
        raise Failed(f"{what}: expected at most {bound:g}, came {number:.10g}")


def at_least(value: Any, bound: float, what: str) -> None:
    """Fail unless `value` is one real number no smaller than `bound`; NaN fails."""
    number = _number(value, what)
    if not number >= bound:
        raise Failed(f"{what}: expected at least {bound:g}, came {number:.10g}")


def _number(value: Any, what: str) -> float:
    array = np.asarray(value) if isinstance(value, (*compare.Number, np.ndarray)) else None
    if array is None or array.ndim != 0 or array.dtype.kind not in "biuf":
        raise Failed(f"{what}: expected one number, came {compare.describe(value)}")
    return float(array)


def raises(kind: type | str, f: Any, *args: Any, mentions: str = "", **kwargs: Any) -> str:
    """Fail unless the call raises `kind` (or a subclass); return the exception's message.

    With `mentions`, the message must contain that text, in any case of letters.
    """
    name = kind if isinstance(kind, str) else kind.__name__
    try:
        value = call(f, *args, **kwargs)
    except StudentRaised as error:
        if name not in error.kinds:
            raise Failed(f"expected {name}, but {error.words()}") from None
        if mentions.lower() not in error.message.lower():
            raise Failed(
                f"the {name} is right, but its message should name {mentions!r}; "
                f"it says {compare.show(error.message)}"
            ) from None
        return error.message
    raise Failed(f"expected {name}, but the call returned {compare.describe(value)}")


def against(
    f: Any,
    oracle: Callable[..., Any],
    cases: Iterable[Sequence[Any]],
    what: str,
    **tolerances: Any,
) -> None:
    """Compare the student's `f(*case)` with `oracle(*case)` for every case."""
    for case in cases:
        fresh = [item.copy() if isinstance(item, np.ndarray) else item for item in case]
        same(call(f, *case), oracle(*fresh), what, **tolerances)


def pure(f: Any, *args: Any, **kwargs: Any) -> Any:
    """Call `f` and fail if it changed its inputs, shares memory with them, or moved NumPy's
    global random state; return its value."""
    now = session()
    report = probe("purity", f, *args, **kwargs)
    now.note(report)
    given = [*args, *kwargs.values()]
    for index, (before, after) in enumerate(zip(given, report["args"], strict=True)):
        if compare.difference(after, before, rtol=0, atol=0) and not _token(before):
            raise Failed(f"argument {index + 1} was changed by the call; work on a copy")
    if report["aliased"]:
        position = report["aliased"][0] + 1
        raise Failed(f"the result shares memory with argument {position}; return a new array")
    if report["random"]:
        raise Failed("NumPy's global random state was used; draw from the generator you are given")
    return report["value"]


def _token(value: Any) -> bool:
    from autograder.checks.wire import Hook, Opaque, Ref

    return isinstance(value, (Hook, Opaque, Ref))


def trajectory(got: Any, expected: Sequence[Any], what: str, **tolerances: Any) -> None:
    """Compare two sequences step by step and name the first step at which they part."""
    if not isinstance(got, (list, tuple, np.ndarray)):
        raise Failed(f"{what}: expected {len(expected)} steps, came {compare.describe(got)}")
    for step, (one, other) in enumerate(zip(got, expected, strict=False)):
        same(one, other, f"{what}, step {step}", **tolerances)
    if len(got) != len(expected):
        raise Failed(f"{what}: expected {len(expected)} steps, came {len(got)}")


def loops(f: Any) -> int:
    """Count the loops in the source of the student's `f` and of their functions that it names.

    Read from the syntax tree beside the student's code: evidence, never worth most of the points.
    """
    return int(probe("loops", f))
