"""`Module`: what has parameters, computes something, and may be made of other modules.

>>> import chainrule as cr
>>> class Line(cr.nn.Module):
...     def __init__(self):
...         super().__init__()
...         self.slope = cr.nn.Parameter(cr.tensor(2.0))
...
...     def forward(self, x):
...         return self.slope * x
>>> line = Line()
>>> line(cr.tensor([1.0, 3.0]))
tensor([2., 6.], grad_fn=<multiply>)
>>> dict(line.named_parameters())
{'slope': Parameter containing:
tensor(2., requires_grad=True)}
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np

from chainrule.errors import DTypeError
from chainrule.nn.hooks import Hooks, RemovableHandle, call_with_hooks
from chainrule.nn.parameter import clear_grad, recast
from chainrule.nn.registry import Registry
from chainrule.nn.state import IncompatibleKeys, load, own_state
from chainrule.tensor import Tensor

Self = TypeVar("Self", bound="Module")


class Module(Registry):
    """The parent of all layers and models: call `super().__init__()`, write `forward`.

    Attributes:
        training: Whether layers such as dropout behave as in training; see `train`.

    >>> import chainrule as cr
    >>> class Twice(cr.nn.Module):
    ...     def forward(self, x):
    ...         return x + x
    >>> Twice()(cr.tensor(2.0))
    tensor(4.)
    """

    training: bool
    _pre_hooks: Hooks
    _forward_hooks: Hooks
    _backward_hooks: Hooks

    def __init__(self) -> None:
        super().__init__()
        self.__dict__.update(training=True, _pre_hooks={}, _forward_hooks={}, _backward_hooks={})

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Return what the module computes; every subclass writes its own."""
        raise NotImplementedError(f"{type(self).__name__} needs a forward")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return what `forward` returns; hooks are called before, after and on the way back."""
        if self._pre_hooks or self._forward_hooks or self._backward_hooks:
            return call_with_hooks(self, args, kwargs)
        return self.forward(*args, **kwargs)

    def apply(self: Self, fn: Callable[[Module], Any]) -> Self:
        """Call `fn` with every module, children first, and return this one."""
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    # --------------------------------------------------------------------------- state and modes

    def state_dict(self, prefix: str = "") -> dict[str, Tensor]:
        """Return parameters and persistent buffers by dotted name, detached, of the same memory."""
        return {name: value.detach() for name, value in own_state(self, prefix)}

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True
    ) -> IncompatibleKeys:
        """Copy in the values of a state dict, of this library or of PyTorch.

        Args:
            state_dict: Names, and tensors or arrays; each is cast to the dtype here.
            strict: Refuse missing and unexpected names, rather than report them.

        Raises:
            StateError: Names or shapes do not fit; nothing has been copied then.
        """
        return load(self, state_dict, strict)

    def train(self: Self, mode: bool = True) -> Self:
        """Set the mode of this module and all below: training, or not."""
        for module in self.modules():
            module.training = bool(mode)
        return self

    def eval(self: Self) -> Self:
        """Leave training mode: `train(False)`."""
        return self.train(False)

    def requires_grad_(self: Self, flag: bool = True) -> Self:
        """Let all parameters require gradients, or none."""
        for p in self.parameters():
            p.requires_grad_(flag)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters, or set them to zeros."""
        for p in self.parameters():
            clear_grad(p, set_to_none)

    def to(self: Self, dtype: Any) -> Self:
        """Turn all floating-point parameters and buffers into another floating-point dtype.

        The parameters stay the same objects, so an optimizer keeps moving them.

        Raises:
            DTypeError: The dtype is no floating-point one.
        """
        try:
            wanted = np.dtype(dtype)
        except TypeError:
            wanted = np.dtype(object)
        if wanted.kind != "f":
            raise DTypeError(f"a module is turned into a floating-point dtype, not {dtype!r}")
        for value in (*self.parameters(), *self.buffers()):
            recast(value, wanted)
        return self

    def float(self: Self) -> Self:
        """Turn all floating-point parameters and buffers into float32."""
        return self.to(np.float32)

    def double(self: Self) -> Self:
        """Turn all floating-point parameters and buffers into float64."""
        return self.to(np.float64)

    # ------------------------------------------------------------------------------------- hooks

    def register_forward_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call `hook(module, args)` before `forward`; what it returns, if anything, replaces args.

        Returns:
            A handle whose `remove()` takes the hook away.
        """
        return self._hook("_pre_hooks", hook)

    def register_forward_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call `hook(module, args, output)` after `forward`; what it returns is the new output."""
        return self._hook("_forward_hooks", hook)

    def register_full_backward_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call `hook(module, grad_input, grad_output)` in a backward pass.

        Both are tuples, with None for inputs that need no gradient. What the hook returns, if
        anything, replaces `grad_input`.
        """
        return self._hook("_backward_hooks", hook)

    def _hook(self, kind: str, hook: Callable[..., Any]) -> RemovableHandle:
        return RemovableHandle(self.__dict__[kind], hook)

    # --------------------------------------------------------------------------------- as a text

    def extra_repr(self) -> str:
        """Return what stands between the brackets of the module's line."""
        return ""

    def __repr__(self) -> str:
        lines = [f"({name}): {child!r}" for name, child in self._modules.items()]
        extra, name = self.extra_repr(), type(self).__name__
        if not lines:
            return f"{name}({extra})"
        body = "\n".join(lines).replace("\n", "\n  ")
        return f"{name}({extra}\n  {body}\n)"
