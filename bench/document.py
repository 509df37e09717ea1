"""What the bench last measured, between markers: docs/performance.md, and its gist in README.md."""

from __future__ import annotations

import pathlib
import re

from .report import Report, as_markdown

PATH, README = "docs/performance.md", "README.md"
# What README.md says: row, how the figure's line begins, the work, and words around the figure.
GIST = (
    (
        "save",
        "torch.save + fsync / fontkeep,",
        "a durable save of 480 MB",
        "`torch.save` + fsync takes {} as long",
    ),
    (
        "load",
        "torch.load / fontkeep,",
        "a verified load of 480 MB",
        "`torch.load`, which checks nothing, takes {} as long",
    ),
    (
        "load",
        "torch.load / fontkeep mmap=True,",
        "the same with `mmap=True`",
        "`torch.load` takes {} as long",
    ),
    ("small-save", "fontkeep, torch", "a durable save of 1 MB and 26 glyphs", "{}"),
    ("listing", "command, warm", "10,000 runs listed by the command", "{}"),
    ("start", "fontkeep --version", "the start of the command", "{}"),
)


class OtherMachineError(Exception):
    """Figures of two machines cannot stand in one document."""


def block(name: str, text: str) -> str:
    return f"<!-- bench: {name} -->\n{text}\n<!-- end: {name} -->"


def replaced(document: str, name: str, text: str) -> str:
    pattern = re.compile(
        rf"^<!-- bench: {re.escape(name)} -->\n.*?^<!-- end: {re.escape(name)} -->$", re.M | re.S
    )
    result, count = pattern.subn(lambda _: block(name, text), document)
    if count != 1:
        raise LookupError(f"the markers of {name} are there {count} times, not once")
    return result


def content(document: str, name: str) -> str:
    found = re.search(
        rf"^<!-- bench: {re.escape(name)} -->\n(.*?)\n?<!-- end: {re.escape(name)} -->$",
        document,
        re.M | re.S,
    )
    return found[1] if found else ""


def machine_text(machine: list[tuple[str, str]]) -> str:
    return as_markdown([("the machine", ""), *machine])


def report_text(report: Report, when: str) -> str:
    parts = [as_markdown(report.table()), *report.notes, as_markdown(report.sample_table()), when]
    return "\n" + "\n\n".join(parts) + "\n"


def gist(document: str) -> str:
    """The few figures that README.md shows, out of docs/performance.md."""
    rows = [("work", "measured")]
    for name, begin, work, words in GIST:
        table = content(document, name).partition("| medians")[0]
        lines = [line.split(" | ") for line in table.split("\n")]
        figures = [cells[1] for cells in lines if cells[0].startswith("| " + begin)]
        if figures:
            rows.append((work, words.format(figures[-1])))
    return as_markdown(rows)


def write(
    root: pathlib.Path,
    machine: list[tuple[str, str]],
    reports: dict[str, Report],
    when: str,
    *,
    every_row: bool,
) -> None:
    """Puts the rows that ran in the place of the old ones."""
    path, readme = root / PATH, root / README
    document = path.read_text(encoding="utf-8")
    if not every_row and content(document, "machine") not in ("", machine_text(machine)):
        raise OtherMachineError(
            f"{path}: its figures are of another machine (or of other versions); "
            "run all rows, or none, with --write"
        )
    document = replaced(document, "machine", machine_text(machine))
    for name, report in reports.items():
        document = replaced(document, name, report_text(report, when))
    path.write_text(document, encoding="utf-8")
    text = readme.read_text(encoding="utf-8")
    readme.write_text(replaced(text, "gist", gist(document)), encoding="utf-8")
