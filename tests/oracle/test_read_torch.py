"""What torch.save writes, fontkeep reads: values, views, sharing and bits. Run with each PyTorch's
own interpreter; the files of tests/assets hold what both wrote."""

import collections
import os
import zipfile

import pytest

torch = pytest.importorskip("torch")

from read_dump import dump, dump_all, with_sharing  # noqa: E402
from read_walk import walk  # noqa: E402

VERSION = tuple(int(part) for part in torch.__version__.split("+")[0].split(".")[:2])
needs_2_2 = pytest.mark.skipif(VERSION < (2, 2), reason="these dtypes came with PyTorch 2.2")


def load(path):
    if VERSION >= (1, 13):
        return torch.load(path, weights_only=False)
    return torch.load(path)


def check(value, path, **options):
    torch.save(value, path, **options)
    found, message = dump(path)
    assert with_sharing(found) == with_sharing(list(walk(load(path)))), message


def model():
    torch.manual_seed(3)
    return torch.nn.Sequential(
        torch.nn.Conv2d(1, 3, 3),
        torch.nn.BatchNorm2d(3),
        torch.nn.Flatten(),
        torch.nn.Linear(27, 5),
    )


def trained():
    network = model()
    optimiser = torch.optim.Adam(network.parameters(), lr=0.01)
    scheduler = torch.optim.lr_scheduler.MultiStepLR(optimiser, [2, 2, 5])
    for _ in range(2):
        optimiser.zero_grad()
        network(torch.randn(4, 1, 5, 5)).square().sum().backward()
        optimiser.step()
        scheduler.step()
    return network, optimiser, scheduler


DTYPES = [
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
NEW_DTYPES = [
    "uint16",
    "uint32",
    "uint64",
    "complex32",
    "float8_e4m3fn",
    "float8_e5m2",
    "float8_e4m3fnuz",
    "float8_e5m2fnuz",
]


def of_dtype(name):
    dtype = getattr(torch, name)
    if name == "bool":
        return torch.tensor([[True, False], [False, True]])
    itemsize = torch.empty(0, dtype=dtype).element_size()
    return torch.arange(6 * itemsize, dtype=torch.uint8).view(dtype).reshape(2, 3)


@pytest.mark.parametrize("name", DTYPES)
def test_every_classic_dtype_comes_back_bit_for_bit(name, tmp_path):
    check({"t": of_dtype(name), "name": getattr(torch, name)}, tmp_path / "a.pt")


@needs_2_2
@pytest.mark.parametrize("name", NEW_DTYPES)
def test_every_newer_dtype_comes_back_bit_for_bit(name, tmp_path):
    check([of_dtype(name), getattr(torch, name)], tmp_path / "a.pt")


def test_views_keep_offset_stride_and_shared_storage(tmp_path):
    base = torch.arange(24.0)
    value = {
        "base": base,
        "slice": base[3:9],
        "transposed": base.reshape(4, 6).t(),
        "stepped": base[::5],
        "expanded": torch.arange(3).reshape(3, 1).expand(3, 4),
        "scalar": torch.tensor(1.5),
        "empty": torch.empty(0, 3),
        "empty_view": base[5:5],
        "channels_last": torch.arange(24)
        .reshape(1, 2, 3, 4)
        .contiguous(memory_format=torch.channels_last),
        "again": base,
    }
    check(value, tmp_path / "a.pt")


def test_special_values_keep_their_bits(tmp_path):
    bits = torch.tensor(
        [0x7FC00001, 0x7F800000, -0x800000, -0x80000000, 1, 0x7F800001], dtype=torch.int32
    )
    check(
        {"floats": bits.view(torch.float32), "plain": [float("inf"), -0.0, 5e-324]},
        tmp_path / "a.pt",
    )


def test_parameters_and_gradients_are_marked(tmp_path):
    weight = torch.nn.Parameter(torch.ones(3))
    check(
        [
            weight,
            weight,
            torch.nn.Parameter(torch.ones(2), requires_grad=False),
            torch.ones(2, requires_grad=True),
        ],
        tmp_path / "a.pt",
    )


@pytest.mark.skipif(VERSION < (2, 0), reason="conj and neg bits are kept since PyTorch 2.0")
def test_conj_and_neg_bits_are_kept(tmp_path):
    values = torch.tensor([1 + 2j, 3 - 4j])
    check([values.conj(), values], tmp_path / "a.pt")
    check([values.conj().imag], tmp_path / "b.pt")


@pytest.mark.skipif(VERSION < (2, 0), reason="attributes of tensors are kept since PyTorch 2.0")
def test_attributes_of_parameters_and_tensors_are_kept(tmp_path):
    weight = torch.nn.Parameter(torch.ones(3))
    weight.note = "mine"
    tensor = torch.ones(2)
    tensor.scale = 3
    check([weight, tensor], tmp_path / "a.pt")


def test_plain_values_come_back(tmp_path):
    numbers = [
        0,
        1,
        255,
        256,
        65535,
        65536,
        -1,
        2**31 - 1,
        -(2**31),
        2**31,
        2**63 - 1,
        -(2**63),
        2**63,
        -(2**63) - 1,
        2**2039 - 1,
        -(2**2039),
    ]
    texts = ["", "a", "h\u00e9\u20ac\U0001f600", "\ud800", "x" * 300]
    data = [b"", b"a", bytes(range(256)), bytearray(), bytearray(b"\xff\x00")]
    torch_values = [
        torch.Size([2, 3]),
        torch.Size([]),
        torch.device("cpu"),
        torch.device("cuda:1"),
        torch.strided,
        torch.sparse_coo,
        torch.per_tensor_affine,
    ]
    value = {
        "numbers": numbers,
        "floats": [0.0, 1.5, 1e300, 3.14],
        "texts": texts,
        "data": data,
        "torch": torch_values,
        "constants": [None, True, False, 1 + 2j],
        "tuples": [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)],
        "sets": [set(), {7}, {1, 2, 3}],
        "counter": collections.Counter("abca"),
        "ordered": collections.OrderedDict([("z", 1), ("a", collections.OrderedDict())]),
        3: "int key",
        None: "none key",
        True: "bool key",
        (1, "x"): "tuple key",
    }
    check(value, tmp_path / "a.pt")


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_every_pickle_protocol_from_2_is_read(protocol, tmp_path):
    value = {
        "t": torch.arange(3.0),
        "b": b"bytes",
        "e": b"",
        "ba": bytearray(b"q"),
        "s": {1, 2},
        "n": 2**70,
        "x": "y" * 70000,
        "l": list(range(1001)),
    }
    check(value, tmp_path / "a.pt", pickle_protocol=protocol)


