"""One thread writes. Requests that arrive together share one commit, and one wait for the disk."""

import asyncio
import queue
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from service.stores.port import StoreUnavailable

_TOGETHER = 128
"""Most writes one commit carries; more only wait for the next."""
_BUSY_TIMEOUT_S = 10.0
"""How long a write waits for another process that is writing."""
_TRIES, _PAUSE_S = 20, 0.2
"""How often to ask for the log when readers hold it."""
_ASKING_S = 0.05
"""How long one such try may stand: every write waits behind it."""

Job = Callable[[sqlite3.Connection], Any]


@dataclass(frozen=True, slots=True)
class _Asked:
    job: Job
    loop: asyncio.AbstractEventLoop
    done: asyncio.Future[Any]
    durable: bool


def connect(
    path: Path, *, readonly: bool = False, patience_s: float = _BUSY_TIMEOUT_S
) -> sqlite3.Connection:
    """Open the database: write-ahead log, every commit on the disk before it counts.

    `patience_s`: how long a statement waits for other connections. Raises: StoreUnavailable.
    """
    try:
        link = sqlite3.connect(
            path, timeout=patience_s, isolation_level=None, check_same_thread=False
        )
        link.execute("PRAGMA journal_mode=WAL")
        link.execute("PRAGMA synchronous=FULL")
        # Overwritten rows leave no readable bytes behind: erasing a key means it.
        link.execute("PRAGMA secure_delete=ON")
        if readonly:
            link.execute("PRAGMA query_only=ON")
    except sqlite3.Error as error:
        raise StoreUnavailable(type(error).__name__) from error
    return link


def empty_log(path: Path, tries: int = _TRIES) -> bool:
    """Bring everything into the main file and cut the write-ahead log to nothing.

    A destroyed key stands in the log's older pages until then. False when readers never made
    room: the next erasure or start tries again. Raises: StoreUnavailable.
    """
    link = connect(path, patience_s=_ASKING_S)
    try:
        for attempt in range(tries):
            if attempt:
                time.sleep(_PAUSE_S)
            busy, _, _ = link.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if not busy:
                return True
    except sqlite3.Error as error:
        raise StoreUnavailable(type(error).__name__) from error
    finally:
        link.close()
    return False


def disk_used_ratio(path: Path) -> float:
    """Give how much of the disk under the database is taken, by whatever.

    Raises: StoreUnavailable.
    """
    try:
        disk = shutil.disk_usage(path)
    except OSError as error:
        raise StoreUnavailable(type(error).__name__) from error
    # Not of the total: what is kept for root is no room of ours.
    return disk.used / (disk.used + disk.free)


class Writer:
    """Runs jobs one after the other on its own connection, many in one transaction."""

    def __init__(self, path: Path) -> None:
        self._link = connect(path)
        self._version = _version(self._link)
        self.strange = 0
        """Grows where somebody else was found to have written, or nobody told of what we did."""
        self._asked: queue.SimpleQueue[_Asked | Literal["look"] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="sqlite-writer", daemon=True)
        self._thread.start()

    async def run(self, job: Job, durable: bool = True) -> Any:
        """Run a job in a transaction; return once it is on the disk, or raise what it raised.

        What need not survive a power cut, such as a lease, does not wait for the disk.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Any] = loop.create_future()
        self._asked.put(_Asked(job, loop, done, durable))
        try:
            return await asyncio.shield(done)
        except asyncio.CancelledError:
            # It is written all the same, and whoever would have told the others is gone.
            done.add_done_callback(lambda _: self._untold())
            raise

    def look(self) -> None:
        """Have the thread look soon whether somebody else wrote, without taking the write lock.

        A connection is told of all commits but its own, and only this one commits for us.
        """
        self._asked.put("look")

    def close(self) -> None:
        """Finish what was asked, then stop."""
        self._asked.put(None)
        self._thread.join()
        self._link.close()

    def _work(self) -> None:
        more = True
        while more:
            together, more = self._gathered()
            self._notice()
            if together:
                self._commit(together)

    def _gathered(self) -> tuple[list[_Asked], bool]:
        """Wait for what is asked, then take all that is; and whether more may come."""
        together: list[_Asked] = []
        while len(together) < _TOGETHER:
            following = self._asked.get()
            if following is None:
                return together, False
            if following != "look":
                together.append(following)
            if self._asked.empty():
                break
        return together, True

    def _untold(self) -> None:
        self._version = None
        self.look()

    def _notice(self) -> None:
        version = _version(self._link)
        if version is None or version != self._version:
            self._version = version
            self.strange += 1

    def _commit(self, together: list[_Asked]) -> None:
        results: list[tuple[_Asked, Any, Exception | None]] = []
        wait = "FULL" if any(asked.durable for asked in together) else "NORMAL"
        try:
            self._link.execute(f"PRAGMA synchronous={wait}")
            self._link.execute("BEGIN IMMEDIATE")
            results.extend((asked, *self._attempt(asked.job)) for asked in together)
            self._link.execute("COMMIT")
        except sqlite3.Error as error:
            if self._link.in_transaction:
                self._link.execute("ROLLBACK")
            down = StoreUnavailable(type(error).__name__)
            results = [(asked, None, down) for asked in together]
        for asked, result, failure in results:
            _tell(asked, result, failure)

    def _attempt(self, job: Job) -> tuple[Any, Exception | None]:
        """Run one job so that its refusal takes back its own writes and nobody else's."""
        self._link.execute("SAVEPOINT job")
        try:
            result = job(self._link)
        except sqlite3.Error:
            raise
        except Exception as refusal:  # noqa: BLE001  (handed to whoever asked, in their own task)
            self._link.execute("ROLLBACK TO job")
            return None, refusal
        finally:
            if self._link.in_transaction:
                self._link.execute("RELEASE job")
        return result, None


def _version(link: sqlite3.Connection) -> int | None:
    """What changes with every commit of another connection; None where it cannot be read."""
    try:
        return link.execute("PRAGMA data_version").fetchone()[0]
    except sqlite3.Error:
        return None


def _tell(asked: _Asked, result: Any, failure: Exception | None) -> None:
    def settle() -> None:
        if asked.done.done():
            return
        if failure is None:
            asked.done.set_result(result)
        else:
            asked.done.set_exception(failure)

    if not asked.loop.is_closed():
        asked.loop.call_soon_threadsafe(settle)
