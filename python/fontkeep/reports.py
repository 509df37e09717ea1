"""What looking at a store and mending it answer: the members of the command's JSON, by attribute
or by key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from fontkeep.metadata import Problem, RunMetadata
from fontkeep.text import from_microseconds

_DAMAGED = ("corrupt", "incomplete", "unsupported")


class _Report(Mapping[str, Any]):
    """A dataclass that can be read as a mapping, too."""

    def __getitem__(self, name: str) -> Any:
        if name not in self._names():
            raise KeyError(name)
        return getattr(self, name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names())

    def __len__(self) -> int:
        return len(self._names())

    def _names(self) -> list[str]:
        return [member.name for member in fields(self)]


@dataclass(frozen=True)
class Verification(_Report):
    """Every run checked, with deep health; `damaged` counts corrupt, incomplete and unsupported.

    A font whose runs cannot be looked at is one row, too, with an empty `run_id`.
    """

    checked: int
    damaged: int
    runs: list[RunMetadata]

    @classmethod
    def of(cls, runs: list[RunMetadata]) -> Verification:
        return cls(len(runs), sum(run.health in _DAMAGED for run in runs), runs)


@dataclass(frozen=True)
class Recovery(_Report):
    """Paths, relative to the store, that were removed; `kept` has dicts of `path` and `reason`."""

    removed: list[str]
    kept: list[dict[str, str]]


@dataclass(frozen=True)
class StoreStatus(_Report):
    """What stands in a store; `by_health` is shallow."""

    store: str
    store_id: str | None
    fonts: int
    runs: int
    by_health: dict[str, int]
    stages: int
    trash_bytes: int
    strangers: list[str]


@dataclass(frozen=True)
class Selftest(_Report):
    """What a test of a disk found.

    `primitives` has dicts of `name`, `works` and `instead`: what fontkeep does where it does not.
    `kills` processes were killed on the way; after `violations` of them a promise did not hold.
    `verdict` says it in a sentence, `fit` in a word.
    """

    dir: str
    file_system: str
    primitives: list[dict[str, Any]]
    kills: int
    violations: int
    verdict: str
    fit: bool


@dataclass(frozen=True)
class Change(_Report):
    """What became of a run; `changed` are the files of its new generation that are new, or others
    than before, and none where there was nothing to do."""

    font_id: str
    run_id: str
    changed: list[str]


@dataclass(frozen=True)
class Changes(_Report):
    """The runs that have a new generation; the ones before are in the trash."""

    runs: list[Change]

    @classmethod
    def of(cls, records: list[dict[str, Any]]) -> Changes:
        return cls(
            [
                Change(record["font_id"], record["run_id"], record["changed"])
                for record in records
                if record["refusal"] is None
            ]
        )


@dataclass(frozen=True)
class Removal(_Report):
    """What rm moved to the trash; `bytes` is what purging it would free, `run_id` None for a font.
    """

    font_id: str
    run_id: str | None
    trash_id: str
    bytes: int

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Removal:
        return cls(record["font_id"], record["run_id"], record["trash_id"], record["bytes"])


@dataclass(frozen=True)
class TrashEntry(_Report):
    """A removed font or run, or a generation of a run that a newer one replaced."""

    trash_id: str
    font_id: str
    run_id: str | None
    bytes: int
    removed_at: datetime | None

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> TrashEntry:
        members = {**record}
        removed_at = from_microseconds(members.pop("removed_at_us"))
        return cls(**members, removed_at=removed_at)


@dataclass(frozen=True)
class Restoration(_Report):
    """What came back from the trash; `run_id` is None for a font."""

    font_id: str
    run_id: str | None


@dataclass(frozen=True)
class Purge(_Report):
    """The trash ids of what was removed for good, and the bytes that freed."""

    removed: list[str]
    bytes: int

    @classmethod
    def of(cls, records: list[dict[str, Any]]) -> Purge:
        return cls(
            [record["trash_id"] for record in records], sum(record["bytes"] for record in records)
        )


@dataclass(frozen=True)
class TensorInfo(_Report):
    """A tensor in a file: `name` is its dotted path in the stored object."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    bytes: int


@dataclass(frozen=True)
class Inspection(_Report):
    """What a checkpoint file holds, and anything suspicious about it."""

    format: str
    tensors: list[TensorInfo]
    findings: list[Problem]

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Inspection:
        tensors = [TensorInfo(**tensor) for tensor in record["tensors"]]
        return cls(record["format"], tensors, [Problem(*found) for found in record["findings"]])
