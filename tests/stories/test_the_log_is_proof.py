"""The log: who did what can be proven, reading words is recorded, erasing destroys them."""

import asyncio

import pytest

from service.sealing import DataKey
from service.session.events import Recorded
from service.session.refusals import Refused
from service.stores.port import Envelope
from tests.driving import Town, town
from tests.fakes import GrowingStore, WaitingEngine
from tests.listening import Watched
from tests.stories.test_many_wait_for_the_model import until


async def test_an_untouched_chain_is_intact(here: Town) -> None:
    session = await here.drafted()
    await here.decide("ada", session, "approve")
    found = (await here.call("sue", "GET", f"/v1/audit/verify?session_id={session}")).json()
    assert (found["intact"], found["events"]) == (True, await here.length(session))


async def test_a_chain_that_grows_while_it_is_looked_at_is_intact() -> None:
    store = GrowingStore()
    async with town(store) as here:
        session = await here.open()
        store.meanwhile = lambda: here.say(session, "Hello.")
        found = (await here.call("sue", "GET", f"/v1/audit/verify?session_id={session}")).json()
        assert (found["intact"], found["events"]) == (True, await here.length(session))


async def test_a_log_longer_than_its_row_is_broken_where_the_row_ends() -> None:
    store = GrowingStore()
    async with town(store) as here:
        session = await here.open()
        shorter = store._rows[session]  # pyright: ignore[reportPrivateUsage]
        await here.say(session, "Hello.")
        store._rows[session] = shorter  # pyright: ignore[reportPrivateUsage]
        found = (await here.call("sue", "GET", f"/v1/audit/verify?session_id={session}")).json()
        assert (found["intact"], found["first_broken_seq"]) == (False, 2)


async def test_envelopes_say_who_and_when_without_words(here: Town) -> None:
    session = await here.drafted()
    await here.decide("ada", session, "approve")
    items = (await here.call("sue", "GET", f"/v1/sessions/{session}/events")).json()["items"]
    decided = next(one for one in items if one["type"] == "reply_decided")
    assert decided["actor"] == "ada"
    assert all(one["payload"] is None for one in items)


async def test_reading_words_is_itself_written_down(here: Town) -> None:
    session = await here.drafted()
    path = f"/v1/sessions/{session}/events?payload=true"
    items = (await here.call("sue", "GET", path)).json()["items"]
    assert items[1]["payload"]["text"]
    assert (items[-1]["type"], items[-1]["actor"]) == ("words_read", "sue")


async def test_a_page_of_words_opens_that_page_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    store, opened, plain = Watched(), list[int](), DataKey.open

    def opening(key: DataKey, envelope: Envelope) -> Recorded:
        opened.append(envelope.seq)
        return plain(key, envelope)

    async with town(store) as here:
        session = await here.drafted()
        path, token = f"/v1/sessions/{session}/events?payload=true&page_size=2", ""
        monkeypatch.setattr(DataKey, "open", opening)
        for first in (1, 3):
            opened.clear()
            store.given.clear()
            found = (await here.call("sue", "GET", path + token)).json()
            assert [one["seq"] for one in found["items"]] == [first, first + 1] == opened
            assert all(one["payload"] for one in found["items"])
            assert len([length for length in store.given if length > 2]) == 1
            token = f"&page_token={found['next_page_token']}"


async def test_an_erased_session_is_gone_and_its_chain_still_holds(here: Town) -> None:
    session = await here.drafted()
    path = f"/v1/sessions/{session}"
    assert (await here.call("sue", "DELETE", path)).status_code == 202
    gone = [
        await here.call("app", "GET", path),
        await here.say(session, "Hello?"),
        await here.call("ada", "GET", f"{path}/workspace"),
        await here.call("sue", "GET", f"{path}/events?payload=true"),
    ]
    for answer in gone:
        assert (answer.status_code, answer.json()["code"]) == (410, "session_erased")
    assert await here.store.wrapped_key(session) is None
    found = (await here.call("sue", "GET", f"/v1/audit/verify?session_id={session}")).json()
    assert found["intact"] is True
    assert (await here.call("ada", "GET", "/v1/queue")).json()["items"] == []
    await here.work(3_600_000)
    assert await here.length(session) == found["events"]


async def test_an_erasure_that_was_not_answered_is_asked_for_again_and_logged(
    here: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    session = await here.drafted()
    for _ in range(2):
        assert (await here.call("sue", "DELETE", f"/v1/sessions/{session}")).status_code == 202
    assert [one.type for one in await here.store.read(session)].count("session_erased") == 1
    lines = capsys.readouterr().out.splitlines()
    assert sum("session_erased" in line for line in lines) == 2


async def test_words_that_were_read_before_an_erasure_are_not_opened_after_it(here: Town) -> None:
    session = await here.drafted()
    read = await here.store.read(session)
    assert (await here.call("sue", "DELETE", f"/v1/sessions/{session}")).status_code == 202
    with pytest.raises(Refused) as gone:
        await here.house.ledger.opened(session, read)
    assert gone.value.code == "session_erased"


@pytest.mark.parametrize("manner", ["ok", "down"])
async def test_nothing_is_written_behind_an_erasure_that_came_while_a_draft_was_written(
    manner: str,
) -> None:
    engine = WaitingEngine(manner=manner)
    async with town(engine=engine) as here:
        session = await here.open()
        await here.say(session, "Everything feels heavy lately.")
        working = asyncio.create_task(here.work())
        await until(lambda: bool(engine.asked))
        assert (await here.call("sue", "DELETE", f"/v1/sessions/{session}")).status_code == 202
        engine.may.set()
        await working
        assert (await here.store.read(session))[-1].type == "session_erased"
        here.restart()
        for who, status in (("sue", 410), ("far_sue", 404)):
            path = f"/v1/sessions/{session}/events"
            assert (await here.call(who, "GET", path)).status_code == status


async def test_only_a_supervisor_may_erase(here: Town) -> None:
    session = await here.drafted()
    answer = await here.call("ada", "DELETE", f"/v1/sessions/{session}")
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


async def test_rows_are_listed_newest_first_and_page_by_opaque_tokens(here: Town) -> None:
    made = []
    for _ in range(3):
        made.append(await here.open())
        here.clock.tick(1_000)
    first = (await here.call("sue", "GET", "/v1/sessions?page_size=2")).json()
    token = first["next_page_token"]
    second = (await here.call("sue", "GET", f"/v1/sessions?page_token={token}")).json()
    ids = [one["session_id"] for one in (*first["items"], *second["items"])]
    assert ids == made[::-1]
    assert second["next_page_token"] is None


async def test_pages_with_words_end_though_each_reading_is_written_down(here: Town) -> None:
    session = await here.drafted()
    path, token, kinds = f"/v1/sessions/{session}/events?payload=true&page_size=1", "", list[str]()
    for _ in range(20):
        page = (await here.call("sue", "GET", path + token)).json()
        kinds += [one["type"] for one in page["items"]]
        if page["next_page_token"] is None:
            break
        token = f"&page_token={page['next_page_token']}"
    assert kinds[-1] == "draft_prepared"
