"""Lists, their pages and page tokens: opaque to readers, a sort key to us. One for every store."""

import base64
import binascii
import json
from collections.abc import Iterable

from pydantic import TypeAdapter

from service.session.row import Row
from service.stores.port import Order, RowPage, RowQuery, StoredRow

_LIST = TypeAdapter(list[str | int])
_LARGEST = 2**63
"""Stores keep integers of 64 bits; a larger one in a token is not ours."""


class NotAToken(ValueError):
    """A page token that is not one of ours."""

    def __init__(self) -> None:
        super().__init__("not a page token")


def listed(order: Order, row: Row) -> bool:
    """Say whether a list has this row, its filters left out."""
    match order:
        case "queue":
            return row.kind is not None
        case "alerts":
            return row.alert_id is not None
        case "newest":
            return True


def place(order: Order, row: Row) -> tuple[str | int, ...]:
    """Give the sort key of a row in a list.

    Among alerts, what still asks for a human comes first: moderate ones that were seen and never
    resolved may be many, and must not push an unseen one off the first page.
    """
    match order:
        case "queue":
            return (-row.urgency, row.waiting_since_ms or 0, row.session_id)
        case "alerts":
            waits = row.waiting_since_ms
            since = row.updated_at_ms if waits is None else waits
            return (int(row.kind != "alert"), -row.urgency, since, row.session_id)
        case "newest":
            return (-row.created_at_ms, row.session_id)


def shape(order: Order) -> tuple[type, ...]:
    """Give what the parts of a list's sort keys are."""
    match order:
        case "queue":
            return (int, int, str)
        case "alerts":
            return (int, int, int, str)
        case "newest":
            return (int, str)


def token(*key: str | int) -> str:
    """Give the opaque token of a sort key."""
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


def key(opaque: str, shape: tuple[type, ...]) -> tuple[str | int, ...]:
    """Give the sort key of a token. Raises: NotAToken when it is not one of ours."""
    try:
        padded = opaque + "=" * (-len(opaque) % 4)
        parts = _LIST.validate_json(base64.urlsafe_b64decode(padded.encode("ascii", "strict")))
    except (binascii.Error, UnicodeError, ValueError) as error:
        raise NotAToken from error
    fits = all(abs(part) < _LARGEST for part in parts if isinstance(part, int))
    if [type(part) for part in parts] != list(shape) or not fits:
        raise NotAToken
    return tuple(parts)


def page(query: RowQuery, rows: Iterable[StoredRow]) -> RowPage:
    """Give the page of rows that are at hand, in any order, with the claims that hold now.

    Raises: NotAToken.
    """
    start = key(query.after, shape(query.order)) if query.after else None
    fitting = [one for one in rows if _fits(one, query)]
    placed = sorted(((place(query.order, one.row), one) for one in fitting), key=lambda it: it[0])
    left = [(at, one) for at, one in placed if start is None or at > start]
    found = left[: query.limit]
    more = token(*found[-1][0]) if len(left) > len(found) else None
    return RowPage([one for _, one in found], more, len(fitting) if query.counted else 0)


def _fits(one: StoredRow, query: RowQuery) -> bool:
    row, claim = one
    return (
        listed(query.order, row)
        and query.team in {None, row.team}
        and query.status in {None, row.status}
        and query.kind in {None, row.kind}
        and query.language in {None, row.language}
        and (query.risk is None or row.risk.at_least(query.risk))
        and query.person in {None, row.assigned_to, claim.holder if claim else None}
    )
