"""A durable save of 1 MB and 26 glyphs, against the bare writes, syncs and rename."""

from __future__ import annotations

from contextlib import ExitStack

from .. import model
from ..child import child
from ..report import Figure, Report
from ..samples import interleave
from ..setting import Setting

BARE = "bare writes, syncs and rename"
# From each tracker's own record of one run, without a sync; of another machine.
TRACKERS = "Guild 5.0, MLflow 10.6, Trackio 26, Aim 47, wandb 73, DVC 180 ms"


def run(setting: Setting) -> Report:
    size = setting.size("small", "tiny")
    report = Report("A durable save of 1 MB of weights and 26 glyphs")
    with ExitStack() as stack:
        needed = setting.size(2_000_000_000, 4_000_000)
        directory = stack.enter_context(setting.directory(needed))
        subjects = {}
        for each in setting.interpreters:
            store = directory / each.torch
            saver = stack.enter_context(
                child(setting, each.path, "-m", "bench.child_runs", "save", store, model.FONT, size,
                      "full", 26)
            )  # fmt: skip
            saver.ask("the first, which makes the font")
            subjects[f"fontkeep, torch {each.torch}"] = lambda saver=saver: saver.ask("save")
        template = next((store / model.FONT / "runs").iterdir())
        bare_parent = directory / "bare"
        bare_parent.mkdir()
        program = setting.program("bench/bare_save")
        bare = stack.enter_context(child(setting, program, template, bare_parent))
        names = iter(range(1_000_000))
        subjects[BARE] = lambda: bare.ask(str(next(names)))
        setting.settle()
        report.samples = interleave(subjects, setting.size(200, 2), setting.size(20, 0))
    for each in setting.interpreters:
        name = f"fontkeep, torch {each.torch}"
        ours = report.samples[name]
        report.figures += [
            Figure(f"fontkeep / {BARE}, torch {each.torch}", ours.over(report.samples[BARE]),
                   at_most=1.5),
            Figure(name, ours.median * 1e3, "ms"),
        ]  # fmt: skip
    report.notes.append(
        f"Trackers take, for their own record of a run without a sync: {TRACKERS} (quoted, from "
        "another machine; not measured here)."
    )
    return report
