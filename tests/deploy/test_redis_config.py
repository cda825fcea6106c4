"""The shipped Redis configuration, in a real Redis: durable, bounded, and without a way to lose."""

import asyncio
import contextlib
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from click.testing import CliRunner

from service.cli import cli
from service.stores.port import Document
from service.stores.redis import RedisStore
from service.stores.sqlite import SqliteStore
from tests.ports import free_port

DEPLOY = Path(__file__).parents[2] / "deploy"
pytestmark = [
    pytest.mark.redis,
    pytest.mark.usefixtures("redis_program", "openssl"),
]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., tuple[subprocess.Popen[bytes], redis.Redis]]]:
    shutil.copy(DEPLOY / "secrets" / "make.sh", tmp_path)
    subprocess.run(["sh", tmp_path / "make.sh"], check=True, capture_output=True)
    port = free_port()
    url = (tmp_path / "store_url").read_text().replace("redis:6379", f"127.0.0.1:{port}")
    running: list[subprocess.Popen[bytes]] = []
    open_clients: list[redis.Redis] = []

    def once(*more: str) -> tuple[subprocess.Popen[bytes], redis.Redis]:
        server = subprocess.Popen(
            [
                "redis-server",
                DEPLOY / "redis" / "redis.conf",
                *("--port", str(port), "--dir", str(tmp_path), "--bind", "127.0.0.1"),
                *("--aclfile", str(tmp_path / "redis_acl"), *more),
            ],
            stdout=subprocess.DEVNULL,
        )
        running.append(server)
        client = redis.Redis.from_url(url)
        open_clients.append(client)
        for _ in range(200):
            try:
                client.ping()
            except redis.ConnectionError:
                time.sleep(0.05)
            else:
                return server, client
        raise AssertionError("redis did not start")

    yield once
    for client in open_clients:
        client.close()
    for server in running:
        server.kill()
        server.wait()


def test_what_was_answered_survives_a_kill(start):
    server, client = start()
    assert client.info("persistence")["aof_enabled"] == 1
    for number in range(50):
        client.xadd("{ses_1}:log", {"n": number})
    server.send_signal(signal.SIGKILL)
    server.wait()
    _, client = start()
    assert client.xlen("{ses_1}:log") == 50


def test_the_service_can_do_its_work_and_nothing_that_loses_it(start):
    _, client = start()
    client.eval("return redis.call('SET', KEYS[1], ARGV[1])", 1, "{ses_1}:row", "x")
    assert list(client.scan_iter("*")) == [b"{ses_1}:row"]
    # Erasing must leave no byte of a key in the file, so rewriting it is part of the work.
    client.execute_command("BGREWRITEAOF")
    for forbidden in ("FLUSHALL", "FLUSHDB", "CONFIG GET dir", "SHUTDOWN", "KEYS *"):
        with pytest.raises(redis.exceptions.NoPermissionError):
            client.execute_command(*forbidden.split())


def test_an_operator_sees_what_is_slow_and_no_word_of_anybody(start, tmp_path):
    _, client = start()
    client.set("{ses_1}:row", "x")
    port = client.connection_pool.connection_kwargs["port"]
    password = (tmp_path / "redis_operator").read_text()
    with redis.Redis(port=port, username="operator", password=password) as person:
        # Every command that the runbook and operations.md ask of people.
        for allowed in ("SLOWLOG GET", "LATENCY LATEST", "INFO persistence", "INFO memory"):
            person.execute_command(*allowed.split())
        for forbidden in (
            "GET {ses_1}:row", "KEYS *", "SCAN 0", "FLUSHALL", "SHUTDOWN",
            "CONFIG SET appendonly no", "ACL LIST", "MONITOR", "SUBSCRIBE sc:changed", "EVAL x 0",
        ):  # fmt: skip
            with pytest.raises(redis.exceptions.NoPermissionError):
                person.execute_command(*forbidden.split())


