"""On a terminal: colours, a progress bar, Ctrl-C. Nowhere else."""

import os
import pty
import select
import signal
import subprocess
import time

import pytest

from conftest import BUILD


def on_terminal(command, *words, environment=None, interrupt_at=None):
    """Runs `fontkeep` with stdout and stderr on a terminal; gives (status, what it printed)."""
    leader, follower = pty.openpty()
    arguments = [str(BUILD / "fontkeep"), "--store", str(command.store), *map(str, words)]
    env = {**os.environ, "TERM": "xterm", **(environment or {})}
    env.pop("NO_COLOR", None) if not environment else None
    child = subprocess.Popen(arguments, stdin=follower, stdout=follower, stderr=follower, env=env)
    os.close(follower)
    printed = b""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        ready, _, _ = select.select([leader], [], [], 0.05)
        try:
            more = os.read(leader, 65536) if ready else b""
        except OSError:
            break
        printed += more
        if interrupt_at is not None and interrupt_at in printed:
            child.send_signal(signal.SIGINT)
            interrupt_at = None
        if not more and child.poll() is not None:
            break
    os.close(leader)
    return child.wait(timeout=30), printed.decode()


@pytest.fixture(scope="session")
def large_weights(tmp_path_factory):
    torch = pytest.importorskip("torch")
    path = tmp_path_factory.mktemp("large") / "weights.pt"
    torch.save({"weight": torch.zeros(24 << 20, dtype=torch.uint8)}, str(path))
    return path


def test_health_is_coloured_on_a_terminal(command, save):
    save()
    status, printed = on_terminal(command, "runs", "1-fruity")
    assert status == 0
    assert "\033[32mcomplete" in printed


def test_no_color_is_honoured(command, save):
    save()
    _, printed = on_terminal(command, "runs", "1-fruity", environment={"NO_COLOR": "1"})
    assert "\033[" not in printed


def test_long_work_shows_a_progress_bar_and_clears_it(command, save, large_weights):
    save(weights=large_weights)
    status, printed = on_terminal(command, "verify")
    assert status == 0
    assert "verifying [" in printed
    assert "\r\033[K" in printed
    assert "1 checked" in printed


def test_quiet_shows_no_progress(command, save, large_weights):
    save(weights=large_weights)
    _, printed = on_terminal(command, "--quiet", "verify")
    assert "verifying [" not in printed


def test_without_a_terminal_nothing_but_the_result_is_printed(command, save, large_weights):
    save(weights=large_weights)
    done = command("verify")
    assert done.stderr == ""
    assert "\033" not in done.stdout and "\r" not in done.stdout
