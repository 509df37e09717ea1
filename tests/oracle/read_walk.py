"""The rows that fontkeep should give for an object that PyTorch has."""

import hashlib
import struct

import torch


def key_text(key):
    """A key as it stands in a dotted path; a NUL ends it."""
    if isinstance(key, (bool, float)) or key is None:
        return str(key)
    if isinstance(key, int):
        return str(key) if -(2**63) <= key < 2**63 else "<int>"
    if isinstance(key, bytes):
        return key.decode().split("\0")[0]
    if isinstance(key, str):
        return key.split("\0")[0]
    if isinstance(key, (torch.dtype, torch.device)):
        return str(key).replace("torch.", "")
    return "<%s>" % type(key).__name__


def raw_bits(tensor):
    """The elements in C order as they lie in the storage."""
    tensor = tensor.detach()
    if tensor.is_conj():
        tensor = tensor.conj()
    if tensor.is_neg():
        tensor = torch._neg_view(tensor)
    flat = tensor.contiguous().as_strided((tensor.numel(),), (1,))
    return flat.view(torch.uint8).numpy().tobytes()


def storage_of(tensor):
    return (
        tensor.untyped_storage()
        if hasattr(tensor, "untyped_storage")
        else tensor.storage().untyped()
    )


def tensor_row(tensor):
    flags = (
        tensor.requires_grad
        + 2 * isinstance(tensor, torch.nn.Parameter)
        + 4 * tensor.is_conj()
        + 8 * tensor.is_neg()
    )
    return {
        "kind": "tensor",
        "dtype": str(tensor.dtype)[6:],
        "shape": list(tensor.shape),
        "strides": list(tensor.stride()),
        "offset": tensor.storage_offset(),
        "flags": flags,
        "storage_bytes": storage_of(tensor).nbytes(),
        "storage": storage_of(tensor).data_ptr() or None,
        "sha256": hashlib.sha256(raw_bits(tensor)).hexdigest(),
    }


def big_int_bytes(value):
    """The shortest two's complement."""
    bits = (value if value >= 0 else ~value).bit_length() + 1
    return value.to_bytes((bits + 7) // 8, "little", signed=True)


def plain_row(value):
    """The row of a value that holds no others, or None."""
    if value is None:
        return {"kind": "None"}
    if isinstance(value, bool):
        return {"kind": "bool", "bool": value}
    if isinstance(value, int):
        if -(2**63) <= value < 2**63:
            return {"kind": "int", "int": value}
        return {"kind": "int", "text": big_int_bytes(value).hex()}
    if isinstance(value, float):
        return {"kind": "float", "bits": struct.pack("<d", value).hex()}
    if isinstance(value, complex):
        return {"kind": "complex", "bits": struct.pack("<dd", value.real, value.imag).hex()}
    if isinstance(value, str):
        return {"kind": "str", "text": value.encode("utf-8", "surrogatepass").hex()}
    if isinstance(value, (bytes, bytearray)):
        return {"kind": type(value).__name__, "text": value.hex()}
    names = {
        torch.dtype: "dtype",
        torch.layout: "layout",
        torch.qscheme: "qscheme",
        torch.device: "device",
    }
    for kind, name in names.items():
        if isinstance(value, kind):
            text = str(value)
            return {
                "kind": "torch." + name,
                "text": (text[6:] if text.startswith("torch.") else text).encode().hex(),
            }
    return None


def walk(value, path="", way_down=()):
    """The rows that fontkeep should give for an object that torch.load gave."""
    if isinstance(value, torch.Tensor):
        row = tensor_row(value)
        row["object"] = id(value)
    else:
        row = plain_row(value)
    children = []
    if isinstance(value, (list, tuple, set)):
        kind = "torch.Size" if isinstance(value, torch.Size) else type(value).__name__
        row = {"kind": kind, "count": len(value), "attributes": False, "object": id(value)}
        children = [(str(index), item) for index, item in enumerate(value)]
    if isinstance(value, dict):
        row = {
            "kind": type(value).__name__,
            "count": len(value),
            "attributes": bool(getattr(value, "__dict__", {})),
            "object": id(value),
        }
        children = [(key_text(key), item) for key, item in value.items()]
    children += [(key, item) for key, item in getattr(value, "__dict__", {}).items()]
    row["path"] = path.encode("utf-8", "surrogatepass").hex()
    yield row
    if id(value) not in way_down:
        for name, child in children:
            yield from walk(child, f"{path}.{name}" if path else name, way_down + (id(value),))
