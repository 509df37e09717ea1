"""A store that several users share: modes, default ACLs, a second user of the same group."""

import errno
import os
import pathlib
import shutil
import stat
import struct
import subprocess
import sys
import tempfile

import pytest
from caller import BUILD, Command

GROUP, ONE, OTHER, STRANGER = 64321, 64322, 64323, 64324


def modes(directory):
    """The modes of all below a directory: of directories, and of files."""
    found = {path: path.lstat().st_mode for path in pathlib.Path(directory).rglob("*")}
    return (
        {stat.S_IMODE(mode) for mode in found.values() if stat.S_ISDIR(mode)},
        {stat.S_IMODE(mode) for mode in found.values() if stat.S_ISREG(mode)},
    )


@pytest.mark.parametrize(
    ("umask", "directories", "files"),
    [(0o002, 0o775, 0o664), (0o022, 0o755, 0o644), (0o077, 0o700, 0o600), (0, 0o777, 0o666)],
    ids=["002", "022", "077", "000"],
)
def test_modes_are_those_of_the_umask(umask, directories, files, command, save, tmp_path):
    command.options["umask"] = umask
    command.store = tmp_path / "shared"
    command("init")
    save()
    save()
    command("create", "2-dumb")
    assert modes(command.store) == ({directories}, {files})
    command("load", "1-fruity", "--out", tmp_path / "out")
    assert modes(tmp_path / "out") == ({directories}, {files})
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == directories


def acl(*entries):
    """An access control list as the kernel keeps it: (tag, permissions, id) each."""
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


USER_OBJ, USER, GROUP_OBJ, MASK, OTHERS, NOBODY = 0x01, 0x02, 0x04, 0x10, 0x20, 0xFFFFFFFF


def test_default_acls_are_inherited(command, save):
    command.options["umask"] = 0o077
    given = acl(
        (USER_OBJ, 7, NOBODY),
        (USER, 7, OTHER),
        (GROUP_OBJ, 5, NOBODY),
        (MASK, 7, NOBODY),
        (OTHERS, 0, NOBODY),
    )
    try:
        os.setxattr(command.store, "system.posix_acl_default", given)
    except OSError as error:
        if error.errno != errno.ENOTSUP:
            raise
        pytest.skip("this file system has no ACLs")
    save()
    made = [path for path in (command.store / "1-fruity").rglob("*")]
    assert len(made) > 8
    for path in made:
        entries = os.getxattr(path, "system.posix_acl_access")
        assert struct.pack("<HHI", USER, 7, OTHER) in entries, path
        # the mask is what the call asked for, not less the umask
        mask = 7 if path.is_dir() else 6
        assert struct.pack("<HHI", MASK, mask, NOBODY) in entries, path


# ---- two users ----


@pytest.fixture
def shared(material):
    """A store that belongs to a group, and a copy of the material that everybody can read."""
    if os.geteuid() != 0:
        pytest.skip("only root can be two users")
    with tempfile.TemporaryDirectory() as parent:
        os.chmod(parent, 0o755)
        shutil.copytree(material, f"{parent}/material")
        os.chmod(f"{parent}/material", 0o755)  # private by pytest's making
        store = pathlib.Path(parent, "networks")
        store.mkdir()
        os.chown(store, ONE, GROUP)
        os.chmod(store, 0o2775)
        if subprocess.run([BUILD / "fontkeep", "--version"], user=ONE, group=GROUP).returncode:
            pytest.skip("other users cannot reach the build directory")
        yield store


@pytest.fixture
def as_user(shared):
    """The command as a user of the group (or of another one), with a umask."""

    def command_of(user, umask=0o002, group=GROUP):
        options = {"user": user, "group": group, "extra_groups": [], "umask": umask}
        return Command(shared, **options)

    return command_of


@pytest.fixture
def material_of_all(shared):
    return shared.parent / "material"


