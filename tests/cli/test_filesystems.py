"""Stores on file systems, below paths and under limits that are not the usual ones."""

import os
import pathlib
import shutil
import subprocess

import pytest
from caller import Command
from PIL import Image

NAMESPACE = ["unshare", "--user", "--map-root-user", "--mount"]


class Mounts:
    """A mount namespace of its own: no privilege needed, nothing seen outside, gone at the end."""

    def __init__(self):
        self.keeper = subprocess.Popen(
            [*NAMESPACE, "sh", "-c", "echo ready; read wait"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.works = self.keeper.stdout.readline() == "ready\n"
        self.inside = ["nsenter", "--user", "--mount", "--preserve-credentials"]
        self.inside += [f"--target={self.keeper.pid}", "--"]

    def mount(self, *words):
        subprocess.run([*self.inside, "mount", *map(str, words)], check=True, timeout=60)

    def close(self):
        self.keeper.communicate()


@pytest.fixture
def mounts():
    made = Mounts()
    if not made.works:
        pytest.skip("user namespaces are forbidden here: " + made.keeper.communicate()[1].strip())
    yield made
    made.close()


def directories(parent, *names):
    for name in names:
        (parent / name).mkdir()
    return [parent / name for name in names]


def mount_overlay(mounts, lower, upper, work, mounted):
    # without privilege, an overlay keeps its marks in user attributes, or cannot rename directories
    options = f"lowerdir={lower},upperdir={upper},workdir={work},userxattr"
    mounts.mount("-t", "overlay", "-o", options, "overlay", mounted)


def listing(command):
    """All files of a store, as its command sees them, with their sizes."""
    words = [*command.through, "find", str(command.store), "-printf", "%P %s\\n"]
    return sorted(subprocess.run(words, check=True, capture_output=True).stdout.splitlines())


def check_whole_flow(command, save, tmp_path):
    """Saves, lists, loads and verifies."""
    ids = [save(), save()]
    assert [run["run_id"] for run in command.json("runs", "1-fruity")] == ids
    assert command.json("show", "1-fruity")["run_id"] == ids[1]
    assert command.json("load", "1-fruity", ids[0], "--out", tmp_path / "out")["run_id"] == ids[0]
    assert (tmp_path / "out" / "weights").stat().st_size > 0
    report = command.json("verify")
    assert (report["checked"], report["damaged"]) == (2, 0)
    status = command.json("status")
    assert (status["runs"], status["stages"], status["strangers"]) == (2, 0, [])
    assert command.json("recover") == {"removed": [], "kept": []}
    return ids


# ---- file systems ----


@pytest.mark.parametrize("kind", ["tmpfs", "overlay"])
def test_a_store_lives_on(kind, mounts, save, command, tmp_path):
    mounted, upper, work, lower = directories(tmp_path, "mounted", "upper", "work", "lower")
    if kind == "tmpfs":
        mounts.mount("-t", "tmpfs", "tmpfs", mounted)
    else:
        mount_overlay(mounts, lower, upper, work, mounted)
    command.store = mounted / "networks"
    command.through = mounts.inside
    command("init")
    check_whole_flow(command, save, tmp_path)
    assert not (mounted / "networks").exists()  # it was there, not here


def test_a_store_goes_on_over_the_read_only_layer_of_an_overlay(mounts, save, command, tmp_path):
    old = save()
    before = listing(command)
    mounted, upper, work = directories(tmp_path, "mounted", "upper", "work")
    mount_overlay(mounts, command.store, upper, work, mounted)
    over = Command(mounted, mounts.inside)
    new = save(by=over)
    assert [run["run_id"] for run in over.json("runs", "1-fruity")] == [old, new]
    report = over.json("verify")
    assert (report["checked"], report["damaged"]) == (2, 0)
    assert listing(command) == before
    assert (upper / "1-fruity" / "runs" / new / "run.json").exists()


def test_a_full_file_system_leaves_no_half_run(mounts, save, command, tmp_path):
    (mounted,) = directories(tmp_path, "mounted")
    mounts.mount("-t", "tmpfs", "-o", "size=256k", "tmpfs", mounted)
    small = Command(mounted, mounts.inside)
    ids = []
    while len(ids) < 100:
        before = listing(small)
        done = subprocess.run(
            [*mounts.inside, "df", "--output=avail", str(mounted)], capture_output=True, text=True
        )
        available = int(done.stdout.split()[1])
        if available < 60:
            break
        ids.append(save(by=small))
    refusals = 0
    while available > 0 and refusals < 3:
        before = listing(small)
        save(by=small, status=7)
        assert listing(small) == before
        refusals += 1
    assert len(ids) > 0 and refusals == 3
    report = small.json("verify")
    assert (report["checked"], report["damaged"]) == (len(ids), 0)


def test_wherever_a_file_system_fills_up_nothing_is_left(mounts, save, tmp_path):
    """With each page more room a save gets on to its next file, or to the next part of one."""
    torch = pytest.importorskip("torch")
    weights = tmp_path / "weights.pt"
    torch.save({"weight": torch.arange(1 << 19)}, str(weights))
    needed = weights.stat().st_size // 1024
    saved = []
    for kib in range(needed - 8, needed + 80, 4):
        (mounted,) = directories(tmp_path, f"mounted-{kib}")
        mounts.mount("-t", "tmpfs", "-o", f"size={kib}k", "tmpfs", mounted)
        small = Command(mounted, mounts.inside)
        small("create", "1-fruity")
        before = listing(small)
        saved.append(save(by=small, weights=weights, status=(0, 7)) != "")
        assert saved[-1] or listing(small) == before
        report = small.json("verify")
        assert (report["checked"], report["damaged"]) == (int(saved[-1]), 0)
    assert saved.count(False) > 8 and saved.count(True) > 1
    assert saved == sorted(saved)  # more room never hurts


@pytest.fixture
def read_only(mounts, save, command):
    """The command on a store with one run, mounted read-only."""
    save()
    mounts.mount("--bind", command.store, command.store)
    mounts.mount("-o", "remount,bind,ro", command.store)
    return Command(command.store, mounts.inside)


def test_a_read_only_store_reads(read_only, tmp_path):
    before = listing(read_only)
    (run,) = read_only.json("runs", "1-fruity")
    assert run["health"] == "complete"
    assert read_only.json("fonts")[0]["latest_run_id"] == run["run_id"]
    assert read_only.json("load", "1-fruity", "--out", tmp_path / "out")["run_id"] == run["run_id"]
    assert read_only.json("verify")["damaged"] == 0
    assert read_only.json("status")["runs"] == 1
    assert read_only.json("recover") == {"removed": [], "kept": []}
    assert listing(read_only) == before


def test_a_read_only_store_refuses_a_save_and_says_why(read_only, save, command, material):
    save(by=read_only, status=8)
    error = read_only.error("create", "2-dumb", status=8)
    assert error["code"] == "access"
    assert "mount the file system read-write" in error["hint"]
    assert len(command.json("runs", "1-fruity")) == 1


def test_a_font_without_runs_looks_empty_on_a_read_only_store(command, save, mounts):
    save()
    command("create", "2-dumb")
    (command.store / "2-dumb" / "runs").rmdir()
    mounts.mount("--bind", command.store, command.store)
    mounts.mount("-o", "remount,bind,ro", command.store)
    command.through = mounts.inside
    done = command("runs", "2-dumb")
    assert "cannot be made here" in done.stderr
    assert command.json("runs", "2-dumb") == []
    assert command.json("verify")["checked"] == 1
    assert [font["runs"] for font in command.json("fonts")] == [1, 0]


# ---- paths ----


def deep_directory(parent, length):
    """A new directory whose path takes so many bytes, and a descriptor of it."""
    at = os.open(parent, os.O_RDONLY | os.O_DIRECTORY)
    path = os.fspath(parent)
    while len(path) < length:
        left = length - len(path) - 1
        name = "d" * (left if left <= 200 else 100)
        os.mkdir(name, dir_fd=at)
        inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY, dir_fd=at)
        os.close(at)
        at, path = inner, f"{path}/{name}"
    assert len(path) == length
    return path, at


def test_a_path_of_4000_bytes(command, save, tmp_path):
    path, directory = deep_directory(tmp_path, 4000)
    command.store = pathlib.Path(path)
    try:
        command("init")
        check_whole_flow(command, save, tmp_path)
        assert "store.json" in os.listdir(os.open(".fontkeep", os.O_RDONLY, dir_fd=directory))
    finally:
        os.close(directory)
        shutil.rmtree(tmp_path / os.path.relpath(path, tmp_path).split("/")[0])


def test_a_path_beyond_what_the_system_takes_is_refused(command, tmp_path):
    command.store = pathlib.Path("/" + "x/" * 2100 + "networks")
    error = command.error("fonts", status=8)
    assert error["code"] == "io" and "shorter path" in error["hint"]


NAMES = {
    "spaces": "with spaces  in it ",
    "newline": "new\nline",
    "tab": "tab\there",
    "quotes": "quo'te\"s",
    "dash": "-dash",
    "unicode": "\u00e9\u6f22\U0001f600",
    "backslash": "back\\slash",
    "shell": "$HOME;*?[a]",
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_any_name_will_do_for_a_store(name, command, save, tmp_path):
    command.store = tmp_path / name
    assert command.json("init")["store"] == str(tmp_path / name)
    check_whole_flow(command, save, tmp_path)
    assert command.error("show", "9-none", status=3)["code"] == "font_not_found"


def test_a_store_whose_name_is_no_utf_8(command, save, tmp_path):
    command.store = pathlib.Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe"))
    command.options["errors"] = "surrogateescape"
    command("init")
    run_id = save()
    assert command.json("verify")["damaged"] == 0
    assert command("runs", "1-fruity").stdout.count(run_id) == 1


def test_a_store_reached_through_links(command, save, tmp_path):
    real = command.store
    (tmp_path / "one").symlink_to("networks")
    (tmp_path / "two").symlink_to(tmp_path / "one")
    command.store = tmp_path / "two"
    check_whole_flow(command, save, tmp_path)
    assert (real / "1-fruity" / "runs").is_dir()
    (tmp_path / "one").unlink()
    assert command.error("fonts", status=3)["code"] == "store_not_found"


# ---- limits ----


def test_few_open_files_are_enough_for_many_glyphs(command, save, tmp_path):
    glyphs = tmp_path / "many"
    glyphs.mkdir()
    for n in range(200):
        Image.new("L", (2, 2), n).save(glyphs / f"g{n}.png")
    command.through = ["prlimit", "--nofile=64:64"]
    run_id = save(glyphs=glyphs)
    assert len(os.listdir(command.run_path("1-fruity", run_id) / "eval-glyphs")) == 200
    assert command.json("verify")["damaged"] == 0
    command("load", "1-fruity", "--out", tmp_path / "out")
    assert len(os.listdir(tmp_path / "out" / "eval-glyphs")) == 200


def test_too_few_open_files_are_an_error_that_says_so(command, save):
    save()
    before = listing(command)
    command.through = ["prlimit", "--nofile=4:4"]
    error = command.error("verify", status=8)
    assert "ulimit -n" in error["hint"]
    save(status=8)
    command.through = []
    assert listing(command) == before


def test_a_limit_of_file_sizes_is_an_error_and_no_signal(command, save, tmp_path):
    weights = tmp_path / "large.pt"
    torch = pytest.importorskip("torch")
    torch.save({"w": torch.zeros(100_000)}, str(weights))
    before = listing(command)
    command.through = ["prlimit", "--fsize=65536:65536"]
    save(weights=weights, status=8)
    assert listing(command) == before
    save()  # small ones go
    assert command.json("verify")["damaged"] == 0
