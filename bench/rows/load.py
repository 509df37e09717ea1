"""A verified load of 480 MB from a warm page cache, against torch.load, which checks nothing."""

from __future__ import annotations

import functools
import pathlib
from collections.abc import Callable

from .. import model
from ..child import child, once
from ..report import Figure, Report
from ..samples import interleave
from ..setting import Interpreter, Setting

PASS = "one bare pass"
OWN, MAPPED, UPDATED = "fontkeep", "fontkeep, mmap=True", "fontkeep + update"
TORCH, TORCH_UPDATED = "torch.load", "torch.load + update"
# name -> kind of child_load.py; each load is in a process of its own
LOADS = {
    OWN: "fontkeep",
    UPDATED: "fontkeep+update",
    MAPPED: "fontkeep-mmap",
    TORCH: "torch",
    TORCH_UPDATED: "torch+update",
}
# of the newest PyTorch
PEERS = {
    "torch.load, mmap=True": "torch-mmap",
    "torch.load, mmap=True + update": "torch-mmap+update",
    "safetensors": "safetensors",
}


def run(setting: Setting) -> Report:
    report = Report("A verified load of 480 MB, warm")
    subjects: dict[str, Callable[[], float]] = {}
    with setting.directory(setting.size(2_000_000_000, 1_000_000)) as directory:
        weights = prepare(setting, directory)
        program = setting.program("bench/mapped_pass")
        subjects[PASS] = functools.partial(once, setting, program, weights)
        for each in setting.interpreters:
            for name, kind in (LOADS | (PEERS if each.safetensors else {})).items():
                path = directory / kind.partition("+")[0].partition("-")[0]
                subjects[f"{name}, torch {each.torch}"] = functools.partial(
                    once, setting, each.path, "-m", "bench.child_load", kind, path
                )
        report.samples = interleave(subjects, setting.size(5, 1), setting.size(1, 0))
    for each in setting.interpreters:
        add_figures(report, each)
    return report


def prepare(setting: Setting, directory: pathlib.Path) -> pathlib.Path:
    """The same model saved by each; gives fontkeep's file of weights."""
    newest = setting.interpreters[-1]
    size = setting.size("large", "tiny")
    kinds = ["fontkeep", "torch"] + (["safetensors"] if newest.safetensors else [])
    with child(setting, newest.path, "-m", "bench.child_save", size) as writer:
        for kind in kinds:
            writer.ask(f"{kind} {directory / kind}")
    (weights,) = (directory / "fontkeep" / model.FONT / "runs").glob("*/weights")
    for path in (weights, *(directory / kind for kind in kinds[1:])):
        path.read_bytes()  # into the page cache, whoever wrote past it
    return weights


def add_figures(report: Report, interpreter: Interpreter) -> None:
    suffix = f", torch {interpreter.torch}"
    own, updated, mapped, torch, torch_updated = (report.samples[n + suffix] for n in LOADS)
    report.figures += [
        Figure(f"torch.load / fontkeep{suffix}", torch.over(own), at_least=2.2),
        Figure(
            f"(fontkeep + update) / (torch.load + update){suffix}",
            updated.over(torch_updated),
            at_most=0.75,
        ),
        Figure(
            f"fontkeep mmap=True / {PASS}{suffix}", mapped.over(report.samples[PASS]), at_most=1.2
        ),
        Figure(f"torch.load / fontkeep mmap=True{suffix}", torch.over(mapped), at_least=6.0),
    ]
