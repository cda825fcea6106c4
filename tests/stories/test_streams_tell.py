"""Streams: a client app hears each reply once and can resume; a console hears of changes.

Who opened a stream is asked again while it lasts, and it does not last for ever.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import aclosing

import pytest

from service import auth, streams
from service.auth import Caller, KeyRecord, revoke
from service.limits import Seats
from tests.driving import Town
from tests.listening import ended, heard, listener, listens, opened, outlast


async def test_a_reply_is_told_as_it_leaves(here: Town) -> None:
    session = await here.drafted()
    waiting = asyncio.create_task(heard(streams._replies(listener(here, "app"), session, 0), 2))
    await asyncio.sleep(0)
    await here.decide("ada", session, "approve")
    (status, reply) = await waiting
    assert (status[0], status[1]["status"]) == ("status", "open")
    assert (reply[0], reply[1]["kind"]) == ("reply", "reply")


async def test_a_reply_stays_in_one_line_whatever_the_reader_of_lines_takes_for_an_end(
    here: Town,
) -> None:
    session, words = await here.drafted(), "I hear you.\u2028What was hardest?"
    await here.decide("ada", session, "edit", text=words, reasons=["style"])
    (told,) = await heard(streams._replies(listener(here, "app"), session, 0), 1)
    assert told[1]["text"] == words
    async with aclosing(streams._replies(listener(here, "app"), session, 0)) as stream:
        raw = (await anext(stream)).encode().decode()
    assert sum(line.startswith("data: ") for line in raw.splitlines()) == 1
    assert words.splitlines()[1] in next(one for one in raw.splitlines() if "data: " in one)


async def test_a_stream_resumes_after_the_last_event_it_gave(here: Town) -> None:
    session = await here.drafted()
    await here.decide("ada", session, "approve")
    first = (await heard(streams._replies(listener(here, "app"), session, 0), 1))[0][1]
    await here.say(session, "Go on.")
    await here.work()
    await here.decide("ada", session, "approve")
    told = await heard(streams._replies(listener(here, "app"), session, int(first["last"])), 2)
    assert [kind for kind, _ in told] == ["reply", "status"]
    assert told[0][1]["seq"] > first["seq"]


async def test_a_console_hears_ids_and_never_words(here: Town) -> None:
    session = await here.drafted("A word that nobody else would ever use: quixotry.")
    told = await heard(streams._queue(listener(here, "ada")), 1)
    assert told[0][1]["session_id"] == session
    assert "quixotry" not in str(told)


async def test_a_console_hears_when_a_session_leaves_the_queue(here: Town) -> None:
    session = await here.drafted()
    waiting = asyncio.create_task(heard(streams._queue(listener(here, "ada")), 2))
    await asyncio.sleep(0.05)
    await here.decide("ada", session, "approve")
    told = await waiting
    assert told[1][1] == {"session_id": session, "kind": None, "last": None}


async def test_a_session_that_is_only_pushed_back_has_not_left(
    here: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "_SHOWN", 1)
    monkeypatch.setattr(streams, "_REST_S", 0.01)
    first = await here.drafted()
    waiting = asyncio.create_task(heard(streams._queue(listener(here, "ada")), 3))
    await asyncio.sleep(0.05)
    second = await here.open()
    await here.say(second, "[moderate]")
    await asyncio.sleep(0.1)
    assert not waiting.done(), "it was said to have left"
    await here.decide("ada", first, "approve")
    told = await waiting
    assert [(one["session_id"], one["kind"]) for _, one in told] == [
        (first, "draft"), (second, "alert"), (first, None),
    ]  # fmt: skip


async def test_a_console_hears_how_an_alert_goes_that_waits_in_no_queue(here: Town) -> None:
    session, alert = await here.alarmed("moderate")
    await here.acknowledge("ada", alert)
    await here.call("app", "POST", f"/v1/sessions/{session}/close")
    waiting = asyncio.create_task(heard(streams._queue(listener(here, "ada")), 2))
    await asyncio.sleep(0.05)
    done = {"outcome": "safe", "note": "We spoke on the phone."}
    await here.call("ada", "POST", f"/v1/alerts/{alert}/resolve", done)
    told = await waiting
    assert (told[0][0], told[0][1]["alert_id"]) == ("alert", alert)
    assert told[1][1] == {"session_id": session, "kind": None, "last": None}


@pytest.mark.parametrize("place", ["yesterday", "-1", "1.5", "", "999999", "9" * 64])
async def test_a_last_event_id_that_is_not_ours_is_refused(here: Town, place: str) -> None:
    session = await here.open()
    path = f"/v1/sessions/{session}/stream"
    answer = await here.call("app", "GET", path, Last_Event_ID=place)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


async def _revoked(here: Town) -> None:
    await revoke(here.store, here.master, here.prefix("app"))


async def _of_another_team(here: Town) -> None:
    kept = await here.store.document("api_key", here.prefix("app"))
    assert kept is not None
    record = KeyRecord.model_validate_json(kept.body).model_copy(update={"team": "south"})
    await auth._keep(here.store, here.master, kept, record)


@pytest.mark.parametrize("end", [_revoked, _of_another_team])
async def test_who_may_no_longer_listen_hears_no_more_words(
    here: Town, end: Callable[[Town], Coroutine[None, None, None]]
) -> None:
    session = await here.drafted()
    stream = await opened(here, session)
    await end(here)
    here.clock.tick(6_000)
    await here.decide("ada", session, "approve")
    told = await ended(stream)
    assert "event: status" in told
    assert "event: reply" not in told


async def test_a_stream_ends_with_its_key_though_nothing_is_said(here: Town) -> None:
    session = await here.open()
    until_ms = here.clock.now_ms() + 60_000
    await here.admit("brief", Caller("brief", "client_app", "north"), until_ms)
    stream = await opened(here, session, "brief")
    here.clock.tick(61_000)
    await here.claim("ada", session)
    assert "event: status" in await ended(stream)
    assert (await here.call("brief", "GET", f"/v1/sessions/{session}/stream")).status_code == 401


async def test_a_console_hears_nothing_more_either(here: Town) -> None:
    stream = await listens(here, "ada")
    await revoke(here.store, here.master, here.prefix("ada"))
    here.clock.tick(16_000)
    session = await here.open()
    await here.say(session, "Hello.")
    assert session not in await ended(stream)


async def test_whoever_may_listen_is_asked_again_and_hears_on(here: Town) -> None:
    session = await here.drafted()
    stream = await opened(here, session)
    here.clock.tick(60_000)
    await here.decide("ada", session, "approve")
    await asyncio.sleep(2 * streams._REST_S)
    await here.call("sue", "DELETE", f"/v1/sessions/{session}")
    told = await ended(stream)
    assert told.count("event: reply") == 1
    assert '"status": "erased"' in told


async def test_a_stream_ends_after_some_minutes_and_misses_nothing(here: Town) -> None:
    session = await here.drafted()
    stream = await opened(here, session)
    await outlast(here, session)
    assert "event: reply" not in await ended(stream)
    await here.decide("ada", session, "approve")
    told = await heard(streams._replies(listener(here, "app"), session, 0), 1)
    assert told[0][0] == "reply"


async def test_a_caller_has_so_many_streams_and_gets_their_places_back(here: Town) -> None:
    here.refit(seats=Seats(apps=2))
    session = await here.open()
    open_ones = [await opened(here, session) for _ in range(2)]
    refused = await here.call("app", "GET", f"/v1/sessions/{session}/stream")
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert refused.headers["Retry-After"] == "1"
    unknown = await here.call("far_app", "GET", f"/v1/sessions/{session}/stream")
    assert unknown.status_code == 404
    await outlast(here, session)
    for one in open_ones:
        await ended(one)
    again = await opened(here, session)
    assert not again.done()
    again.cancel()
    await asyncio.wait({again})
    assert not here.house.seats._taken
