"""adopt and migrate: new generations, the ones before in the trash."""

import json
import shutil

import pytest

RUN = "2026-01-11T08:30:00.000000"


@pytest.fixture
def by_hand(command, material):
    """Makes a run by hand, as the specification draws it."""

    def make(run_id=RUN, weights="weights.pt"):
        run = command.run_path("1-fruity", run_id)
        run.mkdir(parents=True)
        shutil.copy(material / "model.pt", run / weights)
        shutil.copy(material / "sample.png", run)
        shutil.copy(material / "feedback.json", run)
        shutil.copytree(material / "glyphs", run / "eval-glyphs")
        return run

    return make


def test_adopt_gives_a_run_made_by_hand_a_manifest(command, by_hand):
    run = by_hand()
    (run / "notes.txt").write_text("mine")
    report = command.json("adopt", "1-fruity")
    assert report == {
        "runs": [{"font_id": "1-fruity", "run_id": RUN, "changed": ["run.json", "weights"]}]
    }
    shown = command.json("show", "1-fruity", RUN)
    assert shown["health"] == "complete"
    assert shown["status"] == "completed"
    assert (shown["started_at"], shown["ended_at"]) == (None, RUN + "Z")
    assert shown["metrics"]["loss"] == 0.031
    assert {"A", "a", "B", "\u00e9"} <= {file.get("label") for file in shown["files"]}
    assert sorted(path.name for path in run.iterdir()) == [
        "eval-glyphs",
        "feedback.json",
        "notes.txt",
        "run.json",
        "sample.png",
        "weights",
    ]
    assert command.json("verify")["damaged"] == 0
    manifest = json.loads((run / "run.json").read_text())
    assert "generation" not in manifest and manifest["weights_version"] == "v0"
    [entry] = command.json("trash")
    assert entry["trash_id"] == f"1-fruity/{RUN}.1"
    assert entry["bytes"] == 0 or entry["bytes"] < 1000
    assert command.json("adopt", "1-fruity") == {"runs": []}


def test_the_first_write_of_a_store_gives_it_an_identity(command, by_hand):
    by_hand()
    shutil.rmtree(command.store / ".fontkeep")
    assert command.json("status")["store_id"] is None
    command("adopt", "1-fruity")
    assert len(command.json("status")["store_id"]) == 36


@pytest.mark.parametrize(
    "spoil, named",
    [
        (lambda run: (run / "weights").write_text("no checkpoint"), "/weights"),
        (lambda run: (run / "sample.png").write_text("no image"), "/sample.png"),
        (lambda run: (run / "feedback.json").write_text("[]"), "/feedback.json"),
        (lambda run: shutil.rmtree(run) or run.mkdir(), ""),
    ],
)
def test_what_hinders_adoption_is_named_by_its_path(command, by_hand, spoil, named):
    run = by_hand(weights="weights")
    spoil(run)
    told = command("adopt", "1-fruity", status=1).stderr
    assert f"({run}{named});" in told


def test_what_adopt_did_is_undone_by_restore(command, by_hand):
    run = by_hand()
    before = sorted(path.name for path in run.iterdir())
    command("adopt", "1-fruity")
    command("restore", f"1-fruity/{RUN}.1")
    assert sorted(path.name for path in run.iterdir()) == before
    [entry] = command.json("trash")
    command("recover")
    assert command.json("trash") == [entry]
    command("restore", entry["trash_id"])
    assert command.json("verify")["runs"][0]["health"] == "complete"


def test_a_damaged_run_is_refused_by_name_and_the_others_go_on(command, by_hand):
    good = RUN.replace("08", "09")
    bad = by_hand()
    by_hand(good, "weights")
    (bad / "weights.pt").write_bytes((bad / "weights.pt").read_bytes()[:-100])
    done = command("--json", "adopt", "1-fruity", status=1)
    assert [run["run_id"] for run in json.loads(done.stdout)["runs"]] == [good]
    assert RUN in done.stderr and "weights.pt" in done.stderr
    assert not (bad / "run.json").exists()
    for name, content in [("sample.png", b"no image"), ("feedback.json", b"{")]:
        broken = by_hand(RUN.replace("08", "1" + str(len(content) % 10)))
        (broken / name).write_bytes(content)
        done = command("adopt", "1-fruity", status=1)
        assert broken.name in done.stderr and name in done.stderr
        assert not (broken / "run.json").exists()


