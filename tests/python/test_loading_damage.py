"""Damaged, missing and foreign files are told apart, and other runs are unaffected."""

from __future__ import annotations

import os
import pathlib
import shutil
import warnings

import numpy
import pytest

import fontkeep


@pytest.fixture
def damaged(save, run_directory):
    """Two runs; the directory of the newer one, to be damaged."""
    older = save()
    newer = save()
    return older, newer, run_directory("1-fruity", newer)


def flip(path: pathlib.Path, offset: int) -> None:
    data = bytearray(path.read_bytes())
    data[offset] ^= 1
    path.write_bytes(data)


def test_a_flipped_bit_in_the_weights_is_named(store, damaged) -> None:
    older, newer, directory = damaged
    flip(directory / "weights", (directory / "weights").read_bytes().index(b"\0\0\x80\x3f") + 1)
    with pytest.raises(fontkeep.CorruptRunError):
        store.load_model("1-fruity", mmap=True)
    with pytest.raises(fontkeep.CorruptRunError) as caught:
        store.load_model("1-fruity")
    assert "weights" in str(caught.value) and older in str(caught.value)
    assert "layer.weight" in str(caught.value)
    assert store.load_model("1-fruity", older)[2].health == "complete"
    with pytest.warns(fontkeep.FontKeepWarning):
        assert store.load_model("1-fruity", fallback=True)[2].run_id == older
    report = store.verify("1-fruity")
    assert report.damaged == 1 and report.runs[1].health == "corrupt"
    assert {problem.code for problem in report.runs[1].problems} == {"digest"}
    with pytest.raises(fontkeep.CorruptRunError):
        _ = store.open_run("1-fruity", newer).weights
    assert store.load_model("1-fruity", newer, verify=False)[2].run_id == newer


def test_salvage_gives_what_is_intact_and_names_what_is_lost(store, save, run_directory) -> None:
    weights = {
        "layer.weight": numpy.arange(6.0).reshape(2, 3),
        "blocks": [numpy.arange(5.0), (numpy.arange(7.0), "x")],
    }
    directory = run_directory("1-fruity", save(weights=weights))
    path = directory / "weights"
    for lost in (numpy.arange(6.0), numpy.arange(5.0)):
        flip(path, path.read_bytes().index(lost.tobytes()) + 9)
    with pytest.raises(fontkeep.CorruptRunError, match="layer.weight") as caught:
        store.load_model("1-fruity")
    assert "salvage" in caught.value.hint
    with pytest.warns(fontkeep.FontKeepWarning, match="layer.weight"):
        left, vector, metadata = store.load_model("1-fruity", salvage=True)
    assert set(left) == {"blocks"} and left["blocks"][0] is None
    assert numpy.asarray(left["blocks"][1][0]).tolist() == list(range(7))
    assert left["blocks"][1][1] == "x" and vector is not None
    assert metadata.health == "corrupt"
    assert [(p.code, p.path, p.tensor) for p in metadata.problems] == [
        ("digest", "weights", "model.layer.weight"),
        ("digest", "weights", "model.blocks.0"),
    ]
    data = path.read_bytes()
    for problem in metadata.problems:
        assert problem.offset is not None and len(data) > problem.offset + problem.length


def test_a_vector_that_was_lost_is_none(store, save, run_directory) -> None:
    path = run_directory("1-fruity", save()) / "weights"
    vector = numpy.array([0.25, -1.5, 3.0], dtype=numpy.float32).tobytes()
    flip(path, path.read_bytes().index(vector))
    with pytest.warns(fontkeep.FontKeepWarning, match="personality_vector"):
        weights, none, _ = store.load_model("1-fruity", salvage=True)
    assert none is None and "layer.weight" in weights


