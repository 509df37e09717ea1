"""Images to and from what users hold: PIL images, pixels, PNG files."""

from __future__ import annotations

import importlib
import io
import os
import sys
from collections.abc import Mapping
from typing import Any

from fontkeep import _native
from fontkeep.errors import InvalidInputError
from fontkeep.text import path_text, plain_text

_HINT = "give a PIL image, uint8 pixels of HxW, HxWx1, HxWx3 or HxWx4, PNG bytes, or a path"
_CHANNELS = {"L": 1, "RGB": 3, "RGBA": 4}


def _invalid(name: str, what: str) -> InvalidInputError:
    return InvalidInputError(f"{name} {what}", code="invalid", hint=_HINT)


def read_file(path: str | os.PathLike[str], name: str) -> bytes:
    """The bytes of a file that the user named."""
    text = path_text(path, name)
    try:
        with open(text, "rb") as file:
            return file.read()
    except OSError as error:
        raise InvalidInputError(
            f"{name} cannot be read: {error.strerror}",
            code="invalid",
            hint="check the path",
            path=text,
        ) from error


def _from_pil(image: Any) -> _native.Pixels:
    if image.mode not in _CHANNELS:
        clear = image.mode in ("LA", "PA", "La", "RGBa") or "transparency" in image.info
        grey = image.mode in ("1", "I", "F") or image.mode.startswith("I;")
        image = image.convert("RGBA" if clear else "L" if grey else "RGB")
    return (image.tobytes(), image.width, image.height, _CHANNELS[image.mode])


def _from_pixels(shape: tuple[int, ...], dtype: str, pixels: Any, name: str) -> _native.Pixels:
    if dtype != "uint8":
        raise _invalid(name, f"has pixels of {dtype}, not uint8")
    channels = shape[2] if len(shape) == 3 else 1
    if len(shape) not in (2, 3) or channels not in (1, 3, 4) or 0 in shape:
        raise _invalid(name, f"has the shape {tuple(shape)}")
    return (pixels, int(shape[1]), int(shape[0]), int(channels))


def _from_foreign(image: Any, name: str) -> _native.Pixels | None:
    pil = sys.modules.get("PIL.Image")
    if pil is not None and isinstance(image, pil.Image):
        return _from_pil(image)
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(image, torch.Tensor):
        dtype = str(image.dtype).removeprefix("torch.")
        if dtype == "uint8":
            image = image.detach().cpu().contiguous()
            return _from_pixels(tuple(image.shape), dtype, bytes(image.flatten().tolist()), name)
        return _from_pixels(tuple(image.shape), dtype, None, name)
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(image, numpy.ndarray):
        pixels = image.tobytes() if image.dtype.name == "uint8" else None
        return _from_pixels(image.shape, image.dtype.name, pixels, name)
    return None


def to_pixels(image: Any, name: str) -> _native.Pixels:
    """An image in one of the forms that the extension takes."""
    if isinstance(image, (bytes, bytearray, memoryview)):
        return (bytes(image), 0, 0, 0)
    if isinstance(image, (str, os.PathLike)):
        return (read_file(image, name), 0, 0, 0)
    pixels = _from_foreign(image, name)
    if pixels is None:
        raise _invalid(name, f"is {type(image).__name__}, no image")
    return pixels


def glyph_source(glyphs: Any) -> list[tuple[str, _native.Pixels]] | str:
    """Labels and images of a mapping, or the path of a directory."""
    if isinstance(glyphs, (str, bytes, os.PathLike)):
        return path_text(os.fsdecode(glyphs), "eval_glyphs")
    if not isinstance(glyphs, Mapping):
        raise InvalidInputError(
            f"eval_glyphs is {type(glyphs).__name__}, neither a mapping nor a path",
            code="invalid",
            hint="give a dict of labels and images, or a directory of .png files",
        )
    return [
        (plain_text(label, "glyph label"), to_pixels(image, f"glyph {label!r}"))
        for label, image in glyphs.items()
    ]


def from_png(data: bytes) -> Any:
    """A PIL image where PIL can be imported, else the bytes of the PNG file."""
    try:
        pil = importlib.import_module("PIL.Image")
    except ImportError:
        return data
    image = pil.open(io.BytesIO(data))
    image.load()
    return image
