"""Store.rm, trash, restore and purge."""

from __future__ import annotations

import datetime

import pytest

import fontkeep


def test_a_run_goes_to_the_trash_and_comes_back(store, save):
    run_id = save()
    removal = store.rm("1-fruity", run_id)
    assert removal == fontkeep.Removal(
        "1-fruity", run_id, f"1-fruity/{run_id}.1", removal["bytes"]
    )
    [entry] = store.trash()
    assert entry.trash_id == removal.trash_id
    assert entry.bytes == removal.bytes == store.status().trash_bytes > 0
    age = datetime.datetime.now(datetime.timezone.utc) - entry.removed_at
    assert age < datetime.timedelta(minutes=5)
    assert store.list_runs("1-fruity") == []
    assert store.restore(entry.trash_id) == fontkeep.Restoration("1-fruity", run_id)
    assert store.load_model("1-fruity", run_id)[2].health == "complete"


def test_without_a_run_id_the_whole_font_is_removed(store, save):
    save()
    removal = store.rm("1-fruity")
    assert (removal.run_id, removal.trash_id) == (None, "1-fruity.1")
    assert store.list_fonts() == []
    store.restore("1-fruity.1")
    assert store.list_fonts() == ["1-fruity"]


def test_purge_removes_for_good(store, save):
    entries = [store.rm("1-fruity", save()) for _ in range(2)]
    purged = store.purge(entries[0].trash_id)
    assert purged == fontkeep.Purge([entries[0].trash_id], entries[0].bytes)
    with pytest.raises(fontkeep.RunNotFoundError):
        store.restore(entries[0].trash_id)
    assert store.purge()["removed"] == [entries[1].trash_id]
    assert store.trash() == []


def test_what_cannot_be_done_raises(store, save):
    save()
    with pytest.raises(fontkeep.FontNotFoundError):
        store.rm("2-dumb")
    with pytest.raises(fontkeep.InvalidInputError):
        store.restore("nonsense")
    with pytest.raises(TypeError):
        store.restore(None)
    store.rm("1-fruity")
    store.create_font("1-fruity")
    with pytest.raises(fontkeep.FontExistsError):
        store.restore("1-fruity.1")
