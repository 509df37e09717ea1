"""What objects of PyTorch and numpy are, told to the extension, which stores them.

Neither is imported here: an object of theirs can only come from a module that is loaded already.
"""

from __future__ import annotations

import array
import functools
import sys
from collections.abc import Sequence
from typing import Any

from fontkeep.errors import InvalidInputError

REQUIRES_GRAD = 1
PARAMETER = 2
CONJ = 4
NEG = 8

# Names of element types as the library knows them, with their bytes per element.
DTYPES = {
    "float32": 4,
    "float64": 8,
    "float16": 2,
    "bfloat16": 2,
    "uint8": 1,
    "int8": 1,
    "int16": 2,
    "int32": 4,
    "int64": 8,
    "bool": 1,
    "complex64": 8,
    "complex128": 16,
    "complex32": 4,
    "uint16": 2,
    "uint32": 4,
    "uint64": 8,
    "float8_e4m3fn": 1,
    "float8_e5m2": 1,
    "float8_e4m3fnuz": 1,
    "float8_e5m2fnuz": 1,
    "float8_e8m0fnu": 1,
}

Answer = tuple[Any, ...] | str | None


class Numbers:
    """A float32 tensor of the numbers of a list, for which neither PyTorch nor numpy is needed."""

    def __init__(self, numbers: array.array[float], shape: tuple[int, ...]) -> None:
        self.numbers = numbers
        self.shape = shape


def _flatten(
    items: Sequence[Any], shape: list[int], depth: int, numbers: array.array[float]
) -> None:
    if depth == len(shape):
        shape.append(len(items))
    elif shape[depth] != len(items):
        raise InvalidInputError(
            "personality_vector is a ragged list: its rows differ in length", code="invalid"
        )
    for item in items:
        if isinstance(item, (list, tuple)):
            if len(numbers) > 0 and depth + 1 == len(shape):
                raise InvalidInputError(
                    "personality_vector mixes numbers and lists", code="invalid"
                )
            if depth >= 63:
                raise InvalidInputError(
                    "personality_vector has more than 64 dimensions", code="invalid"
                )
            _flatten(item, shape, depth + 1, numbers)
        elif depth + 1 != len(shape):
            raise InvalidInputError("personality_vector mixes numbers and lists", code="invalid")
        else:
            numbers.append(_number(item))


def _number(item: Any) -> float:
    if isinstance(item, (str, bytes)):
        raise InvalidInputError(
            f"personality_vector has a {type(item).__name__} where a number should be",
            code="invalid",
        )
    try:
        return float(item)
    except (TypeError, ValueError, OverflowError):
        raise InvalidInputError(
            f"personality_vector has a {type(item).__name__} that is no number",
            code="invalid",
            hint="give a tensor, an array, or a list of floats",
        ) from None


def personality(vector: Any) -> Any:
    """A tensor or array as it is, a list (nested for more dimensions) as float32."""
    if not isinstance(vector, (list, tuple)):
        torch = sys.modules.get("torch")
        numpy = sys.modules.get("numpy")
        tensors = tuple(
            kind
            for module, name in ((torch, "Tensor"), (numpy, "ndarray"))
            if module is not None and (kind := getattr(module, name, None)) is not None
        )
        if vector is None or isinstance(vector, tensors):
            return vector
        raise InvalidInputError(
            f"personality_vector is {type(vector).__name__}, not a tensor",
            code="invalid",
            hint="give a tensor, an array, or a list of floats",
        )
    numbers = array.array("f")
    shape: list[int] = []
    _flatten(vector, shape, 0, numbers)
    return Numbers(numbers, tuple(shape))


def _buffer(numbers: Numbers) -> Answer:
    memory = numbers.numbers
    address, count = memory.buffer_info()
    size = count * memory.itemsize
    return ("tensor", "float32", 0, numbers.shape, None, 0, address, size, memory, True, None)


# ---- numpy ----


