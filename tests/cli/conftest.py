"""A store of its own for each test of the command, and files to save."""

import json
import signal

import pytest
from caller import Command

# Tests that a shell started in its background ignore Ctrl-C, and so does what they start.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def material(tmp_path_factory):
    """Real files of one run: weights, vector, sample, glyphs, feedback."""
    torch = pytest.importorskip("torch")
    from PIL import Image

    base = tmp_path_factory.mktemp("material")
    torch.manual_seed(1)
    model = torch.nn.Sequential(
        torch.nn.Linear(4, 8), torch.nn.BatchNorm1d(8), torch.nn.Linear(8, 2)
    )
    torch.save(model.state_dict(), str(base / "model.pt"))
    torch.save(torch.arange(64, dtype=torch.float32) / 7, str(base / "vector.pt"))
    (base / "vector.json").write_text(json.dumps([0.5, -0.25, 1e-8]))
    Image.new("L", (40, 20), 99).save(base / "sample.png")
    (base / "glyphs").mkdir()
    for name in ["A", "B", "a", "uni00E9"]:
        Image.new("L", (8, 8), len(name)).save(base / "glyphs" / f"{name}.png")
    (base / "feedback.json").write_text(
        '{"metrics": {"loss": 0.031, "nan": NaN}, "epochs": 3, "mood": "unknown member"}'
    )
    return base


@pytest.fixture
def command(tmp_path):
    """`fontkeep` on a fresh store."""
    made = Command(tmp_path / "networks")
    made("init", store=True)
    return made


@pytest.fixture
def save(command, material):
    """Saves a run of the material and gives its id; `by` another command."""

    def do(font_id="1-fruity", *more, weights=None, glyphs=None, by=None, status=0):
        return (by or command)(
            "save",
            font_id,
            "--weights",
            weights or material / "model.pt",
            "--personality",
            material / "vector.pt",
            "--sample",
            material / "sample.png",
            "--glyphs",
            glyphs or material / "glyphs",
            "--feedback",
            material / "feedback.json",
            *more,
            status=status,
        ).stdout.strip()

    return do
