"""A run that is being written: begin_run."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from fontkeep import _native
from fontkeep.convert import Adapter, personality
from fontkeep.errors import FontKeepError
from fontkeep.images import Pixels, glyph_list, read_file, to_pixels
from fontkeep.text import path_text, plain_text

Feedback = Mapping[str, Any] | str | os.PathLike[str]


def weights_tree(weights: Any, vector: Any, architecture: Any, copy: bool = False) -> Any:
    """The three as values; what they share stays shared."""
    items = (
        ("weights", weights),
        ("personality_vector", personality(vector)),
        ("architecture", architecture),
    )
    return _native.tree(items, Adapter(), copy)


def json_tree(value: Any, name: str) -> Any:
    """Numbers, texts and plain containers as a value."""
    return _native.tree(((name, value),), Adapter(numbers=True), False)


def feedback_source(feedback: Any) -> Any:
    """Feedback as the extension takes it: a value, or the bytes of a JSON file."""
    if isinstance(feedback, (str, os.PathLike)):
        return read_file(feedback, "feedback")
    if isinstance(feedback, Mapping) and not isinstance(feedback, dict):
        feedback = dict(feedback)
    return json_tree(feedback, "feedback")


class RunDraft:
    """A run under way, made by `Store.begin_run`.

    In a `with` statement it is committed on leaving and discarded on an exception; `id` is the run
    id then.
    """

    def __init__(self, native: _native.Draft, architecture: Mapping[str, Any] | None) -> None:
        self._native: _native.Draft | None = native
        self._architecture = architecture
        self._lock = threading.Lock()
        self.id: str | None = None

    def set_weights(
        self,
        weights: Any,
        personality_vector: Any,
        architecture: Mapping[str, Any] | None = None,
    ) -> None:
        """Writes the weights file. Only the tensors' memory is looked at, no copy is made."""
        if weights is None:
            raise TypeError("weights are None")
        if architecture is None:
            architecture = self._architecture
        tree = weights_tree(weights, personality_vector, architecture)
        self._call("set_weights", tree)

    def set_sample(self, image: Any) -> None:
        """Writes the sample image."""
        self._call("add_image", None, *to_pixels(image, "sample_image"))

    def add_glyph(self, label: str, image: Any) -> None:
        """Writes one evaluation glyph."""
        label = plain_text(label, "glyph label")
        self._call("add_image", label, *to_pixels(image, f"glyph {label!r}"))

    def add_glyphs(self, glyphs: Mapping[str, Any] | str | os.PathLike[str]) -> None:
        """Writes the glyphs of a mapping, or of a directory of .png files."""
        if isinstance(glyphs, Mapping):
            self._add_pixels(glyph_list(glyphs))
        else:
            self._call("add_glyph_directory", path_text(glyphs, "eval_glyphs"))

    def set_feedback(self, feedback: Feedback) -> None:
        """Writes feedback.json from a dict, or from a JSON file."""
        self._call("set_feedback", feedback_source(feedback))

    def commit(self) -> str:
        """Publishes the run and returns its id. Nothing can be added after that."""
        try:
            self.id = self._call("commit")
        except FontKeepError as error:
            self.id = getattr(error, "run_id", None)
            raise
        finally:
            self._native = None
        return str(self.id)

    def discard(self) -> None:
        """Removes everything written so far."""
        if self._native is not None:
            self._call("discard")
            self._native = None

    def _add_pixels(self, glyphs: list[tuple[str, Pixels]]) -> None:
        for label, pixels in glyphs:
            self._call("add_image", label, *pixels)

    def _call(self, name: str, *arguments: Any) -> Any:
        with self._lock:  # a draft is used by one thread at a time
            if self._native is None:
                raise TypeError("the run is committed or discarded already; begin another run")
            return getattr(self._native, name)(*arguments)

    def __enter__(self) -> RunDraft:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            self.discard()
        elif self._native is not None:
            self.commit()
