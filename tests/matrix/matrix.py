#!/usr/bin/python3
"""fontkeep on one file system after the other: promise 12.

matrix.py --build BUILD [KIND...]      all kinds that can be had here, or these

Makes each in a mount namespace of its own (of files in memory, where that can be had), runs
`fontkeep selftest` and a whole flow of the command on it, and prints a line "promise 12: ..." for
each, and a table. A kind that cannot be had here is named with the reason. Exit 1: on one of them
fontkeep did not keep its promises.
"""

import argparse
import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
IMAGE_BYTES = 400 << 20  # xfs takes no less than 300 MB

COLUMNS = (
    ("rename_noreplace", "NOREPLACE"), ("rename_refuses", "rename over files refused"),
    ("rename_exchange", "EXCHANGE"), ("directory_sync", "directory sync"), ("locks", "OFD locks"),
    ("hard_links", "hard links"), ("reserve", "fallocate"), ("direct_io", "O_DIRECT"),
    ("openat2", "openat2"), ("local", "local"), ("durable", "durable"),
)  # fmt: skip


class Unreachable(Exception):
    """This kind cannot be had here; the text says why."""


class Mounts:
    """A mount namespace of its own, gone with all in it at the end."""

    def __init__(self):
        words = ["unshare", "--mount"]
        if os.geteuid() != 0:
            words += ["--user", "--map-root-user"]
        self.keeper = subprocess.Popen(
            [*words, "sh", "-c", "echo ready; read wait"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        if self.keeper.stdout.readline() != "ready\n":
            reason = self.keeper.communicate()[1].strip()
            raise Unreachable(f"no mount namespace: {reason}")
        user = [] if os.geteuid() == 0 else ["--user", "--preserve-credentials"]
        self.inside = ["nsenter", *user, "--mount", f"--target={self.keeper.pid}", "--"]

    def run(self, *words):
        words = [*self.inside, *map(str, words)]
        done = subprocess.run(words, capture_output=True, text=True, timeout=120)
        if done.returncode != 0:
            reason = (done.stderr or done.stdout).strip().splitlines()[-1:]
            raise Unreachable(" ".join(reason) or f"{words[0]} failed")

    def close(self):
        self.keeper.communicate()


def require(program):
    path = shutil.which(program, path=f"/usr/sbin:/sbin:{os.environ['PATH']}")
    if path is None:
        raise Unreachable(f"{program} is not installed")
    return path


# ---- kinds: each gives the directory to be tested, and words in front of the command ----


@contextlib.contextmanager
def mounted(base):
    mounts = Mounts()
    target = base / "mounted"
    target.mkdir()
    try:
        yield mounts, target
    finally:
        subprocess.run([*mounts.inside, "umount", target], capture_output=True)
        mounts.close()


@contextlib.contextmanager
def of_blocks(base, *make):
    """A file system on a file, through a loop device."""
    program = require(make[0])
    if os.geteuid() != 0:
        raise Unreachable("loop devices need root")
    image = base / "image"
    with open(image, "wb") as file:
        file.truncate(IMAGE_BYTES)
    subprocess.run([program, *make[1:], image], check=True, capture_output=True)
    with mounted(base) as (mounts, target):
        mounts.run("mount", "-o", "loop", image, target)
        yield target, mounts.inside


def ext4(base):
    return of_blocks(base, "mkfs.ext4", "-q", "-F")


def xfs(base):
    return of_blocks(base, "mkfs.xfs", "-q")


def btrfs(base):
    return of_blocks(base, "mkfs.btrfs", "-q")


@contextlib.contextmanager
def tmpfs(base):
    with mounted(base) as (mounts, target):
        mounts.run("mount", "-t", "tmpfs", "tmpfs", target)
        yield target, mounts.inside


@contextlib.contextmanager
def overlay(base):
    with mounted(base) as (mounts, target):
        for name in ("lower", "upper", "work"):
            (base / name).mkdir()
        options = f"lowerdir={base}/lower,upperdir={base}/upper,workdir={base}/work,userxattr"
        mounts.run("mount", "-t", "overlay", "-o", options, "overlay", target)
        yield target, mounts.inside


@contextlib.contextmanager
def fuse(base):
    program = require("bindfs")
    if not os.path.exists("/dev/fuse"):
        raise Unreachable("there is no /dev/fuse")
    with mounted(base) as (mounts, target):
        (base / "behind").mkdir()
        mounts.run(program, "--no-allow-other", base / "behind", target)
        yield target, mounts.inside


def lacking(*calls):
    """The plain directory, on a kernel without these calls."""

    @contextlib.contextmanager
    def kind(base):
        helper = BUILD / "tests/matrix/lacking"
        words = [str(helper), *calls, "--"]
        if subprocess.run([*words, "true"], capture_output=True).returncode != 0:
            raise Unreachable("seccomp filters are forbidden here")
        yield base, words

    return kind


KINDS = {
    "ext4": ext4,
    "xfs": xfs,
    "btrfs": btrfs,
    "tmpfs": tmpfs,
    "overlay": overlay,
    "FUSE (bindfs)": fuse,
    "Linux 3 (no openat2, no renameat2)": lacking("openat2=ENOSYS", "renameat2=ENOSYS"),
    "old container (openat2 forbidden)": lacking("openat2=EPERM"),
    "as NFS (no flags of rename, no fallocate)": lacking(
        "renameat2.4=EINVAL", "fallocate=EOPNOTSUPP", "sync_file_range=ENOSYS"
    ),
    "no hard links": lacking("linkat=EPERM"),
}

# Kinds that take what cannot be made here: a server, or a kernel with their module.
ELSEWHERE = ("nfs", "cifs", "9p", "ceph", "vfat", "zfs")


# ---- what is tried ----


def fontkeep(through, *words, status=0):
    done = subprocess.run(
        [*through, BUILD / "fontkeep", "--json", *map(str, words)],
        capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    if done.returncode != status:
        raise AssertionError(f"fontkeep {' '.join(map(str, words))}: {done.stderr or done.stdout}")
    return json.loads(done.stdout)


def whole_flow(through, directory, out):
    """Saves, lists, loads, verifies, removes, restores, adopts, migrates."""
    store = ("--store", directory / "networks")
    frozen = ROOT / "tests/assets/compat/manifest-1/networks"
    run = min((frozen / "1-fruity/runs").glob("2*"))
    files = ("--weights", run / "weights", "--sample", run / "sample.png")
    files += ("--glyphs", run / "eval-glyphs", "--feedback", run / "feedback.json")
    fontkeep(through, "init", directory / "networks")
    ids = [fontkeep(through, *store, "save", "1-fruity", *files)["run_id"] for _ in range(2)]
    copy = directory / "networks/1-fruity/runs/2020-01-01T00-00-00.000000"
    subprocess.run([*through, "cp", "-r", "--", str(run), str(copy)], check=True)
    subprocess.run([*through, "rm", "--", str(copy / "run.json")], check=True)
    assert len(fontkeep(through, *store, "adopt", "1-fruity")["runs"]) == 1
    trashed = fontkeep(through, *store, "rm", "1-fruity", ids[0])["trash_id"]
    assert fontkeep(through, *store, "restore", trashed)["run_id"] == ids[0]
    fontkeep(through, *store, "migrate", "1-fruity")
    fontkeep(through, *store, "load", "1-fruity", ids[0], "--out", out)
    listed = [row["run_id"] for row in fontkeep(through, *store, "runs", "1-fruity")]
    assert listed == ["2020-01-01T00:00:00.000000", *ids], listed
    report = fontkeep(through, *store, "verify")
    assert (report["checked"], report["damaged"]) == (3, 0)
    status = fontkeep(through, *store, "status")
    assert (status["stages"], status["strangers"]) == (0, [])
    fontkeep(through, *store, "purge")


def try_kind(name, base):
    """The self-test's report; AssertionError where a promise does not hold."""
    with KINDS[name](base) as (directory, through):
        report = fontkeep(through, "selftest", directory)
        assert report["violations"] == 0 and report["kills"] > 0, report["verdict"]
        whole_flow(through, directory, base / "out")
    return report


def describe(name, report):
    works = {row["name"]: row["works"] for row in report["primitives"]}
    works.pop("free_space")  # of a small file, and no matter
    missing = [name for name, does in works.items() if not does]
    print(
        f"promise 12: {name}: {sum(works.values())} of {len(works)} primitives, "
        f"{report['kills']} kills, {report['violations']} violations"
        + (f"; goes without {', '.join(missing)}" if missing else ""),
        flush=True,
    )
    cells = ["yes" if works[column] else "**no**" for column, _ in COLUMNS]
    return f"| {name} | {' | '.join(cells)} | {report['kills']} | {report['violations']} |"


def explain_elsewhere():
    known = pathlib.Path("/proc/filesystems").read_text().split()
    for name in ELSEWHERE:
        why = "needs a server" if name in known else "this kernel does not have it"
        print(f"promise 12: not tried here: {name}: {why}")


def main():
    failed, rows = [], []
    for name in OPTIONS.kind or KINDS:
        with tempfile.TemporaryDirectory(dir=OPTIONS.scratch, prefix="fontkeep-matrix-") as base:
            try:
                rows.append(describe(name, try_kind(name, pathlib.Path(base))))
            except Unreachable as reason:
                print(f"promise 12: not tried here: {name}: {reason}", flush=True)
            except AssertionError as error:
                failed.append(name)
                print(f"promise 12: VIOLATION: {name}: {error}", flush=True)
    if not OPTIONS.kind:
        explain_elsewhere()
    titles = ["", *(title for _, title in COLUMNS), "kills", "violations"]
    for row in ["| " + " | ".join(titles) + " |", "|---" * len(titles) + "|", *rows]:
        print(f"promise 12: {row}")
    return 1 if failed else 0


def parse():
    parser = argparse.ArgumentParser(description="fontkeep on one file system after the other")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--scratch", default="/dev/shm" if os.path.isdir("/dev/shm") else None)
    parser.add_argument("kind", nargs="*")
    options = parser.parse_args()
    unknown = set(options.kind) - set(KINDS)
    if unknown:
        parser.error(f"no kind {min(unknown)!r}: {', '.join(KINDS)}")
    return options


if __name__ == "__main__":
    OPTIONS = parse()
    BUILD = OPTIONS.build.resolve()
    sys.exit(main())
