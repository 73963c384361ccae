"""The device's memory: how much is in use, and by whom it was last used."""

from __future__ import annotations

from itertools import count

BLOCK = 2 * 2**20  # what PyTorch's caching allocator asks the driver for at least, in bytes
NUMBERS = count(1)


class Memory:
    """Bytes in use on one device, their peak, and what the caching allocator has reserved."""

    def __init__(self) -> None:
        self.allocated = 0
        self.peak = 0
        self.reserved = 0

    def take(self, nbytes: int) -> None:
        """Count bytes as in use."""
        self.allocated += nbytes
        self.peak = max(self.peak, self.allocated)

    def missing(self, nbytes: int, size: int) -> int:
        """Return how much must be asked of the driver, whose memory has this size, for nbytes."""
        short = self.allocated + nbytes - self.reserved
        if short <= 0:
            return 0
        return min(-(-short // BLOCK) * BLOCK, max(size - self.reserved, short))

    def trim(self) -> None:
        """Give back to the driver what is reserved and not in use."""
        self.reserved = -(-self.allocated // BLOCK) * BLOCK


class Allocation:
    """One storage on the device. Tensors that share it hold it; with the last of them it is freed.

    Attributes:
        key: Address of PyTorch's storage, by which views find their allocation.
        nbytes: Its size.
        wrote: Stream, its number of operations then, and name of the last write.
        read: For each stream, its number of operations then and name of the last read.
        epoch: The reset that `wrote` and `read` belong to.
    """

    __slots__ = ("__weakref__", "epoch", "key", "memory", "nbytes", "number", "read", "wrote")

    def __init__(self, memory: Memory, key: int, nbytes: int) -> None:
        self.memory = memory
        self.key = key
        self.nbytes = nbytes
        self.number = next(NUMBERS)
        self.epoch = -1
        self.wrote: tuple[int, int, str] | None = None
        self.read: dict[int, tuple[int, str]] = {}
        memory.take(nbytes)

    def resize(self, nbytes: int) -> None:
        """Count a storage that has grown."""
        self.memory.take(nbytes - self.nbytes)
        self.nbytes = nbytes

    def __del__(self) -> None:
        self.memory.allocated -= self.nbytes
