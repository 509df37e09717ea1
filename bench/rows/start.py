"""The start of the command, as a whole process."""

from __future__ import annotations

from ..child import command, process
from ..report import Figure, Report
from ..samples import interleave
from ..setting import Setting


def run(setting: Setting) -> Report:
    report = Report("The start of the command")
    subjects = {
        "fontkeep --version": lambda: command(setting, "--version"),
        "/bin/true": lambda: process(["/bin/true"]),
    }
    report.samples = interleave(subjects, setting.size(200, 2), setting.size(20, 0))
    start, bare = (each.median * 1e3 for each in report.samples.values())
    report.figures += [
        Figure("fontkeep --version, whole process", start, "ms", 4.0),
        Figure("/bin/true, the same way", bare, "ms"),
    ]
    return report
