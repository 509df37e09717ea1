"""A durable save of 480 MB: against the disk itself, torch.save and safetensors."""

from __future__ import annotations

import functools
import itertools
import pathlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack

from ..child import Child, child
from ..report import Figure, Report
from ..samples import interleave
from ..setting import Setting, remove

PLAIN, DIRECT = "plain write + fsync", "O_DIRECT write + fsync"


def saving(setting: Setting, paths: Iterator[pathlib.Path], writer: Child, prefix: str) -> float:
    """One save under a name that was never used, from a disk at rest, removed afterwards."""
    path = next(paths)
    setting.settle()
    seconds = writer.ask(f"{prefix}{path}")
    remove(path)
    return seconds


def run(setting: Setting) -> Report:
    size = setting.size("large", "tiny")
    report = Report("A durable save of 480 MB")
    subjects: dict[str, Callable[[], float]] = {}
    with ExitStack() as stack:
        needed = setting.size(2_000_000_000, 1_000_000)
        directory = stack.enter_context(setting.directory(needed))
        paths = (directory / str(number) for number in itertools.count())
        python = [
            (each, stack.enter_context(child(setting, each.path, "-m", "bench.child_save", size)))
            for each in setting.interpreters
        ]
        source = directory / "source"
        python[0][1].ask(f"torch {source}")
        for name, mode in ((PLAIN, []), (DIRECT, ["direct"])):
            program = setting.program("bench/plain_write")
            writer = stack.enter_context(child(setting, program, source, *mode))
            subjects[name] = functools.partial(saving, setting, paths, writer, "")
        for each, writer in python:
            kinds = ["fontkeep", "torch"] + (["safetensors"] if each.safetensors else [])
            for kind in kinds:
                call = functools.partial(saving, setting, paths, writer, f"{kind} ")
                subjects[f"{NAMES[kind]}, torch {each.torch}"] = call
        report.samples = interleave(subjects, setting.size(7, 1), setting.size(1, 0))
    for each in setting.interpreters:
        add_figures(report, each.torch)
    direct = report.samples[DIRECT].over(report.samples[PLAIN])
    report.figures.append(Figure(f"{DIRECT} / {PLAIN}", direct, note="the disk"))
    return report


NAMES = {
    "fontkeep": "fontkeep",
    "torch": "torch.save + fsync",
    "safetensors": "safetensors + fsync",
}


def add_figures(report: Report, version: str) -> None:
    suffix = f", torch {version}"
    ours = report.samples["fontkeep" + suffix]
    theirs = report.samples[NAMES["torch"] + suffix]
    plain = report.samples[PLAIN]
    report.figures += [
        Figure(f"fontkeep / {PLAIN}{suffix}", ours.over(plain), at_most=0.80),
        Figure(f"{NAMES['torch']} / fontkeep{suffix}", theirs.over(ours), at_least=2.0),
    ]
    safetensors = report.samples.get(NAMES["safetensors"] + suffix)
    if safetensors:
        what = f"{NAMES['safetensors']} / fontkeep{suffix}"
        report.figures.append(Figure(what, safetensors.over(ours)))
