# ---
# jupyter:
#   jupytext:
#     cell_metadata_filter: all
#     comment_magics: false
#     notebook_metadata_filter: all
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
#   autograder:
#     title: CPU and GPU
#     minutes: 210
#     needs: [modules, optimizers]
#     covers:
#       CPU against GPU: CPU against GPU
#       NVIDIA and AMD: NVIDIA and AMD
#       CUDA, cuBLAS, cuDNN, OpenCL: CUDA, cuBLAS, cuDNN, OpenCL
#       SMs, FP32 cores, Tensor Cores: SMs, FP32 cores, Tensor Cores
#       cast to a torch.cuda datatype: "Cast to a `torch.cuda` datatype"
#       copying is expensive: move_once
#       VGG16 speed-ups: VGG16, sixty-six times faster
# ---

# %% [markdown]
# # CPU and GPU
#
# In 2017 a lecture at Stanford showed this card: an NVIDIA TITAN Xp, 3840 cores, 12 GB of memory of
# its own, 1200 dollars. Its arithmetic is worth 12 TFLOP/s, 12,000,000,000,000 additions and
# multiplications in a second. And one step of the lecture's two-layer net, the one of lesson 01, is
# five matrix products. How long should that take?

# %% given="setup"
import math

import numpy as np

import autograder

# %%
N, D_in, H, D_out = 64, 1000, 100, 10
arithmetic = 2 * (2 * N * D_in * H) + 3 * (2 * N * H * D_out)  # forward, and the weights' gradients
batch, weights = 4 * N * (D_in + D_out), 4 * (D_in * H + H * D_out)  # bytes, in float32

seconds = {
    "the arithmetic, at 12.15 TFLOP/s": arithmetic / 12.15e12,
    "copying x and y to the card, at 11 GB/s": batch / 11e9,
    "copying the weights there and back": 2 * weights / 11e9,
}
for what, time in seconds.items():
    print(f"{1e6 * time:6.1f} µs   {what}")

# %% [markdown]
# Two microseconds for the arithmetic. Forty-five times that for bringing the numbers to it and
# taking the result home. The card is fast, and it is far away: what it computes with must lie in
# *its* memory, and the road there, the PCI Express bus, carries 11 GB/s. (All these are the best
# rates that the hardware has. Where each is from, you will see in a moment.)
#
# So the first GPU program that people write is often slower than none, and their second one several
# times faster, with the same arithmetic. What is between the two is this lesson: **where do the
# numbers lie, when do they move, and who waits for whom?**
#
# A student's notes on that lecture have a line for each part of it: "copy data is expensive in
# GPU", "cast everything to the `torch.cuda` datatype", "cuBLAS, cuDNN", "65x speed up GPU vs CPU
# (benchmarks, unfair a lot)". You will do each of them, and measure how unfair.
#
# Two sittings. The first, exercises 1 to 3, about an hour and a half: moving data, waiting for a
# device, measuring one. The second, exercises 4 to 8, two hours: how fast could it be, how to copy
# and compute at the same time, and arithmetic with half the bits.

# %% [markdown]
# ## CPU against GPU
#
# "CPU: fewer cores, but each core is much faster and much more capable; great at sequential tasks.
# GPU: more cores, but each core is much slower and 'dumber'; great for parallel tasks." That is the
# lecture's slide. Below are the numbers behind it, for six machines. `chainrule.sim` keeps them in
# a table, with a source for each.

# %% given="devices"
import chainrule.sim as sim

# %%
print(f"{'':30} year  cores  GFLOP/s  a core    memory  road to it")
for d in sim.DEVICES.values():
    own = f"{d.memory_bandwidth / 1e9:.0f} GB/s"
    road = f"{d.link_pinned / 1e9:.0f} GB/s" if d.kind == "gpu" else "none"
    peak = d.fp32_flops / 1e9
    print(f"{d.name:30} {d.year} {d.cores:6} {peak:8.0f} {peak / d.cores:7.1f} {own:>9} {road:>11}")
print()
for what, source in sim.DEVICES["titan-xp"].sources.items():
    print(f"{what}: {source}")

# %% [markdown]
# Read the fifth column. A core of the Xeon does 77 GFLOP/s, a "core" of the TITAN Xp 3.2. It runs
# at 1.6 GHz, takes one number at a time, and does not guess where a branch will go. There are
# 3840 of them. So the card has ten times the arithmetic, of a kind that needs thousands of equal
# things to do. A matrix product is just that: each entry of the result is a dot product for
# itself, and none waits for another.
#
# What is the rest of a CPU's chip for? For being early. Much of it is cache: each Xeon has 20 MB of
# the last level, shared by eight cores, besides what each core has to itself. It is there
# so that *one* thread seldom waits for memory. The TITAN Xp has 3 MB for 3840 cores. It does not
# try to be early. While one group of threads waits, it runs another, and there are tens of
# thousands of threads to choose from. (Intel's and NVIDIA's data sheets.)
#
# And it has its own memory, 12 GB, soldered next to the chip on a wide bus, which is why its rate
# is five times the Xeons'. What lies in the computer's memory is *not there*. It has to travel on
# the road in the last column, fifty times narrower than the card's own. The whole lesson lives in
# the difference between those two columns.

# %% [markdown]
# ### SMs, FP32 cores, Tensor Cores
#
# What NVIDIA calls a core is one lane of arithmetic, a unit that multiplies two float32 and adds a
# third in a clock (*FP32 core*): 3840 lanes × 2 operations × 1.582 GHz = 12.15 TFLOP/s. Lanes do
# not stand alone. The TITAN Xp has 30 *streaming multiprocessors*, SMs, of 128 lanes each. An SM is
# what comes nearest to a CPU's core: it has registers, 96 KB of memory that its threads share, and
# it issues instructions. It issues each for 32 threads together, a *warp*. If half of a warp takes
# the other branch of an `if`, both branches are run, and each time half of the lanes are idle.
#
# Since 2017 (Volta) an SM also has *Tensor Cores*. They do not multiply numbers. They multiply
# matrices: a whole product of 4×4 matrices, plus a third, in a clock, with inputs in float16. That
# is where the H200's 989 TFLOP/s for half precision come from, against 67 for float32. You will
# write one in exercise 7.
#
# ### A race
#
# Both compute a product of two n × n matrices, cut into tiles of 32×32 entries. A core of the two
# Xeons takes one tile at a time, and so does an SM of the card, each at its peak. The card has to
# get the two factors first, and to send the result home (░). Whom would you bet on, at 64, at 512,
# at 4096?


# %%
def race(n, tile=32, width=50):
    """Print how long each needs at best for n×n matrices: ░ for copies, █ for tiles."""
    tiles, rows = math.ceil(n / tile) ** 2, []
    for name, workers in (("two-xeons", 16), ("titan-xp", 30)):
        d = sim.DEVICES[name]
        copies = 3 * (d.copy_latency + 4 * n * n / d.link_pinned) if d.kind == "gpu" else 0.0
        one_tile = 2 * tile * tile * n / (d.fp32_flops / workers)
        rows.append((name, copies, math.ceil(tiles / workers) * one_tile))
    longest = max(copies + compute for _name, copies, compute in rows)
    print(f"{n}×{n}, {tiles} tiles")
    for name, copies, compute in rows:
        bar = "░" * round(width * copies / longest) + "█" * math.ceil(width * compute / longest)
        row = f"{1e6 * compute:9.1f} µs for tiles, {1e6 * (copies + compute):9.1f} µs in all"
        print(f"  {name:9} {row}  {bar}")


for n in (64, 512, 4096):
    race(n)

# %% [markdown]
# At 64 most of the card is idle: there are four tiles for 30 SMs. At 512 it computes nine times as
# fast as the Xeons, and loses. At 4096 it wins by far. Copies grow like n², arithmetic like n³.
# And what is on the card already need not be copied: then only the black parts race. (At best:
# launches, and the memories of both, are left out. Their turn comes in exercises 4 and 6.)
#
# ### CUDA, cuBLAS, cuDNN, OpenCL
#
# The lecture lists how to program such a machine:
#
# * **CUDA** (NVIDIA, 2007): C-like code that runs directly on the card. Above it stand libraries
#   that others have tuned for you: **cuBLAS** for matrix products, cuFFT, **cuDNN** (2014) for
#   convolutions, pooling, normalization and recurrent nets. Nobody in this course writes a matrix
#   product for a GPU, and neither does PyTorch: it calls cuBLAS.
# * **OpenCL** (Khronos, 2008): nearly the same, on any maker's card, and on CPUs. "Usually slower",
#   says the slide; what it lacked most was the libraries.
#
# ### NVIDIA and AMD
#
# The slide asks "NVIDIA vs AMD" and answers for deep learning: NVIDIA. Not because of the chips.
# AMD's Vega of 2017 had 12.7 TFLOP/s in float32 (4096 lanes at 1.546 GHz), a little more than the
# TITAN Xp. But nearly every framework was written on CUDA and cuDNN, and AMD had neither. Its
# answer is ROCm with HIP, CUDA's functions under other names, and MIOpen for cuDNN. PyTorch's build
# for AMD even keeps the word: a tensor on an AMD card lives on `device="cuda"`.

# %% [markdown]
# ## A card of your own
#
# You may have no such card, and a card would be a bad teacher for a graded lesson: it is never
# twice equally fast. So here is one inside PyTorch. The device `"sim"` is a real device to
# PyTorch, with a memory of its own. It computes on your CPU, and so its numbers are those of the
# CPU, bit for bit. What is simulated is the time: it keeps a *ledger* of every copy, every kernel
# (a program that the card runs, here an operation) and every wait, and a clock that says when
# each would have happened on a TITAN Xp, or on any other of the table. All graded cells use it,
# even where there is a card. The free cells run the same lines on yours, if you have one.

# %% given="pytorch"
HOW = "is not installed here. `make lab`, without LIGHT=1, adds it."


class Missing:  # stands in for PyTorch where it is not there, and says so when it is used
    def __bool__(self):
        return False

    def __getattr__(self, attribute):
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        raise ImportError(f"PyTorch {HOW}")


try:
    import torch
except ImportError:
    torch = Missing()
    print("PyTorch", HOW, "Exercises 3, 4, 6, 7 and 8 work without.")

# %% given="device"
READY = bool(torch) and sim.available()  # without it, leave exercises 1, 2 and 5 out
if READY:
    sim.start("titan-xp")
else:
    print("There is no simulated device here:", sim.why_not())

# %%
if READY:
    rng = np.random.default_rng(0)
    x, y, w1, w2 = (
        torch.tensor(rng.standard_normal(size), dtype=torch.float32)
        for size in ((N, D_in), (N, D_out), (D_in, H), (H, D_out))
    )
    sim.reset()
    here = [tensor.to("sim") for tensor in (x, y, w1, w2)]
    y_pred = torch.relu(here[0] @ here[2]) @ here[3]
    loss = (y_pred - here[1]).square().sum()
    print("loss", loss.item(), "   on the CPU", (torch.relu(x @ w1) @ w2 - y).square().sum().item())
    print(sim.ledger())

# %% [markdown]
# Read the table line by line; you will read many. Four copies to the device, before anything is
# computed. Then the kernels of the net, which the host *launches*: it says what to do and goes on
# without waiting, 5 µs for each. At `.item()` a number is wanted on the CPU. The host has to wait
# until the device has come that far, and the number has to come back.
#
# Most of the 325 µs are not arithmetic. They are everything around it.

# %% [markdown]
# ## Cast to a `torch.cuda` datatype
#
# "To run things on GPU just cast everything to the `torch.cuda` datatype", say the notes. In 2017 a
# tensor's type said where it lay, `torch.FloatTensor` or `torch.cuda.FloatTensor`, and the
# lecture's program began with the line `dtype = torch.cuda.FloatTensor`. Since PyTorch 0.4 (2018)
# type and place are two things, `dtype` and `device`, and a program names its device once:
#
# ```diff
# -dtype = torch.cuda.FloatTensor
# -x = Variable(torch.randn(N, D_in).type(dtype), requires_grad=False)
# +device = "cuda" if torch.cuda.is_available() else "cpu"
# +x = torch.randn(N, D_in, device=device)
#
# -model = TwoLayerNet(D_in, H, D_out).cuda()
# +model = TwoLayerNet(D_in, H, D_out).to(device)
# ```
#
# `.cuda()` still works, and still means "to the current CUDA device". "Just" is not quite true,
# though. Here are four lines that each look right:

# %%
if READY:
    layer = torch.nn.Linear(3, 2)
    x = torch.ones(1, 3)
    same_layer = layer.to("sim")
    print("a module moves itself: ", same_layer is layer, layer.weight.device)
    moved = x.to("sim")
    print("a tensor does not:     ", moved is x, x.device)
    for attempt in (lambda: layer(x), lambda: layer(moved).detach().numpy()):
        try:
            attempt()
        except (RuntimeError, TypeError) as error:
            print(type(error).__name__, "-", error)

# %% [markdown]
# A module moves in place: its parameters are the same objects afterwards, and so an optimizer
# that holds them still does. A tensor is never moved. `x.to(...)` returns another, and
# `x.to("sim")` on a line by itself does nothing that lasts. An operation wants all its tensors on
# one device. PyTorch could copy for you, and refuses, because it costs so much that you should
# see it. And NumPy reads the computer's memory, so a tensor has to come home first, by `.cpu()`.
#
# Two traps are left, and both sit in modules. `.to` moves what the module knows to be its own:
# parameters and *buffers* (lesson 06). A tensor that is an ordinary attribute stays behind. And a
# tensor that `forward` makes is made on the CPU, unless one says where.

# %% [markdown] prompt="everywhere"
# ### Exercise 1: at home on every device
#
# (Where PyTorch or the simulated device is missing, leave out this exercise and exercises 2 and 5.)
#
# Write the module `Standardize(mean, std)`, whose arguments are NumPy arrays of floats, one entry
# for each input. Its `forward(x)`, x of shape (N, D), returns (x − mean) / std with a column of
# ones added on the right: shape (N, D + 1). (With such a column a layer needs no bias.)
#
# * It works wherever it was moved, by `.to`, `.double()`, `.half()` and the like, with `x` on the
#   same device and of the same dtype; the result is there too, and of that dtype. `x` is unchanged.
# * `mean` and `std` are tensors, attributes under these names, copies of what was given and of its
#   dtype. They move with the module and are saved in its `state_dict`, but are not trained. After
#   `load_state_dict` the module computes with what was loaded.
#
# And write `predict(model, x)`: the outputs of any module that has parameters, for a NumPy array
# `x`, as a NumPy array.
#
# * `x` goes where the model's parameters are, in its own dtype. The model stays where it is, and
#   computes in the mode, train or eval, in which it is.
# * Nothing is recorded for a backward pass. Afterwards everything is as it was: the model, its
#   mode, `requires_grad` of its parameters, whether PyTorch records, and `x`, even if the model
#   computes in place.
#
# Allowed are NumPy, PyTorch and `chainrule`.

# %% [markdown] hint="everywhere"
# Lesson 06 had a name for a tensor that belongs to a module and is not trained. And every tensor
# knows its `x.device` and `x.dtype`; functions that make one, such as `torch.ones`, take both.

# %% [markdown] hint="everywhere"
# ```
#  x, NumPy ─ torch.tensor ─► CPU ─ .to(device) ─► device ─ model ─► device ─ .cpu() ─► CPU ─► NumPy
#                                      ▲
#                next(model.parameters()).device
# ```

# %% [markdown] hint="everywhere"
# ```python
# def __init__(self, mean, std):
#     super().__init__()
#     self.register_buffer("mean", torch.tensor(...))
#     ...
#
# def forward(self, x):
#     ones = torch.ones(len(x), 1, dtype=..., device=...)
#     return torch.cat([..., ones], dim=1)
#
# def predict(model, x):
#     device = ...
#     with torch.no_grad():
#         ...
# ```


# %% exercise="everywhere" minutes=15 difficulty=2 importance=5 allow="numpy torch chainrule"
class Standardize(torch.nn.Module):
    """Shift and scale each input, and add a column of ones, on whatever device."""

    def __init__(self, mean, std):
        ### BEGIN SOLUTION
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean))
        self.register_buffer("std", torch.tensor(std))
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        ones = torch.ones(len(x), 1, dtype=x.dtype, device=x.device)
        return torch.cat([(x - self.mean) / self.std, ones], dim=1)
        ### END SOLUTION


def predict(model, x):
    """Return the model's outputs for the array x as an array, wherever the model is."""
    ### BEGIN SOLUTION
    device = next(model.parameters()).device
    with torch.no_grad():
        return model(torch.tensor(x).to(device)).cpu().numpy()
    ### END SOLUTION


