"""The reference library that the lessons build: tensors, gradients, and how both come about.

Read it in this order: `primitive.py` (what an operation is), `ops/elementwise.py` (the first of
them), `tape.py` (what a call leaves behind), `sweep.py` (how gradients come back), `tensor.py`.

>>> import chainrule as cr
>>> w = cr.tensor([[1.0], [2.0]], requires_grad=True)
>>> loss = ((cr.ones(3, 2) @ w - 1.0) ** 2).mean()
>>> loss.backward()
>>> w.grad
tensor([[4.],
        [4.]])
"""

from importlib import import_module

from chainrule.create import (
    arange,
    as_tensor,
    eye,
    full,
    ones,
    ones_like,
    rand,
    randn,
    zeros,
    zeros_like,
)
from chainrule.dtypes import get_default_dtype, result_type, set_default_dtype
from chainrule.errors import (
    AxisError,
    BackwardError,
    ChainruleError,
    DataError,
    DTypeError,
    FeedError,
    FetchError,
    GradcheckError,
    GraphError,
    GraphFileError,
    InPlaceError,
    OptionError,
    ShapeError,
    StateError,
    TraceError,
)
from chainrule.function import Function
from chainrule.gradcheck import gradcheck, gradgradcheck
from chainrule.ops.choices import (
    cast,
    clip,
    equal,
    greater,
    greater_equal,
    less,
    less_equal,
    logical_and,
    logical_not,
    logical_or,
    maximum,
    minimum,
    not_equal,
    sign,
    where,
)
from chainrule.ops.conv import conv2d
from chainrule.ops.elementwise import (
    absolute,
    add,
    cos,
    divide,
    exp,
    log,
    log1p,
    multiply,
    negative,
    power,
    relu,
    sigmoid,
    sin,
    softplus,
    sqrt,
    subtract,
    tanh,
)
from chainrule.ops.index import embedding, gather, getitem
from chainrule.ops.linalg import linear, matmul
from chainrule.ops.nnops import (
    batch_norm,
    cross_entropy,
    dropout,
    layer_norm,
    log_softmax,
    one_hot,
    softmax,
)
from chainrule.ops.pool import avg_pool2d, max_pool2d
from chainrule.ops.reduce import argmax, argmin, logsumexp, max, mean, min, std, sum, var
from chainrule.ops.shape import (
    chunk,
    concatenate,
    expand,
    flatten,
    flip,
    pad,
    permute,
    reshape,
    split,
    squeeze,
    stack,
    swapaxes,
    transpose,
    unbroadcast,
    unsqueeze,
)
from chainrule.primitive import TABLE
from chainrule.randomness import manual_seed
from chainrule.sweep import backward, grad
from chainrule.tape import enable_grad, is_grad_enabled, no_grad, set_grad_enabled
from chainrule.tensor import Tensor, tensor

abs, pow, div, sub, mul, neg = absolute, power, divide, subtract, multiply, negative
amax, amin, clamp, cat, expand_dims, broadcast_to = max, min, clip, concatenate, unsqueeze, expand

# fmt: off
__all__ = [
    "TABLE",
    "AxisError",
    "BackwardError",
    "ChainruleError",
    "DTypeError",
    "DataError",
    "FeedError",
    "FetchError",
    "Function",
    "GradcheckError",
    "GraphError",
    "GraphFileError",
    "InPlaceError",
    "OptionError",
    "ShapeError",
    "StateError",
    "Tensor",
    "TraceError",
    "abs",
    "absolute",
    "add",
    "amax",
    "amin",
    "arange",
    "argmax",
    "argmin",
    "as_tensor",
    "avg_pool2d",
    "backward",
    "batch_norm",
    "broadcast_to",
    "cast",
    "cat",
    "chunk",
    "clamp",
    "clip",
    "concatenate",
    "conv2d",
    "cos",
    "cross_entropy",
    "div",
    "divide",
    "dropout",
    "embedding",
    "enable_grad",
    "equal",
    "exp",
    "expand",
    "expand_dims",
    "eye",
    "flatten",
    "flip",
    "full",
    "gather",
    "get_default_dtype",
    "getitem",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "greater",
    "greater_equal",
    "is_grad_enabled",
    "layer_norm",
    "less",
    "less_equal",
    "linear",
    "log",
    "log1p",
    "log_softmax",
    "logical_and",
    "logical_not",
    "logical_or",
    "logsumexp",
    "manual_seed",
    "matmul",
    "max",
    "max_pool2d",
    "maximum",
    "mean",
    "min",
    "minimum",
    "mul",
    "multiply",
    "neg",
    "negative",
    "no_grad",
    "not_equal",
    "one_hot",
    "ones",
    "ones_like",
    "pad",
    "permute",
    "pow",
    "power",
    "rand",
    "randn",
    "relu",
    "reshape",
    "result_type",
    "set_default_dtype",
    "set_grad_enabled",
    "sigmoid",
    "sign",
    "sin",
    "softmax",
    "softplus",
    "split",
    "sqrt",
    "squeeze",
    "stack",
    "std",
    "sub",
    "subtract",
    "sum",
    "swapaxes",
    "tanh",
    "tensor",
    "transpose",
    "unbroadcast",
    "unsqueeze",
    "var",
    "where",
    "zeros",
    "zeros_like",
]
# fmt: on

#: What is imported when it is first asked for: a module, or a name in one.
_LATER = {
    "data": ("chainrule.data", None),
    "draw": ("chainrule.drawing", "draw"),
    "graph": ("chainrule.graph", None),
    "jit": ("chainrule.compiler.jit", "jit"),
    "nn": ("chainrule.nn", None),
    "optim": ("chainrule.optim", None),
}


def __getattr__(name: str) -> object:
    if name not in _LATER:
        raise AttributeError(f"module 'chainrule' has no attribute {name!r}")
    module, inner = _LATER[name]
    found = import_module(module)
    return found if inner is None else getattr(found, inner)
