"""What supervisors see of their team's work, in the order in which it was done."""

import pytest

from service import insights
from service.ids import moment
from tests.driving import Town


async def test_decisions_are_told_oldest_first_so_that_a_cut_keeps_the_newest(here: Town) -> None:
    for dwell_ms in (1_000, 2_000, 3_000):
        session = await here.drafted()
        await here.decide("ada", session, "approve", dwell_ms=dwell_ms)
        here.clock.tick(60_000)
    found = (await here.call("sue", "GET", "/v1/insights")).json()
    assert [one["dwell_ms"] for one in found["dwells"]] == [1_000, 2_000, 3_000]


async def test_a_reviewer_who_took_everything_back_is_told_of_too(holding: Town) -> None:
    session = await holding.drafted()
    decided = (await holding.decide("ada", session, "approve")).json()
    await holding.write("ada", session, "DELETE", f"/v1/decisions/{decided['decision_id']}")
    [ada] = (await holding.call("sue", "GET", "/v1/insights")).json()["reviewers"]
    assert (ada["decisions"], ada["undone"], ada["streak"]) == (0, 1, 0)


async def test_a_log_that_nobody_can_open_hides_no_other(here: Town) -> None:
    sessions = [await here.drafted() for _ in range(2)]
    wrapped = await here.store.wrapped_key(sessions[1]) or b""
    assert await here.store.rewrap(sessions[1], wrapped, bytes(len(wrapped)))
    here.restart()
    found = await here.call("sue", "GET", "/v1/insights")
    assert (found.status_code, found.json()["sessions"]) == (200, 1)


async def test_sessions_opened_since_leave_a_past_span_its_place(
    here: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(insights, "_SESSIONS_MAX", 1)
    await here.drafted()
    until = moment(here.clock.now_ms())
    here.clock.tick(60_000)
    await here.drafted()
    path = "/v1/insights?until="
    past = (await here.call("sue", "GET", f"{path}{until:%Y-%m-%dT%H:%M:%S}.999Z")).json()
    assert (past["sessions"], past["truncated"]) == (1, False)
    assert [day["messages"] for day in past["days"]] == [1]
    now = (await here.call("sue", "GET", "/v1/insights")).json()
    assert (now["sessions"], now["truncated"]) == (1, True)


@pytest.mark.parametrize(
    "window",
    [
        "until=0001-01-02T00:00:00Z",
        "until=9999-12-31T23:59:59-14:00",
        "since=0001-01-01T00:00:00%2B14:00",
    ],
)
async def test_a_span_that_no_date_can_hold_is_refused(here: Town, window: str) -> None:
    refused = await here.call("sue", "GET", f"/v1/insights?{window}")
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_request")
