#!/usr/bin/python3
"""Runs the programs that prove the promises, and puts what they print into one table.

scripts/reliability calls it, and describes the options. A program prints lines
`promise N: what was tried, and what was found`; it proves the promise when it ends with status 0.
Lines that begin `promise N: |` are rows of a table of their own.
"""

import argparse
import datetime
import os
import pathlib
import platform
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
DOCUMENT = ROOT / "docs/reliability.md"
MARKERS = re.compile(r"(?<=<!-- reliability -->\n).*(?=<!-- end: reliability -->)", re.S)
SKIPPED = 77  # a program that cannot run here, and says why
LINE = re.compile(r"^promise (\d+): (.+)$", re.M)

# Number: what is promised, and the figure asked for.
PROMISES = {
    1: ("power loss at any point of a save or a change leaves the old store or the new one",
        "3 glyphs: at least 327,239 combinations, 26 glyphs: 183,080; 0 torn"),
    2: ("what was reported as saved is there after power loss", "0 lost of all states behind it"),
    3: ("the test of power loss can see", "every mutant of the protocol is caught"),
    4: ("power loss during recovery is as harmless as during a save", "0 violations"),
    5: ("SIGKILL anywhere is harmless", "at every system call of every changing command: 0 torn"),
    6: ("every I/O error is reported, none corrupts", "2,000 faults: 0 silent successes"),
    7: ("a full disk leaves nothing behind", "100 fill levels: 0 partial runs"),
    8: ("in doubt is told apart", "a code of its own; the run is there and verifies"),
    9: ("concurrent writers never collide or lose", "800 ids of 8 processes; 10,800 interleavings"),
    10: ("ids are chronological though the clock is not", "12 scenarios: strictly increasing"),
    11: ("any flipped bit is noticed, and its file named",
         "each byte of a small run, 100,000 bits of 50 MB: all of them"),
    12: ("it works, or refuses cleanly, on each file system",
         "ext4, xfs, btrfs, tmpfs, overlay, FUSE, and kernels that lack calls"),
    15: ("hostile weights cannot run code, crash or exhaust us",
         "1,000,000 inputs to each parser: 0 findings; less than 64 MB beyond the file"),
    16: ("no path leaves the store", "100,000 swaps: 0 escapes"),
    22: ("old and newer formats fail soft", "each frozen store loads; newer is refused by name"),
    23: ("the tests mean something", "90 % of lines; every branch of publish, recover and verify"),
}  # fmt: skip


class Program:
    """Proves promises: how it is called every day, and with what more in full."""

    def __init__(self, promises, *words, full=(), environment=None):
        self.promises = promises
        self.words = words
        self.full = full
        self.environment = environment or {}

    def command(self, options):
        words = [*self.words, *(self.full if options.full else ())]
        return [word.format(build=options.build, python=sys.executable) for word in words]


def pytest(promises, *files, **more):
    words = ("{python}", "-m", "pytest", "-q", "-s", "-p", "no:cacheprovider", *files)
    return Program(promises, *words, **more)


PROGRAMS = [
    Program((1, 2, 4), "{build}/tests/crash/crash", "save", full=("--full",)),
    Program((1, 2, 4), "{build}/tests/crash/crash", "change", full=("--full",)),
    Program((3,), "{build}/tests/crash/crash", "mutants"),
    Program((5,), "{build}/tests/faults/kills", full=("--full",)),
    Program((5,), "{python}", "tests/faults/by_strace.py", "kill", full=("--full",)),
    Program((8,), "{python}", "tests/faults/by_strace.py", "doubt"),
    Program((6, 8), "{build}/tests/faults/faults", full=("--full",)),
    Program((7,), "{build}/tests/faults/full_disk", full=("--full",)),
    Program((9, 10), "{build}/tests/faults/interleave", full=("--full",)),
    Program((9, 10), "{build}/tests/unit/store/test_publish_clock"),
    Program((11,), "{build}/tests/damage/damage", full=("--full",)),
    Program((12,), "{python}", "tests/matrix/matrix.py", "--build", "{build}"),
    Program((15,), "{build}/tests/unit/checkpoint/test_bombs"),
    Program((15,), "scripts/fuzz", "--seconds", "24", full=("--inputs", "1000000")),
    Program((16,), "{build}/tests/unit/store/test_outside",
            environment={"FONTKEEP_SWAPS": "100000"}),
    Program((16,), "{build}/tests/unit/store/test_outside_changes"),
    pytest((22,), "tests/oracle/test_store_reader.py"),
    Program((23,), "scripts/test", "coverage"),
]


