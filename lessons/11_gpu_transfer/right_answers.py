# ---
# jupyter:
#   jupytext:
#     cell_metadata_filter: all
#     notebook_metadata_filter: all
#     text_representation:
#       extension: .py
#       format_name: percent
# ---


# %% [markdown]
# Other correct answers. Each gets full marks.


# %% answer="everywhere" name="recording_off_and_on"
class Standardize(torch.nn.Module):
    def __init__(self, mean, std):
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean))
        self.register_buffer("std", torch.tensor(std))

    def forward(self, x):
        z = (x - self.mean) / self.std
        return torch.cat([z, torch.ones_like(x[:, :1])], 1)


def predict(model, x):
    p = next(iter(model.parameters()))
    was = torch.is_grad_enabled()
    torch.set_grad_enabled(False)
    try:
        out = model(torch.tensor(x, device=p.device))
    finally:
        torch.set_grad_enabled(was)
    return np.array(out.to("cpu"))


# %% answer="everywhere" name="ones_to_write_into"
class Standardize(torch.nn.Module):
    def __init__(self, mean, std):
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean))
        self.register_buffer("std", torch.tensor(std))

    def forward(self, x):
        n, d = x.shape
        out = x.new_ones(n, d + 1)
        out[:, :d] = (x - self.mean) / self.std
        return out


def predict(model, x):
    with torch.no_grad():
        return model(torch.tensor(x).to(next(model.parameters()).device)).cpu().numpy()


# %% answer="everywhere" name="new_column"
class Standardize(torch.nn.Module):
    def __init__(self, mean, std):
        torch.nn.Module.__init__(self)
        for name, array in {"mean": mean, "std": std}.items():
            self.register_buffer(name, torch.from_numpy(np.array(array)))

    def forward(self, x):
        scaled = x.sub(self.mean).div(self.std)
        return torch.hstack([scaled, x.new_ones(x.shape[0], 1)])


@torch.no_grad()
def predict(model, x):
    weights = [*model.parameters()]
    return np.asarray(model(torch.as_tensor(x.copy(), device=weights[0].device)).to("cpu"))


# %% answer="everywhere" name="padded"
class Standardize(torch.nn.Module):
    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, mean, std):
        super().__init__()
        self.mean = torch.nn.Buffer(torch.tensor(mean))
        self.std = torch.nn.Buffer(torch.tensor(std))

    def forward(self, x):
        return torch.nn.functional.pad((x - self.mean) / self.std, (0, 1), value=1.0)


def predict(model, x):
    (place,) = {p.device for p in model.parameters()}
    was = torch.is_grad_enabled()
    torch.set_grad_enabled(False)
    out = model(torch.tensor(x, device=place))
    torch.set_grad_enabled(was)
    return out.cpu().detach().numpy()


# %% answer="move_once" name="all_rows_gathered_first"
def train(w1, w2, x, y, batches, lr):
    a, b = [torch.tensor(t).to("sim").requires_grad_() for t in (w1, w2)]
    X, Y = [torch.tensor(t).to("sim") for t in (x, y)]
    losses = []
    if batches:
        allr = torch.tensor(np.concatenate(batches)).to("sim")
        XX, YY, at = X[allr], Y[allr], 0
        for p in batches:
            part = slice(at, at + len(p))
            at += len(p)
            loss = (torch.relu(XX[part] @ a) @ b - YY[part]).square().sum()
            loss.backward()
            losses.append(loss.detach())
            with torch.no_grad():
                a -= lr * a.grad
                b -= lr * b.grad
                a.grad = b.grad = None
        losses = torch.stack(losses).tolist()
    return losses, a.detach().cpu().numpy(), b.detach().cpu().numpy()


# %% answer="move_once" name="optimizer_and_one_way_back"
def train(w1, w2, x, y, batches, lr):
    device = torch.device("sim")
    weights = [torch.nn.Parameter(torch.tensor(w, device=device)) for w in (w1, w2)]
    data, answers = torch.tensor(x, device=device), torch.tensor(y, device=device)
    lengths = [len(batch) for batch in batches]
    everything = np.concatenate([np.empty(0, np.int64), *batches])
    numbers = torch.as_tensor(everything, device=device)
    optimizer = torch.optim.SGD(weights, lr=lr)
    history = torch.zeros(len(batches), dtype=data.dtype, device=device)
    for step, rows in enumerate(torch.split(numbers, lengths) if lengths else ()):
        optimizer.zero_grad()
        out = data.index_select(0, rows).mm(weights[0]).clamp(min=0).mm(weights[1])
        loss = torch.nn.functional.mse_loss(out, answers[rows], reduction="sum")
        loss.backward()
        history[step] = loss.detach()
        optimizer.step()
    a, b = (w.detach().cpu().numpy().copy() for w in weights)
    return history.cpu().numpy().astype(float).tolist(), a, b


