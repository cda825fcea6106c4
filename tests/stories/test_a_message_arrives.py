"""A client's message: recorded once, judged first, acknowledged with 202."""

import asyncio
import json
from dataclasses import replace

import pytest

from safety.risk import RiskLevel
from safety.screen import RulesLayer, Screen
from service.messages import judge
from service.stores import paging
from tests.driving import Town, town


async def test_a_message_is_acknowledged_with_its_place_in_the_log(here: Town) -> None:
    session = await here.open()
    answer = await here.say(session, "Everything feels heavy lately.")
    assert answer.status_code == 202
    assert answer.headers["Location"] == f"/v1/sessions/{session}/replies?after=2"
    assert answer.json()["seq"] == await here.length(session) == 2


async def test_the_same_key_and_body_are_answered_the_same_and_recorded_once(here: Town) -> None:
    session = await here.open()
    first = await here.say(session, "Hello.", Idempotency_Key="k")
    again = await here.say(session, "Hello.", Idempotency_Key="k")
    assert (again.status_code, again.json()) == (202, first.json())
    assert await here.length(session) == 2


async def test_the_same_key_with_other_words_is_refused(here: Town) -> None:
    session = await here.open()
    await here.say(session, "Hello.", Idempotency_Key="k")
    answer = await here.say(session, "Goodbye.", Idempotency_Key="k")
    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_key_reused")
    assert await here.length(session) == 2


