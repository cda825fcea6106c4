"""PURE. Rows in Redis: a summary as JSON, and members whose byte order is the list's order."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from pydantic import TypeAdapter

from safety.risk import RiskLevel
from service.session.row import Row
from service.stores import paging
from service.stores.port import Claim, RowPage, RowQuery, StoredRow

_ROW = TypeAdapter(Row)
_URGENCY_TOP, _URGENCY_DIGITS = 999_999, 6
_TIME_TOP, _TIME_DIGITS = 10**15 - 1, 15
_END = b"\0\xff"
"""Comes after every member of one session, whatever its last three letters are."""
_KINDS = {None: "-", "alert": "a", "draft": "d", "plan": "p", "no_draft": "n"}
_STATUSES = {"open": "o", "crisis": "c", "closed": "x", "erased": "e"}

Found = tuple[bytes, bytes, bytes | None, bytes | None, bytes | None]
"""Summary, due time, and the claim's holder, number and end."""


class Indexed(NamedTuple):
    """A row as `append.lua` takes it; an empty text stands for nothing."""

    summary: bytes
    team: str
    queue: str
    newest: str
    due: str
    urgency: str
    assigned: str


@dataclass(frozen=True, slots=True)
class Walk:
    """A list query as `list_rows.lua` takes it."""

    index: str
    after: bytes
    level: int
    kind: str
    status: str
    skip: int
    """Characters of a member before its session id."""


def indexed(row: Row) -> Indexed:
    """Give a row with its place in every index."""
    letters = f"\0{row.risk.rank}{_KINDS[row.kind]}{_STATUSES[row.status]}"
    return Indexed(
        summary=_ROW.dump_json(row),
        team=row.team,
        queue=_queue_place(-row.urgency, row.waiting_since_ms or 0, row.session_id) + letters
        if row.kind
        else "",
        newest=_newest_place(-row.created_at_ms, row.session_id) + letters,
        due="" if row.due_at_ms is None else str(row.due_at_ms),
        urgency=str(row.urgency),
        assigned=row.assigned_to or "",
    )


def walk(query: RowQuery) -> Walk:
    """Give how to find a page. Raises: ValueError for a token that is not ours."""
    return Walk(
        index=query.order if query.team is None else f"{query.order}:{query.team}",
        after=_place(query, query.after).encode() + _END if query.after else b"",
        level=query.risk.rank if query.risk else 0,
        kind=_KINDS[query.kind] if query.kind else "",
        status=_STATUSES.get(query.status, "?") if query.status else "",
        skip=_URGENCY_DIGITS + _TIME_DIGITS if query.order == "queue" else _TIME_DIGITS,
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
    items = [stored(one, query.now_ms) for one in found[: query.limit]]
    more = paging.token(*_key(query, items[-1].row)) if len(found) > len(items) else None
    return RowPage(items, more, total)


def page_of_person(query: RowQuery, found: Sequence[Found]) -> RowPage:
    """Give the page of one person's rows: few enough to order here.

    Raises: ValueError for a token that is not ours.
    """
    start = paging.key(query.after, _shape(query)) if query.after else None
    rows = [one for one in (stored(each, query.now_ms) for each in found) if _fits(one, query)]
    rows.sort(key=lambda one: _key(query, one.row))
    left = [one for one in rows if start is None or _key(query, one.row) > start]
    items = left[: query.limit]
    more = paging.token(*_key(query, items[-1].row)) if len(left) > len(items) else None
    return RowPage(items, more, len(rows))


def _fits(one: StoredRow, query: RowQuery) -> bool:
    row, claim = one
    return (
        (query.order == "newest" or row.kind is not None)
        and query.team in {None, row.team}
        and query.status in {None, row.status}
        and query.kind in {None, row.kind}
        and row.risk.rank >= (query.risk or RiskLevel.NONE).rank
        and query.person in {row.assigned_to, claim.holder if claim else None}
    )


def _key(query: RowQuery, row: Row) -> tuple[str | int, ...]:
    if query.order == "queue":
        return (-row.urgency, row.waiting_since_ms or 0, row.session_id)
    return (-row.created_at_ms, row.session_id)


def _shape(query: RowQuery) -> tuple[type, ...]:
    return (int, int, str) if query.order == "queue" else (int, str)


def _place(query: RowQuery, token: str) -> str:
    key = paging.key(token, _shape(query))
    numbers = [part for part in key if isinstance(part, int)]
    session_id = str(key[-1])
    if query.order == "queue":
        return _queue_place(numbers[0], numbers[1], session_id)
    return _newest_place(numbers[0], session_id)


def _queue_place(minus_urgency: int, since_ms: int, session_id: str) -> str:
    urgency = _URGENCY_TOP + minus_urgency
    return f"{urgency:0{_URGENCY_DIGITS}d}{since_ms:0{_TIME_DIGITS}d}{session_id}"


def _newest_place(minus_created_ms: int, session_id: str) -> str:
    return f"{_TIME_TOP + minus_created_ms:0{_TIME_DIGITS}d}{session_id}"
