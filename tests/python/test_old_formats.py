"""Runs that older programs left, through the package: any name and format of the weights."""

import json
import pathlib

import pytest

import fontkeep

torch = pytest.importorskip("torch")

RUN = "2026-01-11T08:30:00.000000"
LEGACY = {"_use_new_zipfile_serialization": False}
STATE_DICT = {"layer.weight": torch.arange(6.0).reshape(2, 3), "layer.bias": torch.ones(2)}


@pytest.fixture
def by_hand(store: fontkeep.Store):
    """Lays a run out by hand, without a manifest."""

    def do(name: str, options: dict[str, bool], feedback: str = "{}") -> None:
        run = pathlib.Path(store.path) / "7-handmade/runs" / RUN
        (run / "eval-glyphs").mkdir(parents=True)
        (run / "feedback.json").write_text(feedback)
        torch.save(STATE_DICT, str(run / name), **options)

    return do


@pytest.mark.parametrize("options", [{}, LEGACY], ids=["zip", "legacy"])
@pytest.mark.parametrize("name", ["weights", "weights.pt", "weights.pth"])
def test_a_bare_state_dict_of_any_name_loads_with_a_warning(store, by_hand, name, options):
    by_hand(name, options)
    with pytest.warns(fontkeep.FontKeepWarning, match="v0"):
        weights, vector, metadata = store.load_model("7-handmade")
    no_checksums = [p for p in metadata.problems if "no checksums" in p.message]
    assert len(no_checksums) == (1 if options else 0)
    assert list(weights) == list(STATE_DICT) and vector is None
    assert all(torch.equal(weights[key], STATE_DICT[key]) for key in STATE_DICT)
    assert metadata.weights_version == "v0"


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
def test_feedback_without_optional_members_is_read_as_it_is(store, by_hand, text):
    by_hand("weights", {}, text)
    assert store.open_run("7-handmade").feedback == json.loads(text)


def test_feedback_of_a_newer_schema_loads_with_a_warning(store, save):
    newer = {"feedback_schema": "2.0", "metrics": {"loss": 0.5}, "stars": 5}
    run_id = save("1-fruity", feedback=newer)
    with pytest.warns(fontkeep.FontKeepWarning, match="2.0"):
        store.load_model("1-fruity", run_id)
    assert store.open_run("1-fruity", run_id).feedback == newer
