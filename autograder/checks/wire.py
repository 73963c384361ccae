"""Plain data as bytes: the only thing that crosses between a tester and a student's code.

What crosses by value: None, bool, int, float, complex, str, bytes, NumPy numbers and arrays of
numbers or text, and lists, tuples, sets and dictionaries of these. A subclass crosses as the plain
value under it, so an object with an `__eq__` of its own arrives without it. Anything else stays
where it is and crosses as a token. Nothing is ever unpickled. `docs/boundary.md` is the format.
"""

from __future__ import annotations

import struct
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


class _Writer:
    def __init__(self, keep: Keep) -> None:
        self.keep = keep
        self.parts: list[bytes] = []
        self.size = 0
        self.items = 0

    def put(self, *parts: bytes) -> None:
        self.parts.extend(parts)
        self.size += sum(map(len, parts))
        if self.size > MAX_BYTES:
            raise WireError(f"more than {MAX_BYTES // 2**20} MiB in one value")

    def sized(self, tag: bytes, data: bytes) -> None:
        self.put(tag, struct.pack("<I", len(data)), data)

    def value(self, value: Any, depth: int = 0) -> None:
        self.items += 1
        if self.items > MAX_ITEMS:
            raise WireError(f"more than {MAX_ITEMS} values in one answer")
        if depth > MAX_DEPTH:
            raise WireError(f"nested deeper than {MAX_DEPTH} levels, or inside itself")
        for kind, write in _WRITERS:
            if issubclass(type(value), kind):  # isinstance would believe a lying __class__
                write(self, value, depth)
                return
        self.token(self.keep(value))

    def token(self, token: Any) -> None:
        if type(token) is Ref:
            self.sized(b"R", token.name.encode())
        elif type(token) is Opaque:
            self.put(b"O", struct.pack("<Q", token.key))
            self.sized(b"", token.type_name.encode("utf-8", "replace"))
        elif type(token) is Hook:
            self.put(b"H", struct.pack("<Q", token.key))
        else:
            _refuse(token)

    def series(self, tag: bytes, items: list[Any], depth: int) -> None:
        self.put(tag, struct.pack("<I", len(items)))
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
    array = array.astype(array.dtype.newbyteorder("<"), order="C", copy=False)
    if array.nbytes > MAX_BYTES:
        raise WireError(
            f"an array of {array.nbytes // 2**20} MiB; {MAX_BYTES // 2**20} is the most"
        )
    out.sized(b"G" if scalar else b"A", array.dtype.str.encode())
    out.put(struct.pack("<B", array.ndim), struct.pack(f"<{array.ndim}Q", *array.shape))
    out.put(struct.pack("<Q", array.nbytes), array.tobytes())


def _write_dict(out: _Writer, value: dict[Any, Any], depth: int) -> None:
    items = list(dict.items(value))
    if len(items) > MAX_KEYS:
        raise WireError(f"a dictionary of {len(items)} keys; {MAX_KEYS} is the most")
    out.put(b"M", struct.pack("<I", len(items)))
    for key, item in items:
        out.value(key, depth + 1)
        out.value(item, depth + 1)


_WRITERS: tuple[tuple[Any, Callable[[_Writer, Any, int], None]], ...] = (
    (type(None), lambda out, v, d: out.put(b"N")),
    (bool, lambda out, v, d: out.put(b"T" if v is True else b"F")),
    ((np.ndarray, np.generic), _write_array),
    (int, _write_int),
    (float, lambda out, v, d: out.put(b"D", struct.pack("<d", float.__float__(v)))),
    (complex, lambda out, v, d: out.put(b"C", _complex_bytes(v))),
    (str, lambda out, v, d: out.sized(b"S", str.encode(v, "utf-8", "surrogatepass"))),
    (bytes, lambda out, v, d: out.sized(b"B", bytes.__getitem__(v, slice(None)))),
    (list, lambda out, v, d: out.series(b"L", list(list.__iter__(v)), d)),
    (tuple, lambda out, v, d: out.series(b"U", list(tuple.__iter__(v)), d)),
    (set, lambda out, v, d: out.series(b"E", list(set.__iter__(v)), d)),
    (frozenset, lambda out, v, d: out.series(b"E", list(frozenset.__iter__(v)), d)),
    (dict, _write_dict),
    ((Ref, Opaque, Hook), lambda out, v, d: out.token(v)),
)  # fmt: skip


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


