"""Trains and saves on request.

child_background.py SIZE    for each "KIND PATH" on standard input: prints one number

PATH is a new store. KIND is
  blocking   seconds of a save that waits
  call       seconds until a save with wait=False returns
  lost       seconds of training that such a save costs: of the call, and of the steps that were
             slower until the run was there
  step       seconds of a step meanwhile; alone: of a step without
"""

from __future__ import annotations

import statistics
import sys
import time
from concurrent.futures import Future

import torch

import fontkeep

from . import model

STEPS_ALONE = 30


class Training:
    """A loop whose steps take milliseconds, so that what a save costs shows."""

    def __init__(self, width: int = 256) -> None:
        self.network = torch.nn.Sequential(
            torch.nn.Linear(width, 2 * width), torch.nn.ReLU(), torch.nn.Linear(2 * width, width)
        )
        self.optimiser = torch.optim.SGD(self.network.parameters(), lr=0.001)
        self.batch = torch.ones(32, width)

    def step(self) -> float:
        began = time.perf_counter()
        self.optimiser.zero_grad()
        self.network(self.batch).square().mean().backward()
        self.optimiser.step()
        return time.perf_counter() - began

    def alone(self) -> float:
        return statistics.median(self.step() for _ in range(STEPS_ALONE))

    def until(self, future: Future[str]) -> list[float]:
        steps = [self.step()]
        while not future.done():
            steps.append(self.step())
        return steps


def measure(training: Training, weights: dict[str, torch.Tensor], kind: str, path: str) -> float:
    store = fontkeep.Store(path, create=True)
    alone = training.alone()
    if kind == "alone":
        return alone
    began = time.perf_counter()
    if kind == "blocking":
        model.save(store, weights)
        return time.perf_counter() - began
    future = model.save(store, weights, wait=False)
    called = time.perf_counter() - began
    steps = training.until(future)
    future.result()
    if kind == "call":
        return called
    return statistics.median(steps) if kind == "step" else called + sum(steps) - len(steps) * alone


def main() -> None:
    weights = model.state_dict(sys.argv[1])
    training = Training()
    for line in sys.stdin:
        kind, path = line.rstrip("\n").split(" ", 1)
        print(measure(training, weights, kind, path), flush=True)


main()
