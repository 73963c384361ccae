"""What happened on the device, row by row, and the sums that a program is judged by."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

LINK = ("h2d", "d2h")  # kinds of rows that cross the link between host and device


class Row(NamedTuple):
    """One thing that happened. Times are simulated seconds since the last reset.

    Attributes:
        kind: "h2d" and "d2h" cross the link; "d2d" is a copy within the device; "kernel"; "sync":
            the host waits for the device; "alloc": the host asks the driver for more memory;
            "host": `host_work`.
        name: Of the operation in PyTorch, such as "addmm"; for "sync" what waited.
        bytes: Carried by a copy; read and written by a kernel; taken by an allocation.
        flops: Floating-point operations of a kernel.
        stream: Number of the stream; 0 is the default stream.
        issued: When the host had issued it.
        start: When the device (the host, for "sync", "alloc" and "host") began.
        end: When it was done.
        pinned: The host's side of a copy was pinned memory.
        blocking: The host waited for the end of this copy.
    """

    kind: str
    name: str
    bytes: int
    flops: int
    stream: int
    issued: float
    start: float
    end: float
    pinned: bool
    blocking: bool

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.end - self.start


@dataclass(frozen=True)
class Ledger:
    """The rows since the last reset, in the order in which the host issued them, and their sums.

    Attributes:
        rows: See `Row`.
        hazards: One sentence for each use of data on a stream that was not ordered after the
            stream that wrote or read it. The numbers are right here; on a device they may not be.
        peak_bytes: The most memory in use on the device at one time.
        device: Name of the device model.
    """

    rows: tuple[Row, ...]
    hazards: tuple[str, ...]
    peak_bytes: int
    device: str

    def of(self, *kinds: str) -> tuple[Row, ...]:
        """Return the rows of these kinds."""
        return tuple(row for row in self.rows if row.kind in kinds)

    @property
    def copies(self) -> int:
        """Copies over the link, both directions."""
        return len(self.of(*LINK))

    @property
    def to_device(self) -> int:
        """Bytes copied from the host to the device."""
        return sum(row.bytes for row in self.of("h2d"))

    @property
    def from_device(self) -> int:
        """Bytes copied from the device to the host."""
        return sum(row.bytes for row in self.of("d2h"))

    @property
    def kernels(self) -> int:
        """Kernels launched, copies within the device included."""
        return len(self.of("kernel", "d2d"))

    @property
    def synchronizations(self) -> int:
        """Times the host waited for the device: each "sync" row and each blocking copy."""
        return sum(row.kind == "sync" or row.blocking for row in self.rows)

    @property
    def flops(self) -> int:
        """Floating-point operations of all kernels."""
        return sum(row.flops for row in self.rows)

    @property
    def seconds(self) -> float:
        """Simulated seconds from the reset until host and device had done all of the rows."""
        return max((row.end for row in self.rows), default=0.0)

    @property
    def kernel_seconds(self) -> float:
        """How long the compute engine was busy."""
        return sum(row.seconds for row in self.of("kernel", "d2d"))

    @property
    def copy_seconds(self) -> float:
        """How long the copy engines were busy, added up."""
        return sum(row.seconds for row in self.of(*LINK))

    def sums(self) -> dict[str, int | float]:
        """Return all sums by name."""
        return {name: getattr(self, name) for name in SUMS}

    def to_dict(self) -> dict[str, Any]:
        """Return rows, hazards and sums as plain data for JSON."""
        return {
            "device": self.device,
            "rows": [row._asdict() for row in self.rows],
            "hazards": list(self.hazards),
            "sums": self.sums(),
        }

    def __str__(self) -> str:
        lines = [HEAD, *(line(row) for row in clipped(self.rows)), *footer(self)]
        return "\n".join(lines)

    __repr__ = __str__


SUMS = (
    "copies",
    "to_device",
    "from_device",
    "kernels",
    "synchronizations",
    "flops",
    "seconds",
    "kernel_seconds",
    "copy_seconds",
    "peak_bytes",
)
HEAD = (
    f"{'kind':<7}{'name':<28}{'stream':>6}{'bytes':>15}{'flops':>17}"
    f"{'start us':>12}{'end us':>12}  how"
)
SHOWN = 40  # rows of the table; of more, the first and the last


def clipped(rows: tuple[Row, ...]) -> Iterable[Row | int]:
    """Yield rows; of many only the first and last ones, and between them the number left out."""
    if len(rows) <= SHOWN:
        yield from rows
        return
    yield from rows[: SHOWN // 2]
    yield len(rows) - SHOWN
    yield from rows[-SHOWN // 2 :]


def line(row: Row | int) -> str:
    """Return the table's line for a row, or for a number of rows left out."""
    if isinstance(row, int):
        return f"... {row:,} rows more"
    how = [word for word, told in (("pinned", row.pinned), ("blocking", row.blocking)) if told]
    text = (
        f"{row.kind:<7}{row.name[:27]:<28}{row.stream:>6}{row.bytes:>15,}{row.flops:>17,}"
        f"{row.start * 1e6:>12.2f}{row.end * 1e6:>12.2f}  {', '.join(how)}"
    )
    return text.rstrip()


def footer(ledger: Ledger) -> list[str]:
    """Return the lines under the table."""
    return [
        f"{ledger.device}: {ledger.copies} copies ({ledger.to_device:,} bytes to the device, "
        f"{ledger.from_device:,} back), {ledger.kernels} kernels, "
        f"{ledger.synchronizations} synchronizations,",
        f"{ledger.seconds * 1e3:.3f} simulated ms, at most {ledger.peak_bytes:,} bytes in use",
        *(f"hazard: {text}" for text in ledger.hazards),
    ]
