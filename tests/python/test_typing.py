"""What type checkers see: strict types, the overloads of wait, and stubs that agree."""

from __future__ import annotations

import ast
import inspect
import pathlib
import subprocess

import pytest
from processes import environment

import fontkeep
from fontkeep import _native

PACKAGE = pathlib.Path(fontkeep.__file__).parent

USE = """
import fontkeep
store = fontkeep.Store("x")
reveal_type(store.save_model("1-a", {}, None, None, None, None, status="failed"))
reveal_type(store.save_model("1-a", {}, None, None, None, None, training={}, wait=False))
reveal_type(fontkeep.save_model("1-a", {}, None, None, None, None))
reveal_type(fontkeep.save_model("1-a", {}, None, None, None, None, wait=False))
reveal_type(fontkeep.load_model("1-a")[2].health)
reveal_type(fontkeep.list_runs("1-a", limit=3)[0].metrics)
reveal_type(store.begin_run("1-a", wait=False).future)
"""
FUTURE = "concurrent.futures._base.Future[builtins.str]"
SEEN = [
    "builtins.str",
    FUTURE,
    "builtins.str",
    FUTURE,
    "builtins.str",
    "builtins.dict[builtins.str, Any]",
    f"Union[{FUTURE}, None]",
]
WRONG = """
import fontkeep
fontkeep.save_model("1-a", {}, None, None, None, None, statsu="failed")
"""


def mypy(tmp_path: pathlib.Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Debian's, whatever Python runs the tests."""
    python = "/usr/bin/python3"
    if subprocess.run([python, "-c", "import mypy"], capture_output=True).returncode != 0:
        pytest.skip("mypy is not installed")
    command = [python, "-m", "mypy", "--strict", "--enable-incomplete-feature=Unpack"]
    command += [f"--cache-dir={tmp_path}", *arguments]
    variables = {**environment(), "MYPYPATH": str(PACKAGE.parent)}
    return subprocess.run(command, env=variables, cwd=tmp_path, capture_output=True, text=True)


def test_the_package_passes_strict_checks(tmp_path) -> None:
    done = mypy(tmp_path, "-p", "fontkeep")
    assert done.returncode == 0, done.stdout


def test_checkers_see_what_wait_gives_and_unknown_keywords(tmp_path) -> None:
    done = mypy(tmp_path, "-c", USE)
    seen = [line.split('"')[1] for line in done.stdout.splitlines() if "Revealed" in line]
    assert seen == SEEN, done.stdout
    assert "No overload variant" in mypy(tmp_path, "-c", WRONG).stdout


def stub_names(body: list[ast.stmt]) -> dict[str, list[ast.stmt]]:
    """Functions and classes of a stub, with what is in the classes."""
    kinds = (ast.FunctionDef, ast.ClassDef)
    return {
        node.name: node.body if isinstance(node, ast.ClassDef) else []
        for node in body
        if isinstance(node, kinds)
    }


def test_the_stub_has_what_the_extension_has() -> None:
    stub = stub_names(ast.parse((PACKAGE / "_native.pyi").read_text()).body)
    assert stub.keys() == {name for name in vars(_native) if not name.startswith("__")}
    for name, body in stub.items():
        member = getattr(_native, name)
        if inspect.isclass(member):
            made = {method for method in vars(member) if not method.startswith("__")}
            assert {each for each in stub_names(body) if not each.startswith("__")} == made, name


def test_everything_public_has_annotations() -> None:
    for kind in (fontkeep.Store, fontkeep.RunDraft, fontkeep.Run):
        for name, member in inspect.getmembers(kind, inspect.isfunction):
            if not name.startswith("_"):
                parameters = inspect.signature(member).parameters
                assert set(member.__annotations__) == {*parameters, "return"} - {"self"}, name


