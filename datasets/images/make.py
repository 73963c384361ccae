"""Small pictures as PNG files in folders named after what they show."""

from pathlib import Path

import numpy as np

SIDE, EACH = 32, 12


def make(folder: Path) -> None:
    """Write drawn/..., and crops of the two photographs that come with scikit-learn."""
    from PIL import Image

    rng = np.random.default_rng(2012)
    for kind in ("circle", "cross", "ring"):
        for i in range(EACH):
            save(Image.fromarray(drawing(rng, kind)), folder / kind / f"{i:02}.png")
    from sklearn.datasets import load_sample_images

    found = load_sample_images()
    for name, photo in zip(found.filenames, found.images, strict=True):
        kind = "building" if "china" in str(name) else "flower"
        top, left = (40, 120) if kind == "building" else (60, 180)
        for i in range(EACH):
            y, x = top + 90 * (i // 4), left + 90 * (i % 4)
            crop = Image.fromarray(photo[y : y + 96, x : x + 96]).resize((SIDE, SIDE), Image.BOX)
            save(crop, folder / kind / f"{i:02}.png")


def save(image, path: Path) -> None:
    """Write a PNG with nothing in it but the picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, optimize=False, compress_level=9)


def drawing(rng, kind):
    """Return a drawn picture, uint8 of shape (32, 32, 3)."""
    y, x = np.mgrid[0:SIDE, 0:SIDE] - (SIDE - 1) / 2 - rng.uniform(-5, 5, 2)[:, None, None]
    size = rng.uniform(6, 10)
    away = np.hypot(x, y)
    masks = {
        "circle": away <= size,
        "ring": (away <= size) & (away >= size - 3),
        "cross": (np.minimum(abs(x), abs(y)) <= 1.6) & (np.maximum(abs(x), abs(y)) <= size),
    }
    ground, ink = rng.integers(150, 256, 3), rng.integers(0, 110, 3)
    image = np.where(masks[kind][..., None], ink, ground) + rng.integers(-12, 13, (SIDE, SIDE, 3))
    return np.clip(image, 0, 255).astype(np.uint8)
