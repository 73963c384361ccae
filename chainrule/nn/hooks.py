"""Hooks: functions that a module calls before it runs, after it ran, and on the way back.

>>> import chainrule as cr
>>> layer = cr.nn.ReLU()
>>> handle = layer.register_forward_hook(lambda module, args, out: print("saw", out.shape))
>>> _ = layer(cr.ones(2, 3))
saw (2, 3)
>>> handle.remove()
>>> _ = layer(cr.ones(2, 3))
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from chainrule.function import Function
from chainrule.tape import Value

Hooks = dict[int, Callable[..., Any]]

_next = itertools.count().__next__


class RemovableHandle:
    """What registering a hook returns: `remove()` takes the hook away; also a context manager.

    >>> import chainrule as cr
    >>> layer = cr.nn.ReLU()
    >>> with layer.register_forward_pre_hook(lambda module, args: print("called")):
    ...     _ = layer(cr.ones(1))
    called
    >>> _ = layer(cr.ones(1))
    """

    def __init__(self, hooks: Hooks, hook: Callable[..., Any]) -> None:
        self.hooks, self.key = hooks, _next()
        hooks[self.key] = hook

    def remove(self) -> None:
        """Take the hook away; doing so twice is no error."""
        self.hooks.pop(self.key, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exception: Any) -> None:
        self.remove()


def call_with_hooks(module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run a module's forward between its hooks."""
    for hook in list(module._pre_hooks.values()):
        changed = hook(module, args)
        if changed is not None:
            args = changed if isinstance(changed, tuple) else (changed,)
    watch = Watch(module) if module._backward_hooks else None
    if watch:
        args = watch.inputs(args)
    out = module.forward(*args, **kwargs)
    for hook in list(module._forward_hooks.values()):
        changed = hook(module, args, out)
        out = out if changed is None else changed
    return watch.outputs(out) if watch else out


class Watch:
    """One call whose gradients are watched: a step that changes nothing on either side of it.

    The one behind the outputs notes their gradients; the one before the inputs then has both, calls
    the hooks, and passes on what they return.
    """

    def __init__(self, module: Any) -> None:
        self.module = module
        self.behind: tuple[Any, ...] | None = None  # the gradients of the outputs
        self.places: list[int] = []  # of the tensors among the inputs that need gradients
        self.count = 0

    def inputs(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the arguments, with those that need gradients passed through."""
        self.count = len(args)
        args, self.places = through(self._reached, args)
        return args

    def outputs(self, out: Any) -> Any:
        """Return the output, or the tuple of outputs, with its tensors passed through."""
        if not isinstance(out, tuple):
            return through(self._left, (out,))[0][0]
        return through(self._left, out)[0]

    def _left(self, grads: tuple[Any, ...]) -> tuple[Any, ...]:
        self.behind = grads
        if not self.places:
            self._tell((None,) * self.count)
        return grads

    def _reached(self, grads: tuple[Any, ...]) -> tuple[Any, ...]:
        whole: list[Any] = [None] * self.count
        for i, g in zip(self.places, grads, strict=True):
            whole[i] = g
        told = self._tell(tuple(whole))
        return tuple(told[i] for i in self.places)

    def _tell(self, grads: tuple[Any, ...]) -> tuple[Any, ...]:
        for hook in list(self.module._backward_hooks.values()):
            changed = hook(self.module, grads, self.behind)
            if changed is not None:
                grads = changed if isinstance(changed, tuple) else (changed,)
        return grads


def through(back: Callable[..., Any], values: tuple[Any, ...]) -> tuple[tuple[Any, ...], list[int]]:
    """Return the values, those passed through that need gradients; and the places of these."""
    places = [i for i, v in enumerate(values) if isinstance(v, Value) and v.requires_grad]
    if not places:
        return values, places
    passed = list(values)
    for i, x in zip(places, _Through.apply(back, *[values[i] for i in places]), strict=True):
        passed[i] = x
    return tuple(passed), places


class _Through(Function):
    """Tensors as they are; on the way back, what a function makes of their gradients."""

    @staticmethod
    def forward(ctx: Any, back: Callable[..., Any], *tensors: Any) -> Any:
        """Return the tensors."""
        ctx.back = back
        return tensors

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        """Return what the function makes of the gradients."""
        return (None, *ctx.back(grads))
