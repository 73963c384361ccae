"""Gradients found without calculus, to judge rules found with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np


def vjp_by_complex_step(
    f: Callable[..., Any], args: Sequence[Any], upstream: Any, step: float = 1e-30
) -> tuple[np.ndarray, ...]:
    """Return the gradients of `sum(upstream * f(*args))`, one per argument, to machine precision.

    `f` must be analytic and written in NumPy operations that accept complex numbers (no `abs`,
    `maximum` or comparisons). Squire and Trapp, SIAM Review 40 (1998): the imaginary part of
    f(x + ih) is h f'(x) with no subtraction, so no digits are lost. Arguments are cast to float64.
    """
    exact = [np.asarray(a, dtype=np.float64) for a in args]
    gradients = []
    for position, array in enumerate(exact):
        gradient = np.empty(array.shape)
        for index in np.ndindex(array.shape):
            moved = [a.astype(np.complex128) for a in exact]
            moved[position][index] += 1j * step
            gradient[index] = np.sum(np.asarray(upstream) * np.imag(f(*moved))) / step
        gradients.append(gradient)
    return tuple(gradients)


def vjp_by_differences(
    f: Callable[..., Any], args: Sequence[Any], upstream: Any, step: float = 1e-6
) -> tuple[np.ndarray, ...]:
    """Return the gradients of `sum(upstream * f(*args))`, one per argument, by central differences.

    Good to about 1e-9 relative at the default step in float64, away from kinks of `f`. Arguments
    are cast to float64.
    """
    exact = [np.asarray(a, dtype=np.float64) for a in args]
    gradients = []
    for position, array in enumerate(exact):
        gradient = np.empty(array.shape)
        for index in np.ndindex(array.shape):
            values = []
            for sign in (step, -step):
                moved = [a.copy() for a in exact]
                moved[position][index] += sign
                values.append(np.sum(np.asarray(upstream) * f(*moved)))
            gradient[index] = (values[0] - values[1]) / (2 * step)
        gradients.append(gradient)
    return tuple(gradients)
