"""The package where PyTorch, numpy or PIL are not installed."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest

import fontkeep

BLOCK = """
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {blocked!r}:
            raise ImportError(name + " is blocked")
sys.meta_path.insert(0, Block())
import fontkeep
store = fontkeep.Store({store!r}, create=True, durability="none")
"""


def run_without(store: fontkeep.Store, blocked: list[str], code: str) -> str:
    """Runs code in a Python that cannot import some modules."""
    script = BLOCK.format(blocked=blocked, store=store.path) + textwrap.dedent(code)
    path = os.path.dirname(os.path.dirname(fontkeep.__file__))
    environment = {**os.environ, "PYTHONPATH": path}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_without_torch_tensors_are_numpy_arrays(store, save) -> None:
    torch = pytest.importorskip("torch")
    base = torch.arange(12.0)
    save(
        weights={
            "base": base,
            "view": base[2:4],
            "transposed": base.view(3, 4).t(),
            "parameter": torch.nn.Parameter(torch.ones(2)),
            "int": torch.tensor([1, 2], dtype=torch.int8),
            "conj": torch.tensor([1 + 2j]).conj(),
            "empty": torch.empty(0, 2),
            "size": torch.Size([1, 2]),
            "dtype": torch.float32,
            "device": torch.device("cpu"),
        }
    )
    run_without(
        store,
        ["torch"],
        """
        import numpy
        weights, vector, metadata = store.load_model("1-fruity")
        assert vector.dtype == numpy.float32 and vector.tolist() == [0.25, -1.5, 3.0]
        assert type(weights["base"]) is numpy.ndarray
        weights["base"][2] = 50
        assert weights["view"][0] == 50 and weights["transposed"][2, 0] == 50
        assert weights["parameter"].tolist() == [1, 1] and weights["int"].dtype == numpy.int8
        assert weights["conj"].tolist() == [1 - 2j]
        assert weights["empty"].shape == (0, 2) and weights["size"] == (1, 2)
        assert weights["dtype"] == "torch.float32" and weights["device"] == "cpu"
        run_id = store.save_model("2-again", weights, vector, None, None, None, status="failed")
        again = store.load_model("2-again", run_id)[0]
        assert again["view"][0] == 50 and numpy.shares_memory(again["base"], again["view"])
        """,
    )


def test_without_ml_dtypes_bfloat16_is_refused_when_touched(store, save) -> None:
    torch = pytest.importorskip("torch")
    save(weights={"b": torch.ones(2, dtype=torch.bfloat16), "f": torch.ones(2)})
    run_without(
        store,
        ["torch", "ml_dtypes"],
        """
        import numpy
        weights = store.load_model("1-fruity")[0]
        assert weights["f"].sum() == 2
        assert weights["b"].shape == (2,) and weights["b"].dtype == "bfloat16"
        assert "bfloat16" in repr(weights["b"])
        for touch in (lambda b: b[0], numpy.asarray, lambda b: b.sum(), lambda b: b + 1, len, list,
                      float):
            try:
                touch(weights["b"])
            except fontkeep.UnsupportedDataError as error:
                assert "bfloat16" in str(error) and "ml_dtypes" in error.hint
            else:
                raise AssertionError("touched")
        """,
    )


def test_without_any_library_a_store_is_listed_saved_and_read(store, save) -> None:
    save()
    run_without(
        store,
        ["torch", "numpy", "PIL", "ml_dtypes"],
        """
        run = store.open_run("1-fruity")
        png = run.sample_image()
        assert png.startswith(b"\\x89PNG") and set(run.eval_glyphs()) == {"A", "a"}
        assert run.metadata.personality == {"dtype": "float32", "shape": [3]}
        assert run.personality_vector.shape == (3,)
        run_id = store.save_model("2-plain", {"epoch": 3, "rng": b"state"}, [0.5, 1.5], png,
                                  {"A": png}, {"metrics": {"loss": 1.0}})
        assert store.load_model("2-plain", run_id)[0] == {"epoch": 3, "rng": b"state"}
        store.export_personality("2-plain", store.path + "/../vector.json")
        assert "torch" not in sys.modules and "numpy" not in sys.modules
        """,
    )


def test_dtypes_that_this_torch_lacks_come_out_as_numpy(store, tmp_path) -> None:
    from fontkeep import tensors

    class OldTorch:
        """A PyTorch before 2.2, as far as the builder asks."""

        uint8 = None

    numpy = pytest.importorskip("numpy")
    maker = tensors.TorchBuilder(OldTorch)
    memory = bytearray(numpy.arange(4, dtype=numpy.uint16).tobytes())
    value = maker.tensor(maker.storage(memory), "uint16", 0, (4,), (1,), 0, None)
    assert type(value) is numpy.ndarray and value.tolist() == [0, 1, 2, 3]


def test_importing_fontkeep_imports_none_of_them() -> None:
    code = "import fontkeep, sys; print(sorted({'torch', 'numpy', 'PIL'} & set(sys.modules)))"
    path = os.path.dirname(os.path.dirname(fontkeep.__file__))
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": path}, capture_output=True
    )
    assert done.stdout.strip() == b"[]"


def test_without_torch_every_dtype_of_ml_dtypes_comes_back(store, save) -> None:
    ml_dtypes = pytest.importorskip("ml_dtypes", reason="ml_dtypes is not installed")
    import numpy

    names = ["bfloat16", "float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz"]
    raw = numpy.arange(1, 7, dtype=numpy.uint8)
    save(weights={name: raw.view(getattr(ml_dtypes, name)) for name in names})
    run_without(
        store,
        ["torch"],
        """
        import numpy
        weights = store.load_model("1-fruity")[0]
        for name, array in weights.items():
            assert array.dtype.name == name and array.tobytes() == bytes(range(1, 7)), name
        nothing = [None] * 3
        future = store.save_model("2-a", weights, [1.0], *nothing, status="failed", wait=False)
        again = store.load_model("2-a", future.result())[0]
        assert all(again[name].tobytes() == array.tobytes() for name, array in weights.items())
        """,
    )
