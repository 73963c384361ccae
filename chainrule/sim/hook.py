"""Whether PyTorch here can be given a device written in Python, and giving it one, once."""

from __future__ import annotations

import functools
import importlib.util

from chainrule.sim.errors import SimError

HOOK = "_setup_privateuseone_for_python_backend"
UNNAMED = "privateuseone"


def why_not() -> str:
    """Return the sentence that says what is missing, or ""."""
    if importlib.util.find_spec("torch") is None:
        return 'the simulated device needs PyTorch: pip install "torch>=2.13"'
    import torch
    from torch.utils import backend_registration

    if not hasattr(backend_registration, HOOK) or not hasattr(torch._C, "_acc"):
        return (
            f"PyTorch {torch.__version__} lacks the experimental hook that the simulated device "
            'needs; pip install "torch>=2.13"'
        )
    taken = torch._C._get_privateuse1_backend_name()
    if taken not in (UNNAMED, "sim"):
        return (
            f"this process has registered another device, {taken!r}, and PyTorch takes only one; "
            "start the simulated device in a fresh process"
        )
    return ""


def register() -> None:
    """Register the device with PyTorch, unless that is done.

    Raises:
        SimError: Where it cannot be had; the message is `why_not()`.
    """
    reason = why_not()
    if reason:
        raise SimError(reason)
    registered()


@functools.cache
def registered() -> None:
    """Register device, kernels, saving and pinned memory; once per process."""
    from torch.utils import backend_registration

    from chainrule.sim import autocast, pinned, saving, tensor, torch_sim

    getattr(backend_registration, HOOK)("sim", backend_module=torch_sim)
    tensor.register()
    pinned.register()
    saving.register()
    autocast.register()
