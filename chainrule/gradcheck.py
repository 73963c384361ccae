"""Is this gradient right? Compare it with what the function itself does when its inputs move.

The upstream gradient is random, so that a rule cannot be right for sums only. Every entry of every
input is moved (`central`, `complex`), or all of them at once in random directions (`directional`,
which costs two evaluations each however large the inputs are).

Differences know nothing of kinks: give points that are farther than `eps` from where `relu`, `abs`
or `max` change their mind.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chainrule.errors import DTypeError, GradcheckError
from chainrule.sweep import as_list, grad
from chainrule.tape import set_grad_enabled
from chainrule.tensor import Tensor, as_array

STEPS = {"central": 1e-6, "complex": 1e-30, "directional": 1e-6}


@dataclass(frozen=True)
class Finding:
    """Where a gradient departs most from its estimate.

    Attributes:
        input: Which argument.
        place: The index of the entry; of the direction, for directional checks.
        gradient: What the rules say.
        estimate: What the function does.
        allowed: How far apart they may be.
    """

    input: int
    place: tuple[int, ...]
    gradient: float
    estimate: float
    allowed: float

    def __str__(self) -> str:
        return (
            f"input {self.input} at {self.place}: the gradient is {self.gradient:.9g}, "
            f"the estimate {self.estimate:.9g}, allowed difference {self.allowed:.1g}"
        )


@dataclass(frozen=True)
class Report:
    """The outcome of a check; true if nothing was found."""

    method: str
    compared: int
    findings: tuple[Finding, ...] = field(default=())

    def __bool__(self) -> bool:
        return not self.findings

    def __str__(self) -> str:
        if self:
            return f"{self.method}: {self.compared} numbers agree"
        return f"{self.method}: " + "; ".join(map(str, self.findings))


def gradcheck(
    function: Callable[..., Any],
    inputs: Any,
    *,
    method: str = "central",
    eps: float | None = None,
    rtol: float = 1e-5,
    atol: float = 1e-7,
    directions: int = 5,
    rng: np.random.Generator | None = None,
    raise_exception: bool = True,
) -> Report:
    """Compare the gradients of a function with numerical estimates.

    Args:
        function: Takes tensors, returns one or several; must give the same each time.
        inputs: float64 tensors or arrays, which are checked; anything else is passed on.
        method: "central" differences; "complex" steps, exact to rounding where the function is
            analytic and built of operations that take complex numbers; "directional".
        eps: The step.
        rtol: Allowed difference in relation to the estimate.
        atol: Allowed difference in relation to the size of the whole gradient (1 if smaller).
        directions: How many random directions "directional" tries.
        rng: Draws upstream gradients and directions; `default_rng(0)` if None.
        raise_exception: Raise instead of returning a report that is false.

    Raises:
        GradcheckError: A gradient departs from its estimate, or is NaN, or has the wrong shape.
        DTypeError: Nothing to check in float64, or an unknown method.

    >>> import chainrule as cr
    >>> import numpy as np
    >>> print(cr.gradcheck(cr.tanh, np.linspace(-2, 2, 5)))
    central: 5 numbers agree
    >>> print(cr.gradcheck(cr.tanh, np.linspace(-2, 2, 5), method="complex", rtol=1e-13))
    complex: 5 numbers agree
    """
    if method not in STEPS:
        raise DTypeError(f"a method is one of {', '.join(STEPS)}, not {method!r}")
    problem = _Problem(function, as_list(inputs), rng or np.random.default_rng(0))
    eps = STEPS[method] if eps is None else eps
    gradients = problem.gradients()
    if method == "directional":
        pairs = problem.directional(gradients, eps, directions)
    else:
        move = problem.complex_step if method == "complex" else problem.central
        pairs = [(i, g, problem.estimate(i, move, eps)) for i, g in gradients.items()]
    findings, compared = [], 0
    for i, g, estimate in pairs:
        compared += estimate.size
        findings.extend(compare(i, g, estimate, rtol, atol))
    report = Report(method, compared, tuple(findings))
    if findings and raise_exception:
        raise GradcheckError(str(report))
    return report


def gradgradcheck(function: Callable[..., Any], inputs: Any, **options: Any) -> Report:
    """Compare second derivatives with differences of the first; arguments as in `gradcheck`.

    >>> import chainrule as cr
    >>> import numpy as np
    >>> print(cr.gradgradcheck(lambda x: x**3, np.array([1.0, 2.0])))
    central: 4 numbers agree
    """
    rng = options.get("rng") or np.random.default_rng(0)
    problem = _Problem(function, as_list(inputs), rng)
    count = len(problem.inputs)

    def slopes(*args: Any) -> tuple[Any, ...]:
        xs, upstream = args[:count], args[count:]
        outputs = [out for out in problem.call(xs) if out.requires_grad]
        checked = [xs[i] for i in problem.checked]
        found = grad(outputs, checked, list(upstream), create_graph=True, allow_unused=True)
        return tuple(g if g is not None else x * 0.0 for g, x in zip(found, checked, strict=True))

    return gradcheck(slopes, [*problem.inputs, *problem.upstream], **options)


class _Problem:
    """A function, its inputs, and one random upstream gradient for each differentiable output."""

    def __init__(
        self, function: Callable[..., Any], inputs: list[Any], rng: np.random.Generator
    ) -> None:
        self.function, self.rng = function, rng
        self.inputs = [_plain(x) for x in inputs]
        self.checked = [
            i
            for i, (given, x) in enumerate(zip(inputs, self.inputs, strict=True))
            if isinstance(x, np.ndarray)
            and x.dtype == np.float64
            and (not isinstance(given, Tensor) or given.requires_grad)
        ]
        self.constant = [isinstance(x, Tensor) for x in inputs]
        if not self.checked:
            raise DTypeError("gradcheck needs at least one float64 input, float32 is too coarse")
        first, again = self.call(self.tensors()), self.call(self.tensors())
        for a, b in zip(first, again, strict=True):
            if not np.array_equal(a.data, b.data, equal_nan=True):
                raise GradcheckError("the function gives something else when called again")
        self.live = [k for k, out in enumerate(first) if out.requires_grad]
        if not self.live:
            raise GradcheckError("no output of the function requires gradients")
        self.upstream = [rng.standard_normal(first[k].shape) for k in self.live]

    def call(self, inputs: Sequence[Any]) -> list[Any]:
        """Return the outputs for these inputs."""
        with set_grad_enabled(True):
            return as_list(self.function(*inputs))

    def tensors(self, place: int = -1, moved: Any = None) -> list[Any]:
        """Return fresh inputs, one of them replaced."""
        out: list[Any] = []
        for i, x in enumerate(self.inputs):
            if i in self.checked:
                data = moved if i == place else x.copy()
                out.append(Tensor(data, requires_grad=data.dtype == np.float64))
            else:
                out.append(Tensor(as_array(x)) if self.constant[i] else x)
        return out

    def gradients(self) -> dict[int, np.ndarray]:
        """Return the gradient of each checked input, as the rules give it."""
        inputs = self.tensors()
        outputs = self.call(inputs)
        found = grad(
            [outputs[k] for k in self.live],
            [inputs[i] for i in self.checked],
            [u.copy() for u in self.upstream],
            allow_unused=True,
        )
        result = {}
        for i, g in zip(self.checked, found, strict=True):
            array = np.zeros_like(self.inputs[i]) if g is None else g.data
            if array.shape != self.inputs[i].shape:
                raise GradcheckError(
                    f"input {i}: shape {self.inputs[i].shape}, gradient {array.shape}"
                )
            result[i] = array
        return result

    def pull(self, inputs: list[Any]) -> list[np.ndarray]:
        """Return the outputs that have gradients, as arrays."""
        outputs = self.call(inputs)
        return [outputs[k].data for k in self.live]

    def difference(self, i: int, step: np.ndarray) -> float:
        """Return how the weighted outputs differ between input i plus and minus a step."""
        high = self.pull(self.tensors(i, self.inputs[i] + step))
        low = self.pull(self.tensors(i, self.inputs[i] - step))
        pairs = zip(self.upstream, high, low, strict=True)
        return float(sum(np.sum(u * (h - w)) for u, h, w in pairs))

    def central(self, i: int, step: np.ndarray, eps: float) -> float:
        """Return the slope along a step of length eps."""
        return self.difference(i, step) / (2 * eps)

    def complex_step(self, i: int, step: np.ndarray, eps: float) -> float:
        """Return the slope from the imaginary part, where nothing cancels."""
        outputs = self.pull(self.tensors(i, self.inputs[i] + 1j * step))
        if not all(np.iscomplexobj(out) for out in outputs):
            raise DTypeError("the function drops imaginary parts; use method='central'")
        total = sum(np.sum(u * out.imag) for u, out in zip(self.upstream, outputs, strict=True))
        return float(total) / eps

    def estimate(self, i: int, move: Callable[..., float], eps: float) -> np.ndarray:
        """Return the slope for each entry of input i."""
        out = np.zeros(self.inputs[i].shape)
        for place in np.ndindex(out.shape):
            step = np.zeros(out.shape)
            step[place] = eps
            out[place] = move(i, step, eps)
        return out

    def directional(
        self, gradients: dict[int, np.ndarray], eps: float, directions: int
    ) -> list[tuple[int, np.ndarray, np.ndarray]]:
        """Return, for each input, slopes along random directions: of the rules, and estimated."""
        pairs = []
        for i, g in gradients.items():
            ways = [self.rng.standard_normal(g.shape) for _ in range(directions)]
            slopes = np.array([np.sum(g * way) for way in ways])
            pairs.append((i, slopes, np.array([self.central(i, eps * way, eps) for way in ways])))
        return pairs


def _plain(x: Any) -> Any:
    """Return an input as an array, if it is one of numbers."""
    if isinstance(x, Tensor):
        return x.data
    return np.asarray(x) if isinstance(x, float | np.generic) else x


def compare(
    i: int, gradient: np.ndarray, estimate: np.ndarray, rtol: float, atol: float
) -> list[Finding]:
    """Return the worst place where two gradients differ by more than allowed, if there is one."""
    scale = max(1.0, float(np.max(np.abs(estimate), initial=0.0, where=np.isfinite(estimate))))
    allowed = atol * scale + rtol * np.abs(estimate)
    away = np.abs(gradient - estimate)
    bad = ~(away <= allowed)  # NaN is never within
    if not bad.any():
        return []
    worst = np.unravel_index(
        np.argmax(np.where(bad, np.nan_to_num(away, nan=np.inf), -1)), bad.shape
    )
    place = tuple(int(n) for n in worst)
    found = float(gradient[place]), float(estimate[place]), float(allowed[place])
    return [Finding(i, place, *found)]
