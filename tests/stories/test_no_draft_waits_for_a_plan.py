"""The planner is slow or away: every client's draft is there as if it were not."""

import pytest

from service import worker
from service.session.duties import Policy
from tests.driving import Json, Town, town
from tests.fakes import SlowPlanner, WaitingEngine
from tests.stories.test_many_wait_for_the_model import until, working


async def drafted_anew(here: Town, session: str) -> Json:
    """Wait for a draft of the newest message, and give the desk."""

    async def lies_there() -> bool:
        draft = (await here.desk("ada", session))["draft"]
        return draft is not None and not draft["stale"] and draft["source"] == "model"

    await until(lies_there)
    return await here.desk("ada", session)


async def at_the_last_step(here: Town) -> str:
    """Walk a session to where the planner is asked, and give one more message."""
    session = await here.open()
    await here.say(session, "Everything feels heavy lately.")
    await here.claim("ada", session)
    for _ in range(4):
        await drafted_anew(here, session)
        assert (await here.decide("ada", session, "approve")).status_code == 201
        here.clock.tick(here.policy.hold_ms)
        await until(lambda: sent(here, session))
        await here.say(session, "It is mostly at work.")
    return session


async def sent(here: Town, session: str) -> bool:
    """Whether every decided reply has left."""
    return (await here.desk("ada", session))["held"] is None


async def test_a_message_gets_its_draft_while_a_plan_is_being_written() -> None:
    engine = SlowPlanner()
    async with town(engine=engine) as here, working(here):
        session = await at_the_last_step(here)
        await until(lambda: engine.plans_asked == 1)
        for _ in range(3):
            await drafted_anew(here, session)
            assert (await here.decide("ada", session, "approve")).status_code == 201
            await here.say(session, "I am still thinking of it.")
        desk = await drafted_anew(here, session)
        assert (engine.plans_asked, desk["plan"]["proposed"]) == (1, None)
        engine.may.set()

        async def is_proposed() -> bool:
            return (await here.desk("ada", session))["plan"]["proposed"] is not None

        await until(is_proposed)
        assert (await drafted_anew(here, session))["draft"] == desk["draft"]


async def test_a_planner_that_is_away_is_asked_again_after_its_own_pause_only() -> None:
    engine = SlowPlanner(away=True)
    async with town(engine=engine) as here:
        session = await here.drafted()
        for _ in range(8):
            desk = await here.desk("ada", session)
            assert desk["draft"]["source"] == "model"
            assert (await here.decide("ada", session, "approve")).status_code == 201
            await here.say(session, "It is mostly at work.")
            await here.work()
        assert engine.plans_asked == 1
        await here.work(1_000)
        assert engine.plans_asked == 2
        drafts = len(engine.prompts)
        await here.work(60_000)
        assert len(engine.prompts) == drafts


async def test_sessions_that_wait_for_their_plans_take_no_slot_from_others() -> None:
    engine = SlowPlanner()
    async with town(engine=engine) as here, working(here, turns=2):
        for _ in range(3):
            await at_the_last_step(here)
            await until(lambda: engine.plans_asked >= 1)
        assert engine.plans_asked == 1
        other = await here.open()
        await here.say(other, "I am new here.")
        await drafted_anew(here, other)


async def test_a_page_goes_out_in_time_while_the_model_is_being_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worker, "_LEASE_MS", 300)
    engine = WaitingEngine()
    async with town(engine=engine) as here, working(here):
        session = await here.open()
        await here.say(session, "[moderate]")
        await until(lambda: len(here.pager.pages) == 1)
        await until(lambda: engine.asked != [])
        here.clock.tick(16 * 60_000)
        await until(lambda: len(here.pager.pages) == 2)
        assert engine.may.is_set() is False


async def test_a_plan_written_while_the_cursor_was_moved_is_not_put_up() -> None:
    engine = SlowPlanner()
    async with town(engine=engine) as here, working(here):
        session = await at_the_last_step(here)
        await until(lambda: engine.plans_asked == 1)
        last = (await here.desk("ada", session))["plan"]["position"]["action_index"]
        for index in (0, last):
            body = {
                "stage": "diagnostic", "action_index": index, "reason": "Once more.",
                "basis": await here.length(session),
            }  # fmt: skip
            path = f"/v1/sessions/{session}/position"
            assert (await here.write("ada", session, "PUT", path, body)).status_code == 200
        engine.may.set()

        async def is_proposed() -> bool:
            return (await here.desk("ada", session))["plan"]["proposed"] is not None

        await until(is_proposed)
        assert engine.plans_asked == 2


async def test_a_plan_written_while_a_reply_is_held_is_not_lost() -> None:
    engine = SlowPlanner()
    async with town(engine=engine, policy=Policy(hold_ms=5_000)) as here, working(here):
        session = await at_the_last_step(here)
        await until(lambda: engine.plans_asked == 1)
        await drafted_anew(here, session)
        decided = (await here.decide("ada", session, "approve")).json()
        engine.may.set()

        async def is_proposed() -> bool:
            return (await here.desk("ada", session))["plan"]["proposed"] is not None

        await until(is_proposed)
        assert not await sent(here, session)
        path = f"/v1/decisions/{decided['decision_id']}"
        assert (await here.write("ada", session, "DELETE", path)).is_success
        assert await is_proposed()
        assert engine.plans_asked == 1