@pytest.mark.parametrize("count", [999, 1000, 1001, 2000, 2001])
def test_batches_of_a_thousand_keep_every_item(count, tmp_path):
    check(
        [
            list(range(count)),
            {i: i for i in range(count)},
            collections.OrderedDict((str(i), i) for i in range(count)),
        ],
        tmp_path / "a.pt",
    )


def test_state_of_a_training_comes_back(tmp_path):
    network, optimiser, scheduler = trained()
    value = {
        "model": network.state_dict(),
        "optimiser": optimiser.state_dict(),
        "scheduler": scheduler.state_dict(),
        "rng": torch.get_rng_state(),
        "loss": 0.25,
    }
    check(value, tmp_path / "a.pt")


def test_a_bare_state_dict_keeps_its_metadata(tmp_path):
    check(model().state_dict(), tmp_path / "a.pt")


def test_values_that_contain_themselves_come_back(tmp_path):
    loop = [1]
    loop.append(loop)
    ring = {"a": {}}
    ring["a"]["b"] = ring
    check([loop, ring], tmp_path / "a.pt")


def test_one_list_twice_and_deep_nesting(tmp_path):
    shared = [torch.ones(1)]
    deep = []
    for _ in range(150):
        deep = [deep]
    check({"x": shared, "y": shared, "deep": deep}, tmp_path / "a.pt")


def test_many_tensors(tmp_path):
    check({f"w{i}": torch.full((i % 3, 2), float(i)) for i in range(700)}, tmp_path / "a.pt")


