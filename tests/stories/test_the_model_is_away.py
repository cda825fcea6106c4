"""The engine is down, slow or talks nonsense: people work on, and the model is asked again."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from models.completion import Ask, EngineFault, EngineUnavailable
from planner.prompt import Prompt
from planner.vocabulary import Role
from service.gauges import Gauges
from service.session import decide
from service.telemetry import series
from tests.driving import Town
from tests.planning import ask_plan, correct, decide_plan, through_diagnosis


async def planned_anew(here: Town) -> str:
    """Give a session whose plan runs, whose client spoke, and for which another is asked for."""
    session = await through_diagnosis(here)
    await decide_plan(here, session, "approve")
    await here.say(session, "I could try that.")
    await ask_plan(here, session)
    return session


@pytest.mark.parametrize(
    ("manner", "reason"),
    [
        ("down", "engine_down"),
        ("slow", "engine_timeout"),
        ("garbage", "answer_unreadable"),
        ("refuses", "engine_rejected"),
    ],
)
async def test_a_labelled_template_lies_on_the_desk(here: Town, manner: str, reason: str) -> None:
    here.engine.manner = manner  # pyright: ignore[reportAttributeAccessIssue]
    session = await here.drafted()
    draft = (await here.desk("ada", session))["draft"]
    assert (draft["source"], draft["adapter"], draft["note"]) == ("template", "template", reason)
    assert (await here.decide("ada", session, "approve")).status_code == 201


async def test_a_template_is_no_answer_that_a_model_or_a_dataset_may_learn_from(here: Town) -> None:
    here.engine.manner = "down"
    session = await here.drafted(profile={"research_consent": True})
    template = (await here.desk("ada", session))["draft"]["candidates"][0]
    await here.decide("ada", session, "edit", text="What happened today?", reasons=["style"])
    await here.work(10_000)
    here.engine.manner = "ok"
    await here.say(session, "My team leader shouted at me.")
    await here.work(60_000)
    (reply,) = (m.content for m in here.engine.prompts[-1].messages if m.role == "assistant")
    assert "What happened today?" in reply
    assert template["reasoning"] not in reply
    assert (await here.call("sue", "GET", "/v1/preferences/export")).text == ""


async def test_a_second_worker_that_fails_leaves_the_draft_of_the_first_alone(here: Town) -> None:
    session = await here.drafted()
    state, policy = await here.house.ledger.load(session), here.house.ledger.policy
    assert decide.failed(state, "draft", "engine_timeout", policy) == ()
    assert decide.failed(state, "plan", "engine_timeout", policy) == ()


async def test_the_model_is_asked_again_with_growing_pauses(here: Town) -> None:
    here.engine.manner = "down"
    await here.drafted()
    asked: list[int] = []
    for second in range(1, 61):
        before = len(here.engine.prompts)
        await here.work(1_000)
        if len(here.engine.prompts) > before:
            asked.append(second)
    assert asked == [1, 3, 8, 23, 53]


async def test_a_day_without_the_model_leaves_a_handful_of_events(here: Town) -> None:
    here.engine.manner = "down"
    session = await here.drafted()
    for _ in range(12):
        await here.work(10_000)
    log, asked = await here.store.read(session), len(here.engine.prompts)
    assert [one.type for one in log].count("work_failed") == 5
    for _ in range(60):
        await here.work(30_000)
    here.restart()
    for _ in range(60):
        await here.work(30_000)
    assert await here.length(session) == len(log)
    assert 115 <= len(here.engine.prompts) - asked <= 121
    here.engine.manner = "ok"
    await here.work(30_000)
    assert (await here.desk("ada", session))["draft"]["source"] == "model"


async def test_what_the_engine_refuses_is_asked_again_once_the_session_has_moved(
    here: Town,
) -> None:
    here.engine.manner = "refuses"
    session = await here.drafted()
    for _ in range(14):
        await here.work(60_000)
    assert len(here.engine.prompts) == 1
    await here.claim("ada", session)
    assert (await correct(here, session, triggering_situation="A new job.")).is_success
    await here.work()
    assert len(here.engine.prompts) == 2
    await here.say(session, "It was work.")
    await here.work(60_000)
    assert len(here.engine.prompts) == 3
    for _ in range(10 * 15):
        await here.work(60_000)
    assert len(here.engine.prompts) == 13
    types = [one.type for one in await here.store.read(session)]
    assert types.count("work_failed") == 2 + 5


async def test_a_draft_that_never_comes_keeps_no_plan_from_coming(here: Town) -> None:
    session = await planned_anew(here)
    here.engine.manner = "down"
    for _ in range(30):
        await here.work(10_000)
    before = await here.length(session)
    await here.work(60_000)
    assert await here.length(session) == before
    answers = here.engine.complete

    async def plans_alone(prompt: Prompt, ask: Ask) -> Any:
        if prompt.role is Role.UTTERANCE:
            raise EngineUnavailable(EngineFault.DOWN)
        return await answers(prompt, ask)

    here.engine.manner, here.engine.complete = "ok", plans_alone
    await here.work(30_000)
    assert (await here.desk("ada", session))["plan"]["proposed"]["source"] == "model"


async def test_a_planner_that_is_asked_for_by_hand_is_asked_at_once(here: Town) -> None:
    session = await through_diagnosis(here)
    await decide_plan(here, session, "reject", reasons=["clarity"])
    here.engine.manner = "down"
    for wait_ms in (0, 1_000, 2_000, 5_000, 15_000):
        await here.work(wait_ms)
    here.engine.manner = "ok"
    await ask_plan(here, session)
    await here.work()
    assert (await here.desk("ada", session))["plan"]["proposed"]["source"] == "model"


async def test_the_models_draft_replaces_the_template_when_it_is_back(here: Town) -> None:
    here.engine.manner = "down"
    session = await here.drafted()
    here.engine.manner = "ok"
    await here.work(1_000)
    desk = await here.desk("ada", session)
    assert desk["draft"]["source"] == "model"
    await here.work(60_000)
    assert (await here.desk("ada", session))["draft"] == desk["draft"]


async def test_a_scrubber_that_breaks_keeps_the_words_from_the_model(here: Town) -> None:
    here.scrubber.broken = True
    session = await here.drafted()
    draft = (await here.desk("ada", session))["draft"]
    assert (draft["source"], draft["note"]) == ("template", "scrub_failed")
    assert here.engine.prompts == []


async def test_a_plan_waits_too_while_nothing_can_be_scrubbed(here: Town) -> None:
    session = await planned_anew(here)
    here.scrubber.broken, before = True, await here.length(session)
    async with asyncio.timeout(20):
        await here.work()
        await here.work(1_000)
    assert await here.length(session) - before <= 2 * 3
    here.scrubber.broken = False
    await here.work(60_000)
    assert (await here.desk("ada", session))["plan"]["proposed"]["source"] == "model"


async def test_a_look_or_a_note_cuts_no_wait_short_but_a_message_does(here: Town) -> None:
    here.engine.manner = "refuses"
    session = await here.drafted()
    for _ in range(12):
        await here.work(30_000)
    asked = len(here.engine.prompts)
    await here.desk("sue", session)  # Written down: a supervisor read words.
    notes = f"/v1/sessions/{session}/notes"
    assert (await here.call("ada", "POST", notes, {"text": "Busy."})).status_code == 201
    await here.work(1_000)
    assert len(here.engine.prompts) == asked
    await here.say(session, "Are you there?")
    await here.work(1_000)
    assert len(here.engine.prompts) == asked + 1


async def test_a_fallback_plan_is_put_up_when_none_can_be_read(here: Town) -> None:
    here.engine.manner = "garbage"
    session = await here.drafted()
    for _ in range(10):
        step = (await here.desk("ada", session))["plan"]["position"]["candidates"][-1]
        await here.decide("ada", session, "approve", action=step)
        await here.say(session, "It is mostly at work.")
        await here.work()
        desk = await here.desk("ada", session)
        if desk["plan"]["proposed"]:
            break
    assert desk["plan"]["proposed"]["source"] == "template"


async def test_a_therapist_sees_why_there_is_no_draft(paused: Town) -> None:
    session = await paused.open()
    assert (await paused.desk("ada", session))["no_draft_reason"] == "nothing_to_answer"
    await paused.say(session, "Hello.")
    await paused.work()
    desk = await paused.desk("ada", session)
    assert (desk["draft"], desk["no_draft_reason"]) == (None, "paused")
    items = (await paused.call("ada", "GET", "/v1/queue")).json()["items"]
    assert [one["kind"] for one in items] == ["no_draft"]


async def test_who_waited_during_a_pause_is_drafted_for_when_it_ends(paused: Town) -> None:
    session = await paused.open()
    await paused.say(session, "Hello.")
    await paused.work(10 * 3_600_000)
    assert paused.engine.prompts == []
    paused.policy = replace(paused.policy, drafting=True)
    paused.restart()
    await paused.work(60_000)
    assert (await paused.desk("ada", session))["draft"] is not None


async def test_during_a_pause_nobody_counts_as_waiting_for_a_draft(paused: Town) -> None:
    await paused.say(await paused.open(), "Hello.")
    paused.clock.tick(60_000)
    await Gauges(paused.house.ledger, paused.ports).measure()
    numbers = series.render()[0].decode()
    assert "secondchair_awaiting_draft_oldest_seconds 0.0" in numbers
    assert 'secondchair_queue_oldest_seconds{risk="none"} 60.0' in numbers


async def test_a_pause_keeps_no_worker_busy_and_delays_no_page(paused: Town) -> None:
    session = await paused.open()
    await paused.say(session, "Hello.")
    await paused.work()
    due = await paused.store.next_due_ms()
    assert due == paused.clock.now_ms() + 60_000
    await paused.say(session, "[moderate]")
    for wait_ms in (0, 15 * 60_000, 45 * 60_000):
        await paused.work(wait_ms)
    assert [page.tier for page in paused.pager.pages] == [0, 1, 2]
