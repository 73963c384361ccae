"""Samplers: in which order samples are taken, one pass after another.

A sampler with a seed gives another order in every pass, and the same orders every time that it is
made: pass number e draws from `np.random.default_rng((seed, e))`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from chainrule.data.dataset import Dataset
from chainrule.errors import DataError


class Sampler:
    """The parent of samplers: iterate to get the numbers of samples; one iteration is one pass.

    Args:
        count: How many numbers a pass gives.
        seed: Of the orders.

    >>> list(Sampler(3))
    [0, 1, 2]
    """

    def __init__(self, count: int, seed: int = 0) -> None:
        self.count, self.seed, self.epoch = count, seed, 0

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Any]:
        rng = np.random.default_rng((self.seed, self.epoch))
        self.epoch += 1
        return iter(self.order(rng))

    def order(self, rng: np.random.Generator) -> Sequence[Any]:
        """Return the numbers of one pass."""
        return range(self.count)


class SequentialSampler(Sampler):
    """The samples in order.

    >>> list(SequentialSampler("abc"))
    [0, 1, 2]
    """

    def __init__(self, dataset: Dataset) -> None:
        super().__init__(len(dataset))


class RandomSampler(Sampler):
    """The samples in random order, each once; or drawn with replacement.

    Args:
        dataset: The dataset.
        replacement: Whether a sample may come twice.
        num_samples: How many a pass gives; all by default.
        seed: Of the orders.

    Raises:
        DataError: More samples than there are, without replacement.

    >>> sampler = RandomSampler(range(5), seed=1)
    >>> list(sampler), list(sampler)
    ([4, 0, 1, 2, 3], [1, 4, 0, 3, 2])
    """

    def __init__(
        self,
        dataset: Dataset,
        replacement: bool = False,
        num_samples: int | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(len(dataset) if num_samples is None else num_samples, seed)
        self.total, self.replacement = len(dataset), replacement
        if not replacement and self.count > self.total:
            raise DataError(
                f"RandomSampler: {self.count} of {self.total} samples need replacement=True"
            )

    def order(self, rng: np.random.Generator) -> list[int]:
        """Return the numbers of one pass."""
        if self.replacement:
            return rng.integers(0, self.total, self.count).tolist()
        return rng.permutation(self.total)[: self.count].tolist()


class WeightedRandomSampler(Sampler):
    """Samples drawn in proportion to weights.

    Args:
        weights: One for each sample, none negative; they need not add up to 1.
        num_samples: How many a pass gives.
        replacement: Whether a sample may come twice.
        seed: Of the draws.

    >>> sorted(set(WeightedRandomSampler([0.0, 3.0, 1.0], 100)))
    [1, 2]
    """

    def __init__(
        self,
        weights: Sequence[float],
        num_samples: int,
        replacement: bool = True,
        seed: int = 0,
    ) -> None:
        super().__init__(num_samples, seed)
        array = np.asarray(weights, float)
        if array.ndim != 1 or not np.all(array >= 0) or not array.sum() > 0:
            raise DataError("WeightedRandomSampler: weights are numbers from 0 on, not all 0")
        if not replacement and num_samples > np.count_nonzero(array):
            raise DataError(
                f"WeightedRandomSampler: {num_samples} samples without replacement, but only "
                f"{np.count_nonzero(array)} weights above 0"
            )
        self.odds, self.replacement = array / array.sum(), replacement

    def order(self, rng: np.random.Generator) -> list[int]:
        """Return the numbers of one pass."""
        return rng.choice(len(self.odds), self.count, self.replacement, self.odds).tolist()


class BatchSampler:
    """Numbers of samples in groups.

    Args:
        sampler: The numbers, one by one.
        batch_size: How many to a group.
        drop_last: Whether to leave out a last group that is smaller.

    >>> list(BatchSampler(range(5), 2, drop_last=False))
    [[0, 1], [2, 3], [4]]
    """

    def __init__(self, sampler: Any, batch_size: int, drop_last: bool) -> None:
        if batch_size < 1:
            raise DataError(f"BatchSampler: a batch has at least one sample, not {batch_size}")
        self.sampler, self.batch_size, self.drop_last = sampler, batch_size, drop_last

    def __len__(self) -> int:
        whole, rest = divmod(len(self.sampler), self.batch_size)
        return whole + (rest > 0 and not self.drop_last)

    def __iter__(self) -> Iterator[list[int]]:
        batch: list[int] = []
        for index in self.sampler:
            batch.append(index)
            if len(batch) == self.batch_size:
                yield batch
                batch = []
        if batch and not self.drop_last:
            yield batch


class LengthSampler(Sampler):
    """Groups of samples of similar length, in random order: less padding for sequences.

    Args:
        lengths: The length of each sample.
        batch_size: How many to a group.
        seed: Of the order of the groups, and of samples of equal length.

    >>> [sorted(b) for b in LengthSampler([5, 1, 5, 1, 3], 2)]
    [[1], [0, 2], [3, 4]]
    """

    def __init__(self, lengths: Sequence[int], batch_size: int, seed: int = 0) -> None:
        super().__init__(-(-len(lengths) // batch_size), seed)
        self.lengths, self.batch_size = np.asarray(lengths), batch_size

    def order(self, rng: np.random.Generator) -> list[list[int]]:
        """Return the groups of one pass: by length from the longest, then shuffled."""
        shuffled = rng.permutation(len(self.lengths))
        by_length = shuffled[np.argsort(-self.lengths[shuffled], kind="stable")].tolist()
        groups = [
            by_length[i : i + self.batch_size] for i in range(0, len(by_length), self.batch_size)
        ]
        return [groups[i] for i in rng.permutation(len(groups))]
