"""The names, signatures and exceptions that design documents promise."""

from __future__ import annotations

import dataclasses
import inspect
import pathlib

import pytest

import fontkeep

SAVE = (
    "font_id, weights, personality_vector, sample_image, eval_glyphs, feedback, *, training=None,"
    " architecture=None, started_at=None, ended_at=None, status='completed', parent_run_id=None,"
    " create_font=True, wait=True"
)
LOAD = (
    "font_id, run_id=None, *, verify=True, strict=False, fallback=False, mmap=False, salvage=False"
)
LIST = "font_id, *, limit=None, after=None, reverse=False, where=None, sort=None"
SIGNATURES = {
    "__init__": "path=None, *, create=False, create_runs=True, max_weights_bytes=500000000,"
    " durability='full'",
    "create_font": "font_id",
    "save_model": SAVE,
    "load_model": LOAD,
    "list_fonts": "",
    "list_runs": LIST,
    "get_run_info": "font_id, run_id",
    "open_run": "font_id, run_id=None",
    "export_personality": "font_id, path, *, run_id=None, format=None",
    "verify": "font_id=None, run_id=None",
    "recover": "",
    "begin_run": "font_id, *, training=None, architecture=None, started_at=None, ended_at=None,"
    " status='completed', parent_run_id=None, create_font=True, wait=True",
}
EXCEPTIONS = {
    "StoreNotFoundError": FileNotFoundError,
    "FontNotFoundError": KeyError,
    "RunNotFoundError": KeyError,
    "FontExistsError": FileExistsError,
    "InvalidInputError": ValueError,
    "InvalidFontIdError": ValueError,
    "CorruptRunError": Exception,
    "IncompleteRunError": Exception,
    "StoreBusyError": TimeoutError,
    "StoreFullError": OSError,
    "StoreAccessError": PermissionError,
    "StoreIOError": OSError,
    "UnsupportedVersionError": Exception,
    "UnsupportedDataError": TypeError,
    "LimitError": ValueError,
    "NotDurableError": OSError,
}


def plain_signature(function: object) -> str:
    parameters = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for name, parameter in inspect.signature(function).parameters.items()
        if name != "self"
    ]
    return str(inspect.Signature(parameters))


@pytest.mark.parametrize("name", SIGNATURES)
def test_methods_of_the_store_have_the_promised_signatures(name: str) -> None:
    assert plain_signature(getattr(fontkeep.Store, name)) == f"({SIGNATURES[name]})"


@pytest.mark.parametrize(
    "name", ["save_model", "load_model", "list_fonts", "list_runs", "get_run_info"]
)
def test_the_module_has_the_five_functions_with_the_same_signatures(name: str) -> None:
    assert plain_signature(getattr(fontkeep, name)) == f"({SIGNATURES[name]})"


@pytest.mark.parametrize("name", EXCEPTIONS)
def test_every_exception_is_a_fontkeep_error_and_the_builtin_one(name: str) -> None:
    kind = getattr(fontkeep, name)
    assert issubclass(kind, fontkeep.FontKeepError)
    assert issubclass(kind, EXCEPTIONS[name])
    error = kind("what is wrong")
    assert error.hint is None and error.path is None
    assert str(error) == "what is wrong"


def test_a_font_id_error_is_a_kind_of_invalid_input() -> None:
    assert issubclass(fontkeep.InvalidFontIdError, fontkeep.InvalidInputError)


def test_a_not_durable_error_carries_its_run_id() -> None:
    from fontkeep import errors

    error = errors.from_native("not_durable", 0, "sync failed", None, "/s", None, 5, "some-run")
    assert isinstance(error, fontkeep.NotDurableError)
    assert error.run_id == "some-run" and error.errno == 5


def test_usage_memory_and_cancelling_are_pythons_own_exceptions() -> None:
    from fontkeep import errors

    def of(code: str) -> BaseException:
        return errors.from_native(code, 0, "what", "how", None, None, 0, None)

    assert type(of("usage")) is TypeError and str(of("usage")) == "what; how"
    assert type(of("no_memory")) is MemoryError
    assert type(of("cancelled")) is KeyboardInterrupt


def test_every_code_has_its_exception() -> None:
    from fontkeep import errors

    names = {code: kind.__name__ for code, kind in errors._BY_CODE.items()}
    assert names["busy"] == "StoreBusyError" and names["limit"] == "LimitError"
    kind = errors.from_native("unsupported", 1 << 1, "newer", None, None, None, 0, None)
    assert type(kind) is fontkeep.UnsupportedVersionError
    full = errors.from_native("no_space", 0, "full", None, None, None, 0, None)
    assert isinstance(full, fontkeep.StoreFullError) and full.errno == 28


def test_metadata_is_a_frozen_dataclass() -> None:
    assert dataclasses.is_dataclass(fontkeep.RunMetadata)
    assert fontkeep.RunMetadata.__dataclass_params__.frozen
    names = {field.name for field in dataclasses.fields(fontkeep.RunMetadata)}
    assert names >= {
        *("font_id", "run_id", "status", "health", "problems", "started_at", "ended_at"),
        *("training", "metrics", "weights_version", "feedback_schema", "parent_run_id"),
        *("personality", "glyphs", "weights_bytes", "size_bytes", "written_by", "path"),
    }


def test_a_problem_has_its_six_members() -> None:
    names = [field.name for field in dataclasses.fields(fontkeep.Problem)]
    assert names == ["code", "path", "tensor", "offset", "length", "message"]


def test_the_package_is_typed_and_says_what_it_exports() -> None:
    directory = pathlib.Path(fontkeep.__file__).parent
    assert (directory / "py.typed").exists() and (directory / "_native.pyi").exists()
    assert all(hasattr(fontkeep, name) for name in fontkeep.__all__)
    assert issubclass(fontkeep.FontKeepWarning, UserWarning)
    assert fontkeep.__version__.count(".") == 2


def test_what_later_versions_bring_is_refused_clearly(store, save) -> None:
    save()
    for call in (
        lambda: store.list_runs("1-fruity", where="metrics.loss < 1"),
        lambda: store.list_runs("1-fruity", sort="metrics.loss"),
    ):
        with pytest.raises(fontkeep.FontKeepError, match="not available yet"):
            call()
