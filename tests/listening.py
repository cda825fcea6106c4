"""Listening to the service's streams in tests: who listens, what is heard, a store that counts."""

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

import httpx

from service import streams
from service.auth import Caller
from service.stores.memory import MemoryStore
from service.stores.port import Envelope, RowPage, RowQuery, StoredRow, StoreUnavailable
from tests.driving import PEOPLE, Town


class Watched(MemoryStore):
    """A store that counts what is read, and whose rows go away when told."""

    reads = 0
    lists = 0
    away = False

    def __init__(self) -> None:
        super().__init__()
        self.looked_at: list[str] = []
        """Whose row was read, in order."""
        self.given: list[int] = []
        """How many envelopes each reading gave."""

    async def somebody_waits(self) -> None:
        """Wait until somebody waits for a change, whatever it is about."""
        while True:
            if self._waker._waiting.get(""):  # pyright: ignore[reportPrivateUsage]
                return
            await asyncio.sleep(0.01)

    async def rows(self, query: RowQuery) -> RowPage:
        """Count and read."""
        self.lists += 1
        return await super().rows(query)

    async def read(self, session_id: str, after: int = 0) -> Sequence[Envelope]:
        """Count and read."""
        self.reads += 1
        found = await super().read(session_id, after)
        self.given.append(len(found))
        return found

    async def row(self, session_id: str) -> StoredRow | None:
        """Give a row unless it is away."""
        self.looked_at.append(session_id)
        if self.away:
            raise StoreUnavailable("row")
        return await super().row(session_id)


def listener(here: Town, who: str) -> streams.Listener:
    """Give somebody who has just opened a stream."""
    now_ms, via = here.clock.now_ms(), f"key:{here.prefix(who)}"
    caller = Caller(who, *PEOPLE[who], via)
    return streams.Listener(here.house, caller, f"Bearer {here.keys[who]}", now_ms, now_ms)


async def heard(stream: AsyncGenerator, count: int) -> list[tuple[str, dict]]:
    """Take so many events off a stream."""
    found = []
    async with asyncio.timeout(5), aclosing(stream) as told:
        async for one in told:
            found.append((one.event, {**json.loads(one.data), "last": one.id}))
            if len(found) == count:
                break
    return found


async def listens(here: Town, who: str, path: str = "/v1/stream") -> asyncio.Task[httpx.Response]:
    """Open a stream over HTTP; its answer is there once the stream has ended."""
    waiting = asyncio.create_task(here.call(who, "GET", path))
    await asyncio.sleep(0.05)
    return waiting


async def opened(here: Town, session: str, who: str = "app") -> asyncio.Task[httpx.Response]:
    """Open a session's stream."""
    return await listens(here, who, f"/v1/sessions/{session}/stream")


async def outlast(here: Town, session: str = "") -> None:
    """Let so much time go by that streams end, and wake a session's, or the consoles'."""
    here.clock.tick(streams._LONGEST_MS)  # pyright: ignore[reportPrivateUsage]
    if session:
        await here.claim("ada", session)
    else:
        await here.open()


async def ended(waiting: asyncio.Task[httpx.Response]) -> str:
    """Give all that a stream said, once it has ended."""
    async with asyncio.timeout(5):
        answer = await waiting
    assert answer.status_code == 200
    return answer.text