@pytest.fixture
def save_by(material_of_all):
    def do(command, font_id="1-fruity", status=0):
        words = ["--weights", "model.pt", "--personality", "vector.pt", "--sample", "sample.png"]
        words += ["--glyphs", "glyphs", "--feedback", "feedback.json"]
        words = [word if word[0] == "-" else material_of_all / word for word in words]
        return command("save", font_id, *words, status=status).stdout.strip()

    return do


def leave_stage(command, name):
    """What a killed saver leaves, made by the command's user."""
    script = (
        "import os, sys\n"
        "os.chdir(sys.argv[1])\n"
        "os.makedirs(sys.argv[2] + '/eval-glyphs')\n"
        "open(sys.argv[2] + '/weights', 'w').write('half')\n"
        "open(sys.argv[2] + '.lock', 'w').write('{}')\n"
    )
    runs = command.store / "1-fruity" / "runs"
    subprocess.run([sys.executable, "-c", script, runs, name], check=True, **command.options)


def test_two_users_of_a_group_share_a_store(as_user, save_by, shared):
    one, other = as_user(ONE), as_user(OTHER)
    one("init")
    ids = [save_by(one), save_by(other), save_by(one), save_by(other)]
    assert ids == sorted(set(ids))
    for command in (one, other):
        assert [run["run_id"] for run in command.json("runs", "1-fruity")] == ids
        assert command.json("verify")["damaged"] == 0
    out = pathlib.Path(tempfile.mkdtemp(dir=shared))
    os.chmod(out, 0o777)
    other("load", "1-fruity", ids[0], "--out", out / "loaded")
    save_by(other, "2-dumb")
    save_by(one, "2-dumb")
    owners = {path.stat().st_gid for path in (shared / "2-dumb").rglob("*")}
    assert owners == {GROUP}  # the set-group-id bit is handed down


def test_one_user_clears_away_what_the_other_left(as_user, save_by):
    one, other = as_user(ONE), as_user(OTHER)
    save_by(one)
    stage = ".stage-" + "0" * 32
    leave_stage(one, stage)
    assert other.json("recover") == {"removed": [f"1-fruity/runs/{stage}"], "kept": []}
    leave_stage(other, stage)
    save_by(one)  # sweeps, too
    assert one.json("status")["stages"] == 0


def test_what_a_user_keeps_private_stays_and_the_other_is_told(as_user, save_by):
    one, other = as_user(ONE, umask=0o022), as_user(OTHER)
    save_by(one)
    stage = ".stage-" + "0" * 32
    leave_stage(one, stage)
    (kept,) = other.json("recover")["kept"]
    assert kept["path"] == f"1-fruity/runs/{stage}" and "Permission denied" in kept["reason"]
    save_by(other, status=8)
    assert one.json("status")["stages"] == 1
    one("recover")
    assert one.json("status")["stages"] == 0


def test_fonts_of_a_private_user_are_marked_and_the_others_verified(as_user, save_by):
    one, other = as_user(ONE, umask=0o077), as_user(OTHER)
    save_by(one, "1-private")
    run_id = save_by(other, "2-open")
    report = other.json("verify", status=1)
    assert (report["checked"], report["damaged"]) == (2, 1)
    private, public = report["runs"]
    assert (private["font_id"], private["run_id"]) == ("1-private", "")
    assert "Permission denied" in private["problems"][0]["message"]
    assert (public["run_id"], public["health"]) == (run_id, "complete")
    assert "(its runs)" in other("verify", status=1).stdout
    assert [font["font_id"] for font in other.json("fonts")] == ["1-private", "2-open"]
    error = other.error("runs", "1-private", status=8)
    assert error["code"] == "access" and "read permission" in error["hint"]
    assert one.json("verify")["damaged"] == 0


def test_a_user_outside_the_group_reads_and_cannot_save(as_user, save_by):
    one, stranger = as_user(ONE), as_user(STRANGER, group=STRANGER)
    run_id = save_by(one)
    assert stranger.json("runs", "1-fruity")[0]["run_id"] == run_id
    assert stranger.json("verify")["damaged"] == 0
    save_by(stranger, status=8)
    assert stranger.error("create", "9-mine", status=8)["code"] == "access"
    assert one.json("status")["stages"] == 0
