"""Whoever waits for news from Redis hears of every change, whatever the line does."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator

import pytest

from service.stores.redis import RedisStore
from tests.contract.making import append
from tests.contract.redis_server import RedisServer

pytestmark = pytest.mark.redis


async def test_what_is_said_before_redis_listens_for_us_wakes_whoever_waits(
    empty_redis: RedisServer,
) -> None:
    store, server = RedisStore(empty_redis.url), empty_redis.process
    assert server is not None
    await store.ping()
    server.send_signal(signal.SIGSTOP)
    try:
        with socket.create_connection((empty_redis.host, empty_redis.port)) as other:
            other.sendall(b"PUBLISH sc:changed x\r\n")
            heard = asyncio.create_task(store.changed(0, 10.0))
            await asyncio.sleep(0.5)
            assert not heard.done()
            server.send_signal(signal.SIGCONT)
            assert await heard >= 1
    finally:
        server.send_signal(signal.SIGCONT)
        await store.close()


async def test_an_earlier_builds_news_that_names_no_session_wakes_everybody(
    empty_redis: RedisServer,
) -> None:
    store = RedisStore(empty_redis.url)
    mark = await store.changed(await store.changed(0, 10.0), 0.3)
    heard = asyncio.create_task(store.changed(mark, 10.0, "ses_a"))
    with socket.create_connection((empty_redis.host, empty_redis.port)) as other:
        other.sendall(b'PUBLISH sc:changed ""\r\n')
        assert await heard > mark
    await store.close()


async def test_who_stops_listening_while_it_begins_to_is_let_go(empty_redis: RedisServer) -> None:
    async def closes(after_s: float) -> None:
        store = RedisStore(empty_redis.url)
        waiting = asyncio.create_task(store.changed(0, 20.0))
        await asyncio.sleep(after_s)
        waiting.cancel()
        await store.close()

    for _ in range(6):
        async with asyncio.timeout(10.0), asyncio.TaskGroup() as tasks:
            for number in range(50):
                tasks.create_task(closes(number * 0.0012))


async def test_who_is_told_to_end_in_the_middle_of_a_command_ends(empty_redis: RedisServer) -> None:
    store = RedisStore(empty_redis.url)

    async def works() -> None:
        while True:
            await store.ping()

    for number in range(300):
        working = asyncio.create_task(works())
        await asyncio.sleep(number * 0.00001)
        working.cancel()
        ended, _ = await asyncio.wait({working}, timeout=5.0)
        assert ended
        assert working.cancelled()
    await store.close()


class Line:
    """A line to a server that can go dead under whoever talks: nothing passes, nobody hangs up."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._passing: list[asyncio.Task[None]] = []
        self._ends: list[asyncio.StreamWriter] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._port)
        self._ends += [writer, back]
        for one, other in ((reader, back), (there, writer)):
            self._passing.append(asyncio.create_task(self._pass(one, other)))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while words := await reader.read(65_536):
            writer.write(words)
            await writer.drain()
        writer.close()

    def go_dead(self) -> None:
        """Let nothing more pass on the lines there are; new ones are whole."""
        for one in self._passing:
            one.cancel()

    def hang_up(self) -> None:
        """End everything."""
        self.go_dead()
        for one in self._ends:
            one.close()


@pytest.fixture
async def line(empty_redis: RedisServer) -> AsyncIterator[tuple[Line, str]]:
    """A line to the server, and the address of its near end."""
    made = Line(empty_redis.port)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    yield made, f"redis://127.0.0.1:{port}/0"
    server.close()
    made.hang_up()
    await asyncio.sleep(0)


async def test_who_listens_on_a_line_that_went_dead_calls_again(
    empty_redis: RedisServer, line: tuple[Line, str]
) -> None:
    listener, writer = RedisStore(line[1]), RedisStore(empty_redis.url)
    mark = await listener.changed(0, 10.0)
    assert await listener.changed(mark, 3.0) == mark
    line[0].go_dead()
    await writer.append(append("ses_a"))
    mark = await listener.changed(mark, 20.0)
    assert mark == 2
    await writer.append(append("ses_b"))
    assert await listener.changed(mark, 20.0) == 3
    await listener.close()
    await writer.close()
