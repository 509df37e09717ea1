"""verify, load and runs on damaged stores: told apart, named, other runs unaffected."""

import json
import os
import resource
import shutil

import pytest
from caller import Command


def flip(path, offset):
    data = bytearray(path.read_bytes())
    data[offset] ^= 0x10
    path.write_bytes(data)


def problem_codes(run):
    return {(p["code"], p["path"]) for p in run["problems"]}


def verified(command, run_id, status=1):
    report = command.json("verify", "1-fruity", run_id, status=status)
    assert report["checked"] == 1
    assert report["damaged"] == (1 if status else 0)
    return report["runs"][0]


def test_a_sound_store_verifies(command, save):
    ids = [save(), save()]
    report = command.json("verify")
    assert (report["checked"], report["damaged"]) == (2, 0)
    assert [r["run_id"] for r in report["runs"]] == ids
    assert {r["health"] for r in report["runs"]} == {"complete"}
    assert "2 checked" in command("verify").stdout


def test_a_flipped_bit_in_weights_is_found_and_the_tensor_named(command, save, tmp_path):
    good = save()
    bad = save()
    weights = command.run_path("1-fruity", bad) / "weights"
    name = weights.read_bytes().index(b"archive/data/2")
    payload = (name + len("archive/data/2") + 4 + 63) // 64 * 64
    flip(weights, payload + 1)
    run = verified(command, bad)
    assert run["health"] == "corrupt"
    problems = [p for p in run["problems"] if p["path"] == "weights"]
    assert any(p["code"] == "digest" and p["tensor"] for p in problems)
    assert all(
        set(p) == {"code", "path", "tensor", "offset", "length", "message"} for p in problems
    )
    error = command.error("load", "1-fruity", bad, "--out", tmp_path / "out", status=5)
    assert error["code"] == "corrupt"
    assert good in error["hint"]
    assert not (tmp_path / "out").exists()
    assert verified(command, good, status=0)["health"] == "complete"


def test_damage_of_each_kind_is_told_apart(command, save):
    cases = {
        "truncated weights": (
            lambda p: os.truncate(p / "weights", 100),
            "corrupt",
            ("size", "weights"),
        ),
        "emptied weights": (
            lambda p: os.truncate(p / "weights", 0),
            "corrupt",
            ("size", "weights"),
        ),
        "flipped manifest": (
            lambda p: flip(p / "run.json", 40),
            "corrupt",
            ("manifest", "run.json"),
        ),
        "emptied manifest": (
            lambda p: os.truncate(p / "run.json", 0),
            "corrupt",
            ("manifest", "run.json"),
        ),
        "flipped image": (
            lambda p: flip(p / "sample.png", 45),
            "corrupt",
            ("digest", "sample.png"),
        ),
        "missing image": (
            lambda p: os.remove(p / "sample.png"),
            "incomplete",
            ("missing", "sample.png"),
        ),
        "missing glyph": (
            lambda p: os.remove(p / "eval-glyphs" / "A.png"),
            "incomplete",
            ("missing", "eval-glyphs/A.png"),
        ),
        "missing weights": (
            lambda p: os.remove(p / "weights"),
            "incomplete",
            ("missing", "weights"),
        ),
        "missing feedback": (
            lambda p: os.remove(p / "feedback.json"),
            "incomplete",
            ("missing", "feedback.json"),
        ),
    }
    ids = {}
    for name in cases:
        ids[name] = save()
    sound = save()
    for name, (damage, health, problem) in cases.items():
        damage(command.run_path("1-fruity", ids[name]))
        run = verified(command, ids[name])
        assert run["health"] == health, name
        assert problem in problem_codes(run), (name, run["problems"])
    assert verified(command, sound, status=0)["health"] == "complete"
    assert len(command.json("runs", "1-fruity")) == len(cases) + 1
    assert command.json("verify", status=1)["damaged"] == len(cases)


def test_shallow_health_shows_in_listings(command, save):
    ids = [save() for _ in range(4)]
    os.truncate(command.run_path("1-fruity", ids[0]) / "weights", 10)
    os.remove(command.run_path("1-fruity", ids[1]) / "eval-glyphs" / "B.png")
    flip(command.run_path("1-fruity", ids[2]) / "run.json", 100)
    rows = command.json("runs", "1-fruity")
    assert [r["health"] for r in rows] == ["corrupt", "incomplete", "corrupt", "complete"]
    assert rows[2]["status"] is None


