#!/usr/bin/python3
"""The house style as a test: lengths, layers, banned calls, leftovers, names in the documents.

tidy.py            checks every file that git knows or would add; prints FILE:LINE: what and why
"""

import ast
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]

MOST_FUNCTION_LINES = 60
MOST_FILE_LINES = 500
MOST_COLUMNS = 100
MOST_BUILD_COLUMNS = 120  # of meson.build

# A layer includes itself and those before it; so does a folder of the store.
LAYERS = "base digest os value json checkpoint png store history selftest".split()
STORE_FOLDERS = "names manifest handle run look load trash save change".split()

BANNED = {
    "strcpy": "fk_buffer or memcpy with a checked length",
    "strcat": "fk_buffer",
    "strncpy": "memcpy with a checked length",
    "strncat": "fk_buffer",
    "stpcpy": "fk_buffer",
    "sprintf": "snprintf or fk_buffer",
    "vsprintf": "vsnprintf or fk_buffer",
    "gets": "fgets",
    "scanf": "a parser that checks",
    "sscanf": "a parser that checks",
    "atoi": "strtol, checked",
    "atol": "strtol, checked",
    "atoll": "strtoll, checked",
    "atof": "strtod, checked",
    "strtok": "strcspn and strspn",
    "asctime": "fk_time_format",
    "ctime": "fk_time_format",
    "gmtime": "base/time.c",
    "localtime": "base/time.c",
    "mktime": "base/time.c",
    "rand": "getrandom, through lib/os",
    "random": "getrandom, through lib/os",
    "alloca": "fk_buffer or malloc",
    "tmpnam": "a staged file",
    "mktemp": "a staged file",
    "system": "nothing: no shell is called",
    "popen": "nothing: no shell is called",
}
# The library never prints, exits or changes the process (invariant I8).
BANNED_IN_LIBRARY = {
    "strerror": "strerrordesc_np or strerror_r, which threads may share",
    **dict.fromkeys(
        "printf vprintf fprintf vfprintf puts fputs putchar perror".split(),
        "fk_error_set: the library never prints",
    ),
    **dict.fromkeys("exit _exit quick_exit".split(), "an fk_code: the library never exits"),
    **dict.fromkeys(
        "chdir fchdir umask setlocale signal sigaction setenv putenv unsetenv".split(),
        "nothing: the library never changes the process",
    ),
}
# Kernel calls are made in lib/os alone, through its table.
KERNEL_CALLS = """
    open openat openat2 creat close read pread readv preadv write pwrite writev lseek dup dup2 pipe
    stat fstat lstat fstatat statx statfs fstatfs statvfs fstatvfs access faccessat getdents64
    opendir fdopendir readdir closedir scandir nftw realpath readlink readlinkat
    mkdir mkdirat rmdir unlink unlinkat remove rename renameat renameat2 link linkat symlink
    symlinkat truncate ftruncate fallocate posix_fallocate fsync fdatasync sync syncfs
    sync_file_range flock lockf fcntl ioctl chmod fchmod chown utimensat futimens
    mmap munmap mremap msync madvise mlock posix_madvise posix_fadvise readahead
    fopen fdopen freopen fclose fread fwrite fgets fseek ftell fflush
    fork vfork execve execvp posix_spawn waitpid kill getpid gethostname uname
    time clock_gettime gettimeofday nanosleep clock_nanosleep sleep usleep getrandom syscall
    sched_yield
""".split()

LEFTOVERS = re.compile(r"\b(" + "|".join(("FIX" + "ME", "TO" + "DO", "X" + "XX")) + r")\b")
CALL = re.compile(r"(?<![\w.>])(\w+)\s*\(")
INCLUDE = re.compile(r'\s*#\s*include\s+(["<])([^">]+)[">]')
C_TOKENS = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
TEXT_SUFFIXES = {".c", ".h", ".py", ".pyi", ".build", ".toml", ".md", ".sh", ".txt", ""}

problems = []


def problem(path, line, text):
    problems.append(f"{path}:{line}: {text}")


