"""Makes the checkpoints of this folder, and beside each the rows that fontkeep must read from it
(tests/oracle/test_read_assets.py). Run by hand, once with each PyTorch:

    /usr/bin/python3 tests/assets/make_checkpoints.py
"""

import collections
import json
import pathlib
import sys

import torch

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "oracle"))

from read_dump import with_sharing  # noqa: E402
from read_walk import walk  # noqa: E402

VERSION = ".".join(torch.__version__.split("+")[0].split(".")[:2])


def network():
    torch.manual_seed(5)
    return torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4))


def training():
    model = network()
    optimiser = torch.optim.Adam(model.parameters())
    model(torch.ones(2, 3)).sum().backward()
    optimiser.step()
    return {"model": model.state_dict(), "optimiser": optimiser.state_dict(), "epoch": 3}


def everything():
    base = torch.arange(12, dtype=torch.int16)
    return {
        "views": [base, base.reshape(3, 4).t(), base[2:9:3], torch.ones(1).expand(3)],
        "dtypes": [
            torch.tensor([1.5, -2.0]).to(getattr(torch, name))
            for name in ("float16", "bfloat16", "float64", "uint8", "bool", "complex64")
        ],
        "parameter": torch.nn.Parameter(torch.tensor(1.0)),
        "empty": torch.empty(0, 2),
        "plain": [None, True, -1, 2**80, 0.1, 1j, "\u00e9", b"\xff", bytearray(b"a"), (1,), {2}],
        "torch": [torch.Size([1]), torch.device("cpu"), torch.float16, torch.strided],
        "counter": collections.Counter("aab"),
        7: "key",
    }


def make(name, value, **options):
    path = HERE / f"torch-{VERSION}-{name}.pt"
    torch.save(value, path, **options)
    rows = with_sharing(list(walk(torch.load(path, weights_only=False))))
    lines = [json.dumps(row, sort_keys=True) for row in rows]
    path.with_suffix(".jsonl").write_text("\n".join(lines) + "\n")


make("state-dict", network().state_dict())
make("training", training())
make("everything", everything())
make("everything-protocol-4", everything(), pickle_protocol=4)
