"""What those who look after the store type, and what they are told."""

import asyncio
import base64
import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from service.cli import cli
from service.ids import SystemClock
from service.ledger import Ledger
from service.sealing import MasterKeys
from service.session.duties import Policy
from service.stores.sqlite import SqliteStore
from tests.contract.test_erasure import KEYS, WORDS
from tests.contract.test_tampering import fill, write

OLD, NEW = bytes(range(32)), bytes(range(1, 33))


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store with four sessions, the first one erased, and settings that name it."""
    path = tmp_path / "secondchair.db"
    monkeypatch.setenv("SECONDCHAIR_STORE", f"sqlite:///{path}")
    monkeypatch.setenv("SECONDCHAIR_MASTER_KEY", base64.b64encode(OLD).decode())

    async def furnish() -> None:
        store = SqliteStore(path)
        await fill(store)
        await store.close()

    asyncio.run(furnish())
    return path


def say(*words: str, given: str | None = None) -> Result:
    return CliRunner().invoke(cli, words, input=given)


def cut_off(path: Path, session_id: str) -> None:
    """Take the last event away and make the row fit."""

    async def log() -> list[object]:
        store = SqliteStore(path)
        found = list(await store.read(session_id))
        await store.close()
        return list(found)

    found = asyncio.run(log())[:-1]
    write(path, session_id, found, len(found))  # type: ignore[arg-type]


def test_a_whole_store_is_proven(path: Path) -> None:
    done = say("verify", "--open")
    assert (done.exit_code, done.output) == (0, "4 logs are whole\n")


def test_a_row_that_is_not_what_its_log_says_is_named_and_made_anew(path: Path) -> None:
    with sqlite3.connect(path) as link:
        link.execute("UPDATE rows SET kind = 'draft', team = 'south' WHERE session_id = 'ses_1'")
    link.close()
    assert say("verify").exit_code == 0
    done = say("verify", "--open")
    assert done.exit_code == 1
    assert "ses_1 row_differs from event 6: team, kind\n" in done.output
    assert "south" not in done.output
    done = say("store", "rebuild")
    assert done.output == "ses_1 row_differs from event 6: team, kind\n1 rows written anew\n"
    assert done.exit_code == 0
    assert say("verify", "--open").output == "4 logs are whole\n"
    assert say("store", "rebuild").output == "0 rows written anew\n"


def test_rebuilding_leaves_what_does_not_open(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECONDCHAIR_MASTER_KEY", base64.b64encode(NEW).decode())
    done = say("store", "rebuild")
    assert (done.exit_code, "3 left as they are" in done.output) == (1, True)
    assert "ses_1 unreadable from event 0" in done.output


def test_a_checkpoint_finds_an_end_that_was_cut_off(path: Path, tmp_path: Path) -> None:
    key, taken = str(tmp_path / "signing"), str(tmp_path / "monday")
    assert say("checkpoint", "key", key).exit_code == 0
    assert Path(key).stat().st_mode & 0o077 == 0
    done = say("checkpoint", "take", "--key", key, "--out", taken)
    assert done.output.startswith("4 sessions ")
    against = ("verify", "--checkpoint", taken, "--key", f"{key}.pub")
    assert say(*against).exit_code == 0
    cut_off(path, "ses_2")
    assert say("verify").exit_code == 0
    done = say(*against)
    assert done.exit_code == 1
    assert "ses_2 shortened from event 6" in done.output


def test_a_checkpoint_is_never_written_over_and_never_taken_on_trust(
    path: Path, tmp_path: Path
) -> None:
    key, taken = str(tmp_path / "signing"), str(tmp_path / "monday")
    say("checkpoint", "key", key)
    say("checkpoint", "key", f"{key}2")
    say("checkpoint", "take", "--key", key, "--out", taken)
    assert "there already" in say("checkpoint", "key", key).output
    assert "there already" in say("checkpoint", "take", "--key", key, "--out", taken).output
    done = say("verify", "--checkpoint", taken, "--key", f"{key}2.pub")
    assert done.exit_code == 1
    assert "not signed with this key" in done.output
    assert say("verify", "--checkpoint", taken).exit_code == 2
    assert "cannot be read" in say("checkpoint", "take", "--key", taken, "--out", "x").output


def test_a_store_is_copied_and_compared(path: Path, tmp_path: Path) -> None:
    source, target = f"sqlite:///{path}", f"sqlite:///{tmp_path / 'copy.db'}"
    done = say("store", "copy", source, target)
    assert done.exit_code == 0
    assert "copied 4 sessions, 25 events, 0 documents, 0 answers" in done.output
    assert "both hold the same" in done.output
    assert "copied 0 sessions" in say("store", "copy", source, target).output
    (tmp_path / "address").write_text(f"{target}\n")
    done = say("store", "copy", source, f"@{tmp_path / 'address'}")
    assert (done.exit_code, "copied 0 sessions" in done.output) == (0, True)
    assert "cannot be read" in say("store", "copy", source, f"@{tmp_path / 'none'}").output


def test_addresses_that_lead_nowhere_are_said_so(path: Path, tmp_path: Path) -> None:
    source, none = f"sqlite:///{path}", f"sqlite:///{tmp_path / 'none.db'}"
    assert say("store", "copy", none, source).exit_code == 1
    assert not (tmp_path / "none.db").exists()
    assert "in memory" in say("store", "copy", "memory://", source).output
    assert "begins with" in say("store", "copy", "postgres://x", source).output
    done = say("store", "copy", "redis://127.0.0.1:1/0", source)
    assert (done.exit_code, "does not answer" in done.output) == (1, True)


def test_erasing_needs_a_yes_and_leaves_the_proof(path: Path) -> None:
    assert say("erase", "ses_1", "--by", "ops", given="n\n").exit_code == 1
    assert say("erase", "--by", "ops").exit_code == 2
    assert say("erase", "-", "--by", "ops", given="ses_1\n").exit_code == 2
    done = say("erase", "-", "--by", "ops", "--yes", given="ses_1\nses_2\nses_none\n")
    assert done.exit_code == 1
    assert "erased 2 sessions" in done.output
    assert "ses_none" in done.output
    assert say("verify", "--open").output == "4 logs are whole\n"
    with sqlite3.connect(path) as link:
        held = {one for (one,) in link.execute("SELECT session_id FROM keys")}
    link.close()
    assert held == {"ses_3"}


def test_an_erasure_is_told_at_every_log_level_that_tells_of_warnings(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECONDCHAIR_LOG_LEVEL", "warning")
    told = say("erase", "ses_2", "--by", "ops", "--yes").output
    assert "session_erased" in told
    assert "ses_2" in told


def test_the_master_key_is_rotated_and_the_old_one_may_go(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = f"{base64.b64encode(NEW).decode()},{base64.b64encode(OLD).decode()}"
    monkeypatch.setenv("SECONDCHAIR_MASTER_KEY", both)
    assert say("keys", "rotate-master").output == "3 rewrapped, 0 were before\n"
    assert say("keys", "rotate-master").output == "0 rewrapped, 3 were before\n"
    monkeypatch.setenv("SECONDCHAIR_MASTER_KEY", base64.b64encode(NEW).decode())
    assert say("verify", "--open").exit_code == 0

    async def read() -> int:
        store = SqliteStore(path)
        state = await Ledger(store, MasterKeys((NEW,)), SystemClock(), Policy()).load("ses_1")
        await store.close()
        return state.seq

    assert asyncio.run(read()) == 6
    monkeypatch.setenv("SECONDCHAIR_MASTER_KEY", base64.b64encode(OLD).decode())
    done = say("keys", "rotate-master")
    assert done.exit_code == 1
    assert "3 keys do not open" in done.output
    assert KEYS.keys == (OLD,)


def test_no_command_prints_a_secret_that_does_not_fit(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECONDCHAIR_MASTER_KEY", "c2hvcnQtc2VjcmV0")
    done = say("verify", "--open")
    assert done.exit_code == 1
    assert "c2hvcnQ" not in done.output
    monkeypatch.setenv("SECONDCHAIR_ENVIRONMENT", "somewhere")
    done = say("verify")
    assert (done.exit_code, "environment" in done.output) == (1, True)
    assert WORDS not in done.output
