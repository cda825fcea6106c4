"""The embedded store: one file, durable, no set-up. Words in it are sealed; rows hold none."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import astuple
from importlib.resources import files
from pathlib import Path
from typing import TypeVar

from service.session.row import Row
from service.stores import sqlite_leases, sqlite_rows
from service.stores.port import (
    SIDE_KINDS,
    AlreadyAnswered,
    Answer,
    Append,
    Claim,
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
    StoreUnavailable,
)
from service.stores.sqlite_writer import Writer, connect, disk_used_ratio, empty_log
from service.stores.waking import Waker, topics

_LOOK_S = 0.05
"""How often to look whether another process wrote; a counter in memory, no disk."""
_FORGET_STEP = 1_000
"""Answers dropped in one transaction: no append waits for more."""

_Found = TypeVar("_Found")


class SqliteStore:
    """Keeps everything in one SQLite file; several processes on one machine may share it.

    Point reads run in place: they cost less than handing them to a thread. Lists do not.
    """

    def __init__(self, path: Path) -> None:
        """Open or create the file. Raises: StoreUnavailable."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._lists = threading.local()
        self._list_links: list[sqlite3.Connection] = []
        schema = files("service.stores").joinpath("schema.sql").read_text(encoding="utf-8")
        self._reader = connect(path)
        self._here(lambda link: link.executescript(schema))
        # An erasure that was cut off here is finished now: see `empty_log`.
        empty_log(path, tries=1)
        self._writer = Writer(path)
        self._waker = Waker()
        self._version, self._strange, self._looked = -1, 0, 0.0

    async def append(self, write: Append) -> None:
        """See `Store.append`."""
        await self._writer.run(lambda link: _append(link, write))
        self._waker.wake(*topics(write.row))
        if write.destroy_key:
            await asyncio.to_thread(empty_log, self._path)

    async def read(self, session_id: str, after: int = 0) -> Sequence[Envelope]:
        """See `Store.read`."""
        sql = "SELECT * FROM events WHERE session_id = ? AND seq > ? ORDER BY seq"
        found = self._here(lambda link: link.execute(sql, (session_id, after)).fetchall())
        return [Envelope(*one) for one in found]

    async def row(self, session_id: str) -> StoredRow | None:
        """See `Store.row`."""
        sql = f"{sqlite_rows.SELECT} WHERE session_id = ?"
        found = self._here(lambda link: link.execute(sql, (session_id,)).fetchone())
        return sqlite_rows.stored(found) if found else None

    async def rows(self, query: RowQuery) -> RowPage:
        """See `Store.rows`."""
        return RowPage(*await asyncio.to_thread(self._list, query))

    async def lease_due(
        self, now_ms: int, until_ms: int, limit: int, *, aside: bool = False
    ) -> Sequence[Lease]:
        """See `Store.lease_due`."""
        # A look first: an idle worker must not take the write lock several times a second.
        if not self._here(lambda link: sqlite_leases.any_due(link, now_ms, aside)):
            return ()
        wanted = (until_ms, limit, None if aside else now_ms)
        return await self._writer.run(lambda link: sqlite_leases.take(link, *wanted), False)

    async def keep_lease(
        self, lease: Lease, until_ms: int, *, aside_since_ms: int | None = None
    ) -> bool:
        """See `Store.keep_lease`."""
        if aside_since_ms is None:
            given = (lease, until_ms)
            return await self._writer.run(lambda link: sqlite_leases.keep(link, *given), False)
        wanted = (lease, until_ms, aside_since_ms)
        done = await self._writer.run(lambda link: sqlite_leases.put_aside(link, *wanted), False)
        self._waker.wake(lease.session_id)
        return done

    async def next_due_ms(self, *, aside: bool = True) -> int | None:
        """See `Store.next_due_ms`."""
        return self._here(lambda link: sqlite_leases.next_due_ms(link, aside))

    async def claim(self, wish: ClaimWish) -> Claim:
        """See `Store.claim`."""
        claim = await self._writer.run(lambda link: sqlite_leases.claim(link, wish))
        self._waker.wake(wish.session_id)
        return claim

    async def release_claim(self, session_id: str, fence: Fence) -> None:
        """See `Store.release_claim`."""
        await self._writer.run(lambda link: sqlite_leases.release(link, session_id, fence))
        self._waker.wake(session_id)

    async def wrapped_key(self, session_id: str) -> bytes | None:
        """See `Store.wrapped_key`."""
        sql = "SELECT wrapped FROM keys WHERE session_id = ?"
        found = self._here(lambda link: link.execute(sql, (session_id,)).fetchone())
        return found[0] if found else None

    async def rewrap(self, session_id: str, old: bytes, new: bytes) -> bool:
        """See `Store.rewrap`."""
        sql = "UPDATE keys SET wrapped = ? WHERE session_id = ? AND wrapped = ?"
        return await self._writer.run(
            lambda link: link.execute(sql, (new, session_id, old)).rowcount == 1
        )

    async def answer(self, key: str) -> Answer | None:
        """See `Store.answer`."""
        return self._here(lambda link: _answer(link, key))

    async def forget_answers(self, now_ms: int) -> int:
        """See `Store.forget_answers`."""
        forgotten = 0
        while True:
            some = await self._writer.run(lambda link: _forget(link, now_ms), False)
            forgotten += some
            if some < _FORGET_STEP:
                return forgotten

    async def document(self, kind: str, key: str) -> Document | None:
        """See `Store.document`."""
        sql = "SELECT key, version, body FROM documents WHERE kind = ? AND key = ?"
        found = self._here(lambda link: link.execute(sql, (kind, key)).fetchone())
        return Document(*found) if found else None

    async def documents(self, kind: str) -> Sequence[Document]:
        """See `Store.documents`."""
        sql = "SELECT key, version, body FROM documents WHERE kind = ? ORDER BY key"
        found = self._here(lambda link: link.execute(sql, (kind,)).fetchall())
        return [Document(*one) for one in found]

    async def put_document(self, kind: str, document: Document) -> None:
        """See `Store.put_document`."""
        await self._writer.run(lambda link: sqlite_rows.put_document(link, kind, document))
        if kind not in SIDE_KINDS:
            self._waker.wake()

    async def drop_document(self, kind: str, key: str) -> None:
        """See `Store.drop_document`."""
        sql = "DELETE FROM documents WHERE kind = ? AND key = ?"
        await self._writer.run(lambda link: link.execute(sql, (kind, key)))

    async def kinds(self) -> Sequence[str]:
        """See `Copyable.kinds`."""
        sql = "SELECT DISTINCT kind FROM documents ORDER BY kind"
        return [one for (one,) in self._here(lambda link: link.execute(sql).fetchall())]

    async def answers(self) -> Sequence[Answer]:
        """See `Copyable.answers`."""
        sql = "SELECT * FROM answers ORDER BY key"
        return [Answer(*one) for one in self._here(lambda link: link.execute(sql).fetchall())]

    async def keep_answers(self, answers: Sequence[Answer]) -> None:
        """See `Copyable.keep_answers`."""
        sql = "INSERT OR IGNORE INTO answers VALUES (?, ?, ?, ?, ?)"
        await self._writer.run(lambda link: link.executemany(sql, map(astuple, answers)))

    async def sessions(self) -> Sequence[str]:
        """See `Copyable.sessions`."""
        sql = "SELECT DISTINCT session_id FROM events ORDER BY session_id"
        return [one for (one,) in self._here(lambda link: link.execute(sql).fetchall())]

    async def misplaced(self, row: Row) -> Sequence[str]:
        """See `Copyable.misplaced`."""
        return self._here(lambda link: sqlite_rows.misplaced(link, row))

    async def mend(self, row: Row) -> None:
        """See `Copyable.mend`."""
        await self._writer.run(lambda link: sqlite_rows.mend(link, row))
        self._waker.wake(*topics(row))

    async def changed(self, seen: int, timeout_s: float, about: str = "") -> int:
        """See `Store.changed`."""
        deadline = time.monotonic() + timeout_s
        while True:
            self._look()
            left = deadline - time.monotonic()
            mark = await self._waker.changed(seen, max(0.0, min(_LOOK_S, left)), about)
            if left <= 0 or self._waker.news(seen, about):
                return mark

    async def used_ratio(self) -> float | None:
        """See `Store.used_ratio`: of the disk it is on."""
        return await asyncio.to_thread(disk_used_ratio, self._path)

    async def ping(self) -> None:
        """See `Store.ping`: takes and gives back the write lock."""
        await self._writer.run(lambda link: link.execute("SELECT 1").fetchone())

    async def close(self) -> None:
        """See `Store.close`."""
        await asyncio.to_thread(self._writer.close)
        for link in (self._reader, *self._list_links):
            link.close()

    def _list(self, query: RowQuery) -> tuple[list[StoredRow], str | None, int]:
        link = getattr(self._lists, "link", None)
        if link is None:
            link = self._lists.link = connect(self._path, readonly=True)
            self._list_links.append(link)
        try:
            return sqlite_rows.page(link, query)
        except sqlite3.Error as error:
            raise StoreUnavailable(type(error).__name__) from error

    def _here(self, read: Callable[[sqlite3.Connection], _Found]) -> _Found:
        try:
            return read(self._reader)
        except sqlite3.Error as error:
            raise StoreUnavailable(type(error).__name__) from error

    def _look(self) -> None:
        """Notice commits of other processes: SQLite counts them for us, but here with our own.

        So a new count only has the writer look, whose own count leaves ours out.
        """
        now = time.monotonic()
        if now - self._looked < _LOOK_S:
            return
        self._looked = now
        version: int = self._here(lambda link: link.execute("PRAGMA data_version").fetchone()[0])
        if version != self._version:
            self._version = version
            self._writer.look()
        if self._writer.strange != self._strange:
            self._strange = self._writer.strange
            self._waker.wake()


