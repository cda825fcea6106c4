"""A thousand at once: one holder of a claim each time, one decision and one reply of a draft."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from service.stores.memory import MemoryStore
from service.stores.sqlite import SqliteStore
from tests.driving import Answer, Town, town

RUNNERS = 1_000
RACES = 3


@pytest.fixture(params=["memory", "sqlite"])
async def racing(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Town]:
    """A service on each embedded store."""
    store = MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "race.db")
    async with town(store) as here:
        yield here


@pytest.mark.slow
async def test_of_a_thousand_racing_claims_one_holds_each_time(racing: Town) -> None:
    session = await racing.open()
    path = f"/v1/sessions/{session}/claim"
    for _ in range(RACES):
        async with asyncio.TaskGroup() as tasks:
            asked = [
                (who, tasks.create_task(racing.call(who, "POST", path, {})))
                for who in ("ada", "ben", "sue", "tom") * (RUNNERS // 4)
            ]
        won = {(who, one.result().json()["claim"]) for who, one in asked if _ok(one.result())}
        refused = {one.result().json()["code"] for _, one in asked if not _ok(one.result())}
        assert len(won) == 1
        assert refused == {"claimed_by_other"}
        ((who, claim),) = won
        assert (await racing.call(who, "DELETE", path, X_Claim=claim)).status_code == 204


@pytest.mark.slow
async def test_of_a_hundred_racing_take_overs_the_last_one_holds(racing: Town) -> None:
    session = await racing.drafted()
    path, note = f"/v1/sessions/{session}/claim", {"take_over": True, "note": "Mine."}
    async with asyncio.TaskGroup() as tasks:
        asked = [
            (who, tasks.create_task(racing.call(who, "POST", path, note)))
            for who in ("ada", "ben") * 50
        ]
    claims = {one.result().json()["claim"]: who for who, one in asked}
    last = max(claims, key=lambda claim: int(claim.removeprefix("clm_")))
    desk = await racing.desk("sue", session)
    assert desk["claimed_by"] == claims[last]
    body = {"verdict": "approve", "basis": desk["seq"]}
    decisions = f"/v1/drafts/{desk['draft']['draft_id']}/decisions"
    heard = [
        (await racing.call(who, "POST", decisions, body, X_Claim=claim)).status_code
        for claim, who in claims.items()
    ]
    assert heard.count(201) == 1
    assert len(await racing.replies(session)) == 1


@pytest.mark.slow
async def test_of_a_thousand_racing_decisions_one_is_made_and_one_reply_leaves(
    racing: Town,
) -> None:
    session = await racing.drafted()
    desk = await racing.desk("ada", session)
    path = f"/v1/drafts/{desk['draft']['draft_id']}/decisions"
    verdicts = ({"verdict": "approve"}, {"verdict": "respond", "text": "What else?"})
    async with asyncio.TaskGroup() as tasks:
        asked = [
            tasks.create_task(
                racing.write(
                    "ada", session, "POST", path, {**verdicts[n % 2], "basis": desk["seq"]}
                )
            )
            for n in range(RUNNERS)
        ]
    answers = [one.result() for one in asked]
    assert sum(answer.status_code == 201 for answer in answers) == 1
    assert {answer.json()["code"] for answer in answers if not _ok(answer)} == {"already_decided"}
    assert len(await racing.replies(session)) == 1
    events = (await racing.call("sue", "GET", f"/v1/sessions/{session}/events")).json()["items"]
    assert [one["type"] for one in events].count("reply_decided") == 1


@pytest.mark.slow
async def test_a_thousand_copies_of_one_message_are_recorded_once(racing: Town) -> None:
    session = await racing.open()
    async with asyncio.TaskGroup() as tasks:
        asked = [
            tasks.create_task(racing.say(session, "Hello.", Idempotency_Key="k"))
            for _ in range(RUNNERS)
        ]
    assert {one.result().status_code for one in asked} == {202}
    assert len({one.result().text for one in asked}) == 1
    assert await racing.length(session) == 2


def _ok(answer: Answer) -> bool:
    return answer.status_code in {200, 201}
