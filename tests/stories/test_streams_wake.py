"""Streams wake for what concerns them, and for nothing else."""

import asyncio
from contextlib import aclosing

import pytest

from service import streams
from tests.contract.test_two_ledgers import LosingStore
from tests.driving import town
from tests.listening import Watched, ended, listener, opened


async def test_what_others_do_makes_nobody_look() -> None:
    store = Watched()
    async with town(store) as here:
        sessions = [await here.open() for _ in range(20)]
        told = [streams._replies(listener(here, "app"), one, 0) for one in sessions]
        for one in told:
            await anext(one)
        waiting = [asyncio.create_task(anext(one, None)) for one in told]
        other = await here.open()
        await asyncio.sleep(2 * streams._REST_S)
        before = store.reads
        store.looked_at.clear()
        await here.claim("ada", other)
        alone = store.reads - before
        await asyncio.sleep(2 * streams._REST_S)
        assert store.reads - before == alone <= 1
        assert not set(store.looked_at) & set(sessions)
        for one in waiting:
            one.cancel()
        await asyncio.wait(waiting)


async def test_a_console_rests_between_two_looks_but_not_when_an_alert_comes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(streams, "_CALM_S", streams._REST_S)
    store = Watched()
    async with town(store) as here:
        sessions = [await here.open() for _ in range(4)]

        async def alert() -> None:
            async with aclosing(streams._queue(listener(here, "ada"))) as told:
                async for one in told:
                    if one.event == "alert":
                        return

        hears = asyncio.create_task(alert())
        async with asyncio.timeout(10):
            await store.somebody_waits()
        monkeypatch.setattr(streams, "_CALM_S", 30.0)
        store.lists = 0
        for one in sessions:
            await here.say(one, "Hello.")
            await asyncio.sleep(0.05)
        await asyncio.sleep(2 * streams._REST_S)
        assert store.lists == len(("queue", "alerts"))
        await here.say(sessions[0], "[moderate]")
        async with asyncio.timeout(10):
            await hears


async def test_a_stream_ends_where_its_log_was_cut_so_that_no_later_reply_passes_for_told() -> None:
    store = LosingStore()
    async with town(store) as here:
        session = await here.drafted()
        store.replicate()
        stream = await opened(here, session)
        await here.decide("ada", session, "approve")
        await asyncio.sleep(2 * streams._REST_S)
        (lost,) = await here.replies(session)
        store.fail_over()
        await here.call("ada", "POST", f"/v1/sessions/{session}/claim", {})
        told = await ended(stream)
        assert told.count("event: reply") == 1
        assert lost["reply_id"] in told
        path = f"/v1/sessions/{session}/stream"
        again = await here.call("app", "GET", path, Last_Event_ID=str(lost["seq"]))
        assert (again.status_code, again.json()["code"]) == (422, "invalid_request")


async def test_a_stream_ends_quietly_while_the_store_is_away() -> None:
    store = Watched()
    async with town(store) as here:
        session = await here.open()
        stream = await opened(here, session)
        store.away = True
        await here.call("ada", "POST", f"/v1/sessions/{session}/claim", {})
        assert "event: status" in await ended(stream)
