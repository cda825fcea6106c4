"""Numbers tell operators what waits and what is forgotten, and nothing about anybody."""

import asyncio
import re

import pytest

from service.auth import Caller, revoke
from service.figures import changed
from service.gauges import Gauges
from service.ledger import Ledger
from service.sealing import MasterKeys
from service.session.duties import Policy
from service.stores.memory import MemoryStore
from service.stores.metered import MeteredStore
from service.stores.port import Conflict, Document
from service.telemetry import series
from tests.driving import Answer, Town, town
from tests.fakes import ListlessStore

MINUTE = 60_000


def number(name: str, **labels: str) -> float:
    """One sample of what would be scraped now; 0 where it was never counted."""
    inside = ",".join(f'{key}="{value}"' for key, value in sorted(labels.items()))
    sample = f"secondchair_{name}" + (f"{{{inside}}}" if inside else "")
    found = re.search(rf"^{re.escape(sample)} (\S+)$", series.render()[0].decode(), re.M)
    return float(found[1]) if found else 0.0


class BoundedStore(MemoryStore):
    """A store that says how full it is."""

    used: float | None = None

    async def used_ratio(self) -> float | None:
        """Say what it was told."""
        return self.used


async def measured(here: Town) -> None:
    await Gauges(here.house.ledger, here.ports).measure()


async def test_an_alert_ages_until_somebody_acknowledges_it(here: Town) -> None:
    _, alert = await here.alarmed("imminent")
    here.clock.tick(2 * MINUTE)
    await measured(here)
    assert number("alert_oldest_unacknowledged_seconds", level="imminent") == 120
    assert number("alert_oldest_unacknowledged_seconds", level="high") == 0
    await here.acknowledge("ada", alert)
    await measured(here)
    assert number("alert_oldest_unacknowledged_seconds", level="imminent") == 0


async def test_an_alert_and_a_notice_are_counted_when_they_are_written() -> None:
    def counted() -> list[float]:
        kinds = ("suicide", "none")
        raised = [number("alerts_raised_total", level="high", category=kind) for kind in kinds]
        return [*raised, number("replies_released_total", kind="crisis_notice")]

    policy = Policy(hold_ms=0, crisis_notice={"en": "Please call 555-0100."})
    async with town(policy=policy) as here:
        own, handed_up, notices = counted()
        session = await here.open()
        for _ in range(3):
            await here.say(session, "[high]")
        assert counted() == [own + 1, handed_up, notices + 1]
        other = await here.drafted()
        assert (await here.decide("ada", other, "escalate")).status_code == 201
        assert counted() == [own + 1, handed_up + 1, notices + 1]
        path = f"/v1/sessions/{await here.open()}/alerts"
        for _ in range(2):
            assert (await here.call("ada", "POST", path, {})).status_code == 201
        assert counted() == [own + 1, handed_up + 2, notices + 1]


async def test_an_alert_that_cannot_be_opened_ages_by_its_row_beside_others(here: Town) -> None:
    for text in ("[imminent]", "[moderate]"):
        await here.say(await here.open(), text)
        here.clock.tick(MINUTE)
    strange = Ledger(here.store, MasterKeys((bytes(32),)), here.clock, here.policy)
    await Gauges(strange, here.ports).measure()
    assert number("alert_oldest_unacknowledged_seconds", level="imminent") == 120
    assert number("alert_oldest_unacknowledged_seconds", level="moderate") == 60


async def test_measuring_goes_on_after_whatever_a_round_trips_over() -> None:
    async with town(ListlessStore()) as here:
        running = asyncio.create_task(Gauges(here.house.ledger, here.ports).run())
        await asyncio.sleep(0.01)
        assert not running.done()
        running.cancel()


async def test_how_full_the_store_is_is_told_where_it_knows() -> None:
    async with town(MeteredStore(store := BoundedStore())) as here:
        store.used = 0.8
        await measured(here)
        assert number("store_used_ratio") == 0.8
        store.used = None
        await measured(here)
        assert number("store_used_ratio") == 0.8, "nothing new is known, and nothing made up"


