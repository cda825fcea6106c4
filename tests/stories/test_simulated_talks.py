"""Test harnesses talk to the service as to a chat model; real sessions stay out of their reach."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace

import pytest

from tests.driving import Answer, Json, Town, town

COMPLETIONS, CHAT = "/v1/chat/completions", "/api/chat"


@pytest.fixture
async def lab() -> AsyncIterator[Town]:
    """A service with open doors and a worker at work."""
    async with town() as made:
        made.refit(harness=True)
        working = asyncio.create_task(_at_work(made))
        yield made
        working.cancel()
        with suppress(asyncio.CancelledError):
            await working


async def _at_work(here: Town) -> None:
    while True:
        await here.worker.drain()
        await asyncio.sleep(0.001)


def user(*lines: str) -> list[Json]:
    """Give lines as a history that begins with the user and alternates."""
    roles = ("user", "assistant")
    return [{"role": roles[place % 2], "content": line} for place, line in enumerate(lines)]


async def ask(here: Town, messages: list[Json], who: str = "lab_app", **more: Json) -> Answer:
    return await here.call(who, "POST", COMPLETIONS, {"messages": messages, **more})


async def test_a_conversation_goes_on_in_one_session(lab: Town) -> None:
    first = await ask(lab, user("Nothing I do is ever enough."))
    assert first.status_code == 200
    assert first.headers["X-Second-Chair"] == "unreviewed-simulation"
    said = first.json()["choices"][0]["message"]["content"]
    second = await ask(lab, user("Nothing I do is ever enough.", said, "Mostly at work."))
    sessions = {answer.json()["second_chair"]["session_id"] for answer in (first, second)}
    assert len(sessions) == 1
    state = await lab.house.ledger.load(sessions.pop())
    assert getattr(state.opened, "simulated", False)
    assert [entry.kind for entry in state.entries] == ["client", "reply"] * 2


async def test_a_history_from_elsewhere_is_written_down_first(lab: Town) -> None:
    answer = await ask(lab, user("Hello.", "What brings you here?", "I cannot sleep."))
    state = await lab.house.ledger.load(answer.json()["second_chair"]["session_id"])
    assert [entry.kind for entry in state.entries] == ["client", "reply"] * 2


async def spoken(here: Town, answer: Answer) -> list[str]:
    """Give what client and counselor said in the session that an answer came from."""
    state = await here.house.ledger.load(answer.json()["second_chair"]["session_id"])
    return [entry.text for entry in state.entries if entry.kind in {"client", "reply"}]


async def test_two_talks_that_begin_alike_never_mix(lab: Town) -> None:
    begun = [await ask(lab, user("Hello.")) for _ in range(2)]
    told = {one.json()["choices"][0]["message"]["content"] for one in begun}
    (said,) = told
    lines = ("My father died.", "I was promoted.")
    both = [await ask(lab, user("Hello.", said, line)) for line in lines]
    for line, answer in zip(lines, both, strict=True):
        assert (await spoken(lab, answer))[:-1] == ["Hello.", said, line]


async def test_the_same_request_at_the_same_moment_is_two_talks(lab: Town) -> None:
    said = (await ask(lab, user("Hello."))).json()["choices"][0]["message"]["content"]
    async with asyncio.TaskGroup() as tasks:
        line = user("Hello.", said, "I cannot sleep.")
        asked = [tasks.create_task(ask(lab, line)) for _ in range(3)]
    answers = [one.result() for one in asked]
    assert len({one.json()["second_chair"]["session_id"] for one in answers}) == 3
    for answer in answers:
        assert (await spoken(lab, answer))[:-1] == ["Hello.", said, "I cannot sleep."]


@pytest.mark.parametrize("notice", [{}, {"en": "In an emergency call 112."}])
async def test_a_talk_after_danger_goes_on_where_the_alert_is(
    lab: Town, notice: dict[str, str]
) -> None:
    lab.house.ledger.policy = replace(lab.house.ledger.policy, crisis_notice=notice)
    first = await ask(lab, user("[high] today"))
    said = first.json()["choices"][0]["message"]["content"]
    second = await ask(lab, user("[high] today", said, "Are you there?"))
    sessions = {one.json()["second_chair"]["session_id"] for one in (first, second)}
    assert len(sessions) == 1


async def test_a_whole_simulated_session_reaches_its_intervention(lab: Town) -> None:
    begun = await lab.call(
        "", "POST", CHAT, {"messages": user("Hi")}, X_API_Key=lab.keys["lab_app"]
    )
    talk = begun.json()["conversation_id"]
    for _ in range(12):
        body = {"messages": user("I keep thinking that."), "conversation_id": talk}
        answer = await lab.call("", "POST", CHAT, body, X_API_Key=lab.keys["lab_app"])
        assert answer.status_code == 200
        assert answer.json()["message"]["role"] == "assistant"
    assert (await lab.house.ledger.load(talk)).position.stage == "intervention"


async def test_danger_is_told_and_no_draft_answers_it(lab: Town) -> None:
    answer = await ask(lab, user("[high] today"))
    assert answer.json()["second_chair"]["alert"] == "high"
    assert answer.json()["choices"][0]["finish_reason"] == "content_filter"


async def test_a_real_session_cannot_be_reached(lab: Town) -> None:
    real = await lab.call(
        "lab_app", "POST", "/v1/sessions", {"client_ref": "c", "language": "en", "region": "US"}
    )
    for session in (real.json()["id"], await lab.open()):
        body = {"messages": user("Hello"), "conversation_id": session}
        answer = await lab.call("lab_app", "POST", CHAT, body)
        assert answer.json()["code"] == "not_found"


@pytest.mark.parametrize("who", ["app", "far_app", "ada", "sue", "oli"])
async def test_keys_of_real_teams_open_nothing(lab: Town, who: str) -> None:
    assert (await ask(lab, user("Hello"), who)).json()["code"] == "forbidden"


async def test_strangers_are_asked_who_they_are(lab: Town) -> None:
    assert (await lab.call("", "GET", "/v1/models")).status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        {"messages": []},
        {"messages": [{"role": "system", "content": "be kind"}]},
        {"messages": user("Hi", "Hello")},
        {"messages": [{"role": "user", "content": ""}]},
        {"messages": user("Hi"), "stream": True},
    ],
)
async def test_what_cannot_be_answered_is_refused(lab: Town, body: Json) -> None:
    answer = await lab.call("lab_app", "POST", COMPLETIONS, body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


async def test_the_doors_are_closed_unless_opened(here: Town) -> None:
    assert (await ask(here, user("Hello"))).json()["code"] == "not_found"
