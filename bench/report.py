"""What a row found: figures held against goals, and the samples behind them."""

from __future__ import annotations

import dataclasses

from .samples import Samples


@dataclasses.dataclass(frozen=True)
class Figure:
    """One line of the table. Without a goal it is there to compare with."""

    what: str
    value: float | None  # None: not measured, and `note` says why
    unit: str = "x"  # or "s", "ms", "MiB"
    at_most: float | None = None
    at_least: float | None = None
    note: str = ""

    @property
    def measured(self) -> str:
        if self.value is None:
            return f"not measured: {self.note}"
        return quantity(self.value, self.unit)

    @property
    def goal(self) -> str:
        if self.at_most is not None:
            return f"at most {quantity(self.at_most, self.unit)}"
        if self.at_least is not None:
            return f"at least {quantity(self.at_least, self.unit)}"
        return ""

    @property
    def verdict(self) -> str:
        if self.value is None or not self.goal:
            return ""
        low = self.at_least is None or self.value >= self.at_least
        high = self.at_most is None or self.value <= self.at_most
        return "met" if low and high else "missed"


@dataclasses.dataclass
class Report:
    """Of one row."""

    title: str
    figures: list[Figure] = dataclasses.field(default_factory=list)
    samples: dict[str, Samples] = dataclasses.field(default_factory=dict)
    unit: str = "ms"  # of the samples: "ms" for seconds, "MiB" for bytes
    notes: list[str] = dataclasses.field(default_factory=list)

    def table(self) -> list[tuple[str, ...]]:
        rows = [("", "measured", "goal", "")]
        rows += [(each.what, each.measured, each.goal, each.verdict) for each in self.figures]
        return rows

    def sample_table(self) -> list[tuple[str, ...]]:
        scale = {"ms": 1e3, "MiB": 2.0**-20}[self.unit]
        rows = [(f"medians, {self.unit}", "median", "quartiles", "rounds")]
        for name, each in self.samples.items():
            low, high = (number(value * scale) for value in each.quartiles)
            median = number(each.median * scale)
            rows.append((name, median, f"{low} to {high}", str(len(each.values))))
        return rows


def number(value: float) -> str:
    """Three digits that mean something."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def quantity(value: float, unit: str) -> str:
    return f"{number(value)} {unit}"


def as_text(rows: list[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        lines.append("  " + "  ".join(cells).rstrip())
    return "\n".join(lines)


def as_markdown(rows: list[tuple[str, ...]]) -> str:
    lines = ["| " + " | ".join(row).strip() + " |" for row in rows]
    lines.insert(1, "|" + "---|" * len(rows[0]))
    return "\n".join(lines)
