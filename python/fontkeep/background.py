"""Saves in the background: one thread of the process writes them, in the order of the calls."""

from __future__ import annotations

import os
import threading
import traceback
import warnings
from collections.abc import Callable
from concurrent import futures

from fontkeep.errors import FontKeepWarning

# Runs of one store and font keep the order of their saves: path of the store, font id.
Line = tuple[str, str]


class BackgroundSave(futures.Future[str]):
    """The id, to come, of a run that is being written. A failure that nobody asks about becomes a
    warning."""

    def __init__(self) -> None:
        super().__init__()
        self._pid = os.getpid()
        self._asked = False
        self._failure: BaseException | None = None

    def result(self, timeout: float | None = None) -> str:
        self._ask()
        return super().result(timeout)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        self._ask()
        return super().exception(timeout)

    def add_done_callback(self, fn: Callable[[futures.Future[str]], object]) -> None:
        self._asked = True
        super().add_done_callback(fn)

    def set_exception(self, exception: BaseException | None) -> None:
        self._failure = exception
        super().set_exception(exception)

    def _ask(self) -> None:
        self._asked = True
        if self._pid != os.getpid() and not self.done():
            raise RuntimeError(f"the run is written by process {self._pid}; ask there")

    def __del__(self) -> None:
        if self._failure is not None and not self._asked:
            message = f"a save failed in the background and nobody asked how: {self._failure!r}"
            warnings.warn(message, FontKeepWarning, stacklevel=2, source=self)


class _Writer:
    """The thread, made when the first save comes. Interpreter exit waits for what was submitted."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.executor: futures.ThreadPoolExecutor | None = None
        self.thread: int | None = None
        self.last: dict[Line, BackgroundSave] = {}

    def start(self) -> futures.ThreadPoolExecutor:
        if self.executor is None:
            self.executor = futures.ThreadPoolExecutor(1, "fontkeep-writer", self._note)
        return self.executor

    def _note(self) -> None:
        self.thread = threading.get_ident()


_writer = _Writer()


def _forget() -> None:
    """In a forked child there is no such thread, and the saves are the parent's."""
    global _writer
    _writer = _Writer()


os.register_at_fork(after_in_child=_forget)


def _work(
    future: BackgroundSave, line: Line, write: Callable[[], str], drop: Callable[[], None]
) -> None:
    try:
        if future.set_running_or_notify_cancel():
            future.set_result(write())
        else:
            drop()
    except BaseException as error:
        traceback.clear_frames(error.__traceback__)  # they hold the copy of the model
        future.set_exception(error)
    finally:
        with _writer.lock:
            if _writer.last.get(line) is future:
                del _writer.last[line]
        del future  # no cycle with the traceback: a failure shows when the last reference goes


def submit(line: Line, write: Callable[[], str], drop: Callable[[], None]) -> BackgroundSave:
    """Has `write` called by the writer thread; `drop` when the future was cancelled before."""
    future = BackgroundSave()
    with _writer.lock:
        try:
            _writer.start().submit(_work, future, line, write, drop)
            _writer.last[line] = future
            return future
        except RuntimeError:  # the interpreter is at its end and starts no more threads
            pass
    _work(future, line, write, drop)
    return future


def wait(line: Line) -> None:
    """Until the saves that are under way there have ended, well or not."""
    if threading.get_ident() == _writer.thread:  # a callback of a future: they wait for us
        return
    with _writer.lock:
        last = _writer.last.get(line)
    if last is not None:
        futures.wait([last])
