"""A second reader of stores, written from docs/format alone: nothing of fontkeep is used. It lists
fonts and runs, and checks every byte that a manifest vouches for."""

import hashlib
import json
import pathlib
import re

PIECE = 16 * 1024 * 1024
XXH3_FROM = 64 * 1024
FONT_ID = re.compile(r"[0-9]+-[a-z0-9]+(-[a-z0-9]+)*\Z")
RUN_ID = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}([:-])\d{2}\1\d{2}\.\d{6}(-\d{4})?\Z")
ENDING = re.compile(rb',\n  "self": "([0-9a-f]{64})"\n}\n\Z')


def fonts(store):
    """Font ids, by number, then name."""
    found = [path.name for path in pathlib.Path(store).iterdir() if path.is_dir()]
    found = [name for name in found if FONT_ID.match(name) and len(name) <= 100]
    return sorted(found, key=lambda name: (int(name.split("-")[0]), name))


def canonical(name):
    """The form with colons of a run's directory."""
    return name[:10] + name[10:19].replace("-", ":") + name[19:]


def runs(store, font_id):
    """Run ids and their directories, oldest first."""
    base = pathlib.Path(store) / font_id / "runs"
    found = [path for path in base.iterdir() if RUN_ID.match(path.name) and path.is_dir()]
    return sorted((canonical(path.name), path) for path in found)


def read_manifest(path):
    """The manifest, or None when it is damaged."""
    data = path.read_bytes()
    ending = ENDING.search(data)
    if ending is None:
        return None
    body = data[: ending.start()]
    if hashlib.sha256(body).hexdigest() != ending.group(1).decode():
        return None
    return json.loads(data)


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def pieces(data):
    return [data[at : at + PIECE] for at in range(0, len(data), PIECE)] or [b""]


def file_is_sound(run, entry):
    path = run / entry["path"]
    if not path.is_file() or path.is_symlink():
        return None
    data = path.read_bytes()
    digests = [hashlib.sha256(piece).hexdigest() for piece in pieces(data)]
    sound = len(data) == entry["size"] and digests == entry["sha256"]
    if (len(data) >= XXH3_FROM) != ("xxh3" in entry):
        return False
    try:
        import xxhash
    except ImportError:
        return sound
    if "xxh3" in entry:
        sound = sound and entry["xxh3"] == [
            xxhash.xxh3_128(piece).hexdigest() for piece in pieces(data)
        ]
    return sound


def missing_names(run, manifest):
    if manifest is not None and manifest["status"] != "completed":
        return []
    names = ["sample.png", "feedback.json", "eval-glyphs"]
    missing = [name for name in names if not (run / name).exists()]
    weights = ["weights", "weights.pt", "weights.pth"]
    return missing + (weights[:1] if not any((run / name).exists() for name in weights) else [])


def health(run):
    """What `verify` should say of a run."""
    if not (run / "run.json").exists():
        return "incomplete" if missing_names(run, None) else "unverified"
    manifest = read_manifest(run / "run.json")
    if manifest is None:
        return "corrupt"
    if manifest["manifest_version"] > 1:
        return "unsupported"
    sound = [file_is_sound(run, entry) for entry in manifest["files"]]
    paths = [entry["path"] for entry in manifest["files"]]
    if False in sound or paths != sorted(paths, key=str.encode):
        return "corrupt"
    if sum(entry["size"] for entry in manifest["files"]) != manifest["size_bytes"]:
        return "corrupt"
    if int(re.match(r"v(\d+)|", manifest["weights_version"] or "").group(1) or 0) > 1:
        return "unsupported"
    return "incomplete" if None in sound or missing_names(run, manifest) else "complete"


def read(store):
    """All runs of a store: (font id, run id, health)."""
    return [
        (font_id, run_id, health(path))
        for font_id in fonts(store)
        for run_id, path in runs(store, font_id)
    ]
