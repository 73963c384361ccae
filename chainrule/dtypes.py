"""Which dtype comes out: PyTorch's rules where NumPy's would turn float32 into float64.

Python numbers never promote. Arrays of no axes do not promote arrays with axes, unless they are of
a higher kind (bool, integer, float, complex). Integers meet floats in the float's dtype, and enter
operations with a float result in the default dtype, which is float32 until it is set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.errors import DTypeError

if TYPE_CHECKING:
    from chainrule.primitive import Primitive

FLOAT64 = np.dtype(np.float64)
_KINDS = {"b": 0, "i": 1, "u": 1, "f": 2, "c": 3}
_default = [np.dtype(np.float32)]


def get_default_dtype() -> np.dtype:
    """Return the dtype that Python floats become.

    >>> import chainrule as cr
    >>> cr.get_default_dtype()
    dtype('float32')
    """
    return _default[0]


def set_default_dtype(dtype: Any) -> None:
    """Set the dtype that Python floats become; DTypeError unless it is a float.

    >>> import chainrule as cr
    >>> cr.set_default_dtype("float64")
    >>> cr.tensor([0.5]).dtype
    dtype('float64')
    >>> cr.set_default_dtype("float32")
    """
    dtype = np.dtype(dtype)
    if dtype.kind != "f":
        raise DTypeError(f"the default dtype must be a float, not {dtype}")
    _default[0] = dtype


def result_type(*values: Any) -> np.dtype:
    """Return the dtype in which these arrays and numbers meet.

    >>> import chainrule as cr
    >>> cr.result_type(cr.ones(3), cr.tensor(2.0, dtype="float64"), 1.5)
    dtype('float32')
    """
    tiers: tuple[list[np.dtype], ...] = ([], [], [])  # with axes, without, Python numbers
    for value in values:
        if isinstance(value, complex) and not hasattr(value, "dtype"):
            tiers[2].append(np.result_type(_default[0], np.complex64))
        elif isinstance(value, bool | int | float) and not hasattr(value, "dtype"):
            tiers[2].append(np.dtype(type(value)) if isinstance(value, int) else _default[0])
        else:
            tiers[0 if np.ndim(value) else 1].append(np.dtype(value.dtype))
    best: np.dtype | None = None
    for tier in tiers:
        top = max((_KINDS.get(d.kind, 9) for d in tier), default=-1)
        if tier and (best is None or top > _KINDS.get(best.kind, 9)):
            best = np.result_type(*[d for d in tier if _KINDS.get(d.kind, 9) == top])
    if best is None:
        raise DTypeError("result_type needs at least one value")
    return best


def settle(op: Primitive, arrays: list[Any], data: Any, options: dict[str, Any]) -> tuple[Any, Any]:
    """Return the inputs and output of a call whose output NumPy made float64, as they should be."""
    if op.dtype is not None:  # the operation says so itself
        return arrays, data
    for a in arrays:
        if getattr(a, "dtype", FLOAT64) is not FLOAT64:
            break
    else:
        return arrays, data
    wanted = result_type(*arrays)
    if wanted.kind in "biu":
        wanted = _default[0]
    if wanted == FLOAT64:
        return arrays, data
    arrays = [np.asarray(a).astype(wanted) if hasattr(a, "dtype") else a for a in arrays]
    return arrays, op.forward(*arrays, **options)
