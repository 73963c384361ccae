"""Errors have CUDA's words; where the device cannot be had, a sentence says why."""

from collections.abc import Callable

import pytest
import torch
from torch.utils import backend_registration

import chainrule.sim as sim
from chainrule.sim import hook, state


@pytest.fixture(autouse=True)
def fresh() -> None:
    sim.start("titan-xp")


MIXED = "Expected all tensors to be on the same device, but found at least two devices, sim:0 and "


@pytest.mark.parametrize(
    "operation",
    [
        lambda x, y: x + y,
        lambda x, y: y + x,
        lambda x, y: x @ y.T,
        lambda x, y: x.add_(y),
        lambda x, y: y.add_(x),
        lambda x, y: torch.cat([x, y]),
        lambda x, y: torch.stack([x.sum(), y.sum()]),
        lambda x, y: y.sum().add_(x.sum()),
        lambda x, y: torch.nn.functional.linear(x, y),
        lambda x, y: torch.nn.functional.mse_loss(x, y),
        lambda x, y: torch.nn.Linear(3, 2)(x),
        lambda x, y: torch.add(x, x, out=y),
        lambda x, y: x.index_add(0, torch.tensor([0, 1]), x),
    ],
)
def test_two_devices(operation: Callable[[torch.Tensor, torch.Tensor], object]) -> None:
    x, y = torch.ones(2, 3, device="sim"), torch.ones(2, 3)
    with pytest.raises(RuntimeError) as caught:
        operation(x, y)
    assert str(caught.value) == f"{MIXED}cpu!"
    assert y.tolist() == [[1.0] * 3] * 2


def test_a_number_of_the_host_may_take_part() -> None:
    x = torch.ones(2, 3, device="sim")
    for scalar in (2, 2.0, torch.tensor(2.0)):
        assert (x * scalar).sum().item() == 12.0
    assert torch.where(x > 0, x, torch.tensor(0.0)).sum().item() == 6.0
    assert not sim.ledger().of("h2d")


def test_numpy() -> None:
    import numpy as np

    x = torch.ones(2, device="sim", requires_grad=True)
    words = (
        "can't convert sim:0 device type tensor to numpy. "
        "Use Tensor.cpu() to copy the tensor to host memory first."
    )
    for convert in (lambda: x.numpy(), lambda: np.asarray(x), lambda: np.log(x.detach())):
        with pytest.raises(TypeError) as caught:
            convert()
        assert str(caught.value) == words
    assert x.numpy(force=True).tolist() == [1.0, 1.0]


def test_out_of_memory() -> None:
    gibibyte = 2**28
    with pytest.raises(torch.sim.OutOfMemoryError) as caught:
        torch.empty(13 * gibibyte, device="sim")
    assert str(caught.value).startswith(
        "SIM out of memory. Tried to allocate 13.00 GiB. SIM 0 has a total capacity of 12.00 GiB "
        "of which 12.00 GiB is free."
    )
    assert torch.sim.memory_allocated() == 0
    with sim.dry_run():
        kept = torch.empty(8 * gibibyte, device="sim")
        with pytest.raises(torch.OutOfMemoryError, match=r"of which 4\.00 GiB is free"):
            kept * 2
        assert torch.sim.memory_allocated() == kept.nbytes
        del kept
        torch.empty(12 * gibibyte, device="sim")


def test_there_is_one_device() -> None:
    assert torch.sim.device_count() == 1 and torch.sim.is_available()
    for wrong in (lambda: torch.zeros(2, device="sim:1"), lambda: torch.zeros(2).to("sim:1")):
        with pytest.raises(RuntimeError, match="SIM error: invalid device ordinal"):
            wrong()


def test_pinning_what_is_on_the_device() -> None:
    x = torch.ones(2, device="sim")
    with pytest.raises(RuntimeError, match="only dense CPU tensors can be pinned"):
        x.pin_memory()
    with pytest.raises(sim.SimError, match="the tensor is on sim:0"):
        sim.pin_memory(x)
    assert not x.is_pinned()


def test_an_unknown_model() -> None:
    with pytest.raises(sim.SimError, match="did you mean 'titan-xp'"):
        sim.start("titanxp")
    with pytest.raises(sim.SimError, match="choose one of titan-xp, titan-x, h200"):
        sim.start("abacus")


def test_before_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "STACK", [])
    for call in (sim.ledger, sim.clock, sim.reset, sim.device, lambda: sim.host_work(1.0)):
        with pytest.raises(sim.SimError, match=r"call sim\.start"):
            call()


@pytest.mark.parametrize("missing", ["hook", "guard"])
def test_a_pytorch_without_the_hook(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    assert sim.available() and sim.why_not() == ""
    if missing == "hook":
        monkeypatch.delattr(backend_registration, hook.HOOK)
    else:
        monkeypatch.delattr(torch._C, "_acc")
    assert not sim.available()
    assert f"PyTorch {torch.__version__} lacks" in sim.why_not()
    assert 'pip install "torch>=' in sim.why_not()
    for call in (sim.start, lambda: sim.dry_run().__enter__()):
        with pytest.raises(sim.SimError) as caught:
            call()
        assert str(caught.value) == sim.why_not()


def test_another_device_is_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch._C, "_get_privateuse1_backend_name", lambda: "npu")
    assert not sim.available()
    assert "'npu'" in sim.why_not()


def test_every_number_of_the_table_has_a_source() -> None:
    numbers = set(sim.find("h200").to_dict()) - {"name", "kind", "year", "sources"}
    for model in sim.DEVICES.values():
        told = {field for fields in model.sources for field in fields.split(", ")}
        assert numbers <= told, (model.name, numbers - told)
        assert all(model.sources.values())
        assert model.fp64_flops <= model.fp32_flops <= model.fp16_flops
        assert model.link_pageable <= model.link_pinned
