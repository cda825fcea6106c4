"""Who looks after API keys sees them all, leaves a trace, and makes none that nobody can use."""

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from service.cli import cli

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty store, and settings that name it."""
    monkeypatch.setenv("SECONDCHAIR_STORE", f"sqlite:///{tmp_path}/secondchair.db")
    monkeypatch.setenv("SECONDCHAIR_MASTER_KEY", base64.b64encode(bytes(range(32))).decode())
    return tmp_path


def say(*words: str) -> Result:
    return CliRunner().invoke(cli, ("keys", *words))


def issue(*words: str) -> str:
    """Give the prefix of a new key."""
    done = say("issue", *words)
    assert done.exit_code == 0
    (key,) = done.stdout.split()
    return key.split("_")[1]


def test_no_key_is_issued_in_the_name_of_the_service_itself() -> None:
    refused = say("issue", "service", "therapist", "north")
    assert (refused.exit_code, refused.stdout) == (2, "")


def test_all_keys_are_listed_with_what_each_is_worth() -> None:
    gone, lasting = issue("ann", "supervisor", "north"), issue("app", "client_app", "north")
    ending = issue("ben", "therapist", "south", "--days", "30")
    assert say("revoke", gone).exit_code == 0
    listed = [line.split("\t") for line in say("list").stdout.splitlines()]
    assert [(one[0], *one[1:4], one[5]) for one in listed] == [
        (gone, "ann", "supervisor", "north", "revoked"),
        (lasting, "app", "client_app", "north", "live"),
        (ending, "ben", "therapist", "south", "live"),
    ]
    assert [one[4] == "-" for one in listed] == [True, True, False]


def test_making_and_revoking_a_key_leave_a_line_without_its_secret() -> None:
    made = say("issue", "ann", "ops", "north")
    _, prefix, secret = made.stdout.strip().split("_", 2)
    gone = say("revoke", prefix)
    lines = [json.loads(done.stderr.splitlines()[-1]) for done in (made, gone)]
    assert [line["event"] for line in lines] == ["key_issued", "key_revoked"]
    assert {(line["severity"], line["source"]) for line in lines} == {("warning", f"sc_{prefix}")}
    assert secret not in made.stderr + gone.output


@pytest.mark.parametrize("wrong", ["", "  ", "x" * 201, "a\nb"], ids=("no", "blank", "long", "two"))
def test_a_name_or_team_that_the_wire_refuses_is_refused(wrong: str) -> None:
    assert say("issue", "app", "client_app", wrong).exit_code == 2
    assert say("issue", wrong, "client_app", "north").exit_code == 2
    assert say("list").stdout == ""


def test_a_command_leaves_nothing_in_the_folder_of_the_apis_numbers(tmp_path: Path) -> None:
    folder = tmp_path / "metrics"
    folder.mkdir()
    words = [sys.executable, "-m", "service", "keys", "list"]
    given = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(folder)}
    subprocess.run(words, cwd=ROOT, env=given, check=True)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("command", ["scrub", "screen"])
def test_a_line_that_is_no_case_is_named_by_its_number_and_not_repeated(command: str) -> None:
    given = '{"id": "1", "text": "Fine."}\n{"id": "2", "words": "A secret."}\n'
    ran = CliRunner().invoke(cli, [command], input=given)
    assert ran.exit_code == 1
    assert "line 2" in ran.output
    assert "secret" not in ran.output


@pytest.mark.parametrize(
    ("given", "told"),
    [(["demo"], "make run"), (["demo", "--session", "-1"], "-1")],
)
def test_a_demo_that_cannot_be_is_refused_in_one_line(
    given: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = CliRunner().invoke(cli, given)
    assert ran.exit_code != 0
    assert told in ran.output
    assert "Traceback" not in ran.output


def test_a_store_that_does_not_answer_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECONDCHAIR_STORE", "redis://127.0.0.1:1/0")
    ran = CliRunner().invoke(cli, ["keys", "list"])
    assert ran.exit_code == 1
    assert ran.output.startswith("Error: the store does not answer")
