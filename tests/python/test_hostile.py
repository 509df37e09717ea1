"""Checkpoints made to harm whoever reads them: refused, and the process lives."""

from __future__ import annotations

import pathlib
import zipfile

import pytest

import fontkeep

CHAINS = 6
LEVELS = 900
RUN_ID = "2026-01-11T08:30:00.000000"


def _put(index: int) -> bytes:
    return b"r" + index.to_bytes(4, "little")


def _get(index: int) -> bytes:
    return b"j" + index.to_bytes(4, "little")


def _chains_in_a_cycle() -> bytes:
    """Lists of 900 levels each, the end of one in the head of the next, entered from two sides: one
    way in sees 900 levels, the other all of them."""
    free, rubbish, entry = 3, 1, 0
    body, previous, head = b"", None, 0
    for _ in range(CHAINS):
        end = last = free
        body += b"]" + _put(end) + (b"N" if previous is None else _get(previous)) + b"a"
        for level in range(free + 1, free + LEVELS):
            body += b"]" + _put(level) + _get(last) + b"a"
            last = level
        head, previous, free = last, free + LEVELS, free + LEVELS + 1
        body += b"]" + _put(previous) + _get(head) + b"a" + _get(end) + _get(previous) + b"a"
    body += _get(entry) + _get(head) + b"a"
    start = b"\x80\x02}(]" + _put(entry) + b"\x85]" + _put(rubbish) + b"("
    return start + body + b"eu."


def test_nesting_that_hides_behind_cycles_is_a_limit(store) -> None:
    directory = f"{store.path}/1-deep/runs/{RUN_ID}"
    pathlib.Path(directory).mkdir(parents=True)
    with zipfile.ZipFile(f"{directory}/weights.pt", "w") as archive:
        archive.writestr("a/data.pkl", _chains_in_a_cycle())
        archive.writestr("a/version", b"3\n")
    with pytest.raises(fontkeep.LimitError):
        store.load_model("1-deep")
