"""What strace can do to the command, and to a save in Python, from outside.

    by_strace.py kill [--full]     SIGKILL at a system call: promise 5
    by_strace.py doubt             the sync behind the change fails: promise 8

A few calls of each command, or with --full all of them. Prints a line for each command, and one
for the promise. Exit 1: it does not hold; 77: strace is missing or forbidden here.
"""

from __future__ import annotations

import collections
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import numpy

import fontkeep

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("FONTKEEP_BUILD", ROOT / "build"))
FONTKEEP = str(BUILD / "fontkeep")
KILLS = 16  # of each command, every day
SKIPPED = 77
NOT_DURABLE = 10
IMAGE = numpy.arange(48, dtype=numpy.uint8).reshape(6, 8)
LINE = re.compile(r"^(\d+) +(\w+)\(")

Call = tuple[str, int]  # the name of a system call, and its number among those of its thread
Runs = list[tuple[str, str]]


def strace(*words: str) -> list[str]:
    return ["strace", "-f", "-qq", *words]


def why_not() -> str:
    """Why strace cannot be used, or an empty string."""
    try:
        done = subprocess.run(strace("-o", "/dev/null", "true"), capture_output=True, text=True)
    except FileNotFoundError:
        return "strace is not installed"
    return "" if done.returncode == 0 else "strace is forbidden here: " + done.stderr.strip()


# ---- what stands before --------------------------------------------------------------------------


def save(store: fontkeep.Store, font_id: str = "1-fruity", **parts: object) -> str:
    weights = {"layer.weight": numpy.arange(6, dtype=numpy.float32)}
    feedback = {"metrics": {"loss": 0.03}}
    return store.save_model(
        font_id, weights, [0.25, -1.5], IMAGE, {"A": IMAGE}, feedback, **parts
    )


def make_nothing(store: fontkeep.Store) -> None:
    pass


def make_runs(store: fontkeep.Store) -> None:
    save(store)
    save(store)


def make_removed_run(store: fontkeep.Store) -> None:
    save(store)
    store.rm("1-fruity", save(store))


def make_removed_font(store: fontkeep.Store) -> None:
    save(store)
    save(store, "2-dumb")
    store.rm("1-fruity")


def make_old_run(store: fontkeep.Store) -> None:
    """As torch.save and an older program leave it."""
    import torch

    directory = pathlib.Path(store.get_run_info("1-fruity", save(store)).path)
    (directory / "run.json").unlink()
    (directory / "weights").unlink()
    torch.save({"layer.weight": torch.arange(6)}, str(directory / "weights.pt"))


def make_adopted_run(store: fontkeep.Store) -> None:
    make_old_run(store)
    store.adopt("1-fruity")


def make_migrated_run(store: fontkeep.Store) -> None:
    make_adopted_run(store)
    store.migrate("1-fruity")


def make_run_without_sample(store: fontkeep.Store) -> None:
    directory = pathlib.Path(store.get_run_info("1-fruity", save(store)).path)
    (directory / "sample.png").unlink()


def make_dead_stage(store: fontkeep.Store) -> None:
    save(store)
    runs = pathlib.Path(store.path) / "1-fruity" / "runs"
    directory = runs / save(store)
    stage = ".stage-0123456789abcdef0123456789abcdef"
    directory.rename(runs / stage)
    (runs / f"{stage}.lock").touch()


def trashed(store: fontkeep.Store) -> str:
    return store.trash()[-1].trash_id


# A row for each command: its words, and what stands before.
COMMANDS = {
    "init": (make_nothing, lambda store: ["init"]),
    "create": (make_runs, lambda store: ["create", "2-dumb"]),
    "save": (make_runs, lambda store: save_words(store)),
    "rm run": (make_runs, lambda store: ["rm", "1-fruity", "latest"]),
    "rm font": (make_runs, lambda store: ["rm", "1-fruity"]),
    "restore run": (make_removed_run, lambda store: ["restore", trashed(store)]),
    "restore font": (make_removed_font, lambda store: ["restore", trashed(store)]),
    "restore generation": (make_migrated_run, lambda store: ["restore", trashed(store)]),
    "purge run": (make_removed_run, lambda store: ["purge"]),
    "purge font": (make_removed_font, lambda store: ["purge"]),
    "adopt": (make_old_run, lambda store: ["adopt", "1-fruity"]),
    "migrate": (make_adopted_run, lambda store: ["migrate", "1-fruity"]),
    "regenerate": (make_run_without_sample, lambda store: ["regenerate", "1-fruity", "latest"]),
    "recover": (make_dead_stage, lambda store: ["recover"]),
}


