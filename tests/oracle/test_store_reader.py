"""The store that a fontkeep of each manifest version left is read by every later one; and a second
reader, written from docs/format alone, comes to the same results."""

import json
import os
import shutil
import subprocess

import pytest

import store_reader
from read_dump import BUILD, ROOT

COMPAT = ROOT / "tests" / "assets" / "compat"
VERSIONS = ["manifest-1"]


def fontkeep(store, *arguments, status=0):
    done = subprocess.run(
        [BUILD / "fontkeep", "--store", store, "--json", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == status, done.stderr
    return json.loads(done.stdout) if done.stdout else json.loads(done.stderr.splitlines()[-1])


def verified(store, status):
    report = fontkeep(store, "verify", status=status)["runs"]
    return [(run["font_id"], run["run_id"], run["health"]) for run in report]


@pytest.fixture(params=VERSIONS)
def old(request, tmp_path):
    """A copy of a frozen store, and what was written down about it."""
    shutil.copytree(COMPAT / request.param / "networks", tmp_path / "networks")
    for run in (tmp_path / "networks/3-handmade/runs").iterdir():
        (run / "eval-glyphs").mkdir(exist_ok=True)  # git keeps no empty directory
    expected = json.loads((COMPAT / request.param / "expected.json").read_text())
    return tmp_path / "networks", expected


def test_an_old_store_is_as_it_was_written_down(old):
    store, expected = old
    found = {f"{font}/{run}": health for font, run, health in verified(store, 1)}
    assert found == expected["health"]
    for path, digest in expected["files"].items():
        assert store_reader.sha256(store / path) == digest, path


def test_every_run_of_an_old_store_loads_or_is_refused_by_version(old, tmp_path):
    store, expected = old
    for name, health in expected["health"].items():
        font_id, run_id = name.split("/")
        out = tmp_path / "out" / font_id / run_id
        status = 9 if health == "unsupported" else 0
        fontkeep(store, "load", font_id, run_id, "--out", out, status=status)
        assert out.exists() == (status == 0)
        if status == 0:
            copied = {path.name for path in out.rglob("*") if path.is_file()}
            run = dict(store_reader.runs(store, font_id))[run_id]
            assert copied == {path.name for path in run.rglob("*") if path.is_file()}


def digests(store):
    return {
        str(path.relative_to(store)): store_reader.sha256(path)
        for path in store.rglob("*")
        if path.is_file()
    }


def test_looking_at_an_old_store_changes_nothing(old, tmp_path):
    store, expected = old
    verified(store, 1)
    for command in ("fonts", "status", "trash", "recover"):
        fontkeep(store, command)
    for font_id in sorted({name.split("/")[0] for name in expected["health"]}):
        fontkeep(store, "runs", font_id)
    assert digests(store) == expected["files"]


def test_runs_of_a_newer_fontkeep_are_left_alone_but_for_the_trash(old):
    store, expected = old
    for name, health in expected["health"].items():
        font_id, run_id = name.split("/")
        if font_id != "4-future" or health != "unsupported":
            continue
        error = fontkeep(store, "migrate", font_id, run_id, status=9)["error"]
        assert error["code"] == "unsupported" and "fontkeep reads" in error["message"]
        assert digests(store) == expected["files"]
        entry = fontkeep(store, "rm", font_id, run_id)
        fontkeep(store, "restore", entry["trash_id"])
    assert digests(store) == expected["files"]


def test_members_nobody_knows_survive_a_change(old):
    store, _ = old
    fontkeep(store, "adopt", "3-handmade")
    rows = {row["run_id"]: row for row in fontkeep(store, "runs", "1-fruity")}
    run_id = list(rows)[1]
    entry = fontkeep(store, "rm", "1-fruity", run_id)
    fontkeep(store, "restore", entry["trash_id"])
    run = dict(store_reader.runs(store, "1-fruity"))[run_id]
    manifest = json.loads((run / "run.json").read_text())
    assert manifest["mood"] == "kept" and manifest["generation"] == 2
    assert (store / "2-dumb" / "font.json").read_text() == '{"tags": ["old"], "notes": "kept"}\n'


def test_the_promise_in_figures(capsys):
    """For scripts/reliability."""
    for version in VERSIONS:
        expected = json.loads((COMPAT / version / "expected.json").read_text())
        healths = list(expected["health"].values())
        refused = healths.count("unsupported")
        with capsys.disabled():
            print(
                f"\npromise 22: a frozen store of {version}: {len(healths) - refused} of "
                f"{len(healths)} runs load, {refused} of newer versions are refused by name and "
                f"left as they are"
            )
        assert refused >= 2 and len(healths) > 2 * refused


def test_members_of_an_old_store_are_kept(old):
    store, _ = old
    rows = fontkeep(store, "runs", "1-fruity")
    assert [row["status"] for row in rows] == ["completed", "completed", "failed"]
    assert [row["training"]["n"] for row in rows] == [1, 2, 3]
    assert [row["metrics"] for row in rows] == [{"loss": 0.125}, {"loss": 0.25}, {}]
    vector = fontkeep(store, "personality", "1-fruity", rows[1]["run_id"])
    assert vector == {"dtype": "float32", "shape": [2], "values": [0.5, 1.0]}


def test_the_second_reader_agrees_about_an_old_store(old):
    store, _ = old
    assert store_reader.read(store) == verified(store, 1)


def test_the_second_reader_agrees_about_a_new_store_and_its_damage(old, tmp_path):
    source, _ = old
    run = store_reader.runs(source, "1-fruity")[0][1]
    store = tmp_path / "fresh"
    fontkeep(store, "init", store)
    files = ["--weights", run / "weights", "--sample", run / "sample.png"]
    files += ["--glyphs", run / "eval-glyphs", "--feedback", run / "feedback.json"]
    for _ in range(6):
        fontkeep(store, "save", "1-new", *files)
    assert store_reader.read(store) == verified(store, 0)
    paths = [path for _, path in store_reader.runs(store, "1-new")]
    for path, name in zip(paths, ["weights", "run.json", "sample.png", "eval-glyphs/A.png"]):
        data = bytearray((path / name).read_bytes())
        data[len(data) // 2] ^= 4
        (path / name).write_bytes(data)
    os.remove(paths[4] / "feedback.json")
    healths = [health for _, _, health in store_reader.read(store)]
    assert healths == ["corrupt"] * 4 + ["incomplete", "complete"]
    assert store_reader.read(store) == verified(store, 1)
