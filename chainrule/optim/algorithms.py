"""The optimizers: each is a rule and its options."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from chainrule.optim import rules
from chainrule.optim.optimizer import Optimizer


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum if given.

    Args:
        params: Tensors, or dicts of "params" and options.
        lr: The learning rate.
        momentum: How much of the speed stays.
        dampening: How little of each gradient after the first enters the speed.
        weight_decay: How much of the parameter is added to its gradient.
        nesterov: Whether to take the gradient where the speed leads.
        maximize: Whether to go up.

    >>> import chainrule as cr
    >>> w = cr.nn.Parameter(cr.tensor(1.0))
    >>> optimizer = cr.optim.SGD([w], lr=0.1, momentum=0.9)
    >>> for _ in range(2):
    ...     optimizer.zero_grad()
    ...     (2 * w).backward()
    ...     optimizer.step()
    >>> f"{w.item():.2f}"
    '0.42'
    """

    rule = staticmethod(rules.sgd)

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        options = {"lr": lr, "momentum": momentum, "dampening": dampening}
        more = {"weight_decay": weight_decay, "nesterov": nesterov, "maximize": maximize}
        super().__init__(params, {**options, **more})


class RMSprop(Optimizer):
    """Gradients divided by the root of a running mean of their squares (Hinton, 2012).

    Args:
        params: Tensors, or dicts of "params" and options.
        lr: The learning rate.
        alpha: How much of the running mean stays.
        eps: Added to the root.
        weight_decay: How much of the parameter is added to its gradient.
        momentum: How much of the speed stays.
        centered: Whether to take the running mean of gradients off: to divide by the deviation.
        maximize: Whether to go up.

    >>> import chainrule as cr
    >>> w = cr.nn.Parameter(cr.tensor(1.0))
    >>> (2 * w).backward()
    >>> cr.optim.RMSprop([w], lr=0.01).step()
    >>> f"{w.item():.2f}"
    '0.90'
    """

    rule = staticmethod(rules.rmsprop)

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        options = {"lr": lr, "alpha": alpha, "eps": eps, "weight_decay": weight_decay}
        more = {"momentum": momentum, "centered": centered, "maximize": maximize}
        super().__init__(params, {**options, **more})


RMSProp = RMSprop


class Adam(Optimizer):
    """Running means of gradients and of their squares (Kingma and Ba, 2015).

    Args:
        params: Tensors, or dicts of "params" and options.
        lr: The learning rate.
        betas: How much of the two running means stays.
        eps: Added to the root.
        weight_decay: How much of the parameter is added to its gradient.
        amsgrad: Whether to divide by the largest running mean of squares so far.
        maximize: Whether to go up.

    >>> import chainrule as cr
    >>> w = cr.nn.Parameter(cr.tensor(1.0))
    >>> (2 * w).backward()
    >>> cr.optim.Adam([w], lr=0.1).step()
    >>> f"{w.item():.2f}"
    '0.90'
    """

    rule = staticmethod(rules.adam)
    decay = 0.0

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float | None = None,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        decay = self.decay if weight_decay is None else weight_decay
        options = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": decay}
        super().__init__(params, {**options, "amsgrad": amsgrad, "maximize": maximize})


class AdamW(Adam):
    """Adam whose weight decay shrinks the parameter itself; 0.01 unless given.

    Arguments as `Adam`.

    >>> import chainrule as cr
    >>> w = cr.nn.Parameter(cr.tensor(1.0))
    >>> (0 * w).backward()
    >>> cr.optim.AdamW([w], lr=0.1, weight_decay=0.5).step()
    >>> f"{w.item():.2f}"
    '0.95'
    """

    rule = staticmethod(rules.adamw)
    decay = 0.01


class Adagrad(Optimizer):
    """Gradients divided by the root of the sum of all their squares (Duchi and others, 2011).

    Args:
        params: Tensors, or dicts of "params" and options.
        lr: The learning rate.
        lr_decay: How fast the learning rate falls: it is `lr / (1 + steps * lr_decay)`.
        weight_decay: How much of the parameter is added to its gradient.
        eps: Added to the root.
        maximize: Whether to go up.

    >>> import chainrule as cr
    >>> w = cr.nn.Parameter(cr.tensor(1.0))
    >>> (2 * w).backward()
    >>> cr.optim.Adagrad([w], lr=0.1).step()
    >>> f"{w.item():.2f}"
    '0.90'
    """

    rule = staticmethod(rules.adagrad)

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        eps: float = 1e-10,
        *,
        maximize: bool = False,
    ) -> None:
        options = {"lr": lr, "lr_decay": lr_decay, "weight_decay": weight_decay}
        super().__init__(params, {**options, "eps": eps, "maximize": maximize})