def save_words(store: fontkeep.Store) -> list[str]:
    """From the files of a run that is there."""
    directory = pathlib.Path(store.list_runs("1-fruity")[0].path)
    names = {
        "--weights": "weights",
        "--sample": "sample.png",
        "--glyphs": "eval-glyphs",
        "--feedback": "feedback.json",
    }
    words = ["save", "1-fruity"]
    for option, name in names.items():
        words += [option, str(directory / name)]
    return words


# ---- system calls --------------------------------------------------------------------------------


def list_calls(words: list[str], log: pathlib.Path, mark: str) -> tuple[list[Call], int]:
    """The system calls of a command, and how many of them come before the first that has `mark` in
    it (but for those that start the command)."""
    done = subprocess.run([*strace("-o", str(log)), *words], capture_output=True, timeout=300)
    if done.returncode != 0:
        raise RuntimeError(f"{words}: {done.stderr.decode(errors='replace')}")
    seen = collections.Counter()
    calls: list[Call] = []
    start = None
    for line in log.read_text(errors="replace").splitlines():
        found = LINE.match(line)
        if found is None or found[2] in ("exit_group", "exit"):
            continue
        thread, name = found.groups()
        if start is None and mark in line and name != "execve":
            start = len(calls)
        seen[thread, name] += 1
        calls.append((name, seen[thread, name]))
    return calls, start or 0


def inject(
    call: Call, what: str, words: list[str], *more: str
) -> subprocess.CompletedProcess:
    """Runs a command; `what` happens at one of its calls. `more`: options of strace."""
    name, number = call
    order = f"inject={name}:{what}:when={number}"
    options = strace("-o", "/dev/null", "-e", f"trace={name}", "-e", order, *more)
    return subprocess.run([*options, *words], capture_output=True, timeout=300, text=True)


# ---- what is found afterwards --------------------------------------------------------------------


def runs_of(store: fontkeep.Store) -> Runs:
    return [(run.font_id, run.run_id) for run in store.verify().runs]


def fault_of(path: pathlib.Path, before: Runs, worst: set[str]) -> str:
    """What is wrong with a store as it was left, or goes wrong with the next calls; or nothing.
    `before`: the runs that must be there, or in the trash."""
    store = fontkeep.Store(path, durability="none")
    for run in store.verify().runs:
        if run.health not in worst:
            return f"run {run.run_id} is {run.health}: {run.problems}"
    save(store, "9-next")
    store.recover()
    store.recover()  # what got its place as a run was kept by the first
    status = store.status()
    if status.stages or status.strangers:
        return f"{status.stages} stages and {status.strangers} are left"
    away = {(entry.font_id, entry.run_id or "") for entry in store.trash()}
    there = set(runs_of(store)) | away
    lost = [run for run in before if run not in there and (run[0], "") not in away]
    return f"{lost} are lost" if lost else ""


# ---- the victims ---------------------------------------------------------------------------------


