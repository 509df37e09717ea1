"""Stores and runs in the workers of data loaders and pools, forked and spawned."""

from __future__ import annotations

import multiprocessing
import os
import pickle

import numpy
import pytest
from processes import METHODS, environment

import fontkeep


@pytest.fixture(autouse=True)
def importable(monkeypatch) -> None:
    """Spawned workers find the package and this module."""
    here = os.path.dirname(__file__)
    monkeypatch.setenv("PYTHONPATH", f"{environment()['PYTHONPATH']}{os.pathsep}{here}")


class GlyphRuns:
    """A data set over the runs of a font, with an open store and an open run in it."""

    def __init__(self, store: fontkeep.Store) -> None:
        self.store = store
        self.run = store.open_run("1-fruity")
        self.ids = [run.run_id for run in store.list_runs("1-fruity")]

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, index: int) -> tuple[int, float, int]:
        weights, vector, metadata = self.store.load_model("1-fruity", self.ids[index])
        assert metadata.run_id == self.ids[index] and len(vector) == 3
        assert self.run.weights["layer.weight"].shape == (2, 3)
        return index, float(weights["layer.weight"][1, 2]), os.getpid()


@pytest.mark.parametrize("method", METHODS)
def test_the_workers_of_a_data_loader_read_runs(store, save, method: str) -> None:
    data = pytest.importorskip("torch.utils.data")
    for n in range(6):
        save(weights={"layer.weight": numpy.full((2, 3), n, numpy.float32)})
    loader = data.DataLoader(
        GlyphRuns(store), batch_size=None, num_workers=2, multiprocessing_context=method
    )
    found = list(loader)
    assert [(index, value) for index, value, _ in found] == [(n, float(n)) for n in range(6)]
    pids = {pid for _, _, pid in found}
    assert len(pids) == 2 and os.getpid() not in pids


def save_in_worker(store: fontkeep.Store, image: numpy.ndarray, n: int) -> str:
    future = store.save_model("1-fruity", {"n": n}, [1.0], image, {"A": image}, {}, wait=False)
    return store.save_model("2-dumb", {"n": n}, [1.0], image, {}, {}) and future.result()


@pytest.mark.parametrize("method", METHODS)
def test_the_workers_of_a_pool_save_through_a_store_of_their_parent(
    store, save, image, method: str
) -> None:
    first = save(wait=False)  # the parent has a writer thread of its own
    with multiprocessing.get_context(method).Pool(2) as pool:
        ids = pool.starmap(save_in_worker, [(store, image, n) for n in range(6)])
    ids.append(first.result(60))
    assert sorted(ids) == [run.run_id for run in store.list_runs("1-fruity")]
    assert len(store.list_runs("2-dumb")) == 6
    assert store.verify().damaged == 0 and store.status().stages == 0


def raise_in_worker(store: fontkeep.Store) -> None:
    store.load_model("7-nowhere")


def test_exceptions_come_out_of_workers_whole(store, save) -> None:
    save()
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        with pytest.raises(fontkeep.FontNotFoundError) as caught:
            pool.apply(raise_in_worker, (store,))
        assert caught.value.code == "font_not_found" and caught.value.hint


def test_stores_runs_and_functions_can_be_pickled_and_drafts_cannot(store, save) -> None:
    run_id = save()
    again = pickle.loads(pickle.dumps(store))
    assert (type(again), again.path) == (fontkeep.Store, store.path)
    assert again.list_runs("1-fruity")[0].run_id == run_id
    run = pickle.loads(pickle.dumps(store.open_run("1-fruity")))
    assert run.id == run_id and run.feedback["notes"] == "round"
    assert pickle.loads(pickle.dumps(fontkeep.list_fonts)) == fontkeep.list_fonts
    with store.begin_run("1-fruity", status="failed") as draft:
        with pytest.raises(TypeError, match="cannot be pickled"):
            pickle.dumps(draft)


def test_a_pickled_store_that_vanished_is_not_made_again(tmp_path) -> None:
    text = pickle.dumps(fontkeep.Store(tmp_path / "gone", create=True, max_weights_bytes=77))
    again = pickle.loads(text)
    with pytest.raises(fontkeep.LimitError, match="77"):
        again.save_model("1-a", {"n": 1}, None, None, None, None, status="failed")
    for name in sorted((tmp_path / "gone").rglob("*"), reverse=True):
        name.rmdir() if name.is_dir() else name.unlink()
    (tmp_path / "gone").rmdir()
    with pytest.raises(fontkeep.StoreNotFoundError):
        pickle.loads(text)


