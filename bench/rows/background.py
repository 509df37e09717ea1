"""A save of 480 MB behind the back of a training loop: what it costs the loop."""

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

KINDS = {
    "blocking": "save_model",
    "call": "save_model(wait=False), until it returns",
    "lost": "save_model(wait=False), training lost",
    "step": "a step of training meanwhile",
    "alone": "a step of training alone",
}


def saving(setting: Setting, paths: Iterator[pathlib.Path], saver: Child, kind: str) -> float:
    """One save into a new store, from a disk at rest, removed afterwards."""
    path = next(paths)
    setting.settle()
    answer = saver.ask(f"{kind} {path}")
    remove(path)
    return answer


def run(setting: Setting) -> Report:
    report = Report("A save of 480 MB in the background of a training loop")
    subjects: dict[str, Callable[[], float]] = {}
    with ExitStack() as stack:
        needed = setting.size(1_000_000_000, 1_000_000)
        directory = stack.enter_context(setting.directory(needed))
        paths = (directory / str(number) for number in itertools.count())
        for each in setting.interpreters:
            size = setting.size("large", "tiny")
            saver = stack.enter_context(
                child(setting, each.path, "-m", "bench.child_background", size)
            )
            for kind, name in KINDS.items():
                call = functools.partial(saving, setting, paths, saver, kind)
                subjects[f"{name}, torch {each.torch}"] = call
        report.samples = interleave(subjects, setting.size(5, 1), setting.size(1, 0))
    for each in setting.interpreters:
        add_figures(report, each.torch)
    return report


def add_figures(report: Report, version: str) -> None:
    suffix = f", torch {version}"
    blocking = report.samples[KINDS["blocking"] + suffix]
    for kind in ("call", "lost"):
        ratio = report.samples[KINDS[kind] + suffix].over(blocking)
        report.figures.append(Figure(f"{KINDS[kind]} / save_model{suffix}", ratio))
    step = report.samples[KINDS["step"] + suffix].over(report.samples[KINDS["alone"] + suffix])
    report.figures.append(Figure(f"{KINDS['step']} / alone{suffix}", step))