def test_load_leaves_out_a_damaged_asset_and_names_it(command, save, tmp_path):
    run_id = save()
    flip(command.run_path("1-fruity", run_id) / "sample.png", 45)
    done = command("load", "1-fruity", "--out", tmp_path / "out", status=1)
    assert "sample.png" in done.stderr
    assert not (tmp_path / "out" / "sample.png").exists()
    assert (tmp_path / "out" / "weights").exists()


def test_a_load_that_fails_leaves_no_directory_that_it_made(command, save, tmp_path):
    save()
    (tmp_path / "mine").mkdir()
    few = (100, 100)  # bytes of a file
    limited = Command(
        command.store, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, few)
    )
    limited("load", "1-fruity", "--out", tmp_path / "mine/a/b/c", status=8)
    assert list((tmp_path / "mine").iterdir()) == []
    command("load", "1-fruity", "--out", tmp_path / "mine/a/b/c")


def test_load_salvage_writes_what_is_intact(command, save, tmp_path):
    torch = pytest.importorskip("torch")
    run_id = save()
    path = command.run_path("1-fruity", run_id)
    data = (path / "weights").read_bytes()
    name = data.index(b"archive/data/2")
    flip(path / "weights", (name + len("archive/data/2") + 4 + 63) // 64 * 64 + 1)
    flip(path / "sample.png", 45)
    error = command.error("load", "1-fruity", "--out", tmp_path / "out", status=5)
    assert "salvage" in error["hint"]
    verified = command("verify", "1-fruity", status=1).stdout
    assert f"fontkeep load 1-fruity {run_id} --out DIR --salvage" in verified
    done = command("load", "1-fruity", "--out", tmp_path / "out", "--salvage", status=1)
    assert done.stdout.strip() == str(tmp_path / "out")
    report = command.json("load", "1-fruity", "--out", tmp_path / "o2", "--salvage", status=1)
    assert set(report) == {"font_id", "run_id", "out", "problems"}
    [lost] = [p["tensor"] for p in report["problems"] if p["path"] == "weights"]
    assert lost in done.stderr and "sample.png" in done.stderr
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "eval-glyphs",
        "feedback.json",
        "weights",
    ]
    left = torch.load(tmp_path / "out" / "weights")
    whole = command.json("inspect", "1-fruity", status=0)["tensors"]
    names = {t["name"] for t in command.json("inspect", tmp_path / "out" / "weights")["tensors"]}
    assert {t["name"] for t in whole} - names == {lost}
    assert left["weights_version"] == "v1"


def test_load_salvage_of_weights_that_were_cut(command, save, tmp_path):
    torch = pytest.importorskip("torch")
    run_id = save()
    path = command.run_path("1-fruity", run_id) / "weights"
    whole = {t["name"] for t in command.json("inspect", "1-fruity")["tensors"]}
    os.truncate(path, path.read_bytes().index(b"archive/data/2") + 20)
    error = command.error("load", "1-fruity", "--out", tmp_path / "out", status=5)
    assert "are intact" in error["message"] and "salvage" in error["hint"]
    verified = command("verify", "1-fruity", status=1).stdout
    assert "was cut off" in verified and "--out DIR --salvage" in verified
    report = command.json("load", "1-fruity", "--out", tmp_path / "out", "--salvage", status=1)
    lost = {p["tensor"] for p in report["problems"] if p["code"] == "digest"}
    assert [p["length"] for p in report["problems"] if p["code"] == "size"]
    left = {t["name"] for t in command.json("inspect", tmp_path / "out" / "weights")["tensors"]}
    assert lost and left and lost | left == whole and not lost & left
    assert torch.load(tmp_path / "out" / "weights")["weights_version"] == "v1"


def test_load_salvage_of_a_sound_run_copies_it(command, save, tmp_path):
    run_id = save()
    done = command("load", "1-fruity", "--out", tmp_path / "out", "--salvage")
    assert done.stderr == ""
    original = command.run_path("1-fruity", run_id)
    for name in ["weights", "run.json", "sample.png", "feedback.json", "eval-glyphs/A.png"]:
        assert (tmp_path / "out" / name).read_bytes() == (original / name).read_bytes()


