"""Layers, and what makes a model of them, with PyTorch's names.

>>> import chainrule as cr
>>> import numpy as np
>>> rng = np.random.default_rng(0)
>>> model = cr.nn.Sequential(
...     cr.nn.Linear(2, 8, rng=rng), cr.nn.Tanh(), cr.nn.Linear(8, 1, rng=rng)
... )
>>> loss = cr.nn.MSELoss()(model(cr.ones(4, 2)), cr.zeros(4, 1))
>>> loss.backward()
>>> [name for name, p in model.named_parameters() if p.grad is not None]
['0.weight', '0.bias', '2.weight', '2.bias']

Read in this order: `parameter.py`, `registry.py` (what a module contains), `module.py` (what it
does), `layers.py`, then as you like.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chainrule.nn import functional, init, utils
    from chainrule.nn.activations import (
        AvgPool2d,
        Identity,
        LogSoftmax,
        MaxPool2d,
        ReLU,
        Sigmoid,
        Softmax,
        Softplus,
        Tanh,
    )
    from chainrule.nn.containers import ModuleDict, ModuleList, Sequential
    from chainrule.nn.layers import Conv2d, Dropout, Embedding, Flatten, Linear
    from chainrule.nn.loss import (
        BCELoss,
        BCEWithLogitsLoss,
        CrossEntropyLoss,
        L1Loss,
        MSELoss,
        NLLLoss,
    )
    from chainrule.nn.module import Module
    from chainrule.nn.norm import BatchNorm1d, BatchNorm2d, LayerNorm
    from chainrule.nn.parameter import Parameter
    from chainrule.nn.recurrent import LSTMCell, RNNCell
    from chainrule.nn.sequences import LSTM, RNN

# fmt: off
__all__ = [
    "LSTM",
    "RNN",
    "AvgPool2d",
    "BCELoss",
    "BCEWithLogitsLoss",
    "BatchNorm1d",
    "BatchNorm2d",
    "Conv2d",
    "CrossEntropyLoss",
    "Dropout",
    "Embedding",
    "Flatten",
    "Identity",
    "L1Loss",
    "LSTMCell",
    "LayerNorm",
    "Linear",
    "LogSoftmax",
    "MSELoss",
    "MaxPool2d",
    "Module",
    "ModuleDict",
    "ModuleList",
    "NLLLoss",
    "Parameter",
    "RNNCell",
    "ReLU",
    "Sequential",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Tanh",
    "functional",
    "init",
    "utils",
]
# fmt: on

#: Module -> the names that come from it. Each is imported when it is first asked for, so that a
#: lesson can do without the parts that its exercises build.
# fmt: off
_HOME = {
    "activations": (
        "AvgPool2d", "Identity", "LogSoftmax", "MaxPool2d", "ReLU", "Sigmoid", "Softmax",
        "Softplus", "Tanh",
    ),
    "containers": ("ModuleDict", "ModuleList", "Sequential"),
    "layers": ("Conv2d", "Dropout", "Embedding", "Flatten", "Linear"),
    "loss": ("BCELoss", "BCEWithLogitsLoss", "CrossEntropyLoss", "L1Loss", "MSELoss", "NLLLoss"),
    "module": ("Module",),
    "norm": ("BatchNorm1d", "BatchNorm2d", "LayerNorm"),
    "parameter": ("Parameter",),
    "recurrent": ("LSTMCell", "RNNCell"),
    "sequences": ("LSTM", "RNN"),
}
# fmt: on
_LATER = {name: module for module, names in _HOME.items() for name in names}


def __getattr__(name: str) -> object:
    if name in ("functional", "init", "utils"):
        return import_module(f"chainrule.nn.{name}")
    if name not in _LATER:
        raise AttributeError(f"module 'chainrule.nn' has no attribute {name!r}")
    found = getattr(import_module(f"chainrule.nn.{_LATER[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return __all__
