"""Three spiral arms in the plane, drawn from a seed."""

from pathlib import Path

import numpy as np
from common import write_npz

ARMS, EACH = 3, 200


def make(folder: Path) -> None:
    """Write spirals.npz."""
    rng = np.random.default_rng(2017)
    along = np.linspace(0.05, 1.0, EACH)
    points = []
    for arm in range(ARMS):
        angle = 4.0 * along + 2 * np.pi * arm / ARMS + 0.12 * rng.standard_normal(EACH)
        points.append(np.stack([along * np.sin(angle), along * np.cos(angle)], axis=1))
    labels = np.repeat(np.arange(ARMS), EACH)
    order = rng.permutation(ARMS * EACH)
    write_npz(
        folder / "spirals.npz",
        points=np.concatenate(points)[order].astype(np.float32),
        labels=labels[order].astype(np.int64),
    )
