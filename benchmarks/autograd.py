"""How fast is the library? Five workloads, each as a ratio to PyTorch eager, on one core.

    python benchmarks/autograd.py [--json] [--quick] [--only W1 W4] [--contestants NAME ...]

Each block of a contestant is timed between two blocks of PyTorch; its ratio is to their mean, and
what is printed is the median ratio. Time is CPU time of this process, so that other load on the
machine counts little. A step is forward, backward and update, in float32.

W1  the lecture's two-layer net, 64 x 1000 x 100 x 10
W2  a perceptron 784-256-128-10, batch 128, cross-entropy, momentum
W3  a LeNet-like convnet on 28 x 28 images, batch 64
W4  a chain of 1,000 operations on 8 numbers
W5  a tanh RNN: 100 steps, hidden 64, batch 16
"""

from __future__ import annotations

import os
import sys

for variable in ("OMP", "OPENBLAS", "MKL", "VECLIB"):
    os.environ[f"{variable}_NUM_THREADS"] = "1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:] = [p for p in sys.path if os.path.abspath(p or ".") != HERE]  # a peer has our name
sys.path.insert(0, os.path.dirname(HERE))

import argparse  # noqa: E402
import gc  # noqa: E402
import importlib.util  # noqa: E402
import itertools  # noqa: E402
import json  # noqa: E402
import statistics  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable  # noqa: E402
from typing import Any  # noqa: E402

import numpy as np  # noqa: E402

Step = Callable[[], Any]
Arrays = dict[str, np.ndarray]


# ----------------------------------------------------------------------------- the five workloads


def numbers(*shape: int, scale: float = 1.0, seed: int = 0) -> np.ndarray:
    """Return normal random numbers in float32."""
    return (scale * np.random.default_rng(seed).normal(size=shape)).astype(np.float32)


class Workload:
    """Parameters as arrays, a loss in terms of a kit's operations, and how to update."""

    rate, momentum = 1e-6, 0.0
    data: Arrays
    params: Arrays

    def loss(self, k: Any, d: Any, p: Any) -> Any:
        """Return the loss of the data `d` for the parameters `p`."""
        raise NotImplementedError


class W1(Workload):
    """The lecture's two-layer net."""

    def __init__(self) -> None:
        self.data = {"x": numbers(64, 1000, seed=1), "y": numbers(64, 10, seed=2)}
        self.params = {"a": numbers(1000, 100, seed=3), "b": numbers(100, 10, seed=4)}

    def loss(self, k: Any, d: Any, p: Any) -> Any:
        """Return the squared error."""
        away = k.relu(d["x"] @ p["a"]) @ p["b"] - d["y"]
        return k.sum(away * away)


class W2(Workload):
    """A perceptron with momentum."""

    rate, momentum = 0.01, 0.9
    sizes = (784, 256, 128, 10)

    def __init__(self) -> None:
        labels = np.random.default_rng(0).integers(0, 10, 128)
        self.data = {"x": numbers(128, 784), "y": labels}
        self.params = {}
        for i, (n, m) in enumerate(itertools.pairwise(self.sizes)):
            self.params[f"w{i}"] = numbers(n, m, scale=n**-0.5, seed=i)
            self.params[f"b{i}"] = np.zeros(m, np.float32)

    def loss(self, k: Any, d: Any, p: Any) -> Any:
        """Return the cross-entropy."""
        h = k.relu(d["x"] @ p["w0"] + p["b0"])
        h = k.relu(h @ p["w1"] + p["b1"])
        return k.cross_entropy(h @ p["w2"] + p["b2"], d["y"])


