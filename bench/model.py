"""The models that are saved: state dicts of a transformer's shape, and the assets of a run."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy

PERSONALITY = [0.01 * i for i in range(64)]
FEEDBACK = {"feedback_schema": "1.0", "epochs": 40, "metrics": {"loss": 0.031, "accuracy": 0.97}}
TRAINING = {"epochs": 40, "learning_rate": 0.001}
FONT = "1-fruity"

# name -> (width, blocks, bytes of all tensors)
SIZES = {"large": (512, 36, 480_000_000), "small": (64, 4, 1_000_000), "tiny": (8, 1, 4_000)}


def arrays(size: str) -> dict[str, Any]:
    """float32 arrays of mixed sizes; 'large' has 435, from 2 KB to 26 MB."""
    width, blocks, size_bytes = SIZES[size]
    shapes: dict[str, tuple[int, ...]] = {}
    for block in range(blocks):
        for name, shape in block_shapes(width).items():
            shapes[f"blocks.{block}.{name}"] = shape
    shapes |= {"norm.weight": (width,), "norm.bias": (width,)}
    elements = sum(shape[0] * (shape[1] if len(shape) == 2 else 1) for shape in shapes.values())
    shapes["embedding.weight"] = ((size_bytes // 4 - elements) // width, width)
    some = numpy.random.default_rng(1).random(1_000_003, numpy.float32)
    return {name: numpy.resize(some, shape) for name, shape in shapes.items()}


def state_dict(size: str) -> dict[str, Any]:
    """The same as tensors."""
    import torch

    return {name: torch.from_numpy(array) for name, array in arrays(size).items()}


def block_shapes(width: int) -> dict[str, tuple[int, ...]]:
    linear = {"attention.in": 3, "attention.out": 1, "mlp.in": 4}
    shapes: dict[str, tuple[int, ...]] = {}
    for name, times in linear.items():
        shapes |= {f"{name}.weight": (times * width, width), f"{name}.bias": (times * width,)}
    shapes |= {"mlp.out.weight": (width, 4 * width), "mlp.out.bias": (width,)}
    for name in ("norm_1", "norm_2"):
        shapes |= {f"{name}.weight": (width,), f"{name}.bias": (width,)}
    return shapes


def png(side: int) -> bytes:
    """A grey image with something on it, about as large as a glyph's."""
    rows = b"".join(
        b"\0" + bytes((x * y * 7 + x) % 256 if (x + y) % 5 else 255 for x in range(side))
        for y in range(side)
    )

    def chunk(kind: bytes, body: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + body))
        return struct.pack(">I", len(body)) + kind + body + checksum

    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def save(store: Any, weights: Any, font: str = FONT, glyphs: int = 26, **options: Any) -> Any:
    """One whole run of fontkeep."""
    images = {chr(ord("A") + i): GLYPH for i in range(glyphs)}
    return store.save_model(
        font, weights, PERSONALITY, SAMPLE, images, FEEDBACK, training=TRAINING, **options
    )


GLYPH = png(32)
SAMPLE = png(128)
