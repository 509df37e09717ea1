"""regenerate: contact sheets, and images drawn by a program of the user."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time

import pytest
from caller import BUILD

DRAW = """
import json, sys
sys.stdout.write("chatter\\n")
open(LOG, "a").write(json.dumps(sys.argv[1:]) + "\\n")
png = open(PNG, "rb").read()
open(sys.argv[1], "wb").write(png)
"""


@pytest.fixture
def run(command, save):
    """The directory of a saved run."""
    return command.run_path("1-fruity", save())


@pytest.fixture
def program(tmp_path, material):
    """A program that draws; `body` replaces what it does. It logs its arguments."""

    def make(body=DRAW):
        path = tmp_path / "draw it.py"
        head = f"LOG = {str(tmp_path / 'log')!r}\nPNG = {str(material / 'glyphs/A.png')!r}\n"
        path.write_text(head + body)
        return f"{shlex.quote(sys.executable)} {shlex.quote(str(path))}"

    return make


@pytest.fixture
def rooms(tmp_path):
    """Where private directories are made."""
    path = tmp_path / "rooms"
    path.mkdir()
    return path


def logged(tmp_path):
    return [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]


def test_a_lost_sample_is_made_of_the_glyphs(command, run):
    from PIL import Image

    (run / "sample.png").unlink()
    assert command.json("runs", "1-fruity")[0]["health"] == "incomplete"
    report = command.json("regenerate", "1-fruity", "latest")
    changed = ["run.json", "sample.png"]
    assert report == {"runs": [{"font_id": "1-fruity", "run_id": run.name, "changed": changed}]}
    with Image.open(run / "sample.png") as sheet:
        assert (sheet.mode, sheet.size) == ("L", (2 * 8 + 3, 2 * 8 + 3))
        # by character: A, B, a, é; each glyph of the material is a grey of its own name's length
        greys = [sheet.getpixel((1 + x * 9 + 4, 1 + y * 9 + 4)) for y in (0, 1) for x in (0, 1)]
        assert greys == [1, 1, 1, len("uni00E9")]
        assert sheet.getpixel((0, 0)) == 255
    assert command.json("verify")["damaged"] == 0
    assert [entry["trash_id"] for entry in command.json("trash")] == [f"1-fruity/{run.name}.2"]


def test_with_nothing_to_do_there_is_no_new_generation(command, run):
    report = command.json("regenerate", "1-fruity", run.name[:10])
    assert report == {"runs": [{"font_id": "1-fruity", "run_id": run.name, "changed": []}]}
    assert "nothing to regenerate" in command("regenerate", "1-fruity", run.name).stderr
    assert command.json("trash") == []


def test_glyphs_are_drawn_by_the_command_without_a_shell(
    command, run, program, tmp_path, material, rooms
):
    body = """
import numpy, torch
top = torch.load(sys.argv[2])
vector = numpy.load(sys.argv[3])
assert torch.equal(top["personality_vector"], torch.from_numpy(vector))
assert sorted(os.listdir(sys.argv[4])) == ["eval-glyphs", "feedback.json", "run.json",
                                           "sample.png", "weights"]
