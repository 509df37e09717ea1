"""Loads in new processes: this one has imported everything and loaded nothing, and forks for each.

child_load.py     for each "KIND PATH" on standard input: a fork loads PATH, prints the seconds
                  "KIND+update PATH": and changes all weights in place

KIND is fontkeep or fontkeep-mmap (PATH: a store), torch, torch-mmap or safetensors (PATH: a file).
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
import traceback
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


def seconds(kind: str, path: str) -> float:
    kind, _, update = kind.partition("+")
    load = LOADERS[kind]
    began = time.perf_counter()
    weights = load(path)
    if update:
        for tensor in weights.values():
            tensor.add_(0.001)
    return time.perf_counter() - began


def in_a_fork(kind: str, path: str) -> str:
    """The answer of a process that has ended: taking its memory down disturbs nobody."""
    answer, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.write(writer, str(seconds(kind, path)).encode())
        except BaseException:
            traceback.print_exc()
        os._exit(0)
    os.close(writer)
    with open(answer) as text:
        result = text.read()
    os.waitpid(pid, 0)
    return result


def main() -> None:
    for line in sys.stdin:
        kind, path = line.rstrip("\n").split(" ", 1)
        print(in_a_fork(kind, path), flush=True)


main()
