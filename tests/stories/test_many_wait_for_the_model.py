"""More sessions wait for a draft than the model can serve: the urgent first, people at once."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from service.session.duties import Policy
from service.stores.memory import MemoryStore
from service.worker import Worker
from tests.driving import Town, town
from tests.fakes import FaultyStore, WaitingEngine

MINUTE = 60_000
KEPT_MS = 48 * 60 * MINUTE


@pytest.fixture
async def here(engine: WaitingEngine) -> AsyncIterator[Town]:
    """A service whose decided replies are held for a minute."""
    async with town(engine=engine, policy=Policy(hold_ms=MINUTE)) as made:
        yield made


@asynccontextmanager
async def working(here: Town, turns: int = 1) -> AsyncIterator[Worker]:
    """A worker that goes round by itself, as it does in its process."""
    worker = Worker(here.house.ledger, here.ports, turns)
    running = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def until(holds: Callable[[], bool | Awaitable[bool]]) -> None:
    """Wait for what a worker does by itself."""
    async with asyncio.timeout(8):
        while True:
            found = holds()
            if found if isinstance(found, bool) else await found:
                return
            await asyncio.sleep(0.01)


async def say(here: Town, *texts: str) -> list[str]:
    """Open a session for each text; all of them wait for a draft."""
    sessions = [await here.open() for _ in texts]
    for session, text in zip(sessions, texts, strict=True):
        await here.say(session, text)
    return sessions


async def leased(here: Town, sessions: list[str]) -> int:
    """How many nobody else can take just now: everybody not due and not put aside."""
    now, left = here.clock.now_ms(), len(sessions)
    left -= len(await here.store.lease_due(now, now + 1, left, aside=True))
    return left - len(await here.store.lease_due(now, now + 1, left))


async def test_a_worker_holds_twice_as_many_sessions_as_it_has_slots(
    here: Town, engine: WaitingEngine
) -> None:
    sessions = await say(here, *["It was a long week."] * 60)
    async with working(here, turns=2):
        await until(lambda: len(engine.asked) >= 2)
        await asyncio.sleep(0.2)
        assert len(engine.asked) == 2
        assert len(asyncio.all_tasks()) < 20
        assert await leased(here, sessions) == 4


async def test_another_worker_finds_the_rest(here: Town, engine: WaitingEngine) -> None:
    await say(here, *["It was a long week."] * 9)
    async with working(here, turns=1):
        await until(lambda: len(engine.asked) >= 1)
        async with working(here, turns=4):
            await until(lambda: len(engine.asked) >= 5)
            await asyncio.sleep(0.1)
    assert len(engine.asked) == len(set(engine.asked)) == 5


async def test_who_is_in_danger_is_drafted_for_next_and_paged_at_once(
    here: Town, engine: WaitingEngine
) -> None:
    calm = await say(here, *["It was a long week."] * 40)
    async with working(here, turns=1):
        await until(lambda: len(engine.asked) >= 1)
        low, high = await say(here, "[low]", "[moderate]")
        await until(lambda: len(here.pager.pages) == 1)
        assert here.pager.pages[0].session_id == high
        assert len(engine.asked) == 1
        engine.may.set()
        await until(lambda: len(engine.asked) == 42)
    # One calm session waited for the slot already when they came.
    assert engine.asked.index(high) <= 2
    assert engine.asked.index(low) == engine.asked.index(high) + 1
    assert sorted(engine.asked) == sorted([*calm, low, high])


async def test_a_reply_leaves_and_an_alert_climbs_while_every_slot_is_taken(
    here: Town, engine: WaitingEngine
) -> None:
    engine.may.set()
    session = await here.drafted()
    assert (await here.decide("ada", session, "approve")).status_code == 201
    engine.may.clear()
    engine.asked.clear()
    (alarmed, *_) = await say(here, "[moderate]", *["[moderate]"] * 40)
    async with working(here, turns=1):
        await until(lambda: len(here.pager.pages) == 41)
        await until(lambda: len(engine.asked) >= 1)
        await asyncio.sleep(0.1)
        here.clock.tick(MINUTE)
        await until(lambda: _replied(here, session))
        here.clock.tick(15 * MINUTE)
        await until(lambda: len(here.pager.pages) == 82)
    tiers = [page.tier for page in here.pager.pages if page.session_id == alarmed]
    assert tiers == [0, 1]
    assert len(engine.asked) <= 2


async def test_everybody_is_drafted_for_once_by_any_number_of_workers(
    here: Town, engine: WaitingEngine
) -> None:
    engine.may.set()
    sessions = await say(here, *["It was a long week.", "[low]", "[moderate]"] * 12)
    async with working(here, turns=1), working(here, turns=2):
        await until(lambda: _drafted(here, sessions))
    assert len(engine.asked) == len(set(engine.asked)) == 36


async def test_who_was_put_aside_by_a_store_that_forgot_is_found_again(
    engine: WaitingEngine,
) -> None:
    store = MemoryStore()
    async with town(store, engine=engine) as here:
        sessions = await say(here, *["It was a long week."] * 4)
        async with working(here, turns=1):
            await until(lambda: len(store._aside) == 2)
        store._aside.clear()
        engine.may.set()
        await here.work(5 * MINUTE)
        assert await _drafted(here, sessions)


async def test_answers_given_to_clients_are_forgotten_by_the_worker_and_not_before(
    here: Town,
) -> None:
    async def forgotten() -> bool:
        return not await here.store.answers()  # type: ignore[attr-defined]

    await say(here, "It was a long week.")
    async with working(here):
        here.clock.tick(KEPT_MS - 1)
        await asyncio.sleep(1.2)
        assert not await forgotten()
        here.clock.tick(5 * MINUTE)
        await until(forgotten)


async def test_a_store_that_was_away_is_asked_to_forget_again(
    engine: WaitingEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    store = FaultyStore(1)
    async with town(store, engine=engine) as here:
        await say(here, "It was a long week.")
        here.clock.tick(KEPT_MS)
        store.rate = 1.0
        async with working(here):
            await asyncio.sleep(0.1)
            assert await store.answers()
            store.rate = 0.0
            await until(lambda: not store._answers)
    assert "store_unavailable" in capsys.readouterr().out


async def _replied(here: Town, session: str) -> bool:
    return any(one["kind"] == "reply" for one in await here.replies(session))


async def _drafted(here: Town, sessions: list[str]) -> bool:
    states = [await here.house.ledger.load(one) for one in sessions]
    return all(state.draft_is_fresh for state in states)
