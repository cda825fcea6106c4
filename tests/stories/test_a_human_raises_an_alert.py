"""Danger that the screen missed: a human calls people, whatever lies on the desk."""

import pytest

from safety.risk import Category, RiskLevel
from service.session.duties import Policy
from tests.driving import Answer, Json, Town, town

GOODBYE = "Thank you for everything. It is all in order now."


async def calls(here: Town, session: str, who: str = "ada", **more: Json) -> Answer:
    """Raise an alert by hand, without a claim."""
    return await here.call(who, "POST", f"/v1/sessions/{session}/alerts", more)


async def read(here: Town) -> str:
    """Open a session with a goodbye that the screen did not hear."""
    session = await here.open()
    await here.say(session, GOODBYE)
    return session


async def pages(here: Town) -> list[tuple[str, RiskLevel, Category]]:
    """Give who has been called about what."""
    await here.work()
    return [(page.session_id, page.level, page.category) for page in here.pager.pages]


async def test_an_alert_needs_neither_draft_nor_claim(here: Town) -> None:
    session = await read(here)
    answer = await calls(here, session)
    assert answer.status_code == 201
    desk = await here.desk("ada", session)
    assert (desk["status"], desk["draft"], desk["no_draft_reason"]) == ("crisis", None, "crisis")
    (alert,) = desk["alerts"]
    assert (alert["alert_id"], alert["level"], alert["source"]) == (
        answer.json()["alert_id"], "high", "human",
    )  # fmt: skip
    assert alert["message_id"] == desk["transcript"][0]["id"]
    assert await pages(here) == [(session, RiskLevel.HIGH, Category.NONE)]
    listed = (await here.call("ben", "GET", "/v1/alerts")).json()["items"]
    assert [one["alert_id"] for one in listed] == [alert["alert_id"]]
    assert (await here.desk("ada", session))["draft"] is None


async def test_a_supervisor_may_raise_one_too_and_names_what_it_is(here: Town) -> None:
    session = await read(here)
    more = {"level": "imminent", "category": "suicide", "note": "Giving things away."}
    assert (await calls(here, session, "sue", **more)).status_code == 201
    assert await pages(here) == [(session, RiskLevel.IMMINENT, Category.SUICIDE)]
    (note,) = [one for one in (await here.desk("ada", session))["transcript"]
               if one["kind"] == "note"]  # fmt: skip
    assert (note["by"], note["text"]) == ("sue", "Giving things away.")


async def test_saying_it_again_raises_no_second_alert(here: Town) -> None:
    session = await read(here)
    first = (await calls(here, session, note="Giving things away.")).json()
    written = await here.length(session)
    again = await calls(here, session, note="Giving things away.")
    assert (again.status_code, again.json()["alert_id"]) == (201, first["alert_id"])
    assert await here.length(session) == written
    assert (await calls(here, session, "ben", note="I think so too.")).status_code == 201
    assert len((await here.desk("ada", session))["alerts"]) == 1
    assert len(await pages(here)) == 1


async def test_after_somebody_looked_it_can_be_raised_anew(here: Town) -> None:
    session = await read(here)
    first = (await calls(here, session)).json()["alert_id"]
    await here.acknowledge("ben", first)
    assert (await calls(here, session)).json()["alert_id"] != first
    assert len(await pages(here)) == 1


@pytest.mark.parametrize("resolved", [False, True])
async def test_a_lost_answer_is_asked_for_again_by_its_key_whatever_came_of_the_alert(
    here: Town, resolved: bool
) -> None:
    session = await read(here)
    path, body = f"/v1/sessions/{session}/alerts", {"note": "Giving things away."}
    first = await here.call("ada", "POST", path, body, Idempotency_Key="press-1")
    alert = first.json()["alert_id"]
    await here.acknowledge("ben", alert)
    if resolved:
        ended = {"outcome": "safe", "note": "We spoke."}
        await here.call("ben", "POST", f"/v1/alerts/{alert}/resolve", ended)
    written = await here.length(session)
    again = await here.call("ada", "POST", path, body, Idempotency_Key="press-1")
    assert (again.status_code, again.json()["alert_id"]) == (201, alert)
    assert await here.length(session) == written
    other = await here.call("ada", "POST", path, {}, Idempotency_Key="press-1")
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")


