"""What a module contains: parameters, buffers and other modules, each under a name.

Setting an attribute is all it takes: a `Parameter` or a module is entered into the registry of its
kind by its attribute's name. Everything else is a walk over these registries.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from chainrule.nn.parameter import Parameter
from chainrule.tensor import Tensor


class Registry:
    """The part of `Module` that knows what is in it."""

    _parameters: dict[str, Any]
    _buffers: dict[str, Any]
    _passing: set[str]
    _modules: dict[str, Any]

    def __init__(self) -> None:
        self.__dict__.update(
            _parameters={},
            _buffers={},
            _passing=set(),  # the names of the buffers that state_dict leaves out
            _modules={},
        )

    def __setattr__(self, name: str, value: Any) -> None:
        kind = "_parameters" if isinstance(value, Parameter) else None
        kind = "_modules" if isinstance(value, Registry) else kind
        if "_modules" not in self.__dict__:
            if kind:
                raise AttributeError(f"{name}: call super().__init__() before setting this")
            return object.__setattr__(self, name, value)
        if kind is None:
            kind = self._place(name, value)
        if kind is None:
            return object.__setattr__(self, name, value)
        for other in (self.__dict__, self._parameters, self._buffers, self._modules):
            if other is not self.__dict__[kind]:
                other.pop(name, None)
        self.__dict__[kind][name] = value

    def _place(self, name: str, value: Any) -> str | None:
        """Return the registry that has this name already, if the value may take its place there."""
        for kind, takes in REGISTRIES.items():
            if name in self.__dict__[kind]:
                if value is None or isinstance(value, takes):
                    return kind
                raise TypeError(
                    f"cannot assign {type(value).__name__} to {name!r}, which is registered: "
                    f"{kind_name(takes)} or None expected"
                )
        return None

    def __getattr__(self, name: str) -> Any:
        for kind in REGISTRIES:
            registry = self.__dict__.get(kind, {})
            if name in registry:
                return registry[name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __delattr__(self, name: str) -> None:
        for kind in REGISTRIES:
            if name in self.__dict__[kind]:
                del self.__dict__[kind][name]
                self._passing.discard(name)
                return
        object.__delattr__(self, name)

    def __dir__(self) -> list[str]:
        return [*object.__dir__(self), *self._parameters, *self._buffers, *self._modules]

    def _register(self, kind: str, name: str, value: Any) -> None:
        takes = REGISTRIES[kind]
        if not isinstance(name, str) or not name or "." in name:
            raise KeyError(f"a name here is a word without dots, not {name!r}")
        if hasattr(self, name) and name not in self.__dict__[kind]:
            raise KeyError(f"attribute {name!r} exists already")
        if value is not None and not isinstance(value, takes):
            raise TypeError(
                f"{name!r} must be a {kind_name(takes)} or None, not {type(value).__name__}"
            )
        self.__dict__[kind][name] = value

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Enter a parameter, or keep a place for one that is None.

        Raises:
            KeyError: The name is taken, or no name.
            TypeError: It is no Parameter.
        """
        self._register("_parameters", name, param)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Enter a tensor that belongs to the state but is not trained.

        Args:
            name: The attribute's name.
            tensor: The tensor, or None.
            persistent: Whether `state_dict` has it.
        """
        self._register("_buffers", name, tensor)
        (self._passing.discard if persistent else self._passing.add)(name)

    def add_module(self, name: str, module: Any) -> None:
        """Enter a child (also `register_module`); what setting an attribute does."""
        self._register("_modules", name, module)

    register_module = add_module

    # ---------------------------------------------------------------------------------- the walks

    def named_modules(
        self, memo: set[int] | None = None, prefix: str = ""
    ) -> Iterator[tuple[str, Any]]:
        """Give name and module of this one and all below it, each once, parents first."""
        memo = set() if memo is None else memo
        if id(self) not in memo:
            memo.add(id(self))
            yield prefix, self
            for name, child in self._modules.items():
                if child is not None:
                    yield from child.named_modules(memo, f"{prefix}.{name}" if prefix else name)

    def modules(self) -> Iterator[Any]:
        """Give this module and all below it, each once."""
        return (m for _, m in self.named_modules())

    def named_children(self) -> Iterator[tuple[str, Any]]:
        """Give name and module of the direct children, each once."""
        seen: set[int] = set()
        for name, child in self._modules.items():
            if child is not None and id(child) not in seen:
                seen.add(id(child))
                yield name, child

    def children(self) -> Iterator[Any]:
        """Give the direct children."""
        return (m for _, m in self.named_children())

    def _named(self, kind: str, prefix: str, recurse: bool) -> Iterator[tuple[str, Any]]:
        seen: set[int] = set()
        for path, module in self.named_modules(prefix=prefix) if recurse else [(prefix, self)]:
            for name, value in module.__dict__[kind].items():
                if value is not None and id(value) not in seen:
                    seen.add(id(value))
                    yield f"{path}.{name}" if path else name, value

    def named_parameters(
        self, prefix: str = "", recurse: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """Give name and parameter of this module and all below; a shared one only once."""
        return self._named("_parameters", prefix, recurse)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """Give the parameters, as an optimizer takes them."""
        return (p for _, p in self.named_parameters(recurse=recurse))

    def named_buffers(self, prefix: str = "", recurse: bool = True) -> Iterator[tuple[str, Tensor]]:
        """Give name and tensor of all buffers."""
        return self._named("_buffers", prefix, recurse)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """Give the buffers."""
        return (b for _, b in self.named_buffers(recurse=recurse))

    def get_submodule(self, target: str) -> Any:
        """Return the module of a dotted name, "" being this one; AttributeError if none is."""
        module: Any = self
        for name in target.split(".") if target else []:
            child = module._modules.get(name)
            if child is None:
                raise AttributeError(
                    f"{type(module).__name__} has no module {name!r}, of {target!r}"
                )
            module = child
        return module


REGISTRIES: dict[str, type] = {"_parameters": Parameter, "_buffers": Tensor, "_modules": Registry}


def kind_name(kind: type) -> str:
    """Return what people call the members of a registry."""
    return "Module" if kind is Registry else kind.__name__