@pytest.mark.parametrize("how", ["cut", "zeros", "other bytes"])
def test_salvage_of_a_file_without_its_end(store, save, run_directory, how: str) -> None:
    weights = {name: numpy.arange(50.0) + at for at, name in enumerate("abcd")}
    path = run_directory("1-fruity", save(weights=weights)) / "weights"
    data = path.read_bytes()
    middle = data.index(weights["c"].tobytes()) + 9
    rest = len(data) - middle
    end = {"cut": b"", "zeros": bytes(rest), "other bytes": b"\x5a" * rest}[how]
    path.write_bytes(data[:middle] + end)
    with pytest.raises(fontkeep.CorruptRunError, match="the other 3 of 5 tensors") as caught:
        store.load_model("1-fruity")
    assert "model.c" in str(caught.value) and "salvage" in caught.value.hint
    with pytest.warns(fontkeep.FontKeepWarning, match="model.d"):
        left, vector, metadata = store.load_model("1-fruity", salvage=True)
    assert set(left) == {"a", "b"} and vector is not None
    assert all(numpy.asarray(left[name]).tolist() == weights[name].tolist() for name in left)
    lost = {problem.tensor: problem for problem in metadata.problems if problem.tensor is not None}
    assert set(lost) == {"model.c", "model.d"}
    for problem in [*lost.values(), *store.verify("1-fruity").runs[0].problems]:
        if problem.tensor is not None:
            assert problem.code == "digest" and problem.path == "weights"
            assert problem.offset < middle
            assert problem.offset + problem.length == len(data)


def test_salvage_of_a_sound_run_is_a_load(store, save) -> None:
    save()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        weights, _, metadata = store.load_model("1-fruity", salvage=True, mmap=True)
    assert metadata.problems == () and "layer.weight" in weights


def test_salvage_says_when_nothing_is_left(store, damaged) -> None:
    older, _, directory = damaged
    os.truncate(directory / "weights", 500)
    with pytest.raises(fontkeep.CorruptRunError, match="nothing can be salvaged") as caught:
        store.load_model("1-fruity", salvage=True)
    assert older in caught.value.hint
    with pytest.warns(fontkeep.FontKeepWarning, match="in place of the latest"):
        assert store.load_model("1-fruity", salvage=True, fallback=True)[2].run_id == older
    with pytest.raises(TypeError, match="salvage"):
        store.load_model("1-fruity", salvage=True, verify=False)


def test_fallback_is_for_the_latest_run_only(store, damaged) -> None:
    older, newer, directory = damaged
    flip(directory / "run.json", 40)
    with pytest.raises(fontkeep.CorruptRunError) as caught:
        store.load_model("1-fruity", newer, fallback=True)
    assert older in caught.value.hint
    with pytest.warns(fontkeep.FontKeepWarning, match="run.json"):
        weights, _, metadata = store.load_model("1-fruity", fallback=True)
    assert metadata.run_id == older and "layer.weight" in weights
    flip(pathlib.Path(store.path, "1-fruity", "runs", older, "sample.png"), 30)
    with pytest.raises(fontkeep.CorruptRunError) as caught:
        store.load_model("1-fruity", fallback=True)
    assert "no other run" in caught.value.hint


def test_a_salvaged_copy_is_a_checkpoint_without_the_lost_tensor(
    store, save, run_directory, tmp_path
) -> None:
    torch = pytest.importorskip("torch")
    lost = torch.arange(5.0) + 0.5
    weights = {"a": torch.arange(6.0), "b": lost, "c": torch.nn.Parameter(torch.ones(2))}
    path = run_directory("1-fruity", save(weights=weights)) / "weights"
    flip(path, path.read_bytes().index(lost.numpy().tobytes()) + 6)
    with pytest.raises(fontkeep.CorruptRunError):
        store.copy_run("1-fruity", tmp_path / "copy")
    metadata = store.copy_run("1-fruity", tmp_path / "copy", salvage=True)
    assert [problem.tensor for problem in metadata.problems] == ["model.b"]
    left = torch.load(tmp_path / "copy" / "weights")
    assert set(left["model"]) == {"a", "c"} and left["weights_version"] == "v1"
    assert torch.equal(left["model"]["a"], torch.arange(6.0))
    assert isinstance(left["model"]["c"], torch.nn.Parameter)
    assert not (tmp_path / "copy" / "run.json").exists()
    assert (tmp_path / "copy" / "sample.png").exists()


