"""Sends random objects both ways: saved by torch in one of its ways, read by fontkeep, written by
fontkeep, loaded by torch; values, bits, strides, types and sharing must stay. By hand, with any
PyTorch, for as long as you like:

    FONTKEEP_BUILD=build /usr/bin/python3 tests/oracle/round_trips.py --minutes 60

A finding names its case; `--case N` sends that one again."""

import argparse
import contextlib
import os
import pathlib
import random
import sys
import tempfile
import time
import traceback
import zipfile

import torch

from random_objects import HAS_V3, Maker
from read_dump import dump_all, with_sharing, without_set_order
from read_walk import walk
from write_support import VERSION, Comparison, run

if VERSION >= (2, 7):
    import torch.utils.serialization

BATCH = 50
FINDINGS_MAX = 20
ROWS_MAX = 20000  # an object that holds itself in many places has no end of rows


# ---- the ways to save


@contextlib.contextmanager
def replaced(owner, name, value):
    before = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)


def every_dtype():
    return {value for value in vars(torch).values() if isinstance(value, torch.dtype)}


class Way:
    """How a case is saved, drawn from its number."""

    def __init__(self, number):
        r = random.Random(-number - 1)
        self.protocol = r.choice((2, 2, 3, 4, 5))
        self.untyped = HAS_V3 and r.random() < 0.3
        self.to_buffer = r.random() < 0.3
        self.crc = VERSION < (2, 6) or r.random() < 0.8
        self.alignment = r.choice((64, 64, 1, 16, 100, 4096, 65536)) if VERSION >= (2, 7) else None
        self.byteorder_late = VERSION >= (2, 1) and r.random() < 0.1
        self.rewritten = r.random() < 0.15
        self.big_endian = self.rewritten and VERSION >= (2, 1) and r.random() < 0.7

    def save(self, thing, path):
        options = {"pickle_protocol": self.protocol}
        if self.byteorder_late:
            options["_disable_byteorder_record"] = True
        with contextlib.ExitStack() as stack:
            if not self.crc:
                torch.serialization.set_crc32_options(False)
                stack.callback(torch.serialization.set_crc32_options, True)
            if self.alignment:
                config = torch.utils.serialization.config.save
                stack.enter_context(replaced(config, "storage_alignment", self.alignment))
            if self.untyped:
                stack.enter_context(replaced(torch.storage, "_new_dtypes", every_dtype))
            if self.to_buffer:
                file = stack.enter_context(open(path, "wb"))
                torch.save(thing, file, **options)
            else:
                torch.save(thing, str(path), **options)
        if self.rewritten:
            self.rewrite(path)

    def rewrite(self, path):
        """As another zip writer stores it, without alignment, maybe from a big-endian machine."""
        with zipfile.ZipFile(path) as old:
            records = [(name, old.read(name)) for name in old.namelist()] if self.crc else None
        if records is None:
            return
        with zipfile.ZipFile(path, "w") as new:
            for name, data in records:
                if name.endswith("/byteorder") and self.big_endian:
                    data = b"big"
                if not name.endswith((".format_version", ".storage_alignment")):
                    new.writestr(name, data)

    def __str__(self):
        return ", ".join(f"{name} {value}" for name, value in vars(self).items())


# ---- cases


class Case:
    def __init__(self, number, folder):
        self.way = Way(number)
        self.number = number
        self.maker = Maker(number, self.way.untyped)
        self.thing = self.maker.object()
        self.saved = folder / f"{number}.in"
        self.copied = folder / f"{number}.out"
        self.way.save(self.thing, self.saved)

    def expected(self):
        """What torch makes of the file, where it can."""
        if self.maker.late_gradient:
            return self.thing
        options = {"weights_only": False} if VERSION >= (1, 13) else {}
        return torch.load(self.saved, **options)

    def check_read(self, found):
        rows = []
        for row in walk(self.expected()):
            rows.append(row)
            if len(rows) == ROWS_MAX:
                return
        found = without_set_order(with_sharing(found))
        rows = without_set_order(with_sharing(rows))
        for row, expected in zip(found, rows):
            assert row == expected, f"read {row}, not {expected}"
        assert len(found) == len(rows), f"read {len(found)} values, not {len(rows)}"

    def check_written(self):
        # fontkeep knows of what 1.13 forgot and big-endian bytes turned only what the file says
        reference = self.expected()
        if VERSION >= (2, 0) and not self.way.big_endian:
            reference = self.thing
        ways = [{"weights_only": False}]
        if VERSION >= (2, 6):
            ways.append({"weights_only": True, "mmap": self.number % 2 == 0})
        for options in ways:
            comparison = Comparison()
            comparison.same(reference, torch.load(self.copied, **options))
            comparison.finish()


def attempt(case, check, *arguments):
    """The finding of a check as a text, or None."""
    try:
        check(*arguments)
    except Exception as problem:
        trace = "".join(traceback.format_exception(type(problem), problem, problem.__traceback__))
        return f"case {case.number} ({case.way}): {trace[-3000:]}"
    return None


def copy(cases):
    """Has fontkeep copy the files of all cases at once; when that fails, one by one."""

    def run_copy(some):
        run("checkpoint_copy", *(path for case in some for path in (case.saved, case.copied)))

    failed = attempt(cases[0], run_copy, cases)
    return [attempt(case, run_copy, [case]) for case in cases] if failed else []


def check_batch(numbers, folder):
    """The findings among some cases."""
    cases = [Case(number, folder) for number in numbers]
    listings, _ = dump_all([case.saved for case in cases])
    findings = [
        attempt(case, case.check_read, listing) for case, listing in zip(cases, listings)
    ]
    findings += copy(cases)
    findings += [attempt(case, case.check_written) for case in cases]
    for case in cases:
        case.saved.unlink()
        case.copied.unlink(missing_ok=True)
    return [finding for finding in findings if finding is not None]


def send(first, seconds, cases_max=None, tell=lambda text: None):
    """Sends cases from number `first` on for some seconds; how many, and the findings."""
    sys.setrecursionlimit(20000)
    torch.set_num_threads(1)
    start = told = time.monotonic()
    done, findings = 0, []
    with tempfile.TemporaryDirectory() as folder:
        while time.monotonic() - start < seconds and len(findings) < FINDINGS_MAX:
            count = BATCH if cases_max is None else min(BATCH, cases_max - done)
            if count <= 0:
                break
            new = check_batch(range(first + done, first + done + count), pathlib.Path(folder))
            done += count
            findings += new
            for finding in new:
                tell(finding)
            if time.monotonic() - told >= 60:
                told = time.monotonic()
                tell(f"{done} cases in {told - start:.0f} s, {len(findings)} findings")
    tell(f"{done} cases in {time.monotonic() - start:.0f} s, {len(findings)} findings")
    return done, findings


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, default=1)
    parser.add_argument("--first", type=int, help="number of the first case; default: by the clock")
    parser.add_argument("--case", type=int, help="only this case")
    options = parser.parse_args()
    first = options.first if options.first is not None else int(time.time()) * 1000
    if options.case is not None:
        first = options.case
    print(f"PyTorch {torch.__version__}, from case {first}", flush=True)
    _, findings = send(
        first,
        60 * options.minutes,
        1 if options.case is not None else None,
        lambda text: print(text, flush=True),
    )
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
