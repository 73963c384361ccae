"""Training on the simulated device gives the CPU's numbers, bit for bit."""

from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import chainrule.sim as sim


class Block(nn.Module):
    """A transformer-like block with a classifier on it."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(20, 16)
        self.first, self.second = nn.LayerNorm(16), nn.LayerNorm(16)
        self.queries, self.out = nn.Linear(16, 48), nn.Linear(16, 16)
        self.wide = nn.Sequential(nn.Linear(16, 32), nn.GELU(), nn.Linear(32, 16))
        self.head = nn.Linear(16, 5)

    def forward(self, words: torch.Tensor) -> torch.Tensor:
        x = self.embedding(words)
        q, k, v = self.queries(self.first(x)).chunk(3, -1)
        x = x + self.out(torch.softmax(q @ k.transpose(-1, -2) / 4, -1) @ v)
        return self.head((x + self.wide(self.second(x))).mean(1))


def perceptron() -> nn.Module:
    return nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Dropout(0.3), nn.Linear(32, 5))


def convnet() -> nn.Module:
    features = [nn.Conv2d(3, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU(), nn.MaxPool2d(2)]
    more = [nn.Dropout(0.2), nn.Conv2d(6, 8, 3), nn.AvgPool2d(2), nn.Flatten()]
    return nn.Sequential(*features, *more, nn.Linear(8, 5))


NETS: dict[str, tuple[Callable[[], nn.Module], Callable[[], torch.Tensor]]] = {
    "perceptron": (perceptron, lambda: torch.randn(8, 8)),
    "convnet": (convnet, lambda: torch.randn(4, 3, 8, 8)),
    "block": (Block, lambda: torch.randint(0, 20, (4, 6))),
}
RULES = {
    "sgd": partial(torch.optim.SGD, lr=0.05),
    "momentum": partial(torch.optim.SGD, lr=0.05, momentum=0.9, nesterov=True),
    "adam": partial(torch.optim.Adam, lr=0.01),
    "adamw": partial(torch.optim.AdamW, lr=0.01, amsgrad=True),
}


def train(device: str, net: str, rule: str, how: dict[str, bool]) -> list[torch.Tensor]:
    """Return the losses of 30 steps, then the parameters, buffers and optimizer's state."""
    make, data = NETS[net]
    torch.manual_seed(0)
    model, batches = make(), [data() for _ in range(3)]
    model.to(device)
    optimizer = RULES[rule](model.parameters(), **how)
    torch.manual_seed(1)
    losses = []
    for step in range(30):
        x = batches[step % 3].to(device)
        target = (torch.arange(len(x)) % 5).to(device)
        loss = F.cross_entropy(model(x), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.detach().cpu())
    memory = [v for row in optimizer.state.values() for v in row.values() if torch.is_tensor(v)]
    assert all(v.device.type == device for v in model.state_dict().values())
    return [*losses, *(v.cpu() for v in [*model.state_dict().values(), *memory])]


@pytest.mark.parametrize("how", [{}, {"foreach": True}, {"fused": True}])
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("net", NETS)
def test_thirty_steps_are_bit_identical(net: str, rule: str, how: dict[str, bool]) -> None:
    sim.start()
    mine, theirs = train("sim", net, rule, how), train("cpu", net, rule, how)
    assert len(mine) == len(theirs) > 33
    assert all(torch.equal(a, b) and a.dtype == b.dtype for a, b in zip(mine, theirs, strict=True))
    assert mine[29] < mine[0]  # it learns: constants would be bit-identical too


def test_module_to_keeps_the_identity_of_parameters() -> None:
    sim.start()
    model = nn.Linear(3, 2)
    weight = model.weight
    model.to("sim")
    assert model.weight is weight
    assert isinstance(weight, nn.Parameter) and weight.is_leaf
    assert weight.device == torch.device("sim:0")


def test_mixed_precision_multiplies_in_half_and_adds_up_in_float32() -> None:
    sim.start("h200")
    model = nn.Linear(16, 4).to("sim")
    x = torch.randn(8, 16).to("sim")
    with torch.autocast("sim", dtype=torch.float16):
        y = model(x)
        loss = F.mse_loss(y, torch.zeros_like(y))
    scaler = torch.amp.GradScaler("sim", init_scale=1024.0)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    before = model.weight.detach().cpu()
    scaler.scale(loss).backward()
    scaler.step(optimizer)
    scaler.update()
    assert (y.dtype, loss.dtype, model.weight.dtype) == (torch.float16, torch.float32, torch.float)
    assert not torch.equal(before, model.weight.detach().cpu())


def test_functional_transforms() -> None:
    sim.start()
    x = torch.randn(3, 4)
    rows = torch.func.vmap(torch.func.grad(lambda row: (row**3).sum()))
    assert torch.equal(rows(x.to("sim")).cpu(), rows(x))