def _append(link: sqlite3.Connection, write: Append) -> None:
    for key in write.request_keys:
        if given := _answer(link, key):
            raise AlreadyAnswered(given)
    if write.fence:
        sql = "SELECT claim_holder, claim_number FROM rows WHERE session_id = ?"
        if link.execute(sql, (write.session_id,)).fetchone() != tuple(write.fence):
            raise ClaimLost
    sql = "SELECT MAX(seq) FROM events WHERE session_id = ?"
    if (link.execute(sql, (write.session_id,)).fetchone()[0] or 0) != write.expected_seq:
        raise Conflict
    link.executemany(
        "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (one.session_id, one.seq, one.type, one.at_ms, one.actor, one.prev_hash, one.hash,
             one.schema_version, one.sealed)
            for one in write.envelopes
        ],
    )  # fmt: skip
    sqlite_rows.put(link, write.row)
    if write.answer:
        link.execute("INSERT INTO answers VALUES (?, ?, ?, ?, ?)", astuple(write.answer))
    if write.wrapped_key is not None:
        link.execute("INSERT INTO keys VALUES (?, ?)", (write.session_id, write.wrapped_key))
    if write.destroy_key:
        link.execute("DELETE FROM keys WHERE session_id = ?", (write.session_id,))
        sql = "DELETE FROM documents WHERE kind = ? AND (key = ? OR (key > ? AND key < ?))"
        mine = (write.session_id, f"{write.session_id}:", f"{write.session_id};")
        link.executemany(sql, [(kind, *mine) for kind in SIDE_KINDS])


def _answer(link: sqlite3.Connection, key: str) -> Answer | None:
    found = link.execute("SELECT * FROM answers WHERE key = ?", (key,)).fetchone()
    return Answer(*found) if found else None


def _forget(link: sqlite3.Connection, now_ms: int) -> int:
    sql = "DELETE FROM answers WHERE key IN (SELECT key FROM answers WHERE until_ms <= ? LIMIT ?)"
    return link.execute(sql, (now_ms, _FORGET_STEP)).rowcount
