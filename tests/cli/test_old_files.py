"""Runs that older programs left: any file name and format of the weights, feedback without members;
and files of formats that are not read."""

import io
import json
import shutil
import tarfile
import zipfile

import pytest

torch = pytest.importorskip("torch")

RUN = "2026-01-11T08:30:00.000000"
LEGACY = {"_use_new_zipfile_serialization": False}


@pytest.fixture
def by_hand(command, material):
    """Lays a run out by hand, without a manifest, and gives its directory."""

    def do(name, options, feedback="{}"):
        path = command.run_path("7-handmade", RUN)
        (path / "eval-glyphs").mkdir(parents=True)
        shutil.copy(material / "sample.png", path / "sample.png")
        (path / "feedback.json").write_text(feedback)
        torch.save(torch.load(material / "model.pt"), str(path / name), **options)
        return path

    return do


@pytest.mark.parametrize("options", [{}, LEGACY], ids=["zip", "legacy"])
@pytest.mark.parametrize("name", ["weights", "weights.pt", "weights.pth"])
def test_a_bare_state_dict_of_any_name_loads_with_a_warning(
    command, by_hand, tmp_path, name, options
):
    path = by_hand(name, options)
    assert command.json("runs", "7-handmade")[0]["health"] == "unverified"
    assert "unverified" in command("load", "7-handmade", "--out", tmp_path / "out").stderr
    assert (tmp_path / "out" / name).read_bytes() == (path / name).read_bytes()


def test_verify_says_that_legacy_weights_have_no_checksums(command, by_hand):
    by_hand("weights.pt", LEGACY)
    report = command.json("verify", "7-handmade")
    problems = report["runs"][0]["problems"]
    assert (report["damaged"], report["runs"][0]["health"]) == (0, "unverified")
    assert any(p["path"] == "weights.pt" and "no checksums" in p["message"] for p in problems)


def test_legacy_weights_that_are_cut_are_corrupt_with_an_offset(command, by_hand, tmp_path):
    weights = by_hand("weights", LEGACY) / "weights"
    weights.write_bytes(weights.read_bytes()[:-1])
    run = command.json("verify", "7-handmade", status=1)["runs"][0]
    assert run["health"] == "corrupt"
    assert any(p["offset"] == weights.stat().st_size for p in run["problems"])
    error = command.error("load", "7-handmade", "--out", tmp_path / "out", status=5)
    assert "cut off within the storage" in error["message"]


def test_inspect_shows_a_legacy_file(command, by_hand):
    report = command.json("inspect", by_hand("weights", LEGACY) / "weights")
    assert report["format"] == "pytorch-legacy"
    assert report["tensors"][0] == {
        "name": "0.weight",
        "dtype": "float32",
        "shape": [8, 4],
        "bytes": 128,
    }
    assert command.json("inspect", "7-handmade")["tensors"] == report["tensors"]


def test_inspect_lists_what_is_readable_beside_a_quantised_tensor(command, tmp_path):
    path = tmp_path / "quantised.pt"
    quantised = torch.quantize_per_tensor(torch.zeros(4), 0.1, 0, torch.qint8)
    state = {"first": torch.ones(3), "quantised": quantised, "last": torch.zeros(2, 2)}
    torch.save(state, str(path), **LEGACY)
    report = command.json("inspect", path)
    assert {"first", "last"} <= {tensor["name"] for tensor in report["tensors"]}
    assert any("_rebuild_qtensor" in finding["message"] for finding in report["findings"])


def test_legacy_weights_and_vector_are_saved_as_v1(command, material, save, tmp_path):
    model = torch.load(material / "model.pt")
    torch.save(model, str(tmp_path / "old.pt"), **LEGACY)
    torch.save(torch.arange(3.0), str(tmp_path / "vector.pt"), **LEGACY)
    run_id = save(weights=tmp_path / "old.pt")
    stored = torch.load(command.run_path("1-fruity", run_id) / "weights")
    assert stored["weights_version"] == "v1"
    assert all(torch.equal(stored["model"][key], model[key]) for key in model)
    more = ["--personality", tmp_path / "vector.pt", "--status", "failed"]
    run_id = command("save", "2-dumb", "--weights", tmp_path / "old.pt", *more).stdout.strip()
    assert command.json("personality", "2-dumb", run_id)["values"] == [0.0, 1.0, 2.0]


