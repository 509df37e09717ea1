"""Runs: written step by step, listed, opened, described."""

from __future__ import annotations

import datetime
import json
import math
import os
import pathlib
import re

import numpy
import pytest

import fontkeep

UTC = datetime.timezone.utc
RUN_ID = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(-\d{4})?")


def test_a_saved_run_has_every_file_of_the_specification(store, save) -> None:
    run_id = save()
    assert RUN_ID.fullmatch(run_id)
    directory = pathlib.Path(store.path, "1-fruity", "runs", run_id)
    assert {path.name for path in directory.iterdir()} == {
        *("weights", "sample.png", "eval-glyphs", "feedback.json", "run.json")
    }
    assert {path.name for path in (directory / "eval-glyphs").iterdir()} == {"A.png", "a.png"}


def test_metadata_tells_what_was_saved(store, save) -> None:
    zone = datetime.timezone(datetime.timedelta(hours=1))
    started = datetime.datetime(2026, 1, 11, 9, 30, 0, 5, zone)
    ended = datetime.datetime(2026, 1, 11, 8, 45, tzinfo=UTC)
    parent = save()
    run_id = save(
        training={"epochs": 40, "learning_rate": numpy.float32(0.5), "layers": (1, 2)},
        started_at=started,
        ended_at=ended,
        parent_run_id=parent,
    )
    metadata = store.get_run_info("1-fruity", run_id)
    assert (metadata.font_id, metadata.run_id, metadata.status) == ("1-fruity", run_id, "completed")
    assert metadata.started_at == started and metadata.started_at.utcoffset() is not None
    assert metadata.ended_at == ended
    assert metadata.training == {"epochs": 40, "learning_rate": 0.5, "layers": [1, 2]}
    assert metadata.metrics == {"loss": 0.03}
    assert (metadata.weights_version, metadata.feedback_schema) == ("v1", "1.0")
    assert metadata.parent_run_id == parent
    assert metadata.personality == {"dtype": "float32", "shape": [3]}
    assert (metadata.glyphs, metadata.generation, metadata.manifest_version) == (2, 1, 1)
    assert metadata.health == "complete" and metadata.problems == ()
    assert metadata.written_by.startswith("fontkeep ")
    assert metadata.size_bytes == sum(file.size for file in metadata.files)
    assert metadata.weights_bytes == os.path.getsize(os.path.join(metadata.path, "weights"))
    assert [file.label for file in metadata.files if file.label] == ["A", "a"]
    assert all(len(file.sha256[0]) == 64 for file in metadata.files)


def test_metadata_cannot_be_changed(store, save) -> None:
    metadata = store.get_run_info("1-fruity", save())
    with pytest.raises(AttributeError):
        metadata.status = "failed"


def test_times_default_to_the_time_of_the_call(store, save) -> None:
    before = datetime.datetime.now(UTC)
    metadata = store.get_run_info("1-fruity", save())
    assert before <= metadata.started_at <= metadata.ended_at <= datetime.datetime.now(UTC)


def test_diverged_numbers_come_back_as_floats(store, save) -> None:
    torch = pytest.importorskip("torch")
    training = {"lr": math.inf, "deep": [{"x": math.nan}], "zero": -0.0}
    feedback = {
        "metrics": {"loss": math.nan, "best": -math.inf, "count": torch.tensor(3)},
        "loss_history": [1.0, math.inf, numpy.float64(0.1)],
    }
    run_id = save(training=training, feedback=feedback)
    metadata = store.get_run_info("1-fruity", run_id)
    assert metadata.training["lr"] == math.inf and math.isnan(metadata.training["deep"][0]["x"])
    assert math.copysign(1, metadata.training["zero"]) == -1
    assert math.isnan(metadata.metrics["loss"]) and metadata.metrics["best"] == -math.inf
    back = store.open_run("1-fruity", run_id).feedback
    assert math.isnan(back["metrics"]["loss"]) and back["metrics"]["count"] == 3
    assert back["loss_history"] == [1.0, math.inf, 0.1]


