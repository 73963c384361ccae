"""Where random numbers come from when nobody passes a generator.

Everything that draws takes `rng`, a `np.random.Generator`. What gets none shares one generator,
which starts from seed 0 in every process: a script gives the same numbers each time it runs.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

Rng: TypeAlias = "np.random.Generator | None"

_shared: list[np.random.Generator] = []  # NumPy's random part is imported when first used


def manual_seed(seed: int) -> None:
    """Start the shared generator anew; NumPy's own global state is left alone.

    >>> import chainrule as cr
    >>> cr.manual_seed(3)
    >>> first = cr.nn.Linear(2, 2).weight
    >>> cr.manual_seed(3)
    >>> bool((cr.nn.Linear(2, 2).weight == first).data.all())
    True
    """
    fresh = np.random.default_rng(seed)
    if _shared:  # the same object: a replay of `jit` draws from the one it was traced with
        _shared[0].bit_generator.state = fresh.bit_generator.state
    else:
        _shared.append(fresh)


def generator(rng: Rng = None) -> np.random.Generator:
    """Return the generator given, or the shared one.

    >>> import chainrule as cr
    >>> cr.manual_seed(0)
    >>> f"{generator().random():.4f}"
    '0.6370'
    """
    if rng is not None:
        return rng
    if not _shared:
        manual_seed(0)
    return _shared[0]
