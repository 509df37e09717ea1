"""Tensors and arrays through disk and back: bits, strides, sharing, and no copy."""

from __future__ import annotations

import gc

import numpy
import pytest

import fontkeep

torch = pytest.importorskip("torch")

DTYPES = [
    *("float32", "float64", "float16", "bfloat16", "uint8", "int8", "int16", "int32", "int64"),
    *("bool", "complex64", "complex128", "complex32", "uint16", "uint32", "uint64"),
    *("float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e8m0fnu"),
]


def untyped(tensor: torch.Tensor):
    if hasattr(tensor, "untyped_storage"):
        return tensor.untyped_storage()
    return tensor.storage().untyped()


def tensor_of(name: str) -> torch.Tensor:
    dtype = getattr(torch, name, None)
    if dtype is None:
        pytest.skip(f"this PyTorch has no {name}")
    raw = torch.arange(96, dtype=torch.uint8)
    if name == "bool":
        return raw.remainder(2).bool()
    whole = torch.empty(0, dtype=dtype)
    size = 96 // whole.element_size()
    return whole.set_(untyped(raw), 0, (size // 2, 2), (2, 1))


def bits(tensor: torch.Tensor) -> bytes:
    plain = torch.empty(tensor.shape, dtype=tensor.dtype)
    plain.copy_(tensor.detach())
    return bytes(untyped(plain).tolist())


def storage_pointer(tensor: torch.Tensor) -> int:
    return untyped(tensor).data_ptr()


def storage_bytes(tensor: torch.Tensor) -> int:
    return untyped(tensor).nbytes()


@pytest.mark.parametrize("mmap", [False, True])
@pytest.mark.parametrize("name", DTYPES)
def test_every_dtype_keeps_its_bits(round_trip, name: str, mmap: bool) -> None:
    tensor = tensor_of(name)
    back = round_trip({"t": tensor}, mmap=mmap)["t"]
    assert back.dtype == tensor.dtype and back.shape == tensor.shape
    assert bits(back) == bits(tensor)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_nan_infinities_negative_zero_and_denormals_keep_their_bits(round_trip, dtype) -> None:
    tiny = torch.finfo(dtype).tiny / 4
    tensor = torch.tensor([float("nan"), float("inf"), float("-inf"), -0.0, tiny], dtype=dtype)
    assert bits(round_trip({"t": tensor})["t"]) == bits(tensor)


def test_strides_views_and_zero_dimensions_come_back(round_trip) -> None:
    base = torch.arange(24.0).reshape(4, 6)
    views = {
        "transposed": base.t(),
        "slice": base[1:3, ::2],
        "expanded": torch.ones(3, 1).expand(3, 5),
        "scalar": torch.tensor(7, dtype=torch.int64),
        "empty": torch.empty(0, 3),
        "many": torch.zeros((1,) * 20),
    }
    back = round_trip(views)
    for name, view in views.items():
        assert torch.equal(back[name], view), name
        assert back[name].stride() == view.stride(), name


def test_tensors_that_share_memory_share_it_after_the_load(round_trip) -> None:
    base = torch.arange(12.0)
    back = round_trip({"whole": base, "part": base[3:6], "square": base.view(3, 4)})
    back["whole"][4] = 100.0
    assert back["part"][1] == 100.0 and back["square"][1, 0] == 100.0
    assert storage_pointer(back["whole"]) == storage_pointer(back["part"])


def test_tensors_that_do_not_share_memory_have_storages_of_their_own(round_trip) -> None:
    back = round_trip({"a": torch.zeros(1000), "b": torch.zeros(10)})
    assert storage_bytes(back["b"]) == 40
    back["a"][0] = 1
    assert back["b"][0] == 0


def test_a_slice_of_a_large_tensor_does_not_drag_it_along(round_trip) -> None:
    back = round_trip({"slice": torch.arange(100000.0)[50:60]})["slice"]
    assert back.tolist() == list(range(50, 60))
    assert storage_bytes(back) <= 64


def test_parameters_and_requires_grad_survive(round_trip) -> None:
    values = {
        "parameter": torch.nn.Parameter(torch.ones(2)),
        "frozen": torch.nn.Parameter(torch.ones(2), requires_grad=False),
        "grad": torch.ones(2, requires_grad=True),
        "plain": torch.ones(2),
    }
    back = round_trip(values)
    for name, value in values.items():
        assert type(back[name]) is type(value), name
        assert back[name].requires_grad == value.requires_grad, name


def test_one_parameter_in_two_places_is_one_object_again(round_trip) -> None:
    tied = torch.nn.Parameter(torch.ones(2))
    back = round_trip({"encoder": tied, "decoder": tied})
    assert back["encoder"] is back["decoder"]


def test_conjugate_and_negative_views_survive(round_trip) -> None:
    tensor = torch.tensor([1 + 2j, 3 - 4j])
    values = {"conj": tensor.conj(), "neg": tensor.conj().imag}
    back = round_trip(values)
    assert torch.equal(back["conj"].resolve_conj(), values["conj"].resolve_conj())
    assert torch.equal(back["neg"].resolve_neg(), values["neg"].resolve_neg())
    assert back["conj"].is_conj() and back["neg"].is_neg()


def test_a_non_leaf_tensor_is_saved_by_its_values(round_trip) -> None:
    weight = torch.ones(3, requires_grad=True)
    assert torch.equal(round_trip({"t": (weight * 2)})["t"].detach(), torch.full((3,), 2.0))


def test_a_tensor_over_misaligned_memory_is_saved_by_its_values(round_trip) -> None:
    memory = bytearray(41)
    memory[1:] = numpy.arange(10, dtype=numpy.float32).tobytes()
    tensor = torch.frombuffer(memory, dtype=torch.float32, offset=1, count=10)
    assert round_trip({"t": tensor})["t"].tolist() == list(range(10))


@pytest.mark.parametrize("mmap", [False, True])
def test_loaded_tensors_are_views_of_one_buffer(store, save, mmap: bool) -> None:
    save(weights={str(i): torch.full((1000,), float(i)) for i in range(8)})
    weights, _, metadata = store.load_model("1-fruity", mmap=mmap)
    pointers = [tensor.data_ptr() for tensor in weights.values()]
    assert max(pointers) - min(pointers) < metadata.weights_bytes


@pytest.mark.parametrize("mmap", [False, True])
def test_the_memory_outlives_everything_else(store, save, mmap: bool) -> None:
    save(weights={"a": torch.arange(5000.0), "b": torch.ones(3)})
    tensor = store.load_model("1-fruity", mmap=mmap)[0]["a"]
    del store
    gc.collect()
    assert torch.equal(tensor, torch.arange(5000.0))
    tensor.add_(1)
    assert tensor[10] == 11


@pytest.mark.parametrize("mmap", [False, True])
def test_writing_into_loaded_tensors_never_reaches_the_store(store, save, mmap: bool) -> None:
    run_id = save(weights={"a": torch.zeros(1000)})
    store.load_model("1-fruity", mmap=mmap)[0]["a"].fill_(9)
    assert store.verify("1-fruity", run_id).damaged == 0
    assert store.load_model("1-fruity")[0]["a"].sum() == 0


def test_training_goes_on_with_loaded_parameters(round_trip) -> None:
    module = torch.nn.Linear(4, 2)
    fresh = torch.nn.Linear(4, 2)
    fresh.load_state_dict(round_trip(module))
    optimizer = torch.optim.SGD(fresh.parameters(), lr=0.1)
    before = fresh.weight.detach().clone()
    fresh(torch.ones(1, 4)).sum().backward()
    optimizer.step()
    assert not torch.equal(fresh.weight, before)


def test_a_loaded_tensor_can_be_saved_again_alone(store, save, round_trip) -> None:
    back = round_trip({"big": torch.zeros(100000), "small": torch.ones(4)})
    run_id = save("2-again", weights={"small": back["small"]})
    assert store.get_run_info("2-again", run_id).weights_bytes < 20000


# ---- numpy ----


@pytest.mark.parametrize(
    "name",
    [
        *("float16", "float32", "float64", "uint8", "int8", "int16", "int32", "int64", "bool"),
        *("complex64", "complex128"),
    ],
)
def test_arrays_come_back_as_tensors(round_trip, name: str) -> None:
    array = numpy.arange(12).reshape(3, 4).astype(name)
    back = round_trip({"a": array})["a"]
    assert isinstance(back, torch.Tensor)
    assert numpy.array_equal(back.numpy(), array) and back.numpy().dtype == array.dtype


def read_only(array: numpy.ndarray) -> numpy.ndarray:
    array.flags.writeable = False
    return array


@pytest.mark.parametrize(
    "array",
    [
        numpy.arange(6.0)[::-1],
        numpy.arange(6, dtype=">i4"),
        numpy.arange(24.0).reshape(4, 6).T[1:5:2, ::-2],
        numpy.array(3.5),
        numpy.zeros((0, 4)),
        numpy.broadcast_to(numpy.float32(2), (3, 3)),
        numpy.frombuffer(b"\0" + bytes(range(16)), numpy.uint16, offset=1).astype(numpy.int16),
        numpy.zeros(4, [("x", "i1"), ("y", "<f4")])["y"],
        numpy.asfortranarray(numpy.arange(24.0).reshape(2, 3, 4)),
        numpy.arange(6, dtype=">c8").reshape(2, 3)[:, ::-1] * (1 + 2j),
        numpy.array(7, ">f2"),
        read_only(numpy.arange(5)),
    ],
    ids="reversed big-endian strided scalar empty broadcast bytes misaligned fortran big-complex"
    " big-scalar read-only".split(),
)
def test_arrays_of_any_layout_come_back(round_trip, array) -> None:
    before = array.tobytes()
    back = round_trip([array])[0].numpy()
    assert numpy.array_equal(back, array) and back.shape == array.shape
    assert array.tobytes() == before


def test_arrays_in_fortran_order_keep_their_strides(round_trip) -> None:
    array = numpy.asfortranarray(numpy.arange(12.0).reshape(3, 4))
    assert round_trip([array])[0].stride() == (1, 3)


def test_arrays_that_share_memory_share_it_after_the_load(round_trip) -> None:
    base = numpy.arange(12.0)
    back = round_trip({"whole": base, "part": base[3:6]})
    back["whole"][4] = 100.0
    assert back["part"][1] == 100.0


def test_an_array_over_the_memory_of_a_tensor_shares_it(round_trip) -> None:
    tensor = torch.arange(4.0)
    back = round_trip({"tensor": tensor, "array": tensor.numpy()})
    back["tensor"][0] = 5
    assert back["array"][0] == 5


def test_a_memmap_is_saved_as_an_array(round_trip, tmp_path) -> None:
    path = tmp_path / "a.npy"
    numpy.save(path, numpy.arange(5.0))
    assert round_trip([numpy.load(path, mmap_mode="r")])[0].tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("name", [name for name in DTYPES if name.startswith(("bfloat", "float8"))])
def test_arrays_of_ml_dtypes_come_back_with_their_bits(round_trip, name: str) -> None:
    ml_dtypes = pytest.importorskip("ml_dtypes", reason="ml_dtypes is not installed")
    array = numpy.arange(1, 7, dtype=numpy.uint8).view(getattr(ml_dtypes, name))
    back = round_trip([array, array[::2]])
    raw = [bits(tensor) if torch.is_tensor(tensor) else tensor.tobytes() for tensor in back]
    assert raw == [array.tobytes(), array[::2].tobytes()]
    assert str(back[0].dtype).removeprefix("torch.") == name


def test_arrays_of_other_ml_dtypes_are_refused_by_name(save) -> None:
    ml_dtypes = pytest.importorskip("ml_dtypes", reason="ml_dtypes is not installed")
    with pytest.raises(fontkeep.UnsupportedDataError, match="weights.a: .*int4"):
        save(weights={"a": numpy.zeros(3, ml_dtypes.int4)})


@pytest.mark.parametrize("wait", [True, False])
@pytest.mark.parametrize("mmap", [True, False])
def test_loaded_weights_are_saved_again_into_their_store(store, save, mmap, wait) -> None:
    parent = save(weights={"w": torch.arange(100_000.0), "v": torch.ones(3)})
    weights, vector, _ = store.load_model("1-fruity", parent, mmap=mmap)
    weights["w"][5] = -1
    saved = save(weights=weights, personality_vector=vector, parent_run_id=parent, wait=wait)
    run_id = saved if wait else saved.result(60)
    again = store.load_model("1-fruity", run_id, mmap=mmap)[0]
    assert again["w"][5] == -1 and torch.equal(again["w"][6:], torch.arange(6.0, 100_000))
    assert store.load_model("1-fruity", parent)[0]["w"][5] == 5
    assert store.verify().damaged == 0


# ---- personality vectors ----


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("shape", [(), (0,), (64,), (3, 5), (2, 1, 4)])
def test_a_personality_vector_keeps_dtype_shape_and_bits(store, save, dtype, shape) -> None:
    vector = torch.randn(shape).to(dtype)
    run_id = save(personality_vector=vector)
    _, back, metadata = store.load_model("1-fruity", run_id)
    assert back.dtype == dtype and back.shape == vector.shape and bits(back) == bits(vector)
    assert back.is_contiguous()
    assert metadata.personality == {
        "dtype": str(dtype).removeprefix("torch."),
        "shape": list(shape),
    }


def test_a_personality_vector_is_the_same_after_load_and_resume_cycles(store, save) -> None:
    vector = torch.randn(16)
    current = vector
    for _ in range(3):
        run_id = save(personality_vector=current)
        current = store.load_model("1-fruity", run_id)[1]
    assert bits(current) == bits(vector)


def test_a_list_of_floats_is_a_float32_vector(store, save) -> None:
    run_id = save(personality_vector=[[0.1, 2], [numpy.float64(3), torch.tensor(4)]])
    back = store.load_model("1-fruity", run_id)[1]
    assert torch.equal(back, torch.tensor([[0.1, 2.0], [3.0, 4.0]]))


def test_a_transposed_vector_comes_back_contiguous(store, save) -> None:
    vector = torch.arange(6.0).reshape(2, 3).t()
    back = store.load_model("1-fruity", save(personality_vector=vector))[1]
    assert torch.equal(back, vector) and back.is_contiguous()


def test_a_vector_that_is_part_of_the_weights_is_memory_of_its_own(store, save) -> None:
    vector = torch.ones(4)
    run_id = save(weights={"v": vector}, personality_vector=vector)
    weights, back, _ = store.load_model("1-fruity", run_id)
    back.fill_(5)
    assert weights["v"].sum() == 4


@pytest.mark.parametrize(
    "vector", [["a"], [[1], [2, 3]], [1, [2]], [[1], 2], 5, "0.5", {"x": 1}, [None]]
)
def test_what_is_no_vector_is_refused(save, vector) -> None:
    with pytest.raises(fontkeep.InvalidInputError, match="personality_vector"):
        save(personality_vector=vector)
