"""Who sees what: the model stand-ins, the therapist the client's words, strangers nothing."""

import json
import secrets
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest
from starlette.requests import Request

from safety.risk import Language
from safety.scrub import Scrubbed
from safety.surrogates import Surrogates
from service.auth import revoke
from service.export import export_preferences
from service.ids import moment
from service.session.refusals import Refused
from service.stores.memory import MemoryStore
from tests.driving import Town, town
from tests.fakes import NamedScrubber
from tests.listening import listener


async def test_the_model_reads_stand_ins_and_the_therapist_the_clients_words(here: Town) -> None:
    session = await here.open(profile={"name": "Marisol"})
    text = "My brother Gregor never calls me Marisol."
    await here.say(session, text)
    await here.work()
    assert "Gregor" not in here.engine.read
    assert "Marisol" not in here.engine.read
    assert text in [line["text"] for line in (await here.desk("ada", session))["transcript"]]


async def test_a_profiles_name_is_known_though_no_recognizer_sees_a_name(here: Town) -> None:
    session = await here.open(profile={"name": "May", "nickname": "Peanut"})
    await here.say(session, "They call May Peanut, and I may be one.")
    await here.work()
    assert "I may be one" in here.engine.read
    assert "May" not in here.engine.read
    assert "Peanut" not in here.engine.read


async def test_a_name_in_a_draft_is_restored_before_anybody_reads_it(here: Town) -> None:
    session = await here.open()
    await here.say(session, "My brother Gregor never calls.")
    here.engine.says = lambda prompt: (
        f"How is {prompt.messages[-1].content.split('My brother ')[1].split(' never')[0]}?"
    )
    await here.work()
    await here.claim("ada", session)
    (candidate,) = (await here.desk("ada", session))["draft"]["candidates"]
    assert candidate["utterance"] == "How is Gregor?"
    await here.decide("ada", session, "approve")
    assert [reply["text"] for reply in await here.replies(session)] == ["How is Gregor?"]


async def test_a_therapists_hint_is_scrubbed_like_the_clients_words(here: Town) -> None:
    session = await here.drafted("My brother Gregor never calls.")
    body = {"hint": "Ask what Gregor did, and about Marisol."}
    await here.write("ada", session, "POST", f"/v1/sessions/{session}/drafts", body)
    await here.work()
    assert "Ask what" in here.engine.read
    assert "Gregor" not in here.engine.read
    assert "Marisol" not in here.engine.read


