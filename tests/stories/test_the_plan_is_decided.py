"""The plan: proposed after the diagnostic stage, decided by a therapist, walked step by step."""

import asyncio
from typing import Any

import pytest

from models.completion import Ask
from planner.prompt import Prompt
from planner.vocabulary import Role, Strategy
from tests.driving import Json, Town
from tests.planning import ask_plan, correct, decide_plan, through_diagnosis, to_a_plan

MINUTE = 60_000


async def test_the_stage_changes_only_by_a_decided_plan(here: Town) -> None:
    session = await through_diagnosis(here)
    for _ in range(2):
        await here.decide("ada", session, "approve")
        await here.say(session, "It is mostly at work.")
        await here.work()
    assert (await here.desk("ada", session))["stage"] == "diagnostic"
    assert (await decide_plan(here, session, "approve")).status_code == 201
    assert (await here.desk("ada", session))["stage"] == "intervention"


async def test_a_whole_session_runs_from_the_first_message_to_end_session(here: Town) -> None:
    session = await through_diagnosis(here)
    await decide_plan(here, session, "approve")
    seen: list[str] = []
    for _ in range(10):
        await here.say(session, "I could try that.")
        await here.work()
        await here.decide("ada", session, "approve")
        desk = await here.desk("ada", session)
        seen.append(desk["action"])
        if desk["plan"]["position"]["finished"]:
            break
    assert seen == desk["plan"]["position"]["plan"]["actions"]
    assert seen[-1] == "End session"


async def test_an_edited_plan_is_the_one_that_runs(here: Town) -> None:
    session = await through_diagnosis(here)
    plan = (await here.desk("ada", session))["plan"]["proposed"]["plan"]
    steps = plan["actions"]
    edited = {**plan, "actions": [steps[1], steps[0], *steps[2:]]}
    assert (await decide_plan(here, session, "edit", plan=edited)).status_code == 201
    running = (await here.desk("ada", session))["plan"]
    assert running["position"]["plan"]["actions"] == edited["actions"]
    assert [one["status"] for one in running["history"]] == ["edited"]


@pytest.mark.parametrize("verdict", ["approve", "reject"])
async def test_a_plan_that_the_verdict_would_leave_unused_is_refused(
    here: Town, verdict: str
) -> None:
    session = await through_diagnosis(here)
    plan = (await here.desk("ada", session))["plan"]["proposed"]["plan"]
    mine = {**plan, "text": "A plan of my own."}
    answer = await decide_plan(here, session, verdict, plan=mine, reasons=["style"])
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert (await here.desk("ada", session))["plan"]["proposed"]["plan"] == plan


async def test_why_another_plan_is_asked_for_is_kept_as_a_note(here: Town) -> None:
    session = await through_diagnosis(here)
    await decide_plan(here, session, "approve")
    body = {"reason": "She asked for something gentler.", "basis": await here.length(session)}
    path = f"/v1/sessions/{session}/plans"
    headers = {"X_Claim": here.claims["ada", session], "Idempotency_Key": "press-1"}
    for _ in range(2):
        assert (await here.call("ada", "POST", path, body, **headers)).status_code == 201
    told = [one["text"] for one in (await here.desk("ada", session))["transcript"]]
    assert told.count(body["reason"]) == 1


@pytest.mark.parametrize("verdict", ["edit", "reject"])
async def test_why_a_plan_was_changed_or_refused_is_kept_as_a_note(
    here: Town, verdict: str
) -> None:
    session = await through_diagnosis(here)
    more: Json = {"reasons": ["clarity"], "reason": "She wants to write before she weighs."}
    if verdict == "edit":
        more["plan"] = (await here.desk("ada", session))["plan"]["proposed"]["plan"]
    assert (await decide_plan(here, session, verdict, **more)).status_code == 201
    last = (await here.desk("ada", session))["transcript"][-1]
    assert (last["kind"], last["text"]) == ("note", more["reason"])


async def test_a_plan_that_breaks_a_rule_is_refused_and_nothing_happens(here: Town) -> None:
    session = await through_diagnosis(here)
    before = await here.length(session)
    plan = (await here.desk("ada", session))["plan"]["proposed"]["plan"]
    refused = await decide_plan(here, session, "edit", plan={**plan, "actions": ["One"]})
    assert (refused.status_code, refused.json()["code"]) == (422, "plan_breaks_rules")
    assert await here.length(session) == before


