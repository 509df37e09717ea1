"""Other Python processes at a store."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest

import fontkeep

UNDER_ASAN = "libasan" in os.environ.get("LD_PRELOAD", "")

forks = pytest.mark.skipif(
    UNDER_ASAN,
    reason="gcc 12's AddressSanitizer leaves its allocator locked in a child that is forked while "
    "another thread allocates; glibc's malloc does not",
)
METHODS = [pytest.param("fork", marks=forks), "spawn"]  # to start worker processes


def environment() -> dict[str, str]:
    """In which the package under test is found."""
    path = os.path.dirname(os.path.dirname(fontkeep.__file__))
    return {**os.environ, "PYTHONPATH": path}


def start_script(store: fontkeep.Store, *parts: str) -> subprocess.Popen:
    """A Python process of such code; its argument is the path of the store."""
    code = "\n".join(textwrap.dedent(part) for part in parts)
    return subprocess.Popen(
        [sys.executable, "-c", code, store.path],
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run_script(store: fontkeep.Store, *parts: str) -> tuple[str, str]:
    """What such a process, which must end well, printed on stdout and stderr."""
    process = start_script(store, *parts)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    return out, err
