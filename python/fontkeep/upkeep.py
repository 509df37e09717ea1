"""Upkeep: is a store whole, and what was left behind in it."""

from __future__ import annotations

from fontkeep import _native
from fontkeep.handle import Handle
from fontkeep.metadata import from_record
from fontkeep.reports import Recovery, Selftest, StoreStatus, Verification
from fontkeep.text import StrPath, font_text, optional_text, path_text


class Upkeep(Handle):
    """The part of a store that checks and mends it."""

    def verify(self, font_id: str | None = None, run_id: str | None = None) -> Verification:
        """Checks every byte of a run, of a font, or of the whole store, SHA-256 included.

        Damage is reported, not raised: `damaged` counts, and each run has its deep health and
        `problems`, with file, tensor and byte range.

        >>> report = store.verify()
        >>> report.checked, report.damaged
        (1, 0)
        """
        font = None if font_id is None else font_text(font_id)
        if font is None and run_id is not None:
            raise TypeError("verify with a run_id needs a font_id")
        records = self._store.verify(font, optional_text(run_id, "run_id"))
        return Verification.of([from_record(record) for record in records])

    def recover(self) -> Recovery:
        """Removes what killed processes left behind. Never touches a run.

        >>> store.recover().removed
        []
        """
        return Recovery(**self._store.recover())

    def status(self) -> StoreStatus:
        """What stands in the store, looked at shallowly.

        >>> status = store.status()
        >>> status.fonts, status.runs, status.by_health["complete"], status.stages
        (1, 1, 1, 0)
        """
        return StoreStatus(**self._store.status())

    def selftest(self, directory: StrPath | None = None) -> Selftest:
        """Tests the disk of a directory, the store's by default: what its file system can do, and
        whether runs stay whole when a process is killed at any moment.

        Works in a hidden directory within, which is gone afterwards, and takes some seconds. What
        is killed are forks of this process: call it where no other thread is at work. It cannot
        show what a power cut does.

        >>> report = store.selftest("/dev/shm")
        >>> report.fit, report.violations
        (True, 0)
        """
        target = self._store.path() if directory is None else path_text(directory)
        return Selftest(**_native.selftest(target))
