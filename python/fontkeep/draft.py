"""A run that is being written: begin_run."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from types import TracebackType
from typing import Any, NoReturn

from fontkeep import _native, background
from fontkeep.convert import Adapter, personality
from fontkeep.errors import FontKeepError
from fontkeep.images import glyph_source, read_file, to_pixels
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


@contextlib.contextmanager
def feedback_named(feedback: Any) -> Iterator[None]:
    """An error about what a file of the user holds names that file."""
    try:
        yield
    except FontKeepError as error:
        if isinstance(feedback, (str, os.PathLike)) and error.path in (None, "feedback.json"):
            error.path = path_text(feedback, "feedback")
        raise


class Assets:
    """Sample, glyphs and feedback as the extension takes them, judged before anything is made."""

    def __init__(self, sample_image: Any, eval_glyphs: Any, feedback: Any) -> None:
        self._sample = None if sample_image is None else to_pixels(sample_image, "sample_image")
        self._glyphs = [] if eval_glyphs is None else glyph_source(eval_glyphs)
        self._feedback = None if feedback is None else feedback_source(feedback)
        self._feedback_given = feedback

    def in_memory(self) -> bool:
        """None of them is a file or directory of the user's, whose errors name it."""
        return isinstance(self._glyphs, list) and not isinstance(self._feedback, bytes)

    def save_with(
        self, store: _native.Store, font_id: str, about: _native.About, tree: Any
    ) -> str:
        """A whole run in one call; they are in memory."""
        assert isinstance(self._glyphs, list)
        return store.save(font_id, about, tree, self._sample, self._glyphs, self._feedback)

    def add_to(self, draft: RunDraft) -> None:
        if self._sample is not None:
            draft._call("add_image", None, self._sample)
        draft._add_glyphs(self._glyphs)
        if self._feedback is not None:
            with feedback_named(self._feedback_given):
                draft._call("set_feedback", self._feedback)


