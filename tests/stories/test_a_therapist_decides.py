"""A draft lies on the desk; a named human decides; only then do words leave."""

import pytest

from service.session.events import ReplyDecided
from tests.driving import Town

OWN = "What would you like to start with today?"


async def test_no_draft_reaches_the_client_by_itself(here: Town) -> None:
    session = await here.drafted()
    await here.work(3_600_000)
    assert await here.replies(session) == []


async def test_an_approved_draft_leaves_word_for_word(here: Town) -> None:
    session = await here.drafted()
    (candidate,) = (await here.desk("ada", session))["draft"]["candidates"]
    assert (await here.decide("ada", session, "approve")).status_code == 201
    (reply,) = await here.replies(session)
    assert (reply["kind"], reply["text"]) == ("reply", candidate["utterance"])


async def test_an_approved_step_moves_the_cursor(here: Town) -> None:
    session = await here.drafted()
    assert (await here.desk("ada", session))["action"] is None
    await here.decide("ada", session, "approve")
    assert (await here.desk("ada", session))["action"] == "Understanding surface level"


async def test_a_large_edit_needs_a_reason(here: Town) -> None:
    session = await here.drafted()
    refused = await here.decide("ada", session, "edit", text="Tell me more.")
    assert (refused.status_code, refused.json()["code"]) == (422, "reasons_required")
    assert await here.replies(session) == []
    edited = await here.decide("ada", session, "edit", text="Tell me more.", reasons=["style"])
    assert edited.status_code == 201
    line = (await here.desk("ada", session))["transcript"][-1]
    assert (line["verdict"], line["text"]) == ("edit", "Tell me more.")
    assert line["drafted"] is not None


async def test_a_rejected_draft_is_replaced_by_a_new_one(here: Town) -> None:
    session = await here.drafted()
    before = (await here.desk("ada", session))["draft"]["draft_id"]
    refused = await here.decide("ada", session, "reject")
    assert refused.json()["code"] == "reasons_required"
    hint = {"reasons": ["empathy"], "hint": "Name the feeling."}
    assert (await here.decide("ada", session, "reject", **hint)).status_code == 201
    await here.work()
    after = (await here.desk("ada", session))["draft"]["draft_id"]
    assert after != before
    assert "Name the feeling." in here.engine.read
    assert await here.replies(session) == []


async def test_a_therapist_may_answer_in_her_own_words(here: Town) -> None:
    session = await here.drafted()
    assert (await here.decide("ada", session, "respond", text=OWN)).status_code == 201
    (reply,) = await here.replies(session)
    assert reply["text"] == OWN


async def test_an_escalated_draft_raises_an_alert_and_stops_drafting(here: Town) -> None:
    session = await here.drafted()
    assert (await here.decide("ada", session, "escalate")).status_code == 201
    desk = await here.desk("ada", session)
    assert (desk["status"], desk["alerts"][0]["source"]) == ("crisis", "therapist")
    await here.work()
    assert (await here.desk("ada", session))["draft"] is None
    assert [page.alert_id for page in here.pager.pages] == [desk["alerts"][0]["alert_id"]]


async def test_escalating_calls_nobody_twice_about_what_nobody_has_seen_yet(here: Town) -> None:
    session = await here.drafted()
    await here.call("ben", "POST", f"/v1/sessions/{session}/alerts", {})
    assert (await here.decide("ada", session, "escalate")).status_code == 201
    assert len((await here.desk("ada", session))["alerts"]) == 1
    await here.work()
    assert len(here.pager.pages) == 1


async def test_a_new_message_makes_the_draft_stale(here: Town) -> None:
    session = await here.drafted()
    desk = await here.desk("ada", session)
    await here.say(session, "And one more thing.")
    path = f"/v1/drafts/{desk['draft']['draft_id']}/decisions"
    late = await here.write(
        "ada", session, "POST", path, {"verdict": "approve", "basis": desk["seq"]}
    )
    assert (late.status_code, late.json()["code"]) == (409, "draft_is_stale")
    assert late.json()["seq"] == await here.length(session)
    assert await here.replies(session) == []
    await here.work()
    assert (await here.decide("ada", session, "approve")).status_code == 201


