"""Random programs end in values or in Python exceptions, never in the interpreter's end.

What ends the interpreter ends this process, and `tests/test_sim.py` says so.
"""

import copy
import gc
import io
import pickle
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import torch

import chainrule.sim as sim
from chainrule.sim import state

DTYPES = [torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.bool]
DTYPES += [torch.complex64, torch.uint8]
SHAPES = [(), (0,), (1,), (3,), (2, 3), (3, 2), (2, 0), (2, 1, 3), (1, 2, 4, 4)]
Draw = random.Random
Made = list[torch.Tensor]


def new(draw: Draw, made: Made) -> Any:
    dtype = draw.choice(DTYPES)
    device = draw.choice(["sim", "sim", "sim:0", "cpu", "meta", "sim:1"])
    maker = draw.choice([torch.ones, torch.empty, torch.zeros])
    grad = dtype.is_floating_point and draw.random() < 0.4
    return maker(draw.choice(SHAPES), dtype=dtype, device=device, requires_grad=grad)


def load(draw: Draw, x: torch.Tensor) -> Any:
    file = io.BytesIO()
    torch.save(draw.choice([x, {"a": x, "b": [x, x]}, torch.nn.Parameter(x, False)]), file)
    file.seek(0)
    where = draw.choice([None, "cpu", "sim", "sim:1", {"cpu": "sim"}, {"sim:0": "cpu"}])
    return torch.load(file, map_location=where, weights_only=draw.random() < 0.7)


def loss(made: Made) -> torch.Tensor:
    some = [x for x in made if x.requires_grad and x.is_floating_point()]
    return torch.stack([x.float().sum().to(some[-1].device) for x in some[-3:]]).sum()


