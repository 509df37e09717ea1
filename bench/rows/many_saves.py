"""10,000 durable saves into one font by one process: does the last take longer than the first?"""

from __future__ import annotations

import contextlib
import pathlib

from .. import model
from ..child import Child, child
from ..report import Figure, Report
from ..samples import Samples, interleave
from ..setting import Setting


def run(setting: Setting) -> Report:
    count, some = setting.size(10_000, 20), setting.size(100, 5)
    report = Report("10,000 durable saves into one font by one process")
    with contextlib.ExitStack() as stack:
        needed = setting.size(3_000_000_000, 10_000_000)
        directory = stack.enter_context(setting.directory(needed))
        old = stack.enter_context(saver(setting, directory / "old"))
        setting.settle()
        earlier = [old.ask("save") for _ in range(count - some)]
        new = stack.enter_context(saver(setting, directory / "new"))
        last, first = f"the last {some}", f"the first {some} of a new font by a new process"
        subjects = {last: lambda: old.ask("save"), first: lambda: new.ask("save")}
        report.samples = interleave(subjects, some, 0)
    report.samples["all before"] = Samples(tuple(earlier))
    own_first = report.samples[f"its own first {some}"] = Samples(tuple(earlier[:some]))
    drift_free = report.samples[last].over(report.samples[first])
    report.figures += [
        Figure("last / first of a new font", drift_free, at_most=1.2),
        Figure("last / its own first", report.samples[last].median / own_first.median, at_most=1.2),
    ]
    report.notes.append(
        f"The last {some} saves take turns with the first {some} into a new font by a new process: "
        "the disk is another one after a minute. Between the last and its own first lies that "
        "drift, too."
    )
    return report


def saver(setting: Setting, store: pathlib.Path) -> contextlib.AbstractContextManager[Child]:
    python = setting.interpreters[0].path
    options = (store, model.FONT, "tiny", "full", 26)
    return child(setting, python, "-m", "bench.child_runs", "save", *options)