@pytest.mark.parametrize("adopted", [False, True])
def test_a_legacy_file_is_migrated_to_v1(command, by_hand, material, adopted):
    old = by_hand("weights.pth", LEGACY) / "weights.pth"
    model = torch.load(material / "model.pt")
    text = old.read_bytes()
    if adopted:
        report = command.json("adopt", "7-handmade")
        assert report["runs"][0]["changed"] == ["run.json", "weights"]
    assert len(command.json("migrate", "7-handmade")["runs"]) == 1
    top = torch.load(str(old.with_name("weights")))
    assert top["weights_version"] == "v1"
    assert all(torch.equal(top["model"][key], model[key]) for key in model)
    assert command.json("verify")["runs"][0]["health"] == "complete"
    assert (old.parents[1] / f".trash-{RUN}.1" / "weights.pth").read_bytes() == text


# ---- what is not read


def tar(path):
    with tarfile.open(path, "w") as archive:
        for name in ("sys_info", "pickle", "storages", "tensors"):
            archive.addfile(tarfile.TarInfo(name), io.BytesIO())


def torchscript(path):
    torch.jit.script(torch.nn.Linear(1, 1)).save(str(path))


def torchscript_of_old(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model/version", "1")
        archive.writestr("model/model.json", "{}")


def package(path):
    from torch.package import PackageExporter

    with PackageExporter(str(path)) as exporter:
        exporter.save_pickle("model", "weights.pkl", torch.ones(2))


def safetensors(path):
    header = b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
    path.write_bytes(len(header).to_bytes(8, "little") + header + b"\0\0\0\0")


def starts(magic):
    return lambda path: path.write_bytes(magic + bytes(600))


REFUSED = {
    "tar": (tar, "before 0.1.10", "weights_only=False"),
    "TorchScript": (torchscript, "TorchScript", "torch.jit.load"),
    "old TorchScript": (torchscript_of_old, "TorchScript", "torch.jit.load"),
    "torch.package": (package, "torch.package", "torch.package"),
    "preview": (starts(b"PYTORCH1"), "preview", "torch.save"),
    "safetensors": (safetensors, "safetensors", "torch.save"),
    "7z": (starts(b"7z\xbc\xaf\x27\x1c"), "7z", "unpack"),
    "gzip": (starts(b"\x1f\x8b\x08"), "gzip", "gunzip"),
    "HDF5": (starts(b"\x89HDF\r\n\x1a\n"), "HDF5", "torch.save"),
    "text": (starts(b"epoch,loss\n"), "no PyTorch checkpoint", "torch.save"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_other_formats_are_refused_by_name_with_what_to_do(kind, command, by_hand, tmp_path):
    make, word, hint = REFUSED[kind]
    make(tmp_path / "file")
    error = command.error("inspect", tmp_path / "file", status=9)
    assert error["code"] == "unsupported"
    assert word in error["message"] and hint in error["hint"]
    shutil.copy(tmp_path / "file", by_hand("weights", {}) / "weights")
    error = command.error("load", "7-handmade", "--out", tmp_path / "out", status=9)
    assert word in error["message"] and not (tmp_path / "out").exists()
    assert command.json("verify", "7-handmade", status=1)["runs"][0]["health"] == "unsupported"


# ---- feedback of other programs


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        '{"metrics": {}}',
        '{"epochs": 3}',
        '{"feedback_schema": "0.9", "loss_history": [1, 0.5]}',
        '{"mood": {"of": ["a", null]}, "notes": "kept"}',
    ],
)
def test_feedback_without_optional_members_is_no_damage(command, by_hand, text):
    by_hand("weights", {}, text)
    assert command.json("verify", "7-handmade")["damaged"] == 0


def test_feedback_of_a_newer_schema_is_saved_and_listed(command, material, tmp_path):
    newer = {"feedback_schema": "2.0", "metrics": {"loss": 0.5}, "stars": 5}
    (tmp_path / "feedback.json").write_text(json.dumps(newer))
    more = ["--personality", material / "vector.pt", "--status", "failed"]
    more += ["--feedback", tmp_path / "feedback.json"]
    command("save", "1-fruity", "--weights", material / "model.pt", *more)
    row = command.json("runs", "1-fruity")[0]
    assert (row["metrics"], row["health"]) == ({"loss": 0.5}, "complete")