class Victim:
    """A store, and a command on it that is run again and again from the same start."""

    def __init__(self, scratch: pathlib.Path, name: str, prepare) -> None:
        self.name = name
        self.source = scratch / "source"
        self.path = scratch / "networks"
        self.log = scratch / "log"
        shutil.rmtree(self.source, ignore_errors=True)
        prepare(fontkeep.Store(self.source, create=True, durability="none"))
        self.reset()
        self.worst = {"complete"} | {run.health for run in fontkeep.Store(self.path).verify().runs}
        self.before = [] if name == "purge font" else runs_of(fontkeep.Store(self.path))
        self.words: list[str] = []

    def reset(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
        subprocess.run(["cp", "-a", str(self.source), str(self.path)], check=True)

    def fault(self) -> str:
        return fault_of(self.path, self.before, self.worst)


def victim_of(scratch: pathlib.Path, name: str) -> Victim:
    prepare, words_for = COMMANDS[name]
    victim = Victim(scratch, name, prepare)
    store = fontkeep.Store(victim.path)
    victim.words = [FONTKEEP, "--store", str(victim.path), *words_for(store)]
    return victim


SAVER = """
import os, sys
import fontkeep, numpy
image = numpy.zeros((6, 8), numpy.uint8)
store = fontkeep.Store(sys.argv[1])
weights = {"w": numpy.arange(6, dtype=numpy.float32)}
store.save_model("1-fruity", weights, [0.5], image, {"A": image}, {"metrics": {"loss": 1}})
os._exit(0)
"""


def python_victim(scratch: pathlib.Path) -> Victim:
    victim = Victim(scratch, "save in Python", make_runs)
    os.environ["PYTHONHASHSEED"] = "0"
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    victim.words = [sys.executable, "-c", SAVER, str(victim.path)]
    return victim


# ---- kill ----------------------------------------------------------------------------------------


def chosen(calls: list[Call], start: int, full: bool) -> list[Call]:
    """Every day some of those that come once the store is looked at, spread evenly."""
    calls = calls[start:]
    return calls if full else calls[:: -max(1, len(calls) // KILLS)]


def kill_everywhere(victim: Victim, full: bool) -> tuple[int, int, int]:
    """How many calls there are, how many kills there were, and how many left something wrong."""
    calls, start = list_calls(victim.words, victim.log, str(victim.path))
    if full and victim.name != "save in Python":
        start = 0
    kills = wrong = 0
    for call in chosen(calls, start, full):
        victim.reset()
        if inject(call, "signal=SIGKILL", victim.words).returncode not in (-9, 137):
            continue  # not every process makes exactly the same calls
        kills += 1
        fault = victim.fault()
        if fault:
            wrong += 1
            print(f"VIOLATION {victim.name} killed at {call[0]} {call[1]}: {fault}")
    print(f"{victim.name}: {len(calls)} system calls, {kills} kills, {wrong} wrong", flush=True)
    return len(calls), kills, wrong


def try_kills(scratch: pathlib.Path, full: bool) -> bool:
    results = [kill_everywhere(victim_of(scratch, name), full) for name in COMMANDS]
    results.append(kill_everywhere(python_victim(scratch), full))
    calls, kills, wrong = map(sum, zip(*results))
    print(
        f"promise 5: SIGKILL at {kills} of {calls} system calls of {len(results)} commands: "
        f"{wrong} torn, or in the way of the next command"
    )
    return wrong == 0 and all(killed > 0 for _, killed, _ in results)


# ---- doubt ---------------------------------------------------------------------------------------

# Each command, the directory whose name it changes last, and how often it syncs that.
IN_DOUBT = {
    "save": ("1-fruity/runs", 1),
    "rm run": ("1-fruity/runs", 1),
    "rm font": (".", 1),
    "restore run": ("1-fruity/runs", 1),
    "restore font": (".", 1),
    "adopt": ("1-fruity/runs", 2),
    "migrate": ("1-fruity/runs", 2),
    "regenerate": ("1-fruity/runs", 2),
}


def is_told(victim: Victim, done: subprocess.CompletedProcess) -> str:
    """What is wrong with a command that says that it may not be durable, or nothing."""
    if victim.name == "save":
        runs = [run.run_id for run in fontkeep.Store(victim.path).list_runs("1-fruity")]
        if json.loads(done.stdout)["run_id"] not in runs:
            return "the id is not that of a run"
    error = json.loads(done.stderr)["error"]
    return "" if error["code"] == "not_durable" else f"the code is {error['code']}"


def doubt(victim: Victim, directory: str, syncs: int) -> tuple[int, int]:
    """The last sync of the directory fails. Tells whether that was in doubt, and wrong."""
    victim.reset()
    victim.words.insert(1, "--json")
    path = str((victim.path / directory).resolve())
    done = inject(("fsync", syncs), "error=EIO", victim.words, "-P", path)
    fault = is_told(victim, done) if done.returncode == NOT_DURABLE else ""
    fault = fault or victim.fault()
    print(f"{victim.name}: exit status {done.returncode} {fault}", flush=True)
    return int(done.returncode == NOT_DURABLE), int(fault != "")


def try_doubts(scratch: pathlib.Path) -> bool:
    results = [doubt(victim_of(scratch, name), *last) for name, last in IN_DOUBT.items()]
    doubts, wrong = map(sum, zip(*results))
    print(
        f"promise 8: the last sync of {len(results)} commands fails: {doubts} end with exit status "
        f"{NOT_DURABLE}, visible, all verify; {wrong} wrong"
    )
    return wrong == 0 and doubts == len(results)


# ---- main ----------------------------------------------------------------------------------------


def main(arguments: list[str]) -> int:
    part = arguments[0] if arguments else ""
    if part not in ("kill", "doubt"):
        sys.exit(__doc__)
    reason = why_not()
    if reason:
        print(f"promise {5 if part == 'kill' else 8}: not tried by strace: {reason}")
        return SKIPPED
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # durability is not the point
    with tempfile.TemporaryDirectory(prefix="fontkeep-strace-", dir=memory) as scratch:
        path = pathlib.Path(scratch)
        well = try_kills(path, "--full" in arguments) if part == "kill" else try_doubts(path)
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
