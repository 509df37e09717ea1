"""Texts, paths and times as the library takes them."""

from __future__ import annotations

import os
from datetime import datetime, timedelta, timezone

from fontkeep.errors import InvalidFontIdError, InvalidInputError

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MICROSECOND = timedelta(microseconds=1)
_FONT_ID_RULE = (
    "a font id is {number}-{personality-name} in lower-case letters, digits and single hyphens"
)
_STATUSES = ("completed", "failed", "interrupted")

StrPath = str | os.PathLike[str]


def _encodes(text: str) -> bool:
    try:
        return b"\0" not in text.encode("utf-8")
    except UnicodeEncodeError:
        return False


def font_text(font_id: str) -> str:
    """A font id that C can take, which then judges its form."""
    if not isinstance(font_id, str):
        raise TypeError(f"font_id is {type(font_id).__name__}, not str")
    if not _encodes(font_id):
        raise InvalidFontIdError(
            f"{font_id!r} is no font id: {_FONT_ID_RULE}",
            code="invalid",
            hint="use an id such as '1-fruity'",
        )
    return font_id


def plain_text(text: str, name: str) -> str:
    """Any other text that C can take."""
    if not isinstance(text, str):
        raise TypeError(f"{name} is {type(text).__name__}, not str")
    if not _encodes(text):
        raise InvalidInputError(
            f"{name} {text!r} is no text: it has a NUL or a lone surrogate", code="invalid"
        )
    return text


def optional_text(text: str | None, name: str) -> str | None:
    return None if text is None else plain_text(text, name)


def path_text(path: StrPath, name: str = "path") -> str:
    """A path as str, checked for what no path can have."""
    text = os.fsdecode(path)
    if "\0" in text:
        raise InvalidInputError(f"{name} {text!r} is no path: it has a NUL", code="invalid")
    return text


def status_number(status: str) -> int:
    if status not in _STATUSES:
        raise InvalidInputError(
            f"status {status!r} is not known",
            code="invalid",
            hint="use one of " + ", ".join(repr(name) for name in _STATUSES),
        )
    return _STATUSES.index(status)


def to_microseconds(time: datetime | None, name: str) -> int:
    """Microseconds since 1970 UTC; 0, which stands for the default, for None."""
    if time is None:
        return 0
    if not isinstance(time, datetime):
        raise TypeError(f"{name} is {type(time).__name__}, not datetime")
    if time.utcoffset() is None:
        raise InvalidInputError(
            f"{name} {time.isoformat()} has no time zone",
            code="invalid",
            hint="give an aware datetime, such as datetime.now(timezone.utc)",
        )
    return (time - _EPOCH) // _MICROSECOND


def from_microseconds(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else _EPOCH + microseconds * _MICROSECOND
