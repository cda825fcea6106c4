"""An entry in a Redis list that no session's row names: whoever meets it drops it and goes on."""

from collections.abc import AsyncIterator
from typing import cast

import pytest
import redis

from safety.risk import RiskLevel
from service.ids import SystemClock
from service.stores.copying import every_row
from service.stores.port import Fence, Order, RowQuery
from service.stores.redis import RedisStore
from tests.contract.making import NOW, append, opened, row, waiting, wish
from tests.contract.redis_server import RedisServer
from tests.contract.test_rebuilding import DANGER, found, in_danger, queued
from tests.contract.test_tampering import fill

pytestmark = pytest.mark.redis
_NOBODY = "ses_none"
Kept = tuple[RedisStore, redis.Redis]


@pytest.fixture
async def kept(empty_redis: RedisServer) -> AsyncIterator[Kept]:
    """An empty Redis, and a way past the service."""
    store = RedisStore(empty_redis.url)
    with redis.Redis(port=empty_redis.port, decode_responses=True) as client:
        yield store, client
    await store.close()


def members(client: redis.Redis, name: str) -> list[str]:
    """What stands in a sorted set, in order."""
    return cast("list[str]", client.zrange(name, 0, -1))


async def test_what_is_due_by_no_row_is_dropped_and_who_stands_twice_is_leased_once(
    kept: Kept,
) -> None:
    store, client = kept
    await in_danger(store)
    tiers = members(client, "sc:due")
    client.zadd("sc:due", {"99": 99})
    client.zadd("sc:due:99", {_NOBODY: 1, DANGER: 1, "ses_1": 1})
    now = SystemClock().now_ms() + 1_000
    leased = await store.lease_due(now, now + 15_000, 5)
    assert [one.session_id for one in leased] == [DANGER]
    assert await store.lease_due(now, now + 15_000, 5) == []
    assert members(client, "sc:due") == tiers
    assert not client.exists("sc:due:99", f"sc:{{{_NOBODY}}}:row")
    assert await store.next_due_ms() == now + 15_000
    assert await found(store) == []


async def test_a_turn_that_no_row_put_aside_is_dropped(kept: Kept) -> None:
    store, client = kept
    await in_danger(store)
    client.zadd("sc:aside", {"99": 99})
    client.zadd("sc:aside:99", {_NOBODY: 1, DANGER: 1})
    now = SystemClock().now_ms() + 1_000
    assert await store.lease_due(now, now + 15_000, 5, aside=True) == []
    assert not client.exists("sc:aside", "sc:aside:99")


async def test_a_queue_shows_nobody_twice_and_nobody_who_is_not_there(kept: Kept) -> None:
    store, client = kept
    await in_danger(store)
    (right,) = members(client, "sc:queue")
    earlier = "0" + right[1:]
    assert earlier < right
    client.zadd("sc:queue", {earlier: 0, right.replace(DANGER, _NOBODY): 0, _NOBODY: 0})
    assert await queued(store) == [DANGER]
    assert members(client, "sc:queue") == [right]


@pytest.mark.parametrize("risk", [None, RiskLevel.LOW])
@pytest.mark.parametrize("order", ["queue", "alerts", "newest"])
async def test_a_page_that_loses_strays_is_whole_and_is_followed_by_the_next(
    kept: Kept, order: Order, risk: RiskLevel | None
) -> None:
    store, client = kept
    for number in range(9):
        changes = {"created_at_ms": NOW + number, "risk": RiskLevel.LOW, "alert_id": "alr_1"}
        await store.append(opened(waiting(f"ses_{number}", NOW + number, **changes)))
    right = members(client, f"sc:{order}")
    client.zadd(f"sc:{order}", {one.replace("ses_", "ses_x"): 0 for one in right})
    query, seen = RowQuery(order, risk=risk, limit=4), list[str]()
    for length in (4, 4, 1):
        page = await store.rows(query)
        assert len(page.items) == length
        seen += [one.row.session_id for one in page.items]
        query = RowQuery(order, risk=risk, limit=4, after=page.next_after)
    assert query.after is None
    assert sorted(seen) == [f"ses_{number}" for number in range(9)]
    assert members(client, f"sc:{order}") == right
    assert page.total == 9


async def test_a_stray_in_another_teams_list_shows_that_team_nothing(kept: Kept) -> None:
    store, client = kept
    await store.append(opened(waiting("ses_a")))
    client.zadd("sc:queue:south", {members(client, "sc:queue:north")[0]: 0})
    assert (await store.rows(RowQuery("queue", team="south"))).items == []
    assert not client.exists("sc:queue:south")
    assert await queued(store) == ["ses_a"]


async def test_a_session_behind_many_strays_is_still_walked_over(kept: Kept) -> None:
    store, client = kept
    await fill(store)
    rows = {row.session_id async for row in every_row(store)}
    client.zadd("sc:newest", {f"{0:015d}ses_x{number:04d}\0" + "0-o": 0 for number in range(1_500)})
    assert {row.session_id async for row in every_row(store)} == rows
    assert client.zcard("sc:newest") == len(rows) == 4
    assert await found(store) == []


async def of_anna(store: RedisStore) -> list[str]:
    page = await store.rows(RowQuery("queue", person="anna", now_ms=NOW))
    return [one.row.session_id for one in page.items]


async def test_what_waits_for_nobody_is_not_kept_by_person_and_claimed_only_while_it_is(
    kept: Kept,
) -> None:
    store, client = kept
    for name in "abc":
        await store.append(opened(waiting(name, assigned_to="anna")))
    assert client.smembers("sc:person:anna") == {"a", "b", "c"}
    mine, hers = await store.claim(wish("anna", "a")), await store.claim(wish("anna", "b"))
    for name in "abc":
        closed = row(name, 2, status="closed", assigned_to="anna")
        await store.append(append(name, after=1, row=closed))
    assert client.smembers("sc:person:anna") == {"a", "b"}
    await store.release_claim("a", Fence("anna", mine.number))
    await store.claim(wish("berta", "b", take_over=True))
    assert (hers.holder, client.exists("sc:person:anna")) == ("anna", 0)
    assert client.smembers("sc:person:berta") == {"b"}


async def test_what_an_earlier_build_kept_by_person_is_dropped_and_comes_back_to_the_queue(
    kept: Kept,
) -> None:
    store, client = kept
    await store.append(opened(waiting("waits", assigned_to="anna")))
    for name in ("closed", "moves"):
        await store.append(opened(row(name, assigned_to="anna")))
        client.sadd("sc:person:anna", name)
        assert await store.misplaced(row(name, assigned_to="anna")) == []
    await store.append(append("moves", after=1, row=row("moves", 2, assigned_to="anna")))
    assert client.smembers("sc:person:anna") == {"waits", "closed"}
    assert await of_anna(store) == ["waits"]
    assert client.smembers("sc:person:anna") == {"waits"}
    again = waiting("closed", seq=2, assigned_to="anna")
    await store.append(append("closed", after=1, row=again))
    assert await of_anna(store) == ["closed", "waits"]


async def test_what_waits_and_is_missing_by_person_is_found_and_put_back(kept: Kept) -> None:
    store, client = kept
    waits = waiting("waits", assigned_to="anna")
    await store.append(opened(waits))
    client.delete("sc:person:anna")
    assert await store.misplaced(waits) == ["person"]
    client.sadd("sc:person:anna", "closed")
    closed = row("closed", assigned_to="anna")
    await store.append(opened(closed))
    for one in (waits, closed):
        await store.mend(one)
    assert client.smembers("sc:person:anna") == {"waits"}
    assert await store.misplaced(waits) == []
