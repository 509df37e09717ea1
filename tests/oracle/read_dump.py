"""What fontkeep reads from a checkpoint, as rows; without PyTorch."""

import json
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("FONTKEEP_BUILD", ROOT / "build"))


def dump_all(paths):
    """What fontkeep reads from each file: rows in the order of a walk, or the one row of an
    error; and what it wrote to stderr."""
    done = subprocess.run(
        [BUILD / "tests/oracle/checkpoint_dump", *map(str, paths)],
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode in (0, 1), done.stderr
    listings = [
        [json.loads(line) for line in listing.splitlines()]
        for listing in done.stdout.split("\n\n")[:-1]
    ]
    for listing in listings:
        for row in listing:
            row.pop("aligned", None)
    return listings, done.stderr


def dump(path):
    """The same of one file."""
    listings, message = dump_all([path])
    return listings[0], message


def with_sharing(rows):
    """Addresses of storages and objects become their order of first use; empty storages are not
    told apart, and neither are values that Python may or may not keep once."""
    storages = {}
    objects = {}
    for row in rows:
        if "storage" in row:
            shared = row["storage_bytes"] != 0
            row["storage"] = storages.setdefault(row["storage"], len(storages)) if shared else None
        address = row.pop("object", None)
        if address is not None and row["kind"] != "torch.Size" and row.get("count", 1) != 0:
            row["object"] = objects.setdefault(address, len(objects))
    return rows


def set_order(row):
    return json.dumps(row, sort_keys=True)


def without_set_order(rows):
    """Items of a set come in any order: they are sorted, and their paths are those of the set."""
    rows = list(rows)
    for at, row in enumerate(rows):
        if row["kind"] == "set":
            items = rows[at + 1 : at + 1 + row["count"]]
            for item in items:
                item["path"] = row["path"]
            rows[at + 1 : at + 1 + row["count"]] = sorted(items, key=set_order)
    return rows
