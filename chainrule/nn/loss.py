"""Losses as modules: the functions of `losses.py` with their options fixed.

>>> import chainrule as cr
>>> cr.nn.MSELoss(reduction="sum")(cr.tensor([1.0, 2.0]), cr.tensor([1.0, 4.0]))
tensor(4.)
"""

from __future__ import annotations

from typing import Any

from chainrule.errors import OptionError
from chainrule.nn import losses
from chainrule.nn.module import Module
from chainrule.tape import Array

REDUCTIONS = ("mean", "sum", "none")


class Loss(Module):
    """What all losses share: `reduction`, and weights that belong to the state.

    Raises:
        OptionError: `reduction` is none of `REDUCTIONS`.
    """

    def __init__(self, reduction: str = "mean", **weights: Any) -> None:
        super().__init__()
        if reduction not in REDUCTIONS:
            raise OptionError(f"reduction is 'mean', 'sum' or 'none', not {reduction!r}")
        self.reduction = reduction
        for name, value in weights.items():
            self.register_buffer(name, value)


class MSELoss(Loss):
    """The mean squared error.

    Args:
        reduction: "mean", "sum", or "none" for one loss per element.

    >>> import chainrule as cr
    >>> cr.nn.MSELoss()(cr.tensor([1.0, 2.0]), cr.tensor([1.0, 4.0]))
    tensor(2.)
    """

    def forward(self, x: Array, target: Array) -> Array:
        """Return the loss of predictions `x`."""
        return losses.mse_loss(x, target, self.reduction)


class L1Loss(Loss):
    """The mean distance; arguments as `MSELoss`.

    >>> import chainrule as cr
    >>> cr.nn.L1Loss()(cr.tensor([1.0, 2.0]), cr.tensor([1.0, 4.0]))
    tensor(1.)
    """

    def forward(self, x: Array, target: Array) -> Array:
        """Return the loss of predictions `x`."""
        return losses.l1_loss(x, target, self.reduction)


class BCELoss(Loss):
    """The negative log-probability of targets that are 0 or 1; see `functional`.

    Args:
        weight: A weight for each element, that broadcasts; or None.
        reduction: "mean", "sum" or "none".

    >>> import chainrule as cr
    >>> cr.nn.BCELoss()(cr.tensor([0.5, 0.9]), cr.tensor([1.0, 1.0]))
    tensor(0.3993)
    """

    def __init__(self, weight: Any = None, reduction: str = "mean") -> None:
        super().__init__(reduction, weight=weight)

    def forward(self, p: Array, target: Array) -> Array:
        """Return the loss of probabilities `p`."""
        return losses.binary_cross_entropy(p, target, self.weight, self.reduction)


class BCEWithLogitsLoss(Loss):
    """`BCELoss` of the sigmoid of scores, exact where that is close to 0 or 1.

    Args:
        weight: A weight for each element, that broadcasts; or None.
        reduction: "mean", "sum" or "none".
        pos_weight: How much the ones weigh, that broadcasts; or None.

    >>> import chainrule as cr
    >>> cr.nn.BCEWithLogitsLoss()(cr.tensor([0.0, 500.0]), cr.ones(2))
    tensor(0.3466)
    """

    def __init__(self, weight: Any = None, reduction: str = "mean", pos_weight: Any = None) -> None:
        super().__init__(reduction, weight=weight, pos_weight=pos_weight)

    def forward(self, x: Array, target: Array) -> Array:
        """Return the loss of scores `x`."""
        how = (self.weight, self.reduction, self.pos_weight)
        return losses.binary_cross_entropy_with_logits(x, target, *how)


class NLLLoss(Loss):
    """The negative of what stands at each target's class, for log-probabilities.

    Args:
        weight: A weight for each class, shape (C,), or None.
        reduction: "mean", "sum" or "none".
        ignore_index: Targets of this number count nothing.

    >>> import chainrule as cr
    >>> cr.nn.NLLLoss()(cr.tensor([[-1.0, -2.0]]), cr.tensor([1]))
    tensor(2.)
    """

    def __init__(
        self, weight: Any = None, reduction: str = "mean", ignore_index: int = -100
    ) -> None:
        super().__init__(reduction, weight=weight)
        self.ignore_index = ignore_index

    def forward(self, x: Array, target: Array) -> Array:
        """Return the loss of log-probabilities `x`, shape (N, C), (N, C, ...) or (C,)."""
        return losses.nll_loss(x, target, self.weight, self.reduction, self.ignore_index)


class CrossEntropyLoss(Loss):
    """The negative log-probability of the right classes, for scores before softmax.

    Args:
        weight: A weight for each class, shape (C,), or None.
        reduction: "mean", "sum" or "none".
        ignore_index: Targets of this number count nothing.
        label_smoothing: How much of the right answer is spread evenly over all classes.

    >>> import chainrule as cr
    >>> cr.nn.CrossEntropyLoss()(cr.tensor([[2.0, 0.0], [0.0, 0.0]]), cr.tensor([0, 1]))
    tensor(0.4100)
    """

    def __init__(
        self,
        weight: Any = None,
        reduction: str = "mean",
        ignore_index: int = -100,
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(reduction, weight=weight)
        self.ignore_index, self.label_smoothing = ignore_index, label_smoothing

    def forward(self, x: Array, target: Array) -> Array:
        """Return the loss of scores `x`, shape (N, C), (N, C, ...) or (C,)."""
        how = (self.weight, self.reduction, self.ignore_index, self.label_smoothing)
        return losses.cross_entropy(x, target, *how)
