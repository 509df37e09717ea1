"""The checkpoints of tests/assets, which PyTorch 1.13 and 2.13 wrote, are read as PyTorch reads
them. No PyTorch is needed."""

import json

import pytest

from read_dump import ROOT, dump, with_sharing

FILES = sorted((ROOT / "tests" / "assets").glob("torch-*.pt"))


def test_there_are_files_of_an_old_and_a_new_pytorch():
    assert {path.name.split("-")[1] for path in FILES} >= {"1.13", "2.13"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_stored_checkpoint_reads_as_it_did(path):
    expected = [json.loads(line) for line in path.with_suffix(".jsonl").read_text().splitlines()]
    found, message = dump(path)
    assert with_sharing(found) == expected, message