# %% answer="move_once" name="gradients_by_hand"
@torch.no_grad()
def train(w1, w2, x, y, batches, lr):
    a, b, x, y = (torch.from_numpy(array.copy()).to("sim") for array in (w1, w2, x, y))
    losses = []
    ends = np.cumsum([0] + [len(batch) for batch in batches])
    rows = torch.tensor(np.concatenate(batches) if batches else np.zeros(0, int)).to("sim")
    for start, end in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True):
        now = rows[start:end]
        inputs, targets = x[now], y[now]
        h = inputs @ a
        hidden = h.relu()
        gap = hidden @ b - targets
        losses.append((gap * gap).sum().reshape(1))
        upstream = (2 * gap) @ b.T * (h > 0)
        b = b - lr * (hidden.T @ (2 * gap))
        a = a - lr * (inputs.T @ upstream)
    both = torch.cat([a.flatten(), b.flatten(), *losses]).cpu().numpy()
    first, second, rest = np.split(both, [a.numel(), a.numel() + b.numel()])
    return rest.tolist(), first.reshape(w1.shape).copy(), second.reshape(w2.shape).copy()


# %% answer="move_once" name="one_module"
def train(w1, w2, x, y, batches, lr):
    if len(batches) == 0:
        return [], np.array(w1), np.array(w2)
    layers = [torch.nn.Linear(*w.shape, bias=False) for w in (w1, w2)]
    for layer, w in zip(layers, (w1, w2), strict=True):
        layer.weight = torch.nn.Parameter(torch.tensor(w.T))
    net = torch.nn.Sequential(layers[0], torch.nn.ReLU(), layers[1]).to("sim")
    x, y = torch.tensor(x).to("sim"), torch.tensor(y).to("sim")
    numbers = torch.tensor(np.concatenate(batches)).to("sim")
    losses, start = [], 0
    for batch in batches:
        now = numbers.narrow(0, start, len(batch))
        start += len(batch)
        loss = (net(x[now]) - y[now]).pow(2).sum()
        grads = torch.autograd.grad(loss, [*net.parameters()])
        for w, g in zip(net.parameters(), grads, strict=True):
            w.data.sub_(g, alpha=lr)
        losses.append(loss.detach())
    w1, w2 = (layer.weight.detach().cpu().numpy().T.copy() for layer in layers)
    return torch.stack(losses).cpu().tolist(), w1, w2


# %% answer="everywhere" name="inference_mode"
class Standardize(torch.nn.Module):
    def __init__(self, mean, std):
        super().__init__()
        self.register_buffer("mean", torch.as_tensor(mean).clone())
        self.register_buffer("std", torch.as_tensor(std).clone())

    def forward(self, x):
        out = x.new_empty(len(x), x.shape[1] + 1)
        out[:, :-1] = (x - self.mean) / self.std
        out[:, -1] = 1
        return out


@torch.inference_mode()
def predict(model, x):
    return model(torch.as_tensor(x).clone().to(next(model.parameters()).device)).cpu().numpy()


# %% answer="move_once" name="all_in_one_copy"
def train(w1, w2, x, y, batches, lr):
    parts = [w1, w2, x, y]
    flat = torch.from_numpy(np.concatenate([part.ravel() for part in parts])).to("sim")
    pieces = flat.split([part.size for part in parts])
    a, b, x, y = (t.view(p.shape).clone() for t, p in zip(pieces, parts, strict=True))
    rows = torch.tensor(np.concatenate([*batches, np.zeros(0, np.int64)]), device="sim")
    losses = torch.empty(len(batches), dtype=a.dtype, device="sim")
    optimizer = torch.optim.SGD([a.requires_grad_(), b.requires_grad_()], lr=lr, foreach=True)
    begin = 0
    for k, batch in enumerate(batches):
        now = rows[begin : begin + len(batch)]
        begin += len(batch)
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(torch.relu(x[now] @ a) @ b, y[now], reduction="sum")
        loss.backward()
        losses[k] = loss.detach()
        optimizer.step()
    out = torch.cat([losses, a.detach().flatten(), b.detach().flatten()]).cpu().numpy()
    losses, w1, w2 = np.split(out, [len(batches), len(batches) + w1.size])
    return [float(v) for v in losses], w1.reshape(a.shape).copy(), w2.reshape(b.shape).copy()