@pytest.mark.parametrize("size", [0, 1, 100, -1])
def test_truncated_and_emptied_weights_are_corrupt(store, damaged, size: int) -> None:
    _, newer, directory = damaged
    weights = directory / "weights"
    os.truncate(weights, size if size >= 0 else weights.stat().st_size - 1)
    with pytest.raises(fontkeep.CorruptRunError, match="weights"):
        store.load_model("1-fruity", newer)
    assert store.list_runs("1-fruity")[1].health == "corrupt"


def test_missing_weights_are_incomplete(store, damaged) -> None:
    older, newer, directory = damaged
    (directory / "weights").unlink()
    with pytest.raises(fontkeep.IncompleteRunError, match="weights"):
        store.load_model("1-fruity", newer)
    assert [run.health for run in store.list_runs("1-fruity")] == ["complete", "incomplete"]


def test_a_damaged_manifest_is_told_from_damaged_data(store, damaged) -> None:
    _, newer, directory = damaged
    flip(directory / "run.json", 40)
    with pytest.raises(fontkeep.CorruptRunError, match="run.json"):
        store.load_model("1-fruity", newer)
    assert store.list_runs("1-fruity")[1].problems[0].code == "manifest"
    with pytest.warns(fontkeep.FontKeepWarning):
        weights, _, _ = store.load_model("1-fruity", newer, verify=False)
    assert "layer.weight" in weights


def test_a_missing_asset_is_a_warning_and_an_error_when_read(store, damaged) -> None:
    _, newer, directory = damaged
    (directory / "sample.png").unlink()
    with pytest.warns(fontkeep.FontKeepWarning, match="sample.png"):
        _, _, metadata = store.load_model("1-fruity", newer)
    assert metadata.health == "incomplete"
    assert [(problem.code, problem.path) for problem in metadata.problems] == [
        ("missing", "sample.png")
    ]
    with pytest.raises(fontkeep.IncompleteRunError, match="sample.png"):
        store.load_model("1-fruity", newer, strict=True)
    run = store.open_run("1-fruity", newer)
    with pytest.raises(fontkeep.IncompleteRunError, match="sample.png") as caught:
        run.sample_image()
    assert "regenerate" in str(caught.value)
    assert set(run.eval_glyphs()) == {"A", "a"}


def test_missing_glyphs_and_feedback_are_named(store, damaged) -> None:
    _, newer, directory = damaged
    (directory / "eval-glyphs" / "A.png").unlink()
    (directory / "feedback.json").unlink()
    run = store.open_run("1-fruity", newer)
    with pytest.raises(fontkeep.IncompleteRunError, match="A.png"):
        run.eval_glyphs()
    with pytest.raises(fontkeep.IncompleteRunError, match="feedback.json"):
        _ = run.feedback


def test_a_damaged_asset_is_a_warning_and_an_error_when_read(store, damaged) -> None:
    _, newer, directory = damaged
    flip(directory / "feedback.json", 3)
    with pytest.warns(fontkeep.FontKeepWarning, match="feedback.json"):
        _, _, metadata = store.load_model("1-fruity", newer)
    assert metadata.health == "corrupt"
    with pytest.raises(fontkeep.CorruptRunError, match="feedback.json"):
        store.load_model("1-fruity", newer, strict=True)
    with pytest.raises(fontkeep.CorruptRunError, match="feedback.json"):
        _ = store.open_run("1-fruity", newer).feedback


def test_an_intact_run_loads_without_a_warning(store, damaged) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert store.load_model("1-fruity", damaged[1])[2].problems == ()


