"""The store that forgets: for tests and for measuring everything but a disk."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from service.session.row import Row
from service.stores import paging
from service.stores.port import (
    SIDE_KINDS,
    AlreadyAnswered,
    Answer,
    Append,
    Claim,
    ClaimedByOther,
    ClaimLost,
    ClaimWish,
    Conflict,
    Document,
    Envelope,
    Fence,
    Lease,
    RowPage,
    RowQuery,
    StoredRow,
)
from service.stores.waking import Waker, topics


class MemoryStore:
    """Keeps everything in dictionaries; one process, gone when it ends."""

    def __init__(self) -> None:
        self._logs: dict[str, list[Envelope]] = {}
        self._rows: dict[str, Row] = {}
        self._claims: dict[str, Claim] = {}
        self._leases: dict[str, int] = {}
        self._aside: dict[str, int] = {}
        self._keys: dict[str, bytes] = {}
        self._answers: dict[str, Answer] = {}
        self._documents: dict[tuple[str, str], Document] = {}
        self._waker = Waker()

    async def append(self, write: Append) -> None:
        """See `Store.append`."""
        for key in write.request_keys:
            if given := self._answers.get(key):
                raise AlreadyAnswered(given)
        if write.fence and not self._holds(write.session_id, write.fence):
            raise ClaimLost
        log = self._logs.get(write.session_id, [])
        if len(log) != write.expected_seq:
            raise Conflict
        self._logs[write.session_id] = [*log, *write.envelopes]
        if write.answer:
            self._answers[write.answer.key] = write.answer
        if write.wrapped_key is not None:
            self._keys[write.session_id] = write.wrapped_key
        if write.destroy_key:
            self._keys.pop(write.session_id, None)
            for kind, key in list(self._documents):
                if kind in SIDE_KINDS and key.partition(":")[0] == write.session_id:
                    del self._documents[kind, key]
        self._put(write.row)

    async def read(self, session_id: str, after: int = 0) -> Sequence[Envelope]:
        """See `Store.read`."""
        return self._logs.get(session_id, [])[after:]

    async def row(self, session_id: str) -> StoredRow | None:
        """See `Store.row`."""
        row = self._rows.get(session_id)
        return StoredRow(row, self._claims.get(session_id)) if row else None

    async def rows(self, query: RowQuery) -> RowPage:
        """See `Store.rows`."""
        rows = self._rows.values()
        return paging.page(query, (StoredRow(row, self._live(row, query.now_ms)) for row in rows))

    async def lease_due(
        self, now_ms: int, until_ms: int, limit: int, *, aside: bool = False
    ) -> Sequence[Lease]:
        """See `Store.lease_due`."""
        if aside:
            due = [(self._rows[one], since_ms) for one, since_ms in self._aside.items()]
        else:
            dues = ((row, row.due_at_ms) for row in self._rows.values())
            due = [(row, at_ms) for row, at_ms in dues if at_ms is not None and at_ms <= now_ms]
        due.sort(key=lambda one: (-one[0].urgency, one[1], one[0].session_id))
        return [self._lease(row, until_ms) for row, _ in due[:limit]]

    async def keep_lease(
        self, lease: Lease, until_ms: int, *, aside_since_ms: int | None = None
    ) -> bool:
        """See `Store.keep_lease`."""
        if self._leases.get(lease.session_id) != lease.number:
            return False
        row = self._rows[lease.session_id]
        if aside_since_ms is None:
            self._rows[lease.session_id] = replace(row, due_at_ms=until_ms)
        else:
            self._lease(row, until_ms)
            self._aside[lease.session_id] = aside_since_ms
            self._waker.wake(lease.session_id)
        return True

    async def next_due_ms(self, *, aside: bool = True) -> int | None:
        """See `Store.next_due_ms`."""
        dues = [row.due_at_ms for row in self._rows.values() if row.due_at_ms is not None]
        return min([*dues, *(self._aside.values() if aside else ())], default=None)

    async def claim(self, wish: ClaimWish) -> Claim:
        """See `Store.claim`."""
        if wish.session_id not in self._rows:
            raise KeyError(wish.session_id)
        old = self._claims.get(wish.session_id)
        ours = old is not None and old.holder == wish.holder
        if wish.renew is not None and not (ours and old and old.number == wish.renew):
            raise ClaimLost
        live = old is not None and old.until_ms > wish.now_ms
        if live and not ours and not wish.take_over:
            raise ClaimedByOther
        number = (old.number if old else 0) + (not ours)
        self._claims[wish.session_id] = Claim(wish.holder, number, wish.until_ms)
        self._waker.wake(wish.session_id)
        return self._claims[wish.session_id]

    async def release_claim(self, session_id: str, fence: Fence) -> None:
        """See `Store.release_claim`."""
        if self._holds(session_id, fence):
            self._claims[session_id] = Claim("", fence.number, 0)
            self._waker.wake(session_id)

    async def wrapped_key(self, session_id: str) -> bytes | None:
        """See `Store.wrapped_key`."""
        return self._keys.get(session_id)

    async def rewrap(self, session_id: str, old: bytes, new: bytes) -> bool:
        """See `Store.rewrap`."""
        if self._keys.get(session_id) != old:
            return False
        self._keys[session_id] = new
        return True

    async def answer(self, key: str) -> Answer | None:
        """See `Store.answer`."""
        return self._answers.get(key)

    async def forget_answers(self, now_ms: int) -> int:
        """See `Store.forget_answers`."""
        over = [key for key, answer in self._answers.items() if answer.until_ms <= now_ms]
        for key in over:
            del self._answers[key]
        return len(over)

    async def document(self, kind: str, key: str) -> Document | None:
        """See `Store.document`."""
        return self._documents.get((kind, key))

    async def documents(self, kind: str) -> Sequence[Document]:
        """See `Store.documents`."""
        keys: Iterable[tuple[str, str]] = sorted(self._documents)
        return [self._documents[key] for key in keys if key[0] == kind]

    async def put_document(self, kind: str, document: Document) -> None:
        """See `Store.put_document`."""
        old = self._documents.get((kind, document.key))
        if (old.version if old else 0) != document.version - 1:
            raise Conflict
        self._documents[kind, document.key] = document
        if kind not in SIDE_KINDS:
            self._waker.wake()

    async def drop_document(self, kind: str, key: str) -> None:
        """See `Store.drop_document`."""
        self._documents.pop((kind, key), None)

    async def kinds(self) -> Sequence[str]:
        """See `Copyable.kinds`."""
        return sorted({kind for kind, _ in self._documents})

    async def answers(self) -> Sequence[Answer]:
        """See `Copyable.answers`."""
        return [self._answers[key] for key in sorted(self._answers)]

    async def keep_answers(self, answers: Sequence[Answer]) -> None:
        """See `Copyable.keep_answers`."""
        self._answers = {one.key: one for one in answers} | self._answers

    async def sessions(self) -> Sequence[str]:
        """See `Copyable.sessions`."""
        return sorted(self._logs)

    async def misplaced(self, row: Row) -> Sequence[str]:
        """See `Copyable.misplaced`; there are no lists beside the rows."""
        if len(self._logs.get(row.session_id, ())) != row.seq:
            raise Conflict
        return ()

    async def mend(self, row: Row) -> None:
        """See `Copyable.mend`."""
        if len(self._logs.get(row.session_id, ())) != row.seq:
            raise Conflict
        self._put(row)

    async def changed(self, seen: int, timeout_s: float, about: str = "") -> int:
        """See `Store.changed`."""
        return await self._waker.changed(seen, timeout_s, about)

    async def used_ratio(self) -> float | None:
        """See `Store.used_ratio`."""
        return None

    async def ping(self) -> None:
        """See `Store.ping`."""

    async def close(self) -> None:
        """See `Store.close`."""

    def _put(self, row: Row) -> None:
        self._rows[row.session_id] = row
        self._leases[row.session_id] = self._leases.get(row.session_id, -1) + 1
        self._aside.pop(row.session_id, None)
        self._waker.wake(*topics(row))

    def _lease(self, row: Row, until_ms: int) -> Lease:
        session_id = row.session_id
        self._leases[session_id] = self._leases.get(session_id, 0) + 1
        self._rows[session_id] = replace(row, due_at_ms=until_ms)
        self._aside.pop(session_id, None)
        return Lease(session_id, self._leases[session_id])

    def _holds(self, session_id: str, fence: Fence) -> bool:
        claim = self._claims.get(session_id)
        return claim is not None and (claim.holder, claim.number) == fence

    def _live(self, row: Row, now_ms: int) -> Claim | None:
        claim = self._claims.get(row.session_id)
        return claim if claim and claim.until_ms > now_ms else None
