"""Which simulated device is in use: the one started last, or the dry run around this line."""

from __future__ import annotations

from chainrule.sim.devices import DEVICES, Device
from chainrule.sim.errors import SimError
from chainrule.sim.machine import Machine

STACK: list[Machine] = []  # the device, and the dry runs that are entered


def machine() -> Machine:
    """Return the device in use.

    Raises:
        SimError: Before the first start.
    """
    if not STACK:
        raise SimError("the simulated device is not started; call sim.start() first")
    return STACK[-1]


def restart(model: Device) -> Device:
    """Put a fresh device of this model in the place of the one in use.

    Raises:
        SimError: Within a dry run.
    """
    if len(STACK) > 1:
        raise SimError("sim.start: the device cannot be changed within sim.dry_run")
    STACK[:] = [Machine(model)]
    return model


def enter(model: Device | None) -> Machine:
    """Begin a dry run on a model, or on the one in use, else on the table's first."""
    if not STACK:
        restart(model or DEVICES["titan-xp"])
    dry = Machine(model or STACK[-1].model, dry=True)
    STACK.append(dry)
    return dry


def leave(dry: Machine) -> None:
    """End a dry run."""
    if dry in STACK:
        del STACK[STACK.index(dry) :]
