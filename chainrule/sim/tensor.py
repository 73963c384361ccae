"""The tensor that lives on the device: a shell without data around a tensor of the host."""

from __future__ import annotations

import copy
import re
from functools import partial
from typing import Any

import torch

from chainrule.sim import dispatch, saving
from chainrule.sim.errors import DryRunError, SimError
from chainrule.sim.memory import Allocation

DEVICE = torch.device("cpu")  # the device "sim" once it has its name
LIBRARY = torch.library.Library("_", "IMPL")
KERNELS = torch.library.Library("aten", "IMPL")
aten = torch.ops.aten
NO_VALUES = "a dry run computes no values; leave sim.dry_run to see numbers"


class SimTensor(torch.Tensor):
    """A tensor on the simulated device.

    PyTorch sees shape, strides, dtype and the device "sim"; every operation comes to
    `__torch_dispatch__`, below autograd, and is computed on `_inner`, a CPU tensor (in a dry
    run one on "meta"). `_memory` is held by all tensors that share storage.
    """

    _inner: torch.Tensor
    _memory: Allocation

    @staticmethod
    def __new__(cls, inner: torch.Tensor, memory: Allocation) -> SimTensor:
        """Wrap a host tensor whose memory on the device is accounted for."""
        shell = torch.Tensor._make_wrapper_subclass(
            cls,
            inner.shape,
            strides=inner.stride(),
            storage_offset=inner.storage_offset(),
            dtype=inner.dtype,
            device=DEVICE,
        )
        shell._inner = inner
        shell._memory = memory
        return shell

    def __init__(self, *args: Any) -> None:
        """Take what `__new__` has used."""

    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]
        cls, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """Compute an operation and account for it."""
        return dispatch.dispatch(func, args, kwargs or {})

    def __tensor_flatten__(self) -> tuple[list[str], Any]:
        """Name the tensors within. `Module.to` keeps a parameter's identity for such classes."""
        return ["_inner"], self._memory

    @staticmethod
    def __tensor_unflatten__(inner: Any, memory: Any, size: Any, stride: Any) -> SimTensor:
        """Undo `__tensor_flatten__`."""
        return SimTensor(inner["_inner"], memory)

    @property
    def data(self) -> torch.Tensor:
        """The same data outside of autograd."""
        return torch.Tensor.data.__get__(self)  # type: ignore[attr-defined]

    @data.setter
    def data(self, value: torch.Tensor) -> None:
        torch.Tensor.data.__set__(self, value)  # type: ignore[attr-defined]
        self._inner, self._memory = value._inner, value._memory  # type: ignore[attr-defined]

    def numpy(self, *, force: bool = False) -> Any:
        """Refuse, as CUDA does; with `force` copy to the host first."""
        if force:
            return self.detach().cpu().numpy()
        raise TypeError(
            f"can't convert {self.device} device type tensor to numpy. Use Tensor.cpu() to copy "
            "the tensor to host memory first."
        )

    def tolist(self) -> Any:
        """Copy to the host and return nested lists."""
        return self.detach().cpu().tolist()

    def __repr__(self, *, tensor_contents: Any = None) -> str:  # type: ignore[override]
        if self._inner.is_meta:
            text = f"tensor(..., device='{self.device}', size={tuple(self.shape)})"
        else:
            text = repr(self.detach().cpu())
            text = re.sub(
                r"(, (?:size|dtype)=[^\]]*)?\)$", rf", device='{self.device}'\1)", text, count=1
            )
        if self.grad_fn is not None:
            text = text[:-1] + f", grad_fn=<{self.grad_fn.name().removesuffix('()')}>)"
        elif self.requires_grad:
            text = text[:-1] + ", requires_grad=True)"
        return f"Parameter containing:\n{text}" if getattr(self, "_is_param", False) else text

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(self.item() if self.dim() == 0 else str(self), spec)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        if id(self) in memo:
            return memo[id(self)]
        if not self.is_leaf:
            raise RuntimeError(
                "Only Tensors created explicitly by the user (graph leaves) support the deepcopy "
                "protocol at the moment."
            )
        with torch.no_grad():
            twin = self.detach().clone(memory_format=torch.preserve_format)
        twin.requires_grad_(self.requires_grad)
        memo[id(self)] = twin
        own = {k: v for k, v in self.__dict__.items() if k not in ("_inner", "_memory")}
        twin.__dict__.update(copy.deepcopy(own, memo))
        if self.grad is not None:
            twin.grad = copy.deepcopy(self.grad, memo)
        return twin

    def __reduce_ex__(self, protocol: Any) -> Any:
        host = self.detach().cpu() if not getattr(self, "_is_param", False) else self
        return saving.reduced(self, host)

    def pin_memory(self, device: Any = None) -> torch.Tensor:
        """Refuse: this memory is not the host's."""
        raise RuntimeError(f"cannot pin '{self.type()}' only dense CPU tensors can be pinned")

    def is_pinned(self, device: Any = None) -> bool:
        """Return False: this memory is not the host's."""
        return False

    def share_memory_(self) -> SimTensor:
        """Do nothing, as for a tensor on CUDA."""
        return self

    def is_shared(self) -> bool:
        """Return True, as for a tensor on CUDA."""
        return True

    def record_stream(self, stream: Any) -> None:
        """Do nothing: memory of the simulated device is not reused while Python holds it."""

    def untyped_storage(self) -> torch.UntypedStorage:
        """Return the bytes within: the shell has none, and reading those would end the process."""
        return read(self).untyped_storage()

    def as_subclass(self, cls: Any) -> Any:
        """Refuse: another class would be a shell without memory."""
        raise SimError(f"a tensor on {self.device} cannot be seen as another class")

    def storage(self) -> torch.TypedStorage:
        """Return the bytes within, with their dtype."""
        return read(self).storage()

    def __dlpack__(self, **options: Any) -> Any:
        raise BufferError(f"memory of {self.device} is simulated; use Tensor.cpu() first")