async def test_a_message_without_a_key_is_refused(here: Town) -> None:
    session = await here.open()
    path = f"/v1/sessions/{session}/messages"
    headers = {"Authorization": f"Bearer {here.keys['app']}"}
    answer = await here.http.post(path, json={"text": "Hello."}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_required")
    assert await here.length(session) == 1


async def test_opening_a_session_twice_with_one_key_opens_one(here: Town) -> None:
    body = {"client_ref": "c-1", "language": "en", "region": "US"}
    first = await here.call("app", "POST", "/v1/sessions", body, Idempotency_Key="k")
    again = await here.call("app", "POST", "/v1/sessions", body, Idempotency_Key="k")
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()


async def test_a_closed_session_takes_no_more_messages(here: Town) -> None:
    session = await here.open()
    closed = await here.call("app", "POST", f"/v1/sessions/{session}/close", {})
    assert closed.json()["status"] == "closed"
    answer = await here.say(session, "Hello?")
    assert (answer.status_code, answer.json()["code"]) == (409, "session_closed")


@pytest.mark.parametrize("sign", ["\0", "\x07", "\x0b", "\x7f", "\x92", "\ufffe", "\ud83d"])
async def test_an_invisible_character_keeps_no_danger_from_being_judged(
    here: Town, sign: str
) -> None:
    session = await here.open()
    body = json.dumps({"text": f"[imminent] I took all the pills{sign}please"}).encode()
    headers = {"Authorization": f"Bearer {here.keys['app']}", "Idempotency-Key": "k"}
    answer = await here.http.post(
        f"/v1/sessions/{session}/messages", content=body,
        headers={**headers, "Content-Type": "application/json"},
    )  # fmt: skip
    assert answer.status_code == 202
    desk = await here.desk("ada", session)
    assert [alert["level"] for alert in desk["alerts"]] == [RiskLevel.IMMINENT]
    said = "[imminent] I took all the pills please"
    assert said in [line["text"] for line in desk["transcript"]]


async def test_a_message_of_nothing_but_invisible_characters_is_blank(here: Town) -> None:
    session = await here.open()
    assert (await here.say(session, "\x07\x0b \0")).status_code == 422
    assert await here.length(session) == 1


async def test_a_screen_that_breaks_calls_a_human_at_the_highest_level(here: Town) -> None:
    here.screen.broken = True
    session = await here.open()
    assert (await here.say(session, "Hello.")).status_code == 202
    (alert,) = (await here.desk("ada", session))["alerts"]
    assert (alert["level"], alert["source"]) == (RiskLevel.IMMINENT, "failure")


async def test_a_screen_that_hangs_calls_a_human_at_the_highest_level(quick: Town) -> None:
    quick.screen.hangs_s = 0.3
    session = await quick.open()
    assert (await quick.say(session, "Hello.")).status_code == 202
    (alert,) = (await quick.desk("ada", session))["alerts"]
    assert (alert["level"], alert["source"]) == (RiskLevel.IMMINENT, "failure")


async def test_a_flood_of_slow_messages_makes_no_emergency_of_anybody() -> None:
    async with town(safety_timeout_s=0.5) as here:
        here.screen.hangs_s = 0.1
        session = await here.open()
        async with asyncio.TaskGroup() as tasks:
            for number in range(40):
                tasks.create_task(here.say(session, f"A long week, {number}."))
        desk = await here.desk("ada", session)
        assert len(desk["transcript"]) == 40
        assert desk["alerts"] == []


async def _asked_directly(here: Town) -> str:
    session = await here.open()
    await here.say(session, "I am so tired of it all.")
    await here.work()
    await here.claim("ada", session)
    asked = "Are you thinking about killing yourself?"
    done = await here.decide("ada", session, "edit", text=asked, reasons=["style"])
    assert done.status_code == 201
    return session


async def _by_the_rules(here: Town, session: str, text: str) -> RiskLevel:
    state = await here.house.ledger.load(session)
    ports = replace(here.house.ports, screen=Screen((RulesLayer(),)))
    return (await judge(text, state, ports)).level


async def test_a_yes_is_heard_however_many_notes_stand_before_it(here: Town) -> None:
    session = await _asked_directly(here)
    await here.work()
    for number in range(30):
        path, note = f"/v1/sessions/{session}/notes", {"text": f"Seen, {number}."}
        assert (await here.call("ada", "POST", path, note)).status_code == 201
    assert await _by_the_rules(here, session, "yes") is RiskLevel.HIGH


async def test_a_question_that_has_not_left_yet_is_not_what_a_yes_answers(holding: Town) -> None:
    session = await _asked_directly(holding)
    assert await _by_the_rules(holding, session, "yes") is RiskLevel.NONE
    await holding.work(5_000)
    assert await _by_the_rules(holding, session, "yes") is RiskLevel.HIGH


async def test_danger_is_judged_while_the_model_is_paused(paused: Town) -> None:
    session = await paused.open()
    await paused.say(session, "[imminent]")
    await paused.work()
    assert paused.engine.prompts == []
    assert [page.level for page in paused.pager.pages] == [RiskLevel.IMMINENT]


async def test_a_questionnaire_gives_the_means_of_its_two_scales(here: Town) -> None:
    session = await here.open()
    schema = (await here.http.get("/openapi.json")).json()["components"]["schemas"]
    items = schema["QuestionnaireRequest"]["properties"]["answers"]["propertyNames"]["enum"]
    answers = dict.fromkeys(items[:-4], 4) | dict.fromkeys(items[-4:], 1)
    path = f"/v1/sessions/{session}/questionnaires"
    answer = await here.call("app", "POST", path, {"kind": "srs", "answers": answers})
    assert answer.status_code == 201
    assert (answer.json()["helpful"], answer.json()["hindering"]) == (4, 1)


async def test_a_place_that_the_log_does_not_have_is_refused_lest_replies_are_missed(
    here: Town,
) -> None:
    session = await here.open()
    path = f"/v1/sessions/{session}/replies"
    seq = (await here.call("app", "GET", path)).json()["seq"]
    assert (await here.call("app", "GET", f"{path}?after={seq}")).status_code == 200
    token = paging.token(seq + 1)
    for beyond in (f"after={seq + 1}", f"page_token={token}"):
        refused = await here.call("app", "GET", f"{path}?{beyond}")
        assert (refused.status_code, refused.json()["code"]) == (422, "invalid_request")
