"""Schedules: learning rates that change from epoch to epoch.

>>> import chainrule as cr
>>> optimizer = cr.optim.SGD([cr.nn.Parameter(cr.zeros(1))], lr=1.0)
>>> schedule = cr.optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)
>>> rates = []
>>> for _ in range(5):
...     rates += schedule.get_last_lr()
...     optimizer.step()
...     schedule.step()
>>> rates
[1.0, 1.0, 0.5, 0.5, 0.25]
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from chainrule.errors import OptionError, StateError
from chainrule.optim.optimizer import Optimizer


class LRScheduler:
    """The parent of all schedules: a subclass says by `rate` what the next learning rate is.

    Most take the rate of the epoch before and change it, so that several may work together.

    Args:
        optimizer: Whose groups to change.
        last_epoch: The epoch that is over, -1 at the start.

    Attributes:
        last_epoch: The number of this epoch, from 0.
        base_lrs: The learning rate of each group at the start.

    Raises:
        OptionError: It starts in the middle, and a group has no "initial_lr".

    >>> import chainrule as cr
    >>> class Halves(cr.optim.lr_scheduler.LRScheduler):
    ...     def rate(self, lr, base, group):
    ...         return base / 2**self.last_epoch
    >>> schedule = Halves(cr.optim.SGD([cr.nn.Parameter(cr.zeros(1))], lr=1.0))
    >>> schedule.step()
    >>> schedule.get_last_lr()
    [0.5]
    """

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        if not isinstance(optimizer, Optimizer):
            raise OptionError(f"a schedule needs an Optimizer, not {type(optimizer).__name__}")
        self.optimizer, self.last_epoch = optimizer, last_epoch
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                raise OptionError(
                    f"to go on after epoch {last_epoch}, group {i} needs 'initial_lr'"
                )
        self.base_lrs = [group["initial_lr"] for group in optimizer.param_groups]
        self.step()

    def rate(self, lr: float, base: float, group: int) -> float:
        """Return the learning rate of a group for the epoch `last_epoch`.

        Args:
            lr: That of the epoch before.
            base: That of the start.
            group: The number of the group.
        """
        raise NotImplementedError(f"{type(self).__name__} needs a rate")

    def step(self) -> None:
        """Go on to the next epoch: set the learning rate of every group."""
        self.last_epoch += 1
        for i, group in enumerate(self.optimizer.param_groups):
            group["lr"] = self.rate(group["lr"], self.base_lrs[i], i)

    def get_last_lr(self) -> list[float]:
        """Return the learning rate of each group."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """Return everything but the optimizer and functions; the rates are the optimizer's."""
        return {k: v for k, v in self.__dict__.items() if k not in ("optimizer", "lr_lambdas")}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` returned.

        Raises:
            StateError: It was made for another number of groups.
        """
        here, there = len(self.base_lrs), len(state_dict["base_lrs"])
        if here != there:
            raise StateError(f"the state is of {there} groups, this optimizer has {here}")
        self.__dict__.update(state_dict)


class StepLR(LRScheduler):
    """Times `gamma` after every `step_size` epochs.

    >>> import chainrule as cr
    >>> optimizer = cr.optim.SGD([cr.nn.Parameter(cr.zeros(1))], lr=1.0)
    >>> schedule = cr.optim.lr_scheduler.StepLR(optimizer, 1, gamma=0.5)
    >>> schedule.step()
    >>> schedule.get_last_lr()
    [0.5]
    """

    def __init__(
        self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer, last_epoch)

    def rate(self, lr: float, base: float, group: int) -> float:
        """Return the next learning rate."""
        turn = self.last_epoch and self.last_epoch % self.step_size == 0
        return lr * self.gamma if turn else lr


class MultiStepLR(LRScheduler):
    """Times `gamma` at each of the epochs in `milestones`, as often as it stands there.

    >>> import chainrule as cr
    >>> optimizer = cr.optim.SGD([cr.nn.Parameter(cr.zeros(1))], lr=1.0)
    >>> schedule = cr.optim.lr_scheduler.MultiStepLR(optimizer, [1, 30], gamma=0.5)
    >>> schedule.step()
    >>> schedule.get_last_lr()
    [0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        milestones: Iterable[int],
        gamma: float = 0.1,
        last_epoch: int = -1,
    ) -> None:
        self.milestones, self.gamma = Counter(milestones), gamma
        super().__init__(optimizer, last_epoch)

    def rate(self, lr: float, base: float, group: int) -> float:
        """Return the next learning rate."""
        return lr * self.gamma ** self.milestones[self.last_epoch]


class ExponentialLR(LRScheduler):
    """Times `gamma` after every epoch.

    >>> import chainrule as cr
    >>> optimizer = cr.optim.SGD([cr.nn.Parameter(cr.zeros(1))], lr=1.0)
    >>> schedule = cr.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
    >>> schedule.step()
    >>> schedule.get_last_lr()
    [0.5]
    """

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def rate(self, lr: float, base: float, group: int) -> float:
        """Return the next learning rate."""
        return lr * self.gamma if self.last_epoch else lr


class CosineAnnealingLR(LRScheduler):
    """Down to `eta_min` in `T_max` epochs along half a cosine, and up again (Loshchilov, 2017).

    >>> import chainrule as cr
    >>> optimizer = cr.optim.SGD([cr.nn.Parameter(cr.zeros(1))], lr=1.0)
    >>> schedule = cr.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=2)
    >>> schedule.step()
    >>> f"{schedule.get_last_lr()[0]:.2f}"
    '0.50'
    """

    def __init__(
        self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer, last_epoch)

    def rate(self, lr: float, base: float, group: int) -> float:
        """Return the next learning rate."""
        if not self.last_epoch:
            return lr
        now, before = (
            1 + math.cos(math.pi * epoch / self.T_max)
            for epoch in (self.last_epoch, self.last_epoch - 1)
        )
        if (self.last_epoch - 1 - self.T_max) % (2 * self.T_max) == 0:  # from the lowest point
            return lr + (base - self.eta_min) * (1 - math.cos(math.pi / self.T_max)) / 2
        return now / before * (lr - self.eta_min) + self.eta_min


class LinearLR(LRScheduler):
    """A warm-up: a factor that goes evenly from `start_factor` to `end_factor`, then stays.

    >>> import chainrule as cr
    >>> optimizer = cr.optim.SGD([cr.nn.Parameter(cr.zeros(1))], lr=1.0)
    >>> schedule = cr.optim.lr_scheduler.LinearLR(optimizer, start_factor=0.5, total_iters=2)
    >>> schedule.step()
    >>> schedule.get_last_lr()
    [0.75]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if not 0 < start_factor <= 1 or not 0 <= end_factor <= 1:
            raise OptionError("start_factor lies in (0, 1] and end_factor in [0, 1]")
        self.start_factor, self.end_factor = start_factor, end_factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def factor(self, epoch: int) -> float:
        """Return the factor of an epoch."""
        part = min(epoch, self.total_iters) / self.total_iters
        return self.start_factor + part * (self.end_factor - self.start_factor)

    def rate(self, lr: float, base: float, group: int) -> float:
        """Return the next learning rate."""
        if not self.last_epoch:
            return lr * self.start_factor
        return lr * self.factor(self.last_epoch) / self.factor(self.last_epoch - 1)


class LambdaLR(LRScheduler):
    """The first learning rate times a function of the epoch; a list has one for each group.

    >>> import chainrule as cr
    >>> optimizer = cr.optim.SGD([cr.nn.Parameter(cr.zeros(1))], lr=1.0)
    >>> schedule = cr.optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: 1 / (1 + epoch))
    >>> schedule.step()
    >>> schedule.get_last_lr()
    [0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | list[Callable[[int], float]],
        last_epoch: int = -1,
    ) -> None:
        groups = len(optimizer.param_groups)
        self.lr_lambdas = lr_lambda if isinstance(lr_lambda, list) else [lr_lambda] * groups
        if len(self.lr_lambdas) != groups:
            raise OptionError(f"{len(self.lr_lambdas)} functions for {groups} groups")
        super().__init__(optimizer, last_epoch)

    def rate(self, lr: float, base: float, group: int) -> float:
        """Return the next learning rate."""
        return base * self.lr_lambdas[group](self.last_epoch)


__all__ = [
    "CosineAnnealingLR",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "StepLR",
]
