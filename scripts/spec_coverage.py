#!/usr/bin/python3
"""docs/spec-coverage.md tells the truth: every test it names exists, runs, and is not skipped.

A test is named in backticks: `tests/python/test_store.py::test_x` (also `::Class::test_x`), or
`tests/unit/store/test_draft.c:test_y`. What no test can show is measured: `scripts/bench ROW` is a
row with figures in docs/performance.md, `scripts/test SUITE` a suite. Every row of its tables names
one of these or says "not yet".
"""

import ast
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
DOCUMENT = "docs/spec-coverage.md"
REFERENCE = re.compile(r"`(tests/[\w./-]+\.(?:py|c))(?:::?([\w:]+))?`")
COMMAND = re.compile(r"`scripts/(bench|test) ([\w-]+)`")
SKIPS = re.compile(r"\b(skip|skipif|xfail)\b")


def python_test(text, name):
    """What is wrong with a pytest, or None."""
    scope = ast.parse(text)
    for part in name.split("::"):
        kinds = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
        named = [node for node in scope.body if isinstance(node, kinds) and node.name == part]
        if not named:
            return "does not exist"
        scope = named[-1]
        lines = text.split("\n")
        first = min([scope.lineno, *(decorator.lineno for decorator in scope.decorator_list)])
        if SKIPS.search("\n".join(lines[first - 1 : scope.end_lineno])):
            return "may be skipped"
    return None if part.startswith("test") else "is no test"


def c_test(text, name):
    """What is wrong with a cmocka test, or None."""
    body = re.search(rf"^static void {name}\(void \*\*\w+\) {{\n(.*?)^}}", text, re.M | re.S)
    if not body:
        return "does not exist"
    # a row of the group's table, through cmocka's own macro or a shorter one of the file
    if not re.search(rf"^\s+\w+\(\s*{name}\b[^;]*\),?$", text, re.M):
        return "is in no group, so it never runs"
    return "may be skipped" if "skip(" in body[1] else None


def check_reference(file, name):
    path = ROOT / file
    if not path.is_file():
        return "its file does not exist"
    if not name:
        return "names no test"
    text = path.read_text(encoding="utf-8")
    return (python_test if file.endswith(".py") else c_test)(text, name)


def check_command(script, name):
    """What is wrong with a row of the bench or with a suite, or None."""
    if script == "test":
        suites = (ROOT / "scripts/test").read_text(encoding="utf-8")
        return None if f"\nsuite_{name}() {{\n" in suites else "is no suite"
    if not (ROOT / "bench/rows" / f"{name.replace('-', '_')}.py").is_file():
        return "is no row"
    figures = (ROOT / "docs/performance.md").read_text(encoding="utf-8")
    block = re.search(rf"<!-- bench: {name} -->\n(.*?)<!-- end: {name} -->", figures, re.S)
    return None if block and "| measured |" in block[1] else "has no figures in docs/performance.md"


def check_row(line):
    """A row of a table under its head: a sentence, and what shows it."""
    cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
    if len(cells) < 2 or set(cells[0]) <= set("-: ") or REFERENCE.search(line):
        return None
    if COMMAND.search(cells[-1]) or "not yet" in cells[-1]:
        return None
    return 'names no test and does not say "not yet"'


def main():
    path = ROOT / DOCUMENT
    if not path.is_file():
        print(f"{DOCUMENT} is missing")
        return 1
    problems, tests, rows = [], set(), 0
    lines = path.read_text(encoding="utf-8").split("\n")
    for number, line in enumerate(lines, 1):
        is_head = number < len(lines) and re.match(r"\|[-:| ]+\|$", lines[number].strip())
        if line.startswith("|") and not is_head:
            rows += 1
            complaint = check_row(line)
            if complaint:
                problems.append(f"{DOCUMENT}:{number}: {complaint}")
        for file, name in REFERENCE.findall(line):
            tests.add((file, name))
            complaint = check_reference(file, name)
            if complaint:
                problems.append(f"{DOCUMENT}:{number}: {file} {name}: {complaint}")
        for script, name in COMMAND.findall(line):
            complaint = check_command(script, name)
            if complaint:
                problems.append(f"{DOCUMENT}:{number}: scripts/{script} {name}: {complaint}")
    if not tests:
        problems.append(f"{DOCUMENT}: no test is named")
    print("\n".join([*problems, f"{rows} rows, {len(tests)} tests, {len(problems)} problems"]))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
