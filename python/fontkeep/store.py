"""The store: the directory that keeps all fonts."""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from typing import Any, Literal, overload

from fontkeep import _native
from fontkeep.draft import Feedback, RunDraft, feedback_source, json_tree, weights_tree
from fontkeep.errors import FontKeepWarning, InvalidInputError, not_available
from fontkeep.images import glyph_list, to_pixels
from fontkeep.metadata import Problem, RunMetadata, from_record
from fontkeep.reports import Inspection, Recovery, StoreStatus, Verification
from fontkeep.run import Run
from fontkeep.tensors import builder
from fontkeep.text import (
    StrPath,
    font_text,
    optional_text,
    path_text,
    plain_text,
    status_number,
    to_microseconds,
)

_REQUIRED = ("weights", "sample_image", "eval_glyphs", "feedback")


def _warn(message: str) -> None:
    warnings.warn(message, FontKeepWarning, stacklevel=3)


def _told(problem: Problem) -> str:
    if problem.path is None or problem.path in problem.message:
        return problem.message
    return f"{problem.path}: {problem.message}"


class Store:
    """A store of personality fonts. Many threads may use one at once.

    Without `path` it is $FONTKEEP_STORE, else ./networks. A missing directory raises
    `StoreNotFoundError` unless `create`; an empty one is an empty store.
    """

    def __init__(
        self,
        path: StrPath | None = None,
        *,
        create: bool = False,
        create_runs: bool = True,
        max_weights_bytes: int = 500_000_000,
        durability: Literal["full", "none"] = "full",
    ) -> None:
        if durability not in ("full", "none"):
            raise InvalidInputError(
                f"durability {durability!r} is not known",
                code="invalid",
                hint="use 'full' or 'none'",
            )
        if not 0 < max_weights_bytes < 1 << 64:
            raise InvalidInputError(
                f"max_weights_bytes {max_weights_bytes} is no size", code="invalid"
            )
        self._options = (create, create_runs, max_weights_bytes, durability)
        raw = None if path is None else os.fsencode(path_text(path))
        self._native = _native.Store(
            raw, create, create_runs, max_weights_bytes, durability == "full"
        )
        self._lock = threading.Lock()
        self._writer: ThreadPoolExecutor | None = None

    @property
    def path(self) -> str:
        return self._native.path()

    def init(self) -> str:
        """Makes the store's own file when it is missing, and returns the store's id."""
        return self._native.init()

    # ---- fonts ----

    def create_font(self, font_id: str) -> None:
        """Makes an empty font."""
        self._native.create_font(font_text(font_id))

    def create_next_font(self, name: str) -> str:
        """Makes the font of that name numbered one above the highest, and returns its id."""
        return self._native.create_next_font(plain_text(name, "name"))

    def list_fonts(self) -> list[str]:
        """All font ids, by number, then name."""
        return [font_id for font_id, _, _ in self._native.fonts()]

    # ---- saving ----

    @overload
    def save_model(
        self,
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
        wait: Literal[True] = True,
    ) -> str: ...

    @overload
    def save_model(
        self,
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
        wait: bool,
    ) -> str | Future[str]: ...

    def save_model(
        self,
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
        """Saves a run, whole or not at all, and returns its id.

        Weights, sample, glyphs and feedback may be None where `status` is not "completed". With
        `wait=False` the tensors are copied, the run is written in the background, and a future of
        the id is returned; bad input raises at once all the same.
        """
        font_text(font_id)
        assets = (weights, sample_image, eval_glyphs, feedback)
        missing = [name for name, asset in zip(_REQUIRED, assets) if asset is None]
        if status == "completed" and missing:
            raise TypeError(
                f"a completed run needs {' and '.join(missing)};"
                " give them, or status='failed' or 'interrupted'"
            )
        parts = _Assets(sample_image, eval_glyphs, feedback)
        tree = None
        if weights is not None:
            tree = weights_tree(weights, personality_vector, architecture, copy=not wait)
        elif personality_vector is not None or architecture is not None:
            _warn("without weights no personality vector or architecture is kept")
        draft = self.begin_run(
            font_id,
            training=training,
            started_at=started_at,
            ended_at=ended_at,
            status=status,
            parent_run_id=parent_run_id,
            create_font=create_font,
        )
        try:  # small things first: what is wrong with them shows before the weights are written
            parts.add_to(draft)
            if not wait:
                return self._background().submit(_finish, draft, tree)
        except BaseException:
            draft.discard()
            raise
        return _finish(draft, tree)

    def begin_run(
        self,
        font_id: str,
        *,
        training: Mapping[str, Any] | None = None,
        architecture: Mapping[str, Any] | None = None,
        started_at: datetime | None = None,
        ended_at: datetime | None = None,
        status: str = "completed",
        parent_run_id: str | None = None,
        create_font: bool = True,
        wait: bool = True,
    ) -> RunDraft:
        """A run written step by step, in a `with` statement: committed on leaving it, discarded on
        an exception."""
        if not wait:
            raise not_available("begin_run with wait=False")
        if training is not None and not isinstance(training, Mapping):
            raise InvalidInputError(
                f"training is {type(training).__name__}, not a dict", code="invalid"
            )
        if parent_run_id == "latest":
            parent_run_id = self.resolve_run(font_id, "latest")
        native = self._native.draft(
            font_text(font_id),
            status_number(status),
            to_microseconds(started_at, "started_at"),
            to_microseconds(ended_at, "ended_at"),
            None if training is None else json_tree(dict(training), "training"),
            optional_text(parent_run_id, "parent_run_id"),
            create_font,
        )
        return RunDraft(native, architecture)

    def _background(self) -> ThreadPoolExecutor:
        """One thread, so that runs appear in the order of their saves. Interpreter exit waits for
        it."""
        with self._lock:
            if self._writer is None:
                self._writer = ThreadPoolExecutor(1, thread_name_prefix="fontkeep")
            return self._writer

    # ---- loading ----

    def load_model(
        self,
        font_id: str,
        run_id: str | None = None,
        *,
        verify: bool = True,
        strict: bool = False,
        fallback: bool = False,
        mmap: bool = False,
        salvage: bool = False,
    ) -> tuple[Any, Any, RunMetadata]:
        """The weights, the personality vector and the metadata of a run, every byte checked.

        Without `run_id` it is the latest. `verify=False` skips the digests, `strict` makes missing
        or damaged images and feedback an error, `fallback` takes the newest run that verifies when
        the latest cannot be loaded, `mmap` maps the file instead of reading it.
        """
        if salvage:
            raise not_available("load_model with salvage=True")
        loaded = self._native.load(
            font_text(font_id), optional_text(run_id, "run_id"), verify, strict, fallback, mmap
        )
        metadata = from_record(loaded.info())
        weights, personality_vector, _ = loaded.contents(builder())
        for problem in metadata.problems:
            _warn(f"{metadata.font_id} {metadata.run_id}: {_told(problem)}")
        return weights, personality_vector, metadata

    def open_run(self, font_id: str, run_id: str | None = None) -> Run:
        """A run whose parts are read, and checked, when they are asked for."""
        return Run(self._native.open_run(font_text(font_id), optional_text(run_id, "run_id")))

    def export_personality(
        self,
        font_id: str,
        path: StrPath,
        *,
        run_id: str | None = None,
        format: str | None = None,
    ) -> None:
        """Writes the personality vector, exactly, as json, csv, npy or pt; by the path's suffix."""
        self._native.export_personality(
            font_text(font_id),
            optional_text(run_id, "run_id"),
            path_text(path),
            optional_text(format, "format"),
        )

    def copy_run(
        self, font_id: str, directory: StrPath, *, run_id: str | None = None
    ) -> RunMetadata:
        """Copies a run's files, each verified, into a new or empty directory."""
        record = self._native.copy_run(
            font_text(font_id), optional_text(run_id, "run_id"), path_text(directory)
        )
        return from_record(record)

    # ---- looking ----

    def list_runs(
        self,
        font_id: str,
        *,
        limit: int | None = None,
        after: str | None = None,
        reverse: bool = False,
        where: str | None = None,
        sort: str | None = None,
    ) -> list[RunMetadata]:
        """The runs of a font in chronological order, with shallow health.

        `reverse` lists the newest first; `after` continues behind that run (towards older ones with
        `reverse`).
        """
        if where is not None or sort is not None:
            raise not_available("list_runs with where or sort")
        if limit is not None and limit < 0:
            raise InvalidInputError(f"limit {limit} is negative", code="invalid")
        rows, warning = self._native.runs(
            font_text(font_id), limit or 0, optional_text(after, "after"), reverse
        )
        if warning is not None:
            _warn(warning)
        return [] if limit == 0 else [from_record(row) for row in rows]

    def get_run_info(self, font_id: str, run_id: str) -> RunMetadata:
        """The metadata of one run, with the files of its manifest."""
        record = self._native.run_info(font_text(font_id), optional_text(run_id, "run_id"))
        return from_record(record)

    def resolve_run(self, font_id: str, text: str) -> str:
        """The full id of a run id, its `:`-free twin, an unambiguous prefix, or "latest"."""
        return self._native.resolve_run(font_text(font_id), plain_text(text, "run"))

    def inspect(self, target: StrPath, run_id: str | None = None) -> Inspection:
        """What a checkpoint file, or the weights of a run of the font `target`, hold; nothing is
        executed."""
        text = os.fspath(target)
        is_file = not isinstance(target, str) or "/" in text or "." in text
        if run_id is None and is_file:
            return Inspection.of(_native.inspect_file(path_text(target)))
        return Inspection.of(
            self._native.inspect_run(font_text(text), optional_text(run_id, "run_id"))
        )

    # ---- health ----

    def verify(self, font_id: str | None = None, run_id: str | None = None) -> Verification:
        """Checks every byte of a run, of a font, or of the whole store."""
        font = None if font_id is None else font_text(font_id)
        if font is None and run_id is not None:
            raise TypeError("verify with a run_id needs a font_id")
        records = self._native.verify(font, optional_text(run_id, "run_id"))
        return Verification.of([from_record(record) for record in records])

    def recover(self) -> Recovery:
        """Removes what killed savers left behind. Never touches a run."""
        return Recovery(**self._native.recover())

    def status(self) -> StoreStatus:
        """What stands in the store."""
        return StoreStatus(**self._native.status())

    def __repr__(self) -> str:
        return f"fontkeep.Store({self.path!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return (_reopen, (self.path, *self._options))


class _Assets:
    """Sample, glyphs and feedback as the extension takes them, judged before anything is made."""

    def __init__(self, sample_image: Any, eval_glyphs: Any, feedback: Any) -> None:
        self._sample = None if sample_image is None else to_pixels(sample_image, "sample_image")
        self._glyphs = eval_glyphs
        if isinstance(eval_glyphs, Mapping):
            self._glyphs = glyph_list(eval_glyphs)
        self._feedback = None if feedback is None else feedback_source(feedback)

    def add_to(self, draft: RunDraft) -> None:
        if self._sample is not None:
            draft._call("add_image", None, *self._sample)
        if isinstance(self._glyphs, list):
            draft._add_pixels(self._glyphs)
        elif self._glyphs is not None:
            draft.add_glyphs(self._glyphs)
        if self._feedback is not None:
            draft._call("set_feedback", self._feedback)


def _finish(draft: RunDraft, tree: Any) -> str:
    try:
        if tree is not None:
            draft._call("set_weights", tree)
        return draft.commit()
    except BaseException:
        draft.discard()
        raise


def _reopen(
    path: str, create: bool, create_runs: bool, limit: int, durability: Literal["full", "none"]
) -> Store:
    return Store(
        path,
        create=create,
        create_runs=create_runs,
        max_weights_bytes=limit,
        durability=durability,
    )
