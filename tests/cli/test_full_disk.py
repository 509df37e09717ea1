"""More than the limit, or the disk, lets in: refused whole, on real file systems."""

import os
import subprocess

import pytest

from conftest import BUILD


def everything_below(directory):
    """All paths, with the size of what are files."""
    return {path: path.is_file() and path.stat().st_size for path in directory.rglob("*")}


def test_the_limit_of_the_weights_file_is_inclusive_and_can_be_set(command, save):
    weights = command.run_path("1-fruity", save()) / "weights"
    largest = weights.stat().st_size
    words = ["2-dumb", "--status", "failed", "--weights", weights, "--max-weights-bytes"]
    before = everything_below(command.store)
    error = command.error("save", *words, largest - 1, status=9)
    assert error["code"] == "limit"
    assert str(largest) in error["message"] and "max_weights_bytes" in error["hint"]
    assert everything_below(command.store) == before
    command("save", *words, largest)


@pytest.mark.parametrize("wrong", ["0", "-1", "1e9", ""])
def test_a_limit_that_is_no_size_is_usage(command, material, wrong):
    words = ["--weights", material / "model.pt", "--max-weights-bytes", wrong]
    assert command.error("save", "1-a", "--status", "failed", *words, status=2)["message"]


# On a disk of so many KiB: makes a store, saves, and prints the exit status, the code of the error
# and whether the store is as it was.
SAVE = """
fontkeep() { "$FONTKEEP" --json --store networks "$@"; }
for kib in $SIZES; do
    mount -t tmpfs -o "size=${kib}k" none "$DISK" && cd "$DISK" || exit 77
    fontkeep init >"$NOTES/init" && fontkeep create 1-a >>"$NOTES/init" || exit 1
    find . | sort >"$NOTES/before"
    fontkeep save 1-a "$@" >"$NOTES/saved" 2>"$NOTES/error"
    status=$?
    find . | sort | cmp -s - "$NOTES/before" && changed=unchanged || changed=changed
    echo "$status $changed $(grep -o '"code": *"[a-z_]*"' "$NOTES/error")"
    fontkeep verify >"$NOTES/verify" || exit 1
    cd / && umount "$DISK"
done
"""


def test_wherever_a_small_disk_is_full_nothing_is_left(material, tmp_path):
    torch = pytest.importorskip("torch")
    weights = tmp_path / "weights.pt"
    torch.save({"weight": torch.arange(1 << 19)}, str(weights))
    needed = weights.stat().st_size // 1024
    words = ["--weights", weights, "--personality", material / "vector.pt"]
    words += ["--sample", material / "sample.png", "--glyphs", material / "glyphs"]
    words += ["--feedback", material / "feedback.json"]
    for directory in ("disk", "notes"):
        (tmp_path / directory).mkdir()
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", SAVE, "sh", *words],
        env={
            **os.environ,
            "FONTKEEP": str(BUILD / "fontkeep"),
            "SIZES": " ".join(str(needed + more) for more in range(-8, 80, 4)),
            "DISK": str(tmp_path / "disk"),
            "NOTES": str(tmp_path / "notes"),
        },
        capture_output=True,
        text=True,
        timeout=60,
    )
    if "Operation not permitted" in done.stderr or done.returncode == 77:
        pytest.skip("this machine lets nobody mount a file system of his own")
    assert done.returncode == 0, done.stderr
    ends = [line.split(maxsplit=2) for line in done.stdout.splitlines()]
    refused = [end for end in ends if end[0] == "7"]
    assert len(refused) > 8 and all(end[1] == "unchanged" for end in refused)
    assert all('"no_space"' in end[2] for end in refused)
    saved = ends[len(refused) :]  # all behind the refused ones: more room never hurts
    assert len(saved) > 1 and all(end == ["0", "changed"] for end in saved)
