"""A filtered list of many sessions keeps nobody else waiting for Redis."""

import asyncio

import pytest
import redis

from service.stores.port import RowQuery
from service.stores.redis import RedisStore
from tests.contract.making import NOW, opened, row
from tests.contract.redis_server import RedisServer

pytestmark = pytest.mark.redis
_MANY, _STEP = 2_300, 1_000


def steps(client: redis.Redis) -> int:
    """How many scripts were run since the last look."""
    told = client.info("commandstats")
    client.config_resetstat()
    return sum(one["calls"] for name, one in told.items() if name == "cmdstat_evalsha")


async def test_a_filter_goes_through_a_long_list_in_steps_and_misses_nothing(
    empty_redis: RedisServer,
) -> None:
    store = RedisStore(empty_redis.url)
    for start in range(0, _MANY, 100):
        made = [
            row(f"ses_{number:04d}", created_at_ms=NOW - number,
                status="crisis" if number % 1_000 == 999 else "open")
            for number in range(start, start + 100)
        ]  # fmt: skip
        await asyncio.gather(*(store.append(opened(one)) for one in made))
    with redis.Redis(port=empty_redis.port) as client:
        await store.rows(RowQuery("newest", limit=1))
        steps(client)
        first = await store.rows(RowQuery("newest", status="crisis", limit=1))
        assert steps(client) == -(-_MANY // _STEP)
        second = await store.rows(
            RowQuery("newest", status="crisis", limit=1, after=first.next_after)
        )
        found = [one.row.session_id for one in (*first.items, *second.items)]
        assert found == ["ses_0999", "ses_1999"]
        assert (first.total, second.total, second.next_after) == (2, 2, None)
        steps(client)
        page = await store.rows(RowQuery("newest", status="open", counted=False))
        assert (len(page.items), page.total, steps(client)) == (50, 0, 1)
    await store.close()
