"""save, runs, show, load, personality: runs from the shell."""

import json
import os
import struct

import pytest


def test_save_prints_the_run_id_and_the_run_is_complete(command, save):
    run_id = save()
    run = command.json("show", "1-fruity", run_id)
    assert (run["run_id"], run["health"], run["status"]) == (run_id, "complete", "completed")
    assert run["problems"] == []
    assert run["metrics"] == {"loss": 0.031, "nan": "NaN"}
    assert run["personality"] == {"dtype": "float32", "shape": [64]}
    assert [f["path"] for f in run["files"]] == [
        "eval-glyphs/A.png",
        "eval-glyphs/B.png",
        "eval-glyphs/a.png",
        "eval-glyphs/uni00E9.png",
        "feedback.json",
        "sample.png",
        "weights",
    ]
    assert [f.get("label") for f in run["files"]][:4] == ["A", "B", "a", "\u00e9"]


def test_save_as_json(command, material):
    saved = command.json(
        "save",
        "1-fruity",
        "--weights",
        material / "model.pt",
        "--personality",
        material / "vector.json",
        "--status",
        "interrupted",
    )
    assert set(saved) == {"font_id", "run_id"}


def test_unknown_feedback_members_survive(command, save, tmp_path):
    save()
    command("load", "1-fruity", "--out", tmp_path / "out")
    feedback = json.loads((tmp_path / "out" / "feedback.json").read_text())
    assert feedback["mood"] == "unknown member"
    assert feedback["feedback_schema"] == "1.0"


@pytest.mark.parametrize("missing", ["--weights", "--sample", "--glyphs", "--feedback"])
def test_a_completed_run_needs_every_option(command, material, missing):
    words = {
        "--weights": material / "model.pt",
        "--sample": material / "sample.png",
        "--glyphs": material / "glyphs",
        "--feedback": material / "feedback.json",
    }
    del words[missing]
    error = command.error("save", "1-a", *[w for pair in words.items() for w in pair], status=2)
    assert missing in error["message"]


def test_a_failed_run_may_lack_everything(command):
    run_id = command("save", "1-a", "--status", "failed").stdout.strip()
    run = command.json("show", "1-a", run_id)
    assert (run["status"], run["health"]) == ("failed", "complete")
    assert command.error("show", "1-a", status=3)["code"] == "run_not_found"


def test_training_and_times_are_kept(command, save):
    run_id = save(
        "1-a",
        "--training",
        '{"epochs": 40, "rate": 0.03, "inf": Infinity}',
        "--started",
        "2026-01-11T09:10:00+01:00",
        "--ended",
        "2026-01-11T08:30:00.5Z",
    )
    run = command.json("show", "1-a", run_id)
    assert run["training"] == {"epochs": 40, "rate": 0.03, "inf": "Infinity"}
    assert run["started_at"] == "2026-01-11T08:10:00.000000Z"
    assert run["ended_at"] == "2026-01-11T08:30:00.500000Z"


def test_a_parent_is_resolved_and_recorded(command, save):
    first = save()
    second = save("1-fruity", "--parent", "latest")
    assert command.json("show", "1-fruity", second)["parent_run_id"] == first


def test_runs_are_listed_in_order_and_paged(command, save):
    ids = [save() for _ in range(4)]
    assert [r["run_id"] for r in command.json("runs", "1-fruity")] == ids
    assert [r["run_id"] for r in command.json("runs", "1-fruity", "--limit", 2)] == ids[:2]
    after = command.json("runs", "1-fruity", "--after", ids[1], "--limit", 1)
    assert [r["run_id"] for r in after] == ids[2:3]
    back = command.json("runs", "1-fruity", "--reverse", "--after", ids[2])
    assert [r["run_id"] for r in back] == [ids[1], ids[0]]
    run = command.json("runs", "1-fruity")[0]
    assert set(run) == {
        "font_id",
        "run_id",
        "status",
        "health",
        "problems",
        "started_at",
        "ended_at",
        "training",
        "metrics",
        "size_bytes",
    }
    lines = command("runs", "1-fruity").stdout.splitlines()
    assert lines[0].split() == ["RUN", "STATUS", "HEALTH", "AGE", "SIZE", "METRICS"]
    assert len(lines) == 5 and len({line.index("completed") for line in lines[1:]}) == 1


