"""Variables by name, and a layer that makes its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from chainrule.small_graph import Own, expect


def trial(own: Own) -> None:
    """Make a layer, and share it."""
    x, values = own.placeholder("float64", (1, 2)), np.array([[1.0, 2.0, 3.0], [0.0, 1.0, 0.0]])
    initial = own.mine.constant_initializer(values)
    with own.variable_scope("net"):
        out = own.dense(own.mine, x, 3, initial, name="layer")
        again = own.dense(own.mine, x, 3, initial, own.mine.tanh, "layer", True)
    names = [v.name for v in own.GRAPHS[-1].variables]
    expect(sorted(names) == ["net/layer/bias", "net/layer/kernel"], f"the variables are {names}")
    session = own.Session()
    session.run(own.global_variables_initializer())
    session.run([v.assign_add(v * 0.0 + 1.0) for v in own.GRAPHS[-1].variables])
    got = session.run([out, again], {x: [[1.0, 2.0]]})
    wanted = np.array([[5.0, 8.0, 7.0]])
    expect(np.allclose(got, [wanted, np.tanh(wanted)]), "a layer computes something else")


def parts(own: Own) -> dict[str, Any]:
    """Return `variable_scope`, `get_variable` and `dense`."""

    @contextmanager
    def variable_scope(name: str, reuse: bool | None = None) -> Iterator[None]:
        scopes = own.GRAPHS[-1].scopes
        scopes.append((name, bool(reuse)))
        try:
            yield
        finally:
            scopes.pop()

    def get_variable(
        name: str,
        shape: Sequence[int] | None = None,
        dtype: Any = "float32",
        initializer: Callable[..., Any] | None = None,
    ) -> Any:
        graph = own.GRAPHS[-1]
        full = "/".join([*(scope for scope, _ in graph.scopes), name])
        found = graph.shared.get(full)
        if any(reuse for _, reuse in graph.scopes):
            fits = found is not None and (shape is None or tuple(shape) == found.shape)
            if not fits:
                raise ValueError(f"no variable {full!r} of shape {shape} to reuse")
            return found
        if found is not None or initializer is None:
            raise ValueError(f"{full!r} exists already, or has no initializer")
        graph.shared[full] = own.Variable(initializer(shape, dtype), name=full)
        return graph.shared[full]

    def dense(
        tf: Any,
        x: Any,
        units: int,
        kernel_initializer: Any,
        activation: Callable[[Any], Any] | None = None,
        name: str = "dense",
        reuse: bool | None = None,
    ) -> Any:
        with tf.variable_scope(name, reuse=reuse):
            width = int(x.shape[-1])
            kernel = tf.get_variable("kernel", (width, units), x.dtype, kernel_initializer)
            bias = tf.get_variable("bias", (units,), x.dtype, tf.zeros_initializer())
        out = tf.matmul(x, kernel) + bias
        return out if activation is None else activation(out)

    return {"variable_scope": variable_scope, "get_variable": get_variable, "dense": dense}
