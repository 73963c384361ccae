"""The kinds of exercise that the course will ask, one small example of each.

Each kind has one test cell, one right answer written unlike the solution, and three wrong answers
that a student really gives. `tests/contract/test_kinds.py` runs them in one process, in two, and
under stock nbgrader.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass


def _code(text: str) -> str:
    return textwrap.dedent(text).strip() + "\n"


@dataclass(frozen=True)
class Kind:
    """One kind of exercise: its test, its answers, and the modules it may import."""

    name: str
    test: str
    solution: str
    right: str
    wrong: tuple[str, str, str]
    allow: tuple[str, ...] = ("numpy",)


ARRAYS = Kind(
    "arrays",
    _code("""
    @autograder.test
    def _(rng):
        "Each row is shifted to mean 0 and scaled to variance 1; the input stays as it was."
        x = np.array([[1.0, 3.0], [10.0, 30.0]])
        same(call(standardize, x), np.array([[-1.0, 1.0], [-1.0, 1.0]]), "two rows")
        ### BEGIN HIDDEN TESTS
        def oracle(x):
            return (x - x.mean(1, keepdims=True)) / x.std(1, keepdims=True)
        for shape in ((5, 3), (4, 4), (1, 7)):
            x = rng.normal(size=shape)
            same(pure(standardize, x), oracle(x), "fresh rows")
            wide = rng.normal(size=(shape[0], 2 * shape[1]))[:, ::2]
            same(call(standardize, wide), oracle(wide), "a strided view")
        ### END HIDDEN TESTS
    """),
    _code("""
    def standardize(x):
        return (x - x.mean(axis=1, keepdims=True)) / x.std(axis=1, keepdims=True)
    """),
    _code("""
    def standardize(x):
        rows = []
        for row in x:
            centered = row - sum(row) / len(row)
            rows.append(centered / np.sqrt(np.mean(centered**2)))
        return np.stack(rows)
    """),
    (
        _code("""
        def standardize(x):
            return (x - x.mean(axis=0)) / x.std(axis=0)
        """),
        _code("""
        def standardize(x):
            x -= x.mean(axis=1, keepdims=True)
            return x / x.std(axis=1, keepdims=True)
        """),
        _code("""
        def standardize(x):
            scale = x.std(axis=1, keepdims=True, ddof=1)
            return (x - x.mean(axis=1, keepdims=True)) / scale
        """),
    ),
)

ENGINE = Kind(
    "engine",
    _code("""
    @autograder.test
    def _(rng):
        "Scalars add and multiply, and backward sums the gradients of every use."
        @beside
        def run(a, b):
            x, y = Scalar(a), Scalar(b)
            z = x * y + x
            z.backward()
            return {"value": z.data, "x": x.grad, "y": y.grad}
        same(run(2.0, 3.0), {"value": 8.0, "x": 4.0, "y": 2.0}, "x * y + x at (2, 3)")
        ### BEGIN HIDDEN TESTS
        @beside
        def chain(a, n):
            x = Scalar(a)
            z = x
            for _ in range(n):
                z = z * x
            z.backward()
            return {"x": x.grad, "same": type(z).__name__}
        for _ in range(3):
            a, b = rng.normal(size=2).tolist()
            same(run(a, b), {"value": a * b + a, "x": b + 1, "y": a}, "x * y + x")
            same(chain(a, 3)["x"], 4 * a**3, "x multiplied by itself")
        ### END HIDDEN TESTS
    """),
    _code("""
    class Scalar:
        def __init__(self, data, parents=()):
            self.data, self.grad, self.parents = data, 0.0, parents

        def __add__(self, other):
            return Scalar(self.data + other.data, ((self, 1.0), (other, 1.0)))

        def __mul__(self, other):
            return Scalar(self.data * other.data, ((self, other.data), (other, self.data)))

        def backward(self, upstream=1.0):
            self.grad += upstream
            for parent, slope in self.parents:
                parent.backward(upstream * slope)
    """),
    _code("""
    class Scalar:
        def __init__(self, data):
            self.data = data
            self.grad = 0.0
            self.push = lambda upstream: None

        def __add__(self, other):
            out = Scalar(self.data + other.data)
            out.push = lambda u: (self.backward(u), other.backward(u))
            return out

        def __mul__(self, other):
            out = Scalar(self.data * other.data)
            out.push = lambda u: (self.backward(u * other.data), other.backward(u * self.data))
            return out

        def backward(self, upstream=1.0):
            self.grad = self.grad + upstream
            self.push(upstream)
    """),
    tuple(
        _code("""
        class Scalar:
            def __init__(self, data, parents=()):
                self.data, self.grad, self.parents = data, 0.0, parents

            def __add__(self, other):
                return Scalar(self.data + other.data, ((self, 1.0), (other, 1.0)))

            def __mul__(self, other):
                return Scalar(self.data * other.data, ((self, MUL), (other, self.data)))

            def backward(self, upstream=1.0):
                self.grad SET upstream
                for parent, slope in self.parents:
                    parent.backward(PASS)
        """)
        .replace("MUL", mul)
        .replace("SET", how)
        .replace("PASS", passed)
        for mul, how, passed in (
            ("other.data", "=", "upstream * slope"),
            ("self.data", "+=", "upstream * slope"),
            ("other.data", "+=", "slope"),
        )
    ),  # type: ignore[arg-type]
)

FUNCTION = Kind(
    "function",
    _code("""
    @autograder.test
    def _(rng):
        "Softplus and its gradient are right for any upstream gradient, also at +-1000."
        @beside
        def run(x, upstream):
            import torch
            t = torch.tensor(x, requires_grad=True)
            y = Softplus.apply(t)
            y.backward(torch.tensor(upstream))
            return {"value": y.detach().numpy(), "grad": t.grad.numpy()}
        expected = {"value": np.array([np.log(2.0)]), "grad": np.array([1.5])}
        same(run(np.array([0.0]), np.array([3.0])), expected, "softplus at 0, upstream 3")
        ### BEGIN HIDDEN TESTS
        def oracle(x, u):
            return {"value": np.logaddexp(0, x), "grad": u * np.exp(-np.logaddexp(0, -x))}
        for shape in ((4,), (3, 5)):
            x, u = 5 * rng.normal(size=shape), rng.normal(size=shape)
            same(run(x, u), oracle(x, u), "fresh numbers")
        x, u = np.array([-1000.0, 1000.0]), np.array([2.0, 3.0])
        same(run(x, u), oracle(x, u), "at +-1000")
        ### END HIDDEN TESTS
    """),
    _code("""
    import torch

    class Softplus(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return torch.logaddexp(x, torch.zeros_like(x))

        @staticmethod
        def backward(ctx, upstream):
            (x,) = ctx.saved_tensors
            return upstream * torch.sigmoid(x)
    """),
    _code("""
    import torch

    class Softplus(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            out = x.clamp(min=0) + torch.log1p(torch.exp(-x.abs()))
            ctx.save_for_backward(out)
            return out

        @staticmethod
        def backward(ctx, upstream):
            (out,) = ctx.saved_tensors
            return upstream * -torch.expm1(-out)
    """),
    tuple(
        _code(f"""
        import torch

        class Softplus(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                ctx.save_for_backward(x)
                return {forward}

            @staticmethod
            def backward(ctx, upstream):
                (x,) = ctx.saved_tensors
                return {backward}
        """)
        for forward, backward in (
            ("torch.log(1 + torch.exp(x))", "upstream * torch.sigmoid(x)"),
            ("torch.logaddexp(x, torch.zeros_like(x))", "torch.sigmoid(x)"),
            ("torch.logaddexp(x, torch.zeros_like(x))", "upstream * torch.tanh(x)"),
        )
    ),  # type: ignore[arg-type]
    allow=("numpy", "torch"),
)

MODULE = Kind(
    "module",
    _code("""
    @autograder.test
    def _(rng):
        "fit() runs plain SGD on the mean squared error, one step per call of the loss."
        @beside
        def run(w, x, y, lr, steps):
            import torch
            model = torch.nn.Linear(w.shape[1], w.shape[0], bias=False).double()
            with torch.no_grad():
                model.weight.copy_(torch.tensor(w))
            losses = fit(model, torch.tensor(x), torch.tensor(y), lr, steps)
            return {"losses": [float(value) for value in losses],
                    "weight": model.weight.detach().numpy()}
        one = np.ones((1, 1))
        expected = {"losses": [1.0, 0.64], "weight": np.array([[0.36]])}
        same(run(0.0 * one, one, one, 0.1, 2), expected, "two steps by hand")
        ### BEGIN HIDDEN TESTS
        def oracle(w, x, y, lr, steps):
            losses = []
            for _ in range(steps):
                error = x @ w.T - y
                losses.append(float((error**2).mean()))
                w = w - lr * 2 * error.T @ x / error.size
            return {"losses": losses, "weight": w}
        for n, inputs, outputs in ((8, 3, 2), (5, 4, 1)):
            case = (rng.normal(size=(outputs, inputs)), rng.normal(size=(n, inputs)),
                    rng.normal(size=(n, outputs)), 0.05, 7)
            same(run(*case), oracle(*case), "seven steps on fresh data", rtol=1e-9)
        ### END HIDDEN TESTS
    """),
    _code("""
    import torch

    def fit(model, x, y, lr, steps):
        optimizer = torch.optim.SGD(model.parameters(), lr=lr)
        losses = []
        for _ in range(steps):
            loss = torch.nn.functional.mse_loss(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        return losses
    """),
    _code("""
    import torch

    def fit(model, x, y, lr, steps):
        losses = []
        for _ in range(steps):
            loss = ((model(x) - y) ** 2).mean()
            grads = torch.autograd.grad(loss, list(model.parameters()))
            with torch.no_grad():
                for p, g in zip(model.parameters(), grads):
                    p -= lr * g
            losses.append(float(loss.detach()))
        return losses
    """),
    tuple(
        _code(f"""
        import torch

        def fit(model, x, y, lr, steps):
            optimizer = torch.optim.SGD(model.parameters(), lr=lr{momentum})
            losses = []
            for _ in range(steps):
                loss = torch.nn.functional.mse_loss(model(x), y{reduction})
                {zero}
                loss.backward()
                optimizer.step()
                losses.append(loss.item())
            return losses
        """)
        for momentum, reduction, zero in (
            ("", "", "pass"),
            (", momentum=0.9", "", "optimizer.zero_grad()"),
            ("", ', reduction="sum"', "optimizer.zero_grad()"),
        )
    ),  # type: ignore[arg-type]
    allow=("numpy", "torch"),
)

_ADAM = """
def adam(grad, w, lr, beta1, beta2, eps, steps):
    m, v, path = np.zeros_like(w), np.zeros_like(w), []
    for t in range(1, steps + 1):
        g = grad(w)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        STEP
        path.append(w)
    return path
"""
_ADAM_RIGHT = "w = w - lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps)"
OPTIMIZER = Kind(
    "optimizer",
    _code("""
    @autograder.test
    def _(rng):
        "Adam follows the paper's trajectory, tiny gradients included, one gradient a step."
        grad = callback(lambda w: 2 * w)
        path = call(adam, grad, np.array([1.0]), 0.1, 0.9, 0.999, 1e-8, 2)
        same(path, [np.array([0.9]), np.array([0.80041])], "two steps on w**2", rtol=1e-4)
        ### BEGIN HIDDEN TESTS
        def oracle(grad, w, lr, b1, b2, eps, steps):
            m = v = np.zeros_like(w)
            path = []
            for t in range(1, steps + 1):
                g = grad(w)
                m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g
                w = w - lr * (m / (1 - b1**t)) / (np.sqrt(v / (1 - b2**t)) + eps)
                path.append(w)
            return path
        for scale in (1.0, 1e-8):
            curve = scale * rng.uniform(1, 2, size=5)
            grad = callback(lambda w: curve * w)
            start = rng.normal(size=5)
            path = call(adam, grad, start, 0.01, 0.8, 0.99, 1e-8, 20)
            expected = oracle(lambda w: curve * w, start, 0.01, 0.8, 0.99, 1e-8, 20)
            trajectory(path, expected, f"gradients of about {scale:g}", rtol=1e-9)
            require(grad.calls == 20, f"20 steps asked for {grad.calls} gradients")
        ### END HIDDEN TESTS
    """),
    _code(_ADAM.replace("STEP", _ADAM_RIGHT)),
    _code("""
    def adam(grad, w, lr, beta1, beta2, eps, steps):
        w, path = w.copy(), []
        m, v = 0, 0
        for t in range(steps):
            g = grad(w)
            m = m + (1 - beta1) * (g - m)
            v = v + (1 - beta2) * (g * g - v)
            rate = lr * np.sqrt(1 - beta2 ** (t + 1)) / (1 - beta1 ** (t + 1))
            w -= rate * m / (np.sqrt(v) + eps * np.sqrt(1 - beta2 ** (t + 1)))
            path.append(w.copy())
        return path
    """),
    (
        _code(_ADAM.replace("STEP", "w = w - lr * m / (np.sqrt(v) + eps)")),
        _code(_ADAM.replace("STEP", _ADAM_RIGHT.replace(") + eps)", " + eps))"))),
        _code(_ADAM.replace("STEP", _ADAM_RIGHT).replace("path.append(w)", "path.append(grad(w))")),
    ),
)

CHECKER = Kind(
    "checker",
    _code("""
    @autograder.test
    def _(rng):
        "gradient_ok accepts right gradients and rejects wrong ones of any size."
        square, right = callback(lambda x: float((x**2).sum())), callback(lambda x: 2 * x)
        same(call(gradient_ok, square, right, np.array([1.0, -2.0])), True, "the gradient of x**2")
        zero = callback(lambda x: 0 * x)
        same(call(gradient_ok, square, zero, np.array([1.0, -2.0])), False, "a gradient of zeros")
        ### BEGIN HIDDEN TESTS
        x = rng.uniform(1, 2, size=(3, 2))
        f = callback(lambda x: float((x**3).sum()))
        planted = {
            "one entry off": lambda x: 3 * x**2 + np.eye(3, 2),
            "a factor": lambda x: 3.3 * x**2,
            "a sign": lambda x: -3 * x**2,
            "NaN": lambda x: np.full(x.shape, np.nan),
        }
        same(call(gradient_ok, f, callback(lambda x: 3 * x**2), x), True, "the gradient of x**3")
        for name, wrong in planted.items():
            same(call(gradient_ok, f, callback(wrong), x), False, f"a planted bug ({name})")
        tiny = callback(lambda x: 1e-6 * float((x**2).sum()))
        same(call(gradient_ok, tiny, callback(lambda x: 2e-6 * x), x), True, "a tiny gradient")
        same(call(gradient_ok, tiny, callback(lambda x: 3e-6 * x), x), False, "a tiny wrong one")
        ### END HIDDEN TESTS
    """),
    _code("""
    def gradient_ok(f, grad, x, step=1e-5):
        got, want = np.asarray(grad(x)), np.empty(x.shape)
        for i in np.ndindex(x.shape):
            d = np.zeros(x.shape)
            d[i] = step
            want[i] = (f(x + d) - f(x - d)) / (2 * step)
        scale = np.abs(want).max()
        return bool(np.abs(got - want).max() <= 1e-4 * scale)
    """),
    _code("""
    def gradient_ok(f, grad, x):
        given = np.array(grad(x), dtype=float).ravel()
        measured = []
        for i in range(x.size):
            up, down = x.astype(float).ravel(), x.astype(float).ravel()
            up[i] += 1e-4
            down[i] -= 1e-4
            measured.append((f(up.reshape(x.shape)) - f(down.reshape(x.shape))) / 2e-4)
        measured = np.array(measured)
        error = np.linalg.norm(given - measured) / np.linalg.norm(measured)
        return True if error < 1e-3 else False
    """),
    tuple(
        _code(f"""
        def gradient_ok(f, grad, x, step=1e-5):
            got, want = np.asarray(grad(x)), np.empty(x.shape)
            for i in np.ndindex(x.shape):
                d = np.zeros(x.shape)
                d[i] = step
                want[i] = (f(x + d) - f(x - d)) / (2 * step)
            return {verdict}
        """)
        for verdict in (
            "bool(np.abs(got - want).max() <= 1e-4)",
            "not bool((np.abs(got - want) > 1e-4 * np.abs(want)).any())",
            "bool(abs(got.sum() - want.sum()) <= 0.5 * abs(want.sum()))",
        )
    ),  # type: ignore[arg-type]
)

_SESSION = """
class Node:
    def __init__(self, op, inputs=(), value=None):
        self.op, self.inputs, self.value = op, inputs, value

def placeholder():
    return Node("feed")

def constant(value):
    return Node("const", value=value)

def add(a, b):
    return Node("add", (a, b))

def mul(a, b):
    return Node("mul", (a, b))

def tap(a, f):
    return Node("tap", (a,), f)

def run(fetches, feed):
    done = {}

    def value(node):
        if node in feed:
            return feed[node]
        if node.op == "feed":
            raise KeyError("a placeholder was not fed")
        if node.op == "const":
            return node.value
        if node not in done:
            args = [value(n) for n in node.inputs]
            if node.op == "tap":
                done[node] = node.value(args[0])
            else:
                done[node] = args[0] + args[1] if node.op == "add" else args[0] * args[1]
        return done[node]

    return [value(node) for node in fetches]
"""
SESSION = Kind(
    "session",
    _code("""
    @autograder.test
    def _(rng):
        "run() gives each fetch for its feeds; it runs only what is needed, and each node once."
        @beside
        def total(a, b):
            x, y = placeholder(), placeholder()
            return run([add(x, mul(y, y)), y], {x: a, y: b})
        same(total(2.0, 3.0), [11.0, 3.0], "x + y * y at (2, 3), and y")
        ### BEGIN HIDDEN TESTS
        @beside
        def tapped(a, seen, unseen):
            x = placeholder()
            once = tap(x, seen)
            tap(once, unseen)
            twice = mul(once, once)
            return run([add(twice, constant(1.0)), twice], {x: a})
        @beside
        def unfed():
            return run([add(placeholder(), constant(1.0))], {})
        for _ in range(3):
            a, b = rng.normal(size=2).tolist()
            same(total(a, b), [a + b * b, b], "fresh feeds")
            seen, unseen = callback(lambda v: v + 1), callback(lambda v: v)
            same(tapped(a, seen, unseen), [(a + 1) ** 2 + 1, (a + 1) ** 2], "a shared node")
            require(seen.calls == 1, f"a shared node ran {seen.calls} times in one run")
            require(unseen.calls == 0, "a node that nobody fetched was run")
        raises("Exception", unfed)
        ### END HIDDEN TESTS
    """),
    _code(_SESSION),
    _code("""
    class Node:
        def __init__(self, inputs, rule):
            self.inputs, self.rule = inputs, rule

    def placeholder():
        return Node((), None)

    def constant(value):
        return Node((), lambda: value)

    def add(a, b):
        return Node((a, b), lambda x, y: x + y)

    def mul(a, b):
        return Node((a, b), lambda x, y: x * y)

    def tap(a, f):
        return Node((a,), f)

    def run(fetches, feed):
        known, stack = dict(feed), list(fetches)
        while stack:
            node = stack[-1]
            missing = [n for n in node.inputs if n not in known]
            if node in known:
                stack.pop()
            elif missing:
                stack += missing
            elif node.rule is None:
                raise ValueError("feed every placeholder that the fetches need")
            else:
                known[node] = node.rule(*[known[n] for n in node.inputs])
        return tuple(known[node] for node in fetches)
    """),
    (
        _code(_SESSION.replace("if node not in done:", "if True:")),
        _code(_SESSION.replace('raise KeyError("a placeholder was not fed")', "return 0.0")),
        _code(_SESSION.replace("[value(node) for node in fetches]", "value(fetches[0])")),
    ),
)

ERRORS = Kind(
    "errors",
    _code("""
    @autograder.test
    def _(rng):
        "concat() joins arrays end to end and refuses shapes that do not fit with a ValueError."
        ok = call(concat, np.ones((1, 2)), np.zeros((1, 2)))
        same(ok, np.array([[1.0, 1.0], [0.0, 0.0]]), "two rows")
        raises(ValueError, concat, np.ones((1, 2)), np.ones((1, 3)), mentions="(1, 3)")
        ### BEGIN HIDDEN TESTS
        for _ in range(3):
            n, m, k = rng.integers(2, 6, size=3).tolist()
            a, b = rng.normal(size=(n, k)), rng.normal(size=(m, k))
            same(pure(concat, a, b), np.concatenate([a, b]), "fresh arrays")
            wrong = rng.normal(size=(m, k + 1))
            raises(ValueError, concat, a, wrong, mentions=f"({m}, {k + 1})")
            raises(ValueError, concat, wrong, a, mentions=f"({n}, {k})")
        ### END HIDDEN TESTS
    """),
    _code("""
    def concat(a, b):
        if a.shape[1] != b.shape[1]:
            raise ValueError(f"cannot join {a.shape} and {b.shape}")
        return np.concatenate([a, b])
    """),
    _code("""
    class ShapeError(ValueError):
        pass

    def concat(a, b):
        try:
            return np.vstack((a, b))
        except ValueError as error:
            raise ShapeError("%s against %s" % (a.shape, b.shape)) from error
    """),
    (
        _code("""
        def concat(a, b):
            return np.concatenate([a, b])
        """),
        _code("""
        def concat(a, b):
            assert a.shape[1] == b.shape[1], f"{a.shape} {b.shape}"
            return np.concatenate([a, b])
        """),
        _code("""
        def concat(a, b):
            if a.shape[1] > b.shape[1]:
                raise ValueError(f"cannot join {a.shape} and {b.shape}")
            return np.concatenate([a, b[:, : a.shape[1]]])
        """),
    ),
)

KINDS = (ARRAYS, ENGINE, FUNCTION, MODULE, OPTIMIZER, CHECKER, SESSION, ERRORS)
