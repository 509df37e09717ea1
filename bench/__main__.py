"""Runs the rows and prints what they found. scripts/bench calls it and describes the options."""

from __future__ import annotations

import argparse
import datetime
import importlib
import pathlib
import signal
import sys

from . import document, machine
from .report import Report, as_text
from .setting import ROOT, NoSpaceError, Setting, probe

ROWS = (
    "save", "digests", "load", "background", "small-save", "many-saves", "listing", "discovery",
    "start", "memory",
)  # fmt: skip


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench")
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--scratch", type=pathlib.Path, required=True)
    parser.add_argument("--python", action="append", required=True)
    parser.add_argument("--smoke", action="store_true")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("rows", nargs="*", metavar="ROW")
    options = parser.parse_args()
    for name in options.rows:
        if name not in ROWS:
            parser.error(f"unknown row '{name}': {', '.join(ROWS)}")
    if options.smoke and options.write:
        parser.error("a smoke run measures nothing that could be written")
    return options


def measure(setting: Setting, name: str) -> Report:
    module = importlib.import_module(f".rows.{name.replace('-', '_')}", __package__)
    report: Report = module.run(setting)
    if setting.smoke:
        print(f"{name}: ran, with {len(report.figures)} figures", flush=True)
        return report
    print(f"\n{name}: {report.title}")
    print(as_text(report.table()))
    for note in report.notes:
        print(f"  {note}")
    print(as_text(report.sample_table()), flush=True)
    return report


def stamp() -> str:
    git = ("git", "-C", str(ROOT))
    commit = machine.output(*git, "rev-parse", "--short", "HEAD").strip()
    changed = machine.output(*git, "status", "--porcelain", "lib", "python", "cli")
    more = ", with changes" if changed else ""
    today = datetime.datetime.now(datetime.UTC).date()
    return f"Measured on {today} at commit {commit}{more}."


def terminated(*_: object) -> None:
    """Cleans up first, and lets nothing disturb that."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(128 + signal.SIGTERM)


def main() -> int:
    options = arguments()
    signal.signal(signal.SIGTERM, terminated)
    options.scratch.mkdir(parents=True, exist_ok=True)
    interpreters = tuple(probe(path) for path in options.python)
    setting = Setting(options.build, options.scratch, interpreters, options.smoke)
    facts = machine.describe(setting)
    print(as_text(facts))
    rows = [name for name in ROWS if not options.rows or name in options.rows]
    try:
        reports = {name: measure(setting, name) for name in rows}
        if options.write:
            every_row = len(rows) == len(ROWS)
            document.write(ROOT, facts, reports, stamp(), every_row=every_row)
    except (NoSpaceError, document.OtherMachineError) as error:
        print(f"scripts/bench: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