class _Reader:
    def __init__(self, data: bytes, resolve: Resolve) -> None:
        self.data = memoryview(data)
        self.at = 0
        self.items = 0
        self.resolve = resolve

    def take(self, count: int) -> memoryview:
        if count < 0 or self.at + count > len(self.data):
            raise WireError("a message that ends too early")
        piece = self.data[self.at : self.at + count]
        self.at += count
        return piece

    def number(self, form: str) -> Any:
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def sized(self) -> bytes:
        return bytes(self.take(self.number("<I")))

    def series(self, depth: int) -> list[Any]:
        return [self.value(depth + 1) for _ in range(self.number("<I"))]

    def value(self, depth: int = 0) -> Any:
        self.items += 1
        if depth > MAX_DEPTH or self.items > MAX_ITEMS:
            raise WireError("a message nested too deep or too long")
        tag = bytes(self.take(1))
        if tag not in _READERS:
            raise WireError(f"an unknown mark {tag!r} in a message")
        return _READERS[tag](self, depth)


def _read_array(reader: _Reader, depth: int) -> np.ndarray:
    dtype = np.dtype(reader.sized().decode("ascii"))
    if dtype.kind not in ARRAY_KINDS:
        raise WireError(f"an array of dtype {dtype}")
    ndim = reader.number("<B")
    shape = struct.unpack(f"<{ndim}Q", reader.take(8 * ndim))
    count = 1
    for length in shape:
        count *= length
    size = reader.number("<Q")
    if size != count * dtype.itemsize:
        raise WireError("an array whose size and shape disagree")
    flat = np.frombuffer(reader.take(size), dtype=dtype) if size else np.empty(0, dtype)
    return flat.reshape(shape).astype(dtype.newbyteorder("="), copy=True)


def _read_dict(reader: _Reader, depth: int) -> dict[Any, Any]:
    count = reader.number("<I")
    if count > MAX_KEYS:
        raise WireError("a dictionary with too many keys")
    built = {}
    for _ in range(count):
        key = reader.value(depth + 1)
        built[key] = reader.value(depth + 1)
    return built


def _read_opaque(reader: _Reader, depth: int) -> Any:
    key = reader.number("<Q")
    return reader.resolve(Opaque(key, reader.sized().decode("utf-8", "replace")))


_READERS: dict[bytes, Callable[[_Reader, int], Any]] = {
    b"N": lambda r, d: None,
    b"T": lambda r, d: True,
    b"F": lambda r, d: False,
    b"I": lambda r, d: int.from_bytes(r.sized(), "little", signed=True),
    b"D": lambda r, d: r.number("<d"),
    b"C": lambda r, d: complex(r.number("<d"), r.number("<d")),
    b"S": lambda r, d: r.sized().decode("utf-8", "surrogatepass"),
    b"B": lambda r, d: r.sized(),
    b"A": _read_array,
    b"G": lambda r, d: _read_array(r, d)[()],
    b"L": lambda r, d: r.series(d),
    b"U": lambda r, d: tuple(r.series(d)),
    b"E": lambda r, d: set(r.series(d)),
    b"M": _read_dict,
    b"R": lambda r, d: r.resolve(Ref(r.sized().decode())),
    b"O": _read_opaque,
    b"H": lambda r, d: r.resolve(Hook(r.number("<Q"))),
}  # fmt: skip


def decode(data: bytes, resolve: Resolve = _as_is) -> Any:
    """Return the value that `encode` wrote; tokens go through `resolve`.

    Any bytes whatever give a value or a `WireError`, in time and memory proportional to their size.
    Errors that `resolve` raises pass through.
    """
    reader = _Reader(data, resolve)
    try:
        value = reader.value()
    except (struct.error, ValueError, TypeError, UnicodeError, OverflowError, MemoryError) as error:
        raise WireError(f"a broken message ({type(error).__name__})") from None
    if reader.at != len(reader.data):
        raise WireError("a message with something after its end")
    return value
