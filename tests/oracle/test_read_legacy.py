"""The format before PyTorch 1.6, which every PyTorch still writes when asked to: fontkeep reads it
as torch.load does. Its files have no checksums, so damage is told by what contradicts itself."""

import io
import pickle
import struct

import pytest

torch = pytest.importorskip("torch")

from read_dump import dump, dump_all, with_sharing  # noqa: E402
from read_walk import walk  # noqa: E402
from test_read_torch import DTYPES, NEW_DTYPES, load, model, of_dtype, trained  # noqa: E402
from test_read_torch import VERSION, needs_2_2  # noqa: E402

LEGACY = {"_use_new_zipfile_serialization": False}
MAGIC = 0x1950A86A20F9469CFC6C


def check(value, path, **options):
    torch.save(value, path, **LEGACY, **options)
    found, message = dump(path)
    assert with_sharing(found) == with_sharing(list(walk(load(path)))), message


def refusal(path):
    rows, message = dump(path)
    return rows[-1]["error"], message


@pytest.mark.parametrize("name", DTYPES)
def test_every_classic_dtype_comes_back_bit_for_bit(name, tmp_path):
    check({"t": of_dtype(name), "name": getattr(torch, name)}, tmp_path / "a.pt")


@needs_2_2
@pytest.mark.parametrize("name", NEW_DTYPES)
def test_every_newer_dtype_comes_back_though_pytorch_itself_cannot_load_it(name, tmp_path):
    torch.save([of_dtype(name)], tmp_path / "a.pt", **LEGACY)
    found, message = dump(tmp_path / "a.pt")
    assert with_sharing(found) == with_sharing(list(walk([of_dtype(name)]))), message


def test_views_keep_offset_stride_and_shared_storage(tmp_path):
    base = torch.arange(24.0)
    views = [base, base[3:9], base.reshape(4, 6).t(), base[::5], base[5:5], torch.empty(0, 3)]
    views += [torch.arange(3).reshape(3, 1).expand(3, 4), torch.tensor(1.5)]
    check(views, tmp_path / "a.pt")


def test_state_of_a_training_comes_back(tmp_path):
    network, optimiser, scheduler = trained()
    value = {
        "model": network.state_dict(),
        "parameters": list(network.parameters()),
        "optimiser": optimiser.state_dict(),
        "scheduler": scheduler.state_dict(),
        "rng": torch.get_rng_state(),
    }
    check(value, tmp_path / "a.pt")


def test_a_bare_state_dict_keeps_its_metadata(tmp_path):
    check(model().state_dict(), tmp_path / "a.pt")


def test_many_storages_each_found_by_its_key(tmp_path):
    check({f"w{i}": torch.full((i % 3, 2), float(i)) for i in range(700)}, tmp_path / "a.pt")


def test_a_checkpoint_without_tensors_is_read(tmp_path):
    check({"epoch": 3}, tmp_path / "a.pt")


@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_every_pickle_protocol_from_2_is_read(protocol, tmp_path):
    check({"t": torch.arange(3), "x": "y" * 70000}, tmp_path / "a.pt", pickle_protocol=protocol)


def test_a_whole_module_is_refused_by_name(tmp_path):
    torch.save(model(), tmp_path / "a.pt", **LEGACY)
    code, message = refusal(tmp_path / "a.pt")
    assert code == "unsupported" and "torch.nn" in message


# ---- files that no PyTorch of today writes


class Pickler(pickle.Pickler):
    """Pickles a Storage as its persistent id."""

    def persistent_id(self, item):
        return item.id if isinstance(item, Storage) else None


class Storage:
    def __init__(self, key, numel, part=None):
        self.id = ("storage", torch.FloatStorage, key, "cpu", numel, part)


class Rebuilt:
    def __init__(self, storage, offset, size, stride=(1,)):
        self.arguments = (storage, offset, size, stride)

    def __reduce__(self):
        return torch._utils._rebuild_tensor, self.arguments


def build(path, value, storages, keys=None, tail=b"", protocol=1001, machine=None):
    stream = io.BytesIO()
    facts = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"int": 4}}
    pickle.dump(MAGIC, stream, 2)
    pickle.dump(protocol, stream, 2)
    pickle.dump(facts if machine is None else machine, stream, 2)
    Pickler(stream, 2).dump(value)
    pickle.dump(list(storages) if keys is None else keys, stream, 2)
    for numbers in storages.values():
        stream.write(struct.pack("<q%df" % len(numbers), len(numbers), *numbers))
    path.write_bytes(stream.getvalue() + tail)


NUMBERS = {"7": [float(i) for i in range(8)]}


def test_parts_of_a_storage_share_its_memory(tmp_path):
    parts = [("8", 2, 4), ("9", 3, 5), ("8", 2, 4)]
    value = [Rebuilt(Storage("7", 8, part), 1, (2,)) for part in parts]
    build(tmp_path / "a.pt", value + [Rebuilt(Storage("7", 8), 0, (8,))], NUMBERS)
    rows, message = dump(tmp_path / "a.pt")
    expected = list(walk(load(tmp_path / "a.pt")))
    assert [row.get("sha256") for row in rows] == [row.get("sha256") for row in expected], message
    assert [row["offset"] for row in rows[1:]] == [3, 4, 3, 0]
    assert len({row["storage"] for row in rows[1:]}) == 1