def _root(value: Any, numpy: Any) -> Any:
    """The array that owns the memory `value` is a view of."""
    while isinstance(value.base, numpy.ndarray):
        value = value.base
    return value


def _address(value: Any) -> int:
    address: int = value.__array_interface__["data"][0]
    return address


def _extent(value: Any, start: int) -> tuple[int, int]:
    """Address and size of the memory of an array whose first element is at `start`."""
    if value.flags.c_contiguous:
        return start, value.nbytes
    low = high = start
    if value.size == 0:
        return low, 0
    for length, step in zip(value.shape, value.strides):
        if step < 0:
            low += (length - 1) * step
        else:
            high += (length - 1) * step
    return low, high + value.itemsize - low


@functools.lru_cache(maxsize=64)  # numpy takes its time to name a dtype
def _element(dtype: Any) -> tuple[str, int, bool] | None:
    """Name and size of what can be stored, and whether its bytes have the processor's order."""
    name = dtype.name
    size = DTYPES.get(name)
    if size is None or dtype.hasobject or dtype.fields is not None:
        return None
    return name, size, dtype.isnative


def _refusal_of_array(dtype: Any) -> Answer:
    hint = "store an array for each of its fields"
    if dtype.fields is None:
        hint = "store .astype(...) of it, to a number that PyTorch has, or .tolist()"
    return ("refuse", (f"numpy.ndarray of dtype {dtype}", hint))


def _is_usable(value: Any, size: int) -> bool:
    """PyTorch counts strides in elements, from 0 on."""
    flags = value.flags
    if not flags.aligned:
        return False
    return flags.c_contiguous or all(step >= 0 and step % size == 0 for step in value.strides)


