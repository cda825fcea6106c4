"""Streams: a client app hears each reply once and can resume; a console hears of changes."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from service import streams
from tests.driving import Town


async def heard(stream: AsyncGenerator, count: int) -> list[tuple[str, dict]]:
    """Take so many events off a stream."""
    found = []
    async with asyncio.timeout(5), aclosing(stream) as told:
        async for one in told:
            found.append((one.event, {**json.loads(one.data), "last": one.id}))
            if len(found) == count:
                break
    return found


async def test_a_reply_is_told_as_it_leaves(here: Town) -> None:
    session = await here.drafted()
    waiting = asyncio.create_task(heard(streams._replies(here.house, session, 0), 2))
    await asyncio.sleep(0)
    await here.decide("ada", session, "approve")
    (status, reply) = await waiting
    assert (status[0], status[1]["status"]) == ("status", "open")
    assert (reply[0], reply[1]["kind"]) == ("reply", "reply")


async def test_a_stream_resumes_after_the_last_event_it_gave(here: Town) -> None:
    session = await here.drafted()
    await here.decide("ada", session, "approve")
    first = (await heard(streams._replies(here.house, session, 0), 1))[0][1]
    await here.say(session, "Go on.")
    await here.work()
    await here.decide("ada", session, "approve")
    told = await heard(streams._replies(here.house, session, int(first["last"])), 2)
    assert [kind for kind, _ in told] == ["reply", "status"]
    assert told[0][1]["seq"] > first["seq"]


async def test_a_console_hears_ids_and_never_words(here: Town) -> None:
    session = await here.drafted("A word that nobody else would ever use: quixotry.")
    told = await heard(streams._queue(here.house, "north"), 1)
    assert told[0][1]["session_id"] == session
    assert "quixotry" not in str(told)


async def test_a_console_hears_when_a_session_leaves_the_queue(here: Town) -> None:
    session = await here.drafted()
    waiting = asyncio.create_task(heard(streams._queue(here.house, "north"), 2))
    await asyncio.sleep(0.05)
    await here.decide("ada", session, "approve")
    told = await waiting
    assert told[1][1] == {"session_id": session, "kind": None, "last": None}


@pytest.mark.parametrize("place", ["yesterday", "-1", "1.5", "", "999999", "9" * 64])
async def test_a_last_event_id_that_is_not_ours_is_refused(here: Town, place: str) -> None:
    session = await here.open()
    path = f"/v1/sessions/{session}/stream"
    answer = await here.call("app", "GET", path, Last_Event_ID=place)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
