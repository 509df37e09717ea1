#!/usr/bin/python3
"""The first inputs of the corpora, from real files: what fontkeep, PyTorch, NumPy and PIL write.

make_seeds.py BUILD      into fuzz/corpora; needs Debian's torch, numpy, PIL and the built command
"""

import io
import json
import pathlib
import pickle
import subprocess
import sys
import tempfile
import zipfile

import numpy
import PIL.Image
import torch

ROOT = pathlib.Path(__file__).resolve().parents[1]
CORPORA = ROOT / "fuzz" / "corpora"


def seed(target, name, content):
    (CORPORA / target).mkdir(parents=True, exist_ok=True)
    (CORPORA / target / name).write_bytes(content)


class Evil:
    """Would run a command when unpickled."""

    def __reduce__(self):
        return eval, ("__import__('os').system('id')",)


def pickles():
    for path in sorted((ROOT / "tests" / "assets").glob("*.pt")):
        archive = zipfile.ZipFile(path)
        member = next(name for name in archive.namelist() if name.endswith("/data.pkl"))
        seed("pickle", path.stem, archive.read(member))
    for protocol in range(6):
        seed("pickle", f"evil-protocol-{protocol}", pickle.dumps({"w": Evil()}, protocol))
        plain = [1, -1, 2**31, 2**70, 1.5, "text", b"bytes", (1, 2, 3, 4), {1}, {"k": None}, True]
        seed("pickle", f"plain-protocol-{protocol}", pickle.dumps(plain, protocol))


def checkpoints():
    """Small ones, as other programs write them; PyTorch's own are tests/assets."""
    small = pickle.dumps({"a": [1, 2.5], "b": b"x"}, 2)
    for name, content in {"zipfile": small, "evil": pickle.dumps(Evil(), 2)}.items():
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr(zipfile.ZipInfo("archive/data.pkl"), content)
            archive.writestr(zipfile.ZipInfo("archive/version"), "3\n")
        seed("checkpoint", name, file.getvalue())
    seed("checkpoint", "no-zip", small)
    whole = torch_bytes({"a": torch.arange(4.0), "b": torch.arange(3), "c": torch.ones(2)})
    second = whole.index(b"/data/1")
    directory = whole.index(b"PK\1\2")
    seed("checkpoint", "cut-in-the-second-storage", whole[: second + 70])
    seed("checkpoint", "cut-before-the-directory", whole[:directory])
    seed("checkpoint", "cut-in-the-directory", whole[: directory + 100])
    seed("checkpoint", "end-of-zeros", whole[:second] + bytes(len(whole) - second))
    seed("checkpoint", "directory-of-other-bytes", whole[:directory] + b"Z" * 200)


def torch_bytes(value):
    file = io.BytesIO()
    torch.save(value, file)
    return file.getvalue()


def legacy_files():
    """Files as PyTorch wrote them before 1.6: storages that are shared, views, a module's."""
    shared = torch.arange(6, dtype=torch.float32)
    objects = {
        "state-dict": torch.nn.Linear(2, 2).state_dict(),
        "views": {"all": shared, "part": shared[2:4], "turned": shared.view(2, 3).t()},
        "dtypes": [torch.ones(1, dtype=dtype) for dtype in (torch.int8, torch.bool, torch.half)],
        "plain": {"epoch": 3, "name": "a", "none": None, "empty": torch.zeros(0)},
    }
    for name, content in objects.items():
        file = io.BytesIO()
        torch.save(content, file, _use_new_zipfile_serialization=False)
        seed("legacy", name, file.getvalue())


def arrays():
    for name, array in {
        "float32": numpy.arange(6, dtype="<f4").reshape(2, 3),
        "fortran": numpy.asfortranarray(numpy.arange(6, dtype="<i8").reshape(2, 3)),
        "big-endian": numpy.arange(3, dtype=">u2"),
        "scalar": numpy.array(1 + 2j),
        "empty": numpy.zeros((0, 4), dtype=bool),
        "string": numpy.array(["a"]),
    }.items():
        file = io.BytesIO()
        numpy.save(file, array)
        seed("npy", name, file.getvalue())
        seed("tensor_file", "npy-" + name, b"\1" + file.getvalue())


