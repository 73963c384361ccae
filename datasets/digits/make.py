"""Handwritten digits, 8 by 8 pixels, as scikit-learn ships them."""

from pathlib import Path

import numpy as np
from common import write_npz


def make(folder: Path) -> None:
    """Write digits.npz."""
    from sklearn.datasets import load_digits

    found = load_digits()
    write_npz(
        folder / "digits.npz",
        images=found.images.astype(np.uint8),
        labels=found.target.astype(np.int64),
    )