@pytest.mark.parametrize(
    "storage, word",
    [
        (lambda: Storage("7", 8, ("8", 5, 4)), "exceeds its storage"),
        (lambda: Storage("7", 8, ("8", -1, 4)), "(key, offset, elements)"),
        (lambda: Storage("7", 8, ("8", 0)), "(key, offset, elements)"),
        (lambda: Storage("7", 8, ("8", 0, 1)), "exceed the part"),
        (lambda: Storage("7", 8, ("7", 0, 8)), "different parts"),
        (lambda: Storage("7", 2**61), "more than the file can hold"),
        (lambda: Storage("7", 2**63), "a persistent id is not"),
    ],
)
def test_ids_that_contradict_themselves_are_refused(storage, word, tmp_path):
    build(tmp_path / "a.pt", [Rebuilt(storage(), 0, (2,))], NUMBERS)
    code, message = refusal(tmp_path / "a.pt")
    assert code == "corrupt" and word in message


WHOLE = Rebuilt(Storage("7", 8), 0, (8,))


@pytest.mark.parametrize(
    "value, options, code, word",
    [
        (WHOLE, {"keys": ["7", "7"]}, "corrupt", "not that of the tensors' storages"),
        (WHOLE, {"keys": []}, "corrupt", "not that of the tensors' storages"),
        (WHOLE, {"keys": ["8"]}, "corrupt", "belongs to no tensor"),
        (WHOLE, {"keys": [7]}, "corrupt", "something else than keys"),
        (WHOLE, {"keys": "7"}, "corrupt", "not that of the tensors' storages"),
        ([], {}, "corrupt", "not that of the tensors' storages"),
        (WHOLE, {"tail": b"x"}, "corrupt", "1 bytes follow the last storage"),
        (Rebuilt(Storage("7", 7), 0, (7,)), {}, "corrupt", "8 elements, and 7 in the pickle"),
        ([WHOLE, Rebuilt(Storage("7", 7), 0, (7,))], {}, "corrupt", "different numbers"),
        (WHOLE, {"protocol": 1002}, "unsupported", "protocol version 1002"),
        (WHOLE, {"protocol": "x"}, "corrupt", "no number"),
        (WHOLE, {"machine": []}, "corrupt", "machine"),
        (WHOLE, {"machine": {"protocol_version": 7}}, "corrupt", "machine"),
        (Rebuilt(Storage("k" * 65, 8), 0, (8,)), {"keys": ["k" * 65]}, "limit", "64 bytes"),
        (Rebuilt(("storage",), 0, (8,)), {}, "corrupt", "storage is none"),
    ],
)
def test_what_contradicts_itself_is_refused_with_its_offset(value, options, code, word, tmp_path):
    build(tmp_path / "a.pt", value, NUMBERS, **options)
    rows, message = dump(tmp_path / "a.pt")
    assert rows[-1]["error"] == code and word in message
    assert 0 < rows[-1]["offset"] < (tmp_path / "a.pt").stat().st_size


def test_a_storage_listed_twice_is_refused(tmp_path):
    value = [WHOLE, Rebuilt(Storage("8", 1), 0, (1,))]
    build(tmp_path / "a.pt", value, {**NUMBERS, "8": [1.0]}, keys=["7", "7"])
    assert "listed twice" in refusal(tmp_path / "a.pt")[1]


def test_elements_are_little_endian_whatever_machine_wrote_them(tmp_path):
    facts = {"protocol_version": 1001, "little_endian": False, "type_sizes": {}}
    build(tmp_path / "a.pt", WHOLE, NUMBERS, machine=facts)
    found, message = dump(tmp_path / "a.pt")
    assert with_sharing(found) == with_sharing(list(walk(load(tmp_path / "a.pt")))), message


def test_every_truncation_is_damage_with_its_offset(tmp_path):
    torch.save({"w": torch.arange(4.0), "n": torch.arange(3)}, tmp_path / "a.pt", **LEGACY)
    good = (tmp_path / "a.pt").read_bytes()
    cut = []
    for length in range(15, len(good), 3):
        cut.append(tmp_path / f"{length}.pt")
        cut[-1].write_bytes(good[:length])
    for path, rows in zip(cut, dump_all(cut)[0]):
        assert rows[0]["error"] == "corrupt" and rows[0]["offset"] <= int(path.stem), path


def test_a_flipped_bit_is_noticed_or_changes_values_only(tmp_path):
    """Nothing crashes, and where it is not noticed, the shape of what comes out is the same."""
    torch.save({"w": torch.arange(4.0)}, tmp_path / "a.pt", **LEGACY)
    good = (tmp_path / "a.pt").read_bytes()
    flipped = []
    for at in range(0, len(good), 3):
        flipped.append(tmp_path / f"{at}.pt")
        flipped[-1].write_bytes(good[:at] + bytes([good[at] ^ 0x20]) + good[at + 1 :])
    listings, _ = dump_all(flipped)
    assert all("error" in rows[0] or len(rows) == 2 for rows in listings)
    assert sum("error" in rows[0] for rows in listings) > len(listings) / 2


@pytest.mark.skipif(VERSION < (2, 0), reason="conj and neg bits are kept since PyTorch 2.0")
def test_conj_and_neg_bits_are_kept(tmp_path):
    check([torch.tensor([1 + 2j]).conj(), torch.tensor([1 + 2j]).conj().imag], tmp_path / "a.pt")
