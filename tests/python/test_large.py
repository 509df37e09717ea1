"""A checkpoint exactly at the limit of 500,000,000 bytes, against real PyTorch, bit for bit."""

from __future__ import annotations

import filecmp
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy
import pytest

import fontkeep

torch = pytest.importorskip("torch")

LIMIT = 500_000_000
BUILD = pathlib.Path(os.environ["FONTKEEP_BUILD"])
VERSION = tuple(int(part) for part in re.match(r"(\d+)\.(\d+)", torch.__version__).groups())
DTYPES = [torch.float32, torch.bfloat16, torch.int64, torch.bool, torch.float64, torch.uint8]
VECTOR = torch.arange(64, dtype=torch.float64) / 7


def model(small: int, large: int) -> dict[str, torch.Tensor]:
    """Some small tensors, and a large one of that many bytes, no eight of which are alike."""
    weights = {f"small.{i}": torch.arange(i).to(DTYPES[i % len(DTYPES)]) for i in range(small)}
    words = torch.arange((large + 7) // 8)
    return {**weights, "large": words.view(torch.uint8)[:large]}


class Planner:
    """Tells how large a weights file would be, without writing it."""

    def __init__(self, directory: pathlib.Path) -> None:
        self.store = fontkeep.Store(directory / "plans", create=True, max_weights_bytes=1)

    def bytes(self, weights: object) -> int:
        with pytest.raises(fontkeep.LimitError) as refused:
            self.store.save_model("1-plan", weights, VECTOR, *[None] * 3, status="failed")
        return int(re.search(r"would be (\d+) bytes", str(refused.value)).group(1))

    def model_of(self, target: int) -> dict[str, torch.Tensor]:
        """A model whose file has that many bytes. What follows a storage in the file is aligned,
        the directory behind it is not, so the number of tensors gives the bytes in between."""
        large = target - (1 << 20)
        storage = torch.empty(large, dtype=torch.uint8)
        for small in range(10, 80):
            missing = target - self.bytes({**model(small, 0), "large": storage})
            if missing % 64 == 0:
                weights = model(small, large + missing)
                assert self.bytes(weights) == target
                return weights
        raise AssertionError("no number of tensors fits")


def bits(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.contiguous().view(torch.uint8)


def assert_same(found: dict, saved: dict) -> None:
    assert list(found) == list(saved)
    for name, tensor in saved.items():
        assert (found[name].dtype, found[name].shape) == (tensor.dtype, tensor.shape), name
        assert torch.equal(bits(found[name]), bits(tensor)), name


@pytest.fixture(scope="module")
def directory():
    """On the build's disk, and not longer there than it is needed."""
    with tempfile.TemporaryDirectory(prefix="large-", dir=BUILD) as path:
        yield pathlib.Path(path)


@pytest.fixture(scope="module")
def planner(directory):
    return Planner(directory)


@pytest.fixture(scope="module")
def saved(planner):
    return planner.model_of(LIMIT)


@pytest.fixture(scope="module")
def store(directory):
    return fontkeep.Store(directory / "networks", create=True)


@pytest.fixture(scope="module")
def run_id(store, saved):
    image = numpy.arange(48, dtype=numpy.uint8).reshape(6, 8)
    return store.save_model("1-large", saved, VECTOR, image, {"A": image}, {"epochs": 1})


@pytest.fixture(scope="module")
def weights_file(store, run_id):
    return pathlib.Path(store.get_run_info("1-large", run_id).path) / "weights"


def command(store: fontkeep.Store, *words: object) -> subprocess.CompletedProcess[str]:
    arguments = [BUILD / "fontkeep", "--json", "--store", store.path, *words]
    return subprocess.run(list(map(str, arguments)), capture_output=True, text=True)


def everything_in(store: fontkeep.Store) -> dict[pathlib.Path, int]:
    return {
        path: path.stat().st_size if path.is_file() else 0
        for path in pathlib.Path(store.path).rglob("*")
    }


def test_a_file_of_exactly_the_limit_is_saved_and_verifies(store, run_id, weights_file):
    assert weights_file.stat().st_size == LIMIT
    (run,) = store.verify("1-large").runs
    assert (run.run_id, run.health, run.weights_bytes) == (run_id, "complete", LIMIT)


@pytest.mark.parametrize("mmap", [False, True] if VERSION >= (2, 1) else [False])
def test_pytorch_loads_the_same_bits(saved, weights_file, mmap):
    options = {"weights_only": VERSION >= (2, 6), **({"mmap": True} if mmap else {})}
    loaded = torch.load(str(weights_file), **options)
    assert loaded["weights_version"] == "v1"
    assert torch.equal(bits(loaded["personality_vector"]), bits(VECTOR))
    assert_same(loaded["model"], saved)


@pytest.mark.parametrize("mmap", [False, True])
def test_it_loads_as_it_was_saved(store, run_id, saved, mmap):
    weights, vector, metadata = store.load_model("1-large", run_id, mmap=mmap)
    assert metadata.health == "complete"
    assert torch.equal(bits(vector), bits(VECTOR))
    assert_same(weights, saved)


def test_the_command_copies_it_byte_for_byte_and_saves_it_again(store, weights_file, directory):
    out = directory / "out"
    assert command(store, "load", "1-large", "--out", out).returncode == 0
    assert filecmp.cmp(out / "weights", weights_file, shallow=False)
    words = ["--sample", out / "sample.png", "--glyphs", out / "eval-glyphs"]
    words += ["--feedback", out / "feedback.json", "--weights", out / "weights"]
    done = command(store, "save", "2-again", *words)
    assert done.returncode == 0, done.stderr
    again = pathlib.Path(store.get_run_info("2-again", "latest").path) / "weights"
    assert filecmp.cmp(again, weights_file, shallow=False)

    before = everything_in(store)
    os.truncate(out / "weights", LIMIT + 1)
    done = command(store, "save", "3-over", *words)
    assert done.returncode == 9
    assert json.loads(done.stderr)["error"]["code"] == "limit"
    assert everything_in(store) == before


def test_one_byte_more_is_refused_with_nothing_left(store, run_id, planner):
    weights = planner.model_of(LIMIT + 1)
    before = everything_in(store)
    for font_id in ("1-large", "4-new"):
        with pytest.raises(fontkeep.LimitError, match="500000001 bytes, the limit is 500000000"):
            store.save_model(font_id, weights, VECTOR, *[None] * 3, status="failed")
    assert everything_in(store) == before


# ---- memory ----

MIB = 1 << 20
SLACK = 4 * MIB  # the interpreter, the allocator, pages that are half used
THREADS = 4  # at most

GROWTH = """
import contextlib, json, sys, torch, fontkeep

def memory(name):
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(name)) * 1024

def growth(work, *arguments, **options):
    with contextlib.suppress(OSError), open("/proc/self/clear_refs", "w") as peak:
        peak.write("5")  # the peak is what is held now
    before = memory("VmRSS:")
    result = work(*arguments, **options)
    return memory("VmHWM:") - before

store = fontkeep.Store(sys.argv[1])
grown = {"mmap": growth(store.load_model, "1-large", mmap=True)}
grown["mmap of many tensors"] = growth(store.load_model, "6-many", sys.argv[2], mmap=True)
grown["load"] = growth(store.load_model, "1-large")
parts = [{"large": torch.arange(200 << 20 >> 3)}, torch.ones(3), None, None, None]
grown["save"] = growth(store.save_model, "5-memory", *parts, status="failed")
print(json.dumps(grown))
"""


def test_little_memory_is_taken_beyond_the_model(store, run_id):
    """By how many bytes the peak of a new process grows."""
    many = {str(i): torch.full((64 << 10,), float(i)) for i in range(400)}
    many_id = store.save_model("6-many", many, VECTOR, *[None] * 3, status="failed")
    words = [sys.executable, "-c", GROWTH, store.path, many_id]
    grown = json.loads(subprocess.run(words, stdout=subprocess.PIPE, check=True).stdout)
    beside = (16 + THREADS) * MIB + SLACK
    assert grown["mmap"] <= beside
    assert grown["mmap of many tensors"] <= beside
    assert LIMIT <= grown["load"] <= LIMIT + beside
    assert grown["save"] <= 16 * MIB + SLACK