class W3(Workload):
    """A LeNet-like convnet."""

    rate = 0.01

    def __init__(self) -> None:
        labels = np.random.default_rng(0).integers(0, 10, 64)
        self.data = {"x": numbers(64, 1, 28, 28), "y": labels}
        shapes: dict[str, tuple[int, ...]] = {"c0": (6, 1, 5, 5), "c1": (16, 6, 5, 5)}
        shapes |= {"w0": (400, 120), "w1": (120, 84), "w2": (84, 10)}
        self.params = {
            name: numbers(*s, scale=(10 / np.prod(s)) ** 0.5, seed=i)
            for i, (name, s) in enumerate(shapes.items())
        }
        lengths = {"d0": 6, "d1": 16, "b0": 120, "b1": 84, "b2": 10}
        self.params |= {name: np.zeros(n, np.float32) for name, n in lengths.items()}

    def loss(self, k: Any, d: Any, p: Any) -> Any:
        """Return the cross-entropy."""
        h = k.pool(k.relu(k.conv(d["x"], p["c0"], p["d0"], 2)))
        h = k.pool(k.relu(k.conv(h, p["c1"], p["d1"], 0)))
        h = k.reshape(h, (64, 400))
        h = k.relu(h @ p["w0"] + p["b0"])
        h = k.relu(h @ p["w1"] + p["b1"])
        return k.cross_entropy(h @ p["w2"] + p["b2"], d["y"])


class W4(Workload):
    """A chain of tiny operations."""

    def __init__(self) -> None:
        self.data = {"c": numbers(8, seed=1)}
        self.params = {"w": numbers(8, seed=2)}

    def loss(self, k: Any, d: Any, p: Any) -> Any:
        """Return the sum after 1,000 operations."""
        h, w, c = p["w"], p["w"], d["c"]
        for _ in range(250):
            h = k.tanh((h * w + c) * 0.5)
        return k.sum(h)


class W5(Workload):
    """A recurrent net."""

    rate = 0.001

    def __init__(self) -> None:
        self.data = {f"x{t}": numbers(16, 32, seed=t) for t in range(100)}
        self.data |= {"h": np.zeros((16, 64), np.float32), "y": numbers(16, 64, seed=7)}
        self.params = {"a": numbers(32, 64, scale=0.1), "b": numbers(64, 64, scale=0.1, seed=1)}
        self.params["c"] = np.zeros(64, np.float32)

    def loss(self, k: Any, d: Any, p: Any) -> Any:
        """Return the squared error of the last state."""
        h = d["h"]
        for t in range(100):
            h = k.tanh(d[f"x{t}"] @ p["a"] + h @ p["b"] + p["c"])
        away = h - d["y"]
        return k.sum(away * away)


WORKLOADS: dict[str, type[Workload]] = {w.__name__: w for w in (W1, W2, W3, W4, W5)}


# ---------------------------------------------------------------------------------- the contestants


def torch_eager(work: Workload) -> Step:
    """PyTorch as it is written every day: the yardstick."""
    import torch
    from torch.nn import functional

    torch.set_num_threads(1)

    class Kit:
        relu, tanh, sum, reshape = torch.relu, torch.tanh, torch.sum, torch.reshape
        cross_entropy = staticmethod(functional.cross_entropy)

        @staticmethod
        def conv(x: Any, w: Any, b: Any, pad: int) -> Any:
            return functional.conv2d(x, w, b, padding=pad)

        @staticmethod
        def pool(x: Any) -> Any:
            return functional.max_pool2d(x, 2)

    data = {k: torch.tensor(v) for k, v in work.data.items()}
    params = {k: torch.tensor(v, requires_grad=True) for k, v in work.params.items()}
    return eager_step(work, Kit, data, params, torch.no_grad, torch.zeros_like)


