"""Looking: what fonts and runs there are in a store."""

from __future__ import annotations

import os

from fontkeep import _native
from fontkeep.errors import InvalidInputError, not_available
from fontkeep.handle import Handle, warn
from fontkeep.metadata import RunMetadata, from_record
from fontkeep.reports import Inspection
from fontkeep.text import StrPath, font_text, optional_text, path_text, plain_text


class Listing(Handle):
    """The part of a store that tells what is there."""

    def list_fonts(self) -> list[str]:
        """All font ids, by number, then name.

        >>> store.list_fonts()
        ['1-fruity']
        """
        return [font_id for font_id, _, _ in self._store.fonts()]

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

        At most `limit`; `reverse` lists the newest first; `after` goes on behind that run, towards
        older ones with `reverse`. A damaged run is a row with its `health` and `problems`. `where`
        and `sort` are not available yet.

        >>> for run in store.list_runs("1-fruity", reverse=True, limit=10):
        ...     print(run.status, run.health, run.metrics)
        completed complete {'loss': 0.03}
        """
        if where is not None or sort is not None:
            raise not_available("list_runs with where or sort")
        if limit is not None and limit < 0:
            raise InvalidInputError(f"limit {limit} is negative", code="invalid")
        rows, warning = self._store.runs(
            font_text(font_id), limit or 0, optional_text(after, "after"), reverse
        )
        if warning is not None:
            warn(warning)
        return [] if limit == 0 else [from_record(row) for row in rows]

    def get_run_info(self, font_id: str, run_id: str) -> RunMetadata:
        """The metadata of one run, with the files of its manifest and their digests.

        `run_id` is a full id, its twin without colons, or "latest".

        >>> info = store.get_run_info("1-fruity", "latest")
        >>> info.training, info.personality
        ({'epochs': 40}, {'dtype': 'float32', 'shape': [64]})
        >>> [file.path for file in info.files]
        ['eval-glyphs/A.png', 'feedback.json', 'sample.png', 'weights']
        """
        record = self._store.run_info(font_text(font_id), optional_text(run_id, "run_id"))
        return from_record(record)

    def resolve_run(self, font_id: str, text: str) -> str:
        """The full id of a run id, its twin without colons, an unambiguous prefix, or "latest".

        >>> store.resolve_run("1-fruity", run_id[:10]) == run_id
        True
        """
        return self._store.resolve_run(font_text(font_id), plain_text(text, "run"))

    def inspect(self, target: StrPath, run_id: str | None = None) -> Inspection:
        """What a checkpoint file, or the weights of a run of the font `target`, hold. Nothing is
        executed; what would be is listed in `findings`. Without `run_id`, a target that is no font
        id, or names a file, is a file.

        >>> torch.save({"w": torch.zeros(2, 3)}, "downloaded.pt")
        >>> report = store.inspect("downloaded.pt")
        >>> report.format, report.tensors[0].name, report.tensors[0].shape, report.findings
        ('pytorch-zip', 'w', (2, 3), [])
        """
        text = os.fspath(target)
        is_file = not (isinstance(target, str) and _is_font_id(text)) or os.path.exists(text)
        if run_id is None and is_file:
            return Inspection.of(_native.inspect_file(path_text(target)))
        return Inspection.of(
            self._store.inspect_run(font_text(text), optional_text(run_id, "run_id"))
        )


def _is_font_id(text: str) -> bool:
    try:
        _native.check_font_id(text)
    except ValueError:  # InvalidFontIdError, or what is no UTF-8
        return False
    return True
