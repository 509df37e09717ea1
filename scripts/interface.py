#!/usr/bin/python3
"""The public interface: what the headers declare, what the library exports, what is documented.

interface.py symbols LIBRARY    exported symbols are exactly the documented FK_PUBLIC functions
interface.py headers            every header compiles alone: public ones as C11 and C++11
"""

import concurrent.futures
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
PUBLIC = sorted((ROOT / "include/fontkeep").glob("*.h"))
PRIVATE = sorted((ROOT / "lib").glob("**/*.h"))
DECLARATION = re.compile(r"^FK_PUBLIC\b[^;{]*?\b(fk_\w+)\s*\(", re.M)
WARNINGS = ["-Wall", "-Wextra", "-Werror", "-fsyntax-only"]


def declarations(text):
    """(name, line, documented) of each public function; a comment serves its whole paragraph."""
    for found in DECLARATION.finditer(text):
        paragraph = text[: found.start()].rpartition("\n\n")[2]
        line_end = text.find("\n", found.end())
        documented = "*/" in paragraph or "/*" in text[found.end() : line_end]
        yield found[1], text.count("\n", 0, found.start()) + 1, documented


def check_symbols(library):
    problems, declared = [], {}
    for header in PUBLIC:
        for name, line, documented in declarations(header.read_text(encoding="utf-8")):
            declared[name] = f"{header.relative_to(ROOT)}:{line}"
            if not documented:
                problems.append(f"{declared[name]}: {name} has no comment")
    listing = subprocess.run(
        ["nm", "--dynamic", "--defined-only", "--format=posix", library],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    exported = {line.split()[0] for line in listing.splitlines() if line.strip()}
    problems += [
        f"{library}: exports {name}, undeclared" for name in sorted(exported - {*declared})
    ]
    problems += [
        f"{declared[name]}: {name} is declared, but {library} does not export it"
        for name in sorted(declared.keys() - exported)
    ]
    return problems, f"{len(exported)} symbols exported, {len(declared)} declared"


def compile_alone(job):
    command, header = job
    command = [*command, "-include", str(header), "-"]
    done = subprocess.run(command, input="int alone;\n", capture_output=True, text=True)
    return "" if done.returncode == 0 else f"{' '.join(command)}\n{done.stderr}"


def check_headers():
    include = ["-I", str(ROOT / "include")]
    jobs = []
    for c, cpp in (("gcc", "g++"), ("clang", "clang++")):
        for header in PUBLIC:
            jobs.append(([c, "-std=c11", "-pedantic", "-xc", *WARNINGS, *include], header))
            jobs.append(([cpp, "-std=c++11", "-pedantic", "-xc++", *WARNINGS, *include], header))
    private = ["-std=gnu11", "-D_GNU_SOURCE", "-xc", "-Wno-unused-function", *WARNINGS]
    for header in PRIVATE:
        jobs.append((["gcc", *private, *include, "-I", str(ROOT / "lib")], header))
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        problems = [answer for answer in pool.map(compile_alone, jobs) if answer]
    return problems, f"{len(PUBLIC)} public and {len(PRIVATE)} private headers"


def main(arguments):
    if arguments[:1] == ["symbols"] and len(arguments) == 2:
        problems, summary = check_symbols(arguments[1])
    elif arguments == ["headers"]:
        problems, summary = check_headers()
    else:
        sys.exit(__doc__)
    print("\n".join([*problems, f"{summary}; {len(problems)} problems"]))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
