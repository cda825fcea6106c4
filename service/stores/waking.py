"""Waking those who wait for a change, inside one process."""

import asyncio


class Waker:
    """Counts changes; anybody may wait for the next one."""

    def __init__(self) -> None:
        self._mark = 0
        self._waiting: set[asyncio.Future[None]] = set()

    def wake(self) -> None:
        """Say that something changed."""
        self._mark += 1
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)

    async def changed(self, seen: int, timeout_s: float) -> int:
        """Wait for a change after ``seen``, at most ``timeout_s``; give the mark now."""
        if self._mark == seen:
            future = asyncio.get_running_loop().create_future()
            self._waiting.add(future)
            try:
                await asyncio.wait({future}, timeout=timeout_s)
            finally:
                self._waiting.discard(future)
        return self._mark