# %% answer="move_once" name="pinned_and_foreach"
def train(w1, w2, x, y, batches, lr):
    def send(array):
        return sim.pin_memory(torch.tensor(array)).to("sim", non_blocking=True)

    net = [send(w1).requires_grad_(True), send(w2).requires_grad_(True)]
    inputs, targets = send(x), send(y)
    numbers = send(np.concatenate(batches)) if batches else None
    history, start = [], 0
    for batch in batches:
        rows = numbers[start : start + len(batch)]
        start += len(batch)
        hidden = inputs.index_select(0, rows).matmul(net[0]).clamp_min(0)
        loss = (hidden.matmul(net[1]) - targets.index_select(0, rows)).pow(2).sum()
        grads = torch.autograd.grad(loss, net)
        with torch.no_grad():
            torch._foreach_add_(net, grads, alpha=-lr)
        history.append(loss.detach())
    host = torch.stack(history).to("cpu") if history else []
    return [v.item() for v in host], *(w.detach().to("cpu").numpy() for w in net)


# %% answer="stopwatch" name="one_end_is_the_next_beginning"
def measure(run, synchronize, clock, warmup=3, repeats=9, inner=1):
    for _ in range(warmup):
        run()
    synchronize()
    marks = [clock()]
    for _ in range(repeats):
        for _ in range(inner):
            run()
        synchronize()
        marks.append(clock())
    return float(np.median(np.diff(marks))) / inner


