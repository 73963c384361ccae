"""A dry run: shapes, costs and memory of a program whose tensors have no numbers."""

import time
from collections.abc import Callable

import pytest
import torch
from torch import nn

import chainrule.sim as sim

# Simonyan & Zisserman, Very Deep Convolutional Networks, 2014, configuration D; 0 pools.
CHANNELS = [64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0]
PRODUCTS = ("convolution", "convolution_backward", "addmm", "mm")


def vgg16() -> nn.Module:
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


@pytest.fixture(autouse=True)
def fresh() -> None:
    sim.start("titan-xp")


def test_vgg16_in_a_dry_run() -> None:
    seconds = []
    for _ in range(3):
        begun = time.perf_counter()
        with sim.dry_run("titan-x") as run:
            with torch.device("meta"):
                blank = vgg16()
            model, x = blank.to("sim"), torch.empty(16, 3, 224, 224, device="sim")
            sim.reset()
            y = model(x)
            forward = run.ledger()
            y.sum().backward()
        seconds.append(time.perf_counter() - begun)
    assert sum(p.numel() for p in model.parameters()) == 138_357_544
    counts = [
        sum(row.flops for row in ledger.rows if row.name in PRODUCTS)
        for ledger in (forward, run.ledger())
    ]
    assert [round(count / 1e9, 2) for count in counts] == [495.05, 1482.37]
    assert min(seconds) < 0.5
    # Parameters, their gradients, the images and what backward needs: 138 million floats twice
    # are 1.1 GB, and the results of the layers for 16 images take about as much again.
    assert 2.0e9 < run.ledger().peak_bytes < 2.6e9
    # The roofline of 2016 in milliseconds, forward, and forward and backward.
    assert [round(forward.seconds * 1e3, 1), round(run.ledger().seconds * 1e3, 1)] == MS


MS = [51.2, 150.5]


@pytest.mark.parametrize(
    "read",
    [
        lambda x: x.sum().item(),
        lambda x: float(x.sum()),
        lambda x: bool(x.sum()),
        lambda x: x.cpu(),
        lambda x: x.tolist(),
        lambda x: x.nonzero(),
        lambda x: x[x > 0],
        lambda x: torch.equal(x, x),
        lambda x: torch.ones(2, 3).copy_(x),
    ],
)
def test_reading_a_value_is_refused_in_one_sentence(
    read: Callable[[torch.Tensor], object],
) -> None:
    with sim.dry_run():
        x = torch.ones(2, 3, device="sim")
        with pytest.raises(sim.DryRunError, match="a dry run computes no values") as caught:
            read(x)
        assert "\n" not in str(caught.value)
        assert str(x) == "tensor(..., device='sim:0', size=(2, 3))"
        y = x + torch.randn(2, 3).to("sim")  # numbers of the host go over, and are forgotten
        assert y.shape == (2, 3)


def test_the_device_around_it_is_left_alone() -> None:
    x = torch.ones(4, device="sim")
    before, used = sim.ledger().to_dict(), torch.sim.memory_allocated()
    with sim.dry_run("h200") as run:
        assert sim.device().name == "NVIDIA H200 SXM"
        assert torch.sim.memory_allocated() == 0
        dry = torch.ones(1000, device="sim") * 2 + x.sum()
        assert run.ledger().kernels == 4  # fill, mul, sum, add
        with pytest.raises(sim.DryRunError):
            x.add_(1)
        with pytest.raises(sim.SimError, match=r"within sim\.dry_run"):
            sim.start()
    assert sim.device().name == "NVIDIA TITAN Xp"
    assert (sim.ledger().to_dict(), torch.sim.memory_allocated()) == (before, used)
    assert x.tolist() == [1.0] * 4
    assert (dry + 1)._inner.is_meta  # without numbers for ever
    with pytest.raises(sim.DryRunError):
        x.copy_(dry[:4])
    assert run.ledger().device == "NVIDIA H200 SXM"


def test_it_counts_what_the_real_thing_counts() -> None:
    def program() -> sim.Ledger:
        net = nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 2))
        net.to("sim")
        optimizer = torch.optim.Adam(net.parameters())
        for _ in range(2):
            optimizer.zero_grad()
            net(torch.randn(4, 8).to("sim")).square().mean().backward()
            optimizer.step()
        torch.sim.synchronize()
        return sim.ledger()

    real = program()
    with sim.dry_run():
        dry = program()
    assert (dry.rows, dry.peak_bytes) == (real.rows, real.peak_bytes)


def test_it_can_be_the_first_thing_that_happens() -> None:
    with sim.dry_run("laptop-gpu") as run:
        with pytest.raises(torch.OutOfMemoryError, match="SIM out of memory"):
            torch.empty(3 * 10**9, device="sim")
        torch.ones(10, device="sim")
    assert run.ledger().kernels == 1
    assert run.clock() > 0
