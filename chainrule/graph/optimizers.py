"""Optimizers that add their updates to the graph: `minimize` is gradients, then assignments.

>>> from chainrule import graph
>>> with graph.Graph(), graph.Session() as session:
...     w = graph.Variable(3.0)
...     train = graph.GradientDescentOptimizer(0.1).minimize(w * w)
...     session.run(graph.global_variables_initializer())
...     session.run(train)
...     session.run(w)
np.float32(2.4)
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from chainrule.errors import GraphError
from chainrule.graph.gradients import gradients
from chainrule.graph.symbol import Symbol
from chainrule.graph.variables import Variable, group, trainable_variables


class GradientDescentOptimizer:
    """`w -= learning_rate * gradient`.

    Args:
        learning_rate: A number, or a node.

    >>> from chainrule import graph
    >>> with graph.Graph():
    ...     w = graph.Variable(3.0, name="w")
    ...     graph.GradientDescentOptimizer(0.1).compute_gradients(w * 2.0)
    [(<multiply 'gradients/multiply' () float32>, <variable 'w' () float32>)]
    """

    def __init__(self, learning_rate: float | Symbol) -> None:
        self.learning_rate = learning_rate

    def compute_gradients(
        self, loss: Symbol, var_list: Sequence[Variable] | None = None
    ) -> list[tuple[Symbol | None, Variable]]:
        """Return pairs of a gradient node and its variable."""
        variables = list(var_list if var_list is not None else trainable_variables(loss.graph))
        return list(zip(gradients(loss, variables), variables, strict=True))

    def apply_gradients(self, grads_and_vars: Sequence[tuple[Symbol | None, Variable]]) -> Symbol:
        """Return the node that updates every variable that has a gradient.

        Raises:
            GraphError: None has.
        """
        updates = [self.update(v, g) for g, v in grads_and_vars if g is not None]
        if not updates:
            raise GraphError("the loss depends on no trainable variable: nothing would move")
        return group(*updates, name="train")

    def minimize(self, loss: Symbol, var_list: Sequence[Variable] | None = None) -> Symbol:
        """Return the node that makes one step towards a smaller loss."""
        return self.apply_gradients(self.compute_gradients(loss, var_list))

    def update(self, variable: Variable, g: Symbol) -> Symbol:
        """Return the node that moves one variable."""
        return variable.assign_sub(g * self.learning_rate)


class MomentumOptimizer(GradientDescentOptimizer):
    """`speed = momentum * speed + gradient`, then `w -= learning_rate * speed`.

    Args:
        learning_rate: A number, or a node.
        momentum: How much of the speed stays.

    >>> from chainrule import graph
    >>> with graph.Graph():
    ...     w = graph.Variable(3.0, name="w")
    ...     train = graph.MomentumOptimizer(0.1, momentum=0.9).minimize(w * w)
    ...     [v.name for v in graph.global_variables()]
    ['w', 'w/momentum']
    """

    def __init__(self, learning_rate: float | Symbol, momentum: float) -> None:
        super().__init__(learning_rate)
        self.momentum = momentum

    def update(self, variable: Variable, g: Symbol) -> Symbol:
        """Return the node that moves one variable; its speed is a variable too."""
        zeros = np.zeros(variable.shape, variable.dtype)
        speed = Variable(zeros, f"{variable.name}/momentum", trainable=False)
        return variable.assign_sub(speed.assign(self.momentum * speed + g) * self.learning_rate)