def test_numbers_are_written_as_people_write_them(store, save) -> None:
    run_id = save(feedback={"metrics": {"loss": 0.03}, "unknown": {"kept": [1, None, "x"]}})
    path = os.path.join(store.get_run_info("1-fruity", run_id).path, "feedback.json")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    assert "0.03" in text and "0.0299" not in text
    assert json.loads(text)["unknown"] == {"kept": [1, None, "x"]}


def test_feedback_may_be_a_file(store, save, tmp_path) -> None:
    path = tmp_path / "feedback.json"
    path.write_text('{"metrics": {"loss": NaN}, "notes": "n"}')
    feedback = store.open_run("1-fruity", save(feedback=path)).feedback
    assert math.isnan(feedback["metrics"]["loss"]) and feedback["notes"] == "n"
    path.write_text('{"a": 1, "a": 2}')
    with pytest.raises(fontkeep.InvalidInputError) as caught:
        save(feedback=str(path))
    assert caught.value.offset is not None
    with pytest.raises(fontkeep.InvalidInputError, match="feedback"):
        save(feedback=tmp_path / "nowhere.json")


def test_errors_about_a_feedback_file_name_that_file(store, save, tmp_path) -> None:
    path = tmp_path / "mine.json"
    for text in ['{"a": 1, "a": 2}', '{"epochs": "many"}', "[]"]:
        path.write_text(text)
        with pytest.raises(fontkeep.InvalidInputError) as caught:
            save(feedback=path)
        assert caught.value.path == str(path)
        with pytest.raises(fontkeep.InvalidInputError) as caught:
            save(feedback=str(path), wait=False).result(60)
        assert caught.value.path == str(path)
        with store.begin_run("1-fruity", status="failed") as run:
            with pytest.raises(fontkeep.InvalidInputError) as caught:
                run.set_feedback(path)
            assert caught.value.path == str(path)
    with pytest.raises(fontkeep.InvalidInputError) as caught:
        save(feedback={"epochs": "many"})
    assert caught.value.path == "feedback.json"


# ---- listing ----


def test_fonts_sort_by_number_then_name(store) -> None:
    assert store.list_fonts() == []
    for font_id in ("10-b", "2-z", "2-a", "1-x"):
        store.create_font(font_id)
    assert store.list_fonts() == ["1-x", "2-a", "2-z", "10-b"]
    assert store.create_next_font("new") == "11-new"


def test_runs_list_in_chronological_order_and_in_pages(store, save) -> None:
    ids = [save() for _ in range(6)]
    assert ids == sorted(ids) and len(set(ids)) == 6

    def listed(**query: object) -> list[str]:
        return [run.run_id for run in store.list_runs("1-fruity", **query)]

    assert listed() == ids
    assert listed(reverse=True) == ids[::-1]
    assert listed(limit=2) == ids[:2]
    assert listed(limit=0) == []
    assert listed(after=ids[2], limit=2) == ids[3:5]
    assert listed(after=ids[3], reverse=True, limit=2) == [ids[2], ids[1]]
    with pytest.raises(fontkeep.InvalidInputError):
        listed(limit=-1)


def test_latest_leaves_out_failed_runs(store, save) -> None:
    good = save()
    save(status="failed")
    save(status="interrupted")
    assert store.load_model("1-fruity")[2].run_id == good
    assert store.load_model("1-fruity", "latest")[2].run_id == good
    assert store.open_run("1-fruity").id == good
    assert store.resolve_run("1-fruity", "latest") == good


def test_a_run_is_found_by_its_twin_without_colons(store, save) -> None:
    run_id = save()
    twin = run_id.replace(":", "-")
    assert store.load_model("1-fruity", twin)[2].run_id == run_id
    assert store.get_run_info("1-fruity", twin).run_id == run_id


