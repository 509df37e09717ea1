"""Real PyTorch loads what the writer writes: objects are saved by torch, copied by checkpoint_copy (read into values,
written again) and loaded by torch, bit for bit. Runs under Debian's torch 1.13 and under current ones."""

import collections
import io
import math
import os
import pickle
import random
import re
import struct
import subprocess
import time
import zipfile

import pytest

torch = pytest.importorskip("torch")

VERSION = tuple(int(part) for part in re.match(r"(\d+)\.(\d+)", torch.__version__).groups())
PROGRAMS = os.path.join(os.environ["FONTKEEP_BUILD"], "tests", "oracle")
NEW_DTYPES = [name for name in ("uint16", "uint32", "uint64", "float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz",
                                "float8_e5m2fnuz", "float8_e8m0fnu", "complex32") if hasattr(torch, name)]
OLD_DTYPES = ["float32", "float64", "float16", "bfloat16", "uint8", "int8", "int16", "int32", "int64", "bool",
              "complex64", "complex128"]


def run(program, *arguments):
    """The text a program wrote to stderr; it must end well."""
    done = subprocess.run([os.path.join(PROGRAMS, program), *map(str, arguments)], capture_output=True, text=True)
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
        ways = [{"weights_only": True}, {"weights_only": True, "mmap": True}, {"weights_only": False}]
    elif not has_floats:
        ways.append({"weights_only": True})
    loaded = [torch.load(path, **way) for way in ways]
    if VERSION >= (2, 7):
        os.environ["TORCH_SERIALIZATION_DEBUG"] = "1"  # compares computed offsets with those in the file
        try:
            loaded.append(torch.load(path, weights_only=True))
        finally:
            del os.environ["TORCH_SERIALIZATION_DEBUG"]
    return loaded


def raw(tensor):
    """The elements of a tensor as they are in memory, in C order."""
    tensor = tensor.detach()
    if tensor.is_neg():
        tensor = torch._neg_view(tensor)
    if tensor.is_conj():
        tensor = torch._conj(tensor)
    assert not tensor.is_conj() and not tensor.is_neg()
    if tensor.dtype == torch.bfloat16:
        tensor = tensor.view(torch.int16)
    elif str(tensor.dtype).startswith("torch.float8"):
        tensor = tensor.view(torch.uint8)
    elif str(tensor.dtype) == "torch.complex32":
        tensor = torch.view_as_real(tensor)
    return tensor.contiguous().numpy().tobytes()


def storage_of(tensor):
    return (tensor.untyped_storage() if VERSION >= (2, 0) else tensor.storage()).data_ptr()


class Comparison:
    """Compares two objects, the second of which was loaded; memory must be shared in the same way."""

    def __init__(self):
        self.storages = {}
        self.objects = {}

    def same(self, a, b, where="top"):
        assert type(a) is type(b), where
        if id(a) in self.objects:
            assert isinstance(a, (int, float, str, bytes, tuple)) or self.objects[id(a)] is b, where
            return
        self.objects[id(a)] = b
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
        elif isinstance(a, float):
            assert struct.pack("d", a) == struct.pack("d", b), where
        elif isinstance(a, complex):
            assert struct.pack("dd", a.real, a.imag) == struct.pack("dd", b.real, b.imag), where
        else:
            assert a == b, where

    def same_tensor(self, a, b, where):
        assert (a.dtype, a.shape, a.stride(), a.requires_grad) == (b.dtype, b.shape, b.stride(), b.requires_grad), where
        assert a.is_neg() == b.is_neg(), where
        if VERSION >= (2, 0):  # 1.13 forgets the conj bit and attributes when it saves
            assert a.is_conj() == b.is_conj(), where
            self.same(a.__dict__, b.__dict__, f"{where}.__dict__")
        assert raw(a) == raw(b), where
        if a.numel() != 0:  # empty storages are never shared after a load
            assert self.storages.setdefault(storage_of(a), storage_of(b)) == storage_of(b), where


def assert_survives(thing, tmp_path, has_floats=False):
    for loaded in load_every_way(copied(thing, tmp_path), has_floats):
        comparison = Comparison()
        comparison.same(thing, loaded)
        assert len(set(comparison.storages.values())) == len(comparison.storages)