def chainrule_eager(work: Workload, as_number: bool = True) -> Step:
    """This library, recording as it goes."""
    import chainrule as cr

    class Kit:
        relu, tanh, sum, reshape = cr.relu, cr.tanh, cr.sum, cr.reshape
        cross_entropy = staticmethod(cr.cross_entropy)

        @staticmethod
        def conv(x: Any, w: Any, b: Any, pad: int) -> Any:
            return cr.conv2d(x, w, b, padding=pad)

        @staticmethod
        def pool(x: Any) -> Any:
            return cr.max_pool2d(x, 2)

    data = {k: cr.tensor(v) for k, v in work.data.items()}
    params = {k: cr.tensor(v, requires_grad=True) for k, v in work.params.items()}
    return eager_step(work, Kit, data, params, cr.no_grad, cr.zeros_like, as_number)


def chainrule_static(work: Workload) -> Step:
    """This library with the whole step traced once and replayed."""
    from chainrule.compiler.jit import jit

    step: Step = jit(chainrule_eager(work, as_number=False))
    return step


def eager_step(
    work: Workload,
    kit: Any,
    data: Any,
    params: Any,
    no_grad: Any,
    zeros_like: Any,
    as_number: bool = True,
) -> Step:
    """Return one step of training, in the words that PyTorch and this library share."""
    speeds = {k: zeros_like(p) for k, p in params.items()} if work.momentum else {}

    def step() -> Any:
        loss = work.loss(kit, data, params)
        loss.backward()
        with no_grad():
            for name, p in params.items():
                g = p.grad
                if work.momentum:
                    g = speeds[name].mul_(work.momentum).add_(g)
                p.add_(g, alpha=-work.rate)
                p.grad = None
        return loss.item() if as_number else loss

    return step


def tensorflow_kit() -> Any:
    """Return TensorFlow's words for the workloads."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)

    class Kit:
        relu, tanh = staticmethod(tf.nn.relu), staticmethod(tf.tanh)
        sum = staticmethod(tf.reduce_sum)

        @staticmethod
        def reshape(x: Any, shape: Any) -> Any:
            return tf.reshape(tf.transpose(x, (0, 3, 1, 2)), shape)

        @staticmethod
        def cross_entropy(x: Any, y: Any) -> Any:
            return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, x))

        @staticmethod
        def conv(x: Any, w: Any, b: Any, pad: int) -> Any:
            x = tf.transpose(x, (0, 2, 3, 1)) if x.shape[1] == 1 else x
            how = "SAME" if pad else "VALID"
            return tf.nn.conv2d(x, tf.transpose(w, (2, 3, 1, 0)), 1, how) + b

        @staticmethod
        def pool(x: Any) -> Any:
            return tf.nn.max_pool2d(x, 2, 2, "VALID")

    return tf, Kit


def tensorflow_step(work: Workload, compiled: bool) -> Step:
    """TensorFlow with a gradient tape, eager or compiled into one function."""
    tf, kit = tensorflow_kit()
    data = {k: tf.constant(v) for k, v in work.data.items()}
    params = {k: tf.Variable(v) for k, v in work.params.items()}
    speeds = {k: tf.Variable(tf.zeros_like(v)) for k, v in params.items()}

    def step() -> Any:
        with tf.GradientTape() as tape:
            loss = work.loss(kit, data, params)
        grads = tape.gradient(loss, list(params.values()))
        for (name, p), g in zip(params.items(), grads, strict=True):
            if work.momentum:
                g = speeds[name].assign(work.momentum * speeds[name] + g)
            p.assign_sub(work.rate * g)
        return loss

    run = tf.function(step) if compiled else step
    return lambda: run().numpy()


def tensorflow_eager(work: Workload) -> Step:
    """TensorFlow 2 as it runs without `tf.function`."""
    return tensorflow_step(work, compiled=False)


def tensorflow_function(work: Workload) -> Step:
    """TensorFlow 2 with the whole step in one `tf.function`."""
    return tensorflow_step(work, compiled=True)


def hips_autograd(work: Workload) -> Step:
    """HIPS autograd, the peer that inspired much of this."""
    if isinstance(work, W3):
        raise NotImplementedError("no convolution of its own for this shape")
    import autograd
    import autograd.numpy as anp

    class Kit:
        tanh, sum, reshape = anp.tanh, anp.sum, anp.reshape

        @staticmethod
        def relu(x: Any) -> Any:
            return anp.maximum(x, np.float32(0))

        @staticmethod
        def cross_entropy(x: Any, y: Any) -> Any:
            away = x - anp.max(x, axis=1, keepdims=True)
            logp = away - anp.log(anp.sum(anp.exp(away), axis=1, keepdims=True))
            return -anp.mean(logp[anp.arange(len(y)), y])

    params = {k: v.copy() for k, v in work.params.items()}
    value = autograd.value_and_grad(lambda p: work.loss(Kit, work.data, p))
    speeds = {k: np.zeros_like(v) for k, v in params.items()}

    def step() -> Any:
        loss, grads = value(params)
        for name, p in params.items():
            g = grads[name]
            if work.momentum:
                speeds[name] *= work.momentum
                speeds[name] += g
                g = speeds[name]
            p -= work.rate * g
        return loss

    return step


def micrograd(work: Workload) -> Step:
    """Karpathy's micrograd: one object per number, so only the chain is within reach."""
    if not isinstance(work, W4):
        raise NotImplementedError("one object per number")
    from micrograd.engine import Value

    class Kit:
        @staticmethod
        def tanh(x: Any) -> Any:
            e = 2.718281828459045 ** (x.data * 2)  # micrograd has no tanh: relu costs the same
            return x.relu() if e >= 0 else x

        @staticmethod
        def sum(x: Any) -> Any:
            return x

    params = [float(n) for n in work.params["w"]]

    def step() -> Any:
        total = 0.0
        for i, c in enumerate(work.data["c"]):
            w = Value(params[i])
            loss = work.loss(Kit, {"c": float(c)}, {"w": w})
            loss.backward()
            params[i] -= work.rate * w.grad
            total += loss.data
        return total

    sys.setrecursionlimit(20_000)
    return step


