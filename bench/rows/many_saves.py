"""10,000 durable saves into one font by one process: does the last take longer than the first?"""

from __future__ import annotations

from .. import model
from ..child import child
from ..report import Figure, Report
from ..samples import Samples
from ..setting import Setting


def run(setting: Setting) -> Report:
    count = setting.size(10_000, 20)
    some = setting.size(100, 5)
    report = Report("10,000 durable saves into one font by one process")
    with setting.directory(setting.size(3_000_000_000, 10_000_000)) as directory:
        python = setting.interpreters[0].path
        with child(setting, python, "-m", "bench.child_runs", "save", directory / "store",
                   model.FONT, "tiny", "full", 26) as saver:  # fmt: skip
            setting.settle()
            seconds = [saver.ask("save") for _ in range(count)]
    report.samples = {
        f"first {some}": Samples(tuple(seconds[:some])),
        f"all {count:,}": Samples(tuple(seconds)),
        f"last {some}": Samples(tuple(seconds[-some:])),
    }
    first, _, last = (each.median for each in report.samples.values())
    report.figures.append(Figure(f"last {some} / first {some}", last / first, at_most=1.2))
    return report
