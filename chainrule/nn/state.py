"""What a module is made of, as a flat dict of names and tensors, and back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from chainrule.errors import StateError
from chainrule.tape import Value, no_grad


class IncompatibleKeys(NamedTuple):
    """What `load_state_dict` found not to match.

    Attributes:
        missing_keys: What the module has and the dict had not.
        unexpected_keys: What the dict had and the module has not.

    >>> IncompatibleKeys([], [])
    <All keys matched successfully>
    """

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return f"IncompatibleKeys({self.missing_keys}, {self.unexpected_keys})"


def own_state(module: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Give name and tensor of all parameters and persistent buffers, the children's after."""
    for name, p in module._parameters.items():
        if p is not None:
            yield prefix + name, p
    for name, b in module._buffers.items():
        if b is not None and name not in module._passing:
            yield prefix + name, b
    for name, child in module._modules.items():
        if child is not None:
            yield from own_state(child, f"{prefix}{name}.")


def load(module: Any, state: Mapping[str, Any], strict: bool) -> IncompatibleKeys:
    """Copy the values of a state dict into a module; nothing is copied unless everything fits.

    Raises:
        StateError: Keys are missing or unexpected and `strict` is set, or a shape differs.
    """
    own = dict(own_state(module))
    missing = [k for k in own if k not in state]
    unexpected = [k for k in state if k not in own]
    arrays = {k: as_values(k, state[k]) for k in own if k in state}
    problems = [
        f"size mismatch for {k}: the state has shape {a.shape}, the module {own[k].shape}"
        for k, a in arrays.items()
        if a.shape != own[k].shape
    ]
    if strict and unexpected:
        problems.insert(0, f"Unexpected key(s) in state_dict: {quoted(unexpected)}")
    if strict and missing:
        problems.insert(0, f"Missing key(s) in state_dict: {quoted(missing)}")
    if problems:
        raise StateError(
            f"Error(s) in loading state_dict for {type(module).__name__}:\n\t"
            + "\n\t".join(problems)
        )
    with no_grad():
        for k, a in arrays.items():
            own[k].copy_(a)
    return IncompatibleKeys(missing, unexpected)


def as_values(name: str, value: Any) -> np.ndarray:
    """Return a tensor of this library, or anything that NumPy reads as numbers, as an array."""
    array = value.data if isinstance(value, Value) else np.asarray(value)
    if array.dtype.kind not in "biuf":
        raise StateError(f"{name} of a state dict must be numbers, not {type(value).__name__}")
    return array


def quoted(names: list[str]) -> str:
    """Return names in quotation marks, as PyTorch lists them."""
    return ", ".join(f'"{n}"' for n in names)
