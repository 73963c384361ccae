"""Arithmetic as parse trees: a digit from 0 to 4, or [operator, left, right] with +, - or *."""

from pathlib import Path

import numpy as np
from common import write_json, write_npz

TRAIN, TEST = 2000, 400


def make(folder: Path) -> None:
    """Write trees.json and values.npz."""
    rng = np.random.default_rng(1980)
    trees, seen = [], set()
    while len(trees) < TRAIN + TEST:
        tree = grow(rng, int(rng.integers(1, 5)))
        if str(tree) not in seen and abs(value(tree)) < 10_000:
            seen.add(str(tree))
            trees.append(tree)
    values = np.array([value(t) for t in trees], np.int64)
    write_json(folder / "trees.json", trees=trees)
    write_npz(
        folder / "values.npz",
        values=values,
        mod5=values % 5,
        train=np.arange(len(trees)) < TRAIN,
    )


def grow(rng, depth):
    """Return a random tree of at most this depth."""
    if depth == 0 or (depth < 4 and rng.random() < 0.2):
        return int(rng.integers(0, 5))
    return [str(rng.choice(["+", "-", "*"])), grow(rng, depth - 1), grow(rng, depth - 1)]


def value(tree):
    """Return what a tree evaluates to."""
    if isinstance(tree, int):
        return tree
    a, b = value(tree[1]), value(tree[2])
    return a + b if tree[0] == "+" else a - b if tree[0] == "-" else a * b
