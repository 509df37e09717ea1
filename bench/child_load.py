"""Loads once in a new process.

child_load.py KIND PATH [update]     prints the seconds; "update": and changes all weights in place

KIND is fontkeep or fontkeep-mmap (PATH: a store), torch, torch-mmap or safetensors (PATH: a file).
"""

from __future__ import annotations

import sys
import time
from typing import Any

import torch

import fontkeep

from . import model


def loader(kind: str) -> Any:
    if kind == "safetensors":
        from safetensors.torch import load_file

        return load_file
    return {
        "fontkeep": lambda path: fontkeep.Store(path).load_model(model.FONT)[0],
        "fontkeep-mmap": lambda path: fontkeep.Store(path).load_model(model.FONT, mmap=True)[0],
        "torch": torch.load,
        "torch-mmap": lambda path: torch.load(path, mmap=True),
    }[kind]


def main() -> None:
    kind, path, update = sys.argv[1], sys.argv[2], sys.argv[3:] == ["update"]
    load = loader(kind)
    began = time.perf_counter()
    weights = load(path)
    if update:
        for tensor in weights.values():
            tensor.add_(0.001)
    print(time.perf_counter() - began)


main()
