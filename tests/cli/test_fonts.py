"""init, create, fonts, status: stores and fonts from the shell."""

import os
import re
import uuid

import pytest


def test_init_makes_a_store_and_tells_its_id(command, tmp_path):
    made = command.json("init", tmp_path / "deep" / "er")
    assert set(made) == {"store", "store_id"}
    assert uuid.UUID(made["store_id"])
    assert command.json("init", tmp_path / "deep" / "er")["store_id"] == made["store_id"]


def test_create_prints_the_font_id(command):
    assert command("create", "1-fruity").stdout == "1-fruity\n"
    assert command.json("create", "2-dumb") == {"font_id": "2-dumb"}
    assert (command.store / "1-fruity" / "runs").is_dir()


def test_create_next_numbers_above_the_highest(command):
    assert command.json("create", "--next", "dumb") == {"font_id": "1-dumb"}
    command("create", "41-a")
    assert command.json("create", "--next", "b") == {"font_id": "42-b"}


def test_creating_a_font_twice_is_refused(command):
    command("create", "1-fruity")
    error = command.error("create", "1-fruity", status=4)
    assert error["code"] == "font_exists"


@pytest.mark.parametrize(
    "wrong,right",
    [
        ("Fruity", "1-fruity"),
        ("1_fruity", "1-fruity"),
        ("1-Fruity", "1-fruity"),
        ("fruity-1", None),
        ("1-", None),
        ("../1-a", None),
        ("", None),
        ("1-" + "a" * 99, None),
    ],
)
def test_a_wrong_font_id_shows_the_rule_and_a_corrected_id(command, wrong, right):
    error = command.error("create", "--", wrong, status=4)
    assert error["code"] == "invalid"
    assert "{number}-{personality-name}" in error["message"] + error["hint"]
    offered = re.findall(r"'([0-9]+-[a-z0-9]+(?:-[a-z0-9]+)*)'", error["hint"])
    assert offered and len(offered[-1]) <= 100
    if right:
        assert right in offered
    assert [p for p in os.listdir(command.store) if not p.startswith(".")] == []


def test_the_longest_font_id_is_fine(command):
    longest = "1-" + "a" * 98
    assert command.json("create", longest) == {"font_id": longest}
    command.error("create", longest + "a", status=4)


def test_fonts_are_listed_by_number_with_runs_and_latest(command, save):
    for font_id in ["10-ten", "2-two", "2-deux"]:
        command("create", font_id)
    run_id = save("2-two")
    assert command.json("fonts") == [
        {"font_id": "2-deux", "runs": 0, "latest_run_id": None},
        {"font_id": "2-two", "runs": 1, "latest_run_id": run_id},
        {"font_id": "10-ten", "runs": 0, "latest_run_id": None},
    ]
    lines = command("fonts").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["FONT", "2-deux", "2-two", "10-ten"]
    assert "\033" not in "".join(lines)


def test_status_counts_what_is_there(command, save):
    save()
    (command.store / "Not A Font").mkdir()
    report = command.json("status")
    assert set(report) == {
        "store",
        "store_id",
        "fonts",
        "runs",
        "by_health",
        "stages",
        "trash_bytes",
        "strangers",
    }
    assert (report["fonts"], report["runs"], report["stages"]) == (1, 1, 0)
    assert report["by_health"]["complete"] == 1
    assert report["strangers"] == ["Not A Font"]
    assert "Not A Font" in command("status").stdout


def test_recover_on_a_clean_store_has_nothing_to_do(command, save):
    save()
    assert command.json("recover") == {"removed": [], "kept": []}


def test_a_store_that_vanished_is_an_error_that_says_so(command, material):
    os.rename(command.store, str(command.store) + ".gone")
    error = command.error(
        "save",
        "1-a",
        "--weights",
        material / "model.pt",
        "--status",
        "failed",
        "--personality",
        material / "vector.pt",
        status=3,
    )
    assert error["code"] == "store_not_found"
    assert not command.store.exists()
