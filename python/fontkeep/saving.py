"""Saving: fonts and runs that are made in a store."""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import Future
from datetime import datetime
from typing import Any, Literal, TypedDict, Unpack, overload

from fontkeep import _native, background
from fontkeep.draft import Assets, Feedback, RunDraft, json_tree, weights_tree
from fontkeep.errors import InvalidInputError
from fontkeep.handle import Handle, warn
from fontkeep.text import (
    StrPath,
    font_text,
    optional_text,
    plain_text,
    status_number,
    to_microseconds,
)

Glyphs = Mapping[str, Any] | StrPath

_REQUIRED = ("weights", "sample_image", "eval_glyphs", "feedback")


class RunOptions(TypedDict, total=False):
    """The keywords of `save_model` and `begin_run` but for `wait`, for type checkers."""

    training: Mapping[str, Any] | None
    architecture: Mapping[str, Any] | None
    started_at: datetime | None
    ended_at: datetime | None
    status: str
    parent_run_id: str | None
    create_font: bool


class Saving(Handle):
    """The part of a store that makes fonts and runs."""

    def create_font(self, font_id: str) -> None:
        """Makes an empty font. `save_model` makes a missing one by itself.

        Raises `InvalidFontIdError` for an id that is not `{number}-{personality-name}`, with a
        corrected one, and `FontExistsError`.

        >>> store.create_font("2-dumb")
        >>> store.create_font("2-Dumb")
        Traceback (most recent call last):
            ...
        fontkeep.errors.InvalidFontIdError: ...
        """
        self._store.create_font(font_text(font_id))

    def create_next_font(self, name: str) -> str:
        """Makes the font of that name numbered one above the highest, and returns its id.

        >>> store.create_next_font("aggressive-sans")
        '2-aggressive-sans'
        """
        return self._store.create_next_font(plain_text(name, "name"))

    @overload
    def save_model(
        self,
        font_id: str,
        weights: Any,
        personality_vector: Any,
        sample_image: Any,
        eval_glyphs: Glyphs | None,
        feedback: Feedback | None,
        *,
        wait: Literal[True] = True,
        **options: Unpack[RunOptions],
    ) -> str: ...

    @overload
    def save_model(
        self,
        font_id: str,
        weights: Any,
        personality_vector: Any,
        sample_image: Any,
        eval_glyphs: Glyphs | None,
        feedback: Feedback | None,
        *,
        wait: Literal[False],
        **options: Unpack[RunOptions],
    ) -> Future[str]: ...

    def save_model(
        self,
        font_id: str,
        weights: Any,
        personality_vector: Any,
        sample_image: Any,
        eval_glyphs: Glyphs | None,
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

        `weights` is an `nn.Module` (its state dict is saved) or any nesting of dict, OrderedDict,
        Counter, list, tuple, set, numbers, texts, bytes, and tensors of PyTorch or numpy, states
        of optimiser, scheduler and random generators included. What is saved is the bits, with
        shapes, strides and shared memory; of a storage only what tensors use. Nothing is changed
        or kept, and nothing is copied but for `wait=False`.

        `personality_vector` is a tensor, an array, or a (nested) list of floats, saved as float32.
        Images are PIL images, uint8 pixels (HxW, HxWx1, HxWx3 or HxWx4), PNG bytes or a path.
        `eval_glyphs` maps labels to images, or is a directory of .png files. `feedback` is a dict,
        or the path of a JSON file. The four assets may be None where `status` is "failed" or
        "interrupted".

        `training` holds the parameters of the training, in JSON's types. `architecture` describes
        the model; without it names, dtypes and shapes of the tensors are recorded. Times are
        aware datetimes: `started_at` defaults to the start of this call, `ended_at` to the
        moment when the run is published. `parent_run_id` is the run this one resumed from. With
        `create_font=False` a missing font is an error.

        >>> run_id = store.save_model("1-fruity", model, vector, image, {"A": image},
        ...                           {"metrics": {"loss": 0.03}}, training={"epochs": 40})
        >>> store.get_run_info("1-fruity", run_id).metrics
        {'loss': 0.03}

        With `wait=False` the tensors are copied and the call returns: a
        `concurrent.futures.Future` of the id, while a thread writes. Training may change the
        weights meanwhile. Bad input raises at once; what fails later raises from the future's
        `result()`. Runs of one font appear in the order of the calls; later calls that wait take
        their turn, too. Each save under way keeps its own copy of the tensors: ask for the result
        of the last one before the next to need no more than one. `cancel()` works until writing
        begins. The interpreter's exit waits for all of them.

        >>> future = store.save_model("1-fruity", model, vector, image, {}, {}, wait=False)
        >>> future.result() > run_id
        True

        Raises `TypeError` when a completed run lacks an asset, `InvalidFontIdError`,
        `InvalidInputError`, `UnsupportedDataError` with the dotted path of what cannot be stored,
        `LimitError` when the weights file would be too large, `StoreFullError`,
        `StoreAccessError`, `StoreIOError`; the store is then as it was. `NotDurableError` alone
        means that the run is there: its `run_id` tells which.
        """
        _native.check_font_id(font_text(font_id))
        assets = (weights, sample_image, eval_glyphs, feedback)
        _check_complete(status, assets)
        parts = Assets(sample_image, eval_glyphs, feedback)
        tree = None
        if weights is not None:
            tree = weights_tree(weights, personality_vector, architecture, copy=not wait)
        elif personality_vector is not None or architecture is not None:
            warn("without weights no personality vector or architecture is kept")
        about = self._about(
            font_id, training, started_at, ended_at, status, parent_run_id, create_font
        )
        line = self._line(font_id)
        # One call, where no error is to name a file of the caller's and nobody's turn comes first.
        if wait and parts.in_memory() and not background.is_under_way(line):
            return parts.save_with(self._store, font_id, about, tree)
        if tree is not None:
            self._store.check_weights(tree)  # what is refused leaves no trace
        return self._begin(font_id, about, line, wait)._save(parts, tree)

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
        """A run written step by step in a `with` block: committed on leaving it, discarded on an
        exception. Arguments as for `save_model`.

        >>> with store.begin_run("1-fruity", training={"epochs": 40}) as run:
        ...     run.set_weights(model, vector)
        ...     run.set_sample(image)
        ...     run.add_glyph("A", image)
        ...     run.set_feedback({"notes": "round"})
        >>> store.list_runs("1-fruity")[-1].run_id == run.id
        True

        With `wait=False`, `set_weights` copies the tensors, and leaving the block returns at once:
        weights are written and the run is committed in the background. `run.future` gives the id
        when it is there.

        >>> with store.begin_run("1-fruity", status="interrupted", wait=False) as run:
        ...     run.set_weights(model, vector)
        >>> run.future.result() == run.id
        True
        """
        about = self._about(
            font_id, training, started_at, ended_at, status, parent_run_id, create_font
        )
        return self._begin(font_id, about, self._line(font_id), wait, architecture)

    def _about(
        self,
        font_id: str,
        training: Mapping[str, Any] | None,
        started_at: datetime | None,
        ended_at: datetime | None,
        status: str,
        parent_run_id: str | None,
        create_font: bool,
    ) -> _native.About:
        if training is not None and not isinstance(training, Mapping):
            raise InvalidInputError(
                f"training is {type(training).__name__}, not a dict", code="invalid"
            )
        if parent_run_id == "latest":
            parent_run_id = self._store.resolve_run(font_text(font_id), "latest")
        return (
            status_number(status),
            to_microseconds(started_at, "started_at"),
            to_microseconds(ended_at, "ended_at"),
            None if training is None else json_tree(dict(training), "training"),
            optional_text(parent_run_id, "parent_run_id"),
            create_font,
        )

    def _line(self, font_id: str) -> background.Line:
        return os.path.abspath(self._store.path()), font_text(font_id)

    def _begin(
        self,
        font_id: str,
        about: _native.About,
        line: background.Line,
        wait: bool,
        architecture: Mapping[str, Any] | None = None,
    ) -> RunDraft:
        native = self._store.draft(font_text(font_id), about)
        try:
            return RunDraft(self._store, native, architecture, line=line, wait=wait)
        except BaseException:  # Ctrl-C
            native.discard()
            raise


def _check_complete(status: str, assets: tuple[Any, ...]) -> None:
    missing = [name for name, asset in zip(_REQUIRED, assets) if asset is None]
    if status == "completed" and missing:
        raise TypeError(
            f"a completed run needs {' and '.join(missing)};"
            " give them, or status='failed' or 'interrupted'"
        )
