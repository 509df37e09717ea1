"""The most memory that saving and loading 480 MB needs beyond the model itself."""

from __future__ import annotations

import functools
import os

from .. import model
from ..child import once
from ..report import Figure, Report
from ..samples import Samples, interleave
from ..setting import Interpreter, Setting, remove

MEBIBYTE = 2**20
# kind of child_memory.py -> how it is called here
SAVES = {
    "save": "save",
    "save-in-background": "save, wait=False, beyond its copy",
    "torch-save": "torch.save",
}
LOADS = {
    "load": "load, beyond the model",
    "load-mmap": "load, mmap=True",
    "torch-load": "torch.load, beyond the model",
}
HAS_COPY = ("save-in-background", "load", "torch-load")  # a model made anew, which is not beyond


def run(setting: Setting) -> Report:
    report = Report("Memory beyond the model, for 480 MB", unit="MiB")
    threads = os.cpu_count() or 1
    goals = {"save": 16.0, "save-in-background": 16.0}
    goals |= {"load": 16.0 + threads, "load-mmap": 16.0 + threads}
    newest = setting.interpreters[-1]
    samples = measure(setting, newest)
    for kind, name in (SAVES | LOADS).items():
        name = f"{name}, torch {newest.torch}"
        report.samples[name] = samples[kind]
        beyond = samples[kind].median / MEBIBYTE
        report.figures.append(Figure(name, beyond, "MiB", goals.get(kind)))
    report.notes.append(
        "The peak of the process's resident memory during the call, less what was resident before, "
        "in a process that saved or loaded nothing yet; less the bytes of the weights where a "
        "model or a copy of it is made. Loading may take 16 MiB, and 1 MiB for each of "
        f"{threads} threads."
    )
    return report


def measure(setting: Setting, interpreter: Interpreter) -> dict[str, Samples]:
    size = setting.size("large", "tiny")
    weights = model.SIZES[size][2]
    with setting.directory(setting.size(2_000_000_000, 4_000_000)) as directory:

        def beyond(kind: str, name: str) -> float:
            program = ("-m", "bench.child_memory", kind, size, directory / name)
            peak = once(setting, interpreter.path, *program)
            return peak - (weights if kind in HAS_COPY else 0)

        def saving(kind: str) -> float:
            peak = beyond(kind, "saved")
            remove(directory / "saved")
            return peak

        beyond("save", "load")
        beyond("torch-save", "torch")
        subjects = {kind: functools.partial(saving, kind) for kind in SAVES}
        for kind in LOADS:
            subjects[kind] = functools.partial(beyond, kind, kind.split("-")[0])
        return interleave(subjects, setting.size(5, 1), 0)
