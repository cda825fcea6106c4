"""Danger: people are called, the model falls silent, and nothing said before it leaves."""

import asyncio
from dataclasses import dataclass, field

import pytest

from safety.crisis_card import questions
from safety.risk import Category, RiskLevel
from service import worker
from service.desk import Desk, page_due
from service.ports import Page
from service.session.duties import Policy, Waits, owed_now
from tests.driving import Town, town
from tests.fakes import FakePager
from tests.stories.test_many_wait_for_the_model import until, working

MINUTE = 60_000


@dataclass
class SlowPager(FakePager):
    """Gets no answer about high alerts until it may."""

    may: asyncio.Event = field(default_factory=asyncio.Event)
    asked: int = 0

    async def page(self, page: Page) -> bool:
        """Tell somebody; of a high alert, once it may."""
        if page.level == RiskLevel.HIGH:
            self.asked += 1
            await self.may.wait()
        return await super().page(page)


async def test_a_moderate_alert_goes_to_the_desk_and_drafting_goes_on(here: Town) -> None:
    session = await here.open()
    await here.say(session, "[moderate]")
    await here.work()
    desk = await here.desk("ada", session)
    assert (desk["status"], desk["alerts"][0]["level"]) == ("open", RiskLevel.MODERATE)
    assert desk["draft"] is not None


async def test_a_high_alert_stops_drafting_until_a_human_resolves_it(here: Town) -> None:
    session = await here.drafted()
    await here.say(session, "[high]")
    await here.work()
    desk = await here.desk("ada", session)
    assert (desk["status"], desk["draft"], desk["no_draft_reason"]) == ("crisis", None, "crisis")
    refused = await here.write("ada", session, "POST", f"/v1/sessions/{session}/drafts", {})
    assert refused.json()["code"] == "in_crisis"
    path = f"/v1/alerts/{desk['alerts'][0]['alert_id']}/resolve"
    body = {"outcome": "safe", "note": "We spoke on the phone."}
    assert (await here.call("ada", "POST", path, body)).json()["outcome"] == "safe"
    await here.work()
    desk = await here.desk("ada", session)
    assert desk["status"] == "open"
    assert desk["draft"] is not None


async def test_a_held_reply_is_taken_back_when_danger_appears(holding: Town) -> None:
    session = await holding.drafted()
    await holding.decide("ada", session, "approve")
    await holding.say(session, "[high]")
    await holding.work(MINUTE)
    assert await holding.replies(session) == []


async def test_the_client_hears_nothing_automatic_unless_it_was_configured(here: Town) -> None:
    session = await here.open()
    await here.say(session, "[imminent]")
    await here.work()
    assert await here.replies(session) == []


async def test_a_configured_notice_is_sent_once_in_a_crisis() -> None:
    policy = Policy(hold_ms=0, crisis_notice={"en": "Please call 555-0100."})
    async with town(policy=policy) as here:
        session = await here.open()
        await here.say(session, "[imminent]")
        await here.say(session, "[imminent]")
        (notice,) = await here.replies(session)
        assert (notice["kind"], notice["text"]) == ("crisis_notice", "Please call 555-0100.")


async def test_no_notice_goes_where_somebody_may_be_reading_along() -> None:
    policy = Policy(hold_ms=0, crisis_notice={"en": "Please call 555-0100."})
    async with town(policy=policy) as here:
        here.screen.category = Category.HARM_FROM_OTHERS
        session = await here.open()
        await here.say(session, "[imminent]")
        assert await here.replies(session) == []


@pytest.mark.parametrize("level", ["low", "moderate", "high"])
async def test_no_notice_goes_either_where_that_was_only_told_of_before(level: str) -> None:
    policy = Policy(hold_ms=0, crisis_notice={"en": "Please call 555-0100."})
    async with town(policy=policy) as here:
        session = await here.open()
        here.screen.category = Category.HARM_FROM_OTHERS
        await here.say(session, f"[{level}]")
        for alert in (await here.desk("ada", session))["alerts"]:
            await here.acknowledge("ben", alert["alert_id"])
            ended = {"outcome": "safe", "note": "We spoke."}
            await here.call("ben", "POST", f"/v1/alerts/{alert['alert_id']}/resolve", ended)
        here.screen.category = Category.SUICIDE
        await here.say(session, "[imminent]")
        assert await here.replies(session) == []


async def test_a_client_app_that_follows_the_location_finds_the_notice() -> None:
    policy = Policy(hold_ms=0, crisis_notice={"en": "Please call 555-0100."})
    async with town(policy=policy) as here:
        said = await here.say(await here.open(), "[imminent]")
        found = (await here.call("app", "GET", said.headers["Location"])).json()["items"]
        assert [one["kind"] for one in found] == ["crisis_notice"]


async def test_a_clock_that_is_set_back_delays_no_page(here: Town) -> None:
    session = await here.drafted()
    here.clock.tick(-10 * MINUTE)
    await here.say(session, "[imminent]")
    await here.work()
    assert [page.tier for page in here.pager.pages] == [0]
    here.clock.tick(-10 * MINUTE)
    await here.say(session, "Are you there?")
    await here.work(2 * MINUTE)
    assert [page.tier for page in here.pager.pages] == [0, 1]


