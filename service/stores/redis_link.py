"""The only file that speaks to Redis: connections, scripts, wake-ups, errors in our words."""
# The client's stubs leave ``**kwargs`` untyped; what comes back is given its type where it is read.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

import asyncio
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, nullcontext, suppress
from importlib.resources import files
from typing import Any, Literal, NamedTuple
from urllib.parse import unquote, urlsplit

import redis.asyncio
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff
from redis.commands.core import AsyncScript
from redis.exceptions import RedisError, ResponseError

from service.stores.port import StoreUnavailable
from service.stores.waking import Waker
from service.telemetry.log import LogEvent, log_line

_CONNECTIONS = 64
"""Most commands of one process at once, each on a connection; more only wait for their turn."""
_ANSWER_TIMEOUT_S = 5.0
_CONNECT_TIMEOUT_S = 2.0
_LISTEN_S = 1.0
_PAUSE_S = 0.2
"""How long to wait before listening again to a Redis that went away."""

_SCANNED = 1_000
"""Keys looked at in one step of a walk over all: nobody's command waits for more."""

Word = str | bytes | int
Begun = Literal["begun", "waits", "failed"]
"""Of a rewrite that was asked for; one waits while an earlier one runs."""


class Rewrites(NamedTuple):
    """How rewrites of the append-only file stand."""

    run: bytes
    """Which start of which server tells it; empty when it does not say."""
    busy: bool
    well: bool
    """Whether the last one that ended did what it should."""


class Link:
    """Runs commands and scripts; raises `StoreUnavailable` when the world is at fault."""

    def __init__(self, url: str, prefix: str) -> None:
        self.prefix = prefix
        self._client, self._watchers = _client(url)
        self._scripts: Mapping[str, AsyncScript] = {
            name: self._client.register_script(text) for name, text in _scripts().items()
        }
        self._turns = asyncio.Semaphore(_CONNECTIONS)
        self._waker = Waker()
        self._listening: asyncio.Task[None] | None = None

    def session_key(self, session_id: str, what: str) -> str:
        """Give the name of one of a session's own keys; they share a hash slot."""
        return f"{self.prefix}:{{{session_id}}}:{what}"

    async def command(self, *words: Word) -> Any:
        """Run one command."""
        try:
            return await self._ask(*words)
        except ResponseError as error:
            raise StoreUnavailable(type(error).__name__) from error

    async def script(self, name: str, keys: Sequence[str], *words: Word) -> Any:
        """Run one of the scripts beside this file, atomically."""
        try:
            async with self._turn():
                return await self._scripts[name](keys=list(keys), args=[self.prefix, *words])
        except ResponseError as error:
            raise StoreUnavailable(type(error).__name__) from error

    async def sessions(self) -> list[str]:
        """Give every session with a log, by the names of the keys; walks over all there are."""
        before, after = self.session_key("\n", "log").split("\n")
        cursor, found = 0, set[str]()
        while True:
            words = (cursor, "MATCH", f"{before}*{after}", "COUNT", _SCANNED)
            cursor, keys = await self.command("SCAN", *words)
            found |= {one.decode().removeprefix(before).removesuffix(after) for one in keys}
            if int(cursor) == 0:
                return sorted(found)

    async def rewrite(self) -> Begun:
        """Ask for a rewrite of the append-only file."""
        try:
            await self._ask("BGREWRITEAOF")
        except ResponseError as error:
            return "waits" if "already in progress" in str(error) else _refused(error)
        return "begun"

    async def rewrites(self) -> Rewrites:
        """Give how rewrites stand; one that is to begin soon counts as running."""
        try:
            told = await self._ask("INFO")
        except ResponseError as error:
            _refused(error)
            return Rewrites(b"", busy=False, well=False)
        busy = told.get("aof_rewrite_in_progress") or told.get("aof_rewrite_scheduled")
        well = told.get("aof_last_bgrewrite_status") == "ok"
        return Rewrites(str(told.get("run_id", "")).encode(), bool(busy), well)

    async def used_ratio(self) -> float | None:
        """Give memory in use over the most there may be; None without such a bound."""
        try:
            told = await self._ask("INFO", "memory")
        except ResponseError:
            return None  # Some that are rented say nothing of themselves.
        most = int(told.get("maxmemory", 0))
        return int(told["used_memory"]) / most if most else None

    async def changed(self, seen: int, timeout_s: float, about: str) -> int:
        """Wait for a wake-up after ``seen``."""
        if self._listening is None or self._listening.done():
            self._listening = asyncio.create_task(self._listen())
        return await self._waker.changed(seen, timeout_s, about)

    async def close(self) -> None:
        """Stop listening and let go of the connections."""
        if self._listening is not None:
            self._listening.cancel()
            with suppress(asyncio.CancelledError):
                await self._listening
        for one in (self._client, *self._watchers):
            with suppress(RedisError, OSError):
                await one.aclose()

    async def _ask(self, *words: Word) -> Any:
        """Run one command. Raises: ResponseError when Redis says no; StoreUnavailable."""
        async with self._turn():
            return await self._client.execute_command(*words)

    @asynccontextmanager
    async def _turn(self) -> AsyncGenerator[None]:
        """Hold one of the connections; the pools have no queue, and a sentinel's just refuses.

        Only for what Redis answers at once: who listens has a connection beside these.
        Raises: ResponseError when Redis says no; StoreUnavailable.
        """
        try:
            waits = asyncio.timeout(_ANSWER_TIMEOUT_S) if self._turns.locked() else nullcontext()
            async with waits:
                await self._turns.acquire()
            try:
                with _heeding_cancellation():
                    yield
            finally:
                self._turns.release()
        except ResponseError:
            raise
        except (RedisError, OSError, TimeoutError) as error:
            raise StoreUnavailable(type(error).__name__) from error

    async def _listen(self) -> None:
        while True:
            with suppress(RedisError, OSError, TimeoutError):
                await self._heed()
            await asyncio.sleep(_PAUSE_S)

    async def _heed(self) -> None:
        async with self._client.pubsub() as news:
            with _heeding_cancellation():
                await news.subscribe(f"{self.prefix}:changed")
            silent_s = 0.0
            while silent_s < _ANSWER_TIMEOUT_S:
                told = await news.get_message(timeout=_LISTEN_S)
                if told is None:
                    # A server that is gone says as little as a quiet one; a quiet one answers this.
                    silent_s += _LISTEN_S
                    with _heeding_cancellation():
                        await news.ping()
                    continue
                silent_s = 0.0
                # Redis says first that it listens: what was said before counts as said now, and
                # not a moment earlier, or what came in between would wake nobody.
                if told["type"] == "message":
                    about: Any = told["data"]
                    self._waker.wake(*about.decode().split())
                elif told["type"] != "pong":
                    self._waker.wake()