def real(tensor: torch.Tensor) -> torch.Tensor:
    """Return the tensor, unless it is a bare shell, made behind this module's back.

    Raises:
        SimError: If PyTorch says it is on the device and it has no memory there.
    """
    if tensor.device.type == "sim" and not isinstance(tensor, SimTensor):
        raise SimError(f"a tensor that says it is on {tensor.device} has no memory there")
    return tensor


def export(tensor: torch.Tensor) -> Any:
    """Take the place of `torch.to_dlpack`, which would hand out the shell's missing memory."""
    if isinstance(tensor, SimTensor):
        raise BufferError(f"memory of {tensor.device} is simulated; use Tensor.cpu() first")
    return torch._C._to_dlpack(tensor)


def read(tensor: SimTensor) -> torch.Tensor:
    """Return the host tensor within.

    Raises:
        DryRunError: If it has no numbers.
    """
    if tensor._inner.is_meta:
        raise DryRunError(NO_VALUES)
    return tensor._inner


def fallback(func: Any, *args: Any, **kwargs: Any) -> Any:
    """Take operations that do not come by way of a tensor: factories, copies from the host."""
    return dispatch.dispatch(func, args, kwargs)


def register() -> None:
    """Take the device's name, and all of its operations."""
    global DEVICE
    DEVICE = torch.device("sim", 0)
    LIBRARY.fallback(fallback, "PrivateUse1")
    # torch.tensor(..., device="sim") ends up here, and a fallback alone is not found from there.
    KERNELS.impl("_copy_from", partial(fallback, aten._copy_from.default), "PrivateUse1")
    torch.to_dlpack = torch.utils.dlpack.to_dlpack = export  # type: ignore[assignment]
    both = aten._copy_from_and_resize.default
    KERNELS.impl("_copy_from_and_resize", partial(fallback, both), "PrivateUse1")
