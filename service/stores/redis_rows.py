"""PURE. What Redis holds: events, documents, summaries, and members in the byte order of lists."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from pydantic import TypeAdapter

from service.session.row import Row
from service.stores import paging
from service.stores.port import (
    Append,
    Claim,
    Document,
    Envelope,
    Order,
    RowPage,
    RowQuery,
    StoredRow,
)
from service.stores.waking import topics

_ROW = TypeAdapter(Row)
_END = b"\0\xff"
"""Comes after every member of one session, whatever its last three letters are."""
_KINDS = {None: "-", "alert": "a", "draft": "d", "plan": "p", "no_draft": "n"}
_STATUSES = {"open": "o", "crisis": "c", "closed": "x", "erased": "e"}


class _Number(NamedTuple):
    """A part of a member; one that falls is stored as its distance from the top."""

    digits: int
    falls: bool


_URGENCY, _SINCE, _CREATED = _Number(6, True), _Number(15, False), _Number(15, True)
_MEMBERS: Mapping[Order, tuple[_Number, ...]] = {
    "queue": (_URGENCY, _SINCE),
    "alerts": (_Number(1, False), _URGENCY, _SINCE),
    "newest": (_CREATED,),
}
"""The numbers of `paging.place`, in its order."""

Found = tuple[bytes, bytes, bytes | None, bytes | None, bytes | None]
"""Summary, due time, and the claim's holder, number and end."""


class Indexed(NamedTuple):
    """A row as scripts take it, as `GIVEN` in `shared.lua`; an empty text stands for nothing."""

    summary: bytes
    team: str
    queue: str
    alerts: str
    newest: str
    due: str
    urgency: str
    assigned: str
    news: str
    """What putting it is about, for those who wait; no part of what is kept."""


@dataclass(frozen=True, slots=True)
class Walk:
    """A list query as `list_rows.lua` takes it."""

    index: str
    behind: bytes
    """Where the page begins, as a lower bound of members."""
    before: bytes
    """The same as an upper bound of what comes before it; empty for a first page."""
    wanted: tuple[str, int, int, str, str, str]
    """The list's name and how many characters of a member are before its session id; then the
    least level, the kind, the status, the language."""
    filtered: bool
    counted: bool


def indexed(row: Row) -> Indexed:
    """Give a row with its place in every index."""
    return Indexed(
        summary=_ROW.dump_json(row),
        team=row.team,
        queue=_member("queue", row),
        alerts=_member("alerts", row),
        newest=_member("newest", row),
        due="" if row.due_at_ms is None else str(row.due_at_ms),
        urgency=str(row.urgency),
        assigned=row.assigned_to or "",
        news=" ".join(topics(row)),
    )


def append_words(write: Append) -> list[str | bytes | int]:
    """Give what `append.lua` takes."""
    fence, answer = write.fence, write.answer
    words: list[str | bytes | int] = [write.session_id, write.expected_seq]
    words += (1, fence.holder, fence.number) if fence else (0, "", "")
    words += (write.wrapped_key or b"", int(write.destroy_key))
    if answer:
        words += (answer.key, answer.body_hash, answer.status, answer.body, answer.until_ms)
    else:
        words += ("", "", "", "", "")
    words += indexed(write.row)
    for one in write.envelopes:
        words += (one.seq, one.type, one.at_ms, one.actor, one.prev_hash, one.hash)
        words += (one.schema_version, one.sealed)
    return words


def walk(query: RowQuery) -> Walk:
    """Give how to find a page. Raises: paging.NotAToken."""
    after = _after(query.order, query.after) if query.after else b""
    wanted = (
        query.risk.rank if query.risk else 0,
        _KINDS[query.kind] if query.kind else "",
        _STATUSES.get(query.status, "?") if query.status else "",
        query.language or "",
    )
    return Walk(
        index=query.order if query.team is None else f"{query.order}:{query.team}",
        behind=b"(" + after if after else b"-",
        before=b"[" + after if after else b"",
        wanted=(query.order, sum(number.digits for number in _MEMBERS[query.order]), *wanted),
        filtered=any(wanted),
        counted=query.counted,
    )


def stored(found: Found, now_ms: int | None = None) -> StoredRow:
    """Give a row as found; claims that ended before ``now_ms`` count as none."""
    summary, due, holder, number, until = found
    row = replace(_ROW.validate_json(summary), due_at_ms=int(due) if due else None)
    if not number:
        return StoredRow(row, None)
    claim = Claim((holder or b"").decode(), int(number), int(until or 0))
    live = now_ms is None or claim.until_ms > now_ms
    return StoredRow(row, claim if live else None)


def page(query: RowQuery, total: int, found: Sequence[Found]) -> RowPage:
    """Give the page of what was found: in order, one more than asked for if there is more."""
    rows = [stored(one, query.now_ms) for one in found[: query.limit]]
    # A session that moved down the list while it was walked was met twice.
    items = list({one.row.session_id: one for one in rows}.values())
    full = len(found) > len(rows)
    more = paging.token(*paging.place(query.order, items[-1].row)) if full else None
    return RowPage(items, more, total if query.counted else 0)


def page_of_person(query: RowQuery, found: Sequence[Found]) -> RowPage:
    """Give the page of one person's rows: few enough to order here.

    Raises: paging.NotAToken.
    """
    return paging.page(query, (stored(each, query.now_ms) for each in found))


def envelope(session_id: str, entry_id: bytes, named: Mapping[bytes, bytes]) -> Envelope:
    """Give an event as found: its entry id is its position."""
    return Envelope(
        session_id=session_id,
        seq=int(entry_id.partition(b"-")[0]),
        type=named[b"type"].decode(),
        at_ms=int(named[b"at_ms"]),
        actor=named[b"actor"].decode(),
        prev_hash=named[b"prev_hash"],
        hash=named[b"hash"],
        schema_version=int(named[b"schema_version"]),
        sealed=named[b"sealed"],
    )


def document(key: str, packed: bytes) -> Document:
    """Give a document as found: its version before its body."""
    version, _, body = packed.partition(b":")
    return Document(key, int(version), body)


def _after(order: Order, token: str) -> bytes:
    return _place(order, paging.key(token, paging.shape(order))).encode() + _END


def _member(order: Order, row: Row) -> str:
    if not paging.listed(order, row):
        return ""
    letters = f"\0{row.risk.rank}{_KINDS[row.kind]}{_STATUSES[row.status]}"
    return _place(order, paging.place(order, row)) + letters


def _place(order: Order, key: Sequence[str | int]) -> str:
    """Write a sort key so that byte order is its order."""
    *numbers, session_id = key
    told = (
        f"{(10**digits - 1 if falls else 0) + int(number):0{digits}d}"
        for number, (digits, falls) in zip(numbers, _MEMBERS[order], strict=True)
    )
    return "".join(told) + str(session_id)
