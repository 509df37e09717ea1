"""Store.adopt and migrate."""

from __future__ import annotations

import pathlib

import numpy
import pytest

import fontkeep


@pytest.fixture
def by_hand(store: fontkeep.Store, save, run_directory):
    """A run whose manifest was lost, with weights of version v0."""
    torch = pytest.importorskip("torch")

    def make() -> str:
        run_id = save()
        directory = run_directory("1-fruity", run_id)
        (directory / "run.json").unlink()
        torch.save({"layer": torch.arange(4.0)}, str(directory / "weights"))
        return run_id

    return make


def test_adopt_and_migrate_give_new_generations(store, by_hand, run_directory):
    run_id = by_hand()
    changes = store.adopt("1-fruity")
    assert changes == fontkeep.Changes([fontkeep.Change("1-fruity", run_id, ["run.json"])])
    assert store.get_run_info("1-fruity", run_id).health == "complete"
    changes = store.migrate("1-fruity", "latest", personality_vector=[1.0, 2.0])
    assert changes["runs"][0].changed == ["run.json", "weights"]
    weights, vector, metadata = store.load_model("1-fruity")
    assert numpy.array_equal(weights["layer"], numpy.arange(4.0))
    assert [float(number) for number in vector] == [1.0, 2.0]
    assert (metadata.weights_version, metadata.problems) == ("v1", ())
    assert len(store.trash()) == 2
    assert store.migrate("1-fruity").runs == []


def test_a_change_takes_ids_twins_and_latest_but_no_prefix(store, save):
    run_id = save()
    for change in (store.regenerate, store.migrate, store.rm):
        with pytest.raises(fontkeep.RunNotFoundError):
            change("1-fruity", run_id[:-1])
    for name in (run_id, run_id.replace(":", "-"), "latest", None):
        [row] = store.regenerate("1-fruity", name).runs
        assert row == fontkeep.Change("1-fruity", run_id, [])


def test_a_run_that_is_refused_is_warned_of(store, by_hand, run_directory):
    run_id = by_hand()
    weights = pathlib.Path(run_directory("1-fruity", run_id)) / "weights"
    weights.write_bytes(b"nothing")
    with pytest.warns(fontkeep.FontKeepWarning, match=f"{run_id} is left as it was"):
        assert store.adopt("1-fruity").runs == []
    with pytest.raises(fontkeep.UnsupportedDataError):
        store.migrate("1-fruity", run_id)


def test_a_replaced_generation_is_restored(store, by_hand):
    run_id = by_hand()
    store.migrate("1-fruity")
    [entry] = store.trash()
    store.restore(entry.trash_id)
    assert store.get_run_info("1-fruity", run_id).health == "unverified"
