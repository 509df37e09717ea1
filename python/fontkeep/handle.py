"""What every part of a store stands on: the directory and how it is used."""

from __future__ import annotations

import os
import warnings
from typing import Any, Literal

from fontkeep import _native
from fontkeep.errors import FontKeepWarning, InvalidInputError
from fontkeep.text import StrPath, path_text

DEFAULT_MAX_WEIGHTS_BYTES = 500_000_000


def warn(message: str) -> None:
    """A warning at the line that called the store."""
    warnings.warn(message, FontKeepWarning, stacklevel=3)


class Handle:
    """An open store."""

    def __init__(
        self,
        path: StrPath | None = None,
        *,
        create: bool = False,
        create_runs: bool = True,
        max_weights_bytes: int = DEFAULT_MAX_WEIGHTS_BYTES,
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
        raw = None if path is None else os.fsencode(path_text(path))
        self._opened = _native.Store(
            raw, create, create_runs, max_weights_bytes, durability == "full"
        )
        self._options = (create_runs, max_weights_bytes, durability)

    @property
    def _store(self) -> _native.Store:
        return self._opened

    @property
    def path(self) -> str:
        """The store's directory, as it was given.

        >>> store.path
        'networks'
        """
        return self._store.path()

    def init(self) -> str:
        """Makes `.fontkeep/store.json` when it is missing, and returns the store's id, a UUID.

        Saving does so by itself.

        >>> store.init() == store.status().store_id
        True
        """
        return self._store.init()

    def __repr__(self) -> str:
        return f"fontkeep.Store({self.path!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return (_reopen, (type(self), self.path, *self._options))


def _reopen(
    kind: type[Handle],
    path: str,
    create_runs: bool,
    max_weights_bytes: int,
    durability: Literal["full", "none"],
) -> Handle:
    """A store that vanished meanwhile is not made again."""
    return kind(
        path,
        create_runs=create_runs,
        max_weights_bytes=max_weights_bytes,
        durability=durability,
    )
