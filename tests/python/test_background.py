"""Saves in the background: wait=False."""

from __future__ import annotations

import concurrent.futures
import gc
import os
import queue
import threading
import warnings

import numpy
import pytest
from processes import forks, run_script

import fontkeep
from fontkeep import background


class Turn:
    """The turn to write, which no save gets until it is given."""

    def __init__(self) -> None:
        background._writer.turn.acquire()
        self.taken = True

    def give(self) -> None:
        if self.taken:
            self.taken = False
            background._writer.turn.release()


@pytest.fixture
def held():
    """The turn to write is taken until the test gives it."""
    turn = Turn()
    yield turn
    turn.give()


def test_a_background_save_gives_a_future_of_the_id(store, save) -> None:
    future = save(wait=False)
    assert isinstance(future, concurrent.futures.Future)
    assert store.get_run_info("1-fruity", future.result(60)).status == "completed"


def test_a_background_save_writes_the_values_at_the_time_of_the_call(store, save, held) -> None:
    torch = pytest.importorskip("torch")
    array = numpy.zeros(100_000, numpy.float32)
    tensor = torch.arange(8.0)
    vector = torch.ones(3)
    weights = {"array": array, "tensor": tensor, "view": tensor[2:4], "swapped": array[:9:-1]}
    future = save(weights=weights, personality_vector=vector, wait=False)
    for changed in (array, tensor, vector):
        changed[:] = 9
    weights["more"] = 1
    del weights, array
    gc.collect()
    held.give()
    back, back_vector, _ = store.load_model("1-fruity", future.result(60))
    assert sorted(back) == ["array", "swapped", "tensor", "view"]
    assert float(back["array"].sum()) == 0 and back["tensor"].tolist() == list(range(8))
    assert back_vector.tolist() == [1, 1, 1]
    back["tensor"][2] = 50
    assert back["view"].tolist() == [50, 3]


def test_large_weights_are_copied_whole(store, save, held) -> None:
    """Several threads copy a block of 1 MiB at a time, wherever in it arrays begin and end."""
    random = numpy.random.default_rng(1)
    sizes = (3, 1 << 20, 1, (1 << 20) + 7, 0, 5_000_003, (1 << 20) - 1, 64)
    weights = {str(i): random.integers(0, 256, size, numpy.uint8) for i, size in enumerate(sizes)}
    weights["slice"] = weights["5"][1_500_001:2_700_003]
    expected = {name: array.copy() for name, array in weights.items()}
    future = save(weights=weights, wait=False)
    for array in weights.values():
        array[:] = 0
    held.give()
    back = store.load_model("1-fruity", future.result(60))[0]
    assert back.keys() == expected.keys()
    for name, array in expected.items():
        assert numpy.array_equal(numpy.asarray(back[name]), array), name


def test_the_thread_that_writes_gives_way_and_no_other_does(save, held) -> None:
    def niceness() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    before = niceness()
    seen: queue.SimpleQueue[int] = queue.SimpleQueue()
    future = save(wait=False)
    future.add_done_callback(lambda _: seen.put(niceness()))
    held.give()
    assert seen.get(timeout=60) == min(before + background.NICENESS, 19)
    future.result(60)
    assert niceness() == before


def test_a_slice_of_a_large_tensor_is_copied_alone(store, save, held, resident_bytes) -> None:
    large = numpy.ones(50_000_000, numpy.uint8)
    before = resident_bytes()
    future = save(weights={"slice": large[20_000_000:20_000_100]}, wait=False)
    assert resident_bytes() - before < 5_000_000
    held.give()
    assert store.load_model("1-fruity", future.result(60))[0]["slice"].tolist() == [1] * 100


def test_what_a_background_save_needs_is_one_copy_until_it_is_written(
    store, save, held, resident_bytes
) -> None:
    megabytes = 64
    weights = {str(i): numpy.ones(1 << 20, numpy.uint8) for i in range(megabytes)}
    save()
    before = resident_bytes()
    future = save(weights=weights, wait=False)
    assert megabytes - 1 <= (resident_bytes() - before) >> 20 < megabytes + 16
    held.give()
    future.result(60)
    assert (resident_bytes() - before) >> 20 < 16


def test_runs_of_a_font_appear_in_the_order_of_the_calls(store, save, held) -> None:
    futures = [save(weights={"n": n}, wait=False) for n in range(5)]
    with store.begin_run("1-fruity", status="failed", wait=False) as run:
        run.set_weights({"n": 5}, None)
    threading.Timer(0.05, held.give).start()
    last = save(weights={"n": 6})
    assert all(future.done() for future in futures)
    ids = [future.result(60) for future in futures] + [run.id, last]
    assert ids == sorted(ids)
    assert [listed.run_id for listed in store.list_runs("1-fruity")] == ids
    assert store.load_model("1-fruity")[0] == {"n": 6}


def test_other_fonts_do_not_wait(store, save, held) -> None:
    future = save("1-fruity", wait=False)
    save("2-dumb")
    assert not future.done()
    held.give()
    future.result(60)


