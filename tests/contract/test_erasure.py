"""Erasing a client leaves no byte from which a word could be read again."""

import asyncio
import os
import shutil
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import redis

from service.ids import SystemClock
from service.ledger import Ledger, Under
from service.sealing import MasterKeys
from service.session import events
from service.session.duties import Policy
from service.session.refusals import Refused
from service.stores import sqlite_writer
from service.stores.port import Store
from service.stores.redis import RedisStore
from service.stores.sqlite import SqliteStore
from tests.contract.redis_server import RedisServer
from tests.driving import town

KEYS = MasterKeys((bytes(range(32)),))
WORDS = "a sentence that only this test would say"
_SESSIONS = 120
_REWRITE_S = 60.0


async def talk(store: Store) -> dict[str, bytes]:
    """Fill a store with short sessions; give each one's wrapped key."""
    ledger = Ledger(store, KEYS, SystemClock(), Policy())
    opened = events.SessionOpened(client_ref="ref", team="north", language="en", region="US")
    for number in range(_SESSIONS):
        session_id = f"ses_{number * 37 % _SESSIONS:04d}"
        await ledger.open(session_id, opened, "app", Under())
        note = events.NoteAdded(note_id="not_1", text=WORDS)
        await ledger.append(session_id, lambda _, note=note: (note,), "anna")
    keys = {row.session_id: await store.wrapped_key(row.session_id) for row in await rows(store)}
    return {session_id: key for session_id, key in keys.items() if key}


async def rows(store: Store):
    return [(await store.row(f"ses_{number:04d}")).row for number in range(_SESSIONS)]


async def erase_every_other(store: Store) -> list[str]:
    gone = [f"ses_{number:04d}" for number in range(0, _SESSIONS, 2)]
    ledger = Ledger(store, KEYS, SystemClock(), Policy())
    for session_id in gone:
        await ledger.erase(session_id, "superior")
    return gone


