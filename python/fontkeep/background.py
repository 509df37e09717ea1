"""Saves in the background: one at a time, in the order of the calls."""

from __future__ import annotations

import collections
import contextlib
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


class _Job:
    """A save: `write` it; `drop` it when its future was cancelled before."""

    def __init__(
        self,
        future: BackgroundSave,
        line: Line,
        write: Callable[[], str],
        drop: Callable[[], None],
    ) -> None:
        self.future = future
        self.line = line
        self._write = write
        self._drop = drop

    def work(self) -> None:
        try:
            if self.future.set_running_or_notify_cancel():
                self.future.set_result(self._write())
            else:
                self._drop()
        except BaseException as error:
            traceback.clear_frames(error.__traceback__)  # they hold the copy of the model
            self.future.set_exception(error)

    def forget(self) -> None:
        """When it is done: the frames of a failure lead here, and the future to the failure."""
        vars(self).clear()


class _Writer:
    """The jobs of this process. Each has a thread, for which the interpreter's exit waits;
    whichever has its turn takes the oldest job, so a thread too many (Ctrl-C) does no harm."""

    def __init__(self) -> None:
        self.turn = threading.Lock()
        self.thread: int | None = None  # the one whose turn it is
        self._lock = threading.Lock()
        self._jobs: collections.deque[_Job] = collections.deque()
        self._last: dict[Line, BackgroundSave] = {}

    def last(self, line: Line) -> BackgroundSave | None:
        """The newest save there that has not ended."""
        with self._lock:
            return self._last.get(line)

    def add(self, job: _Job) -> None:
        with self._lock:
            self._jobs.append(job)
            self._last[job.line] = job.future

    def remove(self, job: _Job) -> bool:
        """False when it has been taken."""
        with self._lock:
            if job not in self._jobs:
                return False
            self._jobs.remove(job)
        self._end(job)
        return True

    def work(self) -> None:
        """Takes the oldest job."""
        with self.turn:
            self.thread = threading.get_ident()
            with self._lock:
                job = self._jobs.popleft() if self._jobs else None
            if job is not None:
                job.work()
                self._end(job)
                job.forget()
            self.thread = None

    def _end(self, job: _Job) -> None:
        with self._lock:
            if self._last.get(job.line) is job.future:
                del self._last[job.line]


_writer = _Writer()

NICENESS = 5  # a quarter of a processor that training wants, too; all of one that it does not


def _work_apart() -> None:
    """A job on a thread of its own, which gives way to training, as do the threads it starts."""
    with contextlib.suppress(OSError):
        thread = threading.get_native_id()
        own = os.getpriority(os.PRIO_PROCESS, thread)
        os.setpriority(os.PRIO_PROCESS, thread, own + NICENESS)
    _writer.work()


def _forget() -> None:
    """In a forked child there are no such threads, and the saves are the parent's."""
    global _writer
    _writer = _Writer()


os.register_at_fork(after_in_child=_forget)


def submit(
    future: BackgroundSave, line: Line, write: Callable[[], str], drop: Callable[[], None]
) -> None:
    """Has `write` called by another thread; `drop` when the future was cancelled before."""
    job = _Job(future, line, write, drop)
    _writer.add(job)
    try:
        if threading.main_thread().is_alive():
            threading.Thread(target=_work_apart, name="fontkeep-writer", daemon=False).start()
            return
    except RuntimeError:  # from Python 3.12 on the end of the interpreter shows so
        pass
    except BaseException:  # Ctrl-C
        _writer.remove(job)
        raise
    _writer.work()  # nobody would wait for a thread any more


def is_under_way(line: Line) -> bool:
    """Whether a save there has not ended."""
    return _writer.last(line) is not None


def wait(line: Line) -> None:
    """Until the saves that are under way there have ended, well or not."""
    if threading.get_ident() == _writer.thread:  # a callback of a future: they wait for us
        return
    last = _writer.last(line)
    if last is not None:
        futures.wait([last])
