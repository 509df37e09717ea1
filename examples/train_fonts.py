#!/usr/bin/python3
"""Trains three personality fonts and keeps every run in a fontkeep store.

Each font is trained twice. The first run trains N epochs and is saved. The second run is another
process: it loads the first from the store, network, personality vector, optimiser, scheduler and
random generator, and trains N epochs more. A third training is never interrupted, 2 N epochs in
one go: the resumed losses must equal its losses bit for bit, and this script checks that they do.

    train_fonts.py --store DIR [--epochs N] [--font FONT]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from datetime import datetime, timezone
from pathlib import Path

import fontkeep
import numpy
import torch
from torch import nn

from glyph_network import LABELS, GlyphNetwork, contact_sheet, draw_glyphs, render_font

# font files of the Debian packages fonts-liberation, fonts-dejavu-core and fonts-rufscript
FONTS = {
    "1-serif": "/usr/share/fonts/truetype/liberation/LiberationSerif-Regular.ttf",
    "2-mono": "/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf",
    "3-handwritten": "/usr/share/fonts/truetype/rufscript/Rufscript010.ttf",
}
TRAINING = {
    "learning_rate": 0.002,
    "personality_learning_rate": 0.02,
    "learning_rate_decay": 0.99,
    "batch_size": 13,
    "seed": 2026,
}
PERSONALITY_SIZE = 16


class Training:
    """A training under way: everything that changes from epoch to epoch."""

    def __init__(self, font_file: str):
        self.started_at = datetime.now(timezone.utc)
        torch.manual_seed(TRAINING["seed"])
        self.targets = render_font(font_file)
        self.network = GlyphNetwork(LABELS, PERSONALITY_SIZE)
        self.personality = nn.Parameter(torch.randn(PERSONALITY_SIZE))
        self.optimizer = torch.optim.Adam([
            {"params": self.network.parameters(), "lr": TRAINING["learning_rate"]},
            {"params": [self.personality], "lr": TRAINING["personality_learning_rate"]},
        ])  # fmt: skip
        self.scheduler = torch.optim.lr_scheduler.ExponentialLR(
            self.optimizer, TRAINING["learning_rate_decay"]
        )
        self.losses: list[float] = []

    def train(self, epochs: int) -> None:
        loss_of = nn.BCEWithLogitsLoss()
        self.network.train()
        for _ in range(epochs):
            total = 0.0
            for batch in torch.randperm(len(LABELS)).split(TRAINING["batch_size"]):
                loss = loss_of(self.network(batch, self.personality), self.targets[batch])
                self.optimizer.zero_grad()
                loss.backward()
                self.optimizer.step()
                total += loss.item() * len(batch) / len(LABELS)
            self.scheduler.step()
            self.losses.append(total)

    def state(self) -> dict:
        """All that is needed to go on, but for the personality vector: it has its own place."""
        return {
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
            "rng_state": torch.get_rng_state(),
            "loss_history": self.losses,
        }

    def restore(self, state: dict, personality: torch.Tensor) -> None:
        self.network.load_state_dict(state["network"])
        with torch.no_grad():
            self.personality.copy_(personality)
        self.optimizer.load_state_dict(state["optimizer"])
        self.scheduler.load_state_dict(state["scheduler"])
        self.losses = list(state["loss_history"])
        torch.set_rng_state(state["rng_state"])


def save(store: fontkeep.Store, font_id: str, training: Training, epochs: int, **keywords) -> str:
    """Saves a training that has just done `epochs` epochs; gives the run id."""
    personality = training.personality.detach()
    glyphs = draw_glyphs(training.network, personality)
    drawn = torch.from_numpy(numpy.stack([numpy.asarray(glyphs[label]) for label in LABELS]))
    misses = (1 - drawn / 255 - training.targets).abs().mean((1, 2))
    feedback = {
        "feedback_schema": "1.0",
        "metrics": {"loss": training.losses[-1], "pixel_error": misses.mean().item()},
        "epochs": len(training.losses),
        "loss_history": training.losses[-epochs:],
        "ratings": {label: round(1 - miss.item(), 4) for label, miss in zip(LABELS, misses)},
        "notes": f"the hardest letter is {LABELS[int(misses.argmax())]}",
    }
    return store.save_model(
        font_id, training.state(), personality, contact_sheet(glyphs), glyphs, feedback,
        training={"epochs": epochs, "font_file": Path(FONTS[font_id]).name, **TRAINING},
        architecture=training.network.architecture(), started_at=training.started_at, **keywords,
    )  # fmt: skip


def first_run(store: fontkeep.Store, font_id: str, epochs: int) -> None:
    training = Training(FONTS[font_id])
    training.train(epochs)
    run_id = save(store, font_id, training, epochs)
    print(
        f"{font_id}: trained {epochs} epochs, loss {training.losses[-1]:.4f}, saved as {run_id}",
        flush=True,
    )


def resumed_run(store: fontkeep.Store, font_id: str, epochs: int) -> None:
    weights, personality, metadata = store.load_model(font_id)
    training = Training(FONTS[font_id])
    training.restore(weights, personality)
    training.train(epochs)
    run_id = save(store, font_id, training, epochs, parent_run_id=metadata.run_id)
    print(
        f"{font_id}: resumed {metadata.run_id}, loss {training.losses[-1]:.4f}, saved as {run_id}",
        flush=True,
    )


def check_against_uninterrupted(store: fontkeep.Store, font_id: str, epochs: int) -> bool:
    """Trains 2 N epochs in one go, and compares with what the resumed run left in the store."""
    whole = Training(FONTS[font_id])
    whole.train(2 * epochs)
    run = store.open_run(font_id)
    same = {
        "losses": run.feedback["loss_history"] == whole.losses[epochs:],
        "personality vector": torch.equal(run.personality_vector, whole.personality.detach()),
        "network": all(
            torch.equal(tensor, run.weights["network"][name])
            for name, tensor in whole.network.state_dict().items()
        ),
    }
    differing = ", ".join(name for name, equal in same.items() if not equal)
    verdict = f"DIFFERENT from an uninterrupted training: {differing}" if differing else (
        f"all {epochs} resumed losses, the network and the personality vector equal those of an "
        "uninterrupted training, bit for bit"
    )  # fmt: skip
    print(f"{font_id}: {verdict}", flush=True)
    return not differing


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--store", default="networks", help="directory of the store, made if missing"
    )
    parser.add_argument(
        "--epochs", type=int, default=40, help="of each of the two runs (%(default)s)"
    )
    parser.add_argument("--font", action="append", choices=list(FONTS), help="only this font")
    parser.add_argument(
        "--resume", action="store_true", help="only resume the latest run of each font"
    )
    arguments = parser.parse_args()
    fonts = arguments.font or list(FONTS)

    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    began = time.monotonic()
    store = fontkeep.Store(arguments.store, create=True)
    if arguments.resume:
        for font_id in fonts:
            resumed_run(store, font_id, arguments.epochs)
        return 0

    for font_id in fonts:
        first_run(store, font_id, arguments.epochs)
    again = [sys.executable, __file__, "--resume", "--store", arguments.store]
    again += ["--epochs", str(arguments.epochs), *(f"--font={font_id}" for font_id in fonts)]
    subprocess.run(again, check=True)  # another process, which knows only what the store keeps
    same = [check_against_uninterrupted(store, font_id, arguments.epochs) for font_id in fonts]
    print(f"{len(fonts)} fonts, {2 * len(fonts)} runs in {time.monotonic() - began:.0f} s")
    return 0 if all(same) else 1


if __name__ == "__main__":
    sys.exit(main())