# %% tests="everywhere" behaviour="forward" points=2
@autograder.test
def _(rng):
    "`Standardize` gives the stated numbers, on the CPU and on the device, in float32 and float64."

    @beside
    def run(mean, std, x, device, kind):
        import torch

        import chainrule.sim as sim

        sim.start("titan-xp")
        module = Standardize(mean, std).to(device)
        x = torch.tensor(x).to(device)
        if kind:
            dtype = getattr(torch, kind)
            module, x = module.to(dtype), x.to(dtype)
        before, _fewer = x.clone(), module(x[:1])
        out = module(x)
        place = str(out.device) if torch.equal(x, before) else "nowhere: x has changed"
        return out.detach().cpu().numpy(), place

    mean, std = np.float32([1.0, 2.0]), np.float32([2.0, 4.0])
    x, out = np.float32([[3.0, 10.0], [1.0, 0.0]]), np.float32([[1.0, 2.0, 1.0], [0.0, -0.5, 1.0]])
    what = "the result, and where it is"
    same(run(mean, std, x, "cpu", ""), (out, "cpu"), f"{what}, on the CPU")
    same(run(mean, std, x, "sim", ""), (out, "sim:0"), f"{what}, on the device")
    same(
        run(mean, std, x, "sim", "float64"), (np.float64(out), "sim:0"), f"{what}, moved to float64"
    )
    ### BEGIN HIDDEN TESTS
    for n, d in ((1, 1), (5, 3), (0, 2), (3, 7), (4, 4)):
        for kind, rtol in (("float32", 1e-5), ("float64", 1e-9)):
            mean, x = rng.normal(size=d).astype(kind), rng.normal(size=(n, d)).astype(kind)
            std = rng.uniform(0.5, 4.0, size=d).astype(kind)
            out = np.concatenate([(x - mean) / std, np.ones((n, 1), kind)], axis=1)
            for device, place in (("cpu", "cpu"), ("sim", "sim:0")):
                got = run(mean, std, x, device, "")
                same(got, (out, place), f"{what}, {n} rows of {d}", rtol=rtol, atol=1e-6)
                got = run(mean, std, x, device, "float64")
                due = np.float64(out), place
                same(got, due, f"{what}, moved to float64", rtol=1e-5, atol=1e-6)
                got = run(mean, std, x, device, "float16")
                due = np.float16(out), place
                same(got, due, f"{what}, moved to float16", rtol=0.02, atol=0.02)
    ### END HIDDEN TESTS


# %% tests="everywhere" behaviour="buffers" points=2
@autograder.test
def _(rng):
    "`mean` and `std` move with the module, both ways, and are saved with it, but not trained."

    @beside
    def run(mean, std, other):
        import torch

        import chainrule.sim as sim

        sim.start("titan-xp")
        module, fresh = Standardize(mean, std), Standardize(*other)
        mean += 1
        places = []
        for device in ("cpu", "sim", "cpu"):
            module.to(device)
            places.append((str(module.mean.device), str(module.std.device)))
        state = {name: value.numpy() for name, value in module.state_dict().items()}
        fresh.load_state_dict(torch.nn.Module.state_dict(module))
        loaded = fresh.mean.numpy(), fresh.std.numpy(), fresh(module.std[None]).numpy()
        return places, state, loaded, len([*module.parameters()])

    mean, std = np.array([1.0, 2.0]), np.array([2.0, 4.0])
    places = [("cpu", "cpu"), ("sim:0", "sim:0"), ("cpu", "cpu")]
    due = places, {"mean": mean, "std": std}, (mean, std, np.array([[0.5, 0.5, 1.0]])), 0
    what = "places of mean and std; the saved state; another module after loading it, namely mean, "
    what += "std, and the result for x = std; how many parameters"
    same(run(mean, std, (std, mean)), due, what)
    ### BEGIN HIDDEN TESTS
    for kind in ("float32", "float64"):
        for d in (1, 3, 6):
            mean, std, *other = rng.uniform(0.5, 2.0, size=(4, d)).astype(kind)
            out = np.append((std - mean) / std, std.dtype.type(1))[None]
            due = places, {"mean": mean, "std": std}, (mean, std, out), 0
            same(run(mean, std, tuple(other)), due, what, rtol=1e-5, atol=1e-6)
    ### END HIDDEN TESTS