async def test_a_queue_is_counted_by_risk_with_its_longest_wait(here: Town) -> None:
    for text in ("[high]", "Everything feels heavy lately.", "It was a long week."):
        await here.say(await here.open(), text)
        here.clock.tick(MINUTE)
    await measured(here)
    assert number("queue_sessions", risk="high") == 1
    assert number("queue_sessions", risk="none") == 2
    assert number("queue_oldest_seconds", risk="high") == 180
    assert number("queue_oldest_seconds", risk="none") == 120
    assert number("awaiting_draft_oldest_seconds") == 120


async def test_a_crisis_that_somebody_is_at_waits_no_more_until_its_client_writes(
    here: Town,
) -> None:
    session, alert = await here.alarmed("imminent")
    here.clock.tick(MINUTE // 3)
    await measured(here)
    assert number("queue_oldest_seconds", risk="imminent") == 20
    await here.acknowledge("ada", alert)
    here.clock.tick(40 * MINUTE)
    await measured(here)
    assert number("queue_oldest_seconds", risk="imminent") == 0
    assert number("queue_sessions", risk="imminent") == 1, "it keeps its place in the queue"
    await here.say(session, "It was a long week.")
    here.clock.tick(2 * MINUTE)
    await measured(here)
    assert number("queue_oldest_seconds", risk="imminent") == 120


async def test_a_crisis_that_nobody_has_seen_ages_beside_one_that_somebody_is_at(
    here: Town,
) -> None:
    _, alert = await here.alarmed("imminent")
    here.clock.tick(MINUTE // 3)
    await here.acknowledge("ada", alert)
    here.clock.tick(10 * MINUTE)
    await here.say(await here.open(), "[imminent]")
    here.clock.tick(3 * MINUTE)
    await measured(here)
    assert number("queue_oldest_seconds", risk="imminent") == 180


async def test_what_is_owed_is_overdue_until_a_worker_does_it(here: Town) -> None:
    session = await here.open()
    await here.say(session, "Everything feels heavy lately.")
    here.clock.tick(MINUTE)
    await measured(here)
    assert number("duties_oldest_overdue_seconds") == 60
    drafted = number("draft_ready_seconds_count", source="model")
    await here.work()
    await measured(here)
    assert number("duties_oldest_overdue_seconds") == 0
    assert number("awaiting_draft_oldest_seconds") == 0
    assert number("draft_ready_seconds_count", source="model") == drafted + 1


async def test_a_second_draft_for_one_message_is_not_a_second_wait(here: Town) -> None:
    session = await here.drafted()
    counted = number("draft_ready_seconds_count", source="model")
    await here.write("ada", session, "POST", f"/v1/sessions/{session}/drafts", {})
    await here.work()
    assert number("draft_ready_seconds_count", source="model") == counted


async def test_a_refusal_is_counted_by_its_code(here: Town) -> None:
    before = number("http_refused_total", code="unauthenticated")
    await here.call("", "GET", "/v1/queue")
    assert number("http_refused_total", code="unauthenticated") == before + 1


async def test_a_metered_store_passes_everything_on_and_counts_collisions(here: Town) -> None:
    store = MeteredStore(here.store)
    before = number("store_conflicts_total")
    await store.put_document("kind", Document("key", 1, b"body"))
    with pytest.raises(Conflict):
        await store.put_document("kind", Document("key", 1, b"other"))
    assert await store.document("kind", "key") == Document("key", 1, b"body")
    assert number("store_conflicts_total") == before + 1
    assert number("store_seconds_count", operation="put_document") >= 2


async def test_a_duty_that_fails_each_time_is_counted_and_its_session_named(
    here: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_: object) -> str:
        raise ZeroDivisionError

    here.engine.says = broken
    session = await here.open()
    await here.say(session, "Everything feels heavy lately.")
    before = number("duties_done_total", kind="draft", outcome="failed")
    for _ in range(3):
        await here.work(20_000)
    assert number("duties_done_total", kind="draft", outcome="failed") == before + 3
    bugs = [line for line in capsys.readouterr().out.splitlines() if "ZeroDivisionError" in line]
    assert bugs
    assert all(session in line for line in bugs)


async def test_a_screen_and_a_scrub_that_fail_name_the_session_and_the_kind_of_error(
    here: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    here.screen.broken = here.scrubber.broken = True
    session = await here.open()
    await here.say(session, "Everything feels heavy lately.")
    here.screen.broken = False
    session_of_scrub = await here.drafted()
    lines = capsys.readouterr().out.splitlines()
    for event, about in (("screen_failed", session), ("scrub_failed", session_of_scrub)):
        told = [line for line in lines if event in line and about in line]
        assert told
        assert all("RuntimeError" in line for line in told)


async def test_a_draft_without_its_engine_and_a_page_to_nobody_are_not_done(here: Town) -> None:
    def ended(kind: str) -> tuple[float, ...]:
        outcomes = ("done", "retried", "failed")
        return tuple(number("duties_done_total", kind=kind, outcome=one) for one in outcomes)

    here.engine.manner, here.pager.reaches = "down", False
    session = await here.open()
    await here.say(session, "Everything feels heavy lately.")
    await here.say(await here.open(), "[imminent]")
    drafts, pages = ended("draft"), ended("page")
    await here.work()
    assert ended("draft") == (drafts[0], drafts[1] + 1, drafts[2])
    assert ended("page") == (pages[0], pages[1] + 1, pages[2])
    here.engine.manner, here.pager.reaches = "ok", True
    await here.work(2_000)
    assert ended("draft") == (drafts[0] + 1, drafts[1] + 1, drafts[2])
    assert ended("page") == (pages[0] + 1, pages[1] + 1, pages[2])


async def test_a_claim_is_counted_as_what_it_was(here: Town) -> None:
    outcomes = ("granted", "renewed", "handed_over", "taken_over", "lost")
    before = [number("claims_total", outcome=one) for one in outcomes]
    session = await here.drafted()
    path = f"/v1/sessions/{session}"
    assert (await here.write("ada", session, "POST", f"{path}/claim", {})).status_code == 200
    taken = {"take_over": True, "note": "Ada is ill."}
    assert (await here.call("ben", "POST", f"{path}/claim", taken)).status_code == 200
    assert (await here.write("ada", session, "POST", f"{path}/claim", {})).status_code == 409
    handed = await here.call("sue", "POST", f"{path}/assign", {"to": "ben"})
    assert handed.status_code == 200
    after = [number("claims_total", outcome=one) for one in outcomes]
    assert [now - then for now, then in zip(after, before, strict=True)] == [1, 1, 1, 1, 1]


async def test_an_edit_is_measured_once_by_words_when_it_is_decided(here: Town) -> None:
    def edits() -> tuple[float, float]:
        return number("edit_distance_ratio_count"), number("edit_distance_ratio_sum")

    count, total = edits()
    session = await here.drafted()
    desk = await here.desk("ada", session)
    drafted = desk["draft"]["candidates"][0]["utterance"]
    words = "I promise that it will all be fine, trust me."
    path = f"/v1/drafts/{desk['draft']['draft_id']}/decisions"
    asked = {"verdict": "edit", "basis": desk["seq"], "text": words}
    claim = here.claims["ada", session]

    async def edit(**more: object) -> Answer:
        keyed = {"X_Claim": claim, "Idempotency_Key": f"key-{len(more)}"}
        return await here.call("ada", "POST", path, asked | more, **keyed)

    assert (await edit()).json()["code"] == "reasons_required"
    warned = (await edit(reasons=["style"])).json()
    assert warned["code"] == "guard_refused"
    assert edits() == (count, total)
    named = [one["check"] for one in warned["checks"]]
    for _ in range(2):
        assert (await edit(reasons=["style"], confirm_checks=named)).status_code == 201
    assert (await edit(reasons=["style"])).json()["code"] == "already_decided"
    assert edits() == (count + 1, pytest.approx(total + changed(drafted, words)))


async def test_the_next_end_of_a_key_is_told_until_it_is_revoked(here: Town) -> None:
    await measured(here)
    assert number("key_ends_seconds") == float("inf")
    day = 24 * 60 * MINUTE
    for who, days in (("late", 30), ("soon", 2)):
        caller = Caller(who, "client_app", "north")
        await here.admit(who, caller, here.clock.now_ms() + days * day)
    await measured(here)
    assert number("key_ends_seconds") == 2 * day / 1_000
    here.clock.tick(3 * day)
    await measured(here)
    assert number("key_ends_seconds") == -day / 1_000
    await revoke(here.store, here.master, here.prefix("soon"))
    await measured(here)
    assert number("key_ends_seconds") == 27 * day / 1_000
