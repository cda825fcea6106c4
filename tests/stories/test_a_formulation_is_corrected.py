"""A therapist corrects what the model understood: that part, and only what she has read."""

from tests.driving import Json, Town
from tests.planning import correct, through_diagnosis


async def test_what_the_planner_has_learnt_since_is_not_taken_back_by_an_older_view(
    here: Town,
) -> None:
    session = await through_diagnosis(here)
    plan = (await here.desk("ada", session))["plan"]
    log = await here.store.read(session)
    (understood,) = [one.seq for one in log if one.type == "plan_proposed"]
    assert (await here.house.ledger.load(session)).moved_seq < understood, "only a plan came since"
    learnt_later: Json = {"surface_level_problem": "Too much at once."}
    late = await correct(here, session, understood - 1, **learnt_later)
    assert (late.status_code, late.json()["code"]) == (409, "basis_is_stale")
    assert (await here.desk("ada", session))["plan"]["formulation"] == plan["formulation"]
    corrected = await correct(here, session, **learnt_later)
    assert corrected.json()["formulation"] == plan["formulation"] | learnt_later


async def test_parts_that_were_not_sent_are_neither_scrubbed_again_nor_kept_from_the_planner(
    here: Town,
) -> None:
    session = await through_diagnosis(here)
    here.scrubber.read.clear()
    assert (await correct(here, session, triggering_situation="A new job.")).is_success
    assert here.scrubber.read == ["A new job."]
    assert (await here.house.ledger.load(session)).corrected == {"triggering_situation"}


async def test_a_correction_of_nothing_leaves_the_draft_as_fresh_as_it_was(here: Town) -> None:
    session = await here.drafted()
    length = await here.length(session)
    assert (await correct(here, session)).status_code == 200
    assert await here.length(session) == length
    assert not (await here.desk("ada", session))["draft"]["stale"]