async def test_a_worse_danger_than_the_one_that_waits_is_an_alert_of_its_own(here: Town) -> None:
    session = await read(here)
    await calls(here, session)
    await calls(here, session, level="imminent")
    assert len((await here.desk("ada", session))["alerts"]) == 2


async def test_a_moderate_alert_lets_drafting_go_on(here: Town) -> None:
    session = await read(here)
    await calls(here, session, level="moderate")
    assert await pages(here) == [(session, RiskLevel.MODERATE, Category.NONE)]
    desk = await here.desk("ada", session)
    assert (desk["status"], desk["draft"] is None) == ("open", False)


async def test_a_reply_that_is_held_is_taken_back_and_drafting_resumes_in_the_end(
    holding: Town,
) -> None:
    session = await holding.drafted()
    await holding.decide("ada", session, "approve")
    alert = (await calls(holding, session, "ben")).json()["alert_id"]
    await holding.work(60_000)
    assert await holding.replies(session) == []
    body = {"outcome": "safe", "note": "We spoke."}
    await holding.call("ada", "POST", f"/v1/alerts/{alert}/resolve", body)
    await holding.work()
    desk = await holding.desk("ada", session)
    assert (desk["status"], desk["draft"] is None) == ("open", False)


async def test_no_notice_goes_out_where_a_human_is_already_there() -> None:
    policy = Policy(hold_ms=0, crisis_notice={"en": "Please call 555-0100."})
    async with town(policy=policy) as here:
        session = await read(here)
        await calls(here, session, level="imminent")
        await here.work()
        assert await here.replies(session) == []


async def test_an_alert_comes_through_while_the_model_is_paused(paused: Town) -> None:
    session = await read(paused)
    assert (await calls(paused, session)).status_code == 201
    assert len(await pages(paused)) == 1


async def test_people_are_called_to_a_session_that_was_closed(here: Town) -> None:
    session = await read(here)
    await here.call("app", "POST", f"/v1/sessions/{session}/close")
    assert (await calls(here, session)).status_code == 201
    assert len(await pages(here)) == 1
    assert (await here.desk("ada", session))["status"] == "closed"


async def test_nothing_of_an_erased_session_is_left_to_call_about(here: Town) -> None:
    session = await read(here)
    await here.call("sue", "DELETE", f"/v1/sessions/{session}")
    assert (await calls(here, session)).json()["code"] == "session_erased"


@pytest.mark.parametrize("wrong", [{"level": "low"}, {"level": "none"}, {"category": "sorrow"}])
async def test_only_levels_and_kinds_that_alert_can_be_named(here: Town, wrong: Json) -> None:
    session = await read(here)
    assert (await calls(here, session, **wrong)).status_code == 422
    assert (await here.desk("ada", session))["alerts"] == []


async def test_nobody_answers_in_ignorance_of_an_alert_that_a_colleague_raised(here: Town) -> None:
    session = await here.drafted()
    desk = await here.desk("ada", session)
    assert (await calls(here, session, "ben", level="imminent")).status_code == 201
    path = f"/v1/drafts/{desk['draft']['draft_id']}/decisions"
    late = {"verdict": "approve", "basis": desk["seq"]}
    refused = await here.write("ada", session, "POST", path, late)
    assert (refused.status_code, refused.json()["code"]) == (409, "basis_is_stale")
    own = {"text": "Tell me more.", "basis": desk["seq"]}
    refused = await here.write("ada", session, "POST", f"/v1/sessions/{session}/replies", own)
    assert refused.json()["code"] == "basis_is_stale"
    seen = late | {"basis": await here.length(session)}
    assert (await here.write("ada", session, "POST", path, seen)).status_code == 201
