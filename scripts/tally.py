#!/usr/bin/python3
"""Counts test cases, so that scripts/test can add them up.

tally.py meson TESTLOG.json    what `meson test` left behind, cmocka's cases counted one by one
tally.py pytest JUNIT.xml      what `pytest --junitxml` left behind

Prints "PASSED FAILED SKIPPED". A program that crashed counts as a failed case, and so does one of
the suite `unit` that ran no case at all, or a report that is missing. A program of another suite
is one case, by its exit status.
"""

import json
import re
import sys
import xml.etree.ElementTree as xml

CMOCKA = {
    "ran": re.compile(r"^\[=+\] (?:.*: )?(\d+) test\(s\) run\.", re.M),
    "passed": re.compile(r"^\[  PASSED  \] (?:.*: )?(\d+) test\(s\)\.", re.M),
    "failed": re.compile(r"^\[  FAILED  \] (?:.*: )?(\d+) test\(s\), listed below", re.M),
    "skipped": re.compile(r"^\[  SKIPPED \] (?:.*: )?(\d+) test\(s\), listed below", re.M),
}


def tally_program(report):
    """One test program of meson's log."""
    text = report.get("stdout", "") + "\n" + report.get("stderr", "")
    counts = {name: sum(map(int, pattern.findall(text))) for name, pattern in CMOCKA.items()}
    passed, failed, skipped = counts["passed"], counts["failed"], counts["skipped"]
    fine = report["result"] in ("OK", "EXPECTEDFAIL", "SKIP")
    if ":unit / " not in report["name"]:
        return int(fine), int(not fine), 0
    if counts["ran"] == 0 or (not fine and failed == 0):
        failed += 1  # crashed, timed out, a sanitizer or a group's setup failed, or nothing ran
    return passed, failed, skipped


def tally_meson(path):
    with open(path, encoding="utf-8") as log:
        programs = [tally_program(json.loads(line)) for line in log if line.strip()]
    return [sum(column) for column in zip(*programs)]


def tally_pytest(path):
    counts = dict.fromkeys(("tests", "failures", "errors", "skipped"), 0)
    for suite in xml.parse(path).getroot().iter("testsuite"):
        for name in counts:
            counts[name] += int(suite.get(name, 0))
    failed = counts["failures"] + counts["errors"]
    return [counts["tests"] - failed - counts["skipped"], failed, counts["skipped"]]


def main(kind, path):
    try:
        counts = {"meson": tally_meson, "pytest": tally_pytest}[kind](path)
    except (OSError, ValueError, xml.ParseError) as error:
        print(f"tally: {path}: {error}", file=sys.stderr)
        counts = []
    passed, failed, skipped = counts or (0, 0, 0)
    if passed + failed == 0:
        failed = 1
    print(passed, failed, skipped)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
