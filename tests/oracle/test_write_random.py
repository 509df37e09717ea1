"""Random nested structures: saved by torch, copied by the library, loaded by torch."""

import collections
import random
import time

import pytest

torch = pytest.importorskip("torch")

from write_support import VERSION, Comparison, run


class Maker:
    """Random nested objects of everything that fits a checkpoint."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.base = [
            torch.randn(60),
            torch.arange(60),
            torch.randint(0, 255, (60,), dtype=torch.uint8),
        ]
        self.made = []

    def tensor(self):
        base = self.random.choice(self.base)
        shape = [self.random.choice((0, 1, 2, 3)) for _ in range(self.random.randrange(4))]
        stride = [self.random.choice((0, 1, 2, 5)) for _ in shape]
        tensor = base.as_strided(shape, stride, self.random.randrange(30))
        kind = self.random.randrange(6)
        if kind == 0 and base.is_floating_point():
            return torch.nn.Parameter(tensor, requires_grad=self.random.random() < 0.5)
        return tensor.clone() if kind == 1 else tensor

    def leaf(self):
        r = self.random
        leaves = [
            None,
            True,
            False,
            r.randrange(-300, 70000),
            r.getrandbits(r.randrange(1, 200)) - 2**40,
            "key%d" % r.randrange(20),
            r.choice(("", "\u00fc", "\ud83d", "long" * 100)),
            torch.int8,
            (),
            torch.Size([r.randrange(5)]),
        ]
        if VERSION >= (2, 6):
            leaves += [
                r.random(),
                complex(r.random(), -1),
                r.randbytes(r.randrange(4)) or b"x",
                bytearray(r.randbytes(3)),
                {r.randrange(9), "x"},
                torch.device("cuda", r.randrange(3)),
                torch.sparse_coo,
                collections.Counter("ab"),
            ]
        return self.tensor() if r.random() < 0.4 else r.choice(leaves)

    def thing(self, depth):
        r = self.random
        if depth == 0 or r.random() < 0.3:
            return self.leaf()
        if self.made and r.random() < 0.15:
            return r.choice(self.made)
        items = [self.thing(depth - 1) for _ in range(r.randrange(6))]
        kind = r.randrange(4)
        if kind == 0:
            made = items
        elif kind == 1:
            made = tuple(items)
        else:
            made = {} if kind == 2 else collections.OrderedDict()
            for index, item in enumerate(items):
                made[r.choice((index, "k%d" % index, (index, "t")))] = item
        self.made.append(made)
        return made


def test_random_structures_survive_both_ways(tmp_path):
    """Some hundred of them, as far as five seconds reach; a failure tells its seed."""
    deadline = time.monotonic() + 5
    seed = 0
    while seed < 400 and time.monotonic() < deadline:
        batch = range(seed, seed + 25)
        things = {number: Maker(number).thing(5) for number in batch}
        names = []
        for number, thing in things.items():
            torch.save(thing, tmp_path / f"{number}.in")
            names += [tmp_path / f"{number}.in", tmp_path / f"{number}.out"]
        run("checkpoint_copy", *names)
        for number, thing in things.items():
            options = {"weights_only": VERSION >= (2, 6)}
            Comparison().same(
                thing, torch.load(tmp_path / f"{number}.out", **options), f"seed {number}"
            )
        seed += 25
    assert seed >= 100
