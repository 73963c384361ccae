"""Plain data as bytes: the only thing that crosses between a tester and a student's code.

What crosses by value: None, bool, int, float, complex, str, bytes, NumPy numbers and arrays of
numbers or text, and lists, tuples, sets and dictionaries of these. A subclass crosses as the plain
value under it, so an object with an `__eq__` of its own arrives without it. Anything else stays
where it is and crosses as a token. Nothing is ever unpickled. `docs/boundary.md` is the format.
"""

from __future__ import annotations

import functools
import math
import struct
import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import numpy as np

MAX_BYTES = 64 * 2**20
"""Size of one message, in bytes."""
MAX_DEPTH = 32
"""How deep containers may nest."""
MAX_ITEMS = 200_000
"""How many values one message may hold, an array counting as one."""
MAX_KEYS = 5_000
"""How many keys one dictionary or set may hold: colliding keys make a larger one slow to build."""
MAX_HEAD = 64
"""Bytes that an array's dtype may be written in."""
MAX_INT_BYTES = 512
"""Size of one Python integer, in bytes."""
AS_WRITTEN = "<|=" if sys.byteorder == "little" else "<|"
"""Orders of bytes that need no turning round: on the wire it is the little end first."""
ARRAY_KINDS = "biufcUS"
"""NumPy dtype kinds that cross by value; objects and records do not."""


class WireError(Exception):
    """A value that may not cross, or bytes that are no message."""


@dataclass(frozen=True)
class Ref:
    """The student's object of this name, looked up on their side when it is used."""

    name: str


@dataclass(frozen=True)
class Opaque:
    """An object that stays on the student's side; it can only be handed back."""

    key: int
    type_name: str


@dataclass(frozen=True)
class Hook:
    """A tester's function as the student's side sees it: calling it sends the arguments home."""

    key: int


Keep = Callable[[Any], Any]
Resolve = Callable[[Any], Any]


def _as_is(token: Any) -> Any:
    return token


def _refuse(value: Any) -> Any:
    raise WireError(f"a {type_name(value)} cannot cross; only plain data can")


def type_name(value: object) -> str:
    """Return `module.Class` of a value, without `builtins.`, cut to 80 characters."""
    kind = type(value)
    module = getattr(kind, "__module__", "")
    name = str(getattr(kind, "__qualname__", "?"))
    return (name if module in ("builtins", "__main__") else f"{module}.{name}")[:80]


# ---------------------------------------------------------------------------------------------
# Writing. Each writer takes the base type's own view of the value, never the subclass's.


COUNTED = struct.Struct("<cI")
KEYED = struct.Struct("<cQ")
DOUBLE = struct.Struct("<cd")
COMPLEX = struct.Struct("<cdd")
SMALL_INT = struct.Struct("<cIq")
"""An integer of eight bytes, as most are written: its mark, its size, itself."""


class _Writer:
    def __init__(self, keep: Keep) -> None:
        self.keep = keep
        self.parts: list[bytes] = []
        self.size = 0
        """Bytes of what can be long, which is stopped before it is copied."""
        self.items = 0

    def values(self, values: Collection[Any], depth: int) -> None:
        """Write the values of one container; the message itself is at depth 0."""
        self.items += len(values)
        if self.items > MAX_ITEMS:
            raise WireError(f"more than {MAX_ITEMS} values in one answer")
        if depth > MAX_DEPTH and values:
            raise WireError(f"nested deeper than {MAX_DEPTH} levels, or inside itself")
        for value in values:
            kind = type(value)
            (_WRITER_OF.get(kind) or _writer_for(kind))(self, value, depth)

    def sized(self, tag: bytes, data: bytes) -> None:
        self.grow(len(data))
        self.parts.append(COUNTED.pack(tag, len(data)) + data)

    def grow(self, count: int) -> None:
        self.size += count
        if self.size > MAX_BYTES:
            raise WireError(f"more than {MAX_BYTES // 2**20} MiB in one value")

    def series(self, tag: bytes, items: Collection[Any], depth: int) -> None:
        self.parts.append(COUNTED.pack(tag, len(items)))
        self.values(items, depth + 1)


