"""A store that counts: how long each operation takes, how often it fails or finds a conflict."""

from collections.abc import Awaitable, Sequence
from typing import TypeVar

from service.stores.port import (
    Answer,
    Append,
    Claim,
    ClaimWish,
    Conflict,
    Document,
    Envelope,
    Fence,
    Lease,
    RowPage,
    RowQuery,
    Store,
    StoredRow,
    StoreUnavailable,
)
from service.telemetry.metrics import Store as Counted

_Found = TypeVar("_Found")


class MeteredStore:
    """Passes everything on to the store within, unchanged, and measures it."""

    def __init__(self, within: Store) -> None:
        self._within = within

    async def append(self, write: Append) -> None:
        """See `Store.append`."""
        await _timed("append", self._within.append(write))

    async def read(self, session_id: str, after: int = 0) -> Sequence[Envelope]:
        """See `Store.read`."""
        return await _timed("read", self._within.read(session_id, after))

    async def row(self, session_id: str) -> StoredRow | None:
        """See `Store.row`."""
        return await _timed("row", self._within.row(session_id))

    async def rows(self, query: RowQuery) -> RowPage:
        """See `Store.rows`."""
        return await _timed("rows", self._within.rows(query))

    async def lease_due(
        self, now_ms: int, until_ms: int, limit: int, *, aside: bool = False
    ) -> Sequence[Lease]:
        """See `Store.lease_due`."""
        asked = self._within.lease_due(now_ms, until_ms, limit, aside=aside)
        return await _timed("lease_due", asked)

    async def keep_lease(
        self, lease: Lease, until_ms: int, *, aside_since_ms: int | None = None
    ) -> bool:
        """See `Store.keep_lease`."""
        asked = self._within.keep_lease(lease, until_ms, aside_since_ms=aside_since_ms)
        return await _timed("keep_lease", asked)

    async def next_due_ms(self, *, aside: bool = True) -> int | None:
        """See `Store.next_due_ms`."""
        return await _timed("next_due_ms", self._within.next_due_ms(aside=aside))

    async def claim(self, wish: ClaimWish) -> Claim:
        """See `Store.claim`."""
        return await _timed("claim", self._within.claim(wish))

    async def release_claim(self, session_id: str, fence: Fence) -> None:
        """See `Store.release_claim`."""
        await _timed("release_claim", self._within.release_claim(session_id, fence))

    async def wrapped_key(self, session_id: str) -> bytes | None:
        """See `Store.wrapped_key`."""
        return await _timed("wrapped_key", self._within.wrapped_key(session_id))

    async def rewrap(self, session_id: str, old: bytes, new: bytes) -> bool:
        """See `Store.rewrap`."""
        return await _timed("rewrap", self._within.rewrap(session_id, old, new))

    async def answer(self, key: str) -> Answer | None:
        """See `Store.answer`."""
        return await _timed("answer", self._within.answer(key))

    async def forget_answers(self, now_ms: int) -> int:
        """See `Store.forget_answers`."""
        return await _timed("forget_answers", self._within.forget_answers(now_ms))

    async def document(self, kind: str, key: str) -> Document | None:
        """See `Store.document`."""
        return await _timed("document", self._within.document(kind, key))

    async def documents(self, kind: str) -> Sequence[Document]:
        """See `Store.documents`."""
        return await _timed("documents", self._within.documents(kind))

    async def put_document(self, kind: str, document: Document) -> None:
        """See `Store.put_document`."""
        await _timed("put_document", self._within.put_document(kind, document))

    async def drop_document(self, kind: str, key: str) -> None:
        """See `Store.drop_document`."""
        await _timed("drop_document", self._within.drop_document(kind, key))

    async def changed(self, seen: int, timeout_s: float, about: str = "") -> int:
        """See `Store.changed`; not timed, as waiting is what it is for."""
        return await _counted("changed", self._within.changed(seen, timeout_s, about))

    async def used_ratio(self) -> float | None:
        """See `Store.used_ratio`."""
        return await _timed("used_ratio", self._within.used_ratio())

    async def ping(self) -> None:
        """See `Store.ping`."""
        await _timed("ping", self._within.ping())

    async def close(self) -> None:
        """See `Store.close`."""
        await self._within.close()


async def _timed(operation: str, work: Awaitable[_Found]) -> _Found:
    with Counted.seconds.timed(operation=operation):
        return await _counted(operation, work)


async def _counted(operation: str, work: Awaitable[_Found]) -> _Found:
    try:
        return await work
    except Conflict:
        Counted.conflicts.add()
        raise
    except StoreUnavailable:
        Counted.failed.add(operation=operation)
        raise