def test_the_default_store_is_in_the_environment_or_networks(tmp_path, monkeypatch, image) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FONTKEEP_STORE", raising=False)
    with pytest.raises(fontkeep.StoreNotFoundError):
        fontkeep.list_fonts()
    (tmp_path / "networks").mkdir()
    run_id = fontkeep.save_model("1-a", {"w": numpy.ones(2)}, [1.0], image, {"A": image}, {})
    assert fontkeep.list_fonts() == ["1-a"]
    assert fontkeep.list_runs("1-a")[0] == fontkeep.list_runs("1-a", reverse=True)[0]
    assert fontkeep.get_run_info("1-a", run_id).run_id == run_id
    assert fontkeep.load_model("1-a")[2].run_id == run_id
    (tmp_path / "other").mkdir()
    monkeypatch.setenv("FONTKEEP_STORE", str(tmp_path / "other"))
    assert fontkeep.list_fonts() == []


# ---- open_run ----


def test_an_open_run_gives_everything_it_holds(store, save, image) -> None:
    run_id = save(architecture={"layers": [3, 2], "kind": "linear"})
    run = store.open_run("1-fruity", run_id)
    assert run.id == run.metadata.run_id == run_id
    assert numpy.array_equal(numpy.asarray(run.weights["layer.weight"]), [[0, 1, 2], [3, 4, 5]])
    assert run.weights is run.weights
    assert numpy.asarray(run.personality_vector).tolist() == [0.25, -1.5, 3.0]
    assert run.architecture == {"layers": [3, 2], "kind": "linear"}
    assert run.feedback["notes"] == "round" and run.feedback is run.feedback
    assert numpy.array_equal(numpy.asarray(run.sample_image()), image)
    glyphs = run.eval_glyphs()
    assert set(glyphs) == {"A", "a"} and numpy.array_equal(numpy.asarray(glyphs["A"]), image)
    assert run_id in repr(run)


def test_an_architecture_that_is_left_out_is_recorded_from_the_tensors(store, save) -> None:
    architecture = store.open_run("1-fruity", save()).architecture
    [(name, tensor)] = architecture["tensors"].items()
    assert name.endswith("layer.weight")
    assert tensor["dtype"] == "float32" and list(tensor["shape"]) == [2, 3]


# ---- begin_run ----


def test_a_run_is_committed_on_leaving(store, image) -> None:
    with store.begin_run("1-fruity", training={"epochs": 1}, architecture={"n": 1}) as run:
        run.set_weights({"w": numpy.ones(3)}, [1.0])
        run.set_sample(image)
        run.add_glyph("A", image)
        run.add_glyphs({"B": image})
        run.set_feedback({"notes": "n"})
        assert run.id is None and store.list_runs("1-fruity") == []
    back = store.open_run("1-fruity", run.id)
    assert back.architecture == {"n": 1} and set(back.eval_glyphs()) == {"A", "B"}
    assert back.metadata.training == {"epochs": 1}
    with pytest.raises(TypeError, match="committed"):
        run.set_feedback({})


def test_a_run_is_discarded_on_an_exception(store, image) -> None:
    with pytest.raises(RuntimeError, match="mine"):
        with store.begin_run("1-fruity") as run:
            run.set_weights({"w": numpy.ones(3)}, [1.0])
            raise RuntimeError("mine")
    assert run.id is None
    report = store.status()
    assert (report.runs, report.stages) == (0, 0)


def test_a_completed_run_that_lacks_parts_is_not_committed(store) -> None:
    with pytest.raises(fontkeep.InvalidInputError):
        with store.begin_run("1-fruity") as run:
            run.set_weights({"w": numpy.ones(3)}, [1.0])
    assert store.status().runs == 0 and store.status().stages == 0


def test_a_failed_run_may_hold_weights_alone(store) -> None:
    with store.begin_run("1-fruity", status="failed") as run:
        run.set_weights({"w": numpy.ones(3)}, None, architecture={"a": 1})
    assert store.get_run_info("1-fruity", run.id).health == "complete"