async def test_a_random_token_is_found_nowhere_but_where_it_belongs(
    here: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    token = f"Zq{secrets.token_hex(8)}"
    here.scrubber.finder.names = (token,)
    session = await here.open(client_ref=token, profile={"name": token})
    heard = [await here.say(session, f"I am {token} [high]")]
    heard.append(await here.say(session, "x" * 4_001 + token))
    heard.append(await here.call("app", "POST", f"/v1/sessions/{session}/{token}", {token: token}))
    await here.work()
    alert = (await here.call("ada", "GET", "/v1/alerts")).json()["items"][0]["alert_id"]
    done = {"outcome": "safe", "note": f"Talked to {token}."}
    await here.call("ada", "POST", f"/v1/alerts/{alert}/resolve", done)
    await here.claim("ada", session)
    await here.work()
    heard.append(await here.decide("ada", session, "edit", text=f"Hello {token}"))
    heard.append(await here.decide("ada", session, "approve", candidate=9))
    for problem in heard:
        assert token not in problem.text
    seen = capsys.readouterr()
    assert here.engine.prompts
    for place in (seen.out, seen.err, here.engine.read, (await here.http.get("/metrics")).text):
        assert token not in place
    stored = await here.store.read(session)
    assert not any(token.encode() in one.sealed for one in stored)
    assert token not in repr(await here.store.row(session))
    assert token in json.dumps(await here.desk("ada", session))


@pytest.mark.parametrize("who", ["far", "far_sue", "far_app"])
async def test_another_teams_session_does_not_exist(here: Town, who: str) -> None:
    session = await here.drafted()
    draft = (await here.desk("ada", session))["draft"]["draft_id"]
    wanted = {
        "far_app": [("GET", f"/v1/sessions/{session}"), ("GET", f"/v1/sessions/{session}/replies")],
        "far": [("GET", f"/v1/sessions/{session}/workspace"), ("GET", f"/v1/drafts/{draft}")],
        "far_sue": [
            ("DELETE", f"/v1/sessions/{session}"), ("GET", f"/v1/sessions/{session}/events"),
            ("GET", f"/v1/audit/verify?session_id={session}"),
        ],
    }  # fmt: skip
    for method, path in wanted[who]:
        answer = await here.call(who, method, path)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("header", ["", "Bearer nonsense", "Bearer sc_0_0", "Basic dTpw"])
async def test_without_a_valid_token_nothing_is_served(here: Town, header: str) -> None:
    headers = {"Authorization": header} if header else {}
    answer = await here.http.get("/v1/queue", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("who", "path"),
    [("app", "/v1/queue"), ("ada", "/v1/sessions"), ("oli", "/v1/alerts"), ("app", "/v1/alerts")],
)
async def test_a_wrong_role_is_refused(here: Town, who: str, path: str) -> None:
    answer = await here.call(who, "GET", path)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


async def test_a_client_app_sees_no_stage_plan_or_draft(here: Town) -> None:
    session = await here.drafted()
    seen = (await here.call("app", "GET", f"/v1/sessions/{session}")).json()
    assert set(seen) == {
        "id", "client_ref", "language", "region", "status", "seq", "created_at", "updated_at",
    }  # fmt: skip


async def test_preferences_are_of_clients_who_agreed_and_each_reading_is_written_down(
    here: Town,
) -> None:
    agreed = {"research_consent": True}
    session = await here.edited(profile=agreed)
    silent = [await here.edited(), await here.edited(profile=agreed, simulated=True)]
    before = [await here.length(one) for one in silent]
    rows = (await here.call("sue", "GET", "/v1/preferences/export")).text.splitlines()
    (row,) = map(json.loads, rows)
    assert (row["session_id"], row["reasons"]) == (session, ["style"])
    export = (await here.call("sue", "GET", f"/v1/sessions/{session}/export")).json()
    said = export["diagnosis"]["turns"][row["turn"]]
    assert (said["role"], said["utterance"]) == ("counselor", row["chosen"]["utterance"])
    before = [await here.length(one) for one in silent]
    last = (await here.store.read(session))[-1]
    assert (last.type, last.actor) == ("words_read", "sue")
    assert [await here.length(one) for one in silent] == before


async def test_an_export_breaks_off_when_its_key_is_revoked(here: Town) -> None:
    for _ in range(2):
        await here.edited(profile={"research_consent": True})
    sue = listener(here, "sue")
    headers = [(b"authorization", str(sue.authorization).encode())]
    asked = Request({"type": "http", "headers": headers})
    rows = aiter((await export_preferences(asked, here.house, sue.caller)).body_iterator)
    assert json.loads(await anext(rows))["reasons"] == ["style"]
    await revoke(here.store, here.master, here.prefix("sue"))
    here.clock.tick(6_000)
    with pytest.raises(Refused, match="unauthenticated"):
        await anext(rows)


async def test_a_reply_that_leaves_after_an_export_is_in_the_next_one(holding: Town) -> None:
    session = await holding.drafted(profile={"research_consent": True})
    await holding.decide("ada", session, "edit", text="What made it\u2028long?", reasons=["style"])
    holding.clock.tick(2_000)
    since = quote(moment(holding.clock.now_ms()).isoformat())
    path = f"/v1/preferences/export?since={since}"
    assert (await holding.call("sue", "GET", path)).text == ""
    await holding.work(5_000)
    (row,) = (await holding.call("sue", "GET", path)).text.splitlines()
    assert json.loads(row)["chosen"]["utterance"] == "What made it\u2028long?"


async def test_a_session_that_nobody_can_open_does_not_end_the_export_of_older_ones() -> None:
    store, agreed = MemoryStore(), {"research_consent": True}
    async with town(store) as here:
        kept = await here.edited(profile=agreed)
        here.clock.tick(1_000)
        broken = await here.edited(profile=agreed)
        store._keys[broken] = bytes(60)
        here.restart()
        rows = (await here.call("sue", "GET", "/v1/preferences/export")).text.splitlines()
        assert [json.loads(row)["session_id"] for row in rows] == [kept]


async def test_a_session_erased_while_preferences_are_exported_is_left_out(here: Town) -> None:
    agreed = {"research_consent": True}
    gone = await here.edited(profile=agreed)
    here.clock.tick(-1_000)
    kept = await here.edited(profile=agreed)
    append, ledger = here.house.ledger.append, here.house.ledger

    async def late(session_id: str, *more: Any) -> Any:
        await ledger.erase(gone, "sue")
        return await append(session_id, *more)

    ledger.append = late
    rows = (await here.call("sue", "GET", "/v1/preferences/export")).text.splitlines()
    assert [json.loads(row)["session_id"] for row in rows] == [kept]


async def ended(here: Town) -> str:
    """A session whose last word, edited and with a name in it, is the therapist's."""
    agreed = {"research_consent": True}
    session = await here.drafted("My brother Gregor never calls.", profile=agreed)
    await here.decide("ada", session, "edit", text="What did Gregor say?", reasons=["style"])
    await here.work()
    await here.call("app", "POST", f"/v1/sessions/{session}/close", {})
    return session


async def test_a_session_that_ends_with_a_therapists_words_is_exported_scrubbed(here: Town) -> None:
    session = await ended(here)
    rows = (await here.call("sue", "GET", "/v1/preferences/export")).text.splitlines()
    assert [json.loads(row)["session_id"] for row in rows] == [session]
    told = await here.call("sue", "GET", f"/v1/sessions/{session}/export")
    assert told.status_code == 200
    assert told.json()["diagnosis"]["turns"][-1]["utterance"].startswith("What did ")
    assert "Gregor" not in told.text + rows[0]


class Choosy(NamedScrubber):
    """The scrubber, which breaks over one word."""

    def scrub(self, text: str, language: Language, surrogates: Surrogates) -> Scrubbed:
        """Scrub, or break."""
        if "Gregor" in text:
            raise RuntimeError("the scrubber is broken")
        return super().scrub(text, language, surrogates)


async def test_a_session_that_cannot_be_scrubbed_is_left_out_and_others_are_not(
    here: Town,
) -> None:
    agreed = {"research_consent": True}
    kept = await here.edited(profile=agreed)
    await ended(here)
    here.ports = replace(here.ports, scrubber=Choosy())
    here.restart()
    answer = await here.call("sue", "GET", "/v1/preferences/export")
    assert [json.loads(row)["session_id"] for row in answer.text.splitlines()] == [kept]


async def test_words_for_the_model_that_cannot_be_scrubbed_are_refused(here: Town) -> None:
    session = await here.drafted()
    before, basis = await here.length(session), (await here.desk("ada", session))["seq"]
    here.scrubber.broken = True
    base = f"/v1/sessions/{session}"
    plan = {"strategy": None, "text": "t", "reason": "r", "actions": ["a"]}
    for method, path, body in (
        ("POST", f"{base}/drafts", {"hint": "Ask about sleep."}),
        ("PATCH", f"{base}/formulation", {"triggering_situation": "Work.", "basis": basis}),
        ("POST", f"{base}/plans", {"plan": plan, "reason": "r", "basis": basis}),
    ):
        refused = await here.write("ada", session, method, path, body)
        assert (refused.status_code, refused.json()["code"]) == (503, "scrub_failed"), path
    assert await here.length(session) == before


async def test_what_nobody_can_scrub_is_not_exported(here: Town) -> None:
    session = await ended(here)
    before = await here.length(session)
    here.scrubber.broken = True
    for path in (f"/v1/sessions/{session}/export", "/v1/preferences/export"):
        refused = await here.call("sue", "GET", path)
        assert (refused.status_code, refused.json()["code"]) == (503, "scrub_failed")
    assert await here.length(session) == before
