"""The ledger of five small programs, and the device's memory, against numbers counted by hand."""

from collections import Counter

import pytest
import torch
from torch.nn import functional as F

import chainrule.sim as sim


@pytest.fixture(autouse=True)
def fresh() -> None:
    sim.start("titan-xp")


def sums(*names: str) -> list[float]:
    return [getattr(sim.ledger(), name) for name in names]


def test_a_product_there_and_back() -> None:
    # Two matrices of 20 x 30 and 30 x 10 floats go over: 4 * 600 and 4 * 300 bytes. One kernel
    # does 2 * 20 * 30 * 10 operations and moves 4 * (600 + 300 + 200) bytes. The result, 4 * 200
    # bytes, comes back. All three copies are from or to ordinary memory: the host waits 3 times.
    a, b = torch.randn(20, 30), torch.randn(30, 10)
    c = (a.to("sim") @ b.to("sim")).cpu()
    assert torch.equal(c, a @ b)
    assert sums("copies", "to_device", "from_device") == [3, 3600, 800]
    assert sums("kernels", "flops", "synchronizations") == [1, 12000, 3]
    kernel = sim.ledger().of("kernel")[0]
    assert (kernel.name, kernel.bytes, kernel.flops) == ("mm", 4400, 12000)
    # The kernel's result is taken beside the operands; nothing else was ever there.
    assert sim.ledger().peak_bytes == 4400


def test_a_two_layer_net_with_its_gradients() -> None:
    # Forward: addmm, relu, addmm, sub, pow, mean: 6 kernels. Backward: ones_like for the loss's
    # gradient, div for the mean (its expand is a view), pow, mul, mul for the square, then for
    # each layer mm for the weight and sum for the bias, mm for the hidden values, and
    # threshold_backward for ReLU: 1 + 1 + 3 + (2 + 1) + 1 + 2 = 11. `sub` hands its gradient on.
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
    net.to("sim")
    x, y = torch.randn(5, 4, device="sim"), torch.randn(5, 2, device="sim")
    sim.reset()
    loss = ((net(x) - y) ** 2).mean()
    forward = [row.name for row in sim.ledger().rows]
    assert forward == ["addmm", "relu", "addmm", "sub", "pow", "mean"]
    loss.backward()
    backward = Counter(row.name for row in sim.ledger().rows[6:])
    assert backward == {
        "ones_like": 1,
        "div": 1,
        "pow": 1,
        "mul": 2,
        "mm": 3,
        "sum": 2,
        "threshold_backward": 1,
    }
    # Products: 2 * 5 * (4 * 8 + 8 * 2) forward, the same for the weights' gradients, and
    # 2 * 5 * 8 * 2 for the hidden values; x needs no gradient.
    products = [row.flops for row in sim.ledger().rows if row.name in ("mm", "addmm")]
    assert sum(products) == 480 + 480 + 160
    assert sums("copies", "synchronizations") == [0, 0]


@pytest.mark.parametrize("once", [False, True])
def test_moving_the_data_once(once: bool) -> None:
    # 4 batches of 10 x 6 floats, 240 bytes each, in 3 epochs; the loss is read as 4 bytes at
    # every step, or added up on the device and read at the end. Per step: 12 copies there and 12
    # back. Once: one tensor of all 40 rows, 960 bytes, and one value back.
    data = torch.randn(4, 10, 6)
    weight = torch.zeros(6, device="sim")
    sim.reset()
    total = torch.zeros((), device="sim")  # empty and fill: one kernel
    told = 0.0
    source = data.to("sim") if once else data
    for _ in range(3):
        for batch in source:
            loss = (batch.to("sim") @ weight).square().sum()  # mv, pow, sum: 3 kernels
            if once:
                total += loss  # one kernel
            else:
                told += loss.item()
    told = total.item() if once else told
    assert told == 0.0
    if once:
        expected = [2, 960, 4, 1 + 12 * 4, 2]
    else:
        expected = [24, 12 * 240, 12 * 4, 1 + 12 * 3, 24]
    assert expected == sums("copies", "to_device", "from_device", "kernels", "synchronizations")