UNARY: list[Callable[[Draw, torch.Tensor], Any]] = [
    lambda d, x: x.to(d.choice(["sim", "cpu", "meta", "sim:1", 0, 1]), non_blocking=True),
    lambda d, x: x.to(d.choice(DTYPES)),
    lambda d, x: x.to("sim", d.choice(DTYPES), copy=True),
    lambda d, x: x.reshape(d.choice(SHAPES)),
    lambda d, x: x.view(d.choice(SHAPES)),
    lambda d, x: x.view(d.choice(DTYPES)),
    lambda d, x: x.as_strided((2, 2), (d.choice([0, 1, 3, 10**6]), 1), d.choice([0, 1, 100])),
    lambda d, x: x[d.choice([0, -1, 5, None, ..., slice(1, None, 2), torch.tensor([0])])],
    lambda d, x: x[x > 0],
    lambda d, x: x.expand(2, *x.shape),
    lambda d, x: x.T,
    lambda d, x: x.t_(),
    lambda d, x: x.unsqueeze_(0),
    lambda d, x: x.squeeze_(),
    lambda d, x: x.resize_(d.choice(SHAPES)),
    lambda d, x: x.as_strided_((2,), (1,), d.choice([0, 50])),
    lambda d, x: x.unbind(0),
    lambda d, x: x.detach(),
    lambda d, x: x.detach_(),
    lambda d, x: x.data,
    lambda d, x: x.requires_grad_(),
    lambda d, x: x.contiguous(memory_format=torch.channels_last),
    lambda d, x: x.sum(),
    lambda d, x: x.std(),
    lambda d, x: x.softmax(-1),
    lambda d, x: x.add_(1),
    lambda d, x: x.mul_(2.5),
    lambda d, x: x.zero_(),
    lambda d, x: x.normal_(),
    lambda d, x: x.relu_(),
    lambda d, x: x.exp(),
    lambda d, x: x.__setitem__(0, 3.0),
    lambda d, x: x.__setitem__(x > 0, 3.0),
    lambda d, x: x.__setitem__(torch.tensor([0]), torch.tensor(2.0)),
    lambda d, x: x.nonzero(),
    lambda d, x: x.unique(),
    lambda d, x: x.sort(),
    lambda d, x: x.item(),
    lambda d, x: x.tolist(),
    lambda d, x: x.numpy(),
    lambda d, x: repr(x),
    lambda d, x: copy.deepcopy(x),
    lambda d, x: copy.copy(x),
    lambda d, x: pickle.loads(pickle.dumps(x)),
    load,
    lambda d, x: x.pin_memory(),
    lambda d, x: x.is_pinned(),
    lambda d, x: x.share_memory_() if x.is_sim else None,  # resizing ends plain PyTorch
    lambda d, x: x.data_ptr(),
    lambda d, x: x.untyped_storage()[0],
    lambda d, x: x.untyped_storage().clone() if not x.is_meta else None,  # ends plain PyTorch too
    lambda d, x: x.untyped_storage().fill_(0),
    lambda d, x: torch.empty(0, device="sim").set_(x.untyped_storage(), 0, (1,), (1,)),
    lambda d, x: x.storage()[0],
    lambda d, x: x.set_(),
    # Not on the CPU: PyTorch lets go of memory that it has lent, if the storage grows later.
    lambda d, x: torch.from_dlpack(x) if x.is_sim else None,
    lambda d, x: torch.utils.dlpack.to_dlpack(x) if x.is_sim else None,
    lambda d, x: x.as_subclass(d.choice([torch.Tensor, torch.nn.Parameter])),
    lambda d, x: torch.Tensor(x),
    lambda d, x: torch.Tensor._make_subclass(torch.Tensor, x),
    lambda d, x: torch.as_tensor(x, device=d.choice(["sim", "cpu"])),
    lambda d, x: x.to_sparse(),
    lambda d, x: torch.func.vmap(lambda row: row * 2)(x),
    lambda d, x: torch.func.grad(lambda t: t.sum())(x),
    lambda d, x: x.register_hook(lambda g: g * 2),
    lambda d, x: x.backward(),
    lambda d, x: torch.nn.Parameter(x),
    lambda d, x: torch.nn.Linear(3, 2).to(x.device)(x),
    lambda d, x: torch.nn.functional.conv2d(x, torch.ones(2, x.shape[1], 3, 3, device="sim")),
    lambda d, x: torch.nn.functional.max_pool2d(x, 2),
    lambda d, x: torch.nn.functional.dropout(x, 0.5),
    lambda d, x: torch.nn.LSTM(3, 2).to(x.device)(x),
    lambda d, x: torch.nn.utils.clip_grad_norm_([x], 1.0),
    lambda d, x: torch.optim.Adam([x], fused=d.random() < 0.5).step(),
    lambda d, x: torch.empty_like(x, device=d.choice(["sim", "cpu"])),
    lambda d, x: x.new_tensor([1.0, 2.0]),
    lambda d, x: x.record_stream(torch.sim.Stream()),
    lambda d, x: x.cuda(),
    lambda d, x: x.type(torch.FloatTensor),
    lambda d, x: hash(x) and len(x) and list(x),
    lambda d, x: x.map_(x, lambda a, b: a),
    lambda d, x: x.apply_(lambda a: a),
    lambda d, x: x.random_(),
]
BINARY: list[Callable[[Draw, torch.Tensor, torch.Tensor], Any]] = [
    lambda d, x, y: x + y,
    lambda d, x, y: x @ y,
    lambda d, x, y: torch.cat([x, y]),
    lambda d, x, y: torch.stack([x, y]),
    lambda d, x, y: x.copy_(y, non_blocking=True),
    lambda d, x, y: x.add_(y),
    lambda d, x, y: torch.add(x, x, out=y),
    lambda d, x, y: torch.where(x > 0, x, y),
    lambda d, x, y: x[y],
    lambda d, x, y: x.__setitem__(y, 1.0),
    lambda d, x, y: x.index_select(0, y),
    lambda d, x, y: x.gather(0, y),
    lambda d, x, y: x.scatter_(0, y, 1.0),
    lambda d, x, y: torch.equal(x, y),
    lambda d, x, y: setattr(x, "data", y),
    lambda d, x, y: setattr(x, "grad", y),
    lambda d, x, y: x.set_(y),
    lambda d, x, y: x.resize_as_(y),
    lambda d, x, y: x.is_set_to(y),
    lambda d, x, y: torch._foreach_add_([x, y], [y, x]),
    lambda d, x, y: torch.utils.swap_tensors(x, y),
    lambda d, x, y: torch.nn.functional.mse_loss(x, y),
    lambda d, x, y: torch.autograd.grad(x.sum(), [y]),
    lambda d, x, y: torch.einsum("i...,i...->...", x, y),
    lambda d, x, y: x.backward(y),
    lambda d, x, y: x.type_as(y),
    lambda d, x, y: torch.bincount(x, y),
    lambda d, x, y: torch.linalg.solve(x, y),
]
OTHER: list[Callable[[Draw, Made], Any]] = [
    new,
    lambda d, made: loss(made).backward(),
    lambda d, made: gc.collect(),
    lambda d, made: made.clear(),
    lambda d, made: made.pop(0),
    lambda d, made: sim.reset(),
    lambda d, made: sim.start(d.choice(list(sim.DEVICES))),
    lambda d, made: str(sim.ledger()),
    lambda d, made: torch.sim.synchronize(),
    lambda d, made: torch.sim.set_stream(torch.sim.Stream()),
    lambda d, made: torch.sim.current_stream().record_event().wait(),
    lambda d, made: torch.sim.empty_cache(),
    lambda d, made: torch.Stream(device="sim"),
    lambda d, made: torch.Generator(device="sim"),
    lambda d, made: torch.accelerator.synchronize(),
    lambda d, made: torch.empty(10**13, device="sim"),
    lambda d, made: torch.zeros(2, pin_memory=True),
    lambda d, made: torch.tensor([1.0, 2.0], device="sim"),
    lambda d, made: sim.dry_run().__enter__(),
    lambda d, made: state.leave(state.STACK[-1]) if len(state.STACK) > 1 else None,
]


