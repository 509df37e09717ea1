"""Calls the command under test."""

import json
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("FONTKEEP_BUILD", ROOT / "build"))


class Command:
    """Calls `fontkeep` on one store: through the words of another command, with options of
    subprocess.run (umask, user, ...)."""

    def __init__(self, store, through=(), **options):
        self.store = pathlib.Path(store)
        self.through = list(through)
        self.options = options

    def __call__(self, *arguments, status=0, store=True, environment=None, directory=None):
        words = [*self.through, str(BUILD / "fontkeep")]
        if store:
            words += ["--store", str(self.store)]
        words += [str(argument) for argument in arguments]
        done = subprocess.run(
            words,
            capture_output=True,
            text=True,
            env={**os.environ, **(environment or {})},
            cwd=directory,
            timeout=60,
            **self.options,
        )
        wanted = status if isinstance(status, tuple) else (status,)
        assert done.returncode in wanted, (words, done.returncode, done.stdout, done.stderr)
        return done

    def json(self, *arguments, status=0):
        """The result document of a call."""
        return json.loads(self("--json", *arguments, status=status).stdout)

    def error(self, *arguments, status):
        """The error document of a call that fails; nothing may be on stdout."""
        done = self("--json", *arguments, status=status)
        assert done.stdout == ""
        return json.loads(done.stderr)["error"]

    def run_path(self, font_id, run_id):
        return self.store / font_id / "runs" / run_id
