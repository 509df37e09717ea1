"""inspect: what is in a checkpoint, with nothing executed."""

import pytest


def test_inspect_lists_the_tensors_of_a_file(command, material):
    document = command.json("inspect", material / "model.pt")
    assert set(document) == {"format", "tensors", "findings"}
    tensors = {t["name"]: t for t in document["tensors"]}
    assert tensors["0.weight"] == {
        "name": "0.weight",
        "dtype": "float32",
        "shape": [8, 4],
        "bytes": 128,
    }
    assert tensors["1.num_batches_tracked"]["shape"] == []
    assert document["findings"] == []


def test_one_tensor_is_one_tensor(command, tmp_path):
    torch = pytest.importorskip("torch")
    torch.save({"a": torch.zeros(2)}, str(tmp_path / "one.pt"))
    assert "1 tensor, 8 B" in command("inspect", tmp_path / "one.pt").stdout


def test_inspect_lists_the_tensors_of_a_run(command, save):
    save()
    names = [t["name"] for t in command.json("inspect", "1-fruity")["tensors"]]
    assert "personality_vector" in names
    assert "model.0.weight" in names


def test_a_pickle_that_would_call_something_is_shown_not_run(command, tmp_path):
    torch = pytest.importorskip("torch")
    import os

    class Evil:
        def __reduce__(self):
            return (os.system, (f"touch {tmp_path}/called",))

    path = tmp_path / "evil.pt"
    torch.save({"weight": torch.ones(3), "evil": Evil()}, str(path))
    document = command.json("inspect", path)
    assert not (tmp_path / "called").exists()
    assert any("system" in f["message"] for f in document["findings"])
    assert [t["name"] for t in document["tensors"]] == ["weight"]
    assert "system" in command("inspect", path).stdout
    error = command.error(
        "save",
        "1-a",
        "--weights",
        path,
        "--status",
        "failed",
        status=9,
    )
    assert error["code"] == "unsupported" and "system" in error["message"]
    assert not (tmp_path / "called").exists()


def test_a_file_that_is_no_checkpoint_is_unsupported(command, tmp_path):
    path = tmp_path / "text.pt"
    path.write_text("hello")
    assert command.error("inspect", path, status=9)["code"] == "unsupported"


def test_a_truncated_checkpoint_is_corrupt(command, material, tmp_path):
    path = tmp_path / "cut.pt"
    path.write_bytes((material / "model.pt").read_bytes()[:-30])
    assert command.error("inspect", path, status=5)["code"] == "corrupt"


def test_a_missing_file_is_named(command, tmp_path):
    error = command.error("inspect", tmp_path / "no.pt", status=8)
    assert "no.pt" in error["path"]
