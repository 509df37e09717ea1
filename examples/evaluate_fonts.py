#!/usr/bin/python3
"""Loads every run of a store, redraws its glyphs from the weights alone, and compares.

    evaluate_fonts.py --store DIR [--sheets DIR]

A run passes when what the weights draw is what the run has stored, to within one step of grey.
The table shows how the loss fell and how the personality vector moved from run to run.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import fontkeep
import numpy
import torch

from glyph_network import GlyphNetwork, contact_sheet, draw_glyphs

COLUMNS = (
    "font",
    "run",
    "epochs",
    "first loss",
    "last loss",
    "redrawn",
    "|personality|",
    "moved by",
    "turned by",
)


def largest_difference(drawn: dict, stored: dict) -> int:
    """In steps of grey over all glyphs; 256 when the sets of glyphs differ."""
    if drawn.keys() != stored.keys():
        return 256
    return max(
        int(
            numpy.abs(
                numpy.asarray(drawn[x], numpy.int16) - numpy.asarray(stored[x], numpy.int16)
            ).max()
        )
        for x in drawn
    )


def movement(before: torch.Tensor | None, now: torch.Tensor) -> tuple[str, str]:
    """How far the vector moved, and by how many degrees it turned."""
    if before is None:
        return "-", "-"
    cosine = torch.nn.functional.cosine_similarity(before.double(), now.double(), dim=0)
    return (
        f"{(now - before).norm():.4f}",
        f"{torch.rad2deg(torch.acos(cosine.clamp(-1, 1))):.2f} deg",
    )


def evaluate_font(
    store: fontkeep.Store, font_id: str, sheets: Path | None
) -> tuple[list[tuple], bool]:
    """One row per run, and whether every run draws what it has stored."""
    rows, faithful, before = [], True, None
    for metadata in store.list_runs(font_id):
        run = store.open_run(font_id, metadata.run_id)
        network = GlyphNetwork.from_architecture(run.architecture)
        network.load_state_dict(run.weights["network"])
        vector = run.personality_vector
        glyphs = draw_glyphs(network, vector)
        difference = largest_difference(glyphs, run.eval_glyphs())
        faithful = faithful and difference <= 1
        redrawn = {0: "exactly", 1: "within 1/255"}.get(difference, f"OFF BY {difference}/255")
        losses = run.feedback["loss_history"]
        rows.append((
            font_id, metadata.run_id, str(run.feedback["epochs"]), f"{losses[0]:.4f}",
            f"{losses[-1]:.4f}", redrawn, f"{vector.norm():.4f}", *movement(before, vector),
        ))  # fmt: skip
        before = vector
        if sheets:
            contact_sheet(glyphs).save(
                sheets / f"{font_id}_{metadata.run_id.replace(':', '-')}.png"
            )
    return rows, faithful


def print_table(rows: list[tuple]) -> None:
    widths = [max(len(row[i]) for row in rows) for i in range(len(COLUMNS))]
    for row in rows:
        cells = [
            row[i].ljust(widths[i]) if i < 2 else row[i].rjust(widths[i]) for i in range(len(row))
        ]
        print("  ".join(cells).rstrip())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--store", default="networks", help="directory of the store")
    parser.add_argument(
        "--sheets", type=Path, help="write a contact sheet of every run's redrawn glyphs there"
    )
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    if arguments.sheets:
        arguments.sheets.mkdir(parents=True, exist_ok=True)

    store = fontkeep.Store(arguments.store)
    results = [evaluate_font(store, font_id, arguments.sheets) for font_id in store.list_fonts()]
    rows = [row for font_rows, _ in results for row in font_rows]
    print_table([COLUMNS, *rows])
    faithful = bool(rows) and all(same for _, same in results)
    verdict = "every run draws" if faithful else "NOT every run draws"
    print(
        f"\n{len(rows)} runs redrawn from their weights alone: {verdict} the glyphs it has stored"
    )
    return 0 if faithful else 1


if __name__ == "__main__":
    sys.exit(main())
