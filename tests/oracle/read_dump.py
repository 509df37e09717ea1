"""What fontkeep reads from a checkpoint, as rows; without PyTorch."""

import json
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("FONTKEEP_BUILD", ROOT / "build"))


def dump(path):
    """What fontkeep reads: rows in the order of a walk, or the one row of an error."""
    done = subprocess.run(
        [BUILD / "tests/oracle/checkpoint_dump", str(path)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode in (0, 1), done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    for row in rows:
        row.pop("aligned", None)
    return rows, done.stderr


def with_sharing(rows):
    """Addresses of storages become their order of first use; empty ones are not told apart."""
    order = {}
    for row in rows:
        if "storage" in row:
            shared = order.setdefault(row["storage"], len(order)) if row["storage_bytes"] else None
            row["storage"] = shared
    return rows
