"""Modules that hold others: in a row, in a list, by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from chainrule.nn.module import Module


class Row(Module):
    """Children called 0, 1, 2, ...; what `Sequential` and `ModuleList` share."""

    def _take(self, modules: Iterable[Any]) -> None:
        """Make these the children, in their order."""
        self._modules.clear()
        for i, module in enumerate(modules):
            self.add_module(str(i), module)

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Any]:
        return iter(list(self._modules.values()))

    def __getitem__(self, key: int | slice) -> Any:
        if isinstance(key, slice):
            part = type(self)()
            part._take(list(self)[key])
            return part
        return list(self)[key]

    def __setitem__(self, key: int, module: Module) -> None:
        names = list(self._modules)
        setattr(self, names[key], module)

    def __delitem__(self, key: int | slice) -> None:
        left = list(self)
        del left[key]
        self._take(left)

    def append(self, module: Module) -> Any:
        """Add a module at the end and return this one."""
        self.add_module(str(len(self)), module)
        return self

    def insert(self, index: int, module: Module) -> Any:
        """Put a module before that of this number and return this one."""
        modules = list(self)
        modules.insert(index, module)
        self._take(modules)
        return self

    def extend(self, modules: Iterable[Module]) -> Any:
        """Add modules at the end and return this one."""
        for module in modules:
            self.append(module)
        return self


class Sequential(Row):
    """Modules one after the other: each takes what the one before returned.

    Args:
        modules: The modules; or one dict of names and modules.

    >>> import chainrule as cr
    >>> cr.nn.Sequential(cr.nn.Linear(3, 4), cr.nn.ReLU(), cr.nn.Linear(4, 1))
    Sequential(
      (0): Linear(in_features=3, out_features=4, bias=True)
      (1): ReLU()
      (2): Linear(in_features=4, out_features=1, bias=True)
    )
    """

    def __init__(self, *modules: Any) -> None:
        super().__init__()
        if len(modules) == 1 and isinstance(modules[0], Mapping):
            for name, module in modules[0].items():
                self.add_module(name, module)
        else:
            self._take(modules)

    def forward(self, x: Any) -> Any:
        """Return what the last module returns."""
        for module in self._modules.values():
            x = module(x)
        return x


class ModuleList(Row):
    """A list of modules whose parameters are found.

    >>> import chainrule as cr
    >>> layers = cr.nn.ModuleList([cr.nn.Linear(2, 2) for _ in range(3)])
    >>> len(layers), len(list(layers.parameters()))
    (3, 6)
    """

    def __init__(self, modules: Iterable[Any] = ()) -> None:
        super().__init__()
        self._take(modules)

    __iadd__ = Row.extend


class ModuleDict(Module):
    """Modules by name, whose parameters are found.

    >>> import chainrule as cr
    >>> heads = cr.nn.ModuleDict({"class": cr.nn.Linear(8, 3), "box": cr.nn.Linear(8, 4)})
    >>> heads["box"](cr.ones(1, 8)).shape, "mask" in heads
    ((1, 4), False)
    """

    def __init__(self, modules: Mapping[str, Any] | None = None) -> None:
        super().__init__()
        self.update(modules or {})

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._modules))

    def __contains__(self, name: object) -> bool:
        return name in self._modules

    def __getitem__(self, name: str) -> Any:
        return self._modules[name]

    def __setitem__(self, name: str, module: Module) -> None:
        self.add_module(name, module)

    def __delitem__(self, name: str) -> None:
        del self._modules[name]

    def update(self, modules: Mapping[str, Any]) -> None:
        """Enter these modules."""
        for name, module in modules.items():
            self[name] = module

    def keys(self) -> Iterable[str]:
        """Return the names."""
        return self._modules.keys()

    def values(self) -> Iterable[Any]:
        """Return the modules."""
        return self._modules.values()

    def items(self) -> Iterable[tuple[str, Any]]:
        """Return names and modules."""
        return self._modules.items()

    def pop(self, name: str) -> Any:
        """Take a module out and return it."""
        return self._modules.pop(name)