def test_pinned_copies_on_a_stream_of_their_own() -> None:
    # 3 batches of 1,000 floats. Each copy is asynchronous, so the only wait is the one at the end.
    batches = [sim.pin_memory(torch.randn(1000)) for _ in range(3)]
    copier = torch.sim.Stream()
    sim.reset()
    for batch in batches:
        with torch.sim.stream(copier):
            there = batch.to("sim", non_blocking=True)
        torch.sim.current_stream().wait_stream(copier)
        there.mul_(2.0)
    torch.sim.synchronize()
    ledger = sim.ledger()
    assert [row.kind for row in ledger.rows if row.kind != "alloc"] == [
        *["h2d", "kernel"] * 3,
        "sync",
    ]
    assert {row.pinned for row in ledger.of("h2d")} == {True}
    assert {row.stream for row in ledger.of("kernel")} == {0}
    assert {row.stream for row in ledger.of("h2d")} == {copier.stream_id}
    assert (ledger.copies, ledger.to_device, ledger.synchronizations) == (3, 12000, 1)
    assert not ledger.hazards


def test_counting_hits() -> None:
    # argmax, eq, sum: 3 kernels on 8 bytes-wide class numbers; `.item()` of the count brings back
    # 8 bytes. A mask as an index makes the host count its marks: a kernel and a wait. `nonzero`
    # likewise, and printing copies all 8 values.
    scores, truth = torch.eye(4, device="sim"), torch.arange(4, device="sim")
    sim.reset()
    guess = scores.argmax(1)
    assert (guess == truth).sum().item() == 4
    assert sums("kernels", "copies", "from_device", "synchronizations") == [3, 1, 8, 1]
    picked = truth[guess > 1]  # gt, index
    assert sums("kernels", "copies", "synchronizations") == [5, 1, 2]
    assert picked.nonzero().tolist() == [[0], [1]]  # nonzero; then 2 * 8 bytes back
    assert sums("kernels", "copies", "from_device", "synchronizations") == [6, 2, 24, 4]
    assert str(picked) == "tensor([2, 3], device='sim:0')"
    assert sums("copies", "from_device") == [3, 40]


def test_views_cost_nothing_and_share_memory() -> None:
    x = torch.zeros(4, 6, device="sim")
    before = torch.sim.memory_allocated()
    sim.reset()
    views = [x.T, x.view(24), x[1:, ::2], x.expand(3, 4, 6), x.detach(), *x.unbind(0)]
    x.transpose_(0, 1)
    assert not sim.ledger().rows
    assert torch.sim.memory_allocated() == before
    views[2].fill_(1.0)
    assert x.sum().item() == 9.0
    assert sim.ledger().of("kernel")[0].bytes == 9 * 4  # it writes, and reads nothing


def test_an_expanded_axis_is_read_once() -> None:
    x, row = torch.zeros(5, 6, device="sim"), torch.zeros(6, device="sim")
    sim.reset()
    x + row
    x * row.expand(5, 6)
    # 30 numbers and 6 are read, 30 written.
    assert [kernel.bytes for kernel in sim.ledger().of("kernel")] == [4 * 66] * 2


def test_an_index_from_the_host_is_copied() -> None:
    x = torch.arange(10.0, device="sim")
    sim.reset()
    assert x[torch.tensor([7, 8])].tolist() == [7.0, 8.0]
    assert sums("copies", "to_device", "from_device", "kernels") == [2, 16, 8, 1]


def test_a_copy_changes_dtype_before_the_way() -> None:
    x = torch.ones(100, dtype=torch.float64)
    there = x.to("sim", torch.float16)
    there.to("cpu", torch.float64)
    assert [row.bytes for row in sim.ledger().of("h2d", "d2h")] == [200, 800]


def test_memory_is_counted_to_the_byte() -> None:
    def used() -> int:
        return torch.sim.memory_allocated()

    start = used()
    x = torch.zeros(1000, device="sim")
    assert used() - start == 4000
    y = x * 2 + 1  # x * 2 is given back when the sum is there
    assert used() - start == 8000
    assert torch.sim.max_memory_allocated() - start == 12000
    z = y[10:20]
    del x, y
    assert used() - start == 4000  # the slice keeps its whole storage
    torch.sim.reset_peak_memory_stats()
    assert torch.sim.max_memory_allocated() == used()
    z = z.clone()
    assert used() - start == 40
    z.resize_(100)
    assert used() - start == 400
    del z
    assert used() == start


