"""Loads once: a process that loads again would reuse memory that it already has.

child_load.py KIND PATH            prints the seconds
child_load.py KIND+update PATH     the same, all weights changed in place after that

KIND is fontkeep or fontkeep-mmap (PATH: a store), torch, torch-mmap or safetensors (PATH: a file).
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable
from typing import Any

import torch

import fontkeep

from . import model

with contextlib.suppress(ImportError):
    from safetensors.torch import load_file

LOADERS: dict[str, Callable[[str], Any]] = {
    "fontkeep": lambda path: fontkeep.Store(path).load_model(model.FONT)[0],
    "fontkeep-mmap": lambda path: fontkeep.Store(path).load_model(model.FONT, mmap=True)[0],
    "torch": lambda path: torch.load(path),
    "torch-mmap": lambda path: torch.load(path, mmap=True),
    "safetensors": lambda path: load_file(path),
}


def main() -> None:
    kind, path = sys.argv[1:]
    kind, _, update = kind.partition("+")
    load = LOADERS[kind]
    began = time.perf_counter()
    weights = load(path)
    if update:
        for tensor in weights.values():
            tensor.add_(0.001)
    print(time.perf_counter() - began)


main()
