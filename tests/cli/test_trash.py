"""rm, trash, restore, purge: removal with a way back."""


def test_a_removed_run_is_listed_in_the_trash_and_comes_back(command, save):
    first, second = save(), save()
    removed = command.json("rm", "1-fruity", second[:-3])
    assert removed["trash_id"] == f"1-fruity/{second}.1"
    assert (removed["font_id"], removed["run_id"]) == ("1-fruity", second)
    assert removed["bytes"] > 1000
    assert set(removed) == {"font_id", "run_id", "trash_id", "bytes"}
    assert [run["run_id"] for run in command.json("runs", "1-fruity")] == [first]
    [entry] = command.json("trash")
    assert set(entry) == {"trash_id", "font_id", "run_id", "bytes", "removed_at"}
    assert entry["trash_id"] == removed["trash_id"]
    assert entry["removed_at"].endswith("Z")
    assert command.json("status")["trash_bytes"] == removed["bytes"]
    restored = command.json("restore", removed["trash_id"])
    assert restored == {"font_id": "1-fruity", "run_id": second}
    assert command.json("verify")["checked"] == 2
    assert command.json("trash") == []


def test_latest_is_removed_by_that_name(command, save):
    save()
    second = save()
    assert command.json("rm", "1-fruity", "latest")["run_id"] == second


def test_a_removed_font_comes_back_with_all_its_runs(command, save):
    ids = [save(), save()]
    removed = command.json("rm", "1-fruity")
    assert (removed["trash_id"], removed["run_id"]) == ("1-fruity.1", None)
    assert command.json("fonts") == []
    command.error("runs", "1-fruity", status=3)
    command("create", "1-fruity")
    assert command.error("restore", "1-fruity.1", status=4)["code"] == "font_exists"
    command("rm", "1-fruity")
    assert command.json("restore", "1-fruity.1") == {"font_id": "1-fruity", "run_id": None}
    assert [run["run_id"] for run in command.json("runs", "1-fruity")] == ids


def test_the_number_of_a_removed_font_is_not_given_again(command, save):
    save("7-gone")
    command("rm", "7-gone")
    assert command("create", "--next", "fresh").stdout.strip() == "8-fresh"


def test_purge_frees_what_rm_told(command, save):
    run, kept = save(), save()
    told = command.json("rm", "1-fruity", run)
    font = command.json("rm", "1-fruity")
    assert font["bytes"] > told["bytes"]
    assert command.json("purge", "1-fruity.1") == {
        "removed": ["1-fruity.1"],
        "bytes": font["bytes"],
    }
    assert command.error("restore", "1-fruity.1", status=3)["code"] == "font_not_found"
    assert not list(command.store.glob(".trash*")) and not list(command.store.glob(".stage*"))
    run = save()
    told = command.json("rm", "1-fruity", run)
    assert command.json("purge") == {"removed": [told["trash_id"]], "bytes": told["bytes"]}
    assert command.json("purge") == {"removed": [], "bytes": 0}
    assert kept


def test_people_are_told_the_way_back_and_the_space(command, save):
    run = save()
    text = command("rm", "1-fruity", run).stdout
    assert f"fontkeep restore 1-fruity/{run}.1" in text
    assert "kB" in text
    table = command("trash").stdout
    assert f"1-fruity/{run}.1" in table
    assert "is back" in command("restore", f"1-fruity/{run}.1").stdout
    command("rm", "1-fruity", run)
    assert "freed" in command("purge").stdout
    assert command("trash").stdout == ""


def test_what_is_not_there_is_not_found_and_no_trash_id_is_invalid(command, save):
    save()
    assert command.error("rm", "2-dumb", status=3)["code"] == "font_not_found"
    assert command.error("rm", "1-fruity", "2020", status=3)["code"] == "run_not_found"
    missing = "1-fruity/2026-01-11T08:30:00.000000.1"
    assert command.error("restore", missing, status=3)["code"] == "run_not_found"
    assert command.error("purge", "1-fruity.9", status=3)["code"] == "font_not_found"
    assert command.error("restore", "../etc.1", status=4)["code"] == "invalid"
    command("rm", status=2)
    command("restore", status=2)