async def test_an_unacknowledged_alert_climbs_the_ladder(here: Town) -> None:
    session = await here.open()
    await here.say(session, "[imminent]")
    for wait in (0, MINUTE, 2 * MINUTE):
        await here.work(wait)
    assert [page.tier for page in here.pager.pages] == [0, 1, 2]


async def test_a_pager_that_reaches_nobody_is_tried_again(here: Town) -> None:
    here.pager.reaches = False
    session = await here.open()
    await here.say(session, "[high]")
    await here.work()
    here.pager.reaches = True
    await here.work(1_000)
    assert [page.tier for page in here.pager.pages] == [0]


async def test_beside_a_page_that_is_due_the_next_one_is_known(here: Town) -> None:
    here.screen.category = Category.PSYCHOSIS
    session, _ = await here.alarmed("moderate")
    await here.work()
    here.clock.tick(MINUTE)
    here.screen.category = Category.SUICIDE
    await here.say(session, "[high]")
    state, now = await here.house.ledger.load(session), here.clock.now_ms()
    owed = owed_now(state, Waits(here.policy), now, ())
    assert [duty.kind for duty in owed.now] == ["page"]
    assert owed.later_ms == now + 14 * MINUTE


async def test_a_page_without_an_answer_keeps_no_other_alert_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worker, "_LEASE_MS", 300)
    pager = SlowPager()
    async with town(pager=pager) as here, working(here):
        here.screen.category = Category.PSYCHOSIS
        session, _ = await here.alarmed("moderate")
        await until(lambda: len(pager.pages) == 1)
        here.screen.category = Category.SUICIDE
        await here.say(session, "[high]")
        await until(lambda: pager.asked == 1)
        here.clock.tick(15 * MINUTE)
        await until(lambda: [page.tier for page in pager.pages] == [0, 1])
        assert {page.level for page in pager.pages} == {RiskLevel.MODERATE}
        pager.may.set()


async def test_nobody_is_called_about_what_was_acknowledged_since_it_fell_due(here: Town) -> None:
    session, alert = await here.alarmed("high")
    await here.acknowledge("ada", alert)
    desk = Desk(here.house.ledger, here.ports)
    assert await page_due(session, alert, desk, Waits(here.policy))
    assert here.pager.pages == []


async def test_acknowledging_stops_the_pager_and_may_be_repeated(here: Town) -> None:
    session = await here.open()
    await here.say(session, "[high]")
    await here.work()
    (alert,) = (await here.call("ada", "GET", "/v1/alerts")).json()["items"]
    path = f"/v1/alerts/{alert['alert_id']}/acknowledge"
    first = await here.call("ada", "POST", path)
    again = await here.call("ben", "POST", path)
    assert first.json()["acknowledged_by"] == again.json()["acknowledged_by"] == "ada"
    await here.work(60 * MINUTE)
    assert len(here.pager.pages) == 1


async def test_resolving_again_changes_nothing_and_another_outcome_is_not_dropped_in_silence(
    here: Town,
) -> None:
    session = await here.open()
    await here.say(session, "[high]")
    (alert,) = (await here.call("ada", "GET", "/v1/alerts")).json()["items"]
    path = f"/v1/alerts/{alert['alert_id']}/resolve"
    body = {"outcome": "safe", "note": "All is well."}
    first = await here.call("ada", "POST", path, body)
    length = await here.length(session)
    again = await here.call("ada", "POST", path, body)
    assert first.json()["outcome"] == again.json()["outcome"] == "safe"
    # Whoever called an ambulance must learn that the record says otherwise.
    for other in ({"outcome": "emergency_services"}, {"note": "An ambulance is on its way."}):
        late = await here.call("ben", "POST", path, body | other)
        assert (late.status_code, late.json()["code"]) == (409, "already_decided")
        assert "not kept" in late.json()["detail"]
    assert await here.length(session) == length
    assert (await here.call("ada", "GET", "/v1/alerts")).json()["items"] == []


async def test_the_queue_puts_danger_before_waiting_time(here: Town) -> None:
    calm = await here.drafted()
    here.clock.tick(MINUTE)
    danger = await here.open()
    await here.say(danger, "[imminent]")
    items = (await here.call("ada", "GET", "/v1/queue")).json()["items"]
    assert [(one["session_id"], one["kind"]) for one in items] == [
        (danger, "alert"), (calm, "draft"),
    ]  # fmt: skip


async def test_in_a_crisis_a_therapist_writes_without_a_draft(here: Town) -> None:
    session = await here.open()
    seq = (await here.say(session, "[high]")).json()["seq"]
    seq = max(seq, await here.length(session))
    await here.claim("ada", session)
    body = {"text": "I am here. Are you safe right now?", "basis": seq}
    path = f"/v1/sessions/{session}/replies"
    assert (await here.write("ada", session, "POST", path, body)).status_code == 201
    assert len(await here.replies(session)) == 1


async def test_the_card_beside_an_alert_says_when_each_question_is_asked(here: Town) -> None:
    session, _ = await here.alarmed()
    card = (await here.desk("ada", session))["crisis_card"]
    asked = {one["key"]: one["ask_if"] for one in card["questions"]}
    assert asked == {one.key: dict(one.ask_if) for one in questions("en")}
    assert asked["method"] == {"thoughts": True}
    assert len(card["resources"]) <= 3
    assert (await here.desk("ada", await here.drafted()))["crisis_card"] is None
