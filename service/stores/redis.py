"""The store for many machines: every write is one script, so it happens whole or not at all.

Keys and what they cost are listed in docs/stores.md. Only answers ever expire.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, Literal

from service.session.row import Row
from service.stores import redis_rows
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
from service.stores.redis_link import Begun, Link, Word
from service.telemetry.log import LogEvent, log_line

_REWRITE_TRIES, _REWRITE_PAUSE_S = 20, 0.25
"""How long an erasure waits for somebody else's rewrite to end before it asks for its own."""
_FORGET_STEP = 1_000
"""Answers dropped by one script: nobody's command waits for more."""


class RedisStore:
    """Keeps everything in one Redis primary with its append-only file; any number of processes.

    ``url`` is ``redis://``, ``rediss://``, ``unix://`` or
    ``sentinel://[user:password@]host:port,host:port/primary``.
    """

    def __init__(self, url: str, prefix: str = "sc") -> None:
        self._link = Link(url, prefix)

    async def append(self, write: Append) -> None:
        """See `Store.append`."""
        keys = [self._link.session_key(write.session_id, what) for what in ("log", "row", "key")]
        keys += [self._name("answer", key) for key in write.request_keys]
        said = await self._link.script("append", keys, *redis_rows.append_words(write))
        match said[0]:
            case b"answered":
                key = write.request_keys[int(said[1])]
                raise AlreadyAnswered(_answer(key, said[2:]))
            case b"claim_lost":
                raise ClaimLost
            case b"conflict":
                raise Conflict
            case _:
                pass
        if write.destroy_key:
            await self._rewrite(ended=False)

    async def read(self, session_id: str, after: int = 0) -> Sequence[Envelope]:
        """See `Store.read`."""
        log = self._link.session_key(session_id, "log")
        found = await self._link.command("XRANGE", log, f"{after + 1}-0", "+")
        return [redis_rows.envelope(session_id, entry_id, fields) for entry_id, fields in found]

    async def row(self, session_id: str) -> StoredRow | None:
        """See `Store.row`."""
        names = ("summary", "due", "claim_holder", "claim_number", "claim_until")
        found = await self._link.command("HMGET", self._link.session_key(session_id, "row"), *names)
        return redis_rows.stored(found) if found[0] is not None else None

    async def rows(self, query: RowQuery) -> RowPage:
        """See `Store.rows`."""
        if query.person is not None:
            found = await self._link.script("list_person", (), query.person, query.now_ms)
            return redis_rows.page_of_person(query, found)
        walk = redis_rows.walk(query)
        total, found = await self._stretch(walk, walk.behind, "+", query.limit + 1)
        if walk.filtered and walk.before and walk.counted:
            total += (await self._stretch(walk, "-", walk.before, 0))[0]
        return redis_rows.page(query, total, found)

    async def lease_due(
        self, now_ms: int, until_ms: int, limit: int, *, aside: bool = False
    ) -> Sequence[Lease]:
        """See `Store.lease_due`."""
        times, by = ("aside", "+inf") if aside else ("due", now_ms)
        found = await self._link.script("lease_due", (), by, until_ms, limit, times)
        return [Lease(session_id.decode(), number) for session_id, number in _pairs(found)]

    async def keep_lease(
        self, lease: Lease, until_ms: int, *, aside_since_ms: int | None = None
    ) -> bool:
        """See `Store.keep_lease`."""
        keys = (self._link.session_key(lease.session_id, "row"),)
        since = "" if aside_since_ms is None else aside_since_ms
        return bool(await self._link.script("keep_lease", keys, *lease, until_ms, since))

    async def next_due_ms(self, *, aside: bool = True) -> int | None:
        """See `Store.next_due_ms`."""
        found = await self._link.script("next_due", (), int(aside))
        return None if found is None else int(found)

    async def claim(self, wish: ClaimWish) -> Claim:
        """See `Store.claim`."""
        keys = (self._link.session_key(wish.session_id, "row"),)
        said = await self._link.script(
            "claim", keys, wish.session_id, wish.holder, wish.now_ms, wish.until_ms,
            int(wish.take_over), "" if wish.renew is None else wish.renew,
        )  # fmt: skip
        match said[0]:
            case b"missing":
                raise KeyError(wish.session_id)
            case b"claim_lost":
                raise ClaimLost
            case b"claimed_by_other":
                raise ClaimedByOther
            case _:
                return Claim(wish.holder, int(said[1]), wish.until_ms)

    async def release_claim(self, session_id: str, fence: Fence) -> None:
        """See `Store.release_claim`."""
        keys = (self._link.session_key(session_id, "row"),)
        await self._link.script("release_claim", keys, session_id, *fence)

    async def wrapped_key(self, session_id: str) -> bytes | None:
        """See `Store.wrapped_key`."""
        return await self._link.command("GET", self._link.session_key(session_id, "key"))

    async def rewrap(self, session_id: str, old: bytes, new: bytes) -> bool:
        """See `Store.rewrap`."""
        keys = (self._link.session_key(session_id, "key"),)
        return bool(await self._link.script("rewrap", keys, old, new))

    async def answer(self, key: str) -> Answer | None:
        """See `Store.answer`."""
        names = ("body_hash", "status", "body", "until_ms")
        found = await self._link.command("HMGET", self._name("answer", key), *names)
        if found[0] is None:
            return None
        return _answer(key, found)

    async def forget_answers(self, now_ms: int) -> int:
        """See `Store.forget_answers`. Also sees to the rewrite that an erasure still needs."""
        forgotten, some = 0, _FORGET_STEP
        while some == _FORGET_STEP:
            some = await self._link.script("forget_answers", (), now_ms, _FORGET_STEP)
            forgotten += some
        await self._rewrite(ended=True)
        return forgotten

    async def document(self, kind: str, key: str) -> Document | None:
        """See `Store.document`."""
        found = await self._link.command("HGET", self._name("documents", kind), key)
        return None if found is None else redis_rows.document(key, found)

    async def documents(self, kind: str) -> Sequence[Document]:
        """See `Store.documents`."""
        found = await self._link.command("HGETALL", self._name("documents", kind))
        return sorted(redis_rows.document(key.decode(), packed) for key, packed in found.items())

    async def put_document(self, kind: str, document: Document) -> None:
        """See `Store.put_document`."""
        quiet = int(kind in SIDE_KINDS)
        if not await self._link.script("put_document", (), kind, *document, quiet):
            raise Conflict

    async def drop_document(self, kind: str, key: str) -> None:
        """See `Store.drop_document`."""
        await self._link.script("drop_document", (), kind, key)

    async def changed(self, seen: int, timeout_s: float, about: str = "") -> int:
        """See `Store.changed`."""
        return await self._link.changed(seen, timeout_s, about)

    async def used_ratio(self) -> float | None:
        """See `Store.used_ratio`: of its memory; what it may have is its `maxmemory`."""
        return await self._link.used_ratio()

    async def ping(self) -> None:
        """See `Store.ping`."""
        await self._link.command("PING")

    async def close(self) -> None:
        """See `Store.close`."""
        await self._link.close()

    async def kinds(self) -> Sequence[str]:
        """See `Copyable.kinds`."""
        return sorted(
            one.decode() for one in await self._link.command("SMEMBERS", self._name("kinds"))
        )

    async def answers(self) -> Sequence[Answer]:
        """See `Copyable.answers`."""
        keys = await self._link.command("ZRANGE", self._name("answers"), 0, -1)
        found = [await self.answer(key.decode()) for key in sorted(keys)]
        return [one for one in found if one is not None]

    async def keep_answers(self, answers: Sequence[Answer]) -> None:
        """See `Copyable.keep_answers`."""
        for one in answers:
            words = (one.key, one.body_hash, one.status, one.body, one.until_ms)
            await self._link.script("keep_answer", (), *words)

    async def sessions(self) -> Sequence[str]:
        """See `Copyable.sessions`."""
        return await self._link.sessions()

    async def misplaced(self, row: Row) -> Sequence[str]:
        """See `Copyable.misplaced`."""
        return await self._held_against("misplaced", row)

    async def mend(self, row: Row) -> None:
        """See `Copyable.mend`."""
        await self._held_against("mend", row)

    async def _held_against(self, script: str, row: Row) -> list[str]:
        keys = [self._link.session_key(row.session_id, what) for what in ("log", "row")]
        words = (row.session_id, row.seq, *redis_rows.indexed(row))
        said = [one.decode() for one in await self._link.script(script, keys, *words)]
        if said == ["conflict"]:
            raise Conflict
        return said

    def _name(self, *parts: str) -> str:
        return ":".join((self._link.prefix, *parts))

    async def _stretch(
        self, walk: redis_rows.Walk, low: Word, high: Word, most: int
    ) -> tuple[int, list[redis_rows.Found]]:
        """Count a stretch of a list and read its first rows, so far at a time that nobody waits."""
        total, index = 0, self._name(walk.index)
        found: list[redis_rows.Found] = []
        while low and (walk.counted or len(found) < most):
            counted, rows, low = await self._link.script(
                "list_rows", (), index, low, high, most - len(found), *walk.wanted
            )
            total += counted
            found += rows
        return total, found

    async def _rewrite(self, *, ended: bool) -> None:
        """Have the append-only file rewritten, so that a destroyed key is in no file any more.

        An erasure waits until a rewrite that holds the key no more has begun; whether it ended
        well, `forget_answers` sees. Who gives up leaves the mark to the next.
        """
        for _ in range(_REWRITE_TRIES):
            now = await self._rewriting()
            if now in {"ended", "failed"} or (now == "begun" and not ended):
                return
            await asyncio.sleep(_REWRITE_PAUSE_S)

    async def _rewriting(self) -> Begun | Literal["ended"]:
        """Take the next step towards a rewrite that began after the newest erasure and ended well.

        The mark names that erasure, and then the server that said yes: from there on it runs no
        rewrite that began before. One that was started again, or replaced, is asked again.
        """
        mark = self._name("rewrite")
        wanted = await self._link.command("GET", mark)
        if wanted is None:
            return "ended"
        now = await self._link.rewrites()
        erasure, _, asked = wanted.partition(b" ")
        ours = asked != b"" and asked == now.run
        if ours and now.busy:
            return "begun"
        if ours and now.well:
            return (
                "ended" if await self._link.script("mark_rewrite", (mark,), wanted, "") else "waits"
            )
        begun = await self._link.rewrite()
        if begun == "begun":
            await self._link.script("mark_rewrite", (mark,), wanted, erasure + b" " + now.run)
        if ours:
            log_line(LogEvent.REWRITE_FAILED, "error", code="broke_off")
        # A server that tells nothing of itself would be asked for one rewrite after another.
        return "failed" if ours or not now.run else begun


def _answer(key: str, found: Sequence[bytes]) -> Answer:
    body_hash, status, body, until_ms = found
    return Answer(key, body_hash, int(status), body, int(until_ms))


def _pairs(flat: Sequence[Any]) -> list[tuple[bytes, int]]:
    return list(zip(flat[::2], flat[1::2], strict=True))
