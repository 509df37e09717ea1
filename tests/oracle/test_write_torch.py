"""Real PyTorch loads what the writer writes: objects are saved by torch, copied by checkpoint_copy
(read into values, written again) and loaded by torch, bit for bit. Runs under Debian's torch 1.13
and under current ones."""

import collections
import io
import math
import random
import struct
import zipfile

import pytest

torch = pytest.importorskip("torch")

from read_walk import raw_bits
from write_support import (
    NEW_DTYPES,
    OLD_DTYPES,
    VERSION,
    Comparison,
    Network,
    assert_survives,
    copied,
    load_every_way,
    run,
    storage_of,
    trained,
)


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


@pytest.mark.filterwarnings("ignore:ComplexHalf")
@pytest.mark.parametrize("name", OLD_DTYPES + NEW_DTYPES)
def test_every_dtype_survives_bit_for_bit(name, tmp_path):
    if name == "complex32" and VERSION < (2, 2):
        pytest.skip("this torch cannot save complex32")
    flat = elements(name)
    assert_survives(
        {
            "flat": flat,
            "scalar": flat[0].clone(),
            "empty": flat[:0].clone(),
            "every_third": flat[1::3],
            "reversed_shape": flat[:2].reshape(2, 1).t(),
        },
        tmp_path,
    )


def test_strided_transposed_expanded_and_shared_tensors_survive(tmp_path):
    base = torch.arange(120, dtype=torch.float32)
    cube = base.view(2, 3, 4, 5)
    assert_survives(
        [
            base,
            cube,
            cube.transpose(0, 3),
            cube[:, 1:, ::2, 3],
            base[7].clone().expand(4, 6),
            cube.permute(3, 1, 0, 2),
            base[5:5],
            cube[1, 2, 3, 4],
            torch.zeros(0, 3),
            torch.zeros(3, 0, 2).transpose(0, 2),
            base,
        ],
        tmp_path,
    )


def test_a_tensor_that_occurs_twice_stays_one_object(tmp_path):
    tensor = torch.ones(3)
    for loaded in load_every_way(copied([tensor, {"again": tensor}], tmp_path)):
        assert loaded[0] is loaded[1]["again"]


def test_parameters_and_requires_grad_survive(tmp_path):
    parameter = torch.nn.Parameter(torch.randn(3, 2))
    assert_survives(
        [
            parameter,
            torch.nn.Parameter(torch.ones(2), requires_grad=False),
            torch.ones(2, requires_grad=True),
            torch.nn.Parameter(parameter.data.t()),
        ],
        tmp_path,
    )


@pytest.mark.skipif(
    VERSION < (2, 0), reason="this torch drops attributes and conj bits when it saves"
)
def test_attributes_and_lazy_bits_survive(tmp_path):
    parameter = torch.nn.Parameter(torch.randn(3))
    parameter.tensor_model_parallel = [True, {"nested": torch.ones(2)}]
    tensor = torch.zeros(2)
    tensor.note = "kept"
    complex_tensor = torch.tensor([1 + 2j, -3 - 0j])
    assert_survives(
        {
            "parameter": parameter,
            "tensor": tensor,
            "conj": complex_tensor.conj(),
            "neg": complex_tensor.clone().conj().imag,
            "both": torch._neg_view(complex_tensor.conj()),
        },
        tmp_path,
        has_floats=True,
    )


@pytest.mark.skipif(VERSION < (2, 2), reason="this torch knows no _rebuild_tensor_v3")
def test_gradients_of_newer_dtypes_survive_which_torch_saves_but_cannot_load(tmp_path):
    tensor = torch.arange(3, dtype=torch.uint8).view(torch.float8_e5m2).requires_grad_()
    noted = torch.ones(2, dtype=torch.complex32).requires_grad_()
    noted.note = [1]
    assert_survives([tensor, noted, noted, tensor], tmp_path)
    once = copied_bytes((tmp_path / "out.pt").read_bytes(), tmp_path)
    assert copied_bytes(once, tmp_path) == once


def test_numbers_survive(tmp_path):
    borders = [0, 255, 256, 65535, 65536, 2**31, 2**63, 2**64, 2**2039]
    numbers = [number + step for number in borders for step in (-1, 0) if number + step < 2**2039]
    assert_survives(numbers + [-number - 1 for number in numbers], tmp_path)


