"""Limits that protect everybody from one caller: rate, open streams, request size and time."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.problems import answer, problem
from service.session.refusals import Refused

_KNOWN = 10_000
"""Callers remembered; the oldest is forgotten first and starts with a full allowance."""


@dataclass(slots=True)
class Allowance:
    """A token bucket per caller and process: ``rate`` requests a second, bursts of ``burst``."""

    rate: float = 200.0
    burst: float = 400.0
    _left: dict[str, tuple[float, int]] = field(default_factory=dict[str, tuple[float, int]])

    def left(self, name: str, now_ms: int) -> float:
        """Give how many requests could be made now."""
        left, at_ms = self._left.get(name, (self.burst, now_ms))
        # A clock that was set back owes nobody anything: it must not take what is left.
        return min(self.burst, left + max(0, now_ms - at_ms) / 1000 * self.rate)

    def spend(self, name: str, now_ms: int) -> None:
        """Count one request. Raises: Refused rate_limited."""
        left = self.left(name, now_ms)
        self._left.pop(name, None)
        if left < 1:
            self._left[name] = (left, now_ms)
            raise Refused("rate_limited", "Too many requests; wait a moment.")
        self._left[name] = (left - 1, now_ms)
        if len(self._left) > _KNOWN:
            del self._left[next(iter(self._left))]


@dataclass(slots=True)
class Strangers:
    """How often an address may show what nobody knows, before it is answered 429.

    Behind a gateway everybody has one address: whoever was recognised lately goes on, and so does
    a good key that is new here, so that one who guesses cannot lock out anybody else's.
    """

    failures: Allowance = field(default_factory=lambda: Allowance(5.0, 50.0))
    _met: dict[bytes, None] = field(default_factory=dict[bytes, None])
    _failed: dict[bytes, None] = field(default_factory=dict[bytes, None])
    """What failed lately. Showing it again is no guess: a console tab does, whose token ended."""

    @contextmanager
    def meeting(self, address: str, shown: str, now_ms: int) -> Generator[bool]:
        """Give whether to look up who sent ``shown``, in the ``with``, may be costly.

        Not once this address has shown too much that nobody knows: then any refusal is
        rate_limited. Raises: Refused.
        """
        digest = hashlib.sha256(shown.encode("utf-8", "replace")).digest()
        spent = digest not in self._met and self.failures.left(address, now_ms) < 1
        try:
            yield not spent
        except Refused as refused:
            if spent:
                told = "Too many unknown tokens; wait a moment."
                raise Refused("rate_limited", told) from refused
            self._met.pop(digest, None)
            if shown and digest not in self._failed:
                with suppress(Refused):
                    self.failures.spend(address, now_ms)
            _remember(self._failed, digest)
            raise
        _remember(self._met, digest)


def _remember(lately: dict[bytes, None], digest: bytes) -> None:
    lately[digest] = lately.pop(digest, None)
    if len(lately) > _KNOWN:
        del lately[next(iter(lately))]


@dataclass(slots=True)
class LatelyTried:
    """What was found lately of something that is costly to try, and that anybody may ask for."""

    fresh_ms: int = 5_000
    patience_s: float = 1.0
    """After this the verdict of before is given: what hangs must not make others hang."""
    _good: bool = False
    _at_ms: int | None = None
    _trying: asyncio.Task[None] | None = None

    async def of(self, attempt: Callable[[], Awaitable[bool]], now_ms: Callable[[], int]) -> bool:
        """Give the verdict; it is tried once for all who ask, and goes on where they give up."""
        stale = self._at_ms is None or not 0 <= now_ms() - self._at_ms < self.fresh_ms
        if stale and self._trying is None:
            self._trying = asyncio.create_task(self._try(attempt, now_ms))
        if self._trying is not None:
            known = self._at_ms is not None
            await asyncio.wait({self._trying}, timeout=self.patience_s if known else None)
        return self._good

    async def _try(self, attempt: Callable[[], Awaitable[bool]], now_ms: Callable[[], int]) -> None:
        try:
            self._good = await attempt()
        finally:
            self._at_ms, self._trying = now_ms(), None


@dataclass(slots=True)
class Seats:
    """How many event streams one caller may have open at each process."""

    apps: int = 1_000
    """A client app's backend listens for each of its clients who is there."""
    people: int = 20
    """A person needs one for each open window."""
    _taken: Counter[str] = field(default_factory=Counter[str])

    @contextmanager
    def taken(self, name: str, most: int) -> Generator[None]:
        """Hold one of ``most`` seats for the length of a ``with``. Raises: Refused rate_limited."""
        if self._taken[name] >= most:
            raise Refused("rate_limited", "Too many open streams; close some of them.")
        self._taken[name] += 1
        try:
            yield
        finally:
            self._taken[name] -= 1
            if not self._taken[name]:
                del self._taken[name]


_TALKS = frozenset({"/v1/chat/completions", "/api/chat"})
_TALK_S = 600.0
_DIGITS = 18
"""Digits read of an announced length; a longer number is too large anyway."""


class _TooLarge(BaseException):
    """More bytes came than a request may have.

    No `Exception`, because FastAPI answers any that comes out of a body with a 400 of its own.
    """


class Limits:
    """ASGI middleware: bodies up to ``body_bytes``, answers to begin within ``seconds``.

    Simulated conversations wait for the model within the request, so they have ten minutes.
    """

    def __init__(self, app: ASGIApp, body_bytes: int = 65_536, seconds: float = 30.0) -> None:
        self._app = app
        self._body_bytes = body_bytes
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request within the limits."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        waits = asyncio.timeout(_TALK_S if scope["path"] in _TALKS else self._seconds)
        begun = False

        async def hardened(message: Message) -> None:
            await send(_hardened(message))

        async def noticed(message: Message) -> None:
            nonlocal begun
            if not begun and not waits.expired():
                waits.reschedule(None)
            begun = True
            await hardened(message)

        if _announced(scope) > self._body_bytes:
            await _too_large()(scope, receive, hardened)
            return
        try:
            async with waits:
                await self._app(scope, self._counted(receive), noticed)
        except TimeoutError:
            if begun or not waits.expired():
                raise
            late = answer(problem("timeout", "The request took too long."))
            await late(scope, receive, hardened)
        except _TooLarge:
            if not begun:
                await _too_large()(scope, receive, hardened)

    def _counted(self, receive: Receive) -> Receive:
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self._body_bytes:
                raise _TooLarge
            return message

        return counted


def _announced(scope: Scope) -> int:
    """The bytes that a request says it brings; 0 where it does not say."""
    said = dict[bytes, bytes](scope["headers"]).get(b"content-length", b"")
    return int(said[:_DIGITS]) if said.isdigit() else 0


def _too_large() -> JSONResponse:
    return answer(problem("body_too_large", "The body is too large."))


def _hardened(message: Message) -> Message:
    """An answer's start with the security headers every answer has."""
    if message["type"] == "http.response.start":
        message["headers"] = [*message.get("headers", ()), *_SECURITY]
    return message


_SECURITY: tuple[tuple[bytes, bytes], ...] = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"strict-transport-security", b"max-age=31536000"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
)
