"""Gradient descent as nodes, and random numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from chainrule.small_graph import Own, expect


def trial(own: Own) -> None:
    """Take a step on two variables, and draw numbers."""
    w, still = own.Variable([1.0, 2.0]), own.Variable([5.0, 5.0], trainable=False)
    step = own.GradientDescentOptimizer(own.constant(0.25)).minimize((w * w * still).sum())
    noise = own.random_normal((2,), 1.0, 2.0, "float64")
    session = own.Session(seed=3)
    session.run(own.global_variables_initializer())
    expect(session.run(step) is None, "a step is not None")
    expect(np.allclose(session.run([w, still]), [[-1.5, -3.0], [5.0, 5.0]]), "a step is wrong")
    draws = session.run([noise, noise * 1.0])
    wanted = np.random.default_rng(3).normal(1.0, 2.0, 2)
    expect(np.allclose(draws, [wanted, wanted]), "random_normal draws other numbers")


def parts(own: Own) -> dict[str, Any]:
    """Return `random_normal` and `GradientDescentOptimizer`."""

    def random_normal(
        shape: Sequence[int],
        mean: float = 0.0,
        stddev: float = 1.0,
        dtype: Any = "float32",
        name: str | None = None,
    ) -> Any:
        return own.Node("random_normal", (), {"normal": (mean, stddev)}, shape, dtype, name)

    def drawn(session: Any, node: Any) -> Any:
        draw = session.rng.normal(*node.options["normal"], node.shape)
        return np.asarray(draw).astype(node.dtype)

    class GradientDescentOptimizer:
        """Makes the nodes that move variables down a loss."""

        def __init__(self, learning_rate: Any) -> None:
            self.learning_rate = learning_rate

        def compute_gradients(self, loss: Any, var_list: Sequence[Any] | None = None) -> Any:
            if var_list is None:
                var_list = [v for v in own.GRAPHS[-1].variables if v.trainable]
            return list(zip(own.gradients(loss, var_list), var_list, strict=True))

        def apply_gradients(self, pairs: Iterable[Any]) -> Any:
            moves = [v.assign_sub(g * self.learning_rate) for g, v in pairs if g is not None]
            if not moves:
                raise ValueError("the loss depends on none of these variables")
            return own.group(*moves)

        def minimize(self, loss: Any, var_list: Sequence[Any] | None = None) -> Any:
            return self.apply_gradients(self.compute_gradients(loss, var_list))

    own.KERNELS["random_normal"] = drawn
    return {"random_normal": random_normal, "GradientDescentOptimizer": GradientDescentOptimizer}
