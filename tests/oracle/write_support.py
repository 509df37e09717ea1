"""What the tests of the writer share: copies by the library, loads in every mode, comparison."""

import math
import os
import re
import struct
import subprocess

import pytest

torch = pytest.importorskip("torch")

from read_dump import BUILD  # noqa: E402
from read_walk import raw_bits  # noqa: E402

VERSION = tuple(int(part) for part in re.match(r"(\d+)\.(\d+)", torch.__version__).groups())
PROGRAMS = BUILD / "tests" / "oracle"
NEW_DTYPES = [
    name
    for name in (
        "uint16",
        "uint32",
        "uint64",
        "float8_e4m3fn",
        "float8_e5m2",
        "float8_e4m3fnuz",
        "float8_e5m2fnuz",
        "float8_e8m0fnu",
        "complex32",
    )
    if hasattr(torch, name)
]
OLD_DTYPES = [
    "float32",
    "float64",
    "float16",
    "bfloat16",
    "uint8",
    "int8",
    "int16",
    "int32",
    "int64",
    "bool",
    "complex64",
    "complex128",
]


def run(program, *arguments):
    """The text a program wrote to stderr; it must end well."""
    done = subprocess.run(
        [PROGRAMS / program, *map(str, arguments)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


def copied(thing, tmp_path):
    """The path of a copy of a saved object."""
    torch.save(thing, tmp_path / "in.pt")
    run("checkpoint_copy", tmp_path / "in.pt", tmp_path / "out.pt")
    return tmp_path / "out.pt"


def load_every_way(path, has_floats=False):
    """What torch.load gives, in every mode this torch has."""
    ways = [{"weights_only": False}]
    if VERSION >= (2, 6):
        ways = [
            {"weights_only": True},
            {"weights_only": True, "mmap": True},
            {"weights_only": False},
        ]
    elif not has_floats:
        ways.append({"weights_only": True})
    loaded = [torch.load(path, **way) for way in ways]
    if VERSION >= (2, 7):
        os.environ[
            "TORCH_SERIALIZATION_DEBUG"
        ] = "1"  # compares computed offsets with those in the file
        try:
            loaded.append(torch.load(path, weights_only=True))
        finally:
            del os.environ["TORCH_SERIALIZATION_DEBUG"]
    return loaded


def storage_of(tensor):
    return (tensor.untyped_storage() if VERSION >= (2, 0) else tensor.storage()).data_ptr()


def storage_bytes(tensor):
    return (tensor.untyped_storage() if VERSION >= (2, 0) else tensor.storage()).nbytes()


# What Python keeps once or twice as it likes.
ATOMS = (int, float, complex, str, bytes, tuple, torch.device, torch.dtype, torch.layout) + (
    torch.qscheme,
    type(None),
)


def set_order(item):
    return type(item).__name__, repr(item)


class Comparison:
    """Compares two objects, the second of which was loaded; sharing must be the same, too."""

    def __init__(self):
        self.storages = {}  # address in the first: (address in the second, their distance)
        self.spans = {}  # address in the second: [first, end] of what tensors use, bytes it has
        self.objects = {}
        self.originals = {}

    def same(self, a, b, where="top"):
        assert type(a) is type(b), where
        if id(a) in self.objects:
            assert isinstance(a, ATOMS) or self.objects[id(a)] is b, where
            return
        if not isinstance(a, ATOMS):
            self.objects[id(a)] = b
            assert self.originals.setdefault(id(b), a) is a, f"{where} is shared"
        if isinstance(a, torch.Tensor):
            self.same_tensor(a, b, where)
        elif isinstance(a, dict):
            assert len(a) == len(b), where
            for (key, item), (other_key, other_item) in zip(a.items(), b.items()):
                self.same(key, other_key, f"{where}.<key>")
                self.same(item, other_item, f"{where}.{key}")
            if hasattr(a, "__dict__"):
                self.same(a.__dict__, b.__dict__, f"{where}.__dict__")
        elif isinstance(a, (list, tuple)):
            assert len(a) == len(b), where
            for index, (item, other) in enumerate(zip(a, b)):
                self.same(item, other, f"{where}.{index}")
        elif isinstance(a, set):
            assert len(a) == len(b), where
            for item, other in zip(sorted(a, key=set_order), sorted(b, key=set_order)):
                self.same(item, other, f"{where}.{item}")
        elif isinstance(a, float):
            assert struct.pack("d", a) == struct.pack("d", b), where
        elif isinstance(a, complex):
            assert struct.pack("dd", a.real, a.imag) == struct.pack("dd", b.real, b.imag), where
        else:
            assert a == b, where

    def same_tensor(self, a, b, where):
        assert (a.dtype, a.shape, a.stride(), a.requires_grad) == (
            b.dtype,
            b.shape,
            b.stride(),
            b.requires_grad,
        ), where
        assert a.is_neg() == b.is_neg(), where
        if VERSION >= (2, 0):  # 1.13 forgets the conj bit and attributes when it saves
            assert a.is_conj() == b.is_conj(), where
            self.same(a.__dict__, b.__dict__, f"{where}.__dict__")
        assert raw_bits(a) == raw_bits(b), where
        if a.numel() != 0:  # empty storages are never shared after a load
            place = storage_of(b), a.data_ptr() - b.data_ptr()
            assert self.storages.setdefault(storage_of(a), place) == place, where
            reach = sum((n - 1) * stride for n, stride in zip(b.shape, b.stride())) + 1
            span = self.spans.setdefault(storage_of(b), [math.inf, 0, storage_bytes(b)])
            span[0] = min(span[0], b.data_ptr())
            span[1] = max(span[1], b.data_ptr() + reach * b.element_size())

    def finish(self):
        """Storages that were apart are apart, and hold little that no tensor uses."""
        assert len({place[0] for place in self.storages.values()}) == len(self.storages)
        for first, end, size in self.spans.values():
            assert size <= end - first + 15, f"{size} bytes were kept of {end - first}"


def assert_survives(thing, tmp_path, has_floats=False):
    for loaded in load_every_way(copied(thing, tmp_path), has_floats):
        comparison = Comparison()
        comparison.same(thing, loaded)
        comparison.finish()


class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(7, 33),
            torch.nn.BatchNorm1d(33),
            torch.nn.ReLU(),
            torch.nn.Linear(33, 5, bias=False),
        )
        self.convolution = torch.nn.Conv2d(1, 3, 3)
        self.scale = torch.nn.Parameter(torch.tensor(2.0))
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))

    def forward(self, x):
        return self.layers(x) * self.scale + self.convolution(torch.ones(1, 1, 4, 4)).sum()


def trained(optimizer_class=torch.optim.Adam, **options):
    torch.manual_seed(0)
    network = Network()
    optimizer = optimizer_class(network.parameters(), lr=0.01, **options)
    for _ in range(2):
        optimizer.zero_grad()
        network(torch.randn(4, 7)).pow(2).sum().backward()
        optimizer.step()
    return network, optimizer
