"""Makes a store as the fontkeep of its day writes it, and beside it what every later fontkeep must
find there. Run by hand, once for each manifest version, and never again:

    cd tests/assets/compat
    PYTHONPATH=../../../build/python /usr/bin/python3 make_store.py manifest-1
"""

import hashlib
import json
import os
import pathlib
import subprocess
import sys

import torch
from PIL import Image

import fontkeep

ROOT = pathlib.Path(__file__).resolve().parents[3]
HERE = pathlib.Path(sys.argv[1])
STORE = HERE / "networks"
LEGACY = {"_use_new_zipfile_serialization": False}


def save(store, font_id, number, status="completed", **more):
    image = Image.new("L", (4, 4), number)
    weights = {"layer": torch.full((2, 2), float(number))}
    vector = torch.tensor([number / 4, 1.0])
    feedback = {"feedback_schema": "1.0", "metrics": {"loss": number / 8}}
    glyphs = {"A": image, "\u00e9": image}
    if status == "failed":
        image = glyphs = feedback = None
    return store.save_model(
        font_id,
        weights,
        vector,
        image,
        glyphs,
        feedback,
        status=status,
        training={"n": number},
        **more,
    )


def by_hand(font_id, run_id, name, value, **options):
    run = STORE / font_id / "runs" / run_id
    (run / "eval-glyphs").mkdir(parents=True)
    torch.save(value, str(run / name), **options)
    Image.new("L", (4, 4)).save(run / "sample.png")
    (run / "feedback.json").write_text("{}")


def reseal(run, old, new):
    """Another manifest with a digest of its own: what a later fontkeep may write."""
    text = (run / "run.json").read_text().replace(old, new)
    body = text[: text.rindex(',\n  "self"')]
    digest = hashlib.sha256(body.encode()).hexdigest()
    (run / "run.json").write_text(f'{body},\n  "self": "{digest}"\n}}\n')


store = fontkeep.Store(STORE, create=True)
runs = STORE / "1-fruity" / "runs"
first = save(store, "1-fruity", 1)
second = save(store, "1-fruity", 2, parent_run_id=first)
save(store, "1-fruity", 3, status="failed")
removed = save(store, "1-fruity", 4)
os.rename(runs / removed, runs / f".trash-{removed}.1")
reseal(runs / second, '  "glyphs"', '  "generation": 2,\n  "mood": "kept",\n  "glyphs"')
twin = save(store, "2-dumb", 5)
os.rename(STORE / "2-dumb/runs" / twin, STORE / "2-dumb/runs" / twin.replace(":", "-"))
(STORE / "2-dumb" / "font.json").write_text('{"tags": ["old"], "notes": "kept"}\n')
state = {"w": torch.arange(3.0)}
by_hand("3-handmade", "2020-01-01T00:00:00.000000", "weights.pt", state)
by_hand("3-handmade", "2020-01-02T00:00:00.000000", "weights.pth", state, **LEGACY)
newer = STORE / "4-future" / "runs"
reseal(newer / save(store, "4-future", 6), '"manifest_version": 1', '"manifest_version": 2')
reseal(newer / save(store, "4-future", 7), '"weights_version": "v1"', '"weights_version": "v2"')
reseal(newer / save(store, "4-future", 8), '"feedback_schema": "1.0"', '"feedback_schema": "2.0"')

files = {
    str(path.relative_to(STORE)): hashlib.sha256(path.read_bytes()).hexdigest()
    for path in sorted(STORE.rglob("*"))
    if path.is_file()
}
report = subprocess.run(
    [ROOT / "build/fontkeep", "--store", STORE, "--json", "verify"], stdout=subprocess.PIPE, check=False
)
health = {
    f"{run['font_id']}/{run['run_id']}": run["health"] for run in json.loads(report.stdout)["runs"]
}
(HERE / "expected.json").write_text(
    json.dumps({"files": files, "health": health}, indent=1, sort_keys=True) + "\n"
)
