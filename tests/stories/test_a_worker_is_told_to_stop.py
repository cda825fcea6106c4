"""A worker that is told to stop ends what it has begun, and leaves the rest to others at once."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from service.stores.port import StoreUnavailable
from service.worker import Worker
from tests.driving import Town, town
from tests.fakes import WaitingEngine
from tests.stories.test_many_wait_for_the_model import leased, say, until


@pytest.fixture
async def here(engine: WaitingEngine) -> AsyncIterator[Town]:
    """A service whose model is busy."""
    async with town(engine=engine) as made:
        yield made


def started(
    here: Town, turns: int, drain_s: float = 30.0
) -> tuple[asyncio.Task[None], asyncio.Event]:
    """A worker at work, and how to tell it to stop."""
    stopping = asyncio.Event()
    worker = Worker(here.house.ledger, here.ports, turns, stopping)
    return asyncio.create_task(worker.run(drain_s)), stopping


async def goes(running: asyncio.Task[None]) -> None:
    """Wait for a worker that goes by itself."""
    async with asyncio.timeout(5):
        await running


async def drafts(here: Town, sessions: list[str]) -> list[bool]:
    """Which sessions have a draft."""
    return [(await here.house.ledger.load(one)).draft is not None for one in sessions]


async def test_what_runs_is_finished_and_what_waits_is_left_to_others_at_once(
    here: Town, engine: WaitingEngine
) -> None:
    sessions = await say(here, *["It was a long week."] * 6)
    running, stopping = started(here, turns=1)
    await until(lambda: len(engine.asked) == 1)
    await asyncio.sleep(0.1)
    stopping.set()
    await asyncio.sleep(0.2)
    assert await leased(here, sessions) == 1
    late = await say(here, "Nobody begins on this.")
    engine.may.set()
    await goes(running)
    assert len(set(engine.asked)) == 1
    assert sum(await drafts(here, sessions)) == 1
    assert await drafts(here, late) == [False]


async def test_a_turn_that_does_not_end_is_cut_off_and_another_worker_does_it(
    here: Town, engine: WaitingEngine
) -> None:
    (session,) = await say(here, "It was a long week.")
    running, stopping = started(here, turns=1, drain_s=0.1)
    await until(lambda: len(engine.asked) == 1)
    stopping.set()
    await goes(running)
    assert await drafts(here, [session]) == [False]
    engine.may.set()
    await here.work(15_000)
    assert await drafts(here, [session]) == [True]


async def test_who_is_told_to_stop_while_idle_or_before_it_began_ends_soon(here: Town) -> None:
    running, stopping = started(here, turns=2)
    await asyncio.sleep(0.05)
    stopping.set()
    await goes(running)
    session = await here.open()
    await here.say(session, "Hello.")
    running, stopping = started(here, turns=2)
    stopping.set()
    await goes(running)
    assert await drafts(here, [session]) == [False]


async def test_it_ends_though_the_store_is_away(here: Town, engine: WaitingEngine) -> None:
    await say(here, "It was a long week.", "And another one.")
    running, stopping = started(here, turns=1)
    await until(lambda: len(engine.asked) == 1)
    await asyncio.sleep(0.1)

    async def away(*_: object, **__: object) -> bool:
        raise StoreUnavailable("keep_lease")

    here.store.keep_lease = away  # type: ignore[method-assign]
    stopping.set()
    engine.may.set()
    await goes(running)
