"""Many processes and threads at one store; saves in the background; interrupts."""

from __future__ import annotations

import concurrent.futures
import gc
import os
import signal
import subprocess
import sys
import textwrap
import threading

import numpy
import pytest

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
    path = os.path.dirname(os.path.dirname(fontkeep.__file__))
    return subprocess.Popen(
        [sys.executable, "-c", SAVER, store.path, font_id, png, str(RUNS), str(who)],
        env={**os.environ, "PYTHONPATH": path},
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


# ---- in the background ----


def test_a_background_save_writes_the_values_at_the_time_of_the_call(store, save) -> None:
    array = numpy.zeros(100_000, numpy.float32)
    future = save(weights={"w": array}, wait=False)
    array.fill(9)
    run_id = future.result(60)
    assert float(store.load_model("1-fruity", run_id)[0]["w"].sum()) == 0


def test_background_saves_appear_in_order(store, save) -> None:
    futures = [save(weights={"n": n}, wait=False) for n in range(5)]
    ids = [future.result(60) for future in futures]
    assert ids == sorted(ids)


def test_bad_input_to_a_background_save_raises_at_once(store, save) -> None:
    with pytest.raises(fontkeep.UnsupportedDataError):
        save(weights={"f": len}, wait=False)
    with pytest.raises(fontkeep.InvalidFontIdError):
        save("Bad", wait=False)
    with pytest.raises(fontkeep.InvalidInputError):
        save(sample_image=b"no png", wait=False)
    assert store.status().stages == 0


def test_what_fails_while_writing_comes_through_the_future(tmp_path, save) -> None:
    small = fontkeep.Store(tmp_path / "small", create=True, max_weights_bytes=5000)
    future = save(store=small, weights={"w": numpy.zeros(100_000)}, wait=False)
    with pytest.raises(fontkeep.LimitError):
        future.result(60)
    assert small.status().stages == 0


def run_script(store: fontkeep.Store, script: str) -> subprocess.Popen:
    path = os.path.dirname(os.path.dirname(fontkeep.__file__))
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script), store.path],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_interpreter_waits_for_background_saves(store) -> None:
    process = run_script(
        store,
        """
        import fontkeep, sys, numpy
        image = numpy.zeros((2, 2), numpy.uint8)
        store = fontkeep.Store(sys.argv[1])
        for n in range(3):
            store.save_model("1-a", {"w": numpy.ones(500_000)}, [1.0], image, {}, {}, wait=False)
        """,
    )
    assert process.wait(120) == 0, process.stderr.read()
    assert len(store.list_runs("1-a")) == 3 and store.verify().damaged == 0


# ---- interrupts ----


def test_an_interrupt_cancels_a_save_and_leaves_nothing(store) -> None:
    process = run_script(
        store,
        """
        import fontkeep, signal, sys, numpy
        image = numpy.zeros((2, 2), numpy.uint8)
        store = fontkeep.Store(sys.argv[1], durability="none")
        weights = {"w": numpy.ones(20_000_000)}
        class Stop(Exception):
            pass
        def stop(*_):
            raise Stop
        signal.signal(signal.SIGALRM, stop)
        signal.setitimer(signal.ITIMER_REAL, 0.02)
        try:
            store.save_model("1-a", weights, [1.0], image, {}, {})
        except Stop:
            print("stopped")
        """,
    )
    out, err = process.communicate(timeout=120)
    assert out == "stopped\n", err
    assert store.list_fonts() == [] or store.list_runs("1-a") == []
    assert store.status().stages == 0


def test_ctrl_c_raises_keyboard_interrupt_from_a_load(store, save) -> None:
    run_id = save(weights={"w": numpy.zeros(40_000_000, numpy.uint8)})
    if threading.current_thread() is not threading.main_thread():
        pytest.skip("signals reach the main thread")
    timer = threading.Timer(0.0, os.kill, (os.getpid(), signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        timer.start()
        for _ in range(200):
            store.load_model("1-fruity", run_id)
    timer.join()
    assert store.load_model("1-fruity", run_id)[2].health == "complete"


# ---- memory ----


def resident_bytes() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.fixture
def save_and_load_once(store, save):
    """Everything that makes and drops objects: a load, a refused save, a run step by step."""
    weights = {"w": numpy.zeros(200_000, numpy.uint8), "deep": [{"x": (1, 2.5, "t")}] * 20}
    run_id = save(weights=weights)

    def once() -> None:
        store.load_model("1-fruity", run_id)
        store.get_run_info("1-fruity", run_id)
        with pytest.raises(fontkeep.UnsupportedDataError):
            save(weights={"w": weights, "f": len})
        with store.begin_run("1-fruity", training={"n": [1, 2]}) as run:
            run.set_weights(weights, [1.0] * 100)
            run.set_sample(numpy.zeros((2, 2), numpy.uint8))
            run.set_feedback({"a": "b"})

    for _ in range(10):
        once()
    gc.collect()
    return once


@pytest.mark.skipif(
    "libasan" in os.environ.get("LD_PRELOAD", ""), reason="ASan keeps freed memory for a while"
)
def test_saving_and_loading_over_and_over_needs_no_more_memory(save_and_load_once) -> None:
    before = resident_bytes()
    for _ in range(50):
        save_and_load_once()
    gc.collect()
    assert resident_bytes() - before < 5_000_000


def test_saving_and_loading_over_and_over_leaves_no_objects(save_and_load_once) -> None:
    growths = []
    for _ in range(4):  # pools and caches fill in the first rounds; a leak goes on for ever
        before = sys.getallocatedblocks()
        for _ in range(100):
            save_and_load_once()
        gc.collect()
        growths.append(sys.getallocatedblocks() - before)
    assert min(growths) < 100, growths  # one leak in a round makes each of them more
