"""Rows and lists decide who is paged: held against the logs, and made anew from them."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
import redis

from safety.risk import Category, RiskLevel
from service.checkpoints import rebuild, verify
from service.ids import SystemClock
from service.ledger import Ledger
from service.session import alarms, events
from service.session.duties import Policy
from service.session.row import Row
from service.stores.copying import Copyable
from service.stores.memory import MemoryStore
from service.stores.port import Conflict, Fence, RowQuery, StoredRow
from service.stores.redis import RedisStore
from service.stores.sqlite import SqliteStore
from tests.contract.making import row, wish
from tests.contract.redis_server import RedisServer
from tests.contract.test_erasure import KEYS, WORDS
from tests.contract.test_tampering import fill

DANGER = "ses_2"


async def stored_of(store: Copyable, session: str = DANGER) -> StoredRow:
    """What the lists know of a session that is there."""
    stored = await store.row(session)
    assert stored is not None
    return stored


async def happens(store: Copyable, event: events.Event, by: str) -> None:
    """Write one more event down for the session in danger."""
    await Ledger(store, KEYS, SystemClock(), Policy()).append(DANGER, lambda _: (event,), by)


async def in_danger(store: Copyable) -> Row:
    """Sessions as `fill` makes them, the first one erased; one in imminent danger, unseen."""
    await fill(store)
    raised = alarms.AlertRaised(
        alert_id="alr_1", message_id="msg_1", level=RiskLevel.IMMINENT,
        category=Category.SUICIDE, score=1.0, source="rules",
    )  # fmt: skip
    await happens(store, raised, "service")
    listed = (await stored_of(store)).row
    assert listed.due_at_ms is not None
    return listed


async def found(store: Copyable) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(one.session_id, one.fault, one.parts) for one in await verify(store, keys=KEYS)]


async def queued(store: Copyable) -> list[str]:
    return [one.row.session_id for one in (await store.rows(RowQuery("queue"))).items]


async def test_nothing_is_found_and_nothing_written_where_rows_say_what_logs_say(
    store: Copyable,
) -> None:
    before = await in_danger(store)
    assert await found(store) == []
    assert await rebuild(store, KEYS) == ([], [])
    assert (await stored_of(store)).row == before


async def test_a_leased_session_is_no_other_session(store: Copyable) -> None:
    await in_danger(store)
    now = SystemClock().now_ms() + 1_000
    (lease,) = await store.lease_due(now, now + 15_000, 5)
    assert await found(store) == []
    assert await store.keep_lease(lease, now + 60_000, aside_since_ms=now)
    assert await found(store) == []


async def test_a_row_that_says_that_nobody_waits_is_found_and_made_anew(store: Copyable) -> None:
    before = await in_danger(store)
    calm = replace(before, kind=None, urgency=0, due_at_ms=None, risk=RiskLevel.NONE)
    await store.mend(calm)
    assert await queued(store) == []
    ((session, fault, parts),) = await found(store)
    assert (session, fault) == (DANGER, "row_differs")
    assert {"kind", "urgency", "risk", "due_at_ms"} <= set(parts)
    assert not any("alr_1" in one or WORDS in one for one in parts)
    done = await rebuild(store, KEYS)
    assert [one.session_id for one in done.mended] == [DANGER]
    assert await found(store) == []
    assert await queued(store) == [DANGER]
    now = SystemClock().now_ms()
    assert [one.session_id for one in await store.lease_due(now, now + 15_000, 5)] == [DANGER]


async def test_a_row_that_puts_a_page_off_for_long_is_found(store: Copyable) -> None:
    before = await in_danger(store)
    await store.mend(replace(before, due_at_ms=SystemClock().now_ms() + 86_400_000))
    assert await found(store) == [(DANGER, "row_differs", ("due_at_ms",))]
    await rebuild(store, KEYS)
    assert await found(store) == []


async def test_a_claim_outlives_it_and_a_lease_does_not(store: Copyable) -> None:
    before = await in_danger(store)
    now = SystemClock().now_ms() + 1_000
    claim = await store.claim(wish("anna", DANGER, now_ms=now, until_ms=now + 60_000))
    (lease,) = await store.lease_due(now, now + 15_000, 5)
    await store.mend(replace(before, kind=None))
    await rebuild(store, KEYS)
    assert not await store.keep_lease(lease, now + 30_000)
    assert (await stored_of(store)).claim == claim
    await store.release_claim(DANGER, Fence("anna", claim.number))


async def test_an_erased_session_stays_erased(store: Copyable) -> None:
    await in_danger(store)
    erased = (await stored_of(store, "ses_0")).row
    waiting = replace(erased, status="open", kind="draft", waiting_since_ms=1, due_at_ms=1)
    await store.mend(waiting)
    ((session, fault, parts),) = await found(store)
    assert (session, fault) == ("ses_0", "row_differs")
    assert {"status", "kind", "waiting_since_ms", "due_at_ms"} <= set(parts)
    log = await store.read("ses_0")
    done = await rebuild(store, KEYS)
    assert [one.session_id for one in done.mended] == ["ses_0"]
    assert await store.read("ses_0") == log
    assert await store.wrapped_key("ses_0") is None
    assert (await stored_of(store, "ses_0")).row == erased
    assert await found(store) == []


async def test_a_session_whose_key_is_gone_is_left_as_it_is(store: Copyable) -> None:
    before = await in_danger(store)
    wrapped = await store.wrapped_key("ses_3")
    assert wrapped is not None
    await store.rewrap("ses_3", wrapped, b"nobody's" * 8)
    await store.mend(replace(before, kind=None))
    done = await rebuild(store, KEYS)
    assert [one.session_id for one in done.mended] == [DANGER]
    assert [(one.session_id, one.fault) for one in done.left] == [("ses_3", "unreadable")]


async def test_nothing_is_written_over_a_log_that_has_moved_on(store: Copyable) -> None:
    before = await in_danger(store)
    note = events.NoteAdded(note_id="not_9", text=WORDS)
    await happens(store, note, "anna")
    for one in (before, row("ses_none")):
        with pytest.raises(Conflict):
            await store.misplaced(one)
        with pytest.raises(Conflict):
            await store.mend(one)
    assert await found(store) == []


class Racing(MemoryStore):
    """Somebody writes to a session the moment its row is looked at, a few times."""

    ledger: Ledger | None = None
    left: int = 3

    async def misplaced(self, row: Row) -> Sequence[str]:
        if self.left and self.ledger is not None and row.status != "erased":
            self.left -= 1
            note = events.NoteAdded(note_id=f"not_{self.left}x", text=WORDS)
            await self.ledger.append(row.session_id, lambda _: (note,), "anna")
        return await super().misplaced(row)


async def test_whoever_writes_meanwhile_makes_no_difference() -> None:
    store = Racing()
    await in_danger(store)
    store.ledger = Ledger(store, KEYS, SystemClock(), Policy())
    assert await found(store) == []
    assert store.left == 0


async def test_a_row_that_is_gone_is_made_anew(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "secondchair.db")
    before = await in_danger(store)
    await store._writer.run(lambda link: link.execute("DELETE FROM rows"))
    assert {fault for _, fault, _ in await found(store)} == {"unlisted"}
    done = await rebuild(store, KEYS)
    assert len(done.mended) == 4
    assert await found(store) == []
    assert (await stored_of(store)).row == before
    await stored_of(store, "ses_0")
    await store.close()


@pytest.fixture
async def lists(empty_redis: RedisServer) -> AsyncIterator[tuple[RedisStore, redis.Redis]]:
    """A Redis with a session in danger, and a way past the service."""
    store = RedisStore(empty_redis.url)
    await in_danger(store)
    with redis.Redis(port=empty_redis.port, decode_responses=True) as client:
        yield store, client
    await store.close()


@pytest.mark.redis
@pytest.mark.parametrize("name", ["queue", "queue:north", "alerts", "alerts:north"])
async def test_a_session_taken_off_a_list_is_found_and_put_back(
    lists: tuple[RedisStore, redis.Redis], name: str
) -> None:
    store, client = lists
    client.delete(f"sc:{name}")
    listed = name.partition(":")[0]
    assert await found(store) == [(DANGER, "row_differs", (f"list {listed}",))]
    await rebuild(store, KEYS)
    assert await found(store) == []
    assert await queued(store) == [DANGER]


@pytest.mark.redis
async def test_a_session_taken_off_what_is_due_is_found_and_paged_again(
    lists: tuple[RedisStore, redis.Redis],
) -> None:
    store, client = lists
    tiers = cast("list[str]", client.zrange("sc:due", 0, -1))
    for names in (["sc:due"], [f"sc:due:{tier}" for tier in tiers]):
        client.delete(*names)
        now = SystemClock().now_ms() + 1_000
        assert await store.lease_due(now, now + 15_000, 5) == []
        assert await found(store) == [(DANGER, "row_differs", ("list due",))]
        await rebuild(store, KEYS)
        assert await found(store) == []
        leased = await store.lease_due(now, now + 15_000, 5)
        assert [one.session_id for one in leased] == [DANGER]


@pytest.mark.redis
async def test_a_session_in_no_list_at_all_is_missed_and_listed_again(
    lists: tuple[RedisStore, redis.Redis],
) -> None:
    store, client = lists
    names = cast("list[str]", client.keys("sc:*:row"))
    client.delete("sc:newest", "sc:newest:north", "sc:queue", "sc:queue:north", *names)
    assert {fault for _, fault, _ in await found(store)} == {"unlisted"}
    done = await rebuild(store, KEYS)
    assert (len(done.mended), done.left) == (4, [])
    assert await found(store) == []
    assert await queued(store) == [DANGER]


@pytest.mark.redis
async def test_a_broken_log_makes_no_row(lists: tuple[RedisStore, redis.Redis]) -> None:
    store, client = lists
    client.xdel("sc:{ses_1}:log", "2-0")
    done = await rebuild(store, KEYS)
    assert [(one.session_id, one.fault) for one in done.left] == [("ses_1", "broken")]


async def test_looking_through_a_file_waits_for_nobody_who_writes(tmp_path: Path) -> None:
    path = tmp_path / "secondchair.db"
    store = SqliteStore(path)
    await in_danger(store)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        async with asyncio.timeout(5):
            assert await found(store) == []
    await store.close()
