"""From one store to another: everything is carried over, compared, and only then called a copy."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from typing import NamedTuple, Protocol

from service.ids import SystemClock
from service.session.row import Row
from service.stores.port import (
    SIDE_KINDS,
    Answer,
    Append,
    Document,
    Envelope,
    RowQuery,
    Store,
)

_PAGE = 500
_AT_ONCE = 16
_CLOCKS_APART_MS = 60_000
"""How far the clock of a store that drops answers by itself may be ahead of ours."""
_VIEWER, _ = SIDE_KINDS
"""Who looks at a session counts for seconds and is written every few: it lapses, as claims do."""
Told = Callable[[int, int], None]
"""Hears how many sessions of how many are done."""


class Copyable(Store, Protocol):
    """A store that can also say all it holds, and be put right by what its logs say."""

    async def kinds(self) -> Sequence[str]:
        """Give the kinds of documents there are, in order."""
        ...

    async def answers(self) -> Sequence[Answer]:
        """Give every remembered answer, by key."""
        ...

    async def keep_answers(self, answers: Sequence[Answer]) -> None:
        """Remember answers given elsewhere; one that is known stays as it is."""
        ...

    async def sessions(self) -> Sequence[str]:
        """Give every session that has a log, by id, whether it is in a list or not."""
        ...

    async def misplaced(self, row: Row) -> Sequence[str]:
        """Name the lists in which a session does not stand where ``row`` wants it; writes nothing.

        A lease moves when a session is due: only whether it is due at all is compared.
        Raises: Conflict when ``row`` is not of the log as it stands.
        """
        ...

    async def mend(self, row: Row) -> None:
        """Put a session's row and its places as ``row`` wants them; leases end, the claim stays.

        Raises: Conflict when ``row`` is not of the log as it stands.
        """
        ...


class Copied(NamedTuple):
    """What a copy carried over; a second run carries only what is new."""

    sessions: int
    events: int
    documents: int
    answers: int


class NotACopy(Exception):
    """The target holds something that the source does not; nothing more was written."""


def untold(done: int, total: int) -> None:
    """Hear nothing."""


async def every_row(store: Store, told: Told = untold) -> AsyncIterator[Row]:
    """Give every session's row, newest session first, whatever is opened meanwhile."""
    after, done = None, 0
    while True:
        page = await store.rows(RowQuery("newest", after=after, limit=_PAGE))
        for stored in page.items:
            yield stored.row
        done += len(page.items)
        told(done, page.total)
        after = page.next_after
        if after is None:
            return


async def copy(source: Copyable, target: Copyable, told: Told = untold) -> Copied:
    """Bring ``target`` up to ``source``: empty before, or a copy that was begun earlier.

    Claims, leases and who looks at what stay behind: they lapse by themselves. Raises: NotACopy;
    StoreUnavailable.
    """
    await _fits(source, target)
    added: list[int] = []
    batch: list[Row] = []
    async for row in every_row(source, told):
        batch.append(row)
        if len(batch) == _AT_ONCE:
            added += await _batch(source, target, batch)
            batch = []
    added += await _batch(source, target, batch)
    documents = await _documents(source, target)
    known = {one.key for one in await target.answers()}
    ours = _lasting(await source.answers(), SystemClock().now_ms())
    answers = [one for one in ours if one.key not in known]
    await target.keep_answers(answers)
    return Copied(sum(one > 0 for one in added), sum(added), documents, len(answers))


async def differences(source: Copyable, target: Copyable, told: Told = untold) -> tuple[str, ...]:
    """Give the sessions and documents that are not the same in both stores; none for a copy.

    A log that is in no list is one: nothing copies it before `checkpoints.rebuild` has listed it.
    """
    found: list[str] = []
    seen: set[str] = set()
    # First: what is opened from here on is listed, or will be met.
    logs = await source.sessions()
    async for row in every_row(source, told):
        seen.add(row.session_id)
        if not await _same(source, target, row.session_id):
            found.append(row.session_id)
    found += [f"{one} (in no list: store rebuild)" for one in logs if one not in seen]
    found += [row.session_id async for row in every_row(target) if row.session_id not in seen]
    ours, theirs = await _all_documents(source), await _all_documents(target)
    differing = {one for one in ours.keys() | theirs.keys() if ours.get(one) != theirs.get(one)}
    found += sorted({_named(kind, key) for kind, key in differing})
    given, kept = await source.answers(), await target.answers()
    # Only now: what ended while it was read may be in one list and not in the other.
    soon_ms = SystemClock().now_ms() + _CLOCKS_APART_MS
    if _lasting(given, soon_ms) != _lasting(kept, soon_ms):
        found.append("answers")
    return tuple(found)


