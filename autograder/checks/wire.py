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
from collections.abc import Callable
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
"""How many keys one dictionary may hold: colliding keys make a larger one slow to rebuild."""
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


class _Writer:
    def __init__(self, keep: Keep) -> None:
        self.keep = keep
        self.parts: list[bytes] = []
        self.size = 0
        self.items = 0

    def put(self, part: bytes) -> None:
        self.parts.append(part)
        self.size += len(part)
        if self.size > MAX_BYTES:
            raise WireError(f"more than {MAX_BYTES // 2**20} MiB in one value")

    def sized(self, tag: bytes, data: bytes) -> None:
        self.put(COUNTED.pack(tag, len(data)) + data)

    def value(self, value: Any, depth: int = 0) -> None:
        self.items += 1
        if self.items > MAX_ITEMS:
            raise WireError(f"more than {MAX_ITEMS} values in one answer")
        if depth > MAX_DEPTH:
            raise WireError(f"nested deeper than {MAX_DEPTH} levels, or inside itself")
        write = _WRITER_OF.get(type(value)) or _writer_for(type(value))
        if write is None:
            self.token(self.keep(value))
        else:
            write(self, value, depth)

    def token(self, token: Any) -> None:
        if type(token) is Ref:
            self.sized(b"R", token.name.encode())
        elif type(token) is Opaque:
            name = token.type_name.encode("utf-8", "replace")
            self.put(KEYED.pack(b"O", token.key) + LENGTH.pack(len(name)) + name)
        elif type(token) is Hook:
            self.put(KEYED.pack(b"H", token.key))
        else:
            _refuse(token)

    def series(self, tag: bytes, items: list[Any], depth: int) -> None:
        self.put(COUNTED.pack(tag, len(items)))
        for item in items:
            self.value(item, depth + 1)