def test_a_tree_made_by_hand_lists_and_loads_with_a_warning(store, save, run_directory) -> None:
    torch = pytest.importorskip("torch")
    source = run_directory("1-fruity", save())
    runs = pathlib.Path(store.path, "2-old", "runs")
    directory = runs / "2026-01-11T08:30:00.000000"
    shutil.copytree(source, directory)
    (directory / "run.json").unlink()
    (directory / "weights").unlink()
    (directory / "eval-glyphs" / "uni00E9.png").write_bytes((source / "sample.png").read_bytes())
    torch.save({"w": torch.ones(3)}, directory / "weights.pth")
    assert store.list_fonts() == ["1-fruity", "2-old"]
    [row] = store.list_runs("2-old")
    assert row.health == "unverified" and row.status is None and row.training == {}
    with pytest.warns(fontkeep.FontKeepWarning):
        weights, vector, metadata = store.load_model("2-old")
    assert vector is None and weights["w"].sum() == 3 and metadata.health == "unverified"
    run = store.open_run("2-old")
    assert set(run.eval_glyphs()) == {"A", "a", "é"}
    assert run.feedback["notes"] == "round" and run.architecture is None
    shutil.rmtree(directory / "eval-glyphs")
    with pytest.raises(fontkeep.IncompleteRunError, match="eval-glyphs"):
        store.open_run("2-old").eval_glyphs()


def test_weights_of_a_newer_version_are_refused_by_both_names(store, save, run_directory) -> None:
    torch = pytest.importorskip("torch")
    source = run_directory("1-fruity", save())
    directory = pathlib.Path(store.path, "2-new", "runs", "2026-01-11T08:30:00.000000")
    shutil.copytree(source, directory)
    (directory / "run.json").unlink()
    torch.save({"weights_version": "v7", "model": {}}, directory / "weights")
    with pytest.raises(fontkeep.UnsupportedVersionError) as caught:
        store.load_model("2-new")
    assert "v7" in str(caught.value) and "v1" in str(caught.value)
    [row] = store.verify("2-new").runs
    assert row.health == "unsupported"
    assert [problem.code for problem in row.problems] == ["unverified", "version"]


@pytest.mark.parametrize("text", ["[]", "5", '"metrics"', "{"])
def test_feedback_of_an_older_program_that_is_no_object(store, save, run_directory, text) -> None:
    directory = run_directory("1-fruity", save())
    (directory / "run.json").unlink()
    (directory / "feedback.json").write_text(text)
    with pytest.raises(fontkeep.CorruptRunError, match="feedback.json"):
        _ = store.open_run("1-fruity").feedback


def test_a_font_without_runs_is_mended(store) -> None:
    store.create_font("1-fruity")
    runs = pathlib.Path(store.path, "1-fruity", "runs")
    runs.rmdir()
    assert store.list_runs("1-fruity") == [] and runs.is_dir()
    runs.rmdir()
    strict = fontkeep.Store(store.path, create_runs=False)
    with pytest.raises(fontkeep.IncompleteRunError, match="runs"):
        strict.list_runs("1-fruity")


def test_a_store_that_vanished_is_an_error_that_says_so(store, save) -> None:
    save()
    shutil.rmtree(store.path)
    with pytest.raises(fontkeep.StoreNotFoundError):
        save()
    with pytest.raises(fontkeep.StoreNotFoundError):
        store.list_fonts()
    assert not os.path.exists(store.path)


def test_a_file_that_is_no_checkpoint_is_unsupported(store, tmp_path) -> None:
    path = tmp_path / "x.pt"
    path.write_bytes(b"hello" * 100)
    with pytest.raises(fontkeep.UnsupportedDataError):
        store.inspect(path)


def test_a_run_with_only_numpy_weights_can_be_compared(store, save) -> None:
    weights, _, _ = store.load_model("1-fruity", save())
    assert numpy.asarray(weights["layer.weight"]).shape == (2, 3)
