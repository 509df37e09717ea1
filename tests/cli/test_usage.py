"""Help, parsing, did-you-mean, exit codes of wrong use."""

import json
import re

import pytest

COMMANDS = [
    "init",
    "create",
    "save",
    "load",
    "fonts",
    "runs",
    "show",
    "inspect",
    "personality",
    "verify",
    "status",
    "recover",
]


def test_help_lists_every_command_on_stdout(command):
    done = command("--help", store=False)
    for name in COMMANDS:
        assert re.search(rf"^  {name}\s", done.stdout, re.M), name
    assert done.stderr == ""


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_help_that_fits_a_terminal(command, name):
    done = command(name, "--help")
    assert done.stdout.startswith(f"Usage: fontkeep {name}")
    assert all(len(line) <= 100 for line in done.stdout.splitlines())


def test_version_is_printed(command):
    assert command("--version", store=False).stdout == "fontkeep 0.1.0\n"


def test_no_command_is_usage(command):
    assert "command is missing" in command(status=2).stderr


@pytest.mark.parametrize("wrong,right", [("rnus", "runs"), ("verfy", "verify"), ("Fonts", "fonts")])
def test_an_unknown_command_offers_the_nearest(command, wrong, right):
    error = command.error(wrong, status=2)
    assert error["code"] == "usage"
    assert f"'{right}'" in error["hint"]


def test_an_unknown_option_offers_the_nearest(command):
    error = command.error("runs", "1-a", "--limt", "3", status=2)
    assert "--limit" in error["hint"]


@pytest.mark.parametrize(
    "words",
    [
        ["runs"],
        ["runs", "1-a", "2-b"],
        ["runs", "1-a", "--limit"],
        ["runs", "1-a", "--limit", "many"],
        ["runs", "1-a", "--limit", "-1"],
        ["runs", "1-a", "--reverse=yes"],
        ["runs", "1-a", "--reverse", "--reverse"],
        ["create"],
        ["create", "1-a", "--next", "b"],
        ["load", "1-a"],
        ["fonts", "--bogus"],
    ],
)
def test_wrong_use_is_exit_2_with_nothing_on_stdout(command, words):
    done = command(*words, status=2)
    assert done.stdout == ""
    assert done.stderr.startswith("fontkeep: ")


def test_global_options_may_stand_behind_the_command(command):
    assert json.loads(command("fonts", "--json").stdout) == []


def test_a_missing_store_is_exit_3_and_says_what_to_do(command, tmp_path):
    command.store = tmp_path / "nowhere"
    error = command.error("fonts", status=3)
    assert error["code"] == "store_not_found"
    assert "nowhere" in error["path"]
    assert error["hint"]


def test_the_environment_names_the_store(command):
    command("create", "1-fruity")
    done = command("fonts", store=False, environment={"FONTKEEP_STORE": str(command.store)})
    assert "1-fruity" in done.stdout


def test_without_a_name_the_store_is_networks_in_the_working_directory(command, tmp_path):
    command("create", "1-fruity")
    done = command("fonts", store=False, directory=tmp_path, environment={"FONTKEEP_STORE": ""})
    assert "1-fruity" in done.stdout


def test_a_full_standard_output_is_no_success(command):
    command("create", "1-fruity")
    with open("/dev/full", "w") as full:
        import subprocess

        from caller import BUILD

        done = subprocess.run(
            [str(BUILD / "fontkeep"), "--store", str(command.store), "fonts"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
        )
    assert done.returncode == 8
    assert "cannot write the result" in done.stderr
