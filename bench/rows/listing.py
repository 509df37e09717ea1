"""The first listing of 10,000 runs, without an index, from a warm and from a cold page cache."""

from __future__ import annotations

import concurrent.futures
import os
import pathlib
from collections.abc import Callable

from .. import model
from ..child import command, once
from ..report import Figure, Report
from ..samples import Samples, interleave
from ..setting import Setting

DROP = pathlib.Path("/proc/sys/vm/drop_caches")


def run(setting: Setting) -> Report:
    count = setting.size(10_000, 20)
    report = Report("10,000 runs listed, no index")
    with setting.directory(setting.size(3_000_000_000, 10_000_000)) as directory:
        store = directory / "store"
        python = setting.interpreters[0].path
        fill = ("-m", "bench.child_runs", "fill", store, model.FONT, count // 2)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda _: once(setting, python, *fill), range(2)))
        setting.settle()
        subjects = {
            "library": lambda: once(
                setting, setting.program("bench/list_runs"), store, model.FONT, count
            ),
            "command": lambda: command(setting, "--store", str(store), "runs", model.FONT),
            "Python": lambda: once(
                setting, python, "-m", "bench.child_runs", "list", store, model.FONT, count
            ),
        }
        report.samples = temperature(setting, report, "warm", subjects, 0.25)
        if os.access(DROP, os.W_OK) and not setting.smoke:
            colds = {name: colder(setting, call) for name, call in subjects.items()}
            report.samples |= temperature(setting, report, "cold", colds, 1.0)
        else:
            why = "a cold page cache needs root"
            report.figures += [
                Figure(f"{name}, cold", None, "s", 1.0, note=why) for name in subjects
            ]
    report.notes.append("The library in C; the command as a whole process; Python's `list_runs`.")
    return report


def temperature(
    setting: Setting,
    report: Report,
    name: str,
    subjects: dict[str, Callable[[], float]],
    goal: float,
) -> dict[str, Samples]:
    samples = interleave(subjects, setting.size(5, 1), setting.size(1, 0))
    for who, each in samples.items():
        report.figures.append(Figure(f"{who}, {name}", each.median, "s", goal))
    return {f"{who}, {name}": each for who, each in samples.items()}


def colder(setting: Setting, call: Callable[[], float]) -> Callable[[], float]:
    def with_a_cold_cache() -> float:
        os.sync()
        DROP.write_text("3")
        command(setting, "--version")  # the programs are warm, the store is not
        once(setting, setting.interpreters[0].path, "-c", "import fontkeep; print(0)")
        return call()

    return with_a_cold_cache
