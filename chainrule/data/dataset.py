"""Datasets: how many samples there are, and sample number i."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Any, Protocol

import numpy as np

from chainrule.errors import DataError


class Dataset(Protocol):
    """Anything with a length and samples by number; a list is one.

    >>> class Squares:
    ...     def __len__(self):
    ...         return 4
    ...
    ...     def __getitem__(self, i):
    ...         return i * i
    >>> from chainrule.data import DataLoader
    >>> [batch.tolist() for batch in DataLoader(Squares(), batch_size=3)]
    [[0, 1, 4], [9]]
    """

    def __len__(self) -> int:
        """Return how many samples there are."""

    def __getitem__(self, index: int) -> Any:
        """Return a sample."""


class TensorDataset:
    """Rows of arrays (or tensors) of one length, as tuples.

    Raises:
        DataError: No arrays, or of unequal length.

    >>> import numpy as np
    >>> TensorDataset(np.arange(6).reshape(3, 2), np.array([7, 8, 9]))[1]
    (array([2, 3]), np.int64(8))
    """

    def __init__(self, *arrays: Any) -> None:
        lengths = [len(a) for a in arrays]
        if len(set(lengths)) != 1:
            raise DataError(f"TensorDataset: arrays of one length are needed, not of {lengths}")
        self.arrays = arrays

    def __len__(self) -> int:
        return len(self.arrays[0])

    def __getitem__(self, index: Any) -> tuple[Any, ...]:
        return tuple(a[index] for a in self.arrays)


class Subset:
    """Some samples of a dataset, by their numbers.

    >>> list(Subset("abcdef", [4, 0]))
    ['e', 'a']
    """

    def __init__(self, dataset: Dataset, indices: Sequence[int]) -> None:
        self.dataset, self.indices = dataset, indices

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int) -> Any:
        return self.dataset[self.indices[index]]


class ConcatDataset:
    """Datasets one after another.

    >>> both = ConcatDataset(["ab", "cde"])
    >>> len(both), both[3], both[-1]
    (5, 'd', 'e')
    """

    def __init__(self, datasets: Sequence[Dataset]) -> None:
        if not datasets:
            raise DataError("ConcatDataset: at least one dataset is needed")
        self.datasets = list(datasets)
        self.ends = list(accumulate(len(d) for d in self.datasets))

    def __len__(self) -> int:
        return self.ends[-1]

    def __getitem__(self, index: int) -> Any:
        place = index + len(self) if index < 0 else index
        if not 0 <= place < len(self):
            raise IndexError(f"sample {index} of {len(self)}")
        which = bisect_right(self.ends, place)
        return self.datasets[which][place - (self.ends[which - 1] if which else 0)]


def random_split(
    dataset: Dataset, lengths: Sequence[float], rng: np.random.Generator
) -> list[Subset]:
    """Return a dataset cut at random into parts.

    Args:
        dataset: The dataset.
        lengths: The number of samples of each part; or fractions that add up to 1, rounded down,
            what is left over going one each to the first parts.
        rng: Where the order comes from.

    Raises:
        DataError: The lengths do not add up to the dataset's.

    >>> import numpy as np
    >>> [len(part) for part in random_split(range(10), [0.75, 0.25], np.random.default_rng(0))]
    [8, 2]
    """
    whole = len(dataset)
    if abs(sum(lengths) - 1) < 1e-9 and all(0 <= n <= 1 for n in lengths):
        counts = [int(whole * n) for n in lengths]
        for i in range(whole - sum(counts)):
            counts[i % len(counts)] += 1
    else:
        counts = [int(n) for n in lengths]
    if sum(counts) != whole or min(counts) < 0:
        raise DataError(f"random_split: {list(lengths)} do not add up to the {whole} samples")
    order = rng.permutation(whole).tolist()
    ends = [0, *accumulate(counts)]
    return [Subset(dataset, order[a:b]) for a, b in pairwise(ends)]
