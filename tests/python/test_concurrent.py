"""Many processes and threads at one store."""

from __future__ import annotations

import concurrent.futures
import os
import subprocess
import sys

import pytest
from processes import environment

import fontkeep

PROCESSES = 8
RUNS = 50
SAVER = """
import fontkeep, sys
store = fontkeep.Store(sys.argv[1])
with open(sys.argv[3], "rb") as file:
    PNG = file.read()
sys.stdin.readline()
for n in range(int(sys.argv[4])):
    print(store.save_model(sys.argv[2], {"n": n, "who": sys.argv[5]}, [float(n)], PNG, {"A": PNG},
                           {"metrics": {"n": n}}), flush=True)
"""


def saver(store: fontkeep.Store, font_id: str, png: str, who: int) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", SAVER, store.path, font_id, png, str(RUNS), str(who)],
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("fonts", [1, PROCESSES])
def test_400_runs_of_8_processes_are_distinct_ordered_and_whole(store, save, fonts: int) -> None:
    seed = save("9-seed")
    png = os.path.join(store.get_run_info("9-seed", seed).path, "sample.png")
    names = [f"{n % fonts + 1}-shared" for n in range(PROCESSES)]
    savers = [saver(store, font_id, png, n) for n, font_id in enumerate(names)]
    for process in savers:
        process.stdin.write("go\n")
        process.stdin.flush()
    saved = []
    for font_id, process in zip(names, savers):
        ids = process.communicate(timeout=300)[0].split()
        assert process.returncode == 0
        assert ids == sorted(ids) and len(ids) == RUNS
        saved += [(font_id, run_id) for run_id in ids]
    assert len(set(saved)) == PROCESSES * RUNS
    listed = [(font_id, run.run_id) for font_id in set(names) for run in store.list_runs(font_id)]
    assert sorted(listed) == sorted(saved)
    report = store.verify()
    assert (report.checked, report.damaged) == (PROCESSES * RUNS + 1, 0)
    status = store.status()
    assert status.stages == 0 and status.strangers == []


def test_threads_share_a_store(store, save) -> None:
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        ids = list(pool.map(lambda n: save(weights={"n": n}), range(36)))
    assert len(set(ids)) == 36
    assert [run.run_id for run in store.list_runs("1-fruity")] == sorted(ids)
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        loaded = list(pool.map(lambda run_id: store.load_model("1-fruity", run_id)[0]["n"], ids))
    assert loaded == list(range(36))


def test_threads_share_an_open_run(store, save) -> None:
    run = store.open_run("1-fruity", save())
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: (id(run.weights), len(run.eval_glyphs())), range(16)))
    assert len(set(results)) == 1
