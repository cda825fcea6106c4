"""Lists and their page tokens: opaque to readers, a sort key to us. The same for every store."""

import base64
import binascii
import json

from pydantic import TypeAdapter

from service.session.row import Row
from service.stores.port import Order

_LIST = TypeAdapter(list[str | int])
_LARGEST = 2**63
"""Stores keep integers of 64 bits; a larger one in a token is not ours."""


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
    """Give the sort key of a token. Raises: ValueError when it is not one of ours."""
    try:
        padded = opaque + "=" * (-len(opaque) % 4)
        parts = _LIST.validate_json(base64.urlsafe_b64decode(padded.encode("ascii", "strict")))
    except (binascii.Error, UnicodeError, ValueError) as error:
        raise ValueError("not a page token") from error
    fits = all(abs(part) < _LARGEST for part in parts if isinstance(part, int))
    if [type(part) for part in parts] != list(shape) or not fits:
        raise ValueError("not a page token")
    return tuple(parts)