def _write_int(out: _Writer, value: int, depth: int) -> None:
    plain = int.__int__(value)
    if -(2**63) <= plain < 2**63:
        out.parts.append(SMALL_INT.pack(b"I", 8, plain))
        return
    data = plain.to_bytes(plain.bit_length() // 8 + 1, "little", signed=True)
    if len(data) > MAX_INT_BYTES:
        raise WireError(f"an integer of {len(data)} bytes; {MAX_INT_BYTES} is the most")
    out.sized(b"I", data)


def _write_complex(out: _Writer, value: complex, depth: int) -> None:
    plain = complex.__pos__(value)
    out.parts.append(COMPLEX.pack(b"C", plain.real, plain.imag))


def _write_array(out: _Writer, value: Any, depth: int) -> None:
    single = isinstance(value, np.generic)
    array = np.asarray(value) if single else value
    if type(array) is not np.ndarray:
        array = np.ndarray.view(array, np.ndarray)
    kind = _array_kind(array.dtype, array.ndim, b"G" if single else b"A")
    if kind is None:
        _write_kept(out, value, depth)
        return
    size = array.nbytes
    if size > MAX_BYTES:
        raise WireError(f"an array of {size // 2**20} MiB; {MAX_BYTES // 2**20} is the most")
    out.grow(size)
    little, head, sizes = kind
    data = array if array.dtype is little else array.astype(little)
    out.parts += (head, sizes.pack(*array.shape, size), data.tobytes())


@functools.lru_cache(256)
def _array_kind(
    dtype: np.dtype, ndim: int, tag: bytes
) -> tuple[np.dtype, bytes, struct.Struct] | None:
    """Return the dtype that arrays of this kind are written in, what they begin with, and how
    their lengths are written; None for those that do not cross by value."""
    if dtype.kind not in ARRAY_KINDS:
        return None
    little = dtype if dtype.byteorder in AS_WRITTEN else dtype.newbyteorder("<")
    words = little.str.encode()
    return little, COUNTED.pack(tag, len(words)) + words + bytes((ndim,)), _sizes(ndim)


@functools.cache
def _sizes(ndim: int) -> struct.Struct:
    """Return how the lengths of an array's axes and its bytes are written; `ndim` is one byte."""
    return struct.Struct(f"<{ndim + 1}Q")


def _write_set(out: _Writer, items: list[Any], depth: int) -> None:
    if len(items) > MAX_KEYS:
        raise WireError(f"a set of {len(items)} values; {MAX_KEYS} is the most")
    out.series(b"E", items, depth)


def _write_dict(out: _Writer, value: dict[Any, Any], depth: int) -> None:
    count = dict.__len__(value)
    if count > MAX_KEYS:
        raise WireError(f"a dictionary of {count} keys; {MAX_KEYS} is the most")
    out.parts.append(COUNTED.pack(b"M", count))
    flat = [part for pair in dict.items(value) for part in pair]
    out.values(flat, depth + 1)


def _write_kept(out: _Writer, value: Any, depth: int) -> None:
    """Write a token: `value` itself, or the one that stands for what stays on this side."""
    token = value if type(value) in (Ref, Opaque, Hook) else out.keep(value)
    if type(token) is Ref:
        out.sized(b"R", token.name.encode())
    elif type(token) is Opaque:
        name = token.type_name.encode("utf-8", "replace")
        out.parts += (KEYED.pack(b"O", token.key), LENGTH.pack(len(name)), name)
    elif type(token) is Hook:
        out.parts.append(KEYED.pack(b"H", token.key))
    else:
        _refuse(token)


Write = Callable[[_Writer, Any, int], None]
_WRITERS: tuple[tuple[Any, Write], ...] = (
    (type(None), lambda out, v, d: out.parts.append(b"N")),
    (bool, lambda out, v, d: out.parts.append(b"T" if v is True else b"F")),
    ((np.ndarray, np.generic), _write_array),
    (int, _write_int),
    (float, lambda out, v, d: out.parts.append(DOUBLE.pack(b"D", float.__float__(v)))),
    (complex, _write_complex),
    (str, lambda out, v, d: out.sized(b"S", str.encode(v, "utf-8", "surrogatepass"))),
    (bytes, lambda out, v, d: out.sized(b"B", bytes.__getitem__(v, slice(None)))),
    (list, lambda out, v, d: out.series(b"L", list(list.__iter__(v)), d)),
    (tuple, lambda out, v, d: out.series(b"U", list(tuple.__iter__(v)), d)),
    (set, lambda out, v, d: _write_set(out, list(set.__iter__(v)), d)),
    (frozenset, lambda out, v, d: _write_set(out, list(frozenset.__iter__(v)), d)),
    (dict, _write_dict),
    (object, _write_kept),
)  # fmt: skip


def _writer_for(kind: type) -> Write:
    # isinstance would believe a lying __class__
    return next(write for base, write in _WRITERS if issubclass(kind, base))


def _write_text(out: _Writer, value: str, depth: int) -> None:
    out.sized(b"S", value.encode("utf-8", "surrogatepass"))


def _write_list(out: _Writer, value: list[Any], depth: int) -> None:
    items = value.copy()  # another thread of the student's may be at it
    out.parts.append(COUNTED.pack(b"L", len(items)))
    out.values(items, depth + 1)


def _write_tuple(out: _Writer, value: tuple[Any, ...], depth: int) -> None:
    out.parts.append(COUNTED.pack(b"U", len(value)))
    out.values(value, depth + 1)


_WRITER_OF: dict[type, Write] = {
    kind: _writer_for(kind)
    for kind in (type(None), bool, int, float, complex, bytes, set, frozenset, dict, np.ndarray,
                 np.float64, Ref, Hook)
} | {str: _write_text, list: _write_list, tuple: _write_tuple}  # fmt: skip
"""The writers of what most values are; a subclass is looked for in the table above."""


def encode(value: Any, keep: Keep = _refuse) -> bytes:
    """Return `value` as bytes.

    `keep` is asked for a token (`Opaque`, `Hook`) for every object that cannot cross by value; by
    default such an object is a `WireError`, as is anything past the limits above.
    """
    out = _Writer(keep)
    out.values((value,), 0)
    return b"".join(out.parts)


# ---------------------------------------------------------------------------------------------
# Reading. A reader takes where its value begins, after the mark, and returns it and where it ends.
# Nothing is built that is larger than what is there: a slice stops where the message does, and a
# value that would end past it is found out at the message's end.


LENGTH = struct.Struct("<I")
KEY = struct.Struct("<Q")
NUMBER = struct.Struct("<d")


class _Message:
    def __init__(self, data: bytes, resolve: Resolve) -> None:
        self.data = data
        self.resolve = resolve
        self.items = 0

    def values(self, count: int, at: int, depth: int) -> tuple[list[Any], int]:
        """Return the next `count` values, and where they end; the message is at depth 0."""
        self.items += count
        if self.items > MAX_ITEMS or (depth > MAX_DEPTH and count):
            raise WireError("a message nested too deep or too long")
        data = self.data
        found: list[Any] = []
        for _ in range(count):
            value, at = _READERS[data[at]](self, at + 1, depth)
            found.append(value)
        return found, at

    def sized(self, at: int) -> tuple[bytes, int]:
        end = at + 4 + LENGTH.unpack_from(self.data, at)[0]
        return self.data[at + 4 : end], end


@functools.lru_cache(64)
def _kind_of(head: bytes) -> tuple[np.dtype, np.dtype, struct.Struct]:
    """Return a dtype as it is written and in this machine's order of bytes, and how the lengths
    that follow are written."""
    dtype = np.dtype(head[4:-1].decode("ascii"))
    if dtype.kind not in ARRAY_KINDS:
        raise WireError(f"an array of dtype {dtype}")
    return dtype, dtype.newbyteorder("="), _sizes(head[-1])


def _read_array(message: _Message, at: int, depth: int) -> tuple[np.ndarray, int]:
    data = message.data
    begin = at + 5 + LENGTH.unpack_from(data, at)[0]
    if begin - at > MAX_HEAD:
        raise WireError("an array of a dtype with a name too long")
    dtype, native, sizes = _kind_of(data[at:begin])
    *shape, size = sizes.unpack_from(data, begin)
    begin += sizes.size
    if size != math.prod(shape) * dtype.itemsize:
        raise WireError("an array whose size and shape disagree")
    if not size:
        if max(shape) > MAX_ITEMS:
            raise WireError("an array without entries that has too many rows")
        return np.empty(0, native).reshape(shape), begin
    return np.ndarray(shape, dtype, data, begin).astype(native), begin + size


def _read_number(message: _Message, at: int, depth: int) -> tuple[Any, int]:
    array, at = _read_array(message, at, depth)
    return array[()], at


def _read_int(message: _Message, at: int, depth: int) -> tuple[int, int]:
    end = at + 4 + LENGTH.unpack_from(message.data, at)[0]
    return int.from_bytes(message.data[at + 4 : end], "little", signed=True), end


def _read_float(message: _Message, at: int, depth: int) -> tuple[float, int]:
    return NUMBER.unpack_from(message.data, at)[0], at + 8


def _read_complex(message: _Message, at: int, depth: int) -> tuple[complex, int]:
    real, imag = (NUMBER.unpack_from(message.data, where)[0] for where in (at, at + 8))
    return complex(real, imag), at + 16


def _read_text(message: _Message, at: int, depth: int) -> tuple[str, int]:
    end = at + 4 + LENGTH.unpack_from(message.data, at)[0]
    return message.data[at + 4 : end].decode("utf-8", "surrogatepass"), end


def _read_list(message: _Message, at: int, depth: int) -> tuple[list[Any], int]:
    return message.values(LENGTH.unpack_from(message.data, at)[0], at + 4, depth + 1)


def _read_tuple(message: _Message, at: int, depth: int) -> tuple[tuple[Any, ...], int]:
    items, at = message.values(LENGTH.unpack_from(message.data, at)[0], at + 4, depth + 1)
    return tuple(items), at


def _read_set(message: _Message, at: int, depth: int) -> tuple[set[Any], int]:
    if LENGTH.unpack_from(message.data, at)[0] > MAX_KEYS:
        raise WireError("a set with too many values")
    items, at = _read_list(message, at, depth)
    return set(items), at


def _read_dict(message: _Message, at: int, depth: int) -> tuple[dict[Any, Any], int]:
    (count,) = LENGTH.unpack_from(message.data, at)
    if count > MAX_KEYS:
        raise WireError("a dictionary with too many keys")
    flat, at = message.values(2 * count, at + 4, depth + 1)
    return dict(zip(flat[::2], flat[1::2], strict=True)), at


def _read_ref(message: _Message, at: int, depth: int) -> tuple[Any, int]:
    data, at = message.sized(at)
    return message.resolve(Ref(data.decode())), at


def _read_opaque(message: _Message, at: int, depth: int) -> tuple[Any, int]:
    (key,) = KEY.unpack_from(message.data, at)
    data, at = message.sized(at + 8)
    return message.resolve(Opaque(key, data.decode("utf-8", "replace"))), at


def _read_hook(message: _Message, at: int, depth: int) -> tuple[Any, int]:
    (key,) = KEY.unpack_from(message.data, at)
    return message.resolve(Hook(key)), at + 8


def _read_unknown(message: _Message, at: int, depth: int) -> tuple[Any, int]:
    raise WireError(f"an unknown mark {chr(message.data[at - 1])!r} in a message")


Read = Callable[[_Message, int, int], tuple[Any, int]]
_READER_OF: dict[str, Read] = {
    "N": lambda m, at, d: (None, at),
    "T": lambda m, at, d: (True, at),
    "F": lambda m, at, d: (False, at),
    "I": _read_int,
    "D": _read_float,
    "C": _read_complex,
    "S": _read_text,
    "B": lambda m, at, d: m.sized(at),
    "A": _read_array,
    "G": _read_number,
    "L": _read_list,
    "U": _read_tuple,
    "E": _read_set,
    "M": _read_dict,
    "R": _read_ref,
    "O": _read_opaque,
    "H": _read_hook,
}
_READERS = [_READER_OF.get(chr(mark), _read_unknown) for mark in range(256)]


def decode(data: bytes, resolve: Resolve = _as_is) -> Any:
    """Return the value that `encode` wrote; tokens go through `resolve`.

    Any bytes whatever give a value or a `WireError`, in time and memory proportional to their size.
    Errors that `resolve` raises pass through.
    """
    message = _Message(bytes(data), resolve)
    try:
        (value,), end = message.values(1, 0, 0)
    except IndexError:
        raise WireError("a message that ends too early") from None
    except (struct.error, ValueError, TypeError, UnicodeError, OverflowError, MemoryError) as error:
        raise WireError(f"a broken message ({type(error).__name__})") from None
    if end != len(message.data):
        raise WireError("a message with something after its end")
    return value
