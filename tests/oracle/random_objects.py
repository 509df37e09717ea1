"""Random objects of everything that fits a checkpoint: nested, shared, containing themselves."""

import collections
import math
import random

import torch

from write_support import NEW_DTYPES, OLD_DTYPES, VERSION

KEEPS_ATTRIBUTES = VERSION >= (2, 0)
HAS_V3 = VERSION >= (2, 2)
NEGATABLE = {"float32", "float64", "int32", "int64", "complex64", "complex128"}
TEXTS = ("", "w", "layer.0.weight", "\u00fc\u6587\U0001f600", "\ud83d", "a\0b", "long " * 80)
FLOATS = (0.0, -0.0, 0.1, 1e300, 5e-324, math.inf, -math.inf, math.nan)
EDGES = (0, 255, 256, 65535, 65536, 2**31, 2**63, 2**64, 2**2039 - 1)


def state_dicts():
    """What people save most: modules and their optimisers."""
    torch.manual_seed(7)
    network = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4))
    found = [network.state_dict(keep_vars=True), torch.nn.GRU(2, 2).state_dict()]
    for kind in (torch.optim.Adam, torch.optim.SGD):
        optimiser = kind(network.parameters(), lr=0.01)
        network(torch.randn(5, 3)).sum().backward()
        optimiser.step()
        found.append(optimiser.state_dict())
    for parameter in network.parameters():
        parameter.grad = None
    return found


STATES = state_dicts()


