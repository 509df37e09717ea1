"""The store: the directory that keeps all fonts."""

from __future__ import annotations

from typing import Any

from fontkeep import _native
from fontkeep.handle import DEFAULT_MAX_WEIGHTS_BYTES
from fontkeep.listing import Listing
from fontkeep.loading import Loading
from fontkeep.mending import Mending
from fontkeep.saving import Saving
from fontkeep.trash import Trash
from fontkeep.upkeep import Upkeep


class Store(Saving, Loading, Listing, Upkeep, Mending, Trash):
    """A store of personality fonts. Many threads may use one at once, and so may many processes:
    it can be pickled, and a forked child may go on with it.

    Without `path` it is $FONTKEEP_STORE, else ./networks. A missing directory raises
    `StoreNotFoundError` at once unless `create`; an empty one is an empty store. With
    `create_runs=False` a font that lost its `runs/` is an error instead of being mended. Weights
    files above `max_weights_bytes` (500,000,000) are not saved; loading has no limit.
    `durability="none"` syncs nothing: for tests, a power cut may then lose runs.

    >>> store = fontkeep.Store("networks", create=True)
    >>> fontkeep.Store("no-such-directory")
    Traceback (most recent call last):
        ...
    fontkeep.errors.StoreNotFoundError: ...
    """


class DefaultStore(Store):
    """What the functions of the module work on: $FONTKEEP_STORE, else ./networks, looked up by
    each call."""

    def __init__(self) -> None:
        pass

    @property
    def _store(self) -> _native.Store:
        return _native.Store(None, False, True, DEFAULT_MAX_WEIGHTS_BYTES, True)

    def __repr__(self) -> str:
        return "<fontkeep: the default store>"

    def __reduce__(self) -> tuple[Any, ...]:
        return (_the_default, ())


default = DefaultStore()


def _the_default() -> DefaultStore:
    return default