assert os.stat(os.path.dirname(sys.argv[1])).st_mode & 0o777 == 0o700
assert sys.stdin.read() == ""
"""
    words = "{out} {weights} {personality} {run} --label={label} '$(id) {{}}' \"a b\" {font_id}"
    (run / "eval-glyphs" / "A.png").unlink()
    (run / "eval-glyphs" / "uni00E9.png").write_bytes(b"damaged")
    done = command(
        "--json",
        "regenerate",
        "1-fruity",
        "latest",
        "--command",
        f"{program('import os, sys' + DRAW + body)} {words}",
        environment={"TMPDIR": str(rooms)},
    )
    assert json.loads(done.stdout)["runs"][0]["changed"] == [
        "eval-glyphs/A.png",
        "eval-glyphs/uni00E9.png",
        "run.json",
    ]
    assert done.stderr.count("chatter") == 2
    [first, second] = logged(tmp_path)
    assert first[4:] == ["--label=A", "$(id) {}", "a b", "1-fruity"]
    assert second[4] == "--label=\u00e9"
    assert first[0].startswith(str(rooms)) and first[0].endswith("/A.png")
    assert list(rooms.iterdir()) == []
    assert command.json("verify")["damaged"] == 0
    assert (run / "eval-glyphs/A.png").read_bytes() == (material / "glyphs/A.png").read_bytes()


@pytest.mark.parametrize("label", ["$(touch pwned)", "a; touch pwned", "-rf", "'", "*", "{out}"])
def test_a_label_is_one_argument_whatever_it_holds(command, save, program, tmp_path, label):
    from PIL import Image

    glyphs = tmp_path / "glyphs"
    glyphs.mkdir()
    name = "_".join(f"uni{ord(character):04X}" for character in label)
    Image.new("L", (4, 4), 9).save(glyphs / f"{name}.png")
    run = command.run_path("1-fruity", save(glyphs=glyphs))
    [drawn] = (run / "eval-glyphs").iterdir()
    drawn.unlink()
    command("regenerate", "1-fruity", run.name, "--command", f"{program()} {{out}} {{label}}")
    assert [words[1] for words in logged(tmp_path)] == [label]
    assert command.json("verify")["damaged"] == 0


def test_the_command_draws_the_sample_when_asked(command, run, program, tmp_path, material):
    (run / "sample.png").unlink()
    words = ["regenerate", "1-fruity", "latest", "--command", f"{program()} {{out}} [{{label}}]"]
    command(*words, "--sample")
    assert [line[1] for line in logged(tmp_path)] == ["[]"]
    assert (run / "sample.png").read_bytes() == (material / "glyphs/A.png").read_bytes()
    (run / "sample.png").unlink()
    command(*words)
    assert len(logged(tmp_path)) == 1  # a contact sheet
    assert command.error("regenerate", "1-fruity", "latest", "--sample", status=2)


@pytest.mark.parametrize(
    "body, told",
    [
        ("raise SystemExit(3)", "exit status 3"),
        ("import os; os.kill(os.getpid(), 9)", "Killed"),
        ("pass", "wrote no file"),
        ("import sys; open(sys.argv[1], 'w').write('no image')", "no PNG file"),
        ("import sys, os; os.symlink(PNG, sys.argv[1])", "wrote no file"),
        ("import sys, os; os.mkdir(sys.argv[1])", "wrote no file"),
    ],
)
def test_a_command_that_fails_is_told_by_label_and_changes_nothing(
    command, run, program, rooms, body, told
):
    (run / "eval-glyphs" / "B.png").unlink()
    error = command(
        "--json",
        "regenerate",
        "1-fruity",
        "latest",
        "--command",
        program(body) + " {out}",
        status=4,
        environment={"TMPDIR": str(rooms)},
    ).stderr
    error = json.loads(error.splitlines()[-1])["error"]
    assert error["code"] == "invalid"
    assert told in error["message"] and "glyph 'B'" in error["message"]
    assert error["hint"]
    assert list(rooms.iterdir()) == []
    assert command.json("trash") == []
    assert not list(run.parent.glob(".stage-*"))


@pytest.mark.parametrize(
    "text, status, told",
    [
        ("", 2, "empty"),
        ("draw 'open", 2, "never closed"),
        ("draw", 2, "{out} is missing"),
        ("draw {out} {labl}", 2, "no placeholder '{labl}'"),
        ("no-such-program {out}", 4, "cannot run 'no-such-program'"),
        ("/ {out}", 4, "cannot run '/'"),
    ],
)
def test_a_command_that_cannot_be_run_is_refused(command, run, text, status, told):
    (run / "eval-glyphs" / "B.png").unlink()
    error = command.error("regenerate", "1-fruity", "latest", "--command", text, status=status)
    assert told in error["message"]


def test_words_are_split_as_a_shell_splits_them(command, run, program, tmp_path):
    text = r"""a\ b 'c "d" \' "e 'f' \" \\ \x" ''g"h"i\'  """
    (run / "eval-glyphs" / "B.png").unlink()
    command("regenerate", "1-fruity", "latest", "--command", f"{program()} {{out}} {text}")
    [words] = logged(tmp_path)
    assert words[1:] == shlex.split(text)


def test_what_nothing_can_make_is_named_and_the_rest_is_made(command, run):
    (run / "sample.png").unlink()
    (run / "feedback.json").unlink()
    (run / "eval-glyphs" / "B.png").unlink()
    done = command("regenerate", "1-fruity", "latest", status=1)
    assert "sample.png" in done.stdout and "B.png" not in done.stdout
    assert "'feedback.json' is missing" in done.stderr
    assert "'eval-glyphs/B.png' is missing" in done.stderr
    hint = f"'fontkeep regenerate 1-fruity {run.name} --command CMD'"
    assert hint in done.stderr
    report = command.json("regenerate", "1-fruity", "latest", status=1)
    assert report["runs"][0]["changed"] == []
    assert len(command.json("trash")) == 1
    assert command.json("show", "1-fruity")["health"] == "incomplete"


