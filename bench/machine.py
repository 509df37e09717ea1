"""The machine that measured, in words that stay the same while it does."""

from __future__ import annotations

import os
import pathlib
import platform
import re
import subprocess

from .setting import Setting

# What changes the speed of PyTorch or of the libraries below it.
VARIABLES = """
    OPENBLAS_CORETYPE OMP_NUM_THREADS MKL_NUM_THREADS LD_PRELOAD MALLOC_ARENA_MAX
""".split()


def describe(setting: Setting) -> list[tuple[str, str]]:
    file_system, options, disk = mounted(setting.scratch)
    torches = ", ".join(
        f"{each.torch} ({'safetensors ' + each.safetensors if each.safetensors else 'Debian'})"
        for each in setting.interpreters
    )
    return [
        ("CPU", f"{processor()}, {os.cpu_count()} cores"),
        ("memory", f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB"),
        ("kernel", f"{platform.system()} {platform.release()}, {virtual()}"),
        ("distribution", distribution()),
        ("file system", f"{file_system} ({options})"),
        ("disk", disk),
        ("PyTorch", torches),
        ("Python", platform.python_version()),
        ("compiler", output("gcc", "--version").split("\n")[0]),
        ("fontkeep", output(setting.program("fontkeep"), "--version").strip()),
        ("environment", environment()),
    ]


def output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def processor() -> str:
    found = re.search(r"^model name\s*: (.+)$", pathlib.Path("/proc/cpuinfo").read_text(), re.M)
    return found[1] if found else platform.machine()


def virtual() -> str:
    flags = pathlib.Path("/proc/cpuinfo").read_text()
    return "in a virtual machine" if re.search(r"\bhypervisor\b", flags) else "on bare metal"


def distribution() -> str:
    text = pathlib.Path("/etc/os-release").read_text()
    found = re.search(r'^PRETTY_NAME="?([^"\n]+)', text, re.M)
    return found[1] if found else "unknown"


def mounted(path: pathlib.Path) -> tuple[str, str, str]:
    """File system, its options, and the disk below."""
    fields = "FSTYPE,OPTIONS,SOURCE"
    line = output("findmnt", "-n", "-o", fields, "--target", str(path)).split()
    kind, options, source = line[:3]
    name = os.path.basename(os.path.realpath(source))
    queue = pathlib.Path(f"/sys/class/block/{name}/queue")
    if not queue.is_dir():
        queue = pathlib.Path(f"/sys/class/block/{name}/../queue").resolve()
    if not queue.is_dir():
        return kind, options, source
    cache = (queue / "write_cache").read_text().strip()
    scheduler = re.findall(r"\[([\w-]+)\]", (queue / "scheduler").read_text())
    return kind, options, f"{name}, {cache} cache, scheduler {' '.join(scheduler)}"


def environment() -> str:
    found = [f"{name}={os.environ[name]}" for name in VARIABLES if name in os.environ]
    return ", ".join(found) or "nothing that matters is set"
