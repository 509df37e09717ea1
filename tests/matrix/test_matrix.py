"""The matrix runs: on a file system without the flags of rename, and without them in the kernel."""

import os
import pathlib
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
BUILD = os.environ.get("FONTKEEP_BUILD", HERE.parents[1] / "build")


@pytest.mark.parametrize("kind", ["FUSE (bindfs)", "as NFS (no flags of rename, no fallocate)"])
def test_fontkeep_does_without_what_is_missing(kind):
    words = [sys.executable, HERE / "matrix.py", "--build", BUILD, kind]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    if "not tried here" in done.stdout:
        pytest.skip(done.stdout.splitlines()[0])
    line = done.stdout.splitlines()[0]
    assert f"promise 12: {kind}: " in line and " 0 violations" in line
    assert "goes without rename_noreplace, rename_exchange" in line