class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(7, 33), torch.nn.BatchNorm1d(33), torch.nn.ReLU(), torch.nn.Linear(33, 5, bias=False))
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


# ---- values


def elements(name):
    """All bit patterns of one byte, or many of more, NaNs and infinities among them."""
    generator = random.Random(name)
    dtype = getattr(torch, name)
    if name == "bool":
        return torch.tensor([True, False, True])
    size = torch.empty(0, dtype=dtype).element_size()
    data = bytearray(generator.randbytes(64 * size))
    if dtype.is_floating_point and size >= 4:
        special = [math.nan, math.inf, -math.inf, -0.0, 5e-324]
        return torch.cat([torch.tensor(special, dtype=dtype), torch.frombuffer(data, dtype=dtype)])
    return torch.frombuffer(data, dtype=torch.uint8).clone().view(dtype)


@pytest.mark.parametrize("name", OLD_DTYPES + NEW_DTYPES)
def test_every_dtype_survives_bit_for_bit(name, tmp_path):
    if name == "complex32" and VERSION < (2, 2):
        pytest.skip("this torch cannot save complex32")
    flat = elements(name)
    assert_survives({"flat": flat, "scalar": flat[0].clone(), "empty": flat[:0].clone(), "every_third": flat[1::3],
                     "reversed_shape": flat[:2].reshape(2, 1).t()}, tmp_path)


def test_strided_transposed_expanded_and_shared_tensors_survive(tmp_path):
    base = torch.arange(120, dtype=torch.float32)
    cube = base.view(2, 3, 4, 5)
    assert_survives([base, cube, cube.transpose(0, 3), cube[:, 1:, ::2, 3], base[7].clone().expand(4, 6), cube.permute(3, 1, 0, 2),
                     base[5:5], cube[1, 2, 3, 4], torch.zeros(0, 3), torch.zeros(3, 0, 2).transpose(0, 2), base], tmp_path)


def test_a_tensor_that_occurs_twice_stays_one_object(tmp_path):
    tensor = torch.ones(3)
    for loaded in load_every_way(copied([tensor, {"again": tensor}], tmp_path)):
        assert loaded[0] is loaded[1]["again"]


def test_parameters_and_requires_grad_survive(tmp_path):
    parameter = torch.nn.Parameter(torch.randn(3, 2))
    assert_survives([parameter, torch.nn.Parameter(torch.ones(2), requires_grad=False), torch.ones(2, requires_grad=True),
                     torch.nn.Parameter(parameter.data.t())], tmp_path)


@pytest.mark.skipif(VERSION < (2, 0), reason="this torch drops attributes and conj bits when it saves")
def test_attributes_and_lazy_bits_survive(tmp_path):
    parameter = torch.nn.Parameter(torch.randn(3))
    parameter.tensor_model_parallel = [True, {"nested": torch.ones(2)}]
    tensor = torch.zeros(2)
    tensor.note = "kept"
    complex_tensor = torch.tensor([1 + 2j, -3 - 0j])
    assert_survives({"parameter": parameter, "tensor": tensor, "conj": complex_tensor.conj(), "neg": complex_tensor.clone().conj().imag,
                     "both": torch._neg_view(complex_tensor.conj())}, tmp_path, has_floats=True)


def test_plain_values_survive(tmp_path):
    values = [None, True, False, 0, 255, 256, 65535, 65536, -1, 2**31 - 1, -2**31, 2**31, -2**31 - 1, 2**63 - 1, -2**63, 2**63,
              2**2039 - 1, -2**2039, "", "text", "\u00e9\u6587\U0001f600", "\ud800", "\0", (), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4),
              [], [1], {}, {1: 2}, {(1, "a"): [()], None: None, -1: 2}, collections.OrderedDict(),
              collections.OrderedDict(a=1), torch.float32, torch.float32]
    if VERSION >= (2, 6):
        values += [b"\0\xff", b"a", b"a", bytearray(), bytearray(b"ab"), set(), {1, 2, 3}, 1.5 - 0j, complex(math.nan, -0.0), 0.1, math.inf,
                   -math.inf, -0.0, 5e-324, torch.Size([]), torch.Size([2, 3, 4, 5]), torch.device("cpu"), torch.device("cuda", 1),
                   torch.strided, torch.sparse_coo, torch.per_tensor_affine, collections.Counter("hello"), collections.Counter()]
    assert_survives(values, tmp_path)