def perform(draw: Draw, made: Made) -> Any:
    """Do one random thing."""
    kind = draw.random()
    if kind < 0.2 or not made:
        return draw.choice([new, *OTHER])(draw, made)
    if kind < 0.65:
        return draw.choice(UNARY)(draw, draw.choice(made))
    return draw.choice(BINARY)(draw, draw.choice(made), draw.choice(made))


def program(seed: int, ended: Counter[str]) -> None:
    """Run one random program, and then use all that it has made."""
    draw, made = random.Random(seed), []
    for _ in range(25):
        try:
            result = perform(draw, made)
        except Exception as error:
            ended[type(error).__name__] += 1
            continue
        ended["value"] += 1
        results = result if isinstance(result, (list, tuple)) else [result]
        made += [x for x in results if isinstance(x, torch.Tensor)][:4]
        del made[:-12]
    for x in made:
        try:
            assert x.numel() >= 0 and repr(x) is not None
        except Exception as error:
            ended[type(error).__name__] += 1
    del state.STACK[1:]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("block", range(3))
def test_random_programs_end_in_values_or_exceptions(block: int) -> None:
    sim.start()
    ended: Counter[str] = Counter()
    for seed in range(100):
        program(1000 * block + seed, ended)
    assert ended["value"] > 0.3 * ended.total(), ended
    assert ended.total() - ended["value"] > 0.1 * ended.total(), ended
    assert not set(ended) & {"AttributeError", "KeyError", "UnboundLocalError"}, ended
    assert not state.STACK[1:]
    x = torch.ones(3, device="sim", requires_grad=True)
    (x * x).sum().backward()
    assert x.grad is not None and x.grad.tolist() == [2.0] * 3
