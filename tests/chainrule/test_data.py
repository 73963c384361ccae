"""Datasets, samplers and the loader: PyTorch's semantics, orders by seed, a thread that ends."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule import data


def samples(count: int) -> list[Any]:
    rng = np.random.default_rng(0)
    return [
        {
            "x": rng.normal(size=(2, 3)).astype("float32"),
            "y": i,
            "z": (0.5 * i, i % 2 == 0),
            "n": "a",
        }
        for i in range(count)
    ]


def as_arrays(batch: Any) -> Any:
    if isinstance(batch, dict):
        return {k: as_arrays(v) for k, v in batch.items()}
    if isinstance(batch, tuple | list):
        return [as_arrays(v) for v in batch]
    return batch if isinstance(batch, str) else batch.numpy()


def assert_same(a: Any, b: Any) -> None:
    if isinstance(a, dict):
        assert a.keys() == b.keys()
        for k in a:
            assert_same(a[k], b[k])
    elif isinstance(a, list):
        assert len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            assert_same(x, y)
    elif isinstance(a, str):
        assert a == b
    else:
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("size", [1, 3, 7, 20])
def test_batches_equal_pytorchs(size: int, drop_last: bool) -> None:
    torch = pytest.importorskip("torch.utils.data")
    source = samples(10)
    order = np.random.default_rng(1).permutation(10).tolist()
    for how in ({}, {"sampler": order}):
        mine = data.DataLoader(source, size, drop_last=drop_last, **how)
        theirs = torch.DataLoader(source, size, drop_last=drop_last, **how)
        assert len(mine) == len(theirs)
        batches = [as_arrays(b) for b in mine]
        assert_same(batches, [as_arrays(b) for b in theirs])


def test_without_batches_samples_come_as_they_are() -> None:
    assert list(data.DataLoader(["a", "b"], batch_size=None)) == ["a", "b"]


def test_orders_are_by_seed_and_differ_from_pass_to_pass() -> None:
    def passes(seed: int) -> list[list[int]]:
        loader = data.DataLoader(range(50), batch_size=8, shuffle=True, seed=seed)
        return [[int(i) for b in loader for i in b.data] for _ in range(3)]

    first = passes(4)
    assert first == passes(4) != passes(5)
    assert len({tuple(p) for p in first}) == 3
    assert all(sorted(p) == list(range(50)) for p in first)
    expected = np.random.default_rng((4, 1)).permutation(50).tolist()
    assert first[1] == expected


def test_samplers() -> None:
    assert list(data.SequentialSampler("abc")) == [0, 1, 2]
    few = list(data.RandomSampler(range(10), num_samples=4))
    assert len(few) == len(set(few)) == 4
    many = list(data.RandomSampler(range(3), replacement=True, num_samples=300))
    assert set(many) == {0, 1, 2}
    heavy = list(data.WeightedRandomSampler([1, 0, 9], 1000, seed=2))
    assert heavy.count(1) == 0 and 850 < heavy.count(2) < 950
    assert sorted(data.WeightedRandomSampler([1, 2, 9], 3, replacement=False)) == [0, 1, 2]
    lengths = np.random.default_rng(0).integers(1, 50, 97)
    groups = list(data.LengthSampler(lengths, 8))
    assert sorted(i for g in groups for i in g) == list(range(97))
    assert max(np.ptp(lengths[g]) for g in groups) <= 9
    assert len(data.LengthSampler(lengths, 8)) == len(groups) == 13


def test_datasets() -> None:
    x, y = cr.arange(6.0).reshape(3, 2), np.array([1, 2, 3])
    pairs = data.TensorDataset(x, y)
    assert len(pairs) == 3 and pairs[1][0].tolist() == [2, 3] and pairs[1][1] == 2
    batch = next(iter(data.DataLoader(pairs, batch_size=3)))
    assert batch[0].shape == (3, 2) and batch[0].dtype == "float32" and batch[1].dtype == "int64"
    parts = data.random_split(range(11), [0.5, 0.3, 0.2], np.random.default_rng(0))
    assert [len(p) for p in parts] == [6, 3, 2]
    assert sorted(i for p in parts for i in p) == list(range(11))  # type: ignore[attr-defined]
    both = data.ConcatDataset(["ab", "", "cd"])
    assert [both[i] for i in range(-4, 4)] == list("abcdabcd")
    with pytest.raises(IndexError):
        both[4]


def waiting() -> list[threading.Thread]:
    return [t for t in threading.enumerate() if t.name == "chainrule-prefetch"]


def test_prefetching_gives_the_same_batches_and_ends_its_thread() -> None:
    plain = data.DataLoader(samples(20), batch_size=3, shuffle=True, seed=1)
    ahead = data.DataLoader(samples(20), batch_size=3, shuffle=True, seed=1, prefetch=2)
    for _ in range(2):
        assert_same([as_arrays(b) for b in ahead], [as_arrays(b) for b in plain])
    assert waiting() == []


def test_at_most_so_many_batches_are_prepared_ahead() -> None:
    taken: list[int] = []

    class Counted:
        def __len__(self) -> int:
            return 100

        def __getitem__(self, i: int) -> int:
            taken.append(i)
            return i

    iterator = iter(data.DataLoader(Counted(), batch_size=1, prefetch=3))
    next(iterator)
    deadline = time.monotonic() + 5
    while len(taken) < 5 and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.1)
    assert len(taken) == 5  # one handed out, three in the queue, one in the hand of the thread
    iterator.close()  # type: ignore[attr-defined]
    assert waiting() == []


def test_an_early_break_ends_the_thread() -> None:
    for batch in data.DataLoader(range(1000), batch_size=1, prefetch=4):
        if batch.item() == 2:
            break
    deadline = time.monotonic() + 5
    while waiting() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert waiting() == []


def test_errors_of_the_dataset_surface_as_themselves() -> None:
    class Broken(list[int]):
        def __getitem__(self, i: Any) -> Any:
            if i == 3:
                raise KeyError("sample 3")
            return super().__getitem__(i)

    for prefetch in (0, 2):
        seen = []

        def run(prefetch: int = prefetch, seen: list[int] = seen) -> Iterator[None]:
            for batch in data.DataLoader(Broken(range(6)), batch_size=1, prefetch=prefetch):
                seen.append(batch.item())
            yield None

        with pytest.raises(KeyError, match="sample 3"):
            list(run())
        assert seen == [0, 1, 2] and waiting() == []


def test_refusals() -> None:
    with pytest.raises(cr.DataError, match=r"sample\['x'\] has shapes \(2,\), \(3,\)"):
        data.default_collate([{"x": np.zeros(2)}, {"x": np.zeros(3)}])
    with pytest.raises(cr.DataError, match=r"sample\[1\] has lengths \[1, 2\]"):
        data.default_collate([(1, [1]), (1, [1, 2])])
    with pytest.raises(cr.DataError, match="no number"):
        data.default_collate([object()])
    with pytest.raises(cr.DataError, match="shuffle must stay False"):
        data.DataLoader([1], sampler=[0], shuffle=True)
    with pytest.raises(cr.DataError, match="no room"):
        data.DataLoader([1], batch_sampler=[[0]], drop_last=True)
    with pytest.raises(cr.DataError, match="at least one sample"):
        data.DataLoader([1], batch_size=0)
    with pytest.raises(cr.DataError, match="prefetch"):
        data.DataLoader([1], prefetch=-1)
    with pytest.raises(cr.DataError, match="one length"):
        data.TensorDataset(np.zeros(2), np.zeros(3))
    with pytest.raises(cr.DataError, match="do not add up to the 10"):
        data.random_split(range(10), [3, 3], np.random.default_rng(0))
    with pytest.raises(cr.DataError, match="replacement=True"):
        data.RandomSampler(range(3), num_samples=4)
    with pytest.raises(cr.DataError, match="not all 0"):
        data.WeightedRandomSampler([0.0], 1)
    with pytest.raises(cr.DataError, match="at least one dataset"):
        data.ConcatDataset([])