def test_a_draft_that_is_forgotten_leaves_nothing(store) -> None:
    run = store.begin_run("1-fruity")
    run.set_weights({"w": numpy.ones(3)}, None)
    assert store.status().stages == 1
    del run
    assert store.status().stages == 0


def test_a_draft_can_be_discarded_twice(store) -> None:
    run = store.begin_run("1-fruity")
    run.discard()
    run.discard()
    with pytest.raises(TypeError):
        run.commit()


# ---- reports ----


def test_verify_status_recover_and_inspect_report(store, save, tmp_path) -> None:
    run_id = save()
    report = store.verify()
    assert (report.checked, report.damaged) == (1, 0) and report["checked"] == 1
    assert [(run.font_id, run.run_id, run.health) for run in report.runs] == [
        ("1-fruity", run_id, "complete")
    ]
    assert dict(report).keys() == {"checked", "damaged", "runs"}
    with pytest.raises(TypeError):
        store.verify(run_id=run_id)
    status = store.status()
    assert (status.fonts, status.runs, status["by_health"]["complete"]) == (1, 1, 1)
    assert status.store_id == store.init()
    recovery = store.recover()
    assert recovery.removed == [] and recovery["kept"] == []
    inspection = store.inspect("1-fruity", run_id)
    assert inspection.format == "pytorch-zip" and inspection.findings == []
    names = {tensor.name: tensor for tensor in inspection.tensors}
    weight = names["model.layer.weight"]
    assert (weight.dtype, weight.shape, weight.bytes) == ("float32", (2, 3), 24)
    path = os.path.join(store.get_run_info("1-fruity", run_id).path, "weights")
    assert store.inspect(path).tensors == inspection.tensors
    with pytest.raises(KeyError):
        report["nothing"]


def test_what_is_no_font_id_or_names_a_file_is_inspected_as_a_file(
    store, save, tmp_path, monkeypatch
) -> None:
    weights = os.path.join(store.path, "1-fruity", "runs", save(), "weights")
    monkeypatch.chdir(tmp_path)
    for name in ("weights", "2-dumb"):
        os.link(weights, name)
        assert store.inspect(name).format == "pytorch-zip"
    with pytest.raises(fontkeep.StoreIOError, match="nothing-there"):
        store.inspect("nothing-there")
    with pytest.raises(fontkeep.FontNotFoundError):
        store.inspect("3-none")


@pytest.mark.parametrize("suffix", ["json", "csv", "npy", "pt"])
def test_a_personality_vector_is_exported(store, save, tmp_path, suffix) -> None:
    save()
    path = tmp_path / f"vector.{suffix}"
    store.export_personality("1-fruity", path)
    plain = tmp_path / "plain"
    store.export_personality("1-fruity", plain, run_id="latest", format=suffix)
    assert path.read_bytes() == plain.read_bytes()
    if suffix == "json":
        exported = json.loads(path.read_text())
        assert exported == {"dtype": "float32", "shape": [3], "values": [0.25, -1.5, 3.0]}
    if suffix == "npy":
        assert numpy.load(path).tolist() == [0.25, -1.5, 3.0]


def test_a_run_is_copied_out_verified(store, save, tmp_path) -> None:
    run_id = save()
    metadata = store.copy_run("1-fruity", tmp_path / "copy")
    assert metadata.run_id == run_id
    assert (tmp_path / "copy" / "weights").stat().st_size == metadata.weights_bytes


def test_the_parent_may_be_named_latest(store, save) -> None:
    parent = save()
    run_id = save(parent_run_id="latest")
    assert store.get_run_info("1-fruity", run_id).parent_run_id == parent
    with pytest.raises(fontkeep.FontNotFoundError):
        save("2-new", parent_run_id="latest")


def test_a_vector_without_weights_is_not_dropped_silently(store) -> None:
    with pytest.warns(fontkeep.FontKeepWarning, match="without weights"):
        store.save_model("1-fruity", None, [1.0], None, None, None, status="failed")