def tinygrad(work: Workload) -> Step:
    """tinygrad on its CPU back end, the whole step in one TinyJit."""
    os.environ.setdefault("DEV", "CPU")
    from tinygrad import Tensor, TinyJit

    class Kit:
        relu, tanh, sum, reshape = Tensor.relu, Tensor.tanh, Tensor.sum, Tensor.reshape
        cross_entropy = Tensor.sparse_categorical_crossentropy

        @staticmethod
        def conv(x: Any, w: Any, b: Any, pad: int) -> Any:
            return x.conv2d(w, b, padding=pad)

        @staticmethod
        def pool(x: Any) -> Any:
            return x.max_pool2d(2)

    data = {k: Tensor(v) for k, v in work.data.items()}
    params = {k: Tensor(v) for k, v in work.params.items()}
    speeds = {k: Tensor.zeros(*v.shape).contiguous().realize() for k, v in params.items()}

    @TinyJit
    def step() -> Any:
        loss = work.loss(Kit, data, params)
        grads = loss.gradient(*params.values())
        changed = []
        for (name, p), g in zip(params.items(), grads, strict=True):
            if work.momentum:
                speeds[name].assign(work.momentum * speeds[name] + g)
                changed.append(speeds[name])
                g = speeds[name]
            p.assign(p.detach() - work.rate * g)
            changed.append(p)
        return loss.realize(*changed)

    return lambda: step().item()


def numpy_by_hand(work: Workload) -> Step:
    """What NumPy can do when nothing is recorded and the gradient is written out."""
    return BY_HAND[type(work)](work)


