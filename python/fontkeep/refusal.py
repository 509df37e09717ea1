"""What to do with an object that cannot be stored."""

from __future__ import annotations

import dataclasses
import enum
import pathlib
import types
from collections.abc import Callable
from typing import Any

_OTHERWISE = "leave it out, or convert it to numbers, texts, tensors and plain containers"

# The first that fits, from the special to the general; types of other packages go by name.
_BY_TYPE: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (enum.Enum, "store its .value"),
    (frozenset, "store set(...) of it"),
    (pathlib.PurePath, "store str(...) of it"),
    (
        (types.FunctionType, types.BuiltinFunctionType, types.MethodType, type),
        "leave it out, and make it again after the load; its name or settings can be stored",
    ),
    (dict, "store dict(...) of it"),
    (list, "store list(...) of it"),
    (set, "store set(...) of it"),
    (str, "store str(...) of it"),
    (bytes, "store bytes(...) of it"),
    (int, "store int(...) of it"),
    (float, "store float(...) of it"),
    (complex, "store complex(...) of it"),
    (range, "store list(...) of it"),
)
_MASKED = "store .filled(...) and .mask"
_BY_NAME = {
    "torch.Tensor": "store .as_subclass(torch.Tensor), or what it is made of",
    "numpy.ma.core.MaskedArray": _MASKED,
    "numpy.ma.MaskedArray": _MASKED,  # from numpy 2.3 on
    "numpy.ndarray": "store numpy.asarray(...) of it",
    "torch._C.Generator": "store .get_state() of it",
    "collections.deque": "store list(...) of it",
    "datetime.datetime": "store .isoformat() of it",
    "datetime.date": "store .isoformat() of it",
}


def type_name(kind: type) -> str:
    name = kind.__qualname__
    return name if kind.__module__ == "builtins" else f"{kind.__module__}.{name}"


def hint_for(kind: type) -> str:
    """For an object of that type."""
    tests: tuple[tuple[Callable[[Any], bool], str], ...] = (
        (dataclasses.is_dataclass, "store dataclasses.asdict(...) of it"),
        (lambda kind: issubclass(kind, tuple) and hasattr(kind, "_fields"),
         "store ._asdict() of it, or tuple(...)"),
        (lambda kind: callable(getattr(kind, "state_dict", None)), "store .state_dict() of it"),
    )  # fmt: skip
    for fits, hint in tests:
        if fits(kind):
            return hint
    for base in kind.__mro__:
        if type_name(base) in _BY_NAME:
            return _BY_NAME[type_name(base)]
    for bases, hint in _BY_TYPE:
        if issubclass(kind, bases):
            return hint
    return "store tuple(...) of it" if issubclass(kind, tuple) else _OTHERWISE
