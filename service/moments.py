"""Milliseconds inside, RFC 3339 outside."""

from datetime import UTC, datetime


def moment(at_ms: int) -> datetime:
    """Give a moment, UTC."""
    return datetime.fromtimestamp(at_ms / 1000, UTC)


def maybe(at_ms: int | None) -> datetime | None:
    """Give a moment, or None."""
    return None if at_ms is None else moment(at_ms)
