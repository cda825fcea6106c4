"""A proposed plan is for things as they were: what changes them, or asks anew, takes it back."""

from planner.vocabulary import Role
from tests.driving import Town
from tests.planning import ask_plan, decide_plan, through_diagnosis


async def move(here: Town, session: str, index: int, stage: str = "diagnostic") -> None:
    """Set the cursor by hand."""
    body = {
        "stage": stage, "action_index": index, "reason": "Once more.",
        "basis": await here.length(session),
    }  # fmt: skip
    path = f"/v1/sessions/{session}/position"
    assert (await here.write("ada", session, "PUT", path, body)).status_code == 200


async def proposed(here: Town, session: str) -> str | None:
    """Give the id of the plan that is up for decision."""
    plan = (await here.desk("ada", session))["plan"]["proposed"]
    return plan and plan["plan_id"]


async def test_a_plan_asked_for_takes_the_place_of_the_one_proposed(here: Town) -> None:
    session = await through_diagnosis(here)
    first = await proposed(here, session)
    asked = await ask_plan(here, session)
    assert (asked["proposed"], asked["history"][-1]["status"]) == (None, "superseded")
    body = {"verdict": "approve", "basis": await here.length(session)}
    path = f"/v1/plans/{first}/decisions"
    late = await here.write("ada", session, "POST", path, body)
    assert (late.status_code, late.json()["code"]) == (409, "already_decided")
    await here.work()
    assert await proposed(here, session) not in {None, first}
    assert (await decide_plan(here, session, "approve")).status_code == 201
    await here.work()
    assert await proposed(here, session) is None, "one was asked for, and it runs"


async def test_what_was_refused_is_told_again_though_the_next_one_was_replaced(here: Town) -> None:
    session = await through_diagnosis(here)
    await decide_plan(here, session, "reject", reasons=["clarity"])
    await here.work()
    await ask_plan(here, session)
    await here.work()
    asked = [one.messages[-1].content for one in here.engine.prompts if one.role is Role.PLANNER]
    assert ["clarity" in one for one in asked] == [False, True, True]


async def test_a_plan_is_not_decided_on_at_an_earlier_step_than_it_was_made_for(
    here: Town,
) -> None:
    session = await through_diagnosis(here)
    first = await proposed(here, session)
    last = (await here.desk("ada", session))["plan"]["position"]["action_index"]
    await move(here, session, 0)
    await here.work()
    (waits,) = (await here.call("ada", "GET", "/v1/queue")).json()["items"]
    assert (waits["kind"], await proposed(here, session)) == ("draft", None)
    await move(here, session, last)
    await here.work()
    assert await proposed(here, session) not in {None, first}


async def test_a_move_within_the_intervention_has_the_planner_asked_anew(here: Town) -> None:
    session = await through_diagnosis(here)
    await decide_plan(here, session, "approve")
    await ask_plan(here, session)
    await here.work()
    first = await proposed(here, session)
    await move(here, session, 1, "intervention")
    assert first is not None
    assert await proposed(here, session) is None
    await here.work()
    assert await proposed(here, session) not in {None, first}
    await move(here, session, 0)
    await here.work()
    assert await proposed(here, session) is None
