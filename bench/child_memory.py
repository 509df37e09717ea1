"""The most memory that one call needs beyond what the process held before it.

child_memory.py KIND SIZE PATH     prints bytes

KIND is save, save-in-background, load, load-mmap (PATH: a store), torch-save or torch-load (PATH: a
file). The kernel counts: the peak of the resident memory is reset before the call and read after.
Of load-mmap that counts pages of the page cache, too, which are mapped and can be dropped any time.
"""

from __future__ import annotations

import pathlib
import sys
from collections.abc import Callable
from typing import Any

import torch

import fontkeep

from . import model


def status(member: str) -> int:
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith(member + ":"):
            return int(line.split()[1]) * 1024
    raise LookupError(member)


def beyond(call: Callable[[], Any]) -> int:
    pathlib.Path("/proc/self/clear_refs").write_text("5")  # the peak is now what is resident
    before = status("VmRSS")
    kept = call()  # until the peak was read
    peak = status("VmHWM")
    del kept
    return peak - before


def main() -> None:
    kind, size, path = sys.argv[1:]
    weights = model.state_dict(size) if "save" in kind else None
    store = fontkeep.Store(path, create=True) if not kind.startswith("torch") else None
    calls: dict[str, Callable[[], Any]] = {
        "save": lambda: model.save(store, weights),
        "save-in-background": lambda: model.save(store, weights, wait=False).result(),
        "load": lambda: store and store.load_model(model.FONT),
        "load-mmap": lambda: store and store.load_model(model.FONT, mmap=True),
        "torch-save": lambda: torch.save(weights, path),
        "torch-load": lambda: torch.load(path),
    }
    print(beyond(calls[kind]))


main()
