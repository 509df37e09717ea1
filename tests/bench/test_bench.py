"""Every row of the bench runs, at tiny size; what it writes into the documents stays true."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ["FONTKEEP_BUILD"])
sys.path.insert(0, str(ROOT))

from bench import document  # noqa: E402
from bench.__main__ import ROWS  # noqa: E402
from bench.report import Figure, Report, as_text  # noqa: E402
from bench.samples import Samples, interleave  # noqa: E402


@pytest.mark.parametrize("row", ROWS)
def test_every_row_runs_and_leaves_nothing(row: str, tmp_path: pathlib.Path):
    command = [sys.executable, "-m", "bench", "--smoke", "--build", str(BUILD)]
    command += ["--scratch", str(tmp_path), "--python", sys.executable, row]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert re.search(rf"^{row}: ran, with [1-9]\d* figures$", done.stdout, re.M)
    assert list(tmp_path.iterdir()) == []


def test_every_row_is_in_the_usage_and_in_the_document():
    usage = (ROOT / "scripts/bench").read_text()
    text = (ROOT / document.PATH).read_text()
    for row in ROWS:
        assert re.search(rf"^#     {row} ", usage, re.M)
        assert re.search(r"\| measured \||^Not measured yet", document.content(text, row), re.M)


def test_the_disk_and_a_bare_save_write_the_bytes_they_are_given(tmp_path: pathlib.Path):
    run = tmp_path / "run"
    (run / "eval-glyphs").mkdir(parents=True)
    (run / "weights").write_bytes(os.urandom(3_000_001))
    (run / "eval-glyphs/A.png").write_bytes(b"A")
    bare_save = [BUILD / "bench/bare_save", run, tmp_path]
    done = subprocess.run(bare_save, input="copy\n", capture_output=True, text=True, check=True)
    assert float(done.stdout) > 0
    for name in ("weights", "eval-glyphs/A.png"):
        assert (tmp_path / "copy" / name).read_bytes() == (run / name).read_bytes()

    plain_write = [BUILD / "bench/plain_write", run / "weights"]
    subprocess.run(plain_write, input=f"{tmp_path}/plain\n", text=True, check=True)
    assert (tmp_path / "plain").read_bytes() == (run / "weights").read_bytes()


def test_a_bare_program_that_fails_gives_no_figure(tmp_path: pathlib.Path):
    (tmp_path / "taken").write_bytes(b"")
    plain_write = [BUILD / "bench/plain_write", __file__]
    done = subprocess.run(plain_write, input=f"{tmp_path}/taken\n", capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert "File exists" in done.stderr


def test_subjects_take_turns_and_warm_ups_are_thrown_away():
    order: list[str] = []

    def subject(name: str):
        return lambda: order.append(name) or float(len(order))

    samples = interleave({"a": subject("a"), "b": subject("b")}, rounds=2, warm_ups=1)
    assert order == ["b", "a", "a", "b", "b", "a"]
    assert samples == {"a": Samples((3.0, 6.0)), "b": Samples((4.0, 5.0))}


def test_a_ratio_compares_what_ran_in_the_same_round():
    assert Samples((1.0, 10.0, 4.0)).over(Samples((2.0, 20.0, 4.0))) == 0.5


@pytest.mark.parametrize(
    ("figure", "verdict"),
    [
        (Figure("x", 0.8, at_most=0.8), "met"),
        (Figure("x", 0.81, at_most=0.8), "missed"),
        (Figure("x", 2.0, at_least=2.0), "met"),
        (Figure("x", 1.99, at_least=2.0), "missed"),
        (Figure("x", 5.0), ""),
        (Figure("x", None, at_most=1.0, note="needs root"), ""),
    ],
)
def test_a_figure_is_held_against_its_goal(figure: Figure, verdict: str):
    assert figure.verdict == verdict


def a_report(value: float) -> Report:
    return Report("t", [Figure("it", value, at_most=1.0)], {"it": Samples((0.1, 0.2, 0.3))})


@pytest.fixture
def tree(tmp_path: pathlib.Path) -> pathlib.Path:
    parts = [document.block(name, "old") for name in ("save", "start")]
    page = tmp_path / document.PATH
    page.parent.mkdir()
    page.write_text("\n".join(["head", document.block("machine", ""), *parts, "foot"]))
    (tmp_path / document.README).write_text(document.block("gist", "") + "\n")
    return tmp_path


def test_writing_replaces_only_the_rows_that_ran(tree: pathlib.Path):
    document.write(tree, [("CPU", "one")], {"save": a_report(0.5)}, "today", every_row=False)
    text = (tree / document.PATH).read_text()
    assert "| it | 0.50 x | at most 1.00 x | met |" in document.content(text, "save")
    assert document.content(text, "start") == "old"
    assert text.startswith("head\n") and text.endswith("\nfoot")


def test_figures_of_two_machines_are_not_mixed(tree: pathlib.Path):
    document.write(tree, [("CPU", "one")], {"save": a_report(0.5)}, "today", every_row=False)
    with pytest.raises(document.OtherMachineError):
        document.write(tree, [("CPU", "two")], {"start": a_report(2.0)}, "today", every_row=False)
    document.write(tree, [("CPU", "two")], {"start": a_report(2.0)}, "today", every_row=True)
    assert "| CPU | two |" in (tree / document.PATH).read_text()


def test_the_readme_shows_what_the_document_says(tree: pathlib.Path):
    report = Report("t", [Figure("fontkeep --version, whole process", 2.5, "ms", 4.0)])
    document.write(tree, [("CPU", "one")], {"start": report}, "today", every_row=False)
    assert "| the start of the command | 2.50 ms |" in (tree / document.README).read_text()


def test_the_readme_of_this_tree_does_so():
    gist = document.gist((ROOT / document.PATH).read_text())
    assert document.content((ROOT / document.README).read_text(), "gist") == gist


def test_what_was_not_measured_is_said():
    table = as_text(Report("t", [Figure("cold", None, "s", 1.0, note="needs root")]).table())
    assert "not measured: needs root" in table
