"""Store.regenerate: images made anew, by the store or by a renderer in Python."""

from __future__ import annotations

import re
import shlex
import subprocess
import threading

import numpy
import pytest

import fontkeep


@pytest.fixture
def run(save, run_directory):
    """The directory of a saved run."""
    return run_directory("1-fruity", save())


def loses(run, *paths: str) -> None:
    for path in paths:
        (run / path).unlink()


def test_a_lost_sample_becomes_a_contact_sheet(store, run):
    loses(run, "sample.png")
    changes = store.regenerate("1-fruity", run.name)
    change = fontkeep.Change("1-fruity", run.name, ["run.json", "sample.png"])
    assert changes == fontkeep.Changes([change])
    sheet = numpy.asarray(store.open_run("1-fruity").sample_image())
    assert sheet.shape == (6 + 2, 2 * 8 + 3)
    assert store.verify().damaged == 0
    assert store.regenerate("1-fruity", "latest").runs[0].changed == []


def test_a_renderer_gets_label_weights_and_vector(store, run, image):
    seen = []

    def draw(label, weights, personality_vector):
        seen.append(label)
        assert numpy.array_equal(weights["layer.weight"], [[0, 1, 2], [3, 4, 5]])
        assert [float(number) for number in personality_vector] == [0.25, -1.5, 3.0]
        weights["layer.weight"] *= 1  # memory of our own
        return image

    loses(run, "eval-glyphs/A.png", "eval-glyphs/a.png", "sample.png")
    changes = store.regenerate("1-fruity", "latest", draw, render_sample=True)
    assert seen == ["A", "a", None]
    paths = ["eval-glyphs/A.png", "eval-glyphs/a.png", "run.json", "sample.png"]
    assert changes.runs[0].changed == paths
    opened = store.open_run("1-fruity")
    assert numpy.array_equal(numpy.asarray(opened.eval_glyphs()["A"]), image)
    assert numpy.array_equal(numpy.asarray(opened.sample_image()), image)
    assert store.verify().damaged == 0


def test_what_cannot_be_made_is_warned_of(store, run):
    loses(run, "eval-glyphs/A.png", "feedback.json")
    with pytest.warns(fontkeep.FontKeepWarning) as told:
        assert store.regenerate("1-fruity", run.name).runs[0].changed == []
    assert ["A.png" in str(told[0].message), "feedback" in str(told[1].message)] == [True, True]
    assert told[0].filename == __file__
    assert store.trash() == []


class Ink(Exception):
    pass


def test_what_a_renderer_raises_is_raised_and_nothing_is_changed(store, run, image):
    loses(run, "eval-glyphs/A.png", "sample.png")

    def fails(label, weights, personality_vector):
        raise Ink("out")

    with pytest.raises(Ink) as caught:
        store.regenerate("1-fruity", run.name, fails)
    assert caught.value.__notes__ == ["while glyph 'A' was drawn"]
    for bad in [b"no png", "no-such-file.png", 3, numpy.zeros((2, 2), numpy.float32)]:
        with pytest.raises(fontkeep.InvalidInputError, match="glyph 'A'"):
            store.regenerate("1-fruity", run.name, lambda *_, bad=bad: bad)
    with pytest.raises(KeyboardInterrupt):
        store.regenerate("1-fruity", run.name, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(TypeError, match="not callable"):
        store.regenerate("1-fruity", run.name, "draw.py")
    with pytest.raises(TypeError, match="renderer"):
        store.regenerate("1-fruity", run.name, render_sample=True)
    status = store.status()
    assert (status.stages, status.trash_bytes) == (0, 0)
    store.regenerate("1-fruity", run.name, lambda *_: image)
    assert store.verify().damaged == 0


def test_damaged_weights_are_refused_and_missing_ones_too_for_a_renderer(store, run, image):
    loses(run, "eval-glyphs/A.png")
    data = bytearray((run / "weights").read_bytes())
    data[-200] ^= 1
    loses(run, "weights")
    (run / "weights").write_bytes(data)
    with pytest.raises(fontkeep.CorruptRunError, match="weights"):
        store.regenerate("1-fruity", run.name, lambda *_: image)
    loses(run, "weights")
    with pytest.raises(fontkeep.IncompleteRunError, match="weights"):
        store.regenerate("1-fruity", run.name, lambda *_: image)


def test_a_renderer_may_use_the_store_and_other_threads(store, run, image):
    loses(run, "eval-glyphs/A.png")

    def draw(label, weights, personality_vector):
        loaded = []
        other = threading.Thread(target=lambda: loaded.append(store.load_model("1-fruity")))
        with pytest.warns(fontkeep.FontKeepWarning):
            other.start()
            other.join()
        assert len(loaded) == 1
        with pytest.raises(fontkeep.StoreBusyError):
            store.regenerate("1-fruity", run.name)
        return image

    done = []
    worker = threading.Thread(
        target=lambda: done.append(store.regenerate("1-fruity", run.name, draw))
    )
    worker.start()
    worker.join()
    assert done[0].runs[0].changed == ["eval-glyphs/A.png", "run.json"]


def test_hints_name_commands_that_work(store, run, tmp_path):
    """What a hint says is run as it stands."""
    from fontkeep import _native

    root = _native.__file__.rsplit("/python/", 1)[0]
    source = run / "eval-glyphs/a.png"
    for path in ["eval-glyphs/A.png", "sample.png"]:
        content = (run / path).read_bytes()
        for damage in [None, b"damaged", content[:-1] + b"x"]:
            loses(run, path)
            if damage is not None:
                (run / path).write_bytes(damage)
            opened = store.open_run("1-fruity", run.name)
            with pytest.raises(fontkeep.FontKeepError) as caught:
                opened.sample_image() if path == "sample.png" else opened.eval_glyphs()
            with pytest.raises(fontkeep.FontKeepError) as strict:
                store.load_model("1-fruity", run.name, strict=True)
            words = re.search(r"'(fontkeep [^']*)'", caught.value.hint)[1]
            assert words in strict.value.hint
            words = words.replace("CMD", f"'cp {source} {{out}}'")
            command = [f"{root}/fontkeep", "--store", store.path, *shlex.split(words)[1:]]
            subprocess.run(command, check=True, capture_output=True)
            assert store.verify().damaged == 0
    loses(run, "feedback.json")
    with pytest.raises(fontkeep.IncompleteRunError) as caught:
        store.open_run("1-fruity", run.name).feedback
    assert "regenerate" not in caught.value.hint and "copy" in caught.value.hint
