"""Nothing grows when a store is used over and over."""

from __future__ import annotations

import gc
import sys

import numpy
import pytest

import fontkeep


def incomplete(store: fontkeep.Store, weights: object) -> fontkeep.RunDraft:
    """A run that fails in the background."""
    with store.begin_run("1-fruity", wait=False) as run:
        run.set_weights(weights, None)
    return run


@pytest.fixture
def save_and_load_once(store, save):
    """Everything that makes and drops objects: loads, refusals, runs step by step and behind."""
    weights = {"w": numpy.zeros(200_000, numpy.uint8), "deep": [{"x": (1, 2.5, "t")}] * 20}
    run_id = save(weights=weights)

    def once() -> None:
        store.load_model("1-fruity", run_id)
        store.get_run_info("1-fruity", run_id)
        with pytest.raises(fontkeep.UnsupportedDataError):
            save(weights={"w": weights, "f": len}, wait=False)
        with pytest.raises(fontkeep.InvalidInputError):
            save(sample_image=b"no png")
        with pytest.raises(fontkeep.RunNotFoundError):
            store.load_model("1-fruity", "2001-01-01T00:00:00.000000")
        save(weights=weights, wait=False).result(60)
        with pytest.raises(fontkeep.InvalidInputError):
            incomplete(store, weights).future.result(60)
        with store.begin_run("1-fruity", training={"n": [1, 2]}) as run:
            run.set_weights(weights, [1.0] * 100)
            run.set_sample(numpy.zeros((2, 2), numpy.uint8))
            run.set_feedback({"a": "b"})

    for _ in range(10):
        once()
    gc.collect()
    return once


def test_saving_and_loading_over_and_over_needs_no_more_memory(
    save_and_load_once, resident_bytes
) -> None:
    before = resident_bytes()
    for _ in range(50):
        save_and_load_once()
    gc.collect()
    assert resident_bytes() - before < 5_000_000


def test_saving_and_loading_over_and_over_leaves_no_objects(save_and_load_once) -> None:
    growths = []
    for _ in range(4):  # pools and caches fill in the first rounds; a leak goes on for ever
        before = sys.getallocatedblocks()
        for _ in range(40):
            save_and_load_once()
        gc.collect()
        growths.append(sys.getallocatedblocks() - before)
    assert min(growths) < 40, growths  # one leak in a round makes each of them more


def test_exceptions_of_the_extension_keep_nothing_alive(store, save) -> None:
    big = numpy.ones(10)
    before = sys.getrefcount(big)
    for wait in (True, False):
        with pytest.raises(fontkeep.UnsupportedDataError) as caught:
            save(weights={"w": big, "f": len}, wait=wait)
        del caught
    gc.collect()
    assert sys.getrefcount(big) == before


def test_a_background_save_keeps_the_callers_tensors_no_longer_than_the_call(store, save) -> None:
    big = numpy.ones(10)
    swapped = numpy.arange(10, dtype=">f8")
    before = (sys.getrefcount(big), sys.getrefcount(swapped))
    future = save(weights={"w": big, "s": swapped}, wait=False)
    assert (sys.getrefcount(big), sys.getrefcount(swapped)) == before
    future.result(60)


def test_a_thousand_loaded_tensors_keep_one_buffer_and_leave_none(store, save) -> None:
    save(weights={str(i): numpy.full(100, i, numpy.float32) for i in range(1000)})
    growths = []
    for _ in range(4):
        before = sys.getallocatedblocks()
        for _ in range(5):
            weights = store.load_model("1-fruity")[0]
            assert len(weights) == 1000
            del weights
        gc.collect()
        growths.append(sys.getallocatedblocks() - before)
    assert min(growths) < 100, growths
