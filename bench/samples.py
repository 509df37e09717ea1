"""What was measured again and again: seconds, or bytes."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Callable, Mapping


@dataclasses.dataclass(frozen=True)
class Samples:
    """One value per round, in the order of the rounds."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def quartiles(self) -> tuple[float, float]:
        if len(self.values) < 2:
            return self.median, self.median
        low, _, high = statistics.quantiles(self.values, n=4, method="inclusive")
        return low, high

    def over(self, other: Samples) -> float:
        """The median of the rounds' ratios: what drifts, drifts for both."""
        pairs = zip(self.values, other.values, strict=True)
        return statistics.median(mine / theirs for mine, theirs in pairs)


def interleave(
    subjects: Mapping[str, Callable[[], float]], rounds: int, warm_ups: int
) -> dict[str, Samples]:
    """Measures every subject once a round; each round begins with another, so none has a place."""
    names = list(subjects)
    values: dict[str, list[float]] = {name: [] for name in names}
    for number in range(-warm_ups, rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            seconds = subjects[name]()
            if number >= 0:
                values[name].append(seconds)
    return {name: Samples(tuple(each)) for name, each in values.items()}