async def test_a_rejected_plan_needs_reasons_and_another_is_proposed(here: Town) -> None:
    session = await through_diagnosis(here)
    first = (await here.desk("ada", session))["plan"]["proposed"]["plan_id"]
    assert (await decide_plan(here, session, "reject")).json()["code"] == "reasons_required"
    assert (await decide_plan(here, session, "reject", reasons=["clarity"])).status_code == 201
    await here.work()
    desk = await here.desk("ada", session)
    assert desk["plan"]["proposed"]["plan_id"] != first
    assert desk["stage"] == "diagnostic"


async def test_the_planner_reads_why_its_plan_was_refused(here: Town) -> None:
    session = await through_diagnosis(here)
    plan = (await here.desk("ada", session))["plan"]["proposed"]["plan"]
    await decide_plan(here, session, "reject", reasons=["clarity", "too_long"])
    await here.work()
    first, second = [one for one in here.engine.prompts if one.role is Role.PLANNER]
    added = second.messages[-1].content.removeprefix(first.messages[-1].content)
    assert "; ".join(plan["actions"][:-1]) in added
    assert "clarity, too long" in added
    await decide_plan(here, session, "approve")
    await here.say(session, "My father died on Sunday.")
    await ask_plan(here, session)
    await here.work()
    newest = [one for one in here.engine.prompts if one.role is Role.PLANNER][-1]
    assert "My father died on Sunday." in newest.messages[-1].content
    assert "clarity" not in newest.messages[-1].content


async def test_a_plan_is_decided_on_once(here: Town) -> None:
    session = await through_diagnosis(here)
    desk = await here.desk("ada", session)
    path = f"/v1/plans/{desk['plan']['proposed']['plan_id']}/decisions"
    body = {"verdict": "approve", "basis": desk["seq"]}
    assert (await here.write("ada", session, "POST", path, body)).status_code == 201
    again = await here.write("ada", session, "POST", path, body)
    assert (again.status_code, again.json()["code"]) == (409, "already_decided")


async def test_a_plan_waits_while_a_reply_is_held_for_an_undo_would_lose_it(holding: Town) -> None:
    session = await holding.drafted()
    for _ in range(10):
        desk = await holding.desk("ada", session)
        if desk["plan"]["proposed"]:
            break
        await holding.decide("ada", session, "approve")
        await holding.work(MINUTE)
        await holding.say(session, "It is mostly at work.")
        await holding.work()
    answer = await holding.decide("ada", session, "approve")
    refused = await decide_plan(holding, session, "approve")
    assert (answer.status_code, refused.json()["code"]) == (201, "reply_is_held")
    await holding.work(MINUTE)
    assert (await decide_plan(holding, session, "approve")).status_code == 201


async def test_a_formulation_corrected_while_the_planner_writes_stays(here: Town) -> None:
    session = await through_diagnosis(here)
    await decide_plan(here, session, "reject", reasons=["clarity"])
    asked = asyncio.Event()
    goes_on = asyncio.Event()
    answers = here.engine.complete

    async def slowly(prompt: Prompt, ask: Ask) -> Any:
        if prompt.role is Role.PLANNER:
            asked.set()
            await goes_on.wait()
        return await answers(prompt, ask)

    here.engine.complete = slowly
    working = asyncio.create_task(here.work())
    await asked.wait()
    assert (await correct(here, session, surface_level_problem="Too much at once.")).is_success
    goes_on.set()
    await working
    plan = (await here.desk("ada", session))["plan"]
    assert plan["proposed"] is not None
    assert plan["formulation"]["surface_level_problem"] == "Too much at once."


async def test_a_corrected_part_of_the_formulation_outlives_the_next_plan(here: Town) -> None:
    session = await through_diagnosis(here)
    before = (await here.desk("ada", session))["plan"]["formulation"]
    assert (await correct(here, session, automatic_thoughts=["I must never rest."])).is_success
    await decide_plan(here, session, "reject", reasons=["clarity"])
    await here.work()
    (asked,) = (m.content for m in here.engine.prompts[-1].messages if m.role == "user")
    assert "automatic_thoughts: I must never rest." in asked
    assert "surface_level_problem" not in asked
    plan = (await here.desk("ada", session))["plan"]
    assert plan["proposed"]["formulation"] == before, "what the planner said is kept as it was"
    assert plan["formulation"] == before | {"automatic_thoughts": ["I must never rest."]}
    await decide_plan(here, session, "approve")
    await here.say(session, "I could try that.")
    await here.work()
    assert "I must never rest." in here.engine.prompts[-1].messages[0].content


