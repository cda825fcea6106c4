"""What supervisors see of their team's work, in the order in which it was done."""

from tests.driving import Town


async def test_decisions_are_told_oldest_first_so_that_a_cut_keeps_the_newest(here: Town) -> None:
    for dwell_ms in (1_000, 2_000, 3_000):
        session = await here.drafted()
        await here.decide("ada", session, "approve", dwell_ms=dwell_ms)
        here.clock.tick(60_000)
    found = (await here.call("sue", "GET", "/v1/insights")).json()
    assert [one["dwell_ms"] for one in found["dwells"]] == [1_000, 2_000, 3_000]
