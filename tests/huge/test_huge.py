"""Checkpoints beyond 2 and 4 GB, both ways between fontkeep and real PyTorch, bit for bit.

`scripts/test huge` runs this; it takes some minutes, 12 GB of memory and 16 GB of disk.
"""

from __future__ import annotations

import filecmp
import json
import os
import pathlib
import re
import subprocess
import tempfile
import zipfile

import pytest

import fontkeep

torch = pytest.importorskip("torch")

BUILD = pathlib.Path(os.environ["FONTKEEP_BUILD"])
VERSION = tuple(int(part) for part in re.match(r"(\d+)\.(\d+)", torch.__version__).groups())
VECTOR = torch.arange(64, dtype=torch.float64) / 7
NO_LIMIT = 1 << 40
ZIP64 = 0xFFFFFFFF  # from here on, a size or an offset does not fit its field of 32 bits


def words(count: int) -> torch.Tensor:
    """Integers of 8 bytes, no two alike."""
    return torch.arange(count) * 0x9E3779B97F4A7C1


@pytest.fixture(scope="module", params=["3 GB", "5 GB"])
def model(request):
    """3 GB: a storage beyond 2 GiB. 5 GB: one beyond 4 GiB, and others behind it."""
    large, small = {"3 GB": (2_600_000_000, 400_000_000), "5 GB": (4_600_000_000, 400_000)}[
        request.param
    ]
    return {"large": words(large // 8), "small": words(small // 8), "last": torch.ones(3)}


@pytest.fixture
def directory():
    """On the build's disk, and not longer there than it is needed."""
    with tempfile.TemporaryDirectory(prefix="huge-", dir=BUILD) as path:
        yield pathlib.Path(path)


@pytest.fixture
def store(directory):
    return fontkeep.Store(directory / "networks", create=True, max_weights_bytes=NO_LIMIT)


def weights_file(store: fontkeep.Store, font_id: str) -> pathlib.Path:
    return pathlib.Path(store.list_runs(font_id)[-1].path) / "weights"


def command(store: fontkeep.Store, *arguments: object) -> str:
    line = [BUILD / "fontkeep", "--json", "--store", store.path, *arguments]
    return subprocess.run(list(map(str, line)), stdout=subprocess.PIPE, check=True).stdout


def assert_same(found: dict, saved: dict) -> None:
    assert list(found) == list(saved)
    for name, tensor in saved.items():
        assert found[name].dtype == tensor.dtype
        assert torch.equal(found[name], tensor), name


def torch_load(path: pathlib.Path) -> dict:
    """By mapping the file where this torch can."""
    if VERSION >= (2, 1):
        return torch.load(str(path), mmap=True, weights_only=True)
    return torch.load(str(path))


def assert_zip64_as_needed(path: pathlib.Path, model: dict) -> None:
    """What is beyond 4 GiB really is in this file."""
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
    beyond = model["large"].numel() * 8 > ZIP64
    assert any(entry.file_size > ZIP64 for entry in entries) == beyond
    assert any(entry.header_offset > ZIP64 for entry in entries) == beyond


def test_pytorch_and_fontkeep_read_what_fontkeep_writes(model, store):
    parts = [model, VECTOR, None, None, None]
    run_id = store.save_model("1-huge", *parts, status="failed")
    path = weights_file(store, "1-huge")
    assert_zip64_as_needed(path, model)
    loaded = torch_load(path)
    assert torch.equal(loaded["personality_vector"], VECTOR)
    assert_same(loaded["model"], model)
    del loaded
    for mmap in (True, False):
        weights, vector, metadata = store.load_model("1-huge", run_id, mmap=mmap)
        assert metadata.health == "complete" and torch.equal(vector, VECTOR)
        assert_same(weights, model)
        del weights
    assert store.verify("1-huge", run_id).damaged == 0


def test_fontkeep_reads_inspects_and_wraps_what_pytorch_writes(model, store, directory):
    torch.save(VECTOR, str(directory / "vector.pt"))
    torch.save(model, str(directory / "model.pt"))
    assert_zip64_as_needed(directory / "model.pt", model)
    inspected = json.loads(command(store, "inspect", directory / "model.pt"))
    assert inspected["findings"] == []
    assert {t["name"]: t["bytes"] for t in inspected["tensors"]} == {
        name: tensor.numel() * tensor.element_size() for name, tensor in model.items()
    }
    options = ["--weights", directory / "model.pt", "--personality", directory / "vector.pt"]
    options += ["--status", "failed", "--max-weights-bytes", NO_LIMIT]
    run_id = json.loads(command(store, "save", "1-wrapped", *options))["run_id"]
    os.remove(directory / "model.pt")
    weights, vector, _ = store.load_model("1-wrapped", run_id, mmap=True)
    assert torch.equal(vector, VECTOR)
    assert_same(weights, model)


def test_a_version_1_file_of_pytorch_is_kept_and_copied_byte_for_byte(model, store, directory):
    whole = {"weights_version": "v1", "architecture": {}, "personality_vector": VECTOR}
    torch.save({**whole, "model": model}, str(directory / "whole.pt"))
    options = ["--weights", directory / "whole.pt", "--status", "failed"]
    options += ["--max-weights-bytes", NO_LIMIT]
    run_id = json.loads(command(store, "save", "1-kept", *options))["run_id"]
    assert filecmp.cmp(directory / "whole.pt", weights_file(store, "1-kept"), shallow=False)
    os.remove(directory / "whole.pt")
    command(store, "load", "1-kept", run_id, "--out", directory / "out")
    assert filecmp.cmp(directory / "out" / "weights", weights_file(store, "1-kept"), shallow=False)
    weights, _, _ = store.load_model("1-kept", run_id, mmap=True)
    assert_same(weights, model)