async def test_the_planner_still_learns_what_no_human_corrected(here: Town) -> None:
    session = await here.drafted()
    assert (await correct(here, session, surface_level_problem="Too much at once.")).is_success
    await here.work()
    await to_a_plan(here, session)
    plan = (await here.desk("ada", session))["plan"]
    learnt = plan["proposed"]["formulation"]
    assert plan["formulation"] == learnt | {"surface_level_problem": "Too much at once."}
    assert "unknown" not in plan["formulation"].values()


async def test_moving_the_cursor_needs_a_reason(here: Town) -> None:
    session = await here.drafted()
    path, seq = f"/v1/sessions/{session}/position", await here.length(session)
    body = {"stage": "diagnostic", "action_index": 1, "basis": seq}
    assert (await here.write("ada", session, "PUT", path, body)).status_code == 422
    body["reason"] = "The client has told this before."
    moved = await here.write("ada", session, "PUT", path, body)
    assert moved.json()["position"]["action_index"] == 1
    late = await here.write("ada", session, "PUT", path, body)
    assert (late.status_code, late.json()["code"]) == (409, "basis_is_stale")


async def test_the_intervention_cannot_be_entered_by_moving(here: Town) -> None:
    session = await here.drafted()
    body = {
        "stage": "intervention", "action_index": 0, "reason": "In a hurry.",
        "basis": await here.length(session),
    }  # fmt: skip
    answer = await here.write("ada", session, "PUT", f"/v1/sessions/{session}/position", body)
    assert (answer.status_code, answer.json()["code"]) == (422, "move_not_allowed")


async def test_a_new_plan_can_be_asked_for_only_after_the_diagnostic_stage(here: Town) -> None:
    session = await here.drafted()
    body = {"basis": await here.length(session)}
    answer = await here.write("ada", session, "POST", f"/v1/sessions/{session}/plans", body)
    assert (answer.status_code, answer.json()["code"]) == (409, "too_early")


async def test_a_plan_of_one_s_own_waits_for_the_diagnostic_stage_too(here: Town) -> None:
    session = await here.drafted()
    before = await here.length(session)
    plan = {
        "strategy": Strategy.REALITY_TESTING.value, "text": "Look at facts.", "reason": "Clear.",
        "actions": ["name the hardest thought", "list what is known", "weigh both sides now",
                    "word a fairer thought", "End session"],
    }  # fmt: skip
    body = {"plan": plan, "reason": "In a hurry.", "basis": before}
    answer = await here.write("ada", session, "POST", f"/v1/sessions/{session}/plans", body)
    assert (answer.status_code, answer.json()["code"]) == (409, "too_early")
    assert answer.json()["seq"] == before == await here.length(session)


async def test_a_running_plan_can_be_changed_and_keeps_its_cursor(here: Town) -> None:
    session = await through_diagnosis(here)
    await decide_plan(here, session, "approve")
    await here.say(session, "I could try that.")
    await here.work()
    await here.decide("ada", session, "approve")
    desk = await here.desk("ada", session)
    plan = desk["plan"]["position"]["plan"]
    shorter = {**plan, "actions": [*plan["actions"][:1], *plan["actions"][2:]]}
    if len(shorter["actions"]) < 5:
        shorter["actions"].insert(1, "rest a little while")
    body = {"plan": shorter, "reason": "One step fewer.", "basis": desk["seq"]}
    changed = await here.write("ada", session, "POST", f"/v1/sessions/{session}/plans", body)
    assert changed.status_code == 201
    assert changed.json()["position"]["action_index"] == 0
    assert changed.json()["position"]["plan"]["actions"] == shorter["actions"]


async def test_a_corrected_formulation_is_what_the_next_prompt_holds(here: Town) -> None:
    session = await through_diagnosis(here)
    await decide_plan(here, session, "approve")
    thoughts = ["I have to be liked by all."]
    corrected = await correct(here, session, automatic_thoughts=thoughts)
    assert corrected.json()["formulation"]["automatic_thoughts"] == thoughts
    await here.say(session, "I could try that.")
    await here.work()
    assert "I have to be liked by all." in here.engine.prompts[-1].messages[0].content
