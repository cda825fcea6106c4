"""Colleagues: one holds a session at a time, others can see it, take it, and leave word."""

from collections.abc import Awaitable, Callable

import pytest

from service.stores.memory import MemoryStore
from service.stores.port import Conflict, Document
from tests.driving import Town, town


class CrowdedStore(MemoryStore):
    """A memory store where, so many times, somebody else wrote the document first."""

    first = 0

    async def put_document(self, kind: str, document: Document) -> None:
        """Write, unless somebody was faster."""
        if self.first:
            self.first -= 1
            raise Conflict
        await super().put_document(kind, document)


class OvertakenStore(MemoryStore):
    """A memory store where, once, something happens right before a document of a kind is kept."""

    about = ""
    meanwhile: Callable[[], Awaitable[None]] | None = None

    async def put_document(self, kind: str, document: Document) -> None:
        """Write, once that has happened."""
        if self.meanwhile is not None and kind == self.about:
            happening, self.meanwhile = self.meanwhile, None
            await happening()
        await super().put_document(kind, document)


async def test_a_reviewer_without_a_claim_may_not_decide(here: Town) -> None:
    session = await here.open()
    await here.say(session, "Hello.")
    await here.work()
    desk = await here.desk("ben", session)
    path = f"/v1/drafts/{desk['draft']['draft_id']}/decisions"
    body = {"verdict": "approve", "basis": desk["seq"]}
    none = await here.call("ben", "POST", path, body)
    assert (none.status_code, none.json()["code"]) == (400, "claim_required")
    wrong = await here.call("ben", "POST", path, body, X_Claim="clm_7")
    assert (wrong.status_code, wrong.json()["code"]) == (409, "claim_lost")


async def test_a_claimed_session_is_not_given_to_a_second_reviewer(here: Town) -> None:
    session = await here.drafted()
    path = f"/v1/sessions/{session}/claim"
    answer = await here.call("ben", "POST", path, {})
    assert (answer.status_code, answer.json()["code"]) == (409, "claimed_by_other")
    assert (await here.desk("ben", session))["claimed_by"] == "ada"


async def test_taking_over_needs_a_note_and_ends_the_other_claim(here: Town) -> None:
    session = await here.drafted()
    path = f"/v1/sessions/{session}/claim"
    bare = await here.call("ben", "POST", path, {"take_over": True})
    assert (bare.status_code, bare.json()["code"]) == (422, "note_required")
    taken = await here.call("ben", "POST", path, {"take_over": True, "note": "Ada is ill."})
    here.claims["ben", session] = taken.json()["claim"]
    lost = await here.decide("ada", session, "approve")
    assert (lost.status_code, lost.json()["code"]) == (409, "claim_lost")
    assert (await here.decide("ben", session, "approve")).status_code == 201
    assert "Ada is ill." in [one["text"] for one in (await here.desk("ben", session))["transcript"]]


async def test_a_claim_ends_by_itself_unless_renewed(here: Town) -> None:
    session = await here.drafted()
    path = f"/v1/sessions/{session}/claim"
    here.clock.tick(60_000)
    kept = await here.call("ada", "POST", path, {}, X_Claim=here.claims["ada", session])
    assert kept.json()["claim"] == here.claims["ada", session]
    here.clock.tick(60_000)
    assert (await here.call("ben", "POST", path, {})).status_code == 409
    here.clock.tick(60_000)
    assert (await here.call("ben", "POST", path, {})).status_code == 200


async def test_a_session_given_back_is_free(here: Town) -> None:
    session = await here.drafted()
    path = f"/v1/sessions/{session}/claim"
    assert (await here.write("ada", session, "DELETE", path)).status_code == 204
    assert (await here.call("ben", "POST", path, {})).status_code == 200
    lost = await here.decide("ada", session, "approve")
    assert lost.json()["code"] == "claim_lost"


async def test_of_two_reviewers_with_one_draft_only_one_is_heard(here: Town) -> None:
    session = await here.drafted()
    desk = await here.desk("ada", session)
    note = {"take_over": True, "note": "My turn."}
    taken = await here.call("ben", "POST", f"/v1/sessions/{session}/claim", note)
    body = {"verdict": "approve", "basis": desk["seq"]}
    path = f"/v1/drafts/{desk['draft']['draft_id']}/decisions"
    first = await here.call("ben", "POST", path, body, X_Claim=taken.json()["claim"])
    second = await here.write("ada", session, "POST", path, body)
    assert (first.status_code, second.status_code) == (201, 409)
    assert len(await here.replies(session)) == 1


