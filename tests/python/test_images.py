"""Images in every form users hold them."""

from __future__ import annotations

import io

import numpy
import pytest

import fontkeep

PIL = pytest.importorskip("PIL.Image")


def png(image) -> bytes:
    file = io.BytesIO()
    image.save(file, "png")
    return file.getvalue()


def saved_sample(store, save, image):
    return store.open_run("1-fruity", save(sample_image=image)).sample_image()


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 1), (5, 7, 3), (5, 7, 4)])
def test_pixels_come_back(store, save, shape) -> None:
    pixels = numpy.random.default_rng(1).integers(0, 256, shape, numpy.uint8)
    back = saved_sample(store, save, pixels)
    assert back.size == (7, 5)
    assert numpy.array_equal(numpy.asarray(back), pixels.reshape(numpy.asarray(back).shape))


def test_strided_pixels_and_tensors_come_back(store, save) -> None:
    torch = pytest.importorskip("torch")
    pixels = numpy.arange(70, dtype=numpy.uint8).reshape(7, 10)
    back = saved_sample(store, save, pixels[:, ::-2])
    assert numpy.array_equal(numpy.asarray(back), pixels[:, ::-2])
    tensor = torch.from_numpy(pixels.copy()).t()
    assert numpy.array_equal(numpy.asarray(saved_sample(store, save, tensor)), pixels.T)


@pytest.mark.parametrize(
    "mode, back", [("L", "L"), ("RGB", "RGB"), ("RGBA", "RGBA"), ("1", "L"), ("P", "RGB"),
                   ("LA", "RGBA"), ("CMYK", "RGB")]
)  # fmt: skip
def test_pil_images_come_back(store, save, mode: str, back: str) -> None:
    image = PIL.new("RGB", (4, 3), (255, 0, 128)).convert(mode)
    saved = saved_sample(store, save, image)
    assert saved.mode == back and saved.size == (4, 3)
    assert saved.tobytes() == image.convert(back).tobytes()


def test_png_bytes_and_paths_are_kept_as_they_are(store, save, tmp_path) -> None:
    data = png(PIL.new("L", (3, 3), 7))
    path = tmp_path / "image.png"
    path.write_bytes(data)
    for source in (data, bytearray(data), memoryview(data), path, str(path)):
        run_id = save(sample_image=source, eval_glyphs={"A": source})
        directory = store.get_run_info("1-fruity", run_id).path
        with open(f"{directory}/sample.png", "rb") as file:
            assert file.read() == data


@pytest.mark.parametrize(
    "image",
    [
        b"no png",
        b"",
        5,
        numpy.zeros((4, 4), numpy.float32),
        numpy.zeros((4, 4, 2), numpy.uint8),
        numpy.zeros(4, numpy.uint8),
        numpy.zeros((0, 4), numpy.uint8),
        "/nowhere/image.png",
        "nul\0byte",
    ],
    ids=str,
)
def test_what_is_no_image_is_refused(store, save, image) -> None:
    for name, value in (("sample_image", image), ("eval_glyphs", {"A": image})):
        with pytest.raises(fontkeep.InvalidInputError):
            save(**{name: value})
    assert store.status().runs == 0


def test_a_truncated_png_is_refused(save) -> None:
    with pytest.raises(fontkeep.InvalidInputError):
        save(sample_image=png(PIL.new("L", (30, 30)))[:-20])


LABELS = ["A", "a", "ampersand", "é", "ß", "/", ".", "..", "con", "&amp;", "uni0041", "u1F600",
          "\U0001f600", "AB", "a b", "ﬁ", "A_B", "x" * 32]  # fmt: skip


def test_every_label_comes_back(store, save, image) -> None:
    run_id = save(eval_glyphs={label: image for label in LABELS})
    run = store.open_run("1-fruity", run_id)
    assert set(run.eval_glyphs()) == set(LABELS)
    assert run.metadata.glyphs == len(LABELS)


def test_a_directory_of_glyphs_gives_labels_by_stem(store, save, tmp_path) -> None:
    directory = tmp_path / "glyphs"
    directory.mkdir()
    for name in ("A.png", "uni00E9.png", "notes.txt"):
        (directory / name).write_bytes(png(PIL.new("L", (2, 2))))
    run = store.open_run("1-fruity", save(eval_glyphs=directory))
    assert set(run.eval_glyphs()) == {"A", "é"}


@pytest.mark.parametrize("label", ["", 5, None, "nul\0", "\ud800", "x" * 40])
def test_what_is_no_label_is_refused(save, image, label) -> None:
    with pytest.raises((fontkeep.InvalidInputError, fontkeep.LimitError, TypeError)):
        save(eval_glyphs={label: image})
