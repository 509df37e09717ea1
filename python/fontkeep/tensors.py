"""Tensors of a loaded run as objects of PyTorch, or else of numpy, over the memory of the load."""

from __future__ import annotations

import importlib
from typing import Any, NoReturn

from fontkeep.convert import CONJ, DTYPES, NEG, PARAMETER, REQUIRES_GRAD
from fontkeep.errors import UnsupportedDataError


class UnreadableTensor:
    """A tensor whose element type neither PyTorch nor numpy has here. Its `shape` and `dtype` can
    be asked; anything else is refused."""

    def __init__(self, dtype: str, shape: tuple[int, ...], needs: str) -> None:
        self.dtype = dtype
        self.shape = shape
        self._needs = needs

    def _refuse(self) -> NoReturn:
        raise UnsupportedDataError(
            f"a tensor of dtype {self.dtype} cannot be read here",
            code="unsupported",
            hint=f"install {self._needs}",
        )

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        self._refuse()

    def __array__(self, *_: Any, **__: Any) -> Any:
        self._refuse()

    def __len__(self) -> int:
        self._refuse()

    def __getitem__(self, _: Any) -> Any:
        self._refuse()

    def __iter__(self) -> Any:
        self._refuse()

    def __float__(self) -> float:
        self._refuse()

    def __add__(self, _: Any) -> Any:
        self._refuse()

    __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __matmul__ = __add__

    def __repr__(self) -> str:
        return f"UnreadableTensor(dtype={self.dtype!r}, shape={self.shape!r})"


class NumpyBuilder:
    """Makes numpy arrays; without numpy, tensors that say what is missing."""

    def __init__(self, needs: str = "numpy") -> None:
        self._needs = needs

    def storage(self, memory: Any) -> Any:
        """An array of its bytes, the common base of its tensors: so their sharing can be seen."""
        numpy = _import("numpy")
        if numpy is None or memoryview(memory).nbytes == 0:
            return memory
        return numpy.frombuffer(memory, numpy.uint8)

    def text(self, _kind: str, text: str) -> Any:
        return text if _kind == "device" else f"torch.{text}"

    def size(self, items: tuple[int, ...]) -> Any:
        return items

    def tensor(
        self,
        storage: Any,
        dtype: str,
        flags: int,
        shape: tuple[int, ...],
        strides: tuple[int, ...],
        offset: int,
        _attributes: dict[str, Any] | None,
    ) -> Any:
        numpy = _import("numpy")
        kind = _numpy_dtype(numpy, dtype)
        if kind is None:
            return UnreadableTensor(dtype, shape, self._requirement(numpy, dtype))
        item = DTYPES[dtype]
        if 0 in shape:
            return numpy.empty(shape, kind)
        steps = tuple(step * item for step in strides)
        value = numpy.ndarray(shape, kind, buffer=storage, offset=offset * item, strides=steps)
        if flags & CONJ:
            value = value.conj()
        return -value if flags & NEG else value

    def _requirement(self, numpy: Any, dtype: str) -> str:
        if numpy is None:
            return self._needs
        return "torch 2.2 or newer" if dtype == "complex32" else "ml_dtypes"


class TorchBuilder:
    """Makes torch tensors: one torch storage for each storage, shared by its tensors."""

    def __init__(self, torch: Any) -> None:
        self._torch = torch
        self._other = NumpyBuilder("torch 2.2 or newer, or numpy")

    def storage(self, memory: Any) -> Any:
        return _Storage(memory)

    def text(self, kind: str, text: str) -> Any:
        torch = self._torch
        if kind == "device":
            return torch.device(text)
        return getattr(torch, text, f"torch.{text}")

    def size(self, items: tuple[int, ...]) -> Any:
        return self._torch.Size(items)

    def tensor(
        self,
        storage: _Storage,
        dtype: str,
        flags: int,
        shape: tuple[int, ...],
        strides: tuple[int, ...],
        offset: int,
        attributes: dict[str, Any] | None,
    ) -> Any:
        torch = self._torch
        kind = getattr(torch, dtype, None)
        if kind is None:
            return self._other.tensor(
                storage.bytes(self._other), dtype, flags, shape, strides, offset, attributes
            )
        value = torch.empty(0, dtype=kind)
        if storage.untyped(torch) is None or (0 in shape and offset != 0):
            value = torch.empty_strided(shape, strides, dtype=kind)
        else:
            value.set_(storage.untyped(torch), offset, shape, strides)
        return self._finish(value, flags, attributes)

    def _finish(self, value: Any, flags: int, attributes: dict[str, Any] | None) -> Any:
        torch = self._torch
        if flags & CONJ:
            value = value.conj()
        if flags & NEG:
            value = torch._neg_view(value)
        grad = bool(flags & REQUIRES_GRAD)
        if flags & PARAMETER:
            value = torch.nn.Parameter(value, requires_grad=grad)
        elif grad:
            value.requires_grad_(True)
        if attributes:
            value.__dict__.update(attributes)
        return value


class _Storage:
    """Memory of the load, and what is made over it when a tensor first asks."""

    def __init__(self, memory: Any) -> None:
        self.memory = memory
        self._untyped: Any = None
        self._bytes: Any = None

    def bytes(self, maker: NumpyBuilder) -> Any:
        """For tensors that PyTorch cannot hold."""
        if self._bytes is None:
            self._bytes = maker.storage(self.memory)
        return self._bytes

    def untyped(self, torch: Any) -> Any:
        """None when there are no bytes."""
        if self._untyped is None and memoryview(self.memory).nbytes > 0:
            whole = torch.frombuffer(self.memory, dtype=torch.uint8)
            if hasattr(whole, "untyped_storage"):
                self._untyped = whole.untyped_storage()
            else:
                self._untyped = whole.storage().untyped()
        return self._untyped


def _import(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except (ImportError, OSError):
        return None


def _numpy_dtype(numpy: Any, dtype: str) -> Any:
    """The numpy dtype of that name, or None."""
    if numpy is None or dtype == "complex32":
        return None
    if dtype == "bfloat16" or dtype.startswith("float8"):
        kind = getattr(_import("ml_dtypes"), dtype, None)
        return None if kind is None else numpy.dtype(kind)
    return numpy.dtype(dtype)


def builder() -> TorchBuilder | NumpyBuilder:
    """What makes tensors here: PyTorch when it can be imported, else numpy."""
    torch = _import("torch")
    return NumpyBuilder() if torch is None else TorchBuilder(torch)
