"""Identifiers and time: milliseconds inside, RFC 3339 outside.

What belongs to a session carries the session's id within its own, so that a draft's, plan's,
alert's or decision's session is found without an index.
"""

import secrets
import time
from datetime import UTC, datetime

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_TIME_DIGITS, _RANDOM_DIGITS = 10, 16


class SystemClock:
    """The machine's clock."""

    def now_ms(self) -> int:
        """Give milliseconds since the epoch, UTC."""
        return time.time_ns() // 1_000_000


def moment(at_ms: int) -> datetime:
    """Give a moment, UTC."""
    return datetime.fromtimestamp(at_ms / 1000, UTC)


def maybe(at_ms: int | None) -> datetime | None:
    """Give a moment, or None."""
    return None if at_ms is None else moment(at_ms)


class RandomIds:
    """ULID-shaped ids: 48 bits of milliseconds, 80 random bits; they sort by time."""

    def new(self, prefix: str) -> str:
        """Give a fresh id such as ``ses_01J9...``."""
        stamp = _digits(SystemClock().now_ms(), _TIME_DIGITS)
        return f"{prefix}_{stamp}{_digits(secrets.randbits(80), _RANDOM_DIGITS)}"


def within(own: str, session_id: str) -> str:
    """Give an id that also says to which session it belongs."""
    return f"{own}.{session_id.partition('_')[2]}"


def session_of(own: str) -> str | None:
    """Give the session an id belongs to; None when it names none."""
    session = own.partition(".")[2]
    return f"ses_{session}" if session else None


def _digits(number: int, count: int) -> str:
    return "".join(_ALPHABET[number >> 5 * place & 31] for place in reversed(range(count)))