def test_a_run_is_named_by_id_twin_prefix_or_latest(command, save):
    run_id = save()
    twin = run_id.replace(":", "-")
    for name in [run_id, twin, run_id[:10], twin[:16], "latest"]:
        assert command.json("show", "1-fruity", name)["run_id"] == run_id


def test_an_ambiguous_prefix_is_refused_and_names_runs(command, save):
    ids = [save(), save()]
    error = command.error("show", "1-fruity", "2", status=4)
    assert error["code"] == "invalid"
    assert ids[0] in error["message"] + error["hint"]


def test_an_unknown_font_offers_the_nearest(command, save):
    save()
    for verb in ["runs", "show", "verify", "personality"]:
        error = command.error(verb, "1-friuty", status=3)
        assert error["code"] == "font_not_found"
        assert "1-fruity" in error["hint"]


def test_an_unknown_run_offers_the_nearest(command, save):
    run_id = save()
    wrong = run_id[:-1] + ("1" if run_id[-1] != "1" else "2")
    error = command.error("show", "1-fruity", wrong, status=3)
    assert error["code"] == "run_not_found"
    assert run_id in error["hint"]


def test_load_copies_every_file_byte_for_byte(command, save, tmp_path):
    run_id = save()
    out = tmp_path / "out"
    assert command.json("load", "1-fruity", "latest", "--out", out) == {
        "font_id": "1-fruity",
        "run_id": run_id,
        "out": str(out),
    }
    source = command.run_path("1-fruity", run_id)
    copied = sorted(str(p.relative_to(out)) for p in out.rglob("*") if p.is_file())
    assert copied == sorted(str(p.relative_to(source)) for p in source.rglob("*") if p.is_file())
    for name in copied:
        assert (out / name).read_bytes() == (source / name).read_bytes()


def test_load_refuses_a_directory_that_is_not_empty(command, save, tmp_path):
    save()
    (tmp_path / "file").write_text("x")
    error = command.error("load", "1-fruity", "--out", tmp_path, status=4)
    assert str(tmp_path) in error["path"] + error["message"]


def test_show_for_people_is_aligned(command, save):
    run_id = save()
    text = command("show", "1-fruity").stdout
    assert run_id in text.splitlines()[0]
    for word in ["status", "metrics", "loss 0.031", "float32 [64]", "eval-glyphs/A.png"]:
        assert word in text


@pytest.mark.parametrize("suffix", ["json", "csv", "npy", "pt"])
def test_the_personality_vector_is_exported_exactly(command, save, material, tmp_path, suffix):
    torch = pytest.importorskip("torch")
    save()
    out = tmp_path / f"vector.{suffix}"
    command("personality", "1-fruity", "-o", out)
    wanted = torch.load(str(material / "vector.pt"))
    if suffix == "json":
        document = json.loads(out.read_text())
        assert (document["dtype"], document["shape"]) == ("float32", [64])
        got = torch.tensor(document["values"], dtype=torch.float32)
    elif suffix == "csv":
        got = torch.tensor([float(x) for x in out.read_text().split(",")])
    elif suffix == "npy":
        import numpy

        got = torch.from_numpy(numpy.load(out))
    else:
        got = torch.load(str(out))
    assert torch.equal(got, wanted)


def test_the_personality_vector_goes_to_standard_output(command, save):
    save()
    document = json.loads(command("personality", "1-fruity").stdout)
    assert document["shape"] == [64]
    assert document["values"][1] == pytest.approx(struct.unpack("<f", struct.pack("<f", 1 / 7))[0])


def test_an_unknown_export_format_is_usage(command, save, tmp_path):
    save()
    command("personality", "1-fruity", "--format", "xml", status=2)
    command("personality", "1-fruity", "-o", tmp_path / "vector.xml", status=2)


