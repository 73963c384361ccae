"""The table of device models: what each can do at best, and where the number is from.

>>> titan = find("titan-xp")
>>> titan.name, titan.cores, round(titan.fp32_flops / 1e12, 2)
('NVIDIA TITAN Xp', 3840, 12.15)
>>> slow_link = dataclasses.replace(titan, link_pinned=1e9)

Peaks are 2 x cores x clock (one fused multiply-add a clock). Data sheets do not say what a launch
or a copy costs beyond its bytes; those numbers are assumptions, and `sources` says so.
"""

from __future__ import annotations

import dataclasses
import difflib
from dataclasses import dataclass, field

from chainrule.sim.errors import SimError

GB = 1e9  # bandwidths are in decimal units, as in data sheets
GIB = 2**30


@dataclass(frozen=True)
class Device:
    """A device model: rates in FLOP/s and bytes/s, sizes in bytes, latencies in seconds.

    Attributes:
        name: As its maker calls it.
        kind: "gpu" or "cpu".
        year: Of its release.
        cores: FP32 lanes that its maker calls cores on a GPU; cores on a CPU.
        sms: Streaming multiprocessors on a GPU; sockets on a CPU.
        fp32_flops: Peak of float32 arithmetic.
        fp16_flops: Peak of matrix products in float16 and bfloat16, on Tensor Cores where it has
            them; the same as `fp32_flops` where half precision buys bytes alone.
        fp64_flops: Peak of float64 arithmetic.
        memory_bandwidth: Between the device's processor and its memory.
        memory: Size of its memory.
        link_pinned: Copies between the host's pinned memory and the device, one direction.
        link_pageable: The same for ordinary memory of the host, which is copied twice.
        launch_latency: What launching a kernel or a copy costs the host.
        copy_latency: What a copy over the link costs beyond its bytes.
        kernel_overhead: What a kernel costs the device beyond its work.
        alloc_latency: What it costs the host to get more memory from the driver.
        sources: Field, or fields, to document.
    """

    name: str
    kind: str
    year: int
    cores: int
    sms: int
    fp32_flops: float
    fp16_flops: float
    fp64_flops: float
    memory_bandwidth: float
    memory: int
    link_pinned: float
    link_pageable: float
    launch_latency: float = 5e-6
    copy_latency: float = 10e-6
    kernel_overhead: float = 2e-6
    alloc_latency: float = 100e-6
    sources: dict[str, str] = field(default_factory=dict, compare=False)

    @property
    def ridge(self) -> float:
        """FLOPs per byte at which float32 arithmetic and memory take equally long."""
        return self.fp32_flops / self.memory_bandwidth

    def to_dict(self) -> dict[str, object]:
        """Return the fields as plain data."""
        return dataclasses.asdict(self)


LATENCIES = "launch_latency, copy_latency, kernel_overhead, alloc_latency"
ASSUMED = {
    LATENCIES: "assumed: round numbers of the order that profilers show for CUDA",
    "link_pageable": "assumed: half of the pinned rate, as pageable memory is copied twice; "
    "https://developer.nvidia.com/blog/how-optimize-data-transfers-cuda-cc/ (2012) measures 1 to 3",
}
ON_CPU = {
    "link_pinned, link_pageable": "no link: the device is the host, so a copy to it is a copy "
    "within its memory (read and write)",
    LATENCIES: "assumed: one microsecond for a call of an operation, none for the rest",
}

TITAN_X = Device(
    name="NVIDIA TITAN X (Pascal)",
    kind="gpu",
    year=2016,
    cores=3584,
    sms=28,
    fp32_flops=2 * 3584 * 1.531e9,
    fp16_flops=2 * 3584 * 1.531e9,
    fp64_flops=2 * 3584 * 1.531e9 / 32,
    memory_bandwidth=480 * GB,
    memory=12 * GIB,
    link_pinned=11 * GB,
    link_pageable=5.5 * GB,
    sources={
        "cores, sms, memory_bandwidth, memory": "NVIDIA, TITAN X (Pascal) product page, 2016",
        "fp32_flops": "2 x cores x boost clock 1531 MHz",
        "fp16_flops": "no Tensor Cores; half precision is computed in float32",
        "fp64_flops": "1/32 of FP32: NVIDIA, CUDA C Programming Guide, table of arithmetic "
        "throughput, compute capability 6.1",
        "link_pinned": "11 GB/s measured on PCIe 3.0 x16 with a Titan X, a reader of "
        "https://developer.nvidia.com/blog/how-optimize-data-transfers-cuda-cc/; in theory 15.75",
        **ASSUMED,
    },
)

TITAN_XP = dataclasses.replace(
    TITAN_X,
    name="NVIDIA TITAN Xp",
    year=2017,
    cores=3840,
    sms=30,
    fp32_flops=2 * 3840 * 1.582e9,
    fp16_flops=2 * 3840 * 1.582e9,
    fp64_flops=2 * 3840 * 1.582e9 / 32,
    memory_bandwidth=547.7 * GB,
    sources={
        **TITAN_X.sources,
        "cores, sms, memory_bandwidth, memory": "https://www.nvidia.com/en-us/titan/titan-xp/",
        "fp32_flops": "2 x cores x boost clock 1582 MHz",
    },
)
TITAN_XP.sources["link_pinned"] = TITAN_X.sources["link_pinned"] + "; the same bus"

