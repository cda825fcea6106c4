"""Identifiers and time: milliseconds inside, RFC 3339 outside.

What belongs to a session carries the session's id within its own, so that a draft's, plan's,
alert's or decision's session is found without an index.
"""

import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_TIME_DIGITS, _RANDOM_DIGITS = 10, 16
_IN_STEP_MS = 1_000
"""As far apart as clocks that are kept in step may be."""
_BELIEVED_S = 600.0
"""How long a reading counts, so that one wrong clock does not count for good."""
_FARTHEST_MS = 86_400_000


class _Clock(Protocol):
    def now_ms(self) -> int: ...


class SystemClock:
    """The machine's clock."""

    def now_ms(self) -> int:
        """Give milliseconds since the epoch, UTC."""
        return time.time_ns() // 1_000_000


class LatestClock:
    """A clock that is not behind the newest time read in a log, and goes on from there.

    Where a log is ahead of this machine, one of two clocks is wrong. Which one nobody here can
    tell, so neither is trusted to make anybody wait: see `judging`. Readings more than a day ahead
    count as a day.
    """

    def __init__(self, clock: _Clock, ticking: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._ticking = clock, ticking
        self._newest_ms, self._read_s = 0, 0.0

    def hear(self, at_ms: int) -> None:
        """Take note of a time that stands in a log."""
        own_ms = self._clock.now_ms()
        if at_ms > max(own_ms + _IN_STEP_MS, self.now_ms()):
            self._newest_ms = min(at_ms, own_ms + _FARTHEST_MS)
            self._read_s = self._ticking()

    def now_ms(self) -> int:
        """Give the later of this machine's time and that of the newest log."""
        # By a clock that nobody sets: once this machine's has been put right it is the later one.
        gone_s = self._ticking() - self._read_s
        heard_ms = self._newest_ms + int(gone_s * 1_000) if gone_s < _BELIEVED_S else 0
        return max(self._clock.now_ms(), heard_ms)

    def behind_ms(self) -> int:
        """Give how far this machine's clock is behind; 0 where it is not."""
        return self.now_ms() - self._clock.now_ms()

    def judging(self, updated_at_ms: int) -> int:
        """Give the time to judge a log by whose newest event is from then.

        Ours, unless that event is ahead of it: what was written by our time runs by our time.
        """
        own_ms = self._clock.now_ms()
        return own_ms if updated_at_ms <= own_ms else max(updated_at_ms, self.now_ms())


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