def test_a_callback_may_save_while_others_wait(store, save, held) -> None:
    saved = []
    futures = [save(wait=False) for _ in range(3)]
    futures[0].add_done_callback(lambda _: saved.append(save()))
    held.give()
    futures[-1].result(60)
    assert len(saved) == 1 and len(store.list_runs("1-fruity")) == 4


def test_bad_input_to_a_background_save_raises_at_once(tmp_path, store, save) -> None:
    inner: list = []
    inner.append((inner,))
    small = fontkeep.Store(tmp_path / "small", create=True, max_weights_bytes=5000)
    for error, options in (
        (fontkeep.UnsupportedDataError, {"weights": {"f": len}}),
        (fontkeep.UnsupportedDataError, {"weights": {"cycle": inner[0]}}),
        (fontkeep.InvalidFontIdError, {"font_id": "Bad"}),
        (fontkeep.InvalidInputError, {"sample_image": b"no png"}),
        (fontkeep.InvalidInputError, {"architecture": [1]}),
        (fontkeep.InvalidInputError, {"feedback": {"metrics": 3}}),
        (fontkeep.LimitError, {"store": small, "weights": {"w": numpy.zeros(100_000)}}),
        (TypeError, {"weights": None}),
    ):
        with pytest.raises(error):
            save(**options, wait=False)
    for place in (store, small):
        assert (place.status().stages, place.status().runs) == (0, 0)


def lose_stage(store: fontkeep.Store) -> None:
    [stage] = [
        os.path.join(path, name)
        for path, names, _ in os.walk(store.path)
        for name in names
        if name.startswith(".stage-")
    ]
    os.rename(stage, os.path.join(store.path, "lost"))


def test_what_fails_while_writing_comes_through_the_future(store, save, held) -> None:
    future = save(wait=False)
    lose_stage(store)
    after = save(wait=False)
    held.give()
    assert isinstance(future.exception(60), fontkeep.FontKeepError)
    with pytest.raises(fontkeep.FontKeepError):
        future.result()
    assert after.result(60) == store.list_runs("1-fruity")[0].run_id


def test_a_failure_keeps_no_copy_of_the_model(store, save, held, resident_bytes) -> None:
    weights = {"w": numpy.ones(50_000_000, numpy.uint8)}
    save()
    before = resident_bytes()
    future = save(weights=weights, wait=False)
    lose_stage(store)
    held.give()
    assert future.exception(60) is not None
    assert resident_bytes() - before < 16_000_000


def test_a_failure_that_nobody_asks_about_is_warned_of(store, save, held) -> None:
    future = save(wait=False)
    lose_stage(store)
    held.give()
    concurrent.futures.wait([future], 60)
    gc.disable()  # the last reference is enough
    with pytest.warns(fontkeep.FontKeepWarning, match="nobody asked"):
        for thread in threading.enumerate():
            if thread.name == "fontkeep-writer":
                thread.join(60)
        del future
    gc.enable()


def test_a_failure_that_was_asked_about_is_not(store, save, held) -> None:
    future = save(wait=False)
    lose_stage(store)
    held.give()
    with pytest.raises(fontkeep.FontKeepError):
        future.result(60)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        del future
        gc.collect()


def test_a_save_can_be_cancelled_before_it_is_written(store, save, held) -> None:
    future = save(wait=False)
    assert store.status().stages == 1
    assert future.cancel() and future.cancelled()
    kept = save(wait=False)
    held.give()
    run_id = kept.result(60)
    assert [run.run_id for run in store.list_runs("1-fruity")] == [run_id]
    assert store.status().stages == 0


# ---- begin_run ----


def test_a_draft_is_written_and_committed_behind_the_block(store, image, held) -> None:
    array = numpy.zeros(1000)
    with store.begin_run("1-fruity", architecture={"n": 1}, wait=False) as run:
        run.set_weights({"w": array}, [1.0])
        array.fill(5)
        run.set_sample(image)
        run.add_glyph("A", image)
        run.set_feedback({"notes": "n"})
        assert run.future is None
    assert run.id is None and not run.future.done()
    for late in (lambda: run.set_feedback({}), run.commit, lambda: run.set_weights({}, None)):
        with pytest.raises(TypeError, match="committed"):
            late()
    held.give()
    assert run.future.result(60) == run.id
    back = store.open_run("1-fruity", run.id)
    assert back.weights["w"].sum() == 0 and back.architecture == {"n": 1}
    run.discard()
    assert len(store.list_runs("1-fruity")) == 1


def test_bad_weights_of_a_background_draft_raise_in_the_block(store) -> None:
    with store.begin_run("1-fruity", status="failed", wait=False) as run:
        with pytest.raises(fontkeep.UnsupportedDataError):
            run.set_weights({"f": len}, None)
        run.set_weights({"n": 1}, None)
        with pytest.raises(TypeError, match="already"):
            run.set_weights({"n": 2}, None)
    assert store.load_model("1-fruity", run.future.result(60))[0] == {"n": 1}


def test_an_exception_discards_a_background_draft(store) -> None:
    with pytest.raises(RuntimeError):
        with store.begin_run("1-fruity", wait=False) as run:
            run.set_weights({"n": 1}, None)
            raise RuntimeError
    assert run.future is None and store.status().stages == 0