async def test_a_note_is_for_colleagues_only(here: Town) -> None:
    session = await here.open()
    path = f"/v1/sessions/{session}/notes"
    assert (await here.call("ada", "POST", path, {"text": "Ask about sleep."})).status_code == 201
    await here.say(session, "Hello.")
    await here.work()
    assert "Ask about sleep." in str((await here.desk("ben", session))["transcript"])
    assert "Ask about sleep." not in here.engine.read
    assert await here.replies(session) == []


async def test_a_session_is_handed_over_with_a_note(here: Town) -> None:
    session = await here.drafted()
    path = f"/v1/sessions/{session}/assign"
    body = {"to": "ben", "note": "You know this field."}
    assert (await here.write("ada", session, "POST", path, body)).status_code == 200
    mine = (await here.call("ben", "GET", "/v1/queue?mine=true")).json()["items"]
    assert [one["session_id"] for one in mine] == [session]


async def test_unsent_words_come_back_to_their_author_only(here: Town) -> None:
    session = await here.drafted()
    path = f"/v1/sessions/{session}/unsent"
    await here.call("ada", "PUT", path, {"text": "I was about to say"})
    assert (await here.desk("ada", session))["unsent_text"] == "I was about to say"
    assert (await here.desk("ben", session))["unsent_text"] is None
    await here.call("ada", "PUT", path, {"text": ""})
    assert (await here.desk("ada", session))["unsent_text"] is None


async def test_unsent_words_remember_what_they_are_an_edit_of(here: Town) -> None:
    session = await here.drafted()
    path = f"/v1/sessions/{session}/unsent"
    for origin in ({"draft_id": "drf_7", "candidate": 1}, {}):
        await here.call("ada", "PUT", path, {"text": "I was about to say", **origin})
        desk = await here.desk("ada", session)
        kept = (desk["unsent_text"], desk["unsent_draft_id"], desk["unsent_candidate"])
        wanted = (origin.get("draft_id"), origin.get("candidate", 0))
        assert kept == ("I was about to say", *wanted)


async def test_words_kept_by_an_earlier_build_come_back(here: Town) -> None:
    session = await here.drafted()
    sealed = await here.house.ledger.seal_side(session, "unsent", "I was about to say")
    await here.store.put_document("unsent", Document(f"{session}:ada", 1, sealed))
    desk = await here.desk("ada", session)
    assert (desk["unsent_text"], desk["unsent_draft_id"]) == ("I was about to say", None)


async def test_words_that_were_not_kept_are_not_said_to_be() -> None:
    store = CrowdedStore()
    async with town(store) as here:
        session = await here.drafted()
        path, body = f"/v1/sessions/{session}/unsent", {"text": "I was about to say"}
        store.first = 3
        answer = await here.call("ada", "PUT", path, body)
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        assert answer.headers["Retry-After"]
        store.first = 2
        assert (await here.call("ada", "PUT", path, body)).status_code == 204
        assert (await here.desk("ada", session))["unsent_text"] == body["text"]


@pytest.mark.parametrize("before", ["unsent", "viewer"])
async def test_what_is_kept_at_the_moment_of_an_erasure_leaves_nothing_behind(before: str) -> None:
    store = OvertakenStore()
    async with town(store) as here:
        session = await here.drafted()
        store.about = before

        async def erase() -> None:
            answer = await here.call("sue", "DELETE", f"/v1/sessions/{session}")
            assert answer.status_code < 300

        store.meanwhile = erase
        if before == "unsent":
            path, body = f"/v1/sessions/{session}/unsent", {"text": "I was about to say"}
            answer = await here.call("ben", "PUT", path, body)
        else:
            answer = await here.call("ben", "GET", f"/v1/sessions/{session}/workspace")
        assert (answer.status_code, answer.json()["code"]) == (410, "session_erased")
        assert [*await store.documents("unsent"), *await store.documents("viewer")] == []


async def test_a_crowd_at_a_session_keeps_nobody_from_reading_it() -> None:
    store = CrowdedStore()
    async with town(store) as here:
        session = await here.drafted()
        store.first = 1
        assert (await here.desk("ada", session))["viewers"] == []
        assert (await here.desk("ada", session))["viewers"] == []
        assert (await here.desk("ben", session))["viewers"] == ["ada"]


async def test_who_looks_at_a_session_is_seen_by_the_others(here: Town) -> None:
    session = await here.drafted()
    await here.desk("ada", session)
    assert (await here.desk("ben", session))["viewers"] == ["ada"]


async def test_whose_session_it_is_stands_on_the_desk(here: Town) -> None:
    session = await here.open(client_ref="c-17")
    assert (await here.desk("ada", session))["client_ref"] == "c-17"