def _write_int(out: _Writer, value: int, depth: int) -> None:
    plain = int.__int__(value)
    data = plain.to_bytes(plain.bit_length() // 8 + 1, "little", signed=True)
    if len(data) > MAX_INT_BYTES:
        raise WireError(f"an integer of {len(data)} bytes; {MAX_INT_BYTES} is the most")
    out.sized(b"I", data)


def _write_array(out: _Writer, value: Any, depth: int) -> None:
    scalar = isinstance(value, np.generic)
    array = np.asarray(value) if scalar else np.ndarray.view(value, np.ndarray)
    if array.dtype.kind not in ARRAY_KINDS:
        out.token(out.keep(value))
        return
    if array.dtype.byteorder not in AS_WRITTEN:
        array = array.astype(array.dtype.newbyteorder("<"))
    if array.nbytes > MAX_BYTES:
        raise WireError(
            f"an array of {array.nbytes // 2**20} MiB; {MAX_BYTES // 2**20} is the most"
        )
    out.sized(b"G" if scalar else b"A", array.dtype.str.encode())
    lengths = _sizes(array.ndim).pack(*array.shape, array.nbytes)
    out.put(bytes((array.ndim,)) + lengths + array.tobytes())


def _write_dict(out: _Writer, value: dict[Any, Any], depth: int) -> None:
    items = list(dict.items(value))
    if len(items) > MAX_KEYS:
        raise WireError(f"a dictionary of {len(items)} keys; {MAX_KEYS} is the most")
    out.put(COUNTED.pack(b"M", len(items)))
    for key, item in items:
        out.value(key, depth + 1)
        out.value(item, depth + 1)


Write = Callable[[_Writer, Any, int], None]
_WRITERS: tuple[tuple[Any, Write], ...] = (
    (type(None), lambda out, v, d: out.put(b"N")),
    (bool, lambda out, v, d: out.put(b"T" if v is True else b"F")),
    ((np.ndarray, np.generic), _write_array),
    (int, _write_int),
    (float, lambda out, v, d: out.put(DOUBLE.pack(b"D", float.__float__(v)))),
    (complex, lambda out, v, d: out.put(b"C" + _complex_bytes(v))),
    (str, lambda out, v, d: out.sized(b"S", str.encode(v, "utf-8", "surrogatepass"))),
    (bytes, lambda out, v, d: out.sized(b"B", bytes.__getitem__(v, slice(None)))),
    (list, lambda out, v, d: out.series(b"L", list(list.__iter__(v)), d)),
    (tuple, lambda out, v, d: out.series(b"U", list(tuple.__iter__(v)), d)),
    (set, lambda out, v, d: out.series(b"E", list(set.__iter__(v)), d)),
    (frozenset, lambda out, v, d: out.series(b"E", list(frozenset.__iter__(v)), d)),
    (dict, _write_dict),
    ((Ref, Opaque, Hook), lambda out, v, d: out.token(v)),
)  # fmt: skip


def _writer_for(kind: type) -> Write | None:
    for base, write in _WRITERS:
        if issubclass(kind, base):  # isinstance would believe a lying __class__
            return write
    return None


_PLAIN = (type(None), bool, int, float, complex, str, bytes, list, tuple, set, frozenset, dict)
_WRITER_OF = {kind: _writer_for(kind) for kind in (*_PLAIN, np.ndarray, np.float64, Ref, Hook)}
"""The writers of what most values are; a subclass is looked for in the table above."""


def _complex_bytes(value: complex) -> bytes:
    plain = complex.__pos__(value)
    return struct.pack("<dd", plain.real, plain.imag)


def encode(value: Any, keep: Keep = _refuse) -> bytes:
    """Return `value` as bytes.

    `keep` is asked for a token (`Opaque`, `Hook`) for every object that cannot cross by value; by
    default such an object is a `WireError`, as is anything past the limits above.
    """
    out = _Writer(keep)
    out.value(value)
    return b"".join(out.parts)


# ---------------------------------------------------------------------------------------------
# Reading. Every length is checked against what is there before anything is built from it.


LENGTH = struct.Struct("<I")
KEY = struct.Struct("<Q")
NUMBER = struct.Struct("<d")


class _Reader:
    def __init__(self, data: bytes, resolve: Resolve) -> None:
        self.data = data
        self.at = 0
        self.items = 0
        self.resolve = resolve

    def skip(self, count: int) -> int:
        """Return where the next `count` bytes begin, and go past them."""
        at = self.at
        if count > len(self.data) - at:
            raise WireError("a message that ends too early")
        self.at = at + count
        return at

    def number(self, form: struct.Struct) -> Any:
        return form.unpack_from(self.data, self.skip(form.size))[0]

    def sized(self) -> bytes:
        count = self.number(LENGTH)
        at = self.skip(count)
        return self.data[at : at + count]

    def series(self, depth: int) -> list[Any]:
        return [self.value(depth + 1) for _ in range(self.number(LENGTH))]

    def value(self, depth: int = 0) -> Any:
        self.items += 1
        if depth > MAX_DEPTH or self.items > MAX_ITEMS:
            raise WireError("a message nested too deep or too long")
        tag = self.data[self.skip(1)]
        if tag not in _READERS:
            raise WireError(f"an unknown mark {chr(tag)!r} in a message")
        return _READERS[tag](self, depth)


@functools.lru_cache(64)
def _dtype(words: bytes) -> tuple[np.dtype, np.dtype]:
    """Return a dtype that may cross as it is written, and in this machine's order of bytes."""
    dtype = np.dtype(words.decode("ascii"))
    if dtype.kind not in ARRAY_KINDS:
        raise WireError(f"an array of dtype {dtype}")
    return dtype, dtype.newbyteorder("=")


@functools.cache
def _sizes(ndim: int) -> struct.Struct:
    """Return how the lengths of an array's axes and its bytes are written; `ndim` is one byte."""
    return struct.Struct(f"<{ndim + 1}Q")


def _read_array(reader: _Reader, depth: int) -> np.ndarray:
    dtype, native = _dtype(reader.sized())
    ndim = reader.data[reader.skip(1)]
    form = _sizes(ndim)
    *shape, size = form.unpack_from(reader.data, reader.skip(form.size))
    count = math.prod(shape)
    if size != count * dtype.itemsize:
        raise WireError("an array whose size and shape disagree")
    at = reader.skip(size)
    flat = np.frombuffer(reader.data, dtype, count, at) if size else np.empty(0, dtype)
    return flat.reshape(shape).astype(native)


def _read_dict(reader: _Reader, depth: int) -> dict[Any, Any]:
    count = reader.number(LENGTH)
    if count > MAX_KEYS:
        raise WireError("a dictionary with too many keys")
    built = {}
    for _ in range(count):
        key = reader.value(depth + 1)
        built[key] = reader.value(depth + 1)
    return built


def _read_opaque(reader: _Reader, depth: int) -> Any:
    key = reader.number(KEY)
    return reader.resolve(Opaque(key, reader.sized().decode("utf-8", "replace")))


_READERS: dict[int, Callable[[_Reader, int], Any]] = {
    ord("N"): lambda r, d: None,
    ord("T"): lambda r, d: True,
    ord("F"): lambda r, d: False,
    ord("I"): lambda r, d: int.from_bytes(r.sized(), "little", signed=True),
    ord("D"): lambda r, d: r.number(NUMBER),
    ord("C"): lambda r, d: complex(r.number(NUMBER), r.number(NUMBER)),
    ord("S"): lambda r, d: r.sized().decode("utf-8", "surrogatepass"),
    ord("B"): lambda r, d: r.sized(),
    ord("A"): _read_array,
    ord("G"): lambda r, d: _read_array(r, d)[()],
    ord("L"): lambda r, d: r.series(d),
    ord("U"): lambda r, d: tuple(r.series(d)),
    ord("E"): lambda r, d: set(r.series(d)),
    ord("M"): _read_dict,
    ord("R"): lambda r, d: r.resolve(Ref(r.sized().decode())),
    ord("O"): _read_opaque,
    ord("H"): lambda r, d: r.resolve(Hook(r.number(KEY))),
}  # fmt: skip


def decode(data: bytes, resolve: Resolve = _as_is) -> Any:
    """Return the value that `encode` wrote; tokens go through `resolve`.

    Any bytes whatever give a value or a `WireError`, in time and memory proportional to their size.
    Errors that `resolve` raises pass through.
    """
    reader = _Reader(bytes(data), resolve)
    try:
        value = reader.value()
    except (struct.error, ValueError, TypeError, UnicodeError, OverflowError, MemoryError) as error:
        raise WireError(f"a broken message ({type(error).__name__})") from None
    if reader.at != len(reader.data):
        raise WireError("a message with something after its end")
    return value