def _array(given: Any, numpy: Any) -> Answer:
    value = given
    element = _element(value.dtype)
    if element is None:
        return _refusal_of_array(value.dtype)
    name, size, is_native = element
    if not is_native:
        value = value.astype(value.dtype.newbyteorder("="))
    if not _is_usable(value, size):
        value = numpy.array(value, order="C", copy=True)
    ours = value is not given
    root = _root(value, numpy)
    start = _address(value)
    address, length = _extent(root, start if root is value else _address(root))
    low, span = _extent(value, start)
    inside = address <= start and low + span <= address + length
    if not inside or address % size or (start - address) % size:
        value = root = numpy.array(value, order="C", copy=True)
        ours = True
        start = _address(root)
        address, length = _extent(root, start)
    strides = None
    if not value.flags.c_contiguous:
        strides = tuple(step // size for step in value.strides)
    offset = (start - address) // size if length else 0
    return ("tensor", name, 0, value.shape, strides, offset, address, length, value, ours, None)


# ---- PyTorch ----


def _refusal_of(tensor: Any, name: str, torch: Any) -> tuple[str, str] | None:
    """Why a tensor cannot be stored and what to do, or None. `name` is its dtype's."""
    if tensor.is_quantized:
        hint = "store .int_repr() of it with its scale and zero point, or .dequantize()"
        return f"quantised tensor ({name})", hint
    if getattr(tensor, "is_nested", False):
        return "nested tensor", "store list(tensor.unbind())"
    if tensor.layout is not torch.strided:
        hint = "store its indices and values, or .to_dense() of it"
        return f"tensor of layout {_name(tensor.layout)}", hint
    if tensor.is_meta:
        hint = "give the module memory with .to_empty(device='cpu') and fill it"
        return "meta tensor (it has no data)", hint
    if name not in DTYPES:
        return f"tensor of dtype {name}", "store .view(torch.uint8) of it"
    return None


@functools.lru_cache(maxsize=64)  # there are not many dtypes, layouts and schemes
def _name(thing: Any) -> str:
    return str(thing).removeprefix("torch.")


def _storage(tensor: Any) -> Any:
    if hasattr(tensor, "untyped_storage"):
        return tensor.untyped_storage()
    return tensor._storage()  # PyTorch 1.13


def _flags(tensor: Any, torch: Any) -> int:
    flags = REQUIRES_GRAD if tensor.requires_grad else 0
    if type(tensor) is torch.nn.Parameter:
        flags |= PARAMETER
    if tensor.is_conj():
        flags |= CONJ
    if tensor.is_neg():
        flags |= NEG
    return flags


def _loaded(name: str, kind: str) -> Any:
    """That module, or None: there can be no objects of its types."""
    module = sys.modules.get(name)
    return module if hasattr(module, kind) else None


class Adapter:
    """One conversion. Called with each object that is not of Python's own types; to_value.h has
    the answers. With `numbers`, for JSON, scalars are numbers and there are no tensors."""

    def __init__(self, numbers: bool = False) -> None:
        self._numbers = numbers
        self._torch_module = _loaded("torch", "Tensor")
        self._numpy_module = _loaded("numpy", "ndarray")
        self._copies: dict[tuple[str, int], Any] = {}  # storages brought from other devices

    def __call__(self, value: Any) -> Answer:
        torch = self._torch_module
        if torch is not None:
            answer = self._torch(value, torch)
            if answer is not None:
                return answer
        numpy = self._numpy_module
        if numpy is not None:
            answer = self._numpy(value, numpy)
            if answer is not None:
                return answer
        return _buffer(value) if isinstance(value, Numbers) else None

    def _numpy(self, value: Any, numpy: Any) -> Answer:
        if isinstance(value, numpy.generic):
            number = value.item()
            plain = type(number) in (bool, int, float, complex, str, bytes)
            return ("value", number) if plain else f"numpy.{type(value).__name__}"
        if type(value) is not numpy.ndarray and type(value) is not numpy.memmap:
            return None
        if self._numbers:
            return self._numpy(value[()], numpy) if value.ndim == 0 else "numpy.ndarray in JSON"
        return _array(value, numpy)

    def _torch(self, value: Any, torch: Any) -> Answer:
        if isinstance(value, torch.Tensor):
            return self._tensor(value, torch)
        if isinstance(value, torch.Size):
            return ("size", tuple(value))
        if isinstance(value, torch.dtype):
            return ("text", "dtype", _name(value))
        if isinstance(value, torch.device):
            return ("text", "device", str(value))
        if isinstance(value, torch.layout):
            return ("text", "layout", _name(value))
        if isinstance(value, torch.qscheme):
            return ("text", "qscheme", _name(value))
        if isinstance(value, torch.nn.Module) and not self._numbers:
            return ("value", value.state_dict())
        return None

    def _tensor(self, tensor: Any, torch: Any) -> Answer:
        if type(tensor) not in (torch.Tensor, torch.nn.Parameter):
            return None
        if self._numbers:
            return ("value", tensor.item()) if tensor.ndim == 0 else "torch.Tensor in JSON"
        name = _name(tensor.dtype)
        refusal = _refusal_of(tensor, name, torch)
        if refusal is not None:
            return ("refuse", refusal)
        storage = _storage(tensor)
        ours = not tensor.is_cpu
        if ours:
            storage = self._on_cpu(storage, tensor)
        offset = tensor.storage_offset()
        flags = _flags(tensor, torch)
        strides = tuple(tensor.stride())
        attributes = dict(tensor.__dict__) or None
        if storage.data_ptr() % DTYPES[name]:
            plain = tensor.detach().clone(memory_format=torch.contiguous_format)
            plain = plain.resolve_conj().resolve_neg()
            flags &= ~(CONJ | NEG)
            storage, offset, strides, ours = _storage(plain), 0, tuple(plain.stride()), True
        return (
            *("tensor", name, flags, tuple(tensor.shape), strides, offset),
            *(storage.data_ptr(), storage.nbytes(), storage, ours, attributes),
        )

    def _on_cpu(self, storage: Any, tensor: Any) -> Any:
        key = (str(tensor.device), storage.data_ptr())
        if key not in self._copies:
            self._copies[key] = (storage.cpu(), storage)
        return self._copies[key][0]
