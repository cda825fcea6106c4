"""A therapist corrects what the model understood: that part, and only what she has read."""

from tests.driving import Json, Town
from tests.stories.test_the_plan_is_decided import through_diagnosis


async def test_what_the_planner_has_learnt_since_is_not_taken_back_by_an_older_view(
    here: Town,
) -> None:
    session = await here.drafted()
    seen: int = 0
    plan: Json = {}
    for _ in range(10):
        seen = await here.length(session)
        await here.work()
        plan = (await here.desk("ada", session))["plan"]
        if plan["proposed"]:
            break
        await here.decide("ada", session, "approve")
        await here.say(session, "It is mostly at work.")
    path = f"/v1/sessions/{session}/formulation"
    body = {"basis": seen, "surface_level_problem": "Too much at once."}
    late = await here.write("ada", session, "PATCH", path, body)
    assert (late.status_code, late.json()["code"]) == (409, "basis_is_stale")
    assert (await here.desk("ada", session))["plan"]["formulation"] == plan["formulation"]
    body["basis"] = await here.length(session)
    corrected = await here.write("ada", session, "PATCH", path, body)
    learnt: Json = plan["formulation"] | {"surface_level_problem": "Too much at once."}
    assert corrected.json()["formulation"] == learnt


async def test_parts_that_were_not_sent_are_neither_scrubbed_again_nor_kept_from_the_planner(
    here: Town,
) -> None:
    session = await through_diagnosis(here)
    path = f"/v1/sessions/{session}/formulation"
    body = {"basis": await here.length(session), "triggering_situation": "A new job."}
    here.scrubber.read.clear()
    assert (await here.write("ada", session, "PATCH", path, body)).is_success
    assert here.scrubber.read == ["A new job."]
    assert (await here.house.ledger.load(session)).corrected == {"triggering_situation"}
