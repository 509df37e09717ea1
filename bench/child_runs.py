"""Many runs in one font.

child_runs.py save STORE FONT SIZE DURABILITY GLYPHS
                                   holds a model; for each line saves a run, prints the seconds
child_runs.py fill STORE FONT COUNT    saves so many tiny runs, not durably; prints the seconds
child_runs.py list STORE FONT COUNT    opens the store, lists the runs; prints the seconds
child_runs.py load STORE FONT COUNT    loads each run, verified; prints the seconds
"""

from __future__ import annotations

import sys
import time

import fontkeep

from . import model


def save(path: str, font: str, size: str, durability: str, glyphs: str) -> None:
    store = fontkeep.Store(path, create=True, durability=durability)
    weights = model.arrays(size)
    for _ in sys.stdin:
        began = time.perf_counter()
        model.save(store, weights, font, int(glyphs))
        print(time.perf_counter() - began, flush=True)


def fill(path: str, font: str, count: str) -> None:
    began = time.perf_counter()
    store = fontkeep.Store(path, create=True, durability="none")
    weights = model.arrays("tiny")
    for _ in range(int(count)):
        model.save(store, weights, font)
    print(time.perf_counter() - began)


def list_runs(path: str, font: str, count: str) -> None:
    began = time.perf_counter()
    runs = fontkeep.Store(path).list_runs(font)
    print(time.perf_counter() - began)
    assert len(runs) == int(count), len(runs)


def load(path: str, font: str, count: str) -> None:
    import torch  # noqa: F401, so that no load below imports it

    store = fontkeep.Store(path)
    ids = [run.run_id for run in store.list_runs(font)]
    assert len(ids) == int(count), len(ids)
    began = time.perf_counter()
    for run_id in ids:
        store.load_model(font, run_id)
    print(time.perf_counter() - began)


{"save": save, "fill": fill, "list": list_runs, "load": load}[sys.argv[1]](*sys.argv[2:])