@contextmanager
def _heeding_cancellation() -> Generator[None]:
    """Raise the cancellation that the client dropped in the block, if it did.

    It sends with `asyncio.wait_for`, which before Python 3.12 forgets one that comes as the send
    ends: a listener would go on for ever, and a process that was told to end would wait for it.
    """
    task = asyncio.current_task()
    asked = task.cancelling() if task else 0
    yield
    if task is not None and task.cancelling() > asked:
        raise asyncio.CancelledError


def _refused(error: ResponseError) -> Begun:
    """Say that this Redis lets us not have its file rewritten; waiting would change nothing."""
    log_line(LogEvent.REWRITE_FAILED, "error", code="refused", error=type(error).__name__)
    return "failed"


def _client(url: str) -> tuple[redis.asyncio.Redis, Sequence[redis.asyncio.Redis]]:
    """Make a client that never repeats a command by itself, and those of its sentinels.

    A write whose answer was lost may have happened: the caller repeats it with its key, and the
    store answers what it answered before.
    """
    parts = urlsplit(url)
    given: dict[str, Any] = {
        "socket_timeout": _ANSWER_TIMEOUT_S,
        "socket_connect_timeout": _CONNECT_TIMEOUT_S,
        "retry": Retry(NoBackoff(), 0),
        # Turns are what limits; this one would refuse instead of letting anybody wait.
        "max_connections": 2 * _CONNECTIONS,
    }
    if parts.scheme != "sentinel":
        return redis.asyncio.Redis.from_url(url, **given), ()
    watchers = [_address(one) for one in parts.netloc.rpartition("@")[2].split(",")]
    sentinel = Sentinel(watchers, socket_timeout=_CONNECT_TIMEOUT_S)
    if parts.password:
        given |= {"username": unquote(parts.username or ""), "password": unquote(parts.password)}
    return sentinel.master_for(parts.path.strip("/"), **given), tuple(sentinel.sentinels)


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.partition(":")
    return host, int(port or 26379)


def _scripts() -> Mapping[str, str]:
    folder = files("service.stores").joinpath("lua")
    texts = {
        one.name.removesuffix(".lua"): one.read_text(encoding="utf-8")
        for one in folder.iterdir()
        if one.name.endswith(".lua")
    }
    shared = texts.pop("shared")
    return {name: f"{shared}\n{text}" for name, text in texts.items()}