def test_an_archive_that_zipfile_wrote_is_read_from_aligned_copies(tmp_path):
    torch.save({"a": torch.arange(5, dtype=torch.float64), "b": torch.arange(3)}, tmp_path / "a.pt")
    with zipfile.ZipFile(tmp_path / "a.pt") as old, zipfile.ZipFile(tmp_path / "b.pt", "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    found, message = dump(tmp_path / "b.pt")
    assert with_sharing(found) == with_sharing(list(walk(load(tmp_path / "b.pt")))), message


@pytest.mark.skipif(VERSION < (2, 6), reason="the option came with PyTorch 2.6")
def test_a_checkpoint_without_crcs_is_read(tmp_path):
    torch.serialization.set_crc32_options(False)
    try:
        check({"a": torch.arange(5)}, tmp_path / "a.pt")
    finally:
        torch.serialization.set_crc32_options(True)


@needs_2_2
def test_one_memory_as_two_newer_dtypes_stays_shared(tmp_path):
    memory = torch.arange(8, dtype=torch.uint8)
    check([memory.view(torch.uint16), memory.view(torch.float8_e5m2), memory], tmp_path / "a.pt")


@pytest.mark.parametrize(
    "name",
    ["a b.pt", "gr\u00f6\u00dfe.pt", "noext", ".x.pt", "a.b.pt", "it's \".pt", "-", "a\\b.pt"]
    + ["...pt", "a\nb.pt", "x" * 251 + ".pt", "%s.pt"],
)
def test_a_file_of_any_name_is_read(name, tmp_path):
    """The name's stem is the prefix of every record."""
    check([torch.arange(3)], tmp_path / name)


def test_a_storage_of_odd_size_is_cut_to_whole_elements(tmp_path):
    """PyTorch 2.10 and newer write such a file, and refuse it."""
    torch.save(torch.arange(7, dtype=torch.uint8)[:4].view(torch.int16), tmp_path / "a.pt")
    rows, message = dump(tmp_path / "a.pt")
    assert rows[0]["storage_bytes"] == 6 and rows[0]["shape"] == [2], message


@pytest.mark.skipif(not hasattr(torch.nn, "Buffer"), reason="this torch has no Buffer")
def test_a_bare_buffer_is_a_tensor_with_attributes(tmp_path):
    check(torch.nn.Buffer(torch.ones(2)), tmp_path / "a.pt")


class Opaque:
    def __init__(self):
        self.state = {"a": [1]}


Pair = collections.namedtuple("Pair", "a b")


def tuple_in_itself():
    inner = []
    inner.append((inner,))
    return inner[0]


def of_bits(name):
    return torch.zeros(4, dtype=torch.uint8).view(getattr(torch, name))


@pytest.mark.parametrize(
    "value, code, word",
    [
        (lambda: torch.eye(2).to_sparse(), "unsupported", "to_dense"),
        (
            lambda: torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8),
            "unsupported",
            "dequantize",
        ),
        (lambda: torch.eye(2).to_sparse_csr(), "unsupported", "to_dense"),
        (lambda: torch.empty(2, device="meta"), "unsupported", "meta"),
        (lambda: frozenset([1]), "unsupported", "frozenset"),
        (lambda: collections.defaultdict(list), "unsupported", "defaultdict"),
        (lambda: torch.ones(2).numpy(), "unsupported", "numpy"),
        (lambda: range(3), "unsupported", "range"),
        (lambda: torch.ones(2).storage(), "unsupported", "storage"),
        (lambda: float, "unsupported", "float"),
        (lambda: Opaque(), "unsupported", "Opaque"),
        (lambda: 2**2039, "unsupported", "255 bytes"),
        (lambda: Pair(1, 2), "unsupported", "Pair"),
        (lambda: slice(3), "unsupported", "slice"),
        (lambda: ..., "unsupported", "Ellipsis"),
        (lambda: collections.deque([1]), "unsupported", "deque"),
        (lambda: torch.ones(2).numpy()[0], "unsupported", "float()"),
        (tuple_in_itself, "unsupported", "contains itself"),
        (lambda: torch.nn.Linear(1, 1), "unsupported", "torch.nn"),
    ],
)
def test_what_weights_only_would_not_load_is_refused_by_name(value, code, word, tmp_path):
    torch.save({"x": [value()]}, tmp_path / "a.pt")
    rows, message = dump(tmp_path / "a.pt")
    assert rows[-1]["error"] == code
    assert word in message and "at 'x.0'" in message
    assert 0 < rows[-1]["offset"] < os.path.getsize(tmp_path / "a.pt")


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_the_path_of_what_is_refused_is_exact(protocol, tmp_path):
    evil = frozenset([1])
    for value, path in (
        (evil, "(top)"),
        ({1: {2: evil}}, "1.2"),
        ([[], evil], "1"),
        ([{}, "key", {"a": 1, "b": (0, 1, (2, evil))}, {}], "2.b.2.1"),
        ((0, evil), "1"),
        (collections.OrderedDict(a=1, b=collections.OrderedDict(c=evil)), "b.c"),
        ([0] * 1500 + [evil, 7], "1500"),
        ({f"k{i}": i if i != 1500 else [evil] for i in range(2000)}, "k1500.0"),
        ({"opt": {"state": {0: {"step": evil}}, "groups": [{}]}, "n": 1}, "opt.state.0.step"),
    ):
        torch.save(value, tmp_path / "a.pt", pickle_protocol=protocol)
        _, message = dump(tmp_path / "a.pt")
        assert f"at '{path}'" in message