def hand_w1(work: Workload) -> Step:
    """Gradients of the two-layer net, into arrays made once."""
    x, y = work.data["x"], work.data["y"]
    a, b = (work.params[k].copy() for k in "ab")
    h, out = np.empty((64, 100), np.float32), np.empty((64, 10), np.float32)
    gh, ga, gb = np.empty_like(h), np.empty_like(a), np.empty_like(b)

    def step() -> Any:
        np.matmul(x, a, out=h)
        np.maximum(h, 0, out=h)
        np.matmul(h, b, out=out)
        np.subtract(out, y, out=out)
        loss = np.vdot(out, out)
        np.multiply(out, 2, out=out)
        np.matmul(h.T, out, out=gb)
        np.matmul(out, b.T, out=gh)
        np.multiply(gh, h > 0, out=gh)
        np.matmul(x.T, gh, out=ga)
        for p, g in ((a, ga), (b, gb)):
            np.multiply(g, work.rate, out=g)
            np.subtract(p, g, out=p)
        return loss

    return step


def hand_layers(work: Workload, names: list[str]) -> tuple[Any, Any, Any]:
    """Return the forward, backward and update of a stack of linear layers with relu between."""
    params = {k: v.copy() for k, v in work.params.items()}
    speeds = {k: np.zeros_like(v) for k, v in params.items()}

    def forward(h: np.ndarray) -> list[np.ndarray]:
        kept = [h]
        for i, n in enumerate(names):
            h = h @ params[f"w{n}"]
            h += params[f"b{n}"]
            if i < len(names) - 1:
                np.maximum(h, 0, out=h)
            kept.append(h)
        return kept

    def backward(kept: list[np.ndarray], grads: Arrays, down: bool) -> Any:
        logits, y = kept[-1], work.data["y"]
        rows = np.arange(len(y))
        e = np.exp(logits - logits.max(1, keepdims=True))
        e /= e.sum(1, keepdims=True)
        loss = -np.log(e[rows, y]).mean()
        e[rows, y] -= 1
        g = e / len(y)
        ones = np.ones(len(y), np.float32)
        for i in range(len(names) - 1, -1, -1):
            grads[f"w{names[i]}"], grads[f"b{names[i]}"] = kept[i].T @ g, ones @ g
            if i or down:
                g = g @ params[f"w{names[i]}"].T
            if i:
                g *= kept[i] > 0
        return loss, g

    def update(grads: Arrays) -> None:
        for name, g in grads.items():
            if work.momentum:
                speeds[name] *= work.momentum
                speeds[name] += g
                np.multiply(speeds[name], work.rate, out=g)
            else:
                g *= work.rate
            params[name] -= g

    return (forward, params), backward, update


def hand_w2(work: Workload) -> Step:
    """The perceptron."""
    (forward, _), backward, update = hand_layers(work, ["0", "1", "2"])

    def step() -> Any:
        grads: Arrays = {}
        loss, _ = backward(forward(work.data["x"]), grads, False)
        update(grads)
        return loss

    return step


def hand_w3(work: Workload) -> Step:
    """The convnet: the kernels of this library, called without a tape."""
    from chainrule.ops.conv import _convolve, _convolve_input, _convolve_weight
    from chainrule.ops.pool import _max_pool, _to_largest

    (forward, p), backward, update = hand_layers(work, ["0", "1", "2"])
    two = {"kernel": (2, 2), "stride": (2, 2)}

    def convolve(x: np.ndarray, i: int, **pad: Any) -> Any:
        out = _convolve(x, p[f"c{i}"], **pad)
        out += p[f"d{i}"][:, None, None]
        np.maximum(out, 0, out=out)
        return x, out, _max_pool(out, **two)

    def back(i: int, g: Any, stage: Any, grads: Arrays, **pad: Any) -> Any:
        x, out, pooled = stage
        g = _to_largest(g, pooled, out, **two)
        g *= out > 0
        grads[f"c{i}"] = _convolve_weight(x, g, shape=p[f"c{i}"].shape, **pad)
        flat = g.transpose(1, 2, 3, 0).reshape(g.shape[1], -1)
        grads[f"d{i}"] = flat @ np.ones(flat.shape[1], np.float32)
        return g

    def step() -> Any:
        grads: Arrays = {}
        first = convolve(work.data["x"], 0, padding=(2, 2))
        second = convolve(first[2], 1)
        loss, g = backward(forward(second[2].reshape(64, 400)), grads, True)
        g = back(1, g.reshape(second[2].shape), second, grads)
        g = _convolve_input(g, p["c1"], shape=first[2].shape)
        back(0, g, first, grads, padding=(2, 2))
        update(grads)
        return loss

    return step