def test_a_background_draft_can_be_discarded_behind_the_block(store, held) -> None:
    with store.begin_run("1-fruity", status="failed", wait=False) as run:
        run.set_weights({"n": 1}, None)
    run.discard()
    assert run.future.cancelled() and store.status().stages == 0
    held.give()
    writers = [thread for thread in threading.enumerate() if thread.name == "fontkeep-writer"]
    for thread in writers:
        thread.join(60)
    assert store.status().runs == 0


def in_steps(store: fontkeep.Store) -> None:
    with store.begin_run("1-fruity", status="failed", wait=False) as run:
        run.set_weights({"n": 1}, None)


@pytest.mark.parametrize("stepwise", [False, True])
@pytest.mark.parametrize("begun", [False, True])
def test_ctrl_c_while_a_save_is_handed_over_leaves_nothing(
    store, save, held, monkeypatch, begun: bool, stepwise: bool
) -> None:
    start = threading.Thread.start

    def interrupted(thread: threading.Thread) -> None:
        if begun:
            start(thread)
        raise KeyboardInterrupt

    monkeypatch.setattr(threading.Thread, "start", interrupted)
    with pytest.raises(KeyboardInterrupt):
        in_steps(store) if stepwise else save(wait=False)
    monkeypatch.undo()
    assert store.status().stages == 0
    held.give()
    run_id = save()
    assert [run.run_id for run in store.list_runs("1-fruity")] == [run_id]


def test_an_incomplete_background_draft_fails_through_its_future(store) -> None:
    with store.begin_run("1-fruity", wait=False) as run:
        run.set_weights({"n": 1}, None)
    with pytest.raises(fontkeep.InvalidInputError, match="lacks"):
        run.future.result(60)
    assert run.id is None and store.status().stages == 0


def test_commit_in_a_background_block_waits(store) -> None:
    with store.begin_run("1-fruity", status="failed", wait=False) as run:
        run.set_weights({"n": 1}, None)
        run_id = run.commit()
    assert run.future is None and run.id == run_id == store.list_runs("1-fruity")[0].run_id


# ---- the end of the interpreter, and forks ----

START = """
import fontkeep, sys, numpy, os, threading, atexit
from fontkeep import background
image = numpy.zeros((2, 2), numpy.uint8)
store = fontkeep.Store(sys.argv[1])
def save(**options):
    return store.save_model("1-a", {"w": numpy.ones(500_000)}, [1.0], image, {}, {}, **options)
"""


@pytest.mark.parametrize("end", ["", "sys.exit(0)", "store = None"])
def test_the_interpreter_waits_for_background_saves(store, end: str) -> None:
    out, err = run_script(store, START, "for n in range(3): save(wait=False)", end)
    assert err == ""
    assert len(store.list_runs("1-a")) == 3 and store.verify().damaged == 0


def test_a_save_at_the_very_end_is_written_at_once(store) -> None:
    out, err = run_script(
        store, START, "atexit.register(lambda: print(save(wait=False).result()))"
    )
    assert [run.run_id for run in store.list_runs("1-a")] == out.split() and err == ""


def test_a_failure_at_the_end_is_told(store) -> None:
    code = """
    background._writer.turn.acquire()
    save(wait=False)
    [stage] = [e.path for e in os.scandir(store.path + "/1-a/runs") if e.is_dir()]
    os.rename(stage, store.path + "/lost")
    background._writer.turn.release()
    """
    _, err = run_script(store, START, code)
    assert "FontKeepWarning" in err and "nobody asked" in err


@forks
def test_a_forked_child_leaves_the_saves_of_its_parent_alone(store) -> None:
    code = """
    background._writer.turn.acquire()
    pending = save(wait=False)
    draft = store.begin_run("1-a", status="failed")
    child = os.fork()
    if child == 0:
        try:
            pending.result()
        except RuntimeError as error:
            assert "process" in str(error)
        for use in (draft.commit, lambda: draft.set_feedback({})):
            try:
                use()
            except TypeError as error:
                assert "process" in str(error)
            else:
                raise AssertionError
        print(save(), save(wait=False).result(), flush=True)
        sys.exit(0)
    assert os.waitpid(child, 0)[1] == 0
    background._writer.turn.release()
    print(pending.result(), draft.commit())
    """
    out, err = run_script(store, START, code)
    assert err == ""
    ids = out.split()
    assert len(set(ids)) == 4
    assert [run.run_id for run in store.list_runs("1-a")] == sorted(ids)
    assert store.status().stages == 0 and store.verify().damaged == 0


def test_the_functions_of_the_module_save_in_order_too(tmp_path, monkeypatch, image, held) -> None:
    monkeypatch.setenv("FONTKEEP_STORE", str(tmp_path))
    futures = [
        fontkeep.save_model("1-a", {"n": n}, [1.0], image, {}, {}, wait=False) for n in range(3)
    ]
    held.give()
    assert [run.run_id for run in fontkeep.list_runs("1-a")] <= [f.result(60) for f in futures]
    assert fontkeep.load_model("1-a")[0] == {"n": 2}
