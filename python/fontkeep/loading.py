"""Loading: what a run of a store holds, verified."""

from __future__ import annotations

from typing import Any

from fontkeep.handle import Handle, warn
from fontkeep.metadata import Problem, RunMetadata, from_record
from fontkeep.run import Run
from fontkeep.tensors import builder
from fontkeep.text import StrPath, font_text, optional_text, path_text


def _told(problem: Problem) -> str:
    if problem.path is None:
        return problem.message
    return f"{problem.path}: {problem.message}"


class Loading(Handle):
    """The part of a store that reads runs."""

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

        Without `run_id`, or with "latest", it is the newest run that completed. `run_id` may be
        the twin without colons. Weights come back as they were saved: torch tensors where PyTorch
        can be imported, else numpy arrays, all views of one buffer that lives as long as one of
        them does. They may be written to; the store never sees it. The personality vector is
        memory of its own, or None in a file of version v0.

        `verify=False` skips the digests and loads past a damaged manifest, with a warning.
        `strict` makes missing or damaged images and feedback an error; else they are warnings and
        `metadata.problems`. `fallback` takes the newest run that verifies when the latest cannot
        be loaded, with a warning. `mmap` checks the file and then maps it instead of reading it
        into memory: faster, for evaluation; the file must not be changed or cut meanwhile.

        `salvage` gives what is intact of damaged weights. A lost tensor is left out and told in
        `metadata.problems` (code "digest", its dotted path, the bytes in the file): the entry of a
        dict goes, in a list or tuple None stands for it, a lost personality vector is None. Bytes
        are never made up. It cannot be joined with `verify=False`, for it tells by checking.

        >>> weights, vector, metadata = store.load_model("1-fruity")
        >>> model.load_state_dict(weights)
        <All keys matched successfully>
        >>> metadata.health
        'complete'
        >>> weights, _, _ = store.load_model("1-fruity", run_id, mmap=True)
        >>> weights, _, metadata = store.load_model("1-fruity", run_id, salvage=True)
        >>> [problem.tensor for problem in metadata.problems]  # what was lost
        []

        Raises `FontNotFoundError`, `RunNotFoundError`; `CorruptRunError` that names the tensor,
        its bytes and the newest run that verifies, with `salvage` only when nothing is left;
        `IncompleteRunError` when the weights are missing; `UnsupportedVersionError`;
        `StoreIOError`.
        """
        loaded = self._store.load(
            font_text(font_id),
            optional_text(run_id, "run_id"),
            verify,
            strict,
            fallback,
            mmap,
            salvage,
        )
        metadata = from_record(loaded.info())
        weights, personality_vector, _ = loaded.contents(builder())
        for problem in metadata.problems:
            warn(f"{metadata.font_id} {metadata.run_id}: {_told(problem)}")
        return weights, personality_vector, metadata

    def open_run(self, font_id: str, run_id: str | None = None) -> Run:
        """A run whose parts are read, and checked, when they are asked for; without `run_id` the
        latest.

        >>> run = store.open_run("1-fruity")
        >>> run.feedback["metrics"]
        {'loss': 0.03}
        """
        native = self._store.open_run(font_text(font_id), optional_text(run_id, "run_id"))
        return Run(native, self)

    def export_personality(
        self,
        font_id: str,
        path: StrPath,
        *,
        run_id: str | None = None,
        format: str | None = None,
    ) -> None:
        """Writes the personality vector of a run, exactly, to a file.

        `format` is "json", "csv", "npy" or "pt"; by default what the suffix of `path` says.

        >>> store.export_personality("1-fruity", "vector.npy")
        >>> numpy.load("vector.npy").shape
        (64,)
        """
        self._store.export_personality(
            font_text(font_id),
            optional_text(run_id, "run_id"),
            path_text(path),
            optional_text(format, "format"),
        )

    def copy_run(
        self,
        font_id: str,
        directory: StrPath,
        *,
        run_id: str | None = None,
        salvage: bool = False,
    ) -> RunMetadata:
        """Copies a run's files, each verified, into a new or empty directory.

        Damaged weights or a damaged manifest raise and nothing is written; a damaged image or
        feedback is left out and told in `problems`. With `salvage`, damaged weights are written as
        a new checkpoint without the lost tensors, and no manifest: it is of other files.

        >>> store.copy_run("1-fruity", "copy").problems
        ()
        """
        record = self._store.copy_run(
            font_text(font_id), optional_text(run_id, "run_id"), path_text(directory), salvage
        )
        return from_record(record)