def texts():
    feedback = {"feedback_schema": "1.0", "metrics": {"loss": 0.5, "bad": "NaN"}, "epochs": 3,
                "loss_history": [1, 0.5], "ratings": {"A": 4}, "notes": "\u00e9\U0001f642"}
    everything = {"a": [1, -2, 3.5e-3, 2**63 - 1, True, False, None, {}, [], "\U0001f642\n\"\\"]}
    seed("feedback", "whole", json.dumps(feedback).encode())
    seed("feedback", "old", b"{\"metrics\": {}}")
    seed("feedback", "newer", b"{\"feedback_schema\": \"2.0\", \"metrics\": 3}")
    seed("json", "everything", json.dumps(everything, indent=1).encode())
    seed("json", "plain-utf-8", json.dumps(everything, ensure_ascii=False).encode())
    seed("json", "python-numbers", b"[NaN, Infinity, -Infinity, 1e308, -0, -0.0, 0.1e-7]")
    seed("stage_lock", "whole", b"{\"host\": \"h\", \"boot_id\": \"b\", \"pid\": 17}\n")
    seed("tensor_file", "json-list", b"\0[[1, 2.5], [3, 4]]")
    seed("tensor_file", "json-export",
         b"\0{\"dtype\": \"float16\", \"shape\": [2], \"values\": [1.0, \"NaN\"]}")
    for name in ("1-fruity", "Fruity 2", "0-a-b-c", "2026-01-11T08:30:00.000000-0001",
                 "2026-01-11T08-30-00.000000", "2026-01-11 08:30:60+01:00", "uni00E9_u1F642.png",
                 "ampersand", "\u00e9\U0001f642", "../../etc/passwd", ".trash-1-fruity.1",
                 "1-fruity.12", "1-fruity/2026-01-11T08-30-00.000000.1",
                 ".trash-2026-01-11T08:30:00.000000.999999999"):
        seed("names", "".join(c if c.isalnum() else "-" for c in ascii(name)), name.encode())


def images():
    for mode in ("1", "L", "P", "RGB", "RGBA", "I;16"):
        file = io.BytesIO()
        PIL.Image.new(mode, (3, 2)).save(file, "png")
        seed("png", mode.replace(";", "-"), file.getvalue())


def runs(build):
    """A manifest as the command writes it, and edits of a run (see fuzz/run.c)."""
    with tempfile.TemporaryDirectory() as directory:
        store, image = pathlib.Path(directory) / "store", pathlib.Path(directory) / "a.png"
        glyphs = pathlib.Path(directory) / "glyphs"
        glyphs.mkdir()
        PIL.Image.new("L", (2, 2)).save(image)
        PIL.Image.new("L", (2, 2)).save(glyphs / "A.png")
        (glyphs.parent / "f.json").write_text("{\"metrics\": {\"loss\": 0.25}}")
        (glyphs.parent / "p.json").write_text("[1, 2]")
        weights = ROOT / "tests" / "assets" / "torch-2.13-state-dict.pt"
        command = [build / "fontkeep", "--store", store]
        subprocess.run([*command, "init"], check=True, stdout=subprocess.DEVNULL)
        subprocess.run([*command, "save", "1-fruity", "--weights", weights, "--sample", image,
                        "--glyphs", glyphs, "--feedback", glyphs.parent / "f.json",
                        "--personality", glyphs.parent / "p.json"],
                       check=True, stdout=subprocess.DEVNULL)
        manifest = next(store.glob("1-fruity/runs/*/run.json")).read_bytes()
        seed("manifest", "whole", manifest)
        newer = manifest.replace(b"\"manifest_version\": 1", b"\"manifest_version\": 2")
        seed("manifest", "newer", newer)
    seed("run", "untouched", b"\1")
    for kind in range(8):
        for file in range(5):
            edit = bytes([file, kind, 40, 0, 3]) + (b"abc" if kind < 2 else b"")
            seed("run", f"edit-{kind}-{file}", b"\1" + edit)
    # the path of the first listed file becomes one that leads out of the run
    offset = manifest.index(b"eval-glyphs/A.png") - 2
    edit = bytes([0, 0]) + offset.to_bytes(2, "little") + bytes([20]) + b"../../../secret\", \"x\""
    seed("run", "path-out", b"\1" + edit)


if __name__ == "__main__":
    pickles()
    checkpoints()
    legacy_files()
    arrays()
    texts()
    images()
    runs(pathlib.Path(sys.argv[1]).resolve())
