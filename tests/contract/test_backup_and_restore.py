"""The drill of docs/operations.md: back up while it writes, lose everything, restore, prove."""

import asyncio
import re
import shutil
import sqlite3
import subprocess
from pathlib import Path

import pytest
import redis

from service.checkpoints import take, verify
from service.ids import SystemClock
from service.ledger import Ledger, Under
from service.session import events
from service.session.duties import Policy
from service.stores.copying import Copyable, differences
from service.stores.port import Document
from service.stores.redis import RedisStore
from service.stores.sqlite import SqliteStore
from tests.conftest import Require
from tests.contract.redis_server import RedisServer
from tests.contract.test_erasure import KEYS, WORDS, rewritten

OPERATIONS = (Path(__file__).parents[2] / "docs" / "operations.md").read_text("utf-8")
BEGUN = events.SessionOpened(client_ref="ref", team="north", language="en", region="US")


def ledger_of(store: Copyable) -> Ledger:
    return Ledger(store, KEYS, SystemClock(), Policy())


async def fill(store: Copyable, first: int, count: int) -> None:
    ledger = ledger_of(store)
    for number in range(first, first + count):
        await ledger.open(f"ses_{number:03d}", BEGUN, "app", Under())
        note = events.NoteAdded(note_id="not_1", text=WORDS)
        await ledger.append(f"ses_{number:03d}", lambda _, note=note: (note,), "anna")


def told(what: str) -> str:
    """Give the commands of the block in docs/operations.md that holds these words."""
    (block,) = [one for one in re.findall(r"```sh\n(.*?)```", OPERATIONS, re.S) if what in one]
    return block


def type_in(folder: Path, commands: str) -> None:
    """Type commands into a shell as they stand in the docs."""
    subprocess.run(["sh", "-euc", commands], cwd=folder, check=True, timeout=60)


def found(folder: Path, pattern: str) -> list[Path]:
    return sorted(folder.glob(pattern))


def restore(folder: Path, backup: Path) -> None:
    """Put the backup back as the docs say, under the name they give it."""
    commands = told("cp backup-")
    (name,) = re.findall(r"^cp (\S+) ", commands, re.M)
    shutil.copy(backup, folder / name)
    type_in(folder, commands)


async def proven(restored: Copyable, before: Copyable) -> None:
    """What was there at the backup is there, opens, and goes on."""
    assert await verify(restored, await take(before, 1), KEYS) == ()
    assert await differences(before, restored) == ()
    note = events.NoteAdded(note_id="not_2", text=WORDS)
    done = await ledger_of(restored).append("ses_001", lambda _: (note,), "anna")
    assert done.state.seq == 3


async def test_sqlite_backed_up_while_it_writes_is_whole_after_a_restore(tmp_path: Path) -> None:
    live, backup = tmp_path / "secondchair.db", tmp_path / "backup.db"
    store = SqliteStore(live)
    await fill(store, 0, 20)
    writing = asyncio.create_task(fill(store, 20, 40))
    await asyncio.sleep(0.05)

    def vacuum() -> None:
        with sqlite3.connect(live) as link:
            link.execute("VACUUM INTO ?", (str(backup),))
        link.close()

    await asyncio.to_thread(vacuum)
    await writing
    await store.close()
    restore(tmp_path, backup)
    restored = SqliteStore(live)
    assert await verify(restored, keys=KEYS) == ()
    for number in range(20):
        assert (await ledger_of(restored).load(f"ses_{number:03d}")).seq == 2
    await fill(restored, 100, 1)
    await restored.close()


async def test_sqlite_is_restored_over_what_a_crash_left_behind(
    tmp_path: Path, require: Require
) -> None:
    require("sqlite3")
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    store = SqliteStore(tmp_path / "secondchair.db")
    await fill(store, 0, 20)
    # Hourly, so never over the one of the hour before.
    (tmp_path / "backup.db").touch()
    type_in(tmp_path, told("VACUUM INTO"))
    await fill(store, 20, 40)
    for one in found(tmp_path, "secondchair.db*"):
        shutil.copy(one, crashed)
    await store.close()
    assert found(crashed, "*-wal")
    (backup,) = found(tmp_path, "backup-*.db")
    restore(crashed, backup)
    restored = SqliteStore(crashed / "secondchair.db")
    assert await verify(restored, keys=KEYS) == ()
    assert (await ledger_of(restored).load("ses_019")).seq == 2
    assert await restored.row("ses_020") is None
    await restored.close()


@pytest.mark.redis
async def test_redis_restored_from_its_files_is_the_same_store(
    empty_redis: RedisServer, require: Require, tmp_path: Path
) -> None:
    store = RedisStore(empty_redis.url)
    await fill(store, 0, 20)
    await store.put_document("autosave", Document("ses_001", 1, b"sealed"))
    with redis.Redis(port=empty_redis.port) as client:
        client.bgrewriteaof()
    await rewritten(empty_redis, store)
    folder = tmp_path / "restored"
    shutil.copytree(empty_redis.folder / "appendonlydir", folder / "appendonlydir")
    server = RedisServer(require("redis-server"), folder)
    server.start()
    restored = RedisStore(server.url)
    try:
        await proven(restored, store)
    finally:
        await restored.close()
        server.stop()
    await store.close()


async def test_who_was_erased_after_the_backup_is_erased_again(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "secondchair.db")
    await fill(store, 0, 5)
    with sqlite3.connect(tmp_path / "secondchair.db") as link:
        link.execute("VACUUM INTO ?", (str(tmp_path / "backup.db"),))
    link.close()
    await ledger_of(store).erase("ses_002", "superior")
    await store.close()
    restored = SqliteStore(tmp_path / "backup.db")
    assert await restored.wrapped_key("ses_002") is not None
    for _ in range(2):
        await ledger_of(restored).erase("ses_002", "superior")
    assert await restored.wrapped_key("ses_002") is None
    assert await verify(restored, keys=KEYS) == ()
    await restored.close()