def hand_w4(work: Workload) -> Step:
    """The chain, into arrays made once."""
    w, c = work.params["w"].copy(), work.data["c"]
    states = np.empty((251, 8), np.float32)
    g, gw, tmp = (np.empty(8, np.float32) for _ in range(3))
    half = np.float32(0.5)

    def step() -> Any:
        states[0] = w
        rows = list(states)
        for h, new in itertools.pairwise(rows):
            np.multiply(h, w, out=new)
            np.add(new, c, out=new)
            np.multiply(new, half, out=new)
            np.tanh(new, out=new)
        g.fill(1)
        gw.fill(0)
        for h, new in zip(rows[-2::-1], rows[:0:-1], strict=True):
            np.multiply(new, new, out=tmp)
            np.subtract(half, np.multiply(tmp, half, out=tmp), out=tmp)
            np.multiply(g, tmp, out=g)
            np.add(gw, np.multiply(g, h, out=tmp), out=gw)
            np.multiply(g, w, out=g)
        loss = rows[-1].sum()
        np.subtract(w, (gw + g) * np.float32(work.rate), out=w)
        return loss

    return step


def hand_w5(work: Workload) -> Step:
    """The recurrent net, with the products of all inputs taken at once."""
    a, b, c = (work.params[k].copy() for k in "abc")
    xs = np.concatenate([work.data[f"x{t}"] for t in range(100)])
    y = work.data["y"]
    states = np.zeros((101, 16, 64), np.float32)
    gs = np.empty((100, 16, 64), np.float32)
    ones = np.ones(1600, np.float32)

    def step() -> Any:
        pre = (xs @ a).reshape(100, 16, 64)
        pre += c
        for t in range(100):
            np.matmul(states[t], b, out=states[t + 1])
            np.add(states[t + 1], pre[t], out=states[t + 1])
            np.tanh(states[t + 1], out=states[t + 1])
        away = states[100] - y
        g, back = 2 * away, b.T
        for t in range(99, -1, -1):
            h = states[t + 1]
            np.multiply(h, h, out=gs[t])
            np.subtract(1, gs[t], out=gs[t])
            np.multiply(gs[t], g, out=gs[t])
            np.matmul(gs[t], back, out=g)
        flat = gs.reshape(1600, 64)
        b[...] -= work.rate * (states[:100].reshape(1600, 64).T @ flat)
        a[...] -= work.rate * (xs.T @ flat)
        c[...] -= work.rate * (ones @ flat)
        return np.vdot(away, away)

    return step


BY_HAND = {W1: hand_w1, W2: hand_w2, W3: hand_w3, W4: hand_w4, W5: hand_w5}

CONTESTANTS: dict[str, tuple[str, Callable[[Workload], Step]]] = {
    "chainrule eager": ("chainrule", chainrule_eager),
    "chainrule static": ("chainrule", chainrule_static),
    "numpy by hand": ("numpy", numpy_by_hand),
    "tensorflow eager": ("tensorflow", tensorflow_eager),
    "tensorflow function": ("tensorflow", tensorflow_function),
    "autograd": ("autograd", hips_autograd),
    "micrograd": ("micrograd", micrograd),
    "tinygrad": ("tinygrad", tinygrad),
}


# ------------------------------------------------------------------------------------------- timing


def block(step: Step, count: int) -> float:
    """Return the CPU seconds of some steps."""
    start = time.process_time()
    for _ in range(count):
        step()
    return time.process_time() - start