def test_plain_values_survive_for_the_full_unpickler(tmp_path):
    values = [b"\0\xff", bytearray(b"ab"), {1, 2, 3}, 1.5 - 0j, 0.1, math.nan, torch.Size([2, 3]), torch.device("cuda", 1),
              torch.strided, torch.per_tensor_affine, collections.Counter("hello")]
    loaded = torch.load(copied(values, tmp_path), **({"weights_only": False} if VERSION >= (1, 13) else {}))
    Comparison().same(values, loaded)


@pytest.mark.parametrize("count", [999, 1000, 1001, 2000, 2001])
def test_long_containers_survive(count, tmp_path):
    numbers = list(range(count))
    assert_survives([numbers, dict.fromkeys(numbers, "x"), collections.OrderedDict.fromkeys(numbers, 1), tuple(numbers)], tmp_path)


def test_containers_within_themselves_survive(tmp_path):
    ring = [1]
    ring.append({"ring": ring})
    for loaded in load_every_way(copied(ring, tmp_path)):
        assert loaded[1]["ring"] is loaded


def test_what_torch_itself_would_not_save(tmp_path):
    run("checkpoint_make", tmp_path / "made.pt")
    if VERSION < (2, 2):
        pytest.skip("this torch knows no _rebuild_tensor_v3")
    memory = bytes(i % 64 for i in range(1 << 16))
    for loaded in load_every_way(tmp_path / "made.pt"):
        expected = torch.frombuffer(bytearray(memory), dtype=torch.int32)[1001:1016:3]
        assert torch.equal(loaded["slice"], expected) and loaded["slice"].stride() == (3,)
        assert storage_of(loaded["slice"]) == storage_of(loaded["same"])
        assert loaded["slice"].untyped_storage().nbytes() <= 64 + 16
        assert loaded["empty_view"].shape == (0,)
        for name, begin, end in (("as_int16", 200, 216), ("as_float64", 200, 216)):
            assert raw(loaded[name]) == memory[begin:end]
            assert storage_of(loaded[name]) == storage_of(loaded["as_bytes"])
        assert raw(loaded["as_bytes"]) == memory[203:209:2]
        assert loaded["empty_bytes"] == b""
        assert loaded["self"] is loaded
        depth, deep = 0, loaded["deep"]
        while deep:
            depth, deep = depth + 1, deep[0]
        assert depth == 998


# ---- checkpoints as people save them


def test_state_dicts_of_modules_survive_with_their_metadata(tmp_path):
    network, _ = trained()
    state = network.state_dict()
    for loaded in load_every_way(copied(state, tmp_path)):
        Comparison().same(state, loaded)
        assert loaded._metadata == state._metadata
        assert Network().load_state_dict(loaded)


@pytest.mark.parametrize("optimizer_class", [torch.optim.Adam, torch.optim.AdamW, torch.optim.RMSprop, torch.optim.Adagrad])
def test_whole_training_states_survive(optimizer_class, tmp_path):
    network, optimizer = trained(optimizer_class)
    scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, [2, 2, 7])
    state = {"model": network.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3, "rng": torch.get_rng_state(),
             "python_rng": random.getstate(), "scheduler": {"milestones": scheduler.state_dict()["milestones"], "last_epoch": 0}}
    assert_survives(state, tmp_path, has_floats=True)


def saved_to_buffer(thing):
    buffer = io.BytesIO()
    torch.save(thing, buffer)
    return buffer.getvalue()


def copied_bytes(saved, tmp_path):
    (tmp_path / "in.pt").write_bytes(saved)
    run("checkpoint_copy", tmp_path / "in.pt", tmp_path / "out.pt")
    return (tmp_path / "out.pt").read_bytes()