H200 = Device(
    name="NVIDIA H200 SXM",
    kind="gpu",
    year=2024,
    cores=16896,
    sms=132,
    fp32_flops=67e12,
    fp16_flops=989e12,
    fp64_flops=34e12,
    memory_bandwidth=4800 * GB,
    memory=141 * 10**9,
    link_pinned=55 * GB,
    link_pageable=27.5 * GB,
    sources={
        "fp32_flops, fp64_flops, memory_bandwidth, memory": "NVIDIA, H200 Tensor Core GPU data "
        "sheet, https://www.nvidia.com/en-us/data-center/h200/",
        "fp16_flops": "the same; half of its 1,979 TFLOP/s, which assume sparsity",
        "cores, sms": "NVIDIA, H100 Tensor Core GPU Architecture (SXM5), 2022: the same chip",
        "link_pinned": "assumed: 7/8 of PCIe 5.0 x16, 63 GB/s in each direction",
        **ASSUMED,
    },
)

LAPTOP_GPU = Device(
    name="NVIDIA GeForce RTX 4060 Laptop",
    kind="gpu",
    year=2023,
    cores=3072,
    sms=24,
    fp32_flops=2 * 3072 * 2.37e9,
    fp16_flops=4 * 3072 * 2.37e9,
    fp64_flops=2 * 3072 * 2.37e9 / 64,
    memory_bandwidth=256 * GB,
    memory=8 * GIB,
    link_pinned=13.8 * GB,
    link_pageable=6.9 * GB,
    sources={
        "cores, memory": "NVIDIA, GeForce RTX 40 series laptops, "
        "https://www.nvidia.com/en-us/geforce/laptops/compare/",
        "sms, fp64_flops": "NVIDIA, Ada GPU Architecture, 2022: 128 cores an SM, FP64 at 1/64",
        "fp32_flops": "2 x cores x boost clock 2370 MHz, reached at 115 W",
        "fp16_flops": "twice FP32 (dense, accumulated in float32): NVIDIA, Ada GPU Architecture",
        "memory_bandwidth": "128 bits x 16 Gbit/s",
        "link_pinned": "assumed: 7/8 of PCIe 4.0 x8, 15.75 GB/s",
        **ASSUMED,
    },
)

TWO_XEONS = Device(
    name="two Intel Xeon E5-2630 v3",
    kind="cpu",
    year=2014,
    cores=16,
    sms=2,
    fp32_flops=16 * 2.4e9 * 32,
    fp16_flops=16 * 2.4e9 * 32,
    fp64_flops=16 * 2.4e9 * 16,
    memory_bandwidth=2 * 59 * GB,
    memory=64 * GIB,
    link_pinned=59 * GB,
    link_pageable=59 * GB,
    launch_latency=1e-6,
    copy_latency=0.0,
    kernel_overhead=0.0,
    alloc_latency=0.0,
    sources={
        "cores, sms, memory_bandwidth": "Intel ARK, Xeon E5-2630 v3, each: 8 cores, 2.4 GHz, "
        "59 GB/s",
        "fp32_flops, fp64_flops": "cores x base clock x 32 (16 in FP64): two 256-bit fused "
        "multiply-adds a clock; Intel 64 Optimization Reference Manual, Haswell",
        "fp16_flops": "no half precision arithmetic; computed in float32",
        "memory": "assumed: the benchmark it is quoted from does not say",
        **ON_CPU,
    },
)

LAPTOP_CPU = Device(
    name="Intel Core i5-1135G7",
    kind="cpu",
    year=2020,
    cores=4,
    sms=1,
    fp32_flops=4 * 2.4e9 * 32,
    fp16_flops=4 * 2.4e9 * 32,
    fp64_flops=4 * 2.4e9 * 16,
    memory_bandwidth=51.2 * GB,
    memory=16 * GIB,
    link_pinned=25.6 * GB,
    link_pageable=25.6 * GB,
    launch_latency=1e-6,
    copy_latency=0.0,
    kernel_overhead=0.0,
    alloc_latency=0.0,
    sources={
        "cores, sms": "Intel ARK, Core i5-1135G7: 4 cores, 2.4 GHz at 28 W",
        "fp32_flops, fp64_flops": "cores x base clock x 32 (16 in FP64): one 512-bit or two "
        "256-bit fused multiply-adds a clock; Intel 64 Optimization Reference Manual",
        "fp16_flops": "no half precision arithmetic; computed in float32",
        "memory_bandwidth": "two channels of DDR4-3200",
        "memory": "assumed: what such laptops are sold with",
        **ON_CPU,
    },
)

DEVICES: dict[str, Device] = {
    "titan-xp": TITAN_XP,
    "titan-x": TITAN_X,
    "h200": H200,
    "laptop-gpu": LAPTOP_GPU,
    "two-xeons": TWO_XEONS,
    "laptop-cpu": LAPTOP_CPU,
}


def find(model: str | Device) -> Device:
    """Return the device model of this name, or the model itself.

    Raises:
        SimError: For a name that is not in `DEVICES`.
    """
    if isinstance(model, Device):
        return model
    if isinstance(model, str) and model in DEVICES:
        return DEVICES[model]
    near = difflib.get_close_matches(str(model), DEVICES, 1)
    hint = f"did you mean {near[0]!r}?" if near else f"choose one of {', '.join(DEVICES)}"
    raise SimError(f"sim.start: there is no device model {model!r}; {hint}")
