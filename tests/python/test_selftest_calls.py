"""The test of a disk, from Python."""

import os
import tempfile

import fontkeep
import pytest


@pytest.fixture
def disk():
    """A directory in memory: an ordinary disk has only to wait longer."""
    parent = "/dev/shm" if os.path.isdir("/dev/shm") else None
    with tempfile.TemporaryDirectory(dir=parent) as path:
        yield path


def test_the_store_s_disk_is_tested(disk):
    report = fontkeep.Store(disk).selftest()
    assert report.fit and report["violations"] == 0 and report.kills > 300
    assert report.dir == disk
    assert report.verdict.startswith("This disk is fit for fontkeep")
    names = {row["name"]: row["works"] for row in report.primitives}
    assert names["rename_noreplace"] and names["locks"]
    assert os.listdir(disk) == []


def test_a_directory_that_is_not_there(disk):
    with pytest.raises(fontkeep.StoreIOError) as caught:
        fontkeep.Store(disk).selftest(os.path.join(disk, "none"))
    assert caught.value.path == os.path.join(disk, "none")


def test_a_signal_ends_it(disk):
    import signal

    def interrupt(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGVTALRM, interrupt)
    signal.setitimer(signal.ITIMER_VIRTUAL, 0.05)
    try:
        with pytest.raises(KeyboardInterrupt):
            fontkeep.Store(disk).selftest()
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
    assert os.listdir(disk) == []
