"""Rows and documents in SQL: conditions, pages, and how one is put right. `sqlite` runs them."""

import sqlite3
from dataclasses import fields
from typing import Any, NamedTuple

from planner.vocabulary import Stage
from safety.risk import RiskLevel
from service.session.row import Row
from service.stores import paging
from service.stores.port import Claim, Conflict, Document, RowQuery, StoredRow

_FIELDS = tuple(field.name for field in fields(Row))
COLUMNS = ", ".join(_FIELDS)
_CLAIM = "claim_holder, claim_number, claim_until_ms"
_STORED = (*_FIELDS, "risk_rank")
SELECT = f"SELECT {COLUMNS}, {_CLAIM} FROM rows"  # noqa: S608  (our own column names)
_UPSERT = (
    f"INSERT INTO rows ({', '.join(_STORED)}) VALUES ({', '.join('?' * len(_STORED))}) "  # noqa: S608
    "ON CONFLICT (session_id) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _STORED[1:])
    + ", lease = lease + 1"
)
_ALERTS = "kind IS NOT 'alert', -urgency, COALESCE(waiting_since_ms, updated_at_ms), session_id"


class _List(NamedTuple):
    """A list in SQL; `paging.place` says the same of a row, part by part."""

    has: str | None
    """Which rows; must be the words of the index, or SQLite does not see that it fits."""
    key: str
    by: str


_LISTS = {
    "queue": _List(
        "kind IS NOT NULL",
        "-urgency, waiting_since_ms, session_id",
        "urgency DESC, waiting_since_ms, session_id",
    ),
    "alerts": _List("alert_id IS NOT NULL", _ALERTS, _ALERTS),
    "newest": _List(None, "-created_at_ms, session_id", "created_at_ms DESC, session_id"),
}


def stored(record: tuple[Any, ...], now_ms: int | None = None) -> StoredRow:
    """Give what `SELECT` found; claims that ended before ``now_ms`` count as none."""
    named = dict(zip(_FIELDS, record, strict=False))
    named |= {
        "stage": Stage(named["stage"]),
        "risk": RiskLevel(named["risk"]),
        "simulated": bool(named["simulated"]),
    }
    holder, number, until_ms = record[len(_FIELDS) :]
    live = number and (now_ms is None or until_ms > now_ms)
    return StoredRow(Row(**named), Claim(holder, number, until_ms) if live else None)


def conditions(query: RowQuery) -> tuple[str, list[Any]]:
    """Give the WHERE text and its values, the page's start left out."""
    wanted: list[tuple[str, Any]] = [
        ("team = ?", query.team),
        ("status = ?", query.status),
        ("kind = ?", query.kind),
        ("language = ?", query.language),
        ("risk_rank >= ?", query.risk.rank if query.risk else None),
    ]
    clauses = [text for text, value in wanted if value is not None]
    given = [value for _, value in wanted if value is not None]
    if (has := _LISTS[query.order].has) is not None:
        clauses.append(has)
    if query.person is not None:
        clauses.append("(assigned_to = ? OR (claim_holder = ? AND claim_until_ms > ?))")
        given += [query.person, query.person, query.now_ms]
    return " AND ".join(clauses) or "1", given


def page(link: sqlite3.Connection, query: RowQuery) -> tuple[list[StoredRow], str | None, int]:
    """Read a page, the next one's token and the total. Raises: paging.NotAToken."""
    where, given = conditions(query)
    counting = f"SELECT COUNT(*) FROM rows WHERE {where}"  # noqa: S608
    total = link.execute(counting, given).fetchone()[0] if query.counted else 0
    order = _LISTS[query.order]
    if query.after:
        after = paging.key(query.after, paging.shape(query.order))
        where += f" AND ({order.key}) > ({', '.join('?' * len(after))})"
        given += after
    sql = f"{SELECT} WHERE {where} ORDER BY {order.by} LIMIT ?"
    found = [
        stored(one, query.now_ms) for one in link.execute(sql, (*given, query.limit + 1)).fetchall()
    ]
    items = found[: query.limit]
    full = len(found) > len(items)
    more = paging.token(*paging.place(query.order, items[-1].row)) if full else None
    return items, more, total


def put(link: sqlite3.Connection, row: Row) -> None:
    """Write a row over the one there was; that ends leases and waits."""
    link.execute(_UPSERT, (*(getattr(row, name) for name in _FIELDS), row.risk.rank))
    link.execute("DELETE FROM aside WHERE session_id = ?", (row.session_id,))


def put_document(link: sqlite3.Connection, kind: str, document: Document) -> None:
    """See `Store.put_document`."""
    sql = "SELECT version FROM documents WHERE kind = ? AND key = ?"
    found = link.execute(sql, (kind, document.key)).fetchone()
    if (found[0] if found else 0) != document.version - 1:
        raise Conflict
    sql = "INSERT OR REPLACE INTO documents VALUES (?, ?, ?, ?)"
    link.execute(sql, (kind, document.key, document.version, document.body))


def misplaced(link: sqlite3.Connection, row: Row) -> list[str]:
    """See `Copyable.misplaced`.

    SQLite keeps the lists itself, all but the rank that they filter by.
    """
    sql = (
        "SELECT (SELECT MAX(seq) FROM events WHERE session_id = ?), "
        "(SELECT risk_rank FROM rows WHERE session_id = ?)"
    )
    seq, rank = link.execute(sql, (row.session_id, row.session_id)).fetchone()
    if (seq or 0) != row.seq:
        raise Conflict
    return [] if rank == row.risk.rank else ["queue", "alerts"]


def mend(link: sqlite3.Connection, row: Row) -> None:
    """See `Copyable.mend`."""
    misplaced(link, row)
    put(link, row)