def everything_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def left(folder: Path, keys: dict[str, bytes], gone: list[str]) -> list[str]:
    """Give the erased sessions of whose wrapped key any half is still in a file."""
    held = everything_in(folder)
    return [
        one
        for one in gone
        if keys[one][: len(keys[one]) // 2] in held or keys[one][len(keys[one]) // 2 :] in held
    ]


async def test_sqlite_keeps_no_byte_of_a_destroyed_key(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "secondchair.db")
    keys = await talk(store)
    assert left(tmp_path, keys, list(keys)) == sorted(keys)
    gone = await erase_every_other(store)
    assert left(tmp_path, keys, gone) == []
    assert left(tmp_path, keys, sorted(keys.keys() - set(gone))) == sorted(keys.keys() - set(gone))
    assert WORDS.encode() not in everything_in(tmp_path)
    await store.close()


async def test_an_erasure_cut_off_before_the_log_was_emptied_is_finished_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    store = SqliteStore(whole / "secondchair.db")
    keys = await talk(store)
    link = sqlite3.connect(whole / "secondchair.db", isolation_level=None)
    with closing(link) as reader, monkeypatch.context() as hurried:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM events").fetchone()
        hurried.setattr(sqlite_writer, "_PAUSE_S", 0.0)
        await Ledger(store, KEYS, SystemClock(), Policy()).erase("ses_0000", "superior")
        # The files as a killed process leaves them: one that ends well empties the log itself.
        shutil.copytree(whole, killed)
    await store.close()
    assert left(killed, keys, ["ses_0000"]) == ["ses_0000"]
    again = SqliteStore(killed / "secondchair.db")
    assert left(killed, keys, ["ses_0000"]) == []
    await again.close()


async def test_an_erasure_that_waits_for_a_reader_holds_no_write_up(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "secondchair.db")
    await talk(store)
    ledger = Ledger(store, KEYS, SystemClock(), Policy())
    note = events.NoteAdded(note_id="not_2", text=WORDS)
    link = sqlite3.connect(tmp_path / "secondchair.db", isolation_level=None)
    with closing(link) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM events").fetchone()
        erasure = asyncio.create_task(ledger.erase("ses_0000", "superior"))
        await asyncio.wait({erasure}, timeout=1)
        async with asyncio.timeout(5):
            await ledger.append("ses_0001", lambda _: (note,), "anna")
        assert not erasure.done(), "nothing was waited for, so nothing was shown"
    await erasure
    await store.close()


@pytest.mark.redis
async def test_redis_keeps_no_byte_of_a_destroyed_key(empty_redis: RedisServer) -> None:
    store = RedisStore(empty_redis.url)
    keys = await talk(store)
    assert left(empty_redis.folder, keys, list(keys)) == sorted(keys)
    gone = await erase_every_other(store)
    await rewritten(empty_redis, store)
    assert left(empty_redis.folder, keys, gone) == []
    assert left(empty_redis.folder, keys, sorted(keys.keys() - set(gone)))
    assert WORDS.encode() not in everything_in(empty_redis.folder)
    await store.close()


async def rewritten(server: RedisServer, store: RedisStore) -> None:
    """Wait until no rewrite of the append-only file is wanted or running."""
    deadline = time.monotonic() + _REWRITE_S
    with redis.Redis(port=server.port) as client:
        while True:
            await store.forget_answers(0)
            told = client.info("persistence")
            if not (
                told["aof_rewrite_in_progress"]
                or told["aof_rewrite_scheduled"]
                or client.exists("sc:rewrite")
            ):
                return
            assert time.monotonic() < deadline
            await asyncio.sleep(0.1)


@pytest.mark.redis
async def test_a_rewrite_that_an_erasure_still_needs_is_asked_for_by_the_worker(
    empty_redis: RedisServer,
) -> None:
    async with town(RedisStore(empty_redis.url)) as here:
        with redis.Redis(port=empty_redis.port) as client:
            client.set("sc:rewrite", "1")
            running = asyncio.create_task(here.worker.run())
            async with asyncio.timeout(_REWRITE_S):
                while True:
                    if not client.exists("sc:rewrite"):
                        break
                    await asyncio.sleep(0.1)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@pytest.fixture
def slow_rewrites(empty_redis: RedisServer) -> Iterator[redis.Redis]:
    """The server, whose rewrites take some twenty seconds until told otherwise."""
    with redis.Redis(port=empty_redis.port) as client:
        client.config_set("rdb-key-save-delay", 50_000)
        yield client
        client.config_set("rdb-key-save-delay", 0)
        end_rewrite(empty_redis, client)


def end_rewrite(server: RedisServer, client: redis.Redis) -> None:
    """Kill the process that rewrites, as a host short of memory does."""
    assert server.process is not None
    own = server.process.pid
    for child in Path(f"/proc/{own}/task/{own}/children").read_text().split():
        os.kill(int(child), signal.SIGKILL)
    deadline = time.monotonic() + _REWRITE_S
    while client.info("persistence")["aof_rewrite_in_progress"]:
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.redis
async def test_a_rewrite_that_broke_off_is_asked_for_again_until_the_key_is_gone(
    empty_redis: RedisServer, slow_rewrites: redis.Redis, capsys: pytest.CaptureFixture[str]
) -> None:
    store = RedisStore(empty_redis.url)
    slow_rewrites.config_set("rdb-key-save-delay", 0)
    keys = await talk(store)
    slow_rewrites.config_set("rdb-key-save-delay", 50_000)
    await Ledger(store, KEYS, SystemClock(), Policy()).erase("ses_0000", "superior")
    assert slow_rewrites.info("persistence")["aof_rewrite_in_progress"]
    end_rewrite(empty_redis, slow_rewrites)
    assert slow_rewrites.exists("sc:rewrite")
    assert left(empty_redis.folder, keys, ["ses_0000"])
    slow_rewrites.config_set("rdb-key-save-delay", 0)
    await rewritten(empty_redis, store)
    assert left(empty_redis.folder, keys, ["ses_0000"]) == []
    assert "broke_off" in capsys.readouterr().out
    await store.close()


@pytest.mark.redis
async def test_a_server_that_was_started_again_is_asked_again(
    empty_redis: RedisServer, slow_rewrites: redis.Redis
) -> None:
    first = RedisStore(empty_redis.url)
    keys = await talk(first)
    await Ledger(first, KEYS, SystemClock(), Policy()).erase("ses_0000", "superior")
    await first.close()
    end_rewrite(empty_redis, slow_rewrites)
    empty_redis.kill()
    empty_redis.start()
    store = RedisStore(empty_redis.url)
    assert slow_rewrites.exists("sc:rewrite")
    assert left(empty_redis.folder, keys, ["ses_0000"])
    await rewritten(empty_redis, store)
    assert left(empty_redis.folder, keys, ["ses_0000"]) == []
    await store.close()


@pytest.mark.redis
async def test_the_mark_of_an_erasure_outlives_the_rewrite_of_another(
    empty_redis: RedisServer,
) -> None:
    with redis.Redis(port=empty_redis.port) as client:
        store = RacedStore(empty_redis.url, lambda: client.set("sc:rewrite", "ses_other"))
        await talk(store)
        await Ledger(store, KEYS, SystemClock(), Policy()).erase("ses_0000", "superior")
        assert client.get("sc:rewrite") == b"ses_other"
    await store.close()


class RacedStore(RedisStore):
    """A store where something else happens whenever it has just asked for a rewrite."""

    def __init__(self, url: str, meanwhile: Callable[[], object]) -> None:
        super().__init__(url)
        self.meanwhile = meanwhile
        rewrite = self._link.rewrite

        async def raced() -> Any:
            begun = await rewrite()
            self.meanwhile()
            return begun

        self._link.rewrite = raced


@pytest.mark.redis
async def test_a_redis_that_lets_us_not_rewrite_its_file_keeps_no_erasure_waiting_and_is_told_of(
    empty_redis: RedisServer, capsys: pytest.CaptureFixture[str]
) -> None:
    with redis.Redis(port=empty_redis.port) as client:
        client.acl_setuser("guest", enabled=True, nopass=True, reset=True, keys=["*"],
            channels=["*"], categories=["+@all"], commands=["-bgrewriteaof"])  # fmt: skip
        asked: list[None] = []
        address = empty_redis.url.replace("//", "//guest:any@")
        store = RacedStore(address, lambda: asked.append(None))
        await talk(store)
        await Ledger(store, KEYS, SystemClock(), Policy()).erase("ses_0000", "superior")
        assert len(asked) == 1
        assert "NoPermissionError" in capsys.readouterr().out
        assert client.exists("sc:rewrite")
        client.acl_deluser("guest")
    await store.close()


@pytest.mark.parametrize("again", [False, True])
async def test_an_erased_session_is_proven_and_unreadable(store: Store, again: bool) -> None:
    await talk(store)
    ledger = Ledger(store, KEYS, SystemClock(), Policy())
    await ledger.erase("ses_0000", "superior")
    if again:
        await ledger.erase("ses_0000", "superior")
    log = await store.read("ses_0000")
    assert [one.type for one in log] == ["session_opened", "note_added", "session_erased"]
    assert (await ledger.load("ses_0000")).status == "erased"
    assert await store.wrapped_key("ses_0000") is None
    fresh = Ledger(store, KEYS, SystemClock(), Policy())
    with pytest.raises(Refused):
        await fresh.append("ses_0000", lambda _: (_refuse(),), "anna")


def _refuse() -> events.Event:
    raise Refused("session_erased", "The session was erased.")