def test_an_empty_run_is_refused_and_a_file_of_several_pieces_is_digested(command, by_hand):
    torch = pytest.importorskip("torch")
    run = by_hand(weights="weights")
    torch.save({"a": torch.zeros(5_000_000)}, str(run / "weights"))
    empty = RUN.replace("08", "09")
    command.run_path("1-fruity", empty).mkdir()
    done = command("adopt", "1-fruity", status=1)
    assert empty in done.stderr and "no file of a run" in done.stderr
    report = command.json("verify", "1-fruity", RUN)
    assert report["runs"][0]["health"] == "complete"


def test_a_run_that_lacks_a_file_is_adopted_as_interrupted(command, by_hand):
    run = by_hand()
    (run / "sample.png").unlink()
    command("adopt", "1-fruity")
    assert command.json("show", "1-fruity", RUN)["status"] == "interrupted"


def test_migrate_writes_v0_weights_as_v1_and_keeps_the_old_ones(command, by_hand, material):
    torch = pytest.importorskip("torch")
    run = by_hand()
    old = (run / "weights.pt").read_bytes()
    report = command.json("migrate", "1-fruity", "--personality", material / "vector.pt")
    assert report["runs"][0]["changed"] == ["run.json", "weights"]
    top = torch.load(str(run / "weights"))
    assert top["weights_version"] == "v1"
    for name, tensor in torch.load(str(material / "model.pt")).items():
        assert torch.equal(top["model"][name], tensor)
    assert torch.equal(top["personality_vector"], torch.load(str(material / "vector.pt")))
    assert command.json("verify")["runs"][0]["health"] == "complete"
    assert command.json("migrate", "1-fruity") == {"runs": []}
    trash = run.parent / f".trash-{RUN}.1"
    assert (trash / "weights.pt").read_bytes() == old


def test_migrate_of_an_adopted_run_needs_no_vector(command, by_hand):
    by_hand()
    command("adopt", "1-fruity")
    report = command.json("migrate", "1-fruity", RUN[:10])
    assert report["runs"] == [
        {"font_id": "1-fruity", "run_id": RUN, "changed": ["run.json", "weights"]}
    ]
    shown = command.json("show", "1-fruity", RUN)
    assert (shown["health"], shown["personality"]) == ("complete", None)
    manifest = json.loads((command.run_path("1-fruity", RUN) / "run.json").read_text())
    assert manifest["generation"] == 2
    text = command("restore", f"1-fruity/{RUN}.2").stdout
    assert "is back" in text
    assert command.json("verify")["damaged"] == 0


def test_damaged_weights_are_not_migrated(command, by_hand):
    run = by_hand()
    command("adopt", "1-fruity")
    data = bytearray((run / "weights").read_bytes())
    data[len(data) // 2] ^= 1
    (run / "weights").unlink()
    (run / "weights").write_bytes(data)
    assert command.error("migrate", "1-fruity", RUN, status=5)["code"] == "corrupt"
    done = command("migrate", "1-fruity", status=1)
    assert RUN in done.stderr
    assert not list(run.parent.glob(f".trash-{RUN}.2"))
    assert not list(run.parent.glob(".stage-*"))


def test_fonts_and_runs_that_are_not_there_are_not_found(command, save):
    save()
    assert command.error("adopt", "2-dumb", status=3)["code"] == "font_not_found"
    assert command.error("migrate", "1-fruity", "2020", status=3)["code"] == "run_not_found"
    assert command("migrate", "1-fruity").stdout == ""