@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_a_frozenset_is_refused_by_name_in_every_protocol(protocol, tmp_path):
    torch.save({"x": frozenset([1])}, tmp_path / "a.pt", pickle_protocol=protocol)
    rows, message = dump(tmp_path / "a.pt")
    assert rows[-1]["error"] == "unsupported"
    assert "frozenset" in message


@needs_2_2
@pytest.mark.parametrize(
    "name", ["bits8", "bits16", "bits1x8", "bits2x4", "bits4x2", "float4_e2m1fn_x2"]
)
def test_dtypes_without_numbers_are_refused_by_name(name, tmp_path):
    if not hasattr(torch, name):
        pytest.skip("this torch does not know it")
    torch.save([of_bits(name)], tmp_path / "a.pt")
    rows, message = dump(tmp_path / "a.pt")
    assert rows[-1]["error"] == "unsupported"
    assert name in message and "view(torch.uint8)" in message


@pytest.mark.parametrize("protocol", [0, 1])
def test_pickle_protocols_before_2_are_refused_with_what_to_do(protocol, tmp_path):
    torch.save({"w": 1.5, "t": True}, tmp_path / "a.pt", pickle_protocol=protocol)
    rows, message = dump(tmp_path / "a.pt")
    assert rows[-1]["error"] == "unsupported"
    assert "pickle_protocol" in message


def test_a_torchscript_archive_is_refused_by_name(tmp_path):
    torch.jit.script(torch.nn.Linear(1, 1)).save(str(tmp_path / "a.pt"))
    rows, message = dump(tmp_path / "a.pt")
    assert rows[0]["error"] == "unsupported"
    assert "TorchScript" in message


def test_a_compressed_archive_is_refused_by_name(tmp_path):
    torch.save([1], tmp_path / "a.pt")
    with zipfile.ZipFile(tmp_path / "a.pt") as old, zipfile.ZipFile(
        tmp_path / "b.pt", "w", zipfile.ZIP_DEFLATED
    ) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    rows, message = dump(tmp_path / "b.pt")
    assert rows[0]["error"] == "unsupported"
    assert "deflate" in message


def test_every_truncation_and_every_flipped_byte_is_an_error_or_the_same(tmp_path):
    """No single damage goes unnoticed, apart from bytes that mean nothing (padding, dates)."""
    torch.save({"w": torch.arange(4.0)}, tmp_path / "a.pt")
    good = (tmp_path / "a.pt").read_bytes()
    expected = with_sharing(dump(tmp_path / "a.pt")[0])
    damaged = []

    def add(data):
        damaged.append(tmp_path / f"{len(damaged)}.pt")
        damaged[-1].write_bytes(data)

    for length in range(0, len(good), 97):
        add(good[:length])
    truncations = len(damaged)
    for at in range(0, len(good), 13):
        bad = bytearray(good)
        bad[at] ^= 0x20
        add(bad)
    listings, _ = dump_all(damaged)
    for number, rows in enumerate(listings):
        if number < truncations:
            assert rows[0]["error"] == "corrupt"
        else:
            assert "error" in rows[0] or with_sharing(rows) == expected, number
