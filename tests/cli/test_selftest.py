"""`fontkeep selftest` on file systems of several kinds, and interrupted."""

import os
import pathlib
import signal
import subprocess
import tempfile
import time

import pytest
from caller import BUILD, Command
from test_filesystems import directories, mount_overlay, mounts  # noqa: F401, a fixture


@pytest.fixture
def disk():
    """A directory in memory: an ordinary disk has only to wait longer."""
    parent = "/dev/shm" if os.path.isdir("/dev/shm") else None
    with tempfile.TemporaryDirectory(dir=parent) as path:
        yield pathlib.Path(path)


def selftest(directory, *, status=0, through=()):
    report = Command("unused", through).json("selftest", directory, status=status)
    assert set(report) == {"dir", "file_system", "primitives", "kills", "violations", "verdict"}
    assert report["dir"] == str(directory)
    return report


def working(report):
    return {row["name"]: row["works"] for row in report["primitives"]}


def check_fit(report, *missing):
    assert report["violations"] == 0 and report["kills"] > 300, report["verdict"]
    assert report["verdict"].startswith("This disk is fit for fontkeep")
    found = {row["name"] for row in report["primitives"] if not row["works"]}
    assert found - {"free_space", "direct_io"} == set(missing)
    assert all((row["instead"] is None) == row["works"] for row in report["primitives"])


def test_a_tmpfs_is_fit_but_memory(mounts, tmp_path):  # noqa: F811
    (mounted,) = directories(tmp_path, "mounted")
    mounts.mount("-t", "tmpfs", "tmpfs", mounted)
    report = selftest(mounted, through=mounts.inside)
    check_fit(report, "durable")
    assert report["file_system"] == "tmpfs" and "it is memory" in report["verdict"]


def test_an_overlay_is_fit(mounts, tmp_path, disk):  # noqa: F811
    mounted, upper, work, lower = directories(disk, "mounted", "upper", "work", "lower")
    mount_overlay(mounts, lower, upper, work, mounted)
    report = selftest(mounted, through=mounts.inside)
    check_fit(report)
    assert report["file_system"] == "overlay"
    assert not os.listdir(upper)


def test_for_people_there_is_a_table_and_a_verdict(disk):
    text = Command("unused")("selftest", disk).stdout
    assert "rename_exchange   yes" in text and "0 violations" in text
    assert "\nThis disk is fit for fontkeep" in text
    assert "power cuts" in text.splitlines()[-1]
    assert not os.listdir(disk)


def test_a_read_only_directory_cannot_be_tested(mounts, tmp_path):  # noqa: F811
    (mounted,) = directories(tmp_path, "mounted")
    mounts.mount("-t", "tmpfs", "-o", "ro", "tmpfs", mounted)
    error = Command("unused", mounts.inside).error("selftest", mounted, status=8)
    assert error["code"] == "access" and error["path"].startswith(str(mounted))
    assert "mount the file system read-write" in error["hint"]


def test_a_small_disk_is_an_error_when_it_is_full(mounts, tmp_path):  # noqa: F811
    (mounted,) = directories(tmp_path, "mounted")
    mounts.mount("-t", "tmpfs", "-o", "size=64k", "tmpfs", mounted)
    error = Command("unused", mounts.inside).error("selftest", mounted, status=7)
    assert error["code"] == "no_space"
    assert not os.listdir(mounted)


def test_no_such_directory(tmp_path):
    error = Command("unused").error("selftest", tmp_path / "none", status=8)
    assert str(tmp_path / "none") in error["message"]


def wait_for(condition):
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_ctrl_c_leaves_nothing(disk):
    command = [BUILD / "fontkeep", "--json", "selftest", disk]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_for(lambda: list(disk.glob(".stage-*/networks/1-selftest")))
    process.send_signal(signal.SIGINT)
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 130 and out == b"" and b"cancelled" in errors
    assert not os.listdir(disk)


def test_a_caller_that_ignores_its_children_is_no_matter(disk):
    report = selftest(disk, through=["env", "--ignore-signal=CHLD"])
    assert report["violations"] == 0 and report["kills"] > 300


def test_recover_sweeps_what_a_killed_self_test_left(command):
    process = subprocess.Popen([BUILD / "fontkeep", "selftest", command.store])
    wait_for(lambda: list(command.store.glob(".stage-*/networks/1-selftest")))
    process.kill()
    process.wait()
    wait_for(lambda: command("recover").returncode == 0 and not list(command.store.glob(".stage*")))
    assert command.json("status")["strangers"] == []


def test_without_a_directory_the_store_s_disk_is_tested(disk):
    by_option = Command(disk).json("selftest")
    assert by_option["dir"] == str(disk)
    words = [BUILD / "fontkeep", "--json", "selftest"]
    empty = {key: value for key, value in os.environ.items() if key != "FONTKEEP_STORE"}
    done = subprocess.run(words, capture_output=True, text=True, cwd=disk, env=empty)
    assert '"dir": "."' in done.stdout
