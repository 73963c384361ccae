"""`DataLoader`: samples in batches, prepared ahead in a thread if asked.

>>> import numpy as np
>>> data = [(np.full(2, i), i % 2) for i in range(5)]
>>> for x, y in DataLoader(data, batch_size=2, drop_last=True):
...     print(x.tolist(), y.tolist())
[[0, 0], [1, 1]] [0, 1]
[[2, 2], [3, 3]] [0, 1]
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from chainrule.data.dataset import Dataset
from chainrule.data.samplers import BatchSampler, RandomSampler, SequentialSampler
from chainrule.errors import DataError
from chainrule.tape import Value
from chainrule.tensor import tensor


class DataLoader:
    """The batches of a dataset; each iteration is one pass (an epoch).

    Args:
        dataset: What has a length and samples by number.
        batch_size: Samples to a batch; None gives samples one by one, as they are.
        shuffle: Whether every pass has a random order.
        sampler: The order of samples, instead of `shuffle`.
        batch_sampler: The samples of each batch, instead of all of these.
        drop_last: Whether to leave out a last batch that is smaller.
        collate_fn: From a list of samples to a batch; `default_collate` by default.
        seed: Of the orders: pass number e draws from `np.random.default_rng((seed, e))`.
        prefetch: How many batches a thread prepares ahead; 0 prepares each when it is asked for.

    An error in the dataset reaches whoever iterates, as itself. Leaving the loop early ends the
    thread.

    Raises:
        DataError: Options that exclude each other.

    >>> loader = DataLoader(list(range(6)), batch_size=4, shuffle=True, seed=3, prefetch=2)
    >>> [batch.tolist() for batch in loader], len(loader)
    ([[2, 5, 4, 1], [3, 0]], 2)
    """

    def __init__(
        self,
        dataset: Dataset,
        batch_size: int | None = 1,
        shuffle: bool = False,
        sampler: Any = None,
        batch_sampler: Any = None,
        drop_last: bool = False,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        seed: int = 0,
        prefetch: int = 0,
    ) -> None:
        if sampler is not None and shuffle:
            raise DataError("DataLoader: a sampler sets the order, so shuffle must stay False")
        if batch_sampler is not None and (
            batch_size not in (None, 1) or shuffle or sampler is not None or drop_last
        ):
            raise DataError(
                "DataLoader: a batch_sampler leaves no room for batch_size, shuffle, sampler or "
                "drop_last"
            )
        if prefetch < 0:
            raise DataError(
                f"DataLoader: prefetch is a number of batches from 0 on, not {prefetch}"
            )
        self.dataset, self.prefetch = dataset, prefetch
        self.collate_fn = collate_fn or default_collate
        if sampler is None:
            sampler = RandomSampler(dataset, seed=seed) if shuffle else SequentialSampler(dataset)
        self.sampler = sampler
        self.batch_sampler = batch_sampler
        if batch_sampler is None and batch_size is not None:
            self.batch_sampler = BatchSampler(sampler, batch_size, drop_last)

    def __len__(self) -> int:
        return len(self.sampler if self.batch_sampler is None else self.batch_sampler)

    def __iter__(self) -> Iterator[Any]:
        return ahead(self._batches(), self.prefetch) if self.prefetch else self._batches()

    def _batches(self) -> Iterator[Any]:
        if self.batch_sampler is None:
            yield from (self.dataset[i] for i in self.sampler)
            return
        for indices in self.batch_sampler:
            yield self.collate_fn([self.dataset[i] for i in indices])


def ahead(items: Iterator[Any], count: int) -> Iterator[Any]:
    """Give the items of an iterator that a thread runs up to `count` items ahead."""
    ready: queue.Queue[tuple[str, Any]] = queue.Queue(maxsize=count)
    stopped = threading.Event()

    def put(kind: str, value: Any) -> bool:
        while not stopped.is_set():
            try:
                ready.put((kind, value), timeout=0.05)
            except queue.Full:
                continue
            return True
        return False

    def work() -> None:
        try:
            for item in items:
                if not put("item", item):
                    return
            put("end", None)
        except BaseException as error:  # it is raised where the batch was wanted
            put("error", error)

    thread = threading.Thread(target=work, daemon=True, name="chainrule-prefetch")
    thread.start()
    try:
        while True:
            kind, value = ready.get()
            if kind == "end":
                return
            if kind == "error":
                raise value
            yield value
    finally:
        stopped.set()
        thread.join()


def default_collate(samples: list[Any]) -> Any:
    """Return samples as one batch: numbers and arrays become tensors with a new first axis.

    Tuples, lists and dicts are collated part by part; strings stay a list. Dtypes stay, except that
    Python floats become float64 and Python ints int64, as in PyTorch.

    Raises:
        DataError: Samples of unequal shape or structure; the message names the field.

    >>> import numpy as np
    >>> batch = default_collate([{"x": np.zeros(2), "name": "a"}, {"x": np.ones(2), "name": "b"}])
    >>> batch["x"].shape, batch["name"]
    ((2, 2), ['a', 'b'])
    """
    return _collated(samples, "sample")


def _collated(samples: list[Any], path: str) -> Any:
    first = samples[0]
    if isinstance(first, str | bytes):
        return samples
    if isinstance(first, Mapping):
        return {k: _collated([s[k] for s in samples], f"{path}[{k!r}]") for k in first}
    if isinstance(first, tuple | list):
        if len({len(s) for s in samples}) > 1:
            lengths = sorted({len(s) for s in samples})
            raise DataError(f"default_collate: {path} has lengths {lengths}; pass a collate_fn")
        parts = [_collated([s[i] for s in samples], f"{path}[{i}]") for i in range(len(first))]
        return tuple(parts) if isinstance(first, tuple) else parts
    arrays = [np.asarray(s.data if isinstance(s, Value) else s) for s in samples]
    if len({a.shape for a in arrays}) > 1:
        shapes = ", ".join(sorted({str(a.shape) for a in arrays}))
        raise DataError(f"default_collate: {path} has shapes {shapes}; pad them in a collate_fn")
    batch = np.stack(arrays)
    if batch.dtype.kind not in "biufc":
        raise DataError(f"default_collate: {path} is no number, array or string: {first!r}")
    return tensor(batch)
