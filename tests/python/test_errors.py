"""Exceptions and records as objects: pickled, copied, compared, hashed, turned into dicts."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import os
import pickle

import pytest

import fontkeep
from fontkeep import errors

KINDS = [
    kind
    for kind in vars(fontkeep).values()
    if inspect.isclass(kind) and issubclass(kind, fontkeep.FontKeepError)
]


def through_pickle(value: object, protocol: int = pickle.HIGHEST_PROTOCOL) -> object:
    return pickle.loads(pickle.dumps(value, protocol))


WAYS = [through_pickle, lambda value: through_pickle(value, 2), copy.copy, copy.deepcopy]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", KINDS)
def test_exceptions_are_copied_with_everything_they_tell(kind, way) -> None:
    error = kind("wrong", code="io", hint="do this", path="/p", offset=7)
    error.add_note("a note")
    if isinstance(error, OSError):
        error.errno = 28
    if kind is fontkeep.NotDurableError:
        error.run_id = "some-run"
    again = way(error)
    assert type(again) is kind and vars(again) == vars(error)
    assert (str(again), again.args) == (str(error), error.args)
    for name in ("errno", "filename", "run_id"):
        assert getattr(again, name, None) == getattr(error, name, None)


def test_the_errors_of_the_system_have_what_an_oserror_has() -> None:
    error = errors.from_native("io", 0, "cannot read", None, "/p/q", None, 5, None)
    assert (error.errno, error.strerror, error.filename) == (5, os.strerror(5), "/p/q")
    error = errors.from_native("no_space", 0, "full", "free some", None, None, 0, None)
    assert (error.errno, error.strerror, error.filename) == (28, os.strerror(28), None)
    assert str(error) == "full; free some"


def test_a_key_error_prints_its_message() -> None:
    assert str(fontkeep.FontNotFoundError("no font '1-a'")) == "no font '1-a'"


def test_records_are_copied_compared_and_turned_into_dicts(store, save) -> None:
    run_id = save()
    records = [
        store.get_run_info("1-fruity", run_id),
        *store.list_runs("1-fruity"),
        store.verify(),
        store.status(),
        store.recover(),
        store.inspect("1-fruity", run_id),
    ]
    for record in records:
        for way in WAYS:
            again = way(record)
            assert again == record and type(again) is type(record) and repr(again) == repr(record)
        assert dataclasses.asdict(record).keys() == {
            field.name for field in dataclasses.fields(record)
        }
    assert dataclasses.replace(records[0], status="failed") != records[0]


def test_metadata_has_every_field_and_keeps_them(store, save) -> None:
    run_id = save()
    for info in (store.get_run_info("1-fruity", run_id), *store.list_runs("1-fruity")):
        names = [field.name for field in dataclasses.fields(info)]
        assert sorted(vars(info)) == sorted(names)
        with pytest.raises(dataclasses.FrozenInstanceError):
            info.status = "failed"


def test_metadata_problems_and_tensors_can_be_keys(store, save) -> None:
    run_id = save(training={"deep": [1, {}]})
    info = store.get_run_info("1-fruity", run_id)
    problem = fontkeep.Problem("digest", "weights", None, 3, 4, "wrong")
    tensor = store.inspect("1-fruity", run_id).tensors[0]
    assert {info: 1, problem: 2, tensor: 3}[store.get_run_info("1-fruity", run_id)] == 1
    assert {info.files[0]} == {store.get_run_info("1-fruity", run_id).files[0]}
    assert problem == fontkeep.Problem("digest", "weights", None, 3, 4, "wrong")


def test_a_diverged_run_equals_itself(store, save) -> None:
    run_id = save(feedback={"metrics": {"loss": float("nan")}}, training={"lr": float("nan")})
    assert store.get_run_info("1-fruity", run_id) == store.get_run_info("1-fruity", run_id)
