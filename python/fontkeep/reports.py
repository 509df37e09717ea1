"""What verify, recover, status and inspect answer: the members of the command's JSON, by attribute
or by key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

from fontkeep.metadata import Problem, RunMetadata

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
