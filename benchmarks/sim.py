"""Predict, and measure where there is a GPU: `python -m benchmarks.sim [--json]`.

Each program runs on the simulated device once for each model of `chainrule.sim.DEVICES`; its
simulated time does not depend on this machine. Where PyTorch sees a CUDA device the same lines run
on it too: warmed, synchronized, the median of several runs, in full float32. Beside VGG16 stand
the published times of the TITAN X (Pascal) and the two Xeons.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import nn
from torch.nn import functional as F

import chainrule.sim as sim

# Simonyan & Zisserman, Very Deep Convolutional Networks, 2014, configuration D; 0 pools.
CHANNELS = [64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0]
# jcjohnson/cnn-benchmarks, README, VGG-16: batch 16, milliseconds forward, and with backward.
PUBLISHED = {
    "titan-x": {"VGG16 forward": 41.59, "VGG16 forward and backward": 128.62},
    "two-xeons": {"VGG16 forward": 3101.76, "VGG16 forward and backward": 8495.48},
}
WITHOUT_CUDNN = {"VGG16 forward": 98.15, "VGG16 forward and backward": 358.53}
RUNS = 20


class Program(NamedTuple):
    """One program: `prepare(device)` returns what is timed; `dry` needs no numbers."""

    name: str
    prepare: Callable[[str], Callable[[], None]]
    dry: bool


def vgg16() -> nn.Module:
    """Return VGG16 without its softmax."""
    layers: list[nn.Module] = []
    before = 3
    for channels in CHANNELS:
        if not channels:
            layers.append(nn.MaxPool2d(2))
            continue
        layers += [nn.Conv2d(before, channels, 3, padding=1), nn.ReLU()]
        before = channels
    layers += [nn.Flatten(), nn.Linear(25088, 4096), nn.ReLU(), nn.Dropout()]
    layers += [nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout(), nn.Linear(4096, 1000)]
    return nn.Sequential(*layers)


def vgg16_pass(backward: bool) -> Callable[[str], Callable[[], None]]:
    """Return the preparation of a pass over 16 images of 224 x 224."""

    def prepare(device: str) -> Callable[[], None]:
        with torch.device("meta"):
            model = vgg16()
        model = model.to_empty(device=device)
        images = torch.zeros(16, 3, 224, 224, device=device)

        def run() -> None:
            model.zero_grad(set_to_none=True)
            scores = model(images)
            if backward:
                scores.backward(torch.ones_like(scores))

        return run

    return prepare


def batches(pinned: bool) -> list[torch.Tensor]:
    """Return 8 batches of 64 rows of 1,000 numbers."""
    generator = torch.Generator().manual_seed(0)
    made = [torch.randn(64, 1000, generator=generator) for _ in range(8)]
    return [batch.pin_memory() for batch in made] if pinned else made


def step(weights: list[torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    """Do one step of a two-layer net by gradient descent; return the loss."""
    loss = F.mse_loss(torch.relu(x @ weights[0]) @ weights[1], x[:, :10])
    for weight, gradient in zip(weights, torch.autograd.grad(loss, weights), strict=True):
        weight.data.sub_(gradient, alpha=1e-3)
    return loss.detach()


def net(device: str) -> list[torch.Tensor]:
    """Return the weights of a net 1000 - 100 - 10 on a device."""
    generator = torch.Generator().manual_seed(1)
    shapes = ((1000, 100), (100, 10))
    weights = [torch.randn(*shape, generator=generator) / 30 for shape in shapes]
    return [weight.to(device).requires_grad_() for weight in weights]


def blocking(device: str) -> Callable[[], None]:
    """Copy each batch when it is needed, and read each loss at once."""
    weights, data = net(device), batches(pinned=False)

    def run() -> None:
        for batch in data:
            step(weights, batch.to(device)).item()

    return run


def resident(device: str) -> Callable[[], None]:
    """Keep all batches on the device, and read all losses at the end."""
    weights, data = net(device), [batch.to(device) for batch in batches(pinned=False)]

    def run() -> None:
        torch.stack([step(weights, batch) for batch in data]).tolist()

    return run


def overlapped(device: str) -> Callable[[], None]:
    """Copy the next batches on a stream of their own while the device works."""
    module = torch.get_device_module(device)
    weights, copier, data = net(device), module.Stream(), batches(pinned=True)

    def run() -> None:
        losses = []
        for batch in data:
            with module.stream(copier):
                there = batch.to(device, non_blocking=True)
            module.current_stream().wait_stream(copier)
            there.record_stream(module.current_stream())
            losses.append(step(weights, there))
        torch.stack(losses).tolist()

    return run


def tiny(device: str) -> Callable[[], None]:
    """Run 1,000 kernels that have next to nothing to do."""
    x = torch.ones(8, device=device)

    def run() -> None:
        y = x
        for _ in range(1000):
            y = y + 1

    return run


PROGRAMS = (
    Program("VGG16 forward", vgg16_pass(backward=False), dry=True),
    Program("VGG16 forward and backward", vgg16_pass(backward=True), dry=True),
    Program("8 steps, blocking copies", blocking, dry=False),
    Program("8 steps, overlapped copies", overlapped, dry=False),
    Program("8 steps, data on the device", resident, dry=False),
    Program("1,000 tiny kernels", tiny, dry=True),
)


def predicted(program: Program, model: str) -> float:
    """Return the simulated milliseconds of a warm run on a device model."""
    sim.start(model)
    if program.dry:
        with sim.dry_run(model):
            return warm(program.prepare("sim"))
    return warm(program.prepare("sim"))


def warm(run: Callable[[], None]) -> float:
    """Return the simulated milliseconds of a second run."""
    run()
    torch.sim.synchronize()  # type: ignore[attr-defined]
    sim.reset()
    run()
    torch.sim.synchronize()  # type: ignore[attr-defined]
    return sim.ledger().seconds * 1e3


def measured(program: Program) -> float:
    """Return the median milliseconds of warm runs on the CUDA device."""
    run = program.prepare("cuda")
    for _ in range(3):
        run()
    times = []
    for _ in range(RUNS):
        torch.cuda.synchronize()
        begun = time.perf_counter()
        run()
        torch.cuda.synchronize()
        times.append(time.perf_counter() - begun)
    return statistics.median(times) * 1e3


def collect() -> dict[str, Any]:
    """Return all numbers. CUDA comes first: the simulated device takes over pinned memory."""
    cuda = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    on_cuda = {p.name: measured(p) for p in PROGRAMS} if cuda else {}
    rows = [
        {
            "program": program.name,
            "predicted_ms": {model: predicted(program, model) for model in sim.DEVICES},
            "measured_ms": on_cuda.get(program.name),
            "published_ms": {
                model: times[program.name]
                for model, times in PUBLISHED.items()
                if program.name in times
            },
        }
        for program in PROGRAMS
    ]
    return {
        "pytorch": torch.__version__,
        "cuda": cuda,
        "without_cudnn": WITHOUT_CUDNN,
        "rows": rows,
    }


def table(found: dict[str, Any]) -> str:
    """Return the numbers as a Markdown table."""
    models = list(sim.DEVICES)
    lines = [
        "| simulated ms | " + " | ".join(f"`{model}`" for model in models) + " | measured |",
        "|---|" + "---|" * (len(models) + 1),
    ]
    for row in found["rows"]:
        cells = [f"{row['predicted_ms'][model]:.3f}" for model in models]
        seen = row["measured_ms"]
        cells.append("-" if seen is None else f"{seen:.3f}")
        lines.append(f"| {row['program']} | " + " | ".join(cells) + " |")
    told = found["cuda"] or "no CUDA device here: nothing was measured"
    return "\n".join([*lines, "", f"PyTorch {found['pytorch']}; {told}"])


def main() -> int:
    """Print the table, or with --json the numbers."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()
    if not sim.available():
        print(sim.why_not())
        return 2
    found = collect()
    print(json.dumps(found, indent=1) if options.json else table(found))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
