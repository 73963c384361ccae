"""The static side: build a graph once, run it many times, with TensorFlow 1's names.

>>> import numpy as np
>>> from chainrule import graph
>>> with graph.Graph():
...     x = graph.placeholder("float32", (3, 2), name="x")
...     w = graph.Variable(np.ones((2, 1), "float32"), name="w")
...     loss = ((x @ w) ** 2).mean()
...     (slope,) = graph.gradients(loss, [w])
...     train = w.assign_sub(0.1 * slope)
...     with graph.Session() as session:
...         session.run(graph.global_variables_initializer())
...         for _ in range(3):
...             print(round(float(session.run([loss, train], {x: np.eye(3, 2)})[0]), 4))
0.6667
0.5807
0.5059

Read in this order: `symbol.py` (nodes), `sources.py`, `record.py`, `session.py` (running),
`variables.py`, `gradients.py`, `control.py`, `optimizers.py`.
"""

from chainrule.graph.control import cond, foldl, while_loop
from chainrule.graph.gradients import gradients
from chainrule.graph.optimizers import GradientDescentOptimizer, MomentumOptimizer
from chainrule.graph.session import Session, lower
from chainrule.graph.sources import (
    Generator,
    constant,
    placeholder,
    random_normal,
    random_uniform,
)
from chainrule.graph.symbol import (
    Graph,
    Symbol,
    control_dependencies,
    get_default_graph,
    name_scope,
    reset_default_graph,
)
from chainrule.graph.variables import (
    Variable,
    assign,
    assign_add,
    assign_sub,
    global_variables,
    global_variables_initializer,
    group,
    trainable_variables,
    variables_initializer,
)

# fmt: off
__all__ = [
    "Generator",
    "GradientDescentOptimizer",
    "Graph",
    "MomentumOptimizer",
    "Session",
    "Symbol",
    "Variable",
    "assign",
    "assign_add",
    "assign_sub",
    "cond",
    "constant",
    "control_dependencies",
    "foldl",
    "get_default_graph",
    "global_variables",
    "global_variables_initializer",
    "gradients",
    "group",
    "lower",
    "name_scope",
    "placeholder",
    "random_normal",
    "random_uniform",
    "reset_default_graph",
    "trainable_variables",
    "variables_initializer",
    "while_loop",
]
# fmt: on
