"""A small network that draws capital letters in the style of a personality vector.

Shared by train_fonts.py and evaluate_fonts.py. Nothing in here knows about fontkeep.
"""

from __future__ import annotations

import numpy
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import nn

LABELS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
GLYPH_SIZE = 32
SHEET_COLUMNS = 9
SHEET_SCALE = 3


class GlyphNetwork(nn.Module):
    """Draws a glyph per label; the personality vector scales and shifts the features of a layer."""

    def __init__(self, labels: str = LABELS, personality_size: int = 16, channels: int = 32):
        super().__init__()
        self.labels = labels
        self.channels = channels
        self.letter = nn.Embedding(len(labels), 48)
        self.coarse = nn.Linear(48, channels * 8 * 8)
        self.middle = nn.Conv2d(channels, channels * 4, 3, padding=1)
        self.fine = nn.Conv2d(channels, 4, 3, padding=1)
        self.styles = nn.ModuleList(nn.Linear(personality_size, 2 * channels) for _ in range(2))
        self.activation = nn.LeakyReLU(0.1)
        self.dropout = nn.Dropout2d(0.02)

    def _styled(
        self, features: torch.Tensor, layer: int, personality: torch.Tensor
    ) -> torch.Tensor:
        scale, shift = self.styles[layer](personality).view(2, 1, self.channels, 1, 1)
        return self.dropout(self.activation(features * (1 + scale) + shift))

    def forward(self, letters: torch.Tensor, personality: torch.Tensor) -> torch.Tensor:
        """Letters (indices into the labels) to logits of ink, one per pixel."""
        features = self.coarse(self.letter(letters)).view(-1, self.channels, 8, 8)
        features = self._styled(features, 0, personality)
        features = nn.functional.pixel_shuffle(self.middle(features), 2)
        features = self._styled(features, 1, personality)
        return nn.functional.pixel_shuffle(self.fine(features), 2).squeeze(1)

    def architecture(self) -> dict:
        """What is needed to build this network again; `from_architecture` takes it."""
        return {
            "class": "GlyphNetwork",
            "labels": self.labels,
            "personality_size": self.styles[0].in_features,
            "channels": self.channels,
        }

    @classmethod
    def from_architecture(cls, architecture: dict) -> "GlyphNetwork":
        if architecture.get("class") != cls.__name__:
            raise ValueError(
                f"the weights are those of {architecture.get('class')!r}, no {cls.__name__}"
            )
        return cls(
            architecture["labels"], architecture["personality_size"], architecture["channels"]
        )


def draw_glyphs(network: GlyphNetwork, personality: torch.Tensor) -> dict[str, Image.Image]:
    """Every label as a grey image, black ink on white."""
    network.eval()
    with torch.no_grad():
        ink = torch.sigmoid(network(torch.arange(len(network.labels)), personality))
    pixels = (255 - 255 * ink).round().to(torch.uint8).numpy()
    return {label: Image.fromarray(pixels[i]) for i, label in enumerate(network.labels)}


def contact_sheet(glyphs: dict[str, Image.Image]) -> Image.Image:
    """All glyphs on one sheet, enlarged."""
    cell = GLYPH_SIZE * SHEET_SCALE
    rows = -(-len(glyphs) // SHEET_COLUMNS)
    sheet = Image.new("L", (SHEET_COLUMNS * cell, rows * cell), 255)
    for i, glyph in enumerate(glyphs.values()):
        place = (i % SHEET_COLUMNS * cell, i // SHEET_COLUMNS * cell)
        sheet.paste(glyph.resize((cell, cell), Image.Resampling.BICUBIC), place)
    return sheet


def render_font(path: str, labels: str = LABELS) -> torch.Tensor:
    """The glyphs of a font file as ink, 0 to 1, on one baseline, as large as all of them fit."""
    room = GLYPH_SIZE - 2
    size = room
    boxes = []
    for size in range(2 * room, 4, -1):
        font = ImageFont.truetype(path, size)
        boxes = [font.getbbox(label, anchor="ls") for label in labels]
        top, bottom = min(box[1] for box in boxes), max(box[3] for box in boxes)
        if bottom - top <= room and max(box[2] - box[0] for box in boxes) <= room:
            break
    baseline = (GLYPH_SIZE - (bottom - top)) // 2 - top
    glyphs = []
    for label, box in zip(labels, boxes):
        image = Image.new("L", (GLYPH_SIZE, GLYPH_SIZE), 0)
        left = (GLYPH_SIZE - (box[2] - box[0])) // 2 - box[0]
        ImageDraw.Draw(image).text((left, baseline), label, font=font, fill=255, anchor="ls")
        glyphs.append(numpy.asarray(image, dtype=numpy.float32) / 255)
    return torch.from_numpy(numpy.stack(glyphs))
