"""Forked children and pools of processes go on with a store."""

from __future__ import annotations

import concurrent.futures
import multiprocessing
import os
import signal
import threading

import pytest
from processes import METHODS, forks

import fontkeep


def in_child(do) -> None:
    """Calls `do` in a forked child, which must end well."""
    pid = os.fork()
    if pid == 0:
        signal.alarm(60)
        try:
            do()
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


@forks
def test_a_forked_child_goes_on_with_the_store_of_its_parent(store, save) -> None:
    first = save(weights={"n": 0})
    assert store.load_model("1-fruity", first)[0]["n"] == 0  # what loading needs is imported once

    def child() -> None:
        run_id = save(weights={"n": 1})
        assert run_id > first
        assert store.load_model("1-fruity", first)[0]["n"] == 0
        assert store.load_model("1-fruity")[0]["n"] == 1
        assert [run.run_id for run in store.list_runs("1-fruity")] == [first, run_id]

    in_child(child)
    last = save(weights={"n": 2})
    ids = [run.run_id for run in store.list_runs("1-fruity")]
    assert len(ids) == 3 and ids == sorted(ids) and ids[-1] == last
    assert store.verify().damaged == 0


@forks
def test_children_fork_while_other_threads_save(store, save) -> None:
    stop = threading.Event()

    def go_on_saving() -> None:
        while not stop.is_set():
            save()

    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        savers = [pool.submit(go_on_saving) for _ in range(3)]
        try:
            for _ in range(10):
                in_child(save)
        finally:
            stop.set()
        for future in savers:
            future.result(60)
    report = store.verify()
    assert report.damaged == 0 and report.checked >= 10
    assert store.status().stages == 0


@forks
def test_a_forked_child_that_ends_leaves_the_run_of_its_parent_alone(store, image) -> None:
    with store.begin_run("1-fruity") as run:
        run.set_weights({"w": image}, [1.0])
        in_child(lambda: run.__exit__(ValueError, ValueError(), None))
        run.set_sample(image)
        run.set_feedback({})
        assert store.status().stages == 1
    assert store.get_run_info("1-fruity", run.id).health == "complete"


@pytest.mark.parametrize("method", METHODS)
def test_a_pool_of_processes_loads_through_a_store_made_in_each(store, save, method) -> None:
    ids = [save(weights={"n": n}) for n in range(4)]
    context = multiprocessing.get_context(method)
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
        assert list(pool.map(load_n, [store.path] * 4, ids)) == [0, 1, 2, 3]


def load_n(path: str, run_id: str) -> int:
    return fontkeep.Store(path).load_model("1-fruity", run_id)[0]["n"]
