"""A draft that answers no message waits too: somebody asked for it, or it is the first line."""

from tests.driving import Json, Town
from tests.planning import correct

MINUTE = 60_000


async def waiting(here: Town) -> list[tuple[str, str, str]]:
    """What waits: kind, whether a draft lies there, since when."""
    items = (await here.call("ada", "GET", "/v1/queue")).json()["items"]
    return [
        (one["kind"], "drafted" if one["draft_id"] else "", one["waiting_since"]) for one in items
    ]


async def kinds(here: Town) -> list[str]:
    return [kind for kind, _, _ in await waiting(here)]


async def ask(here: Town, session: str) -> None:
    answer = await here.write("ada", session, "POST", f"/v1/sessions/{session}/drafts", {})
    assert answer.status_code == 202


async def first_line(here: Town) -> str:
    """Open a session in which the counselor speaks first, its draft on ada's desk."""
    session = await here.open(opening="counselor")
    await here.work()
    await here.claim("ada", session)
    return session


async def asked_for(here: Town) -> str:
    """Answer a client, then ask for another draft before they write again."""
    session = await here.drafted()
    await here.decide("ada", session, "approve")
    await here.work(MINUTE)
    assert await kinds(here) == []
    await ask(here, session)
    return session


async def test_the_counselors_first_line_waits_from_when_it_was_drafted(here: Town) -> None:
    session = await here.open(opening="counselor")
    assert await kinds(here) == ["no_draft"]
    await here.work(MINUTE)
    drafted = (await here.desk("ada", session))["draft"]["created_at"]
    here.clock.tick(MINUTE)
    assert await waiting(here) == [("draft", "drafted", drafted)]
    await here.call("ada", "POST", f"/v1/sessions/{session}/notes", {"text": "Call first."})
    assert await waiting(here) == [("draft", "drafted", drafted)]


async def test_the_first_line_no_longer_waits_once_it_is_said(here: Town) -> None:
    session = await first_line(here)
    await here.decide("ada", session, "approve")
    assert len(await here.replies(session)) == 1
    assert await kinds(here) == []


async def test_a_draft_that_was_asked_for_waits_until_somebody_decides(here: Town) -> None:
    session = await asked_for(here)
    assert await kinds(here) == ["no_draft"]
    await here.work()
    assert await kinds(here) == ["draft"]
    await here.decide("ada", session, "reject", reasons=["empathy"])
    assert await kinds(here) == ["no_draft"]
    await here.work()
    assert await kinds(here) == ["draft"]
    await here.decide("ada", session, "approve")
    assert await kinds(here) == []


async def test_a_reply_that_is_undone_waits_again(holding: Town) -> None:
    session = await holding.drafted()
    await holding.decide("ada", session, "approve")
    await holding.work(MINUTE)
    await ask(holding, session)
    await holding.work()
    decided = (await holding.decide("ada", session, "approve")).json()
    assert await kinds(holding) == []
    await holding.write("ada", session, "DELETE", f"/v1/decisions/{decided['decision_id']}")
    assert await kinds(holding) == ["draft"]
    await holding.work(MINUTE)
    assert len(await holding.replies(session)) == 1


async def test_a_message_that_waits_longer_says_since_when(here: Town) -> None:
    session = await here.open()
    here.clock.tick(MINUTE)
    await here.say(session, "Hello.")
    said = (await here.desk("ada", session))["transcript"][0]["at"]
    await here.work(MINUTE)
    assert await waiting(here) == [("draft", "drafted", said)]


async def test_a_draft_is_not_waited_for_where_the_therapist_wrote_herself(here: Town) -> None:
    session = await first_line(here)
    body: Json = {"text": "Welcome. What brings you here?", "basis": await here.length(session)}
    await here.write("ada", session, "POST", f"/v1/sessions/{session}/replies", body)
    assert len(await here.replies(session)) == 1
    assert await kinds(here) == []


async def test_a_draft_of_a_closed_session_is_not_waited_for(here: Town) -> None:
    session = await first_line(here)
    await here.call("app", "POST", f"/v1/sessions/{session}/close")
    assert await kinds(here) == []


async def test_a_draft_that_went_stale_is_written_anew(here: Town) -> None:
    session = await asked_for(here)
    await here.work()
    assert await kinds(here) == ["draft"]
    answer = await correct(here, session, triggering_situation="A new job.")
    assert answer.status_code == 200
    assert await kinds(here) == ["no_draft"]
    await here.work()
    assert await kinds(here) == ["draft"]


async def test_an_escalated_draft_leaves_its_alert_to_wait_and_then_those_who_waited(
    here: Town,
) -> None:
    session = await first_line(here)
    await here.decide("ada", session, "escalate")
    assert await kinds(here) == ["alert"]
    (alert,) = (await here.desk("ada", session))["alerts"]
    await here.acknowledge("ada", alert["alert_id"])
    ended = {"outcome": "false_alarm", "note": "We spoke."}
    await here.call("ada", "POST", f"/v1/alerts/{alert['alert_id']}/resolve", ended)
    assert await kinds(here) == ["no_draft"]
    await here.work()
    assert await kinds(here) == ["draft"]


async def test_who_writes_again_keeps_the_place_and_the_gravity_of_the_first_line(
    here: Town,
) -> None:
    first, second = await here.open(), await here.open()
    await here.say(first, "[low]")
    said = (await here.desk("ada", first))["transcript"][0]["at"]
    await here.work(MINUTE)
    await here.say(second, "[low]")
    await here.work(MINUTE)
    await here.say(first, "Are you there?")
    await here.work(MINUTE)
    items = (await here.call("ada", "GET", "/v1/queue")).json()["items"]
    assert [(one["session_id"], one["risk"]) for one in items] == [(first, "low"), (second, "low")]
    assert items[0]["waiting_since"] == said
    await here.claim("ada", first)
    await here.decide("ada", first, "approve")
    await here.say(first, "Thank you.")
    await here.work(MINUTE)
    items = (await here.call("ada", "GET", "/v1/queue")).json()["items"]
    assert [(one["session_id"], one["risk"]) for one in items] == [(second, "low"), (first, "none")]
