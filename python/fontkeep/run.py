"""A run that is open: everything it holds, read and checked when it is asked for."""

from __future__ import annotations

import os
import re
import threading
from typing import Any, Protocol

from fontkeep import _native
from fontkeep.errors import CorruptRunError, IncompleteRunError, InvalidInputError
from fontkeep.images import from_png
from fontkeep.metadata import RunMetadata, from_record
from fontkeep.tensors import builder

_NON_FINITE = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}
_ESCAPE = re.compile(r"uni([0-9A-F]{4})|u([0-9A-F]{5,6})")


def _with_non_finite(value: Any) -> Any:
    """JSON has no NaN: numbers that are not finite are written as these texts."""
    if isinstance(value, dict):
        return {name: _with_non_finite(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_with_non_finite(item) for item in value]
    return _NON_FINITE.get(value, value) if isinstance(value, str) else value


def _label(stem: str) -> str:
    """The label of a glyph file: the stem, unescaped where it is written as uniXXXX or uXXXXX."""
    matches = [_ESCAPE.fullmatch(part) for part in stem.split("_")]
    if not all(matches):
        return stem
    codes = [int(match[1] or match[2], 16) for match in matches if match is not None]
    if any(code > 0x10FFFF or 0xD800 <= code < 0xE000 for code in codes):
        return stem
    return "".join(map(chr, codes))


class Opener(Protocol):
    """The store of a run."""

    def open_run(self, font_id: str, run_id: str | None = None) -> Run: ...


class Run:
    """One run of a font, made by `Store.open_run`. Many threads may use it.

    Every file comes from the same generation and is checked against the manifest when it is first
    read. A missing one raises `IncompleteRunError`, a damaged one `CorruptRunError`. A run can be
    pickled, for the workers of a data loader: the other process opens it anew.

    >>> run = store.open_run("1-fruity")
    >>> run
    <fontkeep.Run 1-fruity ...>
    """

    def __init__(self, native: _native.Run, store: Opener) -> None:
        self._native = native
        self._store = store
        self._lock = threading.RLock()  # a run is used by one thread at a time
        self._metadata = from_record(native.info())
        self._contents: tuple[Any, Any, Any] | None = None
        self._feedback: dict[str, Any] | None = None

    @property
    def id(self) -> str:
        """The run id.

        >>> run.id == run.metadata.run_id
        True
        """
        return self._metadata.run_id

    @property
    def metadata(self) -> RunMetadata:
        """What the manifest says, with shallow health.

        >>> run.metadata.training
        {'epochs': 40}
        """
        return self._metadata

    @property
    def weights(self) -> Any:
        """What was saved as weights; loaded by the first use, as `Store.load_model` does.

        >>> sorted(run.weights)
        ['bias', 'weight']
        """
        return self._loaded()[0]

    @property
    def personality_vector(self) -> Any:
        """A tensor in memory of its own, or None in a run whose weights have none.

        >>> run.personality_vector.shape
        torch.Size([64])
        """
        return self._loaded()[1]

    @property
    def architecture(self) -> Any:
        """What was given, or else dtypes and shapes; None in a run of weights version v0.

        >>> run.architecture["tensors"]["bias"]["dtype"]
        'float32'
        """
        return self._loaded()[2]

    @property
    def feedback(self) -> dict[str, Any]:
        """The object of feedback.json; non-finite numbers of known members are floats.

        >>> run.feedback
        {'feedback_schema': '1.0', 'metrics': {'loss': 0.03}}
        """
        with self._lock:
            if self._feedback is None:
                feedback = self._feedback_object()
                for name in ("metrics", "loss_history"):
                    if name in feedback:
                        feedback[name] = _with_non_finite(feedback[name])
                self._feedback = feedback
            return self._feedback

    def sample_image(self) -> Any:
        """The sample: a PIL image where PIL can be imported, else the bytes of the PNG file.

        >>> run.sample_image().size
        (32, 32)
        """
        return from_png(self._read("sample.png"))

    def eval_glyphs(self) -> dict[str, Any]:
        """The evaluation glyphs: label -> image, as `sample_image` gives it.

        >>> list(run.eval_glyphs())
        ['A']
        """
        if self._metadata.manifest_version is None:
            names = self._glyph_names_on_disk()
        else:
            names = [
                (file.label, file.path) for file in self._metadata.files if file.label is not None
            ]
        return {label: from_png(self._read(path)) for label, path in names}

    def _glyph_names_on_disk(self) -> list[tuple[str, str]]:
        """Of a run without a manifest."""
        directory = os.path.join(self._metadata.path, "eval-glyphs")
        try:
            names = sorted(name for name in os.listdir(directory) if name.endswith(".png"))
        except FileNotFoundError:
            raise IncompleteRunError(
                f"run '{self.id}' has no 'eval-glyphs'",
                code="incomplete",
                hint="restore it from a copy",
                path=directory,
            ) from None
        return [(_label(name.removesuffix(".png")), f"eval-glyphs/{name}") for name in names]

    def _feedback_object(self) -> dict[str, Any]:
        """What an older program wrote may be anything."""
        text = self._read("feedback.json")
        try:
            feedback = _native.json_read(text)
            fault = f"it holds a {type(feedback).__name__}, not an object"
        except InvalidInputError as error:
            feedback, fault = None, error.args[0]
        if isinstance(feedback, dict):
            return feedback
        raise CorruptRunError(
            f"'feedback.json' of run '{self.id}' cannot be used: {fault}",
            code="corrupt",
            hint="restore the file from a copy",
            path=os.path.join(self._metadata.path, "feedback.json"),
        )

    def _read(self, path: str) -> bytes:
        with self._lock:
            return self._native.read_file(path)

    def _loaded(self) -> tuple[Any, Any, Any]:
        with self._lock:
            if self._contents is None:
                self._contents = self._native.load_weights().contents(builder())
            return self._contents

    def __reduce__(self) -> tuple[Any, ...]:
        """Opened anew by the process that unpickles it."""
        return (_reopen, (self._store, self._metadata.font_id, self.id))

    def __repr__(self) -> str:
        return f"<fontkeep.Run {self._metadata.font_id} {self.id}>"


def _reopen(store: Opener, font_id: str, run_id: str) -> Run:
    return store.open_run(font_id, run_id)