# %% answer="stopwatch" name="two_functions"
def measure(run, synchronize, clock, warmup=3, repeats=9, inner=1):
    def together(count):
        synchronize()
        before = clock()
        for _ in range(count):
            run()
        synchronize()
        return clock() - before

    together(warmup)
    found = sorted(together(inner) / inner for _ in range(repeats))
    return (found[(repeats - 1) // 2] + found[repeats // 2]) / 2


# %% answer="stopwatch" name="statistics_module"
import statistics


def measure(run, synchronize, clock, warmup=3, repeats=9, inner=1):
    while warmup > 0:
        run()
        synchronize()
        warmup -= 1
    results = []
    while len(results) < repeats:
        synchronize()
        results.append(-clock())
        [run() for _ in range(inner)]
        synchronize()
        results[-1] = (results[-1] + clock()) / inner
    return statistics.median(results)


# %% answer="stopwatch" name="array_of_times"
def measure(run, synchronize, clock, warmup=3, repeats=9, inner=1):
    [run() for _ in range(warmup)]
    marks = np.zeros((repeats, 2))
    for row in marks:
        synchronize()
        row[0] = clock()
        for _ in range(inner):
            run()
        synchronize()
        row[1] = clock()
    return float(np.quantile(np.diff(marks, axis=1) / inner, 0.5))


# %% answer="overlap" name="one_batch_ahead"
def score(model, batches):
    side = torch.sim.Stream()

    def fetch(batch):
        with torch.sim.stream(side):
            there = batch.to("sim", non_blocking=True)
            return there, side.record_event()

    outs = []
    with torch.inference_mode():
        ahead = fetch(batches[0])
        for k in range(len(batches)):
            there, arrived = ahead
            if k + 1 < len(batches):
                ahead = fetch(batches[k + 1])
            torch.sim.current_stream().wait_event(arrived)
            outs.append(model(there))
    return torch.cat(outs, dim=0).to("cpu").numpy()


# %% answer="overlap" name="buffers_and_wait_stream"
def score(model, batches):
    copying = torch.sim.Stream()
    rows = sum(len(b) for b in batches)
    result, at = None, 0
    with torch.no_grad():
        for b in batches:
            with torch.sim.stream(copying):
                there = torch.empty(b.shape, dtype=b.dtype, device="sim")
                there.copy_(b, non_blocking=True)
            torch.sim.current_stream().wait_stream(copying)
            out = model(there)
            if result is None:
                result = torch.empty(rows, out.shape[1], dtype=out.dtype, device="sim")
            result[at : at + len(b)] = out
            at += len(b)
    return result.cpu().numpy()


# %% answer="overlap" name="generator_of_batches"
def score(model, batches):
    main, side = torch.sim.current_stream(), torch.sim.Stream()

    def arriving():
        for batch in batches:
            with torch.sim.stream(side):
                there = batch.to("sim", non_blocking=True)
            yield there, side.record_event()

    outputs = []
    with torch.inference_mode():
        for there, arrived in arriving():
            arrived.wait(main)
            outputs.append(model(there))
        return torch.concat(outputs).cpu().numpy()


# %% answer="overlap" name="into_buffers"
def score(model, batches):
    side, events = torch.sim.Stream(), []
    with torch.no_grad():
        with torch.sim.stream(side):
            there = [torch.empty(b.shape, dtype=b.dtype, device="sim") for b in batches]
            for buffer, batch in zip(there, batches, strict=True):
                buffer.copy_(batch, non_blocking=True)
                events.append(torch.sim.Event())
                events[-1].record(side)
        outputs = []
        for buffer, event in zip(there, events, strict=True):
            torch.sim.current_stream().wait_event(event)
            outputs.append(model(buffer))
        return torch.cat(outputs).to("cpu").numpy()


# %% answer="roofline" name="match_statement"
def work(name, *shapes, size=4, padding=0):
    match name, *shapes:
        case "add" | "relu" | "sum", shape, *_:
            out = (1,) if name == "sum" else shape
            flops = math.prod(shape)
        case "matvec", (m, k), _:
            out, flops = (m,), 2 * m * k
        case "matmul", (m, k), (_, n):
            out, flops = (m, n), 2 * m * k * n
        case "conv2d", (n, c, h, w), (o, _, r, s):
            out = n, o, h - r + 1 + 2 * padding, w - s + 1 + 2 * padding
            flops = 2 * n * o * out[2] * out[3] * c * r * s
    moved = 0
    for shape in (*shapes, out):
        count = size
        for length in shape:
            count *= length
        moved += count
    return flops, moved


def roofline(flops, bytes, peak, bandwidth):
    times = {"compute": flops / peak, "memory": bytes / bandwidth}
    bound = max(times, key=times.get)
    return times[bound], bound


# %% answer="roofline" name="table_of_rules"
def prod(shape):
    return int(np.prod(shape, dtype=object))


def conv_out(x, f, p):
    return (x[0], f[0], *(length + 2 * p - k + 1 for length, k in zip(x[2:], f[2:], strict=True)))


RESULT = {
    "add": lambda a, b, p: a,
    "relu": lambda a, b, p: a,
    "sum": lambda a, b, p: (),
    "matvec": lambda a, b, p: a[:-1],
    "matmul": lambda a, b, p: (a[0], b[1]),
    "conv2d": conv_out,
}
EACH = {"matvec": lambda a, b: 2 * a[1], "matmul": lambda a, b: 2 * b[0]}
EACH["conv2d"] = lambda a, b: 2 * b[1] * b[2] * b[3]


def work(name, *shapes, size=4, padding=0):
    a, b = shapes[0], shapes[-1]
    out = RESULT[name](a, b, padding)
    flops = prod(a) if name == "sum" else prod(out) * EACH.get(name, lambda a, b: 1)(a, b)
    return flops, sum(prod(shape) for shape in shapes) * size + prod(out) * size


def roofline(flops, bytes, peak, bandwidth):
    if bytes / bandwidth > flops / peak:
        return bytes / bandwidth, "memory"
    return flops / peak, "compute"


# %% answer="overlap" name="one_ahead"
def score(model, batches):
    side, main = torch.sim.Stream(), torch.sim.default_stream()

    @torch.no_grad()
    def fetch(k):
        with torch.sim.stream(side):
            there = batches[k].to("sim", non_blocking=True)
            event = torch.sim.Event()
            event.record(side)
        return there, event

    results, coming = [], fetch(0)
    with torch.no_grad():
        for k in range(len(batches)):
            there, event = coming
            if k + 1 < len(batches):
                coming = fetch(k + 1)
            event.wait(main)
            results.append(model(there))
        whole = torch.cat(results, dim=0)
    torch.sim.synchronize()
    return whole.to("cpu").numpy()


# %% answer="overlap" name="all_copies_first"
@torch.inference_mode(False)
def score(model, batches):
    with torch.set_grad_enabled(False):
        stream = torch.sim.Stream()
        there, events = [], []
        with torch.sim.stream(stream):
            for batch in batches:
                there.append(batch.to("sim", non_blocking=True))
                events.append(stream.record_event())
        outputs = []
        for x, event in zip(there, events, strict=True):
            torch.sim.current_stream().wait_event(event)
            outputs.append(model(x))
        return np.array(torch.vstack(outputs).cpu())


# %% answer="overlap" name="waits_for_the_stream"
def score(model, batches):
    copying, outputs = torch.sim.Stream(), None
    begun = 0
    with torch.no_grad():
        for batch in batches:
            with torch.sim.stream(copying):
                there = batch.to(device="sim", non_blocking=True)
            torch.sim.current_stream().wait_stream(copying)
            out = model(there)
            if outputs is None:
                rows = sum(len(one) for one in batches)
                outputs = torch.empty(rows, *out.shape[1:], dtype=out.dtype, device="sim")
            outputs[begun : begun + len(batch)] = out
            begun += len(batch)
    return outputs.cpu().numpy()


# %% answer="throughput" name="max_with_a_key"
def times(n, job, device, pinned=False, overlap=False):
    rate = device["pinned"] if pinned else device["pageable"]
    parts = [
        device["copy"] + n / rate * job["bytes"],
        max(
            device["launch"] * job["kernels"],
            device["kernel"] * job["kernels"] + n * job["flops"] / device["flops"],
        ),
    ]
    return sum(parts), (max if pinned and overlap else sum)(parts)


def best_batch(sizes, budget, job, device, pinned=False, overlap=False, share=0.9):
    both = [(n, *times(n, job, device, pinned, overlap)) for n in sorted(sizes)]
    fits = [(n, n / period) for n, latency, period in both if latency <= budget]
    top = max([rate for _, rate in fits] + [0.0])
    return next((n for n, rate in fits if rate >= share * top), None)


# %% answer="throughput" name="kernel_by_kernel"
def times(n, job, device, pinned=False, overlap=False):
    copy = device["copy"]
    copy += n * job["bytes"] / (device["pinned"] if pinned else device["pageable"])
    end = copy
    for _ in range(job["kernels"]):
        seconds = device["kernel"] + (n * job["flops"] / device["flops"]) / job["kernels"]
        end += seconds if seconds > device["launch"] else device["launch"]
    if not (pinned and overlap):
        return end, end
    return end, copy if copy > end - copy else end - copy


def best_batch(sizes, budget, job, device, pinned=False, overlap=False, share=0.9):
    sizes = np.sort(np.array(sizes, dtype=int))
    found = np.array([times(int(n), job, device, pinned, overlap) for n in sizes]).reshape(-1, 2)
    fits = found[:, 0] <= budget
    if not fits.any():
        return None
    rates = np.where(fits, sizes / found[:, 1], -1.0)
    return int(sizes[np.argmax(rates >= share * rates.max())])


# %% answer="tensor_core" name="tiles_from_the_end"
def mma(a, b, c):
    return c + np.matmul(a, b, dtype=np.float32)


def tiled(a, b, unit):
    def tile(array, i, j):
        out = np.zeros((4, 4), np.float16)
        part = array[4 * i : 4 * i + 4, 4 * j : 4 * j + 4]
        out[: part.shape[0], : part.shape[1]] = part
        return out

    blocks = [[None] * ((b.shape[1] + 3) // 4) for _ in range((len(a) + 3) // 4)]
    for i, row in enumerate(blocks):
        for j in reversed(range(len(row))):
            c = np.zeros((4, 4), dtype="float32")
            for p in reversed(range((len(b) + 3) // 4)):
                c = unit(tile(a, i, p), tile(b, p, j), c)
            row[j] = c
    return np.block(blocks)[: len(a), : b.shape[1]]


# %% answer="tensor_core" name="einsum_and_pad"
def mma(a, b, c):
    out = np.array(c, dtype=np.float32)
    out += np.einsum("ik,kj->ij", a, b, dtype=np.float32)
    return out


def tiled(a, b, unit):
    def padded(array):
        extra = [(0, -length % 4) for length in array.shape]
        return np.pad(array.astype(np.float16), extra)

    left, right = padded(a), padded(b)
    rows = []
    for i in range(0, left.shape[0], 4):
        row = []
        for j in range(0, right.shape[1], 4):
            c = np.zeros((4, 4), np.float32)
            for p in range(0, left.shape[1], 4):
                c = unit(left[i:, p:][:4, :4], right[p:, j:][:4, :4], c)
            row.append(c)
        rows.append(row)
    return np.block(rows)[: a.shape[0], : b.shape[1]].astype(np.float32)


# %% answer="tensor_core" name="tiles_as_axes"
def mma(a, b, c):
    products = np.float32(a)[:, :, None] * np.float32(b)[None, :, :]
    return products.sum(axis=1, dtype=np.float32) + c


def tiled(a, b, unit):
    (m, k), n = a.shape, b.shape[1]
    size = [math.ceil(length / 4) for length in (m, k, n)]
    left = np.zeros((4 * size[0], 4 * size[1]), "e")
    right = np.zeros((4 * size[1], 4 * size[2]), "e")
    left[:m, :k] = a
    right[:k, :n] = b
    left = left.reshape(size[0], 4, size[1], 4).transpose(0, 2, 1, 3)
    right = right.reshape(size[1], 4, size[2], 4).transpose(0, 2, 1, 3)
    tiles = np.zeros((size[0], size[2], 4, 4), "f")
    for p in range(size[1]):  # the loop along k outermost: the sums wait in `tiles`
        for i, j in np.ndindex(size[0], size[2]):
            tiles[i, j] = unit(left[i, p], right[p, j], tiles[i, j].copy())
    return tiles.transpose(0, 2, 1, 3).reshape(4 * size[0], 4 * size[2])[:m, :n].copy()


# %% answer="loss_scaling" name="largest_is_finite"
class LossScaler:
    def __init__(self, scale=65536.0, interval=2000):
        self.scale = float(scale)
        self.interval = interval
        self.good = 0

    def step(self, grads, update):
        for g in grads:
            if g.size and not np.max(np.abs(g)) < np.inf:
                self.scale /= 2
                self.good = 0
                return False
        update([np.array(g, np.float32) / np.float32(self.scale) for g in grads])
        self.good += 1
        if self.good >= self.interval:
            self.scale *= 2
            self.good = 0
        return True


# %% answer="loss_scaling" name="counts_down"
class LossScaler:
    def __init__(self, scale=65536.0, interval=2000):
        self.scale = float(scale)
        self.interval = self.left = interval

    def step(self, grads, update):
        for g in grads:
            if np.isnan(g).any() or np.isinf(g).any():
                self.scale *= 0.5
                self.left = self.interval
                return False
        update([np.divide(g, self.scale, dtype=np.float32) for g in grads])
        self.left -= 1
        if self.left == 0:
            self.scale, self.left = 2 * self.scale, self.interval
        return True


# %% answer="loss_scaling" name="remembers_the_steps"
class LossScaler:
    def __init__(self, scale=65536.0, interval=2000):
        self.scale, self.interval, self.history = scale, interval, []

    def step(self, grads, update):
        true = [np.asarray(np.float32(g) * np.float32(1 / self.scale)) for g in grads]
        fine = bool(np.all([np.all(np.abs(g) < np.inf) for g in grads]))
        self.history.append(fine)
        if fine:
            update(true)
            if len(self.history) >= self.interval and all(self.history[-self.interval :]):
                self.scale *= 2.0
                self.history = []
        else:
            self.scale /= 2.0
        return fine


# %% equivalent="move_once" mutant="move_once.L9.swap_operands.1"
# A difference is squared, so its sign does not matter.


# %% equivalent="stopwatch" mutant="stopwatch.L11.drop_call.1"
# NumPy's float64 is a Python float, by inheritance.


# %% equivalent="roofline" mutant="roofline.L18.swap_arguments.1"
# The larger of two does not depend on their order.


# %% equivalent="throughput" mutant="throughput.L3.swap_arguments.1"
# The larger of two does not depend on their order.


# %% equivalent="throughput" mutant="throughput.L4.swap_arguments.1"
# The larger of two does not depend on their order.


# %% equivalent="throughput" mutant="throughput.L14.one_more.1"
# The default counts only where no size fits, and then there is nothing to compare.


# %% equivalent="tensor_core" mutant="tensor_core.L1.drop_method.1"
# NumPy multiplies float16 with float32 in float32.


# %% equivalent="tensor_core" mutant="tensor_core.L1.drop_method.2"
# NumPy multiplies float16 with float32 in float32.


# %% equivalent="tensor_core" mutant="tensor_core.L7.sibling.1"
# What is filled up meets zeros of the other matrix, and rows beyond are cut off.


# %% equivalent="tensor_core" mutant="tensor_core.L11.range.1"
# The end is a multiple of four, so one less leaves the same steps.


# %% equivalent="tensor_core" mutant="tensor_core.L15.drop_method.1"
# The unit gets its arguments by value.


# %% equivalent="loss_scaling" mutant="loss_scaling.L8.drop_method.1"
# A float16 array divided by a NumPy float32 is converted first, to float32.


# %% equivalent="loss_scaling" mutant="loss_scaling.L8.drop_call.1"
# A float32 array divided by a Python float stays float32.
