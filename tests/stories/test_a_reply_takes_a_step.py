"""A reply stays at its step or takes the next; which of both, its human says and nobody else."""

import pytest

from tests.driving import Answer, Json, Town

STAY = "Please stay with that a little longer."
FIRST, SECOND = "Understanding surface level", "Understanding trigger situation"


async def at_the_second_step(here: Town) -> str:
    """Lay a draft on the desk that would go on from the first step."""
    session = await here.drafted()
    await here.decide("ada", session, "approve")
    await here.say(session, "It is mostly at work.")
    await here.work()
    desk = await here.desk("ada", session)
    assert (desk["action"], desk["draft"]["candidates"][0]["action"]) == (FIRST, SECOND)
    return session


async def write(here: Town, session: str, **more: Json) -> Answer:
    """Write to the client without a draft."""
    body = {"text": STAY, "basis": await here.length(session), **more}
    return await here.write("ada", session, "POST", f"/v1/sessions/{session}/replies", body)


async def last_step(here: Town, session: str) -> tuple[str | None, str | None]:
    """Give where the session stands, and what its last line says that it carried out."""
    desk = await here.desk("ada", session)
    return desk["action"], desk["transcript"][-1]["action"]


async def test_own_words_do_not_take_the_step_of_the_draft_they_replace(here: Town) -> None:
    session = await at_the_second_step(here)
    assert (await here.decide("ada", session, "respond", text=STAY)).status_code == 201
    assert await last_step(here, session) == (FIRST, FIRST)


async def test_own_words_never_end_the_diagnostic_stage_by_themselves(here: Town) -> None:
    session = await at_the_second_step(here)
    for number in range(5):
        assert (await here.decide("ada", session, "respond", text=STAY)).status_code == 201
        await here.say(session, f"More of the same, {number}.")
        await here.work()
    desk = await here.desk("ada", session)
    assert (desk["action"], desk["plan"]["proposed"]) == (FIRST, None)


@pytest.mark.parametrize("verdict", ["approve", "edit"])
async def test_a_draft_s_words_take_its_step_edited_or_not(here: Town, verdict: str) -> None:
    session = await at_the_second_step(here)
    words = {"text": STAY, "reasons": ["style"]} if verdict == "edit" else {}
    assert (await here.decide("ada", session, verdict, **words)).status_code == 201
    assert await last_step(here, session) == (SECOND, SECOND)


@pytest.mark.parametrize(("verdict", "step"), [("respond", SECOND), ("edit", FIRST)])
async def test_whoever_names_the_step_has_her_way(here: Town, verdict: str, step: str) -> None:
    session = await at_the_second_step(here)
    words = {"text": STAY, "reasons": ["style"], "action": step}
    assert (await here.decide("ada", session, verdict, **words)).status_code == 201
    assert await last_step(here, session) == (step, step)


async def test_a_reply_without_a_draft_stays_where_the_session_stands(here: Town) -> None:
    session = await at_the_second_step(here)
    assert (await write(here, session)).status_code == 201
    assert await last_step(here, session) == (FIRST, FIRST)
    assert (await write(here, session, action=SECOND)).status_code == 201
    assert await last_step(here, session) == (SECOND, SECOND)


async def test_own_words_before_the_first_step_take_none(here: Town) -> None:
    session = await here.drafted()
    assert (await here.decide("ada", session, "respond", text=STAY)).status_code == 201
    assert await last_step(here, session) == (None, None)