async def test_a_draft_is_decided_on_once(here: Town) -> None:
    session = await here.drafted()
    desk = await here.desk("ada", session)
    path = f"/v1/drafts/{desk['draft']['draft_id']}/decisions"
    body = {"verdict": "approve", "basis": desk["seq"]}
    assert (await here.write("ada", session, "POST", path, body)).status_code == 201
    again = await here.write("ada", session, "POST", path, body)
    assert (again.status_code, again.json()["code"]) == (409, "already_decided")
    assert len(await here.replies(session)) == 1


async def test_a_draft_that_lay_open_over_a_weekend_can_be_decided_on(here: Town) -> None:
    session = await here.drafted()
    answer = await here.decide("ada", session, "approve", dwell_ms=3 * 86_400_000)
    assert answer.status_code == 201
    (kept,) = [
        one.event.dwell_ms
        for one in (await here.house.ledger.events(session, 0)).values()
        if isinstance(one.event, ReplyDecided)
    ]
    assert kept == 86_400_000


async def test_only_the_current_or_the_next_action_can_be_chosen(here: Town) -> None:
    session = await here.drafted()
    answer = await here.decide("ada", session, "approve", action="Setting up a homework plan")
    assert (answer.status_code, answer.json()["code"]) == (422, "action_not_allowed")


async def test_a_candidate_that_was_not_drafted_cannot_be_chosen(here: Town) -> None:
    session = await here.drafted()
    answer = await here.decide("ada", session, "approve", candidate=3)
    assert (answer.status_code, answer.json()["code"]) == (422, "no_such_candidate")


async def test_a_reply_can_be_written_without_a_draft(here: Town) -> None:
    here.engine.manner = "down"
    session = await here.open()
    await here.claim("ada", session)
    body = {"text": OWN, "basis": 1}
    path = f"/v1/sessions/{session}/replies"
    assert (await here.write("ada", session, "POST", path, body)).status_code == 201
    assert [reply["text"] for reply in await here.replies(session)] == [OWN]


@pytest.mark.parametrize(
    ("verdict", "unused"),
    [("approve", "text"), ("reject", "text"), ("escalate", "text"), ("approve", "hint"),
     ("respond", "hint"), ("edit", "hint"), ("escalate", "hint")],
)  # fmt: skip
async def test_words_that_a_verdict_would_not_use_are_refused(
    here: Town, verdict: str, unused: str
) -> None:
    session = await here.drafted()
    needed = {"text": OWN} if verdict in {"edit", "respond"} else {}
    words = {**needed, unused: OWN, "reasons": ["style"]}
    refused = await here.decide("ada", session, verdict, **words)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_request")
    assert OWN not in refused.text
    assert await here.replies(session) == []
    assert (await here.desk("ada", session))["draft"] is not None


@pytest.mark.parametrize("verdict", ["respond", "edit"])
async def test_words_that_fail_a_check_need_an_explicit_yes(here: Town, verdict: str) -> None:
    session = await here.drafted()
    words = {"text": "I promise that it will all be fine, trust me.", "reasons": ["style"]}
    refused = await here.decide("ada", session, verdict, **words)
    assert (refused.status_code, refused.json()["code"]) == (422, "guard_refused")
    named = [one["check"] for one in refused.json()["checks"]]
    allowed = await here.decide("ada", session, verdict, **words, confirm_checks=named)
    assert allowed.status_code == 201


async def test_names_of_the_region_s_places_the_service_and_staff_need_no_yes(here: Town) -> None:
    session = await here.drafted()
    words = "Lifeline is there by day and night, says Second Chair; ask for Ada."
    told = f"You can call {words}"
    assert (await here.decide("ada", session, "respond", text=told)).status_code == 201


