"""What a session costs to keep and to find again: bytes a turn, the fold, the queue."""

import asyncio
import time
from pathlib import Path

from service.ledger import Ledger
from service.review import QueueWindow, read_queue
from service.session.evolve import fold
from service.stores.port import Store
from tests.bench.figures import Spread, Stopwatch, spread
from tests.bench.in_process import REVIEWER, Bureau, bureau
from tests.contract.making import opened, waiting
from tests.driving import MASTER

_TOGETHER = 500
EVENTS = 500


async def sizes(folder: Path) -> dict[str, float]:
    """Give bytes a turn around turn 20 and turn 100, and how long 500 events take to load."""
    async with bureau(folder) as here:
        session = await here.open()
        at: dict[int, int] = {}
        for number in range(1, 101):
            await here.turn(session)
            if number in {10, 20, 90, 100}:
                at[number] = here.bytes()
        while len(await here.store.read(session)) < EVENTS:
            await here.turn(session)
        load_ms, fold_ms = await _folds(here, session)
    return {
        "at_20": (at[20] - at[10]) / 10, "at_100": (at[100] - at[90]) / 10,
        "load_ms": load_ms, "fold_ms": fold_ms,
    }  # fmt: skip


async def _folds(here: Bureau, session: str) -> tuple[float, float]:
    """Medians of reading, opening and folding a log that no memory holds; and of folding alone."""
    loads, folds = Stopwatch(), Stopwatch()
    ports, policy = here.house.ports, here.house.ledger.policy
    log = list((await here.house.ledger.events(session, 0)).values())[:EVENTS]
    for _ in range(30):
        fresh = Ledger(here.store, MASTER, ports.clock, policy)
        with loads:
            await fresh.load(session)
        with folds:
            fold(session, log)
    return spread(loads.waits).p50_ms, spread(folds.waits).p50_ms


async def queue(folder: Path, sessions: int, looks: int = 300) -> Spread:
    """How long the queue's first page takes while so many sessions wait."""
    async with bureau(folder, working=False) as here:
        await fill(here.store, sessions)
        watch = Stopwatch()
        for _ in range(looks):
            with watch:
                page = await read_queue(here.house, REVIEWER, QueueWindow())
            assert page.total == sessions
    return spread(watch.waits)


async def fill(store: Store, sessions: int) -> None:
    """Write so many sessions that wait for a human, without words."""
    now = round(time.time() * 1000)
    for first in range(0, sessions, _TOGETHER):
        async with asyncio.TaskGroup() as tasks:
            for number in range(first, min(first + _TOGETHER, sessions)):
                row = waiting(
                    f"ses_{number:08d}", since_ms=now - number % 86_400_000,
                    urgency=number % 23, created_at_ms=now, updated_at_ms=now,
                )  # fmt: skip
                tasks.create_task(store.append(opened(row)))
