"""docs/performance.md: what the bench last measured, each part between markers of its own."""

from __future__ import annotations

import pathlib
import re

from .report import Report, as_markdown

PATH = "docs/performance.md"


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
        raise LookupError(f"{PATH}: the markers of {name} are there {count} times, not once")
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


def write(
    path: pathlib.Path, machine: list[tuple[str, str]], reports: dict[str, Report], when: str,
    every_row: bool,
) -> None:
    """Puts the rows that ran in the place of the old ones."""
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
