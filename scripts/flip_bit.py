#!/usr/bin/python3
"""Flips one bit of one tensor inside a PyTorch file, as a bad disk or cable would.

flip_bit.py FILE TENSOR      TENSOR is a dotted path as `fontkeep inspect` prints it
"""

import sys

import torch


def find_tensor(value, path):
    """The tensor at a dotted path through dicts whose keys may hold dots themselves."""
    if isinstance(value, torch.Tensor):
        return value if not path else None
    keys = [key for key in value if path == key or path.startswith(f"{key}.")]
    found = (find_tensor(value[key], path[len(key) + 1 :]) for key in keys)
    return next((tensor for tensor in found if tensor is not None), None)


def main(file, name):
    tensor = find_tensor(torch.load(file), name)
    if tensor is None:
        sys.exit(f"no tensor {name} in {file}")
    with open(file, "r+b") as stream:
        start = stream.read().find(tensor.contiguous().numpy().tobytes())
        if start < 0:
            sys.exit(f"the bytes of {name} do not stand in one piece in {file}")
        offset = start + tensor.numel() // 2 * 4 + 3  # the exponent of a float32 in the middle
        stream.seek(offset)
        byte = stream.read(1)[0]
        stream.seek(offset)
        stream.write(bytes([byte ^ 0x40]))
    print(f"byte {offset} of {file}, in tensor {name}: 0x{byte:02x} is now 0x{byte ^ 0x40:02x}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
