"""Holds a model and saves it on request.

child_save.py SIZE     for each "KIND PATH" on standard input: saves to PATH, prints the seconds

KIND is fontkeep (PATH: a new store), torch or safetensors (PATH: a new file); each is on the disk
when the clock stops.
"""

from __future__ import annotations

import os
import sys
import time
from typing import Any

import torch

import fontkeep

from . import model


def sync(path: str) -> None:
    fd = os.open(path, os.O_RDONLY)
    os.fsync(fd)
    os.close(fd)


def save_fontkeep(weights: dict[str, Any], path: str) -> float:
    store = fontkeep.Store(path, create=True)
    began = time.perf_counter()
    model.save(store, weights)
    return time.perf_counter() - began


def save_torch(weights: dict[str, Any], path: str) -> float:
    began = time.perf_counter()
    torch.save(weights, path)
    sync(path)
    return time.perf_counter() - began


def save_safetensors(weights: dict[str, Any], path: str) -> float:
    from safetensors.torch import save_file

    began = time.perf_counter()
    save_file(weights, path)
    sync(path)
    return time.perf_counter() - began


def main() -> None:
    weights = model.state_dict(sys.argv[1])
    kinds = {"fontkeep": save_fontkeep, "torch": save_torch, "safetensors": save_safetensors}
    for line in sys.stdin:
        kind, path = line.rstrip("\n").split(" ", 1)
        print(kinds[kind](weights, path), flush=True)


main()
