"""What cannot be stored is refused with its dotted path and type, and nothing is left behind."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import os
import pathlib
import subprocess
import sys
import tempfile
import warnings
from collections import defaultdict, deque, namedtuple

import pytest

import fontkeep

torch = pytest.importorskip("torch")
numpy = pytest.importorskip("numpy")

Point = namedtuple("Point", "x y")


class Subclass(torch.Tensor):
    pass


class DictSubclass(dict):
    pass


def refusals() -> list[tuple[str, object, str]]:
    return [
        ("optimizer.lr_lambdas.0", {"optimizer": {"lr_lambdas": [lambda step: step]}}, "function"),
        ("a", {"a": frozenset([1])}, "frozenset"),
        ("a", {"a": defaultdict(list)}, "defaultdict"),
        ("a.0", {"a": (Point(1, 2),)}, "Point"),
        ("a.1", {"a": [0, range(3)]}, "range"),
        ("a", {"a": DictSubclass()}, "DictSubclass"),
        ("a", {"a": object()}, "object"),
        ("a", {"a": 2**2039}, "int of more than 255 bytes"),
        ("a", {"a": -(2**2039) - 1}, "int of more than 255 bytes"),
        ("a", {"a": torch.eye(2).to_sparse()}, "sparse_coo"),
        ("a", {"a": torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8)}, "quantised"),
        ("a", {"a": torch.ones(2, device="meta")}, "meta"),
        ("a", {"a": torch.ones(2).as_subclass(Subclass)}, "Subclass"),
        ("a", {"a": numpy.array(["text"])}, "dtype <U4"),
        ("a", {"a": numpy.array([object()])}, "dtype object"),
        ("a", {"a": numpy.zeros(2, [("x", "f4")])}, "dtype"),
        ("a", {"a": numpy.ma.masked_array([1.0])}, "MaskedArray"),
        ("a", {"a": numpy.datetime64("2026-01-01")}, "datetime64"),
        ("1", {1: {2, frozenset()}}, "frozenset"),
        ("a", {"a": torch.Generator()}, "Generator"),
        ("a", {"a": len}, "builtin_function_or_method"),
    ]


@dataclasses.dataclass
class Settings:
    rate: float = 0.1


class Stage(enum.IntEnum):
    FIRST = 1


class Rows(list):
    pass


def advice() -> list[tuple[object, str]]:
    return [
        (Settings(), "dataclasses.asdict"),
        (Stage.FIRST, ".value"),
        (pathlib.Path("a"), "str("),
        (Rows(), "list("),
        (DictSubclass(), "dict("),
        (defaultdict(list), "dict("),
        (frozenset(), "set("),
        (Point(1, 2), "_asdict"),
        (deque(), "list("),
        (datetime.datetime(2026, 1, 1), "isoformat"),
        (lambda: 0, "after the load"),
        (Settings, "after the load"),
        (torch.optim.SGD([torch.ones(1, requires_grad=True)], 0.1), ".state_dict()"),
        (torch.Generator(), ".get_state()"),
        (torch.eye(2).to_sparse(), ".to_dense()"),
        (torch.eye(2).to_sparse_csr(), ".to_dense()"),
        (torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8), ".dequantize()"),
        (torch.ones(2, device="meta"), ".to_empty("),
        (torch.nn.Linear(2, 2, device="meta"), ".to_empty("),
        (torch.ones(2).as_subclass(Subclass), ".as_subclass(torch.Tensor)"),
        (torch.nn.parameter.UninitializedParameter(), ".as_subclass(torch.Tensor)"),
        (numpy.ma.masked_array([1.0]), ".filled("),
        (numpy.matrix([1.0]), "numpy.asarray"),
        (numpy.recarray(1, [("x", "f4")]), "numpy.asarray"),
        (numpy.zeros(2, [("x", "f4")]), "each of its fields"),
        (numpy.array([object()]), ".tolist()"),
        (numpy.array([1], "M8[s]"), ".astype("),
        (numpy.longdouble(1), "leave it out"),
        (numpy.array([numpy.longdouble(1)]), ".astype("),
        (object(), "leave it out"),
    ]


@pytest.mark.parametrize("value, hint", advice(), ids=lambda part: str(type(part))[:40])
def test_a_refusal_says_what_to_do_instead(save, value, hint: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of PyTorch and numpy, about some of these
        with pytest.raises(fontkeep.UnsupportedDataError, match="weights.deep.0") as caught:
            save(weights={"deep": [value]})
    assert hint in caught.value.hint


@pytest.mark.parametrize("path, weights, kind", refusals(), ids=lambda part: str(part)[:24])
def test_data_that_cannot_be_stored_is_refused_by_path_and_type(
    store, save, path, weights, kind
) -> None:
    with pytest.raises(fontkeep.UnsupportedDataError) as caught:
        save(weights=weights)
    assert f"weights.{path}" in str(caught.value) and kind in str(caught.value)
    assert isinstance(caught.value, TypeError) and caught.value.hint
    assert store.list_fonts() == []


def test_nested_tensors_are_refused_by_name(save) -> None:
    make = torch.nested.nested_tensor if hasattr(torch, "nested") else torch.nested_tensor
    nested = make([torch.ones(2), torch.ones(3)])
    with pytest.raises(fontkeep.UnsupportedDataError, match="weights.n: nested.*unbind"):
        save(weights={"n": nested})


def test_a_cycle_through_a_tuple_is_refused(store, save) -> None:
    inner: list = []
    cycle = (inner,)
    inner.append(cycle)
    with pytest.raises(fontkeep.UnsupportedDataError):
        save(weights={"cycle": cycle})
    assert store.status().runs == 0


def test_endless_nesting_is_refused_as_a_limit(save) -> None:
    value: list = []
    for _ in range(5000):
        value = [value]
    with pytest.raises(fontkeep.LimitError):
        save(weights=value)


def test_an_object_whose_conversion_fails_raises_that_error(save) -> None:
    class Broken(torch.nn.Module):
        def state_dict(self, *_, **__):
            raise RuntimeError("no state today")

    with pytest.raises(RuntimeError, match="no state today"):
        save(weights={"network": Broken()})


@pytest.mark.parametrize("member", ["training", "feedback", "architecture"])
def test_other_members_are_refused_by_path_too(save, member: str) -> None:
    with pytest.raises(fontkeep.UnsupportedDataError, match=f"{member}.deep.0: function"):
        save(**{member: {"deep": [lambda: 0]}})


def times_in(path: str) -> dict[str, int]:
    """When each directory was changed."""
    return {place: os.stat(place).st_mtime_ns for place, _, _ in os.walk(path)}


@pytest.mark.parametrize("wait", [True, False])
def test_weights_over_the_limit_are_refused_before_anything_is_written(
    tmp_path, image, wait: bool
) -> None:
    store = fontkeep.Store(tmp_path / "small", create=True, max_weights_bytes=100_000)
    store.save_model("1-a", {"w": torch.zeros(10)}, [1.0], image, {}, {})
    before = times_in(store.path)
    for font_id in ("1-a", "2-b"):
        with pytest.raises(fontkeep.LimitError) as caught:
            store.save_model(font_id, {"w": torch.zeros(100_000)}, [1.0], image, {}, {}, wait=wait)
        assert "100000" in str(caught.value)
        assert times_in(store.path) == before
    with pytest.raises(fontkeep.InvalidFontIdError):  # before tensors are looked at
        store.save_model("B", {"w": torch.zeros(100_000)}, [1.0], image, {}, {}, wait=wait)


@pytest.mark.parametrize(
    "font_id, corrected",
    [
        ("Fruity", "fruity"),
        ("1_fruity", "1-fruity"),
        ("1-Fruity", "1-fruity"),
        ("fruity-1", "fruity"),
        ("1-", "1-"),
        ("../1-a", "1-a"),
        ("", "-"),
        ("1-" + "a" * 99, "1-"),
        ("1-a\0b", "1-"),
        ("1-\ud800", "1-"),
    ],
)
def test_bad_font_ids_show_the_rule_and_a_corrected_id(store, save, font_id, corrected) -> None:
    for call in (lambda: store.create_font(font_id), lambda: save(font_id)):
        with pytest.raises(fontkeep.InvalidFontIdError) as caught:
            call()
        assert corrected in (caught.value.hint or "")
        assert "number" in str(caught.value)
    assert store.list_fonts() == []


def test_a_font_that_exists_is_not_created_again(store) -> None:
    store.create_font("1-fruity")
    with pytest.raises(fontkeep.FontExistsError) as caught:
        store.create_font("1-fruity")
    assert caught.value.errno == 17


def test_unknown_fonts_and_runs_offer_the_nearest_name(store, save) -> None:
    run_id = save("1-fruity")
    with pytest.raises(fontkeep.FontNotFoundError) as caught:
        store.load_model("1-fruty")
    assert "1-fruity" in str(caught.value) and not str(caught.value).startswith("'\"")
    with pytest.raises(KeyError):
        store.list_runs("2-nothing-like-it")
    with pytest.raises(fontkeep.RunNotFoundError):
        store.load_model("1-fruity", "2026-01-11T08:30:00.000000")
    with pytest.raises(fontkeep.RunNotFoundError):
        store.get_run_info("1-fruity", run_id[:-1] + ("1" if run_id[-1] != "1" else "2"))


def test_saving_into_a_missing_font_can_be_refused(store, save) -> None:
    with pytest.raises(fontkeep.FontNotFoundError):
        save("7-new", create_font=False)
    assert store.list_fonts() == []


@pytest.mark.parametrize("name", ["weights", "sample_image", "eval_glyphs", "feedback"])
def test_a_completed_run_needs_all_its_parts(store, save, name: str) -> None:
    with pytest.raises(TypeError, match=name):
        save(**{name: None})
    assert store.list_fonts() == []


@pytest.mark.parametrize("wait", [True, False])
@pytest.mark.parametrize(
    "glyphs",
    [(), 0, False, set(), 5, ["A.png"], [("A", b"png")], numpy.zeros(3)],
    ids=["tuple", "0", "False", "set", "5", "names", "pairs", "array"],
)
def test_glyphs_are_a_mapping_or_a_directory(store, save, glyphs: object, wait: bool) -> None:
    with pytest.raises(fontkeep.InvalidInputError, match="eval_glyphs is .*, neither a mapping"):
        save(eval_glyphs=glyphs, wait=wait)
    assert store.list_fonts() == []
    with store.begin_run("1-fruity", status="failed") as draft:
        with pytest.raises(fontkeep.InvalidInputError, match="a directory of .png files"):
            draft.add_glyphs(glyphs)


def test_other_runs_may_lack_any_of_them(store, save) -> None:
    nothing = dict.fromkeys(["weights", "sample_image", "eval_glyphs", "feedback"])
    run_id = save(status="failed", personality_vector=None, **nothing)
    metadata = store.get_run_info("1-fruity", run_id)
    assert (metadata.status, metadata.weights_bytes, metadata.glyphs) == ("failed", None, 0)


@pytest.mark.parametrize(
    "feedback, name",
    [
        ({"metrics": []}, "metrics"),
        ({"metrics": {"loss": "low"}}, "loss"),
        ({"epochs": 1.5}, "epochs"),
        ({"epochs": -1}, "epochs"),
        ({"loss_history": {}}, "loss_history"),
        ({"ratings": 3}, "ratings"),
        ({"notes": 7}, "notes"),
        ({1: 2}, "feedback"),
        ([], "feedback"),
        (5, "feedback"),
    ],
)
def test_feedback_of_the_wrong_type_is_refused_by_member(store, save, feedback, name) -> None:
    with pytest.raises((fontkeep.InvalidInputError, fontkeep.UnsupportedDataError), match=name):
        save(feedback=feedback)
    assert store.status().runs == 0


def test_times_without_a_zone_and_unknown_statuses_are_refused(save) -> None:
    with pytest.raises(fontkeep.InvalidInputError, match="started_at"):
        save(started_at=datetime.datetime(2026, 1, 1))
    with pytest.raises(TypeError, match="ended_at"):
        save(ended_at=17)
    with pytest.raises(fontkeep.InvalidInputError, match="status"):
        save(status="done")
    with pytest.raises(fontkeep.InvalidInputError, match="training"):
        save(training=[1])


def test_a_missing_store_is_an_error_at_once(tmp_path) -> None:
    with pytest.raises(fontkeep.StoreNotFoundError) as caught:
        fontkeep.Store(tmp_path / "nowhere")
    assert caught.value.errno == 2 and "nowhere" in str(caught.value)
    for create in (False, True):
        with pytest.raises(fontkeep.StoreNotFoundError, match="empty"):
            fontkeep.Store("", create=create)
    with pytest.raises(fontkeep.InvalidInputError):
        fontkeep.Store(tmp_path, durability="some")
    with pytest.raises(fontkeep.InvalidInputError):
        fontkeep.Store(tmp_path, max_weights_bytes=-1)
    with pytest.raises(fontkeep.InvalidInputError):
        fontkeep.Store("nul\0byte")


READ_ONLY = """
import os, sys
import fontkeep, numpy
if os.geteuid() == 0:
    os.setuid(65534)
