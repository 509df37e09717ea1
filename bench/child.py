"""Processes that measure inside themselves."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator

from .setting import ROOT, Setting


class ChildError(Exception):
    """A process of the bench failed; a figure taken past that would be a lie."""


class Child:
    """Answers each line with one number."""

    def __init__(self, setting: Setting, command: list[str]) -> None:
        self.command = command
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=setting.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, line: str) -> float:
        assert self.process.stdin and self.process.stdout
        try:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
            return float(self.process.stdout.readline())
        except (ValueError, BrokenPipeError) as error:
            raise ChildError(f"{' '.join(self.command)}: failed at {line!r}") from error

    def close(self) -> None:
        assert self.process.stdin and self.process.stdout
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


@contextlib.contextmanager
def child(setting: Setting, *command: object) -> Iterator[Child]:
    started = Child(setting, [str(word) for word in command])
    try:
        yield started
    finally:
        started.close()


def once(setting: Setting, *command: object) -> float:
    """A new process for one number."""
    words = [str(word) for word in command]
    done = subprocess.run(
        words, cwd=ROOT, env=setting.environment, stdout=subprocess.PIPE, text=True
    )
    if done.returncode != 0:
        raise ChildError(f"{' '.join(words)}: exit status {done.returncode}")
    return float(done.stdout)


def command(setting: Setting, *words: object) -> float:
    """The seconds of a whole process of the command, its output thrown away."""
    return process([setting.program("fontkeep"), *map(str, words)])


def process(words: list[str]) -> float:
    """The seconds of a whole process, from before it starts until it has ended."""
    nowhere = [(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)]
    began = time.perf_counter()
    pid = os.posix_spawn(words[0], words, os.environ, file_actions=nowhere)
    _, status = os.waitpid(pid, 0)
    seconds = time.perf_counter() - began
    if status != 0:
        raise ChildError(f"{' '.join(words)}: ended badly")
    return seconds
