"""Ctrl-C: KeyboardInterrupt as raised, and nothing is left of what was under way."""

from __future__ import annotations

import random
import signal
import time

import pytest
from processes import start_script

import fontkeep

ROUNDS = 10

CHILD = """
import sys, time
import fontkeep, numpy
image = numpy.zeros((2, 2), numpy.uint8)
store = fontkeep.Store(sys.argv[1])
weights = {str(i): numpy.full(1_000_000, i, numpy.float32) for i in range(5)}
def save(**options):
    return store.save_model("1-a", weights, [1.0], image, {"A": image}, {}, **options)
def in_steps(**options):
    with store.begin_run("1-a", **options) as run:
        run.set_sample(image)
        run.set_feedback({})
        run.set_weights(weights, [1.0])
        run.add_glyph("A", image)
    return run
def load():
    back = store.load_model("1-a")[0]
    assert float(back["4"][-1]) == 4
def read():
    store.open_run("1-a").weights
save()
load()
"""

# One signal a round, at any moment; "done" rounds wait for theirs.
ROUND = """
def settle():
    last = background._writer.last((store.path, "1-a"))
    if last is not None:
        last.exception()
def check():
    settle()
    status = store.status()
    assert (status.stages, status.strangers) == (0, []), status
    assert status.by_health["complete"] == status.runs
from fontkeep import background
start = time.monotonic()
ACTION
print(time.monotonic() - start, flush=True)
check()
for _ in range(ROUNDS):
    before = len(store.list_runs("1-a"))
    try:
        print("ready", flush=True)
        ACTION
        settle()
        assert len(store.list_runs("1-a")) == before + SAVED
        outcome = "done"
        time.sleep(60)
    except KeyboardInterrupt:
        if outcome != "done":
            outcome = "interrupted"
    check()
    assert 0 <= len(store.list_runs("1-a")) - before <= SAVED
    print(outcome, flush=True)
    outcome = None
assert store.verify().damaged == 0
"""


@pytest.mark.parametrize(
    "action, saved",
    [
        ("save()", 1),
        ("save(wait=False).result()", 1),
        ("in_steps()", 1),
        ("in_steps(wait=False).future.result()", 1),
        ("for _ in range(9): load()", 0),
        ("for _ in range(9): read()", 0),
        ("for _ in range(9): store.verify()", 0),
    ],
)
def test_ctrl_c_at_any_moment_leaves_whole_runs_or_none(store, action: str, saved: int) -> None:
    code = ROUND.replace("ACTION", action).replace("SAVED", str(saved))
    process = start_script(store, CHILD, "outcome = None", code.replace("ROUNDS", str(ROUNDS)))
    chance = random.Random(action)
    seconds = float(process.stdout.readline() or 0)
    outcomes = []
    for _ in range(ROUNDS):
        if process.stdout.readline() != "ready\n":
            break
        time.sleep(chance.uniform(0, 1.3 * seconds))
        process.send_signal(signal.SIGINT)
        outcomes.append(process.stdout.readline().strip())
    _, err = process.communicate(timeout=300)
    assert process.returncode == 0 and err == "", err
    assert len(outcomes) == ROUNDS and "interrupted" in outcomes
    assert fontkeep.Store(store.path).status().stages == 0


def test_an_exception_of_another_signal_handler_comes_as_raised(store) -> None:
    process = start_script(
        store,
        CHILD,
        """
        import signal
        class Stop(Exception):
            pass
        def stop(*_):
            raise Stop("mine")
        signal.signal(signal.SIGALRM, stop)
        weights = {"w": numpy.ones(20_000_000)}
        signal.setitimer(signal.ITIMER_REAL, 0.02)
        try:
            save()
        except Stop as error:
            print(error, store.status().stages, len(store.list_runs("1-a")))
        """,
    )
    out, err = process.communicate(timeout=120)
    assert out == "mine 0 1\n", err


def test_an_uncaught_ctrl_c_ends_the_process_and_saves_under_way_are_whole(store) -> None:
    process = start_script(
        store, CHILD, "print('ready', flush=True)\nsave(wait=False)\ntime.sleep(60)"
    )
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == -signal.SIGINT and "KeyboardInterrupt" in err
    status = store.status()
    assert status.stages == 0 and status.by_health["complete"] == status.runs
