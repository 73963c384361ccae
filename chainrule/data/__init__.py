"""Feeding a model: datasets, the order of their samples, batches, and the data that ships.

>>> import chainrule as cr
>>> digits = cr.data.load("digits")
>>> loader = cr.data.DataLoader(
...     cr.data.TensorDataset(digits["images"], digits["labels"]),
...     batch_size=64, shuffle=True, seed=0,
... )
>>> images, labels = next(iter(loader))
>>> images.shape, labels.shape, len(loader)
((64, 8, 8), (64,), 29)
"""

from chainrule.data.dataset import ConcatDataset, Dataset, Subset, TensorDataset, random_split
from chainrule.data.loader import DataLoader, default_collate
from chainrule.data.samplers import (
    BatchSampler,
    LengthSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    WeightedRandomSampler,
)
from chainrule.data.shipped import load, names

__all__ = [
    "BatchSampler",
    "ConcatDataset",
    "DataLoader",
    "Dataset",
    "LengthSampler",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "Subset",
    "TensorDataset",
    "WeightedRandomSampler",
    "default_collate",
    "load",
    "names",
    "random_split",
]