def test_a_version_1_file_is_kept_byte_for_byte(command, save, tmp_path):
    first = save()
    stored = command.run_path("1-fruity", first) / "weights"
    second = command(
        "save",
        "1-fruity",
        "--weights",
        stored,
        "--status",
        "interrupted",
    ).stdout.strip()
    assert (command.run_path("1-fruity", second) / "weights").read_bytes() == stored.read_bytes()
    error = command.error(
        "save",
        "1-fruity",
        "--weights",
        stored,
        "--status",
        "failed",
        "--personality",
        tmp_path / "x.npy",
        status=8,
    )
    assert "x.npy" in error["path"]


def test_a_bare_state_dict_needs_a_personality_vector(command, material):
    error = command.error(
        "save",
        "1-a",
        "--weights",
        material / "model.pt",
        "--status",
        "failed",
        status=2,
    )
    assert "personality" in error["message"] + error["hint"]
    assert not (command.store / "1-a").exists()


def test_a_wrong_feedback_file_is_named(command, tmp_path):
    path = tmp_path / "mine.json"
    words = ["save", "1-a", "--status", "failed", "--feedback"]
    for text in ['{"epochs": "many"}', '{"a": 1, "a": 2}', "[]"]:
        path.write_text(text)
        assert command.error(*words, path, status=4)["path"] == str(path)
    assert command.error(*words, '{"epochs": "many"}', status=4)["path"] == "feedback"


def test_feedback_that_is_wrong_is_refused_with_the_member(command, material):
    words = ["save", "1-a", "--status", "failed", "--feedback"]
    assert "epochs" in command.error(*words, '{"epochs": "many"}', status=4)["message"]
    command.error(*words, '{"epochs": ', status=4)
    array = material / "array.json"
    array.write_text("[1, 2]")
    command.error(*words, array, status=4)
    assert not (command.store / "1-a").exists()


def test_a_vector_without_weights_is_not_dropped_silently(command, material):
    words = ["save", "1-a", "--status", "failed", "--personality", material / "vector.pt"]
    assert "without --weights" in command(*words).stderr


def test_training_that_is_no_object_is_refused(command):
    error = command.error("save", "1-a", "--status", "failed", "--training", "[1]", status=4)
    assert error["code"] == "invalid" and "--training" in error["message"]


def test_an_image_that_is_no_png_is_refused_by_the_name_it_was_given(command, tmp_path):
    fake = tmp_path / "mine.png"
    fake.write_bytes(b"GIF89a")
    error = command.error("save", "1-a", "--status", "failed", "--sample", fake, status=4)
    assert error["code"] == "invalid"
    assert error["path"] == str(fake)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_store_is_readable_but_refuses_a_save(command, save):
    save()
    os.chmod(command.store / "1-fruity" / "runs", 0o555)
    try:
        error = command.error("save", "1-fruity", "--status", "failed", status=8)
        assert error["code"] == "access"
        assert error["hint"]
        assert len(command.json("runs", "1-fruity")) == 1
    finally:
        os.chmod(command.store / "1-fruity" / "runs", 0o755)


def everything_in(directory):
    """All paths, with their times and the size of what are files."""
    return {
        path: (path.stat().st_mtime_ns, path.is_file() and path.stat().st_size)
        for path in [directory, *directory.rglob("*")]
    }


def test_the_limit_of_the_weights_file_is_inclusive_and_can_be_set(command, save):
    weights = command.run_path("1-fruity", save()) / "weights"
    largest = weights.stat().st_size
    words = ["--status", "failed", "--weights", weights, "--max-weights-bytes"]
    before = everything_in(command.store)
    for font_id in ["1-fruity", "2-dumb"]:
        error = command.error("save", font_id, *words, largest - 1, status=9)
        assert error["code"] == "limit"
        assert str(largest) in error["message"] and "max_weights_bytes" in error["hint"]
        assert everything_in(command.store) == before
    command("save", "2-dumb", *words, largest)
    error = command.error("save", "Dumb", *words, largest - 1, status=4)
    assert "font id 'Dumb'" in error["message"]  # before a large file is read


@pytest.mark.parametrize("wrong", ["0", "-1", "1e9", ""])
def test_a_limit_that_is_no_size_is_usage(command, material, wrong):
    words = ["--weights", material / "model.pt", "--max-weights-bytes", wrong]
    assert command.error("save", "1-a", "--status", "failed", *words, status=2)["message"]
