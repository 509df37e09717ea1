"""fontkeep: a keeper of trained personality fonts.

    store = fontkeep.Store("networks", create=True)
    run_id = store.save_model("1-fruity", model, vector, image, {"A": image}, {"metrics": {}})
    weights, vector, metadata = store.load_model("1-fruity")

The functions of this module work on the default store: $FONTKEEP_STORE, else ./networks.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from datetime import datetime
from typing import Any

from fontkeep import _native
from fontkeep.draft import Feedback, RunDraft
from fontkeep.errors import (
    CorruptRunError,
    FontExistsError,
    FontKeepError,
    FontKeepWarning,
    FontNotFoundError,
    IncompleteRunError,
    InvalidFontIdError,
    InvalidInputError,
    LimitError,
    NotDurableError,
    RunNotFoundError,
    StoreAccessError,
    StoreBusyError,
    StoreFullError,
    StoreIOError,
    StoreNotFoundError,
    UnsupportedDataError,
    UnsupportedVersionError,
)
from fontkeep.metadata import Problem, RunFile, RunMetadata
from fontkeep.reports import Inspection, Recovery, StoreStatus, TensorInfo, Verification
from fontkeep.run import Run
from fontkeep.store import Store
from fontkeep.text import StrPath

__all__ = [
    "CorruptRunError",
    "FontExistsError",
    "FontKeepError",
    "FontKeepWarning",
    "FontNotFoundError",
    "IncompleteRunError",
    "Inspection",
    "InvalidFontIdError",
    "InvalidInputError",
    "LimitError",
    "NotDurableError",
    "Problem",
    "Recovery",
    "Run",
    "RunDraft",
    "RunFile",
    "RunMetadata",
    "RunNotFoundError",
    "Store",
    "StoreAccessError",
    "StoreBusyError",
    "StoreFullError",
    "StoreIOError",
    "StoreNotFoundError",
    "StoreStatus",
    "TensorInfo",
    "UnsupportedDataError",
    "UnsupportedVersionError",
    "Verification",
    "get_run_info",
    "list_fonts",
    "list_runs",
    "load_model",
    "save_model",
]

__version__ = _native.version()


def save_model(
    font_id: str,
    weights: Any,
    personality_vector: Any,
    sample_image: Any,
    eval_glyphs: Mapping[str, Any] | StrPath | None,
    feedback: Feedback | None,
    *,
    training: Mapping[str, Any] | None = None,
    architecture: Mapping[str, Any] | None = None,
    started_at: datetime | None = None,
    ended_at: datetime | None = None,
    status: str = "completed",
    parent_run_id: str | None = None,
    create_font: bool = True,
    wait: bool = True,
) -> str | Future[str]:
    """`Store.save_model` on the default store."""
    return Store().save_model(
        font_id,
        weights,
        personality_vector,
        sample_image,
        eval_glyphs,
        feedback,
        training=training,
        architecture=architecture,
        started_at=started_at,
        ended_at=ended_at,
        status=status,
        parent_run_id=parent_run_id,
        create_font=create_font,
        wait=wait,
    )


def load_model(
    font_id: str,
    run_id: str | None = None,
    *,
    verify: bool = True,
    strict: bool = False,
    fallback: bool = False,
    mmap: bool = False,
    salvage: bool = False,
) -> tuple[Any, Any, RunMetadata]:
    """`Store.load_model` on the default store."""
    return Store().load_model(
        font_id,
        run_id,
        verify=verify,
        strict=strict,
        fallback=fallback,
        mmap=mmap,
        salvage=salvage,
    )


def list_fonts() -> list[str]:
    """`Store.list_fonts` on the default store."""
    return Store().list_fonts()


def list_runs(
    font_id: str,
    *,
    limit: int | None = None,
    after: str | None = None,
    reverse: bool = False,
    where: str | None = None,
    sort: str | None = None,
) -> list[RunMetadata]:
    """`Store.list_runs` on the default store."""
    return Store().list_runs(
        font_id, limit=limit, after=after, reverse=reverse, where=where, sort=sort
    )


def get_run_info(font_id: str, run_id: str) -> RunMetadata:
    """`Store.get_run_info` on the default store."""
    return Store().get_run_info(font_id, run_id)