def test_a_command_of_a_run_without_a_vector_cannot_ask_for_it(command, run, program, material):
    torch = pytest.importorskip("torch")
    (run / "run.json").unlink()
    (run / "weights").unlink()
    (run / "sample.png").unlink()
    torch.save({"a": torch.zeros(3)}, str(run / "weights.pt"))
    text = f"{program()} {{out}} {{personality}}"
    words = ["regenerate", "1-fruity", run.name, "--sample", "--command"]
    assert command.error(*words, text, status=5)["code"] == "incomplete"
    assert not (run / "run.json").exists()
    command(*words, f"{program()} {{out}} {{run}}")
    shown = command.json("show", "1-fruity")
    assert (shown["health"], shown["status"]) == ("complete", "completed")


def test_damaged_weights_are_refused(command, run):
    (run / "sample.png").unlink()
    data = bytearray((run / "weights").read_bytes())
    data[len(data) // 2] ^= 1
    (run / "weights").write_bytes(data)
    error = command.error("regenerate", "1-fruity", run.name, status=5)
    assert error["code"] == "corrupt" and error["path"].endswith("weights")


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_command_and_changes_nothing(
    command, run, program, tmp_path, rooms, how
):
    body = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
if os.fork() == 0:
    open(LOG + ".child", "w").write(str(os.getpid()))
    time.sleep(100)
time.sleep(0.2)
open(LOG, "w").write("[]")
time.sleep(100)
"""
    (run / "eval-glyphs" / "B.png").unlink()
    words = [BUILD / "fontkeep", "--store", command.store, "regenerate", "1-fruity", run.name]
    process = subprocess.Popen(
        [*map(str, words), "--command", program(body) + " {out} {run}"],
        env={**os.environ, "TMPDIR": str(rooms)},
        stderr=subprocess.PIPE,
        text=True,
    )
    while not (tmp_path / "log").exists():
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(how)
    _, told = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "cancelled" in told
    assert list(rooms.iterdir()) == []
    assert not list(run.parent.glob(".stage-*"))
    child = int((tmp_path / "log.child").read_text())
    for _ in range(500):
        if not os.path.exists(f"/proc/{child}"):
            break
        if open(f"/proc/{child}/stat").read().split(")")[-1].split()[0] == "Z":
            break
        time.sleep(0.01)
    else:
        pytest.fail("the command's own child lives on")


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_between_two_programs_leaves_nothing_either(command, run, program, rooms, how):
    body = f"""
import os, sys, time
keeper, me = os.getppid(), os.getpid()
if os.fork() == 0:
    os.setsid()
    while os.path.exists(f"/proc/{{me}}"):
        pass
    os.kill(keeper, {int(how)})
    os._exit(0)
open(sys.argv[1], "wb").write(open(PNG, "rb").read())
"""
    (run / "eval-glyphs" / "B.png").unlink()
    done = command(
        *["regenerate", "1-fruity", run.name, "--command", program(body) + " {out} {run}"],
        environment={"TMPDIR": str(rooms)},
        status=(0, 130),  # 0: it came when the new generation was there
    )
    assert ("cancelled" in done.stderr) == (done.returncode == 130)
    assert list(rooms.iterdir()) == []
    assert not list(run.parent.glob(".stage-*"))


def test_a_signal_that_is_ignored_ends_nothing_while_a_program_runs(command, run, program):
    body = f"""
import os, sys, time
os.kill(os.getppid(), {int(signal.SIGHUP)})
time.sleep(0.3)
open(sys.argv[1], "wb").write(open(PNG, "rb").read())
"""
    (run / "eval-glyphs" / "B.png").unlink()
    words = ["nohup", BUILD / "fontkeep", "--store", command.store, "regenerate", "1-fruity"]
    words += [run.name, "--command", program(body) + " {out}"]
    done = subprocess.run(list(map(str, words)), stderr=subprocess.PIPE, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    assert (run / "eval-glyphs" / "B.png").exists()


def test_fonts_and_runs_that_are_not_there_are_not_found(command, save):
    save()
    assert command.error("regenerate", "2-dumb", "latest", status=3)["code"] == "font_not_found"
    assert command.error("regenerate", "1-fruity", "2020", status=3)["code"] == "run_not_found"
    assert command.error("regenerate", "1-fruity", status=2)["code"] == "usage"