async def test_a_place_of_another_region_is_asked_about(here: Town) -> None:
    session = await here.drafted()
    refused = await here.decide("ada", session, "respond", text="You can call Samaritans now.")
    assert [one["check"] for one in refused.json()["checks"]] == ["unknown_name"]


class TestHolding:
    async def test_a_held_reply_leaves_when_its_time_is_over(self, holding: Town) -> None:
        session = await holding.drafted()
        decided = (await holding.decide("ada", session, "approve")).json()
        await holding.work(4_999)
        assert decided["release_at"]
        assert await holding.replies(session) == []
        await holding.work(1)
        assert len(await holding.replies(session)) == 1
        await holding.work(60_000)
        assert len(await holding.replies(session)) == 1

    async def test_an_undone_reply_never_leaves(self, holding: Town) -> None:
        session = await holding.drafted()
        decided = (await holding.decide("ada", session, "approve")).json()
        path = f"/v1/decisions/{decided['decision_id']}"
        assert (await holding.write("ada", session, "DELETE", path)).status_code == 200
        await holding.work(60_000)
        assert await holding.replies(session) == []
        desk = await holding.desk("ada", session)
        assert desk["draft"] is not None
        assert desk["action"] is None

    async def test_a_reply_that_left_cannot_be_undone(self, holding: Town) -> None:
        session = await holding.drafted()
        decided = (await holding.decide("ada", session, "approve")).json()
        await holding.work(5_000)
        path = f"/v1/decisions/{decided['decision_id']}"
        late = await holding.write("ada", session, "DELETE", path)
        assert (late.status_code, late.json()["code"]) == (409, "already_released")

    async def test_one_reply_is_held_at_a_time(self, holding: Town) -> None:
        session = await holding.drafted()
        seq = (await holding.decide("ada", session, "approve")).json()["seq"]
        path = f"/v1/sessions/{session}/replies"
        second = await holding.write("ada", session, "POST", path, {"text": OWN, "basis": seq})
        assert (second.status_code, second.json()["code"]) == (409, "reply_is_held")

    async def test_undoing_the_first_words_asks_for_no_draft(self, holding: Town) -> None:
        session = await holding.open()
        await holding.claim("ada", session)
        await write_and_undo(holding, session)
        await holding.work(60_000)
        assert (await holding.desk("ada", session))["draft"] is None
        assert (await holding.call("ada", "GET", "/v1/queue")).json()["items"] == []

    async def test_a_draft_that_was_asked_for_is_still_wanted_after_an_undo(
        self, holding: Town
    ) -> None:
        session = await holding.drafted()
        await holding.decide("ada", session, "approve")
        await holding.work(5_000)
        path, body = f"/v1/sessions/{session}/drafts", {"hint": "Ask about the evening."}
        assert (await holding.write("ada", session, "POST", path, body)).status_code == 202
        await write_and_undo(holding, session)
        await holding.work()
        assert (await holding.desk("ada", session))["draft"] is not None
        assert "Ask about the evening." in holding.engine.read

    async def test_the_counselor_s_first_words_are_still_wanted_after_an_undo(
        self, holding: Town
    ) -> None:
        session = await holding.open(opening="counselor")
        await holding.claim("ada", session)
        await write_and_undo(holding, session)
        await holding.work()
        assert (await holding.desk("ada", session))["draft"] is not None


async def write_and_undo(here: Town, session: str) -> None:
    """Write a reply without a draft, and take it back while it is held."""
    body = {"text": OWN, "basis": await here.length(session)}
    decided = await here.write("ada", session, "POST", f"/v1/sessions/{session}/replies", body)
    path = f"/v1/decisions/{decided.json()['decision_id']}"
    assert (await here.write("ada", session, "DELETE", path)).status_code == 200