class RunDraft:
    """A run under way, made by `Store.begin_run` and used in a `with` block.

    Leaving the block commits it, an exception discards it. A part that is refused leaves the draft
    usable. Many threads may add parts.
    """

    id: str | None
    """The run id once the run is committed, else None."""

    future: Future[str] | None
    """With `wait=False`, behind the block: the run id to come."""

    def __init__(
        self,
        store: _native.Store,
        native: _native.Draft,
        architecture: Mapping[str, Any] | None,
        *,
        line: background.Line,
        wait: bool,
    ) -> None:
        self._store = store
        self._native: _native.Draft | None = native
        self._architecture = architecture
        self._line = line
        self._wait = wait
        self._tree: Any = None  # a copy of the weights, to be written in the background
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self.id = None
        self.future = None

    def set_weights(
        self,
        weights: Any,
        personality_vector: Any,
        architecture: Mapping[str, Any] | None = None,
    ) -> None:
        """Writes the weights file; arguments as for `Store.save_model`.

        No copy is made, so the tensors should rest during the call. With `wait=False` they are
        copied, and written behind the block.

        >>> with store.begin_run("1-fruity", status="interrupted") as run:
        ...     run.set_weights({"model": model.state_dict(), "epoch": 7}, vector)
        """
        if weights is None:
            raise TypeError("weights are None")
        if architecture is None:
            architecture = self._architecture
        tree = weights_tree(weights, personality_vector, architecture, copy=not self._wait)
        if not self._wait:
            self._check_open()
            self._store.check_weights(tree)  # else that happens when they are written
        self._take(tree)

    def set_sample(self, image: Any) -> None:
        """Writes the sample image.

        >>> with store.begin_run("1-fruity", status="interrupted") as run:
        ...     run.set_sample(image)
        """
        self._call("add_image", None, to_pixels(image, "sample_image"))

    def add_glyph(self, label: str, image: Any) -> None:
        """Writes one evaluation glyph.

        >>> with store.begin_run("1-fruity", status="interrupted") as run:
        ...     run.add_glyph("ampersand", image)
        """
        label = plain_text(label, "glyph label")
        self._call("add_image", label, to_pixels(image, f"glyph {label!r}"))

    def add_glyphs(self, glyphs: Mapping[str, Any] | str | os.PathLike[str]) -> None:
        """Writes the glyphs of a mapping of labels to images, or of a directory of .png files,
        whose stems are the labels.

        >>> with store.begin_run("1-fruity", status="interrupted") as run:
        ...     run.add_glyphs({"A": image, "B": image})
        """
        self._add_glyphs(glyph_source(glyphs))

    def set_feedback(self, feedback: Feedback) -> None:
        """Writes feedback.json from a dict, or from a JSON file.

        >>> with store.begin_run("1-fruity", status="interrupted") as run:
        ...     run.set_feedback({"metrics": {"loss": 0.5}, "notes": "stopped early"})
        """
        with feedback_named(feedback):
            self._call("set_feedback", feedback_source(feedback))

    def commit(self) -> str:
        """Publishes the run and returns its id, without a `with` block. Always waits. Nothing can
        be added after that.

        >>> run = store.begin_run("1-fruity", status="interrupted")
        >>> run.commit() == run.id
        True
        """
        self._check_open()
        background.wait(self._line)
        return self._publish()

    def discard(self) -> None:
        """Removes everything written so far. A run that waits to be written in the background is
        cancelled; one that is published stays.

        >>> run = store.begin_run("1-fruity")
        >>> run.discard()
        """
        if self.future is None or self.future.cancel():
            self._drop()

    def _take(self, tree: Any) -> None:
        """Weights: written now, or kept for later."""
        if self._wait:
            self._call("set_weights", tree)
            return
        self._check_open()
        if self._tree is not None:
            raise TypeError("the weights of this run were set already; set each part once")
        self._tree = tree

    def _save(self, assets: Assets, tree: Any) -> str | Future[str]:
        """Of weights that were checked. Small things first: what is wrong with them shows before
        the weights are written."""
        try:
            assets.add_to(self)
            if tree is not None:
                self._take(tree)
            return self._leave()
        except BaseException:
            self.discard()
            raise

    def _leave(self) -> str | Future[str]:
        try:
            return self.commit() if self._wait else self._hand_over()
        except BaseException:
            self.discard()
            raise

    def _hand_over(self) -> Future[str]:
        self._check_open()
        future = self.future = background.BackgroundSave()  # first: Ctrl-C finds it to cancel
        background.submit(future, self._line, self._publish, self._drop)
        return future

    def _publish(self) -> str:
        """In the thread of the caller, or in the background."""
        try:
            if self._tree is not None:
                self._locked("set_weights", self._tree)
                self._tree = None  # the copy is needed no more
            self.id = self._locked("commit")
        except FontKeepError as error:
            self.id = getattr(error, "run_id", None)
            raise
        finally:
            self._drop()
        return str(self.id)

    def _drop(self) -> None:
        with self._lock:
            native, self._native = self._native, None
            self._tree = None
            if native is not None:
                native.discard()

    def _add_glyphs(self, glyphs: list[tuple[str, _native.Pixels]] | str) -> None:
        if isinstance(glyphs, str):
            self._call("add_glyph_directory", glyphs)
            return
        for label, pixels in glyphs:
            self._call("add_image", label, pixels)

    def _check_open(self) -> None:
        if self._pid != os.getpid():
            raise TypeError(f"the run belongs to process {self._pid}; begin one after the fork")
        if self._native is None or self.future is not None:
            raise TypeError("the run is committed or discarded already; begin another run")

    def _call(self, name: str, *arguments: Any) -> Any:
        self._check_open()
        return self._locked(name, *arguments)

    def _locked(self, name: str, *arguments: Any) -> Any:
        with self._lock:  # a draft is used by one thread at a time
            if self._native is None:
                self._check_open()
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
        elif self._native is not None and self.future is None:
            self._leave()

    def __reduce__(self) -> NoReturn:
        raise TypeError("a run that is being written cannot be pickled; begin it where it is saved")