def without_name_digits(archive, tmp_path):
    """The bytes, with the 20 digits of the serialization id zeroed that depend on the C++ library, and with the CRC over them."""
    (tmp_path / "x.zip").write_bytes(archive)
    with zipfile.ZipFile(tmp_path / "x.zip") as zipped:
        info = zipped.getinfo("archive/.data/serialization_id")
        digits = zipped.read(info)
    result = bytearray(archive)
    at = archive.rindex(digits, 0, zipped.start_dir)
    result[at:at + 20] = bytes(20)
    crc = struct.pack("<I", info.CRC)
    result[at + 44:at + 48] = bytes(4)  # in the descriptor
    directory_crc = archive.rindex(crc)
    result[directory_crc:directory_crc + 4] = bytes(4)
    return bytes(result)


@pytest.mark.skipif(VERSION < (2, 7), reason="this torch writes an older container")
def test_files_equal_those_of_torch_byte_for_byte(tmp_path):
    network, optimizer = trained()
    _, sgd = trained(torch.optim.SGD, momentum=0.9)
    for thing in (network.state_dict(), optimizer.state_dict(), sgd.state_dict(), torch.ones(3), {"a": torch.zeros(0)}, [],
                  torch.nn.Linear(300, 300).state_dict(), [torch.full((1,), i) for i in range(300)], torch.zeros(7, dtype=torch.uint16),
                  {"rng": torch.get_rng_state(), "betas": (0.9, 0.999), "bytes": b"\xff\0", "size": torch.Size([1, 2])}):
        saved = saved_to_buffer(thing)
        mine = copied_bytes(saved, tmp_path)
        assert len(mine) == len(saved)
        assert without_name_digits(mine, tmp_path) == without_name_digits(saved, tmp_path)


@pytest.mark.skipif(VERSION >= (2, 7), reason="byte equality of the whole file is tested")
def test_pickles_equal_those_of_older_torch_byte_for_byte(tmp_path):
    network, optimizer = trained()
    for thing in (network.state_dict(), optimizer.state_dict()):
        saved = saved_to_buffer(thing)
        pickles = [zipfile.ZipFile(io.BytesIO(data)).read("archive/data.pkl") for data in (saved, copied_bytes(saved, tmp_path))]
        assert pickles[0] == pickles[1]


def test_a_copy_of_a_copy_changes_nothing(tmp_path):
    network, optimizer = trained()
    once = copied_bytes(saved_to_buffer([network.state_dict(), optimizer.state_dict()]), tmp_path)
    assert copied_bytes(once, tmp_path) == once


def test_archives_pass_the_checks_of_zip_tools(tmp_path):
    path = copied({"weights": torch.arange(1000)}, tmp_path)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        offsets = [info.header_offset for info in archive.infolist()]
        assert offsets == sorted(offsets)


def test_a_slice_does_not_drag_its_storage_along(tmp_path):
    path = copied(torch.arange(1_000_000)[500_000:500_010], tmp_path)
    assert os.path.getsize(path) < 3000


# ---- random structures, both ways


class Maker:
    """Random nested objects of everything that fits a checkpoint."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.base = [torch.randn(60), torch.arange(60), torch.randint(0, 255, (60,), dtype=torch.uint8)]
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
        leaves = [None, True, False, r.randrange(-300, 70000), r.getrandbits(r.randrange(1, 200)) - 2**40, "key%d" % r.randrange(20),
                  r.choice(("", "\u00fc", "\ud83d", "long" * 100)), torch.int8, (), torch.Size([r.randrange(5)])]
        if VERSION >= (2, 6):
            leaves += [r.random(), complex(r.random(), -1), r.randbytes(r.randrange(4)) or b"x", bytearray(r.randbytes(3)),
                       {r.randrange(9), "x"}, torch.device("cuda", r.randrange(3)), torch.sparse_coo, collections.Counter("ab")]
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
    """Some hundred of them, as far as five seconds reach; the seed of a failure is in its message."""
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
            Comparison().same(thing, torch.load(tmp_path / f"{number}.out", **options), f"seed {number}")
        seed += 25
    assert seed >= 100
