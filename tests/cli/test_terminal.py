"""On a terminal: colours, a progress bar, Ctrl-C. Nowhere else."""

import os
import pty
import select
import signal
import subprocess
import termios
import time

import pytest

from caller import BUILD


def catches_interrupts(child):
    """Whether a process handles SIGINT by now."""
    with open(f"/proc/{child.pid}/status") as status:
        caught = next(line for line in status if line.startswith("SigCgt:"))
    return int(caught.split()[1], 16) >> (signal.SIGINT - 1) & 1


def interrupt(child, terminal):
    """Ctrl-C in the middle of long work: the terminal holds its output back, so the work cannot get
    past its first progress bar before it is interrupted."""
    deadline = time.monotonic() + 30
    while not catches_interrupts(child):
        assert child.poll() is None and time.monotonic() < deadline
        time.sleep(0.002)
    child.send_signal(signal.SIGINT)
    termios.tcflow(terminal, termios.TCOON)


def on_terminal(command, *words, environment=None, interrupted=False):
    """Runs `fontkeep` with stdout and stderr on a terminal; gives (status, what it printed)."""
    leader, follower = pty.openpty()
    if interrupted:
        termios.tcflow(follower, termios.TCOOFF)
    arguments = [str(BUILD / "fontkeep"), "--store", str(command.store), *map(str, words)]
    env = {**os.environ, "TERM": "xterm", **(environment or {})}
    env.pop("NO_COLOR", None) if not environment else None
    child = subprocess.Popen(arguments, stdin=follower, stdout=follower, stderr=follower, env=env)
    if interrupted:
        interrupt(child, follower)
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


def long_work(material, large_weights, out):
    """Arguments of each command that works through all bytes of a run."""
    return {
        "verifying": ["verify"],
        "loading": ["load", "1-fruity", "--out", out],
        "saving": [
            *("save", "2-dumb", "--weights", large_weights),
            *("--personality", material / "vector.pt", "--sample", material / "sample.png"),
            *("--glyphs", material / "glyphs", "--feedback", material / "feedback.json"),
        ],
    }


@pytest.mark.parametrize("verb", ["verifying", "loading", "saving"])
def test_long_work_shows_a_progress_bar_and_clears_it(
    command, save, material, large_weights, tmp_path, verb
):
    save(weights=large_weights)
    words = long_work(material, large_weights, tmp_path / "out")[verb]
    status, printed = on_terminal(command, *words)
    assert status == 0
    bar, result = printed.rsplit("\r\033[K", 1)
    assert f"{verb} [" in bar and "%" in bar
    assert result.strip() and f"{verb} [" not in result


def everything_below(directory):
    """All paths with what the files hold, and when each directory was changed."""
    return {
        path: path.stat().st_mtime_ns if path.is_dir() else path.read_bytes()
        for path in directory.rglob("*")
        if path.name != "runs"  # a draft came into it and went again
    }


@pytest.mark.parametrize("verb", ["verifying", "loading", "saving"])
def test_ctrl_c_ends_long_work_with_130_and_leaves_nothing(
    command, save, material, large_weights, tmp_path, verb
):
    save(weights=large_weights)
    save("2-dumb")
    before = everything_below(tmp_path)
    words = long_work(material, large_weights, tmp_path / "out")[verb]
    status, printed = on_terminal(command, *words, interrupted=True)
    assert status == 130
    assert "fontkeep: " in printed.rsplit("\r\033[K", 1)[1]
    assert everything_below(tmp_path) == before


def test_quiet_shows_no_progress(command, save, large_weights):
    save(weights=large_weights)
    _, printed = on_terminal(command, "--quiet", "verify")
    assert "verifying [" not in printed


def test_without_a_terminal_nothing_but_the_result_is_printed(command, save, large_weights):
    save(weights=large_weights)
    done = command("verify")
    assert done.stderr == ""
    assert "\033" not in done.stdout and "\r" not in done.stdout
