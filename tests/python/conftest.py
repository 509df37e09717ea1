"""What the tests of the Python package share."""

from __future__ import annotations

import os
import pathlib
import signal
from collections.abc import Callable

import numpy
import pytest
from processes import UNDER_ASAN

import fontkeep

VECTOR = [0.25, -1.5, 3.0]

# Tests that a shell started in its background ignore Ctrl-C, and so does what they start.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def store(tmp_path: pathlib.Path) -> fontkeep.Store:
    return fontkeep.Store(tmp_path / "networks", create=True, durability="none")


@pytest.fixture
def image() -> numpy.ndarray:
    return numpy.arange(48, dtype=numpy.uint8).reshape(6, 8)


@pytest.fixture
def save(store: fontkeep.Store, image: numpy.ndarray):
    """Saves a run with everything in it; keywords replace its parts."""

    def save_run(font_id: str = "1-fruity", **parts: object) -> str:
        weights = {"layer.weight": numpy.arange(6, dtype=numpy.float32).reshape(2, 3)}
        whole = {
            "weights": weights,
            "personality_vector": VECTOR,
            "sample_image": image,
            "eval_glyphs": {"A": image, "a": image},
            "feedback": {"metrics": {"loss": 0.03}, "notes": "round"},
        }
        return parts.pop("store", store).save_model(font_id, **(whole | parts))

    return save_run


@pytest.fixture
def round_trip(store: fontkeep.Store, save):
    """Saves weights and gives back what loads."""

    def through_disk(weights: object, **options: object) -> object:
        run_id = save("9-round-trip", weights=weights)
        return store.load_model("9-round-trip", run_id, **options)[0]

    return through_disk


@pytest.fixture
def run_directory(store: fontkeep.Store):
    def directory_of(font_id: str, run_id: str) -> pathlib.Path:
        return pathlib.Path(store.get_run_info(font_id, run_id).path)

    return directory_of


@pytest.fixture
def resident_bytes() -> Callable[[], int]:
    """Memory of this process; ASan keeps freed memory for a while, so there is no telling there."""
    if UNDER_ASAN:
        pytest.skip("memory is not measured under ASan")

    def measure() -> int:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    return measure
