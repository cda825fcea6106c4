"""Which keys there are in Redis, which of them end, and where a cluster or a sentinel puts them."""

import asyncio
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from service.stores.copying import differences
from service.stores.memory import MemoryStore
from service.stores.port import Append, ClaimWish, Document, RowQuery
from service.stores.redis import RedisStore
from tests.conftest import Require
from tests.contract.making import NOW, answer, append, opened, row, waiting
from tests.contract.redis_server import RedisServer
from tests.contract.test_erasure import WORDS
from tests.contract.test_erasure_everywhere import tell
from tests.driving import town
from tests.ports import free_port

pytestmark = pytest.mark.redis
DOCS = Path(__file__).resolve().parents[2] / "docs/stores.md"
_START_S = 60.0
_AT_ONCE = 200
"""More than a process has connections."""
_INFO = "CLUSTER INFO"


def patterns() -> list[re.Pattern[str]]:
    """The keys that docs/stores.md lists, as patterns."""
    listed = re.findall(r"^\| `(sc:[^`]+)` \|", DOCS.read_text("utf-8"), re.MULTILINE)
    assert listed
    return [re.compile(re.sub(r"[A-Z_]{2,}", "[^:]+", re.escape(one))) for one in listed]


async def test_every_key_is_listed_none_names_a_client_and_only_answers_end(
    empty_redis: RedisServer,
) -> None:
    token = "Zqsomebody"
    async with town(RedisStore(empty_redis.url)) as here:
        session = await tell(here, token)
        other = await here.drafted()
        await here.call("sue", "DELETE", f"/v1/sessions/{session}")
        await here.call("ada", "POST", f"/v1/sessions/{other}/assign", {"to": "ben"})
        await here.say(other, "[moderate]")
        with redis.Redis(port=empty_redis.port, decode_responses=True) as client:
            keys = sorted(client.scan_iter("*"))
            ending = {key for key in keys if client.ttl(key) != -1}
    known = patterns()
    assert [key for key in keys if not any(one.fullmatch(key) for one in known)] == []
    assert not any(token in key for key in keys)
    assert ending
    assert all(key.startswith("sc:answer:") for key in ending)


async def test_an_erased_session_leaves_its_log_and_row_and_no_other_key(
    empty_redis: RedisServer,
) -> None:
    async with town(RedisStore(empty_redis.url)) as here:
        session = await tell(here, "Zqsomebody")
        await here.call("sue", "DELETE", f"/v1/sessions/{session}")
        with redis.Redis(port=empty_redis.port, decode_responses=True) as client:
            own = set(client.scan_iter(f"sc:{{{session}}}:*"))
            assert own == {f"sc:{{{session}}}:log", f"sc:{{{session}}}:row"}


@pytest.fixture
def one_shard(require: Require, tmp_path: Path) -> Iterator[str]:
    """A Redis in cluster mode that holds every slot: what a cluster demands of our scripts."""
    server = RedisServer(require("redis-server"), tmp_path, more={"--cluster-enabled": "yes"})
    server.start()
    try:
        with redis.Redis(port=server.port) as client:
            client.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
            until(lambda: re.search(r"cluster_state\W+ok", str(client.execute_command(_INFO))))
        yield server.url
    finally:
        server.stop()


def until(holds: Callable[[], object]) -> None:
    """Wait for what another process is about to do."""
    deadline = time.monotonic() + _START_S
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


async def test_with_a_hash_tag_for_a_prefix_everything_lives_in_one_slot_of_a_cluster(
    one_shard: str,
) -> None:
    store, same = RedisStore(one_shard, prefix="{sc}"), MemoryStore()
    later = time.time_ns() // 10**6 + 10**7
    for one in (store, same):
        await one.append(append("ses_a", answer=answer("a1", later)))
        await one.append(_sealed("ses_b"))
        await one.claim(ClaimWish("ses_a", "ada", NOW, NOW + 60_000))
        await one.put_document("api_key", Document("k", 1, b"x"))
        await one.lease_due(NOW + 10**6, NOW + 2 * 10**6, 10)
    assert await differences(same, store) == ()
    with redis.Redis.from_url(one_shard) as client:
        slots = {client.execute_command("CLUSTER", "KEYSLOT", key) for key in client.keys("*")}
    assert len(slots) == 1
    await store.close()


