"""Mixed precision: which operations `torch.autocast("sim")` runs in half precision, which in full.

The lists are the part of CUDA's that a network of this course uses: products and convolutions in
half precision, what adds up many numbers or grows fast in float32, the rest in what it is given.
https://docs.pytorch.org/docs/stable/amp.html#op-specific-behavior
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.utils._pytree import tree_map_only

HALF = (
    "addbmm",
    "addmm",
    "addmv",
    "addr",
    "baddbmm",
    "bmm",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "convolution",
    "conv_transpose2d.input",
    "einsum",
    "linear",
    "matmul",
    "mm",
    "mv",
    "prelu",
    "scaled_dot_product_attention",
)
FULL = (
    "binary_cross_entropy_with_logits",
    "cosine_similarity",
    "cross_entropy_loss",
    "cumprod",
    "cumsum",
    "exp",
    "expm1",
    "kl_div",
    "l1_loss",
    "layer_norm",
    "log",
    "log10",
    "log1p",
    "log2",
    "log_softmax.int",
    "logsumexp",
    "mse_loss",
    "nll_loss",
    "nll_loss_nd",
    "norm.Scalar",
    "pow.Tensor_Scalar",
    "pow.Tensor_Tensor",
    "prod",
    "reciprocal",
    "rsqrt",
    "smooth_l1_loss",
    "softmax.int",
    "softplus",
    "sum",
    "sum.dim_IntList",
)
KEY = torch._C.DispatchKey.AutocastPrivateUse1  # type: ignore[attr-defined]
ALL = torch.library.Library("_", "IMPL")
LIBRARY = torch.library.Library("aten", "IMPL")


def casting(operation: Callable[..., Any], half: bool) -> Callable[..., Any]:
    """Return the operation with its floating-point operands, except float64, cast first."""

    def call(*args: Any, **kwargs: Any) -> Any:
        dtype = torch.get_autocast_dtype("sim") if half else torch.float32

        def cast(value: torch.Tensor) -> torch.Tensor:
            wanted = value.is_floating_point() and value.dtype != torch.float64
            return value.to(dtype) if wanted and value.device.type == "sim" else value

        with torch._C._ExcludeDispatchKeyGuard(torch._C.DispatchKeySet(KEY)):
            args, kwargs = tree_map_only(torch.Tensor, cast, (args, kwargs))
            return operation(*args, **kwargs)

    return call


def register() -> None:
    """Register the lists with PyTorch."""
    ALL.fallback(torch.library.fallthrough_kernel, "AutocastPrivateUse1")
    for names, half in ((HALF, True), (FULL, False)):
        for name in names:
            packet, _, overload = name.partition(".")
            operation = getattr(getattr(torch.ops.aten, packet), overload or "default")
            LIBRARY.impl(name, casting(operation, half), "AutocastPrivateUse1")