store = fontkeep.Store(sys.argv[1])
image = numpy.zeros((2, 2), numpy.uint8)
for font_id in ("1-fruity", "2-new"):
    try:
        store.save_model(font_id, {"w": numpy.ones(2)}, [1.0], image, {}, {})
    except fontkeep.StoreAccessError as error:
        assert isinstance(error, PermissionError) and error.hint and error.path, error
    else:
        raise AssertionError("saved")
assert store.load_model("1-fruity")[2].health == "complete"
assert len(store.list_runs("1-fruity")) == 1 and store.list_fonts() == ["1-fruity"]
assert store.verify().damaged == 0
"""


def test_a_read_only_store_can_be_read_and_refuses_to_be_written(image) -> None:
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        store = fontkeep.Store(os.path.join(directory, "networks"), create=True)
        store.save_model("1-fruity", {"w": numpy.ones(2)}, [1.0], image, {}, {})
        locked = [store.path, os.path.join(store.path, "1-fruity", "runs")]
        for path in locked:
            os.chmod(path, 0o555)
        package = os.path.dirname(os.path.dirname(fontkeep.__file__))
        done = subprocess.run(
            [sys.executable, "-c", READ_ONLY, store.path],
            env={**os.environ, "PYTHONPATH": package},
            capture_output=True,
            text=True,
            timeout=120,
        )
        for path in locked:
            os.chmod(path, 0o755)
        assert done.returncode == 0, done.stderr
        assert store.status().stages == 0