def steps_for(step: Step, seconds: float) -> int:
    """Return how many steps take about so long."""
    for _ in range(3):
        step()
    once = min(block(step, 1) for _ in range(3))
    return max(1, round(seconds / max(once, 1e-5)))


def ratio(contestant: Step, yardstick: Step, blocks: int, seconds: float) -> float:
    """Return the median time of a step, in steps of the yardstick before and after."""
    mine, theirs = steps_for(contestant, seconds), steps_for(yardstick, seconds)
    ratios = []
    before = block(yardstick, theirs) / theirs
    for _ in range(blocks):
        gc.collect()
        now = block(contestant, mine) / mine
        after = block(yardstick, theirs) / theirs
        ratios.append(2 * now / (before + after))
        before = after
    return statistics.median(ratios)


def agree(contestant: Step, yardstick: Step) -> bool:
    """Return whether two contestants report the same losses over three steps."""
    mine = [float(contestant()) for _ in range(3)]
    theirs = [float(yardstick()) for _ in range(3)]
    return bool(np.allclose(mine, theirs, rtol=1e-3, atol=1e-5))


def standing(name: str) -> Workload:
    """Return a workload that hardly moves: its numbers stay ordinary for any number of steps.

    Training for thousands of steps may end in numbers so close to 0 that arithmetic slows down.
    """
    work = WORKLOADS[name]()
    work.rate = 1e-12
    return work


def measure(args: argparse.Namespace) -> list[dict[str, Any]]:
    """Run every contestant that is installed on every workload."""
    blocks, seconds = (5, 0.05) if args.quick else (15, 0.2)
    results = []
    for contestant in args.contestants or CONTESTANTS:
        package, build = CONTESTANTS[contestant]
        if importlib.util.find_spec(package) is None:
            print(f"{contestant}: not installed", file=sys.stderr)
            continue
        for name in args.only or WORKLOADS:
            try:
                step = build(WORKLOADS[name]())
                same = contestant == "micrograd" or agree(step, torch_eager(WORKLOADS[name]()))
                found = ratio(build(standing(name)), torch_eager(standing(name)), blocks, seconds)
            except Exception as reason:  # a peer of another version must not stop the others
                kind = type(reason).__name__
                print(f"{contestant} {name}: left out, {kind}: {reason}", file=sys.stderr)
                continue
            if not same:
                print(f"{contestant} {name}: its losses differ from PyTorch's", file=sys.stderr)
            results.append({"contestant": contestant, "workload": name, "ratio": round(found, 3)})
            print(f"{contestant:22} {name} {found:7.2f}", file=sys.stderr, flush=True)
    return results


def main() -> int:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--json", action="store_true", help="print one JSON list and nothing else")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter blocks")
    parser.add_argument("--only", nargs="+", choices=list(WORKLOADS), help="these workloads")
    parser.add_argument("--contestants", nargs="+", choices=list(CONTESTANTS), help="these only")
    args = parser.parse_args()
    if importlib.util.find_spec("torch") is None:
        print("PyTorch is the yardstick and is not installed: make setup", file=sys.stderr)
        return 2
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    results = measure(args)
    if args.json:
        print(json.dumps(results, indent=1))
    else:
        print_table(results)
    return 0


def print_table(results: list[dict[str, Any]]) -> None:
    """Print one line per contestant."""
    names = sorted({r["workload"] for r in results})
    print(f"{'ratio to PyTorch eager':24}" + "".join(f"{n:>8}" for n in names))
    for contestant in dict.fromkeys(r["contestant"] for r in results):
        found = {r["workload"]: r["ratio"] for r in results if r["contestant"] == contestant}
        cells = (f"{found[n]:8.2f}" if n in found else f"{'-':>8}" for n in names)
        print(f"{contestant:24}" + "".join(cells))


if __name__ == "__main__":
    raise SystemExit(main())