class Maker:
    """Makes one object from a seed. `untyped`: one memory may be viewed as every dtype, which
    torch.save itself refuses."""

    def __init__(self, seed, untyped=False):
        self.random = random.Random(seed)
        self.untyped = untyped and HAS_V3
        self.left = self.random.choice((3, 20, 60, 150))  # values that may still be made
        self.closed = []  # made: may stand anywhere again
        self.open = []  # being made: what stands in them may hold them
        self.memories = []
        self.late_gradient = False  # a tensor that torch saves, but cannot load

    def object(self):
        made = self.thing(self.random.choice((1, 3, 5, 8)))
        for _ in range(self.random.choice((0,) * 30 + (50, 150))):
            made = [made]
        return made

    # ---- tensors

    def memory(self):
        """Bytes, and the dtypes that they may be viewed as."""
        r = self.random
        if self.memories and r.random() < 0.7:
            return r.choice(self.memories)
        names = [r.choice(OLD_DTYPES + NEW_DTYPES * HAS_V3)]
        if self.untyped:
            names = OLD_DTYPES + NEW_DTYPES
        elif names[0] in NEW_DTYPES:
            names = NEW_DTYPES + ["uint8"]
        data = bytearray(r.randbytes(16 * r.choice((0, 1, 4, 20))))
        if "bool" in names and r.random() < 0.3:
            data = bytearray(byte & 1 for byte in data)
        elif "bool" in names and len(names) > 1:
            names = [name for name in names if name != "bool"]
        elif "bool" in names:
            data = bytearray(byte & 1 for byte in data)
        whole = torch.frombuffer(data, dtype=torch.uint8) if data else torch.empty(0).byte()
        self.memories.append((whole.clone(), names))
        return self.memories[-1]

    def view(self):
        """A view of a memory: any rank, strides that jump, overlap or stand still, no elements."""
        r = self.random
        whole, names = self.memory()
        name = r.choice(names)
        flat = whole.view(getattr(torch, name))
        if r.random() < 0.1:
            return name, flat
        if r.random() < 0.1:
            return name, flat.as_strided((0, 2), (2, 1), r.randrange(1000))
        shape, strides, reach = [], [], flat.numel()
        offset = r.randrange(reach) if reach else 0
        reach -= offset
        for _ in range(r.choice((0, 1, 1, 2, 2, 3, 4, 7))):
            stride = r.choice((0, 1, 1, 2, 3, 5))
            most = 4 if stride == 0 else (reach - 1) // stride + 1 if reach else 0
            count = r.randint(0 if r.random() < 0.1 else min(1, most), min(most, 5))
            reach -= stride * max(count - 1, 0)
            shape.append(count)
            strides.append(stride)
        if flat.numel() == 0 and 0 not in shape:
            shape, strides = shape + [0], strides + [1]
        order = r.sample(range(len(shape)), len(shape))
        return name, flat.as_strided(
            [shape[i] for i in order], [strides[i] for i in order], offset
        )

    def tensor(self):
        r = self.random
        name, tensor = self.view()
        if KEEPS_ATTRIBUTES and name.startswith("complex") and r.random() < 0.2:
            tensor = tensor.conj()
        if KEEPS_ATTRIBUTES and name in NEGATABLE and r.random() < 0.1:
            tensor = torch._neg_view(tensor)
        gradient = name.startswith(("float", "bfloat", "complex")) and r.random() < 0.3
        if r.random() < 0.25:
            tensor = torch.nn.Parameter(tensor, requires_grad=gradient)
        elif gradient and (self.untyped or name in OLD_DTYPES):
            self.late_gradient = self.late_gradient or self.untyped
            tensor.requires_grad_()
        if KEEPS_ATTRIBUTES and r.random() < 0.1:
            for number in range(r.randrange(1, 3)):
                setattr(tensor, "note%d" % number, self.thing(1))
        return tensor

    # ---- values

    def number(self):
        r = self.random
        edge = r.choice(EDGES) + r.choice((-1, 0))
        return r.choice((r.randrange(300), r.getrandbits(r.randrange(1, 2000)), edge, -edge - 1))

    def hashable(self):
        r = self.random
        if r.random() < 0.6:
            return "k%d" % r.randrange(100)
        plain = [None, True, r.randrange(-9, 99), r.choice(TEXTS), torch.int8, self.number()]
        plain += [r.random(), (), (r.randrange(3), "t"), 2j, b"key", torch.device("cpu")]
        return r.choice(plain)

    def leaf(self):
        r = self.random
        if r.random() < 0.45:
            return self.tensor()
        leaves = [None, True, False, self.number(), r.choice(TEXTS), r.choice(FLOATS), (), {}, []]
        leaves += [r.random(), complex(r.choice(FLOATS), r.choice(FLOATS)), r.randbytes(5), b""]
        leaves += [bytearray(r.randbytes(r.randrange(4))), self.set(), torch.strided]
        leaves += [torch.Size(r.choices(range(4), k=r.randrange(6))), torch.device("cuda", 3)]
        leaves += [getattr(torch, r.choice(OLD_DTYPES + NEW_DTYPES)), torch.sparse_csr]
        leaves += [collections.Counter(r.choice(TEXTS)), torch.per_channel_symmetric]
        leaves += [collections.OrderedDict(), r.choice(STATES), list(range(r.choice((9, 1001))))]
        leaf = r.choice(leaves)
        if isinstance(leaf, (list, dict, set, bytearray)):
            self.closed.append(leaf)
        return leaf

    def set(self):
        items = {self.hashable() for _ in range(self.random.randrange(5))}
        return {item for item in items if not isinstance(item, tuple)}  # one row for each item

    def dict(self, made, depth):
        for _ in range(self.random.randrange(6)):
            key = self.hashable()
            if key not in made:  # whatever was made stays where it was made first
                made[key] = self.thing(depth)
        if isinstance(made, collections.OrderedDict) and self.random.random() < 0.3:
            made._metadata = self.thing(depth)
            made.note = self.random.choice(TEXTS)
        return made

    def thing(self, depth):
        r = self.random
        self.left -= 1
        if self.open and r.random() < 0.02:
            return r.choice(self.open)
        if self.closed and r.random() < 0.12:
            return r.choice(self.closed)
        if depth == 0 or self.left <= 0 or r.random() < 0.2:
            return self.leaf()
        if r.random() < 0.25:
            made = tuple(self.thing(depth - 1) for _ in range(r.randrange(1, 6)))
        else:
            made = r.choice(([], {}, collections.OrderedDict()))
            self.open.append(made)
            if isinstance(made, list):
                for _ in range(r.randrange(7)):
                    made.append(self.thing(depth - 1))
            else:
                self.dict(made, depth - 1)
            self.open.pop()
        self.closed.append(made)
        return made
