"""Optimizers and schedules, with PyTorch's names.

>>> import chainrule as cr
>>> import numpy as np
>>> model = cr.nn.Linear(2, 1, rng=np.random.default_rng(0))
>>> optimizer = cr.optim.Adam(model.parameters(), lr=0.1)
>>> for _ in range(200):
...     optimizer.zero_grad()
...     loss = cr.nn.functional.mse_loss(model(cr.eye(2)), cr.tensor([[3.0], [5.0]]))
...     loss.backward()
...     optimizer.step()
>>> bool(loss.item() < 1e-3)
True

Read `rules.py` first: each rule is the formula of its paper.
"""

from chainrule.optim import lr_scheduler
from chainrule.optim.algorithms import SGD, Adagrad, Adam, AdamW, RMSProp, RMSprop
from chainrule.optim.optimizer import Optimizer

__all__ = [
    "SGD",
    "Adagrad",
    "Adam",
    "AdamW",
    "Optimizer",
    "RMSProp",
    "RMSprop",
    "lr_scheduler",
]