def listed_files():
    """Everything git knows or would add, and that is still there."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return sorted(name for name in set(names.split("\n")) if name and (ROOT / name).is_file())


def bare_code(text):
    """C without comments and strings, every line where it was."""
    return C_TOKENS.sub(lambda found: "\n" * found.group().count("\n") or '""', text)


def check_lines(path, lines):
    columns = MOST_BUILD_COLUMNS if path.endswith("meson.build") else MOST_COLUMNS
    if len(lines) > MOST_FILE_LINES:
        problem(path, len(lines), f"{len(lines)} lines; at most {MOST_FILE_LINES}: split by noun")
    for number, line in enumerate(lines, 1):
        if len(line) > columns:
            problem(path, number, f"{len(line)} columns; at most {columns}")
        if line != line.rstrip():
            problem(path, number, "blanks at the end of the line")
        if LEFTOVERS.search(line):
            problem(path, number, f"leftover {LEFTOVERS.search(line).group()}: do it or file it")
        if not line.isascii() and not path.startswith("tests/"):
            problem(path, number, "not ASCII: write an escape")


def check_c_functions(path, lines):
    """In formatted code a function begins at column 0 and ends with a brace there."""
    start = None
    for number, line in enumerate(lines, 1):
        if line == "}" and start:
            if number - start + 1 > MOST_FUNCTION_LINES:
                length = number - start + 1
                problem(path, start, f"function of {length} lines; at most {MOST_FUNCTION_LINES}")
            start = None
        elif line and line[0] not in " \t#}/*{" and not start:
            start = number
        if start and line.endswith(";") and not line.startswith((" ", "\t")):
            start = None  # a declaration in one line


def docstring_lines(node):
    """The contract does not count, as it does not in C."""
    if ast.get_docstring(node) is None:
        return 0
    return node.body[0].end_lineno - node.body[0].lineno + 1


def check_python_functions(path, text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            length = node.end_lineno - node.lineno + 1 - docstring_lines(node)
            if length > MOST_FUNCTION_LINES:
                text = f"function of {length} lines; at most {MOST_FUNCTION_LINES}"
                problem(path, node.lineno, text)


def upwards(order, own, other):
    """Whether `other` comes after `own`; what is not in `order` comes last."""
    place = {name: number for number, name in enumerate(order)}
    return place.get(other, 0) > place.get(own, len(order))


def include_complaint(path, quoted, name):
    """Why a file may not include a header, or None."""
    parts, first = path.split("/"), name.split("/")[0]
    if first == "fontkeep":
        return None
    if parts[0] == "lib":
        if name == "os/kernel.h" and parts[1] != "os":
            return "only lib/os knows the table of kernel calls"
        if upwards(LAYERS, parts[1], first):
            return f"lib/{parts[1]} stands above lib/{first}: layers are {', '.join(LAYERS)}"
        if quoted and first not in LAYERS:
            return 'name the layer: "base/error.h"'
        if parts[1] == first == "store" and upwards(STORE_FOLDERS, parts[2], name.split("/")[1]):
            return f"folders of the store are, from above, {', '.join(STORE_FOLDERS)}"
    if parts[0] in ("cli", "python", "examples", "include") and first in LAYERS:
        return f"{parts[0]} sees public headers only: <fontkeep/...>"
    if parts[0] == "include" and quoted:
        return "a public header includes public headers only"
    return None


def check_c(path, text):
    lines = text.split("\n")
    check_c_functions(path, lines)
    for number, line in enumerate(lines, 1):
        include = INCLUDE.match(line)
        complaint = include and include_complaint(path, include[1] == '"', include[2])
        if complaint:
            problem(path, number, f"includes {include[2]}: {complaint}")
    library, system = path.startswith("lib/"), path.startswith("lib/os/")
    for number, line in enumerate(bare_code(text).split("\n"), 1):
        if re.search(r"\bgoto\b", line):
            problem(path, number, "goto: use the scope attributes of base/cleanup.h")
        for name in CALL.findall(line):
            instead = BANNED.get(name) or (library and BANNED_IN_LIBRARY.get(name))
            if instead:
                problem(path, number, f"{name} is banned; use {instead}")
            if library and not system and name in KERNEL_CALLS:
                problem(path, number, f"{name}: kernel calls are made in lib/os alone")


def check_document(path, text):
    """Every path of the tree that a document names in backticks is there."""
    tops = "include lib cli python tests fuzz docs examples bench scripts .ci".split()
    for number, line in enumerate(text.split("\n"), 1):
        for span in re.findall(r"`([^`]+)`", line):
            name = span.split("::")[0].split(":")[0]
            if (
                "/" not in name
                or name.split("/")[0] not in tops
                or not re.fullmatch(r"[\w./{},*-]+", name)
            ):
                continue
            for each in expanded(name):
                if not list(ROOT.glob(each.rstrip("/"))):
                    problem(path, number, f"names {each}, which is not there")


def expanded(name):
    """`tests/{unit,cli}` as its members."""
    braces = re.search(r"\{([^}]*)\}", name)
    if not braces:
        return [name]
    rest = (name[: braces.start()], name[braces.end() :])
    return [each for word in braces[1].split(",") for each in expanded(word.join(rest))]


def check_map(files):
    """ARCHITECTURE.md names every folder of the tree, as a newcomer's map."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    folders = {name.rpartition("/")[0] for name in files if name.startswith("lib/")}
    folders |= {name.split("/")[0] for name in files if "/" in name and name[0] != "."}
    for folder in sorted(folders):
        if "." not in folder and folder + "/" not in text and folder not in text:
            problem("ARCHITECTURE.md", 1, f"the map lacks {folder}/")


def check_limits(files):
    """Every limit has a test that names it."""
    header = (ROOT / "lib/base/limits.h").read_text(encoding="utf-8")
    tests = [name for name in files if name.startswith("tests/unit/") and name.endswith(".c")]
    named = " ".join((ROOT / name).read_text(encoding="utf-8") for name in tests)
    for limit in re.findall(r"#define (FK_LIMIT_\w+)", header):
        if not re.search(rf"\b{limit}\b", named):
            problem("lib/base/limits.h", 1, f"no test names {limit}")


def check_test_modules(files):
    """pytest imports by name alone: two of one name cannot be collected in one call."""
    found = {}
    for name in files:
        path = pathlib.PurePath(name)
        if path.parts[0] == "tests" and path.match("test_*.py"):
            other = found.setdefault(path.name, name)
            if other != name:
                problem(name, 1, f"is named as {other}; give each test module a name of its own")


def main():
    files = listed_files()
    for name in files:
        data = name.startswith(("tests/assets/", "fuzz/corpora/"))
        if data or pathlib.Path(name).suffix not in TEXT_SUFFIXES:
            continue
        try:
            text = (ROOT / name).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            problem(name, 1, "not UTF-8")
            continue
        if name.endswith(".md"):
            check_document(name, text)
            continue
        check_lines(name, text.removesuffix("\n").split("\n"))
        if name.endswith((".c", ".h")):
            check_c(name, text)
        elif name.endswith(".py"):
            check_python_functions(name, text)
    check_map(files)
    check_limits(files)
    check_test_modules(files)
    print("\n".join(problems + [f"{len(files)} files, {len(problems)} problems"]))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
