"""What the specification bounds with 2 seconds: finding 100+ runs at the start, loading 1,000+."""

from __future__ import annotations

from .. import model
from ..child import command, once
from ..report import Figure, Report
from ..samples import interleave
from ..setting import Setting

GOAL = 2.0  # seconds, of the specification


def run(setting: Setting) -> Report:
    report = Report("120 runs of 3 fonts found at the start; 1,000 runs listed and loaded")
    each, many = setting.size(40, 2), setting.size(1_000, 5)
    with setting.directory(setting.size(1_000_000_000, 10_000_000)) as directory:
        python, runs = setting.interpreters[0].path, ("-m", "bench.child_runs")
        fonts, font = directory / "fonts", directory / "font"
        for name in ("1-fruity", "2-dumb", "3-aggressive-sans"):
            once(setting, python, *runs, "fill", fonts, name, each)
        once(setting, python, *runs, "fill", font, model.FONT, many)
        setting.settle()
        subjects = {
            "120 runs found, command": lambda: command(setting, "--store", fonts, "status"),
            "1,000 runs listed, command": lambda: command(
                setting, "--store", font, "runs", model.FONT
            ),
            "1,000 runs listed, Python": lambda: once(
                setting, python, *runs, "list", font, model.FONT, many
            ),
            "1,000 runs loaded and verified, Python": lambda: once(
                setting, python, *runs, "load", font, model.FONT, many
            ),
        }
        report.samples = interleave(subjects, setting.size(5, 1), setting.size(1, 0))
    for name, samples in report.samples.items():
        report.figures.append(Figure(name, samples.median, "s", GOAL))
    report.notes.append("Each run has 26 glyphs, a sample and small weights; the cache is warm.")
    return report
