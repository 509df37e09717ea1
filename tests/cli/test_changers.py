"""Many processes change one run at the same time: it stays whole, and none of its generations is
lost."""

import random
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor

import pytest
from caller import Command

RUN = "2026-01-11T08:30:00.000000"
CHANGERS = 3
STEPS = 12

# what may come of a call while others are at work: done, refused, gone, in the way
ANY = (0, 1, 3, 4, 6)


@pytest.fixture
def shared(material):
    """A store in memory (a thousand syncs are not what is looked at), with a run made by hand that
    lacks its sample."""
    with tempfile.TemporaryDirectory(dir=memory()) as directory:
        made = Command(f"{directory}/networks")
        made("init", store=True)
        run = made.run_path("1-fruity", RUN)
        run.mkdir(parents=True)
        shutil.copy(material / "model.pt", run / "weights.pt")
        shutil.copy(material / "feedback.json", run)
        shutil.copytree(material / "glyphs", run / "eval-glyphs")
        yield made


def memory():
    try:
        with tempfile.TemporaryFile(dir="/dev/shm"):
            return "/dev/shm"
    except OSError:
        return None


def change(command, seed):
    """Changes the run in all ways there are, in any order; gives what the calls came to."""
    chance = random.Random(seed)
    statuses = []
    for _ in range(STEPS):
        what = chance.choice(["adopt", "migrate", "regenerate", "regenerate", "rm", "restore"])
        words = [what, "1-fruity", RUN]
        if what == "adopt":
            words = ["adopt", "1-fruity"]
        elif what == "restore":
            entries = command.json("trash")
            if not entries:
                continue
            words = ["restore", chance.choice(entries)["trash_id"]]
        statuses.append(command(*words, status=ANY).returncode)
    return statuses


def look(command, out, rounds):
    """What a reader sees meanwhile: never damage, never half a run."""
    healths = set()
    for number in range(rounds):
        healths |= {run["health"] for run in command.json("runs", "1-fruity")}
        command("load", "1-fruity", RUN, "--out", out / str(number), status=(0, 1, 3))
    return healths


@pytest.mark.parametrize("seed", range(2))
def test_many_changers_of_one_run_leave_it_whole(shared, tmp_path, seed):
    with ThreadPoolExecutor() as pool:
        changers = [pool.submit(change, shared, 100 * seed + i) for i in range(CHANGERS)]
        reader = pool.submit(look, shared, tmp_path, 20)
        statuses = [status for changer in changers for status in changer.result()]
        assert reader.result() <= {"complete", "incomplete", "unverified"}
    assert statuses.count(0) > len(statuses) / 4
    assert shared.json("recover")["kept"] == []
    status = shared.json("status")
    assert (status["stages"], status["strangers"]) == (0, [])
    if status["runs"] == 0:
        newest = max(shared.json("trash"), key=lambda entry: entry["removed_at"])
        shared("restore", newest["trash_id"])
    shared("regenerate", "1-fruity", RUN)
    assert shared.json("verify")["damaged"] == 0
    runs = shared.run_path("1-fruity", RUN).parent
    for generation in runs.iterdir():
        weights = [path for path in generation.iterdir() if path.name.startswith("weights")]
        assert len(weights) == 1
        shared("inspect", weights[0])
    assert len(list(runs.iterdir())) == 1 + len(shared.json("trash"))
