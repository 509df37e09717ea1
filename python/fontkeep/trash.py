"""Removal with a way back: rm, trash, restore, purge."""

from __future__ import annotations

from fontkeep.handle import Handle
from fontkeep.reports import Purge, Removal, Restoration, TrashEntry
from fontkeep.text import font_text, optional_text, plain_text


class Trash(Handle):
    """The part of a store that removes, and brings back."""

    def rm(self, font_id: str, run_id: str | None = None) -> Removal:
        """Moves a run, whatever its health, to the trash; without `run_id` the whole font.

        >>> removal = store.rm("1-fruity", "latest")
        >>> removal.trash_id == f"1-fruity/{removal.run_id}.1"
        True
        """
        record = self._store.rm(font_text(font_id), optional_text(run_id, "run_id"))
        return Removal.of(record)

    def trash(self) -> list[TrashEntry]:
        """What was removed, or replaced by a newer generation, and was not purged yet; `bytes` is
        what purging would free.

        >>> removal = store.rm("1-fruity", run_id)
        >>> [entry.trash_id == removal.trash_id for entry in store.trash()]
        [True]
        """
        return [TrashEntry.of(record) for record in self._store.trash()]

    def restore(self, trash_id: str) -> Restoration:
        """Brings an entry of the trash back. A generation of a run that is there becomes its
        newest; the one that was there goes to the trash.

        >>> store.rm("1-fruity").trash_id
        '1-fruity.1'
        >>> store.restore("1-fruity.1")
        Restoration(font_id='1-fruity', run_id=None)
        """
        record = self._store.restore(plain_text(trash_id, "trash_id"))
        return Restoration(record["font_id"], record["run_id"])

    def purge(self, trash_id: str | None = None) -> Purge:
        """Removes an entry of the trash, or all of it, for good.

        >>> store.purge()
        Purge(removed=[], bytes=0)
        """
        return Purge.of(self._store.purge(optional_text(trash_id, "trash_id")))
