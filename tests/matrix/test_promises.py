"""The report of promises: what programs print comes into its row, and who fails breaks it."""

import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import promises  # noqa: E402

OPTIONS = type("Options", (), {"build": "build", "full": False})


def report_of(tmp_path, text, numbers=(7,)):
    script = tmp_path / "program.py"
    script.write_text(text)
    report = promises.Report()
    report.run(promises.Program(numbers, "{python}", str(script)), OPTIONS)
    return report


def test_lines_come_into_their_row(tmp_path):
    lines = "tests ...\\npromise 7: 100 levels\\npromise 7: | a | b |\\nother\\npromise 7: 3 more"
    report = report_of(tmp_path, f'print("{lines}")')
    assert report.state(7) == "kept"
    assert report.figures(7) == ["100 levels", "3 more"]
    assert list(report.tables()) == [(7, ["| a | b |"])]
    assert report.state(8) == "not shown"


def test_a_promise_alone_gets_its_row_and_its_table(tmp_path):
    old = "| 7 | old |\n| 8 | old |\n\nPromise 7:\n\n| old |\n| old |\n<!-- end -->\n"
    lines = "promise 7: 100 levels\\npromise 7: | a |\\npromise 7: | b |"
    options = type("Options", (OPTIONS,), {"promise": [7]})
    new = promises.with_rows(old, report_of(tmp_path, f'print("{lines}")'), options)
    assert new.startswith("| 7 | ") and "100 levels" in new and "| 8 | old |\n" in new
    assert new.endswith("Promise 7:\n\n| a |\n| b |\n<!-- end -->\n")


def test_what_was_not_tried_is_not_kept_everywhere(tmp_path):
    report = report_of(tmp_path, 'print("promise 7: not tried here: nfs: no server")')
    assert report.state(7) == "kept where tried"


@pytest.mark.parametrize(
    "text", ['print("promise 7: 1 of 2")\nraise SystemExit(3)', 'print("nothing to say")']
)
def test_a_failure_and_silence_break_a_promise(tmp_path, text):
    report = report_of(tmp_path, text)
    assert report.state(7) == "BROKEN"
    assert "exit status 3" in report.figures(7)[-1] or "no figure" in report.figures(7)[-1]


def test_every_program_is_there_and_proves_what_is_promised():
    for program in promises.PROGRAMS:
        assert set(program.promises) <= set(promises.PROMISES)
        for word in program.words:
            if word.startswith(("tests/", "scripts/")):
                assert (ROOT / word).exists(), word
            elif word.startswith("{build}/"):
                assert (ROOT / word.removeprefix("{build}/")).parent.is_dir(), word


def test_the_document_has_one_place_for_the_report():
    document = promises.DOCUMENT.read_text(encoding="utf-8")
    assert len(promises.MARKERS.findall(document)) == 1
