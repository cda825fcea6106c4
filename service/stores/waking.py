"""Waking those who wait for a change, inside one process."""

import asyncio

from service.session.row import Row
from service.stores.port import ALERTS

_ANYTHING = ""
_REMEMBERED = 10_000
"""Sessions whose newest change is remembered; one more, and all of them count as just changed."""


def topics(row: Row) -> tuple[str, ...]:
    """Give what putting a row is about, for those who wait for that alone."""
    asks = row.kind == "alert" and row.alert_id is not None
    return (row.session_id, ALERTS) if asks else (row.session_id,)


class Waker:
    """Counts changes; anybody may wait for the next one, or for the next about one thing."""

    def __init__(self) -> None:
        self._mark = 0
        self._unknown = 0
        """The newest change that may have been about anything."""
        self._newest: dict[str, int] = {}
        self._waiting: dict[str, set[asyncio.Future[None]]] = {}

    def wake(self, *about: str) -> None:
        """Say that something changed; where nobody knows what, everybody wakes."""
        self._mark += 1
        if not about or len(self._newest) >= _REMEMBERED:
            self._unknown = self._mark
            self._newest.clear()
            heard = tuple(self._waiting)
        else:
            self._newest |= dict.fromkeys(about, self._mark)
            heard = (_ANYTHING, *about)
        for one in heard:
            for waiting in self._waiting.get(one, ()):
                if not waiting.done():
                    waiting.set_result(None)

    async def changed(self, seen: int, timeout_s: float, about: str = _ANYTHING) -> int:
        """Wait for a change after ``seen``, at most ``timeout_s``; give the mark now."""
        if not self.news(seen, about):
            future = asyncio.get_running_loop().create_future()
            others = self._waiting.setdefault(about, set())
            others.add(future)
            try:
                await asyncio.wait({future}, timeout=timeout_s)
            finally:
                others.discard(future)
                if not others:
                    self._waiting.pop(about, None)
        return self._mark

    def news(self, seen: int, about: str = _ANYTHING) -> bool:
        """Whether something changed after ``seen`` that was about that, or may have been."""
        newest = max(self._unknown, self._newest.get(about, 0)) if about else self._mark
        return newest > seen
