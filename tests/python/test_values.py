"""Containers, numbers and texts through disk and back."""

from __future__ import annotations

import math
import random
from collections import Counter, OrderedDict

import pytest

torch = pytest.importorskip("torch")

ATOMS = [
    *(None, True, False, 0, 1, -1, 255, 256, 65536, 2**31 - 1, 2**31, -(2**31), 2**63 - 1),
    *(-(2**63), 2**63, 2**64, -(2**63) - 1, 2**2039 - 1, -(2**2039), 127, 128, -128, -129),
    *(0.0, -0.0, 1.5, 0.1, 5e-324, 1.7976931348623157e308, math.inf, -math.inf),
    *(1 + 2j, complex(-0.0, math.inf), "", "text", "é", "\U0001f600", "nul\0in", "\ud800"),
    *(b"", b"bytes\xff\0", bytearray(b""), bytearray(b"array")),
]


@pytest.mark.parametrize("atom", ATOMS, ids=lambda atom: repr(atom)[:20])
def test_atoms_come_back_with_their_type_and_bits(round_trip, atom) -> None:
    [back] = round_trip([atom])
    assert type(back) is type(atom)
    assert repr(back) == repr(atom)


def test_nan_comes_back(round_trip) -> None:
    assert math.isnan(round_trip({"x": math.nan})["x"])


@pytest.mark.parametrize(
    "container",
    [
        {},
        [],
        (),
        set(),
        OrderedDict(),
        Counter(),
        {"a": 1, 2: "b", None: True, (1, 2): 3.5, b"k": 0},
        [1, [2, [3]], (4, (5,))],
        {1, "two", 3.0, (4,)},
        OrderedDict([("z", 1), ("a", 2)]),
        Counter("hello"),
        list(range(3000)),
        {str(i): i for i in range(2001)},
    ],
    ids=lambda container: f"{type(container).__name__}-{len(container)}",
)
def test_containers_come_back_equal_and_of_their_type(round_trip, container) -> None:
    back = round_trip({"value": container})["value"]
    assert type(back) is type(container)
    assert back == container
    if isinstance(container, dict):
        assert list(back) == list(container)


def test_an_ordered_dict_keeps_the_order_of_move_to_end(round_trip) -> None:
    order = OrderedDict([("a", 1), ("b", 2), ("c", 3)])
    order.move_to_end("a")
    assert list(round_trip(order).items()) == [("b", 2), ("c", 3), ("a", 1)]


def test_sizes_dtypes_devices_and_layouts_come_back(round_trip) -> None:
    value = {
        "size": torch.Size([2, 3]),
        "dtype": torch.bfloat16,
        "device": torch.device("cpu"),
        "cuda": torch.device("cuda:1"),
        "layout": torch.sparse_coo,
        "qscheme": torch.per_tensor_affine,
    }
    back = round_trip(value)
    assert back == value
    assert type(back["size"]) is torch.Size


def test_numpy_scalars_are_numbers(round_trip) -> None:
    numpy = pytest.importorskip("numpy")
    value = [numpy.float32(0.5), numpy.int64(-3), numpy.bool_(True), numpy.float64(1e300)]
    back = round_trip(value)
    assert back == [0.5, -3, True, 1e300]
    assert [type(number) for number in back] == [float, int, bool, float]


def test_shared_objects_stay_shared(round_trip) -> None:
    inner = [1, 2]
    table = {"x": 1}
    back = round_trip({"a": inner, "b": inner, "c": (inner, table), "d": table})
    assert back["a"] is back["b"] is back["c"][0]
    assert back["d"] is back["c"][1]


def test_equal_objects_that_are_not_shared_stay_apart(round_trip) -> None:
    back = round_trip({"a": [1], "b": [1]})
    assert back["a"] is not back["b"]


def test_lists_and_dicts_may_contain_themselves(round_trip) -> None:
    loop: list = [1]
    loop.append(loop)
    knot: dict = {"n": 1}
    knot["self"] = knot
    back = round_trip({"loop": loop, "knot": knot})
    assert back["loop"][1] is back["loop"]
    assert back["knot"]["self"] is back["knot"]


def test_deep_nesting_comes_back(round_trip) -> None:
    value: list = []
    for _ in range(400):
        value = [value]
    depth = 0
    back = round_trip(value)
    while back:
        back, depth = back[0], depth + 1
    assert depth == 400


def test_a_state_dict_keeps_its_metadata_and_its_type(round_trip) -> None:
    module = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    state = module.state_dict()
    back = round_trip(state)
    assert type(back) is OrderedDict
    assert back._metadata == state._metadata
    assert back._metadata["1"]["version"] == 2
    assert list(back) == list(state)


def test_a_module_is_saved_as_its_state_dict(round_trip) -> None:
    module = torch.nn.Linear(3, 2)
    back = round_trip({"network": module})["network"]
    other = torch.nn.Linear(3, 2)
    other.load_state_dict(back)
    assert torch.equal(other.weight, module.weight)


def test_optimiser_scheduler_and_random_states_come_back(round_trip) -> None:
    module = torch.nn.Linear(3, 2)
    optimizer = torch.optim.Adam(module.parameters(), lr=0.01, betas=(0.8, 0.99))
    scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, [1, 3])
    for _ in range(3):
        module(torch.ones(4, 3)).sum().backward()
        optimizer.step()
        scheduler.step()
    state = {
        "optimizer": optimizer.state_dict(),
        "scheduler": scheduler.state_dict(),
        "torch": torch.get_rng_state(),
        "python": random.getstate(),
    }
    back = round_trip(state)
    again = torch.optim.Adam(module.parameters())
    again.load_state_dict(back["optimizer"])
    assert again.state_dict()["param_groups"] == optimizer.state_dict()["param_groups"]
    step = optimizer.state_dict()["state"][0]["exp_avg"]
    assert torch.equal(back["optimizer"]["state"][0]["exp_avg"], step)
    assert type(back["scheduler"]["milestones"]) is Counter
    assert torch.equal(back["torch"], state["torch"])
    random.setstate(back["python"])
    assert random.getstate() == state["python"]
