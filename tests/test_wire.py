"""What crosses the boundary arrives as it was; what may not cross is refused in words."""

from __future__ import annotations

import contextlib
import enum
from collections import OrderedDict, namedtuple
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograder.checks import wire
from autograder.checks.compare import difference

arrays = hnp.arrays(
    dtype=st.one_of(
        hnp.floating_dtypes(endianness="="),
        hnp.integer_dtypes(endianness="="),
        hnp.boolean_dtypes(),
        hnp.complex_number_dtypes(endianness="="),
    ),
    shape=hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
)
atoms = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**600), 2**600), st.floats(), st.complex_numbers(),
    st.text(max_size=9), st.binary(max_size=9), arrays,
)  # fmt: skip
values = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(st.one_of(st.text(max_size=4), st.integers()), inner, max_size=4),
    ),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(values)
def test_plain_data_arrives_as_it_was(value: Any) -> None:
    arrived = wire.decode(wire.encode(value))
    assert type(arrived) is type(value)
    assert difference(arrived, value, rtol=0, atol=0) is None


@settings(max_examples=1500, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_give_a_value_or_a_wire_error(data: bytes) -> None:
    with contextlib.suppress(wire.WireError):
        wire.decode(data)


@settings(max_examples=500, deadline=None)
@given(values, st.data())
def test_damaged_messages_give_a_value_or_a_wire_error(value: Any, data: st.DataObject) -> None:
    message = bytearray(wire.encode(value))
    at = data.draw(st.integers(0, len(message) - 1))
    message[at] = data.draw(st.integers(0, 255))
    with contextlib.suppress(wire.WireError):
        wire.decode(bytes(message))


class Liar(float):
    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = float.__hash__


class Rows(np.ndarray):
    def __array_ufunc__(self, *args: Any, **kwargs: Any) -> Any:
        return 0.0

    def tobytes(self, order: Any = "C") -> bytes:
        return b"\0" * self.nbytes


class Color(enum.IntEnum):
    RED = 3


Point = namedtuple("Point", "x y")


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (Liar(2.5), 2.5),
        (Color.RED, 3),
        (Point(1, 2), (1, 2)),
        (OrderedDict(a=1), {"a": 1}),
        (np.ones((2, 2)).view(Rows), np.ones((2, 2))),
        (np.matrix([[1.0]]), np.array([[1.0]])),
        (np.arange(6.0).reshape(2, 3).T, np.arange(6.0).reshape(2, 3).T),
        (np.arange(3, dtype=">i4"), np.arange(3, dtype="<i4")),
    ],
)
def test_subclasses_arrive_as_the_plain_value_under_them(value: Any, plain: Any) -> None:
    arrived = wire.decode(wire.encode(value))
    assert type(arrived) is type(plain)
    assert difference(arrived, plain, rtol=0, atol=0) is None


def test_an_object_that_lies_about_its_class_is_no_plain_data() -> None:
    class Fake:
        __class__ = float  # type: ignore[assignment]

    with pytest.raises(wire.WireError):
        wire.encode(Fake())


def test_numpy_numbers_stay_numpy_numbers() -> None:
    assert type(wire.decode(wire.encode(np.float32(1.5)))) is np.float32


def test_other_objects_cross_as_tokens_and_come_home() -> None:
    kept = [object()]
    data = wire.encode({"it": kept[0]}, lambda value: wire.Opaque(0, "object"))
    assert wire.decode(data, lambda token: kept[token.key])["it"] is kept[0]


def _nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


def _loop() -> list[Any]:
    value: list[Any] = []
    value.append(value)
    return value


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (object(), "cannot cross"),
        (np.array([object()]), "cannot cross"),
        (_nested(100), "nested deeper"),
        (_loop(), "nested deeper"),
        (1 << 10_000, "integer"),
        (np.zeros(wire.MAX_BYTES // 8 + 1), "MiB"),
        (b"x" * (wire.MAX_BYTES + 1), "MiB"),
        (dict.fromkeys(range(wire.MAX_KEYS + 1)), "keys"),
        ([0] * (wire.MAX_ITEMS + 1), "values"),
    ],
    ids=["object", "objects", "deep", "loop", "integer", "array", "bytes", "keys", "items"],
)
def test_what_may_not_cross_is_refused_in_words(value: Any, words: str) -> None:
    with pytest.raises(wire.WireError, match=words):
        wire.encode(value)


def test_a_shape_that_claims_more_than_is_there_allocates_nothing() -> None:
    claim = b"A" + b"\x03\0\0\0<f8" + b"\x02" + (2**31).to_bytes(8, "little") * 2
    with pytest.raises(wire.WireError):
        wire.decode(claim + (2**65 % 2**64).to_bytes(8, "little"))
    with pytest.raises(wire.WireError):
        wire.decode(claim + (2**62 * 8 % 2**64).to_bytes(8, "little"))


def _array(dtype: bytes, *lengths: int) -> bytes:
    """Return the beginning of an array: its shape, then how many bytes of entries follow."""
    head = b"A" + len(dtype).to_bytes(4, "little") + dtype + bytes((len(lengths) - 1,))
    return head + b"".join(length.to_bytes(8, "little") for length in lengths)


def test_entries_without_a_size_allocate_nothing() -> None:
    for dtype in (b"|S0", b"<U0"):
        with pytest.raises(wire.WireError):
            wire.decode(_array(dtype, 10**12, 0))
    assert wire.decode(_array(b"<f8", 0, 0)).shape == (0,)


def test_a_message_that_ends_too_early_is_no_value() -> None:
    value = ["text", b"bytes", 7, 1 << 100, 2.5, 1j, (None,), {"k": {1}}, np.arange(3), np.int8(1)]
    whole = wire.encode(value)
    for end in range(len(whole)):
        with pytest.raises(wire.WireError):
            wire.decode(whole[:end])
    with pytest.raises(wire.WireError, match="after its end"):
        wire.decode(whole + b"N")


def test_depth_and_number_are_limited_on_arrival_too() -> None:
    deep = b"L\x01\0\0\0" * (wire.MAX_DEPTH + 1) + b"N"
    wide = b"L" + (wire.MAX_ITEMS + 1).to_bytes(4, "little") + b"N" * (wire.MAX_ITEMS + 1)
    keys = b"M" + (wire.MAX_KEYS + 1).to_bytes(4, "little") + b"N" * 2 * (wire.MAX_KEYS + 1)
    for message in (deep, wide, keys):
        with pytest.raises(wire.WireError, match=r"too (deep|many)"):
            wire.decode(message)
    assert wire.decode(b"L\x01\0\0\0" * wire.MAX_DEPTH + b"N") is not None


def test_sets_and_dtypes_are_limited_both_ways() -> None:
    with pytest.raises(wire.WireError, match="a set of"):
        wire.encode(set(range(wire.MAX_KEYS + 1)))
    many = b"E" + (wire.MAX_KEYS + 1).to_bytes(4, "little") + b"N" * (wire.MAX_KEYS + 1)
    with pytest.raises(wire.WireError, match="too many values"):
        wire.decode(many)
    with pytest.raises(wire.WireError, match="name too long"):
        wire.decode(_array(b"<U" + b"0" * 1000 + b"1", 0, 0))


def test_rows_without_entries_are_limited() -> None:
    with pytest.raises(wire.WireError, match="too many rows"):
        wire.decode(_array(b"<f8", 10**15, 0, 0))
    assert wire.decode(_array(b"<f8", 3, 0, 0)).shape == (3, 0)