def test_the_graph_keeps_what_backward_needs() -> None:
    x = torch.ones(1000, device="sim", requires_grad=True)
    start = torch.sim.memory_allocated()
    y = x.exp().exp()
    assert torch.sim.memory_allocated() - start == 8000  # both results are saved
    y.sum().backward()
    assert x.grad is not None
    del y
    assert torch.sim.memory_allocated() - start == 4000  # the gradient


def test_the_driver_is_asked_once() -> None:
    for _ in range(3):
        torch.zeros(10000, device="sim")
    assert [row.bytes for row in sim.ledger().of("alloc")] == [2 * 2**20]
    assert torch.sim.memory_reserved() == 2 * 2**20
    torch.sim.empty_cache()
    assert torch.sim.memory_reserved() == 0


def test_floating_point_operations_are_those_of_pytorchs_own_counter() -> None:
    from torch.utils.flop_counter import FlopCounterMode

    images, filters = torch.randn(2, 3, 8, 8), torch.randn(4, 3, 3, 3, requires_grad=True)
    with FlopCounterMode(display=False) as counter:
        F.conv2d(images, filters, padding=1).sum().backward()
    there = filters.detach().to("sim").requires_grad_()
    F.conv2d(images.to("sim"), there, padding=1).sum().backward()
    rows = [row.flops for row in sim.ledger().rows if row.name.startswith("convolution")]
    assert sum(rows) == counter.get_total_flops() == 2 * 2 * (2 * 4 * 64 * 27)


def test_rows_and_sums_as_plain_data_and_as_a_table() -> None:
    import json

    (torch.ones(2, 2).to("sim") @ torch.ones(2, 2, device="sim")).tolist()
    plain = json.loads(json.dumps(sim.ledger().to_dict()))
    assert plain["device"] == "NVIDIA TITAN Xp"
    assert plain["sums"]["copies"] == 2
    assert [row["kind"] for row in plain["rows"]] == ["alloc", "h2d", "kernel", "kernel", "d2h"]
    table = str(sim.ledger())
    assert "2 copies (16 bytes to the device, 16 back), 2 kernels, 2 synchronizations" in table
    assert max(map(len, table.splitlines())) <= 120
    for _ in range(100):
        torch.ones(1, device="sim")
    assert "rows more" in str(sim.ledger())
    assert len(str(sim.ledger()).splitlines()) < 50


def test_a_ledger_does_not_grow() -> None:
    before = sim.ledger()
    torch.ones(1, device="sim")
    assert (len(before.rows), len(sim.ledger().rows)) == (0, 2)


def test_inference_mode_has_the_rows_of_no_grad() -> None:
    # There PyTorch hands over composite operations, such as linear and .cpu(), undivided.
    net = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.ReLU()).to("sim")
    x, rows = torch.randn(5, 3), []
    for mode in (torch.no_grad, torch.inference_mode):
        sim.reset()
        with mode():
            out = net(x.to("sim")).cpu()
        assert type(out) is torch.Tensor and out.device.type == "cpu"
        rows.append([(row.kind, row.name, row.bytes) for row in sim.ledger().rows])
    assert rows[0] == rows[1] and [row[0] for row in rows[0]] == ["h2d", "kernel", "kernel", "d2h"]


def test_an_index_of_numbers_does_not_wait_and_a_mask_does() -> None:
    x, rows, mask = torch.randn(4), torch.tensor([2, 0, 0]), torch.tensor([True, False, True, True])
    there, rows_there, mask_there = x.to("sim"), rows.to("sim"), mask.to("sim")
    sim.reset()
    picked = there[rows_there]
    assert sums("synchronizations") == [0]
    masked = there[mask_there]
    assert sums("synchronizations") == [1]
    assert torch.equal(picked.cpu(), x[rows]) and torch.equal(masked.cpu(), x[mask])
