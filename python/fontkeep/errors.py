"""The exceptions of fontkeep: what went wrong, where, and what to do next."""

from __future__ import annotations

import errno as errno_module
import os
from typing import Any

from fontkeep.refusal import hint_for, type_name


class FontKeepWarning(UserWarning):
    """Something worth knowing about a run or a store that is no failure."""


class FontKeepError(Exception):
    """The base of every failure that fontkeep reports.

    `code` is the error's name in JSON output ("font_not_found"), `hint` says what to do next,
    `path` is the file or directory concerned and `offset` a byte of it; None where there is none.
    """

    def __init__(
        self,
        message: str = "",
        *,
        code: str | None = None,
        hint: str | None = None,
        path: str | None = None,
        offset: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.hint = hint
        self.path = path
        self.offset = offset
        _tell_system_error(self, _ERRNO.get(code or ""), path)

    def __str__(self) -> str:
        text = self.message
        if self.path is not None and self.path not in text:
            text += f" ({self.path})"
        if self.hint:
            text += f"; {self.hint}"
        return text

    def __reduce__(self) -> tuple[Any, ...]:
        number = getattr(self, "errno", None)
        return (_rebuild, (type(self), self.message, dict(self.__dict__), number))


class StoreNotFoundError(FontKeepError, FileNotFoundError):
    """The store's directory does not exist (any more)."""


class FontNotFoundError(FontKeepError, KeyError):
    """No font of that id."""


class RunNotFoundError(FontKeepError, KeyError):
    """No run of that id, or none that "latest" could mean."""


class FontExistsError(FontKeepError, FileExistsError):
    """The font is there already."""


class InvalidInputError(FontKeepError, ValueError):
    """Input breaks a rule: an image, feedback, a time, a status."""


class InvalidFontIdError(InvalidInputError):
    """A font id that is no {number}-{personality-name}."""


class CorruptRunError(FontKeepError):
    """Bytes on disk are not those that were saved."""


class IncompleteRunError(FontKeepError):
    """A file that should be there is missing."""


class StoreBusyError(FontKeepError, TimeoutError):
    """Another process holds what is needed, after three retries."""


class StoreFullError(FontKeepError, OSError):
    """Disk or quota is full; nothing was kept."""


class StoreAccessError(FontKeepError, PermissionError):
    """Permissions or a read-only file system forbid it."""


class StoreIOError(FontKeepError, OSError):
    """The system reported an error; `errno` tells which."""


class UnsupportedVersionError(FontKeepError):
    """Written by a newer version than this one reads."""


class UnsupportedDataError(FontKeepError, TypeError):
    """An object or a file that fontkeep does not store or read."""


class LimitError(FontKeepError, ValueError):
    """A size, count, depth or length beyond its limit."""


class NotDurableError(FontKeepError, OSError):
    """The run is saved and visible, but the last sync failed: a power cut may undo it."""

    run_id: str | None = None


_BY_CODE: dict[str, type[FontKeepError]] = {
    "store_not_found": StoreNotFoundError,
    "font_not_found": FontNotFoundError,
    "run_not_found": RunNotFoundError,
    "font_exists": FontExistsError,
    "invalid": InvalidInputError,
    "corrupt": CorruptRunError,
    "incomplete": IncompleteRunError,
    "busy": StoreBusyError,
    "no_space": StoreFullError,
    "access": StoreAccessError,
    "io": StoreIOError,
    "unsupported": UnsupportedDataError,
    "limit": LimitError,
    "not_durable": NotDurableError,
}

# What an OSError's errno is when no system call told one.
_ERRNO: dict[str, int] = {
    "store_not_found": errno_module.ENOENT,
    "font_exists": errno_module.EEXIST,
    "busy": errno_module.EBUSY,
    "no_space": errno_module.ENOSPC,
    "access": errno_module.EACCES,
    "io": errno_module.EIO,
    "not_durable": errno_module.EIO,
}

_SUBJECT_FONT_ID = 1
_SUBJECT_VERSION = 2


def _tell_system_error(error: BaseException, number: int | None, path: str | None) -> None:
    """What an OSError has; nothing for others."""
    if isinstance(error, OSError):
        error.filename = path
        if number is not None:
            error.errno = number
            error.strerror = os.strerror(number)


def _rebuild(
    kind: type[FontKeepError], message: str, members: dict[str, Any], number: int | None
) -> FontKeepError:
    error = kind(message)
    error.__dict__.update(members)
    _tell_system_error(error, number, error.path)
    return error


def _class_of(code: str, subject: int) -> type[FontKeepError]:
    if code == "invalid" and subject == _SUBJECT_FONT_ID:
        return InvalidFontIdError
    if code == "unsupported" and subject == _SUBJECT_VERSION:
        return UnsupportedVersionError
    return _BY_CODE.get(code, FontKeepError)


def from_native(
    code: str,
    subject: int,
    message: str,
    hint: str | None,
    path: str | None,
    offset: int | None,
    system_errno: int,
    run_id: str | None,
) -> BaseException:
    """The exception for a failure of the library. Called by the extension."""
    if code in ("usage", "no_memory", "cancelled"):
        text = f"{message}; {hint}" if hint else message
        if code == "usage":
            return TypeError(text)
        return MemoryError(text) if code == "no_memory" else KeyboardInterrupt()
    error = _class_of(code, subject)(message, code=code, hint=hint, path=path, offset=offset)
    _tell_system_error(error, system_errno or None, path)
    if isinstance(error, NotDurableError):
        error.run_id = run_id
    return error


def refused(
    code: str, place: list[Any], kind: type, reason: str | tuple[str, str] | None
) -> FontKeepError:
    """The exception for an object that cannot be stored. Called by the extension.

    `place` is the way to it, outermost first; `reason` says more than its type, maybe with what to
    do, or is None.
    """
    path = ".".join(part if isinstance(part, str) else repr(part) for part in place)
    hint = hint_for(kind)
    if isinstance(reason, tuple):
        reason, hint = reason
    what = type_name(kind) if reason is None else reason
    if code == "limit":
        return LimitError(
            f"{path[:200]}: {what}", code="limit", hint="store a flatter or smaller structure"
        )
    return UnsupportedDataError(f"{path}: {what} cannot be stored", code="unsupported", hint=hint)


def not_available(what: str) -> FontKeepError:
    """The exception for a part of the interface that a later version brings."""
    return FontKeepError(
        f"{what} is not available yet", code="unsupported", hint="leave the argument at its default"
    )
