"""What is known of a run: RunMetadata, and what it is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from fontkeep.text import from_microseconds


@dataclass(frozen=True)
class Problem:
    """Something wrong, or worth knowing, about one run.

    `code` is "manifest", "missing", "size", "digest", "version", "unverified" or "stranger"; `path`
    is the file concerned, relative to the run's directory, `offset` and `length` are bytes of it.
    """

    code: str
    path: str | None
    tensor: str | None
    offset: int | None
    length: int | None
    message: str


@dataclass(frozen=True)
class RunFile:
    """One file that the manifest lists; digests are one for each piece of 16 MiB."""

    path: str
    size: int
    sha256: tuple[str, ...]
    xxh3: tuple[str, ...] | None = None
    label: str | None = None


@dataclass(frozen=True)
class RunMetadata:
    """The members of a run's manifest, and what was found on disk.

    What no readable manifest tells is None (`training` and `metrics` are empty then). `files` is
    empty in listings. `extra` has the members that this version does not know.
    """

    font_id: str
    run_id: str
    status: str | None
    health: str
    problems: tuple[Problem, ...]
    started_at: datetime | None
    ended_at: datetime | None
    training: dict[str, Any] = field(hash=False)
    metrics: dict[str, Any] = field(hash=False)
    weights_version: str | None
    feedback_schema: str | None
    parent_run_id: str | None
    personality: dict[str, Any] | None = field(hash=False)
    glyphs: int
    weights_bytes: int | None
    size_bytes: int
    written_by: str | None
    manifest_version: int | None
    generation: int
    path: str
    files: tuple[RunFile, ...] = field(default=(), hash=False, repr=False)
    extra: dict[str, Any] = field(default_factory=dict, hash=False, repr=False)


def _personality(pair: tuple[str, tuple[int, ...]] | None) -> dict[str, Any] | None:
    return None if pair is None else {"dtype": pair[0], "shape": list(pair[1])}


def _file(record: Mapping[str, Any]) -> RunFile:
    xxh3 = record["xxh3"]
    return RunFile(
        path=record["path"],
        size=record["size"],
        sha256=tuple(record["sha256"]),
        xxh3=None if xxh3 is None else tuple(xxh3),
        label=record["label"],
    )


def from_record(record: dict[str, Any]) -> RunMetadata:
    """The metadata of what the extension's info() gives: a dict of the fields, which becomes that
    of the object."""
    problems, files = record["problems"], record["files"]  # most rows of a listing have none
    record["problems"] = tuple([Problem(*problem) for problem in problems]) if problems else ()
    record["files"] = tuple([_file(entry) for entry in files]) if files else ()
    record["started_at"] = from_microseconds(record["started_at"])
    record["ended_at"] = from_microseconds(record["ended_at"])
    record["training"] = record["training"] or {}
    record["metrics"] = record["metrics"] or {}
    record["personality"] = _personality(record["personality"])
    made = object.__new__(RunMetadata)
    # past the frozen __init__, which takes longer than all of the above
    object.__setattr__(made, "__dict__", record)
    return made
