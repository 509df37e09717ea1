"""The table of dtypes in lib/value agrees with PyTorch, and the package's with it."""

import ast
import re

import pytest

torch = pytest.importorskip("torch")

from read_dump import ROOT  # noqa: E402

SOURCE = (ROOT / "lib/value/dtype.c").read_text()
TABLE = [
    (name, int(size), kind)
    for name, size, kind in re.findall(r'\{"(\w+)", ([1-9]\d*), (INTEGER|FLOAT|COMPLEX)\}', SOURCE)
]


@pytest.mark.filterwarnings("ignore:ComplexHalf")
@pytest.mark.parametrize("name, size, kind", TABLE)
def test_a_dtype_is_what_it_is_in_pytorch(name, size, kind):
    if not hasattr(torch, name):
        pytest.skip("this torch does not know it")
    dtype = getattr(torch, name)
    tensor = torch.empty(1, dtype=dtype)
    assert tensor.element_size() == size
    assert (dtype.is_floating_point, dtype.is_complex) == (kind == "FLOAT", kind == "COMPLEX")
    if kind == "INTEGER":
        with pytest.raises(RuntimeError):
            tensor.requires_grad_()
    else:
        assert tensor.requires_grad_().requires_grad


def test_the_package_knows_the_same_dtypes():
    tree = ast.parse((ROOT / "python/fontkeep/convert.py").read_text())
    (table,) = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and node.targets[0].id == "DTYPES"
    ]
    assert table == {name: size for name, size, _ in TABLE}
