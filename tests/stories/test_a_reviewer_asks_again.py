"""A reviewer whose answer was lost asks again under the same key, and nothing is done twice."""

from tests.driving import Answer, Json, Town


async def _twice(here: Town, session: str, path: str, body: Json) -> tuple[Answer, Answer]:
    """Send one request of ada's two times, as after an answer that was lost."""
    headers = {"X_Claim": here.claims["ada", session], "Idempotency_Key": "press-1"}
    first = await here.call("ada", "POST", path, body, **headers)
    return first, await here.call("ada", "POST", path, body, **headers)


async def _notes(here: Town, session: str) -> list[str]:
    lines = (await here.desk("ada", session))["transcript"]
    return [one["text"] for one in lines if one["kind"] == "note"]


async def test_a_reply_that_is_sent_again_reaches_the_client_once(here: Town) -> None:
    session = await here.drafted()
    body = {"text": "How are you feeling now?", "basis": await here.length(session)}
    first, again = await _twice(here, session, f"/v1/sessions/{session}/replies", body)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert [one["text"] for one in await here.replies(session)] == [body["text"]]


async def test_a_held_reply_that_is_sent_again_is_the_same_decision(holding: Town) -> None:
    session = await holding.drafted()
    desk = await holding.desk("ada", session)
    path = f"/v1/drafts/{desk['draft']['draft_id']}/decisions"
    first, again = await _twice(
        holding, session, path, {"verdict": "approve", "basis": desk["seq"]}
    )
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    held = (await holding.desk("ada", session))["held"]
    assert held["decision_id"] == again.json()["decision_id"]
    assert held["release_at"] == again.json()["release_at"]


async def test_without_a_key_each_request_stands_for_itself(here: Town) -> None:
    session = await here.drafted()
    path = f"/v1/sessions/{session}/notes"
    for _ in range(2):
        assert (await here.call("ada", "POST", path, {"text": "Ask."})).status_code == 201
    assert await _notes(here, session) == ["Ask.", "Ask."]


async def test_a_key_goes_with_one_request_only(here: Town) -> None:
    session = await here.drafted()
    path = f"/v1/sessions/{session}/notes"
    first, again = await _twice(here, session, path, {"text": "Ask about sleep."})
    assert first.json() == again.json()
    assert await _notes(here, session) == ["Ask about sleep."]
    other = await here.call("ada", "POST", path, {"text": "No."}, Idempotency_Key="press-1")
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
    bad = await here.call("ada", "POST", path, {"text": "No."}, Idempotency_Key="a b")
    assert (bad.status_code, bad.json()["code"]) == (400, "idempotency_key_invalid")
    colleague = await here.call("ben", "POST", path, {"text": "Mine."}, Idempotency_Key="press-1")
    assert colleague.status_code == 201


async def test_a_decision_is_known_again_by_one_who_lost_the_claim_since(here: Town) -> None:
    session = await here.drafted()
    desk = await here.desk("ada", session)
    path = f"/v1/drafts/{desk['draft']['draft_id']}/decisions"
    body = {"verdict": "reject", "reasons": ["style"], "basis": desk["seq"]}
    headers = {"X_Claim": here.claims["ada", session], "Idempotency_Key": "press-1"}
    first = await here.call("ada", "POST", path, body, **headers)
    over = {"take_over": True, "note": "Ada is ill."}
    await here.call("ben", "POST", f"/v1/sessions/{session}/claim", over)
    again = await here.call("ada", "POST", path, body, **headers)
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.json()["release_at"] is None


async def test_a_repeated_take_over_leaves_one_note_and_takes_nothing_back(here: Town) -> None:
    session = await here.drafted()
    path, over = f"/v1/sessions/{session}/claim", {"take_over": True, "note": "Ada is ill."}
    first = await here.call("ben", "POST", path, over, Idempotency_Key="press-1")
    again = await here.call("ben", "POST", path, over, Idempotency_Key="press-1")
    assert first.json() == again.json()
    assert await _notes(here, session) == ["Ada is ill."]
    back = {"take_over": True, "note": "I am well again."}
    assert (await here.call("ada", "POST", path, back)).status_code == 200
    late = await here.call("ben", "POST", path, over, Idempotency_Key="press-1")
    assert (late.status_code, late.json()["code"]) == (409, "claimed_by_other")


async def test_a_note_with_a_claim_is_kept_also_where_nothing_is_taken_over(here: Town) -> None:
    session = await here.open()
    body = {"note": "Handle with care."}
    answer = await here.call("ada", "POST", f"/v1/sessions/{session}/claim", body)
    assert answer.status_code == 200
    assert await _notes(here, session) == ["Handle with care."]


async def test_a_session_is_handed_over_once_and_another_draft_asked_for_once(here: Town) -> None:
    session = await here.drafted()
    for path, body in (
        ("drafts", {"hint": "Shorter."}),
        ("assign", {"to": "ben", "note": "Yours."}),
    ):
        before = await here.length(session)
        headers = {"X_Claim": here.claims["ada", session], "Idempotency_Key": f"press-{path}"}
        route = f"/v1/sessions/{session}/{path}"
        first = await here.call("ada", "POST", route, body, **headers)
        length = await here.length(session)
        again = await here.call("ada", "POST", route, body, **headers)
        assert (first.is_success, again.json()) == (True, first.json())
        assert before < length == await here.length(session)


async def test_a_claim_and_another_draft_need_no_body(here: Town) -> None:
    session = await here.drafted()
    for path, gives in (("claim", 200), ("drafts", 202)):
        answer = await here.write("ada", session, "POST", f"/v1/sessions/{session}/{path}")
        assert answer.status_code == gives