@pytest.fixture
def watched(require: Require, empty_redis: RedisServer, tmp_path: Path) -> Iterator[str]:
    """A sentinel that watches the server; gives the store's address."""
    port = free_port()
    config = tmp_path / "sentinel.conf"
    config.write_text(
        f"port {port}\nbind 127.0.0.1\ndir {tmp_path}\n"
        f"sentinel monitor primary 127.0.0.1 {empty_redis.port} 1\n"
    )
    process = subprocess.Popen(
        [require("redis-server"), str(config), "--sentinel"], stdout=subprocess.DEVNULL
    )
    try:
        with redis.Redis(port=port) as client:
            until(lambda: answers(client))
        yield f"sentinel://127.0.0.1:{port}/primary"
    finally:
        process.terminate()
        process.wait()


def answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


async def test_a_sentinel_says_where_the_primary_is(watched: str) -> None:
    store = RedisStore(watched)
    await store.append(_sealed("ses_s"))
    assert len(await store.read("ses_s")) == 1
    assert WORDS.encode() not in (await store.read("ses_s"))[0].sealed
    await store.close()


async def test_behind_a_sentinel_many_at_once_only_wait_for_their_turn(watched: str) -> None:
    store = RedisStore(watched)
    await store.append(_sealed("ses_s"))
    async with asyncio.TaskGroup() as tasks:
        heard = tasks.create_task(store.changed(0, 10.0))
        read = [tasks.create_task(store.read("ses_s")) for _ in range(_AT_ONCE)]
        leased = [tasks.create_task(store.lease_due(NOW, NOW + 1, 1)) for _ in range(_AT_ONCE)]
    assert [len(one.result()) for one in read] == [1] * _AT_ONCE
    assert (len(leased), heard.result()) == (_AT_ONCE, 1)
    await store.close()


async def test_signs_in_a_name_or_password_are_written_in_a_sentinels_address_as_in_any(
    watched: str, empty_redis: RedisServer
) -> None:
    store = RedisStore(watched.replace("://", "://a%3Aname:p%40s%2Fs@"))
    with redis.Redis(port=empty_redis.port) as client:
        client.acl_setuser("a:name", enabled=True, passwords=["+p@s/s"], reset=True, keys=["*"],
            channels=["*"], categories=["+@all"])  # fmt: skip
        try:
            await store.ping()
        finally:
            client.acl_deluser("a:name")
            await store.close()


async def test_a_claim_that_ended_by_itself_leaves_the_persons_set(
    empty_redis: RedisServer,
) -> None:
    store, hour = RedisStore(empty_redis.url), 3_600_000
    for number in range(5):
        assigned = "ada" if number == 0 else None
        await store.append(opened(waiting(f"ses_{number}", assigned_to=assigned)))
        await store.claim(ClaimWish(f"ses_{number}", "ada", NOW, NOW + 1_000 * number + 1))

    async def of_ada(now_ms: int) -> tuple[list[str], set[str]]:
        page = await store.rows(RowQuery("queue", person="ada", now_ms=now_ms))
        with redis.Redis(port=empty_redis.port, decode_responses=True) as client:
            return [one.row.session_id for one in page.items], client.smembers("sc:person:ada")

    everybody = {f"ses_{number}" for number in range(5)}
    assert await of_ada(NOW + 3_500) == (["ses_0", "ses_4"], everybody)
    assert await of_ada(NOW + 3_500 + hour) == (["ses_0"], {"ses_0", "ses_4"})
    await store.claim(ClaimWish("ses_2", "ada", NOW + 2 * hour, NOW + 3 * hour))
    assert await of_ada(NOW + 2 * hour) == (["ses_0", "ses_2"], {"ses_0", "ses_2"})
    await store.close()


def _sealed(session_id: str) -> Append:
    made = append(session_id)
    return Append(session_id, 0, made.envelopes, row(session_id), wrapped_key=b"wrapped")