def _lasting(answers: Sequence[Answer], until_ms: int) -> list[Answer]:
    """Those that do not end before; a store may forget an answer that has ended, or keep it."""
    return [one for one in answers if one.until_ms > until_ms]


async def _fits(source: Copyable, target: Copyable) -> None:
    """Nothing is ever mixed with what another installation wrote."""
    empty = True
    async for row in every_row(target):
        empty = False
        if await source.row(row.session_id) is None:
            raise NotACopy(row.session_id)
    if empty and (await _all_documents(target)).keys() - (await _all_documents(source)).keys():
        raise NotACopy("documents")


async def _batch(source: Store, target: Store, rows: Sequence[Row]) -> list[int]:
    return await asyncio.gather(*(_session(source, target, row.session_id) for row in rows))


async def _session(source: Store, target: Store, session_id: str) -> int:
    """Append what the target lacks of a session; gives how many events that were."""
    log, there = await source.read(session_id), await target.read(session_id)
    if list(log[: len(there)]) != list(there):
        raise NotACopy(session_id)
    wrapped, held = await source.wrapped_key(session_id), await target.wrapped_key(session_id)
    fresh = await source.row(session_id)
    more = log[len(there) :]
    if more and fresh is not None:
        first = wrapped if not there else None
        gone = wrapped is None and held is not None
        write = Append(session_id, len(there), more, fresh.row, None, first, None, gone)
        await target.append(write)
    if wrapped is not None and held is not None and wrapped != held:
        await target.rewrap(session_id, held, wrapped)
    return len(more)


async def _documents(source: Copyable, target: Copyable) -> int:
    ours, theirs = await _all_documents(source), await _all_documents(target)
    written = 0
    for (kind, key), document in ours.items():
        held = theirs.get((kind, key))
        if held == document:
            continue
        if held is not None and held.version >= document.version:
            if kind not in SIDE_KINDS:
                raise NotACopy(f"{kind} {key}")
            # Dropped in the source when its words were sent, and begun again from version 1.
            await target.drop_document(kind, key)
            held = None
        # A store counts versions itself: whoever held version 7 must find version 7 again.
        for version in range(held.version + 1 if held else 1, document.version + 1):
            await target.put_document(kind, document._replace(version=version))
        written += 1
    for kind, key in theirs.keys() - ours.keys():
        await target.drop_document(kind, key)
    return written


async def _all_documents(store: Copyable) -> dict[tuple[str, str], Document]:
    return {
        (kind, one.key): one
        for kind in await store.kinds()
        if kind != _VIEWER
        for one in await store.documents(kind)
    }


def _named(kind: str, key: str) -> str:
    """Name a document to operators; of one beside a session only the session, not whose it is."""
    return f"{kind} {key.partition(':')[0] if kind in SIDE_KINDS else key}"


async def _same(source: Store, target: Store, session_id: str) -> bool:
    ours, theirs = await _whole(source, session_id), await _whole(target, session_id)
    return ours == theirs


async def _whole(
    store: Store, session_id: str
) -> tuple[list[Envelope], bytes | None, Row | None, bool]:
    """A session as it must be the same everywhere; when it is due next, a lease may move."""
    stored = await store.row(session_id)
    row = stored.row if stored else None
    owed = row is not None and row.due_at_ms is not None
    log = list(await store.read(session_id))
    key = await store.wrapped_key(session_id)
    return log, key, replace(row, due_at_ms=None) if row else None, owed
