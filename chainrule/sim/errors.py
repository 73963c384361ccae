"""What can go wrong with the simulated device itself; errors of PyTorch keep CUDA's words."""

from __future__ import annotations

from chainrule.errors import ChainruleError


class SimError(ChainruleError, RuntimeError):
    """The simulated device cannot do what was asked of it, or is not there."""


class DryRunError(SimError):
    """A value was read in a dry run, which computes none."""