class Report:
    """What the programs said, by promise."""

    def __init__(self):
        self.lines = {}
        self.broken = {}

    def run(self, program, options):
        words = program.command(options)
        print(f"== {' '.join(words)}", flush=True)
        began = datetime.datetime.now()
        done = subprocess.run(
            words, cwd=ROOT, env={**os.environ, **program.environment}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace",
        )  # fmt: skip
        said = LINE.findall(done.stdout)
        for number, text in said:
            self.lines.setdefault(int(number), []).append(text)
            print(f"promise {number}: {text}")
        print(f"   {(datetime.datetime.now() - began).total_seconds():.0f} s", flush=True)
        silent = set(program.promises) - {int(number) for number, _ in said}
        if done.returncode not in (0, SKIPPED) or silent:
            print("\n".join(done.stdout.splitlines()[-20:]))
            why = f"exit status {done.returncode}" if done.returncode else "it prints no figure"
            for number in program.promises:
                self.broken[number] = f"{' '.join(words)}: {why}"

    def state(self, number):
        if number in self.broken:
            return "BROKEN"
        lines = self.lines.get(number, [])
        if any(line.startswith("not tried ") for line in lines):
            return "kept where tried"
        return "kept" if lines else "not shown"

    def figures(self, number):
        """Lines of text; the rows of a table stand elsewhere."""
        texts = [text for text in self.lines.get(number, []) if not text.startswith("|")]
        texts += [self.broken[number]] if number in self.broken else []
        return texts or ["no program shows it yet"]

    def tables(self):
        for number, texts in sorted(self.lines.items()):
            rows = [text for text in texts if text.startswith("|")]
            if rows:
                yield number, rows


def as_text(report, numbers):
    for number in numbers:
        promise, asked = PROMISES[number]
        yield f"{number:2}  {report.state(number):16}  {promise}"
        yield f"    asked    {asked}"
        for place, text in enumerate(report.figures(number)):
            yield f"    {'reached' if place == 0 else '       '}  {text}"


def as_row(report, number, options):
    promise, asked = PROMISES[number]
    figures = "<br>".join(text.replace("|", "\\|") for text in report.figures(number))
    state = report.state(number) + (", in full" if options.full else "")
    return f"| {number} | {promise} | {asked} | {figures} | {state} |"


def as_markdown(report, numbers, options):
    sys.path.insert(0, str(ROOT))
    from bench import machine

    version = machine.output(str(ROOT / options.build / "fontkeep"), "--version").strip()
    yield f"{version} on {datetime.datetime.now(datetime.UTC).date()}, in full where a row says so:"
    yield f"{machine.processor()}, {os.cpu_count()} cores, {machine.distribution()},"
    yield f"{platform.system()} {platform.release()}, {machine.mounted(ROOT)[0]}.\n"
    yield "| # | promise | asked | reached | |\n|---|---|---|---|---|"
    yield from (as_row(report, number, options) for number in numbers)
    for number, rows in report.tables():
        yield f"\nPromise {number}:\n"
        yield from rows


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("promise", type=int, nargs="*")
    options = parser.parse_args()
    unknown = set(options.promise) - set(PROMISES)
    if unknown:
        parser.error(f"no promise {min(unknown)}: {', '.join(map(str, PROMISES))}")
    return options


def with_rows(document, report, options):
    """The document with new rows of some promises, and the tables that they have."""
    for number in options.promise:
        row = as_row(report, number, options)
        document = re.sub(rf"^\| {number} \|.*$", lambda _, row=row: row, document, flags=re.M)
    for number, rows in report.tables():
        table = f"Promise {number}:\n\n" + "\n".join(rows) + "\n"
        document = re.sub(rf"^Promise {number}:\n\n(\|.*\n)+", lambda _, table=table: table,
                          document, flags=re.M)  # fmt: skip
    return document


def write(report, options):
    """The whole report; of some promises only their rows."""
    document = DOCUMENT.read_text(encoding="utf-8")
    if options.promise:
        document = with_rows(document, report, options)
    else:
        text = "\n".join(as_markdown(report, list(PROMISES), options)) + "\n"
        document = MARKERS.sub(lambda _: text, document)
    DOCUMENT.write_text(document, encoding="utf-8")


def main():
    options = parse()
    numbers = options.promise or list(PROMISES)
    report = Report()
    for program in PROGRAMS:
        if set(program.promises) & set(numbers):
            report.run(program, options)
    print("\n".join(["", *as_text(report, numbers)]))
    if options.write:
        write(report, options)
    return 1 if report.broken else 0


if __name__ == "__main__":
    sys.exit(main())