# %% tests="everywhere" behaviour="predict" points=2
@autograder.test
def _(rng):
    "`predict` takes and returns NumPy, uses the model where and as it is, and records nothing."

    @beside
    def run(weight, x, device, training):
        import torch

        import chainrule.sim as sim

        sim.start("titan-xp")
        seen = []

        class Net(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.w, self.inner = torch.nn.Parameter(torch.tensor(weight)), torch.nn.ReLU()

            def forward(self, x):
                out = self.inner(x).to(self.w.dtype) @ self.w.T
                seen.append((str(x.device), str(x.dtype), out.requires_grad))
                seen.append((self.training, self.inner.training))
                return out

        net = Net().to(device).train(training)
        net.inner.eval()
        outs = predict(net, x), predict(net, 2 * x)
        return type(outs[0]).__name__, outs, seen

    weight, x = np.float32([[1.0, 2.0], [0.0, -1.0]]), np.float32([[3.0, -10.0], [0.0, 5.0]])
    out = np.float32([[3.0, 0.0], [10.0, -5.0]])
    what = "the type; the results for x and 2 x; what the model saw: place and dtype of x, if it "
    what += "recorded, modes of the model and of a part of it that is in eval mode"
    for device, place in (("cpu", "cpu"), ("sim", "sim:0")):
        due = "ndarray", (out, 2 * out), [(place, "torch.float32", False), (True, False)] * 2
        same(run(weight, x, device, True), due, f"on {device}: {what}")
    ### BEGIN HIDDEN TESTS
    for n, d, k in ((1, 1, 1), (5, 3, 2), (2, 6, 6), (300, 2, 1)):
        for kind, rtol in (("float32", 1e-4), ("float64", 1e-9)):
            weight, x = rng.normal(size=(k, d)).astype(kind), rng.normal(size=(n, d)).astype(kind)
            whole = rng.integers(-9, 9, size=(n, d))
            for device, place in (("cpu", "cpu"), ("sim", "sim:0")):
                for given, training in ((x, True), (x, False), (whole, True)):
                    out = np.maximum(given, 0).astype(kind) @ weight.T
                    seen = [(place, f"torch.{given.dtype}", False), (training, False)] * 2
                    got = run(weight, given, device, training)
                    due = "ndarray", (out, 2 * out), seen
                    same(got, due, f"on {device}: {what}", rtol=rtol, atol=rtol / 10)
    ### END HIDDEN TESTS


# %% tests="everywhere" behaviour="leaves" points=1
@autograder.test
def _(rng):
    "`predict` leaves x, the model, its modes and whether PyTorch records as they are."

    @beside
    def run(weight, x, device, training):
        import torch

        import chainrule.sim as sim

        sim.start("titan-xp")
        first, net = torch.nn.ReLU(inplace=True), torch.nn.Linear(*weight.shape[::-1], bias=False)
        net.weight.data = torch.tensor(weight)
        model = torch.nn.Sequential(first, net).to(device).train(training)
        first.eval()
        out = predict(model, x)
        modes = model.training, first.training, net.training
        return (
            out,
            x,
            str(net.weight.device),
            modes,
            net.weight.requires_grad,
            torch.is_grad_enabled(),
        )

    weight, x = np.float32([[1.0, 2.0], [0.0, -1.0]]), np.float32([[3.0, -10.0], [0.0, 5.0]])
    out = np.float32([[3.0, 0.0], [10.0, -5.0]])
    what = "the result; afterwards: x, the model's place, modes, requires_grad, if PyTorch records"
    for device, place in (("cpu", "cpu"), ("sim", "sim:0")):
        due = out, x, place, (True, False, True), True, True
        same(run(weight, x, device, True), due, f"on {device}: {what}")
    ### BEGIN HIDDEN TESTS
    for kind, rtol in (("float32", 1e-4), ("float64", 1e-9)):
        weight, x = rng.normal(size=(2, 3)).astype(kind), rng.normal(size=(4, 3)).astype(kind)
        out = np.maximum(x, 0) @ weight.T
        for device, place in (("cpu", "cpu"), ("sim", "sim:0")):
            for training in (True, False):
                due = out, x, place, (training, False, training), True, True
                got = run(weight, x, device, training)
                same(got, due, f"on {device}: {what}", rtol=rtol, atol=rtol / 10)
    ### END HIDDEN TESTS


# %% [markdown]
# With it, one net may be anywhere:

# %%
if READY:
    torch.manual_seed(0)
    net = torch.nn.Sequential(
        Standardize(np.float32([1.0, 2.0]), np.float32([2.0, 4.0])),
        torch.nn.Linear(3, 2, bias=False),
    )
    inputs = np.float32([[3.0, 10.0], [1.0, 0.0]])
    for place in ("cpu", "sim"):
        print(place, predict(net.to(place), inputs).tolist())

# %% [markdown]
# ## Copying is expensive
#
# "Copy data is expensive in GPU", say the notes. "Thus, we use variable for weights, which
# prevent the copying data from CPU to GPU." That was about TensorFlow, where weights that are fed
# to a graph travel to the card and back in each step (lesson 12 has that bug). In PyTorch one can
# write the same mistake in many ways. Here is a training loop that has most of them:


# %% given="slow"
def train_slowly(w1, w2, x, y, batches, lr):
    """Train the two-layer net on the device, and move everything in every step."""
    losses = []
    for rows in batches:
        a = torch.tensor(w1).to("sim").requires_grad_()
        b = torch.tensor(w2).to("sim").requires_grad_()
        inputs, targets = torch.tensor(x[rows]).to("sim"), torch.tensor(y[rows]).to("sim")
        loss = (torch.relu(inputs @ a) @ b - targets).square().sum()
        loss.backward()
        losses.append(loss.item())
        w1 = (a - lr * a.grad).detach().cpu().numpy()
        w2 = (b - lr * b.grad).detach().cpu().numpy()
    return losses, w1, w2


# %%
def lecture(steps, kind="float32"):
    """Return the lecture's net, ten times as many examples, and batches of 64 of them."""
    rng = np.random.default_rng(0)
    sizes = (D_in, H), (H, D_out), (10 * N, D_in), (10 * N, D_out)
    arrays = [rng.standard_normal(size).astype(kind) for size in sizes]
    return *arrays, [rng.permutation(10 * N)[:N] for _step in range(steps)], 1e-6


if READY:
    sim.start("titan-xp")
    losses, *_weights = train_slowly(*lecture(30))
    slow = sim.ledger()
    print(f"losses {losses[0]:.6g} … {losses[-1]:.6g}")
    print(slow)

# %% [markdown]
# Look at the last lines: in thirty steps 210 copies, and in each step the host waits several
# times, twice for weights that it sends back right away. Each copy from ordinary memory makes the
# host wait for its end, and while it waits it launches nothing, so the card has nothing to do.
#
# An innocent line is the worst: `losses.append(loss.item())`. A loss is four bytes. But to have it,
# the host must wait until everything before it is done. So must `print(loss)`, `if loss < best:`,
# `loss > 0` in an `if`, `.tolist()`, and `x[mask]` with a mask of booleans, since the host has to
# know how many there are.

# %% [markdown] prompt="move_once"
# ### Exercise 2: move data once
#
# Write `train(w1, w2, x, y, batches, lr)`, which returns what `train_slowly` returns, and moves
# each number once.
#
# * `w1`, `w2`, `x`, `y` are NumPy arrays of float32 or of float64, all of one dtype, and all is
#   computed in that. `batches` is a list of arrays of row numbers (int64), of any lengths of at
#   least 1, one for each step; it may be empty. A row may be in many batches, or twice in one.
# * Return `(losses, w1, w2)`: a list of Python floats, each loss before its update, and the trained
#   weights as NumPy arrays. The given arrays are unchanged.
# * All arithmetic happens on the device.
# * However many steps there are: **at most six copies to the device**, and in them no more bytes
#   than the four arrays have, 8 for each row number in `batches`, and 64 more.
# * **At most three copies back**, with no more bytes than the two weights and 8 for each loss; and
#   the host waits for the device at most three times more than that.
#
# Allowed are NumPy, PyTorch and `chainrule`. (What your code computes is compared with numbers that
# it has not seen, and that is most of the points. The ledger is read where your code runs. It is a
# measuring instrument, not a lock. Let it run: no `sim.start` and no `sim.reset` in your code.)

# %% [markdown] hint="move_once"
# What does a step need that it does not have on the device already? Only which rows it uses, and
# these are all known before the first step. And when does anybody need a loss *on the CPU*?

# %% [markdown] hint="move_once"
# ```
#  to the device, once    w1   w2   x   y   all row numbers, one array
#                          │    │    │   │   │
#  step k                  ▼    ▼    x[rows k], y[rows k]: kernels, no copies
#                          w1 -= lr · grad, in place, on the device
#                          losses: a list of numbers that stay there
#  back, once             w1   w2   all losses, one array
# ```

# %% [markdown] hint="move_once"
# ```python
# a = torch.tensor(w1).to("sim").requires_grad_()
# ...                                              # b, inputs, targets
# if batches:
#     rows = torch.tensor(np.concatenate(batches)).to("sim")
# for part in rows.split([len(batch) for batch in batches]):
#     loss = ... inputs[part] ...
#     ...                                          # backward
#     losses.append(...)                           # a tensor, and not the graph behind it
#     with torch.no_grad():
#         ...                                      # the update, and no gradient is left
# losses = torch.stack(losses)...
# ```


# %% exercise="move_once" minutes=30 difficulty=3 importance=5 allow="numpy torch chainrule"
def train(w1, w2, x, y, batches, lr):
    """Train the two-layer net on the device; move each number once."""
    ### BEGIN SOLUTION
    a, b, inputs, targets = (torch.tensor(array).to("sim") for array in (w1, w2, x, y))
    a.requires_grad_()
    b.requires_grad_()
    if not batches:
        return [], w1.copy(), w2.copy()
    rows = torch.tensor(np.concatenate(batches)).to("sim")
    losses = []
    for part in rows.split([len(batch) for batch in batches]):
        loss = (torch.relu(inputs[part] @ a) @ b - targets[part]).square().sum()
        loss.backward()
        losses.append(loss.detach())
        with torch.no_grad():
            for w in (a, b):
                w -= lr * w.grad
                w.grad = None
    return torch.stack(losses).tolist(), a.detach().cpu().numpy(), b.detach().cpu().numpy()
    ### END SOLUTION


# %% tests="move_once" behaviour="values" points=5
@autograder.test
def _(rng):
    "Losses before each update and the trained weights, in float32 and float64, for any batches."

    @beside
    def run(*args):
        import chainrule.sim as sim

        sim.start("titan-xp")
        return train(*args)

    w1, w2, x, y = (
        np.array([[2.0]]),
        np.array([[3.0]]),
        np.array([[1.0], [7.0]]),
        np.array([[5.0]] * 2),
    )
    due = [1.0, 1.8496], np.array([[2.1072]]), np.array([[2.9808]])
    what = "losses, w1 and w2"
    same(run(w1, w2, x, y, [np.array([0])] * 2, 0.1), due, f"{what} after two steps with row 0")
    ### BEGIN HIDDEN TESTS

    def oracle(w1, w2, x, y, batches, lr):
        losses = []
        for rows in batches:
            hidden = x[rows] @ w1
            slope = 2 * (np.maximum(hidden, 0) @ w2 - y[rows])
            losses.append(float((slope**2).sum() / 4))
            grads = x[rows].T @ (slope @ w2.T * (hidden > 0)), np.maximum(hidden, 0).T @ slope
            w1, w2 = (w - lr * g for w, g in zip((w1, w2), grads, strict=True))
        return losses, w1, w2

    for kind, rtol in (("float64", 1e-8), ("float32", 3e-4)):
        for n, d, h, o, steps in (
            (6, 3, 5, 2, 8),
            (1, 2, 1, 1, 3),
            (20, 3, 3, 3, 12),
            (5, 4, 2, 1, 0),
        ):
            sizes = (d, h), (h, o), (n, d), (n, o)
            arrays = [(0.5 * rng.normal(size=size)).astype(kind) for size in sizes]
            batches = [rng.integers(0, n, size=rng.integers(1, 2 * n + 1)) for _ in range(steps)]
            due = oracle(*(array.astype(float) for array in arrays), batches, 0.002)
            due = due[0], due[1].astype(kind), due[2].astype(kind)
            got = run(*arrays, batches, 0.002)
            same(got, due, f"{what} after {steps} steps, {kind}", rtol=rtol, atol=rtol / 100)
    ### END HIDDEN TESTS


# %% tests="move_once" behaviour="inputs_kept" points=1
@autograder.test
def _(rng):
    "The arrays that were given stay as they are, and what comes back is right and new."
    w1, w2, x, y = np.array([[2.0]]), np.array([[3.0]]), np.array([[1.0]]), np.array([[5.0]])
    rows, due = np.array([0]), ([1.0], np.array([[1.4]]), np.array([[2.6]]))

    @beside
    def run(*args):
        import numpy as np

        import chainrule.sim as sim

        sim.start("titan-xp")
        losses, *weights = train(*args)
        shared = any(np.shares_memory(w, array) for w in weights for array in args[:4])
        return (losses, *weights), args, shared

    args = w1, w2, x, y, [rows], 0.1
    what = "losses, w1 and w2; the arguments afterwards; whether they share memory with the result"
    same(run(*args), (due, args, False), what)
    ### BEGIN HIDDEN TESTS
    args = w1, w2, x, y, [], 0.1
    same(run(*args), (([], w1, w2), args, False), f"no steps: {what}")
    a, b, inputs, targets = (rng.normal(size=size) for size in ((3, 2), (2, 2), (4, 3), (4, 2)))
    hidden = inputs @ a
    slope = 2 * (np.maximum(hidden, 0) @ b - targets)
    due = (
        [float((slope**2).sum() / 4)],
        a - 0.01 * inputs.T @ (slope @ b.T * (hidden > 0)),
        b - 0.01 * np.maximum(hidden, 0).T @ slope,
    )
    args = a, b, inputs, targets, [np.arange(4)], 0.01
    same(run(*args), (due, args, False), what)
    ### END HIDDEN TESTS


# %% tests="move_once" behaviour="on_device" points=1
@autograder.test
def _(rng):
    "The matrix products of every step are kernels of the device (by the ledger beside your code)."

    @beside
    def run(w1, w2, x, y, batches, lr):
        import chainrule.sim as sim

        sim.start("titan-xp")
        out = train(w1, w2, x, y, batches, lr)
        return out, sim.ledger().flops

    ones = np.ones
    out, flops = run(
        ones((20, 30)), ones((30, 1)), ones((8, 20)), ones((8, 1)), [np.arange(8)] * 3, 0.0
    )
    what = "losses, w1 and w2 of a net of ones, with a rate of 0"
    same(out, ([8 * 599.0**2] * 3, ones((20, 30)), ones((30, 1))), what)
    at_least(flops, 3 * (4 * 8 * 20 * 30 + 6 * 8 * 30), "FLOPs on the device in three steps")
    ### BEGIN HIDDEN TESTS
    for steps, d in ((1, 40), (7, 12)):
        w1, w2, x, y = ones((d, 30)), ones((30, 2)), ones((6, d)), ones((6, 2))
        out, flops = run(w1, w2, x, y, [np.arange(5)] * steps, 0.0)
        same(out, ([10 * (30.0 * d - 1) ** 2] * steps, w1, w2), what)
        at_least(flops, steps * (4 * 5 * d * 30 + 6 * 5 * 30 * 2), "FLOPs on the device")
    ### END HIDDEN TESTS


# %% tests="move_once" behaviour="to_device" points=2
@autograder.test
def _(rng):
    "At most six copies to the device, and no number twice (by the ledger beside your code)."

    @beside
    def run(w1, w2, x, y, batches, lr):
        import chainrule.sim as sim

        sim.start("titan-xp")
        sim.host_work(0.0, "the check begins")
        out = train(w1, w2, x, y, batches, lr)
        ledger = sim.ledger()
        whole = [row.name for row in ledger.rows[:1]] == ["the check begins"]
        return out, whole, len(ledger.of("h2d")), ledger.to_device

    w1, w2, x, y = np.ones((2, 3)), np.ones((3, 1)), np.ones((4, 2)), np.ones((4, 1))
    out, whole, copies, moved = run(w1, w2, x, y, [np.array([0, 1])] * 5, 0.0)
    cut = "the ledger does not go back to where the check began: your code starts or resets it"
    what = "losses, w1 and w2 of a net of ones, with a rate of 0"
    same(out, ([50.0] * 5, w1, w2), what)
    require(whole, cut)
    at_most(copies, 6, "copies to the device in five steps")
    at_most(moved, 8 * (6 + 3 + 8 + 4) + 8 * 10 + 64, "bytes copied to the device")
    ### BEGIN HIDDEN TESTS
    for steps, size in ((1, 1), (20, 40), (60, 3)):
        x, y = np.ones((40, 2), np.float32), np.ones((40, 1), np.float32)
        weights = np.ones((2, 3), np.float32), np.ones((3, 1), np.float32)
        out, whole, copies, moved = run(*weights, x, y, [np.arange(size)] * steps, 0.0)
        same(out, ([25.0 * size] * steps, *weights), what)
        require(whole, cut)
        at_most(copies, 6, f"copies to the device in {steps} steps")
        at_most(moved, 4 * (6 + 3 + 120) + 8 * steps * size + 64, "bytes copied to the device")
    ### END HIDDEN TESTS


# %% tests="move_once" behaviour="from_device" points=2
@autograder.test
def _(rng):
    "At most three copies back and six waits (by the ledger beside your code)."

    @beside
    def run(w1, w2, x, y, batches, lr):
        import chainrule.sim as sim

        sim.start("titan-xp")
        sim.host_work(0.0, "the check begins")
        out = train(w1, w2, x, y, batches, lr)
        ledger = sim.ledger()
        whole = [row.name for row in ledger.rows[:1]] == ["the check begins"]
        waits = ledger.synchronizations - sum(row.blocking for row in ledger.of("h2d"))
        return out, whole, len(ledger.of("d2h")), ledger.from_device, waits

    w1, w2, x, y = np.ones((2, 3)), np.ones((3, 1)), np.ones((4, 2)), np.ones((4, 1))
    out, whole, copies, moved, waits = run(w1, w2, x, y, [np.array([0, 1])] * 5, 0.0)
    cut = "the ledger does not go back to where the check began: your code starts or resets it"
    what = "losses, w1 and w2 of a net of ones, with a rate of 0"
    same(out, ([50.0] * 5, w1, w2), what)
    require(whole, cut)
    at_most(copies, 3, "copies back in five steps")
    at_most(moved, 8 * (6 + 3 + 5), "bytes copied back")
    at_most(waits, 6, "waits for the device, those for copies to it not counted")
    ### BEGIN HIDDEN TESTS
    for steps, size in ((1, 1), (20, 40), (60, 3)):
        x, y = np.ones((40, 2), np.float32), np.ones((40, 1), np.float32)
        weights = np.ones((2, 3), np.float32), np.ones((3, 1), np.float32)
        out, whole, copies, moved, waits = run(*weights, x, y, [np.arange(size)] * steps, 0.0)
        same(out, ([25.0 * size] * steps, *weights), what)
        require(whole, cut)
        at_most(copies, 3, f"copies back in {steps} steps")
        at_most(moved, 4 * 9 + 8 * steps, f"bytes copied back in {steps} steps")
        at_most(waits, 6, f"waits in {steps} steps, those for copies to the device not counted")
    ### END HIDDEN TESTS


# %% [markdown]
# The same thirty steps:

# %%
if READY:
    sim.start("titan-xp")
    mine, *my_weights = train(*lecture(30))
    fast = sim.ledger()
    theirs, *their_weights = train_slowly(*lecture(30))
    print("the same losses:", mine == theirs, "  the same weights:",
          all((m == t).all() for m, t in zip(my_weights, their_weights, strict=True)))  # fmt: skip
    for words, ledger in (("slow", slow), ("yours", fast)):
        moved = (ledger.to_device + ledger.from_device) / 1e6
        busy = ledger.kernel_seconds / ledger.seconds
        print(f"{words:6} {ledger.copies:4} copies  {ledger.synchronizations:4} waits  ", end="")
        print(f"{ledger.kernels} kernels  {moved:6.2f} MB  {1e3 * ledger.seconds:6.2f} ms", end="")
        print(f", {busy:4.0%} of them computing")

# %% [markdown]
# The numbers are the same to the last bit, the copies are 8 instead of 210, and the time is a
# third. What remains of it? Not copies, and hardly arithmetic. Thirty steps are six hundred
# launches of 5 µs, and the kernels, most of them over in 2 µs, wait for the host. The net is too
# small for the card. One remedy is larger batches (exercise 6), another to launch less: fuse
# kernels (lesson 13), or record a step once and launch it as a whole, which CUDA calls a graph.

# %% [markdown]
# ## How long did that take?
#
# Here is how everybody first measures a GPU:
#
# ```python
# start = time.perf_counter()
# y = x @ x
# print(time.perf_counter() - start)
# ```


# %%
def product_seconds(wait):
    """Return how long a product of 4096×4096 matrices seems to take on a TITAN Xp."""
    with sim.dry_run("titan-xp"):  # the clock runs, and nothing is computed
        x = torch.ones(4096, 4096, device="sim")
        for _warm_up in range(2):  # the first has to fetch memory from the driver
            _product = x @ x
        torch.sim.synchronize()
        start = sim.clock()
        _product = x @ x
        if wait:
            torch.sim.synchronize()
        return sim.clock() - start


for wait in (False, True) if READY else ():
    seconds = product_seconds(wait)
    print(f"{1e3 * seconds:7.3f} ms, so {2 * 4096**3 / seconds / 1e12:8.1f} TFLOP/s")

# %% [markdown]
# The first line says that the card does 27,000 TFLOP/s. It has 12. Nothing had been computed when
# the clock was read: the host had *launched* the product, which takes 5 µs, whatever the size. To
# time a device one waits for it, before the clock is read.
#
# That is one of three mistakes. The second: the first calls are slower. On real hardware a library
# is loaded, a kernel compiled, an algorithm chosen by trying several, memory fetched from the
# driver, and a clock frequency raised. So one *warms up*, and throws these calls away. The third:
# single measurements scatter, and always upwards, because something else can only make it slower.
# So one repeats, and takes the median, which a few bad ones do not move.

# %% [markdown] prompt="stopwatch"
# ### Exercise 3: a stopwatch for an asynchronous device
#
# Write `measure(run, synchronize, clock, warmup=3, repeats=9, inner=1)`: the median of the seconds
# that one call of `run` takes on a device.
#
# * `run()` launches some work and returns at once. `synchronize()` waits until all that was
#   launched is done. `clock()` returns the host's time in seconds.
# * First `run` is called `warmup` times, 0 or more, and none of that is measured.
# * Then come `repeats` measurements, 1 or more. In each `run` is called `inner` times, one after
#   the other *without waiting in between*, and the measured time is divided by `inner`. (A kernel
#   may be shorter than its launch. Then one alone says little.) A measurement begins when the
#   device is idle, and ends when it is done.
# * The device may still be busy with other work when `measure` is called. This is not measured.
# * Return the median of the measurements, a Python float; of an even number the mean of the two in
#   the middle. `run` is called `warmup + repeats * inner` times in all.
#
# Allowed is NumPy. The check hands you a device that it made up itself, and counts your calls.

# %% [markdown] hint="stopwatch"
# Where do the two readings of the clock stand, relative to `synchronize()`? And is the device idle
# at the first of them, in every measurement, even if `warmup` is 0?

# %% [markdown] hint="stopwatch"
# ```
# host     run run run |sync......|t0 run run |sync....|t1 t0 run run |sync....|t1
# device    ■■■■■■■■■■■■■■■■■■■■■■■    ■■■■■■■■■■■■■■■■■       ■■■■■■■■■■■■■■■■■
#           other work and warm-up     measured, inner = 2     measured
# ```

# %% [markdown] hint="stopwatch"
# ```python
# for _ in range(warmup):
#     run()
# ...                      # nothing of this may run into the first measurement
# found = [one_measurement() for each of the repeats]
# return float(np.median(found))
#
# # where one measurement is
# before = ...
# for _ in range(...):
#     run()
# ...
# after = ...
# ```


# %% exercise="stopwatch" minutes=15 difficulty=2 importance=5 allow="numpy"
def measure(run, synchronize, clock, warmup=3, repeats=9, inner=1):
    """Return the median seconds of one call of run on an asynchronous device."""
    ### BEGIN SOLUTION
    for _ in range(warmup):
        run()
    synchronize()
    times = []
    for _ in range(repeats):
        start = clock()
        for _ in range(inner):
            run()
        synchronize()
        times.append((clock() - start) / inner)
    return float(np.median(times))
    ### END SOLUTION


# %% tests="stopwatch" behaviour="waits" points=3
@autograder.test
def _(rng):
    "A measurement begins with an idle device and ends when the device is done."

    def device(launch, work, busy=0.0):
        now = {"host": 2.0, "device": 2.0 + busy, "calls": 0}

        def run():
            now["host"] += launch
            now["device"] = max(now["host"], now["device"]) + work
            now["calls"] += 1

        def synchronize():
            now["host"] = max(now["host"], now["device"])

        return now, callback(run), callback(synchronize), callback(lambda: now["host"])

    _, *parts = device(launch=0.25, work=4.0)
    what = "a launch of 0.25 s, and 4 s of work on the device"
    same(call(measure, *parts, warmup=1, repeats=2), 4.25, what)
    _, *parts = device(launch=0.25, work=4.0, busy=100.0)
    same(call(measure, *parts, warmup=0, repeats=1), 4.25, what + ", after 100 s of other work")
    ### BEGIN HIDDEN TESTS
    for warmup, repeats in ((0, 1), (0, 2), (1, 1), (5, 3)):
        for busy in (0.0, 50.0):
            launch, work = rng.uniform(0.1, 1.0, size=2).tolist()
            _, *parts = device(launch, work, busy)
            got = call(measure, *parts, warmup=warmup, repeats=repeats)
            same(got, launch + work, f"a launch of {launch:.3f} s and {work:.3f} s of work")
    ### END HIDDEN TESTS


# %% tests="stopwatch" behaviour="inner" points=2
@autograder.test
def _(rng):
    "With `inner` calls to a measurement nobody waits in between, and the time is that of one call."

    def device(launch, work):
        now = {"host": 2.0, "device": 2.0}

        def run():
            now["host"] += launch
            now["device"] = max(now["host"], now["device"]) + work

        def synchronize():
            now["host"] = max(now["host"], now["device"])

        return callback(run), callback(synchronize), callback(lambda: now["host"])

    what = "10 calls together, a launch of 1 s each, and"
    got = call(measure, *device(launch=1.0, work=4.0), repeats=3, inner=10)
    same(got, 4.1, f"{what} 4 s of work")
    got = call(measure, *device(launch=1.0, work=0.5), repeats=3, inner=10)
    same(got, 1.05, f"{what} 0.5 s of work")
    ### BEGIN HIDDEN TESTS
    for inner in (1, 2, 3, 17):
        for launch, work in ((0.3, 2.0), (2.0, 0.3), tuple(rng.uniform(0.1, 3.0, size=2).tolist())):
            one = (launch + work + (inner - 1) * max(launch, work)) / inner
            got = call(measure, *device(launch, work), warmup=2, repeats=2, inner=inner)
            same(got, one, f"{inner} calls together")
    ### END HIDDEN TESTS


# %% tests="stopwatch" behaviour="median" points=2
@autograder.test
def _(rng):
    "The result is the median of the measurements after the warm-up, for odd and even numbers."

    def device(works):
        now = {"host": 2.0, "device": 2.0, "calls": 0}
        works = [*works, *[1e4] * 99]  # for calls that should not be

        def run():
            now["device"] = max(now["host"], now["device"]) + works[now["calls"]]
            now["calls"] += 1

        def synchronize():
            now["host"] = max(now["host"], now["device"])

        return callback(run), callback(synchronize), callback(lambda: now["host"])

    what = "the median, where two slow calls of the warm-up come first"
    got = call(measure, *device([90.0, 50.0, 3.0, 1.0, 8.0]), warmup=2, repeats=3)
    same(got, 3.0, what)
    got = call(measure, *device([90.0, 50.0, 3.0, 1.0, 8.0, 4.0]), warmup=2, repeats=4)
    same(got, 3.5, what)
    ### BEGIN HIDDEN TESTS
    for warmup, repeats in ((0, 1), (0, 2), (1, 5), (3, 6), (4, 9), (7, 10)):
        works = rng.uniform(1.0, 2.0, size=warmup + repeats) ** 8
        works[:warmup] *= 1000.0
        middle = sorted(works[warmup:].tolist())[(repeats - 1) // 2 : repeats // 2 + 1]
        got = call(measure, *device(works.tolist()), warmup=warmup, repeats=repeats)
        same(got, sum(middle) / len(middle), f"the median of {repeats} measurements")
    got = call(measure, *device([1e3, 1e3, 1e3, *map(float, range(5, 14))]))
    same(got, 9.0, "the median of nine measurements after three calls, as the arguments say")
    ### END HIDDEN TESTS


# %% tests="stopwatch" behaviour="calls" points=1
@autograder.test
def _(rng):
    "`run` is called `warmup + repeats * inner` times, and the result is right."

    def device():
        now = {"host": 2.0, "device": 2.0}

        def run():
            now["device"] = max(now["host"], now["device"]) + 1.0

        def synchronize():
            now["host"] = max(now["host"], now["device"])

        return callback(run), callback(synchronize), callback(lambda: now["host"])

    parts = device()
    same(call(measure, *parts, warmup=2, repeats=3, inner=4), 1.0, "one second of work a call")
    calls = parts[0].calls
    require(calls == 14, f"expected 2 + 3 · 4 = 14 calls of run, came {calls}")
    ### BEGIN HIDDEN TESTS
    for warmup, repeats, inner in ((0, 1, 1), (5, 1, 2), (0, 4, 3), (1, 2, 10)):
        parts = device()
        options = {"warmup": warmup, "repeats": repeats, "inner": inner}
        same(call(measure, *parts, **options), 1.0, "one second of work a call")
        calls, due = parts[0].calls, warmup + repeats * inner
        require(calls == due, f"expected {due} calls of run for {options}, came {calls}")
    parts = device()
    same(call(measure, *parts), 1.0, "one second of work a call")
    require(parts[0].calls == 12, f"expected 3 + 9 calls of run, came {parts[0].calls}")
    ### END HIDDEN TESTS


# %% [markdown]
# Now measure. On the simulated device, on your CPU, and on your card, where there is one. (A CPU
# does not have to be waited for: PyTorch runs its operations at once. Its `synchronize` does
# nothing. On a card there is a second way, by its own clock: two events with `enable_timing=True`,
# recorded before and after the work; after a synchronize `start.elapsed_time(end)` is the time
# between them, in milliseconds.)

# %%
import time


def places():
    """Return for each device that can be had here its name, synchronize and clock."""
    found = {"cpu": (lambda: None, time.perf_counter)}
    if READY:
        found["sim"] = torch.sim.synchronize, sim.clock
    if torch and torch.cuda.is_available():
        found["cuda"] = torch.cuda.synchronize, time.perf_counter
    if torch and torch.backends.mps.is_available():
        found["mps"] = torch.mps.synchronize, time.perf_counter
    return found if torch else {}


for name, (synchronize, clock) in places().items():
    for n in (64, 256, 512):
        a = torch.rand(n, n).to(name)
        seconds = measure(lambda a=a: a @ a, synchronize, clock, inner=5)
        rate = 2 * n**3 / seconds / 1e9
        print(f"{name:4}  {n:4}×{n:<4}  {1e6 * seconds:9.1f} µs  {rate:9.1f} GFLOP/s")

# %% [markdown]
# A product of 64×64 matrices takes the card as long as its launch. With 512×512 it nears its
# peak. (The other lines are your machine's; there this lesson can promise nothing.) On a card, *how
# much at once* is half of the speed, and we come back to that.

# %% [markdown]
# ## How fast could it be? The roofline
#
# Two things take time in a kernel: computing, and fetching numbers from the card's own memory. Both
# go on at once, so the slower of the two decides. Williams, Waterman and Patterson made a picture
# of that in 2009, the [roofline](https://doi.org/10.1145/1498765.1498785), and all it needs is one
# number of each kernel: how many operations it does for each byte that it moves, its *arithmetic
# intensity*.
#
# The TITAN Xp does 12,150 GFLOP in a second and moves 547.7 GB. At 22.2 FLOP for a byte the two
# take equally long. That is the *ridge*. A kernel below it waits for memory, and no better
# arithmetic would help: it is *memory bound*. A kernel above it is *compute bound*.

# %% [markdown] prompt="roofline"
# ### Exercise 4: intensity and bound of six operations
#
# Write two functions. `work(name, *shapes, size=4, padding=0)` returns `(flops, bytes)`, two Python
# ints, of one operation. `shapes` are the shapes of its arguments, as tuples of ints.
#
# | `name` | arguments | result | FLOPs |
# |---|---|---|---|
# | `"add"` | two arrays of one shape | the same shape | 1 for each entry of the result |
# | `"relu"` | one array | the same shape | 1 for each entry |
# | `"sum"` | one array | one number | 1 for each entry of the argument |
# | `"matvec"` | (m, k) and (k,) | (m,) | 2 m k |
# | `"matmul"` | (m, k) and (k, n) | (m, n) | 2 m k n |
# | `"conv2d"` | (N, C, H, W) and (O, C, R, S) | see below | 2 C R S for each entry of the result |
#
# * A convolution with stride 1 slides O filters of C × R × S over N images of C channels, to whose
#   H × W pixels `padding` is added on all four sides. Its result is (N, O, H', W'), with
#   H' = H + 2 · `padding` − R + 1, and W' alike. `padding` says nothing to the other five.
# * Bytes are the least that must move: each argument is read once, the result is written once, and
#   an entry has `size` bytes. (Padding is not stored.) Shapes may hold any lengths, 0 too.
#
# `roofline(flops, bytes, peak, bandwidth)` returns `(seconds, bound)`: the larger of the time to
# compute, at `peak` FLOP/s, and the time to move, at `bandwidth` bytes/s; and which one that is,
# `"compute"` or `"memory"`. If both take equally long it is `"compute"`. Allowed is NumPy.

# %% [markdown] hint="roofline"
# All six have the same bytes: the entries of the arguments and of the result, times `size`. Only
# the shape of the result differs, and the FLOPs for each of its entries. `math.prod(())` is 1.

# %% [markdown] hint="roofline"
# ```
#                               result        FLOPs                  bytes
# add      (100,) (100,)        (100,)        100                    4 (100 + 100 + 100)
# sum      (100,)               ()            100                    4 (100 + 1)
# matmul   (2, 3) (3, 5)        (2, 5)        2 · 3 for each: 60     4 (6 + 15 + 10)
# ```

# %% [markdown] hint="roofline"
# ```python
# if name == "conv2d":
#     (n, c, h, w), (o, _, r, s) = shapes
#     result = (n, o, ...)
#     flops = ...
# elif name in ("matvec", "matmul"):
#     result = (..., *shapes[1][1:])
#     flops = ...
# else:
#     result = () if ... else shapes[0]
#     flops = ...
# entries = ...                       # of all arguments and of the result
# return flops, size * entries
# ```


# %% exercise="roofline" minutes=20 difficulty=2 importance=4 allow="numpy"
def work(name, *shapes, size=4, padding=0):
    """Return the FLOPs and the least bytes of one operation, from the shapes of its arguments."""
    ### BEGIN SOLUTION
    first = shapes[0]
    if name == "conv2d":
        (n, c, h, w), (o, _, r, s) = shapes
        result = (n, o, h + 2 * padding - r + 1, w + 2 * padding - s + 1)
        flops = 2 * c * r * s * math.prod(result)
    elif name in ("matvec", "matmul"):
        result = first[:1] + shapes[1][1:]
        flops = 2 * first[1] * math.prod(result)
    else:
        result = () if name == "sum" else first
        flops = math.prod(first)
    entries = sum(math.prod(shape) for shape in (*shapes, result))
    return flops, size * entries
    ### END SOLUTION


def roofline(flops, bytes, peak, bandwidth):
    """Return the least seconds of a kernel, and whether "compute" or "memory" bounds it."""
    ### BEGIN SOLUTION
    compute, memory = flops / peak, bytes / bandwidth
    return max(compute, memory), "compute" if compute >= memory else "memory"
    ### END SOLUTION


# %% tests="roofline" behaviour="elementwise" points=2
@autograder.test
def _(rng):
    "FLOPs and bytes of `add`, `relu` and `sum`, of any shape and size of an entry."
    same(call(work, "add", (100,), (100,)), (100, 1200), "add, 100 entries")
    same(call(work, "relu", (3, 5), size=8), (15, 240), "relu, 3×5 entries of 8 bytes")
    same(call(work, "sum", (4, 25)), (100, 404), "sum, 4×25 entries")
    ### BEGIN HIDDEN TESTS
    shapes = [(), (1,), (0,), (7, 0, 2), (2, 1, 3), (4096, 4096)]
    shapes += [tuple(rng.integers(1, 500, size=k).tolist()) for k in (1, 2, 3, 4)]
    for shape in shapes:
        n, size = math.prod(shape), int(rng.choice([1, 2, 4, 8]))
        same(call(work, "add", shape, shape, size=size), (n, 3 * n * size), f"add, {shape}")
        same(call(work, "relu", shape, size=size), (n, 2 * n * size), f"relu, {shape}")
        same(call(work, "sum", shape, size=size), (n, (n + 1) * size), f"sum, {shape}")
        same(call(work, "relu", shape, padding=3), (n, 8 * n), f"relu, {shape}, padding of no use")
    ### END HIDDEN TESTS


# %% tests="roofline" behaviour="products" points=2
@autograder.test
def _(rng):
    "FLOPs and bytes of `matvec` and `matmul`."
    same(call(work, "matvec", (2, 3), (3,)), (12, 44), "(2, 3) times (3,)")
    same(call(work, "matmul", (2, 3), (3, 5)), (60, 124), "(2, 3) times (3, 5)")
    ### BEGIN HIDDEN TESTS
    for low in (0, 1, 1, 1000):
        m, k, n = rng.integers(low, 9 + 4 * low, size=3).tolist()
        size = int(rng.choice([1, 2, 4, 8]))
        moved = (m * k + k + m) * size
        same(call(work, "matvec", (m, k), (k,), size=size), (2 * m * k, moved), f"matvec {m, k}")
        moved = (m * k + k * n + m * n) * size
        got = call(work, "matmul", (m, k), (k, n), size=size)
        same(got, (2 * m * k * n, moved), f"matmul {m, k} {k, n}")
    ### END HIDDEN TESTS


# %% tests="roofline" behaviour="convolution" points=2
@autograder.test
def _(rng):
    "FLOPs and bytes of `conv2d`, with and without padding."
    got = call(work, "conv2d", (1, 2, 4, 5), (3, 2, 3, 3))
    same(got, (648, 448), "one image of 2×4×5, three filters of 2×3×3")
    got = call(work, "conv2d", (1, 2, 4, 5), (3, 2, 3, 3), padding=1)
    same(got, (2160, 616), "the same with padding 1")
    ### BEGIN HIDDEN TESTS
    for _ in range(12):
        n, c, o, h, w = rng.integers(1, 30, size=5).tolist()
        pad, size = int(rng.integers(0, 4)), int(rng.choice([1, 2, 4]))
        r, s = (int(rng.integers(1, length + 2 * pad + 1)) for length in (h, w))
        out = n * o * (h + 2 * pad - r + 1) * (w + 2 * pad - s + 1)
        moved = (n * c * h * w + o * c * r * s + out) * size
        got = call(work, "conv2d", (n, c, h, w), (o, c, r, s), size=size, padding=pad)
        what = f"images {n, c, h, w}, filters {o, c, r, s}, padding {pad}"
        same(got, (2 * c * r * s * out, moved), what)
    ### END HIDDEN TESTS


# %% tests="roofline" behaviour="bound" points=2
@autograder.test
def _(rng):
    "The seconds of a kernel, and what bounds it."
    same(call(roofline, 1000, 10, 100.0, 10.0), (10.0, "compute"), "1000 FLOP, 10 bytes")
    same(call(roofline, 100, 100, 100.0, 10.0), (10.0, "memory"), "100 FLOP, 100 bytes")
    same(call(roofline, 100, 10, 100.0, 10.0), (1.0, "compute"), "both take a second")
    ### BEGIN HIDDEN TESTS
    for _ in range(20):
        peak, bandwidth = (10 ** rng.uniform(9, 15, size=2)).tolist()
        seconds = 10 ** float(rng.uniform(-9, 1))
        nearly = float(rng.uniform(0.5, 0.999))
        for compute, memory, bound in ((1, nearly, "compute"), (nearly, 1, "memory")):
            args = compute * seconds * peak, memory * seconds * bandwidth, peak, bandwidth
            same(call(roofline, *args), (seconds, bound), "seconds and bound of a kernel")
    same(call(roofline, 0, 0, 1e12, 1e11), (0.0, "compute"), "a kernel that does nothing")
    ### END HIDDEN TESTS


# %% [markdown]
# Six operations on three machines, as fast as they could be:

# %%
cases = {
    "add": [(4096, 4096), (4096, 4096)],
    "relu": [(4096, 4096)],
    "sum": [(4096, 4096)],
    "matvec": [(4096, 4096), (4096,)],
    "matmul": [(4096, 4096), (4096, 4096)],
    "conv2d": [(16, 64, 224, 224), (64, 64, 3, 3)],
}
print(f"{'':8} {'GFLOP':>7} {'MB':>7} {'FLOP/byte':>10}  ", "titan-xp, h200, two-xeons")
for name, shapes in cases.items():
    flops, moved = work(name, *shapes, padding=1)
    row = f"{name:8} {flops / 1e9:7.3f} {moved / 1e6:7.1f} {flops / moved:10.2f}  "
    for machine in ("titan-xp", "h200", "two-xeons"):
        d = sim.DEVICES[machine]
        seconds, bound = roofline(flops, moved, d.fp32_flops, d.memory_bandwidth)
        row += f"{1e3 * seconds:8.3f} ms {bound:7}"
    print(row)

# %% [markdown]
# Four of the six wait for memory on every machine. A matrix times a vector looks like a matrix
# product and is none: each entry of the matrix is fetched, used once, and forgotten. In `matmul`
# each is used 4096 times. Only that is what a GPU is good at, and so a net should consist of large
# matrix products, as far as one can arrange it. (Also convolutions are such; lesson 09 shows it.)
#
# There is one more thing to see. The `relu` takes as long as it takes to read and write the array,
# whatever it computes. Two such kernels in a row, a bias and a ReLU say, take twice as long as one
# that does both. Making one of two is called *fusing*, and lesson 13 does it.

# %% [markdown]
# ## VGG16, sixty-six times faster
#
# The lecture's next slides are those that everybody remembers. VGG16, a convolutional net of 2014
# with 138 million weights, on a CPU and on a GPU: about 66 times faster. And with cuDNN rather than
# plain CUDA about 3 times faster still. The numbers come from Justin Johnson's
# [cnn-benchmarks](https://github.com/jcjohnson/cnn-benchmarks) of 2016, batches of 16 images, in
# milliseconds:
#
# | | forward | backward | both |
# |---|---|---|---|
# | Pascal TITAN X, cuDNN 5.1 | 41.59 | 87.03 | 128.62 |
# | Pascal TITAN X, without cuDNN | 98.15 | 260.38 | 358.53 |
# | two Xeon E5-2630 v3 | 3101.76 | 5393.72 | 8495.48 |
#
# What does the roofline say? A *dry run* of the simulated device lets VGG16 "run" without computing
# a number. It needs only shapes, and so it takes a moment, also for an H200, on a machine with
# neither. (VGG16 is 13 convolutions with 3×3 filters, pooling where the M stands, and three matrix
# products. The batch is 16 images of 224×224 pixels.)

# %%
CHANNELS = [64, 64, "M", 128, 128, "M", *[256] * 3, "M", *[512] * 3, "M", *[512] * 3, "M"]


def vgg16():
    """Return VGG16 (Simonyan and Zisserman, 2014) for 1000 classes."""
    layers, before = [], 3
    for channels in CHANNELS:
        if channels == "M":
            layers.append(torch.nn.MaxPool2d(2))
            continue
        layers += [torch.nn.Conv2d(before, channels, 3, padding=1), torch.nn.ReLU()]
        before = channels
    layers.append(torch.nn.Flatten())
    for before, after in ((25088, 4096), (4096, 4096)):
        layers += [torch.nn.Linear(before, after), torch.nn.ReLU(), torch.nn.Dropout()]
    return torch.nn.Sequential(*layers, torch.nn.Linear(4096, 1000))


# %%
def predicted(machine):
    """Return the predicted seconds of a forward pass and of forward and backward, and the FLOPs."""
    with sim.dry_run(machine):
        with torch.device("sim"):
            model, images = vgg16(), torch.randn(16, 3, 224, 224)
        sim.reset()
        loss = model(images).sum()
        forward = sim.ledger()
        loss.backward()
        both = sim.ledger()
    return forward.seconds, both.seconds, both.flops


# %%
measured = {"titan-x": (41.59, 128.62), "two-xeons": (3101.76, 8495.48), "h200": None}
total = {}
for machine, found in measured.items() if READY else ():
    forward, total[machine], flops = predicted(machine)
    words = f"{machine:9}  {flops / 1e9:.0f} GFLOP   predicted {1e3 * forward:6.1f}"
    words += f" {1e3 * total[machine]:7.1f} ms"
    if found:
        share = flops / (found[1] / 1e3) / sim.DEVICES[machine].fp32_flops
        words += f"   measured {found[0]:7.1f} {found[1]:7.1f} ms, {share:4.0%} of the peak"
    print(words)
if READY:
    ratio = total["two-xeons"] / total["titan-x"]
    print(f"the card against the Xeons: {ratio:.1f} times, measured {8495.48 / 128.62:.1f} times")

# %% [markdown]
# By the roofline the card should be 8.4 times as fast as the two Xeons (their peaks differ by 8.9),
# not 66 times. And both measured rows are strange.
#
# The card was *faster* than its roof: 105 percent of a peak. For one thing, cards exceed the clock
# of their data sheet when they are cool. For another, it did less arithmetic than we counted: for
# 3×3 filters cuDNN 5 has Winograd's algorithm ([Lavin and Gray,
# 2015](https://arxiv.org/abs/1509.09308)), with up to 2.25 times fewer multiplications for a tile
# of 2×2. FLOP/s of a convolution are FLOP/s of one particular way to compute it.
#
# The Xeons, on the other hand, reached a seventh of what they can do, 14 percent. Nobody had
# written their convolution with the care with which cuDNN was written. So divide the 66 into its
# factors: the hardware accounts for about eight, and software for the remaining eight: a library
# that was nearly too good on one side, and one that was not good enough on the other. (Intel
# published tuned kernels, MKL-DNN, now oneDNN, in 2016. PyTorch on a CPU uses them today.) The
# middle row says the same of one and the same card: without cuDNN it is 2.8 times slower.
#
# The note "65x, benchmarks, unfair a lot" is a fair summary. Whoever buys hardware buys the
# software that was written for it.

# %% [markdown] prompt="unfair"
# ### Question: sixty-six times
#
# A shop's web page says: "GPUs are 66 times faster than CPUs (VGG16, measured)." Using the numbers
# above, say which part of the 66 is due to the hardware and how you know, name two things that make
# up the rest, and name one kind of program for which the factor would be far below eight.

# %% [markdown] written="unfair" points=3
# ### BEGIN SOLUTION
# The roofline compares what the two machines could do at best: 8.4, nearly the ratio of their
# peaks, 10.97 to 1.23 TFLOP/s, since a convolution is compute bound. That is the hardware's
# part. The rest is software. The CPU run reached a seventh of its peak, because its convolution was
# not tuned. The GPU run beat its roof, because cuDNN computes 3×3 convolutions with fewer
# multiplications (Winograd). Far below eight: anything memory bound, where only the ratio of the
# bandwidths counts, 480 to 118 GB/s, about four; or a program that copies its data back and forth,
# or whose kernels are so small that launching them takes longer, or that has to run one thing after
# the other. Then the GPU may well be slower.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# * 1 point: about eight or nine, from the roofline or from the ratio of the peaks.
# * 1 point: the CPU's software reached only 14 percent of the peak, and cuDNN does less arithmetic
#   than was counted (or: is much better tuned; without it 2.8 times slower). Half for one of them.
# * 1 point: a program that is memory bound, transfer bound, launch bound or sequential, with the
#   reason.
# ### END MARK SCHEME

# %% [markdown]
# ## Copy and compute at the same time
#
# Sometimes data has to move. A data set that does not fit into the card arrives batch by batch. But
# a card has an engine for copies beside the one for kernels, in fact one for each direction, so
# while one batch is computed the next can travel. By itself it does not happen:
#
# * A **stream** is a queue. What is launched into one stream runs in order, one thing after the
#   other. Only different streams overlap. All that you launched so far went into one, the default
#   stream.
# * From pageable memory the host waits for each copy. From **pinned** memory, with
#   `non_blocking=True`, it does not.
# * Now nobody guarantees any more that the batch is there when the kernel runs. An **event** is a
#   mark in one stream, which another can wait for. The host does not wait.

# %%
if READY:
    sim.start("titan-xp")
    there = torch.randn(2000, 2000).to("sim")
    host = sim.pin_memory(torch.randn(4000, 1000))
    copying = torch.sim.Stream()
    sim.reset()
    with torch.sim.stream(copying):
        batch = host.to("sim", non_blocking=True)
        arrived = torch.sim.Event()
        arrived.record()  # in the stream that copies
    product = there @ there  # in the default stream, at the same time
    torch.sim.current_stream().wait_event(arrived)
    total = batch.sum()
    print(total.item(), host.sum().item())
    print(sim.ledger())

# %% [markdown]
# Compare the columns "start" and "end". The copy and the product run at the same time. The sum
# begins when both are over: after the product, because they share a stream, and after the copy,
# because of the event. Delete the line with `wait_event`, and run it again. The result is still
# right, and at the end of the table the simulated device tells you about a *hazard*. A real card
# does not tell you. It computes with whatever lies there, and most of the time that is the right
# batch, since copies are fast. These are the errors that come once a week.

# %% [markdown] prompt="overlap"
# ### Exercise 5: overlap
#
# Write `score(model, batches)`. It returns the outputs of `model` for all batches, one after the
# other in one NumPy array, of shape (number of all rows, outputs).
#
# * `model` is a module on the device `"sim"`. `batches` is a list of CPU tensors in pinned memory,
#   each of shape (rows, inputs), at least one, of different numbers of rows, of the model's dtype.
#   They are unchanged.
# * The computation is in the default stream, the copies to the device in another, and the copy of
#   a batch runs while an earlier one is computed. So the whole takes no longer than the larger of
#   all copies and all kernels, plus the first copy and the last batch's kernels, plus 10 percent,
#   plus the way back.
# * No kernel uses a batch before it has arrived: the ledger notes no hazard.
# * The host waits for the device at most twice in all, and there is one copy back.
# * Nothing is recorded for a backward pass, and the model stays in its mode, train or eval.
#
# Allowed are NumPy, PyTorch and `chainrule`. (As in exercise 2 the ledger is read where your code
# runs, so let it run, without `sim.start` and `sim.reset`. The outputs are compared elsewhere. They
# are more than half of the points; the habit that the ledger sees is the point of the exercise.)

# %% [markdown] hint="overlap"
# The cell above has all the parts. An event for each batch, recorded right after its copy, in the
# stream of the copies; and before a batch's kernels are launched, the default stream waits for it.
# The outputs stay on the device until all are there.

# %% [markdown] hint="overlap"
# ```
# copies     │ copy 1 ●│ copy 2 ●│ copy 3 ●│                 ● event, recorded
# default    │         ○ kernels 1   ○ kernels 2   ○ kernels 3 │ copy back
# host       ············································ waits ...... here only
# ```

# %% [markdown] hint="overlap"
# ```python
# copying = torch.sim.Stream()
# outputs = []
# for batch in batches:                      # all of it under no_grad
#     with torch.sim.stream(...):
#         there = batch.to("sim", non_blocking=...)
#         arrived = ...
#     ...wait_event(...)
#     outputs.append(...)
# return torch.cat(...)...
# ```


# %% exercise="overlap" minutes=20 difficulty=3 importance=3 allow="numpy torch chainrule"
def score(model, batches):
    """Return the model's outputs for all batches; copy the next while one is computed."""
    ### BEGIN SOLUTION
    copying, outputs = torch.sim.Stream(), []
    with torch.no_grad():
        for batch in batches:
            with torch.sim.stream(copying):
                there = batch.to("sim", non_blocking=True)
                arrived = torch.sim.Event()
                arrived.record()
            torch.sim.current_stream().wait_event(arrived)
            outputs.append(model(there))
        return torch.cat(outputs).cpu().numpy()
    ### END SOLUTION


# %% tests="overlap" behaviour="values" points=5
@autograder.test
def _(rng):
    "All outputs in order, in one array, computed in the default stream, and nothing recorded."

    @beside
    def run(w1, w2, xs):
        import torch

        import chainrule.sim as sim

        sim.start("titan-xp")
        seen = []

        class Net(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.w1, self.w2 = (torch.nn.Parameter(torch.tensor(w)) for w in (w1, w2))

            def forward(self, x):
                out = torch.relu(x @ self.w1) @ self.w2
                seen.append((x.device.type, torch.sim.current_stream().stream_id))
                seen.append((out.requires_grad, self.training))
                return out

        batches = [sim.pin_memory(torch.tensor(x)) for x in xs]
        out = score(Net().to("sim"), batches)
        return out, [batch.numpy() for batch in batches], seen

    w1, w2 = np.float32([[1.0, -1.0], [2.0, 0.0]]), np.float32([[1.0], [10.0]])
    xs = [np.float32([[1.0, 1.0], [-3.0, 0.0]]), np.float32([[0.0, 2.0]])]
    due = np.float32([[3.0], [30.0], [4.0]]), xs, [("sim", 0), (False, True)] * 2
    what = "outputs; the batches afterwards; and for each where the model saw it, in which stream "
    what += "(the default one has number 0), if it recorded, if it was in train mode"
    same(run(w1, w2, xs), due, what)
    ### BEGIN HIDDEN TESTS
    for kind, rtol in (("float64", 1e-9), ("float32", 1e-4)):
        for d, h, o, lengths in ((3, 4, 2, (5, 1, 7)), (1, 1, 1, (1,)), (6, 2, 3, (2, 1, 9) * 40)):
            w1, w2 = rng.normal(size=(d, h)).astype(kind), rng.normal(size=(h, o)).astype(kind)
            xs = [rng.normal(size=(n, d)).astype(kind) for n in lengths]
            out = np.maximum(np.concatenate(xs) @ w1, 0) @ w2
            due = out, xs, [("sim", 0), (False, True)] * len(xs)
            same(run(w1, w2, xs), due, what, rtol=rtol, atol=rtol / 10)
    ### END HIDDEN TESTS


# %% tests="overlap" behaviour="in_time" points=2
@autograder.test
def _(rng):
    "Copies run while earlier batches are computed: time within the bound (by the ledger there)."

    @beside
    def run(w, xs, link, flops):
        import dataclasses

        import torch

        import chainrule.sim as sim

        model = torch.nn.Linear(*w.shape[::-1], bias=False)
        model.weight.data = torch.tensor(w)
        device = dataclasses.replace(
            sim.DEVICES["titan-xp"], link_pinned=link, fp32_flops=flops, kernel_overhead=0.0,
            launch_latency=1e-7, copy_latency=0.0, alloc_latency=0.0,
        )  # fmt: skip
        sim.start(device)
        model, batches = model.to("sim"), [sim.pin_memory(torch.tensor(x)) for x in xs]
        sim.reset()
        sim.host_work(0.0, "the check begins")
        out = score(model, batches)
        ledger = sim.ledger()
        whole = [row.name for row in ledger.rows[:1]] == ["the check begins"]
        return out, whole, ledger.seconds

    cut = "the ledger does not go back to where the check began: your code starts or resets it"
    w, xs = np.ones((1, 50), np.float32), [np.ones((20, 50), np.float32)] * 10
    out, whole, seconds = run(w, xs, 4e6, 2e6)
    same(out, np.full((200, 1), 50.0, np.float32), "the sums of rows of ones")
    require(whole, cut)
    at_most(
        seconds, 1.1 * 0.011 + 0.001, "ten batches, 1 ms to copy and 1 ms to compute each: seconds"
    )
    ### BEGIN HIDDEN TESTS
    for lengths, link, flops in (
        ([30, 10] * 5, 2e6, 2e6),
        ([20] * 12, 4e6, 1e6),
        ([9] * 30, 9e6, 9e6),
    ):
        xs = [np.ones((n, 50), np.float32) for n in lengths]
        copies, kernels = [200 * n / link for n in lengths], [100 * n / flops for n in lengths]
        out, whole, seconds = run(w, xs, link, flops)
        same(out, np.full((sum(lengths), 1), 50.0, np.float32), "the sums of rows of ones")
        require(whole, cut)
        bound = max(sum(copies), sum(kernels)) + copies[0] + kernels[-1]
        back = 4 * sum(lengths) / link * 2
        what = f"{len(lengths)} batches, copies {sum(copies):.4f} s, kernels {sum(kernels):.4f} s"
        at_most(seconds, 1.1 * bound + back + 5e-5, f"{what}: seconds")
    ### END HIDDEN TESTS


# %% tests="overlap" behaviour="no_hazard" points=1
@autograder.test
def _(rng):
    "No kernel uses a batch before it has arrived (by the ledger there), and outputs are right."

    @beside
    def run(w, xs):
        import torch

        import chainrule.sim as sim

        model = torch.nn.Linear(*w.shape[::-1], bias=False)
        model.weight.data = torch.tensor(w)
        sim.start("titan-xp")
        model, batches = model.to("sim"), [sim.pin_memory(torch.tensor(x)) for x in xs]
        torch.sim.synchronize()
        sim.reset()
        sim.host_work(0.0, "the check begins")
        out = score(model, batches)
        ledger = sim.ledger()
        whole = [row.name for row in ledger.rows[:1]] == ["the check begins"]
        return out, whole, list(ledger.hazards)

    cut = "the ledger does not go back to where the check began: your code starts or resets it"
    w, xs = np.ones((1, 50), np.float32), [np.ones((20, 50), np.float32)] * 3
    out, whole, hazards = run(w, xs)
    same(out, np.full((60, 1), 50.0, np.float32), "the sums of rows of ones")
    require(whole, cut)
    require(hazards == [], f"expected no hazard, came: {hazards[:1]}")
    ### BEGIN HIDDEN TESTS
    for lengths in ([1], [400, 1, 3], [7] * 12):
        out, whole, hazards = run(w, [np.ones((n, 50), np.float32) for n in lengths])
        same(out, np.full((sum(lengths), 1), 50.0, np.float32), "the sums of rows of ones")
        require(whole, cut)
        require(hazards == [], f"expected no hazard, came: {hazards[:1]}")
    ### END HIDDEN TESTS


# %% tests="overlap" behaviour="waits" points=1
@autograder.test
def _(rng):
    "One copy back and at most two waits (by the ledger there), and the outputs are right."

    @beside
    def run(w, xs):
        import torch

        import chainrule.sim as sim

        model = torch.nn.Linear(*w.shape[::-1], bias=False)
        model.weight.data = torch.tensor(w)
        sim.start("titan-xp")
        model, batches = model.to("sim"), [sim.pin_memory(torch.tensor(x)) for x in xs]
        sim.reset()
        sim.host_work(0.0, "the check begins")
        out = score(model, batches)
        ledger = sim.ledger()
        whole = [row.name for row in ledger.rows[:1]] == ["the check begins"]
        return out, whole, len(ledger.of("d2h")), ledger.synchronizations

    cut = "the ledger does not go back to where the check began: your code starts or resets it"
    w, xs = np.ones((1, 50), np.float32), [np.ones((20, 50), np.float32)] * 5
    out, whole, copies, waits = run(w, xs)
    same(out, np.full((100, 1), 50.0, np.float32), "the sums of rows of ones")
    require(whole, cut)
    at_most(copies, 1, "copies back for five batches")
    at_most(waits, 2, "waits for five batches")
    ### BEGIN HIDDEN TESTS
    for lengths in ([1], [400, 1, 3], [7] * 12):
        out, whole, copies, waits = run(w, [np.ones((n, 50), np.float32) for n in lengths])
        same(out, np.full((sum(lengths), 1), 50.0, np.float32), "the sums of rows of ones")
        require(whole, cut)
        at_most(copies, 1, f"copies back for {len(lengths)} batches")
        at_most(waits, 2, f"waits for {len(lengths)} batches")
    ### END HIDDEN TESTS


# %% [markdown]
# One line is missing for a real card. There, memory that Python lets go of is used again at once,
# for the next thing in the stream that it was taken in: here the next copy. But the kernels that
# read it are in another stream and may not have run. `there.record_stream(stream)`, with the stream
# of the kernels, tells PyTorch to wait with that.

# %% [markdown]
# ## Who waits for whom
#
# Four batches travel to a device, are computed by four kernels each, and a number of each comes
# back. Everything that you have met is a switch or a slider: pinned memory, a stream of their own
# for the copies, a host that looks at each result, the rate of the link and of the arithmetic, the
# batch. Before you move anything, answer on paper:
#
# 1. All three habits are wrong at first. Which of them costs most, and which costs nearly nothing?
# 2. With overlap, and nobody looking: how fast must the link be until the compute engine is busy
#    nearly all the time?
# 3. Then let the host look at each batch again. Is the overlap still worth anything?
# 4. Nobody looks, and a batch of 1: how much of the time does the host wait, and for what do all
#    others wait?

# %%
from chainrule.widgets import TransferTimeline

TransferTimeline()

# %% [markdown]
# <details><summary>What you should have seen</summary>
#
# 1. Pageable memory. Pinned, the same takes 2.5 ms instead of 4.1. That the host looks costs only
#    0.05 ms, because without overlap the device has nothing else to do meanwhile.
# 2. About 20 GB/s: there copying and computing a batch take equally long, 0.22 ms. Beyond that a
#    faster link buys hardly anything.
# 3. No. To look is to wait for this batch, and the host that waits does not launch the next copy.
#    At 11 GB/s it is 2.5 ms again, as without overlap. This is the line with `loss.item()`.
# 4. A tenth. All others wait for the host: of the 0.117 ms, 0.105 are 21 launches of 5 µs. It is
#    launch bound.
#
# </details>

# %% [markdown]
# ## Pinned memory, and how large a batch
#
# Two of the numbers that decide how fast a program feeds a card are yours to choose: what kind of
# memory a batch comes from, and how many samples are in it.
#
# Ordinary memory is *pageable*: the operating system may move it. The card's copy engine cannot
# follow, so the driver first copies the data to a buffer that stays where it is, and the host waits
# for that. *Pinned* memory may not be moved. From there the card copies by itself, about twice as
# fast, while the host goes on, and only from there can a copy overlap with a computation. (So why
# not pin everything? It is memory that nobody else can have, and pinning costs time.)
#
# A larger batch spreads the fixed costs, of a copy and of launching each kernel, over more samples.
# But nobody gets an answer before the whole batch is done. A server that answers people has a
# budget for this *latency*; whoever trains wants *throughput*, samples a second, and nothing else.

# %% [markdown] prompt="throughput"
# ### Exercise 6: a cost model
#
# Write two functions. A `job` says what one sample costs, and a `device` what it can do, as dicts:
#
# | `job` | | `device` | |
# |---|---|---|---|
# | `"bytes"` | to copy, for each sample | `"pinned"`, `"pageable"` | bytes/s of copies from there |
# | `"flops"` | to compute, for each sample | `"copy"` | seconds that each copy costs besides |
# | `"kernels"` | for a batch, at least 1 | `"flops"` | FLOP/s |
# | | | `"kernel"` | seconds that each kernel costs besides |
# | | | `"launch"` | seconds that the host needs to launch a kernel |
#
# `times(n, job, device, pinned=False, overlap=False)` returns `(latency, period)` for batches of
# `n` samples, one copy each:
#
# * The copy takes the `"copy"` seconds, plus its bytes at the rate of its kind of memory.
# * Each kernel does an equal part of the batch's FLOPs, in addition to its fixed `"kernel"`
#   seconds. The host launches while the device computes, so a kernel takes the longer of this and
#   of its launch.
# * `latency` is the time from the beginning of a batch's copy to the end of its last kernel.
# * `period` is the time from one batch to the next, when many follow each other. Without overlap it
#   is the latency. With `overlap` the next batch is copied while this one is computed, and the
#   slower of the two decides; but only from pinned memory, otherwise `overlap` changes nothing.
#
# `best_batch(sizes, budget, job, device, pinned=False, overlap=False, share=0.9)` chooses from the
# list `sizes`, in any order. Candidates are the batch sizes whose latency is at most `budget`
# seconds. Larger ones do more samples a second, and less and less so. Return the smallest candidate
# that does at least `share` of what the best candidate does, n / period; None if there is none.
# `sizes` is unchanged.
# Allowed is NumPy.

# %% [markdown] hint="throughput"
# There are three times: of the copy, of one kernel, of all kernels. A sum of two of them is the
# latency, and their maximum, if it may be, the period. The FLOPs of one kernel are those of the
# whole batch divided by the number of kernels.

# %% [markdown] hint="throughput"
# ```
# no overlap       copy 1|compute 1......|copy 2|compute 2......|
#                  <------ latency ------>
#                  <------ period ------->
# overlap          copy 1|copy 2          |copy 3
#                        |compute 1......|compute 2......|
#                  <------ latency ------>
#                        <--- period --->
# ```

# %% [markdown] hint="throughput"
# ```python
# copy = device["copy"] + ... / device["pinned" if pinned else "pageable"]
# each = device["kernel"] + ...
# compute = job["kernels"] * max(..., ...)
# period = ... if overlap and pinned else ...
# ```
#
# and for the other function: first the rates of all candidates, in a dict; then the largest of
# them; then the smallest size whose rate is large enough.


# %% exercise="throughput" minutes=20 difficulty=2 importance=3 allow="numpy"
def times(n, job, device, pinned=False, overlap=False):
    """Return (latency, period) in seconds for batches of n samples."""
    ### BEGIN SOLUTION
    copy = device["copy"] + n * job["bytes"] / device["pinned" if pinned else "pageable"]
    each = device["kernel"] + n * job["flops"] / job["kernels"] / device["flops"]
    compute = job["kernels"] * max(device["launch"], each)
    period = max(copy, compute) if overlap and pinned else copy + compute
    return copy + compute, period
    ### END SOLUTION


def best_batch(sizes, budget, job, device, pinned=False, overlap=False, share=0.9):
    """Return the smallest batch size within the budget that is nearly as fast as any, or None."""
    ### BEGIN SOLUTION
    rates = {}
    for n in sizes:
        latency, period = times(n, job, device, pinned, overlap)
        if latency <= budget:
            rates[n] = n / period
    enough = share * max(rates.values(), default=0.0)
    return min((n for n, rate in rates.items() if rate >= enough), default=None)
    ### END SOLUTION


# %% tests="throughput" behaviour="latency" points=2
@autograder.test
def _(rng):
    "Latency and period without overlap, from pageable and from pinned memory."
    job = {"bytes": 100, "flops": 1000, "kernels": 5}
    device = {"pinned": 50.0, "pageable": 25.0, "copy": 1.0, "flops": 400.0, "kernel": 0.5}
    device["launch"] = 2.0
    what = "latency and period of a batch of"
    same(
        call(times, 1, job, device), (15.0, 15.0), f"{what} 1, whose kernels wait for their launch"
    )
    same(call(times, 8, job, device), (55.5, 55.5), f"{what} 8")
    same(call(times, 8, job, device, pinned=True), (39.5, 39.5), f"{what} 8, pinned")
    ### BEGIN HIDDEN TESTS
    for _ in range(20):
        job = {"bytes": int(rng.integers(0, 10**6)), "flops": int(rng.integers(0, 10**9))}
        job["kernels"] = int(rng.integers(1, 200))
        device = {"pinned": 12e9, "pageable": float(rng.uniform(1e9, 12e9)), "flops": 1e13}
        for name in ("copy", "kernel", "launch"):
            device[name] = 10 ** float(rng.uniform(-7, -4))
        for n in (1, int(rng.integers(2, 5000))):
            each = device["kernel"] + n * job["flops"] / (job["kernels"] * device["flops"])
            compute = job["kernels"] * max(each, device["launch"])
            for pinned in (False, True):
                rate = device["pinned"] if pinned else device["pageable"]
                total = device["copy"] + n * job["bytes"] / rate + compute
                got = call(times, n, job, device, pinned=pinned)
                same(got, (total, total), f"{what} {n}, {job}, {device}, pinned {pinned}")
    ### END HIDDEN TESTS


# %% tests="throughput" behaviour="overlap" points=2
@autograder.test
def _(rng):
    "With overlap the slower of copy and computation sets the period, from pinned memory only."
    job = {"bytes": 100, "flops": 1000, "kernels": 5}
    device = {"pinned": 50.0, "pageable": 25.0, "copy": 1.0, "flops": 400.0, "kernel": 0.5}
    device["launch"] = 2.0
    what = "latency and period of a batch of 8, overlap,"
    got = call(times, 8, job, device, pinned=True, overlap=True)
    same(got, (39.5, 22.5), f"{what} pinned")
    same(call(times, 8, job, device, overlap=True), (55.5, 55.5), f"{what} not pinned")
    ### BEGIN HIDDEN TESTS
    for _ in range(20):
        job = {"bytes": int(rng.integers(10**3, 10**6)), "flops": int(rng.integers(10**5, 10**9))}
        job["kernels"] = int(rng.integers(1, 200))
        device = {"pinned": 12e9, "pageable": float(rng.uniform(1e9, 12e9)), "flops": 1e13}
        for name in ("copy", "kernel", "launch"):
            device[name] = 10 ** float(rng.uniform(-7, -4))
        for n in (1, int(rng.integers(2, 5000))):
            each = device["kernel"] + n * job["flops"] / (job["kernels"] * device["flops"])
            compute = job["kernels"] * max(each, device["launch"])
            copy = device["copy"] + n * job["bytes"] / device["pinned"]
            got = call(times, n, job, device, True, True)
            same(
                got, (copy + compute, max(copy, compute)), f"batch of {n}, {job}, {device}, pinned"
            )
            copy = device["copy"] + n * job["bytes"] / device["pageable"]
            got = call(times, n, job, device, False, True)
            same(got, (copy + compute,) * 2, f"batch of {n}, {job}, {device}, not pinned")
    ### END HIDDEN TESTS


# %% tests="throughput" behaviour="best" points=3
@autograder.test
def _(rng):
    "`best_batch`: the smallest size within the budget that does `share` of the best; or None."
    job = {"bytes": 100, "flops": 1000, "kernels": 5}
    device = {"pinned": 50.0, "pageable": 25.0, "copy": 1.0, "flops": 400.0, "kernel": 0.5}
    device["launch"] = 2.0
    sizes = [64, 8, 1, 4, 2]
    same(pure(best_batch, sizes, 500.0, job, device), 8, f"the choice of {sizes} within 500 s")
    got = call(best_batch, sizes, 500.0, job, device, share=1.0)
    same(got, 64, f"the choice of {sizes} within 500 s, share 1")
    same(call(best_batch, sizes, 35.0, job, device), 4, f"the choice of {sizes} within 35 s")
    same(call(best_batch, sizes, 10.0, job, device), None, f"the choice of {sizes} within 10 s")
    ### BEGIN HIDDEN TESTS
    free = {"pinned": 1.0, "pageable": 1.0, "copy": 0.0, "flops": 1.0, "kernel": 0.0, "launch": 0.0}
    flat = {"bytes": 1, "flops": 1, "kernels": 1}
    got = call(best_batch, [4, 2, 8], 100.0, flat, free, share=1.0)
    same(got, 2, "the choice where all are equally good, share 1")
    same(call(best_batch, [8], 16.0, flat, free), 8, "one size, and a budget that is just enough")
    same(call(best_batch, [], 16.0, flat, free), None, "the choice of no sizes")
    for _ in range(40):
        job = {"bytes": int(rng.integers(10**3, 10**6)), "flops": int(rng.integers(10**5, 10**9))}
        job["kernels"] = int(rng.integers(1, 200))
        device = {"pinned": 12e9, "pageable": 6e9, "flops": 1e13}
        for name in ("copy", "kernel", "launch"):
            device[name] = 10 ** float(rng.uniform(-6, -3))
        pinned, overlap = (bool(flag) for flag in rng.integers(0, 2, size=2))
        sizes = np.unique((1.15 ** rng.integers(0, 60, size=25)).astype(int))
        sizes = rng.permutation(sizes).tolist()
        rates, latencies = {}, {}
        for n in sizes:
            each = device["kernel"] + n * job["flops"] / job["kernels"] / device["flops"]
            compute = job["kernels"] * max(each, device["launch"])
            copy = device["copy"] + n * job["bytes"] / device["pinned" if pinned else "pageable"]
            hidden = pinned and overlap
            rates[n] = n / (max(copy, compute) if hidden else copy + compute)
            latencies[n] = copy + compute
        for budget in (0.9 * min(latencies.values()), 1.001 * sorted(latencies.values())[5], 1e9):
            fits = {n: rates[n] for n in sizes if latencies[n] <= budget}
            enough = 0.9 * max(fits.values(), default=0.0)
            if min((abs(rate - enough) for rate in fits.values()), default=1.0) < 1e-9 * enough:
                continue  # rounding would decide
            good = [n for n in fits if fits[n] >= enough]
            got = call(best_batch, sizes, budget, job, device, pinned, overlap)
            what = (
                f"the choice of {sizes} within {budget:.6f} s, pinned {pinned}, overlap {overlap}"
            )
            same(got, min(good) if good else None, f"{what}, {job}, {device}")
    ### END HIDDEN TESTS


# %% [markdown]
# How good is the model? Here it is beside the ledger: a net of three layers on the simulated TITAN
# Xp, whose table has all the numbers that the model wants.

# %%
d = sim.DEVICES["titan-xp"]
titan = {"pinned": d.link_pinned, "pageable": d.link_pageable, "flops": d.fp32_flops}
titan |= {"copy": d.copy_latency, "kernel": d.kernel_overhead, "launch": d.launch_latency}
job = {"bytes": 4 * 1024, "flops": 3 * 2 * 1024 * 1024, "kernels": 3}
sizes = [2**k for k in range(13)]

if READY:
    deep = torch.nn.Sequential(*(torch.nn.Linear(1024, 1024, bias=False) for _ in range(3))).to(
        "sim"
    )
    print("  batch   your model   the ledger   samples a second")
    for n in (1, 16, 64, 256):
        rows = sim.pin_memory(torch.zeros(n, 1024))
        with torch.no_grad():
            deep(rows.to("sim"))
            torch.sim.synchronize()
            sim.reset()
            deep(rows.to("sim"))
        latency, period = times(n, job, titan, pinned=True)
        print(
            f"{n:7} {1e3 * latency:9.3f} ms {1e3 * sim.ledger().seconds:9.3f} ms {n / period:15.0f}"
        )

for words, flags in (
    ("pageable", {}), ("pinned", {"pinned": True}),
    ("overlapped", {"pinned": True, "overlap": True}),
):  # fmt: skip
    chosen = [best_batch(sizes, budget, job, titan, **flags) for budget in (1.0, 1e-3, 1e-4)]
    print(f"{words:10} within 1 s {chosen[0]}, within 1 ms {chosen[1]}, within 0.1 ms {chosen[2]}")

# %% [markdown]
# At batch 1 a layer has to fetch four megabytes of weights for one sample: it is memory bound,
# which your model does not know, and the first row shows it. From a batch of 64 on the model is
# close. Up to a batch of a few dozen a larger batch costs *hardly any time*: the kernels wait for
# their launch, or for their weights. That is why every framework wants batches. And it explains a
# disappointment: the small nets of lessons 01 to 07 do not become faster on a GPU. Nothing in
# them is large enough.
#
# The last lines choose a batch. With copies that overlap, a smaller one is nearly as good as any,
# since what it costs to copy is hidden. And a budget of 0.1 ms is a budget for 64 samples, however
# they are copied.

# %% [markdown]
# ## A kernel by hand
#
# (An extra, not graded. About half an hour; nothing later needs it.)
#
# What does it look like, the program that the card runs? You write what *one thread* does. The card
# runs it for thousands of them, in *blocks*, and each thread is told its block and its number
# therein. Here is such a machine in ten lines of Python. A kernel is a generator, and `yield` is a
# barrier: no thread of a block goes on until all have arrived.


# %% given="machine"
def launch(kernel, blocks, size, *arrays):
    """Run a kernel in `blocks` blocks of `size` threads, a block after the other, as CUDA may."""
    for block in np.ndindex(blocks):
        shared = {}  # memory of this block, which all its threads see
        running = [kernel(block, thread, size, shared, *arrays) for thread in np.ndindex(size)]
        while running:
            running = [one for one in running if next(one, "done") != "done"]


class Counted:
    """An array in the card's memory that counts how often it is read, and notes wrong places."""

    def __init__(self, array):
        self.array, self.reads = array, 0

    def __getitem__(self, place):
        if any(not 0 <= i < n for i, n in zip(np.atleast_1d(place), self.array.shape, strict=True)):
            raise IndexError(f"a thread reads at {place}, outside of {self.array.shape}")
        self.reads += 1
        return self.array[place]


# %% [markdown]
# **Map, and guard.** This kernel gives each thread one entry. There are ten entries and blocks of
# four, so three blocks, twelve threads. Run it. Which line is missing?


# %%
def relu_kernel(block, thread, size, shared, out, x):
    i = block[0] * size[0] + thread[0]
    out[i] = max(x[i], 0.0)
    yield


x = np.linspace(-1, 1, 10)
out = np.zeros(10)
try:
    launch(relu_kernel, (3,), (4,), out, Counted(x))
    print(out)
except IndexError as error:
    print("IndexError:", error)

# %% [markdown]
# <details><summary>The guard</summary>
#
# `if i < len(out):` before the line that computes. The number of threads is a multiple of the
# block's size, the number of entries is not. Here you got an error. A card has none to give: it
# writes into whatever comes next in memory.
#
# </details>
#
# **Tile.** A matrix product with one thread for each entry of the result reads a row and a column,
# all from the card's slow memory, and its neighbors read the same. The threads of a block can
# share instead: each fetches one entry of a tile into *shared memory*, all wait, and all compute
# with the tile. This is what cuBLAS does, in several layers, and what the Tensor Core of the next
# section is made for.


# %%
def product_kernel(block, thread, size, shared, out, a, b):
    (i, j), tile = thread, size[0]
    row, column = block[0] * tile + i, block[1] * tile + j
    total = 0.0
    for p in range(a.array.shape[1]):
        total += a[row, p] * b[p, column]
    out[row, column] = total
    yield


def tiled_kernel(block, thread, size, shared, out, a, b):
    (i, j), tile = thread, size[0]
    row, column = block[0] * tile + i, block[1] * tile + j
    total = 0.0
    for start in range(0, a.array.shape[1], tile):
        shared["a", i, j], shared["b", i, j] = a[row, start + j], b[start + i, column]
        yield  # nobody computes before the whole tile is there
        total += sum(shared["a", i, p] * shared["b", p, j] for p in range(tile))
        yield  # and nobody overwrites it while others compute
    out[row, column] = total


# %%
a, b = np.random.default_rng(0).standard_normal((2, 16, 16))
for kernel, tile in ((product_kernel, 4), (tiled_kernel, 2), (tiled_kernel, 4), (tiled_kernel, 8)):
    left, right, out = Counted(a), Counted(b), np.zeros((16, 16))
    launch(kernel, (16 // tile, 16 // tile), (tile, tile), out, left, right)
    right_result = np.allclose(out, a @ b)
    print(
        f"{kernel.__name__:14} tile {tile}: right {right_result}, {left.reads + right.reads} reads"
    )

# %% [markdown]
# A tile of t × t divides the reads by t. That moves a kernel to the right under the roofline, from
# memory bound to compute bound, with the same arithmetic. Delete the second `yield` of the loop,
# and the result is wrong; delete the first, and a thread asks for what is not there yet.
#
# CUDA and OpenCL have different words for all of this, and mean the same:
#
# | here | CUDA | OpenCL |
# |---|---|---|
# | a kernel | `__global__ void f(...)` | `__kernel void f(...)` |
# | thread, block | thread, block | work-item, work-group |
# | `block * size + thread` | `blockIdx.x * blockDim.x + threadIdx.x` | `get_global_id(0)` |
# | `shared` | `__shared__` | `__local` |
# | `yield` | `__syncthreads()` | `barrier(CLK_LOCAL_MEM_FENCE)` |
# | `launch(f, blocks, size, x)` | `f<<<blocks, size>>>(x)` | `clEnqueueNDRangeKernel(...)` |
# | a copy to the card | `cudaMemcpy` | `clEnqueueWriteBuffer` |
# | a stream | stream | command queue |
# | 32 threads in step | warp | sub-group |
# | an SM | streaming multiprocessor | compute unit |
#
# In CUDA C the first kernel is
#
# ```c
# __global__ void relu(float *out, const float *x, int n) {
#     int i = blockIdx.x * blockDim.x + threadIdx.x;
#     if (i < n) out[i] = fmaxf(x[i], 0.0f);
# }
# relu<<<(n + 255) / 256, 256>>>(out, x, n);
# ```
#
# and with [Numba](https://numba.readthedocs.io/en/stable/cuda/simulator.html) one may write it in
# Python, for a card, or for its own simulator, which the next cell uses where Numba is installed.

# %%
import os

os.environ.setdefault("NUMBA_ENABLE_CUDASIM", "1")
try:
    from numba import cuda
except ImportError:
    print("Numba is not installed here, and nothing else needs it: pip install numba")
else:

    @cuda.jit
    def relu_of_numba(out, x):
        i = cuda.grid(1)
        if i < x.size:
            out[i] = max(x[i], 0.0)

    x = np.linspace(-1, 1, 10)
    out = np.zeros(10)
    relu_of_numba[3, 4](out, x)
    print(out.round(2).tolist())

# %% [markdown]
# ## Half the bits
#
# Everything so far moved float32, four bytes a number. With two bytes a number all copies are twice
# as fast, everything memory bound is twice as fast, and Tensor Cores do the products fifteen times
# as fast: that is the difference between 67 and 989 TFLOP/s. What does it cost?
#
# A float16 has 11 binary digits and goes from 6·10⁻⁸ to 65504:

# %%
with np.errstate(over="ignore"):
    for words, value in (
        ("2048 + 1", np.float16(2048) + np.float16(1)),
        ("300 · 300", np.float16(300) * np.float16(300)),
        ("a gradient of 1e-8", np.float16(1e-8)),
        ("0.1", np.float16(0.1)),
    ):
        print(f"{words:20} {float(value):.8g}")


# %% [markdown]
# The first two are solved by the Tensor Core itself. It takes float16, but multiplies exactly (the
# product of two numbers with 11 digits has 22, and a float32 holds 24) and adds in float32. So
# 300 · 300 is 90000, and long sums do not get stuck at 2048. Only the inputs are rounded. Here you
# write that, first the unit, then a product of any size made of it: how cuBLAS sees the world, in
# tiles of 4×4.

# %% [markdown] prompt="tensor_core"
# ### Exercise 7: a Tensor Core
#
# `mma(a, b, c)` ("matrix multiply and accumulate") is what the unit does: `a` and `b` are float16
# and `c` float32, all of shape (4, 4). Return a·b + c as a new float32 array: the products and the
# sums are computed in float32.
#
# `tiled(a, b, unit)` returns the product of `a`, (m, k), and `b`, (k, n), float32 arrays of any
# lengths from 1 on, as float32 of shape (m, n). It does all arithmetic with the function `unit`,
# which is called as `mma` is, with three arrays of shape (4, 4) and the dtypes above.
#
# * The inputs are rounded to float16 first, all else is float32.
# * Lengths that 4 does not divide are filled up with zeros.
# * Each tile of the result is accumulated over the tiles along k: it begins with zeros, and what
#   `unit` returned goes back in as `c`. So `unit` is called ⌈m/4⌉ · ⌈k/4⌉ · ⌈n/4⌉ times.
# * The arguments are unchanged.
#
# Allowed is NumPy. (The check gives you a unit of its own, counts its calls, and looks at what it
# gets.)

# %% [markdown] hint="tensor_core"
# `a.astype(np.float32) @ b.astype(np.float32)`, and not `(a @ b).astype(np.float32)`: in the second
# the sum has been rounded to float16 before. For `tiled` make arrays of zeros, of lengths that are
# multiples of four, and write the inputs into a corner.

# %% [markdown] hint="tensor_core"
# ```
#            k = 8                   n = 4
#        ┌──────┬──────┐          ┌──────┐             tile of the result:
#        │ a00  │ a01  │          │ b0   │             c = zeros
# m = 8  ├──────┼──────┤   times  ├──────┤   k = 8     c = unit(a10, b0, c)
#        │ a10  │ a11  │          │ b1   │             c = unit(a11, b1, c)
#        └──────┴──────┘          └──────┘
# ```

# %% [markdown] hint="tensor_core"
# ```python
# (m, k), n = a.shape, b.shape[1]
# up = lambda length: -(-length // 4) * 4           # the next multiple of four
# left = np.zeros((up(m), up(k)), np.float16)
# left[:m, :k] = a
# ...                                               # the same for b
# result = np.zeros(..., np.float32)
# for i in range(0, up(m), 4):
#     for j in range(0, up(n), 4):
#         c = ...
#         for p in range(0, up(k), 4):
#             c = unit(left[i:i + 4, p:p + 4], ..., c)
#         result[i:i + 4, j:j + 4] = c
# return ...
# ```


# %% exercise="tensor_core" minutes=20 difficulty=2 importance=3 allow="numpy"
def mma(a, b, c):
    """Return a·b + c of 4×4 matrices: float16 inputs, float32 products and sums."""
    ### BEGIN SOLUTION
    return a.astype(np.float32) @ b.astype(np.float32) + c
    ### END SOLUTION


def tiled(a, b, unit):
    """Return the product of two float32 matrices, computed by a 4×4 unit in half precision."""
    ### BEGIN SOLUTION
    (m, k), n = a.shape, b.shape[1]
    rows, inner, columns = (-(-length // 4) * 4 for length in (m, k, n))
    left, right = np.zeros((rows, inner), np.float16), np.zeros((inner, columns), np.float16)
    left[:m, :k], right[:k, :n] = a, b
    result = np.zeros((rows, columns), np.float32)
    for i in range(0, rows, 4):
        for j in range(0, columns, 4):
            for p in range(0, inner, 4):
                tile = result[i : i + 4, j : j + 4]
                left_tile, right_tile = left[i : i + 4, p : p + 4], right[p : p + 4, j : j + 4]
                tile[...] = unit(left_tile, right_tile, tile.copy())
    return result[:m, :n]
    ### END SOLUTION


# %% tests="tensor_core" behaviour="unit" points=2
@autograder.test
def _(rng):
    "`mma` multiplies and adds in float32, so that nothing overflows and nothing gets stuck."
    ones, zeros = np.ones((4, 4), np.float16), np.zeros((4, 4), np.float32)
    got = call(mma, 300 * ones, 300 * ones, zeros)
    same(got, np.full((4, 4), 360000.0, np.float32), "300 times 300, four times")
    got = call(mma, ones, ones, np.full((4, 4), 2048.0, np.float32))
    same(got, np.full((4, 4), 2052.0, np.float32), "2048 and four times 1")
    ### BEGIN HIDDEN TESTS
    for size in (1e-3, 1.0, 30.0, 250.0):
        a, b = (np.float16(size * rng.normal(size=(4, 4))) for _ in "ab")
        c = np.float32(100 * size**2 * rng.normal(size=(4, 4)))
        exact = a.astype(float) @ b.astype(float) + c
        got = pure(mma, a, b, c)
        same(got, np.float32(exact), "a·b + c", rtol=1e-5, atol=1e-4 * size**2)
    whole = np.float16(rng.integers(-500, 500, size=(2, 4, 4)))
    c = np.float32(rng.integers(-(10**6), 10**6, size=(4, 4)))
    exact = np.float32(whole[0].astype(float) @ whole[1].astype(float) + c)
    same(call(mma, *whole, c), exact, "a·b + c of whole numbers", rtol=0, atol=0)
    ### END HIDDEN TESTS


# %% tests="tensor_core" behaviour="tiles" points=3
@autograder.test
def _(rng):
    "`tiled` multiplies matrices of any lengths, inputs rounded to float16, all else in float32."

    def unit(a, b, c):
        return a.astype(np.float32) @ b.astype(np.float32) + c

    a, b = np.arange(6, dtype=np.float32).reshape(2, 3), np.ones((3, 5), np.float32)
    expected = np.float32([[3] * 5, [12] * 5])
    same(call(tiled, a, b, callback(unit)), expected, "(2, 3) times (3, 5)")
    long = np.ones((1, 2052), np.float32)
    got = call(tiled, long, long.T.copy(), callback(unit))
    same(got, np.float32([[2052]]), "a sum of 2052 ones")
    ### BEGIN HIDDEN TESTS

    @beside
    def run(a, b, unit):
        return tiled(a, b, unit), a, b

    for m, k, n in ((1, 1, 1), (4, 4, 4), (8, 12, 4), (5, 7, 9), (3, 17, 6), (12, 4, 8)):
        for size in (1e-2, 1.0, 200.0):
            a = np.float32(size * rng.normal(size=(m, k)))
            b = np.float32(size * rng.normal(size=(k, n)))
            exact = np.float16(a).astype(float) @ np.float16(b).astype(float)
            got = run(a, b, callback(unit))
            what = f"{m, k} times {k, n}, rounded to float16 before; and the arguments afterwards"
            same(got, (np.float32(exact), a, b), what, rtol=1e-5, atol=1e-5 * k * size**2)
    ### END HIDDEN TESTS


# %% tests="tensor_core" behaviour="calls" points=2
@autograder.test
def _(rng):
    "The unit does it all: 4×4 tiles of the right dtypes, each once, and the sum goes back in."
    seen, begun = [], []

    def unit(a, b, c):
        seen.append([(part.shape, part.dtype.name) for part in (a, b, c)])
        begun.append(int(np.count_nonzero(c)))
        return a.astype(np.float32) @ b.astype(np.float32) + c + np.float32(1)

    due = [((4, 4), "float16"), ((4, 4), "float16"), ((4, 4), "float32")]
    a, b = np.ones((2, 6), np.float32), np.ones((6, 3), np.float32)
    got = call(tiled, a, b, callback(unit))
    same(got, np.full((2, 3), 8.0, np.float32), "a unit that adds 1 in each call: 6 + 2 calls")
    require(seen == [due] * 2, f"expected two calls of the unit with {due}, came {seen}")
    require(
        begun.count(0) == 1,
        f"expected one of the two calls to begin with zeros, came {begun.count(0)}",
    )
    ### BEGIN HIDDEN TESTS
    for m, k, n in ((4, 4, 4), (9, 3, 5), (5, 16, 4), (1, 30, 13), (8, 8, 12)):
        seen.clear(), begun.clear()
        a, b = (np.float32(rng.integers(-9, 9, size=shape)) for shape in ((m, k), (k, n)))
        a[:4, 4:8] = 0  # a tile of zeros is one more call, too
        got = call(tiled, a, b, callback(unit))
        depth = -(-k // 4)
        same(
            got,
            a @ b + np.float32(depth),
            f"{m, k} times {k, n}, by a unit that adds 1 in each call",
        )
        count = -(-m // 4) * depth * -(-n // 4)
        require(len(seen) == count, f"expected {count} calls of the unit, came {len(seen)}")
        require(seen == [due] * count, f"expected the unit to get {due} each time")
        tiles = count // depth
        require(
            begun.count(0) == tiles,
            f"expected {tiles} calls with zeros as c, came {begun.count(0)}",
        )
    ### END HIDDEN TESTS


# %% [markdown]
# What is left is the third line of the list: a gradient of 1e-8 is 0. No unit can repair that,
# since it happens when the gradient is stored. And it is not rare. In the detector Multibox SSD,
# says [NVIDIA's guide](https://docs.nvidia.com/deeplearning/sdk/mixed-precision-training/) to mixed
# precision, two thirds of the activations' gradients were 0 anyway, another 31 percent became 0 in
# float16, and the training diverged.
#
# [Micikevicius and others](https://arxiv.org/abs/1710.03740) found a remedy of one line in 2017.
# The chain rule is linear, so **multiply the loss by 65536, and every gradient
# is 65536 times larger**. None of them is lost, and before the update they are divided again, in
# float32. The weights are kept in float32 too (*master weights*), because a step of 1e-4 on a
# weight of 1 is lost in float16 as well.
#
# How large may the factor be? If it is too large, gradients become infinite, and that one can see.
# So try: whenever an infinity or a NaN comes, leave out the step and halve the factor. When all
# went well for 2000 steps, double it.

# %% [markdown] prompt="loss_scaling"
# ### Exercise 8: loss scaling
#
# Write the class `LossScaler(scale=65536.0, interval=2000)`.
#
# * The attribute `scale` is the factor with which the next loss is to be multiplied, a float.
# * `step(grads, update)` gets `grads`, a list of float16 or float32 arrays of any shape, each of
#   them the gradient of the scaled loss for one weight. If all their numbers are finite, it calls
#   `update` once with the list of the true gradients: new float32 arrays, which `update` may
#   change, converted first and divided by `scale` then. It returns True.
# * If a single number in them is infinite or NaN, `update` is not called, `scale` is halved at
#   once, and it returns False.
# * After `interval` steps in a row without such a failure, and after the last of their updates,
#   `scale` is doubled, and counting begins anew. After a failure it begins anew as well.
# * `grads` is unchanged. Two scalers do not disturb each other.
#
# Allowed is NumPy.

# %% [markdown] hint="loss_scaling"
# `np.isfinite(g).all()` is False for infinities and NaN. All gradients have to be looked at before
# the first is used: a step is taken by all weights or by none.

# %% [markdown] hint="loss_scaling"
# ```
# interval 2            scale    finite?   returns   update gets       next scale
# step 1   [8.0]        8        yes       True      [1.0]             8
# step 2   [16.0]       8        yes       True      [2.0]             16
# step 3   [inf]        16       no        False     is not called     8
# step 4   [8.0]        8        yes       True      [1.0]             8
# ```

# %% [markdown] hint="loss_scaling"
# ```python
# def step(self, grads, update):
#     if not all(... for g in grads):
#         self.scale ...
#         self.good = 0
#         return False
#     update([... for g in grads])
#     self.good += 1
#     if self.good == self.interval:
#         ...
#     return True
# ```


# %% exercise="loss_scaling" minutes=15 difficulty=2 importance=4 allow="numpy"
class LossScaler:
    """Keep small gradients alive in float16: scale the loss, unscale the gradients."""

    def __init__(self, scale=65536.0, interval=2000):
        ### BEGIN SOLUTION
        self.scale, self.interval, self.good = scale, interval, 0
        ### END SOLUTION

    def step(self, grads, update):
        ### BEGIN SOLUTION
        if not all(np.isfinite(g).all() for g in grads):
            self.scale /= 2
            self.good = 0
            return False
        update([g.astype(np.float32) / np.float32(self.scale) for g in grads])
        self.good += 1
        if self.good == self.interval:
            self.scale *= 2
            self.good = 0
        return True
        ### END SOLUTION


# %% tests="loss_scaling" behaviour="unscaled" points=2
@autograder.test
def _(rng):
    "`update` gets the true gradients in float32, converted and then divided; True comes back."
    got = []

    @beside
    def run(scale, interval, grads, update):
        def step_in_place(true):
            update(true)
            for g in true:
                g -= 1

        scaler = LossScaler(scale, interval)
        return scaler.step(grads, step_in_place), scaler.scale, grads

    grads = [np.float16([0.5, -2.0]), np.float16([[6e-8]])]
    answer = run(65536.0, 2, grads, callback(got.append))
    same(answer, (True, 65536.0, grads), "what step returned, the scale, and the given gradients")
    true = [np.float32([0.5 / 65536, -2 / 65536]), np.float32([[2.0**-24 / 65536]])]
    same(got, [true], "what update was called with", rtol=1e-6, atol=0)
    ### BEGIN HIDDEN TESTS
    for kind in (np.float16, np.float32):
        for scale in (1.0, 8.0, 2.0**24):
            for interval, after in ((2000, scale), (1, 2 * scale)):
                shapes = [(), (3,), (2, 4), (0,), (1, 1)]
                grads = [np.asarray(rng.normal(size=shape) * 1e-3).astype(kind) for shape in shapes]
                grads += [np.array([60000.0, -6e-8, 0.0], kind), np.array([60000.0] * 4, kind)]
                got.clear()
                answer = run(scale, interval, grads, callback(got.append))
                same(answer, (True, after, grads), "what step returned, the scale, the gradients")
                true = [np.float32(g.astype(float) / scale) for g in grads]
                what = f"what update was called with, scale {scale:g}"
                same(got, [true], what, rtol=1e-6, atol=0)
    ### END HIDDEN TESTS


# %% tests="loss_scaling" behaviour="skips" points=2
@autograder.test
def _(rng):
    "One infinite or NaN gradient anywhere: no update, half the scale, False."
    got = []

    @beside
    def run(scale, steps, update):
        scaler = LossScaler(scale)
        return [(scaler.step(grads, update), scaler.scale) for grads in steps]

    one, inf = np.float16([1.0]), np.float16([np.inf])
    answer = run(8.0, [[one, inf], [one, one]], callback(got.append))
    same(answer, [(False, 4.0), (True, 4.0)], "for two steps: what step returned, and the scale")
    same(got, [[np.float32([0.25])] * 2], "what update was called with")
    ### BEGIN HIDDEN TESTS
    for bad in (np.inf, -np.inf, np.nan):
        for kind in (np.float16, np.float32):
            for place in (0, 1, 2):
                grads = [rng.normal(size=shape).astype(kind) for shape in ((3,), (2, 2), (1, 4))]
                grads[place].flat[int(rng.integers(grads[place].size))] = bad
                good = [rng.normal(size=(2,)).astype(kind)]
                got.clear()
                answer = run(64.0, [grads, grads, good], callback(got.append))
                due = [(False, 32.0), (False, 16.0), (True, 16.0)]
                same(answer, due, "for three steps: what step returned, and the scale")
                same(got, [[np.float32(good[0]) / np.float32(16)]], "what update got", rtol=1e-6)
    got.clear()
    answer = run(1.0, [[inf, -inf, inf], [one * np.nan] * 2, [one]], callback(got.append))
    same(answer, [(False, 0.5), (False, 0.25), (True, 0.25)], "two bad steps, each halves once")
    same(got, [[np.float32([4.0])]], "what update got")
    ### END HIDDEN TESTS


# %% tests="loss_scaling" behaviour="grows" points=2
@autograder.test
def _(rng):
    "After `interval` good steps in a row the scale doubles; a failure begins the count anew."

    @beside
    def run(scale, interval, steps, other):
        import numpy as np

        scaler, second = LossScaler(scale, interval), LossScaler(interval=1)
        path = []
        for g in steps:
            scaler.step([np.float16([g])], lambda grads: None)
            path.append(scaler.scale)
            if other:
                second.step([np.float16([1.0])], lambda grads: None)
        return path

    inf = float("inf")
    what = "the scale after each step"
    got = run(8.0, 2, [8.0, 16.0, inf, 8.0], False)
    same(got, [8.0, 16.0, 8.0, 8.0], f"{what}: good, good, infinite, good; interval 2")
    ### BEGIN HIDDEN TESTS
    for interval in (1, 2, 3, 5):
        for other in (False, True):
            steps = np.where(rng.random(40) < 0.2, inf, 1.0).tolist()
            scale, good, path = 1024.0, 0, []
            for g in steps:
                good = 0 if g == inf else good + 1
                scale = scale / 2 if g == inf else scale * (2 if good == interval else 1)
                good %= interval
                path.append(scale)
            same(run(1024.0, interval, steps, other), path, f"{what}, interval {interval}")
    path = [65536.0] * 1999 + [131072.0]

    @beside
    def many(n):
        import numpy as np

        scaler, path = LossScaler(), []
        for _ in range(n):
            scaler.step([np.float16([1.0])], lambda grads: None)
            path.append(scaler.scale)
        return path

    same(many(2000), path, f"{what}, with nothing given")
    ### END HIDDEN TESTS


# %% [markdown]
# Does it matter? Here is a line of the kind that image models have: a loss that is the mean over a
# million pixels, so that gradients are divided by a million. It is trained with float32 throughout;
# with float16 and master weights in float32, but no scaling; with your scaler; and with your scaler
# begun far too high.


# %%
def descend(kind, scaler, steps=300):
    """Fit a linear map with `kind` for all but the weights; return losses and steps left out."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((256, 50)).astype(kind)
    y = (x @ (rng.standard_normal((50, 10)) / 10)).astype(kind)
    master, losses, skipped, pixels = np.zeros((50, 10), np.float32), [], 0, 2.0**20

    def update(grads):
        master[...] -= np.float32(0.2 * pixels / 256) * grads[0]

    for _step in range(steps):
        gap = x @ master.astype(kind) - y
        losses.append(float(np.square(gap, dtype=np.float32).mean()))
        upstream = gap * kind(scaler.scale * 2 / pixels)
        with np.errstate(over="ignore", invalid="ignore"):
            skipped += not scaler.step([x.T @ upstream], update)
    return losses, skipped


# %%
for words, kind, scaler in (
    ("float32", np.float32, LossScaler(1.0, 10**9)),
    ("float16, no scaling", np.float16, LossScaler(1.0, 10**9)),
    ("float16, scaled", np.float16, LossScaler()),
    ("float16, begun at 2³²", np.float16, LossScaler(2.0**32, 50)),
):
    losses, skipped = descend(kind, scaler)
    shown = "  ".join(f"{losses[step]:.0e}" for step in (0, 20, 100, 299))
    print(f"{words:22} loss {shown}   left out {skipped}, scale at the end {scaler.scale:g}")

# %% [markdown]
# Without scaling it learns until the gaps are small, and then stands still: a gap of 0.01 gives a
# gradient that a float16 rounds to 0. With scaling it comes a thousand times further, to where
# float16 *inputs* end. And a bad first guess costs four steps.
#
# (Today many use bfloat16 instead, which has the range of float32 and only 8 binary digits. It
# needs no scaling. It is a trade: digits for range.)

# %% [markdown]
# ## The thirty lines
#
# What this idea changed in the lecture's program, written with PyTorch:
#
# ```diff
# +device = "cuda" if torch.cuda.is_available() else "cpu"
# -x, y = torch.randn(N, D_in), torch.randn(N, D_out)
# -model = TwoLayerNet(D_in, H, D_out)
# +x, y = torch.randn(N, D_in, device=device), torch.randn(N, D_out, device=device)
# +model = TwoLayerNet(D_in, H, D_out).to(device)
#  optimizer = torch.optim.SGD(model.parameters(), lr=1e-6)
#  for step in range(500):
#      loss = (model(x) - y).square().sum()
# -    print(step, loss.item())
# +    losses.append(loss.detach())
#      optimizer.zero_grad()
#      loss.backward()
#      optimizer.step()
# +print(torch.stack(losses).tolist())
# ```
#
# Three lines to move, one not to wait. No line of the arithmetic changed, and that is the third of
# the lecture's three reasons for a framework: "run it all efficiently on GPU".
#
# ## What it bought, what it cost
#
# | | it bought | it cost |
# |---|---|---|
# | a device of its own | ten times the arithmetic, five times the bandwidth | a road to it |
# | an asynchronous device | the host prepares meanwhile | errors and times show up late |
# | moving once | a third of the time here, the same numbers | memory on the card, which has 12 GB |
# | streams, events, pinned memory | copies for nothing | an order that nobody checks but you |
# | large batches | no waiting for launches | latency |
# | float16 | half the bytes, products fifteen times as fast | a range to watch over |
# | cuDNN | a factor of 2.8 | one maker's cards |
#
# ## What history did with it
#
# * **2004** [Oh and Jung](https://doi.org/10.1016/j.patcog.2004.01.013) run a neural net on an ATI
#   card, by disguising matrix products as drawing. **2007** NVIDIA publishes CUDA, and no disguise
#   is needed. **2008** OpenCL.
# * **2009** [Raina, Madhavan and Ng](https://doi.org/10.1145/1553374.1553486): deep belief nets up
#   to 70 times faster on a GPU. "70 times" met the same objection as 66: the CPU's side could be
#   tuned, too. [Lee and others](https://doi.org/10.1145/1815961.1816021), of Intel, did so in 2010,
#   and found a factor of 2.5 on average over fourteen kernels.
# * **2012** AlexNet wins ImageNet, trained for five to six days on two GTX 580 cards with 3 GB
#   each. Its net is split in two because it did not fit into one.
# * **2014** [cuDNN](https://arxiv.org/abs/1410.0759). From now on every framework calls the same
#   convolutions, and frameworks differ in everything else.
# * **2016** Google's TPU, an accelerator without graphics. **2017** Tensor Cores; [mixed-precision
#   training](https://arxiv.org/abs/1710.03740).
# * **Frameworks.** Theano (2010) moved arrays to the card by a flag, one for the whole program.
#   Caffe had a line in the solver, `solver_mode: GPU`. Torch7 had `:cuda()`, from which PyTorch
#   has its `.cuda()`. TensorFlow places each node of a graph by itself (`with
#   tf.device("/gpu:0")`), and copies where an edge crosses from one device to another, without
#   being asked.

# %% [markdown]
# ## Now in PyTorch and TensorFlow
#
# Not graded. First your loss scaler, beside `torch.amp.GradScaler` and the one in Keras: the same
# gradients, some of them infinite, and the scale after each step. Then your FLOPs, beside those
# that PyTorch counts. (TensorFlow says a few lines about your machine when it is imported.)

# %%
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
try:
    import tensorflow as tf
except ImportError:
    tf = None
    print("TensorFlow", HOW)

bad = {4, 5, 11, 20}  # the steps whose gradient is infinite
stream = [np.float32([np.inf if step in bad else 1.0]) for step in range(30)]


# %%
def scales_of_torch(scale, interval):
    """Return the scale after each step of torch.amp.GradScaler."""
    w = torch.zeros(1, requires_grad=True)
    optimizer, path = torch.optim.SGD([w], lr=0.0), []
    scaler = torch.amp.GradScaler("cpu", init_scale=scale, growth_interval=interval)
    for g in stream:
        scaler.scale(torch.zeros(()))  # a loss would be here
        w.grad = torch.tensor(g)
        scaler.step(optimizer)
        scaler.update()
        path.append(scaler.get_scale())
    return path


def scales_of_keras(scale, interval):
    """Return the scale after each step of Keras's LossScaleOptimizer."""
    w, path = tf.Variable(np.zeros(1, np.float32)), []
    optimizer = tf.keras.mixed_precision.LossScaleOptimizer(
        tf.keras.optimizers.SGD(0.0), initial_scale=scale, dynamic_growth_steps=interval
    )
    for g in stream:
        optimizer.apply_gradients([(tf.constant(g), w)])
        path.append(float(optimizer.scale_loss(tf.constant(1.0))))
    return path


# %%
mine, scaler = [], LossScaler(1024.0, 3)
for g in stream:
    scaler.step([g], lambda grads: None)
    mine.append(scaler.scale)
print("your scaler  ", *(f"{scale:.0f}" for scale in mine))
if torch:
    print(
        "PyTorch's    ",
        "the same" if scales_of_torch(1024.0, 3) == mine else scales_of_torch(1024.0, 3),
    )
if tf:
    print(
        "Keras's      ",
        "the same" if scales_of_keras(1024.0, 3) == mine else scales_of_keras(1024.0, 3),
    )

if torch:
    from torch.utils.flop_counter import FlopCounterMode

    shapes = {"matmul": [(64, 1000), (1000, 100)], "conv2d": [(2, 3, 20, 30), (8, 3, 3, 3)]}
    run = {"matmul": torch.matmul, "conv2d": torch.nn.functional.conv2d}
    for name, pair in shapes.items():
        with FlopCounterMode(display=False) as counter:
            run[name](*(torch.zeros(shape) for shape in pair))
        print(f"{name:8} your FLOPs {work(name, *pair)[0]}, PyTorch's {counter.get_total_flops()}")

# %% [markdown]
# Which device does each framework use here, and what does it do when two devices meet? PyTorch
# refuses, as you saw. TensorFlow copies, silently. (In the ledger of exercise 2 you saw what silent
# copies cost.)

# %%
pin = {"sim": sim.pin_memory, "cuda": lambda tensor: tensor.pin_memory()}
for name, (synchronize, clock) in places().items():
    for words, n in (("1 KB", 2**8), ("16 MB", 2**22)) if name != "cpu" else ():
        sources = {"pageable": torch.zeros(n)}
        if name in pin:
            sources["pinned"] = pin[name](torch.zeros(n))
        for kind, tensor in sources.items():
            seconds = measure(
                lambda tensor=tensor, to=name, pinned=kind == "pinned": tensor.to(
                    to, non_blocking=pinned
                ),
                synchronize,
                clock,
            )
            rate = 4 * n / seconds / 1e9
            print(
                f"{name}: {words:5} from {kind:8} memory {1e6 * seconds:9.1f} µs, {rate:6.2f} GB/s"
            )
if tf:
    print("TensorFlow has", [device.name for device in tf.config.list_logical_devices()])
    product = tf.ones((64, 1000)) @ tf.ones((1000, 100))
    print("a product was computed on", product.device.split("/")[-1])

# %% [markdown]
# The card no longer holds a secret: it is a second computer, far away, that does what it is told in
# the order in which it is told, and somebody has to plan what it is told. In PyTorch that is you,
# line by line. The next lesson builds the other answer: say everything first, as a graph, and let
# the framework plan.