def test_plain_values_survive(tmp_path):
    values = [None, True, False, "", "text", "\u00e9\u6587\U0001f600", "\ud800", "\0"]
    values += [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), [], [1], {}, {1: 2}]
    values += [{(1, "a"): [()], None: None, True: 2, -1: 2}, torch.float32, torch.float32]
    values += [collections.OrderedDict(), collections.OrderedDict(a=1)]
    if VERSION >= (2, 6):
        values += [b"\0\xff", b"a", b"a", bytearray(), bytearray(b"ab"), set(), {1, 2, 3}]
        values += [0.1, math.nan, math.inf, -math.inf, -0.0, 5e-324, 1.5 - 0j, complex(1, math.nan)]
        values += [torch.Size([]), torch.Size([2, 3, 4, 5]), torch.device("cpu")]
        values += [torch.device("cuda", 1), torch.strided, torch.sparse_coo]
        values += [torch.per_tensor_affine, collections.Counter("hello"), collections.Counter()]
    assert_survives(values, tmp_path)


def test_plain_values_survive_for_the_full_unpickler(tmp_path):
    values = [
        b"\0\xff",
        bytearray(b"ab"),
        {1, 2, 3},
        1.5 - 0j,
        0.1,
        math.nan,
        torch.Size([2, 3]),
        torch.device("cuda", 1),
        torch.strided,
        torch.per_tensor_affine,
        collections.Counter("hello"),
    ]
    loaded = torch.load(
        copied(values, tmp_path), **({"weights_only": False} if VERSION >= (1, 13) else {})
    )
    Comparison().same(values, loaded)


@pytest.mark.parametrize("count", [999, 1000, 1001, 2000, 2001])
def test_long_containers_survive(count, tmp_path):
    numbers = list(range(count))
    assert_survives(
        [
            numbers,
            dict.fromkeys(numbers, "x"),
            collections.OrderedDict.fromkeys(numbers, 1),
            tuple(numbers),
        ],
        tmp_path,
    )


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
            assert raw_bits(loaded[name]) == memory[begin:end]
            assert storage_of(loaded[name]) == storage_of(loaded["as_bytes"])
        assert raw_bits(loaded["as_bytes"]) == memory[203:209:2]
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


@pytest.mark.parametrize(
    "optimizer_class",
    [torch.optim.Adam, torch.optim.AdamW, torch.optim.RMSprop, torch.optim.Adagrad],
)
def test_whole_training_states_survive(optimizer_class, tmp_path):
    network, optimizer = trained(optimizer_class)
    scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, [2, 2, 7])
    state = {
        "model": network.state_dict(),
        "optimizer": optimizer.state_dict(),
        "epoch": 3,
        "rng": torch.get_rng_state(),
        "python_rng": random.getstate(),
        "scheduler": {"milestones": scheduler.state_dict()["milestones"], "last_epoch": 0},
    }
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
    """The bytes, with zeros for the 20 digits of the serialization id that depend on the C++
    library, and for the CRCs of that record."""
    (tmp_path / "x.zip").write_bytes(archive)
    with zipfile.ZipFile(tmp_path / "x.zip") as zipped:
        info = zipped.getinfo("archive/.data/serialization_id")
        digits = zipped.read(info)
    result = bytearray(archive)
    at = archive.rindex(digits, 0, zipped.start_dir)
    result[at : at + 20] = bytes(20)
    crc = struct.pack("<I", info.CRC)
    result[at + 44 : at + 48] = bytes(4)  # in the descriptor
    directory_crc = archive.rindex(crc)
    result[directory_crc : directory_crc + 4] = bytes(4)
    return bytes(result)


@pytest.mark.skipif(VERSION < (2, 7), reason="this torch writes an older container")
def test_files_equal_those_of_torch_byte_for_byte(tmp_path):
    network, optimizer = trained()
    _, sgd = trained(torch.optim.SGD, momentum=0.9)
    for thing in (
        network.state_dict(),
        optimizer.state_dict(),
        sgd.state_dict(),
        torch.ones(3),
        {"a": torch.zeros(0)},
        [],
        torch.nn.Linear(300, 300).state_dict(),
        [torch.full((1,), i) for i in range(300)],
        torch.zeros(7, dtype=torch.uint16),
        {
            "rng": torch.get_rng_state(),
            "betas": (0.9, 0.999),
            "bytes": b"\xff\0",
            "size": torch.Size([1, 2]),
        },
    ):
        saved = saved_to_buffer(thing)
        mine = copied_bytes(saved, tmp_path)
        assert len(mine) == len(saved)
        assert without_name_digits(mine, tmp_path) == without_name_digits(saved, tmp_path)


@pytest.mark.skipif(VERSION >= (2, 7), reason="byte equality of the whole file is tested")
def test_pickles_equal_those_of_older_torch_byte_for_byte(tmp_path):
    network, optimizer = trained()
    for thing in (network.state_dict(), optimizer.state_dict()):
        saved = saved_to_buffer(thing)
        pickles = [
            zipfile.ZipFile(io.BytesIO(data)).read("archive/data.pkl")
            for data in (saved, copied_bytes(saved, tmp_path))
        ]
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
    assert path.stat().st_size < 3000