def test_load_salvage_past_a_damaged_manifest(command, save, tmp_path):
    run_id = save()
    flip(command.run_path("1-fruity", run_id) / "run.json", 40)
    done = command("load", "1-fruity", "--out", tmp_path / "out", "--salvage", status=1)
    assert "run.json" in done.stderr
    assert (tmp_path / "out" / "weights").exists()
    assert not (tmp_path / "out" / "run.json").exists()


def test_load_salvage_writes_nothing_when_nothing_is_left(command, save, tmp_path):
    run_id = save()
    os.truncate(command.run_path("1-fruity", run_id) / "weights", 1000)
    error = command.error("load", "1-fruity", "--out", tmp_path / "out", "--salvage", status=5)
    assert "nothing can be salvaged" in error["message"]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["weights", "run.json"])
def test_load_writes_nothing_without_weights_or_manifest(command, save, tmp_path, name):
    run_id = save()
    flip(command.run_path("1-fruity", run_id) / name, 100)
    command.error("load", "1-fruity", run_id, "--out", tmp_path / "out", status=5)
    assert not (tmp_path / "out").exists()


def test_missing_weights_are_incomplete(command, save, tmp_path):
    run_id = save()
    os.remove(command.run_path("1-fruity", run_id) / "weights")
    error = command.error("load", "1-fruity", run_id, "--out", tmp_path / "out", status=5)
    assert error["code"] == "incomplete"
    assert "weights" in error["message"]


def test_a_stranger_changes_no_health(command, save):
    run_id = save()
    (command.run_path("1-fruity", run_id) / "notes.txt").write_text("mine")
    run = verified(command, run_id, status=0)
    assert run["health"] == "complete"
    assert ("stranger", "notes.txt") in problem_codes(run)


def test_a_run_made_by_hand_lists_and_loads_unverified(command, material, tmp_path):
    run_id = "2026-01-11T08:30:00.000000"
    path = command.run_path("7-handmade", run_id)
    (path / "eval-glyphs").mkdir(parents=True)
    shutil.copy(material / "model.pt", path / "weights.pt")
    shutil.copy(material / "sample.png", path / "sample.png")
    (path / "feedback.json").write_text("{}")
    row = command.json("runs", "7-handmade")[0]
    assert (row["run_id"], row["health"]) == (run_id, "unverified")
    assert command.json("fonts")[0]["latest_run_id"] == run_id
    done = command("load", "7-handmade", "--out", tmp_path / "out")
    assert "unverified" in done.stderr
    assert command.json("verify", "7-handmade")["damaged"] == 0


def test_a_symbolic_link_in_place_of_a_file_is_damage(command, save, tmp_path):
    run_id = save()
    weights = command.run_path("1-fruity", run_id) / "weights"
    shutil.move(weights, tmp_path / "elsewhere")
    os.symlink(tmp_path / "elsewhere", weights)
    assert verified(command, run_id)["health"] in {"corrupt", "incomplete"}
    command.error("load", "1-fruity", run_id, "--out", tmp_path / "out", status=5)


def test_a_newer_manifest_is_unsupported_with_both_versions(command, save):
    import hashlib

    run_id = save()
    manifest = command.run_path("1-fruity", run_id) / "run.json"
    body = manifest.read_text().replace('"manifest_version": 1', '"manifest_version": 2')
    body = body[: body.rindex(',\n  "self"')]
    digest = hashlib.sha256(body.encode()).hexdigest()
    manifest.write_text(f'{body},\n  "self": "{digest}"\n}}\n')
    run = verified(command, run_id)
    assert run["health"] == "unsupported"
    message = next(p["message"] for p in run["problems"] if p["code"] == "version")
    assert "2" in message and "1" in message


def test_a_killed_save_leaves_a_stage_that_recover_removes(command, save):
    save()
    runs = command.store / "1-fruity" / "runs"
    stage = runs / (".stage-" + "ab" * 16)
    stage.mkdir()
    (stage / "weights").write_text("half")
    boot = open("/proc/sys/kernel/random/boot_id").read().strip()
    lock = {"host": os.uname().nodename, "boot_id": boot, "pid": 999999}
    (runs / (stage.name + ".lock")).write_text(json.dumps(lock))
    assert command.json("status")["stages"] == 1
    assert len(command.json("runs", "1-fruity")) == 1
    removed = command.json("recover")["removed"]
    assert f"1-fruity/runs/{stage.name}" in removed
    assert not stage.exists()
    assert command.json("status")["stages"] == 0
