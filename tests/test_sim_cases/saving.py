"""Copying, saving, loading and feeding: what PyTorch's own tools do with device tensors."""

import copy
import io
import pickle
from typing import Any

import pytest
import torch
from torch import nn

import chainrule.sim as sim


@pytest.fixture(autouse=True)
def fresh() -> None:
    sim.start("titan-xp")


def there_and_back(value: Any, **options: Any) -> Any:
    file = io.BytesIO()
    torch.save(value, file)
    file.seek(0)
    return torch.load(file, **options)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.int64, torch.bool])
def test_a_tensor_is_saved_and_loaded(dtype: torch.dtype) -> None:
    x = torch.arange(6).reshape(2, 3).to(dtype)
    for value in (x, x.T, x[:, 1]):
        for target, options in (("sim", {}), ("cpu", {"map_location": "cpu"})):
            back = there_and_back(value.to("sim"), weights_only=True, **options)
            assert (back.device.type, back.dtype) == (target, dtype)
            assert torch.equal(back.cpu(), value)


@pytest.mark.parametrize("location", ["sim", "sim:0", "device"])
def test_a_file_of_the_cpu_is_loaded_to_the_device(location: str) -> None:
    model = nn.Linear(3, 2)
    where = torch.device("sim") if location == "device" else location
    state = there_and_back(model.state_dict(), map_location=where)
    assert {value.device.type for value in state.values()} == {"sim"}
    assert [row.bytes for row in sim.ledger().of("h2d")] == [24, 8]
    assert torch.equal(state["weight"].cpu(), model.weight)
    with pytest.raises(RuntimeError, match=r"torch\.sim\.device_count\(\) is 1"):
        there_and_back(model.state_dict(), map_location="sim:1")


def test_a_model_and_its_optimizer_go_on_after_loading() -> None:
    def steps(model: nn.Module, optimizer: torch.optim.Optimizer) -> list[float]:
        losses = []
        for _ in range(3):
            optimizer.zero_grad()
            loss = model(torch.ones(4, 3, device="sim")).square().sum()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        return losses

    model = nn.Linear(3, 2).to("sim")
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    steps(model, optimizer)
    saved = there_and_back({"model": model.state_dict(), "optimizer": optimizer.state_dict()})
    other = nn.Linear(3, 2).to("sim")
    other.load_state_dict(saved["model"])
    again = torch.optim.Adam(other.parameters(), lr=0.1)
    again.load_state_dict(saved["optimizer"])
    assert steps(model, optimizer) == steps(other, again)


def test_a_whole_model_is_pickled() -> None:
    model = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)).to("sim")
    for back in (there_and_back(model, weights_only=False), pickle.loads(pickle.dumps(model))):
        assert isinstance(back[0].weight, nn.Parameter) and back[0].weight.requires_grad
        assert torch.equal(back[0].weight.cpu(), model[0].weight.cpu())
        assert back[1].running_mean.device.type == "sim"
    host = there_and_back(model, weights_only=False, map_location="cpu")
    assert host(torch.ones(2, 3)).device.type == "cpu"


def test_deepcopy_shares_nothing() -> None:
    model = nn.Linear(3, 2).to("sim")
    model(torch.ones(1, 3, device="sim")).sum().backward()
    twin = copy.deepcopy(model)
    assert isinstance(twin.weight, nn.Parameter) and twin.weight.grad is not None
    with torch.no_grad():
        twin.weight.zero_()
        twin.weight.grad.zero_()
    assert model.weight.abs().sum().item() > 0
    assert model.weight.grad is not None and model.weight.grad.sum().item() == 6.0
    with pytest.raises(RuntimeError, match="graph leaves"):
        copy.deepcopy(model(torch.ones(1, 3, device="sim")))
    both = [torch.ones(1, device="sim")] * 2
    first, second = copy.deepcopy(both)
    assert first is second


def test_assigning_data() -> None:
    weight = nn.Parameter(torch.ones(2, device="sim"))
    weight.data = torch.zeros(3, device="sim")
    assert weight.shape == (3,) and weight.sum().item() == 0.0
    weight.data.add_(1.0)
    assert weight.tolist() == [1.0] * 3 and weight._version == 0
    with pytest.raises(RuntimeError, match="incompatible tensor type"):
        weight.data = torch.zeros(3)


@pytest.mark.parametrize("workers", [0, 1])
def test_a_data_loader_pins_its_batches(workers: int) -> None:
    data = torch.utils.data.TensorDataset(torch.arange(8.0), torch.arange(8))
    loader = torch.utils.data.DataLoader(data, batch_size=4, pin_memory=True, num_workers=workers)
    for x, y in loader:
        assert x.is_pinned() and y.is_pinned()
        x.to("sim", non_blocking=True)
    assert [row.pinned for row in sim.ledger().of("h2d")] == [True, True]
    assert sim.ledger().synchronizations == 0


def test_as_the_default_device() -> None:
    with torch.device("sim"):
        assert torch.tensor([1.0, 2.0]).sum().item() == 3.0
        assert nn.Linear(2, 2).weight.device.type == "sim"
    assert torch.sim.get_device_name() == "NVIDIA TITAN Xp"
    assert torch.ones(2).sim().is_sim and not torch.ones(2).is_sim


def test_printing_looks_like_cudas() -> None:
    x = torch.tensor([[1.0, 2.0]], device="sim")
    assert repr(x) == "tensor([[1., 2.]], device='sim:0')"
    assert repr(x.double()) == "tensor([[1., 2.]], device='sim:0', dtype=torch.float64)"
    assert repr(x[:0]) == "tensor([], device='sim:0', size=(0, 2))"
    x.requires_grad_()
    assert repr(x * 2) == "tensor([[2., 4.]], device='sim:0', grad_fn=<MulBackward0>)"
    assert repr(nn.Parameter(x)).startswith("Parameter containing:\ntensor([[1., 2.]], device=")
    assert f"{x.sum():.2f}" == "3.00"
