"""What the digests of a save cost: the least that its processors have to do."""

from __future__ import annotations

import functools
import itertools
import os
from collections.abc import Callable
from contextlib import ExitStack

from ..child import child
from ..report import Figure, Report
from ..samples import interleave
from ..setting import Setting
from .save import PLAIN, saving

KINDS = {"sha256": "SHA-256", "xxh3": "XXH3-128", "crc32": "CRC-32"}
MEBIBYTE = 1 << 20


def run(setting: Setting) -> Report:
    cores = min(os.cpu_count() or 1, 2)  # a save has two hashers
    size = setting.size(458 * MEBIBYTE, 4 * MEBIBYTE)
    each = size // MEBIBYTE // cores * MEBIBYTE
    report = Report(f"The digests of 480 MB, on {cores} cores")
    subjects: dict[str, Callable[[], float]] = {}
    with ExitStack() as stack:
        directory = stack.enter_context(setting.directory(3 * size))
        source = directory / "source"
        source.write_bytes(os.urandom(MEBIBYTE) * (size // MEBIBYTE))
        paths = (directory / str(number) for number in itertools.count())
        writer = stack.enter_context(child(setting, setting.program("bench/plain_write"), source))
        hasher = stack.enter_context(
            child(setting, setting.program("bench/digest_rate"), cores, each)
        )
        subjects[PLAIN] = functools.partial(saving, setting, paths, writer, "")
        for kind, name in KINDS.items():
            subjects[name] = functools.partial(hasher.ask, kind)
        report.samples = interleave(subjects, setting.size(7, 1), setting.size(1, 0))
    for name in KINDS.values():
        rate = each / report.samples[name].median / 1e9
        report.figures.append(Figure(f"{name}, each core", rate, "GB/s"))
    ratio = report.samples[KINDS["sha256"]].over(report.samples[PLAIN])
    report.figures.append(Figure(f"SHA-256 alone / {PLAIN}", ratio))
    return report
