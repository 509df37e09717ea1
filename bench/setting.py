"""Where and how large a run of the bench is."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import pathlib
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator

DEBIAN = "/usr/bin/python3"
ROOT = pathlib.Path(__file__).resolve().parents[1]


class NoSpaceError(Exception):
    """The disk is too full to measure on."""


@dataclasses.dataclass(frozen=True)
class Interpreter:
    """A Python that has PyTorch."""

    path: str
    torch: str  # its version
    safetensors: str | None  # its version, None where it is not installed


@dataclasses.dataclass(frozen=True)
class Setting:
    build: pathlib.Path
    scratch: pathlib.Path
    interpreters: tuple[Interpreter, ...]
    smoke: bool = False  # everything tiny: shows that the bench runs, measures nothing

    def size(self, full: int, smoke: int) -> int:
        return smoke if self.smoke else full

    def program(self, name: str) -> str:
        return str(self.build / name)

    @property
    def environment(self) -> dict[str, str]:
        paths = f"{self.build / 'python'}:{ROOT}"
        return {**os.environ, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"}

    @contextlib.contextmanager
    def directory(self, bytes_needed: int) -> Iterator[pathlib.Path]:
        """A new directory on the measured disk, removed afterwards."""
        free = shutil.disk_usage(self.scratch).free
        if free < bytes_needed * 1.2:
            needed = bytes_needed * 1.2 / 1e9
            raise NoSpaceError(
                f"{self.scratch}: {needed:.1f} GB are needed, {free / 1e9:.1f} GB are free; "
                "name another directory with --scratch"
            )
        path = pathlib.Path(tempfile.mkdtemp(prefix="bench-", dir=self.scratch))
        try:
            yield path
        finally:
            shutil.rmtree(path)

    def settle(self) -> None:
        """Until the disk has nothing to do that somebody else left behind."""
        os.sync()
        time.sleep(0 if self.smoke else 0.3)


def remove(path: pathlib.Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def probe(path: str) -> Interpreter:
    """What an interpreter has."""
    code = (
        "import importlib.metadata as m, torch\n"
        "print(torch.__version__.split('+')[0])\n"
        "print(*[d.version for d in m.distributions() if d.metadata['Name'] == 'safetensors'])"
    )
    done = subprocess.run([path, "-c", code], check=True, capture_output=True, text=True)
    torch, safetensors = done.stdout.split("\n")[:2]
    return Interpreter(path, packaged_torch() if path == DEBIAN else torch, safetensors or None)


def packaged_torch() -> str:
    """Debian's torch 1.13.1 calls itself 1.13.0a0."""
    query = ["dpkg-query", "-W", "-f", "${Version}", "python3-torch"]
    version = subprocess.run(query, check=True, capture_output=True, text=True).stdout
    return version.split("+")[0]
