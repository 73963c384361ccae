"""Are two plain values the same, and if not, where and how do they first differ?"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from autograder.checks.wire import Opaque

Number = (bool, int, float, complex, np.generic)
KINDS = {
    "b": "bool", "i": "integer", "u": "integer", "f": "float", "c": "complex", "U": "text",
    "S": "bytes", "O": "integer too large for NumPy",
}  # fmt: skip
WORDS = ("text", "bytes")


def difference(
    got: Any, expected: Any, *, rtol: float, atol: float, dtype: bool = True, path: str = ""
) -> str | None:
    """Return in words where `got` first differs from `expected`, or None when they are the same.

    Numbers and arrays are the same when shapes agree, dtypes agree (arrays: exactly; single
    numbers: in kind) and `|got - expected| <= atol + rtol * |expected|` for each entry. NaN equals
    only NaN, an infinity only itself. Tuples and lists are interchangeable; other types are not.
    """
    if _identical(got, expected):
        return None
    if isinstance(expected, (np.ndarray, *Number)):
        return _of_arrays(got, expected, path, rtol, atol, dtype)
    options = {"rtol": rtol, "atol": atol, "dtype": dtype}
    if isinstance(expected, (list, tuple)):
        return _of_series(got, expected, path, options)
    if isinstance(expected, dict):
        return _of_dicts(got, expected, path, options)
    if isinstance(got, (np.str_, np.bytes_)):
        got = got.item()
    if type(got) is not type(expected) or got != expected:
        return f"{_place(path)}expected {show(expected)}, came {show(got)}"
    return None


def _identical(got: Any, expected: Any) -> bool:
    """Whether types, shapes and every entry are equal: most right ones are, and it is soon seen."""
    kind = type(expected)
    if kind is list or kind is tuple:
        series = type(got) in (list, tuple) and len(got) == len(expected)
        return series and all(map(_identical, got, expected))
    if type(got) is not kind:
        return False
    if kind is np.ndarray:
        return (
            got.dtype == expected.dtype
            and got.shape == expected.shape
            and (got.tobytes() == expected.tobytes() or bool((got == expected).all()))
        )
    if kind is dict:
        return got.keys() == expected.keys() and all(_identical(got[k], expected[k]) for k in got)
    return bool(got == expected)


def _place(path: str) -> str:
    return f"{path}: " if path else ""


def _of_series(got: Any, expected: Any, path: str, options: dict[str, Any]) -> str | None:
    if not isinstance(got, (list, tuple)):
        return f"{_place(path)}expected {len(expected)} values, came {describe(got)}"
    if len(got) != len(expected):
        return f"{_place(path)}expected {len(expected)} values, came {len(got)}"
    for index, (one, other) in enumerate(zip(got, expected, strict=True)):
        words = difference(one, other, path=f"{path}[{index}]", **options)
        if words:
            return words
    return None


def _of_dicts(got: Any, expected: dict[Any, Any], path: str, options: dict[str, Any]) -> str | None:
    if not isinstance(got, dict):
        return f"{_place(path)}expected a dictionary, came {describe(got)}"
    if set(got) != set(expected):
        names = sorted(map(repr, set(got) ^ set(expected)))
        return f"{_place(path)}the keys differ: {', '.join(names[:6])} only on one side"
    for key, other in expected.items():
        words = difference(got[key], other, path=f"{path}[{key!r}]", **options)
        if words:
            return words
    return None


def _of_arrays(
    got: Any, expected: Any, path: str, rtol: float, atol: float, dtype: bool
) -> str | None:
    if not isinstance(got, (np.ndarray, *Number)):
        return f"{_place(path)}expected {describe(expected)}, came {describe(got)}"
    single = not isinstance(expected, np.ndarray)
    a, b = np.asarray(got), np.asarray(expected)
    if a.shape != b.shape:
        return f"{_place(path)}expected shape {b.shape}, came {a.shape}"
    words = _kind(a) in WORDS or _kind(b) in WORDS
    exact = not single and isinstance(got, np.ndarray) and b.ndim > 0 and not words
    if (dtype or words) and (a.dtype != b.dtype if exact else _kind(a) != _kind(b)):
        return f"{_place(path)}expected {_type(b, exact)}, came {_type(a, exact)}"
    if words:
        wrong = a != b
    else:
        wrong = ~close(a, b, rtol, atol)
    return _of_values(a, b, np.asarray(wrong), path) if np.any(wrong) else None


def _kind(array: np.ndarray) -> str:
    return KINDS.get(array.dtype.kind, array.dtype.kind)


def _type(array: np.ndarray, exact: bool) -> str:
    return f"dtype {array.dtype}" if exact else f"a number of kind {_kind(array)}"


def close(a: np.ndarray, b: np.ndarray, rtol: float, atol: float) -> np.ndarray:
    """Return, entry by entry, whether `a` equals `b`; true is what has been shown, never assumed.

    NaN equals NaN, infinities equal themselves, everything else is compared with tolerance.
    """
    exact = "biuO" if rtol == 0 and atol == 0 else "O"
    if (a.dtype.kind in exact and b.dtype.kind in exact) or "O" in (a.dtype.kind, b.dtype.kind):
        return np.asarray(a == b)
    wide = np.complex128 if "c" in (a.dtype.kind, b.dtype.kind) else np.float64
    with np.errstate(all="ignore"):
        x, y = a.astype(wide), b.astype(wide)
        near = np.abs(x - y) <= atol + rtol * np.abs(y)
    near &= np.isfinite(x) & np.isfinite(y)
    return near | (x == y) | (np.isnan(x) & np.isnan(y))


def _of_values(a: np.ndarray, b: np.ndarray, wrong: np.ndarray, path: str) -> str:
    if a.ndim == 0:
        return f"{_place(path)}{_pair(a[()], b[()])}"
    first = tuple(int(i) for i in np.argwhere(wrong)[0])
    spot = f"{path}[{', '.join(map(str, first))}]"
    lines = [f"{spot}: {_pair(a[first], b[first])}"]
    if wrong.size == 1:
        return lines[0]
    count = f"{int(wrong.sum())} of {wrong.size} entries differ"
    slight = _slight(a, b)
    if slight:
        return "\n".join([*lines, f"{count}, by at most {slight:.1e} of the largest entry."])
    lines.append(count + _ratio(a, b, wrong) + ".")
    lines += _small(a, b)
    lines += grid(wrong)
    return "\n".join(lines)


def _pair(one: Any, other: Any) -> str:
    """Return `expected ..., came ...` with as many digits as it takes to tell them apart."""
    came, expected = show(one), show(other)
    if came == expected:
        came, expected = repr(np.asarray(one).item()), repr(np.asarray(other).item())
    return f"expected {expected}, came {came}"


def _slight(a: np.ndarray, b: np.ndarray) -> float:
    """Return the largest difference over the largest entry if it is too small to see, else 0."""
    if a.dtype.kind not in "iuf" or b.dtype.kind not in "iuf":
        return 0.0
    with np.errstate(all="ignore"):
        error = float(np.max(np.abs(a - b)) / np.max(np.abs(b)))
    return error if 0 < error < 1e-5 else 0.0


def _ratio(a: np.ndarray, b: np.ndarray, wrong: np.ndarray) -> str:
    """Say when all wrong entries are off by one factor: the likeliest slip there is."""
    if a.dtype.kind not in "iuf" or b.dtype.kind not in "iuf":
        return ""
    x, y = a[wrong].astype(np.float64), b[wrong].astype(np.float64)
    with np.errstate(all="ignore"):
        ratios = x / y
    if len(ratios) < 2 or not np.all(np.isfinite(ratios)) or np.ptp(ratios) > 1e-6 * abs(ratios[0]):
        return ""
    return f"; each is {ratios[0]:.6g} times what was expected" if ratios[0] else "; each is 0"


def _small(a: np.ndarray, b: np.ndarray) -> list[str]:
    if b.size > 24:
        return []
    return [
        _labelled("expected", b),
        _labelled("came", a),
    ]


def _labelled(label: str, array: np.ndarray) -> str:
    text = np.array2string(array, precision=6, suppress_small=False, max_line_width=70)
    return f"  {label:<9}" + text.replace("\n", "\n" + " " * 11)


def grid(wrong: np.ndarray) -> list[str]:
    """Draw which entries of a matrix differ: `.` the same, `x` different; [] for other shapes."""
    if wrong.ndim != 2 or wrong.size <= 1 or max(wrong.shape) > 40 or wrong.shape[0] > 16:
        return []
    if wrong.all():
        return []
    rows = (" ".join("x" if flag else "." for flag in row) for row in wrong)
    return ["  where (x differs):", *("    " + row for row in rows)]


def show(value: Any) -> str:
    """Return a value as a person reads it, cut to 200 characters."""
    if isinstance(value, Opaque):
        return describe(value)
    if isinstance(value, (float, np.floating)):
        return f"{float(value):.10g}"
    if isinstance(value, np.generic):
        value = value.item()
    text = repr(value)
    return text if len(text) <= 200 else text[:197] + "..."


def describe(value: Any) -> str:
    """Return what kind of thing a value is, such as `an array of shape (2, 3)`."""
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape} and dtype {value.dtype}"
    if isinstance(value, Opaque):
        return f"an object of type {value.type_name}"
    if isinstance(value, (list, tuple, dict, set)):
        return f"a {type(value).__name__} of {len(value)}"
    if value is None:
        return "None (is a return missing?)"
    return f"{show(value)} ({type(value).__name__})"


def _rounded_numbers(numbers: np.ndarray) -> str:
    """Return what `rounded` says of each of these numbers, at once."""
    numbers = np.where(np.abs(numbers) < 1e300, numbers, np.inf)  # NaN becomes inf
    numbers[np.abs(numbers) < 1e-12] = 0.0
    return "\n".join(["%.5g"] * numbers.size) % tuple(numbers.tolist())


def rounded(value: Any) -> Iterator[str]:
    """Yield a value piece by piece, numbers to five significant digits: what a signature hashes."""
    if isinstance(value, np.ndarray):
        yield f"array{value.shape}"
        if value.size and value.dtype.kind in "iuf" and value.itemsize <= 8:
            yield _rounded_numbers(value.ravel().astype(np.float64))
        else:
            for item in value.ravel().tolist():
                yield from rounded(item)
    elif isinstance(value, (list, tuple)):
        yield f"series{len(value)}"
        for item in value:
            yield from rounded(item)
    elif isinstance(value, dict):
        for key in sorted(value, key=repr):
            yield repr(key)
            yield from rounded(value[key])
    elif isinstance(value, complex):
        yield from (*rounded(value.real), *rounded(value.imag))
    elif isinstance(value, (int, float, np.number)) and not isinstance(value, bool):
        number = float(value) if -1e300 < value < 1e300 else math.inf  # NaN becomes inf
        yield "0" if abs(number) < 1e-12 else f"{number:.5g}"
    else:
        yield value.type_name if isinstance(value, Opaque) else repr(value)