def test_a_copy_between_two_rewrites_is_whole_whatever_is_written_meanwhile(start, tmp_path):
    """The back-up of docs/operations.md: a copy counts when the manifest did not change."""
    server, client = start()
    live, backup = tmp_path / "appendonlydir", tmp_path / "backup"

    def manifest() -> str:
        # The file itself: a new one lies beside it for a moment, and then takes its place.
        return (live / "appendonly.aof.manifest").read_text()

    ended = threading.Event()
    written = 0

    def write() -> None:
        nonlocal written
        while not ended.is_set():
            client.xadd("{ses_1}:log", {"n": written})
            written += 1
            if written == 200:
                client.execute_command("BGREWRITEAOF")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        while written < 150:
            time.sleep(0.01)
        while True:
            before, there = manifest(), written
            shutil.rmtree(backup, ignore_errors=True)
            with contextlib.suppress(shutil.Error):
                shutil.copytree(live, backup)
                if before == manifest() and there > 400:
                    break
    finally:
        ended.set()
        writer.join()
    client.close()
    server.kill()
    server.wait()
    shutil.rmtree(live)
    shutil.copytree(backup, live)
    _, client = start()
    assert there <= client.xlen("{ses_1}:log") <= written


def test_nobody_comes_in_without_the_password(start):
    _, client = start()
    port = client.connection_pool.connection_kwargs["port"]
    with (
        redis.Redis(port=port) as stranger,
        pytest.raises(redis.exceptions.AuthenticationError),
    ):
        stranger.get("{ses_1}:row")


def test_another_store_is_copied_in_with_the_address_in_the_secret_file(start, tmp_path):
    _, client = start()
    port = client.connection_pool.connection_kwargs["port"]
    address = (tmp_path / "store_url").read_text().replace("redis:6379", f"127.0.0.1:{port}")
    (tmp_path / "address").write_text(address)
    source = SqliteStore(tmp_path / "old.db")
    asyncio.run(source.put_document("api_key", Document("k1", 1, b"v1")))
    asyncio.run(source.close())
    told = CliRunner().invoke(
        cli, ["store", "copy", f"sqlite:///{tmp_path / 'old.db'}", f"@{tmp_path / 'address'}"]
    )
    assert told.exit_code == 0, told.output
    assert "1 documents" in told.output
    assert "both hold the same" in told.output


def test_the_service_sees_how_full_its_store_is(start, tmp_path):
    with (tmp_path / "redis_acl").open("a") as users:
        users.write("user mute on nopass ~* &* +@all -info\n")
    _, client = start("--maxmemory", "20mb")
    port = client.connection_pool.connection_kwargs["port"]
    address = (tmp_path / "store_url").read_text().replace("redis:6379", f"127.0.0.1:{port}")

    async def used(address: str = address) -> float | None:
        store = RedisStore(address)
        try:
            return await store.used_ratio()
        finally:
            await store.close()

    before = asyncio.run(used())
    assert before is not None
    assert 0 < before < 0.7
    for _ in range(80):
        client.xadd("{ses_1}:log", {"sealed": "x" * 100_000})
    assert before + 0.3 < asyncio.run(used()) < 1
    # One that tells nothing of itself, as some do that are rented, leaves everything else working.
    assert asyncio.run(used(f"redis://mute@127.0.0.1:{port}/0")) is None


def test_a_full_store_refuses_and_forgets_nothing(start):
    written = (DEPLOY / "redis" / "redis.conf").read_text().splitlines()
    assert {"appendonly yes", "appendfsync always", "maxmemory-policy noeviction"} <= set(written)
    server, client = start()
    assert client.info("memory")["maxmemory"] == 3 * 2**30
    server.kill()
    server.wait()
    _, client = start("--maxmemory", "5mb")
    line, kept = {"sealed": "x" * 100_000}, 0
    with contextlib.suppress(redis.exceptions.OutOfMemoryError):
        while kept < 100:
            client.xadd("{ses_1}:log", line)
            kept += 1
    assert 0 < kept < 100
    with pytest.raises(redis.exceptions.OutOfMemoryError):
        client.xadd("{ses_1}:log", line)
    assert client.xlen("{ses_1}:log") == kept
