"""Whatever words a supervisor is shown: that is in the log before they leave."""

from service.stores.port import Append, StoreUnavailable
from tests.driving import Town, town
from tests.fakes import FaultyStore
from tests.planning import correct

MINUTE = 60_000


async def readings(here: Town, session: str) -> list[tuple[str, str]]:
    """Give who was shown which kind of words, in order."""
    log = await here.house.ledger.events(session, 0)
    found = [one for one in log.values() if one.event.type == "words_read"]
    return [(one.actor, one.event.what) for one in found]  # pyright: ignore


async def test_every_place_that_shows_words_to_a_supervisor_writes_it_down(here: Town) -> None:
    session = await here.drafted()
    draft = (await here.desk("ada", session))["draft"]["draft_id"]
    for path in (f"sessions/{session}/workspace", f"drafts/{draft}", f"sessions/{session}/plan"):
        for who in ("ada", "sue"):
            assert (await here.call(who, "GET", f"/v1/{path}")).status_code == 200
    shown = ("workspace", "draft", "plan")
    assert await readings(here, session) == [("sue", what) for what in shown]


async def test_an_alert_s_evidence_is_words_too(here: Town) -> None:
    session, alert = await here.alarmed()
    for path, body in (("acknowledge", None), ("resolve", {"outcome": "safe", "note": "n"})):
        answer = await here.call("sue", "POST", f"/v1/alerts/{alert}/{path}", body)
        assert answer.status_code == 200
    assert await readings(here, session) == [("sue", "alert")]
    session, alert = await here.alarmed()
    await here.acknowledge("ada", alert)
    assert await readings(here, session) == []


async def test_what_a_supervisor_changes_of_a_plan_shows_its_words_as_well(here: Town) -> None:
    session = await here.drafted(who="sue")
    corrected = await correct(here, session, who="sue", triggering_situation="A full inbox.")
    assert corrected.status_code == 200
    assert await readings(here, session) == [("sue", "plan")]


async def test_a_console_that_looks_again_and_again_reads_once_in_ten_minutes(here: Town) -> None:
    session = await here.drafted()
    for _ in range(5):
        desk = await here.desk("sue", session)
        here.clock.tick(MINUTE)
    assert await readings(here, session) == [("sue", "workspace")]
    assert desk["seq"] == await here.length(session)
    here.restart()
    await here.desk("sue", session)
    assert len(await readings(here, session)) == 1
    here.clock.tick(6 * MINUTE)
    await here.desk("sue", session)
    here.clock.tick(-MINUTE)
    await here.desk("sue", session)
    assert len(await readings(here, session)) == 3


async def test_reading_makes_no_draft_stale_and_takes_no_claim(here: Town) -> None:
    session = await here.drafted()
    basis = (await here.desk("ada", session))["seq"]
    draft = (await here.desk("sue", session))["draft"]
    assert not draft["stale"]
    body = {"verdict": "approve", "basis": basis}
    path = f"/v1/drafts/{draft['draft_id']}/decisions"
    assert (await here.write("ada", session, "POST", path, body)).status_code == 201


async def test_what_cannot_be_written_down_is_not_shown() -> None:
    class Full(FaultyStore):
        """A store that takes no more."""

        full = False

        async def append(self, write: Append) -> None:
            """Append, until it is full."""
            if self.full:
                raise StoreUnavailable("full")
            await super().append(write)

    store = Full(0)
    async with town(store) as here:
        session = await here.drafted("A word nobody else would use: quixotry.")
        store.full = True
        for what in ("workspace", "plan"):
            answer = await here.call("sue", "GET", f"/v1/sessions/{session}/{what}")
            assert answer.status_code == 503
            assert "quixotry" not in answer.text
        assert (await here.call("ada", "GET", f"/v1/sessions/{session}/plan")).status_code == 200
