"""docs/python.md says what the docstrings say, and their examples do what they show."""

from __future__ import annotations

import doctest
import importlib.util
import inspect
import os
import pathlib

import numpy
import pytest

import fontkeep

torch = pytest.importorskip("torch")

ROOT = pathlib.Path(__file__).resolve().parents[2]


def load_reference():
    spec = importlib.util.spec_from_file_location("reference", ROOT / "scripts/reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


reference = load_reference()


def documented() -> dict[str, object]:
    """Every public class and each of its members."""
    members: dict[str, object] = {}
    for kinds in reference.GROUPS.values():
        for kind in kinds:
            members[kind.__name__] = kind
            for name, member in reference.public_members(kind):
                members[f"{kind.__name__}.{name}"] = member
    return members


def examples() -> dict[str, str]:
    return {
        name: member.__doc__ for name, member in documented().items() if ">>>" in member.__doc__
    }


def test_the_document_is_what_the_docstrings_say() -> None:
    text = reference.PATH.read_text(encoding="utf-8")
    assert text == reference.reference(), "run scripts/reference.py --write"


def test_everything_public_is_documented_with_an_example_for_each_call() -> None:
    public = {name for name in fontkeep.__all__ if inspect.isclass(getattr(fontkeep, name))}
    kinds = {kind.__name__ for group in reference.GROUPS.values() for kind in group}
    errors = {name for name in public if issubclass(getattr(fontkeep, name), Exception)}
    assert kinds | errors == public
    for name, member in documented().items():
        assert member.__doc__, name
        if not inspect.isclass(member):
            assert ">>>" in member.__doc__, f"{name} has no example"
    for name in ("save_model", "load_model", "list_fonts", "list_runs", "get_run_info"):
        assert getattr(fontkeep, name).__doc__ == getattr(fontkeep.Store, name).__doc__


@pytest.mark.parametrize("name", examples())
def test_an_example_does_what_it_shows(name: str, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    model, vector, image = torch.nn.Linear(3, 2), torch.zeros(64), numpy.zeros((32, 32), "uint8")
    store = fontkeep.Store("networks", create=True, durability="none")
    feedback = {"metrics": {"loss": 0.03}}
    run_id = store.save_model(
        "1-fruity", model, vector, image, {"A": image}, feedback, training={"epochs": 40}
    )
    names = {
        **{"fontkeep": fontkeep, "torch": torch, "numpy": numpy, "store": store, "model": model},
        **{"vector": vector, "image": image, "run_id": run_id, "run": store.open_run("1-fruity")},
    }
    told: list[str] = []
    test = doctest.DocTestParser().get_doctest(examples()[name], names, name, None, 0)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    assert runner.run(test, out=told.append).failed == 0, "".join(told)
    assert os.getcwd() == str(tmp_path)
